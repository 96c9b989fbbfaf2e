# Boot sector of the INT 13h part of the storage soak (tests/w7/soak.sh): on drive 81h it checksums every sector, changes 200 random pieces
# by AH=42h/43h and reads each back, and checksums again. Port E9h gets "A crc", "B crc" and "E errors" (hexadecimal); status 33 ends it.
# Doubleword at 7DB0h: the disk's sectors, a multiple of 64.
        .code16
        .globl  _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        sti
        cld
        mov     $'A', %al
        call    checksum
        movw    $200, rounds
1:      call    random                  # piece: 8 sectors anywhere
        xor     %edx, %edx
        mov     0x7db0, %ecx
        sub     $8, %ecx
        div     %ecx
        mov     %edx, lba
        movw    $8, count
        movw    $0x1000, segment
        mov     $0x42, %ah
        call    disk
        mov     $0x1000, %ax
        mov     %ax, %es
        call    random
        xor     %di, %di
2:      xor     %eax, %es:(%di)
        rol     $3, %eax
        add     $0x9e3779b9, %eax
        add     $4, %di
        cmp     $4096, %di
        jne     2b
        mov     $0x4300, %ax
        call    disk
        movw    $0x2000, segment
        mov     $0x42, %ah
        call    disk
        push    %ds
        mov     $0x1000, %ax
        mov     %ax, %ds
        mov     $0x2000, %ax
        mov     %ax, %es
        xor     %si, %si
        xor     %di, %di
        mov     $2048, %cx
        repe cmpsw
        pop     %ds
        je      3f
        incw    errors
3:      decw    rounds
        jnz     1b
        mov     $'B', %al
        call    checksum
        mov     $'E', %al
        movzwl  errors, %ebx
        call    print
        mov     $16, %al
        out     %al, $0xf4
4:      hlt
        jmp     4b

# AH: function; the packet says what and where
disk:   mov     $packet, %si
        mov     $0x81, %dl
        int     $0x13
        jnc     1f
        incw    errors
1:      ret

random: mov     seed, %eax
        imul    $1664525, %eax, %eax
        add     $1013904223, %eax
        mov     %eax, seed
        ret

# prints AL and the CRC-32 of the whole disk
checksum:
        push    %ax
        mov     $-1, %ebx
        movl    $0, lba
        movw    $64, count
        movw    $0x1000, segment
1:      mov     $0x42, %ah
        call    disk
        mov     $0x1000, %ax
        mov     %ax, %es
        xor     %di, %di
2:      xor     %es:(%di), %bl
        mov     $8, %cx
3:      shr     $1, %ebx
        jnc     4f
        xor     $0xedb88320, %ebx
4:      loop    3b
        inc     %di
        cmp     $32768, %di
        jne     2b
        add     $64, lba
        mov     lba, %eax
        cmp     0x7db0, %eax
        jb      1b
        not     %ebx
        pop     %ax

# AL, a space, EBX in hexadecimal, a new line
print:  out     %al, $0xe9
        mov     $' ', %al
        out     %al, $0xe9
        mov     $8, %cx
1:      rol     $4, %ebx
        mov     %bl, %al
        and     $15, %al
        cmp     $10, %al
        jb      2f
        add     $'a' - '0' - 10, %al
2:      add     $'0', %al
        out     %al, $0xe9
        loop    1b
        mov     $10, %al
        out     %al, $0xe9
        ret

        .balign 4
packet: .byte   16, 0
count:  .word   64, 0
segment: .word  0x1000
lba:    .long   0, 0
seed:   .long   4711
rounds: .word   0
errors: .word   0
        .org    510
        .word   0xaa55

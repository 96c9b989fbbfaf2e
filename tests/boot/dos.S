# dos.S: DOS.COM for a DOS floppy.  Says on COM1 and on the screen
#   GUEST-UP DOS real|v86    which mode DOS programs run in
#   GUEST-XMS ok|BAD|none    8 KiB moved to extended memory, cleared, moved back and compared
#   GUEST-TICKS ok           the BIOS counted 18 timer ticks
#   GUEST-DONE               then the machine is switched off through the APM BIOS, version 1.2
# A .COM file: loaded at offset 100h of its segment, all four segments the same.
        .code16
        .globl  _start
        .set    block, 0x2000           # bytes moved

_start: cld
        mov     $up, %si
        call    say
        smsw    %ax
        mov     $real, %si
        test    $1, %al
        jz      1f
        mov     $v86, %si
1:      call    say
        call    xms
        call    say

        push    %ds                     # 18 ticks of the counter at 40:6C
        mov     $0x40, %ax
        mov     %ax, %ds
        mov     0x6c, %bx
        sti
1:      hlt
        mov     0x6c, %ax
        sub     %bx, %ax
        cmp     $18, %ax
        jb      1b
        pop     %ds
        mov     $ticks, %si
        call    say

        mov     $0x5301, %ax            # APM: connect, version 1.2, set power state off
        xor     %bx, %bx
        int     $0x15
        mov     $0x530e, %ax
        xor     %bx, %bx
        mov     $0x0102, %cx
        int     $0x15
        mov     $0x5307, %ax
        mov     $1, %bx
        mov     $3, %cx
        int     $0x15
        ret

# xms: SI = what to say
xms:    mov     $0x4300, %ax
        int     $0x2f
        mov     $none, %si
        cmp     $0x80, %al
        jne     9f
        push    %es
        mov     $0x4310, %ax
        int     $0x2f
        mov     %bx, driver
        mov     %es, driver + 2
        pop     %es
        mov     $9, %ah                 # allocate 64 KiB
        mov     $64, %dx
        lcall   *driver
        mov     $bad, %si
        cmp     $1, %ax
        jne     9f
        mov     %dx, handle

        mov     $buffer, %di            # fill with a sequence
        mov     $0x1234, %ax
        mov     $block / 2, %cx
1:      stosw
        imul    $31421, %ax
        add     $6927, %ax
        loop    1b
        movl    $block, length          # there
        movw    $0, source
        mov     $buffer, %ax
        mov     %ax, from
        mov     %ds, from + 2
        mov     handle, %ax
        mov     %ax, target
        movl    $0x1234, to
        call    move
        jne     8f
        mov     $buffer, %di            # gone here
        xor     %ax, %ax
        mov     $block / 2, %cx
        rep stosw
        mov     handle, %ax             # and back
        mov     %ax, source
        movl    $0x1234, from
        movw    $0, target
        mov     $buffer, %ax
        mov     %ax, to
        mov     %ds, to + 2
        call    move
        jne     8f
        mov     $buffer, %di
        mov     $0x1234, %ax
        mov     $block / 2, %cx
1:      scasw
        jne     8f
        imul    $31421, %ax
        add     $6927, %ax
        loop    1b
        mov     $good, %si
        ret
8:      mov     $bad, %si
9:      ret

# move: one XMS block move; ZF set if it was done
move:   mov     $0x0b, %ah
        mov     $length, %si
        lcall   *driver
        cmp     $1, %ax
        ret

# say: the string at SI
say:    lodsb
        or      %al, %al
        jz      9f
        mov     %al, %bl
        mov     $0x3fd, %dx
1:      in      %dx, %al
        test    $0x20, %al
        jz      1b
        mov     $0x3f8, %dx
        mov     %bl, %al
        out     %al, %dx
        mov     %bl, %dl
        mov     $2, %ah
        int     $0x21
        jmp     say
9:      ret

up:     .asciz  "GUEST-UP DOS "
real:   .asciz  "real\r\n"
v86:    .asciz  "v86\r\n"
none:   .asciz  "GUEST-XMS none\r\n"
good:   .asciz  "GUEST-XMS ok\r\n"
bad:    .asciz  "GUEST-XMS BAD\r\n"
ticks:  .asciz  "GUEST-TICKS ok\r\nGUEST-DONE\r\n"
        .balign 4
driver: .long   0
handle: .word   0
length: .long   0                       # the block move's five fields, in this order
source: .word   0
from:   .long   0
target: .word   0
to:     .long   0
buffer:

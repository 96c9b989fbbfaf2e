/* Boot floppy that checks the video BIOS through INT 10h and ends the emulator through port F4h:
   exit status 171 when all holds, else (check number << 1) | 1. Runs with vgabios-test.sh.

   What it checks is in the comments beside the numbers; pictures are not looked at here. */

    .set BUFFER, 0x5000
    .set STACK, 0x4f00

    .macro CHECK cc, id
    j\cc 8f
    movb $\id, %al
    jmp finish
8:
    .endm
    .macro VIDEO ax
    movw $\ax, %ax
    int $0x10
    .endm

    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $STACK, %sp
    cld
    movw $0x0208, %ax               /* eight more sectors, behind this one */
    movw $0x7e00, %bx
    movw $2, %cx
    movb $0, %dh
    int $0x13
    CHECK nc, 1
    jmp tests
finish:
    outb %al, $0xf4
1:  hlt
    jmp 1b
    .org 510
    .byte 0x55, 0xaa

tests:
/* The ROM: signature, sum of all bytes zero after POST, PCI data structure. */
    movw $0xc000, %ax
    movw %ax, %fs
    cmpw $0xaa55, %fs:0
    CHECK e, 2
    movzbl %fs:2, %ecx
    shll $9, %ecx
    xorl %esi, %esi
    xorb %al, %al
1:  addb %fs:(%esi), %al
    incl %esi
    decl %ecx
    jnz 1b
    testb %al, %al
    CHECK z, 3
    movw %fs:0x18, %si
    cmpl $0x52494350, %fs:(%si)
    CHECK e, 4

/* Mode 3 and the BIOS data area. */
    VIDEO 3
    cmpb $3, 0x449
    CHECK e, 5
    cmpw $80, 0x44a
    CHECK e, 6
    cmpw $0x1000, 0x44c
    CHECK e, 7
    cmpb $24, 0x484
    CHECK e, 8
    cmpw $16, 0x485
    CHECK e, 9
    cmpw $0x3d4, 0x463
    CHECK e, 10

/* Teletype, reading back, scrolling, cursor. */
    movw $7, %bx
    VIDEO 0x0e41
    movb $0, %bh
    VIDEO 0x0300
    cmpw $1, %dx
    CHECK e, 11
    xorw %dx, %dx
    VIDEO 0x0200
    VIDEO 0x0800
    cmpw $0x0741, %ax
    CHECK e, 12
    movw $0x1803, %dx
    VIDEO 0x0200
    movw $0x001e, %bx
    movw $2, %cx
    VIDEO 0x095a
    movb $0x07, %bh
    xorw %cx, %cx
    movw $0x184f, %dx
    VIDEO 0x0601
    movb $0, %bh
    movw $0x1704, %dx
    VIDEO 0x0200
    VIDEO 0x0800
    cmpw $0x1e5a, %ax
    CHECK e, 13
    movw $0x184f, %dx               /* teletype at the last cell scrolls */
    VIDEO 0x0200
    VIDEO 0x0e58
    VIDEO 0x0300
    cmpw $0x1800, %dx
    CHECK e, 14
    movw $0x0b0d, %cx
    VIDEO 0x0100
    VIDEO 0x0300
    cmpw $0x0b0d, %cx
    CHECK e, 15
    VIDEO 0x0502                    /* page 2 starts at 2000h */
    cmpw $0x2000, 0x44e
    CHECK e, 16
    VIDEO 0x0500

/* Every VGA mode: AH=0Fh names it; in graphics a dot and a character can be read back. */
    movw $modes, %si
mode_loop:
    lodsb
    cmpb $0xff, %al
    je modes_done
    movb $0, %ah
    movb %al, %dl
    pushw %dx
    int $0x10
    VIDEO 0x0f00
    popw %dx
    cmpb %dl, %al
    CHECK e, 20
    cmpb $3, %dl
    jbe mode_loop
    cmpb $7, %dl
    je mode_loop
    movw $33, %cx
    movw $77, %dx
    movb $0, %bh
    VIDEO 0x0c01
    VIDEO 0x0d00
    cmpb $1, %al
    CHECK e, 21
    movw $0x0102, %dx
    VIDEO 0x0200
    movw $1, %bx
    movw $1, %cx
    VIDEO 0x0951
    VIDEO 0x0800
    cmpb $'Q', %al
    CHECK e, 22
    jmp mode_loop
modes: .byte 0, 1, 2, 3, 4, 5, 6, 7, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x6a, 0xff
modes_done:
    VIDEO 3

/* Identity: colour VGA with 256 KiB, fonts. */
    VIDEO 0x1a00
    cmpb $0x1a, %al
    CHECK e, 30
    cmpb $8, %bl
    CHECK e, 31
    movb $0x10, %bl
    VIDEO 0x1200
    cmpw $3, %bx
    CHECK e, 32
    movb $6, %bh
    VIDEO 0x1130
    cmpw $16, %cx
    CHECK e, 33
    cmpb $24, %dl
    CHECK e, 34
    movb %es:16 * 'T' + 4(%bp), %al
    testb %al, %al
    CHECK nz, 35
    xorw %ax, %ax
    movw %ax, %es
    movw $BUFFER, %di
    xorw %bx, %bx
    VIDEO 0x1b00
    cmpb $0x1b, %al
    CHECK e, 36
    cmpb $3, BUFFER + 4
    CHECK e, 37

/* DAC: one register, then as part of a block. */
    movw $200, %bx
    movw $0x2030, %cx
    movb $0x10, %dh
    VIDEO 0x1010
    movw $200, %bx
    xorw %cx, %cx
    movb $0, %dh
    VIDEO 0x1015
    cmpw $0x2030, %cx
    CHECK e, 40
    cmpb $0x10, %dh
    CHECK e, 41
    movw $199, %bx
    movw $2, %cx
    movw $BUFFER, %dx
    VIDEO 0x1017
    cmpb $0x10, BUFFER + 3
    CHECK e, 42

/* Save and restore: the cursor place and shape of the BIOS data area, the DAC. */
    movw $7, %cx
    VIDEO 0x1c00
    cmpw $30, %bx
    CHECK b, 45
    movw $0x0506, %dx
    movb $0, %bh
    VIDEO 0x0200
    movw $7, %cx
    movw $BUFFER, %bx
    VIDEO 0x1c01
    VIDEO 0x0013
    movw $7, %cx
    movw $BUFFER, %bx
    VIDEO 0x1c02
    movb $0, %bh
    VIDEO 0x0300
    cmpw $0x0506, %dx
    CHECK e, 46
    VIDEO 0x0f00
    cmpb $3, %al
    CHECK e, 47

/* VBE: controller information, then every mode of the list. */
    movw $BUFFER, %di
    movl $0x32454256, (%di)
    VIDEO 0x4f00
    cmpw $0x004f, %ax
    CHECK e, 50
    cmpl $0x41534556, BUFFER
    CHECK e, 51
    cmpw $0x0200, BUFFER + 4
    CHECK ae, 52
    cmpw $0, BUFFER + 18
    CHECK ne, 53
    lfs BUFFER + 14, %si
vbe_loop:
    movw %fs:(%si), %cx
    addw $2, %si
    cmpw $0xffff, %cx
    je vbe_done
    movw $BUFFER + 0x200, %di
    VIDEO 0x4f01
    cmpw $0x004f, %ax
    CHECK e, 54
    movw BUFFER + 0x200, %ax
    cmpb $4, BUFFER + 0x219
    je 1f
    cmpw $0x00bb, %ax
    CHECK e, 55
    cmpl $0, BUFFER + 0x228
    CHECK ne, 56
    movzbw BUFFER + 0x219, %ax
    addw $7, %ax
    shrw $3, %ax
    mulw BUFFER + 0x212
    cmpw BUFFER + 0x210, %ax
    CHECK e, 57
    jmp vbe_loop
1:  cmpw $0x003b, %ax
    CHECK e, 58
    jmp vbe_loop
vbe_done:
    movw $0x1ff, %cx
    VIDEO 0x4f01
    cmpw $0x014f, %ax
    CHECK e, 59

/* 1024x768x32: set, name, banks, line length, start, back to text. */
    movw $0x4144, %bx
    VIDEO 0x4f02
    cmpw $0x004f, %ax
    CHECK e, 60
    VIDEO 0x4f03
    cmpw $0x4144, %bx
    CHECK e, 61
    movw $0xa000, %ax
    movw %ax, %fs
    xorw %bx, %bx
    movw $3, %dx
    VIDEO 0x4f05
    movl $0x12345678, %fs:0x100
    xorw %bx, %bx
    xorw %dx, %dx
    VIDEO 0x4f05
    cmpl $0, %fs:0x100
    CHECK e, 62
    xorw %bx, %bx
    movw $3, %dx
    VIDEO 0x4f05
    cmpl $0x12345678, %fs:0x100
    CHECK e, 63
    movw $0x0100, %bx
    VIDEO 0x4f05
    cmpw $3, %dx
    CHECK e, 64
    movw $0, %bx
    movw $2048, %cx
    VIDEO 0x4f06
    cmpw $8192, %bx
    CHECK e, 65
    xorw %bx, %bx
    movw $16, %cx
    movw $32, %dx
    VIDEO 0x4f07
    movw $1, %bx
    VIDEO 0x4f07
    cmpw $16, %cx
    CHECK e, 66
    cmpw $32, %dx
    CHECK e, 67
    movw $0x4fff, %bx
    VIDEO 0x4f02
    cmpw $0x014f, %ax
    CHECK e, 68
    VIDEO 3
    VIDEO 0x4f03
    cmpw $3, %bx
    CHECK e, 69
    cmpw $80, 0x44a
    CHECK e, 70
    movw $0, %bx
    VIDEO 0x4f0a
    cmpw $0x004f, %ax
    CHECK e, 71
    xorw %ax, %ax
    movw %ax, %es

/* The caller's stack: no call may use more than 512 bytes. */
    movw $stack_calls, %si
stack_loop:
    lodsw
    testw %ax, %ax
    jz stack_done
    movw %ax, call_ax
    lodsw
    movw %ax, call_bx
    pushw %si
    movw $STACK - 1024, %di
    movw $1024 - 64, %cx
    movb $0xcc, %al
    rep stosb
    movw call_ax, %ax
    movw call_bx, %bx
    movw $0x144, %cx
    movw $0x1010, %dx
    movw $BUFFER, %di
    int $0x10
    movw $STACK - 1024, %di
    movw $1024 - 512, %cx
    movb $0xcc, %al
    repe scasb
    CHECK e, 80
    popw %si
    jmp stack_loop
stack_done:
    movb $0x55, %al
    jmp finish
stack_calls:
    .word 0x0012, 0, 0x0e41, 7, 0x0601, 0, 0x0841, 0, 0x0003, 0, 0x0e41, 7, 0x0601, 0x0700
    .word 0x4f00, 0, 0x4f01, 0, 0x4f02, 0x4144, 0x4f03, 0, 0x4f15, 1
    .word 0x0e41, 7, 0x0601, 0, 0x0841, 0, 0x0941, 3, 0x0003, 0, 0
call_ax: .word 0
call_bx: .word 0
    .org 512 * 9

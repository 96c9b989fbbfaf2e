/*
 * Boot image of the CD probes, El Torito without emulation: notes what the BIOS handed over at 0000:0600 (struct entry of
 * fw.h), loads the program with INT 13h AH=42h in 2048-byte blocks to 2000:0000 and goes there. mkimg writes block number
 * and count at offset 8. Runs wherever it is loaded and does not change itself.
 */
        .code16
        .text
        .globl _start
_start: jmp go
        .org 8
lba:    .long 0
blocks: .long 0
go:     call here
here:   pushw %bp
        movw %sp, %bp
        pushw %ds
        pushw %ax
        pushfw
        xorw %ax, %ax
        movw %ax, %ds
        movw %cs, 0x600
        movw 2(%bp), %ax
        subw $(here - _start), %ax
        movw %ax, 0x602
        movw %dx, 0x604
        movw %ss, 0x606
        leaw 4(%bp), %ax
        movw %ax, 0x608
        popw 0x60a
        popw %ax
        popw 0x60c
        movw %es, 0x60e
        movw %di, 0x610
        movw %si, 0x612

        movw 0x602, %bx                 /* our own offset in CS */
        xorw %ax, %ax
        movw %ax, %ss
        movw $0x7000, %sp
        cld
        pushw %ax                       /* packet */
        pushw %ax
        pushw %cs:lba + 2(%bx)
        pushw %cs:lba(%bx)
        pushw $0x2000
        pushw %ax
        pushw %cs:blocks(%bx)
        pushw $16
        movw %sp, %si
        movb $0x42, %ah
        int $0x13
        jc bad
        ljmp $0x2000, $0
bad:    leaw text(%bx), %si
1:      lodsb %cs:(%si), %al
        outb %al, $0xe9
        testb %al, %al
        jnz 1b
2:      hlt
        jmp 2b
text:   .asciz "\nW7-036 fail boot image reads its program: got an error, expected none\n"

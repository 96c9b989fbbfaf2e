/*
 * Boot sector of the disk probes: notes what the BIOS handed over at 0000:0600 (struct entry of fw.h), loads the program
 * that follows it on the disk to 2000:0000 with one INT 13h AH=42h and goes there. mkimg writes the number of sectors at
 * offset 1B4h. The sector does not change itself: the program compares it with the disk.
 */
        .code16
        .text
        .globl _start
_start:
        call here
here:   pushw %bp
        movw %sp, %bp
        pushw %ds
        pushw %ax
        pushfw
        xorw %ax, %ax
        movw %ax, %ds
        movw %cs, 0x600
        movw 2(%bp), %ax                /* return address: where `here` is */
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

        xorw %bx, %bx
        movw %bx, %ss
        movw $0x7c00, %sp
        cld
        pushw %bx                       /* packet: LBA 1, to 2000:0000 */
        pushw %bx
        pushw %bx
        pushw $1
        pushw $0x2000
        pushw %bx
        pushw %cs:count - _start + 0x7c00
        pushw $16
        movw %sp, %si
        movb $0x42, %ah
        int $0x13
        jc bad
        ljmp $0x2000, $0
bad:    movw $text - _start + 0x7c00, %si
1:      lodsb
        outb %al, $0xe9
        testb %al, %al
        jnz 1b
2:      hlt
        jmp 2b
text:   .asciz "\nW7-003 fail boot sector reads its program: got an error, expected none\n"

        .org 0x1b4
count:  .word 0
        .org 0x1fe
        .word 0xaa55

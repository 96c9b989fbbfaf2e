/*
 * Part of the firmware probe `odd`: INT 15h AH=89h, the AT's switch to protected mode, and the way back. What was seen is noted in
 * seen_89, a byte for each of the checks of odd.c.
 */
#include "fw.h"

        .globl to_protected_mode, seen_89
        .data
        .balign 8
table:  .quad 0
        .word 63, table, 0x9202, 0      /* 08: the table itself, at 20000 */
        .word 0x1ff, idt, 0x9202, 0     /* 10: the IDT */
        .quad 0x000092020000ffff        /* 18: DS */
        .quad 0x000092020000ffff        /* 20: ES */
        .quad 0x000092020000ffff        /* 28: SS */
        .quad 0x00009a020000ffff        /* 30: CS */
        .quad 0                         /* 38: the BIOS's */
idt:    .quad 0
seen_89: .byte 0, 0, 0, 0, 0, 0
masks:  .byte 0, 0
sp_was: .word 0
read_back: .word 0, 0, 0
old_gdt: .word 0, 0, 0
real_idt: .word 0x3ff
        .long 0

        .text
        .code16
        .macro NOTE n, cc
        j\cc 1f
        jmp 2f
1:      movb $1, seen_89 + \n
2:
        .endm

to_protected_mode:
        pushal
        pushw %es
        pushw %fs
        pushw %gs
        inb $0x21, %al
        movb %al, masks
        inb $0xa1, %al
        movb %al, masks + 1
        sgdtl old_gdt
        movw %sp, sp_was
        movw $table, %si
        pushw %ds
        popw %es
        movw $0x0870, %bx
        movb $0x89, %ah
        int $0x15
        pushfw
        movb $1, seen_89
        popw %cx
        testb %ah, %ah
        jnz 3f
        testw $0x201, %cx
        NOTE 2, z
3:      cmpw %sp, sp_was
        NOTE 3, e
        sidtl read_back
        movw $idt, %ax
        cmpw %ax, read_back + 2
        jne 4f
        cmpb $2, read_back + 4
        NOTE 4, e
4:      inb $0x21, %al
        movb %al, %ah
        inb $0xa1, %al
        cmpw $0xffff, %ax
        NOTE 5, e
        movw %cs, %ax
        cmpw $0x30, %ax
        jne 5f
        movw %ds, %ax
        cmpw $0x18, %ax
        jne 5f
        movw %es, %ax
        cmpw $0x20, %ax
        jne 5f
        movw %ss, %ax
        cmpw $0x28, %ax
        NOTE 1, e
5:      movw $0x18, %ax
        movw %ax, %fs
        movw %ax, %gs
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $SEG_BODY, $6f
6:      movw $SEG_BODY, %ax
        movw %ax, %ds
        movw %ax, %ss
        lidtl real_idt
        lgdtl old_gdt
        movb masks, %al                 /* vectors 08h and 70h were asked for, as they were */
        outb %al, $0x21
        movb masks + 1, %al
        outb %al, $0xa1
        popw %gs
        popw %fs
        popw %es
        popal
        sti
        retl

/*
 * What kernel.c cannot say: filling memory above 1 MiB from port 511h, and the two jumps.
 */
#include "bios/layout.h"

        .code16
        .text

/* void flat_insb(u32 to, u32 len): ES gets a 4 GiB limit for one string instruction. */
        .globl flat_insb
flat_insb:
        pushl %edi
        pushw %es
        subl $8, %esp
        movl %eax, %edi
        movl %edx, %ecx
        movl %esp, %edx
        sgdtl (%edx)
        lgdtl %cs:low_gdt_desc
        movw $0x08, %ax
        call load_es
        lgdtl (%edx)
        xorw %ax, %ax
        movw %ax, %es
        movl %edx, %eax
        movw $0x511, %dx
        cld
        addr32 rep insb
        movl %eax, %edx
        lgdtl %cs:low_gdt_desc          /* and the ordinary limit again */
        movw $0x20, %ax
        call load_es
        lgdtl (%edx)
        addl $8, %esp
        popw %es
        popl %edi
        retl

/* ES = descriptor ax of the loaded GDT. Clobbers eax. */
load_es:
        pushl %ebx
        movl %cr0, %ebx
        orb $1, %bl
        movl %ebx, %cr0
        jmp 1f
1:      movw %ax, %es
        andb $0xfe, %bl
        movl %ebx, %cr0
        jmp 2f
2:      popl %ebx
        ret

/*
 * Linux, "Running the kernel" of its boot protocol: all data segments at the setup code, CS 20h
 * paragraphs above, interrupts off.
 */
        .globl linux_jump
linux_jump:
        cli
        cld
        movl $STACK_TOP, stack_pos
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        movw %ax, %ss
        movzwl %dx, %esp
        addw $0x20, %ax
        pushw %ax
        pushw $0
        xorl %eax, %eax
        xorl %ebx, %ebx
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %edi, %edi
        xorl %ebp, %ebp
        lret

/* Multiboot specification 3.2: flat segments, EAX the magic number, EBX the information. */
        .globl multiboot_jump
multiboot_jump:
        cli
        cld
        movl $STACK_TOP, stack_pos
        movl %eax, %ecx
        movl %edx, %ebx
        lgdtl %cs:low_gdt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $0x10, $0xf0000 + multiboot_32
        .code32
multiboot_32:
        movl $0x08, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %fs
        movl %eax, %gs
        movl %eax, %ss
        movl $0x7000, %esp              /* undefined by the specification; some push all the same */
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %edi, %edi
        xorl %ebp, %ebp
        movl $0x2badb002, %eax
        jmp *%ecx

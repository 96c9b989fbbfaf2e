/*
 * PCI BIOS 2.1: INT 1Ah AH=B1h and the BIOS32 service, from one macro assembled for both modes.
 *
 * Uses registers and the caller's stack only, so it runs with any segment bases. Configuration
 * mechanism 1 on bus 0; CF8h is left as it was found. Left out (answer 81h): special cycles,
 * interrupt routing (B10Eh, B10Fh), for which the $PIR table and ACPI are the sources.
 */
#include "bios/layout.h"

#define PCI_OK          0x00
#define PCI_UNSUPPORTED 0x81
#define PCI_BAD_VENDOR  0x83
#define PCI_NOT_FOUND   0x86
#define PCI_BAD_REG     0x87

        .macro PCIBIOS sfx
/* eax = dword at bx:di of configuration space; keeps everything else */
cfg_read_\sfx:
        pushl %edx
        pushl %ecx
        movw $PORT_PCI_ADDR, %dx
        inl %dx, %eax
        movl %eax, %ecx
        movzwl %bx, %eax
        shll $8, %eax
        orl $0x80000000, %eax
        pushl %edi
        andl $0xfc, %edi
        orl %edi, %eax
        popl %edi
        outl %eax, %dx
        movw $PORT_PCI_DATA, %dx
        inl %dx, %eax
        xchgl %eax, %ecx
        movw $PORT_PCI_ADDR, %dx
        outl %eax, %dx
        movl %ecx, %eax
        popl %ecx
        popl %edx
        retl

/* Walks every function of bus 0. In: esi = number wanted (0..), edx = value, ebp = mask,
 * edi = register, cl = shift before comparing. Out: bx, carry if none. */
walk_\sfx:
        xorl %ebx, %ebx
        pushl %esi
        andl $0xffff, %esi
1:      pushl %edi
        xorl %edi, %edi
        calll cfg_read_\sfx
        popl %edi
        cmpw $0xffff, %ax
        je 3f
        calll cfg_read_\sfx
        shrl %cl, %eax
        andl %ebp, %eax
        cmpl %edx, %eax
        jne 2f
        subl $1, %esi
        jc 5f
2:      testb $7, %bl
        jnz 4f
        pushl %edi
        movl $0x0c, %edi
        calll cfg_read_\sfx
        popl %edi
        testl $0x800000, %eax
        jnz 4f
        addb $7, %bl
        jmp 4f
3:      testb $7, %bl
        jnz 4f
        addb $7, %bl                    /* no function 0: no device */
4:      incb %bl
        jnz 1b
        popl %esi
        stc
        retl
5:      popl %esi
        clc
        retl

        .globl pcibios_\sfx
pcibios_\sfx:
        cmpb $0x01, %al
        je present_\sfx
        cmpb $0x02, %al
        je find_device_\sfx
        cmpb $0x03, %al
        je find_class_\sfx
        cmpb $0x08, %al
        jb bad_\sfx
        cmpb $0x0d, %al
        jbe access_\sfx
bad_\sfx:
        movb $PCI_UNSUPPORTED, %ah
        stc
        retl

present_\sfx:
        movw $0x0001, %ax               /* mechanism 1, no special cycles */
        movw $0x0210, %bx
        movb $0, %cl                    /* last bus */
        movl $0x20494350, %edx
        clc
        retl

find_device_\sfx:
        cmpw $0xffff, %dx
        jne 1f
        movb $PCI_BAD_VENDOR, %ah
        stc
        retl
1:      pushl %edx
        pushl %edi
        pushl %ebp
        pushl %ecx
        shll $16, %ecx
        andl $0xffff, %edx
        orl %ecx, %edx
        xorl %edi, %edi
        xorl %ecx, %ecx
        movl $0xffffffff, %ebp
        jmp find_\sfx
find_class_\sfx:
        pushl %edx
        pushl %edi
        pushl %ebp
        pushl %ecx
        movl %ecx, %edx
        andl $0xffffff, %edx
        movl $8, %edi
        movb $8, %cl
        movl $0xffffff, %ebp
find_\sfx:
        pushl %eax
        pushl %ebx
        calll walk_\sfx
        jc 1f
        popl %eax                       /* upper half of ebx */
        movw %bx, %ax
        movl %eax, %ebx
        popl %eax
        movb $PCI_OK, %ah
        clc
        jmp 2f
1:      popl %ebx
        popl %eax
        movb $PCI_NOT_FOUND, %ah
        stc
2:      popl %ecx
        popl %ebp
        popl %edi
        popl %edx
        retl

/* AL 08-0A read byte, word, dword; 0B-0D write. */
access_\sfx:
        pushl %edx
        pushl %esi
        pushl %ebp
        pushl %eax
        movl %eax, %ebp
        movw %di, %si
        cmpw $0x100, %si
        jae 6f
        cmpb $0x09, %al
        je 1f
        cmpb $0x0c, %al
        je 1f
        cmpb $0x0a, %al
        je 2f
        cmpb $0x0d, %al
        jne 3f
2:      testw $3, %si
        jnz 6f
        jmp 3f
1:      testw $1, %si
        jnz 6f
3:      movw $PORT_PCI_ADDR, %dx
        inl %dx, %eax
        pushl %eax                      /* old address, put back at the end */
        movzwl %bx, %eax
        shll $8, %eax
        orl $0x80000000, %eax
        pushl %edi
        andl $0xff, %edi
        orl %edi, %eax
        popl %edi
        andb $0xfc, %al
        outl %eax, %dx
        movw %si, %dx
        andw $3, %dx
        addw $PORT_PCI_DATA, %dx
        movl %ebp, %eax
        cmpb $0x09, %al
        jb 11f
        je 12f
        cmpb $0x0b, %al
        jb 13f
        je 14f
        cmpb $0x0c, %al
        je 15f
        movl %ecx, %eax
        outl %eax, %dx
        jmp 5f
11:     inb %dx, %al
        movb %al, %cl
        jmp 5f
12:     inw %dx, %ax
        movw %ax, %cx
        jmp 5f
13:     inl %dx, %eax
        movl %eax, %ecx
        jmp 5f
14:     movb %cl, %al
        outb %al, %dx
        jmp 5f
15:     movw %cx, %ax
        outw %ax, %dx
5:      popl %eax
        movw $PORT_PCI_ADDR, %dx
        outl %eax, %dx
        popl %eax
        movb $PCI_OK, %ah
        clc
        jmp 7f
6:      popl %eax
        movb $PCI_BAD_REG, %ah
        stc
7:      popl %ebp
        popl %esi
        popl %edx
        retl
        .endm

        .text
        .code16
        PCIBIOS 16
        .globl pcibios16
        .set pcibios16, pcibios_16

        .code32
        PCIBIOS 32

/* Called far by the operating system through the address BIOS32 gave. */
        .globl pcibios32_entry
pcibios32_entry:
        pushfl
        cli
        cld
        calll pcibios_32
        jc 1f
        popfl
        clc
        lretl
1:      popfl
        stc
        lretl

/* BIOS32 service directory (PCI BIOS 2.1, 3.2): eax = service, ebx = 0. */
        .globl bios32_entry
bios32_entry:
        pushfl
        cmpl $0x49435024, %eax          /* "$PCI" */
        jne 1f
        movl $0xf0000, %ebx
        movl $0x10000, %ecx
        movl $pcibios32_entry, %edx
        movb $0x00, %al
        popfl
        lretl
1:      movb $0x80, %al
        popfl
        lretl
        .code16

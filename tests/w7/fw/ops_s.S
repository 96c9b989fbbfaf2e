/*
 * Part of the probe `replay`: the instructions of ops.inc in real mode and in 32-bit protected mode, the real-mode tests of
 * addresses (W7-089) and of REP that faults half way (W7-090), and the way into protected mode and back.
 */
#include "fw.h"

        .globl ops_real, ops_protected, results16, results32
        .globl fault_to, fault_ip, fault_error, fault_vector, hook, unhook
        .globl protected_0, protected_5, protected_6, protected_13, protected_step
        .data
        .balign 4
results16: .fill 32, 1, 0
results32: .fill 32, 1, 0
fault_to: .long 0
fault_ip: .long 0
fault_error: .long 0
stack_16: .long 0
stack_32: .long 0
steps:  .long 0
step_at: .long 0
pointer: .long 0, 0
limits: .long 0, 0
fault_vector: .byte 0
        .balign 4
saved_vectors: .fill 16, 4, 0
table:  .set i, 0
        .rept 256
        .byte i ^ 0x5a
        .set i, i + 1
        .endr
        .bss
        .balign 4
area:   .fill 512, 1, 0

/* ---------------------------------------------------------------- real mode */

        .text
        .code16
#define BITS 16
#define NAME(x) x##_16
results_16 = results16
        .macro REAL_FAULT vector
real_\vector:
        movb $\vector, %cs:fault_vector
        jmp real_fault
        .endm
        REAL_FAULT 0
        REAL_FAULT 5
        REAL_FAULT 6
        REAL_FAULT 12
        REAL_FAULT 13
/* Goes on at fault_to with all registers as they are. */
real_fault:
        pushw %bp
        movw %sp, %bp
        pushw %ax
        movw 2(%bp), %ax
        movw %ax, %cs:fault_ip
        movw $0, %cs:fault_ip + 2
        movw %cs:fault_to, %ax
        movw %ax, 2(%bp)
        popw %ax
        popw %bp
        iret
real_step:
        pushw %bp
        movw %sp, %bp
        pushw %ax
        movw 2(%bp), %ax
        cmpw %cs:step_at, %ax
        jne 1f
        incl %cs:steps
1:      popw %ax
        popw %bp
        iret

/* Vectors 0, 1, 5, 6, 12, 13 are ours during the tests; interrupts are off. */
hook:   movw $saved_vectors, %di
        pushw %ds
        popw %es
        xorw %si, %si
        movw %si, %ds
        movw $28, %cx
        cld
        rep movsw
        movw %es, %ax
        .macro VECTOR n, to
        movw $\to, \n * 4
        movw %ax, \n * 4 + 2
        .endm
        VECTOR 0, real_0
        VECTOR 1, real_step
        VECTOR 5, real_5
        VECTOR 6, real_6
        VECTOR 12, real_12
        VECTOR 13, real_13
        movw %ax, %ds
        ret
unhook: xorw %di, %di
        movw %di, %es
        movw $saved_vectors, %si
        movw $28, %cx
        cld
        rep movsw
        pushw %ds
        popw %es
        ret

#include "test.inc"
#include "ops.inc"
        retl

addresses:
        pushal
        movl %esp, stack_16
        /* 16: scaled index below 64 KiB, in every form */
        T 16
        movl $table, %ebx
        movl $10, %ecx
        movb 3(%ebx,%ecx,4), %al
        cmpb $(43 ^ 0x5a), %al
        REQ e
        movl $-10, %ecx
        movl $table + 100, %ebx
        movb (%ebx,%ecx,8), %al         /* the sum wraps at 4 GiB */
        cmpb $(20 ^ 0x5a), %al
        REQ e
        movl $5, %edx
        movb table(,%edx,2), %al
        cmpb $(10 ^ 0x5a), %al
        REQ e
        movl %esp, %esi
        pushl $0x600dcafe
        movl -4(%esi), %eax
        cmpl $0x600dcafe, %eax
        REQ e
        movl (%esp), %edx
        cmpl %eax, %edx
        REQ e
        popl %edx
        movl $0xfff0, %ebp
        movb -4(%ebp,%ecx,1), %al
        leal 0x12345678(%ebx,%ecx,8), %eax      /* LEA knows no limit */
        movl $0x12345678 + table + 20, %edx
        cmpl %edx, %eax
        REQ e
        E
        /* 17: above 64 KiB #GP, relative to the stack #SS */
        T 17
        movl $0x10000, %ebx
        movl $0x5555, %eax
        FAULT 13, movb (%ebx), %al
        movl $0xfffd, %ebx
        FAULT 13, movl (%ebx), %eax
        movl $0xffff, %ebx
        FAULT 13, movw (%ebx), %ax
        movl $0x4000, %ebx
        FAULT 13, movl (%ebx,%ebx,4), %eax
        movl $-1, %ebx
        FAULT 13, movb (%ebx), %al
        movl $0x10000, %ebp
        FAULT 12, movb (%ebp), %al
        FAULT 12, movl %eax, (%esp,%ebp,1)
        FAULT 13, movb %ds:(%ebp), %al
        FAULT 13, movw -1, %ax          /* word at FFFFh */
        cmpl $0x5555, %eax
        REQ e
        movl $0xfffc, %ebx
        movl (%ebx), %eax               /* the last dword is good */
        movw $0xffff, %bx
        movb (%bx), %al
        movw $0x8000, %si
        movw $0x8000 + table, %bx
        movb 4(%bx,%si), %al            /* 16-bit sums wrap */
        cmpb $(4 ^ 0x5a), %al
        REQ e
        E
        /* 18: a REP that meets the limit stops with what was done counted, and goes on from there */
        T 18
        cld
        movl $0xfff8, %esi
        movl $area, %edi
        movl $4, %ecx
        FAULT 13, a32 rep movsl
        cmpl $2, %ecx
        REQ e
        cmpl $0x10000, %esi
        REQ e
        cmpl $area + 8, %edi
        REQ e
        movl $table, %esi
        a32 rep movsl                /* restarted with a good address */
        cmpl $area + 16, %edi
        REQ e
        movl table + 4, %eax
        cmpl %eax, area + 12
        REQ e
        movl $0xfffc, %edi
        movl $3, %ecx
        movl -4, %eax
        FAULT 13, a32 rep stosl
        cmpl $2, %ecx
        REQ e
        std
        movl $area, %esi
        movl $2, %edi
        movl $5, %ecx
        FAULT 13, a32 rep movsb      /* downwards past 0 */
        cld
        cmpl $2, %ecx
        REQ e
        cmpl $-1, %edi
        REQ e
        movw $0xfffe, %si
        movl $area, %edi
        movw $2, %cx
        a16 rep movsw                /* 16-bit addresses wrap instead */
        cmpw $2, %si
        REQ e
        E
        popal
        retl

ops_real:
        pushal
        pushfw
        cli
        pushw %es
        pushw %fs
        pushw %gs
        call hook
        movl 0, %eax
        pushl %eax
        calll ops_16
        calll addresses
        popl %eax                       /* test 18 wrote over our own head */
        movl %eax, 0
        call unhook
        popw %gs
        popw %fs
        popw %es
        popfw
        popal
        retl

/* ---------------------------------------------------------------- 32-bit protected mode */

        .data
        .balign 8
gdt:    .quad 0
        .quad 0x00409a020000ffff        /* 08: 32-bit code at 20000 */
        .quad 0x000092020000ffff        /* 10: 16-bit data at 20000 */
        .quad 0x00009a020000ffff        /* 18: 16-bit code at 20000 */
        .quad 0x004092020000ffff        /* 20: 32-bit stack and data at 20000 */
gdt_end:
gdt_desc: .word gdt_end - gdt - 1
        .long (SEG_BODY << 4) + gdt
idt_desc: .word 14 * 8 - 1
        .long (SEG_BODY << 4) + idt
real_idt: .word 0x3ff
        .long 0
        .macro GATE to
        .word \to, 0x08, 0x8e00, 0
        .endm
idt:    GATE protected_0
        GATE protected_step
        GATE protected_6
        GATE protected_6
        GATE protected_6
        GATE protected_5
        GATE protected_6
        GATE protected_6
        GATE protected_13
        GATE protected_6
        GATE protected_13
        GATE protected_13
        GATE protected_13
        GATE protected_13
old_gdt: .word 0, 0, 0
        .text

ops_protected:
        pushal
        pushfw
        cli
        pushw %es
        pushw %fs
        pushw %gs
        sgdtl old_gdt
        lgdtl gdt_desc
        lidtl idt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $0x08, $protected
        .code32
protected:
        movl $0x20, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %fs
        movl %eax, %gs
        movl %eax, %ss
        call ops_32
        ljmp $0x18, $back16
        .code16
back16: movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $SEG_BODY, $1f
1:      movw $SEG_BODY, %ax
        movw %ax, %ds
        movw %ax, %ss
        lgdtl old_gdt
        lidtl real_idt
        popw %gs
        popw %fs
        popw %es
        popfw
        popal
        retl

        .code32
protected_0:
        movb $0, fault_vector
        jmp protected_fault
protected_5:
        movb $5, fault_vector
        jmp protected_fault
protected_6:
        movb $6, fault_vector
protected_fault:
        pushl %eax
        movl 4(%esp), %eax
        movl %eax, fault_ip
        movl fault_to, %eax
        movl %eax, 4(%esp)
        popl %eax
        iretl
protected_13:
        popl fault_error
        movb $13, fault_vector
        jmp protected_fault
protected_step:
        pushl %eax
        movl 4(%esp), %eax
        cmpl %eax, step_at
        jne 1f
        incl steps
1:      popl %eax
        iretl

#undef BITS
#undef NAME
#define BITS 32
#define NAME(x) x##_32
results_32 = results32
        PURGE
#include "test.inc"
#include "ops.inc"
        ret

        .code16
        .globl triple_fault
triple_fault:
        cli
        lidtl no_idt
        int $3
1:      hlt
        jmp 1b
        .data
no_idt: .word 0
        .long 0

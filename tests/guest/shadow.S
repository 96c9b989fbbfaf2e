/* expect: exit 171. NMI: delivery, blocking until IRET (also one that faults), pending exactly one, HLT with IF=0, through a task gate.
 * STI and MOV SS windows against single step, code breakpoints and HLT. Interrupt order at one boundary. */
#include "guest.inc"
    .set APIC, 0xfee00000
    .code16
main16:
    ENTER32
    .macro GATE vec, label
    mov $\label, %eax
    mov %ax, idt+\vec*8
    shr $16, %eax
    mov %ax, idt+\vec*8+6
    .endm
    .macro NMI /* to this processor */
    movl $0x400, APIC+0x300
#ifdef QEMU /* delivers some instructions later */
    push %ecx
    mov $100000, %ecx
    loop .
    pop %ecx
#endif
    .endm
    mov $0xff, %al
    out %al, $0x21
    out %al, $0xa1
    movl $0x1ff, APIC+0xf0
    movl $0, APIC+0x80
    movl $0, APIC+0x310
    mov APIC+0x20, %eax
    mov %eax, APIC+0x310
    GATE 1, db
    GATE 2, nmi
    GATE 3, bp
    GATE 0x51, ipi

    /* --- NMI with IF = 0, and one that waits in HLT --- */
    NMI
    nop
    cmpl $1, nmis
    CHECK e, 1
    /* --- a second one during the handler waits for its IRET, a third is lost --- */
    movl $0, nmis
    movl $n2, nmi_hook
    NMI
    nop
    cmpl $2, nmis
    CHECK e, 2
    cmpl $1, depth_max
    CHECK e, 3
    /* --- an IRET inside the handler (of INT3) opens NMI early --- */
    movl $0, nmis
    movl $0, depth_max
    movl $n3, nmi_hook
    NMI
    nop
    cmpl $2, nmis
    CHECK e, 4
    cmpl $2, depth_max
    CHECK e, 5
    /* --- an IRET that faults opens it, too (SDM 3A 6.7.1) --- */
    movl $0, nmis
    movl $0, depth_max
    movl $n4, nmi_hook
    NMI
    nop
    cmpl $2, nmis
    CHECK e, 6
    cmpl $2, depth_max
#ifndef QEMU
    CHECK e, 7
#endif
    /* --- NMI ends HLT with IF = 0 --- */
    movl $0, nmis
    movl $0, nmi_hook
    movl $0x400, APIC+0x350 /* LINT1: NMI, open */
    movl $0x51, APIC+0x320
    movl $0xb, APIC+0x3e0
    NMI /* arrives before HLT: so this HLT needs another event */
    nop
    cmpl $1, nmis
    CHECK e, 8

    /* --- priorities at one boundary: NMI before INTR --- */
    movl $0, order
    movl $order_nmi, nmi_hook
    movl $n9, nmi_resume
    cli
    movl $0x40051, APIC+0x300
    sti
    NMI /* executes in the shadow of STI: both are due behind it */
    nop
    cli
    cmpl $0x0251, order
    CHECK e, 9
n9: movl $0, nmi_hook

    /* --- single step over MOV SS: no trap behind it, the next instruction's trap comes --- */
    movl $0, steps
    movl $SEL_DATA32, %edx
    pushf
    orl $0x100, (%esp)
    popf
    mov %edx, %ss
    nop
t1: pushf
    andl $~0x100, (%esp)
    popf
    cmpl $4, steps /* nop, pushf, and, popf */
    CHECK e, 10
    cmpl $t1, first_step
    CHECK e, 11
    /* --- a code breakpoint behind MOV SS is suppressed (SDM 3B 17.3.1.1), the one behind it not --- */
    movl $0, steps
    mov $t2, %eax
    mov %eax, %dr0
    mov $0x402, %eax
    mov %eax, %dr7
    mov %edx, %ss
t2: nop
    cmpl $0, steps
#ifndef QEMU
    CHECK e, 12
#endif
    mov $t3, %eax
    mov %eax, %dr0
    mov %edx, %ss
    nop
t3: nop
    cmpl $1, steps
#ifndef QEMU
    CHECK e, 13
#endif
    mov $0x400, %eax
    mov %eax, %dr7
    /* --- STI does not hold back a single step --- */
    movl $0, steps
    pushf
    orl $0x100, (%esp)
    popf
    sti
t4: nop
    pushf
    andl $~0x100, (%esp)
    popf
    cli
    cmpl $t4, first_step
#ifndef QEMU
    CHECK e, 14
#endif
    cmpl $5, steps
#ifndef QEMU
    CHECK e, 15
#endif
    /* --- INT n clears TF for the handler, IRET restores it: no trap inside --- */
    movl $0, steps
    pushf
    orl $0x100, (%esp)
    popf
    int3
t5: nop
    pushf
    andl $~0x100, (%esp)
    popf
    cmpl $4, steps /* nop, pushf, and, popf; none for INT3 itself */
    CHECK e, 16
    /* --- STI; HLT and a pending interrupt; back-to-back STI --- */
    movl $0, order
    movl $0x40051, APIC+0x300
    sti
    sti
    nop
    cli
    cmpl $0x51, order
    CHECK e, 17
    movl $0, order
    movl $0x40051, APIC+0x300
    sti
    cli
    sti
    cli
    cmpl $0, order
    CHECK e, 18
    sti
    nop
    cli
    cmpl $0x51, order
    CHECK e, 19

    /* --- NMI through a task gate: IRET of the task opens NMI again --- */
    movl $nmi_task, tss2+0x20
    movl $2, tss2+0x24
    movl $0x1b000, tss2+0x38
    movl $SEL_DATA32, tss2+0x48
    movl $SEL_CODE32, tss2+0x4c
    movl $SEL_DATA32, tss2+0x50
    movl $SEL_DATA32, tss2+0x54
    movw $SEL_TSS2, idt+2*8+2
    movb $0x85, idt+2*8+5
    movl $0, nmis
    mov $0x1234, %ebx
    NMI
    nop
    cmpl $1, nmis
    CHECK e, 20
    cmp $0x1234, %ebx
    CHECK e, 21
    NMI
    nop
    cmpl $2, nmis
    CHECK e, 22
    pushf
    testl $0x4000, (%esp)
    CHECK z, 23
    popf
    PASS

nmi:
    pusha
    incl nmis
    incl depth
    mov depth, %eax
    cmp depth_max, %eax
    jbe 1f
    mov %eax, depth_max
1:  mov nmi_hook, %eax
    movl $0, nmi_hook
    test %eax, %eax
    jz 2f
    call *%eax
2:  decl depth
    popa
    iret
n2: NMI
    NMI
    nop
    ret
n3: NMI
    nop
    cmpl $1, nmis
    CHECK e, 30
    int3 /* its IRET opens NMI: the second is taken right behind */
    nop
    ret
n4: NMI
    nop
    movl $4f, resume
    mov %esp, resume_esp
    pushl $2
    pushl $SEL_DATA32 /* no code segment */
    pushl $0
    iret
4:  cmpl $13, exc_vec
    CHECK e, 31
    ret
order_nmi:
    shll $8, order
    orl $2, order
    ret
ipi:
    shll $8, order
    orl $0x51, order
    movl $0, APIC+0xb0
    iret
bp: iret
db: push %eax
    cmpl $0, steps
    jne 1f
    mov 4(%esp), %eax
    mov %eax, first_step
1:  incl steps
    mov $0xffff0ff0, %eax
    mov %eax, %dr6
    orl $0x10000, 12(%esp)
    pop %eax
    iret
nmi_task:
    incl nmis
    clts
    iret
    jmp nmi_task
    .balign 4
nmis: .long 0
depth: .long 0
depth_max: .long 0
nmi_hook: .long 0
nmi_resume: .long 0
order: .long 0
steps: .long 0
first_step: .long 0

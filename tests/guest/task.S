/* expect: exit 171. Hardware task switches: JMP, CALL and IRET, task gates for an interrupt and for the double fault, busy and NT bits. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    /* a second task for CALL, a third for the double-fault gate */
    movl $task2, tss2+0x20
    movl $2, tss2+0x24
    movl $0x1b000, tss2+0x38
    movl $0x77, tss2+0x28
    movl $SEL_DATA32, tss2+0x48
    movl $SEL_CODE32, tss2+0x4c
    movl $SEL_DATA32, tss2+0x50
    movl $SEL_DATA32, tss2+0x54
    movl $task3, tss3+0x20
    movl $2, tss3+0x24
    movl $0x1a000, tss3+0x38
    movl $SEL_DATA32, tss3+0x48
    movl $SEL_CODE32, tss3+0x4c
    movl $SEL_DATA32, tss3+0x50
    movl $SEL_DATA32, tss3+0x54

    mov $0x1234, %ebx
    lcall $SEL_TSS2, $0
    cmp $0x1234, %ebx
    CHECK e, 1
    cmpl $1, count
    CHECK e, 2
    pushf
    testl $0x4000, (%esp)
    CHECK z, 3
    popf
    testb $2, gdt_tss+5 /* we are busy */
    CHECK nz, 4
    testb $2, gdt_tss2+5 /* IRET made it available */
    CHECK z, 5
    mov %cr0, %eax
    test $8, %eax
    CHECK nz, 6
    clts
    /* again: it continues behind its IRET */
    lcall $SEL_TSS2, $0
    cmpl $3, count
    CHECK e, 7

    /* interrupt through a task gate */
    movw $SEL_TSS2, idt+0x50*8+2
    movb $0x85, idt+0x50*8+5
    int $0x50
    cmpl $5, count
    CHECK e, 8

    /* JMP there and back */
    ljmp $SEL_TSS2, $0
    cmpl $7, count
    CHECK e, 9
    testb $2, gdt_tss2+5
    CHECK z, 10

    /* a busy task cannot be called */
    TRY
    lcall $SEL_TSS, $0
    CAUGHT 13, SEL_TSS, 11

    /* double fault: #GP's gate is unusable, vector 8 is a task gate */
    movw $SEL_TSS3, idt+8*8+2
    movb $0x85, idt+8*8+5
    movw $0x1f8, idt+13*8+2
    mov $0x1f8, %eax
gp: mov %eax, %ds
    EXIT 20

    /* task 2: counts, returns; the second entry continues below */
task2:
    mov %eax, %edx
    cmp $0x77, %edx
    CHECK e, 12
    pushf
    testl $0x4000, (%esp)
    CHECK nz, 13
    popf
    incl count
    iret
    addl $2, count
    iret
    addl $2, count /* interrupt gate entry */
    iret
    addl $2, count /* JMP entry: NT is clear, so go back by JMP */
    pushf
    testl $0x4000, (%esp)
    CHECK z, 14
    popf
    ljmp $SEL_TSS, $0
    EXIT 21

task3:
    popl %eax
    test %eax, %eax
    CHECK e, 15
    cmpl $gp, tss+0x20
    CHECK e, 16
    cmpw $SEL_TSS, tss3
    CHECK e, 17
    PASS
    .balign 4
count: .long 0

/* expect: exit 171. Virtual-8086 mode: entry by IRET, IOPL-sensitive instructions with and without VME, INT redirection, #GP to the
 * monitor with the 8086 frame, ports through the bitmap. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    movw $0x88, tss+0x66 /* I/O map at 88h, redirection map 68h-87h: all zero, every INT to the 8086 */
    movw $0x88+0x40, gdt_tss
    movb $0x89, gdt_tss+5
    mov $SEL_TSS, %eax
    ltr %ax
    movb $1, tss+0x88+0x10
    /* 8086 vector 21h */
    mov $OFS(isr21), %eax
    mov %ax, 0x21*4
    movw $0x2000, 0x21*4+2

    .macro TO_V86 label, flags
    pushl $0x5000
    pushl $0x4000
    pushl $0x3000
    pushl $0x2000
    pushl $0x2000
    pushl $0xd000
    pushl $(0x20002 | \flags)
    pushl $0x2000
    pushl $OFS(\label)
    iret
    .endm

    /* 1: CLI with IOPL 0 and no VME is #GP(0) in the monitor */
    movl $-1, exc_vec
    mov %esp, resume_esp
    movl $m1, resume
    TO_V86 v1, 0
    .code16
v1: mov %ds, %ax
    cmp $0x3000, %ax
    FAIL_IF ne, 1
    mov %gs, %ax
    cmp $0x5000, %ax
    FAIL_IF ne, 2
v1c: cli
    .code32
m1: cmpl $13, exc_vec
    CHECK e, 3
    cmpl $OFS(v1c), exc_eip
    CHECK e, 4
    cmpl $0x2000, exc_cs
    CHECK e, 5
    testl $0x20000, exc_flags
    CHECK nz, 6
    cmpl $0xd000, exc_esp
    CHECK e, 7
    mov %ds, %eax
    mov %fs, %ecx
    test %ecx, %ecx /* FS was cleared by the interrupt */
    CHECK z, 8

    /* 2: INT 21h with IOPL 0 and no VME: #GP(0) */
    movl $m2, resume
    movl $-1, exc_vec
    TO_V86 v2, 0
    .code16
v2: int $0x21
    .code32
m2: cmpl $13, exc_vec
    CHECK e, 9
    cmpl $0, exc_err
    CHECK e, 10

    /* 3: VME: INT goes to the 8086's own handler; CLI and STI act on VIF; PUSHF shows it */
    mov %cr4, %eax
    or $1, %eax
    mov %eax, %cr4
    movl $m3, resume
    movl $-1, exc_vec
    TO_V86 v3, 0x80000 /* VIF */
    .code16
v3: mov $0x2000, %ax
    mov %ax, %ds
    xor %bx, %bx
    int $0x21
    cmp $0x2121, %bx
    CHECK e, 11
    pushf
    pop %ax
    test $0x200, %ax
    CHECK nz, 12
    cli
    pushf
    pop %ax
    test $0x200, %ax
    CHECK z, 13
    push %ax
    or $0x200, %ax
    push %ax
    popf
    pushf
    pop %ax
    test $0x200, %ax
    CHECK nz, 14
    pop %ax
    /* a port that the map denies (bit 0 of byte 10h) */
    in $0x81, %al
v3c: in $0x80, %al
    .code32
m3: cmpl $13, exc_vec
    CHECK e, 15
    cmpl $OFS(v3c), exc_eip
    CHECK e, 16
    testl $0x80000, exc_flags
    CHECK nz, 18

    /* 4: a set bit of the redirection map sends the INT to the monitor, which needs IOPL 3 */
    movb $2, tss+0x68+4
    mov $m4, %eax
    mov %ax, idt+0x21*8
    shr $16, %eax
    mov %ax, idt+0x21*8+6
    movb $0xee, idt+0x21*8+5
    TO_V86 v4, 0x3000
    .code16
v4: int $0x21
    .code32
m4: cmpl $0x2000, 4(%esp)
    CHECK e, 19
    cmpl $OFS(v4)+2, (%esp)
    CHECK e, 20
    PASS

    .code16
isr21:
    mov $0x2121, %bx
    push %ax
    push %bp
    mov %sp, %bp
    mov 8(%bp), %ax /* pushed flags: IF = VIF, IOPL 3 */
    and $0x3200, %ax
    cmp $0x3200, %ax
    CHECK e, 17
    pop %bp
    pop %ax
    iret

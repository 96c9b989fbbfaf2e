/* expect: exit 171. Interrupt and call gates between levels, conforming code, stack switch, privilege checks of user code. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    /* call gate at 60h: level 0 code, two parameters; DPL 3 */
    mov $gate_target, %eax
    mov %ax, gdt_gate
    shr $16, %eax
    mov %ax, gdt_gate+6
    movw $SEL_CODE32, gdt_gate+2
    movb $2, gdt_gate+4
    movb $0xec, gdt_gate+5
    /* INT 40h open to level 3, INT 41h not */
    mov $int40, %eax
    mov %ax, idt+0x40*8
    shr $16, %eax
    mov %ax, idt+0x40*8+6
    movb $0xef, idt+0x40*8+5
    movl $-1, exc_vec
    mov %esp, resume_esp
    movl $back_to_kernel, resume
    TO_USER user
user:
    mov $SEL_UDATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %cs, %eax
    and $3, %eax
    cmp $3, %eax
    CHECK e, 1
    /* trap gate from level 3 */
    mov $0, %ebx
    int $0x40
    cmp $0x4040, %ebx
    CHECK e, 2
    /* call gate with parameters */
    mov %esp, %ebp
    push $0x1111
    push $0x2222
    lcall $SEL_GATE+3, $0
    cmp $0x3333, %eax
    CHECK e, 3
    cmp %esp, %ebp
    CHECK e, 4
    mov %cs, %eax
    cmp $SEL_UCODE32, %ax
    CHECK e, 5
    /* conforming code keeps the level */
    pushl $SEL_UCODE32
    pushl $1f
    ljmp $SEL_CONF, $conf
conf:
    mov %cs, %eax
    cmp $SEL_CONF+3, %ax
    CHECK e, 6
    lret
1:  /* privileged instruction: back in the kernel with #GP(0) */
    cli
back_to_kernel:
    cmpl $13, exc_vec
    CHECK e, 7
    cmpl $0, exc_err
    CHECK e, 8
    cmpl $SEL_UCODE32, exc_cs
    CHECK e, 9
    cmpl $1b, exc_eip
    CHECK e, 10

    /* closed gate from level 3: #GP(41h * 8 + 2) */
    movl $2f, resume
    TO_USER user2
user2:
    int $0x41
2:  cmpl $13, exc_vec
    CHECK e, 11
    cmpl $0x41*8+2, exc_err
    CHECK e, 12

    /* direct jump to level 0 code from level 3 */
    movl $3f, resume
    TO_USER user3
user3:
    ljmp $SEL_CODE32, $user3
3:  cmpl $13, exc_vec
    CHECK e, 13
    cmpl $SEL_CODE32, exc_err
    CHECK e, 14

    /* I/O without permission, then with a bit of the map cleared */
    movl $4f, resume
    TO_USER user4
user4:
    in $0x80, %al
4:  cmpl $13, exc_vec
    CHECK e, 15
    movl $0xffffffff, tss+0x68
    movl $0xffffffff, tss+0x6c
    movl $0xffffffff, tss+0x70
    movl $0xffffffff, tss+0x74
    movb $0xfe, tss+0x68+0x10
    movw $0x67+0x20, gdt_tss
    movb $0x89, gdt_tss+5
    mov $SEL_TSS, %eax
    ltr %ax
    movl $-1, exc_vec
    movl $5f, resume
    TO_USER user5
user5:
    in $0x80, %al
    int $0x41
5:  cmpl $0x41*8+2, exc_err
    CHECK e, 16

    /* wrong operands at level 0 */
    TRY
    mov $SEL_CODE32, %eax
    mov %eax, %ss
    CAUGHT 13, SEL_CODE32, 17
    TRY
    ljmp $SEL_DATA32, $0
    CAUGHT 13, SEL_DATA32, 18
    TRY
    ljmp $0, $0
    CAUGHT 13, 0, 19
    TRY
    lcall $0x1f8, $0
    CAUGHT 13, 0x1f8, 20
    TRY
    mov $SEL_TSS, %eax
    ltr %ax
    CAUGHT 13, SEL_TSS, 21
    TRY
    mov $SEL_DATA32, %eax
    lldt %ax
    CAUGHT 13, SEL_DATA32, 22
    /* questions */
    mov $SEL_UDATA, %eax
    lar %eax, %ebx
    CHECK z, 23
    and $0xf0ff00, %ebx
    cmp $0xc0f300, %ebx
    CHECK e, 24
    lsl %eax, %ebx
    CHECK z, 25
    cmp $-1, %ebx
    CHECK e, 26
    mov $SEL_CODE32, %eax
    verw %ax
    CHECK nz, 27
    verr %ax
    CHECK z, 28
    PASS

    .balign 4
int40:
    mov $0x4040, %ebx
    iret
gate_target:
    mov 8(%esp), %eax
    add 12(%esp), %eax
    mov %cs, %ecx
    test $3, %ecx
    jnz bad
    lret $8
bad:
    EXIT 30

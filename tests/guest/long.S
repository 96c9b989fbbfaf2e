/* expect: exit 171. Long mode system paths: 64-bit gates, IST, SYSCALL and SYSRET to both widths, SYSENTER and SYSEXIT, SWAPGS, FS/GS
 * bases, IRETQ with null SS, canonical checks, 64-bit call gate, CR8, compatibility-mode user code. */
#include "guest.inc"
    .set PML4, 0x40000
    .set IDT64, 0x50000
    .set IST1, 0x5f000
    .code16
main16:
    ENTER32
    movl $PML4 + 0x1007, PML4
    movl $PML4 + 0x2007, PML4 + 0x1000
    movl $0x87, PML4 + 0x2000
    movl $0xfee00000 + 0x87, PML4 + 0x3fb8 /* FEE00000h: entry 1F7h of the fourth directory */
    movl $PML4 + 0x3007, PML4 + 0x1018
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $PML4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x901, %eax /* NXE, LME, SCE */
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax
    mov %eax, %cr0
    ljmp $SEL_CODE64, $start64

    .code64
start64:
    xor %ecx, %ecx
    mov $stubs64, %eax
1:  mov %rcx, %rdx
    shl $4, %rdx
    mov %ax, IDT64(%rdx)
    movw $SEL_CODE64, IDT64+2(%rdx)
    movw $0x8e00, IDT64+4(%rdx)
    mov %eax, %ebx
    shr $16, %ebx
    mov %bx, IDT64+6(%rdx)
    movq $0, IDT64+8(%rdx)
    add $16, %eax
    inc %ecx
    cmp $256, %ecx
    jne 1b
    movb $1, IDT64+6*16+4 /* #UD on IST 1 */
    lidt idt64_ptr
    movq $0x1e000, tss+4
    movq $IST1, tss+0x24
    movb $0x89, gdt_tss+5
    mov $SEL_TSS, %eax
    ltr %ax

    .macro TRY64
    movl $-1, exc_vec
    movl $60f, resume
    mov %rsp, save_rsp
    .endm
    .macro CAUGHT64 vec, err, id
    jmp 61f
60: cmpl $\vec, exc_vec
    jne 61f
    cmpl $\err, exc_err
    je 62f
61: mov $\id, %al
    out %al, $0xf4
    hlt
62:
    .endm

    /* same-level interrupt: stack aligned to 16, SS:RSP in the frame */
    mov $0x1effd, %rsp
    TRY64
    int $0x42
    CAUGHT64 0x42, 0, 1
    cmpq $0x1effd, exc_rsp
    CHECK e, 2
    cmpq $0x1eff0 - 56, exc_frame /* 1EFF0h, five qwords, the stub's two */
    CHECK e, 3
    /* IST */
    mov $0x1f000, %rsp
    TRY64
    ud2
    CAUGHT64 6, 0, 4
    cmpq $IST1 - 56, exc_frame
    CHECK e, 5
    /* canonical checks */
    mov $0x800000000000, %rbx
    TRY64
    mov (%rbx), %al
    CAUGHT64 13, 0, 6
    TRY64
    mov %rbx, %rbp
    mov (%rbp), %al
    CAUGHT64 12, 0, 7
    TRY64
    jmp *%rbx
    CAUGHT64 13, 0, 8
    mov $0xc0000100, %ecx
    mov $0x8000, %edx
    TRY64
    wrmsr
    CAUGHT64 13, 0, 9
    /* IRETQ to the same level with a null SS */
    xor %eax, %eax
    push %rax
    mov %rsp, %rbx
    push %rbx
    pushfq
    push $SEL_CODE64
    push $2f
    iretq
2:  mov %ss, %eax
    test %eax, %eax
    CHECK z, 10
    cmp %rbx, %rsp
    CHECK e, 11
    /* CR8 is the task priority */
    mov $5, %eax
    mov %rax, %cr8
    mov $0xfee00080, %ebx
    mov (%rbx), %eax
    cmp $0x50, %eax
    CHECK e, 12
    xor %eax, %eax
    mov %rax, %cr8
    /* bases and SWAPGS */
    mov $0xc0000101, %ecx
    mov $0x11110000, %eax
    mov $0xffff8000, %edx
    wrmsr
    mov $0xc0000102, %ecx
    mov $vars, %eax
    xor %edx, %edx
    wrmsr
    swapgs
    mov %gs:0, %rax
    cmp vars, %rax
    CHECK e, 13
    mov $0xc0000102, %ecx
    rdmsr
    cmp $0xffff8000, %edx
    CHECK e, 14

    /* SYSCALL and SYSRET */
    mov $0xc0000081, %ecx
    xor %eax, %eax
    mov $0x00230018, %edx
    wrmsr
    mov $0xc0000082, %ecx
    mov $syscall_entry, %eax
    xor %edx, %edx
    wrmsr
    mov $0xc0000084, %ecx
    mov $0x700, %eax
    wrmsr
    mov $user64, %rcx
    mov $0x3002, %r11 /* IOPL 3: failing checks can report */
    sysretq
user64:
    mov %cs, %eax
    cmp $SEL_UCODE64, %eax
    CHECK e, 15
    mov %ss, %eax
    cmp $SEL_UDATA, %eax
    CHECK e, 16
    std
    mov $1, %edi
    syscall
after_syscall:
    cld
    mov %cs, %eax
    cmp $SEL_UCODE64, %eax
    CHECK e, 17
    mov $2, %edi
    syscall
    .code32
user32:
    mov %cs, %eax
    cmp $SEL_UCODE32, %eax
    CHECK e, 18
    mov $-1, %eax
    inc %eax
    CHECK z, 19
    mov $SEL_UDATA, %eax
    mov %eax, %ds
    /* SYSENTER from compatibility mode lands in 64-bit code */
    sysenter
    .code64
syscall_entry:
    pushfq
    pop %rax
    test $0x600, %eax
    CHECK z, 20
    mov %cs, %eax
    cmp $SEL_CODE64, %eax
    CHECK e, 21
    mov %ss, %eax
    cmp $SEL_CODE64 + 8, %eax
    CHECK e, 22
    cmp $1, %edi
    jne 3f
    test $0x400, %r11d /* DF of the caller */
    CHECK nz, 23
    mov $after_syscall, %eax
    cmp %rax, %rcx
    CHECK e, 24
    sysretq
3:  /* second call: prepare SYSENTER, return to compatibility mode */
    mov $0x174, %ecx
    mov $SEL_CODE64, %eax
    xor %edx, %edx
    wrmsr
    inc %ecx
    mov $0x1d800, %eax
    wrmsr
    inc %ecx
    mov $sysenter_entry, %eax
    wrmsr
    mov $user32, %ecx
    mov $0x3002, %r11 /* IOPL 3: failing checks can report */
    sysretl
sysenter_entry:
    cmp $0x1d800, %rsp
    CHECK e, 25
    mov %cs, %eax
    cmp $SEL_CODE64, %eax
    CHECK e, 26
    mov $user_again, %rdx
    mov $0x1c000, %rcx
    rex.w sysexit
user_again:
    mov %cs, %eax
    cmp $SEL_CODE64 + 35, %eax
    CHECK e, 27
    cmp $0x1c000, %rsp
    CHECK e, 28
    /* user mode: an interrupt takes RSP0 and nulls SS */
    movl $-1, exc_vec
    movl $4f, resume
    movq $0x1f000, save_rsp
    hlt
4:  cmpl $13, exc_vec
    CHECK e, 29
    mov %ss, %eax
    test %eax, %eax
    CHECK z, 30
    cmpq $0x1e000 - 56, exc_frame
    CHECK e, 31
    cmpq $0x1c000, exc_rsp
    CHECK e, 32

    /* 64-bit call gate to the same level */
    mov $gate_code, %eax
    mov %ax, gdt_gate
    shr $16, %eax
    mov %ax, gdt_gate+6
    movw $SEL_CODE64, gdt_gate+2
    movb $0, gdt_gate+4
    movb $0x8c, gdt_gate+5
    movq $0, gdt_gate+8
    lcall *gate_ptr
    cmp $0x4242, %eax
    CHECK e, 33
    /* limits do not matter in 64-bit mode, but L and D together do */
    movl $0x0000ffff, gdt_spare
    movl $0x00ef9b00, gdt_spare+4
    TRY64
    push $SEL_SPARE
    push $5f
    lretq
5:  CAUGHT64 13, SEL_SPARE, 34
    /* NX page */
    movl $0x00200087, PML4 + 0x2008
    movl $0x80000000, PML4 + 0x200c
    mov $0x200000, %eax
    TRY64
    jmp *%rax
    CAUGHT64 14, 0x11, 35
    PASS
gate_code:
    mov $0x4242, %eax
    lretq

    .balign 16
stubs64:
    .set v, 0
    .rept 256
    .balign 16
    .if (v == 8) || (v >= 10 && v <= 14) || (v == 17)
    .else
    pushq $0
    .endif
    pushq $v
    jmp common64
    .set v, v + 1
    .endr
common64:
    mov %rsp, exc_frame
    popq exc_vec64
    mov exc_vec64, %eax
    mov %eax, exc_vec
    popq exc_vec64
    mov exc_vec64, %eax
    mov %eax, exc_err
    mov 24(%rsp), %rax
    mov %rax, exc_rsp
    mov save_rsp, %rsp
    mov resume, %eax
    jmp *%rax
    .balign 8
idt64_ptr:
    .word 4095
    .quad IDT64
vars: .quad 0x1122334455667788
exc_vec64: .quad 0
exc_frame: .quad 0
exc_rsp: .quad 0
save_rsp: .quad 0
gate_ptr:
    .long 0
    .word SEL_GATE

/* expect: exit 171. SYSENTER, SYSEXIT, SYSCALL and SYSRET in their corners: EFER.SCE off, a null SYSENTER_CS, wrong levels, what happens to
 * CS, SS, RFLAGS and the flag mask, targets that are not canonical, compatibility mode, virtual-8086 mode as origin. */
#include "guest.inc"
    .set EFER, 0xc0000080
    .set STAR, 0xc0000081
    .macro MSR n, lo, hi=0
    mov $\n, %ecx
    mov $\lo, %eax
    mov $\hi, %edx
    wrmsr
    .endm
    .code16
main16:
    ENTER32
    jmp start
#include "long.inc"
    .code32
start:
    /* --- 32-bit: SYSENTER_CS null --- */
    MSR 0x174, 3
#ifndef QEMU
    TRY
    sysenter
    CAUGHT 13, 0, 1
#endif
#ifndef QEMU
    TRY
    sysexit
    CAUGHT 13, 0, 2
#endif
    MSR 0x174, SEL_CODE32
    MSR 0x175, 0x1d800
    MSR 0x176, entered1
    /* --- from level 0: flags IF, VM, RF fall, the others stay; CS and SS from the MSR --- */
    pushl $0x00240ad7
    popf
    sysenter
    EXIT 3
entered1:
    pushf
    pop %eax
    cmp $0x002408d7, %eax
    CHECK e, 4
    cmp $0x1d800-0, %esp
    CHECK e, 5
    mov %cs, %eax
    cmp $SEL_CODE32, %eax
    CHECK e, 6
    mov %ss, %eax
    cmp $SEL_DATA32, %eax
    CHECK e, 7
    pushl $2
    popf
    /* --- SYSEXIT: CS + 16 and + 24 with RPL 3; our GDT has 64-bit code and user code there --- */
    mov $out1, %edx
    mov $0x1d000, %ecx
    mov $0x1f000, %esp
    mov %esp, resume_esp
    movl $1f, resume
    sysexit
out1:
    mov %cs, %eax
    cmp $(SEL_CODE32 + 16) | 3, %eax
    CHECK e, 8
    mov %ss, %eax
    cmp $(SEL_CODE32 + 24) | 3, %eax
    CHECK e, 9
    cmp $0x1d000, %esp
    CHECK e, 10
    sysexit /* not at level 3 */
1:  cmpl $13, exc_vec
    CHECK e, 11
    cmpl $0, exc_err
    CHECK e, 12
    testl $3, exc_cs
    CHECK nz, 13

    /* --- from virtual-8086 mode: VM falls --- */
    MSR 0x176, from_v86
    pushl $0
    pushl $0
    pushl $0
    pushl $0
    pushl $0x2000
    pushl $0xd000
    pushl $0x23002
    pushl $0x2000
    pushl $OFS(v86)
    iret
    .code16
v86: sysenter
    .code32
from_v86:
    pushf
    pop %eax
    test $0x20200, %eax
    CHECK z, 14
    mov %cs, %eax
    cmp $SEL_CODE32, %eax
    CHECK e, 15
    mov $SEL_DATA32, %eax
    mov %eax, %ds
    mov %eax, %es
    pushl $2
    popf

    /* --- SYSCALL does not exist outside 64-bit mode for Intel; nowhere without EFER.SCE --- */
    TRY
    syscall
    CAUGHT 6, 0, 16
    MSR STAR, 0, 0x00230018
    movb $0x89, gdt_tss+5
    ENTER64
    TRY64
    syscall
    CAUGHT64 6, 0, 17
    TRY64
    sysretq
    CAUGHT64 6, 0, 18
    mov $EFER, %ecx
    rdmsr
    or $1, %eax
    wrmsr
    /* --- SYSCALL at level 0: RCX, R11, RFLAGS & ~FMASK, SS = CS + 8 --- */
    MSR 0xc0000082, called1
    MSR 0xc0000084, 0x47700
    pushq $0x00244ed7
    popfq
    syscall
call1:
    EXIT 19
called1:
    pushfq
    pop %rax
    cld
    cmp $0x002008d7, %eax
#ifndef QEMU
    CHECK e, 20
#endif
    cmp $0x00244ed7, %r11
    CHECK e, 21
    cmp $call1, %rcx
    CHECK e, 22
    mov %ss, %eax
    cmp $SEL_CODE64 + 8, %eax
    CHECK e, 23
    pushq $2
    popfq
    /* --- RPL bits of STAR do not reach CS --- */
    MSR STAR, 0, 0x0023001b
    MSR 0xc0000082, called2
    syscall
called2:
    mov %cs, %eax
    cmp $SEL_CODE64, %eax
    CHECK e, 24
    MSR STAR, 0, 0x00230018
    /* --- SYSRET to an address that is not canonical: #GP at level 0 --- */
    mov $0x800000000000, %rcx
    mov $2, %r11
    TRY64
    sysretq
    CAUGHT64 13, 0, 25
    mov %cs, %eax
    cmp $SEL_CODE64, %eax
    CHECK e, 26
    testl $3, exc_cs
#ifndef QEMU
    CHECK z, 27
#endif
    /* --- SYSRET: RF and VM are never loaded, reserved flags neither --- */
    mov $user1, %ecx
    mov $0xffffffffffe7ffff, %r11 /* not VIP and VIF, all else */
    btr $8, %r11
    btr $9, %r11
    sysretq
user1:
    pushfq
    pop %rax
    cmp $0x00247cd7, %eax /* RF is gone, VM too */
    CHECK e, 28
    mov %cs, %eax
    cmp $SEL_UCODE64, %eax
    CHECK e, 29
    /* --- level 3: SYSRET and SYSEXIT are #GP --- */
    movl $1f, resume
    movq $0x1f000, save_rsp
    sysretq
1:  cmpl $13, exc_vec
    CHECK e, 30
    testl $3, exc_cs
    CHECK nz, 31
    mov $user2, %ecx
    mov $0x3002, %r11
    movl $1f, resume
    sysretq
user2:
    rex.w sysexit
1:  cmpl $13, exc_vec
    CHECK e, 32
    /* --- SYSEXIT to addresses that are not canonical --- */
    MSR 0x174, SEL_CODE64
    mov $0x800000000000, %rdx
    mov $0x1c000, %ecx
    TRY64
    rex.w sysexit
    CAUGHT64 13, 0, 33
    mov $user3, %edx
    mov $0x800000000000, %rcx
    TRY64
    rex.w sysexit
    CAUGHT64 13, 0, 34
user3:
    MSR 0x174, 0
    TRY64
    sysenter
    CAUGHT64 13, 0, 35
    /* --- the same from compatibility mode at level 3: SYSCALL is #UD on Intel --- */
    mov $user32, %ecx
    mov $0x3002, %r11
    movl $1f, resume
    sysretl
    .code32
user32:
    mov %cs, %eax
    cmp $SEL_UCODE32, %eax
    CHECK e, 36
    mov %ss, %eax
    cmp $SEL_UDATA, %eax
    CHECK e, 37
    syscall
    .code64
1:  cmpl $6, exc_vec
    CHECK e, 38
    cmpl $SEL_UCODE32, exc_cs
#ifndef QEMU
    CHECK e, 39
#endif
    /* --- single step over SYSCALL with TF in the mask: no trap in the kernel --- */
    MSR 0xc0000082, called3
    movl $1f, resume
    movl $-1, exc_vec
    pushq $0x3102
    popfq
    syscall
call3: EXIT 40
1:  EXIT 41
called3:
    pushfq
    pop %rax
    test $0x100, %eax
    CHECK z, 42
    test $0x100, %r11d
    CHECK nz, 43
    PASS

/* expect: exit 171. Rules of CR0, CR3, CR4, EFER and CR8: what is settable, reserved, ignored or #GP, and what entering and leaving
 * long mode demands (SDM 3A 2.5, SDM 2 MOV CR, 3A 10.8.5). */
#include "guest.inc"
    .code16
main16:
    ENTER32
    jmp start
#include "long.inc"
    .code32
start:
    /* --- CR0: illegal combinations --- */
    mov %cr0, %ebx
#ifndef QEMU
    TRY
    mov %ebx, %eax
    and $0xfffffffe, %eax
    or $0x80000000, %eax /* PG without PE */
    mov %eax, %cr0
    CAUGHT 13, 0, 1
#endif
#ifndef QEMU
    TRY
    mov %ebx, %eax
    and $0x9fffffff, %eax
    or $0x20000000, %eax /* NW without CD */
    mov %eax, %cr0
    CAUGHT 13, 0, 2
#endif
    mov %cr0, %eax
    cmp %eax, %ebx
    CHECK e, 3
    /* reserved bits are dropped, ET reads as 1 whatever is written */
#ifndef QEMU
    mov %ebx, %eax
    or $0x1ff8ffc0, %eax
    and $~0x50010, %eax
    mov %eax, %cr0
    mov %cr0, %eax
    and $0x1ffaffd0, %eax
    cmp $0x10, %eax
    CHECK e, 4
#endif
    mov %ebx, %cr0

    /* --- LMSW sets PE, MP, EM, TS and clears all but PE; SMSW shows them --- */
    mov $0x000f, %ax
    lmsw %ax
    smsw %eax
    and $0x0f, %eax
    cmp $0x0f, %eax
    CHECK e, 5
    xor %ax, %ax
    lmsw %ax
    mov %cr0, %eax
    and $0x0f, %eax
    cmp $1, %eax
    CHECK e, 6
    mov $8, %ax
    lmsw %ax
    clts
    smsw %ax
    test $8, %ax
    CHECK z, 7
    mov %ebx, %cr0

    /* --- registers that do not exist --- */
    TRY
    .byte 0x0f, 0x22, 0xc8 /* mov %eax, %cr1 */
    CAUGHT 6, 0, 8
    TRY
    .byte 0x0f, 0x20, 0xe8 /* mov %cr5, %eax */
    CAUGHT 6, 0, 9
    TRY
    .byte 0x0f, 0x20, 0xf8 /* mov %cr7, %eax */
    CAUGHT 6, 0, 10
    /* the mod field is ignored: always a register */
    .byte 0x0f, 0x20, 0x01 /* mov %cr0, (%ecx)? no: %ecx */
    cmp %ecx, %ebx
    CHECK e, 11

    /* --- CR4: every bit is settable exactly when CPUID announces what it controls --- */
#ifdef QEMU
    jmp efer_rules
#endif
    xor %esi, %esi
cr4_bit:
    mov cr4_rows(,%esi,8), %edi    /* leaf << 16 | register << 8 | bit; 0: always, -1: never */
    call announced
    mov %cr4, %ebp
    mov %ebp, %ecx
    bts %esi, %ecx
    movl $-1, exc_vec
    movl $1f, resume
    mov %esp, resume_esp
    mov %ecx, %cr4
    mov %cr4, %edx
    cmp %ecx, %edx
    CHECK e, 12
    mov %ebp, %cr4
1:  mov %cr4, %edx
    cmp %edx, %ebp
    CHECK e, 13
    mov exc_vec, %edx
    test %eax, %eax
    jz 2f
    cmp $-1, %edx
    jmp 3f
2:
    cmp $13, %edx
3:  je 4f
    lea 0x40(%esi), %eax /* report the bit */
    out %al, $0xf4
4:  inc %esi
    cmp $23, %esi
    jne cr4_bit
    jmp efer_rules
    /* one row a bit of CR4, 0 to 22 */
#define ROW(leaf, reg, bit) .long (leaf) << 16 | (reg) << 8 | (bit), 0
    .balign 8
cr4_rows:
    ROW(1, 3, 1)
    ROW(1, 3, 1)
    ROW(1, 3, 4)
    ROW(1, 3, 2)
    ROW(1, 3, 3)
    ROW(1, 3, 6)
    ROW(1, 3, 7)
    ROW(1, 3, 13)
    .long 0, 0           /* PCE: every P6 and later */
    ROW(1, 3, 24)
    ROW(1, 3, 25)
    ROW(7, 2, 2)
    ROW(7, 2, 16)
    ROW(1, 2, 5)
    ROW(1, 2, 6)
    .long -1, 0
    ROW(7, 1, 0)
    .long -2, 0          /* PCIDE: only in long mode */
    ROW(1, 2, 26)
    .long -1, 0
    ROW(7, 1, 7)
    ROW(7, 1, 20)
    ROW(7, 2, 3)
    /* EDI: row; EAX = announced. EBX, ECX, EDX are saved but for EAX. */
announced:
    push %ebx
    push %ecx
    push %edx
    mov $1, %eax
    test %edi, %edi
    jz 9f
    xor %eax, %eax
    js 9f
    /* leaf 7 must exist */
    cpuid
    mov %eax, %ecx
    mov %edi, %eax
    shr $16, %eax
    cmp %ecx, %eax
    mov $0, %ecx
    ja 8f
    cpuid
    mov %edi, %eax
    shr $8, %eax
    and $3, %eax
    cmp $1, %eax
    jb 5f
    je 6f
    cmp $2, %eax
    je 7f
    mov %edx, %ecx
    jmp 5f
6:  mov %ebx, %ecx
7:
5:  mov %edi, %edx
    and $31, %edx
    xor %eax, %eax
    bt %edx, %ecx
    adc $0, %eax
    jmp 9f
8:  xor %eax, %eax
9:  pop %edx
    pop %ecx
    pop %ebx
    ret

efer_rules:
    mov $0xc0000080, %ecx
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
#ifndef QEMU
    TRY
    mov $2, %eax /* reserved */
    wrmsr
    CAUGHT 13, 0, 14
    TRY
    xor %eax, %eax
    mov $1, %edx
    wrmsr
    CAUGHT 13, 0, 15
#endif
    xor %edx, %edx
    mov $0x400, %eax /* LMA is a status bit: the write is dropped */
    wrmsr
    rdmsr
    cmp $0, %eax
    CHECK e, 16
    /* PE=1, PG=1, LME=1 without PAE */
    mov $0x100, %eax
    wrmsr
    call tables
    mov %cr4, %eax
    and $~0x20, %eax
    mov %eax, %cr4
#ifndef QEMU
    TRY
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    CAUGHT 13, 0, 17
#endif
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    /* with a 16-bit TSS in TR */
    mov $tss2, %eax
    mov %ax, gdt_tss2+2
    shr $16, %eax
    mov %al, gdt_tss2+4
    movb $0x81, gdt_tss2+5
    mov $SEL_TSS2, %eax
    ltr %ax
#ifndef QEMU
#ifndef QEMU
    TRY
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    CAUGHT 13, 0, 18
#endif
    movb $0x89, gdt_tss+5
    mov $SEL_TSS, %eax
    ltr %ax
    /* with CS.L set: L means nothing yet, D says 32 bits */
    movl $0x0000ffff, gdt_spare
    movl $0x00ef9b00, gdt_spare+4
    ljmp $SEL_SPARE, $1f
1:  TRY
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    CAUGHT 13, 0, 19
#endif
    ljmp $SEL_CODE32, $1f
1:
    /* LMA appears with PG */
    movb $0x89, gdt_tss+5
    ENTER64
    mov $0xc0000080, %ecx
    rdmsr
    and $0xd00, %eax
    cmp $0xd00, %eax
    CHECK e, 20
    /* LME cannot change under paging */
#ifndef QEMU
    TRY64
    mov $0x800, %eax
    xor %edx, %edx
    wrmsr
    CAUGHT64 13, 0, 21
#endif
    /* LMA written as 0 is dropped, too */
    mov $0x900, %eax
    xor %edx, %edx
    wrmsr
    rdmsr
    test $0x400, %eax
    CHECK nz, 22
    /* PAE cannot be cleared, upper halves are reserved */
#ifndef QEMU
    TRY64
    mov %cr4, %rax
    and $~0x20, %rax
    mov %rax, %cr4
    CAUGHT64 13, 0, 23
#endif
#ifndef QEMU
    TRY64
    mov %cr4, %rax
    bts $32, %rax
    mov %rax, %cr4
    CAUGHT64 13, 0, 24
#endif
#ifndef QEMU
    TRY64
    mov %cr0, %rax
    bts $32, %rax
    mov %rax, %cr0
    CAUGHT64 13, 0, 25
#endif
    /* paging cannot be turned off in 64-bit code */
#ifndef QEMU
    TRY64
    mov %cr0, %rax
    btr $31, %rax
    mov %rax, %cr0
    CAUGHT64 13, 0, 26
#endif
    /* CR3: bits above the physical width */
    mov $0x80000008, %eax
    cpuid
    movzx %al, %ecx
    mov %cr3, %rax
    bts %rcx, %rax
    TRY64
    mov %rax, %cr3
    CAUGHT64 13, 0, 27
    TRY64
    mov %cr3, %rax
    bts $62, %rax
    mov %rax, %cr3
    CAUGHT64 13, 0, 28
    mov %cr3, %rax
    mov %rax, %cr3
    /* CR8: four bits */
    mov $15, %eax
    mov %rax, %cr8
    mov %cr8, %rcx
    cmp $15, %ecx
    CHECK e, 29
    TRY64
    mov $16, %eax
    mov %rax, %cr8
    CAUGHT64 13, 0, 30
    mov %cr8, %rcx
    cmp $15, %ecx
    CHECK e, 31
    xor %eax, %eax
    mov %rax, %cr8
    /* DR6 and DR7 have no upper half, DR0-3 take any address */
    TRY64
    mov $0x100000400, %rax
    mov %rax, %dr7
    CAUGHT64 13, 0, 32
    TRY64
    mov $0x1ffff0ff0, %rax
    mov %rax, %dr6
    CAUGHT64 13, 0, 33
    mov $0x800000000000, %rax
    mov %rax, %dr0
    mov %dr0, %rcx
    cmp %rax, %rcx
    CHECK e, 34
    xor %eax, %eax
    mov %rax, %dr0
    TRY64
    .byte 0x44, 0x0f, 0x23, 0xc0 /* mov %rax, %dr8 */
    CAUGHT64 6, 0, 35
    TRY64
    .byte 0x44, 0x0f, 0x22, 0xc8 /* mov %rax, %cr9 */
    CAUGHT64 6, 0, 36

    /* compatibility mode may turn paging off; LMA falls, LME stays */
    pushq $SEL_CODE32
    pushq $1f
    lretq
    .code32
1:  mov $SEL_DATA32, %eax
    mov %eax, %ss
    mov $0x1f000, %esp
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    mov $0xc0000080, %ecx
    rdmsr
    and $0x500, %eax
    cmp $0x100, %eax
    CHECK e, 37
    PASS
    /* page tables as ENTER64 makes them, for the attempts that must fail before */
tables:
    mov $PML4, %eax
    mov %eax, %cr3
    movl $PML4 + 0x1007, PML4
    movl $PML4 + 0x2007, PML4 + 0x1000
    movl $0x87, PML4 + 0x2000
    ret

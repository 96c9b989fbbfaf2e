/* expect: exit 171. System management mode through the PIIX4's port B2h: what the handler finds, what RSM brings back from 32-bit code,
 * level 3 and 64-bit code, the save area, relocation, a second SMI and NMI meanwhile, I/O restart, A20, SMRAM at A0000h, shutdown. */
#include "guest.inc"
    .set APIC, 0xfee00000
    .set HOST, 0x80000000
    .set PM, 0x80000b00
    /* byte `val` into configuration register `reg` of function `fn` */
    .macro PCI8 fn, reg, val
    mov $(\fn + (\reg & 0xfc)), %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $(0xcfc + (\reg & 3)), %dx
    mov $\val, %al
    out %al, %dx
    .endm
    .macro SMI
    out %al, $0xb2
#ifdef QEMU /* takes it some instructions later */
    push %ecx
    mov $1000, %ecx
    loop .
    pop %ecx
#endif
    .endm
    .code16
main16:
    xor %ax, %ax
    mov %ax, %es
    cmpl $0x736d6d21, %es:0x500
    jne first
    movl $0, %es:0x500
    PASS /* the shutdown at the end reset the machine */
first:
    ENTER32
    jmp start
#include "long.inc"
    .code32
start:
    PCI8 PM, 0x40, 0x01
    PCI8 PM, 0x41, 0x06
    PCI8 PM, 0x80, 0x01
    mov $0x628, %dx
    mov $1, %eax
    out %eax, %dx /* GLBCTL.SMI_EN */
    /* the stub at SMBASE + 8000h: MOV AX, CS and JMP FAR 2000h:smi_body */
    mov $0x38000, %edi
    call put_stub
    /* --- without APMC_EN nothing happens --- */
    out %al, $0xb2
    nop
    cmpl $0, count
    CHECK e, 1
    PCI8 PM, 0x5b, 0x02

    /* --- in and out of 32-bit code: all registers --- */
    mov $0x402, %eax
    mov %eax, %dr7
    mov %cr4, %eax
    or $0x8, %eax
    mov %eax, %cr4
    mov $SEL_UDATA, %eax
    mov %eax, %gs
    mov %esp, %eax
    mov %eax, saved_esp
    pushl $0x00240ed7 /* ID, AC, OF, DF and the arithmetic flags; IF is taken out again */
    andl $~0x200, (%esp)
    popf
    mov $0x11111111, %eax
    mov $0x22222222, %ebx
    mov $0x33333333, %ecx
    mov $0x44444444, %edx
    mov $0x55555555, %esi
    mov $0x66666666, %edi
    mov $0x77777777, %ebp
s1: SMI
s2: pushf
    cmp $0x11111111, %eax
    CHECK e, 2
    cmp $0x22222222, %ebx
    CHECK e, 3
    cmp $0x33333333, %ecx
    CHECK e, 4
    cmp $0x44444444, %edx
    CHECK e, 5
    cmp $0x55555555, %esi
    CHECK e, 6
    cmp $0x66666666, %edi
    CHECK e, 7
    cmp $0x77777777, %ebp
    CHECK e, 8
    pop %eax
    cld
    cmp $0x00240cd7, %eax
    CHECK e, 9
    pushl $2
    popf
    cmp saved_esp, %esp
    CHECK e, 10
    mov %gs, %eax
    cmp $SEL_UDATA, %eax
    CHECK e, 11
    mov %dr7, %eax
    cmp $0x402, %eax
    CHECK e, 12
    mov $0x400, %eax
    mov %eax, %dr7
    mov %cr4, %eax
    test $8, %eax
    CHECK nz, 13
    cmpl $1, count
    CHECK e, 14
    /* what the handler found */
    mov in_cr0, %eax
    and $0x8000000d, %eax
    CHECK z, 15
    cmpl $0, in_cr4
    CHECK e, 16
    cmpl $0x400, in_dr7
    CHECK e, 17
    cmpw $0x3000, in_cs
    CHECK e, 18
    cmpl $2, in_flags
    CHECK e, 19
    cmpl $0, in_ds
    CHECK e, 20
    mov in_rev, %eax
    and $0x20000, %eax /* SMBASE can be moved */
    CHECK nz, 21
#ifndef QEMU
    cmpl $s2, in_rip
    CHECK e, 22
#endif
    cmpl $0x11111111, in_rax
    CHECK e, 23
    cmpl $0x30000, in_smbase
    CHECK e, 24

    /* --- a change of the save area reaches the registers; SMBASE moves --- */
    movl $0x50000, new_smbase
    movl $0xabcd1234, new_rax
    mov $0x58000, %edi
    call put_stub
    SMI
    cmp $0xabcd1234, %eax
    CHECK e, 25
    movl $0, new_rax
    SMI
    cmpw $0x5000, in_cs
    CHECK e, 26
    cmpl $3, count
    CHECK e, 27

    /* --- RSM outside --- */
    TRY
    rsm
    CAUGHT 6, 0, 28

    /* --- an SMI inside waits for RSM, a second one is the same --- */
    movl $0, count
    movl $OFS(again), hook
    SMI
    nop
    cmpl $2, count
    CHECK e, 29
    cmpl $1, count_at_hook
    CHECK e, 30

    /* --- NMI waits for RSM; IRET inside opens it --- */
    mov $nmi, %eax
    mov %ax, idt+16
    shr $16, %eax
    mov %ax, idt+22
    movl $0x1ff, APIC+0xf0
    mov APIC+0x20, %eax
    mov %eax, APIC+0x310
    movl $OFS(nmi_inside), hook
    SMI
    nop
    cmpl $0, nmis_at_hook
    CHECK e, 31
    cmpl $1, nmis
    CHECK e, 32
    movl $0, nmis
    movl $OFS(nmi_iret), hook
    SMI
    nop
    cmpl $1, real_nmis
    CHECK e, 33
    cmpl $0, nmis
    CHECK e, 34

    /* --- the instruction that caused it is executed again --- */
    movl $0, count
    movl $OFS(restart_io), hook
    mov in_rev, %eax
    test $0x10000, %eax
    jz 1f
    SMI
    nop
    cmpl $2, count
    CHECK e, 35
1:
    /* --- A20 does not mask in SMM, and is as before behind it --- */
    movl $0, hook
    movl $0x600d, 0x100700
    movl $0xbad, 0x700
    in $0x92, %al
    and $0xfc, %al
    out %al, $0x92
    movl $OFS(look_a20), hook
    SMI
    nop
    cmpl $0xbad, 0x100700
    CHECK e, 36
    in $0x92, %al
    or $2, %al
    out %al, $0x92
    cmpl $0x600d, seen
    CHECK e, 37
    cmpl $0x600d, 0x100700
    CHECK e, 38

    /* --- level 3 --- */
    movl $0, count
    movl $1f, resume
    mov %esp, resume_esp
    pushl $SEL_UDATA
    pushl $0x1d000
    pushl $0x3002
    pushl $SEL_UCODE32
    pushl $user
    iret
user:
    SMI
    mov %cs, %eax
    cmp $SEL_UCODE32, %eax
    CHECK e, 39
    mov %ss, %eax
    cmp $SEL_UDATA, %eax
    CHECK e, 40
    int $0x41
1:  cmpl $0x41*8+2, exc_err /* we were at level 3: the gate is closed */
    CHECK e, 41
    cmpl $1, count
    CHECK e, 42

    /* --- SMRAM at A0000h --- */
    PCI8 HOST, 0x72, 0x4a /* open */
    mov $0xa8000, %edi
    call put_stub
    movl $0x5a5a1234, 0xa0010
    movl $0x77, 0xb0010
    cmpl $0x5a5a1234, 0xa0010
    CHECK e, 43
    PCI8 HOST, 0x72, 0x0a /* for SMM only */
    cmpl $0x5a5a1234, 0xa0010
    CHECK ne, 44
    movl $0xa0000, new_smbase
    SMI
    movl $0, new_smbase
    movl $0, count
    movl $OFS(look_smram), hook
    SMI
    nop
    cmpl $1, count
    CHECK e, 45
    cmpl $0x5a5a1234, seen
    CHECK e, 46
    cmpl $0x5a5a1234, 0xa0010
    CHECK ne, 47
    PCI8 HOST, 0x72, 0x1a /* locked */
    PCI8 HOST, 0x72, 0x4a
#ifndef QEMU
    cmpl $0x5a5a1234, 0xa0010
    CHECK ne, 48
#endif
    SMI
    nop
    cmpl $2, count
    CHECK e, 49

    /* --- 64-bit code --- */
    movl $0, hook
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc last
    movb $0x89, gdt_tss+5
    ENTER64
    mov $0x8888888811111111, %r8
    mov $0x9999999922222222, %r9
    mov $0xffff800012345678, %r10
    mov $0x1515151515151515, %r15
    mov $0x123456789abcdef0, %rbx
    mov $0xc0000102, %ecx
    mov $0x1000, %eax
    xor %edx, %edx
    wrmsr
    mov $0xc0000101, %ecx
    mov $0xffff8000, %edx
    wrmsr
    movl $0, count
    out %al, $0xb2
#ifdef QEMU
    push %rcx
    mov $1000, %ecx
    loop .
    pop %rcx
#endif
    nop
    cmpl $1, count
    CHECK e, 50
    mov $0x8888888811111111, %rax
    cmp %rax, %r8
    CHECK e, 51
    mov $0x9999999922222222, %rax
    cmp %rax, %r9
    CHECK e, 52
    mov $0xffff800012345678, %rax
    cmp %rax, %r10
    CHECK e, 53
    mov $0x1515151515151515, %rax
    cmp %rax, %r15
    CHECK e, 54
    mov $0x123456789abcdef0, %rax
    cmp %rax, %rbx
    CHECK e, 55
    rdmsr
    cmp $0xffff8000, %edx
    CHECK e, 56
    mov $0xc0000080, %ecx
    rdmsr
    and $0xd00, %eax
    cmp $0xd00, %eax
    CHECK e, 57
    mov %cr3, %rax
    cmp $PML4, %rax
    CHECK e, 58
    TRY64
    ud2
    CAUGHT64 6, 0, 59
    pushq $SEL_CODE32
    pushq $last
    lretq
    .code32
last:
#ifdef QEMU
    PASS
#endif
    /* --- RSM of CR0 with PG and without PE is a shutdown: the machine resets --- */
    movl $0x736d6d21, 0x500
    movl $OFS(break_cr0), hook
    out %al, $0xb2
    nop
    EXIT 60

put_stub:
    movw $0xc88c, (%edi) /* mov %cs, %ax */
    movb $0xea, 2(%edi)
    movw $OFS(smi_body), 3(%edi)
    movw $0x2000, 5(%edi)
    ret
nmi:
    incl nmis
    iret

    .code16
    /* In SMM: CS base 20000h, data segments flat. EDI = SMBASE. */
smi_body:
    addr32 mov %eax, in_cs
    mov %esp, %eax
    addr32 mov %eax, in_esp
    pushfl
    pop %eax
    addr32 mov %eax, in_flags
    mov $0x1b000, %esp
    mov %ds, %ax
    addr32 mov %ax, in_ds
    addr32 incl count
    mov %cr0, %eax
    addr32 mov %eax, in_cr0
    mov %cr4, %eax
    addr32 mov %eax, in_cr4
    mov %dr7, %eax
    addr32 mov %eax, in_dr7
    addr32 mov smbase, %edi
    mov 0xfefc(%edi), %eax
    addr32 mov %eax, in_rev
    cmp $0x64, %al
    je 1f
    lea 0xfef8(%edi), %ebx /* P6 map */
    lea 0xfff0(%edi), %ecx
    lea 0xffd0(%edi), %edx
    lea 0xff00(%edi), %esi
    lea 0xfffc(%edi), %ebp
    jmp 2f
1:  lea 0xff00(%edi), %ebx /* AMD64 map: SMBASE, RIP, RAX, I/O restart, CR0 */
    lea 0xff78(%edi), %ecx
    lea 0xfff8(%edi), %edx
    lea 0xfec8(%edi), %esi
    lea 0xff58(%edi), %ebp
2:  mov (%ebx), %eax
    addr32 mov %eax, in_smbase
    mov (%ecx), %eax
    addr32 mov %eax, in_rip
    mov (%edx), %eax
    addr32 mov %eax, in_rax
    addr32 mov new_smbase, %eax
    test %eax, %eax
    jz 3f
    mov %eax, (%ebx)
    addr32 mov %eax, smbase
3:  addr32 mov new_rax, %eax
    test %eax, %eax
    jz 4f
    mov %eax, (%edx)
4:  addr32 mov hook, %eax
    addr32 movl $0, hook
    test %ax, %ax
    jz 5f
    call *%ax
5:  rsm
again:
    addr32 mov count, %eax
    addr32 mov %eax, count_at_hook
    out %al, $0xb2
    nop
    out %al, $0xb2
    nop
    ret
    .macro NMI16
    mov $(APIC + 0x300), %eax
    movl $0x400, (%eax)
#ifdef QEMU
    push %ecx
    mov $100000, %ecx
    addr32 loop .
    pop %ecx
#endif
    nop
    .endm
nmi_inside:
    NMI16
    addr32 mov nmis, %eax
    addr32 mov %eax, nmis_at_hook
    ret
nmi_iret:
    addr32 lidtl idt_real
    addr32 movl $(0x20000000 + OFS(real_nmi)), 8
    NMI16
    pushf
    push %cs
    push $OFS(1f)
    iret
1:  nop
    ret
real_nmi:
    addr32 incl %ds:real_nmis
    iret
restart_io:
    movb $0xff, (%esi)
    ret
look_a20:
    addr32 mov 0x100700, %eax
    addr32 mov %eax, seen
    ret
look_smram:
    addr32 mov 0xa0010, %eax
    addr32 mov %eax, seen
    ret
break_cr0:
    mov (%ebp), %eax
    or $0x80000000, %eax
    and $~1, %eax
    mov %eax, (%ebp)
    ret
    .balign 4
smbase: .long 0x30000
count: .long 0
count_at_hook: .long 0
hook: .long 0
new_smbase: .long 0
new_rax: .long 0
nmis: .long 0
nmis_at_hook: .long 0
real_nmis: .long 0
seen: .long 0
saved_esp: .long 0
in_esp: .long 0
in_flags: .long 0
in_ds: .long 0
in_cr0: .long 0
in_cr4: .long 0
in_dr7: .long 0
in_cs: .long 0
in_rev: .long 0
in_smbase: .long 0
in_rip: .long 0
in_rax: .long 0

/* expect: exit 171. Virtual interrupt flag: CLI, STI, PUSHF, POPF, IRET and INT of a virtual-8086 program at IOPL 0 and 3 under CR4.VME, with
 * VIP pending, and CLI and STI of a level 3 program under CR4.PVI (SDM 3B 20.3, 20.4). Every case ends in a #GP(0) whose place and flags
 * are compared. */
#include "guest.inc"
    .set VIF, 0x80000
    .set VIP, 0x100000
    .set IOPL3, 0x3000
    .code16
main16:
    ENTER32
    mov $1, %eax
    cpuid
    test $2, %dl
    jnz 1f
    PASS /* neither exists */
1:  movw $0x88, tss+0x66
    movw $0x88+0x40, gdt_tss
    movb $0x89, gdt_tss+5
    mov $SEL_TSS, %eax
    ltr %ax
    mov %cr4, %eax
    or $3, %eax
    mov %eax, %cr4
    mov $rows, %esi
next:
    cmpl $0, (%esi)
    je done
    movl $-1, exc_vec
    movl $back, resume
    mov %esp, resume_esp
    mov 4(%esi), %eax
    test $0x20000, %eax
    jz level3
    pushl $0x2000 /* GS, FS, DS, ES */
    pushl $0x2000
    pushl $0x2000
    pushl $0x2000
    pushl $0x2000
    pushl $0xd000
    push %eax
    pushl $0x2000
    mov (%esi), %ecx
    sub $BASE, %ecx
    push %ecx
    iret
level3:
    pushl $SEL_UDATA
    pushl $0x1d000
    push %eax
    pushl $SEL_UCODE32
    pushl (%esi)
    iret
back:
    cmpl $13, exc_vec
    jne bad
    cmpl $0, exc_err
    jne bad
    mov 8(%esi), %eax
    testl $0x20000, 4(%esi)
    jz 1f
    sub $BASE, %eax
1:  cmp %eax, exc_eip
    jne bad
    mov exc_flags, %eax
    and $(VIF | VIP | 0x3200), %eax
    cmp 12(%esi), %eax
    jne bad
    add $16, %esi
    jmp next
bad:
    mov %esi, %eax
    sub $rows, %eax
    shr $4, %eax
    inc %eax
    out %al, $0xf4
done:
    /* what PUSHF showed */
    cmpw $0x3202, seen1
    CHECK e, 60
    cmpw $0x3002, seen2
    CHECK e, 61
    PASS

    .balign 4
    /* code, flags at entry, place of the #GP, flags then (VIF, VIP, IOPL, IF) */
rows:
    .long c_cli, 0x20002 | VIF, c_cli_end, 0
    .long c_sti, 0x20002, c_sti_end, VIF
    .long c_sti, 0x20002 | VIP, c_sti, VIP          /* an interrupt waits: #GP at STI */
    .long c_cli, 0x20002 | VIP | VIF, c_cli_end, VIP
    .long c_sti, 0x20002 | VIP | IOPL3, c_sti_end, VIP | IOPL3 | 0x200 /* IOPL 3: the real flag */
    .long c_cli, 0x20202 | VIF | IOPL3, c_cli_end, VIF | IOPL3
    .long c_popf1, 0x20002, c_popf1_end, VIF
    .long c_popf0, 0x20002 | VIF, c_popf0_end, 0
    .long c_popf1, 0x20002 | VIP, c_popf1_at, VIP
    .long c_popf0, 0x20002 | VIP | VIF, c_popf0_end, VIP
    .long c_popft, 0x20002, c_popft_at, 0           /* TF */
    .long c_pushfd, 0x20002, c_pushfd, 0            /* 32-bit forms are not virtualised */
    .long c_popfd, 0x20002, c_popfd_at, 0
    .long c_iret1, 0x20002, c_iret_end, VIF
    .long c_iret0, 0x20002 | VIF, c_iret_end, 0
    .long c_iret1, 0x20002 | VIP, c_iret1_at, VIP
    .long c_iretd, 0x20002, c_iretd_at, 0
    .long c_show1, 0x20002 | VIF, c_show1_end, VIF
    .long c_show2, 0x20002, c_show2_end, 0
    /* protected mode, level 3, PVI */
    .long p_cli, 2 | VIF, p_cli_end, 0
    .long p_sti, 2, p_sti_end, VIF
    .long p_sti, 2 | VIP, p_sti, VIP
    .long p_popf, 2 | VIF, p_popf_end, VIF          /* POPF is not part of it */
    .long p_sti, 2 | IOPL3, p_sti_end, IOPL3 | 0x200
    .long 0

    .code16
c_cli: cli
c_cli_end: hlt
c_sti: sti
c_sti_end: hlt
c_popf1: pushw $0x0202
c_popf1_at: popf
c_popf1_end: hlt
c_popf0: pushw $0x0002
    popf
c_popf0_end: hlt
c_popft: pushw $0x0102
c_popft_at: popf
    hlt
c_pushfd: pushfl
    hlt
c_popfd: pushl $2
c_popfd_at: popfl
    hlt
c_iret1: pushw $0x0202
    push %cs
    pushw $OFS(c_iret_end)
c_iret1_at: iret
c_iret0: pushw $0x0002
    push %cs
    pushw $OFS(c_iret_end)
    iret
c_iret_end: hlt
c_iretd: pushl $2
    pushl $0x2000
    pushl $OFS(c_iret_end)
c_iretd_at: iretl
c_show1: pushf
    popw OFS(seen1)
c_show1_end: hlt
c_show2: pushf
    popw OFS(seen2)
c_show2_end: hlt
    .code32
p_cli: cli
p_cli_end: hlt
p_sti: sti
p_sti_end: hlt
p_popf: pushl $0x202
    popf
p_popf_end: hlt
    .balign 4
seen1: .word 0
seen2: .word 0

/* expect: exit 171. 286-style code in protected mode: 16-bit stacks that wrap in SP alone, 16-bit interrupt, trap and call gates with word
 * frames and word parameters, to the same and an inner level, and a 16-bit TSS. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    /* 16-bit data segment at 30000h, limit FFFFh, B = 0 */
    movl $0x0000ffff, gdt_spare
    movl $0x00009303, gdt_spare+4
    /* 286 interrupt gate 40h, trap gate 41h, to 16-bit code */
    movw $OFS(isr16), idt+0x40*8
    movw $SEL_CODE16, idt+0x40*8+2
    movw $0x8600, idt+0x40*8+4
#ifdef QEMU
    movw $0, idt+0x40*8+6
#else
    movw $0xdead, idt+0x40*8+6 /* only 32-bit gates have the upper half of an offset */
#endif
    movw $OFS(isr16), idt+0x41*8
    movw $SEL_CODE16, idt+0x41*8+2
    movw $0x8700, idt+0x41*8+4
    movw $0, idt+0x41*8+6
    /* 286 call gate at 68h: two words of parameters, DPL 3 */
    movw $OFS(called16), gdt_gate16
    movw $SEL_CODE16, gdt_gate16+2
    movw $0xe402, gdt_gate16+4
    movw $0, gdt_gate16+6

    /* --- B = 0: pushes wrap in SP, the upper half of ESP stays --- */
    mov $SEL_SPARE, %eax
    mov %eax, %ss
    mov $0xabcd0000, %esp
    pushl $0x11112222 /* wraps from 0 to FFFCh */
    mov %esp, %eax
    mov $SEL_DATA32, %ecx
    mov %ecx, %ss
    mov $0x1f000, %esp
    cmp $0xabcdfffc, %eax
    CHECK e, 1
    cmpl $0x11112222, 0x3fffc
    CHECK e, 26
    mov $SEL_SPARE, %eax
    mov %eax, %ss
    mov $0xabcd0004, %esp
    pushw $0x1234
    pushw $0x5678
    pushw $0x9abc
    mov %esp, %eax
    popw %bx
    popw %cx
    mov %esp, %edx
    mov $SEL_DATA32, %ebp
    mov %ebp, %ss
    mov $0x1f000, %esp
    cmp $0xabcdfffe, %eax
    CHECK e, 2
    cmp $0x9abc, %bx
    CHECK e, 3
    cmp $0x5678, %cx
    CHECK e, 4
    cmp $0xabcd0002, %edx
    CHECK e, 5

    /* --- 286 interrupt gate from 32-bit code: IP, CS, FLAGS as words; IRET of 16 bits comes back only below 64 KiB, so call it
           from 16-bit code --- */
    ljmp $SEL_CODE16, $OFS(pm16)
    .code16
pm16:
    mov $SEL_DATA16, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0xe000, %esp
    sti
    mov %sp, %dx
    int $0x40
    cli
    cmp %sp, %dx
    CHECK e, 6
    testw $0x200, OFS(seen_flags) /* interrupt gate: IF = 0 */
    CHECK z, 7
    cmpw $6, OFS(frame)
    CHECK e, 8
    sti
    int $0x41
    cli
    testw $0x200, OFS(seen_flags) /* trap gate: IF stays */
    CHECK nz, 9
    /* --- 286 call gate at the same level: word frame, no parameters copied --- */
    mov %sp, %dx
    lcall $SEL_GATE16, $0xffff
    cmp $0x1616, %ax
    CHECK e, 10
    cmp %sp, %dx
    CHECK e, 11
    cmpw $4, OFS(frame)
    CHECK e, 12
    /* 32-bit operand size at the call does not matter: the gate decides */
    lcalll $SEL_GATE16, $0x12345678
    cmp %sp, %dx
    CHECK e, 13
    ljmpl $SEL_CODE32, $back32
isr16:
    pushf
    popw OFS(seen_flags)
    mov %dx, %ax
    sub %sp, %ax
    mov %ax, OFS(frame)
    iret
called16:
    push %bp
    mov %sp, %bp
    push %ds
    mov $SEL_DATA16, %ax
    mov %ax, %ds
    mov %cs, %ax
    test $3, %al
    CHECK z, 14
    mov %dx, %ax
    sub %bp, %ax
    sub $2, %ax
    mov %ax, OFS(frame)
    mov 6(%bp), %ax /* parameters, when the level changed */
    mov %ax, OFS(params)
    mov 8(%bp), %ax
    mov %ax, OFS(params)+2
    mov 10(%bp), %ax
    mov %ax, OFS(outer_sp)
    mov 12(%bp), %ax
    mov %ax, OFS(outer_ss)
    mov $0x1616, %ax
    pop %ds
    pop %bp
    testw $1, %cs:OFS(inner)
    jnz 1f
    lret
1:  movl $0x1e000, %ss:OFS(tss)+4 /* the stack for exceptions again */
    movl $SEL_DATA32, %ss:OFS(tss)+8
    lret $4
    .code32
back32:
    mov $SEL_DATA32, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $0x1f000, %esp
    /* --- from level 3 through the 286 gate: stack from the 32-bit TSS, words copied --- */
    movw $1, inner
    movl $0xc000, tss+4
    movl $SEL_DATA16, tss+8
    movl $1f, resume
    mov %esp, resume_esp
    TO_USER user
user:
    mov $SEL_UDATA, %eax
    mov %eax, %ds
    mov %esp, %ebx
    pushw $0x2222
    pushw $0x1111
    lcall $SEL_GATE16 + 3, $0
    /* SP of 16 bits came back: the upper half of ESP is what it was on the inner stack's 16-bit frame */
    cmp %sp, %bx
    CHECK e, 15
    int $0x42 /* closed: back to the kernel */
1:  cmpw $0x1111, params
    CHECK e, 16
    cmpw $0x2222, params+2
    CHECK e, 17
    cmpw $0xcffc, outer_sp
    CHECK e, 18
    cmpw $SEL_UDATA, outer_ss
    CHECK e, 19

    /* --- a 16-bit TSS: CALL and back --- */
    movw $43, gdt_tss2
    movb $0x81, gdt_tss2+5
    movw $OFS(task16), tss2+14
    movw $2, tss2+16
    movw $0xb000, tss2+26
    movw $0x4711, tss2+18
    movw $SEL_DATA16, tss2+34
    movw $SEL_CODE16, tss2+36
    movw $SEL_DATA16, tss2+38
    movw $SEL_DATA16, tss2+40
    mov $0x12345678, %ebx
    lcall $SEL_TSS2, $0
    cmp $0x12345678, %ebx
    CHECK e, 20
    cmpw $1, ran
    CHECK e, 21
    cmpw $0x4711, seen_ax
    CHECK e, 22
    cmpw $SEL_TSS, tss2 /* back link */
    CHECK e, 23
    cmpw $OFS(task16_end), tss2+14 /* IP was saved behind its IRET */
    CHECK e, 24
    mov $SEL_TSS, %ecx
    str %eax
    cmp %cx, %ax
    CHECK e, 25
    PASS
    .code16
task16:
    mov %ax, OFS(seen_ax)
    incw OFS(ran)
    iret
task16_end:
    jmp task16
    .balign 4
seen_flags: .word 0
frame: .word 0
params: .word 0, 0
outer_sp: .word 0
outer_ss: .word 0
inner: .word 0
ran: .word 0
seen_ax: .word 0

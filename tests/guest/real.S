/* expect: exit 171. Real mode: LAHF/SAHF and the instructions of the 8086 and 80186 with 66h and 67h, full 386 addressing, limits of 64 KiB,
 * REP in both directions, faults and where they point, far transfers, interrupts and the vector table's limit, what exists in protected
 * mode only, LGDT/LIDT widths, A20. */
#include "guest.inc"
    .macro SETVEC vec, label
    movw $OFS(\label), %es:(\vec*4)
    movw $0x2000, %es:(\vec*4+2)
    .endm
    .macro RTRY
    movw $-1, OFS(r_vec)
    movw $OFS(60f), OFS(r_resume)
    mov %sp, OFS(r_sp)
    .endm
    /* the exception came from the label `at` */
    .macro RCAUGHT vec, at, id
    jmp 61f
60: cmpw $\vec, OFS(r_vec)
    jne 61f
    cmpw $OFS(\at), OFS(r_ip)
    je 62f
61: mov $\id, %al
    out %al, $0xf4
    hlt
62:
    .endm
    .macro EQ a, b, id
    cmp \b, \a
    CHECK e, \id
    .endm
    .code16
main16:
    xor %ax, %ax
    mov %ax, %es
    SETVEC 0, v0
    SETVEC 1, v1
    SETVEC 3, v3
    SETVEC 4, v4
    SETVEC 5, v5
    SETVEC 6, v6
    SETVEC 12, v12
    SETVEC 13, v13
    SETVEC 0x60, isr60

    /* --- LAHF, SAHF --- */
    mov $0xd5, %ah
    sahf
    mov $0, %ah
    lahf
    EQ %ah, $0xd7, 1
    xor %ax, %ax
    sahf
    mov $0xff, %ah
    lahf
    EQ %ah, $0x02, 2

    /* --- PUSHAD/POPAD, PUSHFD/POPFD with 66h --- */
    mov $0x11112222, %eax
    mov $0x33334444, %ebx
    mov $0x55556666, %ebp
    mov %sp, %dx
    pushal
    mov %sp, %cx
    sub %cx, %dx
    EQ %dx, $32, 3
    mov $0, %eax
    mov $0, %ebp
    popal
    EQ %eax, $0x11112222, 4
    EQ %ebp, $0x55556666, 5
    mov %sp, %dx
    pushaw
    sub %sp, %dx
    EQ %dx, $16, 6
    popaw
    pushfl
    pop %eax
    and $0x802a, %ax
    EQ %ax, $0x0002, 7
    pushl $0x00240046
    popfl
    pushfl
    pop %eax
    and $0x240040, %eax
    EQ %eax, $0x240040, 8
    pushl $2
    popfl

    /* --- LES, LDS, LSS, LFS, LGS: 16:16 and 16:32 --- */
    movl $0x00001234, OFS(buf)
    movw $0x5678, OFS(buf)+4
    movw $0x4000, OFS(buf)+2
    les OFS(buf), %bx
    EQ %bx, $0x1234, 9
    mov %es, %ax
    EQ %ax, $0x4000, 10
    movl $0x9abcdef0, OFS(buf)
    lfsl OFS(buf), %ebx
    EQ %ebx, $0x9abcdef0, 11
    mov %fs, %ax
    EQ %ax, $0x5678, 12
    push %ds
    movw $0x2000, OFS(buf)+2
    movw $0x1111, OFS(buf)
    lds OFS(buf), %si
    pop %ds
    EQ %si, $0x1111, 13
    movw $0xf000, OFS(buf)
    lss OFS(buf), %sp
    EQ %sp, $0xf000, 14

    /* --- ENTER/LEAVE, XLAT, BOUND, decimal --- */
    mov $0x7777, %bp
    mov %sp, %dx
    enter $10, $0
    mov %bp, %ax
    sub %sp, %ax
    EQ %ax, $10, 15
    leave
    EQ %bp, $0x7777, 16
    EQ %sp, %dx, 17
    enterl $8, $2
    leavel
    EQ %sp, %dx, 18
    mov $OFS(table), %bx
    mov $3, %al
    xlat
    EQ %al, $0x44, 19
    mov $5, %ax
    bound %ax, OFS(limits)
    mov $11, %ax
    RTRY
b1: bound %ax, OFS(limits)
    RCAUGHT 5, b1, 20
    mov $0x79, %al
    add $0x35, %al
    daa
    EQ %al, $0x14, 21
    mov $0x35, %al
    sub $0x47, %al
    das
    EQ %al, $0x88, 22
    mov $0x0009, %ax
    add $4, %al
    aaa
    EQ %ax, $0x0103, 23
    mov $0x0203, %ax
    sub $7, %al
    aas
    EQ %ax, $0x0106, 24
    mov $63, %al
    aam
    EQ %ax, $0x0603, 25
    aad
    EQ %ax, $0x003f, 26

    /* --- 67h: SIB addressing below 64 KiB works, above it is #GP or, with SS, #SS --- */
    movl $0xcafef00d, OFS(buf)
    mov $OFS(buf)-0x10, %eax
    mov $4, %ecx
    mov (%eax,%ecx,4), %edx
    EQ %edx, $0xcafef00d, 27
    mov $0xffffffff, %ebx
    mov OFS(buf)+1(%ebx), %edx
    EQ %edx, $0xcafef00d, 28
    mov $0x10000, %eax
#ifndef QEMU
    RTRY
s1: mov (%eax), %dl
    RCAUGHT 13, s1, 29
#endif
    mov $0xfffd, %eax
#ifndef QEMU
    RTRY
s2: mov (%eax), %edx
    RCAUGHT 13, s2, 30
#endif
    mov $0x12345, %ebp
#ifndef QEMU
    RTRY
s3: mov (%ebp), %dl
    RCAUGHT 12, s3, 31
#endif
    mov $0xffff, %bx
#ifndef QEMU
    RTRY
s4: mov (%bx), %dx
    RCAUGHT 13, s4, 32
#endif
    mov $0xffff, %bp
#ifndef QEMU
    RTRY
s5: mov (%bp), %dx
    RCAUGHT 12, s5, 33
#endif
    /* the sum wraps at 64 KiB without 67h */
    mov $0xff00, %bx
    mov $0x0100, %si
    mov (%bx,%si), %al
    mov OFS(text_start), %ah
    EQ %al, %ah, 34
    mov $0xf00ff000, %esp /* upper half of ESP does not matter to 16-bit pushes */
    push $0x1234
    pop %ax
    EQ %ax, $0x1234, 35
    mov $0xf000, %esp

    /* --- REP with 66h and 67h, both directions, across the segment's end --- */
    xor %ax, %ax
    mov $0x6000, %bx
    mov %bx, %es
    mov $0x10, %di
    mov $4, %cx
    mov $0x01020304, %eax
    rep stosl
    EQ %di, $0x20, 36
    cmpl $0x01020304, %es:0x1c
    CHECK e, 37
    mov $0x10, %edi
    mov $0x30, %esi
    mov $0x10002, %ecx /* without 67h only CX counts */
    push %ds
    push %es
    pop %ds
    rep movsw
    pop %ds
    EQ %ecx, $0x10000, 38
    EQ %si, $0x34, 39
    mov $2, %ecx
    mov $0x40, %edi
    xor %eax, %eax
    addr32 rep stosl
    EQ %ecx, $0, 40
    EQ %edi, $0x48, 41
    std
    mov $0x11, %di
    mov $2, %cx
    mov $0xaa, %al
    rep stosb
    cld
    EQ %di, $0x0f, 42
    cmpw $0xaaaa, %es:0x10
    CHECK e, 43
    mov $0xfffe, %di
    mov $4, %cx
    RTRY
s6: rep stosb
    cmp $2, %di /* byte accesses wrap from FFFFh to 0 */
    jne 61f
    jmp 62f
60:
61: EXIT 44
62: mov $0xffff, %di
    mov $2, %cx
#ifndef QEMU
    RTRY
s7: rep stosw /* the word at FFFFh crosses the limit */
    RCAUGHT 13, s7, 45
#endif
    EQ %cx, $2, 46

    /* --- #DE points at the instruction and keeps the registers --- */
    mov $0x1234, %ax
    mov $0x5678, %dx
    xor %cx, %cx
    RTRY
d1: div %cx
    RCAUGHT 0, d1, 47
    EQ %ax, $0x1234, 48
    EQ %dx, $0x5678, 49
    mov $0x8000, %ax
    mov $-1, %cl
    RTRY
d2: idiv %cl
    RCAUGHT 0, d2, 50
    mov $0x80000000, %eax
    cdq
    mov $-1, %ecx
    RTRY
d3: idiv %ecx
    RCAUGHT 0, d3, 51
    /* INTO and INT3 point behind */
    mov $0x7f, %al
    inc %al
    RTRY
    into
i1: RCAUGHT 4, i1, 52
    RTRY
    int3
i2: RCAUGHT 3, i2, 53

    /* --- interrupts: frame, IF and TF cleared, IRET with 66h takes 12 bytes --- */
    mov %sp, %dx
    sti
    int $0x60
    cli
    EQ %sp, %dx, 54
    testw $0x300, OFS(seen_flags)
    CHECK z, 55
    testw $0x200, OFS(pushed_flags)
    CHECK nz, 56
    pushl $0x00000002
    pushl $0xffff2000 /* the upper half of CS is dropped */
    pushl $OFS(i3)
    iretl
i3: EQ %sp, %dx, 57
    pushl $2
    pushl $0x2000
    pushl $0x12000
#ifndef QEMU
    RTRY
i4: iretl
    RCAUGHT 13, i4, 58
#endif
    add $12, %sp
    /* a vector behind the table's limit is #GP with the address of the INT */
    lidtl OFS(idt_short)
    RTRY
i5: int $0x60
    RCAUGHT 13, i5, 59
    lidtl OFS(idt_real)

    /* --- far transfers --- */
    lcall $0x2000, $OFS(far16)
    EQ %ax, $0xfa16, 60
    lcalll $0x2000, $OFS(far32)
    EQ %ax, $0xfa32, 61
    EQ %sp, %dx, 62
#ifndef QEMU
    RTRY
j1: ljmpl $0x2000, $0x10000
    RCAUGHT 13, j1, 63
#endif
    pushl $0x2000
    pushl $0x20000
#ifndef QEMU
    RTRY
j2: lretl
    RCAUGHT 13, j2, 64
#endif
    add $8, %sp
    movw $OFS(j3), OFS(buf)
    movw $0x2000, OFS(buf)+2
    ljmp *OFS(buf)
    EXIT 65
j3: movl $0x10000, %eax
#ifndef QEMU
    RTRY
j4: jmp *%eax
    RCAUGHT 13, j4, 66
#endif

    /* --- not in real mode --- */
    .macro UD label, id, code:vararg
    RTRY
\label: \code
    RCAUGHT 6, \label, \id
    .endm
    UD u1, 67, lldt %ax
    UD u2, 68, ltr %ax
    UD u3, 69, sldt %ax
    UD u4, 70, str %ax
    UD u5, 71, lar %ax, %bx
    UD u6, 72, lsl %ax, %bx
    UD u7, 73, verr %ax
    UD u8, 74, verw %ax
    UD u9, 75, arpl %ax, %bx
    RTRY
u10: sysenter
    RCAUGHT 13, u10, 76
    RTRY
u11: sysexit
    RCAUGHT 13, u11, 77
    clts
    smsw %ax
    test $1, %al
    CHECK z, 78

    /* --- LGDT and LIDT: 24 bits of base, 32 with 66h --- */
    movw $0x1234, OFS(buf)
    movl $0xfedcba98, OFS(buf)+2
    lgdtl OFS(buf)
    sgdtl OFS(buf)+8
    cmpl $0xfedcba98, OFS(buf)+10
    CHECK e, 79
    lgdtw OFS(buf)
    sgdtl OFS(buf)+8
    cmpl $0x00dcba98, OFS(buf)+10
    CHECK e, 80
    cmpw $0x1234, OFS(buf)+8
    CHECK e, 81

    /* --- A20: bit 20 and no other, at once --- */
    jmp a20_test
a20_test:
    mov $0xffff, %ax
    mov %ax, %gs
    xor %ax, %ax
    mov %ax, %fs
    in $0x92, %al
    or $2, %al
    out %al, $0x92
    movw $0x1111, %fs:0x500
    movw $0x2222, %gs:0x510
    cmpw $0x1111, %fs:0x500
    CHECK e, 82
    in $0x92, %al
    and $0xfc, %al
    out %al, $0x92
    cmpw $0x1111, %gs:0x510
    CHECK e, 83
    movw $0x3333, %gs:0x510
    cmpw $0x3333, %fs:0x500
    CHECK e, 84
    in $0x92, %al
    or $2, %al
    out %al, $0x92
    cmpw $0x2222, %gs:0x510
    CHECK e, 86
    PASS

far16:
    mov $0xfa16, %ax
    lret
far32:
    mov $0xfa32, %ax
    lretl

isr60:
    push %bp
    mov %sp, %bp
    pushf
    popw %cs:OFS(seen_flags)
    mov 6(%bp), %ax
    mov %ax, %cs:OFS(pushed_flags)
    pop %bp
    iret

    .macro RSTUB v
v\v:
    movw $\v, %cs:OFS(r_vec)
    jmp rcommon
    .endm
    RSTUB 0
    RSTUB 1
    RSTUB 3
    RSTUB 4
    RSTUB 5
    RSTUB 6
    RSTUB 12
    RSTUB 13
rcommon:
    popw %cs:OFS(r_ip)
    mov %cs:OFS(r_sp), %sp
    jmp *%cs:OFS(r_resume)
    .balign 4
r_vec: .word 0
r_ip: .word 0
r_sp: .word 0
r_resume: .word 0
seen_flags: .word 0
pushed_flags: .word 0
limits: .word 5, 10
table: .byte 0x11, 0x22, 0x33, 0x44
idt_short: .word 0x17f
    .long 0
    .balign 4
buf: .fill 32, 1, 0

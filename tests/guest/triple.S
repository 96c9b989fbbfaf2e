/* expect: exit 171. A triple fault resets the machine: the program finds, in RAM, the mark it left before. */
#include "guest.inc"
    .code16
main16:
    xor %ax, %ax
    mov %ax, %es
    cmpl $0x7269704c, %es:0x500
    je again
    movl $0x7269704c, %es:0x500
    ENTER32
    movl $0, idt_ptr+2
    movw $0, idt_ptr
    lidt idt_ptr
    ud2
    EXIT 1
    .code16
again:
    movl $0, %es:0x500
    /* the processor is as after power-on */
    mov %cr0, %eax
    test $1, %al
    CHECK z, 2
    sidtl OFS(buf)
    cmpw $0xffff, OFS(buf)
    CHECK e, 3
    cmpl $0, OFS(buf)+2
    CHECK e, 4
    PASS
    .balign 4
buf: .quad 0

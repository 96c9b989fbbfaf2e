/* expect: exit 171. Single step, execution and data and I/O breakpoints, RF, general detect, INT3, MOV SS shadow. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    /* own #DB handler: notes DR6 and the address, then returns */
    mov $db, %eax
    mov %ax, idt+8
    shr $16, %eax
    mov %ax, idt+14
    mov $bp, %eax
    mov %ax, idt+24
    shr $16, %eax
    mov %ax, idt+30

    /* single step over three instructions */
    movl $0, steps
    pushf
    orl $0x100, (%esp)
    popf
    nop
    nop
    pushf /* third step; the pushed image has TF */
    andl $~0x100, (%esp)
    popf
s1: nop
    cmpl $5, steps /* nop, nop, pushf, and, popf */
    CHECK e, 1
    cmpl $s1, last_eip
    CHECK e, 2
    testl $0x4000, last_dr6
    CHECK nz, 3

    /* execution breakpoint: a fault before the instruction, once because the handler sets RF */
    call clear
    mov $s2, %eax
    mov %eax, %dr0
    mov $0x402, %eax
    mov %eax, %dr7
s2: mov $0x1234, %ecx
    cmpl $1, steps
    CHECK e, 4
    cmpl $s2, last_eip
    CHECK e, 5
    cmpl $0xffff0ff1, last_dr6
    CHECK e, 6
    cmp $0x1234, %ecx
    CHECK e, 7

    /* data write breakpoint: a trap after the instruction */
    call clear
    mov $var, %eax
    mov %eax, %dr1
    mov $0x00d00408, %eax /* G1, write, 4 bytes */
    mov %eax, %dr7
    mov var, %eax
    cmpl $0, steps
    CHECK e, 8
    movb $5, var+2
s3: nop
    cmpl $1, steps
    CHECK e, 9
    cmpl $s3, last_eip
    CHECK e, 10
    cmpl $0xffff0ff2, last_dr6
    CHECK e, 11

    /* read/write breakpoint sees a read */
    call clear
    mov $0x00f00408, %eax
    mov %eax, %dr7
    mov var, %eax
    nop
    cmpl $1, steps
    CHECK e, 12

    /* I/O breakpoint needs CR4.DE */
    call clear
    mov %cr4, %eax
    or $8, %eax
    mov %eax, %cr4
    mov $0x80, %eax
    mov %eax, %dr2
    mov $0x02000420, %eax
    mov %eax, %dr7
    out %al, $0x80
    nop
    cmpl $1, steps
    CHECK e, 13
    cmpl $0xffff0ff4, last_dr6
    CHECK e, 14
    TRY
    mov %dr4, %eax
    CAUGHT 6, 0, 15
    mov %cr4, %eax
    and $~8, %eax
    mov %eax, %cr4
    mov %dr4, %eax /* alias of DR6 again */

    /* general detect: #DB before the access */
    call clear
    mov $0x2400, %eax
    mov %eax, %dr7
s4: mov %dr0, %eax
    cmpl $1, steps
    CHECK e, 16
    cmpl $s4, last_eip
    CHECK e, 17
    testl $0x2000, last_dr6
    CHECK nz, 18

    /* INT3 */
    call clear
    int3
s6: cmpl $s6, bp_eip
    CHECK e, 20

    /* a data breakpoint hit by MOV SS is reported after the next instruction */
    call clear
    movl $SEL_DATA32, var
    mov $0x00f00408, %eax
    mov $var, %ecx
    mov %ecx, %dr1
    mov %eax, %dr7
    mov var, %ss
    nop
s7: nop
    cmpl $1, steps
    CHECK e, 21
    cmpl $s7, last_eip
    CHECK e, 22

    /* DR7 and DR6 reserved bits */
    call clear
    mov $0xffffffff, %eax
    mov %eax, %dr6
    mov %dr6, %eax
    cmp $0xffffefff, %eax
    CHECK e, 23
    mov $0x5000, %eax
    mov %eax, %dr7
    mov %dr7, %eax
    cmp $0x400, %eax
    CHECK e, 24
    PASS

clear:
    push %eax
    mov $0x400, %eax
    mov %eax, %dr7
    mov $0xffff0ff0, %eax
    mov %eax, %dr6
    movl $0, steps
    pop %eax
    ret
db: push %eax
    mov %dr6, %eax
    mov %eax, last_dr6
    mov $0xffff0ff0, %eax
    mov %eax, %dr6
    mov 4(%esp), %eax
    mov %eax, last_eip
    incl steps
    orl $0x10000, 12(%esp) /* RF: do not stop here again */
    pop %eax
    iret
bp: push %eax
    mov 4(%esp), %eax
    mov %eax, bp_eip
    pop %eax
    iret
    .balign 4
var: .long 0
steps: .long 0
last_dr6: .long 0
last_eip: .long 0
bp_eip: .long 0

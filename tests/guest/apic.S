/* expect: exit 171. Local APIC: one-shot and periodic timer, self IPI, task priority, EOI order, HLT wake-up, timer against the time
 * stamp counter. */
#include "guest.inc"
    .set APIC, 0xfee00000
    .code16
main16:
    ENTER32
    .macro GATE vec, label
    mov $\label, %eax
    mov %ax, idt+\vec*8
    shr $16, %eax
    mov %ax, idt+\vec*8+6
    .endm
    GATE 0x40, timer
    GATE 0x51, ipi_low
    GATE 0x62, ipi_high
    /* both 8259s quiet */
    mov $0xff, %al
    out %al, $0x21
    out %al, $0xa1
    movl $0x1ff, APIC+0xf0
    movl $0, APIC+0x80
    movl $0xb, APIC+0x3e0
    movl $0x40, APIC+0x320
    movl $100000, APIC+0x380
    sti
    mov $0, %ecx
1:  hlt
    cmpl $1, ticks
    jb 1b
    cmpl $0, APIC+0x390
    CHECK e, 1

    /* periodic: ten ticks of 100 us take 1 ms of time stamp counter, whose rate we learn from the first */
    movl $0, ticks
    movl $0x20040, APIC+0x320
    movl $100000, APIC+0x380
2:  cmpl $1, ticks
    jb 2b
    rdtsc
    mov %eax, %esi
3:  cmpl $2, ticks
    jb 3b
    rdtsc
    mov %eax, %edi
    sub %esi, %edi /* one period */
4:  cmpl $12, ticks
    jb 4b
    rdtsc
    sub %esi, %eax
    movl $0x10000, APIC+0x320
    movl $0, APIC+0x380
    /* eleven periods of the timer; interrupts arrive a little late, never early by more than a tenth */
    mov %edi, %edx
    imul $8, %edx
    cmp %edx, %eax
    CHECK ae, 2
    imul $14, %edi
    cmp %edi, %eax
    CHECK be, 3

    /* self IPIs: the higher class first, the lower after EOI */
    cli
    movl $0x40051, APIC+0x300
    movl $0x40062, APIC+0x300
    movl $0, order
    sti
    nop
    cli
    cmpl $0x6251, order
    CHECK e, 4

    /* task priority holds it back */
    movl $0, order
    movl $0x60, APIC+0x80
    movl $0x40051, APIC+0x300
    sti
    nop
    nop
    cmpl $0, order
    CHECK e, 5
    movl $0x40, APIC+0x80
    nop
    cmpl $0x51, order
    CHECK e, 6
    movl $0, APIC+0x80

    /* HLT with STI before it: the interrupt is taken while halted */
    cli
    movl $0, order
    movl $0x40051, APIC+0x300
    sti
    hlt
    cmpl $0x51, order
    CHECK e, 7
    PASS

timer:
    incl ticks
    movl $0, APIC+0xb0
    iret
ipi_high:
    shll $8, order
    orl $0x62, order
    movl $0, APIC+0xb0
    iret
ipi_low:
    shll $8, order
    orl $0x51, order
    movl $0, APIC+0xb0
    iret
    .balign 4
ticks: .long 0
order: .long 0

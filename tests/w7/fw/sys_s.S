/*
 * Part of the firmware probe `sys`: the INT 1Ch hook. It counts, reads which interrupts the first 8259 has in service, then
 * runs the handler of IRQ 7 as a spurious request would and reads again: it must leave the interrupt in service alone.
 */
        .code16
        .globl hook_1c, hook_count, hook_isr, nested_isr
        .text
hook_1c:
        pushw %ax
        incw %cs:hook_count
        movb $0x0b, %al
        outb %al, $0x20
        inb $0x20, %al
        movb %al, %cs:hook_isr
        int $0x0f
        movb $0x0b, %al
        outb %al, $0x20
        inb $0x20, %al
        movb %al, %cs:nested_isr
        popw %ax
        iret
        .data
hook_count: .word 0
hook_isr: .word 0
nested_isr: .word 0

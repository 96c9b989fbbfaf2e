/*
 * Reset, interrupt entry and the few things C cannot say.
 *
 * Reset: the CPU starts at FFFFFFF0 in the ROM below 4 GiB. The program attribute map of the host
 * bridge is opened (registers 59h-5Fh, 440FX datasheet 3.2.18) and the ROM is copied from its high
 * alias to E0000-FFFFF, so that everything else runs from RAM.
 *
 * Interrupts: a handler pushes its C function and falls into int_common, which saves all registers
 * on the caller's stack (48 bytes), moves to our own stack unless already there, hands C a copy
 * and writes it back. `stack_pos` is where the next foreign caller's frame starts; code that lets
 * interrupts in publishes its depth there first. A handler that returns non-zero asks to be run
 * again after the next interrupt: the halt happens on the caller's stack with nothing of ours
 * outstanding, so a task switcher may come back much later or never.
 *
 * Flat access: protected mode is entered for a few instructions to give FS and GS a 4 GiB limit;
 * the caller's GDTR is restored. Not possible in virtual-8086 mode.
 */
#include "bios/layout.h"

        .code16

/* Header of an empty option ROM: memory managers look for it before they call an area free. */
        .section .romhead, "a"
        .byte 0x55, 0xaa, 0x80, 0xcb
        .balign 16

        .data
        .globl stack_pos
        .balign 4
stack_pos:
        .long STACK_TOP
shadow_mark:
        .long 0
saved_gdt:
        .word 0, 0, 0, 0

        .section .fix_fff0, "ax"
        .globl reset_vector
reset_vector:
        .byte 0xe9                      /* near jump: stays in the high alias */
        .word reset_start - (. + 2)
        .org 5
        .ascii "11/22/26"
        .org 14
        .byte 0xfc, 0

        .section .fix_e05b, "ax"
        ljmp $SEG_CODE, $restart

        .section .fix_ff53, "ax"
        .globl dummy_iret
dummy_iret:
        iret

        .text

/* A jump to the power-on entry by software: make it a real reset. */
restart:
        cli
        jmp reset_pulse

        .globl reset_machine
reset_machine:
        cli
        xorw %ax, %ax
        movw %ax, %ds
        movw $0, 0x472
reset_pulse:
        movw $0xcf9, %dx
        movb $0x02, %al
        outb %al, %dx
        movb $0x06, %al
        outb %al, %dx
        movb $0xfe, %al
        outb %al, $0x64
1:      hlt
        jmp 1b

reset_start:
        cli
        cld
        movb $0x8f, %al                 /* shutdown status byte, NMI masked */
        outb %al, $0x70
        inb $0x71, %al
        movb %al, %bl
        movb $0x8f, %al
        outb %al, $0x70
        xorb %al, %al
        outb %al, $0x71

        movl $0x80000058, %eax          /* C0000-FFFFF: RAM for reads and writes */
        movw $PORT_PCI_ADDR, %dx
        outl %eax, %dx
        movw $PORT_PCI_DATA + 1, %dx
        inb %dx, %al
        movb %al, %bh                   /* not 0: only the CPU was reset */
        movb $0x30, %al
        outb %al, %dx
        movb $0x33, %al
        incw %dx
        outb %al, %dx
        incw %dx
        outb %al, %dx
        movl $0x8000005c, %eax
        movw $PORT_PCI_ADDR, %dx
        outl %eax, %dx
        movl $0x33333333, %eax
        movw $PORT_PCI_DATA, %dx
        outl %eax, %dx

        /* A program of 286 days may have reset the CPU to leave protected mode. Where that resets
         * the board too, there is nothing left to return to. */
        movw $SEG_DATA, %ax
        movw %ax, %ds
        cmpl $0x504d4152, shadow_mark
        jne cold_start
        testb %bh, %bh
        jz cold_start
        cmpb $0x05, %bl
        je resume_eoi
        cmpb $0x0a, %bl
        je resume
        cmpb $0x09, %bl
        je resume_iret
cold_start:
        lgdtl %cs:high_gdt_desc
        movl %cr0, %eax
        andl $0x1fffffff, %eax          /* caches on */
        orb $1, %al
        movl %eax, %cr0
        ljmpl $0x10, $0xffff0000 + copy_rom

        .code32
copy_rom:
        movl $0x08, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %fs
        movl %eax, %gs
        movl %eax, %ss
        movl $0xfffe0000, %esi
        movl $0xe0000, %edi
        movl $0x8000, %ecx
        rep movsl
        ljmpl $0x18, $leave_pm
        .code16
leave_pm:
        movw $0x20, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $SEG_CODE, $start_c
start_c:
        lidtl %cs:real_idt_desc
        movw $SEG_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $STACK_TOP, %esp
        movl $0x504d4152, shadow_mark
        calll post_main
        int $0x19
1:      hlt
        jmp 1b

resume_eoi:
        movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
resume:
        lidtl %cs:real_idt_desc
        movw $SEG_BDA, %ax
        movw %ax, %ds
        ljmp *0x67
resume_iret:
        lidtl %cs:real_idt_desc
        movw $SEG_BDA, %ax
        movw %ax, %ds
        lssw 0x67, %sp
        popw %ds
        popw %es
        popal
        iret

        .balign 8
gdt:    .quad 0
        .quad 0x00cf93000000ffff        /* 08: flat data */
        .quad 0x00cf9b000000ffff        /* 10: flat code */
        .quad 0x00009b0f0000ffff        /* 18: 16-bit code at F0000 */
        .quad 0x0000930e0000ffff        /* 20: 16-bit data at E0000 */
gdt_end:
high_gdt_desc:
        .word gdt_end - gdt - 1
        .long 0xffff0000 + gdt
        .globl low_gdt_desc
low_gdt_desc:
        .word gdt_end - gdt - 1
        .long 0xf0000 + gdt
real_idt_desc:
        .word 0x3ff
        .long 0

/* ---------------------------------------------------------------- interrupt entry */

int_common:
        pushw %ds
        pushw %es
        pushw %fs
        pushw %gs
        pushal
        cli
        cld
        movw $SEG_DATA, %ax
        movw %ax, %ds
        movw %ss, %bx
        movl %esp, %edx
        cmpw %ax, %bx
        je 2f
        movl stack_pos, %ecx
        cmpl $STACK_LOW + 0x600, %ecx
        jae 1f
        movl $STACK_TOP, %ecx           /* callers that never came back used it all up */
1:      movw %ax, %ss
        movl %ecx, %esp
        jmp 3f
2:      movzwl %sp, %ecx
        movl %ecx, %esp
3:      pushl %ebx
        pushl %edx
        subl $REGS_SIZE, %esp
        movw %ax, %es
        movl %esp, %edi
        movzwl %dx, %esi
        movw %bx, %ds
        movw $REGS_SIZE / 4, %cx
        rep movsl
        movw %ax, %ds
        movl %esp, %eax
        movzwl REGS_HANDLER(%esp), %ecx
        calll *%ecx
        cli
        cld
        movl %eax, %ebp
        movzwl REGS_SIZE(%esp), %edi
        movw REGS_SIZE + 4(%esp), %es
        movl %esp, %esi
        movw $REGS_SIZE / 4, %cx
        rep movsl
        movw REGS_SIZE + 4(%esp), %bx
        movl REGS_SIZE(%esp), %edx
        movw %bx, %ss
        movl %edx, %esp
        testl %ebp, %ebp
        jnz 4f
        popal
        popw %gs
        popw %fs
        popw %es
        popw %ds
        leaw 2(%esp), %sp
        iret
4:      popal
        popw %gs
        popw %fs
        popw %es
        popw %ds
        sti
        hlt
        jmp int_common

        .macro HANDLER name, func
        .globl \name
\name:  pushw $\func
        jmp int_common
        .endm

        HANDLER int05, print_screen_service
        HANDLER int09, kbd_irq
        HANDLER int0e, floppy_irq
        HANDLER int13, disk_service
        HANDLER int14, serial_service
        HANDLER int16, kbd_service
        HANDLER int17, printer_service
        HANDLER int70, rtc_irq
        HANDLER int74, mouse_irq

        .globl int11, int12
int11:  pushw %ds
        movw $SEG_BDA, %ax
        movw %ax, %ds
        movw 0x10, %ax
        popw %ds
        iret
int12:  pushw %ds
        movw $SEG_BDA, %ax
        movw %ax, %ds
        movw 0x13, %ax
        popw %ds
        iret

/* INT 15h: in C but for the switch to protected mode, which does not come back as it came. */
        .globl int15
int15:  cmpb $0x89, %ah
        je 1f
2:      pushw $system_service
        jmp int_common
1:      pushw %ax
        smsw %ax                        /* a virtual-8086 monitor's guest is there already */
        testb $1, %al
        popw %ax
        jnz 2b

/* AH=89h (the AT's): ES:SI = table of eight descriptors: none, table, IDT, DS, ES, SS, CS, ours; BH and
 * BL = first vectors of the two 8259s. Goes on behind the INT with CS = 30h; AX and BP are used up. */
        cli
        inb $0x92, %al
        andb $0xfe, %al
        orb $2, %al
        outb %al, $0x92
        movb $0x11, %al
        outb %al, $0x20
        outb %al, $0xa0
        movb %bh, %al
        outb %al, $0x21
        movb %bl, %al
        outb %al, $0xa1
        movb $4, %al
        outb %al, $0x21
        movb $2, %al
        outb %al, $0xa1
        movb $1, %al
        outb %al, $0x21
        outb %al, $0xa1
        movb $0xff, %al                 /* all masked: nobody is there to serve them yet */
        outb %al, $0x21
        outb %al, $0xa1
        movw $0xffff, %es:0x38(%si)
        movl $0x9b0f0000, %es:0x3a(%si)
        movw $0, %es:0x3e(%si)
        lgdtw %es:0x08(%si)
        lidtw %es:0x10(%si)
        popw %bp
        addw $4, %sp
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmp $0x38, $1f
1:      movw $0x18, %ax
        movw %ax, %ds
        movw $0x20, %ax
        movw %ax, %es
        movw $0x28, %ax
        movw %ax, %ss
        pushw $0x30
        pushw %bp
        xorw %ax, %ax                   /* AH=0, CF=0 */
        lretw

/* INT 1Ah: PCI BIOS here, the clock in C. */
        .globl int1a
int1a:  cmpb $0xb1, %ah
        je 1f
        pushw $clock_service
        jmp int_common
1:      pushw %bp
        movw %sp, %bp
        andb $0xfe, 6(%bp)
        popw %bp
        cld
        calll pcibios16
        jnc 2f
        pushw %bp
        movw %sp, %bp
        orb $1, 6(%bp)
        popw %bp
2:      iret

/* IRQ 0: the tick, the floppy motor, the user's hook. */
        .globl int08
int08:  pushw %ds
        pushl %eax
        pushl %edx
        movw $SEG_BDA, %ax
        movw %ax, %ds
        incl 0x6c
        cmpl $0x1800b0, 0x6c
        jb 1f
        movl $0, 0x6c
        incb 0x70
1:      cmpb $0, 0x40
        je 2f
        decb 0x40
        jne 2f
        andb $0xf0, 0x3f
        movw $0x3f2, %dx
        movb $0x0c, %al
        outb %al, %dx
2:      int $0x1c
        cli
        movb $0x20, %al
        outb %al, $0x20
        popl %edx
        popl %eax
        popw %ds
        iret

/* Interrupt lines nobody serves. A request that is gone by the time it is acknowledged arrives as IRQ 7
 * (of the second 8259: IRQ 15) without being in service; ending it would end somebody else's. */
        .globl irq_master, irq_slave, irq7, irq15, int75, int76
irq15:  pushw %ax
        movb $0x0b, %al                 /* in-service register */
        outb %al, $0xa0
        inb $0xa0, %al
        testb $0x80, %al
        jmp 1f
irq_slave:
int76:  pushw %ax
        orb $1, %al
1:      movb $0x20, %al
        jz 2f
        outb %al, $0xa0
2:      outb %al, $0x20                 /* the cascade is in service either way */
        popw %ax
        iret
irq7:   pushw %ax
        movb $0x0b, %al
        outb %al, $0x20
        inb $0x20, %al
        testb $0x80, %al
        jmp 1f
irq_master:
        pushw %ax
        orb $1, %al
1:      jz 2f
        movb $0x20, %al
        outb %al, $0x20
2:      popw %ax
        iret
/* FPU error: clear the request and pass it on as the NMI of the first PC. */
int75:  pushw %ax
        xorb %al, %al
        outb %al, $0xf0
        movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
        popw %ax
        int $0x02
        iret

/* The boot strap never returns: it starts with an empty stack of ours. */
        .globl int18, int19
int18:  movl $1, %eax
        jmp strap
int19:  xorl %eax, %eax
strap:  movl %eax, %ebx
        cli
        cld
        movw $SEG_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $STACK_TOP, %esp
        movl %esp, stack_pos
        movl %ebx, %eax
        calll boot_main

/* ---------------------------------------------------------------- helpers called from C */

        .globl relax, wait_interrupt
relax:  pushl stack_pos
        leal -STACK_GAP(%esp), %eax
        movl %eax, stack_pos
        sti
        nop
        nop
        cli
        popl stack_pos
        retl
wait_interrupt:
        pushl stack_pos
        leal -STACK_GAP(%esp), %eax
        movl %eax, stack_pos
        sti
        hlt
        cli
        popl stack_pos
        retl

/* void call_far(struct callregs *r): the callee may return with IRET, RETF or RETF n. */
        .globl call_far
call_far:
        pushl %ebx
        pushl %esi
        pushl %edi
        pushl %ebp
        pushl stack_pos
        pushl %eax
        leal -STACK_GAP(%esp), %ecx
        movl %ecx, stack_pos
        pushw CR_FLAGS(%eax)
        pushw %cs
        pushw $call_far_back
        pushw CR_CS(%eax)
        pushw CR_IP(%eax)
        pushw CR_DS(%eax)
        pushw CR_ES(%eax)
        movw CR_FLAGS(%eax), %cx
        andw $0xfdff, %cx               /* as an interrupt: entered with interrupts off */
        pushw %cx
        popfw
        movl CR_EDI(%eax), %edi
        movl CR_ESI(%eax), %esi
        movl CR_EBP(%eax), %ebp
        movl CR_EBX(%eax), %ebx
        movl CR_EDX(%eax), %edx
        movl CR_ECX(%eax), %ecx
        movl CR_EAX(%eax), %eax
        popw %es
        popw %ds
        lret
call_far_back:
        pushfw
        pushal
        pushw %es
        pushw %ds
        cli
        cld
        movw $SEG_DATA, %ax
        movw %ax, %ds
        movzwl %sp, %ebp
        movl stack_pos, %ebx
        movl STACK_GAP(%ebx), %edi      /* r */
        movw 0(%ebp), %cx
        movw %cx, CR_DS(%edi)
        movw 2(%ebp), %cx
        movw %cx, CR_ES(%edi)
        movw 36(%ebp), %cx
        movw %cx, CR_FLAGS(%edi)
        movw %ax, %es
        leal 4(%ebp), %esi
        movw $8, %cx
        rep movsl
        leal STACK_GAP(%ebx), %esp
        popl %eax
        popl stack_pos
        popl %ebp
        popl %edi
        popl %esi
        popl %ebx
        retl

/* void call_mouse(handler, status | x << 16, y | z << 16): the pointing device's far call. */
        .globl call_mouse
call_mouse:
        pushl %ebx
        pushl %esi
        pushl %edi
        pushl %ebp
        pushl stack_pos
        leal -STACK_GAP(%esp), %ebx
        movl %ebx, stack_pos
        pushw %dx
        shrl $16, %edx
        pushw %dx
        pushw %cx
        shrl $16, %ecx
        pushw %cx
        pushw %cs
        pushw $1f
        pushl %eax
        lret
1:      cli
        cld
        movw $SEG_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        movl stack_pos, %ebx
        leal STACK_GAP(%ebx), %esp
        popl stack_pos
        popl %ebp
        popl %edi
        popl %esi
        popl %ebx
        retl

/* Low stack in segment 0, as boot programs expect. One that returns far has given up: INT 18h. */
        .globl boot_jump
boot_jump:
        movl $STACK_TOP, stack_pos
        movl %eax, %ebx
        xorw %cx, %cx
        movw %cx, %ss
        movl $0x7c00, %esp
        pushw %cs
        pushw $int18
        pushw $FLAGS_IF
        pushw CR_CS(%ebx)
        pushw CR_IP(%ebx)
        pushw CR_DS(%ebx)
        pushw CR_ES(%ebx)
        xorl %ecx, %ecx
        movw %cx, %fs
        movw %cx, %gs
        movl CR_EDI(%ebx), %edi
        movl CR_ESI(%ebx), %esi
        movl CR_EDX(%ebx), %edx
        movl CR_EAX(%ebx), %eax
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        popw %es
        popw %ds
        iret
        .set FLAGS_IF, 0x202

/* Loads FS and GS with a 4 GiB limit and base 0. Clobbers eax; interrupts must be off. */
flat_enter:
        sgdtl saved_gdt
        lgdtl %cs:low_gdt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        jmp 1f
1:      pushw $0x08
        popw %fs
        pushw $0x08
        popw %gs
        andb $0xfe, %al
        movl %eax, %cr0
        jmp 2f
2:      lgdtl saved_gdt
        xorw %ax, %ax
        movw %ax, %fs
        movw %ax, %gs
        ret

        .globl flat_read32, flat_write32, flat_copy, flat_fill
flat_read32:
        movl %eax, %edx
        call flat_enter
        movl %fs:(%edx), %eax
        retl
flat_write32:
        movl %eax, %ecx
        call flat_enter
        movl %edx, %fs:(%ecx)
        retl
/* eax = dst, edx = src, ecx = bytes */
flat_copy:
        pushl %edi
        pushl %esi
        movl %eax, %edi
        movl %edx, %esi
        call flat_enter
1:      cmpl $16, %ecx
        jb 2f
        .irp at, 0, 4, 8, 12
        movl %fs:\at(%esi), %eax
        movl %eax, %gs:\at(%edi)
        .endr
        addl $16, %esi
        addl $16, %edi
        subl $16, %ecx
        jmp 1b
2:      jecxz 4f
3:      movb %fs:(%esi), %al
        movb %al, %gs:(%edi)
        incl %esi
        incl %edi
        decl %ecx
        jnz 3b
4:      popl %esi
        popl %edi
        retl
flat_fill:
        pushl %edi
        movl %eax, %edi
        call flat_enter
        movzbl %dl, %edx
        imull $0x01010101, %edx, %edx
1:      cmpl $16, %ecx
        jb 2f
        .irp at, 0, 4, 8, 12
        movl %edx, %gs:\at(%edi)
        .endr
        addl $16, %edi
        subl $16, %ecx
        jmp 1b
2:      jecxz 4f
3:      movb %dl, %gs:(%edi)
        incl %edi
        decl %ecx
        jnz 3b
4:      popl %edi
        retl

/*
 * Head of every probe: the parameter block that mkimg fills in, the way into C, BIOS calls with every register chosen and
 * every register seen, access to memory above 1 MiB. The boot sectors jump to 2000:0000 with what they found at entry at
 * 0000:0600 (struct entry of fw.h).
 */
#include "fw.h"

        .code16
        .section .head, "ax"
        .globl _start, params, entry
_start: jmp 1f
        .org 8
params: .ascii "FWP1"
        .fill 52, 1, 0
        .org 64
1:      cli
        cld
        movw $SEG_BODY, %ax
        movw %ax, %ss
        movl $0xfff0, %esp
        movw %ax, %es
        xorw %dx, %dx
        movw %dx, %ds
        movw $0x600, %si
        movw $entry, %di
        movw $20, %cx
        rep movsb
        movw %ax, %ds
        movw $bss_start, %di
        movw $bss_end, %cx
        subw %di, %cx
        xorw %ax, %ax
        rep stosb
        sti
        calll probe_main
        calll end

        .data
        .balign 4
entry:  .fill 20, 1, 0
saved_sp: .word 0, 0
saved_ds: .word 0
call_ds: .word 0
out_flags: .long 0
cur:    .long 0
out:    .fill 28, 1, 0
saved_gdt: .word 0, 0, 0, 0

        .text
/* void bios(u32 vector, struct regs *r): offsets of struct regs in the order of fw.h. */
        .globl bios
bios:
        pushl %ebx
        pushl %esi
        pushl %edi
        pushl %ebp
        pushw %es
        pushw %fs
        pushw %gs
        pushfw                          /* interrupts stay off where they were */
        cli
        movb %al, int_op + 1
        movl %edx, cur
        movw %sp, saved_sp
        movw %ss, saved_sp + 2
        cmpl $0, 40(%edx)
        je 1f
        lssw 40(%edx), %sp
1:      movl 44(%edx), %eax
        movw %sp, %ax
        movl %eax, %esp
        pushw 36(%edx)
        pushw 28(%edx)
        leaw 4(%esp), %ax
        movw %ax, 48(%edx)
        movw 30(%edx), %es
        movw 32(%edx), %fs
        movw 34(%edx), %gs
        movl 0(%edx), %eax
        movl 4(%edx), %ebx
        movl 8(%edx), %ecx
        movl 16(%edx), %esi
        movl 20(%edx), %edi
        movl 24(%edx), %ebp
        movl 12(%edx), %edx
        popw %ds
        popfw
int_op: int $0
        pushfw
        popw %cs:out_flags
        cli
        movw %ds, %cs:call_ds
        pushw %cs
        popw %ds
        movl %eax, out
        movl %edx, out + 4
        movw %sp, out + 8
        movl cur, %edx
        movl %ebx, 4(%edx)
        movl %ecx, 8(%edx)
        movl %esi, 16(%edx)
        movl %edi, 20(%edx)
        movl %ebp, 24(%edx)
        movl out, %eax
        movl %eax, 0(%edx)
        movl out + 4, %eax
        movl %eax, 12(%edx)
        movw out + 8, %ax
        movw %ax, 50(%edx)
        movl %esp, %eax
        movl %eax, 44(%edx)
        movw call_ds, %ax
        movw %ax, 28(%edx)
        movw %es, 30(%edx)
        movw %fs, 32(%edx)
        movw %gs, 34(%edx)
        movw out_flags, %ax
        movw %ax, 36(%edx)
        xorl %esp, %esp
        lssw saved_sp, %sp
        popfw
        popw %gs
        popw %fs
        popw %es
        popl %ebp
        popl %edi
        popl %esi
        popl %ebx
        retl

/* ---------------------------------------------------------------- above 1 MiB */

        .balign 8
flat_gdt:
        .quad 0
        .quad 0x00cf93000000ffff        /* 08: data, base 0, 4 GiB */
flat_gdt_end:
flat_desc:
        .word flat_gdt_end - flat_gdt - 1
        .long (SEG_BODY << 4) + flat_gdt

/* FS and GS: base 0, 4 GiB. Interrupts are off until the caller's segment registers are loaded again. */
flat_enter:
        pushfw
        popw flags_kept
        cli
        sgdtl saved_gdt
        lgdtl %cs:flat_desc
        movl %cr0, %ecx
        orb $1, %cl
        movl %ecx, %cr0
        jmp 1f
1:      pushw $8
        popw %fs
        pushw $8
        popw %gs
        andb $0xfe, %cl
        movl %ecx, %cr0
        jmp 2f
2:      lgdtl saved_gdt
        pushw $0
        popw %fs
        ret
        .data
flags_kept: .word 0
        .text
flat_leave:
        pushw flags_kept
        popfw
        ret

        .globl flat_read, flat_write, flat_read8, flat_write8
flat_read:
        call flat_enter
        movl %fs:(%eax), %eax
        call flat_leave
        retl
flat_write:
        call flat_enter
        movl %edx, %fs:(%eax)
        call flat_leave
        retl
flat_read8:
        call flat_enter
        movzbl %fs:(%eax), %eax
        call flat_leave
        retl
flat_write8:
        call flat_enter
        movb %dl, %fs:(%eax)
        call flat_leave
        retl

/* void big_limits(u32 fs, u32 gs): every data segment keeps a 4 GiB limit, as programs leave it that have been in
 * protected mode; FS and GS get these values. The stack keeps 64 KiB: SP wraps either way. */
        .globl big_limits
big_limits:
        pushl %ebx
        movl %eax, %ebx
        pushfw
        cli
        sgdtl saved_gdt
        lgdtl %cs:flat_desc
        movl %cr0, %ecx
        orb $1, %cl
        movl %ecx, %cr0
        jmp 1f
1:      movw $8, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        andb $0xfe, %cl
        movl %ecx, %cr0
        jmp 2f
2:      movw $SEG_BODY, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %bx, %fs
        movw %dx, %gs
        lgdtl saved_gdt
        popfw
        popl %ebx
        retl

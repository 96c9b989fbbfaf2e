/*
 * Part of the probe `mode-thrash`: mode changes in assembly (W7-087 in 64 bits, 092, 094 to 097) and the round trip of W7-093:
 * real -> protected -> long -> compatibility -> protected -> 16-bit protected -> real. EFER.LME and CR4.PAE stay set on the way,
 * as between bootmgr and winload. Page tables are built by thrash.c at 60000h.
 */
#include "fw.h"
#define BITS 16
#define NAME(x) x##_thrash
#include "test.inc"

        .set FLAT_CODE, (SEG_BODY << 4)
        .globl results_thrash, long_count, mode_tests, round_trip, leave_long, trip_cr0, trip_cr4, trip_efer, lahf64
        .data
        .balign 8
results_thrash: .fill 32, 1, 0
stack_thrash: .long 0
long_count: .long 0
trip_cr0: .long 0
trip_cr4: .long 0
trip_efer: .long 0
lahf64: .long 0
gates_seen: .long 0
masks:  .byte 0, 0
        .balign 8
gdt:    .quad 0
        .quad 0x00409a020000ffff        /* 08: 32-bit code at 20000 */
        .quad 0x000092020000ffff        /* 10: 16-bit data at 20000 */
        .quad 0x00009a020000ffff        /* 18: 16-bit code at 20000 */
        .quad 0x004092020000ffff        /* 20: 32-bit data at 20000 */
        .quad 0x0000920300100fff        /* 28: 4 KiB of data at 30010 */
        .quad 0x00cf92000000ffff        /* 30: flat data */
        .quad 0x00209a0000000000        /* 38: 64-bit code */
        .word gate_called, 0x18, 0x8400, 0      /* 40: 16-bit call gate */
        .quad 0x00008e000000ffff        /* 48: unused */
        .quad 0x000092000000ffff        /* 50: 16-bit data at 0 */
gdt_end:
gdt_desc: .word gdt_end - gdt - 1
        .long FLAT_CODE + gdt
gdt_high: .word 0x1234
        .long 0xabcdef01
gdt_read: .word 0
        .long 0, 0
gdt64:  .word 0x004f
        .quad 0xffff8000abcdef01
idt_desc: .word 14 * 8 - 1
        .long FLAT_CODE + idt
idt64_desc: .word 14 * 16 - 1
        .long FLAT_CODE + idt64, 0
real_idt: .word 0x3ff
        .long 0
old_gdt: .word 0, 0, 0
        .macro GATE to, type=0x8e00, selector=0x08
        .word \to, \selector, \type, 0
        .endm
        .balign 8
idt:    GATE protected_0
        GATE gate16_interrupt, 0x8600, 0x18     /* vectors 1 and 3: 286 gates */
        GATE protected_6
        GATE gate16_trap, 0x8700, 0x18
        GATE protected_6
        GATE protected_5
        GATE protected_6
        GATE protected_6
        GATE protected_13
        GATE protected_6
        GATE protected_13
        GATE protected_13
        GATE protected_13
        GATE protected_13
        .balign 8
idt64:  .fill 13 * 16, 1, 0
        .word fault64, 0x38, 0x8e00, 2, 0, 0, 0, 0      /* 20000h + offset */

        .text
        .code16
/* Into 32-bit protected mode at `to` with all segments at 20000. */
        .macro ENTER32 to
        lgdtl gdt_desc
        lidtl idt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $0x08, $\to
        .endm
        .macro SEGMENTS selector
        movl $\selector, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %fs
        movl %eax, %gs
        movl %eax, %ss
        .endm
/* From 32-bit protected mode, paging off, back to `to` in real mode; segments at 20000 with 64 KiB, IDT the BIOS's. */
        .macro LEAVE32 to
        ljmp $0x18, $6601f
        .code16
6601:   movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $SEG_BODY, $\to
        .endm

real_again:
        movw $SEG_BODY, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        lidtl real_idt
        ret

/* ---------------------------------------------------------------- W7-092 */

/* 30010: 600d0030h; 3000:0100 (30100, offset F0h): 0; 200000: 600d0200h. */
hidden_parts:
        T 0
        lgdtl gdt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        jmp 1f
1:      movw $0x28, %cx
        movw %cx, %fs
        movw $0x30, %cx
        movw %cx, %gs
        andb $0xfe, %al
        movl %eax, %cr0
        jmp 2f
2:      movw %fs, %ax
        cmpw $0x28, %ax
        REQ e
        cmpl $0x600d0030, %fs:0         /* base of the descriptor, not 280h */
        REQ e
        FAULT 13, movb %fs:0x1000, %al  /* its limit */
        movl %fs:0xffc, %eax
        movl $0x200000, %ebx
        cmpl $0x600d0200, %gs:(%ebx)
        REQ e
        E
        T 1
        movw $0x3001, %ax               /* a load in real mode changes the base only */
        movw %ax, %fs
        cmpl $0x600d0030, %fs:0
        REQ e
        FAULT 13, movb %fs:0x1000, %al
        xorw %ax, %ax
        movw %ax, %gs
        cmpl $0x600d0200, %gs:(%ebx)
        REQ e
        E
        /* CS: its selector and base stay until the far jump */
        T 2
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmp $0x18, $1f
1:      movw $0x10, %cx                 /* and 64 KiB limits again for everyone */
        movw %cx, %ds
        movw %cx, %es
        movw %cx, %fs
        movw %cx, %gs
        movw %cx, %ss
        andb $0xfe, %al
        movl %eax, %cr0
        movw %cs, %bx
        jmp 2f
2:      movl %cs:mark, %edx
        ljmp $SEG_BODY, $3f
3:      call real_again
        cmpw $0x18, %bx
        REQ e
        cmpl $0x600d600d, %edx
        REQ e
        movw %cs, %ax
        cmpw $SEG_BODY, %ax
        REQ e
        E
        ret
mark:   .long 0x600d600d

/* ---------------------------------------------------------------- W7-094 */

gate16_interrupt:
        pushfw
        popw %ax
        andw $0x200, %ax                /* IF is off in an interrupt gate */
        orw $1, %ax
        movw %ax, gates_seen
        iretw
gate16_trap:
        pushfw
        popw %ax
        andw $0x200, %ax
        orw $1, %ax
        movw %ax, gates_seen + 2
        iretw
gate_called:
        movw %sp, %bp
        movw (%bp), %cx
        movw 2(%bp), %dx
        lretw

sixteen_bits:
        T 3
        lidtl idt_desc
        lgdtl gdt_desc
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmp $0x18, $1f
1:      movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        /* a stack with B=0 uses SP and wraps at 64 KiB */
        movl %esp, %edi
        movl $0x00050004, %esp
        movl $0xcafe1234, %eax
        pushl %eax
        pushl %eax
        movl %esp, %ebx
        popl %ecx
        popl %edx
        movl %esp, %esi
        movl %edi, %esp
        xorl $0x5fffc, %ebx             /* 0004 - 8 = FFFC; the upper half stays */
        xorl $0x50004, %esi
        orl %esi, %ebx
        cmpl %ecx, %edx
        setne %cl
        movzbl %cl, %ecx
        orl %ecx, %ebx
        /* 286 gates: frames of three words, IF cleared by one and kept by the other */
        movl $0, gates_seen
        movw %sp, %si
        pushw $0x202
        popfw
        int $1
        int $3
        cli
        subw %sp, %si
        movzwl %si, %esi
        orl %esi, %ebx
        movw %sp, %di
        lcallw $0x40, $0
2:      subw %sp, %di
        movzwl %di, %edi
        orl %edi, %ebx
        cmpw $2b, %cx
        setne %al
        cmpw $0x18, %dx
        setne %ah
        orw %ax, %bx
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $SEG_BODY, $3f
3:      call real_again
        testl %ebx, %ebx
        REQ z
        cmpw $1, gates_seen
        REQ e
        cmpw $0x201, gates_seen + 2
        REQ e
        E
        ret

/* ---------------------------------------------------------------- W7-095, 096: descriptor tables, CR0 */

tables:
        T 5
        lgdtw gdt_high
        sgdtl gdt_read
        cmpw $0x1234, gdt_read
        REQ e
        cmpl $0x00cdef01, gdt_read + 2
        REQ e
        lgdtl gdt_high
        sgdtl gdt_read
        cmpl $0xabcdef01, gdt_read + 2
        REQ e
        lidtw gdt_high
        sidtl gdt_read
        cmpl $0x00cdef01, gdt_read + 2
        REQ e
        lidtl gdt_high
        sidtl gdt_read
        cmpl $0xabcdef01, gdt_read + 2
        REQ e
        cmpw $0x1234, gdt_read
        REQ e
        E
        lidtl real_idt
        lgdtl gdt_desc
        ret

/* PE and PG in one write, from real mode; illegal values fault and change nothing. */
paged_at_once:
        T 7
        movl %cr0, %ebx
        movl %ebx, %eax
        orl $0x80000000, %eax           /* PG without PE */
        FAULT 13, movl %eax, %cr0
        movl %ebx, %eax
        andl $0xbfffffff, %eax
        orl $0x20000000, %eax           /* NW without CD */
        FAULT 13, movl %eax, %cr0
        movl %cr0, %eax
        cmpl %ebx, %eax
        REQ e
        movl $0x64000, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x10, %eax                 /* PSE */
        movl %eax, %cr4
        lgdtl gdt_desc
        lidtl idt_desc
        movl %cr0, %eax
        orl $0x80000001, %eax
        movl %eax, %cr0
        ljmpl $0x08, $1f
        .code32
1:      SEGMENTS 0x20
        movl %cr0, %edx
        pushl %ds
        movl $0x30, %eax
        movl %eax, %ds
        movl 0x600000, %ecx             /* mapped to 200000 */
        popl %ds
        movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        LEAVE32 2f
2:      call real_again
        cmpl $0x600d0200, %ecx
        REQ e
        shrl $31, %edx
        REQ nz
        movl %cr4, %eax
        andl $~0x10, %eax
        movl %eax, %cr4
        E
        ret

/* LME: PG without PAE faults, with PAE sets LMA; then PAE may not be cleared. */
long_rules:
        T 8
        movl $0x60000, %eax
        movl %eax, %cr3
        ENTER32 1f
        .code32
1:      SEGMENTS 0x20
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        xorl %ebp, %ebp
        movl %cr4, %eax
        andl $~0x20, %eax
        movl %eax, %cr4
        movl $2f, fault_to
        movb $0xff, fault_vector
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0                 /* no PAE: #GP */
        incl %ebp
2:      cmpb $13, fault_vector
        je 3f
        incl %ebp
3:      movl %cr4, %eax
        orl $0x20, %eax
        movl %eax, %cr4
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        movl $0xc0000080, %ecx
        rdmsr
        movl %eax, %esi                 /* LME and LMA */
        lidtl idt64_desc                /* faults now take 64-bit gates */
        movl %esp, %edi
        ljmp $0x38, $FLAT_CODE + 4f
        .code64
4:      addl $FLAT_CODE, %esp
        movq %cr4, %rax
        andl $~0x20, %eax
        movl $FLAT_CODE + 5f, %r8d
        xorl %r9d, %r9d
        movq %rax, %cr4                 /* PAE off in long mode: #GP */
        incl %ebp
5:      movl $FLAT_CODE + 6f, %r8d
        movq %cr0, %rax
        andl $0x7fffffff, %eax
        movq %rax, %cr0                 /* PG off in 64-bit code: #GP, only compatibility mode may */
        incl %ebp
6:      movl $FLAT_CODE + 7f, %r8d
        movl $0xc0000080, %ecx
        rdmsr
        andl $~0x100, %eax
        wrmsr                           /* LME off with paging on: #GP */
        incl %ebp
7:      cmpl $3, %r9d
        je 8f
        orl $0x100, %ebp
8:      movl $FLAT_CODE, %edx           /* no 32-bit absolute addresses here: base and 16-bit offset */
        movl $gdt64, %r10d
        movl $gdt_read, %r11d
        lgdt (%rdx,%r10)
        sgdt (%rdx,%r11)
        movq 2(%rdx,%r11), %rax
        cmpq 2(%rdx,%r10), %rax
        movl $results_thrash + 6, %r10d
        sete (%rdx,%r10)
        movl $gdt_desc64, %r10d
        lgdt (%rdx,%r10)
        movb $0xd5, %ah
        sahf
        lahf
        movzbl %ah, %eax
        movl $lahf64, %r10d
        movl %eax, (%rdx,%r10)
        movl %edi, %esp
        addl $FLAT_CODE, %esp
        movl $9f, %eax
        pushq $0x08
        pushq %rax
        lretq
        .code32
9:      SEGMENTS 0x20
        movl %edi, %esp
        lidtl idt_desc
        movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        movl $0xc0000080, %ecx
        rdmsr
        movl %eax, %edx                 /* LMA has dropped, LME stays */
        movl %edx, %ebx
        andl $~0x100, %eax
        xorl %edx, %edx
        wrmsr
        movl %cr4, %eax
        andl $~0x20, %eax
        movl %eax, %cr4
        LEAVE32 10f
10:     call real_again
        testl %ebp, %ebp
        REQ z
        andl $0x500, %esi
        cmpl $0x500, %esi
        REQ e
        andl $0x500, %ebx
        cmpl $0x100, %ebx
        REQ e
        E
        ret

        .data
gdt_desc64: .word gdt_end - gdt - 1
        .long FLAT_CODE + gdt, 0
        .text
        .code64
/* #GP in 64-bit code: goes on at R8, counts in R9. */
fault64:
        incl %r9d
        addq $8, %rsp
        movq %r8, (%rsp)
        iretq
        .code16

/* ---------------------------------------------------------------- W7-097: page directory pointers */

pointers:
        T 9
        ENTER32 1f
        .code32
1:      SEGMENTS 0x20
        xorl %ebp, %ebp
        movl %cr4, %eax
        orl $0x20, %eax
        movl %eax, %cr4
        movl $0x63000, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        movl $0x30, %eax
        movl %eax, %gs
        movl %gs:0x40200000, %ebx       /* pointer 1 maps the first GiB again */
        /* pointer 1 taken away in memory: the loaded one counts until CR3 is written */
        movl $0, %gs:0x63008
        invlpg %gs:0x40200000
        movl %gs:0x40200000, %ecx
        cmpl %ebx, %ecx
        je 2f
        incl %ebp
2:      movl $0x62001, %gs:0x63008
        /* reserved bits: #GP at the write, nothing changes */
        movl $0x62003, %edx             /* bit 1 */
        call reserved
        movl $0x62021, %edx             /* bit 5 */
        call reserved
        movl $0x62101, %edx             /* bit 8 */
        call reserved
        movl $0x62001, %gs:0x63008
        movl $0x80000000, %gs:0x6300c   /* bit 63 */
        movl $3f, fault_to
        movb $0xff, fault_vector
        movl %cr3, %eax
        movl %eax, %cr3
        incl %ebp
3:      cmpb $13, fault_vector
        je 4f
        incl %ebp
4:      movl $0, %gs:0x6300c
        movl $0x621fe, %gs:0x63008      /* not present: no bit counts */
        movl %cr3, %eax
        movl %eax, %cr3
        movl $0x62001, %gs:0x63008
        movl %eax, %cr3
        cmpl $0x600d0200, %ebx
        je 5f
        incl %ebp
5:      movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        movl %cr4, %eax
        andl $~0x20, %eax
        movl %eax, %cr4
        jmp pointers_done
reserved:
        movl %edx, %gs:0x63008
        movl $6f, fault_to
        movb $0xff, fault_vector
        movl %cr3, %eax
        movl %eax, %cr3
        incl %ebp
6:      cmpb $13, fault_vector
        je 7f
        incl %ebp
7:      ret
pointers_done:
        LEAVE32 1f
1:      call real_again
        testl %ebp, %ebp
        REQ z
        E
        ret

mode_tests:
        pushal
        pushfw
        cli
        pushw %es
        pushw %fs
        pushw %gs
        sgdtl old_gdt
        inb $0x21, %al                  /* IF is set in places: no interrupts here */
        movb %al, masks
        inb $0xa1, %al
        movb %al, masks + 1
        movb $0xff, %al
        outb %al, $0x21
        outb %al, $0xa1
        call hook
        movl %esp, %eax
        subw $2, %ax                    /* the return address of each */
        movl %eax, stack_thrash
        call hidden_parts
        call sixteen_bits
        call tables
        call paged_at_once
        call long_rules
        call pointers
        call unhook
        movb masks, %al
        outb %al, $0x21
        movb masks + 1, %al
        outb %al, $0xa1
        lgdtl old_gdt
        popw %gs
        popw %fs
        popw %es
        popfw
        popal
        retl

/* ---------------------------------------------------------------- W7-093 */

round_trip:
        pushal
        pushfw
        cli
        pushw %es
        pushw %fs
        pushw %gs
        sgdtl old_gdt
        movl $0x60000, %eax
        movl %eax, %cr3
        ENTER32 1f
        .code32
1:      SEGMENTS 0x20
        movl %cr4, %eax
        orl $0x20, %eax
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        ljmp $0x38, $FLAT_CODE + 2f
        .code64
2:      addl $FLAT_CODE, %esp
        movabsq $0x123456789abcdef0, %rax
        movq %rax, %r15
        pushq %rax
        popq %rdx
        cmpq %r15, %rdx
        jne 3f
        shrq $32, %rdx
        cmpl $0x12345678, %edx
        jne 3f
        movl $FLAT_CODE + long_count, %edx
        incl (%rdx)
3:      movl $4f, %eax
        pushq $0x08
        pushq %rax
        lretq
        .code32
4:      SEGMENTS 0x20
        subl $FLAT_CODE, %esp
        pushl $0x5a5a5a5a               /* compatibility mode pushes 4 bytes */
        popl %edx
        movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        LEAVE32 5f
5:      call real_again
        lgdtl old_gdt
        movl %cr0, %eax
        movl %eax, trip_cr0
        movl %cr4, %eax
        movl %eax, trip_cr4
        movl $0xc0000080, %ecx
        rdmsr
        movl %eax, trip_efer
        popw %gs
        popw %fs
        popw %es
        popfw
        popal
        retl

/* After the last trip: LME and PAE off. */
leave_long:
        pushal
        movl $0xc0000080, %ecx
        rdmsr
        andl $~0x100, %eax
        wrmsr
        movl %cr4, %eax
        andl $~0x20, %eax
        movl %eax, %cr4
        popal
        retl

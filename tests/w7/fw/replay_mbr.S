/*
 * mbr-replay, first stage: a master boot record of our own that makes the BIOS and port calls of the one that Windows 7
 * writes, in its order: it moves itself to 0000:0600 and goes on there by RETF, looks for the active entry, asks for the
 * extensions, reads the boot record with a packet on its stack (66h pushes, LAHF/SAHF around the clean-up, PUSHAD/POPAD),
 * retries with resets, opens A20 through the 8042 (D1h, DFh, FFh) and asks INT 1Ah BB00h for a TPM.
 *
 * To see the error path, the first read asks for a sector that no disk has. What went well is a bit in 0000:0520, the most
 * polls of the 8042 the word at 0522; replay.c judges them.
 */
        .code16
        .set base, 0x600
        .set seen, 0x520
        .set polls, 0x522
        .text
        .globl _start
_start: xorw %ax, %ax
        movw %ax, %ss
        movw $0x7c00, %sp
        movw %ax, %ds
        movw %ax, %es
        movw %ax, seen
        movw %ax, polls
        movw $0x7c00, %si
        movw $base, %di
        movw $512, %cx
        cld
        rep movsb
        pushw %ax
        pushw $moved - _start + base
        lret

moved:  sti
        orw $1, seen
        movw $base + 0x1be, %bp
        movw $4, %cx
1:      cmpb $0, (%bp)
        jl active
        jne stop
        addw $16, %bp
        loop 1b
        int $0x18
stop:   hlt
        jmp stop

active: movb %dl, drive - _start + base
        movl $-1, %edi                  /* LBA of the first attempt */
        movw $5, %cx
attempt:
        pushw %cx
        movb $0x41, %ah
        movw $0x55aa, %bx
        movb drive - _start + base, %dl
        int $0x13
        jc failed
        cmpw $0xaa55, %bx
        jne failed
        testb $1, %cl
        jz failed
        movl $0x1234abcd, %ebx
        movl $0xfeedbeef, %edx
        pushal
        pushl $0
        pushl %edi
        pushw $0
        pushw $0x7c00
        pushw $1
        pushw $16
        movb $0x42, %ah
        movb drive - _start + base, %dl
        movw %sp, %si
        int $0x13
        lahf
        addw $16, %sp                   /* changes the carry, which SAHF brings back */
        sahf
        popal
        jnc good
        cmpl $-1, %edi
        jne failed
        orw $2, seen                    /* the error was seen */
        xorw %ax, %ax
        movb drive - _start + base, %dl
        int $0x13                       /* reset, then the right sector */
        jc failed
        orw $4, seen
        movl 8(%bp), %edi
failed: popw %cx
        loop attempt
        jmp stop

good:   popw %cx
        orw $8, seen
        cmpl $0x1234abcd, %ebx
        jne 1f
        cmpl $0xfeedbeef, %edx
        jne 1f
        orw $16, seen
1:      cmpw $0xaa55, 0x7dfe
        jne stop

        call empty
        jnz 2f
        movb $0xd1, %al
        outb %al, $0x64
        call empty
        movb $0xdf, %al
        outb %al, $0x60
        call empty
        movb $0xff, %al
        outb %al, $0x64
        call empty
        jnz 2f
        orw $32, seen
2:
        movw $0xbb00, %ax
        movzwl %ax, %eax
        int $0x1a
        andl %eax, %eax
        jnz 3f
        cmpl $0x41504354, %ebx
        jne 3f
        cmpw $0x0102, %cx
        jb 3f
        jmp 4f                          /* a TPM: BB07h would follow, which we have not got */
3:      orw $64, seen
4:      movb drive - _start + base, %dl
        movw %bp, %si
        ljmp $0, $0x7c00

/* Waits for the 8042's input buffer to be empty, at most 65536 polls; ZF: it is. */
empty:  pushw %cx
        xorw %cx, %cx
1:      inb $0x64, %al
        testb $2, %al
        loopnz 1b
        pushfw
        negw %cx
        cmpw polls, %cx
        jbe 2f
        movw %cx, polls
2:      popfw
        popw %cx
        ret
drive:  .byte 0

        .org 0x1b4
        .word 0                         /* mkimg's count of program sectors, used by the next stage */
        .org 0x1fe
        .word 0xaa55

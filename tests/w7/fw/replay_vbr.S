/*
 * mbr-replay, second stage: a boot record of our own with 15 more sectors, which calls the BIOS as the NTFS boot record of
 * Windows 7 does: AH=41h is a must; AH=48h with a buffer of 26 bytes on the stack, right below saved registers; sector by
 * sector reads with the packet on the stack, ES going up from 07E0h; INT 1Ah BB00h again; REP STOSB over 0FD8h bytes at
 * 07C0:1028. The second half then works as its loader does, in real mode with 32-bit addresses (67h 66h forms, scaled
 * index), DIV and MUL, shifts by CL, REP MOVSB, update-sequence fix-ups, and loads the "file": the probe from LBA 1 to
 * 2000:0000, then 512 stamped sectors from LBA 4096 to 3000:0000, one sector a call. It enters the program by RETF.
 *
 * Bits of what went well: word at 0000:0524; replay.c judges them.
 */
        .code16
        .set seen, 0x524
        .text
        .globl _start
_start: jmp start
        .org 3
oem:    .ascii "W7REPLAY"
        .org 0x0b
        .word 512                       /* bytes per sector, as in a BPB */
        .org 0x0e
drive:  .byte 0
        .org 0x10
lba:    .long 0
to:     .word 0

start:  cli
        xorw %ax, %ax
        movw %ax, %ss
        movw $0x7c00, %sp
        sti
        movw $0x07c0, %ax
        movw %ax, %ds
        movw %ax, %es
        movb %dl, drive
        pushw $0
        popw %fs
        movw $0, %fs:seen
        movl %fs:8(%si), %eax           /* the partition entry: where we come from */
        incl %eax
        movl %eax, lba
        cld
        movw $oem, %si
        movw $name, %di
        movw $8, %cx
        repe cmpsb
        jne halt

        movb $0x41, %ah
        movw $0x55aa, %bx
        movb drive, %dl
        int $0x13
        jc halt
        cmpw $0xaa55, %bx
        jne halt
        testw $1, %cx
        jz halt
        orw $1, %fs:seen

        pushl $0x5a17c0de               /* what a byte too many would destroy */
        pushw %ds
        subw $0x18, %sp
        pushw $0x1a
        movb $0x48, %ah
        movb drive, %dl
        movw %sp, %si
        pushw %ss
        popw %ds
        int $0x13
        lahf
        popw %bx                        /* the size word */
        addw $0x16, %sp
        popw %dx                        /* bytes per sector, at +18h */
        sahf
        popw %ds
        popl %ecx
        jc halt
        cmpl $0x5a17c0de, %ecx
        jne halt
        movw %ds, %ax
        cmpw $0x07c0, %ax
        jne halt
        cmpw 0x0b, %dx
        jne halt
        cmpw $0x1a, %bx
        jne halt
        orw $2, %fs:seen

        movw $0x07e0, to
        movw $15, %cx
1:      pushw %cx
        call read_one
        popw %cx
        addw $0x20, to
        incl lba
        loop 1b
        orw $4, %fs:seen

        movl $0xbb00, %eax
        int $0x1a
        orl %eax, %eax
        jnz 2f
        cmpl $0x41504354, %ebx
        je halt
2:      orw $8, %fs:seen

        pushw %ds
        popw %es
        movw $0x1028, %di
        movw $0x0fd8, %cx
        xorw %ax, %ax
        rep stosb
        jmp second

halt:   hlt
        jmp halt
name:   .ascii "W7REPLAY"

/* One sector, LBA `lba`, to `to`:0000; all registers stay. */
read_one:
        pushal
        pushw %ds
        pushw %es
        pushl $0
        pushl lba
        pushw to
        pushw $0
        pushw $1
        pushw $16
        movb $0x42, %ah
        movb drive, %dl
        pushw %ss
        popw %ds
        movw %sp, %si
        int $0x13
        popl %ebx
        popl %ebx
        popl %ebx
        popl %ebx
        popw %es
        popw %ds
        jc halt
        popal
        ret

        .org 0x1fe
        .word 0xaa55

/* ---------------------------------------------------------------- loaded by the first sector */

second: orw $16, %fs:seen
        /* A record with an update sequence: the last word of each half is kept at its head. */
        movzwl %cs:record - _start + 0x7c00 + 4, %ebx
        movl $record, %eax
        addl %eax, %ebx                 /* the update sequence array */
        movzwl record + 6, %ecx
        decl %ecx
        movl $record + 62, %edi
1:      addl $2, %ebx
        movw (%ebx), %dx
        movw record + 8, %ax
        cmpw (%edi), %ax
        jne halt
        movw %dx, (%edi)
        addl $64, %edi
        loopl 1b

        /* Attributes: type, length, value; the one of type 80h, found by scaled addressing. */
        movl $record, %esi
        movzwl 0x14(%esi), %ecx         /* offset of the first, in words */
2:      movl (%esi,%ecx,2), %eax
        cmpl $-1, %eax
        je halt
        cmpl $0x80, %eax
        je 3f
        movl 4(%esi,%ecx,2), %edx
        shrl $1, %edx
        addl %edx, %ecx
        jmp 2b
3:      leal 8(%esi,%ecx,2), %ebx       /* cluster size as a shift, file size, first sector */
        movb (%ebx), %cl
        movl $1, %eax
        shll %cl, %eax
        movl %eax, %edi                 /* 4096 */
        movl 4(%ebx), %eax
        xorl %edx, %edx
        divl %edi                       /* clusters */
        orl %edx, %edx
        jnz halt
        mull 8(%ebx)
        shrl %cl, %eax
        shll $4, %eax
        cmpl $1024, %eax
        jne halt
        /* A copy with 32-bit addresses, there and back. */
        movl $record, %esi
        movl $0x9000, %edi
        movl $128, %ecx
        addr32 rep movsb
        movl $0x9000, %esi
        movl $0x9100, %edi
        movl $32, %ecx
        addr32 rep movsl
        movl $record, %esi
        movl $0x9100, %edi
        movl $32, %ecx
        addr32 repe cmpsl
        jne halt
        orw $32, %fs:seen

        movl $1, lba
        movw $0x2000, to
        movw %fs:0x600 + 0x1b4, %cx     /* the moved MBR knows the program's length */
        call read_many
        movl $4096, lba
        movw $0x3000, to
        movw $512, %cx
        call read_many
        orw $64, %fs:seen

        xorw %ax, %ax
        movw $0x600, %di                /* struct entry: only DX counts */
        movw %ax, %es
        movw $10, %cx
        rep stosw
        movb drive, %dl
        movb %dl, %es:0x604
        movw $0x03e8, %ax
        movw %ax, %es
        movw $0x000b, %si
        xorw %ax, %ax
        pushw $0x2000
        pushw %ax
        lret

read_many:
        pushw %cx
        call read_one
        addw $0x20, to
        incl lba
        popw %cx
        loop read_many
        ret

        .org 0x400
record: .ascii "FILE"
        .word 0x0a, 3                   /* update sequence: at 0Ah, three words */
        .word 0x0007
        .word 0x0007, 0x0000, 0xbbbb    /* its number, then the words that belong to 3Eh and 7Eh */
        .org 0x414
        .word 0x0c                      /* first attribute, in words */
        .org 0x418
        .long 0x10, 16, 1, 2
        .long 0x30, 20, 3, 4, 5
        .word 0x80, 0x0007              /* type 80h once the fix-up is done */
        .long 24
        .byte 12, 0, 0, 0               /* clusters of 4096 bytes, 4 MiB, times 256 */
        .long 0x400000, 256, 0
        .long -1
        .org 0x47e
        .word 0x0007
        .org 0x2000

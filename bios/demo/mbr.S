/* Boot sector of the demo disk: reads the second stage, which follows it on the disk, to 0000:8000
   and jumps there. Extended reads (EDD) where the BIOS has them, else by cylinder, head and sector.
   mkdemo writes the number of sectors and the partition table. */

    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    ljmp $0, $1f
1:  movb %dl, drive
    movb $0x41, %ah
    movw $0x55aa, %bx
    int $0x13
    jc by_chs
    cmpw $0xaa55, %bx
    jne by_chs
    testb $1, %cl
    jz by_chs
    movb $1, has_edd
    jmp next
by_chs:
    movb drive, %dl
    movb $8, %ah
    int $0x13
    jc fail
    andw $0x3f, %cx
    jz fail
    movw %cx, sectors_per_track
    movzbw %dh, %ax
    incw %ax
    movw %ax, heads
    xorw %ax, %ax
    movw %ax, %es
next:
    cmpw $0, count
    je done
    cmpb $0, has_edd
    je 1f
    movb $0x42, %ah
    movw $packet, %si
    jmp 2f
1:  movw lba, %ax
    xorw %dx, %dx
    divw sectors_per_track
    movw %dx, %cx
    incw %cx                        /* sector */
    xorw %dx, %dx
    divw heads
    movb %al, %ch                   /* cylinder, below 256 */
    movb %dl, %dh                   /* head */
    movw segment, %es
    xorw %bx, %bx
    movw $0x0201, %ax
2:  movb drive, %dl
    int $0x13
    jc fail
    addw $0x20, segment
    incw lba
    decw count
    jmp next
done:
    movb drive, %dl
    ljmp $0, $0x8000
fail:
    movw $message, %si
1:  lodsb
    testb %al, %al
    jz 2f
    movw $7, %bx
    movb $0x0e, %ah
    int $0x10
    jmp 1b
2:  hlt
    jmp 2b

message:
    .asciz "demo: the disk cannot be read\r\n"
drive: .byte 0
has_edd: .byte 0
sectors_per_track: .word 0
heads: .word 0
    .balign 4
packet:
    .word 16, 1, 0
segment:
    .word 0x0800
lba:
    .long 1, 0

    .org 0x1b6
count:                              /* by mkdemo */
    .word 0
    .org 0x1fe
    .byte 0x55, 0xaa

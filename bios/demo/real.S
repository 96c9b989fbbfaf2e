/* Second stage, real-mode half: asks the BIOS what only the BIOS knows (memory map, VBE modes, EDID),
   sets a linear 32-bit mode and enters the 32-bit half (demo_main). The answers are left in the
   objects at the end, which demo.h declares. Loaded at 0000:8000. */

    .section .real, "awx"
    .code16
    .globl stage2
stage2:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    call fast_a20
    call memory_map
    call vbe_modes
    call edid
    cmpl $0, boot_pitch
    je no_mode
    movw $0x4f02, %ax
    movw boot_mode, %bx
    orw $0x4000, %bx
    int $0x10
    cmpw $0x004f, %ax
    jne no_mode
    cli
    lgdtl gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $protected

no_mode:
    movw $3, %ax
    int $0x10
    movw $no_mode_text, %si
1:  lodsb
    testb %al, %al
    jz 2f
    movw $7, %bx
    movb $0x0e, %ah
    int $0x10
    jmp 1b
2:  hlt
    jmp 2b

fast_a20:
    movw $0x2401, %ax
    int $0x15
    inb $0x92, %al
    testb $2, %al
    jnz 1f
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
1:  ret

/* INT 15h E820h, at most 32 entries of 20 bytes. */
memory_map:
    xorl %ebx, %ebx
    movw $boot_e820, %di
1:  movl $0xe820, %eax
    movl $20, %ecx
    movl $0x534d4150, %edx
    int $0x15
    jc 2f
    cmpl $0x534d4150, %eax
    jne 2f
    incl boot_e820_count
    addw $20, %di
    cmpl $32, boot_e820_count
    jae 2f
    testl %ebx, %ebx
    jnz 1b
2:  ret

/* Looks at every mode of the list; wants 1024x768, else 800x600, else 640x480, linear, 32 bits. */
vbe_modes:
    movw $vbe_info, %di
    movl $0x32454256, (%di)
    movw $0x4f00, %ax
    int $0x10
    cmpw $0x004f, %ax
    jne 9f
    movw vbe_info + 4, %ax
    movw %ax, boot_vbe_version
    movw vbe_info + 18, %ax
    movw %ax, boot_vbe_memory
    lfs vbe_info + 14, %si
    movw $256, %bp                  /* a list without end is cut */
1:  movw %fs:(%si), %cx
    addw $2, %si
    cmpw $0xffff, %cx
    je 9f
    decw %bp
    jz 9f
    movw %cx, candidate
    movw $mode_info, %di
    movw $0x4f01, %ax
    pushw %si
    pushw %bp
    pushw %fs
    int $0x10
    popw %fs
    popw %bp
    popw %si
    cmpw $0x004f, %ax
    jne 1b
    incw boot_mode_count
    movw mode_info, %ax
    andw $0x0090, %ax
    cmpw $0x0090, %ax
    jne 1b
    cmpb $32, mode_info + 0x19
    jne 1b
    cmpb $6, mode_info + 0x1b
    jne 1b
    movw mode_info + 0x12, %ax
    movw $3, %dx
    cmpw $1024, %ax
    movw $768, %cx
    je 3f
    decw %dx
    cmpw $800, %ax
    movw $600, %cx
    je 3f
    decw %dx
    cmpw $640, %ax
    movw $480, %cx
    jne 1b
3:  cmpw %cx, mode_info + 0x14
    jne 1b
    cmpw best, %dx
    jbe 1b
    movw %dx, best
    movw candidate, %ax
    movw %ax, boot_mode
    movzwl mode_info + 0x12, %eax
    movl %eax, boot_width
    movzwl mode_info + 0x14, %eax
    movl %eax, boot_height
    movzwl mode_info + 0x10, %eax
    movl %eax, boot_pitch
    movl mode_info + 0x28, %eax
    movl %eax, boot_lfb
    jmp 1b
9:  ret

edid:
    movw $0x4f15, %ax
    movw $1, %bx
    xorw %cx, %cx
    xorw %dx, %dx
    movw $boot_edid, %di
    int $0x10
    cmpw $0x004f, %ax
    jne 1f
    movl $1, boot_has_edid
1:  ret

    .code32
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $0x7c00, %esp
    call demo_main
1:  cli
    hlt
    jmp 1b

/* Interrupt entries: vector number and error code, then one common path to C. */
    .text
    .altmacro
    .macro vector_entry n
vector_\n:
    .if !((\n == 8) || ((\n >= 10) && (\n <= 14)) || (\n == 17))
    pushl $0
    .endif
    pushl $\n
    jmp interrupt_common
    .endm
    .set i, 0
    .rept 48
    vector_entry %i
    .set i, i + 1
    .endr
interrupt_common:
    pushal
    cld
    movl 32(%esp), %eax
    movl 40(%esp), %edx             /* EIP, after the error code */
    pushl %edx
    pushl %eax
    call interrupt
    addl $8, %esp
    popal
    addl $8, %esp
    iretl

    .macro vector_address n
    .long vector_\n
    .endm
    .section .rodata
    .globl vector_table
vector_table:
    .set i, 0
    .rept 48
    vector_address %i
    .set i, i + 1
    .endr

    .section .real
no_mode_text:
    .asciz "demo: this display has no linear 32-bit VBE mode\r\n"
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:
    .word 23
    .long gdt
candidate: .word 0
best: .word 0
    .globl boot_e820, boot_e820_count, boot_lfb, boot_width, boot_height, boot_pitch, boot_mode
    .globl boot_mode_count, boot_vbe_version, boot_vbe_memory, boot_has_edid, boot_edid
    .balign 4
boot_e820_count: .long 0
boot_e820: .fill 32 * 20, 1, 0
boot_lfb: .long 0
boot_width: .long 0
boot_height: .long 0
boot_pitch: .long 0
boot_mode: .word 0
boot_mode_count: .word 0
boot_vbe_version: .word 0
boot_vbe_memory: .word 0
boot_has_edid: .long 0
boot_edid: .fill 128, 1, 0
vbe_info: .fill 512, 1, 0
mode_info: .fill 256, 1, 0

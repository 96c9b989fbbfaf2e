/* VBE window function for direct calls and the 32-bit protected-mode interface (VBE 3.0, 4F0Ah).
   The 32-bit part is position independent, as the caller copies pmi_table..pmi_end anywhere; it is
   entered by near calls and uses only ports 1CEh, 1CFh and 3C8h, 3C9h. */

    .text
    .code16
/* Far call, registers as 4F05h: BH=0 set, BH=1 get, BL=window, DX=bank. */
    .globl far_window
far_window:
    pushw %dx
    movw $0x1ce, %dx
    movw $5, %ax
    outw %ax, %dx
    incw %dx
    cmpb $0, %bh
    je 1f
    inw %dx, %ax
    addw $2, %sp
    movw %ax, %dx
    movw $0x004f, %ax
    lretw
1:  popw %ax
    outw %ax, %dx
    movw %ax, %dx
    movw $0x004f, %ax
    lretw

    .section .rom, "a"
    .code32
    .balign 4
    .globl pmi_table, pmi_end
pmi_table:
    .word pmi_window - pmi_table
    .word pmi_start - pmi_table
    .word pmi_palette - pmi_table
    .word pmi_ports - pmi_table
pmi_ports:
    .word 0x1ce, 0x1cf, 0x3c8, 0x3c9, 0xffff
    .word 0xffff                    /* no memory besides the frame buffer */

/* BL=0, BH=0 set or 1 get, DX=bank. */
pmi_window:
    pushl %ecx
    movl %edx, %ecx
    movw $0x1ce, %dx
    movw $5, %ax
    outw %ax, %dx
    incl %edx
    cmpb $0, %bh
    jne 1f
    movl %ecx, %eax
    outw %ax, %dx
    jmp 2f
1:  inw %dx, %ax
    movl %eax, %ecx
2:  movl %ecx, %edx
    movw $0x004f, %ax
    popl %ecx
    ret

/* BL=00h or 80h, CX and DX: low and high half of the start address in dwords. */
pmi_start:
    pushal
    movzwl %cx, %esi
    shll $16, %edx
    orl %edx, %esi
    shll $2, %esi                   /* in bytes */
    movl $6, %eax
    call read_dispi
    movl %eax, %ebx                 /* virtual width */
    movl $3, %eax
    call read_dispi
    addl $7, %eax
    shrl $3, %eax
    jnz 1f
    incl %eax
1:  movl %eax, %ecx                 /* bytes a pixel */
    imull %eax, %ebx                /* bytes a line */
    testl %ebx, %ebx
    jz 2f
    movl %esi, %eax
    xorl %edx, %edx
    divl %ebx
    movl %eax, %edi                 /* first line */
    movl %edx, %eax
    xorl %edx, %edx
    divl %ecx
    movl %eax, %ecx                 /* first column */
    movl $8, %eax
    call write_dispi
    movl %edi, %ecx
    movl $9, %eax
    call write_dispi
2:  popal
    movw $0x004f, %ax
    ret

/* BL=00h or 80h, CX entries from DX at ES:EDI, each blue, green, red, filler. */
pmi_palette:
    pushal
    movzwl %cx, %ecx
    jecxz 2f
    movl %edx, %eax
    movl $0x3c8, %edx
    outb %al, %dx
    incl %edx
1:  movb %es:2(%edi), %al
    outb %al, %dx
    movb %es:1(%edi), %al
    outb %al, %dx
    movb %es:(%edi), %al
    outb %al, %dx
    addl $4, %edi
    loop 1b
2:  popal
    movw $0x004f, %ax
    ret

read_dispi:                         /* EAX = register -> EAX = value */
    pushl %edx
    movl $0x1ce, %edx
    outw %ax, %dx
    incl %edx
    inw %dx, %ax
    movzwl %ax, %eax
    popl %edx
    ret

write_dispi:                        /* EAX = register, ECX = value */
    pushl %edx
    movl $0x1ce, %edx
    outw %ax, %dx
    incl %edx
    movl %ecx, %eax
    outw %ax, %dx
    popl %edx
    ret
pmi_end:

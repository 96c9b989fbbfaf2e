/*
 * mips.S: a boot sector that executes a known number of instructions and ends the emulator through
 * the test-exit port.  bench.sh runs it with few and with many rounds; the difference in wall time
 * over the difference in instructions is the speed, whatever start-up costs.
 *
 * -DROUNDS=N   rounds of the loop; every round is 16 instructions
 * -DMIX        loads, stores, stack, call and branches, instead of register arithmetic only
 */
        .code16
        .globl  start
start:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   table
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $flat

        .code32
flat:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x60000, %esp                  /* far from the code: no self-modification */
        movl    $ROUNDS, %ecx
        movl    $0x10000, %ebx
        movl    $0x12345, %eax
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        .balign 16
round:
#ifdef MIX
        movl    (%ebx), %edx
        addl    %eax, %edx
        movl    %edx, (%ebx)
        movzbl  4(%ebx), %esi
        addl    %esi, %edi
        pushl   %edx
        call    leaf                    /* and its ret */
        popl    %ebp
        cmpl    %ebp, %edi
        je      1f                      /* the next one either way */
1:      incl    8(%ebx)
        testb   $1, %al
        leal    1(%eax,%edi), %eax
#else
        addl    %eax, %edx
        xorl    %edx, %esi
        roll    $5, %esi
        subl    %esi, %edi
        leal    3(%edi,%eax,2), %eax
        andl    $0xffffff, %edi
        orl     %ecx, %ebp
        movl    %ebp, %ebx
        shrl    $3, %ebx
        adcl    %ebx, %edx
        notl    %ebp
        cmpl    %edx, %esi
        incl    %esi
        movl    %esi, %ebp
#endif
        decl    %ecx
        jnz     round
        movb    $3, %al
        outb    %al, $0xf4
        hlt
leaf:
        ret

        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
table:
        .word   . - gdt - 1
        .long   gdt
        .org    510
        .word   0xaa55

/* Start-up of the bare-metal programs: the multiboot header, from the loader's 32-bit state to bm_main, and the 256 interrupt entries.
 * One file for both widths; see bm.h. Multiboot 0.6.96: EAX = 2BADB002h, EBX = information structure, flat segments, interrupts off. */
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002, 0x00000003, -(0x1BADB002 + 0x00000003)

    .section .bss
    .align 4096
#ifdef __x86_64__
    .globl bm_pml4, bm_pdpt
bm_pml4:
    .skip 4096
bm_pdpt:
    .skip 4096
page_directories:
    .skip 4 * 4096
#endif
    .align 16
stack:
    .skip 65536
stack_top:
    .globl bm_idt
    .align 16
bm_idt:
    .skip 256 * 16

    .data
    .align 16
    .globl bm_gdt
bm_gdt:
    .quad 0
#ifdef __x86_64__
    .quad 0x00af9b000000ffff
#else
    .quad 0x00cf9b000000ffff
#endif
    .quad 0x00cf93000000ffff
    .quad 0x00cf9b000000ffff
    .fill 28, 8, 0
gdt_end:
gdtr:
    .word gdt_end - bm_gdt - 1
#ifdef __x86_64__
    .quad bm_gdt
#else
    .long bm_gdt
#endif
idtr:
    .word 256 * 16 - 1
#ifdef __x86_64__
    .quad bm_idt
#else
    .long bm_idt
#endif

    .text
    .code32
    .globl bm_start
bm_start:
    cli
    cld
    mov $stack_top, %esp
    lgdt gdtr
#ifdef __x86_64__
    /* 4 GiB identity map: 2048 pages of 2 MiB, present, writable, supervisor */
    mov $bm_pdpt + 3, %eax
    mov %eax, bm_pml4
    mov $bm_pdpt, %edi
    mov $page_directories + 3, %eax
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $8, %edi
    add $4096, %eax
    loop 1b
    mov $page_directories, %edi
    mov $0x83, %eax
    mov $2048, %ecx
2:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 2b
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $bm_pml4, %eax
    mov %eax, %cr3
    mov $0xC0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $0x08, $start_long
    .code64
start_long:
    mov $stack_top, %rsp
    mov %ebx, %edi
    push $0
    push $0
#else
    ljmp $0x08, $1f
1:  push $0
    push $0
    push $0
    push %ebx
#endif
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    call bm_begin       /* does not come back */
3:  hlt
    jmp 3b

    .globl bm_load_idt
bm_load_idt:
    lidt idtr
    ret

    /* --- interrupt entries: 16 bytes each, all bring an error code or 0, then the vector --- */
    .align 16
    .globl bm_entries
bm_entries:
    .set n, 0
    .rept 256
    .align 16
    .if (n == 8) | ((n >= 10) & (n <= 14)) | (n == 17) | (n == 21) | (n == 29) | (n == 30)
    .else
    push $0
    .endif
#ifdef __x86_64__
    .byte 0x68
    .long n             /* sign-extended: vectors are below 80000000h */
#else
    push $n
#endif
    jmp common
    .set n, n + 1
    .endr

common:
#ifdef __x86_64__
    push %r15
    push %r14
    push %r13
    push %r12
    push %r11
    push %r10
    push %r9
    push %r8
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    cld
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call bm_interrupt
    mov %rbx, %rsp
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    add $16, %rsp
    iretq
#else
    push %eax
    push %ecx
    push %edx
    push %ebx
    push %ebp
    push %esi
    push %edi
    cld
    push %esp
    call bm_interrupt
    add $4, %esp
    pop %edi
    pop %esi
    pop %ebp
    pop %ebx
    pop %edx
    pop %ecx
    pop %eax
    add $8, %esp
    iret
#endif

    /* int bm_try_call(void (*fn)(void *), void *arg, word *save): -1, or what bm_try_leave(vector, *save) says */
    .globl bm_try_call, bm_try_leave
bm_try_call:
#ifdef __x86_64__
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    pushfq
    mov %rsp, (%rdx)
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    mov $-1, %eax
4:  popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
bm_try_leave:
    mov %edi, %eax
    mov $0x10, %ecx
    mov %ecx, %ss
    mov %ecx, %ds
    mov %ecx, %es
    mov %rsi, %rsp
    jmp 4b
#else
    push %ebp
    push %ebx
    push %esi
    push %edi
    pushfl
    mov 32(%esp), %eax
    mov %esp, (%eax)
    mov 24(%esp), %eax
    push 28(%esp)
    call *%eax
    add $4, %esp
    mov $-1, %eax
4:  popfl
    pop %edi
    pop %esi
    pop %ebx
    pop %ebp
    ret
bm_try_leave:
    mov 4(%esp), %eax
    mov 8(%esp), %edx
    mov $0x10, %ecx
    mov %ecx, %ss
    mov %ecx, %ds
    mov %ecx, %es
    mov %edx, %esp
    jmp 4b
#endif

/* expect: exit 171. Real mode, flat 32-bit, 16-bit protected, back to real with a 4 GiB data segment, 64-bit, compatibility mode, back
 * to 32-bit without paging. */
#include "guest.inc"
    .code16
main16:
    mov $0x1234, %ax
    cmp $0x1234, %ax
    CHECK e, 1
    ENTER32
    mov %cs, %eax
    cmp $SEL_CODE32, %ax
    CHECK e, 2
    movl $0x55aa1234, 0x100000
    cmpl $0x55aa1234, 0x100000
    CHECK e, 3
    TRY
    mov $0x88, %eax
    mov %eax, %gs
    CAUGHT 13, 0x88, 4
    TRY
    ud2
    CAUGHT 6, 0, 5

    /* 16-bit protected mode and back to real mode */
    ljmp $SEL_CODE16, $OFS(pm16)
    .code16
pm16:
    mov $SEL_DATA16, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0xe000, %sp
    call sub16
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0x2000, $OFS(real2)
sub16:
    ret
real2:
    mov $0x2000, %ax
    mov %ax, %ds
    mov %ax, %ss
    /* ES kept the 4 GiB limit of its protected-mode load */
    xor %ax, %ax
    mov %ax, %es
    mov $0x100000, %ebx
    cmpl $0x55aa1234, %es:(%ebx)
    CHECK e, 6
    /* interrupt through the real-mode table */
    mov $SEL_DATA16, %dx
    lidtl OFS(idt_real)
    movw $OFS(isr), %es:(0x60*4)
    movw $0x2000, %es:(0x60*4+2)
    int $0x60
    cmp $0xbeef, %ax
    CHECK e, 7

    /* 64-bit mode */
    lgdtl OFS(gdt_ptr)
    mov $0x10000, %edi
    mov $0x11007, %eax
    mov %eax, %es:(%edi)
    movl $0, %es:4(%edi)
    movl $0x12007, %es:0x1000(%edi)
    movl $0, %es:0x1004(%edi)
    movl $0x87, %es:0x2000(%edi)
    movl $0, %es:0x2004(%edi)
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov %edi, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax
    mov %eax, %cr0
    ljmpl $SEL_CODE64, $long_entry
isr:
    mov $0xbeef, %ax
    iret

    .code64
long_entry:
    mov $SEL_DATA32, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $0x1f000, %rsp
    mov $0x123456789abcdef0, %rax
    push %rax
    pop %rbx
    cmp %rax, %rbx
    CHECK e, 8
    mov $0xc0000080, %ecx
    rdmsr
    test $0x400, %eax
    CHECK nz, 9
    lea here(%rip), %rax
    mov $here, %ebx
    cmp %rax, %rbx
    CHECK e, 10
here:
    xor %r8d, %r8d
    inc %r8
    cmp $1, %r8
    CHECK e, 11
    /* compatibility mode */
    pushq $SEL_CODE32
    pushq $compat
    lretq
    .code32
compat:
    mov $-1, %eax
    inc %eax       /* 40h: an instruction here, a REX prefix in 64-bit code */
    CHECK z, 12
    push %eax
    pop %ebx
    ljmp $SEL_CODE64, $long2
    .code64
long2:
    mov $0x1ffffffff, %rax
    mov %eax, %eax
    mov $0xffffffff, %ebx
    cmp %rbx, %rax
    CHECK e, 13
    movabs $far_ptr, %rax
    ljmp *(%rax)
far_ptr:
    .long leave_long
    .word SEL_CODE32
    .code32
leave_long:
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    mov $0xc0000080, %ecx
    rdmsr
    test $0x400, %eax
    CHECK z, 14
    and $~0x100, %eax
    wrmsr
    cmpl $0x55aa1234, 0x100000
    CHECK e, 15
    PASS

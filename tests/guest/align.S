/* expect: exit 171. Alignment check: #AC(0) exactly at level 3 with CR0.AM and EFLAGS.AC, for each operand size, the stack included. */
#include "guest.inc"
    .code16
main16:
    ENTER32
    movb $0xef, idt+0x40*8+5 /* INT 40h is open to level 3 */
    fninit
    mov %cr0, %eax
    and $~0x40000, %eax
    mov %eax, %cr0
    /* AM = 0: nothing, at either level */
    movl $r1, resume
    call to_user
r1: cmpl $0x40, exc_vec
    CHECK e, 1
    mov %cr0, %eax
    or $0x40000, %eax
    mov %eax, %cr0
    /* AM and AC at level 0: nothing */
    movl $-1, exc_vec
    pushl $0x40002
    popf
    mov word1, %eax
    pushl $2
    popf
    cmpl $-1, exc_vec
    CHECK e, 2
    /* level 3: each access in turn */
    xor %esi, %esi
next:
    movl $r2, resume
    call to_user
r2: cmpl $17, exc_vec
    jne 1f
    cmpl $0, exc_err
    jne 1f
    mov accesses(,%esi,4), %eax
    cmp %eax, exc_eip
    je 2f
1:  lea 0x20(%esi), %eax
    out %al, $0xf4
2:  inc %esi
    cmp $(accesses_end - accesses) / 4, %esi
    jne next
    /* bytes, aligned operands and AC = 0 are fine */
    movl $aligned, user_ip
    movl $r3, resume
    call to_user
r3: cmpl $0x40, exc_vec
    CHECK e, 3
    movl $0, user_ip
    movl $2, user_flags
    xor %esi, %esi
    movl $r4, resume
    call to_user
r4: cmpl $0x40, exc_vec
    CHECK e, 4
    PASS

to_user:
    mov %esp, resume_esp
    addl $4, resume_esp
    movl $-1, exc_vec
    pushl $SEL_UDATA
    pushl $0x1d000
    pushl user_flags
    pushl $SEL_UCODE32
    mov user_ip, %eax
    test %eax, %eax
    jnz 1f
    mov accesses(,%esi,4), %eax
1:  push %eax
    mov $SEL_UDATA, %eax
    mov %eax, %ds
    mov %eax, %es
    iret

    .macro ACCESS n, code:vararg
a\n: \code
    int $0x40
    .endm
    ACCESS 0, mov word1, %ax
    ACCESS 1, mov word1+1, %eax
    ACCESS 2, mov %eax, word1+1
    ACCESS 3, incl word1+1
    ACCESS 4, fldl word1+3
    ACCESS 5, fldt word1+3
    ACCESS 6, lgdt 0(,%eax,1)
    ACCESS 7, cmpxchg8b word1+3
    ACCESS 8, les word1, %eax
aligned:
    mov word1, %al
    mov word0, %eax
    movw word0+2, %ax
    fldl word0
    fldt word0
    int $0x40
    .balign 4
user_flags: .long 0x40002
user_ip: .long 0
accesses: .long a0, a1, a2, a3, a4, a5, a7, a8
accesses_end:
    .balign 16
word0: .byte 0
word1: .fill 31, 1, 0

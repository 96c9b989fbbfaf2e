/* expect: exit 171. Page-fault error codes over rights x access x level in 2-level and PAE paging, NX, accessed and dirty bits, INVLPG,
 * global pages over CR3 loads, 4 MiB pages. */
#include "guest.inc"
    .set DIR, 0x40000   /* 2-level directory, tables 41000 (0-4 MiB) */
    .set TAB, 0x41000
    .set PDPT, 0x44000
    .set PD, 0x45000
    .set PT, 0x46000    /* PAE table for 0-2 MiB */
    .set PAGE, 0x60000  /* the page under test */
    .code16
main16:
    ENTER32
    movb $0xc3, PAGE
    /* identity map, user and writable */
    mov $TAB, %edi
    mov $7, %eax
1:  stosl
    add $0x1000, %eax
    cmp $0x400007, %eax
    jne 1b
    movl $TAB+7, DIR
    movl $0x00400087, DIR+4 /* 4 MiB page at 4 MiB */
    mov $DIR, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x90, %eax /* PSE, PGE */
    mov %eax, %cr4
    mov %cr0, %eax
    or $0x80010000, %eax /* PG, WP */
    mov %eax, %cr0
    mov $0x12345678, %eax
    mov %eax, 0x400100
    cmp %eax, 0x400100
    CHECK e, 1
    testl $0x40, DIR+4 /* dirty */
    CHECK nz, 2

    /* rows: PTE low bits, access (0 read, 1 write, 2 fetch), expected error code or -1; level 0 then level 3 */
    mov $rows, %esi
row:
    cmpl $-2, (%esi)
    je rows_done
    mov (%esi), %eax
    or $PAGE, %eax
    mov %eax, TAB+(PAGE >> 12)*4
    invlpg PAGE
    call access
    cmp 12(%esi), %eax
    je 2f
    mov %esi, %eax
    sub $rows, %eax
    shr $4, %eax
    add $0x20, %eax
    out %al, $0xf4
2:  add $16, %esi
    jmp row
rows:
    /*    PTE access user  error */
    .long 0x1, 0, 0, -1,  0x1, 1, 0, 3,  0x1, 2, 0, -1
    .long 0x3, 1, 0, -1,  0x0, 0, 0, 0,  0x0, 1, 0, 2
    .long 0x1, 0, 1, 5,   0x1, 1, 1, 7,  0x3, 1, 1, 7
    .long 0x5, 0, 1, -1,  0x5, 1, 1, 7,  0x7, 1, 1, -1
    .long 0x5, 1, 0, 3,   0x0, 0, 1, 4,  0x6, 1, 1, 6
    .long 0x1, 2, 1, 5,   0x5, 2, 1, -1, 0x0, 2, 1, 4
    .long -2
rows_done:
    /* accessed and dirty bits */
    movl $PAGE+7, TAB+(PAGE >> 12)*4
    invlpg PAGE
    mov PAGE, %eax
    mov TAB+(PAGE >> 12)*4, %eax
    and $0x60, %eax
    cmp $0x20, %eax
    CHECK e, 3
    mov %eax, PAGE
    mov TAB+(PAGE >> 12)*4, %eax
    and $0x60, %eax
    cmp $0x60, %eax
    CHECK e, 4
    /* CR2 */
    movl $0, TAB+(PAGE >> 12)*4
    invlpg PAGE
    TRY
    mov PAGE+0x123, %al
    CAUGHT 14, 0, 5
    mov %cr2, %eax
    cmp $PAGE+0x123, %eax
    CHECK e, 6
    /* a write that crosses into a missing page changes nothing */
    movl $0x11111111, PAGE-4
    TRY
    movl $0x22222222, PAGE-2
    CAUGHT 14, 2, 7
    cmpl $0x11111111, PAGE-4
    CHECK e, 8
    /* A global page is readable after a CR3 load as before or, when its TLB entry was dropped meanwhile, as a processor may do
     * (SDM 3A 4.10.2) and --engine jit,flush=tlb does, faults like a missing one; after INVLPG it always faults. That ours stays
     * is for the unit tests. */
    movl $PAGE+0x107, TAB+(PAGE >> 12)*4
    invlpg PAGE
    movl $0x33333333, PAGE
    movl $0, TAB+(PAGE >> 12)*4
    mov %cr3, %eax
    mov %eax, %cr3
    movl $-1, exc_vec
    movl $global_dropped, resume
    mov %esp, resume_esp
    mov PAGE, %eax
    cmp $0x33333333, %eax
    CHECK e, 14
    jmp global_done
global_dropped:
    cmpl $14, exc_vec
    CHECK e, 15
    cmpl $0, exc_err
    CHECK e, 16
global_done:
    invlpg PAGE
    TRY
    mov PAGE, %eax
    CAUGHT 14, 0, 9

    /* PAE with NX */
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    mov $PDPT, %edi
    mov $0x3000 / 4, %ecx
    xor %eax, %eax
    rep stosl
    movl $PD+1, PDPT
    movl $PT+7, PD
    mov $PT, %edi
    mov $7, %eax
3:  mov %eax, (%edi)
    add $8, %edi
    add $0x1000, %eax
    cmp $0x200007, %eax
    jne 3b
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x800, %eax
    wrmsr
    mov $PDPT, %eax
    mov %eax, %cr3
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    movl $0x80000000, PT+(PAGE >> 12)*8+4
    invlpg PAGE
    mov PAGE, %eax
    movl $fetch_row, %esi
    call access
    cmp $0x11, %eax
    CHECK e, 10
    movl $fetch_row_user, %esi
    call access
    cmp $0x15, %eax
    CHECK e, 11
    /* reserved bit */
    movl $0x100, PT+(PAGE >> 12)*8+4 /* bit 40 */
    invlpg PAGE
    TRY
    mov PAGE, %eax
    CAUGHT 14, 9, 12
    /* reserved bits of a PDPTE: #GP when CR3 is loaded, old paging stays */
    movl $PD+0x21, PDPT+8
    TRY
    mov %cr3, %eax
    mov %eax, %cr3
    CAUGHT 13, 0, 13
    PASS
fetch_row: .long 7, 2, 0, 0x11
fetch_row_user: .long 7, 2, 1, 0x15

    /* Row at ESI: makes the access at its level; EAX = error code or -1. A `ret` lies in the page for fetches. */
access:
    push %esi
    mov TAB+(PAGE >> 12)*4, %ecx
    movl $-1, exc_vec
    mov %esp, resume_esp
    movl $access_fault, resume
    cmpl $0, 8(%esi)
    jne as_user
    cmpl $1, 4(%esi)
    jb 4f
    je 5f
    mov $PAGE, %eax
    call *%eax
    jmp access_ok
4:  mov PAGE, %eax
    jmp access_ok
5:  movb $0xc3, PAGE
access_ok:
    mov $-1, %eax
    pop %esi
    ret
access_fault:
    cmpl $14, exc_vec
    jne 6f
    mov exc_err, %eax
    pop %esi
    ret
6:  mov $-1, %eax /* INT 41h from level 3: the access worked */
    cmpl $0x41*8+2, exc_err
    je 7f
    mov $-3, %eax
7:  pop %esi
    ret
as_user:
    pushl $SEL_UDATA
    pushl $0x1d000
    pushl $2
    pushl $SEL_UCODE32
    pushl $user_access
    iret
user_access:
    mov $SEL_UDATA, %eax
    mov %eax, %ds
    cmpl $1, 4(%esi)
    jb 8f
    je 9f
    mov $PAGE, %eax
    call *%eax
    int $0x41
8:  mov PAGE, %eax
    int $0x41
9:  movb $0xc3, PAGE
    int $0x41

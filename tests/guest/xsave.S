/* expect: exit 171. cpu: max
 * XSAVE's system side: OSXSAVE, XCR0 combinations, #UD, #NM and #GP, the header of XRSTOR, CPUID leaf 0Dh, AVX state through XSAVE and
 * XRSTOR, XINUSE and the mask, level 3. */
#include "guest.inc"
    .set AREA, 0x60000
    .code16
main16:
    ENTER32
    mov $1, %eax
    cpuid
    bt $26, %ecx
    CHECK c, 1
    bt $27, %ecx /* OSXSAVE mirrors CR4 */
    CHECK nc, 2
    mov %cr0, %eax
    and $~0xc, %eax
    or $2, %eax
    mov %eax, %cr0
    mov %cr4, %eax
    or $0x600, %eax
    mov %eax, %cr4
    xor %ecx, %ecx
    TRY
    xgetbv
    CAUGHT 6, 0, 3
    TRY
    xsetbv
    CAUGHT 6, 0, 4
    TRY
    xsave AREA
    CAUGHT 6, 0, 5
    TRY
    vxorps %xmm0, %xmm0, %xmm0
    CAUGHT 6, 0, 6
    mov %cr4, %eax
    or $0x40000, %eax
    mov %eax, %cr4
    mov $1, %eax
    cpuid
    bt $27, %ecx
    CHECK c, 7
    /* XCR0 after reset: x87 only; AVX is #UD until it is enabled there */
    xor %ecx, %ecx
    xgetbv
    cmp $1, %eax
    CHECK e, 8
    test %edx, %edx
    CHECK z, 9
    TRY
    vxorps %xmm0, %xmm0, %xmm0
    CAUGHT 6, 0, 10
    /* illegal values */
    .macro BADXCR lo, hi, id
    TRY
    mov $\lo, %eax
    mov $\hi, %edx
    xor %ecx, %ecx
    xsetbv
    CAUGHT 13, 0, \id
    .endm
    BADXCR 0, 0, 11
    BADXCR 6, 0, 12
    BADXCR 5, 0, 13
    BADXCR 3, 0x80000000, 14
    BADXCR 0xf, 0, 15
    TRY
    mov $7, %eax
    xor %edx, %edx
    mov $1, %ecx
    xsetbv
    CAUGHT 13, 0, 16
    TRY
    mov $5, %ecx
    xgetbv
    CAUGHT 13, 0, 17
    xor %ecx, %ecx
    mov $7, %eax
    xor %edx, %edx
    xsetbv
    xgetbv
    cmp $7, %eax
    CHECK e, 18
    /* CPUID leaf 0Dh */
    mov $0xd, %eax
    xor %ecx, %ecx
    cpuid
    and $7, %eax
    cmp $7, %eax
    CHECK e, 19
    cmp $832, %ebx
    CHECK e, 20
    cmp $832, %ecx
    CHECK ae, 21
    mov $0xd, %eax
    mov $2, %ecx
    cpuid
    cmp $256, %eax
    CHECK e, 22
    cmp $576, %ebx
    CHECK e, 23

    /* AVX state: upper halves of YMM1 at 576 + 16 */
    fninit
    vpcmpeqb %xmm1, %xmm1, %xmm1
    vinsertf128 $1, %xmm1, %ymm1, %ymm1
    mov $AREA, %edi
    mov $0x400/4, %ecx
    xor %eax, %eax
    rep stosl
    mov $7, %eax
    xor %edx, %edx
    xsave AREA
    cmpl $-1, AREA+576+16
    CHECK e, 24
    cmpl $-1, AREA+160+16
    CHECK e, 25
    mov AREA+512, %eax
    and $6, %eax
    cmp $6, %eax
    CHECK e, 26
    vzeroall
    /* only component 2 comes back */
    mov $4, %eax
    xor %edx, %edx
    xrstor AREA
    vextractf128 $1, %ymm1, %xmm2
    movd %xmm2, %eax
    cmp $-1, %eax
    CHECK e, 27
    movd %xmm1, %eax
    test %eax, %eax
    CHECK z, 28
    /* a clear bit of XSTATE_BV initialises */
    movl $0, AREA+512
    mov $7, %eax
    xrstor AREA
    vextractf128 $1, %ymm1, %xmm2
    movd %xmm2, %eax
    test %eax, %eax
    CHECK z, 29
    /* the header: reserved bits of XSTATE_BV and bytes 23:8 are #GP, so is an odd address */
    .macro BADHDR at, val, id
    movl $\val, AREA+\at
    TRY
    mov $7, %eax
    xor %edx, %edx
    xrstor AREA
    CAUGHT 13, 0, \id
    movl $0, AREA+\at
    .endm
    BADHDR 512, 0x8, 30
    BADHDR 516, 0x1, 31
    BADHDR 528, 0x1, 32
    TRY
    xsave AREA+32
    CAUGHT 13, 0, 33
    TRY
    xrstor AREA+16
    CAUGHT 13, 0, 34
    movl $7, AREA+512
    movl $0x10000, AREA+24 /* MXCSR */
#ifndef QEMU
    TRY
    mov $7, %eax
    xor %edx, %edx
    xrstor AREA
    CAUGHT 13, 0, 35
#endif
    movl $0x1f80, AREA+24

    /* CR0.TS: #NM */
    mov %cr0, %eax
    or $8, %eax
    mov %eax, %cr0
#ifndef QEMU
    TRY
    xsave AREA
    CAUGHT 7, 0, 36
#endif
#ifndef QEMU
    TRY
    xrstor AREA
    CAUGHT 7, 0, 37
#endif
    TRY
    vxorps %ymm0, %ymm0, %ymm0
    CAUGHT 7, 0, 38
    clts
    /* LOCK and register forms do not exist */
    TRY
    .byte 0xf0, 0x0f, 0xae, 0x25
    .long AREA
    CAUGHT 6, 0, 39
    /* level 3 may read, not set */
    mov %esp, resume_esp
    movl $1f, resume
    movl $-1, exc_vec
    TO_USER user
user:
    xor %ecx, %ecx
    xgetbv
    cmp $7, %eax
    CHECK e, 40
2:  xsetbv
1:  cmpl $13, exc_vec
    CHECK e, 41
    cmpl $2b, exc_eip
    CHECK e, 42
    PASS

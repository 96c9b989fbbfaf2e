/* Checklist group D: every MSR of the list that Windows 7 touches (boot-chain section 8.2), reserved bits, unknown MSRs; SWAPGS and the
 * 64-bit bases; MISC_ENABLE's limit of CPUID; the microcode revision; the time stamp counter as MSR. */
#include "bm.h"

enum { INTEL = 1, AMD = 2, ANY = 3 };
static unsigned vendor;
static u8 phys_bits;

struct access {
    u32 msr;
    u64 v;
};

static void do_read(void *arg)
{
    struct access *a = arg;
    a->v = rdmsr(a->msr);
}

static void do_write(void *arg)
{
    struct access *a = arg;
    wrmsr(a->msr, a->v);
}

static int read_ok(u32 msr, u64 *v)
{
    struct access a = { msr, 0 };
    struct bm_fault f = bm_try(do_read, &a);
    *v = a.v;
    return f.vector;
}

static int write_ok(u32 msr, u64 v)
{
    struct access a = { msr, v };
    struct bm_fault f = bm_try(do_write, &a);
    return f.vector == 13 && f.error ? 99 : f.vector;
}

/* Reads as `want` and takes `write` (reading back `back`) or refuses it. */
static void reads(unsigned number, u32 msr, u64 want)
{
    u64 v;
    int vector = read_ok(msr, &v);
    w7(number, vector == -1 && v == want, "MSR %x reads %llx (got %llx, vector %d)", msr, (unsigned long long)want, (unsigned long long)v, vector);
}

static void keeps(unsigned number, u32 msr, u64 write, u64 back)
{
    u64 old, v = 0;
    int r = read_ok(msr, &old), w = write_ok(msr, write);
    read_ok(msr, &v);
    w7(number, r == -1 && w == -1 && v == back, "MSR %x takes %llx, reads back %llx (got %llx, vectors %d %d)", msr, (unsigned long long)write,
       (unsigned long long)back, (unsigned long long)v, r, w);
    write_ok(msr, old);
}

static void refuses(unsigned number, u32 msr, u64 write)
{
    u64 old = 1, v = 2;
    read_ok(msr, &old);
    int w = write_ok(msr, write);
    read_ok(msr, &v);
    w7(number, w == 13 && v == old, "MSR %x refuses %llx (vector %d, value %llx, was %llx)", msr, (unsigned long long)write, w,
       (unsigned long long)v, (unsigned long long)old);
}

static void ignores(unsigned number, u32 msr)
{
    u64 v;
    int r = read_ok(msr, &v), w = write_ok(msr, v);
    w7(number, r == -1 && w == -1, "MSR %x can be read and written (vectors %d %d)", msr, r, w);
}

static u64 beyond(void)
{
    return 1ull << phys_bits;
}

static void apic_base(void)
{
    reads(130, 0x1b, 0xfee00900);
    refuses(130, 0x1b, 0xfee00d00); /* bit 10: x2APIC */
    refuses(130, 0x1b, 0xfee00900 | 1);
    refuses(130, 0x1b, 0xfee00900 | beyond());
    wrmsr(0x1b, 0xfed80900);
    w7_eq(130, "the registers move with the base", mmio_read(0xfed80030) & 0xff, 0x14);
    wrmsr(0x1b, 0xfee00000);
    w7_eq(130, "CPUID shows a disabled APIC", cpuid(1, 0).d >> 9 & 1, 0);
    wrmsr(0x1b, 0xfee00900);
    w7_eq(130, "and an enabled one", cpuid(1, 0).d >> 9 & 1, 1);
    u64 v = rdmsr(0x1b);
    w7_eq(130, "BSP bit", v >> 8 & 1, 1);
}

#ifdef __x86_64__
static void jump_nx(void *arg)
{
    ((void (*)(void))arg)();
}
#endif

static void efer(void)
{
    u64 old = rdmsr(0xc0000080);
    keeps(131, 0xc0000080, old | 0x801, old | 0x801);
    keeps(131, 0xc0000080, old ^ 0x400, old); /* LMA is read-only */
    refuses(131, 0xc0000080, old | 2);
    refuses(131, 0xc0000080, old | 0x200);
    refuses(131, 0xc0000080, old | 1ull << 32);
#ifdef __x86_64__
    refuses(131, 0xc0000080, old & ~0x100ull); /* paging is on */
    w7_eq(131, "LMA shows long mode", old >> 10 & 1, 1);
    /* NXE at once: bit 63 of an entry is reserved without it */
    static u8 page[4096] __attribute__((aligned(4096)));
    static u64 pt[512] __attribute__((aligned(4096))), pd[512] __attribute__((aligned(4096)));
    page[0] = 0xc3;
    pt[0] = (word)page | 3 | 1ull << 63;
    pd[0] = (word)pt | 3;
    bm_pdpt[4] = (word)pd | 3;
    volatile u8 *alias = (u8 *)(4ull << 30);
    wrmsr(0xc0000080, old & ~0x800ull);
    write_cr3(read_cr3());
    struct access a = { 0, (word)alias };
    struct bm_fault f = bm_try(jump_nx, (void *)alias);
    w7(131, f.vector == 14 && (f.error & 9) == 9, "without NXE bit 63 is reserved: error %lx", (unsigned long)f.error);
    wrmsr(0xc0000080, old | 0x800);
    f = bm_try(jump_nx, (void *)alias);
    w7(131, f.vector == 14 && f.error == 0x11 && a.v == f.cr2, "NXE is honoured at once: error %lx", (unsigned long)f.error);
    wrmsr(0xc0000080, old);
#else
    keeps(131, 0xc0000080, old | 0x100, old | 0x100); /* LME without paging */
#endif
}

static void syscall_msrs(void)
{
    keeps(132, 0xc0000081, 0x0123456789abcdef, 0x0123456789abcdef);
    keeps(132, 0xc0000082, 0xfffff80001234567, 0xfffff80001234567);
    keeps(132, 0xc0000083, 0xffff800000000001, 0xffff800000000001);
    keeps(132, 0xc0000084, 0x4700, 0x4700);
    refuses(132, 0xc0000082, 0x800000000000);
    refuses(132, 0xc0000083, 0x7fff800000000000);
    keeps(139, 0x174, 0x10, 0x10);
    keeps(139, 0x175, 0xfffff80011223344, 0xfffff80011223344);
    keeps(139, 0x176, 0x00007fffffffffff, 0x00007fffffffffff);
    refuses(144, 0x175, 0x0000900000000000);
    refuses(144, 0x176, 0x8000000000000000);
}

static void mtrrs(void)
{
    static const u32 fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
    reads(133, 0xfe, 0x508);
    refuses(133, 0xfe, 0x508);
    for (u32 n = 0x200; n < 0x210; n += 2) {
        keeps(133, n, 0xc0000006, 0xc0000006);
        keeps(133, n + 1, (beyond() - 1) & ~0xfffull & ~0x3fffffffull, (beyond() - 1) & ~0x3fffffffull);
        keeps(133, n + 1, 0xfffff800, 0xfffff800);
        refuses(133, n, 0xc0000002);
        refuses(133, n, 0xc0000106);
        refuses(133, n, 0xc0000006 | beyond());
        refuses(133, n + 1, 0xfffff400);
        refuses(133, n + 1, 0xfffff800 | beyond());
    }
    for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        keeps(133, fixed[i], 0x0605040100060504, 0x0605040100060504);
        refuses(133, fixed[i], 0x0606060606060206);
        refuses(133, fixed[i], 0x0706060606060606);
    }
    keeps(133, 0x2ff, 0xc06, 0xc06);
    refuses(133, 0x2ff, 0xc02);
    refuses(133, 0x2ff, 0x1006);
    refuses(133, 0x2ff, 0x100000c06);
}

static void pat(void)
{
    reads(134, 0x277, 0x0007040600070406);
    keeps(134, 0x277, 0x0007010600070106, 0x0007010600070106);
    static const u8 bad[] = { 2, 3, 8, 0x10, 0x80, 0xff };
    for (unsigned i = 0; i < sizeof(bad); i++) {
        refuses(134, 0x277, 0x0007040600070400ull | bad[i]);
        refuses(134, 0x277, 0x0007040600070406ull | (u64)bad[i] << 56);
    }
}

static void machine_check(void)
{
    u64 cap = rdmsr(0x179);
    unsigned banks = cap & 0xff;
    w7(135, banks >= 1 && banks <= 32, "%u banks", banks);
    reads(135, 0x17a, 0);
    keeps(135, 0x17a, 0, 0);
    if (cap & 0x100) keeps(135, 0x17b, ~0ull, ~0ull);
    for (u32 b = 0; b < banks; b++) {
        keeps(135, 0x400 + b * 4, ~0ull, ~0ull);
        for (u32 r = 1; r < 4; r++) {
            reads(135, 0x400 + b * 4 + r, 0);
            keeps(135, 0x400 + b * 4 + r, 0, 0);
        }
        refuses(135, 0x401 + b * 4, 1); /* only 0 may be written */
    }
    u64 v;
    w7_eq(135, "the bank after the last does not exist", (u64)read_ok(0x400 + banks * 4, &v), 13);
    refuses(135, 0x179, cap);
}

static void microcode(void)
{
    u64 v;
    if (vendor == INTEL) {
        wrmsr(0x8b, 0);
        cpuid(1, 0);
        v = rdmsr(0x8b);
        w7(136, v >> 32 >= 1, "microcode revision %llx", (unsigned long long)(v >> 32));
        w7_eq(136, "the update trigger is accepted", (u64)(long long)write_ok(0x79, 0x1000), (u64)-1);
        w7_eq(136, "and the revision stays", rdmsr(0x8b), v);
    } else {
        w7_eq(136, "AMD's patch level can be read", (u64)(long long)read_ok(0x8b, &v), (u64)-1);
    }
}

static void misc_enable(void)
{
    if (vendor != INTEL) {
        u64 v;
        w7_eq(137, "MISC_ENABLE does not exist on AMD", (u64)read_ok(0x1a0, &v), 13);
        return;
    }
    u64 old = rdmsr(0x1a0);
    reads(137, 0x1a0, 1);
    u32 max = cpuid(0, 0).a;
    keeps(137, 0x1a0, old | 1ull << 34, old | 1ull << 34);
    wrmsr(0x1a0, old | 1u << 22);
    bool set = rdmsr(0x1a0) >> 22 & 1;
    w7_eq(137, "bit 22 limits CPUID to leaf 3, or cannot be set", cpuid(0, 0).a, set ? 3 : max);
    wrmsr(0x1a0, old);
    w7_eq(137, "and gives the leaves back", cpuid(0, 0).a, max);
}

static void probed(void)
{
    static const u32 intel[] = { 0x17, 0x2a, 0x3a, 0x198, 0x199, 0x19a, 0x19b, 0x19c, 0x19d };
    static const u32 any[] = { 0x1d9, 0x1db, 0x1dc, 0x1dd, 0x1de };
    static const u32 amd[] = { 0xc0010015, 0xc001001f, 0xc0010020, 0xc0010055, 0xc0010058, 0xc0010140, 0xc0010141 };
    u64 v;
    for (unsigned i = 0; vendor == INTEL && i < sizeof(intel) / sizeof(intel[0]); i++)
        w7(138, read_ok(intel[i], &v) == -1, "MSR %x can be read", intel[i]);
    for (unsigned i = 0; i < sizeof(any) / sizeof(any[0]); i++) w7(138, read_ok(any[i], &v) == -1, "MSR %x can be read", any[i]);
    keeps(138, 0x1d9, 0, 0);
    if (vendor == INTEL) {
        static const u32 dropped[] = { 0x2a, 0x199, 0x19a, 0x19b, 0x19c };
        for (unsigned i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) ignores(138, dropped[i]);
        w7_eq(138, "the locked feature control refuses writes", (u64)write_ok(0x3a, 5), 13);
        w7_eq(138, "platform id refuses writes", (u64)write_ok(0x17, 0), 13);
    }
    if (vendor == AMD) {
        for (unsigned i = 0; i < sizeof(amd) / sizeof(amd[0]); i++) ignores(142, amd[i]);
        for (u32 n = 0xc0010061; n <= 0xc0010071; n++) ignores(142, n);
    } else {
        w7_eq(142, "AMD's registers do not exist on Intel", (u64)read_ok(0xc0010015, &v), 13);
    }
}

static void unknown(void)
{
    static const u32 none[] = { 0x2, 0x100, 0x7ff, 0x1234, 0x3fffffff, 0x40000100, 0xbfffffff, 0xc0000079, 0xc0002000, 0xffffffff };
    for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct access a = { none[i], 0 };
        struct bm_fault f = bm_try(do_read, &a);
        w7(129, f.vector == 13 && f.error == 0, "MSR %x does not exist: RDMSR is #GP(0)", none[i]);
        w7_eq(129, "and WRMSR", (u64)write_ok(none[i], 0), 13);
    }
}

static void reserved(void)
{
    refuses(144, 0x1b, 0xfee00900 | 0x200);
    refuses(144, 0xc0000080, rdmsr(0xc0000080) | 0x1000);
    refuses(144, 0x277, 0x0207040600070406);
    refuses(144, 0x2ff, 0xd06);
    refuses(144, 0x200, 0x700);
    refuses(144, 0xc0000082, 0xabcd000000000000);
    refuses(144, 0xc0000100, 0x800000000000);
}

static void time_stamp(void)
{
    wrmsr(0x10, 0x123400000000ull);
    u64 v = rdtsc();
    w7(141, v >= 0x123400000000ull && v < 0x123410000000ull, "RDTSC goes on from what was written: %llx", (unsigned long long)v);
    v = rdmsr(0x10);
    w7(141, v >= 0x123400000000ull && v < 0x123410000000ull, "RDMSR too");
    wrmsr(0x10, 0);
    w7(141, rdtsc() < 0x10000000, "also backwards");
}

static void bases(void)
{
    refuses(140, 0xc0000100, 0x800000000000);
    refuses(140, 0xc0000101, 0xffff000000000000);
    refuses(140, 0xc0000102, 0x8000000000000000);
#ifdef __x86_64__
    keeps(140, 0xc0000100, 0xfffff80012345678, 0xfffff80012345678);
    static u64 a[2] = { 0x1111, 0 }, b[2] = { 0x2222, 0 };
    u64 x, y;
    wrmsr(0xc0000101, (word)a);
    wrmsr(0xc0000102, (word)b);
    __asm__ volatile("mov %%gs:0, %0\n\tswapgs\n\tmov %%gs:0, %1" : "=r"(x), "=&r"(y));
    w7(140, x == 0x1111 && y == 0x2222, "SWAPGS exchanges GS base and kernel base");
    w7(140, rdmsr(0xc0000101) == (word)b && rdmsr(0xc0000102) == (word)a, "both MSRs show it");
    /* 108: selectors and bases in long mode */
    u64 *d = (u64 *)bm_gdt + BM_GDT_FREE;
    *d = 0x00cf93123456ffffull | 0x9aull << 56;
    wrmsr(0xc0000100, 0xfffff80000000000);
    __asm__ volatile("mov %0, %%fs" : : "r"(BM_GDT_FREE * 8) : "memory");
    w7_eq(108, "loading FS gives the descriptor's 32-bit base", rdmsr(0xc0000100), 0x9a123456);
    u16 sel;
    __asm__ volatile("mov %%fs, %0" : "=r"(sel));
    w7_eq(108, "the selector reads back", sel, BM_GDT_FREE * 8);
    u64 probe = 0x77, got;
    __asm__ volatile("mov %1, %%ds\n\tmov %%ds:(%2), %0\n\tmov %3, %%ds"
                     : "=&r"(got) : "r"(BM_GDT_FREE * 8), "r"(&probe), "r"(BM_DATA) : "memory");
    w7_eq(108, "DS has no base in 64-bit mode", got, 0x77);
    *d = 0;
    __asm__ volatile("mov %0, %%fs" : : "r"(0));
#endif
}

void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 144);
    vendor = cpuid(0, 0).b == 0x68747541 ? AMD : INTEL;
    phys_bits = (u8)cpuid(0x80000008, 0).a;
    apic_base();
    efer();
    syscall_msrs();
    mtrrs();
    pat();
    machine_check();
    microcode();
    misc_enable();
    probed();
    unknown();
    reserved();
    time_stamp();
    bases();
}

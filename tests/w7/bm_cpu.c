/* Checklist groups C and M without paging and MSRs: identification, CR4, fault return addresses, no-op hints, cache control, FXSAVE, LOCK,
 * time stamp, interrupt shadows, alignment check, self-modifying code. Runs on every CPU model (tests/w7/cpu.sh); the command line
 * "nohypervisor" says that the hypervisor bit was turned off. */
#include "bm.h"

static struct bm_cpuid one, ext;
static bool amd, no_hypervisor;

/* --- identification: 80-84, 253-255 --- */

static void vendor_and_features(void)
{
    struct bm_cpuid zero = cpuid(0, 0);
    char name[13] = { 0 };
    memcpy(name, &zero.b, 4);
    memcpy(name + 4, &zero.d, 4);
    memcpy(name + 8, &zero.c, 4);
    amd = !memcmp(name, "AuthenticAMD", 12);
    w7(81, amd || !memcmp(name, "GenuineIntel", 12) || !memcmp(name, "CentaurHauls", 12), "vendor %s", name);
    one = cpuid(1, 0);
    ext = cpuid(0x80000001, 0);
    w7_eq(80, "leaf 1 EDX has all that the x64 start-up test asks for", one.d & 0x0789f3fd, 0x0789f3fd);
    w7_eq(80, "SYSCALL, NX and LM", ext.d & 0x20100800, 0x20100800);
}

static bool same(struct bm_cpuid x, struct bm_cpuid y)
{
    return x.a == y.a && x.b == y.b && x.c == y.c && x.d == y.d;
}

static void leaves_above(void)
{
    u32 max = cpuid(0, 0).a;
    static const u32 above[] = { 0, 1, 0x100, 0x12345678, 0x3ffffff0 };
    bool last = true, none = true;
    for (u32 sub = 0; sub < 2; sub++) {
        for (unsigned i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
            u32 leaf = above[i] + max + 1;
            if (leaf >> 30) continue;
            struct bm_cpuid r = cpuid(leaf, sub);
            if (!same(r, cpuid(max, sub))) last = false;
            if (r.a | r.b | r.c | r.d) none = false;
        }
    }
    w7(82, max >= 1 && max < 0x40 && (last || none), "leaves above %x give the last one's data or zero, always the same", max);
    u32 ext_max = cpuid(0x80000000, 0).a;
    struct bm_cpuid r = cpuid(ext_max + 1, 0);
    w7(82, ext_max >= 0x80000008 && ext_max < 0x80000100 && (none ? !(r.a | r.b | r.c | r.d) : same(r, cpuid(max, 0))),
       "the same above %x", ext_max);
    for (u32 leaf = 2; leaf <= max; leaf++) cpuid(leaf, 0);
    w7(82, !amd ? (cpuid(2, 0).a & 0xff) == 1 : true, "leaf 2 says one round");
    bool ends = false;
    for (u32 sub = 0; sub < 16 && !ends; sub++) ends = !(cpuid(4, sub).a & 31);
    w7(82, ends, "leaf 4 ends");
}

static void not_announced(void)
{
    static const struct { u32 leaf; u8 reg, bit; const char *name;
    } bits[] = {
        { 1, 2, 3, "MONITOR" }, { 1, 2, 5, "VMX" }, { 1, 2, 6, "SMX" }, { 1, 2, 7, "EST" }, { 1, 2, 8, "TM2" },
        { 1, 2, 15, "PDCM" }, { 1, 2, 17, "PCID" }, { 1, 2, 18, "DCA" }, { 1, 2, 21, "x2APIC" }, { 1, 2, 24, "TSC-deadline" },
        { 1, 3, 18, "PSN" }, { 1, 3, 21, "DS" }, { 1, 3, 22, "ACPI thermal" }, { 1, 3, 29, "TM" },
        { 0x80000001, 2, 2, "SVM" }, { 0x80000001, 2, 10, "IBS" },
    };
    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        struct bm_cpuid r = cpuid(bits[i].leaf, 0);
        u32 v = bits[i].reg == 2 ? r.c : r.d;
        w7(84, !(v >> bits[i].bit & 1), "%s is not announced", bits[i].name);
    }
    u32 max = cpuid(0, 0).a;
    w7_eq(84, "no performance monitoring", max >= 10 ? cpuid(10, 0).a & 0xff : 0, 0);
    w7_eq(84, "leaf 6 has no thermal and power features", max >= 6 ? cpuid(6, 0).c | cpuid(6, 0).a : 0, 0);
    w7(84, !(one.c >> 28 & 1) || (one.c >> 26 & 1), "AVX only with XSAVE");
}

static void read_hyperv(void *arg)
{
    rdmsr(*(u32 *)arg);
}

static void hypervisor(void)
{
    struct bm_cpuid h = cpuid(0x40000000, 0), i = cpuid(0x40000001, 0);
    bool bit = one.c >> 31;
    w7(255, bit == !no_hypervisor, "the hypervisor bit is %u", bit);
    if (no_hypervisor) {
        struct bm_cpuid top = cpuid(0x3fffffff, 0);
        w7(255, same(h, top) && same(i, top) && same(cpuid(0x400000ff, 0), top), "leaves 40000000h and up are like any above the maximum");
        return;
    }
    w7(253, h.a >= 0x40000001 && h.a < 0x40000100 && h.b && h.c && h.d, "leaf 40000000h: maximum %x and a signature", h.a);
    bool hv1 = i.a == 0x31237648;
    w7(253, i.a == 0 || hv1, "leaf 40000001h claims no interface: %x", i.a);
    static const u32 msrs[] = { 0x40000000, 0x40000001, 0x40000002, 0x40000003, 0x40000020 };
    for (unsigned k = 0; k < 5; k++) {
        u32 n = msrs[k];
        struct bm_fault f = bm_try(read_hyperv, &n);
        w7(254, f.vector == (hv1 ? -1 : 13), "MSR %x is there only with the interface", n);
    }
}

/* --- CR4: 86 --- */

static void try_cr4(void *arg)
{
    write_cr4(*(word *)arg);
}

static void cr4_bits(void)
{
    struct bm_cpuid seven = cpuid(0, 0).a >= 7 ? cpuid(7, 0) : (struct bm_cpuid){ 0, 0, 0, 0 };
    u32 may = 0x8 | 0x4 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x600;
    if (one.d & 2) may |= 3;
    if (one.c >> 26 & 1) may |= 1u << 18;
    if (seven.b & 1) may |= 1u << 16;
    if (seven.b & 0x80) may |= 1u << 20;
    if (seven.b >> 20 & 1) may |= 1u << 21;
    if (seven.c & 4) may |= 1u << 11;
    word old = read_cr4();
    for (unsigned bit = 0; bit < BM_BITS; bit++) {
        word v = old | (word)1 << bit;
        bool allowed = bit < 32 && (may >> bit & 1);
        struct bm_fault f = bm_try(try_cr4, &v);
        word now = read_cr4();
        write_cr4(old);
        if (allowed) w7(86, f.vector == -1 && now == v, "CR4 bit %u can be set", bit);
        else w7(86, f.vector == 13 && f.error == 0 && now == old, "CR4 bit %u is #GP", bit);
    }
}

/* --- 87, 88, 91, 120: integer odds and ends --- */

#define AT_LABEL(v) "call 77f\n77:\tpop %0\n\tadd $(1f - 77b), %0\n\tmov %0, (%1)\n\t"

static void faulting(void *arg, const int which)
{
    word at;
    switch (which) {
    case 0:
        __asm__ volatile(AT_LABEL() "mov $-1, %%edx\n\tmov $2, %%ecx\n1:\tdiv %%ecx" : "=&r"(at) : "r"(arg) : "eax", "ecx", "edx", "memory");
        break;
    case 1:
        __asm__ volatile(AT_LABEL() "mov $0x80000000, %%eax\n\tcltd\n\tmov $-1, %%ecx\n1:\tidiv %%ecx"
                         : "=&r"(at) : "r"(arg) : "eax", "ecx", "edx", "memory");
        break;
    case 2:
        __asm__ volatile(AT_LABEL() "mov $0x8000, %%eax\n\tmov $-1, %%cl\n1:\tidiv %%cl" : "=&r"(at) : "r"(arg) : "eax", "ecx", "memory");
        break;
    case 3: __asm__ volatile(AT_LABEL() "1:\tud2" : "=&r"(at) : "r"(arg) : "memory"); break;
    case 4: __asm__ volatile(AT_LABEL() "1:\t.byte 0x0f, 0xff, 0xc0" : "=&r"(at) : "r"(arg) : "memory"); break;
    case 5: __asm__ volatile(AT_LABEL() "1:\t.byte 0x0f, 0x0a" : "=&r"(at) : "r"(arg) : "memory"); break;
    case 6: __asm__ volatile(AT_LABEL() "1:\t.byte 0x0f, 0xb9, 0xc0" : "=&r"(at) : "r"(arg) : "memory"); break;
    case 7: /* 16 bytes */
        __asm__ volatile(AT_LABEL() "1:\t.fill 15, 1, 0x66\n\tnop" : "=&r"(at) : "r"(arg) : "memory");
        break;
    case 8: __asm__ volatile(AT_LABEL() "1:\t.byte 0xfe, 0xf8" : "=&r"(at) : "r"(arg) : "memory"); break; /* FE /7 */
    case 9: __asm__ volatile(AT_LABEL() "1:\t.byte 0x8f, 0xc8" : "=&r"(at) : "r"(arg) : "memory"); break; /* 8F /1 */
    case 10: __asm__ volatile(AT_LABEL() "1:\t.byte 0xf0, 0x90" : "=&r"(at) : "r"(arg) : "memory"); break; /* LOCK NOP */
    case 11: __asm__ volatile(AT_LABEL() "1:\t.byte 0xf0, 0x01, 0xc0" : "=&r"(at) : "r"(arg) : "memory"); break; /* LOCK ADD to register */
    case 12: __asm__ volatile(AT_LABEL() "1:\t.byte 0xf0, 0x39, 0x03" : "=&r"(at) : "r"(arg) : "memory"); break; /* LOCK CMP */
    case 13: __asm__ volatile(AT_LABEL() "1:\t.byte 0xf0, 0x0f, 0xa3, 0x03" : "=&r"(at) : "r"(arg) : "memory"); break; /* LOCK BT */
    default: __asm__ volatile(AT_LABEL() "1:\t.byte 0xf0, 0x8b, 0x03" : "=&r"(at) : "r"(arg) : "memory"); break; /* LOCK MOV */
    }
}

struct faulting_case {
    word at;
    int which;
};

static void run_faulting(void *arg)
{
    struct faulting_case *c = arg;
    faulting(&c->at, c->which);
}

static void expect_fault(unsigned number, int which, int vector, const char *what)
{
    struct faulting_case c = { 0, which };
    struct bm_fault f = bm_try(run_faulting, &c);
    w7(number, f.vector == vector && f.ip == c.at, "%s: vector %d at %lx, expected %d at %lx", what, f.vector, (unsigned long)f.ip, vector,
       (unsigned long)c.at);
}

static void fault_addresses(void)
{
    expect_fault(91, 0, 0, "DIV overflow is #DE at the instruction");
    expect_fault(91, 1, 0, "IDIV of the smallest number by -1");
    expect_fault(91, 2, 0, "IDIV of a byte, overflow");
    expect_fault(120, 3, 6, "UD2");
    expect_fault(120, 4, 6, "0F FF");
    expect_fault(120, 5, 6, "0F 0A");
    expect_fault(120, 6, 6, "0F B9");
    expect_fault(120, 7, 13, "16 bytes are too long");
    expect_fault(120, 8, 6, "FE /7");
    expect_fault(120, 9, 6, "8F /1");
    expect_fault(112, 10, 6, "LOCK NOP");
    expect_fault(112, 11, 6, "LOCK ADD to a register");
    expect_fault(112, 12, 6, "LOCK CMP");
    expect_fault(112, 13, 6, "LOCK BT");
    expect_fault(112, 14, 6, "LOCK MOV");
}

/* All that may carry LOCK does its work. */
static void lock_legal(void)
{
    u32 v[2] = { 5, 0 };
    __asm__ volatile("lock addl $3, %0\n\tlock incl %0\n\tlock negl %0\n\tlock notl %0\n\tlock btsl $4, %0\n\tlock xorl $0xff, %0"
                     : "+m"(v[0]) : : "cc");
    w7_eq(112, "LOCK ADD, INC, NEG, NOT, BTS, XOR", v[0], ((~(u32)-9) | 16) ^ 0xff);
    u32 old = 7;
    __asm__ volatile("lock xaddl %0, %1" : "+r"(old), "+m"(v[1]) : : "cc");
    w7(112, old == 0 && v[1] == 7, "LOCK XADD");
    u64 m = 0x1122334455667788ull;
    u8 zf;
    u32 a = 0x55667788, d = 0x11223344;
    __asm__ volatile("lock cmpxchg8b %1\n\tsete %0" : "=q"(zf), "+m"(m), "+a"(a), "+d"(d) : "b"(1), "c"(2) : "cc");
    w7(112, zf && m == 0x200000001ull, "LOCK CMPXCHG8B");
#ifdef __x86_64__
    static u64 pair[3] __attribute__((aligned(16)));
    u64 lo = 0, hi = 0;
    __asm__ volatile("lock cmpxchg16b %1\n\tsete %0" : "=q"(zf), "+m"(pair), "+a"(lo), "+d"(hi) : "b"(3ul), "c"(4ul) : "cc");
    w7(112, zf && pair[0] == 3 && pair[1] == 4, "LOCK CMPXCHG16B");
#endif
}

#ifdef __x86_64__
static void misaligned_16b(void *arg)
{
    __asm__ volatile("lock cmpxchg16b (%0)" : : "r"(arg) : "rax", "rbx", "rcx", "rdx", "cc", "memory");
}
#endif

static void lahf_sahf(void)
{
    u32 ah;
    bool there = BM_BITS == 32 || (ext.c & 1);
    w7(87, there, "LAHF is announced for this mode");
    if (!there) return;
    __asm__ volatile("mov $0xd500, %%eax\n\tsahf\n\txor %%eax, %%eax\n\tlahf" : : : "eax", "cc"); /* XOR changes flags: only executes */
    __asm__ volatile("mov $0xd500, %%eax\n\tsahf\n\tmov $0, %%eax\n\tlahf\n\tmov %%eax, %0" : "=r"(ah) : : "eax", "cc");
    w7_eq(87, "SAHF loads SF, ZF, AF, PF, CF and LAHF stores them", ah, 0xd700);
    __asm__ volatile("mov $0x2a00, %%eax\n\tsahf\n\tmov $0, %%eax\n\tlahf\n\tmov %%eax, %0" : "=r"(ah) : : "eax", "cc");
    w7_eq(87, "bit 1 reads 1, bits 3 and 5 read 0", ah, 0x0200);
}

#ifndef __x86_64__
static void decimal(void)
{
    u32 v;
    static u32 before, after, sp[4];
    __asm__ volatile("mov $0x79, %%eax\n\tadd $0x35, %%al\n\tdaa\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "DAA", v & 0xff, 0x14);
    __asm__ volatile("mov $0x35, %%eax\n\tsub $0x47, %%al\n\tdas\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "DAS", v & 0xff, 0x88);
    __asm__ volatile("mov $0x0009, %%eax\n\tadd $4, %%al\n\taaa\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "AAA", v & 0xffff, 0x0103);
    __asm__ volatile("mov $0x0203, %%eax\n\tsub $7, %%al\n\taas\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "AAS", v & 0xffff, 0x0106);
    __asm__ volatile("mov $0x003f, %%eax\n\taam\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "AAM", v & 0xffff, 0x0603);
    __asm__ volatile("mov $0x0603, %%eax\n\taad\n\tmov %%eax, %0" : "=r"(v) : : "eax", "cc");
    w7_eq(88, "AAD", v & 0xffff, 0x003f);
    static const u8 table[] = { 1, 3, 5, 7, 9 };
    __asm__ volatile("mov $4, %%eax\n\txlat" : "=a"(v) : "b"(table) : "memory");
    w7_eq(88, "XLAT", v & 0xff, 9);
    __asm__ volatile("mov %%esp, %0\n\tpusha\n\tmov 12(%%esp), %%eax\n\tmov %%eax, %2\n\tpopa\n\tmov %%esp, %1"
                     : "=m"(before), "=m"(after), "=m"(sp[0]) : : "eax", "memory");
    w7(88, before == after && sp[0] == before, "PUSHA stores the stack pointer from before, POPA skips it");
    __asm__ volatile("mov %%esp, %0\n\tpushaw\n\tmov %%esp, %2\n\tpopaw\n\tmov %%esp, %1" : "=m"(before), "=m"(after), "=m"(sp[0]) : : "memory");
    w7(88, before == after && sp[0] == before - 16, "PUSHA of 16 bits");
    __asm__ volatile("mov %%ebp, %%ecx\n\tmov %%esp, %0\n\tenter $16, $1\n\tmov %%ebp, %1\n\tmov %%esp, %2\n\tleave\n\tmov %%esp, %3\n\tmov %%ecx, %%ebp"
                     : "=m"(sp[0]), "=m"(sp[1]), "=m"(sp[2]), "=m"(sp[3]) : : "ecx", "memory");
    w7(88, sp[3] == sp[0], "ENTER with a level and LEAVE");
    static struct { u32 off; u16 sel; } __attribute__((packed)) far = { 0x12345, BM_DATA };
    __asm__ volatile("push %%es\n\tles %1, %0\n\tpop %%es" : "=r"(v) : "m"(far));
    w7_eq(88, "LES", v, 0x12345);
    __asm__ volatile("push %%ds\n\tlds %1, %0\n\tpop %%ds" : "=r"(v) : "m"(far));
    w7_eq(88, "LDS", v, 0x12345);
}

static void bound_out(void *arg)
{
    static const u32 limits[2] = { 2, 5 };
    __asm__ volatile("bound %0, %1" : : "r"(*(u32 *)arg), "m"(limits) : "memory");
}
#endif

static void old_instructions(void)
{
#ifndef __x86_64__
    decimal();
    u32 v = 5;
    w7_eq(88, "BOUND inside", (u64)(long long)bm_try(bound_out, &v).vector, (u64)-1);
    v = 6;
    w7_eq(88, "BOUND outside", (u64)bm_try(bound_out, &v).vector, 5);
#endif
    word flags;
    __asm__ volatile("pushf\n\tpop %0" : "=r"(flags));
    w7_eq(88, "PUSHF: bit 1 is set, bits 3, 5 and 15 are not", flags & 0x802a, 2);
}

/* --- 113, 114: hints and cache control do nothing visible --- */

static void hints(void *arg)
{
    __asm__ volatile("prefetcht0 (%0)\n\tprefetcht1 (%0)\n\tprefetcht2 (%0)\n\tprefetchnta (%0)\n\t.byte 0x0f, 0x0d, 0x08 /* PREFETCHW */\n\t"
                     ".byte 0x0f, 0x1f, 0x00, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\n\t"
                     ".byte 0x0f, 0x19, 0xc1, 0x0f, 0x1a, 0x00, 0x0f, 0x1b, 0xc8, 0x0f, 0x1c, 0x38, 0x0f, 0x1d, 0xd0, 0x0f, 0x1e, 0x10\n\t"
                     ".byte 0x0f, 0x18, 0x38, 0x0f, 0x18, 0xc0\n\tpause"
                     : : "a"(arg) : "memory");
}

static void cache_control(void *arg)
{
    __asm__ volatile("wbinvd\n\tlfence\n\tmfence\n\tsfence\n\tclflush (%0)\n\tmovnti %%ecx, (%0)\n\tmovntps %%xmm0, 16(%0)\n\tmovntdq %%xmm0, 32(%0)"
                     : : "r"(arg), "c"(0x5a5a5a5a) : "memory");
}

static void no_ops(void)
{
    static u32 line[32] __attribute__((aligned(64)));
    w7_eq(113, "prefetches, NOP with operand and the hint space", (u64)(long long)bm_try(hints, line).vector, (u64)-1);
    word bad = BM_BITS == 64 ? (word)0x7ff0ull << 48 | 0x1000 : 0xdead0000; /* not canonical, or nothing there */
    w7_eq(113, "the same at an impossible address", (u64)(long long)bm_try(hints, (void *)bad).vector, (u64)-1);
    write_cr4(read_cr4() | 0x600);
    w7_eq(114, "WBINVD, fences, CLFLUSH, MOVNTI, MOVNTPS, MOVNTDQ", (u64)(long long)bm_try(cache_control, line).vector, (u64)-1);
    w7_eq(114, "MOVNTI stored", line[0], 0x5a5a5a5a);
    __asm__ volatile("invd" : : : "memory");
    w7_eq(114, "INVD keeps what is in memory", line[0], 0x5a5a5a5a);
}

/* --- 115, 118: FXSAVE, MXCSR, unmasked SIMD exceptions --- */

static u8 area[512] __attribute__((aligned(16)));

static void fxrstor(void *arg)
{
    __asm__ volatile("fxrstor (%0)" : : "r"(arg) : "memory");
}

static void ldmxcsr(void *arg)
{
    __asm__ volatile("ldmxcsr (%0)" : : "r"(arg) : "memory");
}

static void divide_float(void *arg)
{
    (void)arg;
    __asm__ volatile("xorps %%xmm1, %%xmm1\n\tmov $1, %%eax\n\tcvtsi2ss %%eax, %%xmm0\n\tdivss %%xmm1, %%xmm0" : : : "eax", "memory");
}

static void floating(void)
{
    write_cr0((read_cr0() & ~(word)0xc) | 0x22); /* NE, MP; no EM, no TS */
    write_cr4(read_cr4() | 0x600);
    u32 mxcsr = 0x1f80;
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
    __asm__ volatile("fld1\n\tfldpi\n\tpcmpeqb %%xmm3, %%xmm3\n\tfxsave (%0)" : : "r"(area) : "memory");
    w7_eq(115, "FCW", *(u16 *)area, 0x37f);
    w7_eq(115, "FSW: top of stack 6", *(u16 *)(area + 2), 0x3000);
    w7_eq(115, "abridged tag word", area[4], 0xc0);
    w7_eq(115, "MXCSR", *(u32 *)(area + 24), 0x1f80);
    w7_eq(115, "MXCSR_MASK", *(u32 *)(area + 28), 0xffff);
    w7(115, *(u64 *)(area + 32) == 0xc90fdaa22168c235ull && *(u16 *)(area + 40) == 0x4000, "ST0 is pi");
    w7_eq(115, "XMM3", *(u32 *)(area + 160 + 3 * 16), 0xffffffff);
    __asm__ volatile("fninit\n\txorps %%xmm3, %%xmm3" : : : "memory");
    area[160 + 3 * 16] = 0x42;
    fxrstor(area);
    u32 x;
    __asm__ volatile("movd %%xmm3, %0" : "=r"(x));
    w7_eq(115, "FXRSTOR brings it back", x, 0xffffff42);
#ifdef __x86_64__
    __asm__ volatile("pcmpeqb %%xmm15, %%xmm15\n\tfxsave64 (%0)" : : "r"(area) : "memory");
    w7_eq(115, "XMM15 in the 64-bit layout", *(u64 *)(area + 160 + 15 * 16), ~0ull);
#endif
    *(u32 *)(area + 24) = 0x10000;
    w7_eq(115, "FXRSTOR with a reserved bit of MXCSR", (u64)bm_try(fxrstor, area).vector, 13);
    mxcsr = 0x10000;
    w7_eq(115, "LDMXCSR with a reserved bit", (u64)bm_try(ldmxcsr, &mxcsr).vector, 13);
    *(u32 *)(area + 24) = 0x1f80;
    w7_eq(115, "FXRSTOR at an odd address", (u64)bm_try(fxrstor, area + 8).vector, 13);
    mxcsr = 0x1d80; /* division by zero unmasked */
    ldmxcsr(&mxcsr);
    w7_eq(118, "unmasked division by zero is #XM", (u64)bm_try(divide_float, NULL).vector, 19);
    write_cr4(read_cr4() & ~(word)0x400);
    w7_eq(118, "#UD when the system does not know #XM", (u64)bm_try(divide_float, NULL).vector, 6);
    write_cr4(read_cr4() | 0x400);
    mxcsr = 0x1f80;
    ldmxcsr(&mxcsr);
    w7_eq(118, "masked: no exception", (u64)(long long)bm_try(divide_float, NULL).vector, (u64)-1);
}

/* --- 119: time stamp and counters --- */

static void rdpmc(void *arg)
{
    __asm__ volatile("rdpmc" : : "c"(*(u32 *)arg) : "eax", "edx");
}

static void rdtscp(void *arg)
{
    u32 aux;
    __asm__ volatile(".byte 0x0f, 0x01, 0xf9" : "=c"(aux) : : "eax", "edx");
    *(u32 *)arg = aux;
}

static void time_stamp(void)
{
    u64 before = rdtsc(), now = rdtsc();
    w7(119, now >= before, "RDTSC moves forward");
    write_cr4(read_cr4() | 4);
    now = rdtsc();
    write_cr4(read_cr4() & ~(word)4);
    w7(119, now >= before, "CR4.TSD does not bind level 0");
    u32 index = 0x3fff0000;
    w7_eq(119, "RDPMC of a counter that is not there", (u64)bm_try(rdpmc, &index).vector, 13);
    bool has = ext.d >> 27 & 1;
    w7(119, bm_try(rdtscp, &index).vector == (has ? -1 : 6), "RDTSCP exists exactly as announced (%u)", has);
}

/* --- 122-124, 174: interrupts between instructions --- */

#define APIC 0xfee00000u
static volatile u32 taken, counter;
static volatile word taken_at;

static void on_ipi(struct bm_regs *r)
{
    taken++;
    taken_at = r->ip;
    counter = (u32)r->cx;
    mmio_write(APIC + 0xb0, 0);
}

static void self_ipi(u32 vector)
{
    mmio_write(APIC + 0x300, 0x40000 | vector);
}

/* The interrupt is pending with IF=0; `code` ends with IF=1 and lets CX count instructions. Returns the count seen by the handler. */
#define SHADOW(number, want, what, code)                                                                       \
    do {                                                                                                       \
        taken = 0;                                                                                             \
        cli();                                                                                                 \
        self_ipi(0x61);                                                                                        \
        __asm__ volatile("xor %%ecx, %%ecx\n\t" code "\n\tinc %%ecx\n\tinc %%ecx\n\tinc %%ecx\n\tinc %%ecx\n\tcli" \
                         : : "d"((u32)BM_DATA) : "ecx", "eax", "memory", "cc");                               \
        w7(number, taken == 1 && counter == (want), "%s: %u instructions, expected %u", what, counter, (u32)(want)); \
    } while (0)

static void shadows(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    mmio_write(APIC + 0xf0, 0x1ff);
    mmio_write(APIC + 0x80, 0);
    bm_on(0x61, on_ipi);
    SHADOW(124, 1, "STI holds one instruction", "sti");
    SHADOW(124, 0, "POPF holds none", "pushf\n\torl $0x200, (%%esp)\n\tpopf"
#ifdef __x86_64__
           /* the stack is below 4 GiB, so that ESP is RSP */
#endif
    );
    SHADOW(124, 1, "MOV SS holds the next instruction", "sti\n\tmov %%edx, %%ss");
#ifndef __x86_64__
    SHADOW(124, 1, "POP SS holds the next instruction", "push %%ss\n\tsti\n\tpop %%ss");
    SHADOW(124, 0, "MOV DS holds none", "sti\n\tmov %%edx, %%ds");
#endif
    taken = 0;
    cli();
    self_ipi(0x61);
    __asm__ volatile("sti\n\tcli" : : : "memory");
    w7_eq(124, "STI, CLI: nothing in between", taken, 0);
    __asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
    w7_eq(124, "STI, NOP, CLI: taken", taken, 1);
    taken = 0;
    self_ipi(0x61);
    __asm__ volatile("sti\n\tsti\n\tnop\n\tcli" : : : "memory");
    w7_eq(124, "a second STI does not prolong the shadow", taken, 1);

    /* HLT */
    word after;
    taken = 0;
    self_ipi(0x61);
    __asm__ volatile("lea 1f, %0\n\tsti\n\thlt\n1:\tcli" : "=r"(after) : : "memory");
    w7(122, taken == 1 && taken_at == after, "STI, HLT: the pending interrupt ends HLT, return address behind it");
    mmio_write(APIC + 0x3e0, 0xb);
    mmio_write(APIC + 0x320, 0x61);
    taken = 0;
    mmio_write(APIC + 0x380, 200000);
    __asm__ volatile("lea 1f, %0\n\tsti\n\thlt\n1:\tcli" : "=r"(after) : : "memory");
    w7(122, taken == 1 && taken_at == after, "HLT waits for the timer");
    mmio_write(APIC + 0x320, 0x10000);

    /* task priority */
    taken = 0;
    mmio_write(APIC + 0x80, 0x70);
    self_ipi(0x61);
    sti();
    __asm__ volatile("nop\n\tnop");
    w7_eq(123, "a priority above holds the interrupt back", taken, 0);
#ifdef __x86_64__
    __asm__ volatile("xor %%ecx, %%ecx\n\txor %%eax, %%eax\n\tmov %%rax, %%cr8\n\tinc %%ecx\n\tinc %%ecx" : : : "rax", "rcx", "memory");
#else
    __asm__ volatile("xor %%ecx, %%ecx\n\tmovl $0, 0xfee00080\n\tinc %%ecx\n\tinc %%ecx" : : : "ecx", "memory");
#endif
    cli();
    w7(123, taken == 1 && counter == 0, "lowering it delivers before the next instruction (%u, %u)", taken, counter);
    mmio_write(APIC + 0x80, 0);
}

/* --- 111: self-modifying code --- */

static u8 code[4096 * 2] __attribute__((aligned(4096)));

static u32 call(u8 *at)
{
    u32 v;
    __asm__ volatile("call *%1" : "=a"(v) : "r"(at) : "memory", "ecx", "edx");
    return v;
}

static void put_mov(u8 *at, u32 v) /* mov $v, %eax; ret */
{
    at[0] = 0xb8;
    memcpy(at + 1, &v, 4);
    at[5] = 0xc3;
}

static void modified_code(void)
{
    put_mov(code, 1);
    w7_eq(111, "code as written", call(code), 1);
    put_mov(code, 2);
    w7_eq(111, "code written again", call(code), 2);
    /* the store changes the very next instruction: movb $3, next+1(%rip or absolute); next: mov $9, %eax; ret */
    u8 *p = code + 64;
    p[0] = 0xc6;
#ifdef __x86_64__
    p[1] = 0x05;
    *(u32 *)(p + 2) = 1;
#else
    p[1] = 0x05;
    *(u32 *)(p + 2) = (u32)(p + 8);
#endif
    p[6] = 3;
    put_mov(p + 7, 9);
    w7_eq(111, "a store to the next instruction", call(p), 3);
    /* over a page boundary */
    p = code + 4096 - 2;
    put_mov(p, 0x11111111);
    call(p);
    code[4096] = 0x22;
    w7_eq(111, "the part in the second page", call(p), 0x11112211);
    code[4095] = 0x33;
    w7_eq(111, "the part in the first page", call(p), 0x11112233);
    /* many times, alternating with execution */
    bool right = true;
    for (u32 i = 0; i < 2000; i++) {
        put_mov(code + 128, i);
        right &= call(code + 128) == i;
    }
    w7(111, right, "2000 changes");
    u32 n = 100, v = 0x900000b8; /* REP STOS over what runs next */
    memset(code + 256, 0x90, 256);
    put_mov(code + 512, 1);
    call(code + 256);
    memset(code + 256, 0x90, n);
    memcpy(code + 300, &v, 1);
    memset(code + 301, 7, 4);
    code[305] = 0xc3;
    w7_eq(111, "REP STOSB over code", call(code + 256), 0x07070707);
}

/* --- 110: addresses that are not canonical --- */

#ifdef __x86_64__
static void read_at(void *arg)
{
    *(volatile u8 *)arg;
}

static void read_stack(void *arg)
{
    __asm__ volatile("mov %%rbp, %%rcx\n\tmov %0, %%rbp\n\tmov (%%rbp), %%al\n\tmov %%rcx, %%rbp" : : "r"(arg) : "rax", "rcx", "memory");
}

static void jump_to(void *arg)
{
    ((void (*)(void))arg)();
}

static void canonical(void)
{
    word bad = 0x800000000000;
    struct bm_fault f = bm_try(read_at, (void *)bad);
    w7(110, f.vector == 13 && f.error == 0, "data: #GP(0)");
    f = bm_try(read_at, (void *)(0x7fffffffffff + (word)0));
    w7_eq(110, "the last canonical address is #PF", (u64)f.vector, 14);
    f = bm_try(read_stack, (void *)bad);
    w7(110, f.vector == 12 && f.error == 0, "stack: #SS(0)");
    f = bm_try(jump_to, (void *)bad);
    w7(110, f.vector == 13 && f.error == 0, "code: #GP(0)");
    f = bm_try(read_at, (void *)0xffff7fffffffffff);
    w7(110, f.vector == 13, "below the upper half: #GP");
}
#endif

/* --- 95: widths of LGDT and SGDT; 107: tables read back exactly, accessed bits --- */

struct __attribute__((packed)) pseudo {
    u16 limit;
    u64 base;
};

static void tables(void)
{
    struct pseudo old = { 0, 0 }, new = { 0x1234, 0 }, back;
    __asm__ volatile("sidt %0" : "=m"(old));
    new.base = BM_BITS == 64 ? 0xffff8123456789abull : 0xfedcba98u;
    memset(&back, 0, sizeof(back));
    __asm__ volatile("lidt %1\n\tsidt %0\n\tlidt %2" : "=m"(back) : "m"(new), "m"(old) : "memory");
    w7(107, back.limit == new.limit && back.base == new.base, "SIDT gives what LIDT took: %x %llx", back.limit, (unsigned long long)back.base);
    w7(95, back.base == new.base, "LIDT loads %u base bits", BM_BITS);
#ifndef __x86_64__
    memset(&back, 0, sizeof(back));
    __asm__ volatile("data16 lidt %1\n\tsidt %0\n\tlidt %2" : "=m"(back) : "m"(new), "m"(old) : "memory");
    w7_eq(95, "LIDT with 16-bit operands loads 24 base bits", back.base, 0xdcba98);
#endif
    /* accessed bit: set once, then the byte is not written any more (a write would leave the page dirty: seen by comparing) */
    u8 *d = bm_gdt + 8 * BM_GDT_FREE;
    memcpy(d, bm_gdt + BM_DATA, 8);
    d[5] = 0x92;
    __asm__ volatile("mov %0, %%fs" : : "r"(8 * BM_GDT_FREE) : "memory");
    w7_eq(107, "loading a segment register sets the accessed bit", d[5], 0x93);
    d[5] = 0x92;
    u32 rights = 0;
    __asm__ volatile("lar %1, %0" : "=r"(rights) : "r"((u32)8 * BM_GDT_FREE) : "cc");
    w7(107, d[5] == 0x92 && (rights & 0xff00) == 0x9200, "LAR does not");
    __asm__ volatile("mov %0, %%fs" : : "r"(0));
}

/* --- 90: string instructions --- */

static void strings(void)
{
    static u32 a[64], b[64];
    for (u32 i = 0; i < 64; i++) a[i] = i * 0x01010101u;
    void *di = b + 63, *si = a + 63;
    word n = 64;
    __asm__ volatile("std\n\trep movsl\n\tcld" : "+D"(di), "+S"(si), "+c"(n) : : "memory");
    w7(90, !memcmp(a, b, sizeof(a)) && n == 0 && di == b - 1, "REP MOVSD downwards");
    memset(b, 0, sizeof(b));
    di = b;
    n = 32;
    __asm__ volatile("rep stosw" : "+D"(di), "+c"(n) : "a"(0xabcd) : "memory");
    w7(90, b[15] == 0xabcdabcd && b[16] == 0, "REP STOSW");
    /* overlapping forward copy repeats the pattern */
    u8 text[16] = "ab";
    di = text + 2;
    si = text;
    n = 12;
    __asm__ volatile("rep movsb" : "+D"(di), "+S"(si), "+c"(n) : : "memory");
    w7(90, !memcmp(text, "abababababababa", 14), "overlapping REP MOVSB goes byte by byte");
#ifdef __x86_64__
    u32 ecx = 3; /* address size 32: only ECX counts */
    u64 rcx = 0xffffffff00000003ull;
    di = b;
    __asm__ volatile("addr32 rep stosl" : "+D"(di), "+c"(rcx) : "a"(0x77) : "memory");
    w7(90, b[2] == 0x77 && b[3] != 0x77 && rcx == 0, "REP with 32-bit addresses counts in ECX (%u)", ecx);
#endif
}

#ifdef __x86_64__
/* --- 111 and 107 through a second mapping: 4 GiB up, one page, its rights in the entry --- */

static u64 alias_pd[512] __attribute__((aligned(4096))), alias_pt[512] __attribute__((aligned(4096)));

static u8 *alias(const void *page, u64 rights)
{
    alias_pt[0] = ((word)page & ~(word)0xfff) | rights;
    alias_pd[0] = (word)alias_pt | 3;
    bm_pdpt[4] = (word)alias_pd | 3;
    write_cr3(read_cr3());
    return (u8 *)(4ull << 30) + ((word)page & 0xfff);
}

static void load_fs(void *arg)
{
    __asm__ volatile("mov %w0, %%fs" : : "r"(arg) : "memory");
}

static void second_mapping(void)
{
    u8 *other = alias(code, 3);
    put_mov(code, 1);
    call(code);
    put_mov(other, 2);
    w7_eq(111, "a store through another address", call(code), 2);
    put_mov(code, 3);
    w7_eq(111, "and the other way round", call(other), 3);

    struct pseudo old, new;
    u8 *d = bm_gdt + 8 * BM_GDT_FREE;
    __asm__ volatile("sgdt %0" : "=m"(old));
    new = old;
    word cr0 = read_cr0();
    write_cr0(cr0 | 0x10000);
    memcpy(d, bm_gdt + BM_DATA, 8);
    d[5] = 0x93;
    new.base = (word)alias(bm_gdt, 1); /* read-only */
    bool one_page = ((word)bm_gdt & 0xfff) + 8 * BM_GDT_ENTRIES <= 4096;
    if (one_page) {
        __asm__ volatile("lgdt %0" : : "m"(new) : "memory");
        struct bm_fault f = bm_try(load_fs, (void *)(word)(8 * BM_GDT_FREE));
        w7(107, f.vector == -1, "an accessed bit that is set is not written again (%d)", f.vector);
        d[5] = 0x92;
        f = bm_try(load_fs, (void *)(word)(8 * BM_GDT_FREE));
        w7(107, f.vector == 14 && f.error == 3 && d[5] == 0x92, "one that is clear is written: #PF(%lx) in a read-only table",
           (unsigned long)f.error);
        __asm__ volatile("lgdt %0" : : "m"(old) : "memory");
    }
    load_fs(NULL);
    write_cr0(cr0);
}
#endif

void bm_main(const struct bm_info *info)
{
    for (const char *p = info->command_line; *p; p++) no_hypervisor |= p[0] == 'n' && p[1] == 'o' && p[2] == 'h' && p[3] == 'y';
    if (no_hypervisor) {
        W7_PLAN(255);
        vendor_and_features();
        hypervisor();
        return;
    }
    W7_PLAN(80, 81, 82, 84, 86, 87, 88, 90, 91, 95, 107, 111, 112, 113, 114, 115, 118, 119, 120, 122, 123, 124, 253, 254, 255);
    vendor_and_features();
    leaves_above();
    not_announced();
    hypervisor();
    cr4_bits();
    fault_addresses();
    lock_legal();
    lahf_sahf();
    old_instructions();
    no_ops();
    floating();
    time_stamp();
    shadows();
    modified_code();
    tables();
    strings();
#ifdef __x86_64__
    W7_PLAN(110);
    canonical();
    second_mapping();
    u8 odd[48];
    w7_eq(112, "CMPXCHG16B at an odd address", (u64)bm_try(misaligned_16b, (void *)(((word)odd & ~(word)15) + 8)).vector, 13);
#endif
}

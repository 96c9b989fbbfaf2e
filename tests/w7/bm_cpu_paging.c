/* Checklist W7-097 to 102: paging. Every form the mode has (32-bit kernel: two levels with 4 MiB pages, then PAE; 64-bit kernel: four
 * levels) is run through all combinations of rights at every level x access x privilege x CR0.WP, and compared with the rules of SDM 3A
 * 4.6 and 4.7 written down in `expected`; then reserved bits, accessed and dirty bits, TLB flushes, memory types, accesses over a page
 * boundary. On --cpu max also SMEP and SMAP.
 *
 * The test page lies alone under its own entries at every level ("path"); user code and its stack lie under others. */
#include "bm.h"

#define P 1u
#define W 2u
#define U 4u
#define A 0x20u
#define D 0x40u
#define PS 0x80u
#define G 0x100u
#define NX (1ull << 63)
#ifdef __x86_64__
#define BM_SP "rsp"
#else
#define BM_SP "esp"
#endif

enum { READ, WRITE, FETCH };
enum { TWO_LEVEL, PAE, LONG };

static u64 tables[12][512] __attribute__((aligned(4096)));
static u8 page[2][4096] __attribute__((aligned(4096)));
static u8 user_code[4096] __attribute__((aligned(4096)));
static u8 kernel_stack[8192] __attribute__((aligned(16)));
static u8 tss[104] __attribute__((aligned(16)));

static struct {
    int form;
    unsigned levels;    /* of the path: 2 (two-level, PAE), 4 */
    word va, user;      /* test page; user code, its stack in the next page */
    void *entry[4];     /* of the path, leaf first */
    u64 next[4];        /* what the entry points to */
    u64 other;          /* the second page's frame */
    bool nxe, smep, smap, pse36, huge;
    u8 phys;
} t;

static void set(unsigned level, u64 v)
{
    if (t.form == TWO_LEVEL) *(volatile u32 *)t.entry[level] = (u32)v;
    else *(volatile u64 *)t.entry[level] = v;
}

static u64 get(unsigned level)
{
    return t.form == TWO_LEVEL ? *(volatile u32 *)t.entry[level] : *(volatile u64 *)t.entry[level];
}

static void flush(void)
{
    write_cr3(read_cr3());
}

static void invlpg(word a)
{
    __asm__ volatile("invlpg (%0)" : : "r"(a) : "memory");
}

/* --- user mode --- */

#ifdef __x86_64__
__asm__("enter_user:\n\tpush %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\tmov %rsp, user_saved\n\t"
        "mov %rsi, %rax\n\tpush $0x4b\n\tlea 0x1f00(%rdx), %rcx\n\tpush %rcx\n\tpush $2\n\tpush $0x43\n\tpush %rdi\n\tiretq\n"
        "user_back:\n\tpop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret\n"
        ".bss\n.balign 8\nuser_saved: .skip 8\n.text");
#else
__asm__("enter_user:\n\tmov 4(%esp), %ecx\n\tmov 8(%esp), %eax\n\tmov 12(%esp), %edx\n\tpush %ebp\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\t"
        "mov %esp, user_saved\n\tadd $0x1f00, %edx\n\tpush $0x4b\n\tmov (%esp), %ds\n\tmov (%esp), %es\n\tpush %edx\n\tpush $2\n\tpush $0x43\n\tpush %ecx\n\tiret\n"
        "user_back:\n\tmov user_saved, %esp\n\tpop %edi\n\tpop %esi\n\tpop %ebx\n\tpop %ebp\n\tret\n"
        ".bss\n.balign 8\nuser_saved: .skip 8\n.text");
#endif
void enter_user(word ip, word ax, word stack);
extern u8 user_back[];
extern word user_saved;

static void on_user_int(struct bm_regs *r)
{
    r->cs = BM_CODE;
    r->ip = (word)user_back;
#ifdef __x86_64__
    r->sp = user_saved;
    r->ss = BM_DATA;
#endif
}

static void user_set_up(void)
{
    static const u8 stub[] = { 0x8a, 0x10, 0xcd, 0x80 }, stub_w[] = { 0xc6, 0x00, 0xc3, 0xcd, 0x80 }, stub_x[] = { 0xff, 0xd0, 0xcd, 0x80 };
    u64 *gdt = (u64 *)bm_gdt + BM_GDT_FREE;
    word at = (word)tss, top = (word)kernel_stack + sizeof(kernel_stack);
    memcpy(user_code, stub, sizeof(stub));
    memcpy(user_code + 16, stub_w, sizeof(stub_w));
    memcpy(user_code + 32, stub_x, sizeof(stub_x));
    gdt[0] = BM_BITS == 64 ? 0x00affb000000ffff : 0x00cffb000000ffff;
    gdt[1] = 0x00cff3000000ffff;
    gdt[2] = 0x0000890000000067 | (u64)(at & 0xffffff) << 16 | (u64)(at >> 24 & 0xff) << 56;
    gdt[3] = 0;
#ifdef __x86_64__
    memcpy(tss + 4, &top, 8);
#else
    u32 ss = BM_DATA;
    memcpy(tss + 4, &top, 4);
    memcpy(tss + 8, &ss, 4);
#endif
    tss[102] = 104;
    __asm__ volatile("ltr %w0" : : "r"((BM_GDT_FREE + 2) * 8) : "memory");
    bm_idt[0x80 * (BM_BITS == 64 ? 16 : 8) + 5] |= 0x60;
    bm_on(0x80, on_user_int);
}

/* --- one access --- */

struct access {
    int kind;
    bool user, ac;
    word at;
};

static void perform(void *arg)
{
    struct access *a = arg;
    if (a->user) {
        enter_user(t.user + (word)a->kind * 16, a->at, t.user);
        return;
    }
    if (a->ac) __asm__ volatile("pushf\n\torl $0x40000, (%%" BM_SP ")\n\tpopf" : : : "memory", "cc");
    if (a->kind == READ) *(volatile u8 *)a->at;
    else if (a->kind == WRITE) *(volatile u8 *)a->at = 0xc3;
    else ((void (*)(void))a->at)();
    if (a->ac) __asm__ volatile("pushf\n\tandl $~0x40000, (%%" BM_SP ")\n\tpopf" : : : "memory", "cc");
}

/* Error code of the #PF, -1 for none, -2 for something else; CR2 is checked here. */
static int access(int kind, bool user, bool ac)
{
    struct access a = { kind, user, ac, t.va };
    struct bm_fault f = bm_try(perform, &a);
    if (f.vector == -1) return -1;
    return f.vector == 14 && f.cr2 == t.va ? (int)f.error : -2;
}

/* SDM 3A 4.6: rights are the AND of all levels, NX the OR. */
static int expected(u64 rights, bool nx, int kind, bool user, bool ac)
{
    bool wp = read_cr0() >> 16 & 1, upage = rights & U, ok = true;
    if (user && !upage) ok = false;
    if (kind == WRITE && !(rights & W) && (user || wp)) ok = false;
    if (kind == FETCH && nx) ok = false;
    if (!user && upage && kind == FETCH && t.smep) ok = false;
    if (!user && upage && kind != FETCH && t.smap && !ac) ok = false;
    if (ok) return -1;
    bool tells_fetch = t.smep || t.nxe;
    return 1 | (kind == WRITE ? 2 : 0) | (user ? 4 : 0) | (kind == FETCH && tells_fetch ? 16 : 0);
}

static const char *form_name(void)
{
    return t.form == TWO_LEVEL ? "two levels" : t.form == PAE ? "PAE" : "four levels";
}

static void normal_path(void)
{
    for (unsigned l = t.levels; l-- > 0;) set(l, t.next[l] | P | W | U);
    flush();
}

/* --- 098, 099: rights --- */

static u32 bad_codes, bad_bits, tried;

/* All kinds of access with the path as it is. `nx` any NX bit, `rights` the AND of W and U. */
static void all_accesses(u64 rights, bool nx, unsigned leaf)
{
    for (int n = 0; n < 12; n++) {
        int kind = n % 3;
        bool user = n / 3 & 1, ac = n / 6;
        if (ac && (!t.smap || user)) continue;
        u64 before[4];
        for (unsigned l = leaf; l < t.levels; l++) {
            before[l] = get(l) & ~(u64)(A | D);
            set(l, before[l]);
        }
        flush();
        int want = expected(rights, nx, kind, user, ac), code = access(kind, user, ac);
        tried++;
        if (code != want && bad_codes++ < 3)
            bm_printf("%s: rights %x nx %u kind %d user %u ac %u: got %d, expected %d\n", form_name(), (u32)rights, nx, kind, user, ac, code, want);
        for (unsigned l = leaf; l < t.levels; l++) {
            u64 bits = want == -1 ? A | (l == leaf && kind == WRITE ? D : 0) : 0;
            if (get(l) != (before[l] | bits) && bad_bits++ < 3)
                bm_printf("%s: level %u: %llx, expected %llx\n", form_name(), l, (unsigned long long)get(l), (unsigned long long)(before[l] | bits));
        }
    }
}

/* Each level in turn gets every combination of W, U and NX, first with the others permissive, then all levels alike. */
static void rights_matrix(unsigned leaf)
{
    u64 large = leaf ? PS : 0;
    for (unsigned mask = 1; mask < 1u << t.levels; mask++) {
        if (mask & ((1u << leaf) - 1)) continue;
        for (unsigned rights = 0; rights < 8; rights++) {
            bool nx = rights & 1 && t.nxe;
            if ((rights & 1) && !t.nxe) continue;
            u64 eff = W | U;
            for (unsigned l = leaf; l < t.levels; l++) {
                u64 r = mask >> l & 1 ? rights & (W | U) : W | U;
                eff &= r;
                set(l, t.next[l] | P | r | (l == leaf ? large : 0) | (nx && (mask >> l & 1) ? NX : 0));
            }
            all_accesses(eff, nx, leaf);
        }
    }
}

static void not_present(void)
{
    for (unsigned l = 0; l < t.levels; l++) {
        normal_path();
        set(l, get(l) & ~(u64)P);
        flush();
        for (int n = 0; n < 6; n++) {
            int kind = n % 3, want = (kind == WRITE ? 2 : 0) | (n / 3 ? 4 : 0) | (kind == FETCH && (t.smep || t.nxe) ? 16 : 0);
            tried++;
            if (access(kind, n / 3, false) != want) bad_codes++;
        }
        if (get(l) & (A | D)) bad_bits++;
    }
}

static void reserved(unsigned level, u64 bit, const char *what)
{
    normal_path();
    u64 v = get(level) | bit;
    set(level, v);
    flush();
    int code = access(READ, false, false), wcode = access(WRITE, true, false);
    w7(98, code == 9 && wcode == 15, "%s: reserved bit, %s: %d %d", form_name(), what, code, wcode);
    w7(99, !(get(0) & (A | D)), "%s: no accessed bit for a reserved bit", form_name());
    normal_path();
}

static void reserved_bits(void)
{
    if (t.form == TWO_LEVEL) {
        if (t.pse36) reserved(1, PS | 1u << 21, "bit 21 of a 4 MiB entry");
        return;
    }
    reserved(0, 1ull << t.phys, "above the physical width");
    reserved(0, 1ull << 51, "bit 51");
    reserved(1, 1ull << t.phys, "directory entry");
    reserved(1, PS | 1u << 13, "bit 13 of a 2 MiB entry");
    reserved(1, PS | 1u << 20, "bit 20 of a 2 MiB entry");
    if (t.form == PAE) {
        reserved(0, 1ull << 62, "bit 62");
        reserved(0, 1ull << 52, "bit 52");
    } else {
        reserved(3, PS, "bit 7 of the top level");
        if (!t.huge) reserved(2, PS, "1 GiB page");
        else reserved(2, PS | 1u << 13, "bit 13 of a 1 GiB entry");
        reserved(3, 1ull << 51, "top level");
        reserved(2, 1ull << t.phys, "second level");
    }
    if (!t.nxe) reserved(0, NX, "NX while EFER.NXE is off");
}

/* --- 100: what flushes what --- */

static u8 look(void)
{
    return *(volatile u8 *)t.va;
}

static void remap(u64 flags, bool second)
{
    set(0, (second ? t.other : t.next[0]) | P | W | flags);
}

static void flushes(void)
{
    page[0][0] = 0xaa;
    page[1][0] = 0xbb;
    normal_path();
    remap(0, false);
    invlpg(t.va);
    w7_eq(100, "mapped", look(), 0xaa);
    remap(0, true);
    invlpg(t.va);
    w7_eq(100, "INVLPG", look(), 0xbb);
    remap(0, false);
    flush();
    w7_eq(100, "CR3 load", look(), 0xaa);
    remap(0, true);
    invlpg(t.va + 0xfff);
    w7_eq(100, "INVLPG with any address of the page", look(), 0xbb);
    write_cr4(read_cr4() | 0x80);
    remap(G, false);
    invlpg(t.va);
    look();
    remap(G, true);
    flush();
    w7_eq(100, "a global entry survives a CR3 load", look(), 0xaa);
    invlpg(t.va);
    w7_eq(100, "and not INVLPG", look(), 0xbb);
    remap(G, false);
    write_cr4(read_cr4() & ~(word)0x80);
    w7_eq(100, "CR4.PGE cleared: flushed", look(), 0xaa);
    remap(G, true);
    write_cr4(read_cr4() | 0x80);
    w7_eq(100, "CR4.PGE set: flushed", look(), 0xbb);
    write_cr4(read_cr4() & ~(word)0x80);
    remap(G, false);
    flush();
    w7_eq(100, "without CR4.PGE the G bit means nothing", look(), 0xaa);
    /* the rights of a table above the leaf, after a flush of the page */
    normal_path();
    look();
    set(1, get(1) & ~(u64)W);
    invlpg(t.va);
    word cr0 = read_cr0();
    write_cr0(cr0 | 0x10000);
    w7_eq(100, "INVLPG drops what upper levels said", (u64)access(WRITE, false, false), 3);
    write_cr0(cr0);
    normal_path();
    page[0][0] = page[1][0] = 0xc3;
}

/* --- 101: memory types --- */

static void memory_types(void)
{
    for (unsigned n = 0; n < 8; n++) {
        u64 bits = (n & 1 ? 8 : 0) | (n & 2 ? 16 : 0) | (n & 4 ? PS : 0); /* PWT, PCD, PAT */
        normal_path();
        set(0, t.next[0] | P | W | U | bits);
        flush();
        *(volatile u32 *)t.va = 0x1000 + n;
        bool ok = *(volatile u32 *)page[0] == 0x1000 + n;
        *(volatile u32 *)page[0] = 0x2000 + n;
        w7(101, ok && *(volatile u32 *)t.va == 0x2000 + n, "%s: PAT, PCD, PWT = %u", form_name(), n);
    }
    for (unsigned l = 1; l < t.levels; l++) {
        normal_path();
        set(l, get(l) | 0x18);
        flush();
        w7(101, access(WRITE, true, false) == -1, "%s: PCD and PWT at level %u", form_name(), l);
    }
    page[0][0] = 0xc3;
    normal_path();
}

/* --- 102: accesses over the end of the page; the page behind is not there --- */

static void cross(void *arg)
{
    u8 *p = (u8 *)t.va + 4096 - 2;
    switch (*(int *)arg) {
    case 0: *(volatile u32 *)p = 0x22222222; break;
    case 1: __asm__ volatile("addl $0x11111111, (%0)" : : "r"(p) : "memory", "cc"); break;
    case 2: __asm__ volatile("xchg %%eax, (%0)" : : "r"(p), "a"(0x33333333) : "memory"); break;
    case 3: __asm__ volatile("lock xadd %%eax, (%0)" : : "r"(p), "a"(5) : "memory", "cc"); break;
    case 4: __asm__ volatile("movups %%xmm0, (%0)" : : "r"(p) : "memory"); break;
    case 5: __asm__ volatile("fnstenv (%0)" : : "r"(p) : "memory"); break;
    case 6: __asm__ volatile("btsl $20, (%0)" : : "r"(p) : "memory", "cc"); break;
    case 7: __asm__ volatile("lock cmpxchg8b (%0)" : : "r"(p), "a"(0), "d"(0), "b"(1), "c"(2) : "memory", "cc"); break;
    default: __asm__ volatile("sidt (%0)" : : "r"(p) : "memory"); break;
    }
}

static void crossing(void)
{
    word cr0 = read_cr0();
    write_cr0(cr0 & ~(word)0xc);
    write_cr4(read_cr4() | 0x200);
    normal_path();
    for (int n = 0; n < 9; n++) {
        page[0][4094] = 0x5a;
        page[0][4095] = 0xa5;
        struct bm_fault f = bm_try(cross, &n);
        w7(102, f.vector == 14 && f.error == 2 && f.cr2 == t.va + 4096, "%s: write %d: #PF at the second page (%d, %lx, %lx)", form_name(), n,
           f.vector, (unsigned long)f.error, (unsigned long)f.cr2);
        w7(102, page[0][4094] == 0x5a && page[0][4095] == 0xa5, "%s: write %d: the first page is as it was", form_name(), n);
    }
    /* both missing: first the first, then the second */
    set(0, 0);
    flush();
    int n = 0;
    struct bm_fault f = bm_try(cross, &n);
    w7_eq(102, "the first page faults first", f.cr2, t.va + 4094);
    normal_path();
    f = bm_try(cross, &n);
    w7_eq(102, "then the second", f.cr2, t.va + 4096);
    page[0][0] = 0xc3;
    write_cr0(cr0);
}

static void stos_over(struct bm_regs *r)
{
    /* the handler of #PF maps the page and lets the instruction go on */
    word at = read_cr2();
    w7(90, r->di == t.va + 4096 && r->cx == 24 && at == r->di, "REP STOSB stops at the fault: DI %lx, CX %lx", (unsigned long)r->di,
       (unsigned long)r->cx);
    void *leaf = t.entry[0];
    if (t.form == TWO_LEVEL) ((u32 *)leaf)[1] = (u32)t.other | P | W;
    else ((u64 *)leaf)[1] = t.other | P | W;
}

static void restart(void)
{
    word n = 32, di = t.va + 4096 - 8;
    normal_path();
    memset(page[1], 0, 64);
    bm_on(14, stos_over);
    __asm__ volatile("rep stosb" : "+D"(di), "+c"(n) : "a"(0x77) : "memory");
    bm_on(14, NULL);
    w7(90, n == 0 && page[1][23] == 0x77 && page[1][24] == 0 && page[0][4095] == 0x77, "%s: and goes on behind it", form_name());
    if (t.form == TWO_LEVEL) ((u32 *)t.entry[0])[1] = 0;
    else ((u64 *)t.entry[0])[1] = 0;
    page[1][0] = 0xc3;
    flush();
}

/* --- all of it for one form --- */

static void run_form(void)
{
    page[0][0] = page[1][0] = 0xc3;
    t.next[0] = (word)page[0];
    t.other = (word)page[1];
    bad_codes = bad_bits = tried = 0;
    word cr0 = read_cr0();
    for (int wp = 0; wp < 2; wp++) {
        write_cr0(wp ? cr0 | 0x10000 : cr0 & ~(word)0x10000);
        rights_matrix(0);
        not_present();
    }
    normal_path();
    w7(98, !bad_codes, "%s, NXE %u, SMEP %u, SMAP %u: %u accesses, %u wrong answers", form_name(), t.nxe, t.smep, t.smap, tried, bad_codes);
    w7(99, !bad_bits, "%s: accessed and dirty bits, %u wrong", form_name(), bad_bits);
    write_cr0(cr0);
}

/* 4 MiB, 2 MiB or 1 GiB leaf: the test address is mapped onto the low pages of the large frame that holds page[]. */
static void run_large(unsigned level, u64 size)
{
    u64 keep = t.next[level];
    word va = t.va;
    t.next[level] = (word)page[0] & ~(size - 1);
    t.va = va + ((word)page[0] & (word)(size - 1));
    bad_codes = bad_bits = tried = 0;
    rights_matrix(level);
    w7(98, !bad_codes, "%s: page of %u KiB: %u accesses, %u wrong", form_name(), (u32)(size >> 10), tried, bad_codes);
    w7(99, !bad_bits, "%s: page of %u KiB: accessed and dirty bits, %u wrong", form_name(), (u32)(size >> 10), bad_bits);
    t.va = va;
    t.next[level] = keep;
    normal_path();
}

static void the_rest(void)
{
    reserved_bits();
    flushes();
    memory_types();
    crossing();
    restart();
}

static void set_nxe(bool on)
{
    u64 v = rdmsr(0xc0000080);
    wrmsr(0xc0000080, on ? v | 0x800 : v & ~0x800ull);
    t.nxe = on && t.form != TWO_LEVEL;
}

static void supervisor_protection(void)
{
    if (cpuid(0, 0).a < 7) return;
    u32 b = cpuid(7, 0).b;
    if (b & 0x80) {
        write_cr4(read_cr4() | 0x100000);
        t.smep = true;
        run_form();
    }
    if (b >> 20 & 1) {
        write_cr4(read_cr4() | 0x200000);
        t.smap = true;
        run_form();
    }
    write_cr4(read_cr4() & ~(word)0x300000);
    t.smep = t.smap = false;
}

#ifdef __x86_64__

static void forms(void)
{
    t.form = LONG;
    t.levels = 4;
    t.va = 1ull << 39;
    t.user = 2ull << 39;
    for (unsigned l = 1; l < 4; l++) t.next[l] = (word)tables[l - 1];
    t.entry[3] = &bm_pml4[1];
    t.entry[2] = tables[2];
    t.entry[1] = tables[1];
    t.entry[0] = tables[0];
    tables[5][0] = (word)tables[4] | P | W | U;
    tables[4][0] = (word)tables[3] | P | W | U;
    tables[3][0] = (word)user_code | P | U;
    tables[3][1] = (word)tables[6] | P | W | U; /* its stack */
    bm_pml4[2] = (word)tables[5] | P | W | U;
    run_form();
    the_rest();
    set_nxe(true);
    run_form();
    reserved_bits();
    run_large(1, 2u << 20);
    if (t.huge) run_large(2, 1u << 30);
    supervisor_protection();
}

#else

static void try_cr3(void *arg)
{
    write_cr3(*(word *)arg);
}

/* 097: the four page-directory pointers are registers, loaded and checked with CR3. */
static void pdptes(u64 *pdpt)
{
    static const u8 bits[] = { 1, 2, 5, 6, 7, 8 };
    word cr3 = read_cr3();
    u64 good = pdpt[2];
    for (unsigned i = 0; i < sizeof(bits) + 2; i++) {
        u64 bit = i < sizeof(bits) ? 1ull << bits[i] : i == sizeof(bits) ? 1ull << t.phys : NX;
        pdpt[2] = good | bit;
        struct bm_fault f = bm_try(try_cr3, &cr3);
        w7(97, f.vector == 13 && f.error == 0, "PDPTE with reserved bit %llx: #GP", (unsigned long long)bit);
        pdpt[2] = (good | bit) & ~1ull;
        f = bm_try(try_cr3, &cr3);
        w7(97, f.vector == -1, "not present: the rest is ignored");
    }
    pdpt[2] = good;
    write_cr3(cr3);
    /* registers, not memory: a change is seen with the next CR3 load */
    u64 keep = pdpt[3];
    pdpt[3] = 0;
    normal_path();
    pdpt[3] = keep;
    write_cr3(cr3);
    pdpt[3] = 0;
    invlpg(t.va);
    w7(97, access(READ, false, false) == -1, "a PDPTE changed in memory has no effect yet");
    write_cr3(cr3);
    w7(97, access(READ, false, false) == 0, "CR3 loads it");
    pdpt[3] = keep;
    write_cr3(cr3);
}

static void paging(bool on)
{
    word v = read_cr0();
    write_cr0(on ? v | 0x80000000 : v & 0x7fffffff);
}

static void forms(void)
{
    u32 *dir = (u32 *)tables[0];
    t.form = TWO_LEVEL;
    t.levels = 2;
    for (u32 i = 0; i < 1024; i++) dir[i] = i << 22 | P | W | PS;
    t.va = 0xc0000000;
    t.user = 0xc0400000;
    t.entry[1] = &dir[0x300];
    t.entry[0] = tables[1];
    t.next[1] = (word)tables[1];
    dir[0x301] = (word)tables[2] | P | W | U;
    ((u32 *)tables[2])[0] = (word)user_code | P | U;
    ((u32 *)tables[2])[1] = (word)tables[3] | P | W | U;
    write_cr4(read_cr4() | 0x10);
    write_cr3((word)dir);
    set(1, t.next[1] | P | W | U);
    set(0, (word)page[0] | P | W | U);
    paging(true);
    run_form();
    the_rest();
    run_large(1, 4u << 20);
    supervisor_protection();
    paging(false);

    /* PAE: four directories of 2 MiB pages */
    t.form = PAE;
    for (u32 i = 0; i < 2048; i++) tables[4 + i / 512][i % 512] = (u64)i << 21 | P | W | PS;
    memset(tables[0], 0, 4096);
    for (u32 i = 0; i < 4; i++) tables[0][i] = (word)tables[4 + i] | P;
    memset(tables[1], 0, 4096);
    memset(tables[2], 0, 4096);
    t.user = 0xc0200000;
    t.entry[1] = &tables[7][0];
    t.entry[0] = tables[1];
    tables[7][1] = (word)tables[2] | P | W | U;
    tables[2][0] = (word)user_code | P | U;
    tables[2][1] = (word)tables[3] | P | W | U;
    write_cr4((read_cr4() & ~(word)0x10) | 0x20);
    write_cr3((word)tables[0]);
    set(1, t.next[1] | P | W | U);
    set(0, (word)page[0] | P | W | U);
    paging(true);
    run_form();
    the_rest();
    pdptes(tables[0]);
    set_nxe(true);
    run_form();
    reserved_bits();
    run_large(1, 2u << 20);
    supervisor_protection();
    paging(false);
}
#endif

void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(90, 98, 99, 100, 101, 102);
#ifndef __x86_64__
    W7_PLAN(97);
#endif
    t.phys = (u8)cpuid(0x80000008, 0).a;
    t.pse36 = cpuid(1, 0).d >> 17 & 1;
    t.huge = cpuid(0x80000001, 0).d >> 26 & 1;
    user_set_up();
    forms();
}

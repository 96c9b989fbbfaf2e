/* Loads that guess their TLB entry (jit/tlb.c): tables that lie in one page, that begin near a
 * page's end, that are all over the place, not aligned, over page ends; pages that are mapped
 * elsewhere between runs, or not there any more. What is read must be what the tables say. */
#include <check.h>

#include "cpu/mmu.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_tlb_suite(void);

static const char *const engines[] = { "interp", "jit,hot=0", "jit,hot=2", "jit,hot=0,ops=1",
                                       "jit,hot=0,flush=tlb", "lockstep,hot=0",
                                       "lockstep,hot=0,run=50" };

enum { CODE = 0xb000, LIST = 0xd00000, AT = 0x400000, PAGES = 8, TABLE = 0x13000, N = 200 };

/* again: mov ecx,[rsi]; add rsi,4; add rax,[rbx+rcx]; imul rax,rax,31; movzx edx,byte [rbx+rcx];
 * add rax,rdx; movzx edx,word [rbx+rcx]; xor rax,rdx; movsxd rdx,dword [rbx+rcx]; add rax,rdx;
 * cmp [rbx+rcx],dl; adc rax,0; dec edi; jnz again; hlt */
static const u8 program[] = {
    0x8b, 0x0e, 0x48, 0x83, 0xc6, 0x04, 0x48, 0x03, 0x04, 0x0b, 0x48, 0x6b, 0xc0, 0x1f, 0x0f, 0xb6,
    0x14, 0x0b, 0x48, 0x01, 0xd0, 0x0f, 0xb7, 0x14, 0x0b, 0x48, 0x31, 0xd0, 0x48, 0x63, 0x14, 0x0b,
    0x48, 0x01, 0xd0, 0x38, 0x14, 0x0b, 0x48, 0x83, 0xd0, 0x00, 0xff, 0xcf, 0x75, 0xd2, 0xf4,
};

static u32 frame_of(const struct rig *r, u32 offset)
{
    return ld32(r->bytes + TABLE + (offset >> 12) * 8) & 0xfffff000;
}

/* Page by page, as the tables have it. */
static u64 value(const struct rig *r, u32 offset, unsigned size)
{
    u64 v = 0;
    for (unsigned k = 0; k < size; k++) {
        u64 b = r->bytes[frame_of(r, offset + k) + ((offset + k) & 0xfff)];
        v |= b << k * 8;
    }
    return v;
}

static u64 expected(const struct rig *r, u64 rax)
{
    for (unsigned k = 0; k < N; k++) {
        u32 at = ld32(r->bytes + LIST + k * 4);
        rax = (rax + value(r, at, 8)) * 31 + value(r, at, 1);
        rax ^= value(r, at, 2);
        u64 d = (u64)(i64)(i32)value(r, at, 4);
        rax += d;
        rax += value(r, at, 1) < (u8)d;
    }
    return rax;
}

/* Eight linear pages whose frames lie the other way round. */
static struct rig *mapped(const char *engine)
{
    struct rig *r = rig_with("win7", engine);
    rig_long(r, 0);
    st64(r->bytes + 0x12000 + 16, TABLE | 7);
    for (u64 k = 0; k < PAGES; k++) st64(r->bytes + TABLE + k * 8, (0x80f000 - k * 0x1000) | 7);
    u64 seed = 7;
    for (u32 k = 0; k < 0x20000; k++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        r->bytes[0x800000 + k] = (u8)(seed >> 56);
    }
    rig_code(r, CODE, program, sizeof(program));
    tlb_flush_all(r->c);
    return r;
}

static void fill(struct rig *r, unsigned pattern)
{
    u64 seed = pattern + 1;
    for (unsigned k = 0; k < N; k++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        u32 any = (u32)(seed >> 33), at = 0;
        switch (pattern) {
        case 0: at = any % 0x200 * 8; break;                             /* one page, aligned */
        case 1: at = k & 1 ? 0x2000 : 0x1ff8 + any % 8; break;           /* over the end, and behind */
        case 2: at = any % (PAGES - 1) * 0x1000 + any / 8 % 0x200 * 8; break;
        case 3: at = any % ((PAGES - 1) * 0x1000); break;                /* anything */
        case 4: at = 0x3000 + any % 0xff8; break;                        /* one page, not aligned */
        default: at = k % 50 < 48 ? 0x5000 + any % 64 * 8 : 0x4ff9; break;
        }
        st32(r->bytes + LIST + k * 4, at);
    }
}

static void start(struct cpu *c)
{
    c->halted = false;
    cpu_event_clear(c, CE_HALT);
    c->rip = CODE;
    c->r[RSI] = LIST;
}

static void run(struct rig *r)
{
    struct cpu *c = r->c;
    u64 want = expected(r, 5);
    start(c);
    c->r[RAX] = 5;
    c->r[RBX] = AT;
    c->r[RDI] = N;
    for (unsigned k = 0; k < 100 && !c->halted; k++) cpu_run(c, 100000);
    ck_assert(c->halted);
    ck_assert_uint_eq(c->r[RAX], want);
}

START_TEST(tables_of_every_kind)
{
    static const u8 order[] = { 0, 1, 0, 2, 0, 1, 3, 4, 1, 5, 5, 1, 0 };
    struct rig *r = mapped(engines[_i]);
    for (unsigned k = 0; k < LEN(order); k++) {
        fill(r, order[k]);
        run(r);
    }
    rig_free(r);
}
END_TEST

START_TEST(pages_mapped_elsewhere)
{
    for (unsigned pattern = 0; pattern < 6; pattern++) {
        struct rig *r = mapped(engines[_i]);
        fill(r, pattern);
        for (unsigned k = 0; k < 12; k++) {
            run(r);
            st64(r->bytes + TABLE + k % PAGES * 8, (0x810000 + k * 0x1000ull) | 7);
            if (k % 3) tlb_flush_page(r->c, AT + k % PAGES * 0x1000);
            else tlb_load_cr3(r->c, r->c->cr3);
        }
        rig_free(r);
    }
}
END_TEST

START_TEST(a_page_that_is_gone_faults)
{
    struct rig *r = mapped(engines[_i]);
    fill(r, 0);
    run(r);
    run(r);
    rig_code(r, 0xe000, "\xf4", 1);
    rig_gate64(r, EXC_PF, 0x18, 0xe000, 0x8e, 0);
    st64(r->bytes + TABLE, 0);
    tlb_flush_page(r->c, AT);
    start(r->c);
    cpu_run(r->c, 1000);
    ck_assert_uint_eq(r->c->rip, 0xe001);
    ck_assert_uint_eq(r->c->cr2, AT + ld32(r->bytes + LIST));
    rig_free(r);
}
END_TEST

Suite *jit_tlb_suite(void)
{
    Suite *s = suite_create("jit_tlb");
    TCase *t = tcase_create("guesses");
    int n = (int)LEN(engines);
    tcase_add_loop_test(t, tables_of_every_kind, 0, n);
    tcase_add_loop_test(t, pages_mapped_elsewhere, 0, n);
    tcase_add_loop_test(t, a_page_that_is_gone_faults, 0, n);
    suite_add_tcase(s, t);
    return s;
}

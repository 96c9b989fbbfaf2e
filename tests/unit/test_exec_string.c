/* String instructions against a model that goes element by element: random operands that overlap,
 * cross pages, run down, wrap, and end at segment limits; REP INS and OUTS through a data port that
 * moves runs; interrupts and the instruction count in the middle. */
#include "cpu/seg.h" /* seg_update_flat */
#include "tests/unit/cpu_rig.h"

Suite *exec_string_suite(void);

#define CODE 0x7c00u
#define AREA 0x200000u /* both segments lie in these 64 KiB */
#define PORT 0x1f0u

struct port {
    struct region region;
    struct rig *r;
    u8 data[4096];
    unsigned at, window; /* bytes moved, and how many until the device interrupts */
    unsigned singles, runs;
};

static void moved(struct port *p, unsigned bytes)
{
    p->at += bytes;
    if (p->at == p->window) cpu_set_intr(p->r->c, true);
}

static u64 port_read(void *opaque, u64 off, unsigned size)
{
    struct port *p = opaque;
    (void)off;
    u64 v = ld_n(p->data + p->at % sizeof(p->data), size);
    p->singles++;
    moved(p, size);
    return v;
}

static void port_write(void *opaque, u64 off, u64 v, unsigned size)
{
    struct port *p = opaque;
    (void)off;
    st_n(p->data + p->at % sizeof(p->data), v, size);
    p->singles++;
    moved(p, size);
}

static unsigned room(const struct port *p, unsigned size, unsigned n)
{
    unsigned end = p->at < p->window ? p->window : (unsigned)sizeof(p->data);
    return p->at < end ? MIN(n, (end - p->at) / size) : 0;
}

static unsigned read_run(void *opaque, u64 off, unsigned size, void *buf, unsigned n)
{
    struct port *p = opaque;
    (void)off;
    n = room(p, size, n);
    memcpy(buf, p->data + p->at, n * size);
    p->runs++;
    moved(p, n * size);
    return n;
}

static unsigned write_run(void *opaque, u64 off, unsigned size, const void *buf, unsigned n)
{
    struct port *p = opaque;
    (void)off;
    n = room(p, size, n);
    memcpy(p->data + p->at, buf, n * size);
    p->runs++;
    moved(p, n * size);
    return n;
}

static const struct io_ops port_ops = { port_read, port_write, 1, 4 };
static const struct run_ops port_runs = { read_run, write_run };

static u32 seed;

static u32 rnd(u32 below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* ---- the model ---- */

struct model {
    u64 r[18];
    u8 *m;
    u32 base_ds, limit_ds, base_es, limit_es, mask;
    unsigned size;
    i32 step;
    bool faulted, compared, zf;
};

static u8 *operand(struct model *m, bool es)
{
    u64 off = m->r[es ? RDI : RSI] & m->mask;
    if (off + m->size - 1 <= (es ? m->limit_es : m->limit_ds))
        return m->m + (es ? m->base_es : m->base_ds) + off;
    m->faulted = true;
    return NULL;
}

static void step_register(struct model *m, unsigned reg)
{
    u64 v = m->r[reg] + (u64)(i64)m->step;
    m->r[reg] = m->mask == 0xffff ? (m->r[reg] & ~0xffffull) | (v & 0xffff) : v & m->mask;
}

enum { MOVS = 0xa4, CMPS = 0xa6, STOS = 0xaa, LODS = 0xac, SCAS = 0xae };

/* One element; false: fault. */
static bool element(struct model *m, unsigned op)
{
    bool has_src = op == MOVS || op == CMPS || op == LODS;
    const u8 *src = has_src ? operand(m, false) : NULL;
    u8 *dst = !m->faulted && op != LODS ? operand(m, true) : NULL;
    if (m->faulted) return false;
    if (op == MOVS) st_n(dst, ld_n(src, m->size), m->size);
    if (op == STOS) st_n(dst, m->r[RAX], m->size);
    m->compared |= op == CMPS || op == SCAS;
    if (op == CMPS) m->zf = ld_n(src, m->size) == ld_n(dst, m->size);
    if (op == SCAS) m->zf = ld_n(dst, m->size) == (m->r[RAX] & mask_n(m->size));
    if (op == LODS && m->size == 4) m->r[RAX] = ld_n(src, 4);
    else if (op == LODS) st_n(&m->r[RAX], ld_n(src, m->size), m->size);
    if (has_src) step_register(m, RSI);
    if (op != LODS) step_register(m, RDI);
    return true;
}

static void repeat(struct model *m, unsigned op, bool repne)
{
    u64 count = m->r[RCX] & m->mask;
    while (count && element(m, op)) {
        count--;
        m->r[RCX] = m->mask == 0xffff ? (m->r[RCX] & ~0xffffull) | count : count;
        if ((op == CMPS || op == SCAS) && m->zf == repne) break;
    }
}

/* ---- random cases ---- */

static void set_data_segment(struct cpu *c, unsigned seg, u32 base, u32 limit)
{
    c->seg[seg].base = base;
    c->seg[seg].limit = limit;
    seg_update_flat(c);
}

static void random_case(struct rig *r, u8 *copy)
{
    static const u8 ops[] = { MOVS, CMPS, STOS, LODS, SCAS };
    struct cpu *c = r->c;
    unsigned op = ops[rnd(5)], log = rnd(3), n = 0;
    bool a16 = rnd(4) == 0, repne = (op == CMPS || op == SCAS) && rnd(2), down = rnd(3) == 0;
    u8 code[8];
    if (a16) code[n++] = 0x67;
    if (log == 1) code[n++] = 0x66;
    code[n++] = repne ? 0xf2 : 0xf3;
    code[n++] = (u8)(op | (log != 0));
    code[n++] = 0xf4;
    rig_code(r, CODE, code, n);
    /* Few different bytes, so that comparisons run on; sometimes all equal. */
    unsigned values = rnd(3) ? 1 + rnd(2) : 255;
    for (u32 k = 0; k < 0x10000; k++) r->bytes[AREA + k] = rnd(97) ? 7 : (u8)rnd(values);
    struct model m = { .m = copy, .size = 1u << log, .mask = a16 ? 0xffff : ~0u };
    m.base_ds = AREA + rnd(0x4000);
    m.base_es = rnd(2) ? m.base_ds + rnd(9) : AREA + rnd(0x4000);
    m.limit_ds = rnd(4) ? 0x7fff : 0x1000 + rnd(0x2000);
    m.limit_es = rnd(4) ? 0x7fff : 0x1000 + rnd(0x2000);
    m.step = down ? -(i32)m.size : (i32)m.size;
    c->r[RAX] = rnd(3) ? 0x07070707 : rnd(256) * 0x01010101u;
    c->r[RCX] = rnd(2) ? rnd(70) : rnd(9000);
    c->r[RSI] = rnd(0x2800);
    c->r[RDI] = rnd(2) ? c->r[RSI] + rnd(9) : rnd(0x2800);
    if (down) c->r[RSI] += 0x1800, c->r[RDI] += 0x1800;
    memcpy(m.r, c->r, sizeof(m.r));
    memcpy(copy + AREA, r->bytes + AREA, 0x10000);
    set_data_segment(c, SEG_DS, m.base_ds, m.limit_ds);
    set_data_segment(c, SEG_ES, m.base_es, m.limit_es);
    cpu_set_flags(c, 2 | (down ? FL_DF : 0));
    c->rip = CODE;
    r->request = -1;
    repeat(&m, op, repne);
    cpu_run(c, 100000);
    ck_assert_int_eq(r->request != -1, m.faulted);
    ck_assert_uint_eq(c->r[RCX], m.r[RCX]);
    ck_assert_uint_eq(c->r[RSI], m.r[RSI]);
    ck_assert_uint_eq(c->r[RDI], m.r[RDI]);
    ck_assert_uint_eq(c->r[RAX], m.r[RAX]);
    ck_assert(!memcmp(copy + AREA, r->bytes + AREA, 0x10000));
    if (m.compared) ck_assert_int_eq((cpu_flags(c) & FL_ZF) != 0, m.zf);
}

START_TEST(repeats_do_what_single_elements_do)
{
    struct rig *r = rig_new("max");
    u8 *copy = xalloc(RIG_RAM);
    seed = 1;
    for (unsigned k = 0; k < 1500; k++) {
        cpu_reset(r->c);
        rig_protected(r, 0);
        cpu_update_mode(r->c);
        random_case(r, copy);
    }
    free(copy);
    rig_free(r);
}
END_TEST

/* 16 bytes are an instruction more, whatever bursts they went in. */
START_TEST(long_repeats_count)
{
    struct rig *r = rig_new("max");
    rig_protected(r, 0);
    cpu_update_mode(r->c);
    rig_code(r, CODE, "\xf3\xa4\xf4", 3);
    u64 before = cpu_icount(r->c);
    r->c->r[RCX] = 5003;
    r->c->r[RSI] = AREA + 0x123;
    r->c->r[RDI] = AREA + 0x8ffd;
    r->c->rip = CODE;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(cpu_icount(r->c) - before, 2 + 5003 / 16);
    rig_free(r);
}
END_TEST

/* ---- ports ---- */

static struct rig *port_rig(struct port *p, const char *code, size_t n)
{
    struct rig *r = rig_new("max");
    struct error e;
    *p = (struct port){ .r = r, .window = 1024 };
    for (unsigned k = 0; k < sizeof(p->data); k++) p->data[k] = (u8)(k * 7 ^ k >> 8);
    region_init_io(&p->region, "data", 4, &port_ops, p);
    p->region.runs = &port_runs;
    ck_assert_int_eq(bus_map(&r->io, PORT, &p->region, 0, &e), 0);
    rig_protected(r, 0);
    cpu_update_mode(r->c);
    rig_code(r, CODE, code, n);
    rig_code(r, 0x6000, "\xf4", 1);
    for (unsigned v = 0; v < 256; v++) { /* interrupt gates to HLT */
        st32(r->bytes + RIG_IDT + v * 8, 0x00086000);
        st32(r->bytes + RIG_IDT + v * 8 + 4, 0x00008e00);
    }
    r->intack_vector = 0x21;
    r->c->rip = CODE;
    r->c->r[RSP] = 0x8000;
    r->c->r[RDX] = PORT;
    cpu_set_flags(r->c, FL_IF);
    return r;
}

/* The window's end interrupts: exactly its bytes have come, the rest after the handler. */
START_TEST(ins_stops_where_the_device_interrupts)
{
    struct port p;
    struct rig *r = port_rig(&p, "\xf3\x66\x6d\xf4", 4); /* rep insw */
    r->c->r[RDI] = AREA + 0xe01; /* crosses a page */
    r->c->r[RCX] = 2000;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->c->rip, 0x6001);
    ck_assert_uint_eq(ld32(r->bytes + r->c->r[RSP]), CODE);
    ck_assert_uint_eq(r->c->r[RCX], 2000 - 512);
    ck_assert_uint_eq(r->c->r[RDI], AREA + 0xe01 + 1024);
    ck_assert_uint_eq(p.at, 1024);
    ck_assert(!memcmp(r->bytes + AREA + 0xe01, p.data, 1024));
    ck_assert_uint_eq(r->bytes[AREA + 0xe01 + 1024], 0);
    ck_assert_uint_le(p.singles, 4);
    ck_assert_uint_ge(p.runs, 2);
    bus_unmap(&p.region);
    rig_free(r);
}
END_TEST

START_TEST(outs_hands_over_runs)
{
    struct port p;
    struct rig *r = port_rig(&p, "\xf3\x6f\xf4", 3); /* rep outsd */
    for (unsigned k = 0; k < 4096; k++) r->bytes[AREA + 0xffe + k] = (u8)(k * 13 + 1);
    r->c->r[RSI] = AREA + 0xffe;
    r->c->r[RCX] = 500;
    cpu_set_flags(r->c, 0);
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RCX], 0);
    ck_assert_uint_eq(p.at, 2000);
    ck_assert(!memcmp(r->bytes + AREA + 0xffe, p.data, 2000));
    ck_assert_uint_le(p.singles, 6);
    bus_unmap(&p.region);
    rig_free(r);
}
END_TEST

/* The destination leaves the segment in the middle: no byte is taken from the device for nothing.
 */
START_TEST(ins_takes_nothing_it_cannot_store)
{
    struct port p;
    struct rig *r = port_rig(&p, "\xf3\x6d\xf4", 3); /* rep insd */
    set_data_segment(r->c, SEG_ES, AREA, 0x17fd);
    r->c->r[RDI] = 0x1000;
    r->c->r[RCX] = 1000;
    p.window = 100000;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->c->rip, 0x6001); /* #GP */
    ck_assert_uint_eq(r->c->r[RCX], 1000 - 511);
    ck_assert_uint_eq(p.at, 511 * 4);
    ck_assert(!memcmp(r->bytes + AREA + 0x1000, p.data, 511 * 4));
    bus_unmap(&p.region);
    rig_free(r);
}
END_TEST

Suite *exec_string_suite(void)
{
    Suite *s = suite_create("exec_string");
    TCase *t = tcase_create("exec_string");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, repeats_do_what_single_elements_do);
    tcase_add_test(t, long_repeats_count);
    tcase_add_test(t, ins_stops_where_the_device_interrupts);
    tcase_add_test(t, outs_hands_over_runs);
    tcase_add_test(t, ins_takes_nothing_it_cannot_store);
    suite_add_tcase(s, t);
    return s;
}

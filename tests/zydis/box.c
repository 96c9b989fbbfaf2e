/* See box.h. Only vector 6 lies inside the IDT's limit: any other exception ends in shutdown. */
#include "tests/zydis/box.h"

/* The rig's assertions speak to libcheck's runner, which is not here. */
#include <check.h>
#undef ck_assert_int_eq
#undef ck_assert_msg
#define ck_assert_int_eq(a, b) check((a) == (b))
#define ck_assert_msg(cond, ...) check(cond)
#include "tests/unit/cpu_rig.h"

enum { CODE = 0x4000, HANDLER = 0x6000 };

void box_open(struct box *b, unsigned bits, bool real)
{
    b->r = rig_new("max");
    b->bits = bits;
    b->real = real;
}

void box_close(struct box *b)
{
    rig_free(b->r);
}

static void set_up(struct box *b)
{
    struct cpu *c = b->r->c;
    cpu_reset(c);
    if (b->real) {
        for (unsigned s = 0; s < SEG_COUNT; s++)
            c->seg[s] = (struct seg){ 0, 0xffff, 0, s == SEG_CS ? 0x9b : 0x93 };
        c->cr0 = CR0_ET;
        st32(b->r->bytes + 6 * 4, HANDLER);
        c->idtr = (struct dtable){ 0, 7 * 4 - 1 };
    } else if (b->bits == 64) {
        rig_long(b->r, 0);
        rig_gate64(b->r, 6, 0x18, HANDLER, 0x8e, 0);
        c->idtr.limit = 7 * 16 - 1;
    } else {
        rig_protected(b->r, 0);
        rig_gate(b->r, 6, 0x08, HANDLER, 0x8e);
        c->idtr.limit = 7 * 8 - 1;
        if (b->bits == 16) c->seg[SEG_CS].attr &= (u16)~ATTR_D, c->seg[SEG_SS].attr &= (u16)~ATTR_D;
    }
    c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;
    c->xcr0 = 7;
    memset(c->r, 0, sizeof(c->r));
    c->r[RSP] = 0x8000;
    c->rip = CODE;
    cpu_update_mode(c);
    tlb_flush_all(c);
}

bool runs_as_undefined(struct box *b, const u8 *code, unsigned len)
{
    struct cpu *c = b->r->c;
    set_up(b);
    rig_code(b->r, CODE, code, len);
    rig_code(b->r, HANDLER, "\xf4", 1);
    cpu_run(c, 2);
    return c->halted && c->rip == HANDLER + 1;
}

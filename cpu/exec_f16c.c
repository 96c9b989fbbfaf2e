/* F16C: VCVTPH2PS and VCVTPS2PH, in integers on every host (softfp.h). Half-precision denormals are
 * ordinary numbers whatever DAZ and FTZ say; VCVTPS2PH's imm8 has the rounding mode in bits 1:0,
 * bit 2 takes MXCSR's. A fault of its memory operand comes before flags and #XM, as recorded on AMD
 * (Intel has them the other way round). SDM 1 14.4, SDM 2. */
#include "cpu/avx.h"
#include "cpu/softfp.h"

void op_vcvtph2ps(struct cpu *c, const struct insn *i)
{
    struct softfp e = { 0 };
    union vreg r = { .q = { 0 } };
    struct ymm s;

    if (!avx_begin(c) || !avx_load_n(c, i, 8u << i->vl, &s)) return;
    for (unsigned k = 0; k < 4u << i->vl; k++) {
        u16 h;
        memcpy(&h, (u8 *)&s + 2 * k, 2);
        r.d[k] = softfp_from_half(&e, h);
    }
    if (sse_finish(c, e.flags, SSE_INT, s.h[0], s.h[0], s.h[0])) c->v[i->reg] = r;
}

void op_vcvtps2ph(struct cpu *c, const struct insn *i)
{
    u32 unmasked = ~(c->mxcsr >> 7);
    struct softfp e = { .rounding = i->imm & 4 ? c->mxcsr >> 13 & 3 : i->imm & 3,
                        .daz = c->mxcsr & MXCSR_DAZ,
                        .trap_ue = unmasked & FSW_UE,
                        .trap_oe = unmasked & FSW_OE };
    union vreg r = { .q = { 0 } };
    unsigned n = 8u << i->vl;

    if (!avx_begin(c)) return;
    if (is_mem(i) && !mem_probe_write(c, i->seg, ea_offset(c, i), n)) return;
    for (unsigned k = 0; k < n / 2; k++) r.w[k] = softfp_to_half(&e, c->v[i->reg].d[k]);
    if (e.flags & unmasked & FSW_PRE) e.flags &= FSW_PRE;
    if (!sse_report(c, e.flags)) return;
    if (is_mem(i))
        mem_write_n(c, i->seg, ea_offset(c, i), &r, n);
    else
        c->v[i->rm] = r;
}

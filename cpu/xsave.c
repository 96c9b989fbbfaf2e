/* The XSAVE family: extended control register 0, XSAVE, XSAVEOPT, XSAVEC, XSAVES and the two
 * restore instructions (SDM 1 chapter 13, SDM 2 of the instructions).
 *
 *   area: 0 legacy (the FXSAVE layout) | 512 header: XSTATE_BV, XCOMP_BV, 48 reserved | 576 YMM
 * upper halves state components: 0 x87 | 1 SSE (XMM, MXCSR) | 2 AVX (upper halves of YMM)
 *
 * With one extended component the standard and the compacted format have the same layout. What is
 * "in use" is computed exactly from the registers, so XINUSE is 0 whenever a component has its
 * initial values; nothing tracks modifications, XSAVEOPT and XSAVES write all that is in use. There
 * is no supervisor state: IA32_XSS takes only 0. All reads, checks and write probes come before the
 * first change; in which order they come is that of Intel's processors (the last byte of the area
 * first). */
#include "cpu/fpu.h"

enum { X_X87 = 1, X_SSE = 2, X_AVX = 4 };
enum { HEADER = 512, AVX_AT = 576, AREA_END = 832 };
#define COMPACTED BIT64(63)
#define MXCSR_INIT 0x1f80u

static u64 xcr0_valid(const struct cpu *c)
{
    return X_X87 | X_SSE | (cpu_has(c, FT_AVX) ? X_AVX : 0);
}

static unsigned vector_count(const struct cpu *c)
{
    return c->bits == BITS64 ? 16 : 8;
}

/* ---- what is in use ---- */

static bool x87_in_use(const struct cpu *c)
{
    u64 bits = (c->fcw ^ 0x37fu) | c->fsw | c->ftw | c->fop | c->fip | c->fdp | c->fcs | c->fds;
    for (unsigned n = 0; n < 8; n++) bits |= c->fpr[n].mant | c->fpr[n].se;
    return bits;
}

/* MXCSR is no part of the SSE component here; XSAVEC, XSAVES and XGETBV look at it themselves. */
static u64 in_use(const struct cpu *c)
{
    u64 low = 0, high = 0;
    for (unsigned n = 0; n < 16; n++) {
        low |= c->v[n].q[0] | c->v[n].q[1];
        high |= c->v[n].q[2] | c->v[n].q[3];
    }
    return (x87_in_use(c) ? X_X87 : 0) | (low ? X_SSE : 0) | (high ? X_AVX : 0);
}

static u64 in_use_with_mxcsr(const struct cpu *c)
{
    return in_use(c) | (c->mxcsr != MXCSR_INIT ? X_SSE : 0);
}

/* ---- XCR0 ---- */

static u64 edx_eax(const struct cpu *c)
{
    return (u64)(u32)c->r[RDX] << 32 | (u32)c->r[RAX];
}

static bool have_osxsave(struct cpu *c)
{
    if (c->cr4 & CR4_OSXSAVE) return true;
    exc_raise(c, EXC_UD);
    return false;
}

void op_xgetbv(struct cpu *c, const struct insn *i)
{
    u64 v = c->xcr0;
    u32 which = (u32)c->r[RCX];
    (void)i;
    if (!have_osxsave(c)) return;
    if (which > 1) {
        exc_gp0(c);
        return;
    }
    if (which) v &= in_use_with_mxcsr(c);
    set_reg32(c, RAX, (u32)v);
    set_reg32(c, RDX, (u32)(v >> 32));
}

void op_xsetbv(struct cpu *c, const struct insn *i)
{
    u64 v = edx_eax(c);
    (void)i;
    if (!have_osxsave(c)) return;
    bool avx_alone = (v & X_AVX) && !(v & X_SSE);
    if (c->cpl || (u32)c->r[RCX] || !(v & X_X87) || (v & ~xcr0_valid(c)) || avx_alone)
        exc_gp0(c);
    else
        c->xcr0 = v;
}

/* ---- the common start: rights, alignment, requested components ---- */

static bool begin(struct cpu *c, const struct insn *i, bool supervisor, u64 *off)
{
    u64 base = c->bits == BITS64 && i->seg < SEG_FS ? 0 : c->seg[i->seg].base;
    if (!have_osxsave(c)) return false;
    if (c->cr0 & CR0_TS) {
        exc_raise(c, EXC_NM);
        return false;
    }
    *off = ea_offset(c, i);
    if (!(supervisor && c->cpl) && !((base + *off) & 63)) return true;
    exc_gp0(c);
    return false;
}

/* ---- saving ---- */

enum format { STANDARD, OPTIMISED, COMPACT };

/* Component parts of the area, in the order of their addresses. */
static bool write_components(struct cpu *c, const struct insn *i, u64 off, u64 save, bool mxcsr)
{
    u8 x87[160], control[8], high[256];
    unsigned count = vector_count(c);
    fpu_pack_x87(c, i->flags & INSN_REXW, x87);
    st32(control, c->mxcsr);
    st32(control + 4, 0xffff);
    for (unsigned n = 0; n < count; n++) memcpy(high + 16 * n, &c->v[n].q[2], 16);
    if ((save & X_X87) && !mem_write_n(c, i->seg, off, x87, 24)) return false;
    if (mxcsr && !mem_write_n(c, i->seg, off + 24, control, 8)) return false;
    if ((save & X_X87) && !mem_write_n(c, i->seg, off + 32, x87 + 32, 128)) return false;
    for (unsigned n = 0; (save & X_SSE) && n < count; n++) {
        if (!mem_write_n(c, i->seg, off + 160 + 16 * n, &c->v[n], 16)) return false;
    }
    return !(save & X_AVX) || mem_write_n(c, i->seg, off + AVX_AT, high, 16 * count);
}

/* Where the part of the area begins that an instruction uses. */
static unsigned first_used(u64 request, bool mxcsr)
{
    return request & X_X87 ? 0 : mxcsr ? 24 : HEADER;
}

static void save_area(struct cpu *c, const struct insn *i, enum format format, bool supervisor)
{
    u64 off, request = c->xcr0 & edx_eax(c), header[2];
    if (!begin(c, i, supervisor, &off)) return;
    u64 used = request & (format == COMPACT ? in_use_with_mxcsr(c) : in_use(c));
    u64 save = format == STANDARD ? request : used,
        mxcsr_with = format == COMPACT ? X_SSE : X_SSE | X_AVX;
    /* The last and the first byte, whole components counted: their pages are all there are. */
    if (!mem_probe_write(c, i->seg, off + (request & X_AVX ? AREA_END : AVX_AT) - 1, 1)) return;
    if (!mem_probe_write(c, i->seg, off + first_used(request, request & mxcsr_with), 1)) return;
    if (!mem_read_n(c, i->seg, off + HEADER, header, 8)) return;
    header[0] = format == COMPACT ? used : (header[0] & ~request) | used;
    header[1] = request | COMPACTED;
    if (write_components(c, i, off, save, (format == COMPACT ? save : request) & mxcsr_with))
        mem_write_n(c, i->seg, off + HEADER, header, format == COMPACT ? 16 : 8);
}

void op_xsave(struct cpu *c, const struct insn *i)
{
    save_area(c, i, STANDARD, false);
}

void op_xsaveopt(struct cpu *c, const struct insn *i)
{
    save_area(c, i, OPTIMISED, false);
}

void op_xsavec(struct cpu *c, const struct insn *i)
{
    save_area(c, i, COMPACT, false);
}

void op_xsaves(struct cpu *c, const struct insn *i)
{
    save_area(c, i, COMPACT, true);
}

/* ---- restoring ---- */

static bool all_zero(const u64 *q, unsigned n)
{
    u64 bits = 0;
    while (n--) bits |= q[n];
    return !bits;
}

/* SDM 1 13.8, 13.12: which headers are #GP. */
static bool header_ok(const struct cpu *c, const u64 h[8], bool supervisor)
{
    if (!(h[1] & COMPACTED)) return !supervisor && !(h[0] & ~c->xcr0) && all_zero(h + 1, 2);
    u64 has = h[1] & ~COMPACTED;
    return !(has & ~c->xcr0) && !(h[0] & ~has) && all_zero(h + 2, 6);
}

struct image {
    u8 legacy[HEADER];
    u8 high[256];
};

static void restore_vectors(struct cpu *c, const struct image *m, u64 request, u64 present)
{
    for (unsigned n = 0; n < vector_count(c); n++) {
        if (request & X_SSE) {
            if (present & X_SSE)
                memcpy(&c->v[n], m->legacy + 160 + 16 * n, 16);
            else
                memset(&c->v[n], 0, 16);
        }
        if (request & X_AVX) {
            if (present & X_AVX)
                memcpy(&c->v[n].q[2], m->high + 16 * n, 16);
            else
                memset(&c->v[n].q[2], 0, 16);
        }
    }
}

/* XCOMP_BV, the last and the first byte that may be needed: page faults come before the header is
 * judged. */
static bool restore_readable(struct cpu *c, const struct insn *i, u64 off, u64 request)
{
    u64 xcomp;
    u8 byte;
    if (!mem_read64(c, i->seg, off + HEADER + 8, &xcomp)) return false;
    bool compacted = xcomp & COMPACTED, mxcsr = request & (compacted ? X_SSE : X_SSE | X_AVX);
    bool to_end = (request & X_AVX) && (!compacted || (xcomp & X_AVX));
    if (to_end && !mem_read8(c, i->seg, off + AREA_END - 1, &byte)) return false;
    return mem_read8(c, i->seg, off + first_used(request, mxcsr), &byte);
}

static void restore_area(struct cpu *c, const struct insn *i, bool supervisor)
{
    u64 off, request = c->xcr0 & edx_eax(c), h[8];
    struct image m;
    if (!begin(c, i, supervisor, &off) || !restore_readable(c, i, off, request)) return;
    if (!mem_read_n(c, i->seg, off + HEADER, h, 64)) return;
    if (!header_ok(c, h, supervisor)) {
        exc_gp0(c);
        return;
    }
    bool compacted = h[1] & COMPACTED;
    u64 load = request & h[0];
    bool mxcsr = compacted ? load & X_SSE : request & (X_SSE | X_AVX);
    if (((load & (X_X87 | X_SSE)) || mxcsr) && !mem_read_n(c, i->seg, off, m.legacy, HEADER))
        return;
    if ((load & X_AVX) && !mem_read_n(c, i->seg, off + AVX_AT, m.high, 16 * vector_count(c)))
        return;
    if (mxcsr && (ld32(m.legacy + 24) & ~0xffffu)) {
        exc_gp0(c);
        return;
    }
    if (mxcsr)
        c->mxcsr = ld32(m.legacy + 24);
    else if (compacted && (request & X_SSE))
        c->mxcsr = MXCSR_INIT;
    restore_vectors(c, &m, request, load);
    if (load & X_X87)
        fpu_unpack_x87(c, i->flags & INSN_REXW, m.legacy);
    else if (request & X_X87)
        fpu_initial_state(c);
}

void op_xrstor(struct cpu *c, const struct insn *i)
{
    restore_area(c, i, false);
}

void op_xrstors(struct cpu *c, const struct insn *i)
{
    restore_area(c, i, true);
}

/* AVX and AVX2 data movement: full, partial and non-temporal moves, broadcasts, permutations across
 * halves, inserts and extracts, masked moves, gathers, VZEROALL. Only VMOVAPS, VMOVAPD, VMOVDQA and
 * the non-temporal moves demand alignment. SDM 2; VSIB: SDM 2 2.3.12. */
#include "cpu/avx.h"

bool avx_refuse(struct cpu *c)
{
    bool usable =
        (c->cr0 & CR0_PE) && !(c->rflags & FL_VM) && (c->cr4 & CR4_OSXSAVE) && (c->xcr0 & 6) == 6;

    exc_raise(c, usable ? EXC_NM : EXC_UD);
    return false;
}

/* --- whole registers --- */

/* The linear address counts; the check comes before those of limit and canonical form. */
static bool vector_aligned(struct cpu *c, const struct insn *i, u64 off)
{
    u64 base = c->bits != BITS64 || i->seg >= SEG_FS ? c->seg[i->seg].base : 0;

    if (!((off + base) & ((16u << i->vl) - 1))) return true;
    exc_gp0(c);
    return false;
}

INLINE void load_whole(struct cpu *c, const struct insn *i, bool aligned)
{
    struct ymm s;

    if (!avx_begin(c)) return;
    if (aligned && is_mem(i) && !vector_aligned(c, i, ea_offset(c, i))) return;
    if (avx_load(c, i, &s)) ymm_set(c, i, i->reg, s);
}

static void store_whole(struct cpu *c, const struct insn *i, bool aligned)
{
    unsigned n = 16u << i->vl;
    u64 off;
    void *p;

    if (!avx_begin(c)) return;
    if (!is_mem(i)) {
        ymm_set(c, i, i->rm, ymm_get(c, i->reg));
        return;
    }
    off = ea_offset(c, i);
    if (aligned && !vector_aligned(c, i, off)) return;
    p = quick_vector(c, i->seg, off, n, true);
    if (likely(p))
        memcpy(p, &c->v[i->reg], n);
    else
        mem_write_n(c, i->seg, off, &c->v[i->reg], n);
}

/* VMOVAPS, VMOVAPD, VMOVDQA, VMOVNTDQA; stores: VMOVNTPS, VMOVNTPD, VMOVNTDQ too */
void op_vmova_v_w(struct cpu *c, const struct insn *i)
{
    load_whole(c, i, true);
}

void op_vmova_w_v(struct cpu *c, const struct insn *i)
{
    store_whole(c, i, true);
}

/* VMOVUPS, VMOVUPD, VMOVDQU, VLDDQU */
void op_vmovu_v_w(struct cpu *c, const struct insn *i)
{
    load_whole(c, i, false);
}

void op_vmovu_w_v(struct cpu *c, const struct insn *i)
{
    store_whole(c, i, false);
}

/* In 64-bit mode all sixteen registers, else the eight that can be named. */
void op_vzeroupper(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!avx_begin(c)) return;
    for (unsigned n = 0; n < (c->bits == BITS64 ? 16 : 8); n++) ymm_set128(c, n, xmm_get(c, n));
}

void op_vzeroall(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!avx_begin(c)) return;
    memset(c->v, 0, (c->bits == BITS64 ? 16 : 8) * sizeof(c->v[0]));
}

/* --- scalars --- */

INLINE __m128i low32(__m128i d, __m128i s)
{
    return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(d), _mm_castsi128_ps(s)));
}

INLINE __m128i low64(__m128i d, __m128i s)
{
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(d), _mm_castsi128_pd(s)));
}

/* Loads clear the rest; register moves take the rest of 127:0 from vvvv. */
void op_vmovss_load(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (avx_begin(c) && load_m32(c, i, &s)) ymm_set128(c, i->reg, s);
}

void op_vmovsd_load(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (avx_begin(c) && load_m64(c, i, &s)) ymm_set128(c, i->reg, _mm_move_epi64(s));
}

void op_vmovss_store(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) mem_write32(c, i->seg, ea_offset(c, i), c->v[i->reg].d[0]);
}

void op_vmovsd_store(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[0]);
}

void op_vmovss_v_w(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) ymm_set128(c, i->reg, low32(xmm_get(c, i->vvvv), xmm_get(c, i->rm)));
}

void op_vmovss_w_v(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) ymm_set128(c, i->rm, low32(xmm_get(c, i->vvvv), xmm_get(c, i->reg)));
}

void op_vmovsd_v_w(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) ymm_set128(c, i->reg, low64(xmm_get(c, i->vvvv), xmm_get(c, i->rm)));
}

void op_vmovsd_w_v(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) ymm_set128(c, i->rm, low64(xmm_get(c, i->vvvv), xmm_get(c, i->reg)));
}

/* VMOVQ xmm/m64, xmm */
void op_vmovq_w_v(struct cpu *c, const struct insn *i)
{
    if (!avx_begin(c)) return;
    if (is_mem(i))
        mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[0]);
    else
        ymm_set128(c, i->rm, _mm_move_epi64(xmm_get(c, i->reg)));
}

/* VMOVD, VMOVQ with a general register */
void op_vmovd_v_e(struct cpu *c, const struct insn *i)
{
    unsigned osz = i->osz == OSZ64 ? OSZ64 : OSZ32;
    u64 v;

    if (avx_begin(c) && rm_read(c, i, osz, &v))
        ymm_set128(c, i->reg, _mm_cvtsi64_si128((long long)v));
}

void op_vmovd_e_v(struct cpu *c, const struct insn *i)
{
    if (!avx_begin(c)) return;
    if (i->osz == OSZ64)
        rm_write(c, i, OSZ64, c->v[i->reg].q[0]);
    else
        rm_write(c, i, OSZ32, c->v[i->reg].d[0]);
}

/* --- halves of XMM registers --- */

void op_vmovlps_load(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (avx_begin(c) && load_m64(c, i, &s)) ymm_set128(c, i->reg, low64(xmm_get(c, i->vvvv), s));
}

void op_vmovhps_load(struct cpu *c, const struct insn *i)
{
    __m128i s;

    if (avx_begin(c) && load_m64(c, i, &s))
        ymm_set128(c, i->reg, _mm_unpacklo_epi64(xmm_get(c, i->vvvv), s));
}

void op_vmovhps_store(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) mem_write64(c, i->seg, ea_offset(c, i), c->v[i->reg].q[1]);
}

void op_vmovhlps(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c))
        ymm_set128(c, i->reg, _mm_unpackhi_epi64(xmm_get(c, i->rm), xmm_get(c, i->vvvv)));
}

void op_vmovlhps(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c))
        ymm_set128(c, i->reg, _mm_unpacklo_epi64(xmm_get(c, i->vvvv), xmm_get(c, i->rm)));
}

/* --- duplicates and broadcasts --- */

INLINE __m128i dup_even32(__m128i d, __m128i s)
{
    (void)d;
    return _mm_shuffle_epi32(s, 0xa0);
}

INLINE __m128i dup_odd32(__m128i d, __m128i s)
{
    (void)d;
    return _mm_shuffle_epi32(s, 0xf5);
}

void op_vmovsldup(struct cpu *c, const struct insn *i)
{
    avx_int(c, i, dup_even32);
}

void op_vmovshdup(struct cpu *c, const struct insn *i)
{
    avx_int(c, i, dup_odd32);
}

void op_vmovddup(struct cpu *c, const struct insn *i)
{
    struct ymm s;

    if (!avx_begin(c) || !avx_load_n(c, i, i->vl ? 32 : 8, &s)) return;
    for (unsigned k = 0; k < 2; k++) s.h[k] = _mm_unpacklo_epi64(s.h[k], s.h[k]);
    ymm_set(c, i, i->reg, s);
}

static void broadcast(struct cpu *c, const struct insn *i, unsigned size)
{
    union vreg r;
    struct ymm s, v;

    if (!avx_begin(c) || !avx_load_n(c, i, size, &s)) return;
    for (unsigned k = 0; k < 32; k += size) memcpy(r.b + k, &s, size);
    memcpy(&v, &r, sizeof(v));
    ymm_set(c, i, i->reg, v);
}

void op_vbroadcast8(struct cpu *c, const struct insn *i)
{
    broadcast(c, i, 1);
}

void op_vbroadcast16(struct cpu *c, const struct insn *i)
{
    broadcast(c, i, 2);
}

void op_vbroadcast32(struct cpu *c, const struct insn *i)
{
    broadcast(c, i, 4);
}

void op_vbroadcast64(struct cpu *c, const struct insn *i)
{
    broadcast(c, i, 8);
}

void op_vbroadcast128(struct cpu *c, const struct insn *i)
{
    broadcast(c, i, 16);
}

/* --- permutations across halves --- */

/* imm8: bits 1:0 and 5:4 choose one of vvvv low, high, source low, high; bits 3 and 7 clear. */
void op_vperm2x128(struct cpu *c, const struct insn *i)
{
    struct ymm s, d, r;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    d = ymm_get(c, i->vvvv);
    for (unsigned k = 0; k < 2; k++) {
        unsigned n = (unsigned)(i->imm >> 4 * k) & 15;
        r.h[k] = n & 8 ? _mm_setzero_si128() : (n & 2 ? s : d).h[n & 1];
    }
    ymm_set(c, i, i->reg, r);
}

/* VPERMD, VPERMPS: the control vector is vvvv. */
void op_vpermd(struct cpu *c, const struct insn *i)
{
    union vreg s, r;
    struct ymm v;

    if (!avx_begin(c) || !avx_load(c, i, &v)) return;
    memcpy(&s, &v, sizeof(s));
    for (unsigned k = 0; k < 8; k++) r.d[k] = s.d[c->v[i->vvvv].d[k] & 7];
    c->v[i->reg] = r;
}

/* VPERMQ, VPERMPD */
void op_vpermq(struct cpu *c, const struct insn *i)
{
    union vreg s, r;
    struct ymm v;

    if (!avx_begin(c) || !avx_load(c, i, &v)) return;
    memcpy(&s, &v, sizeof(s));
    for (unsigned k = 0; k < 4; k++) r.q[k] = s.q[i->imm >> 2 * k & 3];
    c->v[i->reg] = r;
}

void op_vinsert128(struct cpu *c, const struct insn *i)
{
    struct ymm s, d;

    if (!avx_begin(c) || !avx_load_n(c, i, 16, &s)) return;
    d = ymm_get(c, i->vvvv);
    d.h[i->imm & 1] = s.h[0];
    ymm_set(c, i, i->reg, d);
}

void op_vextract128(struct cpu *c, const struct insn *i)
{
    const u64 *half = &c->v[i->reg].q[i->imm & 1 ? 2 : 0];

    if (!avx_begin(c)) return;
    if (is_mem(i))
        mem_write_n(c, i->seg, ea_offset(c, i), half, 16);
    else
        ymm_set128(c, i->rm, ymm_half(c, i->reg, i->imm & 1));
}

void op_vpblendd(struct cpu *c, const struct insn *i)
{
    union vreg r = c->v[i->vvvv], s;
    struct ymm v;

    if (!avx_begin(c) || !avx_load(c, i, &v)) return;
    memcpy(&s, &v, sizeof(s));
    for (unsigned k = 0; k < 8; k++) {
        if (i->imm >> k & 1) r.d[k] = s.d[k];
    }
    memcpy(&v, &r, sizeof(v));
    ymm_set(c, i, i->reg, v);
}

/* --- elements --- */

void op_vinsertps(struct cpu *c, const struct insn *i)
{
    union v128 d;
    __m128i s;
    u32 v;

    if (!avx_begin(c) || !load_m32(c, i, &s)) return;
    v = is_mem(i) ? (u32)_mm_cvtsi128_si32(s) : c->v[i->rm].d[i->imm >> 6 & 3];
    d.m = xmm_get(c, i->vvvv);
    d.d[i->imm >> 4 & 3] = v;
    for (unsigned k = 0; k < 4; k++) {
        if (i->imm >> k & 1) d.d[k] = 0;
    }
    ymm_set128(c, i->reg, d.m);
}

/* To a zero-extended register or to memory. */
INLINE void extract(struct cpu *c, const struct insn *i, unsigned osz)
{
    const union vreg *v = &c->v[i->reg];
    u64 x;

    if (!avx_begin(c)) return;
    switch (osz) {
    case OSZ8: x = v->b[i->imm & 15]; break;
    case OSZ16: x = v->w[i->imm & 7]; break;
    case OSZ32: x = v->d[i->imm & 3]; break;
    default: x = v->q[i->imm & 1]; break;
    }
    if (is_mem(i))
        rm_write(c, i, osz, x);
    else
        c->r[i->rm] = x;
}

void op_vpextrb(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ8);
}

void op_vpextrw(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ16);
}

void op_vpextrd(struct cpu *c, const struct insn *i)
{
    extract(c, i, i->osz == OSZ64 ? OSZ64 : OSZ32);
}

void op_vextractps(struct cpu *c, const struct insn *i)
{
    extract(c, i, OSZ32);
}

/* 0F C5: register form, destination in ModRM.reg. */
void op_vpextrw_g(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) set_reg32(c, i->reg, c->v[i->rm].w[i->imm & 7]);
}

INLINE void insert(struct cpu *c, const struct insn *i, unsigned osz)
{
    union v128 d;
    u64 v;

    if (!avx_begin(c)) return;
    if (!is_mem(i))
        v = c->r[i->rm];
    else if (!rm_read(c, i, osz, &v))
        return;
    d.m = xmm_get(c, i->vvvv);
    switch (osz) {
    case OSZ8: d.b[i->imm & 15] = (u8)v; break;
    case OSZ16: d.w[i->imm & 7] = (u16)v; break;
    case OSZ32: d.d[i->imm & 3] = (u32)v; break;
    default: d.q[i->imm & 1] = v; break;
    }
    ymm_set128(c, i->reg, d.m);
}

void op_vpinsrb(struct cpu *c, const struct insn *i)
{
    insert(c, i, OSZ8);
}

void op_vpinsrw(struct cpu *c, const struct insn *i)
{
    insert(c, i, OSZ16);
}

void op_vpinsrd(struct cpu *c, const struct insn *i)
{
    insert(c, i, i->osz == OSZ64 ? OSZ64 : OSZ32);
}

/* Elements of masked moves and gathers: there is no alignment check (SDM 2 2.4.6, 2.4.12). */
enum access { READ, PROBE, WRITE };

static bool element_access(struct cpu *c, unsigned seg, u64 off, void *v, unsigned size,
                           enum access what)
{
    u64 ac = c->cpl == 3 ? c->rflags & FL_AC : 0; /* below CPL 3 it belongs to SMAP */
    void *p = quick_vector(c, seg, off, size, what != READ);
    bool ok;

    if (likely(p)) {
        if (what == READ)
            memcpy(v, p, size);
        else if (what == WRITE)
            memcpy(p, v, size);
        return true;
    }
    c->rflags &= ~ac;
    if (what == READ)
        ok = mem_read_n(c, seg, off, v, size);
    else if (what == WRITE)
        ok = mem_write_n(c, seg, off, v, size);
    else
        ok = mem_probe_write(c, seg, off, size);
    c->rflags |= ac;
    return ok;
}

/* --- masked moves: elements whose mask has the sign bit clear are not accessed --- */

static bool masked(const union vreg *mask, unsigned size, unsigned k)
{
    return size == 4 ? mask->d[k] >> 31 : mask->q[k] >> 63;
}

/* An element of one operand: with 67h only the start of the operand wraps; outside 64-bit mode
 * everything wraps at 4 GiB. */
static u64 part_offset(const struct cpu *c, u64 off)
{
    return c->bits == BITS64 ? off : (u32)off;
}

static void masked_load(struct cpu *c, const struct insn *i, unsigned size)
{
    const union vreg *mask = &c->v[i->vvvv];
    union vreg r = { .q = { 0 } };
    u64 off = ea_offset(c, i);
    struct ymm v;

    if (!avx_begin(c)) return;
    for (unsigned k = 0; k < (16u << i->vl) / size; k++) {
        u64 at = part_offset(c, off + k * size);
        if (masked(mask, size, k) && !element_access(c, i->seg, at, r.b + k * size, size, READ))
            return;
    }
    memcpy(&v, &r, sizeof(v));
    ymm_set(c, i, i->reg, v);
}

static void masked_store(struct cpu *c, const struct insn *i, unsigned size)
{
    const union vreg *mask = &c->v[i->vvvv];
    u64 off = ea_offset(c, i);
    unsigned count = (16u << i->vl) / size;

    if (!avx_begin(c)) return;
    for (unsigned k = 0; k < count; k++) {
        if (masked(mask, size, k) &&
            !element_access(c, i->seg, part_offset(c, off + k * size), NULL, size, PROBE))
            return;
    }
    for (unsigned k = 0; k < count; k++) {
        u64 at = part_offset(c, off + k * size);
        if (masked(mask, size, k) &&
            !element_access(c, i->seg, at, c->v[i->reg].b + k * size, size, WRITE))
            return;
    }
}

void op_vmaskmov32_load(struct cpu *c, const struct insn *i)
{
    masked_load(c, i, 4);
}

void op_vmaskmov64_load(struct cpu *c, const struct insn *i)
{
    masked_load(c, i, 8);
}

void op_vmaskmov32_store(struct cpu *c, const struct insn *i)
{
    masked_store(c, i, 4);
}

void op_vmaskmov64_store(struct cpu *c, const struct insn *i)
{
    masked_store(c, i, 8);
}

/* VMASKMOVDQU is MASKMOVDQU under AVX's rules of state. */
void op_vmaskmovdqu(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) maskmovdqu(c, i);
}

/* --- gathers --- */

/* One element; its address wraps as any operand's does. */
static u64 element_offset(const struct insn *i, u64 off)
{
    return i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
}

/* Index k of the VSIB register, sign-extended. */
static u64 vsib_index(const struct cpu *c, const struct insn *i, unsigned isize, unsigned k)
{
    const union vreg *v = &c->v[i->index];
    return isize == 4 ? (u64)(i64)v->sd[k] : v->q[k];
}

/* Elements are loaded from the lowest on. What was loaded before a fault stays, with its mask
 * element cleared, so that the instruction can be restarted. */
static void gather(struct cpu *c, const struct insn *i, unsigned size, unsigned isize)
{
    unsigned width = 16u << i->vl, count = width / MAX(size, isize);
    union vreg *d = &c->v[i->reg], *mask = &c->v[i->vvvv];

    if (!avx_begin(c)) return;
    if (i->reg == i->vvvv || i->reg == i->index || i->vvvv == i->index) {
        exc_raise(c, EXC_UD);
        return;
    }
    for (unsigned k = 0; k < width / size;
         k++) { /* the whole element becomes its sign, also where no index is */
        if (size == 4)
            mask->sd[k] >>= 31;
        else
            mask->sq[k] >>= 63;
    }
    memset(mask->b + width, 0, 32 - width);
    for (unsigned k = 0; k < count; k++) {
        u64 off = c->r[i->base] + (vsib_index(c, i, isize, k) << i->scale) + (u64)(i64)i->disp;
        if (masked(mask, size, k)) {
            if (!element_access(c, i->seg, element_offset(i, off), d->b + k * size, size, READ))
                return;
            memset(d->b + width, 0, 32 - width); /* as after any VEX.128 write */
            memset(mask->b + k * size, 0, size);
        }
    }
    memset(mask, 0, sizeof(*mask));
    memset(d->b + count * size, 0, 32 - count * size);
}

void op_vgather32_32(struct cpu *c, const struct insn *i)
{
    gather(c, i, 4, 4);
}

void op_vgather64_32(struct cpu *c, const struct insn *i)
{
    gather(c, i, 8, 4);
}

void op_vgather32_64(struct cpu *c, const struct insn *i)
{
    gather(c, i, 4, 8);
}

void op_vgather64_64(struct cpu *c, const struct insn *i)
{
    gather(c, i, 8, 8);
}

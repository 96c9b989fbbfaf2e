/* The SHA instructions, portable, from FIPS 180-4 and SDM 2. Words are counted from the top:
 * element 3 of a register (bits 127:96) holds the first one. A memory operand may have any
 * alignment: recorded so on AMD's processors, while Intel's list these instructions with those that
 * are #GP then; what runs there runs here. */
#include "cpu/sse.h"

static u32 rol(u32 v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static u32 ror(u32 v, unsigned n)
{
    return v >> n | v << (32 - n);
}

/* --- SHA-1 --- */

static u32 sha1_f(unsigned stage, u32 b, u32 c, u32 d)
{
    switch (stage) {
    case 0: return (b & c) ^ (~b & d);
    case 2: return (b & c) ^ (b & d) ^ (c & d);
    default: return b ^ c ^ d;
    }
}

/* Four rounds; E comes in with the first word (SHA1NEXTE), later it is the D that went before. */
void op_sha1rnds4(struct cpu *c, const struct insn *i)
{
    static const u32 k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    unsigned stage = i->imm & 3;
    union v128 w, s;
    u32 e = 0;

    if (!sse_begin(c) || !load_m128u(c, i, &w.m)) return;
    s.m = xmm_get(c, i->reg);
    for (unsigned n = 4; n-- > 0;) {
        u32 a = sha1_f(stage, s.d[2], s.d[1], s.d[0]) + rol(s.d[3], 5) + w.d[n] + e + k[stage];
        e = s.d[0];
        s.d[0] = s.d[1];
        s.d[1] = rol(s.d[2], 30);
        s.d[2] = s.d[3];
        s.d[3] = a;
    }
    xmm_set(c, i->reg, s.m);
}

static __m128i sha1nexte(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s };

    y.d[3] += rol(x.d[3], 30);
    return y.m;
}

static __m128i sha1msg1(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    r.d[3] = x.d[1] ^ x.d[3];
    r.d[2] = x.d[0] ^ x.d[2];
    r.d[1] = y.d[3] ^ x.d[1];
    r.d[0] = y.d[2] ^ x.d[0];
    return r.m;
}

static __m128i sha1msg2(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    r.d[3] = rol(x.d[3] ^ y.d[2], 1);
    r.d[2] = rol(x.d[2] ^ y.d[1], 1);
    r.d[1] = rol(x.d[1] ^ y.d[0], 1);
    r.d[0] = rol(x.d[0] ^ r.d[3], 1);
    return r.m;
}

/* --- SHA-256 --- */

static u32 small0(u32 v)
{
    return ror(v, 7) ^ ror(v, 18) ^ v >> 3;
}

static u32 small1(u32 v)
{
    return ror(v, 17) ^ ror(v, 19) ^ v >> 10;
}

/* Two rounds: destination C D G H, source A B E F, words plus constants in XMM0. */
void op_sha256rnds2(struct cpu *c, const struct insn *i)
{
    union v128 s, d;

    if (!sse_begin(c) || !load_m128u(c, i, &s.m)) return;
    d.m = xmm_get(c, i->reg);
    for (unsigned n = 0; n < 2; n++) {
        u32 a = s.d[3], b = s.d[2], e = s.d[1], f = s.d[0], third = d.d[3], g = d.d[1];
        u32 t =
            ((e & f) ^ (~e & g)) + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + c->v[0].d[n] + d.d[0];
        u32 major = ((a & b) ^ (a & third) ^ (b & third)) + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22));
        s.d[3] = t + major;
        s.d[2] = a;
        s.d[1] = t + d.d[2];
        s.d[0] = e;
        d.d[3] = b;
        d.d[2] = third;
        d.d[1] = f;
        d.d[0] = g;
    }
    xmm_set(c, i->reg, s.m);
}

static __m128i sha256msg1(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s };

    for (unsigned k = 0; k < 4; k++) x.d[k] += small0(k < 3 ? x.d[k + 1] : y.d[0]);
    return x.m;
}

static __m128i sha256msg2(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s };

    x.d[0] += small1(y.d[2]);
    x.d[1] += small1(y.d[3]);
    x.d[2] += small1(x.d[0]);
    x.d[3] += small1(x.d[1]);
    return x.m;
}

#define SHA_OP(name)                                                                               \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        sse_int(c, i, name, load_m128u);                                                           \
    }
SHA_OP(sha1nexte)
SHA_OP(sha1msg1)
SHA_OP(sha1msg2)
SHA_OP(sha256msg1)
SHA_OP(sha256msg2)

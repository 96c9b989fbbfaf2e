/* See shaders.h: texts that have every instruction of the language once, for every version. */
#include "gpu/aerogpu_cmd.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/target.h"

/* The unit tests' assembler without their library, which wants to run inside a test. */
#define CHECK_H
#define ck_assert_uint_lt(a, b) must((a) < (b), #a " is below " #b)
#define ck_abort_msg(form, why, line) ((void)(why), must_failed((line)))
#include <stdio.h>
#include "tests/unit/d3d9_asm.h"

static const char *const texts[] = {
    "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v1",
    "ps_2_0\ntexld r0, t0, s0\nmul r0, r0, v0\nmov oC0, r0",
    "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndp4 oPos.x, v0, c240\ndp4 oPos.y, v0, "
    "c241\n"
    "dp4 oPos.z, v0, c242\ndp4 oPos.w, v0, c243\nmov oD0, v1\nmov oT0, v2\nmov oPts, c0.x\nmov "
    "oFog, c0.y",
    "vs_1_1\ndcl_position v0\nmov a0.x, v0.x\nmov r0, c0[a0.x]\nexpp r1.x, r0.x\nlogp r1.y, "
    "r0.y\nlit r2, r0\n"
    "dst r3, r0, r1\nm4x4 oPos, v0, c0\nadd oD0, r2, r3",
    "vs_2_0\ndefi i0, 4, 0, 1, 0\ndefb b0, 1\ndef c5, 1, 2, 3, 4\nmova a0.x, v0.x\nmov r0, "
    "c0[a0.x]\nrep i0\nadd r0, r0, c5\n"
    "endrep\nif b0\nmul r0, r0, c5\nelse\nsub r0, r0, c5\nendif\ncall l0\nmov oPos, r0\nret\nlabel "
    "l0\nnrm r1, r0\nsgn r2, r1, r3, r4\n"
    "ret",
    "vs_3_0\ndcl_position v0\ndcl_texcoord v1\ndcl_position o0\ndcl_color o1\ndcl_texcoord3 "
    "o2\ndcl_2d s0\n"
    "defi i0, 3, 0, 2, 0\nloop aL, i0\nmov r0, c0[aL]\nif_lt r0.x, r0.y\nbreak\nendif\nsetp_gt p0, "
    "r0, c1\nbreakp p0.x\nendloop\n"
    "texldl r1, v1, s0\nmov o0, v0\nmov o1, r0\nmov o2, r1",
    "ps_1_1\ntex t0\ntex t1\ntexcoord t2\ntexkill t3\nmul_x2 r0, t0, v0\n+add_d2 r0.w, t1.w, "
    "v1.w\nlrp r0, c0, r0, t1_bx2\n"
    "cnd r0, r0.w, r0, t2_bias",
    "ps_1_4\ntexld r0, t0\ntexcrd r1, t1\nphase\ntexld r2, r1\ndp3_sat r0, r0_bx2, r2\ncmp r0, r0, "
    "r1, r2",
    "ps_2_0\ndef c0, 0.5, 0, 0.25, 1\ntexld r0, t0, s0\ntexldp r1, t1, s1\ntexldb r2, t2, s2\npow "
    "r3.x, r0.x, r1.x\nsincos r4.xy, r0.x, c0, "
    "c0\ncrs r5.xyz, r0, r1\ndp2add r6, r0, r1, c0.x\nexp r7.x, r0.x\nlog r7.y, r0.y\nrcp r7.z, "
    "r0.z\nrsq r7.w, r0.w\nfrc r8, r7\n"
    "min r9, r8, r7\nmax r9, r9, r0\nmad r9, r0, r1, r9\ntexkill r9\nmov oDepth, r9.x\nmov oC0, "
    "r9\nmov oC1, r8",
    "ps_3_0\ndcl_texcoord v0\ndcl_color v1\ndcl vPos\ndcl vFace\ndcl_cube s0\ndcl_2d s1\ndsx r0, "
    "v0\ndsy r1, v0\ntexldd r2, v0, s1, r0, "
    "r1\ntexld r3, v0, s0\nif_ge vFace, c0\nadd r2, r2, vPos\nendif\nabs r4, r2\nsetp_le p0, r4, "
    "r3\nmov r4, r3\nmov oC0, r4",
    "ps_2_0\ndcl t0\ndcl v0\ndcl_2d s0\ndp3 r0, t0, v0\ndp4 r0, r0, c1\nslt r1, r0, c2\nsge r2, "
    "r0, c3\nm3x3 r3.xyz, r0, c4\n"
    "m3x2 r4.xy, r0, c8\nlrp r0, r1, r2, r3\nmov_sat oC0, r0",
    "vs_2_0\ncallnz l1, b0\nm4x3 r0.xyz, v0, c0\nm3x4 r1, v0, c4\nmov oPos, r0\nmov oT7, "
    "r1\nret\nlabel l1\nmov r2, -v1\nret",
    "ps_2_0\nmov r0, v0_comp\nmov r1, v0_bias\nadd r0, r0, r1\nmov oC0, r0",
};

enum { D3D9_SHADERS = 2 * LEN(texts), SHADERS = D3D9_SHADERS + 32 };

struct assembled {
    u8 bytes[2048], stage;
    size_t size;
};

/* Both encodings of every text, assembled once; those of models 4 and 5 behind the others. */
static const struct assembled *assembled(unsigned n)
{
    static struct assembled all[SHADERS];
    static struct d3d9_asm a;
    struct assembled *s = &all[n];
    if (s->size) return s;
    if (n >= D3D9_SHADERS) {
        s->size = shader_sm4(n - D3D9_SHADERS, s->bytes, sizeof(s->bytes), &s->stage);
    } else {
        s->size = d3d9_assemble(&a, texts[n / 2], n & 1 ? ASM_DRIVER : ASM_STANDARD);
        s->stage = a.ps ? STAGE_PS : STAGE_VS;
        must(s->size <= sizeof(s->bytes), "the text is short");
        memcpy(s->bytes, a.words, s->size);
    }
    return s;
}

/* A shader of the same language. */
static const struct assembled *another(struct rng *r, const u8 *p, size_t size)
{
    static unsigned end;
    if (!end) {
        end = D3D9_SHADERS;
        while (end < SHADERS && assembled(end)->size) end++;
    }
    u32 first = size >= 4 ? ld32(p) >> 16 : 0;
    bool old = first == 0xfffe || first == 0xffff;
    return assembled(old ? rnd(r, D3D9_SHADERS) : D3D9_SHADERS + rnd(r, end - D3D9_SHADERS));
}

size_t shader_d3d9(unsigned n, u8 *out, size_t cap, u8 *stage)
{
    if (n >= D3D9_SHADERS) return 0;
    const struct assembled *s = assembled(n);
    if (s->size > cap) return 0;
    *stage = s->stage;
    memcpy(out, s->bytes, s->size);
    return s->size;
}

size_t shader_any(unsigned n, u8 *out, size_t cap, u8 *stage)
{
    return n < D3D9_SHADERS ? shader_d3d9(n, out, cap, stage)
                            : shader_sm4(n - D3D9_SHADERS, out, cap, stage);
}

/* ---- mutating ---- */

static u32 any_token(struct rng *r, const u8 *p, size_t size)
{
    const struct assembled *a = another(r, p, size);
    switch (rnd(r, 6)) {
    case 0: return (u32)rnd_value(r);
    case 1: /* a parameter */
        return 0x80000000 | rnd(r, 8) << 28 | rnd(r, 4) << 11 | 0xe40000 | rnd(r, 20);
    case 2: return rnd(r, 100) | rnd(r, 32) << 24; /* an instruction */
    case 3: return ld32(a->bytes + 4 * rnd(r, (u32)(a->size / 4)));
    default: return ld32(p + 4 * rnd(r, (u32)(size / 4)));
    }
}

/* A piece of another shader in between. */
static size_t insert_tokens(struct rng *r, u8 *p, size_t size, size_t max)
{
    const struct assembled *a = another(r, p, size);
    size_t from = 4 * rnd(r, (u32)(a->size / 4)), want = 4 + 4 * (size_t)rnd(r, 12),
           len = MIN(want, a->size - from), at = 4 * rnd(r, (u32)(size / 4) + 1);
    if (size + len > max) return size;
    memmove(p + at + len, p + at, size - at);
    memcpy(p + at, a->bytes + from, len);
    return size + len;
}

size_t tokens_mutate(u8 *p, size_t size, size_t max, unsigned seed)
{
    struct rng r = { seed };
    if (size < 8 || one_in(&r, 8)) return LLVMFuzzerMutate(p, size, max);
    for (unsigned k = 1 + rnd(&r, 3); k; k--) {
        u8 *at = p + 4 * rnd(&r, (u32)(size / 4));
        switch (rnd(&r, 8)) {
        case 0: st32(at, any_token(&r, p, size)); break;
        case 1: st32(at, ld32(at) ^ 1u << rnd(&r, 32)); break;
        case 2:
            st32(at, (ld32(at) & ~0x7ffu) | rnd(&r, one_in(&r, 4) ? 2048 : 34));
            break; /* its number */
        case 3:
            st32(at, (ld32(at) & ~0x70001800u) | rnd(&r, 8) << 28 | rnd(&r, 4) << 11);
            break; /* its file */
        case 4:
            st32(at, (ld32(at) & ~0x0fff0000u) | rnd(&r, 0x1000) << 16);
            break; /* its modifiers */
        case 5: size = insert_tokens(&r, p, size, max); break;
        case 6: {
            size_t from = (size_t)(at - p), want = 4 + 4 * (size_t)rnd(&r, 6),
                   len = MIN(want, size - from);
            if (len + 8 > size) break;
            memmove(at, at + len, size - from - len);
            size -= len;
            break;
        }
        default: p[rnd(&r, 4)] = (u8)rnd(&r, 4); /* the version */
        }
    }
    /* bare tokens of model 4 say how many they are */
    if (ld32(p) >> 16 < 6 && rnd(&r, 4)) st32(p + 4, (u32)(size / 4));
    return size;
}

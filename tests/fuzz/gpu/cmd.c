/* Fuzz target: the validator of command streams alone. The input is a stream's window. What it
 * keeps must be inside the stream, in order, as long as its opcode wants, and readable by
 * everything that reads packets of several forms. */
#include "gpu/aerogpu_cmd.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

static u32 fixed_size(u32 opcode)
{
    switch (opcode) {
#define ROW(code, name, type, what)                                                                \
    case code:                                                                                     \
        return code == AGPU_SET_BLEND_STATE ? AGPU_BLEND_STATE_MIN : (u32)sizeof(struct type);
        AGPU_PACKETS(ROW)
#undef ROW
    default: must_failed("a kept packet is known"); return 0;
    }
}

/* The forms of a packet that executors ask for. */
static void read_packet(const struct acmd_packet *p, const u8 *at)
{
    struct acmd_shaders shaders;
    struct agpu_set_blend_state blend;
    u8 bools[ACMD_CONSTANTS_IB];
    if (p->opcode == AGPU_BIND_SHADERS) acmd_bind_shaders(at, &shaders);
    if (p->opcode == AGPU_SET_BLEND_STATE) acmd_blend_state(at, &blend);
    if (p->opcode == AGPU_SET_SHADER_CONSTANTS_B) {
        must(((const struct agpu_stage_array *)at)->count <= ACMD_CONSTANTS_IB, "bools fit");
        acmd_bools(at, bools);
    }
}

void target_init(void)
{
}

void target_run(const u8 *data, size_t size)
{
    struct acmd_stream s;
    u32 end = sizeof(struct agpu_stream_header);
    acmd_parse(&s, data, (u32)size);
    must(!s.error || s.reason, "an error has a reason");
    must(s.size <= size, "the stream is inside its window");
    for (u32 k = 0; k < s.count; k++) {
        const struct acmd_packet *p = &s.packets[k];
        must(p->offset >= end && p->offset <= s.size - 8, "packets are in order");
        const u8 *at = acmd_at(&s, p);
        end = p->offset + ld32(at + 4);
        must(ld32(at) == p->opcode && acmd_name(p->opcode), "a kept packet is known");
        must(end <= s.size && end - p->offset >= fixed_size(p->opcode), "it is complete");
        must(p->stage < STAGE_COUNT || p->stage == STAGE_NONE, "stages exist");
        read_packet(p, at);
    }
    must(s.error || acmd_scan_vsync(data, (u32)size) == s.vsync, "pacing is agreed on");
    if (s.count && (data[size - 1] & 7) == 0) { /* texts are slow: some */
        struct text t;
        text_init(&t);
        acmd_describe(&s, &s.packets[s.count - 1], &t);
        text_free(&t);
    }
    acmd_free(&s);
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    size_t size = stream_seed(n, out, cap);
    if (size < 4) return 0;
    memmove(out, out + 4, size - 4); /* the first stream, without its length */
    return MIN(size - 4, (size_t)ld32(out + 8));
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
    static u8 sequence[1 << 16];
    if (seed % 3 == 0 || size < 24 || size > sizeof(sequence) - 4)
        return LLVMFuzzerMutate(data, size, max);
    st32(sequence, (u32)size);
    memcpy(sequence + 4, data, size);
    size_t n = stream_mutate(sequence, size + 4, MIN(max + 4, sizeof(sequence)), seed);
    if (n < 5 || n - 4 > max) return LLVMFuzzerMutate(data, size, max);
    memcpy(data, sequence + 4, n - 4);
    return n - 4;
}

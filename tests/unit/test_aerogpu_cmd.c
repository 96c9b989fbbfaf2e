/* AeroGPU's command stream validator: statements 144 to 155 of its contract, and that every packet is checked. */
#include <check.h>
#include <stdlib.h>

#include "gpu/aerogpu_cmd.h"

/* A stream of the given 32-bit words behind a header of minor `minor`, in memory that ends where the stream ends. */
static u8 *build(unsigned minor, const u32 *words, u32 count, u32 *size)
{
    struct agpu_stream_header h = { AGPU_CMD_MAGIC, 0x00010000 | minor, 24 + count * 4, 0, { 0 } };
    u8 *bytes = malloc(h.size_bytes);
    memcpy(bytes, &h, sizeof(h));
    if (count) memcpy(bytes + 24, words, count * 4);
    *size = h.size_bytes;
    return bytes;
}

static struct acmd_stream parsed(unsigned minor, const u32 *words, u32 count)
{
    struct acmd_stream s;
    u32 size;
    u8 *bytes = build(minor, words, count, &size);
    acmd_parse(&s, bytes, size);
    return s;
}
#define PARSE(minor, ...) parsed(minor, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

static void done(struct acmd_stream *s)
{
    u8 *bytes = (u8 *)s->bytes;
    acmd_free(s);
    free(bytes);
}

/* count of packets with an effect, error, number of dropped ones */
static void expect(struct acmd_stream s, u32 count, enum agpu_error error, u32 dropped)
{
    ck_assert_msg(s.count == count && s.error == error && s.dropped == dropped, "%u packets, error %u (%s), %u dropped", s.count, s.error,
                  s.reason ? s.reason : "", s.dropped);
    done(&s);
}

#define DESTROY AGPU_DESTROY_RESOURCE, 16, 5, 0

START_TEST(ag_144_145_stream_header)
{
    u32 size;
    struct acmd_stream s;
    u8 *b = build(9, NULL, 0, &size);
    acmd_parse(&s, b, size);
    ck_assert_int_eq(s.error, AGPU_E_NONE);
    ck_assert_uint_eq(s.minor, 9);
    static const struct {
        u32 offset, value, error;
    } bad[] = { { 0, 1, AGPU_E_CMD_DECODE }, { 4, 0x00020004, AGPU_E_CMD_DECODE }, { 4, 0x00000004, AGPU_E_CMD_DECODE },
                { 8, 20, AGPU_E_CMD_DECODE }, { 8, 26, AGPU_E_CMD_DECODE }, { 8, 28, AGPU_E_OOB } };
    for (unsigned k = 0; k < LEN(bad); k++) {
        u32 old = ld32(b + bad[k].offset);
        st32(b + bad[k].offset, bad[k].value);
        acmd_parse(&s, b, size);
        ck_assert_msg(s.error == bad[k].error, "row %u: %u", k, s.error);
        st32(b + bad[k].offset, old);
    }
    for (u32 n = 0; n < 24; n++) {
        acmd_parse(&s, b, n);
        ck_assert_int_eq(s.error, AGPU_E_CMD_DECODE);
    }
    free(b);
}
END_TEST

START_TEST(ag_146_147_148_149_packet_frames)
{
    expect(PARSE(4, DESTROY, AGPU_NOP, 4), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, DESTROY, AGPU_NOP, 10, 0), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, DESTROY, AGPU_NOP, 12), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, DESTROY, AGPU_NOP), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, DESTROY, AGPU_NOP, 0), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, DESTROY, AGPU_NOP, 0xfffffff8), 1, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_DESTROY_RESOURCE, 24, 5, 0, 1, 2, DESTROY), 2, AGPU_E_NONE, 0);
    expect(PARSE(4, AGPU_DESTROY_RESOURCE, 12, 5, DESTROY), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_NOP, 8, AGPU_NOP, 16, 1, 2, DESTROY), 1, AGPU_E_NONE, 0);
    expect(PARSE(4, AGPU_DEBUG_MARKER, 16, 0xfffefdfc, 0x80808080, DESTROY), 1, AGPU_E_NONE, 0);
    expect(PARSE(4, 0x9999, 12, 7, DESTROY), 1, AGPU_E_NONE, 0);
}
END_TEST

START_TEST(ag_150_151_bind_shaders)
{
    struct acmd_shaders b;
    const u32 plain[] = { AGPU_BIND_SHADERS, 24, 1, 2, 3, 4 }, partial[] = { AGPU_BIND_SHADERS, 32, 1, 2, 3, 4, 5, 6 },
              whole[] = { AGPU_BIND_SHADERS, 36, 1, 2, 3, 4, 5, 6, 7 };
    acmd_bind_shaders(plain, &b);
    ck_assert_uint_eq(b.handle[STAGE_VS], 1);
    ck_assert_uint_eq(b.handle[STAGE_PS], 2);
    ck_assert_uint_eq(b.handle[STAGE_CS], 3);
    ck_assert_uint_eq(b.handle[STAGE_GS], 4);
    acmd_bind_shaders(partial, &b);
    ck_assert_uint_eq(b.handle[STAGE_GS] | b.handle[STAGE_HS] | b.handle[STAGE_DS], 0);
    acmd_bind_shaders(whole, &b);
    ck_assert_uint_eq(b.handle[STAGE_GS], 5);
    ck_assert_uint_eq(b.handle[STAGE_HS], 6);
    ck_assert_uint_eq(b.handle[STAGE_DS], 7);
}
END_TEST

START_TEST(ag_152_short_blend_state)
{
    struct agpu_set_blend_state s;
    u32 p[15] = { AGPU_SET_BLEND_STATE, 28, 1, 2, 3, 4, 0xf };
    acmd_blend_state(p, &s);
    ck_assert_uint_eq(s.src_factor_alpha, 2);
    ck_assert_uint_eq(s.dst_factor_alpha, 3);
    ck_assert_uint_eq(s.blend_op_alpha, 4);
    ck_assert_uint_eq(s.color_write_mask, 15);
    for (int k = 0; k < 4; k++) ck_assert(s.constant[k] == 1.0f);
    ck_assert_uint_eq(s.sample_mask, 0xffffffff);
    p[1] = 48;
    p[7] = 6;
    p[10] = 0x3f000000; /* 0.5: the first two components are there */
    p[11] = 0x3e800000;
    acmd_blend_state(p, &s);
    ck_assert_uint_eq(s.src_factor_alpha, 6);
    ck_assert(s.constant[0] == 0.5f && s.constant[1] == 0.25f && s.constant[2] == 1.0f && s.constant[3] == 1.0f);
    expect(parsed(4, p, 12), 1, AGPU_E_NONE, 0);
    p[1] = 24;
    expect(parsed(4, p, 6), 0, AGPU_E_CMD_DECODE, 0);
}
END_TEST

static u8 stage_of(unsigned minor, u32 stage, u32 ex)
{
    struct acmd_stream s = PARSE(minor, AGPU_SET_TEXTURE, 24, stage, 0, 1, ex);
    u8 got = s.count ? s.packets[0].stage : STAGE_NONE;
    done(&s);
    return got;
}

START_TEST(ag_153_154_stages)
{
    static const u8 plain[] = { STAGE_VS, STAGE_PS, STAGE_CS, STAGE_GS, STAGE_NONE };
    for (u32 k = 0; k < LEN(plain); k++) ck_assert_uint_eq(stage_of(4, k, 0), plain[k]);
    static const u8 ex[] = { STAGE_CS, STAGE_NONE, STAGE_GS, STAGE_HS, STAGE_DS, STAGE_CS, STAGE_NONE, STAGE_NONE };
    for (u32 k = 0; k < LEN(ex); k++) {
        ck_assert_uint_eq(stage_of(4, 2, k), ex[k]);
        ck_assert_uint_eq(stage_of(3, 2, k), ex[k]);
        ck_assert_uint_eq(stage_of(2, 2, k), STAGE_CS);
        ck_assert_uint_eq(stage_of(4, 0, k), STAGE_VS);
    }
}
END_TEST

START_TEST(ag_155_boolean_constants)
{
    u8 out[4];
    const u32 narrow[] = { AGPU_SET_SHADER_CONSTANTS_B, 32, 0, 0, 2, 0, 0, 9 };
    const u32 wide[] = { AGPU_SET_SHADER_CONSTANTS_B, 56, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
    expect(parsed(4, narrow, LEN(narrow)), 1, AGPU_E_NONE, 0);
    expect(parsed(4, wide, LEN(wide)), 1, AGPU_E_NONE, 0);
    for (int k = 0; k < 2; k++) {
        memset(out, 7, sizeof(out));
        acmd_bools(k ? wide : narrow, out);
        ck_assert_uint_eq(out[0], 0);
        ck_assert_uint_eq(out[1], 1);
        ck_assert_uint_eq(out[2], 7);
    }
    expect(PARSE(4, AGPU_SET_SHADER_CONSTANTS_B, 28, 0, 0, 2, 0, 1), 0, AGPU_E_CMD_DECODE, 0);
}
END_TEST

START_TEST(payloads_stay_inside_their_packets)
{
    static const u32 counted[] = { AGPU_SET_SHADER_CONSTANTS_F, AGPU_SET_SHADER_CONSTANTS_I, AGPU_SET_SAMPLERS, AGPU_SET_CONSTANT_BUFFERS,
                                   AGPU_SET_SHADER_RESOURCE_BUFFERS, AGPU_SET_UNORDERED_ACCESS_BUFFERS };
    for (unsigned k = 0; k < LEN(counted); k++) {
        expect(PARSE(4, counted[k], 24, 1, 0, 1, 0), 0, AGPU_E_CMD_DECODE, 0);
        expect(PARSE(4, counted[k], 24, 1, 0, 0x10000000, 0), 0, AGPU_E_CMD_DECODE, 0);
        expect(PARSE(4, counted[k], 24, 1, 0, 0, 0), 1, AGPU_E_NONE, 0);
        expect(PARSE(4, counted[k], 40, 1, 0xffffffff, 1, 0, 1, 2, 3, 4), 0, AGPU_E_NONE, 1);
    }
    expect(PARSE(4, AGPU_SET_VERTEX_BUFFERS, 16, 0, 1), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_SET_VERTEX_BUFFERS, 32, 32, 1, 0, 0, 0, 0), 0, AGPU_E_NONE, 1);
    expect(PARSE(4, AGPU_UPLOAD_RESOURCE, 32, 1, 0, 0, 0, 1, 0), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_UPLOAD_RESOURCE, 36, 1, 0, 0, 0, 0xffffffff, 0xffffffff, 7), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_UPLOAD_RESOURCE, 36, 1, 0, 0, 0, 3, 0, 7), 1, AGPU_E_NONE, 0);
    expect(PARSE(4, AGPU_CREATE_SHADER_DXBC, 24, 1, 0, 4, 0), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_CREATE_INPUT_LAYOUT, 20, 1, 1, 0), 0, AGPU_E_CMD_DECODE, 0);
    expect(PARSE(4, AGPU_CREATE_INPUT_LAYOUT, 24, 1, 4, 0, 5), 1, AGPU_E_NONE, 0);
}
END_TEST

#define TEXTURE(format, w, h, mips, layers) AGPU_CREATE_TEXTURE2D, 56, 1, 8, format, w, h, mips, layers, 0, 0, 0, 0, 0
#define BUFFER(handle, lo, hi) AGPU_CREATE_BUFFER, 40, handle, 1, lo, hi, 0, 0, 0, 0

START_TEST(ag_156_157_170_210_nonsense_is_dropped)
{
    expect(PARSE(4, BUFFER(1, 0, 0), BUFFER(1, 6, 0), BUFFER(0, 8, 0), BUFFER(1, 4, 0)), 1, AGPU_E_NONE, 3);
    expect(PARSE(4, TEXTURE(1, 4, 4, 4, 1), TEXTURE(1, 4, 4, 3, 1), TEXTURE(1, 4, 4, 0, 1)), 1, AGPU_E_NONE, 2);
    expect(PARSE(4, TEXTURE(0, 4, 4, 1, 1), TEXTURE(11, 4, 4, 1, 1), TEXTURE(72, 4, 4, 1, 1), TEXTURE(71, 4, 4, 1, 1)), 1, AGPU_E_NONE, 3);
    expect(PARSE(4, TEXTURE(1, 0, 4, 1, 1), TEXTURE(1, 4, 16385, 1, 1), TEXTURE(1, 4, 4, 1, 0), TEXTURE(1, 16384, 1, 15, 6)), 1,
           AGPU_E_NONE, 3);
    expect(PARSE(4, AGPU_COPY_BUFFER, 48, 1, 2, 0, 0, 0, 0, 4, 0, 2, 0, AGPU_COPY_BUFFER, 48, 1, 2, 2, 0, 0, 0, 4, 0, 0, 0,
                 AGPU_COPY_BUFFER, 48, 1, 2, 4, 0, 0, 0, 4, 0, 1, 0),
           1, AGPU_E_NONE, 2);
    expect(PARSE(4, AGPU_COPY_TEXTURE2D, 64, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0x80000000, 0), 0, AGPU_E_NONE, 1);
    expect(PARSE(4, AGPU_EXPORT_SHARED_SURFACE, 24, 1, 0, 0, 0, AGPU_EXPORT_SHARED_SURFACE, 24, 1, 0, 0, 1), 1, AGPU_E_NONE, 1);
    expect(PARSE(4, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, 7, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, 65, 0,
                 AGPU_SET_PRIMITIVE_TOPOLOGY, 16, 6, 0),
           1, AGPU_E_NONE, 3);
}
END_TEST

/* Every packet of the table, of its fixed size and full of ones: no crash, no error, no read behind its end (the sanitizers look). */
START_TEST(every_packet_survives_ones)
{
    static const struct {
        u32 opcode, fixed;
    } all[] = {
#define ROW(code, name, type, examine) { code, sizeof(struct type) },
        AGPU_PACKETS(ROW)
#undef ROW
    };
    struct text t;
    text_init(&t);
    for (unsigned k = 0; k < LEN(all); k++) {
        u32 words[16];
        memset(words, 0xff, sizeof(words));
        words[0] = all[k].opcode;
        words[1] = all[k].fixed;
        ck_assert_ptr_nonnull(acmd_name(all[k].opcode));
        struct acmd_stream s = parsed(4, words, all[k].fixed / 4);
        for (u32 n = 0; n < s.count; n++) {
            text_clear(&t);
            acmd_describe(&s, &s.packets[n], &t);
            ck_assert_msg(all[k].fixed <= 16 || strchr(t.s, '='), "no field has a name: %s", t.s);
        }
        ck_assert(s.error == AGPU_E_NONE || s.error == AGPU_E_CMD_DECODE);
        done(&s);
    }
    ck_assert_uint_gt(t.len, 0);
    text_free(&t);
}
END_TEST

/* What a trace shows of a packet. */
START_TEST(packets_in_words)
{
    struct text t;
    text_init(&t);
    struct acmd_stream s =
        PARSE(4, AGPU_CREATE_TEXTURE2D, 56, 7, 0x48, AGPU_FMT_B8G8R8X8, 640, 480, 1, 1, 2560, 3, 64, 0, 0, AGPU_BIND_SHADERS, 24, 1, 2, 0, 9,
              AGPU_SET_TEXTURE, 24, 1, 2, 7, 0, AGPU_CLEAR, 36, 1, 0x3f800000, 0x3f000000, 0, 0, 0, 5, AGPU_SET_SHADER_CONSTANTS_F, 40, 1,
              8, 1, 0, 0x3f800000, 0xc0000000, 0, 0, AGPU_SET_BLEND_STATE, 28, 1, 2, 3, 0, 0xf, AGPU_SET_RENDER_TARGETS, 48, 2, 5, 7, 8, 0,
              0, 0, 0, 0, 0, AGPU_SET_VERTEX_BUFFERS, 32, 1, 1, 11, 20, 4, 0, AGPU_EXPORT_SHARED_SURFACE, 24, 7, 0, 0x55667788,
              0x11223344, AGPU_DRAW_INDEXED, 28, 6, 1, 0, 0xffffffff, 0, AGPU_DEBUG_MARKER, 16, 0x0a226968, 0, AGPU_PRESENT, 16, 0, 1);
    ck_assert_uint_eq(s.error, AGPU_E_NONE);
    for (u32 k = 0; k < s.count; k++) acmd_describe(&s, &s.packets[k], &t);
    static const char *const lines[] = {
        "000018 CREATE_TEXTURE2D handle=7 usage=48 format=B8G8R8X8 width=640 height=480 mips=1 layers=1 pitch=2560 alloc=3 at=64\n",
        " BIND_SHADERS vs=1 ps=2 gs=9\n",
        " SET_TEXTURE ps slot=2 texture=7\n",
        " CLEAR flags=1 r=1 g=0.5 b=0 a=0 depth=0 stencil=5\n",
        " SET_SHADER_CONSTANTS_F ps from=8 count=1 [ 1 -2 0 0 ]\n",
        " SET_BLEND_STATE enable=1 src=sa dst=1-sa op=+ mask=f\n",
        " SET_RENDER_TARGETS count=2 depth=5 [ colour=7 ] [ colour=8 ]\n",
        " SET_VERTEX_BUFFERS from=1 count=1 [ buffer=11 stride=20 offset=4 ]\n",
        " EXPORT_SHARED_SURFACE handle=7 token=1122334455667788\n",
        " DRAW_INDEXED indices=6 instances=1 first=0 base=-1 first_instance=0\n",
        " PRESENT scanout=0 flags=1\n",
    };
    for (unsigned k = 0; k < LEN(lines); k++) ck_assert_msg(strstr(t.s, lines[k]), "%s is not in\n%s", lines[k], t.s);
    done(&s);
    text_free(&t);
}
END_TEST

START_TEST(registers_have_names)
{
    ck_assert_str_eq(agpu_register_name(AGPU_R_DOORBELL), "DOORBELL");
    ck_assert_str_eq(agpu_register_name(AGPU_R_IRQ_ACK + 3), "IRQ_ACK");
    ck_assert_str_eq(agpu_register_name(0x600), "-");
}
END_TEST

START_TEST(scan_for_vsync)
{
    u32 size;
    const u32 with[] = { AGPU_NOP, 8, AGPU_PRESENT_EX, 24, 0, 1, 0, 0 };
    const u32 cut[] = { AGPU_PRESENT, 16, 0, 1, AGPU_NOP, 4 };
    u8 *b = build(4, with, LEN(with), &size);
    ck_assert(acmd_scan_vsync(b, size));
    free(b);
    b = build(4, cut, LEN(cut), &size);
    ck_assert(!acmd_scan_vsync(b, size));
    free(b);
}
END_TEST

Suite *aerogpu_cmd_suite(void);
Suite *aerogpu_cmd_suite(void)
{
    Suite *s = suite_create("aerogpu_cmd");
    TCase *c = tcase_create("stream");
    const TTest *tests[] = {
        ag_144_145_stream_header, ag_146_147_148_149_packet_frames, ag_150_151_bind_shaders, ag_152_short_blend_state,
        ag_153_154_stages, ag_155_boolean_constants, payloads_stay_inside_their_packets, ag_156_157_170_210_nonsense_is_dropped,
        every_packet_survives_ones, packets_in_words, registers_have_names, scan_for_vsync,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}

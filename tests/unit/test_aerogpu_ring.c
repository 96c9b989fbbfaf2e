/* AeroGPU's ring, allocation tables, fences and pacing: statements 048 to 105 of its contract, and the driver's scripts. */
#include "tests/unit/aerogpu_rig.h"

#define DONE(g) R64(g, AGPU_R_COMPLETED_LO)
#define ERRORS(g) R(g, AGPU_R_ERROR_COUNT)
#define CODE(g) R(g, AGPU_R_ERROR_CODE)
/* PRESENT with the VSYNC flag */
#define VSYNC_PRESENT AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC

static void start(struct gpu *g)
{
    gpu_up(g);
    driver_start(g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
}

START_TEST(ag_048_doorbell_while_disabled_is_forgotten)
{
    struct gpu g;
    start(&g);
    W(&g, AGPU_R_RING_CONTROL, 0);
    submit(&g, empty(1, 0));
    ck_assert_uint_eq(DONE(&g), 0);
    W(&g, AGPU_R_RING_CONTROL, 1);
    pass(&g, 1000000);
    ck_assert_uint_eq(DONE(&g), 0);
    ring_bell(&g);
    ck_assert_uint_eq(DONE(&g), 1);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_049_doorbell_without_decode_is_lost)
{
    struct gpu g;
    start(&g);
    gpu_command(&g, PCI_CMD_MASTER);
    submit(&g, empty(1, 0));
    gpu_command(&g, PCI_CMD_MASTER | PCI_CMD_MEM);
    ck_assert_uint_eq(DONE(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_050_no_ring)
{
    struct gpu g;
    start(&g);
    W(&g, AGPU_R_RING_GPA_LO, 0);
    ring_bell(&g);
    ck_assert_uint_eq(CODE(&g), AGPU_E_CMD_DECODE);
    ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 0);
    gpu_down(&g);
}
END_TEST

/* Each row spoils (or varies) one field of the header. */
static const struct {
    const char *what;
    u32 offset, value, ring_size, error;
} headers[] = {
    { "minor 5", 4, 0x00010005, 4096, 0 },
    { "major 2", 4, 0x00020000, 4096, AGPU_E_CMD_DECODE },
    { "magic", 0, 0x12345678, 4096, AGPU_E_CMD_DECODE },
    { "no entries", 12, 0, 4096, AGPU_E_CMD_DECODE },
    { "6 entries", 12, 6, 4096, AGPU_E_CMD_DECODE },
    { "stride 63", 16, 63, 4096, AGPU_E_CMD_DECODE },
    { "stride 128", 16, 128, 4096, 0 },
    { "entries beyond size", 8, 64 + 8 * 64 - 4, 4096, AGPU_E_CMD_DECODE },
    { "size exact", 8, 64 + 8 * 64, 4096, 0 },
    { "size above the window", 8, 4096, 4092, AGPU_E_OOB },
    { "window larger", 8, 4096, 0x5000, 0 },
    { "many entries", 12, 0x80000000, 4096, AGPU_E_CMD_DECODE },
};

START_TEST(ag_051_052_053_054_055_056_ring_header)
{
    struct gpu g;
    u64 done = 0;
    start(&g);
    struct agpu_ring_header good = *ring(&g);
    for (unsigned k = 0; k < LEN(headers); k++) {
        u32 errors = ERRORS(&g);
        *ring(&g) = good;
        ring(&g)->head = ring(&g)->tail = 5 * k;
        W(&g, AGPU_R_RING_SIZE, headers[k].ring_size);
        st32((u8 *)ring(&g) + headers[k].offset, headers[k].value);
        if (!headers[k].error) {
            struct agpu_descriptor d = empty(++done, 0);
            queue(&g, &d);
        }
        ring_bell(&g);
        ck_assert_msg(DONE(&g) == done, "%s: fence %llu", headers[k].what, (unsigned long long)DONE(&g));
        ck_assert_msg(ERRORS(&g) - errors == (headers[k].error != 0), "%s", headers[k].what);
        if (headers[k].error) ck_assert_msg(CODE(&g) == headers[k].error, "%s: error %u", headers[k].what, CODE(&g));
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_057_061_addresses_at_the_end_of_the_world)
{
    static const u64 where[] = { 0xfffffffffffffff0, 0xffffffffffffffc0, 0xfffffffff0000000, 0x7ffffffffffff000 };
    for (unsigned k = 0; k < LEN(where); k++) {
        struct gpu g;
        start(&g);
        W(&g, AGPU_R_RING_GPA_LO, (u32)where[k]);
        W(&g, AGPU_R_RING_GPA_HI, (u32)(where[k] >> 32));
        ring_bell(&g);
        ck_assert_uint_eq(ERRORS(&g), 1);
        if (where[k] > 0xfffffffffffff000) ck_assert_uint_eq(CODE(&g), AGPU_E_OOB);
        W(&g, AGPU_R_RING_CONTROL, 3);
        gpu_down(&g);
    }
}
END_TEST

START_TEST(ag_058_tail_too_far_ahead)
{
    struct gpu g;
    start(&g);
    ring(&g)->tail = ENTRIES + 1;
    ring_bell(&g);
    ck_assert_uint_eq(CODE(&g), AGPU_E_CMD_DECODE);
    ck_assert_uint_eq(ring(&g)->head, ENTRIES + 1);
    ck_assert_uint_eq(DONE(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_059_060_indices_wrap)
{
    struct gpu g;
    start(&g);
    ring(&g)->head = ring(&g)->tail = 0xffffffff;
    struct agpu_descriptor a = empty(10, 0), b = empty(11, 0);
    queue(&g, &a);
    queue(&g, &b);
    ck_assert_uint_eq(ring(&g)->tail, 1);
    ck_assert_uint_eq(ld64(ram(&g, RING + 64 + 7 * 64 + 48)), 10);
    ck_assert_uint_eq(ld64(ram(&g, RING + 64 + 48)), 11);
    ring_bell(&g);
    ck_assert_uint_eq(DONE(&g), 11);
    ck_assert_uint_eq(ring(&g)->head, 1);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

/* Each row: a descriptor that is wrong (or right) in one way; its fence completes whatever it is. */
START_TEST(ag_062_063_064_065_066_067_descriptors)
{
    struct gpu g;
    u64 fence = 0;
    start(&g);
    ring(&g)->entry_stride_bytes = 128;
    const struct {
        const char *what;
        u32 size;
        u64 gpa;
        u32 bytes, error;
    } rows[] = {
        { "32 bytes", 32, 0, 0, AGPU_E_CMD_DECODE },
        { "128 bytes", 128, 0, 0, 0 },
        { "empty", 64, 0, 0, 0 },
        { "address without size", 64, STREAM, 0, AGPU_E_CMD_DECODE },
        { "size without address", 64, 0, 24, AGPU_E_CMD_DECODE },
        { "overflow", 64, 0xfffffffffffffff0, 24, AGPU_E_OOB },
        { "outside memory", 64, 0x700000000, 24, AGPU_E_OOB },
        { "too small for a header", 64, STREAM, 20, AGPU_E_CMD_DECODE },
        { "stream larger than the window", 64, STREAM, 28, AGPU_E_OOB },
        { "stream smaller than the window", 64, STREAM, 4096, 0 },
    };
    (void)STREAM_OF(&g, 0, 0, AGPU_NOP, 8);
    for (unsigned k = 0; k < LEN(rows); k++) {
        u32 errors = ERRORS(&g);
        struct agpu_descriptor d = empty(++fence, 0);
        d.desc_size_bytes = rows[k].size;
        d.cmd_gpa = rows[k].gpa;
        d.cmd_size_bytes = rows[k].bytes;
        submit(&g, d);
        ck_assert_msg(DONE(&g) == fence, "%s", rows[k].what);
        ck_assert_msg(ring(&g)->head == ring(&g)->tail, "%s", rows[k].what);
        ck_assert_msg(ERRORS(&g) - errors == (rows[k].error != 0), "%s", rows[k].what);
        if (rows[k].error) ck_assert_msg(CODE(&g) == rows[k].error && R64(&g, AGPU_R_ERROR_FENCE_LO) == fence, "%s", rows[k].what);
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_068_069_doorbell_waits_for_bus_mastering)
{
    struct gpu g;
    start(&g);
    memset(ram(&g, FENCE), 0xee, 64);
    gpu_command(&g, PCI_CMD_MEM);
    submit(&g, empty(4, 0));
    ck_assert_uint_eq(DONE(&g), 0);
    ck_assert_uint_eq(ring(&g)->head, 0);
    ck_assert_uint_eq(ld32(ram(&g, FENCE)), 0xeeeeeeee);
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER);
    ck_assert_uint_eq(DONE(&g), 4);
    ck_assert_uint_eq(ring(&g)->head, 1);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 4);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_070_071_072_073_074_075_076_allocation_tables)
{
    struct gpu g;
    u64 fence = 0;
    start(&g);
    const struct {
        const char *what;
        u32 magic, version, size, count, stride, window, error;
        struct agpu_alloc_entry e[2];
    } rows[] = {
        { "good", AGPU_ALLOC_MAGIC, 0x10009, 88, 2, 32, 4096, 0, { { 2, 0, 0, 8, 0 }, { 1, 1, 4096, 8, 0 } } },
        { "no entries", AGPU_ALLOC_MAGIC, 0x10004, 24, 0, 32, 24, 0, { { 0 } } },
        { "magic", 5, 0x10004, 24, 0, 32, 24, AGPU_E_CMD_DECODE, { { 0 } } },
        { "major", AGPU_ALLOC_MAGIC, 0x20004, 24, 0, 32, 24, AGPU_E_CMD_DECODE, { { 0 } } },
        { "stride 31", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 31, 4096, AGPU_E_CMD_DECODE, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "stride 48", AGPU_ALLOC_MAGIC, 0x10004, 120, 2, 48, 4096, 0, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "id 0", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 4096, AGPU_E_CMD_DECODE, { { 1, 0, 0, 8, 0 }, { 0, 0, 0, 8, 0 } } },
        { "size 0", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 4096, AGPU_E_CMD_DECODE, { { 1, 0, 0, 0, 0 }, { 2, 0, 0, 8, 0 } } },
        { "overflow", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 4096, AGPU_E_OOB, { { 1, 0, ~0ull, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "duplicate", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 4096, AGPU_E_CMD_DECODE, { { 7, 0, 0, 8, 0 }, { 7, 0, 0, 8, 0 } } },
        { "beyond size", AGPU_ALLOC_MAGIC, 0x10004, 80, 2, 32, 4096, AGPU_E_OOB, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "beyond window", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 80, AGPU_E_OOB, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "no window", AGPU_ALLOC_MAGIC, 0x10004, 88, 2, 32, 0, AGPU_E_CMD_DECODE, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
        { "many", AGPU_ALLOC_MAGIC, 0x10004, 88, 0xffffffff, 32, 4096, AGPU_E_OOB, { { 1, 0, 0, 8, 0 }, { 2, 0, 0, 8, 0 } } },
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        u32 errors = ERRORS(&g);
        struct agpu_alloc_header h = { rows[k].magic, rows[k].version, rows[k].size, rows[k].count, rows[k].stride, 0 };
        memset(ram(&g, TABLE), 0, 4096);
        memcpy(ram(&g, TABLE), &h, sizeof(h));
        for (u32 n = 0; n < 2; n++) memcpy(ram(&g, TABLE + 24 + n * rows[k].stride), &rows[k].e[n], sizeof(rows[k].e[n]));
        struct agpu_descriptor d = STREAM_OF(&g, ++fence, 0, AGPU_NOP, 8);
        d.alloc_table_gpa = TABLE;
        d.alloc_table_size_bytes = rows[k].window;
        submit(&g, d);
        ck_assert_msg(DONE(&g) == fence, "%s", rows[k].what);
        ck_assert_msg(ERRORS(&g) - errors == (rows[k].error != 0), "%s: %u errors", rows[k].what, ERRORS(&g) - errors);
        if (rows[k].error) ck_assert_msg(CODE(&g) == rows[k].error, "%s: error %u", rows[k].what, CODE(&g));
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_079_080_081_082_fence_page)
{
    struct gpu g;
    start(&g);
    memset(ram(&g, FENCE), 0xee, 64);
    submit(&g, empty(0x1122334455667788, 0));
    ck_assert_uint_eq(ld32(ram(&g, FENCE)), AGPU_FENCE_MAGIC);
    ck_assert_uint_eq(ld32(ram(&g, FENCE + 4)), 0x00010004);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 0x1122334455667788);
    ck_assert_uint_eq(DONE(&g), 0x1122334455667788);
    for (u32 k = 16; k < 64; k++) ck_assert_uint_eq(*ram(&g, FENCE + k), 0xee);
    W(&g, AGPU_R_FENCE_GPA_LO, 0xfffffff0);
    W(&g, AGPU_R_FENCE_GPA_HI, 0xffffffff);
    submit(&g, empty(0x1122334455667789, 0));
    W(&g, AGPU_R_FENCE_GPA_LO, 0);
    W(&g, AGPU_R_FENCE_GPA_HI, 0);
    u8 *before = malloc(4096);
    memcpy(before, g.r.ram, 4096);
    submit(&g, empty(0x112233445566778a, 0));
    ck_assert_mem_eq(before, g.r.ram, 4096);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 0x1122334455667788);
    ck_assert_uint_eq(DONE(&g), 0x112233445566778a);
    free(before);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_083_084_089_fences_only_grow)
{
    struct gpu g;
    start(&g);
    submit(&g, empty(20, 0));
    ck_assert_uint_eq(DONE(&g), 20);
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    submit(&g, empty(0, 0));
    submit(&g, empty(19, 0));
    submit(&g, empty(20, 0));
    ck_assert_uint_eq(DONE(&g), 20);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_089_without_an_executor_the_doorbell_completes)
{
    struct gpu g;
    gpu_up_with(&g, "exec", "none");
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    ck_assert_uint_eq(R(&g, AGPU_R_FEATURES_LO) & AGPU_F_TRANSFER, 0);
    for (u64 f = 1; f <= 20; f++) {
        submit(&g, f & 1 ? empty(f, 0) : STREAM_OF(&g, f, 0, AGPU_PRESENT, 16, 0, 0));
        ck_assert_uint_eq(DONE(&g), f);
        ck_assert(line(&g));
        W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE);
    }
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

/* A buffer filled by the stream and copied to guest memory before the packet that is wrong; nothing after it. */
START_TEST(ag_144_146_what_stands_before_a_broken_packet_counts)
{
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 56, 1, 32, 0 };
    const struct agpu_alloc_entry e = { 1, 0, FB, 4096, 0 };
    static const u32 broken[] = { 4, 10, 0x10000, 0 };
    for (unsigned k = 0; k < LEN(broken); k++) {
        struct gpu g;
        start(&g);
        memcpy(ram(&g, TABLE), &h, sizeof(h));
        memcpy(ram(&g, TABLE + 24), &e, sizeof(e));
        struct agpu_descriptor d =
            STREAM_OF(&g, 5, 0, AGPU_CREATE_BUFFER, 40, 9, 1, 16, 0, 1, 0, 0, 0, AGPU_UPLOAD_RESOURCE, 36, 9, 0, 0, 0, 4, 0, 0x600dbeef,
                      AGPU_COPY_BUFFER, 48, 9, 9, 8, 0, 0, 0, 4, 0, AGPU_COPY_WRITEBACK_DST, 0, AGPU_NOP, broken[k], AGPU_COPY_BUFFER, 48,
                      9, 9, 12, 0, 0, 0, 4, 0, AGPU_COPY_WRITEBACK_DST, 0);
        d.alloc_table_gpa = TABLE;
        d.alloc_table_size_bytes = 56;
        submit(&g, d);
        ck_assert_uint_eq(CODE(&g), AGPU_E_CMD_DECODE);
        ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 5);
        ck_assert_uint_eq(DONE(&g), 5);
        ck_assert_uint_eq(ld32(ram(&g, FB + 8)), 0x600dbeef);
        ck_assert_uint_eq(ld32(ram(&g, FB + 12)), 0);
        st32(ram(&g, STREAM), 0x12345678); /* the stream's magic */
        d.signal_fence = 6;
        memset(ram(&g, FB), 0, 16);
        submit(&g, d);
        ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 6);
        ck_assert_uint_eq(DONE(&g), 6);
        ck_assert_uint_eq(ld32(ram(&g, FB + 8)), 0);
        gpu_down(&g);
    }
}
END_TEST

START_TEST(ag_090_091_092_093_094_what_is_paced)
{
    struct gpu g;
    start(&g);
    submit(&g, STREAM_OF(&g, 1, 0, VSYNC_PRESENT)); /* scanout off */
    ck_assert_uint_eq(DONE(&g), 1);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    submit(&g, STREAM_OF(&g, 2, 0, AGPU_PRESENT, 16, 0, 0));
    ck_assert_uint_eq(DONE(&g), 2);
    submit(&g, STREAM_OF(&g, 3, AGPU_SUBMIT_PRESENT, AGPU_NOP, 8));
    ck_assert_uint_eq(DONE(&g), 3);
    submit(&g, STREAM_OF(&g, 4, 0, VSYNC_PRESENT));
    ck_assert_uint_eq(DONE(&g), 3);
    pass(&g, PERIOD - 1);
    ck_assert_uint_eq(DONE(&g), 3);
    pass(&g, 1);
    ck_assert_uint_eq(DONE(&g), 4);
    submit(&g, STREAM_OF(&g, 5, 0, AGPU_NOP, 8, AGPU_PRESENT_EX, 24, 0, AGPU_PRESENT_VSYNC, 0, 0));
    ck_assert_uint_eq(DONE(&g), 4);
    pass(&g, PERIOD);
    ck_assert_uint_eq(DONE(&g), 5);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_095_096_097_order_of_paced_fences)
{
    struct gpu g;
    start(&g);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    for (u64 f = 1; f <= 3; f++) submit(&g, STREAM_OF(&g, f, 0, VSYNC_PRESENT));
    for (u64 f = 1; f <= 3; f++) {
        ck_assert_uint_eq(DONE(&g), f - 1);
        pass(&g, PERIOD);
        ck_assert_uint_eq(DONE(&g), f);
    }
    submit(&g, STREAM_OF(&g, 4, 0, VSYNC_PRESENT));
    submit(&g, empty(5, 0));
    submit(&g, STREAM_OF(&g, 6, 0, VSYNC_PRESENT));
    submit(&g, empty(7, 0));
    ck_assert_uint_eq(DONE(&g), 3);
    pass(&g, PERIOD);
    ck_assert_uint_eq(DONE(&g), 5);
    submit(&g, STREAM_OF(&g, 8, 0, VSYNC_PRESENT));
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    ck_assert_uint_eq(DONE(&g), 8);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_100_an_edge_that_is_due_paces_nothing_new)
{
    struct gpu g;
    start(&g);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    g.r.clock.now += PERIOD; /* the edge is due, its timer has not run yet */
    submit(&g, STREAM_OF(&g, 1, 0, VSYNC_PRESENT));
    ck_assert_uint_eq(R64(&g, AGPU_R_VBLANK_SEQ_LO), 1);
    ck_assert_uint_eq(DONE(&g), 0);
    pass(&g, PERIOD);
    ck_assert_uint_eq(DONE(&g), 1);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_101_103_105_ring_reset)
{
    struct gpu g;
    start(&g);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    W(&g, AGPU_R_CURSOR_X, 5);
    submit(&g, empty(9, 0));
    submit(&g, STREAM_OF(&g, 10, 0, VSYNC_PRESENT));
    struct agpu_descriptor lost = empty(11, 0);
    queue(&g, &lost);
    W(&g, AGPU_R_RING_CONTROL, 3);
    ck_assert_uint_eq(DONE(&g), 0);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 0);
    ck_assert_uint_eq(ring(&g)->head, ring(&g)->tail);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_ENABLE), AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_ENABLE), 1);
    ck_assert_uint_eq(R(&g, AGPU_R_CURSOR_X), 5);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_GPA_LO), RING);
    submit(&g, empty(12, 0));
    ck_assert_uint_eq(DONE(&g), 12);
    pass(&g, 2 * PERIOD);
    ck_assert_uint_eq(DONE(&g), 12); /* fence 10 was dropped */
    gpu_down(&g);
}
END_TEST

START_TEST(ag_102_reset_without_bus_mastering)
{
    struct gpu g;
    start(&g);
    submit(&g, empty(9, 0));
    ring(&g)->tail = 4;
    gpu_command(&g, PCI_CMD_MEM);
    W(&g, AGPU_R_RING_CONTROL, 3);
    ck_assert_uint_eq(DONE(&g), 0);
    ck_assert_uint_eq(ring(&g)->head, 1);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 9);
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER);
    ck_assert_uint_eq(ring(&g)->head, 4);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 0);
    gpu_down(&g);
}
END_TEST

START_TEST(more_waiting_than_the_queue_holds)
{
    struct gpu g;
    start(&g);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    struct agpu_descriptor d = STREAM_OF(&g, 0, 0, VSYNC_PRESENT);
    for (u64 f = 1; f <= 300; f++) {
        d.signal_fence = f;
        submit(&g, d);
    }
    ck_assert_uint_eq(DONE(&g), 0);
    ck_assert_uint_eq(CODE(&g), AGPU_E_BACKEND);
    ck_assert_uint_eq(ERRORS(&g), 300 - 256);
    pass(&g, 256 * PERIOD);
    ck_assert_uint_eq(DONE(&g), 300);
    gpu_down(&g);
}
END_TEST

START_TEST(a_ring_of_many_descriptors_is_taken_in_bites)
{
    struct gpu g;
    start(&g);
    const u32 entries = 16384;
    W(&g, AGPU_R_RING_GPA_LO, FB);
    W(&g, AGPU_R_RING_SIZE, 64 + entries * 64);
    struct agpu_ring_header h = *ring(&g);
    h.size_bytes = 64 + entries * 64;
    h.entry_count = h.tail = entries;
    memcpy(ram(&g, FB), &h, sizeof(h));
    for (u32 k = 0; k < entries; k++) {
        struct agpu_descriptor d = empty(k + 1, 0);
        memcpy(ram(&g, FB + 64 + k * 64), &d, sizeof(d));
    }
    ring_bell(&g);
    ck_assert_uint_gt(ld32(ram(&g, FB + 24)), 0);
    if (!g.threaded) ck_assert_uint_lt(ld32(ram(&g, FB + 24)), entries); /* else it goes on while we wait */
    pass(&g, 1000000000);
    ck_assert_uint_eq(ld32(ram(&g, FB + 24)), entries);
    ck_assert_uint_eq(DONE(&g), entries);
    gpu_down(&g);
}
END_TEST

/* --- the driver's scripts --- */

START_TEST(ag_214_start_sequence)
{
    struct gpu g;
    gpu_up(&g);
    ck_assert_uint_ne(bus_read(&g.r.mem, BAR1, 4), AGPU_MAGIC);
    W(&g, AGPU_R_IRQ_ENABLE, 0);
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    driver_start(&g, 0);
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    W(&g, AGPU_R_IRQ_ENABLE, 0x80000001);
    for (u32 at = AGPU_R_CURSOR_ENABLE; at <= AGPU_R_CURSOR_PITCH; at += 4) W(&g, at, 0);
    for (u32 at = AGPU_R_SCAN_ENABLE; at <= AGPU_R_SCAN_GPA_HI; at += 4) ck_assert_uint_eq(R(&g, at), 0);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    W(&g, AGPU_R_IRQ_ACK, 2);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_ENABLE), 0x80000001);
    ck_assert_uint_eq(ERRORS(&g), 0);
    ck_assert(!line(&g));
    gpu_down(&g);
}
END_TEST

/* The driver's power-down and its start with other ring indices. */
static void power_down(struct gpu *g)
{
    W(g, AGPU_R_SCAN_ENABLE, 0);
    W(g, AGPU_R_IRQ_ENABLE, 0);
    W(g, AGPU_R_IRQ_ACK, 0xffffffff);
    W(g, AGPU_R_RING_CONTROL, 0);
    W(g, AGPU_R_RING_GPA_LO, 0);
    W(g, AGPU_R_RING_GPA_HI, 0);
    W(g, AGPU_R_RING_SIZE, 0);
    W(g, AGPU_R_FENCE_GPA_LO, 0);
    W(g, AGPU_R_FENCE_GPA_HI, 0);
}

START_TEST(ag_216_suspend_and_resume)
{
    struct gpu g;
    start(&g);
    for (u64 f = 1; f <= 57; f++) submit(&g, empty(f, 0));
    power_down(&g);
    ck_assert(!line(&g));
    W(&g, AGPU_R_RING_GPA_LO, RING);
    W(&g, AGPU_R_RING_SIZE, 4096);
    W(&g, AGPU_R_FENCE_GPA_LO, FENCE);
    ring(&g)->head = ring(&g)->tail = 57;
    W(&g, AGPU_R_RING_CONTROL, 3);
    W(&g, AGPU_R_RING_CONTROL, 1);
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    submit(&g, empty(58, 0));
    ck_assert_uint_eq(DONE(&g), 58);
    ck_assert_uint_eq(ring(&g)->head, 58);
    ck_assert(line(&g));
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(a_driver_that_starts_anew_counts_from_1)
{
    struct gpu g;
    start(&g);
    submit(&g, empty(500, 0));
    power_down(&g);
    driver_start(&g, AGPU_IRQ_FENCE); /* no RESET */
    submit(&g, empty(1, 0));
    ck_assert_uint_eq(DONE(&g), 1);
    ck_assert(line(&g));
    gpu_down(&g);
}
END_TEST

START_TEST(ag_217_timeout_recovery)
{
    struct gpu g;
    start(&g);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    submit(&g, STREAM_OF(&g, 40, 0, VSYNC_PRESENT)); /* stuck as far as the driver knows */
    W(&g, AGPU_R_IRQ_ENABLE, 0);
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    ring(&g)->head = ring(&g)->tail;
    W(&g, AGPU_R_RING_CONTROL, 3);
    W(&g, AGPU_R_RING_GPA_LO, RING);
    W(&g, AGPU_R_RING_SIZE, 4096);
    fence_page(&g)->completed_fence = 39;
    W(&g, AGPU_R_FENCE_GPA_LO, FENCE);
    W(&g, AGPU_R_RING_CONTROL, 1);
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    submit(&g, empty(41, 0));
    ck_assert_uint_eq(DONE(&g), 41);
    ck_assert_uint_eq(fence_page(&g)->completed_fence, 41);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_219_releasing_a_shared_surface)
{
    struct gpu g;
    start(&g);
    submit(&g, empty(6, 0));
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    struct agpu_descriptor d = STREAM_OF(&g, 6, AGPU_SUBMIT_NO_IRQ, AGPU_RELEASE_SHARED_SURFACE, 24, 1, 0, 0, 0);
    d.context_id = 0;
    ck_assert_uint_eq(d.cmd_size_bytes, 48);
    submit(&g, d);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    ck_assert_uint_eq(ERRORS(&g), 0);
    ck_assert_uint_eq(DONE(&g), 6);
    gpu_down(&g);
}
END_TEST

Suite *aerogpu_ring_suite(void);
Suite *aerogpu_ring_suite(void)
{
    Suite *s = suite_create("aerogpu_ring");
    TCase *c = tcase_create("ring");
    const TTest *tests[] = {
        ag_048_doorbell_while_disabled_is_forgotten, ag_049_doorbell_without_decode_is_lost, ag_050_no_ring,
        ag_051_052_053_054_055_056_ring_header, ag_057_061_addresses_at_the_end_of_the_world, ag_058_tail_too_far_ahead,
        ag_059_060_indices_wrap, ag_062_063_064_065_066_067_descriptors, ag_068_069_doorbell_waits_for_bus_mastering,
        ag_070_071_072_073_074_075_076_allocation_tables, ag_079_080_081_082_fence_page, ag_083_084_089_fences_only_grow,
        ag_089_without_an_executor_the_doorbell_completes, ag_144_146_what_stands_before_a_broken_packet_counts,
        ag_090_091_092_093_094_what_is_paced, ag_095_096_097_order_of_paced_fences,
        ag_100_an_edge_that_is_due_paces_nothing_new, ag_101_103_105_ring_reset, ag_102_reset_without_bus_mastering,
        more_waiting_than_the_queue_holds, a_ring_of_many_descriptors_is_taken_in_bites, ag_214_start_sequence,
        ag_216_suspend_and_resume, a_driver_that_starts_anew_counts_from_1, ag_217_timeout_recovery,
        ag_219_releasing_a_shared_surface,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}

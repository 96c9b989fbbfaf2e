/* AeroGPU's PCI function, registers, interrupts and errors: statements 001 to 047 of its contract. */
#include "tests/unit/aerogpu_rig.h"

START_TEST(ag_001_002_003_004_005_006_identity)
{
    struct gpu g;
    gpu_up(&g);
    ck_assert_uint_eq(pci_config_read(g.pci, 0, 4), 0x0001a3a0);
    ck_assert_uint_eq(pci_config_read(g.pci, 0x2c, 4), 0x0001a3a0);
    ck_assert_uint_eq(pci_config_read(g.pci, 8, 4), 0x03000000);
    ck_assert_uint_eq(pci_config_read(g.pci, 0x0e, 1), 0);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_STATUS, 2) & 0x10, 0);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_CAP, 1), 0);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_IRQ_PIN, 1), 1);
    ck_assert_ptr_eq(g.r.pci->slot[0x38], g.pci);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_007_008_bar_sizes)
{
    struct gpu g;
    gpu_up(&g);
    pci_config_write(g.pci, PCI_BAR0, 0xffffffff, 4);
    pci_config_write(g.pci, PCI_BAR0 + 4, 0xffffffff, 4);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_BAR0, 4), 0xffff0000);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_BAR0 + 4, 4), 0xfc000008);
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_BAR0 + 8, 4), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_009_010_no_memory_decode)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_WIDTH, 7);
    gpu_command(&g, PCI_CMD_MASTER);
    ck_assert_uint_eq(R(&g, AGPU_R_MAGIC), 0xffffffff);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR1, 4), 0xffffffff);
    W(&g, AGPU_R_SCAN_WIDTH, 9);
    gpu_command(&g, PCI_CMD_MEM);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_WIDTH), 7);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_011_moving_bar0)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_SCAN_HEIGHT, 33);
    pci_config_write(g.pci, PCI_BAR0, 0xe1000000, 4);
    ck_assert_uint_eq(bus_read(&g.r.mem, 0xe1000000 + AGPU_R_SCAN_HEIGHT, 4), 33);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_HEIGHT), 0xffffffff);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_012_013_028_029_interrupt_line)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE);
    submit(&g, empty(1, 0));
    ck_assert(line(&g));
    for (int k = 0; k < 3; k++) ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    ck_assert(line(&g));
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER | PCI_CMD_INTX_OFF);
    ck_assert(!line(&g));
    ck_assert_uint_eq(pci_config_read(g.pci, PCI_STATUS, 2) & 8, 8);
    gpu_command(&g, PCI_CMD_MEM | PCI_CMD_MASTER);
    ck_assert(line(&g));
    W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE);
    ck_assert(!line(&g));
    gpu_down(&g);
}
END_TEST

START_TEST(ag_014_015_018_identification_registers)
{
    struct gpu g;
    gpu_up(&g);
    for (u32 at = 0; at < 16; at += 4) W(&g, at, 0x12345678);
    ck_assert_uint_eq(R(&g, AGPU_R_MAGIC), 0x55504741);
    ck_assert_uint_eq(R(&g, AGPU_R_ABI_VERSION), 0x00010004);
    ck_assert_uint_eq(R(&g, AGPU_R_FEATURES_LO), 0x3f);
    ck_assert_uint_eq(R(&g, AGPU_R_FEATURES_HI), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_017_without_vblank)
{
    struct gpu g;
    gpu_up_with(&g, "vblank", "off");
    ck_assert_uint_eq(R(&g, AGPU_R_FEATURES_LO) & AGPU_F_VBLANK, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_VBLANK_PERIOD), 0);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    pass(&g, 10 * PERIOD);
    ck_assert_uint_eq(R64(&g, AGPU_R_VBLANK_SEQ_LO), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_019_020_holes_read_zero)
{
    static const u32 holes[] = { 0x010, 0x0fc, 0x110, 0x128, 0x138, 0x1fc, 0x204, 0x30c, 0x320, 0x41c, 0x434, 0x52c, 0xfffc };
    struct gpu g;
    gpu_up(&g);
    for (unsigned k = 0; k < LEN(holes); k++) {
        W(&g, holes[k], 0xffffffff);
        ck_assert_msg(R(&g, holes[k]) == 0, "register %x", holes[k]);
    }
    for (u32 at = 0; at < AGPU_BAR0_SIZE; at += 4) { /* and all the others without a name */
        if (strcmp(agpu_register_name(at), "-") != 0) continue;
        W(&g, at, 0xffffffff);
        ck_assert_msg(R(&g, at) == 0, "register %x", at);
    }
    ck_assert_uint_eq(R(&g, AGPU_R_DOORBELL), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_ACK), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_ENABLE), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_021_022_023_narrow_and_wide_accesses)
{
    struct gpu g;
    gpu_up(&g);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR0 + 1, 1), 0x47);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR0 + 2, 4), 0x00045550);
    bus_write(&g.r.mem, BAR0 + AGPU_R_SCAN_WIDTH, 0x5678, 2);
    bus_write(&g.r.mem, BAR0 + AGPU_R_SCAN_WIDTH + 2, 0x1234, 2);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_WIDTH), 0x12345678);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR0 + AGPU_R_FEATURES_LO, 8), 0x3f);
    bus_write(&g.r.mem, BAR0 + AGPU_R_RING_GPA_LO, 0x1122334455667780, 8);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR0 + AGPU_R_RING_GPA_LO, 8), 0x1122334455667780);
    ck_assert_uint_eq(bus_read(&g.r.mem, BAR0 + AGPU_R_RING_GPA_LO + 3, 2), 0x4455);
    bus_write(&g.r.mem, BAR0 + AGPU_R_SCAN_GPA_LO, 0x0000000355aa0000, 8);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_GPA_HI), 3);
    ck_assert_uint_eq(R(&g, AGPU_R_SCAN_GPA_LO), 0x55aa0000);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_024_025_ring_registers)
{
    struct gpu g;
    gpu_up(&g);
    W(&g, AGPU_R_RING_GPA_HI, 0x11);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_GPA_HI), 0x11);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_GPA_LO), 0);
    W(&g, AGPU_R_RING_GPA_LO, 0x22222220);
    W(&g, AGPU_R_RING_SIZE, 0x5000);
    W(&g, AGPU_R_FENCE_GPA_LO, 0x3000);
    W(&g, AGPU_R_FENCE_GPA_HI, 0x4);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_GPA_LO), 0x22222220);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_SIZE), 0x5000);
    ck_assert_uint_eq(R64(&g, AGPU_R_FENCE_GPA_LO), 0x400003000);
    W(&g, AGPU_R_RING_GPA_LO, 0);
    W(&g, AGPU_R_RING_GPA_HI, 0);
    W(&g, AGPU_R_RING_CONTROL, 3);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_CONTROL), 1);
    W(&g, AGPU_R_RING_CONTROL, 0xfffffffc);
    ck_assert_uint_eq(R(&g, AGPU_R_RING_CONTROL), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_026_039_reset_values)
{
    static const u32 constant[] = { 0x000, 0x004, 0x008, 0x430 };
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0xffffffff);
    scanout(&g, 640, 480, 1, 2560);
    for (u32 at = AGPU_R_CURSOR_ENABLE; at <= AGPU_R_CURSOR_PITCH; at += 4) W(&g, at, 0x7f);
    pass(&g, 3 * PERIOD);
    submit(&g, STREAM_OF(&g, 0x700000009, 0, AGPU_NOP, 4));
    static const u32 changed[] = { AGPU_R_RING_GPA_LO, AGPU_R_RING_SIZE, AGPU_R_RING_CONTROL, AGPU_R_FENCE_GPA_LO, AGPU_R_COMPLETED_LO,
                                   AGPU_R_COMPLETED_HI, AGPU_R_IRQ_STATUS, AGPU_R_IRQ_ENABLE, AGPU_R_ERROR_CODE, AGPU_R_ERROR_FENCE_LO,
                                   AGPU_R_ERROR_FENCE_HI, AGPU_R_ERROR_COUNT, AGPU_R_SCAN_ENABLE, AGPU_R_SCAN_GPA_LO,
                                   AGPU_R_VBLANK_SEQ_LO, AGPU_R_VBLANK_TIME_LO, AGPU_R_CURSOR_GPA_LO };
    for (unsigned k = 0; k < LEN(changed); k++) ck_assert_msg(R(&g, changed[k]) != 0, "register %x", changed[k]);
    g.pci->dev.cls->reset(&g.pci->dev, RESET_WARM);
    pci_config_write(g.pci, PCI_BAR0, BAR0, 4);
    gpu_command(&g, PCI_CMD_MEM);
    for (u32 at = 0; at < 0x600; at += 4) {
        bool skip = false;
        for (unsigned k = 0; k < LEN(constant); k++) skip |= at == constant[k];
        if (!skip) ck_assert_msg(R(&g, at) == 0, "register %x reads %x", at, R(&g, at));
    }
    gpu_down(&g);
}
END_TEST

START_TEST(ag_027_036_masked_and_silent_completions)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    submit(&g, empty(1, 0));
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 1);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    submit(&g, empty(2, AGPU_SUBMIT_NO_IRQ));
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 2);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    ck_assert(!line(&g));
    gpu_down(&g);
}
END_TEST

static void provoke_error(struct gpu *g)
{
    ring(g)->magic = 0;
    ring_bell(g);
    ring(g)->magic = AGPU_RING_MAGIC;
}

START_TEST(ag_030_031_acknowledging)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    submit(&g, empty(1, 0));
    provoke_error(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    bus_write(&g.r.mem, BAR0 + AGPU_R_IRQ_ACK + 3, 0x80, 1);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_VBLANK);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_032_033_034_035_masking)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    submit(&g, empty(1, 0));
    provoke_error(&g);
    pass(&g, PERIOD);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK | AGPU_IRQ_ERROR);
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_VBLANK | AGPU_IRQ_ERROR);
    W(&g, AGPU_R_IRQ_ENABLE, 0);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_ERROR);
    ck_assert(!line(&g));
    W(&g, AGPU_R_IRQ_ENABLE, AGPU_IRQ_ERROR);
    ck_assert(line(&g));
    gpu_down(&g);
}
END_TEST

START_TEST(ag_037_085_one_of_several_wants_the_interrupt)
{
    struct gpu g;
    struct agpu_descriptor silent = empty(1, AGPU_SUBMIT_NO_IRQ), loud = empty(2, 0);
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE);
    queue(&g, &silent);
    queue(&g, &loud);
    ring_bell(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE);
    silent.signal_fence = loud.signal_fence = 3; /* the same fence twice */
    queue(&g, &silent);
    queue(&g, &loud);
    ring_bell(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 3);
    ck_assert_uint_eq(g.r.edges[WIRE], 2);
    gpu_down(&g);
}
END_TEST

/* The wire's callback looks at the fence page at the very moment that the line rises. */
static u64 fence_when_raised;
static void look(void *opaque, int pin, bool level)
{
    struct gpu *g = opaque;
    if (level) fence_when_raised = fence_page(g)->completed_fence;
    rig_level(&g->r, pin, level);
}

START_TEST(ag_038_fence_page_before_interrupt)
{
    struct gpu g;
    gpu_up(&g);
    device_connect(&g.r.pci->dev, "pirq", 3, irq_make(look, &g, WIRE));
    driver_start(&g, AGPU_IRQ_FENCE);
    fence_when_raised = 0;
    submit(&g, empty(77, 0));
    ck_assert(line(&g));
    ck_assert_uint_eq(fence_when_raised, 77);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_040_042_043_error_registers)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    provoke_error(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_CMD_DECODE);
    ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 1);
    ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_ERROR);
    W(&g, AGPU_R_IRQ_ACK, 0xffffffff);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_CMD_DECODE);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 1);
    struct agpu_descriptor d = STREAM_OF(&g, 0x100000005, 0, AGPU_NOP, 8);
    d.cmd_size_bytes = 28; /* the stream says 32 */
    submit(&g, d);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_OOB);
    ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 0x100000005);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 2);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_041_045_047_stream_errors_complete_their_fence)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE);
    submit(&g, STREAM_OF(&g, 9, 0, AGPU_NOP, 4)); /* packet of 4 bytes */
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_CMD_DECODE);
    ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 9);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 9);
    ck_assert(R(&g, AGPU_R_IRQ_STATUS) & AGPU_IRQ_FENCE);
    submit(&g, STREAM_OF(&g, 10, 0, 0x7777, 12, 0xdead, AGPU_NOP, 8)); /* unknown opcode */
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 1);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 10);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_044_error_count_saturates)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    const struct device_field *f = aerogpu_class.fields;
    while (strcmp(f->name, "error_count")) f++;
    st32((u8 *)g.pci + f->offset, 0xfffffffe);
    for (int k = 0; k < 3; k++) provoke_error(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0xffffffff);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_046_reset_clears_errors)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    submit(&g, STREAM_OF(&g, 9, 0, AGPU_NOP, 4));
    W(&g, AGPU_R_RING_CONTROL, 3);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), 0);
    ck_assert_uint_eq(R64(&g, AGPU_R_ERROR_FENCE_LO), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    gpu_down(&g);
}
END_TEST

/* What people see of it: every part of `info` is there and says what is. */
START_TEST(info_tells_the_state)
{
    struct gpu g;
    struct text t;
    text_init(&t);
    gpu_up(&g);
    aerogpu_class.info(&g.pci->dev, &t);
    ck_assert_ptr_nonnull(strstr(t.s, "features 3f: FENCE_PAGE CURSOR SCANOUT VBLANK TRANSFER ERROR_INFO"));
    ck_assert_ptr_nonnull(strstr(t.s, "not claimed"));
    driver_start(&g, AGPU_IRQ_FENCE);
    scanout(&g, 64, 32, AGPU_FMT_B5G6R5, 128);
    W(&g, AGPU_R_CURSOR_X, 0xfffffffb);
    submit(&g, STREAM_OF(&g, 8, 0, AGPU_CREATE_BUFFER, 40, 10, 1, 4096, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 0, 0, 0, 0, 0, 0, 0, AGPU_DRAW, 24, 3,
                         1, 0, 0));
    submit(&g, STREAM_OF(&g, 9, 0, AGPU_NOP, 4));
    for (u64 f = 10; f < 20; f++) submit(&g, STREAM_OF(&g, f, AGPU_SUBMIT_NO_IRQ, AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC));
    text_clear(&t);
    aerogpu_class.info(&g.pci->dev, &t);
    static const char *const parts[] = {
        "ring: on at 10000, window 4096 bytes; in memory: ARNG, 8 entries of 64 bytes, head 12 tail 12\n",
        "submissions: 12,",
        "fences: completed 9, page at 20000 says 9; 10 waiting: 10 for a vertical blank silent, 11 for",
        "17 for a vertical blank silent, ...\n",
        "interrupts: status 80000001 (FENCE ERROR), enabled 1 (FENCE), line asserted\n",
        "scanout 0: on 64x32 B5G6R5 (5) pitch 128 at 100000; displayable, claimed by the driver\n",
        "the next in 16666 us\n",
        "position -5,0",
        "error registers: code 1 fence 9 count 1; since power-on: 1\n",
        "CMD_DECODE fence 9: packet size\n",
        "objects: 1 buffers, 0 textures,",
        "memory: 4 of ",
        "draws: 1, clears: 1, presents: 10; draws skipped: 1\n  1: no usable vertex shader\n",
    };
    for (unsigned k = 0; k < LEN(parts); k++) ck_assert_msg(strstr(t.s, parts[k]), "%s is not in\n%s", parts[k], t.s);
    text_free(&t);
    gpu_down(&g);
}
END_TEST

Suite *aerogpu_suite(void);
Suite *aerogpu_suite(void)
{
    Suite *s = suite_create("aerogpu");
    TCase *c = tcase_create("registers");
    const TTest *tests[] = {
        ag_001_002_003_004_005_006_identity, ag_007_008_bar_sizes, ag_009_010_no_memory_decode, ag_011_moving_bar0,
        ag_012_013_028_029_interrupt_line, ag_014_015_018_identification_registers, ag_017_without_vblank,
        ag_019_020_holes_read_zero, ag_021_022_023_narrow_and_wide_accesses, ag_024_025_ring_registers, ag_026_039_reset_values,
        ag_027_036_masked_and_silent_completions, ag_030_031_acknowledging, ag_032_033_034_035_masking,
        ag_037_085_one_of_several_wants_the_interrupt, ag_038_fence_page_before_interrupt, ag_040_042_043_error_registers,
        ag_041_045_047_stream_errors_complete_their_fence, ag_044_error_count_saturates, ag_046_reset_clears_errors,
        info_tells_the_state,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}

/* With --clock insn AeroGPU's every event comes at the same instant in every run, whatever executes: two runs of a machine whose driver
 * is played at fixed instruction counts give the same trace, byte by byte, and the same pixels. */
#include "gpu/aerogpu_abi.h"
#include "machine/core/trace.h"
#include "tests/unit/machine_rig.h"

enum { RING = 0x100000, FENCE = 0x110000, TABLE = 0x120000, STREAM = 0x130000, FB = 0x200000, STEP = 40000, STEPS = 1000 };
enum { WIDTH = 64, HEIGHT = 64, FB_BYTES = WIDTH * HEIGHT * 4 };

static struct rig r;
static u64 state, fence, next_step;
static u32 steps, bar0;

/* inc ax; jmp: two instructions for ever */
static const u8 loop[] = { 0xfa, 0x40, 0xeb, 0xfd };

static u32 pick(u32 n)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(state >> 33) % n;
}

static void reg(u32 offset, u32 v)
{
    bus_write(&r.m->mem, bar0 + offset, v, 4);
}

static u32 read_reg(u32 offset)
{
    return (u32)bus_read(&r.m->mem, bar0 + offset, 4);
}

static void put(u32 at, const void *p, u64 n)
{
    dma_write(&r.m->mem, at, p, n);
}

static void driver_start(void)
{
    const struct agpu_ring_header h = { AGPU_RING_MAGIC, AGPU_ABI_VERSION, 64 + 256 * 64, 256, 64, 0, 0, 0, { 0 } };
    put(RING, &h, sizeof(h));
    rig_pci_write(r.m, 7, 0, 0x10, 0xe0000000);
    rig_pci_write(r.m, 7, 0, 0x14, 0xd0000000);
    rig_pci_write(r.m, 7, 0, 0x04, 7);
    bar0 = 0xe0000000;
    ck_assert_uint_eq(read_reg(AGPU_R_MAGIC), AGPU_MAGIC);
    reg(AGPU_R_RING_GPA_LO, RING);
    reg(AGPU_R_RING_SIZE, 64 + 256 * 64);
    reg(AGPU_R_FENCE_GPA_LO, FENCE);
    reg(AGPU_R_RING_CONTROL, 1);
    reg(AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
    reg(AGPU_R_SCAN_WIDTH, WIDTH);
    reg(AGPU_R_SCAN_HEIGHT, HEIGHT);
    reg(AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
    reg(AGPU_R_SCAN_PITCH, WIDTH * 4);
    reg(AGPU_R_SCAN_GPA_LO, FB);
    reg(AGPU_R_SCAN_GPA_HI, 0);
    reg(AGPU_R_SCAN_ENABLE, 1);
}

#define HALF 0x3f000000u

/* Clears the picture, which is the guest's memory, to a shade; a present, paced or not. */
static void submit(bool paced)
{
    const u32 shade = 0x3f000000 + pick(128) * 0x10000;
    const u32 words[] = {
        AGPU_CREATE_TEXTURE2D, 56, 1, 8, AGPU_FMT_B8G8R8X8, WIDTH, HEIGHT, 1, 1, WIDTH * 4, 1, 0, 0, 0,
        AGPU_SET_RENDER_TARGETS, 48, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        AGPU_CLEAR, 36, 1, shade, HALF, shade, HALF, 0, 0,
        AGPU_PRESENT, 16, 0, paced ? AGPU_PRESENT_VSYNC : 0,
    };
    const struct agpu_alloc_header a = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 32, 1, 32, 0 };
    const struct agpu_alloc_entry e = { 1, 0, FB, FB_BYTES, 0 };
    const struct agpu_stream_header h = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 24 + sizeof(words), 0, { 0 } };
    struct agpu_descriptor d = { .desc_size_bytes = 64, .context_id = 1, .cmd_gpa = STREAM, .cmd_size_bytes = h.size_bytes,
                                 .alloc_table_gpa = TABLE, .alloc_table_size_bytes = a.size_bytes, .signal_fence = ++fence };
    u32 tail = (u32)bus_read(&r.m->mem, RING + 28, 4);
    put(TABLE, &a, sizeof(a));
    put(TABLE + 24, &e, sizeof(e));
    put(STREAM, &h, sizeof(h));
    put(STREAM + 24, words, sizeof(words));
    put(RING + 64 + (tail & 255) * 64, &d, sizeof(d));
    bus_write(&r.m->mem, RING + 28, tail + 1, 4);
    reg(AGPU_R_DOORBELL, 1);
}

static void step(struct machine *m)
{
    static const u32 masks[] = { 0, AGPU_IRQ_FENCE, AGPU_IRQ_VBLANK, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK };
    if (cpu_icount(m->cpu) < next_step) { /* polled because host time went by */
        m->wake_insns = next_step;
        return;
    }
    next_step += STEP;
    m->wake_insns = next_step;
    if (++steps == STEPS) machine_quit(m, 0);
    switch (pick(8)) {
    case 0: reg(AGPU_R_IRQ_ENABLE, masks[pick(4)]); break;
    case 1:
    case 2: reg(AGPU_R_IRQ_ACK, read_reg(AGPU_R_IRQ_STATUS)); break;
    case 3: submit(pick(10) == 0); break;
    case 4:
        submit(false);
        submit(false);
        break;
    case 5: reg(AGPU_R_SCAN_GPA_HI, 0); break;
    default: break;
    }
}

/* One run: its trace as text, the machine's hash in it. Freed by the caller. */
static char *run(const char *thread, u64 seed)
{
    char *text = NULL, set[64];
    size_t size;
    FILE *f = open_memstream(&text, &size);
    snprintf(set, sizeof(set), "aerogpu.thread=%s", thread);
    rig_open(&r, loop, sizeof(loop), "clock", "insn", "profile", "aerogpu", "set", set, NULL);
    state = seed;
    fence = steps = 0;
    driver_start();
    ck_assert_int_eq(trace_configure("aerogpu_*"), 0);
    trace_set_output(f);
    r.m->poll = step;
    next_step = r.m->wake_insns = STEP;
    machine_run(r.m);
    trace_set_output(NULL);
    trace_configure("-aerogpu_*");
    u64 sum = 0;
    for (u32 n = 0; n < FB_BYTES; n += 4) sum = sum * 31 + ld32(r.m->ram + FB + n);
    fprintf(f, "hash %llx pixels %llx fence %llu\n", (unsigned long long)r.m->trace_hash, (unsigned long long)sum,
            (unsigned long long)(read_reg(AGPU_R_COMPLETED_LO)));
    ck_assert_uint_eq(read_reg(AGPU_R_ERROR_COUNT), 0);
    ck_assert_uint_gt(read_reg(AGPU_R_VBLANK_SEQ_LO), 5);
    rig_close(&r);
    fclose(f);
    return text;
}

static unsigned lines_of(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++) n++;
    return n;
}

START_TEST(the_same_run_twice)
{
    char *a = run("on", 1), *b = run("on", 1), *c = run("off", 1), *d = run("on", 2);
    ck_assert_uint_gt(lines_of(a, "aerogpu_fence"), 50);
    ck_assert_uint_gt(lines_of(a, "aerogpu_vblank"), 5);
    ck_assert_uint_gt(lines_of(a, "interrupt=1"), 20);
    ck_assert(!strcmp(a, b));
    ck_assert(!strcmp(a, c));
    ck_assert(strcmp(a, d)); /* it can tell */
    free(a);
    free(b);
    free(c);
    free(d);
}
END_TEST

static void setup(void)
{
}

static void teardown(void)
{
}

RIG_SUITE(aerogpu_clock, the_same_run_twice)

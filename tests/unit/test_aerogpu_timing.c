/* AeroGPU's timing: at 60 Hz of virtual time one paced fence completes per vertical blank and none in between; interrupts come only when
 * they are enabled; fences and interrupts keep their order under load. The load is random (seeded); what must come of it is computed by
 * a model of the contract's rules that knows nothing of the device's queue. */
#include "tests/unit/aerogpu_rig.h"

#define DONE(g) R64(g, AGPU_R_COMPLETED_LO)
#define VSYNC_PRESENT AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC

/* --- one per vertical blank --- */

/* With room for many waiting submissions. */
static void big_ring(struct gpu *g)
{
    ring(g)->entry_count = 256;
    ring(g)->size_bytes = 64 + 256 * 64;
    W(g, AGPU_R_RING_SIZE, 0x5000);
}

START_TEST(ag_090_095_one_paced_fence_per_vblank)
{
    struct gpu g;
    enum { FRAMES = 200 };
    u64 seen = 0, times[FRAMES + 1] = { 0 };
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE);
    big_ring(&g);
    pass(&g, 12345);
    u64 on = g.r.clock.now;
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    struct agpu_descriptor d = STREAM_OF(&g, 0, 0, VSYNC_PRESENT);
    for (u64 f = 1; f <= FRAMES; f++) {
        d.signal_fence = f;
        queue(&g, &d);
    }
    ring_bell(&g);
    for (u64 step = 0; seen < FRAMES && step < 5000; step++) {
        u64 done = DONE(&g);
        ck_assert_uint_le(done - seen, 1);
        if (done > seen) times[done] = g.r.clock.now;
        seen = done;
        pass(&g, 1000003); /* about 16 looks per frame, never on an edge */
    }
    ck_assert_uint_eq(seen, FRAMES);
    for (u64 f = 1; f <= FRAMES; f++) {
        u64 edge = on + f * PERIOD;
        ck_assert_uint_ge(times[f], edge);
        ck_assert_uint_lt(times[f], edge + 1000003);
    }
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    gpu_down(&g);
}
END_TEST

/* --- under load, against a model --- */

struct waiting {
    u64 value;
    bool irq, paced;
};

struct model {
    u64 completed, next_edge, seq;
    u32 status, enable;
    bool scan;
    struct waiting queue[256];
    u32 count;
    u32 released, most_at_once; /* paced fences by the edge that is going on */
};

static void model_release(struct model *m, u32 paced)
{
    bool irq = false;
    u32 gone = 0;
    for (; gone < m->count; gone++) {
        const struct waiting *w = &m->queue[gone];
        if (w->paced && !paced) break;
        if (w->paced) {
            paced--;
            m->released++;
        }
        if (w->value > m->completed) {
            m->completed = w->value;
            irq |= w->irq;
        }
    }
    memmove(m->queue, m->queue + gone, (m->count - gone) * sizeof(m->queue[0]));
    m->count -= gone;
    if (irq && m->enable & AGPU_IRQ_FENCE) m->status |= AGPU_IRQ_FENCE;
}

static void model_time(struct model *m, u64 now)
{
    for (; m->scan && m->next_edge <= now; m->next_edge += PERIOD) {
        m->seq++;
        m->released = 0;
        if (m->enable & AGPU_IRQ_VBLANK) m->status |= AGPU_IRQ_VBLANK;
        model_release(m, 1);
        m->most_at_once = MAX(m->most_at_once, m->released);
    }
}

static void model_submit(struct model *m, u64 value, bool irq, bool vsync)
{
    bool paced = vsync && m->scan;
    struct waiting *last = m->count ? &m->queue[m->count - 1] : NULL;
    if (!value) return; /* no fence: nothing to pace, nothing to tell */
    if (last && last->value == value) {
        last->irq |= irq;
        last->paced |= paced;
    } else {
        m->queue[m->count++] = (struct waiting){ value, irq, paced };
    }
}

static void model_enable(struct model *m, u32 enable)
{
    m->enable = enable;
    m->status &= enable | ~(AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
}

static void model_scan(struct model *m, bool on, u64 now)
{
    if (m->scan == on) return;
    m->scan = on;
    m->next_edge = now + PERIOD;
    if (on) return;
    m->status &= ~AGPU_IRQ_VBLANK;
    model_release(m, 256);
}

static u64 random_state;
static u32 pick(u32 n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(random_state >> 33) % n;
}

/* The wire: when it rises, memory and registers already say why. */
static struct {
    struct gpu *g;
    u64 page;
    u32 rises;
} watch;

static void look(void *opaque, int pin, bool level)
{
    struct gpu *g = opaque;
    if (level && !g->r.level[pin]) {
        ck_assert_uint_ge(fence_page(g)->completed_fence, watch.page);
        watch.page = fence_page(g)->completed_fence;
        watch.rises++;
    }
    rig_level(&g->r, pin, level);
}

static void compare(struct gpu *g, const struct model *m, u32 step)
{
    ck_assert_msg(DONE(g) == m->completed, "step %u: completed %llu, expected %llu", step, (unsigned long long)DONE(g),
                  (unsigned long long)m->completed);
    ck_assert_msg(R(g, AGPU_R_IRQ_STATUS) == m->status, "step %u: status %x, expected %x", step, R(g, AGPU_R_IRQ_STATUS), m->status);
    ck_assert_msg(line(g) == ((m->status & m->enable) != 0), "step %u: line", step);
    ck_assert_msg(R64(g, AGPU_R_VBLANK_SEQ_LO) == m->seq, "step %u: seq", step);
    ck_assert_msg(fence_page(g)->completed_fence == m->completed, "step %u: page", step);
}

static void submit_some(struct gpu *g, struct model *m, u64 *fence)
{
    u32 n = 1 + pick(4);
    for (u32 k = 0; k < n && m->count < 250; k++) {
        u32 kind = pick(8);
        u64 value = kind == 0 ? 0 : kind == 1 ? *fence : ++*fence;
        u32 flags = pick(3) ? 0 : AGPU_SUBMIT_NO_IRQ;
        bool vsync = pick(3) == 0;
        if (g->stream_at > STREAM + 0x30000) g->stream_at = STREAM;
        struct agpu_descriptor d = vsync     ? STREAM_OF(g, value, flags, AGPU_NOP, 8, VSYNC_PRESENT)
                                   : pick(2) ? STREAM_OF(g, value, flags, AGPU_PRESENT, 16, 0, 0)
                                             : empty(value, flags);
        queue(g, &d);
        model_submit(m, value, !(flags & AGPU_SUBMIT_NO_IRQ), vsync);
    }
    ring_bell(g);
    model_release(m, 0);
}

static void one_step(struct gpu *g, struct model *m, u64 *fence)
{
    static const u32 masks[] = { 0, AGPU_IRQ_FENCE, AGPU_IRQ_VBLANK, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK,
                                 AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK | AGPU_IRQ_ERROR };
    u32 what = pick(20), v;
    switch (what) {
    case 0:
        v = masks[pick(LEN(masks))];
        W(g, AGPU_R_IRQ_ENABLE, v);
        model_enable(m, v);
        break;
    case 1:
    case 2:
        v = pick(4);
        W(g, AGPU_R_IRQ_ACK, v);
        m->status &= ~v;
        break;
    case 3:
        if (pick(4)) break;
        v = pick(4) != 0;
        W(g, AGPU_R_SCAN_ENABLE, v);
        model_scan(m, v, g->r.clock.now);
        break;
    case 4: /* time goes on and the timers are late: the next access finds edges due */
        g->r.clock.now += pick(5 * PERIOD);
        model_time(m, g->r.clock.now);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        pass(g, pick(PERIOD));
        model_time(m, g->r.clock.now);
        break;
    default: submit_some(g, m, fence); break;
    }
}

static void under_load(u64 seed, const char *exec)
{
    struct gpu g;
    struct model m = { 0 };
    u64 fence = 0;
    random_state = seed;
    watch.page = watch.rises = 0;
    gpu_up_with(&g, "exec", exec);
    device_connect(&g.r.pci->dev, "pirq", 3, irq_make(look, &g, WIRE));
    driver_start(&g, 0);
    big_ring(&g);
    W(&g, AGPU_R_SCAN_ENABLE, 1);
    model_scan(&m, true, g.r.clock.now);
    for (u32 step = 0; step < 3000; step++) {
        if (m.count > 200) {
            pass(&g, 100 * PERIOD);
            model_time(&m, g.r.clock.now);
        }
        one_step(&g, &m, &fence);
        compare(&g, &m, step);
    }
    ck_assert_uint_eq(m.most_at_once, 1);
    ck_assert_uint_gt(fence, 2000);
    ck_assert_uint_gt(watch.rises, 50);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    gpu_down(&g);
}

START_TEST(ag_027_037_083_084_096_097_order_under_load)
{
    for (u64 seed = 1; seed <= 6; seed++) under_load(seed, seed & 1 ? "soft" : "none");
}
END_TEST

/* Nothing is enabled: whatever happens, the line stays low and no status is latched. */
START_TEST(ag_127_no_interrupt_that_was_not_enabled)
{
    struct gpu g;
    gpu_up(&g);
    driver_start(&g, 0);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    for (u64 f = 1; f <= 500; f++) {
        g.stream_at = STREAM;
        submit(&g, f % 3 ? empty(f, 0) : STREAM_OF(&g, f, 0, VSYNC_PRESENT));
        pass(&g, f % 5 ? 3000000 : PERIOD);
        ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), 0);
    }
    pass(&g, 500 * PERIOD);
    ck_assert_uint_eq(DONE(&g), 500);
    ck_assert_uint_eq(g.r.edges[WIRE], 0);
    gpu_down(&g);
}
END_TEST

/* A driver that acknowledges every interrupt at once gets one per completion and one per edge, in their order. */
START_TEST(ag_028_130_an_interrupt_for_each_event)
{
    struct gpu g;
    u32 edges = 0;
    gpu_up(&g);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
    scanout(&g, 4, 4, AGPU_FMT_B8G8R8X8, 16);
    for (u64 f = 1; f <= 300; f++) {
        g.stream_at = STREAM;
        submit(&g, empty(2 * f - 1, 0));
        ck_assert_uint_eq(g.r.edges[WIRE], ++edges);
        ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
        W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE);
        submit(&g, STREAM_OF(&g, 2 * f, 0, VSYNC_PRESENT));
        ck_assert_uint_eq(g.r.edges[WIRE], edges);
        pass(&g, PERIOD); /* the blank and the fence that it releases are one rise of the line */
        ck_assert_uint_eq(g.r.edges[WIRE], ++edges);
        ck_assert_uint_eq(R(&g, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
        ck_assert_uint_eq(DONE(&g), 2 * f);
        W(&g, AGPU_R_IRQ_ACK, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
        ck_assert(!line(&g));
    }
    gpu_down(&g);
}
END_TEST

Suite *aerogpu_timing_suite(void);
Suite *aerogpu_timing_suite(void)
{
    Suite *s = suite_create("aerogpu_timing");
    TCase *c = tcase_create("timing");
    const TTest *tests[] = {
        ag_090_095_one_paced_fence_per_vblank, ag_027_037_083_084_096_097_order_under_load, ag_127_no_interrupt_that_was_not_enabled,
        ag_028_130_an_interrupt_for_each_event,
    };
    tcase_set_timeout(c, 60);
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}

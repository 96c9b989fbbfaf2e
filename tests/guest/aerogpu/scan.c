/* Scanout 0, vertical blank, cursor, paced fences. Time is told by the PM timer. See ag.h. */
#include "ag.h"

enum { PERIOD_NS = 16666667 };

static u64 blanks(const struct ag *a)
{
    return gpu_rd64(&a->gpu, AGPU_R_VBLANK_SEQ_LO);
}

/* Waits for the next vertical blank; 0: none within 100 ms. */
static u64 next_blank(const struct ag *a)
{
    const u64 now = blanks(a);
    const u32 from = pm_ticks();
    while (blanks(a) == now) {
        if (pm_since(from) > 357954) return 0;
    }
    return blanks(a);
}

static u64 blank_time(const struct ag *a)
{
    return gpu_rd64(&a->gpu, AGPU_R_VBLANK_TIME_LO);
}

void ag_latch(struct ag *a)
{
    ag_wr(a, AGPU_R_SCAN_GPA_LO, AT_FB);
    ag_wr(a, AGPU_R_SCAN_GPA_HI, 0);
    ag_wr(a, AGPU_R_SCAN_GPA_LO, 0x11110000);
    ag_eq(a, "pending low half", ag_rd(a, AGPU_R_SCAN_GPA_LO), 0x11110000);
    ag_wr(a, AGPU_R_SCAN_ENABLE, 7);
    ag_eq(a, "enable reads 1", ag_rd(a, AGPU_R_SCAN_ENABLE), 1);
    ag_wr(a, AGPU_R_SCAN_ENABLE, 0); /* drops what is pending */
    ag_eq(a, "dropped", ag_rd(a, AGPU_R_SCAN_GPA_LO), AT_FB);
    ag_wr(a, AGPU_R_SCAN_GPA_HI, 1);
    ag_eq(a, "high half alone", ag_rd(a, AGPU_R_SCAN_GPA_LO), AT_FB);
    ag_eq(a, "high half", ag_rd(a, AGPU_R_SCAN_GPA_HI), 1);
    ag_wr(a, AGPU_R_SCAN_GPA_LO, AT_FB2);
    ag_eq(a, "high half while pending", ag_rd(a, AGPU_R_SCAN_GPA_HI), 1);
    ag_wr(a, AGPU_R_SCAN_GPA_HI, 0);
    ag_eq(a, "committed", ag_rd(a, AGPU_R_SCAN_GPA_LO), AT_FB2);
    ag_wr(a, AGPU_R_SCAN_FORMAT, 99);
    ag_eq(a, "an unknown format reads back", ag_rd(a, AGPU_R_SCAN_FORMAT), 99);
}

void ag_vblank_rate(struct ag *a)
{
    enum { N = 15 };
    ag_eq(a, "none while off", next_blank(a), 0);
    const u32 start = pm_ticks();
    ag_scanout(a, AT_FB);
    next_blank(a);
    ag_in(a, "the first after one period", pm_us(pm_since(start)), 16600, 16900);
    const u32 from = pm_ticks();
    const u64 seq = blanks(a), time = blank_time(a);
    while (blanks(a) < seq + N && pm_since(from) < 3579545) continue;
    const u32 us = pm_us(pm_since(from));
    ag_eq(a, "counted", blanks(a), seq + N);
    ag_in(a, "microseconds of 15 periods", us, N * 16667 - 100, N * 16667 + 100);
    ag_eq(a, "nanoseconds between their times", blank_time(a) - time, (u64)N * PERIOD_NS);
    ag_eq(a, "masked: no status", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    ag_scanout(a, 0);
    const u64 last = blanks(a);
    ag_eq(a, "none after the end", next_blank(a), 0);
    ag_eq(a, "the count stays", blanks(a), last);
}

void ag_vblank_interrupts(struct ag *a)
{
    ag_irqs_by_pic(a);
    ag_scanout(a, AT_FB);
    next_blank(a);
    ag_eq(a, "not enabled", ag_take(a, &a->irqs, 1, 40), 0);
    next_blank(a);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK);
    const u32 from = pm_ticks();
    const u64 seq = blanks(a);
    ag_eq(a, "ten of them", ag_take(a, &a->blanks, 10, 500), 10);
    ag_in(a, "microseconds of ten", pm_us(pm_since(from)), 9 * 16667, 10 * 16667 + 300);
    ag_eq(a, "one a blank", blanks(a) - seq, 10);
    ag_eq(a, "no other interrupt", a->irqs, 10);
    ag_wr(a, AGPU_R_IRQ_ENABLE, 0);
    ag_eq(a, "disabled again", ag_take(a, &a->irqs, 11, 40), 10);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK); /* blanks went by meanwhile: nothing is remembered */
    ag_eq(a, "status when enabled", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    const u64 now = blanks(a);
    while (blanks(a) == now) continue;
    ag_eq(a, "status at the next", ag_rd(a, AGPU_R_IRQ_STATUS), AGPU_IRQ_VBLANK);
    ag_wr(a, AGPU_R_SCAN_ENABLE, 0);
    ag_eq(a, "gone with the scanout", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    ag_eq(a, "no interrupt left", ag_take(a, &a->irqs, 11, 40), 10);
}

static void paint(u32 at, u32 first, u32 second)
{
    u32 *p = (u32 *)(word)at;
    for (u32 y = 0; y < SCAN_H; y++)
        for (u32 x = 0; x < SCAN_W; x++) p[y * SCAN_W + x] = (x / 20 + y / 20) & 1 ? first : second;
}

/* The Windows driver's seven writes at every blank do not disturb the clock of blanks. */
void ag_flips(struct ag *a)
{
    paint(AT_FB, 0x204060, 0x4080c0);
    paint(AT_FB2, 0x602040, 0xc04080);
    ag_irqs_by_pic(a);
    ag_scanout(a, AT_FB);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_VBLANK);
    ag_take(a, &a->blanks, 1, 100);
    const u64 time = blank_time(a);
    for (u32 k = 0; k < 12; k++) {
        const u32 to = k & 1 ? AT_FB : AT_FB2;
        a->flip_to = to;
        ag_eq(a, "a blank each", ag_take(a, &a->blanks, k + 2, 100), k + 2);
        ag_eq(a, "flipped in its interrupt", a->flip_to, 0);
        ag_eq(a, "address", ag_rd(a, AGPU_R_SCAN_GPA_LO), to);
    }
    ag_eq(a, "the phase stays", blank_time(a) - time, 12ull * PERIOD_NS);
}

void ag_cursor(struct ag *a)
{
    u32 *p = (u32 *)(word)AT_CURSOR;
    for (u32 k = 0; k < 32 * 32; k++) p[k] = k % 32 <= k / 32 ? 0x80ff8000 : 0;
    ag_scanout(a, AT_FB);
    gpu_cursor_shape(&a->gpu, 32, 32, AT_CURSOR, 3, 4);
    for (i32 k = -40; k < 400; k += 13) { /* off all edges, too */
        gpu_cursor_move(&a->gpu, k, k / 2);
        ag_eq(a, "x", ag_rd(a, AGPU_R_CURSOR_X), (u32)k);
        ag_eq(a, "y", ag_rd(a, AGPU_R_CURSOR_Y), (u32)(k / 2));
    }
    ag_eq(a, "on", ag_rd(a, AGPU_R_CURSOR_ENABLE), 1);
    ag_eq(a, "address", ag_rd(a, AGPU_R_CURSOR_GPA_LO), AT_CURSOR);
    ag_wr(a, AGPU_R_CURSOR_GPA_LO, 0x1000);
    ag_wr(a, AGPU_R_CURSOR_ENABLE, 0);
    ag_eq(a, "a pending half is dropped", ag_rd(a, AGPU_R_CURSOR_GPA_LO), AT_CURSOR);
    ag_eq(a, "no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
}

/* --- fences paced by PRESENT with VSYNC --- */

static u64 present(struct ag *a, u32 flags)
{
    ag_begin(a);
    stream_present(&a->s, flags);
    return ag_submit(a, AGPU_SUBMIT_PRESENT);
}

void ag_pacing(struct ag *a)
{
    u64 at[4], fence = 0;
    const u64 first = a->gpu.fence + 1;
    ag_true(a, "scanout off: at once", ag_wait(a, present(a, AGPU_PRESENT_VSYNC), 5));
    ag_scanout(a, AT_FB);
    ag_true(a, "without VSYNC: at once", ag_wait(a, present(a, 0), 5));
    const u64 seq = next_blank(a);
    for (u32 k = 0; k < 4; k++) fence = present(a, AGPU_PRESENT_VSYNC);
    ag_eq(a, "not before the blank", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), first + 1);
    for (u32 k = 0; k < 4; k++) {
        ag_true(a, "completes", ag_wait(a, fence - 3 + k, 100));
        at[k] = blanks(a);
    }
    for (u32 k = 0; k < 4; k++) ag_eq(a, "one a blank", at[k] - seq, k + 1);
    ag_begin(a);
}

void ag_pacing_order(struct ag *a)
{
    ag_scanout(a, AT_FB);
    const u64 seq = next_blank(a);
    const u64 paced = present(a, AGPU_PRESENT_VSYNC), plain = ag_nop(a, 0), second = present(a, AGPU_PRESENT_VSYNC), last = ag_nop(a, 0);
    ag_eq(a, "an unpaced one waits behind", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), paced - 1);
    ag_true(a, "released", ag_wait(a, paced, 100));
    ag_eq(a, "with the one behind it", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), plain);
    ag_eq(a, "at the first blank", blanks(a) - seq, 1);
    ag_true(a, "released", ag_wait(a, second, 100));
    ag_eq(a, "with the last", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), last);
    for (u32 k = 0; k < 3; k++) present(a, AGPU_PRESENT_VSYNC);
    const u64 end = ag_nop(a, 0);
    ag_scanout(a, 0);
    ag_true(a, "all at once when the scanout goes off", ag_wait(a, end, 5));
    ag_begin(a);
}

/* A fifth of a second of blanks, flips, paced presents and plain submissions at once. A fence interrupt never comes before its fence is in the
 * page, no blank is lost, one paced fence passes at each, and everything completes in order. */
void ag_load(struct ag *a)
{
    enum { BLANKS = 12 };
    u64 paced[BLANKS];
    u32 sent = 0;
    ag_irqs_by_apic(a);
    ag_scanout(a, AT_FB);
    next_blank(a);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
    const u64 seq = blanks(a), time = blank_time(a), first = a->gpu.fence + 1;
    for (u32 k = 0; k < BLANKS; k++) {
        for (u32 n = 0; n < 6; n++) ag_nop(a, n & 1 ? AGPU_SUBMIT_NO_IRQ : 0);
        paced[k] = present(a, AGPU_PRESENT_VSYNC);
        sent += 7;
        a->flip_to = k & 1 ? AT_FB : AT_FB2;
        if (!ag_eq(a, "blank", ag_take(a, &a->blanks, k + 1, 100), k + 1)) return;
        ag_true(a, "its paced fence", gpu_completed(&a->gpu) >= paced[k]);
        ag_eq(a, "flipped", a->flip_to, 0);
    }
    ag_true(a, "all complete", ag_wait(a, first + sent - 1, 1000));
    ag_eq(a, "blanks and interrupts", blanks(a) - seq, a->blanks);
    ag_eq(a, "the phase stays", blank_time(a) - time, (u64)BLANKS * PERIOD_NS);
    ag_in(a, "fence interrupts", a->fences, BLANKS, sent);
    ag_eq(a, "fences that went backwards, or interrupts before them", a->backwards, 0);
    ag_eq(a, "interrupts for nothing", a->spurious, 0);
    ag_eq(a, "errors", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
    ag_begin(a);
}

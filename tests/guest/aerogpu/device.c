/* The PCI function, its registers, and its interrupt line. See ag.h. */
#include "ag.h"

enum { COMMAND = 4, CMD_MEM = 2, CMD_MASTER = 4, CMD_INTX_OFF = 0x400, STATUS_INTX = 0x80000 };
#define ELSEWHERE 0xf0000000u /* where nothing else decodes */

static u32 command(const struct ag *a)
{
    return gpu_config(&a->gpu, COMMAND);
}

static void set_command(const struct ag *a, u32 v)
{
    gpu_set_config(&a->gpu, COMMAND, v & 0xffff);
}

void ag_function(struct ag *a)
{
    const struct gpu *g = &a->gpu;
    ag_eq(a, "00:07.0", g->bdf, 7 << 3);
    ag_eq(a, "class 03", gpu_config(g, 8) >> 24, 3);
    ag_eq(a, "revision", gpu_config(g, 8) & 0xff, 0);
    ag_eq(a, "header type", gpu_config(g, 0x0c) >> 16 & 0xff, 0);
    ag_eq(a, "subsystem", gpu_config(g, 0x2c), 0x0001a3a0);
    ag_eq(a, "no capabilities", command(a) >> 20 & 1, 0);
    ag_eq(a, "capability pointer", gpu_config(g, 0x34) & 0xff, 0);
    ag_eq(a, "interrupt pin", gpu_config(g, 0x3c) >> 8 & 0xff, 1);
    ag_true(a, "interrupt line", g->irq >= 3);
    for (u32 reg = 0x18; reg < 0x28; reg += 4) ag_eq(a, "no other BAR", gpu_config(g, reg), 0);
}

void ag_bars(struct ag *a)
{
    struct gpu *g = &a->gpu;
    gpu_bar_sizes(g, a->bar_size);
    ag_eq(a, "BAR0", a->bar_size[0], 0x10000);
    ag_eq(a, "BAR1", a->bar_size[1], 0x4000000);
    ag_eq(a, "BAR0 is memory", gpu_config(g, 0x10) & 15, 0);
    ag_eq(a, "BAR1 is prefetchable", gpu_config(g, 0x14) & 15, 8);
    ag_true(a, "identified", gpu_identify(g));
    volatile u32 *vram = (volatile u32 *)(word)(g->bar1 + 0x2000000);
    ag_eq(a, "video memory is zero", vram[0] | vram[0x1000], 0);
    vram[0] = 0x12345678;
    ((volatile u8 *)vram)[1] = 0xab;
    ag_eq(a, "video memory keeps bytes", vram[0], 0x1234ab78);
    vram[0] = 0;
    const u32 was = command(a), home = g->bar0;
    set_command(a, was & ~(u32)CMD_MEM);
    ag_eq(a, "no decoding, no registers", ag_rd(a, AGPU_R_MAGIC), 0xffffffff);
    gpu_set_config(g, 0x10, ELSEWHERE);
    set_command(a, was);
    g->bar0 = ELSEWHERE;
    ag_eq(a, "moved", ag_rd(a, AGPU_R_MAGIC), AGPU_MAGIC);
    g->bar0 = home;
    gpu_set_config(g, 0x10, home);
    ag_eq(a, "back again", ag_rd(a, AGPU_R_MAGIC), AGPU_MAGIC);
}

void ag_registers(struct ag *a)
{
    ag_eq(a, "magic", ag_rd(a, AGPU_R_MAGIC), 0x55504741);
    ag_eq(a, "ABI version", ag_rd(a, AGPU_R_ABI_VERSION), 0x00010004);
    ag_eq(a, "features without TRANSFER", a->gpu.features & ~(u32)AGPU_F_TRANSFER, 0x2f);
    ag_eq(a, "upper features", ag_rd(a, AGPU_R_FEATURES_HI), 0);
    ag_eq(a, "period", ag_rd(a, AGPU_R_VBLANK_PERIOD), 16666667);
    static const u16 holes[] = { 0x010, 0x110, 0x128, 0x204, 0x30c, 0x41c, 0x52c, 0x1000, 0xfffc };
    for (unsigned k = 0; k < LEN(holes); k++) {
        ag_wr(a, holes[k], 0xffffffff);
        ag_eq(a, "nothing there", ag_rd(a, holes[k]), 0);
    }
    ag_wr(a, AGPU_R_MAGIC, 0);
    ag_wr(a, AGPU_R_FEATURES_LO, 0);
    ag_eq(a, "magic cannot be written", ag_rd(a, AGPU_R_MAGIC), AGPU_MAGIC);
    ag_eq(a, "features cannot be written", ag_rd(a, AGPU_R_FEATURES_LO), a->gpu.features);
    static const u16 plain[] = { AGPU_R_RING_GPA_LO,   AGPU_R_RING_GPA_HI, AGPU_R_RING_SIZE,     AGPU_R_FENCE_GPA_LO,
                                 AGPU_R_FENCE_GPA_HI,  AGPU_R_SCAN_WIDTH,  AGPU_R_SCAN_FORMAT,   AGPU_R_CURSOR_X,
                                 AGPU_R_CURSOR_HEIGHT, AGPU_R_SCAN_PITCH,  AGPU_R_CURSOR_FORMAT, AGPU_R_CURSOR_PITCH };
    for (unsigned k = 0; k < LEN(plain); k++) {
        const u32 was = ag_rd(a, plain[k]), v = 0x9e3779b9u * (k + 1);
        ag_wr(a, plain[k], v);
        ag_eq(a, "reads what was written", ag_rd(a, plain[k]), v);
        ag_wr(a, plain[k], was);
    }
    ag_wr(a, AGPU_R_SCAN_WIDTH, 0x11223344); /* narrow accesses */
    ag_wr(a, AGPU_R_SCAN_HEIGHT, 0x55667788);
    volatile u8 *width = (volatile u8 *)(word)(a->gpu.bar0 + AGPU_R_SCAN_WIDTH);
    width[1] = 0xee;
    ag_eq(a, "a byte of a register", ag_rd(a, AGPU_R_SCAN_WIDTH), 0x1122ee44);
    ag_eq(a, "read across two", *(volatile u16 *)(width + 3), 0x8811);
    ag_wr(a, AGPU_R_SCAN_WIDTH, 0);
    ag_wr(a, AGPU_R_SCAN_HEIGHT, 0);
}

/* --- interrupts: fences tell the same on either way --- */

static void fence_interrupts(struct ag *a)
{
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    u64 fence = ag_nop(a, 0);
    ag_eq(a, "one interrupt", ag_take(a, &a->irqs, 1, 1000), 1);
    ag_eq(a, "of a fence", a->status, AGPU_IRQ_FENCE);
    ag_eq(a, "fence in the page at the interrupt", gpu_completed(&a->gpu), fence);
    ag_eq(a, "no second one", ag_take(a, &a->irqs, 2, 20), 1);
    ag_nop(a, AGPU_SUBMIT_NO_IRQ);
    ag_eq(a, "NO_IRQ", ag_take(a, &a->irqs, 2, 20), 1);
    /* left unacknowledged the line stays high, whatever the controller was told */
    a->hold = true;
    fence = ag_nop(a, 0);
    ag_eq(a, "held", ag_take(a, &a->irqs, 2, 1000), 2);
    ag_wait(a, fence, 1000);
    ag_eq(a, "status stays", ag_rd(a, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
}

static void after_hold(struct ag *a)
{
    ag_eq(a, "comes again when unmasked", ag_take(a, &a->irqs, 3, 1000), 3);
    ag_eq(a, "and is gone", ag_take(a, &a->irqs, 4, 20), 3);
    ag_eq(a, "status", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    ag_eq(a, "none for nothing", a->spurious, 0);
    /* masked in the device: nothing is remembered of fences */
    ag_wr(a, AGPU_R_IRQ_ENABLE, 0);
    ag_wait(a, ag_nop(a, 0), 1000);
    ag_eq(a, "masked fence leaves no status", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    ag_eq(a, "and no interrupt", ag_take(a, &a->irqs, 4, 20), 3);
}

void ag_interrupt_pic(struct ag *a)
{
    ag_irqs_by_pic(a);
    fence_interrupts(a);
    a->hold = false;
    bm_pic_mask((u16) ~(1u << a->gpu.irq | 4));
    after_hold(a);
}

void ag_interrupt_apic(struct ag *a)
{
    ag_irqs_by_apic(a);
    fence_interrupts(a);
    const u32 irqs = a->irqs;
    ag_irqs_by_apic(a);
    a->irqs = irqs;
    after_hold(a);
}

void ag_intx_disable(struct ag *a)
{
    const u32 was = command(a);
    ag_irqs_by_pic(a);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    set_command(a, was | CMD_INTX_OFF);
    ag_wait(a, ag_nop(a, 0), 1000);
    ag_eq(a, "no interrupt", ag_take(a, &a->irqs, 1, 20), 0);
    ag_eq(a, "status is latched", ag_rd(a, AGPU_R_IRQ_STATUS), AGPU_IRQ_FENCE);
    ag_eq(a, "PCI status tells it", command(a) & STATUS_INTX, STATUS_INTX);
    set_command(a, was);
    ag_eq(a, "comes when enabled", ag_take(a, &a->irqs, 1, 1000), 1);
    ag_eq(a, "PCI status is clear", command(a) & STATUS_INTX, 0);
}

void ag_bus_master(struct ag *a)
{
    const u32 was = command(a);
    const u64 before = gpu_completed(&a->gpu);
    set_command(a, was & ~(u32)CMD_MASTER);
    const u64 fence = ag_nop(a, 0);
    ag_true(a, "nothing completes", !ag_wait(a, fence, 20));
    ag_eq(a, "nothing is written", gpu_completed(&a->gpu), before);
    ag_true(a, "head stays", a->gpu.ring->head != a->gpu.ring->tail);
    set_command(a, was);
    ag_true(a, "the doorbell was kept", ag_wait(a, fence, 1000));
    ag_eq(a, "page", gpu_completed(&a->gpu), fence);
}

/* D0 to D3 and back as the Windows driver does it: the ring goes on with its old index, fences with higher numbers. */
void ag_power(struct ag *a)
{
    struct gpu *g = &a->gpu;
    const u64 last = ag_nop(a, 0);
    ag_wait(a, last, 1000);
    const u32 tail = g->ring->tail;
    gpu_stop(g);
    ag_eq(a, "fences forgotten", gpu_rd64(g, AGPU_R_COMPLETED_LO), 0);
    g->ring->head = g->ring->tail = tail;
    g->page->completed_fence = last;
    ag_wr(a, AGPU_R_RING_GPA_LO, AT_RING);
    ag_wr(a, AGPU_R_RING_SIZE, GPU_RING_BYTES);
    ag_wr(a, AGPU_R_FENCE_GPA_LO, (u32)(word)g->page);
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
    ag_eq(a, "RESET reads 0", ag_rd(a, AGPU_R_RING_CONTROL), AGPU_RING_ENABLE);
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    ag_eq(a, "page after the reset", gpu_completed(g), 0);
    const u64 fence = ag_nop(a, 0);
    ag_eq(a, "numbers go on", fence, last + 1);
    ag_true(a, "completes", ag_wait(a, fence, 1000));
    ag_eq(a, "head", g->ring->head, tail + 1);
}

/* The driver is stopped and started anew without a reset: its fences begin at 1 again and must not count as completed long ago. */
void ag_restart(struct ag *a)
{
    for (u32 k = 0; k < 5; k++) ag_nop(a, 0);
    ag_wait(a, a->gpu.fence, 1000);
    gpu_stop(&a->gpu);
    gpu_start(&a->gpu, (void *)(word)AT_RING, 0);
    ag_eq(a, "completed", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), 0);
    ag_irqs_by_pic(a);
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    ag_eq(a, "the first number", ag_nop(a, 0), 1);
    ag_eq(a, "its interrupt", ag_take(a, &a->fences, 1, 1000), 1);
    ag_eq(a, "page", gpu_completed(&a->gpu), 1);
    ag_eq(a, "no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
}

/* Windows resets a device whose fences do not come in two seconds; here they wait for a blank that the reset cuts off. Numbers and
 * ring index go on, objects are gone, and using them is no error. */
void ag_timeout(struct ag *a)
{
    struct gpu *g = &a->gpu;
    const u32 old = ag_texture(a, AGPU_FMT_B8G8R8A8, 16, 16);
    const u64 first = ag_submit(a, 0);
    ag_wait(a, first, 1000);
    ag_scanout(a, AT_FB);
    ag_begin(a);
    stream_present(&a->s, AGPU_PRESENT_VSYNC);
    const u64 stuck = ag_submit(a, 0);
    ag_wr(a, AGPU_R_IRQ_ENABLE, 0);
    ag_wr(a, AGPU_R_IRQ_ACK, 0xffffffff);
    g->ring->head = g->ring->tail;
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
    ag_eq(a, "fences forgotten", gpu_rd64(g, AGPU_R_COMPLETED_LO), 0);
    bm_delay_us(40000); /* two blanks */
    ag_eq(a, "what waited does not come any more", gpu_rd64(g, AGPU_R_COMPLETED_LO), 0);
    g->page->completed_fence = first;
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    ag_begin(a);
    stream_targets(&a->s, old, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, (const float[4]){ 0, 0, 0, 0 }, 0);
    ag_eq(a, "numbers go on", ag_send(a), stuck + 1);
    ag_eq(a, "page", gpu_completed(g), stuck + 1);
}

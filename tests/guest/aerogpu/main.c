/* Order of the steps, checks, and what all of them need. See ag.h. */
#include "ag.h"

enum { VECTOR = 0x50, PIC_VECTOR = 0x20, APIC = 0xfee00000, IOAPIC = 0xfec00000 };

/* DRAWS: with an executor; DRAWS_NOT: without; EXACT: time stands still while the host is busy */
enum { ALWAYS, DRAWS, DRAWS_NOT, EXACT, LOOKED_AT };
static const struct {
    const char *name;
    ag_step *run;
    u8 when;
} steps[] = {
    { "function", ag_function, ALWAYS },
    { "bars", ag_bars, ALWAYS },
    { "registers", ag_registers, ALWAYS },
    { "first fence", ag_first_fence, ALWAYS },
    { "fence order", ag_order, ALWAYS },
    { "ring wraps", ag_wrap, ALWAYS },
    { "ring index near 2^32", ag_far_index, ALWAYS },
    { "interrupt by 8259", ag_interrupt_pic, ALWAYS },
    { "interrupt by I/O APIC", ag_interrupt_apic, ALWAYS },
    { "INTx disable", ag_intx_disable, ALWAYS },
    { "bus master off", ag_bus_master, ALWAYS },
    { "bad descriptors", ag_descriptors, ALWAYS },
    { "bad streams", ag_streams, ALWAYS },
    { "bad tables", ag_tables, ALWAYS },
    { "bad ring headers", ag_ring_headers, ALWAYS },
    { "ring reset", ag_reset, ALWAYS },
    { "scanout latch", ag_latch, ALWAYS },
    { "vblank rate", ag_vblank_rate, EXACT },
    { "vblank interrupts", ag_vblank_interrupts, EXACT },
    { "flips", ag_flips, EXACT },
    { "cursor", ag_cursor, ALWAYS },
    { "paced fences", ag_pacing, EXACT },
    { "order of paced fences", ag_pacing_order, EXACT },
    { "interrupts under load", ag_load, EXACT },
    { "nothing is drawn", ag_nothing_drawn, DRAWS_NOT },
    { "clear", ag_clear, DRAWS },
    { "upload", ag_upload, DRAWS },
    { "copies", ag_copies, DRAWS },
    { "dirty ranges", ag_dirty, DRAWS },
    { "read-only memory", ag_readonly, DRAWS },
    { "shared surfaces", ag_shared, DRAWS },
    { "objects", ag_objects, DRAWS },
    { "coverage", ag_coverage, DRAWS },
    { "textures", ag_textured, DRAWS },
    { "mip levels", ag_mips, DRAWS },
    { "blending", ag_blending, DRAWS },
    { "depth", ag_depth, DRAWS },
    { "shader arithmetic", ag_shaders, DRAWS },
    { "Direct3D 10", ag_direct3d10, DRAWS },
    { "present", ag_present, DRAWS },
    { "many submissions", ag_many, DRAWS },
    { "power", ag_power, ALWAYS },
    { "timeout", ag_timeout, ALWAYS },
    { "driver starts anew", ag_restart, ALWAYS },
    { "pictures", ag_pictures, LOOKED_AT },
};

/* --- checks --- */

bool ag_in(struct ag *a, const char *what, u64 got, u64 low, u64 high)
{
    if (got >= low && got <= high) return true;
    if (!a->failures++) bm_printf("FAIL %s", a->step);
    if (a->failures > 8) return false;
    bm_printf("; %s: got %llx, expected %llx", what, (unsigned long long)got, (unsigned long long)low);
    if (high != low) bm_printf(" to %llx", (unsigned long long)high);
    return false;
}

bool ag_eq(struct ag *a, const char *what, u64 got, u64 want)
{
    return ag_in(a, what, got, want, want);
}

bool ag_true(struct ag *a, const char *what, bool good)
{
    return ag_in(a, what, good, 1, 1);
}

/* --- the device --- */

u32 ag_rd(const struct ag *a, u32 reg)
{
    return gpu_rd(&a->gpu, reg);
}

void ag_wr(const struct ag *a, u32 reg, u32 v)
{
    gpu_wr(&a->gpu, reg, v);
}

void ag_begin(struct ag *a)
{
    stream_begin(&a->s, (void *)(word)AT_STREAM, STREAM_ROOM);
}

bool ag_wait(struct ag *a, u64 fence, u32 ms)
{
    u32 before = pm_ticks();
    u64 left = (u64)ms * 3580;
    while (gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO) < fence) {
        const u32 passed = pm_since(before);
        if (passed < 3580) continue;
        before = pm_ticks();
        if (passed >= left) return false;
        left -= passed;
    }
    return true;
}

u64 ag_submit(struct ag *a, u32 flags)
{
    const u32 bytes = stream_end(&a->s);
    ag_true(a, "the stream fits", bytes != 0);
    return gpu_submit(&a->gpu, a->s.base, bytes, a->table, flags);
}

u64 ag_send(struct ag *a)
{
    const u32 errors = ag_rd(a, AGPU_R_ERROR_COUNT);
    const u64 fence = ag_submit(a, 0);
    ag_true(a, "fence completes", ag_wait(a, fence, 5000));
    if (!ag_eq(a, "errors", ag_rd(a, AGPU_R_ERROR_COUNT) - errors, 0)) ag_wr(a, AGPU_R_IRQ_ACK, AGPU_IRQ_ERROR);
    ag_begin(a);
    return fence;
}

u64 ag_nop(struct ag *a, u32 flags)
{
    return gpu_submit(&a->gpu, NULL, 0, NULL, flags);
}

u32 ag_texture(struct ag *a, u32 format, u32 width, u32 height)
{
    const struct texture_desc t = { .format = format, .width = width, .height = height };
    stream_texture(&a->s, a->handle, &t);
    return a->handle++;
}

const u32 *ag_pixels(struct ag *a, u32 texture, u32 format, u32 width, u32 height)
{
    const struct texture_desc t = { .format = format, .width = width, .height = height, .pitch = width * 4, .alloc = ALLOC_READ };
    const struct copy_desc c = { .dst = a->handle, .src = texture, .width = width, .height = height, .flags = AGPU_COPY_WRITEBACK_DST };
    memset((void *)(word)AT_READ, 0xa5, width * height * 4);
    stream_texture(&a->s, a->handle, &t);
    stream_copy(&a->s, &c);
    stream_destroy(&a->s, a->handle++);
    ag_send(a);
    return (const u32 *)(word)AT_READ;
}

void ag_expect_error(struct ag *a, u32 code, u64 fence, u32 count_before)
{
    ag_eq(a, "error code", ag_rd(a, AGPU_R_ERROR_CODE), code);
    ag_eq(a, "error fence", gpu_rd64(&a->gpu, AGPU_R_ERROR_FENCE_LO), fence);
    ag_eq(a, "errors counted", ag_rd(a, AGPU_R_ERROR_COUNT) - count_before, 1);
    ag_eq(a, "error status", ag_rd(a, AGPU_R_IRQ_STATUS) & AGPU_IRQ_ERROR, AGPU_IRQ_ERROR);
    ag_wr(a, AGPU_R_IRQ_ACK, AGPU_IRQ_ERROR);
    ag_eq(a, "error status acknowledged", ag_rd(a, AGPU_R_IRQ_STATUS) & AGPU_IRQ_ERROR, 0);
    ag_eq(a, "error code stays", ag_rd(a, AGPU_R_ERROR_CODE), code);
}

void ag_scanout(struct ag *a, u32 gpa)
{
    const struct gpu_mode m = { SCAN_W, SCAN_H, AGPU_FMT_B8G8R8X8, SCAN_W * 4 };
    gpu_scanout(&a->gpu, &m, gpa);
}

/* --- interrupts --- */

/* A handler has no argument but the registers, so it finds the program here. */
static struct ag *current;
static enum { BY_NONE, BY_PIC, BY_APIC } routed;

static void on_interrupt(struct bm_regs *r)
{
    struct ag *a = current;
    (void)r;
    a->irqs++;
    if (a->hold) { /* the line stays high: only a mask stops it */
        if (routed == BY_PIC) bm_pic_mask(0xffff);
        if (routed == BY_APIC) mmio_write(IOAPIC, 0x10 + a->gpu.irq * 2), mmio_write(IOAPIC + 0x10, 0x18000 | VECTOR);
    } else {
        a->status = gpu_interrupt(&a->gpu);
        if (!a->status) a->spurious++;
        const u64 done = gpu_completed(&a->gpu);
        if (done < a->seen || (a->status & AGPU_IRQ_FENCE && done == a->seen)) a->backwards++;
        a->seen = done;
        if (a->status & AGPU_IRQ_FENCE) a->fences++;
        if (a->status & AGPU_IRQ_VBLANK) {
            a->blanks++;
            if (a->flip_to) ag_scanout(a, a->flip_to);
            a->flip_to = 0;
        }
    }
    if (routed == BY_PIC) bm_pic_eoi(a->gpu.irq);
    else mmio_write(APIC + 0xb0, 0);
}

void ag_irqs_by_pic(struct ag *a)
{
    bm_pic_init(PIC_VECTOR, PIC_VECTOR + 8);
    bm_on(PIC_VECTOR + a->gpu.irq, on_interrupt);
    routed = BY_PIC;
    a->hold = false;
    bm_pic_mask((u16) ~(1u << a->gpu.irq | 4));
}

static void ioapic_entry(u32 pin, u32 high, u32 low)
{
    mmio_write(IOAPIC, 0x11 + pin * 2);
    mmio_write(IOAPIC + 0x10, high);
    mmio_write(IOAPIC, 0x10 + pin * 2);
    mmio_write(IOAPIC + 0x10, low);
}

void ag_irqs_by_apic(struct ag *a)
{
    bm_pic_init(PIC_VECTOR, PIC_VECTOR + 8);
    bm_on(VECTOR, on_interrupt);
    routed = BY_APIC;
    a->hold = false;
    mmio_write(APIC + 0xf0, 0x1ff);
    mmio_write(APIC + 0x80, 0);
    /* level triggered, active high as the board's tables say (polarity bit clear), to this processor */
    ioapic_entry(a->gpu.irq, mmio_read(APIC + 0x20) & 0xff000000, 0x8000 | VECTOR);
}

void ag_irqs_off(struct ag *a)
{
    ag_wr(a, AGPU_R_IRQ_ENABLE, 0);
    ag_wr(a, AGPU_R_IRQ_ACK, ~AGPU_IRQ_ERROR);
    if (routed == BY_PIC) bm_pic_mask(0xffff);
    if (routed == BY_APIC) ioapic_entry(a->gpu.irq, 0, 0x10000);
    routed = BY_NONE;
    a->irqs = a->blanks = a->fences = a->spurious = a->status = a->flip_to = a->backwards = 0;
    a->seen = 0;
    a->hold = false;
}

u32 ag_take(struct ag *a, const volatile u32 *what, u32 count, u32 ms)
{
    const u32 from = pm_ticks();
    (void)a;
    while (*what < count && pm_since(from) < ms * 3580) {
        sti();
        __asm__ volatile("nop; nop; pause");
        cli();
    }
    return *what;
}

/* --- the program --- */

static void run(struct ag *a, unsigned n)
{
    a->step = steps[n].name;
    a->failures = 0;
    ag_begin(a);
    steps[n].run(a);
    ag_irqs_off(a);
    ag_scanout(a, 0);
    if (n > 2) ag_eq(a, "error status left", ag_rd(a, AGPU_R_IRQ_STATUS) & AGPU_IRQ_ERROR, 0);
    ag_wr(a, AGPU_R_IRQ_ACK, 0xffffffff);
    if (a->failures) bm_printf("\n");
    else bm_printf("ok   %s\n", a->step);
    a->total += a->failures != 0;
    a->steps++;
}

/* x87 and SSE for the steps that compute vertices; interrupt handlers leave both alone. */
static void floating_point(void)
{
    write_cr0((read_cr0() & ~(word)0xc) | 0x22);
    write_cr4(read_cr4() | 0x600);
    __asm__ volatile("fninit");
}

static void make_table(struct ag *a)
{
    a->table = (struct gpu_table *)(word)AT_SPARE;
    gpu_table_start(a->table);
    gpu_table_add(a->table, ALLOC_READ, AT_READ, READ_SIZE, 0); /* any order */
    gpu_table_add(a->table, ALLOC_BACK, AT_BACK, BACK_SIZE, 0);
    gpu_table_add(a->table, ALLOC_LOCKED, AT_BACK + BACK_SIZE, 0x10000, AGPU_ALLOC_READONLY);
    gpu_table_add(a->table, ALLOC_FB, AT_FB, 0x200000, 0);
}

static bool has_word(const char *line, const char *wanted_one)
{
    for (; *line; line++) {
        u32 k = 0;
        while (wanted_one[k] && line[k] == wanted_one[k]) k++;
        if (!wanted_one[k]) return true;
    }
    return false;
}

static bool wanted(const struct ag *a, unsigned n, const char *line)
{
    switch (steps[n].when) {
    case DRAWS: return a->draws;
    case DRAWS_NOT: return !a->draws;
    case EXACT: return !has_word(line, "loose");
    case LOOKED_AT: return has_word(line, "pictures");
    default: return true;
    }
}

void bm_main(const struct bm_info *info)
{
    static struct ag program;
    struct ag *a = current = &program;
    a->handle = 1;
    floating_point();
    if (!gpu_find(&a->gpu)) {
        bm_printf("FAIL function: there is none\n");
        bm_exit(1);
    }
    make_table(a);
    for (unsigned n = 0; n < LEN(steps); n++) {
        if (n == 3) {
            a->draws = a->gpu.features & AGPU_F_TRANSFER;
            gpu_start(&a->gpu, (void *)(word)AT_RING, 0);
        }
        if (wanted(a, n, info->command_line)) run(a, n);
    }
    gpu_stop(&a->gpu);
    bm_printf("%u steps of %u bits, %u failed\n", a->steps, BM_BITS, a->total);
}

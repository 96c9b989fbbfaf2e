/* What showing 1920x1080 costs when the guest only flips: 60 times a second of virtual time the driver presents, gets its two interrupts
 * and programs the other of two XRGB buffers, and the display draws and hands the frame to a window. One JSON line: microseconds of CPU
 * a frame for all of it, for copying the same pixels alone, and the difference as a share of one core at 60 Hz. What a window does with
 * the frame afterwards (a texture update, the host's own copies) is not in it.
 *
 *   gpu-scanout [FRAMES] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "devices/pci.h"
#include "gpu/aerogpu.h"
#include "gpu/aerogpu_abi.h"
#include "machine/core/device.h"
#include "machine/ui/display.h"

enum { WIDTH = 1920, HEIGHT = 1080, PITCH = WIDTH * 4, FRAME = PITCH * HEIGHT };
enum { RAM_SIZE = 64 << 20, RING = 0x10000, FENCE = 0x20000, STREAM = 0x30000, FB = 16 << 20, OTHER_FB = 32 << 20 };
enum { BAR0 = 0x70000000, PERIOD = 16666667, REPEATS = 5 };

static struct {
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct region ram_region;
    u8 *ram;
    struct device *pci, *gpu;
    struct display *display;
    u64 fence, seen;
    u32 interrupts;
} r;

static void request(void *machine, enum machine_request what, int arg, const char *why)
{
    (void)machine, (void)what, (void)arg, (void)why;
}

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "gpu-scanout: %s\n", what);
    exit(1);
}

static void reg(u32 offset, u32 v)
{
    bus_write(&r.mem, (u32)BAR0 + offset, v, 4);
}

static u32 read_reg(u32 offset)
{
    return (u32)bus_read(&r.mem, (u32)BAR0 + offset, 4);
}

static void up(void)
{
    struct error e = { "" };
    bus_init(&r.mem, "memory", 0xffffffffff, false);
    bus_init(&r.io, "ports", 0xffff, true);
    clock_init(&r.clock, CLOCK_MANUAL);
    r.host = (struct host_if){ .mem = &r.mem, .io = &r.io, .clock = &r.clock, .request = request };
    r.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(r.ram != MAP_FAILED, "no memory");
    region_init_ram(&r.ram_region, "ram", RAM_SIZE, r.ram);
    bus_map(&r.mem, 0, &r.ram_region, 0, NULL);
    r.display = display_create();
    r.pci = device_create(&pci_bus_class, "pci0", &r.host);
    must(!device_init(r.pci, &e), e.text);
    r.gpu = device_create(&aerogpu_class, "aerogpu", &r.host);
    device_set_ptr(r.gpu, "pci", r.pci);
    device_set_ptr(r.gpu, "display", r.display);
    must(!device_init(r.gpu, &e), e.text);
    r.gpu->cls->reset(r.gpu, RESET_COLD);
    pci_config_write((struct pci_dev *)r.gpu, PCI_BAR0, BAR0, 4);
    pci_config_write((struct pci_dev *)r.gpu, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER, 2);
    for (u32 k = 0; k < FRAME; k += 4) {
        st32(r.ram + FB + k, k * 2654435761u);
        st32(r.ram + OTHER_FB + k, ~k * 2654435761u);
    }
}

static void down(void)
{
    device_destroy(r.gpu);
    device_destroy(r.pci);
    display_destroy(r.display);
    region_fini(&r.ram_region);
    munmap(r.ram, RAM_SIZE);
    bus_fini(&r.mem);
    bus_fini(&r.io);
    clock_fini(&r.clock);
}

static void driver_start(void)
{
    const struct agpu_ring_header h = { AGPU_RING_MAGIC, AGPU_ABI_VERSION, 64 + 256 * 64, 256, 64, 0, 0, 0, { 0 } };
    const u32 present[] = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 40, 0, 0, 0, AGPU_PRESENT, 16, 0, AGPU_PRESENT_VSYNC };
    memcpy(r.ram + RING, &h, sizeof(h));
    memcpy(r.ram + STREAM, present, sizeof(present));
    reg(AGPU_R_RING_GPA_LO, RING);
    reg(AGPU_R_RING_SIZE, 64 + 256 * 64);
    reg(AGPU_R_FENCE_GPA_LO, FENCE);
    reg(AGPU_R_RING_CONTROL, 1);
    reg(AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
}

static void flip(u32 to)
{
    reg(AGPU_R_SCAN_WIDTH, WIDTH);
    reg(AGPU_R_SCAN_HEIGHT, HEIGHT);
    reg(AGPU_R_SCAN_FORMAT, AGPU_FMT_B8G8R8X8);
    reg(AGPU_R_SCAN_PITCH, PITCH);
    reg(AGPU_R_SCAN_GPA_LO, to);
    reg(AGPU_R_SCAN_GPA_HI, 0);
    reg(AGPU_R_SCAN_ENABLE, 1);
}

static void present(void)
{
    struct agpu_descriptor d = { .desc_size_bytes = 64, .context_id = 1, .cmd_gpa = STREAM, .cmd_size_bytes = 40, .signal_fence = ++r.fence };
    u32 tail = ld32(r.ram + RING + 28);
    memcpy(r.ram + RING + 64 + (tail & 255) * 64, &d, sizeof(d));
    bus_write(&r.mem, RING + 28, tail + 1, 4);
    reg(AGPU_R_DOORBELL, 1);
}

/* As the driver's interrupt routine. */
static void isr(void)
{
    u32 status = read_reg(AGPU_R_IRQ_STATUS);
    if (!status) return;
    reg(AGPU_R_IRQ_ACK, status);
    r.interrupts += (status & 1) + (status >> 1 & 1);
    if (status & AGPU_IRQ_VBLANK) {
        read_reg(AGPU_R_VBLANK_SEQ_LO);
        read_reg(AGPU_R_VBLANK_TIME_LO);
    }
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double shown(u32 frames)
{
    double from = cpu_us();
    for (u32 k = 0; k < frames; k++) {
        u32 fb = k & 1 ? OTHER_FB : FB;
        present();
        flip(fb);
        clock_advance(&r.clock, PERIOD);
        isr();
        must(display_refresh(r.display, false), "a flip was not noticed");
        const struct frame *f = display_take(r.display, r.seen);
        must(f && f->pixels[WIDTH + 1] == ld32(r.ram + fb + PITCH + 4), "a frame is not what the guest flipped to");
        r.seen = f->serial;
    }
    return (cpu_us() - from) / frames;
}

static double copied(u32 frames, u8 *const to[3])
{
    double from = cpu_us();
    for (u32 k = 0; k < frames; k++) memcpy(to[k % 3], r.ram + (k & 1 ? OTHER_FB : FB), FRAME);
    return (cpu_us() - from) / frames;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 240;
    double all[REPEATS], copy[REPEATS], beyond[REPEATS];
    u8 *to[3];
    must(frames > 0, "how many frames?");
    up();
    driver_start();
    for (u32 k = 0; k < 3; k++) memset(to[k] = malloc(FRAME), 1, FRAME);
    shown(8);
    copied(8, to);
    for (u32 k = 0; k < REPEATS; k++) {
        all[k] = shown(frames);
        copy[k] = copied(frames, to);
        beyond[k] = all[k] - copy[k];
    }
    must(read_reg(AGPU_R_COMPLETED_LO) == r.fence && r.interrupts == 2 * r.fence, "fences or interrupts are missing");
    qsort(all, REPEATS, sizeof(all[0]), by_value);
    qsort(copy, REPEATS, sizeof(copy[0]), by_value);
    qsort(beyond, REPEATS, sizeof(beyond[0]), by_value);
    printf("{\"bench\":\"gpu-scanout-1080p\",\"unit\":\"percent of a core at 60 Hz beyond the copy\",\"ours\":%.2f,\"frame_us\":%.1f,"
           "\"copy_us\":%.1f,\"total_percent\":%.2f}\n",
           beyond[REPEATS / 2] * 60 / 1e4, all[REPEATS / 2], copy[REPEATS / 2], all[REPEATS / 2] * 60 / 1e4);
    for (u32 k = 0; k < 3; k++) free(to[k]);
    down();
    return 0;
}

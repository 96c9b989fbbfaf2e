/*
 * Starting a kernel that the host hands over, in place of a boot device.
 *
 * The host has parsed the kernel file and decided where its pieces go; what it wrote into
 * opt/aeropc/kernel (layout in machine/board/kernel.h) is copied to memory here, at every INT 19h
 * anew. Here too each piece is held against the memory map: it may not touch vectors, EBDA or the
 * tables at the top of RAM. Linux is entered in real mode at its setup code, a multiboot kernel in
 * 32-bit protected mode without paging, after its information structure got the memory map.
 */
#include "bios/fwcfg.h"
#include "bios/post.h"
#include "bios/state.h"

enum { LINUX = 1, MULTIBOOT = 2, MAX_PIECES = 128, MAX_ROWS = 32 };
enum { LOW_FIRST = 0x1000, LOW_END = 0x9f000, HIGH_FIRST = 0x100000 };
enum { I_FLAGS = 0, I_MEM_LOWER = 4, I_MAP_LENGTH = 44, I_MAP_ADDR = 48, I_MAP = 128 };
enum { HAS_MEMORY = 1, HAS_MAP = 0x40 };

struct head {
    char magic[4];
    u32 kind, entry, argument, pieces;
    char name[40];
};

struct piece {
    u32 to, len, zeros;
};

/* kernel_s.S */
void flat_insb(u32 to, u32 len);
__attribute__((noreturn)) void linux_jump(u32 segment, u32 sp);
__attribute__((noreturn)) void multiboot_jump(u32 entry, u32 info);

static int fits(const struct piece *p)
{
    u32 size = p->len + p->zeros, end = p->to + size;
    if (size < p->len || end < p->to) return 0;
    return (p->to >= LOW_FIRST && end <= LOW_END) || (p->to >= HIGH_FIRST && end <= bs.table_base);
}

/* Reads the pieces behind the head; returns what is wrong, or NULL. */
static const char *load(u32 pieces, u32 left)
{
    struct piece p;
    if (pieces > MAX_PIECES) return "damaged";
    for (u32 i = 0; i < pieces; i++) {
        if (left < sizeof p) return "damaged";
        fw_read(&p, sizeof p);
        left -= sizeof p;
        if (p.len > left) return "damaged";
        if (!fits(&p)) return "does not fit the memory";
        flat_insb(p.to, p.len);
        flat_fill(p.to + p.len, 0, p.zeros);
        left -= p.len;
    }
    return NULL;
}

/* Sizes in KiB and the rows of E820, each led by its size. */
static void add_memory(u32 info)
{
    u32 row[6], n = 0;
    row[0] = 20;
    while (n < MAX_ROWS && e820_entry(n, row + 1)) {
        flat_copy(info + I_MAP + n * sizeof row, (SEG_DATA << 4) + (u32)row, sizeof row);
        n++;
    }
    flat_write32(info + I_MEM_LOWER, BASE_KB);
    flat_write32(info + I_MEM_LOWER + 4, (bs.table_base - HIGH_FIRST) >> 10);
    flat_write32(info + I_MAP_LENGTH, n * sizeof row);
    flat_write32(info + I_MAP_ADDR, info + I_MAP);
    flat_write32(info + I_FLAGS, flat_read32(info + I_FLAGS) | HAS_MEMORY | HAS_MAP);
}

static const char *start(const struct head *h, u32 size)
{
    struct piece info = { h->argument, I_MAP + MAX_ROWS * 24, 0 };
    if (memcmp(h->magic, "AKS1", 4)) return "damaged";
    const char *wrong = load(h->pieces, size - sizeof *h);
    if (wrong) return wrong;
    if (h->kind == LINUX && h->entry <= 0x9000 && h->argument <= 0xfff0) {
        print("\n");
        linux_jump(h->entry, h->argument);
    }
    if (h->kind != MULTIBOOT || !fits(&info)) return "damaged";
    add_memory(h->argument);
    print("\n");
    multiboot_jump(h->entry, h->argument);
}

/* Returns when there is no such kernel, or with the reason printed why it does not start. */
void kernel_boot(void)
{
    struct fw_file f;
    struct head h;
    if (v86_mode() || !fw_find("opt/aeropc/kernel", &f)) return;
    outb(0x92, (inb(0x92) & ~1) | 2);           /* what ran before may have shut A20 */
    fw_select(f.select);
    fw_read(&h, sizeof h);
    h.name[sizeof h.name - 1] = 0;
    print("Booting kernel ");
    for (u32 i = 0; h.name[i]; i++)
        if (h.name[i] >= ' ' && h.name[i] <= '~') print_char(h.name[i]);
    print(": ");
    printf("%s\n", f.size < sizeof h ? "damaged" : start(&h, f.size));
}

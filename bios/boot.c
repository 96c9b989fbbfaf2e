/*
 * Choosing and starting a boot device: F12 window, menu, INT 19h and INT 18h.
 *
 * The order is the host's opt/aeropc/boot ("disk,cdrom,floppy", optionally ",menu" or ",nowait"),
 * else that default; devices found by option ROMs come last. INT 19h starts at the first candidate, INT 18h
 * (a boot program gave up) goes on with the next. A kernel handed over by the host comes before
 * them all, unless the user chose something else in the menu. Each failure is printed with its
 * reason, so the last screen says what was tried.
 */
#include "bios/disk.h"
#include "bios/fwcfg.h"
#include "bios/post.h"

enum { WINDOW_MS = 400, KEY_F12 = 0x8600, LOAD_AT = 0x7c00 };
enum kind { TRY_DISK, TRY_CD, TRY_FLOPPY, TRY_NETWORK };

extern u8 pnp_header[];

static const char default_order[] = "disk,cdrom,floppy";

static void add_candidate(u8 kind, u8 index)
{
    for (u32 i = 0; i < bs.candidate_count; i++)
        if (bs.candidate[i].kind == kind && bs.candidate[i].index == index) return;
    if (bs.candidate_count == MAX_CANDIDATES) return;
    bs.candidate[bs.candidate_count].kind = kind;
    bs.candidate[bs.candidate_count++].index = index;
}

static void add_kind(u8 kind)
{
    u32 n = kind == TRY_DISK ? bs.disk_count
          : kind == TRY_CD   ? bs.cd_count
          : kind == TRY_FLOPPY ? (bs.floppy_count ? 1 : 0)
                               : bs.bev_count;
    for (u32 i = 0; i < n; i++) add_candidate(kind, i);
}

/* Words of the order in their order; unknown words are passed over. */
static void make_list(void)
{
    static const char *const words[] = { "disk", "cdrom", "floppy", "network" };
    const char *s = bs.boot_order;
    u32 known = 0;
    bs.candidate_count = 0;
    while (*s) {
        for (u32 k = 0; k < LEN(words); k++) {
            if (memcmp(s, words[k], str_len(words[k]))) continue;
            add_kind(k);
            known++;
        }
        while (*s && *s != ',') s++;
        if (*s) s++;
    }
    for (u32 k = TRY_DISK; known == 0 && k <= TRY_FLOPPY; k++) add_kind(k);     /* only "menu" */
    add_kind(TRY_NETWORK);
}

static void print_rom_name(u32 index)
{
    u16 seg = bs.bev[index].seg, at = bs.bev[index].name;
    for (u32 i = 0; at && i < 60; i++) {
        u8 c = peekb(seg, at + i);
        if (c < ' ' || c > '~') break;
        print_char(c);
    }
}

static void print_name(const struct candidate *c)
{
    switch (c->kind) {
    case TRY_DISK: printf("Disk %u: %s", c->index + 1, bs.disks[c->index].model); break;
    case TRY_CD: printf("CD %u: %s", c->index + 1, bs.cds[c->index].model); break;
    case TRY_FLOPPY: print("Floppy"); break;
    case TRY_NETWORK: print("Network: "); print_rom_name(c->index); break;
    }
}

/* ------------------------------------------------------------------ starting */

__attribute__((noreturn)) static void start(u16 seg, u16 off, u8 drive)
{
    struct callregs r;
    memset(&r, 0, sizeof r);
    r.cs = seg;
    r.ip = off;
    r.dl = drive;
    r.ax = 0xaa55;
    r.es = SEG_CODE;
    r.di = (u16)(u32)pnp_header;
    print("\n");
    boot_jump(&r);
}

static const char *try_disk(u8 index)
{
    struct drive *d = &bs.disks[index];
    if (disk_rw(d, 0, 1, LOAD_AT, 0)) return "read error";
    if (peekw(0, LOAD_AT + 510) != 0xaa55) return "no boot sector";
    struct drive chosen = *d;           /* the booted disk is drive 80h */
    for (u32 i = index; i > 0; i--) bs.disks[i] = bs.disks[i - 1];
    bs.disks[0] = chosen;
    start(0, LOAD_AT, 0x80);
}

static const char *try_cd(u8 index)
{
    u8 error = eltorito_boot(index);
    if (error) return eltorito_error(error);
    if (bs.emu.media == 4) bda8_set(0x75, bs.disk_count + 1);
    if (bs.emu.media) start(bs.emu.load_segment == 0x7c0 ? 0 : bs.emu.load_segment,
                            bs.emu.load_segment == 0x7c0 ? LOAD_AT : 0, bs.emu.drive);
    start(bs.emu.load_segment, 0, bs.emu.drive);
}

static const char *try_floppy(void)
{
    struct callregs r;
    for (u32 attempt = 0; attempt < 3; attempt++) {
        memset(&r, 0, sizeof r);
        r.ax = 0x0201;
        r.bx = LOAD_AT;
        r.cx = 1;
        call_int(0x13, &r);
        if (!(r.flags & FLAG_CF)) break;
        if (r.ah == DISK_TIMEOUT) return "no disk in the drive";
    }
    if (r.flags & FLAG_CF) return "read error";
    u16 first = peekw(0, LOAD_AT);
    for (u32 i = 2; i < 16 && peekw(0, LOAD_AT + i) == first; i += 2)
        if (i == 14) return "no boot sector";
    start(0, LOAD_AT, 0x00);
}

static const char *try_one(const struct candidate *c)
{
    switch (c->kind) {
    case TRY_DISK: return try_disk(c->index);
    case TRY_CD: return try_cd(c->index);
    case TRY_FLOPPY: return try_floppy();
    }
    start(bs.bev[c->index].seg, bs.bev[c->index].off, 0);
}

static void nothing_left(void)
{
    if (bs.candidate_count == 0) print("No boot device found: no disk, no CD, no floppy drive.\n");
    print("Nothing to boot. Press a key to try again.\n");
    kbd_get();
}

/* `again` is 0 for INT 19h, 1 for INT 18h. */
void boot_main(u32 again)
{
    bs.emu.active = 0;
    bda8_set(0x75, bs.disk_count);
    if (!again) {
        make_list();
        bs.candidate_at = 0;
    }
    if (!again && !bs.candidate_forced) kernel_boot();
    if (bs.candidate_forced) {
        bs.candidate_forced = 0;
        bs.candidate[0] = bs.candidate_chosen;
        bs.candidate_count = 1;
    }
    for (;;) {
        while (bs.candidate_at < bs.candidate_count) {
            const struct candidate *c = &bs.candidate[bs.candidate_at++];
            print("Booting ");
            print_name(c);
            print(": ");
            printf("%s\n", try_one(c));
        }
        nothing_left();
        make_list();
        bs.candidate_at = 0;
    }
}

/* ------------------------------------------------------------------ F12 */

static void menu(void)
{
    make_list();
    for (u32 kind = TRY_DISK; kind <= TRY_NETWORK; kind++) add_kind(kind);
    print("\nBoot menu\n\n");
    for (u32 i = 0; i < bs.candidate_count && i < 9; i++) {
        printf("  %u. ", i + 1);
        print_name(&bs.candidate[i]);
        print("\n");
    }
    print("\nNumber to boot, Esc for the usual order: ");
    for (;;) {
        u16 key = kbd_get();
        u32 n = (key & 0xff) - '1';
        if ((key & 0xff) == 0x1b) break;
        if (n >= bs.candidate_count || n > 8) continue;
        printf("%u", n + 1);
        bs.candidate_chosen = bs.candidate[n];
        bs.candidate_forced = 1;
        break;
    }
    print("\n");
}

static int f12_pressed(void)
{
    struct deadline d;
    print("\nF12 boot menu\n");
    deadline_set(&d, WINDOW_MS);
    while (!deadline_over(&d)) {
        if (kbd_pending()) return kbd_get() == KEY_F12;
        wait_interrupt();
    }
    return 0;
}

void boot_window(void)
{
    if (fw_text("opt/aeropc/boot", bs.boot_order, sizeof bs.boot_order) == 0)
        memcpy(bs.boot_order, default_order, sizeof default_order);
    int nobody = str_find(bs.boot_order, "nowait") != 0;
    if (str_find(bs.boot_order, "menu") || (!nobody && f12_pressed())) menu();
    print("\n");
}

/*
 * Power-on self test: brings the machine from reset to INT 19h. Reads top-down in boot order.
 *
 * POST codes on port 80h: 10 vectors, 20 memory and PCI, 30 processor and clock, 40 video, 50
 * keyboard and mouse, 60 drives, 70 option ROMs, 80 tables, 90 boot. Nothing here waits for long
 * unless a device is really busy; the only deliberate pause is the moment in which F12 counts.
 */
#include "bios/post.h"
#include "bios/disk.h"
#include "bios/fwcfg.h"
#include "bios/pci.h"

enum { ITEM_CPUS = 5 };

extern u8 dummy_iret[], irq_master[], irq_slave[], irq7[], irq15[];
extern u8 int05[], int08[], int09[], int0e[], int11[], int12[], int13[], int14[], int15[], int16[];
extern u8 int17[], int18[], int19[], int1a[], int70[], int74[], int75[], int76[];

static void init_low_memory(void)
{
    static const struct {
        u8 vector;
        const u8 *handler;
    } handlers[] = {
        { 0x05, int05 }, { 0x08, int08 }, { 0x09, int09 }, { 0x0e, int0e }, { 0x11, int11 },
        { 0x12, int12 }, { 0x13, int13 }, { 0x14, int14 }, { 0x15, int15 }, { 0x16, int16 },
        { 0x17, int17 }, { 0x18, int18 }, { 0x19, int19 }, { 0x1a, int1a }, { 0x40, int13 },
        { 0x70, int70 }, { 0x74, int74 }, { 0x75, int75 }, { 0x76, int76 }, { 0x0f, irq7 },
        { 0x77, irq15 },
    };
    u16 warm = bda16(0x72);
    flat_fill(0x400, 0, 0x200);
    flat_fill(SEG_EBDA << 4, 0, 0x400);
    for (u32 v = 0; v < 256; v++) set_vector(v, (u32)dummy_iret);
    for (u32 v = 0x0a; v < 0x10; v++) set_vector(v, (u32)irq_master);
    for (u32 v = 0x71; v < 0x78; v++) set_vector(v, (u32)irq_slave);
    for (u32 i = 0; i < LEN(handlers); i++)
        set_vector(handlers[i].vector, (u32)handlers[i].handler);
    bda16_set(0x72, warm);
    bda16_set(0x0e, SEG_EBDA);
    bda16_set(0x10, 0x0022);            /* FPU, 80x25 colour */
    bda16_set(0x13, BASE_KB);
    pokeb(SEG_EBDA, 0, 1);              /* size of the EBDA in KiB */
}

/* Fixed-disk parameter tables (INT 41h, 46h), for software older than AH=08h. */
static void init_disk_tables(void)
{
    for (u32 i = 0; i < 2 && i < bs.disk_count; i++) {
        const struct drive *d = &bs.disks[i];
        u16 at = 0x3d + 16 * i;
        pokew(SEG_EBDA, at, d->cyls);
        pokeb(SEG_EBDA, at + 2, d->heads);
        pokew(SEG_EBDA, at + 5, 0xffff);
        pokeb(SEG_EBDA, at + 8, d->heads > 8 ? 0xc8 : 0xc0);
        pokew(SEG_EBDA, at + 12, d->cyls);
        pokeb(SEG_EBDA, at + 14, d->spt);
        pokel(0, (i ? 0x46 : 0x41) * 4, (u32)SEG_EBDA << 16 | at);
    }
}

static void show_drive(const char *what, u32 number, const struct drive *d, int size)
{
    static const char *const place[] = { "", "IDE", "IDE", "AHCI", "AHCI" };
    printf("  %s %u: %s", what, number, d->model);
    u32 mib = (u32)(d->sectors >> 11);
    if (size && mib >= 10240) printf(", %u GiB", mib >> 10);
    else if (size) printf(", %u MiB", mib);
    printf(" (%s %u", place[d->kind], d->port);
    if (d->kind == DRIVE_ATA || d->kind == DRIVE_ATAPI) print(d->unit ? " slave" : " master");
    print(")\n");
}

static void show_drives(void)
{
    for (u32 i = 0; i < bs.disk_count; i++) show_drive("Disk", i + 1, &bs.disks[i], 1);
    for (u32 i = 0; i < bs.cd_count; i++) show_drive("CD", i + 1, &bs.cds[i], 0);
    if (bs.floppy_count) printf("  Floppy drives: %u\n", bs.floppy_count);
}

static void init_video(void)
{
    post_code(0x40);
    video_rom_init();
    if (bs.video_up) {                  /* not every video BIOS sets a mode by itself */
        struct callregs r;
        memset(&r, 0, sizeof r);
        r.ax = 0x0003;
        call_int(0x10, &r);
    }
    u32 mib = (bs.low_top >> 20) + (u32)(bs.high_size >> 20);
    printf("aeropc BIOS\n\nMemory: %u MiB\n", mib);
}

static void init_drives(void)
{
    char name[16];
    post_code(0x60);
    disk_init();
    floppy_init();
    if (fw_text("opt/aeropc/boothd", name, sizeof name)) disk_order(name);
    init_disk_tables();
    show_drives();
}

void post_main(void)
{
    post_code(0x10);
    outb(0x92, (inb(0x92) & ~1) | 2);
    init_low_memory();
    pic_init();
    fw_init();
    bs.cpu_count = fw_item16(ITEM_CPUS);
    if (bs.cpu_count == 0) bs.cpu_count = 1;

    post_code(0x20);
    memory_size();
    pci_init();
    post_code(0x30);
    cpu_init();
    rtc_init();
    init_video();

    post_code(0x50);
    kbd_init();
    mouse_init();
    serial_init();
    init_drives();

    post_code(0x70);
    headers_init();
    option_roms_init();
    post_code(0x80);
    acpi_init();
    smbios_init();
    tables_init();
    seal_shadow();

    post_code(0x90);
    boot_window();
}

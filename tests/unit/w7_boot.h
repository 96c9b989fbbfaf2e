/* Machines that our own BIOS has started, for the tests of what Windows 7 finds in memory (tests named
 * w7_NNN_*: the statements of the Windows 7 checklist). Each configuration boots once, before the
 * first test, from a sector that asks INT 15h E820h for the memory map and ends through port F4h;
 * the tests look at the machine as POST left it. The ROMs are those of the tree the program was
 * built in.
 *
 *   struct guest *g;
 *   FOR_GUESTS (g) EXPECT(g, ld32(table(g, "APIC") + 36) == 0xfee00000);
 *
 * A configuration that needs more memory than the host has is left out, with a line that says so. */
#ifndef TESTS_UNIT_W7_BOOT_H
#define TESTS_UNIT_W7_BOOT_H

#include "tests/unit/machine_rig.h"

enum { E820_MAX = 32, E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4 };

struct guest {
    const char *what, *memory, *profile, *boot_vga, *hpet;
    struct config cfg;
    struct machine *m;
    struct {
        u64 base, len;
        u32 type;
    } e820[E820_MAX];
    unsigned n_e820;
};

/* clang-format off */
static struct guest guests[] = {
    { .what = "512M", .memory = "512M", .profile = "dual", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "1G aerogpu hpet", .memory = "1G", .profile = "aerogpu", .boot_vga = "stdvga", .hpet = "on" },
    { .what = "1535M vga", .memory = "1535M", .profile = "vga", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "2G", .memory = "2G", .profile = "dual", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "2G boot-vga=aerogpu", .memory = "2G", .profile = "dual", .boot_vga = "aerogpu", .hpet = "off" },
    { .what = "2G vga hpet", .memory = "2G", .profile = "vga", .boot_vga = "stdvga", .hpet = "on" },
    { .what = "3G", .memory = "3G", .profile = "dual", .boot_vga = "stdvga", .hpet = "on" },
    { .what = "3500M aerogpu", .memory = "3500M", .profile = "aerogpu", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "4G", .memory = "4G", .profile = "dual", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "6G vga", .memory = "6G", .profile = "vga", .boot_vga = "stdvga", .hpet = "off" },
    { .what = "8G hpet", .memory = "8G", .profile = "dual", .boot_vga = "stdvga", .hpet = "on" },
};
/* clang-format on */

#define FOR_GUESTS(g)                                                                              \
    for (g = guests; g < guests + LEN(guests); g++)                                                \
        if (g->m)
#define EXPECT(g, cond) ck_assert_msg(cond, "%s: %s", (g)->what, #cond)
#define EXPECT_EQ(g, a, b)                                                                         \
    do {                                                                                           \
        unsigned long long got_ = (a), want_ = (b);                                                \
        ck_assert_msg(got_ == want_, "%s: %s is %llx, expected %llx", (g)->what, #a, got_, want_);  \
    } while (0)

/* The boot sector: the map's entries at 8000h, the end of them in the word at 7FF0h. */
__asm__(".pushsection .rodata\n.code16\n"
        "w7_sector:\n"
        "cli\n xor %ax,%ax\n mov %ax,%ds\n mov %ax,%es\n mov %ax,%ss\n mov $0x7c00,%sp\n"
        "mov $0x8000,%di\n xor %ebx,%ebx\n"
        "1: mov $0xe820,%eax\n mov $20,%ecx\n mov $0x534d4150,%edx\n int $0x15\n jc 2f\n"
        "add $20,%di\n test %ebx,%ebx\n jnz 1b\n"
        "2: mov %di,0x7ff0\n mov $1,%al\n out %al,$0xf4\n"
        "3: hlt\n jmp 3b\n"
        "w7_sector_end:\n.code64\n.popsection\n");
extern const u8 w7_sector[], w7_sector_end[];

static inline void boot_set(struct guest *g, const char *name, const char *value)
{
    struct error e = { "" };
    ck_assert_msg(config_set(&g->cfg, name, value, &e) == 0, "%s: %s", g->what, e.text);
}

/* roms/ beside the folder of the program or one further up (build/asan), as main.c looks for it. */
static inline void boot_roms(struct guest *g)
{
    char dir[4096], file[4200];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
    dir[MAX(n, 0)] = 0;
    for (char *slash; (slash = strrchr(dir, '/'));) {
        *slash = 0;
        snprintf(file, sizeof(file), "%s/roms/bios.bin", dir);
        if (access(file, R_OK)) continue;
        snprintf(file, sizeof(file), "%s/roms", dir);
        boot_set(g, "rom-dir", file);
        return;
    }
    boot_set(g, "rom-dir", "roms");
}

/* A disk of one track that holds the sector; the caller removes it. */
static inline void boot_disk(char path[40])
{
    static u8 image[63 * 512];
    memcpy(image, w7_sector, (size_t)(w7_sector_end - w7_sector));
    image[510] = 0x55;
    image[511] = 0xaa;
    strcpy(path, "/tmp/aeropc-w7-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, image, sizeof(image)), sizeof(image));
    close(fd);
}

static inline void read_map(struct guest *g)
{
    u32 end = (u32)bus_read(&g->m->mem, 0x7ff0, 2);
    g->n_e820 = 0;
    for (u32 at = 0x8000; at < end && g->n_e820 < E820_MAX; at += 20, g->n_e820++) {
        g->e820[g->n_e820].base = bus_read(&g->m->mem, at, 8);
        g->e820[g->n_e820].len = bus_read(&g->m->mem, at + 8, 8);
        g->e820[g->n_e820].type = (u32)bus_read(&g->m->mem, at + 16, 4);
    }
}

/* True when it stands; false when the host has too little memory for it. */
static inline bool boot_guest(struct guest *g)
{
    char path[40];
    struct error e = { "" };
    config_init(&g->cfg);
    boot_roms(g);
    boot_set(g, "memory", g->memory);
    boot_set(g, "profile", g->profile);
    boot_set(g, "boot-vga", g->boot_vga);
    boot_set(g, "hpet", g->hpet);
    boot_set(g, "display", "none");
    boot_set(g, "clock", "insn");
    boot_set(g, "throwaway", "on");
    boot_disk(path);
    boot_set(g, "disk", path);
    g->m = machine_create(&g->cfg, &e);
    unlink(path);
    if (!g->m) {
        ck_assert_msg(strstr(e.text, "the host"), "%s: %s", g->what, e.text);
        fprintf(stderr, "left out: %s: %s\n", g->what, e.text);
        config_free(&g->cfg);
        return false;
    }
    machine_run(g->m);
    ck_assert_msg(g->m->exit_status == 3, "%s: the boot sector did not run to its end", g->what);
    read_map(g);
    return true;
}

static inline void free_guest(struct guest *g)
{
    if (!g->m) return;
    machine_destroy(g->m);
    config_free(&g->cfg);
    g->m = NULL;
}

static inline void boot_all(void)
{
    for (unsigned k = 0; k < LEN(guests); k++) boot_guest(&guests[k]);
}

static inline void free_all(void)
{
    for (unsigned k = 0; k < LEN(guests); k++) free_guest(&guests[k]);
}

/* Type of the map's entry that holds [base, base + len), 0 when no single entry does. */
static inline u32 e820_type(const struct guest *g, u64 base, u64 len)
{
    for (unsigned k = 0; k < g->n_e820; k++) {
        if (base >= g->e820[k].base && base + len <= g->e820[k].base + g->e820[k].len)
            return g->e820[k].type;
    }
    return 0;
}

static inline bool e820_touches_ram(const struct guest *g, u64 base, u64 len)
{
    for (unsigned k = 0; k < g->n_e820; k++) {
        if (g->e820[k].type == E820_RAM && base < g->e820[k].base + g->e820[k].len &&
            g->e820[k].base < base + len)
            return true;
    }
    return false;
}

/* --- guest memory and tables --- */

static inline const u8 *below_4g(struct guest *g, u32 addr, u32 len)
{
    EXPECT(g, addr + (u64)len <= g->m->low_size);
    return g->m->ram + addr;
}

/* The F and E segments as the guest reads them: through the shadow registers. */
static inline u8 peek8(struct guest *g, u32 addr)
{
    return (u8)bus_read(&g->m->mem, addr, 1);
}

static inline void peek(struct guest *g, u32 addr, void *to, u32 len)
{
    for (u32 k = 0; k < len; k++) ((u8 *)to)[k] = peek8(g, addr + k);
}

static inline u8 sum8(const u8 *p, u32 n)
{
    u8 s = 0;
    while (n--) s = (u8)(s + *p++);
    return s;
}

static inline u32 find_rsdp(struct guest *g, unsigned *count)
{
    u32 found = 0;
    *count = 0;
    for (u32 at = 0xe0000; at < 0x100000; at += 16) {
        u8 sig[8];
        peek(g, at, sig, 8);
        if (memcmp(sig, "RSD PTR ", 8)) continue;
        found = at;
        ++*count;
    }
    return found;
}

static inline const u8 *rsdt(struct guest *g)
{
    unsigned count;
    u8 rsdp[20];
    u32 at = find_rsdp(g, &count);
    EXPECT(g, count >= 1);
    peek(g, at, rsdp, sizeof(rsdp));
    return below_4g(g, ld32(rsdp + 16), 36);
}

static inline unsigned n_tables(struct guest *g)
{
    return (ld32(rsdt(g) + 4) - 36) / 4;
}

static inline const u8 *nth_table(struct guest *g, unsigned n)
{
    return below_4g(g, ld32(rsdt(g) + 36 + 4 * n), 36);
}

static inline const u8 *find_table(struct guest *g, const char *sig)
{
    for (unsigned k = 0; k < n_tables(g); k++)
        if (!memcmp(nth_table(g, k), sig, 4)) return nth_table(g, k);
    return NULL;
}

static inline const u8 *table(struct guest *g, const char *sig)
{
    const u8 *t = find_table(g, sig);
    ck_assert_msg(t != NULL, "%s: no table %s", g->what, sig);
    return t;
}

static inline const u8 *dsdt(struct guest *g)
{
    return below_4g(g, ld32(table(g, "FACP") + 40), 36);
}

static inline u32 in_port(struct guest *g, u16 port, unsigned size)
{
    return (u32)bus_read(&g->m->io, port, size);
}

static inline void out_port(struct guest *g, u16 port, u32 v, unsigned size)
{
    bus_write(&g->m->io, port, v, size);
}

static inline void pass_time(struct guest *g, u64 ns)
{
    clock_advance(&g->m->clock, ns);
    clock_run_due(&g->m->clock, 256);
}

/* As RIG_SUITE, with all machines started once before the first test. */
#define W7_SUITE(name, ...)                                                                        \
    Suite *name##_suite(void);                                                                     \
    Suite *name##_suite(void)                                                                      \
    {                                                                                              \
        const TTest *const tests[] = { __VA_ARGS__ };                                              \
        Suite *s = suite_create(#name);                                                            \
        TCase *tc = tcase_create(#name);                                                           \
        tcase_set_timeout(tc, 120);                                                                \
        tcase_add_unchecked_fixture(tc, boot_all, free_all);                                       \
        for (size_t k = 0; k < LEN(tests); k++) tcase_add_test(tc, tests[k]);                      \
        suite_add_tcase(s, tc);                                                                    \
        return s;                                                                                  \
    }

#endif

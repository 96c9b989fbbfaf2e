/* What the machine says of itself: processor, memory map, display. */

#include "bios/demo/demo.h"

/* The next line, empty; past the last one its text goes nowhere. */
struct text new_line(struct lines *l, int heading)
{
    if (l->count >= MAX_LINES) return (struct text){ l->at[MAX_LINES - 1], 0, 0 };
    char *s = l->at[l->count];
    s[0] = 0;
    l->kind[l->count++] = (u8)heading;
    return (struct text){ s, 0, LINE_LEN };
}

struct cpuid { u32 a, b, c, d; };

static struct cpuid cpuid(u32 leaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

static void put_reg(struct text *t, u32 v)
{
    const char s[4] = { (char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24) };
    put_mem(t, s, 4);
}

static void brand_line(struct lines *l)
{
    struct text t = new_line(l, 0);
    if (cpuid(0x80000000).a < 0x80000004) {
        put_str(&t, "unnamed");
        return;
    }
    for (u32 leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
        const struct cpuid r = cpuid(leaf);
        put_reg(&t, r.a);
        put_reg(&t, r.b);
        put_reg(&t, r.c);
        put_reg(&t, r.d);
    }
}

static void put_features(struct text *t)
{
    static const struct {
        u8 in_ecx, bit;
        const char *name;
    } bits[] = {
        { 0, 0, "FPU" },  { 0, 23, "MMX" },    { 0, 25, "SSE" },    { 0, 26, "SSE2" },
        { 1, 0, "SSE3" }, { 1, 9, "SSSE3" },   { 1, 19, "SSE4.1" }, { 1, 20, "SSE4.2" },
        { 1, 25, "AES" }, { 1, 23, "POPCNT" },
    };
    const struct cpuid one = cpuid(1);
    for (u32 i = 0; i < LEN(bits); i++) {
        if (!((bits[i].in_ecx ? one.c : one.d) >> bits[i].bit & 1)) continue;
        put_str(t, bits[i].name);
        put_char(t, ' ');
    }
    if (cpuid(0x80000000).a >= 0x80000001 && cpuid(0x80000001).d >> 29 & 1) put_str(t, "64-bit");
}

void gather_machine(struct lines *l)
{
    struct text t = new_line(l, 1);
    put_str(&t, "Processor");
    brand_line(l);
    const struct cpuid zero = cpuid(0), one = cpuid(1);
    t = new_line(l, 0);
    put_reg(&t, zero.b);
    put_reg(&t, zero.d);
    put_reg(&t, zero.c);
    put_str(&t, ", family ");
    put_dec(&t, (one.a >> 8 & 15) + (one.a >> 20 & 0xff), 1, ' ');
    put_str(&t, " model ");
    put_dec(&t, (one.a >> 4 & 15) | (one.a >> 12 & 0xf0), 1, ' ');
    put_str(&t, " stepping ");
    put_dec(&t, one.a & 15, 1, ' ');
    t = new_line(l, 0);
    put_features(&t);
    t = new_line(l, 1);
    put_str(&t, "Display");
    t = new_line(l, 0);
    put_dec(&t, boot_width, 1, ' ');
    put_char(&t, 'x');
    put_dec(&t, boot_height, 1, ' ');
    put_str(&t, ", 32 bits, mode ");
    put_hex(&t, boot_mode, 3);
    put_str(&t, "h at ");
    put_hex(&t, boot_lfb, 8);
    t = new_line(l, 0);
    put_str(&t, "VBE ");
    put_dec(&t, boot_vbe_version >> 8, 1, ' ');
    put_char(&t, '.');
    put_dec(&t, boot_vbe_version & 0xff, 1, ' ');
    put_str(&t, ", ");
    put_dec(&t, boot_mode_count, 1, ' ');
    put_str(&t, " modes, ");
    put_dec(&t, boot_vbe_memory / 16, 1, ' ');
    put_str(&t, " MiB");
    if (boot_has_edid) {                    /* three letters of five bits name the maker */
        const u32 maker = boot_edid[8] << 8 | boot_edid[9];
        put_str(&t, ", EDID ");
        for (u32 shift = 15; shift;) {
            shift -= 5;
            put_char(&t, (char)('@' + (maker >> shift & 31)));
        }
    }
}

void add_tsc_line(struct lines *l, u32 mhz)
{
    struct text t = new_line(l, 0);
    put_str(&t, "Time stamp ");
    put_dec(&t, mhz, 1, ' ');
    put_str(&t, " MHz, timer ");
    put_dec(&t, TICK_HZ, 1, ' ');
    put_str(&t, " Hz");
}

static u32 mib_of(const struct e820 *e) { return e->len_hi << 12 | e->len >> 20; }

void gather_memory(struct lines *l)
{
    static const char *const kinds[] = { "other",       "usable",   "reserved",
                                         "ACPI tables", "ACPI NVS", "bad" };
    u32 total_kib = 0;
    for (u32 i = 0; i < boot_e820_count; i++) {
        const struct e820 *e = &boot_e820[i];
        struct text t = new_line(l, 0);
        put_hex(&t, e->base_hi, 2);
        put_hex(&t, e->base, 8);
        put_str(&t, "  ");
        if (mib_of(e)) {
            put_dec(&t, mib_of(e), 6, ' ');
            put_str(&t, " MiB  ");
        } else {
            put_dec(&t, e->len >> 10, 6, ' ');
            put_str(&t, " KiB  ");
        }
        put_str(&t, kinds[e->type < LEN(kinds) ? e->type : 0]);
        if (e->type == 1) total_kib += e->len_hi << 22 | e->len >> 10;
    }
    struct text t = new_line(l, 1);
    put_dec(&t, total_kib >> 10, 1, ' ');
    put_str(&t, " MiB usable");
}

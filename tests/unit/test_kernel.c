/* The border where kernel files come in: what bzImage and multiboot files become, and that damaged or hostile ones are refused. */
#include "machine/board/kernel.h"

#include <stdlib.h>

#include "machine/options.h"
#include "tests/unit/harness.h"

enum { SETUP = 5 * 512, BODY = 8192, RAM = 64 << 20 };

static u8 file[65536];
static size_t length;
static u8 *stream;
static size_t size;
static struct error e;
static const char *line;
static struct kernel_module modules[3];
static unsigned nmodules;

static void setup(void)
{
    memset(file, 0, sizeof(file));
    memset(&e, 0, sizeof(e));
    memset(modules, 0, sizeof(modules));
    length = 0;
    nmodules = 0;
    stream = NULL;
    line = "";
}

static void teardown(void)
{
    free(stream);
}

static int build_in(u64 ram)
{
    /* An exact copy, so that a sanitizer sees every read past the end. */
    u8 *copy = malloc(length ? length : 1);
    memcpy(copy, file, length);
    struct kernel_files f = { "dir/test", copy, length, line, modules, nmodules };
    free(stream);
    stream = NULL;
    int ret = kernel_build(&f, ram, &stream, &size, &e);
    free(copy);
    return ret;
}

static int build(void)
{
    return build_in(RAM);
}

static void expect_refusal(const char *words)
{
    ck_assert_int_eq(build(), -1);
    ck_assert_msg(strstr(e.text, words) != NULL, "\"%s\" lacks \"%s\"", e.text, words);
    ck_assert_ptr_null(strchr(e.text, '\n'));
    ck_assert_ptr_null(stream);
}

/* The piece that begins at address, or NULL; *len and *zeros as in the stream. Walks all of it. */
static const u8 *piece(u32 address, u32 *len, u32 *zeros)
{
    const u8 *found = NULL;
    size_t at = KERNEL_HEAD;
    for (u32 k = ld32(stream + 16); k; k--) {
        ck_assert(at + KERNEL_PIECE <= size);
        const u8 *p = stream + at;
        if (ld32(p) == address) {
            found = p + KERNEL_PIECE;
            *len = ld32(p + 4);
            *zeros = ld32(p + 8);
        }
        at += KERNEL_PIECE + ld32(p + 4);
    }
    ck_assert_uint_eq(at, size);
    return found;
}

/* --- Linux --- */

static void bzimage(unsigned version)
{
    file[0x1f1] = SETUP / 512 - 1;
    st32(file + 0x1f4, BODY / 16);
    st16(file + 0x1fe, 0xaa55);
    memcpy(file + 0x202, "HdrS", 4);
    st16(file + 0x206, (u16)version);
    file[0x211] = 1;
    st32(file + 0x22c, 0x37ffffff);
    st32(file + 0x238, 100);
    st64(file + 0x258, 16 << 20);
    st32(file + 0x260, 4 << 20);
    memset(file + SETUP, 0x77, BODY);
    length = SETUP + BODY;
}

static void with_initrd(size_t bytes)
{
    static u8 data[1 << 20];
    modules[0] = (struct kernel_module){ (char *)"initrd", data, bytes };
    nmodules = 1;
}

START_TEST(linux_pieces_and_header)
{
    u32 len, zeros;
    bzimage(0x20f);
    line = "quiet vga=0x317 root=/dev/sda1";
    with_initrd(5000);
    ck_assert_int_eq(build(), 0);
    ck_assert_mem_eq(stream, "AKS1", 4);
    ck_assert_uint_eq(ld32(stream + 4), KERNEL_LINUX);
    ck_assert_uint_eq(ld32(stream + 8), 0x1000);
    ck_assert_str_eq((char *)stream + 20, "test");
    const u8 *s = piece(0x10000, &len, &zeros);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(len, SETUP);
    ck_assert_uint_eq(s[0x210], 0xff);
    ck_assert_uint_eq(s[0x211], 0x81);
    ck_assert_uint_eq(ld16(s + 0x1fa), 0x317);
    ck_assert(ld16(s + 0x224) + 0x200 <= (int)ld32(stream + 12));
    ck_assert_str_eq((const char *)piece(ld32(s + 0x228), &len, &zeros), line);
    ck_assert_uint_eq(ld32(s + 0x21c), 5000);
    u32 at = ld32(s + 0x218);
    ck_assert_uint_eq(at & 4095, 0);
    ck_assert(at >= 20 << 20 && at + 5000 <= RAM - 128 * 1024);
    ck_assert_ptr_nonnull(piece(at, &len, &zeros));
    ck_assert_uint_eq(len, 5000);
    const u8 *k = piece(0x100000, &len, &zeros);
    ck_assert_uint_eq(len, BODY);
    ck_assert_uint_eq(k[BODY - 1], 0x77);
}
END_TEST

START_TEST(linux_initrd_stays_below_its_limit)
{
    u32 len, zeros;
    bzimage(0x20f);
    with_initrd(8192);
    st32(file + 0x22c, (30 << 20) - 1);
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(piece(0x10000, &len, &zeros) + 0x218), (30 << 20) - 8192);
    line = "mem=24M";
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(piece(0x10000, &len, &zeros) + 0x218), (24 << 20) - 8192);
    line = "";
    st32(file + 0x22c, (20 << 20) + 100); /* nothing left above the unpacked kernel */
    expect_refusal("initrd");
    st32(file + 0x22c, 0);
    expect_refusal("initrd");
    with_initrd(1 << 20);
    st32(file + 0x22c, 0xffffffff);
    ck_assert_int_eq(build(), 0);
    ck_assert_int_eq(build_in(20 * MIB + 256 * KIB), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--memory"));
}
END_TEST

START_TEST(linux_old_protocol)
{
    u32 len, zeros;
    bzimage(0x202);
    memset(file + 0x22c, 0xff, 0x40); /* fields that 2.02 does not have */
    ck_assert_int_eq(build(), 0);
    with_initrd(4096);
    ck_assert_int_eq(build_in(2 * GIB), 0);
    ck_assert_uint_eq(ld32(piece(0x10000, &len, &zeros) + 0x218), 0x38000000 - 4096);
    bzimage(0x201);
    expect_refusal("2.01");
    bzimage(0x20f);
    file[0x211] = 0;
    expect_refusal("zImage");
}
END_TEST

START_TEST(linux_command_line_limits)
{
    static char text[300];
    bzimage(0x20f);
    memset(text, 'a', 101);
    line = text;
    expect_refusal("the kernel takes 100");
    text[100] = 0;
    ck_assert_int_eq(build(), 0);
    memset(text, 'a', 299);
    st32(file + 0x238, 0xffffffff);
    ck_assert_int_eq(build(), 0);
    line = "vga=purple";
    expect_refusal("vga=purple");
}
END_TEST

START_TEST(linux_hostile)
{
    for (size_t n = 0; n < SETUP + BODY; n += n < 0x300 ? 1 : 97) {
        bzimage(0x20f);
        length = n;
        ck_assert_int_eq(build(), -1);
    }
    bzimage(0x20f);
    file[0x1f1] = 100;
    length = sizeof(file);
    expect_refusal("32 KiB");
    file[0x1f1] = 0; /* means 4 */
    ck_assert_int_eq(build(), 0);
    bzimage(0x20f);
    st64(file + 0x258, ~0ull);
    expect_refusal("above 4 GiB");
    st64(file + 0x258, 0xffffffff);
    st32(file + 0x260, 0xffffffff);
    expect_refusal("--memory");
    bzimage(0x20f);
    st32(file + 0x1f4, 0xffffffff);
    expect_refusal("truncated");
    bzimage(0x20f);
    with_initrd(10);
    nmodules = 2;
    expect_refusal("one initrd");
}
END_TEST

/* --- multiboot --- */

static void header(size_t at, u32 flags)
{
    st32(file + at, 0x1badb002);
    st32(file + at + 4, flags);
    st32(file + at + 8, -(0x1badb002 + flags));
}

static void kludge(u32 load, u32 load_end, u32 bss_end, u32 entry)
{
    header(64, 0x10003);
    st32(file + 64 + 12, load + 64);
    st32(file + 64 + 16, load);
    st32(file + 64 + 20, load_end);
    st32(file + 64 + 24, bss_end);
    st32(file + 64 + 28, entry);
    length = 4096;
}

static void segment(unsigned n, u32 offset, u32 vaddr, u32 paddr, u32 len, u32 mem)
{
    u8 *p = file + 52 + 32 * n;
    st32(p, 1);
    st32(p + 4, offset);
    st32(p + 8, vaddr);
    st32(p + 12, paddr);
    st32(p + 16, len);
    st32(p + 20, mem);
}

static void elf(unsigned count, u32 entry)
{
    memcpy(file, "\x7f" "ELF\1\1\1", 7);
    st16(file + 16, 2);
    st16(file + 18, 3);
    st32(file + 24, entry);
    st32(file + 28, 52);
    st16(file + 42, 32);
    st16(file + 44, (u16)count);
    header(512, 3);
    length = 4096;
}

START_TEST(multiboot_kludge)
{
    u32 len, zeros;
    kludge(0x100000, 0, 0, 0x100010);
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(stream + 4), KERNEL_MULTIBOOT);
    ck_assert_uint_eq(ld32(stream + 8), 0x100010);
    ck_assert_ptr_nonnull(piece(0x100000, &len, &zeros));
    ck_assert_uint_eq(len, 4096);
    kludge(0x100000, 0x100400, 0x102000, 0x100010);
    ck_assert_int_eq(build(), 0);
    ck_assert_ptr_nonnull(piece(0x100000, &len, &zeros));
    ck_assert_uint_eq(len, 0x400);
    ck_assert_uint_eq(zeros, 0x1c00);
}
END_TEST

START_TEST(multiboot_kludge_hostile)
{
    kludge(0x100000, 0x102000, 0, 0x100010);
    expect_refusal("truncated");
    kludge(0x100000, 0xfffff, 0, 0x100010);
    expect_refusal("before it starts");
    kludge(0x100000, 0x100400, 0x100200, 0x100010);
    expect_refusal("BSS");
    kludge(0x100000, 0, 0xffffffff, 0x100010);
    expect_refusal("--memory");
    kludge(0x100000, 0, 0, 0x200000);
    expect_refusal("entry");
    kludge(0, 0, 0, 0x10);
    expect_refusal("does not fit");
    kludge(0xa0000, 0, 0, 0xa0000);
    expect_refusal("does not fit");
    kludge(0xfffffff0, 0, 0, 0xfffffff0);
    expect_refusal("before the start of the file"); /* the header's address wrapped */
    kludge(0x100000, 0, 0, 0x100010);
    st32(file + 76, 0x100041);
    expect_refusal("before the start of the file");
    setup();
    header(64, 0x10003);
    for (length = 64 + 12; length < 64 + 32; length++) ck_assert_int_eq(build(), -1);
}
END_TEST

START_TEST(multiboot_elf)
{
    u32 len, zeros;
    elf(2, 0xc0100004);
    segment(0, 0, 0xc0100000, 0x100000, 4096, 8192);
    segment(1, 100, 0xc0200000, 0x200000, 16, 16);
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(stream + 8), 0x100004);
    ck_assert_ptr_nonnull(piece(0x100000, &len, &zeros));
    ck_assert_uint_eq(zeros, 4096);
    ck_assert_ptr_nonnull(piece(0x200000, &len, &zeros));
    st32(file + 24, 0x200000); /* a physical entry point */
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(stream + 8), 0x200000);
}
END_TEST

START_TEST(multiboot_elf_hostile)
{
    elf(2, 0x100004);
    segment(0, 0, 0x100000, 0x100000, 4096, 8192);
    segment(1, 0, 0x101000, 0x101000, 16, 16);
    expect_refusal("overlaps");
    segment(1, 0xfffffff0, 0x201000, 0x201000, 32, 32);
    expect_refusal("truncated");
    segment(1, 0, 0x201000, 0x201000, 0xffffffff, 0xffffffff);
    expect_refusal("truncated");
    segment(1, 0, 0x201000, 0x201000, 32, 16);
    expect_refusal("larger in the file");
    segment(1, 0, 0x201000, 0xffffffff, 32, 0xffffffff);
    expect_refusal("does not fit");
    segment(1, 0, 0x201000, 0x201000, 0, 0);
    ck_assert_int_eq(build(), 0);
    st32(file + 24, 5);
    expect_refusal("entry");
    elf(0xffff, 0x100004);
    expect_refusal("program headers");
    elf(2, 0x100004);
    st32(file + 28, 0xffffffff);
    expect_refusal("program headers");
    elf(2, 0x100004);
    file[4] = 2;
    expect_refusal("32-bit ELF");
    elf(1, 0x100004);
    file[1] = 'X';
    expect_refusal("no ELF");
}
END_TEST

START_TEST(multiboot_required_flags)
{
    kludge(0x100000, 0, 0, 0x100010);
    header(64, 0x1000b);
    expect_refusal("flags 0008");
    header(64, 0xffff0003 & ~(u32)0xe0000000);
    ck_assert_int_eq(build(), 0); /* optional ones may be unknown */
    st32(file + 72, 0);
    expect_refusal("neither");
}
END_TEST

START_TEST(multiboot_modules_and_strings)
{
    u32 len, zeros;
    kludge(0x100000, 0, 0x101234, 0x100010);
    line = "a b";
    modules[0] = (struct kernel_module){ (char *)"m1 x", (u8 *)"11111", 5 };
    modules[1] = (struct kernel_module){ (char *)"m2", (u8 *)"22", 2 };
    nmodules = 2;
    ck_assert_int_eq(build(), 0);
    u32 base = ld32(stream + 12);
    const u8 *i = piece(base, &len, &zeros);
    ck_assert_ptr_nonnull(i);
    ck_assert_uint_eq(ld32(i) & 0x20c, 0x20c);
    ck_assert_str_eq((const char *)i + ld32(i + 16) - base, "dir/test a b");
    ck_assert_str_eq((const char *)i + ld32(i + 64) - base, "aeropc");
    ck_assert_uint_eq(ld32(i + 20), 2);
    const u8 *m = i + ld32(i + 24) - base;
    ck_assert_uint_eq(ld32(m), 0x102000);
    ck_assert_uint_eq(ld32(m + 4), 0x102005);
    ck_assert_str_eq((const char *)i + ld32(m + 8) - base, "m1 x");
    ck_assert_uint_eq(ld32(m + 16), 0x103000);
    ck_assert_mem_eq(piece(0x103000, &len, &zeros), "22", 2);
    modules[1].size = 100 << 20;
    expect_refusal("m2");
}
END_TEST

START_TEST(multiboot_low_segments_keep_their_place)
{
    kludge(0x10000, 0, 0, 0x10000);
    ck_assert_int_eq(build(), 0);
    ck_assert_uint_eq(ld32(stream + 12), 0x18000);
    kludge(0x8000, 0, 0x98000, 0x8000);
    expect_refusal("no 64 KiB");
}
END_TEST

START_TEST(others_are_refused_by_name)
{
    length = 100;
    expect_refusal("neither");
    length = 0;
    expect_refusal("neither");
    length = 4096;
    file[0] = 0x1f;
    file[1] = 0x8b;
    expect_refusal("gzip");
    memcpy(file, "\x7f" "ELF", 4);
    expect_refusal("vmlinuz");
}
END_TEST

START_TEST(options_need_a_kernel)
{
    struct config c;
    config_init(&c);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), 0);
    ck_assert_ptr_null(stream);
    config_set(&c, "append", "x", &e);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--append"));
    config_set(&c, "initrd", "x", &e);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--initrd"));
    config_set(&c, "kernel", "/nonexistent/kernel", &e);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
    config_set(&c, "kernel", "/dev/null", &e);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), -1);
    config_set(&c, "bios", "x", &e);
    ck_assert_int_eq(kernel_load(&c, RAM, &stream, &size, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--bios"));
    config_free(&c);
}
END_TEST

/* Random damage to good files: any answer, but no read out of bounds and a sound stream. */
START_TEST(random_damage)
{
    u32 seed = 1, len, zeros;
    for (unsigned round = 0; round < 20000; round++) {
        setup();
        if (round % 3 == 0) bzimage(0x20f);
        if (round % 3 == 1) kludge(0x100000, 0x100400, 0x102000, 0x100010);
        if (round % 3 == 2) {
            elf(2, 0x100004);
            segment(0, 0, 0x100000, 0x100000, 4096, 8192);
            segment(1, 0, 0x200000, 0x200000, 16, 16);
        }
        for (unsigned k = 0; k < 3; k++) {
            seed = seed * 1664525 + 1013904223;
            file[(seed >> 8) % (k ? 0x270 : 128)] = (u8)(seed >> 24);
        }
        if (build_in(16 * MIB + (seed >> 28) * MIB * 4) == 0) piece(0, &len, &zeros);
        free(stream);
        stream = NULL;
    }
}
END_TEST

Suite *kernel_suite(void);
Suite *kernel_suite(void)
{
    Suite *s = suite_create("kernel");
    TCase *t = tcase_create("kernel");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, linux_pieces_and_header);
    tcase_add_test(t, linux_initrd_stays_below_its_limit);
    tcase_add_test(t, linux_old_protocol);
    tcase_add_test(t, linux_command_line_limits);
    tcase_add_test(t, linux_hostile);
    tcase_add_test(t, multiboot_kludge);
    tcase_add_test(t, multiboot_kludge_hostile);
    tcase_add_test(t, multiboot_elf);
    tcase_add_test(t, multiboot_elf_hostile);
    tcase_add_test(t, multiboot_required_flags);
    tcase_add_test(t, multiboot_modules_and_strings);
    tcase_add_test(t, multiboot_low_segments_keep_their_place);
    tcase_add_test(t, others_are_refused_by_name);
    tcase_add_test(t, options_need_a_kernel);
    tcase_add_test(t, random_damage);
    suite_add_tcase(s, t);
    return s;
}

/* --kernel FILE --initrd FILE --append TEXT: a boot loader in two halves. This half runs once,
 * before the machine starts: it reads and checks the files, decides where each piece goes in guest
 * RAM and writes all of it as one byte stream (layout in kernel.h) that the BIOS finds in the
 * firmware configuration. At INT 19h, so after every reset anew, bios/kernel.c copies the pieces
 * and enters the kernel; it is also the one who knows the memory map.
 *
 * Linux: bzImage of boot protocol 2.02 or later (Documentation/arch/x86/boot.rst), entered through
 * its real-mode setup code, which asks the BIOS for E820 map and video mode itself. Setup at
 * 10000h, stack and heap above it, command line at 1E000h, the protected-mode part at 1 MiB, the
 * initrd as high as initrd_addr_max and mem= allow. Multiboot 0.6.96: 32-bit ELF or the address
 * fields of the header
 * ("a.out kludge"), modules page-aligned behind the kernel, information structure in low memory.
 *
 * Left out: zImage, ELF64, the ELF section headers in the multiboot information (flag 5), graphics
 * modes for multiboot (bit 2 of its flags is a recommendation; such a kernel is told about the
 * 80x25 text screen). */
#include "machine/board/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "machine/options.h"

enum { PAGE = 4096, MAX_RANGES = 128, MAX_SEGMENTS = 64, MAX_MODULES = 32 };
/* Addresses. Below LOW_FIRST are vectors and BIOS data, above LOW_END the BIOS's extended data
 * area. */
enum { LOW_FIRST = 0x1000, LOW_END = 0x9f000, HIGH_FIRST = 0x100000 };
#define TOP_RESERVE (256 * KIB) /* of RAM: the BIOS's tables; it checks the exact border itself */

struct range {
    u64 start, end;
};

struct builder {
    const struct kernel_files *f;
    u64 limit; /* end of the RAM that may be used */
    struct range used[MAX_RANGES];
    unsigned nused;
    u8 *stream;
    size_t size, room;
};

/* --- the stream --- */

static void append(struct builder *b, const void *data, size_t len)
{
    if (len > b->room - b->size) {
        b->room = MAX(b->size + len, b->room * 2);
        b->stream = xrealloc(b->stream, b->room);
    }
    if (len) memcpy(b->stream + b->size, data, len);
    b->size += len;
}

static bool in_ram(const struct builder *b, u64 start, u64 end)
{
    return (start >= LOW_FIRST && end <= LOW_END) || (start >= HIGH_FIRST && end <= b->limit);
}

static bool is_free(const struct builder *b, u64 start, u64 end)
{
    for (unsigned k = 0; k < b->nused; k++) {
        if (start < b->used[k].end && b->used[k].start < end) return false;
    }
    return true;
}

/* One piece: len bytes at address, zeros up to mem_len. */
static int place(struct builder *b, const char *what, u64 address, const void *data, u64 len,
                 u64 mem_len, struct error *e)
{
    u64 end = address + MAX(len, mem_len);
    u8 head[KERNEL_PIECE];
    if (end == address) return 0;
    if (end < address || !in_ram(b, address, end)) {
        return error_set(e,
                         "%s: %s at %llx-%llx does not fit the RAM, which is usable in %x-%x and "
                         "%x-%llx: a larger --memory may help",
                         b->f->name, what, (unsigned long long)address, (unsigned long long)end - 1,
                         LOW_FIRST, LOW_END - 1, HIGH_FIRST, (unsigned long long)b->limit - 1);
    }
    if (!is_free(b, address, end)) {
        return error_set(e, "%s: %s at %llx-%llx overlaps another part of it", b->f->name, what,
                         (unsigned long long)address, (unsigned long long)end - 1);
    }
    if (b->nused == MAX_RANGES)
        return error_set(e, "%s: more than %d pieces", b->f->name, MAX_RANGES);
    b->used[b->nused++] = (struct range){ address, end };
    st32(head, (u32)address);
    st32(head + 4, (u32)len);
    st32(head + 8, (u32)(end - address - len));
    append(b, head, sizeof(head));
    append(b, data, len);
    return 0;
}

static void finish(struct builder *b, unsigned kind, u32 entry, u32 argument)
{
    const char *slash = strrchr(b->f->name, '/');
    memcpy(b->stream, "AKS1", 4);
    st32(b->stream + 4, kind);
    st32(b->stream + 8, entry);
    st32(b->stream + 12, argument);
    st32(b->stream + 16, b->nused);
    snprintf((char *)b->stream + 20, KERNEL_HEAD - 20, "%s", slash ? slash + 1 : b->f->name);
}

/* --- Linux --- */

/* Offsets in the setup header. */
enum {
    H_SETUP_SECTS = 0x1f1,
    H_SYSSIZE = 0x1f4,
    H_VID_MODE = 0x1fa,
    H_BOOT_FLAG = 0x1fe,
    H_MAGIC = 0x202,
    H_VERSION = 0x206,
    H_TYPE_OF_LOADER = 0x210,
    H_LOADFLAGS = 0x211,
    H_RAMDISK_IMAGE = 0x218,
    H_RAMDISK_SIZE = 0x21c,
    H_HEAP_END_PTR = 0x224,
    H_CMD_LINE_PTR = 0x228,
    H_INITRD_ADDR_MAX = 0x22c,
    H_CMDLINE_SIZE = 0x238,
    H_PREF_ADDRESS = 0x258,
    H_INIT_SIZE = 0x260,
    H_END = 0x264
};
enum { LOADED_HIGH = 1, CAN_USE_HEAP = 0x80, LOADER_UNDEFINED = 0xff };
enum { SETUP_AT = 0x10000, SETUP_MAX = 0x8000, HEAP_END = 0xe000, CMDLINE_ROOM = 0x10000 };

struct linux_kernel {
    unsigned version;
    size_t setup_size;
    u64 run_end; /* the unpacked kernel ends there; the file's own end when the header does not say
                  */
    u64 initrd_max;
    u32 cmdline_max;
};

bool kernel_is_linux(const u8 *data, size_t size)
{
    return size >= H_VERSION + 2 && ld16(data + H_BOOT_FLAG) == 0xaa55 &&
           !memcmp(data + H_MAGIC, "HdrS", 4);
}

static int parse_linux(const struct kernel_files *f, struct linux_kernel *k, struct error *e)
{
    unsigned sects = f->data[H_SETUP_SECTS];
    *k = (struct linux_kernel){ ld16(f->data + H_VERSION), ((sects ? sects : 4) + 1) * 512, 0,
                                0x37ffffff, 255 };
    if (k->version < 0x202) {
        return error_set(e,
                         "%s is a Linux kernel of boot protocol %u.%02u: 2.02 or later is needed",
                         f->name, k->version >> 8, k->version & 255);
    }
    if (f->size <= k->setup_size || k->setup_size < H_END)
        return error_set(e, "%s is truncated: a Linux kernel ends in its setup code", f->name);
    if (k->setup_size > SETUP_MAX)
        return error_set(e, "%s: a Linux kernel with %zu bytes of setup code, more than 32 KiB",
                         f->name, k->setup_size);
    if (!(f->data[H_LOADFLAGS] & LOADED_HIGH))
        return error_set(e, "%s is a zImage: only Linux kernels of the bzImage form are started",
                         f->name);
    u64 body = f->size - k->setup_size, said = (u64)ld32(f->data + H_SYSSIZE) * 16;
    if (k->version >= 0x204 && said > body + 15) {
        return error_set(e,
                         "%s is truncated: %llu bytes follow the setup code, the header says %llu",
                         f->name, (unsigned long long)body, (unsigned long long)said);
    }
    k->run_end = HIGH_FIRST + body;
    if (k->version >= 0x203) k->initrd_max = ld32(f->data + H_INITRD_ADDR_MAX);
    if (k->version >= 0x206 && ld32(f->data + H_CMDLINE_SIZE))
        k->cmdline_max = ld32(f->data + H_CMDLINE_SIZE);
    if (k->version >= 0x20a) {
        u64 start = ld64(f->data + H_PREF_ADDRESS), size = ld32(f->data + H_INIT_SIZE);
        if (start > UINT32_MAX)
            return error_set(e, "%s wants to run at %llx, above 4 GiB", f->name,
                             (unsigned long long)start);
        k->run_end = MAX(k->run_end, MAX(start, (u64)HIGH_FIRST) + size);
    }
    return 0;
}

/* The value of the last "name=value" on the command line, or NULL. */
static const char *argument(const char *line, const char *name)
{
    const char *found = NULL;
    size_t n = strlen(name);
    for (const char *s = line; *s; s += strcspn(s, " ")) {
        s += strspn(s, " ");
        if (!strncmp(s, name, n)) found = s + n;
    }
    return found;
}

/* vga= is for the boot loader: the video mode field of the header. */
static int video_mode(u8 *setup, const char *line, struct error *e)
{
    static const struct {
        const char *word;
        u16 mode;
    } words[] = { { "normal", 0xffff }, { "ext", 0xfffe }, { "ask", 0xfffd } };
    const char *v = argument(line, "vga=");
    char *end;
    if (!v) return 0;
    for (unsigned k = 0; k < LEN(words); k++) {
        if (strcspn(v, " ") != strlen(words[k].word) ||
            strncmp(v, words[k].word, strlen(words[k].word)))
            continue;
        st16(setup + H_VID_MODE, words[k].mode);
        return 0;
    }
    unsigned long mode = strtoul(v, &end, 0);
    if (end == v || (*end && *end != ' ') || mode > 0xffff) {
        return error_set(e, "--append: vga=%.*s is neither normal, ext, ask nor a mode number",
                         (int)strcspn(v, " "), v);
    }
    st16(setup + H_VID_MODE, (u16)mode);
    return 0;
}

/* mem= limits where an initrd may go: the kernel will not see RAM behind it. */
static u64 mem_argument(const char *line)
{
    const char *v = argument(line, "mem=");
    char word[32];
    u64 bytes;
    if (!v) return UINT64_MAX;
    snprintf(word, sizeof(word), "%.*s", (int)MIN(strcspn(v, " "), sizeof(word) - 1), v);
    return parse_size(word, &bytes) ? UINT64_MAX : bytes;
}

static int place_initrd(struct builder *b, const struct linux_kernel *k, u8 *setup, struct error *e)
{
    const struct kernel_module *m = b->f->modules;
    u64 top = MIN(MIN(b->limit, k->initrd_max + 1), mem_argument(b->f->append)),
        bottom = (k->run_end + PAGE - 1) & -(u64)PAGE;
    u64 at = top >= m->size ? (top - m->size) & -(u64)PAGE : 0;
    if (at < bottom) {
        return error_set(e,
                         "%s: the initrd of %llu KiB does not fit between the kernel's end at %llx "
                         "and %llx: a larger --memory may help",
                         m->text, (unsigned long long)m->size / 1024, (unsigned long long)bottom,
                         (unsigned long long)top);
    }
    st32(setup + H_RAMDISK_IMAGE, (u32)at);
    st32(setup + H_RAMDISK_SIZE, (u32)m->size);
    return place(b, "the initrd", at, m->data, m->size, 0, e);
}

static int build_linux(struct builder *b, struct error *e)
{
    const struct kernel_files *f = b->f;
    struct linux_kernel k;
    u8 setup[SETUP_MAX];
    size_t line = strlen(f->append);
    if (parse_linux(f, &k, e)) return -1;
    if (f->nmodules > 1) return error_set(e, "%s: a Linux kernel takes one initrd", f->name);
    if (line > MIN(k.cmdline_max, CMDLINE_ROOM - 1u)) {
        return error_set(e, "--append: %zu characters, the kernel takes %u", line,
                         MIN(k.cmdline_max, CMDLINE_ROOM - 1u));
    }
    if (k.run_end > b->limit) {
        return error_set(e, "%s needs RAM up to %llu MiB to unpack itself: give a larger --memory",
                         f->name, (unsigned long long)((k.run_end + TOP_RESERVE + MIB - 1) / MIB));
    }
    memcpy(setup, f->data, k.setup_size);
    setup[H_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    setup[H_LOADFLAGS] |= CAN_USE_HEAP;
    st16(setup + H_HEAP_END_PTR, HEAP_END - 0x200);
    st32(setup + H_CMD_LINE_PTR, SETUP_AT + HEAP_END);
    st32(setup + H_RAMDISK_IMAGE, 0);
    st32(setup + H_RAMDISK_SIZE, 0);
    if (video_mode(setup, f->append, e)) return -1;
    if (f->nmodules && place_initrd(b, &k, setup, e)) return -1;
    if (place(b, "the setup code", SETUP_AT, setup, k.setup_size, 0, e) ||
        place(b, "the command line", SETUP_AT + HEAP_END, f->append, line + 1, 0, e) ||
        place(b, "the kernel", HIGH_FIRST, f->data + k.setup_size, f->size - k.setup_size, 0, e))
        return -1;
    finish(b, KERNEL_LINUX, SETUP_AT >> 4, HEAP_END);
    return 0;
}

/* --- multiboot --- */

enum {
    MB_MAGIC = 0x1badb002,
    MB_SEARCH = 8192,
    MB_VIDEO = BIT(2),
    MB_KLUDGE = BIT(16),
    MB_KNOWN = 7
};
/* The information structure and what shares its block. */
enum {
    I_FLAGS = 0,
    I_CMDLINE = 16,
    I_MODS_COUNT = 20,
    I_MODS_ADDR = 24,
    I_LOADER_NAME = 64,
    I_FRAMEBUFFER = 88,
    I_MAP = 128,
    I_MODULES = 1024,
    I_TEXT = I_MODULES + MAX_MODULES * 16,
    I_MAX = 0x10000
};
enum {
    HAS_CMDLINE = BIT(2),
    HAS_MODS = BIT(3),
    HAS_LOADER_NAME = BIT(9),
    HAS_FRAMEBUFFER = BIT(12)
};

/* Offset of the header, or -1. */
static long find_multiboot(const u8 *data, size_t size)
{
    for (size_t k = 0; k + 12 <= MIN(size, (size_t)MB_SEARCH); k += 4) {
        if (ld32(data + k) == MB_MAGIC && MB_MAGIC + ld32(data + k + 4) + ld32(data + k + 8) == 0)
            return (long)k;
    }
    return -1;
}

/* Load addresses from the header itself. */
static int load_kludge(struct builder *b, size_t at, u32 *entry, struct error *e)
{
    const struct kernel_files *f = b->f;
    if (at + 32 > f->size) return error_set(e, "%s is truncated in its multiboot header", f->name);
    const u8 *h = f->data + at;
    u64 header = ld32(h + 12), load = ld32(h + 16), load_end = ld32(h + 20), bss_end = ld32(h + 24);
    *entry = ld32(h + 28);
    if (header < load || header - load > at)
        return error_set(
            e, "%s: its multiboot header says it is loaded from before the start of the file",
            f->name);
    u64 offset = at - (header - load), len = f->size - offset;
    if (load_end) {
        if (load_end < load)
            return error_set(e, "%s: its multiboot header says it ends before it starts", f->name);
        if (load_end - load > len)
            return error_set(e, "%s is truncated: its multiboot header says %llu bytes more",
                             f->name, (unsigned long long)(load_end - load - len));
        len = load_end - load;
    }
    if (bss_end && bss_end < load + len)
        return error_set(e, "%s: its multiboot header has a BSS that ends before the data",
                         f->name);
    u64 end = bss_end ? bss_end : load + len;
    if (*entry < load || *entry >= end)
        return error_set(e, "%s: its entry point %x lies outside of it", f->name, *entry);
    return place(b, "the image", load, f->data + offset, len, end - load, e);
}

/* One PT_LOAD segment; entry is translated when it is given as a virtual address of this segment.
 */
static int load_segment(struct builder *b, const u8 *p, u32 start, u32 *entry, bool *found,
                        struct error *e)
{
    const struct kernel_files *f = b->f;
    u64 offset = ld32(p + 4), vaddr = ld32(p + 8), paddr = ld32(p + 12), len = ld32(p + 16),
        mem = ld32(p + 20);
    if (len > mem)
        return error_set(e, "%s: an ELF segment is larger in the file than in memory", f->name);
    if (offset > f->size || len > f->size - offset)
        return error_set(e, "%s is truncated: an ELF segment lies behind its end", f->name);
    if (!*found && start >= vaddr && start - vaddr < mem) {
        *entry = (u32)(start - vaddr + paddr);
        *found = true;
    }
    return place(b, "an ELF segment", paddr, f->data + offset, len, mem, e);
}

static int load_elf(struct builder *b, u32 *entry, struct error *e)
{
    const struct kernel_files *f = b->f;
    const u8 *d = f->data;
    if (f->size < 52 || memcmp(d,
                               "\x7f"
                               "ELF",
                               4))
        return error_set(e, "%s has a multiboot header without addresses and is no ELF file",
                         f->name);
    if (d[4] != 1 || d[5] != 1 || ld16(d + 18) != 3)
        return error_set(
            e, "%s: a multiboot kernel must be 32-bit ELF for the 386 (objcopy -O elf32-i386)",
            f->name);
    u64 at = ld32(d + 28), size = ld16(d + 42), count = ld16(d + 44);
    u32 start = ld32(d + 24);
    bool found = false;
    if (ld16(d + 16) != 2 || !count) return error_set(e, "%s is no ELF executable", f->name);
    if (size < 32 || count > MAX_SEGMENTS || at > f->size || size * count > f->size - at) {
        return error_set(e, "%s: its ELF program headers are damaged or truncated", f->name);
    }
    for (u64 k = 0; k < count; k++) {
        const u8 *p = d + at + k * size;
        if (ld32(p) == 1 && load_segment(b, p, start, entry, &found, e)) return -1;
    }
    for (unsigned k = 0; k < b->nused && !found; k++) {
        if (start < b->used[k].start || start >= b->used[k].end) continue;
        *entry = start;
        found = true;
    }
    return found ? 0 : error_set(e, "%s: its entry point %x lies in no segment", f->name, start);
}

/* Modules from the first page behind everything at or above 1 MiB; addresses into the information
 * block. */
static int place_modules(struct builder *b, u8 *info, struct error *e)
{
    const struct kernel_files *f = b->f;
    u64 at = HIGH_FIRST;
    for (unsigned k = 0; k < b->nused; k++) at = MAX(at, b->used[k].end);
    if (f->nmodules > MAX_MODULES)
        return error_set(e, "--initrd: %u modules, at most %d", f->nmodules, MAX_MODULES);
    for (unsigned k = 0; k < f->nmodules; k++) {
        const struct kernel_module *m = &f->modules[k];
        at = (at + PAGE - 1) & -(u64)PAGE;
        st32(info + I_MODULES + 16 * k, (u32)at);
        st32(info + I_MODULES + 16 * k + 4, (u32)(at + m->size));
        if (place(b, m->text, at, m->data, m->size, 0, e)) return -1;
        at += m->size;
    }
    return 0;
}

/* Copies a string into the block; returns its guest address, 0 when the block is full. */
static u32 put_text(u8 *info, u32 base, u32 *used, const char *text)
{
    u32 at = *used;
    size_t n = strlen(text) + 1;
    if (n > I_MAX - at) return 0;
    memcpy(info + at, text, n);
    *used += (u32)n;
    return base + at;
}

static int place_info(struct builder *b, u8 *info, u32 header_flags, u32 *address, struct error *e)
{
    const struct kernel_files *f = b->f;
    u32 used = I_TEXT, base = 0x10000;
    while (base < LOW_END && !is_free(b, base, base + I_MAX)) base += 0x8000;
    if (base + I_MAX > LOW_END)
        return error_set(e, "%s: no 64 KiB below 640 KiB are left for the multiboot information",
                         f->name);
    char *line = xasprintf("%s%s%s", f->name, *f->append ? " " : "", f->append);
    bool full = false;
    for (unsigned k = 0; k < f->nmodules; k++) {
        u32 at = put_text(info, base, &used, f->modules[k].text);
        st32(info + I_MODULES + 16 * k + 8, at);
        full |= !at;
    }
    st32(info + I_CMDLINE, put_text(info, base, &used, line));
    st32(info + I_LOADER_NAME, put_text(info, base, &used, "aeropc"));
    free(line);
    if (full || !ld32(info + I_CMDLINE) || !ld32(info + I_LOADER_NAME))
        return error_set(e, "--append and --initrd: more text than 60 KiB");
    st32(info + I_FLAGS, HAS_CMDLINE | HAS_MODS | HAS_LOADER_NAME |
                             (header_flags & MB_VIDEO ? HAS_FRAMEBUFFER : 0));
    st32(info + I_MODS_COUNT, f->nmodules);
    st32(info + I_MODS_ADDR, base + I_MODULES);
    if (header_flags & MB_VIDEO) {
        st64(info + I_FRAMEBUFFER, 0xb8000);
        st32(info + I_FRAMEBUFFER + 8, 160);
        st32(info + I_FRAMEBUFFER + 12, 80);
        st32(info + I_FRAMEBUFFER + 16, 25);
        info[I_FRAMEBUFFER + 20] = 16;
        info[I_FRAMEBUFFER + 21] = 2; /* text */
    }
    *address = base;
    return place(b, "the multiboot information", base, info, used, 0, e);
}

static int build_multiboot(struct builder *b, size_t at, struct error *e)
{
    u32 flags = ld32(b->f->data + at + 4), entry = 0, address = 0;
    if (flags & 0xffff & ~MB_KNOWN) {
        return error_set(
            e,
            "%s is a multiboot kernel that requires features (flags %04x) which are not provided",
            b->f->name, flags & 0xffff & ~MB_KNOWN);
    }
    if (flags & MB_KLUDGE ? load_kludge(b, at, &entry, e) : load_elf(b, &entry, e)) return -1;
    u8 *info = xalloc(I_MAX);
    int ret = place_modules(b, info, e) || place_info(b, info, flags, &address, e) ? -1 : 0;
    free(info);
    if (!ret) finish(b, KERNEL_MULTIBOOT, entry, address);
    return ret;
}

/* --- the whole --- */

static int not_a_kernel(const struct kernel_files *f, struct error *e)
{
    if (f->size > 2 && f->data[0] == 0x1f && f->data[1] == 0x8b)
        return error_set(e, "%s is compressed by gzip: unpack it first", f->name);
    if (f->size > 4 && !memcmp(f->data,
                               "\x7f"
                               "ELF",
                               4)) {
        return error_set(
            e, "%s is an ELF file without a multiboot header; of Linux give the bzImage (vmlinuz)",
            f->name);
    }
    return error_set(e, "%s is neither a Linux bzImage nor a multiboot kernel", f->name);
}

int kernel_build(const struct kernel_files *f, u64 low_ram, u8 **stream, size_t *size,
                 struct error *e)
{
    static const u8 head[KERNEL_HEAD];
    struct builder b = { .f = f, .limit = low_ram - MIN(low_ram, TOP_RESERVE) };
    long multiboot = find_multiboot(f->data, f->size);
    append(&b, head, sizeof(head));
    int ret = kernel_is_linux(f->data, f->size) ? build_linux(&b, e)
              : multiboot >= 0                  ? build_multiboot(&b, (size_t)multiboot, e)
                                                : not_a_kernel(f, e);
    if (ret) {
        free(b.stream);
        return -1;
    }
    *stream = b.stream;
    *size = b.size;
    return 0;
}

static int read_whole(const char *path, const char *option, u64 max, u8 **data, size_t *size,
                      struct error *e)
{
    struct stat st;
    if (stat(path, &st)) return error_set(e, "%s %s: %s", option, path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return error_set(e, "%s %s: not a file", option, path);
    if (!st.st_size) return error_set(e, "%s %s: the file is empty", option, path);
    if ((u64)st.st_size > max) {
        return error_set(e, "%s %s: %llu MiB do not fit the guest's RAM: give a larger --memory",
                         option, path, (unsigned long long)st.st_size / MIB);
    }
    FILE *f = fopen(path, "rb");
    if (!f) return error_set(e, "%s %s: %s", option, path, strerror(errno));
    *size = (size_t)st.st_size;
    *data = xalloc(*size);
    size_t n = fread(*data, 1, *size, f);
    fclose(f);
    return n == *size ? 0 : error_set(e, "%s %s: cannot be read", option, path);
}

/* The next item of a comma-separated list, ",," standing for a comma; *s moves behind it. The
 * caller frees it. */
static char *next_item(const char **s)
{
    char *item = xalloc(strlen(*s) + 1);
    size_t n = 0;
    while (**s && (**s != ',' || (*s)[1] == ',')) {
        if (**s == ',') (*s)++;
        item[n++] = *(*s)++;
    }
    if (**s) (*s)++;
    return item;
}

static int load_module(struct kernel_module *m, char *text, bool arguments, u64 max,
                       struct error *e)
{
    char *path = xstrdup(text);
    m->text = text;
    if (arguments) path[strcspn(path, " ")] = 0;
    int ret = read_whole(path, "--initrd", max, &m->data, &m->size, e);
    free(path);
    return ret;
}

int kernel_load(const struct config *c, u64 low_ram, u8 **stream, size_t *size, struct error *e)
{
    struct kernel_module modules[MAX_MODULES] = { 0 };
    struct kernel_files f = { .name = c->kernel,
                              .append = c->append ? c->append : "",
                              .modules = modules };
    u8 *data = NULL;
    *stream = NULL;
    if (!c->kernel && c->initrd)
        return error_set(e, "--initrd: is for a kernel given with --kernel");
    if (!c->kernel && c->append)
        return error_set(e, "--append: is for a kernel given with --kernel");
    if (!c->kernel) return 0;
    if (c->bios)
        return error_set(
            e, "--kernel: is started by our own BIOS, which --bios replaces: give one of them");
    int ret = read_whole(c->kernel, "--kernel", low_ram, &data, &f.size, e);
    f.data = data;
    bool is_linux = !ret && kernel_is_linux(f.data, f.size);
    const char *s = c->initrd;
    while (!ret && s && *s) {
        if (f.nmodules == MAX_MODULES) {
            ret = error_set(e, "--initrd: more than %d modules", MAX_MODULES);
            break;
        }
        char *text = is_linux ? xstrdup(s) : next_item(&s);
        if (is_linux) s = NULL;
        ret = load_module(&modules[f.nmodules++], text, !is_linux, low_ram, e);
    }
    if (!ret) ret = kernel_build(&f, low_ram, stream, size, e);
    for (unsigned k = 0; k < f.nmodules; k++) {
        free(modules[k].text);
        free(modules[k].data);
    }
    free(data);
    return ret;
}

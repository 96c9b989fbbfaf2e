/*
 * The firmware configuration channel: a selector at port 510h, a byte stream at 511h.
 *
 * Item 0 reads "QEMU"; item 19h is the file directory, a big-endian count and 64-byte entries
 * (size, selector, reserved, name). Everything read is bounded by the caller's buffer. A machine
 * without the channel boots with what CMOS says.
 */
#include "bios/fwcfg.h"
#include "bios/state.h"

enum { PORT_SELECT = 0x510, PORT_DATA = 0x511, ITEM_SIGNATURE = 0, ITEM_DIRECTORY = 0x19 };
enum { MAX_FILES = 512 };

static u32 swap32(u32 v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

void fw_select(u16 key)
{
    outw(PORT_SELECT, key);
}

void fw_read(void *to, u32 len)
{
    asm volatile("rep insb" : "+c"(len), "+D"(to) : "d"((u16)PORT_DATA) : "memory");
}

void fw_read_flat(u32 to, u32 len)
{
    u8 buf[256];
    while (len) {
        u32 n = len < sizeof buf ? len : sizeof buf;
        fw_read(buf, n);
        flat_copy(to, (SEG_DATA << 4) + (u32)buf, n);
        to += n;
        len -= n;
    }
}

void fw_init(void)
{
    char sig[4];
    fw_select(ITEM_SIGNATURE);
    fw_read(sig, 4);
    bs.have_fw_cfg = memcmp(sig, "QEMU", 4) == 0;
}

u16 fw_item16(u16 key)
{
    u16 v = 0;
    if (!bs.have_fw_cfg) return 0;
    fw_select(key);
    fw_read(&v, 2);
    return v;
}

/*
 * First file at or after `index` whose name starts with `prefix`; returns the index after it, or 0.
 * The directory is read again for every match, because the caller may have selected other items.
 */
static u32 next_match(u32 index, const char *prefix, struct fw_file *f)
{
    struct {
        u32 size;
        u16 select, reserved;
        char name[FW_NAME];
    } e;
    u32 count;
    fw_select(ITEM_DIRECTORY);
    fw_read(&count, 4);
    count = swap32(count);
    if (count > MAX_FILES) count = MAX_FILES;
    for (u32 i = 0; i < count; i++) {
        fw_read(&e, sizeof e);
        e.name[FW_NAME - 1] = 0;
        if (i < index || memcmp(e.name, prefix, str_len(prefix))) continue;
        f->size = swap32(e.size);
        f->select = (u16)(e.select << 8 | e.select >> 8);
        memcpy(f->name, e.name, FW_NAME);
        return i + 1;
    }
    return 0;
}

int fw_each(const char *prefix, int (*each)(const struct fw_file *f))
{
    struct fw_file f;
    u32 at = 0;
    while (bs.have_fw_cfg && (at = next_match(at, prefix, &f)) != 0) {
        int result = each(&f);
        if (result) return result;
    }
    return 0;
}

int fw_find(const char *name, struct fw_file *f)
{
    u32 at = 0;
    while (bs.have_fw_cfg && (at = next_match(at, name, f)) != 0)
        if (str_equal(f->name, name)) return 1;
    return 0;
}

/* Text file into a terminated string; trailing line ends are cut. Returns its length. */
int fw_text(const char *name, char *to, u32 size)
{
    struct fw_file f;
    to[0] = 0;
    if (!fw_find(name, &f)) return 0;
    u32 n = f.size < size - 1 ? f.size : size - 1;
    fw_select(f.select);
    fw_read(to, n);
    to[n] = 0;
    n = str_len(to);
    while (n && (to[n - 1] == '\n' || to[n - 1] == '\r' || to[n - 1] == ' ')) to[--n] = 0;
    return n;
}

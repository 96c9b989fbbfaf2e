/* The static half: follows every path that control flow can take from the entries on, without
 * running anything. Conditional jumps go both ways, calls are assumed to return. The video BIOS has
 * no jump tables and no calls through pointers, so nothing escapes; such a jump is reported. */
#include "tests/w7/int10/x86.h"

enum { MAX_PENDING = 0x10000 }; /* each address is pushed once */

struct walk {
    const u8 *rom;
    u8 seen[0x10000];
    u16 pending[MAX_PENDING];
    unsigned n, found;
    void (*bad)(u16 ip, const u8 *bytes, const char *why);
};

static void later(struct walk *w, u16 ip)
{
    if (w->seen[ip]) return;
    w->seen[ip] = 1;
    w->pending[w->n++] = ip;
}

/* True if the instruction after this one can follow. */
static bool targets(struct walk *w, const struct insn *i, u16 ip)
{
    u16 next = (u16)(ip + i->len);
    switch (i->op) {
    case 0x70 ... 0x7f:
    case 0xe0 ... 0xe3: later(w, (u16)(next + (i8)i->imm)); return true;
    case 0x180 ... 0x18f:
    case 0xe8: later(w, (u16)(next + i->imm)); return true;
    case 0xe9: later(w, (u16)(next + i->imm)); return false;
    case 0xeb: later(w, (u16)(next + (i8)i->imm)); return false;
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf: return false;
    case 0x9a:
    case 0xea: w->bad(ip, w->rom + ip, "far target: not followed"); return i->op == 0x9a;
    case 0xff:
        if (i->reg < 2 || i->reg > 5) return true;
        w->bad(ip, w->rom + ip, "target comes from memory or a register");
        return i->reg < 4;
    default: return true;
    }
}

unsigned scan(const u8 *rom, const u16 *entries, unsigned n,
              void (*bad)(u16 ip, const u8 *bytes, const char *why))
{
    static struct walk w;
    memset(&w, 0, sizeof(w));
    w.rom = rom;
    w.bad = bad;
    for (unsigned k = 0; k < n; k++) later(&w, entries[k]);
    while (w.n) {
        u16 ip = w.pending[--w.n];
        struct insn i;
        u8 bytes[16];
        for (unsigned k = 0; k < sizeof(bytes); k++) bytes[k] = rom[(u16)(ip + k)];
        const char *why = decode(bytes, &i);
        w.found++;
        if (why) bad(ip, rom + ip, why);
        /* One that was only refused for its form still has a length: the rest is read, too. */
        if (i.len && targets(&w, &i, ip)) later(&w, (u16)(ip + i.len));
    }
    return w.found;
}

/* One instruction of the strict interpreter (x86.h). Flags are computed eagerly, bit by bit where
 * that is simplest; speed does not matter here. Undefined flags are left as they were. */
#include "tests/w7/int10/x86.h"

void refuse(struct cpu *c, const char *why, u32 addr)
{
    if (c->why) return;
    c->why = why;
    c->why_addr = addr;
    c->why_ip = c->ip;
}

/* --- memory, stack, registers --- */

static u32 load(struct cpu *c, u8 seg, u32 off, unsigned size)
{
    u32 v = 0;
    if (off + size > 0x10000u || off > 0xffff) return refuse(c, "offset beyond 64 KiB", off), 0;
    for (unsigned k = 0; k < size && !c->why; k++) {
        const char *why = NULL;
        u32 linear = c->sel[seg] * 16u + off + k;
        v |= (u32)c->wi->load(c->w, linear, &why) << (8 * k);
        if (why) refuse(c, why, linear);
    }
    return v;
}

static void store(struct cpu *c, u8 seg, u32 off, u32 v, unsigned size)
{
    if (off + size > 0x10000u || off > 0xffff) {
        refuse(c, "offset beyond 64 KiB", off);
        return;
    }
    for (unsigned k = 0; k < size && !c->why; k++) {
        const char *why = NULL;
        u32 linear = c->sel[seg] * 16u + off + k;
        c->wi->store(c->w, linear, (u8)(v >> (8 * k)), &why);
        if (why) refuse(c, why, linear);
    }
}

static u32 get_reg(const struct cpu *c, u8 n, unsigned size)
{
    if (size == 1) return (u8)(n < 4 ? c->r[n] : c->r[n & 3] >> 8);
    return size == 2 ? (u16)c->r[n] : c->r[n];
}

static void set_reg(struct cpu *c, u8 n, u32 v, unsigned size)
{
    if (size == 1 && n < 4)
        c->r[n] = (c->r[n] & ~0xffu) | (u8)v;
    else if (size == 1)
        c->r[n & 3] = (c->r[n & 3] & ~0xff00u) | (v & 0xff) << 8;
    else if (size == 2)
        c->r[n] = (c->r[n] & 0xffff0000u) | (u16)v;
    else
        c->r[n] = v;
}

static void note_sp(struct cpu *c)
{
    u16 sp = (u16)c->r[ESP];
    if (sp < c->sp_min) c->sp_min = sp;
    if (sp < c->stack_low) refuse(c, "more than 512 bytes of stack", sp);
}

static void push(struct cpu *c, u32 v, unsigned size)
{
    set_reg(c, ESP, c->r[ESP] - size, 2);
    note_sp(c);
    store(c, SS, (u16)c->r[ESP], v, size);
}

static u32 pop(struct cpu *c, unsigned size)
{
    u32 v = load(c, SS, (u16)c->r[ESP], size);
    set_reg(c, ESP, c->r[ESP] + size, 2);
    return v;
}

/* --- operands --- */

static u32 effective(struct cpu *c, const struct insn *i, u8 *seg)
{
    static const i8 pair[8][2] = { { EBX, ESI }, { EBX, EDI }, { EBP, ESI }, { EBP, EDI },
                                   { ESI, -1 },  { EDI, -1 },  { EBP, -1 },  { EBX, -1 } };
    i8 base = i->base, index = i->index;
    u8 scale = i->scale;
    if (i->addrsize == 2 && !(i->mod == 0 && i->rm == 6)) {
        base = pair[i->rm][0];
        index = pair[i->rm][1];
        scale = 0;
    }
    u32 off = i->disp;
    if (base >= 0) off += c->r[base];
    if (index >= 0) off += c->r[index] << scale;
    *seg = i->seg >= 0 ? (u8)i->seg : base == EBP ? SS : DS;
    return i->addrsize == 2 ? (u16)off : off;
}

static u32 get_rm(struct cpu *c, const struct insn *i, unsigned size)
{
    u8 seg;
    if (i->mod == 3) return get_reg(c, i->rm, size);
    u32 off = effective(c, i, &seg);
    return load(c, seg, off, size);
}

static void set_rm(struct cpu *c, const struct insn *i, u32 v, unsigned size)
{
    u8 seg;
    if (i->mod == 3) {
        set_reg(c, i->rm, v, size);
        return;
    }
    u32 off = effective(c, i, &seg);
    store(c, seg, off, v, size);
}

/* --- flags and arithmetic --- */

static void flag(struct cpu *c, u32 f, bool on)
{
    c->flags = on ? c->flags | f : c->flags & ~f;
}

static u32 sign(unsigned size)
{
    return 1u << (size * 8 - 1);
}

static u32 szp(struct cpu *c, u32 v, unsigned size)
{
    v &= (u32)mask_n(size);
    flag(c, ZF, v == 0);
    flag(c, SF, v & sign(size));
    flag(c, PF, !(__builtin_popcount(v & 0xff) & 1));
    return v;
}

static u32 add(struct cpu *c, u32 a, u32 b, bool carry, unsigned size)
{
    u64 wide = (u64)a + b + carry;
    u32 v = szp(c, (u32)wide, size);
    flag(c, CF, wide > mask_n(size));
    flag(c, AF, (a ^ b ^ v) & 0x10);
    flag(c, OF, ~(a ^ b) & (a ^ v) & sign(size));
    return v;
}

static u32 sub(struct cpu *c, u32 a, u32 b, bool borrow, unsigned size)
{
    u32 v = szp(c, a - b - borrow, size);
    flag(c, CF, (u64)a < (u64)b + borrow);
    flag(c, AF, (a ^ b ^ v) & 0x10);
    flag(c, OF, (a ^ b) & (a ^ v) & sign(size));
    return v;
}

static u32 logic(struct cpu *c, u32 v, unsigned size)
{
    c->flags &= ~(u32)(CF | OF | AF);
    return szp(c, v, size);
}

/* ADD OR ADC SBB AND SUB XOR CMP; CMP returns a. */
static u32 alu(struct cpu *c, unsigned op, u32 a, u32 b, unsigned size)
{
    switch (op) {
    case 0: return add(c, a, b, false, size);
    case 1: return logic(c, a | b, size);
    case 2: return add(c, a, b, c->flags & CF, size);
    case 3: return sub(c, a, b, c->flags & CF, size);
    case 4: return logic(c, a & b, size);
    case 5: return sub(c, a, b, false, size);
    case 6: return logic(c, a ^ b, size);
    default: sub(c, a, b, false, size); return a;
    }
}

/* INC and DEC leave the carry alone. */
static u32 step(struct cpu *c, u32 v, bool down, unsigned size)
{
    u32 carry = c->flags & CF;
    v = down ? sub(c, v, 1, false, size) : add(c, v, 1, false, size);
    c->flags = (c->flags & ~(u32)CF) | carry;
    return v;
}

static u32 shift_once(struct cpu *c, unsigned op, u32 v, unsigned size)
{
    u32 top = sign(size), carry = c->flags & CF, out;
    bool left = op == 0 || op == 2 || op == 4;
    out = left ? (v & top) != 0 : v & 1;
    u32 w = left ? v << 1 : v >> 1;
    if (op == 0) w |= out;
    if (op == 1) w |= out ? top : 0;
    if (op == 2) w |= carry;
    if (op == 3) w |= carry ? top : 0;
    if (op == 7) w |= v & top;
    w &= (u32)mask_n(size);
    flag(c, CF, out);
    flag(c, OF, left ? ((w & top) != 0) != (bool)out : (v ^ w) & top);
    return w;
}

static u32 shift(struct cpu *c, unsigned op, u32 v, unsigned n, unsigned size)
{
    if (!(n &= 31)) return v;
    while (n--) v = shift_once(c, op, v, size);
    if (op >= 4) szp(c, v, size);
    return v;
}

static u32 shift_double(struct cpu *c, bool left, u32 a, u32 b, unsigned n, unsigned size)
{
    n &= 31;
    if (!n || n > size * 8) return a;
    for (; n; n--) {
        u32 in = left ? (b & sign(size)) != 0 : b & 1;
        flag(c, CF, left ? a & sign(size) : a & 1);
        a = left ? (a << 1 | in) : (a >> 1 | (in ? sign(size) : 0));
        a &= (u32)mask_n(size);
        b = left ? b << 1 : b >> 1;
    }
    return szp(c, a, size);
}

static bool condition(const struct cpu *c, unsigned cc)
{
    u32 f = c->flags;
    bool less = !(f & SF) != !(f & OF), yes;
    switch (cc >> 1) {
    case 0: yes = f & OF; break;
    case 1: yes = f & CF; break;
    case 2: yes = f & ZF; break;
    case 3: yes = f & (CF | ZF); break;
    case 4: yes = f & SF; break;
    case 5: yes = f & PF; break;
    case 6: yes = less; break;
    default: yes = less || f & ZF; break;
    }
    return yes != (cc & 1);
}

/* --- multiplication and division: F6h and F7h /4-/7 --- */

static void multiply(struct cpu *c, u32 b, bool is_signed, unsigned size)
{
    unsigned bits = size * 8;
    u64 a = get_reg(c, EAX, size), v;
    if (is_signed)
        v = (u64)((i64)(i32)((u32)a << (32 - bits)) / (1ll << (32 - bits)) *
                  ((i64)(i32)(b << (32 - bits)) / (1ll << (32 - bits))));
    else
        v = a * b;
    if (size == 1) {
        set_reg(c, EAX, (u32)v, 2);
    } else {
        set_reg(c, EAX, (u32)v, size);
        set_reg(c, EDX, (u32)(v >> bits), size);
    }
    i64 low = (i64)(v << (64 - bits)) >> (64 - bits);
    bool over = is_signed ? low != (i64)v : v >> bits != 0;
    flag(c, CF, over);
    flag(c, OF, over);
}

static void divide(struct cpu *c, u32 b, bool is_signed, unsigned size)
{
    unsigned bits = size * 8;
    u64 a = size == 1 ? (u16)c->r[EAX]
                      : (u64)get_reg(c, EDX, size) << bits | get_reg(c, EAX, size);
    u64 q, rem;
    bool fits;
    if (!b) {
        refuse(c, "division by zero", 0);
        return;
    }
    if (is_signed) {
        i64 sa = size == 4 ? (i64)a : (i64)(a << (64 - 2 * bits)) >> (64 - 2 * bits);
        i64 sb = (i64)((u64)b << (64 - bits)) >> (64 - bits);
        if (sb == -1 && sa == INT64_MIN) {
            refuse(c, "division overflows", 0);
            return;
        }
        i64 sq = sa / sb;
        q = (u64)sq;
        rem = (u64)(sa % sb);
        fits = sq >= -(1ll << (bits - 1)) && sq < 1ll << (bits - 1);
    } else {
        q = a / b;
        rem = a % b;
        fits = q <= mask_n(size);
    }
    if (!fits) refuse(c, "division overflows", 0);
    set_reg(c, EAX, (u32)q, size);
    if (size == 1)
        set_reg(c, 4, (u32)rem, 1);
    else
        set_reg(c, EDX, (u32)rem, size);
}

static void group_f7(struct cpu *c, const struct insn *i, unsigned size)
{
    u32 v = get_rm(c, i, size);
    switch (i->reg) {
    case 0: logic(c, v & i->imm, size); break;
    case 2: set_rm(c, i, ~v, size); break;
    case 3: set_rm(c, i, sub(c, 0, v, false, size), size); break;
    case 4:
    case 5: multiply(c, v, i->reg == 5, size); break;
    default: divide(c, v, i->reg == 7, size); break;
    }
}

static u32 imul(struct cpu *c, u32 a, u32 b, unsigned size)
{
    i64 sa = (i64)((u64)a << (64 - size * 8)) >> (64 - size * 8);
    i64 sb = (i64)((u64)b << (64 - size * 8)) >> (64 - size * 8), v = sa * sb;
    bool over = v != (i64)((u64)v << (64 - size * 8)) >> (64 - size * 8);
    flag(c, CF, over);
    flag(c, OF, over);
    return (u32)v;
}

/* --- strings --- */

static void advance(struct cpu *c, u8 r, const struct insn *i, unsigned size)
{
    set_reg(c, r, c->flags & DF ? c->r[r] - size : c->r[r] + size, i->addrsize);
}

static void string_once(struct cpu *c, const struct insn *i, unsigned size)
{
    u8 src = i->seg >= 0 ? (u8)i->seg : DS;
    u32 si = get_reg(c, ESI, i->addrsize), di = get_reg(c, EDI, i->addrsize);
    u8 kind = i->op & 0xfe;
    if (kind == 0xa4) store(c, ES, di, load(c, src, si, size), size);
    if (kind == 0xa6) sub(c, load(c, src, si, size), load(c, ES, di, size), false, size);
    if (kind == 0xaa) store(c, ES, di, get_reg(c, EAX, size), size);
    if (kind == 0xac) set_reg(c, EAX, load(c, src, si, size), size);
    if (kind == 0xae) sub(c, get_reg(c, EAX, size), load(c, ES, di, size), false, size);
    if (kind != 0xaa && kind != 0xae) advance(c, ESI, i, size);
    if (kind != 0xac) advance(c, EDI, i, size);
}

static void string_op(struct cpu *c, const struct insn *i, unsigned size)
{
    bool compares = (i->op & 0xfe) == 0xa6 || (i->op & 0xfe) == 0xae;
    if (!i->rep) {
        string_once(c, i, size);
        return;
    }
    while (get_reg(c, ECX, i->addrsize) && !c->why) {
        string_once(c, i, size);
        set_reg(c, ECX, c->r[ECX] - 1, i->addrsize);
        if (compares && !(c->flags & ZF) != (i->rep == 0xf2)) break;
    }
}

/* --- decimal adjustment --- */

static void decimal(struct cpu *c, u8 op)
{
    u8 al = (u8)c->r[EAX], old = al;
    bool cf = c->flags & CF, low = (al & 15) > 9 || c->flags & AF;
    if (op == 0x27 || op == 0x2f) { /* DAA, DAS */
        if (low) al = (u8)(op == 0x27 ? al + 6 : al - 6);
        bool high = old > 0x99 || cf;
        if (high) al = (u8)(op == 0x27 ? al + 0x60 : al - 0x60);
        set_reg(c, EAX, szp(c, al, 1), 1);
        flag(c, CF, high);
    } else { /* AAA, AAS */
        if (low) set_reg(c, EAX, op == 0x37 ? c->r[EAX] + 0x106 : c->r[EAX] - 0x106, 2);
        set_reg(c, EAX, c->r[EAX] & 15, 1);
        flag(c, CF, low);
    }
    flag(c, AF, low);
}

/* --- control --- */

static void jump(struct cpu *c, u32 to)
{
    if (to > 0xffff) {
        refuse(c, "jump beyond 64 KiB", to);
        return;
    }
    c->ip = (u16)to;
}

static void far_to(struct cpu *c, u16 sel, u32 off, bool call, unsigned size)
{
    if (call) {
        push(c, c->sel[CS], size);
        push(c, c->ip, size);
    }
    c->sel[CS] = sel;
    jump(c, off);
}

static void set_flags(struct cpu *c, u32 v)
{
    const u32 mask = CF | PF | AF | ZF | SF | DF | OF | IF;
    c->flags = (c->flags & ~mask) | (v & mask) | 2;
}

static void interrupt(struct cpu *c, u8 n)
{
    u16 flags = (u16)c->flags;
    push(c, flags, 2);
    push(c, c->sel[CS], 2);
    push(c, c->ip, 2);
    c->flags &= ~(u32)IF;
    u16 saved = c->sel[DS]; /* the vector is the interpreter's own access */
    c->sel[DS] = 0;
    u32 vector = load(c, DS, n * 4u, 4);
    c->sel[DS] = saved;
    c->sel[CS] = (u16)(vector >> 16);
    c->ip = (u16)vector;
}

static void push_all(struct cpu *c, unsigned size)
{
    u32 sp = c->r[ESP];
    for (u8 k = 0; k < 8; k++) push(c, k == ESP ? sp : c->r[k], size);
}

static void pop_all(struct cpu *c, unsigned size)
{
    for (int k = 7; k >= 0; k--) {
        u32 v = pop(c, size);
        if (k != ESP) set_reg(c, (u8)k, v, size);
    }
}

static void group_ff(struct cpu *c, const struct insn *i, unsigned size)
{
    u8 seg;
    u32 v = get_rm(c, i, size), off;
    switch (i->reg) {
    case 0:
    case 1: set_rm(c, i, step(c, v, i->reg, size), size); break;
    case 2: push(c, c->ip, size), jump(c, v); break;
    case 4: jump(c, v); break;
    case 6: push(c, v, size); break;
    default:
        off = effective(c, i, &seg);
        far_to(c, (u16)load(c, seg, off + size, 2), v, i->reg == 3, size);
        break;
    }
}

static void port_io(struct cpu *c, const struct insn *i, unsigned size)
{
    u16 port = i->op & 8 ? (u16)c->r[EDX] : (u16)i->imm;
    const char *why = NULL;
    if (i->op & 2)
        c->wi->out(c->w, port, get_reg(c, EAX, size), size, &why);
    else
        set_reg(c, EAX, c->wi->in(c->w, port, size, &why), size);
    if (why) refuse(c, why, port);
}

static void load_far(struct cpu *c, const struct insn *i, u8 to)
{
    u8 seg;
    u32 off = effective(c, i, &seg), v = load(c, seg, off, i->opsize);
    c->sel[to] = (u16)load(c, seg, off + i->opsize, 2);
    set_reg(c, i->reg, v, i->opsize);
}

/* --- 0Fh --- */

static void bit_op(struct cpu *c, const struct insn *i)
{
    unsigned size = i->opsize, kind;
    bool immediate = i->op == 0x1ba;
    u32 n = immediate ? i->imm : get_reg(c, i->reg, size), bit;
    struct insn at = *i;
    kind = immediate ? i->reg & 3 : i->op >> 3 & 3; /* BT BTS BTR BTC */
    if (i->mod != 3 && !immediate) {                /* the bit string goes beyond the operand */
        i32 s = size == 2 ? (i16)n : (i32)n;
        at.disp += (u32)(s >> (size == 2 ? 4 : 5)) * size;
    }
    bit = 1u << (n & (size * 8 - 1));
    u32 v = get_rm(c, &at, size);
    flag(c, CF, v & bit);
    if (kind == 1) set_rm(c, &at, v | bit, size);
    if (kind == 2) set_rm(c, &at, v & ~bit, size);
    if (kind == 3) set_rm(c, &at, v ^ bit, size);
}

static void bit_scan(struct cpu *c, const struct insn *i)
{
    u32 v = get_rm(c, i, i->opsize);
    flag(c, ZF, v == 0);
    if (!v) return;
    unsigned n = i->op == 0x1bc ? (unsigned)__builtin_ctz(v) : 31 - (unsigned)__builtin_clz(v);
    set_reg(c, i->reg, n, i->opsize);
}

static void exchange_add(struct cpu *c, const struct insn *i, unsigned size)
{
    u32 a = get_rm(c, i, size), b = get_reg(c, i->reg, size);
    if (i->op >= 0x1c0) { /* XADD */
        u32 v = add(c, a, b, false, size);
        set_reg(c, i->reg, a, size);
        set_rm(c, i, v, size);
        return;
    }
    sub(c, get_reg(c, EAX, size), a, false, size); /* CMPXCHG */
    if (c->flags & ZF)
        set_rm(c, i, b, size);
    else
        set_reg(c, EAX, a, size);
}

static void extend(struct cpu *c, const struct insn *i)
{
    u32 v = get_rm(c, i, i->op & 1 ? 2 : 1);
    if (i->op >= 0x1be) v = i->op & 1 ? (u32)(i32)(i16)v : (u32)(i32)(i8)v;
    set_reg(c, i->reg, v, i->opsize);
}

static void exec_two(struct cpu *c, const struct insn *i)
{
    unsigned size = i->opsize;
    switch (i->op) {
    case 0x101: set_rm(c, i, 0x0011, 2); break; /* SMSW: PE and ET, as in Windows */
    case 0x131: c->r[EAX] = (u32)c->steps * 3, c->r[EDX] = 0; break;
    case 0x180 ... 0x18f:
        if (condition(c, i->op & 15)) jump(c, size == 4 ? c->ip + i->imm : (u16)(c->ip + i->imm));
        break;
    case 0x190 ... 0x19f: set_rm(c, i, condition(c, i->op & 15), 1); break;
    case 0x1a0: push(c, c->sel[FS], size); break;
    case 0x1a8: push(c, c->sel[GS], size); break;
    case 0x1a1: c->sel[FS] = (u16)pop(c, size); break;
    case 0x1a9: c->sel[GS] = (u16)pop(c, size); break;
    case 0x1a3:
    case 0x1ab:
    case 0x1b3:
    case 0x1bb:
    case 0x1ba: bit_op(c, i); break;
    case 0x1a4:
    case 0x1a5:
    case 0x1ac:
    case 0x1ad:
        set_rm(c, i,
               shift_double(c, i->op < 0x1a8, get_rm(c, i, size), get_reg(c, i->reg, size),
                            i->op & 1 ? (u8)c->r[ECX] : i->imm, size),
               size);
        break;
    case 0x1af:
        set_reg(c, i->reg, imul(c, get_reg(c, i->reg, size), get_rm(c, i, size), size), size);
        break;
    case 0x1b0:
    case 0x1b1:
    case 0x1c0:
    case 0x1c1: exchange_add(c, i, i->op & 1 ? size : 1); break;
    case 0x1b2: load_far(c, i, SS); break;
    case 0x1b4: load_far(c, i, FS); break;
    case 0x1b5: load_far(c, i, GS); break;
    case 0x1b6:
    case 0x1b7:
    case 0x1be:
    case 0x1bf: extend(c, i); break;
    case 0x1bc:
    case 0x1bd: bit_scan(c, i); break;
    case 0x1c8: c->r[EAX] = __builtin_bswap32(c->r[EAX]); break;
    default: refuse(c, "opcode is not on the list", 0); break;
    }
}

/* --- one byte --- */

/* 00h-3Fh but for the segment and decimal instructions. */
static void exec_alu(struct cpu *c, const struct insn *i)
{
    unsigned op = i->op >> 3, size = i->op & 1 ? i->opsize : 1;
    u32 v;
    switch (i->op & 7) {
    case 0:
    case 1:
        v = alu(c, op, get_rm(c, i, size), get_reg(c, i->reg, size), size);
        if (op != 7) set_rm(c, i, v, size);
        break;
    case 2:
    case 3:
        v = alu(c, op, get_reg(c, i->reg, size), get_rm(c, i, size), size);
        set_reg(c, i->reg, v, size);
        break;
    default:
        set_reg(c, EAX, alu(c, op, get_reg(c, EAX, size), i->imm & (u32)mask_n(size), size), size);
        break;
    }
}

static void exec_group1(struct cpu *c, const struct insn *i, unsigned size)
{
    u32 b = i->op == 0x83 ? (u32)(i32)(i8)i->imm : i->imm;
    u32 v = alu(c, i->reg, get_rm(c, i, size), b & (u32)mask_n(size), size);
    if (i->reg != 7) set_rm(c, i, v, size);
}

static void exec_loop(struct cpu *c, const struct insn *i)
{
    u16 to = (u16)(c->ip + (i8)i->imm);
    if (i->op == 0xe3) {
        if (!get_reg(c, ECX, i->addrsize)) c->ip = to;
        return;
    }
    set_reg(c, ECX, c->r[ECX] - 1, i->addrsize);
    bool go = get_reg(c, ECX, i->addrsize);
    if (i->op == 0xe0) go = go && !(c->flags & ZF);
    if (i->op == 0xe1) go = go && c->flags & ZF;
    if (go) c->ip = to;
}

static void exec_return(struct cpu *c, const struct insn *i)
{
    c->ip = (u16)pop(c, 2);
    if (i->op >= 0xca) c->sel[CS] = (u16)pop(c, 2);
    if (i->op == 0xcf) set_flags(c, pop(c, 2));
    if (i->op == 0xc2 || i->op == 0xca) set_reg(c, ESP, c->r[ESP] + i->imm, 2);
}

static void exec_aam(struct cpu *c, const struct insn *i)
{
    u8 al = (u8)c->r[EAX], ah = (u8)(c->r[EAX] >> 8);
    if (i->op == 0xd5) {
        set_reg(c, EAX, szp(c, (u8)(al + ah * i->imm), 1), 2);
    } else if (!i->imm) {
        refuse(c, "division by zero", 0);
    } else {
        set_reg(c, EAX, (al / i->imm) << 8 | szp(c, al % i->imm, 1), 2);
    }
}

/* 80h and up, and the rest below. */
static void exec_one(struct cpu *c, const struct insn *i)
{
    unsigned size = i->op & 1 ? i->opsize : 1, w = i->opsize;
    u32 a, v;
    u8 seg = i->seg >= 0 ? (u8)i->seg : DS;
    switch (i->op) {
    case 0x06: push(c, c->sel[ES], w); break;
    case 0x0e: push(c, c->sel[CS], w); break;
    case 0x16: push(c, c->sel[SS], w); break;
    case 0x1e: push(c, c->sel[DS], w); break;
    case 0x07: c->sel[ES] = (u16)pop(c, w); break;
    case 0x17: c->sel[SS] = (u16)pop(c, w); break;
    case 0x1f: c->sel[DS] = (u16)pop(c, w); break;
    case 0x27:
    case 0x2f:
    case 0x37:
    case 0x3f: decimal(c, (u8)i->op); break;
    case 0x40 ... 0x4f:
        set_reg(c, i->op & 7, step(c, get_reg(c, i->op & 7, w), i->op & 8, w), w);
        break;
    case 0x50 ... 0x57: push(c, c->r[i->op & 7], w); break;
    case 0x58 ... 0x5f: a = pop(c, w), set_reg(c, i->op & 7, a, w); break;
    case 0x60: push_all(c, w); break;
    case 0x61: pop_all(c, w); break;
    case 0x68: push(c, i->imm, w); break;
    case 0x6a: push(c, (u32)(i32)(i8)i->imm, w); break;
    case 0x69: set_reg(c, i->reg, imul(c, get_rm(c, i, w), i->imm, w), w); break;
    case 0x6b: set_reg(c, i->reg, imul(c, get_rm(c, i, w), (u32)(i32)(i8)i->imm, w), w); break;
    case 0x70 ... 0x7f:
        if (condition(c, i->op & 15)) c->ip = (u16)(c->ip + (i8)i->imm);
        break;
    case 0x80:
    case 0x81:
    case 0x83: exec_group1(c, i, size); break;
    case 0x84:
    case 0x85: logic(c, get_rm(c, i, size) & get_reg(c, i->reg, size), size); break;
    case 0x86:
    case 0x87:
        a = get_rm(c, i, size);
        set_rm(c, i, get_reg(c, i->reg, size), size);
        set_reg(c, i->reg, a, size);
        break;
    case 0x88:
    case 0x89: set_rm(c, i, get_reg(c, i->reg, size), size); break;
    case 0x8a:
    case 0x8b: v = get_rm(c, i, size), set_reg(c, i->reg, v, size); break;
    case 0x8c: set_rm(c, i, c->sel[i->reg], i->mod == 3 ? w : 2); break;
    case 0x8d: set_reg(c, i->reg, effective(c, i, &seg), w); break;
    case 0x8e: c->sel[i->reg] = (u16)get_rm(c, i, 2); break;
    case 0x8f: a = pop(c, w), set_rm(c, i, a, w); break;
    case 0x90 ... 0x97:
        a = get_reg(c, i->op & 7, w);
        set_reg(c, i->op & 7, get_reg(c, EAX, w), w);
        set_reg(c, EAX, a, w);
        break;
    case 0x98: set_reg(c, EAX, w == 2 ? (u32)(i8)c->r[EAX] : (u32)(i16)c->r[EAX], w); break;
    case 0x99: set_reg(c, EDX, get_reg(c, EAX, w) & sign(w) ? ~0u : 0, w); break;
    case 0x9a: far_to(c, (u16)i->imm2, i->imm, true, w); break;
    case 0x9c: push(c, c->flags | 2, w); break;
    case 0x9d: a = pop(c, w), set_flags(c, a); break;
    case 0x9e: c->flags = (c->flags & ~0xd5u) | (c->r[EAX] >> 8 & 0xd5); break;
    case 0x9f: set_reg(c, 4, (c->flags & 0xd5) | 2, 1); break;
    case 0xa0:
    case 0xa1: set_reg(c, EAX, load(c, seg, i->disp, size), size); break;
    case 0xa2:
    case 0xa3: store(c, seg, i->disp, get_reg(c, EAX, size), size); break;
    case 0xa8:
    case 0xa9: logic(c, get_reg(c, EAX, size) & i->imm, size); break;
    case 0xa4 ... 0xa7:
    case 0xaa ... 0xaf: string_op(c, i, size); break;
    case 0xb0 ... 0xb7: set_reg(c, i->op & 7, i->imm, 1); break;
    case 0xb8 ... 0xbf: set_reg(c, i->op & 7, i->imm, w); break;
    case 0xc0:
    case 0xc1: set_rm(c, i, shift(c, i->reg, get_rm(c, i, size), i->imm, size), size); break;
    case 0xd0:
    case 0xd1: set_rm(c, i, shift(c, i->reg, get_rm(c, i, size), 1, size), size); break;
    case 0xd2:
    case 0xd3: set_rm(c, i, shift(c, i->reg, get_rm(c, i, size), c->r[ECX], size), size); break;
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf: exec_return(c, i); break;
    case 0xc4: load_far(c, i, ES); break;
    case 0xc5: load_far(c, i, DS); break;
    case 0xc6:
    case 0xc7: set_rm(c, i, i->imm, size); break;
    case 0xc9:
        c->r[ESP] = (c->r[ESP] & 0xffff0000u) | (u16)c->r[EBP];
        a = pop(c, 2), set_reg(c, EBP, a, 2);
        break;
    case 0xcd: interrupt(c, (u8)i->imm); break;
    case 0xd4:
    case 0xd5: exec_aam(c, i); break;
    case 0xd7:
        a = get_reg(c, EBX, i->addrsize) + (u8)c->r[EAX];
        set_reg(c, EAX, load(c, seg, i->addrsize == 2 ? (u16)a : a, 1), 1);
        break;
    case 0xe0 ... 0xe3: exec_loop(c, i); break;
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef: port_io(c, i, size); break;
    case 0xe8: push(c, c->ip, 2), c->ip = (u16)(c->ip + i->imm); break;
    case 0xe9: jump(c, w == 4 ? c->ip + i->imm : (u16)(c->ip + i->imm)); break;
    case 0xea: far_to(c, (u16)i->imm2, i->imm, false, w); break;
    case 0xeb: c->ip = (u16)(c->ip + (i8)i->imm); break;
    case 0xf5: c->flags ^= CF; break;
    case 0xf6:
    case 0xf7: group_f7(c, i, size); break;
    case 0xf8 ... 0xfd: {
        static const u32 f[] = { CF, IF, DF };
        flag(c, f[(i->op - 0xf8) >> 1], i->op & 1);
        break;
    }
    case 0xfe:
    case 0xff: group_ff(c, i, size); break;
    default: refuse(c, "opcode is not on the list", 0); break;
    }
}

static void one_step(struct cpu *c)
{
    u8 bytes[16];
    struct insn i;
    u16 at = c->ip;
    const char *why = NULL;
    for (unsigned k = 0; k < sizeof(bytes); k++) {
        const char *past = NULL; /* bytes behind the instruction need not be readable */
        bytes[k] = c->wi->load(c->w, c->sel[CS] * 16u + (u16)(at + k), k ? &past : &why);
    }
    if (!why) why = decode(bytes, &i);
    if (why) {
        refuse(c, why, 0);
        return;
    }
    c->ip = (u16)(at + i.len);
    if (i.op >= 0x100)
        exec_two(c, &i);
    else if (i.op < 0x40 && (i.op & 7) < 6)
        exec_alu(c, &i);
    else
        exec_one(c, &i);
    note_sp(c);
    if (c->why) c->why_ip = at;
    c->steps++;
}

bool run(struct cpu *c, u64 max_steps)
{
    for (u64 end = c->steps + max_steps; !c->why && c->steps < end;) {
        one_step(c);
        if (!c->why && c->sel[CS] == 0xffff && c->ip == 0xffff) return true;
    }
    refuse(c, "did not return", 0);
    return false;
}

/* The encoder's two forms that everything with a ModRM byte goes through, with and without VEX. Up
 * to the SIB byte an instruction has eight bytes at most: they are put together in a register and
 * stored at once, because translation time is mostly time spent here. SDM 2A 2.1 to 2.3. */
#include "cpu/jit/asm.h"

struct bytes {
    u64 v;
    unsigned bits;
};

static inline void add(struct bytes *b, bool present, unsigned byte)
{
    b->v |= (u64)(present ? byte : 0) << b->bits;
    b->bits += present ? 8 : 0;
}

/* ModRM and SIB of a memory operand. Returns the length of the displacement. */
static inline unsigned add_memory(struct bytes *b, unsigned reg, struct rm rm)
{
    bool none = rm.reg == H_NONE;
    bool sib = none || rm.index != H_NONE || (rm.reg & 7) == H_SP;
    unsigned index = rm.index == H_NONE ? 4 : rm.index & 7, base = none ? H_BP : rm.reg & 7;
    bool empty = rm.disp == 0 && base != H_BP;
    unsigned mod = none || empty ? 0 : rm.disp == (i8)rm.disp ? 1 : 2;
    add(b, true, mod << 6 | (reg & 7) << 3 | (sib ? 4 : base));
    add(b, sib, (unsigned)rm.scale << 6 | index << 3 | base);
    return none || mod == 2 ? 4 : mod;
}

/* The operand, and the instruction to memory. */
static inline void finish(struct as *a, struct bytes *code, unsigned reg, struct rm rm)
{
    unsigned disp = 0;
    if (rm.mem)
        disp = add_memory(code, reg, rm);
    else
        add(code, true, 0xc0 | (reg & 7) << 3 | (rm.reg & 7));
    u8 *p = a->at;
    st64(p, code->v);
    p += code->bits >> 3;
    st32(p, (u32)rm.disp);
    a->at = p + disp;
}

void as_emit(struct as *a, u32 form, unsigned reg, struct rm rm)
{
    as_room(a);
    unsigned map = form >> 20 & 3, x = rm.mem && rm.index != H_NONE ? rm.index : 0,
             b = rm.reg == H_NONE ? 0 : rm.reg;
    unsigned rex = (form >> 17 & 1) << 3 | (reg >> 3 & 1) << 2 | (x >> 3 & 1) << 1 | (b >> 3 & 1);
    bool need = rex || ((form >> 18 & AS_BYTE_REG) && reg >= 4) ||
                ((form >> 18 & AS_BYTE_RM) && !rm.mem && rm.reg >= 4);
    struct bytes code = { 0, 0 };
    add(&code, form >> 16 & 1, 0x66);
    add(&code, form >> 8 & 0xff, form >> 8 & 0xff);
    add(&code, need, 0x40 | rex);
    add(&code, map != AS_0, 0x0f);
    add(&code, map >= AS_38, map == AS_38 ? 0x38 : 0x3a);
    add(&code, true, form & 0xff);
    finish(a, &code, reg, rm);
}

void as_emit_vex(struct as *a, u32 form, unsigned reg, unsigned vvvv, struct rm rm)
{
    static const u8 maps[] = { [AS_0F] = 1, [AS_38] = 2, [AS_3A] = 3 };
    as_room(a);
    unsigned x = rm.mem && rm.index != H_NONE ? rm.index : 0, b = rm.reg == H_NONE ? 0 : rm.reg;
    unsigned rep = form >> 8 & 0xff;
    unsigned pp = form >> 16 & 1 ? 1 : rep == 0xf3 ? 2 : rep == 0xf2 ? 3 : 0;
    struct bytes code = { 0, 0 };
    add(&code, true, 0xc4);
    add(&code, true,
        (reg & 8 ? 0 : 0x80) | (x & 8 ? 0 : 0x40) | (b & 8 ? 0 : 0x20) | maps[form >> 20 & 3]);
    add(&code, true, (form >> 17 & 1) << 7 | (~vvvv & 15) << 3 | pp);
    add(&code, true, form & 0xff);
    finish(a, &code, reg, rm);
}

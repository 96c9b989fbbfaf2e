/* The encoder's one form that everything with a ModRM byte goes through. Up to the SIB byte an
 * instruction has eight bytes at most: they are put together in a register and stored at once,
 * because translation time is mostly time spent here. SDM 2A 2.1, 2.2. */
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
    unsigned disp = 0;
    if (rm.mem)
        disp = add_memory(&code, reg, rm);
    else
        add(&code, true, 0xc0 | (reg & 7) << 3 | (rm.reg & 7));
    u8 *p = a->at;
    st64(p, code.v);
    p += code.bits >> 3;
    st32(p, (u32)rm.disp);
    a->at = p + disp;
}

/* The TLB of mem.h in generated code: one compare for page, rights and page end, or alignment.
 *
 * A load from a table, whose index was often loaded itself, would wait longer for shift, mask and
 * look into the TLB than for the two loads. So it guesses that the entry is that of the last time
 * (c->jit_guess) and compares it like any: the processor runs ahead of compares. A wrong guess is
 * only slow; an access with many becomes one that does not guess. Left out: accesses that often go
 * over a page's end, stores, stacks and fields of records, whose addresses are known early or whose
 * pages change. */
#include "cpu/jit/translate.h"

static i32 tlb_field(const struct tr *t, size_t member)
{
    return jit_field(offsetof(struct cpu, tlb)) + (i32)(t->tb->user * sizeof(t->c->tlb[0])) +
           (i32)member;
}

enum { GUESS_MISSES = 16 }; /* then it does not guess any more */
_Static_assert(TLB_ENTRIES > 8 && TLB_ENTRIES << 5 <= 0x40000000, "a mask of 32 bits");

/* RORX ECX, EAX, 12 - 5 and the beginning of AND ECX, imm32 */
#define TLB_SLOT 0xe18107c8f07be3c4ull

/* RDX: the page of the last of `span` bytes, or of the first with the bits in which it is not
 * aligned; its entry by ECX, compared. */
static void tlb_compare(struct tr *t, unsigned span, unsigned align, unsigned access)
{
    struct as *a = t->a;
    if (span <= 1 || align)
        as_bytes(a, 0xd08b48, 3); /* MOV RDX, RAX */
    else if (span <= 128)
        as_bytes(a, 0x508d48 | (u64)(span - 1) << 24, 4); /* LEA RDX, [RAX + span - 1] */
    else
        as_bytes(a, 0x908d48 | (u64)(span - 1) << 24, 7);
    as_bytes(a, 0xe28148, 3); /* AND RDX, ... */
    as32(a, (u32)(align ? -4096 | (int)(align - 1) : -4096));
    as_bytes(a, 0x0d943b48, 4); /* CMP RDX, [RBP + RCX + ...] */
    as32(a, (u32)tlb_field(t, access == SITE_READ ? offsetof(struct tlb_entry, tag_r)
                                                  : offsetof(struct tlb_entry, tag_w)));
}

static void tlb_mask(struct as *a)
{
    as_bytes(a, 0xe181, 2); /* AND ECX, ... */
    as32(a, (TLB_ENTRIES - 1) << 5);
}

void tr_tlb(struct tr *t, unsigned span, unsigned access)
{
    as_room(t->a);
    as_bytes(t->a, TLB_SLOT, 6);
    tlb_mask(t->a);
    tlb_compare(t, span, t->op->aligned ? 16 : 0, access);
}

bool tr_guesses(const struct jop *op, unsigned size, unsigned access)
{
    const struct insn *i = &op->i;
    return access == SITE_READ && (i->flags & INSN_MEM) && i->index != REG_ZERO && size <= 8 &&
           !(size & (size - 1)) && op->kind == K_NATIVE && !op->x87;
}

/* Alignment is compared, too: the entry of a page's end must not do for an access that begins in
 * the page before. */
void tr_tlb_guess(struct tr *t, struct stub *s)
{
    unsigned k = t->j->guesses++ % JIT_GUESSES;
    s->guess = jit_field(offsetof(struct cpu, jit_guess)) + (i32)(k * sizeof(struct jit_guess));
    s->check = as_here(t->a);
    t->c->jit_guess[k].misses = GUESS_MISSES;
    as_room(t->a);
    as_bytes(t->a, 0x8d8b, 2); /* MOV ECX, [RBP + ...], as long as RORX */
    as32(t->a, (u32)(s->guess + (i32)offsetof(struct jit_guess, entry)));
    tlb_mask(t->a);
    tlb_compare(t, s->size, s->size, s->access);
}

/* Where the jump of a wrong guess goes, and that of an address that is not aligned or not
 * in the TLB. */
void tr_guess_stub(struct tr *t, const struct stub *s)
{
    struct as *a = t->a;
    as_room(a);
    as_bytes(a, TLB_SLOT, 6);
    as_bytes(a, 0x8d89, 2); /* MOV [RBP + ...], ECX */
    as32(a, (u32)(s->guess + (i32)offsetof(struct jit_guess, entry)));
    tlb_mask(a);
    tlb_compare(t, s->size, 0, s->access);
    u8 *away = tr_jump(t, 0x70 | CC_NE);
    as_imm(a, OSZ32, 5, rm_at(H_BP, s->guess + (i32)offsetof(struct jit_guess, misses)), 1);
    as_jcc(a, CC_NE, s->field + 4);
    as_movabs(a, H_DX, (u64)(uintptr_t)(a->base + s->check));
    as_call(a, t->j->plain);
    as_jmp(a, s->check);
    tr_land(t, away);
}

/* RDX: a check in the writable mapping, whose first instruction becomes another of the same length.
 * One store, so that no half of it is ever run. */
void tr_make_plain(struct jit *j)
{
    struct as *a = &j->as;
    j->plain = as_here(a);
    as_movabs(a, H_CX, TLB_SLOT);
    as_store(a, OSZ64, rm_at(H_DX, 0), H_CX);
    as8(a, 0xc3);
}

void tr_tlb_add(struct tr *t)
{
    as_room(t->a);
    as_bytes(t->a, 0x0d840348, 4); /* ADD RAX, [RBP + RCX + ...] */
    as32(t->a, (u32)tlb_field(t, offsetof(struct tlb_entry, off)));
}

/* Jumps from superblock to superblock against the interpreter: a page is mapped elsewhere under a
 * linked or looked-up jump (INVLPG, CR3), code is called in one address space and returns in
 * another, at another privilege or in another mode, return addresses are written over, targets are
 * written to while calls to them are open, the stack is a device that interrupts. After every
 * slice, of several lengths, registers, flags and the instruction count must be the same. */
#include <check.h>
#include <stdio.h>

#include "cpu/flags.h"
#include "cpu/state.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_links_suite(void);

static const char *const engines[] = { "jit,hot=0", "jit,hot=2", "jit,hot=0,ops=1",
                                       "jit,hot=0,links=off", "jit,hot=0,table=off",
                                       "jit,hot=0,cache=128", "lockstep,hot=0",
                                       "lockstep,hot=0,run=50" };

/* Linear addresses: below 4 MiB is what physical memory is; two pages of each address space have
 * frames of their own. */
enum {
    MAIN = 0xb000,
    FUNCTION = 0xc000,
    HANDLER = 0xd000,
    CALLER = 0x400000,
    CALLEE = 0x401000,
    USER = 0x402000,
    TABLE = 0x13000, /* page tables of the two spaces */
    TABLE_2 = 0x17000,
    CALLER_1 = 0x200000, /* frames */
    CALLER_2 = 0x201000,
    CALLEE_1 = 0x204000,
    CALLEE_2 = 0x206000,
    USER_FRAME = 0x207000,
    DEVICE = 0xf00000,
};

/* ---- programs ---- */

static const u8 remap_invlpg[] = {
    0xb9, 0x1e, 0x00, 0x00, 0x00, /* mov ecx,0x1e */
    0xe8, 0xf6, 0x4f, 0x3f, 0x00, /* call 0x400000 */
    0xff, 0xc9, /* dec ecx */
    0x75, 0xf7, /* jne 0xb005 */
    0x48, 0x31, 0x3e, /* xor [rsi],rdi */
    0x41, 0x0f, 0x01, 0x38, /* invlpg [r8] */
    0xff, 0xcb, /* dec ebx */
    0x75, 0xe7, /* jne 0xb000 */
    0xf4, /* hlt */
};
static const u8 remap_cr3[] = {
    0xb9, 0x1e, 0x00, 0x00, 0x00, /* mov ecx,0x1e */
    0xe8, 0xf6, 0x4f, 0x3f, 0x00, /* call 0x400000 */
    0xff, 0xc9, /* dec ecx */
    0x75, 0xf7, /* jne 0xb005 */
    0x48, 0x31, 0x3e, /* xor [rsi],rdi */
    0x0f, 0x20, 0xda, /* mov rdx,cr3 */
    0x0f, 0x22, 0xda, /* mov cr3,rdx */
    0xff, 0xcb, /* dec ebx */
    0x75, 0xe5, /* jne 0xb000 */
    0xf4, /* hlt */
};
static const u8 caller_1[] = {
    0xe8, 0xfb, 0x0f, 0x00, 0x00, /* call 0x401000 */
    0x49, 0xff, 0xc1, /* inc r9 */
    0xc3, /* ret */
};
static const u8 caller_2[] = {
    0xe8, 0xfb, 0x0f, 0x00, 0x00, /* call 0x401000 */
    0x49, 0x83, 0xc1, 0x64, /* add r9,0x64 */
    0xc3, /* ret */
};
static const u8 jumper_1[] = {
    0x49, 0xff, 0xc1, /* inc r9 */
    0xe9, 0xf8, 0x0f, 0x00, 0x00, /* jmp 0x401000 */
};
static const u8 jumper_2[] = {
    0x49, 0xff, 0xc9, /* dec r9 */
    0xe9, 0xf8, 0x0f, 0x00, 0x00, /* jmp 0x401000 */
};
static const u8 callee_1[] = {
    0x48, 0xff, 0xc0, /* inc rax */
    0xc3, /* ret */
};
static const u8 callee_2[] = {
    0x48, 0x8d, 0x04, 0x40, /* lea rax,[rax+rax*2] */
    0xc3, /* ret */
};
static const u8 spaces_main[] = {
    0xe8, 0xfb, 0x4f, 0x3f, 0x00, /* call 0x400000 */
    0xff, 0xcb, /* dec ebx */
    0x75, 0xf7, /* jne 0xb000 */
    0xf4, /* hlt */
};
static const u8 spaces_caller_1[] = {
    0xe8, 0xfb, 0xbf, 0xc0, 0xff, /* call 0xc000 */
    0x48, 0xff, 0xc0, /* inc rax */
    0xc3, /* ret */
};
static const u8 spaces_caller_2[] = {
    0xe8, 0xfb, 0xbf, 0xc0, 0xff, /* call 0xc000 */
    0x48, 0x05, 0x00, 0x00, 0x01, 0x00, /* add rax,0x10000 */
    0xc3, /* ret */
};
static const u8 spaces_switch[] = {
    0x0f, 0x20, 0xda, /* mov rdx,cr3 */
    0x48, 0x81, 0xf2, 0x00, 0x40, 0x00, 0x00, /* xor rdx,0x4000 */
    0x0f, 0x22, 0xda, /* mov cr3,rdx */
    0xc3, /* ret */
};
static const u8 rewrite[] = {
    0xe8, 0x1f, 0x00, 0x00, 0x00, /* call 0xb024 */
    0x48, 0x83, 0xc0, 0x01, /* add rax,0x1 */
    0x48, 0x05, 0x00, 0x01, 0x00, 0x00, /* add rax,0x100 */
    0xe8, 0x1b, 0x00, 0x00, 0x00, /* call 0xb02f */
    0xeb, 0x08, /* jmp 0xb01e */
    0x48, 0x89, 0xe5, /* mov rbp,rsp */
    0xe8, 0x1d, 0x00, 0x00, 0x00, /* call 0xb03b */
    0xf4, /* hlt */
    0xff, 0xcb, /* dec ebx */
    0x75, 0xdd, /* jne 0xb000 */
    0xf4, /* hlt */
    0xf6, 0xc3, 0x01, /* test bl,0x1 */
    0x74, 0x05, /* je 0xb02e */
    0x48, 0x83, 0x04, 0x24, 0x04, /* add [rsp],0x4 */
    0xc3, /* ret */
    0x48, 0x8d, 0x15, 0xe0, 0xff, 0xff, 0xff, /* lea rdx,[rip+good] */
    0x48, 0x89, 0x14, 0x24, /* mov [rsp],rdx */
    0xc3, /* ret */
    0xe8, 0x02, 0x00, 0x00, 0x00, /* call 0xb042 */
    0xeb, 0xdc, /* jmp 0xb01e */
    0xf6, 0xc3, 0x03, /* test bl,0x3 */
    0x74, 0x05, /* je 0xb04c */
    0x48, 0x89, 0xec, /* mov rsp,rbp */
    0xeb, 0xd3, /* jmp 0xb01f */
    0x48, 0x83, 0xc4, 0x08, /* add rsp,0x8 */
    0x48, 0x8d, 0x15, 0xc8, 0xff, 0xff, 0xff, /* lea rdx,[rip+out] */
    0x48, 0x89, 0x14, 0x24, /* mov [rsp],rdx */
    0xc3, /* ret */
};
static const u8 user_main[] = {
    0xe8, 0xfb, 0x4f, 0x3f, 0x00, /* call 0x400000 */
    0xeb, 0xf9, /* jmp 0xb000 */
};
static const u8 user_caller[] = {
    0xe8, 0xfb, 0xbf, 0xc0, 0xff, /* call 0xc000 */
    0x48, 0xff, 0xc0, /* inc rax */
    0xc3, /* ret */
};
static const u8 user_f[] = {
    0xff, 0xcb, /* dec ebx */
    0x74, 0x01, /* je 0xc005 */
    0xc3, /* ret */
    0x5a, /* pop rdx */
    0x48, 0x89, 0x14, 0x25, 0xf8, 0x6f, 0x00, 0x00, /* mov 0x6ff8,rdx */
    0x6a, 0x2b, /* push 0x2b */
    0x68, 0xf8, 0x6f, 0x00, 0x00, /* push 0x6ff8 */
    0x6a, 0x02, /* push 0x2 */
    0x6a, 0x33, /* push 0x33 */
    0x68, 0x00, 0x20, 0x40, 0x00, /* push 0x402000 */
    0x48, 0xcf, /* iretq */
};
static const u8 mode_f[] = {
    0xff, 0xcb, /* dec ebx */
    0x74, 0x01, /* je 0xc005 */
    0xc3, /* ret */
    0x5a, /* pop rdx */
    0x52, /* push rdx */
    0x52, /* push rdx */
    0x6a, 0x08, /* push 0x8 */
    0x68, 0x00, 0xd0, 0x00, 0x00, /* push 0xd000 */
    0x48, 0xcb, /* retfq */
};
static const u8 selfmod_main[] = {
    0xe8, 0xfb, 0x4f, 0x3f, 0x00, /* call 0x400000 */
    0xff, 0xcb, /* dec ebx */
    0x75, 0xf7, /* jne 0xb000 */
    0xf4, /* hlt */
};
static const u8 selfmod_caller[] = {
    0xe8, 0xfb, 0x0f, 0x00, 0x00, /* call 0x401000 */
    0x05, 0x44, 0x33, 0x22, 0x11, /* add eax,0x11223344 */
    0xe8, 0x08, 0x00, 0x00, 0x00, /* call 0x400017 */
    0x41, 0x81, 0xc1, 0x44, 0x33, 0x22, 0x11, /* add r9d,0x11223344 */
    0xc3, /* ret */
    0x88, 0x1c, 0x25, 0x12, 0x00, 0x40, 0x00, /* mov 0x400012,bl */
    0x49, 0xff, 0xc2, /* inc r10 */
    0xc3, /* ret */
};
static const u8 selfmod_callee[] = {
    0x88, 0x1c, 0x25, 0x06, 0x00, 0x40, 0x00, /* mov 0x400006,bl */
    0x49, 0x83, 0xc0, 0x01, /* add r8,0x1 */
    0xc3, /* ret */
};
static const u8 branches[] = {
    0x89, 0xda, /* mov edx,ebx */
    0x69, 0xd2, 0xb1, 0x79, 0x37, 0x9e, /* imul edx,edx,0x9e3779b1 */
    0xc1, 0xea, 0x14, /* shr edx,0x14 */
    0xf6, 0xc3, 0x07, /* test bl,0x7 */
    0x75, 0x07, /* jne 0xb017 */
    0x88, 0x14, 0x25, 0x80, 0xb0, 0x00, 0x00, /* mov 0xb080,dl */
    0xf6, 0xc2, 0x01, /* test dl,0x1 */
    0x74, 0x17, /* je 0xb033 */
    0x48, 0xff, 0xc0, /* inc rax */
    0xf6, 0xc2, 0x02, /* test dl,0x2 */
    0x74, 0x1c, /* je 0xb040 */
    0x48, 0x83, 0xc6, 0x03, /* add rsi,0x3 */
    0xf6, 0xc2, 0x04, /* test dl,0x4 */
    0x75, 0x1f, /* jne 0xb04c */
    0x48, 0x83, 0xef, 0x05, /* sub rdi,0x5 */
    0xeb, 0x2c, /* jmp 0xb05f */
    0x80, 0xfa, 0x40, /* cmp dl,0x40 */
    0x77, 0x14, /* ja 0xb04c */
    0x49, 0xff, 0xc8, /* dec r8 */
    0xf6, 0xc2, 0x08, /* test dl,0x8 */
    0x74, 0x1a, /* je 0xb05a */
    0x49, 0x31, 0xd1, /* xor r9,rdx */
    0x4d, 0x39, 0xc1, /* cmp r9,r8 */
    0x72, 0x17, /* jb 0xb05f */
    0x49, 0xc1, 0xc1, 0x03, /* rol r9,0x3 */
    0x49, 0x01, 0xc2, /* add r10,rax */
    0xf6, 0xc2, 0x10, /* test dl,0x10 */
    0x74, 0x0b, /* je 0xb05f */
    0x4f, 0x8d, 0x1c, 0x13, /* lea r11,[r11+r10*1] */
    0xeb, 0x13, /* jmp 0xb06d */
    0x49, 0xff, 0xc4, /* inc r12 */
    0xeb, 0x0e, /* jmp 0xb06d */
    0xe8, 0x0e, 0x00, 0x00, 0x00, /* call 0xb072 */
    0xf6, 0xc2, 0x20, /* test dl,0x20 */
    0x75, 0x04, /* jne 0xb06d */
    0x49, 0x83, 0xd5, 0x01, /* adc r13,0x1 */
    0xff, 0xcb, /* dec ebx */
    0x75, 0x8f, /* jne 0xb000 */
    0xf4, /* hlt */
    0xf6, 0xc2, 0x80, /* test dl,0x80 */
    0x74, 0x04, /* je 0xb07b */
    0x49, 0xff, 0xc6, /* inc r14 */
    0xc3, /* ret */
    0x49, 0xff, 0xcf, /* dec r15 */
    0xf6, 0xc2, 0x60, /* test dl,0x60 */
    0x75, 0x01, /* jne 0xb084 */
    0xc3, /* ret */
    0x4d, 0x19, 0xfe, /* sbb r14,r15 */
    0xc3, /* ret */
};
static const u8 device_stack_0[] = {
    0x48, 0xc7, 0xc4, 0x08, 0x01, 0xf0, 0x00, /* mov rsp,0xf00108 */
    0xe8, 0x34, 0x00, 0x00, 0x00, /* call 0xb040 */
    0x48, 0xff, 0xc0, /* inc rax */
    0x48, 0xc7, 0xc4, 0x00, 0x02, 0xf0, 0x00, /* mov rsp,0xf00200 */
    0xc3, /* ret */
};
static const u8 device_stack_40[] = {
    0x48, 0xff, 0xc1, /* inc rcx */
    0x48, 0x83, 0xf9, 0x05, /* cmp rcx,0x5 */
    0x72, 0x03, /* jb 0xb04c */
    0x48, 0xff, 0xc6, /* inc rsi */
    0xc3, /* ret */
};
static const u8 device_stack_80[] = {
    0xff, 0xcb, /* dec ebx */
    0x0f, 0x85, 0x78, 0xff, 0xff, 0xff, /* jne 0xb000 */
    0xf4, /* hlt */
};

/* ---- machine ---- */

struct world {
    struct rig *rig;
    struct region device;
    u64 written;
    unsigned writes;
};

typedef void setup_fn(struct world *w);

static void put(struct world *w, u32 at, const u8 *code, size_t n)
{
    rig_code(w->rig, at, code, n);
}
#define PUT(w, at, program) put(w, at, program, sizeof(program))

static u64 device_read(void *opaque, u64 offset, unsigned size)
{
    struct world *w = opaque;
    (void)size;
    if (offset == 0x100) cpu_set_intr(w->rig->c, true);
    return offset == 0x100 ? w->written : MAIN + 0x80;
}

static void device_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct world *w = opaque;
    (void)size;
    if (offset == 0x100 && w->writes++ & 1) cpu_set_intr(w->rig->c, true); /* else links are made */
    w->written = value;
}

static const struct io_ops device_ops = { device_read, device_write, 1, 8 };

static void start(struct world *w, const char *engine, setup_fn *setup)
{
    memset(w, 0, sizeof(*w));
    struct rig *r = w->rig = rig_with("max", engine);
    u8 *m = r->bytes;
    rig_long(r, 0);
    st64(m + 0x12000 + 16, TABLE | 7);
    st64(m + 0x14000, 0x15007);
    st64(m + 0x15000, 0x16007);
    memcpy(m + 0x16000, m + 0x12000, 64);
    st64(m + 0x16000 + 16, TABLE_2 | 7);
    st64(m + TABLE, CALLER_1 | 3);
    st64(m + TABLE + 8, CALLEE_1 | 3);
    st64(m + TABLE + 16, USER_FRAME | 7);
    st64(m + TABLE_2, CALLER_2 | 3);
    st64(m + TABLE_2 + 8, CALLEE_2 | 3);
    r->c->rip = MAIN;
    r->c->r[RBX] = 60;
    setup(w);
    tlb_flush_all(r->c);
}

static void end(struct world *w)
{
    rig_free(w->rig);
}

static void same(const struct world *a, const struct world *b, const char *name)
{
    struct cpu *x = a->rig->c, *y = b->rig->c;
    for (unsigned k = 0; k < 16; k++)
        ck_assert_msg(x->r[k] == y->r[k], "%s: r%u is %llx and %llx", name, k,
                      (unsigned long long)x->r[k], (unsigned long long)y->r[k]);
    ck_assert_msg(x->rip == y->rip && x->cpl == y->cpl && x->cr2 == y->cr2 && x->cr3 == y->cr3,
                  "%s: rip is %llx and %llx", name, (unsigned long long)x->rip,
                  (unsigned long long)y->rip);
    ck_assert_msg(cpu_flags(x) == cpu_flags(y), "%s: flags are %x and %x", name, cpu_flags(x),
                  cpu_flags(y));
    ck_assert_msg(cpu_icount(x) == cpu_icount(y), "%s: counts are %llu and %llu", name,
                  (unsigned long long)cpu_icount(x), (unsigned long long)cpu_icount(y));
}

/* Runs it until HLT by the interpreter and the engine, whose worlds are left for the caller. */
static void run(struct world *a, struct world *b, int engine, setup_fn *setup, u64 slice)
{
    char name[80];
    snprintf(name, sizeof(name), "%s, slices of %llu", engines[engine], (unsigned long long)slice);
    start(a, "interp", setup);
    start(b, engines[engine], setup);
    for (unsigned k = 0; !a->rig->c->halted; k++) {
        ck_assert_uint_lt(k, 200000);
        ck_assert_int_ne(cpu_run(a->rig->c, slice), CPU_SHUTDOWN);
        cpu_run(b->rig->c, slice);
        same(a, b, name);
    }
    ck_assert(b->rig->c->halted);
}

static const u64 slices[] = { 1, 23, 1000000 };

/* r9 and RAX at the end are what the test says. */
static void expect(int engine, setup_fn *setup, u64 rax, u64 r9)
{
    struct world a, b;
    for (unsigned k = 0; k < LEN(slices); k++) {
        run(&a, &b, engine, setup, slices[k]);
        ck_assert_uint_eq(b.rig->c->r[RAX], rax);
        ck_assert_uint_eq(b.rig->c->r[R9], r9);
        end(&a);
        end(&b);
    }
}

/* ---- another page under a link ---- */

/* The entry at RSI changes by RDI between rounds of 30 calls. */
static void remap(struct world *w, unsigned page, u64 change, bool global)
{
    struct cpu *c = w->rig->c;
    c->r[RBX] = 6;
    c->r[RSI] = TABLE + page * 8;
    c->r[RDI] = change;
    c->r[R8] = CALLER + page * 0x1000;
    PUT(w, CALLER_1, caller_1);
    PUT(w, CALLER_2, caller_2);
    PUT(w, CALLEE_1, callee_1);
    PUT(w, CALLEE_2, callee_2);
    if (!global) return;
    for (unsigned k = 0; k < 2; k++)
        st64(w->rig->bytes + TABLE + 8 * k, ld64(w->rig->bytes + TABLE + 8 * k) | 0x100);
}

static void callee_invlpg(struct world *w)
{
    PUT(w, MAIN, remap_invlpg);
    remap(w, 1, CALLEE_1 ^ CALLEE_2, false);
}

static void callee_invlpg_global(struct world *w)
{
    PUT(w, MAIN, remap_invlpg);
    remap(w, 1, CALLEE_1 ^ CALLEE_2, true);
}

static void callee_cr3(struct world *w)
{
    PUT(w, MAIN, remap_cr3);
    remap(w, 1, CALLEE_1 ^ CALLEE_2, false);
}

static void caller_invlpg(struct world *w)
{
    PUT(w, MAIN, remap_invlpg);
    remap(w, 0, CALLER_1 ^ CALLER_2, false);
}

static void caller_cr3(struct world *w)
{
    PUT(w, MAIN, remap_cr3);
    remap(w, 0, CALLER_1 ^ CALLER_2, false);
}

static void jumper_invlpg(struct world *w)
{
    caller_invlpg(w);
    PUT(w, CALLER_1, jumper_1);
    PUT(w, CALLER_2, jumper_2);
}

static u64 callee_result(void)
{
    u64 rax = 0;
    for (unsigned k = 0; k < 180; k++) rax = k / 30 & 1 ? rax * 3 : rax + 1;
    return rax;
}

START_TEST(a_page_mapped_elsewhere_under_a_link_is_seen)
{
    static setup_fn *const callees[] = { callee_invlpg, callee_invlpg_global, callee_cr3 };
    for (unsigned k = 0; k < LEN(callees); k++) expect(_i, callees[k], callee_result(), 180);
    expect(_i, caller_invlpg, 180, 90 + 9000);
    expect(_i, caller_cr3, 180, 90 + 9000);
    expect(_i, jumper_invlpg, 180, 0);
}
END_TEST

/* ---- returns to somewhere else ---- */

static void spaces(struct world *w)
{
    PUT(w, MAIN, spaces_main);
    PUT(w, CALLER_1, spaces_caller_1);
    PUT(w, CALLER_2, spaces_caller_2);
    PUT(w, FUNCTION, spaces_switch);
}

START_TEST(a_call_returns_in_the_address_space_that_it_returns_in)
{
    expect(_i, spaces, 30 + 30 * 0x10000, 0);
}
END_TEST

static void rewriting(struct world *w)
{
    PUT(w, MAIN, rewrite);
}

START_TEST(return_addresses_are_what_memory_says)
{
    expect(_i, rewriting, 60 * 0x100 + 30, 0);
}
END_TEST

static void to_user(struct world *w)
{
    PUT(w, MAIN, user_main);
    PUT(w, CALLER_1, user_caller);
    PUT(w, FUNCTION, user_f);
    rig_code(w->rig, USER_FRAME, "\xc3", 1);
    rig_code(w->rig, HANDLER, "\xf4", 1);
    rig_gate64(w->rig, EXC_PF, 0x18, HANDLER, 0x8e, 0);
}

START_TEST(a_return_of_user_code_does_not_go_where_the_kernel_called)
{
    struct world a, b;
    for (unsigned k = 0; k < LEN(slices); k++) {
        run(&a, &b, _i, to_user, slices[k]);
        ck_assert_uint_eq(b.rig->c->r[RAX], 59);
        ck_assert_uint_eq(b.rig->c->cr2, CALLER + 5);
        ck_assert_uint_eq(b.rig->c->rip, HANDLER + 1);
        end(&a);
        end(&b);
    }
}
END_TEST

static void to_32bit(struct world *w)
{
    PUT(w, MAIN, user_main);
    PUT(w, CALLER_1, user_caller);
    PUT(w, FUNCTION, mode_f);
    rig_code(w->rig, HANDLER, "\xc3", 1); /* to 0 by the upper half of the address */
    rig_code(w->rig, 0, "\xf4", 1);
}

START_TEST(a_return_of_32bit_code_runs_32bit_code)
{
    expect(_i, to_32bit, 59, 0); /* INC RAX is DEC EAX, INC EAX */
}
END_TEST

/* ---- targets that change ---- */

static void written(struct world *w)
{
    PUT(w, MAIN, selfmod_main);
    PUT(w, CALLER_1, selfmod_caller);
    PUT(w, CALLEE_1, selfmod_callee);
    w->rig->c->r[RBX] = 60;
}

START_TEST(a_return_into_code_that_was_written_meanwhile_is_seen)
{
    u64 sum = 0;
    for (unsigned k = 1; k <= 60; k++) sum += 0x11223300 + k;

    expect(_i, written, (u32)sum, (u32)sum);
}
END_TEST

/* ---- exact stops ---- */

/* The code that side exits lead to is written to now and then: unlinked, linked again. */
static void branching(struct world *w)
{
    PUT(w, MAIN, branches);
    w->rig->c->r[RBX] = 1500;
}

START_TEST(slices_end_between_the_same_instructions)
{
    struct world a, b;
    for (u64 slice = 2; slice < 70; slice += 2 + slice / 4) {
        run(&a, &b, _i, branching, slice);
        end(&a);
        end(&b);
    }
}
END_TEST

/* Multiplies R14, adds the interrupted RIP, counts in R13. */
static const u8 interrupt[] = { 0x4d, 0x6b, 0xf6, 0x1f, 0x4c, 0x03, 0x34, 0x24,
                                0x49, 0xff, 0xc5, 0x48, 0xcf };

static void interrupting(struct world *w)
{
    struct error e;
    put(w, MAIN, device_stack_0, sizeof(device_stack_0));
    put(w, MAIN + 0x40, device_stack_40, sizeof(device_stack_40));
    put(w, MAIN + 0x80, device_stack_80, sizeof(device_stack_80));
    PUT(w, HANDLER, interrupt);
    rig_gate64(w->rig, 0x40, 0x18, HANDLER, 0x8e, 1);
    w->rig->intack_vector = 0x40;
    w->rig->c->rflags |= FL_IF;
    region_init_io(&w->device, "device", 0x1000, &device_ops, w);
    ck_assert_int_eq(bus_map(&w->rig->mem, DEVICE, &w->device, 1, &e), 0);
}

START_TEST(a_stack_that_interrupts_does_so_behind_the_jump)
{
    struct world a, b;
    for (unsigned k = 0; k < LEN(slices); k++) {
        run(&a, &b, _i, interrupting, slices[k]);
        ck_assert_uint_eq(b.rig->c->r[R13], 90);
        end(&a);
        end(&b);
    }
}
END_TEST

Suite *jit_links_suite(void)
{
    Suite *s = suite_create("jit_links");
    TCase *t = tcase_create("jumps");
    tcase_set_timeout(t, 120);
    int n = (int)LEN(engines);
    tcase_add_loop_test(t, a_page_mapped_elsewhere_under_a_link_is_seen, 0, n);
    tcase_add_loop_test(t, a_call_returns_in_the_address_space_that_it_returns_in, 0, n);
    tcase_add_loop_test(t, return_addresses_are_what_memory_says, 0, n);
    tcase_add_loop_test(t, a_return_of_user_code_does_not_go_where_the_kernel_called, 0, n);
    tcase_add_loop_test(t, a_return_of_32bit_code_runs_32bit_code, 0, n);
    tcase_add_loop_test(t, a_return_into_code_that_was_written_meanwhile_is_seen, 0, n);
    tcase_add_loop_test(t, slices_end_between_the_same_instructions, 0, n);
    tcase_add_loop_test(t, a_stack_that_interrupts_does_so_behind_the_jump, 0, n);
    suite_add_tcase(s, t);
    return s;
}

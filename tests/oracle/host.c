/* Native execution for the oracle (host.h).
 *
 * Entering needs no system call: host_enter() loads x87, SSE and (where the host has it) AVX state
 * with XRSTOR, else x87 and SSE state with FXRSTOR, segment registers and bases, the general
 * registers, and IRETQ loads RIP, CS, flags, RSP and SS at unchanged privilege (SDM 2A IRET). The
 * code under test ends with an exception; the kernel turns it into a signal whose frame holds the
 * interrupted registers (trap number, error code and CR2 as the processor gave them). The handler
 * copies the frame and leaves by loading the stack pointer that host_enter() saved; nothing is
 * blocked, so no sigreturn is owed.
 *
 * Left out: AVX-512 and AMX state; nothing that is generated touches it. */
#define _GNU_SOURCE
#include "tests/oracle/host.h"

#include <asm/ldt.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { XSAVE_BV = 512, XSAVE_YMMH = 576, XSAVE_LEN = 832, XSAVE_ALL = 7 };

/* The assembly below knows these offsets. */
struct host_block {
    u64 gpr[15];                   /* 0: r15 ... r8, rdi rsi rbp rbx rdx rcx rax */
    u64 rip, cs, flags, rsp, ss;   /* 120: IRETQ's frame */
    u64 fs_base, gs_base;          /* 160 */
    u64 home_sp;                   /* 176 */
    u64 home_fs, home_gs;          /* 184 */
    u64 out_fs_base, out_gs_base;  /* 200 */
    u16 sel[4], out_sel[4];        /* 216, 224: DS ES FS GS */
    u64 legacy;                    /* 232: load selectors instead of bases */
    u64 running;                   /* 240 */
    u64 has_avx;                   /* 248: fx is an XSAVE area */
    u8 fx[XSAVE_LEN] __attribute__((aligned(64))); /* 256 */
    const ov_state *in;
    ov_state *out;
    struct host_fault *fault;
};
_Static_assert(offsetof(struct host_block, fs_base) == 160, "offsets of the assembly");
_Static_assert(offsetof(struct host_block, legacy) == 232, "offsets of the assembly");
_Static_assert(offsetof(struct host_block, fx) == 256, "offsets of the assembly");

/* The only mutable state of file scope: a signal handler gets no argument of ours. */
struct host_block *host_state;

void host_enter(struct host_block *b);
void host_leave(struct host_block *b) __attribute__((noreturn));
void host_signal(int sig, siginfo_t *info, void *context);
void host_signal_c(int sig, siginfo_t *info, void *context);

__asm__(".text\n"
        "host_enter:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  mov %rsp, 176(%rdi)\n"
        "  rdfsbase %rax; mov %rax, 184(%rdi)\n"
        "  rdgsbase %rax; mov %rax, 192(%rdi)\n"
        "  cmpq $0, 248(%rdi)\n"
        "  jne 3f\n"
        "  fxrstor64 256(%rdi)\n"
        "  jmp 4f\n"
        "3: mov $7, %eax; xor %edx, %edx; xrstor64 256(%rdi)\n"
        "4: "
        "cmpq $0, 232(%rdi)\n"
        "  jne 1f\n"
        "  mov 160(%rdi), %rax; wrfsbase %rax\n"
        "  mov 168(%rdi), %rax; wrgsbase %rax\n"
        "  jmp 2f\n"
        "1: mov 216(%rdi), %ds; mov 218(%rdi), %es\n"
        "  mov 220(%rdi), %fs; mov 222(%rdi), %gs\n"
        "2: movq $1, 240(%rdi)\n"
        "  mov %rdi, %rsp\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"
        "  pop %rdi; pop %rsi; pop %rbp; pop %rbx; pop %rdx; pop %rcx; pop %rax\n"
        "  iretq\n"
        "host_leave:\n"
        "  mov 176(%rdi), %rsp\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        /* AC, NT and segments stay as the code left them: put them right before compiled code. */
        "host_signal:\n"
        "  pushfq; andl $0xfffbbfff, (%rsp); popfq\n"
        "  mov host_state(%rip), %rcx\n"
        "  rdfsbase %rax; mov %rax, 200(%rcx)\n"
        "  rdgsbase %rax; mov %rax, 208(%rcx)\n"
        "  mov %ds, 224(%rcx); mov %es, 226(%rcx); mov %fs, 228(%rcx); mov %gs, 230(%rcx)\n"
        "  xor %eax, %eax\n"
        "  mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs\n"
        "  mov 184(%rcx), %rax; wrfsbase %rax\n"
        "  mov 192(%rcx), %rax; wrgsbase %rax\n"
        "  jmp host_signal_c\n");

static const u8 frame_order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15 };

static void read_fx(const u8 *fx, ov_state *o)
{
    memcpy(&o->fcw, fx, 2);
    memcpy(&o->fsw, fx + 2, 2);
    o->ftw = fx[4];
    memcpy(&o->mxcsr, fx + 24, 4);
    for (unsigned k = 0; k < 8; k++) memcpy(o->st[k], fx + 32 + 16 * k, 10);
    memcpy(o->xmm, fx + 160, 256);
    memset(o->ymmh, 0, sizeof(o->ymmh));
    /* Linux marks a frame that goes on behind the 512 bytes of FXSAVE (asm/sigcontext.h). */
    bool extended = ld32(fx + 464) == 0x46505853;
    if (extended && (fx[XSAVE_BV] & 4)) memcpy(o->ymmh, fx + XSAVE_YMMH, 256);
}

__attribute__((used)) void host_signal_c(int sig, siginfo_t *info, void *context)
{
    struct host_block *b = host_state;
    const ucontext_t *u = context;
    const greg_t *g = u->uc_mcontext.gregs;
    (void)info;
    if (!b->running) { /* our own mistake, not the code under test: die of it */
        signal(sig, SIG_DFL);
        return;
    }
    b->running = 0;
    ov_state *o = b->out;
    *o = *b->in;
    for (unsigned k = 0; k < 16; k++) o->gpr[k] = (u64)g[frame_order[k]];
    o->rip = (u64)g[REG_RIP];
    o->flags = (u32)g[REG_EFL];
    o->seg[OV_CS] = (u16)g[REG_CSGSFS];
    o->seg[OV_SS] = (u16)((u64)g[REG_CSGSFS] >> 48);
    if (b->legacy) {
        static const u8 order[4] = { OV_DS, OV_ES, OV_FS, OV_GS };
        for (unsigned k = 0; k < 4; k++) o->seg[order[k]] = b->out_sel[k];
    } else {
        o->fsb = b->out_fs_base;
        o->gsb = b->out_gs_base;
    }
    read_fx((const u8 *)u->uc_mcontext.fpregs, o);
    b->fault->exc = (u8)g[REG_TRAPNO];
    b->fault->err = (u32)g[REG_ERR];
    b->fault->cr2 = (u64)g[REG_CR2];
    host_leave(b);
}

void host_run(const ov_state *in, unsigned mode, ov_state *out, struct host_fault *f)
{
    struct host_block *b = host_state;
    static const u8 order[15] = { 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2, 1, 0 };
    for (unsigned k = 0; k < 15; k++) b->gpr[k] = in->gpr[order[k]];
    b->rip = in->rip;
    b->cs = in->seg[OV_CS];
    b->flags = in->flags | 2;
    b->rsp = in->gpr[4];
    b->ss = in->seg[OV_SS];
    b->fs_base = in->fsb;
    b->gs_base = in->gsb;
    b->sel[0] = in->seg[OV_DS];
    b->sel[1] = in->seg[OV_ES];
    b->sel[2] = in->seg[OV_FS];
    b->sel[3] = in->seg[OV_GS];
    b->legacy = mode != OV_M64;
    memset(b->fx, 0, sizeof(b->fx));
    memcpy(b->fx, &in->fcw, 2);
    memcpy(b->fx + 2, &in->fsw, 2);
    b->fx[4] = in->ftw;
    memcpy(b->fx + 24, &in->mxcsr, 4);
    for (unsigned k = 0; k < 8; k++) memcpy(b->fx + 32 + 16 * k, in->st[k], 10);
    memcpy(b->fx + 160, in->xmm, 256);
    b->fx[XSAVE_BV] = XSAVE_ALL;
    memcpy(b->fx + XSAVE_YMMH, in->ymmh, 256);
    b->in = in;
    b->out = out;
    b->fault = f;
    host_enter(b);
}

/* ---- set-up ---- */

static u8 *map_window(int fd, off_t at, u32 linear, size_t len, int prot)
{
    void *want = (void *)(uintptr_t)linear;
    void *p = mmap(want, len, prot, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, at);
    if (p != want) return NULL;
    p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
    return p == MAP_FAILED ? NULL : p;
}

static bool write_ldt(unsigned n, const ov_ldtent *e)
{
    struct user_desc d = { .entry_number = n,
                           .base_addr = e->base,
                           .limit = e->limit,
                           .seg_32bit = e->db,
                           .contents = (e->type >> 2) & 3,
                           .read_exec_only = !(e->type & 2),
                           .limit_in_pages = e->gran,
                           .seg_not_present = !e->present };
    return syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)) == 0;
}

static bool catch_signals(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static u8 stack[256 * 1024] __attribute__((aligned(64)));
    stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction a = { .sa_sigaction = host_signal,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    if (sigaltstack(&s, NULL)) return false;
    for (unsigned k = 0; k < LEN(signals); k++) {
        if (sigaction(signals[k], &a, NULL)) return false;
    }
    return true;
}

const char *host_open(struct host_windows *w)
{
    if (!(getauxval(AT_HWCAP2) & 2)) return "the kernel does not offer FSGSBASE";
    int fd = (int)syscall(SYS_memfd_create, "oracle", 0);
    if (fd < 0 || ftruncate(fd, 0x20000)) return "no memfd";
    w->code = map_window(fd, 0, OV_CODE, OV_CODE_L, PROT_READ | PROT_EXEC);
    w->data = map_window(fd, 0x4000, OV_DATA, OV_DATA_L, PROT_READ | PROT_WRITE);
    w->ro = map_window(fd, 0x8000, OV_RO, OV_RO_L, PROT_READ);
    w->stack = map_window(fd, 0xc000, OV_STACK, OV_STACK_L, PROT_READ | PROT_WRITE);
    host_state = mmap((void *)HOST_BLOCK_AT, sizeof(*host_state), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
    if (host_state != (void *)HOST_BLOCK_AT) return "no place for the state block";
    host_state->has_avx = __builtin_cpu_supports("avx") != 0;
    if (!w->code || !w->data || !w->ro || !w->stack) return "the windows' addresses are taken";
    for (unsigned k = 1; k < LEN(ov_ldt); k++) {
        if (!write_ldt(k, &ov_ldt[k])) return "the kernel refuses LDT entries";
    }
    return catch_signals() ? NULL : "no signal stack";
}

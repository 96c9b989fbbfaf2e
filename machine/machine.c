/* Creates the machine and runs it. The loop: mail, requests, due timers, one slice of the CPU that
 * ends at the next deadline; sleep when the CPU is idle. With --clock insn the slice is an exact
 * number of instructions, so that two runs take the same path. */
#include "machine/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/board/board.h"
#include "machine/debug/postmortem.h"

#define PCI_HOLE (3 * GIB) /* RAM below 4 GiB ends here at the latest (device-set.md section 1) */
#define HOST_SLICE 20000u  /* instructions between looks at the host clock: about 0.1 ms */
#define SLOWEST_NS                                                                                 \
    10u /* an instruction never costs the guest more: it sees at least 100 MIPS (boot-chain.md 16) \
         */
#define INSN_SLICE 1000000u
#define HASH_STEP 1000000u
#define IDLE_SLICE_NS 2000000u /* longest sleep of an idle machine: keeps polling prompt */
#define POLL_NS 1000000u       /* character backends and monitors are polled this often */
#define REFRESH_NS 16666667u
#define MAX_POSTMORTEMS 8
#define RETRY_NS NS_PER_SEC /* after a host error, without a monitor */

void machine_request(void *machine, enum machine_request what, int arg, const char *why)
{
    struct machine *m = machine;
    snprintf(m->why, sizeof(m->why), "%s", why ? why : "");
    switch (what) {
    case REQ_RESET:
        m->want_reset = true;
        m->reset_kind = (enum reset_kind)arg;
        break;
    case REQ_POWEROFF: m->want_poweroff = true; break;
    case REQ_STOP: m->want_stop = true; break;
    case REQ_TRIPLE_FAULT: m->want_triple = true; break;
    case REQ_EXIT: machine_quit(m, (int)(((u32)arg << 1) | 1)); break;
    }
    if (m->cpu) cpu_kick(m->cpu);
}

void machine_quit(struct machine *m, int status)
{
    m->exit_status = status;
    m->quit = true;
    if (m->cpu) cpu_kick(m->cpu);
}

void machine_pause(struct machine *m)
{
    if (m->state != MACHINE_RUNNING) return;
    m->state = MACHINE_PAUSED;
    clock_pause(&m->clock);
}

void machine_resume(struct machine *m)
{
    if (m->state != MACHINE_PAUSED) return;
    m->state = MACHINE_RUNNING;
    m->retry_ns = 0;
    clock_resume(&m->clock);
}

static void kick_cpu(void *opaque)
{
    struct machine *m = opaque;
    if (m->cpu) cpu_kick(m->cpu);
}

void machine_post(struct machine *m, void (*run)(void *, u64, u64), u64 a, u64 b)
{
    mailbox_post(&m->mailbox, (struct mail){ run, m, a, b });
}

static u64 insns(void *opaque)
{
    struct machine *m = opaque;
    return m->cpu ? cpu_icount(m->cpu) : 0;
}

static bool a20_get(void *machine)
{
    return ((struct machine *)machine)->a20;
}

static void a20_set(void *machine, bool on)
{
    struct machine *m = machine;
    m->a20 = on;
    if (m->cpu) cpu_set_a20(m->cpu, on);
}

/* Whether another process executes AeroGPU's commands and needs guest RAM as a file (the last --set
 * counts). */
static bool shares_ram(const struct config *c)
{
    const char *name = "aerogpu.exec=", *value = "";
    for (unsigned k = 0; k < c->sets.n; k++) {
        if (!strncmp(c->sets.s[k], name, strlen(name))) value = c->sets.s[k] + strlen(name);
    }
    return !strcmp(value, "bridge");
}

/* A file without a name whose size nobody who gets it can change: an access beyond its end would
 * kill the process. -1: the host refuses. */
static int make_ram_file(u64 size)
{
    int fd = memfd_create("guest RAM", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && !ftruncate(fd, (off_t)size) &&
        !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static int make_ram(struct machine *m, struct error *e)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    m->ram_size = m->cfg->memory;
    m->low_size = MIN(m->ram_size, PCI_HOLE);
    if (pages > 0 && m->ram_size > (u64)pages * (u64)page) {
        return error_set(e, "--memory %lluM: the host has only %lluM",
                         (unsigned long long)(m->ram_size / MIB),
                         (unsigned long long)((u64)pages * (u64)page / MIB));
    }
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    bool share = shares_ram(m->cfg);
    if (share) {
        fd = make_ram_file(m->ram_size);
        flags = MAP_SHARED | MAP_NORESERVE;
    }
    m->guest_ram = (struct guest_ram){ fd, m->low_size, m->ram_size };
    void *p = share && fd < 0 ? MAP_FAILED
                              : mmap(NULL, m->ram_size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (p == MAP_FAILED)
        return error_set(e, "--memory %lluM: the host refuses that much memory",
                         (unsigned long long)(m->ram_size / MIB));
    m->ram = p;
    region_init_ram(&m->ram_low, "ram", m->low_size, m->ram);
    if (m->ram_size == m->low_size) return 0;
    region_init_ram(&m->ram_high, "ram-above-4g", m->ram_size - m->low_size, m->ram + m->low_size);
    return bus_map(&m->mem, 4 * GIB, &m->ram_high, 0, e);
}

struct machine *machine_create(struct config *cfg, struct error *e)
{
    struct machine *m = xalloc(sizeof(*m));
    m->cfg = cfg;
    bus_init(&m->mem, "memory", (1ull << 40) - 1, false);
    bus_init(&m->io, "ports", 0xffff, true);
    clock_init(&m->clock, !strcmp(cfg->clock, "insn") ? CLOCK_INSN : CLOCK_HOST);
    m->clock.insns = insns;
    m->clock.insns_opaque = m;
    m->clock.kick = kick_cpu;
    m->clock.kick_opaque = m;
    log_set_clock(&m->clock);
    trace_set_clock(&m->clock);
    m->host = (struct host_if){ &m->mem, &m->io,  &m->clock,   machine_request, m,
                                a20_get, a20_set, &m->mailbox, &m->guest_ram };
    m->guest_ram.fd = -1;
    mailbox_init(&m->mailbox);
    m->mailbox.kick = kick_cpu;
    m->mailbox.kick_opaque = m;
    m->display = display_create();
    input_init(&m->input);
    input_typist_init(&m->typist, &m->input, &m->clock);
    m->hash_at = HASH_STEP;
    m->trace_hash = 0xcbf29ce484222325ull;
    if (make_ram(m, e) || board_build(m, e)) {
        machine_destroy(m);
        return NULL;
    }
    board_reset(m, RESET_COLD);
    m->state = cfg->paused ? MACHINE_PAUSED : MACHINE_RUNNING;
    return m;
}

void machine_destroy(struct machine *m)
{
    board_destroy(m);
    if (m->cpu) cpu_destroy(m->cpu);
    if (m->ram) {
        region_fini(&m->ram_low);
        if (m->ram_high.ram) region_fini(&m->ram_high);
        munmap(m->ram, m->ram_size);
    }
    if (m->guest_ram.fd >= 0) close(m->guest_ram.fd);
    log_set_clock(NULL);
    trace_set_clock(NULL);
    input_typist_fini(&m->typist);
    display_destroy(m->display);
    mailbox_fini(&m->mailbox);
    bus_fini(&m->mem);
    bus_fini(&m->io);
    clock_fini(&m->clock);
    free(m);
}

/* --- the run loop --- */

static void triple_fault(struct machine *m)
{
    u64 n = ++m->triple_faults;
    struct text t;
    text_init(&t);
    if (n <= MAX_POSTMORTEMS) postmortem(m, &t);
    /* A guest in a loop of them does not flood the terminal: the 8th, 16th, 32nd ... */
    if (n <= MAX_POSTMORTEMS || !(n & (n - 1)))
        fprintf(stderr, "aeropc: triple fault %llu at %llx\n%s", (unsigned long long)n,
                (unsigned long long)cpu_pc_linear(m->cpu), t.s ? t.s : "");
    text_free(&t);
    /* Real chipsets turn the CPU's shutdown cycle into a reset; operating systems use that to
     * reboot. */
    m->want_reset = true;
    m->reset_kind = RESET_COLD;
}

/* A host error such as a full disk: the machine waits, the request that failed is kept. Somebody at
 * a monitor says `cont`; without a monitor it tries again every second. One line per trouble, not
 * per try. */
static void host_trouble(struct machine *m)
{
    u64 now = clock_host_ns();
    bool same = m->stop_ns && now - m->stop_ns < 2 * RETRY_NS && !strcmp(m->why, m->stop_why);
    m->stop_ns = now;
    snprintf(m->stop_why, sizeof(m->stop_why), "%s", m->why);
    m->retry_ns = m->monitors ? 0 : now + RETRY_NS;
    if (!same || m->monitors)
        LOG(LOG_ERROR, "machine", "paused: %s (%s)", m->why,
            m->monitors ? "'cont' in the monitor tries again" : "tried again every second");
    machine_pause(m);
}

static void serve_requests(struct machine *m)
{
    bool died = m->want_triple;
    if (m->want_triple) {
        m->want_triple = false;
        triple_fault(m);
    }
    if (m->want_stop) {
        m->want_stop = false;
        host_trouble(m);
    }
    if (m->want_poweroff) {
        m->want_poweroff = m->want_reset = false;
        LOG(LOG_INFO, "machine", "power off: %s", m->why);
        m->state = MACHINE_OFF;
        clock_pause(&m->clock);
    }
    if (m->want_reset) {
        m->want_reset = false;
        LOG(LOG_INFO, "machine", "reset: %s", m->why);
        if (m->cfg->no_reboot) {
            machine_quit(m, died ? STATUS_TRIPLE_FAULT : 0);
            return;
        }
        m->resets++;
        board_reset(m, m->reset_kind);
    }
}

/* FNV-1a over what the next instruction depends on. Taken at fixed instruction counts, so kicks do
 * not matter. */
static void mix_hash(struct machine *m)
{
    static const char *const regs[] = { "rax", "rcx", "rdx",    "rbx", "rsp", "rbp", "rsi",
                                        "rdi", "rip", "rflags", "cs",  "cr0", "cr3" };
    u64 h = m->trace_hash;
    for (unsigned k = 0; k < LEN(regs); k++) {
        bool ok;
        h = (h ^ cpu_get_reg(m->cpu, regs[k], &ok)) * 0x100000001b3ull;
    }
    m->trace_hash = (h ^ clock_now(&m->clock)) * 0x100000001b3ull;
    m->hash_at += HASH_STEP;
}

static u64 slice_budget(struct machine *m)
{
    u64 wake = m->wake_insns ? MAX(m->wake_insns, cpu_icount(m->cpu) + 1) - cpu_icount(m->cpu)
                             : UINT64_MAX;
    if (m->clock.mode != CLOCK_INSN) return MIN(HOST_SLICE, wake);
    u64 now = clock_now(&m->clock), deadline = clock_deadline(&m->clock), n = INSN_SLICE;
    if (deadline != TIMER_NEVER) {
        u64 left = deadline > now ? deadline - now : 0;
        u64 need =
            (u64)((((u128)left << 16) + m->clock.ns_per_insn_q16 - 1) / m->clock.ns_per_insn_q16);
        n = MIN(n, MAX(need, 1u));
    }
    n = MIN(n, wake);
    return MIN(n, m->hash_at - cpu_icount(m->cpu));
}

/* Nothing to execute until the next deadline. */
static void idle(struct machine *m)
{
    u64 deadline = clock_deadline(&m->clock);
    if (m->clock.mode == CLOCK_INSN) {
        clock_advance(&m->clock, deadline == TIMER_NEVER
                                     ? POLL_NS
                                     : deadline - MIN(deadline, clock_now(&m->clock)));
        if (deadline == TIMER_NEVER) mailbox_wait(&m->mailbox, POLL_NS);
        return;
    }
    clock_set_limit(&m->clock, UINT64_MAX);
    clock_catch_up(&m->clock, deadline);
    u64 now = clock_now(&m->clock);
    if (deadline > now) mailbox_wait(&m->mailbox, MIN(deadline - now, IDLE_SLICE_NS));
}

static void run_slice(struct machine *m)
{
    m->clock.deadline_moved = false;
    if (cpu_is_idle(m->cpu)) {
        idle(m);
        return;
    }
    u64 budget = slice_budget(m);
    if (m->clock.mode == CLOCK_HOST)
        clock_begin_slice(&m->clock, clock_now(&m->clock) + budget * SLOWEST_NS);
    enum cpu_stop why = cpu_run(m->cpu, budget);
    clock_end_slice(&m->clock);
    if (m->clock.mode == CLOCK_INSN && cpu_icount(m->cpu) >= m->hash_at) mix_hash(m);
    if (m->wake_insns && cpu_icount(m->cpu) >= m->wake_insns) {
        m->wake_insns = 0;
        m->poll_now = true;
    }
    if (why == CPU_BREAK) {
        snprintf(m->why, sizeof(m->why), "breakpoint at %llx",
                 (unsigned long long)cpu_pc_linear(m->cpu));
        machine_pause(m);
    }
}

static void host_work(struct machine *m, u64 now)
{
    if (m->poll) m->poll(m);
    if (m->window && now >= m->next_refresh_ns) {
        m->next_refresh_ns = now + REFRESH_NS;
        display_poll(m->display);
    }
}

void machine_run(struct machine *m)
{
    u64 next_poll = 0;
    unsigned slices = 0;
    if (m->state == MACHINE_RUNNING) clock_resume(&m->clock);
    while (!m->quit) {
        mailbox_drain(&m->mailbox);
        /* Looking at the host clock costs more than a short slice. */
        u64 now = (++slices & 7) && m->state == MACHINE_RUNNING && m->clock.mode == CLOCK_HOST
                      ? 0
                      : clock_host_ns();
        if (now >= next_poll || m->poll_now) {
            m->poll_now = false;
            host_work(m, now);
            next_poll = now + POLL_NS;
        }
        serve_requests(m);
        if (m->quit) break;
        if (m->state == MACHINE_RUNNING) {
            clock_run_due(&m->clock, 256);
            if (!m->poll_now) run_slice(m);
        } else {
            if (m->retry_ns && clock_host_ns() >= m->retry_ns) machine_resume(m);
            if (m->state == MACHINE_OFF && !(m->keep_alive && m->keep_alive(m))) break;
            mailbox_wait(&m->mailbox, 5 * POLL_NS);
        }
    }
    if (m->window) display_refresh(m->display, false);
}

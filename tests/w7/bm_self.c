/* The library's own check, and the smallest program to start from: an exception is caught and told, an interrupt arrives, numbers print.
 * W7-091: #DE points at the instruction and leaves the registers alone. */
#include "bm.h"

static void divide(void *arg)
{
    word at;
    __asm__ volatile("call 2f\n2:\tpop %0\n\tadd $(1f - 2b), %0\n\tmov %0, (%1)\n\txor %%edx, %%edx\n\txor %%ecx, %%ecx\n"
                     "1:\tdiv %%ecx"
                     : "=&r"(at)
                     : "r"(arg)
                     : "eax", "ecx", "edx", "memory");
}

static void nothing(void *arg)
{
    (void)arg;
}

static volatile u32 ticks;

static void on_tick(struct bm_regs *r)
{
    (void)r;
    ticks++;
    bm_pic_eoi(0);
}

void bm_main(const struct bm_info *info)
{
    W7_PLAN(32, 91);
    word at = 0;
    struct bm_fault f = bm_try(divide, &at);
    w7_eq(91, "DIV by zero raises #DE", (u64)f.vector, 0);
    w7_eq(91, "#DE's return address is the instruction", f.ip, at);
    f = bm_try(nothing, NULL);
    w7_eq(91, "no exception without cause", (u64)(long long)f.vector, (u64)-1);

    bm_on(0x20, on_tick);
    bm_pic_init(0x20, 0x28);
    bm_pic_mask(0xfffe);
    for (u32 tries = 0; ticks < 3 && tries < 1000; tries++) sti_hlt_cli();
    bm_pic_mask(0xffff);
    w7(32, ticks == 3, "IRQ 0 runs after the BIOS as it left the PIT: %u ticks", ticks);
    bm_printf("%d bits, \"%s\", %x %04u %lld %lx\n", BM_BITS, info->command_line, 0xabcu, 7u, -5000000000ll, (unsigned long)read_cr0());
}

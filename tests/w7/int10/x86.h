/* A strict interpreter of 80386 real-mode code, made after the one in which Windows runs INT 10h:
 * it refuses what that one is known not to do or to do wrong, and every access its environment does
 * not allow. It shares nothing with cpu/: its purpose is to be a second, small and pedantic reader
 * of the same code.
 *
 *   decode.c  bytes to struct insn, and the list of what is allowed
 *   exec.c    one instruction; flags, operands, stack
 *   scan.c    every instruction that control flow can reach, without running it
 *
 * A refusal is sticky: the first one is kept in `why` and execution ends.
 * Source of the rules: what is known of the Windows 7 HAL's emulator; Intel 80386 Programmer's
 * Reference Manual, chapter 17, for the instructions.
 * Left out, that is refused: INS and OUTS, x87, LOCK, all of the protected-mode instructions. */
#ifndef TESTS_W7_INT10_X86_H
#define TESTS_W7_INT10_X86_H

#include "machine/core/types.h"

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };
enum { ES, CS, SS, DS, FS, GS };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, IF = 0x200, DF = 0x400, OF = 0x800 };

/* Op numbers: one byte, or 100h + the byte after 0Fh. */
struct insn {
    u16 op;
    u8 len, opsize, addrsize, rep; /* sizes in bytes; rep 0, F2h, F3h */
    i8 seg;                        /* override, -1: none */
    bool has_modrm;
    u8 mod, reg, rm;
    i8 base, index; /* 32-bit addressing; -1: none */
    u8 scale;
    u32 disp, imm, imm2;
};

/* What the code may touch. Both set `*why` to a constant text when they refuse. */
struct world_if {
    u8 (*load)(void *w, u32 linear, const char **why);
    void (*store)(void *w, u32 linear, u8 v, const char **why);
    u32 (*in)(void *w, u16 port, unsigned size, const char **why);
    void (*out)(void *w, u16 port, u32 v, unsigned size, const char **why);
};

struct cpu {
    u32 r[8];
    u16 sel[6], ip;
    u32 flags;
    const struct world_if *wi;
    void *w;
    u16 stack_low, sp_min; /* SP must not sink below; how low it went */
    u64 steps;
    const char *why; /* NULL: nothing refused yet */
    u32 why_addr;    /* memory or port address of the refusal, 0 if it was about an opcode */
    u16 why_ip;
};

/* decode.c. Returns NULL or why the instruction is not allowed; bytes: at least 15. */
const char *decode(const u8 *bytes, struct insn *i);
/* exec.c. Runs until IRET or RETF reaches FFFF:FFFF (true) or something is refused. */
bool run(struct cpu *c, u64 max_steps);
void refuse(struct cpu *c, const char *why, u32 addr);
/* scan.c. rom: 64 KiB segment; entries: where to start. Returns how many distinct instructions are
 * reachable; refused ones are passed to `bad`. */
unsigned scan(const u8 *rom, const u16 *entries, unsigned n,
              void (*bad)(u16 ip, const u8 *bytes, const char *why));

#endif

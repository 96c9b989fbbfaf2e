/* struct cpu: architectural state first, then what is derived from it (caches). Private to cpu/ and
 * its tests. Flags: the arithmetic flags may be lazy; only flags.h touches cc_*; everybody else
 * uses cpu_flags()/cpu_set_flags(). */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include "cpu/cpu.h"
#include "machine/core/types.h"

enum {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, REG_ZERO, REG_RIP
};
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

#define FL_CF 0x1u
#define FL_PF 0x4u
#define FL_AF 0x10u
#define FL_ZF 0x40u
#define FL_SF 0x80u
#define FL_TF 0x100u
#define FL_IF 0x200u
#define FL_DF 0x400u
#define FL_OF 0x800u
#define FL_IOPL 0x3000u
#define FL_NT 0x4000u
#define FL_RF 0x10000u
#define FL_VM 0x20000u
#define FL_AC 0x40000u
#define FL_VIF 0x80000u
#define FL_VIP 0x100000u
#define FL_ID 0x200000u
#define FL_ARITH (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

#define CR0_PE 0x1u
#define CR0_MP 0x2u
#define CR0_EM 0x4u
#define CR0_TS 0x8u
#define CR0_ET 0x10u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_AM 0x40000u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u
#define CR4_VME 0x1u
#define CR4_PVI 0x2u
#define CR4_TSD 0x4u
#define CR4_DE 0x8u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_MCE 0x40u
#define CR4_PGE 0x80u
#define CR4_PCE 0x100u
#define CR4_OSFXSR 0x200u
#define CR4_OSXMMEXCPT 0x400u
#define CR4_UMIP 0x800u
#define CR4_FSGSBASE 0x10000u
#define CR4_OSXSAVE 0x40000u
#define CR4_SMEP 0x100000u
#define CR4_SMAP 0x200000u
#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u

enum {
    EXC_DE, EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_BR, EXC_UD, EXC_NM, EXC_DF, EXC_CSO, EXC_TS,
    EXC_NP, EXC_SS, EXC_GP, EXC_PF, EXC_MF = 16, EXC_AC, EXC_MC, EXC_XM
};

/* Hidden part of a segment register. attr = descriptor bits 40-47 in bits 0-7 and 52-55 in bits
 * 12-15, i.e. the access-rights word of LAR >> 8: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B
 * 14, G 15. limit is in bytes (G applied). */
struct seg {
    u64 base;
    u32 limit;
    u16 sel;
    u16 attr;
};
#define ATTR_TYPE 0xfu
#define ATTR_S 0x10u
#define ATTR_DPL(a) (((a) >> 5) & 3)
#define ATTR_P 0x80u
#define ATTR_L 0x2000u
#define ATTR_D 0x4000u
#define ATTR_G 0x8000u

struct dtable {
    u64 base;
    u32 limit;
};

/* 80-bit extended real as in memory. */
struct f80 {
    u64 mant;
    u16 se; /* sign and exponent */
};

union vreg {
    u8 b[32];
    u16 w[16];
    u32 d[8];
    u64 q[4];
    i8 sb[32];
    i16 sw[16];
    i32 sd[8];
    i64 sq[4];
    float f[8];
    double df[4];
} __attribute__((aligned(32)));

enum cpu_bits { BITS16, BITS32, BITS64 }; /* default operand size of the code segment */

/* Bits of struct cpu.events: anything that must be looked at before the next instruction. */
enum {
    CE_FAULT = 1,       /* exception recorded in fault_*, deliver it */
    CE_INTR = 2,        /* an interrupt may be deliverable (INTR wire or APIC) */
    CE_NMI = 4,
    CE_SMI = 8,
    CE_HALT = 16,       /* HLT executed */
    CE_KICK = 32,
    CE_SHADOW = 64,     /* previous instruction was STI / MOV SS / POP SS: no interrupt yet */
    CE_TRAP = 128,      /* TF or data breakpoint: #DB after the current instruction */
    CE_MODE = 256,      /* mode, CS or paging changed: the current decoded run is stale */
    CE_SHUTDOWN = 512,
    CE_BREAK = 1024,    /* monitor breakpoints or single step active: slow loop */
    CE_INIT = 2048,
    CE_CODE = 4096,     /* code in the page being executed was modified */
    CE_DRX = 8192,      /* DR7 has an execution breakpoint: exc_code_breakpoint() first */
    CE_RF = 16384,      /* RFLAGS.RF is set: clear it when the next instruction has completed */
};
/* Values of struct cpu.shadow; SHADOW_SS also holds back #DB traps. */
enum { SHADOW_STI = 1, SHADOW_SS = 2 };

#define TLB_ENTRIES 1024
/* One translation. Tags are linear page addresses, ~0 when invalid. off + linear address = host
 * address. A tag with TLB_SLOW set never equals a page address: the translation is known, but every
 * access must take the slow path (I/O, APIC page, code page for writes, data breakpoint in the
 * page, user page under SMAP while AC is clear). */
#define TLB_SLOW 0x800u /* above the alignment bits that mem.h leaves in the compared address */
/* In tag_w beside TLB_SLOW: the page is RAM that holds decoded code and nothing else is special about
 * it, so a store to bytes without code may be done at e->off (icache_gap). PAGE_DIRTY is set. */
#define TLB_CODE 0x400u
/* Beside TLB_SLOW: only SMAP is in the way, until AC is set (smap.c). */
#define TLB_SMAP 0x200u
#define TLB_GLOBAL 1u /* in gpa: kept over CR3 loads */
#define TLB_USER 2u   /* in gpa: user page (SMAP check) */
#define TLB_IO 4u     /* in gpa: no memory is behind the page, reads and writes are a device's */
struct tlb_entry {
    u64 tag_r, tag_w;
    u64 off;
    u64 gpa; /* page | TLB_GLOBAL | TLB_USER | TLB_IO, for slow paths */
};
#define TLB_LIST 512 /* slots filled since the last flush that flushing can visit instead of all */

/* Translation of a code page; filled by mmu_code_page(). */
#define XTLB_ENTRIES 512
struct xtlb_entry {
    u64 tag;            /* linear page address, ~0 when invalid */
    u64 gpa;            /* physical page, A20 applied */
    u8 *host;           /* its 4096 bytes, NULL when it is not plain memory */
    struct region *rgn; /* RAM or ROM region behind it ... */
    u64 rgn_off;        /* ... and the page's offset there; NULL and 0 for I/O */
    bool global;
};

/* What a walk found above one 2 MiB piece of linear addresses: its page table, or the large page that
 * it is in (walk.c). */
#define WALK_NODES 256
#define WALK_EPOCH 0xffffffffull /* numbers of generation 0 between two full flushes, at most */
struct walk_node {
    u64 tag;         /* linear address >> 21 */
    u64 generation;  /* usable while it is walk_generation[global] */
    const u8 *table; /* NULL: a large page */
    u64 gpa;         /* of the table, or of the large page's entry */
    u64 id;          /* another for other entries above */
    bool user, writable, nx, global;
    u8 size; /* of an entry, bytes */
};
/* The rest of it, which refills from tables do not need. */
struct walk_above {
    struct {
        const u8 *at; /* an entry above the table or the large page, in host memory */
        u64 value;
    } entry[3];
    u64 checked; /* walk_generation[0] when it was looked whether they are still so ... */
    bool intact; /* ... and whether */
    u8 count, bit; /* of entries; lowest address bit of the large page */
    u64 leaf, frame; /* the large page's entry, and its address */
    u64 cr3;         /* when it was made */
    const u8 *leaf_at;
};

/* What a slot of the TLB came from: space.c asks whether a walk would still give the same. */
struct origin {
    u64 node;     /* its place in walk[] | its id << 8; 0: not known, dropped when CR3 is loaded */
    const u8 *at; /* the last entry, and its value, accessed and dirty bits included */
    u64 value;
    u8 *flags;    /* of the page (PAGE_*), or NULL */
};

/* One address space: what is known about it while CR3 holds another (space.c). */
#define SPACES 8
#define SPACE_PAGES 128
#define SPACE_CODE 64
struct kept_code {
    struct origin from;
    struct xtlb_entry x;
    u8 user;
};
struct jit_addresses {
    u64 epoch[2];
    u16 generation[2];
    bool known[2];
};
struct space {
    u64 cr3;    /* ~0: none */
    u64 used;   /* when it was loaded last */
    u64 loads;
    u32 pages, codes; /* codes > SPACE_CODE: too many, and which addresses the translator knew is lost */
    struct jit_addresses jit;
    struct kept_page {
        struct origin from;
        struct tlb_entry e;
        u16 slot; /* of tlb[0], tlb[1] */
    } page[SPACE_PAGES];
    struct kept_code code[SPACE_CODE];
};

struct cpu_model; /* cpuid.c */
struct apic;      /* apic.c */
struct icache;    /* interp.c: decoded pages */
struct jit;       /* jit/ */
struct jit_link;
#define JIT_GUESSES 32768
struct lockstep;

struct cpu {
    /* --- architectural --- */
    union {
        u64 r[18];
        struct {
            u64 gpr[16];
            u64 zero; /* always 0: "no base", "no index" */
            u64 rip;  /* inside a handler: address of the next instruction */
        };
    };
    u64 rflags;       /* without the arithmetic flags when they are lazy (flags.h) */
    u64 cc_dst, cc_src; /* lazy flags; meaning in flags.h */
    _Atomic u32 events; /* CE_* ; also set by cpu_kick on other threads */
    u64 insn_rip;     /* start of the current instruction: where faults return to */
    u64 budget;       /* instructions left in this slice */
    u64 jit_page;     /* jit/: linear address of the page being executed; a scratch word; flags */
    u64 jit_temp;
    u16 jit_flags;
    bool jit_sse, jit_refuse; /* MXCSR is the guest's; vector instructions are the interpreter's */
    u32 jit_mxcsr, jit_host_mxcsr;
    bool jit_x87;     /* the x87 state is in the host's unit; its pointers are still to be made: */
    u8 jit_fseg;      /* segment of the last operand in memory, or SEG_COUNT */
    u32 jit_fnote;    /* the last instruction (jit/x87.c) */
    u64 jit_fpage, jit_fdp; /* its page; the operand's linear address */
    u64 jit_source; /* what the last shift shifted, while its flags can be wanted (jit/flags.c) */
    u64 jit_slot[4];  /* host addresses that a superblock keeps (jit/group.c) */
    u8 cpl;
    u8 bits;          /* enum cpu_bits of CS */
    bool long_mode;   /* EFER.LMA */
    bool flat_ds;     /* DS, ES, SS flat 4 GiB, or 64-bit mode: needs no segment check */
    struct seg seg[SEG_COUNT], ldtr, tr;
    struct dtable gdtr, idtr;
    u64 cr0, cr2, cr3, cr4; /* CR8 is the TPR of the local APIC */
    u64 efer;
    u64 dr[8];
    bool a20;

    struct f80 fpr[8]; /* physical x87 registers; MMX alias is mant */
    u16 fcw, fsw;      /* fsw holds TOP in bits 13-11 */
    u8 ftw;            /* bit n set: physical register n is NOT empty (FXSAVE form) */
    u16 fop;
    u64 fip, fdp;
    u16 fcs, fds;
    bool ignne;        /* FERR#/IGNNE# flip-flop */
    union vreg v[16];
    u32 mxcsr;
    u64 xcr0;

    /* --- MSRs and other rarely used architectural state --- */
    u64 star, lstar, cstar, fmask, kernel_gs_base, tsc_aux, spec_ctrl;
    u64 sysenter_cs, sysenter_esp, sysenter_eip;
    u64 apic_base, pat, misc_enable, debugctl;
    u64 mtrr_phys[16], mtrr_fix[11], mtrr_def;
    u64 mcg_status, mcg_ctl, mci_ctl[10], mci_status[10], mci_addr[10], mci_misc[10];
    u64 tsc_offset;
    bool nmi_blocked, halted, shutdown;
    bool smm, nmi_was_blocked; /* in system management mode; NMI blocking before it (smm.c) */
    u32 smbase;
    u64 pdpte[4];      /* PAE page-directory pointers, loaded with CR3 */

    /* --- pending events --- */
    bool nmi_pending, intr_line;
    bool smi_pending, init_pending; /* latched: SMI until taken, INIT while in SMM */
    struct io_restart {
        bool valid;
        u64 rip, rcx, rsi, rdi;
    } io_restart; /* the I/O instruction that caused the SMI */
    u8 fault_vector;
    bool fault_has_error;
    u32 fault_error;
    u64 fault_cr2;
    u32 pending_dr6;   /* bits to report with the next #DB trap */
    u8 shadow;         /* SHADOW_*: set by STI, MOV SS, POP SS; until the next one has completed */
    u64 sti_icount;    /* STI: the shadow is over when the instruction count is another */
    bool no_step;      /* the instruction entered a handler (INT n ...): no single-step trap */
    bool exc_ext;      /* delivering an event from outside the program: EXT bit of error codes */

    /* --- wiring --- */
    struct cpu_env env;
    struct bus *mem, *io;
    struct clock *clock;
    const struct cpu_model *model;
    bool no_hypervisor; /* CPUID shows bare hardware */
    bool ignore_msrs;   /* unknown MSRs read 0 and drop writes */
    struct apic *apic;
    u64 apic_page;     /* physical page of the local APIC, ~0 when disabled */
    u64 phys_mask;     /* physical address width of the model; A20 not included */
    u64 a20_mask;      /* ~0 or ~1 MiB bit */
    u64 tsc_last;      /* what was read last */
    u32 unknown_msrs[64]; /* those that were told in the log */
    unsigned unknown_msr_count;

    /* --- caches --- */
    u32 bus_generation;
    struct tlb_entry tlb[2][TLB_ENTRIES]; /* [0] supervisor, [1] user */
    struct xtlb_entry xtlb[2][XTLB_ENTRIES];
    struct origin origin[2][TLB_ENTRIES]; /* of tlb[] */
    struct walk_node walk[WALK_NODES];
    struct walk_above walk_above[WALK_NODES];
    u64 walk_generation[2];   /* [1]: of global large pages */
    u64 walk_ids;
    u16 tlb_list[TLB_LIST];   /* slots of tlb[] with pages of this CR3 that are not global */
    unsigned tlb_list_len;    /* > TLB_LIST: overflowed, visit all */
    bool tlb_listed[2 * TLB_ENTRIES]; /* is in this list */
    unsigned space_now;       /* in space[]; its code[] is in use, its page[] is not */
    struct space space[SPACES];
    u16 tlb_used[TLB_LIST];   /* slots filled since everything was flushed */
    unsigned tlb_used_len;
    u16 tlb_open[32];         /* slots of user pages that the supervisor may reach because of AC */
    unsigned tlb_open_len;
    u64 tlb_large[1024];      /* bits by hashed 4 MiB: a piece of a large page may be there */
    bool tlb_huge;            /* a piece of a 1 GiB page is */
    struct icache *icache;
    struct jit *jit;   /* NULL: the interpreter runs everything */
    struct lockstep *lockstep; /* jit/lockstep.h; NULL: no comparison */
    u64 jit_key;       /* what entries of jit_table are keyed with beside the address */
    struct jit_link *jit_exit; /* by which generated code was left, or NULL */
    struct jit_entry {
        u64 key, code;
    } jit_table[32768];
    struct jit_guess { /* jit/tlb.c: an access's TLB entry of the last time */
        u32 entry;     /* offset in one half of tlb */
        i32 misses;    /* more of them until the access stops guessing */
    } jit_guess[JIT_GUESSES];
    struct code_gap {
        const u8 *host;     /* page with code, NULL: none */
        const u64 *covered; /* bit per byte: decoded or translated; ones behind the page's end */
    } code_gap[256];   /* by host page: what stores to code pages ask (icache.h) */
    u64 icount_base;   /* instructions retired before this slice */
    u64 slice;         /* size of this slice: retired = icount_base + slice - budget */
    u32 polls;         /* reads of device registers, for cpu_polled() */
    u64 stats[16];     /* counters for info stats; names in interp.c */
    u64 breaks[16];
    unsigned nbreaks;
};

#endif

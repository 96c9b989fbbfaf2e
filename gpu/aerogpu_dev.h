/* AeroGPU's state, shared by its files: aerogpu.c the PCI function and its registers,
 * aerogpu_ring.c ring, submissions and fences, aerogpu_scan.c scanout, cursor and vertical blank.
 * Nobody else includes it. */
#ifndef GPU_AEROGPU_DEV_H
#define GPU_AEROGPU_DEV_H

#include "devices/pci.h"
#include "gpu/aerogpu.h"
#include "gpu/exec.h"
#include "gpu/record.h"
#include "gpu/vga_core.h"
#include "machine/ui/display.h"

#define AGPU_VBLANK_NS 16666667u /* 60 Hz, rounded up */
enum { AGPU_QUEUE = 256 };       /* submissions accepted and not yet published */

/* An address register whose low half waits for the high half. */
struct agpu_latch {
    u64 gpa; /* committed: what the display uses */
    u32 low;
    bool pending;
};

struct agpu_surface { /* scanout 0 or the cursor */
    u32 enable, width, height, format, pitch;
    struct agpu_latch fb;
};

struct agpu_fence { /* an accepted submission whose fence is not published */
    u64 value;
    u64 ticket;  /* of the last submission that it stands for */
    u32 running; /* submissions that the executor still has */
    bool irq, paced;
};

struct agpu_error_note { /* for people */
    u64 time, fence;
    u32 code;
    char why[84];
};

struct aerogpu {
    struct pci_dev pci;
    struct vga_core core;    /* dormant unless legacy */
    struct display *display; /* pointer "display" */
    u32 class_code;          /* option "class" */
    bool legacy;             /* option "legacy" */
    bool vblank;             /* option "vblank" */
    bool threaded;           /* option "thread" */
    char *exec_name;         /* option "exec" */
    char *socket;            /* option "socket" */
    char *record;            /* option "record" */
    char *soft;              /* option "soft" */
    u32 workers;             /* option "workers" */
    bool fast;               /* option "fast" */
    struct region regs, vram;
    u8 *vram_mem;

    /* registers */
    u64 ring_gpa, fence_gpa, completed;
    u32 ring_size, ring_control;
    u32 irq_status, irq_enable;
    u32 error_code, error_count;
    u64 error_fence;
    struct agpu_surface scan, cursor;
    u32 cursor_x, cursor_y, cursor_hot_x, cursor_hot_y;

    /* ring and fences */
    const struct exec_ops *ops;
    struct exec *exec;
    bool transfer;                       /* of the executor of that name */
    struct recorder *recorder;           /* NULL: nothing is recorded */
    const char *exec_label;              /* its name; that of `ops` may be the thread's */
    struct agpu_fence queue[AGPU_QUEUE]; /* in submission order, from `first` on */
    u32 first, queued;
    u64 tickets; /* submissions accepted so far */
    struct timer resume_timer;
    bool doorbell_pending; /* rung while bus mastering was off */
    bool reset_pending;    /* RESET's memory part, likewise */
    bool page_pending;     /* the fence page, likewise */
    bool stalled;          /* the executor was full: the rest of the ring waits for it */
    bool submitting;       /* inside a doorbell: fences are published at its end */
    bool powered_down;     /* ring off and its address zeroed since the last RESET */
    u64 submissions, dropped_packets, unknown_packets; /* since power-on, for `info` */
    struct agpu_error_note notes[8];                   /* the last ones */
    u64 errors;                                        /* since power-on */

    /* vertical blank */
    struct timer vblank_timer;
    u64 vblank_next, vblank_seq, vblank_time;

    /* presenter */
    struct display_source scan_src;
    bool claimed; /* scanout 0 was displayable once since reset */
    u64 activity; /* virtual time of the last flip or submission */
    bool scan_dirty;
    u32 last_width, last_height; /* of the frame before: black keeps its size */
    u32 shown[8];                /* what the last frame was made from */
    u64 shown_gpa[2];
    char scan_name[32];
};

static inline bool agpu_master(const struct aerogpu *g)
{
    return pci_command(&g->pci) & PCI_CMD_MASTER;
}

/* aerogpu.c */
void agpu_update_irq(struct aerogpu *g);
void agpu_error(struct aerogpu *g, enum agpu_error code, u64 fence, const char *why);
u32 agpu_features(const struct aerogpu *g);

/* aerogpu_info.c */
void agpu_info(struct device *d, struct text *t);

/* aerogpu_ring.c */
void agpu_timers_init(
    struct aerogpu *g); /* first: an unset timer is not one that can be cancelled */
int agpu_ring_init(struct aerogpu *g, struct error *e);
void agpu_ring_fini(struct aerogpu *g);
void agpu_doorbell(struct aerogpu *g);
void agpu_ring_reset(struct aerogpu *g);      /* RING_CONTROL bit 1 */
void agpu_ring_power_down(struct aerogpu *g); /* the ring is off and its address is 0 */
void agpu_ring_start(struct aerogpu *g);      /* on again without RESET */
void agpu_ring_forget(struct aerogpu *g);     /* device reset: registers are the caller's */
void agpu_master_on(struct aerogpu *g);       /* what waited for bus mastering */
/* Publishes finished fences in order, up to the first that waits for a vertical blank; `paced` of
 * those may go. */
void agpu_publish(struct aerogpu *g, unsigned paced);
/* No fence waits for a vertical blank any more: there are none while the scanout is off. Also those
 * that cannot be published yet, bus mastering being off or the executor at work. */
void agpu_release_paced(struct aerogpu *g);

void agpu_record_scanout(struct aerogpu *g);

/* aerogpu_scan.c */
void agpu_vblank_init(struct aerogpu *g);
void agpu_scan_init(struct aerogpu *g);
void agpu_scan_reset(struct aerogpu *g);
bool agpu_scan_get(void *opaque, struct exec_scanout *s); /* exec_host.scanout */
void agpu_scan_enable(struct aerogpu *g, bool on);
void agpu_scan_written(struct aerogpu *g); /* after any scanout register */
void agpu_vblank_run(struct aerogpu *g,
                     bool quiet); /* edges due now; quiet: without latching status */

#endif

/* What the two halves of the video probe share: INT 10h, a buffer for its answers, and pictures for the runner. */
#ifndef FW_VIDEO_H
#define FW_VIDEO_H

#include "fw.h"

enum { VIDEO = 0x10, AX_OK = 0x004f, AX_FAILED = 0x014f };

/* INT 10h; ES:DI = 3000:0000. The answer is in r. */
u16 int10(struct regs *r, u16 ax, u16 bx, u16 cx, u16 dx);
/* Tells the runner on COM1 that the picture `name` is there to be judged and waits for a key. */
void show(const char *name);
u16 dispi(u16 index);
void dispi_set(u16 index, u16 value);
/* Steps of bit `mask` of 3DAh from 0 to 1 during one second of guest time, and the shortest time between two: a host that is busy
 * elsewhere may make the loop miss some. */
u32 edges(u8 mask, u32 *period_us);
/* expect() for many of a kind: fails for each, passes once, when finish() finds none that failed. */
void same(u32 id, const char *what, u32 got, u32 want);
void finish(u32 id, const char *what);

void vga_probes(void);

#endif

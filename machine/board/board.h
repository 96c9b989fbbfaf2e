/* The board: which chips exist, where they sit, which wires join them. One table (board.c);
 * machine.c calls it. */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "machine/core/device.h"
#include "machine/core/error.h"
#include "machine/core/text.h"

struct machine;
struct chardev;

/* Creates, wires and initialises every device of m->cfg; does not reset them. */
int board_build(struct machine *m, struct error *e);
void board_reset(struct machine *m, enum reset_kind kind);
void board_destroy(struct machine *m);
struct device *board_device(struct machine *m, const char *name);  /* NULL: none of that name */
struct device *board_device_at(struct machine *m, unsigned index); /* NULL past the last */
struct chardev *board_serial(struct machine *m, unsigned n); /* COM1, COM2; NULL: not connected */
void board_poll_chars(struct machine *m);                    /* input of every character backend */
/* Options and help of a device class by class or instance name; -1: unknown. */
int board_device_help(const char *name, struct text *t);
void board_power_button(struct machine *m);
/* Changes the disc of the first CD drive; path NULL ejects. */
int board_change_cd(struct machine *m, const char *path, struct error *e);

#endif

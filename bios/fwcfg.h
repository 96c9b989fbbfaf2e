/* Reading the host's configuration items and files through ports 510h/511h. */
#ifndef BIOS_FWCFG_H
#define BIOS_FWCFG_H

#include "bios/bios.h"

struct fw_file {
    u32 size;
    u16 select;
    char name[56];
};

enum { FW_NAME = 56 };

void fw_init(void);
u16 fw_item16(u16 key);
/* Calls `each` for every file whose name starts with `prefix`, until it returns non-zero. */
int fw_each(const char *prefix, int (*each)(const struct fw_file *f));
int fw_find(const char *name, struct fw_file *f);
void fw_select(u16 key);
void fw_read(void *to, u32 len);                /* next bytes of the selected item */
void fw_read_flat(u32 to, u32 len);
int fw_text(const char *name, char *to, u32 size);

#endif

/* The steps of POST, in the order post_main takes them. */
#ifndef BIOS_POST_H
#define BIOS_POST_H

#include "bios/bios.h"

void post_main(void);

/* memory.c */
void memory_size(void);
int e820_entry(u32 index, u32 out[5]);       /* base lo, hi, length lo, hi, type; 0 = no such */
u32 table_alloc(u32 size, u32 align);        /* from the reserved memory below low_top */
u32 f_segment_alloc(u32 size, u32 align);    /* from F000:D000, written before it is sealed */

/* cpu.c */
void cpu_init(void);
void pic_init(void);

/* acpi.c, smbios.c, tables.c */
void acpi_init(void);
void smbios_init(void);
void headers_init(void);                     /* before any option ROM looks */
void tables_init(void);

/* oprom.c */
void video_rom_init(void);
void option_roms_init(void);
void seal_shadow(void);

#endif

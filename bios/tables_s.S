/*
 * Structures other software searches for at fixed places of segment F000: BIOS32 directory, PnP
 * installation check, system configuration (INT 15h C0h), floppy parameters (INT 1Eh).
 */
#include "bios/layout.h"

        .section .ftables, "aw"
        .globl bios32_header
bios32_header:
        .ascii "_32_"
        .long 0xf0000 + bios32_entry
        .byte 0, 1
        .byte 0                         /* checksum, filled in by POST */
        .byte 0, 0, 0, 0, 0
        .org 0x20
        .globl pnp_header
pnp_header:
        .ascii "$PnP"
        .byte 0x10, 0x21
        .word 0                         /* no event notification */
        .byte 0                         /* checksum, filled in by POST */
        .long 0
        .word pnp_real, SEG_CODE
        .word pnp_protected
        .long 0xf0000
        .long 0
        .word SEG_CODE
        .long 0xf0000
        .org 0x50

        .text
        .code16
/* Plug and Play run-time services: none, "function not supported". */
pnp_real:
        movw $0x82, %ax
        lret
pnp_protected:
        movw $0x82, %ax
        lret

        .section .fix_e6f5, "a"
        .globl config_table
config_table:
        .word 8
        .byte 0xfc, 0x00, 0x00          /* AT class */
        .byte 0x74                      /* second PIC, RTC, INT 15h 4Fh, extended BIOS area */
        .byte 0x40, 0, 0, 0             /* INT 16h AH=09h supported */

        .section .fix_efc7, "a"
        .globl floppy_table
floppy_table:
        .byte 0xaf, 0x02, 0x25, 0x02, 0x12, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

/* What the keys of a 101/102-key keyboard put into the INT 16h buffer (scan set 1, US layout). */
#ifndef BIOS_KBDMAP_H
#define BIOS_KBDMAP_H

#include "bios/bios.h"

enum { KEY_COUNT = 0x59 };

struct keycodes {
    u16 plain, shift, ctrl, alt;        /* 0 = nothing */
};

extern const struct keycodes key_table[KEY_COUNT];
/* The grey cursor block (E0 prefix), scan codes 47h..53h. */
extern const struct keycodes grey_table[13];
extern const char keypad_digits[14];

int key_is_letter(u8 scan);

#endif

/* What a person may choose about the software executor: option "soft" of the device, a list like
 * "memory=256,fog=on,centre=off,centre@3=on".
 *   memory=MIB            host memory of all objects together; 512
 *   fog=on|off            Direct3D 9's fog behind applications' pixel shaders below 3.0; off
 *   centre=auto|on|off    whether Direct3D 9's pixel centres move the geometry by half a pixel: by
 *                         the vertex shader's kind, always, never; with @ID for one context */
#ifndef GPU_SOFT_SETTINGS_H
#define GPU_SOFT_SETTINGS_H

#include "machine/core/error.h"

enum { SETTING_CONTEXTS = 8 };
enum centre { CENTRE_AUTO, CENTRE_ON, CENTRE_OFF };

struct soft_settings {
    u64 memory_cap; /* bytes */
    bool fog;
    enum centre centre;
    struct {
        u32 context;
        enum centre centre;
    } own[SETTING_CONTEXTS]; /* contexts with a choice of their own */
    u32 own_count;
};

/* text: NULL or "" for the defaults. -1 and *e: something in it is unknown. */
int soft_settings_parse(struct soft_settings *s, const char *text, struct error *e);
enum centre soft_centre(const struct soft_settings *s, u32 context);

#endif

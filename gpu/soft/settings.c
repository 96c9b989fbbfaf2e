/* The option "soft" (settings.h): key=value, separated by commas. */
#include "gpu/soft/settings.h"

#include <errno.h>
#include <stdlib.h>

enum { DEFAULT_MIB = 512, MAX_MIB = 65536 };

/* A whole decimal number that fills text[0..len). */
static bool number(const char *text, size_t len, u64 max, u64 *out)
{
    *out = 0;
    for (size_t k = 0; k < len; k++) {
        if (text[k] < '0' || text[k] > '9') return false;
        *out = *out * 10 + (u64)(text[k] - '0');
        if (*out > max) return false;
    }
    return len != 0;
}

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && !memcmp(text, word, len);
}

static bool centre_word(const char *v, size_t len, enum centre *out)
{
    static const char *const words[] = {
        [CENTRE_AUTO] = "auto", [CENTRE_ON] = "on", [CENTRE_OFF] = "off"
    };
    for (unsigned k = 0; k < LEN(words); k++) {
        if (!is(v, len, words[k])) continue;
        *out = (enum centre)k;
        return true;
    }
    return false;
}

static bool own_centre(struct soft_settings *s, const char *id, size_t id_len, const char *v,
                       size_t len)
{
    u64 context;
    if (s->own_count == SETTING_CONTEXTS || !number(id, id_len, 0xffffffff, &context)) return false;
    s->own[s->own_count].context = (u32)context;
    return centre_word(v, len, &s->own[s->own_count++].centre);
}

static bool setting(struct soft_settings *s, const char *key, size_t key_len, const char *v,
                    size_t len)
{
    u64 mib;
    if (is(key, key_len, "memory")) {
        if (!number(v, len, MAX_MIB, &mib) || !mib) return false;
        s->memory_cap = mib * MIB;
        return true;
    }
    if (is(key, key_len, "fog")) {
        s->fog = is(v, len, "on");
        return s->fog || is(v, len, "off");
    }
    if (is(key, key_len, "centre")) return centre_word(v, len, &s->centre);
    if (key_len > 7 && !memcmp(key, "centre@", 7))
        return own_centre(s, key + 7, key_len - 7, v, len);
    return false;
}

int soft_settings_parse(struct soft_settings *s, const char *text, struct error *e)
{
    *s = (struct soft_settings){ .memory_cap = DEFAULT_MIB * MIB };
    while (text && *text) {
        size_t len = strcspn(text, ","), key = strcspn(text, "=,");
        if (key == len || !setting(s, text, key, text + key + 1, len - key - 1))
            return error_set(e,
                             "soft: \"%.*s\" is not a setting: use memory=MIB, fog=on|off, "
                             "centre[@CONTEXT]=auto|on|off",
                             (int)len, text);
        text += len;
        if (*text) text++;
    }
    return 0;
}

enum centre soft_centre(const struct soft_settings *s, u32 context)
{
    for (u32 k = 0; k < s->own_count; k++) {
        if (s->own[k].context == context) return s->own[k].centre;
    }
    return s->centre;
}

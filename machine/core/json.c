/* JSON strings and flat objects (json.h). The reader walks the line once and never beyond its end.
 */
#include "machine/core/json.h"

void json_string(struct text *t, const char *s, size_t n)
{
    text_addn(t, "\"", 1);
    for (size_t k = 0; k < n; k++) {
        u8 ch = (u8)s[k];
        if (ch == '"' || ch == '\\')
            text_add(t, "\\%c", ch);
        else if (ch == '\n')
            text_addn(t, "\\n", 2);
        else if (ch < 32 || ch >= 127)
            text_add(t, "\\u%04x", ch);
        else
            text_addn(t, s + k, 1);
    }
    text_addn(t, "\"", 1);
}

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') p++;
    return p;
}

static int hex4(const char *p)
{
    int v = 0;
    for (unsigned k = 0; k < 4; k++) {
        char c = p[k];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* One escape at p (behind the backslash); returns the character and moves *end past it, or -1. */
static int escape(const char *p, const char **end)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    *end = p + 1;
    if (*p == 'u') {
        int v = hex4(p + 1);
        *end = p + 5;
        return v < 0 ? -1 : v & 0xff;
    }
    const char *f = *p ? strchr(from, *p) : NULL;
    return f ? (u8)to[f - from] : -1;
}

/* Reads the string at p (an opening quote) into buf; returns what follows it, or NULL. buf may be
 * NULL. */
static const char *read_string(const char *p, char *buf, size_t len)
{
    size_t n = 0;
    for (p++; *p != '"';) {
        if (!*p) return NULL;
        int ch = (u8)*p;
        if (ch == '\\')
            ch = escape(p + 1, &p);
        else
            p++;
        if (ch < 0) return NULL;
        if (!buf) continue;
        if (n + 1 >= len) return NULL;
        buf[n++] = (char)ch;
    }
    if (buf) buf[n] = 0;
    return p + 1;
}

static const char *read_value(const char *p, char *buf, size_t len)
{
    if (*p == '"') return read_string(p, buf, len);
    size_t n = strcspn(p, ",} \t\r\n");
    if (!n || *p == '{' || *p == '[') return NULL;
    if (buf) {
        if (n >= len) return NULL;
        memcpy(buf, p, n);
        buf[n] = 0;
    }
    return p + n;
}

bool json_get(const char *line, const char *key, char *buf, size_t len)
{
    const char *p = skip_space(line);
    if (*p++ != '{') return false;
    for (;;) {
        char name[64];
        p = skip_space(p);
        if (*p != '"' || !(p = read_string(p, name, sizeof(name)))) return false;
        p = skip_space(p);
        if (*p++ != ':') return false;
        bool hit = !strcmp(name, key);
        p = read_value(skip_space(p), hit ? buf : NULL, len);
        if (!p) return false;
        if (hit) return true;
        p = skip_space(p);
        if (*p++ != ',') return false;
    }
}

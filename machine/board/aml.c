/* The AML writer (aml.h). A package length counts itself and uses as few bytes as it can, so it is
 * inserted when the object is closed. */
#include "machine/board/aml.h"

#include <stdlib.h>

#include "machine/core/error.h"

void aml_free(struct aml *a)
{
    free(a->p);
    memset(a, 0, sizeof(*a));
}

void aml_bytes(struct aml *a, const void *p, size_t n)
{
    if (a->len + n > a->cap) {
        a->cap = MAX(a->cap * 2, a->len + n + 1024);
        a->p = xrealloc(a->p, a->cap);
    }
    if (n) memcpy(a->p + a->len, p, n); /* p may be NULL then */
    a->len += n;
}

void aml_op(struct aml *a, u8 op)
{
    aml_bytes(a, &op, 1);
}

void aml_ext(struct aml *a, u8 op)
{
    aml_op(a, 0x5b);
    aml_op(a, op);
}

static void segment(struct aml *a, const char *s, size_t n)
{
    check(n >= 1 && n <= 4);
    char seg[4] = { '_', '_', '_', '_' };
    memcpy(seg, s, n);
    aml_bytes(a, seg, 4);
}

void aml_path(struct aml *a, const char *name)
{
    while (*name == '\\' || *name == '^') aml_op(a, (u8)*name++);
    unsigned parts = *name ? 1 : 0;
    for (const char *s = name; *s; s++) parts += *s == '.';
    if (parts == 0) aml_op(a, 0x00);
    if (parts == 2) aml_op(a, 0x2e);
    if (parts > 2) {
        aml_op(a, 0x2f);
        aml_op(a, (u8)parts);
    }
    while (*name) {
        size_t n = strcspn(name, ".");
        segment(a, name, n);
        name += n + (name[n] == '.');
    }
}

void aml_int(struct aml *a, u64 v)
{
    if (v <= 1) {
        aml_op(a, (u8)v);
    } else if (v <= 0xff) {
        aml_op(a, 0x0a);
        aml_bytes(a, &v, 1);
    } else if (v <= 0xffff) {
        aml_op(a, 0x0b);
        aml_bytes(a, &v, 2);
    } else {
        check(v <= 0xffffffff); /* revision 1 tables have 32-bit integers */
        aml_op(a, 0x0c);
        aml_bytes(a, &v, 4);
    }
}

void aml_string(struct aml *a, const char *s)
{
    aml_op(a, 0x0d);
    aml_bytes(a, s, strlen(s) + 1);
}

static void begin(struct aml *a)
{
    check(a->depth < AML_DEPTH);
    a->open[a->depth++] = a->len;
}

/* Package length of a body of n bytes; returns how many bytes it took. */
static unsigned package_length(u8 out[4], size_t n)
{
    if (n + 1 < 0x40) {
        out[0] = (u8)(n + 1);
        return 1;
    }
    unsigned extra = n + 2 < 0x1000 ? 1 : n + 3 < 0x100000 ? 2 : 3;
    size_t total = n + 1 + extra;
    out[0] = (u8)(extra << 6 | (total & 0xf));
    for (unsigned k = 0; k < extra; k++) out[1 + k] = (u8)(total >> (4 + 8 * k));
    return 1 + extra;
}

void aml_end(struct aml *a)
{
    check(a->depth > 0);
    size_t at = a->open[--a->depth], body = a->len - at;
    u8 length[4];
    unsigned n = package_length(length, body);
    aml_bytes(a, length, n); /* makes room */
    memmove(a->p + at + n, a->p + at, body);
    memcpy(a->p + at, length, n);
}

void aml_buffer(struct aml *a, const void *data, size_t n)
{
    aml_op(a, 0x11);
    begin(a);
    aml_int(a, n);
    aml_bytes(a, data, n);
    aml_end(a);
}

void aml_scope(struct aml *a, const char *name)
{
    aml_op(a, 0x10);
    begin(a);
    aml_path(a, name);
}

void aml_device(struct aml *a, const char *name)
{
    aml_ext(a, 0x82);
    begin(a);
    aml_path(a, name);
}

void aml_method(struct aml *a, const char *name, unsigned args, bool serialized)
{
    aml_op(a, 0x14);
    begin(a);
    aml_path(a, name);
    aml_op(a, (u8)(args | (serialized ? 8 : 0)));
}

void aml_package(struct aml *a, u8 elements)
{
    aml_op(a, 0x12);
    begin(a);
    aml_op(a, elements);
}

void aml_if(struct aml *a)
{
    aml_op(a, 0xa0);
    begin(a);
}

void aml_processor(struct aml *a, const char *name, u8 id)
{
    static const u8 no_block[5] = { 0 };
    aml_ext(a, 0x83);
    begin(a);
    aml_path(a, name);
    aml_op(a, id);
    aml_bytes(a, no_block, sizeof(no_block));
    aml_end(a);
}

void aml_name_int(struct aml *a, const char *name, u64 v)
{
    aml_op(a, AML_NAME);
    aml_path(a, name);
    aml_int(a, v);
}

void aml_name_eisa(struct aml *a, const char *name, const char *id)
{
    u32 v = 0;
    for (unsigned k = 0; k < 3; k++) v = v << 5 | ((u32)id[k] & 0x1f);
    for (unsigned k = 3; k < 7; k++)
        v = v << 4 | (u32)(id[k] <= '9' ? id[k] - '0' : id[k] - 'A' + 10);
    aml_op(a, AML_NAME);
    aml_path(a, name);
    aml_op(a, 0x0c);
    v = __builtin_bswap32(v);
    aml_bytes(a, &v, 4);
}

void aml_name_buffer(struct aml *a, const char *name, const void *data, size_t n)
{
    aml_op(a, AML_NAME);
    aml_path(a, name);
    aml_buffer(a, data, n);
}

void aml_return_int(struct aml *a, u64 v)
{
    aml_op(a, AML_RETURN);
    aml_int(a, v);
}

void aml_region(struct aml *a, const char *name, u8 space, u64 offset, u64 len)
{
    aml_ext(a, 0x80);
    aml_path(a, name);
    aml_op(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

void aml_byte_fields(struct aml *a, const char *region, const char *const *names, unsigned n)
{
    aml_ext(a, 0x81);
    begin(a);
    aml_path(a, region);
    aml_op(a, 0x01); /* byte access, no lock, preserve */
    for (unsigned k = 0; k < n; k++) {
        aml_path(a, names[k]);
        aml_op(a, 8); /* bits */
    }
    aml_end(a);
}

/* A strict reader of definition blocks (ACPI 2.0 chapter 17) for the tests of our DSDT: it knows the
 * opcodes of ACPI 1.0 that our tables may use and fails the test on any other, on a length that
 * does not fit, and on a name that is not there. Methods are evaluated with the machine's own PCI
 * configuration space behind PCI_Config regions. iasl and acpiexec check the same tables with a
 * second pair of eyes (tests/w7/tables.sh). */
#ifndef TESTS_UNIT_W7_AML_H
#define TESTS_UNIT_W7_AML_H

#include "tests/unit/w7_boot.h"

enum { NS_OBJECTS = 512, NS_PATH = 96, NS_BUFFER = 64, NS_FIELDS = 4 };

struct ns_object {
    char path[NS_PATH]; /* \_SB_.PCI0.ISA_ */
    char kind;          /* D device, S scope, N name, M method, P processor, R region, F field */
    const u8 *p;        /* data of a name, body of a method */
    u32 len;
    u32 a, b, c; /* M: arguments; P: id, block, length; R: space, offset, length; F: bit, bits */
    const struct ns_object *region;
};

struct ns {
    struct guest *g;
    struct ns_object o[NS_OBJECTS];
    unsigned n;
};

struct aml_value {
    u32 n; /* of an integer; length of a buffer */
    bool is_buffer;
    u8 buf[NS_BUFFER];
};

#define NS_CHECK(s, cond, ...)                                                                     \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            char why_[160];                                                                        \
            snprintf(why_, sizeof(why_), __VA_ARGS__);                                             \
            ck_abort_msg("%s: AML: %s", (s)->g->what, why_);                                       \
        }                                                                                          \
    } while (0)

/* --- pieces --- */

static inline u8 ns_byte(struct ns *s, const u8 **p, const u8 *end)
{
    NS_CHECK(s, *p < end, "the object is cut short");
    return *(*p)++;
}

static inline u32 ns_int_bytes(struct ns *s, const u8 **p, const u8 *end, unsigned n)
{
    u32 v = 0;
    for (unsigned k = 0; k < n; k++) v |= (u32)ns_byte(s, p, end) << 8 * k;
    return v;
}

/* Package length, as the number it holds. */
static inline u32 ns_length(struct ns *s, const u8 **p, const u8 *end)
{
    u8 lead = ns_byte(s, p, end);
    if (lead < 0x40) return lead;
    NS_CHECK(s, !(lead & 0x30), "package length %02x", lead);
    u32 v = lead & 15;
    for (unsigned k = 0; k < lead >> 6; k++) v |= (u32)ns_byte(s, p, end) << (4 + 8 * k);
    return v;
}

static inline const u8 *ns_package(struct ns *s, const u8 **p, const u8 *end)
{
    const u8 *at = *p;
    u32 len = ns_length(s, p, end);
    NS_CHECK(s, len <= (size_t)(end - at) && at + len >= *p, "a package of %u bytes does not fit", len);
    return at + len;
}

static inline bool ns_starts_name(u8 c)
{
    return c == '\\' || c == '^' || c == 0x2e || c == 0x2f || c == '_' || (c >= 'A' && c <= 'Z');
}

/* Absolute path of the name at *p as seen from scope. */
static inline void ns_name(struct ns *s, const u8 **p, const u8 *end, const char *scope, char out[NS_PATH])
{
    snprintf(out, NS_PATH, "%s", scope);
    if (*p < end && **p == '\\') {
        strcpy(out, "\\");
        ++*p;
    }
    while (*p < end && **p == '^') {
        char *dot = strrchr(out, '.');
        *(dot ? dot : out + 1) = 0;
        ++*p;
    }
    u8 lead = ns_byte(s, p, end);
    unsigned segments = lead == 0 ? 0 : lead == 0x2e ? 2 : lead == 0x2f ? ns_byte(s, p, end) : 1;
    if (lead && lead != 0x2e && lead != 0x2f) --*p;
    for (; segments; segments--) {
        char seg[5] = { 0 };
        for (unsigned k = 0; k < 4; k++) {
            seg[k] = (char)ns_byte(s, p, end);
            bool ok = seg[k] == '_' || (seg[k] >= 'A' && seg[k] <= 'Z') || (k && seg[k] >= '0' && seg[k] <= '9');
            NS_CHECK(s, ok, "a name with the byte %02x", (u8)seg[k]);
        }
        size_t n = strlen(out);
        NS_CHECK(s, n + 6 < NS_PATH, "a path too long");
        snprintf(out + n, NS_PATH - n, "%s%s", n > 1 ? "." : "", seg);
    }
}

static inline struct ns_object *ns_find(struct ns *s, const char *path)
{
    for (unsigned k = 0; k < s->n; k++)
        if (s->o[k].kind != 'S' && !strcmp(s->o[k].path, path)) return &s->o[k];
    return NULL;
}

/* A child: ns_child(s, "\\_SB_.PCI0", "_CRS"). */
static inline struct ns_object *ns_child(struct ns *s, const char *parent, const char *seg)
{
    char path[2 * NS_PATH];
    snprintf(path, sizeof(path), "%s.%s", parent, seg);
    return ns_find(s, path);
}

/* A name inside a method: its own scope first, then outwards. */
static inline struct ns_object *ns_search(struct ns *s, const char *scope, const char *absolute)
{
    struct ns_object *o = ns_find(s, absolute);
    const char *seg = strrchr(absolute, '.') ? strrchr(absolute, '.') + 1 : absolute + 1;
    char at[NS_PATH];
    snprintf(at, sizeof(at), "%s", scope);
    while (!o && strrchr(at, '.')) {
        *strrchr(at, '.') = 0;
        o = ns_child(s, at, seg);
    }
    return o;
}

/* --- definitions --- */

static inline struct ns_object *ns_add(struct ns *s, char kind, const char *path)
{
    NS_CHECK(s, s->n < NS_OBJECTS, "more than %d objects", NS_OBJECTS);
    NS_CHECK(s, kind == 'S' || !ns_find(s, path), "%s is defined twice", path);
    struct ns_object *o = &s->o[s->n++];
    *o = (struct ns_object){ .kind = kind };
    snprintf(o->path, sizeof(o->path), "%s", path);
    return o;
}

static inline u32 ns_integer(struct ns *s, const u8 **p, const u8 *end)
{
    u8 op = ns_byte(s, p, end);
    NS_CHECK(s, op <= 1 || op == 0xff || (op >= 0x0a && op <= 0x0c), "opcode %02x is no 32-bit integer", op);
    return op <= 1 ? op : op == 0xff ? 0xffffffff : ns_int_bytes(s, p, end, 1u << (op - 0x0a));
}

/* Skips a constant: integer, string, buffer, package of constants and names. */
static inline void ns_constant(struct ns *s, const u8 **p, const u8 *end)
{
    u8 op = **p;
    if (op == 0x0d) {
        ++*p;
        while (ns_byte(s, p, end)) {
        }
    } else if (op == 0x11) {
        ++*p;
        const u8 *stop = ns_package(s, p, end);
        u32 size = ns_integer(s, p, stop);
        NS_CHECK(s, size == (size_t)(stop - *p), "a buffer of %u bytes holds %zu", size, (size_t)(stop - *p));
        *p = stop;
    } else if (op == 0x12) {
        ++*p;
        const u8 *stop = ns_package(s, p, end);
        u8 elements = ns_byte(s, p, stop), n = 0;
        for (; *p < stop; n++) {
            char path[NS_PATH];
            if (ns_starts_name(**p))
                ns_name(s, p, stop, "\\", path);
            else
                ns_constant(s, p, stop);
        }
        NS_CHECK(s, n == elements, "a package of %u elements holds %u", elements, n);
    } else {
        ns_integer(s, p, end);
    }
}

static inline void ns_fields(struct ns *s, const u8 *p, const u8 *end, const char *scope)
{
    char path[NS_PATH];
    u32 bit = 0;
    ns_name(s, &p, end, scope, path);
    const struct ns_object *region = ns_find(s, path);
    NS_CHECK(s, region && region->kind == 'R', "a field of %s, which is no region", path);
    ns_byte(s, &p, end);
    while (p < end) {
        bool named = *p != 0;
        if (named) ns_name(s, &p, end, scope, path);
        if (!named) p++;
        u32 bits = ns_length(s, &p, end);
        if (named) {
            struct ns_object *o = ns_add(s, 'F', path);
            o->a = bit;
            o->b = bits;
            o->region = region;
        }
        bit += bits;
        NS_CHECK(s, bit <= region->c * 8, "a field leaves its region");
    }
}

static inline void ns_terms(struct ns *s, const u8 *p, const u8 *end, const char *scope);

static inline void ns_extended(struct ns *s, const u8 **p, const u8 *end, const char *scope)
{
    char path[NS_PATH];
    u8 op = ns_byte(s, p, end);
    if (op == 0x80) {
        ns_name(s, p, end, scope, path);
        struct ns_object *o = ns_add(s, 'R', path);
        o->a = ns_byte(s, p, end);
        o->b = ns_integer(s, p, end);
        o->c = ns_integer(s, p, end);
        return;
    }
    NS_CHECK(s, op >= 0x81 && op <= 0x83, "opcode 5b %02x is not one of ACPI 1.0 definitions", op);
    const u8 *stop = ns_package(s, p, end);
    if (op == 0x81) {
        ns_fields(s, *p, stop, scope);
    } else {
        ns_name(s, p, stop, scope, path);
        struct ns_object *o = ns_add(s, op == 0x82 ? 'D' : 'P', path);
        if (op == 0x83) {
            o->a = ns_byte(s, p, stop);
            o->b = ns_int_bytes(s, p, stop, 4);
            o->c = ns_byte(s, p, stop);
        }
        ns_terms(s, *p, stop, path);
    }
    *p = stop;
}

static inline void ns_terms(struct ns *s, const u8 *p, const u8 *end, const char *scope)
{
    while (p < end) {
        char path[NS_PATH];
        u8 op = ns_byte(s, &p, end);
        if (op == 0x5b) {
            ns_extended(s, &p, end, scope);
            continue;
        }
        NS_CHECK(s, op == 0x08 || op == 0x10 || op == 0x14, "opcode %02x in %s is no ACPI 1.0 definition", op, scope);
        const u8 *stop = op == 0x08 ? end : ns_package(s, &p, end);
        ns_name(s, &p, stop, scope, path);
        struct ns_object *o = ns_add(s, op == 0x08 ? 'N' : op == 0x10 ? 'S' : 'M', path);
        if (op == 0x14) o->a = ns_byte(s, &p, stop);
        o->p = p;
        if (op == 0x08) ns_constant(s, &p, end);
        if (op == 0x10) ns_terms(s, p, stop, path);
        if (op != 0x08) p = stop;
        o->len = (u32)(p - o->p);
    }
}

/* The whole DSDT of a guest. */
static inline struct ns *ns_load(struct guest *g)
{
    struct ns *s = xalloc(sizeof(*s));
    const u8 *d = dsdt(g);
    s->g = g;
    ns_terms(s, d + 36, d + ld32(d + 4), "\\");
    return s;
}

/* --- evaluation --- */

struct ns_frame {
    struct ns *s;
    const char *scope;
    struct aml_value args[7], locals[8], result;
    struct {
        char path[NS_PATH];
        u8 *at;
    } field[NS_FIELDS];
    unsigned n_fields;
    bool returned;
};

static inline void ns_pci_address(struct ns *s, const struct ns_object *region, u32 reg)
{
    char parent[NS_PATH];
    snprintf(parent, sizeof(parent), "%s", region->path);
    *strrchr(parent, '.') = 0;
    struct ns_object *adr = ns_child(s, parent, "_ADR");
    NS_CHECK(s, region->a == 2 && adr, "%s is not in the configuration space of a device", region->path);
    const u8 *p = adr->p;
    u32 v = ns_integer(s, &p, p + adr->len);
    out_port(s->g, 0xcf8, BIT(31) | (v >> 16) << 11 | (v & 7) << 8 | (reg & 0xfc), 4);
}

static inline u8 ns_field(struct ns *s, const struct ns_object *f, bool write, u8 v)
{
    u32 reg = f->region->b + f->a / 8;
    NS_CHECK(s, f->b == 8 && f->a % 8 == 0, "%s is not a byte", f->path);
    ns_pci_address(s, f->region, reg);
    if (write) out_port(s->g, (u16)(0xcfc + (reg & 3)), v, 1);
    return (u8)in_port(s->g, (u16)(0xcfc + (reg & 3)), 1);
}

static inline struct aml_value ns_term(struct ns_frame *f, const u8 **p, const u8 *end);

static inline struct aml_value ns_read(struct ns_frame *f, const u8 **p, const u8 *end)
{
    char path[NS_PATH];
    struct aml_value v = { 0 };
    ns_name(f->s, p, end, f->scope, path);
    for (unsigned k = 0; k < f->n_fields; k++) {
        if (strcmp(f->field[k].path, path)) continue;
        v.n = ld32(f->field[k].at);
        return v;
    }
    struct ns_object *o = ns_search(f->s, f->scope, path);
    NS_CHECK(f->s, o && (o->kind == 'F' || o->kind == 'N'), "%s is not there", path);
    const u8 *data = o->p;
    v.n = o->kind == 'F' ? ns_field(f->s, o, false, 0) : ns_integer(f->s, &data, data + o->len);
    return v;
}

static inline void ns_store(struct ns_frame *f, const u8 **p, const u8 *end, const struct aml_value *v)
{
    u8 op = **p;
    if (op == 0 || (op >= 0x60 && op <= 0x67)) {
        ++*p;
        if (op) f->locals[op - 0x60] = *v;
        return;
    }
    char path[NS_PATH];
    NS_CHECK(f->s, ns_starts_name(op), "opcode %02x is no target", op);
    ns_name(f->s, p, end, f->scope, path);
    for (unsigned k = 0; k < f->n_fields; k++) {
        if (strcmp(f->field[k].path, path)) continue;
        st32(f->field[k].at, v->n);
        return;
    }
    struct ns_object *o = ns_search(f->s, f->scope, path);
    NS_CHECK(f->s, o && (o->kind == 'F' || o->kind == 'N'), "%s cannot be stored to", path);
    if (o->kind == 'F') ns_field(f->s, o, true, (u8)v->n);
    if (o->kind == 'N') o->c = v->n; /* what the tests ask for */
}

static inline void ns_create_field(struct ns_frame *f, const u8 **p, const u8 *end)
{
    u8 op = ns_byte(f->s, p, end);
    NS_CHECK(f->s, op >= 0x60 && op <= 0x6e, "a buffer field of opcode %02x", op);
    struct aml_value *buffer = op >= 0x68 ? &f->args[op - 0x68] : &f->locals[op - 0x60];
    u32 at = ns_integer(f->s, p, end);
    NS_CHECK(f->s, buffer->is_buffer && at + 4 <= buffer->n, "a field at %u of a buffer of %u", at, buffer->n);
    NS_CHECK(f->s, f->n_fields < NS_FIELDS, "too many buffer fields");
    f->field[f->n_fields].at = buffer->buf + at;
    ns_name(f->s, p, end, f->scope, f->field[f->n_fields++].path);
}

static inline struct aml_value ns_buffer(struct ns_frame *f, const u8 **p, const u8 *end)
{
    struct aml_value v = { .is_buffer = true };
    const u8 *stop = ns_package(f->s, p, end);
    v.n = ns_integer(f->s, p, stop);
    NS_CHECK(f->s, v.n <= NS_BUFFER && v.n == (size_t)(stop - *p), "a buffer of %u bytes", v.n);
    memcpy(v.buf, *p, v.n);
    *p = stop;
    return v;
}

static inline struct aml_value ns_term(struct ns_frame *f, const u8 **p, const u8 *end)
{
    struct aml_value a = { 0 }, b;
    u8 op = **p;
    if (ns_starts_name(op)) return ns_read(f, p, end);
    if (op <= 1 || (op >= 0x0a && op <= 0x0c)) {
        a.n = ns_integer(f->s, p, end);
        return a;
    }
    ++*p;
    switch (op) {
    case 0x11: return ns_buffer(f, p, end);
    case 0x60 ... 0x67: return f->locals[op - 0x60];
    case 0x68 ... 0x6e: return f->args[op - 0x68];
    case 0x70:
        a = ns_term(f, p, end);
        ns_store(f, p, end, &a);
        return a;
    case 0x7b:
    case 0x7d:
        a = ns_term(f, p, end);
        b = ns_term(f, p, end);
        a.n = op == 0x7b ? a.n & b.n : a.n | b.n;
        ns_store(f, p, end, &a);
        return a;
    case 0x8a: ns_create_field(f, p, end); return a;
    case 0xa4:
        f->result = ns_term(f, p, end);
        f->returned = true;
        return a;
    case 0xa0: {
        const u8 *stop = ns_package(f->s, p, end);
        u32 yes = ns_term(f, p, stop).n;
        while (yes && *p < stop && !f->returned) ns_term(f, p, stop);
        *p = stop;
        return a;
    }
    default: ck_abort_msg("%s: AML: opcode %02x in a method", f->s->g->what, op);
    }
}

/* Runs a method, or reads a name, below parent. arg may be NULL. */
static inline struct aml_value ns_evaluate(struct ns *s, const char *parent, const char *seg,
                                           const struct aml_value *arg)
{
    struct ns_frame f = { .s = s };
    struct ns_object *o = *parent ? ns_child(s, parent, seg) : ns_find(s, seg);
    NS_CHECK(s, o && (o->kind == 'M' || o->kind == 'N'), "%s.%s is not there", parent, seg);
    const u8 *p = o->p;
    if (o->kind == 'N') return *p == 0x11 ? (p++, ns_buffer(&f, &p, p + o->len - 1)) : ns_term(&f, &p, p + o->len);
    NS_CHECK(s, (o->a & 7) == (arg ? 1 : 0), "%s takes %u arguments", o->path, o->a & 7);
    if (arg) f.args[0] = *arg;
    f.scope = o->path;
    while (p < o->p + o->len && !f.returned) ns_term(&f, &p, o->p + o->len);
    return f.result;
}

/* --- resource templates --- */

struct resource {
    char kind; /* I ports, M memory, B bus numbers, Q interrupt, D DMA channel */
    u64 base, len;
    u8 flags;      /* of an interrupt: 1 consumer, 8 shared ... as in byte 3 of the descriptor */
    bool producer; /* a window for what lies behind the device */
};

static inline unsigned res_space(const u8 *p, struct resource *r)
{
    unsigned size = p[0] == 0x88 ? 2 : p[0] == 0x87 ? 4 : 8;
    r->kind = "MIB"[p[3] % 3];
    r->producer = !(p[4] & 1);
    r->base = ld_n(p + 6 + size, size);
    r->len = ld_n(p + 6 + 4 * size, size);
    return r->len == ld_n(p + 6 + 2 * size, size) - r->base + 1;
}

/* Decodes a template; fails the test when it is malformed. Returns how many resources. */
static inline unsigned res_decode(struct ns *s, const u8 *p, u32 len, struct resource *r, unsigned max)
{
    const u8 *end = p + len;
    unsigned n = 0;
    while (p < end && *p != 0x79) {
        u32 size = *p & 0x80 ? 3u + ld16(p + 1) : 1u + (*p & 7);
        NS_CHECK(s, p + size < end, "descriptor %02x leaves its template", *p);
        NS_CHECK(s, n + 4 < max, "too many resources");
        r[n] = (struct resource){ 0 };
        if (*p == 0x47) {
            r[n++] = (struct resource){ .kind = 'I', .base = ld16(p + 2), .len = p[7] };
            NS_CHECK(s, ld16(p + 2) == ld16(p + 4), "a movable port at %x", ld16(p + 2));
        } else if (*p == 0x22 || *p == 0x23 || *p == 0x2a) {
            for (unsigned k = 0; k < 16; k++) {
                u16 mask = *p == 0x2a ? p[1] : ld16(p + 1);
                if (mask >> k & 1) r[n++] = (struct resource){ .kind = *p == 0x2a ? 'D' : 'Q', .base = k };
            }
        } else if (*p == 0x86) {
            r[n++] = (struct resource){ .kind = 'M', .base = ld32(p + 4), .len = ld32(p + 8) };
        } else if (*p == 0x89) {
            NS_CHECK(s, size == 5 + 4u * p[4], "interrupt descriptor of %u bytes", size);
            for (unsigned k = 0; k < p[4]; k++)
                r[n++] = (struct resource){ .kind = 'Q', .base = ld32(p + 5 + 4 * k), .flags = p[3] };
        } else {
            NS_CHECK(s, *p == 0x87 || *p == 0x88 || *p == 0x8a, "descriptor %02x is unknown", *p);
            NS_CHECK(s, res_space(p, &r[n]), "a window whose length is wrong");
            n++;
        }
        p += size;
    }
    NS_CHECK(s, p + 2 == end && p[0] == 0x79, "no end tag at the end of a template");
    u8 sum = 0;
    for (const u8 *q = end - len; q < end; q++) sum = (u8)(sum + *q);
    NS_CHECK(s, p[1] == 0 || sum == 0, "the checksum of a template");
    return n;
}

static inline unsigned res_of(struct ns *s, const char *device, const char *seg, struct resource *r, unsigned max)
{
    struct ns_object *o = ns_child(s, device, seg);
    NS_CHECK(s, o != NULL, "%s has no %s", device, seg);
    if (o->kind == 'M') {
        struct aml_value v = ns_evaluate(s, device, seg, NULL);
        NS_CHECK(s, v.is_buffer, "%s.%s is no buffer", device, seg);
        return res_decode(s, v.buf, v.n, r, max);
    }
    const u8 *p = o->p;
    NS_CHECK(s, *p == 0x11, "%s.%s is no buffer", device, seg);
    p++;
    const u8 *stop = ns_package(s, &p, o->p + o->len);
    u32 len = ns_integer(s, &p, stop);
    return res_decode(s, p, len, r, max);
}

static inline bool res_has(const struct resource *r, unsigned n, char kind, u64 base, u64 len)
{
    for (unsigned k = 0; k < n; k++) {
        bool range = kind != 'Q' && kind != 'D';
        if (r[k].kind != kind) continue;
        if (range ? r[k].base <= base && base + len <= r[k].base + r[k].len : r[k].base == base) return true;
    }
    return false;
}

/* The device whose _HID is this EISA id; NULL: none. */
static inline struct ns_object *ns_device(struct ns *s, const char *eisa)
{
    u8 id[4] = { (u8)((eisa[0] & 31) << 2 | (eisa[1] & 31) >> 3), (u8)((eisa[1] & 31) << 5 | (eisa[2] & 31)) };
    id[2] = (u8)strtoul((char[]){ eisa[3], eisa[4], 0 }, NULL, 16);
    id[3] = (u8)strtoul((char[]){ eisa[5], eisa[6], 0 }, NULL, 16);
    for (unsigned k = 0; k < s->n; k++) {
        struct ns_object *hid = s->o[k].kind == 'D' ? ns_child(s, s->o[k].path, "_HID") : NULL;
        if (hid && hid->kind == 'N' && hid->p[0] == 0x0c && !memcmp(hid->p + 1, id, 4)) return &s->o[k];
    }
    return NULL;
}

#endif

/* Lays a host folder out as a CD: ISO 9660 level 2 (ECMA-119) with a Joliet tree beside it, both
 * pointing at the same file extents. Entries are sorted, so the same folder gives the same disc.
 * Sectors: 16 primary descriptor, 17 Joliet descriptor, 18 terminator, then path tables,
 * directories, files. Left out: Rock Ridge, multi-extent files (over 4 GiB are refused), links,
 * boot records. */
#include "machine/host/iso_dir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { MAX_NODES = 50000, MAX_DEPTH = 16 };

static u64 sectors(u64 bytes)
{
    return (bytes + ISO_SECTOR - 1) / ISO_SECTOR;
}

/* --- the tree --- */

static void node_free(struct iso_node *n)
{
    for (unsigned k = 0; k < n->nkids; k++) node_free(n->kids[k]);
    free(n->kids);
    free(n->host);
    free(n);
}

void iso_tree_free(struct iso_tree *t)
{
    if (t->root) node_free(t->root);
    free(t->files);
    free(t->meta);
    memset(t, 0, sizeof(*t));
}

/* UTF-8 to UCS-2, what Joliet forbids replaced; at most 64 characters. */
static void joliet_name(struct iso_node *n, const char *s)
{
    while (*s && n->joliet_len < 64) {
        u8 b = (u8)*s++;
        unsigned more = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : 0;
        u32 ch = more ? b & (0x3fu >> more) : b;
        for (; more && (*s & 0xc0) == 0x80; more--) ch = ch << 6 | ((u8)*s++ & 0x3f);
        if (ch > 0xffff || ch < 32 || strchr("*/:;?\\", (int)(ch < 128 ? ch : 'a'))) ch = '_';
        n->joliet[n->joliet_len++] = (u16)(ch << 8 | ch >> 8);
    }
}

static char d_char(char c)
{
    c = (char)toupper((u8)c);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

static bool name_taken(const struct iso_node *dir, const char *name)
{
    for (unsigned k = 0; k < dir->nkids; k++) {
        if (!strcmp(dir->kids[k]->name, name)) return true;
    }
    return false;
}

/* BASE.EXT in d-characters, made unique in its directory by a number at the base's end. */
static void iso_name(struct iso_node *n, const struct iso_node *dir, const char *s)
{
    const char *dot = n->is_dir ? NULL : strrchr(s, '.');
    char base[24], ext[4] = "";
    size_t nb = dot && dot != s ? (size_t)(dot - s) : strlen(s);
    nb = MIN(nb, 20u);
    for (size_t k = 0; k < nb; k++) base[k] = d_char(s[k]);
    base[nb] = 0;
    for (unsigned k = 0; dot && dot != s && k < 3 && dot[1 + k]; k++) ext[k] = d_char(dot[1 + k]);
    for (unsigned tail = 0; tail < MAX_NODES; tail++) {
        char num[8] = "";
        if (tail) snprintf(num, sizeof(num), "%u", tail);
        int keep = (int)MIN(nb, 20 - strlen(num));
        if (n->is_dir)
            snprintf(n->name, sizeof(n->name), "%.*s%s", keep, base, num);
        else
            snprintf(n->name, sizeof(n->name), "%.*s%s.%s;1", keep, base, num, ext);
        if (!name_taken(dir, n->name)) return;
    }
}

static int by_host(const void *a, const void *b)
{
    return strcmp((*(struct iso_node *const *)a)->host, (*(struct iso_node *const *)b)->host);
}

static int by_iso(const void *a, const void *b)
{
    return strcmp((*(struct iso_node *const *)a)->name, (*(struct iso_node *const *)b)->name);
}

static int by_joliet(const void *a, const void *b)
{
    const struct iso_node *x = *(struct iso_node *const *)a, *y = *(struct iso_node *const *)b;
    int c = memcmp(x->joliet, y->joliet, 2u * MIN(x->joliet_len, y->joliet_len));
    return c ? c : x->joliet_len - y->joliet_len;
}

static int add_entry(struct iso_tree *t, struct iso_node *dir, const char *name, struct error *e)
{
    struct stat st;
    char *path = xasprintf("%s/%s", dir->host, name);
    bool usable = !lstat(path, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    if (!usable || (S_ISREG(st.st_mode) && (u64)st.st_size > UINT32_MAX)) {
        int ret = usable
                      ? error_set(e, "%s is larger than 4 GiB: an ISO folder cannot hold it", path)
                      : 0;
        free(path);
        return ret;
    }
    if (++t->nnodes > MAX_NODES) {
        free(path);
        return error_set(e, "%s has more than %d entries: make an ISO of it instead", t->root->host,
                         MAX_NODES);
    }
    struct iso_node *n = xalloc(sizeof(*n));
    n->host = path;
    n->is_dir = S_ISDIR(st.st_mode);
    n->size = n->is_dir ? 0 : (u64)st.st_size;
    n->mtime = st.st_mtime;
    n->parent = dir;
    joliet_name(n, name);
    if (dir->nkids == dir->cap) {
        dir->cap = dir->cap ? dir->cap * 2 : 16;
        dir->kids = xrealloc(dir->kids, dir->cap * sizeof(*dir->kids));
    }
    dir->kids[dir->nkids++] = n;
    return 0;
}

/* Directories and names first, then what is inside. */
static int read_dir(struct iso_tree *t, struct iso_node *dir, unsigned depth, struct error *e)
{
    if (depth > MAX_DEPTH)
        return error_set(e, "%s: folders nest deeper than %d", dir->host, MAX_DEPTH);
    DIR *d = opendir(dir->host);
    if (!d) return error_set(e, "%s: %s", dir->host, strerror(errno));
    int ret = 0;
    for (struct dirent *de; !ret && (de = readdir(d));) {
        if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
            ret = add_entry(t, dir, de->d_name, e);
    }
    closedir(d);
    if (dir->nkids) qsort(dir->kids, dir->nkids, sizeof(*dir->kids), by_host);
    for (unsigned k = 0; k < dir->nkids; k++)
        iso_name(dir->kids[k], dir, strrchr(dir->kids[k]->host, '/') + 1);
    for (unsigned k = 0; !ret && k < dir->nkids; k++) {
        if (dir->kids[k]->is_dir) ret = read_dir(t, dir->kids[k], depth + 1, e);
    }
    return ret;
}

/* --- records --- */

static u8 name_len(const struct iso_node *n, bool joliet)
{
    return joliet ? (u8)(n->joliet_len * 2) : (u8)strlen(n->name);
}

static u8 record_len(u8 name)
{
    return (u8)((33 + name + 1) & ~1);
}

/* Bytes of a directory's extent: records do not cross sectors. */
static u32 dir_bytes(const struct iso_node *d, bool joliet)
{
    u32 at = 2 * 34;
    for (unsigned k = 0; k < d->nkids; k++) {
        u32 len = record_len(name_len(d->kids[k], joliet));
        if (at % ISO_SECTOR + len > ISO_SECTOR)
            at = (at + ISO_SECTOR - 1) / ISO_SECTOR * ISO_SECTOR;
        at += len;
    }
    return (u32)(sectors(at) * ISO_SECTOR);
}

static void both16(u8 *p, u16 v)
{
    st16(p, v);
    st16(p + 2, __builtin_bswap16(v));
}

static void both32(u8 *p, u32 v)
{
    st32(p, v);
    st32(p + 4, __builtin_bswap32(v));
}

static void record(u8 *r, const struct iso_node *n, bool joliet, const void *name, u8 len)
{
    time_t when = (time_t)n->mtime;
    struct tm tm;
    gmtime_r(&when, &tm);
    r[0] = record_len(len);
    both32(r + 2, n->is_dir && joliet ? n->jlba : n->lba);
    both32(r + 10, n->is_dir ? (joliet ? n->jbytes : n->bytes) : (u32)n->size);
    u8 date[7] = { (u8)tm.tm_year,
                   (u8)(tm.tm_mon + 1),
                   (u8)tm.tm_mday,
                   (u8)tm.tm_hour,
                   (u8)tm.tm_min,
                   (u8)MIN(tm.tm_sec, 59),
                   0 };
    memcpy(r + 18, date, 7);
    r[25] = n->is_dir ? 2 : 0;
    both16(r + 28, 1);
    r[32] = len;
    memcpy(r + 33, name, len);
}

static void write_dir(u8 *base, struct iso_node *d, bool joliet)
{
    u8 *out = base + (u64)(joliet ? d->jlba : d->lba) * ISO_SECTOR;
    qsort(d->kids, d->nkids, sizeof(*d->kids), joliet ? by_joliet : by_iso);
    record(out, d, joliet, "\0", 1);
    record(out + 34, d->parent, joliet, "\1", 1);
    u32 at = 2 * 34;
    for (unsigned k = 0; k < d->nkids; k++) {
        const struct iso_node *n = d->kids[k];
        u8 len = name_len(n, joliet);
        if (at % ISO_SECTOR + record_len(len) > ISO_SECTOR)
            at = (at + ISO_SECTOR - 1) / ISO_SECTOR * ISO_SECTOR;
        record(out + at, n, joliet, joliet ? (const void *)n->joliet : n->name, len);
        at += record_len(len);
    }
}

/* --- layout --- */

struct layout {
    struct iso_tree *t;
    struct iso_node **dirs; /* breadth first: the order of the path tables */
    unsigned ndirs;
    u32 path_bytes[2], path_lba[2][2]; /* [joliet], [joliet][big-endian] */
    u64 next;                          /* free sector */
};

static void collect_dirs(struct layout *l, bool joliet)
{
    l->ndirs = 0;
    l->dirs[l->ndirs++] = l->t->root;
    for (unsigned k = 0; k < l->ndirs; k++) {
        struct iso_node *d = l->dirs[k];
        if (d->nkids) qsort(d->kids, d->nkids, sizeof(*d->kids), joliet ? by_joliet : by_iso);
        *(joliet ? &d->jnumber : &d->number) = (u16)(k + 1);
        for (unsigned n = 0; n < d->nkids; n++) {
            if (d->kids[n]->is_dir) l->dirs[l->ndirs++] = d->kids[n];
        }
    }
}

static u8 path_name_len(const struct layout *l, unsigned k, bool joliet)
{
    return k ? name_len(l->dirs[k], joliet) : 1;
}

static void place(struct layout *l)
{
    l->next = 19;
    for (unsigned j = 0; j < 2; j++) {
        collect_dirs(l, j);
        l->path_bytes[j] = 0;
        for (unsigned k = 0; k < l->ndirs; k++)
            l->path_bytes[j] += (8u + path_name_len(l, k, j) + 1) & ~1u;
        for (unsigned big = 0; big < 2; big++) {
            l->path_lba[j][big] = (u32)l->next;
            l->next += sectors(l->path_bytes[j]);
        }
        for (unsigned k = 0; k < l->ndirs; k++) {
            struct iso_node *d = l->dirs[k];
            u32 bytes = dir_bytes(d, j);
            *(j ? &d->jlba : &d->lba) = (u32)l->next;
            *(j ? &d->jbytes : &d->bytes) = bytes;
            l->next += bytes / ISO_SECTOR;
        }
    }
    l->t->meta_len = l->next * ISO_SECTOR;
    l->t->files = xalloc((l->t->nnodes + 1) * sizeof(*l->t->files));
    for (unsigned k = 0; k < l->ndirs; k++) {
        for (unsigned n = 0; n < l->dirs[k]->nkids; n++) {
            struct iso_node *f = l->dirs[k]->kids[n];
            if (f->is_dir) continue;
            f->lba = (u32)l->next;
            l->next += sectors(f->size);
            l->t->files[l->t->nfiles++] = f;
        }
    }
    l->t->size = l->next * ISO_SECTOR;
}

static void write_path_table(const struct layout *l, unsigned j, bool big)
{
    u8 *p = l->t->meta + (u64)l->path_lba[j][big] * ISO_SECTOR;
    for (unsigned k = 0; k < l->ndirs; k++) {
        const struct iso_node *d = l->dirs[k];
        u32 lba = j ? d->jlba : d->lba;
        u16 parent = j ? d->parent->jnumber : d->parent->number;
        p[0] = path_name_len(l, k, j);
        st32(p + 2, big ? __builtin_bswap32(lba) : lba);
        st16(p + 6, big ? __builtin_bswap16(parent) : parent);
        if (k) memcpy(p + 8, j ? (const void *)d->joliet : d->name, p[0]);
        p += (8u + p[0] + 1) & ~1u;
    }
}

/* Text fields: padded with spaces, two bytes a character in the Joliet descriptor. */
static void field(u8 *p, unsigned len, const char *s, bool joliet)
{
    for (unsigned k = 0; k < len; k++) {
        bool high = joliet && !(k & 1);
        char ch = *s && !high ? *s++ : high ? 0 : ' ';
        p[k] = (u8)ch;
    }
}

static void write_descriptor(const struct layout *l, bool joliet)
{
    u8 *d = l->t->meta + (joliet ? 17u : 16u) * ISO_SECTOR;
    d[0] = joliet ? 2 : 1;
    memcpy(d + 1, "CD001\1", 6);
    field(d + 8, 32, "AEROPC", joliet);
    field(d + 40, 32, "FOLDER", joliet);
    both32(d + 80, (u32)(l->t->size / ISO_SECTOR));
    if (joliet) memcpy(d + 88, "%/E", 3); /* UCS-2 level 3 */
    both16(d + 120, 1);
    both16(d + 124, 1);
    both16(d + 128, ISO_SECTOR);
    both32(d + 132, l->path_bytes[joliet]);
    st32(d + 140, l->path_lba[joliet][0]);
    st32(d + 148, __builtin_bswap32(l->path_lba[joliet][1]));
    record(d + 156, l->t->root, joliet, "\0", 1);
    field(d + 190, 813 - 190, "",
          joliet); /* set, publisher, preparer, application, three file names */
    for (unsigned k = 0; k < 4; k++) memset(d + 813 + k * 17, '0', 16); /* dates not given */
    d[881] = 1;
}

int iso_tree_build(struct iso_tree *t, const char *path, struct error *e)
{
    struct stat st;
    memset(t, 0, sizeof(*t));
    if (stat(path, &st)) return error_set(e, "%s: %s", path, strerror(errno));
    t->root = xalloc(sizeof(*t->root));
    t->root->host = xstrdup(path);
    t->root->is_dir = true;
    t->root->parent = t->root;
    t->root->mtime = st.st_mtime;
    if (read_dir(t, t->root, 0, e)) return -1;
    struct layout l = { .t = t, .dirs = xalloc((t->nnodes + 1) * sizeof(*l.dirs)) };
    place(&l);
    if (t->size / ISO_SECTOR > UINT32_MAX / 2 || l.ndirs > 65535) {
        free(l.dirs);
        return error_set(e, "%s is too large for one disc", path);
    }
    t->meta = xalloc(t->meta_len);
    for (unsigned j = 0; j < 2; j++) {
        collect_dirs(&l, j);
        write_descriptor(&l, j);
        write_path_table(&l, j, false);
        write_path_table(&l, j, true);
        for (unsigned k = 0; k < l.ndirs; k++) write_dir(t->meta, l.dirs[k], j);
    }
    memcpy(t->meta + 18 * ISO_SECTOR, "\377CD001\1", 7);
    free(l.dirs);
    return 0;
}

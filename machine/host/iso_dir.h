/* The file tree of a host folder as it will stand on a CD, and its ISO 9660 structures; between
 * block_dir.c (the block backend) and iso_dir.c. */
#ifndef HOST_ISO_DIR_H
#define HOST_ISO_DIR_H

#include "machine/core/error.h"
#include "machine/core/types.h"

#define ISO_SECTOR 2048u

struct iso_node {
    char *host;     /* path on the host */
    char name[32];  /* ISO 9660 level 2 identifier, with ";1" for files */
    u16 joliet[64]; /* big-endian UCS-2 */
    u8 joliet_len;  /* characters */
    bool is_dir;
    u64 size; /* files: bytes */
    i64 mtime;
    struct iso_node *parent; /* the root is its own */
    struct iso_node **kids;
    unsigned nkids, cap;
    u32 lba, bytes;      /* extent: of the file, or of the directory in the ISO 9660 tree */
    u32 jlba, jbytes;    /* directory in the Joliet tree */
    u16 number, jnumber; /* in the path tables */
};

struct iso_tree {
    struct iso_node *root;
    struct iso_node **files; /* in the order of their extents */
    unsigned nfiles, nnodes;
    u8 *meta;           /* everything before the first file */
    u64 meta_len, size; /* bytes */
};

/* Reads the folder (symbolic links and special files are left out) and lays the disc out. -1:
 * unreadable, too many or too large files. */
int iso_tree_build(struct iso_tree *t, const char *path, struct error *e);
void iso_tree_free(struct iso_tree *t);

#endif

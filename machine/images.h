/* What a bare argument is, by content, and where it is attached. */
#ifndef MACHINE_IMAGES_H
#define MACHINE_IMAGES_H

#include "machine/core/error.h"

#define AEROPC_VERSION "0.1"

struct config;

enum image_kind { IMG_ERROR, IMG_DISK, IMG_CDROM, IMG_FLOPPY, IMG_CONFIG };

/* Looks at the file; IMG_ERROR fills e (missing, empty, a folder, a container format we do not
 * read). */
enum image_kind image_recognise(const char *path, struct error *e);
/* Adds path to the right list of c, or reads it when it is a configuration file. */
int image_attach(struct config *c, const char *path, struct error *e);

#endif

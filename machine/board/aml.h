/* Writes ACPI Machine Language (ACPI 2.0 chapter 17) into a growing buffer. Objects with a package
 * length are opened by their own call and closed by aml_end(); they nest. Names are given as in ASL
 * ("\\_SB.PCI0", "_CRS"); short segments are padded with underscores. */
#ifndef BOARD_AML_H
#define BOARD_AML_H

#include "machine/core/types.h"

#define AML_DEPTH 16

struct aml {
    u8 *p;
    size_t len, cap;
    size_t open[AML_DEPTH]; /* where each open object's package length goes */
    unsigned depth;
};

void aml_free(struct aml *a);
void aml_bytes(struct aml *a, const void *p, size_t n);
void aml_op(struct aml *a, u8 op);
void aml_ext(struct aml *a, u8 op); /* 5Bh prefix */
void aml_path(struct aml *a, const char *name);
void aml_int(struct aml *a, u64 v);
void aml_string(struct aml *a, const char *s);
void aml_buffer(struct aml *a, const void *data, size_t n);
void aml_end(struct aml *a);

void aml_scope(struct aml *a, const char *name);
void aml_device(struct aml *a, const char *name);
void aml_method(struct aml *a, const char *name, unsigned args, bool serialized);
void aml_package(struct aml *a, u8 elements);
void aml_if(struct aml *a); /* predicate follows, then the body */
void aml_processor(struct aml *a, const char *name, u8 id);

void aml_name_int(struct aml *a, const char *name, u64 v);
void aml_name_eisa(struct aml *a, const char *name, const char *id); /* "PNP0A03" */
void aml_name_buffer(struct aml *a, const char *name, const void *data, size_t n);
void aml_return_int(struct aml *a, u64 v);
void aml_region(struct aml *a, const char *name, u8 space, u64 offset, u64 len);
/* A field list of byte-wide units starting at bit 0 of a region: names[n]. */
void aml_byte_fields(struct aml *a, const char *region, const char *const *names, unsigned n);

enum { AML_SYSTEM_MEMORY, AML_SYSTEM_IO, AML_PCI_CONFIG };
enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_OR = 0x7d,
    AML_CREATE_DWORD = 0x8a,
    AML_RETURN = 0xa4,
};

#endif

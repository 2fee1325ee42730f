/* The content of data files: measured when added, compared when opened. */
#ifndef MANIFEST_SRC_CONTENT_H
#define MANIFEST_SRC_CONTENT_H

#include "io.h"

#include <manifest/manifest.h>

/* Bytes moved at a time where a file of any size passes through. */
#define MF_CONTENT_CHUNK ((size_t)64 << 10)

/* Reads an open file to its end. Returns 0 or a negative errno. */
int mf_content_measure(const struct mf_directory *directory, int file, uint64_t *size,
                       uint32_t *crc32c);

/*
 * Compares a file with its record. MF_OK; MF_CORRUPT with *kind saying in which
 * way; MF_IO or MF_NO_MEMORY when it cannot be told. sizes_only: the content is
 * not read. A file without record must be regular, nothing more.
 */
enum mf_code mf_content_verify(const struct mf_directory *directory, const struct mf_file *file,
                               bool sizes_only, enum mf_finding_kind *kind, struct mf_error *error);

/* Reads a whole file into memory and compares it with its record. */
enum mf_code mf_content_load(const struct mf_directory *directory, const struct mf_file *file,
                             void **data, size_t *size, struct mf_error *error);

#endif

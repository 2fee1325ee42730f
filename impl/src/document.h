/* The names of the JSON's members, for the reader and the writer. */
#ifndef MANIFEST_SRC_DOCUMENT_H
#define MANIFEST_SRC_DOCUMENT_H

#include <manifest/document.h>

#define MF_MEMBER_VERSION   "version"
#define MF_MEMBER_CHECKSUM  "checksum"
#define MF_MEMBER_TIMESTAMP "timestamp"
#define MF_MEMBER_FILES     "files"
#define MF_MEMBER_SIZE      "size"
#define MF_MEMBER_CRC32C    "crc32c"
#define MF_MEMBER_SEAL      "manifest_crc32c"

/* "lsm_file", "vector_indexes", ... */
const char *mf_kind_member(enum mf_kind kind);

/* The order of files in a manifest: by kind, then by key as bytes. */
int mf_file_order(enum mf_kind kind, const char *key, const struct mf_file *file);

/* The index of the first file that does not come before that kind and key. */
size_t mf_manifest_place(const struct mf_manifest *manifest, enum mf_kind kind, const char *key);

/* Copies key and name, in one allocation, into a file that has none. False without
 * memory: then it still has none. */
bool mf_file_name(struct mf_file *file, const char *key, const char *name);

/* Makes a copy that is independent. False without memory: then it is empty. */
bool mf_manifest_copy(const struct mf_manifest *manifest, struct mf_manifest *copy);

/* Frees the strings of a file, which mf_file_name() made. */
void mf_file_clear(struct mf_file *file);

#endif

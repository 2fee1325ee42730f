/*
 * One manifest as a value: read it from JSON, look into it, write it as JSON.
 *
 *     struct mf_manifest manifest;
 *     if (mf_manifest_parse(text, size, NULL, &manifest, &error) == MF_OK) {
 *         const struct mf_file *rows = mf_manifest_find(&manifest, MF_KIND_LSM, "");
 *         ...
 *         mf_manifest_clear(&manifest);
 *     }
 *
 * No function here touches a file. The text is strict JSON (json.h) with these
 * members, of which only lsm_file may be missing:
 *
 *     version, lsm_file, vector_indexes, spatial_indexes, text_indexes,
 *     timestamp_indexes, column_indexes, checksum, timestamp,
 *     files, manifest_crc32c
 *
 * "files" gives the size and CRC32C of every file that is named;
 * "manifest_crc32c", the last member, is the CRC32C of all bytes of the text
 * before the quotation mark that opens its name. A manifest with these two is
 * called sealed. The format that this one extends has neither, and its readers
 * ignore both. Other members are ignored.
 */
#ifndef MANIFEST_DOCUMENT_H
#define MANIFEST_DOCUMENT_H

#include <manifest/error.h>
#include <manifest/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, word for people, member of the JSON). In the order of the output. */
#define MF_KINDS(X)                                                                                \
    X(LSM, "lsm", "lsm_file")                                                                      \
    X(VECTOR, "vector", "vector_indexes")                                                          \
    X(SPATIAL, "spatial", "spatial_indexes")                                                       \
    X(TEXT, "text", "text_indexes")                                                                \
    X(TIMESTAMP, "timestamp", "timestamp_indexes")                                                 \
    X(COLUMN, "column", "column_indexes")

/* What a file of the database is. MF_KIND_LSM is there at most once, its key is
 * ""; of the others there may be any number, each with its own key. */
enum mf_kind {
#define X(name, word, member) MF_KIND_##name,
    MF_KINDS(X)
#undef X
        MF_KIND_COUNT,
};

/* "lsm", "vector", ...; "?" for a value that is no kind. Static. */
const char *mf_kind_word(enum mf_kind kind);

/* One file that a manifest names. The strings belong to the manifest. */
struct mf_file {
    enum mf_kind kind;
    const char *key;  /* UTF-8; "" for MF_KIND_LSM */
    const char *name; /* one path component, see mf_name_check */
    bool recorded;    /* size and crc32c are known */
    uint64_t size;    /* bytes */
    uint32_t crc32c;  /* of the content */
};

struct mf_manifest {
    uint64_t version;
    uint64_t timestamp;    /* seconds since 1970, when the version was committed */
    bool sealed;           /* carries sizes and CRC32Cs, of itself too */
    struct mf_file *files; /* by kind, then by key as bytes; no pair twice */
    size_t file_count;
};

/* How to read a manifest. Zero is the default everywhere; NULL is all zero. */
struct mf_read_options {
    struct mf_json_limits limits;
    bool accept_unsealed; /* also take a manifest with neither "files" nor "manifest_crc32c" */
};

/*
 * Reads a manifest. MF_OK fills *manifest, which the caller clears; on failure
 * it is empty. MF_MALFORMED comes with line, column and reason; MF_NO_MEMORY.
 *
 * Rejected beyond what JSON rejects: duplicate member names in any object,
 * \u0000 and surrogates that are not a pair in any string, numbers that
 * overflow a double or, where an integer is expected, are not written as an
 * integer from 0 to 2^64 - 1 (2^32 - 1 for a CRC32C), a checksum that does not
 * agree, file names that mf_name_check refuses, and of a sealed manifest: a
 * file without record, a record without file, a CRC32C that does not agree or
 * does not come last.
 */
enum mf_code mf_manifest_parse(const char *text, size_t size, const struct mf_read_options *options,
                               struct mf_manifest *manifest, struct mf_error *error);

/*
 * Writes a manifest: members in the order above, keys and names sorted by
 * bytes, two spaces for each level, no newline at the end; the same value gives
 * the same bytes. *text is allocated with malloc and not terminated; the caller
 * frees it. MF_INVALID when a name is refused by mf_name_check, when a sealed manifest names a file
 * that is not recorded, when one name has two different records, or when a string is not UTF-8;
 * MF_NO_MEMORY.
 */
enum mf_code mf_manifest_print(const struct mf_manifest *manifest, char **text, size_t *size,
                               struct mf_error *error);

/* Frees what the manifest owns and leaves it empty. An empty one is fine. */
void mf_manifest_clear(struct mf_manifest *manifest);

/* The file of that kind and key, or NULL. It belongs to the manifest. */
const struct mf_file *mf_manifest_find(const struct mf_manifest *manifest, enum mf_kind kind,
                                       const char *key);

/* The name checksum that the JSON member "checksum" holds. It covers the names
 * of the files only, not their order and not their content. */
uint64_t mf_manifest_checksum(const struct mf_manifest *manifest);

/*
 * Whether a database may have a file of this name: NULL when it may, else the
 * reason. Refused: empty, ".", "..", longer than 255 bytes, not UTF-8, with a
 * '/', beginning with "MANIFEST-" or ending in ".tmp".
 */
const char *mf_name_check(const char *name);

#endif

/* What a database directory holds: the table of states that open can find. */
#ifndef MANIFEST_SRC_INSPECT_H
#define MANIFEST_SRC_INSPECT_H

#include "slots.h"

#include <manifest/manifest.h>

/* A version as it was read: its meaning and its bytes. */
struct mf_version {
    struct mf_manifest manifest;
    char *text; /* NULL: there is none */
    size_t size;
};

void mf_version_clear(struct mf_version *version);

/* How the current version is recorded. */
struct mf_condition {
    enum mf_commit_point commit_point;
    struct mf_slots slots;
    bool copy_missing; /* MANIFEST-NNNNNN of the current version was not there */
};

typedef void mf_visit(void *argument, const struct mf_finding *finding);

/*
 * Reads and verifies the current version. Nothing is changed.
 *
 *     MANIFEST-CURRENT   the rest                          result
 *     absent             at most temporaries and the       MF_NO_DATABASE
 *                        first manifest
 *     absent             other manifests                   MF_CORRUPT
 *     v, files verify    MANIFEST-v the same               MF_OK
 *     v, files verify    MANIFEST-v missing                MF_OK, copy_missing
 *     v                  MANIFEST-v differs                MF_CORRUPT
 *     invalid            any                               MF_CORRUPT
 *     v, a file fails    any                               MF_CORRUPT
 *
 * With slots it is the table in slot.h.
 *
 * With visit the inspection goes on after a fault and also lists leftovers;
 * without it stops at the first fault and reads no names that it does not need.
 * current->text is set when the current manifest is valid, whatever else fails;
 * the caller clears it always. condition is set as far as it was looked at.
 */
enum mf_code mf_inspect(const struct mf_directory *directory, const struct mf_options *options,
                        mf_visit *visit, void *argument, struct mf_version *current,
                        struct mf_condition *condition, struct mf_error *error);

/* The same, but only as far as to find out which version is current: neither its copy
 * nor its files are looked at. */
enum mf_code mf_inspect_current(const struct mf_directory *directory,
                                const struct mf_options *options, struct mf_version *current,
                                struct mf_condition *condition, struct mf_error *error);

/* Reads MANIFEST-NNNNNN or MANIFEST-CURRENT. -ENOENT and other errors of
 * mf_io_load are MF_IO, with error->system_error; what is there but is no valid
 * manifest is MF_CORRUPT. */
enum mf_code mf_version_read(const struct mf_directory *directory, const char *name,
                             const struct mf_read_options *options, struct mf_version *version,
                             struct mf_error *error);

/* The largest manifest that options allow, in bytes. */
size_t mf_size_limit(const struct mf_read_options *options);

#endif

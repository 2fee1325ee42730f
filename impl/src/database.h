/* The handle of an open database, shared by open, commit and transactions. */
#ifndef MANIFEST_SRC_DATABASE_H
#define MANIFEST_SRC_DATABASE_H

#include "inspect.h"
#include "io.h"

#include <manifest/history.h>

struct mf_database {
    struct mf_directory directory;
    struct mf_options options;
    int lock; /* the open lock file; -1: opened for reading */
    struct mf_version current;
    struct mf_condition condition; /* as found, kept up to date by commits */
    bool copy_was_missing;
    bool fell_back;
    bool durable;
    bool takes_commits; /* false for good after a failed sync or an unknown outcome */
    bool swept;         /* no temporaries and no manifests above the current one */
    uint64_t used;      /* the highest version number known to have been used */
    struct mf_transaction *transaction;
};

/*
 * Removes temporaries and manifests newer than the current version, and learns
 * the highest number in use, of MANIFEST-*.removed and the like too. Once for a handle, and again
 * after a commit could not clean up behind itself. *removed (may be NULL) is set whatever is
 * returned. MF_IO or MF_NO_MEMORY.
 */
enum mf_code mf_database_sweep(struct mf_database *database, struct mf_removed *removed,
                               struct mf_error *error);

/* Reads a kept version, bytes and all, which the caller clears in any case. Errors
 * as mf_database_read_version. */
enum mf_code mf_database_load_version(const struct mf_database *database, uint64_t version,
                                      struct mf_version *kept, struct mf_error *error);

/* The first steps of opening, each with its own error: a handle of the directory;
 * the writer's lock; the current version, or why there is none. */
enum mf_code mf_database_create_handle(const char *path, const struct mf_options *options,
                                       struct mf_database **result, struct mf_error *error);
enum mf_code mf_database_lock(struct mf_database *database, struct mf_error *error);
enum mf_code mf_database_inspect(struct mf_database *database, struct mf_error *error);

/* Whether the handle may change the database now: MF_READ_ONLY when it was opened for
 * reading or a failure has closed it for writing, MF_INVALID when a transaction of
 * it is open. */
enum mf_code mf_database_check_idle(const struct mf_database *database, struct mf_error *error);

#endif

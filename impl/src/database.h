/* The handle of an open database, shared by open, commit and transactions. */
#ifndef MANIFEST_SRC_DATABASE_H
#define MANIFEST_SRC_DATABASE_H

#include "inspect.h"
#include "io.h"

#include <manifest/manifest.h>

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
 * the highest number in use. Once for a handle, and again after a commit could
 * not clean up behind itself. *removed (may be NULL): whether anything was.
 * MF_IO or MF_NO_MEMORY.
 */
enum mf_code mf_database_sweep(struct mf_database *database, bool *removed, struct mf_error *error);

#endif

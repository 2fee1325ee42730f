/*
 * A crash state in memory as a platform for libmanifest, so that its recovery
 * runs on a state without a process or a disk.
 *
 *     struct cm_memfs memfs;
 *     cm_memfs_init(&memfs, state);
 *     struct mf_options options = {.platform = &memfs.platform};
 *     mf_database_open("db", &options, ...);
 *
 * Calls have the results that Linux gives them on a local file system, including
 * files that are removed while open. They differ from a real one in this:
 *  - paths are relative to the root of the tree, which is also its own parent;
 *    absolute ones lead out of the tree, where nothing exists (-ENOENT);
 *  - permissions are not checked (as for root), and what is created belongs to
 *    the owner of the root, with the umask 022;
 *  - list visits names sorted by bytes;
 *  - nobody else runs, so that locks are always granted;
 *  - the clock stands at CM_MEMFS_NOW;
 *  - files do not grow beyond CM_MEMFS_LIMIT bytes (-EFBIG);
 *  - there are CM_MEMFS_HANDLES handles (-EMFILE).
 *
 * The state's observer is told of all that is looked at. Nothing needs to be freed. The
 * state must outlive the memfs; its tree is changed by what runs on it.
 */
#ifndef CRASHMATRIX_MEMFS_H
#define CRASHMATRIX_MEMFS_H

#include <manifest/platform.h>

#include "crashmatrix/crashmatrix.h"

#define CM_MEMFS_NOW     1000000000u
#define CM_MEMFS_LIMIT   (1u << 30)
#define CM_MEMFS_HANDLES 64

struct cm_memfs {
    struct mf_platform platform; /* platform.context is this */
    const struct cm_state *state;
    struct {
        uint32_t node; /* FF_NO_NODE when the handle is not in use */
        bool writable;
    } handles[CM_MEMFS_HANDLES];
};

void cm_memfs_init(struct cm_memfs *memfs, const struct cm_state *state);

#endif

/*
 * Versions whose removal has begun, with slots.
 *
 * Where a rename is not one step, MANIFEST-k cannot become MANIFEST-k.removed in
 * one. So that is written as a copy, and a version is not kept any more from the
 * moment on in which a valid copy is found, whatever is there as MANIFEST-k: all of
 * it, a part, or nothing. A copy that is not valid was cut short, before anything
 * was removed or after all was, and says nothing.
 *
 * With a rename no version is here: MANIFEST-k is there or MANIFEST-k.removed is.
 */
#ifndef MANIFEST_SRC_REMOVAL_H
#define MANIFEST_SRC_REMOVAL_H

#include "database.h"

/* Whether the removal of a version has begun. False for the current one, which is
 * always kept, and for newer ones. MF_IO, MF_NO_MEMORY. */
enum mf_code mf_removal_begun(const struct mf_database *database, uint64_t version, bool *begun,
                              struct mf_error *error);

/* All of them, ascending. The caller clears the list, also after a failure. MF_IO,
 * MF_NO_MEMORY. */
enum mf_code mf_removal_list(const struct mf_database *database, struct mf_versions *versions,
                             struct mf_error *error);

/*
 * Removes the MANIFEST-v.removed of the current version v, if it is a regular file:
 * it would hide v from the moment on in which v is not current any more. The commit
 * makes that durable before. MF_IO.
 */
enum mf_code mf_removal_withdraw(struct mf_database *database, struct mf_error *error);

/*
 * Begins the removal of kept versions, ascending, and goes on with those that have
 * begun. Afterwards MANIFEST-k.removed is durable for each and MANIFEST-k is gone
 * for good. One that cannot be read names no files: it is removed at once, without
 * a copy, and counted in *removed. MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_removal_begin(struct mf_database *database, const uint64_t *versions, size_t count,
                              struct mf_removed *removed, struct mf_error *error);

#endif

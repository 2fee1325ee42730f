/*
 * What a sync restates: on file systems that log an inode by itself (btrfs, f2fs), fsync
 * makes the inode durable as it is, whatever was done before and is lost. Such a sync is one
 * more operation, of class log. It sets locations to what they held when the sync began.
 *
 * Each of its values stands in value order right behind the value that it repeats; that a
 * name means a file no more stands right behind the last value by which it did. So what was
 * changed there since, even while the sync ran, is later.
 */
#ifndef CRASHMATRIX_RESTATE_H
#define CRASHMATRIX_RESTATE_H

#include "durability.h"

struct cm_restated {
    size_t place;          /* in the location's value order */
    struct cm_value value; /* bytes are still those of the value that it repeats */
};

/*
 * Lists what a sync restates, no location twice, of that which is not durable already; to
 * be freed. Only operations seen by the sync, and those that ran beside it, are derived.
 */
struct cm_restated *cm_restate(const struct cm_poset *poset, const struct cm_sync_call *sync,
                               size_t *count);

#endif

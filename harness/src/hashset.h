/*
 * A set of 128-bit hashes.
 */
#ifndef CRASHMATRIX_HASHSET_H
#define CRASHMATRIX_HASHSET_H

#include <stdbool.h>
#include <stddef.h>

#include "faultfs/tree.h"

/* All zero: empty. */
struct cm_hashset {
    struct ff_hash *slots;
    bool *used;
    size_t size, count;
};

/* False if the hash is in the set already. */
bool cm_hashset_add(struct cm_hashset *set, struct ff_hash hash);
void cm_hashset_free(struct cm_hashset *set);

#endif

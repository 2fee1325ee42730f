/*
 * Keys of leaves: two leaves of one exploration, of the same workload under the same model,
 * that have the same key hold the same states, however they came about. So whatever
 * recoveries and further cuts make of the one, they make of the other.
 */
#ifndef CRASHMATRIX_LEAF_KEY_H
#define CRASHMATRIX_LEAF_KEY_H

#include "split.h"

/* The poset is the workload's or has phases, too (phase.h). */
struct ff_hash cm_leaf_key(const struct cm_poset *poset, const struct cm_leaf *leaf);

#endif

/*
 * Outcomes as keys: equal ones have the same status and text.
 */
#ifndef CRASHMATRIX_OUTCOME_H
#define CRASHMATRIX_OUTCOME_H

#include <string.h>
#include <xxhash.h>

#include "crashmatrix/crashmatrix.h"

static inline bool cm_same_outcome(const struct cm_outcome *a, const struct cm_outcome *b)
{
    return a->status == b->status && strcmp(a->text, b->text) == 0;
}

static inline uint64_t cm_outcome_hash(const struct cm_outcome *outcome)
{
    return XXH3_64bits_withSeed(outcome->text, strlen(outcome->text), outcome->status);
}

#endif

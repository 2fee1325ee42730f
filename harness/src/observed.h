/*
 * Exploration by observation: branching only on what a check can see.
 *
 * A job is a cylinder that is not decided yet. The check is run on its largest ideal,
 * with the most output that may have been printed by then, and says what it looked at.
 * All ideals that have the same there would have made it do the same: they are a leaf,
 * and decided. The rest of the cylinder, split along what was looked at, is more jobs.
 * If the check looked at the output, the leaf is decided for that output only, and is
 * a job for each other one that it may have been left with.
 *
 * A run's jobs follow from what that run alone looked at, so that the leaves do not
 * depend on the order in which runs end.
 */
#ifndef CRASHMATRIX_OBSERVED_H
#define CRASHMATRIX_OBSERVED_H

#include <gmp.h>

#include "count.h"
#include "observer.h"
#include "tally.h"

struct cm_observed;

/* With one job: everything. counter may be used by others, too. */
struct cm_observed *cm_observed_new(const struct cm_poset *poset, struct cm_counter *counter);
void cm_observed_free(struct cm_observed *observed);

/* Jobs that were not taken yet. */
size_t cm_observed_waiting(const struct cm_observed *observed);

/* Takes one of them. Its ticket stays valid until it is decided. */
uint64_t cm_observed_take(struct cm_observed *observed);

/* What to run for a job: the ideal, and how many outputs. */
void cm_observed_case(const struct cm_observed *observed, uint64_t ticket, cm_word *ideal,
                      uint32_t *outputs);

/* observations: NULL when it is not known what the run looked at. */
void cm_observed_decide(struct cm_observed *observed, uint64_t ticket,
                        const struct cm_outcome *outcome,
                        const struct cm_observations *observations);

/* Ideals in the leaves so far; NULL when they are too hard to count. */
const mpz_t *cm_observed_covered(const struct cm_observed *observed);

size_t cm_observed_leaf_count(const struct cm_observed *observed);

/*
 * For an audit, when there is a leaf: a random member of a random one, and the outcome
 * that it must have. *random is the state of the choices, the same for the same.
 */
void cm_observed_member(const struct cm_observed *observed, uint64_t *random, cm_word *ideal,
                        uint32_t *outputs, struct cm_outcome *outcome);

/* Hands all leaves over, in an order of their own. */
void cm_observed_tally(struct cm_observed *observed, struct cm_tally *tally);

#endif

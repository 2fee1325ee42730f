/*
 * Distinct files, the outputs that may stand beside them, the boundaries at which they are
 * legal, and the outcome of each case, where a check is run once on each state that has
 * other files or another output.
 *
 * A *case* is one run of the check: distinct files with one output. Cylinders
 * whose files are equal share their cases.
 */
#ifndef CRASHMATRIX_TALLY_H
#define CRASHMATRIX_TALLY_H

#include "summary.h"

struct cm_tally;

struct cm_tally *cm_tally_new(const struct cm_poset *poset);
void cm_tally_free(struct cm_tally *tally);

/*
 * Notes a cylinder whose ideals all have the files of the given hash, with those of its
 * outputs that are in a range. Returns the case of the last of these.
 */
size_t cm_tally_add(struct cm_tally *tally, struct cm_cylinder cylinder, struct ff_hash files,
                    uint32_t first_output, uint32_t last_output);

/* Cases so far; new ones come at the end. */
size_t cm_tally_count(const struct cm_tally *tally);

#define CM_UNDECIDED UINT32_MAX

/* Notes the outcome of a case, a number in some list. */
void cm_tally_decide(struct cm_tally *tally, size_t index, uint32_t outcome);

/* The same, or CM_UNDECIDED. */
uint32_t cm_tally_outcome(const struct cm_tally *tally, size_t index);

/* Fills in distinct, cells and violations from the cases that were decided. */
void cm_tally_report(const struct cm_tally *tally, const struct cm_outcome *outcomes, size_t count,
                     struct cm_exploration *exploration);

#endif

/*
 * What an exploration found: distinct files, the outputs that may stand beside
 * them, the boundaries at which they are legal, and the outcome of each case.
 *
 * A *case* is one run of the check: distinct files with one output. Cylinders
 * whose files are equal share their cases.
 */
#ifndef CRASHMATRIX_TALLY_H
#define CRASHMATRIX_TALLY_H

#include "cylinder.h"

struct cm_tally;

struct cm_case {
    uint32_t output; /* how many writes to standard output had begun */
    /* The representative: of the ideals with these files and this output, one
     * that lost the fewest operations, cut as early as possible. */
    cm_word *ideal;
    size_t lost;
    uint32_t boundary;      /* cut here */
    uint32_t last_boundary; /* or anywhere up to here */
};

struct cm_tally *cm_tally_new(const struct cm_poset *poset);
void cm_tally_free(struct cm_tally *tally);

/*
 * Notes a cylinder whose ideals all have the files of the given hash (or all look
 * alike to the check: then the hash is a number of their own), with those of its
 * outputs that are in a range.
 */
void cm_tally_add(struct cm_tally *tally, struct cm_cylinder cylinder, struct ff_hash files,
                  uint32_t first_output, uint32_t last_output);

/* Cases so far; new ones come at the end. */
size_t cm_tally_count(const struct cm_tally *tally);

/* Valid until the next cm_tally_add(). */
const struct cm_case *cm_tally_case(const struct cm_tally *tally, size_t index);

/* Notes the outcome of a case, once. */
void cm_tally_decide(struct cm_tally *tally, size_t index, const struct cm_outcome *outcome);

/* Fills in distinct, cells and violations from the cases that were decided. */
void cm_tally_report(const struct cm_tally *tally, struct cm_exploration *exploration);

#endif

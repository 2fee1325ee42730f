/*
 * What exploring and merging share: the states under one model, what is known of them, and
 * the result that is made of it.
 */
#ifndef CRASHMATRIX_EXPLORING_H
#define CRASHMATRIX_EXPLORING_H

#include "progress.h"
#include "tally.h"

struct cm_exploring {
    struct cm_poset *poset;
    struct cm_options options; /* with a shard count that is not 0 */
    bool eager;
    bool monotone; /* what was accepted with the most output is not run with less */
    char model[128];
    char *legal; /* states there are, decimal; NULL when too hard to count */
    struct cm_counter *counter;
    struct cm_ledger ledger;
    struct cm_progress_file progress; /* what its file says */
    struct cm_tally *tally;           /* eager: of the cases */
    uint64_t runs;
    /* Why not everything is covered, if so: */
    bool waiting, stopped, out_of_budget;
};

/* Nothing is decided, and nothing waits. Returns 0, or -1 with *error set; to be ended only then.
 */
int cm_exploring_begin(struct cm_exploring *exploring, const struct ff_trace *trace,
                       const struct cm_model *model, const struct cm_options *options,
                       struct ff_error *error);
void cm_exploring_end(struct cm_exploring *exploring);

/* Fills in the traits, of which eager and monotone must be known by now. */
void cm_exploring_set_traits(struct cm_exploring *exploring);

/* What was decided becomes a result, if the certificate holds; else NULL with *error set. */
struct cm_exploration *cm_exploring_conclude(struct cm_exploring *exploring,
                                             struct ff_error *error);

#endif

/*
 * What exploring and merging share: the states under one model, what is known of them, and
 * the result that is made of it.
 */
#ifndef CRASHMATRIX_EXPLORING_H
#define CRASHMATRIX_EXPLORING_H

#include "lineage.h"
#include "progress.h"
#include "tally.h"

struct cm_exploring {
    const struct cm_poset *poset;
    struct cm_poset *owned;    /* the same, or NULL: it is another one's */
    struct cm_marks *marks;    /* the ledger's, or NULL, likewise */
    struct cm_lineage lineage; /* where its states come from; another one's, too */
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

/* The same for what cuts of a recovery leave; the job waits. The lineage must outlive it. */
void cm_exploring_begin_recovery(struct cm_exploring *exploring, const struct cm_lineage *lineage,
                                 const struct cm_job *job, const struct cm_options *options);

/* Fills in the traits, of which eager and monotone must be known by now. */
void cm_exploring_set_traits(struct cm_exploring *exploring);

/* The certificate: if all is covered that was to be, it is as many states as there are. Else -1,
 * with *error set. */
int cm_exploring_certify(const struct cm_exploring *exploring, struct ff_error *error);

/* Whether all states of the shard were covered. */
bool cm_exploring_is_complete(const struct cm_exploring *exploring);

/* What was decided becomes a result, if the certificate holds; else NULL with *error set. */
struct cm_exploration *cm_exploring_conclude(struct cm_exploring *exploring,
                                             struct ff_error *error);

/* Lineages, and the array of them, that are closed and freed with the result. */
void cm_exploration_own(struct cm_exploration *exploration, struct cm_lineage *lineages,
                        size_t count);

#endif

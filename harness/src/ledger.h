/*
 * What is known of the states under one model: leaves, which are decided, and jobs, which
 * wait (split.h). The jobs and leaves are disjoint, and together they are everything that
 * there was to begin with, or all that belongs to a shard.
 */
#ifndef CRASHMATRIX_LEDGER_H
#define CRASHMATRIX_LEDGER_H

#include <gmp.h>

#include "count.h"
#include "marks.h"
#include "split.h"

/* In what order jobs are taken. */
enum cm_order {
    CM_NEWEST_FIRST,      /* few wait at a time */
    CM_FEWEST_DEVIATIONS, /* from all or from nothing unsynced having persisted */
    CM_SAMPLE,            /* as a seed says */
};

struct cm_ledger {
    const struct cm_poset *poset;
    struct cm_counter *counter;
    struct cm_records leaves, jobs;
    struct cm_job *moved;        /* scratch */
    struct cm_outcome *outcomes; /* each once */
    size_t outcome_count, outcome_capacity;
    uint32_t *outcome_table; /* of indices into outcomes, plus 1 */
    size_t outcome_table_size;
    uint64_t foreign;   /* runs of shared jobs whose leaves belong to other shards */
    uint64_t agreement; /* a sum of hashes of all that shared jobs gave, which shards agree on */
    mpz_t covered;      /* ideals in the leaves that count */
    bool countable;     /* else they are too many to count */
    enum cm_order order;
    uint64_t seed;
    struct cm_marks *marks; /* what runs depended on besides the state; NULL at first */
};

/* Without jobs, leaves and marks. The counter may be used by others, too. */
void cm_ledger_begin(struct cm_ledger *ledger, const struct cm_poset *poset,
                     struct cm_counter *counter);
void cm_ledger_end(struct cm_ledger *ledger);

/* Orders the jobs that wait, and from now on all that are added. */
void cm_ledger_order(struct cm_ledger *ledger, enum cm_order order, uint64_t seed);

void cm_ledger_add_job(struct cm_ledger *ledger, const struct cm_job *job);

/* Takes the next one, into memory for one. There must be one. */
void cm_ledger_take(struct cm_ledger *ledger, struct cm_job *job);

/* Its rank, in an order of ranks. */
static inline uint64_t cm_ledger_next_rank(const struct cm_ledger *ledger)
{
    return ((const struct cm_job *)cm_record(&ledger->jobs, 0))->rank;
}

/* The outcome's number in the ledger. */
uint32_t cm_ledger_outcome(struct cm_ledger *ledger, const struct cm_outcome *outcome);

/* Adds a run to what the shards agree on, if it was of a shared job. */
void cm_ledger_agree(struct cm_ledger *ledger, const struct cm_leaf *leaf,
                     const struct cm_outcome *outcome);

/* Adds a leaf whose outcome is a number of the ledger's, without counting its ideals, ... */
void cm_ledger_add_leaf(struct cm_ledger *ledger, const struct cm_leaf *leaf);

/* ... which this does. */
void cm_ledger_count(struct cm_ledger *ledger, const struct cm_leaf *leaf);

/* Moves all that is in another ledger of the same order into this one. */
void cm_ledger_absorb(struct cm_ledger *ledger, struct cm_ledger *other);

/* Decimal, malloc'ed; NULL when they are too hard to count. */
char *cm_ledger_covered(const struct cm_ledger *ledger);

static inline const struct cm_outcome *cm_leaf_outcome(const struct cm_ledger *ledger,
                                                       const struct cm_leaf *leaf)
{
    return &ledger->outcomes[leaf->outcome];
}

/* Fewest operations that an ideal of the job lost, or kept without a sync, whichever is less. */
uint64_t cm_deviations(const struct cm_poset *poset, const struct cm_job *job);

#endif

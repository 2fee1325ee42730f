/*
 * Work units: what a worker is given to do at a time.
 *
 * A unit is some jobs (split.h) and a number of runs. The worker runs the check on the
 * first, goes on with the jobs that are left of it, depth first, then with the next one,
 * until the runs are used up, some milliseconds have passed or the unit is full. What is
 * then there are leaves, with their outcomes, and jobs that are left over. Which leaves
 * come of a job does not depend on where units end.
 *
 * A unit is an area of shared memory (pool.h) that is whole at any time: when the worker
 * dies in the middle, the caller finds the leaves so far, the job that was being run, and
 * the others, and a new worker can go on with it.
 *
 *     caller:  cm_unit_begin(layout, area, limit);
 *              cm_unit_put(layout, area, job);          one or more
 *     worker:  cm_unit_work(layout, area, worker);
 *     caller:  cm_unit_leaf_count(), cm_unit_leaf(), cm_unit_job_count(), cm_unit_job(),
 *              cm_unit_at_hand()
 */
#ifndef CRASHMATRIX_WORKUNIT_H
#define CRASHMATRIX_WORKUNIT_H

#include <gmp.h>

#include "count.h"
#include "pool.h"
#include "split.h"

/* Different outcomes that a unit has room for. */
enum { CM_UNIT_OUTCOMES = 256 };

/* Where things are in the area. */
struct cm_unit_layout {
    const struct cm_poset *poset;
    size_t job_size, leaf_size;
    uint32_t job_capacity, leaf_capacity;
    size_t jobs, leaves, covered; /* bytes from the start */
    size_t size;                  /* bytes in all */
};

/* With room for so many runs, and for so many jobs to begin with. */
struct cm_unit_layout cm_unit_layout(const struct cm_poset *poset, uint32_t runs, uint32_t jobs);

void cm_unit_begin(const struct cm_unit_layout *layout, void *area, uint32_t limit);

/* A unit of one job, whose recovery is to be recorded to a file of that name instead. */
void cm_unit_begin_recording(const struct cm_unit_layout *layout, void *area, const char *path);

/* That name; NULL if it is to be run. */
const char *cm_unit_recording(const void *area);

void cm_unit_put(const struct cm_unit_layout *layout, void *area, const struct cm_job *job);

/* What a worker does a unit with. */
struct cm_unit_worker {
    void *context;
    /* Runs the check for a job. Returns what it looked at. */
    const struct cm_observations *(*run)(void *context, const struct cm_job *job,
                                         struct cm_outcome *outcome);
    struct cm_splitter *splitter;
    struct cm_counter *counter;
};

/*
 * Does it. *outcome is CM_BROKEN, with a text, when the check could not be run, else
 * CM_ACCEPTED.
 */
void cm_unit_work(const struct cm_unit_layout *layout, void *area, struct cm_pool_job *job,
                  const struct cm_unit_worker *worker, struct cm_outcome *outcome);

/* What came of it; all that this points to is in the area. */
uint32_t cm_unit_leaf_count(const void *area);
const struct cm_leaf *cm_unit_leaf(const struct cm_unit_layout *layout, const void *area,
                                   uint32_t index);
const struct cm_outcome *cm_unit_outcome(const void *area, const struct cm_leaf *leaf);

/* Jobs that are left over, but for the one at hand. */
uint32_t cm_unit_job_count(const void *area);
const struct cm_job *cm_unit_job(const struct cm_unit_layout *layout, const void *area,
                                 uint32_t index);

/* The job that was to be run next, or was being run; NULL when all are done. */
const struct cm_job *cm_unit_at_hand(const struct cm_unit_layout *layout, const void *area);

uint32_t cm_unit_limit(const void *area);

/*
 * Adds up the ideals of the leaves that count and belong to a shard. Returns 1; 0 when they
 * are too hard to count; -1 when nobody has counted them, because the worker died.
 */
int cm_unit_covered(const struct cm_unit_layout *layout, const void *area, mpz_t sum);

#endif

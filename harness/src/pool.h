/*
 * Worker processes that run a check on states.
 *
 * Calling sequence
 *
 *     pool = cm_pool_start(&task, jobs, &error);
 *     while (there is work or cm_pool_busy(pool) > 0) {
 *         if (there is work && cm_pool_has_room(pool)) {
 *             describe the work in cm_pool_area(pool);
 *             cm_pool_submit(pool, ticket);
 *         } else {
 *             cm_pool_next(pool, &ticket, &outcome, &area, &error);
 *         }
 *     }
 *     cm_pool_stop(pool);
 *
 * Workers are forked from the caller and see its memory as it was at
 * cm_pool_start(). A job is an area in shared memory: its description, and what comes
 * of it. A pipe carries slot numbers only, so nobody ever blocks on a full pipe.
 *
 * A worker that dies while it runs a job gives the outcome CM_CRASHED and is
 * replaced; so is one whose job runs longer than the time-out and the grace.
 * Outcomes come in any order; what the caller makes of them must not depend on
 * it.
 */
#ifndef CRASHMATRIX_POOL_H
#define CRASHMATRIX_POOL_H

#include "crashmatrix/crashmatrix.h"

struct cm_pool;

/* A job, in the worker that runs it. */
struct cm_pool_job;

struct cm_pool_task {
    void *context;
    size_t area_size;    /* bytes; their memory is used only as far as it is written to */
    unsigned timeout_ms; /* 0 means none */
    unsigned grace_ms;   /* beyond it, for jobs that keep to it themselves */
    /* In each worker, once. -1 with *error set makes cm_pool_start() fail. */
    int (*prepare)(void *context, struct ff_error *error);
    /*
     * In a worker. A job whose worker was told to end, which says nothing about it, is run
     * again, with the area as it was left.
     */
    void (*run)(void *context, struct cm_pool_job *job, void *area, struct cm_outcome *outcome);
};

/* Starts jobs workers (at least 1). Returns NULL with *error set on failure. */
struct cm_pool *cm_pool_start(const struct cm_pool_task *task, unsigned jobs,
                              struct ff_error *error);

/* Whether cm_pool_submit() may be called. */
bool cm_pool_has_room(const struct cm_pool *pool);

/* Jobs submitted whose outcomes have not been returned. */
size_t cm_pool_busy(const struct cm_pool *pool);

/* The area of the job that will be submitted next, to be filled in. Needs room. */
void *cm_pool_area(struct cm_pool *pool);

/* Hands that job to a worker. */
void cm_pool_submit(struct cm_pool *pool, uint64_t ticket);

/* By a worker: the time-out of its job counts from now, which is returned (process.h). */
uint64_t cm_pool_renew(struct cm_pool_job *job);

/*
 * Waits for an outcome. *area is the job's, valid until cm_pool_area() is called; of a job
 * that was ended from outside it is as it was then. Returns 0, or -1 with *error set when
 * workers cannot be kept alive. Returns -1 with an empty error text when interrupted by a
 * signal, so that the caller can look at its stop flag.
 */
int cm_pool_next(struct cm_pool *pool, uint64_t *ticket, struct cm_outcome *outcome, void **area,
                 struct ff_error *error);

/* Ends all workers, their running checks included, and frees the pool. */
void cm_pool_stop(struct cm_pool *pool);

#endif

/*
 * What a worker process runs for a job: the check on a state, with some output.
 */
#ifndef CRASHMATRIX_WORKER_H
#define CRASHMATRIX_WORKER_H

#include "workunit.h"

struct cm_worker;

/*
 * The poset, the check and the model's name must outlive it. observes: the check says what
 * it looks at, else jobs are not split; counter: of ideals, or NULL; marks: what runs
 * depend on besides (marks.h), or NULL. Made before the workers are forked.
 */
struct cm_worker *cm_worker_new(const struct cm_poset *poset, const struct cm_check *check,
                                const char *model, bool observes, struct cm_shard shard,
                                struct cm_counter *counter, struct cm_marks *marks);
void cm_worker_free(struct cm_worker *worker);

/* Has the recovery from the job's state recorded. The outcome is CM_ACCEPTED, or CM_BROKEN with
 * a text. */
void cm_worker_record(struct cm_worker *worker, const struct cm_job *job, const char *path,
                      struct cm_outcome *outcome);

/* For cm_unit_work(). */
const struct cm_unit_worker *cm_worker_unit(const struct cm_worker *worker);

#endif

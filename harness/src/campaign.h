/*
 * A campaign takes jobs from a ledger, has the check run for them in workers, and puts what
 * comes of it back, until nothing waits, the budget is used up or somebody says stop.
 *
 * What is branched on is what a check looked at, if it says that, and the workers go on by
 * themselves. Else (*eager*) this process branches on everything, and each state with other
 * files, or with another output, is checked once, wherever it comes from.
 *
 * With a budget, jobs are taken in batches, by the number of deviations and
 * in the last quarter of the budget by the seed, and a batch is done before the next one is
 * chosen. So which runs are made depends neither on the workers nor on time.
 */
#ifndef CRASHMATRIX_CAMPAIGN_H
#define CRASHMATRIX_CAMPAIGN_H

#include "ledger.h"
#include "tally.h"

struct cm_campaign;

struct cm_campaign_plan {
    const struct cm_poset *poset;
    const struct cm_check *check;
    const struct cm_options *options; /* all that is in it about running */
    const char *model;
    const char *legal;        /* number of states there are, or NULL */
    struct cm_ledger *ledger; /* of leaves that were decided earlier, and jobs */
    bool eager;
    /*
     * Called every second or so, and when it was stopped: all is in the ledger or among more
     * (NULL: nothing). May be NULL. Failing is no reason to end.
     */
    void (*save)(void *context, const struct cm_records *more);
    void *save_context;
};

/* Starts the workers. The plan's members must outlive the campaign. NULL with *error set. */
struct cm_campaign *cm_campaign_start(const struct cm_campaign_plan *plan, struct ff_error *error);

/*
 * Returns 0, or -1 with *error set when the check cannot be run. Then all leaves and jobs
 * are in the ledger, but for the rest of a batch that was interrupted.
 */
int cm_campaign_run(struct cm_campaign *campaign, struct ff_error *error);

/* What recovery to record: from the largest state of the job, with the most output. */
struct cm_recording {
    const struct cm_job *job;
    char *path; /* of the trace */
};

/*
 * Records recoveries, after cm_campaign_run(). Returns 0, or -1 with *error set; when somebody
 * says stop, some are missing.
 */
int cm_campaign_record(struct cm_campaign *campaign, const struct cm_recording *recordings,
                       size_t count, struct ff_error *error);

/* Runs of the check that were made, also before the campaign. */
uint64_t cm_campaign_runs(const struct cm_campaign *campaign);

/* Whether the budget was used up while jobs were waiting. */
bool cm_campaign_is_out_of_budget(const struct cm_campaign *campaign);

/*
 * Runs the check once more, for a job that is not of the ledger. Returns 1, 0 when somebody
 * said stop, or -1 with *error set.
 */
int cm_campaign_try(struct cm_campaign *campaign, const struct cm_job *job,
                    struct cm_outcome *outcome, struct ff_error *error);

/*
 * Eager: adds the cases of a ledger's leaves, with their outcomes. Returns how many of them
 * were not known.
 */
uint64_t cm_recall_cases(struct cm_tally *tally, const struct cm_ledger *ledger);

/* Eager: the cases. */
struct cm_tally *cm_campaign_tally(const struct cm_campaign *campaign);

void cm_campaign_end(struct cm_campaign *campaign);

#endif

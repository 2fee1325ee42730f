/*
 * Power cuts during recovery: what they leave is recovered and checked, too.
 *
 * Depth by depth: first the recoveries are cut that were started on what a cut of the workload
 * left; then those that were started on what this left; and so on, as often as was asked for,
 * or until nothing is new. What a recovery does is recorded on the largest state of a leaf,
 * whose states it cannot tell apart, and goes on with the partial order (phase.h); what cuts
 * of it leave is explored there as everything is, by a campaign.
 *
 * A recovery is not cut if it changes nothing; if the state that it was started on was
 * rejected, which is a violation without any further cut; or if its leaf holds the same states
 * as one before (leaf_key.h), so that nothing new can come of it. When all that comes of a
 * depth is so, it is a fixpoint: any number of cuts is covered.
 *
 * Nothing depends on the order in which things are done.
 *
 *     nested = cm_nested_new(&plan);
 *     cm_nested_run(nested, campaign, &error);      its campaign has covered the workload
 *     cm_nested_report(nested, exploration, &error);
 *     cm_nested_free(nested);
 */
#ifndef CRASHMATRIX_NESTED_H
#define CRASHMATRIX_NESTED_H

#include "campaign.h"
#include "exploring.h"

struct cm_nested;

struct cm_nested_plan {
    const struct cm_exploring *workload; /* what is known of its states */
    const struct cm_check *check;        /* with record */
    const struct cm_options *options;    /* the budget is that of all, since ... */
    uint64_t start;                      /* ... cm_process_clock(), with so many */
    uint64_t runs;                       /* runs already */
};

struct cm_nested *cm_nested_new(const struct cm_nested_plan *plan);
void cm_nested_free(struct cm_nested *nested);

/* Returns 0, also when it was stopped, or -1 with *error set. */
int cm_nested_run(struct cm_nested *nested, struct cm_campaign *campaign, struct ff_error *error);

/*
 * Adds what was found to the result for the workload, whose poset is that of the plan. Returns
 * 0, or -1 with *error set.
 */
int cm_nested_report(struct cm_nested *nested, struct cm_exploration *exploration,
                     struct ff_error *error);

#endif

/*
 * Random members of random leaves must have the outcome of their leaf. Which leaves follows
 * from the leaves and the seed alone, so that shards audit the same as one run of all: a
 * leaf is chosen with a chance of so many in the product of the numbers of branches on its
 * way. The inverses of these products add up to 1, so that about as many are chosen, and
 * all of few; of a check that starts processes, and where each state had a run of its own,
 * about one in four at most, and one at least.
 *
 * Where what was accepted with the most output is not run with less (monotone), a member with
 * less must be accepted, too, but not with the same label.
 *
 * An outcome that only shows on a busy machine is none: time-outs are left out.
 */
#ifndef CRASHMATRIX_AUDIT_H
#define CRASHMATRIX_AUDIT_H

#include "campaign.h"
#include "exploring.h"

/*
 * Runs the check on them, and notes in exploring->progress what came of it. costly: on few.
 * Returns 0, also when somebody said stop, or -1 with *error set.
 */
int cm_audit(struct cm_exploring *exploring, struct cm_campaign *campaign, bool costly,
             struct ff_error *error);

#endif

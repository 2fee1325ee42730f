/*
 * From explorations to the reports that were asked for, and to the exit status.
 */
#ifndef CRASHMATRIX_REPORTING_H
#define CRASHMATRIX_REPORTING_H

#include "catalogue.h"
#include "faults.h"

struct cm_reporting {
    const struct cm_settings *settings;
    const char *target;                   /* name, or NULL */
    const char *recover, *check;          /* if they were given; NULL: the target's */
    const struct cm_check *session_check; /* to rebuild states of cuts during recovery; or NULL */
    uint64_t seed;
    struct cm_shard shard;
    const struct ff_trace *trace;
    const char *trace_path; /* where the trace was left, or NULL */
    const struct cm_models *models;
    struct cm_exploration *const *explorations; /* of the first models */
    size_t exploration_count;
    const struct cm_fault_cases *faults; /* or NULL */
    bool interrupted;
    const char *const *missing; /* shards, or parts of them; in words */
    size_t missing_count;
    double record_seconds, explore_seconds;
};

/* Writes and prints them. Returns an exit status, or -1 with *error set. */
int cm_report_all(const struct cm_reporting *reporting, struct ff_error *error);

#endif

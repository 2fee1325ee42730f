/*
 * Reports of a run: the matrix on the terminal, report.json, junit.xml.
 *
 * A report is filled in by the command, then written by any of the writers
 * below. The writers change nothing and depend on nothing else, so that equal
 * reports give equal bytes.
 */
#ifndef CRASHMATRIX_REPORT_H
#define CRASHMATRIX_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "crashmatrix/crashmatrix.h"
#include "memo.h"
#include "site.h"

enum cm_verdict {
    CM_PASS,
    CM_FAIL,
    CM_INCOMPLETE,
    CM_SHARD_PASS, /* every state of the shard was covered and none rejected: no word on others */
    CM_BOUNDED,    /* none was rejected; that not all were covered was accepted */
};

/*
 * Something that was not covered or not seen, and so turns pass into incomplete,
 * unless it was accepted.
 */
struct cm_unobserved {
    const char *kind; /* of the table in unobserved.h */
    const char *what;
    const char *where; /* program, file or place, or "" */
    uint64_t times;
    bool accepted;
};

struct cm_fault_case;

struct cm_report {
    const char *target;          /* name of the target, or NULL */
    const char *recover, *check; /* if they were given; NULL: the target's */
    enum cm_verdict verdict;
    uint64_t seed;
    struct cm_shard shard; /* count 0 or 1: all */
    const struct ff_trace *trace;
    const struct cm_sites *sites;               /* of the trace, or NULL: not looked up */
    const char *trace_path;                     /* where the trace was left, or NULL */
    struct cm_exploration *const *explorations; /* one for each model */
    size_t exploration_count;
    const struct cm_unobserved *unobserved;
    size_t unobserved_count;
    const struct cm_fault_case *faults; /* faults.h */
    size_t fault_count;
    bool timing; /* false: leave out everything that varies from run to run */
    double record_seconds;
    double explore_seconds;
    struct cm_memo_counts runs; /* of the check, also to audit others and in runs with a fault */
};

/* pass: exhaustive and no violation; shard-pass: the same for a shard; fail: a violation; else
 * incomplete. */
enum cm_verdict cm_exploration_verdict(const struct cm_exploration *exploration);

/* Whether there is anything that was not accepted. */
bool cm_unobserved_matters(const struct cm_unobserved *unobserved, size_t count);

/* "pass", "fail", "incomplete", "shard-pass", "bounded" */
const char *cm_verdict_name(enum cm_verdict verdict);

/* The call of boundary b >= 1 as one short line: "pwrite64 data-1.bin 0+512". */
void cm_describe_call(const struct ff_trace *trace, uint32_t call, char *text, size_t size);

/* The same for an operation: "create of data-1.bin (openat)". */
void cm_describe_operation(const struct ff_trace *trace, const struct cm_operation *operation,
                           char *text, size_t size);

/* The matrix, the violations with what they lost, the summary and the verdict. */
void cm_report_text(const struct cm_report *report, FILE *stream, bool colours);

/* Schema crashmatrix/report/1: harness/report.schema.json. */
int cm_report_json(const struct cm_report *report, FILE *stream);

/* One test suite for each model, one test case for each boundary. */
int cm_report_junit(const struct cm_report *report, FILE *stream);

#endif

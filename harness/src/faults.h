/*
 * Runs of a workload in which a call fails. The cases are each one call of the
 * ordinary run with each error that it may give, or what the user asks for; what
 * becomes of them is filled in by the command and goes into the reports.
 */
#ifndef CRASHMATRIX_FAULTS_H
#define CRASHMATRIX_FAULTS_H

#include "options.h"
#include "report.h"

/* A case that was run, or is to be. */
struct cm_fault_case {
    char *spec;    /* as the launcher takes it (faultfs/faults.h) */
    char *error;   /* its column: "EIO", "short:1"; of a given SPEC all of it */
    uint32_t call; /* of the ordinary run, or UINT32_MAX: a given SPEC */
    enum cm_verdict verdict;
    char *ended;      /* how the workload did: "exit status 1", or NULL */
    char *problem;    /* why not pass: a reason of the check, or what went wrong; or NULL */
    char *model;      /* of a rejected state, or NULL */
    char *id;         /* of that state, or NULL */
    char *trace_path; /* where the trace was left, or NULL */
    uint64_t states;  /* rejected ones, over all models */
};

struct cm_fault_cases {
    struct cm_fault_case *cases;
    size_t count, capacity;
};

/*
 * The cases that the words ask for: each a specification, or "all" for every call of
 * the trace with every error of its manual page, and writes that are cut short.
 * Returns 0, or -1 with *error set when a word is neither.
 */
int cm_fault_cases_list(const struct ff_trace *trace, const struct cm_words *words,
                        struct cm_fault_cases *list, struct ff_error *error);
void cm_fault_cases_free(struct cm_fault_cases *list);

#endif

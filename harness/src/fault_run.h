/* Running the cases of faults.h: recorded with the fault, explored, judged. */
#ifndef CRASHMATRIX_FAULT_RUN_H
#define CRASHMATRIX_FAULT_RUN_H

#include "faults.h"
#include "session.h"

struct cm_fault_run {
    const struct cm_session *session;
    const struct cm_settings *settings;
    const volatile int *stop;
    bool shows_progress; /* on standard error */
};

/*
 * Runs the cases one after the other, until *stop. Each trace is explored under the
 * session's models, and under process-crash, which is what the page cache shows when
 * the workload has ended. Those of rejected states are kept in the report's folder,
 * if there is one. Returns 0, or -1 with *error set when the exploration itself fails.
 */
int cm_fault_cases_run(const struct cm_fault_run *run, struct cm_fault_cases *list,
                       struct ff_error *error);

#endif

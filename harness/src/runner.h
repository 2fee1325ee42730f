/*
 * The runs of a check that is a command, and of its recovery, in one worker: on each state, laid
 * out in the scratch directory, in the cheapest way that makes no difference.
 *
 * - The state is stepped to from the one before if that is known to be as it was laid
 *   out: no call of the run before may have changed anything (watch.h), and nothing that
 *   it started is left.
 * - The command's program is forked if it is suitable (server.h), else executed; either
 *   under a filter that tells what it looks at, or, if nobody wants to know that, at least
 *   of changes. Where that is not to be had, or the command needs it itself, it is spawned
 *   unwatched, has looked at everything and may have changed everything.
 */
#ifndef CRASHMATRIX_RUNNER_H
#define CRASHMATRIX_RUNNER_H

#include "command.h"

struct cm_runner;

/* What is pointed to must outlive the runner. */
struct cm_runner_plan {
    const struct cm_command *recover; /* before the check, which judges what it left; or NULL */
    const struct cm_command *check;
    struct cm_scratch *scratch;
    const char *library; /* libcrashmatrix-start.so; NULL: no program is forked */
    unsigned timeout_ms; /* for each of them; 0: none */
};

struct cm_runner *cm_runner_new(const struct cm_runner_plan *plan);
void cm_runner_free(struct cm_runner *runner);

/* Whether it can tell what a run looks at. */
bool cm_runner_observes(const struct cm_runner *runner);

struct cm_run {
    struct cm_capture output, errors;
    int status;      /* as of cm_command_capture() */
    bool forked;     /* from a program that had been started before */
    bool recovering; /* all this is of the recovery: it failed, and the check was not run */
};

/*
 * anew: the state is laid out in a new file system, and the program executed. Returns 0,
 * or -1 with *error set, and run->status as cm_command_run() sets it.
 */
int cm_runner_run(struct cm_runner *runner, const struct cm_state *state, bool anew,
                  struct cm_run *run, struct ff_error *error);

/* To record a command takes so much longer than to run it, at most. */
#define CM_RECORDING_FACTOR 10u

/* The same, of a command that records the recovery. */
int cm_runner_record(struct cm_runner *runner, const struct cm_state *state,
                     const struct cm_command *recorder, struct cm_run *run, struct ff_error *error);

#endif

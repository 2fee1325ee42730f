/*
 * What the subcommands run, explore and replay share: target, check, models and
 * scratch directory, as the command line and the target file say.
 */
#ifndef CRASHMATRIX_SESSION_H
#define CRASHMATRIX_SESSION_H

#include "catalogue.h"
#include "command.h"
#include "options.h"
#include "scratch.h"
#include "target.h"

struct cm_session {
    struct cm_target *target; /* or NULL */
    const char *setup;        /* or NULL */
    const char *workload;     /* or NULL */
    const char *recover_text; /* or NULL */
    const char *check_text;   /* or NULL */
    bool monotone;            /* said of the check */
    struct cm_models models;
    struct cm_scratch *scratch;
    const struct cm_check *check;
    struct cm_check *external; /* the same, if it is a command, ... */
    struct cm_command command; /* ... this one */
    struct cm_command recover; /* or empty */
    char *launcher;            /* that records the recovery; or NULL */
    char *library;             /* to be preloaded into its program; or NULL */
};

/* Reads the target, if one is named; options override what it says. */
int cm_session_open(struct cm_session *session, const struct cm_settings *settings,
                    struct ff_error *error);

/* Makes the check ready to run in the scratch directory; needs both. */
int cm_session_prepare_check(struct cm_session *session, const struct cm_settings *settings,
                             struct ff_error *error);

void cm_session_close(struct cm_session *session);

#endif

/*
 * Running a command of the user's: setup, workload, recover, check.
 *
 * A command without shell syntax is split at blanks and executed directly, any
 * other is given to /bin/sh -c. The decision is made once, by cm_command_parse.
 */
#ifndef CRASHMATRIX_COMMAND_H
#define CRASHMATRIX_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "crashmatrix/crashmatrix.h"
#include "scratch.h"

struct cm_server;
struct cm_watch;

struct cm_command {
    char **argv; /* NULL-terminated */
    size_t argc;
    bool shell; /* argv is /bin/sh -c TEXT */
};

/* Returns 0, or -1 with *error set when text holds no word. */
int cm_command_parse(const char *text, struct cm_command *command, struct ff_error *error);
void cm_command_free(struct cm_command *command);

/*
 * Runs a command in the directory under test with the scratch's environment,
 * standard input from /dev/null, and standard output and error to the given
 * descriptors. Waits at most timeout_ms (0: for ever), then kills it. Processes
 * that it left behind are killed, whatever session they are in. The caller must
 * be a process of one thread without other children (those would be taken for
 * what the command left behind); the environment is set in it too. After
 * cm_process_confine() the command does not outlive the caller either.
 *
 * Returns 0 and sets *status to a wait status, or to CM_COMMAND_TIMED_OUT;
 * -1 with *error set when it could not be started, and *status set to
 * CM_COMMAND_NO_PROGRAM if that is because of its program (missing, not
 * executable, ...).
 */
#define CM_COMMAND_TIMED_OUT  (-1)
#define CM_COMMAND_NO_PROGRAM (-2)
#define CM_COMMAND_NO_SERVER  (-3) /* cm_command_capture(): its server is of no use any more */
int cm_command_run(const struct cm_command *command, const struct cm_scratch *scratch, int output,
                   int errors, unsigned timeout_ms, int *status, struct ff_error *error);

/* How a run of a command is started, unless anew and unwatched. */
struct cm_starting {
    struct cm_server *server; /* by which (server.h); it runs the same command */
    struct cm_watch *watch;   /* has begun */
    pid_t spared[4];          /* children that are none of the command's */
    size_t spared_count;
};

/*
 * The same, with standard output and error captured: the first bytes of each, the rest
 * is read and dropped. starting: or NULL. When the command wants to be told of system
 * calls itself (cm_watch_seen()), it is ended as if it had timed out.
 */
struct cm_capture {
    char data[4096];
    size_t size;
};
int cm_command_capture(const struct cm_command *command, const struct cm_scratch *scratch,
                       struct cm_capture *output, struct cm_capture *errors,
                       const struct cm_starting *starting, unsigned timeout_ms, int *status,
                       struct ff_error *error);

/*
 * The command line by which the launcher records a command that runs in root to a new trace
 * at path. launcher: the path of faultfs-record; options: of it besides, NULL-terminated, or
 * NULL. Its array is the caller's to free, the words are those that were given.
 */
struct cm_command cm_command_recorder(const char *launcher, const char *root, const char *path,
                                      const char *const *options, const struct cm_command *command);

/*
 * A check that lays each state out in the scratch directory and runs a command
 * on it: exit status 0 accepts, with the label from a first line "label: WORD"
 * or else "ok"; anything else is a violation with the first line printed as the
 * reason (or "exit status N" when nothing was). Before it the recovery is run, if there is
 * one; if that does not exit with 0, it is a violation, "recover: " and why. The result's
 * context is the caller's to give back to cm_external_check_free().
 */
struct cm_external_plan {
    const struct cm_command *check;
    const struct cm_command *recover; /* or NULL */
    struct cm_scratch *scratch;
    /* The path of libcrashmatrix-start.so, so that programs need not be started for each run
     * where that makes no difference; or NULL. */
    const char *library;
    const char *launcher; /* the path of faultfs-record; NULL: the recovery is not recorded */
    unsigned timeout_ms;  /* for each command; 0: none */
    bool shares_runs;     /* among explorations: memo.h */
};
/* All that is pointed to must outlive the check. */
struct cm_check *cm_external_check_new(const struct cm_external_plan *plan);
void cm_external_check_free(struct cm_check *check);

#endif

/* Running the workload and waiting for all of its descendants. */
#ifndef RECORD_WORKLOAD_H
#define RECORD_WORKLOAD_H

#include "recording.h"

struct workload {
    char *const *command; /* NULL-terminated */
    const char *library;  /* to be preloaded */
    double timeout;       /* seconds */
    bool may_fail;        /* any exit status, and any signal, will do */
    bool in_place;        /* in the launcher's directory, with its standard input and output */
    bool without_net;     /* see net.h */
};

/*
 * Runs the command in the directory of the recording, with an empty standard input and
 * a pipe to the launcher as its standard output, unless it is in place; and drains the recording
 * meanwhile. Returns when no process of it is left: 0 if the command exited with
 * status 0, or as recording->ending says if it may fail, or was cut; -1 with *error set if it did
 * not, could not be run, or took too long (then everything was killed), or the number of a signal
 * (SIGINT, SIGTERM, SIGHUP) that the launcher got (likewise).
 */
int workload_run(struct recording *recording, const struct workload *workload,
                 struct ff_error *error);

#endif

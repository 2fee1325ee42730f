/*
 * What a command that is watched changes outside the scratch directory, or talks to there:
 * other runs of it, earlier, later or at the same time, would find it, so that its verdict
 * may not be a function of the state. It is marked (cm_depends_on()). Reading what nobody
 * changes is no such thing.
 *
 * None of it are devices that hold nothing (/dev/null, terminals), what a process has of
 * itself in /proc, files without a name, and pipes.
 */
#ifndef CRASHMATRIX_WATCH_OUTSIDE_H
#define CRASHMATRIX_WATCH_OUTSIDE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "crashmatrix/crashmatrix.h"

struct seccomp_notif;

/* What a call does with the file that a path leads to. */
enum cm_use { CM_USE_LOOK, CM_USE_OPEN, CM_USE_CHANGE };

/* Where commands may change what they want, and state: of the run. */
struct cm_outside {
    const char *base;
    const struct cm_state *state;
};

/* path has no links but a last one; status: lstat's, or NULL if there is no such file. */
void cm_outside_path(const struct cm_outside *outside, const char *path, const struct stat *status,
                     enum cm_use use);

/* A file is changed through a descriptor, which need not be open for writing; link: in /proc. */
void cm_outside_descriptor(const struct cm_outside *outside, const char *link);

/* A call that is in none of the tables of what it looks at. */
void cm_outside_call(const struct cm_outside *outside, const struct seccomp_notif *call);

#endif

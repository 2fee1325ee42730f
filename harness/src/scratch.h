/*
 * The scratch directory: where the workload and the checks run.
 *
 * The directory under test must have one absolute path for the workload and for
 * all checks, also when they run in parallel, because programs store paths. So
 * the path is fixed, BASE/dir, with BASE = <parent>/crashmatrix-<uid>, and each
 * process that needs it puts a tmpfs of its own on BASE in a private mount
 * namespace (an unprivileged user gets a user namespace first). Such a tmpfs
 * vanishes with its process, whatever happens. Where namespaces are not to be
 * had, BASE itself is used, by one run with one worker at a time.
 *
 *     scratch = cm_scratch_open(parent, &error);
 *     fork();
 *       cm_scratch_enter(scratch, &error);   in the child: BASE is now private
 *       ... cm_scratch_directory(scratch) ...
 *     cm_scratch_close(scratch);             removes BASE unless others use it
 *
 * Layout below BASE: dir (the directory under test), stdout (what the workload
 * had printed, for checks), home and tmp ($HOME and $TMPDIR of all commands).
 */
#ifndef CRASHMATRIX_SCRATCH_H
#define CRASHMATRIX_SCRATCH_H

#include <stdbool.h>

#include "faultfs/trace.h"

struct cm_scratch;

/*
 * parent: a directory, or NULL for $TMPDIR or else /tmp (without namespaces:
 * /dev/shm, if there is one). Creates BASE, or shares it with other runs that
 * are in progress. Returns NULL with *error set when parent is not a writable
 * directory, or when BASE must be shared and cannot be.
 */
struct cm_scratch *cm_scratch_open(const char *parent, struct ff_error *error);

/* The same, for the BASE that a trace was recorded with: root is the trace's. */
struct cm_scratch *cm_scratch_open_for_root(const char *root, struct ff_error *error);

/* Whether each process can have a BASE of its own; if not, use one worker. */
bool cm_scratch_is_private(const struct cm_scratch *scratch);

/* In a process of one thread: makes BASE private, with dir, home and tmp in it.
 * Returns 0, or -1 with *error set. */
int cm_scratch_enter(struct cm_scratch *scratch, struct ff_error *error);

/* BASE, canonical. */
const char *cm_scratch_base(const struct cm_scratch *scratch);
const char *cm_scratch_directory(const struct cm_scratch *scratch);
const char *cm_scratch_stdout(const struct cm_scratch *scratch);

/* Sets the environment of a command about to be executed: CRASHMATRIX_DIR,
 * CRASHMATRIX_STDOUT, HOME, TMPDIR. */
void cm_scratch_set_environment(const struct cm_scratch *scratch);

/*
 * Nothing is in dir, home and tmp, and no stdout. Where BASE is private it is a new file
 * system, so that nothing of it, not even an inode number, depends on what was there
 * before. Returns 0, or -1 with *error set.
 */
int cm_scratch_clear(struct cm_scratch *scratch, struct ff_error *error);

/*
 * Of a BASE that is private and was entered: a descriptor of the directory that has BASE
 * in it as CM_SCRATCH_SEEN, on the same file system and mount, where no command can
 * look; else -1. Valid until the next clear or close.
 */
#define CM_SCRATCH_SEEN "seen"
int cm_scratch_below(const struct cm_scratch *scratch);

void cm_scratch_close(struct cm_scratch *scratch);

#endif

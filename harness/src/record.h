/*
 * Recording: setup, then the workload under the launcher, in a scratch
 * directory.
 */
#ifndef CRASHMATRIX_RECORD_H
#define CRASHMATRIX_RECORD_H

#include "scratch.h"

/*
 * Runs setup (may be NULL) and records workload into a new trace at path. options:
 * of the launcher besides, NULL-terminated, or NULL. What the commands print to standard output is
 * not shown. When *stop becomes non-zero through a signal, recording is given up. Returns 0, or -1
 * with *error set and nothing at path.
 */
int cm_record(const char *setup, const char *workload, struct cm_scratch *scratch, const char *path,
              const char *const *options, const volatile int *stop, struct ff_error *error);

#endif

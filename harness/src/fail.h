/*
 * Filling in a struct ff_error and returning -1 in one statement:
 *
 *     if (fd < 0)
 *         return cm_fail(error, "%s: cannot be opened: %s", path, strerror(errno));
 */
#ifndef CRASHMATRIX_FAIL_H
#define CRASHMATRIX_FAIL_H

#include "faultfs/trace.h"

/* Sets *error (longer texts are cut) and returns -1. Keeps errno. */
__attribute__((format(printf, 2, 3))) int cm_fail(struct ff_error *error, const char *format, ...);

#endif

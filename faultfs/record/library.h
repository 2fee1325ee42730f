/* Where the library is that is preloaded into the workload. */
#ifndef RECORD_LIBRARY_H
#define RECORD_LIBRARY_H

#include "faultfs/trace.h"

#include <limits.h>

/*
 * It is looked for relative to this program: the same in the build and when
 * installed. Returns 0, or -1 with *error set: it is missing, or cannot be preloaded.
 */
int library_find(char path[PATH_MAX], struct ff_error *error);

#endif

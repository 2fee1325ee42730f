/* Globs as in faults.h: *, which also stands for a /, ?, [...] and \. */
#ifndef SHIM_GLOB_H
#define SHIM_GLOB_H

#include <stdbool.h>

bool glob_matches(const char *glob, const char *text);

#endif

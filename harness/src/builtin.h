/*
 * Built-in checks: those that run in-process, on a state in memory. The command
 * line and target files name them as builtin:NAME.
 */
#ifndef CRASHMATRIX_BUILTIN_H
#define CRASHMATRIX_BUILTIN_H

#include "crashmatrix/crashmatrix.h"

struct cm_builtin {
    const char *name;
    const char *what; /* one line */
    void (*run)(void *context, struct cm_state *state, struct cm_outcome *outcome);
};

/* The table, ended by a row whose name is NULL. */
extern const struct cm_builtin cm_builtins[];

/* The row of that name, or NULL. */
const struct cm_builtin *cm_builtin_find(const char *name);

#endif

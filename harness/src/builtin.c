/*
 * The table of built-in checks: see builtin.h.
 */
#include "builtin.h"

#include <string.h>

#include "manifest_case.h"
#include "memfs.h"

static void manifest_run(enum cm_manifest_case_id id, struct cm_state *state,
                         struct cm_outcome *outcome)
{
    struct cm_memfs memfs;
    cm_memfs_init(&memfs, state);
    cm_looks_at_output(state);
    cm_manifest_judge(&cm_manifest_cases[id], &memfs.platform, state->output, state->output_size,
                      outcome);
}

#define X(id, name, files, acknowledged, demand, what)                                             \
    static void run_##id(void *context, struct cm_state *state, struct cm_outcome *outcome)        \
    {                                                                                              \
        (void)context;                                                                             \
        manifest_run(CM_CASE_##id, state, outcome);                                                \
    }
CM_MANIFEST_CASES(X)
#undef X

const struct cm_builtin cm_builtins[] = {
#define X(id, name, files, acknowledged, demand, what) {name, what, run_##id},
    CM_MANIFEST_CASES(X)
#undef X
        {NULL, NULL, NULL},
};

const struct cm_builtin *cm_builtin_find(const char *name)
{
    for (const struct cm_builtin *row = cm_builtins; row->name != NULL; row++) {
        if (strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

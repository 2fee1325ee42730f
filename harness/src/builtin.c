/*
 * The table of built-in checks: see builtin.h.
 */
#include "builtin.h"

#include <string.h>

#include "manifest_case.h"
#include "memfs.h"

static void manifest_run(uint64_t acknowledged_before, struct cm_state *state,
                         struct cm_outcome *outcome)
{
    struct cm_memfs memfs;
    cm_memfs_init(&memfs, state->tree);
    cm_manifest_judge(&memfs.platform, acknowledged_before, state->output, state->output_size,
                      outcome);
}

/* The setup has made version 1. */
static void run_manifest(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    manifest_run(1, state, outcome);
}

static void run_manifest_init(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    manifest_run(0, state, outcome);
}

const struct cm_builtin cm_builtins[] = {
    {"manifest", "the database of targets manifest and manifest-seed-order recovers", run_manifest},
    {"manifest-init", "the same where the workload makes the database", run_manifest_init},
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

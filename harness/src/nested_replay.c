/*
 * The state that cuts during recovery left, from its id: each recovery is recorded again,
 * on the state that the cut before it had left, and must do what it did then. Here each
 * recovery's order stands alone: nothing of phase.h is believed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "identity.h"
#include "memory.h"
#include "pool.h"
#include "state.h"
#include "temporary.h"

/* A state, whose recovery is to be recorded. */
struct rebuilding {
    const struct cm_check *check;
    struct cm_state state;
    char *path; /* of the trace */
};

static int prepare_worker(void *context, struct ff_error *error)
{
    const struct cm_check *check = ((const struct rebuilding *)context)->check;
    return check->prepare != NULL ? check->prepare(check->context, error) : 0;
}

static void record_in_worker(void *context, struct cm_pool_job *job, void *area,
                             struct cm_outcome *outcome)
{
    struct rebuilding *rebuilding = context;
    const struct cm_check *check = rebuilding->check;
    struct ff_error error = {""};
    (void)job;
    (void)area;
    bool done = check->record(check->context, &rebuilding->state, rebuilding->path, &error) == 0;
    outcome->status = done ? CM_ACCEPTED : CM_BROKEN;
    snprintf(outcome->text, sizeof(outcome->text), "%.255s", error.text);
}

/* In a process of its own, as an exploration does. */
static int record(struct rebuilding *rebuilding, struct ff_error *error)
{
    const struct cm_pool_task task = {
        .context = rebuilding, .prepare = prepare_worker, .run = record_in_worker};
    struct cm_pool *pool = cm_pool_start(&task, 1, error);
    struct cm_outcome outcome;
    void *nothing = NULL;
    uint64_t ticket = 0;
    if (pool == NULL)
        return -1;
    cm_pool_submit(pool, ticket);
    error->text[0] = '\0';
    int status = cm_pool_next(pool, &ticket, &outcome, &nothing, error);
    cm_pool_stop(pool);
    if (status != 0)
        return error->text[0] != '\0' ? -1 : cm_fail(error, "interrupted");
    return outcome.status == CM_ACCEPTED ? 0 : cm_fail(error, "%s", outcome.text);
}

/* The state that a cut of the recovery left takes the place of the one it started on. */
static int cut(struct rebuilding *rebuilding, const struct cm_model *model, uint32_t granule,
               const char *part, struct ff_error *error)
{
    if (record(rebuilding, error) != 0)
        return -1;
    struct ff_trace *trace = ff_trace_open(rebuilding->path, error);
    struct cm_poset *own = trace == NULL ? NULL : cm_poset_build(trace, model, granule, error);
    int status = -1;
    if (own != NULL) {
        uint32_t boundary = 0;
        cm_word *ideal = cm_allocate(own->words, sizeof(*ideal));
        status = cm_identity_parse_recovery(own, part, ideal, &boundary, error);
        if (status == 0) {
            ff_tree_free(rebuilding->state.tree);
            rebuilding->state.tree = cm_state_build(own, ideal);
        }
        free(ideal);
    }
    cm_poset_free(own);
    ff_trace_free(trace);
    return status;
}

/* All the cuts that the id names behind that of the workload. */
static int cut_all(struct rebuilding *rebuilding, const struct cm_model *model, const char *id,
                   struct ff_error *error)
{
    char name[128];
    uint32_t granule = 0;
    if (rebuilding->check == NULL || rebuilding->check->record == NULL)
        return cm_fail(error,
                       "replay id %.150s: names a cut during recovery; give the recovery, too "
                       "(--recover)",
                       id);
    cm_identity_model(id, name, sizeof(name), &granule);
    rebuilding->path = cm_temporary_file(error);
    int status = rebuilding->path == NULL ? -1 : 0;
    for (const char *part = cm_identity_recovery(id); status == 0 && part != NULL;
         part = cm_identity_recovery(part))
        status = cut(rebuilding, model, granule, part, error);
    if (rebuilding->path != NULL)
        unlink(rebuilding->path);
    free(rebuilding->path);
    return status;
}

int cm_rebuild_nested(const struct ff_trace *trace, const struct cm_model *model, const char *id,
                      const struct cm_check *check, struct ff_tree **tree, char **output,
                      size_t *output_size, struct ff_error *error)
{
    struct rebuilding rebuilding = {.check = check, .state = {.model = cm_model_name(model)}};
    const char *part = cm_identity_recovery(id);
    if (part == NULL)
        return cm_rebuild(trace, model, id, tree, output, output_size, error);
    char *first = cm_duplicate(id, (size_t)(part - id) - 1);
    int status = cm_rebuild(trace, model, first, &rebuilding.state.tree, output,
                            &rebuilding.state.output_size, error);
    free(first);
    if (status != 0)
        return -1;
    rebuilding.state.output = *output;
    status = cut_all(&rebuilding, model, id, error);
    *tree = rebuilding.state.tree;
    *output_size = rebuilding.state.output_size;
    if (status != 0) {
        ff_tree_free(*tree);
        free(*output);
        *tree = NULL;
        *output = NULL;
    }
    return status;
}

/*
 * The subcommand replay: one state again, into a directory and past a check.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fail.h"
#include "identity.h"
#include "memory.h"
#include "pool.h"
#include "run.h"
#include "session.h"

struct replay {
    struct cm_session session;
    struct ff_trace *trace;
    const char *model; /* its name */
    struct ff_tree *tree;
    char *output;
    size_t output_size;
};

/* The model that the id names; a file given with --model must be that one. */
static int choose_model(struct replay *replay, const struct cm_settings *settings,
                        struct ff_error *error)
{
    char name[128];
    uint32_t granule = 0;
    const char *id = settings->operands[0];
    if (!cm_identity_model(id, name, sizeof(name), &granule))
        return cm_fail(error, "%.150s is not a replay id (MODEL.TRACE.BOUNDARY:LOST)", id);
    const char *word = name;
    const char *const *words = settings->models.count > 0 ? settings->models.items : &word;
    size_t count = settings->models.count > 0 ? settings->models.count : 1;
    return cm_models_choose(words, count, &replay->session.models, error);
}

static int prepare_check(struct replay *replay, const struct cm_settings *settings,
                         struct ff_error *error)
{
    if (replay->session.check != NULL)
        return 0;
    replay->session.scratch = cm_scratch_open_for_root(replay->trace->root, error);
    if (replay->session.scratch == NULL)
        return -1;
    return cm_session_prepare_check(&replay->session, settings, error);
}

static int rebuild(struct replay *replay, const struct cm_settings *settings,
                   struct ff_error *error)
{
    if (settings->trace == NULL)
        return cm_fail(error, "--trace is missing: the trace that the id belongs to");
    if (choose_model(replay, settings, error) != 0)
        return -1;
    replay->trace = ff_trace_open(settings->trace, error);
    if (replay->trace == NULL)
        return -1;
    const struct cm_model *model = replay->session.models.models[0];
    replay->model = cm_model_name(model);
    const struct cm_check *check = NULL;
    if (cm_identity_recovery(settings->operands[0]) != NULL) {
        if (prepare_check(replay, settings, error) != 0)
            return -1;
        check = replay->session.check;
    }
    return cm_rebuild_nested(replay->trace, model, settings->operands[0], check, &replay->tree,
                             &replay->output, &replay->output_size, error);
}

static int store(const struct replay *replay, const char *path, struct ff_error *error)
{
    if (mkdir(path, 0777) != 0)
        return cm_fail(error, "--into %s: must be a new directory: %s", path, strerror(errno));
    if (ff_tree_store(replay->tree, path, error) != 0)
        return -1;
    printf("%s holds the state; printed by then: ", path);
    if (replay->output_size == 0)
        puts("nothing");
    else
        printf("%s%s", replay->output, replay->output[replay->output_size - 1] == '\n' ? "" : "\n");
    return 0;
}

static int prepare_worker(void *context, struct ff_error *error)
{
    const struct cm_check *check = ((struct replay *)context)->session.check;
    return check->prepare != NULL ? check->prepare(check->context, error) : 0;
}

static void run_in_worker(void *context, struct cm_pool_job *job, void *area,
                          struct cm_outcome *outcome)
{
    struct replay *replay = context;
    const struct cm_check *check = replay->session.check;
    (void)job;
    (void)area;
    struct cm_state state = {
        .tree = replay->tree,
        .output = replay->output,
        .output_size = replay->output_size,
        .model = replay->model,
    };
    check->run(check->context, &state, outcome);
}

/* Runs the check in a worker of its own, as an exploration does. */
static int judge(struct replay *replay, const struct cm_settings *settings,
                 struct cm_outcome *outcome, struct ff_error *error)
{
    struct cm_pool_task task = {
        .context = replay,
        .timeout_ms = settings->timeout_ms,
        .prepare = prepare_worker,
        .run = run_in_worker,
    };
    if (prepare_check(replay, settings, error) != 0)
        return -1;
    task.grace_ms = replay->session.check->grace_ms;
    struct cm_pool *pool = cm_pool_start(&task, 1, error);
    if (pool == NULL)
        return -1;
    uint64_t ticket = 0;
    void *nothing = NULL;
    cm_pool_submit(pool, ticket);
    int status = 0;
    do {
        error->text[0] = '\0';
        status = cm_pool_next(pool, &ticket, outcome, &nothing, error);
    } while (status != 0 && error->text[0] == '\0');
    cm_pool_stop(pool);
    if (status == 0 && outcome->status == CM_BROKEN)
        return cm_fail(error, "the check could not be run: %s", outcome->text);
    return status;
}

int cm_replay(const struct cm_settings *settings)
{
    struct replay replay = {0};
    struct ff_error error = {""};
    struct cm_outcome outcome = {.status = CM_ACCEPTED};
    bool done = cm_session_open(&replay.session, settings, &error) == 0;
    bool checks = done && replay.session.check_text != NULL;
    if (done && !checks && settings->into == NULL)
        done = cm_fail(&error, "nothing to do: give --into, --check or --target") == 0;
    done = done && rebuild(&replay, settings, &error) == 0;
    if (done && settings->into != NULL)
        done = store(&replay, settings->into, &error) == 0;
    if (done && checks)
        done = judge(&replay, settings, &outcome, &error) == 0;
    if (done && checks)
        printf("%s: %s\n", outcome.status == CM_ACCEPTED ? "accepted" : "rejected", outcome.text);
    ff_tree_free(replay.tree);
    free(replay.output);
    ff_trace_free(replay.trace);
    cm_session_close(&replay.session);
    if (!done)
        return cm_give_up(CM_EXIT_USAGE, error.text);
    return outcome.status == CM_ACCEPTED ? CM_EXIT_PASS : CM_EXIT_VIOLATION;
}

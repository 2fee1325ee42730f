#include "runner.h"

#include <stdlib.h>
#include <time.h>

#include "layout.h"
#include "memory.h"
#include "observer.h"
#include "process.h"
#include "server.h"
#include "watch.h"

/* For a program to come to its main(). */
#define START_LIMIT_MS 10000u

struct cm_runner {
    const struct cm_command *command;
    struct cm_scratch *scratch;
    const char *library; /* NULL: no program is forked */
    unsigned timeout_ms;
    struct cm_layout *layout;
    struct cm_watch *watch; /* NULL: it cannot be watched */
    bool begun;             /* servers were started, if they can be */
    enum cm_watch_kind kind;
    struct cm_server *executing;
    struct cm_server *forking; /* NULL: its program is not suitable */
};

struct cm_runner *cm_runner_new(const struct cm_command *command, struct cm_scratch *scratch,
                                const char *library, unsigned timeout_ms)
{
    struct cm_runner *runner = cm_allocate(1, sizeof(*runner));
    runner->command = command;
    runner->scratch = scratch;
    runner->library = library;
    runner->timeout_ms = timeout_ms;
    /* For all workers the same. */
    runner->layout = cm_layout_new(scratch, time(NULL));
    if (cm_watch_is_possible())
        runner->watch = cm_watch_new(scratch);
    return runner;
}

static void servers_stop(struct cm_runner *runner)
{
    cm_server_stop(runner->forking);
    cm_server_stop(runner->executing);
    runner->forking = runner->executing = NULL;
    runner->begun = false;
}

void cm_runner_free(struct cm_runner *runner)
{
    if (runner == NULL)
        return;
    servers_stop(runner);
    cm_watch_free(runner->watch);
    cm_layout_free(runner->layout);
    free(runner);
}

bool cm_runner_observes(const struct cm_runner *runner)
{
    return runner->watch != NULL;
}

/* ---- Servers ---- */

/* Tries the command's program. The state must have been laid out. */
static struct cm_server *program_start(struct cm_runner *runner, const struct cm_state *state,
                                       enum cm_watch_kind kind)
{
    struct cm_state unobserved = *state;
    unsigned limit = runner->timeout_ms != 0 && runner->timeout_ms < START_LIMIT_MS
                         ? runner->timeout_ms
                         : START_LIMIT_MS;
    unobserved.observer = NULL;
    cm_watch_begin(runner->watch, &unobserved, runner->layout);
    struct cm_server *server = cm_server_start_program(runner->command, runner->scratch, kind,
                                                       runner->library, runner->watch, limit);
    if (cm_watch_seen(runner->watch)->change)
        cm_layout_doubt(runner->layout);
    return server;
}

static int servers_start(struct cm_runner *runner, const struct cm_state *state,
                         struct ff_error *error)
{
    cm_process_adopt_orphans();
    cm_scratch_set_environment(runner->scratch);
    runner->begun = true;
    runner->kind = CM_WATCH_CHANGES;
    if (state->observer != NULL)
        runner->kind =
            cm_observer_tells_granules(state->observer) ? CM_WATCH_READS : CM_WATCH_LOOKS;
    runner->executing = cm_server_start(runner->command, runner->scratch, runner->kind, error);
    if (runner->executing == NULL)
        return -1;
    if (runner->library == NULL)
        return 0;
    runner->forking = program_start(
        runner, state, runner->kind == CM_WATCH_CHANGES ? CM_WATCH_LOOKS : runner->kind);
    if (runner->forking != NULL && runner->kind == CM_WATCH_CHANGES) {
        /* It is suitable: now without being asked for what it looks at. */
        cm_server_stop(runner->forking);
        runner->forking = program_start(runner, state, CM_WATCH_CHANGES);
    }
    return 0;
}

/* ---- Runs ---- */

static int run_unwatched(struct cm_runner *runner, const struct cm_state *state, struct cm_run *run,
                         struct ff_error *error)
{
    if (cm_layout_put(runner->layout, state, error) != 0)
        return -1;
    cm_looks_at_everything(state);
    cm_layout_doubt(runner->layout);
    run->forked = false;
    return cm_command_capture(runner->command, runner->scratch, &run->output, &run->errors, NULL,
                              runner->timeout_ms, &run->status, error);
}

static void starting_fill(const struct cm_runner *runner, bool anew, struct cm_starting *starting)
{
    struct cm_server *const servers[] = {runner->executing, runner->forking};
    *starting = (struct cm_starting){.watch = runner->watch};
    starting->server = runner->forking != NULL && !anew ? runner->forking : runner->executing;
    for (size_t i = 0; i < 2; i++)
        if (servers[i] != NULL)
            starting->spared[starting->spared_count++] = cm_server_pid(servers[i]);
}

static int run_once(struct cm_runner *runner, const struct cm_state *state, bool anew,
                    struct cm_run *run, struct ff_error *error)
{
    struct cm_starting starting;
    if (cm_layout_put(runner->layout, state, error) != 0)
        return -1;
    if (!runner->begun && (servers_start(runner, state, error) != 0 ||
                           /* A program that was tried may have changed something. */
                           cm_layout_put(runner->layout, state, error) != 0))
        return -1;
    starting_fill(runner, anew, &starting);
    run->forked = starting.server == runner->forking;
    cm_watch_begin(runner->watch, state, runner->layout);
    int result = cm_command_capture(runner->command, runner->scratch, &run->output, &run->errors,
                                    &starting, runner->timeout_ms, &run->status, error);
    cm_watch_end(runner->watch);
    if (result != 0 || cm_watch_seen(runner->watch)->change || run->status == CM_COMMAND_TIMED_OUT)
        cm_layout_doubt(runner->layout);
    return result;
}

static int run_watched(struct cm_runner *runner, const struct cm_state *state, bool anew,
                       struct cm_run *run, struct ff_error *error)
{
    int result = run_once(runner, state, anew, run, error);
    if (result == 0 || run->status != CM_COMMAND_NO_SERVER)
        return result;
    /* A run may have killed it: another one will do. */
    servers_stop(runner);
    return run_once(runner, state, anew, run, error);
}

int cm_runner_run(struct cm_runner *runner, const struct cm_state *state, bool anew,
                  struct cm_run *run, struct ff_error *error)
{
    run->forked = false;
    run->status = 0;
    if (anew)
        cm_layout_doubt(runner->layout);
    if (runner->watch == NULL)
        return run_unwatched(runner, state, run, error);
    int result = run_watched(runner, state, anew, run, error);
    if (!cm_watch_seen(runner->watch)->listener)
        return result;
    /* It cannot be watched, and never will. */
    servers_stop(runner);
    cm_watch_free(runner->watch);
    runner->watch = NULL;
    return run_unwatched(runner, state, run, error);
}

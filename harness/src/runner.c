#include "runner.h"

#include <stdlib.h>
#include <time.h>

#include "layout.h"
#include "memo.h"
#include "memory.h"
#include "observer.h"
#include "process.h"
#include "server.h"
#include "watch.h"

/* For a program to come to its main(). */
#define START_LIMIT_MS 10000u

#define NS_PER_MS 1000000u

/*
 * A run is repeated when a call was lost (watch.h). To a program under a storm of signals
 * that happens each time: from then on less is watched, and if that does not help the run
 * is not watched at all.
 */
enum { TRIES = 10, TRIES_WITH_READS = 3 };

/* A command, and what starts its runs. */
struct station {
    const struct cm_command *command;
    struct cm_server *executing;
    struct cm_server *forking; /* NULL: its program is not suitable */
};

/* A check alone, or with a recovery before it. */
enum { STATIONS = 2 };

struct cm_runner {
    struct cm_runner_plan plan;
    struct station stations[STATIONS];
    size_t station_count;
    struct cm_layout *layout;
    struct cm_watch *watch; /* NULL: it cannot be watched */
    bool begun;             /* servers were started, if they can be */
    enum cm_watch_kind kind;
    bool disturbed; /* reads and forks are not to be watched any more */
};

struct cm_runner *cm_runner_new(const struct cm_runner_plan *plan)
{
    struct cm_runner *runner = cm_allocate(1, sizeof(*runner));
    runner->plan = *plan;
    if (plan->recover != NULL)
        runner->stations[runner->station_count++].command = plan->recover;
    runner->stations[runner->station_count++].command = plan->check;
    /* For all workers the same. */
    runner->layout = cm_layout_new(plan->scratch, time(NULL));
    if (cm_watch_is_possible())
        runner->watch = cm_watch_new(plan->scratch);
    return runner;
}

static void servers_stop(struct cm_runner *runner)
{
    for (size_t i = 0; i < runner->station_count; i++) {
        struct station *station = &runner->stations[i];
        cm_server_stop(station->forking);
        cm_server_stop(station->executing);
        station->forking = station->executing = NULL;
    }
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

/* Tries the command's program. */
static struct cm_server *program_start(struct cm_runner *runner, const struct station *station,
                                       const struct cm_state *state, enum cm_watch_kind kind)
{
    const struct cm_runner_plan *plan = &runner->plan;
    struct cm_state unobserved = *state;
    unsigned limit = plan->timeout_ms != 0 && plan->timeout_ms < START_LIMIT_MS ? plan->timeout_ms
                                                                                : START_LIMIT_MS;
    unobserved.observer = NULL;
    cm_watch_begin(runner->watch, &unobserved, runner->layout);
    struct cm_server *server = cm_server_start_program(station->command, plan->scratch, kind,
                                                       plan->library, runner->watch, limit);
    if (cm_watch_seen(runner->watch)->change)
        cm_layout_doubt(runner->layout);
    return server;
}

/* The state is laid out before, and may be in doubt afterwards. */
static int station_start(struct cm_runner *runner, struct station *station,
                         const struct cm_state *state, struct ff_error *error)
{
    const struct cm_runner_plan *plan = &runner->plan;
    enum cm_watch_kind kind = runner->kind;
    if (cm_layout_put(runner->layout, state, error) != 0)
        return -1;
    station->executing = cm_server_start(station->command, plan->scratch, kind, error);
    if (station->executing == NULL)
        return -1;
    if (plan->library == NULL)
        return 0;
    station->forking =
        program_start(runner, station, state, kind == CM_WATCH_CHANGES ? CM_WATCH_LOOKS : kind);
    if (station->forking != NULL && kind == CM_WATCH_CHANGES) {
        /* It is suitable: now without being asked for what it looks at. */
        cm_server_stop(station->forking);
        station->forking = program_start(runner, station, state, CM_WATCH_CHANGES);
    }
    return 0;
}

static int servers_start(struct cm_runner *runner, const struct cm_state *state,
                         struct ff_error *error)
{
    cm_process_adopt_orphans();
    cm_scratch_set_environment(runner->plan.scratch);
    runner->begun = true;
    runner->kind = CM_WATCH_CHANGES;
    if (state->observer != NULL)
        runner->kind = cm_observer_tells_granules(state->observer) && !runner->disturbed
                           ? CM_WATCH_READS
                           : CM_WATCH_LOOKS;
    for (size_t i = 0; i < runner->station_count; i++)
        if (station_start(runner, &runner->stations[i], state, error) != 0)
            return -1;
    return 0;
}

static void spare_servers(const struct cm_runner *runner, struct cm_starting *starting)
{
    for (size_t i = 0; i < runner->station_count; i++) {
        const struct station *station = &runner->stations[i];
        if (station->executing != NULL)
            starting->spared[starting->spared_count++] = cm_server_pid(station->executing);
        if (station->forking != NULL)
            starting->spared[starting->spared_count++] = cm_server_pid(station->forking);
    }
}

/* ---- Runs ---- */

/* Starting is NULL if it is not watched. */
static int command_run(struct cm_runner *runner, const struct station *station,
                       const struct cm_starting *starting, struct cm_run *run,
                       struct ff_error *error)
{
    run->recovering = station->command == runner->plan.recover;
    return cm_command_capture(station->command, runner->plan.scratch, &run->output, &run->errors,
                              starting, runner->plan.timeout_ms, &run->status, error);
}

/* Whether the check is still to be run, or has been. */
static bool goes_on(const struct cm_run *run)
{
    return !run->recovering || run->status == 0;
}

static int run_unwatched(struct cm_runner *runner, const struct cm_state *state, struct cm_run *run,
                         struct ff_error *error)
{
    int result = cm_layout_put(runner->layout, state, error);
    cm_looks_at_everything(state);
    cm_layout_doubt(runner->layout);
    run->forked = false;
    for (size_t i = 0; result == 0 && i < runner->station_count; i++) {
        result = command_run(runner, &runner->stations[i], NULL, run, error);
        if (result == 0 && !goes_on(run))
            break;
    }
    return result;
}

static int station_run(struct cm_runner *runner, const struct station *station, bool anew,
                       struct cm_run *run, struct ff_error *error)
{
    bool forks = station->forking != NULL && !anew;
    struct cm_starting starting = {.watch = runner->watch,
                                   .server = forks ? station->forking : station->executing};
    spare_servers(runner, &starting);
    run->forked = run->forked || forks;
    cm_watch_next(runner->watch, station->command == runner->plan.recover);
    int result = command_run(runner, station, &starting, run, error);
    const struct cm_watch_seen *seen = cm_watch_seen(runner->watch);
    if (result == 0 && seen->handles && !seen->listener)
        cm_server_mark(starting.server, runner->watch);
    return result;
}

static int run_once(struct cm_runner *runner, const struct cm_state *state, bool anew,
                    struct cm_run *run, struct ff_error *error)
{
    if (!runner->begun && servers_start(runner, state, error) != 0)
        return -1;
    if (cm_layout_put(runner->layout, state, error) != 0)
        return -1;
    int result = 0;
    run->forked = false;
    cm_watch_begin(runner->watch, state, runner->layout);
    for (size_t i = 0; i < runner->station_count; i++) {
        result = station_run(runner, &runner->stations[i], anew, run, error);
        const struct cm_watch_seen *seen = cm_watch_seen(runner->watch);
        if (result != 0 || seen->listener || seen->lost)
            break;
        if (run->recovering && !seen->change)
            cm_recovery_was_idle(state);
        if (!goes_on(run))
            break;
    }
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

/* Until no call is lost, if need be. Returns false if it is not known what it would do. */
static bool run_undisturbed(struct cm_runner *runner, const struct cm_state *state, bool anew,
                            struct cm_run *run, int *result, struct ff_error *error)
{
    struct cm_observed before = {false, 0};
    size_t looks = cm_memo_mark(state->memo);
    uint64_t deadline = cm_process_clock() + (uint64_t)runner->plan.timeout_ms * NS_PER_MS;
    if (state->observer != NULL)
        before = cm_observer_mark(state->observer);
    for (int i = 0; i < TRIES; i++) {
        if (i == TRIES_WITH_READS && runner->kind == CM_WATCH_READS) {
            runner->disturbed = true;
            servers_stop(runner);
        }
        *result = run_watched(runner, state, anew, run, error);
        if (*result != 0 || !cm_watch_seen(runner->watch)->lost)
            return true;
        if (state->observer != NULL)
            cm_observer_return(state->observer, before);
        cm_memo_return(state->memo, looks);
        /* What hangs would hang for as long again; what was killed may be what was lost. */
        if (run->status == CM_COMMAND_TIMED_OUT ||
            (runner->plan.timeout_ms != 0 && cm_process_clock() >= deadline))
            break;
    }
    return false;
}

int cm_runner_run(struct cm_runner *runner, const struct cm_state *state, bool anew,
                  struct cm_run *run, struct ff_error *error)
{
    int result;
    run->forked = run->recovering = false;
    run->status = 0;
    if (anew)
        cm_layout_doubt(runner->layout);
    if (runner->watch == NULL)
        return run_unwatched(runner, state, run, error);
    bool known = run_undisturbed(runner, state, anew, run, &result, error);
    if (cm_watch_seen(runner->watch)->listener) {
        /* It cannot be watched, and never will. */
        servers_stop(runner);
        cm_watch_free(runner->watch);
        runner->watch = NULL;
        known = false;
    }
    if (known)
        return result;
    run->recovering = false;
    run->status = 0;
    return run_unwatched(runner, state, run, error);
}

int cm_runner_record(struct cm_runner *runner, const struct cm_state *state,
                     const struct cm_command *recorder, struct cm_run *run, struct ff_error *error)
{
    struct cm_starting starting = {.server = NULL};
    cm_layout_doubt(runner->layout);
    if (cm_layout_put(runner->layout, state, error) != 0)
        return -1;
    cm_layout_doubt(runner->layout);
    spare_servers(runner, &starting);
    return cm_command_capture(recorder, runner->plan.scratch, &run->output, &run->errors, &starting,
                              CM_RECORDING_FACTOR * runner->plan.timeout_ms, &run->status, error);
}

/*
 * The subcommands run, explore and record: record a workload or open a trace,
 * explore it under each model, report.
 */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "fault_run.h"
#include "faultfs/faults.h"
#include "folder.h"
#include "memory.h"
#include "program.h"
#include "record.h"
#include "reporting.h"
#include "session.h"
#include "temporary.h"
#include "unobserved.h"

/* ---- Stopping ---- */

static volatile int stop_requested;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

/* Ctrl-C stops, keeps what was found, and cleans up. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = request_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Progress ---- */

struct progress {
    const char *model;
    const struct cm_settings *settings;
    bool shown;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A decimal number for people: long ones as powers of ten. */
static void print_count(const char *number)
{
    size_t length = number != NULL ? strlen(number) : 0;
    if (length == 0)
        fputs("?", stderr);
    else if (length <= 9)
        fputs(number, stderr);
    else
        fprintf(stderr, "%c.%ce%zu", number[0], number[1], length - 1);
}

static void show_progress(void *context, const struct cm_progress *now)
{
    struct progress *progress = context;
    const struct cm_settings *settings = progress->settings;
    progress->shown = true;
    fprintf(stderr, "\r\033[K%s", progress->model);
    if (settings->shard.count > 1)
        fprintf(stderr, " (shard %u of %u)", settings->shard.index + 1, settings->shard.count);
    if (now->depth > 0) {
        fprintf(stderr, ": %u cut%s during recovery, %llu of %llu recoveries", now->depth,
                now->depth == 1 ? "" : "s", (unsigned long long)now->recoveries,
                (unsigned long long)now->recovery_count);
    } else {
        fputs(": covered ", stderr);
        print_count(now->covered);
        fputs(" of ", stderr);
        print_count(now->legal);
        fputs(" legal states", stderr);
    }
    fprintf(stderr, ", %llu", (unsigned long long)now->runs);
    if (settings->budget.runs != 0)
        fprintf(stderr, " of at most %llu", (unsigned long long)settings->budget.runs);
    fprintf(stderr, " checks%s%s, %llu rejected", settings->budget.text != NULL ? ", budget " : "",
            settings->budget.text != NULL ? settings->budget.text : "",
            (unsigned long long)now->violations);
}

static void clear_progress(const struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}

/* ---- Exploring under each model ---- */

struct run {
    const struct cm_settings *settings;
    struct cm_session session;
    struct ff_trace *trace;
    char *trace_path;
    bool trace_is_kept; /* else it is a temporary file, while it is needed */
    struct cm_exploration **explorations;
    size_t exploration_count;
    struct cm_fault_cases faults;
    double record_seconds;
    double explore_seconds;
};

/* Of a check that is a command, and of the recovery before it; "" if there is none. */
static char *digest_programs(const struct cm_session *session)
{
    const struct cm_command *check = &session->command, *recover = &session->recover;
    uint64_t digest = 0;
    if (session->external == NULL)
        return cm_format("%s", "");
    digest = cm_program_digest(check->argv, check->shell);
    if (recover->argc > 0)
        digest = digest * 31 + cm_program_digest(recover->argv, recover->shell);
    return cm_format("%016llx", (unsigned long long)digest);
}

/* What a continued run, or another shard, must have been run with. */
static size_t list_traits(const struct run *run, const char *models, const char *digest,
                          struct cm_trait *traits)
{
    const struct cm_session *session = &run->session;
    const char *given = run->settings->check, *recover = run->settings->recover;
    const struct cm_trait all[] = {
        {"recovery", session->recover_text != NULL ? session->recover_text : ""},
        {"check", session->check_text},
        {"target", session->target != NULL ? session->target->name : ""},
        {"option --recover", recover != NULL ? recover : ""},
        {"option --check", given != NULL ? given : ""},
        {"list of models", models},
        {CM_TRAIT_PROGRAM, digest},
    };
    memcpy(traits, all, sizeof(all));
    return sizeof(all) / sizeof(all[0]);
}

static char *list_models(const struct cm_models *models)
{
    char *list = cm_format("%s", "");
    for (size_t i = 0; i < models->count; i++) {
        char *longer =
            cm_format("%s%s%s", list, i > 0 ? " " : "", cm_model_name(models->models[i]));
        free(list);
        list = longer;
    }
    return list;
}

static void warn_about_progress(const struct cm_exploration *exploration)
{
    if (exploration->progress_error != NULL)
        fprintf(stderr, "crashmatrix: warning: this run could not be kept, to be continued: %s\n",
                exploration->progress_error);
}

/* The options of the exploration under one model, but for how it shows its progress. */
static struct cm_options choose_options(const struct run *run)
{
    const struct cm_settings *settings = run->settings;
    return (struct cm_options){
        .jobs = cm_scratch_is_private(run->session.scratch) ? settings->jobs : 1,
        .timeout_ms = settings->timeout_ms,
        .granule = settings->granule,
        .eager = settings->eager,
        .shard = settings->shard,
        .nested = settings->nested,
        .budget_runs = settings->budget.runs,
        .budget_ms = settings->budget.milliseconds,
        .seed = settings->seed,
        .resume = settings->resume,
        .stop = &stop_requested,
    };
}

static int explore_model(struct run *run, const struct cm_model *model,
                         const struct cm_trait *traits, size_t trait_count, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    struct progress progress = {.model = cm_model_name(model), .settings = settings};
    struct cm_options options = choose_options(run);
    char *path = NULL;
    if (settings->report != NULL)
        path = cm_folder_progress(settings->report, cm_model_name(model));
    options.progress_path = path;
    options.traits = traits;
    options.trait_count = trait_count;
    options.progress = isatty(STDERR_FILENO) != 0 ? show_progress : NULL;
    options.progress_context = &progress;
    struct cm_exploration *exploration =
        cm_explore(run->trace, model, run->session.check, &options, error);
    clear_progress(&progress);
    free(path);
    if (exploration == NULL)
        return -1;
    warn_about_progress(exploration);
    run->explorations[run->exploration_count++] = exploration;
    return 0;
}

static int explore_models(struct run *run, struct ff_error *error)
{
    const struct cm_models *models = &run->session.models;
    struct cm_trait traits[8];
    char *list = list_models(models);
    char *digest = digest_programs(&run->session);
    size_t trait_count = list_traits(run, list, digest, traits);
    double start = seconds_now();
    int status = 0;
    run->explorations = cm_allocate(models->count, sizeof(struct cm_exploration *));
    for (size_t i = 0; status == 0 && i < models->count && stop_requested == 0; i++)
        status = explore_model(run, models->models[i], traits, trait_count, error);
    run->explore_seconds = seconds_now() - start;
    free(digest);
    free(list);
    return status;
}

/* The runs in which a call fails, after the ordinary one. */
static int run_faults(struct run *run, struct ff_error *error)
{
    const struct cm_fault_run faults = {.session = &run->session,
                                        .settings = run->settings,
                                        .stop = &stop_requested,
                                        .shows_progress = isatty(STDERR_FILENO) != 0};
    if (run->settings->faults.count == 0)
        return 0;
    if (cm_fault_cases_list(run->trace, &run->settings->faults, &run->faults, error) != 0)
        return -1;
    double start = seconds_now();
    int status = cm_fault_cases_run(&faults, &run->faults, error);
    run->explore_seconds += seconds_now() - start;
    return status;
}

/* ---- Getting a trace ---- */

static int choose_models(struct run *run, struct ff_error *error)
{
    static const char *const standard[] = {"posix"};
    const struct cm_settings *settings = run->settings;
    const struct cm_target *target = run->session.target;
    const char *const *words = standard;
    size_t count = 1;
    if (settings->models.count > 0) {
        words = settings->models.items;
        count = settings->models.count;
    } else if (target != NULL) {
        words = (const char *const *)target->models.items;
        count = target->models.count;
    }
    return cm_models_choose(words, count, &run->session.models, error);
}

/* Where the trace goes: into the report, or to a temporary file. */
static int choose_trace_path(struct run *run, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    if (settings->report != NULL) {
        run->trace_path = cm_folder_trace(settings->report);
        run->trace_is_kept = true;
        return cm_folder_begin(settings->report, error);
    }
    run->trace_path = cm_temporary_file(error);
    return run->trace_path != NULL ? 0 : -1;
}

/* A temporary trace goes as soon as it is read, so that nothing can leave it. */
static int open_trace(struct run *run, struct ff_error *error)
{
    run->trace = ff_trace_open(run->trace_path, error);
    if (!run->trace_is_kept)
        unlink(run->trace_path);
    return run->trace != NULL ? 0 : -1;
}

/* The trace of explore is an input: it is copied into the report. */
static int copy_trace(struct run *run, struct ff_error *error)
{
    if (run->settings->report == NULL)
        return 0;
    free(run->trace_path);
    run->trace_path = cm_folder_trace(run->settings->report);
    return cm_folder_begin(run->settings->report, error) == 0
               ? ff_trace_write(run->trace, run->trace_path, error)
               : -1;
}

/* Of a run that is continued: the report's own, which must be the same as one that is given. */
static int find_trace(struct run *run, struct ff_error *error)
{
    uint64_t given = run->trace != NULL ? run->trace->digest : 0;
    bool is_given = run->trace != NULL;
    ff_trace_free(run->trace);
    free(run->trace_path);
    run->trace_path = cm_folder_trace(run->settings->report);
    run->trace_is_kept = true;
    if (access(run->trace_path, F_OK) != 0) {
        run->trace = NULL;
        return cm_fail(error,
                       "%s: there is no recording to continue with; run without --resume first",
                       run->settings->report);
    }
    if (open_trace(run, error) != 0)
        return -1;
    return !is_given || run->trace->digest == given
               ? 0
               : cm_fail(error, "%s: is not the trace with which %s was begun",
                         run->settings->operands[0], run->settings->report);
}

/* Each returns an exit status, CM_EXIT_PASS when the trace is there. */

/* The scratch directory that the trace, if there is one, was recorded in. */
static enum cm_exit open_scratch(struct run *run, struct ff_error *error)
{
    if (run->trace != NULL)
        run->session.scratch = cm_scratch_open_for_root(run->trace->root, error);
    return run->session.scratch != NULL ? CM_EXIT_PASS : CM_EXIT_USAGE;
}

static enum cm_exit prepare_explore(struct run *run, struct ff_error *error)
{
    run->trace_path = cm_format("%s", run->settings->operands[0]);
    run->trace_is_kept = true;
    if (open_trace(run, error) != 0 ||
        (run->settings->resume ? find_trace(run, error) : copy_trace(run, error)) != 0)
        return CM_EXIT_USAGE;
    return open_scratch(run, error);
}

/* Without a new recording. */
static enum cm_exit prepare_resume(struct run *run, struct ff_error *error)
{
    if (find_trace(run, error) != 0)
        return CM_EXIT_USAGE;
    return open_scratch(run, error);
}

static enum cm_exit prepare_run(struct run *run, struct ff_error *error)
{
    struct cm_session *session = &run->session;
    if (session->workload == NULL) {
        cm_fail(error, "--workload is missing: the program to record");
        return CM_EXIT_USAGE;
    }
    session->scratch = cm_scratch_open(run->settings->scratch, error);
    if (session->scratch == NULL || choose_trace_path(run, error) != 0)
        return CM_EXIT_USAGE;
    double start = seconds_now();
    if (cm_record(session->setup, session->workload, session->scratch, run->trace_path, NULL,
                  &stop_requested, error) != 0 ||
        open_trace(run, error) != 0)
        return CM_EXIT_RECORDING;
    run->record_seconds = seconds_now() - start;
    return CM_EXIT_PASS;
}

/* What is wrong with a SPEC is said before anything is run. */
static int check_faults(const struct cm_words *words, struct ff_error *error)
{
    struct ff_fault fault;
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->items[i], "all") != 0 &&
            ff_fault_parse(words->items[i], &fault, error) != 0)
            return -1;
    return 0;
}

/* Options that do not go together. */
static int check_options(const struct cm_settings *settings, struct ff_error *error)
{
    if (settings->keep && settings->report == NULL)
        return cm_fail(error, "--keep needs --report: where to keep the states");
    if (settings->resume && settings->report == NULL)
        return cm_fail(error, "--resume needs --report: the folder of the run to continue");
    if (settings->shard.count > 1 && settings->report == NULL)
        return cm_fail(error, "--shard needs --report: what crashmatrix merge puts together");
    if (settings->nested > 0 && settings->shard.count > 1)
        return cm_fail(error, "--nested: cuts during recovery are not done in shards");
    if (settings->faults.count > 0 && (settings->resume || settings->shard.count > 1))
        return cm_fail(error, "--faults can neither be continued nor be done in shards");
    return check_faults(&settings->faults, error);
}

static enum cm_exit prepare(struct run *run, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    if (check_options(settings, error) != 0)
        return CM_EXIT_USAGE;
    if (cm_accept_check(&settings->accept, error) != 0 ||
        cm_session_open(&run->session, settings, error) != 0 || choose_models(run, error) != 0)
        return CM_EXIT_USAGE;
    if (run->session.check_text == NULL) {
        cm_fail(error, "--check is missing: the command that judges a state");
        return CM_EXIT_USAGE;
    }
    if (settings->nested > 0 && run->session.recover_text == NULL) {
        cm_fail(error, "--nested needs --recover: the command during which to cut the power");
        return CM_EXIT_USAGE;
    }
    enum cm_exit status = settings->command == CM_COMMAND_EXPLORE ? prepare_explore(run, error)
                          : settings->resume                      ? prepare_resume(run, error)
                                                                  : prepare_run(run, error);
    if (status == CM_EXIT_PASS && cm_session_prepare_check(&run->session, settings, error) != 0)
        status = CM_EXIT_USAGE;
    return status;
}

static int finish(const struct run *run, struct ff_error *error)
{
    const struct cm_session *session = &run->session;
    const struct cm_reporting reporting = {
        .settings = run->settings,
        .target = session->target != NULL ? session->target->name : NULL,
        .recover = run->settings->recover,
        .check = run->settings->check,
        .session_check = session->check,
        .seed = run->settings->seed,
        .shard = run->settings->shard,
        .trace = run->trace,
        .trace_path = run->trace_is_kept ? run->trace_path : NULL,
        .models = &session->models,
        .explorations = run->explorations,
        .exploration_count = run->exploration_count,
        .faults = &run->faults,
        .interrupted = stop_requested != 0 || run->exploration_count < session->models.count,
        .record_seconds = run->record_seconds,
        .explore_seconds = run->explore_seconds,
    };
    return cm_report_all(&reporting, error);
}

static void release(struct run *run)
{
    for (size_t i = 0; i < run->exploration_count; i++)
        cm_exploration_free(run->explorations[i]);
    free(run->explorations);
    cm_fault_cases_free(&run->faults);
    cm_session_close(&run->session);
    ff_trace_free(run->trace);
    if (run->trace == NULL && run->trace_path != NULL && !run->trace_is_kept)
        unlink(run->trace_path);
    free(run->trace_path);
}

int cm_run(const struct cm_settings *settings)
{
    struct run run = {.settings = settings};
    struct ff_error error = {""};
    catch_signals();
    int status = (int)prepare(&run, &error);
    if (status == CM_EXIT_PASS)
        status = explore_models(&run, &error) == 0 && run_faults(&run, &error) == 0
                     ? finish(&run, &error)
                     : -1;
    release(&run);
    if (error.text[0] != '\0')
        return cm_give_up(status < 0 ? CM_EXIT_USAGE : (enum cm_exit)status, error.text);
    return status;
}

int cm_record_only(const struct cm_settings *settings)
{
    struct cm_session session;
    struct ff_error error = {""};
    int status = CM_EXIT_USAGE;
    catch_signals();
    if (settings->output == NULL)
        cm_fail(&error, "--output is missing: the trace to write");
    else if (cm_session_open(&session, settings, &error) == 0) {
        if (session.workload == NULL)
            cm_fail(&error, "--workload is missing: the program to record");
        else
            session.scratch = cm_scratch_open(settings->scratch, &error);
        if (session.scratch != NULL)
            status = cm_record(session.setup, session.workload, session.scratch, settings->output,
                               NULL, &stop_requested, &error) == 0
                         ? CM_EXIT_PASS
                         : CM_EXIT_RECORDING;
        cm_session_close(&session);
    }
    return status == CM_EXIT_PASS ? status : cm_give_up((enum cm_exit)status, error.text);
}

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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "fault_run.h"
#include "faultfs/faults.h"
#include "memory.h"
#include "record.h"
#include "report.h"
#include "session.h"
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
    progress->shown = true;
    fprintf(stderr, "\r\033[K%s: covered ", progress->model);
    print_count(now->covered);
    fputs(" of ", stderr);
    print_count(now->legal);
    fprintf(stderr, " legal states, %llu checks, %llu rejected", (unsigned long long)now->runs,
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

static int explore_models(struct run *run, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    const struct cm_models *models = &run->session.models;
    bool terminal = isatty(STDERR_FILENO) != 0;
    double start = seconds_now();
    run->explorations = cm_allocate(models->count, sizeof(struct cm_exploration *));
    for (size_t i = 0; i < models->count && stop_requested == 0; i++) {
        struct progress progress = {0};
        struct cm_options options = {
            .jobs = settings->jobs,
            .timeout_ms = settings->timeout_ms,
            .granule = settings->granule,
            .eager = settings->eager,
            .progress = terminal ? show_progress : NULL,
            .progress_context = &progress,
            .stop = &stop_requested,
        };
        if (!cm_scratch_is_private(run->session.scratch))
            options.jobs = 1;
        progress.model = cm_model_name(models->models[i]);
        struct cm_exploration *exploration =
            cm_explore(run->trace, models->models[i], run->session.check, &options, error);
        clear_progress(&progress);
        if (exploration == NULL)
            return -1;
        run->explorations[run->exploration_count++] = exploration;
    }
    run->explore_seconds = seconds_now() - start;
    return 0;
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

/* ---- Reports ---- */

typedef int report_writer(const struct cm_report *report, FILE *stream);

/* Writes a file of the report's folder: whole or not at all. */
static int write_report(const struct cm_report *report, const char *folder, const char *name,
                        report_writer *writer, struct ff_error *error)
{
    char *path = cm_format("%s/%s", folder, name);
    char *temporary = cm_format("%s/.%s.%ld", folder, name, (long)getpid());
    FILE *stream = fopen(temporary, "wxe");
    bool done = stream != NULL && writer(report, stream) == 0;
    done = stream != NULL && fclose(stream) == 0 && done;
    done = done && rename(temporary, path) == 0;
    if (!done) {
        cm_fail(error, "%s: cannot be written: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    free(path);
    return done ? 0 : -1;
}

static int make_folder(const char *path, struct ff_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0 ||
        (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return 0;
    return cm_fail(error, "%s: cannot be made: %s", path, strerror(errno));
}

static int keep_state(const struct run *run, const char *folder, const struct cm_model *model,
                      const char *id, struct ff_error *error)
{
    struct ff_tree *tree = NULL;
    char *output = NULL;
    size_t size = 0;
    if (cm_rebuild(run->trace, model, id, &tree, &output, &size, error) != 0)
        return -1;
    char *path = cm_format("%s/%s", folder, id);
    int status = make_folder(path, error) == 0 && ff_directory_clear(path, error) == 0 &&
                         ff_tree_store(tree, path, error) == 0
                     ? 0
                     : -1;
    free(path);
    free(output);
    ff_tree_free(tree);
    return status;
}

/* The representative of each violation, below the folder "states". */
static int keep_states(const struct run *run, struct ff_error *error)
{
    char *folder = cm_format("%s/states", run->settings->report);
    int status = make_folder(folder, error);
    for (size_t i = 0; i < run->exploration_count; i++)
        for (size_t j = 0; status == 0 && j < run->explorations[i]->violation_count; j++)
            status = keep_state(run, folder, run->session.models.models[i],
                                run->explorations[i]->violations[j].id, error);
    free(folder);
    return status;
}

static int report_all(const struct run *run, const struct cm_report *report, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    if (settings->report != NULL &&
        (write_report(report, settings->report, "report.json", cm_report_json, error) != 0 ||
         write_report(report, settings->report, "junit.xml", cm_report_junit, error) != 0))
        return -1;
    if (settings->keep && keep_states(run, error) != 0)
        return -1;
    if (settings->json && cm_report_json(report, stdout) != 0)
        return cm_fail(error, "standard output: cannot be written");
    if (!settings->json)
        cm_report_text(report, stdout, isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL);
    return fflush(stdout) == 0 ? 0 : cm_fail(error, "standard output: cannot be written");
}

/* complete: nothing that matters was not covered or not seen. */
static enum cm_verdict overall_verdict(const struct run *run, bool complete)
{
    enum cm_verdict verdict = complete ? CM_PASS : CM_INCOMPLETE;
    for (size_t i = 0; i < run->exploration_count; i++) {
        enum cm_verdict one = cm_exploration_verdict(run->explorations[i]);
        if (one == CM_FAIL || verdict == CM_PASS)
            verdict = one;
        if (verdict == CM_FAIL)
            break;
    }
    for (size_t i = 0; i < run->faults.count && verdict != CM_FAIL; i++)
        if (run->faults.cases[i].verdict != CM_PASS)
            verdict = run->faults.cases[i].verdict;
    return verdict;
}

static int finish(const struct run *run, struct ff_error *error)
{
    static const int exits[] = {[CM_PASS] = CM_EXIT_PASS,
                                [CM_FAIL] = CM_EXIT_VIOLATION,
                                [CM_INCOMPLETE] = CM_EXIT_INCOMPLETE};
    const struct cm_session *session = &run->session;
    struct cm_sites *sites = cm_sites_find(run->trace);
    bool interrupted = stop_requested != 0 || run->exploration_count < session->models.count;
    size_t count = 0;
    struct cm_unobserved *unobserved =
        cm_unobserved_collect(run->trace, &run->settings->accept, interrupted, &count);
    struct cm_report report = {
        .target = session->target != NULL ? session->target->name : NULL,
        .check = run->settings->check,
        .verdict = overall_verdict(run, !cm_unobserved_matters(unobserved, count)),
        .trace = run->trace,
        .sites = sites,
        .trace_path = run->trace_is_kept ? run->trace_path : NULL,
        .explorations = run->explorations,
        .exploration_count = run->exploration_count,
        .unobserved = unobserved,
        .unobserved_count = count,
        .faults = run->faults.cases,
        .fault_count = run->faults.count,
        .timing = !run->settings->reproducible,
        .record_seconds = run->record_seconds,
        .explore_seconds = run->explore_seconds,
    };
    int status = report_all(run, &report, error) == 0 ? exits[report.verdict] : -1;
    cm_sites_free(sites);
    free(unobserved);
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
        words = (const char *const *)target->models;
        count = target->model_count;
    }
    return cm_models_choose(words, count, &run->session.models, error);
}

/* Where the trace goes: into the report, or to a temporary file. */
static int choose_trace_path(struct run *run, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    const char *parent = getenv("TMPDIR");
    if (settings->report != NULL) {
        run->trace_path = cm_format("%s/trace.cmt", settings->report);
        run->trace_is_kept = true;
        return make_folder(settings->report, error);
    }
    run->trace_path =
        cm_format("%s/crashmatrix-XXXXXX", parent != NULL && *parent != '\0' ? parent : "/tmp");
    int fd = mkstemp(run->trace_path);
    if (fd < 0)
        return cm_fail(error, "%s: %s", run->trace_path, strerror(errno));
    close(fd);
    return 0;
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
    run->trace_path = cm_format("%s/trace.cmt", run->settings->report);
    return make_folder(run->settings->report, error) == 0
               ? ff_trace_write(run->trace, run->trace_path, error)
               : -1;
}

/* Each returns an exit status, CM_EXIT_PASS when the trace is there. */

static enum cm_exit prepare_explore(struct run *run, struct ff_error *error)
{
    run->trace_path = cm_format("%s", run->settings->operands[0]);
    run->trace_is_kept = true;
    if (open_trace(run, error) != 0 || copy_trace(run, error) != 0)
        return CM_EXIT_USAGE;
    run->session.scratch = cm_scratch_open_for_root(run->trace->root, error);
    return run->session.scratch != NULL ? CM_EXIT_PASS : CM_EXIT_USAGE;
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

static enum cm_exit prepare(struct run *run, struct ff_error *error)
{
    const struct cm_settings *settings = run->settings;
    if (check_faults(&settings->faults, error) != 0)
        return CM_EXIT_USAGE;
    if (settings->keep && settings->report == NULL) {
        cm_fail(error, "--keep needs --report: where to keep the states");
        return CM_EXIT_USAGE;
    }
    if (cm_accept_check(&settings->accept, error) != 0 ||
        cm_session_open(&run->session, settings, error) != 0 || choose_models(run, error) != 0)
        return CM_EXIT_USAGE;
    if (run->session.check_text == NULL) {
        cm_fail(error, "--check is missing: the command that judges a state");
        return CM_EXIT_USAGE;
    }
    enum cm_exit status = settings->command == CM_COMMAND_EXPLORE ? prepare_explore(run, error)
                                                                  : prepare_run(run, error);
    if (status == CM_EXIT_PASS && cm_session_prepare_check(&run->session, settings, error) != 0)
        status = CM_EXIT_USAGE;
    return status;
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

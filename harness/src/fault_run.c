#include "fault_run.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue.h"
#include "fail.h"
#include "memory.h"
#include "record.h"
#include "unobserved.h"

static const char cache_model[] = "process-crash";

/* ---- Files ---- */

/* Where the case's trace is made, absolute; to be kept only with a report. */
static char *case_path(const struct cm_fault_run *run, size_t number)
{
    char folder[PATH_MAX];
    const char *parent = getenv("TMPDIR");
    if (run->settings->report != NULL && realpath(run->settings->report, folder) != NULL)
        return cm_format("%s/faults/%zu.cmt", folder, number + 1);
    return cm_format("%s/crashmatrix-%ld-fault.cmt",
                     parent != NULL && *parent != '\0' ? parent : "/tmp", (long)getpid());
}

static int make_folder(const struct cm_fault_run *run, struct ff_error *error)
{
    if (run->settings->report == NULL)
        return 0;
    char *path = cm_format("%s/faults", run->settings->report);
    int status = mkdir(path, 0777) == 0 || errno == EEXIST
                     ? 0
                     : cm_fail(error, "%s: cannot be made: %s", path, strerror(errno));
    free(path);
    return status;
}

/* How the workload ended, as the launcher's result says; malloc'ed. */
static char *read_ending(const char *path)
{
    char text[4096] = "";
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
    cJSON *result = cJSON_Parse(text);
    const char *how = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(result, "ended"));
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(result, "status");
    char *ending = NULL;
    if (how != NULL && cJSON_IsNumber(status))
        ending = strcmp(how, "exited") == 0   ? cm_format("exit status %d", status->valueint)
                 : strcmp(how, "killed") == 0 ? cm_format("signal %d", status->valueint)
                                              : cm_format("cut");
    cJSON_Delete(result);
    return ending;
}

/*
 * What the workload says about its faults is of interest only when the launcher gives
 * up: its own words come last. Standard error goes to a file meanwhile.
 */
static int errors_divert(const char *path)
{
    int before = dup(STDERR_FILENO);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fcntl(before, F_SETFD, FD_CLOEXEC);
    if (file >= 0) {
        dup2(file, STDERR_FILENO);
        close(file);
    }
    return before;
}

static void errors_restore(int before)
{
    dup2(before, STDERR_FILENO);
    close(before);
}

/* The last line of a file, without its newline, or what is given; malloc'ed. */
static char *read_last_line(const char *path, const char *otherwise)
{
    char *line = NULL, *last = cm_format("%s", otherwise);
    size_t room = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        free(last);
        last = cm_format("%s", line);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return last;
}

/* ---- One case ---- */

static void set_problem(struct cm_fault_case *one, enum cm_verdict verdict, const char *text)
{
    if (one->verdict == CM_FAIL || one->problem != NULL)
        return;
    one->verdict = verdict;
    one->problem = cm_format("%s", text);
}

static void note_violation(struct cm_fault_case *one, const struct cm_exploration *exploration)
{
    const struct cm_violation *violation = &exploration->violations[0];
    if (one->verdict != CM_FAIL) {
        free(one->problem);
        one->problem = cm_format("%s", violation->reason);
        one->model = cm_format("%s", exploration->model);
        one->id = cm_format("%s", violation->id);
        one->verdict = CM_FAIL;
    }
    for (size_t i = 0; i < exploration->violation_count; i++)
        one->states += exploration->violations[i].states;
}

/* What the trace says was not seen, or an exploration (or NULL) says of its check. */
static void judge_observation(const struct cm_fault_run *run, const struct ff_trace *trace,
                              struct cm_exploration *exploration, struct cm_fault_case *one)
{
    size_t count = 0;
    const struct cm_unobserved_sources sources = {
        .trace = trace,
        .explorations = &exploration,
        .exploration_count = exploration != NULL,
    };
    struct cm_unobserved *unobserved =
        cm_unobserved_collect(&sources, &run->settings->accept, &count);
    if (cm_unobserved_matters(unobserved, count))
        set_problem(one, CM_INCOMPLETE, "not everything was seen");
    free(unobserved);
}

static int explore(const struct cm_fault_run *run, const struct ff_trace *trace,
                   const struct cm_model *model, struct cm_fault_case *one, struct ff_error *error)
{
    struct cm_options options = {.jobs = run->settings->jobs,
                                 .timeout_ms = run->settings->timeout_ms,
                                 .eager = run->settings->eager,
                                 .granule = run->settings->granule,
                                 .budget_runs = run->settings->budget.runs,
                                 .budget_ms = run->settings->budget.milliseconds,
                                 .seed = run->settings->seed,
                                 .stop = run->stop};
    if (!cm_scratch_is_private(run->session->scratch))
        options.jobs = 1;
    struct cm_exploration *exploration =
        cm_explore(trace, model, run->session->check, &options, error);
    if (exploration == NULL)
        return -1;
    enum cm_verdict verdict = cm_exploration_verdict(exploration);
    if (verdict == CM_FAIL)
        note_violation(one, exploration);
    else if (verdict == CM_INCOMPLETE)
        set_problem(one, CM_INCOMPLETE, "not every state was checked");
    judge_observation(run, trace, exploration, one);
    cm_exploration_free(exploration);
    return 0;
}

/* Under the chosen models, and what the cache shows. */
static int explore_all(const struct cm_fault_run *run, const struct ff_trace *trace,
                       const struct cm_model *cache, struct cm_fault_case *one,
                       struct ff_error *error)
{
    const struct cm_models *models = &run->session->models;
    bool has_cache = false;
    for (size_t i = 0; i < models->count; i++) {
        has_cache = has_cache || strcmp(cm_model_name(models->models[i]), cache_model) == 0;
        if (explore(run, trace, models->models[i], one, error) != 0)
            return -1;
    }
    return has_cache ? 0 : explore(run, trace, cache, one, error);
}

static int judge(const struct cm_fault_run *run, const char *path, const struct cm_model *cache,
                 struct cm_fault_case *one, struct ff_error *error)
{
    struct ff_trace *trace = ff_trace_open(path, error);
    if (trace == NULL)
        return -1;
    one->verdict = CM_PASS;
    judge_observation(run, trace, NULL, one);
    int status = explore_all(run, trace, cache, one, error);
    ff_trace_free(trace);
    return status;
}

/* 0 when there is a trace; else the case knows why not. */
static int record_case(const struct cm_fault_run *run, const char *path, struct cm_fault_case *one)
{
    const struct cm_session *session = run->session;
    struct ff_error problem = {""};
    char *result = cm_format("%s.result", path), *errors = cm_format("%s.errors", path);
    const char *const options[] = {"--fault", one->spec, "--result", result, NULL};
    int before = errors_divert(errors);
    int status = cm_record(session->setup, session->workload, session->scratch, path, options,
                           run->stop, &problem);
    errors_restore(before);
    if (status != 0) {
        char *line = read_last_line(errors, problem.text);
        set_problem(one, CM_INCOMPLETE, line);
        free(line);
    }
    one->ended = read_ending(result);
    unlink(result);
    unlink(errors);
    free(result);
    free(errors);
    return status;
}

static int run_case(const struct cm_fault_run *run, size_t number, const struct cm_model *cache,
                    struct cm_fault_case *one, struct ff_error *error)
{
    char *path = case_path(run, number);
    int status = 0;
    if (record_case(run, path, one) == 0)
        status = judge(run, path, cache, one, error);
    if (one->verdict == CM_FAIL && run->settings->report != NULL)
        one->trace_path = cm_format("%s", path);
    else
        unlink(path);
    free(path);
    return status;
}

/* ---- All of them ---- */

static void show_progress(const struct cm_fault_run *run, const struct cm_fault_cases *list,
                          size_t done, size_t failed)
{
    if (run->shows_progress)
        fprintf(stderr, "\r\033[Kfaults: case %zu of %zu, %zu rejected: %s", done + 1, list->count,
                failed, list->cases[done].spec);
}

int cm_fault_cases_run(const struct cm_fault_run *run, struct cm_fault_cases *list,
                       struct ff_error *error)
{
    static const char *const words[] = {cache_model};
    struct cm_models cache = {0};
    size_t failed = 0;
    if (make_folder(run, error) != 0 || cm_models_choose(words, 1, &cache, error) != 0)
        return -1;
    int status = 0;
    for (size_t i = 0; status == 0 && i < list->count && *run->stop == 0; i++) {
        show_progress(run, list, i, failed);
        status = run_case(run, i, cache.models[0], &list->cases[i], error);
        failed += list->cases[i].verdict == CM_FAIL;
    }
    if (run->shows_progress)
        fputs("\r\033[K", stderr);
    cm_models_free(&cache);
    return status;
}

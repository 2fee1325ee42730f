#include "reporting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "folder.h"
#include "memory.h"
#include "report.h"
#include "unobserved.h"

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

static int keep_state(const struct cm_reporting *run, const char *folder,
                      const struct cm_model *model, const char *id, struct ff_error *error)
{
    struct ff_tree *tree = NULL;
    char *output = NULL;
    size_t size = 0;
    if (cm_rebuild_nested(run->trace, model, id, run->session_check, &tree, &output, &size,
                          error) != 0)
        return -1;
    char *path = cm_format("%s/%s", folder, id);
    for (char *c = path + strlen(folder) + 1; *c != '\0'; c++)
        if (*c == '/') /* of cuts during recovery */
            *c = '_';
    int status = cm_folder_make(path, error) == 0 && ff_directory_clear(path, error) == 0 &&
                         ff_tree_store(tree, path, error) == 0
                     ? 0
                     : -1;
    free(path);
    free(output);
    ff_tree_free(tree);
    return status;
}

/* The representative of each violation, below the folder "states". */
static int keep_states(const struct cm_reporting *run, struct ff_error *error)
{
    char *folder = cm_format("%s/states", run->settings->report);
    int status = cm_folder_make(folder, error);
    for (size_t i = 0; i < run->exploration_count; i++)
        for (size_t j = 0; status == 0 && j < run->explorations[i]->violation_count; j++)
            status = keep_state(run, folder, run->models->models[i],
                                run->explorations[i]->violations[j].id, error);
    free(folder);
    return status;
}

static int write_all(const struct cm_reporting *run, const struct cm_report *report,
                     struct ff_error *error)
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

/* The worst first. */
static int badness(enum cm_verdict verdict)
{
    static const int order[] = {
        [CM_PASS] = 0, [CM_SHARD_PASS] = 1, [CM_BOUNDED] = 2, [CM_INCOMPLETE] = 3, [CM_FAIL] = 4};
    return order[verdict];
}

/* accepted: whatever was not covered or not seen was accepted. */
static enum cm_verdict overall_verdict(const struct cm_reporting *run, bool accepted)
{
    enum cm_verdict worst = accepted ? CM_PASS : CM_INCOMPLETE;
    for (size_t i = 0; i < run->exploration_count; i++) {
        enum cm_verdict one = cm_exploration_verdict(run->explorations[i]);
        if (one == CM_INCOMPLETE && accepted)
            one = CM_BOUNDED;
        worst = badness(one) > badness(worst) ? one : worst;
    }
    for (size_t i = 0; run->faults != NULL && i < run->faults->count; i++) {
        enum cm_verdict one = run->faults->cases[i].verdict;
        worst = badness(one) > badness(worst) ? one : worst;
    }
    return worst;
}

int cm_report_all(const struct cm_reporting *run, struct ff_error *error)
{
    static const int exits[] = {[CM_PASS] = CM_EXIT_PASS,
                                [CM_SHARD_PASS] = CM_EXIT_PASS,
                                [CM_BOUNDED] = CM_EXIT_PASS,
                                [CM_FAIL] = CM_EXIT_VIOLATION,
                                [CM_INCOMPLETE] = CM_EXIT_INCOMPLETE};
    struct cm_sites *sites = cm_sites_find(run->trace);
    const struct cm_unobserved_sources sources = {
        .trace = run->trace,
        .explorations = run->explorations,
        .exploration_count = run->exploration_count,
        .interrupted = run->interrupted,
        .missing = run->missing,
        .missing_count = run->missing_count,
    };
    size_t count = 0;
    struct cm_unobserved *unobserved =
        cm_unobserved_collect(&sources, &run->settings->accept, &count);
    struct cm_report report = {
        .target = run->target,
        .recover = run->recover,
        .check = run->check,
        .verdict = overall_verdict(run, !cm_unobserved_matters(unobserved, count)),
        .seed = run->seed,
        .shard = run->shard,
        .trace = run->trace,
        .sites = sites,
        .trace_path = run->trace_path,
        .explorations = run->explorations,
        .exploration_count = run->exploration_count,
        .unobserved = unobserved,
        .unobserved_count = count,
        .faults = run->faults != NULL ? run->faults->cases : NULL,
        .fault_count = run->faults != NULL ? run->faults->count : 0,
        .timing = !run->settings->reproducible,
        .record_seconds = run->record_seconds,
        .explore_seconds = run->explore_seconds,
        .runs = cm_memo_counts(run->session_check != NULL ? run->session_check->memo : NULL),
    };
    int status = write_all(run, &report, error) == 0 ? exits[report.verdict] : -1;
    cm_sites_free(sites);
    free(unobserved);
    return status;
}

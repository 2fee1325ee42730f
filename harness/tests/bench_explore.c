/*
 * bench_explore CHECK HOW [JOBS [TRACE]]: runs of an in-process check per second, on
 * standard output.
 *
 *     CHECK   trivial    looks two names up and reads 8 bytes of each file, on states
 *                        of two files that were overwritten 255 times each
 *             manifest   the built-in check, on the states of TRACE
 *     HOW     observed   a whole exploration, branching on what the check looks at
 *             eager      the same, branching on everything
 *             worker     only what a run costs in a worker: the state, the check, and
 *                        the branches; per second of processor time
 *
 * TRACE is explored under posix-torn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "builtin.h"
#include "memory.h"
#include "sample.h"
#include "worker.h"

enum { OVERWRITES = 255 };

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "bench_explore: %s\n", what);
    exit(1);
}

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- The trivial reader ---- */

static struct ff_trace *two_files(void)
{
    struct sample *s = sample_new();
    uint32_t files[] = {sample_had(s, "a", S_IFREG | 0644, "before a"),
                        sample_had(s, "b", S_IFREG | 0644, "before b")};
    for (int i = 0; i < 2 * OVERWRITES; i++) {
        struct ff_call *call = sample_call(s, "pwrite64", FF_EFFECT_WRITE);
        char text[16];
        snprintf(text, sizeof(text), "after %02x", (unsigned)i / 2);
        call->node = files[i % 2];
        call->data = sample_text(s, text);
    }
    return &s->trace;
}

static char last_byte(const struct cm_state *state, const char *name)
{
    char data[8];
    cm_state_read(state, cm_state_lookup(state, FF_ROOT_NODE, name), data, sizeof(data), 0);
    return data[7];
}

static void trivial_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    (void)context;
    outcome->status = CM_ACCEPTED;
    outcome->text[0] = last_byte(state, "a");
    outcome->text[1] = last_byte(state, "b");
    outcome->text[2] = '\0';
}

/* ---- A whole exploration ---- */

static uint64_t explore(const struct ff_trace *trace, const struct cm_model *model,
                        const struct cm_check *check, bool eager, unsigned jobs)
{
    struct ff_error error;
    struct cm_options options = {.jobs = jobs, .eager = eager};
    struct cm_exploration *result = cm_explore(trace, model, check, &options, &error);
    if (result == NULL)
        fail(error.text);
    uint64_t runs = result->runs;
    if (!result->exhaustive || result->violation_count != 0)
        fail("not the expected exploration");
    cm_exploration_free(result);
    return runs;
}

/* ---- What a worker does ---- */

static uint64_t work(const struct cm_poset *poset, const struct cm_check *check)
{
    struct cm_worker *worker =
        cm_worker_new(poset, check, "", true, (struct cm_shard){0, 1}, NULL, NULL);
    const struct cm_unit_worker *unit = cm_worker_unit(worker);
    cm_word *nothing = cm_allocate(2 * poset->words, sizeof(*nothing));
    struct cm_job *job = cm_job_new(poset, (struct cm_cylinder){nothing, nothing}, CM_ANY_OUTPUT);
    struct cm_leaf *leaf = cm_allocate(1, cm_leaf_size(poset));
    struct cm_records jobs = {.size = cm_job_size(poset)};
    uint64_t runs = 0;
    cm_records_add(&jobs, job);
    for (; jobs.count > 0; runs++) {
        struct cm_outcome outcome;
        memcpy(job, cm_record(&jobs, --jobs.count), jobs.size);
        const struct cm_observations *seen = unit->run(unit->context, job, &outcome);
        const struct cm_records *children = cm_split(unit->splitter, job, seen, leaf);
        for (size_t i = 0; i < children->count; i++)
            cm_records_add(&jobs, cm_record(children, i));
    }
    cm_records_free(&jobs);
    free(leaf);
    free(job);
    free(nothing);
    cm_worker_free(worker);
    return runs;
}

/* Each job does all of it, for a second of its processor: none waits for another one. */
static double workers(const struct ff_trace *trace, const struct cm_model *model,
                      const struct cm_check *check, unsigned jobs)
{
    int rates[2];
    double sum = 0;
    struct ff_error error;
    struct cm_poset *poset = cm_poset_build(trace, model, 0, &error);
    if (poset == NULL)
        fail(error.text);
    if (pipe(rates) != 0)
        fail("cannot make a pipe");
    for (unsigned i = 0; i < jobs; i++) {
        if (fork() != 0)
            continue;
        double start = now(CLOCK_PROCESS_CPUTIME_ID), seconds = 0;
        uint64_t runs = 0;
        for (; seconds < 1; seconds = now(CLOCK_PROCESS_CPUTIME_ID) - start)
            runs += work(poset, check);
        double rate = (double)runs / seconds;
        _exit(write(rates[1], &rate, sizeof(rate)) != sizeof(rate));
    }
    for (unsigned i = 0; i < jobs; i++) {
        double rate = 0;
        if (read(rates[0], &rate, sizeof(rate)) != sizeof(rate))
            fail("a worker died");
        sum += rate;
    }
    while (wait(NULL) > 0)
        continue;
    cm_poset_free(poset);
    return sum;
}

/* ---- The whole ---- */

int main(int count, char **arguments)
{
    if (count < 3)
        fail("usage: bench_explore trivial|manifest observed|eager|worker [JOBS [TRACE]]");
    bool trivial = strcmp(arguments[1], "trivial") == 0;
    const char *how = arguments[2];
    unsigned jobs = count > 3 ? (unsigned)strtoul(arguments[3], NULL, 10) : 1;
    struct ff_error error;
    struct ff_trace *trace = trivial ? two_files() : NULL;
    if (!trivial)
        trace = count > 4 ? ff_trace_open(arguments[4], &error) : NULL;
    if (trace == NULL)
        fail("no trace");
    struct cm_model *model = sample_model("posix-torn");
    struct cm_check check = {.run = trivial_run, .observes = true};
    if (!trivial)
        check.run = cm_builtin_find("manifest")->run;
    if (strcmp(how, "worker") == 0) {
        printf("%.0f\n", workers(trace, model, &check, jobs));
    } else {
        double start = now(CLOCK_MONOTONIC);
        uint64_t runs = explore(trace, model, &check, strcmp(how, "eager") == 0, jobs);
        printf("%.0f\n", (double)runs / (now(CLOCK_MONOTONIC) - start));
    }
    cm_model_free(model);
    return 0;
}

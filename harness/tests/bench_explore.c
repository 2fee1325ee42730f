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
#include "cylinder.h"
#include "memory.h"
#include "observer.h"
#include "sample.h"
#include "state.h"

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

/* Cylinders that are not decided yet, each as two sets. */
struct stack {
    cm_word *sets;
    size_t count, capacity;
};

static void stack_push(struct stack *stack, const cm_word *sets, size_t words)
{
    stack->sets =
        cm_reserve(stack->sets, stack->count, &stack->capacity, 2 * words * sizeof(cm_word));
    cm_copy(stack->sets + 2 * words * stack->count++, sets, 2 * words);
}

/* Whether all ideals of the cylinder have the same there. */
static bool is_decided(const struct cm_poset *poset, uint32_t location, const cm_word *sets)
{
    const struct cm_location *at = &poset->locations[location];
    for (size_t i = at->value_count; i-- > 0;) {
        uint32_t operation = poset->values[at->values[i]].operation;
        if (!cm_has(sets + poset->words, operation))
            return cm_has(sets, operation);
    }
    return true;
}

/* Leaves at sets the branch that the run took, and pushes the others; scratch: 5 sets. */
static void split(const struct cm_poset *poset, struct stack *stack, uint32_t location,
                  cm_word *sets, cm_word *scratch)
{
    size_t words = poset->words;
    cm_word *pending = scratch + 2 * words, *branch = pending + words;
    if (is_decided(poset, location, sets))
        return;
    cm_copy(scratch, sets, 2 * words);
    struct cm_cylinder cylinder = {scratch, scratch + words};
    struct cm_branches branches = cm_branches_begin(poset, location, cylinder, pending);
    cm_branches_next(poset, &branches, cylinder, pending, sets, sets + words);
    while (cm_branches_next(poset, &branches, cylinder, pending, branch, branch + words))
        stack_push(stack, branch, words);
}

static uint64_t work(const struct cm_poset *poset, const struct cm_check *check)
{
    size_t words = poset->words;
    struct cm_stepper *stepper = cm_stepper_new(poset);
    struct cm_observer *observer = cm_observer_new(poset);
    struct cm_observations *seen = cm_allocate(cm_observations_size(poset), 1);
    cm_word *sets = cm_allocate(9 * words, sizeof(*sets)), *ideal = sets + 2 * words;
    cm_word *everything = ideal + words, *scratch = everything + words;
    struct stack stack = {0};
    uint64_t runs = 0;
    size_t output_size;
    char *output = cm_poset_output(poset, 0, &output_size);
    for (size_t o = 0; o < poset->operation_count; o++)
        cm_add(everything, o);
    stack_push(&stack, sets, words);
    for (; stack.count > 0; runs++) {
        cm_copy(sets, stack.sets + 2 * words * --stack.count, 2 * words);
        cm_copy(ideal, everything, words);
        cm_subtract(ideal, sets + words, words);
        struct cm_state state = {.output = output, .model = "", .observer = observer};
        struct cm_outcome outcome;
        state.tree = cm_stepper_step(stepper, ideal);
        cm_observer_begin(observer, seen);
        check->run(check->context, &state, &outcome);
        for (uint32_t i = 0; i < seen->count; i++)
            if (seen->locations[i] != poset->location_count)
                split(poset, &stack, seen->locations[i], sets, scratch);
    }
    free(output);
    free(stack.sets);
    free(sets);
    free(seen);
    cm_observer_free(observer);
    cm_stepper_free(stepper);
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

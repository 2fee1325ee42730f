/*
 * Exploration: branch, build each state once, run the check on it in a worker,
 * tally. The caller's process branches and hashes while the workers check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "fail.h"
#include "identity.h"
#include "memory.h"
#include "pool.h"
#include "state.h"
#include "tally.h"

struct exploration {
    const struct cm_poset *poset;
    const struct cm_check *check;
    const struct cm_options *options;
    struct ff_error *error;

    struct cm_explorer *explorer;
    struct cm_counter *counter;
    struct cm_tally *tally;
    struct ff_tree *tree; /* the state at hand */
    bool exhausted;       /* no cylinder is left */
    bool countable;
    mpz_t covered;
    char *legal; /* states there are, decimal; NULL when too hard to count */

    struct cm_pool *pool;
    unsigned char *payload;
    size_t submitted;
    uint64_t runs;
    uint64_t violations;
    size_t *timeouts; /* cases to be run again, alone */
    size_t timeout_count;
    size_t timeout_capacity;
    struct timespec last_progress;

    /* In a worker: */
    char *output;
    size_t *output_sizes; /* [k]: bytes of the first k outputs */
    char model[128];
};

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* ---- In a worker ---- */

static size_t payload_size(const struct cm_poset *poset)
{
    return poset->words * sizeof(cm_word) + sizeof(uint32_t);
}

static int prepare_worker(void *context, struct ff_error *error)
{
    const struct exploration *exploration = context;
    const struct cm_check *check = exploration->check;
    return check->prepare != NULL ? check->prepare(check->context, error) : 0;
}

/* payload: the ideal, then the number of outputs. */
static void run_case(void *context, const void *payload, struct cm_outcome *outcome)
{
    struct exploration *exploration = context;
    const struct cm_poset *poset = exploration->poset;
    uint32_t outputs = 0;
    memcpy(&outputs, (const unsigned char *)payload + poset->words * sizeof(cm_word),
           sizeof(outputs));
    cm_state_rebuild(poset, payload, exploration->tree);
    size_t size = exploration->output_sizes[outputs];
    char *output = cm_duplicate(exploration->output, size);
    struct cm_state state = {
        .tree = exploration->tree,
        .output = output,
        .output_size = size,
        .model = exploration->model,
    };
    exploration->check->run(exploration->check->context, &state, outcome);
    free(output);
}

/* ---- Branching ---- */

static bool is_stopped(const struct exploration *exploration)
{
    const volatile int *stop = exploration->options->stop;
    return stop != NULL && *stop != 0;
}

/* Follows one branch to its end and notes where it led. */
static void visit_cylinder(struct exploration *exploration)
{
    const struct cm_poset *poset = exploration->poset;
    cm_explorer_restart(exploration->explorer);
    cm_read_everything(poset, exploration->explorer);
    struct cm_cylinder cylinder = cm_explorer_cylinder(exploration->explorer);
    /* All ideals of the cylinder have the files of its smallest. */
    cm_state_rebuild(poset, cylinder.included, exploration->tree);
    cm_tally_add(exploration->tally, cylinder, ff_tree_hash(exploration->tree));
    if (exploration->countable)
        exploration->countable =
            cm_counter_add(exploration->counter, cylinder, exploration->covered);
    exploration->exhausted = !cm_explorer_advance(exploration->explorer);
}

/* ---- Running ---- */

static void submit_case(struct exploration *exploration, size_t index)
{
    const struct cm_case *chosen = cm_tally_case(exploration->tally, index);
    size_t bytes = exploration->poset->words * sizeof(cm_word);
    memcpy(exploration->payload, chosen->ideal, bytes);
    memcpy(exploration->payload + bytes, &chosen->output, sizeof(chosen->output));
    cm_pool_submit(exploration->pool, index, exploration->payload);
}

static int broken(struct exploration *exploration, const struct cm_outcome *outcome)
{
    return cm_fail(exploration->error, "the check could not be run: %s", outcome->text);
}

static void show_progress(struct exploration *exploration)
{
    const struct cm_options *options = exploration->options;
    if (options->progress == NULL || seconds_since(&exploration->last_progress) < 0.1)
        return;
    clock_gettime(CLOCK_MONOTONIC, &exploration->last_progress);
    char *covered = exploration->countable ? mpz_get_str(NULL, 10, exploration->covered) : NULL;
    struct cm_progress progress = {
        .runs = exploration->runs,
        .violations = exploration->violations,
        .covered = covered,
        .legal = exploration->legal,
    };
    options->progress(options->progress_context, &progress);
    free(covered);
}

/* Takes one outcome; -1 when the exploration must fail. */
static int collect(struct exploration *exploration, bool alone)
{
    uint64_t index = 0;
    struct cm_outcome outcome;
    exploration->error->text[0] = '\0';
    if (cm_pool_next(exploration->pool, &index, &outcome, exploration->error) != 0)
        return exploration->error->text[0] == '\0' ? 0 : -1;
    if (outcome.status == CM_BROKEN)
        return broken(exploration, &outcome);
    exploration->runs += !alone; /* a repetition is not counted */
    if (outcome.status == CM_TIMEOUT && !alone) {
        /* The machine may just have been busy: believed only when alone. */
        exploration->timeouts =
            cm_reserve(exploration->timeouts, exploration->timeout_count,
                       &exploration->timeout_capacity, sizeof(*exploration->timeouts));
        exploration->timeouts[exploration->timeout_count++] = (size_t)index;
        return 0;
    }
    exploration->violations += outcome.status != CM_ACCEPTED;
    cm_tally_decide(exploration->tally, (size_t)index, &outcome);
    return 0;
}

/* When stopped, what is still running is given up. */
static int run_all(struct exploration *exploration)
{
    for (uint64_t step = 0; !is_stopped(exploration); step++) {
        bool waiting = exploration->submitted < cm_tally_count(exploration->tally);
        if (step % 16 == 0)
            show_progress(exploration);
        if (waiting && cm_pool_has_room(exploration->pool))
            submit_case(exploration, exploration->submitted++);
        else if (!waiting && !exploration->exhausted)
            visit_cylinder(exploration);
        else if (cm_pool_busy(exploration->pool) == 0)
            return 0;
        else if (collect(exploration, false) != 0)
            return -1;
    }
    return 0;
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static int run_timeouts_alone(struct exploration *exploration)
{
    if (exploration->timeout_count > 0) /* qsort(NULL, 0, ...) is undefined */
        qsort(exploration->timeouts, exploration->timeout_count, sizeof(size_t), compare_sizes);
    for (size_t i = 0; i < exploration->timeout_count && !is_stopped(exploration); i++) {
        submit_case(exploration, exploration->timeouts[i]);
        while (cm_pool_busy(exploration->pool) > 0 && !is_stopped(exploration))
            if (collect(exploration, true) != 0)
                return -1;
    }
    return 0;
}

/* ---- Results ---- */

/* The certificate: as many states were covered as there are. */
static int certify(const struct exploration *exploration, const struct cm_exploration *result)
{
    if (!result->exhaustive || result->legal == NULL || result->covered == NULL ||
        strcmp(result->legal, result->covered) == 0)
        return 0;
    return cm_fail(exploration->error,
                   "the certificate failed: %s states are legal, but %s were covered; this is a "
                   "defect of crashmatrix",
                   result->legal, result->covered);
}

static void export_operations(struct cm_exploration *result, const struct cm_poset *poset)
{
    result->operation_count = poset->operation_count;
    result->operations = cm_allocate(poset->operation_count, sizeof(*result->operations));
    for (size_t i = 0; i < poset->operation_count; i++)
        result->operations[i] = poset->operations[i].shown;
    result->boundary_calls = poset->boundary_calls;
}

/* What the strings of a result point into. */
struct owned {
    struct cm_poset *poset;
    char model[128];
};

/* The result takes the poset. */
static struct cm_exploration *make_result(struct exploration *exploration, struct cm_poset *poset)
{
    struct cm_exploration *result = cm_allocate(1, sizeof(*result));
    struct owned *owned = cm_allocate(1, sizeof(*owned));
    owned->poset = poset;
    memcpy(owned->model, exploration->model, sizeof(owned->model));
    result->owned = owned;
    result->model = owned->model;
    result->model_digest = cm_model_digest(poset->model);
    result->unit = poset->model->unit;
    result->granule = poset->granule;
    result->runs = exploration->runs;
    result->stopped = is_stopped(exploration);
    result->exhaustive = exploration->exhausted && !result->stopped;
    if (exploration->legal != NULL)
        result->legal = cm_format("%s", exploration->legal);
    if (exploration->countable && !result->stopped)
        result->covered = mpz_get_str(NULL, 10, exploration->covered);
    export_operations(result, poset);
    cm_tally_report(exploration->tally, result);
    return result;
}

void cm_exploration_free(struct cm_exploration *exploration)
{
    if (exploration == NULL)
        return;
    struct owned *owned = exploration->owned;
    for (size_t i = 0; i < exploration->violation_count; i++) {
        free(exploration->violations[i].id);
        free(exploration->violations[i].reason);
        free(exploration->violations[i].lost);
        free(exploration->violations[i].kept);
    }
    for (size_t i = 0; i < exploration->cell_count; i++)
        free(exploration->cells[i].labels);
    free(exploration->legal);
    free(exploration->covered);
    free(exploration->operations);
    free(exploration->cells);
    free(exploration->violations);
    cm_poset_free(owned->poset);
    free(owned);
    free(exploration);
}

/* ---- The whole ---- */

static void load_output(struct exploration *exploration)
{
    const struct cm_poset *poset = exploration->poset;
    uint32_t count = poset->outputs[poset->trace->call_count];
    size_t size = 0;
    exploration->output = cm_poset_output(poset, count, &size);
    exploration->output_sizes = cm_allocate(count + 1, sizeof(size_t));
    size_t *sizes = exploration->output_sizes;
    for (size_t b = 1; b <= poset->trace->call_count; b++) {
        if (poset->outputs[b] == poset->outputs[b - 1])
            continue;
        const struct ff_call *call = &poset->trace->calls[poset->boundary_calls[b]];
        sizes[poset->outputs[b]] = sizes[poset->outputs[b - 1]] + call->data.size;
    }
}

static void count_legal(struct exploration *exploration)
{
    cm_word *nothing = cm_allocate(exploration->poset->words, sizeof(cm_word));
    struct cm_cylinder all = {nothing, nothing};
    mpz_t legal;
    mpz_init(legal);
    if (cm_counter_add(exploration->counter, all, legal))
        exploration->legal = mpz_get_str(NULL, 10, legal);
    else
        exploration->countable = false;
    mpz_clear(legal);
    free(nothing);
}

static unsigned choose_jobs(const struct cm_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->jobs > 0)
        return options->jobs;
    return processors > 0 ? (unsigned)processors : 1;
}

static void release(struct exploration *exploration)
{
    cm_explorer_free(exploration->explorer);
    cm_counter_free(exploration->counter);
    cm_tally_free(exploration->tally);
    ff_tree_free(exploration->tree);
    mpz_clear(exploration->covered);
    free(exploration->legal);
    free(exploration->payload);
    free(exploration->timeouts);
    free(exploration->output);
    free(exploration->output_sizes);
}

struct cm_exploration *cm_explore(const struct ff_trace *trace, const struct cm_model *model,
                                  const struct cm_check *check, const struct cm_options *options,
                                  struct ff_error *error)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct cm_poset *poset = cm_poset_build(trace, model, options->granule, error);
    if (poset == NULL)
        return NULL;
    struct exploration exploration = {
        .poset = poset,
        .check = check,
        .options = options,
        .error = error,
        .explorer = cm_explorer_new(poset),
        .counter = cm_counter_new(poset),
        .tally = cm_tally_new(poset),
        .tree = ff_tree_new(),
        .countable = true,
        .payload = cm_allocate(payload_size(poset), 1),
    };
    mpz_init(exploration.covered);
    cm_poset_model_name(poset, exploration.model, sizeof(exploration.model));
    load_output(&exploration);
    count_legal(&exploration);
    struct cm_pool_task task = {
        .context = &exploration,
        .payload_size = payload_size(poset),
        .timeout_ms = options->timeout_ms,
        .grace_ms = check->grace_ms,
        .prepare = prepare_worker,
        .run = run_case,
    };
    struct cm_exploration *result = NULL;
    exploration.pool = cm_pool_start(&task, choose_jobs(options), error);
    if (exploration.pool != NULL) {
        bool done = run_all(&exploration) == 0 && run_timeouts_alone(&exploration) == 0;
        cm_pool_stop(exploration.pool);
        if (done) {
            result = make_result(&exploration, poset);
            poset = NULL;
        }
        if (done && certify(&exploration, result) != 0) {
            cm_exploration_free(result);
            result = NULL;
        }
    }
    release(&exploration);
    cm_poset_free(poset);
    if (result != NULL)
        result->seconds = seconds_since(&start);
    return result;
}

int cm_rebuild(const struct ff_trace *trace, const struct cm_model *model, const char *id,
               struct ff_tree **tree, char **output, size_t *output_size, struct ff_error *error)
{
    char name[128];
    uint32_t granule = 0;
    if (!cm_identity_model(id, name, sizeof(name), &granule))
        return cm_fail(error, "%.150s is not a replay id (MODEL.TRACE.BOUNDARY:LOST)", id);
    struct cm_poset *poset = cm_poset_build(trace, model, granule, error);
    if (poset == NULL)
        return -1;
    cm_word *ideal = cm_allocate(poset->words, sizeof(cm_word));
    uint32_t boundary = 0;
    int status = cm_identity_parse(poset, id, ideal, &boundary, error);
    if (status == 0) {
        *tree = cm_state_build(poset, ideal);
        *output = cm_poset_output(poset, poset->outputs[boundary], output_size);
    }
    free(ideal);
    cm_poset_free(poset);
    return status;
}

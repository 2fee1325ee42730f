/*
 * Exploration: branch, build states, run the check on them in workers, tally. The
 * caller's process branches while the workers check. What is branched on is what a
 * check looked at, if it says that (observed.h), or else everything: then each state
 * with other files is checked once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "fail.h"
#include "identity.h"
#include "memory.h"
#include "observed.h"
#include "pool.h"
#include "state.h"
#include "tally.h"

struct exploration {
    const struct cm_poset *poset;
    const struct cm_check *check;
    const struct cm_options *options;
    struct ff_error *error;

    struct cm_observed *observed; /* NULL: eager */
    struct cm_explorer *explorer;
    struct cm_counter *counter;
    struct cm_tally *tally;
    struct cm_stepper *stepper; /* to the state at hand */
    bool exhausted;             /* no cylinder is left */
    bool countable;
    mpz_t covered;
    char *legal; /* states there are, decimal; NULL when too hard to count */

    struct cm_pool *pool;
    unsigned char *payload;
    size_t submitted;
    uint64_t runs;
    uint64_t violations;
    uint64_t *timeouts; /* tickets to be run again, alone */
    size_t timeout_count;
    size_t timeout_capacity;
    struct timespec last_progress;

    /* In a worker: */
    struct cm_observer *observer; /* NULL: eager */
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
static void run_case(void *context, const void *payload, struct cm_outcome *outcome, void *result)
{
    struct exploration *exploration = context;
    const struct cm_poset *poset = exploration->poset;
    uint32_t outputs = 0;
    memcpy(&outputs, (const unsigned char *)payload + poset->words * sizeof(cm_word),
           sizeof(outputs));
    size_t size = exploration->output_sizes[outputs];
    char *output = cm_duplicate(exploration->output, size);
    struct cm_state state = {
        .tree = cm_stepper_step(exploration->stepper, payload),
        .output = output,
        .output_size = size,
        .model = exploration->model,
        .observer = exploration->observer,
    };
    if (exploration->observer != NULL)
        cm_observer_begin(exploration->observer, result);
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
    struct ff_tree *tree = cm_stepper_step(exploration->stepper, cylinder.included);
    cm_tally_add(exploration->tally, cylinder, ff_tree_hash(tree), 0, UINT32_MAX);
    if (exploration->countable)
        exploration->countable =
            cm_counter_add(exploration->counter, cylinder, exploration->covered);
    exploration->exhausted = !cm_explorer_advance(exploration->explorer);
}

/* ---- Running ---- */

static void submit(struct exploration *exploration, uint64_t ticket, uint32_t outputs)
{
    size_t bytes = exploration->poset->words * sizeof(cm_word);
    memcpy(exploration->payload + bytes, &outputs, sizeof(outputs));
    cm_pool_submit(exploration->pool, ticket, exploration->payload);
}

static void submit_case(struct exploration *exploration, uint64_t ticket)
{
    uint32_t outputs = 0;
    if (exploration->observed != NULL) {
        cm_observed_case(exploration->observed, ticket, (cm_word *)(void *)exploration->payload,
                         &outputs);
    } else {
        const struct cm_case *chosen = cm_tally_case(exploration->tally, (size_t)ticket);
        memcpy(exploration->payload, chosen->ideal, exploration->poset->words * sizeof(cm_word));
        outputs = chosen->output;
    }
    submit(exploration, ticket, outputs);
}

static bool is_waiting(const struct exploration *exploration)
{
    if (exploration->observed != NULL)
        return cm_observed_waiting(exploration->observed) > 0;
    return exploration->submitted < cm_tally_count(exploration->tally);
}

static uint64_t next_ticket(struct exploration *exploration)
{
    return exploration->observed != NULL ? cm_observed_take(exploration->observed)
                                         : exploration->submitted++;
}

static void decide(struct exploration *exploration, uint64_t ticket,
                   const struct cm_outcome *outcome, const struct cm_observations *observations)
{
    if (exploration->observed == NULL) {
        cm_tally_decide(exploration->tally, (size_t)ticket, outcome);
        return;
    }
    /* Of a run that was ended from outside it is not known what it had looked at. */
    bool known = outcome->status == CM_ACCEPTED || outcome->status == CM_VIOLATED;
    cm_observed_decide(exploration->observed, ticket, outcome, known ? observations : NULL);
}

static int broken(struct exploration *exploration, const struct cm_outcome *outcome)
{
    return cm_fail(exploration->error, "the check could not be run: %s", outcome->text);
}

/* Decimal; NULL when it is too hard to count. */
static char *covered_text(const struct exploration *exploration)
{
    const mpz_t *covered = &exploration->covered;
    if (exploration->observed != NULL)
        covered = cm_observed_covered(exploration->observed);
    return exploration->countable && covered != NULL ? mpz_get_str(NULL, 10, *covered) : NULL;
}

static void show_progress(struct exploration *exploration)
{
    const struct cm_options *options = exploration->options;
    if (options->progress == NULL || seconds_since(&exploration->last_progress) < 0.1)
        return;
    clock_gettime(CLOCK_MONOTONIC, &exploration->last_progress);
    char *covered = covered_text(exploration);
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
    uint64_t ticket = 0;
    struct cm_outcome outcome;
    const void *result = NULL;
    exploration->error->text[0] = '\0';
    if (cm_pool_next(exploration->pool, &ticket, &outcome, &result, exploration->error) != 0)
        return exploration->error->text[0] == '\0' ? 0 : -1;
    if (outcome.status == CM_BROKEN)
        return broken(exploration, &outcome);
    exploration->runs += !alone; /* a repetition is not counted */
    if (outcome.status == CM_TIMEOUT && !alone) {
        /* The machine may just have been busy: believed only when alone. */
        exploration->timeouts =
            cm_reserve(exploration->timeouts, exploration->timeout_count,
                       &exploration->timeout_capacity, sizeof(*exploration->timeouts));
        exploration->timeouts[exploration->timeout_count++] = ticket;
        return 0;
    }
    exploration->violations += outcome.status != CM_ACCEPTED;
    decide(exploration, ticket, &outcome, result);
    return 0;
}

/* When stopped, what is still running is given up. */
static int run_all(struct exploration *exploration)
{
    for (uint64_t step = 0; !is_stopped(exploration); step++) {
        bool waiting = is_waiting(exploration);
        if (step % 16 == 0)
            show_progress(exploration);
        if (waiting && cm_pool_has_room(exploration->pool))
            submit_case(exploration, next_ticket(exploration));
        else if (!waiting && !exploration->exhausted)
            visit_cylinder(exploration);
        else if (cm_pool_busy(exploration->pool) == 0)
            return 0;
        else if (collect(exploration, false) != 0)
            return -1;
    }
    return 0;
}

static int compare_tickets(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static int run_timeouts_alone(struct exploration *exploration)
{
    if (exploration->timeout_count > 0) /* qsort(NULL, 0, ...) is undefined */
        qsort(exploration->timeouts, exploration->timeout_count, sizeof(uint64_t), compare_tickets);
    for (size_t i = 0; i < exploration->timeout_count && !is_stopped(exploration); i++) {
        submit_case(exploration, exploration->timeouts[i]);
        while (cm_pool_busy(exploration->pool) > 0 && !is_stopped(exploration))
            if (collect(exploration, true) != 0)
                return -1;
    }
    exploration->timeout_count = 0;
    return 0;
}

/* What was decided alone may have made new jobs. */
static int run_to_the_end(struct exploration *exploration)
{
    do
        if (run_all(exploration) != 0 || run_timeouts_alone(exploration) != 0)
            return -1;
    while (is_waiting(exploration) && !is_stopped(exploration));
    return 0;
}

/* ---- The audit ---- */

enum { AUDITED = 64 };

static int audit_differs(struct exploration *exploration, const struct cm_outcome *expected,
                         const struct cm_outcome *outcome, const cm_word *ideal)
{
    const struct cm_poset *poset = exploration->poset;
    uint32_t boundary = 0;
    CM_FOR_EACH(o, ideal, poset->operation_count)
    {
        if (poset->operations[o].shown.boundary > boundary)
            boundary = poset->operations[o].shown.boundary;
    }
    char *id = cm_identity_format(poset, ideal, boundary);
    cm_fail(
        exploration->error,
        "the audit failed: the check said \"%.100s\" of one state, and \"%.100s\" of another "
        "one (%.80s) that is the same in all that it looked at: it does not tell of everything, "
        "or is not a function of the state; --eager does without that",
        expected->text, outcome->text, id);
    free(id);
    return -1;
}

/*
 * Random members of random leaves must have the outcome of their leaf. An outcome that
 * only shows on a busy machine is none: time-outs are left out.
 */
static int audit(struct exploration *exploration)
{
    size_t leaves = cm_observed_leaf_count(exploration->observed);
    uint64_t audited = exploration->check->is_costly ? 1 + exploration->runs / 16 : AUDITED;
    uint64_t random = 1;
    cm_word *ideal = (cm_word *)(void *)exploration->payload;
    for (size_t i = 0; i < audited && i < AUDITED && leaves > 0 && !is_stopped(exploration); i++) {
        struct cm_outcome expected, outcome;
        uint32_t outputs = 0;
        uint64_t ticket;
        const void *result;
        int status;
        cm_observed_member(exploration->observed, &random, ideal, &outputs, &expected);
        submit(exploration, i, outputs);
        do {
            exploration->error->text[0] = '\0';
            status =
                cm_pool_next(exploration->pool, &ticket, &outcome, &result, exploration->error);
        } while (status != 0 && exploration->error->text[0] == '\0' && !is_stopped(exploration));
        if (status != 0)
            return exploration->error->text[0] == '\0' ? 0 : -1;
        if (outcome.status != CM_TIMEOUT && expected.status != CM_TIMEOUT &&
            (outcome.status != expected.status || strcmp(outcome.text, expected.text) != 0))
            return audit_differs(exploration, &expected, &outcome, ideal);
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
    result->observed = exploration->observed != NULL;
    result->exhaustive =
        (result->observed ? !is_waiting(exploration) : exploration->exhausted) && !result->stopped;
    if (exploration->legal != NULL)
        result->legal = cm_format("%s", exploration->legal);
    if (!result->stopped)
        result->covered = covered_text(exploration);
    export_operations(result, poset);
    if (result->observed)
        cm_observed_tally(exploration->observed, exploration->tally);
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
    cm_observed_free(exploration->observed);
    cm_observer_free(exploration->observer);
    cm_explorer_free(exploration->explorer);
    cm_counter_free(exploration->counter);
    cm_tally_free(exploration->tally);
    cm_stepper_free(exploration->stepper);
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
        .stepper = cm_stepper_new(poset),
        .countable = true,
        .payload = cm_allocate(payload_size(poset), 1),
    };
    mpz_init(exploration.covered);
    cm_poset_model_name(poset, exploration.model, sizeof(exploration.model));
    if (check->observes && !options->eager) {
        exploration.observed = cm_observed_new(poset, exploration.counter);
        exploration.observer = cm_observer_new(poset);
        exploration.exhausted = true; /* nothing is branched on beforehand */
    }
    load_output(&exploration);
    count_legal(&exploration);
    struct cm_pool_task task = {
        .context = &exploration,
        .payload_size = payload_size(poset),
        .result_size = exploration.observed != NULL ? cm_observations_size(poset) : 0,
        .timeout_ms = options->timeout_ms,
        .grace_ms = check->grace_ms,
        .prepare = prepare_worker,
        .run = run_case,
    };
    struct cm_exploration *result = NULL;
    exploration.pool = cm_pool_start(&task, choose_jobs(options), error);
    if (exploration.pool != NULL) {
        bool done = run_to_the_end(&exploration) == 0 &&
                    (exploration.observed == NULL || audit(&exploration) == 0);
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

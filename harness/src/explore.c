/*
 * Exploration under one model: the order is built, a campaign covers its states, an audit
 * tries its leaves again, and the result is put together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "campaign.h"
#include "fail.h"
#include "identity.h"
#include "outcome.h"
#include "state.h"

struct exploration {
    struct cm_poset *poset;
    const struct cm_check *check;
    struct cm_options options;
    bool eager;
    char model[128];
    char *legal; /* states there are, decimal; NULL when too hard to count */
    struct cm_counter *counter;
    struct cm_ledger ledger;
    struct cm_campaign *campaign;
    uint64_t audit_runs, audit_mismatches;
    char *audit_text;
};

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static bool is_stopped(const struct exploration *exploration)
{
    return exploration->options.stop != NULL && *exploration->options.stop != 0;
}

/* ---- The audit ---- */

/*
 * Random members of random leaves must have the outcome of their leaf. Which leaves follows
 * from the leaves and the seed alone, so that shards audit the same as one run of all: a
 * leaf is chosen with a chance of so many in the product of the numbers of branches on its
 * way. The inverses of these products add up to 1, so that about as many are chosen, and
 * all of few; of a check that starts processes, no more than one in four.
 */
enum { AUDITED = 64, COSTLY_AUDITED = 8, COSTLY_PART = 4 };

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static bool is_audited(const struct exploration *exploration, const struct cm_leaf *leaf,
                       uint64_t hash)
{
    bool costly = exploration->check->is_costly;
    uint64_t chosen = costly ? COSTLY_AUDITED : AUDITED, among = leaf->spread;
    if (costly && among < (uint64_t)COSTLY_PART * COSTLY_AUDITED)
        among = (uint64_t)COSTLY_PART * COSTLY_AUDITED;
    return (hash >> 32) % among < chosen;
}

/* A random member of a leaf, as a job that has no other one as its largest. */
static void choose_member(const struct cm_poset *poset, const struct cm_leaf *leaf, uint64_t random,
                          struct cm_job *job)
{
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, leaf->sets));
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > leaf->first_output ? first : leaf->first_output;
    last = last < leaf->last_output ? last : leaf->last_output;
    job->output = first + (uint32_t)(random_next(&random) % (last - first + 1));
    cm_word *included = job->sets, *excluded = job->sets + poset->words;
    cm_copy(job->sets, leaf->sets, 2 * poset->words);
    cm_restrict_to_output(poset, job->output, job->sets);
    for (size_t o = 0; o < poset->operation_count; o++)
        if (random_next(&random) % 2 == 0 && !cm_meet(cm_down(poset, o), excluded, poset->words))
            cm_unite(included, cm_down(poset, o), poset->words);
    for (size_t o = 0; o < poset->operation_count; o++)
        if (!cm_has(included, o))
            cm_add(excluded, o);
}

static char *describe_mismatch(const struct cm_poset *poset, const struct cm_job *job,
                               const struct cm_outcome *expected, const struct cm_outcome *outcome,
                               bool not_monotone)
{
    uint32_t boundary = 0;
    CM_FOR_EACH(o, job->sets, poset->operation_count)
    {
        if (poset->operations[o].shown.boundary > boundary)
            boundary = poset->operations[o].shown.boundary;
    }
    char *id = cm_identity_format(poset, job->sets, boundary);
    char *text = cm_format("the check said \"%s\" of one state, and \"%s\" of another one (%s) "
                           "that is the same in all that it looked at%s",
                           expected->text, outcome->text, id,
                           not_monotone ? ", but with less output: it is not monotone" : "");
    free(id);
    return text;
}

struct audited {
    const struct cm_leaf *leaf;
    uint64_t hash;
};

static int compare_audited(const void *a, const void *b)
{
    const struct audited *left = a, *right = b;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static struct audited *choose_audited(const struct exploration *exploration, size_t *count)
{
    const struct cm_records *leaves = &exploration->ledger.leaves;
    struct audited *chosen = NULL;
    size_t capacity = 0;
    *count = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        const struct cm_leaf *leaf = cm_record(leaves, i);
        uint64_t hash = cm_hash_sets(exploration->poset, leaf->sets, leaf->last_output,
                                     exploration->options.seed);
        if (!is_audited(exploration, leaf, hash))
            continue;
        chosen = cm_reserve(chosen, *count, &capacity, sizeof(*chosen));
        chosen[(*count)++] = (struct audited){leaf, hash};
    }
    if (*count > 1)
        qsort(chosen, *count, sizeof(*chosen), compare_audited);
    return chosen;
}

/* An outcome that only shows on a busy machine is none: time-outs are left out. */
static int audit(struct exploration *exploration, struct ff_error *error)
{
    const struct cm_poset *poset = exploration->poset;
    size_t count = 0;
    struct audited *chosen = choose_audited(exploration, &count);
    struct cm_job *job = cm_allocate(1, cm_job_size(poset));
    int status = 1;
    for (size_t i = 0; i < count && status > 0; i++) {
        const struct cm_outcome *expected = cm_leaf_outcome(&exploration->ledger, chosen[i].leaf);
        struct cm_outcome outcome;
        choose_member(poset, chosen[i].leaf, chosen[i].hash, job);
        status = cm_campaign_try(exploration->campaign, job, &outcome, error);
        if (status <= 0)
            break;
        exploration->audit_runs++;
        /* Of a monotone check: a state that was accepted with more output than this. */
        bool settled = exploration->check->monotone && expected->status == CM_ACCEPTED &&
                       job->output < chosen[i].leaf->last_output;
        if (outcome.status == CM_TIMEOUT || expected->status == CM_TIMEOUT ||
            cm_same_outcome(&outcome, expected) || (settled && outcome.status == CM_ACCEPTED))
            continue;
        if (exploration->audit_mismatches++ == 0)
            exploration->audit_text = describe_mismatch(poset, job, expected, &outcome, settled);
    }
    free(job);
    free(chosen);
    return status < 0 ? -1 : 0;
}

/* ---- Results ---- */

/* The certificate: as many states were covered as there are. */
static int certify(const struct cm_exploration *result, struct ff_error *error)
{
    if (!result->complete || result->shard.count != 1 || result->legal == NULL ||
        result->covered == NULL || strcmp(result->legal, result->covered) == 0)
        return 0;
    return cm_fail(error,
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

/* The states that the leaves stand for; eager: by what they hold. */
static void report_states(const struct exploration *exploration, struct cm_exploration *result)
{
    const struct cm_ledger *ledger = &exploration->ledger;
    if (exploration->eager) {
        cm_tally_report(cm_campaign_tally(exploration->campaign), ledger->outcomes,
                        ledger->outcome_count, result);
        return;
    }
    struct cm_summary *summary =
        cm_summary_new(exploration->poset, ledger->outcomes, ledger->outcome_count);
    for (size_t i = 0; i < ledger->leaves.count; i++) {
        const struct cm_leaf *leaf = cm_record(&ledger->leaves, i);
        cm_summary_add_leaf(summary, leaf->outcome, cm_cylinder_of(exploration->poset, leaf->sets),
                            leaf->first_output, leaf->last_output);
    }
    result->distinct = ledger->leaves.count;
    cm_summary_report(summary, result);
    cm_summary_free(summary);
}

/* The result takes the poset and the texts. */
static struct cm_exploration *make_result(struct exploration *exploration)
{
    struct cm_poset *poset = exploration->poset;
    struct cm_exploration *result = cm_allocate(1, sizeof(*result));
    struct owned *owned = cm_allocate(1, sizeof(*owned));
    owned->poset = poset;
    memcpy(owned->model, exploration->model, sizeof(owned->model));
    result->owned = owned;
    result->model = owned->model;
    result->model_digest = cm_model_digest(poset->model);
    result->unit = poset->model->unit;
    result->granule = poset->granule;
    result->shard = exploration->options.shard;
    result->runs = cm_campaign_runs(exploration->campaign);
    result->audit_runs = exploration->audit_runs;
    result->audit_mismatches = exploration->audit_mismatches;
    result->audit_text = exploration->audit_text;
    result->out_of_budget = cm_campaign_is_out_of_budget(exploration->campaign);
    result->stopped = is_stopped(exploration);
    result->observed = !exploration->eager;
    result->monotone = result->observed && exploration->check->monotone;
    result->complete =
        exploration->ledger.jobs.count == 0 && !result->stopped && result->audit_mismatches == 0;
    result->exhaustive = result->complete && result->shard.count == 1;
    result->legal = exploration->legal;
    result->covered = cm_ledger_covered(&exploration->ledger);
    export_operations(result, poset);
    report_states(exploration, result);
    exploration->poset = NULL;
    exploration->legal = exploration->audit_text = NULL;
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
    free(exploration->audit_text);
    free(exploration->operations);
    free(exploration->cells);
    free(exploration->violations);
    cm_poset_free(owned->poset);
    free(owned);
    free(exploration);
}

/* ---- The whole ---- */

/* All states; or the job that stands for them is not there, because some are decided. */
static void begin(struct exploration *exploration)
{
    cm_word *nothing = cm_allocate(exploration->poset->words, sizeof(cm_word));
    struct cm_cylinder all = {nothing, nothing};
    struct cm_job *job = cm_job_new(exploration->poset, all, CM_ANY_OUTPUT);
    mpz_t legal;
    mpz_init(legal);
    exploration->counter = cm_counter_new(exploration->poset);
    cm_ledger_begin(&exploration->ledger, exploration->poset, exploration->counter);
    if (cm_counter_add(exploration->counter, all, legal))
        exploration->legal = mpz_get_str(NULL, 10, legal);
    else
        exploration->ledger.countable = false;
    cm_ledger_add_job(&exploration->ledger, job);
    mpz_clear(legal);
    free(job);
    free(nothing);
}

static struct cm_exploration *explore(struct exploration *exploration, struct ff_error *error)
{
    const struct cm_campaign_plan plan = {
        .poset = exploration->poset,
        .check = exploration->check,
        .options = &exploration->options,
        .model = exploration->model,
        .legal = exploration->legal,
        .ledger = &exploration->ledger,
        .eager = exploration->eager,
    };
    exploration->campaign = cm_campaign_start(&plan, error);
    if (exploration->campaign == NULL || cm_campaign_run(exploration->campaign, error) != 0)
        return NULL;
    if (!exploration->eager && !is_stopped(exploration) && audit(exploration, error) != 0)
        return NULL;
    struct cm_exploration *result = make_result(exploration);
    if (certify(result, error) == 0)
        return result;
    cm_exploration_free(result);
    return NULL;
}

struct cm_exploration *cm_explore(const struct ff_trace *trace, const struct cm_model *model,
                                  const struct cm_check *check, const struct cm_options *options,
                                  struct ff_error *error)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct exploration exploration = {
        .poset = cm_poset_build(trace, model, options->granule, error),
        .check = check,
        .options = *options,
        .eager = options->eager || !check->observes,
    };
    if (exploration.poset == NULL)
        return NULL;
    if (options->shard.count == 0)
        exploration.options.shard.count = 1;
    cm_poset_model_name(exploration.poset, exploration.model, sizeof(exploration.model));
    begin(&exploration);
    struct cm_exploration *result = explore(&exploration, error);
    cm_campaign_end(exploration.campaign);
    cm_ledger_end(&exploration.ledger);
    cm_counter_free(exploration.counter);
    cm_poset_free(exploration.poset);
    free(exploration.legal);
    free(exploration.audit_text);
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

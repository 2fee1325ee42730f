#include "exploring.h"

#include <stdio.h>

#include "fail.h"
#include "summary.h"

/* ---- Beginning and end ---- */

/* The number of states in a cylinder. */
static void begin(struct cm_exploring *exploring, const struct cm_lineage *lineage,
                  struct cm_cylinder start, const struct cm_options *options)
{
    const struct cm_poset *poset = lineage->poset;
    *exploring = (struct cm_exploring){.poset = poset, .lineage = *lineage, .options = *options};
    if (options->shard.count == 0)
        exploring->options.shard = (struct cm_shard){0, 1};
    cm_poset_model_name(poset, exploring->model, sizeof(exploring->model));
    exploring->counter = cm_counter_new(poset);
    cm_ledger_begin(&exploring->ledger, poset, exploring->counter);
    mpz_t legal;
    mpz_init(legal);
    exploring->ledger.countable = cm_counter_add(exploring->counter, start, legal);
    if (exploring->ledger.countable)
        exploring->legal = mpz_get_str(NULL, 10, legal);
    mpz_clear(legal);
}

int cm_exploring_begin(struct cm_exploring *exploring, const struct ff_trace *trace,
                       const struct cm_model *model, const struct cm_options *options,
                       struct ff_error *error)
{
    struct cm_poset *poset = cm_poset_build(trace, model, options->granule, error);
    if (poset == NULL)
        return -1;
    const struct cm_lineage lineage = {.workload = poset, .poset = poset};
    cm_word *nothing = cm_allocate(poset->words, sizeof(cm_word));
    begin(exploring, &lineage, (struct cm_cylinder){nothing, nothing}, options);
    exploring->owned = poset;
    exploring->ledger.marks = exploring->marks = cm_marks_new();
    free(nothing);
    return 0;
}

void cm_exploring_begin_recovery(struct cm_exploring *exploring, const struct cm_lineage *lineage,
                                 const struct cm_job *job, const struct cm_options *options)
{
    begin(exploring, lineage, cm_cylinder_of(lineage->poset, job->sets), options);
    cm_ledger_add_job(&exploring->ledger, job);
}

void cm_exploring_end(struct cm_exploring *exploring)
{
    cm_progress_close(&exploring->progress);
    cm_marks_free(exploring->marks);
    cm_ledger_end(&exploring->ledger);
    cm_counter_free(exploring->counter);
    cm_poset_free(exploring->owned);
    free(exploring->legal);
}

/* ---- Traits ---- */

static void add_digest(struct cm_traits *traits, const char *key, uint64_t digest)
{
    char text[24];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)digest);
    cm_traits_add(traits, key, text);
}

static void add_number(struct cm_traits *traits, const char *key, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    cm_traits_add(traits, key, text);
}

/* All that the leaves and jobs depend on. */
void cm_exploring_set_traits(struct cm_exploring *exploring)
{
    struct cm_traits *traits = &exploring->progress.traits;
    const struct cm_options *options = &exploring->options;
    cm_traits_add(traits, "version of crashmatrix", CRASHMATRIX_VERSION);
    add_digest(traits, "trace", exploring->poset->trace->digest);
    cm_traits_add(traits, "model", exploring->model);
    add_digest(traits, "model digest", cm_model_digest(exploring->poset->model));
    add_number(traits, "option --granule", options->granule);
    cm_traits_add(traits, "branching", exploring->eager ? "eager" : "observed");
    cm_traits_add(traits, "monotone", exploring->monotone ? "yes" : "no");
    add_number(traits, "time-out", options->timeout_ms);
    add_number(traits, "seed", options->seed);
    add_number(traits, "option --nested", options->nested);
    for (size_t i = 0; i < options->trait_count; i++)
        cm_traits_add(traits, options->traits[i].key, options->traits[i].value);
    char *shard = cm_format("%u/%u", options->shard.index + 1, options->shard.count);
    cm_traits_add(traits, "shard", shard);
    free(shard);
}

/* ---- Results ---- */

bool cm_exploring_is_complete(const struct cm_exploring *exploring)
{
    return !exploring->waiting && exploring->ledger.jobs.count == 0 && !exploring->stopped &&
           exploring->progress.audit_mismatches == 0;
}

int cm_exploring_certify(const struct cm_exploring *exploring, struct ff_error *error)
{
    int status = 0;
    char *covered = cm_ledger_covered(&exploring->ledger);
    if (cm_exploring_is_complete(exploring) && exploring->options.shard.count == 1 &&
        exploring->legal != NULL && covered != NULL && strcmp(exploring->legal, covered) != 0)
        status = cm_fail(error,
                         "the certificate failed: %s states are legal, but %s were covered; this "
                         "is a defect of crashmatrix",
                         exploring->legal, covered);
    free(covered);
    return status;
}

static void export_operations(struct cm_exploration *result, const struct cm_poset *poset)
{
    result->operation_count = poset->operation_count;
    result->operations = cm_allocate(poset->operation_count, sizeof(*result->operations));
    for (size_t i = 0; i < poset->operation_count; i++)
        result->operations[i] = poset->operations[i].shown;
    result->boundary_calls = poset->boundary_calls;
}

static void export_dependences(struct cm_exploration *result, const struct cm_marks *marks)
{
    struct cm_dependence list[CM_MARKS_LIMIT];
    result->dependence_count = cm_marks_list(marks, list);
    result->dependences = cm_allocate(result->dependence_count, sizeof(*list));
    for (size_t i = 0; i < result->dependence_count; i++)
        result->dependences[i] =
            (struct cm_dependence){list[i].kind, cm_format("%s", list[i].what)};
}

/* What the strings of a result point into. */
struct owned {
    struct cm_poset *poset;
    struct cm_lineage *lineages; /* of violations with cuts during recovery */
    size_t lineage_count;
    char model[128];
};

/* The states that the leaves stand for; eager: by what they hold. */
static void report_states(const struct cm_exploring *exploring, struct cm_exploration *result)
{
    const struct cm_ledger *ledger = &exploring->ledger;
    if (exploring->eager) {
        cm_tally_report(exploring->tally, ledger->outcomes, ledger->outcome_count, result);
        return;
    }
    struct cm_summary *summary =
        cm_summary_new(exploring->poset, ledger->outcomes, ledger->outcome_count);
    for (size_t i = 0; i < ledger->leaves.count; i++) {
        const struct cm_leaf *leaf = cm_record(&ledger->leaves, i);
        cm_summary_add_leaf(summary, leaf->outcome, cm_cylinder_of(exploring->poset, leaf->sets),
                            leaf->first_output, leaf->last_output);
    }
    result->distinct = ledger->leaves.count;
    cm_summary_report(summary, result);
    cm_summary_free(summary);
}

/* The result takes the poset and the text of the number of legal states. */
static struct cm_exploration *make_result(struct cm_exploring *exploring)
{
    struct cm_poset *poset = exploring->owned;
    struct cm_exploration *result = cm_allocate(1, sizeof(*result));
    struct owned *owned = cm_allocate(1, sizeof(*owned));
    owned->poset = poset;
    memcpy(owned->model, exploring->model, sizeof(owned->model));
    result->owned = owned;
    result->model = owned->model;
    result->model_digest = cm_model_digest(poset->model);
    result->unit = poset->model->unit;
    result->granule = poset->granule;
    result->shard = exploring->options.shard;
    result->runs = exploring->runs;
    result->audit_runs = exploring->progress.audit_runs;
    result->audit_mismatches = exploring->progress.audit_mismatches;
    if (result->audit_mismatches > 0)
        result->audit_text = cm_format("%s", exploring->progress.audit_text);
    result->out_of_budget = exploring->out_of_budget;
    result->stopped = exploring->stopped;
    result->nested = exploring->options.nested;
    result->observed = !exploring->eager;
    result->monotone = exploring->monotone;
    result->complete = cm_exploring_is_complete(exploring);
    result->exhaustive = result->complete && result->shard.count == 1;
    result->legal = exploring->legal;
    result->covered = cm_ledger_covered(&exploring->ledger);
    export_operations(result, poset);
    export_dependences(result, exploring->ledger.marks);
    report_states(exploring, result);
    exploring->owned = NULL;
    exploring->legal = NULL;
    return result;
}

void cm_exploration_own(struct cm_exploration *exploration, struct cm_lineage *lineages,
                        size_t count)
{
    struct owned *owned = exploration->owned;
    owned->lineages = lineages;
    owned->lineage_count = count;
}

static void free_cuts(struct cm_violation *violation)
{
    for (size_t i = 0; i < violation->cut_count; i++) {
        free(violation->cuts[i].operations);
        free(violation->cuts[i].lost);
        free(violation->cuts[i].kept);
    }
    free(violation->cuts);
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
        free(exploration->violations[i].unreadable);
        free_cuts(&exploration->violations[i]);
    }
    for (size_t i = 0; i < exploration->depth_count; i++) {
        free(exploration->depths[i].legal);
        free(exploration->depths[i].covered);
    }
    for (size_t i = 0; i < exploration->unobserved_count; i++) {
        free((void *)(uintptr_t)exploration->unobserved[i].kind);
        free((void *)(uintptr_t)exploration->unobserved[i].what);
    }
    free(exploration->unobserved);
    free(exploration->depths);
    for (size_t i = 0; i < owned->lineage_count; i++)
        cm_lineage_close(&owned->lineages[i]);
    free(owned->lineages);
    for (size_t i = 0; i < exploration->cell_count; i++)
        free(exploration->cells[i].labels);
    for (size_t i = 0; i < exploration->dependence_count; i++)
        free(exploration->dependences[i].what);
    free(exploration->dependences);
    free(exploration->legal);
    free(exploration->covered);
    free(exploration->audit_text);
    free(exploration->progress_error);
    free(exploration->operations);
    free(exploration->cells);
    free(exploration->violations);
    cm_poset_free(owned->poset);
    free(owned);
    free(exploration);
}

struct cm_exploration *cm_exploring_conclude(struct cm_exploring *exploring, struct ff_error *error)
{
    return cm_exploring_certify(exploring, error) == 0 ? make_result(exploring) : NULL;
}

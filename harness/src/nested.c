#include "nested.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "fail.h"
#include "hashset.h"
#include "leaf_key.h"
#include "outcome.h"
#include "process.h"
#include "state.h"
#include "summary.h"
#include "temporary.h"

/* Of the recoveries that are recorded together one in so many is recorded twice. */
enum { RECORDED_TWICE = 16 };

/* A sum of decimal numbers. */
struct total {
    mpz_t sum;
    bool known;
};

struct depth {
    struct total legal, covered;
    struct cm_depth shown;
};

/* An outcome that leaves of one depth had, and the one that stands for it. */
struct verdict {
    size_t depth;
    struct cm_outcome outcome;
    uint64_t states;
    uint32_t source; /* whose recovery was cut */
    uint32_t output;
    cm_word *sets;
    char *id;
    size_t lost; /* operations, in all cuts */
};

struct cm_nested {
    struct cm_nested_plan plan;
    size_t limit; /* cuts */
    struct cm_sources sources;
    size_t frontier; /* sources from here on are of the depth at hand */
    struct cm_hashset known;
    struct depth *depths;
    size_t depth_count, depth_capacity;
    struct verdict *verdicts;
    size_t verdict_count, verdict_capacity;
    struct ff_unobserved *notes; /* of recordings */
    size_t note_count, note_capacity;
    uint64_t audit_runs, audit_mismatches;
    char *audit_text;
    bool stopped, out_of_budget;

    /* For the progress of a campaign: */
    uint64_t runs, violations; /* before it */
    size_t done, frontier_count;
};

struct cm_nested *cm_nested_new(const struct cm_nested_plan *plan)
{
    struct cm_nested *nested = cm_allocate(1, sizeof(*nested));
    nested->plan = *plan;
    nested->limit =
        plan->options->nested < CM_NESTED_LIMIT ? plan->options->nested : CM_NESTED_LIMIT;
    nested->runs = plan->runs;
    return nested;
}

static void remove_folder(const char *folder)
{
    struct ff_error ignored;
    if (folder != NULL && ff_directory_clear(folder, &ignored) == 0)
        rmdir(folder);
}

void cm_nested_free(struct cm_nested *nested)
{
    if (nested == NULL)
        return;
    remove_folder(nested->sources.folder);
    free(nested->sources.folder);
    cm_sources_free(&nested->sources);
    cm_hashset_free(&nested->known);
    for (size_t i = 0; i < nested->depth_count; i++) {
        mpz_clear(nested->depths[i].legal.sum);
        mpz_clear(nested->depths[i].covered.sum);
    }
    for (size_t i = 0; i < nested->verdict_count; i++) {
        free(nested->verdicts[i].sets);
        free(nested->verdicts[i].id);
    }
    for (size_t i = 0; i < nested->note_count; i++) {
        free((void *)(uintptr_t)nested->notes[i].kind);
        free((void *)(uintptr_t)nested->notes[i].what);
    }
    free(nested->depths);
    free(nested->verdicts);
    free(nested->notes);
    free(nested->audit_text);
    free(nested);
}

static bool is_stopped(const struct cm_nested *nested)
{
    const volatile int *stop = nested->plan.options->stop;
    return stop != NULL && *stop != 0;
}

/* ---- What was not seen ---- */

static void note(struct cm_nested *nested, const char *kind, const char *what, uint64_t count)
{
    for (size_t i = 0; i < nested->note_count; i++) {
        if (strcmp(nested->notes[i].kind, kind) == 0 && strcmp(nested->notes[i].what, what) == 0) {
            nested->notes[i].count += count;
            return;
        }
    }
    nested->notes = cm_reserve(nested->notes, nested->note_count, &nested->note_capacity,
                               sizeof(*nested->notes));
    nested->notes[nested->note_count++] =
        (struct ff_unobserved){cm_format("%s", kind), cm_format("%s", what), count};
}

/* ---- Rejections ---- */

static bool is_better(const struct verdict *one, const struct verdict *other)
{
    return one->lost != other->lost ? one->lost < other->lost : strcmp(one->id, other->id) < 0;
}

static struct verdict *find_verdict(struct cm_nested *nested, const struct cm_outcome *outcome)
{
    size_t depth = nested->depth_count - 1, i = 0;
    while (i < nested->verdict_count && (nested->verdicts[i].depth != depth ||
                                         !cm_same_outcome(&nested->verdicts[i].outcome, outcome)))
        i++;
    if (i == nested->verdict_count) {
        nested->verdicts =
            cm_reserve(nested->verdicts, i, &nested->verdict_capacity, sizeof(*nested->verdicts));
        nested->verdicts[nested->verdict_count++] =
            (struct verdict){.depth = depth, .outcome = *outcome};
    }
    return &nested->verdicts[i];
}

/* How many outputs the states of a leaf may have been left with. */
static uint64_t count_outputs(const struct cm_poset *poset, const struct cm_leaf *leaf)
{
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, leaf->sets));
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > leaf->first_output ? first : leaf->first_output;
    last = last < leaf->last_output ? last : leaf->last_output;
    return last - first + 1;
}

static void take_rejection(struct cm_nested *nested, uint32_t source,
                           const struct cm_lineage *lineage, const struct cm_leaf *leaf,
                           const struct cm_outcome *outcome)
{
    size_t words = lineage->poset->words;
    struct verdict *verdict = find_verdict(nested, outcome);
    struct verdict found = *verdict;
    bool one = leaf->first_output == leaf->last_output;
    nested->depths[nested->depth_count - 1].shown.rejected++;
    verdict->states += count_outputs(lineage->poset, leaf);
    found.states = verdict->states;
    found.source = source;
    found.output = one ? leaf->last_output : CM_ANY_OUTPUT;
    found.id = cm_lineage_identity(lineage, leaf->sets, found.output, &found.lost);
    if (verdict->id != NULL && !is_better(&found, verdict)) {
        free(found.id);
        return;
    }
    free(verdict->id);
    free(verdict->sets);
    found.sets = cm_allocate(2 * words, sizeof(cm_word));
    cm_copy(found.sets, leaf->sets, 2 * words);
    *verdict = found;
}

/* ---- Recording ---- */

static char *second_path(const struct cm_nested *nested, size_t source)
{
    return cm_format("%s/%zu.again.cmt", nested->sources.folder, source);
}

/* What a recovery left, when it was not cut. */
static int hash_of_end(const char *path, struct ff_hash *hash, struct ff_error *error)
{
    struct ff_trace *trace = ff_trace_open(path, error);
    if (trace == NULL)
        return -1;
    struct ff_tree *tree = ff_tree_from_snapshot(trace);
    int status = 0;
    for (size_t i = 0; status == 0 && i < trace->call_count; i++)
        status = ff_tree_apply(tree, &trace->calls[i], error);
    *hash = ff_tree_hash(tree);
    ff_tree_free(tree);
    ff_trace_free(trace);
    return status;
}

/* Two recordings on one state must have left the same. */
static int compare_recordings(struct cm_nested *nested, size_t source, struct ff_error *error)
{
    struct ff_hash first, second;
    char *path = cm_sources_trace(&nested->sources, (uint32_t)source);
    char *again = second_path(nested, source);
    int status =
        hash_of_end(path, &first, error) == 0 && hash_of_end(again, &second, error) == 0 ? 0 : -1;
    if (status == 0 && (first.low != second.low || first.high != second.high))
        note(nested, "nondeterministic-recovery", "", 1);
    unlink(again);
    free(path);
    free(again);
    return status;
}

/* Records the recoveries from all sources from first on, which are leaves of one poset. */
static int record(struct cm_nested *nested, struct cm_campaign *campaign,
                  const struct cm_poset *poset, size_t first, struct ff_error *error)
{
    const struct cm_sources *sources = &nested->sources;
    size_t most = 2 * (sources->count - first), count = 0;
    struct cm_recording *recordings = cm_allocate(most, sizeof(*recordings));
    for (size_t i = first; i < sources->count; i++) {
        const struct cm_source *source = &sources->items[i];
        struct cm_job *job = cm_job_new(poset, cm_cylinder_of(poset, source->sets), source->output);
        recordings[count++] = (struct cm_recording){job, cm_sources_trace(sources, (uint32_t)i)};
        if ((i - first) % RECORDED_TWICE == 0)
            recordings[count++] = (struct cm_recording){job, second_path(nested, i)};
    }
    int status = cm_campaign_record(campaign, recordings, count, error);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || recordings[i + 1].job != recordings[i].job)
            free((void *)(uintptr_t)recordings[i].job);
        free(recordings[i].path);
    }
    free(recordings);
    for (size_t i = first; status == 0 && !is_stopped(nested) && i < sources->count;
         i += RECORDED_TWICE)
        status = compare_recordings(nested, i, error);
    return status;
}

/* ---- Leaves ---- */

static int compare_leaves(const void *a, const void *b, void *context)
{
    const struct cm_leaf *left = *(const struct cm_leaf *const *)a;
    const struct cm_leaf *right = *(const struct cm_leaf *const *)b;
    size_t words = *(const size_t *)context;
    for (size_t i = 0; i < 2 * words; i++)
        if (left->sets[i] != right->sets[i])
            return left->sets[i] < right->sets[i] ? -1 : 1;
    return left->last_output < right->last_output ? -1 : left->last_output > right->last_output;
}

/* In an order of their own, not that in which they were found. */
static const struct cm_leaf **sort_leaves(const struct cm_exploring *exploring)
{
    const struct cm_records *leaves = &exploring->ledger.leaves;
    const struct cm_leaf **sorted = cm_allocate(leaves->count, sizeof(struct cm_leaf *));
    size_t words = exploring->poset->words;
    for (size_t i = 0; i < leaves->count; i++)
        sorted[i] = cm_record(leaves, i);
    if (leaves->count > 1)
        qsort_r(sorted, leaves->count, sizeof(struct cm_leaf *), compare_leaves, &words);
    return sorted;
}

/* Accepted ones whose recovery is to be cut become sources, and are recorded. Of rejected ones
 * those count for which recoveries were cut. source: whose. */
static int take_leaves(struct cm_nested *nested, uint32_t source,
                       const struct cm_exploring *exploring, struct cm_campaign *campaign,
                       struct ff_error *error)
{
    const struct cm_lineage *lineage = &exploring->lineage;
    const struct cm_poset *poset = exploring->poset;
    struct cm_hashset seen = {0};
    uint64_t distinct = 0;
    size_t first = nested->sources.count;
    const struct cm_leaf **leaves = sort_leaves(exploring);
    for (size_t i = 0; i < exploring->ledger.leaves.count; i++) {
        const struct cm_outcome *outcome = cm_leaf_outcome(&exploring->ledger, leaves[i]);
        bool ends = outcome->status != CM_ACCEPTED || leaves[i]->idle != 0;
        struct ff_hash key = {0};
        if (!ends || exploring->eager)
            key = cm_leaf_key(poset, leaves[i]);
        /* Branching on everything finds states more than once. */
        if (exploring->eager && !cm_hashset_add(&seen, key))
            continue;
        distinct++;
        if (source != CM_NO_SOURCE && outcome->status != CM_ACCEPTED)
            take_rejection(nested, source, lineage, leaves[i], outcome);
        if (!ends && cm_hashset_add(&nested->known, key))
            cm_sources_add(&nested->sources, source, poset, leaves[i]);
    }
    if (source != CM_NO_SOURCE)
        nested->depths[nested->depth_count - 1].shown.distinct += distinct;
    free(leaves);
    cm_hashset_free(&seen);
    return nested->depth_count < nested->limit && nested->sources.count > first
               ? record(nested, campaign, poset, first, error)
               : 0;
}

/* ---- One recovery ---- */

static void show_progress(void *context, const struct cm_progress *progress)
{
    const struct cm_nested *nested = context;
    const struct cm_options *options = nested->plan.options;
    struct cm_progress shown = *progress;
    shown.runs += nested->runs;
    shown.violations += nested->violations;
    shown.depth = (unsigned)nested->depth_count;
    shown.recoveries = nested->done;
    shown.recovery_count = nested->frontier_count;
    options->progress(options->progress_context, &shown);
}

static void add_decimal(struct total *total, const char *number)
{
    mpz_t value;
    total->known = total->known && number != NULL;
    if (!total->known || mpz_init_set_str(value, number, 10) != 0)
        return;
    mpz_add(total->sum, total->sum, value);
    mpz_clear(value);
}

/* What is left of the budget. False: nothing is. */
static bool spend(const struct cm_nested *nested, struct cm_options *options)
{
    uint64_t runs = nested->runs, spent = (cm_process_clock() - nested->plan.start) / 1000000;
    if ((options->budget_runs != 0 && options->budget_runs <= runs) ||
        (options->budget_ms != 0 && options->budget_ms <= spent))
        return false;
    if (options->budget_runs != 0)
        options->budget_runs -= runs;
    if (options->budget_ms != 0)
        options->budget_ms -= spent;
    return true;
}

static int decide(struct cm_nested *nested, struct cm_exploring *exploring,
                  struct cm_campaign *campaign, struct ff_error *error)
{
    if (cm_campaign_run(campaign, error) != 0)
        return -1;
    uint64_t runs = cm_campaign_runs(campaign);
    nested->runs += runs;
    nested->depths[nested->depth_count - 1].shown.runs += runs;
    nested->out_of_budget = nested->out_of_budget || cm_campaign_is_out_of_budget(campaign);
    exploring->stopped = is_stopped(nested);
    if (!exploring->stopped && !exploring->eager &&
        cm_audit(exploring, campaign, nested->plan.check->is_costly, error) != 0)
        return -1;
    exploring->stopped = is_stopped(nested);
    return cm_exploring_certify(exploring, error);
}

static void take_audit(struct cm_nested *nested, struct cm_progress_file *found)
{
    nested->audit_runs += found->audit_runs;
    nested->audit_mismatches += found->audit_mismatches;
    if (nested->audit_text == NULL && found->audit_mismatches > 0) {
        nested->audit_text = found->audit_text;
        found->audit_text = NULL;
    }
}

static int explore(struct cm_nested *nested, uint32_t source, const struct cm_lineage *lineage,
                   struct cm_options *options, struct ff_error *error)
{
    struct depth *depth = &nested->depths[nested->depth_count - 1];
    struct cm_job *job = cm_lineage_job(lineage, &nested->sources.items[source]);
    struct cm_exploring exploring;
    cm_exploring_begin_recovery(&exploring, lineage, job, options);
    exploring.ledger.marks = nested->plan.workload->ledger.marks;
    exploring.eager = nested->plan.workload->eager;
    exploring.monotone = nested->plan.workload->monotone;
    const struct cm_campaign_plan plan = {
        .poset = exploring.poset,
        .check = nested->plan.check,
        .options = &exploring.options,
        .model = exploring.model,
        .legal = exploring.legal,
        .ledger = &exploring.ledger,
        .eager = exploring.eager,
    };
    struct cm_campaign *campaign = cm_campaign_start(&plan, error);
    int status = campaign == NULL ? -1 : decide(nested, &exploring, campaign, error);
    char *covered = cm_ledger_covered(&exploring.ledger);
    add_decimal(&depth->legal, exploring.legal);
    add_decimal(&depth->covered, covered);
    take_audit(nested, &exploring.progress);
    if (status == 0)
        status = take_leaves(nested, source, &exploring, campaign, error);
    free(covered);
    free(job);
    cm_campaign_end(campaign);
    cm_exploring_end(&exploring);
    return status;
}

/* Cuts the recovery from a source. */
static int cut(struct cm_nested *nested, uint32_t source, struct ff_error *error)
{
    struct cm_options options = *nested->plan.options;
    struct cm_lineage lineage;
    if (!spend(nested, &options)) {
        nested->out_of_budget = true;
        return 0;
    }
    if (options.progress != NULL)
        options.progress = show_progress;
    options.progress_context = nested;
    options.progress_path = NULL;
    if (cm_lineage_open(&lineage, nested->plan.workload->poset, &nested->sources, source, error) !=
        0)
        return -1;
    const struct cm_phase *phase = lineage.phases[lineage.count - 1];
    const struct ff_trace *trace = phase->recorded;
    for (size_t i = 0; i < trace->unobserved_count; i++)
        note(nested, trace->unobserved[i].kind, trace->unobserved[i].what,
             trace->unobserved[i].count);
    int status = 0;
    if (phase->own->operation_count > 0) {
        nested->depths[nested->depth_count - 1].shown.recoveries++;
        status = explore(nested, source, &lineage, &options, error);
    }
    cm_lineage_close(&lineage);
    return status;
}

/* ---- All of them ---- */

static void begin_depth(struct cm_nested *nested)
{
    nested->depths = cm_reserve(nested->depths, nested->depth_count, &nested->depth_capacity,
                                sizeof(*nested->depths));
    struct depth *depth = &nested->depths[nested->depth_count++];
    *depth = (struct depth){.legal.known = true, .covered.known = true};
    mpz_init(depth->legal.sum);
    mpz_init(depth->covered.sum);
}

static int run_depth(struct cm_nested *nested, struct ff_error *error)
{
    size_t end = nested->sources.count;
    int status = 0;
    nested->frontier_count = end - nested->frontier;
    begin_depth(nested);
    for (nested->done = 0; status == 0 && nested->frontier < end && !is_stopped(nested);
         nested->done++)
        status = cut(nested, (uint32_t)nested->frontier++, error);
    return status;
}

int cm_nested_run(struct cm_nested *nested, struct cm_campaign *campaign, struct ff_error *error)
{
    nested->sources.folder = cm_temporary_folder(error); /* of the traces */
    if (nested->sources.folder == NULL ||
        take_leaves(nested, CM_NO_SOURCE, nested->plan.workload, campaign, error) != 0)
        return -1;
    while (nested->frontier < nested->sources.count && nested->depth_count < nested->limit &&
           !is_stopped(nested) && !nested->out_of_budget)
        if (run_depth(nested, error) != 0)
            return -1;
    nested->stopped = is_stopped(nested);
    return 0;
}

/* ---- Results ---- */

static void report_depths(const struct cm_nested *nested, struct cm_exploration *exploration)
{
    exploration->depth_count = nested->depth_count;
    exploration->depths = cm_allocate(nested->depth_count, sizeof(*exploration->depths));
    for (size_t i = 0; i < nested->depth_count; i++) {
        const struct depth *depth = &nested->depths[i];
        struct cm_depth *shown = &exploration->depths[i];
        *shown = depth->shown;
        shown->legal = depth->legal.known ? mpz_get_str(NULL, 10, depth->legal.sum) : NULL;
        shown->covered = depth->covered.known ? mpz_get_str(NULL, 10, depth->covered.sum) : NULL;
    }
}

static void describe_cut(const struct cm_phase *phase, struct cm_loss *loss, struct cm_cut *cut)
{
    const struct cm_poset *own = phase->own;
    *cut =
        (struct cm_cut){.trace = phase->recorded,
                        .operations = cm_allocate(own->operation_count, sizeof(*cut->operations)),
                        .operation_count = own->operation_count,
                        .boundary_calls = own->boundary_calls,
                        .boundary = loss->boundary};
    for (size_t i = 0; i < own->operation_count; i++)
        cut->operations[i] = own->operations[i].shown;
    cm_list_losses(own, loss->ideal, loss->boundary, &cut->lost, &cut->lost_count, &cut->kept,
                   &cut->kept_count);
    free(loss->ideal);
}

/* The lineage is that of the verdict's source. */
static struct cm_violation describe(const struct cm_lineage *lineage, const struct verdict *verdict)
{
    struct cm_loss loss = cm_lineage_workload_loss(lineage, verdict->sets, verdict->output);
    struct cm_violation violation = {
        .id = cm_format("%s", verdict->id),
        .reason = cm_format("%s", verdict->outcome.text),
        .status = verdict->outcome.status,
        .states = verdict->states,
        .first_boundary = loss.boundary,
        .last_boundary = loss.last,
        .unreadable = cm_state_unreadable(lineage->workload, loss.ideal),
        .cuts = cm_allocate(lineage->count, sizeof(*violation.cuts)),
        .cut_count = lineage->count,
    };
    cm_list_losses(lineage->workload, loss.ideal, loss.boundary, &violation.lost,
                   &violation.lost_count, &violation.kept, &violation.kept_count);
    free(loss.ideal);
    for (size_t i = 0; i < lineage->count; i++) {
        loss = cm_lineage_recovery_loss(lineage, i, verdict->sets);
        describe_cut(lineage->phases[i], &loss, &violation.cuts[i]);
    }
    return violation;
}

static int compare_verdicts(const void *a, const void *b)
{
    const struct verdict *left = a, *right = b;
    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    return is_better(left, right) ? -1 : is_better(right, left);
}

static int report_violations(struct cm_nested *nested, struct cm_exploration *exploration,
                             struct ff_error *error)
{
    size_t before = exploration->violation_count, count = nested->verdict_count;
    struct cm_violation *violations = cm_allocate(before + count, sizeof(*violations));
    struct cm_lineage *lineages = cm_allocate(count, sizeof(*lineages));
    for (size_t i = 0; i < before; i++)
        violations[i] = exploration->violations[i];
    free(exploration->violations);
    exploration->violations = violations;
    if (count > 1)
        qsort(nested->verdicts, count, sizeof(*nested->verdicts), compare_verdicts);
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = cm_lineage_open(&lineages[i], nested->plan.workload->poset, &nested->sources,
                                 nested->verdicts[i].source, error);
        if (status == 0)
            violations[exploration->violation_count++] =
                describe(&lineages[i], &nested->verdicts[i]);
    }
    cm_exploration_own(exploration, lineages, exploration->violation_count - before);
    return status;
}

int cm_nested_report(struct cm_nested *nested, struct cm_exploration *exploration,
                     struct ff_error *error)
{
    bool whole = !nested->stopped && !nested->out_of_budget && nested->audit_mismatches == 0;
    bool ended = nested->frontier == nested->sources.count;
    if (nested->plan.options->nested == CM_NESTED_FIXPOINT && whole && !ended) {
        note(nested, "no-fixpoint", "", 1);
        whole = false;
    }
    exploration->fixpoint = exploration->exhaustive && whole && ended;
    exploration->exhaustive = exploration->exhaustive && whole;
    exploration->complete = exploration->complete && whole;
    exploration->stopped = exploration->stopped || nested->stopped;
    exploration->out_of_budget = exploration->out_of_budget || nested->out_of_budget;
    exploration->audit_runs += nested->audit_runs;
    exploration->audit_mismatches += nested->audit_mismatches;
    if (exploration->audit_text == NULL) {
        exploration->audit_text = nested->audit_text;
        nested->audit_text = NULL;
    }
    report_depths(nested, exploration);
    exploration->unobserved = nested->notes;
    exploration->unobserved_count = nested->note_count;
    nested->notes = NULL;
    nested->note_count = 0;
    return report_violations(nested, exploration, error);
}

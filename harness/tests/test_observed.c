/*
 * Branching on what a check looks at, against running it on every state: for random
 * small traces and random checks both must come to the same verdicts, at the same
 * boundaries. And checks that do not say all that they look at are found out.
 */
#include "unit.h"

#include "invented_check.h"

#ifndef TRACES
#define TRACES 500
#endif

/* ---- Comparing ---- */

static int compare_violations(const void *a, const void *b)
{
    const struct cm_violation *left = a, *right = b;
    return strcmp(left->reason, right->reason);
}

static bool same_cells(const struct cm_exploration *one, const struct cm_exploration *other)
{
    for (size_t b = 0; b < one->cell_count; b++) {
        const struct cm_cell *left = &one->cells[b], *right = &other->cells[b];
        if (left->label_count != right->label_count ||
            (left->violations > 0) != (right->violations > 0))
            return false;
        for (size_t i = 0; i < left->label_count; i++)
            if (strcmp(left->labels[i].name, right->labels[i].name) != 0)
                return false;
    }
    return true;
}

static bool same_findings(struct cm_exploration *one, struct cm_exploration *other)
{
    if (!one->exhaustive || !other->exhaustive || strcmp(one->legal, one->covered) != 0 ||
        strcmp(one->legal, other->legal) != 0 || strcmp(other->legal, other->covered) != 0 ||
        one->violation_count != other->violation_count || !same_cells(one, other))
        return false;
    if (one->violation_count > 1) {
        qsort(one->violations, one->violation_count, sizeof(*one->violations), compare_violations);
        qsort(other->violations, one->violation_count, sizeof(*other->violations),
              compare_violations);
    }
    for (size_t i = 0; i < one->violation_count; i++)
        if (strcmp(one->violations[i].reason, other->violations[i].reason) != 0)
            return false;
    return true;
}

/* The representative of a violation must be rejected for its reason. */
static bool representatives_hold(const struct ff_trace *trace, const struct cm_model *model,
                                 const struct cm_check *check,
                                 const struct cm_exploration *exploration)
{
    for (size_t i = 0; i < exploration->violation_count; i++) {
        struct cm_state state = {.model = "", .tree = NULL};
        struct cm_outcome outcome;
        struct ff_error error;
        char *output = NULL;
        if (cm_rebuild(trace, model, exploration->violations[i].id, &state.tree, &output,
                       &state.output_size, &error) != 0)
            return false;
        state.output = output;
        check->run(check->context, &state, &outcome);
        ff_tree_free(state.tree);
        free(output);
        if (outcome.status != CM_VIOLATED ||
            strcmp(outcome.text, exploration->violations[i].reason) != 0)
            return false;
    }
    return true;
}

static struct cm_exploration *explore(const struct ff_trace *trace, const struct cm_model *model,
                                      const struct cm_check *check, bool eager, unsigned jobs,
                                      struct ff_error *error)
{
    struct cm_options options = {.jobs = jobs, .eager = eager};
    return cm_explore(trace, model, check, &options, error);
}

static uint64_t eager_runs, observed_runs, rejected;

static bool compare_once(uint64_t seed, unsigned jobs)
{
    struct ff_error error = {""};
    struct cm_model model;
    struct sample *sample = invent(seed, &model);
    struct ff_trace *trace = &sample->trace;
    struct invented invented = {.seed = seed};
    struct cm_check check = {.context = &invented, .run = invented_run, .observes = true};
    struct cm_exploration *eager = explore(trace, &model, &check, true, jobs, &error);
    struct cm_exploration *observed = explore(trace, &model, &check, false, jobs, &error);
    bool same = eager != NULL && observed != NULL && !eager->observed && observed->observed &&
                same_findings(eager, observed) &&
                representatives_hold(trace, &model, &check, observed);
    if (!same)
        printf("\n    seed %llu: not the same %s\n", (unsigned long long)seed, error.text);
    else {
        eager_runs += eager->runs;
        observed_runs += observed->runs;
        rejected += observed->violation_count;
    }
    cm_exploration_free(eager);
    cm_exploration_free(observed);
    sample_free(sample);
    return same;
}

static void observing_equals_everything(void)
{
    size_t failures = 0;
    for (uint64_t seed = 1; seed <= TRACES; seed++)
        failures += !compare_once(seed * 0x9e3779b97f4a7c15u, seed % 8 == 0 ? 2 : 1);
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_TRUE(rejected > TRACES / 2 && observed_runs < eager_runs);
}

/* ---- Checks that hide something ---- */

static void hiding_is_found_out(void)
{
    size_t found = 0, tried = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct ff_error error = {""};
        struct cm_model model;
        struct sample *sample = invent(seed, &model);
        struct invented invented = {.seed = seed, .hides = 1};
        struct cm_check check = {.context = &invented, .run = invented_run, .observes = true};
        struct cm_exploration *result = explore(&sample->trace, &model, &check, false, 1, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        tried++;
        if (result->audit_mismatches > 0) {
            found++;
            CU_ASSERT_FALSE(result->exhaustive || result->complete);
            CU_ASSERT_PTR_NOT_NULL_FATAL(result->audit_text);
            CU_ASSERT_PTR_NOT_NULL(strstr(result->audit_text, "of another one"));
        }
        cm_exploration_free(result);
        sample_free(sample);
    }
    /* Of some traces every state gives the same outcome: there is nothing to find. */
    CU_ASSERT_TRUE(found > tried / 3);
    if (found <= tried / 3)
        printf("\n    found %zu of %zu\n", found, tried);
}

/* ---- Monotone checks ---- */

struct monotone_counts {
    uint64_t plain_runs, runs, rejected;
    size_t wrong, found; /* findings that differ from those of every state; by the audit */
};

static void explore_monotone(uint64_t seed, struct invented *invented,
                             struct monotone_counts *counts)
{
    struct ff_error error = {""};
    struct cm_model model;
    struct sample *sample = invent(seed, &model);
    struct ff_trace *trace = &sample->trace;
    struct cm_check check = {.context = invented, .run = invented_run, .observes = true};
    struct cm_exploration *eager = explore(trace, &model, &check, true, 1, &error);
    struct cm_exploration *plain = explore(trace, &model, &check, false, 1, &error);
    check.monotone = true;
    struct cm_exploration *result = explore(trace, &model, &check, false, 1, &error);
    CU_ASSERT_FATAL(eager != NULL && plain != NULL && result != NULL);
    CU_ASSERT_TRUE(!eager->monotone && !plain->monotone && result->monotone);
    counts->plain_runs += plain->runs;
    counts->runs += result->runs;
    counts->rejected += result->violation_count;
    if (result->audit_mismatches > 0) {
        counts->found++;
        CU_ASSERT_PTR_NOT_NULL(strstr(result->audit_text, "it is not monotone"));
        CU_ASSERT_FALSE(result->exhaustive);
    } else if (!same_findings(eager, result) ||
               !representatives_hold(trace, &model, &check, result)) {
        counts->wrong++;
    }
    cm_exploration_free(eager);
    cm_exploration_free(plain);
    cm_exploration_free(result);
    sample_free(sample);
}

static void monotone_checks_are_run_less(void)
{
    struct monotone_counts counts = {0};
    for (uint64_t seed = 1; seed <= TRACES / 4; seed++) {
        struct invented invented = {.seed = seed, .demands = MORE_FOR_MORE};
        explore_monotone(seed * 0x9e3779b97f4a7c15u, &invented, &counts);
    }
    CU_ASSERT_EQUAL(counts.wrong, 0);
    CU_ASSERT_EQUAL(counts.found, 0);
    CU_ASSERT_TRUE(counts.rejected > TRACES / 8 && counts.runs < counts.plain_runs);
}

/* One that asks for more the less was printed. */
static void not_monotone_is_found_out(void)
{
    struct monotone_counts counts = {0};
    for (uint64_t seed = 1; seed <= TRACES / 8; seed++) {
        struct invented invented = {.seed = seed, .demands = LESS_FOR_MORE};
        explore_monotone(seed * 0x9e3779b97f4a7c15u, &invented, &counts);
    }
    /* One state of each cylinder is tried again, with an output by chance. */
    CU_ASSERT_TRUE(counts.found > counts.wrong);
}

static const struct unit_test tests[] = {
    {"random checks of random traces", observing_equals_everything},
    {"checks that are monotone", monotone_checks_are_run_less},
    {"a check that is not, and said to be", not_monotone_is_found_out},
    {"a check that hides what it looks at", hiding_is_found_out},
};

UNIT_MAIN("observed", tests)

/*
 * Sharing runs: random checks of random traces, each trace under all shipped models, must
 * give the same report, to the last number, whether each exploration makes its runs itself
 * or takes what runs under other models and of other traces have shown. And what must not be
 * shared is not: each thing that can be looked at makes a difference, what depends on more
 * than the state is run, and a check that hides what it looks at is found out.
 */
#include "unit.h"

#include <sys/stat.h>

#include "invented_check.h"
#include "memo.h"
#include "observer.h"
#include "poset.h"
#include "print.h"
#include "shipped.h"

#ifndef TRACES
#define TRACES 60
#endif

enum { CHECKS = 4 };

/* ---- Models ---- */

/* Every second one has granules as large as its unit. */
static void load_both_sizes(void)
{
    load_models();
    for (size_t i = 1; i < model_count; i += 2)
        models[i]->granule = UNIT;
}

static void free_models(void)
{
    while (model_count > 0)
        cm_model_free(models[--model_count]);
}

/* ---- Explorations ---- */

static void depending_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    cm_depends_on(state, CM_DEPENDS_ON_OUTSIDE, "the weather");
    invented_run(context, state, outcome);
}

static struct cm_exploration *explore(const struct ff_trace *trace, const struct cm_model *model,
                                      const struct cm_check *check, unsigned jobs)
{
    struct ff_error error = {""};
    struct cm_options options = {.jobs = jobs};
    struct cm_exploration *result = cm_explore(trace, model, check, &options, &error);
    if (result == NULL)
        printf("\n    %s\n", error.text);
    return result;
}

/* Whether a memo makes no difference. */
static bool compare(const struct ff_trace *trace, const struct cm_model *model,
                    const struct cm_check *check, unsigned jobs)
{
    struct cm_check apart = *check;
    apart.memo = NULL;
    struct cm_exploration *alone = explore(trace, model, &apart, jobs);
    struct cm_exploration *shared = explore(trace, model, check, jobs);
    CU_ASSERT_FATAL(alone != NULL && shared != NULL);
    char *expected = print_exploration(alone), *found = print_exploration(shared);
    bool same = strcmp(expected, found) == 0;
    free(expected);
    free(found);
    cm_exploration_free(alone);
    cm_exploration_free(shared);
    return same;
}

/* ---- Sharing ---- */

static void sharing_makes_no_difference(void)
{
    struct cm_memo_counts counts = {0, 0};
    size_t failures = 0;
    for (uint64_t number = 1; number <= CHECKS; number++) {
        struct invented invented = {.seed = number, .keeps = true};
        struct cm_check check = {.context = &invented,
                                 .run = invented_run,
                                 .observes = true,
                                 .is_costly = number % 2 == 0,
                                 .memo = cm_memo_new()};
        CU_ASSERT_PTR_NOT_NULL_FATAL(check.memo);
        for (uint64_t seed = 1; seed <= TRACES / CHECKS; seed++) {
            struct cm_model ignored;
            struct sample *sample = invent(seed * 0x9e3779b97f4a7c15u + number, &ignored);
            for (size_t m = 0; m < model_count; m++) {
                bool same = compare(&sample->trace, models[m], &check, seed % 8 == 0 ? 2 : 1);
                if (!same)
                    printf("\n    check %llu, trace %llu, %s: not the same\n",
                           (unsigned long long)number, (unsigned long long)seed,
                           cm_model_name(models[m]));
                failures += !same;
            }
            sample_free(sample);
        }
        counts.made += cm_memo_counts(check.memo).made;
        counts.recalled += cm_memo_counts(check.memo).recalled;
        cm_memo_free(check.memo);
    }
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_TRUE(counts.recalled > counts.made);
}

static void dependent_runs_are_made(void)
{
    struct cm_model ignored;
    struct invented invented = {.seed = 7, .keeps = true};
    struct cm_check check = {
        .context = &invented, .run = depending_run, .observes = true, .memo = cm_memo_new()};
    struct sample *sample = invent(7, &ignored);
    for (int i = 0; i < 2; i++) {
        struct cm_exploration *result = explore(&sample->trace, models[0], &check, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(result);
        CU_ASSERT_EQUAL(result->dependence_count, 1);
        cm_exploration_free(result);
    }
    CU_ASSERT_EQUAL(cm_memo_counts(check.memo).recalled, 0);
    CU_ASSERT_TRUE(cm_memo_counts(check.memo).made > 1);
    sample_free(sample);
    cm_memo_free(check.memo);
}

/* Under one model or another: a state that was told apart by nothing is tried under each. */
static void hiding_is_found_out(void)
{
    size_t alone = 0, shared = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct cm_model ignored;
        struct sample *sample = invent(seed, &ignored);
        struct invented invented = {.seed = seed, .hides = 1, .keeps = true};
        struct cm_check check = {.context = &invented, .run = invented_run, .observes = true};
        bool is_found[2] = {false, false};
        for (int with = 0; with < 2; with++) {
            check.memo = with != 0 ? cm_memo_new() : NULL;
            for (size_t m = 0; m < model_count; m++) {
                struct cm_exploration *result = explore(&sample->trace, models[m], &check, 1);
                CU_ASSERT_PTR_NOT_NULL_FATAL(result);
                is_found[with] = is_found[with] || result->audit_mismatches > 0;
                cm_exploration_free(result);
            }
            cm_memo_free(check.memo);
        }
        alone += is_found[0];
        shared += is_found[1];
        sample_free(sample);
    }
    CU_ASSERT_TRUE(shared > 6 && 2 * shared > alone);
    if (!(shared > 6 && 2 * shared > alone))
        printf("\n    found %zu, alone %zu\n", shared, alone);
}

/* ---- What is looked at ---- */

enum { FOLDER = 2, FILE_NODE, LINK, OTHER };

/* folder/file and folder/link, which leads to it. */
static struct ff_tree *make_tree(void)
{
    struct ff_tree *tree = ff_tree_new();
    ff_tree_create(tree, FF_ROOT_NODE, S_IFDIR | 0755, 0, 0);
    ff_tree_create(tree, FOLDER, S_IFDIR | 0755, 0, 0);
    ff_node_write(ff_tree_create(tree, FILE_NODE, S_IFREG | 0644, 0, 0), "content", 7, 0);
    ff_node_write(ff_tree_create(tree, LINK, S_IFLNK | 0777, 0, 0), "file", 4, 0);
    ff_node_write(ff_tree_create(tree, OTHER, S_IFREG | 0644, 0, 0), "content", 7, 0);
    ff_tree_set_name(tree, FF_ROOT_NODE, "folder", FOLDER);
    ff_tree_set_name(tree, FOLDER, "file", FILE_NODE);
    ff_tree_set_name(tree, FOLDER, "link", LINK);
    return tree;
}

static void change_content(struct cm_state *state)
{
    ff_node_write(ff_tree_edit(state->tree, FILE_NODE), "k", 1, 0);
}

static void change_end(struct cm_state *state)
{
    ff_node_write(ff_tree_edit(state->tree, FILE_NODE), "s", 1, 6);
}

static void change_size(struct cm_state *state)
{
    ff_node_resize(ff_tree_edit(state->tree, FILE_NODE), 9);
}

static void change_type(struct cm_state *state)
{
    ff_tree_edit(state->tree, FILE_NODE)->mode = S_IFSOCK | 0644;
}

static void change_mode(struct cm_state *state)
{
    ff_tree_edit(state->tree, FILE_NODE)->mode = S_IFREG | 0600;
}

static void change_owner(struct cm_state *state)
{
    ff_tree_edit(state->tree, FILE_NODE)->uid = 7;
}

static void change_xattr(struct cm_state *state)
{
    ff_node_set_xattr(ff_tree_edit(state->tree, FILE_NODE), "user.a",
                      (struct ff_bytes){(const unsigned char *)"b", 1});
}

static void change_meaning(struct cm_state *state)
{
    ff_tree_set_name(state->tree, FOLDER, "file", OTHER);
}

static void change_target(struct cm_state *state)
{
    ff_node_write(ff_tree_edit(state->tree, LINK), "link", 4, 0);
}

static void add_name(struct cm_state *state)
{
    ff_tree_set_name(state->tree, FF_ROOT_NODE, "other", FILE_NODE);
}

static void add_name_beside(struct cm_state *state)
{
    ff_tree_set_name(state->tree, FOLDER, "other", OTHER);
}

static void change_output(struct cm_state *state)
{
    state->output = "b";
}

typedef void change_function(struct cm_state *state);

/* What changes, and by which looks that is seen: all others are the same. */
static const struct {
    change_function *change;
    unsigned seen_by;
} changes[] = {
#define BY(kind) (1u << CM_LOOKED_AT_##kind)
    {change_content, BY(DATA) | BY(EVERYTHING)},
    {change_end, BY(EVERYTHING)}, /* the data at the start is looked at */
    {change_size, BY(SIZE) | BY(EVERYTHING)},
    {change_type, BY(NAME) | BY(NAMES) | BY(SIZE) | BY(ATTRIBUTES) | BY(EVERYTHING)},
    {change_mode, BY(ATTRIBUTES) | BY(EVERYTHING)},
    {change_owner, BY(ATTRIBUTES) | BY(EVERYTHING)},
    {change_xattr, BY(ATTRIBUTES) | BY(EVERYTHING)},
    {change_meaning, BY(NAME) | BY(NAMES) | BY(LINKS)},
    {change_target, BY(NAMES) | BY(EVERYTHING)},
    {add_name, BY(LINKS) | BY(EVERYTHING)},
    {add_name_beside, BY(NAMES) | BY(EVERYTHING)},
    {change_output, BY(OUTPUT) | BY(EVERYTHING)},
#undef BY
};

static const struct cm_looked looks[] = {
    {CM_LOOKED_AT_NAME, FOLDER, 0, 0, "file"},
    {CM_LOOKED_AT_NAMES, FOLDER, 0, 0, NULL},
    {CM_LOOKED_AT_SIZE, FILE_NODE, 0, 0, NULL},
    {CM_LOOKED_AT_DATA, FILE_NODE, 0, 4, NULL},
    {CM_LOOKED_AT_ATTRIBUTES, FILE_NODE, 0, 0, NULL},
    {CM_LOOKED_AT_LINKS, FILE_NODE, 0, 0, NULL},
    {CM_LOOKED_AT_OUTPUT, 0, 0, 0, NULL},
    {CM_LOOKED_AT_EVERYTHING, 0, 0, 0, NULL},
};

/* Whether a run that made the look is known to end in the same way after the change. */
static bool is_recalled(const struct cm_looked *look, change_function *change,
                        struct cm_state *state)
{
    struct cm_memo *memo = cm_memo_new();
    struct cm_outcome outcome = {CM_VIOLATED, "the reason"}, found = {CM_ACCEPTED, ""};
    state->tree = make_tree();
    state->output = "a";
    state->output_size = 1;
    cm_memo_begin(memo, state);
    cm_memo_look(memo, look);
    cm_memo_keep(memo, state, &outcome);
    if (change != NULL)
        change(state);
    bool recalled = cm_memo_recall(memo, state, false, &found);
    if (recalled)
        CU_ASSERT(found.status == CM_VIOLATED && strcmp(found.text, "the reason") == 0);
    ff_tree_free(state->tree);
    cm_memo_free(memo);
    return recalled;
}

static void what_was_seen_makes_the_difference(void)
{
    struct ff_error error;
    struct cm_model ignored;
    struct sample *sample = invent(1, &ignored);
    struct cm_poset *poset = cm_poset_build(&sample->trace, models[0], 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    struct cm_observations *seen = cm_allocate(cm_observations_size(poset), 1);
    struct cm_state state = {.model = "", .observer = cm_observer_new(poset)};
    cm_observer_begin(state.observer, seen);
    for (size_t l = 0; l < sizeof(looks) / sizeof(looks[0]); l++) {
        CU_ASSERT_TRUE(is_recalled(&looks[l], NULL, &state));
        for (size_t c = 0; c < sizeof(changes) / sizeof(changes[0]); c++) {
            bool is_seen = (changes[c].seen_by & 1u << looks[l].kind) != 0;
            if (is_recalled(&looks[l], changes[c].change, &state) != is_seen)
                continue;
            printf("\n    look %zu, change %zu\n", l, c);
            CU_FAIL("what is seen, or what is not, makes no difference, or one");
        }
    }
    cm_observer_free(state.observer);
    free(seen);
    cm_poset_free(poset);
    sample_free(sample);
}

static const struct unit_test tests[] = {
    {"load the models", load_both_sizes},
    {"each look tells what it saw", what_was_seen_makes_the_difference},
    {"random checks of random traces", sharing_makes_no_difference},
    {"a check that depends on more than the state", dependent_runs_are_made},
    {"a check that hides what it looks at", hiding_is_found_out},
    {"free the models", free_models},
};

UNIT_MAIN("memo", tests)

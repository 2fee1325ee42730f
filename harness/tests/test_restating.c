/*
 * Syncs that restate, in random traces: such a sync promises no more than one that covers all
 * of that and all metadata before it; and that a later value does not need the earlier ones is
 * all the same to the engine. Calls run beside each other, fail, and sync ranges.
 */
#include "unit.h"

#include "invent.h"
#include "memory.h"
#include "poset.h"
#include "state.h"

#ifndef RANDOM_TRACES
#define RANDOM_TRACES 400
#endif

static const unsigned all_restated = (1u << CM_RESTATE_COUNT) - 1;

static struct cm_model restating_model(struct cm_model model)
{
    const unsigned words = (unsigned)random_below(all_restated + 1);
    memset(model.covers, 0, sizeof(model.covers));
    model.covers[CM_SYNC_SYNC] = 1u << CM_COVER_EVERYTHING;
    model.restates[CM_SYNC_FSYNC_FILE] = words;
    model.restates[CM_SYNC_FDATASYNC_FILE] = words & 1u << CM_RESTATE_OWN_DATA;
    model.restates[CM_SYNC_FSYNC_DIRECTORY] = words;
    model.crossing = CM_CROSSING_EITHER;
    /* A rule that names logs is one more promise, and a rename that is stated as a whole is
     * one, where its parts are not. */
    memset(model.choices, 0, sizeof(model.choices));
    for (size_t i = 0; i < model.rule_count; i++)
        if ((model.rules[i].after & CM_BIT(LOG)) != 0)
            model.rule_count = i;
    return model;
}

static struct cm_model covering_model(struct cm_model model)
{
    const unsigned covers = 1u << CM_COVER_OWN_DATA | 1u << CM_COVER_ALL_META;
    memset(model.restates, 0, sizeof(model.restates));
    /* What was moved out of a directory may have been moved on since: that is restated, too. */
    model.choices[CM_CHOICE_CHECKPOINT] = CM_CHECKPOINT_MOVED;
    for (size_t i = CM_SYNC_FSYNC_FILE; i <= CM_SYNC_FSYNC_DIRECTORY; i++)
        model.covers[i] = covers;
    return model;
}

static char *print_all(const struct cm_poset *poset, const cm_word *ideal)
{
    struct ff_tree *tree = cm_state_build(poset, ideal);
    struct ff_hash hash = ff_tree_hash(tree);
    ff_tree_free(tree);
    return cm_format("%016llx%016llx", (unsigned long long)hash.low, (unsigned long long)hash.high);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct shelf {
    char **texts;
    size_t count, capacity;
};

static void shelve(struct shelf *shelf, char *text)
{
    shelf->texts = cm_reserve(shelf->texts, shelf->count, &shelf->capacity, sizeof(char *));
    shelf->texts[shelf->count++] = text;
}

static void shelf_sort(struct shelf *shelf)
{
    size_t kept = 0;
    if (shelf->count > 0)
        qsort(shelf->texts, shelf->count, sizeof(char *), compare_texts);
    for (size_t i = 0; i < shelf->count; i++) {
        if (kept > 0 && strcmp(shelf->texts[kept - 1], shelf->texts[i]) == 0)
            free(shelf->texts[i]);
        else
            shelf->texts[kept++] = shelf->texts[i];
    }
    shelf->count = kept;
}

static void shelf_free(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        free(shelf->texts[i]);
    free(shelf->texts);
}

static bool is_ideal(const struct cm_poset *poset, const cm_word *set)
{
    CM_FOR_EACH(o, set, poset->operation_count)
    if (!cm_within(cm_down(poset, o), set, poset->words))
        return false;
    return true;
}

/* By all subsets. Each must be legal at some time. */
static bool shelve_subsets(const struct cm_poset *poset, struct shelf *shelf)
{
    bool legal = true;
    for (cm_word set = 0; set < (cm_word)1 << poset->operation_count; set++) {
        cm_word rest = ~set & (((cm_word)1 << poset->operation_count) - 1);
        if (!is_ideal(poset, &set))
            continue;
        struct cm_interval interval =
            cm_cylinder_boundaries(poset, (struct cm_cylinder){&set, &rest});
        legal = legal && interval.first < interval.end;
        for (uint32_t b = interval.first; b < interval.end; b++) {
            char *text = print_all(poset, &set);
            shelve(shelf, cm_format("%u %s", b, text));
            free(text);
        }
    }
    shelf_sort(shelf);
    return legal;
}

/* By observation. */
static void shelve_cylinders(const struct cm_poset *poset, struct shelf *shelf)
{
    struct cm_explorer *explorer = cm_explorer_new(poset);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        struct cm_interval interval = cm_cylinder_boundaries(poset, cylinder);
        for (uint32_t b = interval.first; b < interval.end; b++) {
            char *text = print_all(poset, cylinder.included);
            shelve(shelf, cm_format("%u %s", b, text));
            free(text);
        }
    } while (cm_explorer_advance(explorer));
    cm_explorer_free(explorer);
    shelf_sort(shelf);
}

static bool is_within(const struct shelf *some, const struct shelf *all)
{
    for (size_t i = 0, j = 0; i < some->count; i++, j++) {
        while (j < all->count && strcmp(all->texts[j], some->texts[i]) < 0)
            j++;
        if (j == all->count || strcmp(all->texts[j], some->texts[i]) != 0)
            return false;
    }
    return true;
}

static bool loses_nothing(const struct cm_poset *poset)
{
    struct ff_error difference = {""};
    cm_word all = ((cm_word)1 << poset->operation_count) - 1;
    struct ff_tree *state = cm_state_build(poset, &all);
    struct ff_tree *tree = ff_tree_from_snapshot(poset->trace);
    for (size_t i = 0; i < poset->trace->call_count; i++)
        if (ff_tree_apply(tree, &poset->trace->calls[i], &difference) != 0)
            abort();
    bool same = !ff_tree_differs(state, "state", tree, "calls", &difference);
    ff_tree_free(tree);
    ff_tree_free(state);
    return same;
}

static size_t logs_seen, logs_lost, logs_beside;

static void count_logs(const struct cm_poset *poset)
{
    for (size_t o = 0; o < poset->operation_count; o++) {
        const struct cm_poset_operation *operation = &poset->operations[o];
        logs_seen += operation->class == CM_CLASS_LOG;
        logs_lost += operation->class == CM_CLASS_LOG && operation->lost;
        logs_beside += operation->class == CM_CLASS_LOG && !operation->lost &&
                       operation->shown.boundary < operation->shown.durable;
    }
}

static bool compare_once(uint64_t seed)
{
    struct ff_error error;
    struct cm_model random;
    struct sample *s = invent(seed, &random);
    struct cm_model restating = restating_model(random), covering = covering_model(restating);
    struct cm_poset *poset = cm_poset_build(&s->trace, &restating, 0, &error);
    struct cm_poset *other = cm_poset_build(&s->trace, &covering, 0, &error);
    CU_ASSERT_FATAL(poset != NULL && other != NULL);
    struct shelf subsets = {0}, cylinders = {0}, covered = {0};
    bool small = poset->operation_count <= 16;
    bool right = true;
    if (small) {
        count_logs(poset);
        right = shelve_subsets(poset, &subsets) && loses_nothing(poset);
        shelve_cylinders(poset, &cylinders);
        shelve_cylinders(other, &covered);
        right = right && is_within(&subsets, &cylinders) && is_within(&cylinders, &subsets) &&
                is_within(&covered, &cylinders);
    }
    if (!right)
        printf("\n    seed %llu, restates %x: %zu, %zu, %zu states\n", (unsigned long long)seed,
               restating.restates[CM_SYNC_FSYNC_FILE], subsets.count, cylinders.count,
               covered.count);
    shelf_free(&subsets);
    shelf_free(&cylinders);
    shelf_free(&covered);
    cm_poset_free(other);
    cm_poset_free(poset);
    sample_free(s);
    return right;
}

static void restating_in_random_traces(void)
{
    size_t failures = 0;
    for (uint64_t seed = 1; seed <= RANDOM_TRACES; seed++)
        failures += !compare_once(seed * 0x9e3779b97f4a7c15u);
    CU_ASSERT_EQUAL(failures, 0);
    CU_ASSERT_TRUE(logs_seen > 0 && logs_beside > 0);
    printf("%zu logs, %zu beside others, %zu lost ", logs_seen, logs_beside, logs_lost);
}

static const struct unit_test tests[] = {
    {"random traces", restating_in_random_traces},
};

UNIT_MAIN("restating", tests)

/*
 * The engine against a naive enumeration: for random small traces, the set of
 * states from the engine must equal the set from all subsets of operations at
 * all crash points, byte for byte, and so must the number of distinct states at
 * each boundary. What is naive is in naive.h, how traces are invented in
 * invent.h.
 */
#include "unit.h"

#include "invent.h"
#include "state.h"
#include "tally.h"

#ifndef TRACES
#define TRACES 600
#endif
#ifndef FIRST_SEED
#define FIRST_SEED 1 /* of a trace that is looked at by hand */
#endif

/* ---- Trees as texts ---- */

static void print_tree(const struct ff_tree *tree, uint32_t directory, const char *path,
                       char **lines, size_t *count)
{
    const struct ff_node *node = ff_tree_node(tree, directory);
    if (directory == FF_ROOT_NODE)
        lines[(*count)++] = cm_format("/ %o #%u\n", (unsigned)node->mode, directory);
    for (size_t i = 0; i < node->entry_count; i++) {
        const struct ff_node *child = ff_tree_node(tree, node->entries[i].node);
        char *full = cm_format("%s/%s", path, node->entries[i].name);
        char hex[2 * MAX_SIZE + 1] = "";
        if (S_ISSOCK(child->mode))
            snprintf(hex, sizeof(hex), "unreadable");
        for (size_t b = 0; S_ISREG(child->mode) && b < child->size; b++)
            snprintf(hex + 2 * b, 3, "%02x", child->data[b]);
        char xattrs[5] = "";
        struct ff_xattr xattr;
        for (size_t at = 0;
             ff_xattrs_next((struct ff_bytes){child->xattrs, child->xattrs_size}, &at, &xattr);) {
            xattrs[strlen(xattrs)] = xattr.name[5];
            xattrs[strlen(xattrs)] = (char)xattr.value.data[0];
        }
        lines[(*count)++] =
            cm_format("%s %o #%u %zu %s %s\n", full, (unsigned)child->mode, node->entries[i].node,
                      S_ISDIR(child->mode) ? 0 : child->size, hex, xattrs);
        if (S_ISDIR(child->mode))
            print_tree(tree, node->entries[i].node, full, lines, count);
        free(full);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The lines in order, and in place of each node's number how many other nodes
 * came before it: so links are told, and nothing else about numbers.
 */
static char *join_lines(char **lines, size_t count)
{
    char *text = cm_format("%s", "");
    unsigned long seen[MAX_NODES];
    size_t seen_count = 0;
    qsort(lines, count, sizeof(*lines), compare_texts);
    for (size_t i = 0; i < count; i++) {
        char *mark = strchr(lines[i], '#'), *rest = NULL;
        unsigned long node = strtoul(mark + 1, &rest, 10);
        size_t known = 0;
        while (known < seen_count && seen[known] != node)
            known++;
        if (known == seen_count)
            seen[seen_count++] = node;
        char *longer =
            cm_format("%s%.*s#%zu%s", text, (int)(mark - lines[i]), lines[i], known, rest);
        free(text);
        free(lines[i]);
        text = longer;
    }
    return text;
}

/* ---- Sets of texts ---- */

struct set {
    char **texts;
    size_t count, capacity;
};

static void set_add(struct set *set, char *text)
{
    set->texts = cm_reserve(set->texts, set->count, &set->capacity, sizeof(*set->texts));
    set->texts[set->count++] = text;
}

static void set_sort(struct set *set)
{
    size_t kept = 0;
    qsort(set->texts, set->count, sizeof(*set->texts), compare_texts);
    for (size_t i = 0; i < set->count; i++) {
        if (kept > 0 && strcmp(set->texts[kept - 1], set->texts[i]) == 0)
            free(set->texts[i]);
        else
            set->texts[kept++] = set->texts[i];
    }
    set->count = kept;
}

static void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->texts[i]);
    free(set->texts);
}

/* ---- The two enumerations ---- */

static int compare_ticks(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void naive_states(struct naive *naive, struct set *all, size_t *per_boundary)
{
    size_t calls = naive->trace->call_count;
    uint64_t ticks[64] = {0};
    for (size_t i = 0; i < calls; i++)
        ticks[i + 1] = call_tick(&naive->trace->calls[i]);
    qsort(ticks + 1, calls, sizeof(*ticks), compare_ticks);
    for (size_t b = 0; b <= calls; b++) {
        struct set here = {0};
        unsigned issued = issued_by(naive, ticks[b], b < calls ? ticks[b + 1] : UINT64_MAX);
        unsigned durable = durable_steps(naive, issued, ticks[b]);
        for (unsigned subset = 0; subset <= issued; subset++) {
            if (!is_legal(naive, subset, issued, durable))
                continue;
            struct picture picture;
            char *lines[64];
            size_t count = 0;
            draw(naive, subset, &picture);
            print_picture(naive, &picture, FF_ROOT_NODE, "", lines, &count);
            set_add(&here, join_lines(lines, count));
        }
        set_sort(&here);
        per_boundary[b] = here.count;
        for (size_t i = 0; i < here.count; i++)
            set_add(all, cm_format("%s", here.texts[i]));
        set_free(&here);
    }
    set_sort(all);
}

static void engine_states(const struct cm_poset *poset, struct set *all, size_t *per_boundary)
{
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_tally *tally = cm_tally_new(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        const struct ff_tree *tree = cm_stepper_step(stepper, cylinder.included);
        char *lines[64];
        size_t count = 0;
        print_tree(tree, FF_ROOT_NODE, "", lines, &count);
        set_add(all, join_lines(lines, count));
        cm_tally_add(tally, cylinder, ff_tree_hash(tree), 0, UINT32_MAX);
    } while (cm_explorer_advance(explorer));
    cm_stepper_free(stepper);
    set_sort(all);
    struct cm_outcome accepted = {.status = CM_ACCEPTED, .text = "ok"};
    for (size_t i = 0; i < cm_tally_count(tally); i++)
        cm_tally_decide(tally, i, 0);
    struct cm_exploration result = {0};
    cm_tally_report(tally, &accepted, 1, &result);
    for (size_t b = 0; b < result.cell_count; b++) {
        per_boundary[b] = result.cells[b].label_count > 0 ? result.cells[b].labels[0].states : 0;
        free(result.cells[b].labels);
    }
    free(result.cells);
    free(result.violations);
    cm_tally_free(tally);
    cm_explorer_free(explorer);
}

static size_t calls_seen[FF_EFFECT_COUNT], stores_seen, unnamed_seen;

/* The state in which everything persisted is what the calls leave one by one. */
static bool nothing_lost_is_what_was_done(const struct cm_poset *poset)
{
    struct ff_error difference;
    cm_word *all = cm_allocate(poset->words, sizeof(cm_word));
    for (size_t o = 0; o < poset->operation_count; o++)
        cm_add(all, o);
    struct ff_tree *state = cm_state_build(poset, all);
    struct ff_tree *tree = ff_tree_from_snapshot(poset->trace);
    bool same = true;
    for (size_t i = 0; same && i < poset->trace->call_count; i++)
        same = ff_tree_apply(tree, &poset->trace->calls[i], &difference) == 0;
    same = same && !ff_tree_differs(state, "state", tree, "calls", &difference);
    if (!same)
        printf("\n    %s", difference.text);
    ff_tree_free(tree);
    ff_tree_free(state);
    free(all);
    return same;
}

/* What a sync states anew may be nothing new: then there may be no operation. */
static bool restates(const struct cm_model *model)
{
    for (size_t i = 0; i < CM_SYNC_COUNT; i++)
        if (model->restates[i] != 0)
            return true;
    return false;
}

/* For whoever has to find out why. */
static void print_trace(const struct ff_trace *trace, const struct cm_model *model)
{
    for (size_t i = 0; i < trace->call_count; i++) {
        const struct ff_call *call = &trace->calls[i];
        printf("    %2zu %-15s %3llu..%-3llu #%u", i, ff_effect_name(call->effect),
               (unsigned long long)call->begin, (unsigned long long)call->end, call->node);
        if (call->filename.data != NULL)
            printf(" %u/%s", call->parent, (const char *)call->filename.data);
        if (call->filename2.data != NULL)
            printf(" -> %u/%s (#%u)", call->parent2, (const char *)call->filename2.data,
                   call->node2);
        printf(" offset %llu length %llu data %.*s mode %o%s\n", (unsigned long long)call->offset,
               (unsigned long long)call->length, (int)call->data.size,
               call->data.data != NULL ? (const char *)call->data.data : "", call->mode,
               call->route == FF_ROUTE_MAPPING ? " mapping" : "");
    }
    cm_model_print(model, stdout);
}

static bool compare_once(uint64_t seed)
{
    struct cm_model model;
    struct sample *sample = invent(seed, &model);
    struct ff_trace *trace = &sample->trace;

    for (size_t i = 0; i < trace->call_count; i++) {
        calls_seen[trace->calls[i].effect]++;
        stores_seen += trace->calls[i].route == FF_ROUTE_MAPPING;
        unnamed_seen +=
            trace->calls[i].effect == FF_EFFECT_CREATE && trace->calls[i].parent == FF_NO_NODE;
    }

    struct naive *naive = cm_allocate(1, sizeof(*naive));
    naive->trace = trace;
    naive->model = &model;
    naive_derive(naive);

    struct ff_error error;
    struct cm_poset *poset = cm_poset_build(trace, &model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    struct set expected = {0}, found = {0};
    size_t expected_cells[64] = {0}, found_cells[64] = {0};
    naive_states(naive, &expected, expected_cells);
    engine_states(poset, &found, found_cells);
    bool equal = nothing_lost_is_what_was_done(poset) && expected.count == found.count &&
                 (restates(&model) || poset->operation_count == naive->step_count) &&
                 memcmp(expected_cells, found_cells, sizeof(found_cells)) == 0;
    for (size_t i = 0; equal && i < found.count; i++) {
        equal = strcmp(expected.texts[i], found.texts[i]) == 0;
        if (!equal)
            printf("\n    expected %s    found %s", expected.texts[i], found.texts[i]);
    }
    if (!equal)
        printf("\n    seed %llu: %zu states expected, %zu found; operations %zu and %zu\n",
               (unsigned long long)seed, expected.count, found.count, naive->step_count,
               poset->operation_count);
    if (!equal)
        print_trace(trace, &model);
    for (size_t b = 0; !equal && b <= trace->call_count; b++)
        printf("    boundary %zu (%s): %zu states expected, %zu found\n", b,
               b > 0 ? ff_effect_name(trace->calls[poset->boundary_calls[b]].effect) : "start",
               expected_cells[b], found_cells[b]);
    set_free(&expected);
    set_free(&found);
    cm_poset_free(poset);
    free(naive);
    sample_free(sample);
    return equal;
}

static void engine_equals_brute_force(void)
{
    size_t failures = 0;
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + TRACES; seed++)
        failures += !compare_once(seed * 0x9e3779b97f4a7c15u);
    CU_ASSERT_EQUAL(failures, 0);
    /* The comparison is worth something only if the traces hold every kind of call. */
    for (size_t effect = 0; effect < FF_EFFECT_COUNT; effect++)
        CU_ASSERT_TRUE(effect == FF_EFFECT_NONE || calls_seen[effect] > 0);
    CU_ASSERT_TRUE(stores_seen > 0 && unnamed_seen > 0);
}

static const struct unit_test tests[] = {
    {"states of random traces, and how many at each boundary", engine_equals_brute_force},
};

UNIT_MAIN("brute force", tests)

/*
 * Random checks of random traces under all shipped models: what the engine finds, branching
 * on what the check looks at or on everything, must be what the check says of each state
 * that a naive enumeration makes; and parts of it, merged, must be what one run of all
 * gives, to the last number. With CRASHMATRIX_TRACES=500 in the environment: of so many
 * traces, and all of them in shards, too, which takes minutes.
 */
#include "unit.h"

#include <unistd.h>

#include "invented_check.h"
#include "print.h"
#include "progress.h"
#include "shipped.h"

#ifndef TRACES
#define TRACES 30
#endif

enum { MOST_TEXTS = 64, MOST_BOUNDARIES = 64 };

/* Where progress files go: to memory, if that can be, since each of them is synced. */
static char folder[64];

static void make_folder(void)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof(folder), "%s/crashmatrix-shards.XXXXXX", parent);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static char *path_of(unsigned shard)
{
    return cm_format("%s/%u.cmx", folder, shard);
}

/* ---- What the naive enumeration says ---- */

/* At one boundary. */
struct expected {
    char labels[MOST_TEXTS][CM_TEXT_SIZE];
    size_t label_count;
    bool violated;
    size_t state_count;
};

/* Those at the boundary at hand. */
static struct ff_hash found_states[4096];

static bool note_text(char texts[][CM_TEXT_SIZE], size_t *count, const char *text)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(texts[i], text) == 0)
            return false;
    CU_ASSERT_TRUE_FATAL(*count < MOST_TEXTS);
    strcpy(texts[(*count)++], text);
    return true;
}

static void note_state(struct expected *here, struct ff_hash hash)
{
    for (size_t i = 0; i < here->state_count; i++)
        if (found_states[i].low == hash.low && found_states[i].high == hash.high)
            return;
    found_states[here->state_count++] = hash;
}

static int compare_ticks(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static size_t boundary_ticks(const struct ff_trace *trace, uint64_t *ticks)
{
    for (size_t i = 0; i < trace->call_count; i++)
        ticks[i + 1] = call_tick(&trace->calls[i]);
    qsort(ticks + 1, trace->call_count, sizeof(*ticks), compare_ticks);
    return trace->call_count;
}

/* What had been printed by then: these traces print "x\n" each time. */
static char *output_at(const struct ff_trace *trace, uint64_t tick)
{
    char *output = cm_format("%s", "");
    for (size_t i = 0; i < trace->call_count; i++) {
        const struct ff_call *call = &trace->calls[i];
        if (call->effect != FF_EFFECT_OUTPUT || call_tick(call) > tick)
            continue;
        char *longer = cm_format("%sx\n", output);
        free(output);
        output = longer;
    }
    return output;
}

static void judge(const struct naive *naive, unsigned subset, const struct cm_check *check,
                  char *output, struct expected *here)
{
    struct picture picture;
    struct cm_outcome outcome;
    struct ff_tree *tree = ff_tree_new();
    draw(naive, subset, &picture);
    plant_picture(naive, &picture, FF_ROOT_NODE, tree);
    struct cm_state state = {
        .tree = tree, .output = output, .output_size = strlen(output), .model = ""};
    note_state(here, ff_tree_hash(tree));
    check->run(check->context, &state, &outcome);
    if (outcome.status == CM_ACCEPTED)
        note_text(here->labels, &here->label_count, outcome.text);
    else
        here->violated = true;
    ff_tree_free(tree);
}

/* At the boundary of a tick, before the next one's. */
static void expect(const struct naive *naive, const struct cm_check *check, uint64_t tick,
                   uint64_t next, struct expected *here)
{
    char *output = output_at(naive->trace, tick);
    unsigned issued = issued_by(naive, tick, next);
    *here = (struct expected){.label_count = 0};
    unsigned durable = durable_steps(naive, issued, tick);
    for (unsigned subset = 0; subset <= issued; subset++)
        if (is_legal(naive, subset, issued, durable))
            judge(naive, subset, check, output, here);
    free(output);
}

static uint64_t states_in(const struct cm_cell *cell)
{
    uint64_t states = cell->violations;
    for (size_t i = 0; i < cell->label_count; i++)
        states += cell->labels[i].states;
    return states;
}

static bool is_as_expected(const struct expected *here, const struct cm_cell *cell, bool eager)
{
    char found[MOST_TEXTS][CM_TEXT_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < here->label_count; i++)
        note_text(found, &count, here->labels[i]);
    for (size_t i = 0; i < cell->label_count; i++)
        if (note_text(found, &count, cell->labels[i].name))
            return false;
    return cell->label_count == here->label_count && here->violated == (cell->violations > 0) &&
           (!eager || states_in(cell) == here->state_count);
}

/* ---- What the engine says ---- */

struct trial {
    const struct ff_trace *trace;
    const struct cm_model *model;
    const struct cm_check *check;
    bool eager;
};

static struct cm_exploration *explore(const struct trial *trial, unsigned index, unsigned count)
{
    struct ff_error error = {""};
    char *path = path_of(index);
    struct cm_options options = {.jobs = 1,
                                 .eager = trial->eager,
                                 .shard = {index, count},
                                 .progress_path = count > 1 ? path : NULL};
    struct cm_exploration *result =
        cm_explore(trial->trace, trial->model, trial->check, &options, &error);
    if (result == NULL)
        printf("\n    %s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    free(path);
    return result;
}

/* No shard says that all is covered; all together say what one run of all says. */
static bool shards_agree(const struct trial *trial, unsigned count, const char *expected)
{
    const char *paths[7];
    struct ff_error error = {""};
    bool agree = true;
    uint64_t violations = 0;
    for (unsigned i = 0; i < count; i++) {
        struct cm_exploration *part = explore(trial, i, count);
        agree = agree && part->complete && !part->exhaustive;
        violations += part->violation_count;
        paths[i] = path_of(i);
        cm_exploration_free(part);
    }
    struct cm_options options = {.jobs = 1};
    struct cm_exploration *whole =
        cm_merge(trial->trace, trial->model, paths, count, &options, &error);
    char *found = whole != NULL ? print_exploration(whole) : cm_format("%s", error.text);
    if (strcmp(found, expected) != 0) {
        agree = false;
        printf("\n    %u shards: expected %s    found %s", count, expected, found);
    }
    agree = agree && (whole->violation_count > 0) == (violations > 0);
    /* Without one of them it is not everything. */
    free((void *)(uintptr_t)paths[count - 1]);
    paths[count - 1] = NULL;
    struct cm_exploration *part =
        cm_merge(trial->trace, trial->model, paths, count, &options, &error);
    agree = agree && part != NULL && !part->exhaustive && !part->complete;
    cm_exploration_free(part);
    cm_exploration_free(whole);
    for (unsigned i = 0; i < count; i++)
        free((void *)(uintptr_t)paths[i]);
    free(found);
    return agree;
}

/* At each boundary; returns the last one. */
static size_t expect_all(const struct naive *naive, const struct cm_check *check,
                         struct expected *expected)
{
    uint64_t ticks[MOST_BOUNDARIES] = {0};
    size_t last = boundary_ticks(naive->trace, ticks);
    for (size_t b = 0; b <= last; b++)
        expect(naive, check, ticks[b], b < last ? ticks[b + 1] : UINT64_MAX, &expected[b]);
    return last;
}

static bool compare_one(const struct trial *trial, const struct expected *expected, size_t last,
                        bool in_shards)
{
    struct cm_exploration *whole = explore(trial, 0, 1);
    bool same = whole->exhaustive && whole->observed == !trial->eager &&
                strcmp(whole->legal, whole->covered) == 0;
    for (size_t b = 0; same && b <= last; b++)
        same = is_as_expected(&expected[b], &whole->cells[b], trial->eager);
    char *text = print_exploration(whole);
    same = same && (!in_shards || (shards_agree(trial, 2, text) && shards_agree(trial, 7, text)));
    cm_exploration_free(whole);
    free(text);
    return same;
}

/* A trace of the size that the model can have. */
static struct sample *invent_for(uint64_t seed, const struct cm_model *model)
{
    random_state = seed;
    struct world world = {.sample = sample_new()};
    invent_trace(&world, model);
    qsort(world.sample->calls, world.sample->trace.call_count, sizeof(struct ff_call),
          compare_ends);
    return world.sample;
}

static bool compare(uint64_t seed, const struct cm_model *model, bool in_shards)
{
    static struct expected expected[MOST_BOUNDARIES];
    struct sample *sample = invent_for(seed, model);
    struct invented invented = {.seed = seed};
    struct cm_check check = {.context = &invented, .run = invented_run, .observes = true};
    struct naive *naive = cm_allocate(1, sizeof(*naive));
    naive->trace = &sample->trace;
    naive->model = model;
    naive_derive(naive);
    size_t last = expect_all(naive, &check, expected);
    bool same = true;
    for (int eager = 0; same && eager <= 1; eager++) {
        struct trial trial = {&sample->trace, model, &check, eager != 0};
        same = compare_one(&trial, expected, last, in_shards);
        if (!same)
            printf("\n    seed %llu, %s, %s\n", (unsigned long long)seed, model->name,
                   eager != 0 ? "eager" : "observed");
    }
    free(naive);
    sample_free(sample);
    return same;
}

/* Shards are tried of one in so many. */
static size_t compare_models(uint64_t seed, unsigned sharded)
{
    size_t failures = 0;
    for (size_t m = 0; m < model_count; m++)
        failures += !compare(seed * 0x9e3779b97f4a7c15u, models[m], (seed + m) % sharded == 0);
    return failures;
}

static void engine_equals_brute_force(void)
{
    size_t failures = 0;
    const char *wanted = getenv("CRASHMATRIX_TRACES");
    uint64_t traces = wanted != NULL ? strtoull(wanted, NULL, 10) : TRACES;
    make_folder();
    load_models();
    for (uint64_t seed = 1; seed <= traces; seed++)
        failures += compare_models(seed, wanted != NULL ? 1 : 8);
    CU_ASSERT_EQUAL(failures, 0);
    for (unsigned i = 0; i < 7; i++) {
        char *path = path_of(i);
        unlink(path);
        free(path);
    }
    CU_ASSERT_EQUAL(rmdir(folder), 0);
    for (size_t i = 0; i < model_count; i++)
        cm_model_free(models[i]);
}

static const struct unit_test tests[] = {
    {"random checks under all models, whole and in shards", engine_equals_brute_force},
};

UNIT_MAIN("shards", tests)

/*
 * Power cuts during recovery. Random recoveries of random traces, cut once, twice, and as
 * often as it makes a difference: what the engine rejects, branching on what recovery and
 * check look at or on everything, must be what is found by following each state by itself,
 * with a recording of its own and no phases. And two recoveries by hand: one that is safe
 * unless it is cut, or cut twice, and its correct twin.
 */
#include "unit.h"

#include <unistd.h>

#include "hashset.h"
#include "invent.h"
#include "leaf_key.h"
#include "split.h"
#include "state.h"

#ifndef TRACES
#define TRACES 90
#endif

/* Recoveries of which more states than this come are left out. */
enum { MOST_STATES = 1500, STEPS = 3, MOST_VERDICTS = 512, OUTCOMES = 96 };

/* ---- A recovery that is invented ---- */

/* It looks at something and changes something, each chosen by a hash of what it saw before. */
struct invented {
    uint64_t seed;
    uint64_t records; /* how often it was asked to */
};

struct mender {
    struct cm_state *state;
    struct sample *calls; /* that it makes */
    uint64_t hash;
};

static void mix(struct mender *mender, uint64_t seen)
{
    mender->hash = (mender->hash ^ seen) * 0x9e3779b97f4a7c15u;
    mender->hash ^= mender->hash >> 29;
}

static void apply(struct mender *mender)
{
    struct ff_error error;
    struct ff_call *call = &mender->calls->calls[mender->calls->trace.call_count - 1];
    if (ff_tree_apply(mender->state->tree, call, &error) != 0) {
        fprintf(stderr, "the recovery: %s\n", error.text);
        abort();
    }
}

static const char *pick_name(struct mender *mender)
{
    static const char *const names[] = {"a", "b", "c", "old", "n"};
    mix(mender, 3);
    return names[mender->hash / 8 % 5];
}

/* All that a change of its content must have looked at. */
static void look_at_all(struct mender *mender, uint32_t file)
{
    unsigned char content[MAX_SIZE];
    size_t size = cm_state_read(mender->state, file, content, sizeof(content), 0);
    mix(mender, size);
    for (size_t i = 0; i < size; i++)
        mix(mender, content[i]);
}

static void change_content(struct mender *mender, uint32_t file)
{
    look_at_all(mender, file);
    if (mender->hash % 4 == 0) {
        sample_resize(mender->calls, file, mender->hash / 8 % 10);
        apply(mender);
    } else if (mender->hash % 4 == 1) {
        cm_looks_at_attributes(mender->state, file);
        struct ff_call *call = sample_call(mender->calls, "fchmod", FF_EFFECT_ATTRIBUTES);
        call->node = file;
        call->mode = S_IFREG | (mender->hash / 8 % 2 != 0 ? 0600 : 0640);
        apply(mender);
    } else {
        sample_write(mender->calls, file, mender->hash / 8 % 7, 1 + mender->hash / 64 % 6,
                     (char)('a' + mender->hash / 512 % 3));
        apply(mender);
    }
    if (mender->hash / 16 % 3 == 0) {
        sample_fsync(mender->calls, file);
        apply(mender);
    }
}

static void change_name(struct mender *mender, const char *name, uint32_t file)
{
    const char *target = pick_name(mender);
    uint32_t old = cm_state_lookup(mender->state, FF_ROOT_NODE, target);
    bool is_file = old == FF_NO_NODE || S_ISREG(ff_tree_node(mender->state->tree, old)->mode);
    mix(mender, old != FF_NO_NODE);
    /* To lose its last name may be to lose its content, step by step. */
    look_at_all(mender, file);
    if (old != FF_NO_NODE && is_file)
        look_at_all(mender, old);
    if (mender->hash % 3 == 0 || !is_file || old == file)
        sample_unlink(mender->calls, FF_ROOT_NODE, name, file);
    else
        sample_rename(mender->calls, file, FF_ROOT_NODE, name, FF_ROOT_NODE, target, old);
    /* Whether both mean one file is seen by their links only. */
    if (old != FF_NO_NODE)
        cm_looks_at_links(mender->state, old);
    apply(mender);
}

static void create(struct mender *mender, const char *name)
{
    mender->calls->next_node = ff_tree_fresh_id(mender->state->tree);
    uint32_t file = sample_create(mender->calls, FF_ROOT_NODE, name, S_IFREG | 0644);
    apply(mender);
    if (mender->hash % 2 == 0) {
        sample_write(mender->calls, file, 0, 1 + mender->hash / 4 % 6, 'n');
        apply(mender);
    }
}

static void mend_step(struct mender *mender)
{
    const char *name = pick_name(mender);
    uint32_t node = cm_state_lookup(mender->state, FF_ROOT_NODE, name);
    uint32_t mode = node == FF_NO_NODE ? 0 : ff_tree_node(mender->state->tree, node)->mode;
    mix(mender, mode & S_IFMT);
    if (mender->hash / 32 % 4 == 0)
        return;
    if (mender->hash / 128 % 8 == 0) {
        cm_looks_at_output(mender->state);
        mix(mender, mender->state->output_size);
    }
    if (node == FF_NO_NODE)
        create(mender, name);
    else if (S_ISREG(mode) && mender->hash / 128 % 2 == 0)
        change_name(mender, name, node);
    else if (S_ISREG(mode))
        change_content(mender, node);
    if (mender->hash / 1024 % 4 == 0) {
        sample_fsync(mender->calls, FF_ROOT_NODE);
        apply(mender);
    }
}

static struct sample *mend(struct cm_state *state, uint64_t seed)
{
    struct mender mender = {state, sample_new(), seed};
    mix(&mender, 1);
    for (int i = 0; i < STEPS; i++)
        mend_step(&mender);
    return mender.calls;
}

static bool changes_files(const struct sample *calls)
{
    for (size_t i = 0; i < calls->trace.call_count; i++)
        if (calls->calls[i].effect != FF_EFFECT_SYNC_FILE)
            return true;
    return false;
}

/* Reads a little more, and judges by all that was seen. */
static void judge(struct cm_state *state, uint64_t seed, struct cm_outcome *outcome)
{
    struct mender reader = {.state = state, .hash = seed};
    for (int i = 0; i < 3; i++) {
        const char *name = pick_name(&reader);
        uint32_t node = cm_state_lookup(state, FF_ROOT_NODE, name);
        mix(&reader, node != FF_NO_NODE);
        if (node != FF_NO_NODE && S_ISREG(ff_tree_node(state->tree, node)->mode))
            look_at_all(&reader, node);
    }
    outcome->status = reader.hash / 8 % 3 == 0 ? CM_VIOLATED : CM_ACCEPTED;
    snprintf(outcome->text, sizeof(outcome->text), "%llu",
             (unsigned long long)(reader.hash / 64 % OUTCOMES));
}

static void invented_run(void *context, struct cm_state *state, struct cm_outcome *outcome)
{
    const struct invented *invented = context;
    struct sample *calls = mend(state, invented->seed);
    if (!changes_files(calls))
        cm_recovery_was_idle(state);
    sample_free(calls);
    judge(state, invented->seed + 1, outcome);
}

/* ---- Recording ---- */

/* A tree whose nodes are numbered as in a snapshot: in the order of a walk. */
struct numbering {
    const struct ff_tree *from;
    struct ff_tree *to;
    struct ff_snapshot_node nodes[64];
    struct ff_snapshot_name names[64];
    size_t node_count, name_count;
    uint32_t numbers[256];
};

static uint32_t number_node(struct numbering *numbering, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(numbering->from, id);
    if (numbering->numbers[id] != 0)
        return numbering->numbers[id];
    uint32_t number = (uint32_t)++numbering->node_count;
    numbering->numbers[id] = number;
    numbering->nodes[number - 1] = (struct ff_snapshot_node){
        .mode = node->mode,
        .uid = node->uid,
        .gid = node->gid,
        .data = {node->data, S_ISREG(node->mode) || S_ISLNK(node->mode) ? node->size : 0},
        .xattrs = {node->xattrs, node->xattrs_size},
    };
    for (size_t i = 0; i < node->entry_count; i++) {
        const char *name = node->entries[i].name;
        struct ff_snapshot_name *at = &numbering->names[numbering->name_count++];
        at->parent = number;
        at->filename = (struct ff_bytes){(unsigned char *)(uintptr_t)name, strlen(name)};
        at->node = number_node(numbering, node->entries[i].node);
    }
    return number;
}

static int compare_names(const void *a, const void *b)
{
    const struct ff_snapshot_name *left = a, *right = b;
    if (left->parent != right->parent)
        return left->parent < right->parent ? -1 : 1;
    return strcmp((const char *)left->filename.data, (const char *)right->filename.data);
}

static int record(const struct cm_state *state, uint64_t seed,
                  struct sample *(*recover)(struct cm_state *, uint64_t), const char *path,
                  struct ff_error *error)
{
    struct numbering *numbering = cm_allocate(1, sizeof(*numbering));
    numbering->from = state->tree;
    number_node(numbering, FF_ROOT_NODE);
    qsort(numbering->names, numbering->name_count, sizeof(numbering->names[0]), compare_names);
    struct ff_trace snapshot = {.nodes = numbering->nodes,
                                .node_count = numbering->node_count,
                                .names = numbering->names,
                                .name_count = numbering->name_count};
    struct cm_state renumbered = *state;
    renumbered.tree = ff_tree_from_snapshot(&snapshot);
    renumbered.observer = NULL;
    struct sample *calls = recover(&renumbered, seed);
    calls->trace.nodes = numbering->nodes;
    calls->trace.node_count = numbering->node_count;
    calls->trace.names = numbering->names;
    calls->trace.name_count = numbering->name_count;
    unlink(path);
    int status = ff_trace_write(&calls->trace, path, error);
    sample_free(calls);
    ff_tree_free(renumbered.tree);
    free(numbering);
    return status;
}

static int invented_record(void *context, struct cm_state *state, const char *path,
                           struct ff_error *error)
{
    const struct invented *invented = context;
    return record(state, invented->seed, mend, path, error);
}

/* ---- One state after the other ---- */

/* What was rejected, after how few cuts during recovery. */
struct verdicts {
    struct {
        unsigned depth;
        char text[CM_TEXT_SIZE];
    } items[MOST_VERDICTS];
    size_t count;
};

static void verdicts_add(struct verdicts *verdicts, unsigned depth, const char *text)
{
    size_t i = 0;
    while (i < verdicts->count && strcmp(verdicts->items[i].text, text) != 0)
        i++;
    if (i == verdicts->count) {
        verdicts->items[verdicts->count++].depth = depth;
        snprintf(verdicts->items[i].text, CM_TEXT_SIZE, "%s", text);
    }
    if (depth < verdicts->items[i].depth)
        verdicts->items[i].depth = depth;
}

static bool verdicts_agree(const struct verdicts *a, const struct verdicts *b)
{
    bool agree = a->count == b->count;
    for (size_t i = 0; i < a->count && agree; i++) {
        size_t j = 0;
        while (j < b->count && strcmp(b->items[j].text, a->items[i].text) != 0)
            j++;
        agree = j < b->count && a->items[i].depth == b->items[j].depth;
    }
    return agree;
}

static void verdicts_print(const char *what, const struct verdicts *verdicts)
{
    printf("    %s:", what);
    for (size_t i = 0; i < verdicts->count; i++)
        printf(" %s/%u", verdicts->items[i].text, verdicts->items[i].depth);
    printf("\n");
}

/* A state that waits for its recovery. */
struct waiting {
    struct ff_tree *tree;
    uint32_t output;
};

struct naively {
    const struct cm_check *check;
    const struct cm_model *model;
    const struct cm_poset *workload;
    struct waiting *queue, *next;
    size_t queue_count, next_count, queue_capacity, next_capacity;
    struct cm_hashset known;
    struct verdicts verdicts;
    char path[64];
    unsigned depth;
};

/* Each state once, since the first time is after the fewest cuts. Takes the tree. */
static void meet(struct naively *naively, struct ff_tree *tree, uint32_t output)
{
    struct ff_hash key = ff_tree_hash(tree);
    key.low += 0x9e3779b97f4a7c15u * output;
    if (!cm_hashset_add(&naively->known, key)) {
        ff_tree_free(tree);
        return;
    }
    naively->next = cm_reserve(naively->next, naively->next_count, &naively->next_capacity,
                               sizeof(*naively->next));
    naively->next[naively->next_count++] = (struct waiting){tree, output};
}

/* All ideals, one subset of the operations after the other. */
static void meet_ideals(struct naively *naively, const struct cm_poset *poset, uint32_t output)
{
    CU_ASSERT_TRUE_FATAL(poset->operation_count < 20);
    for (cm_word set = 0; set < (cm_word)1 << poset->operation_count; set++) {
        uint32_t first = 0, end = (uint32_t)poset->trace->call_count + 1;
        bool closed = true;
        for (size_t o = 0; o < poset->operation_count; o++) {
            const struct cm_operation *shown = &poset->operations[o].shown;
            if ((set >> o & 1) == 0)
                end = shown->durable < end ? shown->durable : end;
            else
                first = shown->boundary > first ? shown->boundary : first;
            closed = closed && ((set >> o & 1) == 0 || cm_within(cm_down(poset, o), &set, 1));
        }
        if (!closed)
            continue;
        if (output != CM_ANY_OUTPUT) {
            meet(naively, cm_state_build(poset, &set), output);
            continue;
        }
        for (uint32_t k = poset->outputs[first]; k <= poset->outputs[end - 1]; k++)
            meet(naively, cm_state_build(poset, &set), k);
    }
}

static void follow(struct naively *naively, struct waiting *waiting, bool cut)
{
    struct cm_outcome outcome;
    struct ff_error error = {""};
    struct ff_tree *tree = ff_tree_copy(waiting->tree);
    struct cm_state state = {.tree = tree, .model = "random"};
    size_t size = 0;
    char *output = cm_poset_output(naively->workload, waiting->output, &size);
    state.output = output;
    state.output_size = size;
    naively->check->run(naively->check->context, &state, &outcome);
    ff_tree_free(tree);
    if (outcome.status != CM_ACCEPTED)
        verdicts_add(&naively->verdicts, naively->depth, outcome.text);
    state.tree = waiting->tree;
    if (outcome.status == CM_ACCEPTED && cut) {
        if (naively->check->record(naively->check->context, &state, naively->path, &error) != 0)
            printf("\n    %s\n", error.text);
        CU_ASSERT_EQUAL_FATAL(error.text[0], '\0');
        struct ff_trace *trace = ff_trace_open(naively->path, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
        struct cm_poset *own = cm_poset_build(trace, naively->model, 0, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(own);
        meet_ideals(naively, own, waiting->output);
        cm_poset_free(own);
        ff_trace_free(trace);
    }
    free(output);
    ff_tree_free(waiting->tree);
}

/* False: there are too many states. */
static bool follow_all(struct naively *naively, unsigned limit)
{
    meet_ideals(naively, naively->workload, CM_ANY_OUTPUT);
    for (naively->depth = 0; naively->next_count > 0 && naively->depth <= limit; naively->depth++) {
        free(naively->queue);
        naively->queue = naively->next;
        naively->queue_count = naively->next_count;
        naively->next = NULL;
        naively->next_count = naively->next_capacity = 0;
        for (size_t i = 0; i < naively->queue_count; i++)
            follow(naively, &naively->queue[i],
                   naively->depth < limit && naively->known.count < MOST_STATES);
    }
    free(naively->queue);
    free(naively->next);
    bool all = naively->known.count < MOST_STATES;
    cm_hashset_free(&naively->known);
    return all;
}

/* ---- Comparing ---- */

static size_t rejections[4], replayed, fixpoints, compared;

/* The state that an id names has the outcome that the engine says. */
static bool replays(const struct ff_trace *trace, const struct cm_model *model,
                    const struct cm_check *check, const struct cm_violation *violation)
{
    struct cm_state state = {.model = "random"};
    struct ff_error error = {""};
    struct cm_outcome outcome = {.status = CM_BROKEN};
    char *output = NULL;
    if (cm_rebuild_nested(trace, model, violation->id, check, &state.tree, &output,
                          &state.output_size, &error) != 0) {
        printf("\n    %s: %s\n", violation->id, error.text);
        return false;
    }
    state.output = output;
    check->run(check->context, &state, &outcome);
    ff_tree_free(state.tree);
    free(output);
    replayed++;
    if (outcome.status == violation->status && strcmp(outcome.text, violation->reason) == 0)
        return true;
    printf("\n    %s: %s, not %s\n", violation->id, outcome.text, violation->reason);
    return false;
}

static bool explore_as(const struct ff_trace *trace, const struct cm_model *model,
                       const struct cm_check *check, const struct cm_options *options,
                       const struct naively *naively)
{
    struct ff_error error = {""};
    struct verdicts found = {0};
    struct cm_exploration *result = cm_explore(trace, model, check, options, &error);
    if (result == NULL) {
        printf("\n    %s\n", error.text);
        return false;
    }
    for (size_t i = 0; i < result->violation_count; i++) {
        const struct cm_violation *violation = &result->violations[i];
        verdicts_add(&found, (unsigned)violation->cut_count, violation->reason);
    }
    bool equal = result->exhaustive && result->unobserved_count == 0 &&
                 verdicts_agree(&naively->verdicts, &found);
    if (options->nested == CM_NESTED_FIXPOINT)
        equal = equal && result->fixpoint;
    for (size_t i = 0; i < result->depth_count; i++)
        equal = equal && result->depths[i].legal != NULL &&
                strcmp(result->depths[i].legal, result->depths[i].covered) == 0;
    for (size_t i = 0; i < result->violation_count && equal; i += 1 + i / 4)
        equal = replays(trace, model, check, &result->violations[i]);
    if (!equal) {
        printf("\n    %s, nested %u, %s, fixpoint %d\n", options->eager ? "eagerly" : "observed",
               options->nested, result->exhaustive ? "exhaustive" : "not exhaustive",
               result->fixpoint);
        verdicts_print("expected", &naively->verdicts);
        verdicts_print("found", &found);
        for (size_t i = 0; i < result->unobserved_count; i++)
            printf("    %s\n", result->unobserved[i].kind);
    }
    fixpoints += result->fixpoint;
    cm_exploration_free(result);
    return equal;
}

static bool compare_once(uint64_t seed, unsigned nested)
{
    struct cm_model model;
    struct sample *sample = invent(seed, &model);
    struct invented invented = {.seed = seed * 31};
    struct cm_check check = {
        .context = &invented, .run = invented_run, .record = invented_record, .observes = true};
    struct cm_options options = {.jobs = 1, .nested = nested};
    struct naively *naively = cm_allocate(1, sizeof(*naively));
    struct ff_error error;
    struct cm_poset *workload = cm_poset_build(&sample->trace, &model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(workload);
    naively->check = &check;
    naively->model = &model;
    naively->workload = workload;
    snprintf(naively->path, sizeof(naively->path), "%s/test_nested.%ld.cmt", getenv("TMPDIR"),
             (long)getpid());
    bool equal = true, all = follow_all(naively, nested);
    unlink(naively->path);
    for (size_t i = 0; i < naively->verdicts.count && all; i++)
        rejections[naively->verdicts.items[i].depth < 3 ? naively->verdicts.items[i].depth : 3]++;
    compared += all;
    for (int eager = 0; eager < 2 && all; eager++) {
        options.eager = eager != 0;
        equal = explore_as(&sample->trace, &model, &check, &options, naively) && equal;
    }
    if (!equal)
        printf("    seed %llu, %zu operations\n", (unsigned long long)seed,
               workload->operation_count);
    cm_poset_free(workload);
    free(naively);
    sample_free(sample);
    return equal;
}

static void engine_equals_following(void)
{
    static const unsigned depths[] = {1, 2, CM_NESTED_FIXPOINT};
    size_t failures = 0;
    /* Each trace is synced when it is written. */
    setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 1);
    for (uint64_t i = 0; i < TRACES; i++)
        failures += !compare_once((i + 1) * 0x9e3779b97f4a7c15u, depths[i % 3]);
    CU_ASSERT_EQUAL(failures, 0);
    printf("(%zu compared; rejected after 0, 1, 2, more cuts: %zu, %zu, %zu, %zu; %zu replayed, "
           "%zu fixpoints) ",
           compared, rejections[0], rejections[1], rejections[2], rejections[3], replayed,
           fixpoints);
    /* The comparison is worth something only if it takes cuts to find some of it. */
    CU_ASSERT_TRUE(rejections[1] > TRACES && rejections[2] > 0 && replayed > TRACES);
    CU_ASSERT_TRUE(fixpoints > TRACES / 9 && compared > TRACES / 3);
}

/* ---- Keys ---- */

#ifndef LEAVES
#define LEAVES 80
#endif

struct keyed {
    struct ff_hash key;
    uint64_t states; /* a hash of all of them, with their outputs */
};

/* Splits a cylinder by a few random locations, at random. */
static void invent_leaf(const struct cm_poset *poset, struct cm_leaf *leaf)
{
    cm_word *included = leaf->sets, *excluded = leaf->sets + poset->words;
    memset(leaf->sets, 0, 2 * poset->words * sizeof(cm_word));
    for (unsigned i = random_below(4); i > 0 && poset->operation_count > 0; i--) {
        size_t o = random_below((unsigned)poset->operation_count);
        if (random_below(2) != 0 && !cm_meet(cm_down(poset, o), excluded, poset->words))
            cm_unite(included, cm_down(poset, o), poset->words);
        else if (!cm_meet(cm_up(poset, o), included, poset->words))
            cm_unite(excluded, cm_up(poset, o), poset->words);
    }
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, leaf->sets));
    leaf->last_output = poset->outputs[legal.end - 1];
    leaf->first_output = random_below(2) != 0 ? leaf->last_output : 0;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* A hash of the set of all states of a leaf. */
static uint64_t hash_states(const struct cm_poset *poset, const struct cm_leaf *leaf)
{
    uint64_t *states = cm_allocate((1u << poset->operation_count) * 20, sizeof(*states));
    size_t count = 0;
    for (cm_word set = 0; set < (cm_word)1 << poset->operation_count; set++) {
        struct cm_interval legal = {0, (uint32_t)poset->trace->call_count + 1};
        bool member = cm_within(leaf->sets, &set, 1) && !cm_meet(leaf->sets + 1, &set, 1);
        for (size_t o = 0; o < poset->operation_count && member; o++) {
            const struct cm_operation *shown = &poset->operations[o].shown;
            if ((set >> o & 1) == 0)
                legal.end = shown->durable < legal.end ? shown->durable : legal.end;
            else
                legal.first = shown->boundary > legal.first ? shown->boundary : legal.first;
            member = member && ((set >> o & 1) == 0 || cm_within(cm_down(poset, o), &set, 1));
        }
        if (!member)
            continue;
        struct ff_tree *tree = cm_state_build(poset, &set);
        struct ff_hash hash = ff_tree_hash(tree);
        ff_tree_free(tree);
        /* What a recovery prints makes no difference. */
        if (poset->workload_count == 0)
            legal = (struct cm_interval){0, 1};
        for (uint32_t k = poset->outputs[legal.first]; k <= poset->outputs[legal.end - 1]; k++)
            if (leaf->first_output <= k && k <= leaf->last_output)
                states[count++] = (hash.low ^ k) * 0x9e3779b97f4a7c15u + hash.high;
    }
    uint64_t sum = 0;
    if (count > 1)
        qsort(states, count, sizeof(*states), compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || states[i] != states[i - 1])
            sum = (sum ^ states[i]) * 0x9e3779b97f4a7c15u;
    free(states);
    return sum;
}

/* recovery: as if a recovery had done all of it. */
static void add_leaves(const struct ff_trace *trace, const struct cm_model *model, bool recovery,
                       struct keyed *keyed)
{
    struct ff_error error;
    struct cm_poset *poset = cm_poset_build(trace, model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    struct cm_leaf *leaf = cm_allocate(1, cm_leaf_size(poset) + 2 * sizeof(cm_word));
    if (recovery)
        poset->workload_count = 0;
    for (size_t i = 0; i < LEAVES && poset->operation_count > 0; i++) {
        invent_leaf(poset, leaf);
        if (recovery)
            leaf->first_output = leaf->last_output = 0;
        keyed[i].key = cm_leaf_key(poset, leaf);
        keyed[i].states = hash_states(poset, leaf);
    }
    free(leaf);
    cm_poset_free(poset);
}

/* Of one trace under two models, of which the second has another rule. */
static void compare_keys(bool recovery)
{
    static struct cm_order_rule everything = {CM_SET_NAMES | CM_SET_DATA | CM_BIT(GROW),
                                              CM_SET_NAMES | CM_SET_DATA | CM_BIT(GROW),
                                              CM_SCOPE_ALL};
    static struct keyed keyed[2 * LEAVES];
    size_t equal = 0, wrong = 0;
    for (uint64_t seed = 401; seed <= 500; seed++) {
        struct cm_model model;
        struct sample *sample = invent(seed * 0x9e3779b97f4a7c15u, &model);
        memset(keyed, 0, sizeof(keyed));
        add_leaves(&sample->trace, &model, recovery, keyed);
        model.rules = &everything;
        model.rule_count = 1;
        add_leaves(&sample->trace, &model, recovery, keyed + LEAVES);
        for (size_t i = 0; i < 2 * LEAVES; i++)
            for (size_t j = 0; j < i; j++)
                if (keyed[i].key.low == keyed[j].key.low &&
                    keyed[i].key.high == keyed[j].key.high) {
                    equal++;
                    wrong += keyed[i].states != keyed[j].states;
                }
        sample_free(sample);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    printf("(%zu pairs) ", equal);
    CU_ASSERT_TRUE(equal > 1000);
}

static void keys_of_workloads(void)
{
    compare_keys(false);
}

static void keys_of_recoveries(void)
{
    compare_keys(true);
}

static const struct unit_test tests[] = {
    {"leaves with equal keys have equal states", keys_of_workloads},
    {"the same with what recoveries may have done", keys_of_recoveries},
    {"cuts of random recoveries", engine_equals_following},
};

UNIT_MAIN("nested", tests)

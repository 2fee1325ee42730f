#include "examined.h"

#include "identity.h"
#include "observer.h"
#include "outcome.h"
#include "state.h"
#include "target.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* ---- The check ---- */

struct look {
    struct cm_state *state;
    uint64_t hash;
};

static void mix(struct look *look, uint64_t seen)
{
    look->hash = (look->hash ^ seen) * 0x9e3779b97f4a7c15u;
    look->hash ^= look->hash >> 29;
}

static void look_at_file(struct look *look, uint32_t id, const struct ff_node *file)
{
    unsigned char bytes[4];
    switch (look->hash % 4) {
    case 0:
        mix(look, cm_state_size(look->state, id));
        return;
    case 1:
        cm_looks_at_attributes(look->state, id);
        mix(look, file->mode);
        for (size_t i = 0; i < file->xattrs_size; i++)
            mix(look, file->xattrs[i]);
        return;
    case 2:
        cm_looks_at_links(look->state, id);
        return;
    default:
        for (size_t i = 0, size = cm_state_read(look->state, id, bytes, 4, look->hash / 4 % 9);
             i < size; i++)
            mix(look, bytes[i] + 1u);
    }
}

/* Returns what is looked at next. */
static uint32_t look_at_directory(struct look *look, uint32_t id)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    if (look->hash % 4 == 0) {
        const struct ff_node *node = cm_state_list(look->state, id);
        for (size_t i = 0; i < node->entry_count; i++)
            mix(look, (unsigned char)node->entries[i].name[0]);
        return id;
    }
    uint32_t child = cm_state_lookup(look->state, id, names[look->hash / 4 % 4]);
    mix(look, child == FF_NO_NODE ? 0 : ff_tree_node(look->state->tree, child)->mode & S_IFMT);
    return child == FF_NO_NODE ? FF_ROOT_NODE : child;
}

void examined_check(struct cm_state *state, uint64_t seed, struct cm_outcome *outcome)
{
    struct look look = {state, seed};
    uint32_t at = FF_ROOT_NODE;
    mix(&look, 1);
    for (int i = 0; i < 6; i++) {
        const struct ff_node *node = ff_tree_node(state->tree, at);
        if (look.hash % 16 == 0) {
            cm_looks_at_output(state);
            mix(&look, state->output_size);
        } else if (S_ISDIR(node->mode)) {
            at = look_at_directory(&look, at);
        } else {
            look_at_file(&look, at, node);
            at = FF_ROOT_NODE;
        }
    }
    *outcome = (struct cm_outcome){look.hash / 8 % 4 == 0 ? CM_VIOLATED : CM_ACCEPTED, ""};
    snprintf(outcome->text, sizeof(outcome->text), "%u", (unsigned)(look.hash / 64 % 5));
}

/* ---- States ---- */

/* The outcome on one ideal with so many outputs. */
static struct cm_outcome run(const struct cm_poset *poset, struct ff_tree *tree, uint32_t outputs,
                             uint64_t seed, struct cm_observer *observer)
{
    struct cm_outcome outcome;
    struct cm_state state = {.tree = tree, .model = "", .observer = observer};
    char *output = cm_poset_output(poset, outputs, &state.output_size);
    state.output = output;
    examined_check(&state, seed, &outcome);
    free(output);
    return outcome;
}

void examine_begin(struct cm_exploring *all)
{
    cm_word *nothing = cm_allocate(all->poset->words, sizeof(cm_word));
    struct cm_job *job =
        cm_job_new(all->poset, (struct cm_cylinder){nothing, nothing}, CM_ANY_OUTPUT);
    cm_ledger_add_job(&all->ledger, job);
    free(job);
    free(nothing);
}

bool examine_jobs(struct cm_exploring *all, uint64_t seed, unsigned limit)
{
    const struct cm_poset *poset = all->poset;
    struct cm_ledger *ledger = &all->ledger;
    struct cm_splitter *splitter = cm_splitter_new(poset, all->options.shard);
    struct cm_observer *observer = cm_observer_new(poset);
    struct cm_observations *seen = cm_allocate(cm_observations_size(poset), 1);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    struct cm_job *job = cm_allocate(1, cm_job_size(poset));
    struct cm_leaf *leaf = cm_allocate(1, cm_leaf_size(poset));
    cm_word *ideal = cm_allocate(poset->words, sizeof(cm_word));
    for (; limit > 0 && ledger->jobs.count > 0; limit--) {
        uint32_t outputs = 0;
        cm_ledger_take(ledger, job);
        cm_job_case(poset, job, ideal, &outputs);
        cm_observer_begin(observer, seen);
        struct cm_outcome outcome =
            run(poset, cm_stepper_step(stepper, ideal), outputs, seed, observer);
        const struct cm_records *children = cm_split(splitter, job, seen, leaf);
        for (size_t i = 0; i < children->count; i++)
            cm_ledger_add_job(ledger, cm_record(children, i));
        cm_ledger_agree(ledger, leaf, &outcome);
        if (!cm_is_mine(splitter, leaf)) {
            ledger->foreign++;
            continue;
        }
        leaf->outcome = cm_ledger_outcome(ledger, &outcome);
        cm_ledger_add_leaf(ledger, leaf);
        cm_ledger_count(ledger, leaf);
    }
    bool done = ledger->jobs.count == 0;
    free(ideal);
    free(leaf);
    free(job);
    cm_stepper_free(stepper);
    free(seen);
    cm_observer_free(observer);
    cm_splitter_free(splitter);
    return done;
}

static bool same_hash(struct ff_hash one, struct ff_hash other)
{
    return one.low == other.low && one.high == other.high;
}

/* ---- What must hold ---- */

/* A legal state: whoever builds it, and by whatever name it is called. */
static void hold_state(const struct cm_poset *poset, struct cm_stepper *stepper,
                       const cm_word *ideal, struct cm_interval legal)
{
    struct ff_error error;
    struct ff_tree *tree = cm_state_build(poset, ideal);
    struct ff_tree *copy = ff_tree_copy(tree);
    require(!ff_tree_differs(tree, "built", cm_stepper_step(stepper, ideal), "stepped", &error));
    require(same_hash(ff_tree_hash(tree), ff_tree_hash(cm_stepper_step(stepper, ideal))));
    require(same_hash(ff_tree_hash(tree), ff_tree_hash(copy)));
    ff_tree_free(copy);
    ff_tree_free(tree);
    cm_word *again = cm_allocate(poset->words, sizeof(cm_word));
    for (uint32_t boundary = legal.first; boundary < legal.end; boundary++) {
        uint32_t found = 0;
        char *id = cm_identity_format(poset, ideal, boundary);
        require(cm_identity_parse(poset, id, again, &found, &error) == 0);
        require(found == boundary && memcmp(again, ideal, poset->words * sizeof(cm_word)) == 0);
        free(id);
    }
    free(again);
}

static bool is_ideal(const struct cm_poset *poset, const cm_word *set)
{
    CM_FOR_EACH(o, set, poset->operation_count)
    if (!cm_within(cm_down(poset, o), set, poset->words))
        return false;
    return true;
}

/* Reading all that there is parts the states into those that look alike. */
static void hold_eager(const struct cm_exploring *all)
{
    const struct cm_poset *poset = all->poset;
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    cm_word *largest = cm_allocate(poset->words, sizeof(cm_word));
    mpz_t sum, legal;
    mpz_init(sum);
    mpz_init_set_str(legal, all->legal, 10);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        require(cm_counter_add(all->counter, cylinder, sum));
        for (size_t o = 0; o < poset->operation_count; o++)
            if (cm_has(cylinder.excluded, o))
                cm_remove(largest, o);
            else
                cm_add(largest, o);
        require(is_ideal(poset, largest) && is_ideal(poset, cylinder.included));
        struct cm_interval boundaries = cm_cylinder_boundaries(poset, cylinder);
        require(boundaries.first < boundaries.end);
        hold_state(poset, stepper, largest,
                   cm_cylinder_boundaries(poset, (struct cm_cylinder){largest, cylinder.excluded}));
        struct ff_tree *least = cm_state_build(poset, cylinder.included);
        require(same_hash(ff_tree_hash(least), ff_tree_hash(cm_stepper_step(stepper, largest))));
        ff_tree_free(least);
    } while (cm_explorer_advance(explorer));
    require(mpz_cmp(sum, legal) == 0);
    mpz_clear(sum);
    mpz_clear(legal);
    free(largest);
    cm_stepper_free(stepper);
    cm_explorer_free(explorer);
}

/* The one leaf that has decided this state. */
static const struct cm_leaf *leaf_of(const struct cm_ledger *ledger, const cm_word *ideal,
                                     uint32_t outputs)
{
    const struct cm_leaf *found = NULL;
    size_t words = ledger->poset->words;
    for (size_t i = 0; i < ledger->leaves.count; i++) {
        const struct cm_leaf *leaf = cm_record(&ledger->leaves, i);
        if (!cm_within(leaf->sets, ideal, words) || cm_meet(leaf->sets + words, ideal, words) ||
            outputs < leaf->first_output || outputs > leaf->last_output)
            continue;
        require(found == NULL);
        found = leaf;
    }
    require(found != NULL);
    return found;
}

/* A run for each state there is, found without the engine's help, gives what was decided. */
static void hold_every_state(const struct cm_exploring *all, uint64_t seed)
{
    const struct cm_poset *poset = all->poset;
    unsigned long ideals = 0;
    for (cm_word set = 0; set < (cm_word)1 << poset->operation_count; set++) {
        uint32_t first = 0, end = (uint32_t)poset->trace->call_count + 1;
        if (!is_ideal(poset, &set))
            continue;
        ideals++;
        for (size_t o = 0; o < poset->operation_count; o++) {
            const struct cm_operation *operation = &poset->operations[o].shown;
            if (cm_has(&set, o) && operation->boundary > first)
                first = operation->boundary;
            if (!cm_has(&set, o) && operation->durable < end)
                end = operation->durable;
        }
        require(first < end);
        struct ff_tree *tree = cm_state_build(poset, &set);
        for (uint32_t k = poset->outputs[first]; k <= poset->outputs[end - 1]; k++) {
            struct cm_outcome outcome = run(poset, tree, k, seed, NULL);
            const struct cm_leaf *leaf = leaf_of(&all->ledger, &set, k);
            require(cm_same_outcome(&outcome, cm_leaf_outcome(&all->ledger, leaf)));
        }
        ff_tree_free(tree);
    }
    require(strtoul(all->legal, NULL, 10) == ideals);
}

static bool is_small(const struct cm_exploring *all)
{
    return all->poset->operation_count <= EXAMINED_OPERATIONS && all->legal != NULL &&
           strlen(all->legal) < 9 && strtoul(all->legal, NULL, 10) <= EXAMINED_STATES;
}

void examine(const struct ff_trace *trace, const struct cm_model *model, uint64_t seed,
             bool possible)
{
    struct cm_exploring all;
    struct ff_error error = {""};
    struct cm_options options = {.jobs = 1};
    if (cm_exploring_begin(&all, trace, model, &options, &error) != 0) {
        require(!possible && error.text[0] != '\0');
        return;
    }
    if (is_small(&all)) {
        hold_eager(&all);
        examine_begin(&all);
        cm_ledger_order(&all.ledger, (enum cm_order)(seed % 3), seed);
        require(examine_jobs(&all, seed, UINT_MAX));
        if (all.poset->operation_count <= EXAMINED_BY_BRUTE_FORCE)
            hold_every_state(&all, seed);
        cm_exploring_set_traits(&all);
        struct cm_exploration *result = cm_exploring_conclude(&all, &error);
        require(result != NULL && result->exhaustive);
        require(strcmp(result->legal, result->covered) == 0);
        cm_exploration_free(result);
    }
    cm_exploring_end(&all);
}

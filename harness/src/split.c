#include "split.h"

#include <xxhash.h>

#include "state.h"

/* Branches on the way for each shard, up to which jobs are shared: enough that the parts
 * come out about equal, few enough that what all do is little. */
enum { SHARED_BRANCHES = 16 };

struct cm_splitter {
    const struct cm_poset *poset;
    struct cm_shard shard;
    struct cm_observer *observer;
    struct cm_observations *everything; /* of the observer */
    struct cm_records children;
    struct cm_job *child;
    cm_word *scratch; /* five sets */
};

size_t cm_job_size(const struct cm_poset *poset)
{
    return sizeof(struct cm_job) + 2 * poset->words * sizeof(cm_word);
}

size_t cm_leaf_size(const struct cm_poset *poset)
{
    return sizeof(struct cm_leaf) + 2 * poset->words * sizeof(cm_word);
}

/* ---- Jobs ---- */

struct cm_job *cm_job_new(const struct cm_poset *poset, struct cm_cylinder start, uint32_t output)
{
    struct cm_job *job = cm_allocate(1, cm_job_size(poset));
    job->output = output;
    job->owner = CM_SHARED;
    job->spread = 1;
    job->counts = 1;
    cm_copy(job->sets, start.included, poset->words);
    cm_copy(job->sets + poset->words, start.excluded, poset->words);
    return job;
}

/*
 * The largest ideal holds all that is not excluded. What was called after the last
 * boundary of the cylinder is excluded, too: something excluded is durable by then,
 * and precedes it.
 */
void cm_job_case(const struct cm_poset *poset, const struct cm_job *job, cm_word *ideal,
                 uint32_t *outputs)
{
    struct cm_cylinder cylinder = cm_cylinder_of(poset, job->sets);
    for (size_t i = 0; i < poset->words; i++)
        ideal[i] = ~cylinder.excluded[i];
    if (poset->operation_count % 64 != 0)
        ideal[poset->words - 1] &= ((cm_word)1 << poset->operation_count % 64) - 1;
    *outputs = job->output;
    if (job->output == CM_ANY_OUTPUT)
        *outputs = poset->outputs[cm_cylinder_boundaries(poset, cylinder).end - 1];
}

void cm_restrict_to_output(const struct cm_poset *poset, uint32_t output, cm_word *sets)
{
    uint32_t start = poset->output_starts[output], end = poset->output_starts[output + 1];
    for (size_t o = 0; o < poset->operation_count; o++) {
        if (poset->operations[o].shown.durable <= start)
            cm_unite(sets, cm_down(poset, o), poset->words);
        if (poset->operations[o].shown.boundary >= end)
            cm_unite(sets + poset->words, cm_up(poset, o), poset->words);
    }
}

uint64_t cm_hash_sets(const struct cm_poset *poset, const cm_word *sets, uint32_t output,
                      uint64_t seed)
{
    uint64_t hash = XXH3_64bits_withSeed(sets, 2 * poset->words * sizeof(cm_word), seed);
    return XXH3_64bits_withSeed(&output, sizeof(output), hash);
}

/* ---- Splitting ---- */

struct cm_splitter *cm_splitter_new(const struct cm_poset *poset, struct cm_shard shard)
{
    struct cm_splitter *splitter = cm_allocate(1, sizeof(*splitter));
    splitter->poset = poset;
    splitter->shard = shard;
    splitter->observer = cm_observer_new(poset);
    splitter->everything = cm_allocate(cm_observations_size(poset), 1);
    splitter->children.size = cm_job_size(poset);
    splitter->child = cm_allocate(1, cm_job_size(poset));
    splitter->scratch = cm_allocate(5 * poset->words, sizeof(cm_word));
    return splitter;
}

void cm_splitter_free(struct cm_splitter *splitter)
{
    if (splitter == NULL)
        return;
    cm_observer_free(splitter->observer);
    cm_records_free(&splitter->children);
    free(splitter->everything);
    free(splitter->child);
    free(splitter->scratch);
    free(splitter);
}

size_t cm_split_limit(const struct cm_poset *poset)
{
    return poset->value_count + poset->outputs[poset->trace->call_count] + 1;
}

bool cm_is_mine(const struct cm_splitter *splitter, const struct cm_leaf *leaf)
{
    return leaf->owner == splitter->shard.index;
}

/* Whether all ideals of the cylinder have the same there. */
static bool is_decided(const struct cm_poset *poset, uint32_t location, const cm_word *sets)
{
    const struct cm_location *at = &poset->locations[location];
    for (size_t i = at->value_count; i-- > 0;) {
        uint32_t operation = poset->values[at->values[i]].operation;
        if (!cm_has(sets + poset->words, operation))
            return cm_has(sets, operation);
    }
    return true;
}

/* Goes on in the first branch, which the run took; the others become jobs. */
static void branch(struct cm_splitter *splitter, cm_word *sets, uint32_t location)
{
    const struct cm_poset *poset = splitter->poset;
    struct cm_job *child = splitter->child;
    if (is_decided(poset, location, sets))
        return;
    cm_word *pending = splitter->scratch, *parent = pending + poset->words;
    cm_copy(parent, sets, 2 * poset->words);
    struct cm_cylinder cylinder = cm_cylinder_of(poset, parent);
    struct cm_branches branches = cm_branches_begin(poset, location, cylinder, pending);
    cm_branches_next(poset, &branches, cylinder, pending, sets, sets + poset->words);
    while (cm_branches_next(poset, &branches, cylinder, pending, child->sets,
                            child->sets + poset->words))
        cm_records_add(&splitter->children, child);
}

static void other_outputs(struct cm_splitter *splitter, const cm_word *sets, uint32_t decided)
{
    const struct cm_poset *poset = splitter->poset;
    struct cm_job *child = splitter->child;
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, sets));
    for (uint32_t k = poset->outputs[legal.first]; k <= poset->outputs[legal.end - 1]; k++) {
        if (k == decided)
            continue;
        child->output = k;
        child->counts = 0;
        cm_copy(child->sets, sets, 2 * poset->words);
        cm_restrict_to_output(poset, k, child->sets);
        cm_records_add(&splitter->children, child);
    }
}

static void note_visited(void *context, uint32_t location)
{
    cm_observer_note(context, location);
}

/* All that there is to be seen in the state of a job's run, from the root on. */
static const struct cm_observations *see_everything(struct cm_splitter *splitter,
                                                    const struct cm_job *job)
{
    uint32_t outputs;
    cm_job_case(splitter->poset, job, splitter->scratch, &outputs);
    cm_observer_begin(splitter->observer, splitter->everything);
    cm_state_visit(splitter->poset, splitter->scratch, note_visited, splitter->observer);
    cm_observer_note(splitter->observer, (uint32_t)splitter->poset->location_count);
    return splitter->everything;
}

/* Says whose the leaf and the children are, and drops those of other shards. */
static void distribute(struct cm_splitter *splitter, const struct cm_job *job, struct cm_leaf *leaf)
{
    const struct cm_poset *poset = splitter->poset;
    uint32_t count = splitter->shard.count;
    struct cm_records *children = &splitter->children;
    uint64_t spread = (uint64_t)job->spread * (children->count + 1);
    spread = spread < UINT32_MAX ? spread : UINT32_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < children->count; i++) {
        struct cm_job *child = cm_record(children, i);
        child->spread = (uint32_t)spread;
        if (child->owner == CM_SHARED && spread >= (uint64_t)SHARED_BRANCHES * count)
            child->owner = (uint32_t)(cm_hash_sets(poset, child->sets, child->output, 0) % count);
        if (child->owner != CM_SHARED && child->owner != splitter->shard.index)
            continue;
        if (kept < i)
            memcpy(cm_record(children, kept), child, children->size);
        kept++;
    }
    children->count = kept;
    leaf->spread = (uint32_t)spread;
    leaf->owner = job->owner;
    leaf->shared = job->owner == CM_SHARED;
    if (leaf->shared != 0)
        leaf->owner = (uint32_t)(cm_hash_sets(poset, leaf->sets, leaf->last_output, 0) % count);
}

const struct cm_records *cm_split(struct cm_splitter *splitter, const struct cm_job *job,
                                  const struct cm_observations *seen, struct cm_leaf *leaf)
{
    const struct cm_poset *poset = splitter->poset;
    bool settled = seen != NULL && seen->settled, idle = seen != NULL && seen->idle;
    bool output_seen = false;
    if (seen == NULL || seen->everything)
        seen = see_everything(splitter, job);
    *leaf = (struct cm_leaf){
        .first_output = job->output,
        .last_output = job->output,
        .counts = job->counts,
        .tag = job->tag,
        .idle = idle,
    };
    cm_copy(leaf->sets, job->sets, 2 * poset->words);
    splitter->children.count = 0;
    *splitter->child = (struct cm_job){
        .output = job->output, .owner = job->owner, .counts = job->counts, .tag = job->tag};
    for (uint32_t i = 0; i < seen->count; i++) {
        if (seen->locations[i] == poset->location_count)
            output_seen = !settled;
        else
            branch(splitter, leaf->sets, seen->locations[i]);
    }
    if (job->output == CM_ANY_OUTPUT) {
        struct cm_cylinder cylinder = cm_cylinder_of(poset, leaf->sets);
        leaf->last_output = poset->outputs[cm_cylinder_boundaries(poset, cylinder).end - 1];
        leaf->first_output = output_seen ? leaf->last_output : 0;
        if (output_seen)
            other_outputs(splitter, leaf->sets, leaf->last_output);
    }
    distribute(splitter, job, leaf);
    return &splitter->children;
}

#include "cylinder.h"

#include <stdlib.h>

#include "memory.h"

/* The workload's operations are in the order of issue: the last one included has the latest
 * boundary. */
static uint32_t last_issued(const struct cm_poset *poset, const cm_word *included)
{
    size_t count = poset->workload_count;
    for (size_t w = cm_words(count); w-- > 0;) {
        cm_word word = included[w];
        if (w == count / 64)
            word &= ((cm_word)1 << count % 64) - 1;
        if (word != 0)
            return poset->operations[w * 64 + 63 - (size_t)__builtin_clzll(word)].shown.boundary;
    }
    return 0;
}

static uint32_t first_durable(const struct cm_poset *poset, const cm_word *excluded)
{
    uint32_t first = (uint32_t)poset->trace->call_count + 1;
    for (size_t w = 0; w < poset->words; w++) {
        if (excluded[w] == 0 || poset->soonest[w] >= first)
            continue;
        for (cm_word rest = excluded[w]; rest != 0; rest &= rest - 1) {
            size_t o = w * 64 + (size_t)__builtin_ctzll(rest);
            if (poset->operations[o].shown.durable < first)
                first = poset->operations[o].shown.durable;
        }
    }
    return first;
}

struct cm_interval cm_cylinder_boundaries(const struct cm_poset *poset, struct cm_cylinder cylinder)
{
    return (struct cm_interval){last_issued(poset, cylinder.included),
                                first_durable(poset, cylinder.excluded)};
}

struct cm_branches cm_branches_begin(const struct cm_poset *poset, uint32_t location,
                                     struct cm_cylinder cylinder, cm_word *pending)
{
    cm_copy(pending, cylinder.excluded, poset->words);
    return (struct cm_branches){.location = location,
                                .rest = poset->locations[location].value_count};
}

bool cm_branches_next(const struct cm_poset *poset, struct cm_branches *branches,
                      struct cm_cylinder cylinder, cm_word *pending, cm_word *included,
                      cm_word *excluded)
{
    const struct cm_location *location = &poset->locations[branches->location];
    while (!branches->done && branches->rest > 0) {
        uint32_t value = location->values[--branches->rest];
        uint32_t operation = poset->values[value].operation;
        if (cm_has(pending, operation))
            continue; /* and so is all that needs it */
        cm_copy(included, cylinder.included, poset->words);
        cm_unite(included, cm_down(poset, operation), poset->words);
        cm_copy(excluded, pending, poset->words);
        bool feasible = !cm_meet(included, excluded, poset->words);
        /* The later branches do without this operation and all that needs it. */
        cm_unite(pending, cm_up(poset, operation), poset->words);
        branches->done = cm_meet(pending, cylinder.included, poset->words);
        if (feasible) {
            branches->choice = value;
            return true;
        }
    }
    if (branches->done)
        return false;
    branches->done = true;
    cm_copy(included, cylinder.included, poset->words);
    cm_copy(excluded, pending, poset->words);
    branches->choice = -1;
    return true;
}

/*
 * A frame is one observation on the current path. The sets of frame f are at
 * sets + 3*f*words: included, excluded, and what belongs to its branches.
 */
struct cm_explorer {
    const struct cm_poset *poset;
    struct cm_branches *frames;
    size_t count;
    size_t capacity;
    size_t depth; /* observations made in this run */
    cm_word *sets;
    size_t set_capacity; /* in frames */
    cm_word *nothing;
};

struct cm_explorer *cm_explorer_new(const struct cm_poset *poset)
{
    struct cm_explorer *explorer = cm_allocate(1, sizeof(*explorer));
    explorer->poset = poset;
    explorer->nothing = cm_allocate(poset->words, sizeof(cm_word));
    return explorer;
}

void cm_explorer_free(struct cm_explorer *explorer)
{
    if (explorer == NULL)
        return;
    free(explorer->frames);
    free(explorer->sets);
    free(explorer->nothing);
    free(explorer);
}

void cm_explorer_restart(struct cm_explorer *explorer)
{
    explorer->depth = 0;
}

static cm_word *included_of(const struct cm_explorer *explorer, size_t frame)
{
    return explorer->sets + 3 * frame * explorer->poset->words;
}

static cm_word *excluded_of(const struct cm_explorer *explorer, size_t frame)
{
    return included_of(explorer, frame) + explorer->poset->words;
}

static cm_word *pending_of(const struct cm_explorer *explorer, size_t frame)
{
    return excluded_of(explorer, frame) + explorer->poset->words;
}

/* The cylinder before the observation of a frame. */
static struct cm_cylinder before(const struct cm_explorer *explorer, size_t frame)
{
    if (frame == 0)
        return (struct cm_cylinder){explorer->nothing, explorer->nothing};
    return (struct cm_cylinder){included_of(explorer, frame - 1), excluded_of(explorer, frame - 1)};
}

static bool next_branch(struct cm_explorer *explorer, size_t index)
{
    return cm_branches_next(explorer->poset, &explorer->frames[index], before(explorer, index),
                            pending_of(explorer, index), included_of(explorer, index),
                            excluded_of(explorer, index));
}

static void push_frame(struct cm_explorer *explorer, uint32_t location)
{
    const struct cm_poset *poset = explorer->poset;
    size_t index = explorer->count;
    explorer->frames =
        cm_reserve(explorer->frames, index, &explorer->capacity, sizeof(*explorer->frames));
    if (poset->words > 0)
        explorer->sets = cm_reserve(explorer->sets, index, &explorer->set_capacity,
                                    3 * poset->words * sizeof(cm_word));
    explorer->frames[index] =
        cm_branches_begin(poset, location, before(explorer, index), pending_of(explorer, index));
    explorer->count++;
    /* A cylinder is never empty, so there is a first branch. */
    if (!next_branch(explorer, index))
        abort();
}

int64_t cm_observe(struct cm_explorer *explorer, uint32_t location)
{
    if (explorer->depth == explorer->count)
        push_frame(explorer, location);
    const struct cm_branches *frame = &explorer->frames[explorer->depth++];
    if (frame->location != location)
        abort(); /* the reader is not deterministic */
    return frame->choice;
}

struct cm_cylinder cm_explorer_cylinder(const struct cm_explorer *explorer)
{
    return before(explorer, explorer->count);
}

bool cm_explorer_advance(struct cm_explorer *explorer)
{
    while (explorer->count > 0) {
        if (next_branch(explorer, explorer->count - 1))
            return true;
        explorer->count--;
    }
    return false;
}

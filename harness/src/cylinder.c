#include "cylinder.h"

#include <stdlib.h>

#include "memory.h"

/*
 * One observation on the current path. Its branches are taken from the last
 * value of the location to the first, and then the base value; the sets of
 * frame f are at sets + 3*f*words: included, excluded, and what the branches
 * still to come exclude at least.
 */
struct frame {
    uint32_t location;
    int64_t choice; /* value, or -1 for the base */
    size_t rest;    /* values of the location not yet tried */
    bool done;      /* no branch is left */
};

struct cm_explorer {
    const struct cm_poset *poset;
    struct frame *frames;
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

/* Moves a frame to its next feasible branch; false when there is none. */
static bool next_branch(struct cm_explorer *explorer, size_t index)
{
    const struct cm_poset *poset = explorer->poset;
    struct frame *frame = &explorer->frames[index];
    const struct cm_location *location = &poset->locations[frame->location];
    struct cm_cylinder parent = before(explorer, index);
    cm_word *included = included_of(explorer, index);
    cm_word *excluded = excluded_of(explorer, index);
    cm_word *pending = pending_of(explorer, index);
    while (!frame->done && frame->rest > 0) {
        uint32_t value = location->values[--frame->rest];
        uint32_t operation = poset->values[value].operation;
        bool feasible = !cm_has(pending, operation);
        if (feasible) {
            cm_copy(included, parent.included, poset->words);
            cm_unite(included, cm_down(poset, operation), poset->words);
            cm_copy(excluded, pending, poset->words);
            feasible = !cm_meet(included, excluded, poset->words);
        }
        /* The later branches do without this operation and all that needs it. */
        cm_unite(pending, cm_up(poset, operation), poset->words);
        frame->done = cm_meet(pending, parent.included, poset->words);
        if (feasible) {
            frame->choice = value;
            return true;
        }
    }
    if (frame->done)
        return false;
    frame->done = true;
    cm_copy(included, parent.included, poset->words);
    cm_copy(excluded, pending, poset->words);
    frame->choice = -1;
    return true;
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
    explorer->frames[index] = (struct frame){
        .location = location,
        .rest = poset->locations[location].value_count,
    };
    explorer->count++;
    cm_copy(pending_of(explorer, index), before(explorer, index).excluded, poset->words);
    /* A cylinder is never empty, so there is a first branch. */
    if (!next_branch(explorer, index))
        abort();
}

int64_t cm_observe(struct cm_explorer *explorer, uint32_t location)
{
    if (explorer->depth == explorer->count)
        push_frame(explorer, location);
    const struct frame *frame = &explorer->frames[explorer->depth++];
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

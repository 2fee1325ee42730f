/*
 * Blocks that one file lost and another one may get, or the same one: what either may show of
 * the other. Of each granule that is given away there are two more steps, none of which the
 * program sees.
 */
#ifndef NAIVE_FREED_H
#define NAIVE_FREED_H

#include "naive_order.h"

/* Whether a file has a block there: what was never written is a hole, but a chain has none. */
static bool has_block(const struct naive *naive, uint32_t node, uint32_t at)
{
    return at < naive->seen.size[node] &&
           (has_bytes(naive, node, at) || naive->model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY);
}

/* The step that was added last takes all that lies wholly behind the size from a file. */
static void lose_blocks(struct naive *naive, uint32_t node, uint32_t size, bool is_cut)
{
    struct freed freed = {.node = node, .step = naive->step_count - 1, .is_cut = is_cut};
    bool any = false;
    for (uint32_t at = (size + GRANULE - 1) / GRANULE * GRANULE; at < naive->seen.size[node];
         at += GRANULE) {
        freed.had[at / GRANULE] = has_block(naive, node, at);
        any = any || freed.had[at / GRANULE];
    }
    memcpy(freed.bytes, naive->seen.bytes[node], naive->seen.size[node]);
    if (any)
        naive->freed = freed;
}

/* Whether the granule is one that a write allocates, and that it may get from there. */
static bool is_given_away(const struct naive *naive, const struct ff_call *write, uint32_t granule)
{
    return naive->model->choices[CM_CHOICE_FREED] == CM_FREED_REUSED &&
           naive->freed.node != FF_NO_NODE && naive->freed.had[granule] &&
           !has_block(naive, write->node, granule * GRANULE);
}

static uint32_t first_granule(const struct ff_call *write)
{
    return (uint32_t)write->offset / GRANULE;
}

static uint32_t last_granule(const struct ff_call *write)
{
    return (uint32_t)(write->offset + write->data.size - 1) / GRANULE;
}

/* All of a granule. */
static void show(struct step *step, uint32_t node, uint32_t granule, const unsigned char *bytes)
{
    touch_bytes(step, node, granule * GRANULE, MAX_SIZE, 0);
    memcpy(step->touches[0].bytes, bytes, GRANULE);
    step->unseen = true;
}

/* Before it is written the granule may show what the other file had there. */
static void add_stale(struct naive *naive, size_t index, const struct ff_call *write)
{
    for (uint32_t g = first_granule(write); g <= last_granule(write); g++) {
        if (!is_given_away(naive, write, g))
            continue;
        struct step *step = add_step(naive, index, CM_CLASS_ALLOCATE);
        show(step, write->node, g, naive->freed.bytes + g * GRANULE);
        step->foreign = STALE;
    }
}

/* The step of a call that writes to the granule, from 1. */
static size_t writing_step(const struct naive *naive, size_t index, uint32_t granule)
{
    size_t found = 0;
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; naive->steps[i].call == index && naive->steps[i].is_data &&
                           t < naive->steps[i].touch_count;
             t++)
            if (naive->steps[i].touches[t].from / GRANULE == granule)
                found = i + 1;
    return found;
}

/*
 * Once it is written the other file may show that, if it still has its blocks: as long as that
 * it lost them is not on the disk. If they are its own, what is written needs the loss.
 */
static void add_reuse(struct naive *naive, size_t index, const struct ff_call *write)
{
    const struct freed *freed = &naive->freed;
    struct picture written = naive->seen;
    memset(written.bytes[write->node] + write->offset, write->data.data[0], write->data.size);
    for (uint32_t g = first_granule(write); g <= last_granule(write); g++) {
        if (!is_given_away(naive, write, g) ||
            fate_of(naive, &naive->steps[freed->step], naive->derived) == DURABLE)
            continue;
        size_t after = freed->node != write->node ? writing_step(naive, index, g) : 0;
        struct step *step = add_step(naive, index, CM_CLASS_OVERWRITE);
        show(step, freed->node, g, written.bytes[write->node] + g * GRANULE);
        step->foreign = REUSE;
        step->after = after;
        step->touches[0].behind = freed->is_cut ? freed->step : NOWHERE; /* the cut takes it */
    }
}

#endif

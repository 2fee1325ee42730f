#include "hashset.h"

#include <stdlib.h>

#include "memory.h"

static size_t find(const struct cm_hashset *set, struct ff_hash hash)
{
    size_t slot = (size_t)hash.low % set->size;
    while (set->used[slot] &&
           (set->slots[slot].low != hash.low || set->slots[slot].high != hash.high))
        slot = (slot + 1) % set->size;
    return slot;
}

static void grow(struct cm_hashset *set)
{
    struct cm_hashset old = *set;
    set->size = old.size == 0 ? 64 : 2 * old.size;
    set->slots = cm_allocate(set->size, sizeof(*set->slots));
    set->used = cm_allocate(set->size, sizeof(*set->used));
    for (size_t i = 0; i < old.size; i++) {
        if (!old.used[i])
            continue;
        size_t slot = find(set, old.slots[i]);
        set->slots[slot] = old.slots[i];
        set->used[slot] = true;
    }
    cm_hashset_free(&old);
}

bool cm_hashset_add(struct cm_hashset *set, struct ff_hash hash)
{
    if (2 * set->count >= set->size)
        grow(set);
    size_t slot = find(set, hash);
    if (set->used[slot])
        return false;
    set->slots[slot] = hash;
    set->used[slot] = true;
    set->count++;
    return true;
}

void cm_hashset_free(struct cm_hashset *set)
{
    free(set->slots);
    free(set->used);
}

/*
 * The number of ideals of a set of operations: the product over its connected
 * components; of a component, by whether its pivot is in (then all below it
 * is) or out (then all above it is). Components are remembered.
 */
#include "count.h"

#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"

/* Remembered components; with more, all are forgotten. And words of sets looked at in one
 * call (some seconds), past which counting gives up. */
enum { MAX_COMPONENTS = 1 << 18, MAX_WORK = 1 << 30 };

struct component {
    cm_word *members; /* NULL: an empty slot */
    mpz_t ideals;
};

struct cm_counter {
    const struct cm_poset *poset;
    struct component *table;
    size_t table_size;
    size_t count;
    size_t work;
    bool hopeless;
};

struct cm_counter *cm_counter_new(const struct cm_poset *poset)
{
    struct cm_counter *counter = cm_allocate(1, sizeof(*counter));
    counter->poset = poset;
    counter->table_size = 256;
    counter->table = cm_allocate(counter->table_size, sizeof(*counter->table));
    return counter;
}

static void forget(struct cm_counter *counter)
{
    for (size_t i = 0; i < counter->table_size; i++) {
        if (counter->table[i].members == NULL)
            continue;
        free(counter->table[i].members);
        counter->table[i].members = NULL;
        mpz_clear(counter->table[i].ideals);
    }
    counter->count = 0;
}

void cm_counter_free(struct cm_counter *counter)
{
    if (counter == NULL)
        return;
    forget(counter);
    free(counter->table);
    free(counter);
}

/* The slot that holds the component, or the empty one where it belongs. */
static struct component *find_component(const struct cm_counter *counter, const cm_word *members)
{
    size_t size = counter->poset->words * sizeof(cm_word);
    size_t slot = (size_t)XXH3_64bits(members, size);
    for (;; slot++) {
        struct component *at = &counter->table[slot % counter->table_size];
        if (at->members == NULL || memcmp(at->members, members, size) == 0)
            return at;
    }
}

static void remember(struct cm_counter *counter, const cm_word *members, const mpz_t ideals)
{
    if (counter->count >= MAX_COMPONENTS)
        forget(counter);
    if (counter->count * 2 >= counter->table_size) {
        struct component *old = counter->table;
        size_t old_size = counter->table_size;
        counter->table_size *= 2;
        counter->table = cm_allocate(counter->table_size, sizeof(*counter->table));
        for (size_t i = 0; i < old_size; i++)
            if (old[i].members != NULL)
                *find_component(counter, old[i].members) = old[i];
        free(old);
    }
    struct component *slot = find_component(counter, members);
    slot->members =
        (cm_word *)(void *)cm_duplicate(members, counter->poset->words * sizeof(cm_word));
    mpz_init_set(slot->ideals, ideals);
    counter->count++;
}

/* Moves the component of the first member of rest from rest to component. */
static void take_component(const struct cm_poset *poset, cm_word *rest, cm_word *component)
{
    size_t words = poset->words;
    size_t first = cm_next(rest, poset->operation_count, 0);
    cm_word *frontier = cm_allocate(words, sizeof(cm_word));
    memset(component, 0, words * sizeof(cm_word));
    cm_add(frontier, first);
    for (size_t o = first; o < poset->operation_count;
         o = cm_next(frontier, poset->operation_count, 0)) {
        const cm_word *down = cm_down(poset, o), *up = cm_up(poset, o);
        cm_remove(frontier, o);
        cm_remove(rest, o);
        cm_add(component, o);
        for (size_t i = 0; i < words; i++)
            frontier[i] |= (down[i] | up[i]) & rest[i];
        cm_subtract(rest, frontier, words);
        cm_unite(component, frontier, words);
    }
    free(frontier);
}

static size_t common(const cm_word *a, const cm_word *b, size_t words)
{
    size_t count = 0;
    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(a[i] & b[i]);
    return count;
}

/* The member that leaves the least to both sides. */
static size_t choose_pivot(const struct cm_poset *poset, const cm_word *component)
{
    size_t best = 0, best_score = 0;
    CM_FOR_EACH(o, component, poset->operation_count)
    {
        size_t below = common(cm_down(poset, o), component, poset->words);
        size_t above = common(cm_up(poset, o), component, poset->words);
        size_t least = below < above ? below : above;
        size_t score = least * poset->operation_count * 2 + below + above;
        if (score > best_score) {
            best = o;
            best_score = score;
        }
    }
    return best;
}

static void count_set(struct cm_counter *counter, cm_word *rest, mpz_t ideals);

static void count_component(struct cm_counter *counter, const cm_word *component, mpz_t ideals)
{
    const struct cm_poset *poset = counter->poset;
    const struct component *known = find_component(counter, component);
    if (known->members != NULL) {
        mpz_set(ideals, known->ideals);
        return;
    }
    counter->work += cm_count_bits(component, poset->words) * poset->words;
    if (counter->work > MAX_WORK) {
        counter->hopeless = true;
        return;
    }
    size_t pivot = choose_pivot(poset, component);
    cm_word *rest = cm_allocate(poset->words, sizeof(cm_word));
    mpz_t without;
    mpz_init(without);
    cm_copy(rest, component, poset->words);
    cm_subtract(rest, cm_down(poset, pivot), poset->words);
    count_set(counter, rest, ideals);
    cm_copy(rest, component, poset->words);
    cm_subtract(rest, cm_up(poset, pivot), poset->words);
    count_set(counter, rest, without);
    mpz_add(ideals, ideals, without);
    if (!counter->hopeless)
        remember(counter, component, ideals);
    mpz_clear(without);
    free(rest);
}

/* Counts the ideals of rest, and empties it. */
static void count_set(struct cm_counter *counter, cm_word *rest, mpz_t ideals)
{
    const struct cm_poset *poset = counter->poset;
    cm_word *component = cm_allocate(poset->words, sizeof(cm_word));
    mpz_t factor;
    mpz_init(factor);
    mpz_set_ui(ideals, 1);
    while (!counter->hopeless &&
           cm_next(rest, poset->operation_count, 0) < poset->operation_count) {
        take_component(poset, rest, component);
        count_component(counter, component, factor);
        mpz_mul(ideals, ideals, factor);
    }
    mpz_clear(factor);
    free(component);
}

bool cm_counter_add(struct cm_counter *counter, struct cm_cylinder cylinder, mpz_t sum)
{
    const struct cm_poset *poset = counter->poset;
    if (counter->hopeless)
        return false;
    cm_word *rest = cm_allocate(poset->words, sizeof(cm_word));
    for (size_t i = 0; i < poset->words; i++)
        rest[i] = ~(cylinder.included[i] | cylinder.excluded[i]);
    if (poset->operation_count % 64 != 0)
        rest[poset->words - 1] &= ((cm_word)1 << poset->operation_count % 64) - 1;
    mpz_t ideals;
    mpz_init(ideals);
    counter->work = 0;
    count_set(counter, rest, ideals);
    if (!counter->hopeless)
        mpz_add(sum, sum, ideals);
    mpz_clear(ideals);
    free(rest);
    return !counter->hopeless;
}

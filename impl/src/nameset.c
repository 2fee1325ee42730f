/* At most half full, so that a search ends soon; FNV-1a for the hash. */
#include "nameset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

static size_t hash(const char *name)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++)
        value = (value ^ (unsigned char)*name) * 0x100000001b3u;
    return (size_t)value;
}

/* Where a name stands, or where it would have to be put. */
static size_t place_of(char *const *names, size_t capacity, const char *name)
{
    size_t place = hash(name) & (capacity - 1);
    while (names[place] != NULL && strcmp(names[place], name) != 0)
        place = (place + 1) & (capacity - 1);
    return place;
}

static bool grow(struct mf_nameset *set)
{
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
    char **names = calloc(capacity, sizeof(*names));
    if (names == NULL)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->names[i] != NULL)
            names[place_of(names, capacity, set->names[i])] = set->names[i];
    free(set->names);
    set->names = names;
    set->capacity = capacity;
    return true;
}

bool mf_nameset_add(struct mf_nameset *set, const char *name)
{
    if (mf_nameset_has(set, name))
        return true;
    if (2 * set->count >= set->capacity && !grow(set))
        return false;
    char *copy = strdup(name);
    if (copy == NULL)
        return false;
    set->names[place_of(set->names, set->capacity, name)] = copy;
    set->count++;
    return true;
}

bool mf_nameset_has(const struct mf_nameset *set, const char *name)
{
    return set->capacity > 0 && set->names[place_of(set->names, set->capacity, name)] != NULL;
}

void mf_nameset_clear(struct mf_nameset *set)
{
    for (size_t i = 0; i < set->capacity; i++)
        free(set->names[i]);
    free(set->names);
    *set = (struct mf_nameset){0};
}

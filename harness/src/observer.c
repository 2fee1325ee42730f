#include "observer.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memo.h"
#include "memory.h"

struct cm_observer {
    const struct cm_poset *poset;
    struct cm_observations *observations;
    uint32_t *seen; /* by location: the last list that it is on */
    uint32_t list;
};

size_t cm_observations_size(const struct cm_poset *poset)
{
    return sizeof(struct cm_observations) + (poset->location_count + 1) * sizeof(uint32_t);
}

struct cm_observer *cm_observer_new(const struct cm_poset *poset)
{
    struct cm_observer *observer = cm_allocate(1, sizeof(*observer));
    observer->poset = poset;
    observer->seen = cm_allocate(poset->location_count + 1, sizeof(*observer->seen));
    return observer;
}

void cm_observer_free(struct cm_observer *observer)
{
    if (observer != NULL)
        free(observer->seen);
    free(observer);
}

void cm_observer_begin(struct cm_observer *observer, struct cm_observations *observations)
{
    observer->observations = observations;
    observations->everything = observations->settled = observations->idle = false;
    observations->count = 0;
    if (++observer->list == 0) { /* numbers are used again */
        memset(observer->seen, 0, (observer->poset->location_count + 1) * sizeof(*observer->seen));
        observer->list = 1;
    }
}

void cm_observer_note(struct cm_observer *observer, uint32_t location)
{
    if (observer->seen[location] == observer->list)
        return;
    observer->seen[location] = observer->list;
    observer->observations->locations[observer->observations->count++] = location;
}

struct cm_observed cm_observer_mark(const struct cm_observer *observer)
{
    const struct cm_observations *observations = observer->observations;
    return (struct cm_observed){observations->everything, observations->count};
}

void cm_observer_return(struct cm_observer *observer, struct cm_observed mark)
{
    struct cm_observations *observations = observer->observations;
    observations->everything = mark.everything;
    while (observations->count > mark.count)
        observer->seen[observations->locations[--observations->count]] = 0;
}

bool cm_observer_was_idle(const struct cm_observer *observer)
{
    return observer->observations->idle;
}

bool cm_observer_tells_granules(const struct cm_observer *observer)
{
    const struct cm_poset *poset = observer->poset;
    for (uint32_t id = 0; id < poset->node_limit; id++)
        if (S_ISREG(poset->nodes[id].mode) && poset->nodes[id].part_count > 1)
            return true;
    return false;
}

/* ---- By a check ---- */

static void remember(const struct cm_state *state, struct cm_looked look)
{
    if (state->observer != NULL)
        cm_memo_look(state->memo, &look);
}

/* What the workload changed of a node; NULL: nothing, or the check made it itself. */
static const struct cm_poset_node *node_of(const struct cm_state *state, uint32_t node)
{
    if (state->observer == NULL || node >= state->observer->poset->node_limit)
        return NULL;
    return &state->observer->poset->nodes[node];
}

/* The same, if it is of that type. */
static const struct cm_poset_node *typed(const struct cm_state *state, uint32_t id, uint32_t type)
{
    const struct cm_poset_node *node = node_of(state, id);
    return node != NULL && (node->mode & S_IFMT) == type ? node : NULL;
}

/* Whether a file can be read is seen by its type. */
static void note_type(const struct cm_state *state, uint32_t id)
{
    const struct cm_poset_node *node = node_of(state, id);
    if (node == NULL || node->chain == CM_NO_LOCATION)
        return;
    cm_observer_note(state->observer, node->chain);
    if (node->size != CM_NO_LOCATION)
        cm_observer_note(state->observer, node->size);
}

bool cm_names_hold_content(const struct cm_state *state)
{
    if (state->observer == NULL)
        return false;
    const unsigned *choices = state->observer->poset->model->choices;
    return choices[CM_CHOICE_UNLINK] != CM_UNLINK_ATOMIC ||
           choices[CM_CHOICE_RENAME] == CM_RENAME_STEPWISE ||
           choices[CM_CHOICE_FREED] != CM_FREED_PRIVATE;
}

void cm_looks_at_name(const struct cm_state *state, uint32_t directory, const char *name)
{
    remember(state, (struct cm_looked){CM_LOOKED_AT_NAME, directory, 0, 0, name});
    note_type(state, ff_tree_lookup(state->tree, directory, name));
    const struct cm_poset_node *node = typed(state, directory, S_IFDIR);
    size_t low = 0, high = node == NULL ? 0 : node->part_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(state->observer->poset->locations[node->parts[middle]].name, name);
        if (order == 0) {
            cm_observer_note(state->observer, node->parts[middle]);
            return;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
}

void cm_looks_at_names(const struct cm_state *state, uint32_t directory)
{
    const struct cm_poset_node *node = typed(state, directory, S_IFDIR);
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_NAMES, .node = directory});
    /* What is looked at last differs most often from one run to the next, and the first of
     * the names costs least to be changed: see layout_step.c. */
    for (size_t i = node != NULL ? node->part_count : 0; i-- > 0;)
        cm_observer_note(state->observer, node->parts[i]);
    const struct ff_node *names = ff_tree_node(state->tree, directory);
    for (size_t i = names != NULL ? names->entry_count : 0; i-- > 0;)
        note_type(state, names->entries[i].node);
}

void cm_looks_at_size(const struct cm_state *state, uint32_t file)
{
    const struct cm_poset_node *node = node_of(state, file);
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_SIZE, .node = file});
    if (node != NULL && node->size != CM_NO_LOCATION)
        cm_observer_note(state->observer, node->size);
    note_type(state, file);
}

void cm_looks_at_data(const struct cm_state *state, uint32_t file, uint64_t offset, uint64_t size)
{
    const struct cm_poset_node *node = typed(state, file, S_IFREG);
    remember(state, (struct cm_looked){CM_LOOKED_AT_DATA, file, offset, size, NULL});
    if (node == NULL || size == 0)
        return;
    const struct cm_poset *poset = state->observer->poset;
    uint64_t first = offset / poset->granule;
    uint64_t last =
        (size - 1 > UINT64_MAX - offset ? UINT64_MAX : offset + size - 1) / poset->granule;
    size_t low = 0, high = node->part_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (poset->locations[node->parts[middle]].granule < first)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < node->part_count && poset->locations[node->parts[low]].granule <= last; low++)
        cm_observer_note(state->observer, node->parts[low]);
}

void cm_looks_at_attributes(const struct cm_state *state, uint32_t id)
{
    const struct cm_poset_node *node = node_of(state, id);
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_ATTRIBUTES, .node = id});
    if (node == NULL)
        return;
    if (node->attributes != CM_NO_LOCATION)
        cm_observer_note(state->observer, node->attributes);
    for (size_t i = 0; i < node->xattr_count; i++)
        cm_observer_note(state->observer, node->xattr_locations[i]);
}

void cm_looks_at_output(const struct cm_state *state)
{
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_OUTPUT});
    if (state->observer != NULL)
        cm_observer_note(state->observer, (uint32_t)state->observer->poset->location_count);
}

/* Every name that may mean it, in some state. */
void cm_looks_at_links(const struct cm_state *state, uint32_t id)
{
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_LINKS, .node = id});
    if (node_of(state, id) == NULL)
        return;
    const struct cm_poset *poset = state->observer->poset;
    for (uint32_t l = 0; l < poset->location_count; l++) {
        const struct cm_location *location = &poset->locations[l];
        if (location->kind != CM_LOCATION_NAME)
            continue;
        const struct ff_node *directory = ff_tree_node(poset->snapshot, location->node);
        bool means = directory != NULL &&
                     ff_tree_lookup(poset->snapshot, location->node, location->name) == id;
        for (size_t i = 0; !means && i < location->value_count; i++)
            means = poset->values[location->values[i]].to.node == id;
        if (means)
            cm_observer_note(state->observer, l);
    }
}

void cm_looks_at_everything(const struct cm_state *state)
{
    remember(state, (struct cm_looked){.kind = CM_LOOKED_AT_EVERYTHING});
    if (state->observer != NULL)
        state->observer->observations->everything = true;
}

void cm_recovery_was_idle(const struct cm_state *state)
{
    if (state->observer != NULL)
        state->observer->observations->idle = true;
}

/* ---- And gets it ---- */

uint32_t cm_state_lookup(const struct cm_state *state, uint32_t directory, const char *name)
{
    cm_looks_at_name(state, directory, name);
    return ff_tree_lookup(state->tree, directory, name);
}

const struct ff_node *cm_state_list(const struct cm_state *state, uint32_t directory)
{
    const struct ff_node *node = ff_tree_node(state->tree, directory);
    if (node == NULL || !S_ISDIR(node->mode))
        return NULL;
    cm_looks_at_names(state, directory);
    return node;
}

uint64_t cm_state_size(const struct cm_state *state, uint32_t file)
{
    const struct ff_node *node = ff_tree_node(state->tree, file);
    if (node == NULL || !(S_ISREG(node->mode) || S_ISSOCK(node->mode)))
        return 0;
    cm_looks_at_size(state, file);
    return node->size;
}

size_t cm_state_read(const struct cm_state *state, uint32_t file, void *buffer, size_t size,
                     uint64_t offset)
{
    uint64_t end = cm_state_size(state, file);
    if (offset >= end || S_ISSOCK(ff_tree_node(state->tree, file)->mode))
        return 0;
    size_t count = size < end - offset ? size : (size_t)(end - offset);
    cm_looks_at_data(state, file, offset, count);
    if (count > 0)
        memcpy(buffer, ff_tree_node(state->tree, file)->data + offset, count);
    return count;
}

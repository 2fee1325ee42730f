#include "restate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

struct restating {
    const struct cm_poset *poset;
    const struct cm_sync_call *sync;
    struct cm_restated *list;
    size_t count, capacity;
    bool *restated;       /* by location */
    bool *whole;          /* by operation: it is restated with all that it changed */
    bool *named;          /* by node: its names are restated */
    uint32_t *unnamed;    /* nodes that have no other names than those */
    size_t unnamed_count; /* at most one for each node */
};

static bool restates(const struct restating *restating, enum cm_restate what)
{
    return (restating->sync->restates & 1u << what) != 0;
}

static const struct cm_value *value_at(const struct cm_poset *poset,
                                       const struct cm_location *location, size_t place)
{
    return &poset->values[location->values[place]];
}

static bool is_durable(const struct cm_poset *poset, const struct cm_value *value)
{
    return poset->operations[value->operation].shown.durable != CM_NEVER;
}

static void add_restated(struct restating *restating, uint32_t location, size_t place,
                         const struct cm_value *value)
{
    restating->list = cm_reserve(restating->list, restating->count, &restating->capacity,
                                 sizeof(*restating->list));
    restating->list[restating->count++] = (struct cm_restated){place, *value};
    restating->restated[location] = true;
}

/* Restates what a location held when the sync began. Returns that, or NULL if it is
 * restated already, durable, or what it was before the workload. */
static const struct cm_value *restate_location(struct restating *restating, uint32_t index)
{
    const struct cm_poset *poset = restating->poset;
    if (index == CM_NO_LOCATION || restating->restated[index])
        return NULL;
    const struct cm_location *location = &poset->locations[index];
    size_t last = cm_sync_last(poset, location, restating->sync);
    if (last == 0 || is_durable(poset, value_at(poset, location, last - 1)))
        return NULL;
    add_restated(restating, index, last, value_at(poset, location, last - 1));
    return value_at(poset, location, last - 1);
}

/* ---- Names ---- */

static bool is_name(const struct cm_location *location)
{
    return location->kind == CM_LOCATION_NAME;
}

/* What a name meant after so many of its values. */
static uint32_t meaning(const struct cm_poset *poset, const struct cm_location *location,
                        size_t place)
{
    return place > 0 ? value_at(poset, location, place - 1)->to.node
                     : ff_tree_lookup(poset->snapshot, location->node, location->name);
}

static void restate_names(struct restating *restating, uint32_t node);

/* What lost this name has its names restated, too. */
static void restate_displaced(struct restating *restating, uint32_t index)
{
    const struct cm_poset *poset = restating->poset;
    const struct cm_location *location = &poset->locations[index];
    size_t last = cm_sync_last(poset, location, restating->sync);
    for (size_t place = 0; place < last && restates(restating, CM_RESTATE_DISPLACED); place++)
        if (meaning(poset, location, place) != FF_NO_NODE)
            restate_names(restating, meaning(poset, location, place));
}

static bool has_name(const struct restating *restating, uint32_t node)
{
    size_t cursor = 0;
    return cm_sync_directory(restating->poset, node, restating->sync, &cursor) != FF_NO_NODE;
}

/*
 * The names of a file or directory, and that it has no others. Of a file that has none,
 * nothing is said: it is not logged (fs/btrfs/tree-log.c, btrfs_log_inode_parent).
 */
static void restate_names(struct restating *restating, uint32_t node)
{
    const struct cm_poset *poset = restating->poset;
    if (restating->named[node] || (!S_ISDIR(poset->nodes[node].mode) && !has_name(restating, node)))
        return;
    restating->named[node] = true;
    restating->unnamed[restating->unnamed_count++] = node;
    for (uint32_t i = 0; i < poset->location_count; i++) {
        const struct cm_location *location = &poset->locations[i];
        if (!is_name(location) || cm_sync_meaning(poset, location, restating->sync) != node)
            continue;
        if (restate_location(restating, i) != NULL)
            restate_displaced(restating, i);
    }
}

/* The last place, before the name's meaning of now, where it meant the node; SIZE_MAX: it did
 * not, or what it meant since is durable. */
static size_t former_place(const struct restating *restating, const struct cm_location *location,
                           uint32_t node)
{
    const struct cm_poset *poset = restating->poset;
    size_t place = cm_sync_last(poset, location, restating->sync);
    for (; meaning(poset, location, place) != node; place--)
        if (place == 0 || is_durable(poset, value_at(poset, location, place - 1)))
            return SIZE_MAX;
    return place;
}

/* The names that a node had once are its names no more. */
static void remove_former_names(struct restating *restating, uint32_t node)
{
    const struct cm_poset *poset = restating->poset;
    for (uint32_t i = 0; i < poset->location_count; i++) {
        const struct cm_location *location = &poset->locations[i];
        if (!is_name(location) || restating->restated[i] ||
            cm_sync_meaning(poset, location, restating->sync) == node)
            continue;
        size_t place = former_place(restating, location, node);
        const struct cm_value nothing = {.location = i, .to.node = FF_NO_NODE};
        if (place != SIZE_MAX)
            add_restated(restating, i, place, &nothing);
    }
}

/*
 * A name, and what else was changed by what changed it last: a rename is restated as a whole, with
 * what came after it at its other name, and so on, or the file might be left without a name. A
 * directory that got its name so has no other.
 */
static void restate_whole(struct restating *restating, uint32_t index)
{
    const struct cm_poset *poset = restating->poset;
    const struct cm_location *location = &poset->locations[index];
    size_t last = cm_sync_last(poset, location, restating->sync);
    if (last == 0 || is_durable(poset, value_at(poset, location, last - 1)))
        return;
    uint32_t changed = value_at(poset, location, last - 1)->operation;
    const struct cm_poset_operation *operation = &poset->operations[changed];
    if (restating->whole[changed])
        return;
    restating->whole[changed] = true;
    for (uint32_t v = 0; v < operation->value_count; v++) {
        const struct cm_value *value = &poset->values[operation->first_value + v];
        if (restate_location(restating, value->location) != NULL)
            restate_displaced(restating, value->location);
        if (value->to.node != FF_NO_NODE && S_ISDIR(poset->nodes[value->to.node].mode))
            restate_names(restating, value->to.node);
        restate_whole(restating, value->location);
    }
}

/* Changed names in the directory. */
static void restate_entries(struct restating *restating, uint32_t directory)
{
    const struct cm_poset *poset = restating->poset;
    for (uint32_t i = 0; i < poset->location_count; i++)
        if (is_name(&poset->locations[i]) && poset->locations[i].node == directory)
            restate_whole(restating, i);
}

/* Whether the directory was created, and no sync has covered that. */
static bool is_new(const struct cm_poset *poset, uint32_t directory)
{
    uint32_t creation = poset->nodes[directory].creation;
    return creation != CM_NO_OPERATION && poset->operations[creation].shown.durable == CM_NEVER;
}

/*
 * The new directories on the way to a name of what is synced; or to its entries, which begins
 * with the directory itself.
 */
static void restate_parents(struct restating *restating)
{
    const struct cm_poset *poset = restating->poset;
    const struct cm_sync_call *sync = restating->sync;
    for (uint32_t directory = FF_ROOT_NODE; directory < poset->node_limit; directory++)
        if (S_ISDIR(poset->nodes[directory].mode) && is_new(poset, directory) &&
            ((restates(restating, CM_RESTATE_OWN_NAMES) &&
              cm_sync_leads_to(poset, directory, sync->node, sync)) ||
             (restates(restating, CM_RESTATE_OWN_ENTRIES) &&
              cm_sync_leads(poset, directory, sync->node, sync, poset->model->parent_levels))))
            restate_names(restating, directory);
}

/* ---- The whole ---- */

static void restate_attributes(struct restating *restating, const struct cm_poset_node *node)
{
    restate_location(restating, node->attributes);
    for (size_t i = 0; i < node->xattr_count; i++)
        restate_location(restating, node->xattr_locations[i]);
}

static void restate_data(struct restating *restating, const struct cm_poset_node *node)
{
    restate_location(restating, node->size);
    restate_location(restating, node->chain);
    for (size_t i = 0; i < node->part_count; i++)
        restate_location(restating, node->parts[i]);
}

struct cm_restated *cm_restate(const struct cm_poset *poset, const struct cm_sync_call *sync,
                               size_t *count)
{
    struct restating restating = {
        .poset = poset,
        .sync = sync,
        .restated = cm_allocate(poset->location_count, sizeof(bool)),
        .whole = cm_allocate(poset->operation_count, sizeof(bool)),
        .named = cm_allocate(poset->node_limit, sizeof(bool)),
        .unnamed = cm_allocate(poset->node_limit, sizeof(uint32_t)),
    };
    const struct cm_poset_node *node = &poset->nodes[sync->node];
    if (restates(&restating, CM_RESTATE_OWN_DATA))
        restate_data(&restating, node);
    if (restates(&restating, CM_RESTATE_OWN_ATTRIBUTES))
        restate_attributes(&restating, node);
    if (restates(&restating, CM_RESTATE_OWN_NAMES))
        restate_names(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_OWN_ENTRIES))
        restate_entries(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_PARENTS))
        restate_parents(&restating);
    /* At the end, since what is restated needs not be removed. */
    for (size_t i = 0; i < restating.unnamed_count; i++)
        remove_former_names(&restating, restating.unnamed[i]);
    free(restating.restated);
    free(restating.whole);
    free(restating.named);
    free(restating.unnamed);
    *count = restating.count;
    return restating.list;
}

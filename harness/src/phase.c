/*
 * Adding a phase: the recorded recovery is numbered anew, in terms of the order before
 * it, and becomes an order of its own; then the two are put side by side.
 */
#include "phase.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "fail.h"
#include "memory.h"
#include "state.h"

/* What a phase owns besides. */
struct made {
    struct ff_trace renumbered; /* recorded, with the nodes of the order before */
    uint32_t *numbers;          /* by recorded node */
    size_t number_count;
    struct cm_poset *own;
};

/* ---- Numbering anew ---- */

/* Walks from a node on through both trees, which do not differ. */
static bool match_nodes(const struct ff_tree *state, uint32_t here, const struct ff_tree *found,
                        uint32_t there, uint32_t *numbers)
{
    const struct ff_node *left = ff_tree_node(state, here), *right = ff_tree_node(found, there);
    if (numbers[there] != FF_NO_NODE)
        return numbers[there] == here;
    numbers[there] = here;
    for (size_t i = 0; i < left->entry_count; i++)
        if (!match_nodes(state, left->entries[i].node, found, right->entries[i].node, numbers))
            return false;
    return true;
}

static uint32_t number_of(const struct made *made, size_t known, size_t limit, uint32_t node)
{
    if (node == FF_NO_NODE)
        return FF_NO_NODE;
    return node <= known ? made->numbers[node] : (uint32_t)(limit + node - known - 1);
}

/* limit: of the node numbers that there were before. */
static void renumber(struct made *made, const struct ff_trace *recorded, size_t limit)
{
    struct ff_snapshot_node *nodes = cm_allocate(limit, sizeof(*nodes));
    struct ff_snapshot_name *names = cm_allocate(recorded->name_count, sizeof(*names));
    struct ff_call *calls = cm_allocate(recorded->call_count, sizeof(*calls));
    size_t known = recorded->node_count;
    for (size_t i = 0; i < known; i++)
        nodes[made->numbers[i + 1] - 1] = recorded->nodes[i];
    for (size_t i = 0; i < recorded->name_count; i++) {
        names[i] = recorded->names[i];
        names[i].parent = made->numbers[names[i].parent];
        names[i].node = made->numbers[names[i].node];
    }
    for (size_t i = 0; i < recorded->call_count; i++) {
        struct ff_call *call = &calls[i];
        *call = recorded->calls[i];
        call->node = number_of(made, known, limit, call->node);
        call->parent = number_of(made, known, limit, call->parent);
        call->node2 = number_of(made, known, limit, call->node2);
        call->parent2 = number_of(made, known, limit, call->parent2);
    }
    made->renumbered = *recorded;
    made->renumbered.nodes = nodes;
    made->renumbered.node_count = limit - 1;
    made->renumbered.names = names;
    made->renumbered.calls = calls;
}

static int number_anew(struct made *made, const struct cm_poset *before, const cm_word *ideal,
                       const struct ff_trace *recorded, struct ff_error *error)
{
    struct ff_tree *state = cm_state_build(before, ideal);
    for (uint32_t id = 1; id < state->node_limit; id++)
        if (ff_tree_node(state, id) != NULL && S_ISSOCK(state->nodes[id].mode))
            ff_node_resize(ff_tree_edit(state, id), 0); /* whose size no directory can hold */
    struct ff_tree *found = ff_tree_from_snapshot(recorded);
    made->numbers = cm_allocate(recorded->node_count + 1, sizeof(*made->numbers));
    struct ff_error difference = {""};
    bool same = !ff_tree_differs(state, "it should be", found, "it was", &difference) &&
                match_nodes(state, FF_ROOT_NODE, found, FF_ROOT_NODE, made->numbers);
    ff_tree_free(found);
    ff_tree_free(state);
    if (!same)
        return cm_fail(error, "a recovery was recorded on other files than it should be: %.300s",
                       difference.text);
    renumber(made, recorded, before->node_limit);
    return 0;
}

/* ---- What was looked at ---- */

void cm_largest_ideal(const struct cm_poset *poset, struct cm_cylinder cylinder, cm_word *ideal)
{
    memset(ideal, 0, poset->words * sizeof(*ideal));
    for (size_t o = 0; o < poset->operation_count; o++)
        if (!cm_has(cylinder.excluded, o))
            cm_add(ideal, o);
}

bool cm_is_decided(const struct cm_poset *poset, struct cm_cylinder cylinder, uint32_t location)
{
    const struct cm_location *at = &poset->locations[location];
    for (size_t i = at->value_count; i-- > 0;) {
        uint32_t operation = poset->values[at->values[i]].operation;
        if (!cm_has(cylinder.excluded, operation))
            return cm_has(cylinder.included, operation);
    }
    return true;
}

/* What stood at a location of the recovery was the same in all states of the cylinder. */
static bool was_looked_at(const struct cm_poset *before, struct cm_cylinder leaf,
                          const struct cm_poset *own, const struct cm_location *changed)
{
    if (changed->node >= before->node_limit)
        return true;
    const struct cm_poset_node *node = &before->nodes[changed->node];
    bool decided = true;
    if (changed->kind == CM_LOCATION_NAME) {
        for (size_t i = 0; i < node->part_count; i++)
            if (strcmp(before->locations[node->parts[i]].name, changed->name) == 0)
                decided = cm_is_decided(before, leaf, node->parts[i]);
        return decided;
    }
    if (changed->kind == CM_LOCATION_ATTRIBUTES || changed->kind == CM_LOCATION_XATTR) {
        for (size_t i = 0; i < node->xattr_count; i++)
            decided = decided && cm_is_decided(before, leaf, node->xattr_locations[i]);
        return decided && (node->attributes == CM_NO_LOCATION ||
                           cm_is_decided(before, leaf, node->attributes));
    }
    uint64_t size = own->nodes[changed->node].content.size;
    for (size_t i = 0; i < node->part_count; i++)
        if (before->locations[node->parts[i]].granule * before->granule < size)
            decided = decided && cm_is_decided(before, leaf, node->parts[i]);
    return decided && (node->size == CM_NO_LOCATION || cm_is_decided(before, leaf, node->size)) &&
           (node->chain == CM_NO_LOCATION || cm_is_decided(before, leaf, node->chain));
}

static int verify(const struct cm_poset *before, struct cm_cylinder leaf,
                  const struct cm_poset *own, struct ff_error *error)
{
    for (size_t i = 0; i < own->value_count; i++)
        if (!was_looked_at(before, leaf, own, &own->locations[own->values[i].location]))
            return cm_fail(error,
                           "the recovery changed %.200s without having been seen to look at it; "
                           "--eager does without that",
                           own->operations[own->values[i].operation].shown.path);
    return 0;
}

/* ---- Side by side ---- */

struct join {
    const struct cm_poset *before, *own;
    struct cm_poset *poset;
    uint32_t *locations; /* by location of own: in poset */
    size_t location_capacity;
};

static uint32_t *copy_indices(const uint32_t *indices, size_t count)
{
    return (uint32_t *)(void *)cm_duplicate(indices, count * sizeof(*indices));
}

static void copy_nodes(struct join *join)
{
    const struct cm_poset *before = join->before, *own = join->own;
    struct cm_poset *poset = join->poset;
    poset->node_limit = own->node_limit;
    poset->nodes = cm_allocate(poset->node_limit, sizeof(*poset->nodes));
    for (size_t i = 0; i < poset->node_limit; i++) {
        struct cm_poset_node *node = &poset->nodes[i];
        *node = i < before->node_limit ? before->nodes[i] : own->nodes[i];
        if (i >= before->node_limit) {
            node->size = node->chain = node->attributes = CM_NO_LOCATION;
            node->part_count = node->xattr_count = 0;
        }
        node->creation = CM_NO_OPERATION;
        node->parts = copy_indices(node->parts, node->part_count);
        node->part_capacity = node->part_count;
        node->xattr_locations = copy_indices(node->xattr_locations, node->xattr_count);
        node->xattr_capacity = node->xattr_count;
    }
}

static void copy_locations(struct join *join)
{
    const struct cm_poset *before = join->before;
    struct cm_poset *poset = join->poset;
    for (size_t i = 0; i < before->location_count; i++) {
        poset->locations =
            cm_reserve(poset->locations, i, &join->location_capacity, sizeof(*poset->locations));
        poset->locations[i] = before->locations[i];
        poset->locations[i].values =
            copy_indices(before->locations[i].values, before->locations[i].value_count);
        poset->location_count++;
    }
}

static void forget(struct join *join, uint32_t *location)
{
    if (*location != CM_NO_LOCATION)
        join->poset->locations[*location].kind = CM_LOCATION_PAST;
    *location = CM_NO_LOCATION;
}

/* From here on the content of the file is what the recovery found. */
static void renew_content(struct join *join, uint32_t id)
{
    struct cm_poset_node *node = &join->poset->nodes[id];
    node->content = join->own->nodes[id].content;
    forget(join, &node->size);
    forget(join, &node->chain);
    for (size_t i = 0; i < node->part_count; i++)
        forget(join, &node->parts[i]);
    node->part_count = 0;
}

static void renew_attributes(struct join *join, uint32_t id)
{
    struct cm_poset_node *node = &join->poset->nodes[id];
    const struct cm_poset_node *found = &join->own->nodes[id];
    node->mode = (node->mode & S_IFMT) | (found->mode & 07777); /* one may be unreadable */
    node->uid = found->uid;
    node->gid = found->gid;
    node->xattrs = found->xattrs;
    forget(join, &node->attributes);
    for (size_t i = 0; i < node->xattr_count; i++)
        forget(join, &node->xattr_locations[i]);
    node->xattr_count = 0;
}

/* And the name meant what the recovery found. */
static void renew_name(struct join *join, uint32_t directory, const char *name)
{
    uint32_t meant = ff_tree_lookup(join->own->snapshot, directory, name);
    struct ff_tree *snapshot = join->poset->snapshot;
    if (ff_tree_node(snapshot, directory) == NULL) {
        if (meant == FF_NO_NODE)
            return;
        ff_tree_create(snapshot, directory, join->own->nodes[directory].mode, 0, 0);
    }
    ff_tree_set_name(snapshot, directory, name, meant);
}

/* The place of a name among those of its directory, or of a granule among a file's. */
static size_t part_place(const struct cm_poset *poset, const struct cm_location *location)
{
    const struct cm_poset_node *node = &poset->nodes[location->node];
    size_t at = 0;
    for (; at < node->part_count; at++) {
        const struct cm_location *other = &poset->locations[node->parts[at]];
        if (location->kind == CM_LOCATION_DATA ? other->granule >= location->granule
                                               : strcmp(other->name, location->name) >= 0)
            break;
    }
    return at;
}

static uint32_t *insert(uint32_t *list, size_t *count, size_t *capacity, size_t at, uint32_t index)
{
    list = cm_reserve(list, *count, capacity, sizeof(*list));
    memmove(list + at + 1, list + at, (*count - at) * sizeof(*list));
    list[at] = index;
    ++*count;
    return list;
}

/* Lists a location with its node. A name that was changed before keeps its index. */
static uint32_t place(struct join *join, const struct cm_location *location)
{
    struct cm_poset *poset = join->poset;
    struct cm_poset_node *node = &poset->nodes[location->node];
    uint32_t index = (uint32_t)poset->location_count;
    bool part = location->kind == CM_LOCATION_DATA || location->kind == CM_LOCATION_NAME;
    size_t at = part ? part_place(poset, location) : 0;
    if (location->kind == CM_LOCATION_NAME && at < node->part_count &&
        strcmp(poset->locations[node->parts[at]].name, location->name) == 0) {
        index = node->parts[at];
        free(poset->locations[index].values);
    } else {
        poset->locations = cm_reserve(poset->locations, index, &join->location_capacity,
                                      sizeof(*poset->locations));
        poset->location_count++;
        if (location->kind == CM_LOCATION_SIZE)
            node->size = index;
        else if (location->kind == CM_LOCATION_CHAIN)
            node->chain = index;
        else if (location->kind == CM_LOCATION_ATTRIBUTES)
            node->attributes = index;
        else if (location->kind == CM_LOCATION_XATTR)
            node->xattr_locations = insert(node->xattr_locations, &node->xattr_count,
                                           &node->xattr_capacity, node->xattr_count, index);
        else
            node->parts = insert(node->parts, &node->part_count, &node->part_capacity, at, index);
    }
    poset->locations[index] = *location;
    poset->locations[index].values = copy_indices(location->values, location->value_count);
    for (size_t i = 0; i < location->value_count; i++)
        poset->locations[index].values[i] += (uint32_t)join->before->value_count;
    return index;
}

/* Each location that the recovery changed has the values of the recovery. */
static void join_locations(struct join *join)
{
    const struct cm_poset *own = join->own;
    join->locations = cm_allocate(own->location_count, sizeof(*join->locations));
    for (size_t i = 0; i < own->location_count; i++) {
        const struct cm_location *location = &own->locations[i];
        if (location->kind == CM_LOCATION_NAME)
            renew_name(join, location->node, location->name);
        else if (location->kind == CM_LOCATION_ATTRIBUTES || location->kind == CM_LOCATION_XATTR)
            renew_attributes(join, location->node);
        else
            renew_content(join, location->node);
    }
    for (size_t i = 0; i < own->location_count; i++)
        join->locations[i] = place(join, &own->locations[i]);
}

static void join_values(struct join *join)
{
    const struct cm_poset *before = join->before, *own = join->own;
    struct cm_poset *poset = join->poset;
    poset->value_count = before->value_count + own->value_count;
    poset->values = cm_allocate(poset->value_count, sizeof(*poset->values));
    for (size_t i = 0; i < before->value_count; i++)
        poset->values[i] = before->values[i];
    for (size_t i = 0; i < own->value_count; i++) {
        struct cm_value *value = &poset->values[before->value_count + i];
        *value = own->values[i];
        value->location = join->locations[value->location];
        value->operation += (uint32_t)before->operation_count;
    }
}

static void join_operations(struct join *join)
{
    const struct cm_poset *before = join->before, *own = join->own;
    struct cm_poset *poset = join->poset;
    poset->operation_count = before->operation_count + own->operation_count;
    poset->operations = cm_allocate(poset->operation_count, sizeof(*poset->operations));
    for (size_t i = 0; i < before->operation_count; i++)
        poset->operations[i] = before->operations[i];
    for (size_t i = 0; i < own->operation_count; i++) {
        struct cm_poset_operation *operation = &poset->operations[before->operation_count + i];
        *operation = own->operations[i];
        operation->first_value += (uint32_t)before->value_count;
        operation->shown.boundary = 0;
        operation->shown.durable = CM_NEVER;
    }
}

/* The order is that of each phase, and none between them. */
static void join_order(struct join *join)
{
    const struct cm_poset *before = join->before, *own = join->own;
    struct cm_poset *poset = join->poset;
    size_t first = before->operation_count;
    poset->words = cm_words(poset->operation_count);
    poset->down = cm_allocate(poset->operation_count * poset->words, sizeof(cm_word));
    poset->up = cm_allocate(poset->operation_count * poset->words, sizeof(cm_word));
    for (size_t o = 0; o < first; o++) {
        cm_copy(poset->down + o * poset->words, cm_down(before, o), before->words);
        cm_copy(poset->up + o * poset->words, cm_up(before, o), before->words);
    }
    for (size_t o = 0; o < own->operation_count; o++) {
        cm_word *down = poset->down + (first + o) * poset->words;
        cm_word *up = poset->up + (first + o) * poset->words;
        CM_FOR_EACH(p, cm_down(own, o), own->operation_count)
        cm_add(down, first + p);
        CM_FOR_EACH(q, cm_up(own, o), own->operation_count)
        cm_add(up, first + q);
    }
}

static struct cm_poset *join_posets(const struct cm_poset *before, const struct cm_poset *own)
{
    struct cm_poset *poset = cm_allocate(1, sizeof(*poset));
    struct join join = {.before = before, .own = own, .poset = poset};
    size_t calls = before->trace->call_count;
    poset->trace = before->trace;
    poset->model = before->model;
    poset->granule = before->granule;
    poset->workload_count = before->workload_count;
    poset->borrows = true;
    poset->snapshot = ff_tree_copy(before->snapshot);
    copy_nodes(&join);
    copy_locations(&join);
    join_locations(&join);
    join_values(&join);
    join_operations(&join);
    join_order(&join);
    poset->boundary_calls = copy_indices(before->boundary_calls, calls + 1);
    poset->outputs = copy_indices(before->outputs, calls + 1);
    poset->output_starts = copy_indices(before->output_starts, calls + 2);
    cm_poset_find_soonest(poset);
    free(join.locations);
    return poset;
}

/* ---- The whole ---- */

struct cm_phase *cm_phase_build(const struct cm_poset *before, struct cm_cylinder leaf,
                                struct ff_trace *recorded, struct ff_error *error)
{
    struct cm_phase *phase = cm_allocate(1, sizeof(*phase));
    struct made *made = cm_allocate(1, sizeof(*made));
    cm_word *ideal = cm_allocate(before->words, sizeof(*ideal));
    cm_largest_ideal(before, leaf, ideal);
    phase->recorded = recorded;
    phase->made = made;
    if (number_anew(made, before, ideal, recorded, error) == 0)
        made->own = cm_poset_build(&made->renumbered, before->model, before->granule, error);
    free(ideal);
    if (made->own == NULL || verify(before, leaf, made->own, error) != 0) {
        cm_phase_free(phase);
        return NULL;
    }
    phase->own = made->own;
    phase->first = before->operation_count;
    phase->poset = join_posets(before, made->own);
    return phase;
}

void cm_phase_free(struct cm_phase *phase)
{
    if (phase == NULL)
        return;
    struct made *made = phase->made;
    cm_poset_free(phase->poset);
    cm_poset_free(made->own);
    free((void *)(uintptr_t)made->renumbered.nodes);
    free((void *)(uintptr_t)made->renumbered.names);
    free((void *)(uintptr_t)made->renumbered.calls);
    free(made->numbers);
    free(made);
    ff_trace_free(phase->recorded);
    free(phase);
}

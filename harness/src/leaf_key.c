/*
 * A leaf as it is told from others: the files that all its states have, where everything
 * undecided is as it was before; what may have persisted besides, of that which can be
 * seen in any of the states, and in what order; and the outputs that there may have been.
 *
 * Nodes and operations of recoveries have other numbers in each order that they are part
 * of. So both are numbered as they are come across on a walk from the root. Operations that
 * are not come across make no difference: the ideals, as far as one can see the others, are
 * the ideals of the order among the others.
 *
 * Which outputs are legal depends on the workload's operations. If one of those is
 * undecided and come across, the workload's part of the cylinder is hashed, too.
 */
#include "leaf_key.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "state.h"

struct walk {
    const struct cm_poset *poset;
    struct cm_cylinder leaf;
    struct ff_tree *tree; /* where everything undecided is as it was before */
    XXH3_state_t *hash;
    uint32_t *node_numbers, *operation_numbers; /* 0: not come across */
    uint32_t *nodes, *operations;               /* come across, in that order */
    uint32_t node_count, operation_count;
    bool open_workload; /* an operation of the workload's is among them */
};

static void add(struct walk *walk, const void *bytes, size_t size)
{
    if (size > 0)
        XXH3_128bits_update(walk->hash, bytes, size);
}

static void add_number(struct walk *walk, uint64_t number)
{
    add(walk, &number, sizeof(number));
}

static void add_bytes(struct walk *walk, const void *bytes, size_t size)
{
    add_number(walk, size);
    add(walk, bytes, size);
}

static uint32_t number_node(struct walk *walk, uint32_t node)
{
    if (node == FF_NO_NODE)
        return 0;
    if (walk->node_numbers[node] == 0) {
        walk->nodes[walk->node_count++] = node;
        walk->node_numbers[node] = walk->node_count;
    }
    return walk->node_numbers[node];
}

static uint32_t number_operation(struct walk *walk, uint32_t operation)
{
    if (walk->operation_numbers[operation] == 0) {
        walk->operations[walk->operation_count++] = operation;
        walk->operation_numbers[operation] = walk->operation_count;
        walk->open_workload = walk->open_workload || operation < walk->poset->workload_count;
    }
    return walk->operation_numbers[operation];
}

/* ---- What may have persisted ---- */

static void add_value(struct walk *walk, enum cm_location_kind kind, const struct cm_value *value)
{
    switch (kind) {
    case CM_LOCATION_DATA:
        add_bytes(walk, value->to.data.bytes, value->to.data.length);
        break;
    case CM_LOCATION_SIZE:
    case CM_LOCATION_CHAIN:
        add_number(walk, value->to.size);
        break;
    case CM_LOCATION_ATTRIBUTES:
        add(walk, &value->to.attributes, sizeof(value->to.attributes));
        break;
    case CM_LOCATION_XATTR:
        add_number(walk, value->to.xattr.removed);
        add_bytes(walk, value->to.xattr.value.data, value->to.xattr.value.size);
        break;
    case CM_LOCATION_NAME:
        add_number(walk, number_node(walk, value->to.node));
        break;
    case CM_LOCATION_PAST:
        break;
    }
}

static void add_place(struct walk *walk, const struct cm_location *location)
{
    const char *name = location->name != NULL ? location->name : "";
    add_number(walk, location->kind);
    add_number(walk, location->granule);
    add_bytes(walk, name, strlen(name));
}

/* The undecided values of a location, behind the last one that is there. Returns whether
 * there are any. */
static bool add_location(struct walk *walk, uint32_t index)
{
    if (index == CM_NO_LOCATION)
        return false;
    const struct cm_poset *poset = walk->poset;
    const struct cm_location *location = &poset->locations[index];
    bool open = false;
    size_t first = location->value_count;
    while (first > 0 &&
           !cm_has(walk->leaf.included, poset->values[location->values[first - 1]].operation))
        first--;
    for (size_t i = first; i < location->value_count; i++) {
        const struct cm_value *value = &poset->values[location->values[i]];
        if (cm_has(walk->leaf.excluded, value->operation))
            continue;
        if (!open)
            add_place(walk, location);
        open = true;
        add_number(walk, number_operation(walk, value->operation));
        add_value(walk, location->kind, value);
    }
    return open;
}

/* What is at a location where everything undecided is as it was before, also if the files do
 * not show it. */
static void add_present(struct walk *walk, uint32_t index)
{
    if (index == CM_NO_LOCATION)
        return;
    const struct cm_location *location = &walk->poset->locations[index];
    const struct cm_value *value = cm_state_value(walk->poset, walk->leaf.included, index);
    add_place(walk, location);
    add_number(walk, value != NULL);
    if (value != NULL)
        add_value(walk, location->kind, value);
}

static int compare_names(const void *a, const void *b, void *locations)
{
    const struct cm_location *all = locations;
    return strcmp(all[*(const uint32_t *)a].name, all[*(const uint32_t *)b].name);
}

/* Extended attributes stand in any order. hidden: they may not be shown. */
static void add_xattrs(struct walk *walk, const struct cm_poset_node *node, bool hidden)
{
    uint32_t *sorted = cm_allocate(node->xattr_count, sizeof(*sorted));
    for (size_t i = 0; i < node->xattr_count; i++)
        sorted[i] = node->xattr_locations[i];
    if (node->xattr_count > 1)
        qsort_r(sorted, node->xattr_count, sizeof(*sorted), compare_names, walk->poset->locations);
    for (size_t i = 0; i < node->xattr_count; i++) {
        if (hidden)
            add_present(walk, sorted[i]);
        add_location(walk, sorted[i]);
    }
    free(sorted);
}

/* Of a file that may grow, or that may become readable, what lies behind its end, or is
 * not shown as long as it cannot be read. */
static void add_hidden(struct walk *walk, const struct cm_poset_node *node)
{
    add_bytes(walk, node->content.data, node->content.size);
    add_bytes(walk, node->xattrs.data, node->xattrs.size);
    add_present(walk, node->size);
    add_present(walk, node->chain);
    for (size_t i = 0; i < node->part_count; i++)
        add_present(walk, node->parts[i]);
}

/* ---- Nodes ---- */

static void add_node(struct walk *walk, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(walk->tree, id);
    const struct cm_poset_node *open = &walk->poset->nodes[id];
    const uint32_t attributes[] = {node->mode, node->uid, node->gid};
    add(walk, attributes, sizeof(attributes));
    add_bytes(walk, node->xattrs, node->xattrs_size);
    add_bytes(walk, node->data, node->size);
    for (size_t i = 0; i < node->entry_count; i++) {
        add_bytes(walk, node->entries[i].name, strlen(node->entries[i].name));
        add_number(walk, number_node(walk, node->entries[i].node));
    }
    bool grows = add_location(walk, open->size);
    grows = add_location(walk, open->chain) || grows;
    if (grows)
        add_hidden(walk, open);
    add_location(walk, open->attributes);
    add_xattrs(walk, open, grows);
    for (size_t i = 0; i < open->part_count; i++)
        add_location(walk, open->parts[i]);
    add_number(walk, UINT64_MAX); /* the end */
}

/* ---- The rest ---- */

static void add_order(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->operation_count; i++)
        for (uint32_t j = 0; j < walk->operation_count; j++)
            if (i != j && cm_has(cm_down(walk->poset, walk->operations[i]), walk->operations[j]))
                add_number(walk, (uint64_t)i << 32 | j);
}

static void add_workload_part(struct walk *walk, const cm_word *set)
{
    size_t count = walk->poset->workload_count;
    for (size_t w = 0; w < cm_words(count); w++) {
        cm_word word = set[w];
        if (w == count / 64)
            word &= ((cm_word)1 << count % 64) - 1;
        add_number(walk, word);
    }
}

static void add_outputs(struct walk *walk, const struct cm_leaf *leaf)
{
    const struct cm_poset *poset = walk->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, walk->leaf);
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    add_number(walk, first > leaf->first_output ? first : leaf->first_output);
    add_number(walk, last < leaf->last_output ? last : leaf->last_output);
    add_number(walk, walk->open_workload);
    if (walk->open_workload) {
        add_workload_part(walk, walk->leaf.included);
        add_workload_part(walk, walk->leaf.excluded);
    }
}

struct ff_hash cm_leaf_key(const struct cm_poset *poset, const struct cm_leaf *leaf)
{
    struct walk walk = {
        .poset = poset,
        .leaf = cm_cylinder_of(poset, leaf->sets),
        .hash = XXH3_createState(),
        .node_numbers = cm_allocate(poset->node_limit, sizeof(uint32_t)),
        .nodes = cm_allocate(poset->node_limit, sizeof(uint32_t)),
        .operation_numbers = cm_allocate(poset->operation_count, sizeof(uint32_t)),
        .operations = cm_allocate(poset->operation_count, sizeof(uint32_t)),
    };
    if (walk.hash == NULL)
        abort();
    walk.tree = cm_state_build(poset, walk.leaf.included);
    XXH3_128bits_reset(walk.hash);
    number_node(&walk, FF_ROOT_NODE);
    for (uint32_t i = 0; i < walk.node_count; i++)
        add_node(&walk, walk.nodes[i]);
    add_order(&walk);
    add_outputs(&walk, leaf);
    XXH128_hash_t hash = XXH3_128bits_digest(walk.hash);
    XXH3_freeState(walk.hash);
    ff_tree_free(walk.tree);
    free(walk.node_numbers);
    free(walk.nodes);
    free(walk.operation_numbers);
    free(walk.operations);
    return (struct ff_hash){hash.low64, hash.high64};
}

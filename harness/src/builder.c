#include "builder.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

/* ---- Locations ---- */

static size_t hash_location(enum cm_location_kind kind, uint32_t node, uint64_t granule,
                            const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u ^ ((uint64_t)node << 3 | (unsigned)kind);
    hash = (hash ^ granule) * 0x9e3779b97f4a7c15u;
    for (const char *c = name; c != NULL && *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    return (size_t)(hash ^ hash >> 29);
}

static bool same_location(const struct cm_location *location, enum cm_location_kind kind,
                          uint32_t node, uint64_t granule, const char *name)
{
    return location->kind == kind && location->node == node && location->granule == granule &&
           (name == NULL || strcmp(location->name, name) == 0);
}

static void grow_table(struct cm_builder *builder)
{
    const struct cm_poset *poset = builder->poset;
    if (poset->location_count * 2 < builder->table_size)
        return;
    builder->table_size = builder->table_size == 0 ? 64 : builder->table_size * 2;
    free(builder->table);
    builder->table = cm_allocate(builder->table_size, sizeof(*builder->table));
    memset(builder->table, 0xff, builder->table_size * sizeof(*builder->table));
    for (uint32_t i = 0; i < poset->location_count; i++) {
        const struct cm_location *l = &poset->locations[i];
        size_t slot = hash_location(l->kind, l->node, l->granule, l->name);
        while (builder->table[slot % builder->table_size] != CM_NO_LOCATION)
            slot++;
        builder->table[slot % builder->table_size] = i;
    }
}

/* Lists a new location with its node, at its place in the order of parts. */
static void attach_location(struct cm_poset *poset, uint32_t index)
{
    const struct cm_location *location = &poset->locations[index];
    struct cm_poset_node *node = &poset->nodes[location->node];
    if (location->kind == CM_LOCATION_SIZE) {
        node->size = index;
        return;
    }
    if (location->kind == CM_LOCATION_CHAIN) {
        node->chain = index;
        return;
    }
    if (location->kind == CM_LOCATION_ATTRIBUTES) {
        node->attributes = index;
        return;
    }
    if (location->kind == CM_LOCATION_XATTR) {
        node->xattr_locations = cm_reserve(node->xattr_locations, node->xattr_count,
                                           &node->xattr_capacity, sizeof(*node->xattr_locations));
        node->xattr_locations[node->xattr_count++] = index;
        return;
    }
    node->parts =
        cm_reserve(node->parts, node->part_count, &node->part_capacity, sizeof(*node->parts));
    size_t at = node->part_count++;
    for (; at > 0; at--) {
        const struct cm_location *before = &poset->locations[node->parts[at - 1]];
        if (location->kind == CM_LOCATION_DATA ? before->granule < location->granule
                                               : strcmp(before->name, location->name) < 0)
            break;
        node->parts[at] = node->parts[at - 1];
    }
    node->parts[at] = index;
}

/* The location, made if it is new. name must outlive the poset. */
uint32_t cm_builder_location(struct cm_builder *builder, enum cm_location_kind kind, uint32_t node,
                             uint64_t granule, const char *name)
{
    struct cm_poset *poset = builder->poset;
    grow_table(builder);
    size_t slot = hash_location(kind, node, granule, name);
    for (;; slot++) {
        uint32_t index = builder->table[slot % builder->table_size];
        if (index == CM_NO_LOCATION)
            break;
        if (same_location(&poset->locations[index], kind, node, granule, name))
            return index;
    }
    uint32_t index = (uint32_t)poset->location_count;
    poset->locations = cm_reserve(poset->locations, poset->location_count,
                                  &builder->location_capacity, sizeof(*poset->locations));
    poset->locations[poset->location_count++] =
        (struct cm_location){.kind = kind, .node = node, .granule = granule, .name = name};
    builder->table[slot % builder->table_size] = index;
    attach_location(poset, index);
    return index;
}

/* ---- Operations ---- */

static const char *path_of(const struct cm_builder *builder, uint32_t node)
{
    const char *path = builder->paths[node];
    return path != NULL ? path : "a file without a name";
}

static char *join(const char *directory, const char *name)
{
    return directory[0] == '\0' ? cm_format("%s", name) : cm_format("%s/%s", directory, name);
}

/* Begins an operation; its values follow. Takes path. */
void cm_builder_begin(struct cm_builder *builder, enum cm_class class, char *path, uint64_t offset,
                      uint64_t length)
{
    struct cm_poset *poset = builder->poset;
    poset->operations = cm_reserve(poset->operations, poset->operation_count,
                                   &builder->operation_capacity, sizeof(*poset->operations));
    poset->operations[poset->operation_count++] = (struct cm_poset_operation){
        .shown = {.call = builder->call,
                  .boundary = builder->boundary,
                  .durable = CM_NEVER,
                  .class = cm_class_name(class),
                  .path = path,
                  .offset = offset,
                  .length = length},
        .class = class,
        .first_value = (uint32_t)poset->value_count,
        .after = CM_NO_OPERATION,
    };
}

uint32_t cm_builder_last(const struct cm_builder *builder)
{
    return (uint32_t)builder->poset->operation_count - 1;
}

/* The last operation is a step that comes after an earlier one, if that is any. */
void cm_builder_follow(struct cm_builder *builder, uint32_t before)
{
    builder->poset->operations[cm_builder_last(builder)].after = before;
}

/* Adds a value to the last operation, at a place in the location's value order; the caller
 * fills in what it is. */
struct cm_value *cm_builder_insert(struct cm_builder *builder, uint32_t location, size_t place)
{
    struct cm_poset *poset = builder->poset;
    uint32_t index = (uint32_t)poset->value_count;
    poset->values =
        cm_reserve(poset->values, index, &builder->value_capacity, sizeof(*poset->values));
    poset->values[index] = (struct cm_value){
        .location = location,
        .operation = (uint32_t)poset->operation_count - 1,
    };
    poset->value_count++;
    poset->operations[poset->operation_count - 1].value_count++;
    struct cm_location *at = &poset->locations[location];
    at->values = cm_reserve(at->values, at->value_count, &at->value_capacity, sizeof(*at->values));
    memmove(at->values + place + 1, at->values + place,
            (at->value_count - place) * sizeof(*at->values));
    at->values[place] = index;
    at->value_count++;
    return &poset->values[index];
}

/* As the latest value. */
struct cm_value *cm_builder_value(struct cm_builder *builder, uint32_t location)
{
    return cm_builder_insert(builder, location, builder->poset->locations[location].value_count);
}

void cm_builder_name(struct cm_builder *builder, uint32_t parent, const struct ff_bytes *name,
                     uint32_t node)
{
    uint32_t location =
        cm_builder_location(builder, CM_LOCATION_NAME, parent, 0, (const char *)name->data);
    cm_builder_value(builder, location)->to.node = node;
}

void cm_builder_size(struct cm_builder *builder, uint32_t node, uint64_t size)
{
    cm_builder_value(builder, cm_builder_location(builder, CM_LOCATION_SIZE, node, 0, NULL))
        ->to.size = size;
}

/* A granule's content as the file has it now, up to end or its size. */
struct cm_value *cm_builder_part(struct cm_builder *builder, uint32_t node, uint64_t granule,
                                 uint64_t end)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    size_t start = (size_t)(granule * builder->poset->granule);
    size_t size = file->size < end ? file->size : (size_t)end;
    size_t length = size > start ? size - start : 0;
    if (length > builder->poset->granule)
        length = builder->poset->granule;
    struct cm_value *value = cm_builder_value(
        builder, cm_builder_location(builder, CM_LOCATION_DATA, node, granule, NULL));
    value->to.data.length = (uint32_t)length;
    if (length > 0)
        value->to.data.bytes = (unsigned char *)cm_duplicate(file->data + start, length);
    return value;
}

void cm_builder_granule(struct cm_builder *builder, uint32_t node, uint64_t granule)
{
    cm_builder_part(builder, node, granule, UINT64_MAX);
}

void cm_builder_set_path(struct cm_builder *builder, uint32_t node, uint32_t parent,
                         const struct ff_bytes *name)
{
    char *path = join(path_of(builder, parent), (const char *)name->data);
    free(builder->paths[node]);
    builder->paths[node] = path;
}

char *cm_builder_name_path(const struct cm_builder *builder, uint32_t parent,
                           const struct ff_bytes *name)
{
    return join(path_of(builder, parent), (const char *)name->data);
}

char *cm_builder_node_path(const struct cm_builder *builder, uint32_t node)
{
    return cm_format("%s", path_of(builder, node));
}

bool cm_builder_has_entries(const struct cm_builder *builder)
{
    return builder->poset->model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY;
}

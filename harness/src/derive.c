/*
 * Deriving operations: each call is applied to a tree, as the running program
 * saw it, and what it changed there becomes operations on locations.
 */
#include "derive.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "durability.h"
#include "fail.h"
#include "memory.h"
#include "restate.h"

/* The operations of a trace while they are collected. */
struct builder {
    struct cm_poset *poset;
    struct ff_tree *tree; /* as the running program sees it: every call applied */
    char **paths;         /* by node: its last name, relative to the root */
    uint32_t *links;      /* by node: how many names the running program sees */
    size_t operation_capacity;
    size_t value_capacity;
    size_t location_capacity;
    uint32_t *table; /* open hash table of locations; CM_NO_LOCATION is empty */
    size_t table_size;
    uint32_t call;
    uint32_t boundary;
    uint32_t next_blank; /* node: see make_blank() */
};

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

static void grow_table(struct builder *builder)
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
static uint32_t find_location(struct builder *builder, enum cm_location_kind kind, uint32_t node,
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

static const char *path_of(const struct builder *builder, uint32_t node)
{
    const char *path = builder->paths[node];
    return path != NULL ? path : "a file without a name";
}

static char *join(const char *directory, const char *name)
{
    return directory[0] == '\0' ? cm_format("%s", name) : cm_format("%s/%s", directory, name);
}

/* Begins an operation; its values follow. Takes path. */
static void begin_operation(struct builder *builder, enum cm_class class, char *path,
                            uint64_t offset, uint64_t length)
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

static uint32_t last_operation(const struct builder *builder)
{
    return (uint32_t)builder->poset->operation_count - 1;
}

/* The last operation is a step that comes after an earlier one, if that is any. */
static void follow(struct builder *builder, uint32_t before)
{
    builder->poset->operations[last_operation(builder)].after = before;
}

/* Adds a value to the last operation, at a place in the location's value order; the caller
 * fills in what it is. */
static struct cm_value *insert_value(struct builder *builder, uint32_t location, size_t place)
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
static struct cm_value *add_value(struct builder *builder, uint32_t location)
{
    return insert_value(builder, location, builder->poset->locations[location].value_count);
}

static void add_name(struct builder *builder, uint32_t parent, const struct ff_bytes *name,
                     uint32_t node)
{
    uint32_t location =
        find_location(builder, CM_LOCATION_NAME, parent, 0, (const char *)name->data);
    add_value(builder, location)->to.node = node;
}

static void add_size(struct builder *builder, uint32_t node, uint64_t size)
{
    add_value(builder, find_location(builder, CM_LOCATION_SIZE, node, 0, NULL))->to.size = size;
}

/* A granule's content as the file has it now, up to end or its size. */
static struct cm_value *add_part(struct builder *builder, uint32_t node, uint64_t granule,
                                 uint64_t end)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    size_t start = (size_t)(granule * builder->poset->granule);
    size_t size = file->size < end ? file->size : (size_t)end;
    size_t length = size > start ? size - start : 0;
    if (length > builder->poset->granule)
        length = builder->poset->granule;
    struct cm_value *value =
        add_value(builder, find_location(builder, CM_LOCATION_DATA, node, granule, NULL));
    value->to.data.length = (uint32_t)length;
    if (length > 0)
        value->to.data.bytes = (unsigned char *)cm_duplicate(file->data + start, length);
    return value;
}

static void add_granule(struct builder *builder, uint32_t node, uint64_t granule)
{
    add_part(builder, node, granule, UINT64_MAX);
}

/* ---- Calls ---- */

static void set_path(struct builder *builder, uint32_t node, uint32_t parent,
                     const struct ff_bytes *name)
{
    char *path = join(path_of(builder, parent), (const char *)name->data);
    free(builder->paths[node]);
    builder->paths[node] = path;
}

static char *name_path(const struct builder *builder, uint32_t parent, const struct ff_bytes *name)
{
    return join(path_of(builder, parent), (const char *)name->data);
}

static char *node_path(const struct builder *builder, uint32_t node)
{
    return cm_format("%s", path_of(builder, node));
}

/* A file without a name (O_TMPFILE) is no operation: nothing can be seen of it. */
static void derive_create(struct builder *builder, const struct ff_call *call)
{
    struct cm_poset *poset = builder->poset;
    struct cm_poset_node *node = &poset->nodes[call->node];
    node->mode = call->mode;
    node->uid = call->uid;
    node->gid = call->gid;
    if (S_ISLNK(call->mode))
        node->content = call->data;
    if (call->parent == FF_NO_NODE)
        return;
    begin_operation(builder, CM_CLASS_CREATE, name_path(builder, call->parent, &call->filename), 0,
                    0);
    add_name(builder, call->parent, &call->filename, call->node);
    node->creation = (uint32_t)poset->operation_count - 1;
    builder->links[call->node]++;
    set_path(builder, call->node, call->parent, &call->filename);
}

/*
 * Growth by one step for each unit that an extending write reaches: what the
 * kernel does as it copies page by page. Old size and end are in bytes.
 */
static void derive_growth(struct builder *builder, uint32_t node, uint64_t old_size,
                          uint64_t offset, uint64_t end)
{
    uint64_t unit = builder->poset->model->unit;
    for (uint64_t at = old_size > offset ? old_size : offset; at < end;) {
        uint64_t next = (at / unit + 1) * unit;
        at = next < end ? next : end;
        begin_operation(builder, CM_CLASS_GROW, node_path(builder, node), at, 0);
        add_size(builder, node, at);
    }
}

static bool size_is_in_entry(const struct builder *builder)
{
    return builder->poset->model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY;
}

/* The blocks of a file are chained, or no longer, apart from its size. */
static void derive_chain(struct builder *builder, uint32_t node, uint64_t old_size, uint64_t size)
{
    if (!size_is_in_entry(builder) ||
        cm_chained_size(builder->poset, old_size) == cm_chained_size(builder->poset, size))
        return;
    begin_operation(builder, size < old_size ? CM_CLASS_CUT : CM_CLASS_GROW,
                    node_path(builder, node), size, 0);
    builder->poset->operations[last_operation(builder)].shown.class = "chain";
    add_value(builder, find_location(builder, CM_LOCATION_CHAIN, node, 0, NULL))->to.size = size;
}

/* Whether the file had data in the granule before. */
static bool had_data(const struct cm_poset *poset, uint32_t node, uint64_t granule)
{
    const struct cm_poset_node *file = &poset->nodes[node];
    if (S_ISREG(file->mode) && granule * poset->granule < file->content.size)
        return true;
    for (size_t i = 0; i < file->part_count; i++)
        if (poset->locations[file->parts[i]].granule == granule)
            return true;
    return false;
}

static enum cm_class write_class(const struct builder *builder, uint32_t node, uint64_t granule)
{
    return had_data(builder->poset, node, granule) ? CM_CLASS_OVERWRITE : CM_CLASS_ALLOCATE;
}

/* Bytes from .. to of a granule that the file grew over: first garbage, then what was written. */
static void derive_garbage_and_data(struct builder *builder, uint32_t node, uint64_t from,
                                    uint64_t to, uint32_t growth)
{
    uint64_t granule = from / builder->poset->granule;
    enum cm_class class = write_class(builder, node, granule);
    begin_operation(builder, class, node_path(builder, node), from, to - from);
    builder->poset->operations[last_operation(builder)].shown.class = "garbage";
    follow(builder, growth);
    struct cm_value *value = add_part(builder, node, granule, to);
    size_t before = (size_t)(from - granule * builder->poset->granule);
    memset((unsigned char *)(uintptr_t)value->to.data.bytes + before, CM_GARBAGE,
           (size_t)(to - from));
    begin_operation(builder, class, node_path(builder, node), from, to - from);
    add_part(builder, node, granule, to);
}

/* The part of a write that lies behind the old end, in three steps for each unit. */
static void derive_append(struct builder *builder, uint32_t node, uint64_t from, uint64_t end)
{
    uint64_t unit = builder->poset->model->unit, granule = builder->poset->granule;
    while (from < end) {
        uint64_t next = (from / unit + 1) * unit;
        next = next < end ? next : end;
        begin_operation(builder, CM_CLASS_GROW, node_path(builder, node), next, 0);
        add_size(builder, node, next);
        uint32_t growth = last_operation(builder);
        for (uint64_t to; from < next; from = to) {
            to = (from / granule + 1) * granule;
            to = to < next ? to : next;
            derive_garbage_and_data(builder, node, from, to, growth);
        }
    }
}

/* As an append after an overwrite, of the bytes that there were. */
static void derive_write_stepwise(struct builder *builder, const struct ff_call *call,
                                  uint64_t old_size)
{
    uint64_t size = builder->poset->granule, end = call->offset + call->data.size;
    uint64_t middle = old_size < end ? old_size : end;
    for (uint64_t from = call->offset, to; from < middle; from = to) {
        to = (from / size + 1) * size;
        to = to < middle ? to : middle;
        begin_operation(builder, write_class(builder, call->node, from / size),
                        node_path(builder, call->node), from, to - from);
        add_part(builder, call->node, from / size, to == middle ? old_size : UINT64_MAX);
    }
    derive_append(builder, call->node, call->offset > old_size ? call->offset : old_size, end);
}

/* The granules of a write that are of a class among the given ones. */
static void derive_pieces(struct builder *builder, const struct ff_call *call, unsigned classes,
                          enum cm_tearing tearing)
{
    uint64_t size = builder->poset->granule;
    uint64_t end = call->offset + call->data.size;
    bool first = true;
    for (uint64_t g = call->offset / size; g * size < end; g++) {
        uint64_t from = g * size > call->offset ? g * size : call->offset;
        uint64_t to = (g + 1) * size < end ? (g + 1) * size : end;
        enum cm_class class =
            had_data(builder->poset, call->node, g) ? CM_CLASS_OVERWRITE : CM_CLASS_ALLOCATE;
        if ((classes & 1u << class) == 0)
            continue;
        if (first || tearing != CM_TEARING_ATOMIC) {
            uint64_t length = tearing == CM_TEARING_ATOMIC ? end - from : to - from;
            begin_operation(builder, class, node_path(builder, call->node), from, length);
        }
        first = false;
        add_granule(builder, call->node, g);
    }
}

/* The tree has the write applied already. */
static void derive_write(struct builder *builder, const struct ff_call *call, uint64_t old_size)
{
    const struct cm_model *model = builder->poset->model;
    if (call->data.size == 0)
        return;
    if (model->choices[CM_CHOICE_APPEND] == CM_APPEND_ZEROS_GARBAGE_DATA) {
        derive_write_stepwise(builder, call, old_size);
        return;
    }
    if (model->apart) {
        derive_pieces(builder, call, CM_BIT(OVERWRITE), model->overwrite_tearing);
        derive_pieces(builder, call, CM_BIT(ALLOCATE), model->tearing);
    } else {
        derive_pieces(builder, call, CM_SET_DATA, model->tearing);
    }
    uint64_t end = call->offset + call->data.size;
    derive_growth(builder, call->node, old_size, call->offset, end);
    if (end > old_size)
        derive_chain(builder, call->node, old_size, end);
}

/*
 * A cut is one operation on the size and on every granule beyond the new end
 * (the one that holds the end included): write, truncate to 0, extend must show
 * zeros and never the old bytes. The tree has it applied already.
 */
static void derive_resize(struct builder *builder, const struct ff_call *call, uint64_t old_size)
{
    uint64_t granule = builder->poset->granule;
    if (call->offset == old_size)
        return;
    enum cm_class class = call->offset < old_size ? CM_CLASS_CUT : CM_CLASS_GROW;
    begin_operation(builder, class, node_path(builder, call->node), call->offset, 0);
    add_size(builder, call->node, call->offset);
    for (uint64_t g = call->offset / granule; class == CM_CLASS_CUT && g * granule < old_size; g++)
        add_granule(builder, call->node, g);
    derive_chain(builder, call->node, old_size, call->offset);
}

static void derive_attributes(struct builder *builder, const struct ff_call *call)
{
    begin_operation(builder, CM_CLASS_ATTRIBUTES, node_path(builder, call->node), 0, 0);
    struct cm_value *value =
        add_value(builder, find_location(builder, CM_LOCATION_ATTRIBUTES, call->node, 0, NULL));
    value->to.attributes.mode = call->mode;
    value->to.attributes.uid = call->uid;
    value->to.attributes.gid = call->gid;
}

/* Each extended attribute is a location of its own. */
static void derive_xattr(struct builder *builder, const struct ff_call *call)
{
    begin_operation(builder, CM_CLASS_ATTRIBUTES, node_path(builder, call->node), 0, 0);
    struct cm_value *value =
        add_value(builder, find_location(builder, CM_LOCATION_XATTR, call->node, 0,
                                         (const char *)call->filename.data));
    value->to.xattr.removed = call->effect == FF_EFFECT_REMOVE_XATTR;
    value->to.xattr.value = call->data;
}

/* A change of one name. Of a rename or exchange, reports call it by what it does. */
static uint32_t derive_name(struct builder *builder, enum cm_class class, uint32_t parent,
                            const struct ff_bytes *name, uint32_t node)
{
    begin_operation(builder, class, name_path(builder, parent, name), 0, 0);
    if (class == CM_CLASS_RENAME || class == CM_CLASS_RENAME_REPLACE || class == CM_CLASS_EXCHANGE)
        builder->poset->operations[last_operation(builder)].shown.class =
            cm_class_name(node == FF_NO_NODE ? CM_CLASS_UNLINK : CM_CLASS_LINK);
    add_name(builder, parent, name, node);
    return last_operation(builder);
}

/* A file that loses its last name is cut to nothing; no operation if it is empty. */
static uint32_t derive_emptying(struct builder *builder, uint32_t node)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    if (file == NULL || !S_ISREG(file->mode) || file->size == 0 || builder->links[node] > 1)
        return CM_NO_OPERATION;
    begin_operation(builder, CM_CLASS_CUT, node_path(builder, node), 0, 0);
    add_size(builder, node, 0);
    for (uint64_t g = 0; g * builder->poset->granule < file->size; g++)
        add_part(builder, node, g, 0);
    return last_operation(builder);
}

static void derive_unlink(struct builder *builder, const struct ff_call *call)
{
    uint32_t cut = CM_NO_OPERATION;
    if (builder->poset->model->choices[CM_CHOICE_UNLINK] == CM_UNLINK_TRUNCATE_FIRST)
        cut = derive_emptying(builder, call->node);
    derive_name(builder, CM_CLASS_UNLINK, call->parent, &call->filename, FF_NO_NODE);
    follow(builder, cut);
}

static enum cm_class renaming_class(const struct ff_call *call)
{
    return call->node2 != FF_NO_NODE ? CM_CLASS_RENAME_REPLACE : CM_CLASS_RENAME;
}

static void derive_rename_at_once(struct builder *builder, const struct ff_call *call)
{
    bool exchange = call->effect == FF_EFFECT_EXCHANGE;
    begin_operation(builder, exchange ? CM_CLASS_EXCHANGE : renaming_class(call),
                    name_path(builder, call->parent2, &call->filename2), 0, 0);
    add_name(builder, call->parent, &call->filename, exchange ? call->node2 : FF_NO_NODE);
    add_name(builder, call->parent2, &call->filename2, call->node);
}

/* What a new entry shows before that which it means is written: nothing. */
static uint32_t make_blank(struct builder *builder, uint32_t node)
{
    uint32_t id = builder->next_blank++;
    struct cm_poset_node *blank = &builder->poset->nodes[id];
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    blank->mode = file->mode;
    blank->uid = file->uid;
    blank->gid = file->gid;
    return id;
}

/* The new name; where the size lies in the entry that is blank until the file is written. */
static void derive_new_name(struct builder *builder, const struct ff_call *call, uint32_t before)
{
    bool blank = size_is_in_entry(builder);
    derive_name(builder, renaming_class(call), call->parent2, &call->filename2,
                blank ? make_blank(builder, call->node) : call->node);
    follow(builder, before);
    if (!blank)
        return;
    const struct ff_node *file = ff_tree_node(builder->tree, call->node);
    begin_operation(builder, CM_CLASS_GROW, name_path(builder, call->parent2, &call->filename2),
                    file->size, 0);
    builder->poset->operations[last_operation(builder)].node = call->node;
    add_name(builder, call->parent2, &call->filename2, call->node);
}

/* A directory has never two names: the old one goes first. */
static void derive_rename_by_name(struct builder *builder, const struct ff_call *call)
{
    bool directory = S_ISDIR(builder->poset->nodes[call->node].mode);
    uint32_t removal = CM_NO_OPERATION;
    if (directory)
        removal =
            derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
    derive_new_name(builder, call, removal);
    if (!directory)
        derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
}

static void derive_rename_stepwise(struct builder *builder, const struct ff_call *call)
{
    uint32_t step = CM_NO_OPERATION;
    if (call->node2 != FF_NO_NODE) {
        uint32_t cut = derive_emptying(builder, call->node2);
        step =
            derive_name(builder, renaming_class(call), call->parent2, &call->filename2, FF_NO_NODE);
        follow(builder, cut);
    }
    uint32_t removal =
        derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
    follow(builder, step);
    derive_name(builder, renaming_class(call), call->parent2, &call->filename2, call->node);
    follow(builder, removal);
}

/* Each name by itself; of directories both at once, or one of them had two names. */
static void derive_exchange_by_name(struct builder *builder, const struct ff_call *call)
{
    const struct cm_poset_node *nodes = builder->poset->nodes;
    if (S_ISDIR(nodes[call->node].mode) || S_ISDIR(nodes[call->node2].mode)) {
        derive_rename_at_once(builder, call);
        return;
    }
    derive_name(builder, CM_CLASS_EXCHANGE, call->parent, &call->filename, call->node2);
    uint32_t first = last_operation(builder);
    derive_name(builder, CM_CLASS_EXCHANGE, call->parent2, &call->filename2, call->node);
    if (builder->poset->model->choices[CM_CHOICE_RENAME] == CM_RENAME_STEPWISE)
        follow(builder, first);
}

static void derive_rename(struct builder *builder, const struct ff_call *call)
{
    enum cm_rename how = builder->poset->model->choices[CM_CHOICE_RENAME];
    bool exchange = call->effect == FF_EFFECT_EXCHANGE;
    if (how == CM_RENAME_ATOMIC)
        derive_rename_at_once(builder, call);
    else if (exchange)
        derive_exchange_by_name(builder, call);
    else if (how == CM_RENAME_STEPWISE)
        derive_rename_stepwise(builder, call);
    else
        derive_rename_by_name(builder, call);
    set_path(builder, call->node, call->parent2, &call->filename2);
    if (exchange)
        set_path(builder, call->node2, call->parent, &call->filename);
}

static void derive_names(struct builder *builder, const struct ff_call *call)
{
    switch (call->effect) {
    case FF_EFFECT_LINK:
        derive_name(builder, CM_CLASS_LINK, call->parent, &call->filename, call->node);
        if (builder->paths[call->node] == NULL)
            set_path(builder, call->node, call->parent, &call->filename);
        builder->links[call->node]++;
        break;
    case FF_EFFECT_UNLINK:
        derive_unlink(builder, call);
        builder->links[call->node]--;
        break;
    default:
        derive_rename(builder, call);
        if (call->effect == FF_EFFECT_RENAME)
            builder->links[call->node2]--; /* of no node, too, which nobody asks for */
    }
}

static uint64_t size_of(const struct ff_tree *tree, uint32_t node)
{
    const struct ff_node *file = ff_tree_node(tree, node);
    return file != NULL ? file->size : 0;
}

/* Applies a call to the tree and derives its operations. */
static int derive_call(struct builder *builder, const struct ff_call *call, struct ff_error *error)
{
    uint64_t old_size = size_of(builder->tree, call->node);
    if (ff_tree_apply(builder->tree, call, error) != 0)
        return -1;
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        derive_create(builder, call);
        break;
    case FF_EFFECT_WRITE:
        derive_write(builder, call, old_size);
        break;
    case FF_EFFECT_RESIZE:
        derive_resize(builder, call, old_size);
        break;
    case FF_EFFECT_ATTRIBUTES:
        derive_attributes(builder, call);
        break;
    case FF_EFFECT_SET_XATTR:
    case FF_EFFECT_REMOVE_XATTR:
        derive_xattr(builder, call);
        break;
    case FF_EFFECT_LINK:
    case FF_EFFECT_UNLINK:
    case FF_EFFECT_RENAME:
    case FF_EFFECT_EXCHANGE:
        derive_names(builder, call);
        break;
    default:
        break;
    }
    return 0;
}

/* ---- Syncs that restate ---- */

/* Calls by when they began; a call is the boundary after it. */
struct syncs {
    uint32_t *first; /* by boundary: the latest call that began when it was the last one, or 0 */
    uint32_t *next;  /* by call: an earlier one that began there, or 0 */
    uint32_t *logs;  /* by call: the operation that it restates with, or CM_NO_OPERATION */
};

static void find_syncs(struct syncs *syncs, const struct cm_poset *poset)
{
    uint32_t count = (uint32_t)poset->trace->call_count + 1;
    syncs->first = cm_allocate(count, sizeof(uint32_t));
    syncs->next = cm_allocate(count, sizeof(uint32_t));
    syncs->logs = cm_allocate(count, sizeof(uint32_t));
    for (uint32_t b = 1; b < count; b++) {
        uint32_t until = cm_sync_of(poset, b).until;
        syncs->logs[b] = CM_NO_OPERATION;
        if (poset->trace->calls[poset->boundary_calls[b]].node == FF_NO_NODE)
            continue;
        syncs->next[b] = syncs->first[until];
        syncs->first[until] = b;
    }
}

static void free_syncs(struct syncs *syncs)
{
    free(syncs->first);
    free(syncs->next);
    free(syncs->logs);
}

/*
 * What the sync before boundary b restates may be on the disk from when it began on. If other
 * calls ran beside it, that is before them; else it is told as the sync's own doing.
 */
static void derive_log(struct builder *builder, struct syncs *syncs, uint32_t b)
{
    struct cm_poset *poset = builder->poset;
    struct cm_sync_call sync = cm_sync_of(poset, b);
    size_t count = 0;
    if (sync.restates == 0)
        return;
    struct cm_restated *restated = cm_restate(poset, &sync, &count);
    builder->call = poset->boundary_calls[b];
    builder->boundary = sync.until + 1 == b ? b : sync.until;
    if (count > 0) {
        begin_operation(builder, CM_CLASS_LOG, node_path(builder, sync.node), 0, 0);
        syncs->logs[b] = (uint32_t)poset->operation_count - 1;
        poset->operations[syncs->logs[b]].node = sync.node;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cm_value *from = &restated[i].value;
        struct cm_value *value = insert_value(builder, from->location, restated[i].place);
        value->to = from->to;
        if (poset->locations[from->location].kind == CM_LOCATION_DATA && from->to.data.length > 0)
            value->to.data.bytes =
                (unsigned char *)cm_duplicate(from->to.data.bytes, from->to.data.length);
    }
    free(restated);
}

/* Operations are in the order of their boundaries, so the last sync to return is the first. */
static void derive_logs(struct builder *builder, struct syncs *syncs, uint32_t until)
{
    for (uint32_t b = syncs->first[until]; b != 0; b = syncs->next[b])
        derive_log(builder, syncs, b);
}

/* ---- The whole trace ---- */

static void start_nodes(struct builder *builder)
{
    struct cm_poset *poset = builder->poset;
    const struct ff_trace *trace = poset->trace;
    size_t limit = trace->node_count + 1;
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].node >= limit)
            limit = trace->calls[i].node + 1;
    builder->next_blank = (uint32_t)limit;
    for (size_t i = 0; size_is_in_entry(builder) && i < trace->call_count; i++)
        limit += trace->calls[i].effect == FF_EFFECT_RENAME;
    poset->node_limit = limit;
    poset->nodes = cm_allocate(limit, sizeof(*poset->nodes));
    builder->paths = cm_allocate(limit, sizeof(*builder->paths));
    builder->links = cm_allocate(limit, sizeof(*builder->links));
    for (size_t i = 0; i < limit; i++) {
        struct cm_poset_node *node = &poset->nodes[i];
        node->creation = CM_NO_OPERATION;
        node->size = node->chain = node->attributes = CM_NO_LOCATION;
        if (i == 0 || i > trace->node_count)
            continue;
        node->mode = trace->nodes[i - 1].mode;
        node->uid = trace->nodes[i - 1].uid;
        node->gid = trace->nodes[i - 1].gid;
        node->content = trace->nodes[i - 1].data;
        node->xattrs = trace->nodes[i - 1].xattrs;
    }
    builder->paths[FF_ROOT_NODE] = cm_format("%s", "");
    /* Names are sorted by parent, and parents have smaller numbers than what is
     * in them, but a hard link may come before its directory's own name. */
    for (size_t i = 0; i < trace->name_count; i++)
        builder->links[trace->names[i].node]++;
    for (size_t i = 0; i < trace->name_count; i++)
        if (builder->paths[trace->names[i].node] == NULL)
            set_path(builder, trace->names[i].node, trace->names[i].parent,
                     &trace->names[i].filename);
}

static int derive_calls(struct builder *builder, struct ff_error *error)
{
    struct cm_poset *poset = builder->poset;
    struct syncs syncs;
    int status = 0;
    find_syncs(&syncs, poset);
    derive_logs(builder, &syncs, 0);
    for (uint32_t b = 1; b <= poset->trace->call_count; b++) {
        builder->boundary = b;
        builder->call = poset->boundary_calls[b];
        struct ff_error why;
        if (derive_call(builder, &poset->trace->calls[builder->call], &why) != 0) {
            status = cm_fail(error, "trace: call %u (%s) is impossible: %.300s", builder->call + 1,
                             poset->trace->calls[builder->call].name, why.text);
            break;
        }
        cm_settle(poset, b);
        if (syncs.logs[b] != CM_NO_OPERATION && !poset->operations[syncs.logs[b]].lost)
            poset->operations[syncs.logs[b]].shown.durable = b;
        derive_logs(builder, &syncs, b);
    }
    free_syncs(&syncs);
    return status;
}

int cm_derive(struct cm_poset *poset, struct ff_error *error)
{
    struct builder builder = {.poset = poset, .tree = ff_tree_copy(poset->snapshot)};
    start_nodes(&builder);
    int status = derive_calls(&builder, error);
    ff_tree_free(builder.tree);
    for (size_t i = 0; i < poset->node_limit; i++)
        free(builder.paths[i]);
    free(builder.paths);
    free(builder.links);
    free(builder.table);
    return status;
}

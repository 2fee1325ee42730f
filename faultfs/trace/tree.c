/*
 * The tree's structure: an array of nodes, each directory with its names in a
 * sorted array. Small trees are built and thrown away thousands of times a
 * second, so a reset keeps the memory of nodes, names and contents for reuse.
 */
#include "faultfs/tree.h"

#include "memory.h"
#include "tree_savepoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ff_node_clear(struct ff_node *node)
{
    for (size_t i = 0; i < node->entry_count; i++)
        free(node->entries[i].name);
    node->entry_count = 0;
    node->xattrs_size = 0;
    node->size = 0;
    node->exists = false;
}

static void nodes_reserve(struct ff_tree *tree, size_t limit)
{
    size_t before = tree->node_capacity;
    tree->nodes = ff_memory_grow(tree->nodes, &tree->node_capacity, limit, sizeof(*tree->nodes));
    if (tree->node_capacity != before)
        memset(tree->nodes + before, 0, (tree->node_capacity - before) * sizeof(*tree->nodes));
    if (limit > tree->node_limit)
        tree->node_limit = limit;
}

struct ff_tree *ff_tree_new(void)
{
    struct ff_tree *tree = ff_memory_allocate(1, sizeof(*tree));
    ff_tree_reset(tree);
    return tree;
}

void ff_tree_reset(struct ff_tree *tree)
{
    ff_savepoint_free(tree);
    for (size_t i = 0; i < tree->node_limit; i++)
        ff_node_clear(&tree->nodes[i]);
    tree->node_limit = 0;
    ff_tree_create(tree, FF_ROOT_NODE, S_IFDIR | 0755, 0, 0);
}

void ff_tree_free(struct ff_tree *tree)
{
    if (tree == NULL)
        return;
    ff_savepoint_free(tree);
    /* Slots beyond the limit may hold memory that a reset kept. */
    for (size_t i = 0; i < tree->node_capacity; i++) {
        ff_node_clear(&tree->nodes[i]);
        free(tree->nodes[i].data);
        free(tree->nodes[i].entries);
        free(tree->nodes[i].xattrs);
    }
    free(tree->nodes);
    free(tree);
}

struct ff_node *ff_tree_create(struct ff_tree *tree, uint32_t id, uint32_t mode, uint32_t uid,
                               uint32_t gid)
{
    nodes_reserve(tree, (size_t)id + 1);
    ff_savepoint_keep(tree, id);
    struct ff_node *node = &tree->nodes[id];
    ff_node_clear(node);
    node->exists = true;
    node->mode = mode;
    node->uid = uid;
    node->gid = gid;
    return node;
}

uint32_t ff_tree_fresh_id(const struct ff_tree *tree)
{
    return (uint32_t)tree->node_limit;
}

void ff_tree_reserve_ids(struct ff_tree *tree, size_t limit)
{
    nodes_reserve(tree, limit);
}

const struct ff_node *ff_tree_node(const struct ff_tree *tree, uint32_t id)
{
    return id < tree->node_limit && tree->nodes[id].exists ? &tree->nodes[id] : NULL;
}

struct ff_node *ff_tree_edit(struct ff_tree *tree, uint32_t id)
{
    if (ff_tree_node(tree, id) == NULL)
        return NULL;
    ff_savepoint_keep(tree, id);
    return &tree->nodes[id];
}

size_t ff_entry_find(const struct ff_node *directory, const char *name, bool *found)
{
    size_t low = 0, high = directory->entry_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(directory->entries[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t ff_tree_lookup(const struct ff_tree *tree, uint32_t parent, const char *name)
{
    const struct ff_node *directory = ff_tree_node(tree, parent);
    bool found = false;
    size_t at = directory == NULL ? 0 : ff_entry_find(directory, name, &found);
    return found ? directory->entries[at].node : FF_NO_NODE;
}

void ff_entry_insert(struct ff_node *directory, size_t at, char *name, uint32_t node)
{
    directory->entries = ff_memory_grow(directory->entries, &directory->entry_capacity,
                                        directory->entry_count + 1, sizeof(*directory->entries));
    struct ff_entry *entry = &directory->entries[at];
    memmove(entry + 1, entry, (directory->entry_count - at) * sizeof(*entry));
    *entry = (struct ff_entry){name, node};
    directory->entry_count++;
}

char *ff_entry_take(struct ff_node *directory, size_t at)
{
    struct ff_entry *entry = &directory->entries[at];
    char *name = entry->name;
    directory->entry_count--;
    memmove(entry, entry + 1, (directory->entry_count - at) * sizeof(*entry));
    return name;
}

void ff_tree_set_name(struct ff_tree *tree, uint32_t parent, const char *name, uint32_t node)
{
    struct ff_node *directory = &tree->nodes[parent];
    bool found;
    size_t at = ff_entry_find(directory, name, &found);
    uint32_t before = found ? directory->entries[at].node : FF_NO_NODE;
    char *removed = NULL;
    if (node == before)
        return;
    if (node == FF_NO_NODE)
        removed = ff_entry_take(directory, at);
    else if (found)
        directory->entries[at].node = node;
    else
        ff_entry_insert(directory, at, ff_memory_copy(name, strlen(name)), node);
    if (ff_savepoint_is_set(tree))
        ff_savepoint_note(tree, parent, removed != NULL ? removed : directory->entries[at].name,
                          before, removed != NULL);
    else
        free(removed);
}

void ff_node_resize(struct ff_node *file, size_t size)
{
    if (size > file->size) {
        file->data = ff_memory_grow(file->data, &file->capacity, size, 1);
        memset(file->data + file->size, 0, size - file->size);
    }
    file->size = size;
}

void ff_node_write(struct ff_node *file, const void *data, size_t size, size_t offset)
{
    if (size == 0)
        return;
    if (offset > file->size)
        ff_node_resize(file, offset);
    file->data = ff_memory_grow(file->data, &file->capacity, offset + size, 1);
    memcpy(file->data + offset, data, size);
    if (offset + size > file->size)
        file->size = offset + size;
}

struct ff_tree *ff_tree_copy(const struct ff_tree *tree)
{
    struct ff_tree *copy = ff_memory_allocate(1, sizeof(*copy));
    nodes_reserve(copy, tree->node_limit);
    for (size_t i = 0; i < tree->node_limit; i++) {
        const struct ff_node *from = &tree->nodes[i];
        struct ff_node *to = &copy->nodes[i];
        *to = (struct ff_node){
            .exists = from->exists, .mode = from->mode, .uid = from->uid, .gid = from->gid};
        ff_node_write(to, from->data, from->size, 0);
        ff_node_set_xattrs(to, (struct ff_bytes){from->xattrs, from->xattrs_size});
        to->entries =
            ff_memory_grow(NULL, &to->entry_capacity, from->entry_count, sizeof(*to->entries));
        for (size_t j = 0; j < from->entry_count; j++)
            ff_entry_insert(to, j,
                            ff_memory_copy(from->entries[j].name, strlen(from->entries[j].name)),
                            from->entries[j].node);
    }
    return copy;
}

struct ff_tree *ff_tree_from_snapshot(const struct ff_trace *trace)
{
    struct ff_tree *tree = ff_tree_new();
    nodes_reserve(tree, trace->node_count + 1);
    for (size_t i = 0; i < trace->node_count; i++) {
        const struct ff_snapshot_node *from = &trace->nodes[i];
        struct ff_node *to =
            ff_tree_create(tree, (uint32_t)i + 1, from->mode, from->uid, from->gid);
        ff_node_write(to, from->data.data, from->data.size, 0);
        ff_node_set_xattrs(to, from->xattrs);
    }
    for (size_t i = 0; i < trace->name_count; i++) {
        const struct ff_snapshot_name *name = &trace->names[i];
        ff_tree_set_name(tree, name->parent, (const char *)name->filename.data, name->node);
    }
    return tree;
}

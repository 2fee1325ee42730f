/*
 * Savepoints: notes of what was changed since, to take it back. Of a node that is
 * edited, its content as it was is kept; of a name, what it meant. A savepoint lives as
 * long as its tree, so that its memory is used again.
 */
#include "tree_savepoint.h"

#include "memory.h"

#include <stdlib.h>

struct name_note {
    uint32_t parent;
    uint32_t before; /* what the name meant */
    char *name;      /* if it was removed the note's own, else the directory's */
    bool removed;
};

struct kept_node {
    uint32_t id;
    struct ff_node node; /* without names */
};

struct ff_savepoint {
    bool is_set;
    size_t node_limit; /* of the tree; what has a higher number was made since */
    struct name_note *notes;
    size_t note_count, note_capacity;
    struct kept_node *kept;
    size_t kept_count, kept_capacity; /* slots beyond the count hold memory for reuse */
};

bool ff_savepoint_is_set(const struct ff_tree *tree)
{
    return tree->savepoint != NULL && tree->savepoint->is_set;
}

/* ---- Noting ---- */

static struct kept_node *kept_new(struct ff_savepoint *savepoint)
{
    size_t before = savepoint->kept_capacity;
    savepoint->kept = ff_memory_grow(savepoint->kept, &savepoint->kept_capacity,
                                     savepoint->kept_count + 1, sizeof(*savepoint->kept));
    for (size_t i = before; i < savepoint->kept_capacity; i++)
        savepoint->kept[i] = (struct kept_node){0};
    return &savepoint->kept[savepoint->kept_count++];
}

void ff_savepoint_keep(struct ff_tree *tree, uint32_t id)
{
    struct ff_node *node = &tree->nodes[id];
    if (!ff_savepoint_is_set(tree) || id >= tree->savepoint->node_limit || node->kept)
        return;
    struct kept_node *kept = kept_new(tree->savepoint);
    kept->id = id;
    kept->node.exists = node->exists;
    kept->node.mode = node->mode;
    kept->node.uid = node->uid;
    kept->node.gid = node->gid;
    kept->node.size = 0;
    ff_node_write(&kept->node, node->data, node->size, 0);
    ff_node_set_xattrs(&kept->node, (struct ff_bytes){node->xattrs, node->xattrs_size});
    node->kept = true;
}

void ff_savepoint_note(struct ff_tree *tree, uint32_t parent, char *name, uint32_t before,
                       bool removed)
{
    struct ff_savepoint *savepoint = tree->savepoint;
    savepoint->notes = ff_memory_grow(savepoint->notes, &savepoint->note_capacity,
                                      savepoint->note_count + 1, sizeof(*savepoint->notes));
    savepoint->notes[savepoint->note_count++] = (struct name_note){parent, before, name, removed};
}

/* ---- Taking back ---- */

static void name_take_back(struct ff_tree *tree, const struct name_note *note)
{
    struct ff_node *directory = &tree->nodes[note->parent];
    bool found;
    size_t at = ff_entry_find(directory, note->name, &found);
    if (note->removed)
        ff_entry_insert(directory, at, note->name, note->before);
    else if (note->before == FF_NO_NODE)
        free(ff_entry_take(directory, at));
    else
        directory->entries[at].node = note->before;
}

static void swap_bytes(unsigned char **one, unsigned char **other, size_t *one_capacity,
                       size_t *other_capacity)
{
    unsigned char *bytes = *one;
    size_t capacity = *one_capacity;
    *one = *other;
    *one_capacity = *other_capacity;
    *other = bytes;
    *other_capacity = capacity;
}

static void node_take_back(struct ff_tree *tree, struct kept_node *kept)
{
    struct ff_node *node = &tree->nodes[kept->id], *was = &kept->node;
    node->exists = was->exists;
    node->mode = was->mode;
    node->uid = was->uid;
    node->gid = was->gid;
    node->size = was->size;
    node->xattrs_size = was->xattrs_size;
    swap_bytes(&node->data, &was->data, &node->capacity, &was->capacity);
    swap_bytes(&node->xattrs, &was->xattrs, &node->xattrs_capacity, &was->xattrs_capacity);
}

/* Forgets the notes; what was removed is not coming back. */
static void forget(struct ff_tree *tree)
{
    struct ff_savepoint *savepoint = tree->savepoint;
    for (size_t i = 0; i < savepoint->note_count; i++)
        if (savepoint->notes[i].removed)
            free(savepoint->notes[i].name);
    savepoint->note_count = 0;
    for (size_t i = 0; i < savepoint->kept_count; i++)
        tree->nodes[savepoint->kept[i].id].kept = false;
    savepoint->kept_count = 0;
    savepoint->is_set = false;
}

void ff_tree_savepoint(struct ff_tree *tree)
{
    if (tree->savepoint == NULL)
        tree->savepoint = ff_memory_allocate(1, sizeof(*tree->savepoint));
    forget(tree);
    tree->savepoint->node_limit = tree->node_limit;
    tree->savepoint->is_set = true;
}

void ff_tree_rollback(struct ff_tree *tree)
{
    struct ff_savepoint *savepoint = tree->savepoint;
    if (!ff_savepoint_is_set(tree))
        return;
    for (size_t i = savepoint->note_count; i-- > 0;)
        name_take_back(tree, &savepoint->notes[i]);
    savepoint->note_count = 0;
    for (size_t i = 0; i < savepoint->kept_count; i++)
        node_take_back(tree, &savepoint->kept[i]);
    for (size_t i = savepoint->node_limit; i < tree->node_limit; i++)
        ff_node_clear(&tree->nodes[i]);
    tree->node_limit = savepoint->node_limit;
    forget(tree);
}

void ff_savepoint_free(struct ff_tree *tree)
{
    struct ff_savepoint *savepoint = tree->savepoint;
    if (savepoint == NULL)
        return;
    forget(tree);
    for (size_t i = 0; i < savepoint->kept_capacity; i++) {
        free(savepoint->kept[i].node.data);
        free(savepoint->kept[i].node.xattrs);
    }
    free(savepoint->notes);
    free(savepoint->kept);
    free(savepoint);
    tree->savepoint = NULL;
}

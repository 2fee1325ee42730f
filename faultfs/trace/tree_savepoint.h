/* What tree.c tells a tree's savepoint, and lends it. Private to faultfs. */
#ifndef FAULTFS_TREE_SAVEPOINT_H
#define FAULTFS_TREE_SAVEPOINT_H

#include "faultfs/tree.h"

/* Whether changes are to be noted. */
bool ff_savepoint_is_set(const struct ff_tree *tree);

/* Before a node is changed or made: keeps what it is, without its names. */
void ff_savepoint_keep(struct ff_tree *tree, uint32_t id);

/*
 * After a name was changed, which meant before. Of a name that was removed, the string
 * is taken over; else it must be the one in the directory.
 */
void ff_savepoint_note(struct ff_tree *tree, uint32_t parent, char *name, uint32_t before,
                       bool removed);

/* Ends it and frees what it holds. */
void ff_savepoint_free(struct ff_tree *tree);

/* ---- Of tree.c ---- */

/* Empties the node, which does not exist any more; its memory is kept. */
void ff_node_clear(struct ff_node *node);

/* Where the name is in the directory, or where it would have to be. */
size_t ff_entry_find(const struct ff_node *directory, const char *name, bool *found);

/* The name is the directory's from now on. */
void ff_entry_insert(struct ff_node *directory, size_t at, char *name, uint32_t node);

/* Removes the entry; the name is the caller's. */
char *ff_entry_take(struct ff_node *directory, size_t at);

#endif

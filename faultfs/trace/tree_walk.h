/*
 * Walks the names of a tree, sorted by bytes, directories before what is in
 * them, without recursion (depth is bounded by memory only). Hash, compare and
 * store are loops around it. Private to faultfs.
 *
 *     struct tree_walk walk;
 *     ff_tree_walk_begin(&walk, tree);
 *     while (ff_tree_walk_next(&walk) != WALK_END) ...
 *     ff_tree_walk_end(&walk);
 */
#ifndef FAULTFS_TREE_WALK_H
#define FAULTFS_TREE_WALK_H

#include "faultfs/tree.h"

enum walk_event {
    WALK_NAME,  /* a name: name, node, first */
    WALK_LEAVE, /* the end of the directory node, which is not the root */
    WALK_END,
};

struct walk_level {
    uint32_t directory;
    size_t next;      /* index of its next entry */
    const char *name; /* by which it was reached; "" for the root */
};

struct tree_walk {
    const struct ff_tree *tree;
    const char *name;
    uint32_t node;
    uint32_t ordinal; /* the node's place in the order of first visits; the root has 1 */
    bool first;       /* the node was not met before under another name */
    struct walk_level *levels;
    size_t depth;
    size_t capacity;
    uint32_t *ordinals; /* of every node, 0: not visited */
    uint32_t visited;
};

void ff_tree_walk_begin(struct tree_walk *walk, const struct ff_tree *tree);
enum walk_event ff_tree_walk_next(struct tree_walk *walk);
void ff_tree_walk_end(struct tree_walk *walk);

/*
 * The path of the last event's name relative to the root, allocated with
 * malloc; with a walk that has not started or that ended, ".".
 */
char *ff_tree_walk_path(const struct tree_walk *walk);

#endif

/*
 * From ideals to files: what a state looks like.
 */
#ifndef CRASHMATRIX_STATE_H
#define CRASHMATRIX_STATE_H

#include "cylinder.h"

/* The files of the state in which exactly the given operations persisted. */
struct ff_tree *cm_state_build(const struct cm_poset *poset, const cm_word *ideal);

/* The same into a tree from an earlier call, reusing its memory. */
void cm_state_rebuild(const struct cm_poset *poset, const cm_word *ideal, struct ff_tree *tree);

/*
 * The eager reader: observes everything that can be reached from the root, each
 * name of each directory, each file's attributes, its size, and its granules
 * below that size. On the cylinder that it leaves, all ideals have the same
 * files.
 */
void cm_read_everything(const struct cm_poset *poset, struct cm_explorer *explorer);

/* The locations that it would observe in the state of an ideal, each at least once. */
void cm_state_visit(const struct cm_poset *poset, const cm_word *ideal,
                    void (*visit)(void *context, uint32_t location), void *context);

#endif

/*
 * From ideals to files: what a state looks like.
 */
#ifndef CRASHMATRIX_STATE_H
#define CRASHMATRIX_STATE_H

#include "cylinder.h"

/* The last value of the location that persisted, or NULL: what it was before the workload. */
static inline const struct cm_value *cm_state_value(const struct cm_poset *poset,
                                                    const cm_word *ideal, uint32_t location)
{
    const struct cm_location *at = &poset->locations[location];
    for (size_t i = at->value_count; i-- > 0;)
        if (cm_has(ideal, poset->values[at->values[i]].operation))
            return &poset->values[at->values[i]];
    return NULL;
}

/* Whether the blocks of a file of that size are chained; chain: the last value of that. */
static inline bool cm_state_is_readable(const struct cm_poset *poset,
                                        const struct cm_poset_node *node, uint64_t size,
                                        const struct cm_value *chain)
{
    return size <= cm_chained_size(poset, chain != NULL ? chain->to.size : node->content.size);
}

/*
 * The files of the state in which exactly the given operations persisted. Nodes that
 * cannot be reached from the root exist, too.
 */
struct ff_tree *cm_state_build(const struct cm_poset *poset, const cm_word *ideal);

/*
 * The path of a file that cannot be read in that state, since its size says more than its
 * chain of blocks has; malloc'ed, or NULL if there is none.
 */
char *cm_state_unreadable(const struct cm_poset *poset, const cm_word *ideal);

/*
 * Builds one state after the other in one tree: of each only that in which it differs
 * from the one before. What a check changed in the tree is taken back, if it was done as
 * ff_tree_savepoint() says.
 */
struct cm_stepper;

struct cm_stepper *cm_stepper_new(const struct cm_poset *poset);
void cm_stepper_free(struct cm_stepper *stepper);

/* What cm_state_build() returns, but the stepper's, and valid until the next step. */
struct ff_tree *cm_stepper_step(struct cm_stepper *stepper, const cm_word *ideal);

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

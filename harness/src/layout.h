/*
 * What a worker has laid out in its scratch directory, and the way from there to the
 * next state: only what differs is changed.
 *
 *     layout = cm_layout_new(scratch, times);
 *     for each state:
 *         cm_layout_put(layout, state, &error);
 *         ... a command runs ...
 *         cm_layout_doubt(layout);      unless it is known that it changed nothing
 *     cm_layout_free(layout);
 *
 * After a doubt everything is laid out in a new file system. What a command can see of
 * a state does not depend on the states before it: each object of the trace has one
 * inode number (objects are all made when a file system is new, in the order of their
 * numbers, and wait where no command can look); names are listed in their order; access
 * and modification times are all the same, changes of status are in the order of the
 * names; files have no holes; what is used up of the file system is the same.
 *
 * Where the scratch directory is not private nothing is stepped or pinned: each state is
 * laid out anew.
 */
#ifndef CRASHMATRIX_LAYOUT_H
#define CRASHMATRIX_LAYOUT_H

#include <sys/types.h>
#include <time.h>

#include "crashmatrix/crashmatrix.h"
#include "scratch.h"

struct cm_layout;

/* times: what all objects get. The scratch must outlive the layout. */
struct cm_layout *cm_layout_new(struct cm_scratch *scratch, time_t times);
void cm_layout_free(struct cm_layout *layout);

/* The files and the output of the state, and nothing else. Returns 0, or -1 with *error
 * set, and what is there is in doubt. */
int cm_layout_put(struct cm_layout *layout, const struct cm_state *state, struct ff_error *error);

/* What is there may have been changed. */
void cm_layout_doubt(struct cm_layout *layout);

/* Where the objects of the state that was put are, sorted by inode number; the device is
 * that of the directory. There may be others, too, that the state does not have. None:
 * it is not known. */
struct cm_place {
    ino_t inode;
    uint32_t node;
};
const struct cm_place *cm_layout_places(const struct cm_layout *layout, size_t *count);

/* The device of the directory under test, once a state was put. */
dev_t cm_layout_device(const struct cm_layout *layout);

#endif

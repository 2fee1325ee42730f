/*
 * Takes down which locations a run of a check looks at; the functions by which the
 * check says so are in crashmatrix.h.
 */
#ifndef CRASHMATRIX_OBSERVER_H
#define CRASHMATRIX_OBSERVER_H

#include "poset.h"

/* Locations in the order in which they were first looked at; the output is
 * poset->location_count. */
struct cm_observations {
    bool everything; /* the list is of no use */
    bool settled;    /* the outcome is the same with less output, seen or not */
    bool idle;       /* the recovery changed nothing */
    uint32_t count;
    uint32_t locations[];
};

/* Bytes of the largest list that there can be. */
size_t cm_observations_size(const struct cm_poset *poset);

struct cm_observer *cm_observer_new(const struct cm_poset *poset);
void cm_observer_free(struct cm_observer *observer);

/* From now on what is looked at is put on this list, which is empty at first. */
void cm_observer_begin(struct cm_observer *observer, struct cm_observations *observations);

/* What has been looked at so far; and as if only that had been. */
struct cm_observed {
    bool everything;
    uint32_t count;
};
struct cm_observed cm_observer_mark(const struct cm_observer *observer);
void cm_observer_return(struct cm_observer *observer, struct cm_observed mark);

/* Whether some file has more than one granule that the workload changed, so that it
 * matters which of them are looked at. */
bool cm_observer_tells_granules(const struct cm_observer *observer);

/* Whether the model has it that a file which loses a name also changes its content, or hands
 * its blocks on: then a recovery that removes or renames it changes what is in it. */
bool cm_names_hold_content(const struct cm_state *state);

bool cm_observer_was_idle(const struct cm_observer *observer);

/* Puts a location on the list, once. */
void cm_observer_note(struct cm_observer *observer, uint32_t location);

#endif

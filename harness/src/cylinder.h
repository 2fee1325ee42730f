/*
 * Branching on what is observed: exhaustive exploration by choice prefixes.
 *
 * A cylinder (I, E) is the set of all ideals that contain I and avoid E.
 * Observing a location splits it by the last included operation on that
 * location; the branches are disjoint and cover everything. A deterministic
 * reader that asks cm_observe() for each location that it looks at is run
 * again and again, each time down another branch, until none is left:
 *
 *     explorer = cm_explorer_new(poset);
 *     do {
 *         cm_explorer_restart(explorer);
 *         read(explorer);                     calls cm_observe()
 *         use(cm_explorer_cylinder(explorer));
 *     } while (cm_explorer_advance(explorer));
 *     cm_explorer_free(explorer);
 *
 * The cylinders seen are disjoint, and their union is the set of all ideals.
 */
#ifndef CRASHMATRIX_CYLINDER_H
#define CRASHMATRIX_CYLINDER_H

#include "poset.h"

struct cm_cylinder {
    const cm_word *included; /* I: down-closed */
    const cm_word *excluded; /* E: up-closed, disjoint from I */
};

/* The boundaries at which some ideal of the cylinder is legal: first .. end-1. */
struct cm_interval {
    uint32_t first, end;
};
struct cm_interval cm_cylinder_boundaries(const struct cm_poset *poset,
                                          struct cm_cylinder cylinder);

/*
 * The branches of one observation: from the last value of the location to the first,
 * and then the value that it had before the workload. The first branch has the
 * cylinder's largest ideal in it, and excludes what the cylinder does.
 */
struct cm_branches {
    uint32_t location;
    int64_t choice; /* of the branch at hand: index into poset->values, or -1 */
    size_t rest;    /* values not yet tried */
    bool done;      /* no branch is left */
};

/* pending, a set that belongs to the branches: the cylinder's excluded. */
struct cm_branches cm_branches_begin(const struct cm_poset *poset, uint32_t location,
                                     struct cm_cylinder cylinder, cm_word *pending);

/* Fills in the next branch's sets; false when there is none. */
bool cm_branches_next(const struct cm_poset *poset, struct cm_branches *branches,
                      struct cm_cylinder cylinder, cm_word *pending, cm_word *included,
                      cm_word *excluded);

struct cm_explorer;

struct cm_explorer *cm_explorer_new(const struct cm_poset *poset);
void cm_explorer_free(struct cm_explorer *explorer);

/* Begins the next run of the reader. */
void cm_explorer_restart(struct cm_explorer *explorer);

/*
 * The value of a location in this run: an index into poset->values, or -1 for
 * the value that it had before the workload. The reader must ask for the same
 * locations in the same order as long as it gets the same answers.
 */
int64_t cm_observe(struct cm_explorer *explorer, uint32_t location);

/* Where the run has led; valid until the next restart or advance. */
struct cm_cylinder cm_explorer_cylinder(const struct cm_explorer *explorer);

/* Turns to the next branch. False when there is none left. */
bool cm_explorer_advance(struct cm_explorer *explorer);

#endif

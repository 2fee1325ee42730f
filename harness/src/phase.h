/*
 * Power cuts during a recovery: the partial order goes on.
 *
 * A recovery that was started on a state may be cut as well, and what it leaves then is
 * recovered again. Its operations, as recorded on that state, are a *phase* of their own,
 * added to the order of what came before (the workload, and recoveries that were cut):
 *
 *   - Within a phase all is as in any order: what precedes what, what is durable when.
 *   - Between phases nothing is ordered. What had reached the disk when the earlier phase
 *     was cut is durable, and the rest of it is lost for good; neither depends on the later
 *     phase. So the ideals are the pairs of one of each.
 *   - A location that the recovery changed has the values of its phase only, and before
 *     them the value that the recovery found. What a recovery changed it had looked at (the
 *     name; of a file size and content; all attributes), so that this value is the same in
 *     all states that it could not tell from the one on which it was recorded: there the
 *     recovery makes the same calls, with the same results. cm_phase_build() verifies that.
 *   - Only the workload's operations have boundaries of the workload (count
 *     poset->workload_count): they alone decide which output there may be. Those of a
 *     recovery are in boundaries of its own trace, and have boundary 0 here, and no
 *     time from which on they are durable.
 *
 * The result is a poset like any other, for everything that branches, builds states and
 * counts. To be explored in it: the cylinder of the states that the recovery was started
 * on, of which none of the phase's operations is decided.
 */
#ifndef CRASHMATRIX_PHASE_H
#define CRASHMATRIX_PHASE_H

#include "cylinder.h"

struct cm_phase {
    struct cm_poset *poset;     /* with all phases */
    const struct cm_poset *own; /* of the recovery alone; its nodes are numbered as in poset */
    size_t first;               /* of the recovery's operations in poset */
    struct ff_trace *recorded;  /* as recorded, with numbers of its own */
    void *made;
};

/*
 * Adds a recovery that was recorded on the largest ideal of a cylinder, whose states it
 * cannot tell apart, to the order of what came before, which must outlive the result.
 * Takes over recorded. NULL with *error set when the recording was not made on that state
 * or changes what was not looked at.
 */
struct cm_phase *cm_phase_build(const struct cm_poset *before, struct cm_cylinder leaf,
                                struct ff_trace *recorded, struct ff_error *error);
void cm_phase_free(struct cm_phase *phase);

/* The largest ideal of a cylinder: all that is not excluded. */
void cm_largest_ideal(const struct cm_poset *poset, struct cm_cylinder cylinder, cm_word *ideal);

/* Whether the last value of the location is the same in all ideals of the cylinder. */
bool cm_is_decided(const struct cm_poset *poset, struct cm_cylinder cylinder, uint32_t location);

#endif

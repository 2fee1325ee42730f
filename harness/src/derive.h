/*
 * From calls to operations, values and locations: the first half of building a
 * partial order (poset.h).
 */
#ifndef CRASHMATRIX_DERIVE_H
#define CRASHMATRIX_DERIVE_H

#include "poset.h"

/*
 * Fills in nodes, operations (also when they are durable), values and locations of a poset whose
 * trace, model, granule, snapshot and boundary_calls are set. Returns 0, or -1 with *error set when
 * the trace contradicts itself; cm_poset_free() frees what was made.
 */
int cm_derive(struct cm_poset *poset, struct ff_error *error);

#endif

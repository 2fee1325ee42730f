/*
 * All objects of a trace.
 */
#ifndef CRASHMATRIX_INVENTORY_H
#define CRASHMATRIX_INVENTORY_H

#include "poset.h"

/* Their types, and where symbolic links lead; without names and content. */
struct ff_tree *cm_inventory(const struct cm_poset *poset);

#endif

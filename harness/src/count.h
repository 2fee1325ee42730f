/*
 * Exact numbers of ideals.
 *
 * Counting the ideals of a partial order is #P-hard in general; it factorises
 * over parts that have nothing to do with each other, which makes the orders of
 * real programs easy. A counter remembers what it has counted and gives up past
 * a limit.
 */
#ifndef CRASHMATRIX_COUNT_H
#define CRASHMATRIX_COUNT_H

#include <gmp.h>

#include "cylinder.h"

struct cm_counter;

struct cm_counter *cm_counter_new(const struct cm_poset *poset);
void cm_counter_free(struct cm_counter *counter);

/* Adds the number of ideals in the cylinder to sum. False when it is too hard. */
bool cm_counter_add(struct cm_counter *counter, struct cm_cylinder cylinder, mpz_t sum);

#endif

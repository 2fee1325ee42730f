/*
 * The engine without its processes, on one trace under one model, and what must hold of it:
 * ways that have nothing to do with each other come to the same.
 */
#ifndef CRASHMATRIX_FUZZ_EXAMINED_H
#define CRASHMATRIX_FUZZ_EXAMINED_H

#include "exploring.h"

/* More states are not looked at one by one, and orders of more operations not at all. */
enum { EXAMINED_STATES = 256, EXAMINED_OPERATIONS = 40, EXAMINED_BY_BRUTE_FORCE = 10 };

/* A check that looks at a few things, each chosen by the seed and by what it saw before. */
void examined_check(struct cm_state *state, uint64_t seed, struct cm_outcome *outcome);

/* Runs the check on the jobs that wait, at most so many, until none is left; what comes of them
 * goes into the ledger. Returns whether none is left. */
bool examine_jobs(struct cm_exploring *all, uint64_t seed, unsigned limit);

/* The first job. */
void examine_begin(struct cm_exploring *all);

/* Aborts when something does not hold. possible: the trace is one that could be recorded, so
 * that it must have an order. */
void examine(const struct ff_trace *trace, const struct cm_model *model, uint64_t seed,
             bool possible);

#endif

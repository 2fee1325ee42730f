/*
 * Allocations that fail on demand: a program with allocations.c calls malloc, calloc, realloc and
 * strdup through it (linked with fuzz_allocations of fuzz/CMakeLists.txt).
 */
#ifndef CRASHMATRIX_FUZZ_ALLOCATIONS_H
#define CRASHMATRIX_FUZZ_ALLOCATIONS_H

#include <stdbool.h>

/* Of those that are made between allocations_start and allocations_stop the one with that number
 * fails, from 1; 0: none does. Counts from 1 again. */
void allocations_arm(unsigned at);

void allocations_start(void);
void allocations_stop(void);

/* In between: stops it, and goes on if that returned true. */
bool allocations_pause(void);
void allocations_resume(bool counted);

/* How many have failed since allocations_arm. */
unsigned allocations_failed(void);

#endif

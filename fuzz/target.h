/*
 * What every fuzz target defines, and what its checks say when they fail.
 */
#ifndef CRASHMATRIX_FUZZ_TARGET_H
#define CRASHMATRIX_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* libFuzzer's entry point: runs the target on one input. Returns 0, or -1 for an input that
 * shall not enter the corpus. Aborts when a check fails. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef __cplusplus
}
#endif

/* A check that stays in every kind of build. */
#define require(condition)                                                                         \
    ((condition) ? (void)0                                                                         \
                 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), \
                    abort()))

#endif

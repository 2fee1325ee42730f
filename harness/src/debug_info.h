/*
 * Function, file and line of a place in a program or library, from its debug
 * information (DWARF 2 to 5, inside the file or split off and found by build-id
 * below /usr/lib/debug, as libdw does it), else from its symbols.
 *
 *     const char *problem;
 *     struct cm_debug_info *info = cm_debug_info_open(path, build_id, &problem);
 *     if (info != NULL)
 *         cm_debug_info_find(info, offset, &place);
 *     cm_debug_info_close(info);
 */
#ifndef CRASHMATRIX_DEBUG_INFO_H
#define CRASHMATRIX_DEBUG_INFO_H

#include <stdint.h>

#include "faultfs/trace.h"

struct cm_debug_info;

/* What is known; the texts are malloc'ed and belong to the caller. */
struct cm_debug_place {
    char *function; /* with its namespaces and classes; NULL if unknown */
    char *file;     /* relative to where the compiler ran if below it; NULL if unknown */
    uint32_t line;  /* from 1; 0 if unknown */
};

/*
 * Returns NULL and a constant text in *problem when the file is gone, is none
 * that can be read, or has another build-id than the one given. When neither has
 * one, nobody can tell whether it is the same file: *problem says so and the file
 * is used nevertheless. Else *problem is NULL.
 */
struct cm_debug_info *cm_debug_info_open(const char *path, struct ff_bytes build_id,
                                         const char **problem);

/*
 * Looks up the call whose return address is at that offset in the file (bytes).
 * What was inlined there counts as the function, but for the wrappers that a
 * libc marks as artificial (those of _FORTIFY_SOURCE).
 */
void cm_debug_info_find(struct cm_debug_info *info, uint64_t offset, struct cm_debug_place *place);

/* NULL is ignored. */
void cm_debug_info_close(struct cm_debug_info *info);

#endif

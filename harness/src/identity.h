/*
 * Replay ids: a state in one line.
 *
 *     posix.1f0a93c2.17:3+1,9
 *
 * is the state under model posix of the trace whose digest begins with
 * 1f0a93c2, cut at boundary 17, that lost operations 3, 4 and 9 of those issued
 * by then (3+1: operation 3 and one more). Nothing lost is "17:-". A model used
 * with another granule than its own is written posix@512.
 *
 *     posix.1f0a93c2.17:3+1,9/5be2aa01.2:-
 *
 * is what a power cut during the recovery from that state left: at boundary 2 of the
 * recovery, with nothing lost of what it had done. 5be2aa01 is the beginning of a digest of
 * all that the recovery does. More such parts may follow.
 */
#ifndef CRASHMATRIX_IDENTITY_H
#define CRASHMATRIX_IDENTITY_H

#include <stdio.h>

#include "poset.h"

/* The id of the state of ideal at a boundary; malloc'ed. */
char *cm_identity_format(const struct cm_poset *poset, const cm_word *ideal, uint32_t boundary);

/*
 * The model's name, NUL-terminated in name, and the granule (0: the model's
 * own) of an id. False when it is not an id.
 */
bool cm_identity_model(const char *id, char *name, size_t size, uint32_t *granule);

/*
 * The ideal and boundary that an id names. Returns 0, or -1 with *error set when
 * it is malformed, of another trace or model, or names no legal state.
 */
int cm_identity_parse(const struct cm_poset *poset, const char *id, cm_word *ideal,
                      uint32_t *boundary, struct ff_error *error);

/* Prints "/5be2aa01.2:-", the part of an id for a cut of a recovery of this order. */
void cm_identity_print_recovery(FILE *stream, const struct cm_poset *own, const cm_word *ideal,
                                uint32_t boundary);

/* The first part of an id for a recovery, or the next one behind such a part; NULL at the end. */
const char *cm_identity_recovery(const char *id);

/* As cm_identity_parse(), of such a part, for a recovery that was recorded again. */
int cm_identity_parse_recovery(const struct cm_poset *own, const char *id, cm_word *ideal,
                               uint32_t *boundary, struct ff_error *error);

#endif

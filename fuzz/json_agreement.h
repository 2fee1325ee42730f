/*
 * The strict reader of manifests against simdjson: what one accepts the other must accept,
 * and the same values must be in it, but for differences that are meant. Each of those is a
 * predicate in json_agreement.c, so that everything else must agree.
 */
#ifndef CRASHMATRIX_FUZZ_JSON_AGREEMENT_H
#define CRASHMATRIX_FUZZ_JSON_AGREEMENT_H

#include <stddef.h>

/* Any bytes through mf_json_scan() and, as a member that a reader ignores and as a whole
 * manifest, through mf_manifest_parse(). Aborts when they do not agree. */
void json_agrees(const char *text, size_t size);

#endif

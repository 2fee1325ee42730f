/*
 * A model file in words: what each of its promises means, and where it comes from.
 */
#ifndef CRASHMATRIX_EXPLAIN_H
#define CRASHMATRIX_EXPLAIN_H

#include <stdio.h>

#include "faultfs/trace.h"

/*
 * Prints what a model file says. A file that is no valid model is refused with the
 * place: returns -1 with *error set and nothing printed.
 */
int cm_model_explain(const char *path, FILE *stream, struct ff_error *error);

struct cm_config;

/* The same of an open one (config.h), whose error is set. */
int cm_model_explain_config(const struct cm_config *config, FILE *stream);

/* What a value of a key means, as a part of a sentence; NULL: not among the known ones. */
const char *cm_model_meaning(const char *key, const char *value);

#endif

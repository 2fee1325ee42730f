/*
 * Choosing models by name, file, pattern or "all", without others ("!PATTERN"); listing what is
 * shipped.
 */
#ifndef CRASHMATRIX_CATALOGUE_H
#define CRASHMATRIX_CATALOGUE_H

#include "crashmatrix/crashmatrix.h"

struct cm_models {
    struct cm_model **models;
    char **paths; /* the files of the models */
    size_t count;
    size_t capacity;
};

/*
 * The models that the words choose, each once, in the order of the words and
 * within a pattern by name, but for those that a later word "!PATTERN" takes out. Returns 0, or -1
 * with *error set when a word chooses nothing, or takes out none or all, or a file is wrong.
 */
int cm_models_choose(const char *const *words, size_t count, struct cm_models *chosen,
                     struct ff_error *error);
void cm_models_free(struct cm_models *chosen);

/* The names of the files NAME.json in a folder of the shipped data ("models",
 * "targets"), sorted; both levels malloc'ed. *count is 0 when there are none. */
char **cm_shipped_names(const char *folder, size_t *count);

#endif

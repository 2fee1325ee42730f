/*
 * Targets: ready-made runs, as data files in harness/targets.
 */
#ifndef CRASHMATRIX_TARGET_H
#define CRASHMATRIX_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "faultfs/trace.h"

struct cm_names {
    char **items;
    size_t count;
};

struct cm_target {
    char *name;
    char *description;
    char *setup; /* or NULL */
    char *workload;
    char *recover; /* or NULL */
    char *check;
    struct cm_names models;   /* as given to --model */
    char *restriction;        /* why not under all models; or NULL */
    struct cm_names packages; /* of Debian, that have what it needs */
    struct cm_names needs;    /* commands that must be found in $PATH */
    bool expect_pass;
    bool monotone; /* as with --monotone; false when it is not said */
};

/*
 * name: of a shipped target, or a path (it holds a slash or ends in .json).
 * Returns NULL with *error set when there is none or the file is wrong.
 */
struct cm_target *cm_target_load(const char *name, struct ff_error *error);

struct cm_config;

/* The target that an open file (config.h) holds; NULL with its error set. */
struct cm_target *cm_target_read(const struct cm_config *config);

/* Returns 0 if every command that the target needs is installed; else says what to install. */
int cm_target_check_needs(const struct cm_target *target, struct ff_error *error);

void cm_target_free(struct cm_target *target);

#endif

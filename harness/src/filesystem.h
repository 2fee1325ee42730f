/*
 * Which shipped model fits a mounted file system, and what breaks every promise.
 *
 * Two tables (filesystem.c) say it: of kinds of file systems with the mount options that
 * change their promises, and of options after which a sync means nothing.
 */
#ifndef CRASHMATRIX_FILESYSTEM_H
#define CRASHMATRIX_FILESYSTEM_H

#include "mount.h"

/* More than anybody stacks. */
enum { CM_LAYERS = 8, CM_WARNINGS = 8 };

/* Why a promise does not hold. */
struct cm_fs_warning {
    const char *type;   /* of the file system that has the option */
    const char *option; /* or "": by its kind */
    const char *text;
};

struct cm_fs_advice {
    struct cm_mount layers[CM_LAYERS]; /* the mount, and those below an overlay */
    size_t layer_count;
    const char *model; /* of the lowest layer; NULL: none fits */
    const char *note;  /* on the model, or why there is none; or NULL */
    struct cm_fs_warning warnings[CM_WARNINGS];
    size_t warning_count;
};

/*
 * What is to be said of a directory: an absolute path without links, with the id of its
 * mount, or 0; root as in mount.h. Returns 0, or -1 with *error set. To be freed with
 * cm_fs_advice_free() in any case; the texts live as long.
 */
int cm_fs_advise(const char *root, const char *directory, unsigned long id,
                 struct cm_fs_advice *advice, struct ff_error *error);
void cm_fs_advice_free(struct cm_fs_advice *advice);

/* The names of the models that the table knows, ended by NULL; some stand there twice. */
const char *cm_fs_model(size_t index);

#endif

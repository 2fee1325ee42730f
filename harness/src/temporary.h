/*
 * Files and folders for a while, in $TMPDIR or else /tmp.
 */
#ifndef CRASHMATRIX_TEMPORARY_H
#define CRASHMATRIX_TEMPORARY_H

#include "faultfs/trace.h"

/* Makes an empty one. Returns its path, without links, malloc'ed; NULL with *error set. It is
 * the caller's to remove. */
char *cm_temporary_file(struct ff_error *error);
char *cm_temporary_folder(struct ff_error *error);

#endif

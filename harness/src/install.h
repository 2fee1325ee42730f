/*
 * Where the command's own files are: relative to its executable, in the build
 * tree as in the installed tree.
 */
#ifndef CRASHMATRIX_INSTALL_H
#define CRASHMATRIX_INSTALL_H

#include "faultfs/trace.h"

/* Absolute paths, malloc'ed. part is a name below the folder, or "". */
char *cm_install_bin(const char *part);
char *cm_install_data(const char *part); /* models/..., targets/... */
char *cm_install_library(const char *part);

/* Puts the folders of the project's programs in front of $PATH, so that targets
 * find them. */
void cm_install_set_path(void);

#endif

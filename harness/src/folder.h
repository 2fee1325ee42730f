/*
 * The folder of a report (--report DIR):
 *
 *     trace.cmt             the recording
 *     progress/MODEL.cmx    what was decided under each model, and what waits (progress.h)
 *     report.json, junit.xml, states/, faults/
 */
#ifndef CRASHMATRIX_FOLDER_H
#define CRASHMATRIX_FOLDER_H

#include "faultfs/trace.h"

/* Makes a folder, unless it is there. Returns 0, or -1 with *error set. */
int cm_folder_make(const char *path, struct ff_error *error);

/* Paths in it, malloc'ed. */
char *cm_folder_trace(const char *folder);
char *cm_folder_progress(const char *folder, const char *model);

/* The folder for a new run: made, or without what an earlier run could be continued from. */
int cm_folder_begin(const char *folder, struct ff_error *error);

/* The progress files in it, sorted; both levels malloc'ed. */
char **cm_folder_list_progress(const char *folder, size_t *count);

#endif

/*
 * The subcommands. Each returns the exit status of crashmatrix and has said on
 * standard error what went wrong.
 */
#ifndef CRASHMATRIX_RUN_H
#define CRASHMATRIX_RUN_H

#include "options.h"

int cm_run(const struct cm_settings *settings); /* run and explore */
int cm_record_only(const struct cm_settings *settings);
int cm_show(const struct cm_settings *settings);
int cm_replay(const struct cm_settings *settings);
int cm_merge_run(const struct cm_settings *settings); /* merge */
int cm_cut(const struct cm_settings *settings);
int cm_port_run(const struct cm_settings *settings); /* port */
int cm_show_models(const struct cm_settings *settings);
int cm_list_targets(const struct cm_settings *settings);

/* Prints "crashmatrix: TEXT" and returns status. */
int cm_give_up(enum cm_exit status, const char *text);

#endif

/*
 * What a command looks at in the directory under test: seccomp user notification
 * (seccomp_unotify(2)) stops it, and all that it starts, at each system call that
 * takes a path, or tells of a directory, and goes on when that is taken down. A file
 * that was opened counts as looked at whole, so that what is read of it later need not
 * be seen. A call that is not known to be harmless counts as having looked at
 * everything. Paths are those that the call will use, unless another thread of the
 * command changes them meanwhile.
 *
 *     watch = cm_watch_new(scratch);
 *     for each run:
 *         cm_watch_begin(watch, state, layout);
 *         child:  number = cm_watch_install();
 *         parent: cm_watch_attach(watch, pid, number);
 *                 cm_watch_answer(watch)      whenever the descriptor is readable
 *                 cm_watch_end(watch);
 */
#ifndef CRASHMATRIX_WATCH_H
#define CRASHMATRIX_WATCH_H

#include <sys/types.h>

#include "crashmatrix/crashmatrix.h"
#include "layout.h"
#include "scratch.h"

struct cm_watch;

/* Whether this machine and kernel can do it: tried in a child. */
bool cm_watch_is_possible(void);

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch);
void cm_watch_free(struct cm_watch *watch);

/* The state must have been put into the layout. */
void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout);

/* In the process that is to be watched: its descriptor of the listener, or -1. Of what
 * it does from then on nothing goes on without an answer. */
int cm_watch_install(void);

/* Returns the descriptor to be polled, or -1 with errno set. */
int cm_watch_attach(struct cm_watch *watch, pid_t pid, int number);

int cm_watch_descriptor(const struct cm_watch *watch); /* the same */

/* Takes down one call, and lets it go on. */
void cm_watch_answer(struct cm_watch *watch);

void cm_watch_end(struct cm_watch *watch);

#endif

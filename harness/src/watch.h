/*
 * What a command looks at in the directory under test, and whether it may have changed
 * something there: seccomp user notification (seccomp_unotify(2)) stops it, and all that
 * it starts, at each system call that matters, and goes on when that is taken down. A
 * call that is not known to be harmless counts as having looked at everything, and as a
 * change. Paths are those that the call will use, unless another thread of the command
 * changes them meanwhile; whether an open may lead to a change is in its registers,
 * which nobody else can change.
 *
 * A file that was opened counts as looked at whole, or, if reads are watched too, as far
 * as it was read. Where that cannot be known, because another task may have moved the
 * position of the descriptor or changed what it means, it is the whole file.
 *
 *     watch = cm_watch_new(scratch);
 *     for each run:
 *         cm_watch_begin(watch, state, layout);
 *         cm_watch_next(watch, recovers);     of more than one command: before each
 *         cm_watch_listen(watch, listener);
 *         cm_watch_answer(watch)      whenever the listener is readable
 *         cm_watch_seen(watch)
 *         cm_watch_end(watch)
 *
 * Only once the listener has received a call does it wait as if nobody could interrupt it
 * (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). A signal that comes before, to a handler that was
 * installed without SA_RESTART, makes the call fail with EINTR, which calls on files and
 * forks otherwise do not (signal(7)). That cannot be helped, but it can be told: such
 * handlers are seen, the kernel numbers the calls that are told of, and one that was given up
 * is a number that is never received. Such a run says nothing of the check, and has to be
 * repeated. (With SA_RESTART the call is made again, and nothing is lost.)
 *
 * What it changes outside the scratch directory is marked (watch_outside.h), and random
 * numbers are the same in each run (watch_random.h).
 */
#ifndef CRASHMATRIX_WATCH_H
#define CRASHMATRIX_WATCH_H

#include <sys/types.h>

#include "crashmatrix/crashmatrix.h"
#include "layout.h"
#include "scratch.h"
#include "watch_filter.h"

struct cm_watch;

/* Whether this machine and kernel can do it: tried in a child. */
bool cm_watch_is_possible(void);

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch);
void cm_watch_free(struct cm_watch *watch);

/* The state must have been put into the layout. */
void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout);

struct cm_listener {
    int descriptor; /* of a filter of that kind; the caller's */
    enum cm_watch_kind kind;
    pid_t server;  /* a process under it that is none of those to be watched; or 0 */
    bool handles;  /* the server has handlers that interrupt calls, and so have its runs */
    uint64_t next; /* the number of the next call; 0: not known yet */
};

/* It stays the caller's, and in use. */
void cm_watch_listen(struct cm_watch *watch, struct cm_listener *listener);

/* The listener, to be polled. */
int cm_watch_descriptor(const struct cm_watch *watch);

/*
 * From now on it is another command, on the same state. recovers: what it opens to change it
 * it looks at, all of it.
 */
void cm_watch_next(struct cm_watch *watch, bool recovers);

/* Takes down one call, and lets it go on. */
void cm_watch_answer(struct cm_watch *watch);

/* Of the run so far. */
struct cm_watch_seen {
    bool change;   /* something in the scratch directory may have been changed */
    bool scratch;  /* something in it was looked at, unless only changes are watched */
    bool listener; /* it wants to have such notifications itself, which it cannot have */
    bool handles;  /* there may be handlers that interrupt calls */
    bool lost;     /* one of them may have made a call fail that was not received yet */
};
const struct cm_watch_seen *cm_watch_seen(const struct cm_watch *watch);

/* It is not known whether one was. */
void cm_watch_lose(struct cm_watch *watch);

/* When nothing of it is left. */
void cm_watch_end(struct cm_watch *watch);

/* How many random bytes it has taken so far, by getrandom(2); and as if it had taken some
 * before. */
uint64_t cm_watch_random(const struct cm_watch *watch);
void cm_watch_skip_random(struct cm_watch *watch, uint64_t taken);

#endif

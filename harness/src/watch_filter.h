/*
 * The seccomp filter of a command that is watched.
 */
#ifndef CRASHMATRIX_WATCH_FILTER_H
#define CRASHMATRIX_WATCH_FILTER_H

/* Which calls stop and are told of; each kind has those of the ones before, too. */
enum cm_watch_kind {
    CM_WATCH_CHANGES, /* those that may change what lies in the scratch directory, and those
                         that install handlers of signals */
    CM_WATCH_LOOKS,   /* those that look at something by its name */
    CM_WATCH_READS,   /* those that read files, and those that start tasks */
};

/*
 * In the process that is to be watched: returns a descriptor of the listener, or -1 with
 * errno set. All that it starts is watched, too; of what they do from then on nothing
 * that is told of goes on without an answer.
 */
int cm_watch_filter_install(enum cm_watch_kind kind);

/* Lets who waits for a call and who made it take turns on one processor, where the kernel
 * can do that (since Linux 6.6): that costs a third less. */
void cm_watch_filter_hasten(int listener);

#endif

/*
 * What pool and command both need to know about processes.
 */
#ifndef CRASHMATRIX_PROCESS_H
#define CRASHMATRIX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Nanoseconds of a clock that nobody sets. */
uint64_t cm_process_clock(void);

/*
 * Makes the calling process the parent of every descendant that loses its own
 * (PR_SET_CHILD_SUBREAPER, prctl(2)), so that cm_process_kill_children() finds
 * daemons too.
 */
void cm_process_adopt_orphans(void);

/*
 * Kills and reaps all children of the calling process, of one thread, until it
 * has none but those that are to be spared, which must have no children themselves:
 * after cm_process_adopt_orphans() these are all its descendants, whatever session
 * they moved to. Can be called in a signal handler. Returns
 * false when some still live after about two seconds (in an uninterruptible
 * sleep, or forking faster than they can be killed).
 */
bool cm_process_kill_children(const pid_t *spared, size_t count);

/*
 * For a process that was just forked to run commands or checks. It forks once
 * more and returns in the child; the calling process stays behind as the child's
 * keeper. When the child ends, however it does, the keeper kills all that it left
 * and ends in the same way. When SIGTERM, SIGINT or SIGHUP reach the keeper, or
 * the parent ends, it kills the child and all its descendants first. parent is
 * what getpid() gave before the fork.
 */
void cm_process_confine(pid_t parent);

/* Says how a process ended: "exit status 3", "ended by SIGSEGV". */
void cm_process_describe(int wait_status, char *text, size_t size);

#endif

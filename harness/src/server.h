/*
 * Processes that start the runs of a command (servers), all of them under one seccomp
 * filter whose listener the caller has (watch.h). Runs are children of the caller. They
 * come to be
 *
 * - by executing the command, from a small process (cm_server_start()), or
 * - by forking the command's own program, which was executed once and stopped where
 *   main() would be called (cm_server_start_program()).
 *
 * A fork is as good as a new process only if the start neither looked at the state nor
 * left anything that runs would share or lose. So it is watched, and the process is
 * looked at: the program must not be static or privileged; until main() it must not look
 * into the scratch directory, make a call that is not known to be harmless, or print;
 * and then it must have no other descriptors than the three standard ones, no threads,
 * children, timers or writable shared mappings, and be in the directory under test. What
 * cannot be told apart: addresses, random bytes of the kernel's and times that were taken
 * before main() are the same in all runs.
 */
#ifndef CRASHMATRIX_SERVER_H
#define CRASHMATRIX_SERVER_H

#include <sys/types.h>

#include "../start/start.h"
#include "command.h"
#include "scratch.h"
#include "watch.h"

struct cm_server;

/* In a process of one thread, with the environment of the runs. Returns NULL with *error
 * set when no such process can be had. */
struct cm_server *cm_server_start(const struct cm_command *command,
                                  const struct cm_scratch *scratch, enum cm_watch_kind kind,
                                  struct ff_error *error);

/*
 * library: the path of libcrashmatrix-start.so. watch has begun, and is left listening to
 * it. Waits at most timeout_ms. Returns NULL when the program is not suitable; what it
 * changed meanwhile is in cm_watch_seen().
 */
struct cm_server *cm_server_start_program(const struct cm_command *command,
                                          const struct cm_scratch *scratch, enum cm_watch_kind kind,
                                          const char *library, struct cm_watch *watch,
                                          unsigned timeout_ms);

void cm_server_stop(struct cm_server *server);

pid_t cm_server_pid(const struct cm_server *server);

/*
 * Starts one run in the directory under test. watch has begun, and is left listening to
 * it. Returns the pid, or -1 when the server is of no use any more.
 */
pid_t cm_server_run(struct cm_server *server, struct cm_watch *watch,
                    const int given[CM_START_GIVEN]);

/*
 * After a run, when nothing of it is left: then it is seen (cm_watch_seen()) if any of its
 * calls was lost, the last one, too.
 */
void cm_server_mark(struct cm_server *server, struct cm_watch *watch);

/* After a run: an errno value if its program could not be executed, or 0. */
int cm_server_exec_error(const struct cm_server *server);

#endif

/*
 * The safety net. A seccomp filter in the workload hands every mutating system
 * call that does not come from the recorder's page (shim/gate.h) to a thread of
 * the launcher, the supervisor, which makes the call for the process and records
 * it: those of static programs, of C stdio, of inline system calls. Calls that do
 * not concern the directory under test are sent back, to be made as they are.
 * seccomp_unotify(2), Linux 5.19 or later, x86-64.
 *
 * One thing is different for the process: a signal whose handler was installed
 * without SA_RESTART, and which arrives in the microseconds before the supervisor
 * takes the call, makes the call fail with EINTR, having done nothing, which calls
 * on files otherwise seldom do (signal(7)). Once taken, a call is only cut short
 * by the death of the process.
 */
#ifndef RECORD_NET_H
#define RECORD_NET_H

#include "recording.h"

/*
 * In the process that will become the workload: installs the filter and sends its
 * listener through the socket. False: there is no seccomp, all goes on without.
 */
bool net_install(int socket);

/*
 * In the launcher: takes what net_install() sent through the other end of the
 * socket and starts the supervisor. Without a listener, which is noted as
 * unobserved, recording->net remains NULL. To be called before the process calls
 * anything else.
 */
int net_start(struct recording *recording, int socket, struct ff_error *error);

/*
 * Whether the supervisor has ended, as it does when no process of the workload is
 * left; until then the recording must be drained and its output be read, for which
 * it may wait.
 */
bool net_has_ended(const struct net *net);
void net_close(struct net *net);

#endif

/*
 * Whose call it is. In the library (caller.c) every call is this process's own.
 * The launcher's supervisor (record/net_caller.c) makes calls for processes that
 * the library is not in: as their user, with their numbers of descriptors.
 */
#ifndef SHIM_CALLER_H
#define SHIM_CALLER_H

#include "gate.h"
#include "recorder.h"

#include <sys/uio.h>

/* Makes the system call as the caller would. Returns its result, or -errno. */
long caller_call(const struct raw_call *raw);

/*
 * A call that does not concern the directory under test, nor standard output.
 * The library makes it as it is. The supervisor makes none of these: there this
 * returns CALL_NOT_CONCERNED, and the process makes its call itself.
 */
long call_pass(const struct raw_call *raw);
#define CALL_NOT_CONCERNED (-0x4000000000000000l)

/* After a cut: the caller goes no further and waits to be killed. */
_Noreturn void caller_stop(void);

/*
 * A call that the recorder does not know, made by syscall(2): the launcher's net
 * decides about it. The supervisor makes none of these either.
 */
long call_unknown(const struct raw_call *raw);

/*
 * Whether the caller may be kept waiting for another process inside a call. The
 * supervisor would keep all of them waiting: a call that would have to wait returns
 * CALL_AGAIN there, having done nothing, and is made again a little later.
 */
bool caller_may_wait(void);
#define CALL_AGAIN (CALL_NOT_CONCERNED + 1)

/*
 * Has the launcher answer channel->mapping, which the caller has filled in. With the
 * channel's lock held; what the caller had begun to describe in its record is lost.
 */
void caller_mapping(enum mapping_request request);

/*
 * Makes an msync(MS_SYNC), or what does the same for the caller's mapping.
 */
long mapping_sync(const struct site *site, const struct raw_call *raw);

/*
 * Copies what the caller wants to write, since another thread or process may change
 * it between the write and the record of it. Returns how many bytes could be read;
 * 0 or less: none, or they are nobody else's already.
 */
long caller_copy(uint32_t thread, void *to, uint64_t size, const struct iovec *pieces,
                 uint64_t piece_count);

/* The process of the calling thread. */
uint32_t caller_process(uint32_t thread);

/*
 * The caller's number of a descriptor that this process holds. One that was just
 * opened for the caller becomes the caller's by this. Negative numbers (no
 * descriptor, or -errno) are returned as they are.
 */
long caller_descriptor(long fd);

/*
 * Whether this process may open the file of a descriptor once more and close that
 * again. Closing any descriptor of a file releases the locks that the process has on
 * the file (fcntl_locking(2)), which would change the program.
 */
bool caller_may_reopen(int fd);

#endif

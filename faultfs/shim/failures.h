/*
 * Failed syncs, reported as the kernel does it (lib/errseq.c): what was dirty is
 * lost and counts as clean; each open file description that the file has at the
 * failure hears of it once, at its next sync; one opened later does not, for
 * somebody has heard of it already. Descriptors that were made by dup or fork
 * share a description.
 *
 * How many failures of its file a description has heard of is kept in the
 * description itself, as the signal of fcntl(F_SETSIG), which means nothing for a
 * file unless there are leases on it. So at most 64 of a file are told apart. Not
 * known to have been opened later is what a program opens for reading alone without
 * the library: its first sync fails once too often.
 */
#ifndef SHIM_FAILURES_H
#define SHIM_FAILURES_H

#include "recorder.h"

/*
 * Makes an fsync or fdatasync of the descriptor, which is of the node. *lost: the
 * file system has given up what was dirty.
 */
long failures_sync(const struct site *site, struct known *known, int fd, const struct raw_call *raw,
                   bool *lost);

/* To be called for every descriptor that an open of a file returned. */
void failures_opened(long fd);

#endif

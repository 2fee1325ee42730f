/*
 * Shared mappings of files below the directory: stores through them are no calls, and
 * are found by comparing what a file holds with what the record says that it holds:
 * of pages that the kernel says were stored to (tracking.h), or, where it cannot say
 * that, of all. A scan makes one write of each page that differs, of route "mapping": it took place
 * at some time between the scan before and this one. Scans are made before and after
 * every sync, before calls that change such a file, before output, when something is unmapped, when
 * a program exits, and at the end of the run. What a page held only between two scans is not
 * seen, which is noted as unobserved ("mapped-intermediate"): of files that were
 * stored to, and of those where nobody could tell (a mapping that was made without
 * the library, forked, moved, or ended by a signal).
 *
 * Requests come from the owner of the channel's lock: from the library through
 * channel->mapping, which a thread of its own answers, or from the supervisor, which
 * calls caller_mapping() (shim/caller.h) directly.
 */
#ifndef RECORD_MAPPINGS_H
#define RECORD_MAPPINGS_H

#include "recording.h"

/* Starts the thread. There is one recording at a time. */
int mappings_open(struct recording *recording, struct ff_error *error);

/*
 * Whether no request is being answered; if so none will be until mappings_resume().
 * For those who take over the lock of an owner that died while it waited.
 */
bool mappings_pause(void);
void mappings_resume(void);

/*
 * For an msync(MS_SYNC) that the launcher makes for a process: its addresses mean
 * nothing here, but what was mapped is known. Returns 0 or -errno.
 */
long mappings_sync(void);

/* The last scan, when no process is left. */
void mappings_finish(void);

void mappings_close(void);

#endif

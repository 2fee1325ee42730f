/*
 * What a file held when it was synced. The recorder reads it under the lock, when
 * an fsync or fdatasync has succeeded, and puts a hash into the record of the sync;
 * the launcher's self-check compares it with the replay at that point. So a sync
 * that is credited to the wrong file is noticed, and a write that nobody saw and
 * that was overwritten later.
 *
 * Hashed are files of up to CONTENT_WHOLE bytes; of larger ones the size, the
 * beginning, the end, and some pages that are others at every sync; or all of
 * every file, if the launcher was asked to (--check-content all).
 *
 * Not read are
 *   - files that the caller may not read;
 *   - files open for writing only, in a process with several threads or with locks
 *     on the file: such a file must be opened again, and the closing of that
 *     descriptor releases the process's locks on the file (fcntl_locking(2));
 *   - most files after the first few hundred syncs, which takes longer than many a
 *     sync: then one in sixteen, unless the launcher was asked for all.
 */
#ifndef SHIM_CONTENT_H
#define SHIM_CONTENT_H

#include "channel.h"

/* Reads and hashes; content->kind is CONTENT_NONE if that was not possible. */
void content_read(int fd, uint64_t tick, struct content *content);

/* A part of a file, in bytes; not more than CONTENT_PIECE of them. */
struct content_piece {
    uint64_t offset, size;
};

/*
 * The index-th of the parts that are hashed of a file of content->size bytes, in
 * their order; false after the last. tick is that of the sync's begin.
 */
bool content_piece(const struct content *content, uint64_t tick, uint64_t index,
                   struct content_piece *piece);

/* The hash after one more part; 0 before the first. */
uint64_t content_hash(uint64_t hash, const void *bytes, uint64_t size);

#endif

/*
 * The set of nodes that lie below the directory under test, by (device, inode).
 *
 * An entry is made by the launcher's snapshot or at a creation, both of which
 * know the number of the node for certain; a file system reuses inode numbers,
 * so an entry whose node lost its last name is only believed when more than the
 * number speaks for it (scope.h). Changed only under the channel's lock; may be
 * searched without it. Used by the recorder and by the launcher.
 */
#ifndef SHIM_KNOWN_H
#define SHIM_KNOWN_H

#include "channel.h"

/* The entry, or NULL. */
struct known *known_find(struct channel *channel, uint64_t device, uint64_t inode);

/* Makes an entry, or replaces one: the node was just created. False if the set is full. */
bool known_insert(struct channel *channel, uint64_t device, uint64_t inode, uint32_t node);

#endif

#include "known.h"

/* Neighbouring numbers share pages: most file systems give them to files made in a row. */
static uint64_t slot_of(uint64_t device, uint64_t inode)
{
    return inode + device * 0x9e3779b97f4a7c15u;
}

/* The slot of the entry, or the empty slot where it would be. */
static struct known *slot_find(struct channel *channel, uint64_t device, uint64_t inode)
{
    for (uint64_t i = slot_of(device, inode);; i++) {
        struct known *known = &channel->known[i % CHANNEL_KNOWN_SIZE];
        uint64_t found = atomic_load_explicit(&known->inode, memory_order_acquire);
        if (found == 0 || (found == inode && known->device == device))
            return known;
    }
}

struct known *known_find(struct channel *channel, uint64_t device, uint64_t inode)
{
    struct known *known = slot_find(channel, device, inode);
    return known->inode == 0 ? NULL : known;
}

bool known_insert(struct channel *channel, uint64_t device, uint64_t inode, uint32_t node)
{
    struct known *known = slot_find(channel, device, inode);
    if (known->inode == 0) {
        /* Some slots stay empty, so that every search ends. */
        if (channel->known_count == CHANNEL_KNOWN_SIZE / 4 * 3)
            return false;
        channel->known_count++;
        known->device = device;
    }
    known->node = node;
    known->unnamed = false;
    known->failures = 0;
    known->mapped = false;
    atomic_store_explicit(&known->inode, inode, memory_order_release);
    return true;
}

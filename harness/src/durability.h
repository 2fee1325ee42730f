/*
 * What syncs make durable. Only for what builds a partial order (poset.h): boundary
 * after boundary, as operations are derived (derive.h).
 */
#ifndef CRASHMATRIX_DURABILITY_H
#define CRASHMATRIX_DURABILITY_H

#include "poset.h"

/* A sync, as far as it matters what it covers and restates. */
struct cm_sync_call {
    unsigned covers;   /* bits of enum cm_cover */
    unsigned restates; /* bits of enum cm_restate */
    uint32_t node;
    uint64_t start, end; /* the bytes of the file that it is limited to */
    uint32_t until;      /* only what was issued by this boundary, ... */
    uint64_t tick;       /* ... and had returned by this tick */
    bool checkpoint;     /* all-meta is all, whatever was synced last changed */
    size_t metadata;     /* of all-meta: only so many operations, from the first one on */
};

/* When a call has its effect, at the earliest. */
uint64_t cm_effective_tick(const struct ff_call *call);

/* The call before boundary b as a sync; it covers and restates nothing if it is none. */
struct cm_sync_call cm_sync_of(const struct cm_poset *poset, uint32_t b);

/* Whether the operation was done when the sync began, and lies in its range. */
bool cm_sync_sees(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                  const struct cm_sync_call *sync);

/*
 * How many of the location's values, in value order, stand up to and including the last
 * one that the sync sees and that no failed sync dropped; 0: only the base value.
 */
size_t cm_sync_last(const struct cm_poset *poset, const struct cm_location *location,
                    const struct cm_sync_call *sync);

/* What a name meant when the sync began. */
uint32_t cm_sync_meaning(const struct cm_poset *poset, const struct cm_location *location,
                         const struct cm_sync_call *sync);

/*
 * The directories of the names that a file or directory had when the sync began, one after the
 * other (one with several of them may come several times), from *cursor 0 on; FF_NO_NODE: there
 * are no more.
 */
uint32_t cm_sync_directory(const struct cm_poset *poset, uint32_t node,
                           const struct cm_sync_call *sync, size_t *cursor);

/*
 * Whether a directory is another one, from, or lies above it, by what names meant when the sync
 * began; from is the first level, and no more are looked at than levels (0: all).
 */
bool cm_sync_leads(const struct cm_poset *poset, uint32_t directory, uint32_t from,
                   const struct cm_sync_call *sync, uint32_t levels);

/* Whether it is on the way to a name of a file or directory, so many levels above at most as
 * the model says. */
bool cm_sync_leads_to(const struct cm_poset *poset, uint32_t directory, uint32_t node,
                      const struct cm_sync_call *sync);

/* Sets from when on operations are durable, or that they are lost, by the call before b. */
void cm_settle(struct cm_poset *poset, uint32_t b);

#endif

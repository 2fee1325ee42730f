/*
 * The partial order of a trace under a model: what may persist before what.
 *
 * Each mutating call becomes operations; each operation changes one or more
 * locations. p precedes q (if q survived, p survived) when a rule of the model
 * orders them, when they change the same location, or when a sync that covers p
 * returned before q was called. What a failed sync dropped precedes nothing: it may
 * be missing for ever, and what is written at its place later brings the place's
 * whole content along. What a sync restates (restate.h) needs nothing that was done before at
 * the same locations. The states that a power cut can leave at any
 * moment of the run are exactly the down-closed sets of this order.
 *
 * Time is counted in boundaries. Call number b in the order of completion (of
 * standard-output writes: of beginning, since their bytes may be out from then
 * on; of stores through a mapping: of the scan before the one that found them)
 * lies between boundaries b-1 and b. An operation of that call may have
 * persisted from boundary b on; an operation that is durable from boundary d on
 * is in every state of boundaries >= d. A set D is legal at the boundaries from
 * the latest operation in D up to, but not including, the earliest d of those
 * outside.
 */
#ifndef CRASHMATRIX_POSET_H
#define CRASHMATRIX_POSET_H

#include <stdbool.h>

#include "bitset.h"
#include "crashmatrix/crashmatrix.h"
#include "model.h"

#define CM_NEVER        UINT32_MAX
#define CM_NO_LOCATION  UINT32_MAX
#define CM_NO_OPERATION UINT32_MAX

enum cm_location_kind {
    CM_LOCATION_DATA,
    CM_LOCATION_SIZE,
    CM_LOCATION_CHAIN, /* how far its blocks are chained: behind that it cannot be read */
    CM_LOCATION_ATTRIBUTES,
    CM_LOCATION_XATTR,
    CM_LOCATION_NAME,
    CM_LOCATION_PAST /* of a state that a recovery has changed since: not to be seen any more */
};

/* What one operation makes of one location. */
struct cm_value {
    uint32_t location;
    uint32_t operation;
    union {
        uint32_t node; /* name: what it means, or FF_NO_NODE */
        uint64_t size; /* or of the chain: bytes */
        struct {
            /* The granule's content; what is missing at its end is zeros. */
            const unsigned char *bytes;
            uint32_t length;
        } data;
        struct {
            uint32_t mode, uid, gid;
        } attributes;
        struct {
            struct ff_bytes value; /* the trace's */
            bool removed;
        } xattr;
    } to;
};

struct cm_location {
    enum cm_location_kind kind;
    uint32_t node; /* the file; of a name: the directory */
    uint64_t granule;
    const char *name; /* of a name or an extended attribute */
    uint32_t *values; /* indices into cm_poset.values, in value order */
    size_t value_count;
    size_t value_capacity;
};

struct cm_poset_operation {
    struct cm_operation shown;
    enum cm_class class;
    uint32_t first_value; /* its values are consecutive in cm_poset.values */
    uint32_t value_count;
    bool lost;        /* a failed sync dropped it: no sync makes it durable, nothing waits for it */
    uint32_t node;    /* whose it is, if it is not that of its locations: a log operation's, or */
                      /* that of a file or directory which is entered under its new name */
    unsigned covered; /* while the order is built: its values that syncs have covered, as bits */
    bool stale;       /* what the blocks of a file held before it got them */
    bool reuse;       /* a file that lost its blocks shows what another has put there: changed by */
                      /* no sync, and ordered by nothing but after */
    uint32_t after;   /* an operation of the same call, which precedes it, or CM_NO_OPERATION */
};

/* A file or directory that existed at some time. */
struct cm_poset_node {
    uint32_t mode, uid, gid; /* at its creation or in the snapshot */
    uint32_t creation;       /* the operation that created it, or CM_NO_OPERATION */
    struct ff_bytes content; /* in the snapshot; or the target of a symbolic link */
    struct ff_bytes xattrs;  /* in the snapshot */
    uint32_t size;           /* location, or CM_NO_LOCATION */
    uint32_t chain;          /* location, or CM_NO_LOCATION: as long as the content was */
    uint32_t attributes;     /* location, or CM_NO_LOCATION */
    uint32_t *parts;         /* locations: granules in order, or names sorted by bytes */
    size_t part_count;
    size_t part_capacity;
    uint32_t *xattr_locations; /* in any order */
    size_t xattr_count;
    size_t xattr_capacity;
};

struct cm_poset {
    const struct ff_trace *trace;
    const struct cm_model *model;
    uint32_t granule; /* bytes; the model's unless overridden */
    struct ff_tree *snapshot;

    struct cm_poset_operation *operations; /* in the order of issue */
    size_t operation_count;
    /* The first of them are the workload's, in boundaries of trace. The others, if any, are
     * of recoveries that were cut (phase.h), and have no boundaries here. */
    size_t workload_count;
    size_t words;  /* of a set of operations */
    cm_word *down; /* down + o*words: o and all that precedes it */
    cm_word *up;   /* up + o*words: o and all that it precedes */
    /* [w]: the least durable of operations 64*w .. 64*w + 63, for cm_cylinder_boundaries(),
     * which is asked for every run. */
    uint32_t *soonest;

    struct cm_value *values;
    size_t value_count;
    struct cm_location *locations;
    size_t location_count;
    struct cm_poset_node *nodes; /* by node number */
    size_t node_limit;

    /* Boundaries 0 .. trace->call_count. */
    uint32_t *boundary_calls; /* [b]: the call before boundary b >= 1 */
    uint32_t *outputs;        /* [b]: how many calls had written output by boundary b */
    uint32_t *output_starts;  /* [k]: the first boundary with k of them; one more for the end */

    bool borrows; /* paths of operations and bytes of values are another poset's */
};

/*
 * The calls of a trace, as indices, in the order in which they take effect, which is not that
 * in which they end: a store through a mapping may persist as soon as it may have been made.
 * People know a call by its number in this order, from 1 on: the boundary after it. The
 * caller frees it.
 */
uint32_t *cm_calls_in_order(const struct ff_trace *trace);

/*
 * Builds the order. granule overrides the model's; 0 keeps it. The trace and
 * the model must outlive the result. NULL with *error set when the granule does
 * not divide the model's unit or the trace contradicts itself.
 */
struct cm_poset *cm_poset_build(const struct ff_trace *trace, const struct cm_model *model,
                                uint32_t granule, struct ff_error *error);
void cm_poset_free(struct cm_poset *poset);

/* How large a file can be read that has blocks for so many bytes: the first block is in the
 * directory entry, with the size, and needs no chain. */
static inline uint64_t cm_chained_size(const struct cm_poset *poset, uint64_t size)
{
    uint64_t unit = poset->model->unit;
    return size <= unit ? unit : (size + unit - 1) / unit * unit;
}

static inline const cm_word *cm_down(const struct cm_poset *poset, size_t operation)
{
    return poset->down + operation * poset->words;
}

static inline const cm_word *cm_up(const struct cm_poset *poset, size_t operation)
{
    return poset->up + operation * poset->words;
}

/* For a poset that is made in another way: fills in soonest. */
void cm_poset_find_soonest(struct cm_poset *poset);

static inline bool cm_is_name(const struct cm_poset_operation *operation)
{
    return (1u << operation->class & CM_SET_NAMES) != 0;
}

/* The file or directory that a value of the operation belongs to. */
static inline uint32_t cm_value_node(const struct cm_poset *poset,
                                     const struct cm_poset_operation *operation, uint32_t value)
{
    return operation->node != FF_NO_NODE
               ? operation->node
               : poset->locations[poset->values[operation->first_value + value].location].node;
}

/* The model's name, with "@granule" when that is overridden. */
void cm_poset_model_name(const struct cm_poset *poset, char *name, size_t size);

/* The output of the first count writes to standard output; malloc'ed. */
char *cm_poset_output(const struct cm_poset *poset, uint32_t count, size_t *size);

#endif

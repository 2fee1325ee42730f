/*
 * The memory that the launcher shares with the recorders in the processes of
 * the workload: one lock, the set of known nodes, and a ring of records.
 *
 * Under the lock a recorder
 *   1. looks at what the call is about to change, and describes it in `pending`,
 *   2. makes the call,
 *   3. updates the set of known nodes and appends a record to the ring,
 *   4. publishes the record by moving `committed`.
 * If the process dies in between, the launcher takes over the dead owner's lock,
 * finds out from the file system whether the pending call took place, and does
 * the rest of the steps itself (record/repair.c).
 *
 * The launcher empties the ring all the time, so that its pages stay few and
 * warm. A record may be larger than the ring.
 */
#ifndef SHIM_CHANNEL_H
#define SHIM_CHANNEL_H

#include "faultfs/faults.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The environment variable with the path at which the memory can be opened. */
#define CHANNEL_VARIABLE "FAULTFS_CHANNEL"
/* What precedes the path if the launcher's seccomp net is in place. */
#define CHANNEL_NET_PREFIX "net:"

#define CHANNEL_MAGIC 0x3530656c74666d63u /* changes with every change of the layout */

enum {
    CHANNEL_NAME_SIZE = 256, /* NAME_MAX and a NUL */
    CHANNEL_PATH_SIZE = 4096,
    CHANNEL_RING_SIZE = 1 << 20,
    CHANNEL_KNOWN_SIZE = 1 << 20, /* slots of the set of known nodes */
    CHANNEL_VALUE_SIZE = 65536,   /* of an extended attribute (xattr(7)) */
    CHANNEL_MODULES = 512,
    CHANNEL_REASON_SIZE = 400,
    CONTENT_PIECE = 1 << 14,
    CHANNEL_FAULTS = 64,
    FAULT_PIECES = 1024, /* IOV_MAX */
};

enum content_kind { CONTENT_NONE, CONTENT_SAMPLED, CONTENT_ALL };

/* What a file held when it was synced; see content.h. */
struct content {
    uint64_t kind; /* enum content_kind */
    uint64_t size; /* of the file, in bytes */
    uint64_t hash;
};

/*
 * A call in the ring; followed by its two names and its data, each with a NUL that
 * is not counted in its size.
 */
struct record {
    uint64_t size; /* of all of it, in bytes */
    uint32_t symbol;
    uint32_t effect;  /* enum ff_effect */
    uint32_t implied; /* it belongs to the call recorded before it (an O_SYNC write's sync, ...) */
    uint32_t process;
    uint32_t thread;
    int32_t fd;
    uint64_t begin, end; /* ticks */
    int64_t result;
    uint32_t flags;
    uint32_t node, parent, node2, parent2;
    uint32_t mode, uid, gid;
    uint64_t offset;
    uint64_t length;
    uint32_t route;  /* enum ff_route */
    uint32_t module; /* index, or UINT32_MAX */
    uint32_t name_size, name2_size;
    uint64_t site;
    uint64_t data_size;
    struct content content; /* of a file that was synced */
};

/* A mutating call that is being made by the owner of the lock. */
struct pending {
    /* The value of channel.committed when the call began: when it has moved on,
     * or is not this, nothing is pending. */
    _Atomic uint64_t since;
    struct record record; /* as it will be if the call succeeds, as far as known */
    char name[CHANNEL_NAME_SIZE];
    char name2[CHANNEL_NAME_SIZE];
    uint32_t symbol;          /* of the call */
    uint64_t device, inode;   /* of node */
    uint64_t device2, inode2; /* of node2 of a rename */
    bool last_link;           /* the node that an unlink or rename removes has no other name */
};

/* A write to standard output that is being made by the owner of output_lock. */
struct output_pending {
    uint32_t symbol;
    uint32_t process, thread;
    int32_t fd;
    uint64_t begin;
};

/*
 * What the owner of the lock asks the launcher to do about shared mappings, while it
 * waits; see caller_mapping(). The launcher may add records on its behalf.
 */
enum mapping_request {
    MAPPING_NOTHING,
    MAPPING_BEGIN,    /* `process` is about to map its descriptor `fd`, which is node `node` */
    MAPPING_MADE,     /* it did: `size` bytes from `offset` on, at `address`; `fd` is a new
                         userfaultfd to track stores with, or -1 */
    MAPPING_FAILED,   /* it did not */
    MAPPING_UNMAPPED, /* nothing is at `address` any more, for `size` bytes */
    MAPPING_FORK,     /* `process` is about to have a child with a copy of its memory */
    MAPPING_EXIT,     /* `process` is about to end */
    MAPPING_SCAN,     /* stores since the last scan become records */
    MAPPING_FIND,     /* which part of which file does `process` have at `address`? */
};

struct mapping {
    _Atomic uint32_t request; /* enum mapping_request; the launcher sets it to nothing again */
    uint32_t process, thread; /* that ask */
    uint32_t node;            /* FIND: the answer, or FF_NO_NODE */
    int32_t fd;
    uint64_t address, size; /* bytes; FIND: size of the part from the address on */
    uint64_t offset;        /* FIND: in the file */
};

/* A node of the directory under test; see known.h. */
struct known {
    _Atomic uint64_t inode; /* 0: the slot was never used */
    uint64_t device;
    uint32_t node;
    uint32_t unnamed;  /* it has no name (any more): the number may be reused */
    uint32_t mapped;   /* stores through a shared mapping may change it */
    uint32_t failures; /* syncs that failed; see failures.h */
    int32_t failure;   /* -errno of the last one */
};

/* A fault to be injected, and what became of it. */
struct fault_rule {
    struct ff_fault fault;     /* constant while the workload runs */
    _Atomic uint64_t matched;  /* calls of its kind, on its path */
    _Atomic uint64_t acted;    /* of these, those that it was to happen to */
    _Atomic uint64_t injected; /* of these, those that it changed */
    _Atomic uint64_t written;  /* bytes, by all that matched */
};

struct module {
    uint64_t device, inode;
    char path[CHANNEL_PATH_SIZE];
};

struct channel {
    uint64_t magic;

    /* Constant while the workload runs. */
    char root[CHANNEL_PATH_SIZE]; /* canonical path of the directory under test */
    uint64_t device;              /* of the root */
    uint64_t output_device;       /* of the pipe that is the workload's standard output */
    uint64_t output_inode;
    uint32_t launcher;          /* its process */
    bool content_whole;         /* hash all of what is synced, however large */
    uint64_t process_namespace; /* inode of /proc/self/ns/pid: thread ids are of there */
    uint64_t cut_at;            /* everything stops after so many calls; 0: never */
    uint32_t fault_count;

    /* 0, or the owner's thread id, with CHANNEL_WAITERS if others may sleep. */
    _Atomic uint32_t lock;
    /* Held over a whole write to standard output; taken before `lock`. */
    _Atomic uint32_t output_lock;
    struct output_pending output_pending;

    _Atomic uint32_t images; /* programs that were started with the recorder in them */

    _Atomic uint64_t tick;      /* the last one given out */
    _Atomic uint64_t head;      /* bytes taken out of the ring by the launcher */
    _Atomic uint64_t tail;      /* bytes put into it */
    _Atomic uint64_t committed; /* bytes of whole records put into it */
    uint32_t next_node;
    uint32_t known_count;
    struct pending pending;
    _Atomic uint32_t mapped_count; /* files that were mapped for sharing and writing */
    struct mapping mapping;

    uint64_t calls;             /* that were committed */
    _Atomic uint32_t cut_after; /* everything stops when this thread's call is recorded */
    /* Everything stopped: `lock` is held and will not be released any more. */
    _Atomic bool cut;
    struct fault_rule faults[CHANNEL_FAULTS];
    _Atomic bool has_failures; /* a sync has failed */

    /* Why the recording cannot be trusted; empty while it can. */
    char reason[CHANNEL_REASON_SIZE];

    /* Scratch for the owner of the lock. */
    char path[CHANNEL_PATH_SIZE];
    struct iovec fault_pieces[FAULT_PIECES];
    char value[CHANNEL_VALUE_SIZE];

    uint64_t content_read; /* syncs whose file was read */

    uint32_t module_count;
    struct module modules[CHANNEL_MODULES];
    struct known known[CHANNEL_KNOWN_SIZE];
    _Alignas(4096) unsigned char ring[CHANNEL_RING_SIZE];
};

#define CHANNEL_WAITERS 0x80000000u

#endif

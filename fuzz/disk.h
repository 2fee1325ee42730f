/*
 * A disk in memory under libmanifest's platform table, small and fast: what the running
 * program sees (the page cache), what is durable, and the operations in between, which a
 * power cut keeps or loses.
 *
 *     disk_reset(disk, image, model);               the image, or an empty root
 *     mf_database_open("db", {.platform = &disk->platform}, ...);
 *     disk_cut(disk, &choices);                     the power fails, and comes back
 *
 * What a cut leaves is legal under the harness's models posix-torn and posix-create (at the
 * granule DISK_GRANULE), and with rename_is_two, or garbage, under ext2 (with names_files:
 * vfat's promise of fsync) without its reuse of freed blocks. fuzz/test_disk.c compares it
 * with what the engine says, state by state, both ways:
 *
 *  - what is written in a granule, the growth of a file, and each change of names may
 *    survive by itself; of two on the same location the earlier one survives if the later
 *    one does. A rename is one change of two names, or two changes;
 *  - sync of a file makes its data and size durable, and with names_files the name under
 *    which it was created; sync of a directory makes its names durable;
 *  - a sync of a file that fails has its real effect: some granules are written, the others
 *    are dropped and marked clean, so that the next sync succeeds without writing them,
 *    while the program reads what it wrote (PEERS: measured on ext4, XFS and Btrfs; Rebello
 *    et al., USENIX ATC 2020). Later writes to a dropped granule bring all of it along. The
 *    growth is kept or dropped in the same way. Of a directory nothing is dropped: a file system
 *    whose directory cannot be written takes no changes any more.
 *
 * Files have at most DISK_FILE_MAX bytes, paths one component. The clock stands still.
 * Nothing is allocated: all lies in struct disk, which is to be static. Where that is too
 * small it aborts: who calls it bounds what is done.
 */
#ifndef CRASHMATRIX_FUZZ_DISK_H
#define CRASHMATRIX_FUZZ_DISK_H

#include <manifest/platform.h>

#include "choices.h"

#define DISK_GRANULE    512
#define DISK_GRANULES   8
#define DISK_FILE_MAX   ((size_t)DISK_GRANULE * DISK_GRANULES)
#define DISK_NODES      384
#define DISK_NAMES      384
#define DISK_NAME_SIZE  48
#define DISK_OPERATIONS 2048
#define DISK_HANDLES    32
#define DISK_ARENA      (1u << 20)
#define DISK_BUCKETS    256

#define DISK_IMAGE_NODES 64
#define DISK_IMAGE_NAMES 64

/* What the file system promises. */
struct disk_model {
    bool names_files;   /* sync of a file also makes the name durable that it was created under */
    bool rename_is_two; /* the new name, and the removal of the old one, without an order */
    bool garbage;       /* a grown part that was not written shows 0xdb instead of 0; then
                           files must not be written with holes, which would show it too */
};

enum disk_call {
    DISK_SYNC,
    DISK_WRITE,
    DISK_OPEN,
    DISK_RENAME,
    DISK_REMOVE,
    DISK_READ,
    DISK_LOOK, /* status, list, lock, the clock */
    DISK_MAKE, /* of a directory, and its opening */
    DISK_CALLS
};

/* What befalls the calls until the next disk_plan(). */
struct disk_plan {
    bool stops;            /* the program ends: calls fail and do nothing */
    unsigned stops_before; /* this changing call, from 0 */
    bool fails;
    enum disk_call kind; /* of the call that fails */
    unsigned which;      /* of that kind, from 0 */
    unsigned how;        /* a byte: error, what is left of it, whether it lasts */
    bool short_counts;   /* reads and writes do less than they could */
};

struct disk_content {
    unsigned char *bytes;
    uint16_t size;
    uint16_t capacity; /* 0: of somebody else, and copied before it is changed */
};

struct disk_node {
    bool is_directory;
    bool dropped; /* a failed sync has dropped something: the two contents differ */
    bool size_dropped;
    struct disk_content seen, durable;
    uint16_t creation;    /* operation from 1; 0: it was there, or that is durable */
    uint16_t first, last; /* its pending operations (of a directory: on its names), from 1 */
    uint16_t grown;       /* the latest growth, from 1 */
    uint16_t written[DISK_GRANULES]; /* by granule: the latest write, from 1 */
    uint16_t failures;               /* of its sync */
    uint8_t lock;                    /* handle from 1 */
};

/* Node numbers are from 1; 0 is nothing. The root directory is 1. */
struct disk_name {
    uint16_t directory;
    uint16_t seen, durable; /* node */
    uint16_t latest;        /* operation from 1 */
    uint16_t next;          /* in the hash table, from 1 */
    uint32_t hash;
    char text[DISK_NAME_SIZE];
};

struct disk_operation {
    bool pending;
    uint8_t granule;     /* DISK_GRANULES: not data */
    uint16_t owner;      /* the file, or the directory of the names */
    uint16_t next;       /* of the owner */
    uint16_t before[2];  /* the ones before at its locations, from 1; 0: none */
    uint16_t size;       /* of the granule's bytes, or the new size of the file */
    uint16_t names[2];   /* from 1; 0: none */
    uint16_t meaning[2]; /* node */
    const unsigned char *bytes;
};

struct disk_handle {
    uint16_t node; /* 0: not in use */
    bool writable;
    uint16_t failures;
};

/* What was there at a time when everything was durable. */
struct disk_image {
    uint16_t node_count, name_count;
    struct disk_node nodes[DISK_IMAGE_NODES];
    struct disk_name names[DISK_IMAGE_NAMES];
    uint16_t table[DISK_BUCKETS];
    unsigned char bytes[32 * 1024];
};

struct disk {
    struct mf_platform platform;
    struct disk_model model;
    struct disk_plan plan;
    unsigned changes; /* calls of the plan that changed something, or tried to */
    unsigned calls[DISK_CALLS];
    unsigned troubles;     /* failures in the plan that the library cannot mend by trying again */
    unsigned failed_syncs; /* since the reset */
    bool dead;             /* the program has ended */
    bool read_only;        /* a directory could not be synced: no changes until the power is cut */
    uint16_t node_count, name_count, operation_count;
    uint32_t used;
    struct disk_node nodes[DISK_NODES];
    struct disk_name names[DISK_NAMES];
    struct disk_operation operations[DISK_OPERATIONS];
    struct disk_handle handles[DISK_HANDLES];
    uint16_t table[DISK_BUCKETS];
    bool survives[DISK_OPERATIONS];
    unsigned char arena[DISK_ARENA];
};

/* Begins anew with what is in the image (NULL: an empty root directory), all of it durable. */
void disk_reset(struct disk *disk, const struct disk_image *image, struct disk_model model);

/* Makes an image of what the program sees, which becomes durable. Aborts where there is too much.
 */
void disk_keep(struct disk *disk, struct disk_image *image);

/* From now on; NULL: nothing happens. */
void disk_plan(struct disk *disk, const struct disk_plan *plan);

/* The program ends, and the next one finds what it saw: handles and locks are gone. */
void disk_kill(struct disk *disk);

/* The power fails: choices say what of the pending operations survives. The first byte: modulo
 * 4, whether to begin with nothing (0), everything (1), the names only (2), or with a bit for each
 * operation (3, eight a byte); then how many bytes follow that each change it for one operation. */
void disk_cut(struct disk *disk, struct choices *choices);

/* The same with a choice for each of disk->operations that is pending: survives[] is set by
 * the caller, and what survives is what is there with all that must precede it. */
void disk_cut_to_survivors(struct disk *disk);

/* Everything becomes durable. */
void disk_settle(struct disk *disk);

/* The bytes that the program sees in a file, or NULL. */
const unsigned char *disk_find(struct disk *disk, const char *directory, const char *name,
                               size_t *size);

/* Writes a file behind the back of everybody, durably: damage. The name must be there. */
void disk_damage(struct disk *disk, const char *directory, const char *name);

#endif

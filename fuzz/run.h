/*
 * One execution of the target "directory": the shelf, the handle and transaction that are open,
 * and the frame around each call of the library, which checks what holds for all of them.
 */
#ifndef CRASHMATRIX_FUZZ_RUN_H
#define CRASHMATRIX_FUZZ_RUN_H

#include "scene.h"
#include "truth.h"

/* What the transaction's version is to consist of. */
struct wanted {
    size_t count;
    struct {
        enum mf_kind kind;
        char key[80];
        uint64_t size;
        uint32_t crc32c;
    } files[64];
    bool known; /* else nobody knows: there are too many */
};

struct run {
    struct choices choices;
    struct shelf *shelf;
    struct mf_options options;
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct wanted wanted;
    uint64_t used;        /* the highest number that was there since the handle was opened */
    bool hurt;            /* a call with this handle has failed on demand */
    unsigned memory_ends; /* the allocation of the next call that fails, from 1; 0: none */
    bool strange; /* the folder has been changed behind the handle's back, or a commit's outcome
                     is unknown: only what holds always is checked */
    /* Of the call that is being made. */
    struct shelf_view before;
    struct truth was, now;
    struct mf_error error;
    const char *call;
    bool told; /* what is called is printed */
};

enum { NOTHING = 0, ONLY_DB = 1 << SHELF_DB };

void run_begin(struct run *run, const char *call);

/* Nothing outside the folders of touched has changed, no file of others, none of a version that
 * is kept: the newest keep of the database may not go. */
void run_end(struct run *run, enum mf_code code, unsigned touched, size_t keep);

/* How many calls and allocations have failed on demand since run_begin; whether none has. */
unsigned run_failed(const struct run *run);
bool run_undisturbed(const struct run *run);

/* The folder as it was when the call began, and as it is. */
const struct shelf_folder *run_before(const struct run *run, enum shelf_place place);
const struct shelf_folder *run_now(const struct run *run, enum shelf_place place);

/* Whether something in a folder is in the way of the library: what should be a file of its own
 * is none, or there is little room. */
bool run_obstructed(const struct shelf_folder *folder);

#endif

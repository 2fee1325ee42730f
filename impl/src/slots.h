/* The two slot files of a database: what they hold. Writing them is commit.h's. */
#ifndef MANIFEST_SRC_SLOTS_H
#define MANIFEST_SRC_SLOTS_H

#include "io.h"

#include <manifest/error.h>
#include <manifest/slot.h>

enum { MF_SLOTS = 2 };

struct mf_slots {
    bool found[MF_SLOTS]; /* the file is there */
    bool valid[MF_SLOTS];
    struct mf_slot slot[MF_SLOTS]; /* of the valid ones; else empty */
    unsigned winner;               /* the one with the higher sequence */
};

/* "MANIFEST-SLOT-A", "MANIFEST-SLOT-B". */
const char *mf_slots_name(unsigned index);

/* MF_OK; MF_CORRUPT when a name is there that is no regular file; MF_IO. */
enum mf_code mf_slots_read(const struct mf_directory *directory, struct mf_slots *slots,
                           struct mf_error *error);

/* Whether the database is one with slots. */
bool mf_slots_present(const struct mf_slots *slots);

/* Whether two valid slots cannot both have been written by commits. */
bool mf_slots_contradict(const struct mf_slots *slots);

/* Whether two readings have found the same. */
bool mf_slots_same(const struct mf_slots *left, const struct mf_slots *right);

/* The index of a slot that is not valid, or MF_SLOTS. */
unsigned mf_slots_invalid(const struct mf_slots *slots);

#endif

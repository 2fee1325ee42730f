/*
 * The commit point "slots": slot.h says what is written and why. Steps 1 to 3 of a
 * commit are the same as with a rename (commit.c), then:
 *
 *   4  sync the directory, so that the names of the files survive the record
 *   5  overwrite the slot that is not the winner
 *   6  sync it: committed
 */
#include "commit.h"

#include "crc32c.h"
#include "error.h"
#include "names.h"

/* How a write of a slot went. After an error in the middle of it nobody knows
 * which bytes are there. */
enum progress { UNTOUCHED, TOUCHED };

static enum mf_code write_slot(struct mf_database *database, unsigned index,
                               const struct mf_slot *slot, enum progress *progress,
                               struct mf_error *error)
{
    const struct mf_directory *directory = &database->directory;
    struct mf_slots *slots = &database->condition.slots;
    const char *name = mf_slots_name(index);
    unsigned char bytes[MF_SLOT_SIZE];
    *progress = UNTOUCHED;
    int file = mf_io_open(directory, name, MF_OPEN_WRITE | MF_OPEN_CREATE);
    if (file == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_IO, 0, "%s: not a regular file", name);
    if (file < 0)
        return mf_fail(error, MF_IO, file, "%s: cannot be opened", name);
    *progress = TOUCHED;
    mf_slot_encode(slot, bytes);
    enum mf_code code = MF_OK;
    int result = mf_io_write(directory, file, bytes, sizeof(bytes), 0);
    if (result < 0)
        code = mf_fail(error, MF_IO, result, "%s: cannot be written", name);
    if (code == MF_OK)
        code = mf_commit_sync(database, file, name, error);
    mf_io_close(directory, file);
    if (code == MF_OK && !slots->found[index]) /* its name is new */
        code = mf_commit_sync(database, directory->handle, "the directory", error);
    if (code != MF_OK)
        return code;
    slots->found[index] = slots->valid[index] = true;
    slots->slot[index] = *slot;
    slots->winner = slots->slot[1].sequence > slots->slot[0].sequence ? 1 : 0;
    return MF_OK;
}

enum mf_code mf_slots_create(struct mf_database *database, struct mf_error *error)
{
    unsigned char bytes[MF_SLOT_SIZE];
    struct mf_slots *slots = &database->condition.slots;
    enum mf_code code = MF_OK;
    *slots = (struct mf_slots){0};
    mf_slot_encode(&slots->slot[0], bytes);
    for (unsigned i = 0; i < MF_SLOTS && code == MF_OK; i++) {
        code =
            mf_commit_write(database, mf_slots_name(i), (const char *)bytes, sizeof(bytes), error);
        slots->found[i] = slots->valid[i] = code == MF_OK;
    }
    if (code == MF_OK)
        code = mf_commit_sync(database, database->directory.handle, "the directory", error);
    return code;
}

static enum mf_code outcome(struct mf_database *database, enum mf_code code, enum progress progress,
                            struct mf_error *error)
{
    if (code == MF_OK)
        return MF_OK;
    code = progress == TOUCHED ? MF_UNKNOWN : MF_NOT_COMMITTED;
    if (code == MF_UNKNOWN)
        database->takes_commits = false;
    if (error != NULL)
        error->code = code;
    return code;
}

/* The length of a slot that is valid is known to be right, so the write changes
 * no size and no name: nothing but the 512 bytes has to become durable. */
enum mf_code mf_slots_switch(struct mf_database *database, const struct mf_version *next,
                             struct mf_error *error)
{
    const struct mf_slots *slots = &database->condition.slots;
    enum progress progress = UNTOUCHED;
    struct mf_slot slot = {
        .sequence = slots->slot[slots->winner].sequence + 1,
        .version = next->manifest.version,
        .size = next->size,
        .crc32c = mf_crc32c(0, next->text, next->size),
    };
    if (slot.sequence == 0)
        return mf_fail(error, MF_NOT_COMMITTED, 0, "there is no higher sequence number");
    enum mf_code code =
        mf_commit_sync(database, database->directory.handle, "the directory", error); /* 4 */
    if (code == MF_OK)
        code = write_slot(database, 1 - slots->winner, &slot, &progress, error); /* 5, 6 */
    return outcome(database, code, progress, error);
}

/*
 * The winner first: until it is durable the other slot may be the only durable
 * one, and must not be touched. Then the other one, if it is not valid: with the
 * same version, so that the next commit has a valid slot to fall back to.
 */
enum mf_code mf_slots_publish_again(struct mf_database *database, struct mf_error *error)
{
    struct mf_slots *slots = &database->condition.slots;
    struct mf_slot slot = slots->slot[slots->winner];
    unsigned invalid = mf_slots_invalid(slots);
    enum progress progress;
    enum mf_code code = write_slot(database, slots->winner, &slot, &progress, error);
    if (code == MF_OK && invalid != MF_SLOTS && slot.sequence != UINT64_MAX) {
        slot.sequence++;
        code = write_slot(database, invalid, &slot, &progress, error);
    }
    return outcome(database, code, progress, error);
}

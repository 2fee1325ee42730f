/* Reading the slots, and the rules of slot.h about the two together. */
#include "slots.h"

#include "error.h"
#include "names.h"

#include <errno.h>

const char *mf_slots_name(unsigned index)
{
    return index == 0 ? MF_NAME_SLOT_A : MF_NAME_SLOT_B;
}

/* Bytes beyond the record are nobody's: a write does not remove them, so they may
 * not decide whether what was written counts. */
static enum mf_code read_slot(const struct mf_directory *directory, struct mf_slots *slots,
                              unsigned index, struct mf_error *error)
{
    unsigned char bytes[MF_SLOT_SIZE];
    const char *name = mf_slots_name(index);
    int file = mf_io_open(directory, name, MF_OPEN_READ);
    if (file == -ENOENT)
        return MF_OK;
    slots->found[index] = true;
    if (file == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_CORRUPT, 0, "%s: not a regular file", name);
    if (file < 0)
        return mf_fail(error, MF_IO, file, "%s: cannot be opened", name);
    int64_t count = mf_io_read(directory, file, bytes, sizeof(bytes), 0);
    mf_io_close(directory, file);
    if (count < 0)
        return mf_fail(error, MF_IO, (int)count, "%s: cannot be read", name);
    slots->valid[index] = mf_slot_decode(bytes, (size_t)count, &slots->slot[index]);
    return MF_OK;
}

enum mf_code mf_slots_read(const struct mf_directory *directory, struct mf_slots *slots,
                           struct mf_error *error)
{
    *slots = (struct mf_slots){0};
    for (unsigned i = 0; i < MF_SLOTS; i++) {
        enum mf_code code = read_slot(directory, slots, i, error);
        if (code != MF_OK)
            return code;
    }
    slots->winner = slots->slot[1].sequence > slots->slot[0].sequence ? 1 : 0;
    return MF_OK;
}

bool mf_slots_present(const struct mf_slots *slots)
{
    return slots->found[0] || slots->found[1];
}

bool mf_slots_same(const struct mf_slots *left, const struct mf_slots *right)
{
    bool same = true;
    for (unsigned i = 0; i < MF_SLOTS; i++) {
        const struct mf_slot *a = &left->slot[i], *b = &right->slot[i];
        same = same && left->found[i] == right->found[i] && left->valid[i] == right->valid[i] &&
               a->sequence == b->sequence && a->version == b->version && a->size == b->size &&
               a->crc32c == b->crc32c;
    }
    return same;
}

unsigned mf_slots_invalid(const struct mf_slots *slots)
{
    return !slots->valid[0] ? 0 : !slots->valid[1] ? 1 : MF_SLOTS;
}

bool mf_slots_contradict(const struct mf_slots *slots)
{
    const struct mf_slot *winner = &slots->slot[slots->winner];
    const struct mf_slot *other = &slots->slot[1 - slots->winner];
    if (mf_slots_invalid(slots) != MF_SLOTS || other->sequence == 0)
        return false;
    if (winner->sequence == other->sequence || winner->version < other->version)
        return true;
    return winner->version == other->version &&
           (winner->size != other->size || winner->crc32c != other->crc32c);
}

/* The record of 512 bytes, described in slot.h. */
#include <manifest/slot.h>

#include "crc32c.h"

#include <string.h>

enum {
    AT_SEQUENCE = 8,
    AT_VERSION = 16,
    AT_SIZE = 24,
    AT_CRC32C = 32,
    AT_SEAL = MF_SLOT_SIZE - 4,
};

static const char magic[AT_SEQUENCE] = "MFSLOT1";

static void put(unsigned char *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = size; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

void mf_slot_encode(const struct mf_slot *slot, unsigned char bytes[MF_SLOT_SIZE])
{
    memset(bytes, 0, MF_SLOT_SIZE);
    memcpy(bytes, magic, sizeof(magic));
    put(bytes + AT_SEQUENCE, slot->sequence, 8);
    put(bytes + AT_VERSION, slot->version, 8);
    put(bytes + AT_SIZE, slot->size, 8);
    put(bytes + AT_CRC32C, slot->crc32c, 4);
    put(bytes + AT_SEAL, mf_crc32c(0, bytes, AT_SEAL), 4);
}

/* Either empty throughout, or the record of a version. */
static bool makes_sense(const struct mf_slot *slot)
{
    if (slot->sequence == 0)
        return slot->version == 0 && slot->size == 0 && slot->crc32c == 0;
    return slot->version != 0 && slot->size != 0;
}

/* There is one spelling of each record, so what is read is spelled again and
 * compared: that covers the magic, the zeros and the CRC32C. */
bool mf_slot_decode(const unsigned char *bytes, size_t size, struct mf_slot *slot)
{
    unsigned char again[MF_SLOT_SIZE];
    if (size != MF_SLOT_SIZE)
        return false;
    struct mf_slot read = {
        .sequence = get(bytes + AT_SEQUENCE, 8),
        .version = get(bytes + AT_VERSION, 8),
        .size = get(bytes + AT_SIZE, 8),
        .crc32c = (uint32_t)get(bytes + AT_CRC32C, 4),
    };
    mf_slot_encode(&read, again);
    if (memcmp(bytes, again, MF_SLOT_SIZE) != 0 || !makes_sense(&read))
        return false;
    *slot = read;
    return true;
}

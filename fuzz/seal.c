#include "seal.h"

#include <stdbool.h>
#include <xxhash.h>

/* Offsets in the header, and bytes of the fixed parts, of format version 2. */
enum { SIZE_AT = 16, DIGEST_AT = 24, NAMES_AT = 32, MODULES_AT = 40, CALLS_AT = 48 };
enum { NODES_AT = 12, HEADER_SIZE = 64, CHECKSUM_SIZE = 8 };
enum { NODE_NUMBERS = 12, NAME_NUMBERS = 8, CALL_NUMBERS = 48, CALL_EXTENT = 28, INCIDENTAL = 28 };

struct walk {
    const uint8_t *bytes;
    size_t size, at;
    bool ended;
};

static uint64_t number_at(const uint8_t *bytes, size_t at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[at + i] << 8 * i;
    return value;
}

static void put_number(uint8_t *bytes, size_t at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void skip(struct walk *walk, uint64_t size)
{
    walk->ended = walk->ended || size > walk->size - walk->at;
    walk->at += walk->ended ? 0 : (size_t)size;
}

/* A size, so many bytes, and a zero. */
static void skip_bytes(struct walk *walk)
{
    size_t at = walk->at;
    skip(walk, 8);
    uint64_t size = walk->ended ? 0 : number_at(walk->bytes, at, 8);
    skip(walk, size < UINT32_MAX ? size + 1 : size);
}

/* As ff_format_digest() has it: nodes, names, and of calls what comes first. */
static uint64_t digest(const uint8_t *bytes, size_t size)
{
    struct walk walk = {bytes, size - CHECKSUM_SIZE, HEADER_SIZE, false};
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    skip_bytes(&walk);
    size_t first = walk.at;
    for (uint64_t i = number_at(bytes, NODES_AT, 4); i > 0 && !walk.ended; i--) {
        skip(&walk, NODE_NUMBERS);
        skip_bytes(&walk);
        skip_bytes(&walk);
    }
    for (uint64_t i = number_at(bytes, NAMES_AT, 8); i > 0 && !walk.ended; i--) {
        skip(&walk, NAME_NUMBERS);
        skip_bytes(&walk);
    }
    XXH3_64bits_update(state, bytes + first, walk.at - first);
    for (uint64_t i = number_at(bytes, MODULES_AT, 8); i > 0 && !walk.ended; i--) {
        skip_bytes(&walk);
        skip_bytes(&walk);
    }
    for (uint64_t i = number_at(bytes, CALLS_AT, 8); i > 0 && !walk.ended; i--) {
        first = walk.at;
        skip_bytes(&walk);
        skip(&walk, CALL_NUMBERS);
        skip_bytes(&walk);
        skip_bytes(&walk);
        skip(&walk, CALL_EXTENT);
        skip_bytes(&walk);
        XXH3_64bits_update(state, bytes + first, walk.at - first);
        skip(&walk, INCIDENTAL);
    }
    uint64_t sum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return sum;
}

void seal_checksum(uint8_t *bytes, size_t size)
{
    if (size >= CHECKSUM_SIZE)
        put_number(bytes, size - CHECKSUM_SIZE, XXH3_64bits(bytes, size - CHECKSUM_SIZE));
}

void seal_trace(uint8_t *bytes, size_t size)
{
    if (size < HEADER_SIZE + CHECKSUM_SIZE)
        return;
    put_number(bytes, SIZE_AT, size);
    put_number(bytes, DIGEST_AT, digest(bytes, size));
    seal_checksum(bytes, size);
}

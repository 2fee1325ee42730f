#include "content.h"

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of the result depends on
 * every bit of the number. */
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static uint64_t seed_of(uint32_t run, uint64_t version, unsigned file)
{
    return mix(mix(mix(run) ^ version) ^ file);
}

size_t pc_content_size(uint32_t run, uint64_t version, unsigned file)
{
    uint64_t seed = mix(seed_of(run, version, file));
    size_t most = seed % 16 == 0 ? PC_CONTENT_MAX : 6000;
    return 64 + (size_t)((seed >> 8) % (most - 63));
}

void pc_content_fill(uint32_t run, uint64_t version, unsigned file, unsigned char *bytes,
                     size_t size)
{
    uint64_t seed = seed_of(run, version, file);
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0)
            seed = mix(seed);
        bytes[i] = (unsigned char)(seed >> i % 8 * 8);
    }
}

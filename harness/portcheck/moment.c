/* Moments to cut at: see moment.h. */
#include "moment.h"

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

struct ph_moment ph_moment_draw(uint64_t seed, uint64_t cycle, unsigned least, unsigned most)
{
    static const enum ph_moment_kind kinds[] = {PH_AT_TIME, PH_AT_TIME, PH_AT_ACKNOWLEDGED,
                                                PH_AT_ANNOUNCED};
    uint64_t drawn = mix(mix(seed) ^ cycle);
    uint64_t span = (uint64_t)most - least + 1;
    return (struct ph_moment){kinds[drawn >> 62], least + (unsigned)(mix(drawn) % span)};
}

const char *ph_moment_name(enum ph_moment_kind kind)
{
    static const char *const names[] = {"time", "acknowledged", "announced"};
    return names[kind];
}

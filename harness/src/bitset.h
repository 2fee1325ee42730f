/*
 * Sets of operations as arrays of 64-bit words. All sets of one partial order
 * have the same number of words.
 */
#ifndef CRASHMATRIX_BITSET_H
#define CRASHMATRIX_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t cm_word;

static inline size_t cm_words(size_t bits)
{
    return (bits + 63) / 64;
}

static inline bool cm_has(const cm_word *set, size_t bit)
{
    return (set[bit / 64] >> (bit % 64) & 1) != 0;
}

static inline void cm_add(cm_word *set, size_t bit)
{
    set[bit / 64] |= (cm_word)1 << (bit % 64);
}

static inline void cm_remove(cm_word *set, size_t bit)
{
    set[bit / 64] &= ~((cm_word)1 << (bit % 64));
}

static inline void cm_copy(cm_word *to, const cm_word *from, size_t words)
{
    if (words > 0)
        memcpy(to, from, words * sizeof(*to));
}

static inline void cm_unite(cm_word *set, const cm_word *other, size_t words)
{
    for (size_t i = 0; i < words; i++)
        set[i] |= other[i];
}

static inline void cm_subtract(cm_word *set, const cm_word *other, size_t words)
{
    for (size_t i = 0; i < words; i++)
        set[i] &= ~other[i];
}

static inline bool cm_meet(const cm_word *a, const cm_word *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if ((a[i] & b[i]) != 0)
            return true;
    return false;
}

static inline bool cm_within(const cm_word *subset, const cm_word *set, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if ((subset[i] & ~set[i]) != 0)
            return false;
    return true;
}

static inline size_t cm_count_bits(const cm_word *set, size_t words)
{
    size_t count = 0;
    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(set[i]);
    return count;
}

/* The first member at or after from, or bits when there is none. */
static inline size_t cm_next(const cm_word *set, size_t bits, size_t from)
{
    for (size_t i = from / 64; i < cm_words(bits); i++) {
        cm_word word = set[i];
        if (i == from / 64)
            word &= ~(cm_word)0 << (from % 64);
        if (word != 0)
            return i * 64 + (size_t)__builtin_ctzll(word);
    }
    return bits;
}

/* for each member: CM_FOR_EACH(bit, set, bits) statement; */
#define CM_FOR_EACH(bit, set, bits)                                                                \
    for (size_t bit = cm_next(set, bits, 0); bit < (bits); bit = cm_next(set, bits, bit + 1))

#endif

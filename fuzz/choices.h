/*
 * The bytes of an input as choices: one byte each, taken modulo what is possible, and
 * zeros when they are used up, so that nearly every mutation stays meaningful.
 */
#ifndef CRASHMATRIX_FUZZ_CHOICES_H
#define CRASHMATRIX_FUZZ_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choices {
    const uint8_t *next, *end;
};

static inline bool choices_left(const struct choices *choices)
{
    return choices->next < choices->end;
}

static inline unsigned choose_byte(struct choices *choices)
{
    return choices_left(choices) ? *choices->next++ : 0;
}

/* 0 .. count-1, or 0 if there is nothing to choose from. */
static inline unsigned choose(struct choices *choices, unsigned count)
{
    unsigned byte = choose_byte(choices);
    return count > 0 ? byte % count : 0;
}

#endif

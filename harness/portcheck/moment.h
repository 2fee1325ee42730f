/*
 * When to cut: drawn from the seed and the cycle alone, so that a validation that is
 * continued, or repeated, cuts as it would have.
 */
#ifndef PORTCHECK_MOMENT_H
#define PORTCHECK_MOMENT_H

#include <stdint.h>

enum ph_moment_kind {
    PH_AT_TIME,         /* when the delay is over, whatever the board does */
    PH_AT_ACKNOWLEDGED, /* at once after the next acknowledgement: what is lost if it lied? */
    PH_AT_ANNOUNCED     /* at once after the next announcement: in the midst of a commit */
};

struct ph_moment {
    enum ph_moment_kind kind;
    unsigned milliseconds; /* after the first acknowledgement since the board's start */
};

/* Half of all at a time, a quarter each of the others; the delay between least and most. */
struct ph_moment ph_moment_draw(uint64_t seed, uint64_t cycle, unsigned least, unsigned most);

/* "time", "acknowledged", "announced" */
const char *ph_moment_name(enum ph_moment_kind kind);

#endif

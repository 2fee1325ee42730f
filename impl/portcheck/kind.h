/* What is known of kinds of file systems, by their names in /proc/self/mountinfo. */
#ifndef PORTCHECK_KIND_H
#define PORTCHECK_KIND_H

#include <stdbool.h>

/* How much is known of commits on it: X(name, word) */
#define PC_SUPPORTS(X)                                                                             \
    X(MEASURED, "measured")     /* cut on an emulated board, with the correct protocol */          \
    X(MODELED, "modeled")       /* a model of crashmatrix describes it; not cut on a board */      \
    X(UNMEASURED, "unmeasured") /* should work by its design */                                    \
    X(NONE, "none")             /* commits there mean nothing, or something else decides */

enum pc_support {
#define X(name, word) PC_SUPPORT_##name,
    PC_SUPPORTS(X)
#undef X
};

struct pc_kind {
    const char *type;  /* a pattern: pc_matches() */
    const char *point; /* the commit point that fits: "rename", "slots" or "none" */
    enum pc_support support;
    const char *reason;
};

/* The row of that type; the last row is of all others. */
const struct pc_kind *pc_kind_of(const char *type);

/* "measured", ... */
const char *pc_support_word(enum pc_support support);

#endif

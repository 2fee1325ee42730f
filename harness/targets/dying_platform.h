/*
 * A platform for libmanifest on which the process dies, as far as its files can
 * tell: the n-th sync is not performed, and from then on nothing is written,
 * renamed or removed any more.
 *
 *     struct dying_platform dying;
 *     dying_platform_init(&dying, base, 3);
 *     options.platform = &dying.table;
 *     ... fails at the third sync; dying.dead says whether it came so far ...
 */
#ifndef DYING_PLATFORM_H
#define DYING_PLATFORM_H

#include <manifest/platform.h>

struct dying_platform {
    struct mf_platform table; /* table.context is this */
    const struct mf_platform *base;
    unsigned syncs_left;
    bool dead;
};

/* syncs: which one is the last moment, from 1. base must outlive it. */
void dying_platform_init(struct dying_platform *dying, const struct mf_platform *base,
                         unsigned syncs);

#endif

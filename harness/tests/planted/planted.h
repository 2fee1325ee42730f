/*
 * Planted bugs: for each class of missing or misplaced sync, a program that has
 * the bug, its twin that does not, and a check for both.
 *
 * Each bug is a file of its own with one struct planted_bug. All that a twin
 * relies on is what the model `posix` grants: a name, a size, and a page of 4096
 * bytes each persist at once; different ones in any order; fsync(2) makes a
 * file's pages and size durable, or the names in a directory, and nothing else.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include "../specimen.h"

/* A reason that the check must give for the bug, and the beginning of the
 * report's text of an operation without whose loss it cannot arise. */
struct planted_expectation {
    const char *reason;
    const char *lost;
};

struct planted_bug {
    const char *crash; /* the crash that it stands for, in one sentence */
    void (*setup)(void);
    void (*workload)(bool correct);
    void (*check)(void);
    struct planted_expectation expected[4]; /* ended by a row of NULL */
};

/* X(identifier), the name on the command line with '-' for '_' */
#define PLANTED_BUGS(X)                                                                            \
    X(data_not_synced)                                                                             \
    X(temp_not_synced)                                                                             \
    X(rename_before_sync)                                                                          \
    X(directory_not_synced)                                                                        \
    X(overwrite_in_place)                                                                          \
    X(acknowledged_too_early)                                                                      \
    X(old_removed_too_early)                                                                       \
    X(append_without_sync)                                                                         \
    X(subdirectory_not_synced)

#define X(identifier) extern const struct planted_bug planted_##identifier;
PLANTED_BUGS(X)
#undef X

#endif

/*
 * Random numbers for a command that is watched: the same in each run. getrandom(2) is
 * answered here, and whoever opens /dev/random or /dev/urandom for reading gets a file of
 * such bytes. What no system call gives cannot be pinned: instructions of the processor, and
 * the 16 bytes that the kernel hands to each program (getauxval(3), AT_RANDOM).
 */
#ifndef CRASHMATRIX_WATCH_RANDOM_H
#define CRASHMATRIX_WATCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "crashmatrix/crashmatrix.h"

struct seccomp_notif;

/* Files of random bytes that a run has open, told apart. */
enum { CM_RANDOM_OPENED = 16 };

struct cm_random {
    uint64_t taken; /* bytes, by getrandom */
    int source;     /* the file, or -1 */
    int opened[CM_RANDOM_OPENED];
    unsigned opened_count;
};

#define CM_RANDOM_NONE                                                                             \
    {                                                                                              \
        .source = -1                                                                               \
    }

void cm_random_close(struct cm_random *random);

/* A run begins: it takes the bytes that any run takes after the first so many. */
void cm_random_begin(struct cm_random *random, uint64_t taken);

/* False: a run may have come to the end of a file that never ends. */
bool cm_random_end(struct cm_random *random);

bool cm_random_is_device(dev_t device);

bool cm_random_is_asked(const struct seccomp_notif *call);

/*
 * Answers a call of getrandom(2), or, if it opens such a device (device), for reading, that
 * one. False: it is to go on; then it is marked, if it gives what is not pinned.
 */
bool cm_random_answer(struct cm_random *random, int listener, const struct seccomp_notif *call,
                      bool device, const struct cm_state *state);

#endif

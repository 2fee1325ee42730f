/*
 * Which pages of a process's shared mapping were stored to: userfaultfd(2) with
 * UFFD_FEATURE_WP_ASYNC, where the kernel takes the write protection away by itself
 * and remembers that it did, asked for with the PAGEMAP_SCAN ioctl (both since Linux
 * 6.7; Documentation/admin-guide/mm/pagemap.rst). Nothing is needed of the process
 * but that it opens the userfaultfd: the launcher takes that over and does the rest,
 * so that the process can neither close it nor notice it.
 *
 * Stores of a child that was forked are not tracked; whoever uses this must see the
 * forks.
 */
#ifndef RECORD_TRACKING_H
#define RECORD_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

/* A mapping, or a part of one. */
struct tracked {
    int userfaultfd, pagemap; /* this process's descriptors */
    uint32_t process;
    uint64_t address, size; /* bytes, whole pages */
    uint64_t offset;        /* in the file, of the first page */
};

/*
 * Begins to track what `tracked` says, but for its descriptors, through the process's
 * descriptor number of a new userfaultfd. False: it is not possible, and nothing is
 * held.
 */
bool tracked_begin(struct tracked *tracked, int number);

/*
 * Calls found for every run of pages that were stored to since the last time, with
 * their place in the file. False: the mapping is not, or not all of it, what was
 * tracked any more (unmapped, moved, the process gone), and stores may have been
 * missed.
 */
bool tracked_scan(const struct tracked *tracked,
                  void (*found)(void *context, uint64_t offset, uint64_t size), void *context);

/* Closes the descriptors; nothing is tracked any more. */
void tracked_end(const struct tracked *tracked);

/* Whether both processes, which live, have the same memory (vfork(2)). True if unknown. */
bool tracked_same_memory(uint32_t process, uint32_t other);

/* How many threads the process has; 0 if that cannot be told. */
unsigned tracked_thread_count(uint32_t process);

#endif

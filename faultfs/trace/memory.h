/*
 * Allocation that does not fail: the process ends with a message when there is
 * no memory left. Private to faultfs.
 */
#ifndef FAULTFS_MEMORY_H
#define FAULTFS_MEMORY_H

#include <stddef.h>

/* count objects of size bytes each, all zero; freed with free(). */
void *ff_memory_allocate(size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of size bytes, followed by a NUL that is not counted. */
void *ff_memory_copy(const void *bytes, size_t size);

/*
 * Room for at least `needed` objects of size bytes in an array that has room
 * for *capacity: returns the array, moved or not, and updates *capacity. New
 * room is not cleared.
 */
void *ff_memory_grow(void *array, size_t *capacity, size_t needed, size_t size);

#endif

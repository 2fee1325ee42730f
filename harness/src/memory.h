/*
 * Allocation that cannot fail: without memory the process says so and aborts.
 * What is allocated here is freed with free().
 */
#ifndef CRASHMATRIX_MEMORY_H
#define CRASHMATRIX_MEMORY_H

#include <stddef.h>

/* count * size zero bytes; the product may not overflow. */
void *cm_allocate(size_t count, size_t size) __attribute__((returns_nonnull));

/* A malloc'ed copy of size bytes, followed by a NUL. */
char *cm_duplicate(const void *bytes, size_t size) __attribute__((returns_nonnull));

/* Formats into a malloc'ed string. */
char *cm_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Makes room for one more element: array has count elements of the given size
 * and room for *capacity. Returns the array, perhaps moved.
 */
void *cm_reserve(void *array, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

#endif

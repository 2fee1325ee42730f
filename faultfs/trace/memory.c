#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("crashmatrix: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *ff_memory_allocate(size_t count, size_t size)
{
    return checked(calloc(count == 0 ? 1 : count, size));
}

void *ff_memory_copy(const void *bytes, size_t size)
{
    unsigned char *copy = checked(malloc(size + 1));
    if (size != 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void *ff_memory_grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return array;
    size_t doubled = *capacity < 8 ? 8 : *capacity * 2;
    size_t wanted = doubled > needed ? doubled : needed;
    if (wanted > SIZE_MAX / size)
        checked(NULL);
    *capacity = wanted;
    return checked(realloc(array, wanted * size));
}

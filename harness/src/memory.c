#include "memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *pointer)
{
    if (pointer == NULL) {
        fputs("crashmatrix: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

void *cm_allocate(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

char *cm_duplicate(const void *bytes, size_t size)
{
    char *copy = cm_allocate(size + 1, 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *cm_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(length < 0 ? NULL : text);
}

void *cm_reserve(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted > SIZE_MAX / size)
        return checked(NULL);
    *capacity = wanted;
    return checked(realloc(array, wanted * size));
}

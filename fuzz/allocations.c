#include "allocations.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static unsigned made, fails_at, failed;
static bool counts;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *string);

void allocations_arm(unsigned at)
{
    fails_at = at;
    made = 0;
    failed = 0;
}

void allocations_start(void)
{
    counts = true;
}

void allocations_stop(void)
{
    counts = false;
}

bool allocations_pause(void)
{
    bool counted = counts;
    counts = false;
    return counted;
}

void allocations_resume(bool counted)
{
    counts = counted;
}

unsigned allocations_failed(void)
{
    return failed;
}

static bool fails(void)
{
    if (!counts || ++made != fails_at)
        return false;
    failed++;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = fails() ? NULL : __real_malloc(size);
    return copy != NULL ? memcpy(copy, string, size) : NULL;
}

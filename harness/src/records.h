/*
 * Lists of records whose size is known at run time only: jobs and leaves, which end in
 * sets of operations.
 */
#ifndef CRASHMATRIX_RECORDS_H
#define CRASHMATRIX_RECORDS_H

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct cm_records {
    size_t size; /* bytes of one; a multiple of 8 */
    unsigned char *bytes;
    size_t count, capacity;
};

/* Valid until the next addition. */
static inline void *cm_record(const struct cm_records *records, size_t index)
{
    return records->bytes + index * records->size;
}

/* Returns where the new one is. */
static inline void *cm_records_add(struct cm_records *records, const void *record)
{
    records->bytes = cm_reserve(records->bytes, records->count, &records->capacity, records->size);
    void *added = cm_record(records, records->count++);
    memcpy(added, record, records->size);
    return added;
}

static inline void cm_records_add_all(struct cm_records *records, const struct cm_records *others)
{
    for (size_t i = 0; i < others->count; i++)
        cm_records_add(records, cm_record(others, i));
}

static inline void cm_records_free(struct cm_records *records)
{
    free(records->bytes);
    records->bytes = NULL;
    records->count = records->capacity = 0;
}

#endif

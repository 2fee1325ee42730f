/*
 * An exploration as text: everything but times, so that equal ones print alike.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdio.h>

#include "crashmatrix/crashmatrix.h"

static inline char *print_exploration(const struct cm_exploration *result)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fprintf(stream, "%s %d %d %s %s %llu %llu %llu\n", result->model, result->exhaustive,
            result->complete, result->legal, result->covered, (unsigned long long)result->distinct,
            (unsigned long long)result->runs, (unsigned long long)result->audit_runs);
    for (size_t i = 0; i < result->violation_count; i++)
        fprintf(stream, "%s %s %d %llu %u..%u\n", result->violations[i].id,
                result->violations[i].reason, (int)result->violations[i].status,
                (unsigned long long)result->violations[i].states,
                result->violations[i].first_boundary, result->violations[i].last_boundary);
    for (size_t b = 0; b < result->cell_count; b++) {
        fprintf(stream, "%zu: %llu", b, (unsigned long long)result->cells[b].violations);
        for (size_t i = 0; i < result->cells[b].label_count; i++)
            fprintf(stream, " %s=%llu", result->cells[b].labels[i].name,
                    (unsigned long long)result->cells[b].labels[i].states);
        fputc('\n', stream);
    }
    fclose(stream);
    return text;
}

#endif

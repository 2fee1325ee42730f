/* JSON for --json: cJSON, with what it cannot do by itself. */
#ifndef MANIFEST_OUTPUT_H
#define MANIFEST_OUTPUT_H

#include <cjson/cJSON.h>
#include <stdint.h>

/* An integer with all its 64 bits. */
void output_integer(cJSON *object, const char *name, uint64_t value);

/* A string; bytes that are not UTF-8 are replaced by U+FFFD. */
void output_string(cJSON *object, const char *name, const char *value);

/* Prints the object and a newline on standard output, and frees it. */
void output_print(cJSON *object);

#endif

/* What is printed: JSON for --json (cJSON, with what it cannot do by itself), and
 * words for a terminal. */
#ifndef MANIFEST_OUTPUT_H
#define MANIFEST_OUTPUT_H

#include <cjson/cJSON.h>
#include <manifest/manifest.h>
#include <stdint.h>

/* An integer with all its 64 bits. */
void output_integer(cJSON *object, const char *name, uint64_t value);

/* A string; bytes that are not UTF-8 are replaced by U+FFFD. */
void output_string(cJSON *object, const char *name, const char *value);

/* Every object that --json prints begins like this. */
cJSON *output_result(enum mf_code code);

/* A file of a manifest as an object. */
cJSON *output_file(const struct mf_file *file);

/* Prints the object and a newline on standard output, and frees it. */
void output_print(cJSON *object);

/* Prints a name or a key, at least so many columns wide. They may hold control
 * characters, and this goes to a terminal: those become question marks. */
void output_word(const char *word, int width);

/* Prints a time: seconds since 1970, as a date where there is one. */
void output_time(uint64_t timestamp);

#endif

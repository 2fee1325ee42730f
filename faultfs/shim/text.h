/* Bytes and text without libc. */
#ifndef SHIM_TEXT_H
#define SHIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For memcpy and memset, and nothing else: memory.c in the library, libc in the launcher. */
#include <string.h>

/* The length of text, at most limit. */
size_t text_length(const char *text, size_t limit);
bool text_has_slash(const char *text);
bool text_equal(const char *a, const char *b);
/* Whether text starts with prefix. */
bool text_starts(const char *text, const char *prefix);

/* A text being put together in a buffer; what does not fit is left out. */
struct text {
    char *start;
    size_t size; /* of the buffer */
    size_t length;
};
void text_add(struct text *text, const char *more);
void text_add_number(struct text *text, uint64_t number);

/* "/proc/self/fd/N" */
#define DESCRIPTOR_PATH_SIZE 32
void descriptor_path(int fd, char path[DESCRIPTOR_PATH_SIZE]);

#endif

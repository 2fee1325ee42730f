/* Texts of any length, built as with printf. Memory is never short here: if it is, the
 * program ends with a message and status 1, and a commit that was under way is as after a kill. */
#ifndef PORTCHECK_TEXT_H
#define PORTCHECK_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The caller frees the result. */
__attribute__((format(printf, 1, 2))) char *pc_format(const char *format, ...);
char *pc_copy(const char *text);
void *pc_resize(void *memory, size_t count, size_t size);

/* A whole file such as those of /proc, or NULL and errno. The caller frees it. */
__attribute__((format(printf, 1, 2))) char *pc_read_file(const char *path_format, ...);

/* The first line of a file without the space at its ends, or NULL. The caller frees it. */
__attribute__((format(printf, 1, 2))) char *pc_read_line(const char *path_format, ...);

/* Where a symbolic link points to, or NULL and errno, and the last component of that. */
__attribute__((format(printf, 1, 2))) char *pc_read_link(const char *path_format, ...);
const char *pc_base_name(const char *path);

/* Whether a text is as a pattern, in which '*' stands for any bytes. (fnmatch of a static libc
 * brings tables of all letters with it.) */
bool pc_matches(const char *pattern, const char *text);

/* Whether an item of a list, such as the options of a mount, matches a pattern; the
 * item is copied into found (may be NULL). A comma after a backslash belongs to the item. */
bool pc_list_has(const char *list, const char *pattern, char *found, size_t size);

/* The value of NAME=VALUE in such a list, or NULL. The caller frees it. */
char *pc_list_value(const char *list, const char *name);

#endif

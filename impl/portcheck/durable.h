/* Files that are on the disk when the call returns, as far as the file system keeps its word. */
#ifndef PORTCHECK_DURABLE_H
#define PORTCHECK_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Each: false and errno. A file's name is durable when its directory was synced, too. */
bool pc_write_file(const char *path, const void *bytes, size_t size);
bool pc_sync_path(const char *path);

/*
 * The mark of a file system, DIR/portcheck-mark, "RUN.CYCLE" of the start that made it: a file
 * system that was made anew has none, or another one. *made: it was made now. NULL: it
 * cannot be made. The caller frees it.
 */
char *pc_mark(const char *directory, const char *fresh, bool *made);

#endif

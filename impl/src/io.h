/*
 * Platform calls carried through to the end: interrupted calls are repeated
 * where that is safe, short counts are continued. Results are as in platform.h:
 * 0 or more on success, a negative errno on failure, and MF_IO_NOT_REGULAR.
 */
#ifndef MANIFEST_SRC_IO_H
#define MANIFEST_SRC_IO_H

#include <limits.h>
#include <manifest/platform.h>
#include <stdbool.h>

/* The name is there but is no regular file: a directory, a link, a device. */
#define MF_IO_NOT_REGULAR INT_MIN

/* A directory on a platform. handle is -1 when it is not open. */
struct mf_directory {
    const struct mf_platform *platform;
    int handle;
};

int mf_io_open_directory(const struct mf_platform *platform, const char *path,
                         struct mf_directory *directory);
void mf_io_close(const struct mf_directory *directory, int handle);

/* Opens a regular file; nothing else. */
int mf_io_open(const struct mf_directory *directory, const char *name, unsigned flags);

/* Creates a file that must not exist, for writing. -EEXIST when the name is
 * taken, by whatever it is. */
int mf_io_create(const struct mf_directory *directory, const char *name);

/* Reads until size bytes are there or the file ends. Returns the count. */
int64_t mf_io_read(const struct mf_directory *directory, int file, void *buffer, size_t size,
                   uint64_t offset);

/* Writes all size bytes. */
int mf_io_write(const struct mf_directory *directory, int file, const void *buffer, size_t size,
                uint64_t offset);

int mf_io_sync(const struct mf_directory *directory, int handle);

/* Syncs open files, all at once where the platform can. The first failure. */
int mf_io_sync_many(const struct mf_directory *directory, const int *files, size_t count);

int mf_io_status(const struct mf_directory *directory, int handle, struct mf_status *status);
int mf_io_status_at(const struct mf_directory *directory, const char *name,
                    struct mf_status *status);

/* Whether a rename in this directory is one step even when the power fails, as far
 * as the platform knows. */
bool mf_io_rename_is_atomic(const struct mf_directory *directory);

/* Removes a name. That it is gone already is a success. */
int mf_io_remove(const struct mf_directory *directory, const char *name);

/* Reads a whole regular file of at most limit bytes: -EFBIG when it is larger.
 * *data is allocated (never NULL on success) and freed by the caller. */
int mf_io_load(const struct mf_directory *directory, const char *name, size_t limit, char **data,
               size_t *size);

/*
 * Calls visit for each name of the directory that begins with prefix, sorted by
 * bytes, after the directory was read: visit may change it. Stops at a result that
 * is not 0 and returns it.
 */
int mf_io_list(const struct mf_directory *directory, const char *prefix,
               int (*visit)(void *argument, const char *name), void *argument);

#endif

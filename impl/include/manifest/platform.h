/*
 * The platform table: every call that libmanifest makes to the outside world.
 *
 * mf_platform_posix() is the default. A port to an RTOS or to another file
 * system fills in its own; the crash harness fills in an in-memory crash state,
 * so that recovery runs millions of times without a process or a disk; tests
 * fill it with faults.
 *
 * Conventions for every function of the table:
 *  - context is the table's own context member;
 *  - the result is 0 or a positive value on success and a negative errno value
 *    (-ENOENT, -EIO, ...) on failure; ports without errno.h define the same
 *    names with any distinct positive values;
 *  - handles are small non-negative integers chosen by the platform; a handle
 *    of a directory and a handle of a file come from the same space;
 *  - directory + name is always one path component, never a path, and is never
 *    followed if it is a symbolic link;
 *  - a short count is a success, and the library continues;
 *  - -EINTR is retried by the library, except for close (the handle is gone) and
 *    rename (it may have happened);
 *  - functions marked optional may be NULL.
 */
#ifndef MANIFEST_PLATFORM_H
#define MANIFEST_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flags of open. One of the first two is always given. */
enum mf_open_flag {
    MF_OPEN_READ = 1,      /* for reading */
    MF_OPEN_WRITE = 2,     /* for reading and writing */
    MF_OPEN_CREATE = 4,    /* create it; with MF_OPEN_EXCLUSIVE fail with -EEXIST if it exists */
    MF_OPEN_EXCLUSIVE = 8, /* only with MF_OPEN_CREATE */
};

enum mf_type {
    MF_TYPE_FILE = 1,
    MF_TYPE_DIRECTORY,
    MF_TYPE_LINK,
    MF_TYPE_OTHER,
};

struct mf_status {
    enum mf_type type;
    uint64_t size; /* bytes, for a file */
};

struct mf_platform {
    void *context;

    /* Opens the directory at a path (the only function besides make_directory
     * that takes a path). Returns a handle. */
    int (*open_directory)(void *context, const char *path);

    /* Creates a directory, mode 0777 before the umask. -EEXIST if it exists. */
    int (*make_directory)(void *context, const char *path);

    /* Opens a file in a directory. -ELOOP if the name is a symbolic link, and
     * never blocks on a fifo. Returns a handle. */
    int (*open)(void *context, int directory, const char *name, unsigned flags);

    /* Closes a file or directory. The handle is gone whatever is returned. */
    int (*close)(void *context, int handle);

    /* Reads at most size bytes at offset. Returns the count, 0 at the end. */
    int64_t (*read)(void *context, int file, void *buffer, size_t size, uint64_t offset);

    /* Writes at most size bytes at offset. Returns the count, never 0. */
    int64_t (*write)(void *context, int file, const void *buffer, size_t size, uint64_t offset);

    /* Makes a file's data and size, or a directory's names, durable (fsync). */
    int (*sync)(void *context, int handle);

    /* Renames within one directory, replacing the target in one step. When it fails with
     * EACCES, ENOENT, ENOSPC, EDQUOT, EROFS or EXDEV, nothing has changed (POSIX says so of
     * every error but EIO); after any other error the library takes both for possible. */
    int (*rename)(void *context, int directory, const char *from, const char *to);

    /* Removes a name that is not a directory. */
    int (*remove)(void *context, int directory, const char *name);

    /* Type and size of an open file. */
    int (*status)(void *context, int handle, struct mf_status *status);

    /* Type and size of a name; a symbolic link is not followed. */
    int (*status_at)(void *context, int directory, const char *name, struct mf_status *status);

    /* Calls visit for every name but "." and ".."; stops when it returns
     * non-zero and returns that value. Names are bytes without '/' and NUL. */
    int (*list)(void *context, int directory, int (*visit)(void *argument, const char *name),
                void *argument);

    /* Locks an open file against every other handle, in this process or another,
     * waiting at most timeout_ms (0: not at all). -EAGAIN when it is held.
     * Closing the handle unlocks. */
    int (*lock)(void *context, int file, uint32_t timeout_ms);

    /* Seconds since 1970. Returns 0 or a negative errno. */
    int (*now)(void *context, uint64_t *seconds);

    /* Optional. The same as sync for each of these open files, in any order and
     * at once: 0 only when all of them are durable, else one of the failures.
     * Without it the library calls sync for one after the other, and the device
     * flushes its cache as many times. */
    int (*sync_many)(void *context, const int *files, size_t count);

    /* Optional. Whether a rename in this directory replaces its target in one
     * step even when the power fails: 0 where it is known not to, else 1, also
     * after an error. Without it, 1. The answer chooses the commit point of a new database. */
    int (*rename_is_atomic)(void *context, int directory);
};

/* The POSIX table (Linux and other POSIX.1-2008 systems). Static; never freed. */
const struct mf_platform *mf_platform_posix(void);

#endif

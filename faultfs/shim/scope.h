/*
 * What a call concerns: is it below the directory under test, and which node and
 * name is it there. Decided by inode numbers, never by paths: a name lies below
 * the directory if its parent directory is a known node, wherever the path came
 * from. Functions that take a path are safe for any pointer that the kernel
 * accepted before.
 */
#ifndef SHIM_SCOPE_H
#define SHIM_SCOPE_H

#include "channel.h"

#include <sys/stat.h>

/*
 * stat of dirfd/path with the AT_* flags, without times: to have looked at these
 * makes the next write change them to the nanosecond (multigrain timestamps, since
 * Linux 6.13), and then every fsync has an inode to write besides the data.
 * Returns 0 or -errno.
 */
long status_get(int dirfd, const char *path, int flags, struct stat *status);

long descriptor_status(int fd, struct stat *status);

/* The entry of an object that was just examined, or NULL if it is outside. */
struct known *scope_status(const struct stat *status, int fd);

/* The same for a descriptor, with its status; NULL also when it is not open. */
struct known *scope_descriptor(int fd, struct stat *status);

/*
 * The directory in which dirfd/path names something, or NULL when that is
 * outside (or when path ends in "." or ".." or is too long, so that a call
 * cannot create or remove it). name gets the last component, without slashes. A path
 * without a slash lies in `directory`, if the caller knows it.
 */
struct known *scope_name(int dirfd, const char *path, struct known *directory,
                         char name[CHANNEL_NAME_SIZE], uint32_t *name_size);

/* Whether a path can be read; for callers that hand it to no system call first. */
bool scope_is_readable(const char *path);

bool scope_is_output(const struct stat *status);

#endif

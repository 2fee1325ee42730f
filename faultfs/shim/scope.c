#include "scope.h"

#include "gate.h"
#include "known.h"
#include "recorder.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

/* The kernel's struct stat is the one of <sys/stat.h> on 64-bit machines. */
_Static_assert(sizeof(long) == 8, "written for 64-bit machines");

/* Times are not asked for: see status_get(). */
#define STATUS_FIELDS                                                                              \
    (STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO | STATX_SIZE)

/* As the kernel puts a device's number into a struct stat (new_encode_dev()). */
static uint64_t device_number(uint64_t major, uint64_t minor)
{
    return (minor & 0xff) | major << 8 | (minor & ~UINT64_C(0xff)) << 12;
}

long status_get(int dirfd, const char *path, int flags, struct stat *status)
{
    struct statx found;
    long result =
        GATE_6(__NR_statx, dirfd, path, flags | AT_NO_AUTOMOUNT, STATUS_FIELDS, &found, 0);
    if (result == 0)
        *status = (struct stat){.st_dev = device_number(found.stx_dev_major, found.stx_dev_minor),
                                .st_ino = found.stx_ino,
                                .st_mode = found.stx_mode,
                                .st_nlink = found.stx_nlink,
                                .st_uid = found.stx_uid,
                                .st_gid = found.stx_gid,
                                .st_size = (off_t)found.stx_size};
    return result;
}

long descriptor_status(int fd, struct stat *status)
{
    return fd < 0 ? -EBADF : status_get(fd, "", AT_EMPTY_PATH, status);
}

/* Whether an open file that has no name any more had its last one below the directory. */
static bool was_below(int fd)
{
    char link[DESCRIPTOR_PATH_SIZE], path[CHANNEL_PATH_SIZE];
    descriptor_path(fd, link);
    long length = GATE_4(__NR_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    size_t root = text_length(channel->root, CHANNEL_PATH_SIZE);
    return text_starts(path, channel->root) && path[root] == '/';
}

/*
 * A node that lost its last name may still be open, or its number may have been
 * given to a new file. A new file has a name, or lies outside (an unnamed one
 * below the directory is not supported, see call_open()).
 */
struct known *scope_status(const struct stat *status, int fd)
{
    struct known *known = known_find(channel, status->st_dev, status->st_ino);
    if (known == NULL || !known->unnamed)
        return known;
    return status->st_nlink == 0 && fd >= 0 && was_below(fd) ? known : NULL;
}

struct known *scope_descriptor(int fd, struct stat *status)
{
    if (fd < 0 || descriptor_status(fd, status) != 0)
        return NULL;
    return scope_status(status, fd);
}

/* stat of the directory that the first `length` bytes of path lead to. */
static long parent_status(int dirfd, const char *path, size_t length, struct stat *status)
{
    if (length == 0)
        return status_get(dirfd, "", AT_EMPTY_PATH, status);
    memcpy(channel->path, path, length);
    channel->path[length] = '\0';
    return status_get(dirfd, channel->path, 0, status);
}

struct known *scope_name(int dirfd, const char *path, struct known *directory,
                         char name[CHANNEL_NAME_SIZE], uint32_t *name_size)
{
    struct stat status;
    *name_size = 0;
    size_t length = text_length(path, CHANNEL_PATH_SIZE);
    if (length == CHANNEL_PATH_SIZE)
        return NULL;
    while (length != 0 && path[length - 1] == '/')
        length--;
    size_t start = length;
    while (start != 0 && path[start - 1] != '/')
        start--;
    size_t size = length - start;
    if (size == 0 || size >= CHANNEL_NAME_SIZE)
        return NULL;
    memcpy(name, path + start, size);
    name[size] = '\0';
    if (text_equal(name, ".") || text_equal(name, ".."))
        return NULL;
    if (start != 0 || directory == NULL) {
        if (parent_status(dirfd, path, start, &status) != 0)
            return NULL;
        directory = scope_status(&status, -1);
    }
    *name_size = directory == NULL ? 0 : (uint32_t)size;
    return directory;
}

/*
 * The kernel copies the set before it looks at the first argument, which is
 * invalid: EFAULT tells that the bytes cannot be read. An aligned word never
 * reaches into the next page.
 */
static bool word_is_readable(uintptr_t address)
{
    const uintptr_t word = address & ~(uintptr_t)7;
    return word != 0 && GATE_4(__NR_rt_sigprocmask, -1, word, 0, 8) != -EFAULT;
}

bool scope_is_readable(const char *path)
{
    for (size_t i = 0; i < CHANNEL_PATH_SIZE; i++) {
        uintptr_t address = (uintptr_t)(path + i);
        if ((i == 0 || address % 4096 == 0) && !word_is_readable(address))
            return false;
        if (path[i] == '\0')
            break;
    }
    return true;
}

bool scope_is_output(const struct stat *status)
{
    return status->st_ino == channel->output_inode && status->st_dev == channel->output_device;
}

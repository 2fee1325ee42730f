/*
 * Empties a directory: a walk that goes down into each directory that it cannot
 * remove and up again when that one is empty, with one directory open at a time.
 */
#include "error.h"
#include "faultfs/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Opens a directory below another for removing what is in it. Its mode may
 * forbid that; its owner may change the mode.
 */
static int directory_open(int parent, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
        (status.st_mode & 0700) != 0700)
        fchmodat(parent, name, 0700, 0);
    return openat(parent, name, flags);
}

/*
 * Removes what is not a directory, and empty directories. Returns 0 when
 * nothing is left, 1 with the name of a directory that is not empty, -1 on error.
 */
static int names_remove(int directory, char full[256])
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    int result = 0;
    struct dirent *entry;
    if (stream == NULL) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (unlinkat(directory, name, 0) == 0)
            continue;
        if (errno != EISDIR && errno != EPERM)
            break;
        if (unlinkat(directory, name, AT_REMOVEDIR) == 0)
            continue;
        if (errno != ENOTEMPTY && errno != EEXIST)
            break;
        strcpy(full, name);
        result = 1;
        break;
    }
    if (result == 0 && errno != 0)
        result = -1;
    int number = errno;
    closedir(stream);
    errno = number;
    return result;
}

int ff_directory_clear(const char *path, struct ff_error *error)
{
    size_t depth = 0;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return ff_error_set_errno(error, "cannot open %s", path);
    for (;;) {
        char name[256];
        int left = names_remove(directory, name);
        if (left == 0 && depth == 0)
            break;
        int next = left < 0    ? -1
                   : left == 0 ? openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                               : directory_open(directory, name);
        if (next < 0) {
            ff_error_set_errno(error, "cannot remove what is in %s", path);
            close(directory);
            return -1;
        }
        depth = left == 0 ? depth - 1 : depth + 1;
        close(directory);
        directory = next;
    }
    close(directory);
    return 0;
}

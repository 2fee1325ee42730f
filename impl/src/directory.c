/* Making a directory and its name durable. */
#include "directory.h"

#include "error.h"
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The directory in which the name of path stands. Allocated; NULL: no memory. */
static char *parent_of(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    size_t start = size;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t last = size - start;
    bool dots = (last == 1 && path[start] == '.') ||
                (last == 2 && path[start] == '.' && path[start + 1] == '.');
    if (dots) { /* the name is elsewhere; the directory's own ".." knows where */
        char *parent = malloc(size + sizeof("/.."));
        if (parent != NULL)
            snprintf(parent, size + sizeof("/.."), "%.*s/..", (int)size, path);
        return parent;
    }
    while (start > 1 && path[start - 1] == '/')
        start--;
    return start == 0 ? strdup(".") : strndup(path, start);
}

enum mf_code mf_directory_sync_name(const struct mf_platform *platform, const char *path,
                                    struct mf_error *error)
{
    char *parent = parent_of(path);
    if (parent == NULL)
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory for a path");
    struct mf_directory directory;
    enum mf_code code = MF_OK;
    int result = mf_io_open_directory(platform, parent, &directory);
    if (result == 0) {
        result = mf_io_sync(&directory, directory.handle);
        mf_io_close(&directory, directory.handle);
    }
    if (result < 0)
        code = mf_fail(error, MF_IO, result, "%s: cannot be made durable", parent);
    free(parent);
    return code;
}

enum mf_code mf_directory_make(const struct mf_platform *platform, const char *path,
                               struct mf_error *error)
{
    int result;
    do {
        result = platform->make_directory(platform->context, path);
    } while (result == -EINTR);
    if (result < 0 && result != -EEXIST)
        return mf_fail(error, MF_IO, result, "%s: cannot be created", path);
    return MF_OK;
}

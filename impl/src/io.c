/* Each function: one platform call, repeated until it is done. */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mf_io_open_directory(const struct mf_platform *platform, const char *path,
                         struct mf_directory *directory)
{
    int handle;
    do {
        handle = platform->open_directory(platform->context, path);
    } while (handle == -EINTR);
    *directory = (struct mf_directory){.platform = platform, .handle = handle < 0 ? -1 : handle};
    return handle < 0 ? handle : 0;
}

void mf_io_close(const struct mf_directory *directory, int handle)
{
    if (handle >= 0)
        directory->platform->close(directory->platform->context, handle);
}

static int open_once(const struct mf_directory *directory, const char *name, unsigned flags)
{
    const struct mf_platform *platform = directory->platform;
    int file;
    do {
        file = platform->open(platform->context, directory->handle, name, flags);
    } while (file == -EINTR);
    return file;
}

/* Errors differ for what is no regular file (links, sockets, devices without a
 * driver, ...), so after a failure the name is asked what it is. */
static int explain_open(const struct mf_directory *directory, const char *name, int result)
{
    struct mf_status status;
    if (result == -ENOENT)
        return result;
    if (mf_io_status_at(directory, name, &status) == 0 && status.type != MF_TYPE_FILE)
        return MF_IO_NOT_REGULAR;
    return result;
}

int mf_io_open(const struct mf_directory *directory, const char *name, unsigned flags)
{
    int file = open_once(directory, name, flags);
    if (file < 0)
        return explain_open(directory, name, file);
    struct mf_status status;
    int result = mf_io_status(directory, file, &status);
    if (result == 0 && status.type != MF_TYPE_FILE)
        result = MF_IO_NOT_REGULAR;
    if (result == 0)
        return file;
    mf_io_close(directory, file);
    return result;
}

int mf_io_create(const struct mf_directory *directory, const char *name)
{
    return open_once(directory, name, MF_OPEN_WRITE | MF_OPEN_CREATE | MF_OPEN_EXCLUSIVE);
}

int64_t mf_io_read(const struct mf_directory *directory, int file, void *buffer, size_t size,
                   uint64_t offset)
{
    const struct mf_platform *platform = directory->platform;
    size_t done = 0;
    while (done < size) {
        int64_t count = platform->read(platform->context, file, (char *)buffer + done, size - done,
                                       offset + done);
        if (count == -EINTR)
            continue;
        if (count < 0)
            return count;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (int64_t)done;
}

int mf_io_write(const struct mf_directory *directory, int file, const void *buffer, size_t size,
                uint64_t offset)
{
    const struct mf_platform *platform = directory->platform;
    size_t done = 0;
    while (done < size) {
        int64_t count = platform->write(platform->context, file, (const char *)buffer + done,
                                        size - done, offset + done);
        if (count == -EINTR)
            continue;
        if (count < 0)
            return (int)count;
        if (count == 0)
            return -EIO; /* no progress: to go on would be to hang */
        done += (size_t)count;
    }
    return 0;
}

int mf_io_sync(const struct mf_directory *directory, int handle)
{
    const struct mf_platform *platform = directory->platform;
    int result;
    do {
        result = platform->sync(platform->context, handle);
    } while (result == -EINTR);
    return result;
}

int mf_io_sync_many(const struct mf_directory *directory, const int *files, size_t count)
{
    const struct mf_platform *platform = directory->platform;
    int result = 0;
    if (count > 1 && platform->sync_many != NULL) {
        do {
            result = platform->sync_many(platform->context, files, count);
        } while (result == -EINTR);
        return result;
    }
    for (size_t i = 0; i < count && result >= 0; i++)
        result = mf_io_sync(directory, files[i]);
    return result;
}

int mf_io_status(const struct mf_directory *directory, int handle, struct mf_status *status)
{
    const struct mf_platform *platform = directory->platform;
    int result;
    do {
        result = platform->status(platform->context, handle, status);
    } while (result == -EINTR);
    return result;
}

int mf_io_status_at(const struct mf_directory *directory, const char *name,
                    struct mf_status *status)
{
    const struct mf_platform *platform = directory->platform;
    int result;
    do {
        result = platform->status_at(platform->context, directory->handle, name, status);
    } while (result == -EINTR);
    return result;
}

bool mf_io_rename_is_atomic(const struct mf_directory *directory)
{
    const struct mf_platform *platform = directory->platform;
    return platform->rename_is_atomic == NULL ||
           platform->rename_is_atomic(platform->context, directory->handle) != 0;
}

int mf_io_remove(const struct mf_directory *directory, const char *name)
{
    const struct mf_platform *platform = directory->platform;
    int result;
    do {
        result = platform->remove(platform->context, directory->handle, name);
    } while (result == -EINTR);
    return result == -ENOENT ? 0 : result;
}

/* Reads to the end whatever the size was a moment ago. */
static int load_open_file(const struct mf_directory *directory, int file, size_t limit, char **data,
                          size_t *size)
{
    struct mf_status status;
    int result = mf_io_status(directory, file, &status);
    if (result < 0)
        return result;
    if (status.size > limit)
        return -EFBIG;
    char *buffer = malloc((size_t)status.size + 1);
    if (buffer == NULL)
        return -ENOMEM;
    int64_t count = mf_io_read(directory, file, buffer, (size_t)status.size + 1, 0);
    if (count >= 0 && (uint64_t)count > status.size)
        count = -EFBIG; /* it grows while we read */
    if (count < 0) {
        free(buffer);
        return (int)count;
    }
    *data = buffer;
    *size = (size_t)count;
    return 0;
}

int mf_io_load(const struct mf_directory *directory, const char *name, size_t limit, char **data,
               size_t *size)
{
    int file = mf_io_open(directory, name, MF_OPEN_READ);
    if (file < 0)
        return file;
    int result = load_open_file(directory, file, limit, data, size);
    mf_io_close(directory, file);
    return result;
}

struct names {
    const char *prefix; /* of those that are kept */
    size_t prefix_size;
    char *text; /* the names, each with its NUL */
    size_t size;
    size_t capacity;
    size_t count;
};

static int keep_name(void *argument, const char *name)
{
    struct names *names = argument;
    if (strncmp(name, names->prefix, names->prefix_size) != 0)
        return 0;
    size_t size = strlen(name) + 1;
    if (names->capacity - names->size < size) {
        size_t capacity = names->capacity * 2 + size + 1024;
        char *grown = realloc(names->text, capacity);
        if (grown == NULL)
            return -ENOMEM;
        names->text = grown;
        names->capacity = capacity;
    }
    memcpy(names->text + names->size, name, size);
    names->size += size;
    names->count++;
    return 0;
}

static int compare_strings(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Visits them in order, until that returns something else than 0, which is returned. */
static int visit_names(const struct names *names, int (*visit)(void *argument, const char *name),
                       void *argument)
{
    const char **sorted = malloc((names->count + 1) * sizeof(*sorted));
    if (sorted == NULL)
        return -ENOMEM;
    const char *at = names->text;
    for (size_t i = 0; i < names->count; i++, at += strlen(at) + 1)
        sorted[i] = at;
    if (names->count > 1)
        qsort(sorted, names->count, sizeof(*sorted), compare_strings);
    int result = 0;
    for (size_t i = 0; i < names->count && result == 0; i++)
        result = visit(argument, sorted[i]);
    free(sorted);
    return result;
}

int mf_io_list(const struct mf_directory *directory, const char *prefix,
               int (*visit)(void *argument, const char *name), void *argument)
{
    const struct mf_platform *platform = directory->platform;
    struct names names = {.prefix = prefix, .prefix_size = strlen(prefix)};
    int result;
    do {
        names.size = names.count = 0;
        result = platform->list(platform->context, directory->handle, keep_name, &names);
    } while (result == -EINTR);
    if (result == 0)
        result = visit_names(&names, visit, argument);
    free(names.text);
    return result;
}

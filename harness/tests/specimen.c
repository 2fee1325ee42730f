#include "specimen.h"

#include <errno.h>
#include <stdlib.h>

#define ACKNOWLEDGEMENT "saved\n"

/* Larger than any file here. */
#define FILE_LIMIT (64 * 1024)

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- For set-ups and workloads ---- */

static int descriptor(const char *path, int flags)
{
    int file = open(path, flags, 0644);
    if (file < 0)
        fail(path);
    return file;
}

int file_create(const char *path)
{
    return descriptor(path, O_WRONLY | O_CREAT | O_EXCL);
}

int file_open(const char *path)
{
    return descriptor(path, O_WRONLY);
}

void file_write(int file, const char *bytes, size_t size)
{
    ssize_t written = write(file, bytes, size);
    if (written < 0 || (size_t)written != size)
        fail("write");
}

void file_sync(int file)
{
    if (fsync(file) != 0)
        fail("fsync");
}

void file_close(int file)
{
    if (close(file) != 0)
        fail("close");
}

void directory_sync(const char *path)
{
    int directory = descriptor(path, O_RDONLY | O_DIRECTORY);
    file_sync(directory);
    file_close(directory);
}

void name_move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        fail(from);
}

void file_put(const char *path, const char *bytes, size_t size)
{
    int file = file_create(path);
    file_write(file, bytes, size);
    file_close(file);
}

void acknowledge(void)
{
    file_write(STDOUT_FILENO, ACKNOWLEDGEMENT, strlen(ACKNOWLEDGEMENT));
}

/* ---- For checks ---- */

ssize_t file_get(const char *path, char *bytes, size_t size)
{
    size_t used = 0;
    int file = open(path, O_RDONLY);
    if (file < 0)
        return -1;
    ssize_t count = 1;
    for (; count > 0 && used<size; used += count> 0 ? (size_t)count : 0)
        count = read(file, bytes + used, size - used);
    file_close(file);
    return count < 0 ? -1 : (ssize_t)used;
}

bool file_holds(const char *path, const char *bytes, size_t size)
{
    static char found[FILE_LIMIT];
    ssize_t length = file_get(path, found, sizeof(found));
    return length == (ssize_t)size && memcmp(found, bytes, size) == 0;
}

size_t acknowledgements(void)
{
    static char said[FILE_LIMIT];
    const size_t length = strlen(ACKNOWLEDGEMENT);
    const char *path = getenv("CRASHMATRIX_STDOUT");
    errno = EINVAL;
    ssize_t size = path == NULL ? -1 : file_get(path, said, sizeof(said));
    if (size < 0)
        fail("CRASHMATRIX_STDOUT");
    for (size_t at = 0; at < (size_t)size; at += length)
        if ((size_t)size - at < length || memcmp(said + at, ACKNOWLEDGEMENT, length) != 0)
            reject("the output is not what the workload printed");
    return (size_t)size / length;
}

bool acknowledged(void)
{
    return acknowledgements() > 0;
}

_Noreturn void accept(const char *label)
{
    printf("label: %s\n", label);
    exit(0);
}

_Noreturn void reject(const char *reason)
{
    puts(reason);
    exit(1);
}

#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

bool pc_sync_path(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = file >= 0 && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return synced;
}

static bool write_whole(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(file, bytes, size);
        if (count < 0)
            return false;
        bytes += count;
        size -= (size_t)count;
    }
    return fsync(file) == 0;
}

bool pc_write_file(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    bool written = write_whole(file, bytes, size);
    int problem = errno;
    bool closed = close(file) == 0;
    if (!written)
        errno = problem;
    return written && closed;
}

/* What a cut has left of a mark is none: it lacks the newline. */
static char *read_mark(const char *path)
{
    char *text = pc_read_file("%s", path);
    size_t size = text != NULL ? strlen(text) : 0;
    if (size > 1 && text[size - 1] == '\n') {
        text[size - 1] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

char *pc_mark(const char *directory, const char *fresh, bool *made)
{
    char *path = pc_format("%s/portcheck-mark", directory);
    char *mark = read_mark(path);
    *made = mark == NULL;
    if (*made) {
        char *line = pc_format("%s\n", fresh);
        if (pc_write_file(path, line, strlen(line)) && pc_sync_path(directory))
            mark = pc_copy(fresh);
        free(line);
    }
    free(path);
    return mark;
}

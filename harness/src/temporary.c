#include "temporary.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

static char *choose_path(struct ff_error *error)
{
    char whole[PATH_MAX];
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    if (realpath(parent, whole) != NULL)
        return cm_format("%s/crashmatrix-XXXXXX", whole);
    cm_fail(error, "%s: %s", parent, strerror(errno));
    return NULL;
}

static char *give_up(char *path, struct ff_error *error)
{
    cm_fail(error, "%s: %s", path, strerror(errno));
    free(path);
    return NULL;
}

char *cm_temporary_file(struct ff_error *error)
{
    char *path = choose_path(error);
    int fd = path == NULL ? -1 : mkstemp(path);
    if (path != NULL && fd < 0)
        return give_up(path, error);
    if (fd >= 0)
        close(fd);
    return path;
}

char *cm_temporary_folder(struct ff_error *error)
{
    char *path = choose_path(error);
    return path == NULL || mkdtemp(path) != NULL ? path : give_up(path, error);
}

#include "library.h"

#include "../trace/error.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int library_find(char path[PATH_MAX], struct ff_error *error)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length < 0 ? 0 : length] = '\0';
    int size = snprintf(path, PATH_MAX, "%s/" FAULTFS_LIBRARY, dirname(self));
    if (length < 0 || size >= PATH_MAX || access(path, R_OK) != 0)
        return ff_error_set(error, "%.400s is not there", path);
    if (strpbrk(path, " :") != NULL)
        return ff_error_set(error, "%.400s cannot be preloaded from a path with a blank or a colon",
                            path);
    return 0;
}

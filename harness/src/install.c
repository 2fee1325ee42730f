#include "install.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

/* The folder of the running executable, without a slash at its end. */
static char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return cm_format("%s", path);
}

static char *from_own_folder(const char *relative, const char *part)
{
    char *folder = own_folder();
    char *path = cm_format("%s/%s%s%s", folder, relative, *part != '\0' ? "/" : "", part);
    free(folder);
    return path;
}

char *cm_install_bin(const char *part)
{
    return from_own_folder(".", part);
}

char *cm_install_data(const char *part)
{
    return from_own_folder(CRASHMATRIX_BIN_TO_DATA, part);
}

char *cm_install_library(const char *part)
{
    return from_own_folder(CRASHMATRIX_BIN_TO_LIBRARY, part);
}

void cm_install_set_path(void)
{
    const char *old = getenv("PATH");
    char *bin = own_folder();
    char *libexec = from_own_folder(CRASHMATRIX_BIN_TO_LIBEXEC, "");
    char *path =
        cm_format("%s:%s:%s", bin, libexec, old != NULL && *old != '\0' ? old : "/usr/bin:/bin");
    setenv("PATH", path, 1);
    free(path);
    free(libexec);
    free(bin);
}

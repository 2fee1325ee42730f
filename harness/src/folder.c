#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

static const char suffix[] = ".cmx";

int cm_folder_make(const char *path, struct ff_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0 ||
        (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return 0;
    return cm_fail(error, "%s: cannot be made: %s", path, strerror(errno));
}

char *cm_folder_trace(const char *folder)
{
    return cm_format("%s/trace.cmt", folder);
}

char *cm_folder_progress(const char *folder, const char *model)
{
    return cm_format("%s/progress/%s%s", folder, model, suffix);
}

static int is_progress(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), end = strlen(suffix);
    return length > end && strcmp(entry->d_name + length - end, suffix) == 0;
}

char **cm_folder_list_progress(const char *folder, size_t *count)
{
    struct dirent **entries = NULL;
    char *path = cm_format("%s/progress", folder);
    int found = scandir(path, &entries, is_progress, alphasort);
    *count = found > 0 ? (size_t)found : 0;
    char **paths = cm_allocate(*count, sizeof(*paths));
    for (size_t i = 0; i < *count; i++) {
        paths[i] = cm_format("%s/%s", path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(path);
    return paths;
}

int cm_folder_begin(const char *folder, struct ff_error *error)
{
    char *progress = cm_format("%s/progress", folder);
    int status =
        cm_folder_make(folder, error) == 0 && cm_folder_make(progress, error) == 0 ? 0 : -1;
    size_t count = 0;
    char **paths = cm_folder_list_progress(folder, &count);
    for (size_t i = 0; i < count; i++) {
        if (status == 0 && unlink(paths[i]) != 0)
            status = cm_fail(error, "%s: cannot be removed: %s", paths[i], strerror(errno));
        free(paths[i]);
    }
    free(paths);
    free(progress);
    return status;
}

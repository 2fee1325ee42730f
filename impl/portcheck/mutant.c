#include "mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum mutant {
#define X(name, word, text) name,
    PC_MUTANTS(X)
#undef X
};

/* One database at a time, and no threads. */
static struct {
    enum mutant mutant;
    bool renamed; /* and the file was not yet synced since */
} state;

static bool is_directory(int handle)
{
    struct stat status;
    return fstat(handle, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_left_out(int handle)
{
    bool directory = is_directory(handle), renamed = state.renamed;
    switch (state.mutant) {
    case NO_SYNC:
        return true;
    case NO_FILE_SYNC:
        return !directory;
    case NO_DIRECTORY_SYNC:
        /* Nor the file after its rename: on ext4 and f2fs that makes the new name durable, too. */
        state.renamed &= directory;
        return directory || renamed;
    case RENAME_NO_SYNC_AFTER:
        state.renamed = false;
        return renamed && !directory;
    case IN_PLACE:
    case CLOCK_RESET:
        break;
    }
    return false;
}

static int mutant_sync(void *context, int handle)
{
    return is_left_out(handle) ? 0 : mf_platform_posix()->sync(context, handle);
}

static int copy_over(int from, int to)
{
    char bytes[4096];
    ssize_t count;
    /* Synced, as a journal's own time (5 s on ext4) may do it: a cut meets the empty file. */
    if (ftruncate(to, 0) != 0 || fsync(to) != 0)
        return -errno;
    while ((count = read(from, bytes, sizeof(bytes))) > 0)
        if (write(to, bytes, (size_t)count) != count)
            return -EIO;
    return count < 0 || fsync(to) != 0 ? -errno : 0;
}

static int write_in_place(int directory, const char *from, const char *to)
{
    int source = openat(directory, from, O_RDONLY | O_CLOEXEC);
    int target = openat(directory, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    int result = source < 0 || target < 0 ? -errno : copy_over(source, target);
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    if (result == 0 && unlinkat(directory, from, 0) != 0)
        result = -errno;
    return result;
}

static int mutant_rename(void *context, int directory, const char *from, const char *to)
{
    if (state.mutant == IN_PLACE)
        return write_in_place(directory, from, to);
    int result = mf_platform_posix()->rename(context, directory, from, to);
    state.renamed = result == 0;
    return result;
}

static int mutant_now(void *context, uint64_t *seconds)
{
    if (state.mutant != CLOCK_RESET)
        return mf_platform_posix()->now(context, seconds);
    *seconds = 1;
    return 0;
}

const struct mf_platform *pc_mutant(const char *word)
{
    static struct mf_platform platform;
    platform = *mf_platform_posix();
    platform.sync = mutant_sync;
    platform.rename = mutant_rename;
    platform.now = mutant_now;
    platform.sync_many = NULL; /* then the library syncs one after the other */
#define X(name, text, wrong)                                                                       \
    if (strcmp(word, text) == 0) {                                                                 \
        state.mutant = name;                                                                       \
        return &platform;                                                                          \
    }
    PC_MUTANTS(X)
#undef X
    return NULL;
}

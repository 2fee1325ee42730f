/*
 * Wrong ports: the adapter of libmanifest on a platform that leaves one rule out, which
 * $WRONG_PORT names. Linked with -Wl,--wrap=mf_platform_posix.
 *
 *     no-sync                 nothing is synced
 *     no-file-sync            no file is
 *     no-directory-sync       no directory is
 *     no-data-sync            no file is but the manifests
 *     no-copy-sync            no MANIFEST-n is
 *     no-temporary-sync       no file is before it is renamed
 *     no-slot-sync            no slot is
 *     no-sync-before-switch   a directory is synced only when something was renamed in it, as
 *                             in the six steps of the module that libmanifest descends from
 *     no-sync-after-switch    a directory is not synced when something was renamed in it
 *     no-sync-at-opening      a directory is not synced before something was created in it
 *     switch-first            the files are synced after the rename, or the slot's write
 *     in-place                instead of a rename, the old file is overwritten
 *     error-ignored           a sync that fails counts as done
 *     no-lock                 a lock is always granted
 *
 * Without the variable it is a right one.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <manifest/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct mf_platform *__real_mf_platform_posix(void);
const struct mf_platform *__wrap_mf_platform_posix(void);

/* Of one process, which performs one operation. */
static struct {
    bool created;
    bool renamed;     /* since the last sync of a directory */
    int deferred[64]; /* files that are to be synced after the switch */
    size_t deferred_count;
} now;

static bool is_directory(int handle)
{
    struct stat status;
    return fstat(handle, &status) == 0 && S_ISDIR(status.st_mode);
}

static int sync_really(int handle)
{
    const struct mf_platform *real = __real_mf_platform_posix();
    return real->sync(real->context, handle);
}

static int sync_nothing(void *context, int handle)
{
    (void)context;
    (void)handle;
    return 0;
}

static int sync_directories(void *context, int handle)
{
    (void)context;
    return is_directory(handle) ? sync_really(handle) : 0;
}

static int sync_files(void *context, int handle)
{
    (void)context;
    return is_directory(handle) ? 0 : sync_really(handle);
}

/* Whether the file has a name like that by now. */
static bool is_named(int handle, const char *pattern)
{
    char link[64], path[4096];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[size < 0 ? 0 : size] = '\0';
    const char *slash = strrchr(path, '/');
    return !is_directory(handle) && slash != NULL && fnmatch(pattern, slash + 1, 0) == 0;
}

static int sync_manifests(void *context, int handle)
{
    (void)context;
    return is_directory(handle) || is_named(handle, "MANIFEST-*") ? sync_really(handle) : 0;
}

static int sync_no_copies(void *context, int handle)
{
    (void)context;
    return is_named(handle, "MANIFEST-[0-9]*") ? 0 : sync_really(handle);
}

static int sync_no_temporaries(void *context, int handle)
{
    (void)context;
    return is_named(handle, "*.tmp") ? 0 : sync_really(handle);
}

static int sync_no_slots(void *context, int handle)
{
    (void)context;
    return is_named(handle, "MANIFEST-SLOT-?") ? 0 : sync_really(handle);
}

static int sync_unless(int handle, bool renamed)
{
    if (!is_directory(handle))
        return sync_really(handle);
    int status = now.renamed == renamed ? 0 : sync_really(handle);
    now.renamed = false;
    return status;
}

static int sync_after_rename(void *context, int handle)
{
    (void)context;
    return sync_unless(handle, false);
}

static int sync_before_rename(void *context, int handle)
{
    (void)context;
    return sync_unless(handle, true);
}

static int sync_when_created(void *context, int handle)
{
    (void)context;
    return is_directory(handle) && !now.created ? 0 : sync_really(handle);
}

static int sync_carelessly(void *context, int handle)
{
    (void)context;
    sync_really(handle);
    return 0;
}

static void sync_deferred(void)
{
    for (size_t i = 0; i < now.deferred_count; i++) {
        sync_really(now.deferred[i]);
        close(now.deferred[i]);
    }
    now.deferred_count = 0;
}

/* A file's turn comes when the directory is synced after the switch, or at the end. */
static int sync_later(void *context, int handle)
{
    (void)context;
    if (!is_directory(handle) && now.deferred_count < 64) {
        now.deferred[now.deferred_count++] = fcntl(handle, F_DUPFD_CLOEXEC, 0);
        return 0;
    }
    if (now.renamed)
        sync_deferred();
    now.renamed = false;
    return sync_really(handle);
}

static int open_noted(void *context, int directory, const char *name, unsigned flags)
{
    (void)context;
    const struct mf_platform *real = __real_mf_platform_posix();
    now.created =
        now.created || ((flags & MF_OPEN_CREATE) != 0 && strcmp(name, "MANIFEST-LOCK") != 0);
    return real->open(real->context, directory, name, flags);
}

static int rename_noted(void *context, int directory, const char *from, const char *to)
{
    (void)context;
    const struct mf_platform *real = __real_mf_platform_posix();
    now.renamed = true;
    return real->rename(real->context, directory, from, to);
}

static int rename_in_place(void *context, int directory, const char *from, const char *to)
{
    (void)context;
    char data[65536];
    int source = openat(directory, from, O_RDONLY | O_CLOEXEC);
    int target = openat(directory, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    ssize_t size = read(source, data, sizeof(data));
    bool done = size >= 0 && write(target, data, (size_t)size) == size && fsync(target) == 0;
    close(source);
    close(target);
    return done && unlinkat(directory, from, 0) == 0 ? 0 : -5;
}

static int lock_granted(void *context, int file, uint32_t timeout_ms)
{
    (void)context;
    (void)file;
    (void)timeout_ms;
    return 0;
}

typedef int sync_function(void *context, int handle);
typedef int rename_function(void *context, int directory, const char *from, const char *to);
typedef int lock_function(void *context, int file, uint32_t timeout_ms);

static const struct {
    const char *name;
    sync_function *sync;
    rename_function *rename;
    lock_function *lock;
} wrongs[] = {
    {"no-sync", sync_nothing, NULL, NULL},
    {"no-file-sync", sync_directories, NULL, NULL},
    {"no-directory-sync", sync_files, NULL, NULL},
    {"no-data-sync", sync_manifests, NULL, NULL},
    {"no-copy-sync", sync_no_copies, NULL, NULL},
    {"no-temporary-sync", sync_no_temporaries, NULL, NULL},
    {"no-slot-sync", sync_no_slots, NULL, NULL},
    {"no-sync-before-switch", sync_after_rename, rename_noted, NULL},
    {"no-sync-after-switch", sync_before_rename, rename_noted, NULL},
    {"no-sync-at-opening", sync_when_created, NULL, NULL},
    {"switch-first", sync_later, rename_noted, NULL},
    {"in-place", NULL, rename_in_place, NULL},
    {"error-ignored", sync_carelessly, NULL, NULL},
    {"no-lock", NULL, NULL, lock_granted},
};

const struct mf_platform *__wrap_mf_platform_posix(void)
{
    static struct mf_platform platform;
    const char *wrong = getenv("WRONG_PORT");
    size_t i = 0, count = sizeof(wrongs) / sizeof(wrongs[0]);
    platform = *__real_mf_platform_posix();
    platform.open = open_noted;
    platform.sync_many = NULL; /* two recordings are the same */
    if (wrong == NULL || *wrong == '\0')
        return &platform;
    while (i < count && strcmp(wrongs[i].name, wrong) != 0)
        i++;
    if (i == count)
        abort();
    platform.sync = wrongs[i].sync != NULL ? wrongs[i].sync : platform.sync;
    platform.rename = wrongs[i].rename != NULL ? wrongs[i].rename : platform.rename;
    platform.lock = wrongs[i].lock != NULL ? wrongs[i].lock : platform.lock;
    return &platform;
}

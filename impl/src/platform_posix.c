/*
 * The platform table on POSIX.1-2008 with open-file-description locks (Linux;
 * in POSIX since 2024). Handles are file descriptors.
 */
#include <manifest/platform.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LOCK_POLL_MS 10

static int posix_open_directory(void *context, const char *path)
{
    (void)context;
    int handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return handle < 0 ? -errno : handle;
}

static int posix_make_directory(void *context, const char *path)
{
    (void)context;
    return mkdir(path, 0777) < 0 ? -errno : 0;
}

/* O_NONBLOCK: opening a fifo would wait for its other end; it does nothing to
 * regular files (open(2)). */
static int posix_open(void *context, int directory, const char *name, unsigned flags)
{
    (void)context;
    int mode = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    mode |= (flags & MF_OPEN_WRITE) != 0 ? O_RDWR : O_RDONLY;
    mode |= (flags & MF_OPEN_CREATE) != 0 ? O_CREAT : 0;
    mode |= (flags & MF_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0;
    int handle = openat(directory, name, mode, 0666);
    return handle < 0 ? -errno : handle;
}

/* musl has a posix_close of its own. */
static int close_handle(void *context, int handle)
{
    (void)context;
    return close(handle) < 0 ? -errno : 0;
}

static int64_t posix_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    (void)context;
    ssize_t count = pread(file, buffer, size, (off_t)offset);
    return count < 0 ? -errno : count;
}

static int64_t posix_write(void *context, int file, const void *buffer, size_t size,
                           uint64_t offset)
{
    (void)context;
    ssize_t count = pwrite(file, buffer, size, (off_t)offset);
    return count < 0 ? -errno : count;
}

static int posix_sync(void *context, int handle)
{
    (void)context;
    return fsync(handle) < 0 ? -errno : 0;
}

static int posix_rename(void *context, int directory, const char *from, const char *to)
{
    (void)context;
    return renameat(directory, from, directory, to) < 0 ? -errno : 0;
}

static int posix_remove(void *context, int directory, const char *name)
{
    (void)context;
    return unlinkat(directory, name, 0) < 0 ? -errno : 0;
}

static void fill_status(const struct stat *from, struct mf_status *status)
{
    status->size = 0;
    if (S_ISREG(from->st_mode)) {
        status->type = MF_TYPE_FILE;
        status->size = (uint64_t)from->st_size;
    } else if (S_ISDIR(from->st_mode)) {
        status->type = MF_TYPE_DIRECTORY;
    } else {
        status->type = S_ISLNK(from->st_mode) ? MF_TYPE_LINK : MF_TYPE_OTHER;
    }
}

static int posix_status(void *context, int handle, struct mf_status *status)
{
    (void)context;
    struct stat from;
    if (fstat(handle, &from) < 0)
        return -errno;
    fill_status(&from, status);
    return 0;
}

static int posix_status_at(void *context, int directory, const char *name, struct mf_status *status)
{
    (void)context;
    struct stat from;
    if (fstatat(directory, name, &from, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    fill_status(&from, status);
    return 0;
}

static int visit_entries(DIR *stream, int (*visit)(void *argument, const char *name),
                         void *argument)
{
    for (;;) {
        errno = 0; /* readdir(3): the only way to tell the end from an error */
        const struct dirent *entry = readdir(stream);
        if (entry == NULL)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int result = visit(argument, entry->d_name);
        if (result != 0)
            return result;
    }
}

/* Through a descriptor of its own: a duplicate would share the position. */
static int posix_list(void *context, int directory, int (*visit)(void *argument, const char *name),
                      void *argument)
{
    (void)context;
    int handle = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return -errno;
    DIR *stream = fdopendir(handle);
    if (stream == NULL) {
        int result = -errno;
        close(handle);
        return result;
    }
    int result = visit_entries(stream, visit, argument);
    closedir(stream);
    return result;
}

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The lock belongs to the open file description (fcntl(2), F_OFD_SETLK): two
 * handles in one process exclude each other, and closing some other descriptor
 * of the file does not drop it. There is no call that waits with a limit. */
static int posix_lock(void *context, int file, uint32_t timeout_ms)
{
    (void)context;
    uint64_t deadline = monotonic_ms() + timeout_ms;
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(file, F_OFD_SETLK, &lock) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES)
            return -errno;
        if (monotonic_ms() >= deadline)
            return -EAGAIN;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_MS * 1000000L}, NULL);
    }
}

static int posix_now(void *context, uint64_t *seconds)
{
    (void)context;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -errno;
    if (now.tv_sec < 0)
        return -ERANGE; /* before 1970: the clock is not set */
    *seconds = (uint64_t)now.tv_sec;
    return 0;
}

/*
 * Many files at once: the data of all of them is sent on its way first, then a
 * thread for every few of them syncs. What costs time is the waiting for the
 * journal and for the device's cache, and those who wait at the same time share
 * one commit of the journal and one flush. syncfs would be one call and about as
 * fast, but writes back everybody's data and, before Linux 5.8, does not report
 * errors (sync(2)).
 */

enum { FILES_PER_THREAD = 4, THREADS_MAX = 8 };

struct sync_work {
    const int *files;
    size_t count;
    atomic_size_t next;
    atomic_int result; /* 0 or the first failure */
};

static void *sync_files(void *argument)
{
    struct sync_work *work = argument;
    size_t i;
    while ((i = atomic_fetch_add(&work->next, 1)) < work->count) {
        int result, none = 0;
        do {
            result = posix_sync(NULL, work->files[i]);
        } while (result == -EINTR);
        if (result < 0)
            atomic_compare_exchange_strong(&work->result, &none, result);
    }
    return NULL;
}

/* Makes nothing durable, but an error of the writing that is reported here may not
 * be reported again by fsync (a delayed allocation that finds no space). */
static int start_writing(const int *files, size_t count)
{
    int result = 0;
#ifdef SYNC_FILE_RANGE_WRITE /* Linux: sync_file_range(2) */
    for (size_t i = 0; i < count && result == 0; i++)
        if (sync_file_range(files[i], 0, 0, SYNC_FILE_RANGE_WRITE) < 0 && errno != ENOSYS &&
            errno != EINVAL && errno != ESPIPE)
            result = -errno;
#else
    (void)files, (void)count;
#endif
    return result;
}

/* The program's signals are for its own threads. Where there can be no more
 * threads, those that there are do the work: this one at least. */
static int posix_sync_many(void *context, const int *files, size_t count)
{
    (void)context;
    struct sync_work work = {.files = files, .count = count};
    pthread_t threads[THREADS_MAX];
    int result = start_writing(files, count);
    if (result < 0)
        return result;
    size_t wanted = count / FILES_PER_THREAD, started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < wanted && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, sync_files, &work) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sync_files(&work);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return work.result;
}

/* Without a journal a rename is several writes in any order. vfat: temporary,
 * fsync, rename, fsync of the directory leaves an empty file after a reset; exFAT
 * keeps names in the same way. ext2 and ext4 without a journal cannot be told from
 * ext4 with one. */
static int posix_rename_is_atomic(void *context, int directory)
{
    (void)context;
    struct statfs status;
    if (fstatfs(directory, &status) < 0)
        return -errno;
    return status.f_type != MSDOS_SUPER_MAGIC && status.f_type != EXFAT_SUPER_MAGIC;
}

const struct mf_platform *mf_platform_posix(void)
{
    static const struct mf_platform platform = {
        .open_directory = posix_open_directory,
        .make_directory = posix_make_directory,
        .open = posix_open,
        .close = close_handle,
        .read = posix_read,
        .write = posix_write,
        .sync = posix_sync,
        .rename = posix_rename,
        .remove = posix_remove,
        .status = posix_status,
        .status_at = posix_status_at,
        .list = posix_list,
        .lock = posix_lock,
        .now = posix_now,
        .sync_many = posix_sync_many,
        .rename_is_atomic = posix_rename_is_atomic,
    };
    return &platform;
}

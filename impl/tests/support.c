/* Scratch directories and the failing platform. */
#include "support.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(2);
}

char *scratch_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path;
    if (base == NULL) /* no test here needs a disk */
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    if (asprintf(&path, "%s/manifest-test-XXXXXX", base) < 0)
        die("asprintf");
    if (mkdtemp(path) == NULL)
        die(path);
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void scratch_remove(char *path)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        die(path);
    free(path);
}

const char *path_of(const char *directory, const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

void file_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || (size > 0 && fwrite(data, size, 1, file) != 1) || fclose(file) != 0)
        die(path);
}

void file_write_text(const char *path, const char *text)
{
    file_write(path, text, strlen(text));
}

bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0)
        die(path);
    *size = (size_t)status.st_size;
    char *data = calloc(1, *size + 1);
    if (data == NULL || (*size > 0 && fread(data, *size, 1, file) != 1))
        die(path);
    fclose(file);
    return data;
}

/*
 * The failing platform
 */

/* Before a call: whether it fails without being performed. */
static bool fails_before(struct faulty *faulty, const char *call)
{
    faulty->calls++;
    size_t used = strlen(faulty->log);
    snprintf(faulty->log + used, sizeof(faulty->log) - used, "%s ", call);
    if (faulty->fail_at == 0 || faulty->calls < faulty->fail_at)
        return false;
    if (faulty->calls > faulty->fail_at)
        return faulty->dead;
    faulty->failed = call;
    return !faulty->after;
}

/* After a call that was performed: whether it is reported as failed. */
static bool fails_after(const struct faulty *faulty)
{
    return faulty->after && faulty->calls == faulty->fail_at;
}

#define POSIX mf_platform_posix()
#define FAULTY(name, call)                                                                         \
    struct faulty *faulty = context;                                                               \
    if (fails_before(faulty, name))                                                                \
        return -faulty->error;                                                                     \
    int result = (call);                                                                           \
    return fails_after(faulty) ? -faulty->error : result

static int opened(struct faulty *faulty, int handle)
{
    if (handle >= 0 && fails_after(faulty)) {
        POSIX->close(NULL, handle);
        return -faulty->error;
    }
    if (handle >= 0)
        faulty->open_handles++;
    return handle;
}

static int faulty_open_directory(void *context, const char *path)
{
    struct faulty *faulty = context;
    if (fails_before(faulty, "open_directory"))
        return -faulty->error;
    return opened(faulty, POSIX->open_directory(NULL, path));
}

static int faulty_open(void *context, int directory, const char *name, unsigned flags)
{
    struct faulty *faulty = context;
    if (fails_before(faulty, "open"))
        return -faulty->error;
    if (faulty->unreadable != NULL && strcmp(name, faulty->unreadable) == 0 &&
        (flags & MF_OPEN_EXCLUSIVE) == 0)
        return -EIO;
    return opened(faulty, POSIX->open(NULL, directory, name, flags));
}

static int faulty_close(void *context, int handle)
{
    struct faulty *faulty = context;
    faulty->calls++;
    faulty->open_handles--;
    return POSIX->close(NULL, handle);
}

static int faulty_make_directory(void *context, const char *path)
{
    FAULTY("make_directory", POSIX->make_directory(NULL, path));
}

static size_t limited(const struct faulty *faulty, size_t size)
{
    return faulty->max_transfer != 0 && size > faulty->max_transfer ? faulty->max_transfer : size;
}

static int64_t faulty_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    FAULTY("read", (int)POSIX->read(NULL, file, buffer, limited(faulty, size), offset));
}

static int64_t faulty_write(void *context, int file, const void *buffer, size_t size,
                            uint64_t offset)
{
    FAULTY("write", (int)POSIX->write(NULL, file, buffer, limited(faulty, size), offset));
}

static int faulty_sync(void *context, int handle)
{
    struct mf_status status;
    bool is_directory =
        POSIX->status(NULL, handle, &status) == 0 && status.type == MF_TYPE_DIRECTORY;
    FAULTY(is_directory ? "sync_directory" : "sync", 0);
}

static int faulty_sync_many(void *context, const int *files, size_t count)
{
    (void)files, (void)count;
    FAULTY("sync_many", 0);
}

static int faulty_rename(void *context, int directory, const char *from, const char *to)
{
    FAULTY("rename", POSIX->rename(NULL, directory, from, to));
}

static int faulty_remove(void *context, int directory, const char *name)
{
    FAULTY("remove", POSIX->remove(NULL, directory, name));
}

static int faulty_status(void *context, int handle, struct mf_status *status)
{
    FAULTY("status", POSIX->status(NULL, handle, status));
}

static int faulty_status_at(void *context, int directory, const char *name,
                            struct mf_status *status)
{
    FAULTY("status_at", POSIX->status_at(NULL, directory, name, status));
}

static int faulty_list(void *context, int directory, int (*visit)(void *argument, const char *name),
                       void *argument)
{
    FAULTY("list", POSIX->list(NULL, directory, visit, argument));
}

static int faulty_lock(void *context, int file, uint32_t timeout_ms)
{
    FAULTY("lock", POSIX->lock(NULL, file, timeout_ms));
}

static int faulty_now(void *context, uint64_t *seconds)
{
    FAULTY("now", POSIX->now(NULL, seconds));
}

void faulty_init(struct faulty *faulty)
{
    *faulty = (struct faulty){
        .table =
            {
                .context = faulty,
                .open_directory = faulty_open_directory,
                .make_directory = faulty_make_directory,
                .open = faulty_open,
                .close = faulty_close,
                .read = faulty_read,
                .write = faulty_write,
                .sync = faulty_sync,
                .rename = faulty_rename,
                .remove = faulty_remove,
                .status = faulty_status,
                .status_at = faulty_status_at,
                .list = faulty_list,
                .lock = faulty_lock,
                .now = faulty_now,
                .sync_many = faulty_sync_many,
            },
    };
}

void faulty_arm(struct faulty *faulty, unsigned fail_at, int error)
{
    faulty->calls = 0;
    faulty->log[0] = '\0';
    faulty->fail_at = fail_at;
    faulty->error = error;
    faulty->failed = NULL;
}

struct mf_options faulty_options(struct faulty *faulty, bool writable)
{
    return (struct mf_options){.platform = &faulty->table, .writable = writable};
}

const char *changes_of(char *log)
{
    static const char *const changes[] = {"write", "sync", "sync_directory", "rename", "remove"};
    static char order[sizeof(((struct faulty *)0)->log)];
    order[0] = '\0';
    for (char *word = strtok(log, " "); word != NULL; word = strtok(NULL, " "))
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
            if (strcmp(word, changes[i]) == 0)
                strcat(strcat(order, word), " ");
    return order;
}

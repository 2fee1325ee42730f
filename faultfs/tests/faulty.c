/*
 * faulty STEP...: makes one call after another and says on standard error what
 * each returned: "write 5", "fsync EIO".
 *
 *     create:F open:F open2:F     a file, the last one as a second open description
 *     write:N pwrite:N writev:N   N bytes, the latter in three pieces
 *     fsync fsync2 fsyncdup fdatasync syncfs sync syncrange:N
 *     close truncate:N rename:A:B link:A:B unlink:A mkdir:A rmdir:A symlink:A chmod:A
 *     writenothing                from an address that cannot be read
 *     map:N store msync           the first N bytes of the file, shared
 *     say:TEXT                    to standard output
 *     fork:N                      N children do the rest, the parent waits for them
 *     threads:N                   N threads do the rest
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int fd = -1, fd2 = -1;
static const char content[1 << 14];
static const struct iovec *volatile unreadable = (const struct iovec *)8;
static char *mapped;
static size_t mapped_size;

static long write_pieces(size_t size)
{
    size_t part = size / 3;
    struct iovec pieces[3] = {
        {(void *)content, part}, {(void *)content, part}, {(void *)content, size - 2 * part}};
    return writev(fd, pieces, 3);
}

static long map(size_t size)
{
    mapped_size = size;
    mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return mapped == MAP_FAILED ? -1 : 0;
}

static long call_on_descriptor(const char *name, size_t number, long *result)
{
    int copy;
    if (strcmp(name, "write") == 0)
        *result = write(fd, content, number);
    else if (strcmp(name, "pwrite") == 0)
        *result = pwrite(fd, content, number, 0);
    else if (strcmp(name, "writev") == 0)
        *result = write_pieces(number);
    else if (strcmp(name, "writenothing") == 0)
        *result = writev(fd, unreadable, 3);
    else if (strcmp(name, "map") == 0)
        *result = map(number);
    else if (strcmp(name, "store") == 0)
        *result = (memset(mapped, 'x', mapped_size), 0);
    else if (strcmp(name, "msync") == 0)
        *result = msync(mapped, mapped_size, MS_SYNC);
    else if (strcmp(name, "fsync") == 0)
        *result = fsync(fd);
    else if (strcmp(name, "fsync2") == 0)
        *result = fsync(fd2);
    else if (strcmp(name, "fsyncdup") == 0)
        *result = copy = dup(fd), *result = fsync(copy);
    else if (strcmp(name, "fdatasync") == 0)
        *result = fdatasync(fd);
    else if (strcmp(name, "syncrange") == 0)
        *result = sync_file_range(fd, 0, (off_t)number, SYNC_FILE_RANGE_WRITE);
    else if (strcmp(name, "syncfs") == 0)
        *result = syncfs(fd);
    else if (strcmp(name, "close") == 0)
        *result = close(fd);
    else if (strcmp(name, "truncate") == 0)
        *result = ftruncate(fd, (off_t)number);
    else
        return 0;
    return 1;
}

static long call_on_name(const char *name, const char *first, const char *second)
{
    if (strcmp(name, "create") == 0)
        return fd = open(first, O_CREAT | O_RDWR, 0644);
    if (strcmp(name, "open") == 0)
        return fd = open(first, O_RDWR);
    if (strcmp(name, "open2") == 0)
        return fd2 = open(first, O_RDONLY);
    if (strcmp(name, "rename") == 0)
        return rename(first, second);
    if (strcmp(name, "link") == 0)
        return link(first, second);
    if (strcmp(name, "unlink") == 0)
        return unlink(first);
    if (strcmp(name, "mkdir") == 0)
        return mkdir(first, 0755);
    if (strcmp(name, "rmdir") == 0)
        return rmdir(first);
    if (strcmp(name, "symlink") == 0)
        return symlink("target", first);
    if (strcmp(name, "chmod") == 0)
        return chmod(first, 0600);
    if (strcmp(name, "say") == 0)
        return write(STDOUT_FILENO, first, strlen(first));
    if (strcmp(name, "sync") == 0)
        return sync(), 0;
    fprintf(stderr, "faulty: no such step: %s\n", name);
    exit(2);
}

static void step_make(const char *step)
{
    char copy[256], line[300], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", step);
    const char *name = strsep(&rest, ":");
    const char *first = rest == NULL ? "" : strsep(&rest, ":");
    long result;
    if (!call_on_descriptor(name, (size_t)atol(first), &result))
        result = call_on_name(name, first, rest);
    /* Numbers of descriptors are no news. */
    bool is_open = strcmp(name, "create") == 0 || strncmp(name, "open", 4) == 0;
    int size = result < 0 ? snprintf(line, sizeof(line), "%s %s\n", name, strerrorname_np(errno))
                          : snprintf(line, sizeof(line), "%s %ld\n", name, is_open ? 0 : result);
    if (write(STDERR_FILENO, line, (size_t)size) != size)
        exit(1);
}

static void steps_make(char **steps);

static void *thread_main(void *steps)
{
    steps_make(steps);
    return NULL;
}

static void threads_make(char **steps, int count)
{
    pthread_t threads[64];
    for (int i = 0; i < count && i < 64; i++)
        pthread_create(&threads[i], NULL, thread_main, steps);
    for (int i = 0; i < count && i < 64; i++)
        pthread_join(threads[i], NULL);
}

static void children_make(char **steps, int count)
{
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            steps_make(steps);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
}

static void steps_make(char **steps)
{
    for (; *steps != NULL; steps++) {
        if (strncmp(*steps, "fork:", 5) == 0) {
            children_make(steps + 1, atoi(*steps + 5));
            return;
        }
        if (strncmp(*steps, "threads:", 8) == 0) {
            threads_make(steps + 1, atoi(*steps + 8));
            return;
        }
        step_make(*steps);
    }
}

int main(int argc, char **argv)
{
    steps_make(argv + (argc > 0));
    return 0;
}

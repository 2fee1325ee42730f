/*
 * bench_record [COUNT]: commits COUNT small versions in the working directory, as
 * a careful program does (create, write, fsync, rename, fsync of the directory,
 * unlink of the version before), and prints the microseconds that one commit took
 * on standard error, so that it can be run with and without faultfs-record:
 *
 *     cd /dev/shm/empty && bench_record
 *     faultfs-record --root /dev/shm/empty --output /dev/shm/trace -- bench_record
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int commit(int directory, long version, const char *content, size_t size)
{
    char name[32], before[32];
    snprintf(name, sizeof(name), "version-%ld", version);
    snprintf(before, sizeof(before), "version-%ld", version - 1);
    int file = openat(directory, "temporary", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0 || write(file, content, size) != (ssize_t)size || fsync(file) != 0 ||
        close(file) != 0)
        return -1;
    if (renameat(directory, "temporary", directory, name) != 0 || fsync(directory) != 0)
        return -1;
    return version == 0 ? 0 : unlinkat(directory, before, 0);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 10000;
    char content[4096];
    struct timespec start, end;
    memset(content, 'x', sizeof(content));
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long version = 0; version < count; version++)
        if (commit(directory, version, content, sizeof(content)) != 0) {
            perror("bench_record");
            return 1;
        }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    fprintf(stderr, "%.2f us per commit\n", seconds * 1e6 / (double)count);
    return 0;
}

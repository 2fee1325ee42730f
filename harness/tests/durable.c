/*
 * durable CASE: small workloads for test_durability.c, in a directory that holds
 *
 *     f, with a hard link g: "old old"    h: "other"    d/ (empty)
 *
 * Exit status 77: not possible here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

static long must(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(errno == EOPNOTSUPP ? 77 : 1);
    }
    return result;
}
#define MUST(call)     must((long)(call), #call)
#define MUST_INT(call) ((int)MUST(call))

static int opened(const char *name, int flags)
{
    return MUST_INT(open(name, flags, 0644));
}

static void overwrite(int fd)
{
    MUST(pwrite(fd, "new", 3, 0));
}

static void run_nothing(void)
{
    overwrite(opened("f", O_WRONLY));
}

static void run_fsync(void)
{
    int file = opened("f", O_WRONLY);
    overwrite(file);
    MUST(fsync(file));
}

static void run_fsync_before(void)
{
    int file = opened("f", O_WRONLY);
    MUST(fsync(file));
    overwrite(file);
}

static void run_fsync_of_another(void)
{
    overwrite(opened("f", O_WRONLY));
    MUST(fsync(opened("h", O_WRONLY)));
}

static void run_fsync_by_reader(void)
{
    overwrite(opened("f", O_WRONLY));
    MUST(fsync(opened("f", O_RDONLY)));
}

static void run_fsync_by_copy(void)
{
    int file = opened("f", O_WRONLY), copy = MUST_INT(dup(file));
    overwrite(file);
    close(file);
    MUST(fsync(copy));
}

static void run_fsync_by_link(void)
{
    overwrite(opened("f", O_WRONLY));
    MUST(fsync(opened("g", O_RDONLY)));
}

static void run_fdatasync(void)
{
    int file = opened("f", O_WRONLY);
    overwrite(file);
    MUST(fchmod(file, 0600));
    MUST(setxattr("f", "user.a", "x", 1, 0));
    MUST(fdatasync(file));
}

static void run_fsync_attributes(void)
{
    int file = opened("f", O_WRONLY);
    MUST(fchmod(file, 0600));
    MUST(setxattr("f", "user.a", "x", 1, 0));
    MUST(fsync(file));
}

static void run_dsync(void)
{
    overwrite(opened("f", O_WRONLY | O_DSYNC));
}

static void run_dsync_and_mode(void)
{
    int file = opened("f", O_WRONLY | O_DSYNC);
    MUST(fchmod(file, 0600));
    overwrite(file);
}

static void run_sync_and_mode(void)
{
    int file = opened("f", O_WRONLY | O_SYNC);
    MUST(fchmod(file, 0600));
    overwrite(file);
}

/* One page without, one with O_DSYNC. */
static void run_dsync_of_a_page(void)
{
    overwrite(opened("f", O_WRONLY));
    MUST(pwrite(opened("f", O_WRONLY | O_DSYNC), "far", 3, 8192));
}

static void run_rwf_dsync(void)
{
    struct iovec piece = {(void *)"far", 3};
    int file = opened("f", O_WRONLY);
    overwrite(file);
    MUST(pwritev2(file, &piece, 1, 8192, RWF_DSYNC));
}

static void run_sync_file_range(void)
{
    int file = opened("f", O_WRONLY);
    overwrite(file);
    MUST(sync_file_range(file, 0, 3,
                         SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                             SYNC_FILE_RANGE_WAIT_AFTER));
}

static void run_syncfs(void)
{
    overwrite(opened("f", O_WRONLY));
    opened("new", O_CREAT | O_WRONLY);
    MUST(syncfs(opened("h", O_RDONLY)));
}

static void run_sync(void)
{
    overwrite(opened("f", O_WRONLY));
    opened("new", O_CREAT | O_WRONLY);
    sync();
}

static void run_create(void)
{
    int file = opened("new", O_CREAT | O_WRONLY);
    MUST(fsync(file));
}

static void run_create_and_directory(void)
{
    opened("new", O_CREAT | O_WRONLY);
    MUST(fsync(opened(".", O_RDONLY | O_DIRECTORY)));
}

static void run_unnamed(void)
{
    char path[64];
    int file = MUST_INT(open(".", O_TMPFILE | O_WRONLY, 0600));
    overwrite(file);
    MUST(fsync(file));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    MUST(linkat(AT_FDCWD, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW));
}

static void run_unnamed_and_directory(void)
{
    run_unnamed();
    MUST(fsync(opened(".", O_RDONLY | O_DIRECTORY)));
}

static void run_exchange(void)
{
    MUST(renameat2(AT_FDCWD, "f", AT_FDCWD, "h", RENAME_EXCHANGE));
}

static void run_move_one_directory(void)
{
    MUST(rename("h", "d/new"));
    MUST(fsync(opened("d", O_RDONLY | O_DIRECTORY)));
}

static void run_move_both_directories(void)
{
    run_move_one_directory();
    MUST(fsync(opened(".", O_RDONLY | O_DIRECTORY)));
}

static void run_failed(void)
{
    if (rename("missing", "f") != -1 || pwrite(opened("f", O_RDONLY), "new", 3, 0) != -1)
        exit(1);
}

/* A limit on the size makes the write short. */
static void run_short(void)
{
    struct rlimit limit = {5, RLIM_INFINITY};
    int file = opened("new", O_CREAT | O_WRONLY);
    MUST(setrlimit(RLIMIT_FSIZE, &limit));
    if (write(file, "0123456789", 10) != 5)
        exit(1);
    sync();
}

static void run_mapped(void)
{
    int file = opened("f", O_RDWR);
    char *bytes = mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    MUST(bytes == MAP_FAILED ? -1 : 0);
    memcpy(bytes, "new", 3);
    MUST(fsync(file));
}

static void run_mapped_after(void)
{
    int file = opened("f", O_RDWR);
    char *bytes = mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    MUST(bytes == MAP_FAILED ? -1 : 0);
    MUST(fsync(file));
    memcpy(bytes, "new", 3);
}

static void run_msync(void)
{
    int file = opened("f", O_RDWR);
    char *bytes = mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    MUST(bytes == MAP_FAILED ? -1 : 0);
    memcpy(bytes, "new", 3);
    MUST(msync(bytes, 7, MS_SYNC));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"nothing", run_nothing},
    {"fsync", run_fsync},
    {"fsync before", run_fsync_before},
    {"fsync of another", run_fsync_of_another},
    {"fsync by reader", run_fsync_by_reader},
    {"fsync by copy", run_fsync_by_copy},
    {"fsync by link", run_fsync_by_link},
    {"fdatasync", run_fdatasync},
    {"fsync attributes", run_fsync_attributes},
    {"dsync", run_dsync},
    {"dsync and mode", run_dsync_and_mode},
    {"sync and mode", run_sync_and_mode},
    {"dsync of a page", run_dsync_of_a_page},
    {"rwf_dsync", run_rwf_dsync},
    {"sync_file_range", run_sync_file_range},
    {"syncfs", run_syncfs},
    {"sync", run_sync},
    {"create", run_create},
    {"create and directory", run_create_and_directory},
    {"unnamed", run_unnamed},
    {"unnamed and directory", run_unnamed_and_directory},
    {"exchange", run_exchange},
    {"move one directory", run_move_one_directory},
    {"move both directories", run_move_both_directories},
    {"failed", run_failed},
    {"short", run_short},
    {"mapped", run_mapped},
    {"mapped after", run_mapped_after},
    {"msync", run_msync},
};

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[1]) != 0)
            continue;
        cases[i].run();
        return 0;
    }
    fprintf(stderr, "usage: durable CASE\n");
    return 2;
}

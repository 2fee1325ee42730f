/*
 * mapped CASE: stores through shared mappings, in the working directory. Exit status
 * 77: not possible here.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 3 * 4096 };

static long must(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}
#define MUST(call) must((long)(call), #call)

static int file_of(long size)
{
    int file = (int)MUST(open("file", O_CREAT | O_RDWR, 0644));
    MUST(ftruncate(file, size));
    return file;
}

static char *map(int file, size_t size, int protection, int flags)
{
    char *bytes = mmap(NULL, size, protection, flags, file, 0);
    MUST(bytes == MAP_FAILED ? -1 : 0);
    return bytes;
}

static char *map_shared(int file, size_t size)
{
    return map(file, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* Each store lies between two scans. */
static void run_store(void)
{
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    memcpy(bytes + 100, "hello", 5);
    bytes[2 * 4096] = 'x';
    MUST(msync(bytes, 4096, MS_SYNC));
    bytes[0] = 'y';
    MUST(msync(bytes, SIZE, MS_ASYNC)); /* does nothing */
    MUST(fsync(file));
    MUST(rename("file", "renamed"));
    bytes[1] = 'z';
    MUST(munmap(bytes, SIZE));
    MUST(write(file, "W", 1));
}

/* In between a write to the same page, and truncations that take stores away. */
static void run_calls(void)
{
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    bytes[0] = 'a';
    MUST(pwrite(file, "BC", 2, 1));
    bytes[3] = 'd';
    bytes[2 * 4096] = 'e';
    MUST(ftruncate(file, 4096));
    MUST(ftruncate(file, SIZE));
    bytes[2 * 4096 + 1] = 'f';
}

/* A child stores, and is killed; nobody syncs. */
static void run_processes(void)
{
    int file = file_of(SIZE), status;
    char *bytes = map_shared(file, SIZE);
    pid_t child = fork();
    if (child == 0) {
        bytes[0] = 'c';
        raise(SIGKILL);
    }
    MUST(waitpid(child, &status, 0));
    bytes[4096] = 'p';
    _exit(0);
}

/* Not all of it is read and compared at each sync. */
static void run_sparse(void)
{
    const long size = 200L << 20;
    int file = file_of(size);
    char *bytes = map_shared(file, (size_t)size);
    for (int i = 0; i < 20; i++) {
        bytes[(long)i << 20] = 'x';
        MUST(fdatasync(file));
    }
}

/* What was stored before it was said, and what after. */
static void run_said(void)
{
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    bytes[0] = 'a';
    MUST(write(STDOUT_FILENO, "stored\n", 7));
    bytes[4096] = 'b';
}

/* Made writable only later. */
static void run_protected(void)
{
    int file = file_of(SIZE);
    char *bytes = map(file, SIZE, PROT_READ, MAP_SHARED);
    MUST(mprotect(bytes, SIZE, PROT_READ | PROT_WRITE));
    bytes[5] = 'x';
}

/* The descriptor need not live as long as the mapping. */
static void run_closed(void)
{
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    close(file);
    bytes[5] = 'x';
    sync();
    MUST(unlink("file"));
    bytes[6] = 'y';
}

/* Nothing that could be stored reaches the file. */
static void run_harmless(void)
{
    int file = file_of(SIZE);
    char *private = map(file, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    private[0] = 'x';
    map((int)MUST(open("file", O_RDONLY)), SIZE, PROT_READ, MAP_SHARED);
    map(-1, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS)[0] = 'x';
}

/* May store, and does not. */
static void run_untouched(void)
{
    static volatile char sum;
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    for (int i = 0; i < SIZE; i++)
        sum = (char)(sum + bytes[i]);
    MUST(munmap(bytes, SIZE));
    map_shared(file, SIZE);
}

/* Every byte is as before when somebody looks. */
static void restore_in(char *mapped)
{
    volatile char *bytes = mapped;
    bytes[1] = 'x';
    bytes[1] = 0;
}

static void run_restored(void)
{
    int file = file_of(SIZE);
    restore_in(map_shared(file, SIZE));
}

/* The same, where the tracking does not reach. */

static void run_forked(void)
{
    int status;
    char *bytes = map_shared(file_of(SIZE), SIZE);
    pid_t child = fork();
    if (child == 0) {
        restore_in(bytes);
        _exit(0);
    }
    MUST(waitpid(child, &status, 0));
}

static void run_killed(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        restore_in(map_shared(file_of(SIZE), SIZE));
        raise(SIGKILL);
    }
    MUST(waitpid(child, &status, 0));
}

static void run_moved(void)
{
    char *bytes = map_shared(file_of(SIZE), SIZE);
    bytes = mremap(bytes, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
    MUST(bytes == MAP_FAILED ? -1 : 0);
    restore_in(bytes);
}

/* Unmapped behind the library's back. */
static void run_replaced(void)
{
    int file = file_of(SIZE);
    char *bytes = map_shared(file, SIZE);
    restore_in(bytes);
    MUST(syscall(SYS_munmap, bytes, SIZE));
    map_shared(file, SIZE);
}

/* Children that share the memory, or have nothing of it. */
static void run_children(void)
{
    int status;
    char *bytes = map_shared(file_of(SIZE), SIZE);
    MUST(system("true"));
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    MUST(waitpid(child, &status, 0));
    MUST(munmap(bytes, SIZE));
    child = fork();
    if (child == 0)
        _exit(0);
    MUST(waitpid(child, &status, 0));
}

/* The kernel stores for the process, what is there already. */
static void run_kernel(void)
{
    int file = file_of(SIZE), from = (int)MUST(open("/dev/zero", O_RDONLY));
    char *bytes = map_shared(file, SIZE);
    MUST(read(from, bytes + 4096, 10));
}

/* Whether this kernel can track stores. */
static void run_tracks(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = UINT64_C(1) << 15 | UINT64_C(1) << 13};
    MUST(ioctl((int)MUST(syscall(SYS_userfaultfd, O_CLOEXEC | 1)), UFFDIO_API, &api));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"store", run_store},       {"calls", run_calls},         {"processes", run_processes},
    {"sparse", run_sparse},     {"protected", run_protected}, {"closed", run_closed},
    {"harmless", run_harmless}, {"untouched", run_untouched}, {"restored", run_restored},
    {"forked", run_forked},     {"killed", run_killed},       {"moved", run_moved},
    {"replaced", run_replaced}, {"children", run_children},   {"kernel", run_kernel},
    {"tracks", run_tracks},     {"said", run_said},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[1]) != 0)
            continue;
        cases[i].run();
        return 0;
    }
    fprintf(stderr, "usage: mapped CASE\n");
    return 2;
}

/*
 * bypass CASE: system calls that pass the preloaded library by, each with what the
 * kernel promises about it. Natively every case exits with 0; recorded it must too,
 * since the launcher then makes the calls in the program's place and must give it
 * the same results, files and descriptors. Exit status 77: not possible here.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, NOBODY = 65534 };

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "bypass: line %d: not so: %s (errno: %s)\n", __LINE__, #condition,     \
                    strerror(errno));                                                              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A system call from right here. */
static long direct(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define DIRECT(number, a, b, c) direct(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static int file_open(const char *name, int flags)
{
    return (int)direct(SYS_openat, AT_FDCWD, (long)name, flags, 0666, 0, 0);
}

static long file_write(int fd, const void *bytes, size_t size)
{
    return DIRECT(SYS_write, fd, bytes, size);
}

static void file_make(const char *name, const char *text)
{
    int fd = file_open(name, O_CREAT | O_WRONLY | O_EXCL);
    NEED(fd >= 0);
    NEED(file_write(fd, text, strlen(text)) == (long)strlen(text));
    close(fd);
}

static bool file_is(const char *name, const char *text)
{
    char content[256];
    int fd = open(name, O_RDONLY);
    ssize_t size = read(fd, content, sizeof(content));
    close(fd);
    return size == (ssize_t)strlen(text) && memcmp(content, text, (size_t)size) == 0;
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0 ? status.st_mode & 07777 : 0;
}

/* The cases *********************************************************************************/

static void run_plain(void)
{
    file_make("a", "text");
    int fd = file_open("a", O_RDWR);
    NEED(DIRECT(SYS_fsync, fd, 0, 0) == 0);
    NEED(DIRECT(SYS_fdatasync, fd, 0, 0) == 0);
    NEED(DIRECT(SYS_ftruncate, fd, 2, 0) == 0);
    NEED(DIRECT(SYS_rename, "a", "b", 0) == 0);
    NEED(DIRECT(SYS_link, "b", "c", 0) == 0);
    NEED(DIRECT(SYS_unlink, "b", 0, 0) == 0);
    NEED(DIRECT(SYS_mkdir, "d", 0777, 0) == 0);
    NEED(DIRECT(SYS_rmdir, "d", 0, 0) == 0);
    NEED(DIRECT(SYS_rmdir, "d", 0, 0) == -ENOENT);
    NEED(DIRECT(SYS_symlink, "somewhere/else", "l", 0) == 0);
    NEED(DIRECT(SYS_chmod, "c", 0600, 0) == 0);
    NEED(direct(SYS_renameat2, AT_FDCWD, (long)"c", AT_FDCWD, (long)"l", RENAME_EXCHANGE, 0) == 0);
    NEED(file_is("l", "te"));
    NEED(DIRECT(SYS_truncate, "l", 1, 0) == 0);
    NEED(file_is("l", "t"));
}

static void run_stdio(void)
{
    FILE *file = fopen("a", "w");
    NEED(file != NULL && fprintf(file, "one %d\n", 1) == 6 && fflush(file) == 0);
    NEED(fsync(fileno(file)) == 0 && fclose(file) == 0);
    NEED(printf("printed\n") == 8 && fflush(stdout) == 0);
    int fd = file_open("/dev/stdout", O_WRONLY);
    NEED(fd >= 0 && file_write(fd, "directly\n", 9) == 9);
}

static void run_umask(void)
{
    umask(027);
    file_make("a", "");
    NEED(mode_of("a") == 0640);
    NEED(DIRECT(SYS_mkdir, "d", 0777, 0) == 0 && mode_of("d") == 0750);
    umask(0);
    file_make("b", "");
    NEED(mode_of("b") == 0666);
}

static void run_directory(void)
{
    NEED(mkdir("d", 0777) == 0 && mkdir("e", 0777) == 0 && chdir("d") == 0);
    file_make("a", "in d");
    int other = open("../e", O_RDONLY | O_DIRECTORY);
    NEED(direct(SYS_renameat, AT_FDCWD, (long)"a", other, (long)"b", 0, 0) == 0);
    NEED(file_is("../e/b", "in d"));
    int fd = (int)direct(SYS_openat, other, (long)"c", O_CREAT | O_WRONLY, 0666, 0, 0);
    NEED(fd >= 0 && access("../e/c", F_OK) == 0);
    NEED(fchdir(other) == 0 && DIRECT(SYS_unlink, "c", 0, 0) == 0);
    NEED(symlink("../d", "link") == 0);
    file_make("link/through", "a link");
    NEED(file_is("../d/through", "a link"));
}

static void run_user(void)
{
    struct stat status;
    gid_t groups[] = {12345};
    if (getuid() != 0)
        exit(SKIPPED);
    file_make("roots", "only");
    file_make("groups", "too");
    NEED(chmod(".", 0777) == 0 && chmod("roots", 0600) == 0);
    NEED(chown("groups", 0, 12345) == 0 && chmod("groups", 0620) == 0);
    NEED(setgroups(1, groups) == 0);
    NEED(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    file_make("a", "mine");
    NEED(stat("a", &status) == 0 && status.st_uid == NOBODY && status.st_gid == NOBODY);
    NEED(file_open("roots", O_WRONLY) == -EACCES);
    NEED(file_open("groups", O_WRONLY | O_TRUNC) >= 0);
    NEED(DIRECT(SYS_chmod, "roots", 0666, 0) == -EPERM);
    NEED(DIRECT(SYS_chown, "a", 0, 0) == -EPERM);
    NEED(DIRECT(SYS_chmod, ".", 0700, 0) == -EPERM);
}

static void run_descriptors(void)
{
    int lowest = dup(0);
    close(lowest);
    int fd = file_open("a", O_CREAT | O_RDWR);
    NEED(fd == lowest && fcntl(fd, F_GETFD) == 0);
    int second = file_open("a", O_WRONLY | O_CLOEXEC | O_APPEND);
    NEED(second == lowest + 1 && fcntl(second, F_GETFD) == FD_CLOEXEC);
    NEED(fcntl(second, F_GETFL) & O_APPEND);
    NEED(file_write(fd, "one ", 4) == 4 && file_write(second, "two ", 4) == 4);
    NEED(lseek(fd, 0, SEEK_CUR) == 4);
    NEED(direct(SYS_pwrite64, second, (long)"three ", 6, 0, 0, 0) == 6); /* appends on Linux */
    pid_t child = fork();
    if (child == 0)
        _exit(file_write(fd, "FOUR", 4) == 4 ? 0 : 1);
    int status;
    NEED(waitpid(child, &status, 0) == child && status == 0);
    NEED(lseek(fd, 0, SEEK_CUR) == 8 && file_is("a", "one FOURthree "));
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int third = file_open(path, O_WRONLY | O_TRUNC);
    NEED(third >= 0 && file_is("a", ""));
    snprintf(path, sizeof(path), "/dev/fd/%d", third);
    NEED(file_write(file_open(path, O_WRONLY), "anew", 4) == 4 && file_is("a", "anew"));
    NEED(file_write(999, "x", 1) == -EBADF && DIRECT(SYS_fsync, 999, 0, 0) == -EBADF);
}

static void run_memory(void)
{
    static char name[2 * PATH_MAX];
    int fd = file_open("a", O_CREAT | O_RDWR);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
    memset(pages, 'x', 4096);
    NEED(file_write(fd, pages + 4096, 4) == -EFAULT);
    NEED(file_write(fd, pages + 4092, 8) == 4 && lseek(fd, 0, SEEK_CUR) == 4);
    NEED(file_write(fd, pages, 0) == 0);
    NEED(file_open(pages + 4096, O_CREAT | O_WRONLY) == -EFAULT);
    strcpy(pages + 4094, "b"); /* the NUL is the last byte of the page */
    NEED(file_open(pages + 4094, O_CREAT | O_WRONLY) >= 0 && access("b", F_OK) == 0);
    memset(name, 'n', sizeof(name) - 1);
    NEED(file_open(name, O_CREAT | O_WRONLY) == -ENAMETOOLONG);
    name[256] = '\0';
    NEED(file_open(name, O_CREAT | O_WRONLY) == -ENAMETOOLONG);
    NEED(file_open("", O_CREAT | O_WRONLY) == -ENOENT);
}

static void run_pieces(void)
{
    struct iovec pieces[] = {{"one", 3}, {NULL, 0}, {"two", 3}};
    int fd = file_open("a", O_CREAT | O_RDWR);
    NEED(DIRECT(SYS_writev, fd, pieces, 3) == 6);
    NEED(direct(SYS_pwritev, fd, (long)pieces, 1, 6, 0, 0) == 3);
    NEED(direct(SYS_pwritev2, fd, (long)pieces, 3, 9, 0, 0) == 6);
    NEED(direct(SYS_pwritev2, fd, (long)pieces, 3, -1, 0, 0) == 6);
    NEED(DIRECT(SYS_writev, fd, pieces, 0) == 0);
    NEED(DIRECT(SYS_writev, fd, pieces, 2000) == -EINVAL);
    NEED(DIRECT(SYS_writev, fd, 8, 3) == -EFAULT);
    NEED(lseek(fd, 0, SEEK_CUR) == 12 && file_is("a", "onetwoonetwotwo"));
}

static void run_copies(void)
{
    off_t from_offset = 2, to_offset = 1, offset = 4;
    file_make("from", "0123456789");
    int from = open("from", O_RDONLY), to = file_open("to", O_CREAT | O_RDWR);
    NEED(file_write(to, "abc", 3) == 3);
    long copied = direct(SYS_copy_file_range, from, (long)&from_offset, to, (long)&to_offset, 4, 0);
    NEED(copied == 4 && from_offset == 6 && to_offset == 5 && lseek(to, 0, SEEK_CUR) == 3);
    NEED(file_is("to", "a2345"));
    NEED(direct(SYS_sendfile, to, from, (long)&offset, 3, 0, 0) == 3);
    NEED(offset == 7 && lseek(to, 0, SEEK_CUR) == 6 && file_is("to", "a23456"));
    NEED(direct(SYS_copy_file_range, from, 0, to, 0, 100, 0) == 10);
    NEED(lseek(from, 0, SEEK_CUR) == 10 && file_is("to", "a234560123456789"));
}

static void run_programs(void)
{
    static char *child[] = {"bypass", "plain", NULL}, *none[] = {NULL};
    int status, self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0)
        direct(SYS_execveat, self, (long)"", (long)child, (long)none, AT_EMPTY_PATH, 0);
    NEED(waitpid(pid, &status, 0) == pid && status == 0 && file_is("l", "t"));
    pid = vfork();
    if (pid == 0)
        _exit(file_open("vforked", O_CREAT | O_WRONLY) >= 0 ? 0 : 1);
    NEED(waitpid(pid, &status, 0) == pid && status == 0 && access("vforked", F_OK) == 0);
}

static void *thread_run(void *context)
{
    char name[16];
    snprintf(name, sizeof(name), "t%d", *(int *)context);
    int fd = file_open(name, O_CREAT | O_WRONLY);
    for (int i = 0; i < 100; i++)
        NEED(file_write(fd, name, 2) == 2);
    close(fd);
    return NULL;
}

static void run_threads(void)
{
    enum { COUNT = 8 };
    pthread_t threads[COUNT];
    int numbers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = i;
        NEED(pthread_create(&threads[i], NULL, thread_run, &numbers[i]) == 0);
    }
    for (int i = 0; i < COUNT; i++)
        NEED(pthread_join(threads[i], NULL) == 0);
    struct stat status;
    NEED(stat("t7", &status) == 0 && status.st_size == 200);
}

static volatile sig_atomic_t alarms;

/* A handler that writes itself. */
static void alarm_handle(int number)
{
    (void)number;
    int fd = file_open("handled", O_CREAT | O_WRONLY | O_APPEND);
    if (file_write(fd, "!", 1) == 1)
        alarms++;
    close(fd);
}

/*
 * Interrupted calls that the kernel restarts are never seen to be. Without
 * SA_RESTART a call may fail with EINTR, and then did nothing (net.h).
 */
static void signals_storm(int flags, const char *name)
{
    struct itimerval every = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = alarm_handle, .sa_flags = flags};
    struct stat status;
    long written = 0;
    int fd = file_open(name, O_CREAT | O_WRONLY);
    NEED(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (int i = 0; i < 1000; i++) {
        long result = file_write(fd, "text", 4);
        NEED(result == 4 || (result == -EINTR && flags == 0));
        written += result == 4;
    }
    NEED(setitimer(ITIMER_REAL, &never, NULL) == 0);
    NEED(fstat(fd, &status) == 0 && status.st_size == 4 * written);
    NEED(stat("handled", &status) == 0 && status.st_size == alarms);
}

static void run_signals(void)
{
    signals_storm(SA_RESTART, "a");
    signals_storm(0, "b");
}

/* Opening a fifo waits for the other end. */
static void run_fifo(void)
{
    NEED(DIRECT(SYS_mknod, "fifo", S_IFIFO | 0600, 0) == 0);
    NEED(file_open("fifo", O_WRONLY | O_NONBLOCK) == -ENXIO);
    pid_t pid = fork();
    if (pid == 0)
        _exit(file_write(file_open("fifo", O_WRONLY), "x", 1) == 1 ? 0 : 1);
    usleep(10000);
    char byte;
    int status, fd = open("fifo", O_RDONLY);
    NEED(read(fd, &byte, 1) == 1 && byte == 'x');
    NEED(waitpid(pid, &status, 0) == pid && status == 0);
}

static void text_put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void run_user_namespace(void)
{
    struct stat status;
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWUSER) != 0)
        exit(SKIPPED);
    snprintf(map, sizeof(map), "7 %d 1", (int)uid);
    text_put("/proc/self/uid_map", map);
    text_put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "8 %d 1", (int)gid);
    text_put("/proc/self/gid_map", map);
    file_make("a", "text");
    NEED(stat("a", &status) == 0 && status.st_uid == 7 && status.st_gid == 8);
    NEED(DIRECT(SYS_chown, "a", 7, 8) == 0);
    NEED(DIRECT(SYS_chown, "a", 9, -1) == -EINVAL);
}

static void run_process_namespace(void)
{
    int status;
    if (unshare(CLONE_NEWPID) != 0)
        exit(SKIPPED);
    pid_t pid = fork();
    if (pid == 0) {
        file_make("a", "text");
        NEED(getpid() == 1);
        _exit(rename("a", "b") == 0 ? 0 : 1);
    }
    NEED(waitpid(pid, &status, 0) == pid && status == 0 && file_is("b", "text"));
}

static void run_root(void)
{
    NEED(mkdir("jail", 0777) == 0 && mkdir("jail/inside", 0777) == 0);
    if (chroot("jail") != 0)
        exit(SKIPPED);
    file_make("/inside/absolute", "text");
    NEED(chdir("/inside") == 0 && file_is("absolute", "text"));
    NEED(DIRECT(SYS_rename, "/inside/absolute", "/renamed", 0) == 0);
}

/* What is refused: natively all of this works, so the status is of the recorded program. */

static void run_io_uring(void)
{
    char parameters[120] = {0};
    NEED(DIRECT(SYS_io_uring_setup, 4, parameters, 0) == -ENOSYS);
}

static void run_kernel_aio(void)
{
    unsigned long context = 0;
    NEED(DIRECT(SYS_io_setup, 4, &context, 0) == -ENOSYS);
}

static void run_foreign(void)
{
    long result = 20; /* getpid of i386 */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    NEED((int)result == -ENOSYS);
    NEED(DIRECT(0x40000000 | SYS_getpid, 0, 0, 0) == -ENOSYS);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"plain", run_plain},
    {"stdio", run_stdio},
    {"umask", run_umask},
    {"directory", run_directory},
    {"user", run_user},
    {"descriptors", run_descriptors},
    {"memory", run_memory},
    {"pieces", run_pieces},
    {"copies", run_copies},
    {"programs", run_programs},
    {"threads", run_threads},
    {"signals", run_signals},
    {"fifo", run_fifo},
    {"user namespace", run_user_namespace},
    {"process namespace", run_process_namespace},
    {"root", run_root},
    {"io-uring", run_io_uring},
    {"kernel-aio", run_kernel_aio},
    {"foreign-abi", run_foreign},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[1]) != 0)
            continue;
        cases[i].run();
        return 0;
    }
    fprintf(stderr, "usage: bypass CASE\n");
    return 2;
}

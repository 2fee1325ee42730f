/*
 * The workloads: one for each group of interposed interfaces, with what should be
 * recorded of it. See interfaces.h.
 */
#include "interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Symbols that the headers hide or redirect. */
#define SYMBOL(type, name, ...) type symbol_##name(__VA_ARGS__) __asm__(#name)
SYMBOL(int, open, const char *, int, ...);
SYMBOL(int, open64, const char *, int, ...);
SYMBOL(int, __open, const char *, int, ...);
SYMBOL(int, __open64, const char *, int, ...);
SYMBOL(int, __open_2, const char *, int);
SYMBOL(int, __open64_2, const char *, int);
SYMBOL(int, openat, int, const char *, int, ...);
SYMBOL(int, openat64, int, const char *, int, ...);
SYMBOL(int, __openat_2, int, const char *, int);
SYMBOL(int, __openat64_2, int, const char *, int);
SYMBOL(int, creat, const char *, mode_t);
SYMBOL(int, creat64, const char *, mode_t);
SYMBOL(ssize_t, __write, int, const void *, size_t);
SYMBOL(ssize_t, pwrite, int, const void *, size_t, off_t);
SYMBOL(ssize_t, pwrite64, int, const void *, size_t, off_t);
SYMBOL(ssize_t, __pwrite64, int, const void *, size_t, off_t);
SYMBOL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
SYMBOL(ssize_t, pwritev64, int, const struct iovec *, int, off_t);
SYMBOL(ssize_t, pwritev2, int, const struct iovec *, int, off_t, int);
SYMBOL(ssize_t, pwritev64v2, int, const struct iovec *, int, off_t, int);
SYMBOL(int, truncate, const char *, off_t);
SYMBOL(int, truncate64, const char *, off_t);
SYMBOL(int, ftruncate, int, off_t);
SYMBOL(int, ftruncate64, int, off_t);
SYMBOL(int, __close, int);
SYMBOL(int, fcntl, int, int, ...);
SYMBOL(int, fcntl64, int, int, ...);

/* Ends a workload whose call did not do what it should: the recording then fails. */
static long must(long result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
    }
    return result;
}
#define MUST(call)     must((long)(call), #call)
#define MUST_INT(call) ((int)MUST(call))
#define MUST_FAIL(call, number)                                                                    \
    must((long)(call) == -1 && errno == (number) ? 0 : -1, #call " should fail")

/* Not known to the compiler, which would warn. */
static const char *volatile nowhere = (const char *)16;

#define NEW (O_CREAT | O_WRONLY | O_EXCL)

static int new_file(const char *name)
{
    return MUST_INT(open(name, NEW, 0644));
}

/* Workloads *********************************************************************************/

static void run_open(void)
{
    MUST(symbol_open("a", NEW, 0600));
    MUST(symbol_open64("b", NEW, 0600));
    MUST(symbol___open("c", NEW, 0600));
    MUST(symbol___open64("d", NEW, 0600));
    MUST(symbol_openat(AT_FDCWD, "e", NEW, 0600));
    MUST(symbol_openat64(AT_FDCWD, "f", NEW, 0600));
    MUST(symbol_creat("g", 0600));
    MUST(symbol_creat64("h", 0600));
    MUST(symbol___open_2("a", O_WRONLY));
    MUST(symbol___open64_2("b", O_RDWR));
    MUST(symbol___openat_2(AT_FDCWD, "c", O_WRONLY));
    MUST(symbol___openat64_2(AT_FDCWD, "old", O_WRONLY | O_TRUNC));
    MUST(symbol_open("old", O_RDONLY));
}

static void run_open_failures(void)
{
    MUST_FAIL(open("old", NEW, 0600), EEXIST);
    MUST_FAIL(open("nothing", O_WRONLY), ENOENT);
    MUST_FAIL(open("nothing/more", NEW, 0600), ENOENT);
    MUST_FAIL(open("dir", O_WRONLY), EISDIR);
    MUST_FAIL(open("dir/..", O_WRONLY | O_CREAT, 0600), EISDIR);
    MUST_FAIL(symbol_open(NULL, O_WRONLY | O_CREAT, 0600), EFAULT);
    MUST_FAIL(symbol_open(NULL, NEW, 0600), EFAULT);
    MUST_FAIL(symbol_open(nowhere, NEW, 0600), EFAULT);
    MUST_FAIL(rename(nowhere, "x"), EFAULT);
    MUST_FAIL(rename("old", nowhere), EFAULT);
    MUST_FAIL(unlink(nowhere), EFAULT);
    MUST_FAIL(link("old", "dir"), EEXIST);
    MUST_FAIL(mkdir("dir", 0700), EEXIST);
    MUST_FAIL(rmdir("."), EINVAL);
    MUST_FAIL(rename("nothing", "x"), ENOENT);
    MUST_FAIL(write(-1, "x", 1), EBADF);
    MUST_FAIL(fsync(-1), EBADF);
    MUST_FAIL(close(-1), EBADF);
    int file = new_file("new");
    MUST_FAIL(write(file, nowhere, 8), EFAULT);
    MUST_FAIL(writev(file, (const struct iovec *)nowhere, 2), EFAULT);
    MUST_FAIL(ftruncate(file, -1), EINVAL);
    int reader = MUST_INT(open("new", O_RDONLY));
    MUST_FAIL(write(reader, "x", 1), EBADF);
}

static void run_write(void)
{
    int file = new_file("new");
    struct iovec pieces[] = {{"one", 3}, {"", 0}, {"two", 3}};
    MUST(write(file, "0", 1));
    MUST(symbol___write(file, "1", 1));
    MUST(symbol_pwrite(file, "2", 1, 12));
    MUST(symbol_pwrite64(file, "3", 1, 13));
    MUST(symbol___pwrite64(file, "4", 1, 14));
    MUST(writev(file, pieces, 3));
    MUST(symbol_pwritev(file, pieces, 1, 20));
    MUST(symbol_pwritev64(file, pieces, 1, 24));
    MUST(symbol_pwritev2(file, pieces, 1, -1, 0));
    MUST(symbol_pwritev64v2(file, pieces + 2, 1, 30, 0));
    MUST(lseek(file, 3, SEEK_SET));
    MUST(write(file, "", 0));
    MUST(write(file, "end", 3));
}

static void run_append(void)
{
    int file = MUST_INT(open("old", O_WRONLY | O_APPEND));
    MUST(write(file, "a", 1));
    MUST(pwrite(file, "b", 1, 0)); /* appends all the same */
    int other = MUST_INT(open("old", O_WRONLY));
    MUST(pwritev2(other, &(struct iovec){"c", 1}, 1, 0, RWF_APPEND));
}

static void run_resize(void)
{
    int file = MUST_INT(open("old", O_WRONLY));
    MUST(symbol_ftruncate(file, 8));
    MUST(symbol_ftruncate64(file, 20));
    MUST(symbol_truncate("old", 5));
    MUST(symbol_truncate64("link", 3));
}

static void run_rename(void)
{
    int directory = MUST_INT(open("dir", O_RDONLY | O_DIRECTORY));
    MUST(rename("old", "first"));
    MUST(renameat(AT_FDCWD, "first", directory, "second"));
    MUST(renameat2(directory, "second", directory, "inner", 0)); /* replaces node 3 */
    MUST(renameat2(directory, "inner", AT_FDCWD, "link", RENAME_EXCHANGE));
    MUST_FAIL(renameat2(AT_FDCWD, "dir/inner", AT_FDCWD, "link", RENAME_NOREPLACE), EEXIST);
    MUST(rename("dir", "moved"));
    MUST(rename("moved/inner", "moved/../back"));
}

static void run_link(void)
{
    int directory = MUST_INT(open("dir", O_RDONLY | O_DIRECTORY));
    MUST(link("old", "twin"));
    MUST(linkat(AT_FDCWD, "link", directory, "soft", 0));
    MUST(linkat(AT_FDCWD, "link", directory, "hard", AT_SYMLINK_FOLLOW));
    MUST(rename("old", "twin")); /* does nothing */
    MUST(symlink("target", "s"));
    MUST(symlinkat("../other", directory, "t"));
}

static void run_remove(void)
{
    int directory = MUST_INT(open("dir", O_RDONLY | O_DIRECTORY));
    MUST(unlinkat(directory, "inner", 0));
    MUST(unlink("old"));
    MUST(rmdir("dir/"));
    MUST(mkdir("a", 0700));
    MUST(unlinkat(AT_FDCWD, "a", AT_REMOVEDIR));
    MUST(mkdir("b", 0700));
    MUST(remove("b"));
    MUST(remove("link"));
}

static void run_make(void)
{
    int directory = MUST_INT(open("dir", O_RDONLY | O_DIRECTORY));
    MUST(mkdir("a/", 0700));
    MUST(mkdirat(directory, "b", 0750));
    MUST(mkfifo("pipe", 0600));
    MUST(mkfifoat(directory, "pipe", 0600));
    MUST(mknod("node", S_IFREG | 0640, 0));
    MUST(mknodat(directory, "node", S_IFIFO | 0640, 0));
}

static void run_unique(void)
{
    char template[] = "dir/XXXXXX", suffixed[] = "dir/XXXXXX.txt", directory[] = "dir/XXXXXX";
    int file = MUST_INT(mkstemp(template));
    MUST(write(file, "unique", 6));
    MUST(rename(template, "a"));
    MUST(mkostemps(suffixed, 4, O_APPEND));
    MUST(rename(suffixed, "b"));
    MUST(mkdtemp(directory) == NULL ? -1 : 0);
    MUST(rename(directory, "c"));
    char wrong[] = "XXXXX";
    MUST_FAIL(mkstemp(wrong), EINVAL);
}

static void run_attributes(void)
{
    int file = MUST_INT(open("old", O_RDONLY));
    MUST(chmod("link", 0600));
    MUST(fchmod(file, 0640));
    MUST(fchmodat(AT_FDCWD, "old", 0644, 0));
    MUST(chown("old", getuid(), getgid()));
    MUST(fchown(file, getuid(), (gid_t)-1));
    MUST(lchown("link", getuid(), getgid()));
    MUST(fchownat(AT_FDCWD, "dir", getuid(), getgid(), AT_SYMLINK_NOFOLLOW));
    MUST(fchownat(file, "", getuid(), getgid(), AT_EMPTY_PATH));
    MUST(chmod(".", 0711));
}

static void run_sync(void)
{
    int file = MUST_INT(open("old", O_WRONLY)), directory = MUST_INT(open("dir", O_RDONLY));
    MUST(write(file, "x", 1));
    MUST(fsync(file));
    MUST(fdatasync(file));
    MUST(fsync(directory));
    MUST(syncfs(directory));
    sync();
}

static void run_synchronous(void)
{
    int all = MUST_INT(open("old", O_WRONLY | O_SYNC));
    MUST(write(all, "a", 1));
    int data = MUST_INT(open("old", O_WRONLY | O_DSYNC));
    MUST(pwrite(data, "b", 1, 4));
    int plain = MUST_INT(open("old", O_WRONLY));
    MUST(pwrite(plain, "c", 1, 5));
    MUST(fdatasync(plain));
    MUST(pwritev2(plain, &(struct iovec){"d", 1}, 1, 6, RWF_DSYNC));
    MUST(pwritev2(plain, &(struct iovec){"e", 1}, 1, 7, RWF_SYNC));
}

static void run_descriptors(void)
{
    int file = new_file("new");
    int copy = MUST_INT(dup(file));
    MUST(dup2(copy, 50));
    MUST(dup2(50, 50));
    MUST(dup3(50, 51, O_CLOEXEC));
    MUST_FAIL(dup2(99, 99), EBADF);
    int high = MUST_INT(symbol_fcntl(file, F_DUPFD, 60));
    int higher = MUST_INT(symbol_fcntl64(file, F_DUPFD_CLOEXEC, 70));
    close(file);
    symbol___close(copy);
    MUST(write(51, "a", 1));
    MUST(write(high, "b", 1));
    MUST(write(higher, "c", 1));
}

static void run_copy(void)
{
    int from = MUST_INT(open("old", O_RDONLY)), to = new_file("new");
    off_t offset = 8;
    MUST(sendfile(to, from, NULL, 4));
    MUST(copy_file_range(from, NULL, to, NULL, 3, 0));
    MUST(copy_file_range(from, &(off_t){0}, to, &offset, 2, 0));
}

static void run_by_number(void)
{
    int file = (int)MUST(syscall(SYS_openat, AT_FDCWD, "new", NEW, 0600));
    MUST(syscall(SYS_write, file, "text", 4));
    MUST(syscall(SYS_renameat2, AT_FDCWD, "new", AT_FDCWD, "newer", 0));
    MUST(syscall(SYS_fsync, file));
    MUST(syscall(SYS_getpid));
}

/* Paths that leave the directory and come back, through links, ".." and "//". */
static void run_paths(void)
{
    char absolute[4096], outside[4200];
    MUST(getcwd(absolute, sizeof(absolute)) == NULL ? -1 : 0);
    const char *name = strrchr(absolute, '/') + 1;
    snprintf(outside, sizeof(outside), "../%s/dir/..//a", name);
    MUST(open(outside, NEW, 0600));
    snprintf(outside, sizeof(outside), "%s/./dir/b", absolute);
    MUST(mkdir(outside, 0700));
    MUST(symlink("dir/b", "way"));
    MUST(open("way/c", NEW, 0600));
    MUST(symlink("dir/dangling", "hanging"));
    MUST(open("hanging", O_CREAT | O_WRONLY, 0600));
    MUST(chdir("dir"));
    MUST(mkdir("d", 0700));
    MUST(chdir("/"));
    snprintf(outside, sizeof(outside), "%s/dir/d", absolute);
    MUST(rmdir(outside));
}

/* What lies outside is none of the trace's business. */
static void run_outside(void)
{
    char name[] = "/tmp/outside.XXXXXX", other[64];
    int file = MUST_INT(mkstemp(name));
    snprintf(other, sizeof(other), "%s.2", name);
    MUST(write(file, "x", 1));
    MUST(rename(name, other));
    MUST(chmod(other, 0600));
    MUST(symlink(other, name));
    MUST(unlink(other));
    MUST(unlink(name));
    MUST(fsync(file));
    MUST(close(file));
    MUST(mkdir(name, 0700));
    MUST(rmdir(name));
}

/* A file that lost its name is still the same file. */
static void run_unlinked(void)
{
    int file = MUST_INT(open("old", O_RDWR));
    MUST(unlink("old"));
    MUST(write(file, "gone", 4));
    MUST(fsync(file));
    MUST(ftruncate(file, 2));
}

/* The inode number of a removed file is used again: another node. */
static void run_reuse(void)
{
    struct stat first, second;
    for (int i = 0; i < 3; i++) {
        int file = new_file("new");
        MUST(write(file, "x", 1));
        MUST(fstat(file, i == 0 ? &first : &second));
        MUST(close(file));
        MUST(unlink("new"));
    }
    char name[] = "/tmp/outside.XXXXXX";
    int file = MUST_INT(mkstemp(name));
    MUST(write(file, "none of the trace's business", 28));
    MUST(unlink(name));
    MUST(write(file, "not even now", 12));
}

static void run_replace(void)
{
    int file = new_file("new"), before = MUST_INT(open("old", O_WRONLY));
    MUST(write(file, "new", 3));
    MUST(rename("new", "old"));
    MUST(write(before, "to the replaced one", 19));
    MUST(rename("dir/inner", "old"));
    MUST(mkdir("empty", 0700));
    MUST(rename("empty", "emptier"));
}

/* A descriptor that a child has, and a child that has none. */
static void run_children(void)
{
    extern char **environ;
    int file = new_file("new"), status;
    pid_t child = MUST_INT(fork());
    if (child == 0) {
        MUST(write(file, "forked ", 7));
        _exit(0);
    }
    MUST(waitpid(child, &status, 0));
    must(status == 0 ? 0 : -1, "forked child");
    char *arguments[] = {"sh", "-c", "exec 3>>new; echo spawned >&3", NULL};
    must(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0 ? 0 : -1, "spawn");
    MUST(waitpid(child, &status, 0));
    must(status == 0 ? 0 : -1, "spawned child");
    MUST(write(file, "again", 5));
}

static void *thread_run(void *argument)
{
    const char *name = argument;
    int file = new_file(name);
    MUST(write(file, name, 1));
    MUST(close(file));
    return NULL;
}

static void run_thread(void)
{
    pthread_t thread;
    thread_run("a");
    must(pthread_create(&thread, NULL, thread_run, "b") == 0 ? 0 : -1, "pthread_create");
    pthread_join(thread, NULL);
    thread_run("c");
}

static void run_output(void)
{
    int file = new_file("new");
    MUST(write(1, "one\n", 4));
    int copy = MUST_INT(dup(1));
    MUST(dup2(file, 1));
    MUST(write(1, "to the file\n", 12));
    MUST(write(copy, "two\n", 4));
    MUST(writev(copy, (struct iovec[]){{"thr", 3}, {"ee\n", 3}}, 2));
    int again = MUST_INT(open("/proc/self/fd/1", O_WRONLY)); /* the file by another way */
    MUST(pwrite(again, "T", 1, 0));
}

/* A write that the file size limit cuts short. */
static void run_short(void)
{
    int file = new_file("new");
    signal(SIGXFSZ, SIG_IGN);
    char content[100];
    memset(content, 'x', sizeof(content));
    struct rlimit {
        unsigned long now, most;
    } limit = {50, 50};
    MUST(syscall(SYS_setrlimit, 1 /* RLIMIT_FSIZE */, &limit));
    must(write(file, content, sizeof(content)) == 50 ? 0 : -1, "a short write");
    MUST_FAIL(write(file, content, 1), EFBIG);
}

/* Larger than the ring. */
static void run_large(void)
{
    enum { SIZE = 5000000 };
    char *content = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        content[i] = (char)(i * 7 / 3);
    int file = new_file("new");
    MUST(write(file, content, SIZE));
    free(content);
}

/* What was recorded ************************************************************************/

const struct interface_case interface_cases[] = {
    {"open", run_open,
     "open create node=6 name=1/\"a\" mode=100600\n"
     "open64 create node=7 name=1/\"b\" mode=100600\n"
     "__open create node=8 name=1/\"c\" mode=100600\n"
     "__open64 create node=9 name=1/\"d\" mode=100600\n"
     "openat create node=10 name=1/\"e\" mode=100600\n"
     "openat64 create node=11 name=1/\"f\" mode=100600\n"
     "creat create node=12 name=1/\"g\" mode=100600\n"
     "creat64 create node=13 name=1/\"h\" mode=100600\n"
     "__open_2 none\n"
     "__open64_2 none\n"
     "__openat_2 none\n"
     "__openat64_2 resize node=5 size=0\n"},
    {"open failures", run_open_failures,
     "open64 none\n"
     "rename none\n"
     "link none\n"
     "mkdir none\n"
     "rmdir none\n"
     "rename none\n"
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "write none\n"
     "writev none\n"
     "ftruncate64 none\n"
     "write none\n"},
    {"write", run_write,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "write write node=6 offset=0 size=1 \"0\"\n"
     "__write write node=6 offset=1 size=1 \"1\"\n"
     "pwrite write node=6 offset=12 size=1 \"2\"\n"
     "pwrite64 write node=6 offset=13 size=1 \"3\"\n"
     "__pwrite64 write node=6 offset=14 size=1 \"4\"\n"
     "writev write node=6 offset=2 size=6 \"onetwo\"\n"
     "pwritev write node=6 offset=20 size=3 \"one\"\n"
     "pwritev64 write node=6 offset=24 size=3 \"one\"\n"
     "pwritev2 write node=6 offset=8 size=3 \"one\"\n"
     "pwritev64v2 write node=6 offset=30 size=3 \"two\"\n"
     "write none\n"
     "write write node=6 offset=3 size=3 \"end\"\n"},
    {"append", run_append,
     "open64 none\n"
     "write write node=5 offset=10 size=1 \"a\"\n"
     "pwrite64 write node=5 offset=11 size=1 \"b\"\n"
     "open64 none\n"
     "pwritev64v2 write node=5 offset=12 size=1 \"c\"\n"},
    {"resize", run_resize,
     "open64 none\n"
     "ftruncate resize node=5 size=8\n"
     "ftruncate64 resize node=5 size=20\n"
     "truncate resize node=5 size=5\n"
     "truncate64 resize node=5 size=3\n"},
    {"rename", run_rename,
     "rename rename node=5 name=1/\"old\" to=1/\"first\" node2=0\n"
     "renameat rename node=5 name=1/\"first\" to=2/\"second\" node2=0\n"
     "renameat2 rename node=5 name=2/\"second\" to=2/\"inner\" node2=3\n"
     "renameat2 exchange node=5 name=2/\"inner\" to=1/\"link\" node2=4\n"
     "renameat2 none\n"
     "rename rename node=2 name=1/\"dir\" to=1/\"moved\" node2=0\n"
     "rename rename node=4 name=2/\"inner\" to=1/\"back\" node2=0\n"},
    {"link", run_link,
     "link link node=5 name=1/\"twin\"\n"
     "linkat link node=4 name=2/\"soft\"\n"
     "linkat link node=5 name=2/\"hard\"\n"
     "rename none\n"
     "symlink create node=6 name=1/\"s\" mode=120777 target=\"target\"\n"
     "symlinkat create node=7 name=2/\"t\" mode=120777 target=\"../other\"\n"},
    {"remove", run_remove,
     "unlinkat unlink node=3 name=2/\"inner\"\n"
     "unlink unlink node=5 name=1/\"old\"\n"
     "rmdir unlink node=2 name=1/\"dir\"\n"
     "mkdir create node=6 name=1/\"a\" mode=40700\n"
     "unlinkat unlink node=6 name=1/\"a\"\n"
     "mkdir create node=7 name=1/\"b\" mode=40700\n"
     "remove none\n"
     "remove unlink node=7 name=1/\"b\"\n"
     "remove unlink node=4 name=1/\"link\"\n"},
    {"make", run_make,
     "mkdir create node=6 name=1/\"a\" mode=40700\n"
     "mkdirat create node=7 name=2/\"b\" mode=40750\n"
     "mkfifo create node=8 name=1/\"pipe\" mode=10600\n"
     "mkfifoat create node=9 name=2/\"pipe\" mode=10600\n"
     "mknod create node=10 name=1/\"node\" mode=100640\n"
     "mknodat create node=11 name=2/\"node\" mode=10640\n"},
    {"unique", run_unique, NULL},
    {"attributes", run_attributes,
     "chmod attributes node=5 mode=100600\n"
     "fchmod attributes node=5 mode=100640\n"
     "fchmodat attributes node=5 mode=100644\n"
     "chown attributes node=5 mode=100644\n"
     "fchown attributes node=5 mode=100644\n"
     "lchown attributes node=4 mode=120777\n"
     "fchownat attributes node=2 mode=40755\n"
     "fchownat attributes node=5 mode=100644\n"
     "chmod attributes node=1 mode=40711\n"},
    {"sync", run_sync,
     "open64 none\n"
     "write write node=5 offset=0 size=1 \"x\"\n"
     "fsync fsync node=5\n"
     "fdatasync fdatasync node=5\n"
     "fsync fsync node=2\n"
     "syncfs sync\n"
     "sync sync\n"},
    {"synchronous", run_synchronous,
     "open64 none\n"
     "write write node=5 offset=0 size=1 \"a\"\n"
     "write (O_SYNC) sync-range node=5 offset=0 length=1\n"
     "open64 none\n"
     "pwrite64 write node=5 offset=4 size=1 \"b\"\n"
     "pwrite64 (O_DSYNC) sync-range-data node=5 offset=4 length=1\n"
     "open64 none\n"
     "pwrite64 write node=5 offset=5 size=1 \"c\"\n"
     "fdatasync fdatasync node=5\n"
     "pwritev64v2 write node=5 offset=6 size=1 \"d\"\n"
     "pwritev64v2 (O_DSYNC) sync-range-data node=5 offset=6 length=1\n"
     "pwritev64v2 write node=5 offset=7 size=1 \"e\"\n"
     "pwritev64v2 (O_SYNC) sync-range node=5 offset=7 length=1\n"},
    {"descriptors", run_descriptors,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "dup none\n"
     "dup2 none\n"
     "dup3 none\n"
     "fcntl none\n"
     "fcntl64 none\n"
     "write write node=6 offset=0 size=1 \"a\"\n"
     "write write node=6 offset=1 size=1 \"b\"\n"
     "write write node=6 offset=2 size=1 \"c\"\n"},
    {"copy", run_copy,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "sendfile64 write node=6 offset=0 size=4 \"0123\"\n"
     "copy_file_range write node=6 offset=4 size=3 \"456\"\n"
     "copy_file_range write node=6 offset=8 size=2 \"01\"\n"},
    {"by number", run_by_number,
     "syscall create node=6 name=1/\"new\" mode=100600\n"
     "syscall write node=6 offset=0 size=4 \"text\"\n"
     "syscall rename node=6 name=1/\"new\" to=1/\"newer\" node2=0\n"
     "syscall fsync node=6\n"},
    {"paths", run_paths,
     "open64 create node=6 name=1/\"a\" mode=100600\n"
     "mkdir create node=7 name=2/\"b\" mode=40700\n"
     "symlink create node=8 name=1/\"way\" mode=120777 target=\"dir/b\"\n"
     "open64 create node=9 name=7/\"c\" mode=100600\n"
     "symlink create node=10 name=1/\"hanging\" mode=120777 target=\"dir/dangling\"\n"
     "open64 create node=11 name=2/\"dangling\" mode=100600\n"
     "mkdir create node=12 name=2/\"d\" mode=40700\n"
     "rmdir unlink node=12 name=2/\"d\"\n"},
    {"outside", run_outside, ""},
    {"unlinked", run_unlinked,
     "open64 none\n"
     "unlink unlink node=5 name=1/\"old\"\n"
     "write write node=5 offset=0 size=4 \"gone\"\n"
     "fsync fsync node=5\n"
     "ftruncate64 resize node=5 size=2\n"},
    {"reuse", run_reuse,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "write write node=6 offset=0 size=1 \"x\"\n"
     "unlink unlink node=6 name=1/\"new\"\n"
     "open64 create node=7 name=1/\"new\" mode=100644\n"
     "write write node=7 offset=0 size=1 \"x\"\n"
     "unlink unlink node=7 name=1/\"new\"\n"
     "open64 create node=8 name=1/\"new\" mode=100644\n"
     "write write node=8 offset=0 size=1 \"x\"\n"
     "unlink unlink node=8 name=1/\"new\"\n"},
    {"replace", run_replace,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "open64 none\n"
     "write write node=6 offset=0 size=3 \"new\"\n"
     "rename rename node=6 name=1/\"new\" to=1/\"old\" node2=5\n"
     "write write node=5 offset=0 size=19 \"to the replaced one\"\n"
     "rename rename node=3 name=2/\"inner\" to=1/\"old\" node2=6\n"
     "mkdir create node=7 name=1/\"empty\" mode=40700\n"
     "rename rename node=7 name=1/\"empty\" to=1/\"emptier\" node2=0\n"},
    {"children", run_children, NULL},
    {"thread", run_thread,
     "open64 create node=6 name=1/\"a\" mode=100644\n"
     "write write node=6 offset=0 size=1 \"a\"\n"
     "open64 create node=7 name=1/\"b\" mode=100644\n"
     "write write node=7 offset=0 size=1 \"b\"\n"
     "open64 create node=8 name=1/\"c\" mode=100644\n"
     "write write node=8 offset=0 size=1 \"c\"\n"},
    {"output", run_output,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "write output \"one\\x0a\"\n"
     "dup2 none\n"
     "write write node=6 offset=0 size=12 \"to the file\\x0a\"\n"
     "write output \"two\\x0a\"\n"
     "writev output \"three\\x0a\"\n"
     "open64 none\n"
     "pwrite64 write node=6 offset=0 size=1 \"T\"\n"},
    {"short", run_short,
     "open64 create node=6 name=1/\"new\" mode=100644\n"
     "write write node=6 offset=0 size=50 \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...\n"
     "write none\n"},
    {"large", run_large, NULL},
};
const size_t interface_case_count = sizeof(interface_cases) / sizeof(interface_cases[0]);

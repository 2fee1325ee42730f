/*
 * More workloads: what is not one symbol, one call. Each leaves with status 77 where
 * the file system or the user cannot do it.
 */
#include "interfaces.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { IMPOSSIBLE = 77, NOBODY = 65534 };

static long must(long result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(errno == EOPNOTSUPP || errno == EPERM ? IMPOSSIBLE : 1);
    }
    return result;
}
#define MUST(call)      must((long)(call), #call)
#define MUST_INT(call)  ((int)MUST(call))
#define NEED(condition) must((condition) ? 0 : -1, "not so: " #condition)

#define NEW (O_CREAT | O_RDWR | O_EXCL)

static int new_file(const char *name, const char *text)
{
    int file = MUST_INT(open(name, NEW, 0644));
    if (text[0] != '\0')
        MUST(write(file, text, strlen(text)));
    return file;
}

static void child_wait(pid_t child)
{
    int status;
    MUST(waitpid(child, &status, 0));
    NEED(status == 0);
}

/* Allocating ********************************************************************************/

static void run_fallocate_grow(void)
{
    int file = new_file("a", "text");
    MUST(fallocate(file, 0, 2, 6));
    MUST(fallocate(file, 0, 0, 4));
    NEED(posix_fallocate(file, 8, 2) == 0);
}

static void run_fallocate_keep(void)
{
    MUST(fallocate(new_file("a", "text"), FALLOC_FL_KEEP_SIZE, 0, 8192));
}

static void run_punch_hole(void)
{
    int file = new_file("a", "0123456789");
    MUST(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
    MUST(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8, 4096));
    MUST(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
}

static void run_zero_range(void)
{
    int file = new_file("a", "0123456789");
    MUST(fallocate(file, FALLOC_FL_ZERO_RANGE, 2, 3));
    MUST(fallocate(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 9, 100));
    MUST(fallocate(file, FALLOC_FL_ZERO_RANGE, 8, 4));
}

static void run_collapse_and_insert(void)
{
    static char block[4096];
    int file = new_file("a", "");
    for (int i = 0; i < 3; i++) {
        memset(block, 'a' + i, sizeof(block));
        MUST(write(file, block, sizeof(block)));
    }
    MUST(fallocate(file, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096));
    MUST(fallocate(file, FALLOC_FL_INSERT_RANGE, 0, 4096));
}

/* Copying ***********************************************************************************/

static void run_splice(void)
{
    int ends[2], file = new_file("a", "0123456789");
    off_t offset = 3;
    MUST(pipe(ends));
    MUST(write(ends[1], "more", 4));
    NEED(splice(ends[0], NULL, file, &offset, 2, 0) == 2 && offset == 5);
    NEED(splice(ends[0], NULL, file, NULL, 100, 0) == 2);
}

static void *write_later(void *fd)
{
    usleep(20000);
    MUST(write(*(int *)fd, "late", 4));
    return NULL;
}

/* The writer needs what the splicer must not hold while it waits. */
static void run_splice_waits(void)
{
    pthread_t thread;
    int ends[2], file = new_file("a", "");
    MUST(pipe(ends));
    NEED(pthread_create(&thread, NULL, write_later, &ends[1]) == 0);
    NEED(splice(ends[0], NULL, file, NULL, 100, 0) == 4);
    NEED(pthread_join(thread, NULL) == 0);
}

static void run_copy_within(void)
{
    int file = new_file("a", "0123456789");
    off_t from = 0, to = 6;
    NEED(copy_file_range(file, &from, file, &to, 3, 0) == 3);
    int other = MUST_INT(open("old", O_RDONLY));
    off_t start = 5;
    NEED(sendfile(file, other, &start, 3) == 3 && start == 8);
}

static void run_clone(void)
{
    int from = new_file("from", ""), to = new_file("to", "0123456789");
    static char block[4096];
    memset(block, 'b', sizeof(block));
    MUST(write(from, block, sizeof(block)));
    MUST(ioctl(to, FICLONE, from));
    struct file_clone_range range = {.src_fd = from, .src_length = 4096, .dest_offset = 4096};
    MUST(ioctl(to, FICLONERANGE, &range));
}

/* Files without a name **********************************************************************/

static void run_unnamed(void)
{
    char path[64];
    int file = MUST_INT(open(".", O_TMPFILE | O_WRONLY, 0600));
    MUST(write(file, "text", 4));
    MUST(fsync(file));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    MUST(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    MUST(write(file, "!", 1));
    MUST(link("named", "dir/again"));
}

static void run_unnamed_by_descriptor(void)
{
    int file = MUST_INT(open("dir", O_TMPFILE | O_RDWR, 0640));
    if (linkat(file, "", AT_FDCWD, "named", AT_EMPTY_PATH) != 0)
        exit(IMPOSSIBLE); /* before Linux 6.10 only with CAP_DAC_READ_SEARCH */
}

static void run_unnamed_dropped(void)
{
    int file = MUST_INT(open(".", O_TMPFILE | O_WRONLY, 0600));
    MUST(write(file, "gone", 4));
    close(file);
    new_file("a", "");
    new_file("b", "");
}

/* Links, names ******************************************************************************/

static void run_link_to_unlinked(void)
{
    char path[64];
    int file = new_file("a", "");
    MUST(unlink("a"));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    NEED(linkat(AT_FDCWD, path, AT_FDCWD, "b", AT_SYMLINK_FOLLOW) == -1 && errno == ENOENT);
    MUST(write(file, "still", 5));
}

static void run_rename_flags(void)
{
    new_file("a", "");
    NEED(renameat2(AT_FDCWD, "a", AT_FDCWD, "old", RENAME_NOREPLACE) == -1 && errno == EEXIST);
    MUST(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
    MUST(renameat2(AT_FDCWD, "b", AT_FDCWD, "dir", RENAME_EXCHANGE));
    MUST(unlink("b/inner"));
    NEED(renameat2(AT_FDCWD, "old", AT_FDCWD, "none", RENAME_EXCHANGE) == -1);
}

static void run_directory_moves(void)
{
    MUST(chdir("dir"));
    MUST(rename("../dir", "../moved"));
    new_file("a", "x");
    MUST(mkdir("../up", 0700));
    MUST(rename("../moved", "../up/down"));
    MUST(unlink("a"));
    NEED(rename("../../up", "../../up/down/x") == -1 && errno == EINVAL);
    NEED(rmdir("../../up") == -1 && errno == ENOTEMPTY);
}

static void run_dots_and_links(void)
{
    MUST(symlink("dir", "way"));
    new_file("way/a", "");
    MUST(mkdir("way/b", 0700));
    new_file("way/b/../c", "");
    MUST(rename("./way//b", "way/../d"));
    MUST(truncate("link", 3));
    MUST(unlink("link"));
    MUST(unlink("way"));
}

static void run_same_file(void)
{
    MUST(link("old", "twin"));
    MUST(rename("old", "twin"));
    int file = MUST_INT(open("twin", O_WRONLY));
    MUST(unlink("old"));
    MUST(fsync(file));
}

/* Writing ***********************************************************************************/

static void run_append(void)
{
    struct iovec piece = {(void *)"!", 1};
    int file = MUST_INT(open("old", O_WRONLY | O_APPEND));
    MUST(pwrite(file, "end", 3, 0));
    int plain = MUST_INT(open("old", O_WRONLY));
    if (pwritev2(plain, &piece, 1, 0, RWF_APPEND) != 1)
        exit(IMPOSSIBLE);
    MUST(write(plain, "X", 1));
}

static void run_synchronous_after_others(void)
{
    struct iovec piece = {(void *)"Z", 1};
    int plain = MUST_INT(open("old", O_WRONLY));
    int synced = MUST_INT(open("old", O_WRONLY | O_DSYNC));
    MUST(pwrite(plain, "x", 1, 0));
    MUST(pwrite(synced, "y", 1, 5));
    MUST(pwritev2(plain, &piece, 1, 12, RWF_SYNC));
    NEED(fcntl(plain, F_SETFL, O_APPEND) == 0);
    MUST(write(plain, "end", 3));
}

static void run_sync_file_range(void)
{
    int file = new_file("a", "text");
    MUST(sync_file_range(file, 0, 4, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
}

static void run_sparse(void)
{
    int file = new_file("a", "");
    MUST(pwrite(file, "x", 1, 10000));
    MUST(lseek(file, 20000, SEEK_SET));
    MUST(write(file, "y", 1));
    MUST(ftruncate(file, 30000));
    MUST(ftruncate(file, 5));
}

static void run_truncating_opens(void)
{
    MUST(open("old", O_RDONLY | O_TRUNC));
    MUST(open("old", O_WRONLY | O_TRUNC));
    MUST(creat("dir/inner", 0600));
    MUST(open("link", O_WRONLY | O_CREAT, 0600));
}

static void run_empty_writes(void)
{
    struct iovec none = {NULL, 0};
    int file = new_file("a", "");
    MUST(write(file, "", 0));
    MUST(writev(file, &none, 1));
    MUST(pwrite(file, "", 0, 100));
    MUST(ftruncate(file, 0));
}

static void run_modes(void)
{
    umask(077);
    new_file("a", "");
    umask(0);
    MUST(mkdir("b", 02777));
    MUST(mkfifo("c", 0666));
    MUST(syscall(SYS_fchmodat, AT_FDCWD, "a", 04711));
    if (syscall(452, AT_FDCWD, "a", 0640, AT_SYMLINK_NOFOLLOW) != 0)
        exit(IMPOSSIBLE); /* fchmodat2: Linux 6.6 */
}

static void run_set_id_is_cleared(void)
{
    int file = new_file("a", "x");
    MUST(fchmod(file, 06777));
    MUST(chmod(".", 0777));
    if (getuid() == 0)
        MUST(setresuid(NOBODY, NOBODY, NOBODY));
    MUST(write(file, "y", 1));
    MUST(ftruncate(file, 1));
}

static void run_group_of_directory(void)
{
    if (getuid() != 0)
        exit(IMPOSSIBLE);
    MUST(mkdir("d", 0755));
    MUST(chown("d", 0, 12345));
    MUST(chmod("d", 02755));
    new_file("d/a", "");
    MUST(mkdir("d/e", 0755));
}

static void run_openat2(void)
{
    struct open_how how = {.flags = O_CREAT | O_RDWR, .mode = 0600};
    int file = MUST_INT(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how)));
    MUST(write(file, "x", 1));
    how.resolve = RESOLVE_BENEATH;
    how.flags = O_CREAT | O_EXCL | O_WRONLY;
    MUST(syscall(SYS_openat2, AT_FDCWD, "dir/b", &how, sizeof(how)));
    NEED(syscall(SYS_openat2, AT_FDCWD, "../outside", &how, sizeof(how)) == -1 && errno == EXDEV);
}

/* Extended attributes ***********************************************************************/

static void run_xattrs(void)
{
    int file = new_file("a", "");
    MUST(setxattr("a", "user.one", "1", 1, 0));
    MUST(fsetxattr(file, "user.two", "22", 2, XATTR_CREATE));
    NEED(fsetxattr(file, "user.two", "x", 1, XATTR_CREATE) == -1 && errno == EEXIST);
    MUST(setxattr("a", "user.one", "", 0, XATTR_REPLACE));
    MUST(removexattr("a", "user.two"));
    NEED(fremovexattr(file, "user.two") == -1 && errno == ENODATA);
    MUST(setxattr("dir", "user.one", "of a directory", 14, 0));
    MUST(setxattr(".", "user.one", "of the root", 11, 0));
}

static void run_xattrs_of_links(void)
{
    MUST(lsetxattr("link", "trusted.one", "1", 1, 0));
    MUST(setxattr("link", "trusted.one", "2", 1, 0));
    MUST(lremovexattr("link", "trusted.one"));
}

/* An access control list as xattr(7) has it: version 2, then tag, permissions, id. */
struct list {
    uint32_t version;
    struct {
        uint16_t tag, permissions;
        uint32_t id;
    } entries[5];
};

static const struct list list = {2,
                                 {{1, 6, UINT32_MAX},
                                  {2, 4, 12345},
                                  {4, 4, UINT32_MAX},
                                  {16, 4, UINT32_MAX},
                                  {32, 0, UINT32_MAX}}};

static void run_access_control(void)
{
    new_file("a", "");
    MUST(setxattr("a", "system.posix_acl_access", &list, sizeof(list), 0));
    MUST(chmod("a", 0660));
    MUST(removexattr("a", "system.posix_acl_access"));
}

static void run_inherited_access_control(void)
{
    MUST(setxattr("dir", "system.posix_acl_default", &list, sizeof(list), 0));
    new_file("dir/a", "");
    MUST(mkdir("dir/d", 0777));
    MUST(symlink("x", "dir/s"));
}

static void run_capability(void)
{
    static const uint32_t capability[5] = {0x02000001, 0x400, 0, 0, 0};
    new_file("a", "");
    MUST(setxattr("a", "security.capability", capability, sizeof(capability), 0));
    MUST(chown("a", 0, 12345));
}

/* What libc does by itself ******************************************************************/

static void run_stdio(void)
{
    FILE *file = fopen("a", "w");
    NEED(file != NULL && fprintf(file, "one %d\n", 1) == 6 && fclose(file) == 0);
    file = fopen("a", "a");
    NEED(file != NULL && fputs("two\n", file) >= 0 && fflush(file) == 0);
    NEED(fsync(fileno(file)) == 0 && fclose(file) == 0);
    file = fdopen(MUST_INT(open("a", O_RDWR)), "r+");
    NEED(fseek(file, 4, SEEK_SET) == 0 && fputc('X', file) == 'X' && fclose(file) == 0);
}

static void run_stdio_again(void)
{
    FILE *file = fopen("a", "wx");
    NEED(file != NULL && fputs("first", file) >= 0);
    NEED(freopen("b", "w", file) == file && fputs("second", file) >= 0 && fclose(file) == 0);
    NEED(remove("a") == 0);
    NEED(rename("b", "c") == 0);
}

static void run_dprintf(void)
{
    NEED(dprintf(new_file("a", ""), "%s %d\n", "line", 7) == 7);
}

static void run_printed(void)
{
    NEED(printf("from a buffer\n") == 14 && fflush(stdout) == 0);
    NEED(puts("and another") >= 0 && fflush(stdout) == 0);
}

static void run_aio(void)
{
    struct aiocb write = {.aio_fildes = new_file("a", ""),
                          .aio_buf = (void *)(uintptr_t) "text",
                          .aio_nbytes = 4,
                          .aio_offset = 2};
    const struct aiocb *list_of_one[] = {&write};
    NEED(aio_write(&write) == 0 && aio_suspend(list_of_one, 1, NULL) == 0);
    NEED(aio_return(&write) == 4);
    struct aiocb sync = {.aio_fildes = write.aio_fildes};
    list_of_one[0] = &sync;
    NEED(aio_fsync(O_DSYNC, &sync) == 0 && aio_suspend(list_of_one, 1, NULL) == 0);
    NEED(aio_return(&sync) == 0);
}

static void run_system(void)
{
    NEED(system("echo text >a; echo more >>a; mv a b") == 0);
}

static void run_popen(void)
{
    FILE *pipe_to = popen("cat >a", "w");
    NEED(pipe_to != NULL && fputs("through a pipe", pipe_to) >= 0 && pclose(pipe_to) == 0);
}

/* Processes *********************************************************************************/

static void run_spawn_actions(void)
{
    char *command[] = {"sh", "-c", "echo to the file; echo more >&9", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    NEED(posix_spawn_file_actions_init(&actions) == 0);
    NEED(posix_spawn_file_actions_addopen(&actions, 1, "a", O_CREAT | O_WRONLY, 0600) == 0);
    NEED(posix_spawn_file_actions_adddup2(&actions, 1, 9) == 0);
    NEED(posix_spawnp(&child, "sh", &actions, NULL, command, environ) == 0);
    child_wait(child);
}

static void run_vfork(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execlp("sh", "sh", "-c", "echo text >a", (char *)NULL);
        _exit(127);
    }
    child_wait(child);
    int file = MUST_INT(open("a", O_WRONLY | O_APPEND));
    MUST(write(file, "x", 1));
}

static void run_exec_chain(void)
{
    new_file("a", "");
    execlp("sh", "sh", "-c", "echo 1 >b; exec sh -c 'echo 2 >c; exec mv c d'", (char *)NULL);
}

static void run_inherited(void)
{
    int file = new_file("a", "first ");
    MUST(dup2(file, 7));
    pid_t child = fork();
    if (child == 0) {
        execlp("sh", "sh", "-c", "echo second >&7; cd dir; echo here >x", (char *)NULL);
        _exit(127);
    }
    child_wait(child);
    MUST(write(file, "third", 5));
}

static void run_passed(void)
{
    int sockets[2], file = new_file("a", "");
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    pid_t child = fork();
    if (child == 0) {
        int received = -1;
        close(file);
        MUST(recvmsg(sockets[1], &message, 0));
        memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
        MUST(write(received, "passed", 6));
        _exit(0);
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &file, sizeof(int));
    MUST(sendmsg(sockets[0], &message, 0));
    child_wait(child);
}

static void run_directories(void)
{
    int dir = MUST_INT(open("dir", O_RDONLY | O_DIRECTORY));
    int here = MUST_INT(open(".", O_PATH | O_DIRECTORY));
    MUST(openat(dir, "a", NEW, 0600));
    MUST(fchdir(dir));
    new_file("b", "");
    MUST(renameat(dir, "a", here, "a"));
    MUST(chdir(".."));
    MUST(unlinkat(dir, "b", 0));
    MUST(fsync(dir));
    NEED(fsync(here) == -1 && errno == EBADF);
}

static void run_other_descriptors(void)
{
    int file = new_file("a", "text");
    MUST(link("a", "b"));
    int copy = MUST_INT(fcntl(file, F_DUPFD_CLOEXEC, 20));
    MUST(fsync(copy));
    int reader = MUST_INT(open("b", O_RDONLY));
    MUST(fdatasync(reader));
    close(file);
    MUST(write(copy, "!", 1));
}

const struct interface_case interface_cases_more[] = {
    {"fallocate grow", run_fallocate_grow,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4 \"text\"\n"
     "resize node=6 size=8\n"
     "resize node=6 size=10\n"},
    {"fallocate keep", run_fallocate_keep,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4 \"text\"\n"},
    {"punch hole", run_punch_hole,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=10 \"0123456789\"\n"
     "write node=6 offset=2 size=3 \"\\x00\\x00\\x00\"\n"
     "write node=6 offset=8 size=2 \"\\x00\\x00\"\n"},
    {"zero range", run_zero_range,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=10 \"0123456789\"\n"
     "write node=6 offset=2 size=3 \"\\x00\\x00\\x00\"\n"
     "write node=6 offset=9 size=1 \"\\x00\"\n"
     "write node=6 offset=8 size=2 \"\\x00\\x00\"\n"
     "resize node=6 size=12\n"},
    {"collapse and insert", run_collapse_and_insert,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4096 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"...\n"
     "write node=6 offset=4096 size=4096 \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"...\n"
     "write node=6 offset=8192 size=4096 \"cccccccccccccccccccccccccccccccccccccccc\"...\n"
     "write node=6 offset=4096 size=4096 \"cccccccccccccccccccccccccccccccccccccccc\"...\n"
     "resize node=6 size=8192\n"
     "write node=6 offset=0 size=8192 "
     "\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
     "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x"
     "00\\x00\\x00\\x00\"...\n"
     "write node=6 offset=8192 size=4096 \"cccccccccccccccccccccccccccccccccccccccc\"...\n"},
    {"splice", run_splice,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=10 \"0123456789\"\n"
     "write node=6 offset=3 size=2 \"mo\"\n"
     "write node=6 offset=10 size=2 \"re\"\n"},
    {"splice waits", run_splice_waits,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4 \"late\"\n"},
    {"copy within", run_copy_within,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=10 \"0123456789\"\n"
     "write node=6 offset=6 size=3 \"012\"\n"
     "write node=6 offset=10 size=3 \"567\"\n"},
    {"clone", run_clone, ""},
    {"unnamed", run_unnamed,
     "create node=6 name=0/\"\" mode=100600\n"
     "write node=6 offset=0 size=4 \"text\"\n"
     "fsync node=6\n"
     "link node=6 name=1/\"named\"\n"
     "write node=6 offset=4 size=1 \"!\"\n"
     "link node=6 name=2/\"again\"\n"},
    {"unnamed by descriptor", run_unnamed_by_descriptor,
     "create node=6 name=0/\"\" mode=100640\n"
     "link node=6 name=1/\"named\"\n"},
    {"unnamed dropped", run_unnamed_dropped,
     "create node=6 name=0/\"\" mode=100600\n"
     "write node=6 offset=0 size=4 \"gone\"\n"
     "create node=7 name=1/\"a\" mode=100644\n"
     "create node=8 name=1/\"b\" mode=100644\n"},
    {"link to unlinked", run_link_to_unlinked,
     "create node=6 name=1/\"a\" mode=100644\n"
     "unlink node=6 name=1/\"a\"\n"
     "write node=6 offset=0 size=5 \"still\"\n"},
    {"rename flags", run_rename_flags,
     "create node=6 name=1/\"a\" mode=100644\n"
     "rename node=6 name=1/\"a\" to=1/\"b\" node2=0\n"
     "exchange node=6 name=1/\"b\" to=1/\"dir\" node2=2\n"
     "unlink node=3 name=2/\"inner\"\n"},
    {"directory moves", run_directory_moves,
     "rename node=2 name=1/\"dir\" to=1/\"moved\" node2=0\n"
     "create node=6 name=2/\"a\" mode=100644\n"
     "write node=6 offset=0 size=1 \"x\"\n"
     "create node=7 name=1/\"up\" mode=40700\n"
     "rename node=2 name=1/\"moved\" to=7/\"down\" node2=0\n"
     "unlink node=6 name=2/\"a\"\n"},
    {"dots and links", run_dots_and_links,
     "create node=6 name=1/\"way\" mode=120777 target=\"dir\"\n"
     "create node=7 name=2/\"a\" mode=100644\n"
     "create node=8 name=2/\"b\" mode=40700\n"
     "create node=9 name=2/\"c\" mode=100644\n"
     "rename node=8 name=2/\"b\" to=1/\"d\" node2=0\n"
     "resize node=5 size=3\n"
     "unlink node=4 name=1/\"link\"\n"
     "unlink node=6 name=1/\"way\"\n"},
    {"same file", run_same_file,
     "link node=5 name=1/\"twin\"\n"
     "unlink node=5 name=1/\"old\"\n"
     "fsync node=5\n"},
    {"append wins", run_append,
     "write node=5 offset=10 size=3 \"end\"\n"
     "write node=5 offset=13 size=1 \"!\"\n"
     "write node=5 offset=0 size=1 \"X\"\n"},
    {"synchronous after others", run_synchronous_after_others,
     "write node=5 offset=0 size=1 \"x\"\n"
     "write node=5 offset=5 size=1 \"y\"\n"
     "sync-range-data node=5 offset=5 length=1\n"
     "write node=5 offset=12 size=1 \"Z\"\n"
     "sync-range node=5 offset=12 length=1\n"
     "write node=5 offset=13 size=3 \"end\"\n"},
    {"sync_file_range", run_sync_file_range,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4 \"text\"\n"},
    {"sparse", run_sparse,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=10000 size=1 \"x\"\n"
     "write node=6 offset=20000 size=1 \"y\"\n"
     "resize node=6 size=30000\n"
     "resize node=6 size=5\n"},
    {"truncating opens", run_truncating_opens,
     "resize node=5 size=0\n"
     "resize node=3 size=0\n"},
    {"empty writes", run_empty_writes,
     "create node=6 name=1/\"a\" mode=100644\n"
     "resize node=6 size=0\n"},
    {"modes", run_modes,
     "create node=6 name=1/\"a\" mode=100600\n"
     "create node=7 name=1/\"b\" mode=40777\n"
     "create node=8 name=1/\"c\" mode=10666\n"
     "attributes node=6 mode=104711\n"
     "attributes node=6 mode=100640\n"},
    {"set-id is cleared", run_set_id_is_cleared,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=1 \"x\"\n"
     "attributes node=6 mode=106777\n"
     "attributes node=1 mode=40777\n"
     "write node=6 offset=1 size=1 \"y\"\n"
     "attributes node=6 mode=100777\n"
     "resize node=6 size=1\n"},
    {"group of directory", run_group_of_directory,
     "create node=6 name=1/\"d\" mode=40755\n"
     "attributes node=6 mode=40755\n"
     "attributes node=6 mode=42755\n"
     "create node=7 name=6/\"a\" mode=100644\n"
     "create node=8 name=6/\"e\" mode=42755\n"},
    {"openat2", run_openat2,
     "create node=6 name=1/\"a\" mode=100600\n"
     "write node=6 offset=0 size=1 \"x\"\n"
     "create node=7 name=2/\"b\" mode=100600\n"},
    {"xattrs", run_xattrs,
     "create node=6 name=1/\"a\" mode=100644\n"
     "set-xattr node=6 name=\"user.one\" value=\"1\"\n"
     "set-xattr node=6 name=\"user.two\" value=\"22\"\n"
     "set-xattr node=6 name=\"user.one\" value=\"\"\n"
     "remove-xattr node=6 name=\"user.two\"\n"
     "set-xattr node=2 name=\"user.one\" value=\"of a directory\"\n"
     "set-xattr node=1 name=\"user.one\" value=\"of the root\"\n"},
    {"xattrs of links", run_xattrs_of_links,
     "set-xattr node=4 name=\"trusted.one\" value=\"1\"\n"
     "set-xattr node=5 name=\"trusted.one\" value=\"2\"\n"
     "remove-xattr node=4 name=\"trusted.one\"\n"},
    {"access control", run_access_control,
     "create node=6 name=1/\"a\" mode=100644\n"
     "set-xattr node=6 name=\"system.posix_acl_access\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x04\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "attributes node=6 mode=100640\n"
     "attributes node=6 mode=100660\n"
     "set-xattr node=6 name=\"system.posix_acl_access\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x06\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "remove-xattr node=6 name=\"system.posix_acl_access\"\n"},
    {"inherited access control", run_inherited_access_control,
     "set-xattr node=2 name=\"system.posix_acl_default\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x04\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "create node=6 name=2/\"a\" mode=100640\n"
     "set-xattr node=6 name=\"system.posix_acl_access\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x04\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "create node=7 name=2/\"d\" mode=40640\n"
     "set-xattr node=7 name=\"system.posix_acl_default\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x04\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "set-xattr node=7 name=\"system.posix_acl_access\" "
     "value="
     "\"\\x02\\x00\\x00\\x00\\x01\\x00\\x06\\x00\\xff\\xff\\xff\\xff\\x02\\x00\\x04\\x0090\\x00\\x0"
     "0\\x04\\x00\\x04\\x00\\xff\\xff\\xff\\xff\\x10\\x00\\x04\\x00\\xff\\xff\\xff\\xff "
     "\\x00\\x00\\x00\"...\n"
     "create node=8 name=2/\"s\" mode=120777 target=\"x\"\n"},
    {"capability", run_capability,
     "create node=6 name=1/\"a\" mode=100644\n"
     "set-xattr node=6 name=\"security.capability\" "
     "value="
     "\"\\x01\\x00\\x00\\x02\\x00\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
     "\\x00\\x00\"\n"
     "attributes node=6 mode=100644\n"
     "remove-xattr node=6 name=\"security.capability\"\n"},
    {"stdio", run_stdio,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=6 \"one 1\\x0a\"\n"
     "write node=6 offset=6 size=4 \"two\\x0a\"\n"
     "fsync node=6\n"
     "write node=6 offset=4 size=1 \"X\"\n"},
    {"stdio again", run_stdio_again,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=5 \"first\"\n"
     "create node=7 name=1/\"b\" mode=100644\n"
     "write node=7 offset=0 size=6 \"second\"\n"
     "unlink node=6 name=1/\"a\"\n"
     "rename node=7 name=1/\"b\" to=1/\"c\" node2=0\n"},
    {"dprintf", run_dprintf,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=7 \"line 7\\x0a\"\n"},
    {"printed", run_printed,
     "output \"from a buffer\\x0a\"\n"
     "output \"and another\\x0a\"\n"},
    {"aio", run_aio,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=2 size=4 \"text\"\n"
     "fdatasync node=6\n"},
    {"system", run_system,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=5 \"text\\x0a\"\n"
     "write node=6 offset=5 size=5 \"more\\x0a\"\n"
     "rename node=6 name=1/\"a\" to=1/\"b\" node2=0\n"},
    {"popen", run_popen,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=14 \"through a pipe\"\n"},
    {"spawn actions", run_spawn_actions,
     "create node=6 name=1/\"a\" mode=100600\n"
     "write node=6 offset=0 size=12 \"to the file\\x0a\"\n"
     "write node=6 offset=12 size=5 \"more\\x0a\"\n"},
    {"vfork", run_vfork,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=5 \"text\\x0a\"\n"
     "write node=6 offset=5 size=1 \"x\"\n"},
    {"exec chain", run_exec_chain,
     "create node=6 name=1/\"a\" mode=100644\n"
     "create node=7 name=1/\"b\" mode=100644\n"
     "write node=7 offset=0 size=2 \"1\\x0a\"\n"
     "create node=8 name=1/\"c\" mode=100644\n"
     "write node=8 offset=0 size=2 \"2\\x0a\"\n"
     "rename node=8 name=1/\"c\" to=1/\"d\" node2=0\n"},
    {"inherited", run_inherited,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=6 \"first \"\n"
     "write node=6 offset=6 size=7 \"second\\x0a\"\n"
     "create node=7 name=2/\"x\" mode=100644\n"
     "write node=7 offset=0 size=5 \"here\\x0a\"\n"
     "write node=6 offset=13 size=5 \"third\"\n"},
    {"passed", run_passed,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=6 \"passed\"\n"},
    {"directories", run_directories,
     "create node=6 name=2/\"a\" mode=100600\n"
     "create node=7 name=2/\"b\" mode=100644\n"
     "rename node=6 name=2/\"a\" to=1/\"a\" node2=0\n"
     "unlink node=7 name=2/\"b\"\n"
     "fsync node=2\n"},
    {"other descriptors", run_other_descriptors,
     "create node=6 name=1/\"a\" mode=100644\n"
     "write node=6 offset=0 size=4 \"text\"\n"
     "link node=6 name=1/\"b\"\n"
     "fsync node=6\n"
     "fdatasync node=6\n"
     "write node=6 offset=4 size=1 \"!\"\n"},
};
const size_t interface_case_more_count =
    sizeof(interface_cases_more) / sizeof(interface_cases_more[0]);

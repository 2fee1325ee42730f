/*
 * poison DEED: a check whose label is a hash of all that it finds in the scratch directory
 * and of its own process, and that then does something that must not be found by its
 * next runs. `poison list` prints the deeds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static uint64_t seen = 14695981039346656037u;

/* Asking for them counts as a change, after which nothing is stepped. */
static int sees_flags;

static void see(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seen = (seen ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void see_number(long number)
{
    see(&number, sizeof(number));
}

static void see_file(const char *path)
{
    char bytes[4096];
    ssize_t size;
    int fd = open(path, O_RDONLY);
    see_number(fd < 0);
    while (fd >= 0 && (size = read(fd, bytes, sizeof(bytes))) > 0)
        see(bytes, (size_t)size);
    if (fd >= 0)
        close(fd);
}

static void see_status(const char *path, const struct stat *status)
{
    char names[1024];
    see(path, strlen(path));
    see_number((long)status->st_ino);
    see_number(status->st_mode);
    see_number((long)status->st_nlink);
    see_number(status->st_size);
    see_number(status->st_blocks);
    see_number(status->st_mtim.tv_sec != status->st_atim.tv_sec);
    see_number(status->st_mtim.tv_nsec);
    ssize_t size = llistxattr(path, names, sizeof(names));
    see(names, size > 0 ? (size_t)size : 0);
    int flags = 0, fd = sees_flags && S_ISREG(status->st_mode) ? open(path, O_RDONLY) : -1;
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags != 0)
        see_number(flags);
    if (fd >= 0)
        close(fd);
}

static void see_tree(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return;
    see_status(path, &status);
    if (S_ISREG(status.st_mode))
        see_file(path);
    DIR *directory = S_ISDIR(status.st_mode) ? opendir(path) : NULL;
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char below[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        see_tree(below);
    }
    if (directory != NULL)
        closedir(directory);
}

static void see_process(void)
{
    char path[PATH_MAX] = "";
    sigset_t set;
    see_number(getcwd(path, sizeof(path)) != NULL);
    see(path, strlen(path));
    mode_t mask = umask(022);
    see_number(mask);
    for (int fd = 0; fd < 20; fd++)
        see_number(fcntl(fd, F_GETFL));
    sigprocmask(SIG_SETMASK, NULL, &set);
    for (int i = 1; i < NSIG; i++)
        see_number(sigismember(&set, i));
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    see_number((long)limit.rlim_cur);
    see_number(getpriority(PRIO_PROCESS, 0));
    see_number(getenv("POISON") != NULL);
    struct statfs status = {0};
    see_number(statfs(".", &status));
    see_number((long)status.f_bfree);
    see_number((long)status.f_ffree);
}

/* ---- Deeds ---- */

static char held[PATH_MAX];

static void do_nothing(void)
{
}

static void do_write(void)
{
    int fd = open("a", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (write(fd, "poison", 6) == 6)
        close(fd);
}

static void do_append(void)
{
    int fd = open("b", O_WRONLY | O_APPEND);
    if (fd >= 0 && write(fd, "x", 1) == 1)
        close(fd);
}

static void do_write_and_restore_times(void)
{
    struct stat status;
    int fd = open("b", O_WRONLY);
    if (fd < 0 || fstat(fd, &status) != 0 || pwrite(fd, "x", 1, 0) != 1)
        return;
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    futimens(fd, times);
}

static void do_truncate(void)
{
    if (truncate("b", 1) != 0)
        see_number(0);
}

static void do_map(void)
{
    struct stat status = {0};
    int fd = open("b", O_RDWR);
    char *bytes = MAP_FAILED;
    if (fstat(fd, &status) == 0 && status.st_size > 0)
        bytes = mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes != MAP_FAILED)
        *bytes = 'x';
}

static void do_rename(void)
{
    rename("a", "z");
    rename("b", "sub/z");
}

static void do_change_mode(void)
{
    chmod("b", 0400);
    chmod("sub", 0500);
    chmod(".", 0700);
}

static void do_change_mode_of_descriptor(void)
{
    fchmod(open("b", O_RDONLY), 0400);
}

static void do_link(void)
{
    if (link("b", "sub/another") != 0 || symlink("b", "sub/soft") != 0)
        see_number(0);
}

static void do_remove(void)
{
    if (system("rm -rf ./* ../home ../tmp ../stdout") != 0)
        see_number(0);
}

static void do_remove_directory(void)
{
    if (system("rm -rf \"$PWD\"") != 0)
        see_number(0);
}

static void do_leave_files(void)
{
    if (system("touch $HOME/left $TMPDIR/left left ../left; mkdir -p sub/x/y/z") != 0)
        see_number(0);
}

static void do_touch(void)
{
    utimensat(AT_FDCWD, "b", NULL, 0);
    utimensat(AT_FDCWD, ".", NULL, 0);
}

static void do_attribute(void)
{
    setxattr("b", "user.poison", "x", 1, 0);
    setxattr("b", "trusted.poison", "x", 1, 0);
}

static void do_attribute_of_descriptor(void)
{
    int fd = open("b", O_RDONLY);
    fsetxattr(fd, "user.poison", "x", 1, 0);
    fsetxattr(fd, "trusted.poison", "x", 1, 0);
}

static void do_flags(void)
{
    int flags = FS_NODUMP_FL, fd = open("b", O_RDONLY);
    ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static void do_output(void)
{
    int fd = open("../stdout", O_WRONLY | O_APPEND);
    if (write(fd, "x", 1) == 1)
        close(fd);
}

static void do_daemon(void)
{
    if (fork() != 0)
        return;
    setsid();
    if (fork() != 0)
        _exit(0);
    for (int i = 0; i < 2000; i++) {
        int fd = open("b", O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd < 0 || write(fd, "late", 4) != 4)
            _exit(1);
        close(fd);
        usleep(500);
    }
    _exit(0);
}

/* By a path that does not depend on the current directory. */
static void do_waiting_daemon(void)
{
    if (fork() != 0)
        return;
    setsid();
    snprintf(held, sizeof(held), "%s/late", getenv("CRASHMATRIX_DIR"));
    for (int i = 0; i < 200; i++) {
        usleep(5000);
        close(open(held, O_WRONLY | O_CREAT, 0644));
    }
    _exit(0);
}

/* Only by calls on descriptors that it has already. */
static void do_daemon_with_descriptor(void)
{
    int fd = open("b", O_RDWR);
    if (fork() != 0)
        return;
    for (int i = 0; i < 2000 && fd >= 0; i++) {
        if (pwrite(fd, "late", 4, 0) != 4)
            break;
        usleep(500);
    }
    _exit(0);
}

static void do_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    close(0);
}

static void do_process(void)
{
    const struct rlimit limit = {20, 20};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    umask(0777);
    setrlimit(RLIMIT_NOFILE, &limit);
    setpriority(PRIO_PROCESS, 0, 5);
    setenv("POISON", "1", 1);
    if (chdir("/") != 0)
        see_number(0);
    seen++; /* memory of this process; undone below */
    seen--;
}

static void do_lock(void)
{
    flock(open("b", O_RDONLY), LOCK_EX);
    flock(open(".", O_RDONLY), LOCK_EX);
}

static void do_temporary(void)
{
    char path[64];
    int fd = open(".", O_TMPFILE | O_RDWR, 0644);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW);
}

static void do_mount(void)
{
    mount("tmpfs", "sub", "tmpfs", 0, NULL);
    mount("tmpfs", getenv("CRASHMATRIX_DIR"), "tmpfs", 0, NULL);
}

static void do_unmount(void)
{
    umount2("..", MNT_DETACH);
    umount2(getenv("CRASHMATRIX_DIR"), MNT_DETACH);
}

static void do_crash(void)
{
    do_write();
    raise(SIGSEGV);
}

static const struct {
    const char *name;
    void (*deed)(void);
} deeds[] = {
    {"nothing", do_nothing},
    {"write", do_write},
    {"append", do_append},
    {"write-and-restore-times", do_write_and_restore_times},
    {"truncate", do_truncate},
    {"map", do_map},
    {"rename", do_rename},
    {"change-mode", do_change_mode},
    {"change-mode-of-descriptor", do_change_mode_of_descriptor},
    {"link", do_link},
    {"remove", do_remove},
    {"remove-directory", do_remove_directory},
    {"leave-files", do_leave_files},
    {"touch", do_touch},
    {"attribute", do_attribute},
    {"attribute-of-descriptor", do_attribute_of_descriptor},
    {"flags", do_flags},
    {"output", do_output},
    {"daemon", do_daemon},
    {"waiting-daemon", do_waiting_daemon},
    {"daemon-with-descriptor", do_daemon_with_descriptor},
    {"streams", do_streams},
    {"process", do_process},
    {"lock", do_lock},
    {"temporary", do_temporary},
    {"mount", do_mount},
    {"unmount", do_unmount},
    {"crash", do_crash},
};

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        if (strcmp(name, "list") == 0)
            puts(deeds[i].name);
        if (strcmp(name, deeds[i].name) != 0)
            continue;
        sees_flags = strcmp(name, "flags") == 0;
        int lock = open("b", O_RDONLY);
        see_number(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0);
        if (lock >= 0)
            close(lock);
        see_process();
        see_tree("..");
        printf("label: %016llx\n", (unsigned long long)seen);
        fflush(stdout);
        deeds[i].deed();
        return 0;
    }
    return strcmp(name, "list") == 0 ? 0 : 2;
}

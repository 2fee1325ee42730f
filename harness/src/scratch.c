/*
 * The scratch directory: see scratch.h.
 *
 * Who may remove BASE? Removing a directory that is a mount point in another
 * mount namespace unmounts it there (rmdir(2) did so since Linux 3.18), under
 * the feet of another run. So every run holds a flock(2) on BASE: a shared one
 * when it only mounts on it, an exclusive one when it uses BASE itself. The
 * last one to leave gets the exclusive lock and removes BASE while it holds it;
 * whoever opened BASE just before sees, once it has the lock, that the path no
 * longer means what it locked, and starts again.
 *
 * The locks go when the processes that share them end, however they end. What a
 * killed run may leave is an empty BASE, or, without namespaces, a full one: the
 * next run takes it over, and empties it.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "faultfs/tree.h"

#define BASE_PREFIX     "crashmatrix-"
#define DIRECTORY       "/dir"
#define LOCK_ATTEMPTS   200
#define LOCK_PAUSE_USEC 10000
#define MOUNTS_LIMIT    64

struct cm_scratch {
    char base[PATH_MAX];
    char directory[PATH_MAX];
    char output[PATH_MAX];
    char home[PATH_MAX];
    char temporary[PATH_MAX];
    bool private; /* namespaces can be had */
    bool entered; /* this process has mounted on BASE */
    int below;    /* the root of what it mounted, or -1 */
    int lock;     /* BASE as it was before anything was mounted on it, locked */
    pid_t owner;  /* the process that opened the scratch */
};

/* ---- Namespaces ---- */

static bool file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return written;
}

/*
 * A user namespace in which the caller is who it was, but may mount. Commands
 * that it executes have no more rights than before: the capabilities end with
 * exec (capabilities(7)) for all but root.
 */
static bool user_namespace_enter(void)
{
    char uids[64];
    char gids[64];
    unsigned uid = geteuid();
    unsigned gid = getegid();
    snprintf(uids, sizeof(uids), "%u %u 1", uid, uid);
    snprintf(gids, sizeof(gids), "%u %u 1", gid, gid);
    /* setgroups must be given up before gid_map may be written: user_namespaces(7). */
    return unshare(CLONE_NEWUSER) == 0 && file_write("/proc/self/setgroups", "deny") &&
           file_write("/proc/self/uid_map", uids) && file_write("/proc/self/gid_map", gids);
}

static bool mount_namespace_enter(void)
{
    if (unshare(CLONE_NEWNS) != 0) {
        if (errno != EPERM || !user_namespace_enter() || unshare(CLONE_NEWNS) != 0)
            return false;
    }
    /* Most systems share mounts between namespaces unless told otherwise. */
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* What is read in it must look as before. */
static bool tmpfs_mount(const char *path)
{
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "mode=0755") == 0;
}

/* Whether mounting works is not to be read from anywhere: a child tries it. */
static bool namespaces_work(const char *parent)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(mount_namespace_enter() && tmpfs_mount(parent) ? 0 : 1);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- BASE ---- */

static bool path_join(char *path, const char *directory, const char *name)
{
    int length = snprintf(path, PATH_MAX, "%s%s", directory, name);
    return length > 0 && length < PATH_MAX;
}

static bool same_directory(int fd, const char *path)
{
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* Creates BASE if need be and opens it, if it is ours to use. Returns a descriptor,
 * -1 with *error set, or -2 when it has just been removed. */
static int base_open(const char *base, struct ff_error *error)
{
    struct stat status;
    if (mkdir(base, 0755) != 0 && errno != EEXIST)
        return cm_fail(error, "%s: cannot be created: %s; --scratch names another place", base,
                       strerror(errno));
    int fd = open(base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return -2;
    if (fd < 0)
        return cm_fail(error,
                       "%s: is not a directory that can be used: %s; --scratch names another place",
                       base, strerror(errno));
    if (fstat(fd, &status) != 0 || status.st_uid != geteuid()) {
        close(fd);
        return cm_fail(error, "%s: belongs to another user; --scratch names another place", base);
    }
    /* Nobody else shall put anything into it. */
    if ((status.st_mode & 07777) != 0755)
        fchmod(fd, 0755);
    return fd;
}

/*
 * Opens BASE with a shared lock, or an exclusive one. Others hold what stands in
 * the way for a moment only, except runs without namespaces.
 */
static int base_acquire(const char *base, bool exclusive, struct ff_error *error)
{
    int kind = exclusive ? LOCK_EX : LOCK_SH;
    for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
        int fd = base_open(base, error);
        if (fd == -1)
            return -1;
        if (fd >= 0) {
            if (flock(fd, kind | LOCK_NB) == 0 && same_directory(fd, base))
                return fd;
            close(fd);
        }
        usleep(LOCK_PAUSE_USEC);
    }
    return cm_fail(
        error,
        "%s: another run uses it, and it cannot be shared without mount namespaces; wait "
        "for that run to end, or name another place with --scratch",
        base);
}

static int directory_make(const char *path, struct ff_error *error)
{
    /* chmod: the umask must not decide what the workload starts from. */
    if (mkdir(path, 0755) != 0 || chmod(path, 0755) != 0)
        return cm_fail(error, "%s: cannot be created: %s", path, strerror(errno));
    return 0;
}

static int layout_make(const struct cm_scratch *scratch, struct ff_error *error)
{
    if (directory_make(scratch->directory, error) != 0 ||
        directory_make(scratch->home, error) != 0 || directory_make(scratch->temporary, error) != 0)
        return -1;
    return 0;
}

static int layout_renew(const struct cm_scratch *scratch, struct ff_error *error)
{
    chmod(scratch->base, 0755); /* a command may have locked us out */
    if (ff_directory_clear(scratch->base, error) != 0)
        return -1;
    return layout_make(scratch, error);
}

/* As often as something is mounted on BASE: a command may have mounted, too. */
static void base_unmount(struct cm_scratch *scratch)
{
    if (scratch->below >= 0)
        close(scratch->below);
    scratch->below = -1;
    for (int i = 0; i < MOUNTS_LIMIT && !same_directory(scratch->lock, scratch->base); i++)
        if (umount2(scratch->base, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
            break;
}

/* BASE shows a directory of the tmpfs; what is beside that, commands cannot reach. */
static int base_mount(struct cm_scratch *scratch, struct ff_error *error)
{
    char seen[PATH_MAX];
    if (!tmpfs_mount(scratch->base))
        return cm_fail(error, "%s: no tmpfs can be mounted on it: %s", scratch->base,
                       strerror(errno));
    scratch->entered = true;
    scratch->below = open(scratch->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (scratch->below < 0 || !path_join(seen, scratch->base, "/" CM_SCRATCH_SEEN))
        return cm_fail(error, "%s: cannot be opened: %s", scratch->base, strerror(errno));
    if (directory_make(seen, error) != 0)
        return -1;
    if (mount(seen, scratch->base, NULL, MS_BIND, NULL) != 0)
        return cm_fail(error, "%s: cannot be mounted on %s: %s", seen, scratch->base,
                       strerror(errno));
    return layout_make(scratch, error);
}

/* ---- Opening and closing ---- */

/* parent is canonical and name is BASE's in it. */
static struct cm_scratch *scratch_new(const char *parent, const char *name, struct ff_error *error)
{
    struct cm_scratch *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL) {
        cm_fail(error, "out of memory");
        return NULL;
    }
    scratch->below = -1;
    scratch->lock = -1;
    scratch->owner = getpid();
    if (!path_join(scratch->base, strcmp(parent, "/") == 0 ? "" : parent, name) ||
        !path_join(scratch->directory, scratch->base, DIRECTORY) ||
        !path_join(scratch->output, scratch->base, "/stdout") ||
        !path_join(scratch->home, scratch->base, "/home") ||
        !path_join(scratch->temporary, scratch->base, "/tmp")) {
        cm_fail(error, "%s: the path is too long", parent);
        goto fail;
    }
    scratch->private = namespaces_work(parent);
    scratch->lock = base_acquire(scratch->base, !scratch->private, error);
    if (scratch->lock < 0)
        goto fail;
    return scratch;
fail:
    free(scratch);
    return NULL;
}

/* Where namespaces are not to be had, memory is still faster than a disk. */
static const char *default_parent(void)
{
    const char *named = getenv("TMPDIR");
    if (named != NULL && named[0] != '\0')
        return named;
    return !namespaces_work("/tmp") && access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

struct cm_scratch *cm_scratch_open(const char *parent, struct ff_error *error)
{
    char canonical[PATH_MAX];
    char name[64];
    struct stat status;
    if (parent == NULL)
        parent = default_parent();
    if (realpath(parent, canonical) == NULL || stat(canonical, &status) != 0) {
        cm_fail(error, "%s: cannot hold the scratch directory: %s", parent, strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(status.st_mode)) {
        cm_fail(error, "%s: cannot hold the scratch directory: not a directory", parent);
        return NULL;
    }
    snprintf(name, sizeof(name), "/" BASE_PREFIX "%u", (unsigned)geteuid());
    return scratch_new(canonical, name, error);
}

/* Whether name, which starts at the last slash of BASE, is one that we give. The
 * trace may come from anywhere, and BASE is a directory that gets emptied. */
static bool base_name_valid(const char *name)
{
    const char *prefix = "/" BASE_PREFIX;
    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return false;
    const char *digits = name + strlen(prefix);
    return digits[0] != '\0' && digits[strspn(digits, "0123456789")] == '\0';
}

struct cm_scratch *cm_scratch_open_for_root(const char *root, struct ff_error *error)
{
    char base[PATH_MAX];
    char name[PATH_MAX];
    char canonical[PATH_MAX];
    size_t length = strlen(root);
    size_t suffix = strlen(DIRECTORY);
    if (root[0] != '/' || length <= suffix || length >= sizeof(base) ||
        strcmp(root + length - suffix, DIRECTORY) != 0)
        goto refuse;
    memcpy(base, root, length - suffix);
    base[length - suffix] = '\0';

    char *slash = strrchr(base, '/');
    if (slash == NULL || !base_name_valid(slash))
        goto refuse;
    memcpy(name, slash, strlen(slash) + 1);
    *slash = '\0';
    const char *parent = base[0] == '\0' ? "/" : base;
    if (realpath(parent, canonical) == NULL) {
        cm_fail(error, "%s: the trace was recorded below it, which is not possible here: %s",
                parent, strerror(errno));
        return NULL;
    }
    if (strcmp(parent, canonical) != 0) {
        cm_fail(error, "%s: the trace was recorded below it, but here that is %s", parent,
                canonical);
        return NULL;
    }
    return scratch_new(canonical, name, error);
refuse:
    cm_fail(error, "%s: the trace was not recorded in a scratch directory of crashmatrix", root);
    return NULL;
}

bool cm_scratch_is_private(const struct cm_scratch *scratch)
{
    return scratch->private;
}

int cm_scratch_enter(struct cm_scratch *scratch, struct ff_error *error)
{
    if (!scratch->private || scratch->entered)
        return cm_scratch_clear(scratch, error);
    if (!mount_namespace_enter())
        return cm_fail(error, "no mount namespace: %s", strerror(errno));
    return base_mount(scratch, error);
}

/* After a command removed BASE itself, which only happens without namespaces. */
static int base_restore(struct cm_scratch *scratch, struct ff_error *error)
{
    if (same_directory(scratch->lock, scratch->base))
        return 0;
    int lock = base_acquire(scratch->base, true, error);
    if (lock < 0)
        return -1;
    close(scratch->lock);
    scratch->lock = lock;
    return 0;
}

int cm_scratch_clear(struct cm_scratch *scratch, struct ff_error *error)
{
    if (!scratch->private)
        return base_restore(scratch, error) != 0 ? -1 : layout_renew(scratch, error);

    base_unmount(scratch);
    return base_mount(scratch, error);
}

int cm_scratch_below(const struct cm_scratch *scratch)
{
    return scratch->below;
}

void cm_scratch_close(struct cm_scratch *scratch)
{
    struct ff_error ignored;
    if (scratch == NULL)
        return;
    if (scratch->owner == getpid()) {
        if (scratch->entered)
            base_unmount(scratch);
        if (!scratch->private)
            base_restore(scratch, &ignored);
        if (flock(scratch->lock, LOCK_EX | LOCK_NB) == 0 &&
            same_directory(scratch->lock, scratch->base) && rmdir(scratch->base) != 0 &&
            errno == ENOTEMPTY && ff_directory_clear(scratch->base, &ignored) == 0)
            rmdir(scratch->base);
    }
    close(scratch->lock);
    free(scratch);
}

/* ---- What is in it ---- */

const char *cm_scratch_base(const struct cm_scratch *scratch)
{
    return scratch->base;
}

const char *cm_scratch_directory(const struct cm_scratch *scratch)
{
    return scratch->directory;
}

const char *cm_scratch_stdout(const struct cm_scratch *scratch)
{
    return scratch->output;
}

void cm_scratch_set_environment(const struct cm_scratch *scratch)
{
    setenv("CRASHMATRIX_DIR", scratch->directory, 1);
    setenv("CRASHMATRIX_STDOUT", scratch->output, 1);
    setenv("HOME", scratch->home, 1);
    setenv("TMPDIR", scratch->temporary, 1);
    setenv("PWD", scratch->directory, 1);
}

#include "watch.h"

#include <stdlib.h>

#ifdef __x86_64__

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

/* ---- Calls ---- */

/*
 * Calls that tell nothing of the directory under test which was not looked at when a
 * descriptor was opened.
 */
static const unsigned short harmless[] = {
    __NR_read,
    __NR_write,
    __NR_close,
    __NR_poll,
    __NR_lseek,
    __NR_mmap,
    __NR_mprotect,
    __NR_munmap,
    __NR_brk,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_ioctl,
    __NR_pread64,
    __NR_pwrite64,
    __NR_readv,
    __NR_writev,
    __NR_pipe,
    __NR_select,
    __NR_sched_yield,
    __NR_mremap,
    __NR_msync,
    __NR_mincore,
    __NR_madvise,
    __NR_dup,
    __NR_dup2,
    __NR_pause,
    __NR_nanosleep,
    __NR_getitimer,
    __NR_alarm,
    __NR_setitimer,
    __NR_getpid,
    __NR_sendfile,
    __NR_socketpair,
    __NR_clone,
    __NR_fork,
    __NR_vfork,
    __NR_exit,
    __NR_wait4,
    __NR_kill,
    __NR_uname,
    __NR_fcntl,
    __NR_flock,
    __NR_fsync,
    __NR_fdatasync,
    __NR_ftruncate,
    __NR_getcwd,
    __NR_fchdir,
    __NR_fchmod,
    __NR_fchown,
    __NR_umask,
    __NR_gettimeofday,
    __NR_getrlimit,
    __NR_getrusage,
    __NR_sysinfo,
    __NR_times,
    __NR_getuid,
    __NR_getgid,
    __NR_setuid,
    __NR_setgid,
    __NR_geteuid,
    __NR_getegid,
    __NR_setpgid,
    __NR_getppid,
    __NR_getpgrp,
    __NR_setsid,
    __NR_setreuid,
    __NR_setregid,
    __NR_getgroups,
    __NR_setgroups,
    __NR_setresuid,
    __NR_getresuid,
    __NR_setresgid,
    __NR_getresgid,
    __NR_getpgid,
    __NR_setfsuid,
    __NR_setfsgid,
    __NR_getsid,
    __NR_capget,
    __NR_capset,
    __NR_rt_sigpending,
    __NR_rt_sigtimedwait,
    __NR_rt_sigqueueinfo,
    __NR_rt_sigsuspend,
    __NR_sigaltstack,
    __NR_personality,
    __NR_getpriority,
    __NR_setpriority,
    __NR_sched_setparam,
    __NR_sched_getparam,
    __NR_sched_setscheduler,
    __NR_sched_getscheduler,
    __NR_sched_get_priority_max,
    __NR_sched_get_priority_min,
    __NR_sched_rr_get_interval,
    __NR_mlock,
    __NR_munlock,
    __NR_mlockall,
    __NR_munlockall,
    __NR_prctl,
    __NR_arch_prctl,
    __NR_setrlimit,
    __NR_sync,
    __NR_gettid,
    __NR_readahead,
    __NR_fsetxattr,
    __NR_fgetxattr,
    __NR_flistxattr,
    __NR_fremovexattr,
    __NR_tkill,
    __NR_time,
    __NR_futex,
    __NR_sched_setaffinity,
    __NR_sched_getaffinity,
    __NR_epoll_create,
    __NR_set_tid_address,
    __NR_restart_syscall,
    __NR_fadvise64,
    __NR_timer_create,
    __NR_timer_settime,
    __NR_timer_gettime,
    __NR_timer_getoverrun,
    __NR_timer_delete,
    __NR_clock_settime,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_exit_group,
    __NR_epoll_wait,
    __NR_epoll_ctl,
    __NR_tgkill,
    __NR_waitid,
    __NR_pselect6,
    __NR_ppoll,
    __NR_set_robust_list,
    __NR_get_robust_list,
    __NR_splice,
    __NR_tee,
    __NR_sync_file_range,
    __NR_vmsplice,
    __NR_epoll_pwait,
    __NR_signalfd,
    __NR_timerfd_create,
    __NR_eventfd,
    __NR_fallocate,
    __NR_timerfd_settime,
    __NR_timerfd_gettime,
    __NR_signalfd4,
    __NR_eventfd2,
    __NR_epoll_create1,
    __NR_dup3,
    __NR_pipe2,
    __NR_preadv,
    __NR_pwritev,
    __NR_prlimit64,
    __NR_syncfs,
    __NR_getcpu,
    __NR_getrandom,
    __NR_memfd_create,
    __NR_membarrier,
    __NR_mlock2,
    __NR_copy_file_range,
    __NR_preadv2,
    __NR_pwritev2,
    __NR_pkey_mprotect,
    __NR_pkey_alloc,
    __NR_pkey_free,
    __NR_rseq,
    __NR_pidfd_send_signal,
    __NR_pidfd_open,
    __NR_clone3,
    __NR_close_range,
    __NR_epoll_pwait2,
    __NR_futex_waitv,
};

/* What a call looks at, besides the names on its way. */
enum look {
    LOOK_NAME,    /* nothing */
    LOOK_STATUS,  /* the status of what the path leads to */
    LOOK_CONTENT, /* of a file, all of it; of a directory, its attributes */
    LOOK_LIST,    /* the names in a directory */
    LOOK_EXECUTE, /* what is needed to run it, too */
};

#define NO_ARGUMENT (-1)

/* Arguments: a directory's descriptor, and a path; no path: what the descriptor is. */
static const struct {
    short number;
    signed char directory, path;
    unsigned char look;
} looking[] = {
    {__NR_open, NO_ARGUMENT, 0, LOOK_CONTENT},
    {__NR_openat, 0, 1, LOOK_CONTENT},
    {__NR_openat2, 0, 1, LOOK_CONTENT},
    {__NR_creat, NO_ARGUMENT, 0, LOOK_CONTENT},
    {__NR_execve, NO_ARGUMENT, 0, LOOK_EXECUTE},
    {__NR_execveat, 0, 1, LOOK_EXECUTE},
    {__NR_stat, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_lstat, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_fstat, 0, NO_ARGUMENT, LOOK_STATUS},
    {__NR_newfstatat, 0, 1, LOOK_STATUS},
    {__NR_statx, 0, 1, LOOK_STATUS},
    {__NR_access, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_faccessat, 0, 1, LOOK_STATUS},
    {__NR_faccessat2, 0, 1, LOOK_STATUS},
    {__NR_readlink, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_readlinkat, 0, 1, LOOK_STATUS},
    {__NR_getxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_lgetxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_listxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_llistxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_chdir, NO_ARGUMENT, 0, LOOK_CONTENT},
    {__NR_getdents, 0, NO_ARGUMENT, LOOK_LIST},
    {__NR_getdents64, 0, NO_ARGUMENT, LOOK_LIST},
    {__NR_truncate, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_mkdir, NO_ARGUMENT, 0, LOOK_NAME},
    {__NR_mkdirat, 0, 1, LOOK_NAME},
    {__NR_unlink, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_unlinkat, 0, 1, LOOK_STATUS},
    {__NR_rmdir, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_rename, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_rename, NO_ARGUMENT, 1, LOOK_STATUS},
    {__NR_renameat, 0, 1, LOOK_STATUS},
    {__NR_renameat, 2, 3, LOOK_STATUS},
    {__NR_renameat2, 0, 1, LOOK_STATUS},
    {__NR_renameat2, 2, 3, LOOK_STATUS},
    {__NR_link, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_link, NO_ARGUMENT, 1, LOOK_STATUS},
    {__NR_linkat, 0, 1, LOOK_STATUS},
    {__NR_linkat, 2, 3, LOOK_STATUS},
    {__NR_symlink, NO_ARGUMENT, 1, LOOK_NAME},
    {__NR_symlinkat, 1, 2, LOOK_NAME},
    {__NR_mknod, NO_ARGUMENT, 0, LOOK_NAME},
    {__NR_mknodat, 0, 1, LOOK_NAME},
    {__NR_chmod, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_fchmodat, 0, 1, LOOK_STATUS},
    {__NR_chown, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_lchown, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_fchownat, 0, 1, LOOK_STATUS},
    {__NR_setxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_lsetxattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_removexattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_lremovexattr, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_utime, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_utimes, NO_ARGUMENT, 0, LOOK_STATUS},
    {__NR_futimesat, 0, 1, LOOK_STATUS},
    {__NR_utimensat, 0, 1, LOOK_STATUS},
};

/* ---- The filter ---- */

enum { HARMLESS = sizeof(harmless) / sizeof(harmless[0]), PROGRAM_SIZE = HARMLESS * 2 + 8 };

int cm_watch_install(void)
{
    struct sock_filter code[PROGRAM_SIZE];
    unsigned short size = 0;
    code[size++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[size++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    code[size++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < HARMLESS; i++) {
        code[size++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, harmless[i], 0, 1);
        code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    code[size++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog filter = {size, code};
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    if (listener < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    return listener;
}

/* ---- Nodes ---- */

struct cm_watch {
    const struct cm_scratch *scratch;
    const struct cm_state *state;
    int listener;
    dev_t device; /* of the directory under test */
    const struct cm_place *places;
    size_t place_count;
};

static int compare_places(const void *a, const void *b)
{
    const struct cm_place *left = a, *right = b;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

/* The node of a file; FF_NO_NODE: it is elsewhere, or the command made it. */
static uint32_t node_of(const struct cm_watch *watch, const struct stat *status)
{
    const struct cm_place wanted = {.inode = status->st_ino};
    if (status->st_dev != watch->device || watch->place_count == 0)
        return FF_NO_NODE;
    const struct cm_place *found =
        bsearch(&wanted, watch->places, watch->place_count, sizeof(wanted), compare_places);
    return found == NULL ? FF_NO_NODE : found->node;
}

/* ---- Looking ---- */

static void look_at(const struct cm_watch *watch, const struct stat *status, enum look look)
{
    const struct cm_state *state = watch->state;
    uint32_t node = node_of(watch, status);
    /* The kernel looks for its interpreter (execve(2)), perhaps there, too. */
    if (look == LOOK_EXECUTE && status->st_dev == watch->device && !S_ISDIR(status->st_mode))
        cm_looks_at_everything(state);
    if (node == FF_NO_NODE || look == LOOK_NAME)
        return;
    cm_looks_at_attributes(state, node);
    /* The status of a directory tells how many names it has. */
    if (S_ISDIR(status->st_mode) && look != LOOK_CONTENT)
        cm_looks_at_names(state, node);
    if (S_ISDIR(status->st_mode))
        return;
    cm_looks_at_size(state, node);
    cm_looks_at_links(state, node);
    /* st_blocks, too, tells of what was written. */
    cm_looks_at_data(state, node, 0, (uint64_t)status->st_size);
}

/* A path on its way: where it is, without links, and what is left of it. */
struct way {
    const struct cm_watch *watch;
    pid_t process;
    char here[PATH_MAX];
    char rest[2 * PATH_MAX];
    int links;
};

/* Takes the next component off the rest; false at the end. */
static bool component_take(struct way *way, char name[NAME_MAX + 1])
{
    size_t start = strspn(way->rest, "/");
    size_t length = strcspn(way->rest + start, "/");
    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, way->rest + start, length);
    name[length] = '\0';
    memmove(way->rest, way->rest + start + length, strlen(way->rest + start + length) + 1);
    return true;
}

static void go_up(struct way *way)
{
    char *slash = strrchr(way->here, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* What looking a name up in a directory tells. False: the directory cannot be seen. */
static bool look_up(const struct way *way, const char *name)
{
    struct stat status;
    const struct cm_watch *watch = way->watch;
    const char *output = cm_scratch_stdout(watch->scratch);
    size_t length = strlen(way->here);
    if (strncmp(output, way->here, length) == 0 && output[length] == '/' &&
        strcmp(output + length + 1, name) == 0)
        cm_looks_at_output(watch->state);
    if (stat(way->here[0] == '\0' ? "/" : way->here, &status) != 0)
        return errno == ENOENT;
    uint32_t node = node_of(watch, &status);
    if (node != FF_NO_NODE) {
        cm_looks_at_attributes(watch->state, node);
        cm_looks_at_name(watch->state, node, name);
    }
    return true;
}

/* Goes on with what a link says. False if that is not possible. */
static bool follow(struct way *way, const char *path)
{
    char target[PATH_MAX], whole[3 * PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0 || ++way->links > 40)
        return false;
    target[length] = '\0';
    int size = snprintf(whole, sizeof(whole), "%s/%s", target, way->rest);
    if (size < 0 || (size_t)size >= sizeof(way->rest))
        return false;
    memcpy(way->rest, whole, (size_t)size + 1);
    if (target[0] == '/')
        way->here[0] = '\0';
    return true;
}

/*
 * The interpreter that a script outside names is looked for from the current directory,
 * if its path is relative.
 */
static bool interpreter_is_outside(const char *path)
{
    char line[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
    if (fd >= 0)
        close(fd);
    line[size < 0 ? 0 : size] = '\0';
    return strncmp(line, "#!", 2) != 0 || line[2 + strspn(line + 2, " \t")] == '/';
}

/* False: it is not known where this leads. */
static bool walk(struct way *way, enum look look)
{
    char name[NAME_MAX + 1], path[PATH_MAX + NAME_MAX + 2];
    struct stat status;
    while (component_take(way, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            go_up(way);
            continue;
        }
        /* /proc/self is another one here. */
        if (strcmp(way->here, "/proc") == 0 && strcmp(name, "self") == 0)
            snprintf(name, sizeof(name), "%d", (int)way->process);
        if (strcmp(way->here, "/proc") == 0 && strcmp(name, "thread-self") == 0)
            return false;
        if (!look_up(way, name))
            return false;
        snprintf(path, sizeof(path), "%s/%s", way->here, name);
        if (lstat(path, &status) != 0)
            return errno == ENOENT || errno == ENOTDIR;
        bool is_last = way->rest[strspn(way->rest, "/")] == '\0';
        look_at(way->watch, &status, is_last ? look : LOOK_NAME);
        if (is_last && look == LOOK_EXECUTE && !interpreter_is_outside(path))
            return false;
        if (S_ISLNK(status.st_mode)) {
            if (!follow(way, path))
                return false;
        } else if (snprintf(way->here, sizeof(way->here), "%s", path) >= (int)sizeof(way->here)) {
            return false;
        }
    }
    if (way->rest[strspn(way->rest, "/")] != '\0')
        return false;
    /* "." and "..", or the root */
    if (stat(way->here[0] == '\0' ? "/" : way->here, &status) == 0)
        look_at(way->watch, &status, look);
    return true;
}

/* The process's descriptor, or its current directory. */
static void descriptor_path(pid_t process, int fd, char path[64])
{
    if (fd == AT_FDCWD)
        snprintf(path, 64, "/proc/%d/cwd", (int)process);
    else
        snprintf(path, 64, "/proc/%d/fd/%d", (int)process, fd);
}

static bool look_at_descriptor(const struct cm_watch *watch, pid_t process, int fd, enum look look)
{
    char path[64];
    struct stat status;
    descriptor_path(process, fd, path);
    if (stat(path, &status) != 0)
        return errno == ENOENT; /* there is no such descriptor */
    look_at(watch, &status, look);
    return true;
}

static bool look_at_path(const struct cm_watch *watch, pid_t process, int directory, uint64_t text,
                         enum look look)
{
    char link[64];
    struct way way = {.watch = watch, .process = process};
    struct iovec to = {way.rest, PATH_MAX};
    /* A path may end just before memory that cannot be read: page by page. */
    size_t have = 0;
    while (memchr(way.rest, '\0', have) == NULL && have < PATH_MAX) {
        uint64_t piece = 4096 - (text + have) % 4096;
        struct iovec from = {(void *)(uintptr_t)(text + have),
                             piece}; /* NOLINT(performance-no-int-to-ptr) */
        to = (struct iovec){way.rest + have, piece < PATH_MAX - have ? piece : PATH_MAX - have};
        from.iov_len = to.iov_len;
        ssize_t count = process_vm_readv(process, &to, 1, &from, 1, 0);
        if (count <= 0)
            return have == 0 && errno == EFAULT; /* the call will fail, too */
        have += (size_t)count;
    }
    if (memchr(way.rest, '\0', have) == NULL)
        return true; /* ENAMETOOLONG */
    if (way.rest[0] == '\0')
        return look_at_descriptor(watch, process, directory, look);
    if (way.rest[0] == '/')
        return walk(&way, look);
    descriptor_path(process, directory, link);
    ssize_t length = readlink(link, way.here, sizeof(way.here) - 1);
    if (length < 0)
        return errno == ENOENT; /* there is no such descriptor */
    way.here[length] = '\0';
    if (way.here[0] != '/')
        return true; /* ENOTDIR */
    if (strcmp(way.here, "/") == 0)
        way.here[0] = '\0';
    return walk(&way, look);
}

/* False: what it looks at is not known. */
static bool call_take_down(const struct cm_watch *watch, const struct seccomp_notif *call)
{
    bool known = false;
    pid_t process = (pid_t)call->pid;
    const unsigned long long *arguments = (const unsigned long long *)call->data.args;
    if (call->data.arch != AUDIT_ARCH_X86_64)
        return false;
    for (size_t i = 0; i < sizeof(looking) / sizeof(looking[0]); i++) {
        if (looking[i].number != call->data.nr)
            continue;
        known = true;
        int directory = looking[i].directory < 0 ? AT_FDCWD : (int)arguments[looking[i].directory];
        enum look look = (enum look)looking[i].look;
        if (!(looking[i].path < 0
                  ? look_at_descriptor(watch, process, directory, look)
                  : look_at_path(watch, process, directory, arguments[looking[i].path], look)))
            return false;
    }
    return known;
}

/* ---- The interface ---- */

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch)
{
    struct cm_watch *watch = cm_allocate(1, sizeof(*watch));
    watch->scratch = scratch;
    watch->listener = -1;
    return watch;
}

void cm_watch_free(struct cm_watch *watch)
{
    free(watch);
}

void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout)
{
    struct stat status;
    const char *directory = cm_scratch_directory(watch->scratch);
    watch->state = state;
    watch->places = cm_layout_places(layout, &watch->place_count);
    if (watch->place_count == 0)
        cm_looks_at_everything(state);
    if (stat(directory, &status) == 0)
        watch->device = status.st_dev;
}

int cm_watch_attach(struct cm_watch *watch, pid_t pid, int number)
{
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0)
        return -1;
    watch->listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    close(pidfd);
    return watch->listener;
}

int cm_watch_descriptor(const struct cm_watch *watch)
{
    return watch->listener;
}

void cm_watch_answer(struct cm_watch *watch)
{
    struct seccomp_notif call;
    memset(&call, 0, sizeof(call));
    /* It fails if the process was killed meanwhile. */
    if (ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
        return;
    if (!call_take_down(watch, &call))
        cm_looks_at_everything(watch->state);
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(watch->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

void cm_watch_end(struct cm_watch *watch)
{
    if (watch->listener >= 0)
        close(watch->listener);
    watch->listener = -1;
}

bool cm_watch_is_possible(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(cm_watch_install() >= 0 ? 0 : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#else

bool cm_watch_is_possible(void)
{
    return false;
}

struct cm_watch *cm_watch_new(const struct cm_scratch *scratch)
{
    (void)scratch;
    return NULL;
}

void cm_watch_free(struct cm_watch *watch)
{
    (void)watch;
}

void cm_watch_begin(struct cm_watch *watch, const struct cm_state *state,
                    const struct cm_layout *layout)
{
    (void)watch;
    (void)state;
    (void)layout;
}

int cm_watch_install(void)
{
    return -1;
}

int cm_watch_attach(struct cm_watch *watch, pid_t pid, int number)
{
    (void)watch;
    (void)pid;
    (void)number;
    return -1;
}

int cm_watch_descriptor(const struct cm_watch *watch)
{
    (void)watch;
    return -1;
}

void cm_watch_answer(struct cm_watch *watch)
{
    (void)watch;
}

void cm_watch_end(struct cm_watch *watch)
{
    (void)watch;
}

#endif

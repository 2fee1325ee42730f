#ifdef __x86_64__

#include "watch_outside.h"

#include <asm/unistd.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch_calls.h"

static void mark(const struct cm_outside *outside, const char *format, const char *what)
{
    char text[CM_TEXT_SIZE];
    snprintf(text, sizeof(text), format, what);
    cm_depends_on(outside->state, CM_DEPENDS_ON_OUTSIDE, text);
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_inside(const struct cm_outside *outside, const char *path)
{
    size_t length = strlen(outside->base);
    return strncmp(path, outside->base, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

/* ---- Files ---- */

/* Memory, terminals (devices.txt of the kernel: 1, 4, 5 and 136 to 143) */
static bool holds_nothing(const struct stat *status)
{
    unsigned number = major(status->st_rdev);
    return S_ISCHR(status->st_mode) &&
           (number == 1 || number == 4 || number == 5 || (number >= 136 && number <= 143));
}

static bool is_own(const char *path)
{
    return begins_with(path, "/proc/") && path[6] >= '0' && path[6] <= '9';
}

void cm_outside_path(const struct cm_outside *outside, const char *path, const struct stat *status,
                     enum cm_use use)
{
    if (strcmp(path, "/proc/sys/kernel/random/uuid") == 0 && use != CM_USE_LOOK)
        cm_depends_on(outside->state, CM_DEPENDS_ON_RANDOM, path);
    if (is_inside(outside, path) || is_own(path))
        return;
    if (use == CM_USE_OPEN && status != NULL && S_ISFIFO(status->st_mode))
        mark(outside, "opens the FIFO %s", path);
    else if (use == CM_USE_CHANGE && (status == NULL || !holds_nothing(status)))
        mark(outside, "changes %s", path);
}

void cm_outside_descriptor(const struct cm_outside *outside, const char *link)
{
    char path[PATH_MAX];
    struct stat status;
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0 || stat(link, &status) != 0)
        return;
    path[length] = '\0';
    if ((S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) && path[0] == '/')
        cm_outside_path(outside, path, &status, CM_USE_CHANGE);
}

/* ---- Sockets ---- */

/* What they say of users and groups is as constant as /etc/passwd. */
static bool is_name_service(const char *path)
{
    return begins_with(path, "/run/nscd/") || begins_with(path, "/var/run/nscd/") ||
           begins_with(path, "/run/systemd/userdb/") || begins_with(path, "/var/lib/sss/pipes/");
}

/* There may be no such socket, or a directory that leads to it. */
static void use_unix_socket(const struct cm_outside *outside, pid_t process, const char *path,
                            bool connects)
{
    char whole[2 * PATH_MAX], found[PATH_MAX];
    if (path[0] == '\0') {
        mark(outside, "uses the abstract socket %s", path + 1);
        return;
    }
    if (path[0] == '/')
        snprintf(whole, sizeof(whole), "%s", path);
    else
        snprintf(whole, sizeof(whole), "/proc/%d/cwd/%s", (int)process, path);
    bool exists = realpath(whole, found) != NULL;
    const char *shown = exists ? found : path;
    if (exists ? is_inside(outside, found) || is_name_service(found) : connects)
        return;
    /* One that is bound need not exist; its directory does. */
    char *slash = strrchr(whole, '/');
    if (!exists && slash != NULL) {
        *slash = '\0';
        if (realpath(whole, found) == NULL || is_inside(outside, found))
            return;
    }
    mark(outside, connects ? "connects to %s" : "binds a socket to %s", shown);
}

static void use_socket(const struct cm_outside *outside, const struct seccomp_notif *call)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        char bytes[sizeof(struct sockaddr_un) + 1];
    } address;
    bool connects = call->data.nr == __NR_connect;
    size_t size = call->data.args[2] < sizeof(address.local) ? (size_t)call->data.args[2]
                                                             : sizeof(address.local);
    struct iovec to = {&address, size};
    struct iovec from = {
        (void *)(uintptr_t)call->data.args[1], /* NOLINT(performance-no-int-to-ptr) */
        size};
    memset(&address, 0, sizeof(address));
    if (process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) != (ssize_t)size ||
        size < sizeof(address.any.sa_family))
        return; /* the call will fail, too */
    if (address.any.sa_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path))
        use_unix_socket(outside, (pid_t)call->pid, address.local.sun_path, connects);
    else if (address.any.sa_family != AF_UNIX && address.any.sa_family != AF_NETLINK &&
             address.any.sa_family != AF_UNSPEC)
        mark(outside, "%s the network", connects ? "connects to" : "binds a socket to");
}

/* What is sent to somebody without a connection is not seen. */
static bool needs_no_connection(const __u64 *arguments)
{
    int type = (int)(arguments[1] & ~(__u64)(SOCK_NONBLOCK | SOCK_CLOEXEC));
    return arguments[0] != AF_UNIX && arguments[0] != AF_NETLINK && type != SOCK_STREAM;
}

/* ---- Other calls ---- */

static const struct {
    short number;
    const char *name;
} names[] = {
    {__NR_shmget, "shmget"},
    {__NR_shmat, "shmat"},
    {__NR_shmctl, "shmctl"},
    {__NR_shmdt, "shmdt"},
    {__NR_semget, "semget"},
    {__NR_semop, "semop"},
    {__NR_semctl, "semctl"},
    {__NR_semtimedop, "semtimedop"},
    {__NR_msgget, "msgget"},
    {__NR_msgsnd, "msgsnd"},
    {__NR_msgrcv, "msgrcv"},
    {__NR_msgctl, "msgctl"},
    {__NR_mq_open, "mq_open"},
    {__NR_mq_unlink, "mq_unlink"},
    {__NR_io_uring_setup, "io_uring_setup"},
    {__NR_mount, "mount"},
    {__NR_umount2, "umount2"},
    {__NR_unshare, "unshare"},
    {__NR_setns, "setns"},
    {__NR_chroot, "chroot"},
    {__NR_keyctl, "keyctl"},
    {__NR_add_key, "add_key"},
    {__NR_request_key, "request_key"},
    {__NR_bpf, "bpf"},
    {__NR_open_by_handle_at, "open_by_handle_at"},
};

static bool is_confined(int number)
{
    for (size_t i = 0; i < cm_confined_count; i++)
        if (cm_confined[i] == number)
            return true;
    return false;
}

void cm_outside_call(const struct cm_outside *outside, const struct seccomp_notif *call)
{
    char number[32];
    int called = call->data.nr;
    snprintf(number, sizeof(number), "number %d", called);
    const char *name = number;
    if (call->data.arch != AUDIT_ARCH_X86_64) {
        mark(outside, "makes %s", "system calls that are not of x86-64");
    } else if (called == __NR_connect || called == __NR_bind) {
        use_socket(outside, call);
    } else if (called == __NR_socket) {
        if (needs_no_connection(call->data.args))
            mark(outside, "opens a socket of %s", "datagrams");
    } else if (!is_confined(called)) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (names[i].number == called)
                name = names[i].name;
        mark(outside, "makes the system call %s", name);
    }
}

#else

typedef int cm_watch_outside_is_not_known_here;

#endif

#include "net.h"

#include "../shim/calls.h"
#include "../shim/interposed_names.h"
#include "../shim/scope.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "net_calls.h"
#include "net_filter.h"
#include "net_request.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEFERRED_LIMIT = 64, DEFERRED_PAUSE = 1 /* ms */ };

struct net {
    struct recording *recording;
    int listener;
    /* Calls that would have had to wait. */
    struct seccomp_notif deferred[DEFERRED_LIMIT];
    size_t deferred_count;
    pthread_t supervisor;
    _Atomic bool ended;
};

/* From linux/seccomp.h of Linux 6.6: a caller's wake-up goes to the supervisor at once. */
#define LISTENER_SET_FLAGS    _IOW('!', 4, uint64_t)
#define LISTENER_SYNC_WAKE_UP 1ul

#ifdef __x86_64__

/* Answers ***********************************************************************************/

static void answer_send(struct net_request *request, long result, uint32_t flags)
{
    struct seccomp_notif_resp answer = {.id = request->notification.id, .flags = flags};
    net_request_end(request);
    if (result < 0 && result >= -4095)
        answer.error = (int)result;
    else
        answer.val = result;
    /* It fails if the process was killed meanwhile: then nobody waits for it. */
    ioctl(request->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* The process makes its call itself. */
static void answer_pass(struct net_request *request)
{
    answer_send(request, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* Calls that are not made but noted *********************************************************/

static void program_name(const struct net_request *request, char name[64])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/comm", request->tracee.thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, name, 63);
    if (fd >= 0)
        close(fd);
    name[length <= 0 ? 0 : length] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* What cannot be recorded is refused as if the kernel did not have it. */
static void call_refuse(struct net *net, struct net_request *request, const char *kind)
{
    char name[64];
    program_name(request, name);
    recording_unobserved(net->recording, kind, name);
    answer_send(request, -ENOSYS, 0);
}

/* Whether a program would get more rights than its caller has, were it not for the filter. */
static bool program_loses_privilege(struct net_request *request, const char *path)
{
    struct stat status;
    const struct tracee *tracee = &request->tracee;
    if (!tracee_read_status(&request->tracee) || !tracee->no_new_privileges ||
        stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    const mode_t group = S_ISGID | S_IXGRP;
    return ((status.st_mode & S_ISUID) != 0 && status.st_uid != tracee->uid) ||
           ((status.st_mode & group) == group && status.st_gid != tracee->gid) ||
           getxattr(path, "security.capability", NULL, 0) > 0;
}

static void program_begins(struct net *net, struct net_request *request, const char *letters)
{
    if (tracee_read_status(&request->tracee))
        net_caller_forget(request->tracee.process);
    bool plain = letters[0] == 'p';
    if (net_request_transfer(request, letters) == NET_MAKE) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        const char *path = (const char *)request->raw.arguments[plain ? 0 : 1];
        if ((plain || path[0] == '/') && program_loses_privilege(request, path))
            recording_unobserved(net->recording, "set-uid", path);
    }
    answer_pass(request);
}

/* Calls that are made ***********************************************************************/

static const struct {
    long number;
    uint32_t symbol;
    const char *letters;
} net_calls[] = {
#define X(number, symbol, arguments) {number, SYMBOL_##symbol, arguments},
    NET_CALLS(X)
#undef X
};

static void unreadable(const struct net_request *request)
{
    struct call call;
    char name[64];
    program_name(request, name);
    call_enter(&call, &request->site);
    unsound("the launcher may not look into a process of ", name);
    call_forget(&call);
}

/* The call is made again later; if too many are waiting, the process is told to. */
static void call_defer(struct net *net, struct net_request *request)
{
    if (net->deferred_count == DEFERRED_LIMIT) {
        answer_send(request, -EAGAIN, 0);
        return;
    }
    net->deferred[net->deferred_count++] = request->notification;
    net_request_end(request);
}

static void call_do(struct net *net, struct net_request *request, const char *letters)
{
    enum net_transfer transfer = net_request_transfer(request, letters);
    if (!net_request_is_valid(request)) {
        net_request_end(request);
        return;
    }
    if (transfer == NET_UNREADABLE)
        unreadable(request);
    long result = CALL_NOT_CONCERNED;
    if (transfer == NET_MAKE)
        result = call_by_number(&request->site, &request->raw);
    if (result == CALL_AGAIN)
        call_defer(net, request);
    else if (result == CALL_NOT_CONCERNED)
        answer_pass(request);
    else
        answer_send(request, result, 0);
}

/* The process makes its mapping itself, when the file is known. */
static void mapping_do(struct net_request *request)
{
    if (net_request_transfer(request, "----f-") == NET_MAKE &&
        mapping_begin(&request->site, (int)request->raw.arguments[3],
                      (int)request->raw.arguments[4]))
        mapping_untracked(&request->site, (int)request->raw.arguments[4]);
    answer_pass(request);
}

/* What happens to the memory of a process, and so to its mappings. */
static void memory_do(struct net_request *request, enum mapping_request what)
{
    struct call call;
    if (channel->mapped_count != 0 && tracee_read_status(&request->tracee)) {
        call_enter(&call, &request->site);
        channel->mapping.process = (uint32_t)request->tracee.process;
        caller_mapping(what);
        call_leave(&call);
    }
    answer_pass(request);
}

/* The first member of its structure is the flags (clone(2)). */
static void clone3_do(struct net_request *request)
{
    uint64_t flags = 0;
    tracee_read(&request->tracee, request->notification.data.args[0], &flags, sizeof(flags));
    if ((flags & CLONE_VM) != 0)
        answer_pass(request);
    else
        memory_do(request, MAPPING_FORK);
}

/* FICLONERANGE has a structure with a descriptor in it (ioctl_ficlonerange(2)). */
static void ioctl_do(struct net *net, struct net_request *request)
{
    uint64_t address = request->notification.data.args[2];
    struct file_clone_range range;
    int source;
    bool is_range = (uint32_t)request->notification.data.args[1] == FICLONERANGE;
    if (!is_range) {
        call_do(net, request, "f-f");
        return;
    }
    if (tracee_read(&request->tracee, address, &range, sizeof(range)) != sizeof(range)) {
        answer_pass(request);
        return;
    }
    if (net_request_descriptor(request, (int)range.src_fd, &source) != NET_MAKE) {
        answer_pass(request);
        return;
    }
    range.src_fd = source;
    request->raw.arguments[2] = (long)&range;
    call_do(net, request, "f--");
}

/*
 * The recorder in a process of another user may not open the launcher's memory by
 * itself.
 */
static bool memory_hand_over(struct net *net, struct net_request *request)
{
    char path[64], asked[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), net->recording->channel_fd);
    if (request->notification.data.nr != __NR_openat ||
        !tracee_read_text(&request->tracee, request->notification.data.args[1], asked,
                          sizeof(asked)) ||
        strcmp(path, asked) != 0)
        return false;
    int copy = fcntl(net->recording->channel_fd, F_DUPFD_CLOEXEC, 0);
    answer_send(request, caller_descriptor(copy), 0);
    return true;
}

static void request_do(struct net *net, struct net_request *request)
{
    const struct seccomp_data *data = &request->notification.data;
    if (data->arch != AUDIT_ARCH_X86_64 || data->nr < 0 || (data->nr & 0x40000000) != 0) {
        call_refuse(net, request, "foreign-abi");
        return;
    }
    if (memory_hand_over(net, request))
        return;
    switch (data->nr) {
    case __NR_io_uring_setup:
        call_refuse(net, request, "io-uring");
        return;
    case __NR_io_setup:
        call_refuse(net, request, "kernel-aio");
        return;
    case __NR_execve:
        program_begins(net, request, "p--");
        return;
    case __NR_execveat:
        program_begins(net, request, "dp---");
        return;
    case __NR_fork:
    case __NR_clone:
        memory_do(request, MAPPING_FORK);
        return;
    case __NR_clone3:
        clone3_do(request);
        return;
    case __NR_exit_group:
        memory_do(request, MAPPING_EXIT);
        return;
    case __NR_mmap:
        request->site.symbol = SYMBOL_mmap;
        mapping_do(request);
        return;
    case __NR_ioctl:
        request->site.symbol = SYMBOL_ioctl;
        ioctl_do(net, request);
        return;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof(net_calls) / sizeof(net_calls[0]); i++)
        if (net_calls[i].number == data->nr) {
            request->site.symbol = net_calls[i].symbol;
            call_do(net, request, net_calls[i].letters);
            return;
        }
    answer_pass(request);
}

/* The thread ********************************************************************************/

static void request_begin(struct net_request *request)
{
    const struct seccomp_data *data = &request->notification.data;
    tracee_open(&request->tracee, (pid_t)request->notification.pid);
    request->site = (struct site){
        .symbol = SYMBOL_syscall,
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        .address = (const void *)(uintptr_t)data->instruction_pointer,
        .route = FF_ROUTE_NET,
        .thread = request->notification.pid,
    };
    request->raw.number = data->nr;
    for (int i = 0; i < REQUEST_ARGUMENTS; i++)
        request->raw.arguments[i] = (long)data->args[i];
}

static void answer(struct net *net, const struct seccomp_notif *notification)
{
    struct net_request request = {.listener = net->listener, .notification = *notification};
    net_request = &request;
    request_begin(&request);
    request_do(net, &request);
    net_request = NULL;
}

static void deferred_answer(struct net *net)
{
    struct seccomp_notif again[DEFERRED_LIMIT];
    size_t count = net->deferred_count;
    memcpy(again, net->deferred, count * sizeof(again[0]));
    net->deferred_count = 0;
    for (size_t i = 0; i < count; i++)
        answer(net, &again[i]);
}

static void requests_answer(struct net *net)
{
    /* umask and current directory become this thread's own. */
    unshare(CLONE_FS);
    ioctl(net->listener, LISTENER_SET_FLAGS, LISTENER_SYNC_WAKE_UP); /* faster, where it is known */
    for (;;) {
        struct pollfd event = {net->listener, POLLIN, 0};
        struct seccomp_notif notification = {0};
        int ready = poll(&event, 1, net->deferred_count != 0 ? DEFERRED_PAUSE : -1);
        if ((ready < 0 && errno != EINTR) ||
            ((event.revents & POLLIN) == 0 && (event.revents & (POLLHUP | POLLERR)) != 0))
            break;
        deferred_answer(net);
        /* It fails if the process was killed, or interrupted by a signal, meanwhile. */
        if (ready == 1 && ioctl(net->listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) == 0)
            answer(net, &notification);
    }
}

static void end_note(void *context)
{
    struct net *net = context;
    net->ended = true;
}

/* It may also end in caller_stop(). */
static void *supervise(void *context)
{
    pthread_cleanup_push(end_note, context);
    requests_answer(context);
    pthread_cleanup_pop(1);
    return NULL;
}

#else

static void *supervise(void *context)
{
    return context;
}

#endif

/* Handing over the listener *****************************************************************/

bool net_install(int socket)
{
    int listener = net_filter_install();
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (listener >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &listener, sizeof(int));
    }
    sendmsg(socket, &message, 0);
    if (listener >= 0)
        close(listener);
    return listener >= 0;
}

static int listener_receive(int socket)
{
    int listener = -1;
    char byte, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message) != NULL)
        memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return listener;
}

int net_start(struct recording *recording, int socket, struct ff_error *error)
{
    int listener = listener_receive(socket);
    if (listener < 0) {
        recording_unobserved(recording, "no-seccomp", "only calls of the preloaded library");
        return 0;
    }
    struct net *net = ff_memory_allocate(1, sizeof(*net));
    net->recording = recording;
    net->listener = listener;
    channel = recording->channel;
    int problem = pthread_create(&net->supervisor, NULL, supervise, net);
    if (problem != 0) {
        close(listener); /* every call that was caught fails from now on */
        free(net);
        errno = problem;
        return ff_error_set_errno(error, "cannot start a thread");
    }
    recording->net = net;
    return 0;
}

bool net_has_ended(const struct net *net)
{
    return net == NULL || net->ended;
}

void net_close(struct net *net)
{
    if (net == NULL)
        return;
    pthread_join(net->supervisor, NULL);
    close(net->listener);
    free(net);
}

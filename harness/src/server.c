#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "process.h"
#include "program.h"

enum { STACK_SIZE = 256 * 1024, NS_PER_MS = 1000000, RUN_LIMIT_MS = 60000 };

struct cm_server {
    pid_t pid;
    int pidfd;
    int socket;
    struct cm_listener listener;
    uint64_t random; /* bytes that its program took before main() */
    /* Shared with one that executes the command: */
    struct shared {
        int exec_error;
    } * shared;
};

/* ---- Messages ---- */

/* With descriptors, or without any. */
static bool message_send(int socket, const void *bytes, size_t size, const int *given, size_t count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CM_START_GIVEN * sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), given, count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Exactly so many bytes, and so many descriptors or none: how many it says; -1: none such. */
static int message_take(int socket, void *bytes, size_t size, int *given, size_t count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CM_START_GIVEN * sizeof(int))];
    } control;
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t received;
    do
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received != (ssize_t)size)
        return -1;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL)
        return 0;
    if (count == 0 || header->cmsg_len != CMSG_LEN(count * sizeof(int)))
        return -1;
    memcpy(given, CMSG_DATA(header), count * sizeof(int));
    return (int)count;
}

static bool message_receive(int socket, void *bytes, size_t size, int *given, size_t count)
{
    return message_take(socket, bytes, size, given, count) == (int)count;
}

/* ---- Executing the command for each run ---- */

struct execution {
    const struct cm_command *command;
    const int *given;
    struct shared *shared;
};

/*
 * In a child that shares the memory of its parent, which goes on: it has a stack of its
 * own, and touches nothing else. (A new process, without the copy of a fork.)
 */
__attribute__((no_sanitize("address"))) static int execution_main(void *context)
{
    const struct execution *execution = context;
    const int *given = execution->given;
    if (setsid() >= 0 && dup2(given[CM_START_INPUT], STDIN_FILENO) >= 0 &&
        dup2(given[CM_START_OUTPUT], STDOUT_FILENO) >= 0 &&
        dup2(given[CM_START_ERRORS], STDERR_FILENO) >= 0 && fchdir(given[CM_START_DIRECTORY]) == 0)
        cm_program_execute(execution->command->argv);
    execution->shared->exec_error = errno;
    return 127;
}

static bool mark(void)
{
    syscall(CM_START_MARK);
    return message_send(CM_START_DESCRIPTOR, "", 1, NULL, 0);
}

_Noreturn static void executions_serve(const struct cm_command *command, struct shared *shared)
{
    int given[CM_START_GIVEN], count = 0;
    char byte;
    struct execution execution = {command, given, shared};
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    fcntl(CM_START_DESCRIPTOR, F_SETFD, FD_CLOEXEC);
    while (stack != MAP_FAILED && count >= 0) {
        count = message_take(CM_START_DESCRIPTOR, &byte, 1, given, CM_START_GIVEN);
        if (count < 0 || (count == 0 && !mark()))
            break;
        if (count == 0)
            continue;
        pid_t pid = clone(execution_main, stack + STACK_SIZE, CLONE_VM | CLONE_PARENT, &execution);
        for (int i = 0; i < CM_START_GIVEN; i++)
            close(given[i]);
        if (!message_send(CM_START_DESCRIPTOR, &pid, sizeof(pid), NULL, 0))
            break;
    }
    _exit(0);
}

/* ---- In the child that becomes the server ---- */

struct plan {
    const struct cm_command *command;
    const struct cm_scratch *scratch;
    enum cm_watch_kind kind;
    const char *library; /* NULL: execute the command for each run */
    struct shared *shared;
    int socket;
    int streams[3];
};

static bool descriptors_arrange(const struct plan *plan)
{
    for (int i = 0; i < 3; i++)
        if (dup2(plan->streams[i], i) < 0)
            return false;
    /* It must be inherited, which the copy is, too. */
    if (plan->socket == CM_START_DESCRIPTOR)
        return fcntl(plan->socket, F_SETFD, 0) == 0 &&
               close_range(CM_START_DESCRIPTOR + 1, ~0u, 0) == 0;
    return dup2(plan->socket, CM_START_DESCRIPTOR) >= 0 &&
           close_range(CM_START_DESCRIPTOR + 1, ~0u, 0) == 0;
}

_Noreturn static void server_main(const struct plan *plan)
{
    sigset_t none;
    int code = 0;
    setsid();
    for (int i = 1; i < NSIG; i++)
        if (i != SIGKILL && i != SIGSTOP)
            signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!descriptors_arrange(plan) ||
        chdir(plan->library != NULL ? cm_scratch_directory(plan->scratch) : "/") != 0)
        _exit(127);
    if (plan->library != NULL) {
        setenv(CM_START_PRELOAD, plan->library, 1);
        setenv(CM_START_BIND, "1", 1);
        setenv(CM_START_VARIABLE, "1", 1);
    }
    int listener = cm_watch_filter_install(plan->kind);
    if (listener < 0 || !message_send(CM_START_DESCRIPTOR, &code, sizeof(code), &listener, 1))
        _exit(127);
    close(listener);
    if (plan->library == NULL)
        executions_serve(plan->command, plan->shared);
    cm_program_execute(plan->command->argv);
    _exit(127);
}

/* ---- Starting and stopping ---- */

void cm_server_stop(struct cm_server *server)
{
    if (server == NULL)
        return;
    if (server->pidfd >= 0)
        pidfd_send_signal(server->pidfd, SIGKILL, NULL, 0);
    /* Somebody else may have reaped it. */
    while (server->pid > 0 && waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (server->pidfd >= 0)
        close(server->pidfd);
    if (server->socket >= 0)
        close(server->socket);
    if (server->listener.descriptor >= 0)
        close(server->listener.descriptor);
    munmap(server->shared, sizeof(*server->shared));
    free(server);
}

static struct cm_server *server_start(struct plan *plan)
{
    int ends[2], code;
    struct cm_server *server = cm_allocate(1, sizeof(*server));
    server->socket = server->pidfd = -1;
    server->listener = (struct cm_listener){.descriptor = -1, .kind = plan->kind};
    server->shared = mmap(NULL, sizeof(*server->shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (server->shared == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        if (server->shared != MAP_FAILED)
            munmap(server->shared, sizeof(*server->shared));
        free(server);
        return NULL;
    }
    plan->shared = server->shared;
    plan->socket = ends[1];
    fflush(NULL); /* or both processes would write what is buffered */
    server->pid = fork();
    if (server->pid == 0)
        server_main(plan);
    close(ends[1]);
    server->socket = ends[0];
    if (server->pid > 0)
        server->pidfd = pidfd_open(server->pid, 0);
    if (server->pidfd < 0 ||
        !message_receive(server->socket, &code, sizeof(code), &server->listener.descriptor, 1)) {
        cm_server_stop(server);
        return NULL;
    }
    cm_watch_filter_hasten(server->listener.descriptor);
    return server;
}

struct cm_server *cm_server_start(const struct cm_command *command,
                                  const struct cm_scratch *scratch, enum cm_watch_kind kind,
                                  struct ff_error *error)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct plan plan = {
        .command = command, .scratch = scratch, .kind = kind, .streams = {null, null, null}};
    struct cm_server *server = null < 0 ? NULL : server_start(&plan);
    if (server != NULL)
        server->listener.server = server->pid;
    if (server == NULL)
        cm_fail(error, "no process that starts the check: %s", strerror(errno));
    if (null >= 0)
        close(null);
    return server;
}

/* ---- Is a program suitable? ---- */

/* How many names there are in a directory below /proc/PID; -1: it cannot be read. */
static int entries_count(pid_t pid, const char *name)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* Whether a file below /proc/PID has no byte; also if it does not exist. */
static bool is_empty(pid_t pid, const char *name)
{
    char path[64], byte;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool empty = fd < 0 ? errno == ENOENT : read(fd, &byte, 1) == 0;
    if (fd >= 0)
        close(fd);
    return empty;
}

static bool shares_memory(pid_t pid)
{
    char path[64], permissions[5];
    char *line = NULL;
    size_t room = 0;
    bool shares = true;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    if (maps != NULL)
        shares = false;
    while (maps != NULL && getline(&line, &room, maps) > 0)
        if (sscanf(line, "%*s %4s", permissions) == 1 && permissions[3] == 's')
            shares = true;
    free(line);
    if (maps != NULL)
        fclose(maps);
    return shares;
}

static bool is_in(pid_t pid, const char *directory)
{
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    target[length < 0 ? 0 : length] = '\0';
    return strcmp(target, directory) == 0;
}

static bool is_plain(const struct cm_server *server, const char *directory)
{
    char children[64];
    snprintf(children, sizeof(children), "task/%d/children", (int)server->pid);
    return entries_count(server->pid, "fd") == CM_START_DESCRIPTOR + 1 &&
           entries_count(server->pid, "task") == 1 && is_empty(server->pid, children) &&
           is_empty(server->pid, "timers") && !shares_memory(server->pid) &&
           is_in(server->pid, directory);
}

/* Answers what the server, or what it started, asks until there is a message; false: it
 * ended, or the time is over. */
static bool message_await(const struct cm_server *server, struct cm_watch *watch,
                          unsigned timeout_ms)
{
    uint64_t deadline = cm_process_clock() + (uint64_t)timeout_ms * NS_PER_MS;
    struct pollfd polled[3] = {
        {.fd = server->socket, .events = POLLIN},
        {.fd = server->listener.descriptor, .events = POLLIN},
        {.fd = server->pidfd, .events = POLLIN},
    };
    for (;;) {
        uint64_t now = cm_process_clock();
        int count = now >= deadline ? 0 : poll(polled, 3, (int)((deadline - now) / NS_PER_MS) + 1);
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        if (count > 0 && polled[0].revents != 0)
            return true;
        if (count > 0 && (polled[1].revents & POLLIN) != 0)
            cm_watch_answer(watch);
        else if (count > 0 && polled[2].revents != 0)
            return false;
    }
}

static bool has_bytes(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) != 0;
}

static bool server_is_suitable(const struct cm_server *server, const struct plan *plan,
                               struct cm_watch *watch, const int outputs[2], unsigned timeout_ms)
{
    struct cm_start_hello hello = {0};
    const struct cm_watch_seen *seen = cm_watch_seen(watch);
    return message_await(server, watch, timeout_ms) &&
           message_receive(server->socket, &hello, sizeof(hello), NULL, 0) && hello.suitable != 0 &&
           !seen->scratch && !seen->change && !seen->lost && !has_bytes(outputs[0]) &&
           !has_bytes(outputs[1]) && is_plain(server, cm_scratch_directory(plan->scratch));
}

/* The loader takes paths apart, and what the user tells it must be heeded. */
static bool can_be_preloaded(const char *library)
{
    static const char *const taken[] = {CM_START_PRELOAD, CM_START_BIND, CM_START_VARIABLE,
                                        "LD_AUDIT"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (getenv(taken[i]) != NULL)
            return false;
    return strpbrk(library, " :$") == NULL;
}

struct cm_server *cm_server_start_program(const struct cm_command *command,
                                          const struct cm_scratch *scratch, enum cm_watch_kind kind,
                                          const char *library, struct cm_watch *watch,
                                          unsigned timeout_ms)
{
    int outputs[2][2] = {{-1, -1}, {-1, -1}};
    struct cm_server *server = NULL;
    if (!can_be_preloaded(library) || !cm_program_is_preloadable(command->argv[0]))
        return NULL;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0 && pipe2(outputs[0], O_CLOEXEC) == 0 && pipe2(outputs[1], O_CLOEXEC) == 0) {
        struct plan plan = {.command = command,
                            .scratch = scratch,
                            .kind = kind,
                            .library = library,
                            .streams = {null, outputs[0][1], outputs[1][1]}};
        const int readers[2] = {outputs[0][0], outputs[1][0]};
        server = server_start(&plan);
        if (server != NULL) {
            cm_watch_listen(watch, &server->listener);
            if (!server_is_suitable(server, &plan, watch, readers, timeout_ms)) {
                cm_server_stop(server);
                server = NULL;
            } else {
                server->random = cm_watch_random(watch);
                server->listener.server = server->pid;
            }
        }
    }
    for (size_t i = 0; i < 4; i++)
        if (outputs[i / 2][i % 2] >= 0)
            close(outputs[i / 2][i % 2]);
    if (null >= 0)
        close(null);
    return server;
}

/* ---- Runs ---- */

pid_t cm_server_pid(const struct cm_server *server)
{
    return server->pid;
}

pid_t cm_server_run(struct cm_server *server, struct cm_watch *watch,
                    const int given[CM_START_GIVEN])
{
    pid_t pid = -1;
    cm_watch_listen(watch, &server->listener);
    cm_watch_skip_random(watch, server->random);
    server->shared->exec_error = 0;
    if (!message_send(server->socket, "", 1, given, CM_START_GIVEN) ||
        (server->listener.kind >= CM_WATCH_READS && !message_await(server, watch, RUN_LIMIT_MS)) ||
        !message_receive(server->socket, &pid, sizeof(pid), NULL, 0))
        return -1;
    return pid;
}

void cm_server_mark(struct cm_server *server, struct cm_watch *watch)
{
    char byte;
    cm_watch_listen(watch, &server->listener);
    if (!message_send(server->socket, "", 1, NULL, 0) ||
        !message_await(server, watch, RUN_LIMIT_MS) ||
        !message_receive(server->socket, &byte, 1, NULL, 0))
        cm_watch_lose(watch);
}

int cm_server_exec_error(const struct cm_server *server)
{
    return server->shared->exec_error;
}

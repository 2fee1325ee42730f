/*
 * Running commands: see command.h.
 *
 * A command gets a session of its own, so that neither the terminal nor its own
 * kill(0, ...) reaches further than it should. It is started with posix_spawn(3),
 * which does not copy the caller's memory, and awaited through a pidfd, so that
 * it has ended when its first process has, whoever still holds its pipes.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "process.h"
#include "server.h"

#define NS_PER_MS 1000000u

/* ---- Parsing ---- */

/* Characters that mean something to a shell anywhere in a word. */
#define SHELL_CHARACTERS "|&;<>()$`\\\"'*?[#~{}!\n"

/* First words that only a shell knows: POSIX reserved words, special built-ins, and
 * the built-ins that act on the shell itself. */
static const char *const shell_words[] = {
    ".",    ":",      "alias", "bg",       "break",  "case",  "cd",    "command", "continue",
    "eval", "exec",   "exit",  "export",   "fc",     "fg",    "for",   "getopts", "hash",
    "if",   "jobs",   "read",  "readonly", "return", "set",   "shift", "times",   "trap",
    "type", "ulimit", "umask", "unalias",  "unset",  "until", "wait",  "while",
};

static bool needs_shell(const char *text, const char *first, size_t length)
{
    if (strpbrk(text, SHELL_CHARACTERS) != NULL || memchr(first, '=', length) != NULL)
        return true;
    for (size_t i = 0; i < sizeof(shell_words) / sizeof(shell_words[0]); i++) {
        if (strlen(shell_words[i]) == length && memcmp(shell_words[i], first, length) == 0)
            return true;
    }
    return false;
}

static int argument_add(struct cm_command *command, const char *text, size_t length)
{
    char **grown = realloc(command->argv, (command->argc + 2) * sizeof(*grown));
    if (grown == NULL)
        return -1;
    command->argv = grown;
    command->argv[command->argc] = strndup(text, length);
    if (command->argv[command->argc] == NULL)
        return -1;
    command->argv[++command->argc] = NULL;
    return 0;
}

static int words_split(const char *text, struct cm_command *command)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \t");
        if (length > 0 && argument_add(command, text, length) != 0)
            return -1;
        text += length;
        text += strspn(text, " \t");
    }
    return 0;
}

static int shell_wrap(const char *text, struct cm_command *command)
{
    command->shell = true;
    if (argument_add(command, "/bin/sh", strlen("/bin/sh")) != 0 ||
        argument_add(command, "-c", strlen("-c")) != 0)
        return -1;
    return argument_add(command, text, strlen(text));
}

int cm_command_parse(const char *text, struct cm_command *command, struct ff_error *error)
{
    const char *first = text + strspn(text, " \t\n");
    size_t length = strcspn(first, " \t\n");
    memset(command, 0, sizeof(*command));
    if (length == 0)
        return cm_fail(error, "the command is empty");

    bool shell = needs_shell(text, first, length);
    if ((shell ? shell_wrap(text, command) : words_split(text, command)) != 0) {
        cm_command_free(command);
        return cm_fail(error, "out of memory");
    }
    return 0;
}

void cm_command_free(struct cm_command *command)
{
    for (size_t i = 0; i < command->argc; i++)
        free(command->argv[i]);
    free(command->argv);
    memset(command, 0, sizeof(*command));
}

/* ---- Starting ---- */

static int actions_fill(posix_spawn_file_actions_t *actions, const char *directory, int output,
                        int errors)
{
    int code = posix_spawn_file_actions_addchdir_np(actions, directory);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO);
    return code;
}

static int attributes_fill(posix_spawnattr_t *attributes)
{
    static const int ignorable[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD};
    sigset_t set;
    sigemptyset(&set);
    int code = posix_spawnattr_setsigmask(attributes, &set);
    for (size_t i = 0; i < sizeof(ignorable) / sizeof(ignorable[0]); i++)
        sigaddset(&set, ignorable[i]);
    if (code == 0)
        code = posix_spawnattr_setsigdefault(attributes, &set);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    return code;
}

/* Returns 0 or an errno value, also when exec failed. */
static int spawn(char *const *argv, const char *directory, int output, int errors, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = actions_fill(&actions, directory, output, errors);
        if (code == 0)
            code = attributes_fill(&attributes);
        if (code == 0)
            code = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* ---- Waiting ---- */

/* Milliseconds until the deadline for poll(2), rounded up; -1 for never. */
static int poll_timeout(uint64_t deadline)
{
    if (deadline == UINT64_MAX)
        return -1;
    uint64_t now = cm_process_clock();
    uint64_t left = now < deadline ? (deadline - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    return left > 60000 ? 60000 : (int)left;
}

/* Reads what there is; what does not fit is dropped. Returns false at the end. */
static bool capture_read(struct cm_capture *capture, int fd)
{
    char chunk[16384];
    ssize_t size = read(fd, chunk, sizeof(chunk));
    if (size < 0)
        return errno == EINTR;
    size_t room = sizeof(capture->data) - capture->size;
    size_t taken = (size_t)size < room ? (size_t)size : room;
    memcpy(capture->data + capture->size, chunk, taken);
    capture->size += taken;
    return size > 0;
}

/*
 * Waits until the process has ended or the deadline has come, reading its output
 * meanwhile. Returns whether it ended; its status is still to be had. watch: or NULL.
 */
static bool process_wait(int pidfd, const int pipes[2], struct cm_capture *const captures[2],
                         struct cm_watch *watch, uint64_t deadline)
{
    struct pollfd polled[4] = {
        {.fd = pidfd, .events = POLLIN},
        {.fd = pipes[0], .events = POLLIN}, /* poll ignores negative ones */
        {.fd = pipes[1], .events = POLLIN},
        {.fd = watch != NULL ? cm_watch_descriptor(watch) : -1, .events = POLLIN},
    };
    for (;;) {
        int count = poll(polled, 4, poll_timeout(deadline));
        if (count > 0 && (polled[3].revents & POLLIN) != 0)
            cm_watch_answer(watch);
        else if (count > 0 && polled[3].revents != 0)
            polled[3].fd = -1; /* nobody is left to be watched */
        if (watch != NULL && cm_watch_seen(watch)->listener)
            return false; /* it is of no use any more */
        if (count > 0 && polled[0].revents != 0)
            return true;
        /* Looked at even when there is output: it may never stop. */
        if (cm_process_clock() >= deadline)
            return false;
        for (size_t i = 0; count > 0 && i < 2; i++) {
            if (polled[i + 1].revents != 0 && !capture_read(captures[i], pipes[i]))
                polled[i + 1].fd = -1;
        }
    }
}

/* Waits for a command that was started, and leaves nothing of it. */
static int finish(pid_t pid, const int pipes[2], struct cm_capture *const captures[2],
                  const struct cm_starting *starting, unsigned timeout_ms, int *status,
                  struct ff_error *error)
{
    int pidfd = pidfd_open(pid, 0);
    bool ended = false;
    int result = 0;
    if (pidfd < 0) {
        result = cm_fail(error, "pidfd_open: %s", strerror(errno));
    } else {
        uint64_t limit = (uint64_t)timeout_ms * NS_PER_MS;
        uint64_t deadline = timeout_ms == 0 ? UINT64_MAX : cm_process_clock() + limit;
        ended = process_wait(pidfd, pipes, captures, starting->watch, deadline);
        close(pidfd);
    }
    /* Not reaped yet, so that the number still means this process group. */
    kill(-pid, SIGKILL);
    if (!ended)
        kill(pid, SIGKILL); /* it may have no group yet */
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        *status = CM_COMMAND_TIMED_OUT;
    if (!cm_process_kill_children(starting->spared, starting->spared_count) && result == 0)
        result = cm_fail(error, "the command left processes behind that cannot be killed");
    return result;
}

static bool is_shortage(int code)
{
    return code == ENOMEM || code == EAGAIN || code == EMFILE || code == ENFILE;
}

static int cannot_run(const struct cm_command *command, const struct cm_scratch *scratch, int code,
                      int *status, struct ff_error *error)
{
    *status = is_shortage(code) ? 0 : CM_COMMAND_NO_PROGRAM;
    return cm_fail(error, "cannot run %s in %s: %s", command->argv[0],
                   cm_scratch_directory(scratch), strerror(code));
}

static int start(const struct cm_command *command, const struct cm_scratch *scratch, int output,
                 int errors, pid_t *pid, int *status, struct ff_error *error)
{
    cm_process_adopt_orphans();
    cm_scratch_set_environment(scratch);
    int code = spawn(command->argv, cm_scratch_directory(scratch), output, errors, pid);
    return code != 0 ? cannot_run(command, scratch, code, status, error) : 0;
}

/* What a run is given is its own: it may change what descriptors share. */
static int start_by_server(const struct cm_starting *starting, const struct cm_scratch *scratch,
                           int output, int errors, pid_t *pid, int *status, struct ff_error *error)
{
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int directory =
        open(cm_scratch_directory(scratch), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int given[CM_START_GIVEN] = {
        [CM_START_INPUT] = input,
        [CM_START_OUTPUT] = output,
        [CM_START_ERRORS] = errors,
        [CM_START_DIRECTORY] = directory,
    };
    *status = 0;
    *pid = cm_server_run(starting->server, starting->watch, given);
    if (*pid < 0) {
        cm_fail(error, "the process that starts the check is gone");
        *status = CM_COMMAND_NO_SERVER;
    }
    if (input >= 0)
        close(input);
    if (directory >= 0)
        close(directory);
    return *pid < 0 ? -1 : 0;
}

static const struct cm_starting anew = {.server = NULL};

int cm_command_run(const struct cm_command *command, const struct cm_scratch *scratch, int output,
                   int errors, unsigned timeout_ms, int *status, struct ff_error *error)
{
    static const int pipes[2] = {-1, -1};
    static struct cm_capture *const captures[2] = {NULL, NULL};
    pid_t pid = -1;
    if (start(command, scratch, output, errors, &pid, status, error) != 0)
        return -1;
    return finish(pid, pipes, captures, &anew, timeout_ms, status, error);
}

/* ---- Capturing ---- */

/* A pipe whose reading end never blocks. */
static int pipe_open(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static void descriptor_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int capture(const struct cm_command *command, const struct cm_scratch *scratch,
                   struct cm_capture *const captures[2], int ends[2][2],
                   const struct cm_starting *starting, unsigned timeout_ms, int *status,
                   struct ff_error *error)
{
    const int pipes[2] = {ends[0][0], ends[1][0]};
    pid_t pid = -1;
    int result =
        starting->server == NULL
            ? start(command, scratch, ends[0][1], ends[1][1], &pid, status, error)
            : start_by_server(starting, scratch, ends[0][1], ends[1][1], &pid, status, error);
    if (result == 0)
        result = finish(pid, pipes, captures, starting, timeout_ms, status, error);
    int code = result == 0 && starting->server != NULL ? cm_server_exec_error(starting->server) : 0;
    return code != 0 ? cannot_run(command, scratch, code, status, error) : result;
}

int cm_command_capture(const struct cm_command *command, const struct cm_scratch *scratch,
                       struct cm_capture *output, struct cm_capture *errors,
                       const struct cm_starting *starting, unsigned timeout_ms, int *status,
                       struct ff_error *error)
{
    struct cm_capture *const captures[2] = {output, errors};
    int ends[2][2] = {{-1, -1}, {-1, -1}};
    int result = -1;

    *status = 0;
    output->size = 0;
    errors->size = 0;
    if (pipe_open(ends[0]) != 0 || pipe_open(ends[1]) != 0)
        cm_fail(error, "no pipe for the output of the command: %s", strerror(errno));
    else
        result = capture(command, scratch, captures, ends, starting != NULL ? starting : &anew,
                         timeout_ms, status, error);
    for (size_t i = 0; i < 2; i++) {
        descriptor_close(&ends[i][1]);
        /* Nobody writes any more: read what is left, at most what a pipe holds. */
        while (ends[i][0] >= 0 && capture_read(captures[i], ends[i][0]))
            ;
        descriptor_close(&ends[i][0]);
    }
    return result;
}

/* ---- Recording ---- */

struct cm_command cm_command_recorder(const char *launcher, const char *root, const char *path,
                                      const char *const *options, const struct cm_command *command)
{
    const char *head[] = {launcher, "--root", root, "--output", path};
    size_t count = sizeof(head) / sizeof(head[0]), more = 0;
    while (options != NULL && options[more] != NULL)
        more++;
    struct cm_command recorder = {.argc = count + more + 1 + command->argc};
    recorder.argv = cm_allocate(recorder.argc + 1, sizeof(char *));
    memcpy(recorder.argv, head, sizeof(head));
    if (more != 0)
        memcpy(recorder.argv + count, options, more * sizeof(char *));
    recorder.argv[count + more] = "--";
    memcpy(recorder.argv + count + more + 1, command->argv, command->argc * sizeof(char *));
    return recorder;
}

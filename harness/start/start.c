/*
 * libcrashmatrix-start.so: preloaded into a check's program, it stops the program where
 * main() would be called and then forks it for each run, so that loading it costs a run
 * nothing. What the worker cannot see from outside is looked at here; see server.h for
 * what a program must be like.
 *
 * Only the thread that calls main() exists. The child must be the worker's, so that it
 * can be waited for, and there must be no trace of a fork: no atfork handlers are run,
 * the kernel writes the new thread's id where libc has it, and the robust list is the
 * child's again.
 */
#include <dlfcn.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "start.h"

typedef int main_function(int, char **, char **);

static main_function *real_main;

/* ---- The environment, as it would be without us ---- */

static void environment_remove(char **environment, const char *name)
{
    size_t length = strlen(name);
    char **to = environment;
    for (char **from = environment; *from != NULL; from++)
        if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
            *to++ = *from;
    *to = NULL;
}

/* ---- The socket ---- */

enum request { REQUEST_END, REQUEST_RUN, REQUEST_MARK };

/* The end is when the worker is gone, or says nothing that is understood. */
static enum request request_receive(int given[CM_START_GIVEN])
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(CM_START_GIVEN * sizeof(int))];
    } control;
    char byte;
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    if (recvmsg(CM_START_DESCRIPTOR, &message, 0) != 1)
        return REQUEST_END;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL)
        return REQUEST_MARK;
    if (header->cmsg_len != CMSG_LEN(CM_START_GIVEN * sizeof(int)))
        return REQUEST_END;
    memcpy(given, CMSG_DATA(header), CM_START_GIVEN * sizeof(int));
    return REQUEST_RUN;
}

static void given_close(const int given[CM_START_GIVEN])
{
    for (int i = 0; i < CM_START_GIVEN; i++)
        close(given[i]);
}

/* ---- Forking ---- */

struct forking {
    int *tid; /* where libc has the thread's id */
    void *robust_list;
    size_t robust_size;
};

/* What a fork loses or changes must not have been there. */
static bool is_suitable(struct forking *forking)
{
    static const long timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        struct itimerval timer;
        if (syscall(SYS_getitimer, timers[i], &timer) != 0 || timer.it_value.tv_sec != 0 ||
            timer.it_value.tv_usec != 0)
            return false;
    }
    return prctl(PR_GET_TID_ADDRESS, &forking->tid, 0, 0, 0) == 0 && forking->tid != NULL &&
           *forking->tid == getpid() &&
           syscall(SYS_get_robust_list, 0, &forking->robust_list, &forking->robust_size) == 0;
}

static bool run_begin(const struct forking *forking, const int given[CM_START_GIVEN])
{
    bool begun = setsid() >= 0 && dup2(given[CM_START_INPUT], STDIN_FILENO) >= 0 &&
                 dup2(given[CM_START_OUTPUT], STDOUT_FILENO) >= 0 &&
                 dup2(given[CM_START_ERRORS], STDERR_FILENO) >= 0 &&
                 fchdir(given[CM_START_DIRECTORY]) == 0 &&
                 syscall(SYS_set_robust_list, forking->robust_list, forking->robust_size) == 0;
    given_close(given);
    close(CM_START_DESCRIPTOR);
    return begun;
}

static bool mark(void)
{
    syscall(CM_START_MARK);
    return send(CM_START_DESCRIPTOR, "", 1, MSG_NOSIGNAL) == 1;
}

/* Returns in each run. */
static void serve(void)
{
    struct forking forking = {NULL, NULL, 0};
    int given[CM_START_GIVEN];
    enum request request;
    struct cm_start_hello hello = {is_suitable(&forking)};
    if (send(CM_START_DESCRIPTOR, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
        _exit(0);
    while ((request = request_receive(given)) != REQUEST_END) {
        if (request == REQUEST_MARK) {
            if (!mark())
                break;
            continue;
        }
        pid_t pid =
            (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                           NULL, NULL, forking.tid, 0);
        if (pid == 0) {
            if (run_begin(&forking, given))
                return;
            _exit(127);
        }
        given_close(given);
        if (send(CM_START_DESCRIPTOR, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
            break;
    }
    _exit(0);
}

static int stopped_main(int argc, char **argv, char **environment)
{
    if (getenv(CM_START_VARIABLE) != NULL) {
        environment_remove(environment, CM_START_VARIABLE);
        environment_remove(environment, CM_START_PRELOAD);
        environment_remove(environment, CM_START_BIND);
        serve();
    }
    return real_main(argc, argv, environment);
}

int __libc_start_main(main_function *called, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end);

/* What a program's entry point calls; constructors are run in it, before main(). */
__attribute__((visibility("default"))) int
__libc_start_main(main_function *called, int argc, char **argv, void (*init)(void),
                  void (*fini)(void), void (*loader_fini)(void), void *stack_end)
{
    int (*real)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                void *);
    void *symbol = dlsym(RTLD_NEXT, "__libc_start_main");
    memcpy(&real, &symbol, sizeof(real));
    real_main = called;
    return real(stopped_main, argc, argv, init, fini, loader_fini, stack_end);
}

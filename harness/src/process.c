/*
 * Finding and ending processes.
 *
 * A process can leave its process group and session, and outlive its parent,
 * but it cannot stop being a descendant: orphans move to the nearest ancestor
 * that declared itself a subreaper. Killing one's children, and then those that
 * became one's children because of that, therefore reaches all of them.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_LIMIT_NS 2000000000u

uint64_t cm_process_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void cm_process_adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Reaps what has ended. Returns whether any child is left. */
static bool children_reap(void)
{
    pid_t pid;
    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0);
    return pid == 0;
}

static bool is_spared(pid_t pid, const pid_t *spared, size_t count)
{
    size_t i = 0;
    while (i < count && spared[i] != pid)
        i++;
    return i < count;
}

/*
 * Sends SIGKILL to the children listed in proc(5)'s "children" file. The list may
 * be incomplete while processes come and go, and this reads one buffer of it
 * only: the caller repeats until there are no children. It has those first that came
 * first, and keeps those that ended until they are reaped, so that it does not
 * miss the last one. Returns false if there was none to be killed.
 */
static bool children_signal(const pid_t *spared, size_t count)
{
    char list[4096];
    bool any = false;
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t size = read(fd, list, sizeof(list));
    close(fd);

    /* Each number is followed by a blank; one that is cut off is not. */
    pid_t pid = 0;
    for (ssize_t i = 0; i < size; i++) {
        if (list[i] >= '0' && list[i] <= '9') {
            pid = pid * 10 + (list[i] - '0');
        } else if (pid > 0) {
            if (!is_spared(pid, spared, count)) {
                any = true;
                kill(pid, SIGKILL);
            }
            pid = 0;
        }
    }
    return any || size < 0;
}

bool cm_process_kill_children(const pid_t *spared, size_t count)
{
    const struct timespec pause = {.tv_nsec = 100000};
    uint64_t start = 0;
    while (children_reap()) {
        uint64_t now = cm_process_clock();
        if (start == 0)
            start = now;
        if (now - start > KILL_LIMIT_NS)
            return false;
        if (!children_signal(spared, count) && count > 0)
            return true;
        if (now > start)
            nanosleep(&pause, NULL);
    }
    return true;
}

/* ---- The keeper ---- */

static const int ending_signals[] = {SIGTERM, SIGINT, SIGHUP};
#define ENDING_SIGNALS (sizeof(ending_signals) / sizeof(ending_signals[0]))

static void signals_handle(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigset_t none;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaction(ending_signals[i], &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Ends by the signal itself, so that the parent sees why. Also in a handler. */
_Noreturn static void end_by_signal(int signal_number)
{
    const struct rlimit none = {0, 0};
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none); /* it is not this process that crashed */
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + signal_number);
}

static void keeper_dismiss(int signal_number)
{
    cm_process_kill_children(NULL, 0);
    end_by_signal(signal_number);
}

_Noreturn static void keeper_main(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    cm_process_kill_children(NULL, 0);
    if (WIFSIGNALED(status))
        end_by_signal(WTERMSIG(status));
    _exit(WEXITSTATUS(status));
}

/* Ends with signal_number when parent does; at once if it has. */
static void parent_follow(pid_t parent, int signal_number)
{
    prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0);
    if (getppid() != parent)
        raise(signal_number);
}

void cm_process_confine(pid_t parent)
{
    pid_t keeper = getpid();
    signal(SIGCHLD, SIG_DFL); /* if ignored, nothing could be waited for: waitpid(2) */
    cm_process_adopt_orphans();
    signals_handle(keeper_dismiss);
    parent_follow(parent, SIGTERM);
    pid_t child = fork();
    if (child > 0)
        keeper_main(child);
    if (child < 0)
        _exit(1);
    signals_handle(SIG_DFL);
    parent_follow(keeper, SIGKILL);
}

void cm_process_describe(int wait_status, char *text, size_t size)
{
    if (WIFEXITED(wait_status)) {
        snprintf(text, size, "exit status %d", WEXITSTATUS(wait_status));
        return;
    }
    const char *name = sigabbrev_np(WTERMSIG(wait_status));
    if (name != NULL)
        snprintf(text, size, "ended by SIG%s", name);
    else
        snprintf(text, size, "ended by signal %d", WTERMSIG(wait_status));
}

/* Commands and people: see switch.h. */
#include "switch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "process.h"

_Noreturn static void become(const char *command, int output)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    int input = open("/dev/null", O_RDONLY);
    if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* False: it did not end in time. */
static bool wait_for(pid_t child, unsigned milliseconds, int *status)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t end = cm_process_clock() + (uint64_t)milliseconds * 1000000;
    pid_t ended = 0;
    while ((ended = waitpid(child, status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        if (cm_process_clock() > end)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

int ph_switch_run(const char *name, const char *command, int output, unsigned milliseconds,
                  struct ff_error *error)
{
    int status = 0;
    char how[64];
    pid_t child = fork();
    if (child < 0)
        return cm_fail(error, "--%s: cannot be started: %s", name, strerror(errno));
    if (child == 0)
        become(command, output);
    setpgid(child, child);
    if (!wait_for(child, milliseconds, &status)) {
        kill(-child, SIGKILL);
        waitpid(child, &status, 0);
        return cm_fail(error, "--%s: '%s' did not end within %u ms and was killed", name, command,
                       milliseconds);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    cm_process_describe(status, how, sizeof(how));
    return cm_fail(error, "--%s: '%s': %s; see commands.log in the record's directory", name,
                   command, how);
}

int ph_switch_terminal(struct ff_error *error)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (terminal < 0)
        cm_fail(error, "--ask: there is no terminal to ask at: %s", strerror(errno));
    return terminal;
}

void ph_switch_say(int terminal, const char *what)
{
    dprintf(terminal, "\r\033[K\a%s. ", what);
}

void ph_switch_forget(int terminal)
{
    tcflush(terminal, TCIFLUSH);
}

/*
 * interrupted CASE: a check to which signals come all the time, with a handler that was
 * installed without SA_RESTART. Calls that signals do not interrupt (signal(7)) must not
 * fail with EINTR; those that they do interrupt must.
 *
 *     files      opens, looks at, reads and removes files
 *     forks      forks, from a clock's signals
 *     children   forks, from the ends of its children
 *     last       one open, and nothing that is watched after it
 *     pipe       waits to read from a pipe
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 300, FORKS = 40, PERIOD_US = 100 };

static void nothing(int signal_number)
{
    (void)signal_number;
}

static void handle(int signal_number)
{
    struct sigaction action = {.sa_handler = nothing};
    sigaction(signal_number, &action, NULL);
}

static void clock_start(void)
{
    const struct itimerval often = {{0, PERIOD_US}, {0, PERIOD_US}};
    handle(SIGALRM);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void expect(const char *call, long result)
{
    if (result >= 0)
        return;
    printf("%s: %s\n", call, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static void files(void)
{
    char byte;
    struct stat status;
    clock_start();
    for (int i = 0; i < CALLS; i++) {
        int fd = open("file", O_RDONLY);
        expect("open", fd);
        expect("fstat", fstat(fd, &status));
        expect("read", read(fd, &byte, 1));
        close(fd);
        fd = open("new", O_WRONLY | O_CREAT | O_EXCL, 0600);
        expect("open of a new file", fd);
        close(fd);
        expect("unlink", unlink("new"));
    }
}

static void fork_often(void)
{
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        expect("fork", pid);
        if (pid == 0)
            _exit(0);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
}

static void forks(void)
{
    clock_start();
    fork_often();
}

static void children(void)
{
    handle(SIGCHLD);
    fork_often();
}

static void last(void)
{
    struct timespec pause = {0, 0};
    clock_start();
    /* So that the open and a signal meet at any distance. */
    pause.tv_nsec = (long)(getpid() % 16) * PERIOD_US * 1000 / 16;
    nanosleep(&pause, NULL);
    int fd = open("new", O_WRONLY | O_CREAT, 0600);
    if (fd < 0) {
        static const char said[] = "open: interrupted\n";
        _exit(write(STDOUT_FILENO, said, sizeof(said) - 1) > 0 ? 1 : 2);
    }
    _exit(0);
}

static void wait_for_pipe(void)
{
    char byte;
    int ends[2];
    expect("pipe", pipe(ends));
    clock_start();
    if (read(ends[0], &byte, 1) >= 0 || errno != EINTR)
        expect("read of a pipe that was not interrupted", -1);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"files", files}, {"forks", forks},        {"children", children},
    {"last", last},   {"pipe", wait_for_pipe},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    fprintf(stderr, "usage: interrupted files|forks|children|last|pipe\n");
    return 2;
}

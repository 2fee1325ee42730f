/*
 * The launcher makes itself the parent of all orphans among its descendants
 * (PR_SET_CHILD_SUBREAPER), so "no child is left" means that every process of
 * the workload is gone, also one that made itself a daemon. To kill them all it
 * kills its children until it has none: what they leave behind becomes its own.
 */
#include "workload.h"

#include "../trace/error.h"
#include "../trace/memory.h"
#include "mappings.h"
#include "names.h"
#include "net.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * How long to sleep when nothing happens: the ring is emptied this often, in ms; and
 * at once again when there was as much in it as this, in bytes.
 */
enum { PAUSE_SHORTEST = 1, PAUSE_LONGEST = 8, MUCH = CHANNEL_RING_SIZE / 16 };

struct run {
    struct recording *recording;
    const struct workload *workload;
    struct ff_error *error;
    int signals; /* signalfd */
    pid_t first;
    int status; /* of the first process, once it is known */
    bool first_ended;
    bool all_ended;
    int stopped_by; /* a signal that ends the launcher */
    double deadline;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The environment of the workload ***********************************************************/

static void library_preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    size_t size = strlen(library) + (before == NULL ? 0 : strlen(before)) + 2;
    char *list = ff_memory_allocate(size, 1);
    bool more = before != NULL && before[0] != '\0';
    snprintf(list, size, "%s%s%s", library, more ? ":" : "", more ? before : "");
    setenv("LD_PRELOAD", list, 1);
    free(list);
}

static void channel_announce(const struct recording *recording, pid_t launcher, bool has_net)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/proc/%ld/fd/%d", has_net ? CHANNEL_NET_PREFIX : "",
             (long)launcher, recording->channel_fd);
    setenv(CHANNEL_VARIABLE, path, 1);
}

/* What the command gets from the launcher, or reports to it. */
struct inheritance {
    pid_t launcher;
    int output;  /* its standard output */
    int net;     /* a socket: see net_install() */
    int failure; /* a pipe for errno */
};

/* The command's directory, standard input and standard output. */
static bool surroundings_change(const struct recording *recording, int output)
{
    int input = open("/dev/null", O_RDONLY);
    bool done = input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
                chdir(recording->root) == 0;
    if (input > STDIN_FILENO)
        close(input);
    return done;
}

/* Becomes the command, or reports errno. */
static _Noreturn void command_become(const struct run *run, const struct inheritance *from)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (run->workload->in_place || surroundings_change(run->recording, from->output)) {
        library_preload(run->workload->library);
        bool has_net = !run->workload->without_net && net_install(from->net);
        channel_announce(run->recording, from->launcher, has_net);
        execvp(run->workload->command[0], run->workload->command);
    }
    int number = errno;
    ssize_t ignored = write(from->failure, &number, sizeof(number));
    (void)ignored;
    _exit(127);
}

static int output_open(struct recording *recording, int *output, struct ff_error *error)
{
    int ends[2];
    struct stat status;
    if (pipe2(ends, O_CLOEXEC) != 0 || fstat(ends[0], &status) != 0)
        return ff_error_set_errno(error, "cannot create a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    recording->output = ends[0];
    recording->channel->output_device = status.st_dev;
    recording->channel->output_inode = status.st_ino;
    *output = ends[1];
    return 0;
}

/* Closes what only the command needs; returns the errno that it reports, or 0. */
static int command_wait(struct run *run, struct inheritance *from, int net, int failure)
{
    int number = 0;
    close(from->output);
    close(from->net);
    close(from->failure);
    /* Its execve is already a call that the net catches. */
    if (net_start(run->recording, net, run->error) != 0)
        return -1;
    if (read(failure, &number, sizeof(number)) == sizeof(number))
        waitpid(run->first, NULL, 0);
    return number;
}

static int command_start(struct run *run)
{
    int failure[2], net[2];
    struct inheritance from = {.launcher = getpid()};
    if (output_open(run->recording, &from.output, run->error) != 0)
        return -1;
    if (pipe2(failure, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, net) != 0)
        return ff_error_set_errno(run->error, "cannot create a pipe");
    from.net = net[1];
    from.failure = failure[1];
    run->first = fork();
    if (run->first == 0)
        command_become(run, &from);
    int number = run->first < 0 ? errno : command_wait(run, &from, net[0], failure[0]);
    close(net[0]);
    close(failure[0]);
    if (number < 0)
        return -1;
    errno = number;
    if (number != 0)
        return ff_error_set_errno(run->error, "cannot run %s", run->workload->command[0]);
    return 0;
}

/* Its processes *****************************************************************************/

static void children_reap(struct run *run)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != run->first)
            continue;
        run->status = status;
        run->first_ended = true;
    }
    run->all_ended = pid < 0 && errno == ECHILD;
}

static pid_t parent_of(const char *pid)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    size_t size = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[size] = '\0';
    /* The name in parentheses may hold anything; what follows it may not. */
    const char *end = strrchr(line, ')');
    long parent = -1;
    if (end == NULL || sscanf(end + 1, " %*c %ld", &parent) != 1)
        return -1;
    return (pid_t)parent;
}

static void children_kill(void)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid())
            kill((pid_t)atol(entry->d_name), SIGKILL);
    if (processes != NULL)
        closedir(processes);
}

static void everything_kill(struct run *run)
{
    struct timespec pause = {0, 1000000};
    for (;;) {
        children_reap(run);
        if (run->all_ended)
            return;
        children_kill();
        nanosleep(&pause, NULL);
    }
}

/* The loop **********************************************************************************/

static void signals_read(struct run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof(info)) == sizeof(info))
        if (info.ssi_signo != SIGCHLD)
            run->stopped_by = (int)info.ssi_signo;
}

static int attend(struct run *run, size_t *drained)
{
    /* First: while the ring is full, the queue of inotify does not grow either. */
    names_read(run->recording->witness);
    *drained = recording_drain(run->recording);
    recording_read_output(run->recording);
    if (recording_pass_on_output(run->recording, false, run->error) != 0)
        return -1;
    signals_read(run);
    if (run->recording->channel->cut)
        return 0;
    /* Owners of locks are looked for before they are reaped. */
    if (recording_repair(run->recording, run->error) != 0)
        return -1;
    children_reap(run);
    if (run->stopped_by == 0 && !run->all_ended && now() > run->deadline)
        return ff_error_set(run->error, "%s did not end within %g s%s", run->workload->command[0],
                            run->workload->timeout,
                            run->first_ended ? ": a process that it left behind is still running"
                                             : "");
    return 0;
}

static int pause_longer(int pause)
{
    pause = pause == 0 ? PAUSE_SHORTEST : pause * 2;
    return pause > PAUSE_LONGEST ? PAUSE_LONGEST : pause;
}

static int until_all_ended(struct run *run)
{
    int pause = PAUSE_SHORTEST;
    while (!run->all_ended && run->stopped_by == 0 && !run->recording->channel->cut) {
        struct pollfd events[] = {{run->signals, POLLIN, 0}, {run->recording->output, POLLIN, 0}};
        size_t drained;
        poll(events, 2, pause);
        if ((events[1].revents & POLLHUP) != 0)
            poll(events, 1, pause); /* no writer is left: a hang-up is no news any more */
        if (attend(run, &drained) != 0)
            return -1;
        pause = drained > MUCH ? 0 : drained != 0 ? PAUSE_SHORTEST : pause_longer(pause);
    }
    return 0;
}

static void ending_note(struct run *run)
{
    struct ending *ending = &run->recording->ending;
    bool killed = WIFSIGNALED(run->status);
    ending->how = killed ? ENDING_KILLED : ENDING_EXITED;
    ending->status = killed ? WTERMSIG(run->status) : WEXITSTATUS(run->status);
    if (run->recording->channel->cut)
        *ending = (struct ending){ENDING_CUT, 0};
}

static int status_judge(const struct run *run)
{
    const char *name = run->workload->command[0];
    if (run->workload->may_fail)
        return 0;
    if (WIFSIGNALED(run->status))
        return ff_error_set(run->error, "%s was killed by signal %d (%s)", name,
                            WTERMSIG(run->status), strsignal(WTERMSIG(run->status)));
    if (WEXITSTATUS(run->status) != 0)
        return ff_error_set(run->error, "%s exited with status %d", name, WEXITSTATUS(run->status));
    return 0;
}

/* The supervisor may still wait for room in the ring or in the pipe. */
static void supervisor_await(struct run *run)
{
    struct timespec pause = {0, 100000};
    while (!net_has_ended(run->recording->net)) {
        recording_drain(run->recording);
        recording_read_output(run->recording);
        nanosleep(&pause, NULL);
    }
}

static int finish(struct run *run)
{
    if (run->recording->channel->cut)
        recording_cut(run->recording);
    else if (recording_repair(run->recording, run->error) != 0)
        return -1;
    names_read(run->recording->witness);
    mappings_finish();
    recording_read_output(run->recording);
    recording_drain(run->recording);
    ending_note(run);
    if (recording_pass_on_output(run->recording, true, run->error) != 0)
        return -1;
    return status_judge(run);
}

static int signals_open(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int workload_run(struct recording *recording, const struct workload *workload,
                 struct ff_error *error)
{
    struct run run = {.recording = recording, .workload = workload, .error = error};
    int result = -1;
    run.signals = signals_open();
    if (run.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        ff_error_set_errno(error, "cannot watch processes");
        goto done;
    }
    if (recording->channel->cut) { /* before the first call: it need not even be started */
        recording->ending.how = ENDING_CUT;
        result = 0;
        goto done;
    }
    run.deadline = now() + workload->timeout;
    if (command_start(&run) != 0)
        goto done;
    result = until_all_ended(&run);
    everything_kill(&run);
    supervisor_await(&run);
    if (run.stopped_by != 0)
        result = run.stopped_by;
    else if (result == 0)
        result = finish(&run);
done:
    if (run.signals >= 0)
        close(run.signals);
    return result;
}

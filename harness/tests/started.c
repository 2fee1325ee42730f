/*
 * A check that can tell whether it was forked at its main(): it says "forked" or
 * "executed". Its constructor does what $STARTED says, with which forking would make a
 * difference: then it must be executed.
 *
 * started ARGUMENT: how it finds itself, which must be the same either way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pid_t loaded;
static int found; /* what another start left */

/* ---- In the constructor ---- */

static void do_nothing(void)
{
}

static void do_open(void)
{
    if (open("/etc/passwd", O_RDONLY) < 0)
        _exit(3);
}

static void do_map(void)
{
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(3);
}

static void *thread_main(void *nothing)
{
    pause();
    return nothing;
}

static void do_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
        _exit(3);
}

static void do_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
}

static void do_timer(void)
{
    const struct itimerval timer = {.it_value = {.tv_sec = 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void do_kernel_timer(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        _exit(3);
}

static void do_print(void)
{
    if (write(STDERR_FILENO, "starting\n", 9) != 9)
        _exit(3);
}

static void do_look(void)
{
    struct stat status;
    stat("a", &status);
}

static void do_look_at_home(void)
{
    struct stat status;
    stat(getenv("HOME"), &status);
}

static void do_change_directory(void)
{
    if (chdir("/") != 0)
        _exit(3);
}

static void do_write(void)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/left", getenv("TMPDIR"));
    close(open(path, O_WRONLY | O_CREAT, 0600));
}

/* Before the first run: what a start that comes to nothing leaves, no run may find. */
static void do_write_into_directory(void)
{
    int fd = open("made", O_WRONLY | O_CREAT | O_EXCL, 0600);
    found = fd < 0;
    close(fd);
}

/* A change that is no look into the scratch directory. */
static void do_write_elsewhere(void)
{
    close(open("/dev/null", O_WRONLY));
}

static void do_something_unknown(void)
{
    socket(AF_INET, SOCK_DGRAM, 0);
}

static void do_close_everything(void)
{
    close_range(3, ~0u, 0);
}

static void do_exit(void)
{
    puts("label: executed");
    exit(0);
}

static void do_hang(void)
{
    static char told[] = "CRASHMATRIX_START";
    if (getenv(told) != NULL)
        pause();
}

static const struct {
    const char *name;
    void (*deed)(void);
} deeds[] = {
    {"nothing", do_nothing},
    {"open", do_open},
    {"map", do_map},
    {"thread", do_thread},
    {"child", do_child},
    {"timer", do_timer},
    {"kernel-timer", do_kernel_timer},
    {"print", do_print},
    {"look", do_look},
    {"look-at-home", do_look_at_home},
    {"change-directory", do_change_directory},
    {"write", do_write},
    {"write-into-directory", do_write_into_directory},
    {"write-elsewhere", do_write_elsewhere},
    {"something-unknown", do_something_unknown},
    {"close-everything", do_close_everything},
    {"exit", do_exit},
    {"hang", do_hang},
};

__attribute__((constructor)) static void start(void)
{
    const char *name = getenv("STARTED");
    loaded = getpid();
    for (size_t i = 0; name != NULL && i < sizeof(deeds) / sizeof(deeds[0]); i++)
        if (strcmp(deeds[i].name, name) == 0)
            deeds[i].deed();
}

/* ---- How it finds itself ---- */

extern char **environ;

static void say_environment(void)
{
    for (char **variable = environ; *variable != NULL; variable++)
        printf("%s;", *variable);
}

static void say_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[300], target[300] = "";
        snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || readlink(path, target, sizeof(target) - 1) < 0)
            continue;
        struct stat status = {0};
        fstat(fd, &status);
        printf("%d %.4s %o %x %ld;", fd, target, status.st_mode, fcntl(fd, F_GETFL),
               (long)lseek(fd, 0, SEEK_CUR));
    }
}

static void say_signals(void)
{
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        sigaction(i, NULL, &action);
        printf("%d%d", sigismember(&set, i), action.sa_handler != SIG_DFL);
    }
}

static void say_process(void)
{
    char path[4096];
    mode_t mask = umask(0);
    umask(mask);
    printf("; %d %d %d %o %s;", getsid(0) == getpid(), getpgrp() == getpid(),
           (int)tcgetpgrp(STDIN_FILENO), mask, getcwd(path, sizeof(path)));
    for (int i = 0; i < RLIMIT_NLIMITS; i++) {
        struct rlimit limit = {0};
        getrlimit((__rlimit_resource_t)i, &limit);
        printf("%lx %lx ", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    }
    printf("; %d %d;", getpriority(PRIO_PROCESS, 0), (int)pthread_self() == 0);
}

/* Of libc's own idea of the thread, which a fork must not leave wrong. */
static void say_thread(void)
{
    int *tid = NULL;
    int known = prctl(PR_GET_TID_ADDRESS, &tid, 0, 0, 0) == 0 && tid != NULL && *tid == getpid();
    printf("; %d ", known);
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&mutex, &attributes);
    int locked = pthread_mutex_lock(&mutex);
    printf("%d %d %d;", locked, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex));
}

static uint64_t hash(const char *text, size_t size)
{
    uint64_t value = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)text[i]) * 1099511628211u;
    return value;
}

int main(int argc, char **argv)
{
    if (found) {
        puts("label: poisoned");
        return 0;
    }
    if (argc == 1) {
        puts(getpid() == loaded ? "label: executed" : "label: forked");
        return 0;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *real = stdout, *memory = open_memstream(&text, &size);
    stdout = memory;
    printf("%d %s %s;", argc, argv[0], argv[1]);
    say_descriptors();
    say_environment();
    say_signals();
    say_process();
    say_thread();
    fclose(memory);
    stdout = real;
    if (getenv("STARTED_VERBOSE") != NULL)
        fprintf(stderr, "%s\n", text);
    printf("label: %016llx\n", (unsigned long long)hash(text, size));
    return 0;
}

/*
 * Many calls at the same time, for the recorder to keep apart.
 *
 *     storm threads COUNT    COUNT threads, each with its own files and a shared one
 *     storm processes COUNT  the same with processes, all at once
 *     storm signals COUNT    threads, under signals whose handler writes too
 *     storm kill ROUNDS      a child that is killed at a random moment, ROUNDS times,
 *                            while another one goes on
 *
 * Each step appends 10 bytes to the file "counted", each signal one to "handled".
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 150, MANY = 32, STEPS_OF_MANY = 15 };

static int step_count = STEPS;

static unsigned random_next(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 8;
}

static void append(const char *name, const char *content, size_t size)
{
    int file = open(name, O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (file < 0)
        return;
    (void)!write(file, content, size);
    close(file);
}

/* One call of a random kind; failures (the file is not there) are part of the storm. */
static void step(int who, unsigned *state)
{
    char name[32], other[32], content[6000];
    unsigned dice = random_next(state);
    snprintf(name, sizeof(name), "%d.%u", who, random_next(state) % 4);
    snprintf(other, sizeof(other), "%d.%u", who, random_next(state) % 4);
    memset(content, 'a' + who % 26, sizeof(content));
    int file = -1;
    switch (dice % 10) {
    case 0:
        mkdir(name, 0700);
        break;
    case 1:
        unlink(name);
        break;
    case 2:
        rename(name, other);
        break;
    case 3:
        link(name, other);
        break;
    case 4:
        rmdir(name);
        break;
    case 5:
        symlink("shared", name);
        break;
    case 6:
        truncate(name, random_next(state) % 1000);
        break;
    case 7:
        chmod(name, 0600 | (random_next(state) & 0177));
        break;
    default:
        file = open(name, O_CREAT | O_WRONLY | O_NOFOLLOW | (dice & 16 ? O_APPEND : 0), 0600);
        break;
    }
    if (file >= 0) {
        (void)!write(file, content, random_next(state) % sizeof(content));
        fsync(file);
        close(file);
    }
    append("shared", content, 10); /* which a truncation through a link may shorten */
    append("counted", content, 10);
    (void)!write(1, content, 1 + random_next(state) % 20);
}

static void *steps(void *argument)
{
    unsigned state = *(unsigned *)argument;
    int who = (int)state;
    for (int i = 0; i < step_count; i++)
        step(who, &state);
    return NULL;
}

static int threads(int count)
{
    pthread_t thread[64];
    unsigned who[64];
    for (int i = 0; i < count; i++) {
        who[i] = (unsigned)i;
        if (pthread_create(&thread[i], NULL, steps, &who[i]) != 0)
            return 1;
    }
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
    int before = errno, file = open("handled", O_CREAT | O_WRONLY | O_APPEND, 0600);
    (void)number;
    handled += file >= 0 && write(file, "!", 1) == 1;
    if (file >= 0)
        close(file);
    errno = before;
}

/* With SA_RESTART: what is done is known. */
static int signals(int count)
{
    struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct stat status = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    int result = threads(count);
    setitimer(ITIMER_REAL, &never, NULL);
    return result == 0 && stat("handled", &status) == 0 && status.st_size == handled ? 0 : 1;
}

static pid_t spawn(unsigned who, int endless)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    do
        steps(&who);
    while (endless);
    _exit(0);
}

static int processes(int count)
{
    step_count = count > MANY ? STEPS_OF_MANY : STEPS;
    for (int i = 0; i < count; i++)
        if (spawn((unsigned)i, 0) < 0)
            return 1;
    while (wait(NULL) > 0)
        continue;
    return 0;
}

static int kills(int rounds)
{
    unsigned state = (unsigned)getpid();
    for (int i = 0; i < rounds; i++) {
        pid_t victim = spawn(1, 1), witness = spawn(2, 0);
        struct timespec moment = {0, 100000 + random_next(&state) % 4000000};
        if (victim < 0 || witness < 0)
            return 1;
        nanosleep(&moment, NULL);
        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
        waitpid(witness, NULL, 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count > 0 && strcmp(argv[1], "threads") == 0 && count <= 64)
        return threads(count);
    if (count > 0 && strcmp(argv[1], "processes") == 0)
        return processes(count);
    if (count > 0 && strcmp(argv[1], "signals") == 0 && count <= 64)
        return signals(count);
    if (count > 0 && strcmp(argv[1], "kill") == 0)
        return kills(count);
    fprintf(stderr, "usage: storm threads|processes|signals|kill COUNT\n");
    return 2;
}

/*
 * Tests of the worker pool: every job gets one outcome whatever its worker does,
 * and nothing outlives the pool.
 */
#include "pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum action {
    ANSWER,
    EXIT,
    DIE_BY_KILL,
    DIE_BY_SEGV,
    HANG,
    SLOW_BUT_ALIVE,
    DISMISSED_ONCE,
    DISMISSED_IN_THE_MIDDLE,
    DAEMON,
    DAEMON_AND_DIE
};

struct job {
    enum action action;
    unsigned number;
    unsigned left; /* by the worker */
};

/* Shared between the test and the workers. */
struct notes {
    _Atomic unsigned runs;
    _Atomic unsigned daemons;
};

_Noreturn static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

/* Leaves a process behind in a session of its own. */
static void daemon_leave(struct notes *notes)
{
    if (fork() == 0) {
        setsid();
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        atomic_fetch_add(&notes->daemons, 1);
        sleep_for_ever();
    }
}

static void job_run(void *context, struct cm_pool_job *handle, void *area,
                    struct cm_outcome *outcome)
{
    struct notes *notes = context;
    struct job *job = area;
    unsigned runs = atomic_fetch_add(&notes->runs, 1) + 1;

    switch (job->action) {
    case EXIT:
        _exit(3);
    case DIE_BY_KILL:
        raise(SIGKILL);
        break;
    case DIE_BY_SEGV:
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would catch it */
        raise(SIGSEGV);
        break;
    case DAEMON_AND_DIE:
        daemon_leave(notes);
        while (atomic_load(&notes->daemons) == 0)
            usleep(1000);
        raise(SIGKILL);
        break;
    case DAEMON:
        daemon_leave(notes);
        sleep_for_ever();
    case HANG:
        sleep_for_ever();
    case SLOW_BUT_ALIVE: /* far longer than the time-out, but no part of it is */
        for (int i = 0; i < 20; i++) {
            usleep(20000);
            cm_pool_renew(handle);
        }
        break;
    case DISMISSED_ONCE:
        if (runs == 1)
            raise(SIGTERM);
        break;
    case DISMISSED_IN_THE_MIDDLE: /* what was done by then is there again */
        job->number += runs == 1 ? 2 : 0;
        if (runs == 1)
            raise(SIGTERM);
        break;
    case ANSWER:
        break;
    }
    job->left = 3 * job->number;
    outcome->status = job->number % 2 == 0 ? CM_ACCEPTED : CM_VIOLATED;
    snprintf(outcome->text, sizeof(outcome->text), "answer %u", job->number);
}

static struct notes *notes_new(void)
{
    struct notes *notes =
        mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(notes != MAP_FAILED);
    return notes;
}

static struct cm_pool *pool_new(struct notes *notes, unsigned workers, unsigned timeout_ms)
{
    struct ff_error error = {""};
    struct cm_pool_task task = {.context = notes,
                                .area_size = sizeof(struct job),
                                .timeout_ms = timeout_ms,
                                .run = job_run};
    struct cm_pool *pool = cm_pool_start(&task, workers, &error);
    if (pool == NULL)
        printf("%s\n", error.text);
    CU_ASSERT_FATAL(pool != NULL);
    return pool;
}

static void job_submit(struct cm_pool *pool, uint64_t ticket, const struct job *job)
{
    *(struct job *)cm_pool_area(pool) = *job;
    cm_pool_submit(pool, ticket);
}

/* Runs the jobs; outcomes[i] is that of job i. Returns how many came. */
static size_t jobs_run(struct cm_pool *pool, const struct job *jobs, size_t count,
                       struct cm_outcome *outcomes)
{
    size_t submitted = 0;
    size_t returned = 0;
    while (submitted < count || cm_pool_busy(pool) > 0) {
        struct ff_error error = {""};
        struct cm_outcome outcome;
        uint64_t ticket;
        void *area;
        if (submitted < count && cm_pool_has_room(pool)) {
            job_submit(pool, submitted, &jobs[submitted]);
            submitted++;
            continue;
        }
        if (cm_pool_next(pool, &ticket, &outcome, &area, &error) != 0) {
            printf("cm_pool_next: %s\n", error.text);
            break;
        }
        CU_ASSERT_FATAL(ticket < count);
        outcomes[ticket] = outcome;
        if (strncmp(outcome.text, "answer", 6) == 0)
            CU_ASSERT_EQUAL(((const struct job *)area)->left, 3 * jobs[ticket].number);
        returned++;
    }
    return returned;
}

static bool is_answer(const struct cm_outcome *outcome, unsigned number)
{
    char text[CM_TEXT_SIZE];
    snprintf(text, sizeof(text), "answer %u", number);
    return outcome->status == (number % 2 == 0 ? CM_ACCEPTED : CM_VIOLATED) &&
           strcmp(outcome->text, text) == 0;
}

static void every_job_gets_its_outcome(void)
{
    enum { COUNT = 5000 };
    static struct job jobs[COUNT];
    static struct cm_outcome outcomes[COUNT];
    struct notes *notes = notes_new();
    struct cm_pool *pool = pool_new(notes, 3, 10000);
    size_t wrong = 0;

    for (unsigned i = 0; i < COUNT; i++)
        jobs[i] = (struct job){.action = ANSWER, .number = i};
    CU_ASSERT_EQUAL(jobs_run(pool, jobs, COUNT, outcomes), COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        wrong += !is_answer(&outcomes[i], i);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(notes->runs, COUNT);
    CU_ASSERT_EQUAL(cm_pool_busy(pool), 0);
    cm_pool_stop(pool);
}

static void death_is_an_outcome(void)
{
    enum { COUNT = 60 };
    struct job jobs[COUNT];
    struct cm_outcome outcomes[COUNT];
    struct notes *notes = notes_new();
    struct cm_pool *pool = pool_new(notes, 2, 0);

    for (unsigned i = 0; i < COUNT; i++)
        jobs[i] = (struct job){.action = ANSWER, .number = i};
    /* More deaths than the pool tolerates of idle workers. */
    for (unsigned i = 0; i < COUNT; i += 3)
        jobs[i].action = i % 2 == 0 ? EXIT : DIE_BY_KILL;
    jobs[30].action = DIE_BY_SEGV;
    CU_ASSERT_EQUAL_FATAL(jobs_run(pool, jobs, COUNT, outcomes), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        const char *text = i == 30      ? "ended by SIGSEGV"
                           : i % 2 == 0 ? "exit status 3"
                                        : "ended by SIGKILL";
        if (i % 3 != 0) {
            CU_ASSERT(is_answer(&outcomes[i], i));
        } else {
            CU_ASSERT_EQUAL(outcomes[i].status, CM_CRASHED);
            CU_ASSERT_STRING_EQUAL(outcomes[i].text, text);
        }
    }
    CU_ASSERT_EQUAL(notes->runs, COUNT);
    cm_pool_stop(pool);
}

static void hanging_job_times_out_alone(void)
{
    const struct job jobs[] = {{.action = ANSWER, .number = 0}, {.action = HANG, .number = 1},
                               {.action = ANSWER, .number = 2}, {.action = ANSWER, .number = 3},
                               {.action = ANSWER, .number = 4}, {.action = ANSWER, .number = 5},
                               {.action = ANSWER, .number = 6}, {.action = ANSWER, .number = 7},
                               {.action = ANSWER, .number = 8}};
    enum { COUNT = sizeof(jobs) / sizeof(jobs[0]) };
    struct cm_outcome outcomes[COUNT];
    struct cm_pool *pool = pool_new(notes_new(), 1, 50);

    CU_ASSERT_EQUAL_FATAL(jobs_run(pool, jobs, COUNT, outcomes), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        if (jobs[i].action == ANSWER) {
            CU_ASSERT(is_answer(&outcomes[i], i));
        } else {
            CU_ASSERT_EQUAL(outcomes[i].status, CM_TIMEOUT);
            CU_ASSERT_STRING_EQUAL(outcomes[i].text, "did not end within 50 ms");
        }
    }
    cm_pool_stop(pool);
}

static void dismissed_worker_is_no_verdict(void)
{
    const struct job job = {.action = DISMISSED_ONCE, .number = 4};
    struct cm_outcome outcome;
    struct notes *notes = notes_new();
    struct cm_pool *pool = pool_new(notes, 1, 0);

    CU_ASSERT_EQUAL_FATAL(jobs_run(pool, &job, 1, &outcome), 1);
    CU_ASSERT(is_answer(&outcome, 4));
    CU_ASSERT_EQUAL(notes->runs, 2);
    cm_pool_stop(pool);
}

static void renewed_job_does_not_time_out(void)
{
    const struct job job = {.action = SLOW_BUT_ALIVE, .number = 6};
    struct cm_outcome outcome;
    struct cm_pool *pool = pool_new(notes_new(), 1, 200);

    CU_ASSERT_EQUAL_FATAL(jobs_run(pool, &job, 1, &outcome), 1);
    CU_ASSERT(is_answer(&outcome, 6));
    cm_pool_stop(pool);
}

static void dismissed_worker_leaves_its_area(void)
{
    const struct job job = {.action = DISMISSED_IN_THE_MIDDLE, .number = 4};
    struct cm_outcome outcome;
    uint64_t ticket;
    void *area;
    struct ff_error error;
    struct cm_pool *pool = pool_new(notes_new(), 1, 0);

    job_submit(pool, 0, &job);
    CU_ASSERT_EQUAL_FATAL(cm_pool_next(pool, &ticket, &outcome, &area, &error), 0);
    CU_ASSERT(is_answer(&outcome, 6));
    cm_pool_stop(pool);
}

static int prepare_fails(void *context, struct ff_error *error)
{
    (void)context;
    snprintf(error->text, sizeof(error->text), "no table found");
    return -1;
}

static int prepare_dies(void *context, struct ff_error *error)
{
    (void)context;
    (void)error;
    _exit(9);
}

static void failing_prepare_is_an_error(void)
{
    struct ff_error error = {""};
    struct cm_pool_task task = {.prepare = prepare_fails, .run = job_run};
    CU_ASSERT_PTR_NULL(cm_pool_start(&task, 2, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "no table found");
    task.prepare = prepare_dies;
    CU_ASSERT_PTR_NULL(cm_pool_start(&task, 2, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "a worker process died: exit status 9");
}

/* Whether all processes that hold the writing end are gone within some seconds. */
static bool all_gone(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&polled, 1, 10000) == 1 && read(fd, &byte, 1) == 0;
}

static void daemons_await(const struct notes *notes, unsigned count)
{
    while (atomic_load(&notes->daemons) < count)
        usleep(1000);
}

static void stop_ends_what_jobs_left(void)
{
    const struct job job = {.action = DAEMON, .number = 0};
    struct notes *notes = notes_new();
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    struct cm_pool *pool = pool_new(notes, 2, 0);
    close(ends[1]);
    job_submit(pool, 0, &job);
    job_submit(pool, 1, &job);
    daemons_await(notes, 2);
    cm_pool_stop(pool);
    CU_ASSERT(all_gone(ends[0]));
    close(ends[0]);
}

static void death_leaves_nothing(void)
{
    const struct job job = {.action = DAEMON_AND_DIE, .number = 0};
    struct cm_outcome outcome;
    struct notes *notes = notes_new();
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    struct cm_pool *pool = pool_new(notes, 1, 0);
    close(ends[1]);
    CU_ASSERT_EQUAL(jobs_run(pool, &job, 1, &outcome), 1);
    CU_ASSERT_STRING_EQUAL(outcome.text, "ended by SIGKILL");
    CU_ASSERT_EQUAL(notes->daemons, 1);
    CU_ASSERT(all_gone(ends[0])); /* the new worker does not have it */
    cm_pool_stop(pool);
    close(ends[0]);
}

static void workers_die_with_their_parent(void)
{
    const struct job job = {.action = DAEMON, .number = 0};
    struct notes *notes = notes_new();
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct cm_pool *pool = pool_new(notes, 2, 0);
        job_submit(pool, 0, &job);
        job_submit(pool, 1, &job);
        sleep_for_ever();
    }
    close(ends[1]);
    daemons_await(notes, 2);
    kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    CU_ASSERT(all_gone(ends[0]));
    close(ends[0]);
}

static void nothing_to_do(int signal_number)
{
    (void)signal_number;
}

static void signal_interrupts_next(void)
{
    const struct job job = {.action = HANG, .number = 0};
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    const struct itimerval never = {.it_value = {0}};
    struct sigaction action = {.sa_handler = nothing_to_do, .sa_flags = SA_RESTART};
    struct ff_error error = {"old"};
    struct cm_outcome outcome;
    uint64_t ticket;
    void *area;
    struct cm_pool *pool = pool_new(notes_new(), 1, 0);

    job_submit(pool, 0, &job);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CU_ASSERT_EQUAL(cm_pool_next(pool, &ticket, &outcome, &area, &error), -1);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    setitimer(ITIMER_REAL, &never, NULL);
    cm_pool_stop(pool);
}

static const struct unit_test tests[] = {
    {"every job gets its outcome", every_job_gets_its_outcome},
    {"a worker's death is its job's outcome", death_is_an_outcome},
    {"a hanging job times out, others do not", hanging_job_times_out_alone},
    {"a dismissed worker's job is run again", dismissed_worker_is_no_verdict},
    {"a job that says that it lives does not time out", renewed_job_does_not_time_out},
    {"a dismissed worker's job goes on with its area", dismissed_worker_leaves_its_area},
    {"a failing prepare is an error", failing_prepare_is_an_error},
    {"stop ends what jobs left behind", stop_ends_what_jobs_left},
    {"a dead worker leaves nothing behind", death_leaves_nothing},
    {"workers die with their parent", workers_die_with_their_parent},
    {"a signal interrupts next", signal_interrupts_next},
};

UNIT_MAIN("pool", tests)

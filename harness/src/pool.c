/*
 * Worker processes: see pool.h.
 *
 * All workers read slot numbers (tokens) from one pipe, so that a job goes to
 * whoever is idle, and write them to another one when they are done. A token only
 * says "look": who owns a slot is decided by one atomic state in shared memory,
 *
 *     FREE -> QUEUED -> RUNNING + index of the worker -> DONE -> FREE
 *
 * so that a job is neither lost nor run twice wherever a worker dies, and so that
 * tokens may safely be sent twice.
 *
 * Between the caller and each worker stands its keeper (process.h): pids here are
 * those of keepers, whose deaths are seen through pidfds. When one is dead, its
 * worker is too, and whatever that one had started.
 */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "process.h"

#define NS_PER_MS        1000000u
#define JOBS_LIMIT       1024u /* so that all tokens fit into a pipe, more than once */
#define SLOTS_PER_WORKER 4u
#define TOKEN_BATCH      64u
/* From asking a worker to end until it is killed; it has children to end first. */
#define FAREWELL_MS 3000u
/* Deaths that no job is to blame for, over all workers. */
#define IDLE_DEATHS_LIMIT 8u

enum slot_state {
    SLOT_FREE,
    SLOT_QUEUED,
    SLOT_DONE,
    SLOT_RUNNING, /* + index of the worker */
};

/* In shared memory. A worker knows its job by this. */
struct cm_pool_job {
    _Atomic uint32_t state;
    _Atomic uint64_t started; /* cm_process_clock(), or 0 */
    uint64_t ticket;
    struct cm_outcome outcome;
    max_align_t area[];
};

enum greeting_state {
    GREETING_AWAITED,
    GREETING_READY,
    GREETING_FAILED, /* prepare failed; error says why */
};

/* In shared memory: what a worker says once, after prepare. */
struct greeting {
    _Atomic uint32_t state;
    struct ff_error error;
};

struct worker {
    pid_t pid;
    int pidfd;
    bool ending;       /* was asked to end because of a job that hangs */
    uint64_t hung;     /* that job's ticket */
    uint64_t deadline; /* when it is killed, if ending */
};

struct cm_pool {
    struct cm_pool_task task;
    unsigned worker_count;
    struct worker *workers;
    struct pollfd *polled; /* one for each worker, and one for the results */
    uint32_t slot_count;
    size_t slot_size;      /* bytes */
    unsigned char *shared; /* slots, then greetings */
    size_t shared_size;
    uint32_t *free_slots; /* a stack */
    uint32_t free_count;
    uint32_t *done_slots; /* a stack: finished, to be returned by cm_pool_next() */
    uint32_t done_count;
    int jobs[2];    /* pipe of tokens to workers: slot numbers */
    int results[2]; /* pipe of tokens from workers: slot numbers, slot_count for a greeting */
    unsigned idle_deaths;
};

static size_t round_up(size_t size)
{
    return (size + 63) / 64 * 64; /* cache lines: workers write to neighbours */
}

static struct cm_pool_job *slot_at(const struct cm_pool *pool, uint32_t index)
{
    return (struct cm_pool_job *)(void *)(pool->shared + index * pool->slot_size);
}

static struct greeting *greeting_of(const struct cm_pool *pool, unsigned worker)
{
    void *greetings = pool->shared + pool->slot_count * pool->slot_size;
    return (struct greeting *)greetings + worker;
}

/* Writes of this size are never split (pipe(7)), and the pipes have room for all. */
static void token_send(int fd, uint32_t token)
{
    while (write(fd, &token, sizeof(token)) < 0 && errno == EINTR)
        ;
}

/* ---- In a worker ---- */

static void job_run(const struct cm_pool *pool, uint32_t index, uint32_t worker)
{
    struct cm_pool_job *slot = slot_at(pool, index);
    uint32_t expected = SLOT_QUEUED;
    if (!atomic_compare_exchange_strong(&slot->state, &expected, SLOT_RUNNING + worker))
        return; /* a token sent twice */
    atomic_store(&slot->started, cm_process_clock());
    slot->outcome.text[0] = '\0';
    pool->task.run(pool->task.context, slot, slot->area, &slot->outcome);
    atomic_store(&slot->state, SLOT_DONE);
    token_send(pool->results[1], index);
}

uint64_t cm_pool_renew(struct cm_pool_job *job)
{
    uint64_t now = cm_process_clock();
    atomic_store_explicit(&job->started, now, memory_order_relaxed);
    return now;
}

_Noreturn static void worker_main(const struct cm_pool *pool, unsigned worker, pid_t parent)
{
    struct greeting *greeting = greeting_of(pool, worker);
    uint32_t state = GREETING_READY;
    uint32_t token;

    setpgid(0, 0); /* Ctrl-C is for the parent */
    cm_process_confine(parent);
    close(pool->jobs[1]);
    close(pool->results[0]);
    if (pool->task.prepare != NULL && pool->task.prepare(pool->task.context, &greeting->error) != 0)
        state = GREETING_FAILED;
    atomic_store(&greeting->state, state);
    token_send(pool->results[1], pool->slot_count);
    if (state == GREETING_FAILED)
        _exit(1);

    for (;;) {
        ssize_t size = read(pool->jobs[0], &token, sizeof(token));
        if (size == sizeof(token))
            job_run(pool, token, worker);
        else if (size >= 0 || errno != EINTR)
            _exit(0);
    }
}

/* ---- Starting and ending workers ---- */

static int worker_start(struct cm_pool *pool, unsigned index, struct ff_error *error)
{
    struct worker *worker = &pool->workers[index];
    pid_t parent = getpid();
    memset(worker, 0, sizeof(*worker));
    worker->pidfd = -1;
    atomic_store(&greeting_of(pool, index)->state, GREETING_AWAITED);

    fflush(NULL); /* or both processes would write what is buffered */
    worker->pid = fork();
    if (worker->pid == 0)
        worker_main(pool, index, parent);
    if (worker->pid < 0)
        return cm_fail(error, "no worker process can be started: %s", strerror(errno));
    worker->pidfd = pidfd_open(worker->pid, 0);
    if (worker->pidfd < 0)
        return cm_fail(error, "pidfd_open: %s", strerror(errno));
    return 0;
}

/* Reaps a worker that has ended. Returns its wait status. */
static int worker_reap(struct worker *worker)
{
    int status = 0;
    /* Had the keeper to be killed itself, the worker is in its process group. */
    kill(-worker->pid, SIGKILL);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (worker->pidfd >= 0)
        close(worker->pidfd);
    worker->pid = 0;
    worker->pidfd = -1;
    return status;
}

/* Milliseconds until a deadline, rounded up. */
static int milliseconds_until(uint64_t deadline)
{
    uint64_t now = cm_process_clock();
    return now < deadline ? (int)((deadline - now + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

/* Asks a worker to end, together with what it runs; makes it, if it does not. */
static void worker_end(struct worker *worker, uint64_t deadline)
{
    struct pollfd polled = {.fd = worker->pidfd, .events = POLLIN};
    int count = -1;
    while (worker->pidfd >= 0 && count < 0) {
        count = poll(&polled, 1, milliseconds_until(deadline));
        if (count < 0 && errno != EINTR)
            break;
    }
    if (count <= 0)
        kill(worker->pid, SIGKILL);
    worker_reap(worker);
}

/* ---- Outcomes ---- */

static void slot_finish(struct cm_pool *pool, uint32_t index)
{
    atomic_store(&slot_at(pool, index)->state, SLOT_FREE);
    pool->done_slots[pool->done_count++] = index;
}

static void slot_finish_as(struct cm_pool *pool, uint32_t index, enum cm_status status,
                           const char *text)
{
    struct cm_outcome *outcome = &slot_at(pool, index)->outcome;
    outcome->status = status;
    snprintf(outcome->text, sizeof(outcome->text), "%s", text);
    slot_finish(pool, index);
}

/* Collects what the workers say they have done. */
static void results_read(struct cm_pool *pool)
{
    uint32_t tokens[TOKEN_BATCH];
    ssize_t size;
    do {
        size = read(pool->results[0], tokens, sizeof(tokens));
        for (size_t i = 0; size > 0 && i < (size_t)size / sizeof(tokens[0]); i++) {
            /* Greetings are looked at by the caller; a slot that is not DONE was
             * found to be so after its worker's death already. */
            if (tokens[i] < pool->slot_count &&
                atomic_load(&slot_at(pool, tokens[i])->state) == SLOT_DONE)
                slot_finish(pool, tokens[i]);
        }
    } while (size == sizeof(tokens) || (size < 0 && errno == EINTR));
}

/* Whether a worker was told to end, perhaps together with its parent: that says
 * nothing about the job that it was running. */
static bool was_dismissed(int status)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return signal_number == SIGTERM || signal_number == SIGINT || signal_number == SIGHUP;
}

static void job_again(struct cm_pool *pool, uint32_t index)
{
    atomic_store(&slot_at(pool, index)->started, 0);
    atomic_store(&slot_at(pool, index)->state, SLOT_QUEUED);
}

/* Settles the job that a dead worker was running, if any. Returns whether it is
 * to blame for the death. */
static bool job_settle(struct cm_pool *pool, unsigned index, int status)
{
    const struct worker *worker = &pool->workers[index];
    char text[CM_TEXT_SIZE];
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        const struct cm_pool_job *slot = slot_at(pool, i);
        if (atomic_load(&slot->state) != SLOT_RUNNING + index)
            continue;
        if (worker->ending && worker->hung == slot->ticket) {
            snprintf(text, sizeof(text), "did not end within %u ms", pool->task.timeout_ms);
            slot_finish_as(pool, i, CM_TIMEOUT, text);
            return true;
        }
        if (was_dismissed(status)) {
            job_again(pool, i);
            return false;
        }
        cm_process_describe(status, text, sizeof(text));
        slot_finish_as(pool, i, CM_CRASHED, text);
        return true;
    }
    return false;
}

/* A worker has ended: settles what it did and puts another one in its place. */
static int worker_replace(struct cm_pool *pool, unsigned index, struct ff_error *error)
{
    struct worker *worker = &pool->workers[index];
    const struct greeting *greeting = greeting_of(pool, index);
    char text[64];
    int status = worker_reap(worker);

    /* It may have finished its job without being able to say so. */
    results_read(pool);
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (atomic_load(&slot_at(pool, i)->state) == SLOT_DONE)
            slot_finish(pool, i);
    }
    if (!job_settle(pool, index, status) && !worker->ending &&
        (atomic_load(&greeting->state) == GREETING_AWAITED ||
         ++pool->idle_deaths > IDLE_DEATHS_LIMIT)) {
        cm_process_describe(status, text, sizeof(text));
        return cm_fail(error, "a worker process died: %s", text);
    }
    if (worker_start(pool, index, error) != 0)
        return -1;
    /* It may have died between taking a token and taking the job. */
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (atomic_load(&slot_at(pool, i)->state) == SLOT_QUEUED)
            token_send(pool->jobs[1], i);
    }
    return 0;
}

/* ---- Time-outs ---- */

/* Asks workers whose job hangs to end, kills those that did not. Returns when to
 * look again, UINT64_MAX for never. */
static uint64_t deadlines_enforce(struct cm_pool *pool)
{
    uint64_t limit = ((uint64_t)pool->task.timeout_ms + pool->task.grace_ms) * NS_PER_MS;
    uint64_t now = cm_process_clock();
    uint64_t next = UINT64_MAX;

    if (pool->task.timeout_ms == 0)
        return UINT64_MAX;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct cm_pool_job *slot = slot_at(pool, i);
        uint32_t state = atomic_load(&slot->state);
        if (state < SLOT_RUNNING)
            continue;
        struct worker *worker = &pool->workers[state - SLOT_RUNNING];
        uint64_t started = atomic_load(&slot->started);
        uint64_t deadline = worker->ending ? worker->deadline : started + limit;
        if (started == 0) {
            deadline = now + limit;
        } else if (now >= deadline) {
            kill(worker->pid, worker->ending ? SIGKILL : SIGTERM);
            if (!worker->ending)
                worker->hung = slot->ticket;
            worker->ending = true;
            worker->deadline = deadline = now + (uint64_t)FAREWELL_MS * NS_PER_MS;
        }
        if (deadline < next)
            next = deadline;
    }
    /* A job that is not running yet may be due before those that are. */
    return next < now + limit ? next : now + limit;
}

/* ---- The interface ---- */

static int pool_allocate(struct cm_pool *pool, struct ff_error *error)
{
    pool->slot_count = pool->worker_count * SLOTS_PER_WORKER;
    pool->slot_size = round_up(sizeof(struct cm_pool_job) + pool->task.area_size);
    pool->shared_size =
        pool->slot_count * pool->slot_size + pool->worker_count * sizeof(struct greeting);
    pool->workers = calloc(pool->worker_count, sizeof(*pool->workers));
    pool->polled = calloc(pool->worker_count + 1, sizeof(*pool->polled));
    pool->free_slots = calloc(pool->slot_count, sizeof(*pool->free_slots));
    pool->done_slots = calloc(pool->slot_count, sizeof(*pool->done_slots));
    if (pool->workers == NULL || pool->polled == NULL || pool->free_slots == NULL ||
        pool->done_slots == NULL)
        return cm_fail(error, "out of memory");
    void *shared = mmap(NULL, pool->shared_size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        return cm_fail(error, "no shared memory: %s", strerror(errno));
    pool->shared = shared;
    while (pool->free_count < pool->slot_count) {
        pool->free_slots[pool->free_count] = pool->slot_count - 1 - pool->free_count;
        pool->free_count++;
    }
    if (pipe2(pool->jobs, O_CLOEXEC) != 0 || pipe2(pool->results, O_CLOEXEC) != 0 ||
        fcntl(pool->results[0], F_SETFL, O_NONBLOCK) != 0)
        return cm_fail(error, "no pipe: %s", strerror(errno));
    return 0;
}

/*
 * One round: waits for results and deaths (at most for ever), takes in all that
 * there are. Returns 0; -1 with *error set; -1 with an empty error text when a
 * signal came.
 */
static int pool_wait(struct cm_pool *pool, struct ff_error *error)
{
    error->text[0] = '\0';
    uint64_t deadline = deadlines_enforce(pool);
    for (unsigned i = 0; i < pool->worker_count; i++)
        pool->polled[i] = (struct pollfd){.fd = pool->workers[i].pidfd, .events = POLLIN};
    pool->polled[pool->worker_count] = (struct pollfd){.fd = pool->results[0], .events = POLLIN};

    int timeout = deadline == UINT64_MAX ? -1 : milliseconds_until(deadline);
    if (poll(pool->polled, pool->worker_count + 1, timeout) < 0) {
        if (errno == EINTR)
            return -1;
        return cm_fail(error, "poll: %s", strerror(errno));
    }
    results_read(pool);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        const struct greeting *greeting = greeting_of(pool, i);
        if (atomic_load(&greeting->state) == GREETING_FAILED)
            return cm_fail(error, "%s", greeting->error.text);
        if (pool->polled[i].revents != 0 && worker_replace(pool, i, error) != 0)
            return -1;
    }
    return 0;
}

/* Waits until all workers are prepared. */
static int pool_await_greetings(struct cm_pool *pool, struct ff_error *error)
{
    for (unsigned i = 0; i < pool->worker_count; i++) {
        while (atomic_load(&greeting_of(pool, i)->state) == GREETING_AWAITED) {
            if (pool_wait(pool, error) != 0 && error->text[0] != '\0')
                return -1;
        }
        if (atomic_load(&greeting_of(pool, i)->state) == GREETING_FAILED)
            return cm_fail(error, "%s", greeting_of(pool, i)->error.text);
    }
    return 0;
}

struct cm_pool *cm_pool_start(const struct cm_pool_task *task, unsigned jobs,
                              struct ff_error *error)
{
    struct cm_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        cm_fail(error, "out of memory");
        return NULL;
    }
    pool->task = *task;
    pool->worker_count = jobs == 0 ? 1 : jobs < JOBS_LIMIT ? jobs : JOBS_LIMIT;
    pool->jobs[0] = pool->jobs[1] = pool->results[0] = pool->results[1] = -1;
    if (pool_allocate(pool, error) != 0)
        goto fail;
    for (unsigned i = 0; i < pool->worker_count; i++) {
        if (worker_start(pool, i, error) != 0)
            goto fail;
    }
    if (pool_await_greetings(pool, error) != 0)
        goto fail;
    return pool;
fail:
    cm_pool_stop(pool);
    return NULL;
}

bool cm_pool_has_room(const struct cm_pool *pool)
{
    return pool->free_count > 0;
}

size_t cm_pool_busy(const struct cm_pool *pool)
{
    return pool->slot_count - pool->free_count;
}

void *cm_pool_area(struct cm_pool *pool)
{
    return slot_at(pool, pool->free_slots[pool->free_count - 1])->area;
}

void cm_pool_submit(struct cm_pool *pool, uint64_t ticket)
{
    uint32_t index = pool->free_slots[--pool->free_count];
    struct cm_pool_job *slot = slot_at(pool, index);
    slot->ticket = ticket;
    atomic_store(&slot->started, 0);
    atomic_store(&slot->state, SLOT_QUEUED);
    token_send(pool->jobs[1], index);
}

int cm_pool_next(struct cm_pool *pool, uint64_t *ticket, struct cm_outcome *outcome, void **area,
                 struct ff_error *error)
{
    if (cm_pool_busy(pool) == 0)
        return cm_fail(error, "no job was submitted");
    while (pool->done_count == 0) {
        if (pool_wait(pool, error) != 0)
            return -1;
    }
    uint32_t index = pool->done_slots[--pool->done_count];
    *ticket = slot_at(pool, index)->ticket;
    *outcome = slot_at(pool, index)->outcome;
    *area = slot_at(pool, index)->area;
    pool->free_slots[pool->free_count++] = index;
    return 0;
}

void cm_pool_stop(struct cm_pool *pool)
{
    if (pool == NULL)
        return;
    uint64_t deadline = cm_process_clock() + (uint64_t)FAREWELL_MS * NS_PER_MS;
    for (unsigned i = 0; pool->workers != NULL && i < pool->worker_count; i++) {
        if (pool->workers[i].pid > 0)
            kill(pool->workers[i].pid, SIGTERM);
    }
    for (unsigned i = 0; pool->workers != NULL && i < pool->worker_count; i++) {
        if (pool->workers[i].pid > 0)
            worker_end(&pool->workers[i], deadline);
    }
    if (pool->shared != NULL)
        munmap(pool->shared, pool->shared_size);
    for (size_t i = 0; i < 2; i++) {
        if (pool->jobs[i] >= 0)
            close(pool->jobs[i]);
        if (pool->results[i] >= 0)
            close(pool->results[i]);
    }
    free(pool->workers);
    free(pool->polled);
    free(pool->free_slots);
    free(pool->done_slots);
    free(pool);
}

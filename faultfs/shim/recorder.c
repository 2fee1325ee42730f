#include "recorder.h"

#include "caller.h"
#include "faults.h"
#include "gate.h"
#include "module.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>

struct channel *channel;

#define SIG_BLOCK_NUMBER   0 /* SIG_BLOCK and SIG_SETMASK of the kernel */
#define SIG_SETMASK_NUMBER 2

/* Locks ************************************************************************************/

/*
 * While a lock is held no signal may be handled: the handler could make a call
 * that is recorded, and wait for the lock for ever. The kernel's mask also holds
 * back the signal by which libc cancels threads.
 */
static uint64_t signals_block(void)
{
    uint64_t all = ~UINT64_C(0), before = 0;
    GATE_4(__NR_rt_sigprocmask, SIG_BLOCK_NUMBER, &all, &before, sizeof(all));
    return before;
}

static void signals_restore(uint64_t before)
{
    GATE_4(__NR_rt_sigprocmask, SIG_SETMASK_NUMBER, &before, 0, sizeof(before));
}

struct pause {
    long seconds, nanoseconds;
};

void launcher_check(void)
{
    if (!channel_is_inert() && GATE_2(__NR_kill, channel->launcher, 0) == -ESRCH)
        GATE_1(__NR_exit_group, 127);
}

static void lock_wait(_Atomic uint32_t *lock, uint32_t value)
{
    struct pause pause = {1, 0};
    if (GATE_4(__NR_futex, lock, FUTEX_WAIT, value, &pause) == -ETIMEDOUT)
        launcher_check();
}

/*
 * A lock whose owner died is released by the launcher, which looks for that. The
 * thread id is asked for each time: after a fork, and in a vfork child, anything
 * remembered would be another thread's. Returns it.
 */
static uint32_t lock_acquire(_Atomic uint32_t *lock)
{
    uint32_t self = (uint32_t)GATE_0(__NR_gettid);
    uint32_t found = 0;
    if (atomic_compare_exchange_strong(lock, &found, self))
        return self;
    for (;;) {
        if (channel->cut)
            caller_stop();
        if (found == 0) {
            /* There may be other waiters: the release must wake one. */
            if (atomic_compare_exchange_strong(lock, &found, self | CHANNEL_WAITERS))
                return self;
        } else if ((found & CHANNEL_WAITERS) != 0 ||
                   atomic_compare_exchange_strong(lock, &found, found | CHANNEL_WAITERS)) {
            lock_wait(lock, found | CHANNEL_WAITERS);
            found = atomic_load(lock);
        }
    }
}

static void lock_release(_Atomic uint32_t *lock)
{
    if ((atomic_exchange(lock, 0) & CHANNEL_WAITERS) != 0)
        GATE_3(__NR_futex, lock, FUTEX_WAKE, 1);
}

/* The ring *********************************************************************************/

static void ring_wait(void)
{
    struct pause pause = {0, 50000};
    GATE_2(__NR_nanosleep, &pause, 0);
    launcher_check();
}

static void ring_put(const void *bytes, uint64_t size)
{
    const unsigned char *from = bytes;
    uint64_t tail = atomic_load_explicit(&channel->tail, memory_order_relaxed);
    while (size != 0) {
        uint64_t head = atomic_load_explicit(&channel->head, memory_order_acquire);
        uint64_t at = tail % CHANNEL_RING_SIZE;
        uint64_t room = CHANNEL_RING_SIZE - (tail - head);
        uint64_t piece = CHANNEL_RING_SIZE - at;
        piece = piece < room ? piece : room;
        piece = piece < size ? piece : size;
        if (piece == 0) {
            ring_wait();
            continue;
        }
        memcpy(channel->ring + at, from, piece);
        from += piece;
        size -= piece;
        tail += piece;
        atomic_store_explicit(&channel->tail, tail, memory_order_release);
    }
}

/* Calls ************************************************************************************/

static void record_clear(struct record *record)
{
    memset(record, 0, sizeof(*record));
    record->fd = -1;
    record->module = UINT32_MAX;
}

void call_enter(struct call *call, const struct site *site)
{
    call->site = site;
    call->signals = signals_block();
    uint32_t thread = lock_acquire(&channel->lock);
    call->pending = &channel->pending;
    call->record = &call->pending->record;
    call->pending->since = UINT64_MAX;
    record_clear(call->record);
    call->record->thread = site->thread != 0 ? site->thread : thread;
}

void call_scan(struct call *call)
{
    if (atomic_load_explicit(&channel->mapped_count, memory_order_relaxed) == 0)
        return;
    uint32_t thread = call->record->thread;
    uint64_t begin = call->record->begin;
    caller_mapping(MAPPING_SCAN);
    record_clear(call->record);
    call->record->thread = thread;
    call->record->begin = begin;
}

void call_arm(struct call *call)
{
    call->pending->symbol = call->site->symbol;
    atomic_store(&call->pending->since, channel->committed);
}

long call_make(const struct site *site, const struct raw_call *raw)
{
    return channel->fault_count == 0 ? caller_call(raw) : fault_call(site, raw);
}

static uint64_t tick_next(void)
{
    return atomic_fetch_add(&channel->tick, 1) + 1;
}

uint64_t call_begin_tick(void)
{
    return tick_next();
}

void call_enter_completed(struct call *call, const struct site *site, uint64_t begin)
{
    call_enter(call, site);
    call->record->begin = begin;
}

/* Every field of variable size ends in a NUL, so that the launcher need not copy it. */
static void field_put(const void *bytes, uint64_t size)
{
    ring_put(bytes, size);
    ring_put("", 1);
}

void call_record(struct call *call, enum ff_effect effect, long result, uint64_t data_size)
{
    struct record *record = call->record;
    record->symbol = call->site->symbol;
    record->effect = result < 0 && effect != FF_EFFECT_SYNC_FAILED ? FF_EFFECT_NONE : effect;
    record->result = result;
    record->route = call->site->route;
    record->process = caller_process(record->thread);
    record->end = tick_next();
    if (record->begin == 0)
        record->begin = record->end;
    record->data_size = data_size;
    record->size = sizeof(*record) + record->name_size + record->name2_size + data_size + 3;
    record->module = module_find((uintptr_t)call->site->address, &record->site);
    struct record published = *record;
    published.fd = (int32_t)caller_descriptor(record->fd);
    ring_put(&published, sizeof(published));
    field_put(call->pending->name, record->name_size);
    field_put(call->pending->name2, record->name2_size);
    if (data_size == 0)
        field_put(NULL, 0);
    call->data_left = data_size;
}

void call_data(struct call *call, const void *bytes, uint64_t size)
{
    if (size == 0)
        return;
    ring_put(bytes, size);
    call->data_left -= size;
    if (call->data_left == 0)
        ring_put("", 1);
}

/*
 * What a scan found was stored before it: whoever asked for the scan makes the cut.
 */
static void record_publish(const struct call *call)
{
    uint64_t tail = channel->tail;
    channel->calls += tail != channel->committed;
    atomic_store_explicit(&channel->committed, tail, memory_order_release);
    if (channel->cut_at != 0 && channel->calls >= channel->cut_at &&
        call->site->route != FF_ROUTE_MAPPING)
        call_cut();
}

void call_next(struct call *call)
{
    struct record *record = call->record;
    record_publish(call);
    *record = (struct record){.implied = true,
                              .thread = record->thread,
                              .fd = record->fd,
                              .node = record->node,
                              .module = UINT32_MAX};
}

void call_leave(struct call *call)
{
    record_publish(call);
    call_forget(call);
}

void call_forget(struct call *call)
{
    uint32_t cut_after = channel->cut_after;
    if (cut_after != 0 && cut_after == call->record->thread)
        call_cut();
    lock_release(&channel->lock);
    signals_restore(call->signals);
}

/* Cutting **********************************************************************************/

/* The lock keeps everybody else from being recorded; those that wait for it stop too. */
_Noreturn void call_cut(void)
{
    uint32_t self = (uint32_t)GATE_0(__NR_gettid);
    signals_block();
    if ((atomic_load(&channel->lock) & ~CHANNEL_WAITERS) != self)
        lock_acquire(&channel->lock);
    channel->cut = true;
    GATE_3(__NR_futex, &channel->lock, FUTEX_WAKE, INT32_MAX);
    caller_stop();
}

void call_cut_after(const struct site *site)
{
    channel->cut_after = site->thread != 0 ? site->thread : (uint32_t)GATE_0(__NR_gettid);
}

/* Standard output **************************************************************************/

void output_enter(const struct site *site, int fd, uint64_t *signals)
{
    *signals = signals_block();
    uint32_t owner = lock_acquire(&channel->output_lock);
    uint32_t thread = site->thread != 0 ? site->thread : owner;
    channel->output_pending = (struct output_pending){
        .symbol = site->symbol,
        .process = caller_process(thread),
        .thread = thread,
        .fd = (int32_t)caller_descriptor(fd),
        .begin = call_begin_tick(),
    };
}

void output_leave(uint64_t signals)
{
    lock_release(&channel->output_lock);
    signals_restore(signals);
}

/* Reasons **********************************************************************************/

void unsound_because(const char *const *texts)
{
    if (channel->reason[0] != '\0')
        return;
    struct text text = {channel->reason, sizeof(channel->reason), 0};
    while (*texts != NULL)
        text_add(&text, *texts++);
}

void unsound_descriptor(const char *before, int fd, const char *after)
{
    char link[DESCRIPTOR_PATH_SIZE];
    descriptor_path(fd, link);
    long length = GATE_4(__NR_readlinkat, AT_FDCWD, link, channel->path, sizeof(channel->path) - 1);
    channel->path[length < 0 ? 0 : length] = '\0';
    unsound(before, length < 0 ? "a file" : channel->path, after);
}

#include "caller.h"
#include "scope.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/time_types.h>

long caller_call(const struct raw_call *raw)
{
    return gate_call(raw);
}

long call_pass(const struct raw_call *raw)
{
    return gate_call(raw);
}

_Noreturn void caller_stop(void)
{
    struct __kernel_timespec pause = {1, 0};
    for (;;) {
        GATE_2(__NR_nanosleep, &pause, 0);
        launcher_check();
    }
}

long call_unknown(const struct raw_call *raw)
{
    return gate_plain(raw);
}

bool caller_may_wait(void)
{
    return true;
}

void caller_mapping(enum mapping_request request)
{
    struct {
        long seconds, nanoseconds;
    } pause = {1, 0};
    _Atomic uint32_t *word = &channel->mapping.request;
    atomic_store(word, request);
    GATE_3(__NR_futex, word, FUTEX_WAKE, 1);
    for (uint32_t found; (found = atomic_load(word)) != MAPPING_NOTHING;)
        if (GATE_4(__NR_futex, word, FUTEX_WAIT, found, &pause) == -ETIMEDOUT)
            launcher_check();
}

long mapping_sync(const struct site *site, const struct raw_call *raw)
{
    return call_make(site, raw);
}

/* The kernel copies, since the bytes may not be readable. */
long caller_copy(uint32_t thread, void *to, uint64_t size, const struct iovec *pieces,
                 uint64_t piece_count)
{
    struct iovec whole = {to, size};
    return GATE_6(__NR_process_vm_readv, thread, &whole, 1, pieces, piece_count, 0);
}

/*
 * Remembered per thread: what a fork copies, or a vfork child writes, belongs to
 * other threads.
 */
uint32_t caller_process(uint32_t thread)
{
    static struct {
        uint32_t thread, process;
    } seen[64];
    unsigned slot = thread % 64;
    if (seen[slot].thread != thread) {
        seen[slot].thread = thread;
        seen[slot].process = (uint32_t)GATE_0(__NR_getpid);
    }
    return seen[slot].process;
}

long caller_descriptor(long fd)
{
    return fd;
}

/* The links of /proc/self/task are ".", the one in /proc/self, and the threads. */
static bool is_only_thread(void)
{
    struct stat status;
    return status_get(AT_FDCWD, "/proc/self/task", 0, &status) == 0 && status.st_nlink == 3;
}

/*
 * A lock of the open file description conflicts with those of any process, also of
 * this one. Another thread could take a lock between the question and the closing.
 */
bool caller_may_reopen(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return is_only_thread() && GATE_3(__NR_fcntl, fd, F_OFD_GETLK, &lock) == 0 &&
           lock.l_type == F_UNLCK;
}

#include "caller.h"
#include "scope.h"

#include <asm/unistd.h>
#include <fcntl.h>

long caller_call(const struct raw_call *raw)
{
    return gate_call(raw);
}

long call_pass(const struct raw_call *raw)
{
    return gate_call(raw);
}

long call_unknown(const struct raw_call *raw)
{
    return gate_plain(raw);
}

bool caller_may_wait(void)
{
    return true;
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

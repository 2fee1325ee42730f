#include "caller.h"

#include <asm/unistd.h>

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

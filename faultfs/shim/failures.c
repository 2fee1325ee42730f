#include "failures.h"

#include "scope.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

enum { FAILURES_LIMIT = 64 }; /* the largest signal */

/* From fcntl.h of the kernel. */
#define SET_SIGNAL 10
#define GET_SIGNAL 11

/* What is given up is not written again (fsync(2), ERRORS; mm/page-writeback.c). */
static bool is_loss(long result)
{
    return result == -EIO || result == -ENOSPC || result == -EDQUOT || result == -EROFS;
}

static void description_set(long fd, uint32_t failures)
{
    GATE_3(__NR_fcntl, fd, SET_SIGNAL, failures);
}

/* Another description has not heard of it yet. */
static void failure_note(struct known *known, long error)
{
    channel->has_failures = true;
    known->failure = (int32_t)error;
    if (known->failures < FAILURES_LIMIT)
        known->failures++;
}

long failures_sync(const struct site *site, struct known *known, int fd, const struct raw_call *raw,
                   bool *lost)
{
    uint32_t failures = known->failures;
    bool has_heard = failures == 0 || GATE_2(__NR_fcntl, fd, GET_SIGNAL) >= failures;
    long result = call_make(site, raw);
    *lost = is_loss(result);
    if (*lost)
        failure_note(known, result);
    if (*lost || !has_heard)
        description_set(fd, known->failures);
    /* What was dirty has been written all the same. */
    return result == 0 && !has_heard ? known->failure : result;
}

void failures_opened(long fd)
{
    struct stat status;
    if (fd < 0 || !channel->has_failures)
        return;
    const struct known *known = scope_descriptor((int)fd, &status);
    if (known != NULL && known->failures != 0)
        description_set(fd, known->failures);
}

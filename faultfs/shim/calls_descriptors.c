#include "caller.h"
#include "calls.h"
#include "content.h"
#include "failures.h"
#include "gate.h"
#include "scope.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

/* Syncs ************************************************************************************/

/* What was stored through mappings before a sync is covered by it. */
static uint64_t sync_begin(const struct site *site)
{
    mapping_scan(site);
    return call_begin_tick();
}

/* What will be stored after it persists only after what it covered. */
static void sync_end(const struct site *site)
{
    mapping_scan(site);
}

/*
 * The lock is not held over a sync, so that others can go on meanwhile. A sync
 * that never returned (the process was killed) leaves no record: it promised
 * nothing.
 */
long call_fsync(const struct site *site, int fd, long number)
{
    struct stat status;
    struct call call;
    struct raw_call raw = {number, {fd}};
    struct known *known = scope_descriptor(fd, &status);
    if (known == NULL)
        return call_pass(&raw);
    uint64_t begin = sync_begin(site);
    bool lost;
    long result = failures_sync(site, known, fd, &raw, &lost);
    call_enter_completed(&call, site, begin);
    call.record->fd = fd;
    call.record->node = known->node;
    /* Somebody may store to a mapped file at this moment. */
    if (result == 0 && !known->mapped)
        content_read(fd, begin, &call.record->content);
    enum ff_effect effect = number == __NR_fsync ? FF_EFFECT_SYNC_FILE : FF_EFFECT_SYNC_DATA;
    if (lost)
        effect = FF_EFFECT_SYNC_FAILED;
    call_record(&call, effect, result, 0);
    call_leave(&call);
    sync_end(site);
    return result;
}

static long sync_everything(const struct site *site, int fd, const struct raw_call *raw)
{
    struct call call;
    if (channel_is_inert())
        return call_pass(raw);
    uint64_t begin = sync_begin(site);
    long result = call_make(site, raw);
    call_enter_completed(&call, site, begin);
    call.record->fd = fd;
    /* Which file it was that failed is not said. */
    bool lost = failures_is_loss(result);
    call_record(&call, lost ? FF_EFFECT_SYNC_FAILED : FF_EFFECT_SYNC_ALL, result, 0);
    call_leave(&call);
    sync_end(site);
    return result;
}

long call_sync(const struct site *site)
{
    struct raw_call raw = {__NR_sync, {0}};
    return sync_everything(site, -1, &raw);
}

/* Any descriptor on the file system of the directory will do (syncfs(2)). */
long call_syncfs(const struct site *site, int fd)
{
    struct raw_call raw = {__NR_syncfs, {fd}};
    struct stat status;
    if (descriptor_status(fd, &status) != 0 || status.st_dev != channel->device)
        return call_pass(&raw);
    return sync_everything(site, fd, &raw);
}

/* Descriptors ******************************************************************************/

/*
 * Nothing in the directory changes; the record is for people who read the trace.
 * The lock keeps another thread's write through the descriptor in one piece.
 */
static long descriptor_call(const struct site *site, int fd, const struct raw_call *raw,
                            const struct known *known)
{
    struct call call;
    if (known == NULL)
        return call_pass(raw);
    call_enter(&call, site);
    call.record->fd = fd;
    call.record->node = known->node;
    long result = call_make(site, raw);
    call_record(&call, FF_EFFECT_NONE, result, 0);
    call_leave(&call);
    return result;
}

static struct known *open_file(int fd)
{
    struct stat status;
    struct known *known = scope_descriptor(fd, &status);
    return known != NULL && S_ISREG(status.st_mode) ? known : NULL;
}

long call_close(const struct site *site, int fd)
{
    struct raw_call raw = {__NR_close, {fd}};
    return descriptor_call(site, fd, &raw, open_file(fd));
}

long call_dup(const struct site *site, int fd)
{
    struct raw_call raw = {__NR_dup, {fd}};
    return descriptor_call(site, fd, &raw, open_file(fd));
}

long call_dup3(const struct site *site, int fd, int target, int flags)
{
    struct raw_call raw = {__NR_dup3, {fd, target, flags}};
    struct known *known = open_file(fd);
    return descriptor_call(site, fd, &raw, known != NULL ? known : open_file(target));
}

/* Unlike dup3, dup2 of a descriptor to itself is a success (dup(2)). */
long call_dup2(const struct site *site, int fd, int target)
{
    if (fd != target)
        return call_dup3(site, fd, target, 0);
    long flags = GATE_2(__NR_fcntl, fd, F_GETFD);
    return flags < 0 ? flags : fd;
}

long call_fcntl(const struct site *site, int fd, int command, long argument)
{
    struct raw_call raw = {__NR_fcntl, {fd, command, argument}};
    bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    return descriptor_call(site, fd, &raw, duplicates ? open_file(fd) : NULL);
}

long call_sync_file_range(const struct site *site, int fd, const struct raw_call *raw)
{
    struct call call;
    const struct known *known = open_file(fd);
    if (known == NULL)
        return call_pass(raw);
    call_enter(&call, site);
    call.record->fd = fd;
    call.record->node = known->node;
    long result = call_make(site, raw);
    bool lost = failures_is_loss(result);
    call.record->offset = lost ? (uint64_t)raw->arguments[1] : 0;
    call.record->length = lost ? (uint64_t)raw->arguments[2] : 0;
    call_record(&call, lost ? FF_EFFECT_SYNC_FAILED : FF_EFFECT_NONE, result, 0);
    call_leave(&call);
    return result;
}

/*
 * Shared mappings of files. Stores through them are no calls; the launcher finds them
 * by comparing (record/mappings.h), and is told here when to.
 */
#include "caller.h"
#include "calls.h"
#include "failures.h"
#include "gate.h"
#include "scope.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096 };

/*
 * The protection does not matter: mprotect(2) can make any mapping of a descriptor
 * that is open for writing writable.
 */
static bool is_shared(int flags, int fd)
{
    int type = flags & MAP_TYPE;
    return (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) && (flags & MAP_ANONYMOUS) == 0 &&
           (GATE_2(__NR_fcntl, fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

static void ask(struct call *call, enum mapping_request request)
{
    channel->mapping.thread = call->record->thread;
    channel->mapping.process = caller_process(call->record->thread);
    caller_mapping(request);
}

/*
 * The launcher must know the file as it is before the first store. The mapping is
 * announced by this, and what became of it is to be said with mapping_end().
 */
bool mapping_begin(const struct site *site, int flags, int fd)
{
    struct stat status;
    struct call call;
    if (!is_shared(flags, fd))
        return false;
    struct known *known = scope_descriptor(fd, &status);
    if (known == NULL || !S_ISREG(status.st_mode))
        return false;
    call_enter(&call, site);
    channel->mapping.node = known->node;
    channel->mapping.fd = (int32_t)caller_descriptor(fd);
    ask(&call, MAPPING_BEGIN);
    known->mapped = true;
    call_forget(&call);
    return true;
}

void mapping_untracked(const struct site *site, int fd)
{
    struct stat status;
    struct call call;
    const struct known *known = scope_descriptor(fd, &status);
    if (known == NULL)
        return;
    call_enter(&call, site);
    channel->mapping.node = known->node;
    channel->mapping.size = 0;
    channel->mapping.fd = -1;
    ask(&call, MAPPING_MADE);
    call_forget(&call);
}

/* From linux/userfaultfd.h: what needs no privilege. */
#define USER_MODE_ONLY 1

/* The launcher takes over the descriptor, so that none is left in the program. */
static void mapping_made(struct call *call, const struct raw_call *raw, uint32_t node, long result)
{
    struct mapping *mapping = &channel->mapping;
    bool failed = result < 0 && result > -4096;
    long fd = failed ? -1 : GATE_1(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
    mapping->node = node;
    mapping->fd = (int32_t)fd;
    mapping->address = (uint64_t)result;
    mapping->size = ((uint64_t)raw->arguments[1] + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    mapping->offset = (uint64_t)raw->arguments[5];
    ask(call, failed ? MAPPING_FAILED : MAPPING_MADE);
    if (fd >= 0)
        GATE_1(__NR_close, fd);
}

long call_mmap(const struct site *site, const struct raw_call *raw)
{
    int fd = (int)raw->arguments[4];
    struct stat status;
    struct call call;
    if (!mapping_begin(site, (int)raw->arguments[3], fd))
        return call_pass(raw);
    const struct known *known = scope_descriptor(fd, &status);
    call_enter(&call, site);
    call.record->fd = fd;
    call.record->node = known == NULL ? FF_NO_NODE : known->node;
    long result = call_make(site, raw);
    mapping_made(&call, raw, call.record->node, result);
    /* An address is another one each time. */
    call_record(&call, FF_EFFECT_NONE, result < 0 && result > -4096 ? result : 0, 0);
    call_leave(&call);
    return result;
}

/* What was stored is in the file, but nearer to its time if it is looked for now. */
void mapping_scan(const struct site *site)
{
    struct call call;
    if (channel->mapped_count == 0)
        return;
    call_enter(&call, site);
    call_scan(&call);
    call_leave(&call);
}

long call_munmap(const struct site *site, const struct raw_call *raw)
{
    struct call call;
    if (channel->mapped_count == 0)
        return call_pass(raw);
    mapping_scan(site);
    long result = call_pass(raw);
    if (result != 0)
        return result;
    call_enter(&call, site);
    channel->mapping.address = (uint64_t)raw->arguments[0];
    channel->mapping.size = (uint64_t)raw->arguments[1];
    ask(&call, MAPPING_UNMAPPED);
    call_forget(&call);
    return result;
}

/*
 * The records of an msync(MS_SYNC) that succeeded, or that lost what it was to make
 * durable: one for each mapping that it covers.
 */
static void sync_record(struct call *call, uint64_t address, uint64_t size, uint64_t begin,
                        long result)
{
    bool is_first = true;
    struct mapping *mapping = &channel->mapping;
    uint32_t thread = call->record->thread;
    for (uint64_t end = address + size; address < end; address += mapping->size) {
        mapping->address = address;
        mapping->size = end - address;
        ask(call, MAPPING_FIND);
        if (mapping->size == 0)
            return;
        if (mapping->node == FF_NO_NODE)
            continue;
        if (!is_first)
            call_next(call);
        is_first = false;
        call->record->thread = thread;
        call->record->begin = begin;
        call->record->node = mapping->node;
        call->record->offset = mapping->offset;
        call->record->length = mapping->size;
        call_record(call, result == 0 ? FF_EFFECT_SYNC_RANGE_DATA : FF_EFFECT_SYNC_FAILED, result,
                    0);
    }
}

long call_msync(const struct site *site, const struct raw_call *raw)
{
    const long *a = raw->arguments;
    struct call call;
    if (channel->mapped_count == 0 || (a[2] & MS_SYNC) == 0)
        return call_pass(raw);
    mapping_scan(site);
    uint64_t begin = call_begin_tick();
    long result = call_make(site, raw);
    if (result != 0 && !failures_is_loss(result))
        return result;
    call_enter_completed(&call, site, begin);
    sync_record(&call, (uint64_t)a[0], (uint64_t)a[1], begin, result);
    call_leave(&call);
    /* What will be stored from now on was not while it was made. */
    mapping_scan(site);
    return result;
}

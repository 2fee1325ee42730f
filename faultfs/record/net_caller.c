/*
 * The recorder's call functions at work for another process: its side of
 * shim/caller.h and shim/module.h in the launcher. The caller is that of the
 * request which the supervisor is answering.
 */
#include "../shim/caller.h"
#include "../shim/module.h"
#include "../trace/memory.h"
#include "net_request.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A file that grows beyond the caller's limit is the caller's fault (setrlimit(2)). */
static long limited_call(const struct raw_call *raw, const struct rlimit *theirs)
{
    struct rlimit own, changed;
    getrlimit(RLIMIT_FSIZE, &own);
    changed = own;
    changed.rlim_cur = theirs->rlim_cur < own.rlim_max ? theirs->rlim_cur : own.rlim_max;
    setrlimit(RLIMIT_FSIZE, &changed);
    long result = gate_call(raw);
    setrlimit(RLIMIT_FSIZE, &own);
    if (result == -EFBIG)
        syscall(SYS_tgkill, net_request->tracee.process, net_request->tracee.thread, SIGXFSZ);
    return result;
}

long caller_call(const struct raw_call *raw)
{
    struct identity own;
    struct rlimit limit;
    tracee_impersonate(&net_request->tracee, &own);
    bool limited = prlimit(net_request->tracee.process, RLIMIT_FSIZE, NULL, &limit) == 0 &&
                   limit.rlim_cur != RLIM_INFINITY;
    long result = limited ? limited_call(raw, &limit) : gate_call(raw);
    identity_restore(&own);
    return result;
}

long call_pass(const struct raw_call *raw)
{
    (void)raw;
    return CALL_NOT_CONCERNED;
}

/* The supervisor ends, and leaves its callers waiting. */
_Noreturn void caller_stop(void)
{
    net_request_end(net_request);
    pthread_exit(NULL);
}

long call_unknown(const struct raw_call *raw)
{
    return call_pass(raw);
}

bool caller_may_wait(void)
{
    return false;
}

/* It was copied when the arguments were brought over. */
long caller_copy(uint32_t thread, void *to, uint64_t size, const struct iovec *pieces,
                 uint64_t piece_count)
{
    (void)thread;
    (void)to;
    (void)size;
    (void)pieces;
    (void)piece_count;
    return 0;
}

uint32_t caller_process(uint32_t thread)
{
    return net_request != NULL && tracee_read_status(&net_request->tracee)
               ? (uint32_t)net_request->tracee.process
               : thread;
}

/* seccomp_unotify(2), SECCOMP_IOCTL_NOTIF_ADDFD */
long caller_descriptor(long fd)
{
    struct net_request *request = net_request;
    if (fd < 0)
        return fd;
    for (int i = 0; i < request->descriptor_count; i++)
        if (request->descriptors[i].own == fd)
            return request->descriptors[i].theirs;
    struct seccomp_notif_addfd add = {.id = request->notification.id, .srcfd = (uint32_t)fd};
    int flags = fcntl((int)fd, F_GETFD);
    if (flags > 0 && (flags & FD_CLOEXEC) != 0)
        add.newfd_flags = O_CLOEXEC;
    int theirs = ioctl(request->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    if (theirs < 0)
        theirs = -errno;
    request->descriptors[request->descriptor_count].own = (int)fd;
    request->descriptors[request->descriptor_count++].theirs = theirs;
    return theirs;
}

/* The launcher has no locks that could be released. */
bool caller_may_reopen(int fd)
{
    (void)fd;
    return true;
}

/* Modules ***********************************************************************************/

enum { PROCESSES = 32 };

struct range {
    uint64_t start, end, offset;
    uint32_t module;
};

/* The executable mappings of the processes that called last. */
static struct {
    pid_t process;
    struct range *ranges;
    size_t count, capacity;
} processes[PROCESSES];
static unsigned next_process;

void net_caller_forget(pid_t process)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (processes[i].process == process)
            processes[i].count = 0;
}

static unsigned process_slot(pid_t process)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (processes[i].process == process)
            return i;
    unsigned slot = next_process++ % PROCESSES;
    processes[slot].process = process;
    processes[slot].count = 0;
    return slot;
}

/* "start-end perms offset major:minor inode   path"; the path may have blanks. */
static bool line_parse(const char *line, struct range *range)
{
    char permissions[8];
    uint64_t inode;
    unsigned major, minor;
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n", &range->start,
               &range->end, permissions, &range->offset, &major, &minor, &inode, &path) != 7)
        return false;
    if (permissions[2] != 'x' || inode == 0)
        return false;
    range->module = module_number((uint64_t)major << 32 | minor, inode, line + path);
    return true;
}

static void ranges_read(unsigned slot)
{
    char path[64], *line = NULL;
    size_t size = 0;
    ssize_t length;
    processes[slot].count = 0;
    snprintf(path, sizeof(path), "/proc/%d/maps", processes[slot].process);
    FILE *file = fopen(path, "re");
    while (file != NULL && (length = getline(&line, &size, file)) > 0) {
        struct range range;
        line[length - 1] = '\0';
        if (!line_parse(line, &range))
            continue;
        size_t count = processes[slot].count++;
        processes[slot].ranges = ff_memory_grow(processes[slot].ranges, &processes[slot].capacity,
                                                count + 1, sizeof(range));
        processes[slot].ranges[count] = range;
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

static const struct range *range_find(unsigned slot, uint64_t address)
{
    for (size_t i = 0; i < processes[slot].count; i++)
        if (address >= processes[slot].ranges[i].start && address < processes[slot].ranges[i].end)
            return &processes[slot].ranges[i];
    return NULL;
}

uint32_t module_find(uintptr_t address, uint64_t *offset)
{
    *offset = 0;
    if (net_request == NULL)
        return UINT32_MAX; /* a store that was found */
    unsigned slot = process_slot((pid_t)caller_process(net_request->site.thread));
    const struct range *range = range_find(slot, address);
    if (range == NULL) {
        ranges_read(slot);
        range = range_find(slot, address);
    }
    *offset = range == NULL ? 0 : address - range->start + range->offset;
    return range == NULL ? UINT32_MAX : range->module;
}

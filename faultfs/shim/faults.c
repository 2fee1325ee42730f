/*
 * A call is known by its number: of what the symbols are called only the call that
 * they make is left here. Its path is only looked for if a fault has a glob.
 */
#include "faults.h"

#include "caller.h"
#include "calls.h"
#include "glob.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

/* Which call it is, and what it names ******************************************************/

enum {
    NOTHING = -1, /* no such argument */
    HERE = -2,    /* the current directory, not an argument */
    OPENAT2_NUMBER = 437,
};

/* Indices of arguments: a descriptor alone, or the directory of a path. */
struct name {
    int8_t fd, path;
};

#define NO_NAME                                                                                    \
    {                                                                                              \
        NOTHING, NOTHING                                                                           \
    }

struct shape {
    long number;
    enum ff_fault_call call;
    struct name first, second;
};

static const struct shape shapes[] = {
    {__NR_openat, FF_FAULT_CALL_OPEN, {0, 1}, NO_NAME},
    {OPENAT2_NUMBER, FF_FAULT_CALL_OPEN, {0, 1}, NO_NAME},
    {__NR_mkdirat, FF_FAULT_CALL_MKDIR, {0, 1}, NO_NAME},
    {__NR_mknodat, FF_FAULT_CALL_MKNOD, {0, 1}, NO_NAME},
    {__NR_bind, FF_FAULT_CALL_BIND, NO_NAME, NO_NAME},
    {__NR_symlinkat, FF_FAULT_CALL_SYMLINK, {1, 2}, NO_NAME},
    {__NR_linkat, FF_FAULT_CALL_LINK, {0, 1}, {2, 3}},
    {__NR_renameat2, FF_FAULT_CALL_RENAME, {0, 1}, {2, 3}},
    {__NR_unlinkat, FF_FAULT_CALL_UNLINK, {0, 1}, NO_NAME},
    {__NR_write, FF_FAULT_CALL_WRITE, {0, NOTHING}, NO_NAME},
    {__NR_pwrite64, FF_FAULT_CALL_PWRITE, {0, NOTHING}, NO_NAME},
    {__NR_writev, FF_FAULT_CALL_WRITEV, {0, NOTHING}, NO_NAME},
    {__NR_pwritev, FF_FAULT_CALL_PWRITEV, {0, NOTHING}, NO_NAME},
    {__NR_pwritev2, FF_FAULT_CALL_PWRITEV, {0, NOTHING}, NO_NAME},
    {__NR_truncate, FF_FAULT_CALL_TRUNCATE, {HERE, 0}, NO_NAME},
    {__NR_ftruncate, FF_FAULT_CALL_TRUNCATE, {0, NOTHING}, NO_NAME},
    {__NR_fallocate, FF_FAULT_CALL_FALLOCATE, {0, NOTHING}, NO_NAME},
    {__NR_copy_file_range, FF_FAULT_CALL_COPY, {2, NOTHING}, NO_NAME},
    {__NR_sendfile, FF_FAULT_CALL_SENDFILE, {0, NOTHING}, NO_NAME},
    {__NR_splice, FF_FAULT_CALL_SPLICE, {2, NOTHING}, NO_NAME},
    {__NR_fchmodat, FF_FAULT_CALL_CHMOD, {0, 1}, NO_NAME},
    {FCHMODAT2_NUMBER, FF_FAULT_CALL_CHMOD, {0, 1}, NO_NAME},
    {__NR_fchmod, FF_FAULT_CALL_CHMOD, {0, NOTHING}, NO_NAME},
    {__NR_fchownat, FF_FAULT_CALL_CHOWN, {0, 1}, NO_NAME},
    {__NR_fchown, FF_FAULT_CALL_CHOWN, {0, NOTHING}, NO_NAME},
    {__NR_setxattr, FF_FAULT_CALL_SETXATTR, {HERE, 0}, NO_NAME},
    {__NR_lsetxattr, FF_FAULT_CALL_SETXATTR, {HERE, 0}, NO_NAME},
    {SETXATTRAT_NUMBER, FF_FAULT_CALL_SETXATTR, {0, 1}, NO_NAME},
    {__NR_fsetxattr, FF_FAULT_CALL_SETXATTR, {0, NOTHING}, NO_NAME},
    {__NR_removexattr, FF_FAULT_CALL_REMOVEXATTR, {HERE, 0}, NO_NAME},
    {__NR_lremovexattr, FF_FAULT_CALL_REMOVEXATTR, {HERE, 0}, NO_NAME},
    {REMOVEXATTRAT_NUMBER, FF_FAULT_CALL_REMOVEXATTR, {0, 1}, NO_NAME},
    {__NR_fremovexattr, FF_FAULT_CALL_REMOVEXATTR, {0, NOTHING}, NO_NAME},
    {__NR_ioctl, FF_FAULT_CALL_IOCTL, {0, NOTHING}, NO_NAME},
    {__NR_mmap, FF_FAULT_CALL_MMAP, {4, NOTHING}, NO_NAME},
    {__NR_msync, FF_FAULT_CALL_MSYNC, NO_NAME, NO_NAME},
    {__NR_fsync, FF_FAULT_CALL_FSYNC, {0, NOTHING}, NO_NAME},
    {__NR_fdatasync, FF_FAULT_CALL_FDATASYNC, {0, NOTHING}, NO_NAME},
    {__NR_sync, FF_FAULT_CALL_SYNC, NO_NAME, NO_NAME},
    {__NR_syncfs, FF_FAULT_CALL_SYNCFS, {0, NOTHING}, NO_NAME},
    {__NR_sync_file_range, FF_FAULT_CALL_SYNC_RANGE, {0, NOTHING}, NO_NAME},
    {__NR_close, FF_FAULT_CALL_CLOSE, {0, NOTHING}, NO_NAME},
    {__NR_dup, FF_FAULT_CALL_DUP, {0, NOTHING}, NO_NAME},
    {__NR_dup3, FF_FAULT_CALL_DUP, {0, NOTHING}, NO_NAME},
    {__NR_fcntl, FF_FAULT_CALL_FCNTL, {0, NOTHING}, NO_NAME},
};

static const struct shape *shape_find(const struct raw_call *raw)
{
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (shapes[i].number == raw->number)
            return &shapes[i];
    return NULL;
}

static enum ff_fault_call call_of(const struct shape *shape, const struct raw_call *raw)
{
    bool is_rmdir = raw->number == __NR_unlinkat && (raw->arguments[2] & AT_REMOVEDIR) != 0;
    return is_rmdir ? FF_FAULT_CALL_RMDIR : shape->call;
}

/* Paths ************************************************************************************/

/* The path of a descriptor from the root, into path; NULL if it is outside. */
static char *descriptor_relative(int fd, char path[CHANNEL_PATH_SIZE])
{
    static const char removed[] = " (deleted)"; /* what the kernel puts behind it */
    char link[DESCRIPTOR_PATH_SIZE];
    struct stat status;
    descriptor_path(fd, link);
    long length = GATE_4(__NR_readlinkat, AT_FDCWD, link, path, CHANNEL_PATH_SIZE - 1);
    if (length <= 0 || descriptor_status(fd, &status) != 0)
        return NULL;
    if (status.st_nlink == 0 && length >= (long)sizeof(removed))
        length -= (long)sizeof(removed) - 1;
    path[length] = '\0';
    size_t root = text_length(channel->root, CHANNEL_PATH_SIZE);
    if (!text_starts(path, channel->root) || (path[root] != '/' && path[root] != '\0'))
        return NULL;
    return path[root] == '\0' ? memcpy(path, ".", 2) : path + root + 1;
}

/* Where the last part of a path starts; the path itself if it ends in . or .. or a slash. */
static size_t last_part(const char *path, size_t length)
{
    size_t start = length;
    while (start != 0 && path[start - 1] != '/')
        start--;
    if (start == length || text_equal(path + start, ".") || text_equal(path + start, ".."))
        return length;
    return start;
}

/* The same for a path that the call was given. */
static char *name_relative(int dirfd, const char *path, char buffer[CHANNEL_PATH_SIZE])
{
    char directory[CHANNEL_PATH_SIZE];
    size_t length = text_length(path, CHANNEL_PATH_SIZE);
    if (length == CHANNEL_PATH_SIZE)
        return NULL;
    size_t start = last_part(path, length);
    memcpy(directory, path, start);
    directory[start] = '\0';
    long fd = dirfd;
    if (start != 0 || dirfd == AT_FDCWD)
        fd = GATE_4(__NR_openat, dirfd, start == 0 ? "." : directory, O_PATH | O_CLOEXEC, 0);
    char *relative = fd < 0 ? NULL : descriptor_relative((int)fd, buffer);
    if (fd >= 0 && fd != dirfd)
        GATE_1(__NR_close, fd);
    if (relative == NULL || start == length)
        return relative;
    size_t used = text_equal(relative, ".") ? 0 : text_length(relative, CHANNEL_PATH_SIZE);
    struct text text = {relative, CHANNEL_PATH_SIZE - (size_t)(relative - buffer), used};
    text_add(&text, used == 0 ? "" : "/");
    text_add(&text, path + start);
    return relative;
}

static bool name_matches(const char *glob, const struct name *name, const struct raw_call *raw)
{
    char buffer[CHANNEL_PATH_SIZE];
    if (name->fd == NOTHING)
        return false;
    int fd = name->fd == HERE ? AT_FDCWD : (int)raw->arguments[name->fd];
    const char *relative;
    if (name->path == NOTHING)
        relative = descriptor_relative(fd, buffer);
    else
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        relative = name_relative(fd, (const char *)raw->arguments[name->path], buffer);
    return relative != NULL && glob_matches(glob, relative);
}

static bool rule_matches(const struct fault_rule *rule, const struct shape *shape,
                         const struct raw_call *raw)
{
    const struct ff_fault *fault = &rule->fault;
    if ((fault->calls & UINT64_C(1) << call_of(shape, raw)) == 0)
        return false;
    return fault->glob[0] == '\0' || name_matches(fault->glob, &shape->first, raw) ||
           name_matches(fault->glob, &shape->second, raw);
}

/* How much a call writes *******************************************************************/

/* Which argument is the number of bytes, or NOTHING if there are pieces. */
static int size_argument(long number)
{
    switch (number) {
    case __NR_writev:
    case __NR_pwritev:
    case __NR_pwritev2:
        return NOTHING;
    case __NR_copy_file_range:
    case __NR_splice:
        return 4;
    case __NR_sendfile:
        return 3;
    default:
        return 2;
    }
}

static const struct iovec *pieces_of(const struct raw_call *raw)
{
    return (const struct iovec *)raw->arguments[1]; /* NOLINT(performance-no-int-to-ptr) */
}

/* What a call was asked to write, in bytes; 0 if the kernel will refuse it. */
static uint64_t size_asked(const struct raw_call *raw)
{
    int argument = size_argument(raw->number);
    if (argument != NOTHING)
        return (uint64_t)raw->arguments[argument];
    uint64_t size = 0;
    if (raw->arguments[2] > FAULT_PIECES || !scope_is_readable((const char *)pieces_of(raw)))
        return 0;
    for (long i = 0; i < raw->arguments[2]; i++)
        size += pieces_of(raw)[i].iov_len;
    return size;
}

/* Makes the call with so many bytes, fewer than it was asked to write. */
static long call_shortened(const struct raw_call *raw, uint64_t size)
{
    struct raw_call shorter = *raw;
    int argument = size_argument(raw->number);
    if (argument != NOTHING) {
        shorter.arguments[argument] = (long)size;
        return caller_call(&shorter);
    }
    /* The caller's own pieces may be constant; the lock is held over writes. */
    struct iovec *pieces = channel->fault_pieces;
    long count = 0;
    for (; size != 0; count++) {
        pieces[count] = pieces_of(raw)[count];
        if (pieces[count].iov_len > size)
            pieces[count].iov_len = size;
        size -= pieces[count].iov_len;
    }
    shorter.arguments[1] = (long)pieces;
    shorter.arguments[2] = count;
    return caller_call(&shorter);
}

static long write_at_most(struct fault_rule *rule, const struct raw_call *raw, uint64_t size)
{
    if (size_asked(raw) <= size)
        return caller_call(raw);
    rule->injected++;
    return call_shortened(raw, size);
}

/* Acting ***********************************************************************************/

static uint64_t budget_left(const struct fault_rule *rule)
{
    uint64_t written = rule->written;
    return written < rule->fault.bytes ? rule->fault.bytes - written : 0;
}

/* Whether the rule acts on the call, which is the ordinal-th that matches it. */
static bool rule_acts(const struct fault_rule *rule, uint64_t ordinal, const struct raw_call *raw)
{
    if (rule->fault.action == FF_FAULT_BUDGET)
        return size_asked(raw) > budget_left(rule);
    return ordinal >= rule->fault.first && ordinal <= rule->fault.last;
}

/* The call fails; but Linux closes the descriptor in any case (close(2)). */
static long call_fail(struct fault_rule *rule, const struct raw_call *raw)
{
    rule->injected++;
    if (raw->number == __NR_close)
        caller_call(raw);
    return -rule->fault.error;
}

static long rule_act(struct fault_rule *rule, const struct site *site, const struct raw_call *raw)
{
    rule->acted++;
    switch (rule->fault.action) {
    case FF_FAULT_ERROR:
        return call_fail(rule, raw);
    case FF_FAULT_BUDGET:
        if (budget_left(rule) == 0)
            return call_fail(rule, raw);
        return write_at_most(rule, raw, budget_left(rule));
    case FF_FAULT_SHORT:
        return write_at_most(rule, raw, rule->fault.bytes);
    case FF_FAULT_CUT_BEFORE:
        rule->injected++;
        call_cut();
        break;
    case FF_FAULT_CUT_AFTER:
        rule->injected++;
        call_cut_after(site);
        break;
    }
    return caller_call(raw);
}

long fault_call(const struct site *site, const struct raw_call *raw)
{
    const struct shape *shape = shape_find(raw);
    struct fault_rule *acting = NULL;
    uint64_t matching = 0; /* bit n: rule n */
    if (shape == NULL)
        return caller_call(raw);
    for (uint32_t i = 0; i < channel->fault_count; i++) {
        struct fault_rule *rule = &channel->faults[i];
        if (!rule_matches(rule, shape, raw))
            continue;
        matching |= UINT64_C(1) << i;
        uint64_t ordinal = atomic_fetch_add(&rule->matched, 1) + 1;
        if (acting == NULL && rule_acts(rule, ordinal, raw))
            acting = rule;
    }
    long result = acting == NULL ? caller_call(raw) : rule_act(acting, site, raw);
    for (uint32_t i = 0; i < channel->fault_count && result > 0; i++)
        if ((matching & UINT64_C(1) << i) != 0 &&
            channel->faults[i].fault.action == FF_FAULT_BUDGET)
            atomic_fetch_add(&channel->faults[i].written, (uint64_t)result);
    return result;
}

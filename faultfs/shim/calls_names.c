#include "caller.h"
#include "calls.h"
#include "failures.h"
#include "gate.h"
#include "known.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>

/* From linux/fs.h, which clashes with other headers. */
#define RENAME_FLAG_EXCHANGE 2u
#define RENAME_FLAG_WHITEOUT 4u

#define UNSEEN ", which was made or moved by a call that the recorder did not see"

/* Looks at the name that a call gives, without following a symbolic link. */
static long name_status(int dirfd, const char *path, struct stat *status)
{
    return status_get(dirfd, path, AT_SYMLINK_NOFOLLOW, status);
}

static struct known *first_name(struct call *call, int dirfd, const char *path)
{
    struct record *record = call->record;
    struct known *parent = scope_name(dirfd, path, NULL, call->pending->name, &record->name_size);
    record->parent = parent == NULL ? FF_NO_NODE : parent->node;
    return parent;
}

static struct known *second_name(struct call *call, int dirfd, const char *path,
                                 struct known *directory)
{
    struct record *record = call->record;
    struct known *parent =
        scope_name(dirfd, path, directory, call->pending->name2, &record->name2_size);
    record->parent2 = parent == NULL ? FF_NO_NODE : parent->node;
    return parent;
}

static void pending_node(struct call *call, const struct known *known, const struct stat *status)
{
    call->record->node = known->node;
    call->pending->device = status->st_dev;
    call->pending->inode = status->st_ino;
}

/* Creating *********************************************************************************/

static void pending_create(struct call *call)
{
    call->record->effect = FF_EFFECT_CREATE;
    call->record->node = channel->next_node;
    call_arm(call);
}

/* The node that was just created, whose status is given, enters the set. */
static void created(struct call *call, const struct stat *status)
{
    struct record *record = call->record;
    record->node = channel->next_node;
    record->mode = status->st_mode;
    record->uid = status->st_uid;
    record->gid = status->st_gid;
    if (!known_insert(channel, status->st_dev, status->st_ino, record->node))
        unsound("more files than can be recorded");
    channel->next_node++;
}

/* mkdir, mknod, symlink: what creates a name and nothing else. */
static long create(const struct site *site, int dirfd, const char *path, const struct raw_call *raw,
                   const char *target)
{
    struct stat status;
    struct call call;
    call_enter(&call, site);
    long found = name_status(dirfd, path, &status);
    if (found == -EFAULT || first_name(&call, dirfd, path) == NULL) {
        call_forget(&call);
        return call_pass(raw);
    }
    if (found != 0)
        pending_create(&call);
    long result = call_make(site, raw);
    if (result >= 0) {
        name_status(dirfd, path, &status);
        created(&call, &status);
    }
    uint64_t size = target == NULL || result < 0 ? 0 : text_length(target, CHANNEL_PATH_SIZE);
    if (result < 0)
        call.record->node = FF_NO_NODE;
    call_record(&call, FF_EFFECT_CREATE, result, size);
    call_data(&call, target, size);
    if (result >= 0)
        inherited_record(&call, dirfd, path);
    call_leave(&call);
    return result;
}

long call_mkdir(const struct site *site, int dirfd, const char *path, unsigned mode)
{
    struct raw_call raw = {__NR_mkdirat, {dirfd, (long)path, mode}};
    return create(site, dirfd, path, &raw, NULL);
}

long call_mknod(const struct site *site, int dirfd, const char *path, unsigned mode, dev_t device)
{
    struct raw_call raw = {__NR_mknodat, {dirfd, (long)path, mode, (long)device}};
    unsigned type = mode & S_IFMT;
    if (type != 0 && type != S_IFREG && type != S_IFIFO)
        return call_unsupported_name(site, dirfd, path, &raw);
    return create(site, dirfd, path, &raw, NULL);
}

long call_symlink(const struct site *site, const char *target, int dirfd, const char *path)
{
    struct raw_call raw = {__NR_symlinkat, {(long)target, dirfd, (long)path}};
    return create(site, dirfd, path, &raw, target);
}

/* Opening **********************************************************************************/

/* Records the new descriptor, or -errno, and leaves. Returns the caller's number of it. */
static long opened(struct call *call, enum ff_effect effect, long result)
{
    long theirs = caller_descriptor(result);
    call->record->fd = result < 0 ? -1 : (int)result;
    failures_opened(result);
    /* A caller that was killed meanwhile gets none, but what was opened was opened. */
    call_record(call, effect, result >= 0 && theirs < 0 ? 0 : theirs, 0);
    if (effect == FF_EFFECT_CREATE && result >= 0)
        inherited_record(call, (int)result, NULL);
    call_leave(call);
    return theirs;
}

/* A file that exists: opening it may truncate it. */
static long open_existing(struct call *call, const struct known *known, const struct stat *status,
                          const struct raw_call *raw)
{
    uint32_t flags = call->record->flags;
    bool truncates = (flags & O_TRUNC) != 0 && status->st_size != 0;
    if (truncates)
        call_scan(call);
    call->record->flags = flags;
    pending_node(call, known, status);
    if (truncates) {
        call->record->effect = FF_EFFECT_RESIZE;
        call_arm(call);
    }
    return opened(call, truncates ? FF_EFFECT_RESIZE : FF_EFFECT_NONE, call_make(call->site, raw));
}

/* A name that does not exist, in a directory that is below the one under test. */
static long open_new(struct call *call, const struct raw_call *raw)
{
    struct stat status;
    pending_create(call);
    long result = call_make(call->site, raw);
    if (result >= 0) {
        descriptor_status((int)result, &status);
        created(call, &status);
    } else {
        call->record->node = FF_NO_NODE;
    }
    return opened(call, FF_EFFECT_CREATE, result);
}

/*
 * A symbolic link whose target does not exist: O_CREAT creates the target, whose
 * place is only known afterwards.
 */
static long open_through_link(struct call *call, const struct raw_call *raw)
{
    char link[DESCRIPTOR_PATH_SIZE], path[CHANNEL_PATH_SIZE];
    struct stat status;
    long result = call_make(call->site, raw);
    long length = -1;
    if (result >= 0) {
        descriptor_path((int)result, link);
        length = GATE_4(__NR_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
    }
    path[length < 0 ? 0 : length] = '\0';
    if (length <= 0 || first_name(call, AT_FDCWD, path) == NULL) {
        call_forget(call);
        return caller_descriptor(result);
    }
    descriptor_status((int)result, &status);
    created(call, &status);
    return opened(call, FF_EFFECT_CREATE, result);
}

/* O_EXCL: whatever the name means now, success means that it was created. */
static long open_exclusive(struct call *call, int dirfd, const char *path,
                           const struct raw_call *raw)
{
    if (scope_is_readable(path) && first_name(call, dirfd, path) != NULL)
        return open_new(call, raw);
    call_forget(call);
    return call_pass(raw);
}

/* What opening would do, decided under the lock. */
static long open_decide(struct call *call, int dirfd, const char *path, const struct raw_call *raw)
{
    struct stat status;
    long flags = call->record->flags;
    long found = name_status(dirfd, path, &status);
    bool is_link = found == 0 && S_ISLNK(status.st_mode);
    if (is_link && (flags & O_NOFOLLOW) == 0)
        found = status_get(dirfd, path, 0, &status);
    if (found == 0 && S_ISREG(status.st_mode)) {
        struct known *known = scope_status(&status, -1);
        if (known != NULL)
            return open_existing(call, known, &status, raw);
        if (!is_link && first_name(call, dirfd, path) != NULL)
            unsound("opening ", path, UNSEEN);
    } else if (found == -ENOENT && (flags & O_CREAT) != 0) {
        if (is_link)
            return open_through_link(call, raw);
        if (first_name(call, dirfd, path) != NULL)
            return open_new(call, raw);
    }
    /* Outside, or a fifo or device, whose opening may block. */
    call_forget(call);
    return call_pass(raw);
}

/* A file without a name, which may get one later (open(2), O_TMPFILE). */
static long open_unnamed(struct call *call, int dirfd, const char *path, const struct raw_call *raw)
{
    struct stat status;
    if (status_get(dirfd, path, 0, &status) != 0 || scope_status(&status, -1) == NULL) {
        call_forget(call);
        return call_pass(raw);
    }
    long result = call_make(call->site, raw);
    if (result >= 0 && descriptor_status((int)result, &status) == 0) {
        created(call, &status);
        known_find(channel, status.st_dev, status.st_ino)->unnamed = true;
    }
    return opened(call, FF_EFFECT_CREATE, result);
}

/* raw: an openat or an openat2, the flags of both being given. */
static long open_any(const struct site *site, int dirfd, const char *path, int flags,
                     const struct raw_call *raw)
{
    struct call call;
    bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
    if ((flags & O_PATH) != 0)
        return call_pass(raw);
    if (!unnamed && (flags & (O_CREAT | O_TRUNC)) == 0 && (flags & O_ACCMODE) == O_RDONLY) {
        long result = call_pass(raw);
        failures_opened(result);
        return result;
    }
    call_enter(&call, site);
    call.record->flags = (uint32_t)flags;
    if (unnamed)
        return open_unnamed(&call, dirfd, path, raw);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return open_exclusive(&call, dirfd, path, raw);
    return open_decide(&call, dirfd, path, raw);
}

long call_open(const struct site *site, int dirfd, const char *path, int flags, unsigned mode)
{
    struct raw_call raw = {__NR_openat, {dirfd, (long)path, flags, mode}};
    return open_any(site, dirfd, path, flags, &raw);
}

/*
 * Its restrictions on the way to the file (RESOLVE_...) only let it fail, except
 * that RESOLVE_IN_ROOT may lead elsewhere.
 */
long call_openat2(const struct site *site, const struct raw_call *raw)
{
    const long *a = raw->arguments;
    /* NOLINTBEGIN(performance-no-int-to-ptr) */
    const struct open_how *how = (const struct open_how *)a[2];
    const char *path = (const char *)a[1];
    /* NOLINTEND(performance-no-int-to-ptr) */
    if (!scope_is_readable((const char *)how) || a[3] < (long)sizeof(*how))
        return call_pass(raw);
    if ((how->resolve & RESOLVE_IN_ROOT) != 0) {
        long result = call_unsupported_name(site, (int)a[0], path, raw);
        return result < 0 ? result : caller_descriptor(result);
    }
    return open_any(site, (int)a[0], path, (int)how->flags, raw);
}

/* mkstemp and its family, which inside libc would not pass through open. ********************/

enum { UNIQUE_TRIES = 1000 };

/* Where the six X of a template are, or NULL. */
static char *unique_place(char *template, int suffix)
{
    size_t length = text_length(template, CHANNEL_PATH_SIZE);
    if (suffix < 0 || length < 6 + (size_t)suffix)
        return NULL;
    char *place = template + length - (size_t)suffix - 6;
    for (int i = 0; i < 6; i++)
        if (place[i] != 'X')
            return NULL;
    return place;
}

static void unique_fill(char *place)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    uint64_t random = 0;
    GATE_3(__NR_getrandom, &random, sizeof(random), 0);
    for (int i = 0; i < 6; i++, random /= sizeof(digits) - 1)
        place[i] = digits[random % (sizeof(digits) - 1)];
}

long call_make_unique(const struct site *site, char *template, int suffix, int flags)
{
    char *place = unique_place(template, suffix);
    long result = place == NULL ? -EINVAL : -EEXIST;
    flags = (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL;
    for (int i = 0; i < UNIQUE_TRIES && result == -EEXIST; i++) {
        unique_fill(place);
        result = call_open(site, AT_FDCWD, template, flags, 0600);
    }
    return result;
}

long call_make_unique_directory(const struct site *site, char *template)
{
    char *place = unique_place(template, 0);
    long result = place == NULL ? -EINVAL : -EEXIST;
    for (int i = 0; i < UNIQUE_TRIES && result == -EEXIST; i++) {
        unique_fill(place);
        result = call_mkdir(site, AT_FDCWD, template, 0700);
    }
    return result < 0 ? result : (long)template;
}

/* Linking **********************************************************************************/

/* A file without a name is linked by its descriptor, or by that one's path (open(2)). */
static struct known *link_source(int dirfd, const char *from, const struct stat *status)
{
    if (status->st_nlink != 0)
        return scope_status(status, -1);
    if (from[0] == '\0')
        return scope_status(status, dirfd);
    long fd = GATE_4(__NR_openat, dirfd, from, O_PATH | O_CLOEXEC, 0);
    struct known *known = fd < 0 ? NULL : scope_status(status, (int)fd);
    if (fd >= 0)
        GATE_1(__NR_close, fd);
    return known;
}

long call_link(const struct site *site, int dirfd, const char *from, int dirfd2, const char *to,
               int flags)
{
    struct raw_call raw = {__NR_linkat, {dirfd, (long)from, dirfd2, (long)to, flags}};
    int status_flags = (flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW;
    struct stat status, target;
    struct call call;
    call_enter(&call, site);
    struct known *known = NULL, *parent = NULL;
    if (status_get(dirfd, from, status_flags | (flags & AT_EMPTY_PATH), &status) == 0)
        known = link_source(dirfd, from, &status);
    long found = name_status(dirfd2, to, &target);
    if (found != -EFAULT)
        parent = first_name(&call, dirfd2, to);
    if (known == NULL && parent == NULL) {
        call_forget(&call);
        return call_pass(&raw);
    }
    call.record->flags = (uint32_t)flags;
    if (known != NULL && parent != NULL && found != 0) {
        pending_node(&call, known, &status);
        call.record->effect = FF_EFFECT_LINK;
        call_arm(&call);
    }
    long result = call_make(site, &raw);
    if (result == 0 && known == NULL)
        unsound("linking from outside of the directory: ", to, " is not supported");
    if (result == 0 && parent == NULL)
        unsound("linking to outside of the directory: ", from, " is not supported");
    bool exact = known != NULL && parent != NULL;
    if (result == 0 && exact)
        known->unnamed = false;
    call_record(&call, exact ? FF_EFFECT_LINK : FF_EFFECT_NONE, result, 0);
    call_leave(&call);
    return result;
}

/* Removing *********************************************************************************/

static void name_removed(struct known *known, bool last)
{
    if (known != NULL && last)
        known->unnamed = true;
}

/* Whether removing one name of it removes the last one. */
static bool is_last_name(const struct stat *status)
{
    return S_ISDIR(status->st_mode) || status->st_nlink == 1;
}

long call_unlink(const struct site *site, int dirfd, const char *path, int flags)
{
    struct raw_call raw = {__NR_unlinkat, {dirfd, (long)path, flags}};
    struct stat status;
    struct call call;
    call_enter(&call, site);
    long found = name_status(dirfd, path, &status);
    struct known *known = found == 0 ? scope_status(&status, -1) : NULL;
    struct known *parent = found == -EFAULT ? NULL : first_name(&call, dirfd, path);
    if (known == NULL && parent == NULL) {
        call_forget(&call);
        return call_pass(&raw);
    }
    call.record->flags = (uint32_t)flags;
    if (known != NULL) {
        pending_node(&call, known, &status);
        call.pending->last_link = is_last_name(&status);
        call.record->effect = FF_EFFECT_UNLINK;
        call_arm(&call);
    }
    long result = call_make(site, &raw);
    if (result == 0 && known == NULL)
        unsound("removing ", path, UNSEEN);
    if (result == 0 && parent == NULL)
        unsound("removing the directory under test itself, ", path, ", is not supported");
    bool exact = known != NULL && parent != NULL;
    if (result == 0)
        name_removed(known, call.pending->last_link);
    call_record(&call, exact ? FF_EFFECT_UNLINK : FF_EFFECT_NONE, result, 0);
    call_leave(&call);
    return result;
}

/* remove(3): a directory is removed as by rmdir, anything else as by unlink. */
long call_remove(const struct site *site, const char *path)
{
    long result = call_unlink(site, AT_FDCWD, path, 0);
    return result == -EISDIR ? call_unlink(site, AT_FDCWD, path, AT_REMOVEDIR) : result;
}

/* Renaming *********************************************************************************/

/* The two ends of a rename, as they were before. */
struct end {
    struct stat status;
    long found; /* 0, or -errno */
    struct known *known;
    struct known *parent;
};

static void end_examine(struct end *end, int dirfd, const char *path)
{
    end->found = name_status(dirfd, path, &end->status);
    end->known = end->found == 0 ? scope_status(&end->status, -1) : NULL;
    end->parent = NULL;
}

/* Whether a rename that took place can be expressed; if not, says why. */
static bool rename_is_exact(const struct end *source, const struct end *target, const char *from,
                            const char *to, unsigned flags)
{
    if (source->parent == NULL && target->parent == NULL)
        unsound("renaming the directory under test itself, ", from, ", is not supported");
    else if (source->parent == NULL)
        unsound("moving a file into the directory, ", to,
                ", is not supported: make temporary files inside the directory");
    else if (target->parent == NULL)
        unsound("moving a file out of the directory: ", from, " is not supported");
    else if (source->known == NULL)
        unsound("renaming ", from, UNSEEN);
    else if (target->found == 0 && target->known == NULL)
        unsound("replacing ", to, UNSEEN);
    else if ((flags & RENAME_FLAG_WHITEOUT) != 0)
        unsound("RENAME_WHITEOUT on ", from, " is not supported");
    else
        return true;
    return false;
}

/* Two names of one file: rename does nothing (rename(2)). */
static bool is_same_file(const struct end *source, const struct end *target)
{
    return source->found == 0 && target->found == 0 &&
           source->status.st_ino == target->status.st_ino &&
           source->status.st_dev == target->status.st_dev;
}

static enum ff_effect rename_effect(const struct end *source, const struct end *target,
                                    unsigned flags)
{
    if (is_same_file(source, target))
        return FF_EFFECT_NONE;
    return (flags & RENAME_FLAG_EXCHANGE) != 0 ? FF_EFFECT_EXCHANGE : FF_EFFECT_RENAME;
}

static void rename_arm(struct call *call, const struct end *source, const struct end *target,
                       enum ff_effect effect)
{
    if (source->known == NULL || source->parent == NULL || target->parent == NULL)
        return;
    pending_node(call, source->known, &source->status);
    call->record->node2 = target->known == NULL ? FF_NO_NODE : target->known->node;
    call->pending->device2 = target->status.st_dev;
    call->pending->inode2 = target->status.st_ino;
    call->pending->last_link = target->found == 0 && is_last_name(&target->status);
    call->record->effect = effect;
    if (effect != FF_EFFECT_NONE)
        call_arm(call);
}

long call_rename(const struct site *site, int dirfd, const char *from, int dirfd2, const char *to,
                 unsigned flags)
{
    struct raw_call raw = {__NR_renameat2, {dirfd, (long)from, dirfd2, (long)to, flags}};
    struct end source, target;
    struct call call;
    call_enter(&call, site);
    end_examine(&source, dirfd, from);
    end_examine(&target, dirfd2, to);
    if (source.found != -EFAULT && target.found != -EFAULT) {
        source.parent = first_name(&call, dirfd, from);
        /* Most renames stay in one directory: one look at it is enough. */
        struct known *same = dirfd == dirfd2 && !text_has_slash(from) ? source.parent : NULL;
        target.parent = second_name(&call, dirfd2, to, same);
    }
    if (source.parent == NULL && target.parent == NULL && source.known == NULL &&
        target.known == NULL) {
        call_forget(&call);
        return call_pass(&raw);
    }
    enum ff_effect effect = rename_effect(&source, &target, flags);
    call.record->flags = flags;
    rename_arm(&call, &source, &target, effect);
    long result = call_make(site, &raw);
    if (result == 0 && !rename_is_exact(&source, &target, from, to, flags))
        effect = FF_EFFECT_NONE;
    if (result == 0 && effect == FF_EFFECT_RENAME)
        name_removed(target.known, call.pending->last_link);
    call_record(&call, effect, result, 0);
    call_leave(&call);
    return result;
}

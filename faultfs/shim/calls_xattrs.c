/*
 * Extended attributes. What a call made of them is read back: the kernel changes
 * access control lists on the way, and other attributes with them.
 */
#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "text.h"
#include "xattr_names.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

enum { LIST_SIZE = 2048 };

/* An object whose attributes are asked for. */
struct handle {
    int fd;           /* or, if path is not NULL, what the path is relative to */
    const char *path; /* followed if it is a link and `follow` */
    bool follow;
    long opened; /* a descriptor of its own, or -1 */
    char buffer[DESCRIPTOR_PATH_SIZE];
};

/* The calls below know no directory but the current one. */
static void handle_open(struct handle *handle, int dirfd, const char *path, bool follow)
{
    handle->fd = dirfd;
    handle->path = path;
    handle->follow = follow;
    handle->opened = -1;
    if (path == NULL || dirfd == AT_FDCWD || path[0] == '/')
        return;
    int flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    handle->opened = GATE_4(__NR_openat, dirfd, path, flags, 0);
    descriptor_path((int)handle->opened, handle->buffer);
    handle->path = handle->buffer;
    handle->follow = true; /* the descriptor is of the object itself */
}

static void handle_close(const struct handle *handle)
{
    if (handle->opened >= 0)
        GATE_1(__NR_close, handle->opened);
}

static long handle_list(const struct handle *handle, char *names, size_t size)
{
    if (handle->path == NULL)
        return GATE_3(__NR_flistxattr, handle->fd, names, size);
    return GATE_3(handle->follow ? __NR_listxattr : __NR_llistxattr, handle->path, names, size);
}

static long handle_get(const struct handle *handle, const char *name, void *value, size_t size)
{
    if (handle->path == NULL)
        return GATE_4(__NR_fgetxattr, handle->fd, name, value, size);
    return GATE_4(handle->follow ? __NR_getxattr : __NR_lgetxattr, handle->path, name, value, size);
}

static bool is_modelled(const char *name)
{
    static const char names[][32] = {XATTR_MODELLED_NAMES};
    static const char prefixes[][16] = {XATTR_MODELLED_PREFIXES};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (text_equal(name, names[i]))
            return true;
    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (text_starts(name, prefixes[i]))
            return !text_starts(name, XATTR_HIDDEN_PREFIX);
    return false;
}

static void name_put(struct call *call, const char *name)
{
    size_t length = text_length(name, CHANNEL_NAME_SIZE - 1);
    memcpy(call->pending->name, name, length);
    call->pending->name[length] = '\0';
    call->record->name_size = (uint32_t)length;
}

/* Records what the attribute is now. had: whether it was there before. */
static void value_record(struct call *call, const struct handle *handle, const char *name, bool had,
                         long result)
{
    long size = handle_get(handle, name, channel->value, sizeof(channel->value));
    name_put(call, name);
    if (size >= 0) {
        call_record(call, FF_EFFECT_SET_XATTR, result, (uint64_t)size);
        call_data(call, channel->value, (uint64_t)size);
    } else {
        call_record(call, had ? FF_EFFECT_REMOVE_XATTR : FF_EFFECT_NONE, result, 0);
    }
}

void inherited_record(struct call *call, int dirfd, const char *path)
{
    struct handle handle;
    char names[LIST_SIZE];
    handle_open(&handle, dirfd, path, false);
    long size = handle_list(&handle, names, sizeof(names));
    if (size == -ERANGE)
        unsound("a new file has more extended attributes than are supported");
    for (long at = 0; at < size; at += (long)text_length(names + at, LIST_SIZE) + 1) {
        if (!is_modelled(names + at))
            continue;
        call_next(call);
        value_record(call, &handle, names + at, false, 0);
    }
    handle_close(&handle);
}

bool attribute_exists(int dirfd, const char *path, bool follow, const char *name)
{
    struct handle handle;
    handle_open(&handle, dirfd, path, follow);
    bool exists = handle_get(&handle, name, NULL, 0) >= 0;
    handle_close(&handle);
    return exists;
}

void attribute_record(struct call *call, int dirfd, const char *path, bool follow, const char *name,
                      bool had)
{
    struct handle handle;
    handle_open(&handle, dirfd, path, follow);
    if (had || handle_get(&handle, name, NULL, 0) >= 0) {
        call_next(call);
        value_record(call, &handle, name, had, 0);
    }
    handle_close(&handle);
}

static long status_of(const struct handle *handle, struct stat *status)
{
    if (handle->path == NULL)
        return descriptor_status(handle->fd, status);
    return status_get(AT_FDCWD, handle->path, handle->follow ? 0 : AT_SYMLINK_NOFOLLOW, status);
}

/* An access control list has the bits of the mode in it (acl(5)). */
static void mode_record(struct call *call, const struct handle *handle, const struct stat *before)
{
    struct stat after;
    if (status_of(handle, &after) != 0 || after.st_mode == before->st_mode)
        return;
    call_next(call);
    call->record->mode = after.st_mode;
    call->record->uid = after.st_uid;
    call->record->gid = after.st_gid;
    call_record(call, FF_EFFECT_ATTRIBUTES, 0, 0);
}

long call_xattr(const struct site *site, int fd, const char *path, int flags, const char *name,
                const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    struct handle handle;
    handle_open(&handle, path == NULL ? fd : AT_FDCWD, path, (flags & AT_SYMLINK_NOFOLLOW) == 0);
    call_enter(&call, site);
    const struct known *known = NULL;
    if (status_of(&handle, &status) == 0 && scope_is_readable(name))
        known = scope_status(&status, path == NULL ? fd : -1);
    if (known == NULL) {
        call_forget(&call);
        return call_pass(raw);
    }
    call.record->fd = path == NULL ? fd : -1;
    call.record->node = known->node;
    bool had = handle_get(&handle, name, NULL, 0) >= 0;
    long result = call_make(site, raw);
    if (result == 0 && is_modelled(name)) {
        value_record(&call, &handle, name, had, result);
        mode_record(&call, &handle, &status);
    } else {
        name_put(&call, name);
        call_record(&call, FF_EFFECT_NONE, result, 0);
    }
    call_leave(&call);
    return result;
}

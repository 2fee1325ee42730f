/*
 * Calls that change files in ways that a trace cannot express yet. They are made
 * as asked; when one of them changed something below the directory the recording
 * is declared unsound, because to be silent would be to be wrong.
 */
#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "text.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "interposed_names.h"

static const char *const not_yet = " is not supported yet";

long call_unsupported_fd(const struct site *site, int fd, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    if (scope_descriptor(fd, &status) == NULL)
        return call_pass(raw);
    long result = call_make(site, raw);
    if (result < 0)
        return result;
    call_enter(&call, site);
    char before[64];
    struct text text = {before, sizeof(before), 0};
    text_add(&text, interposed_name(site->symbol));
    text_add(&text, " on ");
    unsound_descriptor(before, fd, not_yet);
    call_forget(&call);
    return result;
}

/* Devices, which come into being by their name. */
long call_unsupported_name(const struct site *site, int dirfd, const char *path,
                           const struct raw_call *raw)
{
    struct call call;
    char name[CHANNEL_NAME_SIZE];
    uint32_t size;
    call_enter(&call, site);
    if (!scope_is_readable(path) || scope_name(dirfd, path, NULL, name, &size) == NULL) {
        call_forget(&call);
        return call_pass(raw);
    }
    long result = call_make(site, raw);
    if (result >= 0)
        unsound(interposed_name(site->symbol), " on ", path, not_yet);
    call_forget(&call);
    return result;
}

/* Only the requests that change content. */
/* A socket in the file system (unix(7)): it comes into being by bind(2). */
long call_bind(const struct site *site, const struct raw_call *raw)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    const struct sockaddr_un *address = (const struct sockaddr_un *)raw->arguments[1];
    long size = raw->arguments[2], head = offsetof(struct sockaddr_un, sun_path);
    char path[sizeof(address->sun_path) + 1];
    if (size <= head || size > (long)sizeof(*address) ||
        !scope_is_readable((const char *)address) || address->sun_family != AF_UNIX)
        return call_pass(raw);
    memcpy(path, address->sun_path, (size_t)(size - head));
    path[size - head] = '\0';
    return call_unsupported_name(site, AT_FDCWD, path, raw);
}

long call_ioctl(const struct site *site, int fd, unsigned long request, long argument)
{
    struct raw_call raw = {__NR_ioctl, {fd, (long)request, argument}};
    if (request == FICLONE) {
        struct clone_range all = {0, 0, 0};
        return call_clone_range(site, fd, (int)argument, &all, &raw);
    }
    if (request != FICLONERANGE || !scope_is_readable((const char *)argument))
        return call_pass(&raw);
    struct file_clone_range given;
    memcpy(&given, (const void *)argument, sizeof(given)); /* NOLINT(performance-no-int-to-ptr) */
    struct clone_range range = {given.src_offset, given.dest_offset, given.src_length};
    return call_clone_range(site, fd, (int)given.src_fd, &range, &raw);
}

/* Stores through a shared mapping are no calls at all. */
long call_mmap(const struct site *site, void *address, size_t size, int protection, int flags,
               int fd, off_t offset)
{
    struct raw_call raw = {__NR_mmap, {(long)address, (long)size, protection, flags, fd, offset}};
    int type = flags & MAP_TYPE;
    bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
    if (shared && (flags & MAP_ANONYMOUS) == 0 && (protection & PROT_WRITE) != 0 && fd >= 0)
        return call_unsupported_fd(site, fd, &raw);
    return call_pass(&raw);
}

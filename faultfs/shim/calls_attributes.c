#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "xattr_names.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>

/* What a call changes the attributes of: a path, or a descriptor if path is NULL. */
struct subject {
    int fd;
    const char *path;
    int flags;
};

static long subject_status(const struct subject *subject, struct stat *status)
{
    if (subject->path == NULL)
        return descriptor_status(subject->fd, status);
    return status_get(subject->fd, subject->path,
                      subject->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), status);
}

/*
 * The mode is also in an access control list (acl(5)), and a change of the owner
 * takes a file's capabilities away (capabilities(7)).
 */
static long attributes_change(const struct site *site, const struct subject *subject,
                              const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    call_enter(&call, site);
    const struct known *known = NULL;
    int fd = subject->path == NULL ? subject->fd : -1;
    if (subject_status(subject, &status) == 0)
        known = scope_status(&status, fd);
    if (known == NULL) {
        call_forget(&call);
        return call_pass(raw);
    }
    struct record *record = call.record;
    bool follow = (subject->flags & AT_SYMLINK_NOFOLLOW) == 0;
    bool had = attribute_exists(subject->fd, subject->path, follow, XATTR_CAPABILITY);
    record->fd = fd;
    record->node = known->node;
    record->effect = FF_EFFECT_ATTRIBUTES;
    call_arm(&call);
    long result = call_make(site, raw);
    /* What it asked for is not always what it got: chown clears set-id bits. */
    subject_status(subject, &status);
    record->mode = status.st_mode;
    record->uid = status.st_uid;
    record->gid = status.st_gid;
    call_record(&call, FF_EFFECT_ATTRIBUTES, result, 0);
    if (result == 0) {
        attribute_record(&call, subject->fd, subject->path, follow, XATTR_ACL, false);
        if (had)
            attribute_record(&call, subject->fd, subject->path, follow, XATTR_CAPABILITY, had);
    }
    call_leave(&call);
    return result;
}

long call_chmod(const struct site *site, int dirfd, const char *path, unsigned mode, int flags)
{
    struct subject subject = {dirfd, path, flags};
    struct raw_call raw = {__NR_fchmodat, {dirfd, (long)path, mode}};
    if (flags != 0)
        raw = (struct raw_call){FCHMODAT2_NUMBER, {dirfd, (long)path, mode, flags}};
    long result = attributes_change(site, &subject, &raw);
    return flags != 0 && result == -ENOSYS ? -EOPNOTSUPP : result;
}

long call_fchmod(const struct site *site, int fd, unsigned mode)
{
    struct subject subject = {fd, NULL, 0};
    struct raw_call raw = {__NR_fchmod, {fd, mode}};
    return attributes_change(site, &subject, &raw);
}

long call_chown(const struct site *site, int dirfd, const char *path, uid_t uid, gid_t gid,
                int flags)
{
    struct subject subject = {dirfd, path, flags};
    struct raw_call raw = {__NR_fchownat, {dirfd, (long)path, uid, gid, flags}};
    return attributes_change(site, &subject, &raw);
}

long call_fchown(const struct site *site, int fd, uid_t uid, gid_t gid)
{
    struct subject subject = {fd, NULL, 0};
    struct raw_call raw = {__NR_fchown, {fd, uid, gid}};
    return attributes_change(site, &subject, &raw);
}

#include "caller.h"
#include "calls.h"
#include "gate.h"
#include "scope.h"
#include "text.h"

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
        return GATE_2(__NR_fstat, subject->fd, status);
    return status_get(subject->fd, subject->path,
                      subject->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), status);
}

/*
 * Extended attributes are not part of a trace. One of them is another way to
 * change the mode bits: an access control list with nothing beyond them is not
 * kept as an attribute (acl(5)); install(1) and cp(1) set such lists.
 */
static bool xattr_is_expressible(const struct subject *subject, const char *name)
{
    static const char list[] = "system.posix_acl_access";
    if (!text_equal(name, list))
        return false;
    if (subject->path == NULL)
        return GATE_4(__NR_fgetxattr, subject->fd, list, 0, 0) < 0;
    bool follow = (subject->flags & AT_SYMLINK_NOFOLLOW) == 0;
    return GATE_4(follow ? __NR_getxattr : __NR_lgetxattr, subject->path, list, 0, 0) < 0;
}

/* xattr: the name of the attribute that raw sets or removes, or NULL. */
static long attributes_change(const struct site *site, const struct subject *subject,
                              const char *xattr, const struct raw_call *raw)
{
    struct stat status;
    struct call call;
    call_enter(&call, site);
    struct known *known = NULL;
    int fd = subject->path == NULL ? subject->fd : -1;
    if (subject_status(subject, &status) == 0)
        known = scope_status(&status, fd);
    if (known == NULL) {
        call_forget(&call);
        return call_pass(raw);
    }
    struct record *record = call.record;
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
    if (result == 0 && xattr != NULL && !xattr_is_expressible(subject, xattr))
        unsound("the extended attribute ", xattr, " is not supported yet");
    call_record(&call, FF_EFFECT_ATTRIBUTES, result, 0);
    call_leave(&call);
    return result;
}

long call_chmod(const struct site *site, int dirfd, const char *path, unsigned mode, int flags)
{
    struct subject subject = {dirfd, path, flags};
    struct raw_call raw = {__NR_fchmodat, {dirfd, (long)path, mode}};
    if (flags != 0)
        raw = (struct raw_call){FCHMODAT2_NUMBER, {dirfd, (long)path, mode, flags}};
    long result = attributes_change(site, &subject, NULL, &raw);
    return flags != 0 && result == -ENOSYS ? -EOPNOTSUPP : result;
}

long call_fchmod(const struct site *site, int fd, unsigned mode)
{
    struct subject subject = {fd, NULL, 0};
    struct raw_call raw = {__NR_fchmod, {fd, mode}};
    return attributes_change(site, &subject, NULL, &raw);
}

long call_chown(const struct site *site, int dirfd, const char *path, uid_t uid, gid_t gid,
                int flags)
{
    struct subject subject = {dirfd, path, flags};
    struct raw_call raw = {__NR_fchownat, {dirfd, (long)path, uid, gid, flags}};
    return attributes_change(site, &subject, NULL, &raw);
}

long call_fchown(const struct site *site, int fd, uid_t uid, gid_t gid)
{
    struct subject subject = {fd, NULL, 0};
    struct raw_call raw = {__NR_fchown, {fd, uid, gid}};
    return attributes_change(site, &subject, NULL, &raw);
}

long call_xattr(const struct site *site, int fd, const char *path, int flags, const char *name,
                const struct raw_call *raw)
{
    struct subject subject = {path == NULL ? fd : AT_FDCWD, path, flags};
    return attributes_change(site, &subject, name, raw);
}

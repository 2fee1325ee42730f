/*
 * syscall(2), the function: a call by its number is the same call as by its
 * symbol. Numbers that this machine does not have are left out.
 */
#include "caller.h"
#include "calls.h"
#include "gate.h"

#include <asm/unistd.h>
#include <fcntl.h>

typedef const char *path;

#define A(type, index) ((type)a[index])

/* The calls that only some machines have (x86-64 has all of them). */
static bool call_old(const struct site *site, const struct raw_call *raw, long *result)
{
    const long *a = raw->arguments;
    (void)site, (void)a, (void)result; /* riscv64 has none of them */
    switch (raw->number) {
#ifdef __NR_open
    case __NR_open:
        *result = call_open(site, AT_FDCWD, A(path, 0), A(int, 1), A(unsigned, 2));
        return true;
    case __NR_creat:
        *result =
            call_open(site, AT_FDCWD, A(path, 0), O_CREAT | O_WRONLY | O_TRUNC, A(unsigned, 1));
        return true;
    case __NR_rename:
        *result = call_rename(site, AT_FDCWD, A(path, 0), AT_FDCWD, A(path, 1), 0);
        return true;
    case __NR_link:
        *result = call_link(site, AT_FDCWD, A(path, 0), AT_FDCWD, A(path, 1), 0);
        return true;
    case __NR_unlink:
        *result = call_unlink(site, AT_FDCWD, A(path, 0), 0);
        return true;
    case __NR_rmdir:
        *result = call_unlink(site, AT_FDCWD, A(path, 0), AT_REMOVEDIR);
        return true;
    case __NR_mkdir:
        *result = call_mkdir(site, AT_FDCWD, A(path, 0), A(unsigned, 1));
        return true;
    case __NR_mknod:
        *result = call_mknod(site, AT_FDCWD, A(path, 0), A(unsigned, 1), A(dev_t, 2));
        return true;
    case __NR_symlink:
        *result = call_symlink(site, A(path, 0), AT_FDCWD, A(path, 1));
        return true;
    case __NR_chmod:
        *result = call_chmod(site, AT_FDCWD, A(path, 0), A(unsigned, 1), 0);
        return true;
    case __NR_chown:
        *result = call_chown(site, AT_FDCWD, A(path, 0), A(uid_t, 1), A(gid_t, 2), 0);
        return true;
    case __NR_lchown:
        *result =
            call_chown(site, AT_FDCWD, A(path, 0), A(uid_t, 1), A(gid_t, 2), AT_SYMLINK_NOFOLLOW);
        return true;
    case __NR_dup2:
        *result = call_dup2(site, A(int, 0), A(int, 1));
        return true;
#endif
#ifdef __NR_renameat
    case __NR_renameat:
        *result = call_rename(site, A(int, 0), A(path, 1), A(int, 2), A(path, 3), 0);
        return true;
#endif
    default:
        return false;
    }
}

static bool call_data_or_descriptor(const struct site *site, const struct raw_call *raw,
                                    long *result)
{
    const long *a = raw->arguments;
    switch (raw->number) {
    case __NR_write:
        *result = call_write(site, A(int, 0), A(const void *, 1), A(size_t, 2));
        return true;
    case __NR_pwrite64:
        *result = call_pwrite(site, A(int, 0), A(const void *, 1), A(size_t, 2), A(off_t, 3));
        return true;
    case __NR_writev:
        *result = call_writev(site, A(int, 0), A(const struct iovec *, 1), A(int, 2));
        return true;
    case __NR_pwritev:
    case __NR_pwritev2:
        *result = call_pwritev(site, A(int, 0), A(const struct iovec *, 1), A(int, 2), A(off_t, 3),
                               raw->number == __NR_pwritev2 ? A(int, 5) : 0,
                               raw->number == __NR_pwritev2);
        return true;
    case __NR_ftruncate:
        *result = call_ftruncate(site, A(int, 0), A(off_t, 1));
        return true;
    case __NR_truncate:
        *result = call_truncate(site, A(path, 0), A(off_t, 1));
        return true;
    case __NR_sendfile:
        *result = call_copy(site, A(int, 0), NULL, raw);
        return true;
    case __NR_copy_file_range:
        *result = call_copy(site, A(int, 2), A(const off_t *, 3), raw);
        return true;
    case __NR_splice:
        *result = call_splice(site, raw);
        return true;
    case __NR_fallocate:
        *result = call_fallocate(site, raw);
        return true;
    case __NR_sync_file_range:
        *result = call_sync_file_range(site, A(int, 0), raw);
        return true;
    case __NR_bind:
        *result = call_bind(site, raw);
        return true;
    case __NR_mmap:
        *result = call_mmap(site, raw);
        return true;
    case __NR_munmap:
        *result = call_munmap(site, raw);
        return true;
    case __NR_msync:
        *result = call_msync(site, raw);
        return true;
    case __NR_ioctl:
        *result = call_ioctl(site, A(int, 0), A(unsigned long, 1), a[2]);
        return true;
    case __NR_fsync:
    case __NR_fdatasync:
        *result = call_fsync(site, A(int, 0), raw->number);
        return true;
    case __NR_sync:
        *result = call_sync(site);
        return true;
    case __NR_syncfs:
        *result = call_syncfs(site, A(int, 0));
        return true;
    case __NR_close:
        *result = call_close(site, A(int, 0));
        return true;
    case __NR_dup:
        *result = call_dup(site, A(int, 0));
        return true;
    case __NR_dup3:
        *result = call_dup3(site, A(int, 0), A(int, 1), A(int, 2));
        return true;
    case __NR_fcntl:
        *result = call_fcntl(site, A(int, 0), A(int, 1), a[2]);
        return true;
    default:
        return false;
    }
}

static bool call_name_or_attribute(const struct site *site, const struct raw_call *raw,
                                   long *result)
{
    const long *a = raw->arguments;
    switch (raw->number) {
    case __NR_openat:
        *result = call_open(site, A(int, 0), A(path, 1), A(int, 2), A(unsigned, 3));
        return true;
    case __NR_openat2:
        *result = call_openat2(site, raw);
        return true;
    case SETXATTRAT_NUMBER:
    case REMOVEXATTRAT_NUMBER:
        *result = call_unsupported_name(site, A(int, 0), A(path, 1), raw);
        return true;
    case __NR_renameat2:
        *result = call_rename(site, A(int, 0), A(path, 1), A(int, 2), A(path, 3), A(unsigned, 4));
        return true;
    case __NR_linkat:
        *result = call_link(site, A(int, 0), A(path, 1), A(int, 2), A(path, 3), A(int, 4));
        return true;
    case __NR_unlinkat:
        *result = call_unlink(site, A(int, 0), A(path, 1), A(int, 2));
        return true;
    case __NR_mkdirat:
        *result = call_mkdir(site, A(int, 0), A(path, 1), A(unsigned, 2));
        return true;
    case __NR_mknodat:
        *result = call_mknod(site, A(int, 0), A(path, 1), A(unsigned, 2), A(dev_t, 3));
        return true;
    case __NR_symlinkat:
        *result = call_symlink(site, A(path, 0), A(int, 1), A(path, 2));
        return true;
    case __NR_fchmodat:
        *result = call_chmod(site, A(int, 0), A(path, 1), A(unsigned, 2), 0);
        return true;
    case FCHMODAT2_NUMBER:
        *result = call_chmod(site, A(int, 0), A(path, 1), A(unsigned, 2), A(int, 3));
        return true;
    case __NR_fchmod:
        *result = call_fchmod(site, A(int, 0), A(unsigned, 1));
        return true;
    case __NR_fchownat:
        *result = call_chown(site, A(int, 0), A(path, 1), A(uid_t, 2), A(gid_t, 3), A(int, 4));
        return true;
    case __NR_fchown:
        *result = call_fchown(site, A(int, 0), A(uid_t, 1), A(gid_t, 2));
        return true;
    case __NR_setxattr:
    case __NR_removexattr:
        *result = call_xattr(site, -1, A(path, 0), 0, A(const char *, 1), raw);
        return true;
    case __NR_lsetxattr:
    case __NR_lremovexattr:
        *result = call_xattr(site, -1, A(path, 0), AT_SYMLINK_NOFOLLOW, A(const char *, 1), raw);
        return true;
    case __NR_fsetxattr:
    case __NR_fremovexattr:
        *result = call_xattr(site, A(int, 0), NULL, 0, A(const char *, 1), raw);
        return true;
    default:
        return false;
    }
}

long call_by_number(const struct site *site, const struct raw_call *raw)
{
    long result;
    if (call_data_or_descriptor(site, raw, &result) || call_name_or_attribute(site, raw, &result) ||
        call_old(site, raw, &result))
        return result;
    return call_unknown(raw);
}

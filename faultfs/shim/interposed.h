/*
 * The interposed symbols of glibc and musl: one table.
 *
 * X(symbol, type, parameters, result, call)
 *
 * A call of the symbol becomes `call`, which finds its caller in SITE; result
 * says how the call's -errno is handed to the caller: ERRNO (-1 and errno),
 * POINTER (NULL and errno) or NUMBER (posix_fallocate returns the error).
 * Parameters that are optional in C (the mode of open) are plain here: on the
 * machines of gate.c they are passed alike, and the kernel ignores one that was
 * not given. (For the same reason sync, which is void in C, may return something.)
 *
 * What passes these symbols by (libc's own calls, as of C stdio and aio; static
 * programs; inline system calls) falls into the launcher's net (record/net.h).
 * Times are not part of a trace, so utimensat and its kin are not here. An
 * interposed call is no cancellation point (pthreads(7)).
 */
#ifndef SHIM_INTERPOSED_H
#define SHIM_INTERPOSED_H

#define OPEN_PARAMETERS   (const char *path, int flags, unsigned mode)
#define OPEN_2_PARAMETERS (const char *path, int flags)
#define OPEN_CALL         call_open(SITE, AT_FDCWD, path, flags, mode)
#define OPEN_2_CALL       call_open(SITE, AT_FDCWD, path, flags, 0)

#define OPENAT_PARAMETERS   (int dirfd, const char *path, int flags, unsigned mode)
#define OPENAT_2_PARAMETERS (int dirfd, const char *path, int flags)
#define OPENAT_CALL         call_open(SITE, dirfd, path, flags, mode)
#define OPENAT_2_CALL       call_open(SITE, dirfd, path, flags, 0)

#define CREAT_PARAMETERS (const char *path, unsigned mode)
#define CREAT_CALL       call_open(SITE, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode)

#define WRITE_PARAMETERS (int fd, const void *data, size_t size)
#define WRITE_CALL       call_write(SITE, fd, data, size)

#define PWRITE_PARAMETERS (int fd, const void *data, size_t size, off_t offset)
#define PWRITE_CALL       call_pwrite(SITE, fd, data, size, offset)

#define PWRITEV_PARAMETERS  (int fd, const struct iovec *pieces, int count, off_t offset)
#define PWRITEV_CALL        call_pwritev(SITE, fd, pieces, count, offset, 0, false)
#define PWRITEV2_PARAMETERS (int fd, const struct iovec *pieces, int count, off_t offset, int flags)
#define PWRITEV2_CALL       call_pwritev(SITE, fd, pieces, count, offset, flags, true)

#define SENDFILE_PARAMETERS (int fd, int from, off_t *offset, size_t size)
#define SENDFILE_CALL       call_copy(SITE, fd, NULL, RAW(__NR_sendfile, fd, from, offset, size, 0, 0))

#define FALLOCATE_PARAMETERS       (int fd, int mode, off_t offset, off_t size)
#define FALLOCATE_CALL             call_fallocate(SITE, RAW(__NR_fallocate, fd, mode, offset, size, 0, 0))
#define POSIX_FALLOCATE_PARAMETERS (int fd, off_t offset, off_t size)
#define POSIX_FALLOCATE_CALL       call_fallocate(SITE, RAW(__NR_fallocate, fd, 0, offset, size, 0, 0))

#define MMAP_PARAMETERS                                                                            \
    (void *address, size_t size, int protection, int flags, int fd, off_t offset)
#define MMAP_CALL call_mmap(SITE, address, size, protection, flags, fd, offset)

#define FCNTL_PARAMETERS (int fd, int command, long argument)
#define FCNTL_CALL       call_fcntl(SITE, fd, command, argument)

#define SETXATTR_PARAMETERS                                                                        \
    (const char *path, const char *name, const void *value, size_t size, int flags)

#define INTERPOSED(X)                                                                              \
    X(open, int, OPEN_PARAMETERS, ERRNO, OPEN_CALL)                                                \
    X(open64, int, OPEN_PARAMETERS, ERRNO, OPEN_CALL)                                              \
    X(__open, int, OPEN_PARAMETERS, ERRNO, OPEN_CALL)                                              \
    X(__open64, int, OPEN_PARAMETERS, ERRNO, OPEN_CALL)                                            \
    X(__open_2, int, OPEN_2_PARAMETERS, ERRNO, OPEN_2_CALL)                                        \
    X(__open64_2, int, OPEN_2_PARAMETERS, ERRNO, OPEN_2_CALL)                                      \
    X(openat, int, OPENAT_PARAMETERS, ERRNO, OPENAT_CALL)                                          \
    X(openat64, int, OPENAT_PARAMETERS, ERRNO, OPENAT_CALL)                                        \
    X(__openat_2, int, OPENAT_2_PARAMETERS, ERRNO, OPENAT_2_CALL)                                  \
    X(__openat64_2, int, OPENAT_2_PARAMETERS, ERRNO, OPENAT_2_CALL)                                \
    X(creat, int, CREAT_PARAMETERS, ERRNO, CREAT_CALL)                                             \
    X(creat64, int, CREAT_PARAMETERS, ERRNO, CREAT_CALL)                                           \
    X(mkstemp, int, (char *path), ERRNO, call_make_unique(SITE, path, 0, 0))                       \
    X(mkstemp64, int, (char *path), ERRNO, call_make_unique(SITE, path, 0, 0))                     \
    X(mkostemp, int, (char *path, int flags), ERRNO, call_make_unique(SITE, path, 0, flags))       \
    X(mkostemp64, int, (char *path, int flags), ERRNO, call_make_unique(SITE, path, 0, flags))     \
    X(mkstemps, int, (char *path, int suffix), ERRNO, call_make_unique(SITE, path, suffix, 0))     \
    X(mkstemps64, int, (char *path, int suffix), ERRNO, call_make_unique(SITE, path, suffix, 0))   \
    X(mkostemps, int, (char *path, int suffix, int flags), ERRNO,                                  \
      call_make_unique(SITE, path, suffix, flags))                                                 \
    X(mkostemps64, int, (char *path, int suffix, int flags), ERRNO,                                \
      call_make_unique(SITE, path, suffix, flags))                                                 \
    X(mkdtemp, char *, (char *path), POINTER, call_make_unique_directory(SITE, path))              \
    X(write, ssize_t, WRITE_PARAMETERS, ERRNO, WRITE_CALL)                                         \
    X(__write, ssize_t, WRITE_PARAMETERS, ERRNO, WRITE_CALL)                                       \
    X(pwrite, ssize_t, PWRITE_PARAMETERS, ERRNO, PWRITE_CALL)                                      \
    X(pwrite64, ssize_t, PWRITE_PARAMETERS, ERRNO, PWRITE_CALL)                                    \
    X(__pwrite64, ssize_t, PWRITE_PARAMETERS, ERRNO, PWRITE_CALL)                                  \
    X(writev, ssize_t, (int fd, const struct iovec *pieces, int count), ERRNO,                     \
      call_writev(SITE, fd, pieces, count))                                                        \
    X(pwritev, ssize_t, PWRITEV_PARAMETERS, ERRNO, PWRITEV_CALL)                                   \
    X(pwritev64, ssize_t, PWRITEV_PARAMETERS, ERRNO, PWRITEV_CALL)                                 \
    X(pwritev2, ssize_t, PWRITEV2_PARAMETERS, ERRNO, PWRITEV2_CALL)                                \
    X(pwritev64v2, ssize_t, PWRITEV2_PARAMETERS, ERRNO, PWRITEV2_CALL)                             \
    X(sendfile, ssize_t, SENDFILE_PARAMETERS, ERRNO, SENDFILE_CALL)                                \
    X(sendfile64, ssize_t, SENDFILE_PARAMETERS, ERRNO, SENDFILE_CALL)                              \
    X(copy_file_range, ssize_t,                                                                    \
      (int from, off_t *offset, int fd, off_t *offset2, size_t size, unsigned flags), ERRNO,       \
      call_copy(SITE, fd, offset2,                                                                 \
                RAW(__NR_copy_file_range, from, offset, fd, offset2, size, flags)))                \
    X(splice, ssize_t,                                                                             \
      (int from, off_t *offset, int fd, off_t *offset2, size_t size, unsigned flags), ERRNO,       \
      call_splice(SITE, RAW(__NR_splice, from, offset, fd, offset2, size, flags)))                 \
    X(ftruncate, int, (int fd, off_t size), ERRNO, call_ftruncate(SITE, fd, size))                 \
    X(ftruncate64, int, (int fd, off_t size), ERRNO, call_ftruncate(SITE, fd, size))               \
    X(truncate, int, (const char *path, off_t size), ERRNO, call_truncate(SITE, path, size))       \
    X(truncate64, int, (const char *path, off_t size), ERRNO, call_truncate(SITE, path, size))     \
    X(fallocate, int, FALLOCATE_PARAMETERS, ERRNO, FALLOCATE_CALL)                                 \
    X(fallocate64, int, FALLOCATE_PARAMETERS, ERRNO, FALLOCATE_CALL)                               \
    X(posix_fallocate, int, POSIX_FALLOCATE_PARAMETERS, NUMBER, POSIX_FALLOCATE_CALL)              \
    X(posix_fallocate64, int, POSIX_FALLOCATE_PARAMETERS, NUMBER, POSIX_FALLOCATE_CALL)            \
    X(rename, int, (const char *from, const char *to), ERRNO,                                      \
      call_rename(SITE, AT_FDCWD, from, AT_FDCWD, to, 0))                                          \
    X(renameat, int, (int dirfd, const char *from, int dirfd2, const char *to), ERRNO,             \
      call_rename(SITE, dirfd, from, dirfd2, to, 0))                                               \
    X(renameat2, int, (int dirfd, const char *from, int dirfd2, const char *to, unsigned flags),   \
      ERRNO, call_rename(SITE, dirfd, from, dirfd2, to, flags))                                    \
    X(link, int, (const char *from, const char *to), ERRNO,                                        \
      call_link(SITE, AT_FDCWD, from, AT_FDCWD, to, 0))                                            \
    X(linkat, int, (int dirfd, const char *from, int dirfd2, const char *to, int flags), ERRNO,    \
      call_link(SITE, dirfd, from, dirfd2, to, flags))                                             \
    X(unlink, int, (const char *path), ERRNO, call_unlink(SITE, AT_FDCWD, path, 0))                \
    X(unlinkat, int, (int dirfd, const char *path, int flags), ERRNO,                              \
      call_unlink(SITE, dirfd, path, flags))                                                       \
    X(rmdir, int, (const char *path), ERRNO, call_unlink(SITE, AT_FDCWD, path, AT_REMOVEDIR))      \
    X(remove, int, (const char *path), ERRNO, call_remove(SITE, path))                             \
    X(mkdir, int, (const char *path, unsigned mode), ERRNO,                                        \
      call_mkdir(SITE, AT_FDCWD, path, mode))                                                      \
    X(mkdirat, int, (int dirfd, const char *path, unsigned mode), ERRNO,                           \
      call_mkdir(SITE, dirfd, path, mode))                                                         \
    X(symlink, int, (const char *target, const char *path), ERRNO,                                 \
      call_symlink(SITE, target, AT_FDCWD, path))                                                  \
    X(symlinkat, int, (const char *target, int dirfd, const char *path), ERRNO,                    \
      call_symlink(SITE, target, dirfd, path))                                                     \
    X(mknod, int, (const char *path, unsigned mode, dev_t device), ERRNO,                          \
      call_mknod(SITE, AT_FDCWD, path, mode, device))                                              \
    X(mknodat, int, (int dirfd, const char *path, unsigned mode, dev_t device), ERRNO,             \
      call_mknod(SITE, dirfd, path, mode, device))                                                 \
    X(__xmknod, int, (int version, const char *path, unsigned mode, dev_t *device), ERRNO,         \
      ((void)version, call_mknod(SITE, AT_FDCWD, path, mode, *device)))                            \
    X(__xmknodat, int, (int version, int dirfd, const char *path, unsigned mode, dev_t *device),   \
      ERRNO, ((void)version, call_mknod(SITE, dirfd, path, mode, *device)))                        \
    X(mkfifo, int, (const char *path, unsigned mode), ERRNO,                                       \
      call_mknod(SITE, AT_FDCWD, path, mode | S_IFIFO, 0))                                         \
    X(mkfifoat, int, (int dirfd, const char *path, unsigned mode), ERRNO,                          \
      call_mknod(SITE, dirfd, path, mode | S_IFIFO, 0))                                            \
    X(chmod, int, (const char *path, unsigned mode), ERRNO,                                        \
      call_chmod(SITE, AT_FDCWD, path, mode, 0))                                                   \
    X(lchmod, int, (const char *path, unsigned mode), ERRNO,                                       \
      call_chmod(SITE, AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW))                                 \
    X(fchmodat, int, (int dirfd, const char *path, unsigned mode, int flags), ERRNO,               \
      call_chmod(SITE, dirfd, path, mode, flags))                                                  \
    X(fchmod, int, (int fd, unsigned mode), ERRNO, call_fchmod(SITE, fd, mode))                    \
    X(chown, int, (const char *path, uid_t uid, gid_t gid), ERRNO,                                 \
      call_chown(SITE, AT_FDCWD, path, uid, gid, 0))                                               \
    X(lchown, int, (const char *path, uid_t uid, gid_t gid), ERRNO,                                \
      call_chown(SITE, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW))                             \
    X(fchownat, int, (int dirfd, const char *path, uid_t uid, gid_t gid, int flags), ERRNO,        \
      call_chown(SITE, dirfd, path, uid, gid, flags))                                              \
    X(fchown, int, (int fd, uid_t uid, gid_t gid), ERRNO, call_fchown(SITE, fd, uid, gid))         \
    X(setxattr, int, SETXATTR_PARAMETERS, ERRNO,                                                   \
      call_xattr(SITE, -1, path, 0, name, RAW(__NR_setxattr, path, name, value, size, flags, 0)))  \
    X(lsetxattr, int, SETXATTR_PARAMETERS, ERRNO,                                                  \
      call_xattr(SITE, -1, path, AT_SYMLINK_NOFOLLOW, name,                                        \
                 RAW(__NR_lsetxattr, path, name, value, size, flags, 0)))                          \
    X(fsetxattr, int, (int fd, const char *name, const void *value, size_t size, int flags),       \
      ERRNO,                                                                                       \
      call_xattr(SITE, fd, NULL, 0, name, RAW(__NR_fsetxattr, fd, name, value, size, flags, 0)))   \
    X(removexattr, int, (const char *path, const char *name), ERRNO,                               \
      call_xattr(SITE, -1, path, 0, name, RAW(__NR_removexattr, path, name, 0, 0, 0, 0)))          \
    X(lremovexattr, int, (const char *path, const char *name), ERRNO,                              \
      call_xattr(SITE, -1, path, AT_SYMLINK_NOFOLLOW, name,                                        \
                 RAW(__NR_lremovexattr, path, name, 0, 0, 0, 0)))                                  \
    X(fremovexattr, int, (int fd, const char *name), ERRNO,                                        \
      call_xattr(SITE, fd, NULL, 0, name, RAW(__NR_fremovexattr, fd, name, 0, 0, 0, 0)))           \
    X(ioctl, int, (int fd, unsigned long request, long argument), ERRNO,                           \
      call_ioctl(SITE, fd, request, argument))                                                     \
    X(mmap, void *, MMAP_PARAMETERS, ERRNO, MMAP_CALL)                                             \
    X(mmap64, void *, MMAP_PARAMETERS, ERRNO, MMAP_CALL)                                           \
    X(fsync, int, (int fd), ERRNO, call_fsync(SITE, fd, __NR_fsync))                               \
    X(fdatasync, int, (int fd), ERRNO, call_fsync(SITE, fd, __NR_fdatasync))                       \
    X(sync_file_range, int, (int fd, off_t offset, off_t size, unsigned flags), ERRNO,             \
      call_sync_file_range(SITE, fd, RAW(__NR_sync_file_range, fd, offset, size, flags, 0, 0)))    \
    X(bind, int, (int fd, const void *address, unsigned size), ERRNO,                              \
      call_bind(SITE, RAW(__NR_bind, fd, address, size, 0, 0, 0)))                                 \
    X(sync, int, (void), ERRNO, call_sync(SITE))                                                   \
    X(syncfs, int, (int fd), ERRNO, call_syncfs(SITE, fd))                                         \
    X(close, int, (int fd), ERRNO, call_close(SITE, fd))                                           \
    X(__close, int, (int fd), ERRNO, call_close(SITE, fd))                                         \
    X(dup, int, (int fd), ERRNO, call_dup(SITE, fd))                                               \
    X(dup2, int, (int fd, int target), ERRNO, call_dup2(SITE, fd, target))                         \
    X(__dup2, int, (int fd, int target), ERRNO, call_dup2(SITE, fd, target))                       \
    X(dup3, int, (int fd, int target, int flags), ERRNO, call_dup3(SITE, fd, target, flags))       \
    X(fcntl, int, FCNTL_PARAMETERS, ERRNO, FCNTL_CALL)                                             \
    X(fcntl64, int, FCNTL_PARAMETERS, ERRNO, FCNTL_CALL)                                           \
    X(__fcntl, int, FCNTL_PARAMETERS, ERRNO, FCNTL_CALL)                                           \
    X(syscall, long, (long number, long a, long b, long c, long d, long e, long f), ERRNO,         \
      call_by_number(SITE, RAW(number, a, b, c, d, e, f)))

#endif

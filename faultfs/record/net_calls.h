/*
 * The system calls that the net catches: one table.
 *
 * X(number, symbol, arguments)
 *
 * symbol is the function of interposed.h that the call is recorded as. Each letter
 * of `arguments` says what the argument is, and so how it is brought over from the
 * process that made the call:
 *
 *   f  a descriptor            d  a directory's descriptor, or AT_FDCWD
 *   p  a path                  s  any other text
 *   b  bytes, the next argument says how many; handed over
 *   a  an address of a socket, the next argument says how long
 *   v  an iovec array, the next argument says how many; the bytes handed over
 *   o  a pointer to an offset, which the call moves, or NULL
 *   u  a user's number         g  a group's number
 *   -  a number
 *
 * The calls that come first are looked for first.
 */
#ifndef RECORD_NET_CALLS_H
#define RECORD_NET_CALLS_H

#define NET_CALLS(X)                                                                               \
    X(__NR_write, write, "fb-")                                                                    \
    X(__NR_pwrite64, pwrite, "fb--")                                                               \
    X(__NR_writev, writev, "fv-")                                                                  \
    X(__NR_openat, openat, "dp--")                                                                 \
    X(__NR_open, open, "p--")                                                                      \
    X(__NR_fsync, fsync, "f")                                                                      \
    X(__NR_fdatasync, fdatasync, "f")                                                              \
    X(__NR_rename, rename, "pp")                                                                   \
    X(__NR_unlink, unlink, "p")                                                                    \
    X(__NR_unlinkat, unlinkat, "dp-")                                                              \
    X(__NR_ftruncate, ftruncate, "f-")                                                             \
    X(__NR_pwritev, pwritev, "fv---")                                                              \
    X(__NR_pwritev2, pwritev2, "fv----")                                                           \
    X(__NR_creat, creat, "p-")                                                                     \
    X(__NR_sync, sync, "")                                                                         \
    X(__NR_syncfs, syncfs, "f")                                                                    \
    X(__NR_truncate, truncate, "p-")                                                               \
    X(__NR_fallocate, fallocate, "f---")                                                           \
    X(__NR_copy_file_range, copy_file_range, "fofo--")                                             \
    X(__NR_sendfile, sendfile, "ffo-")                                                             \
    X(__NR_splice, splice, "fofo--")                                                               \
    X(__NR_renameat, renameat, "dpdp")                                                             \
    X(__NR_renameat2, renameat2, "dpdp-")                                                          \
    X(__NR_link, link, "pp")                                                                       \
    X(__NR_linkat, linkat, "dpdp-")                                                                \
    X(__NR_rmdir, rmdir, "p")                                                                      \
    X(__NR_mkdir, mkdir, "p-")                                                                     \
    X(__NR_mkdirat, mkdirat, "dp-")                                                                \
    X(__NR_mknod, mknod, "p--")                                                                    \
    X(__NR_mknodat, mknodat, "dp--")                                                               \
    X(__NR_symlink, symlink, "sp")                                                                 \
    X(__NR_symlinkat, symlinkat, "sdp")                                                            \
    X(__NR_chmod, chmod, "p-")                                                                     \
    X(__NR_fchmod, fchmod, "f-")                                                                   \
    X(__NR_fchmodat, fchmodat, "dp-")                                                              \
    X(FCHMODAT2_NUMBER, fchmodat, "dp--")                                                          \
    X(__NR_chown, chown, "pug")                                                                    \
    X(__NR_lchown, lchown, "pug")                                                                  \
    X(__NR_fchown, fchown, "fug")                                                                  \
    X(__NR_fchownat, fchownat, "dpug-")                                                            \
    X(__NR_setxattr, setxattr, "psb--")                                                            \
    X(__NR_lsetxattr, lsetxattr, "psb--")                                                          \
    X(__NR_fsetxattr, fsetxattr, "fsb--")                                                          \
    X(__NR_removexattr, removexattr, "ps")                                                         \
    X(__NR_lremovexattr, lremovexattr, "ps")                                                       \
    X(__NR_fremovexattr, fremovexattr, "fs")                                                       \
    X(SETXATTRAT_NUMBER, setxattr, "dp-sb-")                                                       \
    X(REMOVEXATTRAT_NUMBER, removexattr, "dp-s")                                                   \
    X(__NR_openat2, syscall, "dpb-")                                                               \
    X(__NR_sync_file_range, sync_file_range, "f---")                                               \
    X(__NR_bind, bind, "fa-")

#endif

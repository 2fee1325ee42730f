/*
 * Faults: which calls on the directory under test fail, and how.
 *
 * Calling sequence
 *
 *     struct ff_fault fault;
 *     struct ff_error error;
 *     if (ff_fault_parse("fsync:*.wal#2=EIO", &fault, &error) != 0)
 *         { ... error.text says what is wrong with it ... }
 *
 * A fault is written as
 *
 *     CALL[,CALL...][:GLOB][#WHICH]=ACTION
 *
 *     CALL     the name of a call, or * for every call. The names in one row of
 *              FF_FAULT_CALLS below mean the same: open, openat and creat, for
 *              example, are the call "open".
 *     GLOB     what the path of the file must match: the path relative to the
 *              directory under test, which itself is ".". * stands for any text,
 *              also with a /, ? for one character, [abc], [a-z] and [!a-z] for one
 *              of a set; a \ takes the next character as it is. Without a GLOB
 *              every path matches, and files that have none. A call on two names
 *              (rename, link) matches if one of them does. A path is that by which
 *              the file was opened, or that the call was given, its directories
 *              without symbolic links.
 *     WHICH    of the calls that match so far, counted from 1 over all processes:
 *              N the N-th, N-M from the N-th to the M-th, all. Default: 1.
 *     ACTION   ERRNO         the call is not made and fails with this error, e.g. EIO
 *              ERRNO@BYTES   ENOSPC, EDQUOT or EFBIG: the matching calls write so
 *                            many bytes together, the last of them a part of what it
 *                            was asked to, and from then on they fail with the error;
 *                            without #WHICH, and only for calls that write data
 *              short:N       the call writes N bytes at most (N > 0); only for calls
 *                            that write data
 *              eintr         the same as EINTR
 *              cut-before    everything stops before the call, as in a power cut
 *              cut-after     everything stops when the call has been made
 *
 * The calls end at the first colon, the action begins after the last =, WHICH after
 * the last # before it: a GLOB may contain all three, but behind one that contains
 * a #, #WHICH must be given.
 *
 * Which calls. Only those that concern the directory under test, however they
 * were made; not writes to standard output. Opening a file for reading alone is
 * no such call. Of several faults that match a call, the first one acts; each
 * counts it.
 *
 * As on Linux. A close that fails has closed the descriptor (close(2)). A sync of any
 * kind that fails with EIO, ENOSPC, EDQUOT or EROFS has lost the data for good: the
 * next one succeeds and they are not on the disk (FF_EFFECT_SYNC_FAILED; syncfs: of
 * any file). Of an fsync or fdatasync that failed, every other open file description
 * that the file has at that moment hears once, at its own next fsync or fdatasync;
 * one that is opened later does not (errseq_t in the kernel;
 * shim/failures.h). All file systems that were measured (ext4 with and without
 * data=journal, xfs, btrfs) show a program this, so there are no variants of it by
 * file system; what a power cut leaves is the model's business.
 *
 * Unlike on Linux. A write through O_SYNC or O_DSYNC that fails leaves nothing in
 * the file, where the kernel may leave the data in its cache. Of a syncfs,
 * sync_file_range or msync that failed nobody else hears.
 */
#ifndef FAULTFS_FAULTS_H
#define FAULTFS_FAULTS_H

#include "faultfs/trace.h"

#include <stdbool.h>

/*
 * The calls, with all their names in a trace and the errors that may befall them.
 *
 * X(identifier, name, other names, errors)
 *
 * The errors are those in the ERRORS section of
 * the manual page (Linux man-pages 6.03) that the device, the file system, a limit
 * or a right may cause at any time; not those by which a program learns that its
 * arguments are wrong or do not fit the directory (EBADF, EINVAL, ENOENT, ...),
 * which no injection is needed for. Beyond the page: msync, which hands through
 * what fsync would return (mm/msync.c), and writev, pwrite and pwritev, whose pages
 * point to write(2).
 */
#define FF_FAULT_CALLS(X)                                                                          \
    X(OPEN, "open",                                                                                \
      "open64 __open __open64 __open_2 __open64_2 openat openat64 __openat "                       \
      "__openat64 __openat_2 __openat64_2 openat2 creat creat64 __creat "                          \
      "mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps "                       \
      "mkostemps64",                                                                               \
      (EACCES, EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC, EPERM, EROFS))                       \
    X(MKDIR, "mkdir", "mkdirat mkdtemp", (EACCES, EDQUOT, EMLINK, ENOMEM, ENOSPC, EPERM, EROFS))   \
    X(MKNOD, "mknod", "mknodat __xmknod __xmknodat mkfifo mkfifoat",                               \
      (EACCES, EDQUOT, ENOMEM, ENOSPC, EPERM, EROFS))                                              \
    X(BIND, "bind", "", (EACCES, ENOMEM, EROFS)) /* of a socket that gets a name */                \
    X(SYMLINK, "symlink", "symlinkat", (EACCES, EDQUOT, EIO, ENOMEM, ENOSPC, EPERM, EROFS))        \
    X(LINK, "link", "linkat", (EACCES, EDQUOT, EIO, EMLINK, ENOMEM, ENOSPC, EPERM, EROFS))         \
    X(RENAME, "rename", "renameat renameat2",                                                      \
      (EACCES, EBUSY, EDQUOT, EMLINK, ENOMEM, ENOSPC, EPERM, EROFS))                               \
    X(UNLINK, "unlink", "unlinkat remove", (EACCES, EBUSY, EIO, ENOMEM, EPERM, EROFS))             \
    X(RMDIR, "rmdir", "", (EACCES, EBUSY, ENOMEM, EPERM, EROFS))                                   \
    X(WRITE, "write", "__write", (EDQUOT, EFBIG, EINTR, EIO, ENOSPC, EPERM))                       \
    X(PWRITE, "pwrite", "pwrite64 __pwrite64", (EDQUOT, EFBIG, EINTR, EIO, ENOSPC, EPERM))         \
    X(WRITEV, "writev", "", (EDQUOT, EFBIG, EINTR, EIO, ENOSPC, EPERM))                            \
    X(PWRITEV, "pwritev", "pwritev64 pwritev2 pwritev64v2",                                        \
      (EDQUOT, EFBIG, EINTR, EIO, ENOSPC, EPERM))                                                  \
    X(TRUNCATE, "truncate", "truncate64 ftruncate ftruncate64",                                    \
      (EACCES, EFBIG, EINTR, EIO, EPERM, EROFS))                                                   \
    X(FALLOCATE, "fallocate", "fallocate64 posix_fallocate posix_fallocate64",                     \
      (EFBIG, EINTR, EIO, ENOSPC, EOPNOTSUPP, EPERM))                                              \
    X(COPY, "copy_file_range", "", (EFBIG, EIO, ENOMEM, ENOSPC, EOPNOTSUPP, EPERM, EXDEV))         \
    X(SENDFILE, "sendfile", "sendfile64", (EIO, ENOMEM))                                           \
    X(SPLICE, "splice", "vmsplice tee", (ENOMEM))                                                  \
    X(CHMOD, "chmod", "lchmod fchmod fchmodat fchmodat2", (EACCES, EIO, ENOMEM, EPERM, EROFS))     \
    X(CHOWN, "chown", "lchown fchown fchownat", (EACCES, EIO, ENOMEM, EPERM, EROFS))               \
    X(SETXATTR, "setxattr", "lsetxattr fsetxattr", (EDQUOT, ENOSPC, EOPNOTSUPP, EPERM))            \
    X(REMOVEXATTR, "removexattr", "lremovexattr fremovexattr", (EOPNOTSUPP))                       \
    X(IOCTL, "ioctl", "", (EOPNOTSUPP, EPERM, EXDEV)) /* FICLONE and FICLONERANGE */               \
    X(MMAP, "mmap", "mmap64", (EACCES, EAGAIN, ENFILE, ENODEV, ENOMEM, EPERM))                     \
    X(MSYNC, "msync", "", (EBUSY, EIO, ENOMEM))                                                    \
    X(FSYNC, "fsync", "", (EDQUOT, EINTR, EIO, ENOSPC, EROFS))                                     \
    X(FDATASYNC, "fdatasync", "", (EDQUOT, EINTR, EIO, ENOSPC, EROFS))                             \
    X(SYNC, "sync", "", (0)) /* it cannot fail */                                                  \
    X(SYNCFS, "syncfs", "", (EDQUOT, EIO, ENOSPC))                                                 \
    X(SYNC_RANGE, "sync_file_range", "", (EIO, ENOMEM, ENOSPC))                                    \
    X(CLOSE, "close", "__close", (EDQUOT, EINTR, EIO, ENOSPC))                                     \
    X(DUP, "dup", "dup2 __dup2 dup3", (EBUSY, EINTR, EMFILE))                                      \
    X(FCNTL, "fcntl", "fcntl64 __fcntl", (EMFILE))

enum ff_fault_call {
#define X(identifier, name, others, errors) FF_FAULT_CALL_##identifier,
    FF_FAULT_CALLS(X)
#undef X
        FF_FAULT_CALL_COUNT
};

enum ff_fault_action {
    FF_FAULT_ERROR,  /* fails with `error` */
    FF_FAULT_BUDGET, /* fails with `error` once `bytes` bytes were written */
    FF_FAULT_SHORT,  /* writes `bytes` bytes at most */
    FF_FAULT_CUT_BEFORE,
    FF_FAULT_CUT_AFTER,
};

enum { FF_FAULT_GLOB_SIZE = 1024 };

/* Plain data: it may be copied, also into memory that processes share. */
struct ff_fault {
    uint64_t calls; /* bit n: enum ff_fault_call n */
    enum ff_fault_action action;
    int error;
    uint64_t bytes;
    uint64_t first, last;          /* ordinals, from 1; all: 1 to UINT64_MAX */
    char glob[FF_FAULT_GLOB_SIZE]; /* empty: every path */
};

/* Returns 0, or -1 with *error set. */
int ff_fault_parse(const char *spec, struct ff_fault *fault, struct ff_error *error);

/*
 * The call that has this name in a trace; FF_FAULT_CALL_COUNT if there is none, as
 * for "write (O_SYNC)", which is a part of a call.
 */
enum ff_fault_call ff_fault_call_find(const char *name);

/* The call's own name, for a SPEC. */
const char *ff_fault_call_name(enum ff_fault_call call);

/* Its errors, from the table above, and a 0. */
const int *ff_fault_errors(enum ff_fault_call call);

/* Whether it writes data, so that it can be short. */
bool ff_fault_writes(enum ff_fault_call call);

/* "EIO"; NULL if a SPEC cannot name it. */
const char *ff_fault_error_name(int error);

#endif

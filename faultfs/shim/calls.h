/*
 * The interposed calls, by what they do rather than by their many symbols: each
 * decides whether it concerns the directory under test (or standard output),
 * makes the system call, and records it. All return the system call's result, or
 * -errno. The table of symbols is interposed.h.
 */
#ifndef SHIM_CALLS_H
#define SHIM_CALLS_H

#include "gate.h"
#include "recorder.h"

#include <sys/types.h>
#include <sys/uio.h>

/* calls_names.c: what creates, moves and removes names. */
long call_open(const struct site *site, int dirfd, const char *path, int flags, unsigned mode);
long call_openat2(const struct site *site, const struct raw_call *raw);
long call_make_unique(const struct site *site, char *template, int suffix, int flags);
/* Returns the address of template. */
long call_make_unique_directory(const struct site *site, char *template);
long call_mkdir(const struct site *site, int dirfd, const char *path, unsigned mode);
long call_mknod(const struct site *site, int dirfd, const char *path, unsigned mode, dev_t device);
long call_symlink(const struct site *site, const char *target, int dirfd, const char *path);
long call_link(const struct site *site, int dirfd, const char *from, int dirfd2, const char *to,
               int flags);
long call_rename(const struct site *site, int dirfd, const char *from, int dirfd2, const char *to,
                 unsigned flags);
long call_unlink(const struct site *site, int dirfd, const char *path, int flags);
long call_remove(const struct site *site, const char *path);

/* calls_data.c: what changes the content of a file, and standard output. */
long call_write(const struct site *site, int fd, const void *data, size_t size);
long call_writev(const struct site *site, int fd, const struct iovec *pieces, int count);
long call_pwrite(const struct site *site, int fd, const void *data, size_t size, off_t offset);
long call_pwritev(const struct site *site, int fd, const struct iovec *pieces, int count,
                  off_t offset, int flags, bool second_form);
long call_ftruncate(const struct site *site, int fd, off_t size);
long call_truncate(const struct site *site, const char *path, off_t size);
/* copy_file_range, sendfile: offset is where the target's offset is, or NULL. */
long call_copy(const struct site *site, int fd, const off_t *offset, const struct raw_call *raw);

/* splice, fallocate: the raw call tells all. */
long call_splice(const struct site *site, const struct raw_call *raw);
long call_fallocate(const struct site *site, const struct raw_call *raw);
/* FICLONE, FICLONERANGE: the bytes come from offset `from` and go to offset `to`. */
struct clone_range {
    uint64_t from, to, size; /* bytes; a size of 0 reaches to the end */
};
long call_clone_range(const struct site *site, int fd, int from, const struct clone_range *range,
                      const struct raw_call *raw);

/* calls_attributes.c */
/* fchmodat2(2) has this number on every machine; its flags need Linux 6.6. */
#define FCHMODAT2_NUMBER 452
/* Likewise setxattrat(2) and removexattrat(2), since Linux 6.13. */
#define SETXATTRAT_NUMBER    463
#define REMOVEXATTRAT_NUMBER 466
long call_chmod(const struct site *site, int dirfd, const char *path, unsigned mode, int flags);
long call_fchmod(const struct site *site, int fd, unsigned mode);
long call_chown(const struct site *site, int dirfd, const char *path, uid_t uid, gid_t gid,
                int flags);
long call_fchown(const struct site *site, int fd, uid_t uid, gid_t gid);

/* calls_xattrs.c */
/*
 * Sets or removes the extended attribute `name` of path, or of fd if path is NULL;
 * flags: AT_SYMLINK_NOFOLLOW.
 */
long call_xattr(const struct site *site, int fd, const char *path, int flags, const char *name,
                const struct raw_call *raw);
/*
 * Of dirfd/path, or of the descriptor dirfd if path is NULL. The recording ones add
 * records to that of the call that was just recorded.
 */
bool attribute_exists(int dirfd, const char *path, bool follow, const char *name);
/* What the attribute is now, if it is there or was. */
void attribute_record(struct call *call, int dirfd, const char *path, bool follow, const char *name,
                      bool had);
/* What a new node has by inheritance: default access control lists (acl(5)). */
void inherited_record(struct call *call, int dirfd, const char *path);

/* calls_descriptors.c: syncs, and what changes only descriptors. */
long call_fsync(const struct site *site, int fd, long number);
long call_sync(const struct site *site);
long call_syncfs(const struct site *site, int fd);
long call_close(const struct site *site, int fd);
long call_dup(const struct site *site, int fd);
long call_dup2(const struct site *site, int fd, int target);
long call_dup3(const struct site *site, int fd, int target, int flags);
long call_fcntl(const struct site *site, int fd, int command, long argument);

/*
 * sync_file_range(2): it makes nothing durable that can be relied on, neither the
 * file's size nor what leads to its blocks.
 */
long call_sync_file_range(const struct site *site, int fd, const struct raw_call *raw);

/* calls_unsupported.c: what changes files in ways that a trace cannot express. */
long call_bind(const struct site *site, const struct raw_call *raw);
long call_unsupported_name(const struct site *site, int dirfd, const char *path,
                           const struct raw_call *raw);
long call_ioctl(const struct site *site, int fd, unsigned long request, long argument);

/* calls_mappings.c */
long call_mmap(const struct site *site, const struct raw_call *raw);
long call_munmap(const struct site *site, const struct raw_call *raw);
long call_msync(const struct site *site, const struct raw_call *raw);
/* Before a mapping is made that may change a file below the directory: true if it may. */
bool mapping_begin(const struct site *site, int flags, int fd);
/* After that, of one whose stores cannot be tracked. */
void mapping_untracked(const struct site *site, int fd);
/* Makes records of all that was stored until now. */
void mapping_scan(const struct site *site);

/* calls_number.c: syscall(2) as a function: finds the call above that has the number. */
long call_by_number(const struct site *site, const struct raw_call *raw);

#endif

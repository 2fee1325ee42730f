#ifdef __x86_64__

#include "watch_calls.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/uio.h>

const struct cm_looking cm_looking[] = {
    {__NR_open, CM_NO_ARGUMENT, 0, CM_LOOK_OPEN, false},
    {__NR_openat, 0, 1, CM_LOOK_OPEN, false},
    {__NR_openat2, 0, 1, CM_LOOK_OPEN, true},
    {__NR_creat, CM_NO_ARGUMENT, 0, CM_LOOK_OPEN, true},
    {__NR_execve, CM_NO_ARGUMENT, 0, CM_LOOK_EXECUTE, false},
    {__NR_execveat, 0, 1, CM_LOOK_EXECUTE, false},
    {__NR_stat, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_lstat, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_fstat, 0, CM_NO_ARGUMENT, CM_LOOK_STATUS, false},
    {__NR_newfstatat, 0, 1, CM_LOOK_STATUS, false},
    {__NR_statx, 0, 1, CM_LOOK_STATUS, false},
    {__NR_access, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_faccessat, 0, 1, CM_LOOK_STATUS, false},
    {__NR_faccessat2, 0, 1, CM_LOOK_STATUS, false},
    {__NR_readlink, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_readlinkat, 0, 1, CM_LOOK_STATUS, false},
    {__NR_getxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_lgetxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_listxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_llistxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, false},
    {__NR_chdir, CM_NO_ARGUMENT, 0, CM_LOOK_OPEN, false},
    {__NR_statfs, CM_NO_ARGUMENT, 0, CM_LOOK_FILE_SYSTEM, false},
    {__NR_fstatfs, 0, CM_NO_ARGUMENT, CM_LOOK_FILE_SYSTEM, false},
    {__NR_getdents, 0, CM_NO_ARGUMENT, CM_LOOK_LIST, false},
    {__NR_getdents64, 0, CM_NO_ARGUMENT, CM_LOOK_LIST, false},
    {__NR_truncate, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_mkdir, CM_NO_ARGUMENT, 0, CM_LOOK_NAME, true},
    {__NR_mkdirat, 0, 1, CM_LOOK_NAME, true},
    {__NR_unlink, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_unlinkat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_rmdir, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_rename, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_rename, CM_NO_ARGUMENT, 1, CM_LOOK_STATUS, true},
    {__NR_renameat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_renameat, 2, 3, CM_LOOK_STATUS, true},
    {__NR_renameat2, 0, 1, CM_LOOK_STATUS, true},
    {__NR_renameat2, 2, 3, CM_LOOK_STATUS, true},
    {__NR_link, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_link, CM_NO_ARGUMENT, 1, CM_LOOK_STATUS, true},
    {__NR_linkat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_linkat, 2, 3, CM_LOOK_STATUS, true},
    {__NR_symlink, CM_NO_ARGUMENT, 1, CM_LOOK_NAME, true},
    {__NR_symlinkat, 1, 2, CM_LOOK_NAME, true},
    {__NR_mknod, CM_NO_ARGUMENT, 0, CM_LOOK_NAME, true},
    {__NR_mknodat, 0, 1, CM_LOOK_NAME, true},
    {__NR_chmod, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_fchmodat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_chown, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_lchown, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_fchownat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_setxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_lsetxattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_removexattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_lremovexattr, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_utime, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_utimes, CM_NO_ARGUMENT, 0, CM_LOOK_STATUS, true},
    {__NR_futimesat, 0, 1, CM_LOOK_STATUS, true},
    {__NR_utimensat, 0, 1, CM_LOOK_STATUS, true},
};

const struct cm_reading cm_reading[] = {
    {__NR_read, 0, CM_READ_HERE, false},           {__NR_readv, 0, CM_READ_HERE, true},
    {__NR_pread64, 0, CM_READ_AT, false},          {__NR_preadv, 0, CM_READ_AT, true},
    {__NR_preadv2, 0, CM_READ_AT, true},           {__NR_mmap, 4, CM_READ_ALL, false},
    {__NR_sendfile, 1, CM_READ_ALL, false},        {__NR_splice, 0, CM_READ_ALL, false},
    {__NR_copy_file_range, 0, CM_READ_ALL, false},
};

const short cm_changing[] = {__NR_fchmod,       __NR_fchown, __NR_fsetxattr,
                             __NR_fremovexattr, __NR_ioctl,  __NR_fcntl};

const short cm_starting[] = {__NR_clone, __NR_clone3, __NR_fork, __NR_vfork};

const unsigned short cm_harmless[] = {
    __NR_write,
    __NR_close,
    __NR_poll,
    __NR_lseek,
    __NR_mprotect,
    __NR_munmap,
    __NR_brk,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_pwrite64,
    __NR_writev,
    __NR_pipe,
    __NR_select,
    __NR_sched_yield,
    __NR_mremap,
    __NR_msync,
    __NR_mincore,
    __NR_madvise,
    __NR_dup,
    __NR_dup2,
    __NR_pause,
    __NR_nanosleep,
    __NR_getitimer,
    __NR_alarm,
    __NR_setitimer,
    __NR_getpid,
    __NR_socketpair,
    __NR_exit,
    __NR_wait4,
    __NR_kill,
    __NR_uname,
    __NR_flock,
    __NR_fsync,
    __NR_fdatasync,
    __NR_ftruncate,
    __NR_getcwd,
    __NR_fchdir,
    __NR_umask,
    __NR_gettimeofday,
    __NR_getrlimit,
    __NR_getrusage,
    __NR_sysinfo,
    __NR_times,
    __NR_getuid,
    __NR_getgid,
    __NR_setuid,
    __NR_setgid,
    __NR_geteuid,
    __NR_getegid,
    __NR_setpgid,
    __NR_getppid,
    __NR_getpgrp,
    __NR_setsid,
    __NR_setreuid,
    __NR_setregid,
    __NR_getgroups,
    __NR_setgroups,
    __NR_setresuid,
    __NR_getresuid,
    __NR_setresgid,
    __NR_getresgid,
    __NR_getpgid,
    __NR_setfsuid,
    __NR_setfsgid,
    __NR_getsid,
    __NR_capget,
    __NR_capset,
    __NR_rt_sigpending,
    __NR_rt_sigtimedwait,
    __NR_rt_sigqueueinfo,
    __NR_rt_sigsuspend,
    __NR_sigaltstack,
    __NR_personality,
    __NR_getpriority,
    __NR_setpriority,
    __NR_sched_setparam,
    __NR_sched_getparam,
    __NR_sched_setscheduler,
    __NR_sched_getscheduler,
    __NR_sched_get_priority_max,
    __NR_sched_get_priority_min,
    __NR_sched_rr_get_interval,
    __NR_mlock,
    __NR_munlock,
    __NR_mlockall,
    __NR_munlockall,
    __NR_prctl,
    __NR_arch_prctl,
    __NR_setrlimit,
    __NR_sync,
    __NR_gettid,
    __NR_readahead,
    __NR_fgetxattr,
    __NR_flistxattr,
    __NR_tkill,
    __NR_time,
    __NR_futex,
    __NR_sched_setaffinity,
    __NR_sched_getaffinity,
    __NR_epoll_create,
    __NR_set_tid_address,
    __NR_restart_syscall,
    __NR_fadvise64,
    __NR_timer_create,
    __NR_timer_settime,
    __NR_timer_gettime,
    __NR_timer_getoverrun,
    __NR_timer_delete,
    __NR_clock_settime,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_exit_group,
    __NR_epoll_wait,
    __NR_epoll_ctl,
    __NR_tgkill,
    __NR_waitid,
    __NR_pselect6,
    __NR_ppoll,
    __NR_set_robust_list,
    __NR_get_robust_list,
    __NR_tee,
    __NR_sync_file_range,
    __NR_vmsplice,
    __NR_epoll_pwait,
    __NR_signalfd,
    __NR_timerfd_create,
    __NR_eventfd,
    __NR_fallocate,
    __NR_timerfd_settime,
    __NR_timerfd_gettime,
    __NR_signalfd4,
    __NR_eventfd2,
    __NR_epoll_create1,
    __NR_dup3,
    __NR_pipe2,
    __NR_pwritev,
    __NR_prlimit64,
    __NR_syncfs,
    __NR_getcpu,
    __NR_memfd_create,
    __NR_membarrier,
    __NR_mlock2,
    __NR_pwritev2,
    __NR_pkey_mprotect,
    __NR_pkey_alloc,
    __NR_pkey_free,
    __NR_rseq,
    __NR_pidfd_send_signal,
    __NR_pidfd_open,
    __NR_close_range,
    __NR_epoll_pwait2,
    __NR_futex_waitv,
    __NR_sendto,
    __NR_recvfrom,
    __NR_sendmsg,
    __NR_recvmsg,
    __NR_shutdown,
    __NR_getsockname,
    __NR_getpeername,
    __NR_setsockopt,
    __NR_getsockopt,
    __NR_recvmmsg,
    __NR_sendmmsg,
    __NR_sched_setattr,
    __NR_sched_getattr,
    __NR_ioprio_set,
    __NR_ioprio_get,
    __NR_rt_tgsigqueueinfo,
};

const unsigned short cm_confined[] = {
    __NR_socket,
    __NR_listen,
    __NR_accept,
    __NR_accept4,
    __NR_ptrace,
    __NR_modify_ldt,
    __NR_io_setup,
    __NR_io_destroy,
    __NR_io_getevents,
    __NR_io_submit,
    __NR_io_cancel,
    __NR_io_pgetevents,
    __NR_remap_file_pages,
    __NR_mbind,
    __NR_set_mempolicy,
    __NR_get_mempolicy,
    __NR_migrate_pages,
    __NR_move_pages,
    __NR_inotify_init,
    __NR_inotify_init1,
    __NR_inotify_add_watch,
    __NR_inotify_rm_watch,
    __NR_name_to_handle_at,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kcmp,
    __NR_seccomp,
    __NR_userfaultfd,
    __NR_pidfd_getfd,
    __NR_process_madvise,
    __NR_landlock_create_ruleset,
    __NR_landlock_add_rule,
    __NR_landlock_restrict_self,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const size_t cm_looking_count = COUNT(cm_looking);
const size_t cm_reading_count = COUNT(cm_reading);
const size_t cm_changing_count = COUNT(cm_changing);
const size_t cm_starting_count = COUNT(cm_starting);
const size_t cm_harmless_count = COUNT(cm_harmless);
const size_t cm_confined_count = COUNT(cm_confined);

bool cm_is_among(const short *numbers, size_t count, int number)
{
    size_t i = 0;
    while (i < count && numbers[i] != number)
        i++;
    return i < count;
}

bool cm_may_change(const struct cm_looking *looking, const __u64 *arguments)
{
    if (looking->number == __NR_open)
        return (arguments[1] & CM_OPEN_CHANGES) != 0;
    if (looking->number == __NR_openat)
        return (arguments[2] & CM_OPEN_CHANGES) != 0;
    return looking->changes;
}

bool cm_follows(const struct cm_looking *looking)
{
    static const short links[] = {
        __NR_lstat,        __NR_readlink, __NR_readlinkat, __NR_lgetxattr, __NR_llistxattr,
        __NR_mkdir,        __NR_mkdirat,  __NR_unlink,     __NR_unlinkat,  __NR_rmdir,
        __NR_rename,       __NR_renameat, __NR_renameat2,  __NR_link,      __NR_symlink,
        __NR_symlinkat,    __NR_mknod,    __NR_mknodat,    __NR_lchown,    __NR_lsetxattr,
        __NR_lremovexattr,
    };
    return !cm_is_among(links, COUNT(links), looking->number);
}

/* The flags of an open; false: they cannot be read, and anything is possible. */
static bool open_flags(const struct seccomp_notif *call, uint64_t *flags)
{
    const __u64 *arguments = call->data.args;
    struct iovec to = {flags, sizeof(*flags)};
    struct iovec from = {(void *)(uintptr_t)arguments[2], /* NOLINT(performance-no-int-to-ptr) */
                         sizeof(*flags)};
    *flags = call->data.nr == __NR_open ? arguments[1] : arguments[2];
    /* struct open_how begins with them. */
    return call->data.nr != __NR_openat2 ||
           process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) == sizeof(*flags);
}

static bool is_creating(int number)
{
    static const short creating[] = {
        __NR_creat,     __NR_mkdir, __NR_mkdirat, __NR_mknod,  __NR_mknodat,  __NR_symlink,
        __NR_symlinkat, __NR_link,  __NR_linkat,  __NR_rename, __NR_renameat, __NR_renameat2,
    };
    return cm_is_among(creating, COUNT(creating), number);
}

enum cm_change cm_change_of(const struct cm_looking *looking, const struct seccomp_notif *call)
{
    int number = looking->number;
    uint64_t flags = 0;
    if (number != __NR_open && number != __NR_openat && number != __NR_openat2)
        return is_creating(number) ? CM_CREATES
               : looking->changes  ? CM_CHANGES
                                   : CM_CHANGES_NOTHING;
    if (!open_flags(call, &flags))
        return CM_CREATES;
    if ((flags & CM_OPEN_CHANGES) == 0 || (flags & O_TMPFILE) == O_TMPFILE)
        return CM_CHANGES_NOTHING;
    return (flags & O_CREAT) != 0 ? CM_CREATES : CM_CHANGES;
}

#else

typedef int cm_watch_calls_are_not_known_here;

#endif

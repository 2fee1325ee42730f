/*
 * Another process, as the supervisor has to know it while one of its threads waits
 * for the answer to a system call: its memory, descriptors, paths and identity.
 * Everything goes through /proc, process_vm_readv(2) and pidfd_getfd(2), which need
 * the right to trace the process: the launcher has it over its own descendants,
 * unless they are more privileged or forbade it (PR_SET_DUMPABLE).
 */
#ifndef RECORD_TRACEE_H
#define RECORD_TRACEE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracee {
    pid_t thread;
    int pidfd; /* of the thread's process; -1 until a descriptor is asked for */
    bool has_status;
    /* From here on what /proc/THREAD/status says, in this process's namespaces. */
    pid_t process;
    mode_t umask;
    uid_t uid, fsuid; /* effective; of the file system */
    gid_t gid, fsgid;
    gid_t *groups;
    size_t group_count;
    bool no_new_privileges;
};

void tracee_open(struct tracee *tracee, pid_t thread);
void tracee_close(struct tracee *tracee);

/* Fills in the rest. False: the process is gone, or may not be looked at. */
bool tracee_read_status(struct tracee *tracee);

/* Copies memory; returns how many bytes could be, from the first on. */
size_t tracee_read(const struct tracee *tracee, uint64_t address, void *to, size_t size);
size_t tracee_write(const struct tracee *tracee, uint64_t address, const void *from, size_t size);

/* Reads a text with its NUL. False if it cannot be read or is longer. */
bool tracee_read_text(const struct tracee *tracee, uint64_t address, char *to, size_t size);

/* A copy of its descriptor in this process, to be closed; or -errno. */
int tracee_descriptor(struct tracee *tracee, int fd);

/*
 * Makes a path of the process one of this thread: /proc/self and /dev/fd are the
 * process's own, and what is absolute begins at its root. Relative ones are left
 * as they are, see tracee_enter_directory(). False if it gets too long.
 */
bool tracee_translate_path(struct tracee *tracee, char path[PATH_MAX]);

/*
 * Makes the current directory of the process that of the calling thread, which
 * must not share it with others (CLONE_FS).
 */
bool tracee_enter_directory(const struct tracee *tracee);

/*
 * The number in this process's user namespace of a user or group that the process
 * calls `id`; -1 means none and stays so. False: it has no such number.
 */
bool tracee_translate_user(const struct tracee *tracee, uint32_t *id);
bool tracee_translate_group(const struct tracee *tracee, uint32_t *id);

/* An identity of the calling thread, to be taken on and laid down again. */
struct identity {
    bool changed;
    uid_t fsuid;
    gid_t fsgid;
    gid_t groups[NGROUPS_MAX > 1024 ? 1024 : NGROUPS_MAX];
    int group_count;
};

/*
 * Lets the calling thread make files as the process does: its umask, its user and
 * groups (of the file system) if they are others, and no more rights than these.
 */
void tracee_impersonate(struct tracee *tracee, struct identity *own);
void identity_restore(const struct identity *own);

#endif

/*
 * The mount that a directory is on, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
 */
#ifndef PORTCHECK_MOUNT_H
#define PORTCHECK_MOUNT_H

#include <stdbool.h>

struct pc_mount {
    char *device;  /* "179:2"; the major number is 0 if no one block device is behind it */
    char *root;    /* what of the file system is there: not "/" of a bind mount or subvolume */
    char *point;   /* where it is mounted */
    char *type;    /* "ext4" */
    char *source;  /* "/dev/mmcblk0p2", "ubi0:rootfs" */
    char *options; /* of the mount, then of the file system: a list with commas */
};

/*
 * Finds the mount of that id, or, if the id is 0, the last one whose point is the longest
 * prefix of the directory, an absolute path without links. sysroot is put before /proc, and
 * is "" but in tests. False: errno says why; ENOENT also if no mount fits. A mount that was
 * found is to be freed.
 */
bool pc_mount_find(const char *sysroot, const char *directory, unsigned long id,
                   struct pc_mount *mount);
void pc_mount_free(struct pc_mount *mount);

/* The path of an open directory, without links, or NULL and errno. The caller frees it. */
char *pc_directory_path(int directory);

/* The id of the mount that an open directory is on; 0 if the kernel does not tell
 * (/proc/self/fdinfo tells since Linux 3.15). */
unsigned long pc_mount_id(int directory);

#endif

/*
 * The mount that a directory is on, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
 */
#ifndef CRASHMATRIX_MOUNT_H
#define CRASHMATRIX_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "faultfs/trace.h"

struct cm_mount {
    char *type;     /* "ext4", "fuse.lazyfs" */
    char *source;   /* a device, or a word */
    char *point;    /* where it is mounted */
    char **options; /* of the mount and of the file system; those in force, where known */
    size_t option_count, option_capacity;
    size_t shown; /* of these are in mountinfo, the others follow */
    bool known;   /* options holds the defaults, too: what is not there is not in force */
};

/*
 * Finds the mount of a directory: the one of that id (statx(2), STATX_MNT_ID), or, if the
 * id is 0, the last one whose point is the longest prefix of the directory, an absolute
 * path without links. root is put before every path of /proc and /sys that is read, and
 * is "" except in tests. Returns 0, or -1 with *error set; then *mount is empty.
 */
int cm_mount_find(const char *root, const char *directory, unsigned long id, struct cm_mount *mount,
                  struct ff_error *error);

/* The same in an open mountinfo; *mount must be empty at first, and is when none is found. */
void cm_mount_search(FILE *mountinfo, const char *root, const char *directory, unsigned long id,
                     struct cm_mount *mount);
void cm_mount_free(struct cm_mount *mount);

/* What follows "NAME=" in the first option of that name, or NULL. */
const char *cm_mount_value(const struct cm_mount *mount, const char *name);

#endif

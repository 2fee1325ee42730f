/*
 * What DIR is: the file system and the device behind it, so that a run never commits to
 * another one. A mount that failed at boot leaves an empty directory of the root file
 * system, or of the initramfs, and everything that is acknowledged there would be lost.
 */
#ifndef PORTCHECK_TARGET_H
#define PORTCHECK_TARGET_H

#include <sys/stat.h>

#include "mount.h"

struct pc_target {
    const char *path; /* as it was given */
    struct pc_mount mount;
    char uuid[256]; /* "" if nobody tells */
    dev_t device;   /* stat(2) of the directory */
    ino_t inode;
};

/* What the person expects; NULL: anything. */
struct pc_expected {
    const char *fs;
    const char *device; /* major:minor, UUID, or the source of the mount */
};

/* Looks at the directory. NULL, or why it cannot be told, which the caller frees. */
char *pc_target_look(const char *path, struct pc_target *target);
void pc_target_free(struct pc_target *target);

/* NULL, or why this is not what is expected. A file system in memory must be expected
 * by its name. The caller frees the text. */
char *pc_target_refuse(const struct pc_target *target, const struct pc_expected *expected);

/* Looks again, quickly: whether the path still leads to the same directory. NULL, or
 * what has changed, which the caller frees. */
char *pc_target_changed(const struct pc_target *target);

/* The same thoroughly: mount and device too. */
char *pc_target_changed_mount(const struct pc_target *target);

#endif

/*
 * Lines of /proc/self/mountinfo (proc_pid_mountinfo(5)), for portcheck and for the engine,
 * which keep different things of a mount. Needs libc only.
 */
#ifndef PORTCHECK_MOUNTINFO_H
#define PORTCHECK_MOUNTINFO_H

#include <stdbool.h>

struct pc_mountinfo {
    unsigned long id;
    const char *device;                  /* "179:2" */
    const char *root;                    /* what of the file system is there */
    const char *point;                   /* where */
    const char *options, *super_options; /* of the mount, and of the file system */
    const char *type, *source;
};

/* Cuts a line into its fields, which stay in it. False: it is none. */
bool pc_mountinfo_parse(char *line, struct pc_mountinfo *fields);

/*
 * Whether a directory, an absolute path without links, is on that mount: the one of that id,
 * or, if the id is 0, on this rather than on what is mounted at the point best, which a line
 * before fitted (NULL: none did). The last one whose point is the longest prefix counts.
 */
bool pc_mountinfo_fits(const struct pc_mountinfo *fields, const char *directory, unsigned long id,
                       const char *best);

#endif

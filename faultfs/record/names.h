/*
 * A second witness: the names that the kernel reports below the directory under
 * test (inotify(7)), whoever uses them. Each must occur in the record, so that
 * what was done behind the recorder's back is noticed even if it was undone.
 *
 *     names_watch()   before the workload starts              (names.c)
 *     names_read()    all the time while it runs              (names.c)
 *     names_check()   when the trace is there                 (names_check.c)
 *     names_close()
 *
 * It is a one-way check: the kernel tells nothing of what happens in a new
 * directory before it is watched, or through stores into mappings. Attributes are
 * left out: link counts and times change as well when nothing is to be recorded.
 */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

#include "recording.h"

/* What happened to a name; a name event has one or more of them. */
enum {
    NAME_APPEARED = 1,    /* created, linked, or moved there */
    NAME_DISAPPEARED = 2, /* removed, or moved away */
    NAME_CHANGED = 4,     /* the content of the file that it means */
};

/* A directory that is or was watched; its number is that of inotify. */
struct watch {
    char *path;    /* where it was last seen, relative to the root; NULL: no such number */
    uint32_t node; /* of the snapshot, or FF_NO_NODE: it is new, and has the next two */
    int parent;    /* the number of the directory that it was found in, */
    char *name;    /* and under which name */
};

struct name_event {
    int watch;
    unsigned what;
    char *name;
};

struct names {
    int inotify;
    struct recording *recording; /* for recording_unobserved() */
    struct watch *watches;       /* by number */
    size_t watch_limit, watch_capacity;
    struct name_event *events; /* each name once */
    size_t event_count, event_capacity;
    size_t *slots; /* hash table: 0, or an index into events plus 1 */
    size_t slot_count;
};

/*
 * Watches the directory and all that are below it, which must be as in the
 * recording's snapshot. What cannot be watched is noted as unobserved.
 */
void names_watch(struct names *names, struct recording *recording);

/* Takes in what was reported until now, and watches directories that are new. */
void names_read(struct names *names);

/* "recording unsound: ..." when a name was reported that the trace does not have. */
int names_check(const struct names *names, const struct ff_trace *trace, struct ff_error *error);

void names_close(struct names *names);

#endif

/*
 * System calls, by what they look at and change in the directory under test (x86-64).
 * What stands in none of the tables counts as looking at everything, and as a change.
 */
#ifndef CRASHMATRIX_WATCH_CALLS_H
#define CRASHMATRIX_WATCH_CALLS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* What a call looks at, besides the names on its way. */
enum cm_look {
    CM_LOOK_NAME,        /* nothing */
    CM_LOOK_STATUS,      /* the status of what the path leads to */
    CM_LOOK_OPEN,        /* what can be told once it is open, but for its content */
    CM_LOOK_LIST,        /* the names in a directory */
    CM_LOOK_FILE_SYSTEM, /* how full it is */
    CM_LOOK_EXECUTE,     /* all of it, and what is needed to run it */
};

#define CM_NO_ARGUMENT (-1)

/* A call that takes a path has a row for each. */
struct cm_looking {
    short number;
    /* Arguments: a directory's descriptor, and a path; no path: what the descriptor is. */
    signed char directory, path;
    unsigned char look;
    bool changes; /* it may; of open and openat their flags say it */
};
extern const struct cm_looking cm_looking[];
extern const size_t cm_looking_count;

struct seccomp_notif;

bool cm_is_among(const short *numbers, size_t count, int number);

/* Also of what the call may lead to: writing to a file that it opens. By its registers. */
bool cm_may_change(const struct cm_looking *looking, const __u64 *arguments);

/* Whether it acts on what a link leads to, not on the link; also if its flags may say so. */
bool cm_follows(const struct cm_looking *looking);

/*
 * What it may change of what has a name, or may get one: what has none, others cannot find.
 * (Of openat2() another task may change the flags meanwhile.)
 */
enum cm_change {
    CM_CHANGES_NOTHING,
    CM_CHANGES, /* what is there */
    CM_CREATES, /* also if nothing is there */
};
enum cm_change cm_change_of(const struct cm_looking *looking, const struct seccomp_notif *call);

/* What a call reads of the file of a descriptor. */
enum cm_read {
    CM_READ_HERE, /* as many bytes as there is room for, from the position on */
    CM_READ_AT,   /* from an offset on */
    CM_READ_ALL,  /* it is not known how much */
};

struct cm_reading {
    short number;
    unsigned char descriptor; /* argument */
    unsigned char read;
    bool vector; /* the room is an array of struct iovec, else a size */
};
extern const struct cm_reading cm_reading[];
extern const size_t cm_reading_count;

/* Those that may change what a descriptor leads to, though it is not open for writing. */
extern const short cm_changing[];
extern const size_t cm_changing_count;

/* Those that start tasks. */
extern const short cm_starting[];
extern const size_t cm_starting_count;

/*
 * Calls that tell nothing of the directory under test which was not looked at when a
 * descriptor was opened, and change nothing without one that is open for writing.
 * (What comes through a socket comes from a process that was watched when it opened
 * what it sends, unless the socket was connected, which is not harmless.)
 */
extern const unsigned short cm_harmless[];
extern const size_t cm_harmless_count;

/*
 * Of the calls in no table, which count as looking at everything: those that reach nothing
 * outside the scratch directory which was not opened by its name.
 */
extern const unsigned short cm_confined[];
extern const size_t cm_confined_count;

/* An open of that kind may change something, or let it be changed later. */
#define CM_OPEN_CHANGES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

#endif

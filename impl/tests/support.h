/* What the tests of libmanifest share: a scratch directory, files in it, and a
 * platform table that fails on demand. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <manifest/manifest.h>

/* A new, empty directory below $TMPDIR, /dev/shm or /tmp; freed and removed with what is
 * in it by scratch_remove. Ends the process when it cannot be made. */
char *scratch_new(void);
void scratch_remove(char *path);

/* directory + "/" + name, in one of a few static buffers. */
const char *path_of(const char *directory, const char *name);

void file_write(const char *path, const void *data, size_t size);
void file_write_text(const char *path, const char *text);
bool file_exists(const char *path);

/* The whole file, allocated, with a NUL behind it. */
char *file_read(const char *path, size_t *size);

/* The words of a log that change or sync something, in order, in a static buffer; the
 * log is used up. */
const char *changes_of(char *log);

/*
 * POSIX, with faults. Calls are counted from 1; close is counted but never
 * fails, and syncs are not performed, since no test here cuts the power.
 */
struct faulty {
    struct mf_platform table; /* give this to the library */
    unsigned calls;
    unsigned fail_at;    /* 0: never */
    int error;           /* a positive errno */
    bool after;          /* the call is performed and then reported as failed */
    bool dead;           /* every call from fail_at on fails, as for a killed process */
    size_t max_transfer; /* bytes per read or write; 0: no limit */
    /* A name that cannot be opened to be read: EIO, as vfat answers for a file whose size
     * became durable before its blocks. NULL: none. */
    const char *unreadable;
    int open_handles;
    const char *failed; /* the call that failed first; NULL: none did */
    char log[8192];     /* the calls in order, each followed by a space; without close */
};

void faulty_init(struct faulty *faulty);

/* Arms it for a new run: counts from 1 again. */
void faulty_arm(struct faulty *faulty, unsigned fail_at, int error);

/* Options for the library on that platform. */
struct mf_options faulty_options(struct faulty *faulty, bool writable);

#endif

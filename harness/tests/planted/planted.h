/*
 * Planted bugs: for each class of missing or misplaced sync, a program that has
 * the bug, its twin that does not, and a check for both.
 *
 * Each bug is a file of its own with one struct planted_bug. All that a twin
 * relies on is what the model `posix` grants: a name, a size, and a page of 4096
 * bytes each persist at once; different ones in any order; fsync(2) makes a
 * file's pages and size durable, or the names in a directory, and nothing else.
 *
 * Everything is done with system calls, since output through C stdio passes the
 * recorder by. Any unexpected failure ends the program with a message.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A reason that the check must give for the bug, and the beginning of the
 * report's text of an operation without whose loss it cannot arise. */
struct planted_expectation {
    const char *reason;
    const char *lost;
};

struct planted_bug {
    const char *crash; /* the crash that it stands for, in one sentence */
    void (*setup)(void);
    void (*workload)(bool correct);
    void (*check)(void);
    struct planted_expectation expected[4]; /* ended by a row of NULL */
};

/* X(identifier), the name on the command line with '-' for '_' */
#define PLANTED_BUGS(X)                                                                            \
    X(data_not_synced)                                                                             \
    X(temp_not_synced)                                                                             \
    X(rename_before_sync)                                                                          \
    X(directory_not_synced)                                                                        \
    X(overwrite_in_place)                                                                          \
    X(acknowledged_too_early)                                                                      \
    X(old_removed_too_early)                                                                       \
    X(append_without_sync)                                                                         \
    X(subdirectory_not_synced)

#define X(identifier) extern const struct planted_bug planted_##identifier;
PLANTED_BUGS(X)
#undef X

/* Ends the program with status 2 and a message about errno. */
_Noreturn void fail(const char *what);

/* ---- For set-ups and workloads ---- */

/* A new file, open for writing. */
int file_create(const char *path);

/* A file that exists, open for writing. */
int file_open(const char *path);

void file_write(int file, const char *bytes, size_t size);
void file_sync(int file);
void file_close(int file);
void directory_sync(const char *path);
void name_move(const char *from, const char *to);

/* A whole file, for a set-up. */
void file_put(const char *path, const char *bytes, size_t size);

/* The workload's word to the world. */
void acknowledge(void);

/* ---- For checks ---- */

/* Whether acknowledge() had been called before the power cut. */
bool acknowledged(void);

/* Reads at most size bytes. Returns their number, or -1 if there is no such
 * file. */
ssize_t file_get(const char *path, char *bytes, size_t size);

/* Whether the file is there and is exactly these bytes. */
bool file_holds(const char *path, const char *bytes, size_t size);

/* End the check. */
_Noreturn void accept(const char *label);
_Noreturn void reject(const char *reason);

#endif

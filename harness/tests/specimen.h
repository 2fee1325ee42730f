/*
 * What the test programs that are recorded and checked share.
 *
 * Everything is done with system calls, so that a line is a call of the matrix.
 * Any unexpected failure ends the program with a message.
 */
#ifndef SPECIMEN_H
#define SPECIMEN_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Whether acknowledge() had been called before the power cut, and how often. */
bool acknowledged(void);
size_t acknowledgements(void);

/* Reads at most size bytes. Returns their number, or -1 if there is no such
 * file, or none that can be read. */
ssize_t file_get(const char *path, char *bytes, size_t size);

/* Whether the file is there and is exactly these bytes. */
bool file_holds(const char *path, const char *bytes, size_t size);

/* End the check. */
_Noreturn void accept(const char *label);
_Noreturn void reject(const char *reason);

#endif

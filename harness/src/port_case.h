/*
 * What `crashmatrix port` has a port do: the operations whose power is cut, and the
 * files that it commits.
 *
 * Version 1 is empty. Each later one that is committed gets the files of cm_port_files;
 * one that is shared is committed with version 2 and stays.
 */
#ifndef CRASHMATRIX_PORT_CASE_H
#define CRASHMATRIX_PORT_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CM_PORT_PATH        "db"
#define CM_PORT_BACKUP_PATH "backup"
#define CM_PORT_SIZE_MAX    1024u
#define CM_PORT_KEEP        2u          /* versions that a clean-up leaves */
#define CM_PORT_SAVED       2u          /* the version that is gone back to */
#define CM_PORT_FOREIGN     "notes.txt" /* in the database, and nobody's */

/* What an operation needs of a file system, where the commit point is `rename`. */
enum cm_port_need {
    CM_PORT_NEEDS_REPLACING, /* a rename over a name is one step, and leaves the whole file */
    CM_PORT_NEEDS_RENAME,    /* and so is the removal of the old name */
};

/*
 * X(identifier, name, operation of the adapter, version that the set-up leaves, need, what)
 */
#define CM_PORT_CASES(X)                                                                           \
    X(INIT, "init", "init", 0, REPLACING, "a database is created")                                 \
    X(COMMIT, "commit", "commit-files", 1, REPLACING, "files are committed to an empty one")       \
    X(SECOND, "second-commit", "commit-files", 2, REPLACING,                                       \
      "two further versions are committed, one after the other")                                   \
    X(OPEN, "open", "write", 2, REPLACING, "what a killed writer left in memory is taken over")    \
    X(CLEANUP, "cleanup", "cleanup", 5, RENAME, "old versions are removed")                        \
    X(SWEEP, "sweep", "sweep", 3, REPLACING, "leftovers are removed")                              \
    X(RECOVER, "recover", "recover", 3, REPLACING, "a corrupt database is recovered by hand")      \
    X(BACKUP, "backup", "backup", 3, REPLACING, "two versions are backed up")                      \
    X(RESTORE, "restore", "restore", 3, REPLACING, "a version is restored from a backup")

enum cm_port_case_id {
#define X(id, name, operation, base, need, what) CM_PORT_##id,
    CM_PORT_CASES(X)
#undef X
        CM_PORT_CASE_COUNT,
};

struct cm_port_case {
    const char *name;
    const char *operation;
    uint64_t base;
    enum cm_port_need need;
    const char *what;
};
extern const struct cm_port_case cm_port_cases[CM_PORT_CASE_COUNT];

/* CM_PORT_CASE_COUNT when there is none of that name. */
enum cm_port_case_id cm_port_case_find(const char *name);

struct cm_port_file {
    const char *kind, *key;
    size_t size;
    bool shared;
};
enum { CM_PORT_FILE_COUNT = 3 };
extern const struct cm_port_file cm_port_files[CM_PORT_FILE_COUNT];

/* The content of a file in a version. Returns its size. */
size_t cm_port_content(uint64_t version, unsigned index, unsigned char data[CM_PORT_SIZE_MAX]);

/* What --accept knows besides, and the names that --only knows. */
void cm_print_port_help(FILE *stream);

#endif

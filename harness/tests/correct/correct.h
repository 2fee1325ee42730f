/*
 * Programs that are right: each relies on promises that file systems make, and on
 * no others. Which, is in the table `programs`; which model makes which promise,
 * in the table `models`.
 *
 * A workload in another language has its set-up and its check here.
 */
#ifndef CORRECT_H
#define CORRECT_H

#include <stdint.h>

#include "../specimen.h"

enum { PAGE_SIZE = 4096 };

struct correct_program {
    void (*setup)(void);
    void (*workload)(void); /* NULL: in another language */
    void (*recover)(void);  /* or NULL */
    void (*check)(void);
};

/* X(identifier), the name on the command line with '-' for '_' */
#define CORRECT_PROGRAMS(X)                                                                        \
    /* in_place.c */                                                                               \
    X(two_slots)                                                                                   \
    X(slots_in_one_file)                                                                           \
    X(double_write)                                                                                \
    X(undo_journal)                                                                                \
    X(redo_log)                                                                                    \
    X(mapped)                                                                                      \
    /* logs.c */                                                                                   \
    X(log_recovered)                                                                               \
    X(log_dsync)                                                                                   \
    X(log_rwf_dsync)                                                                               \
    X(log_range_hint)                                                                              \
    X(log_preallocated)                                                                            \
    X(log_threads)                                                                                 \
    X(log_shell)                                                                                   \
    X(log_cxx)                                                                                     \
    /* names.c */                                                                                  \
    X(replace)                                                                                     \
    X(replace_shell)                                                                               \
    X(replace_python)                                                                              \
    X(replace_across)                                                                              \
    X(exchange)                                                                                    \
    X(symlink_swap)                                                                                \
    X(segments)                                                                                    \
    X(unnamed_then_linked)                                                                         \
    X(lock)                                                                                        \
    X(new_directory)                                                                               \
    X(synced_as_a_whole)                                                                           \
    /* relied.c */                                                                                 \
    X(call_is_durable)                                                                             \
    X(page_in_place)                                                                               \
    X(pages_in_place)                                                                              \
    X(append_unsummed)                                                                             \
    X(append_fresh)                                                                                \
    X(writes_in_order)                                                                             \
    X(rename_unsynced)                                                                             \
    X(rename_bare)                                                                                 \
    X(names_in_order)                                                                              \
    X(fsync_commits_names)                                                                         \
    X(fsync_names_file)                                                                            \
    X(fsync_names_parents)                                                                         \
    X(fsync_displaces)

#define X(identifier) extern const struct correct_program correct_##identifier;
CORRECT_PROGRAMS(X)
#undef X

/* ---- Records: a generation and text that tells it, with a checksum ---- */

enum { RECORD_SIZE = 1024 }; /* two sectors: it can tear */

struct record {
    uint32_t sum; /* of what follows */
    uint32_t generation;
    char text[RECORD_SIZE - 8];
};

struct record record_make(uint32_t generation);

/* Writes the record of a generation, or reads one; the generation, or 0 if what is
 * there is no whole record. */
void record_write(int file, off_t offset, uint32_t generation);
uint32_t record_read(const char *path, off_t offset);

#endif

/*
 * Progress files: what an exploration has decided under one model and what still waits, so
 * that it can be continued by another process, or merged with other shards.
 *
 *     cm_progress_write(path, &progress, ledger, &more, &error);
 *
 *     struct cm_progress_file progress;
 *     if (cm_progress_open(path, &progress, &error) == 0 &&
 *         progress.traits are what they must be &&
 *         cm_progress_load(&progress, ledger, &error) == 0)
 *         use the ledger;
 *     cm_progress_close(&progress);
 *
 * The reader accepts only files that are whole and consistent, and survives any bytes. The
 * writer replaces the file as a whole: after a crash there is the old one or the new one.
 *
 * FORMAT, version 2. Integers are little-endian, without padding between them. `string` is
 * a u64 size, that many bytes, none of them zero, and one zero byte. `set` is as many u64 as
 * the order of the model has words: bit i of word w is operation 64*w + i.
 *
 *     u8[8]   "cmprogr\n"
 *     u32     version, 2
 *     u32     ending: 0 not ended, 1 budget used up, 2 complete
 *     u64     trait_count
 *     trait_count times:
 *         string key, string value
 *     u64     foreign: runs of shared jobs whose leaves belong to other shards
 *     u64     agreement: a sum of hashes of what the runs of shared jobs gave
 *     u64     audit_runs
 *     u64     audit_mismatches
 *     string  audit_text
 *     u64     mark_count: of what runs depended on besides the state (marks.h)
 *     mark_count times:
 *         u32 kind (enum cm_dependence_kind), string what
 *     u64     outcome_count
 *     outcome_count times:
 *         u32 status (enum cm_status), string text
 *     u64     leaf_count
 *     leaf_count times:
 *         u32 first_output, u32 last_output, u32 outcome, u32 spread, u32 counts,
 *         set included, set excluded
 *     u64     job_count
 *     job_count times:
 *         u32 output, u32 owner, u32 spread, u32 counts, set included, set excluded
 *     u64     checksum: XXH3-64 of all bytes before it
 *
 * Traits are what the exploration depends on, as keys and values in a fixed order: versions,
 * digests, options. Two files with the same traits belong to the same exploration; but for
 * the trait "shard", to shards of one.
 */
#ifndef CRASHMATRIX_PROGRESS_H
#define CRASHMATRIX_PROGRESS_H

#include "ledger.h"

enum cm_ending { CM_NOT_ENDED, CM_BUDGET_USED_UP, CM_COMPLETE };

struct cm_traits {
    struct cm_trait *items; /* the strings are malloc'ed, too */
    size_t count, capacity;
};

/* The value is copied. */
void cm_traits_add(struct cm_traits *traits, const char *key, const char *value);
void cm_traits_free(struct cm_traits *traits);

/* NULL when there is none. */
const char *cm_traits_get(const struct cm_traits *traits, const char *key);

/*
 * Returns 0 when both are the same, else -1, and *error says which differs, in a file of that
 * name. shards: but for which shard it is, and for the digest of the check's program.
 */
int cm_traits_compare(const struct cm_traits *expected, const struct cm_traits *found, bool shards,
                      const char *path, struct ff_error *error);

struct cm_progress_file {
    char *path;
    struct cm_traits traits;
    enum cm_ending ending;
    uint64_t audit_runs, audit_mismatches;
    char *audit_text; /* malloc'ed, "" if there is none */
    unsigned char *bytes;
    size_t size, body; /* of the file, and where the rest begins */
};

/* Returns 0, or -1 with *error set; *progress is to be closed in any case. */
int cm_progress_open(const char *path, struct cm_progress_file *progress, struct ff_error *error);

/* The same of bytes, which are copied; path is for messages. */
int cm_progress_parse(const char *path, const void *bytes, size_t size,
                      struct cm_progress_file *progress, struct ff_error *error);
void cm_progress_close(struct cm_progress_file *progress);

/*
 * Adds the leaves and jobs of an open file to a ledger, counts its ideals, and fills in what
 * is known of the audit. Returns 0, or -1 with *error set: then the ledger holds a part.
 */
int cm_progress_load(struct cm_progress_file *progress, struct cm_ledger *ledger,
                     struct ff_error *error);

/* more: jobs that wait and are not in the ledger, or NULL. Returns 0, or -1 with *error set. */
int cm_progress_write(const char *path, const struct cm_progress_file *progress,
                      const struct cm_ledger *ledger, const struct cm_records *more,
                      struct ff_error *error);

/* The same into memory: malloc'ed bytes. */
unsigned char *cm_progress_encode(const struct cm_progress_file *progress,
                                  const struct cm_ledger *ledger, const struct cm_records *more,
                                  size_t *size);

#endif

/*
 * The versions of a database before the current one: list, compare, go back to
 * and remove them; what cut work left behind; recovery by hand.
 *
 * Each commit leaves MANIFEST-NNNNNN: six decimal digits, more when needed, in
 * that one spelling. A version is kept as long as this manifest is there and not
 * newer than the current one. One that is newer was never acknowledged, because
 * the number of the current version never decreases.
 *
 *     struct mf_versions versions;
 *     if (mf_history_versions(db, &versions, &error) == MF_OK) {
 *         ... versions.numbers[0] is the oldest, the last one the current ...
 *         mf_versions_clear(&versions);
 *     }
 *     mf_history_clean(db, 10, NULL, &error);
 *
 * Errors are as in manifest.h. What removes something needs a handle that is open
 * for writing (else MF_READ_ONLY) and has no open transaction (else MF_INVALID),
 * and never touches a file that the current or another kept version names. After
 * a failure or a cut the current version and all versions that were to be kept
 * are whole; doing it again goes on where it stopped.
 *
 * To go back, mf_transaction_load makes a new version of an old one's content.
 */
#ifndef MANIFEST_HISTORY_H
#define MANIFEST_HISTORY_H

#include <manifest/manifest.h>

/*
 * Versions
 */

struct mf_versions {
    uint64_t *numbers; /* ascending */
    size_t count;
};

/* Lists the kept versions, the current one included (even if its kept copy is
 * missing). Their manifests are not read, but with slots the MANIFEST-*.removed are:
 * mf_history_clean says why. The caller clears the list. MF_IO,
 * MF_NO_MEMORY. */
enum mf_code mf_history_versions(struct mf_database *database, struct mf_versions *versions,
                                 struct mf_error *error);

/* Frees the list and leaves it empty. An empty one is fine. */
void mf_versions_clear(struct mf_versions *versions);

/*
 * Makes the version in the making one with the content of a kept version instead
 * of the current one, whatever was changed before; files that the transaction
 * itself wrote are removed. All files of that version are verified. After a
 * failure the transaction is as it was before. MF_NO_VERSION; MF_CORRUPT when
 * that version is not whole.
 */
enum mf_code mf_transaction_load(struct mf_transaction *transaction, uint64_t version,
                                 struct mf_error *error);

/*
 * Comparing
 */

/* Sorted by name, as bytes. The files belong to the two manifests. */
struct mf_diff {
    const struct mf_file **added; /* named by the second manifest only */
    size_t added_count;
    const struct mf_file **removed; /* named by the first one only */
    size_t removed_count;
};

/*
 * Compares what two manifests name. A file is the same when its name is and, where
 * both record them, size and CRC32C are; under which kind and key it is named does
 * not count. The caller clears the result, before the manifests. MF_NO_MEMORY.
 */
enum mf_code mf_manifest_diff(const struct mf_manifest *from, const struct mf_manifest *to,
                              struct mf_diff *diff, struct mf_error *error);

void mf_diff_clear(struct mf_diff *diff);

/*
 * Removing
 */

/* What was removed: things that were there. */
struct mf_removed {
    size_t manifests; /* versions, committed or not */
    size_t files;     /* data files and temporaries */
    uint64_t bytes;   /* of both, manifests included */
};

/*
 * Removes all but the newest `keep` versions (at least 1: the current one counts),
 * and the files that only they name.
 *
 * In this order, with MF_COMMIT_RENAME: MANIFEST-k of each such version is renamed to
 * MANIFEST-k.removed, from which on it is not kept any more; the directory is
 * synced, so that no version is left whose files are gone; then the files are
 * removed that a MANIFEST-*.removed names and no kept version does; the directory
 * is synced; then the MANIFEST-*.removed are removed, and the directory is synced.
 * A cut leaves MANIFEST-*.removed, and so the next clean-up knows what to do.
 *
 * With MF_COMMIT_SLOTS no rename is relied on: MANIFEST-k.removed is written as a copy
 * and synced, then the directory; from the moment on in which it is valid the version
 * is not kept any more. Then MANIFEST-k is removed and the directory synced; the
 * rest is as above. A copy that a cut has left unfinished says nothing.
 *
 * *removed (may be NULL) is set whatever is returned. MF_CORRUPT when the manifest
 * of a version that is to be kept cannot be read: nobody knows which files it
 * needs, and nothing was changed. MF_INVALID when keep is 0. MF_IO; after a failed
 * sync the handle takes no further commit.
 */
enum mf_code mf_history_clean(struct mf_database *database, size_t keep, struct mf_removed *removed,
                              struct mf_error *error);

/*
 * What is in the directory and belongs to no version: X(name, may be removed,
 * sentence).
 */
#define MF_ORPHANS(X)                                                                              \
    X(TEMPORARY, true, "a temporary file of a commit that was cut short")                          \
    X(UNCOMMITTED, true, "a manifest of a version that was never committed")                       \
    X(REMOVED, true, "the manifest of a version whose removal was cut short")                      \
    X(UNREFERENCED, true, "a data file of this library that no kept version names")                \
    X(FOREIGN, false, "not made by this library, and no kept version names it")

enum mf_orphan_kind {
#define X(name, removable, sentence) MF_ORPHAN_##name,
    MF_ORPHANS(X)
#undef X
};

struct mf_orphan {
    enum mf_orphan_kind kind;
    bool removable;    /* mf_orphans_remove removes it */
    const char *name;  /* raw bytes, not always UTF-8 */
    enum mf_type type; /* of the name itself: links are not followed */
    uint64_t size;     /* bytes, of a regular file */
};

/* "TEMPORARY"; "?" for a value that is no kind. Static. */
const char *mf_orphan_name(enum mf_orphan_kind kind);

/* The sentence of the list above. Static. */
const char *mf_orphan_sentence(enum mf_orphan_kind kind);

/*
 * Calls visit for each orphan, sorted by name. Without the writer's lock some of
 * them may be what a writer is just working on.
 *
 * UNREFERENCED: a regular file that has a name as mf_transaction_add gives it
 * (KIND-NNNNNN, KIND-KEY-NNNNNN, with or without -ATTEMPT), or that a
 * MANIFEST-*.removed names. Any other name is FOREIGN, also a directory or a link
 * with such a name. MANIFEST-LOCK is no orphan.
 *
 * MF_CORRUPT when the manifest of a kept version cannot be read: nothing can be
 * said then. MF_IO, MF_NO_MEMORY.
 */
enum mf_code mf_orphans_list(struct mf_database *database,
                             void (*visit)(void *argument, const struct mf_orphan *orphan),
                             void *argument, struct mf_error *error);

/*
 * Removes all orphans that may be removed, UNREFERENCED ones before the
 * MANIFEST-*.removed that name them, and makes that durable. The caller must not
 * have files in the directory that have such names and are still to be adopted.
 * *removed (may be NULL) is set whatever is returned. Errors as mf_history_clean.
 */
enum mf_code mf_orphans_remove(struct mf_database *database, struct mf_removed *removed,
                               struct mf_error *error);

/*
 * Recovery by hand
 */

/*
 * Makes a version the current one in a database that does not open because it is
 * corrupt. MANIFEST-version must be valid and all its files verify. What becomes
 * current has its content and a new number: 1 + the highest that is found anywhere
 * (MANIFEST-*, MANIFEST-CURRENT, slots). A MANIFEST-k that is no manifest would stop every
 * clean-up: those above the highest that is one become MANIFEST-k.damaged (-1, ... if that is
 * taken), which nothing touches, ever. No bytes are lost. The three outcomes of
 * mf_transaction_commit; *recovered (may be NULL) is the new number.
 *
 * MF_INVALID when the database is not corrupt: mf_transaction_load goes back.
 * MF_NO_DATABASE, MF_NO_VERSION, MF_CORRUPT (that version is not whole either, or
 * there are slots and a MANIFEST-CURRENT, or a slot is no regular file: one must be moved
 * away by hand),
 * MF_LOCKED, MF_IO.
 */
enum mf_code mf_database_recover(const char *path, const struct mf_options *options,
                                 uint64_t version, uint64_t *recovered, struct mf_error *error);

#endif

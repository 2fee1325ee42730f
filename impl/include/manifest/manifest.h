/*
 * libmanifest: several files of a database replaced as one, even by a power cut.
 *
 * A database is a directory. Each version of it is a set of data files and a
 * manifest that names them; MANIFEST-CURRENT is the manifest of the version in
 * force. A commit writes new data files and a new manifest, makes them durable,
 * and then switches with one rename. Whenever the power fails, the next open
 * finds the whole version before or the whole new one. Where a rename is not one
 * step the switch is the overwriting of one of two records instead (slot.h).
 *
 * Besides this header: history.h for versions before the current one, leftovers
 * and recovery by hand, backup.h for copies of a database elsewhere.
 *
 *     mf_database_init("db", NULL, &error);
 *
 *     struct mf_options options = {.writable = true, .lock_timeout_ms = 5000};
 *     struct mf_database *db;
 *     if (mf_database_open("db", &options, &db, &error) == MF_OK) {
 *         struct mf_transaction *t;
 *         if (mf_transaction_begin(db, &t, &error) == MF_OK) {
 *             if (mf_transaction_add(t, MF_KIND_LSM, "", rows, rows_size, &error) == MF_OK &&
 *                 mf_transaction_add(t, MF_KIND_TEXT, "title", index, index_size, &error) == MF_OK)
 *                 code = mf_transaction_commit(t, &version, &error);
 *             else
 *                 mf_transaction_abort(t);
 *         }
 *         mf_database_close(db);
 *     }
 *
 * Errors. Each function returns MF_OK or a code whose sentence (error.h) says
 * in which state the directory is. mf_transaction_commit and mf_database_init
 * have three outcomes: MF_OK, committed and durable; MF_UNKNOWN, a power cut may
 * leave either version and nothing was deleted; anything else, not committed.
 * Nothing is retried after a failed sync, because the kernel may have dropped
 * the data and marked it clean (Rebello et al., "Can Applications Recover from
 * fsync Failures?", USENIX ATC 2020): such a handle takes no further commit until
 * the database is opened again.
 *
 * A handle, and a transaction of it, is for one thread at a time. Different
 * handles are independent: the library has no state outside them. All calls to
 * the outside go through a struct mf_platform (platform.h).
 */
#ifndef MANIFEST_MANIFEST_H
#define MANIFEST_MANIFEST_H

#include <manifest/document.h>
#include <manifest/error.h>
#include <manifest/json.h>
#include <manifest/platform.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mf_database;
struct mf_transaction;

/* How a database switches to its next version: X(name, word). */
#define MF_COMMIT_POINTS(X)                                                                        \
    X(AUTOMATIC, "automatic") /* of a new database: what the platform says it needs */             \
    X(RENAME, "rename")       /* a temporary becomes MANIFEST-CURRENT */                           \
    X(SLOTS, "slots")         /* MANIFEST-SLOT-A and -B in turn: slot.h */

enum mf_commit_point {
#define X(name, word) MF_COMMIT_##name,
    MF_COMMIT_POINTS(X)
#undef X
};

/* "rename"; "?" for a value that is no commit point. Static. */
const char *mf_commit_point_word(enum mf_commit_point point);

/* Zero is the default everywhere; NULL where a pointer is taken is all zero. */
struct mf_options {
    const struct mf_platform *platform; /* NULL: mf_platform_posix(); must outlive the handle */
    bool writable;                      /* take the writer's lock and recover */
    uint32_t lock_timeout_ms;           /* how long to wait for another writer */
    bool sizes_only;                    /* verify types and sizes of data files, do not read them */
    struct mf_read_options read;        /* limits; whether unsealed manifests are accepted */
    enum mf_commit_point commit_point;  /* of a database that is created; else not looked at */
};

/*
 * Creates a database: makes the directory (not its parents) if it is missing,
 * makes its name durable, and commits version 1, which names no file. An
 * existing directory may hold other files; they are left alone. What an init
 * that was cut short left behind is removed.
 *
 * MF_EXISTS if there is a database, MF_CORRUPT if there are manifests but no
 * current one, MF_LOCKED if a writer is at work. After any failure but these
 * the directory may exist; init can be called again.
 */
enum mf_code mf_database_init(const char *path, const struct mf_options *options,
                              struct mf_error *error);

/*
 * Opens a database and verifies its current version whole: the manifest, its
 * kept copy, and type, size and CRC32C of each file.
 *
 * With options->writable it takes the lock, then publishes the current version
 * again, because what a killed predecessor renamed may be in memory only; after
 * MF_OK that version is durable (an unsealed one only from the next commit on:
 * nobody knows whether its files were ever synced). If the kept copy of the
 * manifest is missing it is written again. A power cut at any moment of this
 * leaves the same version.
 *
 * Otherwise nothing is written and no lock taken, and a power cut may still
 * bring back the version before (mf_database_durable says which). Beside a writer
 * that replaces and removes the version while it is read, this looks again.
 *
 * *database is set on MF_OK only. MF_NO_DATABASE (also when the directory is
 * missing), MF_CORRUPT (the message names the first fault; mf_database_verify
 * lists all), MF_LOCKED (of reading: a writer was faster each of several times),
 * MF_IO, MF_UNKNOWN (publishing failed; the version that
 * was found is whole).
 */
enum mf_code mf_database_open(const char *path, const struct mf_options *options,
                              struct mf_database **database, struct mf_error *error);

/* Closes and frees the handle; aborts its transaction if one is open. NULL is fine. */
void mf_database_close(struct mf_database *database);

/* The version that this handle opened or last committed. It belongs to the
 * handle and is valid until the next commit or close. After MF_UNKNOWN it is
 * the version before. */
const struct mf_manifest *mf_database_current(const struct mf_database *database);

/* Whether the current version is known to survive a power cut. */
bool mf_database_durable(const struct mf_database *database);

/* Whether the kept copy of the current manifest was missing when the database
 * was opened (a handle open for writing has written it again). */
bool mf_database_copy_was_missing(const struct mf_database *database);

/* MF_COMMIT_RENAME or MF_COMMIT_SLOTS. It is chosen when the database is made. */
enum mf_commit_point mf_database_commit_point(const struct mf_database *database);

/* Of a database with slots: whether one of them was not valid when it was opened.
 * A commit that was cut short leaves that, and so does rot of the record of a
 * later version: the two look alike. A handle open for writing has written the
 * slot again. */
bool mf_database_fell_back(const struct mf_database *database);

/*
 * Reads the manifest of a kept version, which the caller clears. Its files are
 * not looked at. MF_NO_VERSION when it is not kept, or newer than the current
 * one and thus never committed; MF_CORRUPT when it does not parse or says
 * another version than its name.
 */
enum mf_code mf_database_read_version(struct mf_database *database, uint64_t version,
                                      struct mf_manifest *manifest, struct mf_error *error);

/*
 * Reads one file of a manifest into memory and verifies it. *data is allocated
 * with malloc, never NULL on MF_OK, and freed by the caller. MF_CORRUPT when it
 * is missing, not a regular file, or differs from its record; MF_NO_VERSION when
 * the handle holds no lock and a writer has removed the version that had it.
 */
enum mf_code mf_database_read_file(struct mf_database *database, const struct mf_file *file,
                                   void **data, size_t *size, struct mf_error *error);

/*
 * What mf_database_verify can find: X(name, is a fault, sentence). Without a
 * fault the database opens; the rest is said for information.
 */
#define MF_FINDINGS(X)                                                                             \
    X(CURRENT_INVALID, true, "the current manifest is not valid")                                  \
    X(COPY_DIFFERS, true, "the kept copy differs from the current manifest")                       \
    X(NO_CURRENT, true, "there are manifests but no current one")                                  \
    X(NO_SLOT, true, "there are manifests but no valid slot")                                      \
    X(SLOTS_CONTRADICT, true, "the two slots contradict each other")                               \
    X(SLOT_NOT_REGULAR, true, "a slot is not a regular file")                                      \
    X(TWO_COMMIT_POINTS, true,                                                                     \
      "there are slots and a MANIFEST-CURRENT; only one of them can be "                           \
      "what counts")                                                                               \
    X(SLOT_DISAGREES, true, "the manifest that the slot names is missing or another one")          \
    X(FILE_MISSING, true, "a file of the current version is missing")                              \
    X(FILE_NOT_REGULAR, true, "a file of the current version is not a regular file")               \
    X(FILE_SIZE, true, "a file of the current version has another size than recorded")             \
    X(FILE_CONTENT, true, "a file of the current version has another CRC32C than recorded")        \
    X(COPY_MISSING, false,                                                                         \
      "the kept copy of the current manifest is missing; the next open for "                       \
      "writing writes it again")                                                                   \
    X(SLOT_INVALID, false,                                                                         \
      "a slot is not valid: a commit was cut short, or the record of a later version has rotted; " \
      "the next open for writing writes it again")                                                 \
    X(REMOVED, false,                                                                              \
      "a version that is being removed, or whose removal was cut short; the next clean-up goes "   \
      "on with it")                                                                                \
    X(UNCOMMITTED, false,                                                                          \
      "a manifest newer than the current one: being committed, or left by a "                      \
      "commit that was cut short; the next transaction removes it")                                \
    X(TEMPORARY, false,                                                                            \
      "a temporary file: in use, or left by a commit that was cut short; the "                     \
      "next transaction removes it")

enum mf_finding_kind {
#define X(name, fault, sentence) MF_FINDING_##name,
    MF_FINDINGS(X)
#undef X
};

struct mf_finding {
    enum mf_finding_kind kind;
    bool fault;
    const char *name;   /* the file in question, raw bytes */
    const char *detail; /* one printable line */
};

/* "FILE_MISSING"; "?" for a value that is no finding. Static. */
const char *mf_finding_name(enum mf_finding_kind kind);

/* The sentence of the list above. Static. */
const char *mf_finding_sentence(enum mf_finding_kind kind);

/*
 * Verifies the current version of a database whole without changing or locking
 * anything, and calls visit (may be NULL) for each finding. MF_OK when there is
 * no fault, MF_CORRUPT when there is one (the message is the first), else as
 * mf_database_open. *version (may be NULL) is set when the current manifest is
 * valid.
 */
enum mf_code mf_database_verify(const char *path, const struct mf_options *options,
                                void (*visit)(void *argument, const struct mf_finding *finding),
                                void *argument, uint64_t *version, struct mf_error *error);

/*
 * Begins the next version, as a copy of the current one. One transaction per
 * handle at a time. The first one of a handle also removes what commits that
 * were cut short left behind: temporary files, and manifests newer than the
 * current one. Data files are never removed by this.
 *
 * MF_READ_ONLY for a handle that was opened for reading or that a failure has
 * closed for writing; MF_INVALID when a transaction is open already.
 */
enum mf_code mf_transaction_begin(struct mf_database *database, struct mf_transaction **transaction,
                                  struct mf_error *error);

/* The number that the new version gets: greater than every number used before. */
uint64_t mf_transaction_version(const struct mf_transaction *transaction);

/*
 * Writes a new file with these bytes and makes it the one of that kind and key.
 * The library chooses a name that is not in use, such as vector-title-000007.
 * After a failure the transaction is as it was before the call.
 */
enum mf_code mf_transaction_add(struct mf_transaction *transaction, enum mf_kind kind,
                                const char *key, const void *data, size_t size,
                                struct mf_error *error);

/* Gives up to size bytes: the count, 0 at the end, or a negative errno. */
typedef int64_t mf_source(void *argument, void *buffer, size_t size);

/* The same with bytes that come from a function, for files of any size. */
enum mf_code mf_transaction_add_stream(struct mf_transaction *transaction, enum mf_kind kind,
                                       const char *key, mf_source *source, void *argument,
                                       struct mf_error *error);

/*
 * Makes a regular file that the caller has written into the directory the one of
 * that kind and key. It is read now, for its size and CRC32C, and must not
 * change any more; the commit makes it durable. It is never removed by the
 * library when the transaction fails.
 */
enum mf_code mf_transaction_adopt(struct mf_transaction *transaction, enum mf_kind kind,
                                  const char *key, const char *name, struct mf_error *error);

/* Leaves the file of that kind and key out of the new version. MF_INVALID when
 * there is none. The file itself stays, for the versions that name it. */
enum mf_code mf_transaction_remove(struct mf_transaction *transaction, enum mf_kind kind,
                                   const char *key, struct mf_error *error);

/*
 * Commits, and frees the transaction whatever happens.
 *
 * MF_OK: *version (may be NULL) is current and durable. MF_UNKNOWN: see above;
 * nothing was deleted and the handle takes no further commit. MF_NOT_COMMITTED:
 * the files that the library wrote are removed, the number is not used again by
 * this handle, and after a failed sync the handle takes no further commit.
 * There is no other outcome.
 */
enum mf_code mf_transaction_commit(struct mf_transaction *transaction, uint64_t *version,
                                   struct mf_error *error);

/* Removes the files that the library wrote and frees the transaction. NULL is fine. */
void mf_transaction_abort(struct mf_transaction *transaction);

#endif

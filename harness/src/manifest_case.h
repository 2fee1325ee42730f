/*
 * The cases of the targets "manifest...": what the database holds, and what their
 * check demands of it after a power cut. The program manifest-target and the
 * built-in checks share this, so that both give the same verdict on every state.
 *
 * Version 1 is empty, as mf_database_init() leaves it. Each later one holds the
 * files of its case, whose content is a function of case, version and index. The
 * words to the outside world are lines of standard output:
 *
 *     committed N     version N is durable
 *     committing N    version N is being made; without such lines it is N + 1
 *                     after "committed N"
 *     cleaned, swept  the clean-up or sweep that the case is about is done
 *     saved N         version N is in the backup
 */
#ifndef CRASHMATRIX_MANIFEST_CASE_H
#define CRASHMATRIX_MANIFEST_CASE_H

#include <manifest/manifest.h>

#include "crashmatrix/crashmatrix.h"

#define CM_MANIFEST_PATH      "db"
#define CM_MANIFEST_BACKUP    "backup"
#define CM_MANIFEST_RESTORED  "restored"  /* -2, -3: where a check restores a backup to */
#define CM_MANIFEST_FILES     8u          /* at most, in a version */
#define CM_MANIFEST_SIZE_MAX  1536u       /* bytes */
#define CM_MANIFEST_TIMESTAMP 1000000000u /* of all versions: the recording must not vary */
#define CM_MANIFEST_KEEP      2u          /* versions that the clean-up leaves */
#define CM_MANIFEST_SAVED     2u          /* the first version that is backed up, gone back to */

/*
 * X(name, name of the built-in check, its files, version that the set-up leaves,
 * what is demanded besides, one line)
 */
#define CM_MANIFEST_CASES(X)                                                                       \
    X(COMMIT, "manifest", five, 1, NOTHING,                                                        \
      "the database of targets manifest and manifest-seed-order recovers")                         \
    X(INIT, "manifest-init", five, 0, NOTHING, "the same where the workload makes the database")   \
    X(FLUSH, "manifest-flush", many, 1, NOTHING, "the same with many files in one version")        \
    X(KILLED, "manifest-killed", two, 1, NOTHING,                                                  \
      "the same where writers are killed and their successors recover")                            \
    X(CLEAN, "manifest-clean", two, 4, CLEAN,                                                      \
      "every kept version is whole, and the clean-up can be completed")                            \
    X(SWEEP, "manifest-sweep", two, 3, SWEEP,                                                      \
      "every kept version is whole, and leftovers, but no other file, can be removed")             \
    X(BACKUP, "manifest-backup", two, 3, BACKUP,                                                   \
      "what was saved can be restored, and the backup can be completed")                           \
    X(RESTORE, "manifest-restore", two, 3, SAVED, "the version before or the restored one")        \
    X(RECOVER, "manifest-recover", two, 3, RECOVER,                                                \
      "the recovered version, or recovery by hand works; then clean-ups do, and nothing is lost")

enum cm_manifest_case_id {
#define X(id, name, files, acknowledged, demand, what) CM_CASE_##id,
    CM_MANIFEST_CASES(X)
#undef X
        CM_CASE_COUNT,
};

/* What a check demands besides a whole version that takes another commit. */
enum cm_manifest_demand {
    CM_DEMAND_NOTHING,
    CM_DEMAND_CLEAN,
    CM_DEMAND_SWEEP, /* in the database is one file that is not of it */
    CM_DEMAND_BACKUP,
    CM_DEMAND_SAVED,   /* versions that the workload made hold CM_MANIFEST_SAVED's files */
    CM_DEMAND_RECOVER, /* the same; before, the database is corrupt */
};

struct cm_manifest_file {
    enum mf_kind kind;
    const char *key;
    size_t size; /* bytes; 0: empty in all versions, else it varies with the version */
    bool shared; /* the same file in all versions: written by the first, named by all */
};

struct cm_manifest_case {
    const char *name;
    const struct cm_manifest_file *files;
    unsigned file_count;
    uint64_t acknowledged;
    enum cm_manifest_demand demand;
    const char *what;
};

extern const struct cm_manifest_case cm_manifest_cases[CM_CASE_COUNT];

/* The case of that name, or NULL. */
const struct cm_manifest_case *cm_manifest_case_find(const char *name);

/* The content of a file: writes it to data and returns its size in bytes. */
size_t cm_manifest_content(const struct cm_manifest_case *wanted, uint64_t version, unsigned index,
                           unsigned char data[CM_MANIFEST_SIZE_MAX]);

/* Adds the files of a version to a transaction of the database, which stays open. */
enum mf_code cm_manifest_add(const struct mf_database *database, struct mf_transaction *transaction,
                             const struct cm_manifest_case *wanted, struct mf_error *error);

/*
 * Judges the database CM_MANIFEST_PATH on a platform, and changes it: it is
 * opened for writing, which recovers it, read whole, and must take another
 * commit. What was acknowledged is the last complete "committed N" line of
 * output, or else what the set-up left.
 *
 * Accepted, with label
 *   old      the version that was acknowledged last is current;
 *   new      the version that was being made is;
 *   empty    nothing was acknowledged, there is no database, and one can be made;
 *   corrupt  it was so before, and recovery by hand works.
 * Everything else is a violation.
 */
void cm_manifest_judge(const struct cm_manifest_case *wanted, const struct mf_platform *platform,
                       const char *output, size_t output_size, struct cm_outcome *outcome);

#endif

/*
 * The workloads of the targets "manifest...", and what their set-ups leave,
 * through libmanifest.
 */
#include <limits.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <string.h>

#include "dying_platform.h"
#include "manifest_case.h"
#include "manifest_target.h"

/* Prints the error if there is one. Returns the exit status. */
static int report(const char *what, enum mf_code code, const struct mf_error *error)
{
    return code == MF_OK ? 0 : complain(what, error->message);
}

static int database_open(const struct mf_platform *platform, struct mf_database **database)
{
    struct mf_options options = {.platform = platform, .writable = true};
    struct mf_error error;
    *database = NULL;
    return report("open", mf_database_open(CM_MANIFEST_PATH, &options, database, &error), &error);
}

/* ---- Making and committing ---- */

int workload_init(const struct mf_platform *platform, char **arguments)
{
    bool slots = strcmp(arguments[0], mf_commit_point_word(MF_COMMIT_SLOTS)) == 0;
    struct mf_options options = {.platform = platform,
                                 .commit_point = slots ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME};
    struct mf_error error;
    int result = report("init", mf_database_init(CM_MANIFEST_PATH, &options, &error), &error);
    return result != 0 ? result : say("committed", 1);
}

/* Commits the next version. announce: says its number before. */
static enum mf_code version_commit(struct mf_database *database,
                                   const struct cm_manifest_case *wanted, bool announce,
                                   struct mf_error *error)
{
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    if (code != MF_OK)
        return code;
    if (announce)
        say("committing", mf_transaction_version(transaction));
    code = cm_manifest_add(database, transaction, wanted, error);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, NULL, error);
    mf_transaction_abort(transaction);
    return code;
}

int workload_commit(const struct mf_platform *platform, char **arguments)
{
    const struct cm_manifest_case *wanted = cm_manifest_case_find(arguments[0]);
    uint64_t last = strtoull(arguments[1], NULL, 10);
    struct mf_database *database;
    struct mf_error error;
    if (wanted == NULL)
        return complain(arguments[0], "no such case");
    /* Many syncs at once come in another order each time. Only where they are the
     * point; elsewhere two recordings are to be the same, and replay ids with them. */
    struct mf_platform in_turn = *platform;
    in_turn.sync_many = NULL;
    int result =
        database_open(wanted == &cm_manifest_cases[CM_CASE_FLUSH] ? platform : &in_turn, &database);
    while (result == 0 && mf_database_current(database)->version < last) {
        result = report("commit", version_commit(database, wanted, false, &error), &error);
        if (result == 0)
            result = say("committed", mf_database_current(database)->version);
    }
    mf_database_close(database);
    return result;
}

/* ---- Writers that are killed ---- */

/*
 * A writer that is killed at its n-th sync of a commit, or ends if there are fewer.
 * It does not open the database on the dying platform, since that syncs, too: how
 * many moments there are in a commit would depend on it.
 */
static int writer_run(const struct mf_platform *platform, const struct cm_manifest_case *wanted,
                      unsigned syncs, bool *killed)
{
    struct dying_platform dying;
    struct mf_options options = {.platform = &dying.table, .writable = true};
    struct mf_database *database;
    struct mf_error error;
    dying_platform_init(&dying, platform, UINT_MAX);
    int result =
        report("open", mf_database_open(CM_MANIFEST_PATH, &options, &database, &error), &error);
    if (result != 0)
        return result;
    /* What it finds is durable from here on, whoever left it. */
    result = say("committed", mf_database_current(database)->version);
    dying.syncs_left = syncs;
    enum mf_code code = version_commit(database, wanted, true, &error);
    *killed = dying.dead;
    if (result == 0 && !dying.dead)
        result = report("commit", code, &error);
    if (result == 0 && !dying.dead)
        result = say("committed", mf_database_current(database)->version);
    mf_database_close(database);
    return result;
}

/* The sync that follows those of the files and of the manifest, once the shared
 * files are there. Earlier deaths leave nothing but files that no manifest names, in
 * very many states. */
static unsigned first_moment(const struct cm_manifest_case *wanted)
{
    unsigned written = 0;
    for (unsigned i = 0; i < wanted->file_count; i++)
        written += wanted->files[i].shared ? 0 : 1;
    return written + 2;
}

int workload_killed(const struct mf_platform *platform, char **arguments)
{
    const struct cm_manifest_case *wanted = cm_manifest_case_find(arguments[0]);
    bool killed = true;
    int result = 0;
    if (wanted == NULL)
        return complain(arguments[0], "no such case");
    for (unsigned syncs = first_moment(wanted); killed && result == 0; syncs++)
        result = writer_run(platform, wanted, syncs, &killed);
    return result;
}

/* The temporary or the directory is not synced: all files and names are there. */
int workload_leftovers(const struct mf_platform *platform, char **arguments)
{
    const struct cm_manifest_case *wanted = cm_manifest_case_find(arguments[0]);
    bool killed;
    if (wanted == NULL)
        return complain(arguments[0], "no such case");
    return writer_run(platform, wanted, first_moment(wanted), &killed);
}

/* ---- Removing ---- */

int workload_clean(const struct mf_platform *platform, char **arguments)
{
    struct mf_database *database;
    struct mf_error error;
    (void)arguments;
    int result = database_open(platform, &database);
    if (result == 0)
        result =
            report("clean", mf_history_clean(database, CM_MANIFEST_KEEP, NULL, &error), &error);
    if (result == 0)
        result = say("cleaned", 0);
    mf_database_close(database);
    return result;
}

int workload_sweep(const struct mf_platform *platform, char **arguments)
{
    struct mf_database *database;
    struct mf_error error;
    (void)arguments;
    int result = database_open(platform, &database);
    if (result == 0)
        result = report("sweep", mf_orphans_remove(database, NULL, &error), &error);
    if (result == 0)
        result = say("swept", 0);
    mf_database_close(database);
    return result;
}

/* ---- Backups ---- */

int workload_backup(const struct mf_platform *platform, char **arguments)
{
    uint64_t last = strtoull(arguments[0], NULL, 10);
    struct mf_database *database;
    struct mf_error error;
    int result = database_open(platform, &database);
    for (uint64_t version = CM_MANIFEST_SAVED; version <= last && result == 0; version++) {
        result = report("backup",
                        mf_backup_create(database, version, CM_MANIFEST_BACKUP, NULL, NULL, &error),
                        &error);
        if (result == 0)
            result = say("saved", version);
    }
    mf_database_close(database);
    return result;
}

int workload_restore(const struct mf_platform *platform, char **arguments)
{
    struct mf_options options = {.platform = platform, .writable = true};
    struct mf_error error;
    uint64_t version = 0;
    (void)arguments;
    int result = report("restore",
                        mf_backup_restore(CM_MANIFEST_BACKUP, CM_MANIFEST_SAVED, CM_MANIFEST_PATH,
                                          &options, &version, &error),
                        &error);
    return result != 0 ? result : say("committed", version);
}

/* ---- Recovery by hand ---- */

int workload_recover(const struct mf_platform *platform, char **arguments)
{
    struct mf_options options = {.platform = platform, .writable = true};
    struct mf_error error;
    uint64_t version = 0;
    (void)arguments;
    int result =
        report("recover",
               mf_database_recover(CM_MANIFEST_PATH, &options, CM_MANIFEST_SAVED, &version, &error),
               &error);
    return result != 0 ? result : say("committed", version);
}

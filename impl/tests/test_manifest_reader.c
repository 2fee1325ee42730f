/*
 * Readers beside a writer. The platform lets a writer work in the middle of a reader's
 * call: at the first opening of a name, or at a listing, of which nobody knows when it comes.
 */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <unistd.h>

/* POSIX, with somebody who writes before a call. */
struct crowded {
    struct mf_platform table;
    const char *directory;
    const char *at; /* the name whose opening he waits for, as it begins; NULL: a listing */
    void (*write)(const char *directory);
    unsigned times; /* how often he still writes */
    unsigned written, openings;
};

static void let_write(struct crowded *crowded, bool now)
{
    if (!now || crowded->times == 0)
        return;
    crowded->times--;
    crowded->written++;
    crowded->write(crowded->directory);
}

static int crowded_open(void *context, int directory, const char *name, unsigned flags)
{
    struct crowded *crowded = context;
    crowded->openings++;
    let_write(crowded, crowded->at != NULL && strncmp(name, crowded->at, strlen(crowded->at)) == 0);
    return mf_platform_posix()->open(NULL, directory, name, flags);
}

static int crowded_list(void *context, int directory,
                        int (*visit)(void *argument, const char *name), void *argument)
{
    struct crowded *crowded = context;
    let_write(crowded, crowded->at == NULL);
    return mf_platform_posix()->list(NULL, directory, visit, argument);
}

static enum mf_commit_point point; /* of the databases here */

static void commit(struct mf_database *database, const char *rows)
{
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", rows, strlen(rows), NULL),
                    MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
}

/* What a writer does: the next version, without those before. */
static void replace(const char *directory)
{
    struct mf_options options = {.writable = true};
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    commit(database, "next");
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_OK);
    mf_database_close(database);
}

static void create(const char *directory)
{
    struct mf_options options = {.commit_point = point};
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    replace(directory);
}

static struct mf_options crowded_options(struct crowded *crowded, const char *directory,
                                         const char *at, unsigned times)
{
    *crowded = (struct crowded){.table = *mf_platform_posix(),
                                .directory = directory,
                                .at = at,
                                .write = replace,
                                .times = times};
    crowded->table.context = crowded;
    crowded->table.open = crowded_open;
    crowded->table.list = crowded_list;
    return (struct mf_options){.platform = &crowded->table, .commit_point = point};
}

static void count_finding(void *argument, const struct mf_finding *finding)
{
    size_t *findings = argument;
    (void)finding;
    ++*findings;
}

/* Opens for reading, which must come out so, and closes. The version that was found, or 0. */
static uint64_t open_version(const struct mf_options *options, const char *directory,
                             enum mf_code code)
{
    struct mf_database *database = NULL;
    struct mf_error error = {.code = MF_OK};
    uint64_t version = 0;
    CU_ASSERT_EQUAL(mf_database_open(directory, options, &database, &error), code);
    CU_ASSERT_EQUAL(error.code, code);
    if (database != NULL) {
        version = mf_database_current(database)->version;
        CU_ASSERT_FALSE(mf_database_copy_was_missing(database));
        CU_ASSERT_FALSE(mf_database_fell_back(database));
    }
    mf_database_close(database);
    return version;
}

/* Verifies, without a finding. */
static uint64_t verified_version(const struct mf_options *options, const char *directory,
                                 enum mf_code code)
{
    size_t findings = 0;
    uint64_t version = 0;
    CU_ASSERT_EQUAL(
        mf_database_verify(directory, options, count_finding, &findings, &version, NULL), code);
    CU_ASSERT_EQUAL(findings, 0);
    return version;
}

static bool has_name(const char *name)
{
    bool slot = strncmp(name, "MANIFEST-SLOT", 13) == 0;
    return point == MF_COMMIT_SLOTS ? strcmp(name, "MANIFEST-CURRENT") != 0 : !slot;
}

/* Written is before any name that a reader opens, once or twice: it finds what is current then. */
static void version_is_replaced(void)
{
    static const char *const names[] = {"MANIFEST-CURRENT", "MANIFEST-SLOT-A", "MANIFEST-SLOT-B",
                                        "MANIFEST-0", "lsm-"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned times = 1; times < 3 && has_name(names[i]); times++) {
            struct crowded crowded;
            char *directory = scratch_new();
            create(directory);
            struct mf_options options = crowded_options(&crowded, directory, names[i], times);
            uint64_t version = open_version(&options, directory, MF_OK);
            CU_ASSERT_EQUAL(version, 2 + crowded.written);
            crowded.times = times;
            version = verified_version(&options, directory, MF_OK);
            CU_ASSERT_EQUAL(version, 2 + crowded.written);
            scratch_remove(directory);
        }
}

/* A reader that is never fast enough does not say that anything is corrupt, and ends. */
static void writer_is_always_faster(void)
{
    struct crowded crowded;
    char *directory = scratch_new();
    create(directory);
    struct mf_options options = crowded_options(&crowded, directory, "lsm-", 1000);
    open_version(&options, directory, MF_LOCKED);
    CU_ASSERT_TRUE(crowded.written > 1 && crowded.written < 100);
    verified_version(&options, directory, MF_LOCKED);
    scratch_remove(directory);
}

/* What is damaged is said at once, writers or not. */
static void damage_beside_a_writer(void)
{
    struct crowded crowded;
    size_t findings = 0;
    char *directory = scratch_new();
    create(directory);
    struct mf_options options = crowded_options(&crowded, directory, "", 0);
    CU_ASSERT_EQUAL(open_version(&options, directory, MF_OK), 2);
    unsigned openings = crowded.openings;
    unlink(path_of(directory, "lsm-000002"));
    options = crowded_options(&crowded, directory, "", 0);
    open_version(&options, directory, MF_CORRUPT);
    CU_ASSERT_TRUE(crowded.openings <= 2 * openings);
    CU_ASSERT_EQUAL(mf_database_verify(directory, &options, count_finding, &findings, NULL, NULL),
                    MF_CORRUPT);
    CU_ASSERT_EQUAL(findings, 1);
    scratch_remove(directory);
}

/* Between the look for a current version and the listing a database is created. */
static void database_is_created(void)
{
    struct crowded crowded;
    char *directory = scratch_new();
    struct mf_options options = crowded_options(&crowded, directory, NULL, 1);
    crowded.write = create;
    CU_ASSERT_EQUAL(open_version(&options, directory, MF_OK), 2);
    scratch_remove(directory);
    directory = scratch_new();
    options = crowded_options(&crowded, directory, NULL, 1);
    crowded.write = create;
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_EXISTS);
    CU_ASSERT_EQUAL(crowded.written, 1);
    scratch_remove(directory);
}

/* A file of the handle's version: gone with it, or damaged. */
static void file_of_a_version_that_went(void)
{
    struct mf_database *database;
    struct mf_manifest old;
    struct mf_error error;
    void *data;
    size_t size;
    char *directory = scratch_new();
    create(directory);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, NULL, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_read_version(database, 2, &old, NULL), MF_OK);
    unlink(path_of(directory, "lsm-000002"));
    CU_ASSERT_EQUAL(mf_database_read_file(database, &old.files[0], &data, &size, &error),
                    MF_CORRUPT);
    CU_ASSERT_EQUAL(error.code, MF_CORRUPT);
    file_write_text(path_of(directory, "lsm-000002"), "next");
    replace(directory);
    CU_ASSERT_EQUAL(mf_database_read_file(database, &old.files[0], &data, &size, &error),
                    MF_NO_VERSION);
    CU_ASSERT_EQUAL(error.code, MF_NO_VERSION);
    mf_manifest_clear(&old);
    mf_database_close(database);
    scratch_remove(directory);
}

/* The same of a backup, which copies an old version that goes in the meantime. */
static void backup_of_a_version_that_goes(void)
{
    struct crowded crowded;
    struct mf_database *database;
    struct mf_error error;
    char *directory = scratch_new(), *folder = scratch_new();
    struct mf_options writable = {.writable = true};
    create(directory);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &writable, &database, NULL), MF_OK);
    commit(database, "three");
    mf_database_close(database);
    struct mf_options options = crowded_options(&crowded, directory, "lsm-000002", 1);
    crowded.times = 0;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    crowded.times = 1;
    CU_ASSERT_EQUAL(mf_backup_create(database, 2, folder, NULL, NULL, &error), MF_NO_VERSION);
    CU_ASSERT_EQUAL(error.code, MF_NO_VERSION);
    CU_ASSERT_EQUAL(crowded.times, 0);
    mf_database_close(database);
    scratch_remove(directory);
    scratch_remove(folder);
}

/* The tests, with each commit point. */
#define WITH_BOTH(test)                                                                            \
    static void test##_both(void)                                                                  \
    {                                                                                              \
        point = MF_COMMIT_RENAME;                                                                  \
        test();                                                                                    \
        point = MF_COMMIT_SLOTS;                                                                   \
        test();                                                                                    \
    }

WITH_BOTH(version_is_replaced)
WITH_BOTH(writer_is_always_faster)
WITH_BOTH(damage_beside_a_writer)
WITH_BOTH(database_is_created)
WITH_BOTH(file_of_a_version_that_went)
WITH_BOTH(backup_of_a_version_that_goes)

static const struct unit_test tests[] = {
    {"the version is replaced while it is read", version_is_replaced_both},
    {"a writer that is always faster", writer_is_always_faster_both},
    {"damage is said at once", damage_beside_a_writer_both},
    {"a database is created while one looks for it", database_is_created_both},
    {"a file of a version that went", file_of_a_version_that_went_both},
    {"a backup of a version that goes", backup_of_a_version_that_goes_both},
};

UNIT_MAIN("reader", tests)

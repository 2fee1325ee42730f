/*
 * Directories that somebody has filled with the worst: so many names that a list
 * of them is long, a manifest that is much too large, things in place of the files
 * that are to be removed. Handled or refused, with nothing outside touched.
 */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES = 100000, MANIFEST_SIZE = 64 << 20 };

static struct faulty platform;

static void commit_rows(struct mf_database *database, const char *rows)
{
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", rows, strlen(rows), NULL),
                    MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
}

/* Versions 1 (empty), 2 and 3 (rows). */
static struct mf_database *database_new(char **directory)
{
    struct mf_database *database;
    *directory = scratch_new();
    faulty_init(&platform);
    struct mf_options options = faulty_options(&platform, true);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(*directory, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(*directory, &options, &database, NULL), MF_OK);
    commit_rows(database, "two");
    commit_rows(database, "three");
    return database;
}

static void count_orphan(void *argument, const struct mf_orphan *orphan)
{
    size_t *counts = argument;
    counts[orphan->removable ? 1 : 0]++;
}

/* Half of them are leftovers of ours, half of them have names that are no text. */
static void many_entries(void)
{
    char *directory, name[64];
    struct mf_database *database = database_new(&directory);
    struct mf_removed removed;
    size_t counts[2] = {0};
    for (unsigned i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof(name), i % 2 == 0 ? "lsm-%06u-1" : "\xff\x1b%u", i);
        int file = open(path_of(directory, name), O_WRONLY | O_CREAT | O_EXCL, 0666);
        CU_ASSERT_TRUE_FATAL(file >= 0);
        close(file);
    }
    CU_ASSERT_EQUAL(mf_orphans_list(database, count_orphan, counts, NULL), MF_OK);
    CU_ASSERT_EQUAL(counts[0], ENTRIES / 2);
    CU_ASSERT_EQUAL(counts[1], ENTRIES / 2);
    commit_rows(database, "four");
    mf_database_close(database);
    struct mf_options options = faulty_options(&platform, true);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    commit_rows(database, "five");
    CU_ASSERT_EQUAL(mf_orphans_remove(database, &removed, NULL), MF_OK);
    CU_ASSERT_EQUAL(removed.files, ENTRIES / 2);
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, &removed, NULL), MF_OK);
    CU_ASSERT_EQUAL(removed.manifests, 4);
    mf_database_close(database);
    CU_ASSERT_EQUAL(mf_database_verify(directory, &options, NULL, NULL, NULL, NULL), MF_OK);
    scratch_remove(directory);
}

/* Refused by its size, before a byte of it is read. */
static void manifest_that_is_too_large(void)
{
    static const char *const names[] = {"MANIFEST-CURRENT", "MANIFEST-000003"};
    for (size_t i = 0; i < 2; i++) {
        char *directory;
        struct mf_error error;
        struct mf_database *database = database_new(&directory);
        mf_database_close(database);
        CU_ASSERT_EQUAL(truncate(path_of(directory, names[i]), MANIFEST_SIZE), 0);
        struct mf_options options = faulty_options(&platform, false);
        faulty_arm(&platform, 0, 0);
        CU_ASSERT_EQUAL(mf_database_open(directory, &options, &database, &error), MF_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, names[i]));
        /* MANIFEST-CURRENT has to be read to know what to compare its copy with. */
        CU_ASSERT_EQUAL(strstr(platform.log, "read") == NULL, i == 0);
        CU_ASSERT_EQUAL(platform.open_handles, 0);
        scratch_remove(directory);
    }
}

static void put_link(const char *path)
{
    CU_ASSERT_EQUAL(symlink("../outside", path), 0);
}

static void put_directory(const char *path)
{
    CU_ASSERT_EQUAL(mkdir(path, 0777), 0);
}

static void put_fifo(const char *path)
{
    CU_ASSERT_EQUAL(mkfifo(path, 0666), 0);
}

static void (*const puts_there[])(const char *path) = {put_link, put_directory, put_fifo};
enum { HOSTILE_COUNT = sizeof(puts_there) / sizeof(puts_there[0]) };

/* What is no file of ours is left alone, and does not stop the rest. */
static void clean_up_among_them(void)
{
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        char *root = scratch_new(), *directory, *moved;
        struct mf_database *database = database_new(&directory);
        struct mf_removed removed;
        CU_ASSERT_TRUE_FATAL(asprintf(&moved, "%s/db", root) > 0);
        CU_ASSERT_EQUAL(rename(directory, moved), 0); /* the handle goes on */
        file_write_text(path_of(root, "outside"), "not ours");
        CU_ASSERT_EQUAL(unlink(path_of(moved, "lsm-000002")), 0);
        puts_there[i](path_of(moved, "lsm-000002"));
        puts_there[i](path_of(moved, "MANIFEST-CURRENT.5.tmp"));
        puts_there[i](path_of(moved, "text-000009"));
        CU_ASSERT_EQUAL(mf_history_clean(database, 1, &removed, NULL), MF_OK);
        CU_ASSERT_TRUE(removed.manifests == 2 && removed.files == 0);
        CU_ASSERT_EQUAL(mf_orphans_remove(database, &removed, NULL), MF_OK);
        CU_ASSERT_TRUE(file_exists(path_of(moved, "lsm-000002")));
        CU_ASSERT_TRUE(file_exists(path_of(moved, "text-000009")));
        CU_ASSERT_TRUE(file_exists(path_of(root, "outside")));
        commit_rows(database, "four");
        mf_database_close(database);
        CU_ASSERT_EQUAL(platform.open_handles, 0);
        free(moved);
        free(directory);
        scratch_remove(root);
    }
}

/* In the folder of a backup, where files are to be written. */
static void backup_among_them(void)
{
    static const struct {
        const char *name;
        enum mf_code code;
    } cases[] = {{"lsm-000003", MF_INVALID},
                 {"MANIFEST-BACKUP-000003", MF_CORRUPT},
                 {"MANIFEST-LOCK", MF_IO}};
    for (size_t i = 0; i < HOSTILE_COUNT * (sizeof(cases) / sizeof(cases[0])); i++) {
        char *directory, *root = scratch_new(), *folder;
        struct mf_database *database = database_new(&directory);
        CU_ASSERT_TRUE_FATAL(asprintf(&folder, "%s/backup", root) > 0);
        CU_ASSERT_EQUAL(mkdir(folder, 0777), 0);
        file_write_text(path_of(root, "outside"), "not ours");
        puts_there[i % HOSTILE_COUNT](path_of(folder, cases[i / HOSTILE_COUNT].name));
        CU_ASSERT_EQUAL(mf_backup_create(database, 3, folder, NULL, NULL, NULL),
                        cases[i / HOSTILE_COUNT].code);
        size_t size;
        char *outside = file_read(path_of(root, "outside"), &size);
        CU_ASSERT_STRING_EQUAL(outside, "not ours");
        free(outside);
        mf_database_close(database);
        CU_ASSERT_EQUAL(platform.open_handles, 0);
        free(folder);
        scratch_remove(root);
        scratch_remove(directory);
    }
}

/* More files in one transaction than a process may have open. */
static void more_files_than_handles(void)
{
    char *directory, key[32];
    struct mf_database *database = database_new(&directory);
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    int most = 0;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "%u", i);
        CU_ASSERT_EQUAL_FATAL(
            mf_transaction_add(transaction, MF_KIND_COLUMN, key, key, strlen(key), NULL), MF_OK);
        most = platform.open_handles > most ? platform.open_handles : most;
    }
    CU_ASSERT_TRUE(most < 300);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_current(database)->file_count, 2001);
    /* When one of the early syncs fails the whole transaction does. */
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    enum mf_code code = MF_OK;
    for (unsigned i = 0; i < 256; i++) {
        snprintf(key, sizeof(key), "x%u", i);
        code = mf_transaction_add(transaction, MF_KIND_COLUMN, key, "", 0, NULL);
        CU_ASSERT_EQUAL(code, MF_OK);
    }
    faulty_arm(&platform, 2, EIO); /* open, then sync_many */
    code = mf_transaction_add(transaction, MF_KIND_COLUMN, "y", "", 0, NULL);
    CU_ASSERT_EQUAL(code, MF_IO);
    CU_ASSERT_PTR_NOT_NULL_FATAL(platform.failed);
    CU_ASSERT_STRING_EQUAL(platform.failed, "sync_many");
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_NOT_COMMITTED);
    mf_database_close(database);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"100,000 entries", many_entries},
    {"a manifest of 64 MB", manifest_that_is_too_large},
    {"clean-up among links, directories, fifos", clean_up_among_them},
    {"backup among links, directories, fifos", backup_among_them},
    {"more files than handles", more_files_than_handles},
};

UNIT_MAIN("hostile", tests)

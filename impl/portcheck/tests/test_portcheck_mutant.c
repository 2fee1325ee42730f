/*
 * The protocols that are wrong on purpose: which calls they leave out. That without a cut
 * they work like the right one is seen in test_portcheck_run.py, and that with cuts they are
 * found on emulated boards.
 */
#include "mutant.h"
#include "support.h"
#include "unit.h"

#include <manifest/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct counts {
    int files, directories;
} synced;

/* Instead of libc's. */
int fsync(int handle)
{
    struct stat status;
    CU_ASSERT_EQUAL(fstat(handle, &status), 0);
    *(S_ISDIR(status.st_mode) ? &synced.directories : &synced.files) += 1;
    return 0;
}

/* What one commit with two files syncs. */
static struct counts commit_with(const char *word)
{
    struct mf_error error = {.message = ""};
    struct mf_database *database = NULL;
    struct mf_transaction *transaction = NULL;
    char *scratch = scratch_new(), path[4096];
    struct mf_options options = {.platform = word != NULL ? pc_mutant(word) : NULL,
                                 .writable = true,
                                 .commit_point = MF_COMMIT_RENAME};
    CU_ASSERT_TRUE_FATAL(word == NULL || options.platform != NULL);
    snprintf(path, sizeof(path), "%s/db", scratch);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(path, &options, &error), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(path, &options, &database, &error), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, &error), MF_OK);
    synced = (struct counts){0};
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "1", 1, &error), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, "a", "2", 1, &error), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, &error), MF_OK);
    struct counts counts = synced;
    mf_database_close(database);
    options.platform = NULL;
    CU_ASSERT_EQUAL(mf_database_open(path, &options, &database, &error), MF_OK);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, 2);
    mf_database_close(database);
    scratch_remove(scratch);
    return counts;
}

/* Two data files, MANIFEST-2, the temporary, and that once more after the rename; the
 * directory before and after the rename. */
static void right(void)
{
    struct counts counts = commit_with(NULL);
    CU_ASSERT_EQUAL(counts.files, 5);
    CU_ASSERT_EQUAL(counts.directories, 2);
}

static void wrong(void)
{
    static const struct {
        const char *word;
        int files, directories;
    } rows[] = {
        {"no-sync", 0, 0},
        {"no-file-sync", 0, 2},
        {"no-directory-sync", 4, 0}, /* nor after the rename */
        {"in-place", 7, 2},          /* and what was written over, twice */
        {"rename-no-sync-after", 4, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct counts counts = commit_with(rows[i].word);
        CU_ASSERT_EQUAL(counts.files, rows[i].files);
        CU_ASSERT_EQUAL(counts.directories, rows[i].directories);
    }
    CU_ASSERT_PTR_NULL(pc_mutant("no-such"));
    CU_ASSERT_PTR_NULL(pc_mutant(""));
}

static const struct unit_test tests[] = {
    {"the right protocol", right},
    {"wrong protocols", wrong},
};

UNIT_MAIN("portcheck mutant", tests)

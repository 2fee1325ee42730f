/* One writer at a time: within a process, and between processes that commit in
 * turn. */
#include "support.h"
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 2, COMMITS = 30 };

static struct faulty platform;

static void one_writer_at_a_time(void)
{
    char *directory = scratch_new();
    struct mf_database *first, *second, *reader;
    struct mf_error error;
    faulty_init(&platform);
    struct mf_options writing = faulty_options(&platform, true);
    struct mf_options reading = faulty_options(&platform, false);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &writing, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &writing, &first, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_open(directory, &writing, &second, &error), MF_LOCKED);
    CU_ASSERT_EQUAL(error.code, MF_LOCKED);
    writing.lock_timeout_ms = 30; /* waits, and then gives up */
    CU_ASSERT_EQUAL(mf_database_open(directory, &writing, &second, &error), MF_LOCKED);
    CU_ASSERT_EQUAL(mf_database_open(directory, &reading, &reader, NULL), MF_OK);
    mf_database_close(reader);
    /* Closing another descriptor of the lock file must not have dropped the lock. */
    CU_ASSERT_EQUAL(mf_database_open(directory, &writing, &second, &error), MF_LOCKED);
    mf_database_close(first);
    CU_ASSERT_EQUAL(mf_database_open(directory, &writing, &second, NULL), MF_OK);
    mf_database_close(second);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

/* One open, one commit: the content is the version's number. */
static bool commit_once(const char *directory, uint64_t *version)
{
    struct faulty own;
    struct mf_database *database;
    struct mf_transaction *transaction;
    char content[32];
    faulty_init(&own);
    struct mf_options options = faulty_options(&own, true);
    options.lock_timeout_ms = 60000;
    if (mf_database_open(directory, &options, &database, NULL) != MF_OK)
        return false;
    bool done = mf_transaction_begin(database, &transaction, NULL) == MF_OK;
    if (done) {
        snprintf(content, sizeof(content), "%" PRIu64, mf_transaction_version(transaction));
        done = mf_transaction_add(transaction, MF_KIND_LSM, "", content, strlen(content), NULL) ==
               MF_OK;
        done = mf_transaction_commit(transaction, version, NULL) == MF_OK && done;
    }
    mf_database_close(database);
    return done;
}

/* A child: its commits have rising numbers. */
static int commit_many(const char *directory)
{
    uint64_t last = 1, version = 0;
    for (int i = 0; i < COMMITS; i++) {
        if (!commit_once(directory, &version) || version <= last)
            return 1;
        last = version;
    }
    return 0;
}

static void processes_commit_in_turn(void)
{
    char *directory = scratch_new();
    faulty_init(&platform);
    struct mf_options options = faulty_options(&platform, true);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    for (int i = 0; i < PROCESSES; i++) {
        fflush(NULL);
        if (fork() == 0)
            _exit(commit_many(directory));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        wait(&status);
        CU_ASSERT_EQUAL(status, 0);
    }
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, 1 + PROCESSES * COMMITS);
    for (uint64_t k = 2; k <= 1 + PROCESSES * COMMITS; k++) {
        struct mf_manifest manifest;
        char expected[32];
        void *data;
        size_t size;
        CU_ASSERT_EQUAL_FATAL(mf_database_read_version(database, k, &manifest, NULL), MF_OK);
        snprintf(expected, sizeof(expected), "%" PRIu64, k);
        const struct mf_file *rows = mf_manifest_find(&manifest, MF_KIND_LSM, "");
        CU_ASSERT_EQUAL_FATAL(mf_database_read_file(database, rows, &data, &size, NULL), MF_OK);
        CU_ASSERT_TRUE(size == strlen(expected) && memcmp(data, expected, size) == 0);
        free(data);
        mf_manifest_clear(&manifest);
    }
    mf_database_close(database);
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"one writer at a time", one_writer_at_a_time},
    {"processes commit in turn", processes_commit_in_turn},
};

UNIT_MAIN("lock", tests)

/*
 * One writer at a time: within a process, and between processes and threads that
 * commit in turn.
 *
 *     test_manifest_lock [--commits N] [TEST...]
 *
 * N is how often each of them commits (1000 unless given; 100 with sanitizers).
 */
#include "support.h"
#include "unit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 2, THREADS = 2 };

/* Fewer where they are slow. */
#ifndef DEFAULT_COMMITS
#define DEFAULT_COMMITS 1000
#endif

static unsigned commits = DEFAULT_COMMITS;
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

/* Commits that have rising numbers. NULL when all is well. */
static void *commit_many(void *directory)
{
    uint64_t last = 1, version = 0;
    for (unsigned i = 0; i < commits; i++) {
        if (!commit_once(directory, &version) || version <= last)
            return directory;
        last = version;
    }
    return NULL;
}

static void run_processes(char *directory)
{
    for (int i = 0; i < PROCESSES; i++) {
        fflush(NULL);
        if (fork() == 0)
            _exit(commit_many(directory) == NULL ? 0 : 1);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        wait(&status);
        CU_ASSERT_EQUAL(status, 0);
    }
}

static void run_threads(char *directory)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, commit_many, directory), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed = directory;
        CU_ASSERT_EQUAL(pthread_join(threads[i], &failed), 0);
        CU_ASSERT_PTR_NULL(failed);
    }
}

/* Every version is there and has its own content; none was given twice. */
static void commit_in_turn(void (*run)(char *directory), unsigned writers,
                           enum mf_commit_point point)
{
    char *directory = scratch_new();
    const uint64_t last = 1 + (uint64_t)writers * commits;
    faulty_init(&platform);
    struct mf_options options = faulty_options(&platform, true);
    options.commit_point = point;
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    run(directory);
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, last);
    for (uint64_t k = 2; k <= last; k++) {
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

static void processes_commit_in_turn(void)
{
    commit_in_turn(run_processes, PROCESSES, MF_COMMIT_RENAME);
    commit_in_turn(run_processes, PROCESSES, MF_COMMIT_SLOTS);
}

static void threads_commit_in_turn(void)
{
    commit_in_turn(run_threads, THREADS, MF_COMMIT_RENAME);
    commit_in_turn(run_threads, THREADS, MF_COMMIT_SLOTS);
}

static const struct unit_test tests[] = {
    {"one writer at a time", one_writer_at_a_time},
    {"processes commit in turn", processes_commit_in_turn},
    {"threads commit in turn", threads_commit_in_turn},
};

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--commits") == 0) {
        commits = (unsigned)strtoul(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    return unit_main("lock", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}

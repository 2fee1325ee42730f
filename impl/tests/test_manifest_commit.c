/*
 * Commits that work, and commits under a fault at every single platform call:
 * whatever fails, the next open finds the old version or the new one, whole, and
 * what commit returned was true.
 */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A fault is one of these errors, before or after the call took effect. */
static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS, EACCES, EINTR};
enum { ERROR_COUNT = sizeof(errors) / sizeof(errors[0]) };

/* The content of the old version (2) and of the new one (3). */
static const char *const rows_of[] = {[2] = "old rows", [3] = "the new rows"};
static const char *const index_of[] = {[2] = "old index", [3] = "a new index"};

static void expect(bool holds, const char *what, const struct faulty *faulty)
{
    if (!holds)
        fprintf(stderr, "%s: fault in %s, call %u, errno %d, %s\n", what,
                faulty->failed != NULL ? faulty->failed : "nothing", faulty->fail_at, faulty->error,
                faulty->after ? "after" : "before");
    CU_ASSERT_TRUE(holds);
}

static enum mf_code fill(struct mf_transaction *transaction, unsigned version)
{
    enum mf_code code = mf_transaction_add(transaction, MF_KIND_LSM, "", rows_of[version],
                                           strlen(rows_of[version]), NULL);
    if (code == MF_OK)
        code = mf_transaction_add(transaction, MF_KIND_TEXT, "t", index_of[version],
                                  strlen(index_of[version]), NULL);
    return code;
}

/* Open, one transaction, close: what is put to the test. Says how far it came. */
struct attempt {
    enum mf_code opened, filled, committed;
    enum mf_code second; /* of a second transaction of the same handle */
    uint64_t second_version;
    bool reached; /* the call that was to fail came up in the first transaction */
};

static void try_again(struct mf_database *database, struct attempt *attempt)
{
    struct mf_transaction *transaction;
    attempt->second = mf_transaction_begin(database, &transaction, NULL);
    if (attempt->second != MF_OK)
        return;
    attempt->second = fill(transaction, 3);
    if (attempt->second == MF_OK)
        attempt->second = mf_transaction_commit(transaction, &attempt->second_version, NULL);
    else
        mf_transaction_abort(transaction);
}

static struct attempt attempt_commit(const char *directory, struct faulty *faulty, bool again)
{
    struct attempt attempt = {MF_INVALID, MF_INVALID, MF_INVALID, MF_INVALID, 0, false};
    struct mf_options options = faulty_options(faulty, true);
    struct mf_database *database = NULL;
    struct mf_transaction *transaction;
    attempt.opened = mf_database_open(directory, &options, &database, NULL);
    if (attempt.opened == MF_OK) {
        attempt.filled = mf_transaction_begin(database, &transaction, NULL);
        if (attempt.filled == MF_OK) {
            attempt.filled = fill(transaction, 3);
            if (attempt.filled == MF_OK)
                attempt.committed = mf_transaction_commit(transaction, NULL, NULL);
            else
                mf_transaction_abort(transaction);
        }
    }
    attempt.reached = faulty->calls >= faulty->fail_at;
    if (again && attempt.opened == MF_OK) {
        faulty->fail_at = 0;
        try_again(database, &attempt);
    }
    mf_database_close(database);
    return attempt;
}

/* A database at version 2. */
static char *database_new(struct faulty *faulty)
{
    char *directory = scratch_new();
    struct mf_options options = faulty_options(faulty, true);
    struct mf_database *database;
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(fill(transaction, 2), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    mf_database_close(database);
    return directory;
}

static bool file_is(struct mf_database *database, enum mf_kind kind, const char *key,
                    const char *content)
{
    const struct mf_file *file = mf_manifest_find(mf_database_current(database), kind, key);
    void *data;
    size_t size;
    if (file == NULL || mf_database_read_file(database, file, &data, &size, NULL) != MF_OK)
        return false;
    bool same = size == strlen(content) && memcmp(data, content, size) == 0;
    free(data);
    return same;
}

static bool holds_content(struct mf_database *database, unsigned content)
{
    return file_is(database, MF_KIND_LSM, "", rows_of[content]) &&
           file_is(database, MF_KIND_TEXT, "t", index_of[content]);
}

static void count_leftover(void *argument, const struct mf_finding *finding)
{
    (void)finding;
    ++*(unsigned *)argument;
}

/*
 * What must be true of a directory whatever has happened to it: it opens for
 * writing; it holds one version whole; a commit then works; after it nothing is
 * left over but data files, and every kept version can be read. Returns the
 * version that was found: 2 or 3 (or a later one), with that content.
 */
static uint64_t examine(const char *directory, const struct faulty *before)
{
    struct faulty healthy;
    struct mf_database *database = NULL;
    struct mf_transaction *transaction;
    struct mf_manifest kept;
    faulty_init(&healthy);
    struct mf_options options = faulty_options(&healthy, true);
    enum mf_code code = mf_database_open(directory, &options, &database, NULL);
    expect(code == MF_OK, "opening afterwards", before);
    if (code != MF_OK)
        return 0;
    uint64_t version = mf_database_current(database)->version;
    expect(version >= 2 && holds_content(database, version == 2 ? 2 : 3), "whole", before);
    code = mf_transaction_begin(database, &transaction, NULL);
    expect(code == MF_OK && mf_transaction_version(transaction) > version, "begin", before);
    expect(mf_transaction_commit(transaction, NULL, NULL) == MF_OK, "commit", before);
    for (uint64_t k = 1; k <= mf_database_current(database)->version; k++) {
        code = mf_database_read_version(database, k, &kept, NULL);
        expect(code == MF_OK || code == MF_NO_VERSION, "a kept version", before);
        mf_manifest_clear(&kept);
    }
    mf_database_close(database);
    unsigned leftovers = 0;
    code = mf_database_verify(directory, &options, count_leftover, &leftovers, NULL, NULL);
    expect(code == MF_OK && leftovers == 0, "verify", before);
    expect(healthy.open_handles == 0, "handles", before);
    return version;
}

/* A platform that renames and then reports one of these would be lying: after
 * them the library is entitled to believe that nothing happened. */
static bool platform_would_lie(const struct faulty *faulty)
{
    return faulty->after && faulty->failed != NULL && strcmp(faulty->failed, "rename") == 0 &&
           faulty->error != EIO && faulty->error != EINTR;
}

static void check_attempt(const struct attempt *attempt, uint64_t version,
                          const struct faulty *faulty)
{
    bool sync_failed =
        faulty->failed != NULL && strncmp(faulty->failed, "sync", 4) == 0 && faulty->error != EINTR;
    if (attempt->committed == MF_OK)
        expect(version >= 3, "committed, but the old version is there", faulty);
    else if (attempt->committed != MF_UNKNOWN)
        expect(version == 2, "not committed, but the new version is there", faulty);
    if (attempt->filled == MF_OK)
        expect(attempt->committed == MF_OK || attempt->committed == MF_NOT_COMMITTED ||
                   attempt->committed == MF_UNKNOWN,
               "three outcomes", faulty);
    /* An interrupted call is repeated, but for rename, which may have happened. */
    if (faulty->error == EINTR && !faulty->after)
        expect(attempt->committed == MF_OK ||
                   ((attempt->committed == MF_UNKNOWN || attempt->opened == MF_UNKNOWN) &&
                    strcmp(faulty->failed, "rename") == 0),
               "interrupted", faulty);
    if (sync_failed)
        expect(attempt->committed != MF_OK, "a failed sync is no success", faulty);
    expect(faulty->open_handles == 0, "handles", faulty);
}

static void works(void)
{
    struct faulty faulty;
    faulty_init(&faulty);
    char *directory = database_new(&faulty);
    faulty_arm(&faulty, 0, 0);
    struct attempt attempt = attempt_commit(directory, &faulty, false);
    CU_ASSERT_EQUAL(attempt.committed, MF_OK);
    CU_ASSERT_EQUAL(examine(directory, &faulty), 3);
    scratch_remove(directory);
}

/* The protocol itself: what reaches the platform, in this order. */
static void eight_steps(void)
{
    static const char expected[] = "open write "      /* 2: a data file */
                                   "now sync "        /* 2: its content */
                                   "open write sync " /* 3: MANIFEST-n */
                                   "open write sync " /* 4: the temporary */
                                   "sync_directory "  /* 5 */
                                   "rename "          /* 6 */
                                   "sync "            /* 7 */
                                   "sync_directory "; /* 8 */
    static const char recovery[] = "open write sync sync_directory rename sync sync_directory ";
    struct faulty faulty;
    struct mf_database *database;
    struct mf_transaction *transaction;
    faulty_init(&faulty);
    char *directory = database_new(&faulty);
    struct mf_options options = faulty_options(&faulty, true);
    faulty_arm(&faulty, 0, 0);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    size_t length = strlen(faulty.log);
    CU_ASSERT_TRUE(length > strlen(recovery));
    CU_ASSERT_STRING_EQUAL(faulty.log + length - strlen(recovery), recovery);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    faulty_arm(&faulty, 0, 0);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "x", 1, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_STRING_EQUAL(faulty.log, expected);
    mf_database_close(database);
    scratch_remove(directory);
}

/* The directory's own name, and its parent, before anything else is done. */
static void init_steps(void)
{
    static const char first[] = "make_directory open_directory ";
    static const char durable[] = "sync_directory open_directory sync_directory open status lock ";
    struct faulty faulty;
    faulty_init(&faulty);
    char *parent = scratch_new();
    struct mf_options options = faulty_options(&faulty, true);
    CU_ASSERT_EQUAL(mf_database_init(path_of(parent, "db"), &options, NULL), MF_OK);
    CU_ASSERT_EQUAL(strncmp(faulty.log, first, strlen(first)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(faulty.log, durable));
    scratch_remove(parent);
}

static void short_transfers(void)
{
    struct faulty faulty;
    faulty_init(&faulty);
    faulty.max_transfer = 3;
    char *directory = database_new(&faulty);
    CU_ASSERT_EQUAL(attempt_commit(directory, &faulty, false).committed, MF_OK);
    CU_ASSERT_EQUAL(examine(directory, &faulty), 3);
    scratch_remove(directory);
}

/* What a commit that failed has written is gone at once. */
static void check_nothing_is_left(const char *directory, const struct faulty *faulty)
{
    static const char *const names[] = {"lsm-000003", "text-t-000003", "MANIFEST-000003",
                                        "MANIFEST-CURRENT.0.tmp"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect(!file_exists(path_of(directory, names[i])), names[i], faulty);
}

/* Runs a commit with the fault armed; returns whether the fault was reached. */
static bool run_with_fault(unsigned call, int error, bool after)
{
    struct faulty faulty;
    faulty_init(&faulty);
    char *directory = database_new(&faulty);
    faulty_arm(&faulty, call, error);
    faulty.after = after;
    struct attempt attempt = attempt_commit(directory, &faulty, false);
    if (attempt.committed == MF_NOT_COMMITTED && !after)
        check_nothing_is_left(directory, &faulty);
    if (!platform_would_lie(&faulty))
        check_attempt(&attempt, examine(directory, &faulty), &faulty);
    scratch_remove(directory);
    return attempt.reached;
}

static void fault_at_every_call(void)
{
    for (int i = 0; i < ERROR_COUNT; i++)
        for (int after = 0; after < 2; after++) {
            unsigned call = 1;
            while (run_with_fault(call, errors[i], after != 0))
                call++;
            CU_ASSERT_TRUE(call > 30); /* the loop did see a whole commit */
        }
}

/* After each failed commit the same handle is asked for another one. */
static void handle_after_a_fault(void)
{
    unsigned refused = 0, worked = 0;
    for (unsigned call = 1;; call++) {
        struct faulty faulty;
        faulty_init(&faulty);
        char *directory = database_new(&faulty);
        faulty_arm(&faulty, call, EIO);
        struct attempt attempt = attempt_commit(directory, &faulty, true);
        bool closed = attempt.committed == MF_UNKNOWN ||
                      (faulty.failed != NULL && strncmp(faulty.failed, "sync", 4) == 0);
        if (attempt.opened == MF_OK && closed) {
            expect(attempt.second == MF_READ_ONLY, "closed for writing", &faulty);
            refused++;
        } else if (attempt.opened == MF_OK) {
            /* The fault hit once: the second transaction works, with a number that
             * the first did not use for a manifest. */
            expect(attempt.second == MF_OK && attempt.second_version >= 3, "again", &faulty);
            if (attempt.committed == MF_NOT_COMMITTED && strcmp(faulty.failed, "now") != 0)
                expect(attempt.second_version == 4, "a new number", &faulty);
            worked++;
        }
        uint64_t version = examine(directory, &faulty);
        expect(attempt.second != MF_OK || version == attempt.second_version, "second", &faulty);
        scratch_remove(directory);
        if (!attempt.reached)
            break;
    }
    CU_ASSERT_TRUE(refused >= 4 && worked >= 10);
}

/* A process that is killed before call k does nothing from there on. */
static bool run_killed(unsigned call)
{
    struct faulty faulty;
    faulty_init(&faulty);
    char *directory = database_new(&faulty);
    faulty_arm(&faulty, call, EIO);
    faulty.dead = true;
    struct attempt attempt = attempt_commit(directory, &faulty, false);
    /* Then recovery is killed too, at each of its calls, one after the other. */
    struct mf_database *database;
    for (unsigned nested = 1;; nested++) {
        struct faulty killer;
        faulty_init(&killer);
        faulty_arm(&killer, nested, EIO);
        killer.dead = true;
        struct mf_options options = faulty_options(&killer, true);
        if (mf_database_open(directory, &options, &database, NULL) == MF_OK) {
            mf_database_close(database);
            break;
        }
    }
    uint64_t version = examine(directory, &faulty);
    expect(version == 2 || version == 3, "old or new", &faulty);
    expect(attempt.committed != MF_OK || version == 3, "acknowledged", &faulty);
    scratch_remove(directory);
    return attempt.reached;
}

static void killed_at_every_call(void)
{
    unsigned call = 1;
    while (run_killed(call))
        call++;
    CU_ASSERT_TRUE(call > 30);
}

/* The copy that recovery writes again must not be seen half-written. */
static void killed_while_restoring_the_copy(void)
{
    struct faulty faulty;
    faulty_init(&faulty);
    char *directory = database_new(&faulty);
    bool finished = false;
    for (unsigned call = 1; !finished; call++) {
        struct faulty killer;
        struct mf_database *database = NULL;
        faulty_init(&killer);
        faulty_arm(&killer, call, EIO);
        killer.dead = true;
        killer.max_transfer = 100;
        struct mf_options options = faulty_options(&killer, true);
        unlink(path_of(directory, "MANIFEST-000002"));
        finished = mf_database_open(directory, &options, &database, NULL) == MF_OK;
        mf_database_close(database);
        options = faulty_options(&faulty, false);
        CU_ASSERT_EQUAL(mf_database_verify(directory, &options, NULL, NULL, NULL, NULL), MF_OK);
    }
    CU_ASSERT_TRUE(file_exists(path_of(directory, "MANIFEST-000002")));
    CU_ASSERT_EQUAL(examine(directory, &faulty), 2);
    scratch_remove(directory);
}

/* An init that fails at any call can be repeated, and what it said was true. */
static void init_with_a_fault_at_every_call(void)
{
    bool reached = true;
    for (unsigned call = 1; reached; call++) {
        for (int dead = 0; dead < 2; dead++) {
            struct faulty faulty, healthy;
            faulty_init(&faulty);
            faulty_init(&healthy);
            faulty_arm(&faulty, call, EIO);
            faulty.dead = dead != 0;
            char *parent = scratch_new();
            const char *directory = path_of(parent, "db");
            struct mf_options options = faulty_options(&faulty, true);
            enum mf_code first = mf_database_init(directory, &options, NULL);
            reached = faulty.failed != NULL || faulty.calls >= call;
            options = faulty_options(&healthy, true);
            enum mf_code second = mf_database_init(directory, &options, NULL);
            expect(first == MF_UNKNOWN || second == (first == MF_OK ? MF_EXISTS : MF_OK),
                   "init again", &faulty);
            expect(second == MF_OK || second == MF_EXISTS, "init at last", &faulty);
            uint64_t version = 0;
            CU_ASSERT_EQUAL(mf_database_verify(directory, &options, NULL, NULL, &version, NULL),
                            MF_OK);
            CU_ASSERT_EQUAL(version, 1);
            CU_ASSERT_EQUAL(faulty.open_handles, 0);
            scratch_remove(parent);
        }
    }
}

static struct faulty shared;

/* A database at version 2, open for writing, with a transaction. */
static char *begin_new(struct mf_database **database, struct mf_transaction **transaction)
{
    faulty_init(&shared);
    char *directory = database_new(&shared);
    struct mf_options options = faulty_options(&shared, true);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, database, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(*database, transaction, NULL), MF_OK);
    return directory;
}

static void abort_leaves_nothing(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    char *directory = begin_new(&database, &transaction);
    CU_ASSERT_EQUAL(fill(transaction, 3), MF_OK);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "lsm-000003")));
    /* Adding again replaces, and the first file goes. */
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "x", 1, NULL), MF_OK);
    CU_ASSERT_FALSE(file_exists(path_of(directory, "lsm-000003")));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "lsm-000003-1")));
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_INVALID);
    mf_database_close(database); /* aborts */
    CU_ASSERT_FALSE(file_exists(path_of(directory, "lsm-000003-1")));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "text-t-000003")));
    CU_ASSERT_EQUAL(shared.open_handles, 0);
    CU_ASSERT_EQUAL(examine(directory, &shared), 2);
    scratch_remove(directory);
}

static void changes_of_a_transaction(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    uint64_t version;
    char *directory = begin_new(&database, &transaction);
    CU_ASSERT_EQUAL(mf_transaction_version(transaction), 3);
    CU_ASSERT_EQUAL(mf_transaction_remove(transaction, MF_KIND_TEXT, "none", NULL), MF_INVALID);
    CU_ASSERT_EQUAL(mf_transaction_remove(transaction, MF_KIND_TEXT, "t", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "key", "", 0, NULL), MF_INVALID);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, "\xff", "", 0, NULL), MF_INVALID);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_COLUMN, "../x", NULL, 0, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_COLUMN, "..?x", "1", 1, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    CU_ASSERT_EQUAL(version, 3);
    CU_ASSERT_EQUAL(mf_database_current(database)->file_count, 3);
    CU_ASSERT_TRUE(file_is(database, MF_KIND_LSM, "", rows_of[2]));
    CU_ASSERT_TRUE(file_is(database, MF_KIND_COLUMN, "../x", ""));
    CU_ASSERT_TRUE(file_is(database, MF_KIND_COLUMN, "..?x", "1"));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "text-t-000002"))); /* version 2 names it */
    CU_ASSERT_TRUE(mf_database_durable(database));
    mf_database_close(database);
    scratch_remove(directory);
}

static void adopted_files(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    char *directory = begin_new(&database, &transaction);
    static const char *const bad[] = {"",      ".",         "..",  "../x", "MANIFEST-CURRENT",
                                      "x.tmp", "directory", "link"};
    mkdir(path_of(directory, "directory"), 0777);
    CU_ASSERT_EQUAL(symlink("lsm-000002", path_of(directory, "link")), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "a", bad[i], NULL),
                        MF_INVALID);
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "a", "none", NULL), MF_IO);
    file_write_text(path_of(directory, "mine"), "written by the caller");
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "a", "mine", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "b", "mine", NULL), MF_OK);
    mf_transaction_abort(transaction);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "mine")));

    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "a", "mine", NULL), MF_OK);
    unsigned calls = shared.calls;
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_TRUE(shared.calls > calls);
    CU_ASSERT_TRUE(file_is(database, MF_KIND_TEXT, "a", "written by the caller"));
    mf_database_close(database);
    scratch_remove(directory);
}

/* Data files of a commit that was cut before its manifest: the number is used
 * again, the names are not. */
static void names_that_are_taken(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    char *directory = begin_new(&database, &transaction);
    file_write_text(path_of(directory, "lsm-000003"), "from a cut commit");
    CU_ASSERT_EQUAL(symlink("text-t-000002", path_of(directory, "text-t-000003")), 0);
    CU_ASSERT_EQUAL(fill(transaction, 3), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_TRUE(holds_content(database, 3));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "lsm-000003-1")));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "text-t-000003-1")));
    mf_database_close(database);
    scratch_remove(directory);
}

/* A manifest that the reader's limits would refuse is not committed. */
static void larger_than_the_limit(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct mf_error error;
    char *directory = begin_new(&database, &transaction);
    mf_transaction_abort(transaction);
    mf_database_close(database);
    struct mf_options options = faulty_options(&shared, true);
    options.read.limits.size = 700;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    for (char key[] = "a"; key[0] < 'i'; key[0]++)
        CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, key, "", 0, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, &error), MF_NOT_COMMITTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "limit"));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "text-a-000003")));
    mf_database_close(database);
    CU_ASSERT_EQUAL(examine(directory, &shared), 2);
    scratch_remove(directory);
}

static int clock_before_1970(void *context, uint64_t *seconds)
{
    (void)context, (void)seconds;
    return -ERANGE;
}

static void clock_that_is_not_set(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct mf_error error;
    char *directory = begin_new(&database, &transaction);
    shared.table.now = clock_before_1970;
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, &error), MF_NOT_COMMITTED);
    CU_ASSERT_EQUAL(error.system_error, ERANGE);
    mf_database_close(database);
    CU_ASSERT_EQUAL(examine(directory, &shared), 2);
    scratch_remove(directory);
}

static void reading_takes_no_commits(void)
{
    struct mf_database *database;
    struct mf_transaction *transaction;
    faulty_init(&shared);
    char *directory = database_new(&shared);
    struct mf_options options = faulty_options(&shared, false);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_READ_ONLY);
    mf_database_close(database);
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"a commit works", works},
    {"the eight steps, in order", eight_steps},
    {"init makes the names durable", init_steps},
    {"short reads and writes are continued", short_transfers},
    {"a fault at every call: old, new or unknown, never a lie", fault_at_every_call},
    {"what the handle does after a fault", handle_after_a_fault},
    {"killed at every call, recovery too", killed_at_every_call},
    {"killed while the copy is restored", killed_while_restoring_the_copy},
    {"init with a fault at every call", init_with_a_fault_at_every_call},
    {"an aborted transaction leaves nothing", abort_leaves_nothing},
    {"adding, removing, replacing", changes_of_a_transaction},
    {"adopted files", adopted_files},
    {"names that are taken", names_that_are_taken},
    {"a manifest larger than the limit", larger_than_the_limit},
    {"a clock that is not set", clock_that_is_not_set},
    {"a handle for reading takes no commits", reading_takes_no_commits},
};

UNIT_MAIN("commit", tests)

/*
 * What open finds: each row of the table in inspect.h is built and opened, for
 * reading and for writing; hostile names in place of ours; what verify lists.
 */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct faulty platform;

/* A database with three versions: empty; rows and an index; other rows. */
static char *database_new(void)
{
    char *directory = scratch_new();
    struct mf_options options = faulty_options(&platform, true);
    struct mf_database *database;
    struct mf_transaction *transaction;
    faulty_init(&platform);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "rows", 4, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, "k", "index", 5, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "ROWS", 4, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    mf_database_close(database);
    return directory;
}

struct opened {
    enum mf_code code;
    uint64_t version;
    bool durable;
    bool copy_was_missing;
    struct mf_error error;
};

static struct opened open_as(const char *directory, struct mf_options options)
{
    struct opened opened = {0};
    struct mf_database *database = NULL;
    opened.code = mf_database_open(directory, &options, &database, &opened.error);
    if (opened.code == MF_OK) {
        opened.version = mf_database_current(database)->version;
        opened.durable = mf_database_durable(database);
        opened.copy_was_missing = mf_database_copy_was_missing(database);
    } else {
        CU_ASSERT_PTR_NULL(database);
        CU_ASSERT_EQUAL(opened.error.code, opened.code);
        CU_ASSERT_NOT_EQUAL(opened.error.message[0], '\0');
    }
    mf_database_close(database);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    return opened;
}

static struct opened open_for(const char *directory, bool writable)
{
    return open_as(directory, faulty_options(&platform, writable));
}

/* Neither way of opening may take this for a database, or change it. */
static void expect_refused(const char *directory, enum mf_code code, const char *reason)
{
    for (int writable = 0; writable < 2; writable++) {
        struct opened opened = open_for(directory, writable != 0);
        CU_ASSERT_EQUAL(opened.code, code);
        if (opened.code != code || strstr(opened.error.message, reason) == NULL) {
            fprintf(stderr, "%s: %s\n", mf_code_name(opened.code), opened.error.message);
            CU_FAIL("another verdict");
        }
    }
}

static void no_directory(void)
{
    char *directory = scratch_new();
    faulty_init(&platform);
    expect_refused(path_of(directory, "none"), MF_NO_DATABASE, "cannot be opened");
    expect_refused(directory, MF_NO_DATABASE, "MANIFEST-CURRENT is missing");
    /* Looking must not leave a lock file in somebody's directory. */
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-LOCK")));
    file_write_text(path_of(directory, "file"), "");
    expect_refused(path_of(directory, "file"), MF_IO, "cannot be opened");
    scratch_remove(directory);
}

static void cut_init(void)
{
    char *directory = scratch_new();
    struct mf_options options = faulty_options(&platform, true);
    faulty_init(&platform);
    file_write_text(path_of(directory, "MANIFEST-000001"), "{\"half");
    file_write_text(path_of(directory, "MANIFEST-CURRENT.0.tmp"), "");
    file_write_text(path_of(directory, "MANIFEST-LOCK"), "");
    file_write_text(path_of(directory, "mine"), "left alone");
    expect_refused(directory, MF_NO_DATABASE, "MANIFEST-CURRENT is missing");
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT.0.tmp")));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "mine")));
    struct opened opened = open_for(directory, false);
    CU_ASSERT_EQUAL(opened.code, MF_OK);
    CU_ASSERT_EQUAL(opened.version, 1);
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_EXISTS);
    scratch_remove(directory);
}

/* Slots that no commit has filled are no database: looking leaves no lock file. */
static void left_slots(void)
{
    static const char *const names[] = {"MANIFEST-SLOT-A", "MANIFEST-SLOT-B"};
    struct mf_options options = faulty_options(&platform, true);
    options.commit_point = MF_COMMIT_SLOTS;
    for (unsigned which = 1; which < 4; which++) {
        char *directory = scratch_new();
        faulty_init(&platform);
        for (unsigned i = 0; i < 2; i++)
            if ((which >> i & 1) != 0)
                file_write_text(path_of(directory, names[i]), "");
        expect_refused(directory, MF_NO_DATABASE, "no slot has a version");
        CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-LOCK")));
        CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_OK);
        scratch_remove(directory);
    }
}

static void other_manifests_without_current(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, true);
    unlink(path_of(directory, "MANIFEST-CURRENT"));
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000002");
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_CORRUPT);
    unlink(path_of(directory, "MANIFEST-000002"));
    unlink(path_of(directory, "MANIFEST-000003"));
    expect_refused(directory, MF_NO_DATABASE, "missing");
    /* A kind of file that only a later version of this library knows. */
    file_write_text(path_of(directory, "MANIFEST-LATER"), "");
    expect_refused(directory, MF_CORRUPT, "MANIFEST-LATER");
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_CORRUPT);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "MANIFEST-000001")));
    scratch_remove(directory);
}

static void sound_database(void)
{
    char *directory = database_new();
    struct opened opened = open_for(directory, false);
    CU_ASSERT_EQUAL(opened.code, MF_OK);
    CU_ASSERT_EQUAL(opened.version, 3);
    CU_ASSERT_FALSE(opened.durable);
    opened = open_for(directory, true);
    CU_ASSERT_EQUAL(opened.code, MF_OK);
    CU_ASSERT_EQUAL(opened.version, 3);
    CU_ASSERT_TRUE(opened.durable);
    CU_ASSERT_FALSE(opened.copy_was_missing);
    scratch_remove(directory);
}

/* Publishing again means a new file with the same bytes, not a bare sync. */
static void recovery_replaces_the_file(void)
{
    char *directory = database_new();
    struct stat before, after;
    stat(path_of(directory, "MANIFEST-CURRENT"), &before);
    CU_ASSERT_EQUAL(open_for(directory, false).code, MF_OK);
    stat(path_of(directory, "MANIFEST-CURRENT"), &after);
    CU_ASSERT_EQUAL(before.st_ino, after.st_ino);
    int kept = link(path_of(directory, "MANIFEST-CURRENT"), path_of(directory, "keep"));
    CU_ASSERT_EQUAL(kept, 0);
    CU_ASSERT_EQUAL(open_for(directory, true).code, MF_OK);
    stat(path_of(directory, "MANIFEST-CURRENT"), &after);
    CU_ASSERT_NOT_EQUAL(before.st_ino, after.st_ino);
    scratch_remove(directory);
}

static void newer_manifests_and_temporaries(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, true);
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct mf_manifest manifest;
    uint64_t version = 0;
    file_write_text(path_of(directory, "MANIFEST-000009"), "half of it");
    file_write_text(path_of(directory, "MANIFEST-CURRENT.0.tmp"), "");
    symlink("lsm-000003", path_of(directory, "MANIFEST-CURRENT.1.tmp"));
    CU_ASSERT_EQUAL(open_for(directory, false).version, 3);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, 3);
    /* Temporaries in the way of recovery's own must not pile up. */
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT.0.tmp")));
    file_write_text(path_of(directory, "MANIFEST-CURRENT.0.tmp"), "");
    file_write_text(path_of(directory, "MANIFEST-CURRENT.7.tmp"), "");
    CU_ASSERT_EQUAL(mf_database_read_version(database, 9, &manifest, NULL), MF_NO_VERSION);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "MANIFEST-000009")));
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_version(transaction), 10);
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-000009")));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT.0.tmp")));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT.1.tmp")));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT.7.tmp")));
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    CU_ASSERT_EQUAL(version, 10);
    mf_database_close(database);
    scratch_remove(directory);
}

static void missing_copy(void)
{
    char *directory = database_new();
    size_t size, copy_size;
    unlink(path_of(directory, "MANIFEST-000003"));
    struct opened opened = open_for(directory, false);
    CU_ASSERT_EQUAL(opened.code, MF_OK);
    CU_ASSERT_TRUE(opened.copy_was_missing);
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-000003")));
    opened = open_for(directory, true);
    CU_ASSERT_EQUAL(opened.code, MF_OK);
    CU_ASSERT_TRUE(opened.copy_was_missing);
    char *current = file_read(path_of(directory, "MANIFEST-CURRENT"), &size);
    char *copy = file_read(path_of(directory, "MANIFEST-000003"), &copy_size);
    CU_ASSERT_EQUAL(size, copy_size);
    CU_ASSERT_EQUAL(memcmp(current, copy, size), 0);
    CU_ASSERT_FALSE(open_for(directory, true).copy_was_missing);
    free(current);
    free(copy);
    scratch_remove(directory);
}

static void different_copy(void)
{
    char *directory = database_new();
    size_t size;
    char *copy = file_read(path_of(directory, "MANIFEST-000003"), &size);
    file_write(path_of(directory, "MANIFEST-000003"), copy, size - 1);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    copy[size] = '\n';
    file_write(path_of(directory, "MANIFEST-000003"), copy, size + 1);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    copy[5] ^= 1;
    file_write(path_of(directory, "MANIFEST-000003"), copy, size);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    free(copy);
    scratch_remove(directory);
}

static void invalid_current(void)
{
    char *directory = database_new();
    size_t size;
    char *text = file_read(path_of(directory, "MANIFEST-CURRENT"), &size);
    file_write(path_of(directory, "MANIFEST-CURRENT"), text, size / 2);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-CURRENT: line");
    file_write(path_of(directory, "MANIFEST-CURRENT"), "", 0);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-CURRENT: line 1, column 1");
    struct mf_options small = faulty_options(&platform, false);
    small.read.limits.size = size - 1;
    file_write(path_of(directory, "MANIFEST-CURRENT"), text, size);
    CU_ASSERT_EQUAL(open_as(directory, small).code, MF_CORRUPT);
    small.read.limits.size = size;
    CU_ASSERT_EQUAL(open_as(directory, small).code, MF_OK);
    free(text);
    scratch_remove(directory);
}

static void damaged_files(void)
{
    char *directory = database_new();
    const char *rows = path_of(directory, "lsm-000003");
    file_write_text(rows, "ROWs");
    expect_refused(directory, MF_CORRUPT, "lsm-000003: has CRC32C");
    struct mf_options quick = faulty_options(&platform, false);
    quick.sizes_only = true;
    CU_ASSERT_EQUAL(open_as(directory, quick).code, MF_OK);
    file_write_text(rows, "ROW");
    expect_refused(directory, MF_CORRUPT, "lsm-000003: has 3 bytes, recorded are 4");
    CU_ASSERT_EQUAL(open_as(directory, quick).code, MF_CORRUPT);
    file_write_text(rows, "ROWS");
    CU_ASSERT_EQUAL(open_for(directory, false).code, MF_OK);
    unlink(path_of(directory, "text-k-000002"));
    expect_refused(directory, MF_CORRUPT, "text-k-000002: the file is missing");
    scratch_remove(directory);
}

static void put_directory(const char *path)
{
    mkdir(path, 0777);
}

static void put_link_to_itself(const char *path)
{
    symlink(path, path);
}

/* The link's target has the right content: it is refused for being a link. */
static void put_link(const char *path)
{
    char target[4096];
    snprintf(target, sizeof(target), "%s.target", path);
    symlink(target, path);
}

static void put_fifo(const char *path)
{
    mkfifo(path, 0666);
}

/* In place of each file that open reads: refused in time, and not followed. */
static void not_regular_files(void)
{
    static void (*const puts_there[])(const char *) = {put_directory, put_link, put_link_to_itself,
                                                       put_fifo};
    static const char *const names[] = {"MANIFEST-CURRENT", "MANIFEST-000003", "lsm-000003"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t j = 0; j < sizeof(puts_there) / sizeof(puts_there[0]); j++) {
            char *directory = database_new();
            char target[4096];
            const char *path = path_of(directory, names[i]);
            snprintf(target, sizeof(target), "%s.target", path);
            rename(path, target);
            puts_there[j](path);
            expect_refused(directory, MF_CORRUPT, names[i]);
            scratch_remove(directory);
        }
    }
}

static void hostile_lock(void)
{
    char *directory = database_new();
    unlink(path_of(directory, "MANIFEST-LOCK"));
    symlink("nowhere", path_of(directory, "MANIFEST-LOCK"));
    CU_ASSERT_EQUAL(open_for(directory, true).code, MF_IO);
    CU_ASSERT_EQUAL(open_for(directory, false).code, MF_OK);
    unlink(path_of(directory, "MANIFEST-LOCK"));
    CU_ASSERT_EQUAL(open_for(directory, true).code, MF_OK);
    scratch_remove(directory);
}

static void kept_versions(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, false);
    struct mf_database *database;
    struct mf_manifest manifest;
    struct mf_error error;
    void *data;
    size_t size;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_read_version(database, 2, &manifest, NULL), MF_OK);
    CU_ASSERT_EQUAL(manifest.version, 2);
    CU_ASSERT_EQUAL(manifest.file_count, 2);
    const struct mf_file *rows = mf_manifest_find(&manifest, MF_KIND_LSM, "");
    CU_ASSERT_EQUAL_FATAL(mf_database_read_file(database, rows, &data, &size, NULL), MF_OK);
    CU_ASSERT_EQUAL(size, 4);
    CU_ASSERT_EQUAL(memcmp(data, "rows", 4), 0);
    free(data);
    file_write_text(path_of(directory, rows->name), "rowz");
    CU_ASSERT_EQUAL(mf_database_read_file(database, rows, &data, &size, &error), MF_CORRUPT);
    mf_manifest_clear(&manifest);
    CU_ASSERT_EQUAL(mf_database_read_version(database, 0, &manifest, NULL), MF_NO_VERSION);
    CU_ASSERT_EQUAL(mf_database_read_version(database, 4, &manifest, NULL), MF_NO_VERSION);
    CU_ASSERT_EQUAL(mf_database_read_version(database, 3, &manifest, NULL), MF_OK);
    mf_manifest_clear(&manifest);
    rename(path_of(directory, "MANIFEST-000002"), path_of(directory, "MANIFEST-000001"));
    CU_ASSERT_EQUAL(mf_database_read_version(database, 1, &manifest, &error), MF_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "says version 2"));
    mf_database_close(database);
    scratch_remove(directory);
}

/* As the original wrote it: no sizes, no CRC32Cs, no kept copies. */
static void unsealed_database(void)
{
    static const char text[] =
        "{\n  \"version\": 5,\n  \"lsm_file\": \"a\",\n  \"vector_indexes\": {},\n"
        "  \"spatial_indexes\": {},\n  \"text_indexes\": {},\n  \"timestamp_indexes\": {},\n"
        "  \"column_indexes\": {},\n  \"checksum\": 97,\n  \"timestamp\": 1\n}";
    char *directory = scratch_new();
    struct mf_options options = faulty_options(&platform, true);
    struct mf_database *database;
    struct mf_transaction *transaction;
    faulty_init(&platform);
    file_write_text(path_of(directory, "MANIFEST-CURRENT"), text);
    file_write_text(path_of(directory, "a"), "alpha");
    expect_refused(directory, MF_CORRUPT, "MANIFEST-CURRENT");
    options.read.accept_unsealed = true;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_FALSE(mf_database_durable(database));
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_TRUE(mf_database_durable(database));
    const struct mf_file *file = mf_manifest_find(mf_database_current(database), MF_KIND_LSM, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(file->recorded);
    CU_ASSERT_EQUAL(file->size, 5);
    mf_database_close(database);
    CU_ASSERT_EQUAL(open_for(directory, false).version, 6);
    unlink(path_of(directory, "a"));
    mkdir(path_of(directory, "a"), 0777);
    CU_ASSERT_EQUAL(open_as(directory, options).code, MF_CORRUPT);
    scratch_remove(directory);
}

struct counted {
    unsigned count[MF_FINDING_TEMPORARY + 1];
};

static void count_finding(void *argument, const struct mf_finding *finding)
{
    struct counted *counted = argument;
    counted->count[finding->kind]++;
    CU_ASSERT_NOT_EQUAL(finding->name[0], '\0');
    CU_ASSERT_NOT_EQUAL(finding->detail[0], '\0');
}

static void verify_lists_everything(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, false);
    struct counted counted = {0};
    uint64_t version = 0;
    CU_ASSERT_EQUAL(
        mf_database_verify(directory, &options, count_finding, &counted, &version, NULL), MF_OK);
    CU_ASSERT_EQUAL(version, 3);
    for (size_t i = 0; i < sizeof(counted.count) / sizeof(counted.count[0]); i++)
        CU_ASSERT_EQUAL(counted.count[i], 0);

    struct mf_error error;
    unlink(path_of(directory, "lsm-000003"));
    file_write_text(path_of(directory, "text-k-000002"), "indeX");
    unlink(path_of(directory, "MANIFEST-000003"));
    file_write_text(path_of(directory, "MANIFEST-000004"), "");
    file_write_text(path_of(directory, "MANIFEST-CURRENT.0.tmp"), "");
    CU_ASSERT_EQUAL(
        mf_database_verify(directory, &options, count_finding, &counted, &version, &error),
        MF_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "lsm-000003")); /* the first fault */
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_FILE_MISSING], 1);
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_FILE_CONTENT], 1);
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_COPY_MISSING], 1);
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_UNCOMMITTED], 1);
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_TEMPORARY], 1);
    file_write_text(path_of(directory, "MANIFEST-CURRENT"), "{}");
    CU_ASSERT_EQUAL(mf_database_verify(directory, &options, count_finding, &counted, NULL, &error),
                    MF_CORRUPT);
    CU_ASSERT_EQUAL(counted.count[MF_FINDING_CURRENT_INVALID], 1);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

static void init_makes_one_directory(void)
{
    char *directory = scratch_new();
    struct mf_options options = faulty_options(&platform, true);
    faulty_init(&platform);
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "a/b"), &options, NULL), MF_IO);
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "a//"), &options, NULL), MF_OK);
    CU_ASSERT_EQUAL(open_for(path_of(directory, "a"), true).version, 1);
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "a/b/../../c"), &options, NULL), MF_IO);
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "."), &options, NULL), MF_OK);
    CU_ASSERT_EQUAL(open_for(directory, true).version, 1);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"no directory, no database", no_directory},
    {"what a cut init leaves is no database", cut_init},
    {"slots that no commit has filled", left_slots},
    {"other manifests without a current one", other_manifests_without_current},
    {"a sound database", sound_database},
    {"recovery publishes a new file", recovery_replaces_the_file},
    {"newer manifests and temporaries are leftovers", newer_manifests_and_temporaries},
    {"a missing copy is written again", missing_copy},
    {"a different copy is corrupt", different_copy},
    {"an invalid current manifest is corrupt", invalid_current},
    {"a damaged or missing file is corrupt", damaged_files},
    {"directories, links and fifos are no files", not_regular_files},
    {"a link in place of the lock", hostile_lock},
    {"kept versions", kept_versions},
    {"an unsealed database", unsealed_database},
    {"verify lists everything", verify_lists_everything},
    {"init makes one directory", init_makes_one_directory},
};

UNIT_MAIN("open", tests)

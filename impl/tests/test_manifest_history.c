/*
 * Old versions: listed in order, compared, gone back to, removed without harm to
 * any other; what counts as an orphan; recovery by hand.
 */
#include "support.h"
#include "unit.h"

#include "names.h"

#include <inttypes.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faulty platform;

static struct mf_database *open_database(const char *directory, bool writable)
{
    struct mf_options options = faulty_options(&platform, writable);
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    return database;
}

static struct mf_transaction *begin(struct mf_database *database)
{
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    return transaction;
}

static uint64_t commit_rows(struct mf_database *database, const char *rows)
{
    uint64_t version = 0;
    struct mf_transaction *transaction = begin(database);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", rows, strlen(rows), NULL),
                    MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    return version;
}

/* Versions 1 (empty), 2 (rows and an index), 3 (other rows), 4 (other rows again). */
static char *database_new(void)
{
    char *directory = scratch_new();
    faulty_init(&platform);
    struct mf_options options = faulty_options(&platform, true);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    struct mf_database *database = open_database(directory, true);
    struct mf_transaction *transaction = begin(database);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "two", 3, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, "t", "index", 5, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(commit_rows(database, "three"), 3);
    CU_ASSERT_EQUAL(commit_rows(database, "four"), 4);
    mf_database_close(database);
    return directory;
}

static void put(const char *directory, const char *name)
{
    file_write_text(path_of(directory, name), "x");
}

static bool there(const char *directory, const char *name)
{
    return file_exists(path_of(directory, name));
}

static void expect_versions(struct mf_database *database, const uint64_t *expected, size_t count)
{
    struct mf_versions versions;
    CU_ASSERT_EQUAL_FATAL(mf_history_versions(database, &versions, NULL), MF_OK);
    CU_ASSERT_EQUAL(versions.count, count);
    for (size_t i = 0; i < versions.count && i < count; i++)
        CU_ASSERT_EQUAL(versions.numbers[i], expected[i]);
    mf_versions_clear(&versions);
}

static void versions_in_numeric_order(void)
{
    static const char *const others[] = {"MANIFEST-5",
                                         "MANIFEST-+00003",
                                         "MANIFEST-0000003",
                                         "MANIFEST-1000000",
                                         "MANIFEST-00000x",
                                         "MANIFEST-000003.tmp",
                                         "MANIFEST-18446744073709551617"};
    static const uint64_t few[] = {1, 2, 3, 4};
    static const uint64_t many[] = {1, 2, 3, 4, 999999, 1000000, 1000001};
    char *directory = database_new();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        put(directory, others[i]);
    struct mf_database *database = open_database(directory, false);
    expect_versions(database, few, 4); /* newer ones than the current are none */
    mf_database_close(database);
    unlink(path_of(directory, "MANIFEST-1000000"));
    put(directory, "MANIFEST-999998"); /* a leftover, so that the next is 999999 */
    database = open_database(directory, true);
    CU_ASSERT_EQUAL(commit_rows(database, "a"), 999999);
    CU_ASSERT_EQUAL(commit_rows(database, "b"), 1000000);
    CU_ASSERT_EQUAL(commit_rows(database, "c"), 1000001);
    unlink(path_of(directory, "MANIFEST-1000001")); /* its kept copy; it is current all the same */
    expect_versions(database, many, 7);
    mf_database_close(database);
    scratch_remove(directory);
}

/* ---- Comparing ---- */

static void differences(void)
{
    struct mf_file old_files[] = {
        {MF_KIND_LSM, "", "rows-1", true, 5, 1},
        {MF_KIND_VECTOR, "v", "same", true, 1, 1},
        {MF_KIND_TEXT, "a", "changed", true, 1, 1},
        {MF_KIND_TEXT, "b", "moved", true, 1, 1},
    };
    struct mf_file new_files[] = {
        {MF_KIND_LSM, "", "rows-2", true, 5, 1},    {MF_KIND_VECTOR, "v", "same", false, 0, 0},
        {MF_KIND_TEXT, "a", "changed", true, 1, 2}, {MF_KIND_TEXT, "c", "moved", true, 1, 1},
        {MF_KIND_TEXT, "d", "Added", true, 1, 1},   {MF_KIND_TEXT, "e", "Added", true, 1, 1},
    };
    struct mf_manifest from = {.files = old_files, .file_count = 4};
    struct mf_manifest to = {.files = new_files, .file_count = 6};
    static const char *const added[] = {"Added", "changed", "rows-2"};
    static const char *const removed[] = {"changed", "rows-1"};
    struct mf_diff diff;
    CU_ASSERT_EQUAL_FATAL(mf_manifest_diff(&from, &to, &diff, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(diff.added_count, 3);
    CU_ASSERT_EQUAL_FATAL(diff.removed_count, 2);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_STRING_EQUAL(diff.added[i]->name, added[i]);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_STRING_EQUAL(diff.removed[i]->name, removed[i]);
    mf_diff_clear(&diff);
    CU_ASSERT_EQUAL_FATAL(mf_manifest_diff(&from, &from, &diff, NULL), MF_OK);
    CU_ASSERT_EQUAL(diff.added_count + diff.removed_count, 0);
    mf_diff_clear(&diff);
}

/* ---- Going back ---- */

static void going_back(void)
{
    char *directory = database_new();
    struct mf_database *database = open_database(directory, true);
    struct mf_transaction *transaction = begin(database);
    uint64_t version;
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "unwanted", 8, NULL), MF_OK);
    CU_ASSERT_TRUE(there(directory, "lsm-000005"));
    CU_ASSERT_EQUAL(mf_transaction_load(transaction, 9, NULL), MF_NO_VERSION);
    CU_ASSERT_TRUE(there(directory, "lsm-000005")); /* as it was before */
    CU_ASSERT_EQUAL(mf_transaction_load(transaction, 2, NULL), MF_OK);
    CU_ASSERT_FALSE(there(directory, "lsm-000005"));
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_TEXT, "u", "more", 4, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    CU_ASSERT_EQUAL(version, 5);
    const struct mf_manifest *current = mf_database_current(database);
    CU_ASSERT_EQUAL(current->file_count, 3);
    CU_ASSERT_STRING_EQUAL(mf_manifest_find(current, MF_KIND_LSM, "")->name, "lsm-000002");
    struct mf_manifest kept;
    CU_ASSERT_EQUAL(mf_database_read_version(database, 4, &kept, NULL), MF_OK);
    mf_manifest_clear(&kept);
    transaction = begin(database);
    put(directory, "lsm-000003"); /* not as recorded any more */
    CU_ASSERT_EQUAL(mf_transaction_load(transaction, 3, NULL), MF_CORRUPT);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    CU_ASSERT_EQUAL(version, 6);
    CU_ASSERT_EQUAL(mf_database_current(database)->file_count, 3);
    mf_database_close(database);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

/* ---- Clean-up ---- */

/* Version 5 goes back to 2: cleaning up must keep 2's files, which 5 names. */
static void clean_up_keeps_what_is_named(void)
{
    char *directory = database_new();
    struct mf_database *database = open_database(directory, true);
    struct mf_transaction *transaction = begin(database);
    struct mf_removed removed;
    struct stat manifests[4], rows;
    static const uint64_t left[] = {5};
    CU_ASSERT_EQUAL(mf_transaction_load(transaction, 2, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_history_clean(database, 0, NULL, NULL), MF_INVALID);
    CU_ASSERT_EQUAL(mf_history_clean(database, 5, &removed, NULL), MF_OK);
    CU_ASSERT_EQUAL(removed.manifests + removed.files, 0);
    uint64_t bytes = 0;
    for (uint64_t k = 1; k <= 4; k++) {
        CU_ASSERT_EQUAL(stat(path_of(directory, mf_name_of_version(k).text), &manifests[k - 1]), 0);
        bytes += (uint64_t)manifests[k - 1].st_size;
    }
    CU_ASSERT_EQUAL(stat(path_of(directory, "lsm-000003"), &rows), 0);
    unlink(path_of(directory, "lsm-000004")); /* gone already: is not counted */
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, &removed, NULL), MF_OK);
    CU_ASSERT_EQUAL(removed.manifests, 4);
    CU_ASSERT_EQUAL(removed.files, 1);
    CU_ASSERT_EQUAL(removed.bytes, bytes + (uint64_t)rows.st_size);
    expect_versions(database, left, 1);
    CU_ASSERT_TRUE(there(directory, "lsm-000002") && there(directory, "text-t-000002"));
    CU_ASSERT_FALSE(there(directory, "lsm-000003"));
    CU_ASSERT_EQUAL(commit_rows(database, "six"), 6);
    mf_database_close(database);
    struct mf_options options = faulty_options(&platform, false);
    CU_ASSERT_EQUAL(mf_database_verify(directory, &options, NULL, NULL, NULL, NULL), MF_OK);
    scratch_remove(directory);
}

static void clean_up_order(void)
{
    static const char expected[] =
        "rename status_at rename status_at rename sync_directory "; /* no version without its files
                                                                     */
    char *directory = database_new();
    struct mf_database *database = open_database(directory, true);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_OK);
    const char *renames = strstr(platform.log, "rename");
    CU_ASSERT_PTR_NOT_NULL_FATAL(renames);
    CU_ASSERT_EQUAL(strncmp(renames, expected, strlen(expected)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(renames, "remove sync_directory status_at remove"));
    size_t length = strlen(platform.log);
    CU_ASSERT_STRING_EQUAL(platform.log + length - strlen("remove sync_directory "),
                           "remove sync_directory ");
    mf_database_close(database);
    scratch_remove(directory);
}

static void clean_up_refuses(void)
{
    char *directory = database_new();
    struct mf_database *database = open_database(directory, false);
    struct mf_error error;
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_READ_ONLY);
    CU_ASSERT_EQUAL(mf_orphans_remove(database, NULL, NULL), MF_READ_ONLY);
    mf_database_close(database);
    database = open_database(directory, true);
    struct mf_transaction *transaction = begin(database);
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_INVALID);
    CU_ASSERT_EQUAL(mf_orphans_remove(database, NULL, NULL), MF_INVALID);
    mf_transaction_abort(transaction);
    put(directory, "MANIFEST-000003");
    CU_ASSERT_EQUAL(mf_history_clean(database, 2, NULL, &error), MF_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "MANIFEST-000003"));
    CU_ASSERT_EQUAL(mf_orphans_remove(database, NULL, NULL), MF_CORRUPT);
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000001") && there(directory, "lsm-000002"));
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_OK); /* it is not kept then */
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000003"));
    CU_ASSERT_TRUE(there(directory, "lsm-000003")); /* what it named, nobody knows */
    mf_database_close(database);
    scratch_remove(directory);
}

/* ---- Orphans ---- */

struct found {
    const char *name;
    int kind; /* -1: must not be listed */
    bool seen;
};

static void see(void *argument, const struct mf_orphan *orphan)
{
    for (struct found *found = argument; found->name != NULL; found++) {
        if (strcmp(found->name, orphan->name) != 0)
            continue;
        CU_ASSERT_EQUAL((int)orphan->kind, found->kind);
        CU_ASSERT_EQUAL(orphan->removable, orphan->kind != MF_ORPHAN_FOREIGN);
        CU_ASSERT_FALSE(found->seen);
        found->seen = true;
        return;
    }
    fprintf(stderr, "%s\n", orphan->name);
    CU_FAIL("listed without need");
}

static void orphans_of_each_kind(void)
{
    struct found names[] = {
        {"MANIFEST-000007", MF_ORPHAN_UNCOMMITTED, false},
        {"MANIFEST-CURRENT.0.tmp", MF_ORPHAN_TEMPORARY, false},
        {"MANIFEST-000005.removed", MF_ORPHAN_REMOVED, false},
        {"adopted", MF_ORPHAN_UNREFERENCED, false},
        {"lsm-000007", MF_ORPHAN_UNREFERENCED, false},
        {"lsm-000002-1", MF_ORPHAN_UNREFERENCED, false},
        {"vector-a_b-1000000-12", MF_ORPHAN_UNREFERENCED, false},
        {"vector-000007", MF_ORPHAN_UNREFERENCED, false},
        {"lsm-7", MF_ORPHAN_FOREIGN, false},
        {"lsm-0000007", MF_ORPHAN_FOREIGN, false},
        {"lsm-key-000007", MF_ORPHAN_FOREIGN, false},
        {"lsm-000002-01", MF_ORPHAN_FOREIGN, false},
        {"vectors-000007", MF_ORPHAN_FOREIGN, false},
        {"notes.txt", MF_ORPHAN_FOREIGN, false},
        {"x.tmp", MF_ORPHAN_FOREIGN, false},
        {"not\xffutf8", MF_ORPHAN_FOREIGN, false},
        {"MANIFEST-later", MF_ORPHAN_FOREIGN, false},
        {"dangling", MF_ORPHAN_FOREIGN, false},
        {"text-000009", MF_ORPHAN_FOREIGN, false},   /* a link */
        {"column-000009", MF_ORPHAN_FOREIGN, false}, /* a directory */
        {NULL, -1, false},
    };
    char *directory = database_new();
    struct mf_database *database = open_database(directory, true);
    struct mf_transaction *transaction = begin(database);
    struct mf_removed removed;
    size_t size;
    put(directory, "adopted");
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_VECTOR, "v", "adopted", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    transaction = begin(database);
    CU_ASSERT_EQUAL(mf_transaction_remove(transaction, MF_KIND_VECTOR, "v", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    for (struct found *name = names; name->name != NULL; name++)
        if (strcmp(name->name, "adopted") != 0)
            put(directory, name->name);
    for (size_t i = 0; i < 3; i++) {
        static const char *const others[] = {"dangling", "text-000009", "column-000009"};
        unlink(path_of(directory, others[i]));
    }
    CU_ASSERT_EQUAL(symlink("nowhere", path_of(directory, "dangling")), 0);
    CU_ASSERT_EQUAL(symlink("lsm-000002", path_of(directory, "text-000009")), 0);
    CU_ASSERT_EQUAL(mkdir(path_of(directory, "column-000009"), 0777), 0);
    /* A clean-up that was cut: version 5 is not kept any more, its files are there. */
    rename(path_of(directory, "MANIFEST-000005"), path_of(directory, "MANIFEST-000005.removed"));
    CU_ASSERT_EQUAL(mf_orphans_list(database, see, names, NULL), MF_OK);
    for (struct found *name = names; name->name != NULL; name++) {
        if (!name->seen)
            fprintf(stderr, "%s\n", name->name);
        CU_ASSERT_TRUE(name->seen);
    }
    char *before = file_read(path_of(directory, "MANIFEST-000005.removed"), &size);
    free(before);
    CU_ASSERT_EQUAL(mf_orphans_remove(database, &removed, NULL), MF_OK);
    CU_ASSERT_EQUAL(removed.manifests, 2);
    CU_ASSERT_EQUAL(removed.files, 6);
    CU_ASSERT_EQUAL(removed.bytes, 7 - 1 + 1 + size);
    for (struct found *name = names; name->name != NULL; name++)
        CU_ASSERT_EQUAL(there(directory, name->name), name->kind == MF_ORPHAN_FOREIGN);
    /* The number of the manifest that went is not used again by this handle. */
    CU_ASSERT_EQUAL(commit_rows(database, "eight"), 8);
    mf_database_close(database);
    scratch_remove(directory);
}

/* ---- Recovery by hand ---- */

static void recovery_by_hand(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, true);
    uint64_t recovered = 0;
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 3, NULL, NULL), MF_INVALID);
    unlink(path_of(directory, "MANIFEST-CURRENT"));
    put(directory, "lsm-000003");
    put(directory, "MANIFEST-000009");
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 3, NULL, NULL), MF_CORRUPT);
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 9, NULL, NULL), MF_CORRUPT);
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 8, NULL, NULL), MF_NO_VERSION);
    CU_ASSERT_FALSE(there(directory, "MANIFEST-CURRENT"));
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, &recovered, NULL), MF_OK);
    CU_ASSERT_EQUAL(recovered, 10);
    CU_ASSERT_TRUE(!there(directory, "MANIFEST-000009") && there(directory, "MANIFEST-000004"));
    struct mf_database *database = open_database(directory, false);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, 10);
    CU_ASSERT_EQUAL(mf_database_current(database)->file_count, 2);
    mf_database_close(database);
    /* Above what an invalid manifest next to a valid current one claims, too. */
    unlink(path_of(directory, "text-t-000002"));
    unlink(path_of(directory, "MANIFEST-000010"));
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 1, &recovered, NULL), MF_OK);
    CU_ASSERT_EQUAL(recovered, 11);
    CU_ASSERT_EQUAL(mf_database_recover(path_of(directory, "none"), &options, 1, NULL, NULL),
                    MF_NO_DATABASE);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(directory);
}

static bool has_bytes(const char *directory, const char *name, const char *bytes, size_t size)
{
    size_t found;
    if (!there(directory, name))
        return false;
    char *data = file_read(path_of(directory, name), &found);
    bool same = found == size && memcmp(data, bytes, size) == 0;
    free(data);
    return same;
}

static char *corrupt_database_new(const char *above, const void *bytes, size_t size)
{
    char *directory = database_new();
    unlink(path_of(directory, "MANIFEST-CURRENT"));
    file_write(path_of(directory, above), bytes, size);
    return directory;
}

static void expect_recovered(char *directory, uint64_t number, enum mf_code cleaned)
{
    struct mf_options options = faulty_options(&platform, true);
    uint64_t recovered = 0;
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, &recovered, NULL), MF_OK);
    CU_ASSERT_EQUAL(recovered, number);
    struct mf_database *database = open_database(directory, true);
    CU_ASSERT_EQUAL(mf_database_current(database)->version, number);
    CU_ASSERT_EQUAL(mf_history_clean(database, 2, NULL, NULL), cleaned);
    CU_ASSERT_EQUAL(mf_orphans_remove(database, NULL, NULL), cleaned);
    mf_database_close(database);
}

/* What stands above the newest manifest is in nobody's way afterwards, and not lost. */
static void recovery_sets_aside(void)
{
    static const struct {
        const char *text;
        size_t size;
    } found[] = {
        {"", 0}, {"{\"version\": 9,", 14}, {"{\0\0\0\0\0}", 7}, {"{\"version\": 9}\n", 15}};
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        char *directory = corrupt_database_new("MANIFEST-000009", found[i].text, found[i].size);
        expect_recovered(directory, 10, MF_OK);
        CU_ASSERT_FALSE(there(directory, "MANIFEST-000009"));
        CU_ASSERT_EQUAL(
            has_bytes(directory, "MANIFEST-000009.damaged", found[i].text, found[i].size),
            found[i].size > 0);
        scratch_remove(directory);
    }
}

/* One that was cut has begun to: its bytes are used if they are all there. */
static void recovery_after_one_that_was_cut(void)
{
    static const char text[] = "{\"version\": 9, damaged";
    for (unsigned way = 0; way < 4; way++) {
        char *directory = corrupt_database_new("MANIFEST-000009", text, sizeof(text));
        if (way == 0) /* cut before the original went, or after it */
            file_write(path_of(directory, "MANIFEST-000009.damaged"), text, sizeof(text));
        else if (way == 1)
            rename(path_of(directory, "MANIFEST-000009"),
                   path_of(directory, "MANIFEST-000009.damaged"));
        else
            file_write(path_of(directory, "MANIFEST-000009.damaged"), text, way == 2 ? 10 : 0);
        expect_recovered(directory, 10, MF_OK);
        bool other = way >= 2;
        CU_ASSERT_EQUAL(has_bytes(directory, "MANIFEST-000009.damaged", text, sizeof(text)),
                        !other);
        CU_ASSERT_EQUAL(has_bytes(directory, "MANIFEST-000009.damaged-1", text, sizeof(text)),
                        other);
        CU_ASSERT_FALSE(there(directory, "MANIFEST-000009.damaged-2"));
        scratch_remove(directory);
    }
}

/* Below a manifest that can be read, and where no file is, things are as somebody has left them. */
static void recovery_stops_at_a_manifest(void)
{
    char *directory = corrupt_database_new("MANIFEST-000009", "damaged", 7);
    file_write_text(path_of(directory, "MANIFEST-000003"), "damaged");
    expect_recovered(directory, 10, MF_OK); /* of which 4 is kept, and 3 goes */
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000003.damaged"));
    scratch_remove(directory);
    directory = corrupt_database_new("MANIFEST-000008", "damaged", 7);
    CU_ASSERT_EQUAL(mkdir(path_of(directory, "MANIFEST-000009"), 0777), 0);
    expect_recovered(directory, 10, MF_CORRUPT);
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000008"));
    scratch_remove(directory);
}

/* The copy is durable, name and all, before the original goes. */
static void recovery_order(void)
{
    char *directory = corrupt_database_new("MANIFEST-000009", "damaged", 7);
    struct mf_options options = faulty_options(&platform, true);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, NULL, NULL), MF_OK);
    CU_ASSERT_STRING_EQUAL(changes_of(platform.log),
                           "write sync sync_directory remove write sync sync_directory "
                           "write sync write sync sync_directory rename sync sync_directory ");
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"versions in numeric order, canonical names only", versions_in_numeric_order},
    {"differences", differences},
    {"going back to an old version's content", going_back},
    {"clean-up keeps what any kept version names", clean_up_keeps_what_is_named},
    {"the order of a clean-up", clean_up_order},
    {"clean-up refuses when it cannot know", clean_up_refuses},
    {"orphans of each kind", orphans_of_each_kind},
    {"recovery by hand", recovery_by_hand},
    {"recovery sets aside what is no manifest", recovery_sets_aside},
    {"recovery after one that was cut", recovery_after_one_that_was_cut},
    {"recovery stops at a manifest", recovery_stops_at_a_manifest},
    {"the order of a recovery", recovery_order},
};

UNIT_MAIN("history", tests)

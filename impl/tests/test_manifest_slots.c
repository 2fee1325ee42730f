/*
 * The commit point "slots": the record to the byte, the order of the calls, and
 * each row of the table in slot.h, built and opened.
 */
#include "support.h"
#include "unit.h"

#include "crc32c.h"

#include <inttypes.h>
#include <manifest/history.h>
#include <manifest/slot.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faulty platform;

static struct mf_options slot_options(void)
{
    struct mf_options options = faulty_options(&platform, true);
    options.commit_point = MF_COMMIT_SLOTS;
    return options;
}

static uint64_t commit_rows(struct mf_database *database, const char *rows)
{
    struct mf_transaction *transaction;
    uint64_t version = 0;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", rows, strlen(rows), NULL),
                    MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, &version, NULL), MF_OK);
    return version;
}

/* A database at version 3. Its slots: A has sequence 2 and version 2, B 3 and 3. */
static char *database_new(void)
{
    char *directory = scratch_new();
    struct mf_database *database;
    faulty_init(&platform);
    struct mf_options options = slot_options();
    CU_ASSERT_EQUAL_FATAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(commit_rows(database, "two"), 2);
    CU_ASSERT_EQUAL(commit_rows(database, "three"), 3);
    mf_database_close(database);
    return directory;
}

static const char *slot_path(const char *directory, char letter)
{
    return path_of(directory, letter == 'A' ? "MANIFEST-SLOT-A" : "MANIFEST-SLOT-B");
}

static struct mf_slot slot_read(const char *directory, char letter)
{
    struct mf_slot slot = {.sequence = UINT64_MAX};
    size_t size;
    char *bytes = file_read(slot_path(directory, letter), &size);
    CU_ASSERT_TRUE(mf_slot_decode((unsigned char *)bytes, size, &slot));
    free(bytes);
    return slot;
}

static void slot_write(const char *directory, char letter, struct mf_slot slot)
{
    unsigned char bytes[MF_SLOT_SIZE];
    mf_slot_encode(&slot, bytes);
    file_write(slot_path(directory, letter), bytes, sizeof(bytes));
}

struct opened {
    enum mf_code code;
    uint64_t version;
    bool fell_back;
    struct mf_error error;
};

static struct opened open_for(const char *directory, bool writable)
{
    struct opened opened = {0};
    struct mf_database *database = NULL;
    struct mf_options options = faulty_options(&platform, writable);
    opened.code = mf_database_open(directory, &options, &database, &opened.error);
    if (opened.code == MF_OK) {
        opened.version = mf_database_current(database)->version;
        opened.fell_back = mf_database_fell_back(database);
        CU_ASSERT_EQUAL(mf_database_commit_point(database), MF_COMMIT_SLOTS);
        CU_ASSERT_EQUAL(mf_database_durable(database), writable);
    }
    mf_database_close(database);
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    return opened;
}

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

/* ---- The record ---- */

static void record_to_the_byte(void)
{
    const struct mf_slot slot = {0x0102030405060708u, 7, 1234, 0x9abcdef0u};
    static const unsigned char expected[40] = {
        'M', 'F', 'S', 'L', 'O', 'T', '1',  0, 8, 7, 6, 5, 4, 3, 2,    1,    7,    0,
        0,   0,   0,   0,   0,   0,   0xd2, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0xde, 0xbc, 0x9a};
    unsigned char bytes[MF_SLOT_SIZE];
    mf_slot_encode(&slot, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, expected, sizeof(expected)), 0);
    for (size_t i = sizeof(expected); i < 508; i++)
        CU_ASSERT_EQUAL(bytes[i], 0);
    uint32_t crc32c = mf_crc32c(0, bytes, 508);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(bytes[508 + i], (unsigned char)(crc32c >> 8 * i));
    struct mf_slot read;
    CU_ASSERT_TRUE_FATAL(mf_slot_decode(bytes, sizeof(bytes), &read));
    CU_ASSERT_TRUE(read.sequence == slot.sequence && read.version == slot.version &&
                   read.size == slot.size && read.crc32c == slot.crc32c);
    for (size_t size = 0; size < MF_SLOT_SIZE; size++)
        CU_ASSERT_FALSE(mf_slot_decode(bytes, size, &read));
    for (size_t bit = 0; bit < 8 * MF_SLOT_SIZE; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        CU_ASSERT_FALSE(mf_slot_decode(bytes, sizeof(bytes), &read));
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

/* With a right CRC32C, but no record that a commit writes. */
static void records_without_sense(void)
{
    static const struct mf_slot bad[] = {
        {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 5, 5}, {1, 5, 0, 5}};
    static const struct mf_slot good[] = {{0, 0, 0, 0}, {1, 1, 1, 0}};
    unsigned char bytes[MF_SLOT_SIZE];
    struct mf_slot read;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mf_slot_encode(&bad[i], bytes);
        CU_ASSERT_FALSE(mf_slot_decode(bytes, sizeof(bytes), &read));
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        mf_slot_encode(&good[i], bytes);
        CU_ASSERT_TRUE(mf_slot_decode(bytes, sizeof(bytes), &read));
    }
    mf_slot_encode(&good[1], bytes);
    bytes[100] = 1; /* in what is zero, with the CRC32C to it */
    uint32_t crc32c = mf_crc32c(0, bytes, 508);
    for (unsigned i = 0; i < 4; i++)
        bytes[508 + i] = (unsigned char)(crc32c >> 8 * i);
    CU_ASSERT_FALSE(mf_slot_decode(bytes, sizeof(bytes), &read));
}

/* ---- Writing ---- */

static void slots_in_turn(void)
{
    char *directory = database_new();
    struct mf_database *database;
    struct mf_options options = slot_options();
    size_t size;
    struct mf_slot a = slot_read(directory, 'A'), b = slot_read(directory, 'B');
    CU_ASSERT_TRUE(a.sequence == 2 && a.version == 2);
    CU_ASSERT_TRUE(b.sequence == 3 && b.version == 3);
    char *text = file_read(path_of(directory, "MANIFEST-000003"), &size);
    CU_ASSERT_EQUAL(b.size, size);
    CU_ASSERT_EQUAL(b.crc32c, mf_crc32c(0, text, size));
    free(text);
    CU_ASSERT_FALSE(file_exists(path_of(directory, "MANIFEST-CURRENT")));
    /* Opening for writing changes no byte of valid slots. */
    CU_ASSERT_EQUAL(open_for(directory, true).version, 3);
    CU_ASSERT_EQUAL(slot_read(directory, 'A').sequence, 2);
    CU_ASSERT_EQUAL(slot_read(directory, 'B').sequence, 3);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(commit_rows(database, "four"), 4);
    mf_database_close(database);
    CU_ASSERT_EQUAL(slot_read(directory, 'A').sequence, 4);
    CU_ASSERT_EQUAL(slot_read(directory, 'B').sequence, 3);
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_EXISTS);
    scratch_remove(directory);
}

static void order_of_a_commit(void)
{
    static const char expected[] = "open write "              /* 2: a data file */
                                   "now sync "                /* 2: its content */
                                   "open write sync "         /* 3: MANIFEST-n */
                                   "sync_directory "          /* 4 */
                                   "open status write sync "; /* 5, 6: the other slot */
    static const char recovery[] = "open status write sync ";
    char *directory = database_new();
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct mf_options options = slot_options();
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    size_t length = strlen(platform.log);
    CU_ASSERT_TRUE_FATAL(length > strlen(recovery));
    CU_ASSERT_STRING_EQUAL(platform.log + length - strlen(recovery), recovery);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "x", 1, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_STRING_EQUAL(platform.log, expected);
    mf_database_close(database);
    scratch_remove(directory);
}

static int rename_is_not_atomic(void *context, int directory)
{
    (void)context, (void)directory;
    return 0;
}

static void chosen_by_the_platform(void)
{
    char *directory = scratch_new();
    faulty_init(&platform);
    struct mf_options options = faulty_options(&platform, true);
    platform.table.rename_is_atomic = rename_is_not_atomic;
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "auto"), &options, NULL), MF_OK);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "auto/MANIFEST-SLOT-A")));
    options.commit_point = MF_COMMIT_RENAME;
    CU_ASSERT_EQUAL(mf_database_init(path_of(directory, "asked"), &options, NULL), MF_OK);
    CU_ASSERT_TRUE(file_exists(path_of(directory, "asked/MANIFEST-CURRENT")));
    CU_ASSERT_FALSE(file_exists(path_of(directory, "asked/MANIFEST-SLOT-A")));
    scratch_remove(directory);
}

/* ---- The table ---- */

static void one_valid_slot(void)
{
    for (int i = 0; i < 4; i++) {
        char *directory = database_new();
        char damaged = i < 2 ? 'A' : 'B';
        uint64_t version = damaged == 'A' ? 3 : 2;
        if (i % 2 == 0)
            unlink(slot_path(directory, damaged));
        else
            file_write_text(slot_path(directory, damaged), "torn");
        struct opened opened = open_for(directory, false);
        CU_ASSERT_TRUE(opened.code == MF_OK && opened.version == version && opened.fell_back);
        faulty_arm(&platform, 0, 0);
        opened = open_for(directory, true);
        CU_ASSERT_TRUE(opened.code == MF_OK && opened.version == version && opened.fell_back);
        /* The winner, then the other one; its name too, if it is new. */
        CU_ASSERT_EQUAL(strstr(platform.log, "open status write sync open status write sync "
                                             "sync_directory ") != NULL,
                        i % 2 == 0);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(platform.log, "open status write sync open status write sync "));
        /* The damaged one has been given the same version and the higher sequence. */
        CU_ASSERT_EQUAL(slot_read(directory, damaged).version, version);
        CU_ASSERT_EQUAL(slot_read(directory, damaged).sequence, version + 1);
        opened = open_for(directory, true);
        CU_ASSERT_TRUE(opened.code == MF_OK && opened.version == version && !opened.fell_back);
        scratch_remove(directory);
    }
}

/* What stands behind the records stays there, and must not cost a commit. */
static void longer_slots(void)
{
    char *directory = database_new();
    for (const char *letter = "AB"; *letter != '\0'; letter++) {
        FILE *file = fopen(slot_path(directory, *letter), "a");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fputs("appended", file);
        fclose(file);
    }
    for (uint64_t version = 3; version < 6; version++) {
        struct mf_database *database;
        struct mf_options options = slot_options();
        struct opened opened = open_for(directory, false);
        CU_ASSERT_TRUE(opened.code == MF_OK && opened.version == version && !opened.fell_back);
        CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
        CU_ASSERT_EQUAL(commit_rows(database, "more"), version + 1);
        mf_database_close(database);
    }
    scratch_remove(directory);
}

static void contradictions(void)
{
    char *directory = database_new();
    struct mf_slot b = slot_read(directory, 'B'), a = b;
    slot_write(directory, 'A', a); /* the same sequence */
    expect_refused(directory, MF_CORRUPT, "contradict");
    a.sequence = 2;
    a.crc32c ^= 1; /* the same version, another manifest */
    slot_write(directory, 'A', a);
    expect_refused(directory, MF_CORRUPT, "contradict");
    a = b;
    a.sequence = 2;
    a.version = 4; /* versions never decrease */
    slot_write(directory, 'A', a);
    expect_refused(directory, MF_CORRUPT, "contradict");
    a.version = 3; /* what recovery writes */
    slot_write(directory, 'A', a);
    CU_ASSERT_EQUAL(open_for(directory, true).version, 3);
    scratch_remove(directory);
}

static void no_valid_slot(void)
{
    char *directory = database_new();
    struct mf_options options = slot_options();
    file_write_text(slot_path(directory, 'A'), "");
    unlink(slot_path(directory, 'B'));
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000001");
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_CORRUPT);
    slot_write(directory, 'A', (struct mf_slot){0});
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000002");
    unlink(path_of(directory, "MANIFEST-000002"));
    unlink(path_of(directory, "MANIFEST-000003"));
    expect_refused(directory, MF_NO_DATABASE, "no slot has a version");
    slot_write(directory, 'B', (struct mf_slot){0});
    expect_refused(directory, MF_NO_DATABASE, "no slot has a version");
    file_write_text(slot_path(directory, 'A'), "");
    file_write_text(slot_path(directory, 'B'), "");
    unlink(path_of(directory, "MANIFEST-000001"));
    expect_refused(directory, MF_NO_DATABASE, "no slot has a version");
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL(open_for(directory, true).version, 1);
    scratch_remove(directory);
}

/* What a cut init with slots leaves is no obstacle for one with a rename. */
static void other_commit_point_after_a_cut_init(void)
{
    char *directory = database_new();
    struct mf_options options = faulty_options(&platform, true);
    slot_write(directory, 'A', (struct mf_slot){0});
    slot_write(directory, 'B', (struct mf_slot){0});
    unlink(path_of(directory, "MANIFEST-000002"));
    unlink(path_of(directory, "MANIFEST-000003"));
    CU_ASSERT_EQUAL(mf_database_init(directory, &options, NULL), MF_OK);
    CU_ASSERT_FALSE(file_exists(slot_path(directory, 'A')));
    CU_ASSERT_TRUE(file_exists(path_of(directory, "MANIFEST-CURRENT")));
    scratch_remove(directory);
}

static void manifest_that_the_slot_names(void)
{
    char *directory = database_new();
    size_t size;
    char *text = file_read(path_of(directory, "MANIFEST-000003"), &size);
    unlink(path_of(directory, "MANIFEST-000003"));
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    file_write(path_of(directory, "MANIFEST-000003"), text, size - 1);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    free(text);
    text = file_read(path_of(directory, "MANIFEST-000002"), &size); /* valid, but not that */
    file_write(path_of(directory, "MANIFEST-000003"), text, size);
    free(text);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-000003");
    scratch_remove(directory);
}

static void hostile_slots(void)
{
    char *directory = database_new();
    file_write_text(path_of(directory, "MANIFEST-CURRENT"), "");
    expect_refused(directory, MF_CORRUPT, "there are slots and a MANIFEST-CURRENT");
    unlink(path_of(directory, "MANIFEST-CURRENT"));
    CU_ASSERT_EQUAL(rename(slot_path(directory, 'A'), path_of(directory, "target")), 0);
    CU_ASSERT_EQUAL(symlink("target", slot_path(directory, 'A')), 0);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-SLOT-A: not a regular file");
    unlink(slot_path(directory, 'A'));
    CU_ASSERT_EQUAL(mkfifo(slot_path(directory, 'A'), 0666), 0);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-SLOT-A: not a regular file");
    unlink(slot_path(directory, 'A'));
    CU_ASSERT_EQUAL(mkdir(slot_path(directory, 'A'), 0777), 0);
    expect_refused(directory, MF_CORRUPT, "MANIFEST-SLOT-A: not a regular file");
    scratch_remove(directory);
}

static void last_sequence(void)
{
    char *directory = database_new();
    struct mf_database *database;
    struct mf_transaction *transaction;
    struct mf_options options = slot_options();
    struct mf_slot slot = slot_read(directory, 'B');
    slot.sequence = UINT64_MAX;
    slot_write(directory, 'B', slot);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_NOT_COMMITTED);
    mf_database_close(database);
    CU_ASSERT_EQUAL(open_for(directory, true).version, 3);
    scratch_remove(directory);
}

/* By hand: from each way in which slots can be corrupt. */
static void recovery_by_hand(void)
{
    for (int way = 0; way < 3; way++) {
        char *directory = database_new();
        struct mf_options options = slot_options();
        uint64_t recovered = 0;
        if (way == 0)
            slot_write(directory, 'A', slot_read(directory, 'B'));
        else if (way == 1)
            unlink(path_of(directory, "MANIFEST-000003"));
        for (char letter = 'A'; way == 2 && letter <= 'B'; letter++)
            file_write_text(slot_path(directory, letter), "rotten");
        CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, &recovered, NULL), MF_OK);
        CU_ASSERT_EQUAL(recovered, 4);
        CU_ASSERT_EQUAL(open_for(directory, true).version, 4);
        CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, NULL, NULL), MF_INVALID);
        scratch_remove(directory);
    }
}

/* A slot that is no file stays one: a recovery beside it would not be found. */
static void recovery_without_a_slot(void)
{
    for (char letter = 'A'; letter <= 'B'; letter++) {
        char *directory = database_new();
        struct mf_options options = slot_options();
        struct mf_error error;
        unlink(slot_path(directory, letter));
        CU_ASSERT_EQUAL_FATAL(symlink("elsewhere", slot_path(directory, letter)), 0);
        CU_ASSERT_EQUAL(mf_database_recover(directory, &options, 2, NULL, &error), MF_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "moved away first"));
        unlink(slot_path(directory, letter));
        CU_ASSERT_EQUAL(open_for(directory, true).version, letter == 'A' ? 3 : 2);
        scratch_remove(directory);
    }
}

/* ---- Removal ---- */

static void copy_part(const char *directory, const char *from, const char *to, size_t size)
{
    size_t whole;
    char *text = file_read(path_of(directory, from), &whole);
    file_write(path_of(directory, to), text, size < whole ? size : whole);
    free(text);
}

static bool there(const char *directory, const char *name)
{
    return file_exists(path_of(directory, name));
}

static struct mf_database *open_database(const char *directory)
{
    struct mf_options options = slot_options();
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(directory, &options, &database, NULL), MF_OK);
    return database;
}

static void expect_kept(struct mf_database *database, uint64_t version, bool kept)
{
    struct mf_versions versions;
    struct mf_manifest manifest;
    bool listed = false;
    CU_ASSERT_EQUAL_FATAL(mf_history_versions(database, &versions, NULL), MF_OK);
    for (size_t i = 0; i < versions.count; i++)
        listed = listed || versions.numbers[i] == version;
    CU_ASSERT_EQUAL(listed, kept);
    CU_ASSERT_EQUAL(mf_database_read_version(database, version, &manifest, NULL),
                    kept ? MF_OK : MF_NO_VERSION);
    mf_manifest_clear(&manifest);
    mf_versions_clear(&versions);
}

static void count_removed(void *argument, const struct mf_orphan *orphan)
{
    size_t *count = argument;
    CU_ASSERT_EQUAL(orphan->kind,
                    orphan->name[0] == 'M' ? MF_ORPHAN_REMOVED : MF_ORPHAN_UNREFERENCED);
    *count += orphan->kind == MF_ORPHAN_REMOVED ? 1 : 0;
}

/* A complete copy takes the version out, whatever a cut has left of its manifest. */
static void removal_begun(void)
{
    static const size_t left[] = {SIZE_MAX, 100, 0};
    for (int way = 0; way < 8; way++) {
        char *directory = database_new();
        copy_part(directory, "MANIFEST-000002", "MANIFEST-000002.removed", SIZE_MAX);
        if (way % 4 == 3)
            unlink(path_of(directory, "MANIFEST-000002"));
        else
            copy_part(directory, "MANIFEST-000002", "MANIFEST-000002", left[way % 4]);
        struct mf_database *database = open_database(directory);
        struct mf_removed removed;
        size_t orphans = 0;
        expect_kept(database, 2, false);
        expect_kept(database, 1, true);
        CU_ASSERT_EQUAL(mf_orphans_list(database, count_removed, &orphans, NULL), MF_OK);
        CU_ASSERT_EQUAL(orphans, way % 4 == 3 ? 1 : 2);
        CU_ASSERT_EQUAL(way < 4 ? mf_history_clean(database, 10, &removed, NULL)
                                : mf_orphans_remove(database, &removed, NULL),
                        MF_OK);
        CU_ASSERT_TRUE(removed.manifests == 1 && removed.files == 1);
        CU_ASSERT_FALSE(there(directory, "MANIFEST-000002"));
        CU_ASSERT_FALSE(there(directory, "MANIFEST-000002.removed"));
        CU_ASSERT_FALSE(there(directory, "lsm-000002"));
        expect_kept(database, 1, true);
        CU_ASSERT_EQUAL(commit_rows(database, "four"), 4);
        mf_database_close(database);
        scratch_remove(directory);
    }
}

/* One that was cut short says nothing, and is in nobody's way. */
static void removal_cut_short(void)
{
    for (int way = 0; way < 4; way++) {
        char *directory = database_new();
        struct mf_removed removed;
        if (way < 3)
            copy_part(directory, "MANIFEST-000002", "MANIFEST-000002.removed", way == 0 ? 0 : 100);
        else /* of another version */
            copy_part(directory, "MANIFEST-000001", "MANIFEST-000002.removed", SIZE_MAX);
        struct mf_database *database = open_database(directory);
        expect_kept(database, 2, true);
        CU_ASSERT_EQUAL(mf_history_clean(database, way == 1 ? 1 : 10, &removed, NULL), MF_OK);
        expect_kept(database, 2, way != 1);
        CU_ASSERT_EQUAL(there(directory, "lsm-000002"), way != 1);
        CU_ASSERT_FALSE(there(directory, "MANIFEST-000002.removed"));
        CU_ASSERT_EQUAL(removed.files, way == 1 ? 1 : 0);
        mf_database_close(database);
        scratch_remove(directory);
    }
}

/* Cut short while its manifest is there; without one nobody knows. */
static void removal_unreadable(void)
{
    char *directory = database_new();
    copy_part(directory, "MANIFEST-000002", "MANIFEST-000002.removed", 100);
    platform.unreadable = "MANIFEST-000002.removed";
    struct mf_database *database = open_database(directory);
    expect_kept(database, 2, true);
    CU_ASSERT_EQUAL(mf_history_clean(database, 10, NULL, NULL), MF_OK);
    expect_kept(database, 2, true);
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000002.removed"));
    rename(path_of(directory, "MANIFEST-000002"), path_of(directory, "MANIFEST-000002.removed"));
    CU_ASSERT_EQUAL(mf_history_clean(database, 10, NULL, NULL), MF_IO);
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000002.removed"));
    platform.unreadable = NULL;
    CU_ASSERT_EQUAL(mf_history_clean(database, 10, NULL, NULL), MF_OK);
    CU_ASSERT_FALSE(there(directory, "lsm-000002"));
    mf_database_close(database);
    scratch_remove(directory);
}

/* The current version is kept, and a manifest that cannot be read goes without a copy. */
static void removal_at_the_edges(void)
{
    char *directory = database_new();
    struct mf_removed removed;
    copy_part(directory, "MANIFEST-000003", "MANIFEST-000003.removed", SIZE_MAX);
    file_write_text(path_of(directory, "MANIFEST-000002"), "rotten");
    struct mf_database *database = open_database(directory);
    expect_kept(database, 3, true);
    CU_ASSERT_EQUAL(mf_history_clean(database, 2, NULL, NULL), MF_CORRUPT);
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000001"));
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, &removed, NULL), MF_OK);
    CU_ASSERT_TRUE(removed.manifests == 3 && removed.files == 0);
    CU_ASSERT_TRUE(there(directory, "lsm-000002")); /* nobody knows it */
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000002"));
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000003.removed"));
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000003"));
    mf_database_close(database);
    CU_ASSERT_EQUAL(open_for(directory, true).version, 3);
    scratch_remove(directory);
}

/* Somebody else's MANIFEST-k.removed hides no version: its number is not used, and that of the
 * current one goes before another version comes. */
static void foreign_removed(void)
{
    char *directory = database_new();
    copy_part(directory, "MANIFEST-000002", "MANIFEST-000007.removed", SIZE_MAX);
    copy_part(directory, "MANIFEST-000003", "MANIFEST-000003.removed", SIZE_MAX);
    CU_ASSERT_EQUAL(mkdir(path_of(directory, "MANIFEST-000008.removed"), 0777), 0);
    struct mf_database *database = open_database(directory);
    CU_ASSERT_EQUAL(commit_rows(database, "nine"), 9);
    CU_ASSERT_EQUAL(commit_rows(database, "ten"), 10);
    expect_kept(database, 3, true);
    expect_kept(database, 9, true);
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000007.removed"));
    CU_ASSERT_TRUE(there(directory, "MANIFEST-000008.removed"));
    CU_ASSERT_FALSE(there(directory, "MANIFEST-000003.removed"));
    mf_database_close(database);
    scratch_remove(directory);
}

/* Then there is no commit until that one is gone, and a clean-up removes it. */
static void foreign_removed_of_the_last_number(void)
{
    char *directory = database_new();
    struct mf_transaction *transaction;
    struct mf_error error;
    copy_part(directory, "MANIFEST-000002", "MANIFEST-18446744073709551615.removed", SIZE_MAX);
    struct mf_database *database = open_database(directory);
    CU_ASSERT_EQUAL(mf_transaction_begin(database, &transaction, &error), MF_INVALID);
    CU_ASSERT_EQUAL(mf_history_clean(database, 10, NULL, NULL), MF_OK);
    mf_database_close(database);
    database = open_database(directory);
    CU_ASSERT_EQUAL(commit_rows(database, "four"), 4);
    mf_database_close(database);
    scratch_remove(directory);
}

/* Nothing is renamed; the copies are durable before the originals go, and these gone
 * for good before a file goes. */
static void order_of_a_removal(void)
{
    char *directory = database_new();
    struct mf_database *database = open_database(directory);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_history_clean(database, 1, NULL, NULL), MF_OK);
    const char *order = changes_of(platform.log);
    CU_ASSERT_STRING_EQUAL(order, "remove write sync remove write sync sync_directory "
                                  "remove remove sync_directory remove sync_directory "
                                  "remove remove sync_directory ");
    mf_database_close(database);
    scratch_remove(directory);
}

/* What a killed predecessor has left may be in memory only, and is written once more. */
static void order_of_a_removal_that_has_begun(void)
{
    char *directory = database_new();
    copy_part(directory, "MANIFEST-000002", "MANIFEST-000002.removed", SIZE_MAX);
    struct mf_database *database = open_database(directory);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_history_clean(database, 10, NULL, NULL), MF_OK);
    CU_ASSERT_STRING_EQUAL(changes_of(platform.log),
                           "write sync sync_directory remove sync_directory "
                           "remove sync_directory remove sync_directory ");
    mf_database_close(database);
    scratch_remove(directory);
}

static const struct unit_test tests[] = {
    {"the record to the byte", record_to_the_byte},
    {"records without sense", records_without_sense},
    {"the slots are written in turn", slots_in_turn},
    {"the order of a commit", order_of_a_commit},
    {"chosen by the platform, or asked for", chosen_by_the_platform},
    {"one valid slot: fall back, and repair", one_valid_slot},
    {"slots with something behind their records", longer_slots},
    {"slots that contradict each other", contradictions},
    {"no valid slot", no_valid_slot},
    {"another commit point after a cut init", other_commit_point_after_a_cut_init},
    {"the manifest that the slot names", manifest_that_the_slot_names},
    {"links, fifos, directories, two commit points", hostile_slots},
    {"the last sequence number", last_sequence},
    {"recovery by hand", recovery_by_hand},
    {"recovery without a slot", recovery_without_a_slot},
    {"a removal that has begun", removal_begun},
    {"a removal that was cut short", removal_cut_short},
    {"a copy that cannot be read", removal_unreadable},
    {"removal of what cannot be read, not of the current version", removal_at_the_edges},
    {"somebody else's removed manifests", foreign_removed},
    {"the same, of the last number", foreign_removed_of_the_last_number},
    {"the order of a removal", order_of_a_removal},
    {"the order of a removal that has begun", order_of_a_removal_that_has_begun},
};

UNIT_MAIN("slots", tests)

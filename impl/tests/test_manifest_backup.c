/*
 * Backups: a chain that is whole by itself, resumes after a cut, and is not fooled
 * by the wrong folder; restoring as a commit, inside the target only.
 */
#include "support.h"
#include "unit.h"

#include "crc32c.h"
#include "link.h"

#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct faulty platform;
static char *root;
static char database_path[256], folder[256], target[256];

static struct mf_options writing(void)
{
    return faulty_options(&platform, true);
}

static struct mf_database *open_database(const char *path, bool writable)
{
    struct mf_options options = faulty_options(&platform, writable);
    struct mf_database *database;
    CU_ASSERT_EQUAL_FATAL(mf_database_open(path, &options, &database, NULL), MF_OK);
    return database;
}

static void commit_rows(struct mf_database *database, const char *rows)
{
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", rows, strlen(rows), NULL),
                    MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
}

/* Versions 2 (rows, and one index under two keys), 3 and 4 (other rows). */
static void begin_with(enum mf_commit_point point)
{
    struct mf_transaction *transaction;
    root = scratch_new();
    faulty_init(&platform);
    snprintf(database_path, sizeof(database_path), "%s/db", root);
    snprintf(folder, sizeof(folder), "%s/backup", root);
    snprintf(target, sizeof(target), "%s/target", root);
    struct mf_options options = writing();
    options.commit_point = point;
    CU_ASSERT_EQUAL_FATAL(mf_database_init(database_path, &options, NULL), MF_OK);
    struct mf_database *database = open_database(database_path, true);
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    file_write_text(path_of(database_path, "shared"), "an index");
    CU_ASSERT_EQUAL(mf_transaction_add(transaction, MF_KIND_LSM, "", "two", 3, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "a", "shared", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_adopt(transaction, MF_KIND_TEXT, "b", "shared", NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    commit_rows(database, "three");
    commit_rows(database, "four");
    mf_database_close(database);
}

static void begin(void)
{
    begin_with(MF_COMMIT_RENAME);
}

static void end(void)
{
    CU_ASSERT_EQUAL(platform.open_handles, 0);
    scratch_remove(root);
}

static enum mf_code back_up(uint64_t version, struct mf_backup_report *report,
                            struct mf_error *error)
{
    struct mf_database *database = open_database(database_path, true);
    enum mf_code code = mf_backup_create(database, version, folder, NULL, report, error);
    mf_database_close(database);
    return code;
}

static bool content_is(const char *path, enum mf_kind kind, const char *key, const char *content)
{
    struct mf_database *database = open_database(path, false);
    const struct mf_file *file = mf_manifest_find(mf_database_current(database), kind, key);
    void *data = NULL;
    size_t size = 0;
    bool same = file != NULL &&
                mf_database_read_file(database, file, &data, &size, NULL) == MF_OK &&
                size == strlen(content) && memcmp(data, content, size) == 0;
    free(data);
    mf_database_close(database);
    return same;
}

static uint64_t version_of(const char *path)
{
    struct mf_database *database = open_database(path, false);
    uint64_t version = mf_database_current(database)->version;
    mf_database_close(database);
    return version;
}

/* ---- Links ---- */

static void link_text(void)
{
    static const char expected[] = "{\n"
                                   "  \"backup\": 1,\n"
                                   "  \"version\": 5,\n"
                                   "  \"base\": 2,\n"
                                   "  \"base_crc32c\": 305419896,\n"
                                   "  \"manifest_size\": 18446744073709551615,\n"
                                   "  \"manifest_crc32c\": 4294967295,\n"
                                   "  \"crc32c\": ";
    struct mf_link link = {5, true, 2, 305419896, UINT64_MAX, UINT32_MAX, 0}, read;
    struct mf_link first = {1, false, 0, 0, 100, 7, 0};
    struct mf_link_text text = mf_link_print(&link);
    CU_ASSERT_EQUAL(strncmp(text.text, expected, strlen(expected)), 0);
    CU_ASSERT_TRUE_FATAL(mf_link_parse(text.text, text.size, &read));
    CU_ASSERT_TRUE(read.version == 5 && read.has_base && read.base == 2 &&
                   read.base_crc32c == 305419896 && read.manifest_size == UINT64_MAX &&
                   read.manifest_crc32c == UINT32_MAX && read.crc32c == link.crc32c);
    for (size_t size = 0; size < text.size; size++)
        CU_ASSERT_FALSE(mf_link_parse(text.text, size, &read));
    for (size_t bit = 0; bit < 8 * text.size; bit++) {
        text.text[bit / 8] = (char)(text.text[bit / 8] ^ (1 << bit % 8));
        CU_ASSERT_FALSE(mf_link_parse(text.text, text.size, &read));
        text.text[bit / 8] = (char)(text.text[bit / 8] ^ (1 << bit % 8));
    }
    text = mf_link_print(&first);
    CU_ASSERT_TRUE_FATAL(mf_link_parse(text.text, text.size, &read));
    CU_ASSERT_FALSE(read.has_base);
}

struct seen {
    struct {
        uint64_t version, base;
        bool has_base;
        enum mf_code code;
    } links[8];
    size_t count;
};

static void see(void *argument, const struct mf_backup_link *link)
{
    struct seen *seen = argument;
    CU_ASSERT_EQUAL(link->code == MF_OK, link->detail[0] == '\0');
    seen->links[seen->count].version = link->version;
    seen->links[seen->count].base = link->base;
    seen->links[seen->count].has_base = link->has_base;
    seen->links[seen->count++].code = link->code;
}

static enum mf_code inspect(struct seen *seen)
{
    struct mf_options options = faulty_options(&platform, false);
    *seen = (struct seen){0};
    return mf_backup_inspect(folder, &options, see, seen, NULL);
}

/* ---- Making them ---- */

static void chain(void)
{
    struct mf_backup_report report;
    struct seen seen;
    begin();
    CU_ASSERT_EQUAL(inspect(&seen), MF_NO_DATABASE);
    CU_ASSERT_EQUAL(back_up(2, &report, NULL), MF_OK);
    CU_ASSERT_TRUE(!report.has_base && report.copied == 2 && report.bytes == 11);
    CU_ASSERT_EQUAL(back_up(4, &report, NULL), MF_OK);
    CU_ASSERT_TRUE(report.has_base && report.base == 2 && report.copied == 1 && report.bytes == 4 &&
                   report.found_there == 1);
    /* One in between is put on top of what is below it; the others stay. */
    CU_ASSERT_EQUAL(back_up(3, &report, NULL), MF_OK);
    CU_ASSERT_TRUE(report.has_base && report.base == 2 && report.copied == 1);
    CU_ASSERT_EQUAL(back_up(4, &report, NULL), MF_OK); /* again: nothing to do */
    CU_ASSERT_TRUE(report.base == 2 && report.copied == 0 && report.found_there == 2);
    CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
    CU_ASSERT_EQUAL_FATAL(seen.count, 3);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(seen.links[i].version, i + 2);
        CU_ASSERT_EQUAL(seen.links[i].has_base, i > 0);
        CU_ASSERT_EQUAL(seen.links[i].base, i > 0 ? 2 : 0);
    }
    CU_ASSERT_EQUAL(back_up(9, NULL, NULL), MF_NO_VERSION);
    /* The folder is no database, and cannot be made one by mistake. */
    struct mf_options options = writing();
    struct mf_database *database;
    CU_ASSERT_EQUAL(mf_database_open(folder, &options, &database, NULL), MF_CORRUPT);
    CU_ASSERT_EQUAL(mf_database_init(folder, &options, NULL), MF_CORRUPT);
    end();
}

/* Without the source, to every version in it, newest first or last. */
static void restorable_alone(void)
{
    static const char *const rows[] = {[2] = "two", [3] = "three", [4] = "four"};
    begin();
    for (uint64_t k = 2; k <= 4; k++)
        CU_ASSERT_EQUAL(back_up(k, NULL, NULL), MF_OK);
    char gone[300];
    snprintf(gone, sizeof(gone), "%s/gone", root);
    CU_ASSERT_EQUAL(rename(database_path, gone), 0);
    struct mf_options options = writing();
    uint64_t expected = 0, restored = 0;
    for (uint64_t k = 4; k >= 2; k--) {
        CU_ASSERT_EQUAL(mf_backup_restore(folder, k, target, &options, &restored, NULL), MF_OK);
        expected = expected == 0 ? 4 : expected + 1; /* the larger of k and one more */
        CU_ASSERT_EQUAL(restored, expected);
        CU_ASSERT_EQUAL(version_of(target), expected);
        CU_ASSERT_TRUE(content_is(target, MF_KIND_LSM, "", rows[k]));
        CU_ASSERT_TRUE(content_is(target, MF_KIND_TEXT, "a", "an index"));
        CU_ASSERT_TRUE(content_is(target, MF_KIND_TEXT, "b", "an index"));
    }
    struct mf_database *database = open_database(target, true);
    const struct mf_manifest *current = mf_database_current(database);
    CU_ASSERT_STRING_EQUAL(mf_manifest_find(current, MF_KIND_TEXT, "a")->name,
                           mf_manifest_find(current, MF_KIND_TEXT, "b")->name);
    struct mf_manifest before;
    CU_ASSERT_EQUAL(mf_database_read_version(database, 4, &before, NULL), MF_OK);
    mf_manifest_clear(&before);
    mf_database_close(database);
    end();
}

/* Each file durable before it has its name, all names before the manifest's, and
 * this before the link's. */
static void order_of_a_backup(void)
{
    static const char *const expected[] = {"make_directory open_directory ",
                                           "sync_directory open_directory sync_directory ",
                                           "lock ",
                                           "write read read read sync rename sync ",
                                           "write sync sync_directory rename sync sync_directory ",
                                           "write sync sync_directory rename sync sync_directory "};
    begin();
    struct mf_database *database = open_database(database_path, true);
    faulty_arm(&platform, 0, 0);
    CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, NULL, NULL, NULL), MF_OK);
    const char *place = platform.log;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        place = strstr(place, expected[i]);
        if (place == NULL)
            fprintf(stderr, "no '%s' in: %s\n", expected[i], platform.log);
        CU_ASSERT_PTR_NOT_NULL_FATAL(place);
        place += strlen(expected[i]);
    }
    CU_ASSERT_EQUAL(*place, '\0');
    mf_database_close(database);
    end();
}

/* ---- Links in place ---- */

static const char link_4[] = "MANIFEST-BACKUP-000004", part_4[] = "MANIFEST-BACKUP-000004.part";

static int says_not_atomic(void *context, int directory)
{
    (void)context;
    (void)directory;
    return 0;
}

/* No link is renamed: the part is durable before the link is touched, and this before
 * the part goes. So with slots, and in a folder on such a file system. */
static void order_in_place(void)
{
    static const char files[] = "write sync rename sync ";
    static const char expected[] = "write sync sync_directory rename sync sync_directory "
                                   "remove write sync sync_directory "
                                   "remove write sync sync_directory remove sync_directory ";
    for (int way = 0; way < 2; way++) {
        begin_with(way == 0 ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME);
        struct mf_database *database = open_database(database_path, true);
        if (way == 1)
            platform.table.rename_is_atomic = says_not_atomic;
        faulty_arm(&platform, 0, 0);
        CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, NULL, NULL, NULL), MF_OK);
        const char *order = changes_of(platform.log);
        const char *place = strstr(order, files);
        CU_ASSERT_PTR_NOT_NULL_FATAL(place);
        place = strstr(place, expected);
        CU_ASSERT_PTR_NOT_NULL_FATAL(place);
        CU_ASSERT_STRING_EQUAL(place, expected);
        /* Again: a link without a part is durable, and nothing of it is touched. */
        faulty_arm(&platform, 0, 0);
        CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, NULL, NULL, NULL), MF_OK);
        CU_ASSERT_PTR_NULL(strstr(platform.log, "write"));
        CU_ASSERT_PTR_NULL(strstr(platform.log, "rename"));
        CU_ASSERT_PTR_NULL(strstr(platform.log, "remove"));
        mf_database_close(database);
        end();
    }
}

/* Whatever a cut leaves of the link, its part stands; and the next backup of anything
 * completes it, whichever way it writes its own. */
static void part_counts(void)
{
    for (int way = 0; way < 6; way++) {
        struct seen seen;
        struct mf_options options = writing();
        size_t size;
        begin_with(way < 3 ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME);
        CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
        char *text = file_read(path_of(folder, link_4), &size);
        file_write(path_of(folder, part_4), text, size);
        if (way % 3 == 0)
            unlink(path_of(folder, link_4));
        else
            file_write(path_of(folder, link_4), text, way % 3 == 1 ? 0 : size / 2);
        free(text);
        CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
        CU_ASSERT_TRUE(seen.count == 1 && seen.links[0].version == 4);
        CU_ASSERT_EQUAL(mf_backup_restore(folder, 4, target, &options, NULL, NULL), MF_OK);
        CU_ASSERT_EQUAL(back_up(2, NULL, NULL), MF_OK);
        CU_ASSERT_FALSE(file_exists(path_of(folder, part_4)));
        CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
        CU_ASSERT_TRUE(seen.count == 2 && seen.links[1].version == 4);
        CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
        end();
    }
}

/* A part that was cut short says nothing: there is no link, or it is whole, or rotten. */
static void part_cut_short(void)
{
    for (int way = 0; way < 3; way++) {
        struct seen seen;
        struct mf_backup_report report;
        size_t size;
        begin_with(MF_COMMIT_SLOTS);
        CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
        char *text = file_read(path_of(folder, link_4), &size);
        file_write(path_of(folder, part_4), text, size / 2);
        free(text);
        if (way == 0)
            unlink(path_of(folder, link_4));
        else if (way == 1)
            file_write_text(path_of(folder, link_4), "{}");
        CU_ASSERT_EQUAL(inspect(&seen), way == 0 ? MF_NO_DATABASE : way == 1 ? MF_CORRUPT : MF_OK);
        CU_ASSERT_EQUAL(back_up(4, &report, NULL), way == 1 ? MF_CORRUPT : MF_OK);
        CU_ASSERT_FALSE(file_exists(path_of(folder, part_4)));
        CU_ASSERT_TRUE(way == 1 || (report.copied == 0 && report.found_there == 2));
        CU_ASSERT_EQUAL(inspect(&seen), way == 1 ? MF_CORRUPT : MF_OK);
        end();
    }
}

static void link_unreadable(void)
{
    struct seen seen;
    size_t size;
    begin_with(MF_COMMIT_SLOTS);
    CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
    char *text = file_read(path_of(folder, link_4), &size);
    platform.unreadable = link_4;
    CU_ASSERT_EQUAL(inspect(&seen), MF_IO); /* it may be whole */
    file_write(path_of(folder, part_4), text, size);
    CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
    unlink(path_of(folder, link_4));
    platform.unreadable = part_4;
    CU_ASSERT_EQUAL(inspect(&seen), MF_NO_DATABASE); /* the link had not been begun */
    platform.unreadable = NULL;
    file_write(path_of(folder, link_4), text, 10);
    CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
    CU_ASSERT_FALSE(file_exists(path_of(folder, part_4)));
    free(text);
    end();
}

/* What is found under a name may be in memory only, until a link has named it. */
static void found_files_are_synced(void)
{
    begin_with(MF_COMMIT_SLOTS);
    CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
    unlink(path_of(folder, link_4));
    struct mf_database *database = open_database(database_path, true);
    for (unsigned run = 0; run < 2; run++) {
        unsigned syncs = 0;
        faulty_arm(&platform, 0, 0);
        CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, NULL, NULL, NULL), MF_OK);
        for (char *word = strtok(platform.log, " "); word != NULL; word = strtok(NULL, " "))
            syncs += strcmp(word, "sync") == 0 ? 1 : 0;
        /* Two files, the manifest twice, part and link. */
        CU_ASSERT_EQUAL(syncs, run == 0 ? 6 : 0);
    }
    mf_database_close(database);
    end();
}

static void damaged_source(void)
{
    struct mf_error error;
    begin();
    unlink(path_of(database_path, "lsm-000003"));
    CU_ASSERT_EQUAL(back_up(3, NULL, &error), MF_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "lsm-000003"));
    file_write_text(path_of(database_path, "lsm-000003"), "THREE");
    CU_ASSERT_EQUAL(back_up(3, NULL, &error), MF_CORRUPT);
    CU_ASSERT_FALSE(file_exists(path_of(folder, "lsm-000003")));
    CU_ASSERT_FALSE(file_exists(path_of(folder, "MANIFEST-CURRENT.0.tmp")));
    CU_ASSERT_FALSE(file_exists(path_of(folder, "MANIFEST-BACKUP-000003")));
    unlink(path_of(database_path, "lsm-000003"));
    CU_ASSERT_EQUAL(symlink("lsm-000002", path_of(database_path, "lsm-000003")), 0);
    CU_ASSERT_EQUAL(back_up(3, NULL, &error), MF_CORRUPT);
    CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK); /* which does not need it */
    end();
}

static void leftovers_and_rot(void)
{
    struct mf_backup_report report;
    struct seen seen;
    begin();
    CU_ASSERT_EQUAL(back_up(2, NULL, NULL), MF_OK);
    /* Of a cut backup, and of a file system that lost the content: written anew. */
    file_write_text(path_of(folder, "lsm-000004"), "");
    file_write_text(path_of(folder, "MANIFEST-CURRENT.0.tmp"), "half");
    file_write_text(path_of(folder, "shared"), "rotten");
    CU_ASSERT_EQUAL(inspect(&seen), MF_CORRUPT);
    CU_ASSERT_EQUAL(back_up(4, &report, NULL), MF_OK);
    CU_ASSERT_EQUAL(report.copied, 2);
    CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
    CU_ASSERT_FALSE(file_exists(path_of(folder, "MANIFEST-CURRENT.0.tmp")));
    /* A link that has rotted stops what is to be put on top of it. */
    file_write_text(path_of(folder, "MANIFEST-BACKUP-000002"), "{}");
    CU_ASSERT_EQUAL(inspect(&seen), MF_CORRUPT);
    CU_ASSERT_EQUAL_FATAL(seen.count, 2);
    CU_ASSERT_EQUAL(seen.links[0].code, MF_CORRUPT);
    CU_ASSERT_EQUAL(seen.links[1].code, MF_CORRUPT); /* its base */
    CU_ASSERT_EQUAL(back_up(3, NULL, NULL), MF_CORRUPT);
    struct mf_options options = writing();
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 2, target, &options, NULL, NULL), MF_CORRUPT);
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 4, target, &options, NULL, NULL), MF_OK);
    end();
}

static void wrong_folder(void)
{
    struct mf_error error;
    begin();
    struct mf_options options = writing();
    struct mf_database *database = open_database(database_path, true);
    CU_ASSERT_EQUAL(mf_backup_create(database, 4, database_path, NULL, NULL, &error), MF_INVALID);
    CU_ASSERT_EQUAL(mf_database_init(target, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_backup_create(database, 4, target, NULL, NULL, &error), MF_INVALID);
    CU_ASSERT_EQUAL(mf_backup_create(database, 2, folder, NULL, NULL, NULL), MF_OK);
    mf_database_close(database);
    /* Another database with the same numbers and names. */
    database = open_database(target, true);
    commit_rows(database, "of another");
    CU_ASSERT_EQUAL(mf_backup_create(database, 2, folder, NULL, NULL, &error), MF_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "another version 2"));
    commit_rows(database, "of another, too");
    struct mf_transaction *transaction;
    CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_load(transaction, 2, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, NULL, NULL, &error), MF_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "lsm-000002"));
    mf_database_close(database);
    struct seen seen;
    CU_ASSERT_EQUAL(inspect(&seen), MF_OK);
    CU_ASSERT_EQUAL(seen.count, 1);
    end();
}

/* The current version of a handle for reading may be taken back by a power cut. */
static void only_what_is_durable(void)
{
    begin();
    struct mf_database *database = open_database(database_path, false);
    struct mf_options options = faulty_options(&platform, false);
    CU_ASSERT_EQUAL(mf_backup_create(database, 4, folder, &options, NULL, NULL), MF_READ_ONLY);
    CU_ASSERT_EQUAL(mf_backup_create(database, 3, folder, &options, NULL, NULL), MF_OK);
    mf_database_close(database);
    /* Somebody else is at it. */
    struct mf_options one = writing();
    struct mf_database *other = open_database(database_path, true);
    int lock = platform.table.open_directory(&platform, folder);
    int file = platform.table.open(&platform, lock, "MANIFEST-LOCK", MF_OPEN_WRITE);
    CU_ASSERT_EQUAL(platform.table.lock(&platform, file, 0), 0);
    CU_ASSERT_EQUAL(mf_backup_create(other, 4, folder, &one, NULL, NULL), MF_LOCKED);
    platform.table.close(&platform, file);
    platform.table.close(&platform, lock);
    CU_ASSERT_EQUAL(mf_backup_create(other, 4, folder, &one, NULL, NULL), MF_OK);
    mf_database_close(other);
    end();
}

/* ---- Restoring ---- */

/* The text of a manifest with a name that the writer would refuse, sealed. */
static char *manifest_naming(const char *name)
{
    struct mf_file file = {.kind = MF_KIND_LSM, .key = "", .name = name};
    struct mf_manifest manifest = {.files = &file, .file_count = 1};
    char *body, *text;
    int size = asprintf(&body,
                        "{\"version\": 4, \"lsm_file\": \"%s\", \"vector_indexes\": {}, "
                        "\"spatial_indexes\": {}, \"text_indexes\": {}, \"timestamp_indexes\": {}, "
                        "\"column_indexes\": {}, \"checksum\": %" PRIu64 ", \"timestamp\": 1, "
                        "\"files\": {\"%s\": {\"size\": 4, \"crc32c\": %" PRIu32 "}}, ",
                        name, mf_manifest_checksum(&manifest), name, mf_crc32c(0, "four", 4));
    CU_ASSERT_TRUE_FATAL(size > 0);
    CU_ASSERT_TRUE_FATAL(asprintf(&text, "%s\"manifest_crc32c\": %" PRIu32 "}", body,
                                  mf_crc32c(0, body, (size_t)size)) > 0);
    free(body);
    return text;
}

/* A chain that is right in everything but the name of a file. */
static void names_that_lead_outside(void)
{
    static const char *const names[] = {"../outside", "/etc/passwd",      "..",
                                        "a/../b",     "MANIFEST-CURRENT", "lsm-000004"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    begin();
    CU_ASSERT_EQUAL(back_up(4, NULL, NULL), MF_OK);
    file_write_text(path_of(root, "outside"), "four");
    struct mf_options options = writing();
    for (size_t i = 0; i < COUNT; i++) {
        char *text = manifest_naming(names[i]);
        struct mf_link link = {.version = 4,
                               .manifest_size = strlen(text),
                               .manifest_crc32c = mf_crc32c(0, text, strlen(text))};
        struct mf_link_text record = mf_link_print(&link);
        struct mf_error error = {0};
        file_write_text(path_of(folder, "MANIFEST-000004"), text);
        file_write(path_of(folder, "MANIFEST-BACKUP-000004"), record.text, record.size);
        enum mf_code code = mf_backup_restore(folder, 4, target, &options, NULL, &error);
        /* The last one is allowed, which shows that nothing else was wrong. */
        CU_ASSERT_EQUAL(code, i == COUNT - 1 ? MF_OK : MF_CORRUPT);
        CU_ASSERT_EQUAL(file_exists(target), i == COUNT - 1);
        CU_ASSERT_TRUE(code == MF_OK || strstr(error.message, "file name") != NULL);
        free(text);
    }
    end();
}

/* The target's old version is what it was, also after a failure half-way. */
static void restore_into_a_database(void)
{
    begin();
    uint64_t restored;
    struct mf_options options = writing();
    CU_ASSERT_EQUAL(back_up(2, NULL, NULL), MF_OK);
    file_write_text(path_of(folder, "shared"), "AN INDEX"); /* the size is right */
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 2, database_path, &options, &restored, NULL),
                    MF_CORRUPT);
    CU_ASSERT_EQUAL(version_of(database_path), 4);
    CU_ASSERT_FALSE(file_exists(path_of(database_path, "lsm-000005")));
    file_write_text(path_of(folder, "shared"), "an index");
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 2, database_path, &options, &restored, NULL), MF_OK);
    CU_ASSERT_EQUAL(restored, 5);
    CU_ASSERT_TRUE(content_is(database_path, MF_KIND_LSM, "", "two"));
    struct mf_database *database = open_database(database_path, true);
    struct mf_manifest kept;
    CU_ASSERT_EQUAL(mf_database_read_version(database, 4, &kept, NULL), MF_OK);
    mf_manifest_clear(&kept);
    mf_database_close(database);
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 3, database_path, &options, NULL, NULL),
                    MF_NO_VERSION);
    CU_ASSERT_EQUAL(mf_backup_restore(root, 2, database_path, &options, NULL, NULL),
                    MF_NO_DATABASE);
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 2, folder, &options, NULL, NULL), MF_CORRUPT);
    file_write_text(path_of(database_path, "MANIFEST-CURRENT"), "");
    CU_ASSERT_EQUAL(mf_backup_restore(folder, 2, database_path, &options, NULL, NULL), MF_CORRUPT);
    end();
}

static const struct unit_test tests[] = {
    {"the text of a link", link_text},
    {"a chain of increments", chain},
    {"restorable alone, to any version", restorable_alone},
    {"the order of a backup", order_of_a_backup},
    {"the order where a rename is not one step", order_in_place},
    {"a part stands for its link", part_counts},
    {"a part that was cut short", part_cut_short},
    {"a link or a part that cannot be read", link_unreadable},
    {"files that are found are made durable", found_files_are_synced},
    {"a damaged source is an error", damaged_source},
    {"leftovers are written anew, rot is found", leftovers_and_rot},
    {"the wrong folder", wrong_folder},
    {"only what is durable, one at a time", only_what_is_durable},
    {"names that lead outside", names_that_lead_outside},
    {"restoring into a database", restore_into_a_database},
};

UNIT_MAIN("backup", tests)

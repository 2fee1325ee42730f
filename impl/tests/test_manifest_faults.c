/*
 * Every function that changes something, with a fault at every single call that it
 * makes to the platform: an error before or after the call took effect, or a
 * process that is dead from there on. Afterwards, whatever happened: the database
 * opens, every version that is listed is whole, what was said to be done is done,
 * and doing it again gets it done. With both commit points.
 */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory with a database at version 4, and what an operation works on. */
struct scene {
    char *root;
    char database[256];
    char backup[256];
    char other[256]; /* another database, to restore to; not always there */
    enum mf_commit_point point;
};

struct operation {
    const char *name;
    void (*prepare)(const struct scene *scene);
    enum mf_code (*run)(const struct scene *scene, struct faulty *faulty);
    bool (*done)(const struct scene *scene);
    bool starts_corrupt;
};

/* ---- Building blocks, without faults unless the platform has them ---- */

static struct mf_options options_of(const struct scene *scene, struct faulty *faulty)
{
    struct mf_options options = faulty_options(faulty, true);
    options.commit_point = scene->point;
    return options;
}

struct content {
    enum mf_kind kind;
    const char *key;
    const char *bytes; /* NULL: remove the entry */
};

static enum mf_code commit_contents(struct mf_database *database, const struct content *contents,
                                    size_t count)
{
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, NULL);
    if (code != MF_OK)
        return code;
    for (size_t i = 0; i < count && code == MF_OK; i++)
        code = contents[i].bytes == NULL
                   ? mf_transaction_remove(transaction, contents[i].kind, contents[i].key, NULL)
                   : mf_transaction_add(transaction, contents[i].kind, contents[i].key,
                                        contents[i].bytes, strlen(contents[i].bytes), NULL);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, NULL, NULL);
    mf_transaction_abort(transaction);
    return code;
}

static const struct content second[] = {{MF_KIND_LSM, "", "old rows"},
                                        {MF_KIND_TEXT, "t", "words"}};
static const struct content third[] = {{MF_KIND_LSM, "", "newer rows"}};
static const struct content fourth[] = {{MF_KIND_TEXT, "t", NULL}, {MF_KIND_COLUMN, "c", "column"}};
static const struct content fifth[] = {{MF_KIND_LSM, "", "the newest rows"}};

static void build_database(const struct scene *scene)
{
    static const struct {
        const struct content *contents;
        size_t count;
    } versions[] = {{second, 2}, {third, 1}, {fourth, 2}};
    struct faulty healthy;
    struct mf_database *database;
    faulty_init(&healthy);
    struct mf_options options = options_of(scene, &healthy);
    CU_ASSERT_EQUAL_FATAL(mf_database_init(scene->database, &options, NULL), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(scene->database, &options, &database, NULL), MF_OK);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(commit_contents(database, versions[i].contents, versions[i].count),
                              MF_OK);
    mf_database_close(database);
}

/* Opens for writing, calls, closes. */
static enum mf_code with_database(const struct scene *scene, struct faulty *faulty,
                                  enum mf_code (*call)(struct mf_database *database,
                                                       const struct scene *scene))
{
    struct mf_database *database;
    struct mf_options options = options_of(scene, faulty);
    enum mf_code code = mf_database_open(scene->database, &options, &database, NULL);
    if (code != MF_OK)
        return code;
    code = call(database, scene);
    mf_database_close(database);
    return code;
}

/* Whether the current version of a database has that content. */
static bool current_is(const char *path, enum mf_kind kind, const char *key, const char *content)
{
    struct faulty healthy;
    struct mf_database *database;
    void *data = NULL;
    size_t size = 0;
    faulty_init(&healthy);
    struct mf_options options = faulty_options(&healthy, false);
    if (mf_database_open(path, &options, &database, NULL) != MF_OK)
        return false;
    const struct mf_file *file = mf_manifest_find(mf_database_current(database), kind, key);
    bool same = file != NULL &&
                mf_database_read_file(database, file, &data, &size, NULL) == MF_OK &&
                size == strlen(content) && memcmp(data, content, size) == 0;
    free(data);
    mf_database_close(database);
    return same;
}

static uint64_t current_version(const char *path)
{
    struct faulty healthy;
    uint64_t version = 0;
    faulty_init(&healthy);
    struct mf_options options = faulty_options(&healthy, false);
    mf_database_verify(path, &options, NULL, NULL, &version, NULL);
    return version;
}

static bool exists(const char *directory, const char *name)
{
    return file_exists(path_of(directory, name));
}

/* ---- The operations ---- */

static void prepare_nothing(const struct scene *scene)
{
    (void)scene;
}

static enum mf_code run_init(const struct scene *scene, struct faulty *faulty)
{
    struct mf_options options = options_of(scene, faulty);
    enum mf_code code = mf_database_init(scene->other, &options, NULL);
    return code == MF_EXISTS ? MF_OK : code; /* an earlier run got that far */
}

static bool init_done(const struct scene *scene)
{
    return current_version(scene->other) == 1;
}

static enum mf_code call_nothing(struct mf_database *database, const struct scene *scene)
{
    (void)database, (void)scene;
    return MF_OK;
}

static enum mf_code run_open(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_nothing);
}

/* A slot that a cut commit left torn, a kept copy that is missing. */
static void prepare_open(const struct scene *scene)
{
    bool slots = scene->point == MF_COMMIT_SLOTS;
    const char *name = path_of(scene->database, slots ? "MANIFEST-SLOT-B" : "MANIFEST-000004");
    /* Versions 1 to 4 have been written to B, A, B, A. */
    if (slots)
        file_write_text(name, "torn");
    else
        unlink(name);
}

static bool open_done(const struct scene *scene)
{
    return current_version(scene->database) == 4 && exists(scene->database, "MANIFEST-000004");
}

static enum mf_code call_commit(struct mf_database *database, const struct scene *scene)
{
    (void)scene;
    return commit_contents(database, fifth, 1);
}

static enum mf_code run_commit(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_commit);
}

static bool commit_done(const struct scene *scene)
{
    return current_version(scene->database) >= 5 &&
           current_is(scene->database, MF_KIND_LSM, "", "the newest rows");
}

/* More files than one, made durable together. */
static enum mf_code call_flush(struct mf_database *database, const struct scene *scene)
{
    static const struct content contents[] = {
        {MF_KIND_LSM, "", "the newest rows"}, {MF_KIND_TEXT, "a", "1"}, {MF_KIND_TEXT, "b", "2"}};
    (void)scene;
    return commit_contents(database, contents, 3);
}

static enum mf_code run_flush(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_flush);
}

static enum mf_code call_load(struct mf_database *database, const struct scene *scene)
{
    struct mf_transaction *transaction;
    (void)scene;
    enum mf_code code = mf_transaction_begin(database, &transaction, NULL);
    if (code != MF_OK)
        return code;
    code = mf_transaction_load(transaction, 2, NULL);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, NULL, NULL);
    mf_transaction_abort(transaction);
    return code;
}

static enum mf_code run_load(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_load);
}

static bool load_done(const struct scene *scene)
{
    return current_version(scene->database) >= 5 &&
           current_is(scene->database, MF_KIND_LSM, "", "old rows") &&
           current_is(scene->database, MF_KIND_TEXT, "t", "words");
}

/* A file under a name of its own: only its manifest tells whose it is. */
static void prepare_clean(const struct scene *scene)
{
    struct faulty healthy;
    struct mf_database *database;
    struct mf_transaction *transaction;
    faulty_init(&healthy);
    struct mf_options options = options_of(scene, &healthy);
    CU_ASSERT_EQUAL_FATAL(mf_database_open(scene->database, &options, &database, NULL), MF_OK);
    for (int round = 0; round < 2; round++) {
        CU_ASSERT_EQUAL_FATAL(mf_transaction_begin(database, &transaction, NULL), MF_OK);
        file_write_text(path_of(scene->database, "adopted"), "by the program");
        CU_ASSERT_EQUAL(
            round == 0 ? mf_transaction_adopt(transaction, MF_KIND_VECTOR, "v", "adopted", NULL)
                       : mf_transaction_remove(transaction, MF_KIND_VECTOR, "v", NULL),
            MF_OK);
        CU_ASSERT_EQUAL_FATAL(mf_transaction_commit(transaction, NULL, NULL), MF_OK);
    }
    mf_database_close(database);
    file_write_text(path_of(scene->database, "foreign"), "somebody's");
}

static enum mf_code call_clean(struct mf_database *database, const struct scene *scene)
{
    (void)scene;
    return mf_history_clean(database, 1, NULL, NULL);
}

static enum mf_code run_clean(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_clean);
}

/* Exactly what version 6 consists of is left, and what belongs to others. */
static bool clean_done(const struct scene *scene)
{
    static const char *const gone[] = {
        "MANIFEST-000001",         "MANIFEST-000002", "MANIFEST-000003",
        "MANIFEST-000004",         "MANIFEST-000005", "adopted",
        "MANIFEST-000005.removed", "lsm-000002",      "text-t-000002"};
    static const char *const kept[] = {"MANIFEST-000006", "lsm-000003", "column-c-000004",
                                       "foreign"};
    bool right = current_version(scene->database) == 6;
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        right = right && !exists(scene->database, gone[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        right = right && exists(scene->database, kept[i]);
    return right;
}

static void prepare_orphans(const struct scene *scene)
{
    static const char *const names[] = {"MANIFEST-000009", "MANIFEST-CURRENT.7.tmp",
                                        "lsm-000009",      "text-t_x-000003-2",
                                        "foreign",         "lsm-12"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        file_write_text(path_of(scene->database, names[i]), "x");
}

static enum mf_code call_orphans(struct mf_database *database, const struct scene *scene)
{
    (void)scene;
    return mf_orphans_remove(database, NULL, NULL);
}

static enum mf_code run_orphans(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_orphans);
}

static bool orphans_done(const struct scene *scene)
{
    return current_version(scene->database) == 4 && !exists(scene->database, "MANIFEST-000009") &&
           !exists(scene->database, "MANIFEST-CURRENT.7.tmp") &&
           !exists(scene->database, "lsm-000009") &&
           !exists(scene->database, "text-t_x-000003-2") && exists(scene->database, "foreign") &&
           exists(scene->database, "lsm-12") && exists(scene->database, "lsm-000002");
}

static enum mf_code call_backup(struct mf_database *database, const struct scene *scene)
{
    return mf_backup_create(database, 4, scene->backup, NULL, NULL, NULL);
}

static enum mf_code run_backup(const struct scene *scene, struct faulty *faulty)
{
    return with_database(scene, faulty, call_backup);
}

static enum mf_code inspect_backup(const struct scene *scene)
{
    struct faulty healthy;
    faulty_init(&healthy);
    struct mf_options options = faulty_options(&healthy, false);
    return mf_backup_inspect(scene->backup, &options, NULL, NULL, NULL);
}

static bool backup_done(const struct scene *scene)
{
    return inspect_backup(scene) == MF_OK && exists(scene->backup, "MANIFEST-BACKUP-000004") &&
           exists(scene->backup, "column-c-000004");
}

static enum mf_code call_first_backup(struct mf_database *database, const struct scene *scene)
{
    return mf_backup_create(database, 2, scene->backup, NULL, NULL, NULL);
}

static void prepare_increment(const struct scene *scene)
{
    struct faulty healthy;
    faulty_init(&healthy);
    CU_ASSERT_EQUAL_FATAL(with_database(scene, &healthy, call_first_backup), MF_OK);
}

static bool increment_done(const struct scene *scene)
{
    return backup_done(scene) && exists(scene->backup, "MANIFEST-BACKUP-000002");
}

static enum mf_code run_restore(const struct scene *scene, struct faulty *faulty)
{
    struct mf_options options = options_of(scene, faulty);
    return mf_backup_restore(scene->backup, 2, scene->database, &options, NULL, NULL);
}

static enum mf_code run_restore_elsewhere(const struct scene *scene, struct faulty *faulty)
{
    struct mf_options options = options_of(scene, faulty);
    return mf_backup_restore(scene->backup, 2, scene->other, &options, NULL, NULL);
}

static bool restore_elsewhere_done(const struct scene *scene)
{
    return current_version(scene->other) >= 2 &&
           current_is(scene->other, MF_KIND_LSM, "", "old rows") &&
           current_is(scene->other, MF_KIND_TEXT, "t", "words");
}

/* A file of the current version is damaged; version 3 is not. Something stands above. */
static void prepare_recover(const struct scene *scene)
{
    file_write_text(path_of(scene->database, "MANIFEST-000009"), "damaged");
    file_write_text(path_of(scene->database, "column-c-000004"), "COLUMN");
}

static enum mf_code run_recover(const struct scene *scene, struct faulty *faulty)
{
    struct mf_options options = options_of(scene, faulty);
    enum mf_code code = mf_database_recover(scene->database, &options, 3, NULL, NULL);
    return code == MF_INVALID ? MF_OK : code; /* an earlier run got that far */
}

static bool recover_done(const struct scene *scene)
{
    return current_version(scene->database) >= 10 &&
           current_is(scene->database, MF_KIND_LSM, "", "newer rows") &&
           exists(scene->database, "MANIFEST-000004") &&
           !exists(scene->database, "MANIFEST-000009") &&
           exists(scene->database, "MANIFEST-000009.damaged");
}

static const struct operation operations[] = {
    {"init", prepare_nothing, run_init, init_done, false},
    {"open for writing", prepare_open, run_open, open_done, false},
    {"commit", prepare_nothing, run_commit, commit_done, false},
    {"commit of many files", prepare_nothing, run_flush, commit_done, false},
    {"commit of an old version's content", prepare_nothing, run_load, load_done, false},
    {"clean-up", prepare_clean, run_clean, clean_done, false},
    {"removal of orphans", prepare_orphans, run_orphans, orphans_done, false},
    {"first backup", prepare_nothing, run_backup, backup_done, false},
    {"incremental backup", prepare_increment, run_backup, increment_done, false},
    {"restore to a database", prepare_increment, run_restore, load_done, false},
    {"restore to nothing", prepare_increment, run_restore_elsewhere, restore_elsewhere_done, false},
    {"recovery by hand", prepare_recover, run_recover, recover_done, true},
};

/* ---- What must be true after a fault ---- */

static const struct operation *running;

static void expect(bool holds, const char *what, const struct faulty *faulty)
{
    if (!holds)
        fprintf(stderr, "%s: %s: fault in %s, call %u, errno %d%s%s\n", running->name, what,
                faulty->failed != NULL ? faulty->failed : "nothing", faulty->fail_at, faulty->error,
                faulty->after ? ", after" : "", faulty->dead ? ", dead" : "");
    CU_ASSERT_TRUE(holds);
}

static bool version_is_whole(struct mf_database *database, uint64_t number)
{
    struct mf_manifest manifest;
    if (mf_database_read_version(database, number, &manifest, NULL) != MF_OK)
        return false;
    bool whole = true;
    for (size_t i = 0; i < manifest.file_count && whole; i++) {
        void *data = NULL;
        size_t size;
        whole = mf_database_read_file(database, &manifest.files[i], &data, &size, NULL) == MF_OK;
        free(data);
    }
    mf_manifest_clear(&manifest);
    return whole;
}

/* Every version that is listed has all its files, as recorded. */
static bool all_versions_are_whole(const char *path, struct faulty *platform)
{
    struct mf_database *database;
    struct mf_versions versions;
    struct mf_options options = faulty_options(platform, false);
    if (mf_database_open(path, &options, &database, NULL) != MF_OK)
        return false;
    bool whole = mf_history_versions(database, &versions, NULL) == MF_OK;
    for (size_t i = 0; i < versions.count && whole; i++)
        whole = version_is_whole(database, versions.numbers[i]);
    mf_versions_clear(&versions);
    mf_database_close(database);
    return whole;
}

static struct scene scene_new(enum mf_commit_point point)
{
    struct scene scene = {.root = scratch_new(), .point = point};
    snprintf(scene.database, sizeof(scene.database), "%s/db", scene.root);
    snprintf(scene.backup, sizeof(scene.backup), "%s/backup", scene.root);
    snprintf(scene.other, sizeof(scene.other), "%s/other", scene.root);
    build_database(&scene);
    return scene;
}

static void check_scene(const struct scene *scene, const struct faulty *faulty)
{
    struct faulty healthy;
    faulty_init(&healthy);
    struct mf_options options = options_of(scene, &healthy);
    enum mf_code other = mf_database_verify(scene->other, &options, NULL, NULL, NULL, NULL);
    enum mf_code backup = inspect_backup(scene);
    if (!running->starts_corrupt)
        expect(all_versions_are_whole(scene->database, &healthy), "whole", faulty);
    expect(other == MF_OK || other == MF_NO_DATABASE, "the other database", faulty);
    expect(backup == MF_OK || backup == MF_NO_DATABASE, "the backup", faulty);
    expect(healthy.open_handles == 0, "own handles", faulty);
}

/* A platform that renames and then reports an error that says it did not. */
static bool sync_failed(const struct faulty *faulty)
{
    return faulty->failed != NULL && strncmp(faulty->failed, "sync", 4) == 0 &&
           faulty->error != EINTR;
}

static bool run_once(const struct operation *operation, const struct scene *scene,
                     struct faulty *faulty)
{
    struct faulty healthy;
    faulty_init(&healthy);
    enum mf_code code = operation->run(scene, faulty);
    bool reached = faulty->fail_at != 0 && faulty->calls >= faulty->fail_at;
    expect(faulty->open_handles == 0, "handles", faulty);
    if (code == MF_OK)
        expect(operation->done(scene), "said to be done", faulty);
    if (sync_failed(faulty))
        expect(code != MF_OK, "a failed sync is no success", faulty);
    if (faulty->error == EINTR && !faulty->after && faulty->failed != NULL &&
        strcmp(faulty->failed, "rename") != 0)
        expect(code == MF_OK, "interrupted", faulty);
    check_scene(scene, faulty);
    code = operation->run(scene, &healthy);
    expect(code == MF_OK && operation->done(scene), "again", faulty);
    check_scene(scene, faulty);
    code = with_database(scene, &healthy, call_commit);
    expect(code == MF_OK, "a commit afterwards", faulty);
    expect(healthy.open_handles == 0, "handles afterwards", faulty);
    return reached;
}

static const struct mode {
    int error;
    bool after;
    bool dead;
} modes[] = {
    {EIO, false, false},    {EIO, true, false},     {EIO, false, true},    {EINTR, false, false},
    {ENOSPC, false, false}, {EDQUOT, false, false}, {EROFS, false, false},
};

/* The last ones fail where the first does, and tell the library's errors apart. */
#ifndef DEFAULT_MODES
#define DEFAULT_MODES (sizeof(modes) / sizeof(modes[0]))
#endif

static void run_with_faults(const struct operation *operation, enum mf_commit_point point,
                            const struct mode *mode)
{
    bool reached = true;
    unsigned call = 1;
    for (; reached; call++) {
        struct faulty faulty;
        struct scene scene = scene_new(point);
        operation->prepare(&scene);
        faulty_init(&faulty);
        faulty_arm(&faulty, call, mode->error);
        faulty.after = mode->after;
        faulty.dead = mode->dead;
        reached = run_once(operation, &scene, &faulty);
        scratch_remove(scene.root);
    }
    CU_ASSERT_TRUE(call > 15); /* it did come to something */
}

static void run_short(const struct operation *operation, enum mf_commit_point point)
{
    struct faulty faulty;
    struct scene scene = scene_new(point);
    operation->prepare(&scene);
    faulty_init(&faulty);
    faulty_arm(&faulty, 0, 0);
    faulty.max_transfer = 3;
    CU_ASSERT_EQUAL(operation->run(&scene, &faulty), MF_OK);
    CU_ASSERT_TRUE(operation->done(&scene));
    scratch_remove(scene.root);
}

static size_t mode_count(void)
{
    const char *all = getenv("CRASHMATRIX_ALL_FAULTS");
    return all != NULL ? sizeof(modes) / sizeof(modes[0]) : DEFAULT_MODES;
}

static void run_all(enum mf_commit_point point)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        running = &operations[i];
        run_short(running, point);
        for (size_t j = 0; j < mode_count(); j++)
            run_with_faults(running, point, &modes[j]);
    }
}

static void with_rename(void)
{
    run_all(MF_COMMIT_RENAME);
}

static void with_slots(void)
{
    run_all(MF_COMMIT_SLOTS);
}

static const struct unit_test tests[] = {
    {"a fault at every call of every function, rename", with_rename},
    {"a fault at every call of every function, slots", with_slots},
};

UNIT_MAIN("faults", tests)

/*
 * Life of a handle: init, open (with recovery when it is for writing), reading,
 * sweeping, close.
 */
#include "database.h"

#include "commit.h"
#include "content.h"
#include "directory.h"
#include "document.h"
#include "error.h"
#include "names.h"
#include "reader.h"
#include "removal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Handles
 */

enum mf_code mf_database_create_handle(const char *path, const struct mf_options *options,
                                       struct mf_database **result, struct mf_error *error)
{
    struct mf_database *database = malloc(sizeof(*database));
    if (database == NULL)
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory to open a database");
    *database = (struct mf_database){.lock = -1};
    if (options != NULL)
        database->options = *options;
    const struct mf_platform *platform = database->options.platform;
    int opened = mf_io_open_directory(platform != NULL ? platform : mf_platform_posix(), path,
                                      &database->directory);
    if (opened < 0) {
        free(database);
        return mf_fail(error, opened == -ENOENT ? MF_NO_DATABASE : MF_IO, opened,
                       "%s: cannot be opened", path);
    }
    *result = database;
    return MF_OK;
}

enum mf_code mf_database_check_idle(const struct mf_database *database, struct mf_error *error)
{
    if (!database->takes_commits)
        return mf_fail(error, MF_READ_ONLY, 0,
                       database->options.writable
                           ? "an earlier failure closed the handle for writing"
                           : "the database was opened for reading");
    if (database->transaction != NULL)
        return mf_fail(error, MF_INVALID, 0, "a transaction of this handle is open already");
    return MF_OK;
}

void mf_database_close(struct mf_database *database)
{
    if (database == NULL)
        return;
    mf_transaction_abort(database->transaction);
    mf_version_clear(&database->current);
    mf_io_close(&database->directory, database->lock);
    mf_io_close(&database->directory, database->directory.handle);
    free(database);
}

/* One writer at a time: two would tear each other's files, and what one takes
 * for a leftover would be the other's work. */
enum mf_code mf_database_lock(struct mf_database *database, struct mf_error *error)
{
    const struct mf_platform *platform = database->directory.platform;
    int lock = mf_io_open(&database->directory, MF_NAME_LOCK, MF_OPEN_WRITE | MF_OPEN_CREATE);
    if (lock == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_IO, 0, "%s: not a regular file", MF_NAME_LOCK);
    if (lock < 0)
        return mf_fail(error, MF_IO, lock, "%s: cannot be opened", MF_NAME_LOCK);
    database->lock = lock;
    int result;
    do {
        result = platform->lock(platform->context, lock, database->options.lock_timeout_ms);
    } while (result == -EINTR);
    if (result == -EAGAIN)
        return mf_fail(error, MF_LOCKED, result, "%s: held by another writer", MF_NAME_LOCK);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be locked", MF_NAME_LOCK);
    return MF_OK;
}

/*
 * Opening and recovery
 */

enum mf_code mf_database_inspect(struct mf_database *database, struct mf_error *error)
{
    mf_version_clear(&database->current);
    if (database->lock < 0)
        return mf_reader_inspect(&database->directory, &database->options, NULL, NULL,
                                 &database->current, &database->condition, error);
    return mf_inspect(&database->directory, &database->options, NULL, NULL, &database->current,
                      &database->condition, error);
}

/* Through a temporary, not in place: a copy that is cut half-way would differ
 * from the current manifest, and the next open would call that corrupt. */
static enum mf_code restore_copy(struct mf_database *database, struct mf_error *error)
{
    const struct mf_version *current = &database->current;
    struct mf_name name = mf_name_of_version(current->manifest.version);
    enum mf_code code = mf_commit_switch(database, name.text, current->text, current->size, error);
    if (code == MF_OK)
        return MF_OK;
    /* With or without the copy, the current version is the same. */
    return mf_fail_again(error, MF_IO, "restoring the copy of the current manifest");
}

/*
 * The version that was found may be in memory only: its writer may have been
 * killed between the rename and the last sync, or that sync may have failed, and
 * then a bare sync now would prove nothing. So the same bytes are published once
 * more, in full, before anything is built on them.
 */
static enum mf_code publish_again(struct mf_database *database, struct mf_error *error)
{
    enum mf_code code = database->condition.commit_point == MF_COMMIT_SLOTS
                            ? mf_slots_publish_again(database, error)
                            : mf_commit_publish(database, &database->current, error);
    return code == MF_NOT_COMMITTED
               ? mf_fail_again(error, MF_IO, "publishing the current version again")
               : code;
}

/*
 * What is written from now on may take the blocks that the predecessor's rename freed, at
 * once where a file system allows that (ext4 with data=writeback, ext2): if the rename is
 * then lost, the old manifest is the current one, with other bytes. So it is made durable
 * first, as far as a bare sync can.
 */
static enum mf_code settle_names(struct mf_database *database, struct mf_error *error)
{
    if (database->condition.commit_point == MF_COMMIT_SLOTS)
        return MF_OK;
    return mf_commit_sync(database, database->directory.handle, "the directory", error);
}

/* What is told about the state in which the database was found. */
static void remember(struct mf_database *database)
{
    const struct mf_condition *condition = &database->condition;
    database->copy_was_missing = condition->copy_missing;
    database->fell_back = condition->commit_point == MF_COMMIT_SLOTS &&
                          mf_slots_invalid(&condition->slots) != MF_SLOTS;
}

static enum mf_code recover(struct mf_database *database, struct mf_error *error)
{
    remember(database);
    enum mf_code code = settle_names(database, error);
    if (code == MF_OK && database->copy_was_missing)
        code = restore_copy(database, error);
    if (code == MF_OK)
        code = publish_again(database, error);
    /* What wrote an unsealed manifest may not have made its files durable. */
    database->durable = code == MF_OK && database->current.manifest.sealed;
    database->takes_commits = code == MF_OK;
    return code;
}

/* Whether a commit has been here: then there is a database, be it corrupt. */
static bool has_version(const struct mf_database *database)
{
    struct mf_status status;
    struct mf_slots slots;
    if (mf_io_status_at(&database->directory, MF_NAME_CURRENT, &status) == 0)
        return true;
    return mf_slots_read(&database->directory, &slots, NULL) == MF_OK &&
           slots.slot[slots.winner].sequence > 0;
}

/* The first inspection keeps a lock file from being made where there is no
 * database; the second is the one that counts. */
static enum mf_code open_for_writing(struct mf_database *database, struct mf_error *error)
{
    enum mf_code code = has_version(database) ? MF_OK : mf_database_inspect(database, error);
    if (code == MF_OK)
        code = mf_database_lock(database, error);
    if (code == MF_OK)
        code = mf_database_inspect(database, error);
    if (code == MF_OK)
        code = recover(database, error);
    return code;
}

static enum mf_code open_for_reading(struct mf_database *database, struct mf_error *error)
{
    enum mf_code code = mf_database_inspect(database, error);
    remember(database);
    return code;
}

enum mf_code mf_database_open(const char *path, const struct mf_options *options,
                              struct mf_database **result, struct mf_error *error)
{
    struct mf_database *database;
    enum mf_code code = mf_database_create_handle(path, options, &database, error);
    if (code != MF_OK)
        return code;
    code = database->options.writable ? open_for_writing(database, error)
                                      : open_for_reading(database, error);
    if (code != MF_OK) {
        mf_database_close(database);
        return code;
    }
    *result = database;
    return MF_OK;
}

/*
 * Init
 */

/* MF_OK when there is nothing but what a cut init left behind. */
static enum mf_code require_no_database(struct mf_database *database, struct mf_error *error)
{
    struct mf_error found;
    struct mf_status status;
    int result = mf_io_status_at(&database->directory, MF_NAME_CURRENT, &status);
    if (result == 0)
        return mf_fail(error, MF_EXISTS, -EEXIST, "there is a %s already", MF_NAME_CURRENT);
    if (result != -ENOENT)
        return mf_fail(error, MF_IO, result, "%s: cannot be looked up", MF_NAME_CURRENT);
    enum mf_code code = mf_database_inspect(database, &found);
    if (code == MF_NO_DATABASE)
        return MF_OK;
    if (code == MF_OK)
        code = mf_fail(&found, MF_EXISTS, -EEXIST, "there is a database with slots already");
    if (error != NULL)
        *error = found;
    return code;
}

/* After the manifest that may stand beside them: slots that are half removed must
 * not look like those of a database that has lost them. */
static enum mf_code remove_slots(struct mf_database *database, struct mf_error *error)
{
    for (unsigned i = 0; i < MF_SLOTS; i++) {
        int result = mf_io_remove(&database->directory, mf_slots_name(i));
        if (result < 0)
            return mf_fail(error, MF_IO, result, "%s: cannot be removed", mf_slots_name(i));
    }
    return mf_commit_sync(database, database->directory.handle, "the directory", error);
}

/* The number 1 is used again: a higher one left by a cut init could not be told
 * from a database that has lost its current manifest. So the old file's removal
 * is made durable before the new one is made. */
static enum mf_code remove_cut_init(struct mf_database *database, struct mf_error *error)
{
    struct mf_removed removed;
    enum mf_code code = mf_database_sweep(database, &removed, error);
    database->used = 0;
    if (code == MF_OK && removed.manifests + removed.files > 0)
        code = mf_commit_sync(database, database->directory.handle, "the directory", error);
    if (code == MF_OK && mf_slots_present(&database->condition.slots))
        code = remove_slots(database, error);
    return code;
}

static enum mf_code make_commit_point(struct mf_database *database, struct mf_error *error)
{
    enum mf_commit_point point = database->options.commit_point;
    if (point == MF_COMMIT_AUTOMATIC)
        point = mf_io_rename_is_atomic(&database->directory) ? MF_COMMIT_RENAME : MF_COMMIT_SLOTS;
    database->condition.commit_point = point;
    return point == MF_COMMIT_SLOTS ? mf_slots_create(database, error) : MF_OK;
}

static enum mf_code commit_first_version(struct mf_database *database, struct mf_error *error)
{
    struct mf_transaction *transaction;
    database->takes_commits = true;
    enum mf_code code = remove_cut_init(database, error);
    if (code == MF_OK)
        code = make_commit_point(database, error);
    if (code == MF_OK)
        code = mf_transaction_begin(database, &transaction, error);
    if (code == MF_OK)
        code = mf_transaction_commit(transaction, NULL, error);
    return code;
}

enum mf_code mf_database_init(const char *path, const struct mf_options *options,
                              struct mf_error *error)
{
    const struct mf_platform *platform = options != NULL ? options->platform : NULL;
    if (platform == NULL)
        platform = mf_platform_posix();
    struct mf_database *database = NULL;
    enum mf_code code = mf_directory_make(platform, path, error);
    if (code == MF_OK)
        code = mf_database_create_handle(path, options, &database, error);
    if (code == MF_OK) /* nobody's database gets a lock file by mistake */
        code = require_no_database(database, error);
    if (code == MF_OK)
        code = mf_commit_sync(database, database->directory.handle, path, error);
    if (code == MF_OK)
        code = mf_directory_sync_name(platform, path, error);
    if (code == MF_OK)
        code = mf_database_lock(database, error);
    if (code == MF_OK)
        code = require_no_database(database, error);
    if (code == MF_OK)
        code = commit_first_version(database, error);
    mf_database_close(database);
    return code;
}

/*
 * Sweeping
 */

struct sweep {
    struct mf_database *database;
    struct mf_removed removed;
    struct mf_error *error;
};

static int sweep_name(void *argument, const char *name)
{
    struct sweep *sweep = argument;
    struct mf_database *database = sweep->database;
    uint64_t version = 0;
    enum mf_name_class class = mf_name_classify(name, &version);
    if (mf_name_uses_number(class) && version > database->used)
        database->used = version;
    bool uncommitted = class == MF_CLASS_VERSION && version > database->current.manifest.version;
    if (class != MF_CLASS_TEMPORARY && !uncommitted)
        return 0;
    struct mf_status status;
    int result = mf_io_status_at(&database->directory, name, &status);
    if (result == 0 && status.type == MF_TYPE_DIRECTORY)
        return 0; /* none of ours, and in nobody's way */
    if (result == 0)
        result = mf_io_remove(&database->directory, name);
    if (result < 0 && result != -ENOENT) {
        mf_error_fill(sweep->error, MF_IO, result, "%s: cannot be removed", name);
        return result;
    }
    sweep->removed.bytes += result == 0 ? status.size : 0;
    sweep->removed.manifests += uncommitted ? 1 : 0;
    sweep->removed.files += uncommitted ? 0 : 1;
    return 0;
}

enum mf_code mf_database_sweep(struct mf_database *database, struct mf_removed *removed,
                               struct mf_error *error)
{
    struct mf_error failure = {.code = MF_OK};
    struct sweep sweep = {.database = database, .error = &failure};
    if (database->used < database->current.manifest.version)
        database->used = database->current.manifest.version;
    int result = mf_io_list(&database->directory, MF_NAME_PREFIX, sweep_name, &sweep);
    if (removed != NULL)
        *removed = sweep.removed;
    database->swept = result == 0;
    if (result == 0)
        return MF_OK;
    if (failure.code == MF_OK)
        mf_error_fill(&failure, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                      "the directory cannot be listed");
    if (error != NULL)
        *error = failure;
    return failure.code;
}

/*
 * Reading
 */

const struct mf_manifest *mf_database_current(const struct mf_database *database)
{
    return &database->current.manifest;
}

bool mf_database_durable(const struct mf_database *database)
{
    return database->durable;
}

bool mf_database_copy_was_missing(const struct mf_database *database)
{
    return database->copy_was_missing;
}

bool mf_database_fell_back(const struct mf_database *database)
{
    return database->fell_back;
}

enum mf_commit_point mf_database_commit_point(const struct mf_database *database)
{
    return database->condition.commit_point;
}

const char *mf_commit_point_word(enum mf_commit_point point)
{
    static const char *const words[] = {
#define X(name, word) word,
        MF_COMMIT_POINTS(X)
#undef X
    };
    return (size_t)point < sizeof(words) / sizeof(words[0]) ? words[point] : "?";
}

static enum mf_code no_version(uint64_t version, struct mf_error *error)
{
    return mf_fail(error, MF_NO_VERSION, 0, "version %" PRIu64 " is not kept", version);
}

static enum mf_code copy_current(const struct mf_database *database, struct mf_version *copy,
                                 struct mf_error *error)
{
    const struct mf_version *current = &database->current;
    char *text = malloc(current->size);
    if (text == NULL || !mf_manifest_copy(&current->manifest, &copy->manifest)) {
        free(text);
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory to copy a manifest");
    }
    copy->text = memcpy(text, current->text, current->size);
    copy->size = current->size;
    return MF_OK;
}

enum mf_code mf_database_load_version(const struct mf_database *database, uint64_t version,
                                      struct mf_version *kept, struct mf_error *error)
{
    struct mf_name name = mf_name_of_version(version);
    struct mf_error failure;
    *kept = (struct mf_version){0};
    if (version > database->current.manifest.version)
        return no_version(version, error);
    if (version == database->current.manifest.version)
        return copy_current(database, kept, error);
    bool begun;
    enum mf_code code = mf_removal_begun(database, version, &begun, error);
    if (code != MF_OK)
        return code;
    if (begun)
        return no_version(version, error);
    code =
        mf_version_read(&database->directory, name.text, &database->options.read, kept, &failure);
    if (code == MF_IO && failure.system_error == ENOENT)
        return no_version(version, error);
    if (code == MF_OK && kept->manifest.version != version)
        code = mf_fail(&failure, MF_CORRUPT, 0, "%s: says version %" PRIu64, name.text,
                       kept->manifest.version);
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

enum mf_code mf_database_read_version(struct mf_database *database, uint64_t version,
                                      struct mf_manifest *manifest, struct mf_error *error)
{
    struct mf_version kept;
    *manifest = (struct mf_manifest){0};
    enum mf_code code = mf_database_load_version(database, version, &kept, error);
    if (code == MF_OK) {
        *manifest = kept.manifest;
        kept.manifest = (struct mf_manifest){0};
    }
    mf_version_clear(&kept);
    return code;
}

enum mf_code mf_database_read_file(struct mf_database *database, const struct mf_file *file,
                                   void **data, size_t *size, struct mf_error *error)
{
    enum mf_code code = mf_content_load(&database->directory, file, data, size, error);
    return mf_reader_judge(database, file, code, error);
}

enum mf_code mf_database_verify(const char *path, const struct mf_options *options,
                                void (*visit)(void *argument, const struct mf_finding *finding),
                                void *argument, uint64_t *version, struct mf_error *error)
{
    struct mf_database *database;
    enum mf_code code = mf_database_create_handle(path, options, &database, error);
    if (code != MF_OK)
        return code;
    code = mf_reader_inspect(&database->directory, &database->options, visit, argument,
                             &database->current, &database->condition, error);
    if (version != NULL && database->current.text != NULL)
        *version = database->current.manifest.version;
    mf_database_close(database);
    return code;
}

/* The copies that removal.h tells of: made, made durable once more, and read. */
#include "removal.h"

#include "commit.h"
#include "error.h"
#include "history.h"

#include <errno.h>

/* Reads a manifest under one of its two names. MF_CORRUPT: it says nothing, or is
 * not there. */
static enum mf_code read_named(const struct mf_database *database, const struct mf_name *name,
                               uint64_t number, struct mf_version *version, struct mf_error *error)
{
    struct mf_read_options read = database->options.read;
    struct mf_error failure;
    read.accept_unsealed = true;
    enum mf_code code = mf_version_read(&database->directory, name->text, &read, version, &failure);
    if (code == MF_IO && failure.system_error == ENOENT)
        code = MF_CORRUPT;
    if (code == MF_OK && version->manifest.version != number) {
        mf_version_clear(version);
        code = MF_CORRUPT;
    }
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

/* On vfat a file that was cut short can have its size but not its blocks, and then
 * fails with EIO (fs/fat/cache.c in Linux). */
static enum mf_code read_copy(const struct mf_database *database, uint64_t number,
                              struct mf_version *copy, struct mf_error *error)
{
    struct mf_name name = mf_name_of_removed(number);
    struct mf_error failure;
    enum mf_code code = read_named(database, &name, number, copy, &failure);
    if (code == MF_IO && failure.system_error == EIO)
        code = MF_CORRUPT;
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

static bool can_have_begun(const struct mf_database *database, uint64_t version)
{
    return database->condition.commit_point == MF_COMMIT_SLOTS &&
           version < database->current.manifest.version;
}

enum mf_code mf_removal_begun(const struct mf_database *database, uint64_t version, bool *begun,
                              struct mf_error *error)
{
    struct mf_version copy = {0};
    struct mf_error failure;
    *begun = false;
    if (!can_have_begun(database, version))
        return MF_OK;
    enum mf_code code = read_copy(database, version, &copy, &failure);
    *begun = code == MF_OK;
    mf_version_clear(&copy);
    if (code == MF_OK || code == MF_CORRUPT)
        return MF_OK;
    if (error != NULL)
        *error = failure;
    return code;
}

enum mf_code mf_removal_list(const struct mf_database *database, struct mf_versions *versions,
                             struct mf_error *error)
{
    size_t kept = 0;
    *versions = (struct mf_versions){0};
    if (database->condition.commit_point != MF_COMMIT_SLOTS)
        return MF_OK;
    enum mf_code code = mf_list_numbers(&database->directory, MF_CLASS_REMOVED, versions, error);
    for (size_t i = 0; i < versions->count && code == MF_OK; i++) {
        bool begun;
        code = mf_removal_begun(database, versions->numbers[i], &begun, error);
        if (begun)
            versions->numbers[kept++] = versions->numbers[i];
    }
    versions->count = kept;
    return code;
}

enum mf_code mf_removal_withdraw(struct mf_database *database, struct mf_error *error)
{
    struct mf_name name = mf_name_of_removed(database->current.manifest.version);
    struct mf_status status;
    if (database->condition.commit_point != MF_COMMIT_SLOTS)
        return MF_OK;
    int result = mf_io_status_at(&database->directory, name.text, &status);
    if (result == -ENOENT || (result == 0 && status.type != MF_TYPE_FILE))
        return MF_OK;
    if (result == 0)
        result = mf_io_remove(&database->directory, name.text);
    return result == 0 ? MF_OK : mf_fail(error, MF_IO, result, "%s: cannot be removed", name.text);
}

/*
 * Beginning
 */

/* What was found may be in memory only, of a writer that was killed: without it nobody
 * knows the files that are about to go. */
static enum mf_code write_again(struct mf_database *database, uint64_t number,
                                struct mf_error *error)
{
    struct mf_name name = mf_name_of_removed(number);
    struct mf_version copy = {0};
    enum mf_code code = read_copy(database, number, &copy, error);
    if (code == MF_OK)
        code = mf_commit_write_again(database, name.text, copy.text, copy.size, error);
    else if (code == MF_CORRUPT)
        code = mf_fail_again(error, MF_IO, "the manifest of a version that is being removed");
    mf_version_clear(&copy);
    return code;
}

static enum mf_code write_copy(struct mf_database *database, uint64_t number,
                               struct mf_error *error)
{
    struct mf_name from = mf_name_of_version(number);
    struct mf_name to = mf_name_of_removed(number);
    struct mf_version version = {0};
    struct mf_error failure;
    enum mf_code code = read_named(database, &from, number, &version, &failure);
    if (code == MF_CORRUPT)
        return MF_OK;
    if (code == MF_OK)
        code = mf_commit_put(database, to.text, version.text, version.size, error);
    else if (error != NULL)
        *error = failure;
    mf_version_clear(&version);
    return code;
}

/* Removes MANIFEST-k, if it is a regular file. It counts if no copy will. */
static enum mf_code remove_original(struct mf_database *database, uint64_t number,
                                    struct mf_removed *removed, struct mf_error *error)
{
    struct mf_name name = mf_name_of_version(number);
    struct mf_status status;
    bool begun;
    enum mf_code code = mf_removal_begun(database, number, &begun, error);
    if (code != MF_OK)
        return code;
    int result = mf_io_status_at(&database->directory, name.text, &status);
    if (result == -ENOENT || (result == 0 && status.type != MF_TYPE_FILE))
        return MF_OK;
    if (result == 0)
        result = mf_io_remove(&database->directory, name.text);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be removed", name.text);
    if (!begun) {
        removed->manifests++;
        removed->bytes += status.size;
    }
    return MF_OK;
}

static enum mf_code remove_originals(struct mf_database *database, const uint64_t *versions,
                                     size_t count, struct mf_removed *removed,
                                     struct mf_error *error)
{
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < count && code == MF_OK; i++)
        code = remove_original(database, versions[i], removed, error);
    return code;
}

static enum mf_code sync_directory(struct mf_database *database, struct mf_error *error)
{
    return mf_commit_sync(database, database->directory.handle, "the directory", error);
}

enum mf_code mf_removal_begin(struct mf_database *database, const uint64_t *versions, size_t count,
                              struct mf_removed *removed, struct mf_error *error)
{
    struct mf_versions begun;
    enum mf_code code = mf_removal_list(database, &begun, error);
    bool nothing = begun.count + count == 0;
    for (size_t i = 0; i < begun.count && code == MF_OK; i++)
        code = write_again(database, begun.numbers[i], error);
    for (size_t i = 0; i < count && code == MF_OK; i++)
        code = write_copy(database, versions[i], error);
    if (code == MF_OK && !nothing)
        code = sync_directory(database, error);
    if (code == MF_OK)
        code = remove_originals(database, begun.numbers, begun.count, removed, error);
    if (code == MF_OK)
        code = remove_originals(database, versions, count, removed, error);
    if (code == MF_OK && !nothing) /* before the copies, which may not go first */
        code = sync_directory(database, error);
    mf_versions_clear(&begun);
    return code;
}

/*
 * Recovery by hand: somebody has decided which version is to be current. It is
 * committed again under a new number, by the steps of any other commit, so that a
 * cut leaves the corrupt database or the recovered one. What would be in the way of the
 * recovered one, manifests that cannot be read, gets another name; nothing is lost.
 */
#include "commit.h"
#include "content.h"
#include "error.h"
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How many names are tried for bytes that are set aside; each recovery that is cut takes one. */
#define NAME_ATTEMPTS 1000

/* MF_OK when the database is there and corrupt. */
static enum mf_code require_corrupt(struct mf_database *database, struct mf_error *error)
{
    struct mf_error found;
    enum mf_code code = mf_database_inspect(database, &found);
    if (code == MF_CORRUPT)
        return MF_OK;
    if (code == MF_OK)
        return mf_fail(error, MF_INVALID, 0, "the database is not corrupt");
    if (error != NULL)
        *error = found;
    return code;
}

/* A slot that cannot be written: whatever the other one says, the database does not open. */
static enum mf_code require_regular_slots(const struct mf_database *database,
                                          struct mf_error *error)
{
    for (unsigned i = 0; i < MF_SLOTS; i++) {
        struct mf_status status;
        const char *name = mf_slots_name(i);
        int result = mf_io_status_at(&database->directory, name, &status);
        if (result < 0 && result != -ENOENT)
            return mf_fail(error, MF_IO, result, "%s: cannot be looked up", name);
        if (result == 0 && status.type != MF_TYPE_FILE)
            return mf_fail(error, MF_CORRUPT, 0,
                           "%s: not a regular file; it has to be moved away first", name);
    }
    return MF_OK;
}

/* Which of the two counts is for somebody to say who knows. */
static enum mf_code require_one_commit_point(const struct mf_database *database,
                                             struct mf_error *error)
{
    struct mf_status status;
    if (database->condition.commit_point != MF_COMMIT_SLOTS)
        return MF_OK;
    enum mf_code code = require_regular_slots(database, error);
    if (code != MF_OK)
        return code;
    int result = mf_io_status_at(&database->directory, MF_NAME_CURRENT, &status);
    if (result == -ENOENT)
        return MF_OK;
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be looked up", MF_NAME_CURRENT);
    return mf_fail(error, MF_CORRUPT, 0,
                   "there are slots and a %s: one of them has to be moved away first",
                   MF_NAME_CURRENT);
}

static uint64_t last_of(const struct mf_versions *versions)
{
    return versions->count > 0 ? versions->numbers[versions->count - 1] : 0;
}

static void use(struct mf_database *database, uint64_t version)
{
    if (database->used < version)
        database->used = version;
}

/* The new number is above all that anything in the directory claims. */
static enum mf_code learn_used(struct mf_database *database, struct mf_error *error)
{
    static const enum mf_name_class classes[] = {MF_CLASS_VERSION, MF_CLASS_REMOVED,
                                                 MF_CLASS_DAMAGED};
    use(database, database->current.manifest.version);
    for (unsigned i = 0; i < MF_SLOTS; i++)
        use(database, database->condition.slots.slot[i].version);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct mf_versions versions;
        enum mf_code code = mf_list_numbers(&database->directory, classes[i], &versions, error);
        use(database, last_of(&versions));
        mf_versions_clear(&versions);
        if (code != MF_OK)
            return code;
    }
    return MF_OK;
}

static enum mf_code read_chosen(struct mf_database *database, uint64_t version,
                                struct mf_version *chosen, struct mf_error *error)
{
    struct mf_name name = mf_name_of_version(version);
    struct mf_error failure;
    enum mf_code code =
        mf_version_read(&database->directory, name.text, &database->options.read, chosen, &failure);
    if (code == MF_IO && failure.system_error == ENOENT)
        return mf_fail(error, MF_NO_VERSION, 0, "version %" PRIu64 " is not kept", version);
    if (code == MF_OK && chosen->manifest.version != version)
        code = mf_fail(&failure, MF_CORRUPT, 0, "%s: says version %" PRIu64, name.text,
                       chosen->manifest.version);
    for (size_t i = 0; code == MF_OK && i < chosen->manifest.file_count; i++) {
        enum mf_finding_kind kind;
        code = mf_content_verify(&database->directory, &chosen->manifest.files[i], false, &kind,
                                 &failure);
    }
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

/* Whether a name that is to be set aside to has these bytes, is free, or has something else, which
 * stays. On vfat a file that was cut short can fail with EIO (removal.c). */
static enum mf_code look_at_name(struct mf_database *database, const char *name, const char *text,
                                 size_t size, bool *same, bool *is_free, struct mf_error *error)
{
    struct mf_status status;
    char *found = NULL;
    size_t found_size = 0;
    int result = mf_io_load(&database->directory, name, size, &found, &found_size);
    *same = result == 0 && found_size == size && memcmp(found, text, size) == 0;
    *is_free = result == -ENOENT;
    free(found);
    if (result == 0 || result == -ENOENT || result == -EFBIG || result == MF_IO_NOT_REGULAR ||
        (result == -EIO && mf_io_status_at(&database->directory, name, &status) == 0))
        return MF_OK;
    return mf_fail(error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result, "%s: cannot be read",
                   name);
}

/* Puts the bytes under a name that nobody else touches, and makes that durable. A name that
 * has other bytes, of a recovery that was cut perhaps, stays. */
static enum mf_code set_aside(struct mf_database *database, uint64_t version, const char *text,
                              size_t size, struct mf_error *error)
{
    struct mf_name name = {""};
    bool same = false, is_free = false;
    enum mf_code code = MF_OK;
    for (unsigned i = 0; code == MF_OK && !same && !is_free && i < NAME_ATTEMPTS; i++) {
        name = mf_name_of_damaged(version, i);
        code = look_at_name(database, name.text, text, size, &same, &is_free, error);
    }
    if (code == MF_OK && same)
        code = mf_commit_write_again(database, name.text, text, size, error);
    else if (code == MF_OK) /* fails if it is not free either */
        code = mf_commit_write(database, name.text, text, size, error);
    if (code == MF_OK)
        code = mf_commit_sync(database, database->directory.handle, "the directory", error);
    return code;
}

/* Removes what is no manifest, when its bytes are safe. An empty file has none. */
static enum mf_code settle_damaged(struct mf_database *database, uint64_t version, const char *text,
                                   size_t size, struct mf_error *error)
{
    struct mf_name name = mf_name_of_version(version);
    enum mf_code code = size > 0 ? set_aside(database, version, text, size, error) : MF_OK;
    if (code != MF_OK)
        return code;
    int result = mf_io_remove(&database->directory, name.text);
    return result == 0 ? MF_OK : mf_fail(error, MF_IO, result, "%s: cannot be removed", name.text);
}

/* A whole manifest is made durable; anything else goes, and *removed is set. One that is too
 * large to be read, or no regular file, stays. */
static enum mf_code settle_manifest(struct mf_database *database, uint64_t version, bool *removed,
                                    struct mf_error *error)
{
    struct mf_read_options read = database->options.read;
    struct mf_name name = mf_name_of_version(version);
    struct mf_manifest manifest;
    char *text = NULL;
    size_t size = 0;
    int result = mf_io_load(&database->directory, name.text, mf_size_limit(&read), &text, &size);
    if (result == MF_IO_NOT_REGULAR || result == -EFBIG || result == -ENOENT)
        return MF_OK;
    if (result < 0)
        return mf_fail(error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                       "%s: cannot be read", name.text);
    read.accept_unsealed = true;
    enum mf_code code = mf_manifest_parse(text, size, &read, &manifest, NULL);
    mf_manifest_clear(&manifest);
    if (code == MF_OK) {
        code = mf_commit_write_again(database, name.text, text, size, error);
    } else if (code == MF_MALFORMED) {
        code = settle_damaged(database, version, text, size, error);
        *removed = code == MF_OK;
    } else {
        code = mf_fail(error, code, 0, "%s: no memory to read it", name.text);
    }
    free(text);
    return code;
}

/*
 * A recovery that was cut leaves half a manifest of the number that it had taken; one
 * that was killed, a whole one that may be in memory only. Below the number that this one takes it
 * would look like a kept version, and if it cannot be read then nothing could be cleaned
 * up any more. Half a manifest and one that was damaged look alike, so neither is thrown away: the
 * bytes go to another name, down to the first whole one; that is made durable. So
 * is the removal, before the next manifest can come to stand above. The whole one's name
 * becomes durable by the commit, before it switches.
 */
static enum mf_code settle_manifests(struct mf_database *database, struct mf_error *error)
{
    struct mf_versions versions;
    bool removed = true, any = false;
    enum mf_code code = mf_list_numbers(&database->directory, MF_CLASS_VERSION, &versions, error);
    for (size_t i = versions.count; i > 0 && removed && code == MF_OK; i--) {
        removed = false;
        code = settle_manifest(database, versions.numbers[i - 1], &removed, error);
        any = any || removed;
    }
    if (code == MF_OK && any)
        code = mf_commit_sync(database, database->directory.handle, "the directory", error);
    mf_versions_clear(&versions);
    return code;
}

/* What the handle takes for current is what a transaction starts from. Nothing
 * else is swept: a manifest above the chosen one may be what somebody needs next. */
static enum mf_code commit_chosen(struct mf_database *database, struct mf_version *chosen,
                                  uint64_t *recovered, struct mf_error *error)
{
    struct mf_transaction *transaction;
    mf_version_clear(&database->current);
    database->current = *chosen;
    *chosen = (struct mf_version){0};
    database->takes_commits = true;
    database->swept = true;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    return code == MF_OK ? mf_transaction_commit(transaction, recovered, error) : code;
}

enum mf_code mf_database_recover(const char *path, const struct mf_options *options,
                                 uint64_t version, uint64_t *recovered, struct mf_error *error)
{
    struct mf_database *database = NULL;
    struct mf_version chosen = {0};
    enum mf_code code = mf_database_create_handle(path, options, &database, error);
    if (code == MF_OK) /* nobody's directory gets a lock file by mistake */
        code = require_corrupt(database, error);
    if (code == MF_OK)
        code = mf_database_lock(database, error);
    if (code == MF_OK)
        code = require_corrupt(database, error);
    if (code == MF_OK)
        code = require_one_commit_point(database, error);
    if (code == MF_OK)
        code = learn_used(database, error);
    if (code == MF_OK)
        code = read_chosen(database, version, &chosen, error);
    if (code == MF_OK)
        code = settle_manifests(database, error);
    if (code == MF_OK)
        code = commit_chosen(database, &chosen, recovered, error);
    mf_version_clear(&chosen);
    mf_database_close(database);
    return code;
}

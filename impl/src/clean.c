/*
 * Removing: old versions with their files, and leftovers. What may go is decided
 * by one set, the names that the current and every kept version name; a kept
 * manifest that cannot be read therefore stops everything.
 */
#include "commit.h"
#include "error.h"
#include "history.h"
#include "nameset.h"
#include "removal.h"

#include <errno.h>

struct cleaning {
    struct mf_database *database;
    struct mf_nameset live;   /* named by a version that is kept */
    struct mf_nameset doomed; /* named by a MANIFEST-*.removed */
    struct mf_versions begun; /* with slots: whose removal has begun */
    struct mf_removed *removed;
    struct mf_error *error;
};

static enum mf_code no_memory(struct mf_error *error)
{
    return mf_fail(error, MF_NO_MEMORY, 0, "no memory for the names of files");
}

static enum mf_code cannot_list(int result, struct mf_error *error)
{
    return mf_fail(error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                   "the directory cannot be listed");
}

static void cleaning_clear(struct cleaning *cleaning)
{
    mf_nameset_clear(&cleaning->live);
    mf_nameset_clear(&cleaning->doomed);
    mf_versions_clear(&cleaning->begun);
}

static enum mf_code sync_directory(struct cleaning *cleaning)
{
    return mf_commit_sync(cleaning->database, cleaning->database->directory.handle, "the directory",
                          cleaning->error);
}

/*
 * Which files are named
 */

static enum mf_code add_names(struct mf_nameset *set, const struct mf_manifest *manifest,
                              struct mf_error *error)
{
    for (size_t i = 0; i < manifest->file_count; i++)
        if (!mf_nameset_add(set, manifest->files[i].name))
            return no_memory(error);
    return MF_OK;
}

static enum mf_code add_live(struct cleaning *cleaning, const struct mf_versions *versions,
                             size_t first)
{
    enum mf_code code = MF_OK;
    for (size_t i = first; i < versions->count && code == MF_OK; i++) {
        struct mf_manifest manifest;
        struct mf_error failure;
        code =
            mf_database_read_version(cleaning->database, versions->numbers[i], &manifest, &failure);
        if (code == MF_NO_VERSION) /* without the lock: a writer has removed it */
            code = MF_OK;
        else if (code == MF_OK)
            code = add_names(&cleaning->live, &manifest, cleaning->error);
        else if (cleaning->error != NULL)
            *cleaning->error = failure;
        mf_manifest_clear(&manifest);
    }
    return code;
}

static enum mf_code add_all_live(struct cleaning *cleaning, struct mf_versions *versions)
{
    enum mf_code code = mf_history_versions(cleaning->database, versions, cleaning->error);
    return code == MF_OK ? add_live(cleaning, versions, 0) : code;
}

static bool has_number(const struct mf_versions *versions, size_t first, uint64_t number)
{
    for (size_t i = first; i < versions->count; i++)
        if (versions->numbers[i] == number)
            return true;
    return false;
}

/*
 * Before the first file goes: of all versions that are there the files are in the live
 * set. With slots a MANIFEST-k.removed may have been read when that was made, and have
 * failed with EIO when MANIFEST-k was to go: then the version would be back, without files.
 */
static enum mf_code require_live(struct cleaning *cleaning, const struct mf_versions *live,
                                 size_t first)
{
    const struct mf_database *database = cleaning->database;
    struct mf_versions there;
    enum mf_code code =
        mf_list_numbers(&database->directory, MF_CLASS_VERSION, &there, cleaning->error);
    for (size_t i = 0; i < there.count && code == MF_OK; i++) {
        struct mf_name name = mf_name_of_version(there.numbers[i]);
        struct mf_status status;
        if (there.numbers[i] >= database->current.manifest.version ||
            has_number(live, first, there.numbers[i]))
            continue;
        int result = mf_io_status_at(&database->directory, name.text, &status);
        if (result == -ENOENT || (result == 0 && status.type != MF_TYPE_FILE))
            continue;
        code = mf_fail(cleaning->error, MF_IO, result, "%s: it is being removed, and still there",
                       name.text);
    }
    mf_versions_clear(&there);
    return code;
}

/* Whether a MANIFEST-k.removed that could not be read says nothing. With slots one that
 * was cut short may fail with EIO (removal.c): MANIFEST-k goes before the first of its
 * files, so while it is there nothing has been removed. */
static bool says_nothing(const struct cleaning *cleaning, uint64_t number, enum mf_code code,
                         const struct mf_error *failure)
{
    struct mf_status status;
    if (code == MF_CORRUPT || (code == MF_IO && failure->system_error == ENOENT))
        return true;
    return code == MF_IO && failure->system_error == EIO &&
           cleaning->database->condition.commit_point == MF_COMMIT_SLOTS &&
           mf_io_status_at(&cleaning->database->directory, mf_name_of_version(number).text,
                           &status) == 0;
}

/* One that cannot be read any more, or says another version, says nothing: it goes, and what it
 * named stays unless the names tell that the library made it. */
static enum mf_code add_doomed_by(struct cleaning *cleaning, uint64_t number)
{
    struct mf_name name = mf_name_of_removed(number);
    struct mf_read_options read = cleaning->database->options.read;
    struct mf_version version;
    struct mf_error failure;
    read.accept_unsealed = true;
    enum mf_code code =
        mf_version_read(&cleaning->database->directory, name.text, &read, &version, &failure);
    if (code == MF_OK && version.manifest.version == number)
        code = add_names(&cleaning->doomed, &version.manifest, cleaning->error);
    else if (code == MF_OK || says_nothing(cleaning, number, code, &failure))
        code = MF_OK;
    else if (cleaning->error != NULL)
        *cleaning->error = failure;
    mf_version_clear(&version);
    return code;
}

static enum mf_code add_doomed(struct cleaning *cleaning, struct mf_versions *removed)
{
    enum mf_code code =
        mf_list_numbers(&cleaning->database->directory, MF_CLASS_REMOVED, removed, cleaning->error);
    for (size_t i = 0; i < removed->count && code == MF_OK; i++)
        code = add_doomed_by(cleaning, removed->numbers[i]);
    return code;
}

/*
 * Removing
 */

/* Removes a name if it is a regular file, and counts it if it was there. */
static int remove_file(struct cleaning *cleaning, const char *name, size_t *count)
{
    const struct mf_directory *directory = &cleaning->database->directory;
    struct mf_status status;
    int result = mf_io_status_at(directory, name, &status);
    if (result == -ENOENT || (result == 0 && status.type != MF_TYPE_FILE))
        return 0;
    if (result == 0)
        result = mf_io_remove(directory, name);
    if (result < 0) {
        mf_error_fill(cleaning->error, MF_IO, result, "%s: cannot be removed", name);
        return result;
    }
    *count += 1;
    cleaning->removed->bytes += status.size;
    return 0;
}

static enum mf_code remove_doomed_files(struct cleaning *cleaning)
{
    const struct mf_nameset *doomed = &cleaning->doomed;
    size_t before = cleaning->removed->files;
    for (size_t i = 0; i < doomed->capacity; i++)
        if (doomed->names[i] != NULL && !mf_nameset_has(&cleaning->live, doomed->names[i]) &&
            remove_file(cleaning, doomed->names[i], &cleaning->removed->files) < 0)
            return MF_IO;
    return cleaning->removed->files > before ? sync_directory(cleaning) : MF_OK;
}

/* Their files are gone for good by now, so nobody needs to know them any more. */
static enum mf_code remove_doomed_manifests(struct cleaning *cleaning,
                                            const struct mf_versions *removed)
{
    for (size_t i = 0; i < removed->count; i++)
        if (remove_file(cleaning, mf_name_of_removed(removed->numbers[i]).text,
                        &cleaning->removed->manifests) < 0)
            return MF_IO;
    return removed->count > 0 ? sync_directory(cleaning) : MF_OK;
}

static enum mf_code finish_removal(struct cleaning *cleaning)
{
    struct mf_versions removed = {0};
    enum mf_code code = add_doomed(cleaning, &removed);
    if (code == MF_OK)
        code = remove_doomed_files(cleaning);
    if (code == MF_OK)
        code = remove_doomed_manifests(cleaning, &removed);
    mf_versions_clear(&removed);
    return code;
}

/* From here on these versions are not kept. That is durable before any of their
 * files goes: a version that is listed must not miss files. */
static enum mf_code doom_versions(struct cleaning *cleaning, const struct mf_versions *versions,
                                  size_t count)
{
    const struct mf_directory *directory = &cleaning->database->directory;
    if (cleaning->database->condition.commit_point == MF_COMMIT_SLOTS)
        return mf_removal_begin(cleaning->database, versions->numbers, count, cleaning->removed,
                                cleaning->error);
    for (size_t i = 0; i < count; i++) {
        struct mf_name from = mf_name_of_version(versions->numbers[i]);
        struct mf_name to = mf_name_of_removed(versions->numbers[i]);
        struct mf_status status;
        int result = mf_io_status_at(directory, from.text, &status);
        if (result == 0 && status.type != MF_TYPE_FILE)
            continue; /* none of ours; with slots it stays too */
        if (result == 0)
            result = directory->platform->rename(directory->platform->context, directory->handle,
                                                 from.text, to.text);
        if (result < 0)
            return mf_fail(cleaning->error, MF_IO, result, "%s: cannot be renamed", from.text);
    }
    return count > 0 ? sync_directory(cleaning) : MF_OK;
}

enum mf_code mf_history_clean(struct mf_database *database, size_t keep, struct mf_removed *removed,
                              struct mf_error *error)
{
    struct mf_removed counts = {0};
    struct mf_versions versions = {0};
    struct cleaning cleaning = {.database = database, .removed = &counts, .error = error};
    enum mf_code code = mf_database_check_idle(database, error);
    if (code == MF_OK && keep == 0)
        code = mf_fail(error, MF_INVALID, 0, "the current version is always kept");
    if (code == MF_OK)
        code = mf_history_versions(database, &versions, error);
    size_t old = versions.count > keep ? versions.count - keep : 0;
    if (code == MF_OK)
        code = add_live(&cleaning, &versions, old);
    if (code == MF_OK)
        code = doom_versions(&cleaning, &versions, old);
    if (code == MF_OK)
        code = require_live(&cleaning, &versions, old);
    if (code == MF_OK)
        code = finish_removal(&cleaning);
    if (removed != NULL)
        *removed = counts;
    mf_versions_clear(&versions);
    cleaning_clear(&cleaning);
    return code;
}

/*
 * Orphans
 */

static const struct {
    const char *name;
    bool removable;
    const char *sentence;
} orphans[] = {
#define X(name, removable, sentence) {#name, removable, sentence},
    MF_ORPHANS(X)
#undef X
};

static const size_t orphan_kinds = sizeof(orphans) / sizeof(orphans[0]);

const char *mf_orphan_name(enum mf_orphan_kind kind)
{
    return (size_t)kind < orphan_kinds ? orphans[kind].name : "?";
}

const char *mf_orphan_sentence(enum mf_orphan_kind kind)
{
    return (size_t)kind < orphan_kinds ? orphans[kind].sentence : "?";
}

static bool removal_begun(const struct cleaning *cleaning, uint64_t version)
{
    for (size_t i = 0; i < cleaning->begun.count; i++)
        if (cleaning->begun.numbers[i] == version)
            return true;
    return false;
}

/* Directories with a name of ours are not ours. */
static enum mf_orphan_kind kind_of(const struct cleaning *cleaning, const char *name,
                                   enum mf_name_class class, uint64_t version, enum mf_type type)
{
    if (type == MF_TYPE_DIRECTORY)
        return MF_ORPHAN_FOREIGN;
    if (class == MF_CLASS_TEMPORARY)
        return MF_ORPHAN_TEMPORARY;
    if (class == MF_CLASS_VERSION)
        return removal_begun(cleaning, version) ? MF_ORPHAN_REMOVED : MF_ORPHAN_UNCOMMITTED;
    if (type != MF_TYPE_FILE)
        return MF_ORPHAN_FOREIGN;
    if (class == MF_CLASS_REMOVED)
        return MF_ORPHAN_REMOVED;
    bool ours = class == MF_CLASS_OTHER &&
                (mf_name_is_data(name) || mf_nameset_has(&cleaning->doomed, name));
    return ours ? MF_ORPHAN_UNREFERENCED : MF_ORPHAN_FOREIGN;
}

static bool belongs_to_a_version(const struct cleaning *cleaning, const char *name,
                                 enum mf_name_class class, uint64_t version)
{
    switch (class) {
    case MF_CLASS_CURRENT:
    case MF_CLASS_LOCK:
    case MF_CLASS_SLOT:
        return true;
    case MF_CLASS_VERSION:
        return version <= cleaning->database->current.manifest.version &&
               !removal_begun(cleaning, version);
    case MF_CLASS_OTHER:
        return mf_nameset_has(&cleaning->live, name);
    default:
        return false;
    }
}

struct orphan_search {
    struct cleaning cleaning;
    void (*visit)(void *argument, const struct mf_orphan *orphan);
    void *argument;
};

static int look_at_name(void *argument, const char *name)
{
    struct orphan_search *search = argument;
    const struct cleaning *cleaning = &search->cleaning;
    uint64_t version = 0;
    struct mf_status status;
    enum mf_name_class class = mf_name_classify(name, &version);
    if (belongs_to_a_version(cleaning, name, class, version))
        return 0;
    int result = mf_io_status_at(&cleaning->database->directory, name, &status);
    if (result == -ENOENT) /* without the lock: just gone */
        return 0;
    if (result < 0) {
        mf_error_fill(cleaning->error, MF_IO, result, "%s: cannot be looked at", name);
        return result;
    }
    struct mf_orphan orphan = {.kind = kind_of(cleaning, name, class, version, status.type),
                               .name = name,
                               .type = status.type,
                               .size = status.type == MF_TYPE_FILE ? status.size : 0};
    orphan.removable = orphans[orphan.kind].removable;
    search->visit(search->argument, &orphan);
    return 0;
}

/* Goes through the directory; what a visit could not say is in failure. */
static enum mf_code visit_names(struct cleaning *cleaning, struct mf_error *error,
                                int (*visit)(void *argument, const char *name), void *argument)
{
    struct mf_error failure = {.code = MF_OK};
    cleaning->error = &failure;
    int result = mf_io_list(&cleaning->database->directory, "", visit, argument);
    cleaning->error = error;
    if (result == 0)
        return MF_OK;
    if (failure.code == MF_OK)
        cannot_list(result, &failure);
    if (error != NULL)
        *error = failure;
    return failure.code;
}

enum mf_code mf_orphans_list(struct mf_database *database,
                             void (*visit)(void *argument, const struct mf_orphan *orphan),
                             void *argument, struct mf_error *error)
{
    struct mf_versions removed = {0}, live = {0};
    struct orphan_search search = {
        .cleaning = {.database = database, .error = error}, .visit = visit, .argument = argument};
    enum mf_code code = add_all_live(&search.cleaning, &live);
    if (code == MF_OK)
        code = add_doomed(&search.cleaning, &removed);
    if (code == MF_OK)
        code = mf_removal_list(database, &search.cleaning.begun, error);
    if (code == MF_OK)
        code = visit_names(&search.cleaning, error, look_at_name, &search);
    mf_versions_clear(&removed);
    mf_versions_clear(&live);
    cleaning_clear(&search.cleaning);
    return code;
}

static int remove_unreferenced(void *argument, const char *name)
{
    struct cleaning *cleaning = argument;
    if (!mf_name_is_data(name) || mf_nameset_has(&cleaning->live, name))
        return 0;
    return remove_file(cleaning, name, &cleaning->removed->files);
}

enum mf_code mf_orphans_remove(struct mf_database *database, struct mf_removed *removed,
                               struct mf_error *error)
{
    struct mf_removed counts = {0};
    struct mf_versions live = {0};
    struct cleaning cleaning = {.database = database, .removed = &counts, .error = error};
    enum mf_code code = mf_database_check_idle(database, error);
    if (code == MF_OK)
        code = add_all_live(&cleaning, &live);
    if (code == MF_OK && database->condition.commit_point == MF_COMMIT_SLOTS)
        code = mf_removal_begin(database, NULL, 0, &counts, error);
    if (code == MF_OK)
        code = mf_database_sweep(database, &counts, error);
    if (code == MF_OK)
        code = require_live(&cleaning, &live, 0);
    if (code == MF_OK)
        code = visit_names(&cleaning, error, remove_unreferenced, &cleaning);
    if (code == MF_OK && counts.manifests + counts.files > 0)
        code = sync_directory(&cleaning);
    if (code == MF_OK)
        code = finish_removal(&cleaning);
    if (removed != NULL)
        *removed = counts;
    mf_versions_clear(&live);
    cleaning_clear(&cleaning);
    return code;
}

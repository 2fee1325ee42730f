/*
 * A transaction: the manifest of the next version in the making, and the files
 * that have to be durable before it may be published. Each of those stays open
 * until then, because a write-back error is reported to the descriptors that may
 * have written the data (fsync(2), EIO); one opened later may not hear of it.
 */
#include "transaction.h"
#include "commit.h"
#include "content.h"
#include "crc32c.h"
#include "database.h"
#include "document.h"
#include "error.h"
#include "names.h"
#include "removal.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <manifest/history.h>
#include <stdlib.h>
#include <string.h>

/* How many names are tried for a data file; the ones before were left behind. */
#define NAME_ATTEMPTS 10000

/* Room in the manifest for new files before it has to grow. */
#define SPARE_FILES 16

/* How many staged files are open at most: below what processes may have open by
 * default (1024 on Linux). When there are more, those so far are synced early. */
#define OPEN_FILES_MAX 256

/* A file that the commit makes durable. */
struct staged {
    char *name;
    int handle;   /* -1: it is durable already */
    bool created; /* by this transaction, which removes it when it fails */
};

struct mf_transaction {
    struct mf_database *database;
    struct mf_manifest manifest; /* of the new version */
    size_t file_capacity;
    struct staged *staged;
    size_t staged_count;
    size_t staged_capacity;
    size_t open_count; /* of the staged files */
};

static enum mf_code no_memory(struct mf_error *error)
{
    return mf_fail(error, MF_NO_MEMORY, 0, "no memory for a transaction");
}

/*
 * Staged files
 */

static struct staged *find_staged(struct mf_transaction *transaction, const char *name)
{
    for (size_t i = 0; i < transaction->staged_count; i++)
        if (strcmp(transaction->staged[i].name, name) == 0)
            return &transaction->staged[i];
    return NULL;
}

/* Step 2: a manifest must not outlive the files that it names. */
static enum mf_code sync_staged(struct mf_transaction *transaction, struct mf_error *error)
{
    const struct mf_directory *directory = &transaction->database->directory;
    size_t count = 0;
    if (transaction->open_count == 0)
        return MF_OK;
    int *handles = malloc(transaction->open_count * sizeof(*handles));
    if (handles == NULL)
        return no_memory(error);
    for (size_t i = 0; i < transaction->staged_count; i++)
        if (transaction->staged[i].handle >= 0)
            handles[count++] = transaction->staged[i].handle;
    enum mf_code code = mf_commit_sync_files(transaction->database, handles, count, error);
    free(handles);
    if (code != MF_OK)
        return code;
    for (size_t i = 0; i < transaction->staged_count; i++) {
        mf_io_close(directory, transaction->staged[i].handle);
        transaction->staged[i].handle = -1;
    }
    transaction->open_count = 0;
    return MF_OK;
}

static enum mf_code stage(struct mf_transaction *transaction, const char *name, int handle,
                          bool created, struct mf_error *error)
{
    enum mf_code code = MF_OK;
    if (transaction->open_count == OPEN_FILES_MAX)
        code = sync_staged(transaction, error);
    if (code != MF_OK)
        return code;
    if (transaction->staged_count == transaction->staged_capacity) {
        size_t capacity = transaction->staged_capacity * 2 + 8;
        struct staged *grown = realloc(transaction->staged, capacity * sizeof(*grown));
        if (grown == NULL)
            return no_memory(error);
        transaction->staged = grown;
        transaction->staged_capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return no_memory(error);
    transaction->staged[transaction->staged_count++] =
        (struct staged){.name = copy, .handle = handle, .created = created};
    transaction->open_count++;
    return MF_OK;
}

/* Lets go of a staged file; removes it when it is the library's own. */
static void unstage(struct mf_transaction *transaction, struct staged *staged, bool remove)
{
    mf_io_close(&transaction->database->directory, staged->handle);
    transaction->open_count -= staged->handle >= 0 ? 1 : 0;
    if (remove && staged->created)
        mf_commit_undo(transaction->database, staged->name);
    free(staged->name);
    *staged = transaction->staged[--transaction->staged_count];
}

static bool is_named(const struct mf_transaction *transaction, const char *name)
{
    for (size_t i = 0; i < transaction->manifest.file_count; i++)
        if (strcmp(transaction->manifest.files[i].name, name) == 0)
            return true;
    return false;
}

/* After an entry was replaced or removed: nobody may name its file any more. */
static void unstage_unnamed(struct mf_transaction *transaction, const char *name)
{
    struct staged *staged = find_staged(transaction, name);
    if (staged != NULL && !is_named(transaction, name))
        unstage(transaction, staged, true);
}

static void unstage_all_unnamed(struct mf_transaction *transaction)
{
    for (size_t i = transaction->staged_count; i-- > 0;)
        if (!is_named(transaction, transaction->staged[i].name))
            unstage(transaction, &transaction->staged[i], true);
}

/*
 * The new manifest's files
 */

static enum mf_code copy_file(const struct mf_file *from, struct mf_file *to,
                              struct mf_error *error)
{
    *to = *from;
    if (mf_file_name(to, from->key, from->name))
        return MF_OK;
    *to = (struct mf_file){0};
    return no_memory(error);
}

static enum mf_code insert_file(struct mf_transaction *transaction, size_t place,
                                const struct mf_file *file, struct mf_error *error)
{
    struct mf_manifest *manifest = &transaction->manifest;
    if (manifest->file_count == transaction->file_capacity) {
        size_t capacity = transaction->file_capacity * 2 + SPARE_FILES;
        struct mf_file *grown = realloc(manifest->files, capacity * sizeof(*grown));
        if (grown == NULL)
            return no_memory(error);
        manifest->files = grown;
        transaction->file_capacity = capacity;
    }
    memmove(&manifest->files[place + 1], &manifest->files[place],
            (manifest->file_count - place) * sizeof(*file));
    manifest->files[place] = *file;
    manifest->file_count++;
    return MF_OK;
}

/* Makes a file the one of its kind and key; copies what it points to. */
static enum mf_code set_file(struct mf_transaction *transaction, const struct mf_file *file,
                             struct mf_error *error)
{
    struct mf_manifest *manifest = &transaction->manifest;
    struct mf_file copy;
    enum mf_code code = copy_file(file, &copy, error);
    if (code != MF_OK)
        return code;
    size_t place = mf_manifest_place(manifest, file->kind, file->key);
    if (place == manifest->file_count ||
        mf_file_order(file->kind, file->key, &manifest->files[place]) != 0) {
        code = insert_file(transaction, place, &copy, error);
        if (code != MF_OK)
            mf_file_clear(&copy);
        return code;
    }
    struct mf_file before = manifest->files[place];
    manifest->files[place] = copy;
    unstage_unnamed(transaction, before.name);
    mf_file_clear(&before);
    return MF_OK;
}

static enum mf_code check_key(enum mf_kind kind, const char *key, struct mf_error *error)
{
    if ((size_t)kind >= MF_KIND_COUNT)
        return mf_fail(error, MF_INVALID, 0, "there is no such kind of file");
    if (kind == MF_KIND_LSM && key[0] != '\0')
        return mf_fail(error, MF_INVALID, 0, "the lsm file has no key");
    if (!mf_utf8_valid(key))
        return mf_fail(error, MF_INVALID, 0, "a key is not UTF-8");
    return MF_OK;
}

/*
 * Adding
 */

static enum mf_code create_file(struct mf_transaction *transaction, enum mf_kind kind,
                                const char *key, struct mf_name *name, int *handle,
                                struct mf_error *error)
{
    for (unsigned attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        *name = mf_name_of_data(kind, key, transaction->manifest.version, attempt);
        *handle = mf_io_create(&transaction->database->directory, name->text);
        if (*handle >= 0)
            return MF_OK;
        if (*handle != -EEXIST)
            break;
    }
    return mf_fail(error, MF_IO, *handle, "%s: cannot be created", name->text);
}

static enum mf_code fill_file(const struct mf_directory *directory, int handle, mf_source *source,
                              void *argument, struct mf_file *file, struct mf_error *error)
{
    char *buffer = malloc(MF_CONTENT_CHUNK);
    if (buffer == NULL)
        return no_memory(error);
    enum mf_code code = MF_OK;
    for (;;) {
        int64_t count = source(argument, buffer, MF_CONTENT_CHUNK);
        if (count < 0)
            code = mf_fail(error, MF_IO, (int)count, "%s: its content cannot be read", file->name);
        if (count <= 0)
            break;
        int result = mf_io_write(directory, handle, buffer, (size_t)count, file->size);
        if (result < 0) {
            code = mf_fail(error, MF_IO, result, "%s: cannot be written", file->name);
            break;
        }
        file->crc32c = mf_crc32c(file->crc32c, buffer, (size_t)count);
        file->size += (uint64_t)count;
    }
    free(buffer);
    return code;
}

enum mf_code mf_transaction_add_stream(struct mf_transaction *transaction, enum mf_kind kind,
                                       const char *key, mf_source *source, void *argument,
                                       struct mf_error *error)
{
    const struct mf_directory *directory = &transaction->database->directory;
    struct mf_name name;
    int handle;
    enum mf_code code = check_key(kind, key, error);
    if (code == MF_OK)
        code = create_file(transaction, kind, key, &name, &handle, error);
    if (code != MF_OK)
        return code;
    /* set_file copies both strings. */
    struct mf_file file = {.kind = kind, .key = key, .name = name.text, .recorded = true};
    code = fill_file(directory, handle, source, argument, &file, error);
    if (code == MF_OK)
        code = stage(transaction, name.text, handle, true, error);
    if (code != MF_OK) {
        mf_io_close(directory, handle);
        mf_commit_undo(transaction->database, name.text);
        return code;
    }
    code = set_file(transaction, &file, error);
    if (code != MF_OK)
        unstage_unnamed(transaction, name.text);
    return code;
}

struct memory {
    const char *bytes;
    size_t left;
};

static int64_t read_memory(void *argument, void *buffer, size_t size)
{
    struct memory *memory = argument;
    size_t count = size < memory->left ? size : memory->left;
    if (count == 0)
        return 0; /* bytes may be NULL then */
    memcpy(buffer, memory->bytes, count);
    memory->bytes += count;
    memory->left -= count;
    return (int64_t)count;
}

enum mf_code mf_transaction_add(struct mf_transaction *transaction, enum mf_kind kind,
                                const char *key, const void *data, size_t size,
                                struct mf_error *error)
{
    struct memory memory = {.bytes = data, .left = size};
    return mf_transaction_add_stream(transaction, kind, key, read_memory, &memory, error);
}

/* Opens, measures and stages a file that is there already. */
static enum mf_code stage_existing(struct mf_transaction *transaction, struct mf_file *file,
                                   struct mf_error *error)
{
    const struct mf_directory *directory = &transaction->database->directory;
    int handle = mf_io_open(directory, file->name, MF_OPEN_READ);
    if (handle == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_INVALID, 0, "%s: not a regular file", file->name);
    if (handle < 0)
        return mf_fail(error, MF_IO, handle, "%s: cannot be opened", file->name);
    enum mf_code code = MF_OK;
    int result = mf_content_measure(directory, handle, &file->size, &file->crc32c);
    if (result < 0)
        code = mf_fail(error, MF_IO, result, "%s: cannot be read", file->name);
    file->recorded = code == MF_OK;
    bool is_new = code == MF_OK && find_staged(transaction, file->name) == NULL;
    if (is_new)
        code = stage(transaction, file->name, handle, false, error);
    if (!is_new || code != MF_OK)
        mf_io_close(directory, handle);
    return code;
}

enum mf_code mf_transaction_adopt(struct mf_transaction *transaction, enum mf_kind kind,
                                  const char *key, const char *name, struct mf_error *error)
{
    enum mf_code code = check_key(kind, key, error);
    if (code != MF_OK)
        return code;
    const char *reason = mf_name_check(name);
    if (reason != NULL)
        return mf_fail(error, MF_INVALID, 0, "%s: %s", name, reason);
    struct mf_file file = {.kind = kind, .key = key, .name = name};
    code = stage_existing(transaction, &file, error);
    if (code == MF_OK)
        code = set_file(transaction, &file, error);
    if (code != MF_OK)
        unstage_unnamed(transaction, name);
    return code;
}

enum mf_code mf_transaction_remove(struct mf_transaction *transaction, enum mf_kind kind,
                                   const char *key, struct mf_error *error)
{
    struct mf_manifest *manifest = &transaction->manifest;
    if (mf_manifest_find(manifest, kind, key) == NULL)
        return mf_fail(error, MF_INVALID, 0, "there is no %s file with the key \"%s\"",
                       mf_kind_word(kind), key);
    size_t place = mf_manifest_place(manifest, kind, key);
    struct mf_file before = manifest->files[place];
    manifest->file_count--;
    memmove(&manifest->files[place], &manifest->files[place + 1],
            (manifest->file_count - place) * sizeof(before));
    unstage_unnamed(transaction, before.name);
    mf_file_clear(&before);
    return MF_OK;
}

/*
 * Begin
 */

/* Files that an unsealed manifest named have no record yet; they get one, and
 * are made durable, as if they were adopted. */
static enum mf_code copy_current(struct mf_transaction *transaction, struct mf_error *error)
{
    const struct mf_manifest *current = &transaction->database->current.manifest;
    enum mf_code code = MF_OK;
    size_t capacity = current->file_count + SPARE_FILES;
    transaction->manifest.files = calloc(capacity, sizeof(*transaction->manifest.files));
    if (transaction->manifest.files == NULL)
        return no_memory(error);
    transaction->file_capacity = capacity;
    for (size_t i = 0; i < current->file_count && code == MF_OK; i++) {
        struct mf_file file = current->files[i];
        if (!file.recorded)
            code = stage_existing(transaction, &file, error);
        if (code == MF_OK)
            code = set_file(transaction, &file, error);
    }
    return code;
}

static enum mf_code remove_leftovers(struct mf_database *database, struct mf_error *error)
{
    if (database->swept)
        return MF_OK;
    enum mf_code code = mf_database_sweep(database, NULL, error);
    if (code == MF_OK)
        code = mf_removal_withdraw(database, error);
    database->swept = code == MF_OK;
    return code;
}

enum mf_code mf_transaction_begin_at(struct mf_database *database, uint64_t least,
                                     struct mf_transaction **result, struct mf_error *error)
{
    enum mf_code code = mf_database_check_idle(database, error);
    if (code == MF_OK)
        code = remove_leftovers(database, error);
    if (code != MF_OK)
        return code;
    if (database->used == UINT64_MAX)
        return mf_fail(error, MF_INVALID, 0,
                       "there is no higher version number than that of a manifest, or of a "
                       "MANIFEST-*.removed, which a clean-up removes");
    struct mf_transaction *transaction = malloc(sizeof(*transaction));
    if (transaction == NULL)
        return no_memory(error);
    *transaction = (struct mf_transaction){
        .database = database,
        .manifest = {.version = database->used < least ? least : database->used + 1,
                     .sealed = true},
    };
    database->transaction = transaction;
    code = copy_current(transaction, error);
    if (code != MF_OK) {
        mf_transaction_abort(transaction);
        return code;
    }
    *result = transaction;
    return MF_OK;
}

enum mf_code mf_transaction_begin(struct mf_database *database, struct mf_transaction **result,
                                  struct mf_error *error)
{
    return mf_transaction_begin_at(database, 1, result, error);
}

void mf_transaction_empty(struct mf_transaction *transaction)
{
    struct mf_manifest *manifest = &transaction->manifest;
    while (manifest->file_count > 0)
        mf_file_clear(&manifest->files[--manifest->file_count]);
    unstage_all_unnamed(transaction);
}

const struct mf_file *mf_transaction_find(const struct mf_transaction *transaction,
                                          enum mf_kind kind, const char *key)
{
    return mf_manifest_find(&transaction->manifest, kind, key);
}

enum mf_code mf_transaction_share(struct mf_transaction *transaction, enum mf_kind kind,
                                  const char *key, const struct mf_file *file,
                                  struct mf_error *error)
{
    struct mf_file shared = *file;
    shared.kind = kind;
    shared.key = key;
    return set_file(transaction, &shared, error);
}

/* Files without a record are given one, as by copy_current. */
static enum mf_code verify_loaded(struct mf_transaction *transaction, struct mf_manifest *loaded,
                                  struct mf_error *error)
{
    const struct mf_database *database = transaction->database;
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < loaded->file_count && code == MF_OK; i++) {
        enum mf_finding_kind kind;
        code = mf_content_verify(&database->directory, &loaded->files[i],
                                 database->options.sizes_only, &kind, error);
        if (code == MF_OK && !loaded->files[i].recorded)
            code = stage_existing(transaction, &loaded->files[i], error);
    }
    return code;
}

enum mf_code mf_transaction_load(struct mf_transaction *transaction, uint64_t version,
                                 struct mf_error *error)
{
    struct mf_manifest loaded;
    enum mf_code code = mf_database_read_version(transaction->database, version, &loaded, error);
    if (code != MF_OK)
        return code;
    code = verify_loaded(transaction, &loaded, error);
    if (code == MF_OK) {
        struct mf_manifest before = transaction->manifest;
        loaded.version = before.version;
        loaded.sealed = true;
        transaction->manifest = loaded;
        transaction->file_capacity = loaded.file_count;
        loaded = before;
    }
    mf_manifest_clear(&loaded);
    unstage_all_unnamed(transaction);
    return code;
}

uint64_t mf_transaction_version(const struct mf_transaction *transaction)
{
    return transaction->manifest.version;
}

/*
 * Commit and abort
 */

static void free_transaction(struct mf_transaction *transaction, bool remove_files)
{
    while (transaction->staged_count > 0)
        unstage(transaction, &transaction->staged[transaction->staged_count - 1], remove_files);
    transaction->database->transaction = NULL;
    mf_manifest_clear(&transaction->manifest);
    free(transaction->staged);
    free(transaction);
}

void mf_transaction_abort(struct mf_transaction *transaction)
{
    if (transaction != NULL)
        free_transaction(transaction, true);
}

static enum mf_code print_manifest(struct mf_transaction *transaction, struct mf_version *next,
                                   struct mf_error *error)
{
    struct mf_database *database = transaction->database;
    const struct mf_platform *platform = database->directory.platform;
    int result;
    do {
        result = platform->now(platform->context, &transaction->manifest.timestamp);
    } while (result == -EINTR);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "the clock cannot be read");
    enum mf_code code = mf_manifest_print(&transaction->manifest, &next->text, &next->size, error);
    if (code == MF_OK && next->size > mf_size_limit(&database->options.read))
        code = mf_fail(error, MF_INVALID, 0, "the manifest would be larger than the limit");
    return code;
}

/* Steps 1 to 8; commit.c lists them and says what each prevents. */
static enum mf_code run_steps(struct mf_transaction *transaction, struct mf_version *next,
                              struct mf_error *error)
{
    struct mf_database *database = transaction->database;
    struct mf_name copy = mf_name_of_version(transaction->manifest.version);
    /* For mf_commit_publish; the strings stay the transaction's until then. */
    next->manifest.version = transaction->manifest.version;
    if (!database->takes_commits) /* files that were synced early may not be durable */
        return mf_fail(error, MF_NOT_COMMITTED, 0, "an earlier failure of this transaction");
    enum mf_code code = print_manifest(transaction, next, error);
    if (code == MF_OK)
        code = sync_staged(transaction, error); /* 2 */
    if (code != MF_OK)
        return code;
    database->used = transaction->manifest.version;
    code = mf_commit_write(database, copy.text, next->text, next->size, error); /* 3 */
    if (code != MF_OK)
        return code;
    code = mf_commit_publish(database, next, error); /* 4 to 8 */
    if (code == MF_NOT_COMMITTED)
        mf_commit_undo(database, copy.text);
    return code;
}

static void become_current(struct mf_transaction *transaction, struct mf_version *next)
{
    struct mf_database *database = transaction->database;
    next->manifest = transaction->manifest;
    transaction->manifest = (struct mf_manifest){0};
    mf_version_clear(&database->current);
    database->current = *next;
    database->durable = true;
    *next = (struct mf_version){0};
}

enum mf_code mf_transaction_commit(struct mf_transaction *transaction, uint64_t *version,
                                   struct mf_error *error)
{
    struct mf_version next = {0};
    uint64_t number = transaction->manifest.version;
    enum mf_code code = run_steps(transaction, &next, error);
    if (code == MF_OK) {
        become_current(transaction, &next);
        if (version != NULL)
            *version = number;
    } else if (code == MF_UNKNOWN) {
        transaction->database->durable = false;
    } else {
        code = MF_NOT_COMMITTED;
        if (error != NULL)
            error->code = code;
    }
    /* After an unknown outcome either version may turn out to be the current
     * one, so the files of both stay. */
    free_transaction(transaction, code == MF_NOT_COMMITTED);
    mf_version_clear(&next);
    return code;
}

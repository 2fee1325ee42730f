/*
 * Reading a backup: verifying its links, and making one of its versions the next
 * version of a database. Restoring is a transaction like any other: new names,
 * everything durable, then the switch; so a cut leaves what was there before.
 */
#include "content.h"
#include "error.h"
#include "history.h"
#include "link.h"
#include "nameset.h"
#include "transaction.h"

#include <errno.h>
#include <inttypes.h>
#include <manifest/backup.h>
#include <string.h>

static enum mf_code open_chain(const char *path, const struct mf_options *options,
                               struct mf_directory *folder, struct mf_error *error)
{
    const struct mf_platform *platform =
        options->platform != NULL ? options->platform : mf_platform_posix();
    int result = mf_io_open_directory(platform, path, folder);
    if (result == 0)
        return MF_OK;
    return mf_fail(error, result == -ENOENT ? MF_NO_DATABASE : MF_IO, result,
                   "%s: cannot be opened", path);
}

static enum mf_code list_links(const struct mf_directory *folder, struct mf_versions *links,
                               struct mf_error *error)
{
    enum mf_code code = mf_link_list(folder, links, error);
    if (code == MF_OK && links->count == 0)
        code = mf_fail(error, MF_NO_DATABASE, 0, "the folder holds no backup");
    return code;
}

static enum mf_code verify_files(const struct mf_directory *folder,
                                 const struct mf_manifest *manifest, bool sizes_only,
                                 struct mf_error *error)
{
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < manifest->file_count && code == MF_OK; i++) {
        enum mf_finding_kind kind;
        code = mf_content_verify(folder, &manifest->files[i], sizes_only, &kind, error);
    }
    return code;
}

/*
 * Inspecting
 */

static enum mf_code verify_base(const struct mf_directory *folder, const struct mf_link *link,
                                struct mf_error *error)
{
    struct mf_link base;
    if (!link->has_base)
        return MF_OK;
    enum mf_code code = mf_link_read(folder, link->base, &base, error);
    if (code == MF_NO_VERSION || (code == MF_OK && base.crc32c != link->base_crc32c))
        return mf_fail(error, MF_CORRUPT, 0,
                       "version %" PRIu64 ": its base, version %" PRIu64
                       ", is missing or another one",
                       link->version, link->base);
    return code;
}

/* MF_OK and MF_CORRUPT are for the visitor; other codes end the inspection. */
static enum mf_code inspect_link(const struct mf_directory *folder,
                                 const struct mf_options *options, struct mf_backup_link *found,
                                 struct mf_version *version, struct mf_error *detail)
{
    struct mf_link link;
    enum mf_code code = mf_link_read(folder, found->version, &link, detail);
    if (code != MF_OK)
        return code == MF_NO_VERSION ? mf_fail_again(detail, MF_CORRUPT, "just removed") : code;
    found->has_base = link.has_base;
    found->base = link.base;
    code = mf_link_manifest(folder, &link, &options->read, version, detail);
    if (code != MF_OK)
        return code;
    found->manifest = &version->manifest;
    code = verify_base(folder, &link, detail);
    return code == MF_OK ? verify_files(folder, found->manifest, options->sizes_only, detail)
                         : code;
}

static enum mf_code inspect_links(const struct mf_directory *folder,
                                  const struct mf_options *options, const struct mf_versions *links,
                                  void (*visit)(void *argument, const struct mf_backup_link *link),
                                  void *argument, struct mf_error *error)
{
    enum mf_code worst = MF_OK;
    for (size_t i = 0; i < links->count; i++) {
        struct mf_backup_link found = {.version = links->numbers[i]};
        struct mf_version version = {0};
        struct mf_error detail = {.code = MF_OK};
        found.code = inspect_link(folder, options, &found, &version, &detail);
        found.detail = detail.message;
        bool known = found.code == MF_OK || found.code == MF_CORRUPT;
        if (known && visit != NULL)
            visit(argument, &found);
        mf_version_clear(&version);
        if (found.code != MF_OK && (worst == MF_OK || !known)) {
            worst = found.code;
            if (error != NULL)
                *error = detail;
        }
        if (!known)
            break;
    }
    return worst;
}

enum mf_code mf_backup_inspect(const char *path, const struct mf_options *options,
                               void (*visit)(void *argument, const struct mf_backup_link *link),
                               void *argument, struct mf_error *error)
{
    static const struct mf_options defaults;
    struct mf_directory folder = {.handle = -1};
    struct mf_versions links = {0};
    if (options == NULL)
        options = &defaults;
    enum mf_code code = open_chain(path, options, &folder, error);
    if (code != MF_OK)
        return code;
    code = list_links(&folder, &links, error);
    if (code == MF_OK)
        code = inspect_links(&folder, options, &links, visit, argument, error);
    mf_versions_clear(&links);
    mf_io_close(&folder, folder.handle);
    return code;
}

/*
 * Restoring
 */

struct restoration {
    struct mf_directory folder;
    struct mf_version version; /* as it is in the backup */
    struct mf_nameset done;
    struct mf_transaction *transaction;
    struct mf_error *error;
};

/* Sizes only: what is in the files is compared while they are copied. */
static enum mf_code load_from_chain(struct restoration *restoration, uint64_t number,
                                    const struct mf_options *options)
{
    struct mf_link link;
    struct mf_versions links;
    const struct mf_directory *folder = &restoration->folder;
    enum mf_code code = list_links(folder, &links, restoration->error);
    mf_versions_clear(&links);
    if (code == MF_OK)
        code = mf_link_read(folder, number, &link, restoration->error);
    if (code == MF_OK)
        code = mf_link_manifest(folder, &link, &options->read, &restoration->version,
                                restoration->error);
    if (code == MF_OK)
        code = verify_files(folder, &restoration->version.manifest, true, restoration->error);
    return code;
}

/* The target for writing, made if there is none. */
static enum mf_code open_target(const char *target, const struct mf_options *options,
                                struct mf_database **database, struct mf_error *error)
{
    struct mf_error failure;
    struct mf_options writing = *options;
    writing.writable = true;
    enum mf_code code = mf_database_open(target, &writing, database, &failure);
    if (code == MF_NO_DATABASE) {
        code = mf_database_init(target, &writing, &failure);
        if (code == MF_OK)
            code = mf_database_open(target, &writing, database, &failure);
    }
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

struct reader {
    const struct mf_directory *folder;
    int file;
    uint64_t offset;
};

static int64_t read_chunk(void *argument, void *buffer, size_t size)
{
    struct reader *reader = argument;
    int64_t count = mf_io_read(reader->folder, reader->file, buffer, size, reader->offset);
    reader->offset += count > 0 ? (uint64_t)count : 0;
    return count;
}

static enum mf_code copy_file(struct restoration *restoration, const struct mf_file *file)
{
    struct reader reader = {.folder = &restoration->folder};
    reader.file = mf_io_open(&restoration->folder, file->name, MF_OPEN_READ);
    if (reader.file == MF_IO_NOT_REGULAR)
        return mf_fail(restoration->error, MF_CORRUPT, 0, "%s: not a regular file", file->name);
    if (reader.file < 0)
        return mf_fail(restoration->error, MF_IO, reader.file, "%s: cannot be opened", file->name);
    enum mf_code code = mf_transaction_add_stream(restoration->transaction, file->kind, file->key,
                                                  read_chunk, &reader, restoration->error);
    mf_io_close(&restoration->folder, reader.file);
    if (code != MF_OK)
        return code;
    const struct mf_file *copy =
        mf_transaction_find(restoration->transaction, file->kind, file->key);
    if (copy->size != file->size || copy->crc32c != file->crc32c)
        return mf_fail(restoration->error, MF_CORRUPT, 0, "%s: not as recorded", file->name);
    if (!mf_nameset_add(&restoration->done, file->name))
        return mf_fail(restoration->error, MF_NO_MEMORY, 0, "no memory for the names of files");
    return MF_OK;
}

/* Two keys that share a file go on sharing it. */
static enum mf_code share_file(struct restoration *restoration, const struct mf_file *file)
{
    const struct mf_file *first = restoration->version.manifest.files;
    while (strcmp(first->name, file->name) != 0)
        first++;
    first = mf_transaction_find(restoration->transaction, first->kind, first->key);
    return mf_transaction_share(restoration->transaction, file->kind, file->key, first,
                                restoration->error);
}

static enum mf_code fill_transaction(struct restoration *restoration)
{
    const struct mf_manifest *manifest = &restoration->version.manifest;
    enum mf_code code = MF_OK;
    mf_transaction_empty(restoration->transaction);
    for (size_t i = 0; i < manifest->file_count && code == MF_OK; i++) {
        const struct mf_file *file = &manifest->files[i];
        code = mf_nameset_has(&restoration->done, file->name) ? share_file(restoration, file)
                                                              : copy_file(restoration, file);
    }
    return code;
}

static enum mf_code commit_to(struct restoration *restoration, struct mf_database *database,
                              uint64_t *restored)
{
    enum mf_code code = mf_transaction_begin_at(database, restoration->version.manifest.version,
                                                &restoration->transaction, restoration->error);
    if (code != MF_OK)
        return code;
    code = fill_transaction(restoration);
    if (code == MF_OK)
        return mf_transaction_commit(restoration->transaction, restored, restoration->error);
    mf_transaction_abort(restoration->transaction);
    return code;
}

enum mf_code mf_backup_restore(const char *path, uint64_t version, const char *target,
                               const struct mf_options *options, uint64_t *restored,
                               struct mf_error *error)
{
    static const struct mf_options defaults;
    struct restoration restoration = {.folder = {.handle = -1}, .error = error};
    struct mf_database *database = NULL;
    if (options == NULL)
        options = &defaults;
    enum mf_code code = open_chain(path, options, &restoration.folder, error);
    if (code != MF_OK)
        return code;
    code = load_from_chain(&restoration, version, options);
    if (code == MF_OK)
        code = open_target(target, options, &database, error);
    if (code == MF_OK)
        code = commit_to(&restoration, database, restored);
    mf_database_close(database);
    mf_version_clear(&restoration.version);
    mf_nameset_clear(&restoration.done);
    mf_io_close(&restoration.folder, restoration.folder.handle);
    return code;
}

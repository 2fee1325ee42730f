/*
 * Making a backup. The folder is handled as a database without a current version,
 * which gives it the writer's lock and the atomic replacement of a file; what is
 * published last is the link.
 */
#include "commit.h"
#include "content.h"
#include "crc32c.h"
#include "directory.h"
#include "error.h"
#include "history.h"
#include "link.h"
#include "nameset.h"
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <manifest/backup.h>
#include <stdlib.h>
#include <string.h>

struct backup {
    struct mf_database *source;
    struct mf_database *folder;
    struct mf_version version; /* that is backed up */
    struct mf_versions links;  /* that are there */
    struct mf_link link;       /* the new one, or the same that is there already */
    struct mf_version base;    /* empty when there is none */
    bool in_place;             /* a rename in the folder may not be one step */
    bool present;              /* the link is there already, durably */
    struct mf_nameset done;    /* files of the version that are in the folder for sure */
    struct mf_backup_report report;
    struct mf_error *error;
};

/*
 * The version and the folder
 */

static enum mf_code load_version(struct backup *backup, uint64_t version)
{
    const struct mf_database *source = backup->source;
    if (version == source->current.manifest.version && !source->durable)
        return mf_fail(backup->error, MF_READ_ONLY, 0,
                       "the current version may not be durable yet: open the database for writing");
    enum mf_code code = mf_database_load_version(source, version, &backup->version, backup->error);
    if (code == MF_OK && !backup->version.manifest.sealed)
        code =
            mf_fail(backup->error, MF_INVALID, 0,
                    "version %" PRIu64 " has no sizes and CRC32Cs to compare a copy with", version);
    return code;
}

/* A database's own directory must never be taken for a place for copies. */
static enum mf_code require_no_database(struct backup *backup)
{
    static const char *const names[] = {MF_NAME_CURRENT, MF_NAME_SLOT_A, MF_NAME_SLOT_B};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct mf_status status;
        int result = mf_io_status_at(&backup->folder->directory, names[i], &status);
        if (result == 0)
            return mf_fail(backup->error, MF_INVALID, 0, "the folder is a database: it has a %s",
                           names[i]);
        if (result != -ENOENT)
            return mf_fail(backup->error, MF_IO, result, "%s: cannot be looked up", names[i]);
    }
    return MF_OK;
}

static enum mf_code open_folder(struct backup *backup, const char *path,
                                const struct mf_options *options)
{
    const struct mf_platform *platform =
        options->platform != NULL ? options->platform : mf_platform_posix();
    enum mf_code code = mf_directory_make(platform, path, backup->error);
    if (code == MF_OK)
        code = mf_database_create_handle(path, options, &backup->folder, backup->error);
    if (code == MF_OK)
        code = require_no_database(backup);
    if (code == MF_OK)
        code =
            mf_commit_sync(backup->folder, backup->folder->directory.handle, path, backup->error);
    if (code == MF_OK)
        code = mf_directory_sync_name(platform, path, backup->error);
    if (code == MF_OK)
        code = mf_database_lock(backup->folder, backup->error);
    if (code == MF_OK)
        backup->in_place = backup->source->condition.commit_point == MF_COMMIT_SLOTS ||
                           !mf_io_rename_is_atomic(&backup->folder->directory);
    return code;
}

/*
 * Links in place
 */

static enum mf_code sync_folder(struct backup *backup)
{
    return mf_commit_sync(backup->folder, backup->folder->directory.handle, "the folder",
                          backup->error);
}

static enum mf_code put_durably(struct backup *backup, const struct mf_name *name,
                                const struct mf_link_text *text)
{
    enum mf_code code =
        mf_commit_put(backup->folder, name->text, text->text, text->size, backup->error);
    return code == MF_OK ? sync_folder(backup) : code;
}

static enum mf_code remove_part(struct backup *backup, uint64_t version)
{
    struct mf_name part = mf_name_of_part(version);
    int result = mf_io_remove(&backup->folder->directory, part.text);
    if (result < 0)
        return mf_fail(backup->error, MF_IO, result, "%s: cannot be removed", part.text);
    return sync_folder(backup);
}

/* Whatever a cut leaves of the link, its part stands until the link is durable. So a
 * link without a part is durable. */
static enum mf_code put_link(struct backup *backup, struct mf_link *link)
{
    struct mf_name name = mf_name_of_link(link->version), part = mf_name_of_part(link->version);
    struct mf_link_text text = mf_link_print(link);
    enum mf_code code = put_durably(backup, &part, &text);
    if (code == MF_OK)
        code = put_durably(backup, &name, &text);
    return code == MF_OK ? remove_part(backup, link->version) : code;
}

/* What a backup has left that was cut or killed. Until it is durable nothing may be built on it. */
static enum mf_code complete_links(struct backup *backup)
{
    struct mf_versions parts;
    const struct mf_directory *folder = &backup->folder->directory;
    enum mf_code code = mf_list_numbers(folder, MF_CLASS_PART, &parts, backup->error);
    for (size_t i = 0; i < parts.count && code == MF_OK; i++) {
        struct mf_link link;
        struct mf_error failure;
        code = mf_link_read(folder, parts.numbers[i], &link, &failure);
        if (code == MF_OK)
            code = put_link(backup, &link);
        else if (code == MF_NO_VERSION || code == MF_CORRUPT)
            code = remove_part(backup, parts.numbers[i]);
        else if (backup->error != NULL)
            *backup->error = failure;
    }
    mf_versions_clear(&parts);
    return code;
}

/*
 * The chain
 */

static enum mf_code read_base(struct backup *backup, uint64_t base)
{
    struct mf_link link;
    const struct mf_directory *folder = &backup->folder->directory;
    enum mf_code code = mf_link_read(folder, base, &link, backup->error);
    if (code == MF_OK)
        code = mf_link_manifest(folder, &link, &backup->folder->options.read, &backup->base,
                                backup->error);
    backup->link.has_base = true;
    backup->link.base = base;
    backup->link.base_crc32c = link.crc32c;
    return code;
}

/* A link that is there already keeps its base: others may have come in between. */
static enum mf_code read_own_link(struct backup *backup)
{
    struct mf_link wanted = backup->link;
    enum mf_code code =
        mf_link_read(&backup->folder->directory, wanted.version, &backup->link, backup->error);
    if (code != MF_OK)
        return code;
    if (backup->link.manifest_size != wanted.manifest_size ||
        backup->link.manifest_crc32c != wanted.manifest_crc32c)
        return mf_fail(backup->error, MF_INVALID, 0,
                       "the folder holds another version %" PRIu64
                       ", which is not of this database",
                       wanted.version);
    backup->present = true;
    return MF_OK;
}

static enum mf_code find_place(struct backup *backup)
{
    const struct mf_version *version = &backup->version;
    backup->link = (struct mf_link){
        .version = version->manifest.version,
        .manifest_size = version->size,
        .manifest_crc32c = mf_crc32c(0, version->text, version->size),
    };
    enum mf_code code =
        mf_list_numbers(&backup->folder->directory, MF_CLASS_LINK, &backup->links, backup->error);
    if (code != MF_OK)
        return code;
    size_t below = 0;
    while (below < backup->links.count && backup->links.numbers[below] < backup->link.version)
        below++;
    if (below < backup->links.count && backup->links.numbers[below] == backup->link.version)
        return read_own_link(backup);
    return below > 0 ? read_base(backup, backup->links.numbers[below - 1]) : MF_OK;
}

/*
 * Files
 */

/* Whether some link needs another file of this name. Asked only when the one that
 * is there is not the wanted one: else it was left by a backup that was cut, or has
 * rotted, and is written anew. */
static enum mf_code require_not_needed(struct backup *backup, const struct mf_file *file)
{
    const struct mf_directory *folder = &backup->folder->directory;
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < backup->links.count && code == MF_OK; i++) {
        struct mf_link link;
        struct mf_version other = {0};
        code = mf_link_read(folder, backup->links.numbers[i], &link, backup->error);
        if (code == MF_OK)
            code = mf_link_manifest(folder, &link, &backup->folder->options.read, &other,
                                    backup->error);
        for (size_t j = 0; j < other.manifest.file_count && code == MF_OK; j++) {
            const struct mf_file *needed = &other.manifest.files[j];
            if (strcmp(needed->name, file->name) == 0 &&
                (needed->size != file->size || needed->crc32c != file->crc32c))
                code =
                    mf_fail(backup->error, MF_INVALID, 0,
                            "%s: version %" PRIu64 " in the folder has another file of this name",
                            file->name, link.version);
        }
        mf_version_clear(&other);
    }
    return code;
}

/* Copies from one open file to another and compares with the record. */
static enum mf_code copy_content(struct backup *backup, int from, int to,
                                 const struct mf_file *file)
{
    const struct mf_directory *folder = &backup->folder->directory;
    enum mf_code code = MF_OK;
    uint64_t size = 0;
    uint32_t crc32c = 0;
    char *buffer = malloc(MF_CONTENT_CHUNK);
    if (buffer == NULL)
        return mf_fail(backup->error, MF_NO_MEMORY, 0, "no memory to copy a file");
    for (;;) {
        int64_t count =
            mf_io_read(&backup->source->directory, from, buffer, MF_CONTENT_CHUNK, size);
        if (count < 0)
            code = mf_fail(backup->error, MF_IO, (int)count, "%s: cannot be read", file->name);
        if (count <= 0)
            break;
        int result = mf_io_write(folder, to, buffer, (size_t)count, size);
        if (result < 0) {
            code = mf_fail(backup->error, MF_IO, result, "%s: cannot be copied", file->name);
            break;
        }
        crc32c = mf_crc32c(crc32c, buffer, (size_t)count);
        size += (uint64_t)count;
    }
    free(buffer);
    if (code == MF_OK && (size != file->size || crc32c != file->crc32c))
        code = mf_fail(backup->error, MF_CORRUPT, 0, "%s: not as recorded", file->name);
    return code;
}

/* What was written is what can be read. */
static enum mf_code verify_copy(struct backup *backup, int copy, const struct mf_file *file)
{
    uint64_t size;
    uint32_t crc32c;
    int result = mf_content_measure(&backup->folder->directory, copy, &size, &crc32c);
    if (result < 0)
        return mf_fail(backup->error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                       "%s: the copy cannot be read", file->name);
    if (size != file->size || crc32c != file->crc32c)
        return mf_fail(backup->error, MF_IO, 0, "%s: the copy is not the same", file->name);
    return MF_OK;
}

/* Synced before it gets its name, so that what has a name was durable; and once
 * more for vfat, where the rename alone would leave an empty file (commit.c). */
static enum mf_code publish_copy(struct backup *backup, const char *temporary, int copy,
                                 const char *name)
{
    struct mf_database *folder = backup->folder;
    enum mf_code code = mf_commit_sync(folder, copy, name, backup->error);
    if (code != MF_OK)
        return code;
    int result = folder->directory.platform->rename(folder->directory.platform->context,
                                                    folder->directory.handle, temporary, name);
    if (result < 0)
        return mf_fail(backup->error, MF_IO, result, "%s: the copy cannot be renamed", name);
    return mf_commit_sync(folder, copy, name, backup->error);
}

static enum mf_code copy_open_file(struct backup *backup, int from, const struct mf_file *file)
{
    struct mf_database *folder = backup->folder;
    struct mf_name temporary;
    int copy;
    enum mf_code code = mf_commit_create_temporary(folder, &temporary, &copy, backup->error);
    if (code != MF_OK)
        return code;
    code = copy_content(backup, from, copy, file);
    if (code == MF_OK)
        code = verify_copy(backup, copy, file);
    if (code == MF_OK)
        code = publish_copy(backup, temporary.text, copy, file->name);
    mf_io_close(&folder->directory, copy);
    if (code != MF_OK)
        mf_commit_undo(folder, temporary.text);
    return code;
}

static enum mf_code copy_file(struct backup *backup, const struct mf_file *file)
{
    const struct mf_directory *source = &backup->source->directory;
    int from = mf_io_open(source, file->name, MF_OPEN_READ);
    if (from == -ENOENT || from == MF_IO_NOT_REGULAR)
        return mf_reader_judge(
            backup->source, file,
            mf_fail(backup->error, MF_CORRUPT, 0, "%s: missing, or not a regular file", file->name),
            backup->error);
    if (from < 0)
        return mf_fail(backup->error, MF_IO, from, "%s: cannot be opened", file->name);
    enum mf_code code = copy_open_file(backup, from, file);
    mf_io_close(source, from);
    backup->report.copied++;
    backup->report.bytes += file->size;
    return code;
}

static bool base_names(const struct backup *backup, const struct mf_file *file)
{
    const struct mf_manifest *base = &backup->base.manifest;
    const struct mf_file *found = mf_manifest_find(base, file->kind, file->key);
    return found != NULL && strcmp(found->name, file->name) == 0;
}

/* With a rename that is one step a file under its own name is durable. Without, it
 * is if a link names it; else a backup that was killed may have left it in memory
 * only. */
static enum mf_code settle_found_file(struct backup *backup, const struct mf_file *file)
{
    const struct mf_directory *folder = &backup->folder->directory;
    if (!backup->in_place || backup->present || base_names(backup, file))
        return MF_OK;
    int handle = mf_io_open(folder, file->name, MF_OPEN_READ);
    if (handle < 0)
        return mf_fail(backup->error, MF_IO, handle == MF_IO_NOT_REGULAR ? 0 : handle,
                       "%s: cannot be opened", file->name);
    enum mf_code code = mf_commit_sync(backup->folder, handle, file->name, backup->error);
    mf_io_close(folder, handle);
    return code;
}

static enum mf_code put_file(struct backup *backup, const struct mf_file *file)
{
    const struct mf_database *folder = backup->folder;
    enum mf_finding_kind kind;
    struct mf_error found;
    if (mf_nameset_has(&backup->done, file->name))
        return MF_OK;
    enum mf_code code =
        mf_content_verify(&folder->directory, file,
                          folder->options.sizes_only && base_names(backup, file), &kind, &found);
    if (code != MF_OK && code != MF_CORRUPT)
        return mf_fail(backup->error, code, -found.system_error, "%s: cannot be read", file->name);
    if (code == MF_OK) {
        backup->report.found_there++;
        code = settle_found_file(backup, file);
        if (code != MF_OK)
            return code;
    }
    if (code == MF_CORRUPT && kind == MF_FINDING_FILE_NOT_REGULAR)
        return mf_fail(backup->error, MF_INVALID, 0, "%s: not a regular file in the folder",
                       file->name);
    if (code == MF_CORRUPT && kind != MF_FINDING_FILE_MISSING) {
        code = require_not_needed(backup, file);
        if (code != MF_OK)
            return code;
        code = MF_CORRUPT;
    }
    if (code == MF_CORRUPT)
        code = copy_file(backup, file);
    if (code == MF_OK && !mf_nameset_add(&backup->done, file->name))
        code = mf_fail(backup->error, MF_NO_MEMORY, 0, "no memory for the names of files");
    return code;
}

static enum mf_code put_files(struct backup *backup)
{
    const struct mf_manifest *manifest = &backup->version.manifest;
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < manifest->file_count && code == MF_OK; i++)
        code = put_file(backup, &manifest->files[i]);
    return code;
}

/*
 * The link
 */

static enum mf_code publish(struct backup *backup, const char *name, const char *text, size_t size)
{
    enum mf_code code = mf_commit_switch(backup->folder, name, text, size, backup->error);
    if (code == MF_NOT_COMMITTED || code == MF_UNKNOWN)
        return mf_fail_again(backup->error, MF_IO, "the backup");
    return code;
}

static bool manifest_is_whole(const struct backup *backup)
{
    struct mf_version found = {0};
    enum mf_code code = mf_link_manifest(&backup->folder->directory, &backup->link,
                                         &backup->folder->options.read, &found, NULL);
    mf_version_clear(&found);
    return code == MF_OK;
}

/* The switch syncs the directory before its rename: so the names of the files are
 * durable before that of the manifest, and this before that of the link. */
static enum mf_code publish_link(struct backup *backup)
{
    const struct mf_version *version = &backup->version;
    struct mf_link_text text = mf_link_print(&backup->link);
    if (backup->in_place && backup->present && manifest_is_whole(backup))
        return MF_OK;
    enum mf_code code = publish(backup, mf_name_of_version(backup->link.version).text,
                                version->text, version->size);
    if (code == MF_OK && backup->in_place)
        code = put_link(backup, &backup->link);
    else if (code == MF_OK)
        code = publish(backup, mf_name_of_link(backup->link.version).text, text.text, text.size);
    return code;
}

enum mf_code mf_backup_create(struct mf_database *database, uint64_t version, const char *path,
                              const struct mf_options *options, struct mf_backup_report *report,
                              struct mf_error *error)
{
    struct backup backup = {.source = database, .error = error};
    enum mf_code code = load_version(&backup, version);
    if (code == MF_OK)
        code = open_folder(&backup, path, options != NULL ? options : &database->options);
    if (code == MF_OK)
        code = complete_links(&backup);
    if (code == MF_OK)
        code = find_place(&backup);
    if (code == MF_OK)
        code = put_files(&backup);
    if (code == MF_OK)
        code = publish_link(&backup);
    if (code == MF_OK && report != NULL) {
        backup.report.has_base = backup.link.has_base;
        backup.report.base = backup.link.base;
        *report = backup.report;
    }
    mf_version_clear(&backup.version);
    mf_version_clear(&backup.base);
    mf_versions_clear(&backup.links);
    mf_nameset_clear(&backup.done);
    mf_database_close(backup.folder);
    return code;
}

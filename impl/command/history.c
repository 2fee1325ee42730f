/* The subcommands about versions before the current one and about leftovers. */
#include "command.h"
#include "output.h"

#include <inttypes.h>
#include <manifest/history.h>
#include <stdio.h>

/* Opens, calls, closes, and says what failed. */
static int with_database(const struct arguments *arguments, bool writable,
                         enum mf_code (*call)(struct mf_database *database,
                                              const struct arguments *arguments,
                                              struct mf_error *error))
{
    struct mf_options options = library_options(arguments, writable);
    struct mf_database *database = NULL;
    struct mf_error error;
    enum mf_code code = mf_database_open(arguments->directory, &options, &database, &error);
    if (code == MF_OK)
        code = call(database, arguments, &error);
    mf_database_close(database);
    return code == MF_OK ? EXIT_DONE : say_failure(arguments, &error);
}

/* ---- versions ---- */

/* A name counts once, however many keys share it. */
static uint64_t bytes_of(const struct mf_manifest *manifest, size_t *files)
{
    static const struct mf_manifest nothing;
    struct mf_diff diff;
    uint64_t bytes = 0;
    *files = 0;
    if (mf_manifest_diff(&nothing, manifest, &diff, NULL) != MF_OK)
        return 0;
    *files = diff.added_count;
    for (size_t i = 0; i < diff.added_count; i++)
        bytes += diff.added[i]->size;
    mf_diff_clear(&diff);
    return bytes;
}

/* A version that cannot be read is listed with the reason: it is kept all the same. */
static void say_kept(struct mf_database *database, uint64_t number, cJSON *list)
{
    struct mf_manifest manifest;
    struct mf_error error;
    size_t files = 0;
    enum mf_code code = mf_database_read_version(database, number, &manifest, &error);
    uint64_t bytes = code == MF_OK ? bytes_of(&manifest, &files) : 0;
    if (list == NULL) {
        printf("%-10" PRIu64 " ", number);
        if (code == MF_OK) {
            output_time(manifest.timestamp);
            printf(" %8zu %16" PRIu64 "\n", files, bytes);
        } else {
            printf("%s: %s\n", mf_code_name(code), error.message);
        }
    } else {
        cJSON *entry = cJSON_CreateObject();
        output_integer(entry, "version", number);
        output_string(entry, "code", mf_code_name(code));
        if (code == MF_OK) {
            output_integer(entry, "timestamp", manifest.timestamp);
            output_integer(entry, "files", files);
            output_integer(entry, "bytes", bytes);
        } else {
            output_string(entry, "message", error.message);
        }
        cJSON_AddItemToArray(list, entry);
    }
    mf_manifest_clear(&manifest);
}

static enum mf_code say_versions(struct mf_database *database, const struct arguments *arguments,
                                 struct mf_error *error)
{
    struct mf_versions versions;
    cJSON *object = NULL, *list = NULL;
    enum mf_code code = mf_history_versions(database, &versions, error);
    if (code != MF_OK)
        return code;
    if (arguments->json) {
        object = output_result(MF_OK);
        output_integer(object, "current", mf_database_current(database)->version);
        list = cJSON_AddArrayToObject(object, "versions");
    } else {
        printf("%-10s %-23s %8s %16s\n", "VERSION", "COMMITTED", "FILES", "BYTES");
    }
    for (size_t i = 0; i < versions.count; i++)
        say_kept(database, versions.numbers[i], list);
    if (object != NULL)
        output_print(object);
    mf_versions_clear(&versions);
    return MF_OK;
}

int run_versions(const struct arguments *arguments)
{
    return with_database(arguments, false, say_versions);
}

/* ---- diff ---- */

static void say_side(cJSON *object, const char *name, char sign, const struct mf_file *const *files,
                     size_t count)
{
    cJSON *list = object != NULL ? cJSON_AddArrayToObject(object, name) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (list != NULL) {
            cJSON_AddItemToArray(list, output_file(files[i]));
            continue;
        }
        printf("%c %-10s", sign, mf_kind_word(files[i]->kind));
        output_word(files[i]->key, 16);
        putchar(' ');
        output_word(files[i]->name, 0);
        putchar('\n');
    }
}

static enum mf_code say_diff(struct mf_database *database, const struct arguments *arguments,
                             struct mf_error *error)
{
    struct mf_manifest from = {0}, to = {0};
    struct mf_diff diff = {0};
    uint64_t last = arguments->version_count > 1 ? arguments->versions[1]
                                                 : mf_database_current(database)->version;
    enum mf_code code = mf_database_read_version(database, arguments->versions[0], &from, error);
    if (code == MF_OK)
        code = mf_database_read_version(database, last, &to, error);
    if (code == MF_OK)
        code = mf_manifest_diff(&from, &to, &diff, error);
    if (code == MF_OK) {
        cJSON *object = arguments->json ? output_result(MF_OK) : NULL;
        say_side(object, "removed", '-', diff.removed, diff.removed_count);
        say_side(object, "added", '+', diff.added, diff.added_count);
        if (object != NULL)
            output_print(object);
    }
    mf_diff_clear(&diff);
    mf_manifest_clear(&from);
    mf_manifest_clear(&to);
    return code;
}

int run_diff(const struct arguments *arguments)
{
    return with_database(arguments, false, say_diff);
}

/* ---- orphans and gc ---- */

static enum mf_code say_removed(const struct arguments *arguments, enum mf_code code,
                                const struct mf_removed *removed)
{
    if (code != MF_OK)
        return code;
    if (arguments->json) {
        cJSON *object = output_result(MF_OK);
        output_integer(object, "manifests", removed->manifests);
        output_integer(object, "files", removed->files);
        output_integer(object, "bytes", removed->bytes);
        output_print(object);
    } else {
        printf("removed %zu manifests and %zu other files, %" PRIu64 " bytes\n", removed->manifests,
               removed->files, removed->bytes);
    }
    return MF_OK;
}

static void say_orphan(void *argument, const struct mf_orphan *orphan)
{
    cJSON *list = argument;
    if (list == NULL) {
        printf("%-13s%16" PRIu64 "  ", mf_orphan_name(orphan->kind), orphan->size);
        output_word(orphan->name, 0);
        putchar('\n');
        return;
    }
    cJSON *entry = cJSON_CreateObject();
    output_string(entry, "kind", mf_orphan_name(orphan->kind));
    output_string(entry, "detail", mf_orphan_sentence(orphan->kind));
    output_string(entry, "name", orphan->name);
    cJSON_AddBoolToObject(entry, "removable", orphan->removable);
    output_integer(entry, "size", orphan->size);
    cJSON_AddItemToArray(list, entry);
}

static enum mf_code list_orphans(struct mf_database *database, const struct arguments *arguments,
                                 struct mf_error *error)
{
    cJSON *object = arguments->json ? output_result(MF_OK) : NULL;
    cJSON *list = object != NULL ? cJSON_AddArrayToObject(object, "orphans") : NULL;
    enum mf_code code = mf_orphans_list(database, say_orphan, list, error);
    if (code == MF_OK && object != NULL)
        output_print(object);
    else
        cJSON_Delete(object);
    return code;
}

static enum mf_code remove_orphans(struct mf_database *database, const struct arguments *arguments,
                                   struct mf_error *error)
{
    struct mf_removed removed;
    return say_removed(arguments, mf_orphans_remove(database, &removed, error), &removed);
}

int run_orphans(const struct arguments *arguments)
{
    return arguments->remove_orphans ? with_database(arguments, true, remove_orphans)
                                     : with_database(arguments, false, list_orphans);
}

static enum mf_code clean(struct mf_database *database, const struct arguments *arguments,
                          struct mf_error *error)
{
    struct mf_removed removed;
    return say_removed(
        arguments, mf_history_clean(database, (size_t)arguments->keep, &removed, error), &removed);
}

int run_gc(const struct arguments *arguments)
{
    return with_database(arguments, true, clean);
}

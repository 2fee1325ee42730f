/* The subcommands about copies elsewhere, and recovery by hand. */
#include "command.h"
#include "output.h"

#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdio.h>

/* ---- backup ---- */

static int say_backup(const struct arguments *arguments, uint64_t version,
                      const struct mf_backup_report *report)
{
    if (arguments->json) {
        cJSON *object = output_result(MF_OK);
        output_integer(object, "version", version);
        if (report->has_base)
            output_integer(object, "base", report->base);
        else
            cJSON_AddNullToObject(object, "base");
        output_integer(object, "copied", report->copied);
        output_integer(object, "bytes", report->bytes);
        output_integer(object, "found_there", report->found_there);
        output_print(object);
        return EXIT_DONE;
    }
    printf("version %" PRIu64 " is in the backup: %zu files copied, %" PRIu64
           " bytes; %zu were there\n",
           version, report->copied, report->bytes, report->found_there);
    return EXIT_DONE;
}

/* For writing, so that the current version is known to be durable. */
int run_backup(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, true);
    struct mf_database *database = NULL;
    struct mf_backup_report report;
    struct mf_error error;
    uint64_t version = 0;
    enum mf_code code = mf_database_open(arguments->directory, &options, &database, &error);
    if (code == MF_OK) {
        version = arguments->version_count > 0 ? arguments->versions[0]
                                               : mf_database_current(database)->version;
        code = mf_backup_create(database, version, arguments->folder, NULL, &report, &error);
    }
    mf_database_close(database);
    return code == MF_OK ? say_backup(arguments, version, &report) : say_failure(arguments, &error);
}

/* ---- verify --backup ---- */

static void say_link(void *argument, const struct mf_backup_link *link)
{
    cJSON *list = argument;
    char base[32] = "nothing";
    if (link->has_base)
        snprintf(base, sizeof(base), "version %" PRIu64, link->base);
    if (list == NULL) {
        printf("version %" PRIu64 " on top of %s: %s%s\n", link->version, base,
               link->code == MF_OK ? "whole" : "fault: ", link->detail);
        return;
    }
    cJSON *entry = cJSON_CreateObject();
    output_integer(entry, "version", link->version);
    if (link->has_base)
        output_integer(entry, "base", link->base);
    else
        cJSON_AddNullToObject(entry, "base");
    output_string(entry, "code", mf_code_name(link->code));
    output_string(entry, "detail", link->detail);
    if (link->manifest != NULL) {
        output_integer(entry, "timestamp", link->manifest->timestamp);
        output_integer(entry, "files", link->manifest->file_count);
    }
    cJSON_AddItemToArray(list, entry);
}

int verify_backup(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, false);
    struct mf_error error;
    cJSON *list = arguments->json ? cJSON_CreateArray() : NULL;
    enum mf_code code = mf_backup_inspect(arguments->directory, &options, say_link, list, &error);
    if (!arguments->json)
        return code == MF_OK ? EXIT_DONE : say_failure(arguments, &error);
    cJSON *object = output_result(code);
    if (code != MF_OK)
        output_string(object, "message", error.message);
    cJSON_AddItemToObject(object, "versions", list);
    output_print(object);
    return exit_status(code);
}

/* ---- restore ---- */

static void remember_newest(void *argument, const struct mf_backup_link *link)
{
    uint64_t *newest = argument;
    *newest = link->version;
}

/* Of the versions in the folder, whole or not: a damaged newest one must be said,
 * not passed over. */
static enum mf_code find_newest(const struct arguments *arguments, uint64_t *newest,
                                struct mf_error *error)
{
    struct mf_options options = library_options(arguments, false);
    options.sizes_only = true;
    enum mf_code code =
        mf_backup_inspect(arguments->folder, &options, remember_newest, newest, error);
    return code == MF_CORRUPT ? MF_OK : code;
}

int run_restore(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, true);
    struct mf_error error;
    uint64_t version = arguments->versions[0], restored = 0;
    enum mf_code code = MF_OK;
    if (arguments->version_count == 0)
        code = find_newest(arguments, &version, &error);
    if (code == MF_OK)
        code = mf_backup_restore(arguments->folder, version, arguments->directory, &options,
                                 &restored, &error);
    return code == MF_OK ? say_version(arguments, "restored, as", restored)
                         : say_failure(arguments, &error);
}

/* ---- recover ---- */

int run_recover(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, true);
    struct mf_error error;
    uint64_t recovered = 0;
    if (mf_database_recover(arguments->directory, &options, arguments->versions[0], &recovered,
                            &error) != MF_OK)
        return say_failure(arguments, &error);
    return say_version(arguments, "recovered, as", recovered);
}

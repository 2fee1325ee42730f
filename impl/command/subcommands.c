/* What each subcommand does, in terms of the library. */
#include "command.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <manifest/history.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mf_options library_options(const struct arguments *arguments, bool writable)
{
    return (struct mf_options){.writable = writable,
                               .lock_timeout_ms = arguments->wait_ms,
                               .read = {.accept_unsealed = arguments->unsealed},
                               .commit_point = arguments->commit_point};
}

int exit_status(enum mf_code code)
{
    switch (code) {
    case MF_OK:
        return EXIT_DONE;
    case MF_CORRUPT:
    case MF_MALFORMED:
        return EXIT_CORRUPT;
    case MF_UNKNOWN:
        return EXIT_UNKNOWN;
    case MF_NO_DATABASE:
    case MF_NO_VERSION:
        return EXIT_NOTHING_THERE;
    default:
        return EXIT_FAILED;
    }
}

int say_failure(const struct arguments *arguments, const struct mf_error *error)
{
    fprintf(stderr, "manifest: %s: %s\n", arguments->directory, error->message);
    fprintf(stderr, "manifest: %s: %s\n", mf_code_name(error->code), mf_code_sentence(error->code));
    if (arguments->json) {
        cJSON *object = output_result(error->code);
        output_string(object, "message", error->message);
        output_string(object, "state", mf_code_sentence(error->code));
        output_integer(object, "errno", (uint64_t)error->system_error);
        output_print(object);
    }
    return exit_status(error->code);
}

int say_version(const struct arguments *arguments, const char *sentence, uint64_t version)
{
    if (arguments->json) {
        cJSON *object = output_result(MF_OK);
        output_integer(object, "version", version);
        output_print(object);
    } else {
        printf("%s version %" PRIu64 "\n", sentence, version);
    }
    return EXIT_DONE;
}

int run_init(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, true);
    struct mf_error error;
    if (mf_database_init(arguments->directory, &options, &error) != MF_OK)
        return say_failure(arguments, &error);
    return say_version(arguments, "created, with", 1);
}

/*
 * Commit
 */

static int64_t read_descriptor(void *argument, void *buffer, size_t size)
{
    const int *descriptor = argument;
    ssize_t count;
    do {
        count = read(*descriptor, buffer, size);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static enum mf_code unreadable(const char *path, struct mf_error *error)
{
    *error = (struct mf_error){.code = MF_INVALID, .system_error = errno};
    snprintf(error->message, sizeof(error->message), "%s: cannot be read: %s", path,
             strerror(errno));
    return MF_INVALID;
}

static enum mf_code apply_change(struct mf_transaction *transaction, const struct change *change,
                                 struct mf_error *error)
{
    if (change->path == NULL)
        return mf_transaction_remove(transaction, change->kind, change->key, error);
    int descriptor = open(change->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return unreadable(change->path, error);
    enum mf_code code = mf_transaction_add_stream(transaction, change->kind, change->key,
                                                  read_descriptor, &descriptor, error);
    close(descriptor);
    return code;
}

static enum mf_code commit_changes(struct mf_database *database, const struct arguments *arguments,
                                   uint64_t *version, struct mf_error *error)
{
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    if (code != MF_OK)
        return code;
    if (arguments->version_count > 0)
        code = mf_transaction_load(transaction, arguments->versions[0], error);
    for (size_t i = 0; i < arguments->change_count && code == MF_OK; i++)
        code = apply_change(transaction, &arguments->changes[i], error);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, version, error);
    mf_transaction_abort(transaction);
    return code;
}

int run_commit(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, true);
    struct mf_database *database = NULL;
    struct mf_error error;
    uint64_t version = 0;
    enum mf_code code = mf_database_open(arguments->directory, &options, &database, &error);
    if (code == MF_OK)
        code = commit_changes(database, arguments, &version, &error);
    mf_database_close(database);
    if (code != MF_OK)
        return say_failure(arguments, &error);
    return say_version(arguments, "committed", version);
}

/*
 * Show
 */

static void show_as_json(const struct mf_database *database, const struct mf_manifest *manifest,
                         bool current)
{
    cJSON *object = output_result(MF_OK);
    output_integer(object, "version", manifest->version);
    output_integer(object, "timestamp", manifest->timestamp);
    cJSON_AddBoolToObject(object, "current", current);
    output_string(object, "commit_point", mf_commit_point_word(mf_database_commit_point(database)));
    if (current) {
        output_string(object, "durability", "unknown");
        cJSON_AddBoolToObject(object, "copy_missing", mf_database_copy_was_missing(database));
        cJSON_AddBoolToObject(object, "fell_back", mf_database_fell_back(database));
    }
    cJSON_AddBoolToObject(object, "sealed", manifest->sealed);
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < manifest->file_count; i++)
        cJSON_AddItemToArray(files, output_file(&manifest->files[i]));
    output_print(object);
}

static void print_file(const struct mf_file *file)
{
    printf("%-10s", mf_kind_word(file->kind));
    output_word(file->key, 16);
    putchar(' ');
    output_word(file->name, 32);
    if (file->recorded)
        printf(" %14" PRIu64 "  0x%08" PRIx32 "\n", file->size, file->crc32c);
    else
        printf(" %14s  %s\n", "?", "?");
}

static void show_as_text(const struct mf_database *database, const struct mf_manifest *manifest,
                         bool current)
{
    printf("version       %" PRIu64 "%s\n", manifest->version, current ? ", current" : "");
    printf("committed     ");
    output_time(manifest->timestamp);
    printf("\ncommit point  %s\n", mf_commit_point_word(mf_database_commit_point(database)));
    if (current)
        printf("durability    unknown (the next open for writing makes it durable)\n");
    if (current && mf_database_fell_back(database))
        printf("slots         one is not valid: a commit was cut short, or the record of a later "
               "version has rotted\n");
    if (current && mf_database_copy_was_missing(database))
        printf("kept copy     missing (the next open for writing writes it again)\n");
    if (!manifest->sealed)
        printf("seal          none: sizes and CRC32Cs are not recorded\n");
    if (manifest->file_count == 0) {
        printf("files         none\n");
        return;
    }
    printf("\n%-10s%-16s %-32s %14s  %s\n", "KIND", "KEY", "FILE", "BYTES", "CRC32C");
    for (size_t i = 0; i < manifest->file_count; i++)
        print_file(&manifest->files[i]);
}

int run_show(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, false);
    struct mf_database *database = NULL;
    struct mf_manifest manifest;
    struct mf_error error;
    if (mf_database_open(arguments->directory, &options, &database, &error) != MF_OK)
        return say_failure(arguments, &error);
    uint64_t current = mf_database_current(database)->version;
    uint64_t version = arguments->version_count > 0 ? arguments->versions[0] : current;
    int status = EXIT_DONE;
    if (mf_database_read_version(database, version, &manifest, &error) == MF_OK) {
        (arguments->json ? show_as_json : show_as_text)(database, &manifest, version == current);
        mf_manifest_clear(&manifest);
    } else {
        status = say_failure(arguments, &error);
    }
    mf_database_close(database);
    return status;
}

/*
 * Verify
 */

struct verification {
    bool json;
    cJSON *findings; /* an array; NULL without --json */
};

static void say_finding(void *argument, const struct mf_finding *finding)
{
    struct verification *verification = argument;
    if (!verification->json) {
        printf("%s: %s\n", finding->fault ? "fault" : "note", finding->detail);
        return;
    }
    cJSON *entry = cJSON_CreateObject();
    output_string(entry, "finding", mf_finding_name(finding->kind));
    cJSON_AddBoolToObject(entry, "fault", finding->fault);
    output_string(entry, "name", finding->name);
    output_string(entry, "detail", finding->detail);
    cJSON_AddItemToArray(verification->findings, entry);
}

static int say_verdict(const struct verification *verification, enum mf_code code, uint64_t version,
                       const struct mf_error *error)
{
    cJSON *object = output_result(code);
    if (version != UINT64_MAX)
        output_integer(object, "version", version);
    if (code != MF_OK)
        output_string(object, "message", error->message);
    cJSON_AddItemToObject(object, "findings", verification->findings);
    output_print(object);
    return exit_status(code);
}

int run_verify(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, false);
    struct verification verification = {.json = arguments->json};
    struct mf_error error;
    uint64_t version = UINT64_MAX;
    if (arguments->backup)
        return verify_backup(arguments);
    if (arguments->json)
        verification.findings = cJSON_CreateArray();
    enum mf_code code = mf_database_verify(arguments->directory, &options, say_finding,
                                           &verification, &version, &error);
    if (arguments->json)
        return say_verdict(&verification, code, version, &error);
    if (code != MF_OK)
        return say_failure(arguments, &error);
    printf("version %" PRIu64 ": verified\n", version);
    return EXIT_DONE;
}

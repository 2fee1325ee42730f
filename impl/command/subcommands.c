/* What each subcommand does, in terms of the library. */
#include "command.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct mf_options library_options(const struct arguments *arguments, bool writable)
{
    return (struct mf_options){.writable = writable,
                               .lock_timeout_ms = arguments->wait_ms,
                               .read = {.accept_unsealed = arguments->unsealed}};
}

static int exit_status(enum mf_code code)
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

/* Every object that --json prints begins like this. */
static cJSON *new_result(enum mf_code code)
{
    cJSON *object = cJSON_CreateObject();
    output_string(object, "code", mf_code_name(code));
    return object;
}

int say_failure(const struct arguments *arguments, const struct mf_error *error)
{
    fprintf(stderr, "manifest: %s: %s\n", arguments->directory, error->message);
    fprintf(stderr, "manifest: %s: %s\n", mf_code_name(error->code), mf_code_sentence(error->code));
    if (arguments->json) {
        cJSON *object = new_result(error->code);
        output_string(object, "message", error->message);
        output_string(object, "state", mf_code_sentence(error->code));
        output_integer(object, "errno", (uint64_t)error->system_error);
        output_print(object);
    }
    return exit_status(error->code);
}

static int say_version(const struct arguments *arguments, const char *sentence, uint64_t version)
{
    if (arguments->json) {
        cJSON *object = new_result(MF_OK);
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

static void show_as_json(const struct mf_manifest *manifest, bool current, bool copy_missing)
{
    cJSON *object = new_result(MF_OK);
    output_integer(object, "version", manifest->version);
    output_integer(object, "timestamp", manifest->timestamp);
    cJSON_AddBoolToObject(object, "current", current);
    output_string(object, "commit_point", "rename");
    if (current) {
        output_string(object, "durability", "unknown");
        cJSON_AddBoolToObject(object, "copy_missing", copy_missing);
    }
    cJSON_AddBoolToObject(object, "sealed", manifest->sealed);
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        cJSON *entry = cJSON_CreateObject();
        output_string(entry, "kind", mf_kind_word(file->kind));
        output_string(entry, "key", file->key);
        output_string(entry, "name", file->name);
        if (file->recorded) {
            output_integer(entry, "size", file->size);
            output_integer(entry, "crc32c", file->crc32c);
        }
        cJSON_AddItemToArray(files, entry);
    }
    output_print(object);
}

static void print_time(uint64_t timestamp)
{
    char text[64];
    struct tm parts;
    time_t seconds = (time_t)timestamp;
    if (timestamp > INT64_MAX || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(text, sizeof(text), "%" PRIu64 " seconds after 1970", timestamp);
    printf("committed     %s\n", text);
}

/* Names may hold control characters, and this goes to a terminal. */
static void print_word(const char *word, int width)
{
    int printed = 0;
    for (; *word != '\0'; word++, printed++)
        putchar((unsigned char)*word < 0x20 || *word == 0x7f ? '?' : *word);
    printf("%*s", printed < width ? width - printed : 0, "");
}

static void print_file(const struct mf_file *file)
{
    printf("%-10s", mf_kind_word(file->kind));
    print_word(file->key, 16);
    putchar(' ');
    print_word(file->name, 32);
    if (file->recorded)
        printf(" %14" PRIu64 "  0x%08" PRIx32 "\n", file->size, file->crc32c);
    else
        printf(" %14s  %s\n", "?", "?");
}

static void show_as_text(const struct mf_manifest *manifest, bool current, bool copy_missing)
{
    printf("version       %" PRIu64 "%s\n", manifest->version, current ? ", current" : "");
    print_time(manifest->timestamp);
    printf("commit point  rename\n");
    if (current)
        printf("durability    unknown (the next open for writing makes it durable)\n");
    if (current && copy_missing)
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

static bool parse_version(const char *text, uint64_t *version)
{
    char *end;
    errno = 0;
    *version = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

int run_show(const struct arguments *arguments)
{
    struct mf_options options = library_options(arguments, false);
    struct mf_database *database = NULL;
    struct mf_manifest manifest;
    struct mf_error error;
    uint64_t version = 0;
    if (arguments->version != NULL && !parse_version(arguments->version, &version)) {
        fprintf(stderr, "manifest show: not a version number: %s\n", arguments->version);
        return EXIT_USAGE;
    }
    if (mf_database_open(arguments->directory, &options, &database, &error) != MF_OK)
        return say_failure(arguments, &error);
    uint64_t current = mf_database_current(database)->version;
    int status = EXIT_DONE;
    if (arguments->version == NULL)
        version = current;
    if (mf_database_read_version(database, version, &manifest, &error) == MF_OK) {
        (arguments->json ? show_as_json : show_as_text)(&manifest, version == current,
                                                        mf_database_copy_was_missing(database));
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
    cJSON *object = new_result(code);
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

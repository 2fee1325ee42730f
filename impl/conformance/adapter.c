/*
 * The adapter of libmanifest for run.py: one operation for each call, its result
 * as one line of JSON. README.md says what an adapter does; a port in another
 * language writes its own.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every operation gets: the path, the words after it, and the object that is
 * printed at the end. */
struct request {
    const char *path;
    const char *word; /* "" when there is none */
    cJSON *result;
};

/* cJSON would print it as a double. */
static void say_integer(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, digits);
}

static struct mf_options options_of(const struct request *request, bool writable)
{
    return (struct mf_options){
        .writable = writable,
        .read = {.accept_unsealed = strcmp(request->word, "unsealed") == 0},
        .commit_point = strcmp(request->word, "slots") == 0 ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME,
    };
}

/* The whole file; NULL when it cannot be read. */
static char *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(file);
        rewind(file);
        text = malloc(*size + 1);
        if (text != NULL && fread(text, 1, *size, file) != *size) {
            free(text);
            text = NULL;
        }
    }
    if (file != NULL)
        fclose(file);
    return text;
}

/*
 * Manifests
 */

static void say_manifest(cJSON *object, const struct mf_manifest *manifest)
{
    say_integer(object, "version", manifest->version);
    say_integer(object, "timestamp", manifest->timestamp);
    cJSON_AddBoolToObject(object, "sealed", manifest->sealed);
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "kind", mf_kind_word(file->kind));
        cJSON_AddStringToObject(entry, "key", file->key);
        cJSON_AddStringToObject(entry, "name", file->name);
        if (file->recorded) {
            say_integer(entry, "size", file->size);
            say_integer(entry, "crc32c", file->crc32c);
        }
        cJSON_AddItemToArray(files, entry);
    }
}

static enum mf_code parse(const struct request *request, struct mf_manifest *manifest,
                          struct mf_error *error)
{
    struct mf_options options = options_of(request, false);
    size_t size;
    char *text = load(request->path, &size);
    if (text == NULL) {
        perror(request->path);
        exit(2);
    }
    enum mf_code code = mf_manifest_parse(text, size, &options.read, manifest, error);
    free(text);
    return code;
}

static enum mf_code run_parse(const struct request *request, struct mf_error *error)
{
    struct mf_manifest manifest;
    enum mf_code code = parse(request, &manifest, error);
    if (code == MF_OK) {
        say_manifest(request->result, &manifest);
    } else {
        say_integer(request->result, "line", error->line);
        say_integer(request->result, "column", error->column);
    }
    mf_manifest_clear(&manifest);
    return code;
}

/* The canonical bytes, as a string. */
static enum mf_code run_print(const struct request *request, struct mf_error *error)
{
    struct mf_manifest manifest;
    char *text = NULL, *terminated = NULL;
    size_t size = 0;
    enum mf_code code = parse(request, &manifest, error);
    if (code == MF_OK)
        code = mf_manifest_print(&manifest, &text, &size, error);
    if (code == MF_OK)
        terminated = strndup(text, size);
    if (terminated != NULL)
        cJSON_AddStringToObject(request->result, "text", terminated);
    free(terminated);
    free(text);
    mf_manifest_clear(&manifest);
    return code;
}

/*
 * Directories
 */

static void say_database(const struct request *request, const struct mf_database *database)
{
    say_integer(request->result, "version", mf_database_current(database)->version);
    cJSON_AddStringToObject(request->result, "commit_point",
                            mf_commit_point_word(mf_database_commit_point(database)));
    cJSON_AddBoolToObject(request->result, "copy_missing", mf_database_copy_was_missing(database));
    cJSON_AddBoolToObject(request->result, "fell_back", mf_database_fell_back(database));
}

static enum mf_code open_database(const struct request *request, bool writable,
                                  struct mf_database **database, struct mf_error *error)
{
    struct mf_options options = options_of(request, writable);
    *database = NULL;
    enum mf_code code = mf_database_open(request->path, &options, database, error);
    if (code == MF_OK)
        say_database(request, *database);
    return code;
}

static enum mf_code run_read(const struct request *request, struct mf_error *error)
{
    struct mf_database *database;
    enum mf_code code = open_database(request, false, &database, error);
    mf_database_close(database);
    return code;
}

static enum mf_code run_write(const struct request *request, struct mf_error *error)
{
    struct mf_database *database;
    enum mf_code code = open_database(request, true, &database, error);
    mf_database_close(database);
    return code;
}

static enum mf_code commit(struct mf_database *database, uint64_t *version, struct mf_error *error)
{
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    if (code != MF_OK)
        return code;
    code = mf_transaction_add(transaction, MF_KIND_TIMESTAMP, "next", "next", 4, error);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, version, error);
    mf_transaction_abort(transaction);
    return code;
}

static enum mf_code run_commit(const struct request *request, struct mf_error *error)
{
    struct mf_database *database;
    uint64_t version = 0;
    enum mf_code code = open_database(request, true, &database, error);
    if (code == MF_OK)
        code = commit(database, &version, error);
    if (code == MF_OK)
        say_integer(request->result, "committed", version);
    mf_database_close(database);
    return code;
}

static enum mf_code run_init(const struct request *request, struct mf_error *error)
{
    struct mf_options options = options_of(request, true);
    return mf_database_init(request->path, &options, error);
}

static void say_link(void *argument, const struct mf_backup_link *link)
{
    cJSON *entry = cJSON_CreateObject();
    say_integer(entry, "version", link->version);
    if (link->has_base)
        say_integer(entry, "base", link->base);
    cJSON_AddStringToObject(entry, "code", mf_code_name(link->code));
    cJSON_AddItemToArray(argument, entry);
}

static enum mf_code run_inspect(const struct request *request, struct mf_error *error)
{
    cJSON *links = cJSON_AddArrayToObject(request->result, "links");
    return mf_backup_inspect(request->path, NULL, say_link, links, error);
}

static const struct {
    const char *name;
    enum mf_code (*run)(const struct request *request, struct mf_error *error);
} operations[] = {
    {"parse", run_parse},   {"print", run_print}, {"read", run_read},       {"write", run_write},
    {"commit", run_commit}, {"init", run_init},   {"inspect", run_inspect},
};

static int perform(size_t operation, const char *path, const char *word)
{
    struct request request = {.path = path, .word = word, .result = cJSON_CreateObject()};
    struct mf_error error = {.message = ""};
    enum mf_code code = operations[operation].run(&request, &error);
    cJSON_AddStringToObject(request.result, "code", mf_code_name(code));
    if (code != MF_OK)
        cJSON_AddStringToObject(request.result, "message", error.message);
    char *text = cJSON_PrintUnformatted(request.result);
    int status = text != NULL && puts(text) >= 0 && fflush(stdout) == 0 ? 0 : 2;
    cJSON_free(text);
    cJSON_Delete(request.result);
    return status;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 3 && i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(argv[1], operations[i].name) == 0)
            return perform(i, argv[2], argc > 3 ? argv[3] : "");
    fputs("usage: conformance_adapter parse|print FILE [unsealed]\n"
          "       conformance_adapter read|write|commit DIRECTORY [unsealed]\n"
          "       conformance_adapter init DIRECTORY rename|slots\n"
          "       conformance_adapter inspect DIRECTORY\n",
          stderr);
    return 2;
}

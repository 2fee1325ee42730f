/*
 * The adapter of libmanifest for run.py: one operation for each call, its result
 * as one line of JSON. README.md says what an adapter does; a port in another
 * language writes its own.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <manifest/manifest.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every operation gets: the path, the words after it, and the object that is
 * printed at the end. */
struct request {
    const char *path;
    const char *word; /* the next one; "" when there is none */
    char **words;     /* all after the path */
    int word_count;
    cJSON *result;
};

/* cJSON would print it as a double. */
static void say_integer(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, digits);
}

/* Two runs at different times write the same, if that is wanted. */
static uint64_t given;

static int given_time(void *context, uint64_t *seconds)
{
    (void)context;
    *seconds = given;
    return 0;
}

static const struct mf_platform *platform(void)
{
    static struct mf_platform here;
    here = *mf_platform_posix();
    const char *text = getenv("SOURCE_DATE_EPOCH");
    if (text != NULL) {
        given = strtoull(text, NULL, 10);
        here.now = given_time;
    }
    return &here;
}

static struct mf_options options_of(const struct request *request, bool writable)
{
    return (struct mf_options){
        .platform = platform(),
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

/* A file's content into the transaction, as that kind and key. */
static enum mf_code add_file(struct mf_transaction *transaction, char **words,
                             struct mf_error *error)
{
    unsigned kind = 0;
    size_t size = 0;
    while (kind < MF_KIND_COUNT && strcmp(words[0], mf_kind_word((enum mf_kind)kind)) != 0)
        kind++;
    char *data = load(words[2], &size);
    if (kind == MF_KIND_COUNT || data == NULL) {
        fprintf(stderr, "conformance_adapter: %s %s: no such kind, or no such file\n", words[0],
                words[2]);
        exit(2);
    }
    enum mf_code code =
        mf_transaction_add(transaction, (enum mf_kind)kind, words[1], data, size, error);
    free(data);
    return code;
}

/* One version of the files up to the word "then"; *used: how many words that were. */
static enum mf_code commit_version(struct mf_database *database, char **words, int count, int *used,
                                   uint64_t *version, struct mf_error *error)
{
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    *used = 0;
    if (code != MF_OK)
        return code;
    for (; code == MF_OK && *used + 3 <= count && strcmp(words[*used], "then") != 0; *used += 3)
        code = add_file(transaction, words + *used, error);
    if (code == MF_OK)
        return mf_transaction_commit(transaction, version, error);
    mf_transaction_abort(transaction);
    return code;
}

/* What is printed is durable: not before it is, and not later. */
static void promise(uint64_t version)
{
    printf("committed %" PRIu64 "\n", version);
    fflush(stdout);
}

static enum mf_code run_commit_files(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    struct mf_database *database;
    uint64_t version = 0;
    enum mf_code code = mf_database_open(request->path, &options, &database, error);
    if (code != MF_OK)
        return code;
    for (int at = 0, used = 0; code == MF_OK && at < request->word_count; at += used + 1) {
        code = commit_version(database, request->words + at, request->word_count - at, &used,
                              &version, error);
        if (code == MF_OK)
            promise(version);
    }
    if (code == MF_OK)
        say_integer(request->result, "committed", version);
    mf_database_close(database);
    return code;
}

/* Opening has compared every file with its record. */
static enum mf_code run_show(const struct request *request, struct mf_error *error)
{
    struct mf_database *database;
    enum mf_code code = mf_database_open(request->path, NULL, &database, error);
    if (code != MF_OK)
        return code;
    say_manifest(request->result, mf_database_current(database));
    cJSON_AddStringToObject(request->result, "commit_point",
                            mf_commit_point_word(mf_database_commit_point(database)));
    mf_database_close(database);
    return MF_OK;
}

static enum mf_code run_versions(const struct request *request, struct mf_error *error)
{
    struct mf_versions versions = {NULL, 0};
    struct mf_database *database;
    enum mf_code code = mf_database_open(request->path, NULL, &database, error);
    if (code != MF_OK)
        return code;
    code = mf_history_versions(database, &versions, error);
    cJSON *list = cJSON_AddArrayToObject(request->result, "versions");
    for (size_t i = 0; i < versions.count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)versions.numbers[i]));
    mf_versions_clear(&versions);
    mf_database_close(database);
    return code;
}

static enum mf_code run_cleanup(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    struct mf_database *database;
    enum mf_code code = mf_database_open(request->path, &options, &database, error);
    if (code != MF_OK)
        return code;
    code = mf_history_clean(database, strtoul(request->word, NULL, 10), NULL, error);
    mf_database_close(database);
    return code;
}

static enum mf_code run_sweep(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    struct mf_database *database;
    enum mf_code code = mf_database_open(request->path, &options, &database, error);
    if (code != MF_OK)
        return code;
    code = mf_orphans_remove(database, NULL, error);
    mf_database_close(database);
    return code;
}

static enum mf_code run_recover(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    uint64_t version = 0;
    enum mf_code code = mf_database_recover(request->path, &options,
                                            strtoull(request->word, NULL, 10), &version, error);
    if (code == MF_OK)
        say_integer(request->result, "recovered", version);
    return code;
}

static enum mf_code run_backup(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    struct mf_database *database;
    enum mf_code code = mf_database_open(request->path, &options, &database, error);
    if (code != MF_OK)
        return code;
    code = mf_backup_create(database, strtoull(request->word, NULL, 10), request->words[1], NULL,
                            NULL, error);
    mf_database_close(database);
    return code;
}

static enum mf_code run_restore(const struct request *request, struct mf_error *error)
{
    struct mf_options options = {.platform = platform(), .writable = true};
    uint64_t version = 0;
    enum mf_code code = mf_backup_restore(request->path, strtoull(request->word, NULL, 10),
                                          request->words[1], &options, &version, error);
    if (code == MF_OK)
        say_integer(request->result, "restored", version);
    return code;
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

static enum mf_code run_capabilities(const struct request *request, struct mf_error *error);

/* word_count: how many words the operation needs after its path; without_path: it has none. */
static const struct {
    const char *name;
    enum mf_code (*run)(const struct request *request, struct mf_error *error);
    int word_count;
    bool without_path;
} operations[] = {
    {"parse", run_parse, 0, false},       {"print", run_print, 0, false},
    {"read", run_read, 0, false},         {"write", run_write, 0, false},
    {"commit", run_commit, 0, false},     {"init", run_init, 1, false},
    {"inspect", run_inspect, 0, false},   {"capabilities", run_capabilities, 0, true},
    {"show", run_show, 0, false},         {"commit-files", run_commit_files, 0, false},
    {"versions", run_versions, 0, false}, {"cleanup", run_cleanup, 1, false},
    {"sweep", run_sweep, 0, false},       {"recover", run_recover, 1, false},
    {"backup", run_backup, 2, false},     {"restore", run_restore, 2, false},
};

enum { OPERATION_COUNT = sizeof(operations) / sizeof(operations[0]) };

static enum mf_code run_capabilities(const struct request *request, struct mf_error *error)
{
    (void)error;
    cJSON *list = cJSON_AddArrayToObject(request->result, "operations");
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(operations[i].name));
    list = cJSON_AddArrayToObject(request->result, "commit_points");
    cJSON_AddItemToArray(list, cJSON_CreateString("rename"));
    cJSON_AddItemToArray(list, cJSON_CreateString("slots"));
    return MF_OK;
}

/* Whether the message tells how a call of the system has failed, which is not printed: whatever
 * the error was, it is the same. */
static bool is_of_call(enum mf_code code)
{
    return code == MF_IO || code == MF_NOT_COMMITTED || code == MF_UNKNOWN;
}

/* words: those after the operation's name, and a NULL. */
static int perform(size_t operation, char **words, int count)
{
    struct request request = {.path = count > 0 ? words[0] : "",
                              .word = count > 1 ? words[1] : "",
                              .words = words + (count > 0 ? 1 : 0),
                              .word_count = count > 0 ? count - 1 : 0,
                              .result = cJSON_CreateObject()};
    struct mf_error error = {.message = ""};
    enum mf_code code = operations[operation].run(&request, &error);
    cJSON_AddStringToObject(request.result, "code", mf_code_name(code));
    if (is_of_call(code))
        fprintf(stderr, "%s\n", error.message);
    else if (code != MF_OK)
        cJSON_AddStringToObject(request.result, "message", error.message);
    char *text = cJSON_PrintUnformatted(request.result);
    int status = text != NULL && puts(text) >= 0 && fflush(stdout) == 0 ? 0 : 2;
    cJSON_free(text);
    cJSON_Delete(request.result);
    return status;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < OPERATION_COUNT; i++)
        if (strcmp(argv[1], operations[i].name) == 0 &&
            argc - 2 >= operations[i].word_count + (operations[i].without_path ? 0 : 1))
            return perform(i, argv + 2, argc - 2);
    fputs("usage: conformance_adapter OPERATION [DIRECTORY|FILE] [WORD]...\n"
          "README.md of the conformance vectors says what the operations are.\n",
          stderr);
    return 2;
}

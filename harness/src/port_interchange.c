#include "port_interchange.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "port_judge.h"
#include "text.h"

struct play {
    const struct cm_port_interchange *plan;
    struct cm_port_answer capabilities;
    struct ff_error *error;
};

/* ---- The reference ---- */

static int say(const struct play *play, const char *what, enum mf_code code,
               const struct mf_error *why)
{
    return code == MF_OK ? 0
                         : cm_fail(play->error, "the reference, %s: %s: %s", what,
                                   mf_code_name(code), why->message);
}

static int reference_init(const struct play *play, const char *path)
{
    bool slots = strcmp(play->plan->point, "slots") == 0;
    struct mf_options options = {.commit_point = slots ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME};
    struct mf_error why;
    return say(play, "creating a database", mf_database_init(path, &options, &why), &why);
}

/* Adds the files of a version to a transaction; shared ones with version 2 only. */
static enum mf_code add_files(struct mf_transaction *transaction, uint64_t version,
                              struct mf_error *why)
{
    enum mf_code code = MF_OK;
    for (unsigned i = 0; code == MF_OK && i < CM_PORT_FILE_COUNT; i++) {
        const struct cm_port_file *file = &cm_port_files[i];
        unsigned char data[CM_PORT_SIZE_MAX];
        unsigned kind = 0;
        if (file->shared && version != 2)
            continue;
        while (strcmp(mf_kind_word((enum mf_kind)kind), file->kind) != 0)
            kind++;
        size_t size = cm_port_content(version, i, data);
        code = mf_transaction_add(transaction, (enum mf_kind)kind, file->key, data, size, why);
    }
    return code;
}

static int reference_commit(const struct play *play, const char *path, uint64_t last)
{
    struct mf_options options = {.writable = true};
    struct mf_database *database;
    struct mf_error why;
    enum mf_code code = mf_database_open(path, &options, &database, &why);
    if (code != MF_OK)
        return say(play, "opening it for writing", code, &why);
    while (code == MF_OK && mf_database_current(database)->version < last) {
        struct mf_transaction *transaction;
        code = mf_transaction_begin(database, &transaction, &why);
        if (code != MF_OK)
            break;
        code = add_files(transaction, mf_transaction_version(transaction), &why);
        if (code == MF_OK)
            code = mf_transaction_commit(transaction, NULL, &why);
        else
            mf_transaction_abort(transaction);
    }
    mf_database_close(database);
    return say(play, "committing", code, &why);
}

/* MANIFEST-n has the canonical bytes. */
static int check_canonical(const struct play *play, const char *path,
                           const struct mf_manifest *manifest)
{
    struct mf_error why;
    char *name = cm_format("%s/MANIFEST-%06" PRIu64, path, manifest->version);
    char *text = NULL, *bytes = NULL;
    size_t size = 0;
    FILE *file = fopen(name, "rbe");
    int status = say(play, "printing", mf_manifest_print(manifest, &text, &size, &why), &why);
    bytes = cm_allocate(size + 2, 1);
    if (status == 0 &&
        (file == NULL || fread(bytes, 1, size + 1, file) != size || memcmp(bytes, text, size) != 0))
        status = cm_fail(play->error, "%s is not written in the canonical bytes", name);
    if (file != NULL)
        fclose(file);
    free(bytes);
    free(text);
    free(name);
    return status;
}

/* The current version is this one, with nothing to mend, and it and those before it, as far as
 * they are kept, are what was committed. */
static int reference_reads(const struct play *play, const char *path, uint64_t version, size_t kept,
                           uint64_t content)
{
    struct mf_versions versions = {NULL, 0};
    struct mf_database *database;
    struct mf_error why;
    enum mf_code code = mf_database_open(path, NULL, &database, &why);
    if (code != MF_OK)
        return say(play, "reading", code, &why);
    const struct mf_manifest *current = mf_database_current(database);
    int status = 0;
    if (current->version != version)
        status = cm_fail(play->error, "the reference reads version %" PRIu64 " instead of %" PRIu64,
                         current->version, version);
    else if (mf_database_copy_was_missing(database) || mf_database_fell_back(database))
        status = cm_fail(play->error, "the reference finds something to mend");
    else if (cm_port_compare(database, current, content, false, play->error) == 0)
        status = check_canonical(play, path, current);
    else
        status = -1;
    if (status == 0)
        status =
            say(play, "listing versions", mf_history_versions(database, &versions, &why), &why);
    if (status == 0 && versions.count != kept)
        status = cm_fail(play->error, "the reference finds %zu versions kept instead of %zu",
                         versions.count, kept);
    for (size_t i = 0; status == 0 && i + 1 < versions.count; i++) {
        struct mf_manifest manifest;
        status =
            say(play, "reading a kept version",
                mf_database_read_version(database, versions.numbers[i], &manifest, &why), &why);
        if (status == 0)
            status = cm_port_compare(database, &manifest, manifest.version, false, play->error);
        if (status == 0)
            mf_manifest_clear(&manifest);
    }
    mf_versions_clear(&versions);
    mf_database_close(database);
    return status;
}

/* ---- The port ---- */

/* The answer, which must be the code, is the caller's. */
static int demand(const struct play *play, int asked, struct cm_port_answer *answer,
                  const char *code, const char *operation)
{
    if (asked != 0 || cm_port_answered(answer, code))
        return asked;
    const char *message =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "message"));
    cm_fail(play->error, "the adapter's %s: %.40s instead of %s%s%.200s", operation,
            cm_port_code(answer), code, message != NULL ? ": " : "",
            message != NULL ? message : "");
    cm_port_answer_free(answer);
    return -1;
}

#define PORT(play, answer, operation, ...)                                                         \
    demand(play,                                                                                   \
           cm_port_ask(&(play)->plan->adapter, answer, (play)->error, operation, __VA_ARGS__,      \
                       (const char *)NULL),                                                        \
           answer, "OK", operation)

static int demand_number(const struct play *play, struct cm_port_answer *answer, const char *name,
                         uint64_t wanted)
{
    uint64_t number = 0;
    bool same = cm_port_number(answer, name, &number) && number == wanted;
    cm_port_answer_free(answer);
    return same ? 0
                : cm_fail(play->error, "the adapter's answer: '%s' is not %" PRIu64, name, wanted);
}

static int port_commits(const struct play *play, const char *path, uint64_t version)
{
    const char *words[2 + 3 * CM_PORT_FILE_COUNT] = {"commit-files", path};
    char *paths[CM_PORT_FILE_COUNT] = {NULL};
    struct cm_port_answer answer;
    size_t count = 2;
    for (unsigned i = 0; i < CM_PORT_FILE_COUNT; i++) {
        if (cm_port_files[i].shared && version != 2)
            continue;
        paths[i] = cm_format("%s/%" PRIu64 "-%u", play->plan->contents, version, i);
        words[count++] = cm_port_files[i].kind;
        words[count++] = cm_port_files[i].key;
        words[count++] = paths[i];
    }
    int asked = cm_port_ask_words(&play->plan->adapter, &answer, play->error, words, count);
    int status = demand(play, asked, &answer, "OK", words[0]);
    if (status == 0)
        status = demand_number(play, &answer, "committed", version);
    for (unsigned i = 0; i < CM_PORT_FILE_COUNT; i++)
        free(paths[i]);
    return status;
}

static bool same_text(const cJSON *object, const char *name, const char *text)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return value != NULL && strcmp(value, text) == 0;
}

static bool same_number(const cJSON *object, const char *name, uint64_t number)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(value) && value->valuedouble == (double)number;
}

static int compare_shown(const struct play *play, const struct cm_port_answer *answer,
                         const struct mf_manifest *manifest)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(answer->json, "files");
    bool same = same_number(answer->json, "version", manifest->version) &&
                same_text(answer->json, "commit_point", play->plan->point);
    if (!same || cJSON_GetArraySize(files) != (int)manifest->file_count)
        return cm_fail(play->error,
                       "the adapter's show: another version, commit point or number of files than "
                       "the reference finds (%" PRIu64 ", %s, %zu)",
                       manifest->version, play->plan->point, manifest->file_count);
    for (size_t i = 0; i < manifest->file_count; i++) {
        const cJSON *shown = cJSON_GetArrayItem(files, (int)i);
        const struct mf_file *file = &manifest->files[i];
        if (!same_text(shown, "kind", mf_kind_word(file->kind)) ||
            !same_text(shown, "key", file->key) || !same_text(shown, "name", file->name) ||
            !same_number(shown, "size", file->size) || !same_number(shown, "crc32c", file->crc32c))
            return cm_fail(play->error,
                           "the adapter's show: file %zu is not %s, %" PRIu64
                           " bytes, as the reference finds",
                           i, file->name, file->size);
    }
    return 0;
}

/* What the port shows is what the reference finds. */
static int port_shows(const struct play *play, const char *path)
{
    struct cm_port_answer answer;
    struct mf_database *database;
    struct mf_error why;
    if (PORT(play, &answer, "show", path) != 0)
        return -1;
    int status = say(play, "reading", mf_database_open(path, NULL, &database, &why), &why);
    if (status == 0) {
        status = compare_shown(play, &answer, mf_database_current(database));
        mf_database_close(database);
    }
    cm_port_answer_free(&answer);
    return status;
}

static bool has(const struct play *play, const char *operation)
{
    return cm_port_lists(&play->capabilities, "operations", operation);
}

static int port_creates(const struct play *play, const char *path)
{
    struct cm_port_answer answer;
    if (!has(play, "init"))
        return reference_init(play, path);
    if (mkdir(path, 0777) != 0)
        return cm_fail(play->error, "%s: %s", path, strerror(errno));
    if (PORT(play, &answer, "init", path, play->plan->point) != 0)
        return -1;
    cm_port_answer_free(&answer);
    return 0;
}

/* ---- The plays ---- */

static int reference_then_port(const struct play *play)
{
    const char *path = "reference";
    if (reference_init(play, path) != 0 || port_shows(play, path) != 0 ||
        reference_commit(play, path, 3) != 0 || port_shows(play, path) != 0 ||
        port_commits(play, path, 4) != 0 || port_shows(play, path) != 0 ||
        reference_reads(play, path, 4, 4, 4) != 0 || reference_commit(play, path, 5) != 0)
        return -1;
    return port_shows(play, path);
}

static int port_then_reference(const struct play *play)
{
    const char *path = "port";
    if (port_creates(play, path) != 0 || reference_reads(play, path, 1, 1, 1) != 0 ||
        port_commits(play, path, 2) != 0 || port_commits(play, path, 3) != 0 ||
        reference_reads(play, path, 3, 3, 3) != 0 || reference_commit(play, path, 4) != 0 ||
        port_shows(play, path) != 0 || port_commits(play, path, 5) != 0)
        return -1;
    return reference_reads(play, path, 5, 5, 5);
}

/* While the reference has the writer's lock the port must not write. */
static int lock_excludes(const struct play *play)
{
    struct mf_options options = {.writable = true};
    struct cm_port_answer answer;
    struct mf_database *database;
    struct mf_error why;
    if (reference_init(play, "locked") != 0 ||
        say(play, "opening", mf_database_open("locked", &options, &database, &why), &why) != 0)
        return -1;
    int asked = cm_port_ask(&play->plan->adapter, &answer, play->error, "commit", "locked", NULL);
    int status = demand(play, asked, &answer, "LOCKED", "commit while another writer has the lock");
    if (status == 0)
        cm_port_answer_free(&answer);
    mf_database_close(database);
    return status;
}

static int removes(const struct play *play)
{
    const char *path = "removed";
    struct cm_port_answer answer;
    if (reference_init(play, path) != 0 || reference_commit(play, path, 5) != 0 ||
        PORT(play, &answer, "cleanup", path, "2") != 0)
        return -1;
    cm_port_answer_free(&answer);
    return reference_reads(play, path, 5, 2, 5) != 0 ? -1 : port_shows(play, path);
}

static int lists_versions(const struct play *play)
{
    struct cm_port_answer answer;
    if (reference_init(play, "listed") != 0 || reference_commit(play, "listed", 3) != 0 ||
        PORT(play, &answer, "versions", "listed") != 0)
        return -1;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer.json, "versions");
    int status = cJSON_GetArraySize(list) == 3 ? 0 : -1;
    for (int i = 0; status == 0 && i < 3; i++)
        status = cJSON_GetArrayItem(list, i)->valuedouble == i + 1 ? 0 : -1;
    cm_port_answer_free(&answer);
    return status == 0 ? 0 : cm_fail(play->error, "the adapter's versions: not 1, 2 and 3");
}

/* The port saves, the reference restores. */
static int port_backs_up(const struct play *play)
{
    struct cm_port_answer answer;
    struct mf_error why;
    if (reference_init(play, "saved") != 0 || reference_commit(play, "saved", 3) != 0 ||
        PORT(play, &answer, "backup", "saved", "2", "saved-backup") != 0)
        return -1;
    cm_port_answer_free(&answer);
    if (PORT(play, &answer, "backup", "saved", "3", "saved-backup") != 0)
        return -1;
    cm_port_answer_free(&answer);
    if (say(play, "looking at the backup",
            mf_backup_inspect("saved-backup", NULL, NULL, NULL, &why), &why) != 0 ||
        say(play, "restoring",
            mf_backup_restore("saved-backup", 3, "saved-restored", NULL, NULL, &why), &why) != 0)
        return -1;
    return reference_reads(play, "saved-restored", 3, 2, 3);
}

/* The reference saves, the port restores. */
static int port_restores(const struct play *play)
{
    struct mf_options options = {.writable = true};
    struct cm_port_answer answer;
    struct mf_database *database;
    struct mf_error why;
    if (reference_init(play, "source") != 0 || reference_commit(play, "source", 3) != 0 ||
        say(play, "opening", mf_database_open("source", &options, &database, &why), &why) != 0)
        return -1;
    int status = 0;
    for (uint64_t version = 2; status == 0 && version <= 3; version++)
        status = say(play, "backing up",
                     mf_backup_create(database, version, "source-backup", NULL, NULL, &why), &why);
    mf_database_close(database);
    if (status != 0 || PORT(play, &answer, "restore", "source-backup", "2", "source") != 0 ||
        demand_number(play, &answer, "restored", 4) != 0)
        return -1;
    return reference_reads(play, "source", 4, 4, 2);
}

static const struct {
    const char *name;
    const char *operation; /* of the adapter, without which it cannot be played */
    int (*run)(const struct play *play);
} plays[] = {
    {"the reference writes, the port reads and commits", "show", reference_then_port},
    {"the port writes, the reference reads and commits", "commit-files", port_then_reference},
    {"one writer at a time", "commit", lock_excludes},
    {"kept versions", "versions", lists_versions},
    {"clean-up", "cleanup", removes},
    {"the port backs up, the reference restores", "backup", port_backs_up},
    {"the reference backs up, the port restores", "restore", port_restores},
};

int cm_port_interchange(const struct cm_port_interchange *plan)
{
    struct ff_error error = {""};
    struct play play = {.plan = plan, .error = &error};
    int result = 0;
    if (cm_port_ask(&plan->adapter, &play.capabilities, &error, "capabilities", NULL) != 0) {
        printf("FAILED capabilities: %s\n", error.text);
        return 1;
    }
    for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
        char shown[400];
        if (!has(&play, plays[i].operation)) {
            printf("unsupported %s: %s\n", plays[i].name, plays[i].operation);
        } else if (plays[i].run(&play) == 0) {
            printf("ok %s\n", plays[i].name);
        } else {
            cm_text_printable(shown, sizeof(shown), error.text, strlen(error.text));
            printf("FAILED %s: %s\n", plays[i].name, shown);
            result = 1;
        }
        fflush(stdout);
    }
    cm_port_answer_free(&play.capabilities);
    return result;
}

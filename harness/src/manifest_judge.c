/*
 * The judge of the targets "manifest...": see manifest_case.h. It goes from one
 * demand to the next and ends with the first that is not met.
 */
#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_case.h"
#include "text.h"

/* What the workload had said before the cut. */
struct words {
    uint64_t acknowledged; /* the last version that was said to be durable */
    uint64_t next;         /* the one that was being made then; 0: none */
    bool announced;        /* "committing" lines say which */
    bool finished;         /* "cleaned" or "swept" */
    uint64_t saved;        /* the last version that was said to be backed up; 0: none */
};

struct judge {
    const struct cm_manifest_case *wanted;
    struct mf_options options;
    struct mf_database *database;
    struct words words;
    const char *label; /* NULL: old or new, by the version */
    struct cm_outcome *outcome;
};

/* ---- Words ---- */

/* Whether a line is word and a number, which is then set. */
static bool line_number(const char *line, size_t length, const char *word, uint64_t *number)
{
    size_t size = strlen(word);
    if (length <= size || memcmp(line, word, size) != 0)
        return false;
    *number = 0;
    for (size_t i = size; i < length && line[i] >= '0' && line[i] <= '9'; i++)
        *number = *number * 10 + (uint64_t)(line[i] - '0');
    return true;
}

static bool line_is(const char *line, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(line, word, length) == 0;
}

static void line_read(struct words *words, const char *line, size_t length)
{
    if (line_number(line, length, "committed ", &words->acknowledged)) {
        words->next = words->announced ? 0 : words->acknowledged + 1;
    } else if (line_number(line, length, "committing ", &words->next)) {
        words->announced = true;
    } else if (line_is(line, length, "cleaned") || line_is(line, length, "swept")) {
        words->finished = true;
    } else {
        line_number(line, length, "saved ", &words->saved);
    }
}

/* Complete lines only: a line that was cut was not said. */
static void output_read(struct judge *judge, const char *output, size_t size)
{
    const char *end;
    judge->words.acknowledged = judge->wanted->acknowledged;
    judge->words.next = judge->words.acknowledged + 1;
    for (; (end = memchr(output, '\n', size)) != NULL; output = end + 1) {
        size_t length = (size_t)(end - output);
        size -= length + 1;
        line_read(&judge->words, output, length);
    }
}

/* ---- Verdicts ---- */

/* Returns false, so that a demand that is not met ends the judgement. */
__attribute__((format(printf, 2, 3))) static bool reject(const struct judge *judge,
                                                         const char *format, ...)
{
    char text[2 * CM_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t size = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
    judge->outcome->status = CM_VIOLATED;
    cm_text_printable(judge->outcome->text, CM_TEXT_SIZE, text, size);
    return false;
}

static void accept(const struct judge *judge, const char *label)
{
    judge->outcome->status = CM_ACCEPTED;
    snprintf(judge->outcome->text, CM_TEXT_SIZE, "%s", label);
}

static bool require_ok(const struct judge *judge, enum mf_code code, const char *what,
                       const struct mf_error *error)
{
    return code == MF_OK || reject(judge, "%s: %s: %s", what, mf_code_name(code), error->message);
}

/* ---- Opening ---- */

static uint64_t current_version(const struct judge *judge)
{
    return mf_database_current(judge->database)->version;
}

/* Where nothing was acknowledged there may be no database, but then it must be
 * possible to make one. */
static bool database_make(struct judge *judge)
{
    struct mf_error error;
    if (judge->words.acknowledged > 0)
        return true;
    enum mf_code code =
        mf_database_verify(CM_MANIFEST_PATH, &judge->options, NULL, NULL, NULL, &error);
    if (code != MF_NO_DATABASE)
        return true;
    judge->label = "empty";
    if (mf_database_init(CM_MANIFEST_PATH, &judge->options, &error) == MF_OK)
        return true;
    return reject(judge, "there is no database, and none can be made: %s", error.message);
}

/* Where the set-up left a corrupt database it may still be so, but then recovery
 * by hand must work. */
static bool database_repair(struct judge *judge)
{
    struct mf_error error;
    if (judge->wanted->demand != CM_DEMAND_RECOVER ||
        judge->words.acknowledged > judge->wanted->acknowledged)
        return true;
    enum mf_code code =
        mf_database_verify(CM_MANIFEST_PATH, &judge->options, NULL, NULL, NULL, &error);
    if (code != MF_CORRUPT)
        return true;
    judge->label = "corrupt";
    code = mf_database_recover(CM_MANIFEST_PATH, &judge->options, CM_MANIFEST_SAVED,
                               &judge->words.acknowledged, &error);
    return require_ok(judge, code, "recovery by hand", &error);
}

static bool database_open(struct judge *judge)
{
    struct mf_error error;
    enum mf_code code =
        mf_database_open(CM_MANIFEST_PATH, &judge->options, &judge->database, &error);
    if (code == MF_OK)
        return true;
    judge->database = NULL;
    if (code == MF_CORRUPT)
        return reject(judge, "corrupt: %s", error.message);
    if (code == MF_NO_DATABASE)
        return reject(judge, "version %" PRIu64 " was acknowledged, but there is no database",
                      judge->words.acknowledged);
    return reject(judge, "cannot be opened: %s", error.message);
}

static bool version_check(const struct judge *judge)
{
    uint64_t version = current_version(judge), acknowledged = judge->words.acknowledged;
    if (version == acknowledged || version == judge->words.next)
        return true;
    if (version < acknowledged)
        return reject(judge,
                      "version %" PRIu64 " was acknowledged, but version %" PRIu64 " is current",
                      acknowledged, version);
    return reject(judge,
                  "version %" PRIu64 " is current, but only version %" PRIu64 " was acknowledged",
                  version, acknowledged);
}

/* ---- Content ---- */

/* The version whose files a version holds. */
static uint64_t content_version(const struct judge *judge, uint64_t version)
{
    bool goes_back =
        judge->wanted->demand == CM_DEMAND_SAVED || judge->wanted->demand == CM_DEMAND_RECOVER;
    return goes_back && version > judge->wanted->acknowledged ? CM_MANIFEST_SAVED : version;
}

static bool file_check(const struct judge *judge, struct mf_database *database,
                       const struct mf_manifest *manifest, uint64_t content, unsigned index)
{
    unsigned char expected[CM_MANIFEST_SIZE_MAX];
    const struct cm_manifest_file *wanted = &judge->wanted->files[index];
    const char *word = mf_kind_word(wanted->kind);
    const struct mf_file *file = mf_manifest_find(manifest, wanted->kind, wanted->key);
    struct mf_error error;
    void *data = NULL;
    size_t size = 0;

    if (file == NULL)
        return reject(judge, "version %" PRIu64 " names no %s file", manifest->version, word);
    if (mf_database_read_file(database, file, &data, &size, &error) != MF_OK)
        return reject(judge, "version %" PRIu64 ": %s", manifest->version, error.message);
    bool same = size == cm_manifest_content(judge->wanted, content, index, expected) &&
                memcmp(data, expected, size) == 0;
    free(data);
    return same || reject(judge, "version %" PRIu64 ": the %s file is not what was committed",
                          manifest->version, word);
}

/* A manifest of a database names the files of that version, and they are whole. */
static bool content_check(const struct judge *judge, struct mf_database *database,
                          const struct mf_manifest *manifest, uint64_t content)
{
    unsigned count = content <= 1 ? 0 : judge->wanted->file_count;
    if (manifest->file_count != count)
        return reject(judge, "version %" PRIu64 " names %zu files instead of %u", manifest->version,
                      manifest->file_count, count);
    for (unsigned i = 0; i < count; i++) {
        if (!file_check(judge, database, manifest, content, i))
            return false;
    }
    return true;
}

static bool current_check(const struct judge *judge)
{
    return content_check(judge, judge->database, mf_database_current(judge->database),
                         content_version(judge, current_version(judge)));
}

/* ---- Kept versions ---- */

static bool kept_version_check(const struct judge *judge, uint64_t version)
{
    struct mf_manifest manifest;
    struct mf_error error;
    enum mf_code code = mf_database_read_version(judge->database, version, &manifest, &error);
    if (!require_ok(judge, code, "a kept version", &error))
        return false;
    bool whole = content_check(judge, judge->database, &manifest, content_version(judge, version));
    mf_manifest_clear(&manifest);
    return whole;
}

/* Every kept version is whole; with exactly, there are CM_MANIFEST_KEEP of them. */
static bool kept_check(const struct judge *judge, bool exactly)
{
    struct mf_versions versions;
    struct mf_error error;
    enum mf_code code = mf_history_versions(judge->database, &versions, &error);
    if (!require_ok(judge, code, "the versions", &error))
        return false;
    bool good = true;
    for (size_t i = 0; i < versions.count && good; i++)
        good = kept_version_check(judge, versions.numbers[i]);
    if (good && exactly && versions.count != CM_MANIFEST_KEEP)
        good =
            reject(judge, "%zu versions are kept instead of %u", versions.count, CM_MANIFEST_KEEP);
    mf_versions_clear(&versions);
    return good;
}

struct orphans {
    size_t removable, foreign;
};

static void orphan_count(void *argument, const struct mf_orphan *orphan)
{
    struct orphans *orphans = argument;
    orphans->removable += orphan->removable ? 1 : 0;
    orphans->foreign += orphan->removable ? 0 : 1;
}

/* Nothing that could be removed is there, and of others as many as expected. */
static bool orphans_check(const struct judge *judge, size_t foreign)
{
    struct orphans orphans = {0};
    struct mf_error error;
    enum mf_code code = mf_orphans_list(judge->database, orphan_count, &orphans, &error);
    if (!require_ok(judge, code, "the orphans", &error))
        return false;
    if (orphans.removable == 0 && orphans.foreign == foreign)
        return true;
    return reject(judge, "%zu leftovers and %zu files of others instead of none and %zu",
                  orphans.removable, orphans.foreign, foreign);
}

static bool clean_check(const struct judge *judge)
{
    struct mf_error error;
    if (!kept_check(judge, judge->words.finished) ||
        (judge->words.finished && !orphans_check(judge, 0)))
        return false;
    enum mf_code code = mf_history_clean(judge->database, CM_MANIFEST_KEEP, NULL, &error);
    return require_ok(judge, code, "cleaning up again", &error) && kept_check(judge, true) &&
           orphans_check(judge, 0);
}

static bool sweep_check(const struct judge *judge)
{
    struct mf_error error;
    if (!kept_check(judge, false) || (judge->words.finished && !orphans_check(judge, 1)))
        return false;
    enum mf_code code = mf_orphans_remove(judge->database, NULL, &error);
    return require_ok(judge, code, "sweeping again", &error) && orphans_check(judge, 1) &&
           kept_check(judge, false);
}

/* ---- Backups ---- */

/* Restores a version of the backup to a place of its own, and looks at it. */
static bool restored_check(const struct judge *judge, uint64_t version)
{
    char path[64];
    struct mf_database *database;
    struct mf_error error;
    uint64_t number;
    snprintf(path, sizeof(path), CM_MANIFEST_RESTORED "-%" PRIu64, version);
    enum mf_code code =
        mf_backup_restore(CM_MANIFEST_BACKUP, version, path, &judge->options, &number, &error);
    if (!require_ok(judge, code, "restoring", &error))
        return false;
    struct mf_options reading = {.platform = judge->options.platform};
    code = mf_database_open(path, &reading, &database, &error);
    if (!require_ok(judge, code, "what was restored", &error))
        return false;
    bool whole = content_check(judge, database, mf_database_current(database), version);
    mf_database_close(database);
    return whole;
}

/* What was saved is there; what was not can be, whatever the cut left of it. */
static bool backup_check(const struct judge *judge)
{
    struct mf_error error;
    if (judge->words.saved != 0 && !restored_check(judge, judge->words.saved))
        return false;
    for (uint64_t version = CM_MANIFEST_SAVED; version <= judge->wanted->acknowledged; version++) {
        enum mf_code code =
            mf_backup_create(judge->database, version, CM_MANIFEST_BACKUP, NULL, NULL, &error);
        if (!require_ok(judge, code, "backing up again", &error))
            return false;
        if (version != judge->words.saved && !restored_check(judge, version))
            return false;
    }
    enum mf_code code = mf_backup_inspect(CM_MANIFEST_BACKUP, &judge->options, NULL, NULL, &error);
    return require_ok(judge, code, "the backup", &error);
}

/* ---- Recovery by hand ---- */

/* Whether a file of the database has the bytes of the manifest that the set-up has damaged. */
static bool is_set_aside(const struct judge *judge, const char *name)
{
    static const char damaged[] = "damaged\n";
    const struct mf_file file = {.name = name};
    void *data = NULL;
    size_t size = 0;
    if (mf_database_read_file(judge->database, &file, &data, &size, NULL) != MF_OK)
        return false;
    bool same = size == strlen(damaged) && memcmp(data, damaged, size) == 0;
    free(data);
    return same;
}

/* With slots that was MANIFEST-000003, whose bytes are kept, under the second name if the first was
 * cut short. Clean-ups work. */
static bool recover_check(const struct judge *judge)
{
    struct mf_error error;
    if (!kept_check(judge, false))
        return false;
    if (mf_database_commit_point(judge->database) == MF_COMMIT_SLOTS &&
        !is_set_aside(judge, "MANIFEST-000003.damaged") &&
        !is_set_aside(judge, "MANIFEST-000003.damaged-1"))
        return reject(judge, "the damaged manifest was not kept");
    enum mf_code code = mf_history_clean(judge->database, CM_MANIFEST_KEEP, NULL, &error);
    return require_ok(judge, code, "cleaning up after the recovery", &error) &&
           kept_check(judge, true);
}

/* ---- The judgement ---- */

static bool demand_check(const struct judge *judge)
{
    switch (judge->wanted->demand) {
    case CM_DEMAND_CLEAN:
        return clean_check(judge);
    case CM_DEMAND_SWEEP:
        return sweep_check(judge);
    case CM_DEMAND_BACKUP:
        return backup_check(judge);
    case CM_DEMAND_RECOVER:
        return recover_check(judge);
    case CM_DEMAND_NOTHING:
    case CM_DEMAND_SAVED:
        break;
    }
    return true;
}

/* What a cut commit left behind must not stand in the way of the next one. */
static bool next_commit_check(const struct judge *judge)
{
    uint64_t before = current_version(judge);
    uint64_t version = 0;
    struct mf_transaction *transaction;
    struct mf_error error;
    enum mf_code code = mf_transaction_begin(judge->database, &transaction, &error);
    if (code == MF_OK) {
        code = mf_transaction_add(transaction, MF_KIND_LSM, "", "next", 4, &error);
        if (code != MF_OK)
            mf_transaction_abort(transaction);
        else
            code = mf_transaction_commit(transaction, &version, &error);
    }
    if (code != MF_OK)
        return reject(judge, "version %" PRIu64 " takes no further commit: %s", before,
                      error.message);
    return version > before ||
           reject(judge, "version %" PRIu64 " was followed by version %" PRIu64, before, version);
}

static void run(struct judge *judge)
{
    if (!database_make(judge) || !database_repair(judge) || !database_open(judge))
        return;
    bool old = current_version(judge) == judge->words.acknowledged;
    const char *label = judge->label != NULL ? judge->label : old ? "old" : "new";
    if (version_check(judge) && current_check(judge) && demand_check(judge) &&
        next_commit_check(judge))
        accept(judge, label);
}

void cm_manifest_judge(const struct cm_manifest_case *wanted, const struct mf_platform *platform,
                       const char *output, size_t output_size, struct cm_outcome *outcome)
{
    struct judge judge = {
        .wanted = wanted,
        .options = {.platform = platform, .writable = true},
        .outcome = outcome,
    };
    output_read(&judge, output, output_size);
    run(&judge);
    mf_database_close(judge.database);
}

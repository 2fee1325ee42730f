#include "port_judge.h"

#include <inttypes.h>
#include <manifest/backup.h>
#include <manifest/history.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "port_words.h"

struct judging {
    const struct cm_port_judge *judge;
    struct cm_port_words words;
    uint64_t found; /* by the reference */
    const char *label;
};

__attribute__((format(printf, 2, 3))) static int reject(const struct judging *judging,
                                                        const char *format, ...)
{
    char text[sizeof(judging->judge->error->text)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return cm_fail(judging->judge->error, "%s", text);
}

/* ---- Content ---- */

static int compare_file(struct mf_database *database, const struct mf_manifest *manifest,
                        uint64_t content, unsigned index, struct ff_error *error)
{
    const struct cm_port_file *wanted = &cm_port_files[index];
    unsigned char expected[CM_PORT_SIZE_MAX];
    struct mf_error why;
    void *data = NULL;
    size_t size = 0;
    unsigned kind = 0;
    while (strcmp(mf_kind_word((enum mf_kind)kind), wanted->kind) != 0)
        kind++;
    const struct mf_file *file = mf_manifest_find(manifest, (enum mf_kind)kind, wanted->key);
    if (file == NULL)
        return cm_fail(error, "version %" PRIu64 " names no %s file", manifest->version,
                       wanted->kind);
    if (mf_database_read_file(database, file, &data, &size, &why) != MF_OK)
        return cm_fail(error, "version %" PRIu64 ": %s", manifest->version, why.message);
    bool same =
        size == cm_port_content(content, index, expected) && memcmp(data, expected, size) == 0;
    free(data);
    return same ? 0
                : cm_fail(error, "version %" PRIu64 ": the %s file is not what was committed",
                          manifest->version, wanted->kind);
}

int cm_port_compare(struct mf_database *database, const struct mf_manifest *manifest,
                    uint64_t content, bool with_more, struct ff_error *error)
{
    unsigned count = content <= 1 ? 0 : CM_PORT_FILE_COUNT;
    if (with_more ? manifest->file_count < count : manifest->file_count != count)
        return cm_fail(error, "version %" PRIu64 " names %zu files instead of %u",
                       manifest->version, manifest->file_count, count);
    for (unsigned i = 0; i < count; i++)
        if (compare_file(database, manifest, content, i, error) != 0)
            return -1;
    return 0;
}

/* The version whose content a version has: two operations go back. */
static uint64_t content_of(const struct judging *judging, uint64_t version)
{
    enum cm_port_case_id id = judging->judge->id;
    bool goes_back = id == CM_PORT_RECOVER || id == CM_PORT_RESTORE;
    return goes_back && version > cm_port_cases[id].base ? CM_PORT_SAVED : version;
}

static int open_reference(const struct judging *judging, const char *path,
                          struct mf_database **database, const char *when)
{
    struct mf_error why;
    enum mf_code code = mf_database_open(path, NULL, database, &why);
    return code == MF_OK ? 0
                         : reject(judging, "the reference, %s: %s: %s", when, mf_code_name(code),
                                  why.message);
}

static int check_kept(const struct judging *judging, struct mf_database *database, uint64_t version,
                      const char *when)
{
    struct mf_manifest manifest;
    struct mf_error why;
    struct ff_error what;
    enum mf_code code = mf_database_read_version(database, version, &manifest, &why);
    if (code != MF_OK)
        return reject(judging, "the reference, %s: version %" PRIu64 ": %s: %s", when, version,
                      mf_code_name(code), why.message);
    int status = cm_port_compare(database, &manifest, content_of(judging, version), false, &what);
    mf_manifest_clear(&manifest);
    return status == 0 ? 0 : reject(judging, "the reference, %s: %s", when, what.text);
}

/* All versions that are kept, up to the one that was found, are whole; exactly: there are so
 * many of them, 0: any number. */
static int check_versions(const struct judging *judging, size_t exactly, const char *when)
{
    struct mf_versions versions;
    struct mf_database *database;
    struct mf_error why;
    if (open_reference(judging, CM_PORT_PATH, &database, when) != 0)
        return -1;
    int status = mf_history_versions(database, &versions, &why) == MF_OK
                     ? 0
                     : reject(judging, "the reference, %s: %s", when, why.message);
    for (size_t i = 0; status == 0 && i < versions.count; i++)
        if (versions.numbers[i] <= judging->found)
            status = check_kept(judging, database, versions.numbers[i], when);
    if (status == 0 && exactly != 0 && versions.count != exactly)
        status = reject(judging, "the reference, %s: %zu versions are kept instead of %zu", when,
                        versions.count, exactly);
    if (status == 0)
        mf_versions_clear(&versions);
    mf_database_close(database);
    return status;
}

/* ---- The reference ---- */

static const char *version_label(uint64_t version)
{
    static char label[24];
    snprintf(label, sizeof(label), "v%" PRIu64, version);
    return label;
}

static int judge_version(struct judging *judging, uint64_t version)
{
    const struct cm_port_words *words = &judging->words;
    judging->found = version;
    if (judging->label == NULL)
        judging->label = version_label(version);
    if (version == words->acknowledged || (words->next != 0 && version == words->next))
        return 0;
    if (version > words->acknowledged && words->failed != NULL)
        return reject(judging,
                      "version %" PRIu64 " is current, but its operation reported that it was %s",
                      version, words->failed);
    return reject(judging,
                  "version %" PRIu64 " was acknowledged, but version %" PRIu64 " is current",
                  words->acknowledged, version);
}

/* Returns 0 when there is a database, which is then judged; 1 when there may be none and is none;
 * 2 when it may be corrupt and is; -1: rejected. */
static int judge_reference(struct judging *judging)
{
    const struct cm_port_words *words = &judging->words;
    enum cm_port_case_id id = judging->judge->id;
    struct mf_database *database;
    struct mf_error why;
    struct ff_error what;
    enum mf_code code = mf_database_open(CM_PORT_PATH, NULL, &database, &why);
    if (code == MF_NO_DATABASE && id == CM_PORT_INIT && words->acknowledged == 0)
        return 1;
    if (code == MF_CORRUPT && id == CM_PORT_RECOVER &&
        words->acknowledged == cm_port_cases[id].base)
        return 2;
    if (code != MF_OK)
        return reject(judging, "the reference finds %s: %s", mf_code_name(code), why.message);
    const struct mf_manifest *current = mf_database_current(database);
    int status = judge_version(judging, current->version);
    if (status == 0 && cm_port_compare(database, current, content_of(judging, current->version),
                                       false, &what) != 0)
        status = reject(judging, "the reference: %s", what.text);
    if (status == 0 && strcmp(mf_commit_point_word(mf_database_commit_point(database)),
                              judging->judge->point) != 0)
        status = reject(judging, "the reference finds another commit point than %s",
                        judging->judge->point);
    mf_database_close(database);
    return status;
}

/* ---- The port ---- */

/* The answer must have that code. */
static int demand(const struct judging *judging, int asked, struct cm_port_answer *answer,
                  const char *code, const char *what)
{
    if (asked != 0)
        return -1;
    if (cm_port_answered(answer, code))
        return 0;
    const char *message =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "message"));
    int status =
        reject(judging, "the port, %s: %.40s instead of %s%s%.200s", what, cm_port_code(answer),
               code, message != NULL ? ": " : "", message != NULL ? message : "");
    cm_port_answer_free(answer);
    return status;
}

#define ASK(judging, answer, ...)                                                                  \
    cm_port_ask(&(judging)->judge->adapter, answer, (judging)->judge->error, __VA_ARGS__,          \
                (const char *)NULL)

/* There is no database: the port must say so, too, and be able to make one. */
static int port_make(struct judging *judging)
{
    struct cm_port_answer answer;
    judging->label = "none";
    if (demand(judging, ASK(judging, &answer, "read", CM_PORT_PATH), &answer, "NO_DATABASE",
               "reading where there is no database") != 0)
        return -1;
    cm_port_answer_free(&answer);
    if (demand(judging, ASK(judging, &answer, "init", CM_PORT_PATH, judging->judge->point), &answer,
               "OK", "creating the database again") != 0)
        return -1;
    cm_port_answer_free(&answer);
    judging->words.acknowledged = 1;
    return judge_reference(judging);
}

static int port_repair(struct judging *judging)
{
    struct cm_port_answer answer;
    judging->label = "corrupt";
    if (demand(judging, ASK(judging, &answer, "read", CM_PORT_PATH), &answer, "CORRUPT",
               "reading a corrupt database") != 0)
        return -1;
    cm_port_answer_free(&answer);
    if (demand(judging, ASK(judging, &answer, "recover", CM_PORT_PATH, "2"), &answer, "OK",
               "recovering by hand again") != 0)
        return -1;
    bool numbered = cm_port_number(&answer, "recovered", &judging->words.acknowledged);
    cm_port_answer_free(&answer);
    return numbered ? judge_reference(judging)
                    : reject(judging, "the port, recovering by hand again: no number 'recovered'");
}

static int check_committed(const struct judging *judging, uint64_t committed)
{
    static const char when[] = "after the port's recovery and a commit";
    struct mf_database *database;
    struct ff_error what;
    if (open_reference(judging, CM_PORT_PATH, &database, when) != 0)
        return -1;
    const struct mf_manifest *current = mf_database_current(database);
    int status = 0;
    if (current->version != committed)
        status = reject(judging, "the reference, %s: version %" PRIu64 " instead of %" PRIu64, when,
                        current->version, committed);
    else if (mf_database_copy_was_missing(database) || mf_database_fell_back(database))
        status = reject(judging, "the reference, %s: %s", when,
                        mf_database_fell_back(database) ? "a slot is not valid"
                                                        : "the copy of the manifest is missing");
    else if (cm_port_compare(database, current, content_of(judging, judging->found), true, &what) !=
             0)
        status = reject(judging, "the reference, %s: %s", when, what.text);
    else
        status = check_kept(judging, database, judging->found, when);
    mf_database_close(database);
    return status;
}

/* The port recovers the database and commits another version. */
static int port_commit(const struct judging *judging)
{
    static const char what[] = "recovering and committing one more version";
    struct cm_port_answer answer;
    uint64_t version = 0, committed = 0;
    if (demand(judging, ASK(judging, &answer, "commit", CM_PORT_PATH), &answer, "OK", what) != 0)
        return -1;
    bool numbered = cm_port_number(&answer, "version", &version) &&
                    cm_port_number(&answer, "committed", &committed);
    cm_port_answer_free(&answer);
    if (!numbered)
        return reject(judging, "the port, %s: no numbers 'version' and 'committed'", what);
    if (version != judging->found)
        return reject(judging,
                      "the port recovers version %" PRIu64 ", but the reference found %" PRIu64,
                      version, judging->found);
    if (committed <= version)
        return reject(judging, "the port, %s: version %" PRIu64 " after %" PRIu64, what, committed,
                      version);
    return check_committed(judging, committed);
}

/* ---- What was cut short is completed ---- */

struct orphans {
    size_t removable;
    bool foreign;
};

static void count_orphan(void *argument, const struct mf_orphan *orphan)
{
    struct orphans *orphans = argument;
    orphans->removable += orphan->removable ? 1 : 0;
    orphans->foreign = orphans->foreign || strcmp(orphan->name, CM_PORT_FOREIGN) == 0;
}

/* Nothing that could be removed is there; a file of somebody else is, if there was one. */
static int check_orphans(const struct judging *judging, const char *when)
{
    struct orphans orphans = {0};
    struct mf_database *database;
    struct mf_error why;
    if (open_reference(judging, CM_PORT_PATH, &database, when) != 0)
        return -1;
    enum mf_code code = mf_orphans_list(database, count_orphan, &orphans, &why);
    mf_database_close(database);
    if (code != MF_OK)
        return reject(judging, "the reference, %s: %s", when, why.message);
    if (orphans.removable != 0)
        return reject(judging, "the reference, %s: %zu leftovers are there", when,
                      orphans.removable);
    if (judging->judge->id == CM_PORT_SWEEP && !orphans.foreign)
        return reject(judging, "the reference, %s: %s is gone, which was nobody's", when,
                      CM_PORT_FOREIGN);
    return 0;
}

static int complete_removal(const struct judging *judging)
{
    bool cleans = judging->judge->id == CM_PORT_CLEANUP;
    size_t kept = cleans ? CM_PORT_KEEP : 0;
    struct cm_port_answer answer;
    if (check_versions(judging, judging->words.finished ? kept : 0, "as the cut left it") != 0 ||
        (judging->words.finished && check_orphans(judging, "when the removal was done") != 0))
        return -1;
    int asked = cleans ? ASK(judging, &answer, "cleanup", CM_PORT_PATH, "2")
                       : ASK(judging, &answer, "sweep", CM_PORT_PATH);
    if (demand(judging, asked, &answer, "OK", "removing again") != 0)
        return -1;
    cm_port_answer_free(&answer);
    return check_versions(judging, kept, "when the port has removed again") != 0
               ? -1
               : check_orphans(judging, "when the port has removed again");
}

/* Restores a version of the backup by the reference, and looks at it. */
static int check_saved(const struct judging *judging, uint64_t version, const char *folder,
                       const char *when)
{
    char path[64];
    struct mf_database *database;
    struct mf_error why;
    struct ff_error what;
    snprintf(path, sizeof(path), "%s-%" PRIu64, folder, version);
    enum mf_code code = mf_backup_restore(CM_PORT_BACKUP_PATH, version, path, NULL, NULL, &why);
    if (code != MF_OK)
        return reject(judging, "the reference, restoring version %" PRIu64 " %s: %s: %s", version,
                      when, mf_code_name(code), why.message);
    if (open_reference(judging, path, &database, "reading what it restored") != 0)
        return -1;
    int status =
        cm_port_compare(database, mf_database_current(database), version, false, &what) == 0
            ? 0
            : reject(judging, "the reference, restored %s: %s", when, what.text);
    mf_database_close(database);
    return status;
}

/* What was saved is there; what was not can be, whatever the cut left of it. */
static int complete_backup(const struct judging *judging)
{
    uint64_t base = cm_port_cases[CM_PORT_BACKUP].base;
    struct mf_error why;
    for (uint64_t version = CM_PORT_SAVED; version <= judging->words.saved; version++)
        if (check_saved(judging, version, "saved", "that was backed up before the cut") != 0)
            return -1;
    for (uint64_t version = CM_PORT_SAVED; version <= base; version++) {
        char number[24];
        struct cm_port_answer answer;
        snprintf(number, sizeof(number), "%" PRIu64, version);
        int asked = ASK(judging, &answer, "backup", CM_PORT_PATH, number, CM_PORT_BACKUP_PATH);
        if (demand(judging, asked, &answer, "OK", "backing up again") != 0)
            return -1;
        cm_port_answer_free(&answer);
        if (check_saved(judging, version, "saved-again", "that was backed up again") != 0)
            return -1;
    }
    enum mf_code code = mf_backup_inspect(CM_PORT_BACKUP_PATH, NULL, NULL, NULL, &why);
    return code == MF_OK ? 0
                         : reject(judging, "the reference finds the backup %s: %s",
                                  mf_code_name(code), why.message);
}

static int complete(const struct judging *judging)
{
    switch (judging->judge->id) {
    case CM_PORT_CLEANUP:
    case CM_PORT_SWEEP:
        return complete_removal(judging);
    case CM_PORT_BACKUP:
        return complete_backup(judging);
    case CM_PORT_INIT:
    case CM_PORT_COMMIT:
    case CM_PORT_SECOND:
    case CM_PORT_OPEN:
    case CM_PORT_RECOVER:
    case CM_PORT_RESTORE:
    case CM_PORT_CASE_COUNT:
        break;
    }
    return 0;
}

/* Whatever a cut left of a recovery by hand, clean-ups work afterwards. */
static int clean_recovered(const struct judging *judging)
{
    static const struct mf_options writable = {.writable = true};
    struct mf_database *database;
    struct mf_error why;
    if (judging->judge->id != CM_PORT_RECOVER)
        return 0;
    enum mf_code code = mf_database_open(CM_PORT_PATH, &writable, &database, &why);
    if (code == MF_OK) {
        code = mf_history_clean(database, CM_PORT_KEEP, NULL, &why);
        mf_database_close(database);
    }
    if (code != MF_OK)
        return reject(judging, "the reference, cleaning up after the recovery: %s: %s",
                      mf_code_name(code), why.message);
    return check_versions(judging, CM_PORT_KEEP, "when it has cleaned up after the recovery");
}

const char *cm_port_judge(const struct cm_port_judge *judge, const char *output, size_t size)
{
    struct judging judging = {.judge = judge};
    if (cm_port_words_read(judge->id, output, size, &judging.words, judge->error) != 0)
        return NULL;
    int status = judge_reference(&judging);
    if (status == 1)
        status = port_make(&judging);
    else if (status == 2)
        status = port_repair(&judging);
    if (status != 0 || complete(&judging) != 0 || port_commit(&judging) != 0 ||
        clean_recovered(&judging) != 0)
        return NULL;
    return judging.label;
}

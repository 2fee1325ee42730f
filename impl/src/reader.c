/* Looking again, and until then keeping to oneself what was found. */
#include "reader.h"

#include "error.h"
#include "history.h"

#include <stdlib.h>
#include <string.h>

/*
 * What was found in one look
 */

struct note {
    struct mf_finding finding; /* its strings are the note's */
    char *name, *detail;
};

struct notes {
    struct note *list;
    size_t count, capacity;
    bool incomplete; /* there was no memory for one */
};

static bool grow(struct notes *notes)
{
    size_t capacity = notes->capacity * 2 + 8;
    struct note *grown = realloc(notes->list, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    notes->list = grown;
    notes->capacity = capacity;
    return true;
}

static void take_note(void *argument, const struct mf_finding *finding)
{
    struct notes *notes = argument;
    struct note note = {
        .finding = *finding, .name = strdup(finding->name), .detail = strdup(finding->detail)};
    if (note.name == NULL || note.detail == NULL ||
        (notes->count == notes->capacity && !grow(notes))) {
        free(note.name);
        free(note.detail);
        notes->incomplete = true;
        return;
    }
    note.finding.name = note.name;
    note.finding.detail = note.detail;
    notes->list[notes->count++] = note;
}

static void read_out(const struct notes *notes, mf_visit *visit, void *argument)
{
    for (size_t i = 0; i < notes->count; i++)
        visit(argument, &notes->list[i].finding);
}

static void notes_clear(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->list[i].name);
        free(notes->list[i].detail);
    }
    free(notes->list);
    *notes = (struct notes){0};
}

/*
 * Looking
 */

static bool same_version(const struct mf_version *left, const struct mf_version *right)
{
    if (left->text == NULL || right->text == NULL)
        return left->text == right->text;
    return left->size == right->size && memcmp(left->text, right->text, left->size) == 0;
}

/* Whether what was found is still current. MF_OK, or a failure that says nothing of it. */
static enum mf_code look_back(const struct mf_directory *directory,
                              const struct mf_options *options, const struct mf_version *current,
                              const struct mf_condition *condition, bool *same,
                              struct mf_error *error)
{
    struct mf_version now = {0};
    struct mf_condition condition_now;
    enum mf_code code = mf_inspect_current(directory, options, &now, &condition_now, error);
    *same = mf_slots_same(&condition->slots, &condition_now.slots) && same_version(current, &now);
    mf_version_clear(&now);
    return code == MF_CORRUPT || code == MF_NO_DATABASE ? MF_OK : code;
}

/* Whether a look has found nothing that a writer beside it could be the reason of. */
static bool is_sound(enum mf_code code, const struct notes *notes,
                     const struct mf_condition *condition)
{
    return code == MF_OK && notes->count == 0 && !condition->copy_missing &&
           (condition->commit_point != MF_COMMIT_SLOTS ||
            mf_slots_invalid(&condition->slots) == MF_SLOTS);
}

/* One look. *again: the version was replaced during it. */
static enum mf_code look(const struct mf_directory *directory, const struct mf_options *options,
                         struct notes *notes, bool noting, struct mf_version *current,
                         struct mf_condition *condition, bool *again, struct mf_error *error)
{
    bool same;
    *again = false;
    mf_version_clear(current);
    enum mf_code code =
        mf_inspect(directory, options, noting ? take_note : NULL, notes, current, condition, error);
    if (notes->incomplete)
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory for what was found");
    if (is_sound(code, notes, condition))
        return code;
    struct mf_error failure;
    enum mf_code back = look_back(directory, options, current, condition, &same, &failure);
    if (back == MF_OK) {
        *again = !same;
        return code;
    }
    *error = failure;
    return back;
}

enum mf_code mf_reader_inspect(const struct mf_directory *directory,
                               const struct mf_options *options, mf_visit *visit, void *argument,
                               struct mf_version *current, struct mf_condition *condition,
                               struct mf_error *error)
{
    struct notes notes = {0};
    struct mf_error failure;
    bool again = true;
    enum mf_code code = MF_OK;
    for (unsigned i = 0; i < MF_READER_LOOKS && again; i++) {
        notes_clear(&notes);
        code =
            look(directory, options, &notes, visit != NULL, current, condition, &again, &failure);
    }
    /* What was sound then was so while it was current: only the remarks may be stale. */
    if (again && code != MF_OK)
        code = mf_fail(&failure, MF_LOCKED, 0,
                       "a writer replaced the current version during each of %d looks; try again",
                       MF_READER_LOOKS);
    else if (visit != NULL)
        read_out(&notes, visit, argument);
    notes_clear(&notes);
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

/*
 * Files of kept versions
 */

static bool has_file(const struct mf_manifest *manifest, const struct mf_file *file)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *other = &manifest->files[i];
        if (strcmp(other->name, file->name) == 0 && other->recorded == file->recorded &&
            other->size == file->size && other->crc32c == file->crc32c)
            return true;
    }
    return false;
}

/* Whether a version that is kept now has this file; also when that cannot be found out. */
static bool is_kept(struct mf_database *now, const struct mf_file *file)
{
    struct mf_versions versions;
    bool kept = mf_history_versions(now, &versions, NULL) != MF_OK;
    for (size_t i = 0; i < versions.count && !kept; i++) {
        struct mf_manifest manifest;
        enum mf_code code = mf_database_read_version(now, versions.numbers[i], &manifest, NULL);
        kept = code == MF_OK ? has_file(&manifest, file) : code != MF_NO_VERSION;
        mf_manifest_clear(&manifest);
    }
    mf_versions_clear(&versions);
    return kept;
}

enum mf_code mf_reader_judge(const struct mf_database *database, const struct mf_file *file,
                             enum mf_code code, struct mf_error *error)
{
    struct mf_database now = {
        .directory = database->directory, .options = database->options, .lock = -1};
    if (code != MF_CORRUPT || database->lock >= 0)
        return code;
    bool removed = mf_inspect_current(&now.directory, &now.options, &now.current, &now.condition,
                                      NULL) == MF_OK &&
                   !is_kept(&now, file);
    mf_version_clear(&now.current);
    return removed ? mf_fail(error, MF_NO_VERSION, 0,
                             "%s: the version that had it has been removed", file->name)
                   : code;
}

/*
 * The inspection goes down the table in inspect.h. Every fault and remark is
 * reported through one function, which remembers the first fault.
 */
#include "inspect.h"

#include "content.h"
#include "crc32c.h"
#include "error.h"
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct inspection {
    const struct mf_directory *directory;
    const struct mf_options *options;
    mf_visit *visit;
    void *argument;
    struct mf_version *current;
    struct mf_condition *condition;
    struct mf_error *error;
    bool found;        /* which version is current */
    enum mf_code code; /* MF_CORRUPT after the first fault */
};

static const struct {
    const char *name;
    bool fault;
    const char *sentence;
} findings[] = {
#define X(name, fault, sentence) {#name, fault, sentence},
    MF_FINDINGS(X)
#undef X
};

static const size_t finding_count = sizeof(findings) / sizeof(findings[0]);

const char *mf_finding_name(enum mf_finding_kind kind)
{
    return (size_t)kind < finding_count ? findings[kind].name : "?";
}

const char *mf_finding_sentence(enum mf_finding_kind kind)
{
    return (size_t)kind < finding_count ? findings[kind].sentence : "?";
}

void mf_version_clear(struct mf_version *version)
{
    mf_manifest_clear(&version->manifest);
    free(version->text);
    *version = (struct mf_version){0};
}

size_t mf_size_limit(const struct mf_read_options *options)
{
    return options->limits.size != 0 ? options->limits.size : MF_JSON_DEFAULT_SIZE;
}

enum mf_code mf_version_read(const struct mf_directory *directory, const char *name,
                             const struct mf_read_options *options, struct mf_version *version,
                             struct mf_error *error)
{
    *version = (struct mf_version){0};
    int result =
        mf_io_load(directory, name, mf_size_limit(options), &version->text, &version->size);
    if (result == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_CORRUPT, 0, "%s: not a regular file", name);
    if (result == -EFBIG)
        return mf_fail(error, MF_CORRUPT, 0, "%s: larger than the limit", name);
    if (result == -ENOMEM)
        return mf_fail(error, MF_NO_MEMORY, 0, "%s: no memory to read it", name);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be read", name);
    enum mf_code code =
        mf_manifest_parse(version->text, version->size, options, &version->manifest, error);
    if (code != MF_OK)
        mf_version_clear(version);
    return code == MF_MALFORMED ? mf_fail_again(error, MF_CORRUPT, name) : code;
}

/* Says a fault or a remark. Returns whether the inspection goes on. */
static bool report(struct inspection *inspection, enum mf_finding_kind kind, const char *name,
                   const struct mf_error *detail)
{
    struct mf_finding finding = {
        .kind = kind, .fault = findings[kind].fault, .name = name, .detail = detail->message};
    if (finding.fault && inspection->code == MF_OK) {
        inspection->code = MF_CORRUPT;
        if (inspection->error != NULL)
            *inspection->error = *detail;
    }
    if (inspection->visit != NULL)
        inspection->visit(inspection->argument, &finding);
    return inspection->visit != NULL || !finding.fault;
}

static bool report_sentence(struct inspection *inspection, enum mf_finding_kind kind,
                            const char *name)
{
    struct mf_error detail;
    mf_error_fill(&detail, MF_CORRUPT, 0, "%s: %s", name, findings[kind].sentence);
    return report(inspection, kind, name, &detail);
}

/* A failure that says nothing about the database: it ends the inspection. */
static enum mf_code give_up(struct inspection *inspection, const struct mf_error *detail)
{
    if (inspection->error != NULL)
        *inspection->error = *detail;
    return detail->code;
}

/*
 * Without a current manifest
 */

/* A cut init leaves temporaries and the first manifest, and with slots it makes
 * these first. Anything else that is called MANIFEST-* was made by a database that
 * had a current manifest. */
static int report_manifest_without_current(void *argument, const char *name)
{
    const struct inspection *inspection = argument;
    const struct mf_slots *slots = &inspection->condition->slots;
    bool by_slots = mf_slots_present(slots), may_have_first = !by_slots;
    uint64_t version = 0;
    for (unsigned i = 0; i < MF_SLOTS; i++)
        may_have_first = may_have_first || slots->valid[i];
    switch (mf_name_classify(name, &version)) {
    case MF_CLASS_VERSION:
        if (version == 1 && may_have_first)
            break;
        /* fall through */
    case MF_CLASS_REMOVED:
    case MF_CLASS_DAMAGED:
    case MF_CLASS_LINK:
    case MF_CLASS_PART:
    case MF_CLASS_RESERVED:
        report_sentence(argument, by_slots ? MF_FINDING_NO_SLOT : MF_FINDING_NO_CURRENT, name);
        break;
    default:
        break;
    }
    return 0;
}

static enum mf_code inspect_without_current(struct inspection *inspection)
{
    int result = mf_io_list(inspection->directory, MF_NAME_PREFIX, report_manifest_without_current,
                            inspection);
    if (result < 0)
        return mf_fail(inspection->error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                       "the directory cannot be listed");
    if (inspection->code != MF_OK)
        return inspection->code;
    return mf_fail(inspection->error, MF_NO_DATABASE, -ENOENT,
                   mf_slots_present(&inspection->condition->slots)
                       ? "there is no database (no slot has a version)"
                       : "there is no database (" MF_NAME_CURRENT " is missing)");
}

/*
 * Which version is the current one. MF_OK when that is known or a fault has been
 * reported after which the inspection goes on.
 */

static enum mf_code find_by_name(struct inspection *inspection)
{
    struct mf_error detail;
    enum mf_code code = mf_version_read(inspection->directory, MF_NAME_CURRENT,
                                        &inspection->options->read, inspection->current, &detail);
    if (code == MF_IO && detail.system_error == ENOENT)
        return inspect_without_current(inspection);
    if (code == MF_CORRUPT)
        return report(inspection, MF_FINDING_CURRENT_INVALID, MF_NAME_CURRENT, &detail)
                   ? MF_OK
                   : MF_CORRUPT;
    if (code != MF_OK)
        return give_up(inspection, &detail);
    inspection->found = true;
    return MF_OK;
}

/* The manifest that the winner names. Another one in its place, or none, is not
 * current: the slot says what was committed. */
static enum mf_code read_named_by_slot(struct inspection *inspection, const struct mf_slot *slot)
{
    struct mf_version *current = inspection->current;
    struct mf_name name = mf_name_of_version(slot->version);
    struct mf_error detail;
    enum mf_code code = mf_version_read(inspection->directory, name.text,
                                        &inspection->options->read, current, &detail);
    bool missing = code == MF_IO && detail.system_error == ENOENT;
    if (code != MF_OK && code != MF_CORRUPT && !missing)
        return give_up(inspection, &detail);
    if (code == MF_OK && current->size == slot->size &&
        current->manifest.version == slot->version &&
        mf_crc32c(0, current->text, current->size) == slot->crc32c) {
        inspection->found = true;
        return MF_OK;
    }
    if (code == MF_OK)
        mf_error_fill(&detail, MF_CORRUPT, 0, "%s: not the manifest that the slot names",
                      name.text);
    mf_version_clear(current);
    detail.code = MF_CORRUPT;
    return report(inspection, MF_FINDING_SLOT_DISAGREES, name.text, &detail) ? MF_OK : MF_CORRUPT;
}

static enum mf_code find_by_slots(struct inspection *inspection)
{
    const struct mf_slots *slots = &inspection->condition->slots;
    const struct mf_slot *winner = &slots->slot[slots->winner];
    struct mf_status status;
    struct mf_error detail;
    int result = mf_io_status_at(inspection->directory, MF_NAME_CURRENT, &status);
    if (result == 0)
        return report_sentence(inspection, MF_FINDING_TWO_COMMIT_POINTS, MF_NAME_CURRENT)
                   ? MF_OK
                   : MF_CORRUPT;
    if (result != -ENOENT) {
        mf_error_fill(&detail, MF_IO, result, "%s: cannot be looked up", MF_NAME_CURRENT);
        return give_up(inspection, &detail);
    }
    if (mf_slots_contradict(slots))
        return report_sentence(inspection, MF_FINDING_SLOTS_CONTRADICT,
                               mf_slots_name(1 - slots->winner))
                   ? MF_OK
                   : MF_CORRUPT;
    if (winner->sequence == 0)
        return inspect_without_current(inspection);
    if (mf_slots_invalid(slots) != MF_SLOTS)
        report_sentence(inspection, MF_FINDING_SLOT_INVALID,
                        mf_slots_name(mf_slots_invalid(slots)));
    return read_named_by_slot(inspection, winner);
}

static enum mf_code find_current(struct inspection *inspection)
{
    struct mf_slots *slots = &inspection->condition->slots;
    struct mf_error detail;
    enum mf_code code = mf_slots_read(inspection->directory, slots, &detail);
    bool present = mf_slots_present(slots);
    inspection->condition->commit_point = present ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME;
    if (code == MF_CORRUPT)
        return report(inspection, MF_FINDING_SLOT_NOT_REGULAR,
                      mf_slots_name(slots->found[1] ? 1 : 0), &detail)
                   ? MF_OK
                   : MF_CORRUPT;
    if (code != MF_OK)
        return give_up(inspection, &detail);
    return present ? find_by_slots(inspection) : find_by_name(inspection);
}

/*
 * With one
 */

/* Each commit leaves the copy durable before it switches, so a copy that is not
 * the same was damaged; one that is missing may have been removed. */
static enum mf_code inspect_copy(struct inspection *inspection)
{
    struct mf_version *current = inspection->current;
    struct mf_name name = mf_name_of_version(current->manifest.version);
    struct mf_error detail;
    char *text = NULL;
    size_t size = 0;
    int result = mf_io_load(inspection->directory, name.text, current->size, &text, &size);
    if (result == -ENOENT) {
        inspection->condition->copy_missing = true;
        report_sentence(inspection, MF_FINDING_COPY_MISSING, name.text);
        return MF_OK;
    }
    if (result < 0 && result != MF_IO_NOT_REGULAR && result != -EFBIG) {
        mf_error_fill(&detail, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                      "%s: cannot be read", name.text);
        return give_up(inspection, &detail);
    }
    bool same = result == 0 && size == current->size && memcmp(text, current->text, size) == 0;
    free(text);
    if (!same && !report_sentence(inspection, MF_FINDING_COPY_DIFFERS, name.text))
        return MF_CORRUPT;
    return MF_OK;
}

static enum mf_code inspect_files(struct inspection *inspection)
{
    const struct mf_manifest *manifest = &inspection->current->manifest;
    for (size_t i = 0; i < manifest->file_count; i++) {
        struct mf_error detail;
        enum mf_finding_kind kind;
        enum mf_code code = mf_content_verify(inspection->directory, &manifest->files[i],
                                              inspection->options->sizes_only, &kind, &detail);
        if (code == MF_OK)
            continue;
        if (code != MF_CORRUPT)
            return give_up(inspection, &detail);
        if (!report(inspection, kind, manifest->files[i].name, &detail))
            return MF_CORRUPT;
    }
    return MF_OK;
}

/* CURRENT never decreases, so a manifest above it was never acknowledged. */
static int report_leftover(void *argument, const char *name)
{
    struct inspection *inspection = argument;
    uint64_t version = 0;
    enum mf_name_class class = mf_name_classify(name, &version);
    if (class == MF_CLASS_TEMPORARY)
        report_sentence(inspection, MF_FINDING_TEMPORARY, name);
    if (class == MF_CLASS_REMOVED)
        report_sentence(inspection, MF_FINDING_REMOVED, name);
    /* Without a valid current manifest nothing can be said about the others. */
    if (class == MF_CLASS_VERSION && inspection->current->text != NULL &&
        version > inspection->current->manifest.version)
        report_sentence(inspection, MF_FINDING_UNCOMMITTED, name);
    return 0;
}

static enum mf_code inspect_leftovers(struct inspection *inspection)
{
    int result = mf_io_list(inspection->directory, MF_NAME_PREFIX, report_leftover, inspection);
    if (result == 0)
        return MF_OK;
    return mf_fail(inspection->error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                   "the directory cannot be listed");
}

enum mf_code mf_inspect(const struct mf_directory *directory, const struct mf_options *options,
                        mf_visit *visit, void *argument, struct mf_version *current,
                        struct mf_condition *condition, struct mf_error *error)
{
    struct inspection inspection = {.directory = directory,
                                    .options = options,
                                    .visit = visit,
                                    .argument = argument,
                                    .current = current,
                                    .condition = condition,
                                    .error = error,
                                    .code = MF_OK};
    *condition = (struct mf_condition){0};
    enum mf_code code = find_current(&inspection);
    if (code == MF_OK && inspection.found && condition->commit_point == MF_COMMIT_RENAME)
        code = inspect_copy(&inspection);
    if (code == MF_OK && inspection.found)
        code = inspect_files(&inspection);
    if (code == MF_OK && visit != NULL)
        code = inspect_leftovers(&inspection);
    return code == MF_OK ? inspection.code : code;
}

enum mf_code mf_inspect_current(const struct mf_directory *directory,
                                const struct mf_options *options, struct mf_version *current,
                                struct mf_condition *condition, struct mf_error *error)
{
    struct inspection inspection = {.directory = directory,
                                    .options = options,
                                    .current = current,
                                    .condition = condition,
                                    .error = error,
                                    .code = MF_OK};
    *condition = (struct mf_condition){0};
    enum mf_code code = find_current(&inspection);
    return code == MF_OK ? inspection.code : code;
}

/*
 * The database of the targets "manifest...", and its judge: see manifest_case.h.
 */
#include "manifest_case.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define ACKNOWLEDGEMENT "committed "

const struct cm_manifest_file cm_manifest_files[CM_MANIFEST_FILES] = {
    {MF_KIND_LSM, ""},       {MF_KIND_VECTOR, "embedding"}, {MF_KIND_SPATIAL, "position"},
    {MF_KIND_TEXT, "title"}, {MF_KIND_COLUMN, "price"},
};

size_t cm_manifest_content(uint64_t version, unsigned index,
                           unsigned char data[CM_MANIFEST_SIZE_MAX])
{
    static const size_t sizes[CM_MANIFEST_FILES] = {800, 1300, 40, 300, 150};
    size_t size = sizes[index] + version % 8 * 11;
    /* xorshift64: no granule is like another one, or all zeros. */
    uint64_t x = version * 1000003 + (uint64_t)index * 7919 + 1;
    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (unsigned char)(x >> 24);
    }
    return size;
}

/* The number of the last complete acknowledgement, or otherwise. */
static uint64_t acknowledged_last(const char *output, size_t size, uint64_t otherwise)
{
    size_t prefix = strlen(ACKNOWLEDGEMENT);
    const char *end;
    for (; (end = memchr(output, '\n', size)) != NULL; output = end + 1) {
        size_t length = (size_t)(end - output);
        size -= length + 1;
        if (length <= prefix || memcmp(output, ACKNOWLEDGEMENT, prefix) != 0)
            continue;
        otherwise = 0;
        for (size_t i = prefix; i < length && output[i] >= '0' && output[i] <= '9'; i++)
            otherwise = otherwise * 10 + (uint64_t)(output[i] - '0');
    }
    return otherwise;
}

/* ---- The judge ---- */

struct judge {
    struct mf_options options;
    struct mf_database *database;
    uint64_t acknowledged;
    struct cm_outcome *outcome;
};

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

static bool accept(const struct judge *judge, const char *label)
{
    judge->outcome->status = CM_ACCEPTED;
    snprintf(judge->outcome->text, CM_TEXT_SIZE, "%s", label);
    return true;
}

static uint64_t current_version(const struct judge *judge)
{
    return mf_database_current(judge->database)->version;
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
                      judge->acknowledged);
    return reject(judge, "cannot be opened: %s", error.message);
}

/* Where nothing was acknowledged there may be no database, but then it must be
 * possible to make one. */
static bool database_exists(struct judge *judge, bool *exists)
{
    struct mf_error error;
    *exists = true;
    if (judge->acknowledged > 0)
        return true;
    enum mf_code code =
        mf_database_verify(CM_MANIFEST_PATH, &judge->options, NULL, NULL, NULL, &error);
    if (code != MF_NO_DATABASE)
        return true;
    *exists = false;
    if (mf_database_init(CM_MANIFEST_PATH, &judge->options, &error) == MF_OK)
        return true;
    return reject(judge, "there is no database, and none can be made: %s", error.message);
}

static bool version_check(const struct judge *judge, uint64_t version)
{
    if (version == judge->acknowledged || version == judge->acknowledged + 1)
        return true;
    if (version < judge->acknowledged)
        return reject(judge,
                      "version %" PRIu64 " was acknowledged, but version %" PRIu64 " is current",
                      judge->acknowledged, version);
    return reject(judge,
                  "version %" PRIu64 " is current, but only version %" PRIu64 " was acknowledged",
                  version, judge->acknowledged);
}

static bool file_check(const struct judge *judge, unsigned index)
{
    unsigned char expected[CM_MANIFEST_SIZE_MAX];
    const struct cm_manifest_file *wanted = &cm_manifest_files[index];
    const char *word = mf_kind_word(wanted->kind);
    const struct mf_manifest *manifest = mf_database_current(judge->database);
    const struct mf_file *file = mf_manifest_find(manifest, wanted->kind, wanted->key);
    struct mf_error error;
    void *data = NULL;
    size_t size = 0;

    if (file == NULL)
        return reject(judge, "version %" PRIu64 " names no %s file", manifest->version, word);
    if (mf_database_read_file(judge->database, file, &data, &size, &error) != MF_OK)
        return reject(judge, "version %" PRIu64 ": %s", manifest->version, error.message);
    bool same = size == cm_manifest_content(manifest->version, index, expected) &&
                memcmp(data, expected, size) == 0;
    free(data);
    return same || reject(judge, "version %" PRIu64 ": the %s file is not what was committed",
                          manifest->version, word);
}

static bool content_check(const struct judge *judge)
{
    const struct mf_manifest *manifest = mf_database_current(judge->database);
    size_t count = manifest->version <= 1 ? 0 : CM_MANIFEST_FILES;
    if (manifest->file_count != count)
        return reject(judge, "version %" PRIu64 " names %zu files instead of %zu",
                      manifest->version, manifest->file_count, count);
    for (unsigned i = 0; i < count; i++) {
        if (!file_check(judge, i))
            return false;
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
    bool exists;
    if (!database_exists(judge, &exists) || !database_open(judge))
        return;
    uint64_t version = current_version(judge);
    if (version_check(judge, version) && content_check(judge) && next_commit_check(judge))
        accept(judge, !exists ? "empty" : version == judge->acknowledged ? "old" : "new");
}

void cm_manifest_judge(const struct mf_platform *platform, uint64_t acknowledged_before,
                       const char *output, size_t output_size, struct cm_outcome *outcome)
{
    struct judge judge = {
        .options = {.platform = platform, .writable = true},
        .acknowledged = acknowledged_last(output, output_size, acknowledged_before),
        .outcome = outcome,
    };
    run(&judge);
    mf_database_close(judge.database);
}

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <manifest/history.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "durable.h"
#include "text.h"

/* Smaller than a block, one block, more than one erase block of small flash. */
static const size_t canary_sizes[] = {500, 4096, 64 << 10, 1 << 20};

enum { CANARIES = sizeof(canary_sizes) / sizeof(canary_sizes[0]), CANARY_NUMBER = 1000 };

void pc_workload_name(struct pc_workload *workload)
{
    workload->folder = pc_format("%s/portcheck-%08" PRIx32, workload->directory, workload->run);
    workload->database = pc_format("%s/db", workload->folder);
}

void pc_workload_close(struct pc_workload *workload)
{
    mf_transaction_abort(workload->transaction);
    mf_database_close(workload->open);
    free(workload->folder);
    free(workload->database);
    workload->transaction = NULL;
    workload->open = NULL;
    workload->folder = workload->database = NULL;
}

/* ---- Canaries ---- */

static unsigned char *canary_content(const struct pc_workload *workload, unsigned canary)
{
    unsigned char *bytes = pc_resize(NULL, canary_sizes[canary], 1);
    pc_content_fill(workload->run, 0, CANARY_NUMBER + canary, bytes, canary_sizes[canary]);
    return bytes;
}

static bool write_canary(const struct pc_workload *workload, unsigned canary)
{
    char *path = pc_format("%s/canary-%u", workload->folder, canary);
    unsigned char *bytes = canary_content(workload, canary);
    bool written = pc_write_file(path, bytes, canary_sizes[canary]);
    free(bytes);
    free(path);
    return written;
}

/* The folder itself must survive, too, before anything in it is acknowledged. */
static bool write_canaries(const struct pc_workload *workload)
{
    for (unsigned i = 0; i < CANARIES; i++)
        if (!write_canary(workload, i))
            return false;
    return pc_sync_path(workload->folder) && pc_sync_path(workload->directory);
}

/* The content of a file that has at most this size; NULL: errno, or it is longer (EFBIG). */
static unsigned char *read_whole(const char *path, size_t most, size_t *size)
{
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return NULL;
    unsigned char *bytes = pc_resize(NULL, most + 1, 1);
    ssize_t count = 1;
    for (*size = 0; count > 0 && *size <= most; *size += count > 0 ? (size_t)count : 0)
        count = read(file, bytes + *size, most + 1 - *size);
    int problem = count < 0 ? errno : *size > most ? EFBIG : 0;
    close(file);
    if (problem == 0)
        return bytes;
    free(bytes);
    errno = problem;
    return NULL;
}

/* What distinguishes the bytes from those that belong there, or NULL. */
static char *compare(const unsigned char *bytes, size_t size, const unsigned char *expected,
                     size_t expected_size)
{
    size_t i = 0;
    while (i < size && i < expected_size && bytes[i] == expected[i])
        i++;
    if (i < size && i < expected_size)
        return pc_format("other bytes from offset %zu of %zu", i, expected_size);
    return size == expected_size ? NULL : pc_format("%zu bytes of %zu", size, expected_size);
}

static char *canary_problem(const struct pc_workload *workload, unsigned canary)
{
    size_t size = 0;
    char *path = pc_format("%s/canary-%u", workload->folder, canary);
    unsigned char *bytes = read_whole(path, canary_sizes[canary], &size);
    char *problem = NULL;
    if (bytes == NULL) {
        problem = pc_format("%s", strerror(errno));
    } else {
        unsigned char *expected = canary_content(workload, canary);
        problem = compare(bytes, size, expected, canary_sizes[canary]);
        free(expected);
    }
    free(bytes);
    free(path);
    return problem;
}

bool pc_canaries_verify(struct pc_workload *workload, pc_visit *visit, void *argument)
{
    bool well = true;
    for (unsigned i = 0; i < CANARIES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "canary-%u", i);
        char *problem = canary_problem(workload, i);
        visit(argument, "canary", name, problem);
        well = well && problem == NULL;
        free(problem);
    }
    return well;
}

/* ---- Starting ---- */

static enum pc_started fail(char **reason, const struct mf_error *error)
{
    *reason = pc_format("%s: %s", mf_code_name(error->code), error->message);
    return error->code == MF_CORRUPT ? PC_TORN : PC_BROKEN;
}

static enum pc_started open_database(struct pc_workload *workload, bool writable, char **reason)
{
    struct mf_error error;
    struct mf_options options = {.platform = workload->platform, .writable = writable};
    if (mf_database_open(workload->database, &options, &workload->open, &error) != MF_OK)
        return fail(reason, &error);
    return PC_STARTED;
}

/* Canaries first: where there is a database there are canaries, which were durable before. */
static enum pc_started create(struct pc_workload *workload, char **reason)
{
    struct mf_error error;
    struct mf_options options = {.platform = workload->platform, .commit_point = workload->point};
    if ((mkdir(workload->folder, 0777) != 0 && errno != EEXIST) || !write_canaries(workload)) {
        *reason = pc_format("%s: %s", workload->folder, strerror(errno));
        return PC_BROKEN;
    }
    if (mf_database_init(workload->database, &options, &error) != MF_OK)
        return fail(reason, &error);
    enum pc_started started = open_database(workload, true, reason);
    return started == PC_STARTED ? PC_CREATED : started;
}

enum pc_started pc_workload_start(struct pc_workload *workload, char **reason)
{
    struct mf_error error;
    struct mf_options options = {.platform = workload->platform, .writable = true};
    enum mf_code code = mf_database_open(workload->database, &options, &workload->open, &error);
    if (code == MF_NO_DATABASE)
        return create(workload, reason);
    return code == MF_OK ? PC_STARTED : fail(reason, &error);
}

enum pc_started pc_workload_look(struct pc_workload *workload, char **reason)
{
    return open_database(workload, false, reason);
}

uint64_t pc_workload_version(const struct pc_workload *workload)
{
    return mf_database_current(workload->open)->version;
}

/* ---- Verifying ---- */

/* The kind and key of a file of a version. */
static enum mf_kind kind_of(unsigned file)
{
    return file == 0 ? MF_KIND_LSM : MF_KIND_TEXT;
}

static void key_of(unsigned file, char key[8])
{
    key[0] = '\0';
    if (file > 0)
        snprintf(key, 8, "%02u", file % 100);
}

static char *file_problem(struct pc_workload *workload, uint64_t version,
                          const struct mf_file *file)
{
    struct mf_error error;
    void *data = NULL;
    size_t size = 0;
    unsigned number = file->kind == MF_KIND_LSM ? 0 : (unsigned)strtoul(file->key, NULL, 10);
    if (mf_database_read_file(workload->open, file, &data, &size, &error) != MF_OK)
        return pc_copy(error.message);
    size_t expected_size = pc_content_size(workload->run, version, number);
    unsigned char *expected = pc_resize(NULL, expected_size, 1);
    pc_content_fill(workload->run, version, number, expected, expected_size);
    char *difference = compare(data, size, expected, expected_size);
    char *problem = difference != NULL ? pc_format("%s: %s", file->name, difference) : NULL;
    free(difference);
    free(expected);
    free(data);
    return problem;
}

/* The first version, which init makes, names no file; every other one does. */
static char *version_problem(struct pc_workload *workload, uint64_t version)
{
    struct mf_error error;
    struct mf_manifest manifest;
    char *problem = NULL;
    if (mf_database_read_version(workload->open, version, &manifest, &error) != MF_OK)
        return pc_copy(error.message);
    if (version > 1 && manifest.file_count == 0)
        problem = pc_copy("it names no file");
    for (size_t i = 0; i < manifest.file_count && problem == NULL; i++)
        problem = file_problem(workload, version, &manifest.files[i]);
    mf_manifest_clear(&manifest);
    return problem;
}

bool pc_workload_verify(struct pc_workload *workload, pc_visit *visit, void *argument)
{
    struct mf_error error;
    struct mf_versions versions;
    bool well = true;
    if (mf_history_versions(workload->open, &versions, &error) != MF_OK) {
        visit(argument, "version", "0", error.message);
        return false;
    }
    for (size_t i = 0; i < versions.count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%" PRIu64, versions.numbers[i]);
        char *problem = version_problem(workload, versions.numbers[i]);
        visit(argument, "version", name, problem);
        well = well && problem == NULL;
        free(problem);
    }
    mf_versions_clear(&versions);
    return well;
}

/* ---- Committing ---- */

static bool fail_commit(const struct mf_error *error, char **reason)
{
    *reason = pc_format("%s: %s", mf_code_name(error->code), error->message);
    return false;
}

bool pc_workload_begin(struct pc_workload *workload, uint64_t *version, char **reason)
{
    struct mf_error error;
    if (mf_transaction_begin(workload->open, &workload->transaction, &error) != MF_OK)
        return fail_commit(&error, reason);
    *version = mf_transaction_version(workload->transaction);
    return true;
}

static enum mf_code add_file(struct pc_workload *workload, unsigned file, struct mf_error *error)
{
    static unsigned char bytes[PC_CONTENT_MAX];
    uint64_t version = mf_transaction_version(workload->transaction);
    size_t size = pc_content_size(workload->run, version, file);
    char key[8];
    key_of(file, key);
    pc_content_fill(workload->run, version, file, bytes, size);
    return mf_transaction_add(workload->transaction, kind_of(file), key, bytes, size, error);
}

/* A run may go on with fewer files than before: every file of a version is new. */
static enum mf_code remove_file(struct pc_workload *workload, unsigned file, struct mf_error *error)
{
    char key[8];
    key_of(file, key);
    const struct mf_manifest *current = mf_database_current(workload->open);
    if (mf_manifest_find(current, kind_of(file), key) == NULL)
        return MF_OK;
    return mf_transaction_remove(workload->transaction, kind_of(file), key, error);
}

bool pc_workload_commit(struct pc_workload *workload, char **reason)
{
    struct mf_error error;
    enum mf_code code = MF_OK;
    for (unsigned i = 0; i < PC_FILES_MAX && code == MF_OK; i++)
        code =
            i < workload->files ? add_file(workload, i, &error) : remove_file(workload, i, &error);
    struct mf_transaction *transaction = workload->transaction;
    workload->transaction = NULL;
    if (code != MF_OK) {
        mf_transaction_abort(transaction);
        return fail_commit(&error, reason);
    }
    if (mf_transaction_commit(transaction, NULL, &error) != MF_OK)
        return fail_commit(&error, reason);
    workload->commits++;
    return true;
}

bool pc_workload_clean(struct pc_workload *workload, char **reason)
{
    struct mf_error error;
    if (workload->commits % PC_CLEAN_EVERY != 0 ||
        mf_history_clean(workload->open, PC_KEPT, NULL, &error) == MF_OK)
        return true;
    return fail_commit(&error, reason);
}

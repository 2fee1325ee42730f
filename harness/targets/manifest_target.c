/*
 * manifest-target: the programs of the targets "manifest...".
 *
 *     manifest-target init         make the database db in the current directory
 *     manifest-target commit       commit three versions through libmanifest
 *     manifest-target seed-order   the same in the order of the module that
 *                                  libmanifest descends from, which is not safe
 *     manifest-target check        judge db; $CRASHMATRIX_STDOUT names what was
 *                                  printed before the power cut
 *     manifest-target check-init   the same where init was the workload
 *
 * Acknowledgements are printed with write(2), one call for each line, because a
 * recording sees those and not what stdio does. Exit status 0 when done (check:
 * when the database is accepted), 1 when not, 2 on wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest_case.h"

#define FIRST_VERSION 2u
#define LAST_VERSION  4u

static int now_pinned(void *context, uint64_t *seconds)
{
    (void)context;
    *seconds = CM_MANIFEST_TIMESTAMP;
    return 0;
}

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "manifest-target: %s: %s\n", what, why);
    return 1;
}

/* Sends the word to the outside world that a version is durable. */
static int acknowledge(uint64_t version)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "committed %" PRIu64 "\n", version);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        return complain("standard output", strerror(errno));
    return 0;
}

/* ---- Through libmanifest ---- */

static int run_init(const struct mf_platform *platform)
{
    struct mf_options options = {.platform = platform};
    struct mf_error error;
    if (mf_database_init(CM_MANIFEST_PATH, &options, &error) != MF_OK)
        return complain("init", error.message);
    return acknowledge(1);
}

static enum mf_code version_commit(struct mf_database *database, uint64_t version,
                                   struct mf_error *error)
{
    unsigned char data[CM_MANIFEST_SIZE_MAX];
    struct mf_transaction *transaction;
    enum mf_code code = mf_transaction_begin(database, &transaction, error);
    if (code != MF_OK)
        return code;
    for (unsigned i = 0; i < CM_MANIFEST_FILES && code == MF_OK; i++) {
        const struct cm_manifest_file *file = &cm_manifest_files[i];
        size_t size = cm_manifest_content(version, i, data);
        code = mf_transaction_add(transaction, file->kind, file->key, data, size, error);
    }
    if (code != MF_OK) {
        mf_transaction_abort(transaction);
        return code;
    }
    return mf_transaction_commit(transaction, NULL, error);
}

static int run_commit(const struct mf_platform *platform)
{
    struct mf_options options = {.platform = platform, .writable = true};
    struct mf_database *database;
    struct mf_error error;
    int result = 0;
    if (mf_database_open(CM_MANIFEST_PATH, &options, &database, &error) != MF_OK)
        return complain("open", error.message);
    for (uint64_t version = FIRST_VERSION; version <= LAST_VERSION && result == 0; version++) {
        if (version_commit(database, version, &error) != MF_OK)
            result = complain("commit", error.message);
        else
            result = acknowledge(version);
    }
    mf_database_close(database);
    return result;
}

/* ---- In the order of the seed ---- */

/* CRC-32C (Castagnoli), bit by bit, as the manifest records it. */
static uint32_t crc32c(const unsigned char *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* Steps 1 and 2, or 3 and 4: writes a new file and syncs it. */
static int file_write(int directory, const char *name, const void *data, size_t size)
{
    int result = -1;
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    if (write(fd, data, size) == (ssize_t)size && fsync(fd) == 0)
        result = 0;
    if (close(fd) != 0)
        result = -1;
    return result;
}

/* Steps 1 and 2: the data files, and the manifest that names them. */
static int data_write(int directory, struct mf_manifest *manifest,
                      char names[CM_MANIFEST_FILES][64])
{
    unsigned char data[CM_MANIFEST_SIZE_MAX];
    for (unsigned i = 0; i < CM_MANIFEST_FILES; i++) {
        size_t size = cm_manifest_content(manifest->version, i, data);
        snprintf(names[i], 64, "data-%" PRIu64 "-%u", manifest->version, i);
        manifest->files[i] = (struct mf_file){
            .kind = cm_manifest_files[i].kind,
            .key = cm_manifest_files[i].key,
            .name = names[i],
            .recorded = true,
            .size = size,
            .crc32c = crc32c(data, size),
        };
        if (file_write(directory, names[i], data, size) != 0)
            return complain(names[i], strerror(errno));
    }
    return 0;
}

static int seed_commit(int directory, uint64_t version)
{
    char names[CM_MANIFEST_FILES][64];
    struct mf_file files[CM_MANIFEST_FILES];
    struct mf_manifest manifest = {.version = version,
                                   .timestamp = CM_MANIFEST_TIMESTAMP,
                                   .sealed = true,
                                   .files = files,
                                   .file_count = CM_MANIFEST_FILES};
    struct mf_error error;
    char temporary[64];
    char *text = NULL;
    size_t size = 0;
    int result = 1;

    if (data_write(directory, &manifest, names) != 0)
        return 1;
    if (mf_manifest_print(&manifest, &text, &size, &error) != MF_OK)
        return complain("the manifest", error.message);
    snprintf(temporary, sizeof(temporary), "MANIFEST-%06" PRIu64 ".tmp", version);
    if (file_write(directory, temporary, text, size) != 0)
        complain(temporary, strerror(errno));
    /* Here a sync of the directory is missing: nothing says that the names of the
     * files survive when the rename does. */
    else if (renameat(directory, temporary, directory, "MANIFEST-CURRENT") != 0)
        complain("MANIFEST-CURRENT", strerror(errno));
    else if (fsync(directory) != 0)
        complain(CM_MANIFEST_PATH, strerror(errno));
    else
        result = acknowledge(version);
    free(text);
    return result;
}

static int run_seed_order(const struct mf_platform *platform)
{
    (void)platform;
    int result = 0;
    int directory = open(CM_MANIFEST_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return complain(CM_MANIFEST_PATH, strerror(errno));
    for (uint64_t version = FIRST_VERSION; version <= LAST_VERSION && result == 0; version++)
        result = seed_commit(directory, version);
    close(directory);
    return result;
}

/* ---- Checking ---- */

/* Reads the file that $CRASHMATRIX_STDOUT names. Returns NULL with a message. */
static char *output_read(size_t *size)
{
    const char *path = getenv("CRASHMATRIX_STDOUT");
    struct stat status;
    char *text = NULL;
    if (path == NULL) {
        complain("CRASHMATRIX_STDOUT", "is not set");
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0)
        text = malloc((size_t)status.st_size + 1);
    ssize_t count = text != NULL ? read(fd, text, (size_t)status.st_size) : -1;
    if (count < 0) {
        complain(path, strerror(errno));
        free(text);
        text = NULL;
    }
    *size = (size_t)count;
    if (fd >= 0)
        close(fd);
    return text;
}

static int judge(const struct mf_platform *platform, uint64_t acknowledged_before)
{
    struct cm_outcome outcome;
    size_t size;
    char *output = output_read(&size);
    if (output == NULL)
        return 2;
    cm_manifest_judge(platform, acknowledged_before, output, size, &outcome);
    free(output);
    if (outcome.status == CM_ACCEPTED)
        printf("label: ");
    puts(outcome.text);
    return outcome.status == CM_ACCEPTED ? 0 : 1;
}

static int run_check(const struct mf_platform *platform)
{
    return judge(platform, 1);
}

static int run_check_init(const struct mf_platform *platform)
{
    return judge(platform, 0);
}

static const struct {
    const char *name;
    int (*run)(const struct mf_platform *platform);
} commands[] = {
    {"init", run_init},   {"commit", run_commit},         {"seed-order", run_seed_order},
    {"check", run_check}, {"check-init", run_check_init},
};

int main(int argc, char **argv)
{
    struct mf_platform platform = *mf_platform_posix();
    platform.now = now_pinned;
    for (size_t i = 0; argc == 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&platform);
    }
    fputs("usage: manifest-target init|commit|seed-order|check|check-init\n", stderr);
    return 2;
}

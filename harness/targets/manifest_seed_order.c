/*
 * A commit in the six steps of the module that libmanifest descends from, with
 * plain system calls. It is not safe: see where a sync is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manifest_case.h"
#include "manifest_target.h"

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
    const struct cm_manifest_case *wanted = &cm_manifest_cases[CM_CASE_COMMIT];
    for (unsigned i = 0; i < wanted->file_count; i++) {
        size_t size = cm_manifest_content(wanted, manifest->version, i, data);
        snprintf(names[i], 64, "data-%" PRIu64 "-%u", manifest->version, i);
        manifest->files[i] = (struct mf_file){
            .kind = wanted->files[i].kind,
            .key = wanted->files[i].key,
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
                                   .file_count = cm_manifest_cases[CM_CASE_COMMIT].file_count};
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
        result = say("committed", version);
    free(text);
    return result;
}

int workload_seed_order(const struct mf_platform *platform, char **arguments)
{
    uint64_t last = strtoull(arguments[0], NULL, 10);
    int result = 0;
    (void)platform;
    int directory = open(CM_MANIFEST_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return complain(CM_MANIFEST_PATH, strerror(errno));
    for (uint64_t version = 2; version <= last && result == 0; version++)
        result = seed_commit(directory, version);
    close(directory);
    return result;
}

/* Sizes and CRC32Cs of data files. */
#include "content.h"

#include "crc32c.h"
#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Most files are small: these need no buffer from the heap. */
int mf_content_measure(const struct mf_directory *directory, int file, uint64_t *size,
                       uint32_t *crc32c)
{
    char first[4096], *more = NULL, *buffer = first;
    size_t room = sizeof(first);
    int64_t count;
    *size = 0;
    *crc32c = 0;
    while ((count = mf_io_read(directory, file, buffer, room, *size)) > 0) {
        *crc32c = mf_crc32c(*crc32c, buffer, (size_t)count);
        *size += (uint64_t)count;
        if (count < (int64_t)room)
            break;
        if (more == NULL && (more = malloc(MF_CONTENT_CHUNK)) == NULL)
            return -ENOMEM;
        buffer = more;
        room = MF_CONTENT_CHUNK;
    }
    free(more);
    return count < 0 ? (int)count : 0;
}

/* A result of mf_io_open or mf_io_read as a code. */
static enum mf_code cannot_read(const struct mf_file *file, int result, enum mf_finding_kind *kind,
                                struct mf_error *error)
{
    switch (result) {
    case -ENOENT:
        *kind = MF_FINDING_FILE_MISSING;
        return mf_fail(error, MF_CORRUPT, 0, "%s: the file is missing", file->name);
    case MF_IO_NOT_REGULAR:
        *kind = MF_FINDING_FILE_NOT_REGULAR;
        return mf_fail(error, MF_CORRUPT, 0, "%s: not a regular file", file->name);
    case -ENOMEM:
        return mf_fail(error, MF_NO_MEMORY, 0, "%s: no memory to read it", file->name);
    default:
        return mf_fail(error, MF_IO, result, "%s: cannot be read", file->name);
    }
}

static enum mf_code compare_size(const struct mf_file *file, uint64_t size,
                                 enum mf_finding_kind *kind, struct mf_error *error)
{
    if (!file->recorded || size == file->size)
        return MF_OK;
    *kind = MF_FINDING_FILE_SIZE;
    return mf_fail(error, MF_CORRUPT, 0, "%s: has %" PRIu64 " bytes, recorded are %" PRIu64,
                   file->name, size, file->size);
}

static enum mf_code compare_crc32c(const struct mf_file *file, uint32_t crc32c,
                                   enum mf_finding_kind *kind, struct mf_error *error)
{
    if (!file->recorded || crc32c == file->crc32c)
        return MF_OK;
    *kind = MF_FINDING_FILE_CONTENT;
    return mf_fail(error, MF_CORRUPT, 0, "%s: has CRC32C 0x%08" PRIx32 ", recorded is 0x%08" PRIx32,
                   file->name, crc32c, file->crc32c);
}

/* The size first: it often settles the matter without reading anything. */
static enum mf_code verify_open_file(const struct mf_directory *directory, int handle,
                                     const struct mf_file *file, bool sizes_only,
                                     enum mf_finding_kind *kind, struct mf_error *error)
{
    struct mf_status status;
    int result = mf_io_status(directory, handle, &status);
    if (result < 0)
        return cannot_read(file, result, kind, error);
    enum mf_code code = compare_size(file, status.size, kind, error);
    if (code != MF_OK || sizes_only || !file->recorded)
        return code;
    uint64_t size;
    uint32_t crc32c;
    result = mf_content_measure(directory, handle, &size, &crc32c);
    if (result < 0)
        return cannot_read(file, result, kind, error);
    code = compare_size(file, size, kind, error);
    return code == MF_OK ? compare_crc32c(file, crc32c, kind, error) : code;
}

enum mf_code mf_content_verify(const struct mf_directory *directory, const struct mf_file *file,
                               bool sizes_only, enum mf_finding_kind *kind, struct mf_error *error)
{
    int handle = mf_io_open(directory, file->name, MF_OPEN_READ);
    if (handle < 0)
        return cannot_read(file, handle, kind, error);
    enum mf_code code = verify_open_file(directory, handle, file, sizes_only, kind, error);
    mf_io_close(directory, handle);
    return code;
}

enum mf_code mf_content_load(const struct mf_directory *directory, const struct mf_file *file,
                             void **data, size_t *size, struct mf_error *error)
{
    enum mf_finding_kind kind;
    char *bytes;
    size_t count;
    /* One byte of the address space is left for the check that it does not grow. */
    int result = mf_io_load(directory, file->name, SIZE_MAX - 1, &bytes, &count);
    if (result < 0)
        return cannot_read(file, result, &kind, error);
    enum mf_code code = compare_size(file, count, &kind, error);
    if (code == MF_OK)
        code = compare_crc32c(file, mf_crc32c(0, bytes, count), &kind, error);
    if (code != MF_OK) {
        free(bytes);
        return code;
    }
    *data = bytes;
    *size = count;
    return MF_OK;
}

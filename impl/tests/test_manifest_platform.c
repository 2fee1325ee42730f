/* What the POSIX table does beyond one system call for each function. */
#include "support.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { FILES = 64 };

static const struct mf_platform *posix;

struct opened {
    char *directory;
    int handle;
    int files[FILES];
};

static struct opened open_files(void)
{
    struct opened opened = {.directory = scratch_new()};
    posix = mf_platform_posix();
    opened.handle = posix->open_directory(NULL, opened.directory);
    CU_ASSERT_TRUE_FATAL(opened.handle >= 0);
    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "file-%d", i);
        opened.files[i] = posix->open(NULL, opened.handle, name,
                                      MF_OPEN_WRITE | MF_OPEN_CREATE | MF_OPEN_EXCLUSIVE);
        CU_ASSERT_EQUAL_FATAL(posix->write(NULL, opened.files[i], name, sizeof(name), 0),
                              sizeof(name));
    }
    return opened;
}

static void close_files(struct opened *opened)
{
    for (int i = 0; i < FILES; i++)
        posix->close(NULL, opened->files[i]);
    posix->close(NULL, opened->handle);
    scratch_remove(opened->directory);
}

static void many_files(void)
{
    struct opened opened = open_files();
    for (size_t count = 0; count <= FILES; count++)
        CU_ASSERT_EQUAL(posix->sync_many(NULL, opened.files, count), 0);
    close_files(&opened);
}

/* A pipe cannot be synced (fsync(2), EINVAL): wherever it is among the others, and
 * whichever thread meets it, that is what is reported. */
static void one_failure_among_many(void)
{
    struct opened opened = open_files();
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    for (int i = 0; i < FILES; i++) {
        int file = opened.files[i];
        opened.files[i] = ends[0];
        CU_ASSERT_EQUAL(posix->sync_many(NULL, opened.files, FILES), -EINVAL);
        opened.files[i] = file;
    }
    close(ends[0]);
    close(ends[1]);
    opened.files[FILES / 2] = -1;
    CU_ASSERT_EQUAL(posix->sync_many(NULL, opened.files, FILES), -EBADF);
    close_files(&opened);
}

static void atomic_rename(void)
{
    enum { VFAT = 0x4d44, EXFAT = 0x2011bab0 };
    struct opened opened = open_files();
    struct statfs status;
    CU_ASSERT_EQUAL_FATAL(statfs(opened.directory, &status), 0);
    bool known = (long)status.f_type == VFAT || (long)status.f_type == EXFAT;
    CU_ASSERT_EQUAL(posix->rename_is_atomic(NULL, opened.handle), known ? 0 : 1);
    CU_ASSERT_EQUAL(posix->rename_is_atomic(NULL, -1), -EBADF);
    close_files(&opened);
}

static const struct unit_test tests[] = {
    {"many files at once", many_files},
    {"one failure among many", one_failure_among_many},
    {"whether a rename is atomic", atomic_rename},
};

UNIT_MAIN("platform", tests)

/*
 * A commit of version n, in eight steps:
 *
 *   1  n = 1 + the highest version number in the directory
 *   2  data files under new names: create, write, sync
 *   3  MANIFEST-n: create, write, sync
 *   4  a temporary with the same bytes: create, write, sync
 *   5  sync the directory
 *   6  rename the temporary to MANIFEST-CURRENT
 *   7  sync the file that was the temporary, through the descriptor still open
 *   8  sync the directory: committed
 *
 * Steps 1 to 3 are transaction.c's, with the functions here; 4 to 8 are
 * mf_commit_switch. Recovery runs 4 to 8 again with the current bytes. With slots
 * other steps follow the third: commit_slots.c.
 */
#include "commit.h"

#include "error.h"
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of step 4: how many names are tried. Names that are taken are given up for one
 * commit only, so n cut commits in a row leave about log2(n) of them. */
#define TEMPORARY_ATTEMPTS 1000

struct replacement {
    struct mf_database *database;
    const char *name; /* what is replaced */
    const char *text;
    size_t size;
    struct mf_name temporary;
    int file; /* the temporary, open until the end; -1: not created */
    struct mf_error *error;
};

enum mf_code mf_commit_sync(struct mf_database *database, int handle, const char *what,
                            struct mf_error *error)
{
    int result = mf_io_sync(&database->directory, handle);
    if (result >= 0)
        return MF_OK;
    database->takes_commits = false;
    return mf_fail(error, MF_IO, result, "%s: cannot be made durable", what);
}

enum mf_code mf_commit_sync_files(struct mf_database *database, const int *files, size_t count,
                                  struct mf_error *error)
{
    int result = mf_io_sync_many(&database->directory, files, count);
    if (result >= 0)
        return MF_OK;
    database->takes_commits = false;
    return mf_fail(error, MF_IO, result, "the data files: cannot be made durable");
}

void mf_commit_undo(struct mf_database *database, const char *name)
{
    if (mf_io_remove(&database->directory, name) < 0)
        database->swept = false;
}

static enum mf_code write_and_sync(struct mf_database *database, int file, const char *name,
                                   const char *text, size_t size, struct mf_error *error)
{
    int result = mf_io_write(&database->directory, file, text, size, 0);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be written", name);
    return mf_commit_sync(database, file, name, error);
}

enum mf_code mf_commit_write(struct mf_database *database, const char *name, const char *text,
                             size_t size, struct mf_error *error)
{
    int file = mf_io_create(&database->directory, name);
    if (file < 0)
        return mf_fail(error, MF_IO, file, "%s: cannot be created", name);
    enum mf_code code = write_and_sync(database, file, name, text, size, error);
    mf_io_close(&database->directory, file);
    if (code != MF_OK)
        mf_commit_undo(database, name);
    return code;
}

enum mf_code mf_commit_write_again(struct mf_database *database, const char *name, const char *text,
                                   size_t size, struct mf_error *error)
{
    int file = mf_io_open(&database->directory, name, MF_OPEN_WRITE);
    if (file == MF_IO_NOT_REGULAR)
        return mf_fail(error, MF_IO, 0, "%s: not a regular file", name);
    if (file < 0)
        return mf_fail(error, MF_IO, file, "%s: cannot be opened", name);
    enum mf_code code = write_and_sync(database, file, name, text, size, error);
    mf_io_close(&database->directory, file);
    return code;
}

enum mf_code mf_commit_put(struct mf_database *database, const char *name, const char *text,
                           size_t size, struct mf_error *error)
{
    char *found = NULL;
    size_t found_size = 0;
    int result = mf_io_load(&database->directory, name, size, &found, &found_size);
    bool same = result == 0 && found_size == size && memcmp(found, text, size) == 0;
    free(found);
    if (result == -ENOMEM)
        return mf_fail(error, MF_NO_MEMORY, 0, "%s: no memory to read it", name);
    if (same)
        return mf_commit_write_again(database, name, text, size, error);
    result = mf_io_remove(&database->directory, name);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be removed", name);
    return mf_commit_write(database, name, text, size, error);
}

/*
 * Step 4, first half. Under the lock a temporary that is there was left by a
 * commit that was cut short, so it is removed; but its name is not taken in the
 * same breath: where locks do not work it is another writer's, whose rename must
 * fail rather than publish what we are about to write.
 */
enum mf_code mf_commit_create_temporary(struct mf_database *database, struct mf_name *name,
                                        int *file, struct mf_error *error)
{
    for (unsigned attempt = 0; attempt < TEMPORARY_ATTEMPTS; attempt++) {
        *name = mf_name_of_temporary(attempt);
        *file = mf_io_create(&database->directory, name->text);
        if (*file >= 0)
            return MF_OK;
        if (*file != -EEXIST)
            break;
        mf_commit_undo(database, name->text);
    }
    return mf_fail(error, MF_IO, *file, "%s: cannot be created", name->text);
}

static enum mf_code create_temporary(struct replacement *replacement)
{
    return mf_commit_create_temporary(replacement->database, &replacement->temporary,
                                      &replacement->file, replacement->error);
}

/* Step 4, second half. Without the sync a cut after the rename leaves the name
 * on an empty or half-written file. */
static enum mf_code write_temporary(struct replacement *replacement)
{
    return write_and_sync(replacement->database, replacement->file, replacement->temporary.text,
                          replacement->text, replacement->size, replacement->error);
}

/* Step 5. Without it the rename may survive while the names of the data files
 * and of MANIFEST-n do not: a manifest whose files are missing. */
static enum mf_code sync_names(struct replacement *replacement)
{
    struct mf_database *database = replacement->database;
    return mf_commit_sync(database, database->directory.handle, "the directory",
                          replacement->error);
}

/* Errors after which the name is known to mean what it did before. */
static bool rename_did_nothing(int result)
{
    static const int certain[] = {EACCES, ENOENT, ENOSPC, EDQUOT, EROFS, EXDEV};
    for (size_t i = 0; i < sizeof(certain) / sizeof(certain[0]); i++)
        if (result == -certain[i])
            return true;
    return false;
}

/* Step 6, the commit point: one operation that a cut leaves done or not done.
 * It is not repeated when interrupted, since a second one could fail with ENOENT
 * because the first was done. */
static enum mf_code rename_into_place(struct replacement *replacement)
{
    const struct mf_directory *directory = &replacement->database->directory;
    int result = directory->platform->rename(directory->platform->context, directory->handle,
                                             replacement->temporary.text, replacement->name);
    if (result >= 0)
        return MF_OK;
    return mf_fail(replacement->error, rename_did_nothing(result) ? MF_NOT_COMMITTED : MF_UNKNOWN,
                   result, "%s: cannot be replaced", replacement->name);
}

/* Step 7. On vfat the size and the first cluster live in the directory entry
 * that the rename has just written anew; without this the file is empty after a
 * cut. Elsewhere it costs little: nothing is dirty. */
static enum mf_code sync_renamed(struct replacement *replacement)
{
    return mf_commit_sync(replacement->database, replacement->file, replacement->name,
                          replacement->error);
}

/* Until step 6 nothing has changed for a reader: whatever the reason, not
 * committed. From step 7 on the new name is visible but perhaps not durable. */
static enum mf_code reclassify(struct mf_error *error, enum mf_code code)
{
    if (error != NULL)
        error->code = code;
    return code;
}

static enum mf_code run_steps(struct replacement *replacement)
{
    enum mf_code code = create_temporary(replacement);
    if (code == MF_OK)
        code = write_temporary(replacement); /* 4 */
    if (code == MF_OK)
        code = sync_names(replacement); /* 5 */
    if (code != MF_OK)
        return reclassify(replacement->error, MF_NOT_COMMITTED);
    code = rename_into_place(replacement); /* 6 */
    if (code != MF_OK)
        return code;
    code = sync_renamed(replacement); /* 7 */
    if (code == MF_OK)
        code = sync_names(replacement); /* 8: without it a cut may undo the rename */
    return code == MF_OK ? MF_OK : reclassify(replacement->error, MF_UNKNOWN);
}

enum mf_code mf_commit_switch(struct mf_database *database, const char *name, const char *text,
                              size_t size, struct mf_error *error)
{
    struct replacement replacement = {
        .database = database, .name = name, .text = text, .size = size, .file = -1, .error = error};
    enum mf_code code = run_steps(&replacement);
    bool created = replacement.file >= 0;
    mf_io_close(&database->directory, replacement.file);
    if (code == MF_NOT_COMMITTED && created)
        mf_commit_undo(database, replacement.temporary.text);
    if (code == MF_UNKNOWN)
        database->takes_commits = false;
    return code;
}

enum mf_code mf_commit_publish(struct mf_database *database, const struct mf_version *next,
                               struct mf_error *error)
{
    if (database->condition.commit_point == MF_COMMIT_SLOTS)
        return mf_slots_switch(database, next, error);
    return mf_commit_switch(database, MF_NAME_CURRENT, next->text, next->size, error);
}

/* What versions there are, and what is different between two of them. */
#include "history.h"

#include "error.h"
#include "removal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Versions
 */

struct listing {
    enum mf_name_class class;
    struct mf_versions *versions;
    size_t capacity;
};

static bool append(struct listing *listing, uint64_t number)
{
    struct mf_versions *versions = listing->versions;
    if (versions->count == listing->capacity) {
        size_t capacity = listing->capacity * 2 + 16;
        uint64_t *grown = realloc(versions->numbers, capacity * sizeof(*grown));
        if (grown == NULL)
            return false;
        versions->numbers = grown;
        listing->capacity = capacity;
    }
    versions->numbers[versions->count++] = number;
    return true;
}

static int list_name(void *argument, const char *name)
{
    struct listing *listing = argument;
    uint64_t number;
    if (mf_name_classify(name, &number) != listing->class)
        return 0;
    return append(listing, number) ? 0 : -ENOMEM;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static enum mf_code list_numbers(const struct mf_directory *directory, struct listing *listing,
                                 struct mf_error *error)
{
    struct mf_versions *versions = listing->versions;
    const struct mf_platform *platform = directory->platform;
    int result;
    *versions = (struct mf_versions){0};
    do {
        versions->count = 0;
        result = platform->list(platform->context, directory->handle, list_name, listing);
    } while (result == -EINTR);
    if (result < 0)
        return mf_fail(error, result == -ENOMEM ? MF_NO_MEMORY : MF_IO, result,
                       "the directory cannot be listed");
    if (versions->count > 1)
        qsort(versions->numbers, versions->count, sizeof(*versions->numbers), compare_numbers);
    return MF_OK;
}

enum mf_code mf_list_numbers(const struct mf_directory *directory, enum mf_name_class class,
                             struct mf_versions *versions, struct mf_error *error)
{
    struct listing listing = {.class = class, .versions = versions};
    return list_numbers(directory, &listing, error);
}

/* Takes out the versions whose removal has begun. */
static enum mf_code take_out_begun(const struct mf_database *database, struct mf_versions *versions,
                                   struct mf_error *error)
{
    struct mf_versions begun;
    size_t kept = 0, next = 0;
    enum mf_code code = mf_removal_list(database, &begun, error);
    for (size_t i = 0; i < versions->count; i++) {
        while (next < begun.count && begun.numbers[next] < versions->numbers[i])
            next++;
        if (next == begun.count || begun.numbers[next] != versions->numbers[i])
            versions->numbers[kept++] = versions->numbers[i];
    }
    versions->count = kept;
    mf_versions_clear(&begun);
    return code;
}

enum mf_code mf_history_versions(struct mf_database *database, struct mf_versions *versions,
                                 struct mf_error *error)
{
    uint64_t current = database->current.manifest.version;
    struct listing listing = {.class = MF_CLASS_VERSION, .versions = versions};
    enum mf_code code = list_numbers(&database->directory, &listing, error);
    if (code == MF_OK) {
        while (versions->count > 0 && versions->numbers[versions->count - 1] >= current)
            versions->count--;
        code = take_out_begun(database, versions, error);
    }
    if (code == MF_OK && !append(&listing, current))
        code = mf_fail(error, MF_NO_MEMORY, 0, "no memory to list versions");
    if (code != MF_OK)
        mf_versions_clear(versions);
    return code;
}

void mf_versions_clear(struct mf_versions *versions)
{
    free(versions->numbers);
    *versions = (struct mf_versions){0};
}

/*
 * Comparing
 */

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const struct mf_file *const *)left)->name,
                  (*(const struct mf_file *const *)right)->name);
}

/* The files of a manifest by name, each name once. NULL when there is no memory. */
static const struct mf_file **sort_by_name(const struct mf_manifest *manifest, size_t *count)
{
    const struct mf_file **files = malloc((manifest->file_count + 1) * sizeof(*files));
    if (files == NULL)
        return NULL;
    for (size_t i = 0; i < manifest->file_count; i++)
        files[i] = &manifest->files[i];
    qsort(files, manifest->file_count, sizeof(*files), compare_names);
    *count = 0;
    for (size_t i = 0; i < manifest->file_count; i++)
        if (*count == 0 || strcmp(files[*count - 1]->name, files[i]->name) != 0)
            files[(*count)++] = files[i];
    return files;
}

static bool same_content(const struct mf_file *left, const struct mf_file *right)
{
    return !left->recorded || !right->recorded ||
           (left->size == right->size && left->crc32c == right->crc32c);
}

/* Keeps in each list what the other one has not. */
static void subtract_each_other(struct mf_diff *diff)
{
    size_t added = 0, removed = 0, i = 0, j = 0;
    while (i < diff->removed_count || j < diff->added_count) {
        int order = i == diff->removed_count ? 1
                    : j == diff->added_count ? -1
                                             : strcmp(diff->removed[i]->name, diff->added[j]->name);
        if (order == 0 && same_content(diff->removed[i], diff->added[j])) {
            i++, j++;
            continue;
        }
        if (order <= 0)
            diff->removed[removed++] = diff->removed[i++];
        if (order >= 0)
            diff->added[added++] = diff->added[j++];
    }
    diff->removed_count = removed;
    diff->added_count = added;
}

enum mf_code mf_manifest_diff(const struct mf_manifest *from, const struct mf_manifest *to,
                              struct mf_diff *diff, struct mf_error *error)
{
    *diff = (struct mf_diff){0};
    diff->removed = sort_by_name(from, &diff->removed_count);
    diff->added = sort_by_name(to, &diff->added_count);
    if (diff->removed == NULL || diff->added == NULL) {
        mf_diff_clear(diff);
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory to compare manifests");
    }
    subtract_each_other(diff);
    return MF_OK;
}

void mf_diff_clear(struct mf_diff *diff)
{
    free(diff->added);
    free(diff->removed);
    *diff = (struct mf_diff){0};
}

/* Calls about old versions and about what belongs to none. */
#include "allocations.h"
#include "calls.h"
#include "target.h"

#include <string.h>

/*
 * Versions
 */

static void check_files(const struct run *run, const struct mf_manifest *manifest)
{
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    for (size_t i = 0; i < manifest->file_count; i++) {
        struct mf_manifest one = {.files = &manifest->files[i], .file_count = 1};
        void *data = NULL;
        size_t size = 0;
        struct mf_error error = {0};
        unsigned failed = run_failed(run);
        allocations_start();
        enum mf_code code =
            mf_database_read_file(run->database, &manifest->files[i], &data, &size, &error);
        allocations_stop();
        if (run_failed(run) == failed)
            require(code == (truth_whole(before, &one, false) ? MF_OK : MF_CORRUPT));
        if (code == MF_OK) {
            const struct shelf_node *node = shelf_find(before, manifest->files[i].name);
            require(node != NULL && node->size == size && memcmp(node->data, data, size) == 0);
            free(data);
        }
    }
}

/* With slots a MANIFEST-k.removed that fails with EIO was cut short (removal.c): then a failure on
 * demand changes what is said. */
static bool is_certain(const struct run *run)
{
    return run_undisturbed(run) || !run->was.slots;
}

static bool has(const struct mf_manifest *manifest, const struct mf_file *file)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *other = &manifest->files[i];
        if (strcmp(other->name, file->name) == 0)
            return !other->recorded || !file->recorded ||
                   (other->size == file->size && other->crc32c == file->crc32c);
    }
    return false;
}

static void check_diff(const struct mf_manifest *from, const struct mf_manifest *to)
{
    struct mf_diff diff;
    struct mf_error error;
    size_t added = 0, removed = 0;
    allocations_start();
    enum mf_code code = mf_manifest_diff(from, to, &diff, &error);
    allocations_stop();
    if (code != MF_OK)
        return;
    for (size_t i = 0; i < diff.added_count; i++) {
        require(!has(from, diff.added[i]));
        require(i == 0 || strcmp(diff.added[i - 1]->name, diff.added[i]->name) < 0);
    }
    for (size_t i = 0; i < to->file_count; i++)
        added += !has(from, &to->files[i]);
    for (size_t i = 0; i < diff.removed_count; i++) {
        require(!has(to, diff.removed[i]));
        require(i == 0 || strcmp(diff.removed[i - 1]->name, diff.removed[i]->name) < 0);
    }
    for (size_t i = 0; i < from->file_count; i++)
        removed += !has(to, &from->files[i]);
    /* A name that two keys have is there once. */
    require(diff.added_count <= added && (added == 0) == (diff.added_count == 0));
    require(diff.removed_count <= removed && (removed == 0) == (diff.removed_count == 0));
    mf_diff_clear(&diff);
}

static void check_version(const struct run *run, uint64_t number)
{
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    const struct mf_manifest *truth =
        number == run->was.version
            ? run->was.current
            : truth_version(before, number, run->options.read.accept_unsealed);
    struct mf_manifest manifest;
    struct mf_error error;
    unsigned failed = run_failed(run);
    allocations_start();
    enum mf_code code = mf_database_read_version(run->database, number, &manifest, &error);
    allocations_stop();
    if (run_failed(run) == failed)
        require(code == (truth != NULL ? MF_OK : MF_CORRUPT));
    if (code != MF_OK)
        return;
    require(truth != NULL && manifest.version == number);
    check_files(run, &manifest);
    check_diff(&manifest, run->was.current);
    check_diff(run->was.current, &manifest);
    mf_manifest_clear(&manifest);
}

void call_versions(struct run *run)
{
    if (run->database == NULL || run->strange)
        return;
    struct mf_versions versions = {0};
    uint64_t numbers[SHELF_NAMES];
    run_begin(run, "versions");
    allocations_start();
    enum mf_code code = mf_history_versions(run->database, &versions, &run->error);
    allocations_stop();
    require(code == MF_OK || !run_undisturbed(run));
    if (code == MF_OK && is_certain(run)) {
        require(versions.count == truth_kept(run_before(run, SHELF_DB), &run->was, numbers));
        require(memcmp(versions.numbers, numbers, versions.count * sizeof(*numbers)) == 0);
        for (size_t i = 0; i < versions.count; i++)
            check_version(run, numbers[i]);
    }
    mf_versions_clear(&versions);
    run_end(run, code, NOTHING, SIZE_MAX);
    shelf_forget(&run->before);
}

/*
 * Orphans
 */

static bool all_readable(const struct run *run, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != run->was.version &&
            truth_version(run_before(run, SHELF_DB), numbers[i],
                          run->options.read.accept_unsealed) == NULL)
            return false;
    return true;
}

struct listing {
    struct run *run;
    size_t count;
};

static void visit_orphan(void *argument, const struct mf_orphan *orphan)
{
    struct listing *listing = argument;
    allocations_stop();
    const struct shelf_folder *before = run_before(listing->run, SHELF_DB);
    size_t i = 0;
    while (i < before->count && strcmp(before->entries[i]->name, orphan->name) != 0)
        i++;
    require(i < before->count);
    const struct shelf_entry *entry = before->entries[i];
    require(!is_certain(listing->run) ||
            truth_orphan(before, &listing->run->was, entry) == (int)orphan->kind);
    require(orphan->type == entry->node->type);
    require(orphan->size == (orphan->type == MF_TYPE_FILE ? entry->node->size : 0));
    require(orphan->removable == (orphan->kind != MF_ORPHAN_FOREIGN));
    require(mf_orphan_name(orphan->kind)[0] != '?' && mf_orphan_sentence(orphan->kind)[0] != '?');
    listing->count++;
    allocations_start();
}

static size_t count_orphans(const struct shelf_folder *folder, const struct truth *truth,
                            bool removable)
{
    size_t count = 0;
    for (size_t i = 0; i < folder->count; i++) {
        int orphan = truth_orphan(folder, truth, folder->entries[i]);
        count += orphan >= 0 && (!removable || orphan != MF_ORPHAN_FOREIGN);
    }
    return count;
}

void call_orphans(struct run *run)
{
    if (run->database == NULL || run->strange)
        return;
    struct listing listing = {.run = run};
    uint64_t numbers[SHELF_NAMES];
    run_begin(run, "orphans");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    bool readable = all_readable(run, numbers, truth_kept(before, &run->was, numbers));
    allocations_start();
    enum mf_code code = mf_orphans_list(run->database, visit_orphan, &listing, &run->error);
    run_end(run, code, NOTHING, SIZE_MAX);
    if (run_undisturbed(run))
        require(code == (readable ? MF_OK : MF_CORRUPT));
    if (code == MF_OK && is_certain(run))
        require(readable && listing.count == count_orphans(before, &run->was, false));
    shelf_forget(&run->before);
}

/* Whether the handle may remove something: else the code that says why not. */
static enum mf_code expect_idle(const struct run *run)
{
    return run->transaction != NULL ? MF_INVALID : MF_OK;
}

static void check_done(struct run *run, enum mf_code code, const struct mf_removed *removed)
{
    require(code == MF_OK);
    require(removed->manifests == 0 && removed->files == 0 && removed->bytes == 0);
    (void)run;
}

void call_discard(struct run *run)
{
    if (run->database == NULL || run->strange)
        return;
    struct mf_removed removed = {0};
    uint64_t numbers[SHELF_NAMES];
    run_begin(run, "orphans_remove");
    const struct shelf_folder *before = run_before(run, SHELF_DB), *now = run_now(run, SHELF_DB);
    bool readable = all_readable(run, numbers, truth_kept(before, &run->was, numbers));
    allocations_start();
    enum mf_code code = mf_orphans_remove(run->database, &removed, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    for (size_t i = 0; i < before->count; i++) {
        const struct shelf_entry *entry = before->entries[i];
        int orphan = truth_orphan(before, &run->was, entry);
        if (orphan < 0 || orphan == MF_ORPHAN_FOREIGN)
            require(shelf_same(entry->node, shelf_find(now, entry->name)));
    }
    if (code == MF_OK) {
        require(readable && expect_idle(run) == MF_OK);
        require(count_orphans(now, &run->now, true) == 0);
        require(removed.manifests + removed.files <= count_orphans(before, &run->was, true));
        code = mf_orphans_remove(run->database, &removed, &run->error);
        if (run_undisturbed(run))
            check_done(run, code, &removed);
    } else if (run_undisturbed(run) && !run->hurt && mf_database_durable(run->database)) {
        require(code == (expect_idle(run) != MF_OK ? MF_INVALID : MF_CORRUPT));
        require(code == MF_INVALID || !readable);
    }
    shelf_forget(&run->before);
}

/*
 * Clean-up
 */

static bool is_named(const struct mf_manifest *manifest, const char *name)
{
    for (size_t i = 0; manifest != NULL && i < manifest->file_count; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return true;
    return false;
}

/* Whether a clean-up that keeps all from numbers[first] on removes an entry. */
static bool is_to_go(const struct run *run, const struct shelf_entry *entry,
                     const uint64_t *numbers, size_t count, size_t first)
{
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    uint64_t number, of_other;
    if (entry->node->type != MF_TYPE_FILE)
        return false;
    if (truth_number(entry->name, "MANIFEST-", ".removed", &number))
        return true;
    if (truth_number(entry->name, "MANIFEST-", "", &number)) {
        size_t i = 0;
        while (i < count && numbers[i] != number)
            i++;
        /* With slots also one whose removal has begun, which is not kept any more. */
        return i < first || (i == count && number < run->was.version);
    }
    if (truth_is_live(before, &run->was, numbers + first, count - first, entry->name))
        return false;
    for (size_t i = 0; i < first; i++)
        if (is_named(truth_version(before, numbers[i], true), entry->name))
            return true;
    for (size_t i = 0; i < before->count; i++) {
        if (!truth_number(before->entries[i]->name, "MANIFEST-", ".removed", &of_other))
            continue;
        size_t at = 0; /* what is replaced by the one of this clean-up says nothing any more */
        while (at < first && numbers[at] != of_other)
            at++;
        bool replaced =
            at < first && (!run->was.slots || truth_version(before, of_other, true) != NULL);
        if (!replaced && is_named(truth_removed(before, of_other), entry->name))
            return true;
    }
    return false;
}

void call_clean(struct run *run)
{
    size_t keep = choose(&run->choices, 4);
    if (run->database == NULL || run->strange)
        return;
    struct mf_removed removed = {0};
    uint64_t numbers[SHELF_NAMES];
    run_begin(run, "clean");
    const struct shelf_folder *before = run_before(run, SHELF_DB), *now = run_now(run, SHELF_DB);
    size_t count = truth_kept(before, &run->was, numbers);
    size_t first = count > keep ? count - keep : 0;
    bool readable = all_readable(run, numbers + first, count - first);
    allocations_start();
    enum mf_code code = mf_history_clean(run->database, keep, &removed, &run->error);
    run_end(run, code, ONLY_DB, keep > 0 ? keep : SIZE_MAX);
    if (code == MF_OK) {
        require(keep > 0 && readable && expect_idle(run) == MF_OK);
        for (size_t i = 0; i < before->count && !run_obstructed(before); i++) {
            const struct shelf_entry *entry = before->entries[i];
            const struct shelf_node *node = shelf_find(now, entry->name);
            if (is_to_go(run, entry, numbers, count, first))
                require(node == NULL);
            else
                require(shelf_same(node, entry->node));
        }
        code = mf_history_clean(run->database, keep, &removed, &run->error);
        if (run_undisturbed(run) && !run_obstructed(before))
            check_done(run, code, &removed);
    } else if (run_undisturbed(run) && !run->hurt && mf_database_durable(run->database) &&
               !run_obstructed(before)) {
        if (keep == 0 || expect_idle(run) != MF_OK)
            require(code == MF_INVALID);
        else
            require(code == MF_CORRUPT && !readable);
    }
    shelf_forget(&run->before);
}

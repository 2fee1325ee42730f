#include "run.h"

#include "allocations.h"
#include "target.h"

#include <string.h>

const struct shelf_folder *run_before(const struct run *run, enum shelf_place place)
{
    return &run->before.folders[place];
}

const struct shelf_folder *run_now(const struct run *run, enum shelf_place place)
{
    return &run->shelf->now.folders[place];
}

unsigned run_failed(const struct run *run)
{
    return run->shelf->failed + allocations_failed();
}

bool run_undisturbed(const struct run *run)
{
    return run_failed(run) == 0;
}

bool run_obstructed(const struct shelf_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strncmp(folder->entries[i]->name, "MANIFEST-", 9) == 0 &&
            folder->entries[i]->node->type != MF_TYPE_FILE)
            return true;
    return folder->count + 16 > SHELF_NAMES;
}

void run_begin(struct run *run, const char *call)
{
    run->call = call;
    run->error = (struct mf_error){0};
    run->shelf->failed = 0;
    shelf_look(run->shelf, &run->before);
    truth_of(run_before(run, SHELF_DB), run->options.read.accept_unsealed, run->options.sizes_only,
             &run->was);
    uint64_t highest = truth_highest(run_before(run, SHELF_DB));
    if (run->database != NULL && run->used < highest)
        run->used = highest;
    for (int place = 0; run->told && place < SHELF_PLACES - 1; place++)
        for (size_t i = 0; i < run_before(run, (enum shelf_place)place)->count; i++) {
            const struct shelf_entry *entry = run_before(run, (enum shelf_place)place)->entries[i];
            fprintf(stderr, "    %d %s type %d, %zu bytes\n", place, entry->name,
                    (int)entry->node->type, entry->node->size);
        }
    allocations_arm(run->memory_ends);
    run->memory_ends = 0;
}

static void require_same(const struct run *run, enum shelf_place place)
{
    const struct shelf_folder *before = run_before(run, place), *now = run_now(run, place);
    require(before->present == now->present && before->count == now->count);
    for (size_t i = 0; i < before->count; i++)
        require(shelf_same(before->entries[i]->node, shelf_find(now, before->entries[i]->name)));
}

/* Directories, links and the like are nobody's, and data files never change. */
static void require_others_same(const struct run *run, enum shelf_place place)
{
    const struct shelf_folder *before = run_before(run, place), *now = run_now(run, place);
    for (size_t i = 0; i < before->count; i++) {
        const struct shelf_entry *entry = before->entries[i];
        const struct shelf_node *node = shelf_find(now, entry->name);
        if (entry->node->type == MF_TYPE_DIRECTORY)
            require(node != NULL);
        if (strncmp(entry->name, "MANIFEST-", 9) != 0 && entry->node->type != MF_TYPE_FILE)
            require(shelf_same(entry->node, node));
        if (strncmp(entry->name, "MANIFEST-", 9) != 0 && node != NULL && place != SHELF_BACKUP)
            require(shelf_same(entry->node, node));
    }
}

static void require_foreign_same(const struct run *run)
{
    const struct shelf_folder *before = run_before(run, SHELF_DB), *now = run_now(run, SHELF_DB);
    uint64_t number;
    for (size_t i = 0; i < before->count; i++)
        /* What is about a removal the library may replace. */
        if (!truth_number(before->entries[i]->name, "MANIFEST-", ".removed", &number) &&
            truth_orphan(before, &run->was, before->entries[i]) == MF_ORPHAN_FOREIGN)
            require(
                shelf_same(before->entries[i]->node, shelf_find(now, before->entries[i]->name)));
}

/* Versions that were kept and whole are so still, but for the old ones that may go. */
static void require_kept(const struct run *run, size_t keep)
{
    const struct shelf_folder *before = run_before(run, SHELF_DB), *now = run_now(run, SHELF_DB);
    bool unsealed = run->options.read.accept_unsealed;
    uint64_t numbers[SHELF_NAMES], still[SHELF_NAMES];
    require(run->now.verdict == MF_OK && run->now.version >= run->was.version);
    size_t count = truth_kept(before, &run->was, numbers);
    size_t still_count = truth_kept(now, &run->now, still);
    for (size_t i = count > keep ? count - keep : 0; i < count; i++) {
        const struct mf_manifest *manifest =
            i + 1 == count ? run->was.current : truth_version(before, numbers[i], unsealed);
        if (manifest == NULL || !truth_whole(before, manifest, false))
            continue;
        size_t at = 0;
        while (at < still_count && still[at] != numbers[i])
            at++;
        require(at < still_count);
        require(truth_whole(now, manifest, false));
        require(i + 1 == count || truth_version(now, numbers[i], unsealed) != NULL);
    }
}

/* What a backup could restore it still can. */
static void require_backups(const struct run *run, enum shelf_place place)
{
    const struct shelf_folder *before = run_before(run, place), *now = run_now(run, place);
    uint64_t number;
    for (size_t i = 0; i < before->count; i++)
        if (truth_number(before->entries[i]->name, "MANIFEST-BACKUP-", "", &number) &&
            truth_backup(before, number) != NULL)
            require(truth_backup(now, number) != NULL);
}

void run_end(struct run *run, enum mf_code code, unsigned touched, size_t keep)
{
    allocations_stop();
    if (run->told)
        fprintf(stderr, "%s: %s %s (%u calls failed)\n", run->call, mf_code_name(code),
                run->error.message, run_failed(run));
    if (code != MF_OK) {
        require(run->error.code == code && run->error.message[0] != '\0');
        require(strlen(run->error.message) < sizeof(run->error.message));
    } else { /* error.h: it is left alone */
        require(run->error.code == MF_OK && run->error.message[0] == '\0');
    }
    truth_of(run_now(run, SHELF_DB), run->options.read.accept_unsealed, run->options.sizes_only,
             &run->now);
    for (int place = 0; place < SHELF_PLACES; place++) {
        if ((touched >> place & 1) == 0)
            require_same(run, (enum shelf_place)place);
        else if (!run->strange)
            require_others_same(run, (enum shelf_place)place);
        require_backups(run, (enum shelf_place)place);
    }
    run->hurt = run->hurt || !run_undisturbed(run);
    if (!run->strange && run->was.verdict == MF_OK) {
        require_kept(run, keep);
        require_foreign_same(run);
    }
}

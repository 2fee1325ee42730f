/* Calls about copies of a database elsewhere. */
#include "allocations.h"
#include "calls.h"
#include "target.h"

#include <string.h>

static const char *const paths[] = {"db", "backup", "target"};

static enum shelf_place choose_place(struct run *run, enum shelf_place usual)
{
    unsigned choice = choose_byte(&run->choices);
    return choice < 192 ? usual : (enum shelf_place)(choice % 3);
}

static bool is_empty(const struct shelf_folder *folder)
{
    return folder->count == 0;
}

void call_backup(struct run *run)
{
    uint64_t version = scene_number(&run->choices);
    enum shelf_place place = choose_place(run, SHELF_BACKUP);
    bool current = (choose_byte(&run->choices) & 1) != 0;
    struct mf_backup_report report;
    if (run->database == NULL)
        return;
    if (current)
        version = mf_database_current(run->database)->version;
    run_begin(run, "backup");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    struct shelf_node *source = shelf_find(before, truth_name("MANIFEST-", version, ""));
    if (!run->strange && version == run->was.version && run->was.copy_missing)
        source = shelf_find(before, "MANIFEST-CURRENT");
    const struct mf_manifest *manifest = truth_manifest(source);
    uint64_t numbers[SHELF_NAMES];
    size_t count = run->was.verdict == MF_OK ? truth_kept(before, &run->was, numbers) : 0, at = 0;
    while (at < count && numbers[at] != version)
        at++;
    bool whole = at < count && manifest != NULL && manifest->sealed &&
                 manifest->version == version && truth_whole(before, manifest, false) &&
                 (version != run->was.version || mf_database_durable(run->database));
    allocations_start();
    enum mf_code code =
        mf_backup_create(run->database, version, paths[place], NULL, &report, &run->error);
    run_end(run, code, 1u << place, SIZE_MAX);
    if (code == MF_OK) {
        require(place != SHELF_DB);
        if (!run->options.sizes_only)
            require(truth_backup(run_now(run, place), version) != NULL);
        if (!run->strange)
            require(at < count &&
                    shelf_same(source, shelf_find(run_now(run, place),
                                                  truth_name("MANIFEST-", version, ""))));
        require(report.has_base == (report.base != 0) || report.base == 0);
    } else if (run_undisturbed(run) && !run->strange && is_empty(run_before(run, place))) {
        require(!whole);
    }
    shelf_forget(&run->before);
}

struct chain {
    const struct shelf_folder *folder;
    bool sizes_only;
    size_t damaged;
};

static void visit_link(void *argument, const struct mf_backup_link *link)
{
    struct chain *chain = argument;
    allocations_stop();
    if (link->code == MF_OK && !chain->sizes_only)
        require(truth_backup(chain->folder, link->version) != NULL);
    require(link->code == MF_OK || link->detail[0] != '\0');
    chain->damaged += link->code != MF_OK;
    allocations_start();
}

void call_inspect(struct run *run)
{
    enum shelf_place place = choose_place(run, SHELF_BACKUP);
    run_begin(run, "inspect");
    struct chain chain = {.folder = run_before(run, place), .sizes_only = run->options.sizes_only};
    allocations_start();
    enum mf_code code =
        mf_backup_inspect(paths[place], &run->options, visit_link, &chain, &run->error);
    run_end(run, code, NOTHING, SIZE_MAX);
    if (run_undisturbed(run))
        require(code == MF_OK || code == MF_CORRUPT || code == MF_NO_DATABASE);
    require(code != MF_OK || chain.damaged == 0);
    shelf_forget(&run->before);
}

/* Kind by kind and key by key the same bytes. */
static void require_restored(const struct shelf_folder *folder, const struct mf_manifest *restored,
                             const struct mf_manifest *saved)
{
    require(restored->file_count == saved->file_count);
    for (size_t i = 0; i < saved->file_count; i++) {
        const struct mf_file *from = &saved->files[i];
        const struct mf_file *to = mf_manifest_find(restored, from->kind, from->key);
        require(to != NULL && to->size == from->size && to->crc32c == from->crc32c);
    }
    require(truth_whole(folder, restored, false));
}

void call_restore(struct run *run)
{
    uint64_t version = scene_number(&run->choices), restored = 0;
    enum shelf_place place = choose_place(run, SHELF_BACKUP);
    enum shelf_place target = choose_place(run, SHELF_TARGET);
    bool unsealed = run->options.read.accept_unsealed;
    struct truth was, now;
    run_begin(run, "restore");
    const struct shelf_folder *before = run_before(run, target);
    truth_of(before, unsealed, run->options.sizes_only, &was);
    uint64_t highest = truth_highest(before);
    highest = highest > was.version ? highest : was.version;
    bool locked = shelf_is_locked(run->shelf, target);
    const struct mf_manifest *saved = truth_backup(run_before(run, place), version);
    allocations_start();
    enum mf_code code = mf_backup_restore(paths[place], version, paths[target], &run->options,
                                          &restored, &run->error);
    run->strange = run->strange || (target == SHELF_DB && run->database != NULL);
    run_end(run, code, 1u << target, SIZE_MAX);
    truth_of(run_now(run, target), unsealed, run->options.sizes_only, &now);
    if (code == MF_OK) {
        require(now.verdict == MF_OK && now.version == restored);
        require(restored >= version && (was.verdict != MF_OK || restored > was.version));
        require(was.verdict == MF_OK || was.verdict == MF_NO_DATABASE);
        if (was.verdict == MF_OK)
            require(restored == (version > highest ? version : highest + 1));
        /* Its base may have been replaced by another one: the version is whole all the same. */
        require(saved != NULL);
        require_restored(run_now(run, target), now.current, saved);
    } else {
        if (was.verdict == MF_OK)
            require(now.verdict == MF_OK && (now.version == was.version || code == MF_UNKNOWN));
        if (was.verdict == MF_CORRUPT)
            require(now.verdict == MF_CORRUPT);
        if (run_undisturbed(run) && saved != NULL && !locked && !run_obstructed(before) &&
            place != target && was.verdict != MF_CORRUPT)
            require(highest == UINT64_MAX || was.exhausted);
    }
    shelf_forget(&run->before);
}

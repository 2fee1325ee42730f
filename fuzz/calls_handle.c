/* Calls that make, open and close a database. */
#include "allocations.h"
#include "calls.h"
#include "target.h"

#include <string.h>

/* One folder has many paths. */
static const char *choose_path(struct run *run)
{
    static const char *const paths[] = {"db", "alias", "./db", "db/", "db/.", "db/../db", ".//db"};
    return paths[choose(&run->choices, sizeof(paths) / sizeof(paths[0]))];
}

static bool is_failure(enum mf_code code)
{
    return code == MF_IO || code == MF_NO_MEMORY || code == MF_UNKNOWN || code == MF_NOT_COMMITTED;
}

void call_close(struct run *run)
{
    bool writes = run->transaction != NULL;
    run_begin(run, "close");
    allocations_start();
    mf_database_close(run->database);
    run->database = NULL;
    run->transaction = NULL;
    run_end(run, MF_OK, writes ? ONLY_DB : NOTHING, SIZE_MAX);
    shelf_forget(&run->before);
    run->used = 0;
    run->hurt = false;
    run->strange = false;
}

void call_init(struct run *run)
{
    call_close(run);
    const char *path = choose_path(run);
    run_begin(run, "init");
    allocations_start();
    enum mf_code code = mf_database_init(path, &run->options, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    if (code == MF_OK) {
        require(run->was.verdict == MF_NO_DATABASE);
        require(run->now.verdict == MF_OK && run->now.version == 1);
        require(run->now.current->file_count == 0);
    } else if (run_undisturbed(run)) {
        if (run->was.verdict == MF_OK)
            require(code == MF_EXISTS);
        if (run->was.verdict == MF_CORRUPT)
            require(code == MF_CORRUPT || code == MF_EXISTS);
        if (run->was.verdict == MF_NO_DATABASE)
            require(run_obstructed(run_before(run, SHELF_DB)));
    }
    if (run->was.verdict == MF_NO_DATABASE)
        require(run->now.verdict != MF_CORRUPT || run_obstructed(run_before(run, SHELF_DB)));
    shelf_forget(&run->before);
}

static void check_handle(const struct run *run, struct mf_database *database, bool writable)
{
    const struct mf_manifest *current = mf_database_current(database);
    require(run->was.verdict == MF_OK && run->now.verdict == MF_OK);
    require(current->version == run->was.version && run->now.version == run->was.version);
    require(current->file_count == run->was.current->file_count);
    require(mf_database_durable(database) == (writable && run->was.current->sealed));
    require(mf_database_copy_was_missing(database) == run->was.copy_missing);
    require(mf_database_fell_back(database) == run->was.fell_back);
    require(mf_database_commit_point(database) ==
            (run->was.slots ? MF_COMMIT_SLOTS : MF_COMMIT_RENAME));
    require(mf_commit_point_word(mf_database_commit_point(database))[0] != '?');
    if (writable)
        require(!run->now.copy_missing && (!run->now.fell_back || run->now.exhausted));
}

/* A second handle is closed again at once. */
void call_open(struct run *run)
{
    const char *path = choose_path(run);
    struct mf_options options = run->options;
    struct mf_database *database = NULL;
    bool second = run->database != NULL;
    options.writable = (choose_byte(&run->choices) & 1) != 0;
    run_begin(run, "open");
    bool locked = shelf_is_locked(run->shelf, SHELF_DB);
    allocations_start();
    enum mf_code code = mf_database_open(path, &options, &database, &run->error);
    run_end(run, code, options.writable ? ONLY_DB : NOTHING, SIZE_MAX);
    if (run->was.verdict == MF_NO_DATABASE) /* nobody's folder gets a lock file */
        require((shelf_find(run_now(run, SHELF_DB), "MANIFEST-LOCK") == NULL) ==
                (shelf_find(run_before(run, SHELF_DB), "MANIFEST-LOCK") == NULL));
    if (code == MF_OK) {
        check_handle(run, database, options.writable);
        require(!options.writable || !locked);
    } else {
        require(database == NULL);
        if (run->was.verdict == MF_OK && options.writable && locked)
            require(code == MF_LOCKED || !run_undisturbed(run));
        else if (run_undisturbed(run) &&
                 (!options.writable || !run_obstructed(run_before(run, SHELF_DB))))
            require(code == run->was.verdict || (code == MF_LOCKED && locked));
        else if (run->was.verdict == MF_OK)
            require(is_failure(code) || code == MF_LOCKED);
    }
    shelf_forget(&run->before);
    if (second) {
        mf_database_close(database);
        return;
    }
    run->database = database;
    run->hurt = code == MF_OK && !run_undisturbed(run);
    run->strange = false;
}

struct findings {
    size_t faults;
    bool lies;
};

static void visit_finding(void *argument, const struct mf_finding *finding)
{
    struct findings *findings = argument;
    findings->faults += finding->fault;
    findings->lies = findings->lies || finding->name == NULL || finding->detail[0] == '\0' ||
                     mf_finding_name(finding->kind)[0] == '?' ||
                     mf_finding_sentence(finding->kind)[0] == '?';
}

void call_verify(struct run *run)
{
    const char *path = choose_path(run);
    struct findings findings = {0};
    uint64_t version = 0;
    bool all = (choose_byte(&run->choices) & 1) != 0;
    run_begin(run, "verify");
    allocations_start();
    enum mf_code code = mf_database_verify(path, &run->options, all ? visit_finding : NULL,
                                           &findings, &version, &run->error);
    run_end(run, code, NOTHING, SIZE_MAX);
    require(!findings.lies);
    if (run_undisturbed(run)) {
        require(code == run->was.verdict);
        require(!all || (findings.faults > 0) == (code == MF_CORRUPT));
    } else if (code == MF_OK) {
        require(run->was.verdict == MF_OK && findings.faults == 0);
    } else if (run->was.verdict == MF_OK) {
        require(is_failure(code));
    }
    if (code == MF_OK)
        require(version == run->was.version);
    shelf_forget(&run->before);
}

/* A recovery removes nothing but temporaries, and keeps the bytes of what it sets aside. */
static void require_not_lost(const struct run *run, const struct shelf_entry *entry)
{
    const struct shelf_folder *now = run_now(run, SHELF_DB);
    if (shelf_find(now, entry->name) != NULL || truth_is_temporary(entry->name))
        return;
    require(truth_is_set_aside(run_before(run, SHELF_DB), entry->name));
    require(truth_has_aside(now, entry->name, entry->node));
}

void call_recover(struct run *run)
{
    call_close(run);
    uint64_t version = scene_number(&run->choices), number = 0;
    run_begin(run, "recover");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    const struct mf_manifest *chosen =
        truth_version(before, version, run->options.read.accept_unsealed);
    bool whole = chosen != NULL && truth_whole(before, chosen, false);
    uint64_t highest = truth_highest(before);
    highest = highest > run->was.claimed ? highest : run->was.claimed;
    allocations_start();
    enum mf_code code = mf_database_recover("db", &run->options, version, &number, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    for (size_t i = 0; i < before->count; i++)
        require_not_lost(run, before->entries[i]);
    if (code == MF_OK) {
        require(run->was.verdict == MF_CORRUPT && whole);
        require(run->now.verdict == MF_OK && run->now.version == number);
        require(number == highest + 1 || run_obstructed(before));
        require(run->now.current->file_count == chosen->file_count);
        for (size_t i = 0; i < before->count; i++)
            require(!truth_is_set_aside(before, before->entries[i]->name) ||
                    shelf_find(run_now(run, SHELF_DB), before->entries[i]->name) == NULL);
    } else if (run_undisturbed(run) && !run_obstructed(before)) {
        if (run->was.verdict != MF_CORRUPT)
            require(code == (run->was.verdict == MF_OK ? MF_INVALID : MF_NO_DATABASE));
        else if (shelf_find(before, truth_name("MANIFEST-", version, "")) == NULL)
            require(code == MF_NO_VERSION || code == MF_CORRUPT);
        else if (whole && highest < UINT64_MAX && !run->was.exhausted)
            require(run->was.slots && shelf_find(before, "MANIFEST-CURRENT") != NULL);
    }
    shelf_forget(&run->before);
}

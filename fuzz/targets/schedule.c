/*
 * The reference's crash matrix driven by coverage: bytes choose what is done with a
 * database, the errors and the power cuts meanwhile, and what of the undecided operations
 * survives each cut (disk.h). What was acknowledged is known to acknowledged.c, and compared
 * with what is found. A manifest is parsed once (read_before.c).
 *
 * The input (zeros at its end; STEPS steps at most):
 *
 *     byte 0      the disk and what is on it:
 *                 bit 0       commit point: rename, slots
 *                 bits 1, 2   nothing else; a backup; no database; no sync_many
 *                 bit 3       sync of a file makes its new name durable
 *                 bit 4       slots: a rename is two changes
 *                 bit 5       slots: what was not written is garbage
 *     then steps, each a byte and what its parts take:
 *                 bits 0 to 3 what is done (steps[] below)
 *                 bits 4 to 7 what happens meanwhile (events[] below): a cut or a kill takes
 *                             one byte, the number of changing calls before it; an error two,
 *                             kind + 8 * number of the call of that kind, and how
 *                 a cut takes the bytes of disk_cut() after the step
 *
 * Properties: acknowledged versions survive; the current one is the last acknowledged, or
 * the one that was being committed, or had the outcome "unknown"; numbers increase; every
 * version that is kept is whole, byte for byte; "not committed" is not to be found later;
 * after "unknown", or a failed sync, the handle takes no further commit; a clean-up loses
 * no version that is kept, and brings none back; what was backed up can be restored; a
 * handle for reading changes nothing; without an error everything succeeds.
 */
#include "acknowledged.h"
#include "target.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 16, KEPT_IMAGES = 2 };

static struct choices choices;

/* The handle for writing, or NULL. */
static struct mf_database *database;
static bool blocked;             /* it takes no commits */
static uint64_t handle_used;     /* the highest number that it gave out */
static unsigned handle_failures; /* disk.failed_syncs when it was opened */

static struct {
    struct disk_image image;
    struct world world;
} images[2][KEPT_IMAGES]; /* by commit point; without and with a backup */

static bool went_well(enum mf_code code)
{
    require(code == MF_OK || disk.troubles > 0);
    return code == MF_OK;
}

/* ---- Opening ---- */

static void close_handle(void)
{
    mf_database_close(database);
    database = NULL;
    blocked = false;
    handle_used = 0;
}

static void init(void)
{
    enum mf_code code = mf_database_init(path, &world.options, NULL);
    went_well(code);
    conclude(new_version(1), code, 1);
}

static void recover(void)
{
    unsigned kept[VERSIONS], count = 0;
    uint64_t number = 0;
    for (unsigned i = 1; i <= world.version_count; i++)
        if (world.versions[i].kept == KEPT_YES)
            kept[count++] = i;
    const struct version *chosen = &world.versions[kept[choose(&choices, count)]];
    enum mf_code code = mf_database_recover(path, &world.options, chosen->number, &number, NULL);
    went_well(code);
    struct version *version = new_version(number);
    memcpy(version->contents, chosen->contents, sizeof(version->contents));
    conclude(version, code, number);
}

/* With whatever it takes that it opens: init, recovery by hand. */
static void open_handle(void)
{
    unsigned failures = disk.failed_syncs;
    enum mf_code code = mf_database_open(path, &world.options, &database, NULL);
    if (code != MF_OK)
        database = NULL;
    if (disk.dead)
        return;
    if (code == MF_NO_DATABASE && world.current == 0) {
        world.perhaps = 0;
        init();
    } else if (code == MF_CORRUPT && world.broken) {
        world.perhaps = 0;
        recover();
    } else if (went_well(code)) {
        settle(mf_database_current(database)->version);
        require(!world.broken);
        require(mf_database_durable(database));
        handle_failures = failures;
    }
}

/* ---- Steps ---- */

/* By an outcome that is unknown, or a sync that failed. */
static bool handle_is_blocked(void)
{
    return blocked || disk.failed_syncs != handle_failures;
}

/* One byte: the files that are written, and those that are left out; one: their sizes. */
static enum mf_code change_files(struct mf_transaction *transaction, struct version *version)
{
    unsigned what = choose_byte(&choices), size = choose_byte(&choices);
    enum mf_code code = MF_OK;
    for (unsigned i = 0; i < SLOTS && code == MF_OK; i++) {
        if ((what >> i & 1) != 0) {
            unsigned id = new_content(size + i * (size >> 3));
            const struct content *content = &world.contents[id];
            code = mf_transaction_add(transaction, slots[i].kind, slots[i].key,
                                      content_bytes(content), content->size, NULL);
            if (code == MF_OK)
                version->contents[i] = (uint8_t)id;
        } else if ((what >> (4 + i) & 1) != 0 && version->contents[i] != 0) {
            code = mf_transaction_remove(transaction, slots[i].kind, slots[i].key, NULL);
            if (code == MF_OK)
                version->contents[i] = 0;
        }
    }
    return code;
}

static struct mf_transaction *begin(struct version **version)
{
    struct mf_transaction *transaction;
    bool was_blocked = handle_is_blocked();
    enum mf_code code = mf_transaction_begin(database, &transaction, NULL);
    if (code != MF_OK) {
        require(was_blocked || disk.troubles > 0);
        return NULL;
    }
    require(!was_blocked);
    uint64_t number = mf_transaction_version(transaction);
    require(number > world.highest && number > handle_used);
    *version = new_version(number);
    memcpy((*version)->contents, world.versions[world.current].contents,
           sizeof((*version)->contents));
    return transaction;
}

static void commit(struct mf_transaction *transaction, struct version *version)
{
    uint64_t number = 0;
    unsigned failures = disk.failed_syncs;
    handle_used = version->number;
    enum mf_code code = mf_transaction_commit(transaction, &number, NULL);
    require(code == MF_OK || code == MF_NOT_COMMITTED || code == MF_UNKNOWN);
    went_well(code);
    /* Nothing is said to be durable although a sync has failed. */
    require(code != MF_OK || disk.dead || disk.failed_syncs == failures);
    conclude(version, code, number);
    blocked = blocked || code == MF_UNKNOWN;
    if (code == MF_NOT_COMMITTED)
        require(mf_database_current(database)->version == world.versions[world.current].number);
}

static void step_commit(void)
{
    struct version *version;
    struct mf_transaction *transaction = begin(&version);
    if (transaction == NULL)
        return;
    if (went_well(change_files(transaction, version)))
        commit(transaction, version);
    else
        mf_transaction_abort(transaction);
}

static void step_abort(void)
{
    struct version *version;
    struct mf_transaction *transaction = begin(&version);
    if (transaction == NULL)
        return;
    went_well(change_files(transaction, version));
    mf_transaction_abort(transaction);
}

/* Two keys for one file, which the caller has written, under a name that it uses once: a
 * backup could not take two files of one name. */
static void step_adopt(void)
{
    const struct mf_platform *platform = &disk.platform;
    struct version *version;
    char name[DISK_NAME_SIZE];
    unsigned id = new_content(0);
    const struct content *content = &world.contents[id];
    snprintf(name, sizeof(name), "adopted-%u", id);
    int folder = platform->open_directory(&disk, path);
    int file = folder < 0 ? -1
                          : platform->open(&disk, folder, name,
                                           MF_OPEN_WRITE | MF_OPEN_CREATE | MF_OPEN_EXCLUSIVE);
    bool written = file >= 0 && platform->write(&disk, file, content_bytes(content), content->size,
                                                0) == content->size;
    if (file >= 0)
        platform->close(&disk, file);
    if (folder >= 0)
        platform->close(&disk, folder);
    struct mf_transaction *transaction = written ? begin(&version) : NULL;
    if (transaction == NULL)
        return;
    enum mf_code code = mf_transaction_adopt(transaction, slots[1].kind, slots[1].key, name, NULL);
    if (code == MF_OK)
        code = mf_transaction_adopt(transaction, slots[2].kind, slots[2].key, name, NULL);
    version->contents[1] = version->contents[2] = (uint8_t)id;
    if (went_well(code))
        commit(transaction, version);
    else
        mf_transaction_abort(transaction);
}

/* A kept version, and how many there are; before the events of the step. */
static struct version *choose_version(void)
{
    struct version *found = NULL;
    unsigned count = 0;
    for (unsigned i = 1; i <= world.version_count; i++)
        count += world.versions[i].kept == KEPT_YES ? 1 : 0;
    unsigned which = choose(&choices, count);
    for (unsigned i = 1; i <= world.version_count; i++)
        if (world.versions[i].kept == KEPT_YES && which-- == 0)
            found = &world.versions[i];
    return found;
}

static void step_go_back(void)
{
    struct version *version;
    const struct version *chosen = choose_version();
    struct mf_transaction *transaction = begin(&version);
    if (transaction == NULL)
        return;
    enum mf_code code = mf_transaction_load(transaction, chosen->number, NULL);
    memcpy(version->contents, chosen->contents, sizeof(version->contents));
    if (went_well(code))
        commit(transaction, version);
    else
        mf_transaction_abort(transaction);
}

/* What is kept, before the events of the step. The caller clears it. */
static struct mf_versions list_versions(void)
{
    struct disk_plan plan = disk.plan;
    struct mf_versions versions;
    disk_plan(&disk, NULL);
    require(mf_history_versions(database, &versions, NULL) == MF_OK);
    disk_plan(&disk, &plan);
    return versions;
}

static void step_clean(void)
{
    unsigned keep = 1 + choose(&choices, 3);
    struct mf_versions versions = list_versions();
    uint64_t oldest = versions.count > keep ? versions.numbers[versions.count - keep] : 0;
    bool was_blocked = handle_is_blocked();
    enum mf_code code = mf_history_clean(database, keep, NULL, NULL);
    mf_versions_clear(&versions);
    if (was_blocked) {
        require(code != MF_OK);
        return;
    }
    bool done = went_well(code) && !disk.dead;
    for (unsigned i = 1; i <= world.version_count; i++)
        if (world.versions[i].kept != KEPT_NO && world.versions[i].number < oldest)
            world.versions[i].kept = done ? KEPT_NO : KEPT_PERHAPS;
}

static void count_removable(void *argument, const struct mf_orphan *orphan)
{
    *(unsigned *)argument += orphan->removable ? 1 : 0;
}

static void step_sweep(void)
{
    unsigned left = 0;
    bool was_blocked = handle_is_blocked();
    enum mf_code code = mf_orphans_remove(database, NULL, NULL);
    if (was_blocked)
        require(code != MF_OK);
    if (was_blocked || !went_well(code) || disk.dead)
        return;
    disk_plan(&disk, NULL);
    require(mf_orphans_list(database, count_removable, &left, NULL) == MF_OK && left == 0);
}

static void step_backup(void)
{
    struct version *version = choose_version();
    unsigned failures = disk.failed_syncs;
    enum mf_code code = mf_backup_create(database, version->number, backup_path, NULL, NULL, NULL);
    handle_failures += disk.failed_syncs - failures; /* those were not of this handle */
    if (code == MF_READ_ONLY && blocked && index_of(version) == world.current)
        return;
    if (went_well(code) && !disk.dead)
        version->saved = true;
}

static struct version *choose_saved(void)
{
    unsigned which = choose_byte(&choices), first = 0;
    for (unsigned i = 1; i <= world.version_count; i++) {
        if (!world.versions[i].saved)
            continue;
        first = first == 0 ? i : first;
        if (which-- == 0)
            return &world.versions[i];
    }
    return first != 0 ? &world.versions[first] : NULL;
}

static void step_restore(void)
{
    const struct version *saved = choose_saved();
    uint64_t number = 0;
    if (saved == NULL || world.perhaps != 0)
        return;
    close_handle();
    enum mf_code code =
        mf_backup_restore(backup_path, saved->number, path, &world.options, &number, NULL);
    went_well(code);
    struct version *version = new_version(number);
    memcpy(version->contents, saved->contents, sizeof(version->contents));
    conclude(version, code, number);
}

static void step_copy(void)
{
    const struct version *saved = choose_saved();
    uint64_t number = 0;
    unsigned failures = disk.failed_syncs;
    if (saved == NULL || world.copy_perhaps != 0)
        return;
    enum mf_code code =
        mf_backup_restore(backup_path, saved->number, copy_path, &world.options, &number, NULL);
    went_well(code);
    handle_failures += disk.failed_syncs - failures; /* those were not of this handle */
    struct version *version = new_version(number);
    memcpy(version->contents, saved->contents, sizeof(version->contents));
    if (code == MF_OK && !disk.dead)
        world.copy = index_of(version);
    else
        world.copy_perhaps = index_of(version);
}

static void step_damage(void)
{
    static const char *const names[] = {"MANIFEST-CURRENT", "MANIFEST-SLOT-A", "MANIFEST-SLOT-B"};
    /* Among garbage, half a manifest of a recovery that was cut passes for a damaged one, which
     * stays and stops clean-ups until somebody removes it (SPEC.md, section 8). */
    if (world.perhaps != 0 || disk.model.garbage)
        return;
    close_handle();
    disk_settle(&disk);
    for (unsigned i = 0; i < 3; i++)
        disk_damage(&disk, path, names[i]);
    if (world.damaged == 0)
        world.damaged = world.highest;
    world.broken = true;
    open_handle();
}

static void step_reopen(void)
{
    close_handle();
    open_handle();
}

static void step_check(void)
{
    disk_plan(&disk, NULL);
    require_all_whole(database);
    look_at_backup();
    look_at_copy();
}

static void (*const steps[16])(void) = {
    step_commit, step_commit, step_commit,  step_reopen, step_clean,  step_clean,
    step_sweep,  step_abort,  step_go_back, step_backup, step_backup, step_restore,
    step_copy,   step_damage, step_adopt,   step_check,
};

/* ---- Events ---- */

/* What happens during a step: X is ended by a cut, or killed. */
static const struct {
    bool cuts, kills, fails, short_counts;
} events[16] = {
    [4] = {.cuts = true},
    [5] = {.cuts = true},
    [6] = {.cuts = true},
    [7] = {.kills = true},
    [8] = {.fails = true},
    [9] = {.fails = true},
    [10] = {.fails = true},
    [11] = {.fails = true, .cuts = true},
    [12] = {.fails = true, .kills = true},
    [13] = {.short_counts = true},
    [14] = {.short_counts = true, .cuts = true},
    [15] = {.short_counts = true, .fails = true},
};

static struct disk_plan choose_plan(unsigned event)
{
    struct disk_plan plan = {.short_counts = events[event].short_counts};
    if (events[event].cuts || events[event].kills) {
        plan.stops = true;
        plan.stops_before = choose(&choices, 96);
    }
    if (events[event].fails) {
        unsigned which = choose_byte(&choices);
        plan.fails = true;
        plan.kind = (enum disk_call)(which % DISK_CALLS);
        plan.which = which / DISK_CALLS;
        plan.how = choose_byte(&choices);
    }
    return plan;
}

static void cut(void)
{
    bool undecided = disk.operation_count > 0;
    disk_plan(&disk, NULL);
    disk_cut(&disk, &choices);
    if (undecided) /* else it was looked at after the cut before */
        look();
}

static void step(void)
{
    unsigned what = choose_byte(&choices), event = what >> 4;
    struct disk_plan plan = choose_plan(event);
    disk_plan(&disk, &plan);
    if (database == NULL)
        open_handle();
    else
        steps[what & 15]();
    if (!events[event].cuts && !events[event].kills) {
        disk_plan(&disk, NULL);
        return;
    }
    disk.dead = true; /* at the latest now */
    close_handle();
    disk_kill(&disk);
    if (events[event].cuts)
        cut();
}

/* What is there in the end must do for one more commit, and a cut. */
static void finish(void)
{
    disk_plan(&disk, NULL);
    if (disk.read_only || database == NULL) {
        disk.dead = true;
        close_handle();
        disk_kill(&disk);
        cut();
    }
    for (unsigned tries = 0; database == NULL && tries < 3; tries++)
        open_handle();
    require(database != NULL);
    if (handle_is_blocked())
        step_reopen();
    step_commit();
    close_handle();
    disk_kill(&disk);
    cut();
    look_at_backup();
    look_at_copy();
}

/* ---- Beginning ---- */

static void make_image(enum mf_commit_point point, bool saved)
{
    static const uint8_t bytes[] = {0x0f, 5, 0x03, 0, 0x24, 3};
    world = (struct world){.options = {.platform = &disk.platform, .writable = true}};
    world.options.commit_point = point;
    choices = (struct choices){bytes, bytes + sizeof(bytes)};
    disk_reset(&disk, NULL, (struct disk_model){0});
    open_handle(); /* makes it */
    open_handle();
    step_commit();
    step_commit();
    step_commit();
    for (unsigned i = 2; saved && i <= 3; i++) {
        world.versions[i].saved = true;
        require(mf_backup_create(database, world.versions[i].number, backup_path, NULL, NULL,
                                 NULL) == MF_OK);
    }
    require_all_whole(database);
    close_handle();
    disk_keep(&disk, &images[point == MF_COMMIT_SLOTS][saved].image);
    images[point == MF_COMMIT_SLOTS][saved].world = world;
}

static void make_images(void)
{
    static bool made;
    if (!made)
        make_contents();
    for (unsigned i = 0; !made && i < 4; i++)
        make_image(i % 2 == 0 ? MF_COMMIT_RENAME : MF_COMMIT_SLOTS, i / 2 != 0);
    if (!made)
        keep_texts();
    made = true;
}

static void start(unsigned how)
{
    bool with_slots = (how & 1) != 0;
    unsigned there = how >> 1 & 3;
    struct disk_model model = {
        .names_files = (how & 8) != 0,
        .rename_is_two = with_slots && (how & 16) != 0,
        .garbage = with_slots && (how & 32) != 0,
    };
    memcpy(&world, &images[with_slots][there == 1].world,
           offsetof(struct world, versions) + 8 * sizeof(struct version));
    memcpy(world.contents, images[with_slots][there == 1].world.contents, sizeof(world.contents));
    disk_reset(&disk, there == 2 ? NULL : &images[with_slots][there == 1].image, model);
    for (unsigned i = 1; there == 2 && i <= world.version_count; i++)
        world.versions[i].manifest = NULL;
    if (there == 2)
        world.version_count = world.current = 0, world.highest = 0;
    if (there == 3)
        disk.platform.sync_many = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_images();
    choices = (struct choices){data, data + size};
    forget_texts();
    start(choose_byte(&choices));
    for (unsigned i = 0; i < STEPS && choices_left(&choices); i++)
        step();
    finish();
    disk.dead = true;
    close_handle();
    return 0;
}

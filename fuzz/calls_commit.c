/* Calls that make the next version. */
#include "allocations.h"
#include "calls.h"
#include "target.h"

#include <errno.h>
#include <string.h>

/*
 * What is wanted
 */

static void want_all(struct wanted *wanted, const struct mf_manifest *manifest)
{
    *wanted = (struct wanted){.known = manifest->file_count < 48};
    for (size_t i = 0; wanted->known && i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        wanted->known = strlen(file->key) < sizeof(wanted->files[0].key) && file->recorded;
        wanted->files[i].kind = file->kind;
        snprintf(wanted->files[i].key, sizeof(wanted->files[i].key), "%s", file->key);
        wanted->files[i].size = file->size;
        wanted->files[i].crc32c = file->crc32c;
        wanted->count++;
    }
}

static void want_none(struct wanted *wanted, enum mf_kind kind, const char *key)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->files[i].kind == kind && strcmp(wanted->files[i].key, key) == 0) {
            wanted->files[i] = wanted->files[--wanted->count];
            return;
        }
}

static void want(struct wanted *wanted, enum mf_kind kind, const char *key, uint64_t size,
                 uint32_t crc32c)
{
    want_none(wanted, kind, key);
    if (wanted->count == sizeof(wanted->files) / sizeof(wanted->files[0]))
        wanted->known = false;
    if (!wanted->known)
        return;
    size_t i = wanted->count++;
    wanted->files[i].kind = kind;
    snprintf(wanted->files[i].key, sizeof(wanted->files[i].key), "%s", key);
    wanted->files[i].size = size;
    wanted->files[i].crc32c = crc32c;
}

static void check_wanted(const struct wanted *wanted, const struct mf_manifest *manifest)
{
    require(!wanted->known || manifest->file_count == wanted->count);
    for (size_t i = 0; wanted->known && i < wanted->count; i++) {
        const struct mf_file *file =
            mf_manifest_find(manifest, wanted->files[i].kind, wanted->files[i].key);
        require(file != NULL && file->recorded && file->size == wanted->files[i].size &&
                file->crc32c == wanted->files[i].crc32c);
    }
}

/*
 * Calls
 */

void call_begin(struct run *run)
{
    if (run->database == NULL)
        return;
    struct mf_transaction *transaction = NULL;
    run_begin(run, "begin");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    bool unsettled = run->hurt || run->strange;
    allocations_start();
    enum mf_code code = mf_transaction_begin(run->database, &transaction, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    if (code == MF_OK) {
        require(run->transaction == NULL);
        if (!run->strange)
            require(mf_transaction_version(transaction) > truth_highest(before));
        run->transaction = transaction;
        want_all(&run->wanted, mf_database_current(run->database));
    } else {
        if (run->transaction != NULL)
            require(code == MF_INVALID);
        else if (run_undisturbed(run) && !unsettled && !run_obstructed(before) &&
                 mf_database_durable(run->database))
            require(run->used == UINT64_MAX); /* also of one that was removed since */
    }
    shelf_forget(&run->before);
}

struct source {
    const unsigned char *data;
    size_t left;
    bool fails;
};

static int64_t read_source(void *argument, void *buffer, size_t size)
{
    struct source *source = argument;
    if (source->fails && source->left < 4)
        return -EIO;
    size = size < source->left ? size : source->left;
    size = size < 5 ? size : 5;
    memcpy(buffer, source->data, size);
    source->data += size;
    source->left -= size;
    return (int64_t)size;
}

static void choose_file(struct run *run, enum mf_kind *kind, const char **key)
{
    *kind = (enum mf_kind)choose(&run->choices, MF_KIND_COUNT);
    *key = *kind == MF_KIND_LSM ? "" : scene_key(&run->choices);
}

void call_add(struct run *run)
{
    unsigned char content[256];
    enum mf_kind kind;
    const char *key;
    choose_file(run, &kind, &key);
    size_t size = scene_content((uint8_t)choose_byte(&run->choices), content);
    unsigned how = choose_byte(&run->choices);
    if (how == 255)
        key = "\xff"; /* not UTF-8 */
    if (run->transaction == NULL)
        return;
    struct source source = {.data = content, .left = size, .fails = how >= 200};
    run_begin(run, "add");
    allocations_start();
    enum mf_code code =
        how % 2 == 0 ? mf_transaction_add(run->transaction, kind, key, content, size, &run->error)
                     : mf_transaction_add_stream(run->transaction, kind, key, read_source, &source,
                                                 &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    if (code == MF_OK) {
        require(how != 255 && (how % 2 == 0 || how < 200));
        want(&run->wanted, kind, key, size, truth_crc32c(content, size));
    } else if (run_undisturbed(run) && !run->hurt && !run_obstructed(run_before(run, SHELF_DB))) {
        require(how >= 200);
    }
    shelf_forget(&run->before);
}

void call_adopt(struct run *run)
{
    enum mf_kind kind;
    const char *key;
    choose_file(run, &kind, &key);
    const char *name = scene_name(&run->choices);
    if (run->transaction == NULL)
        return;
    run_begin(run, "adopt");
    struct shelf_node *node = shelf_find(run_before(run, SHELF_DB), name);
    allocations_start();
    enum mf_code code = mf_transaction_adopt(run->transaction, kind, key, name, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    if (code == MF_OK) {
        require(node != NULL && node->type == MF_TYPE_FILE && mf_name_check(name) == NULL);
        want(&run->wanted, kind, key, node->size, truth_measure(node));
    }
    shelf_forget(&run->before);
}

void call_take_out(struct run *run)
{
    enum mf_kind kind;
    const char *key;
    choose_file(run, &kind, &key);
    if (run->transaction == NULL)
        return;
    size_t count = run->wanted.count;
    run_begin(run, "remove");
    allocations_start();
    enum mf_code code = mf_transaction_remove(run->transaction, kind, key, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    want_none(&run->wanted, kind, key);
    if (run->wanted.known)
        require((code == MF_OK) == (run->wanted.count < count));
    shelf_forget(&run->before);
}

void call_load(struct run *run)
{
    uint64_t version = scene_number(&run->choices);
    if (run->transaction == NULL)
        return;
    run_begin(run, "load");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    uint64_t numbers[SHELF_NAMES];
    size_t count = run->was.verdict == MF_OK ? truth_kept(before, &run->was, numbers) : 0, at = 0;
    while (at < count && numbers[at] != version)
        at++;
    const struct mf_manifest *manifest =
        at == count       ? NULL
        : at + 1 == count ? run->was.current
                          : truth_version(before, version, run->options.read.accept_unsealed);
    bool whole = manifest != NULL && truth_whole(before, manifest, run->options.sizes_only);
    allocations_start();
    enum mf_code code = mf_transaction_load(run->transaction, version, &run->error);
    run_end(run, code, ONLY_DB, SIZE_MAX);
    if (!run->strange) {
        if (code == MF_OK)
            require(whole);
        else if (run_undisturbed(run) && !run->hurt && !run_obstructed(before))
            require(!whole && code == (at == count ? MF_NO_VERSION : MF_CORRUPT));
    }
    if (code == MF_OK && manifest != NULL && !run->strange) /* else the handle knows another one */
        want_all(&run->wanted, manifest);
    else if (code == MF_OK)
        run->wanted.known = false;
    shelf_forget(&run->before);
}

void call_commit(struct run *run)
{
    if (run->transaction == NULL)
        return;
    uint64_t number = mf_transaction_version(run->transaction), version = 0;
    run_begin(run, "commit");
    const struct shelf_folder *before = run_before(run, SHELF_DB);
    allocations_start();
    enum mf_code code = mf_transaction_commit(run->transaction, &version, &run->error);
    run->transaction = NULL;
    run_end(run, code, ONLY_DB, SIZE_MAX);
    require(code == MF_OK || code == MF_NOT_COMMITTED || code == MF_UNKNOWN);
    if (code == MF_OK) {
        const struct mf_manifest *current = mf_database_current(run->database);
        require(version == number && current->version == number && current->sealed);
        require(mf_database_durable(run->database));
        check_wanted(&run->wanted, current);
        if (!run->strange)
            require(run->now.version == number);
    } else if (!run->strange) {
        require(!run_undisturbed(run) || run->hurt || run_obstructed(before) || run->was.exhausted);
        if (code == MF_NOT_COMMITTED)
            require(run->now.version == run->was.version);
    }
    if (code == MF_UNKNOWN) {
        require(!mf_database_durable(run->database) || !run_undisturbed(run));
        run->strange = true;
    }
    shelf_forget(&run->before);
}

void call_abort(struct run *run)
{
    run_begin(run, "abort");
    allocations_start();
    mf_transaction_abort(run->transaction);
    run->transaction = NULL;
    run_end(run, MF_OK, ONLY_DB, SIZE_MAX);
    shelf_forget(&run->before);
}

/*
 * Progress files of shards: written, damaged, read, continued and merged. The first bytes
 * choose a trace of which few states can be left, how many shards there are, how far each
 * comes, and what befalls its file; the rest, if there is any, is put in the place of the
 * first file's end, with and without the checksum that fits.
 *
 * What shards leave must add up to what one run of all finds, or be refused, or be said to be
 * incomplete; never is a file taken that was damaged, or that is of another exploration.
 */
#include "choices.h"
#include "examined.h"
#include "invention.h"
#include "merge.h"
#include "seal.h"
#include "target.h"

#include <string.h>

enum { SHARDS = 3, STATES = 64 };

struct file {
    unsigned char *bytes;
    size_t size;
    bool complete, missing, damaged, foreign;
};

struct run {
    struct invention invention;
    struct cm_options options;
    uint64_t seed;
    struct file files[SHARDS];
    uint32_t shards;
};

static void begin(const struct run *run, struct cm_exploring *all, struct cm_shard shard)
{
    struct ff_error error;
    struct cm_options options = run->options;
    options.shard = shard;
    require(cm_exploring_begin(all, &run->invention.trace, &run->invention.model, &options,
                               &error) == 0);
}

/* ---- Writing ---- */

/* Whether the file can be read into an exploration of the same, and gives the same file. */
static bool is_taken(const struct run *run, const struct file *file, struct cm_shard shard)
{
    struct cm_exploring all;
    struct cm_progress_file found;
    struct ff_error error = {""};
    begin(run, &all, shard);
    bool taken = cm_progress_parse("shard", file->bytes, file->size, &found, &error) == 0 &&
                 cm_progress_load(&found, &all.ledger, &error) == 0;
    require(taken || error.text[0] != '\0');
    if (taken) {
        size_t size, again_size;
        unsigned char *bytes = cm_progress_encode(&found, &all.ledger, NULL, &size);
        struct file again = {.bytes = bytes, .size = size};
        struct cm_progress_file other;
        struct cm_exploring more;
        begin(run, &more, shard);
        require(cm_progress_parse("again", again.bytes, again.size, &other, &error) == 0);
        require(cm_progress_load(&other, &more.ledger, &error) == 0);
        unsigned char *second = cm_progress_encode(&other, &more.ledger, NULL, &again_size);
        require(again_size == size && memcmp(second, bytes, size) == 0);
        require(mpz_cmp(more.ledger.covered, all.ledger.covered) == 0);
        require(more.ledger.jobs.count == all.ledger.jobs.count);
        free(second);
        free(bytes);
        cm_progress_close(&other);
        cm_exploring_end(&more);
    }
    cm_progress_close(&found);
    cm_exploring_end(&all);
    return taken;
}

/* What a shard has found after so many runs, as a file. */
static struct file write_shard(const struct run *run, struct cm_shard shard, unsigned limit)
{
    struct cm_exploring all;
    struct file file = {0};
    begin(run, &all, shard);
    cm_exploring_set_traits(&all);
    examine_begin(&all);
    file.complete = examine_jobs(&all, run->seed, limit);
    all.progress.ending = file.complete ? CM_COMPLETE : CM_BUDGET_USED_UP;
    file.bytes = cm_progress_encode(&all.progress, &all.ledger, NULL, &file.size);
    cm_exploring_end(&all);
    require(is_taken(run, &file, shard));
    return file;
}

/* Goes on from the file of a shard, which may have been stopped. */
static void resume(const struct run *run, struct file *file, struct cm_shard shard)
{
    struct cm_exploring all;
    struct cm_progress_file found;
    struct ff_error error;
    begin(run, &all, shard);
    cm_exploring_set_traits(&all);
    require(cm_progress_parse("shard", file->bytes, file->size, &found, &error) == 0);
    require(cm_traits_compare(&all.progress.traits, &found.traits, false, "shard", &error) == 0);
    require(cm_progress_load(&found, &all.ledger, &error) == 0);
    require(examine_jobs(&all, run->seed, UINT32_MAX));
    all.progress.ending = CM_COMPLETE;
    free(file->bytes);
    file->bytes = cm_progress_encode(&all.progress, &all.ledger, NULL, &file->size);
    file->complete = true;
    cm_progress_close(&found);
    cm_exploring_end(&all);
}

static void befall(struct run *run, struct choices *choices, uint32_t index)
{
    struct file *file = &run->files[index];
    struct cm_shard shard = {index, run->shards};
    switch (choose(choices, 6)) {
    case 1:
        file->missing = true;
        break;
    case 2: { /* one byte is another one */
        size_t at = (choose_byte(choices) << 8 | choose_byte(choices)) % file->size;
        file->bytes[at] ^= (unsigned char)(1 + choose(choices, 255));
        file->damaged = true;
        break;
    }
    case 3: /* it is cut short */
        file->size = (choose_byte(choices) << 8 | choose_byte(choices)) % file->size;
        file->damaged = true;
        break;
    case 4: { /* it is of a run with another seed */
        run->options.seed++;
        free(file->bytes);
        *file = write_shard(run, shard, UINT32_MAX);
        file->foreign = run->shards > 1;
        run->options.seed--;
        break;
    }
    case 5:
        resume(run, file, shard);
        break;
    default:
        break;
    }
}

/* ---- Merging ---- */

static bool all_is_there(const struct run *run)
{
    for (uint32_t i = 0; i < run->shards; i++)
        if (run->files[i].missing || !run->files[i].complete)
            return false;
    return true;
}

static bool any_is_wrong(const struct run *run)
{
    size_t foreign = 0, present = 0;
    for (uint32_t i = 0; i < run->shards; i++) {
        if (run->files[i].missing)
            continue;
        if (run->files[i].damaged)
            return true;
        present++;
        foreign += run->files[i].foreign;
    }
    return foreign > 0 && foreign < present;
}

static struct cm_exploration *merge(struct run *run, struct ff_error *error)
{
    struct cm_merging merging;
    int status = cm_merging_begin(&merging, &run->invention.trace, &run->invention.model,
                                  &run->options, error);
    require(status == 0);
    for (uint32_t i = 0; i < run->shards && status == 0; i++) {
        const struct file *file = &run->files[i];
        struct cm_progress_file found;
        if (file->missing) {
            cm_merging_miss(&merging);
            continue;
        }
        status = cm_progress_parse("shard", file->bytes, file->size, &found, error);
        if (status == 0)
            status = cm_merging_take(&merging, &found, error);
        cm_progress_close(&found);
    }
    struct cm_exploration *result = status == 0 ? cm_merging_conclude(&merging, error) : NULL;
    cm_merging_end(&merging);
    return result;
}

static void same_findings(const struct cm_exploration *one, const struct cm_exploration *other)
{
    require(strcmp(one->legal, other->legal) == 0 && strcmp(one->covered, other->covered) == 0);
    require(one->distinct == other->distinct && one->violation_count == other->violation_count);
    for (size_t i = 0; i < one->violation_count; i++) {
        require(strcmp(one->violations[i].id, other->violations[i].id) == 0);
        require(strcmp(one->violations[i].reason, other->violations[i].reason) == 0);
        require(one->violations[i].states == other->violations[i].states);
    }
    require(one->cell_count == other->cell_count);
    for (size_t b = 0; b < one->cell_count; b++) {
        require(one->cells[b].label_count == other->cells[b].label_count);
        require(one->cells[b].violations == other->cells[b].violations);
    }
}

/* One run of all, with nothing written. */
static struct cm_exploration *explore(const struct run *run)
{
    struct cm_exploring all;
    struct ff_error error;
    begin(run, &all, (struct cm_shard){0, 1});
    examine_begin(&all);
    require(examine_jobs(&all, run->seed, UINT32_MAX));
    struct cm_exploration *result = cm_exploring_conclude(&all, &error);
    require(result != NULL);
    cm_exploring_end(&all);
    return result;
}

static void merge_shards(struct run *run)
{
    struct ff_error error = {""};
    struct cm_exploration *merged = merge(run, &error);
    if (any_is_wrong(run)) {
        require(merged == NULL && error.text[0] != '\0');
        return;
    }
    require(merged != NULL);
    require(merged->complete == all_is_there(run) && merged->exhaustive == merged->complete);
    if (merged->complete) {
        struct cm_exploration *expected = explore(run);
        same_findings(merged, expected);
        cm_exploration_free(expected);
    }
    cm_exploration_free(merged);
}

/* Bytes of the input in the place of a file's end. */
static void read_forged(const struct run *run, const struct choices *choices)
{
    const struct file *first = &run->files[0];
    size_t more = (size_t)(choices->end - choices->next);
    size_t kept = more < first->size ? first->size - more : 0;
    struct file forged = {.bytes = malloc(kept + more), .size = kept + more};
    require(forged.bytes != NULL);
    memcpy(forged.bytes, first->bytes, kept);
    memcpy(forged.bytes + kept, choices->next, more);
    bool same = forged.size == first->size && memcmp(forged.bytes, first->bytes, kept + more) == 0;
    require(same || !is_taken(run, &forged, (struct cm_shard){0, run->shards}));
    seal_checksum(forged.bytes, forged.size);
    is_taken(run, &forged, (struct cm_shard){0, run->shards});
    free(forged.bytes);
}

static bool has_few_states(const struct run *run)
{
    struct cm_exploring all;
    begin(run, &all, (struct cm_shard){0, 1});
    bool few = all.poset->operation_count <= EXAMINED_OPERATIONS && all.legal != NULL &&
               strlen(all.legal) < 9 && strtoul(all.legal, NULL, 10) <= STATES;
    cm_exploring_end(&all);
    return few;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct choices choices = {data, data + size};
    run = (struct run){.shards = 1 + choose(&choices, SHARDS), .seed = choose_byte(&choices)};
    unsigned length = choose(&choices, 64);
    struct choices trace = {choices.next, choices.next};
    while (length-- > 0 && choices_left(&choices))
        trace.end = ++choices.next;
    invent_model(&run.invention, &trace);
    invent_trace(&run.invention, &trace);
    if (!has_few_states(&run))
        return 0;
    for (uint32_t i = 0; i < run.shards; i++)
        run.files[i] = write_shard(&run, (struct cm_shard){i, run.shards},
                                   choose(&choices, 4) == 0 ? choose(&choices, 8) : UINT32_MAX);
    if (choose(&choices, 2) != 0)
        read_forged(&run, &choices);
    else
        for (uint32_t i = 0; i < run.shards; i++)
            befall(&run, &choices, i);
    merge_shards(&run);
    for (uint32_t i = 0; i < run.shards; i++)
        free(run.files[i].bytes);
    return 0;
}

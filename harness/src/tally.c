#include "tally.h"

#include <stdlib.h>

#include "memory.h"

/* Distinct files. */
struct files {
    struct ff_hash hash;
    struct cm_interval *intervals; /* disjoint, not adjacent, sorted */
    size_t interval_count;
    size_t interval_capacity;
    uint32_t *cases;
    size_t case_count;
    size_t case_capacity;
};

struct entry {
    struct cm_case best; /* of the ideals with these files and this output */
    uint32_t outcome;
};

struct cm_tally {
    const struct cm_poset *poset;
    struct cm_summary *summary; /* of nothing: knows the poset */
    struct files *files;
    size_t files_count;
    size_t files_capacity;
    uint32_t *table; /* hash table of indices into files, plus 1 */
    size_t table_size;
    struct entry *cases;
    size_t case_count;
    size_t case_capacity;
};

struct cm_tally *cm_tally_new(const struct cm_poset *poset)
{
    struct cm_tally *tally = cm_allocate(1, sizeof(*tally));
    tally->poset = poset;
    tally->summary = cm_summary_new(poset, NULL, 0);
    return tally;
}

void cm_tally_free(struct cm_tally *tally)
{
    if (tally == NULL)
        return;
    for (size_t i = 0; i < tally->files_count; i++) {
        free(tally->files[i].intervals);
        free(tally->files[i].cases);
    }
    for (size_t i = 0; i < tally->case_count; i++)
        free(tally->cases[i].best.ideal);
    cm_summary_free(tally->summary);
    free(tally->files);
    free(tally->table);
    free(tally->cases);
    free(tally);
}

/* ---- Files ---- */

static uint32_t *find_slot(const struct cm_tally *tally, struct ff_hash hash)
{
    for (size_t slot = (size_t)hash.low;; slot++) {
        uint32_t *at = &tally->table[slot % tally->table_size];
        if (*at == 0)
            return at;
        const struct ff_hash *other = &tally->files[*at - 1].hash;
        if (other->low == hash.low && other->high == hash.high)
            return at;
    }
}

static struct files *find_files(struct cm_tally *tally, struct ff_hash hash)
{
    if (tally->files_count * 2 >= tally->table_size) {
        tally->table_size = tally->table_size == 0 ? 256 : tally->table_size * 2;
        free(tally->table);
        tally->table = cm_allocate(tally->table_size, sizeof(*tally->table));
        for (uint32_t i = 0; i < tally->files_count; i++)
            *find_slot(tally, tally->files[i].hash) = i + 1;
    }
    uint32_t *slot = find_slot(tally, hash);
    if (*slot == 0) {
        tally->files = cm_reserve(tally->files, tally->files_count, &tally->files_capacity,
                                  sizeof(*tally->files));
        tally->files[tally->files_count++] = (struct files){.hash = hash};
        *slot = (uint32_t)tally->files_count;
    }
    return &tally->files[*slot - 1];
}

/* Unites the interval with those that it overlaps or touches. */
static void add_interval(struct files *files, struct cm_interval added)
{
    struct cm_interval *list = files->intervals;
    size_t from = 0;
    while (from < files->interval_count && list[from].end < added.first)
        from++;
    size_t to = from;
    for (; to < files->interval_count && list[to].first <= added.end; to++) {
        added.first = list[to].first < added.first ? list[to].first : added.first;
        added.end = list[to].end > added.end ? list[to].end : added.end;
    }
    if (to == from) {
        list = cm_reserve(list, files->interval_count, &files->interval_capacity, sizeof(*list));
        files->intervals = list;
    }
    memmove(&list[from + 1], &list[to], (files->interval_count - to) * sizeof(*list));
    list[from] = added;
    files->interval_count += from + 1 - to;
}

/* ---- Cases ---- */

static size_t find_case(struct cm_tally *tally, struct files *files, uint32_t output)
{
    for (size_t i = 0; i < files->case_count; i++)
        if (tally->cases[files->cases[i]].best.output == output)
            return files->cases[i];
    files->cases =
        cm_reserve(files->cases, files->case_count, &files->case_capacity, sizeof(*files->cases));
    files->cases[files->case_count++] = (uint32_t)tally->case_count;
    tally->cases =
        cm_reserve(tally->cases, tally->case_count, &tally->case_capacity, sizeof(*tally->cases));
    tally->cases[tally->case_count] =
        (struct entry){.best = {.output = output}, .outcome = CM_UNDECIDED};
    return tally->case_count++;
}

static void improve_case(struct cm_tally *tally, struct cm_case *best, struct cm_cylinder cylinder)
{
    struct cm_case found;
    if (!cm_summary_case(tally->summary, cylinder, best->output, &found) ||
        (best->ideal != NULL && found.lost > best->lost))
        return;
    cm_summary_ideal(tally->summary, cylinder, &found);
    if (best->ideal != NULL && !cm_case_is_better(tally->poset, &found, best)) {
        free(found.ideal);
        return;
    }
    free(best->ideal);
    *best = found;
}

size_t cm_tally_add(struct cm_tally *tally, struct cm_cylinder cylinder, struct ff_hash hash,
                    uint32_t first_output, uint32_t last_output)
{
    const struct cm_poset *poset = tally->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder);
    struct files *files = find_files(tally, hash);
    add_interval(files, legal);
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > first_output ? first : first_output;
    last = last < last_output ? last : last_output;
    size_t index = SIZE_MAX;
    for (uint32_t k = first; k <= last; k++) {
        index = find_case(tally, files, k);
        improve_case(tally, &tally->cases[index].best, cylinder);
    }
    return index;
}

size_t cm_tally_count(const struct cm_tally *tally)
{
    return tally->case_count;
}

/* ---- Outcomes ---- */

void cm_tally_decide(struct cm_tally *tally, size_t index, uint32_t outcome)
{
    tally->cases[index].outcome = outcome;
}

uint32_t cm_tally_outcome(const struct cm_tally *tally, size_t index)
{
    return tally->cases[index].outcome;
}

/* ---- Reporting ---- */

/* Adds one distinct state to the boundaries where files are legal with k outputs. */
static void count_boundaries(const struct cm_tally *tally, const struct files *files, uint32_t k,
                             struct cm_summary *summary, size_t outcome)
{
    for (size_t i = 0; i < files->interval_count; i++) {
        uint32_t first = files->intervals[i].first, end = files->intervals[i].end;
        first = first > tally->poset->output_starts[k] ? first : tally->poset->output_starts[k];
        end = end < tally->poset->output_starts[k + 1] ? end : tally->poset->output_starts[k + 1];
        if (first < end)
            cm_summary_count(summary, outcome, first, end);
    }
}

void cm_tally_report(const struct cm_tally *tally, const struct cm_outcome *outcomes, size_t count,
                     struct cm_exploration *exploration)
{
    struct cm_summary *summary = cm_summary_new(tally->poset, outcomes, count);
    exploration->distinct = 0;
    for (size_t i = 0; i < tally->files_count; i++) {
        const struct files *files = &tally->files[i];
        bool decided = false;
        for (size_t j = 0; j < files->case_count; j++) {
            const struct entry *entry = &tally->cases[files->cases[j]];
            if (entry->outcome == CM_UNDECIDED)
                continue;
            count_boundaries(tally, files, entry->best.output, summary, entry->outcome);
            cm_summary_add(summary, entry->outcome, &entry->best);
            decided = true;
        }
        exploration->distinct += decided;
    }
    cm_summary_report(summary, exploration);
    cm_summary_free(summary);
}

#include "tally.h"

#include <stdlib.h>

#include "identity.h"
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

/* An outcome that at least one case had. */
struct verdict {
    struct cm_outcome outcome;
    uint64_t cases;
    size_t best; /* the case that represents it */
};

enum { UNDECIDED = -1 };

struct cm_tally {
    const struct cm_poset *poset;
    uint32_t *issued; /* [b]: operations issued by boundary b */
    struct files *files;
    size_t files_count;
    size_t files_capacity;
    uint32_t *table; /* hash table of indices into files, plus 1 */
    size_t table_size;
    struct cm_case *cases;
    int *verdict_of; /* by case */
    size_t case_count;
    size_t case_capacity;
    size_t verdict_of_capacity;
    struct verdict *verdicts;
    size_t verdict_count;
    size_t verdict_capacity;
};

struct cm_tally *cm_tally_new(const struct cm_poset *poset)
{
    struct cm_tally *tally = cm_allocate(1, sizeof(*tally));
    uint32_t calls = (uint32_t)poset->trace->call_count;
    tally->poset = poset;
    tally->issued = cm_allocate(calls + 1, sizeof(*tally->issued));
    uint32_t issued = 0;
    for (uint32_t b = 0; b <= calls; b++) {
        while (issued < poset->operation_count && poset->operations[issued].shown.boundary <= b)
            issued++;
        tally->issued[b] = issued;
    }
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
        free(tally->cases[i].ideal);
    free(tally->issued);
    free(tally->files);
    free(tally->table);
    free(tally->cases);
    free(tally->verdict_of);
    free(tally->verdicts);
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

static struct cm_case *find_case(struct cm_tally *tally, struct files *files, uint32_t output)
{
    for (size_t i = 0; i < files->case_count; i++)
        if (tally->cases[files->cases[i]].output == output)
            return &tally->cases[files->cases[i]];
    files->cases =
        cm_reserve(files->cases, files->case_count, &files->case_capacity, sizeof(*files->cases));
    files->cases[files->case_count++] = (uint32_t)tally->case_count;
    tally->cases =
        cm_reserve(tally->cases, tally->case_count, &tally->case_capacity, sizeof(*tally->cases));
    tally->verdict_of = cm_reserve(tally->verdict_of, tally->case_count,
                                   &tally->verdict_of_capacity, sizeof(*tally->verdict_of));
    tally->verdict_of[tally->case_count] = UNDECIDED;
    struct cm_case *made = &tally->cases[tally->case_count++];
    *made = (struct cm_case){.output = output, .lost = SIZE_MAX};
    return made;
}

/* How many of the first count operations the set holds. */
static size_t count_first(const cm_word *set, size_t count)
{
    size_t total = cm_count_bits(set, count / 64);
    if (count % 64 != 0)
        total += (size_t)__builtin_popcountll(set[count / 64] & (((cm_word)1 << count % 64) - 1));
    return total;
}

/* Takes the cylinder's largest ideal at the boundary as the representative if
 * that loses less, or as little but earlier. */
static void improve_case(struct cm_tally *tally, struct cm_case *best, struct cm_cylinder cylinder,
                         uint32_t boundary, uint32_t last)
{
    const struct cm_poset *poset = tally->poset;
    size_t issued = tally->issued[boundary];
    size_t lost = count_first(cylinder.excluded, issued);
    if (lost > best->lost || (lost == best->lost && boundary >= best->boundary))
        return;
    if (best->ideal == NULL)
        best->ideal = cm_allocate(poset->words, sizeof(cm_word));
    memset(best->ideal, 0, poset->words * sizeof(cm_word));
    for (size_t o = 0; o < issued; o++)
        if (!cm_has(cylinder.excluded, o))
            cm_add(best->ideal, o);
    best->lost = lost;
    best->boundary = boundary;
    best->last_boundary = last;
}

void cm_tally_add(struct cm_tally *tally, struct cm_cylinder cylinder, struct ff_hash hash,
                  uint32_t first_output, uint32_t last_output)
{
    const struct cm_poset *poset = tally->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder);
    struct files *files = find_files(tally, hash);
    add_interval(files, legal);
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > first_output ? first : first_output;
    last = last < last_output ? last : last_output;
    for (uint32_t k = first; k <= last; k++) {
        uint32_t start = tally->poset->output_starts[k], end = tally->poset->output_starts[k + 1];
        uint32_t boundary = start > legal.first ? start : legal.first;
        uint32_t until = (end < legal.end ? end : legal.end) - 1;
        improve_case(tally, find_case(tally, files, k), cylinder, boundary, until);
    }
}

size_t cm_tally_count(const struct cm_tally *tally)
{
    return tally->case_count;
}

const struct cm_case *cm_tally_case(const struct cm_tally *tally, size_t index)
{
    return &tally->cases[index];
}

/* ---- Outcomes ---- */

void cm_tally_decide(struct cm_tally *tally, size_t index, const struct cm_outcome *outcome)
{
    size_t found = 0;
    while (found < tally->verdict_count &&
           (tally->verdicts[found].outcome.status != outcome->status ||
            strcmp(tally->verdicts[found].outcome.text, outcome->text) != 0))
        found++;
    if (found == tally->verdict_count) {
        tally->verdicts =
            cm_reserve(tally->verdicts, found, &tally->verdict_capacity, sizeof(*tally->verdicts));
        tally->verdicts[tally->verdict_count++] = (struct verdict){.outcome = *outcome};
    }
    tally->verdict_of[index] = (int)found;
}

/* Counts the cases of each verdict and finds the one that lost the least; the
 * result must not depend on the order in which cases were decided. */
static void summarise(const struct cm_tally *tally, struct verdict *verdicts)
{
    for (size_t i = 0; i < tally->case_count; i++) {
        if (tally->verdict_of[i] == UNDECIDED)
            continue;
        struct verdict *verdict = &verdicts[tally->verdict_of[i]];
        if (verdict->cases++ == 0 || tally->cases[i].lost < tally->cases[verdict->best].lost)
            verdict->best = i;
    }
}

static struct cm_violation describe(const struct cm_poset *poset, const struct verdict *verdict,
                                    const struct cm_case *best)
{
    struct cm_violation violation = {
        .id = cm_identity_format(poset, best->ideal, best->boundary),
        .reason = cm_duplicate(verdict->outcome.text, strlen(verdict->outcome.text)),
        .status = verdict->outcome.status,
        .states = verdict->cases,
        .first_boundary = best->boundary,
        .last_boundary = best->last_boundary,
    };
    violation.lost = cm_allocate(poset->operation_count, sizeof(*violation.lost));
    violation.kept = cm_allocate(poset->operation_count, sizeof(*violation.kept));
    for (uint32_t o = 0; o < poset->operation_count; o++) {
        const struct cm_operation *operation = &poset->operations[o].shown;
        if (operation->boundary > best->boundary)
            break;
        if (!cm_has(best->ideal, o))
            violation.lost[violation.lost_count++] = o;
        else if (operation->durable > best->boundary)
            violation.kept[violation.kept_count++] = o;
    }
    return violation;
}

static int compare_verdicts(const void *a, const void *b)
{
    const struct verdict *left = a, *right = b;
    return left->best < right->best ? -1 : left->best > right->best;
}

static int compare_labels(const void *a, const void *b)
{
    const struct cm_label *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* Adds one distinct state to the boundaries where files are legal with k outputs. */
static void count_boundaries(const struct cm_tally *tally, const struct files *files, uint32_t k,
                             uint64_t *count)
{
    for (size_t i = 0; i < files->interval_count; i++) {
        uint32_t first = files->intervals[i].first, end = files->intervals[i].end;
        first = first > tally->poset->output_starts[k] ? first : tally->poset->output_starts[k];
        end = end < tally->poset->output_starts[k + 1] ? end : tally->poset->output_starts[k + 1];
        for (uint32_t b = first; b < end; b++)
            count[b]++;
    }
}

static void add_label(struct cm_cell *cell, const char *name, uint64_t states)
{
    size_t found = 0;
    while (found < cell->label_count && strcmp(cell->labels[found].name, name) != 0)
        found++;
    if (found == cell->label_count) {
        size_t capacity = cell->label_count;
        cell->labels = cm_reserve(cell->labels, found, &capacity, sizeof(*cell->labels));
        cell->labels[cell->label_count++] = (struct cm_label){.states = 0};
        memcpy(cell->labels[found].name, name, strlen(name) + 1);
    }
    cell->labels[found].states += states;
}

static void fill_cells(const struct cm_tally *tally, struct cm_exploration *exploration)
{
    size_t boundaries = tally->poset->trace->call_count + 1;
    exploration->cell_count = boundaries;
    exploration->cells = cm_allocate(boundaries, sizeof(*exploration->cells));
    uint64_t *counts = cm_allocate(tally->verdict_count * boundaries, sizeof(*counts));
    for (size_t i = 0; i < tally->files_count; i++) {
        const struct files *files = &tally->files[i];
        for (size_t j = 0; j < files->case_count; j++) {
            int verdict = tally->verdict_of[files->cases[j]];
            if (verdict != UNDECIDED)
                count_boundaries(tally, files, tally->cases[files->cases[j]].output,
                                 counts + (size_t)verdict * boundaries);
        }
    }
    for (size_t v = 0; v < tally->verdict_count; v++) {
        for (size_t b = 0; b < boundaries; b++) {
            uint64_t states = counts[v * boundaries + b];
            if (tally->verdicts[v].outcome.status != CM_ACCEPTED)
                exploration->cells[b].violations += states;
            else if (states > 0)
                add_label(&exploration->cells[b], tally->verdicts[v].outcome.text, states);
        }
    }
    for (size_t b = 0; b < boundaries; b++)
        if (exploration->cells[b].label_count > 1)
            qsort(exploration->cells[b].labels, exploration->cells[b].label_count,
                  sizeof(struct cm_label), compare_labels);
    free(counts);
}

void cm_tally_report(const struct cm_tally *tally, struct cm_exploration *exploration)
{
    struct verdict *verdicts = cm_allocate(tally->verdict_count, sizeof(*verdicts));
    for (size_t i = 0; i < tally->verdict_count; i++)
        verdicts[i].outcome = tally->verdicts[i].outcome;
    summarise(tally, verdicts);
    qsort(verdicts, tally->verdict_count, sizeof(*verdicts), compare_verdicts);
    exploration->violations = cm_allocate(tally->verdict_count, sizeof(*exploration->violations));
    for (size_t i = 0; i < tally->verdict_count; i++)
        if (verdicts[i].outcome.status != CM_ACCEPTED)
            exploration->violations[exploration->violation_count++] =
                describe(tally->poset, &verdicts[i], &tally->cases[verdicts[i].best]);
    free(verdicts);
    exploration->distinct = tally->files_count;
    fill_cells(tally, exploration);
}

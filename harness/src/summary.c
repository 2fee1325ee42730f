#include "summary.h"

#include <stdlib.h>

#include "identity.h"
#include "memory.h"
#include "state.h"

/* An outcome that at least one state had. */
struct verdict {
    struct cm_outcome outcome;
    uint64_t states;
    struct cm_case best; /* if it is a rejection */
    int64_t *changes;    /* [b]: by how much more states there are at b than at b - 1 */
};

struct cm_summary {
    const struct cm_poset *poset;
    uint32_t *issued; /* [b]: operations issued by boundary b */
    struct verdict *verdicts;
    size_t verdict_count;
};

struct cm_summary *cm_summary_new(const struct cm_poset *poset, const struct cm_outcome *outcomes,
                                  size_t count)
{
    struct cm_summary *summary = cm_allocate(1, sizeof(*summary));
    uint32_t calls = (uint32_t)poset->trace->call_count;
    summary->poset = poset;
    summary->issued = cm_allocate(calls + 1, sizeof(*summary->issued));
    uint32_t issued = 0;
    for (uint32_t b = 0; b <= calls; b++) {
        while (issued < poset->operation_count && poset->operations[issued].shown.boundary <= b)
            issued++;
        summary->issued[b] = issued;
    }
    summary->verdicts = cm_allocate(count, sizeof(*summary->verdicts));
    summary->verdict_count = count;
    for (size_t i = 0; i < count; i++) {
        summary->verdicts[i].outcome = outcomes[i];
        summary->verdicts[i].changes = cm_allocate(calls + 2, sizeof(int64_t));
    }
    return summary;
}

void cm_summary_free(struct cm_summary *summary)
{
    if (summary == NULL)
        return;
    for (size_t i = 0; i < summary->verdict_count; i++) {
        free(summary->verdicts[i].best.ideal);
        free(summary->verdicts[i].changes);
    }
    free(summary->issued);
    free(summary->verdicts);
    free(summary);
}

/* ---- Cases ---- */

bool cm_case_is_better(const struct cm_poset *poset, const struct cm_case *a,
                       const struct cm_case *b)
{
    if (a->lost != b->lost)
        return a->lost < b->lost;
    if (a->boundary != b->boundary)
        return a->boundary < b->boundary;
    for (size_t i = 0; i < poset->words; i++)
        if (a->ideal[i] != b->ideal[i])
            return a->ideal[i] < b->ideal[i];
    return a->output < b->output;
}

/* How many of the first count operations the set holds. */
static size_t count_first(const cm_word *set, size_t count)
{
    size_t total = cm_count_bits(set, count / 64);
    if (count % 64 != 0)
        total += (size_t)__builtin_popcountll(set[count / 64] & (((cm_word)1 << count % 64) - 1));
    return total;
}

bool cm_summary_case(const struct cm_summary *summary, struct cm_cylinder cylinder, uint32_t output,
                     struct cm_case *found)
{
    const struct cm_poset *poset = summary->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder);
    uint32_t start = poset->output_starts[output], end = poset->output_starts[output + 1];
    uint32_t first = start > legal.first ? start : legal.first;
    uint32_t until = end < legal.end ? end : legal.end;
    *found = (struct cm_case){
        .output = output,
        .boundary = first,
        .last_boundary = until - 1,
        .lost = first < until ? count_first(cylinder.excluded, summary->issued[first]) : 0,
    };
    return first < until;
}

void cm_summary_ideal(const struct cm_summary *summary, struct cm_cylinder cylinder,
                      struct cm_case *found)
{
    const struct cm_poset *poset = summary->poset;
    found->ideal = cm_allocate(poset->words, sizeof(cm_word));
    for (size_t o = 0; o < summary->issued[found->boundary]; o++)
        if (!cm_has(cylinder.excluded, o))
            cm_add(found->ideal, o);
}

/* ---- Adding ---- */

void cm_summary_count(struct cm_summary *summary, size_t outcome, uint32_t first, uint32_t end)
{
    summary->verdicts[outcome].changes[first]++;
    summary->verdicts[outcome].changes[end]--;
}

void cm_summary_add(struct cm_summary *summary, size_t outcome, const struct cm_case *added)
{
    struct verdict *verdict = &summary->verdicts[outcome];
    verdict->states++;
    if (verdict->outcome.status == CM_ACCEPTED || added->ideal == NULL ||
        (verdict->best.ideal != NULL && !cm_case_is_better(summary->poset, added, &verdict->best)))
        return;
    cm_word *ideal = verdict->best.ideal;
    verdict->best = *added;
    verdict->best.ideal =
        ideal != NULL ? ideal : cm_allocate(summary->poset->words, sizeof(*ideal));
    cm_copy(verdict->best.ideal, added->ideal, summary->poset->words);
}

void cm_summary_add_leaf(struct cm_summary *summary, size_t outcome, struct cm_cylinder cylinder,
                         uint32_t first_output, uint32_t last_output)
{
    const struct cm_poset *poset = summary->poset;
    const struct verdict *verdict = &summary->verdicts[outcome];
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder);
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > first_output ? first : first_output;
    last = last < last_output ? last : last_output;
    for (uint32_t k = first; k <= last; k++) {
        struct cm_case found;
        if (!cm_summary_case(summary, cylinder, k, &found))
            continue;
        cm_summary_count(summary, outcome, found.boundary, found.last_boundary + 1);
        bool matters = verdict->outcome.status != CM_ACCEPTED &&
                       (verdict->best.ideal == NULL || found.lost <= verdict->best.lost);
        if (matters)
            cm_summary_ideal(summary, cylinder, &found);
        cm_summary_add(summary, outcome, &found);
        free(found.ideal);
    }
}

/* ---- Reporting ---- */

void cm_list_losses(const struct cm_poset *poset, const cm_word *ideal, uint32_t boundary,
                    uint32_t **lost, size_t *lost_count, uint32_t **kept, size_t *kept_count)
{
    *lost = cm_allocate(poset->operation_count, sizeof(**lost));
    *kept = cm_allocate(poset->operation_count, sizeof(**kept));
    *lost_count = *kept_count = 0;
    for (uint32_t o = 0; o < poset->operation_count; o++) {
        const struct cm_operation *operation = &poset->operations[o].shown;
        if (operation->boundary > boundary)
            break;
        if (!cm_has(ideal, o))
            (*lost)[(*lost_count)++] = o;
        else if (operation->durable > boundary)
            (*kept)[(*kept_count)++] = o;
    }
}

static struct cm_violation describe(const struct cm_poset *poset, const struct verdict *verdict)
{
    const struct cm_case *best = &verdict->best;
    struct cm_violation violation = {
        .id = cm_identity_format(poset, best->ideal, best->boundary),
        .reason = cm_duplicate(verdict->outcome.text, strlen(verdict->outcome.text)),
        .status = verdict->outcome.status,
        .states = verdict->states,
        .first_boundary = best->boundary,
        .last_boundary = best->last_boundary,
        .unreadable = cm_state_unreadable(poset, best->ideal),
    };
    cm_list_losses(poset, best->ideal, best->boundary, &violation.lost, &violation.lost_count,
                   &violation.kept, &violation.kept_count);
    return violation;
}

struct sorting {
    const struct cm_poset *poset;
    const struct verdict *verdict;
};

static int compare_rejections(const void *a, const void *b)
{
    const struct sorting *left = a, *right = b;
    if (cm_case_is_better(left->poset, &left->verdict->best, &right->verdict->best))
        return -1;
    if (cm_case_is_better(left->poset, &right->verdict->best, &left->verdict->best))
        return 1;
    return strcmp(left->verdict->outcome.text, right->verdict->outcome.text);
}

static void report_violations(const struct cm_summary *summary, struct cm_exploration *exploration)
{
    struct sorting *sorted = cm_allocate(summary->verdict_count, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; i < summary->verdict_count; i++)
        if (summary->verdicts[i].outcome.status != CM_ACCEPTED && summary->verdicts[i].states > 0)
            sorted[count++] = (struct sorting){summary->poset, &summary->verdicts[i]};
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), compare_rejections);
    exploration->violations = cm_allocate(count, sizeof(*exploration->violations));
    exploration->violation_count = count;
    for (size_t i = 0; i < count; i++)
        exploration->violations[i] = describe(summary->poset, sorted[i].verdict);
    free(sorted);
}

static void add_label(struct cm_cell *cell, size_t *capacity, const char *name, uint64_t states)
{
    cell->labels = cm_reserve(cell->labels, cell->label_count, capacity, sizeof(*cell->labels));
    struct cm_label *label = &cell->labels[cell->label_count++];
    *label = (struct cm_label){.states = states};
    memcpy(label->name, name, strlen(name) + 1);
}

static int compare_labels(const void *a, const void *b)
{
    const struct cm_label *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static void report_cells(const struct cm_summary *summary, struct cm_exploration *exploration)
{
    size_t boundaries = summary->poset->trace->call_count + 1;
    size_t *capacities = cm_allocate(boundaries, sizeof(*capacities));
    exploration->cell_count = boundaries;
    exploration->cells = cm_allocate(boundaries, sizeof(*exploration->cells));
    for (size_t v = 0; v < summary->verdict_count; v++) {
        const struct verdict *verdict = &summary->verdicts[v];
        int64_t states = 0;
        for (size_t b = 0; b < boundaries; b++) {
            states += verdict->changes[b];
            if (verdict->outcome.status != CM_ACCEPTED)
                exploration->cells[b].violations += (uint64_t)states;
            else if (states > 0)
                add_label(&exploration->cells[b], &capacities[b], verdict->outcome.text,
                          (uint64_t)states);
        }
    }
    for (size_t b = 0; b < boundaries; b++)
        if (exploration->cells[b].label_count > 1)
            qsort(exploration->cells[b].labels, exploration->cells[b].label_count,
                  sizeof(struct cm_label), compare_labels);
    free(capacities);
}

void cm_summary_report(const struct cm_summary *summary, struct cm_exploration *exploration)
{
    report_violations(summary, exploration);
    report_cells(summary, exploration);
}

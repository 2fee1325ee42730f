#include "lineage.h"

#include <stdio.h>
#include <stdlib.h>

#include "identity.h"
#include "memory.h"

/* ---- Sources ---- */

uint32_t cm_sources_add(struct cm_sources *sources, uint32_t before, const struct cm_poset *poset,
                        const struct cm_leaf *leaf)
{
    sources->items =
        cm_reserve(sources->items, sources->count, &sources->capacity, sizeof(*sources->items));
    struct cm_source *source = &sources->items[sources->count];
    bool one = leaf->first_output == leaf->last_output;
    source->before = before;
    source->output = one ? leaf->last_output : CM_ANY_OUTPUT;
    source->sets = cm_allocate(2 * poset->words, sizeof(cm_word));
    cm_copy(source->sets, leaf->sets, 2 * poset->words);
    if (one)
        cm_restrict_to_output(poset, source->output, source->sets);
    return (uint32_t)sources->count++;
}

char *cm_sources_trace(const struct cm_sources *sources, uint32_t index)
{
    return cm_format("%s/%u.cmt", sources->folder, index);
}

void cm_sources_free(struct cm_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        free(sources->items[i].sets);
    free(sources->items);
}

/* ---- Opening ---- */

static int add_phase(struct cm_lineage *lineage, const struct cm_sources *sources, uint32_t index,
                     struct ff_error *error)
{
    char *path = cm_sources_trace(sources, index);
    struct ff_trace *trace = ff_trace_open(path, error);
    free(path);
    if (trace == NULL)
        return -1;
    struct cm_cylinder leaf = cm_cylinder_of(lineage->poset, sources->items[index].sets);
    struct cm_phase *phase = cm_phase_build(lineage->poset, leaf, trace, error);
    if (phase == NULL)
        return -1;
    lineage->phases[lineage->count++] = phase;
    lineage->poset = phase->poset;
    return 0;
}

int cm_lineage_open(struct cm_lineage *lineage, const struct cm_poset *workload,
                    const struct cm_sources *sources, uint32_t index, struct ff_error *error)
{
    uint32_t chain[CM_NESTED_LIMIT];
    size_t count = 0;
    *lineage = (struct cm_lineage){.workload = workload, .poset = workload};
    for (; index != CM_NO_SOURCE; index = sources->items[index].before)
        chain[count++] = index;
    while (count-- > 0) {
        if (add_phase(lineage, sources, chain[count], error) != 0) {
            cm_lineage_close(lineage);
            return -1;
        }
    }
    return 0;
}

/* The later phases borrow from the earlier ones. */
void cm_lineage_close(struct cm_lineage *lineage)
{
    while (lineage->count > 0)
        cm_phase_free(lineage->phases[--lineage->count]);
}

struct cm_job *cm_lineage_job(const struct cm_lineage *lineage, const struct cm_source *source)
{
    const struct cm_poset *poset = lineage->poset;
    size_t first = lineage->phases[lineage->count - 1]->first, words = cm_words(first);
    cm_word *sets = cm_allocate(2 * poset->words, sizeof(cm_word));
    cm_copy(sets, source->sets, words);
    cm_copy(sets + poset->words, source->sets + words, words);
    struct cm_job *job = cm_job_new(poset, cm_cylinder_of(poset, sets), source->output);
    free(sets);
    return job;
}

/* ---- For people ---- */

/* Of the order's operations, which begin at first in the sets, what is issued by the
 * boundary and not excluded. */
static void take_issued(struct cm_loss *loss, const cm_word *excluded, size_t first)
{
    const struct cm_poset *poset = loss->poset;
    loss->ideal = cm_allocate(poset->words, sizeof(*loss->ideal));
    for (size_t o = 0; o < poset->operation_count; o++) {
        if (poset->operations[o].shown.boundary > loss->boundary)
            continue;
        if (cm_has(excluded, first + o))
            loss->lost++;
        else
            cm_add(loss->ideal, o);
    }
}

struct cm_loss cm_lineage_workload_loss(const struct cm_lineage *lineage, const cm_word *sets,
                                        uint32_t output)
{
    const struct cm_poset *poset = lineage->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, cm_cylinder_of(poset, sets));
    uint32_t outputs = output != CM_ANY_OUTPUT ? output : poset->outputs[legal.first];
    uint32_t start = poset->output_starts[outputs], end = poset->output_starts[outputs + 1];
    struct cm_loss loss = {.poset = lineage->workload,
                           .boundary = start > legal.first ? start : legal.first,
                           .last = (end < legal.end ? end : legal.end) - 1};
    take_issued(&loss, sets + poset->words, 0);
    return loss;
}

struct cm_loss cm_lineage_recovery_loss(const struct cm_lineage *lineage, size_t phase,
                                        const cm_word *sets)
{
    const struct cm_poset *own = lineage->phases[phase]->own;
    size_t first = lineage->phases[phase]->first;
    struct cm_loss loss = {.poset = own};
    for (size_t o = 0; o < own->operation_count; o++)
        if (cm_has(sets, first + o) && own->operations[o].shown.boundary > loss.boundary)
            loss.boundary = own->operations[o].shown.boundary;
    loss.last = loss.boundary;
    take_issued(&loss, sets + lineage->poset->words, first);
    return loss;
}

char *cm_lineage_identity(const struct cm_lineage *lineage, const cm_word *sets, uint32_t output,
                          size_t *lost)
{
    struct cm_loss loss = cm_lineage_workload_loss(lineage, sets, output);
    char *first = cm_identity_format(lineage->workload, loss.ideal, loss.boundary);
    char *id = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&id, &size);
    fputs(first, stream);
    free(first);
    free(loss.ideal);
    *lost = loss.lost;
    for (size_t i = 0; i < lineage->count; i++) {
        loss = cm_lineage_recovery_loss(lineage, i, sets);
        cm_identity_print_recovery(stream, loss.poset, loss.ideal, loss.boundary);
        free(loss.ideal);
        *lost += loss.lost;
    }
    fclose(stream);
    return id;
}

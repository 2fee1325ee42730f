/*
 * The order: time, rules, transitive closure.
 */
#include "poset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "durability.h"
#include "fail.h"
#include "memory.h"

/* ---- Time ---- */

/* Stores that one scan found have the same begin, and stand in their order in the trace. */
static int compare_calls(const void *a, const void *b, void *trace)
{
    const struct ff_call *calls = ((const struct ff_trace *)trace)->calls;
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    uint64_t left = cm_effective_tick(&calls[first]), right = cm_effective_tick(&calls[second]);
    if (left == right)
        return first < second ? -1 : first > second;
    return left < right ? -1 : 1;
}

uint32_t *cm_calls_in_order(const struct ff_trace *trace)
{
    uint32_t *calls = cm_allocate(trace->call_count, sizeof(*calls));
    for (uint32_t i = 0; i < trace->call_count; i++)
        calls[i] = i;
    qsort_r(calls, trace->call_count, sizeof(*calls), compare_calls, (void *)(uintptr_t)trace);
    return calls;
}

static void order_calls(struct cm_poset *poset)
{
    const struct ff_trace *trace = poset->trace;
    poset->boundary_calls = cm_allocate(trace->call_count + 1, sizeof(*poset->boundary_calls));
    poset->outputs = cm_allocate(trace->call_count + 1, sizeof(*poset->outputs));
    poset->output_starts = cm_allocate(trace->call_count + 2, sizeof(*poset->output_starts));
    uint32_t *ordered = cm_calls_in_order(trace);
    memcpy(poset->boundary_calls + 1, ordered, trace->call_count * sizeof(*ordered));
    free(ordered);
    uint32_t calls = (uint32_t)trace->call_count;
    for (uint32_t b = 1; b <= calls; b++) {
        const struct ff_call *call = &trace->calls[poset->boundary_calls[b]];
        poset->outputs[b] = poset->outputs[b - 1] + (call->effect == FF_EFFECT_OUTPUT);
        if (call->effect == FF_EFFECT_OUTPUT)
            poset->output_starts[poset->outputs[b]] = b;
    }
    poset->output_starts[poset->outputs[calls] + 1] = calls + 1;
}

/* ---- Order ---- */

/* Whether both change the same file, or names in the same directory. */
static bool share_node(const struct cm_poset *poset, const struct cm_poset_operation *p,
                       const struct cm_poset_operation *q)
{
    for (uint32_t i = 0; i < p->value_count; i++)
        for (uint32_t j = 0; j < q->value_count; j++)
            if (cm_value_node(poset, p, i) == cm_value_node(poset, q, j))
                return true;
    return false;
}

/* Whether q, on names, makes one mean the file that p changes. */
static bool names_file(const struct cm_poset *poset, const struct cm_poset_operation *p,
                       const struct cm_poset_operation *q)
{
    for (uint32_t i = 0; i < q->value_count; i++)
        if (poset->values[q->first_value + i].to.node == cm_value_node(poset, p, 0))
            return true;
    return false;
}

static bool in_scope(const struct cm_poset *poset, enum cm_scope scope,
                     const struct cm_poset_operation *p, const struct cm_poset_operation *q)
{
    switch (scope) {
    case CM_SCOPE_CALL:
        return p->shown.call == q->shown.call;
    case CM_SCOPE_FILE:
        return !cm_is_name(p) && !cm_is_name(q) && share_node(poset, p, q);
    case CM_SCOPE_DIRECTORY:
        return cm_is_name(p) && cm_is_name(q) && share_node(poset, p, q);
    case CM_SCOPE_NAMED:
        return !cm_is_name(p) && cm_is_name(q) && names_file(poset, p, q);
    default:
        return true;
    }
}

/* Whether pieces of one call, of these classes, persist as a prefix. */
static bool are_prefix(const struct cm_model *model, enum cm_class p, enum cm_class q)
{
    if (model->apart && (p != q || p == CM_CLASS_OVERWRITE))
        return p == q && model->overwrite_tearing == CM_TEARING_PREFIX;
    return model->tearing == CM_TEARING_PREFIX;
}

static bool is_ordered(const struct cm_poset *poset, const struct cm_poset_operation *p,
                       const struct cm_poset_operation *q)
{
    if (p->lost)
        return false;
    if (p->shown.durable <= q->shown.boundary)
        return true;
    /* What is another file's follows no rule. */
    if (p->stale || p->reuse || q->stale || q->reuse)
        return false;
    unsigned before = 1u << p->class, after = 1u << q->class;
    for (size_t i = 0; i < poset->model->rule_count; i++) {
        const struct cm_order_rule *rule = &poset->model->rules[i];
        if ((rule->before & before) != 0 && (rule->after & after) != 0 &&
            in_scope(poset, rule->scope, p, q))
            return true;
    }
    return p->shown.call == q->shown.call && (before & CM_SET_DATA) != 0 &&
           (after & CM_SET_DATA) != 0 && are_prefix(poset->model, p->class, q->class);
}

static void precede(struct cm_poset *poset, size_t p, size_t q)
{
    cm_word *down = poset->down + q * poset->words;
    if (!cm_has(down, p) && !poset->operations[p].lost)
        cm_unite(down, cm_down(poset, p), poset->words);
}

/*
 * What q changes was changed before: that precedes q. A log operation needs nothing of it,
 * and what follows one that is durable needs nothing before that. Nor does a log operation
 * precede what was called while it was written.
 */
static void follow_values(struct cm_poset *poset, size_t q)
{
    const struct cm_poset_operation *operation = &poset->operations[q];
    for (uint32_t i = 0;
         i < operation->value_count && operation->class != CM_CLASS_LOG && !operation->reuse; i++) {
        uint32_t value = operation->first_value + i;
        const struct cm_location *location = &poset->locations[poset->values[value].location];
        size_t j = 0;
        while (location->values[j] != value)
            j++;
        while (j-- > 0) { /* the latest first: it mostly brings the others along */
            uint32_t p = poset->values[location->values[j]].operation;
            const struct cm_poset_operation *before = &poset->operations[p];
            if (before->reuse)
                continue; /* which what took the blocks away does not need */
            if (before->class != CM_CLASS_LOG)
                precede(poset, p, q);
            else if (before->shown.durable <= operation->shown.boundary)
                break;
        }
    }
}

/* Operations stand in the order of issue and every edge follows it. */
static void close_order(struct cm_poset *poset)
{
    size_t count = poset->operation_count;
    poset->words = cm_words(count);
    poset->down = cm_allocate(count * poset->words, sizeof(cm_word));
    poset->up = cm_allocate(count * poset->words, sizeof(cm_word));
    for (size_t q = 0; q < count; q++) {
        cm_word *down = poset->down + q * poset->words;
        cm_add(down, q);
        const struct cm_poset_operation *operation = &poset->operations[q];
        follow_values(poset, q);
        if (operation->after != CM_NO_OPERATION)
            precede(poset, operation->after, q);
        for (size_t p = q; p-- > 0;)
            if (!cm_has(down, p) && is_ordered(poset, &poset->operations[p], operation))
                cm_unite(down, cm_down(poset, p), poset->words);
        CM_FOR_EACH(p, down, count)
        cm_add(poset->up + p * poset->words, q);
    }
}

/* ---- Building ---- */

void cm_poset_find_soonest(struct cm_poset *poset)
{
    poset->soonest = cm_allocate(poset->words, sizeof(*poset->soonest));
    for (size_t w = 0; w < poset->words; w++)
        poset->soonest[w] = CM_NEVER;
    for (size_t o = 0; o < poset->operation_count; o++)
        if (poset->operations[o].shown.durable < poset->soonest[o / 64])
            poset->soonest[o / 64] = poset->operations[o].shown.durable;
}

struct cm_poset *cm_poset_build(const struct ff_trace *trace, const struct cm_model *model,
                                uint32_t granule, struct ff_error *error)
{
    if (granule > model->unit || (granule > 0 && model->unit % granule != 0)) {
        cm_fail(error, "a granule of %u bytes does not divide the unit of model %s, %u bytes",
                granule, model->name, model->unit);
        return NULL;
    }
    struct cm_poset *poset = cm_allocate(1, sizeof(*poset));
    poset->trace = trace;
    poset->model = model;
    poset->granule = granule > 0 ? granule : model->granule;
    poset->snapshot = ff_tree_from_snapshot(trace);
    order_calls(poset);
    if (cm_derive(poset, error) != 0) {
        cm_poset_free(poset);
        return NULL;
    }
    poset->workload_count = poset->operation_count;
    close_order(poset);
    cm_poset_find_soonest(poset);
    return poset;
}

void cm_poset_free(struct cm_poset *poset)
{
    if (poset == NULL)
        return;
    for (size_t i = 0; i < poset->value_count && !poset->borrows; i++)
        if (poset->locations[poset->values[i].location].kind == CM_LOCATION_DATA)
            free((void *)(uintptr_t)poset->values[i].to.data.bytes);
    for (size_t i = 0; i < poset->location_count; i++)
        free(poset->locations[i].values);
    for (size_t i = 0; i < poset->node_limit; i++) {
        free(poset->nodes[i].parts);
        free(poset->nodes[i].xattr_locations);
    }
    for (size_t i = 0; i < poset->operation_count && !poset->borrows; i++)
        free((void *)(uintptr_t)poset->operations[i].shown.path);
    ff_tree_free(poset->snapshot);
    free(poset->operations);
    free(poset->down);
    free(poset->up);
    free(poset->soonest);
    free(poset->values);
    free(poset->locations);
    free(poset->nodes);
    free(poset->boundary_calls);
    free(poset->outputs);
    free(poset->output_starts);
    free(poset);
}

void cm_poset_model_name(const struct cm_poset *poset, char *name, size_t size)
{
    if (poset->granule == poset->model->granule)
        snprintf(name, size, "%s", poset->model->name);
    else
        snprintf(name, size, "%s@%u", poset->model->name, poset->granule);
}

char *cm_poset_output(const struct cm_poset *poset, uint32_t count, size_t *size)
{
    size_t total = 0;
    for (int pass = 0;; pass++) {
        char *text = pass == 0 ? NULL : cm_allocate(total + 1, 1);
        uint32_t seen = 0;
        total = 0;
        for (size_t b = 1; b <= poset->trace->call_count && seen < count; b++) {
            const struct ff_call *call = &poset->trace->calls[poset->boundary_calls[b]];
            if (call->effect != FF_EFFECT_OUTPUT)
                continue;
            if (text != NULL)
                memcpy(text + total, call->data.data, call->data.size);
            total += call->data.size;
            seen++;
        }
        if (text != NULL) {
            *size = total;
            return text;
        }
    }
}

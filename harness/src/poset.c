/*
 * The order: time, durability by syncs, rules, transitive closure.
 */
#include "poset.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "derive.h"
#include "fail.h"
#include "memory.h"

/* ---- Time ---- */

/* Whether the call may have had its effect as soon as it began. */
static bool acts_early(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_OUTPUT || call->route == FF_ROUTE_MAPPING;
}

static uint64_t effective_tick(const struct ff_call *call)
{
    return acts_early(call) ? call->begin : call->end;
}

/* Stores that one scan found have the same begin, and stand in their order in the trace. */
static int compare_calls(const void *a, const void *b, void *trace)
{
    const struct ff_call *calls = ((const struct ff_trace *)trace)->calls;
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    uint64_t left = effective_tick(&calls[first]), right = effective_tick(&calls[second]);
    if (left == right)
        return first < second ? -1 : first > second;
    return left < right ? -1 : 1;
}

static void order_calls(struct cm_poset *poset)
{
    const struct ff_trace *trace = poset->trace;
    poset->boundary_calls = cm_allocate(trace->call_count + 1, sizeof(*poset->boundary_calls));
    poset->outputs = cm_allocate(trace->call_count + 1, sizeof(*poset->outputs));
    poset->output_starts = cm_allocate(trace->call_count + 2, sizeof(*poset->output_starts));
    for (uint32_t i = 0; i < trace->call_count; i++)
        poset->boundary_calls[i + 1] = i;
    qsort_r(poset->boundary_calls + 1, trace->call_count, sizeof(*poset->boundary_calls),
            compare_calls, (void *)(uintptr_t)trace);
    uint32_t calls = (uint32_t)trace->call_count;
    for (uint32_t b = 1; b <= calls; b++) {
        const struct ff_call *call = &trace->calls[poset->boundary_calls[b]];
        poset->outputs[b] = poset->outputs[b - 1] + (call->effect == FF_EFFECT_OUTPUT);
        if (call->effect == FF_EFFECT_OUTPUT)
            poset->output_starts[poset->outputs[b]] = b;
    }
    poset->output_starts[poset->outputs[calls] + 1] = calls + 1;
}

/* The last boundary before the call began. */
static uint32_t boundary_before(const struct cm_poset *poset, const struct ff_call *call)
{
    const struct ff_trace *trace = poset->trace;
    size_t low = 0, high = trace->call_count;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (effective_tick(&trace->calls[poset->boundary_calls[middle]]) < call->begin)
            low = middle;
        else
            high = middle - 1;
    }
    return (uint32_t)low;
}

/* ---- Durability ---- */

/* A sync, as far as it matters what it covers. */
struct sync {
    unsigned covers; /* bits of enum cm_cover */
    uint32_t node;
    uint64_t start, end; /* the bytes of the file that it is limited to */
    uint32_t until;      /* only what was issued by this boundary, ... */
    uint64_t tick;       /* ... and had returned by this tick */
};

static unsigned covers_of(const struct cm_poset *poset, const struct ff_call *call)
{
    const unsigned *covers = poset->model->covers;
    bool directory = call->node < poset->node_limit && S_ISDIR(poset->nodes[call->node].mode);
    switch (call->effect) {
    case FF_EFFECT_SYNC_FILE:
    case FF_EFFECT_SYNC_RANGE:
        return covers[directory ? CM_SYNC_FSYNC_DIRECTORY : CM_SYNC_FSYNC_FILE];
    case FF_EFFECT_SYNC_DATA:
    case FF_EFFECT_SYNC_RANGE_DATA:
        return covers[directory ? CM_SYNC_FSYNC_DIRECTORY : CM_SYNC_FDATASYNC_FILE];
    case FF_EFFECT_SYNC_ALL:
        return covers[CM_SYNC_SYNC];
    default:
        return 0;
    }
}

static bool is_name(const struct cm_poset_operation *operation)
{
    return (1u << operation->class & CM_SET_NAMES) != 0;
}

/* The file or directory that a value of the operation belongs to. */
static uint32_t value_node(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                           uint32_t value)
{
    return poset->locations[poset->values[operation->first_value + value].location].node;
}

/*
 * Whether a sync that is limited to a range covers the operation on its file's
 * content: data whose granules all meet the range, and growth up to its end.
 */
static bool in_range(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                     const struct sync *sync)
{
    if (sync->start == 0 && sync->end == UINT64_MAX)
        return true;
    if (operation->class == CM_CLASS_CUT)
        return false;
    for (uint32_t i = 0; i < operation->value_count; i++) {
        const struct cm_value *value = &poset->values[operation->first_value + i];
        uint64_t first = poset->locations[value->location].granule * poset->granule;
        bool meets = operation->class == CM_CLASS_GROW
                         ? value->to.size <= sync->end
                         : first < sync->end && first + poset->granule > sync->start;
        if (!meets)
            return false;
    }
    return true;
}

/*
 * Which of the operation's values a sync covers, as bits: the first is 1, the
 * second (of a rename or exchange) is 2. Operations that are not on names are
 * covered as a whole.
 */
static unsigned covered_values(const struct cm_poset *poset, size_t index, const struct sync *sync)
{
    const struct cm_poset_operation *operation = &poset->operations[index];
    unsigned covers = sync->covers;
    uint32_t node = sync->node;
    if ((covers & 1u << CM_COVER_EVERYTHING) != 0)
        return 3;
    if (!is_name(operation)) {
        bool attributes = operation->class == CM_CLASS_ATTRIBUTES;
        unsigned needed = 1u << (attributes ? CM_COVER_OWN_ATTRIBUTES : CM_COVER_OWN_DATA);
        bool own = (covers & needed) != 0 && value_node(poset, operation, 0) == node;
        return own && (attributes || in_range(poset, operation, sync)) ? 3 : 0;
    }
    if ((covers & 1u << CM_COVER_OWN_CREATION) != 0 && S_ISREG(poset->nodes[node].mode) &&
        poset->nodes[node].creation == index)
        return 3;
    unsigned covered = 0;
    for (uint32_t i = 0; i < operation->value_count; i++)
        if ((covers & 1u << CM_COVER_OWN_ENTRIES) != 0 && value_node(poset, operation, i) == node)
            covered |= 1u << i;
    return covered;
}

/* Whether the operation was done when the sync began. */
static bool is_before(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                      const struct sync *sync)
{
    return operation->shown.boundary <= sync->until &&
           poset->trace->calls[operation->shown.call].end <= sync->tick;
}

/*
 * A sync makes durable, from boundary b on, what it covers. covered remembers, by
 * operation, the values that earlier syncs covered.
 */
static void apply_sync(struct cm_poset *poset, const struct sync *sync, uint32_t b,
                       unsigned char *covered)
{
    for (size_t o = 0; sync->covers != 0 && o < poset->operation_count; o++) {
        struct cm_poset_operation *operation = &poset->operations[o];
        if (operation->shown.boundary > sync->until)
            break;
        if (operation->shown.durable != CM_NEVER || operation->lost ||
            !is_before(poset, operation, sync))
            continue;
        covered[o] |= (unsigned char)covered_values(poset, o, sync);
        bool both = is_name(operation) && operation->value_count == 2 &&
                    poset->model->crossing == CM_CROSSING_BOTH;
        if (both ? covered[o] == 3 : covered[o] != 0)
            operation->shown.durable = b;
    }
}

/*
 * Data and growth that were dirty when a sync failed: the kernel holds them for
 * clean, so that later syncs succeed without writing them.
 */
static void apply_failure(struct cm_poset *poset, const struct sync *sync)
{
    const unsigned content = CM_SET_DATA | CM_BIT(GROW);
    for (size_t o = 0; o < poset->operation_count; o++) {
        struct cm_poset_operation *operation = &poset->operations[o];
        if (operation->shown.durable == CM_NEVER && is_before(poset, operation, sync) &&
            (1u << operation->class & content) != 0 && in_range(poset, operation, sync) &&
            (sync->node == FF_NO_NODE || value_node(poset, operation, 0) == sync->node))
            operation->lost = true;
    }
}

static void find_durability(struct cm_poset *poset)
{
    const struct ff_trace *trace = poset->trace;
    unsigned char *covered = cm_allocate(poset->operation_count, 1);
    for (uint32_t b = 1; b <= trace->call_count; b++) {
        const struct ff_call *call = &trace->calls[poset->boundary_calls[b]];
        struct sync sync = {.covers = covers_of(poset, call),
                            .node = call->node,
                            .start = call->length != 0 ? call->offset : 0,
                            .end = call->length != 0 ? call->offset + call->length : UINT64_MAX,
                            .until = boundary_before(poset, call),
                            .tick = call->begin};
        struct sync every = {.covers = poset->model->covers[CM_SYNC_EVERY_CALL],
                             .node = call->node,
                             .end = UINT64_MAX,
                             .until = b,
                             .tick = effective_tick(call) - 1};
        apply_sync(poset, &every, b, covered);
        if (call->effect == FF_EFFECT_SYNC_FAILED)
            apply_failure(poset, &sync);
        apply_sync(poset, &sync, b, covered);
        /* Boundary b stands for the last moments of call b, too: what a call
         * makes durable by returning must be there from the next one on. */
        every.tick++;
        apply_sync(poset, &every, b + 1, covered);
    }
    free(covered);
}

/* ---- Order ---- */

/* Whether both change the same file, or names in the same directory. */
static bool share_node(const struct cm_poset *poset, const struct cm_poset_operation *p,
                       const struct cm_poset_operation *q)
{
    for (uint32_t i = 0; i < p->value_count; i++)
        for (uint32_t j = 0; j < q->value_count; j++)
            if (value_node(poset, p, i) == value_node(poset, q, j))
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
        return !is_name(p) && !is_name(q) && share_node(poset, p, q);
    case CM_SCOPE_DIRECTORY:
        return is_name(p) && is_name(q) && share_node(poset, p, q);
    default:
        return true;
    }
}

static bool is_ordered(const struct cm_poset *poset, const struct cm_poset_operation *p,
                       const struct cm_poset_operation *q)
{
    if (p->lost)
        return false;
    if (p->shown.durable <= q->shown.boundary)
        return true;
    unsigned before = 1u << p->class, after = 1u << q->class;
    for (size_t i = 0; i < poset->model->rule_count; i++) {
        const struct cm_order_rule *rule = &poset->model->rules[i];
        if ((rule->before & before) != 0 && (rule->after & after) != 0 &&
            in_scope(poset, rule->scope, p, q))
            return true;
    }
    /* The pieces of one call, where they persist as a prefix. */
    return poset->model->tearing == CM_TEARING_PREFIX && p->shown.call == q->shown.call &&
           (before & CM_SET_DATA) != 0 && (after & CM_SET_DATA) != 0;
}

static void precede(struct cm_poset *poset, size_t p, size_t q)
{
    cm_word *down = poset->down + q * poset->words;
    if (!cm_has(down, p) && !poset->operations[p].lost)
        cm_unite(down, cm_down(poset, p), poset->words);
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
        for (uint32_t i = 0; i < operation->value_count; i++) {
            uint32_t value = operation->first_value + i;
            const struct cm_location *location = &poset->locations[poset->values[value].location];
            size_t j = 0;
            while (location->values[j] != value)
                j++;
            while (j-- > 0) /* the latest first: it mostly brings the others along */
                precede(poset, poset->values[location->values[j]].operation, q);
        }
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
    find_durability(poset);
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

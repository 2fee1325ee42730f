/*
 * Durability: which operations the syncs of a trace cover, and which a failed one drops.
 */
#include "durability.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

/* ---- Time ---- */

/* Whether the call may have had its effect as soon as it began. */
static bool acts_early(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_OUTPUT || call->route == FF_ROUTE_MAPPING;
}

uint64_t cm_effective_tick(const struct ff_call *call)
{
    return acts_early(call) ? call->begin : call->end;
}

/* The last boundary before the call began. */
static uint32_t boundary_before(const struct cm_poset *poset, const struct ff_call *call)
{
    const struct ff_trace *trace = poset->trace;
    size_t low = 0, high = trace->call_count;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (cm_effective_tick(&trace->calls[poset->boundary_calls[middle]]) < call->begin)
            low = middle;
        else
            high = middle - 1;
    }
    return (uint32_t)low;
}

/* ---- Durability ---- */

/* The kind of sync that a call is, or CM_SYNC_COUNT. */
static enum cm_sync kind_of(const struct cm_poset *poset, const struct ff_call *call)
{
    bool directory = call->node < poset->node_limit && S_ISDIR(poset->nodes[call->node].mode);
    switch (call->effect) {
    case FF_EFFECT_SYNC_FILE:
    case FF_EFFECT_SYNC_RANGE:
        return directory ? CM_SYNC_FSYNC_DIRECTORY : CM_SYNC_FSYNC_FILE;
    case FF_EFFECT_SYNC_DATA:
    case FF_EFFECT_SYNC_RANGE_DATA:
        return directory ? CM_SYNC_FSYNC_DIRECTORY : CM_SYNC_FDATASYNC_FILE;
    case FF_EFFECT_SYNC_ALL:
        return CM_SYNC_SYNC;
    default:
        return CM_SYNC_COUNT;
    }
}

/* Whether it is a sync of that file that began before the tick, also one that failed. */
static bool is_earlier_sync(const struct cm_poset *poset, const struct ff_call *call, uint32_t node,
                            uint64_t tick)
{
    return call->begin < tick && call->node == node &&
           (call->effect == FF_EFFECT_SYNC_FAILED || kind_of(poset, call) != CM_SYNC_COUNT);
}

/* Whether the operation, which is on names, gave that file another name than its first. */
static bool names_anew(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                       uint32_t node)
{
    const unsigned classes =
        CM_BIT(LINK) | CM_BIT(RENAME) | CM_BIT(RENAME_REPLACE) | CM_BIT(EXCHANGE);
    for (uint32_t i = 0; i < operation->value_count; i++)
        if ((1u << operation->class & classes) != 0 &&
            poset->values[operation->first_value + i].to.node == node)
            return true;
    return false;
}

/*
 * Whether the file got another name since the last sync of it returned, and no other sync of
 * it runs beside this one: that would have known, or not, which parent the inode names.
 */
static bool is_moved(const struct cm_poset *poset, const struct ff_call *sync)
{
    const struct ff_trace *trace = poset->trace;
    uint64_t since = 0;
    if (!S_ISREG(poset->nodes[sync->node].mode))
        return false;
    for (size_t i = 0; i < trace->call_count; i++)
        if (&trace->calls[i] != sync && trace->calls[i].end > since &&
            is_earlier_sync(poset, &trace->calls[i], sync->node, sync->end))
            since = trace->calls[i].end;
    for (size_t o = 0; o < poset->operation_count; o++) {
        const struct ff_call *call = &trace->calls[poset->operations[o].shown.call];
        if (call->begin > since && call->end <= sync->begin &&
            names_anew(poset, &poset->operations[o], sync->node))
            return true;
    }
    return false;
}

/* Where the model says so, a sync for which the log of an inode does not do writes all. */
static void write_checkpoint(const struct cm_poset *poset, const struct ff_call *call,
                             struct cm_sync_call *sync)
{
    if (poset->model->choices[CM_CHOICE_CHECKPOINT] != CM_CHECKPOINT_MOVED)
        return;
    sync->checkpoint = S_ISDIR(poset->nodes[sync->node].mode);
    if (!is_moved(poset, call))
        return;
    if ((sync->restates & 1u << CM_RESTATE_OWN_DATA) != 0)
        sync->covers |= 1u << CM_COVER_OWN_DATA;
    sync->covers |= 1u << CM_COVER_ALL_META;
    sync->restates = 0;
}

struct cm_sync_call cm_sync_of(const struct cm_poset *poset, uint32_t b)
{
    const struct ff_call *call = &poset->trace->calls[poset->boundary_calls[b]];
    enum cm_sync kind = kind_of(poset, call);
    struct cm_sync_call sync = {
        .covers = kind == CM_SYNC_COUNT ? 0 : poset->model->covers[kind],
        .restates = kind == CM_SYNC_COUNT ? 0 : poset->model->restates[kind],
        .node = call->node,
        .start = call->length != 0 ? call->offset : 0,
        .end = call->length != 0 ? call->offset + call->length : UINT64_MAX,
        .until = boundary_before(poset, call),
        .tick = call->begin,
        .metadata = SIZE_MAX,
    };
    if (kind != CM_SYNC_COUNT && kind != CM_SYNC_SYNC)
        write_checkpoint(poset, call, &sync);
    return sync;
}

/*
 * Whether a sync that is limited to a range covers the operation on its file's
 * content: data whose granules all meet the range, and growth up to its end.
 */
static bool in_range(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                     const struct cm_sync_call *sync)
{
    if (sync->start == 0 && sync->end == UINT64_MAX)
        return true;
    if (operation->class == CM_CLASS_CUT)
        return false;
    if (operation->node != FF_NO_NODE)
        return true; /* its entry, which any sync of the file writes */
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

/* Whether the operation was done when the sync began. */
static bool is_before(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                      const struct cm_sync_call *sync)
{
    return operation->shown.boundary <= sync->until &&
           poset->trace->calls[operation->shown.call].end <= sync->tick;
}

/* Whether the operation is on the content or size of a file. */
static bool is_content(const struct cm_poset_operation *operation)
{
    return (1u << operation->class & (CM_SET_DATA | CM_BIT(GROW) | CM_BIT(CUT))) != 0;
}

bool cm_sync_sees(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                  const struct cm_sync_call *sync)
{
    return is_before(poset, operation, sync) &&
           (!is_content(operation) || in_range(poset, operation, sync));
}

size_t cm_sync_last(const struct cm_poset *poset, const struct cm_location *location,
                    const struct cm_sync_call *sync)
{
    size_t last = location->value_count;
    for (; last > 0; last--) {
        const struct cm_value *value = &poset->values[location->values[last - 1]];
        const struct cm_poset_operation *operation = &poset->operations[value->operation];
        if (!operation->lost && !operation->reuse && cm_sync_sees(poset, operation, sync))
            break;
    }
    return last;
}

uint32_t cm_sync_meaning(const struct cm_poset *poset, const struct cm_location *location,
                         const struct cm_sync_call *sync)
{
    size_t last = cm_sync_last(poset, location, sync);
    if (last > 0)
        return poset->values[location->values[last - 1]].to.node;
    return ff_tree_lookup(poset->snapshot, location->node, location->name);
}

/* Whether an entry of the snapshot is as it was, so that it has no location. */
static bool is_unchanged(const struct cm_poset *poset, uint32_t directory, const char *name)
{
    const struct cm_poset_node *node = &poset->nodes[directory];
    for (size_t i = 0; i < node->part_count; i++)
        if (strcmp(poset->locations[node->parts[i]].name, name) == 0)
            return false;
    return true;
}

static bool has_unchanged_entry(const struct cm_poset *poset, uint32_t directory, uint32_t node)
{
    const struct ff_node *entries = ff_tree_node(poset->snapshot, directory);
    for (size_t i = 0; entries != NULL && i < entries->entry_count; i++)
        if (entries->entries[i].node == node &&
            is_unchanged(poset, directory, entries->entries[i].name))
            return true;
    return false;
}

uint32_t cm_sync_directory(const struct cm_poset *poset, uint32_t node,
                           const struct cm_sync_call *sync, size_t *cursor)
{
    while (*cursor < poset->location_count) {
        const struct cm_location *location = &poset->locations[(*cursor)++];
        if (location->kind == CM_LOCATION_NAME && cm_sync_meaning(poset, location, sync) == node)
            return location->node;
    }
    while (*cursor < poset->location_count + poset->snapshot->node_limit) {
        uint32_t directory = (uint32_t)((*cursor)++ - poset->location_count);
        if (has_unchanged_entry(poset, directory, node))
            return directory;
    }
    return FF_NO_NODE;
}

bool cm_sync_leads(const struct cm_poset *poset, uint32_t directory, uint32_t from,
                   const struct cm_sync_call *sync, uint32_t levels)
{
    for (uint32_t level = 0; from != FF_NO_NODE && (levels == 0 || level < levels); level++) {
        if (from == directory)
            return true;
        size_t cursor = 0; /* a directory has one name */
        from = cm_sync_directory(poset, from, sync, &cursor);
    }
    return false;
}

bool cm_sync_leads_to(const struct cm_poset *poset, uint32_t directory, uint32_t node,
                      const struct cm_sync_call *sync)
{
    size_t cursor = 0;
    for (uint32_t from; (from = cm_sync_directory(poset, node, sync, &cursor)) != FF_NO_NODE;)
        if (cm_sync_leads(poset, directory, from, sync, poset->model->parent_levels))
            return true;
    return false;
}

/* ---- What is covered ---- */

/*
 * Which of the operation's values a sync covers, as bits: the first is 1, the
 * second (of a rename or exchange) is 2. Operations that are not on names are
 * covered as a whole.
 */
static unsigned covered_values(const struct cm_poset *poset, size_t index,
                               const struct cm_sync_call *sync)
{
    const struct cm_poset_operation *operation = &poset->operations[index];
    unsigned covers = sync->covers;
    uint32_t node = sync->node;
    bool meta = (1u << operation->class & CM_SET_META) != 0;
    if ((covers & 1u << CM_COVER_EVERYTHING) != 0 ||
        (meta && (covers & 1u << CM_COVER_ALL_META) != 0 && index < sync->metadata))
        return 3;
    if (!cm_is_name(operation)) {
        bool attributes = operation->class == CM_CLASS_ATTRIBUTES;
        unsigned needed = 1u << (attributes ? CM_COVER_OWN_ATTRIBUTES : CM_COVER_OWN_DATA);
        bool own = (covers & needed) != 0 && cm_value_node(poset, operation, 0) == node;
        return own && (attributes || in_range(poset, operation, sync)) ? 3 : 0;
    }
    if ((covers & 1u << CM_COVER_OWN_CREATION) != 0 && S_ISREG(poset->nodes[node].mode) &&
        poset->nodes[node].creation == index)
        return 3;
    unsigned covered = 0;
    for (uint32_t i = 0; i < operation->value_count; i++)
        if ((covers & 1u << CM_COVER_OWN_ENTRIES) != 0 &&
            cm_value_node(poset, operation, i) == node)
            covered |= 1u << i;
    return covered;
}

/* What a name meant before one of its values. */
static uint32_t meaning_before(const struct cm_poset *poset, uint32_t value)
{
    const struct cm_location *location = &poset->locations[poset->values[value].location];
    uint32_t before = ff_tree_lookup(poset->snapshot, location->node, location->name);
    for (size_t i = 0; location->values[i] != value; i++)
        before = poset->values[location->values[i]].to.node;
    return before;
}

/* Whether the operation changed the synced file or directory, a name of it, or one in it. */
static bool concerns(const struct cm_poset *poset, const struct cm_poset_operation *operation,
                     uint32_t node)
{
    for (uint32_t i = 0; i < operation->value_count; i++) {
        uint32_t value = operation->first_value + i;
        if (cm_value_node(poset, operation, i) == node ||
            (cm_is_name(operation) &&
             (poset->values[value].to.node == node || meaning_before(poset, value) == node)))
            return true;
    }
    return false;
}

/*
 * A journal is committed up to the last change of what is synced, and not for what did not
 * change: what was done after that may be in a later transaction.
 */
static size_t committed_metadata(const struct cm_poset *poset, const struct cm_sync_call *sync)
{
    size_t last = poset->operation_count;
    while (last > 0 && (!is_before(poset, &poset->operations[last - 1], sync) ||
                        poset->operations[last - 1].class == CM_CLASS_LOG ||
                        poset->operations[last - 1].reuse ||
                        !concerns(poset, &poset->operations[last - 1], sync->node)))
        last--;
    return last;
}

/*
 * A sync makes durable, from boundary b on, what it covers. What is restated is so by the
 * sync that restates it.
 */
static void apply_sync(struct cm_poset *poset, const struct cm_sync_call *sync, uint32_t b)
{
    for (size_t o = 0; sync->covers != 0 && o < poset->operation_count; o++) {
        struct cm_poset_operation *operation = &poset->operations[o];
        if (operation->shown.boundary > sync->until)
            break;
        if (operation->shown.durable != CM_NEVER || operation->lost ||
            operation->class == CM_CLASS_LOG || operation->reuse ||
            !is_before(poset, operation, sync))
            continue;
        operation->covered |= covered_values(poset, o, sync);
        bool both = cm_is_name(operation) && operation->value_count == 2 &&
                    poset->model->crossing == CM_CROSSING_BOTH;
        if (both ? operation->covered == 3 : operation->covered != 0)
            operation->shown.durable = b;
    }
}

/*
 * Data and growth that were dirty when a sync failed: the kernel holds them for
 * clean, so that later syncs succeed without writing them. A sync of the same file that
 * has not returned yet may have written nothing, either.
 */
static void apply_failure(struct cm_poset *poset, const struct cm_sync_call *sync)
{
    const unsigned content = CM_SET_DATA | CM_BIT(GROW);
    for (size_t o = 0; o < poset->operation_count; o++) {
        struct cm_poset_operation *operation = &poset->operations[o];
        bool log = operation->class == CM_CLASS_LOG;
        if (operation->shown.durable != CM_NEVER || operation->reuse ||
            (sync->node != FF_NO_NODE && sync->node != cm_value_node(poset, operation, 0)))
            continue;
        if (log || (is_before(poset, operation, sync) && (1u << operation->class & content) != 0 &&
                    in_range(poset, operation, sync)))
            operation->lost = true;
    }
}

void cm_settle(struct cm_poset *poset, uint32_t b)
{
    const struct ff_call *call = &poset->trace->calls[poset->boundary_calls[b]];
    struct cm_sync_call sync = cm_sync_of(poset, b);
    if ((sync.covers & 1u << CM_COVER_ALL_META) != 0 && sync.node != FF_NO_NODE && !sync.checkpoint)
        sync.metadata = committed_metadata(poset, &sync);
    struct cm_sync_call every = {.covers = poset->model->covers[CM_SYNC_EVERY_CALL],
                                 .node = call->node,
                                 .end = UINT64_MAX,
                                 .until = b,
                                 .tick = cm_effective_tick(call) - 1,
                                 .metadata = SIZE_MAX};
    apply_sync(poset, &every, b);
    if (call->effect == FF_EFFECT_SYNC_FAILED)
        apply_failure(poset, &sync);
    apply_sync(poset, &sync, b);
    /* Boundary b stands for the last moments of call b, too: what a call
     * makes durable by returning must be there from the next one on. */
    every.tick++;
    apply_sync(poset, &every, b + 1);
}

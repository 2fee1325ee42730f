/*
 * Deriving operations: each call is applied to a tree, as the running program
 * saw it, and what it changed there becomes operations on locations.
 */
#include "derive.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "builder.h"
#include "durability.h"
#include "fail.h"
#include "memory.h"
#include "restate.h"

static void derive_attributes(struct cm_builder *builder, const struct ff_call *call)
{
    cm_builder_begin(builder, CM_CLASS_ATTRIBUTES, cm_builder_node_path(builder, call->node), 0, 0);
    struct cm_value *value = cm_builder_value(
        builder, cm_builder_location(builder, CM_LOCATION_ATTRIBUTES, call->node, 0, NULL));
    value->to.attributes.mode = call->mode;
    value->to.attributes.uid = call->uid;
    value->to.attributes.gid = call->gid;
}

/* Each extended attribute is a location of its own. */
static void derive_xattr(struct cm_builder *builder, const struct ff_call *call)
{
    cm_builder_begin(builder, CM_CLASS_ATTRIBUTES, cm_builder_node_path(builder, call->node), 0, 0);
    struct cm_value *value =
        cm_builder_value(builder, cm_builder_location(builder, CM_LOCATION_XATTR, call->node, 0,
                                                      (const char *)call->filename.data));
    value->to.xattr.removed = call->effect == FF_EFFECT_REMOVE_XATTR;
    value->to.xattr.value = call->data;
}

static uint64_t size_of(const struct ff_tree *tree, uint32_t node)
{
    const struct ff_node *file = ff_tree_node(tree, node);
    return file != NULL ? file->size : 0;
}

/* Applies a call to the tree and derives its operations. */
static int derive_call(struct cm_builder *builder, const struct ff_call *call,
                       struct ff_error *error)
{
    uint64_t old_size = size_of(builder->tree, call->node);
    if (call->effect == FF_EFFECT_RESIZE)
        cm_freed_note(builder, call->node, call->offset);
    if (ff_tree_apply(builder->tree, call, error) != 0)
        return -1;
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        cm_derive_create(builder, call);
        break;
    case FF_EFFECT_WRITE:
        cm_derive_write(builder, call, old_size);
        break;
    case FF_EFFECT_RESIZE:
        cm_derive_resize(builder, call, old_size);
        break;
    case FF_EFFECT_ATTRIBUTES:
        derive_attributes(builder, call);
        break;
    case FF_EFFECT_SET_XATTR:
    case FF_EFFECT_REMOVE_XATTR:
        derive_xattr(builder, call);
        break;
    case FF_EFFECT_LINK:
    case FF_EFFECT_UNLINK:
    case FF_EFFECT_RENAME:
    case FF_EFFECT_EXCHANGE:
        cm_derive_names(builder, call);
        break;
    default:
        break;
    }
    return 0;
}

/* ---- Syncs that restate ---- */

/* Calls by when they began; a call is the boundary after it. */
struct syncs {
    uint32_t *first; /* by boundary: the latest call that began when it was the last one, or 0 */
    uint32_t *next;  /* by call: an earlier one that began there, or 0 */
    uint32_t *logs;  /* by call: the operation that it restates with, or CM_NO_OPERATION */
};

static void find_syncs(struct syncs *syncs, const struct cm_poset *poset)
{
    uint32_t count = (uint32_t)poset->trace->call_count + 1;
    syncs->first = cm_allocate(count, sizeof(uint32_t));
    syncs->next = cm_allocate(count, sizeof(uint32_t));
    syncs->logs = cm_allocate(count, sizeof(uint32_t));
    for (uint32_t b = 1; b < count; b++) {
        uint32_t until = cm_sync_of(poset, b).until;
        syncs->logs[b] = CM_NO_OPERATION;
        if (poset->trace->calls[poset->boundary_calls[b]].node == FF_NO_NODE)
            continue;
        syncs->next[b] = syncs->first[until];
        syncs->first[until] = b;
    }
}

static void free_syncs(struct syncs *syncs)
{
    free(syncs->first);
    free(syncs->next);
    free(syncs->logs);
}

/*
 * What the sync before boundary b restates may be on the disk from when it began on. If other
 * calls ran beside it, that is before them; else it is told as the sync's own doing.
 */
static void derive_log(struct cm_builder *builder, struct syncs *syncs, uint32_t b)
{
    struct cm_poset *poset = builder->poset;
    struct cm_sync_call sync = cm_sync_of(poset, b);
    size_t count = 0;
    if (sync.restates == 0)
        return;
    struct cm_restated *restated = cm_restate(poset, &sync, &count);
    builder->call = poset->boundary_calls[b];
    builder->boundary = sync.until + 1 == b ? b : sync.until;
    if (count > 0) {
        cm_builder_begin(builder, CM_CLASS_LOG, cm_builder_node_path(builder, sync.node), 0, 0);
        syncs->logs[b] = (uint32_t)poset->operation_count - 1;
        poset->operations[syncs->logs[b]].node = sync.node;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cm_value *from = &restated[i].value;
        struct cm_value *value = cm_builder_insert(builder, from->location, restated[i].place);
        value->to = from->to;
        if (poset->locations[from->location].kind == CM_LOCATION_DATA && from->to.data.length > 0)
            value->to.data.bytes =
                (unsigned char *)cm_duplicate(from->to.data.bytes, from->to.data.length);
    }
    free(restated);
}

/* Operations are in the order of their boundaries, so the last sync to return is the first. */
static void derive_logs(struct cm_builder *builder, struct syncs *syncs, uint32_t until)
{
    for (uint32_t b = syncs->first[until]; b != 0; b = syncs->next[b])
        derive_log(builder, syncs, b);
}

/* ---- The whole trace ---- */

static void start_nodes(struct cm_builder *builder)
{
    struct cm_poset *poset = builder->poset;
    const struct ff_trace *trace = poset->trace;
    size_t limit = trace->node_count + 1;
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].node >= limit)
            limit = trace->calls[i].node + 1;
    builder->next_blank = (uint32_t)limit;
    for (size_t i = 0; cm_builder_has_entries(builder) && i < trace->call_count; i++)
        limit += trace->calls[i].effect == FF_EFFECT_RENAME;
    poset->node_limit = limit;
    poset->nodes = cm_allocate(limit, sizeof(*poset->nodes));
    builder->paths = cm_allocate(limit, sizeof(*builder->paths));
    builder->links = cm_allocate(limit, sizeof(*builder->links));
    for (size_t i = 0; i < limit; i++) {
        struct cm_poset_node *node = &poset->nodes[i];
        node->creation = CM_NO_OPERATION;
        node->size = node->chain = node->attributes = CM_NO_LOCATION;
        if (i == 0 || i > trace->node_count)
            continue;
        node->mode = trace->nodes[i - 1].mode;
        node->uid = trace->nodes[i - 1].uid;
        node->gid = trace->nodes[i - 1].gid;
        node->content = trace->nodes[i - 1].data;
        node->xattrs = trace->nodes[i - 1].xattrs;
    }
    builder->paths[FF_ROOT_NODE] = cm_format("%s", "");
    /* Names are sorted by parent, and parents have smaller numbers than what is
     * in them, but a hard link may come before its directory's own name. */
    for (size_t i = 0; i < trace->name_count; i++)
        builder->links[trace->names[i].node]++;
    for (size_t i = 0; i < trace->name_count; i++)
        if (builder->paths[trace->names[i].node] == NULL)
            cm_builder_set_path(builder, trace->names[i].node, trace->names[i].parent,
                                &trace->names[i].filename);
}

static int derive_calls(struct cm_builder *builder, struct ff_error *error)
{
    struct cm_poset *poset = builder->poset;
    struct syncs syncs;
    int status = 0;
    find_syncs(&syncs, poset);
    derive_logs(builder, &syncs, 0);
    for (uint32_t b = 1; b <= poset->trace->call_count; b++) {
        builder->boundary = b;
        builder->call = poset->boundary_calls[b];
        struct ff_error why;
        if (derive_call(builder, &poset->trace->calls[builder->call], &why) != 0) {
            status = cm_fail(error, "trace: call %u (%s) is impossible: %.300s", b,
                             poset->trace->calls[builder->call].name, why.text);
            break;
        }
        cm_settle(poset, b);
        if (syncs.logs[b] != CM_NO_OPERATION && !poset->operations[syncs.logs[b]].lost)
            poset->operations[syncs.logs[b]].shown.durable = b;
        derive_logs(builder, &syncs, b);
    }
    free_syncs(&syncs);
    return status;
}

int cm_derive(struct cm_poset *poset, struct ff_error *error)
{
    struct cm_builder builder = {.poset = poset, .tree = ff_tree_copy(poset->snapshot)};
    start_nodes(&builder);
    int status = derive_calls(&builder, error);
    ff_tree_free(builder.tree);
    for (size_t i = 0; i < poset->node_limit; i++)
        free(builder.paths[i]);
    free(builder.paths);
    free(builder.links);
    cm_freed_forget(&builder);
    free(builder.table);
    return status;
}

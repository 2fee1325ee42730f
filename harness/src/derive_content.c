/*
 * What changes the content and size of files: writes and truncations.
 */
#include "builder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

/*
 * Growth by one step for each unit that an extending write reaches: what the
 * kernel does as it copies page by page. Old size and end are in bytes.
 */
static void derive_growth(struct cm_builder *builder, uint32_t node, uint64_t old_size,
                          uint64_t offset, uint64_t end)
{
    uint64_t unit = builder->poset->model->unit;
    for (uint64_t at = old_size > offset ? old_size : offset; at < end;) {
        uint64_t next = (at / unit + 1) * unit;
        at = next < end ? next : end;
        cm_builder_begin(builder, CM_CLASS_GROW, cm_builder_node_path(builder, node), at, 0);
        cm_builder_size(builder, node, at);
    }
}

/* The blocks of a file are chained, or no longer, apart from its size. */
static void derive_chain(struct cm_builder *builder, uint32_t node, uint64_t old_size,
                         uint64_t size)
{
    if (!cm_builder_has_entries(builder) ||
        cm_chained_size(builder->poset, old_size) == cm_chained_size(builder->poset, size))
        return;
    cm_builder_begin(builder, size < old_size ? CM_CLASS_CUT : CM_CLASS_GROW,
                     cm_builder_node_path(builder, node), size, 0);
    builder->poset->operations[cm_builder_last(builder)].shown.class = "chain";
    cm_builder_value(builder, cm_builder_location(builder, CM_LOCATION_CHAIN, node, 0, NULL))
        ->to.size = size;
}

void cm_derive_freeing(struct cm_builder *builder, uint32_t node)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    if (file != NULL && S_ISREG(file->mode))
        derive_chain(builder, node, file->size, 0);
}

/* The last of its own values decides: of what a cut took the blocks are free. */
bool cm_builder_had_data(const struct cm_poset *poset, uint32_t node, uint64_t granule)
{
    const struct cm_poset_node *file = &poset->nodes[node];
    for (size_t i = 0; i < file->part_count; i++) {
        const struct cm_location *location = &poset->locations[file->parts[i]];
        for (size_t v = location->granule == granule ? location->value_count : 0; v-- > 0;) {
            const struct cm_value *value = &poset->values[location->values[v]];
            const struct cm_poset_operation *operation = &poset->operations[value->operation];
            if (!operation->stale && !operation->reuse)
                return value->to.data.length > 0;
        }
    }
    return S_ISREG(file->mode) && granule * poset->granule < file->content.size;
}

static enum cm_class write_class(const struct cm_builder *builder, uint32_t node, uint64_t granule)
{
    return cm_builder_had_data(builder->poset, node, granule) ? CM_CLASS_OVERWRITE
                                                              : CM_CLASS_ALLOCATE;
}

/* Bytes from .. to of a granule that the file grew over: first garbage, then what was written. */
static void derive_garbage_and_data(struct cm_builder *builder, uint32_t node, uint64_t from,
                                    uint64_t to, uint32_t growth)
{
    uint64_t granule = from / builder->poset->granule;
    enum cm_class class = write_class(builder, node, granule);
    cm_builder_begin(builder, class, cm_builder_node_path(builder, node), from, to - from);
    builder->poset->operations[cm_builder_last(builder)].shown.class = "garbage";
    cm_builder_follow(builder, growth);
    struct cm_value *value = cm_builder_part(builder, node, granule, to);
    size_t before = (size_t)(from - granule * builder->poset->granule);
    memset((unsigned char *)(uintptr_t)value->to.data.bytes + before, CM_GARBAGE,
           (size_t)(to - from));
    cm_builder_begin(builder, class, cm_builder_node_path(builder, node), from, to - from);
    cm_builder_part(builder, node, granule, to);
}

/* The part of a write that lies behind the old end, in three steps for each unit. */
static void derive_append(struct cm_builder *builder, uint32_t node, uint64_t from, uint64_t end)
{
    uint64_t unit = builder->poset->model->unit, granule = builder->poset->granule;
    while (from < end) {
        uint64_t next = (from / unit + 1) * unit;
        next = next < end ? next : end;
        cm_builder_begin(builder, CM_CLASS_GROW, cm_builder_node_path(builder, node), next, 0);
        cm_builder_size(builder, node, next);
        uint32_t growth = cm_builder_last(builder);
        for (uint64_t to; from < next; from = to) {
            to = (from / granule + 1) * granule;
            to = to < next ? to : next;
            derive_garbage_and_data(builder, node, from, to, growth);
        }
    }
}

/* As an append after an overwrite, of the bytes that there were. */
static void derive_write_stepwise(struct cm_builder *builder, const struct ff_call *call,
                                  uint64_t old_size)
{
    uint64_t size = builder->poset->granule, end = call->offset + call->data.size;
    uint64_t middle = old_size < end ? old_size : end;
    for (uint64_t from = call->offset, to; from < middle; from = to) {
        to = (from / size + 1) * size;
        to = to < middle ? to : middle;
        cm_builder_begin(builder, write_class(builder, call->node, from / size),
                         cm_builder_node_path(builder, call->node), from, to - from);
        cm_builder_part(builder, call->node, from / size, to == middle ? old_size : UINT64_MAX);
    }
    derive_append(builder, call->node, call->offset > old_size ? call->offset : old_size, end);
}

/* The granules of a write that are of a class among the given ones. */
static void derive_pieces(struct cm_builder *builder, const struct ff_call *call, unsigned classes,
                          enum cm_tearing tearing)
{
    uint64_t size = builder->poset->granule;
    uint64_t end = call->offset + call->data.size;
    bool first = true;
    for (uint64_t g = call->offset / size; g * size < end; g++) {
        uint64_t from = g * size > call->offset ? g * size : call->offset;
        uint64_t to = (g + 1) * size < end ? (g + 1) * size : end;
        enum cm_class class = cm_builder_had_data(builder->poset, call->node, g)
                                  ? CM_CLASS_OVERWRITE
                                  : CM_CLASS_ALLOCATE;
        if ((classes & 1u << class) == 0)
            continue;
        if (first || tearing != CM_TEARING_ATOMIC) {
            uint64_t length = tearing == CM_TEARING_ATOMIC ? end - from : to - from;
            cm_builder_begin(builder, class, cm_builder_node_path(builder, call->node), from,
                             length);
        }
        first = false;
        cm_builder_granule(builder, call->node, g);
    }
}

/* The tree has the write applied already. */
void cm_derive_write(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size)
{
    const struct cm_model *model = builder->poset->model;
    if (call->data.size == 0)
        return;
    if (model->choices[CM_CHOICE_APPEND] == CM_APPEND_ZEROS_GARBAGE_DATA) {
        derive_write_stepwise(builder, call, old_size);
        return;
    }
    uint32_t first = (uint32_t)builder->poset->operation_count;
    uint32_t stale = cm_derive_stale(builder, call, old_size);
    if (model->apart) {
        derive_pieces(builder, call, CM_BIT(OVERWRITE), model->overwrite_tearing);
        derive_pieces(builder, call, CM_BIT(ALLOCATE), model->tearing);
    } else {
        derive_pieces(builder, call, CM_SET_DATA, model->tearing);
    }
    cm_derive_reuse(builder, first, stale);
    uint64_t end = call->offset + call->data.size;
    derive_growth(builder, call->node, old_size, call->offset, end);
    if (end > old_size)
        derive_chain(builder, call->node, old_size, end);
}

/*
 * A cut is one operation on the size and on every granule beyond the new end
 * (the one that holds the end included): write, truncate to 0, extend must show
 * zeros and never the old bytes. The tree has it applied already.
 */
void cm_derive_resize(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size)
{
    uint64_t granule = builder->poset->granule;
    if (call->offset == old_size)
        return;
    enum cm_class class = call->offset < old_size ? CM_CLASS_CUT : CM_CLASS_GROW;
    cm_builder_begin(builder, class, cm_builder_node_path(builder, call->node), call->offset, 0);
    cm_builder_size(builder, call->node, call->offset);
    for (uint64_t g = call->offset / granule; class == CM_CLASS_CUT && g * granule < old_size; g++)
        cm_builder_granule(builder, call->node, g);
    derive_chain(builder, call->node, old_size, call->offset);
}

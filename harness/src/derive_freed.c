/*
 * Blocks that a file lost and that another, or the same one, gets: where neither waits for
 * the other, each may show what was meant for the other one.
 *
 * Only the latest file that lost blocks is looked at, and a granule is given away for the
 * granule of the same number.
 */
#include "builder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

static bool are_reused(const struct cm_builder *builder)
{
    return builder->poset->model->choices[CM_CHOICE_FREED] == CM_FREED_REUSED;
}

/* Whether a file of that size has a block there: what was never written is a hole, but where
 * blocks are chained there are no holes. */
static bool has_block(const struct cm_builder *builder, uint32_t node, uint64_t granule,
                      uint64_t size)
{
    return granule * builder->poset->granule < size &&
           (cm_builder_has_entries(builder) || cm_builder_had_data(builder->poset, node, granule));
}

void cm_freed_note(struct cm_builder *builder, uint32_t node, uint64_t size)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    uint64_t granule = builder->poset->granule, first = (size + granule - 1) / granule;
    if (!are_reused(builder) || file == NULL || !S_ISREG(file->mode) || file->size == 0)
        return;
    uint64_t end = (file->size - 1) / granule + 1;
    bool any = false, *had = cm_allocate((size_t)end, sizeof(*had));
    for (uint64_t g = first; g < end; g++) {
        had[g] = has_block(builder, node, g, file->size);
        any = any || had[g];
    }
    if (!any) {
        free(had);
        return;
    }
    cm_freed_forget(builder);
    builder->freed = (struct cm_freed_blocks){
        .node = node,
        .operation = (uint32_t)builder->poset->operation_count,
        .had = had,
        .bytes = (unsigned char *)cm_duplicate(file->data, file->size),
        .size = file->size,
    };
}

void cm_freed_forget(struct cm_builder *builder)
{
    free(builder->freed.had);
    free(builder->freed.bytes);
    builder->freed.node = FF_NO_NODE;
}

static void add_bytes(struct cm_value *value, const void *bytes, size_t size)
{
    value->to.data.length = (uint32_t)size;
    if (size > 0)
        value->to.data.bytes = (unsigned char *)cm_duplicate(bytes, size);
}

static void derive_stale(struct cm_builder *builder, uint32_t node, uint64_t granule)
{
    const struct cm_freed_blocks *freed = &builder->freed;
    size_t start = (size_t)(granule * builder->poset->granule);
    size_t size = freed->size - start;
    size = size < builder->poset->granule ? size : builder->poset->granule;
    cm_builder_begin(builder, CM_CLASS_ALLOCATE, cm_builder_node_path(builder, node), start, size);
    struct cm_poset_operation *operation = &builder->poset->operations[cm_builder_last(builder)];
    operation->shown.class = "stale";
    operation->stale = true;
    uint32_t location = cm_builder_location(builder, CM_LOCATION_DATA, node, granule, NULL);
    add_bytes(cm_builder_value(builder, location), freed->bytes + start, size);
}

uint32_t cm_derive_stale(struct cm_builder *builder, const struct ff_call *call, uint64_t old_size)
{
    const struct cm_freed_blocks *freed = &builder->freed;
    uint64_t size = builder->poset->granule, end = call->offset + call->data.size;
    uint32_t count = 0;
    for (uint64_t g = call->offset / size; are_reused(builder) && g * size < end; g++) {
        if (freed->node == FF_NO_NODE || g * size >= freed->size || !freed->had[g] ||
            has_block(builder, call->node, g, old_size))
            continue;
        derive_stale(builder, call->node, g);
        count++;
    }
    return count;
}

/* Before what took the blocks away, if that changed the granule, too. */
static size_t place_of_reuse(const struct cm_builder *builder, uint32_t location)
{
    const struct cm_location *at = &builder->poset->locations[location];
    for (size_t i = 0; i < at->value_count; i++)
        if (builder->poset->values[at->values[i]].operation == builder->freed.operation)
            return i;
    return at->value_count;
}

void cm_derive_reuse(struct cm_builder *builder, uint32_t first, uint32_t count)
{
    struct cm_poset *poset = builder->poset;
    const struct cm_freed_blocks *freed = &builder->freed;
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_poset_operation *stale = &poset->operations[first + i];
        const struct cm_location *to =
            &poset->locations[poset->values[stale->first_value].location];
        const struct cm_value written = poset->values[to->values[to->value_count - 1]];
        uint64_t granule = to->granule;
        if (poset->operations[freed->operation].shown.durable != CM_NEVER)
            return;
        cm_builder_begin(builder, CM_CLASS_OVERWRITE, cm_builder_node_path(builder, freed->node),
                         granule * poset->granule, written.to.data.length);
        poset->operations[cm_builder_last(builder)].shown.class = "reuse";
        poset->operations[cm_builder_last(builder)].reuse = true;
        if (to->node != freed->node) /* else what is written there needs the loss */
            cm_builder_follow(builder, written.operation);
        uint32_t location =
            cm_builder_location(builder, CM_LOCATION_DATA, freed->node, granule, NULL);
        add_bytes(cm_builder_insert(builder, location, place_of_reuse(builder, location)),
                  written.to.data.bytes, written.to.data.length);
    }
}

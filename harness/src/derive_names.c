/*
 * What changes names: creations, links, unlinks, renames, exchanges.
 */
#include "builder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

/* A file without a name (O_TMPFILE) is no operation: nothing can be seen of it. */
void cm_derive_create(struct cm_builder *builder, const struct ff_call *call)
{
    struct cm_poset *poset = builder->poset;
    struct cm_poset_node *node = &poset->nodes[call->node];
    node->mode = call->mode;
    node->uid = call->uid;
    node->gid = call->gid;
    if (S_ISLNK(call->mode))
        node->content = call->data;
    if (call->parent == FF_NO_NODE)
        return;
    cm_builder_begin(builder, CM_CLASS_CREATE,
                     cm_builder_name_path(builder, call->parent, &call->filename), 0, 0);
    cm_builder_name(builder, call->parent, &call->filename, call->node);
    node->creation = (uint32_t)poset->operation_count - 1;
    builder->links[call->node]++;
    cm_builder_set_path(builder, call->node, call->parent, &call->filename);
}

/* A change of one name. Of a rename or exchange, reports call it by what it does. */
static uint32_t derive_name(struct cm_builder *builder, enum cm_class class, uint32_t parent,
                            const struct ff_bytes *name, uint32_t node)
{
    cm_builder_begin(builder, class, cm_builder_name_path(builder, parent, name), 0, 0);
    if (class == CM_CLASS_RENAME || class == CM_CLASS_RENAME_REPLACE || class == CM_CLASS_EXCHANGE)
        builder->poset->operations[cm_builder_last(builder)].shown.class =
            cm_class_name(node == FF_NO_NODE ? CM_CLASS_UNLINK : CM_CLASS_LINK);
    cm_builder_name(builder, parent, name, node);
    return cm_builder_last(builder);
}

/* A file that loses its last name is cut to nothing; no operation if it is empty. */
static uint32_t derive_emptying(struct cm_builder *builder, uint32_t node)
{
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    if (file == NULL || !S_ISREG(file->mode) || file->size == 0 || builder->links[node] > 1)
        return CM_NO_OPERATION;
    cm_builder_begin(builder, CM_CLASS_CUT, cm_builder_node_path(builder, node), 0, 0);
    cm_builder_size(builder, node, 0);
    for (uint64_t g = 0; g * builder->poset->granule < file->size; g++)
        cm_builder_part(builder, node, g, 0);
    return cm_builder_last(builder);
}

static void derive_unlink(struct cm_builder *builder, const struct ff_call *call)
{
    uint32_t cut = CM_NO_OPERATION;
    if (builder->links[call->node] == 1)
        cm_freed_note(builder, call->node, 0);
    if (builder->poset->model->choices[CM_CHOICE_UNLINK] == CM_UNLINK_TRUNCATE_FIRST)
        cut = derive_emptying(builder, call->node);
    derive_name(builder, CM_CLASS_UNLINK, call->parent, &call->filename, FF_NO_NODE);
    cm_builder_follow(builder, cut);
}

static enum cm_class renaming_class(const struct ff_call *call)
{
    return call->node2 != FF_NO_NODE ? CM_CLASS_RENAME_REPLACE : CM_CLASS_RENAME;
}

static void derive_rename_at_once(struct cm_builder *builder, const struct ff_call *call)
{
    bool exchange = call->effect == FF_EFFECT_EXCHANGE;
    cm_builder_begin(builder, exchange ? CM_CLASS_EXCHANGE : renaming_class(call),
                     cm_builder_name_path(builder, call->parent2, &call->filename2), 0, 0);
    cm_builder_name(builder, call->parent, &call->filename, exchange ? call->node2 : FF_NO_NODE);
    cm_builder_name(builder, call->parent2, &call->filename2, call->node);
}

/* What a new entry shows before that which it means is written: nothing. There is no link
 * without a target, but an empty file. */
static uint32_t make_blank(struct cm_builder *builder, uint32_t node)
{
    uint32_t id = builder->next_blank++;
    struct cm_poset_node *blank = &builder->poset->nodes[id];
    const struct ff_node *file = ff_tree_node(builder->tree, node);
    blank->mode = S_ISLNK(file->mode) ? S_IFREG | (file->mode & 07777) : file->mode;
    blank->uid = file->uid;
    blank->gid = file->gid;
    return id;
}

/* The new name; where the size lies in the entry that is blank until the file is written. */
static void derive_new_name(struct cm_builder *builder, const struct ff_call *call, uint32_t before)
{
    bool blank = cm_builder_has_entries(builder);
    derive_name(builder, renaming_class(call), call->parent2, &call->filename2,
                blank ? make_blank(builder, call->node) : call->node);
    cm_builder_follow(builder, before);
    if (!blank)
        return;
    const struct ff_node *file = ff_tree_node(builder->tree, call->node);
    cm_builder_begin(builder, CM_CLASS_GROW,
                     cm_builder_name_path(builder, call->parent2, &call->filename2), file->size, 0);
    builder->poset->operations[cm_builder_last(builder)].node = call->node;
    cm_builder_name(builder, call->parent2, &call->filename2, call->node);
}

/* A directory has never two names: the old one goes first. */
static void derive_rename_by_name(struct cm_builder *builder, const struct ff_call *call)
{
    bool directory = S_ISDIR(builder->poset->nodes[call->node].mode);
    uint32_t removal = CM_NO_OPERATION;
    if (directory)
        removal =
            derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
    derive_new_name(builder, call, removal);
    if (!directory)
        derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
}

static void derive_rename_stepwise(struct cm_builder *builder, const struct ff_call *call)
{
    uint32_t step = CM_NO_OPERATION;
    if (call->node2 != FF_NO_NODE) {
        uint32_t cut = derive_emptying(builder, call->node2);
        step =
            derive_name(builder, renaming_class(call), call->parent2, &call->filename2, FF_NO_NODE);
        cm_builder_follow(builder, cut);
    }
    uint32_t removal =
        derive_name(builder, renaming_class(call), call->parent, &call->filename, FF_NO_NODE);
    cm_builder_follow(builder, step);
    derive_name(builder, renaming_class(call), call->parent2, &call->filename2, call->node);
    cm_builder_follow(builder, removal);
}

/* Each name by itself; of directories both at once, or one of them had two names. */
static void derive_exchange_by_name(struct cm_builder *builder, const struct ff_call *call)
{
    const struct cm_poset_node *nodes = builder->poset->nodes;
    if (S_ISDIR(nodes[call->node].mode) || S_ISDIR(nodes[call->node2].mode)) {
        derive_rename_at_once(builder, call);
        return;
    }
    derive_name(builder, CM_CLASS_EXCHANGE, call->parent, &call->filename, call->node2);
    uint32_t first = cm_builder_last(builder);
    derive_name(builder, CM_CLASS_EXCHANGE, call->parent2, &call->filename2, call->node);
    if (builder->poset->model->choices[CM_CHOICE_RENAME] == CM_RENAME_STEPWISE)
        cm_builder_follow(builder, first);
}

static void derive_rename(struct cm_builder *builder, const struct ff_call *call)
{
    enum cm_rename how = builder->poset->model->choices[CM_CHOICE_RENAME];
    bool exchange = call->effect == FF_EFFECT_EXCHANGE;
    if (!exchange && builder->links[call->node2] == 1)
        cm_freed_note(builder, call->node2, 0);
    if (how == CM_RENAME_ATOMIC)
        derive_rename_at_once(builder, call);
    else if (exchange)
        derive_exchange_by_name(builder, call);
    else if (how == CM_RENAME_STEPWISE)
        derive_rename_stepwise(builder, call);
    else
        derive_rename_by_name(builder, call);
    cm_builder_set_path(builder, call->node, call->parent2, &call->filename2);
    if (exchange)
        cm_builder_set_path(builder, call->node2, call->parent, &call->filename);
}

static void lose_name(struct cm_builder *builder, uint32_t node)
{
    if (--builder->links[node] == 0)
        cm_derive_freeing(builder, node);
}

void cm_derive_names(struct cm_builder *builder, const struct ff_call *call)
{
    switch (call->effect) {
    case FF_EFFECT_LINK:
        derive_name(builder, CM_CLASS_LINK, call->parent, &call->filename, call->node);
        if (builder->paths[call->node] == NULL)
            cm_builder_set_path(builder, call->node, call->parent, &call->filename);
        builder->links[call->node]++;
        break;
    case FF_EFFECT_UNLINK:
        derive_unlink(builder, call);
        lose_name(builder, call->node);
        break;
    default:
        derive_rename(builder, call);
        if (call->effect == FF_EFFECT_RENAME && call->node2 != FF_NO_NODE)
            lose_name(builder, call->node2);
    }
}

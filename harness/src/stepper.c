/*
 * Building states. Each location that changed is put anew in the tree of the state
 * before; what a check has made of that tree since is taken back first.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"
#include "state.h"

struct cm_stepper {
    const struct cm_poset *poset;
    struct ff_tree *tree;
    cm_word *ideal;   /* whose files it has */
    cm_word *changed; /* by location */
    uint32_t *locations;
    size_t location_count; /* of those that changed */
};

/* ---- Locations of a file ---- */

static uint64_t file_size(const struct cm_poset *poset, const cm_word *ideal, uint32_t id)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    const struct cm_value *value =
        node->size == CM_NO_LOCATION ? NULL : cm_state_value(poset, ideal, node->size);
    return value != NULL ? value->to.size : node->content.size;
}

/*
 * A granule that the file grew over, but whose data did not persist, shows what the model
 * says. One that held data before the workload has zeros behind them: the kernel clears
 * the rest of a file's last page when it writes it.
 */
static void put_granule(const struct cm_poset *poset, const cm_word *ideal, uint32_t location,
                        struct ff_node *file)
{
    const struct cm_location *at = &poset->locations[location];
    if (at->granule * poset->granule >= file->size || S_ISSOCK(file->mode))
        return;
    const struct cm_value *value = cm_state_value(poset, ideal, location);
    const struct ff_bytes *base = &poset->nodes[at->node].content;
    size_t start = (size_t)(at->granule * poset->granule);
    size_t room = file->size - start < poset->granule ? file->size - start : poset->granule;
    size_t given = base->size > start ? base->size - start : 0;
    const unsigned char *bytes = given > 0 ? base->data + start : NULL;
    unsigned char rest = 0;
    if (value != NULL) {
        given = value->to.data.length;
        bytes = value->to.data.bytes;
    } else if (given == 0 && poset->model->unwritten == CM_UNWRITTEN_GARBAGE) {
        rest = CM_GARBAGE;
    }
    given = given < room ? given : room;
    if (given > 0)
        memcpy(file->data + start, bytes, given);
    memset(file->data + start + given, rest, room - given);
}

/* A file that cannot be read has a type of its own (tree.h). */
static uint32_t shown_type(const struct cm_poset *poset, const cm_word *ideal, uint32_t id)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    bool readable = node->chain == CM_NO_LOCATION ||
                    cm_state_is_readable(poset, node, file_size(poset, ideal, id),
                                         cm_state_value(poset, ideal, node->chain));
    return readable ? node->mode & S_IFMT : S_IFSOCK;
}

static void put_xattrs(const struct cm_poset *poset, const cm_word *ideal, uint32_t id,
                       struct ff_node *built);

/* Its size, and all that lies below it, if it can be read. */
static void put_content(const struct cm_poset *poset, const cm_word *ideal, uint32_t id,
                        struct ff_node *file)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    size_t size = (size_t)file_size(poset, ideal, id);
    ff_node_resize(file, 0);
    file->mode = shown_type(poset, ideal, id) | (file->mode & 07777);
    if (node->chain != CM_NO_LOCATION)
        put_xattrs(poset, ideal, id, file);
    if (S_ISSOCK(file->mode)) {
        ff_node_resize(file, size);
        return;
    }
    ff_node_write(file, node->content.data, node->content.size < size ? node->content.size : size,
                  0);
    ff_node_resize(file, size);
    for (size_t i = 0; i < node->part_count; i++)
        put_granule(poset, ideal, node->parts[i], file);
}

static void put_attributes(const struct cm_poset *poset, const cm_word *ideal, uint32_t id,
                           struct ff_node *built)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    const struct cm_value *value =
        node->attributes == CM_NO_LOCATION ? NULL : cm_state_value(poset, ideal, node->attributes);
    uint32_t bits = value != NULL ? value->to.attributes.mode : node->mode;
    built->mode = shown_type(poset, ideal, id) | (bits & 07777);
    built->uid = value != NULL ? value->to.attributes.uid : node->uid;
    built->gid = value != NULL ? value->to.attributes.gid : node->gid;
}

static void put_xattrs(const struct cm_poset *poset, const cm_word *ideal, uint32_t id,
                       struct ff_node *built)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    if (S_ISSOCK(built->mode)) { /* which cannot have all of them on a disk */
        ff_node_set_xattrs(built, (struct ff_bytes){NULL, 0});
        return;
    }
    ff_node_set_xattrs(built, node->xattrs);
    for (size_t i = 0; i < node->xattr_count; i++) {
        uint32_t location = node->xattr_locations[i];
        const struct cm_value *value = cm_state_value(poset, ideal, location);
        if (value == NULL)
            continue;
        if (value->to.xattr.removed)
            ff_node_remove_xattr(built, poset->locations[location].name);
        else
            ff_node_set_xattr(built, poset->locations[location].name, value->to.xattr.value);
    }
}

/* ---- Names ---- */

static void put_name(const struct cm_poset *poset, const cm_word *ideal, uint32_t location,
                     struct ff_tree *tree)
{
    const struct cm_location *at = &poset->locations[location];
    const struct cm_value *value = cm_state_value(poset, ideal, location);
    ff_tree_set_name(tree, at->node, at->name,
                     value != NULL ? value->to.node
                                   : ff_tree_lookup(poset->snapshot, at->node, at->name));
}

/* ---- Whole states ---- */

static void put_node(const struct cm_poset *poset, const cm_word *ideal, uint32_t id,
                     struct ff_tree *tree)
{
    const struct cm_poset_node *node = &poset->nodes[id];
    struct ff_node *built = ff_tree_create(tree, id, node->mode, 0, 0);
    put_attributes(poset, ideal, id, built);
    put_xattrs(poset, ideal, id, built);
    if (!S_ISDIR(node->mode)) {
        put_content(poset, ideal, id, built);
        return;
    }
    const struct ff_node *old = ff_tree_node(poset->snapshot, id);
    for (size_t i = 0; old != NULL && i < old->entry_count; i++)
        ff_tree_set_name(tree, id, old->entries[i].name, old->entries[i].node);
    for (size_t i = 0; i < node->part_count; i++)
        put_name(poset, ideal, node->parts[i], tree);
}

struct ff_tree *cm_state_build(const struct cm_poset *poset, const cm_word *ideal)
{
    struct ff_tree *tree = ff_tree_new();
    /* What a check makes is none of the workload's nodes. */
    ff_tree_reserve_ids(tree, poset->node_limit);
    for (uint32_t id = 1; id < poset->node_limit; id++)
        if (poset->nodes[id].mode != 0)
            put_node(poset, ideal, id, tree);
    return tree;
}

/* ---- Steps ---- */

struct cm_stepper *cm_stepper_new(const struct cm_poset *poset)
{
    struct cm_stepper *stepper = cm_allocate(1, sizeof(*stepper));
    stepper->poset = poset;
    stepper->ideal = cm_allocate(poset->words, sizeof(cm_word));
    stepper->changed = cm_allocate(cm_words(poset->location_count), sizeof(cm_word));
    stepper->locations = cm_allocate(poset->location_count, sizeof(uint32_t));
    return stepper;
}

void cm_stepper_free(struct cm_stepper *stepper)
{
    if (stepper == NULL)
        return;
    ff_tree_free(stepper->tree);
    free(stepper->ideal);
    free(stepper->changed);
    free(stepper->locations);
    free(stepper);
}

/* Lists the locations of the operations that only one of the ideals has. */
static void find_changes(struct cm_stepper *stepper, const cm_word *ideal)
{
    const struct cm_poset *poset = stepper->poset;
    stepper->location_count = 0;
    for (size_t w = 0; w < poset->words; w++) {
        for (cm_word rest = stepper->ideal[w] ^ ideal[w]; rest != 0; rest &= rest - 1) {
            size_t o = w * 64 + (size_t)__builtin_ctzll(rest);
            const struct cm_poset_operation *operation = &poset->operations[o];
            for (uint32_t v = 0; v < operation->value_count; v++) {
                uint32_t location = poset->values[operation->first_value + v].location;
                if (cm_has(stepper->changed, location))
                    continue;
                cm_add(stepper->changed, location);
                stepper->locations[stepper->location_count++] = location;
            }
        }
    }
    cm_copy(stepper->ideal, ideal, poset->words);
}

static void put_location(const struct cm_stepper *stepper, uint32_t location)
{
    const struct cm_poset *poset = stepper->poset;
    uint32_t id = poset->locations[location].node;
    struct ff_node *node = ff_tree_edit(stepper->tree, id);
    switch (poset->locations[location].kind) {
    case CM_LOCATION_DATA:
        put_granule(poset, stepper->ideal, location, node);
        break;
    case CM_LOCATION_SIZE:
    case CM_LOCATION_CHAIN:
        put_content(poset, stepper->ideal, id, node);
        break;
    case CM_LOCATION_ATTRIBUTES:
        put_attributes(poset, stepper->ideal, id, node);
        break;
    case CM_LOCATION_XATTR:
        put_xattrs(poset, stepper->ideal, id, node);
        break;
    case CM_LOCATION_NAME:
        put_name(poset, stepper->ideal, location, stepper->tree);
        break;
    case CM_LOCATION_PAST:
        break;
    }
}

struct ff_tree *cm_stepper_step(struct cm_stepper *stepper, const cm_word *ideal)
{
    if (stepper->tree == NULL) {
        stepper->tree = cm_state_build(stepper->poset, ideal);
        cm_copy(stepper->ideal, ideal, stepper->poset->words);
    } else {
        ff_tree_rollback(stepper->tree);
        find_changes(stepper, ideal);
        for (size_t i = 0; i < stepper->location_count; i++) {
            cm_remove(stepper->changed, stepper->locations[i]);
            put_location(stepper, stepper->locations[i]);
        }
    }
    ff_tree_savepoint(stepper->tree);
    return stepper->tree;
}

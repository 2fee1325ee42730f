/*
 * One walk from the root serves both: asked by the explorer it observes, and
 * asked by an ideal it builds. Only what a walk can reach is part of a state.
 */
#include "state.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

struct walk {
    const struct cm_poset *poset;
    const cm_word *ideal;         /* build what it holds, or, when NULL, ... */
    struct cm_explorer *explorer; /* ... observe through this */
    struct ff_tree *tree;
    void (*visit)(void *context, uint32_t location); /* tell of each location, or NULL */
    void *context;
    bool *visited; /* by node */
};

/* The last value of the location that persisted, or NULL for the base. */
static const struct cm_value *look(struct walk *walk, uint32_t location)
{
    const struct cm_poset *poset = walk->poset;
    if (walk->ideal == NULL) {
        int64_t value = cm_observe(walk->explorer, location);
        return value < 0 ? NULL : &poset->values[value];
    }
    if (walk->visit != NULL)
        walk->visit(walk->context, location);
    const struct cm_location *at = &poset->locations[location];
    for (size_t i = at->value_count; i-- > 0;)
        if (cm_has(walk->ideal, poset->values[at->values[i]].operation))
            return &poset->values[at->values[i]];
    return NULL;
}

static void put_granule(struct ff_node *file, const struct cm_poset *poset, uint64_t granule,
                        const struct cm_value *value)
{
    size_t start = (size_t)(granule * poset->granule);
    size_t room = file->size - start;
    size_t whole = room < poset->granule ? room : poset->granule;
    size_t given = value->to.data.length < whole ? value->to.data.length : whole;
    if (given > 0)
        memcpy(file->data + start, value->to.data.bytes, given);
    memset(file->data + start + given, 0, whole - given);
}

/*
 * A granule that the file grew over, but whose data did not persist. One that
 * held data before the workload has zeros behind them: the kernel clears the
 * rest of a file's last page when it writes it.
 */
static void put_unwritten(struct ff_node *file, const struct cm_poset *poset, uint64_t granule,
                          size_t base_size)
{
    size_t start = (size_t)(granule * poset->granule);
    size_t end = start + poset->granule < file->size ? start + poset->granule : file->size;
    if (poset->model->unwritten == CM_UNWRITTEN_GARBAGE && base_size <= start)
        memset(file->data + start, CM_GARBAGE, end - start);
}

static void walk_file(struct walk *walk, uint32_t id, struct ff_node *file)
{
    const struct cm_poset *poset = walk->poset;
    const struct cm_poset_node *node = &poset->nodes[id];
    const struct cm_value *value = node->size == CM_NO_LOCATION ? NULL : look(walk, node->size);
    uint64_t size = value != NULL ? value->to.size : node->content.size;
    size_t base = node->content.size < size ? node->content.size : (size_t)size;
    if (file != NULL) {
        ff_node_resize(file, (size_t)size);
        if (base > 0)
            memcpy(file->data, node->content.data, base);
    }
    for (size_t i = 0; i < node->part_count; i++) {
        uint64_t granule = poset->locations[node->parts[i]].granule;
        if (granule * poset->granule >= size)
            break;
        value = look(walk, node->parts[i]);
        if (file != NULL && value != NULL)
            put_granule(file, poset, granule, value);
        else if (file != NULL)
            put_unwritten(file, poset, granule, node->content.size);
    }
}

static void walk_node(struct walk *walk, uint32_t id);

static void walk_name(struct walk *walk, uint32_t directory, const char *name, uint32_t node)
{
    if (node == FF_NO_NODE)
        return;
    if (!walk->visited[node])
        walk_node(walk, node);
    if (walk->tree != NULL)
        ff_tree_set_name(walk->tree, directory, name, node);
}

/* The names of the snapshot and those that the workload touched, merged. */
static void walk_directory(struct walk *walk, uint32_t id)
{
    const struct cm_poset *poset = walk->poset;
    const struct cm_poset_node *node = &poset->nodes[id];
    const struct ff_node *old = ff_tree_node(poset->snapshot, id);
    size_t old_count = old != NULL ? old->entry_count : 0;
    for (size_t i = 0, j = 0; i < node->part_count || j < old_count;) {
        bool old_left = j < old_count;
        const char *touched = i < node->part_count ? poset->locations[node->parts[i]].name : NULL;
        int order = !old_left ? -1 : touched == NULL ? 1 : strcmp(touched, old->entries[j].name);
        if (order > 0) {
            walk_name(walk, id, old->entries[j].name, old->entries[j].node);
            j++;
            continue;
        }
        const struct cm_value *value = look(walk, node->parts[i]);
        uint32_t base = order == 0 ? old->entries[j].node : FF_NO_NODE;
        walk_name(walk, id, touched, value != NULL ? value->to.node : base);
        i++;
        j += order == 0;
    }
}

static void walk_xattrs(struct walk *walk, uint32_t id, struct ff_node *built)
{
    const struct cm_poset *poset = walk->poset;
    const struct cm_poset_node *node = &poset->nodes[id];
    if (built != NULL && node->xattrs.size != 0)
        ff_node_set_xattrs(built, node->xattrs);
    for (size_t i = 0; i < node->xattr_count; i++) {
        const char *name = poset->locations[node->xattr_locations[i]].name;
        const struct cm_value *value = look(walk, node->xattr_locations[i]);
        if (built == NULL || value == NULL)
            continue;
        if (value->to.xattr.removed)
            ff_node_remove_xattr(built, name);
        else
            ff_node_set_xattr(built, name, value->to.xattr.value);
    }
}

static void walk_node(struct walk *walk, uint32_t id)
{
    const struct cm_poset_node *node = &walk->poset->nodes[id];
    const struct cm_value *value =
        node->attributes == CM_NO_LOCATION ? NULL : look(walk, node->attributes);
    struct ff_node *built = NULL;
    walk->visited[id] = true;
    if (walk->tree != NULL) {
        if (id != FF_ROOT_NODE)
            ff_tree_create(walk->tree, id, node->mode, 0, 0);
        built = ff_tree_node(walk->tree, id);
        uint32_t bits = value != NULL ? value->to.attributes.mode : node->mode;
        built->mode = (node->mode & S_IFMT) | (bits & 07777);
        built->uid = value != NULL ? value->to.attributes.uid : node->uid;
        built->gid = value != NULL ? value->to.attributes.gid : node->gid;
    }
    walk_xattrs(walk, id, built);
    if (S_ISREG(node->mode))
        walk_file(walk, id, built);
    else if (S_ISDIR(node->mode))
        walk_directory(walk, id);
    else if (built != NULL && node->content.size > 0)
        ff_node_write(built, node->content.data, node->content.size, 0);
}

static void walk_from_root(struct walk *walk)
{
    walk->visited = cm_allocate(walk->poset->node_limit, sizeof(*walk->visited));
    walk_node(walk, FF_ROOT_NODE);
    free(walk->visited);
}

void cm_state_rebuild(const struct cm_poset *poset, const cm_word *ideal, struct ff_tree *tree)
{
    ff_tree_reset(tree);
    /* What a check makes is none of the workload's nodes. */
    ff_tree_reserve_ids(tree, poset->node_limit);
    struct walk walk = {.poset = poset, .ideal = ideal, .tree = tree};
    walk_from_root(&walk);
}

struct ff_tree *cm_state_build(const struct cm_poset *poset, const cm_word *ideal)
{
    struct ff_tree *tree = ff_tree_new();
    cm_state_rebuild(poset, ideal, tree);
    return tree;
}

void cm_read_everything(const struct cm_poset *poset, struct cm_explorer *explorer)
{
    struct walk walk = {.poset = poset, .explorer = explorer};
    walk_from_root(&walk);
}

void cm_state_visit(const struct cm_poset *poset, const cm_word *ideal,
                    void (*visit)(void *context, uint32_t location), void *context)
{
    struct walk walk = {.poset = poset, .ideal = ideal, .visit = visit, .context = context};
    walk_from_root(&walk);
}

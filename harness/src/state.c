/*
 * What can be seen of a state: a walk from the root, by which a reader observes, or
 * which tells of what it came by.
 */
#include "state.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"

struct walk {
    const struct cm_poset *poset;
    const cm_word *ideal;         /* walk through its state, or, when NULL, ... */
    struct cm_explorer *explorer; /* ... observe through this */
    void (*visit)(void *context, uint32_t location);
    void *context;
    bool *visited; /* by node */
};

/* The last value of the location that persisted, or NULL for the base. */
static const struct cm_value *look(struct walk *walk, uint32_t location)
{
    const struct cm_poset *poset = walk->poset;
    if (walk->ideal != NULL) {
        walk->visit(walk->context, location);
        return cm_state_value(poset, walk->ideal, location);
    }
    int64_t value = cm_observe(walk->explorer, location);
    return value < 0 ? NULL : &poset->values[value];
}

static void walk_file(struct walk *walk, const struct cm_poset_node *node)
{
    const struct cm_poset *poset = walk->poset;
    const struct cm_value *value = node->size == CM_NO_LOCATION ? NULL : look(walk, node->size);
    uint64_t size = value != NULL ? value->to.size : node->content.size;
    if (node->chain != CM_NO_LOCATION &&
        !cm_state_is_readable(poset, node, size, look(walk, node->chain)))
        return;
    for (size_t i = 0; i < node->part_count; i++) {
        if (poset->locations[node->parts[i]].granule * poset->granule >= size)
            break;
        look(walk, node->parts[i]);
    }
}

static void walk_node(struct walk *walk, uint32_t id);

static void walk_name(struct walk *walk, uint32_t node)
{
    if (node != FF_NO_NODE && !walk->visited[node])
        walk_node(walk, node);
}

/*
 * The names of the snapshot and those that the workload touched, merged; from the last one
 * on, as in cm_looks_at_names().
 */
static void walk_directory(struct walk *walk, uint32_t id)
{
    const struct cm_poset *poset = walk->poset;
    const struct cm_poset_node *node = &poset->nodes[id];
    const struct ff_node *old = ff_tree_node(poset->snapshot, id);
    for (size_t i = node->part_count, j = old != NULL ? old->entry_count : 0; i > 0 || j > 0;) {
        const char *touched = i > 0 ? poset->locations[node->parts[i - 1]].name : NULL;
        int order = j == 0 ? 1 : touched == NULL ? -1 : strcmp(touched, old->entries[j - 1].name);
        uint32_t base = order <= 0 ? old->entries[--j].node : FF_NO_NODE;
        const struct cm_value *value = order >= 0 ? look(walk, node->parts[--i]) : NULL;
        walk_name(walk, value != NULL ? value->to.node : base);
    }
}

static void walk_node(struct walk *walk, uint32_t id)
{
    const struct cm_poset_node *node = &walk->poset->nodes[id];
    walk->visited[id] = true;
    if (node->attributes != CM_NO_LOCATION)
        look(walk, node->attributes);
    for (size_t i = 0; i < node->xattr_count; i++)
        look(walk, node->xattr_locations[i]);
    if (S_ISREG(node->mode))
        walk_file(walk, node);
    else if (S_ISDIR(node->mode))
        walk_directory(walk, id);
}

static void walk_from_root(struct walk *walk)
{
    walk->visited = cm_allocate(walk->poset->node_limit, sizeof(*walk->visited));
    walk_node(walk, FF_ROOT_NODE);
    free(walk->visited);
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

/* ---- What cannot be read ---- */

/* Below a directory, the first one: its path behind that of the directory. */
static char *find_unreadable(const struct cm_poset *poset, const struct ff_tree *tree,
                             uint32_t directory, const char *path)
{
    const struct ff_node *node = ff_tree_node(tree, directory);
    char *found = NULL;
    for (size_t i = 0; i < node->entry_count && found == NULL; i++) {
        uint32_t child = node->entries[i].node;
        char *name = cm_format("%s%s", path, node->entries[i].name);
        char *below = cm_format("%s/", name);
        if (S_ISSOCK(ff_tree_node(tree, child)->mode) && S_ISREG(poset->nodes[child].mode))
            found = cm_format("%s", name);
        else if (S_ISDIR(ff_tree_node(tree, child)->mode))
            found = find_unreadable(poset, tree, child, below);
        free(below);
        free(name);
    }
    return found;
}

char *cm_state_unreadable(const struct cm_poset *poset, const cm_word *ideal)
{
    if (poset->model->choices[CM_CHOICE_SIZE] != CM_SIZE_ENTRY)
        return NULL;
    struct ff_tree *tree = cm_state_build(poset, ideal);
    char *found = find_unreadable(poset, tree, FF_ROOT_NODE, "");
    ff_tree_free(tree);
    return found;
}

#include "inventory.h"

#include <sys/stat.h>

struct ff_tree *cm_inventory(const struct cm_poset *poset)
{
    struct ff_tree *tree = ff_tree_new();
    for (uint32_t id = 0; id < poset->node_limit; id++) {
        const struct cm_poset_node *node = &poset->nodes[id];
        if (id == FF_ROOT_NODE || (node->mode & S_IFMT) == 0)
            continue;
        struct ff_node *made = ff_tree_create(tree, id, node->mode, 0, 0);
        if (S_ISLNK(node->mode))
            ff_node_write(made, node->content.data, node->content.size, 0);
    }
    return tree;
}

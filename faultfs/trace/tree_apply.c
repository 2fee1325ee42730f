/*
 * What each effect does to a tree: one function an effect, in a table. Each
 * first checks that the tree is as the call says that it found it.
 */
#include "error.h"
#include "faultfs/tree.h"

#include <string.h>
#include <sys/stat.h>

static const char *name_of(struct ff_bytes filename)
{
    return filename.data == NULL ? "" : (const char *)filename.data;
}

static int fail(struct ff_error *error, const struct ff_call *call, const char *problem)
{
    return ff_error_set(error, "%s: %s (%s, node %u, name \"%s\")",
                        call->name == NULL ? "" : call->name, problem, ff_effect_name(call->effect),
                        call->node, name_of(call->filename));
}

static bool is_directory(const struct ff_tree *tree, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(tree, id);
    return node != NULL && S_ISDIR(node->mode);
}

static bool is_file(const struct ff_tree *tree, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(tree, id);
    return node != NULL && S_ISREG(node->mode);
}

static uint32_t meaning(const struct ff_tree *tree, const struct ff_call *call)
{
    return ff_tree_lookup(tree, call->parent, name_of(call->filename));
}

static uint32_t meaning2(const struct ff_tree *tree, const struct ff_call *call)
{
    return ff_tree_lookup(tree, call->parent2, name_of(call->filename2));
}

static const char *apply_create(struct ff_tree *tree, const struct ff_call *call)
{
    if (call->node == FF_NO_NODE || ff_tree_node(tree, call->node) != NULL)
        return "the new node exists already";
    bool unnamed = call->parent == FF_NO_NODE;
    if (!unnamed && !is_directory(tree, call->parent))
        return "the parent is not a directory";
    if (!unnamed && meaning(tree, call) != FF_NO_NODE)
        return "the new name exists already";
    struct ff_node *node = ff_tree_create(tree, call->node, call->mode, call->uid, call->gid);
    if (S_ISLNK(call->mode))
        ff_node_write(node, call->data.data, call->data.size, 0);
    if (!unnamed)
        ff_tree_set_name(tree, call->parent, name_of(call->filename), call->node);
    return NULL;
}

static const char *apply_write(struct ff_tree *tree, const struct ff_call *call)
{
    if (!is_file(tree, call->node))
        return "the node is not a file";
    if (call->offset > FF_SIZE_LIMIT || call->data.size > FF_SIZE_LIMIT - call->offset)
        return "the file grows beyond the supported size";
    ff_node_write(ff_tree_edit(tree, call->node), call->data.data, call->data.size,
                  (size_t)call->offset);
    return NULL;
}

static const char *apply_resize(struct ff_tree *tree, const struct ff_call *call)
{
    if (!is_file(tree, call->node))
        return "the node is not a file";
    if (call->offset > FF_SIZE_LIMIT)
        return "the file grows beyond the supported size";
    ff_node_resize(ff_tree_edit(tree, call->node), (size_t)call->offset);
    return NULL;
}

static const char *apply_attributes(struct ff_tree *tree, const struct ff_call *call)
{
    struct ff_node *node = ff_tree_edit(tree, call->node);
    if (node == NULL)
        return "the node does not exist";
    node->mode = (node->mode & S_IFMT) | (call->mode & 07777);
    node->uid = call->uid;
    node->gid = call->gid;
    return NULL;
}

static const char *apply_set_xattr(struct ff_tree *tree, const struct ff_call *call)
{
    struct ff_node *node = ff_tree_edit(tree, call->node);
    if (node == NULL)
        return "the node does not exist";
    ff_node_set_xattr(node, name_of(call->filename), call->data);
    return NULL;
}

static const char *apply_remove_xattr(struct ff_tree *tree, const struct ff_call *call)
{
    struct ff_node *node = ff_tree_edit(tree, call->node);
    if (node == NULL)
        return "the node does not exist";
    return ff_node_remove_xattr(node, name_of(call->filename)) ? NULL : "it has no such attribute";
}

static const char *apply_link(struct ff_tree *tree, const struct ff_call *call)
{
    if (ff_tree_node(tree, call->node) == NULL || is_directory(tree, call->node))
        return "the node does not exist or is a directory";
    if (!is_directory(tree, call->parent))
        return "the parent is not a directory";
    if (meaning(tree, call) != FF_NO_NODE)
        return "the new name exists already";
    ff_tree_set_name(tree, call->parent, name_of(call->filename), call->node);
    return NULL;
}

static const char *apply_unlink(struct ff_tree *tree, const struct ff_call *call)
{
    if (call->node == FF_NO_NODE || meaning(tree, call) != call->node)
        return "the name does not mean this node";
    if (is_directory(tree, call->node) && tree->nodes[call->node].entry_count != 0)
        return "the directory is not empty";
    ff_tree_set_name(tree, call->parent, name_of(call->filename), FF_NO_NODE);
    return NULL;
}

static const char *apply_rename(struct ff_tree *tree, const struct ff_call *call)
{
    if (call->node == FF_NO_NODE || meaning(tree, call) != call->node)
        return "the old name does not mean this node";
    if (!is_directory(tree, call->parent2))
        return "the second parent is not a directory";
    if (meaning2(tree, call) != call->node2 || call->node == call->node2)
        return "the new name does not mean what it should";
    if (is_directory(tree, call->node2) && tree->nodes[call->node2].entry_count != 0)
        return "the replaced directory is not empty";
    ff_tree_set_name(tree, call->parent, name_of(call->filename), FF_NO_NODE);
    ff_tree_set_name(tree, call->parent2, name_of(call->filename2), call->node);
    return NULL;
}

static const char *apply_exchange(struct ff_tree *tree, const struct ff_call *call)
{
    if (call->node == FF_NO_NODE || meaning(tree, call) != call->node)
        return "the first name does not mean this node";
    if (call->node2 == FF_NO_NODE || meaning2(tree, call) != call->node2)
        return "the second name does not mean its node";
    ff_tree_set_name(tree, call->parent, name_of(call->filename), call->node2);
    ff_tree_set_name(tree, call->parent2, name_of(call->filename2), call->node);
    return NULL;
}

int ff_tree_apply(struct ff_tree *tree, const struct ff_call *call, struct ff_error *error)
{
    /* Effects without a function change nothing in a tree. */
    static const char *(*const apply[FF_EFFECT_COUNT])(struct ff_tree *, const struct ff_call *) = {
        [FF_EFFECT_CREATE] = apply_create,       [FF_EFFECT_WRITE] = apply_write,
        [FF_EFFECT_RESIZE] = apply_resize,       [FF_EFFECT_ATTRIBUTES] = apply_attributes,
        [FF_EFFECT_LINK] = apply_link,           [FF_EFFECT_UNLINK] = apply_unlink,
        [FF_EFFECT_RENAME] = apply_rename,       [FF_EFFECT_EXCHANGE] = apply_exchange,
        [FF_EFFECT_SET_XATTR] = apply_set_xattr, [FF_EFFECT_REMOVE_XATTR] = apply_remove_xattr,
    };
    if ((unsigned)call->effect >= FF_EFFECT_COUNT)
        return fail(error, call, "the effect is unknown");
    const char *problem = apply[call->effect] == NULL ? NULL : apply[call->effect](tree, call);
    return problem == NULL ? 0 : fail(error, call, problem);
}

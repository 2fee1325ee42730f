#include "tree_walk.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void level_push(struct tree_walk *walk, uint32_t directory, const char *name)
{
    walk->levels =
        ff_memory_grow(walk->levels, &walk->capacity, walk->depth + 1, sizeof(*walk->levels));
    walk->levels[walk->depth++] = (struct walk_level){directory, 0, name};
}

void ff_tree_walk_begin(struct tree_walk *walk, const struct ff_tree *tree)
{
    *walk = (struct tree_walk){.tree = tree, .node = FF_ROOT_NODE, .name = "", .ordinal = 1};
    walk->ordinals = ff_memory_allocate(tree->node_limit, sizeof(*walk->ordinals));
    walk->ordinals[FF_ROOT_NODE] = ++walk->visited;
    level_push(walk, FF_ROOT_NODE, "");
}

static enum walk_event level_leave(struct tree_walk *walk)
{
    const struct walk_level *level = &walk->levels[--walk->depth];
    walk->node = level->directory;
    walk->name = level->name;
    walk->ordinal = walk->ordinals[level->directory];
    walk->first = false;
    return walk->depth == 0 ? WALK_END : WALK_LEAVE;
}

enum walk_event ff_tree_walk_next(struct tree_walk *walk)
{
    struct walk_level *level = &walk->levels[walk->depth - 1];
    const struct ff_node *directory = &walk->tree->nodes[level->directory];
    if (level->next == directory->entry_count)
        return level_leave(walk);
    const struct ff_entry *entry = &directory->entries[level->next++];
    walk->name = entry->name;
    walk->node = entry->node;
    walk->first = walk->ordinals[entry->node] == 0;
    if (walk->first)
        walk->ordinals[entry->node] = ++walk->visited;
    walk->ordinal = walk->ordinals[entry->node];
    /* A directory met again (a state may be malformed) is not entered again. */
    if (walk->first && S_ISDIR(walk->tree->nodes[entry->node].mode))
        level_push(walk, entry->node, entry->name);
    return WALK_NAME;
}

void ff_tree_walk_end(struct tree_walk *walk)
{
    free(walk->levels);
    free(walk->ordinals);
}

static void path_append(char **path, size_t *size, size_t *capacity, const char *name)
{
    size_t length = strlen(name);
    *path = ff_memory_grow(*path, capacity, *size + length + 2, 1);
    if (*size != 0)
        (*path)[(*size)++] = '/';
    memcpy(*path + *size, name, length + 1);
    *size += length;
}

char *ff_tree_walk_path(const struct tree_walk *walk)
{
    char *path = NULL;
    size_t size = 0, capacity = 0;
    for (size_t i = 1; i < walk->depth; i++)
        path_append(&path, &size, &capacity, walk->levels[i].name);
    /* A directory's own name is on the stack as soon as it was visited. */
    bool entered = walk->depth != 0 && walk->levels[walk->depth - 1].directory == walk->node;
    if (!entered && walk->name[0] != '\0')
        path_append(&path, &size, &capacity, walk->name);
    if (path == NULL)
        path_append(&path, &size, &capacity, ".");
    return path;
}

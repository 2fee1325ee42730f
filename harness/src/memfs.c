/*
 * A crash state in memory as a platform for libmanifest: see memfs.h. Which errors
 * come first is taken from path_resolution(7), open(2), rename(2), unlink(2) and,
 * where those leave it open, from ext4 on Linux.
 */
#include "memfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_LIMIT 40 /* path_resolution(7) */
#define DEPTH_LIMIT 256

/* ---- Handles and nodes ---- */

/* The node of a handle, or NULL. */
static const struct ff_node *handle_node(const struct cm_memfs *memfs, int handle)
{
    if (handle < 0 || handle >= CM_MEMFS_HANDLES || memfs->handles[handle].node == FF_NO_NODE)
        return NULL;
    return ff_tree_node(memfs->state->tree, memfs->handles[handle].node);
}

static int handle_new(struct cm_memfs *memfs, uint32_t node, bool writable)
{
    for (int i = 0; i < CM_MEMFS_HANDLES; i++) {
        if (memfs->handles[i].node == FF_NO_NODE) {
            memfs->handles[i].node = node;
            memfs->handles[i].writable = writable;
            return i;
        }
    }
    return -EMFILE;
}

static bool is_directory(const struct ff_node *node)
{
    return S_ISDIR(node->mode);
}

static int node_status(const struct cm_memfs *memfs, uint32_t id, struct mf_status *status)
{
    const struct ff_node *node = ff_tree_node(memfs->state->tree, id);
    *status = (struct mf_status){.type = MF_TYPE_OTHER};
    if (S_ISREG(node->mode) || S_ISSOCK(node->mode)) {
        status->type = MF_TYPE_FILE;
        status->size = cm_state_size(memfs->state, id);
    } else if (S_ISDIR(node->mode)) {
        status->type = MF_TYPE_DIRECTORY;
    } else if (S_ISLNK(node->mode)) {
        status->type = MF_TYPE_LINK;
    }
    return 0;
}

/* The id of the directory that a handle and a name in it are about, or a negative
 * errno. */
static int64_t directory_for(const struct cm_memfs *memfs, int handle, const char *name)
{
    const struct ff_node *node = handle_node(memfs, handle);
    if (name[0] == '\0')
        return -ENOENT;
    if (node == NULL)
        return -EBADF;
    if (!is_directory(node))
        return -ENOTDIR;
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    /* Not one component that could be created or removed: platform.h rules it out. */
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EINVAL;
    return memfs->handles[handle].node;
}

static uint32_t node_create(struct cm_memfs *memfs, uint32_t directory, const char *name,
                            uint32_t mode)
{
    const struct ff_node *root = ff_tree_node(memfs->state->tree, FF_ROOT_NODE);
    uint32_t uid = root->uid;
    uint32_t gid = root->gid;
    uint32_t id = ff_tree_fresh_id(memfs->state->tree);
    ff_tree_create(memfs->state->tree, id, mode, uid, gid);
    ff_tree_set_name(memfs->state->tree, directory, name, id);
    return id;
}

/* ---- Paths ---- */

/* The way from the root to where a path has led so far. */
struct walk {
    const struct cm_memfs *memfs;
    uint32_t nodes[DEPTH_LIMIT];
    size_t depth; /* at least 1 */
    unsigned links;
};

static int walk_path(struct walk *walk, const char *path);

/* Goes on with the target of a link, from the directory that holds it. */
static int walk_link(struct walk *walk, const struct ff_node *link)
{
    char target[PATH_MAX];
    if (++walk->links > LINKS_LIMIT)
        return -ELOOP;
    if (link->size >= sizeof(target))
        return -ENAMETOOLONG;
    memcpy(target, link->data, link->size);
    target[link->size] = '\0';
    return walk_path(walk, target);
}

static int walk_component(struct walk *walk, const char *name)
{
    uint32_t here = walk->nodes[walk->depth - 1];
    if (!is_directory(ff_tree_node(walk->memfs->state->tree, here)))
        return -ENOTDIR;
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        walk->depth -= walk->depth > 1;
        return 0;
    }
    uint32_t id = cm_state_lookup(walk->memfs->state, here, name);
    if (id == FF_NO_NODE)
        return -ENOENT;
    const struct ff_node *node = ff_tree_node(walk->memfs->state->tree, id);
    if (S_ISLNK(node->mode))
        return walk_link(walk, node);
    if (walk->depth == DEPTH_LIMIT)
        return -ENAMETOOLONG;
    walk->nodes[walk->depth++] = id;
    return 0;
}

/* Follows every link, also in the last component. */
static int walk_path(struct walk *walk, const char *path)
{
    char name[NAME_MAX + 1];
    if (path[0] == '\0' || path[0] == '/')
        return -ENOENT;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, path, length);
        name[length] = '\0';
        int result = walk_component(walk, name);
        if (result != 0)
            return result;
        path += length;
        path += strspn(path, "/");
    }
    return 0;
}

static int memfs_open_directory(void *context, const char *path)
{
    struct cm_memfs *memfs = context;
    struct walk walk = {.memfs = memfs, .nodes = {FF_ROOT_NODE}, .depth = 1};
    int result = walk_path(&walk, path);
    if (result != 0)
        return result;
    uint32_t id = walk.nodes[walk.depth - 1];
    if (!is_directory(ff_tree_node(memfs->state->tree, id)))
        return -ENOTDIR;
    return handle_new(memfs, id, false);
}

/* Splits off the last component, without the slashes after it. False when there is
 * none that could be created. */
static bool path_split(const char *path, char parent[PATH_MAX], char name[NAME_MAX + 1])
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == end || end - start > NAME_MAX || start >= PATH_MAX - 2)
        return false;
    memcpy(name, path + start, end - start);
    name[end - start] = '\0';
    memcpy(parent, path, start);
    memcpy(parent + start, ".", 2); /* "a/" becomes "a/.", "" becomes "." */
    return true;
}

static int memfs_make_directory(void *context, const char *path)
{
    struct cm_memfs *memfs = context;
    struct walk walk = {.memfs = memfs, .nodes = {FF_ROOT_NODE}, .depth = 1};
    char parent[PATH_MAX];
    char name[NAME_MAX + 1];
    if (path[0] == '\0')
        return -ENOENT;
    if (!path_split(path, parent, name))
        return path[strspn(path, "/")] == '\0' ? -EEXIST : -ENAMETOOLONG;
    int result = walk_path(&walk, parent);
    if (result != 0)
        return result;
    uint32_t here = walk.nodes[walk.depth - 1];
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        cm_state_lookup(memfs->state, here, name) != FF_NO_NODE)
        return -EEXIST;
    node_create(memfs, here, name, S_IFDIR | 0755);
    return 0;
}

/* ---- Opening ---- */

static int existing_open(struct cm_memfs *memfs, uint32_t id, unsigned flags)
{
    const struct ff_node *node = ff_tree_node(memfs->state->tree, id);
    bool writable = (flags & MF_OPEN_WRITE) != 0;
    bool create = (flags & MF_OPEN_CREATE) != 0;
    if (create && (flags & MF_OPEN_EXCLUSIVE) != 0)
        return -EEXIST;
    if (S_ISLNK(node->mode))
        return -ELOOP;
    if (is_directory(node) && (writable || create))
        return -EISDIR;
    return handle_new(memfs, id, writable);
}

static int memfs_open(void *context, int directory, const char *name, unsigned flags)
{
    struct cm_memfs *memfs = context;
    int64_t parent = directory_for(memfs, directory, name);
    if (parent < 0)
        return (int)parent;
    uint32_t id = cm_state_lookup(memfs->state, (uint32_t)parent, name);
    if (id != FF_NO_NODE)
        return existing_open(memfs, id, flags);
    if ((flags & MF_OPEN_CREATE) == 0)
        return -ENOENT;
    int handle = handle_new(memfs, FF_ROOT_NODE, (flags & MF_OPEN_WRITE) != 0);
    if (handle >= 0)
        memfs->handles[handle].node = node_create(memfs, (uint32_t)parent, name, S_IFREG | 0644);
    return handle;
}

static int memfs_close(void *context, int handle)
{
    struct cm_memfs *memfs = context;
    if (handle_node(memfs, handle) == NULL)
        return -EBADF;
    memfs->handles[handle].node = FF_NO_NODE;
    return 0;
}

/* ---- Files ---- */

static int64_t memfs_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    const struct cm_memfs *memfs = context;
    const struct ff_node *node = handle_node(memfs, file);
    if (offset > INT64_MAX)
        return -EINVAL;
    if (node == NULL)
        return -EBADF;
    if (is_directory(node))
        return -EISDIR;
    if (S_ISSOCK(node->mode))
        return cm_state_size(memfs->state, memfs->handles[file].node) > 0 ? -EIO : 0;
    if (!S_ISREG(node->mode))
        return -ESPIPE;
    return (int64_t)cm_state_read(memfs->state, memfs->handles[file].node, buffer, size, offset);
}

static int64_t memfs_write(void *context, int file, const void *buffer, size_t size,
                           uint64_t offset)
{
    const struct cm_memfs *memfs = context;
    const struct ff_node *node = handle_node(memfs, file);
    if (offset > INT64_MAX)
        return -EINVAL;
    if (node == NULL || !memfs->handles[file].writable)
        return -EBADF;
    if (S_ISSOCK(node->mode))
        return -EIO;
    if (!S_ISREG(node->mode))
        return -ESPIPE;
    if (size > CM_MEMFS_LIMIT || offset > CM_MEMFS_LIMIT - size)
        return -EFBIG;
    if (size > 0)
        ff_node_write(ff_tree_edit(memfs->state->tree, memfs->handles[file].node), buffer, size,
                      (size_t)offset);
    return (int64_t)size;
}

static int memfs_sync(void *context, int handle)
{
    const struct ff_node *node = handle_node(context, handle);
    if (node == NULL)
        return -EBADF;
    return S_ISREG(node->mode) || S_ISSOCK(node->mode) || is_directory(node) ? 0 : -EINVAL;
}

static int memfs_status(void *context, int handle, struct mf_status *status)
{
    const struct cm_memfs *memfs = context;
    const struct ff_node *node = handle_node(memfs, handle);
    return node == NULL ? -EBADF : node_status(memfs, memfs->handles[handle].node, status);
}

/* ---- Names ---- */

static int memfs_status_at(void *context, int directory, const char *name, struct mf_status *status)
{
    const struct cm_memfs *memfs = context;
    int64_t parent = directory_for(memfs, directory, name);
    if (parent < 0)
        return (int)parent;
    uint32_t id = cm_state_lookup(memfs->state, (uint32_t)parent, name);
    return id == FF_NO_NODE ? -ENOENT : node_status(memfs, id, status);
}

/* Whether one node may replace another one: 0 or a negative errno. */
static int replacement_check(const struct cm_memfs *memfs, uint32_t source, uint32_t target)
{
    const struct ff_node *from = ff_tree_node(memfs->state->tree, source);
    const struct ff_node *to = ff_tree_node(memfs->state->tree, target);
    if (is_directory(from) && !is_directory(to))
        return -ENOTDIR;
    if (!is_directory(from) && is_directory(to))
        return -EISDIR;
    return is_directory(to) && cm_state_list(memfs->state, target)->entry_count > 0 ? -ENOTEMPTY
                                                                                    : 0;
}

static int memfs_rename(void *context, int directory, const char *from, const char *to)
{
    struct cm_memfs *memfs = context;
    int64_t parent = directory_for(memfs, directory, from);
    if (parent >= 0)
        parent = directory_for(memfs, directory, to);
    if (parent < 0)
        return (int)parent;
    uint32_t source = cm_state_lookup(memfs->state, (uint32_t)parent, from);
    uint32_t target = cm_state_lookup(memfs->state, (uint32_t)parent, to);
    if (source == FF_NO_NODE)
        return -ENOENT;
    if (source == target)
        return 0; /* rename(2): two names of one file are left as they are */
    if (target != FF_NO_NODE) {
        int result = replacement_check(memfs, source, target);
        if (result != 0)
            return result;
    }
    ff_tree_set_name(memfs->state->tree, (uint32_t)parent, to, source);
    ff_tree_set_name(memfs->state->tree, (uint32_t)parent, from, FF_NO_NODE);
    return 0;
}

static int memfs_remove(void *context, int directory, const char *name)
{
    struct cm_memfs *memfs = context;
    int64_t parent = directory_for(memfs, directory, name);
    if (parent < 0)
        return (int)parent;
    uint32_t id = cm_state_lookup(memfs->state, (uint32_t)parent, name);
    if (id == FF_NO_NODE)
        return -ENOENT;
    if (is_directory(ff_tree_node(memfs->state->tree, id)))
        return -EISDIR;
    ff_tree_set_name(memfs->state->tree, (uint32_t)parent, name, FF_NO_NODE);
    return 0;
}

/* All names of a directory, one after the other, since visit may change it. */
static char *names_copy(const struct ff_node *node)
{
    size_t size = 1;
    for (size_t i = 0; i < node->entry_count; i++)
        size += strlen(node->entries[i].name) + 1;
    char *names = malloc(size);
    char *next = names;
    for (size_t i = 0; names != NULL && i < node->entry_count; i++)
        next = stpcpy(next, node->entries[i].name) + 1;
    return names;
}

static int memfs_list(void *context, int directory, int (*visit)(void *argument, const char *name),
                      void *argument)
{
    const struct cm_memfs *memfs = context;
    const struct ff_node *node = handle_node(memfs, directory);
    int result = 0;
    if (node == NULL)
        return -EBADF;
    if (!is_directory(node))
        return -ENOTDIR;
    cm_state_list(memfs->state, memfs->handles[directory].node);
    size_t count = node->entry_count;
    char *names = names_copy(node);
    if (names == NULL)
        return -ENOMEM;
    for (const char *name = names; count > 0 && result == 0; count--) {
        result = visit(argument, name);
        name += strlen(name) + 1;
    }
    free(names);
    return result;
}

/* ---- The rest ---- */

/* A write lock needs a handle for writing: fcntl(2). */
static int memfs_lock(void *context, int file, uint32_t timeout_ms)
{
    const struct cm_memfs *memfs = context;
    (void)timeout_ms;
    return handle_node(memfs, file) == NULL || !memfs->handles[file].writable ? -EBADF : 0;
}

static int memfs_now(void *context, uint64_t *seconds)
{
    (void)context;
    *seconds = CM_MEMFS_NOW;
    return 0;
}

void cm_memfs_init(struct cm_memfs *memfs, const struct cm_state *state)
{
    *memfs = (struct cm_memfs){
        .platform =
            {
                .context = memfs,
                .open_directory = memfs_open_directory,
                .make_directory = memfs_make_directory,
                .open = memfs_open,
                .close = memfs_close,
                .read = memfs_read,
                .write = memfs_write,
                .sync = memfs_sync,
                .rename = memfs_rename,
                .remove = memfs_remove,
                .status = memfs_status,
                .status_at = memfs_status_at,
                .list = memfs_list,
                .lock = memfs_lock,
                .now = memfs_now,
            },
        .state = state,
    };
}

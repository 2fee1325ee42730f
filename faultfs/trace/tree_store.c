/*
 * Writes a tree into a directory. As in tree_load.c only one directory is open at a time. Each
 * object is created with rights for its owner only and then given its mode and owner: directories
 * last, when what is in them exists (a read-only directory could not be filled, and a set-gid one
 * would hand on its group).
 */
#include "error.h"
#include "faultfs/tree.h"
#include "memory.h"
#include "tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct store {
    struct tree_walk walk;
    const char *root_path;
    int root;
    int directory; /* the open one */
    char **paths;  /* of the nodes that have several names: the first of them */
    struct ff_error *error;
};

static int fail(const struct store *store, const char *action)
{
    int number = errno;
    char *path = ff_tree_walk_path(&store->walk);
    errno = number;
    ff_error_set_errno(store->error, "cannot %s %s/%s", action, store->root_path, path);
    free(path);
    return -1;
}

static int content_write(const struct store *store, int fd, const struct ff_node *node)
{
    size_t done = 0;
    while (done < node->size) {
        ssize_t count = write(fd, node->data + done, node->size - done);
        if (count < 0 && errno != EINTR)
            return fail(store, "write");
        if (count > 0)
            done += (size_t)count;
    }
    return 0;
}

/* Of what is open as fd, or, if that is negative, of the name that is being stored. */
static int xattrs_set(const struct store *store, int fd, const struct ff_node *node)
{
    struct ff_bytes all = {node->xattrs, node->xattrs_size};
    struct ff_xattr xattr;
    char path[NAME_MAX + 64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", store->directory, store->walk.name);
    for (size_t at = 0; ff_xattrs_next(all, &at, &xattr);) {
        const struct ff_bytes *value = &xattr.value;
        int result = fd >= 0 ? fsetxattr(fd, xattr.name, value->data, value->size, 0)
                             : lsetxattr(path, xattr.name, value->data, value->size, 0);
        if (result != 0)
            return fail(store, "set an extended attribute of");
    }
    return 0;
}

/* So that what is created in the root inherits nothing from before. */
static int root_xattrs_remove(const struct store *store)
{
    char names[4096];
    ssize_t size = flistxattr(store->root, names, sizeof(names));
    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1)
        if (ff_xattr_is_modelled(name) && fremovexattr(store->root, name) != 0)
            return fail(store, "remove an extended attribute of");
    return 0;
}

/*
 * Sets what differs: the owner first, because a change of it clears mode bits and
 * capabilities, the mode last, because an access control list changes it too.
 */
static int attributes_set(const struct store *store, int fd, const struct ff_node *node)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return fail(store, "examine");
    if ((status.st_uid != node->uid || status.st_gid != node->gid) &&
        fchown(fd, node->uid, node->gid) != 0)
        return fail(store, "set the owner of");
    if (xattrs_set(store, fd, node) != 0 || fstat(fd, &status) != 0)
        return -1;
    if ((status.st_mode & 07777) != (node->mode & 07777) && fchmod(fd, node->mode & 07777) != 0)
        return fail(store, "set the mode of");
    return 0;
}

static int file_store(const struct store *store, const struct ff_node *node)
{
    int fd = openat(store->directory, store->walk.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                    node->mode & 0777);
    if (fd < 0)
        return fail(store, "create");
    int result = content_write(store, fd, node);
    if (result == 0)
        result = attributes_set(store, fd, node);
    if (close(fd) != 0 && result == 0)
        result = fail(store, "close");
    return result;
}

/* Mode and owner of what cannot be opened: a symbolic link, a fifo or a socket. */
static int attributes_set_at(const struct store *store, const struct ff_node *node)
{
    struct stat status;
    const char *name = store->walk.name;
    if (fstatat(store->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(store, "examine");
    if ((status.st_uid != node->uid || status.st_gid != node->gid) &&
        fchownat(store->directory, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(store, "set the owner of");
    if (xattrs_set(store, -1, node) != 0)
        return -1;
    if (!S_ISLNK(node->mode) && fchmodat(store->directory, name, node->mode & 07777, 0) != 0)
        return fail(store, "set the mode of");
    return 0;
}

static int link_store(const struct store *store, const struct ff_node *node)
{
    char *target = ff_memory_copy(node->data, node->size);
    int result = symlinkat(target, store->directory, store->walk.name);
    free(target);
    return result == 0 ? attributes_set_at(store, node) : fail(store, "create");
}

/* A fifo or a socket. */
static int special_store(const struct store *store, const struct ff_node *node)
{
    if (mknodat(store->directory, store->walk.name, (node->mode & S_IFMT) | 0600, 0) != 0)
        return fail(store, "create");
    return attributes_set_at(store, node);
}

static int directory_change(struct store *store, const char *name)
{
    int fd = openat(store->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(store, "enter");
    if (store->directory != store->root)
        close(store->directory);
    store->directory = fd;
    return 0;
}

static int directory_enter(struct store *store)
{
    if (mkdirat(store->directory, store->walk.name, 0700) != 0)
        return fail(store, "create");
    return directory_change(store, store->walk.name);
}

static int directory_leave(struct store *store)
{
    const struct ff_node *node = &store->walk.tree->nodes[store->walk.node];
    int done = store->directory;
    int parent = openat(done, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return fail(store, "leave");
    int result = attributes_set(store, done, node);
    close(done);
    store->directory = parent;
    return result;
}

static int again_store(const struct store *store)
{
    const char *first = store->paths[store->walk.node];
    if (linkat(store->root, first, store->directory, store->walk.name, 0) != 0)
        return fail(store, "link");
    return 0;
}

static int name_store(struct store *store)
{
    const struct ff_node *node = &store->walk.tree->nodes[store->walk.node];
    if (!store->walk.first)
        return again_store(store);
    if (S_ISDIR(node->mode))
        return directory_enter(store);
    if (S_ISREG(node->mode))
        return file_store(store, node);
    return S_ISLNK(node->mode) ? link_store(store, node) : special_store(store, node);
}

/* Remembers the first path of each node that has more than one name. */
static void paths_collect(struct store *store)
{
    struct tree_walk walk;
    const struct ff_tree *tree = store->walk.tree;
    bool *several = ff_memory_allocate(tree->node_limit, sizeof(*several));
    bool any = false;
    ff_tree_walk_begin(&walk, tree);
    for (enum walk_event event; (event = ff_tree_walk_next(&walk)) != WALK_END;)
        if (event == WALK_NAME && !walk.first)
            several[walk.node] = any = true;
    ff_tree_walk_end(&walk);
    ff_tree_walk_begin(&walk, tree);
    for (enum walk_event event; any && (event = ff_tree_walk_next(&walk)) != WALK_END;)
        if (event == WALK_NAME && walk.first && several[walk.node])
            store->paths[walk.node] = ff_tree_walk_path(&walk);
    ff_tree_walk_end(&walk);
    free(several);
}

static int everything_store(struct store *store)
{
    /* Anything may be created in it, and hands on neither group nor access control list. */
    if (root_xattrs_remove(store) != 0)
        return -1;
    if (fchmod(store->root, 0700) != 0)
        return fail(store, "set the mode of");
    for (;;) {
        enum walk_event event = ff_tree_walk_next(&store->walk);
        if (event == WALK_END)
            break;
        if ((event == WALK_NAME ? name_store(store) : directory_leave(store)) != 0)
            return -1;
    }
    return attributes_set(store, store->root, &store->walk.tree->nodes[FF_ROOT_NODE]);
}

int ff_tree_store(const struct ff_tree *tree, const char *path, struct ff_error *error)
{
    struct store store = {.root_path = path, .error = error};
    store.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store.root < 0)
        return ff_error_set_errno(error, "cannot open %s", path);
    store.directory = store.root;
    store.paths = ff_memory_allocate(tree->node_limit, sizeof(*store.paths));
    ff_tree_walk_begin(&store.walk, tree);
    paths_collect(&store);
    int result = everything_store(&store);
    ff_tree_walk_end(&store.walk);
    for (size_t i = 0; i < tree->node_limit; i++)
        free(store.paths[i]);
    free(store.paths);
    if (store.directory != store.root)
        close(store.directory);
    close(store.root);
    return result;
}

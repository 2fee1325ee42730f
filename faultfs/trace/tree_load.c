/*
 * Reads a directory into a tree. Only one directory is open at a time, however
 * deep the tree is: the walk goes down by openat(name) and up by openat("..").
 */
#include "error.h"
#include "faultfs/tree.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

typedef void visit_function(void *context, uint32_t id, const char *path, dev_t device,
                            ino_t inode);

/* A file with several names, while not all of them were found. */
struct shared {
    dev_t device;
    ino_t inode;
    uint32_t id;
    nlink_t missing;
};

struct level {
    uint32_t directory;
    size_t next;        /* index of its next entry */
    size_t path_length; /* of the directory's own path */
};

struct load {
    struct ff_tree *tree;
    const char *root;
    int directory; /* the open one */
    struct level *levels;
    size_t depth, level_capacity;
    char *path; /* relative to the root */
    size_t path_capacity;
    struct shared *shared;
    size_t shared_count, shared_capacity;
    visit_function *visit;
    void *context;
    struct ff_error *error;
};

static int fail(struct load *load, const char *problem)
{
    if (problem != NULL)
        return ff_error_set(load->error, "%s/%s: %s", load->root, load->path, problem);
    return ff_error_set_errno(load->error, "cannot read %s/%s", load->root, load->path);
}

static size_t path_set(struct load *load, size_t parent_length, const char *name)
{
    size_t length = strlen(name);
    load->path = ff_memory_grow(load->path, &load->path_capacity, parent_length + length + 2, 1);
    if (parent_length != 0)
        load->path[parent_length++] = '/';
    memcpy(load->path + parent_length, name, length + 1);
    return parent_length + length;
}

/* Puts the names of the open directory into node id, each meaning no node yet. */
static int names_read(struct load *load, uint32_t id)
{
    int fd = openat(load->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        int result = fail(load, NULL);
        if (fd >= 0)
            close(fd);
        return result;
    }
    struct dirent *entry;
    /* A name is entered with the directory's own number until it is visited. */
    while (errno = 0, (entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ff_tree_set_name(load->tree, id, entry->d_name, id);
    int result = errno == 0 ? 0 : fail(load, NULL);
    closedir(stream);
    return result;
}

static int content_read(struct load *load, struct ff_node *file, const char *name,
                        const struct stat *status)
{
    if (status->st_size > (off_t)FF_SIZE_LIMIT)
        return fail(load, "larger than the largest supported file");
    int fd = openat(load->directory, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return fail(load, NULL);
    ff_node_resize(file, (size_t)status->st_size);
    size_t done = 0;
    ssize_t count = 0;
    while (done < file->size && (count = read(fd, file->data + done, file->size - done)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            break;
        done += (size_t)count;
    }
    int result = count < 0 ? fail(load, NULL) : 0;
    close(fd);
    file->size = done; /* less if it shrank meanwhile */
    return result;
}

static int target_read(struct load *load, struct ff_node *link, const char *name,
                       const struct stat *status)
{
    /* st_size is 0 on some file systems (procfs), so it is no more than a hint. */
    size_t room = (size_t)status->st_size + 1;
    for (;;) {
        ff_node_resize(link, room);
        ssize_t length = readlinkat(load->directory, name, (char *)link->data, room);
        if (length < 0)
            return fail(load, NULL);
        if ((size_t)length < room) {
            ff_node_resize(link, (size_t)length);
            return 0;
        }
        room *= 2;
    }
}

/* Of an object that cannot be opened, or not without effect: by its path through /proc. */
static ssize_t xattr_read(const char *path, const char *name, void *value, size_t size)
{
    return name == NULL ? llistxattr(path, value, size) : lgetxattr(path, name, value, size);
}

/* A list of names (name NULL) or a value; *bytes is allocated. Its size, or -1. */
static ssize_t xattr_read_all(const char *path, const char *name, char **bytes)
{
    *bytes = NULL;
    for (;;) {
        ssize_t size = xattr_read(path, name, NULL, 0);
        if (size <= 0)
            return size;
        *bytes = ff_memory_allocate((size_t)size, 1);
        size = xattr_read(path, name, *bytes, (size_t)size);
        if (size >= 0)
            return size;
        free(*bytes);
        *bytes = NULL;
        if (errno != ERANGE) /* it grew meanwhile */
            return -1;
    }
}

/* Attributes of the node at a path; file systems without any are no error. */
static int xattrs_read(struct load *load, struct ff_node *node, const char *path)
{
    char *names;
    ssize_t size = xattr_read_all(path, NULL, &names);
    int result = size < 0 && errno != EOPNOTSUPP && errno != EPERM ? fail(load, NULL) : 0;
    for (const char *name = names; result == 0 && size > 0 && name < names + size;
         name += strlen(name) + 1) {
        char *value;
        if (!ff_xattr_is_modelled(name))
            continue;
        ssize_t length = xattr_read_all(path, name, &value);
        if (length < 0 && errno != ENODATA)
            result = fail(load, NULL);
        else if (length >= 0)
            ff_node_set_xattr(node, name,
                              (struct ff_bytes){(unsigned char *)value, (size_t)length});
        free(value);
    }
    free(names);
    return result;
}

static int node_xattrs_read(struct load *load, struct ff_node *node, const char *name)
{
    char path[NAME_MAX + 64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", load->directory, name);
    return xattrs_read(load, node, path);
}

/* The number under which the file is known, or FF_NO_NODE. */
static uint32_t shared_find(struct load *load, const struct stat *status)
{
    for (size_t i = 0; i < load->shared_count; i++) {
        struct shared *shared = &load->shared[i];
        if (shared->inode != status->st_ino || shared->device != status->st_dev)
            continue;
        uint32_t id = shared->id;
        if (--shared->missing == 0)
            *shared = load->shared[--load->shared_count];
        return id;
    }
    return FF_NO_NODE;
}

static void shared_add(struct load *load, const struct stat *status, uint32_t id)
{
    load->shared = ff_memory_grow(load->shared, &load->shared_capacity, load->shared_count + 1,
                                  sizeof(*load->shared));
    load->shared[load->shared_count++] =
        (struct shared){status->st_dev, status->st_ino, id, status->st_nlink - 1};
}

static int level_enter(struct load *load, const char *name, uint32_t id, size_t path_length)
{
    int fd = openat(load->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(load, NULL);
    if (load->depth != 0)
        close(load->directory);
    load->directory = fd;
    load->levels =
        ff_memory_grow(load->levels, &load->level_capacity, load->depth + 1, sizeof(*load->levels));
    load->levels[load->depth++] = (struct level){id, 0, path_length};
    return names_read(load, id);
}

static int level_leave(struct load *load)
{
    if (--load->depth == 0)
        return 0;
    int fd = openat(load->directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(load, NULL);
    close(load->directory);
    load->directory = fd;
    return 0;
}

static int node_load(struct load *load, const char *name, const struct stat *status, uint32_t id,
                     size_t path_length)
{
    struct ff_node *node =
        ff_tree_create(load->tree, id, status->st_mode, status->st_uid, status->st_gid);
    if (load->visit != NULL)
        load->visit(load->context, id, load->path, status->st_dev, status->st_ino);
    if (node_xattrs_read(load, node, name) != 0)
        return -1;
    switch (status->st_mode & S_IFMT) {
    case S_IFREG:
        return content_read(load, node, name, status);
    case S_IFLNK:
        return target_read(load, node, name, status);
    case S_IFDIR:
        return level_enter(load, name, id, path_length);
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    default:
        return fail(load, "is a device, which cannot be part of a state");
    }
}

/* Looks at the next name of the innermost directory, and enters it if it is one. */
static int entry_load(struct load *load)
{
    struct level *level = &load->levels[load->depth - 1];
    struct ff_entry *entry = &load->tree->nodes[level->directory].entries[level->next];
    const char *name = entry->name;
    size_t path_length = path_set(load, level->path_length, name);
    struct stat status;
    if (fstatat(load->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(load, NULL);
    level->next++;
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
        entry->node = shared_find(load, &status);
        if (entry->node != FF_NO_NODE)
            return 0;
    }
    uint32_t id = ff_tree_fresh_id(load->tree);
    entry->node = id;
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1)
        shared_add(load, &status, id);
    return node_load(load, name, &status, id, path_length);
}

static int root_load(struct load *load)
{
    struct stat status;
    load->directory = -1;
    path_set(load, 0, "");
    if (stat(load->root, &status) != 0)
        return ff_error_set_errno(load->error, "cannot read %s", load->root);
    if (!S_ISDIR(status.st_mode))
        return ff_error_set(load->error, "%s is not a directory", load->root);
    ff_tree_create(load->tree, FF_ROOT_NODE, status.st_mode, status.st_uid, status.st_gid);
    if (load->visit != NULL)
        load->visit(load->context, FF_ROOT_NODE, ".", status.st_dev, status.st_ino);
    if (xattrs_read(load, ff_tree_edit(load->tree, FF_ROOT_NODE), load->root) != 0)
        return -1;
    load->directory = open(load->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (load->directory < 0)
        return ff_error_set_errno(load->error, "cannot read %s", load->root);
    load->levels = ff_memory_grow(NULL, &load->level_capacity, 1, sizeof(*load->levels));
    load->levels[load->depth++] = (struct level){FF_ROOT_NODE, 0, 0};
    return names_read(load, FF_ROOT_NODE);
}

static int everything_load(struct load *load)
{
    if (root_load(load) != 0)
        return -1;
    while (load->depth != 0) {
        struct level *level = &load->levels[load->depth - 1];
        bool more = level->next < load->tree->nodes[level->directory].entry_count;
        if ((more ? entry_load(load) : level_leave(load)) != 0)
            return -1;
    }
    if (load->shared_count != 0)
        return ff_error_set(load->error,
                            "%s: a file (inode %llu) also has a name outside of the directory, "
                            "through which it could change unseen",
                            load->root, (unsigned long long)load->shared[0].inode);
    return 0;
}

struct ff_tree *ff_tree_load(const char *path,
                             void (*visit)(void *context, uint32_t id, const char *path,
                                           dev_t device, ino_t inode),
                             void *context, struct ff_error *error)
{
    struct load load = {
        .tree = ff_tree_new(), .root = path, .visit = visit, .context = context, .error = error};
    int result = everything_load(&load);
    if (load.directory >= 0)
        close(load.directory);
    free(load.levels);
    free(load.path);
    free(load.shared);
    if (result == 0)
        return load.tree;
    ff_tree_free(load.tree);
    return NULL;
}

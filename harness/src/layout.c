/*
 * The file system of a layout and the objects in it: see layout.h. Those that a state
 * does not have lie in a directory beside what commands see (the stock).
 */
#include "layout_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "faultfs/tree.h"
#include "memory.h"

/* ---- What both parts use ---- */

int cm_layout_write(int fd, const void *from, size_t size, size_t offset)
{
    const unsigned char *bytes = from;
    while (size > 0) {
        ssize_t count = pwrite(fd, bytes, size, (off_t)offset);
        if (count < 0 && errno != EINTR)
            return -1;
        size_t written = count > 0 ? (size_t)count : 0;
        bytes += written;
        offset += written;
        size -= written;
    }
    return 0;
}

/* ---- A new file system ---- */

static void descriptors_close(struct cm_layout *layout)
{
    int *const all[] = {&layout->seen, &layout->directory, &layout->stock};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

int cm_layout_directory_open(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool lists_newest_first(int stock)
{
    bool newest = false;
    int fd = -1;
    if (mkdirat(stock, "a", 0700) == 0 && mkdirat(stock, "b", 0700) == 0)
        fd = cm_layout_directory_open(stock, ".");
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.') {
            newest = entry->d_name[0] == 'b';
            break;
        }
    if (listing != NULL)
        closedir(listing);
    unlinkat(stock, "a", AT_REMOVEDIR);
    unlinkat(stock, "b", AT_REMOVEDIR);
    return newest;
}

int cm_layout_times_set(const struct cm_layout *layout, int at, const char *name)
{
    return utimensat(at, name, layout->times, AT_SYMLINK_NOFOLLOW);
}

static void object_laid(struct cm_layout *layout, uint32_t id, const struct stat *status)
{
    ff_tree_create(layout->laid, id, status->st_mode, status->st_uid, status->st_gid);
    layout->objects[id] =
        (struct cm_object){.inode = status->st_ino, .type = status->st_mode & S_IFMT};
}

/* The directory under test, with nothing in it. */
static int root_renew(struct cm_layout *layout)
{
    struct stat status;
    int below = cm_scratch_below(layout->scratch);
    layout->seen = cm_layout_directory_open(below, CM_SCRATCH_SEEN);
    layout->directory = cm_layout_directory_open(layout->seen, "dir");
    int output = openat(layout->seen, "stdout", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (output >= 0)
        close(output);
    if (output < 0 || mkdirat(below, "stock", 0700) != 0)
        return -1;
    layout->stock = cm_layout_directory_open(below, "stock");
    layout->newest_first = lists_newest_first(layout->stock);
    if (fstat(layout->directory, &status) != 0 || fchmodat(layout->seen, "stdout", 0644, 0) != 0 ||
        cm_layout_times_set(layout, layout->seen, "stdout") != 0 ||
        cm_layout_times_set(layout, layout->seen, "home") != 0 ||
        cm_layout_times_set(layout, layout->seen, "tmp") != 0)
        return -1;
    layout->device = status.st_dev;
    layout->objects =
        cm_reserve(layout->objects, FF_ROOT_NODE, &layout->capacity, sizeof(*layout->objects));
    layout->count = FF_ROOT_NODE + 1;
    memset(layout->objects, 0, layout->count * sizeof(*layout->objects));
    object_laid(layout, FF_ROOT_NODE, &status);
    return cm_layout_times_set(layout, below, CM_SCRATCH_SEEN);
}

static int renew(struct cm_layout *layout, struct ff_error *error)
{
    descriptors_close(layout);
    ff_tree_reset(layout->laid);
    layout->output_size = 0;
    layout->place_count = 0;
    if (cm_scratch_clear(layout->scratch, error) != 0)
        return -1;
    if (root_renew(layout) != 0)
        return cm_fail(error, "%s: cannot be laid out: %s", cm_scratch_directory(layout->scratch),
                       strerror(errno));
    layout->known = true;
    return 0;
}

/* ---- Objects ---- */

void cm_layout_stock_name(uint32_t id, char name[16])
{
    snprintf(name, 16, "%u", id);
}

/* What is known of a node: from the state itself, or else from all there are. */
static const struct ff_node *node_known(const struct cm_state *state, uint32_t id)
{
    const struct ff_node *node = ff_tree_node(state->tree, id);
    return node == NULL && state->inventory != NULL ? ff_tree_node(state->inventory, id) : node;
}

/* node NULL: makes what takes up an inode number, and goes. */
static int object_make(struct cm_layout *layout, uint32_t id, const struct ff_node *node)
{
    char name[16];
    struct stat status;
    int result;
    cm_layout_stock_name(id, name);
    if (node == NULL) {
        layout->objects[id] = (struct cm_object){0};
        return mknodat(layout->stock, name, S_IFREG | 0600, 0) == 0 &&
                       unlinkat(layout->stock, name, 0) == 0
                   ? 0
                   : -1;
    }
    if (S_ISDIR(node->mode)) {
        result = mkdirat(layout->stock, name, 0700);
    } else if (S_ISLNK(node->mode)) {
        char *target = cm_duplicate(node->data, node->size);
        result = symlinkat(target, layout->stock, name);
        free(target);
    } else {
        result = mknodat(layout->stock, name, (node->mode & S_IFMT) | 0600, 0);
    }
    if (result != 0 || fstatat(layout->stock, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    object_laid(layout, id, &status);
    if (S_ISLNK(node->mode))
        ff_node_write(ff_tree_edit(layout->laid, id), node->data, node->size, 0);
    return 0;
}

static int objects_make(struct cm_layout *layout, const struct cm_state *state,
                        struct ff_error *error)
{
    size_t limit = state->tree->node_limit;
    if (state->inventory != NULL && state->inventory->node_limit > limit)
        limit = state->inventory->node_limit;
    ff_tree_reserve_ids(layout->laid, limit);
    for (; layout->count < limit; layout->count++) {
        uint32_t id = (uint32_t)layout->count;
        layout->objects =
            cm_reserve(layout->objects, layout->count, &layout->capacity, sizeof(*layout->objects));
        if (object_make(layout, id, node_known(state, id)) != 0)
            return cm_fail(error, "an object cannot be made in %s: %s",
                           cm_scratch_directory(layout->scratch), strerror(errno));
    }
    return 0;
}

/* Whether the objects that there are can become those of the state. */
static bool objects_fit(const struct cm_layout *layout, const struct cm_state *state)
{
    for (uint32_t id = 0; id < layout->count; id++) {
        const struct ff_node *node = ff_tree_node(state->tree, id);
        if (node == NULL)
            continue;
        const struct ff_node *laid = ff_tree_node(layout->laid, id);
        if (layout->objects[id].type != (node->mode & S_IFMT))
            return false;
        if (S_ISLNK(node->mode) &&
            (laid->size != node->size || memcmp(laid->data, node->data, node->size) != 0))
            return false;
    }
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct cm_place *left = a, *right = b;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static void place_add(struct cm_layout *layout, ino_t inode, uint32_t node)
{
    layout->places = cm_reserve(layout->places, layout->place_count, &layout->place_capacity,
                                sizeof(*layout->places));
    layout->places[layout->place_count++] = (struct cm_place){inode, node};
}

static void places_sort(struct cm_layout *layout)
{
    if (layout->place_count > 1)
        qsort(layout->places, layout->place_count, sizeof(*layout->places), compare_places);
}

static void places_of_objects(struct cm_layout *layout)
{
    if (layout->place_count == layout->count)
        return;
    layout->place_count = 0;
    for (uint32_t id = 0; id < layout->count; id++)
        place_add(layout, layout->objects[id].inode, id);
    places_sort(layout);
}

static int objects_step(struct cm_layout *layout, const struct cm_state *state,
                        struct ff_error *error)
{
    return objects_make(layout, state, error) != 0 ? -1 : cm_layout_step(layout, state, error);
}

static int put_private(struct cm_layout *layout, const struct cm_state *state,
                       struct ff_error *error)
{
    bool stepped = layout->known && objects_fit(layout, state);
    if (!stepped && renew(layout, error) != 0)
        return -1;
    int result = objects_step(layout, state, error);
    /* Something is not as it should be: once more, in a new file system. */
    if (result != 0 && stepped)
        result = renew(layout, error) != 0 ? -1 : objects_step(layout, state, error);
    layout->known = result == 0;
    places_of_objects(layout);
    return result;
}

/* ---- Without a file system of its own ---- */

/* Returns whether all could be seen. */
static bool places_load(struct cm_layout *layout, const struct ff_tree *tree, const char *path,
                        uint32_t id)
{
    struct stat status;
    const struct ff_node *node = &tree->nodes[id];
    bool seen = lstat(path, &status) == 0;
    if (seen)
        place_add(layout, status.st_ino, id);
    if (seen && id == FF_ROOT_NODE)
        layout->device = status.st_dev;
    for (size_t i = 0; seen && i < node->entry_count; i++) {
        char *below = cm_format("%s/%s", path, node->entries[i].name);
        seen = places_load(layout, tree, below, node->entries[i].node);
        free(below);
    }
    return seen;
}

static int put_shared(struct cm_layout *layout, const struct cm_state *state,
                      struct ff_error *error)
{
    const char *directory = cm_scratch_directory(layout->scratch);
    const char *output = cm_scratch_stdout(layout->scratch);
    layout->place_count = 0;
    if (cm_scratch_clear(layout->scratch, error) != 0 ||
        ff_tree_store(state->tree, directory, error) != 0)
        return -1;
    int fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int result = fd < 0 ? -1 : cm_layout_write(fd, state->output, state->output_size, 0);
    if (result != 0)
        cm_fail(error, "%s: %s", output, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (result != 0 || !places_load(layout, state->tree, directory, FF_ROOT_NODE))
        layout->place_count = 0;
    places_sort(layout);
    return result;
}

/* ---- The interface ---- */

struct cm_layout *cm_layout_new(struct cm_scratch *scratch, time_t times)
{
    struct cm_layout *layout = cm_allocate(1, sizeof(*layout));
    layout->scratch = scratch;
    layout->times[0].tv_sec = layout->times[1].tv_sec = times;
    layout->laid = ff_tree_new();
    layout->seen = layout->directory = layout->stock = -1;
    return layout;
}

void cm_layout_free(struct cm_layout *layout)
{
    if (layout == NULL)
        return;
    descriptors_close(layout);
    ff_tree_free(layout->laid);
    free(layout->output);
    free(layout->objects);
    free(layout->places);
    free(layout);
}

int cm_layout_put(struct cm_layout *layout, const struct cm_state *state, struct ff_error *error)
{
    return cm_scratch_is_private(layout->scratch) ? put_private(layout, state, error)
                                                  : put_shared(layout, state, error);
}

void cm_layout_doubt(struct cm_layout *layout)
{
    layout->known = false;
}

dev_t cm_layout_device(const struct cm_layout *layout)
{
    return layout->device;
}

const struct cm_place *cm_layout_places(const struct cm_layout *layout, size_t *count)
{
    *count = layout->place_count;
    return layout->places;
}

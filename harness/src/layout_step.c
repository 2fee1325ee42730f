/*
 * Stepping from one state to the next: see layout.h.
 *
 * The objects that a state does not have lie in a directory beside what commands see
 * (the stock), named by their numbers. A step takes names away, gives names, and then
 * sets contents and attributes:
 *
 * - New names of a directory are listed first (or last) by the kernel. So that the order
 *   does not tell of earlier states, a name is only kept if all names that were given
 *   before it are.
 * - The last name that a step takes from an object is moved into the stock, the last one
 *   that it gives is moved out of it. The others of a file with several are links: if
 *   one of them is taken, all are.
 */
#include "layout_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fail.h"
#include "faultfs/tree.h"
#include "memory.h"

enum { PAGE = 4096 };

/* One step. Arrays are by node. */
struct step {
    struct cm_layout *layout;
    const struct ff_tree *tree; /* where it leads */
    uint32_t *before, *after;   /* how many names */
    bool *renamed;              /* of a file with several: all are taken and given again */
    uint32_t *kept;             /* of a directory: how many names, from the first given on */
    bool *busy;                 /* of a directory: names are taken in it or below */
    uint32_t *given;            /* how many names are still to be given */
    bool *done;
    struct ff_error *error;
};

static int fail(const struct step *step, const char *action, const char *name)
{
    return cm_fail(step->error, "cannot %s %s in %s: %s", action, name,
                   cm_scratch_directory(step->layout->scratch), strerror(errno));
}

/* ---- Which names stay ---- */

/* The i-th name that was, or is to be, given in a directory, so that they are listed in
 * their order. */
static const struct ff_entry *entry_given(const struct step *step, const struct ff_node *directory,
                                          size_t i)
{
    return &directory->entries[step->layout->newest_first ? directory->entry_count - 1 - i : i];
}

static void names_count(const struct ff_tree *tree, uint32_t id, uint32_t *counts)
{
    const struct ff_node *directory = &tree->nodes[id];
    for (size_t i = 0; i < directory->entry_count; i++) {
        uint32_t node = directory->entries[i].node;
        if (counts[node]++ == 0 && S_ISDIR(tree->nodes[node].mode))
            names_count(tree, node, counts);
    }
}

static uint32_t kept_count(const struct step *step, uint32_t id)
{
    const struct ff_node *old = &step->layout->laid->nodes[id];
    const struct ff_node *new = ff_tree_node(step->tree, id);
    uint32_t kept = 0;
    if (new == NULL || step->after[id] == 0)
        return 0;
    while (kept < old->entry_count && kept < new->entry_count) {
        const struct ff_entry *left = entry_given(step, old, kept);
        const struct ff_entry *right = entry_given(step, new, kept);
        if (left->node != right->node || step->renamed[left->node] ||
            strcmp(left->name, right->name) != 0)
            break;
        kept++;
    }
    return kept;
}

/* Returns whether some other file must now be renamed, too. */
static bool kept_find(struct step *step, uint32_t id)
{
    const struct ff_node *old = &step->layout->laid->nodes[id];
    bool more = false;
    step->kept[id] = kept_count(step, id);
    step->busy[id] = step->kept[id] < old->entry_count;
    for (size_t i = 0; i < old->entry_count; i++) {
        uint32_t node = entry_given(step, old, i)->node;
        if (i >= step->kept[id] && !step->renamed[node] && step->before[node] > 1)
            more = step->renamed[node] = true;
        if (S_ISDIR(step->layout->laid->nodes[node].mode)) {
            more = kept_find(step, node) || more;
            step->busy[id] = step->busy[id] || step->busy[node];
        }
    }
    return more;
}

static void kept_find_all(struct step *step)
{
    struct cm_layout *layout = step->layout;
    for (uint32_t id = 0; id < layout->count; id++)
        step->renamed[id] =
            step->before[id] != step->after[id] && step->before[id] + step->after[id] > 2;
    while (kept_find(step, FF_ROOT_NODE))
        ;
}

/* ---- Taking names ---- */

/* A directory can be read, written and moved by its owner. */
static int directory_unlock(const struct step *step, int at, const char *name, uint32_t id)
{
    struct ff_node *laid = &step->layout->laid->nodes[id];
    if ((laid->mode & 0700) == 0700)
        return 0;
    if (fchmodat(at, name, 0700, 0) != 0)
        return fail(step, "change the mode of", name);
    laid->mode = S_IFDIR | 0700;
    return 0;
}

static int directory_enter(const struct step *step, int at, const char *name, uint32_t id, int *fd)
{
    if (directory_unlock(step, at, name, id) != 0)
        return -1;
    *fd = cm_layout_directory_open(at, name);
    return *fd < 0 ? fail(step, "enter", name) : 0;
}

static int name_take(const struct step *step, int at, const struct ff_entry *entry)
{
    char name[16];
    struct cm_object *object = &step->layout->objects[entry->node];
    cm_layout_stock_name(entry->node, name);
    if (object->type == S_IFDIR && directory_unlock(step, at, entry->name, entry->node) != 0)
        return -1;
    int result = --object->names > 0 ? unlinkat(at, entry->name, 0)
                                     : renameat(at, entry->name, step->layout->stock, name);
    return result == 0 ? 0 : fail(step, "remove", entry->name);
}

static int names_take(struct step *step, uint32_t id, int fd)
{
    struct ff_node *laid = &step->layout->laid->nodes[id];
    for (size_t i = 0; i < laid->entry_count; i++) {
        const struct ff_entry *entry = &laid->entries[i];
        int below, result;
        if (step->layout->objects[entry->node].type != S_IFDIR || !step->busy[entry->node])
            continue;
        if (directory_enter(step, fd, entry->name, entry->node, &below) != 0)
            return -1;
        result = names_take(step, entry->node, below);
        close(below);
        if (result != 0)
            return -1;
    }
    size_t taken = laid->entry_count - step->kept[id];
    for (size_t i = step->kept[id]; i < laid->entry_count; i++)
        if (name_take(step, fd, entry_given(step, laid, i)) != 0)
            return -1;
    if (taken == 0)
        return 0;
    struct ff_entry *first = laid->entries + (step->layout->newest_first ? 0 : step->kept[id]);
    for (size_t i = 0; i < taken; i++)
        free(first[i].name);
    if (step->layout->newest_first)
        memmove(first, first + taken, step->kept[id] * sizeof(*first));
    laid->entry_count -= taken;
    return 0;
}

/* ---- Content and attributes ---- */

/* Those pages that differ; what the file grows by is written, so that it has no holes. */
static int pages_write(int fd, const struct ff_node *laid, const struct ff_node *node)
{
    size_t common = laid->size < node->size ? laid->size : node->size;
    if (node->size < laid->size && ftruncate(fd, (off_t)node->size) != 0)
        return -1;
    for (size_t at = 0; at < common; at += PAGE) {
        size_t size = common - at < PAGE ? common - at : PAGE;
        if (memcmp(laid->data + at, node->data + at, size) != 0 &&
            cm_layout_write(fd, node->data + at, size, at) != 0)
            return -1;
    }
    return node->size > common
               ? cm_layout_write(fd, node->data + common, node->size - common, common)
               : 0;
}

static bool content_differs(const struct ff_node *laid, const struct ff_node *node)
{
    return S_ISREG(node->mode) &&
           (laid->size != node->size ||
            (node->size != 0 && memcmp(laid->data, node->data, node->size) != 0));
}

/* node: what it is to hold. */
static int content_set(const struct step *step, int at, const char *name, struct ff_node *laid,
                       const struct ff_node *node)
{
    if ((laid->mode & 0600) != 0600) {
        if (fchmodat(at, name, 0600, 0) != 0)
            return fail(step, "change the mode of", name);
        laid->mode = S_IFREG | 0600;
    }
    int fd = openat(at, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    int result = fd < 0 ? -1 : pages_write(fd, laid, node);
    if (fd >= 0 && close(fd) != 0)
        result = -1;
    if (result != 0)
        return fail(step, "write", name);
    ff_node_resize(laid, node->size);
    ff_node_write(laid, node->data, node->size, 0);
    return 0;
}

/* All that there are, and then the others. */
static int xattrs_set(const struct step *step, int at, const char *name, struct ff_node *laid,
                      struct ff_bytes wanted)
{
    char path[NAME_MAX + 64];
    struct ff_xattr xattr;
    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at, name);
    struct ff_bytes present = {laid->xattrs, laid->xattrs_size};
    for (size_t position = 0; ff_xattrs_next(present, &position, &xattr);)
        if (lremovexattr(path, xattr.name) != 0 && errno != ENODATA)
            return fail(step, "remove an extended attribute of", name);
    for (size_t position = 0; ff_xattrs_next(wanted, &position, &xattr);)
        if (lsetxattr(path, xattr.name, xattr.value.data, xattr.value.size, 0) != 0)
            return fail(step, "set an extended attribute of", name);
    ff_node_set_xattrs(laid, wanted);
    return 0;
}

static bool bytes_differ(struct ff_bytes a, struct ff_bytes b)
{
    return a.size != b.size || (a.size != 0 && memcmp(a.data, b.data, a.size) != 0);
}

/*
 * The owner first, because a change of it clears mode bits and capabilities, the mode
 * last, because an access control list changes it too. So does writing (written).
 */
static int attributes_set(const struct step *step, int at, const char *name, struct ff_node *laid,
                          const struct ff_node *node, bool written)
{
    struct stat status;
    struct ff_bytes wanted = {node->xattrs, node->xattrs_size};
    bool owned = laid->uid == node->uid && laid->gid == node->gid;
    bool xattrs = bytes_differ((struct ff_bytes){laid->xattrs, laid->xattrs_size}, wanted);
    bool cleared = (written || !owned) && (node->xattrs_size != 0 || (node->mode & 07000) != 0);
    if (owned && !xattrs && !cleared && laid->mode == node->mode)
        return 0;
    if (!owned && fchownat(at, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(step, "set the owner of", name);
    if ((xattrs || cleared) && xattrs_set(step, at, name, laid, wanted) != 0)
        return -1;
    if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(step, "examine", name);
    if (!S_ISLNK(node->mode) && (status.st_mode & 07777) != (node->mode & 07777) &&
        fchmodat(at, name, node->mode & 07777, 0) != 0)
        return fail(step, "set the mode of", name);
    laid->mode = node->mode;
    laid->uid = node->uid;
    laid->gid = node->gid;
    return 0;
}

/* ---- Giving names ---- */

static int name_give(const struct step *step, int at, const struct ff_entry *entry)
{
    char name[16];
    cm_layout_stock_name(entry->node, name);
    struct cm_object *object = &step->layout->objects[entry->node];
    int stock = step->layout->stock;
    int result = --step->given[entry->node] > 0 ? linkat(stock, name, at, entry->name, 0)
                                                : renameat(stock, name, at, entry->name);
    if (result != 0)
        return fail(step, "create", entry->name);
    object->names++;
    return 0;
}

static int names_give(struct step *step, uint32_t id, int fd);

/* An object that has its names: what is in it, and what it is like. */
static int object_finish(struct step *step, int at, const struct ff_entry *entry)
{
    uint32_t id = entry->node;
    struct ff_node *laid = &step->layout->laid->nodes[id];
    const struct ff_node *node = &step->tree->nodes[id];
    bool written = content_differs(laid, node);
    int below, result = 0;
    step->done[id] = true;
    if (S_ISDIR(node->mode) && node->entry_count > 0) {
        if (directory_enter(step, at, entry->name, id, &below) != 0)
            return -1;
        result = names_give(step, id, below);
        close(below);
    } else if (written) {
        result = content_set(step, at, entry->name, laid, node);
    }
    if (result == 0)
        result = attributes_set(step, at, entry->name, laid, node, written);
    if (result == 0 && cm_layout_times_set(step->layout, at, entry->name) != 0)
        result = fail(step, "set the times of", entry->name);
    return result;
}

static void names_note(struct step *step, uint32_t id)
{
    struct ff_node *laid = &step->layout->laid->nodes[id];
    const struct ff_node *node = &step->tree->nodes[id];
    for (size_t i = 0; i < laid->entry_count; i++)
        free(laid->entries[i].name);
    laid->entry_count = 0;
    for (size_t i = 0; i < node->entry_count; i++) {
        laid->entries = cm_reserve(laid->entries, i, &laid->entry_capacity, sizeof(*laid->entries));
        const struct ff_entry *entry = &node->entries[i];
        laid->entries[i] =
            (struct ff_entry){cm_duplicate(entry->name, strlen(entry->name)), entry->node};
        laid->entry_count++;
    }
}

static int names_give(struct step *step, uint32_t id, int fd)
{
    const struct ff_node *node = &step->tree->nodes[id];
    for (size_t i = step->kept[id]; i < node->entry_count; i++)
        if (name_give(step, fd, entry_given(step, node, i)) != 0)
            return -1;
    if (step->kept[id] < node->entry_count)
        names_note(step, id);
    for (size_t i = 0; i < node->entry_count; i++)
        if (!step->done[node->entries[i].node] && object_finish(step, fd, &node->entries[i]) != 0)
            return -1;
    return 0;
}

/* What lies in the stock takes up no more room than when it was made. */
static int stock_empty(const struct step *step)
{
    static const struct ff_node empty = {.mode = S_IFREG | 0600};
    struct cm_layout *layout = step->layout;
    for (uint32_t id = FF_ROOT_NODE + 1; id < layout->count; id++) {
        char name[16];
        struct ff_node *laid = &layout->laid->nodes[id];
        if (layout->objects[id].names > 0 || layout->objects[id].type == 0)
            continue;
        cm_layout_stock_name(id, name);
        if (laid->xattrs_size != 0 &&
            xattrs_set(step, layout->stock, name, laid, (struct ff_bytes){NULL, 0}) != 0)
            return -1;
        if (S_ISREG(laid->mode) && laid->size != 0 &&
            content_set(step, layout->stock, name, laid, &empty) != 0)
            return -1;
    }
    return 0;
}

/* ---- A step ---- */

static int output_set(const struct step *step, const struct cm_state *state)
{
    struct cm_layout *layout = step->layout;
    if (layout->output_size != state->output_size ||
        (state->output_size != 0 &&
         memcmp(layout->output, state->output, state->output_size) != 0)) {
        int fd = openat(layout->seen, "stdout", O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
        int result = fd < 0 ? -1 : cm_layout_write(fd, state->output, state->output_size, 0);
        if (fd >= 0)
            close(fd);
        if (result != 0)
            return fail(step, "write", cm_scratch_stdout(layout->scratch));
        free(layout->output);
        layout->output = cm_duplicate(state->output, state->output_size);
        layout->output_size = state->output_size;
    }
    if (cm_layout_times_set(layout, layout->seen, "stdout") != 0)
        return fail(step, "set the times of", "stdout");
    return 0;
}

static int step_take(struct step *step, const struct cm_state *state)
{
    struct cm_layout *layout = step->layout;
    const struct ff_node *root = &step->tree->nodes[FF_ROOT_NODE];
    struct ff_node *laid = &layout->laid->nodes[FF_ROOT_NODE];
    names_count(layout->laid, FF_ROOT_NODE, step->before);
    names_count(step->tree, FF_ROOT_NODE, step->after);
    step->before[FF_ROOT_NODE] = step->after[FF_ROOT_NODE] = 1;
    kept_find_all(step);
    if (directory_unlock(step, layout->seen, "dir", FF_ROOT_NODE) != 0 ||
        names_take(step, FF_ROOT_NODE, layout->directory) != 0)
        return -1;
    for (uint32_t id = 0; id < layout->count; id++)
        step->given[id] = step->after[id] - layout->objects[id].names;
    if (names_give(step, FF_ROOT_NODE, layout->directory) != 0 ||
        attributes_set(step, layout->seen, "dir", laid, root, false) != 0 ||
        cm_layout_times_set(layout, layout->seen, "dir") != 0)
        return -1;
    return stock_empty(step) != 0 ? -1 : output_set(step, state);
}

int cm_layout_step(struct cm_layout *layout, const struct cm_state *state, struct ff_error *error)
{
    struct step step = {.layout = layout, .tree = state->tree, .error = error};
    uint32_t *numbers = cm_allocate(4 * layout->count, sizeof(*numbers));
    bool *flags = cm_allocate(3 * layout->count, sizeof(*flags));
    step.before = numbers;
    step.after = numbers + layout->count;
    step.kept = numbers + 2 * layout->count;
    step.given = numbers + 3 * layout->count;
    step.renamed = flags;
    step.busy = flags + layout->count;
    step.done = flags + 2 * layout->count;
    int result = step_take(&step, state);
    free(numbers);
    free(flags);
    return result;
}

#include "shelf.h"

#include "allocations.h"
#include "target.h"

#include <errno.h>
#include <string.h>

#define NOW 1700000000u

static const char *const place_names[SHELF_PLACES] = {"db", "backup", "target", "outside"};

/*
 * Nodes and entries
 */

static struct shelf_node *node_new(const struct shelf *shelf, enum mf_type type, const void *data,
                                   size_t size)
{
    bool counted = allocations_pause();
    struct shelf_node *node = calloc(1, sizeof(*node));
    require(node != NULL);
    *node = (struct shelf_node){.owners = 1, .stamp = shelf->stamp, .type = type, .size = size};
    node->data = malloc(size + 1);
    allocations_resume(counted);
    require(node->data != NULL);
    if (size > 0)
        memcpy(node->data, data, size);
    return node;
}

static struct shelf_node *node_keep(struct shelf_node *node)
{
    node->owners++;
    return node;
}

static void node_drop(struct shelf_node *node)
{
    if (node == NULL || --node->owners > 0)
        return;
    mf_manifest_clear(&node->manifest);
    free(node->data);
    free(node);
}

/* Takes over the node. */
static struct shelf_entry *entry_new(const char *name, struct shelf_node *node)
{
    size_t size = strlen(name) + 1;
    bool counted = allocations_pause();
    struct shelf_entry *entry = malloc(sizeof(*entry) + size);
    allocations_resume(counted);
    require(entry != NULL);
    *entry = (struct shelf_entry){.owners = 1, .node = node};
    memcpy(entry->name, name, size);
    return entry;
}

static void entry_drop(struct shelf_entry *entry)
{
    if (--entry->owners > 0)
        return;
    node_drop(entry->node);
    free(entry);
}

static size_t find(const struct shelf_folder *folder, const char *name)
{
    size_t i = 0;
    while (i < folder->count && strcmp(folder->entries[i]->name, name) != 0)
        i++;
    return i;
}

struct shelf_node *shelf_find(const struct shelf_folder *folder, const char *name)
{
    size_t i = find(folder, name);
    return i < folder->count ? folder->entries[i]->node : NULL;
}

static void folder_remove(struct shelf_folder *folder, const char *name)
{
    size_t i = find(folder, name);
    if (i == folder->count)
        return;
    entry_drop(folder->entries[i]);
    folder->count--;
    memmove(&folder->entries[i], &folder->entries[i + 1],
            (folder->count - i) * sizeof(folder->entries[0]));
}

/* Takes over the node. False when the folder is full. */
static bool folder_put(struct shelf_folder *folder, const char *name, struct shelf_node *node)
{
    size_t i = find(folder, name);
    if (i == SHELF_NAMES) {
        node_drop(node);
        return false;
    }
    if (i == folder->count)
        folder->count++;
    else
        entry_drop(folder->entries[i]);
    folder->entries[i] = entry_new(name, node);
    return true;
}

void shelf_put(struct shelf *shelf, enum shelf_place place, const char *name, enum mf_type type,
               const void *data, size_t size)
{
    shelf->now.folders[place].present = true;
    folder_put(&shelf->now.folders[place], name, node_new(shelf, type, data, size));
}

void shelf_copy(struct shelf *shelf, enum shelf_place place, const char *name,
                struct shelf_node *node)
{
    shelf_put(shelf, place, name, node->type, node->data, node->size);
}

void shelf_remove(struct shelf *shelf, enum shelf_place place, const char *name)
{
    folder_remove(&shelf->now.folders[place], name);
}

bool shelf_same(const struct shelf_node *left, const struct shelf_node *right)
{
    if (left == right)
        return true;
    return left != NULL && right != NULL && left->type == right->type &&
           left->size == right->size && memcmp(left->data, right->data, left->size) == 0;
}

/*
 * Views
 */

void shelf_look(struct shelf *shelf, struct shelf_view *view)
{
    shelf->stamp++;
    *view = shelf->now;
    for (int i = 0; i < SHELF_PLACES; i++)
        for (size_t j = 0; j < view->folders[i].count; j++)
            view->folders[i].entries[j]->owners++;
}

void shelf_forget(struct shelf_view *view)
{
    for (int i = 0; i < SHELF_PLACES; i++) {
        for (size_t j = 0; j < view->folders[i].count; j++)
            entry_drop(view->folders[i].entries[j]);
        view->folders[i].count = 0;
    }
}

/* Makes a node the shelf's own before it is changed: a view may have it too. */
static struct shelf_node *node_edit(struct shelf *shelf, struct shelf_node *node)
{
    if (node->stamp == shelf->stamp) {
        mf_manifest_clear(&node->manifest);
        node->read = SHELF_UNREAD;
        node->measured = false;
        return node;
    }
    struct shelf_node *copy = node_new(shelf, node->type, node->data, node->size);
    for (int i = 0; i < SHELF_PLACES; i++) {
        struct shelf_folder *folder = &shelf->now.folders[i];
        for (size_t j = 0; j < folder->count; j++)
            if (folder->entries[j]->node == node) {
                struct shelf_entry *entry = entry_new(folder->entries[j]->name, node_keep(copy));
                entry_drop(folder->entries[j]);
                folder->entries[j] = entry;
            }
    }
    for (int i = 0; i < SHELF_HANDLES; i++)
        if (shelf->handles[i].node == node) {
            shelf->handles[i].node = node_keep(copy);
            node_drop(node);
        }
    node_drop(copy); /* the handle that it is written through owns it */
    return copy;
}

/*
 * Failures
 */

void shelf_arm(struct shelf *shelf, const struct shelf_faults *faults)
{
    shelf->faults = *faults;
    shelf->calls = 0;
    shelf->failed = 0;
}

/* Counts a call. 0, or the negative errno that it gives. */
static int fault(struct shelf *shelf, bool can_be_interrupted)
{
    const struct shelf_faults *faults = &shelf->faults;
    shelf->calls++;
    if (can_be_interrupted && faults->interrupted && shelf->calls % 3 == 0)
        return -EINTR;
    bool now = faults->at != 0 &&
               (faults->lasting ? shelf->calls >= faults->at : shelf->calls == faults->at);
    shelf->failed += now;
    return now ? -faults->error : 0;
}

/* Whether a call that fails so is done all the same. */
static bool done(const struct shelf *shelf, int result)
{
    return result == 0 || (result != -EINTR && shelf->faults.after);
}

/* The same of a rename: by platform.h some errors say that nothing was done. */
static bool rename_done(const struct shelf *shelf, int result)
{
    bool did_nothing =
        result == -EACCES || result == -ENOSPC || result == -EDQUOT || result == -EROFS;
    return done(shelf, result) && !did_nothing;
}

/*
 * Handles
 */

static struct shelf_handle *handle_of(struct shelf *shelf, int handle)
{
    require(handle >= 0 && handle < SHELF_HANDLES && shelf->handles[handle].open);
    return &shelf->handles[handle];
}

static int handle_new(struct shelf *shelf, struct shelf_node *node, enum shelf_place place,
                      bool writable)
{
    for (int i = 0; i < SHELF_HANDLES; i++)
        if (!shelf->handles[i].open) {
            shelf->handles[i] = (struct shelf_handle){.open = true,
                                                      .writable = writable,
                                                      .node = node != NULL ? node_keep(node) : NULL,
                                                      .place = place};
            return i;
        }
    shelf->failed++;
    return -EMFILE;
}

static struct shelf_folder *folder_of(struct shelf *shelf, int handle, const char *name)
{
    const struct shelf_handle *directory = handle_of(shelf, handle);
    require(directory->node == NULL && directory->place < SHELF_PLACES);
    require(name[0] != '\0' && strlen(name) <= 255 && strchr(name, '/') == NULL);
    require(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    return &shelf->now.folders[directory->place];
}

/* Whatever the library does, it does not lead out of the folders that it was given. */
static bool resolve(const char *path, enum shelf_place *place)
{
    *place = SHELF_ROOT;
    require(path[0] != '\0' && path[0] != '/');
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0) {
            require(*place != SHELF_ROOT);
            *place = SHELF_ROOT;
        } else if (length != 1 || path[0] != '.') {
            require(*place == SHELF_ROOT);
            for (int i = 0; i < SHELF_OUTSIDE; i++)
                if (strncmp(path, place_names[i], length) == 0 && place_names[i][length] == '\0')
                    *place = (enum shelf_place)i;
            if (length == 5 && memcmp(path, "alias", 5) == 0)
                *place = SHELF_DB;
            require(*place != SHELF_ROOT);
        }
        path += length;
        path += strspn(path, "/");
    }
    return *place != SHELF_ROOT;
}

/*
 * The table
 */

static int shelf_open_directory(void *context, const char *path)
{
    struct shelf *shelf = context;
    enum shelf_place place;
    bool is_folder = resolve(path, &place);
    int result = fault(shelf, true);
    if (result != 0)
        return result;
    if (is_folder && !shelf->now.folders[place].present)
        return -ENOENT;
    return handle_new(shelf, NULL, place, false);
}

static int shelf_make_directory(void *context, const char *path)
{
    struct shelf *shelf = context;
    enum shelf_place place;
    require(resolve(path, &place));
    int result = fault(shelf, true);
    if (!done(shelf, result))
        return result;
    bool present = shelf->now.folders[place].present;
    shelf->now.folders[place].present = true;
    return result != 0 ? result : present ? -EEXIST : 0;
}

static int shelf_open(void *context, int directory, const char *name, unsigned flags)
{
    struct shelf *shelf = context;
    struct shelf_folder *folder = folder_of(shelf, directory, name);
    require((flags & (MF_OPEN_READ | MF_OPEN_WRITE)) != 0);
    require((flags & MF_OPEN_EXCLUSIVE) == 0 || (flags & MF_OPEN_CREATE) != 0);
    int result = fault(shelf, true);
    if (result != 0)
        return result;
    bool writable = (flags & MF_OPEN_WRITE) != 0;
    struct shelf_node *node = shelf_find(folder, name);
    if (node == NULL) {
        if ((flags & MF_OPEN_CREATE) == 0)
            return -ENOENT;
        node = node_new(shelf, MF_TYPE_FILE, NULL, 0);
        if (!folder_put(folder, name, node)) {
            shelf->failed++;
            return -ENOSPC;
        }
    } else if ((flags & MF_OPEN_EXCLUSIVE) != 0) {
        return -EEXIST;
    }
    if (node->type == MF_TYPE_LINK)
        return -ELOOP;
    if (node->type == MF_TYPE_DIRECTORY && writable)
        return -EISDIR;
    return handle_new(shelf, node, shelf->handles[directory].place, writable);
}

static int shelf_close(void *context, int handle)
{
    struct shelf *shelf = context;
    node_drop(handle_of(shelf, handle)->node);
    shelf->handles[handle] = (struct shelf_handle){0};
    return fault(shelf, false);
}

static size_t transfer(const struct shelf *shelf, size_t size)
{
    size_t max = shelf->faults.max_transfer;
    return max > 0 && size > max ? max : size;
}

static int64_t shelf_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    struct shelf *shelf = context;
    const struct shelf_node *node = handle_of(shelf, file)->node;
    require(node != NULL);
    int result = fault(shelf, true);
    if (result != 0)
        return result;
    if (node->type == MF_TYPE_DIRECTORY)
        return -EISDIR;
    if (node->type != MF_TYPE_FILE)
        return -ESPIPE;
    if (offset >= node->size)
        return 0;
    size_t count = node->size - (size_t)offset;
    count = transfer(shelf, count < size ? count : size);
    memcpy(buffer, node->data + offset, count);
    return (int64_t)count;
}

static int64_t shelf_write(void *context, int file, const void *buffer, size_t size,
                           uint64_t offset)
{
    struct shelf *shelf = context;
    const struct shelf_handle *handle = handle_of(shelf, file);
    require(handle->node != NULL && handle->node->type == MF_TYPE_FILE && handle->writable);
    require(size > 0);
    int result = fault(shelf, true);
    if (!done(shelf, result))
        return result;
    size = transfer(shelf, size);
    if (size > SHELF_FILE_MAX || offset > SHELF_FILE_MAX - size)
        return -EFBIG;
    struct shelf_node *node = node_edit(shelf, handle->node);
    size_t end = (size_t)offset + size;
    if (end > node->size) {
        bool counted = allocations_pause();
        node->data = realloc(node->data, end + 1);
        allocations_resume(counted);
        require(node->data != NULL);
        memset(node->data + node->size, 0, end - node->size);
        node->size = end;
    }
    memcpy(node->data + offset, buffer, size);
    return result != 0 ? result : (int64_t)size;
}

static int shelf_sync(void *context, int handle)
{
    struct shelf *shelf = context;
    handle_of(shelf, handle);
    return fault(shelf, true);
}

static int shelf_sync_many(void *context, const int *files, size_t count)
{
    struct shelf *shelf = context;
    for (size_t i = 0; i < count; i++)
        require(handle_of(shelf, files[i])->node != NULL);
    return fault(shelf, true);
}

static int shelf_rename(void *context, int directory, const char *from, const char *to)
{
    struct shelf *shelf = context;
    struct shelf_folder *folder = folder_of(shelf, directory, from);
    folder_of(shelf, directory, to);
    int result = fault(shelf, false);
    if (!rename_done(shelf, result))
        return result;
    struct shelf_node *node = shelf_find(folder, from), *target = shelf_find(folder, to);
    if (node == NULL)
        return -ENOENT;
    if (target != NULL && target != node) {
        bool is_directory = node->type == MF_TYPE_DIRECTORY;
        if (is_directory != (target->type == MF_TYPE_DIRECTORY))
            return is_directory ? -ENOTDIR : -EISDIR;
    }
    node_keep(node);
    folder_remove(folder, from);
    folder_put(folder, to, node);
    return result;
}

static int shelf_remove_name(void *context, int directory, const char *name)
{
    struct shelf *shelf = context;
    struct shelf_folder *folder = folder_of(shelf, directory, name);
    int result = fault(shelf, true);
    if (!done(shelf, result))
        return result;
    const struct shelf_node *node = shelf_find(folder, name);
    if (node == NULL)
        return -ENOENT;
    if (node->type == MF_TYPE_DIRECTORY)
        return -EISDIR;
    folder_remove(folder, name);
    return result;
}

static void tell(const struct shelf_node *node, struct mf_status *status)
{
    *status = (struct mf_status){.type = MF_TYPE_DIRECTORY};
    if (node == NULL)
        return;
    status->type = node->type;
    if (node->type == MF_TYPE_FILE)
        status->size = node->size;
}

static int shelf_status(void *context, int handle, struct mf_status *status)
{
    struct shelf *shelf = context;
    tell(handle_of(shelf, handle)->node, status);
    return fault(shelf, true);
}

static int shelf_status_at(void *context, int directory, const char *name, struct mf_status *status)
{
    struct shelf *shelf = context;
    const struct shelf_folder *folder = folder_of(shelf, directory, name);
    int result = fault(shelf, true);
    const struct shelf_node *node = shelf_find(folder, name);
    if (result != 0)
        return result;
    if (node == NULL)
        return -ENOENT;
    tell(node, status);
    return 0;
}

static int shelf_list(void *context, int directory, int (*visit)(void *argument, const char *name),
                      void *argument)
{
    struct shelf *shelf = context;
    const struct shelf_handle *handle = handle_of(shelf, directory);
    require(handle->node == NULL && handle->place < SHELF_PLACES);
    const struct shelf_folder *folder = &shelf->now.folders[handle->place];
    int result = 0;
    for (size_t i = 0; i < folder->count && result == 0; i++)
        result = visit(argument, folder->entries[i]->name);
    /* In the end, when all names but none too few have been visited. */
    int failure = fault(shelf, true);
    return failure != 0 ? failure : result;
}

static bool is_locked(const struct shelf *shelf, const struct shelf_node *node)
{
    for (int i = 0; i < SHELF_HANDLES; i++)
        if (shelf->handles[i].open && shelf->handles[i].locked && shelf->handles[i].node == node)
            return true;
    return false;
}

bool shelf_is_locked(const struct shelf *shelf, enum shelf_place place)
{
    const struct shelf_node *node = shelf_find(&shelf->now.folders[place], "MANIFEST-LOCK");
    return node != NULL && is_locked(shelf, node);
}

static int shelf_lock(void *context, int file, uint32_t timeout_ms)
{
    struct shelf *shelf = context;
    struct shelf_handle *handle = handle_of(shelf, file);
    (void)timeout_ms;
    require(handle->node != NULL && handle->writable);
    int result = fault(shelf, true);
    if (result != 0)
        return result;
    if (is_locked(shelf, handle->node))
        return -EAGAIN;
    handle->locked = true;
    return 0;
}

static int shelf_now(void *context, uint64_t *seconds)
{
    *seconds = NOW;
    return fault(context, true);
}

static int shelf_rename_is_atomic(void *context, int directory)
{
    struct shelf *shelf = context;
    handle_of(shelf, directory);
    return shelf->rename_is_atomic;
}

/*
 * Life
 */

struct shelf *shelf_new(void)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf));
    require(shelf != NULL);
    shelf->rename_is_atomic = 1;
    shelf->platform = (struct mf_platform){
        .context = shelf,
        .open_directory = shelf_open_directory,
        .make_directory = shelf_make_directory,
        .open = shelf_open,
        .close = shelf_close,
        .read = shelf_read,
        .write = shelf_write,
        .sync = shelf_sync,
        .rename = shelf_rename,
        .remove = shelf_remove_name,
        .status = shelf_status,
        .status_at = shelf_status_at,
        .list = shelf_list,
        .lock = shelf_lock,
        .now = shelf_now,
        .sync_many = shelf_sync_many,
        .rename_is_atomic = shelf_rename_is_atomic,
    };
    return shelf;
}

void shelf_free(struct shelf *shelf)
{
    for (int i = 0; i < SHELF_HANDLES; i++)
        require(!shelf->handles[i].open);
    shelf_forget(&shelf->now);
    free(shelf);
}

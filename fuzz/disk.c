#include "disk.h"

#include "target.h"

#include <errno.h>
#include <string.h>

#define ROOT 1

/* ---- Memory ---- */

static unsigned char *take(struct disk *disk, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    require(size <= sizeof(disk->arena) - disk->used);
    unsigned char *bytes = disk->arena + disk->used;
    disk->used += (uint32_t)size;
    return bytes;
}

/* Makes room for so many bytes that may be changed. What is new shows unwritten. */
static void own(struct disk *disk, struct disk_content *content, size_t size, int unwritten)
{
    if (size <= content->capacity)
        return;
    size_t capacity = (size + DISK_GRANULE - 1) / DISK_GRANULE * DISK_GRANULE;
    if (capacity < content->size)
        capacity = content->size;
    unsigned char *bytes = take(disk, capacity);
    /* What was written beyond the size, too. */
    size_t there = content->size > content->capacity ? content->size : content->capacity;
    if (there > 0)
        memcpy(bytes, content->bytes, there);
    memset(bytes + there, unwritten, capacity - there);
    content->bytes = bytes;
    content->capacity = (uint16_t)capacity;
}

/* ---- Names ---- */

static uint32_t hash_text(unsigned directory, const char *text)
{
    uint32_t hash = 2166136261u ^ directory;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash ^ hash >> 15;
}

static uint16_t *bucket(struct disk *disk, uint32_t hash)
{
    return &disk->table[hash % (sizeof(disk->table) / sizeof(disk->table[0]))];
}

/* Names are short, and with the same hash mostly the same: quicker than a call. */
static bool is_text(const char *text, const char *other)
{
    while (*text == *other && *text != '\0')
        text++, other++;
    return *text == *other;
}

/* From 1; 0 when nobody has used it. */
static unsigned find_name(struct disk *disk, unsigned directory, const char *text)
{
    uint32_t hash = hash_text(directory, text);
    for (unsigned name = *bucket(disk, hash); name != 0; name = disk->names[name - 1].next) {
        const struct disk_name *entry = &disk->names[name - 1];
        if (entry->hash == hash && entry->directory == directory && is_text(entry->text, text))
            return name;
    }
    return 0;
}

static void hash_name(struct disk *disk, unsigned name)
{
    struct disk_name *entry = &disk->names[name - 1];
    uint16_t *head = bucket(disk, entry->hash);
    entry->next = *head;
    *head = (uint16_t)name;
}

static unsigned make_name(struct disk *disk, unsigned directory, const char *text)
{
    unsigned name = find_name(disk, directory, text);
    if (name != 0)
        return name;
    require(disk->name_count < DISK_NAMES && strlen(text) < DISK_NAME_SIZE);
    name = ++disk->name_count;
    disk->names[name - 1] =
        (struct disk_name){.directory = (uint16_t)directory, .hash = hash_text(directory, text)};
    strcpy(disk->names[name - 1].text, text);
    hash_name(disk, name);
    return name;
}

static unsigned meaning(struct disk *disk, unsigned directory, const char *text)
{
    unsigned name = find_name(disk, directory, text);
    return name != 0 ? disk->names[name - 1].seen : 0;
}

/* ---- Operations ---- */

static unsigned begin_operation(struct disk *disk, unsigned owner)
{
    require(disk->operation_count < DISK_OPERATIONS);
    unsigned id = ++disk->operation_count;
    struct disk_node *node = &disk->nodes[owner - 1];
    disk->operations[id - 1] = (struct disk_operation){
        .pending = true, .granule = DISK_GRANULES, .owner = (uint16_t)owner};
    if (node->first == 0)
        node->first = (uint16_t)id;
    else
        disk->operations[node->last - 1].next = (uint16_t)id;
    node->last = (uint16_t)id;
    return id;
}

static void change_name(struct disk *disk, unsigned id, unsigned slot, unsigned name, unsigned node)
{
    struct disk_operation *operation = &disk->operations[id - 1];
    struct disk_name *entry = &disk->names[name - 1];
    operation->names[slot] = (uint16_t)name;
    operation->meaning[slot] = (uint16_t)node;
    operation->before[slot] = entry->latest;
    entry->latest = (uint16_t)id;
    entry->seen = (uint16_t)node;
}

/* The granule as the program sees it now. */
static void write_granule(struct disk *disk, unsigned file, unsigned granule)
{
    struct disk_node *node = &disk->nodes[file - 1];
    size_t start = (size_t)granule * DISK_GRANULE;
    size_t size = node->seen.size - start < DISK_GRANULE ? node->seen.size - start : DISK_GRANULE;
    unsigned id = begin_operation(disk, file);
    struct disk_operation *operation = &disk->operations[id - 1];
    unsigned char *bytes = take(disk, DISK_GRANULE);
    memcpy(bytes, node->seen.bytes + start, size);
    memset(bytes + size, 0, DISK_GRANULE - size);
    operation->granule = (uint8_t)granule;
    operation->bytes = bytes;
    operation->before[0] = node->written[granule];
    node->written[granule] = (uint16_t)id;
}

static void grow(struct disk *disk, unsigned file)
{
    struct disk_node *node = &disk->nodes[file - 1];
    unsigned id = begin_operation(disk, file);
    disk->operations[id - 1].size = node->seen.size;
    disk->operations[id - 1].before[0] = node->grown;
    node->grown = (uint16_t)id;
    node->size_dropped = false;
}

/* ---- Becoming durable ---- */

/* Data beyond the size stays there until the growth shows it. */
static void apply(struct disk *disk, const struct disk_operation *operation)
{
    struct disk_content *content = &disk->nodes[operation->owner - 1].durable;
    int unwritten = disk->model.garbage ? 0xdb : 0;
    if (operation->bytes != NULL) {
        size_t start = (size_t)operation->granule * DISK_GRANULE;
        own(disk, content, start + DISK_GRANULE, unwritten);
        memcpy(content->bytes + start, operation->bytes, DISK_GRANULE);
    } else if (operation->names[0] == 0) {
        own(disk, content, operation->size, unwritten);
        if (content->size < operation->size)
            content->size = operation->size;
    }
    for (unsigned i = 0; i < 2; i++)
        if (operation->names[i] != 0)
            disk->names[operation->names[i] - 1].durable = operation->meaning[i];
}

/* With what was before at the same locations. */
static void persist(struct disk *disk, unsigned id)
{
    struct disk_operation *operation = id == 0 ? NULL : &disk->operations[id - 1];
    if (operation == NULL || !operation->pending)
        return;
    operation->pending = false;
    persist(disk, operation->before[0]);
    persist(disk, operation->before[1]);
    apply(disk, operation);
}

static void sync_node(struct disk *disk, struct disk_node *node)
{
    /* Both contents are the same then: shared until one is changed. */
    bool share = !node->is_directory && !node->dropped;
    for (unsigned id = node->first; id != 0; id = disk->operations[id - 1].next) {
        if (share)
            disk->operations[id - 1].pending = false;
        else
            persist(disk, id);
    }
    node->first = node->last = 0;
    if (share) {
        node->seen.capacity = 0;
        node->durable = node->seen;
    }
    if (disk->model.names_files && node->creation != 0)
        persist(disk, node->creation);
}

/* Bit i of kept: what becomes of every third write; bit 3: of the growth. */
static void drop(struct disk *disk, struct disk_node *node, unsigned kept)
{
    unsigned writes = 0;
    for (unsigned id = node->first; id != 0; id = disk->operations[id - 1].next) {
        struct disk_operation *operation = &disk->operations[id - 1];
        unsigned bit = operation->bytes != NULL ? writes++ % 3 : 3;
        if ((kept >> bit & 1) != 0)
            persist(disk, id);
        else if (operation->pending && bit == 3)
            node->size_dropped = true;
        operation->pending = false;
    }
    node->first = node->last = 0;
    node->dropped = true;
}

/* Nothing is pending any more, and the program sees what is durable. */
static void start_again(struct disk *disk)
{
    for (unsigned i = 0; i < disk->node_count; i++) {
        struct disk_node *node = &disk->nodes[i];
        node->durable.capacity = 0;
        *node = (struct disk_node){
            .is_directory = node->is_directory, .seen = node->durable, .durable = node->durable};
    }
    for (unsigned i = 0; i < disk->name_count; i++) {
        disk->names[i].seen = disk->names[i].durable;
        disk->names[i].latest = 0;
    }
    memset(disk->handles, 0, sizeof(disk->handles));
    disk->operation_count = 0;
    disk->dead = disk->read_only = false;
}

/* ---- Cuts ---- */

void disk_settle(struct disk *disk)
{
    for (unsigned id = 1; id <= disk->operation_count; id++)
        persist(disk, id);
    for (unsigned i = 0; i < disk->node_count; i++)
        if (disk->nodes[i].dropped)
            disk->nodes[i].durable = disk->nodes[i].seen;
    start_again(disk);
}

static bool lost(const struct disk *disk, unsigned id)
{
    return id != 0 && disk->operations[id - 1].pending && !disk->survives[id - 1];
}

void disk_cut_to_survivors(struct disk *disk)
{
    for (unsigned id = 1; id <= disk->operation_count; id++) {
        struct disk_operation *operation = &disk->operations[id - 1];
        if (!operation->pending)
            continue;
        disk->survives[id - 1] = disk->survives[id - 1] && !lost(disk, operation->before[0]) &&
                                 !lost(disk, operation->before[1]);
    }
    /* Only now, since what survives is not pending any more. */
    for (unsigned id = 1; id <= disk->operation_count; id++)
        if (disk->operations[id - 1].pending && disk->survives[id - 1])
            apply(disk, &disk->operations[id - 1]);
    start_again(disk);
}

/* With what must have survived then. */
static void save(struct disk *disk, unsigned id)
{
    if (id == 0 || !disk->operations[id - 1].pending || disk->survives[id - 1])
        return;
    disk->survives[id - 1] = true;
    save(disk, disk->operations[id - 1].before[0]);
    save(disk, disk->operations[id - 1].before[1]);
}

void disk_cut(struct disk *disk, struct choices *choices)
{
    static uint16_t pending[DISK_OPERATIONS];
    unsigned count = 0, how = choose_byte(choices), bits = 0;
    for (unsigned id = 1; id <= disk->operation_count; id++) {
        if (!disk->operations[id - 1].pending)
            continue;
        if (how % 4 == 3)
            bits = count % 8 == 0 ? choose_byte(choices) : bits >> 1;
        pending[count++] = (uint16_t)id;
        disk->survives[id - 1] = how % 4 == 1 || (how % 4 == 3 && (bits & 1) != 0) ||
                                 (how % 4 == 2 && disk->operations[id - 1].names[0] != 0);
    }
    for (unsigned changes = how / 4; changes > 0 && count > 0 && choices_left(choices); changes--) {
        unsigned id = pending[choose(choices, count)];
        if (disk->survives[id - 1])
            disk->survives[id - 1] = false;
        else
            save(disk, id);
    }
    disk_cut_to_survivors(disk);
}

void disk_kill(struct disk *disk)
{
    memset(disk->handles, 0, sizeof(disk->handles));
    for (unsigned i = 0; i < disk->node_count; i++)
        disk->nodes[i].lock = 0;
    disk->dead = false;
}

/* ---- Plans ---- */

void disk_plan(struct disk *disk, const struct disk_plan *plan)
{
    disk->plan = plan != NULL ? *plan : (struct disk_plan){0};
    disk->changes = disk->troubles = 0;
    memset(disk->calls, 0, sizeof(disk->calls));
}

/* A failure of rename that it had before it failed (1), or not. */
static const struct {
    int error;
    bool done;
} rename_failures[8] = {{EIO, false},   {EIO, true},    {ENOSPC, false}, {EINTR, true},
                        {EINTR, false}, {EROFS, false}, {EACCES, false}, {ENOMEM, true}};

static const int failures[DISK_CALLS][8] = {
    [DISK_SYNC] = {EIO, EINTR, EIO, ENOSPC, EDQUOT, EIO, EINTR, EROFS},
    [DISK_WRITE] = {EIO, ENOSPC, EINTR, EDQUOT, EIO, ENOSPC, EINTR, EFBIG},
    [DISK_OPEN] = {EIO, ENOSPC, EINTR, EMFILE, EACCES, ENFILE, EROFS, ENOMEM},
    [DISK_REMOVE] = {EIO, EINTR, EROFS, EACCES, EPERM, EBUSY, EIO, EINTR},
    [DISK_READ] = {EIO, EINTR, EIO, EINTR, EIO, EINTR, EIO, ENOMEM},
    [DISK_LOOK] = {EIO, EINTR, EACCES, EIO, EINTR, EIO, EINTR, ENOMEM},
    [DISK_MAKE] = {EIO, EINTR, ENOSPC, EACCES, EROFS, EMFILE, EIO, EINTR},
};

static bool fails_now(const struct disk *disk, enum disk_call kind, unsigned which)
{
    const struct disk_plan *plan = &disk->plan;
    if (!plan->fails || plan->kind != kind || which < plan->which)
        return false;
    bool lasts = (plan->how & 8) != 0 && failures[kind][plan->how & 7] != EINTR;
    return which == plan->which || (lasts && kind != DISK_RENAME);
}

/* 0, or the error with which a call fails at once. *how: it is to fail as the plan says. */
static int enter(struct disk *disk, enum disk_call kind, bool changes, bool *how)
{
    *how = false;
    if (!disk->dead && changes && disk->changes++ == disk->plan.stops_before && disk->plan.stops)
        disk->dead = true;
    int result = 0;
    if (disk->dead)
        result = -EIO;
    else if (changes && disk->read_only)
        result = -EROFS;
    else if ((*how = fails_now(disk, kind, disk->calls[kind]++)))
        result = kind == DISK_RENAME ? -rename_failures[disk->plan.how & 7].error
                                     : -failures[kind][disk->plan.how & 7];
    if (result < 0 && (result != -EINTR || kind == DISK_RENAME)) {
        disk->troubles++;
        disk->failed_syncs += kind == DISK_SYNC ? 1 : 0;
    }
    return result;
}

/* ---- Handles ---- */

static struct disk_handle *handle_of(struct disk *disk, int handle)
{
    if (handle < 0 || handle >= DISK_HANDLES || disk->handles[handle].node == 0)
        return NULL;
    return &disk->handles[handle];
}

static struct disk_node *node_of(struct disk *disk, int handle)
{
    const struct disk_handle *found = handle_of(disk, handle);
    return found != NULL ? &disk->nodes[found->node - 1] : NULL;
}

static unsigned directory_of(struct disk *disk, int handle)
{
    const struct disk_node *node = node_of(disk, handle);
    require(node != NULL && node->is_directory);
    return disk->handles[handle].node;
}

static int new_handle(struct disk *disk, unsigned node, bool writable)
{
    for (int i = 0; i < DISK_HANDLES; i++) {
        if (disk->handles[i].node == 0) {
            disk->handles[i] = (struct disk_handle){
                .node = (uint16_t)node,
                .writable = writable,
                .failures = disk->nodes[node - 1].failures,
            };
            return i;
        }
    }
    return -EMFILE;
}

static unsigned new_node(struct disk *disk, bool is_directory)
{
    require(disk->node_count < DISK_NODES);
    disk->nodes[disk->node_count++] = (struct disk_node){.is_directory = is_directory};
    return disk->node_count;
}

static unsigned create(struct disk *disk, unsigned directory, const char *text, bool is_directory)
{
    unsigned name = make_name(disk, directory, text);
    unsigned node = new_node(disk, is_directory);
    unsigned id = begin_operation(disk, directory);
    change_name(disk, id, 0, name, node);
    disk->nodes[node - 1].creation = (uint16_t)id;
    return node;
}

/* ---- The table: directories ---- */

static int platform_open_directory(void *context, const char *path)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_MAKE, false, &how);
    if (result < 0)
        return result;
    unsigned node = strcmp(path, ".") == 0 ? ROOT : meaning(disk, ROOT, path);
    if (node == 0)
        return -ENOENT;
    return disk->nodes[node - 1].is_directory ? new_handle(disk, node, false) : -ENOTDIR;
}

static int platform_make_directory(void *context, const char *path)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_MAKE, true, &how);
    if (result < 0)
        return result;
    if (meaning(disk, ROOT, path) != 0)
        return -EEXIST;
    create(disk, ROOT, path, true);
    return 0;
}

static int platform_list(void *context, int directory,
                         int (*visit)(void *argument, const char *name), void *argument)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_LOOK, false, &how);
    unsigned node = directory_of(disk, directory);
    for (unsigned i = 0; i < disk->name_count && result == 0; i++)
        if (disk->names[i].directory == node && disk->names[i].seen != 0)
            result = visit(argument, disk->names[i].text);
    return result;
}

/* ---- Files ---- */

static int platform_open(void *context, int directory, const char *name, unsigned flags)
{
    struct disk *disk = context;
    unsigned parent = directory_of(disk, directory);
    unsigned node = meaning(disk, parent, name);
    bool makes = node == 0 && (flags & MF_OPEN_CREATE) != 0, how;
    int result = enter(disk, DISK_OPEN, makes, &how);
    if (result < 0)
        return result;
    if (node == 0 && !makes)
        return -ENOENT;
    if (node != 0 && (flags & MF_OPEN_CREATE) != 0 && (flags & MF_OPEN_EXCLUSIVE) != 0)
        return -EEXIST;
    int handle = new_handle(disk, node != 0 ? node : ROOT, (flags & MF_OPEN_WRITE) != 0);
    if (handle < 0 || node != 0)
        return handle;
    node = create(disk, parent, name, false);
    disk->handles[handle] = (struct disk_handle){.node = (uint16_t)node, .writable = true};
    return handle;
}

static int platform_close(void *context, int handle)
{
    struct disk *disk = context;
    struct disk_node *node = node_of(disk, handle);
    if (disk->dead)
        return -EIO;
    require(node != NULL);
    if (node->lock == handle + 1)
        node->lock = 0;
    disk->handles[handle].node = 0;
    return 0;
}

static size_t shorten(const struct disk *disk, size_t size)
{
    return disk->plan.short_counts && size > 300 ? 300 : size;
}

static int64_t platform_read(void *context, int file, void *buffer, size_t size, uint64_t offset)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_READ, false, &how);
    if (result < 0)
        return result;
    const struct disk_node *node = node_of(disk, file);
    require(node != NULL && !node->is_directory);
    if (offset >= node->seen.size)
        return 0;
    size_t left = node->seen.size - (size_t)offset;
    size = shorten(disk, size < left ? size : left);
    memcpy(buffer, node->seen.bytes + offset, size);
    return (int64_t)size;
}

static int64_t platform_write(void *context, int file, const void *buffer, size_t size,
                              uint64_t offset)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_WRITE, true, &how);
    if (result < 0)
        return result;
    struct disk_node *node = node_of(disk, file);
    require(node != NULL && !node->is_directory && disk->handles[file].writable && size > 0);
    size = shorten(disk, size);
    if (offset + size > DISK_FILE_MAX)
        return -EFBIG;
    size_t end = (size_t)offset + size;
    own(disk, &node->seen, end > node->seen.size ? end : node->seen.size, 0);
    memcpy(node->seen.bytes + offset, buffer, size);
    bool grows = end > node->seen.size;
    if (grows)
        node->seen.size = (uint16_t)end;
    for (size_t granule = (size_t)offset / DISK_GRANULE; granule * DISK_GRANULE < end; granule++)
        write_granule(disk, disk->handles[file].node, (unsigned)granule);
    if (grows || node->size_dropped)
        grow(disk, disk->handles[file].node);
    return (int64_t)size;
}

static int platform_sync(void *context, int handle)
{
    struct disk *disk = context;
    struct disk_handle *open = handle_of(disk, handle);
    bool how;
    int result = enter(disk, DISK_SYNC, true, &how);
    if (disk->dead)
        return result;
    require(open != NULL);
    struct disk_node *node = &disk->nodes[open->node - 1];
    if (how && result != -EINTR) {
        open->failures = ++node->failures;
        if (!node->is_directory)
            drop(disk, node, disk->plan.how >> 4);
        else
            disk->read_only = (disk->plan.how >> 4 & 1) != 0;
    }
    if (result < 0)
        return result;
    /* Each description that was open at a failure hears of it once. */
    if (open->failures != node->failures && !node->is_directory) {
        open->failures = node->failures;
        disk->troubles++;
        disk->failed_syncs++;
        return -EIO;
    }
    sync_node(disk, node);
    return 0;
}

static int platform_sync_many(void *context, const int *files, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        int one;
        do {
            one = platform_sync(context, files[i]);
        } while (one == -EINTR);
        if (one < 0)
            result = one;
    }
    return result;
}

static int platform_status(void *context, int handle, struct mf_status *status)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_LOOK, false, &how);
    if (result < 0)
        return result;
    const struct disk_node *node = node_of(disk, handle);
    require(node != NULL);
    *status = (struct mf_status){.type = node->is_directory ? MF_TYPE_DIRECTORY : MF_TYPE_FILE,
                                 .size = node->seen.size};
    return 0;
}

static int platform_lock(void *context, int file, uint32_t timeout_ms)
{
    struct disk *disk = context;
    bool how;
    (void)timeout_ms;
    int result = enter(disk, DISK_LOOK, false, &how);
    if (result < 0)
        return result;
    struct disk_node *node = node_of(disk, file);
    require(node != NULL);
    if (node->lock != 0 && node->lock != file + 1)
        return -EAGAIN;
    node->lock = (uint8_t)(file + 1);
    return 0;
}

/* ---- Names ---- */

static int platform_status_at(void *context, int directory, const char *name,
                              struct mf_status *status)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_LOOK, false, &how);
    if (result < 0)
        return result;
    unsigned id = meaning(disk, directory_of(disk, directory), name);
    if (id == 0)
        return -ENOENT;
    const struct disk_node *node = &disk->nodes[id - 1];
    *status = (struct mf_status){.type = node->is_directory ? MF_TYPE_DIRECTORY : MF_TYPE_FILE,
                                 .size = node->seen.size};
    return 0;
}

static void rename_name(struct disk *disk, unsigned directory, unsigned from, unsigned to)
{
    unsigned node = disk->names[from - 1].seen;
    unsigned id = begin_operation(disk, directory);
    change_name(disk, id, 0, to, node);
    if (disk->model.rename_is_two)
        change_name(disk, begin_operation(disk, directory), 0, from, 0);
    else
        change_name(disk, id, 1, from, 0);
}

static int platform_rename(void *context, int directory, const char *from, const char *to)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_RENAME, true, &how);
    if (result < 0 && !how)
        return result;
    if (how && !rename_failures[disk->plan.how & 7].done)
        return -rename_failures[disk->plan.how & 7].error;
    unsigned parent = directory_of(disk, directory);
    unsigned source = find_name(disk, parent, from);
    if (source == 0 || disk->names[source - 1].seen == 0)
        return -ENOENT;
    unsigned target = make_name(disk, parent, to);
    /* rename(2): two names of one file are left as they are. */
    if (disk->names[target - 1].seen != disk->names[source - 1].seen)
        rename_name(disk, parent, source, target);
    return how ? -rename_failures[disk->plan.how & 7].error : 0;
}

static int platform_remove(void *context, int directory, const char *name)
{
    struct disk *disk = context;
    bool how;
    int result = enter(disk, DISK_REMOVE, true, &how);
    if (result < 0)
        return result;
    unsigned parent = directory_of(disk, directory);
    unsigned entry = find_name(disk, parent, name);
    if (entry == 0 || disk->names[entry - 1].seen == 0)
        return -ENOENT;
    if (disk->nodes[disk->names[entry - 1].seen - 1].is_directory)
        return -EISDIR;
    change_name(disk, begin_operation(disk, parent), 0, entry, 0);
    return 0;
}

static int platform_rename_is_atomic(void *context, int directory)
{
    (void)directory;
    return ((struct disk *)context)->model.rename_is_two ? 0 : 1;
}

static int platform_now(void *context, uint64_t *seconds)
{
    (void)context;
    *seconds = 1000000000;
    return 0;
}

/* ---- The whole disk ---- */

void disk_reset(struct disk *disk, const struct disk_image *image, struct disk_model model)
{
    disk->platform = (struct mf_platform){
        .context = disk,
        .open_directory = platform_open_directory,
        .make_directory = platform_make_directory,
        .open = platform_open,
        .close = platform_close,
        .read = platform_read,
        .write = platform_write,
        .sync = platform_sync,
        .rename = platform_rename,
        .remove = platform_remove,
        .status = platform_status,
        .status_at = platform_status_at,
        .list = platform_list,
        .lock = platform_lock,
        .now = platform_now,
        .sync_many = platform_sync_many,
        .rename_is_atomic = platform_rename_is_atomic,
    };
    disk->model = model;
    disk->dead = disk->read_only = false;
    disk->operation_count = 0;
    disk->used = 0;
    disk->failed_syncs = 0;
    disk_plan(disk, NULL);
    memset(disk->handles, 0, sizeof(disk->handles));
    disk->node_count = image != NULL ? image->node_count : 0;
    disk->name_count = image != NULL ? image->name_count : 0;
    if (image == NULL) {
        memset(disk->table, 0, sizeof(disk->table));
        new_node(disk, true);
        return;
    }
    memcpy(disk->table, image->table, sizeof(disk->table));
    memcpy(disk->nodes, image->nodes, image->node_count * sizeof(image->nodes[0]));
    memcpy(disk->names, image->names, image->name_count * sizeof(image->names[0]));
}

void disk_keep(struct disk *disk, struct disk_image *image)
{
    disk_settle(disk);
    require(disk->node_count <= DISK_IMAGE_NODES && disk->name_count <= DISK_IMAGE_NAMES);
    image->node_count = disk->node_count;
    image->name_count = disk->name_count;
    memcpy(image->table, disk->table, sizeof(image->table));
    memcpy(image->names, disk->names, image->name_count * sizeof(image->names[0]));
    size_t used = 0;
    for (unsigned i = 0; i < image->node_count; i++) {
        struct disk_node *node = &image->nodes[i];
        *node = disk->nodes[i];
        require(node->seen.size <= sizeof(image->bytes) - used);
        if (node->seen.size > 0)
            memcpy(image->bytes + used, node->seen.bytes, node->seen.size);
        node->seen.bytes = node->durable.bytes = image->bytes + used;
        used += node->seen.size;
    }
}

const unsigned char *disk_find(struct disk *disk, const char *directory, const char *name,
                               size_t *size)
{
    unsigned parent = meaning(disk, ROOT, directory);
    unsigned node = parent != 0 ? meaning(disk, parent, name) : 0;
    if (node == 0 || disk->nodes[node - 1].is_directory)
        return NULL;
    *size = disk->nodes[node - 1].seen.size;
    return *size > 0 ? disk->nodes[node - 1].seen.bytes : (const unsigned char *)"";
}

void disk_damage(struct disk *disk, const char *directory, const char *name)
{
    unsigned parent = meaning(disk, ROOT, directory);
    unsigned id = parent != 0 ? meaning(disk, parent, name) : 0;
    if (id == 0)
        return;
    struct disk_node *node = &disk->nodes[id - 1];
    own(disk, &node->seen, DISK_GRANULE, 0);
    node->seen.bytes[0] ^= 0xff;
    node->seen.capacity = 0;
    node->durable = node->seen;
}

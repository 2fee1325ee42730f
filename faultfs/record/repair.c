/*
 * A process may be killed while it holds a lock, in the middle of a call. Nobody
 * else can change the directory as long as the lock is held, so what became of
 * the call can be seen by comparing what is there with the replay of all calls
 * before it: a name is there or not, a file has its old content or some of the
 * new. The record is completed accordingly and the lock is released.
 */
#include "../shim/known.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "../trace/tree_walk.h"
#include "mappings.h"
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct repair {
    struct recording *recording;
    struct ff_tree *tree; /* the replay so far */
    struct record record; /* being completed */
    struct bytes data;    /* of the record */
    struct ff_error *error;
};

/* Locks *************************************************************************************/

static bool thread_is_dead(uint32_t thread)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%u/stat", thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT || errno == ESRCH;
    size_t size = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[size] = '\0';
    const char *end = strrchr(line, ')');
    return size == 0 || (end != NULL && (end[2] == 'Z' || end[2] == 'X'));
}

/* The dead owner of a lock, or 0. */
static uint32_t dead_owner(_Atomic uint32_t *lock)
{
    uint32_t owner = atomic_load(lock) & ~CHANNEL_WAITERS;
    if (owner == 0 || !thread_is_dead(owner))
        return 0;
    /* It may have released the lock before it ended. */
    return (atomic_load(lock) & ~CHANNEL_WAITERS) == owner ? owner : 0;
}

/* Where a dead owner's call was the last one before the cut, it cannot say so any more. */
static void cut_if_due(struct recording *recording, uint32_t owner)
{
    struct channel *channel = recording->channel;
    if ((channel->cut_at != 0 && channel->calls >= channel->cut_at) ||
        (channel->cut_after != 0 && channel->cut_after == owner))
        channel->cut = true;
}

/* After a cut the lock is never released. */
static void lock_release(const struct channel *channel, _Atomic uint32_t *lock)
{
    if (channel->cut)
        return;
    atomic_store(lock, 0);
    syscall(SYS_futex, lock, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Records ***********************************************************************************/

/* Drops what was put into the ring of a record that was never completed. */
static void stream_cut(struct recording *recording)
{
    struct channel *channel = recording->channel;
    uint64_t committed = atomic_load(&channel->committed);
    recording_drain(recording);
    recording->stream.size = committed;
    atomic_store(&channel->head, committed);
    atomic_store(&channel->tail, committed);
}

/* The process of a thread, which its earlier records tell. */
static uint32_t process_of(const struct recording *recording, uint32_t thread)
{
    uint32_t process = thread;
    struct record record;
    for (size_t at = 0; at < recording->stream.size; at += record.size) {
        memcpy(&record, recording->stream.bytes + at, sizeof(record));
        if (record.thread == thread)
            process = record.process;
    }
    return process;
}

/* Appends the completed record, as the recorder would have done. */
static void record_append(struct repair *repair)
{
    struct recording *recording = repair->recording;
    struct channel *channel = recording->channel;
    struct bytes *stream = &recording->stream;
    struct record *record = &repair->record;
    record->end = atomic_fetch_add(&channel->tick, 1) + 1;
    if (record->begin == 0)
        record->begin = record->end;
    record->data_size = repair->data.size;
    record->size = sizeof(*record) + record->name_size + record->name2_size + record->data_size + 3;
    bytes_append(stream, record, sizeof(*record));
    bytes_append(stream, channel->pending.name, record->name_size);
    bytes_append(stream, "", 1);
    bytes_append(stream, channel->pending.name2, record->name2_size);
    bytes_append(stream, "", 1);
    if (repair->data.size != 0)
        bytes_append(stream, repair->data.bytes, repair->data.size);
    bytes_append(stream, "", 1);
    atomic_store(&channel->head, stream->size);
    atomic_store(&channel->tail, stream->size);
    atomic_store(&channel->committed, stream->size);
    channel->calls++;
}

/* The real objects **************************************************************************/

/* The path of a node that has a name, or NULL. */
static char *node_path(const struct repair *repair, uint32_t node)
{
    struct tree_walk walk;
    char *relative = NULL, *path = NULL;
    ff_tree_walk_begin(&walk, repair->tree);
    if (node == FF_ROOT_NODE)
        relative = ff_tree_walk_path(&walk);
    for (enum walk_event event; relative == NULL && (event = ff_tree_walk_next(&walk)) != WALK_END;)
        if (event == WALK_NAME && walk.node == node)
            relative = ff_tree_walk_path(&walk);
    ff_tree_walk_end(&walk);
    if (relative != NULL) {
        size_t size = strlen(repair->recording->root) + strlen(relative) + 2;
        path = ff_memory_allocate(size, 1);
        snprintf(path, size, "%s/%s", repair->recording->root, relative);
    }
    free(relative);
    return path;
}

/* lstat of a name in a directory; false if it does not exist. */
static bool name_status(const struct repair *repair, uint32_t parent, const char *name,
                        struct stat *status)
{
    char *path = node_path(repair, parent);
    int fd = path == NULL ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool found = fd >= 0 && fstatat(fd, name, status, AT_SYMLINK_NOFOLLOW) == 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return found;
}

static void target_read(struct repair *repair, const char *name)
{
    char target[PATH_MAX];
    char *path = node_path(repair, repair->record.parent);
    int fd = path == NULL ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : readlinkat(fd, name, target, sizeof(target));
    if (length > 0)
        bytes_append(&repair->data, target, (size_t)length);
    if (fd >= 0)
        close(fd);
    free(path);
}

static int content_read(const char *path, struct bytes *content)
{
    unsigned char buffer[1 << 14];
    ssize_t count;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((count = read(fd, buffer, sizeof(buffer))) > 0)
        bytes_append(content, buffer, (size_t)count);
    close(fd);
    return count < 0 ? -1 : 0;
}

/* What became of the call *******************************************************************/

static void mark_unnamed(struct repair *repair, uint64_t device, uint64_t inode)
{
    struct known *known = known_find(repair->recording->channel, device, inode);
    if (known != NULL && repair->recording->channel->pending.last_link)
        known->unnamed = true;
}

/* Whether the name is there and was not there before. */
static bool name_appeared(const struct repair *repair, struct stat *status)
{
    const char *name = repair->recording->channel->pending.name;
    return ff_tree_lookup(repair->tree, repair->record.parent, name) == FF_NO_NODE &&
           name_status(repair, repair->record.parent, name, status);
}

static bool resolve_create(struct repair *repair)
{
    struct channel *channel = repair->recording->channel;
    struct stat status;
    if (!name_appeared(repair, &status))
        return false;
    repair->record.node = channel->next_node++;
    repair->record.mode = status.st_mode;
    repair->record.uid = status.st_uid;
    repair->record.gid = status.st_gid;
    if (S_ISLNK(status.st_mode))
        target_read(repair, channel->pending.name);
    known_insert(channel, status.st_dev, status.st_ino, repair->record.node);
    return true;
}

static bool resolve_link(struct repair *repair)
{
    struct stat status;
    return name_appeared(repair, &status);
}

static bool resolve_unlink(struct repair *repair)
{
    const struct pending *pending = &repair->recording->channel->pending;
    struct stat status;
    if (name_status(repair, repair->record.parent, pending->name, &status))
        return false;
    mark_unnamed(repair, pending->device, pending->inode);
    return true;
}

static bool resolve_rename(struct repair *repair)
{
    const struct pending *pending = &repair->recording->channel->pending;
    struct stat status;
    if (name_status(repair, repair->record.parent, pending->name, &status))
        return false;
    if (repair->record.node2 != FF_NO_NODE)
        mark_unnamed(repair, pending->device2, pending->inode2);
    return true;
}

static bool resolve_exchange(struct repair *repair)
{
    const struct pending *pending = &repair->recording->channel->pending;
    struct stat status;
    return name_status(repair, repair->record.parent, pending->name, &status) &&
           status.st_ino != pending->inode;
}

/* The call concerned a node, not a name: it must still be found by one. */
static char *resolvable_path(struct repair *repair)
{
    char *path = node_path(repair, repair->record.node);
    struct channel *channel = repair->recording->channel;
    if (path == NULL && channel->reason[0] == '\0')
        snprintf(channel->reason, sizeof(channel->reason),
                 "a process was killed while it changed a file that had no name any more");
    return path;
}

static bool resolve_resize(struct repair *repair)
{
    char *path = resolvable_path(repair);
    struct stat status;
    bool changed = path != NULL && lstat(path, &status) == 0 &&
                   (size_t)status.st_size != repair->tree->nodes[repair->record.node].size;
    free(path);
    return changed;
}

static bool resolve_attributes(struct repair *repair)
{
    const struct ff_node *node = &repair->tree->nodes[repair->record.node];
    char *path = resolvable_path(repair);
    struct stat status;
    bool found = path != NULL && lstat(path, &status) == 0;
    free(path);
    if (!found ||
        (status.st_mode == node->mode && status.st_uid == node->uid && status.st_gid == node->gid))
        return false;
    repair->record.mode = status.st_mode;
    repair->record.uid = status.st_uid;
    repair->record.gid = status.st_gid;
    return true;
}

/* A write may have been cut short: its bytes are those that differ, or are new. */
static bool resolve_write(struct repair *repair)
{
    const struct ff_node *node = &repair->tree->nodes[repair->record.node];
    char *path = resolvable_path(repair);
    struct bytes real = {0};
    size_t start = repair->record.offset, end = 0;
    if (path != NULL && content_read(path, &real) == 0) {
        end = real.size;
        while (end > start && end <= node->size && real.bytes[end - 1] == node->data[end - 1])
            end--;
    }
    if (end > start)
        bytes_append(&repair->data, real.bytes + start, end - start);
    free(real.bytes);
    free(path);
    repair->record.result = (int64_t)repair->data.size;
    return repair->data.size != 0;
}

static bool call_happened(struct repair *repair)
{
    static bool (*const resolve[FF_EFFECT_COUNT])(struct repair *) = {
        [FF_EFFECT_CREATE] = resolve_create,     [FF_EFFECT_LINK] = resolve_link,
        [FF_EFFECT_UNLINK] = resolve_unlink,     [FF_EFFECT_RENAME] = resolve_rename,
        [FF_EFFECT_EXCHANGE] = resolve_exchange, [FF_EFFECT_RESIZE] = resolve_resize,
        [FF_EFFECT_WRITE] = resolve_write,       [FF_EFFECT_ATTRIBUTES] = resolve_attributes,
    };
    uint32_t effect = repair->record.effect;
    return effect < FF_EFFECT_COUNT && resolve[effect] != NULL && resolve[effect](repair);
}

static int tree_replay(struct repair *repair)
{
    struct recording *recording = repair->recording;
    if (recording_assemble(recording, repair->error) != 0)
        return -1;
    repair->tree = ff_tree_from_snapshot(&recording->trace);
    for (size_t i = 0; i < recording->trace.call_count; i++) {
        struct ff_error inner;
        if (ff_tree_apply(repair->tree, &recording->trace.calls[i], &inner) != 0)
            return ff_error_set(repair->error, "recording unsound: call %zu, %s", i, inner.text);
    }
    return 0;
}

static int call_resolve(struct recording *recording, uint32_t owner, struct ff_error *error)
{
    struct channel *channel = recording->channel;
    struct repair repair = {.recording = recording, .error = error};
    stream_cut(recording);
    if (tree_replay(&repair) != 0) {
        ff_tree_free(repair.tree);
        return -1;
    }
    channel->next_node = ff_tree_fresh_id(repair.tree);
    channel->calls = recording->trace.call_count;
    cut_if_due(recording, owner);
    if (!channel->cut && channel->pending.since == channel->committed) {
        repair.record = channel->pending.record;
        repair.record.begin = 0;
        repair.record.thread = owner;
        repair.record.process = process_of(recording, owner);
        repair.record.symbol = channel->pending.symbol;
        repair.record.module = UINT32_MAX;
        repair.record.result = 0;
        if (call_happened(&repair))
            record_append(&repair);
        cut_if_due(recording, owner);
    }
    free(repair.data.bytes);
    ff_tree_free(repair.tree);
    return 0;
}

/* Standard output ***************************************************************************/

static size_t output_recorded(const struct recording *recording)
{
    size_t size = 0;
    struct record record;
    for (size_t at = 0; at < recording->stream.size; at += record.size) {
        memcpy(&record, recording->stream.bytes + at, sizeof(record));
        if (record.effect == FF_EFFECT_OUTPUT)
            size += record.data_size;
    }
    return size;
}

/*
 * Waits for the lock while its owners may be waiting for room in the ring. After a
 * cut nobody gets it.
 */
static int lock_acquire(struct recording *recording, struct ff_error *error)
{
    uint32_t none = 0;
    _Atomic uint32_t *lock = &recording->channel->lock;
    while (!atomic_compare_exchange_strong(lock, &none, (uint32_t)getpid() | CHANNEL_WAITERS)) {
        if (recording->channel->cut)
            return 0;
        none = 0;
        recording_drain(recording);
        uint32_t dead = dead_owner(lock);
        if (dead != 0) {
            if (call_resolve(recording, dead, error) != 0)
                return -1;
            lock_release(recording->channel, lock);
        }
        sched_yield();
    }
    recording_drain(recording);
    return 0;
}

/*
 * Nobody else can have written since, so the bytes that arrived and were not
 * recorded are what the dead owner got through the pipe.
 */
static int output_resolve(struct recording *recording, struct ff_error *error)
{
    struct channel *channel = recording->channel;
    const struct output_pending *pending = &channel->output_pending;
    struct repair repair = {.recording = recording, .error = error};
    if (lock_acquire(recording, error) != 0)
        return -1;
    if (channel->cut)
        return 0;
    recording_read_output(recording);
    size_t recorded = output_recorded(recording);
    if (recording->arrived.size > recorded) {
        repair.record = (struct record){.symbol = pending->symbol,
                                        .effect = FF_EFFECT_OUTPUT,
                                        .process = pending->process,
                                        .thread = pending->thread,
                                        .fd = pending->fd,
                                        .begin = pending->begin,
                                        .module = UINT32_MAX};
        bytes_append(&repair.data, recording->arrived.bytes + recorded,
                     recording->arrived.size - recorded);
        repair.record.result = (int64_t)repair.data.size;
        record_append(&repair);
        free(repair.data.bytes);
        cut_if_due(recording, 0);
    }
    lock_release(channel, &channel->lock);
    return 0;
}

static int locks_repair(struct recording *recording, struct ff_error *error)
{
    struct channel *channel = recording->channel;
    uint32_t dead = dead_owner(&channel->lock);
    if (dead != 0) {
        if (call_resolve(recording, dead, error) != 0)
            return -1;
        lock_release(channel, &channel->lock);
    }
    if (!channel->cut && dead_owner(&channel->output_lock) != 0) {
        if (output_resolve(recording, error) != 0)
            return -1;
        lock_release(channel, &channel->output_lock);
    }
    return 0;
}

void recording_cut(struct recording *recording)
{
    stream_cut(recording);
    recording_read_output(recording);
    /* What else arrived was written after the cut: its writers found it in their way. */
    recording->arrived.size = output_recorded(recording);
}

int recording_repair(struct recording *recording, struct ff_error *error)
{
    struct channel *channel = recording->channel;
    if (dead_owner(&channel->lock) == 0 && dead_owner(&channel->output_lock) == 0)
        return 0;
    /* A dead owner's request may still be under way: then later. */
    if (!mappings_pause())
        return 0;
    int result = locks_repair(recording, error);
    mappings_resume();
    return result;
}

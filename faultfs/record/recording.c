#include "recording.h"

#include "../shim/known.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "mappings.h"
#include "names.h"
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void bytes_append(struct bytes *bytes, const void *more, size_t size)
{
    bytes->bytes = ff_memory_grow(bytes->bytes, &bytes->capacity, bytes->size + size, 1);
    memcpy(bytes->bytes + bytes->size, more, size);
    bytes->size += size;
}

void recording_unobserved(struct recording *recording, const char *kind, const char *what)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct ff_trace *trace = &recording->trace;
    pthread_mutex_lock(&mutex);
    size_t i = 0;
    while (i < trace->unobserved_count && (strcmp(recording->unobserved[i].kind, kind) != 0 ||
                                           strcmp(recording->unobserved[i].what, what) != 0))
        i++;
    if (i == trace->unobserved_count) {
        recording->unobserved =
            ff_memory_grow(recording->unobserved, &recording->unobserved_capacity, i + 1,
                           sizeof(*recording->unobserved));
        recording->unobserved[i] =
            (struct ff_unobserved){kind, ff_memory_copy(what, strlen(what)), 0};
        trace->unobserved = recording->unobserved;
        trace->unobserved_count++;
    }
    recording->unobserved[i].count++;
    pthread_mutex_unlock(&mutex);
}

static int channel_create(struct recording *recording, struct ff_error *error)
{
    recording->channel_fd = memfd_create("faultfs", MFD_CLOEXEC);
    if (recording->channel_fd < 0 || ftruncate(recording->channel_fd, sizeof(struct channel)) != 0)
        return ff_error_set_errno(error, "cannot create shared memory");
    void *address = mmap(NULL, sizeof(struct channel), PROT_READ | PROT_WRITE, MAP_SHARED,
                         recording->channel_fd, 0);
    if (address == MAP_FAILED)
        return ff_error_set_errno(error, "cannot map shared memory");
    recording->channel = address;
    /* The workload shall not wait for the first touch of these pages. */
    memset(recording->channel->ring, 0, sizeof(recording->channel->ring));
    return 0;
}

/* A node of the snapshot: the recorders shall know its number. */
static void node_visit(void *context, uint32_t id, const char *path, dev_t device, ino_t inode)
{
    struct recording *recording = context;
    (void)path;
    if (id == FF_ROOT_NODE)
        recording->channel->device = device;
    if (!known_insert(recording->channel, device, inode, id))
        recording->channel->known_count = CHANNEL_KNOWN_SIZE;
}

static int snapshot_take(struct recording *recording, struct ff_error *error)
{
    struct channel *channel = recording->channel;
    recording->before = ff_tree_load(recording->root, node_visit, recording, error);
    if (recording->before == NULL)
        return -1;
    if (channel->known_count == CHANNEL_KNOWN_SIZE)
        return ff_error_set(error, "%s: more files than can be recorded (%d)", recording->root,
                            CHANNEL_KNOWN_SIZE / 4 * 3);
    channel->next_node = ff_tree_fresh_id(recording->before);
    return 0;
}

static struct ff_bytes node_data(const struct ff_node *node)
{
    /* A trace's bytes are followed by a NUL, a tree's are not. */
    return (struct ff_bytes){ff_memory_copy(node->data, node->size), node->size};
}

/* The snapshot as a trace holds it: nodes by number, names by parent and bytes. */
static void snapshot_convert(struct recording *recording)
{
    const struct ff_tree *tree = recording->before;
    size_t names = 0, capacity = 0;
    recording->nodes = ff_memory_allocate(tree->node_limit, sizeof(*recording->nodes));
    for (uint32_t id = FF_ROOT_NODE; id < tree->node_limit; id++) {
        const struct ff_node *node = &tree->nodes[id];
        recording->nodes[id - 1] = (struct ff_snapshot_node){
            node->mode, node->uid, node->gid, node_data(node), {node->xattrs, node->xattrs_size}};
        for (size_t i = 0; i < node->entry_count; i++) {
            const struct ff_entry *entry = &node->entries[i];
            struct ff_bytes name = {(const unsigned char *)entry->name, strlen(entry->name)};
            recording->names =
                ff_memory_grow(recording->names, &capacity, names + 1, sizeof(*recording->names));
            recording->names[names++] = (struct ff_snapshot_name){id, entry->node, name};
        }
    }
    recording->trace.root = recording->root;
    recording->trace.nodes = recording->nodes;
    recording->trace.node_count = tree->node_limit - 1;
    recording->trace.names = recording->names;
    recording->trace.name_count = names;
}

/* Everything about other processes is learnt from /proc. */
static int processes_check(struct ff_error *error)
{
    char self[32];
    ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);
    self[length < 0 ? 0 : length] = '\0';
    if (atol(self) == getpid())
        return 0;
    return ff_error_set(error,
                        "/proc is %s: mount the one of this PID namespace (with unshare: "
                        "--mount-proc)",
                        length < 0 ? "not mounted" : "that of other processes");
}

int recording_open(struct recording *recording, const char *root, struct ff_error *error)
{
    *recording = (struct recording){.channel_fd = -1, .output = -1};
    pthread_mutex_init(&recording->stream_mutex, NULL);
    if (processes_check(error) != 0)
        return -1;
    recording->root = realpath(root, NULL);
    if (recording->root == NULL)
        return ff_error_set_errno(error, "cannot use %s", root);
    if (channel_create(recording, error) != 0 || snapshot_take(recording, error) != 0)
        return -1;
    snapshot_convert(recording);
    struct channel *channel = recording->channel;
    snprintf(channel->root, sizeof(channel->root), "%s", recording->root);
    struct stat status;
    if (stat("/proc/self/ns/pid", &status) != 0)
        return ff_error_set_errno(error, "cannot examine /proc/self/ns/pid");
    channel->process_namespace = status.st_ino;
    channel->launcher = (uint32_t)getpid();
    channel->magic = CHANNEL_MAGIC;
    recording->witness = ff_memory_allocate(1, sizeof(*recording->witness));
    names_watch(recording->witness, recording);
    return 0;
}

void recording_close(struct recording *recording)
{
    net_close(recording->net);
    mappings_close();
    if (recording->witness != NULL)
        names_close(recording->witness);
    free(recording->witness);
    for (size_t i = 0; i < recording->trace.node_count; i++)
        free((void *)recording->nodes[i].data.data);
    for (size_t i = 0; i < recording->trace.module_count; i++)
        free((void *)recording->modules[i].build_id.data);
    for (size_t i = 0; i < recording->trace.unobserved_count; i++)
        free((void *)recording->unobserved[i].what);
    free(recording->unobserved);
    free(recording->nodes);
    free(recording->names);
    free(recording->calls);
    free(recording->modules);
    free(recording->synced);
    free(recording->stream.bytes);
    free(recording->arrived.bytes);
    ff_tree_free(recording->before);
    if (recording->channel != NULL)
        munmap(recording->channel, sizeof(struct channel));
    if (recording->channel_fd >= 0)
        close(recording->channel_fd);
    if (recording->output >= 0)
        close(recording->output);
    free(recording->root);
}

size_t recording_drain(struct recording *recording)
{
    struct channel *channel = recording->channel;
    pthread_mutex_lock(&recording->stream_mutex);
    uint64_t head = atomic_load_explicit(&channel->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&channel->tail, memory_order_acquire);
    size_t drained = tail - head;
    while (head != tail) {
        uint64_t at = head % CHANNEL_RING_SIZE;
        uint64_t piece = CHANNEL_RING_SIZE - at;
        piece = piece < tail - head ? piece : tail - head;
        bytes_append(&recording->stream, channel->ring + at, piece);
        head += piece;
        atomic_store_explicit(&channel->head, head, memory_order_release);
    }
    pthread_mutex_unlock(&recording->stream_mutex);
    return drained;
}

void recording_read_output(struct recording *recording)
{
    unsigned char buffer[1 << 16];
    for (;;) {
        ssize_t count = read(recording->output, buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return; /* nothing more for now, or for ever */
        bytes_append(&recording->arrived, buffer, (size_t)count);
    }
}

int recording_pass_on_output(struct recording *recording, bool all, struct ff_error *error)
{
    const struct bytes *arrived = &recording->arrived;
    if (recording->can_be_cut && !all)
        return 0;
    while (recording->passed_on < arrived->size) {
        struct pollfd ready = {STDOUT_FILENO, POLLOUT, 0};
        if (!all && poll(&ready, 1, 0) != 1)
            break;
        /* A pipe that is ready takes as many bytes without blocking. */
        size_t size = arrived->size - recording->passed_on;
        size = size < PIPE_BUF ? size : PIPE_BUF;
        ssize_t count = write(STDOUT_FILENO, arrived->bytes + recording->passed_on, size);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return ff_error_set_errno(error, "cannot pass on the workload's standard output");
        if (count > 0)
            recording->passed_on += (size_t)count;
    }
    return 0;
}

#include "mappings.h"

#include "../shim/caller.h"
#include "../shim/interposed_names.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "tracking.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_SIZE = 4096, CHUNK_SIZE = 16 * PAGE_SIZE, RANGE_LIMIT = 256 };

/* A file that was mapped; it stays one until the end of the run. */
struct mapped_file {
    uint32_t node;
    uint32_t thread; /* that mapped it */
    int fd;
    ino_t inode;
    struct ff_node content; /* as the record says */
    uint64_t last;          /* tick: whatever is found was stored after it */
    char *path;
    unsigned announced; /* mappings that are being made */
    bool whole;         /* all of it is compared: some mapping of it is not tracked */
    bool intermediate;  /* noted */
};

/* A mapping whose stores are tracked. */
struct range {
    struct tracked tracked;
    size_t file; /* index */
};

struct mappings {
    struct recording *recording;
    pthread_t thread;
    pthread_mutex_t mutex; /* held over an answer */
    _Atomic bool stops;
    struct mapped_file *files;
    size_t file_count, file_capacity;
    struct range *ranges;
    size_t range_count, range_capacity;
    size_t position; /* up to which the stream is known */
};

static struct mappings *mappings;

static uint64_t tick_next(void)
{
    return atomic_fetch_add(&channel->tick, 1) + 1;
}

static struct mapped_file *file_find(uint32_t node)
{
    for (size_t i = 0; i < mappings->file_count; i++)
        if (mappings->files[i].node == node)
            return &mappings->files[i];
    return NULL;
}

/* What the record says *********************************************************************/

static void record_follow(const struct record *record, const unsigned char *fields)
{
    struct mapped_file *file = file_find(record->node);
    /* What a scan found is known already. */
    if (file == NULL || record->route == FF_ROUTE_MAPPING ||
        (record->effect != FF_EFFECT_WRITE && record->effect != FF_EFFECT_RESIZE))
        return;
    if (record->effect == FF_EFFECT_WRITE)
        ff_node_write(&file->content, fields + record->name_size + record->name2_size + 2,
                      record->data_size, record->offset);
    else
        ff_node_resize(&file->content, record->offset);
    file->last = record->end > file->last ? record->end : file->last;
}

/* Takes the records that were published since the last time. */
static void stream_follow(void)
{
    struct recording *recording = mappings->recording;
    uint64_t committed = atomic_load(&channel->committed);
    recording_drain(recording);
    pthread_mutex_lock(&recording->stream_mutex);
    while (mappings->position < committed) {
        struct record record;
        const unsigned char *at = recording->stream.bytes + mappings->position;
        memcpy(&record, at, sizeof(record));
        record_follow(&record, at + sizeof(record));
        mappings->position += record.size;
    }
    pthread_mutex_unlock(&recording->stream_mutex);
}

/* What is really there *********************************************************************/

/* The bytes of the page that differ become one write. */
static void page_record(struct mapped_file *file, uint64_t offset, const unsigned char *real,
                        size_t size)
{
    const unsigned char *known = file->content.data + offset;
    size_t first = 0, end = size;
    while (real[first] == known[first])
        first++;
    while (real[end - 1] == known[end - 1])
        end--;
    struct site site = {SYMBOL_mmap, NULL, FF_ROUTE_MAPPING, file->thread};
    struct call call = {
        .site = &site, .record = &channel->pending.record, .pending = &channel->pending};
    *call.record = (struct record){.thread = file->thread,
                                   .fd = -1,
                                   .module = UINT32_MAX,
                                   .node = file->node,
                                   .offset = offset + first,
                                   .begin = file->last};
    call_record(&call, FF_EFFECT_WRITE, (long)(end - first), end - first);
    call_data(&call, real + first, end - first);
    call_next(&call);
    ff_node_write(&file->content, real + first, end - first, offset + first);
}

/* Returns how many pages differed. */
static size_t chunk_compare(struct mapped_file *file, uint64_t offset, const unsigned char *real,
                            size_t size)
{
    size_t found = 0;
    if (memcmp(real, file->content.data + offset, size) == 0)
        return 0;
    for (size_t at = 0; at < size; at += PAGE_SIZE) {
        size_t part = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;
        if (memcmp(real + at, file->content.data + offset + at, part) == 0)
            continue;
        page_record(file, offset + at, real + at, part);
        found++;
    }
    return found;
}

/* Where the next data are, from an offset on; holes hold nothing that was stored. */
static bool data_next(const struct mapped_file *file, uint64_t *offset)
{
    off_t data = lseek(file->fd, (off_t)*offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        return false;
    if (data > (off_t)*offset)
        *offset = (uint64_t)data / PAGE_SIZE * PAGE_SIZE;
    return true;
}

/* From one offset, of a page, to another. Returns how many pages differed. */
static size_t part_compare(struct mapped_file *file, uint64_t offset, uint64_t end)
{
    static unsigned char chunk[CHUNK_SIZE];
    size_t found = 0;
    end = end < file->content.size ? end : file->content.size;
    while (offset < end && data_next(file, &offset)) {
        size_t left = end > offset ? end - offset : 0;
        ssize_t count =
            pread(file->fd, chunk, left < CHUNK_SIZE ? left : CHUNK_SIZE, (off_t)offset);
        if (count <= 0)
            break;
        found += chunk_compare(file, offset, chunk, (size_t)count);
        offset += (size_t)count;
    }
    return found;
}

/* A page may have held what no scan saw. */
static void intermediate_note(struct mapped_file *file)
{
    if (!file->intermediate)
        recording_unobserved(mappings->recording, "mapped-intermediate", file->path);
    file->intermediate = true;
}

/* From now on all of it is compared, which does not tell what changed and changed back. */
static void file_untrack(struct mapped_file *file)
{
    file->whole = true;
    intermediate_note(file);
}

static void range_end(size_t index)
{
    tracked_end(&mappings->ranges[index].tracked);
    mappings->ranges[index] = mappings->ranges[--mappings->range_count];
}

/* Pages that were stored to, as tracked_scan() finds them. */
static void pages_found(void *context, uint64_t offset, uint64_t size)
{
    struct mapped_file *file = context;
    intermediate_note(file);
    part_compare(file, offset, offset + size);
}

static void ranges_scan(size_t file)
{
    for (size_t i = mappings->range_count; i-- > 0;) {
        struct range *range = &mappings->ranges[i];
        if (range->file != file ||
            tracked_scan(&range->tracked, pages_found, &mappings->files[file]))
            continue;
        file_untrack(&mappings->files[file]);
        range_end(i);
    }
}

static void scan(bool all)
{
    stream_follow();
    for (size_t i = 0; i < mappings->file_count; i++) {
        struct mapped_file *file = &mappings->files[i];
        uint64_t now = tick_next();
        ranges_scan(i);
        if ((file->whole || file->announced != 0 || all) &&
            part_compare(file, 0, file->content.size) != 0)
            intermediate_note(file);
        file->last = now;
    }
}

/* Requests **********************************************************************************/

static void reason_give(const char *problem)
{
    if (channel->reason[0] == '\0')
        snprintf(channel->reason, sizeof(channel->reason), "%s", problem);
}

static char *path_of(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path));
    return ff_memory_copy(path, length < 0 ? 0 : (size_t)length);
}

/* Before the first store to it. */
static struct mapped_file *file_begin(const struct mapping *request)
{
    char link[64];
    struct stat status;
    stream_follow();
    snprintf(link, sizeof(link), "/proc/%u/fd/%d", request->process, request->fd);
    int fd = open(link, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size > (off_t)FF_SIZE_LIMIT) {
        reason_give("a file that was mapped for writing cannot be read by the launcher");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct mapped_file file = {.node = request->node,
                               .thread = request->thread,
                               .fd = fd,
                               .inode = status.st_ino,
                               .last = tick_next(),
                               .path = path_of(fd)};
    ff_node_resize(&file.content, (size_t)status.st_size);
    for (uint64_t offset = 0; offset < file.content.size && data_next(&file, &offset);) {
        ssize_t count =
            pread(fd, file.content.data + offset, file.content.size - offset, (off_t)offset);
        if (count <= 0)
            break;
        offset += (size_t)count;
    }
    mappings->files = ff_memory_grow(mappings->files, &mappings->file_capacity,
                                     mappings->file_count + 1, sizeof(file));
    mappings->files[mappings->file_count++] = file;
    atomic_fetch_add(&channel->mapped_count, 1);
    return &mappings->files[mappings->file_count - 1];
}

static void mapping_announced(const struct mapping *request)
{
    struct mapped_file *file = file_find(request->node);
    if (file == NULL)
        file = file_begin(request);
    if (file != NULL)
        file->announced++;
}

/* Only with the net are forks and exits seen. */
static void mapping_made(const struct mapping *request)
{
    struct mapped_file *file = file_find(request->node);
    if (file == NULL)
        return;
    file->announced--;
    struct range range = {.tracked = {.process = request->process,
                                      .address = request->address,
                                      .size = request->size,
                                      .offset = request->offset},
                          .file = (size_t)(file - mappings->files)};
    if (mappings->recording->net == NULL || mappings->range_count == RANGE_LIMIT ||
        !tracked_begin(&range.tracked, request->fd)) {
        file_untrack(file);
        return;
    }
    mappings->ranges = ff_memory_grow(mappings->ranges, &mappings->range_capacity,
                                      mappings->range_count + 1, sizeof(range));
    mappings->ranges[mappings->range_count++] = range;
}

static void mapping_failed(const struct mapping *request)
{
    struct mapped_file *file = file_find(request->node);
    if (file != NULL)
        file->announced--;
}

/* After a scan. Of one that is unmapped in part only nothing is tracked any more. */
static void mapping_unmapped(const struct mapping *request)
{
    uint64_t begin = request->address, end = begin + request->size;
    for (size_t i = mappings->range_count; i-- > 0;) {
        const struct range *range = &mappings->ranges[i];
        uint64_t address = range->tracked.address, size = range->tracked.size;
        if (range->tracked.process != request->process || end <= address || begin >= address + size)
            continue;
        if (begin > address || end < address + size)
            file_untrack(&mappings->files[range->file]);
        range_end(i);
    }
}

/* The child's stores will not be tracked. */
static void process_forks(uint32_t process)
{
    for (size_t i = mappings->range_count; i-- > 0;)
        if (tracked_same_memory(process, mappings->ranges[i].tracked.process)) {
            file_untrack(&mappings->files[mappings->ranges[i].file]);
            range_end(i);
        }
}

/* The caller itself stores nothing any more, but its other threads may. */
static void process_ends(uint32_t process)
{
    bool alone = tracked_thread_count(process) == 1;
    scan(false);
    for (size_t i = mappings->range_count; i-- > 0;)
        if (mappings->ranges[i].tracked.process == process) {
            if (!alone)
                file_untrack(&mappings->files[mappings->ranges[i].file]);
            range_end(i);
        }
}

/* "start-end perms offset device inode path" of the mapping that holds the address. */
static bool part_parse(const char *line, struct mapping *request, uint64_t *inode)
{
    uint64_t start, end, offset;
    char permissions[8];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %" SCNu64, &start, &end,
               permissions, &offset, inode) != 5 ||
        request->address < start || request->address >= end)
        return false;
    request->offset = offset + (request->address - start);
    request->size = request->size < end - request->address ? request->size : end - request->address;
    if (permissions[3] != 's')
        *inode = 0;
    return true;
}

static void part_find(struct mapping *request)
{
    char path[64], *line = NULL;
    size_t size = 0;
    uint64_t inode = 0;
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%u/maps", request->process);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && getline(&line, &size, file) > 0)
        found = part_parse(line, request, &inode);
    free(line);
    if (file != NULL)
        fclose(file);
    request->node = FF_NO_NODE;
    if (!found)
        request->size = 0;
    for (size_t i = 0; i < mappings->file_count && inode != 0; i++)
        if (mappings->files[i].inode == inode)
            request->node = mappings->files[i].node;
}

void caller_mapping(enum mapping_request request)
{
    pthread_mutex_lock(&mappings->mutex);
    switch (request) {
    case MAPPING_BEGIN:
        mapping_announced(&channel->mapping);
        break;
    case MAPPING_MADE:
        mapping_made(&channel->mapping);
        break;
    case MAPPING_FAILED:
        mapping_failed(&channel->mapping);
        break;
    case MAPPING_UNMAPPED:
        mapping_unmapped(&channel->mapping);
        break;
    case MAPPING_FORK:
        process_forks(channel->mapping.process);
        break;
    case MAPPING_EXIT:
        process_ends(channel->mapping.process);
        break;
    case MAPPING_SCAN:
        scan(false);
        break;
    case MAPPING_FIND:
        part_find(&channel->mapping);
        break;
    case MAPPING_NOTHING:
        break;
    }
    pthread_mutex_unlock(&mappings->mutex);
}

long mappings_sync(void)
{
    for (size_t i = 0; i < mappings->file_count; i++)
        if (fdatasync(mappings->files[i].fd) != 0)
            return -errno;
    return 0;
}

/* The thread ********************************************************************************/

static void *serve(void *context)
{
    (void)context;
    _Atomic uint32_t *word = &channel->mapping.request;
    struct timespec pause = {0, 50000000};
    while (!mappings->stops) {
        uint32_t request = atomic_load(word);
        if (request == MAPPING_NOTHING) {
            syscall(SYS_futex, word, FUTEX_WAIT, request, &pause, NULL, 0);
            continue;
        }
        caller_mapping((enum mapping_request)request);
        atomic_store(word, MAPPING_NOTHING);
        syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
    return NULL;
}

int mappings_open(struct recording *recording, struct ff_error *error)
{
    channel = recording->channel;
    mappings = ff_memory_allocate(1, sizeof(*mappings));
    mappings->recording = recording;
    pthread_mutex_init(&mappings->mutex, NULL);
    /* Signals are for the thread that waits for them (workload.c). */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int problem = pthread_create(&mappings->thread, NULL, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem == 0)
        return 0;
    free(mappings);
    mappings = NULL;
    errno = problem;
    return ff_error_set_errno(error, "cannot start a thread");
}

bool mappings_pause(void)
{
    return mappings == NULL || pthread_mutex_trylock(&mappings->mutex) == 0;
}

void mappings_resume(void)
{
    if (mappings != NULL)
        pthread_mutex_unlock(&mappings->mutex);
}

void mappings_finish(void)
{
    if (mappings == NULL || mappings->file_count == 0)
        return;
    pthread_mutex_lock(&mappings->mutex);
    for (size_t i = 0; i < mappings->file_count; i++)
        if (mappings->files[i].announced != 0)
            file_untrack(&mappings->files[i]); /* what became of a mapping was never said */
    scan(true);
    pthread_mutex_unlock(&mappings->mutex);
}

void mappings_close(void)
{
    if (mappings == NULL)
        return;
    mappings->stops = true;
    syscall(SYS_futex, &channel->mapping.request, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    pthread_join(mappings->thread, NULL);
    for (size_t i = 0; i < mappings->file_count; i++) {
        close(mappings->files[i].fd);
        free(mappings->files[i].content.data);
        free(mappings->files[i].path);
    }
    while (mappings->range_count != 0)
        range_end(mappings->range_count - 1);
    free(mappings->ranges);
    free(mappings->files);
    free(mappings);
    mappings = NULL;
}

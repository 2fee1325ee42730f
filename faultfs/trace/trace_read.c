/*
 * Decodes a trace. Every read is bounds-checked against what is left, and a
 * failure sticks, so that the decoder needs no check after each field. Strings
 * and data are not copied: they point into the file's bytes, where each is
 * followed by a NUL. What was decoded is then checked as a whole (check.c).
 */
#include "error.h"
#include "format.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* A trace that owns the bytes that it points into. */
struct loaded {
    struct ff_trace trace; /* first: ff_trace_free() gets a pointer to it */
    unsigned char *bytes;
};

struct reader {
    const unsigned char *bytes;
    size_t size;
    size_t position;
    const char *problem; /* the first one; nothing is read after it */
};

static const unsigned char *get(struct reader *reader, size_t size)
{
    if (reader->problem == NULL && size > reader->size - reader->position)
        reader->problem = "a field reaches beyond the end";
    if (reader->problem != NULL)
        return NULL;
    const unsigned char *bytes = reader->bytes + reader->position;
    reader->position += size;
    return bytes;
}

static uint64_t get_integer(struct reader *reader, unsigned size)
{
    const unsigned char *bytes = get(reader, size);
    uint64_t value = 0;
    for (unsigned i = 0; bytes != NULL && i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static void get_u64(struct reader *reader, uint64_t *value)
{
    *value = get_integer(reader, 8);
}

static void get_i64(struct reader *reader, int64_t *value)
{
    *value = (int64_t)get_integer(reader, 8);
}

static void get_u32(struct reader *reader, uint32_t *value)
{
    *value = (uint32_t)get_integer(reader, 4);
}

static void get_i32(struct reader *reader, int32_t *value)
{
    *value = (int32_t)get_integer(reader, 4);
}

static void get_effect(struct reader *reader, enum ff_effect *effect)
{
    uint32_t value = (uint32_t)get_integer(reader, 4);
    if (value >= FF_EFFECT_COUNT)
        reader->problem = "an unknown effect";
    *effect = value < FF_EFFECT_COUNT ? (enum ff_effect)value : FF_EFFECT_NONE;
}

static void get_route(struct reader *reader, enum ff_route *route)
{
    uint32_t value = (uint32_t)get_integer(reader, 4);
    if (value >= FF_ROUTE_COUNT)
        reader->problem = "an unknown route";
    *route = value < FF_ROUTE_COUNT ? (enum ff_route)value : FF_ROUTE_SYMBOL;
}

static void get_bytes(struct reader *reader, struct ff_bytes *bytes)
{
    uint64_t size = get_integer(reader, 8);
    if (size > reader->size)
        size = reader->size; /* too much in any case; keeps size + 1 from wrapping */
    const unsigned char *data = get(reader, (size_t)size + 1);
    if (data != NULL && data[size] != '\0')
        reader->problem = "a string without an end";
    *bytes = (struct ff_bytes){0};
    if (reader->problem == NULL)
        *bytes = (struct ff_bytes){data, (size_t)size};
}

static void get_string(struct reader *reader, const char **text)
{
    struct ff_bytes bytes;
    get_bytes(reader, &bytes);
    if (bytes.data != NULL && memchr(bytes.data, '\0', bytes.size) != NULL)
        reader->problem = "a text that holds a NUL";
    *text = reader->problem == NULL ? (const char *)bytes.data : "";
}

#define GET(kind, field) get_##kind(reader, &item->field);

static void get_node(struct reader *reader, struct ff_snapshot_node *item)
{
    FORMAT_NODE(GET)
}

static void get_name(struct reader *reader, struct ff_snapshot_name *item)
{
    FORMAT_NAME(GET)
}

static void get_module(struct reader *reader, struct ff_module *item)
{
    FORMAT_MODULE(GET)
}

static void get_call(struct reader *reader, struct ff_call *item)
{
    FORMAT_CALL(GET)
}

static void get_unobserved(struct reader *reader, struct ff_unobserved *item)
{
    FORMAT_UNOBSERVED(GET)
}

/* Room for count items, or a failure when the file cannot hold that many. */
static void *get_array(struct reader *reader, uint64_t count, size_t minimum, size_t size)
{
    if (reader->problem == NULL && count > (reader->size - reader->position) / minimum)
        reader->problem = "a count larger than the file";
    return reader->problem == NULL ? ff_memory_allocate((size_t)count, size) : NULL;
}

#define GET_ARRAY(kind, type, minimum)                                                             \
    static type *get_all_##kind(struct reader *reader, uint64_t count, size_t *stored)             \
    {                                                                                              \
        type *items = get_array(reader, count, minimum, sizeof(*items));                           \
        *stored = items == NULL ? 0 : (size_t)count;                                               \
        for (size_t i = 0; i < *stored && reader->problem == NULL; i++)                            \
            get_##kind(reader, &items[i]);                                                         \
        return items;                                                                              \
    }
GET_ARRAY(node, struct ff_snapshot_node, FORMAT_NODE_MINIMUM)
GET_ARRAY(name, struct ff_snapshot_name, FORMAT_NAME_MINIMUM)
GET_ARRAY(module, struct ff_module, FORMAT_MODULE_MINIMUM)
GET_ARRAY(call, struct ff_call, FORMAT_CALL_MINIMUM)
GET_ARRAY(unobserved, struct ff_unobserved, FORMAT_UNOBSERVED_MINIMUM)

/* What can be said of the file before anything in it is believed. */
static int envelope_check(const unsigned char *bytes, size_t size, struct ff_error *error)
{
    size_t magic = size < FORMAT_MAGIC_SIZE ? size : FORMAT_MAGIC_SIZE;
    if (memcmp(bytes, FORMAT_MAGIC, magic) != 0)
        return ff_error_set(error, "not a trace file");
    if (size < FORMAT_HEADER_SIZE)
        return ff_error_set(error, "the trace is cut short: %zu bytes are less than its header",
                            size);
    struct reader header = {.bytes = bytes, .size = size, .position = FORMAT_MAGIC_SIZE};
    uint64_t version = get_integer(&header, 4);
    if (version != FORMAT_VERSION)
        return ff_error_set(error,
                            "the trace has format version %llu; this program reads version %u",
                            (unsigned long long)version, FORMAT_VERSION);
    header.position = 16;
    uint64_t whole = get_integer(&header, 8);
    if (whole > size)
        return ff_error_set(error, "the trace is cut short: %zu of %llu bytes", size,
                            (unsigned long long)whole);
    if (whole < size || whole < FORMAT_HEADER_SIZE + FORMAT_CHECKSUM_SIZE)
        return ff_error_set(error, "the trace is damaged: %zu bytes where its header says %llu",
                            size, (unsigned long long)whole);
    header.position = size - FORMAT_CHECKSUM_SIZE;
    if (get_integer(&header, 8) != XXH3_64bits(bytes, size - FORMAT_CHECKSUM_SIZE))
        return ff_error_set(error, "the trace is damaged: its checksum does not match");
    return 0;
}

static void decode(struct reader *reader, struct ff_trace *trace)
{
    uint32_t nodes;
    uint64_t names, modules, calls, unobserved;
    reader->position = 12;
    get_u32(reader, &nodes);
    reader->position = 24;
    get_u64(reader, &trace->digest);
    get_u64(reader, &names);
    get_u64(reader, &modules);
    get_u64(reader, &calls);
    get_u64(reader, &unobserved);
    get_string(reader, &trace->root);
    trace->nodes = get_all_node(reader, nodes, &trace->node_count);
    trace->names = get_all_name(reader, names, &trace->name_count);
    trace->modules = get_all_module(reader, modules, &trace->module_count);
    trace->calls = get_all_call(reader, calls, &trace->call_count);
    trace->unobserved = get_all_unobserved(reader, unobserved, &trace->unobserved_count);
    if (reader->problem == NULL && reader->position != reader->size)
        reader->problem = "bytes after its end";
}

/* Takes over bytes, also when it fails. */
static struct ff_trace *parse(unsigned char *bytes, size_t size, struct ff_error *error)
{
    struct loaded *loaded = ff_memory_allocate(1, sizeof(*loaded));
    struct ff_trace *trace = &loaded->trace;
    loaded->bytes = bytes;
    if (envelope_check(bytes, size, error) != 0)
        goto fail;
    struct reader reader = {.bytes = bytes, .size = size - FORMAT_CHECKSUM_SIZE};
    decode(&reader, trace);
    if (reader.problem != NULL) {
        ff_error_set(error, "the trace is damaged: %s (at byte %zu)", reader.problem,
                     reader.position);
        goto fail;
    }
    if (ff_format_check(trace, error) != 0)
        goto fail;
    if (ff_format_digest(trace) != trace->digest) {
        ff_error_set(error, "the trace is damaged: its digest does not match");
        goto fail;
    }
    return trace;
fail:
    ff_trace_free(trace);
    return NULL;
}

struct ff_trace *ff_trace_parse(const void *bytes, size_t size, struct ff_error *error)
{
    return parse(ff_memory_copy(bytes, size), size, error);
}

static unsigned char *file_read(const char *path, size_t *size, struct ff_error *error)
{
    unsigned char *bytes = NULL;
    size_t capacity = 0;
    struct stat status;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        goto fail;
    if (S_ISREG(status.st_mode))
        bytes = ff_memory_grow(bytes, &capacity, (size_t)status.st_size + 1, 1);
    for (;;) {
        bytes = ff_memory_grow(bytes, &capacity, *size + 1, 1);
        ssize_t count = read(fd, bytes + *size, capacity - *size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            goto fail;
        if (count == 0)
            break;
        *size += (size_t)count;
    }
    close(fd);
    return bytes;
fail:
    ff_error_set_errno(error, "cannot read %s", path);
    if (fd >= 0)
        close(fd);
    free(bytes);
    return NULL;
}

struct ff_trace *ff_trace_open(const char *path, struct ff_error *error)
{
    size_t size;
    unsigned char *bytes = file_read(path, &size, error);
    if (bytes == NULL)
        return NULL;
    struct ff_error inner;
    struct ff_trace *trace = parse(bytes, size, &inner);
    if (trace == NULL)
        ff_error_set(error, "%s: %s", path, inner.text);
    return trace;
}

void ff_trace_free(struct ff_trace *trace)
{
    if (trace == NULL)
        return;
    struct loaded *loaded = (struct loaded *)trace;
    free((void *)trace->nodes);
    free((void *)trace->names);
    free((void *)trace->calls);
    free((void *)trace->modules);
    free((void *)trace->unobserved);
    free(loaded->bytes);
    free(loaded);
}

/*
 * Encodes a trace: every field of format.h in turn into one growing buffer. The
 * file is written beside its final place, synced and renamed, so that a reader
 * never meets half of one.
 */
#include "error.h"
#include "format.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct buffer {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
};

static void put(struct buffer *buffer, const void *bytes, size_t size)
{
    buffer->bytes = ff_memory_grow(buffer->bytes, &buffer->capacity, buffer->size + size, 1);
    if (size != 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

static void put_u64(struct buffer *buffer, uint64_t value)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put(buffer, bytes, sizeof(bytes));
}

static void put_u32(struct buffer *buffer, uint32_t value)
{
    unsigned char bytes[4];
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put(buffer, bytes, sizeof(bytes));
}

static void put_i64(struct buffer *buffer, int64_t value)
{
    put_u64(buffer, (uint64_t)value);
}

static void put_i32(struct buffer *buffer, int32_t value)
{
    put_u32(buffer, (uint32_t)value);
}

static void put_effect(struct buffer *buffer, enum ff_effect effect)
{
    put_u32(buffer, (uint32_t)effect);
}

static void put_route(struct buffer *buffer, enum ff_route route)
{
    put_u32(buffer, (uint32_t)route);
}

static void put_bytes(struct buffer *buffer, struct ff_bytes bytes)
{
    put_u64(buffer, bytes.size);
    put(buffer, bytes.data, bytes.size);
    put(buffer, "", 1);
}

static void put_string(struct buffer *buffer, const char *text)
{
    if (text == NULL)
        text = "";
    put_bytes(buffer, (struct ff_bytes){(const unsigned char *)text, strlen(text)});
}

#define PUT(kind, field) put_##kind(buffer, item->field);

static void put_node(struct buffer *buffer, const struct ff_snapshot_node *item)
{
    FORMAT_NODE(PUT)
}

static void put_name(struct buffer *buffer, const struct ff_snapshot_name *item)
{
    FORMAT_NAME(PUT)
}

static void put_module(struct buffer *buffer, const struct ff_module *item)
{
    FORMAT_MODULE(PUT)
}

static void put_call(struct buffer *buffer, const struct ff_call *item)
{
    FORMAT_CALL(PUT)
}

static void put_unobserved(struct buffer *buffer, const struct ff_unobserved *item)
{
    FORMAT_UNOBSERVED(PUT)
}

static void put_call_digested(struct buffer *buffer,
                              const struct ff_call *item){FORMAT_CALL_DIGESTED(PUT)}

uint64_t ff_format_digest(const struct ff_trace *trace)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    struct buffer buffer = {0};
#define DIGEST(count, put_item, items)                                                             \
    for (size_t i = 0; i < (count); i++) {                                                         \
        buffer.size = 0;                                                                           \
        put_item(&buffer, &(items)[i]);                                                            \
        XXH3_64bits_update(&state, buffer.bytes, buffer.size);                                     \
    }
    DIGEST(trace->node_count, put_node, trace->nodes)
    DIGEST(trace->name_count, put_name, trace->names)
    DIGEST(trace->call_count, put_call_digested, trace->calls)
#undef DIGEST
    free(buffer.bytes);
    return XXH3_64bits_digest(&state);
}

static void encode(struct buffer *buffer, const struct ff_trace *trace)
{
    put(buffer, FORMAT_MAGIC, FORMAT_MAGIC_SIZE);
    put_u32(buffer, FORMAT_VERSION);
    put_u32(buffer, (uint32_t)trace->node_count);
    put_u64(buffer, 0); /* the size of the file, when it is known */
    put_u64(buffer, trace->digest);
    put_u64(buffer, trace->name_count);
    put_u64(buffer, trace->module_count);
    put_u64(buffer, trace->call_count);
    put_u64(buffer, trace->unobserved_count);
    put_string(buffer, trace->root);
    for (size_t i = 0; i < trace->node_count; i++)
        put_node(buffer, &trace->nodes[i]);
    for (size_t i = 0; i < trace->name_count; i++)
        put_name(buffer, &trace->names[i]);
    for (size_t i = 0; i < trace->module_count; i++)
        put_module(buffer, &trace->modules[i]);
    for (size_t i = 0; i < trace->call_count; i++)
        put_call(buffer, &trace->calls[i]);
    for (size_t i = 0; i < trace->unobserved_count; i++)
        put_unobserved(buffer, &trace->unobserved[i]);

    struct buffer size = {0};
    put_u64(&size, buffer->size + FORMAT_CHECKSUM_SIZE);
    memcpy(buffer->bytes + 16, size.bytes, 8);
    free(size.bytes);
    put_u64(buffer, XXH3_64bits(buffer->bytes, buffer->size));
}

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size != 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

/* Makes the new name durable; a file system that cannot sync directories is no error. */
static void parent_sync(const char *path)
{
    char *copy = ff_memory_copy(path, strlen(path));
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

static int file_replace(const char *path, const struct buffer *content, struct ff_error *error)
{
    int result = -1;
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *beside = ff_memory_allocate(size, 1);
    snprintf(beside, size, "%s.XXXXXX", path);
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        ff_error_set_errno(error, "cannot create %s", beside);
        goto done;
    }
    if (write_all(fd, content->bytes, content->size) != 0 || fchmod(fd, 0644) != 0 ||
        fsync(fd) != 0) {
        ff_error_set_errno(error, "cannot write %s", beside);
        unlink(beside);
        goto done;
    }
    if (rename(beside, path) != 0) {
        ff_error_set_errno(error, "cannot rename %s to %s", beside, path);
        unlink(beside);
        goto done;
    }
    parent_sync(path);
    result = 0;
done:
    if (fd >= 0)
        close(fd);
    free(beside);
    return result;
}

unsigned char *ff_trace_encode(struct ff_trace *trace, size_t *size, struct ff_error *error)
{
    if (ff_format_check(trace, error) != 0)
        return NULL;
    trace->digest = ff_format_digest(trace);
    struct buffer buffer = {0};
    encode(&buffer, trace);
    *size = buffer.size;
    return buffer.bytes;
}

int ff_trace_write(struct ff_trace *trace, const char *path, struct ff_error *error)
{
    struct buffer buffer = {0};
    buffer.bytes = ff_trace_encode(trace, &buffer.size, error);
    if (buffer.bytes == NULL)
        return -1;
    int result = file_replace(path, &buffer, error);
    free(buffer.bytes);
    return result;
}

/* The trace format: what is written is read back, and nothing else is accepted. */
#include "unit.h"

#include "faultfs/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static char file[] = "/tmp/test_trace.XXXXXX";

static struct ff_bytes bytes(const char *text)
{
    return (struct ff_bytes){(const unsigned char *)text, strlen(text)};
}

/* A trace with one of everything; each test may spoil its copy. */
struct sample {
    struct ff_snapshot_node nodes[4];
    struct ff_snapshot_name names[4];
    struct ff_module modules[1];
    struct ff_call calls[13];
    struct ff_unobserved unobserved[1];
    struct ff_trace trace;
};

static struct sample *sample_new(void)
{
    struct sample *sample = malloc(sizeof(*sample));
    *sample = (struct sample){
        .nodes = {{.mode = S_IFDIR | 0755},
                  {.mode = S_IFREG | 0644, .uid = 1, .gid = 2, .data = {(const void *)"a\0b", 3}},
                  {.mode = S_IFDIR | 0700, .xattrs = {(const void *)"user.x\0\1\0\0\0y", 12}},
                  {.mode = S_IFLNK | 0777, .data = bytes("target")}},
        .names = {{1, 3, bytes("directory")},
                  {1, 2, bytes("file")},
                  {3, 2, bytes("again")},
                  {3, 4, bytes("link")}},
        .modules = {{"/usr/bin/program", bytes("0123")}},
        .calls = {{.name = "openat",
                   .effect = FF_EFFECT_CREATE,
                   .begin = 1,
                   .end = 1,
                   .result = 3,
                   .fd = 3,
                   .flags = 0101,
                   .node = 5,
                   .parent = 1,
                   .filename = bytes("new"),
                   .mode = S_IFREG | 0600,
                   .site = 0x1234},
                  {.name = "write",
                   .effect = FF_EFFECT_WRITE,
                   .begin = 2,
                   .end = 2,
                   .result = 4,
                   .fd = 3,
                   .node = 5,
                   .offset = 10,
                   .data = bytes("data"),
                   .module = UINT32_MAX},
                  {.name = "write",
                   .effect = FF_EFFECT_OUTPUT,
                   .begin = 4,
                   .end = 5,
                   .result = 6,
                   .fd = 1,
                   .data = bytes("saved\n"),
                   .thread = 1},
                  {.name = "fsync",
                   .effect = FF_EFFECT_SYNC_FILE,
                   .begin = 3,
                   .end = 6,
                   .fd = 3,
                   .node = 5},
                  {.name = "rename",
                   .effect = FF_EFFECT_RENAME,
                   .begin = 7,
                   .end = 7,
                   .node = 5,
                   .parent = 1,
                   .filename = bytes("new"),
                   .parent2 = 3,
                   .filename2 = bytes("again"),
                   .node2 = 2,
                   .fd = -1},
                  {.name = "unlink",
                   .effect = FF_EFFECT_NONE,
                   .begin = 8,
                   .end = 8,
                   .result = -2,
                   .parent = 1,
                   .filename = bytes("nothing"),
                   .fd = -1},
                  {.name = "chmod",
                   .effect = FF_EFFECT_ATTRIBUTES,
                   .begin = 9,
                   .end = 9,
                   .node = 5,
                   .mode = S_IFREG | 0400,
                   .uid = 7,
                   .gid = 8,
                   .fd = -1},
                  {.name = "truncate",
                   .effect = FF_EFFECT_RESIZE,
                   .begin = 10,
                   .end = 10,
                   .node = 5,
                   .offset = 2,
                   .fd = -1},
                  {.name = "setxattr",
                   .effect = FF_EFFECT_SET_XATTR,
                   .route = FF_ROUTE_NET,
                   .begin = 12,
                   .end = 12,
                   .node = 5,
                   .filename = bytes("user.a/b"),
                   .data = bytes("value"),
                   .fd = -1},
                  {.name = "openat",
                   .effect = FF_EFFECT_CREATE,
                   .begin = 13,
                   .end = 13,
                   .node = 6,
                   .mode = S_IFREG | 0600,
                   .fd = 4},
                  {.name = "mmap",
                   .effect = FF_EFFECT_WRITE,
                   .route = FF_ROUTE_MAPPING,
                   .begin = 11,
                   .end = 14,
                   .node = 5,
                   .data = bytes("stored"),
                   .fd = -1},
                  {.name = "pwrite",
                   .effect = FF_EFFECT_SYNC_RANGE_DATA,
                   .begin = 15,
                   .end = 16,
                   .node = 5,
                   .offset = 4096,
                   .length = 100,
                   .fd = 4},
                  {.name = "fsync",
                   .effect = FF_EFFECT_SYNC_FAILED,
                   .begin = 17,
                   .end = 18,
                   .result = -5,
                   .node = 5,
                   .fd = 4}},
        .unobserved = {{"io-uring", "program", 3}},
    };
    sample->trace = (struct ff_trace){.root = "/some/where",
                                      .nodes = sample->nodes,
                                      .node_count = 4,
                                      .names = sample->names,
                                      .name_count = 4,
                                      .calls = sample->calls,
                                      .call_count = 13,
                                      .modules = sample->modules,
                                      .module_count = 1,
                                      .unobserved = sample->unobserved,
                                      .unobserved_count = 1};
    return sample;
}

static unsigned char *file_bytes(size_t *size)
{
    FILE *stream = fopen(file, "rb");
    unsigned char *content = malloc(1 << 16);
    *size = fread(content, 1, 1 << 16, stream);
    fclose(stream);
    return content;
}

static unsigned char *sample_bytes(size_t *size)
{
    struct ff_error error;
    struct sample *sample = sample_new();
    if (ff_trace_write(&sample->trace, file, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    free(sample);
    return file_bytes(size);
}

static bool bytes_equal(struct ff_bytes a, struct ff_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void assert_call_equal(const struct ff_call *a, const struct ff_call *b)
{
    CU_ASSERT_STRING_EQUAL(a->name, b->name);
    CU_ASSERT(bytes_equal(a->filename, b->filename) && bytes_equal(a->filename2, b->filename2));
    CU_ASSERT(bytes_equal(a->data, b->data));
#define EQUAL(field) CU_ASSERT_EQUAL(a->field, b->field)
    EQUAL(effect);
    EQUAL(route);
    EQUAL(process);
    EQUAL(thread);
    EQUAL(begin);
    EQUAL(end);
    EQUAL(result);
    EQUAL(fd);
    EQUAL(flags);
    EQUAL(node);
    EQUAL(parent);
    EQUAL(node2);
    EQUAL(parent2);
    EQUAL(offset);
    EQUAL(length);
    EQUAL(mode);
    EQUAL(uid);
    EQUAL(gid);
    EQUAL(module);
    EQUAL(site);
#undef EQUAL
}

static void round_trip(void)
{
    struct ff_error error = {""};
    struct sample *sample = sample_new();
    CU_ASSERT_EQUAL_FATAL(ff_trace_write(&sample->trace, file, &error), 0);
    struct ff_trace *trace = ff_trace_open(file, &error);
    if (trace == NULL)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    CU_ASSERT_STRING_EQUAL(trace->root, "/some/where");
    CU_ASSERT_EQUAL(trace->digest, sample->trace.digest);
    CU_ASSERT_EQUAL_FATAL(trace->node_count, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(trace->nodes[i].mode, sample->nodes[i].mode);
        CU_ASSERT_EQUAL(trace->nodes[i].uid, sample->nodes[i].uid);
        CU_ASSERT_EQUAL(trace->nodes[i].gid, sample->nodes[i].gid);
        CU_ASSERT(bytes_equal(trace->nodes[i].data, sample->nodes[i].data));
        CU_ASSERT(bytes_equal(trace->nodes[i].xattrs, sample->nodes[i].xattrs));
    }
    CU_ASSERT_EQUAL_FATAL(trace->name_count, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(trace->names[i].parent, sample->names[i].parent);
        CU_ASSERT_EQUAL(trace->names[i].node, sample->names[i].node);
        CU_ASSERT_STRING_EQUAL(trace->names[i].filename.data, sample->names[i].filename.data);
    }
    CU_ASSERT_EQUAL_FATAL(trace->module_count, 1);
    CU_ASSERT_STRING_EQUAL(trace->modules[0].path, "/usr/bin/program");
    CU_ASSERT(bytes_equal(trace->modules[0].build_id, bytes("0123")));
    CU_ASSERT_EQUAL_FATAL(trace->call_count, 13);
    for (size_t i = 0; i < 13; i++)
        assert_call_equal(&trace->calls[i], &sample->calls[i]);
    CU_ASSERT_EQUAL_FATAL(trace->unobserved_count, 1);
    CU_ASSERT_STRING_EQUAL(trace->unobserved[0].kind, "io-uring");
    CU_ASSERT_STRING_EQUAL(trace->unobserved[0].what, "program");
    CU_ASSERT_EQUAL(trace->unobserved[0].count, 3);
    ff_trace_free(trace);
    free(sample);
}

static void digest_ignores_what_is_incidental(void)
{
    struct ff_error error;
    struct sample *sample = sample_new();
    ff_trace_write(&sample->trace, file, &error);
    uint64_t digest = sample->trace.digest;
    sample->calls[2].process = 3;
    sample->calls[2].thread = 4;
    sample->calls[2].fd = 5;
    sample->calls[2].module = 0;
    sample->calls[2].site = 6;
    sample->trace.root = "/else/where";
    sample->modules[0].path = "/elsewhere";
    CU_ASSERT_EQUAL(ff_trace_write(&sample->trace, file, &error), 0);
    CU_ASSERT_EQUAL(sample->trace.digest, digest);
    sample->calls[2].data = bytes("saveD\n");
    CU_ASSERT_EQUAL(ff_trace_write(&sample->trace, file, &error), 0);
    CU_ASSERT_NOT_EQUAL(sample->trace.digest, digest);
    free(sample);
}

static void cut_at_every_byte(void)
{
    size_t size;
    unsigned char *whole = sample_bytes(&size);
    for (size_t length = 0; length < size; length++) {
        struct ff_error error = {""};
        unsigned char *cut = malloc(length + 1); /* so that a sanitizer sees reads beyond */
        memcpy(cut, whole, length);
        struct ff_trace *trace = ff_trace_parse(cut, length, &error);
        CU_ASSERT_PTR_NULL(trace);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cut short"));
        ff_trace_free(trace);
        free(cut);
    }
    free(whole);
}

static void every_flipped_bit_is_noticed(void)
{
    size_t size;
    unsigned char *whole = sample_bytes(&size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct ff_error error = {""};
        whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
        struct ff_trace *trace = ff_trace_parse(whole, size, &error);
        CU_ASSERT_PTR_NULL(trace);
        CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
        ff_trace_free(trace);
        whole[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(whole);
}

/* Damage that the checksum agrees with must be survived; the digest still notices most. */
static void damage_with_a_good_checksum_is_survived(void)
{
    size_t size;
    unsigned char *whole = sample_bytes(&size);
    unsigned char *damaged = malloc(size);
    static const unsigned char values[] = {0, 1, 2, 0x7f, 0x80, 0xff};
    for (size_t at = 0; at + 8 < size; at++)
        for (size_t i = 0; i < sizeof(values); i++) {
            struct ff_error error;
            memcpy(damaged, whole, size);
            damaged[at] = values[i];
            uint64_t checksum = XXH3_64bits(damaged, size - 8);
            for (unsigned j = 0; j < 8; j++)
                damaged[size - 8 + j] = (unsigned char)(checksum >> 8 * j);
            ff_trace_free(ff_trace_parse(damaged, size, &error));
        }
    CU_PASS("survived");
    free(damaged);
    free(whole);
}

static void other_files_are_refused(void)
{
    struct ff_error error = {""};
    CU_ASSERT_PTR_NULL(ff_trace_parse("#!/bin/sh\n", 10, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "not a trace file");
    CU_ASSERT_PTR_NULL(ff_trace_open("/nonexistent", &error));
    CU_ASSERT_STRING_EQUAL(error.text, "cannot read /nonexistent: No such file or directory");
    CU_ASSERT_PTR_NULL(ff_trace_open("/", &error));
    CU_ASSERT_STRING_EQUAL(error.text, "cannot read /: Is a directory");
}

static void an_unwritable_place_is_reported(void)
{
    struct ff_error error = {""};
    struct sample *sample = sample_new();
    CU_ASSERT_EQUAL(ff_trace_write(&sample->trace, "/nonexistent/trace", &error), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "No such file or directory"));
    free(sample);
}

/* What a call or a snapshot must not say, one spoiled field at a time. */
static void contradictions(void)
{
#define SPOILED(message, ...)                                                                      \
    do {                                                                                           \
        struct ff_error error = {""};                                                              \
        struct sample *s = sample_new();                                                           \
        __VA_ARGS__;                                                                               \
        CU_ASSERT_EQUAL(ff_trace_write(&s->trace, file, &error), -1);                              \
        if (strstr(error.text, message) == NULL)                                                   \
            fprintf(stderr, "got \"%s\", expected \"%s\"\n", error.text, message);                 \
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, message));                                       \
        free(s);                                                                                   \
    } while (0)
    SPOILED("root is not a directory", s->nodes[0].mode = S_IFREG);
    SPOILED("node of its snapshot is impossible", s->nodes[1].mode = S_IFBLK);
    SPOILED("node of its snapshot is impossible", s->nodes[2].data = bytes("x"));
    SPOILED("node of its snapshot is impossible", s->nodes[3].data.size = 0);
    SPOILED("names of its snapshot are not sorted", s->names[1].filename = bytes("a"));
    SPOILED("names of its snapshot are not sorted", s->names[0].filename = bytes("file"));
    SPOILED("name of its snapshot is impossible", s->names[1].filename = bytes(".."));
    SPOILED("name of its snapshot is impossible", s->names[1].filename = bytes("f/g"));
    SPOILED("name of its snapshot is impossible", s->names[1].filename = bytes(""));
    SPOILED("name of its snapshot is impossible", s->names[2].parent = 2);
    SPOILED("name of its snapshot is impossible", s->names[2].node = 1);
    SPOILED("name of its snapshot is impossible", s->names[2].node = 5);
    SPOILED("has two names or is inside itself", s->names[2].node = 3);
    SPOILED("has no name", s->names[3].node = 2);
    SPOILED("next number", s->calls[0].node = 6);
    SPOILED("its parent is not a directory", s->calls[0].parent = 2);
    SPOILED("not the name of a file", s->calls[0].filename.size = 0);
    SPOILED("what it creates is impossible", s->calls[0].mode = S_IFBLK);
    SPOILED("what it creates is impossible", s->calls[0].mode = S_IFLNK);
    SPOILED("its node is not a file", s->calls[1].node = 3);
    SPOILED("its node does not exist", s->calls[1].node = 6);
    SPOILED("largest supported size", s->calls[1].offset = UINT64_MAX);
    SPOILED("its ticks differ", s->calls[1].end = 11);
    SPOILED("its ticks are out of order", s->calls[3].end = 4);
    SPOILED("its ticks are out of order", s->calls[0].begin = 0);
    SPOILED("two calls have the same tick", s->calls[2].begin = 3);
    SPOILED("its effect does not go with its result", s->calls[1].result = -1);
    SPOILED("over itself", s->calls[4].node2 = 5);
    SPOILED("its second parent is not a directory", s->calls[4].parent2 = 0);
    SPOILED("its second name", s->calls[4].filename2 = bytes("."));
    SPOILED("its second node does not exist", s->calls[4].node2 = 77);
    SPOILED("it changes the type", s->calls[6].mode = S_IFDIR);
    SPOILED("its module does not exist", s->calls[6].module = 1);
    SPOILED("node of its snapshot is impossible", s->nodes[2].xattrs.size = 11);
    SPOILED("not the name of an extended attribute", s->calls[8].filename.size = 0);
    SPOILED("larger than it can be", s->calls[8].data.size = 65537);
    SPOILED("without a name", s->calls[9].mode = S_IFDIR | 0700);
    SPOILED("without a name", s->calls[9].filename = bytes("name"));
    SPOILED("its ticks differ", s->calls[10].route = FF_ROUTE_SYMBOL);
    SPOILED("its range reaches beyond", s->calls[11].length = FF_SIZE_LIMIT);
    SPOILED("its effect does not go with its result", s->calls[12].result = 0);
    SPOILED("without a kind", s->unobserved[0].kind = "");
    SPOILED("its effect is unknown", s->calls[6].effect = FF_EFFECT_COUNT);
#undef SPOILED
}

static void a_failed_write_leaves_the_file(void)
{
    struct ff_error error;
    size_t before, after;
    free(sample_bytes(&before));
    struct sample *sample = sample_new();
    sample->calls[0].node = 9;
    CU_ASSERT_EQUAL(ff_trace_write(&sample->trace, file, &error), -1);
    free(file_bytes(&after));
    CU_ASSERT_EQUAL(before, after);
    free(sample);
}

static const struct unit_test tests[] = {
    {"round trip", round_trip},
    {"digest ignores what is incidental", digest_ignores_what_is_incidental},
    {"cut at every byte", cut_at_every_byte},
    {"every flipped bit is noticed", every_flipped_bit_is_noticed},
    {"damage with a good checksum is survived", damage_with_a_good_checksum_is_survived},
    {"other files are refused", other_files_are_refused},
    {"an unwritable place is reported", an_unwritable_place_is_reported},
    {"contradictions", contradictions},
    {"a failed write leaves the file", a_failed_write_leaves_the_file},
};

int main(int argc, char **argv)
{
    int fd = mkstemp(file);
    if (fd < 0)
        return 2;
    close(fd);
    int status = unit_main("trace", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    unlink(file);
    return status;
}

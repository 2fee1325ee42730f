/*
 * Traces through the reader and the engine. The first byte says what the others are: a trace
 * file, which is also read with sizes, digest and checksum put right; or choices, of which
 * a model and a trace are invented. What is accepted must be written and read back the same,
 * and what the engine makes of it must hold (examined.h).
 */
#include "examined.h"
#include "invention.h"
#include "seal.h"
#include "target.h"

#include <string.h>

/* No more than this of memory and time. */
enum { BYTES_LIMIT = 8192, CALLS_LIMIT = 24, EXTENT_LIMIT = 64 };

static bool is_small(const struct ff_trace *trace)
{
    for (size_t i = 0; i < trace->node_count; i++)
        if (trace->nodes[i].data.size > EXTENT_LIMIT)
            return false;
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].offset > EXTENT_LIMIT || trace->calls[i].data.size > EXTENT_LIMIT)
            return false;
    return trace->call_count <= CALLS_LIMIT;
}

static void same_again(struct ff_trace *trace)
{
    struct ff_error error;
    size_t size, again_size;
    uint64_t digest = trace->digest;
    unsigned char *bytes = ff_trace_encode(trace, &size, &error);
    if (bytes == NULL)
        fprintf(stderr, "%s\n", error.text);
    require(bytes != NULL);
    struct ff_trace *read = ff_trace_parse(bytes, size, &error);
    require(read != NULL && read->digest == trace->digest);
    require(digest == 0 || digest == trace->digest);
    unsigned char *again = ff_trace_encode(read, &again_size, &error);
    require(again != NULL && again_size == size && memcmp(again, bytes, size) == 0);
    free(again);
    ff_trace_free(read);
    free(bytes);
}

static void read_trace(const uint8_t *data, size_t size, const struct cm_model *model,
                       uint64_t seed)
{
    struct ff_error error = {""};
    struct ff_trace *trace = ff_trace_parse(data, size, &error);
    require((trace != NULL) != (error.text[0] != '\0'));
    if (trace == NULL)
        return;
    size_t again_size;
    unsigned char *again = ff_trace_encode(trace, &again_size, &error);
    require(again != NULL && again_size == size);
    free(again);
    same_again(trace);
    if (is_small(trace))
        examine(trace, model, seed, false);
    ff_trace_free(trace);
}

static void read_sealed(const uint8_t *data, size_t size, const struct cm_model *model,
                        uint64_t seed)
{
    uint8_t *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, data, size);
    seal_trace(copy, size);
    read_trace(copy, size, model, seed);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct invention invention;
    struct choices choices = {data, data + size};
    if (size < 2 || size > BYTES_LIMIT)
        return 0;
    bool invents = choose(&choices, 2) == 0;
    uint64_t seed = choose_byte(&choices);
    if (invents) {
        invent_model(&invention, &choices);
        invent_trace(&invention, &choices);
        same_again(&invention.trace);
        examine(&invention.trace, &invention.model, seed, true);
    } else {
        struct choices none = {data, data};
        invent_model(&invention, &none);
        read_trace(choices.next, (size_t)(choices.end - choices.next), &invention.model, seed);
        if (size > 2)
            read_sealed(choices.next, size - 2, &invention.model, seed);
    }
    return 0;
}

/*
 * Turns the stream of records into the calls of a trace. What depends on the
 * machine's state is numbered anew, by first appearance: processes, threads,
 * and ticks (of which some were given to calls that never completed), so that
 * a program that does the same again gives the same trace.
 */
#include "../shim/interposed_names.h"
#include "../trace/error.h"
#include "../trace/memory.h"
#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers by first appearance. */
struct numbering {
    uint32_t *seen;
    size_t count, capacity;
};

static uint32_t number_of(struct numbering *numbering, uint32_t value)
{
    for (size_t i = numbering->count; i-- > 0;)
        if (numbering->seen[i] == value)
            return (uint32_t)i;
    numbering->seen = ff_memory_grow(numbering->seen, &numbering->capacity, numbering->count + 1,
                                     sizeof(*numbering->seen));
    numbering->seen[numbering->count] = value;
    return (uint32_t)numbering->count++;
}

/* What belongs to the call before it says so, and is no call of its own. */
static const char *call_name(const struct record *record)
{
    enum { SYNCED, SYNCED_DATA, ALSO, KINDS };
    static const char *const words[KINDS] = {"O_SYNC", "O_DSYNC", "also"};
    static char names[SYMBOL_COUNT][KINDS][48];
    const char *name = interposed_name(record->symbol);
    if (!record->implied || record->symbol >= SYMBOL_COUNT)
        return name;
    int kind = record->effect == FF_EFFECT_SYNC_RANGE        ? SYNCED
               : record->effect == FF_EFFECT_SYNC_RANGE_DATA ? SYNCED_DATA
                                                             : ALSO;
    char *text = names[record->symbol][kind];
    snprintf(text, sizeof(names[0][0]), "%s (%s)", name, words[kind]);
    return text;
}

static struct ff_bytes field_take(const unsigned char **position, uint64_t size)
{
    struct ff_bytes bytes = {*position, size};
    *position += size + 1;
    return bytes;
}

static struct ff_call call_make(const struct record *record, const unsigned char *fields)
{
    struct ff_call call = {
        .name = call_name(record),
        .effect = (enum ff_effect)record->effect,
        .route = (enum ff_route)record->route,
        .process = record->process,
        .thread = record->thread,
        .begin = record->begin,
        .end = record->end,
        .result = record->result,
        .fd = record->fd,
        .flags = record->flags,
        .node = record->node,
        .parent = record->parent,
        .node2 = record->node2,
        .parent2 = record->parent2,
        .offset = record->offset,
        .length = record->length,
        .mode = record->mode,
        .uid = record->uid,
        .gid = record->gid,
        .module = record->module,
        .site = record->site,
    };
    call.filename = field_take(&fields, record->name_size);
    call.filename2 = field_take(&fields, record->name2_size);
    call.data = field_take(&fields, record->data_size);
    return call;
}

static void content_keep(struct recording *recording, size_t call, const struct record *record)
{
    if (record->content.kind == CONTENT_NONE)
        return;
    recording->synced = ff_memory_grow(recording->synced, &recording->synced_capacity,
                                       recording->synced_count + 1, sizeof(*recording->synced));
    recording->synced[recording->synced_count++] =
        (struct synced){call, record->begin, record->content};
}

static int calls_decode(struct recording *recording, struct ff_error *error)
{
    const struct bytes *stream = &recording->stream;
    size_t count = 0, capacity = 0;
    free(recording->calls);
    recording->calls = NULL;
    recording->synced_count = 0;
    for (size_t at = 0; at < stream->size;) {
        struct record record;
        size_t left = stream->size - at;
        if (left >= sizeof(record))
            memcpy(&record, stream->bytes + at, sizeof(record));
        if (left < sizeof(record) || record.size > left ||
            record.size !=
                sizeof(record) + record.name_size + record.name2_size + record.data_size + 3)
            return ff_error_set(error, "recording unsound: the workload damaged the record");
        recording->calls =
            ff_memory_grow(recording->calls, &capacity, count + 1, sizeof(*recording->calls));
        content_keep(recording, count, &record);
        recording->calls[count++] = call_make(&record, stream->bytes + at + sizeof(record));
        at += record.size;
    }
    recording->trace.calls = recording->calls;
    recording->trace.call_count = count;
    return 0;
}

static int tick_compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* How many of the sorted ticks are not above tick. */
static uint64_t tick_rank(const uint64_t *ticks, size_t count, uint64_t tick)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ticks[middle] <= tick)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void ticks_renumber(struct recording *recording)
{
    size_t count = 0, calls = recording->trace.call_count;
    uint64_t *ticks = ff_memory_allocate(2 * calls, sizeof(*ticks));
    for (size_t i = 0; i < calls; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are call_count calls */
        ticks[count++] = recording->calls[i].end;
        if (recording->calls[i].begin != recording->calls[i].end)
            ticks[count++] = recording->calls[i].begin;
    }
    qsort(ticks, count, sizeof(*ticks), tick_compare);
    for (size_t i = 0; i < calls; i++) {
        struct ff_call *call = &recording->calls[i];
        call->begin = tick_rank(ticks, count, call->begin);
        call->end = tick_rank(ticks, count, call->end);
    }
    free(ticks);
}

static void processes_renumber(struct recording *recording)
{
    struct numbering processes = {0}, threads = {0};
    for (size_t i = 0; i < recording->trace.call_count; i++) {
        struct ff_call *call = &recording->calls[i];
        call->process = number_of(&processes, call->process);
        call->thread = number_of(&threads, call->thread);
    }
    free(processes.seen);
    free(threads.seen);
}

static void modules_describe(struct recording *recording)
{
    const struct channel *channel = recording->channel;
    if (recording->modules != NULL)
        return;
    recording->modules = ff_memory_allocate(channel->module_count, sizeof(*recording->modules));
    for (uint32_t i = 0; i < channel->module_count; i++)
        recording->modules[i] =
            (struct ff_module){channel->modules[i].path, build_id_read(channel->modules[i].path)};
    recording->trace.modules = recording->modules;
    recording->trace.module_count = channel->module_count;
}

int recording_assemble(struct recording *recording, struct ff_error *error)
{
    if (calls_decode(recording, error) != 0)
        return -1;
    ticks_renumber(recording);
    processes_renumber(recording);
    modules_describe(recording);
    return 0;
}

/*
 * Every event must be explained by the record: a name that appeared by a call that
 * made it, one that disappeared by a call that removed it, a change by a call that
 * may have changed a file of that name. When it happened does not matter.
 *
 * Events name directories by watches, the record by nodes. A directory of the
 * snapshot has one node. For one that was found under a name in another, each
 * directory is possible that the record ever knew under that name there.
 */
#include "names.h"

#include "../trace/error.h"
#include "../trace/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* That a name in a directory meant a node, or stopped to. */
struct naming {
    uint32_t parent;
    struct ff_bytes name;
    uint32_t node;
    unsigned what; /* NAME_APPEARED, NAME_DISAPPEARED, or 0: it was there before */
};

/* The directories that a watch may be of. */
struct candidates {
    uint32_t *nodes;
    size_t count, capacity;
};

struct check {
    const struct names *names;
    const struct ff_trace *trace;
    struct naming *namings; /* sorted by parent and name */
    size_t naming_count, naming_capacity;
    bool *changed; /* by node: events of change are explained */
    size_t node_limit;
    struct candidates *candidates; /* by watch */
};

/* The record ****************************************************************************/

static void naming_add(struct check *check, uint32_t parent, struct ff_bytes name, uint32_t node,
                       unsigned what)
{
    check->namings = ff_memory_grow(check->namings, &check->naming_capacity,
                                    check->naming_count + 1, sizeof(*check->namings));
    check->namings[check->naming_count++] = (struct naming){parent, name, node, what};
}

static void namings_of_call(struct check *check, const struct ff_call *call)
{
    switch (call->effect) {
    case FF_EFFECT_CREATE:
    case FF_EFFECT_LINK:
        naming_add(check, call->parent, call->filename, call->node, NAME_APPEARED);
        break;
    case FF_EFFECT_UNLINK:
        naming_add(check, call->parent, call->filename, call->node, NAME_DISAPPEARED);
        break;
    case FF_EFFECT_RENAME:
        naming_add(check, call->parent, call->filename, call->node, NAME_DISAPPEARED);
        naming_add(check, call->parent2, call->filename2, call->node, NAME_APPEARED);
        break;
    case FF_EFFECT_EXCHANGE:
        naming_add(check, call->parent, call->filename, call->node, NAME_DISAPPEARED);
        naming_add(check, call->parent, call->filename, call->node2, NAME_APPEARED);
        naming_add(check, call->parent2, call->filename2, call->node2, NAME_DISAPPEARED);
        naming_add(check, call->parent2, call->filename2, call->node, NAME_APPEARED);
        break;
    default:
        break;
    }
}

/*
 * Whether the kernel may report a change of the call's node. Some calls change
 * nothing that is worth recording, as O_TRUNC of an empty file, and yet are
 * reported; opening, closing and duplicating a descriptor never are.
 */
static bool may_change(const struct ff_call *call)
{
    static const char *const never[] = {"open", "close", "dup", "fcntl"};
    if (call->effect != FF_EFFECT_NONE)
        return call->effect == FF_EFFECT_WRITE || call->effect == FF_EFFECT_RESIZE;
    if (call->result < 0)
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (strstr(call->name, never[i]) != NULL)
            return (call->flags & O_TRUNC) != 0;
    return true;
}

static void changes_of_call(struct check *check, const struct ff_call *call)
{
    bool regular = call->effect != FF_EFFECT_CREATE || S_ISREG(call->mode);
    if (call->node < check->node_limit && (may_change(call) || !regular))
        check->changed[call->node] = true;
}

static int bytes_compare(struct ff_bytes a, struct ff_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int naming_compare(const void *left, const void *right)
{
    const struct naming *a = left, *b = right;
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    return bytes_compare(a->name, b->name);
}

static size_t created_count(const struct ff_trace *trace)
{
    size_t count = 0;
    for (size_t i = 0; i < trace->call_count; i++)
        count += trace->calls[i].effect == FF_EFFECT_CREATE;
    return count;
}

static void record_read(struct check *check)
{
    const struct ff_trace *trace = check->trace;
    check->node_limit = trace->node_count + created_count(trace) + 1;
    check->changed = ff_memory_allocate(check->node_limit, sizeof(*check->changed));
    for (size_t i = 0; i < trace->node_count; i++)
        check->changed[i + 1] = !S_ISREG(trace->nodes[i].mode);
    for (size_t i = 0; i < trace->name_count; i++)
        naming_add(check, trace->names[i].parent, trace->names[i].filename, trace->names[i].node,
                   0);
    for (size_t i = 0; i < trace->call_count; i++) {
        namings_of_call(check, &trace->calls[i]);
        changes_of_call(check, &trace->calls[i]);
    }
    if (check->naming_count != 0)
        qsort(check->namings, check->naming_count, sizeof(*check->namings), naming_compare);
}

/* The first naming of that name, or the place where it would be. */
static size_t naming_find(const struct check *check, const struct naming *key)
{
    size_t low = 0, high = check->naming_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (naming_compare(&check->namings[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The watches ***************************************************************************/

static void candidate_add(struct candidates *candidates, uint32_t node)
{
    for (size_t i = 0; i < candidates->count; i++)
        if (candidates->nodes[i] == node)
            return;
    candidates->nodes = ff_memory_grow(candidates->nodes, &candidates->capacity,
                                       candidates->count + 1, sizeof(*candidates->nodes));
    candidates->nodes[candidates->count++] = node;
}

static struct naming key_of(uint32_t parent, const char *name)
{
    return (struct naming){parent, {(const unsigned char *)name, strlen(name)}, FF_NO_NODE, 0};
}

static void candidates_find(struct check *check, size_t number)
{
    const struct watch *watch = &check->names->watches[number];
    struct candidates *candidates = &check->candidates[number];
    if (watch->path == NULL)
        return;
    if (watch->node != FF_NO_NODE) {
        candidate_add(candidates, watch->node);
        return;
    }
    const struct candidates *parents = &check->candidates[watch->parent];
    for (size_t i = 0; i < parents->count; i++) {
        struct naming key = key_of(parents->nodes[i], watch->name);
        for (size_t k = naming_find(check, &key); k < check->naming_count; k++) {
            if (naming_compare(&check->namings[k], &key) != 0)
                break;
            candidate_add(candidates, check->namings[k].node);
        }
    }
}

/* The events ****************************************************************************/

/* What the record has of a name in a directory, of the three NAME_ bits. */
static unsigned recorded(const struct check *check, uint32_t parent, const char *name)
{
    unsigned what = 0;
    struct naming key = key_of(parent, name);
    for (size_t i = naming_find(check, &key); i < check->naming_count; i++) {
        const struct naming *naming = &check->namings[i];
        if (naming_compare(naming, &key) != 0)
            break;
        what |= naming->what;
        if (naming->node < check->node_limit && check->changed[naming->node])
            what |= NAME_CHANGED;
    }
    return what;
}

static int event_check(const struct check *check, const struct name_event *event,
                       struct ff_error *error)
{
    const struct candidates *parents = &check->candidates[event->watch];
    const char *path = check->names->watches[event->watch].path;
    unsigned missing = event->what;
    for (size_t i = 0; i < parents->count; i++)
        missing &= ~recorded(check, parents->nodes[i], event->name);
    if (missing == 0)
        return 0;
    const char *what = (missing & NAME_APPEARED) != 0      ? "created"
                       : (missing & NAME_DISAPPEARED) != 0 ? "removed"
                                                           : "changed";
    return ff_error_set(error,
                        "recording unsound: %s%s%s was %s behind the recorder's back; does "
                        "anything else use the directory?",
                        path, path[0] == '\0' ? "" : "/", event->name, what);
}

int names_check(const struct names *names, const struct ff_trace *trace, struct ff_error *error)
{
    struct check check = {.names = names, .trace = trace};
    int result = 0;
    record_read(&check);
    check.candidates = ff_memory_allocate(names->watch_limit, sizeof(*check.candidates));
    /* A directory is found in one that has been watched before it: a smaller number. */
    for (size_t i = 0; i < names->watch_limit; i++)
        candidates_find(&check, i);
    for (size_t i = 0; i < names->event_count && result == 0; i++)
        result = event_check(&check, &names->events[i], error);
    for (size_t i = 0; i < names->watch_limit; i++)
        free(check.candidates[i].nodes);
    free(check.candidates);
    free(check.namings);
    free(check.changed);
    return result;
}

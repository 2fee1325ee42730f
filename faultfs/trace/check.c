/*
 * Whether a trace is consistent, so that those who read one need no checks of
 * their own: names are names, nodes exist before they are used and are of the
 * type that a call needs, time runs forward. That each call fits the tree as it
 * is at that moment is not checked here but by ff_tree_apply().
 */
#include "error.h"
#include "faultfs/tree.h"
#include "format.h"
#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_LIMIT  255u
#define XATTR_LIMIT 65536u /* xattr(7) */

const char *ff_effect_name(enum ff_effect effect)
{
    static const char *const names[] = {
#define X(identifier, name, fields) name,
        FF_EFFECTS(X)
#undef X
    };
    return (unsigned)effect < FF_EFFECT_COUNT ? names[effect] : "?";
}

const char *ff_route_name(enum ff_route route)
{
    static const char *const names[FF_ROUTE_COUNT] = {"symbol", "net", "mapping"};
    return (unsigned)route < FF_ROUTE_COUNT ? names[route] : "?";
}

/* What an effect needs of a call's fields. */
enum {
    NEEDS_NODE = 1,     /* node exists */
    NEEDS_NEW = 2,      /* node is the next number */
    NEEDS_NAME = 4,     /* parent is a directory and filename a name */
    NEEDS_NAME2 = 8,    /* the same for the second pair */
    NEEDS_FILE = 16,    /* node is a regular file */
    NEEDS_INSTANT = 32, /* begin == end */
    NEEDS_EXTENT = 64,  /* offset and data end below the limit of a size */
    NEEDS_NODE2 = 128,  /* node2 exists */
    ALLOWS_NODE2 = 256, /* node2 exists or is none */
    ALLOWS_NODE = 512,  /* node exists or is none */
    NEEDS_RANGE = 1024, /* offset and length end below the limit of a size */
    NEEDS_XATTR = 2048, /* filename is the name of an extended attribute */
    NEEDS_ANYTHING = 0,
};

static const unsigned needs[FF_EFFECT_COUNT] = {
    [FF_EFFECT_NONE] = ALLOWS_NODE | ALLOWS_NODE2,
    [FF_EFFECT_CREATE] = NEEDS_NEW | NEEDS_NAME | NEEDS_INSTANT,
    [FF_EFFECT_WRITE] = NEEDS_NODE | NEEDS_FILE | NEEDS_EXTENT | NEEDS_INSTANT,
    [FF_EFFECT_RESIZE] = NEEDS_NODE | NEEDS_FILE | NEEDS_EXTENT | NEEDS_INSTANT,
    [FF_EFFECT_ATTRIBUTES] = NEEDS_NODE | NEEDS_INSTANT,
    [FF_EFFECT_LINK] = NEEDS_NODE | NEEDS_NAME | NEEDS_INSTANT,
    [FF_EFFECT_UNLINK] = NEEDS_NODE | NEEDS_NAME | NEEDS_INSTANT,
    [FF_EFFECT_RENAME] = NEEDS_NODE | NEEDS_NAME | NEEDS_NAME2 | ALLOWS_NODE2 | NEEDS_INSTANT,
    [FF_EFFECT_EXCHANGE] = NEEDS_NODE | NEEDS_NAME | NEEDS_NAME2 | NEEDS_NODE2 | NEEDS_INSTANT,
    [FF_EFFECT_SYNC_FILE] = NEEDS_NODE,
    [FF_EFFECT_SYNC_DATA] = NEEDS_NODE,
    [FF_EFFECT_SYNC_ALL] = NEEDS_ANYTHING,
    [FF_EFFECT_OUTPUT] = NEEDS_ANYTHING,
    [FF_EFFECT_SET_XATTR] = NEEDS_NODE | NEEDS_XATTR | NEEDS_INSTANT,
    [FF_EFFECT_REMOVE_XATTR] = NEEDS_NODE | NEEDS_XATTR | NEEDS_INSTANT,
    [FF_EFFECT_SYNC_RANGE] = NEEDS_NODE | NEEDS_FILE | NEEDS_RANGE,
    [FF_EFFECT_SYNC_RANGE_DATA] = NEEDS_NODE | NEEDS_FILE | NEEDS_RANGE,
    [FF_EFFECT_SYNC_FAILED] = ALLOWS_NODE,
};

/* The types (S_IFMT) of the nodes that exist so far; types[0] is unused. */
struct known {
    uint32_t *types;
    size_t count; /* one past the largest number */
};

static bool is_node(const struct known *known, uint32_t node)
{
    return node != FF_NO_NODE && node < known->count;
}

static bool is_of_type(const struct known *known, uint32_t node, uint32_t type)
{
    return is_node(known, node) && known->types[node] == type;
}

static bool is_type_supported(uint32_t mode)
{
    uint32_t type = mode & S_IFMT;
    return (mode & ~(uint32_t)(S_IFMT | 07777)) == 0 &&
           (type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFIFO ||
            type == S_IFSOCK);
}

static bool is_name(struct ff_bytes name)
{
    if (name.size == 0 || name.size > NAME_LIMIT || memchr(name.data, '\0', name.size) != NULL ||
        memchr(name.data, '/', name.size) != NULL)
        return false;
    return !(name.data[0] == '.' && (name.size == 1 || (name.size == 2 && name.data[1] == '.')));
}

/* Any byte but NUL, also a slash (xattr(7)). */
static bool is_xattr_name(struct ff_bytes name)
{
    return name.size != 0 && name.size <= NAME_LIMIT && memchr(name.data, '\0', name.size) == NULL;
}

static bool is_content(uint32_t mode, struct ff_bytes data)
{
    if (S_ISLNK(mode))
        return data.size != 0 && memchr(data.data, '\0', data.size) == NULL;
    return data.size == 0 || S_ISREG(mode);
}

/* Sorted by parent, then by the bytes of the name. */
static int name_compare(const struct ff_snapshot_name *a, const struct ff_snapshot_name *b)
{
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    size_t common = a->filename.size < b->filename.size ? a->filename.size : b->filename.size;
    int order = common == 0 ? 0 : memcmp(a->filename.data, b->filename.data, common);
    if (order != 0)
        return order;
    return (a->filename.size > b->filename.size) - (a->filename.size < b->filename.size);
}

static const char *snapshot_nodes_problem(const struct ff_trace *trace, struct known *known)
{
    if (trace->node_count == 0 || !S_ISDIR(trace->nodes[0].mode))
        return "its root is not a directory";
    for (size_t i = 0; i < trace->node_count; i++) {
        const struct ff_snapshot_node *node = &trace->nodes[i];
        if (!is_type_supported(node->mode) || !is_content(node->mode, node->data) ||
            node->data.size > FF_SIZE_LIMIT || !ff_xattrs_are_valid(node->xattrs))
            return "a node of its snapshot is impossible";
        known->types[known->count++] = node->mode & S_IFMT;
    }
    return NULL;
}

/*
 * A directory has one name, in a directory with a smaller number, so that no
 * directory can be inside itself; anything else has one or more.
 */
static const char *snapshot_names_problem(const struct ff_trace *trace, const struct known *known)
{
    bool *named = ff_memory_allocate(known->count, sizeof(*named));
    const char *problem = NULL;
    for (size_t i = 0; i < trace->name_count && problem == NULL; i++) {
        const struct ff_snapshot_name *name = &trace->names[i];
        if (!is_name(name->filename) || !is_of_type(known, name->parent, S_IFDIR) ||
            !is_node(known, name->node) || name->node == FF_ROOT_NODE)
            problem = "a name of its snapshot is impossible";
        else if (i != 0 && name_compare(&trace->names[i - 1], name) >= 0)
            problem = "the names of its snapshot are not sorted";
        else if (known->types[name->node] == S_IFDIR &&
                 (named[name->node] || name->parent >= name->node))
            problem = "a directory of its snapshot has two names or is inside itself";
        else
            named[name->node] = true;
    }
    for (size_t node = FF_ROOT_NODE + 1; node < known->count && problem == NULL; node++)
        if (!named[node])
            problem = "a node of its snapshot has no name";
    free(named);
    return problem;
}

static const char *nodes_problem(const struct ff_call *call, unsigned need,
                                 const struct known *known)
{
    if ((need & NEEDS_NODE) != 0 && !is_node(known, call->node))
        return "its node does not exist";
    if ((need & ALLOWS_NODE) != 0 && call->node != FF_NO_NODE && !is_node(known, call->node))
        return "its node does not exist";
    if ((need & NEEDS_NODE2) != 0 && !is_node(known, call->node2))
        return "its second node does not exist";
    if ((need & ALLOWS_NODE2) != 0 && call->node2 != FF_NO_NODE && !is_node(known, call->node2))
        return "its second node does not exist";
    if ((need & NEEDS_FILE) != 0 && !is_of_type(known, call->node, S_IFREG))
        return "its node is not a file";
    if ((need & NEEDS_NEW) != 0 && call->node != known->count)
        return "its new node does not have the next number";
    if (call->effect != FF_EFFECT_RENAME)
        return NULL;
    if (call->node == call->node2)
        return "it renames a node over itself";
    return NULL;
}

static const char *names_problem(const struct ff_call *call, unsigned need,
                                 const struct known *known)
{
    /* A file that is created without a name may get one later. */
    if (call->effect == FF_EFFECT_CREATE && call->parent == FF_NO_NODE)
        return S_ISREG(call->mode) && call->filename.size == 0
                   ? NULL
                   : "only a file can be created without a name";
    if ((need & NEEDS_XATTR) != 0 && !is_xattr_name(call->filename))
        return "its name is not the name of an extended attribute";
    if ((need & NEEDS_NAME) != 0 && !is_of_type(known, call->parent, S_IFDIR))
        return "its parent is not a directory";
    if ((need & NEEDS_NAME2) != 0 && !is_of_type(known, call->parent2, S_IFDIR))
        return "its second parent is not a directory";
    if ((need & NEEDS_NAME) != 0 && !is_name(call->filename))
        return "its name is not the name of a file";
    if ((need & NEEDS_NAME2) != 0 && !is_name(call->filename2))
        return "its second name is not the name of a file";
    return NULL;
}

static const char *content_problem(const struct ff_call *call, unsigned need,
                                   const struct known *known)
{
    if (call->effect != FF_EFFECT_NONE &&
        (call->result < 0) != (call->effect == FF_EFFECT_SYNC_FAILED))
        return "its effect does not go with its result";
    if ((need & NEEDS_EXTENT) != 0 &&
        (call->offset > FF_SIZE_LIMIT || call->data.size > FF_SIZE_LIMIT - call->offset))
        return "it reaches beyond the largest supported size";
    if ((need & NEEDS_RANGE) != 0 &&
        (call->offset > FF_SIZE_LIMIT || call->length > FF_SIZE_LIMIT - call->offset))
        return "its range reaches beyond the largest supported size";
    if (call->effect == FF_EFFECT_SET_XATTR && call->data.size > XATTR_LIMIT)
        return "an extended attribute is larger than it can be";
    if (call->effect == FF_EFFECT_CREATE &&
        (!is_type_supported(call->mode) || (call->data.size != 0) != S_ISLNK(call->mode) ||
         !is_content(call->mode, call->data)))
        return "what it creates is impossible";
    if (call->effect == FF_EFFECT_ATTRIBUTES && (call->mode & S_IFMT) != 0 &&
        (call->mode & S_IFMT) != known->types[call->node])
        return "it changes the type of a node";
    return NULL;
}

static const char *time_problem(const struct ff_call *call, unsigned need, uint64_t last)
{
    if (call->begin == 0 || call->begin > call->end || call->end <= last)
        return "its ticks are out of order";
    /* A store through a mapping took place at some time between two scans. */
    bool is_store = call->route == FF_ROUTE_MAPPING && call->effect == FF_EFFECT_WRITE;
    if ((need & NEEDS_INSTANT) != 0 && call->begin != call->end && !is_store)
        return "its ticks differ";
    return NULL;
}

static const char *call_problem(const struct ff_trace *trace, size_t index,
                                const struct known *known)
{
    const struct ff_call *call = &trace->calls[index];
    if ((unsigned)call->effect >= FF_EFFECT_COUNT)
        return "its effect is unknown";
    unsigned need = needs[call->effect];
    const char *problem = time_problem(call, need, index == 0 ? 0 : trace->calls[index - 1].end);
    if (problem == NULL)
        problem = nodes_problem(call, need, known);
    if (problem == NULL)
        problem = names_problem(call, need, known);
    if (problem == NULL)
        problem = content_problem(call, need, known);
    if (problem == NULL && call->module != UINT32_MAX && call->module >= trace->module_count)
        problem = "its module does not exist";
    return problem;
}

static int tick_compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/*
 * No two ticks are equal but the two of one call. What one scan of a mapping found
 * has the same begin, the scan before it.
 */
static bool ticks_are_distinct(const struct ff_trace *trace)
{
    uint64_t *ticks = ff_memory_allocate(2 * trace->call_count, sizeof(*ticks));
    size_t count = 0;
    for (size_t i = 0; i < trace->call_count; i++) {
        ticks[count++] = trace->calls[i].end;
        if (trace->calls[i].begin != trace->calls[i].end &&
            trace->calls[i].route != FF_ROUTE_MAPPING)
            ticks[count++] = trace->calls[i].begin;
    }
    qsort(ticks, count, sizeof(*ticks), tick_compare);
    bool distinct = true;
    for (size_t i = 1; i < count && distinct; i++)
        distinct = ticks[i - 1] != ticks[i];
    free(ticks);
    return distinct;
}

static int calls_check(const struct ff_trace *trace, struct known *known, struct ff_error *error)
{
    for (size_t i = 0; i < trace->call_count; i++) {
        const struct ff_call *call = &trace->calls[i];
        const char *problem = call_problem(trace, i, known);
        if (problem != NULL)
            return ff_error_set(error, "the trace contradicts itself: call %zu, %s: %s", i,
                                call->name == NULL ? "" : call->name, problem);
        if (call->effect == FF_EFFECT_CREATE)
            known->types[known->count++] = call->mode & S_IFMT;
    }
    if (!ticks_are_distinct(trace))
        return ff_error_set(error, "the trace contradicts itself: two calls have the same tick");
    return 0;
}

int ff_format_check(const struct ff_trace *trace, struct ff_error *error)
{
    size_t limit = trace->node_count + trace->call_count + 1;
    if (limit > UINT32_MAX)
        return ff_error_set(error, "the trace has more nodes than numbers");
    struct known known = {.types = ff_memory_allocate(limit, sizeof(uint32_t)), .count = 1};
    const char *problem = snapshot_nodes_problem(trace, &known);
    if (problem == NULL)
        problem = snapshot_names_problem(trace, &known);
    int result = 0;
    if (problem != NULL)
        result = ff_error_set(error, "the trace contradicts itself: %s", problem);
    else
        result = calls_check(trace, &known, error);
    for (size_t i = 0; i < trace->unobserved_count && result == 0; i++)
        if (trace->unobserved[i].kind[0] == '\0' || trace->unobserved[i].count == 0)
            result = ff_error_set(error, "the trace contradicts itself: something without a kind "
                                         "was not observed");
    free(known.types);
    return result;
}

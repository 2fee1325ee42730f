/*
 * Random small traces, of all kinds of calls, and random models: the same on
 * every machine for the same seed.
 */
#ifndef INVENT_H
#define INVENT_H

#include "naive.h"

/* ---- Random numbers, the same on every machine ---- */

static uint64_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % limit;
}

/* ---- Random traces ---- */

/* What the program knows while a trace is invented. */
struct world {
    struct sample *sample;
    struct {
        uint32_t directory, node;
        char name[8];
    } names[16];
    size_t name_count;
    uint32_t directories[4];
    size_t directory_count;
    uint32_t files[8];
    size_t file_count;
    uint64_t scans[8];    /* by node: a time after the last change of its content */
    bool has_xattr[8][2]; /* by node */
    struct ff_call *open_sync;
};

static void find_name(struct world *world, uint32_t directory, const char *name, size_t *index)
{
    for (*index = 0; *index < world->name_count; ++*index)
        if (world->names[*index].directory == directory &&
            strcmp(world->names[*index].name, name) == 0)
            return;
}

static void put_name(struct world *world, uint32_t directory, const char *name, uint32_t node)
{
    size_t index = 0;
    find_name(world, directory, name, &index);
    if (index == world->name_count)
        world->name_count++;
    world->names[index].directory = directory;
    world->names[index].node = node;
    snprintf(world->names[index].name, sizeof(world->names[index].name), "%s", name);
}

static void drop_name(struct world *world, size_t index)
{
    world->names[index] = world->names[--world->name_count];
}

static uint32_t pick_directory(const struct world *world)
{
    return world->directories[random_below((unsigned)world->directory_count)];
}

static void invent_create(struct world *world)
{
    static const char *const names[] = {"a", "b", "c"};
    const char *name = names[random_below(3)];
    uint32_t directory = pick_directory(world);
    size_t index = 0;
    find_name(world, directory, name, &index);
    if (index < world->name_count || world->sample->next_node >= 8)
        return;
    bool is_dir = world->directory_count < 3 && random_below(4) == 0;
    uint32_t node =
        sample_create(world->sample, directory, name, is_dir ? S_IFDIR | 0755 : S_IFREG | 0644);
    put_name(world, directory, name, node);
    if (is_dir)
        world->directories[world->directory_count++] = node;
    else
        world->files[world->file_count++] = node;
    world->scans[node] = ++world->sample->tick;
}

/* A file without a name, or a name for one. */
static void invent_unnamed(struct world *world)
{
    for (size_t i = 0; i < world->file_count; i++) {
        bool named = false;
        for (size_t n = 0; n < world->name_count; n++)
            named = named || world->names[n].node == world->files[i];
        size_t index = 0;
        uint32_t directory = pick_directory(world);
        find_name(world, directory, "t", &index);
        if (named || index < world->name_count)
            continue;
        sample_link(world->sample, world->files[i], directory, "t");
        put_name(world, directory, "t", world->files[i]);
        return;
    }
    if (world->sample->next_node >= 8)
        return;
    struct ff_call *call = sample_call(world->sample, "openat", FF_EFFECT_CREATE);
    call->node = world->sample->next_node++;
    call->mode = S_IFREG | 0600;
    call->filename = sample_text(world->sample, "");
    world->files[world->file_count++] = call->node;
    world->scans[call->node] = ++world->sample->tick;
}

static void invent_xattr(struct world *world)
{
    static const char *const names[] = {"user.a", "user.b"};
    if (world->file_count == 0)
        return;
    uint32_t node = world->files[random_below((unsigned)world->file_count)];
    unsigned which = random_below(2);
    bool removes = world->has_xattr[node][which] && random_below(2) != 0;
    struct ff_call *call = sample_call(world->sample, removes ? "removexattr" : "setxattr",
                                       removes ? FF_EFFECT_REMOVE_XATTR : FF_EFFECT_SET_XATTR);
    char letter[2] = {(char)('a' + random_below(26)), '\0'};
    call->node = node;
    call->filename = sample_text(world->sample, names[which]);
    if (!removes)
        call->data = sample_text(world->sample, letter);
    world->has_xattr[node][which] = !removes;
}

/* A name that means a file; false when there is none. */
static bool pick_file_name(const struct world *world, size_t *index)
{
    for (int attempt = 0; attempt < 8 && world->name_count > 0; attempt++) {
        *index = random_below((unsigned)world->name_count);
        for (size_t i = 0; i < world->file_count; i++)
            if (world->files[i] == world->names[*index].node)
                return true;
    }
    return false;
}

static void invent_name_change(struct world *world)
{
    static const char *const names[] = {"a", "b", "d"};
    const char *target = names[random_below(3)];
    uint32_t directory = pick_directory(world);
    size_t index = 0, old = 0;
    if (!pick_file_name(world, &index))
        return;
    uint32_t node = world->names[index].node, parent = world->names[index].directory;
    char name[8];
    memcpy(name, world->names[index].name, sizeof(name));
    find_name(world, directory, target, &old);
    uint32_t replaced = old < world->name_count ? world->names[old].node : FF_NO_NODE;
    bool replaces_directory = replaced != FF_NO_NODE;
    for (size_t i = 0; i < world->file_count; i++)
        replaces_directory = replaces_directory && world->files[i] != replaced;
    switch (random_below(3)) {
    case 0:
        sample_unlink(world->sample, parent, name, node);
        drop_name(world, index);
        break;
    case 1:
        if (replaced != FF_NO_NODE)
            return;
        sample_link(world->sample, node, directory, target);
        put_name(world, directory, target, node);
        break;
    default:
        /* rename(2) does nothing between two names of one file. */
        if (replaces_directory || replaced == node)
            return;
        sample_rename(world->sample, node, parent, name, directory, target, replaced);
        drop_name(world, index);
        put_name(world, directory, target, node);
    }
}

/* Whether directory is node or lies below it. */
static bool is_below(const struct world *world, uint32_t directory, uint32_t node)
{
    while (directory != node && directory != FF_ROOT_NODE) {
        size_t i = 0;
        while (world->names[i].node != directory)
            i++;
        directory = world->names[i].directory;
    }
    return directory == node;
}

/* Moves a directory to a free name that does not lie below itself. */
static void invent_directory_move(struct world *world)
{
    uint32_t node = pick_directory(world), target = pick_directory(world);
    size_t index = 0, old = 0;
    find_name(world, target, "d", &old);
    if (node == FF_ROOT_NODE || old < world->name_count || is_below(world, target, node))
        return;
    while (world->names[index].node != node)
        index++;
    sample_rename(world->sample, node, world->names[index].directory, world->names[index].name,
                  target, "d", FF_NO_NODE);
    drop_name(world, index);
    put_name(world, target, "d", node);
}

static void invent_exchange(struct world *world)
{
    size_t a = 0, b = 0;
    if (!pick_file_name(world, &a) || !pick_file_name(world, &b) || a == b)
        return;
    struct ff_call *call = sample_call(world->sample, "renameat2", FF_EFFECT_EXCHANGE);
    call->node = world->names[a].node;
    call->parent = world->names[a].directory;
    call->filename = sample_text(world->sample, world->names[a].name);
    call->node2 = world->names[b].node;
    call->parent2 = world->names[b].directory;
    call->filename2 = sample_text(world->sample, world->names[b].name);
    world->names[a].node = call->node2;
    world->names[b].node = call->node;
}

static void invent_content(struct world *world)
{
    if (world->file_count == 0)
        return;
    uint32_t node = world->files[random_below((unsigned)world->file_count)];
    switch (random_below(5)) {
    case 0:
        sample_resize(world->sample, node, random_below(14));
        break;
    case 1: {
        struct ff_call *call = sample_call(world->sample, "fchmod", FF_EFFECT_ATTRIBUTES);
        call->node = node;
        call->mode = S_IFREG | (random_below(2) != 0 ? 0600 : 0640);
        break;
    }
    default:
        sample_write(world->sample, node, random_below(10), 1 + random_below(9),
                     (char)('A' + random_below(26)));
        if (world->scans[node] != 0 && random_below(4) == 0) {
            struct ff_call *store = &world->sample->calls[world->sample->trace.call_count - 1];
            store->route = FF_ROUTE_MAPPING;
            store->begin = world->scans[node];
        }
    }
    world->scans[node] = ++world->sample->tick;
}

/* Syncs overlap other calls now and then: they end when the next one begins. */
static void invent_sync(struct world *world)
{
    static const enum ff_effect effects[] = {FF_EFFECT_SYNC_FILE, FF_EFFECT_SYNC_FILE,
                                             FF_EFFECT_SYNC_DATA, FF_EFFECT_SYNC_ALL};
    enum ff_effect effect = effects[random_below(4)];
    if (effect == FF_EFFECT_SYNC_ALL && random_below(3) != 0)
        effect = FF_EFFECT_SYNC_FILE;
    bool file = world->file_count > 0 && random_below(2) != 0;
    uint32_t node =
        file ? world->files[random_below((unsigned)world->file_count)] : pick_directory(world);
    if (file && random_below(3) == 0)
        effect = random_below(2) != 0 ? FF_EFFECT_SYNC_RANGE : FF_EFFECT_SYNC_RANGE_DATA;
    if (random_below(6) == 0)
        effect = FF_EFFECT_SYNC_FAILED;
    struct ff_call *sync = sample_sync(world->sample, effect, node);
    if (effect == FF_EFFECT_SYNC_RANGE || effect == FF_EFFECT_SYNC_RANGE_DATA) {
        sync->offset = random_below(10);
        sync->length = 1 + random_below(9);
    }
    if (effect == FF_EFFECT_SYNC_FAILED) {
        sync->result = -5;
        sync->node = random_below(4) == 0 ? FF_NO_NODE : node;
    }
    if (world->open_sync != NULL)
        world->open_sync->end = ++world->sample->tick;
    world->open_sync = random_below(4) == 0 ? sync : NULL;
}

/* How many operations the calls so far make, counted the naive way. */
static size_t count_steps(const struct world *world, const struct cm_model *model)
{
    struct naive *naive = cm_allocate(1, sizeof(*naive));
    naive->trace = &world->sample->trace;
    naive->model = model;
    for (size_t i = 0; i < naive->trace->node_count; i++)
        naive->sizes[i + 1] = (uint32_t)naive->trace->nodes[i].data.size;
    naive_derive(naive);
    size_t count = naive->step_count;
    free(naive);
    return count;
}

static void invent_trace(struct world *world, const struct cm_model *model)
{
    struct sample *s = world->sample;
    world->directories[world->directory_count++] = FF_ROOT_NODE;
    if (random_below(2) != 0) {
        uint32_t node = sample_had(s, "old", S_IFREG | 0644, "0123456789");
        put_name(world, FF_ROOT_NODE, "old", node);
        world->files[world->file_count++] = node;
        world->scans[node] = ++s->tick;
    }
    for (int i = 0; i < 40 && s->trace.call_count < 16; i++) {
        struct world before = *world;
        size_t calls = s->trace.call_count;
        uint32_t next_node = s->next_node;
        switch (random_below(9)) {
        case 0:
            invent_create(world);
            break;
        case 1:
            invent_name_change(world);
            break;
        case 6:
            if (random_below(2) != 0)
                invent_directory_move(world);
            else
                invent_exchange(world);
            break;
        case 7:
            if (random_below(2) != 0)
                invent_unnamed(world);
            else
                invent_xattr(world);
            break;
        case 2:
        case 3:
        case 8:
            invent_content(world);
            break;
        case 4:
            invent_sync(world);
            break;
        default:
            sample_output(s, "x\n");
        }
        if (count_steps(world, model) > MAX_OPERATIONS) {
            *world = before;
            s->trace.call_count = calls;
            s->next_node = next_node;
        }
    }
    if (world->open_sync != NULL)
        world->open_sync->end = ++s->tick;
}

/* Calls are sorted by end. */
static int compare_ends(const void *a, const void *b)
{
    const struct ff_call *left = a, *right = b;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* Rules of the kinds that file systems have, one or none of them. */
static struct cm_order_rule rule_table[] = {
    {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_ALL},
    {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_DIRECTORY},
    {CM_SET_DATA, CM_BIT(GROW), CM_SCOPE_CALL},
    {CM_SET_DATA, CM_BIT(GROW) | CM_BIT(CUT), CM_SCOPE_FILE},
    {CM_BIT(ALLOCATE), CM_BIT(GROW), CM_SCOPE_FILE},
    {CM_BIT(GROW), CM_BIT(RENAME) | CM_BIT(RENAME_REPLACE), CM_SCOPE_ALL},
    {(1u << CM_CLASS_COUNT) - 1, (1u << CM_CLASS_COUNT) - 1, CM_SCOPE_CALL},
};

static inline struct cm_model invent_model(void)
{
    static const enum cm_tearing tearings[] = {CM_TEARING_INDEPENDENT, CM_TEARING_INDEPENDENT,
                                               CM_TEARING_PREFIX, CM_TEARING_ATOMIC};
    struct cm_model model = {.name = "random", .unit = UNIT, .granule = GRANULE};
    model.tearing = tearings[random_below(4)];
    model.unwritten = random_below(4) == 0 ? CM_UNWRITTEN_GARBAGE : CM_UNWRITTEN_ZEROS;
    model.crossing = random_below(3) == 0 ? CM_CROSSING_EITHER : CM_CROSSING_BOTH;
    unsigned data = 1u << CM_COVER_OWN_DATA, attributes = 1u << CM_COVER_OWN_ATTRIBUTES;
    unsigned creation = random_below(3) == 0 ? 1u << CM_COVER_OWN_CREATION : 0;
    model.covers[CM_SYNC_FSYNC_FILE] = data | attributes | creation;
    model.covers[CM_SYNC_FDATASYNC_FILE] = data;
    model.covers[CM_SYNC_FSYNC_DIRECTORY] = 1u << CM_COVER_OWN_ENTRIES;
    model.covers[CM_SYNC_SYNC] = 1u << CM_COVER_EVERYTHING;
    if (random_below(6) == 0)
        model.covers[CM_SYNC_EVERY_CALL] = 1u << CM_COVER_EVERYTHING;
    model.rule_count = random_below(2);
    model.rules = &rule_table[random_below(sizeof(rule_table) / sizeof(rule_table[0]))];
    return model;
}

/* Both, the same for the same seed; calls are sorted by end. */
static inline struct sample *invent(uint64_t seed, struct cm_model *model)
{
    random_state = seed;
    *model = invent_model();
    struct world world = {.sample = sample_new()};
    invent_trace(&world, model);
    qsort(world.sample->calls, world.sample->trace.call_count, sizeof(struct ff_call),
          compare_ends);
    return world.sample;
}

#endif

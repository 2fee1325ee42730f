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

enum { MAX_CALLS = 16, NODES = 10 };

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
    uint32_t files[NODES];
    size_t file_count;
    uint64_t scans[NODES];    /* by node: a time after the last change of its content */
    bool has_xattr[NODES][2]; /* by node */
    bool is_unnamed[NODES];   /* by node: it never had a name */
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

/* A file or directory under a free name; FF_NO_NODE if that cannot be. */
static uint32_t make(struct world *world, uint32_t directory, const char *name, bool is_dir)
{
    size_t index = 0;
    find_name(world, directory, name, &index);
    if (index < world->name_count || world->sample->next_node >= NODES ||
        (is_dir && world->directory_count == 4))
        return FF_NO_NODE;
    uint32_t node =
        sample_create(world->sample, directory, name, is_dir ? S_IFDIR | 0755 : S_IFREG | 0644);
    put_name(world, directory, name, node);
    if (is_dir)
        world->directories[world->directory_count++] = node;
    else
        world->files[world->file_count++] = node;
    world->scans[node] = ++world->sample->tick;
    return node;
}

static void invent_create(struct world *world)
{
    static const char *const names[] = {"a", "b", "c"};
    const char *name = names[random_below(3)];
    uint32_t directory = pick_directory(world);
    make(world, directory, name, world->directory_count < 3 && random_below(4) == 0);
}

/* A file without a name, or a name for one: the only one that it ever gets. */
static void invent_unnamed(struct world *world)
{
    for (size_t i = 0; i < world->file_count; i++) {
        size_t index = 0;
        uint32_t directory = pick_directory(world);
        find_name(world, directory, "t", &index);
        if (!world->is_unnamed[world->files[i]] || index < world->name_count)
            continue;
        world->is_unnamed[world->files[i]] = false;
        sample_link(world->sample, world->files[i], directory, "t");
        put_name(world, directory, "t", world->files[i]);
        return;
    }
    if (world->sample->next_node >= NODES)
        return;
    struct ff_call *call = sample_call(world->sample, "openat", FF_EFFECT_CREATE);
    call->node = world->sample->next_node++;
    call->mode = S_IFREG | 0600;
    call->filename = sample_text(world->sample, "");
    world->is_unnamed[call->node] = true;
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

static bool is_file(const struct world *world, uint32_t node)
{
    for (size_t i = 0; i < world->file_count; i++)
        if (world->files[i] == node)
            return true;
    return false;
}

static void unlink_name(struct world *world, size_t index)
{
    sample_unlink(world->sample, world->names[index].directory, world->names[index].name,
                  world->names[index].node);
    drop_name(world, index);
}

static void link_name(struct world *world, size_t index, uint32_t directory, const char *target)
{
    size_t old = 0;
    uint32_t node = world->names[index].node;
    find_name(world, directory, target, &old);
    if (old < world->name_count)
        return;
    sample_link(world->sample, node, directory, target);
    put_name(world, directory, target, node);
}

/* Of a file. rename(2) does nothing between two names of one file. */
static void rename_name(struct world *world, size_t index, uint32_t directory, const char *target)
{
    size_t old = 0;
    uint32_t node = world->names[index].node;
    find_name(world, directory, target, &old);
    uint32_t replaced = old < world->name_count ? world->names[old].node : FF_NO_NODE;
    if (replaced == node || (replaced != FF_NO_NODE && !is_file(world, replaced)))
        return;
    sample_rename(world->sample, node, world->names[index].directory, world->names[index].name,
                  directory, target, replaced);
    drop_name(world, index);
    put_name(world, directory, target, node);
}

static void invent_name_change(struct world *world)
{
    static const char *const names[] = {"a", "b", "d"};
    const char *target = names[random_below(3)];
    uint32_t directory = pick_directory(world);
    size_t index = 0;
    if (!pick_file_name(world, &index))
        return;
    switch (random_below(3)) {
    case 0:
        unlink_name(world, index);
        break;
    case 1:
        link_name(world, index, directory, target);
        break;
    default:
        rename_name(world, index, directory, target);
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

static void invent_mode(struct world *world)
{
    bool file = world->file_count > 0 && random_below(3) != 0;
    uint32_t node =
        file ? world->files[random_below((unsigned)world->file_count)] : pick_directory(world);
    struct ff_call *call = sample_call(world->sample, "fchmod", FF_EFFECT_ATTRIBUTES);
    call->node = node;
    call->mode = file ? S_IFREG | (random_below(2) != 0 ? 0600 : 0640) : S_IFDIR | 0700;
}

static void invent_content(struct world *world)
{
    if (world->file_count == 0)
        return;
    uint32_t node = world->files[random_below((unsigned)world->file_count)];
    if (random_below(5) == 0) {
        sample_resize(world->sample, node, random_below(14));
    } else {
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

/* ---- What programs do, and where models differ ---- */

static void write_some(struct world *world, uint32_t node)
{
    sample_write(world->sample, node, 0, 1 + random_below(9), (char)('A' + random_below(26)));
    world->scans[node] = ++world->sample->tick;
}

static void empty(struct world *world, uint32_t node)
{
    sample_resize(world->sample, node, 0);
    world->scans[node] = ++world->sample->tick;
}

static void sync_or_not(struct world *world, uint32_t node)
{
    static const enum ff_effect effects[] = {FF_EFFECT_SYNC_FILE, FF_EFFECT_SYNC_FILE,
                                             FF_EFFECT_SYNC_DATA};
    if (random_below(2) != 0)
        sample_sync(world->sample, effects[random_below(3)], node);
}

/* A new file takes the place of another one. */
static void invent_replacement(struct world *world)
{
    size_t index = 0, temporary = 0;
    uint32_t node = make(world, FF_ROOT_NODE, "c", false);
    if (node == FF_NO_NODE || !pick_file_name(world, &index))
        return;
    uint32_t directory = world->names[index].directory;
    char name[8];
    memcpy(name, world->names[index].name, sizeof(name));
    write_some(world, node);
    sync_or_not(world, node);
    find_name(world, FF_ROOT_NODE, "c", &temporary);
    rename_name(world, temporary, directory, name);
    sync_or_not(world, random_below(2) != 0 ? node : directory);
}

/* One file loses its name, or its content, and another one is written. */
static void invent_reuse(struct world *world)
{
    size_t index = 0;
    uint32_t node = make(world, FF_ROOT_NODE, "b", false);
    if (node == FF_NO_NODE || !pick_file_name(world, &index))
        return;
    if (random_below(3) != 0)
        unlink_name(world, index);
    else
        empty(world, world->names[index].node);
    sync_or_not(world, node);
    write_some(world, node);
    sync_or_not(world, node);
}

/* A file in new directories. */
static void invent_depth(struct world *world)
{
    uint32_t directory = make(world, FF_ROOT_NODE, "a", true);
    if (directory == FF_NO_NODE)
        return;
    uint32_t below = random_below(2) != 0 ? make(world, directory, "d", true) : FF_NO_NODE;
    uint32_t node = make(world, below != FF_NO_NODE ? below : directory, "b", false);
    if (node == FF_NO_NODE)
        return;
    if (random_below(2) != 0)
        write_some(world, node);
    sync_or_not(world, node);
}

/* A file gets other names, perhaps one that it had goes to another one, and is synced. */
static void invent_names_of_one(struct world *world)
{
    size_t index = 0;
    if (!pick_file_name(world, &index))
        return;
    uint32_t node = world->names[index].node, directory = world->names[index].directory;
    char name[8];
    memcpy(name, world->names[index].name, sizeof(name));
    switch (random_below(3)) {
    case 0:
        link_name(world, index, pick_directory(world), "e");
        break;
    case 1:
        rename_name(world, index, pick_directory(world), "e");
        break;
    default:
        unlink_name(world, index);
    }
    if (random_below(2) != 0) {
        uint32_t other = make(world, directory, name, false);
        node = other != FF_NO_NODE && random_below(2) != 0 ? other : node;
    }
    sync_or_not(world, random_below(4) != 0 ? node : directory);
}

static void invent_habit(struct world *world)
{
    static void (*const habits[])(struct world *) = {invent_replacement, invent_reuse, invent_depth,
                                                     invent_names_of_one};
    habits[random_below(4)](world);
}

/* How many operations the calls so far make, counted the naive way. */
static size_t count_steps(const struct world *world, const struct cm_model *model)
{
    struct naive *naive = cm_allocate(1, sizeof(*naive));
    naive->trace = &world->sample->trace;
    naive->model = model;
    naive_derive(naive);
    size_t count = naive->step_count;
    free(naive);
    return count;
}

/* What there is before the workload. */
static void invent_snapshot(struct world *world)
{
    static const char *const names[] = {"old", "pair", "sub"};
    static const char *const contents[] = {"0123456789", "abcdef", ""};
    for (unsigned i = 0; i < 3; i++) {
        if (random_below(2 + i) != 0)
            continue;
        uint32_t node = sample_had(world->sample, names[i],
                                   i == 2 ? S_IFDIR | 0755 : S_IFREG | 0644, contents[i]);
        put_name(world, FF_ROOT_NODE, names[i], node);
        if (i == 2)
            world->directories[world->directory_count++] = node;
        else
            world->files[world->file_count++] = node;
        world->scans[node] = ++world->sample->tick;
    }
    if (world->directory_count > 1 && random_below(2) == 0) { /* one in sub */
        uint32_t node = sample_had(world->sample, "b", S_IFREG | 0644, "xy");
        world->sample->names[world->sample->trace.name_count - 1].parent = world->directories[1];
        put_name(world, world->directories[1], "b", node);
        world->files[world->file_count++] = node;
        world->scans[node] = ++world->sample->tick;
    }
}

static void invent_trace(struct world *world, const struct cm_model *model)
{
    struct sample *s = world->sample;
    world->directories[world->directory_count++] = FF_ROOT_NODE;
    invent_snapshot(world);
    for (int i = 0; i < 40 && s->trace.call_count < MAX_CALLS; i++) {
        struct world before = *world;
        size_t calls = s->trace.call_count;
        uint32_t next_node = s->next_node;
        switch (random_below(12)) {
        case 11:
            invent_mode(world);
            break;
        case 9:
        case 10:
            invent_habit(world);
            break;
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
        if (s->trace.call_count > MAX_CALLS || count_steps(world, model) > MAX_OPERATIONS) {
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

/* Rules of the kinds that file systems have, none or some of them. */
static struct cm_order_rule rule_table[] = {
    {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_ALL},
    {CM_SET_NAMES, CM_SET_NAMES, CM_SCOPE_DIRECTORY},
    {CM_SET_DATA, CM_BIT(GROW), CM_SCOPE_CALL},
    {CM_SET_DATA, CM_BIT(GROW) | CM_BIT(CUT), CM_SCOPE_FILE},
    {CM_BIT(GROW), CM_BIT(RENAME_REPLACE), CM_SCOPE_NAMED},
    {CM_BIT(ALLOCATE), CM_BIT(GROW), CM_SCOPE_FILE},
    {CM_SET_META, CM_SET_META | CM_BIT(GROW), CM_SCOPE_ALL},
    {CM_SET_DATA | CM_BIT(GROW), CM_SET_NAMES, CM_SCOPE_NAMED},
    {CM_SET_DATA, CM_BIT(LOG), CM_SCOPE_FILE},
    {CM_BIT(GROW), CM_BIT(RENAME) | CM_BIT(RENAME_REPLACE), CM_SCOPE_ALL},
    {(1u << CM_CLASS_COUNT) - 1, (1u << CM_CLASS_COUNT) - 1, CM_SCOPE_CALL},
};

enum { RULES = sizeof(rule_table) / sizeof(rule_table[0]) };

/* Each of the bits of the set, with one chance in so many. */
static unsigned some_of(unsigned set, unsigned chance)
{
    unsigned chosen = 0;
    for (unsigned bit = 1; bit != 0 && bit <= set; bit <<= 1)
        chosen |= (set & bit) != 0 && random_below(chance) == 0 ? bit : 0;
    return chosen;
}

static void invent_covers(struct cm_model *model)
{
    unsigned data = 1u << CM_COVER_OWN_DATA, attributes = 1u << CM_COVER_OWN_ATTRIBUTES;
    unsigned names = some_of(1u << CM_COVER_OWN_CREATION, 3);
    unsigned all = some_of(1u << CM_COVER_ALL_META, 4) | some_of(1u << CM_COVER_EVERYTHING, 12);
    model->parent_levels = random_below(3);
    model->covers[CM_SYNC_FSYNC_FILE] = data | attributes | names | all;
    model->covers[CM_SYNC_FDATASYNC_FILE] = data | (random_below(2) != 0 ? names | all : 0);
    model->covers[CM_SYNC_FSYNC_DIRECTORY] = 1u << CM_COVER_OWN_ENTRIES | all;
    if (random_below(2) != 0)
        model->covers[CM_SYNC_FSYNC_DIRECTORY] |= attributes;
    if (random_below(4) == 0)
        model->covers[CM_SYNC_FSYNC_DIRECTORY] |= names;
    model->covers[CM_SYNC_SYNC] = 1u << CM_COVER_EVERYTHING;
    if (random_below(12) == 0)
        model->covers[CM_SYNC_EVERY_CALL] =
            1u << (random_below(2) != 0 ? CM_COVER_EVERYTHING : CM_COVER_ALL_META);
}

static void invent_restates(struct cm_model *model)
{
    static const enum cm_sync syncs[] = {CM_SYNC_FSYNC_FILE, CM_SYNC_FDATASYNC_FILE,
                                         CM_SYNC_FSYNC_DIRECTORY};
    unsigned common = 1u << CM_RESTATE_OWN_ATTRIBUTES | 1u << CM_RESTATE_OWN_NAMES |
                      1u << CM_RESTATE_DISPLACED | 1u << CM_RESTATE_PARENTS;
    for (size_t i = 0; i < 3; i++) {
        unsigned own = 1u << (i < 2 ? CM_RESTATE_OWN_DATA : CM_RESTATE_OWN_ENTRIES);
        unsigned set = some_of(common, 2) | some_of(own, 2);
        /* What they speak of, only with names. */
        if ((set & (1u << CM_RESTATE_OWN_NAMES | 1u << CM_RESTATE_OWN_ENTRIES)) == 0)
            set &= ~(1u << CM_RESTATE_DISPLACED | 1u << CM_RESTATE_PARENTS);
        model->restates[syncs[i]] = set;
    }
    if (random_below(2) == 0)
        model->choices[CM_CHOICE_CHECKPOINT] = CM_CHECKPOINT_MOVED;
}

static void invent_steps(struct cm_model *model)
{
    if (random_below(4) == 0)
        model->choices[CM_CHOICE_RENAME] = 1 + random_below(2);
    if (random_below(4) == 0)
        model->choices[CM_CHOICE_UNLINK] = CM_UNLINK_TRUNCATE_FIRST;
    if (random_below(5) == 0 && !model->apart && model->tearing != CM_TEARING_ATOMIC)
        model->choices[CM_CHOICE_APPEND] = CM_APPEND_ZEROS_GARBAGE_DATA;
    else if (random_below(4) == 0)
        model->choices[CM_CHOICE_FREED] = CM_FREED_REUSED;
}

/* Sizes in entries, as on FAT, where nothing is stated anew. */
static void invent_entries(struct cm_model *model)
{
    if (random_below(8) != 0)
        return;
    model->choices[CM_CHOICE_RENAME] = CM_RENAME_INDEPENDENT;
    model->choices[CM_CHOICE_UNLINK] = CM_UNLINK_ATOMIC;
    model->choices[CM_CHOICE_APPEND] = CM_APPEND_PLAIN;
    model->choices[CM_CHOICE_SIZE] = CM_SIZE_ENTRY;
    memset(model->restates, 0, sizeof(model->restates));
}

static inline struct cm_model invent_model(void)
{
    static const enum cm_tearing tearings[] = {CM_TEARING_INDEPENDENT, CM_TEARING_INDEPENDENT,
                                               CM_TEARING_PREFIX, CM_TEARING_ATOMIC};
    struct cm_model model = {.name = "random", .unit = UNIT, .granule = GRANULE};
    model.tearing = tearings[random_below(4)];
    model.apart = random_below(4) == 0;
    model.overwrite_tearing = tearings[random_below(4)];
    model.unwritten = random_below(4) == 0 ? CM_UNWRITTEN_GARBAGE : CM_UNWRITTEN_ZEROS;
    model.crossing = random_below(3) == 0 ? CM_CROSSING_EITHER : CM_CROSSING_BOTH;
    invent_covers(&model);
    if (random_below(4) == 0)
        invent_restates(&model);
    invent_steps(&model);
    invent_entries(&model);
    model.rule_count = random_below(3);
    model.rules = &rule_table[random_below(RULES - 1)];
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

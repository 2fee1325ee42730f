/*
 * The engine against a naive enumeration: for random small traces, the set of
 * states from the engine must equal the set from all subsets of operations at
 * all crash points, byte for byte, and so must the number of distinct states at
 * each boundary.
 *
 * The naive side shares nothing with the engine: it has its own idea of what an
 * operation is (overlays of bytes, not page contents), decides for each subset
 * and each crash point by the definition whether a power cut could leave it
 * (everything that a sync made durable is there; nothing is there without what
 * came before it at the same place), and keeps its files in its own structures.
 */
#include "unit.h"

#include <stdarg.h>

#include "memory.h"
#include "sample.h"
#include "state.h"
#include "tally.h"

enum { UNIT = 8, GRANULE = 4, MAX_OPERATIONS = 12, MAX_NODES = 16, MAX_SIZE = 64, TRACES = 600 };

/* ---- Random numbers, the same on every machine ---- */

static uint64_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % limit;
}

/* ---- The naive model ---- */

enum place { PLACE_NAME, PLACE_SIZE, PLACE_BYTES, PLACE_MODE };

/* One effect of an operation on one place. */
struct touch {
    enum place place;
    uint32_t node; /* file, or directory of the name */
    char name[8];
    uint32_t from, to; /* bytes, within one granule, or the cut-off tail */
    uint32_t value;    /* node, size, fill byte or mode */
};

struct step {
    size_t call;
    enum cm_class class;
    bool is_data;
    bool creates;
    struct touch touches[24];
    size_t touch_count;
};

struct naive {
    const struct ff_trace *trace;
    const struct cm_model *model;
    struct step steps[64];
    size_t step_count;
    uint32_t sizes[MAX_NODES]; /* as the program sees them */
};

static struct touch *add_touch(struct step *step, enum place place, uint32_t node, uint32_t value)
{
    struct touch *touch = &step->touches[step->touch_count++];
    *touch = (struct touch){.place = place, .node = node, .value = value};
    return touch;
}

static void touch_name(struct step *step, uint32_t directory, const struct ff_bytes *name,
                       uint32_t node)
{
    struct touch *touch = add_touch(step, PLACE_NAME, directory, node);
    memcpy(touch->name, name->data, name->size + 1);
}

static struct step *add_step(struct naive *naive, size_t call, enum cm_class class)
{
    struct step *step = &naive->steps[naive->step_count++];
    *step = (struct step){.call = call, .class = class};
    return step;
}

/* Whether the program had put bytes into the granule that holds at. */
static bool has_bytes(const struct naive *naive, uint32_t node, uint32_t at)
{
    uint32_t granule = at / GRANULE;
    if (node <= naive->trace->node_count && node != FF_ROOT_NODE &&
        granule * GRANULE < naive->trace->nodes[node - 1].data.size)
        return true;
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; t < naive->steps[i].touch_count; t++)
            if (naive->steps[i].touches[t].place == PLACE_BYTES &&
                naive->steps[i].touches[t].node == node &&
                naive->steps[i].touches[t].from / GRANULE == granule)
                return true;
    return false;
}

static void naive_write(struct naive *naive, size_t index, const struct ff_call *call)
{
    uint32_t start = (uint32_t)call->offset, end = start + (uint32_t)call->data.size;
    struct step *step = NULL;
    for (uint32_t at = start; at < end;) {
        uint32_t next = (at / GRANULE + 1) * GRANULE;
        next = next < end ? next : end;
        if (step == NULL || naive->model->tearing != CM_TEARING_ATOMIC)
            step =
                add_step(naive, index,
                         has_bytes(naive, call->node, at) ? CM_CLASS_OVERWRITE : CM_CLASS_ALLOCATE);
        step->is_data = true;
        struct touch *touch = add_touch(step, PLACE_BYTES, call->node, call->data.data[0]);
        touch->from = at;
        touch->to = next;
        at = next;
    }
    uint32_t size = naive->sizes[call->node];
    while (size < end) {
        uint32_t base = size > start ? size : start;
        uint32_t next = (base / UNIT + 1) * UNIT;
        size = next < end ? next : end;
        add_touch(add_step(naive, index, CM_CLASS_GROW), PLACE_SIZE, call->node, size);
    }
    naive->sizes[call->node] = size;
}

static void naive_resize(struct naive *naive, size_t index, const struct ff_call *call)
{
    uint32_t old_size = naive->sizes[call->node], size = (uint32_t)call->offset;
    if (size == old_size)
        return;
    struct step *step = add_step(naive, index, size < old_size ? CM_CLASS_CUT : CM_CLASS_GROW);
    add_touch(step, PLACE_SIZE, call->node, size);
    for (uint32_t at = size; at < old_size;) {
        struct touch *touch = add_touch(step, PLACE_BYTES, call->node, 0);
        touch->from = at;
        at = (at / GRANULE + 1) * GRANULE;
        touch->to = at;
    }
    naive->sizes[call->node] = size;
}

static void naive_derive(struct naive *naive)
{
    for (size_t i = 0; i < naive->trace->call_count; i++) {
        const struct ff_call *call = &naive->trace->calls[i];
        struct step *step = NULL;
        switch (call->effect) {
        case FF_EFFECT_CREATE:
            step = add_step(naive, i, CM_CLASS_CREATE);
            step->creates = true;
            touch_name(step, call->parent, &call->filename, call->node);
            break;
        case FF_EFFECT_WRITE:
            naive_write(naive, i, call);
            break;
        case FF_EFFECT_RESIZE:
            naive_resize(naive, i, call);
            break;
        case FF_EFFECT_ATTRIBUTES:
            add_touch(add_step(naive, i, CM_CLASS_ATTRIBUTES), PLACE_MODE, call->node, call->mode);
            break;
        case FF_EFFECT_LINK:
            touch_name(add_step(naive, i, CM_CLASS_LINK), call->parent, &call->filename,
                       call->node);
            break;
        case FF_EFFECT_UNLINK:
            touch_name(add_step(naive, i, CM_CLASS_UNLINK), call->parent, &call->filename,
                       FF_NO_NODE);
            break;
        case FF_EFFECT_RENAME:
        case FF_EFFECT_EXCHANGE:
            step = add_step(naive, i,
                            call->effect == FF_EFFECT_RENAME ? CM_CLASS_RENAME : CM_CLASS_EXCHANGE);
            touch_name(step, call->parent, &call->filename,
                       call->effect == FF_EFFECT_RENAME ? FF_NO_NODE : call->node2);
            touch_name(step, call->parent2, &call->filename2, call->node);
            break;
        default:
            break;
        }
    }
}

static bool same_place(const struct touch *a, const struct touch *b)
{
    if (a->place != b->place || a->node != b->node)
        return false;
    if (a->place == PLACE_NAME)
        return strcmp(a->name, b->name) == 0;
    return a->place != PLACE_BYTES || a->from / GRANULE == b->from / GRANULE;
}

static bool steps_meet(const struct step *a, const struct step *b)
{
    for (size_t i = 0; i < a->touch_count; i++)
        for (size_t j = 0; j < b->touch_count; j++)
            if (same_place(&a->touches[i], &b->touches[j]))
                return true;
    return false;
}

/* ---- What is durable at a time ---- */

static bool is_sync(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_SYNC_FILE || call->effect == FF_EFFECT_SYNC_DATA ||
           call->effect == FF_EFFECT_SYNC_ALL;
}

static bool is_directory(const struct naive *naive, uint32_t node)
{
    if (node == FF_ROOT_NODE)
        return true;
    for (size_t i = 0; i < naive->trace->call_count; i++)
        if (naive->trace->calls[i].effect == FF_EFFECT_CREATE &&
            naive->trace->calls[i].node == node)
            return S_ISDIR(naive->trace->calls[i].mode);
    return false;
}

/* Whether the sync covers one touch of a step. */
static bool covers(const struct naive *naive, const struct ff_call *sync, const struct step *step,
                   const struct touch *touch)
{
    if (sync->effect == FF_EFFECT_SYNC_ALL)
        return true;
    bool directory = is_directory(naive, sync->node);
    enum cm_sync kind = directory                             ? CM_SYNC_FSYNC_DIRECTORY
                        : sync->effect == FF_EFFECT_SYNC_FILE ? CM_SYNC_FSYNC_FILE
                                                              : CM_SYNC_FDATASYNC_FILE;
    unsigned set = naive->model->covers[kind];
    if (touch->place == PLACE_NAME)
        return (touch->node == sync->node && (set & 1u << CM_COVER_OWN_ENTRIES) != 0) ||
               (step->creates && touch->value == sync->node && !directory &&
                (set & 1u << CM_COVER_OWN_CREATION) != 0);
    unsigned needed = touch->place == PLACE_MODE ? CM_COVER_OWN_ATTRIBUTES : CM_COVER_OWN_DATA;
    return touch->node == sync->node && (set & 1u << needed) != 0;
}

/* Whether a touch of a step is durable just after tick. */
static bool touch_is_durable(const struct naive *naive, const struct step *step,
                             const struct touch *touch, uint64_t tick)
{
    for (size_t i = 0; i < naive->trace->call_count; i++) {
        const struct ff_call *sync = &naive->trace->calls[i];
        if (is_sync(sync) && sync->end <= tick &&
            naive->trace->calls[step->call].end < sync->begin && covers(naive, sync, step, touch))
            return true;
    }
    return false;
}

static bool covers_every_call(const struct naive *naive)
{
    return naive->model->covers[CM_SYNC_EVERY_CALL] != 0;
}

static bool is_durable(const struct naive *naive, const struct step *step, uint64_t tick)
{
    if (covers_every_call(naive))
        return naive->trace->calls[step->call].end < tick;
    bool names = step->touches[0].place == PLACE_NAME;
    bool all = names && naive->model->crossing == CM_CROSSING_BOTH;
    size_t durable = 0, count = names ? step->touch_count : 1;
    for (size_t i = 0; i < count; i++)
        durable += touch_is_durable(naive, step, &step->touches[i], tick);
    return all ? durable == count : durable > 0;
}

/* Whether a rule of the model wants the earlier step before the later one. */
static bool rule_orders(const struct naive *naive, const struct step *earlier,
                        const struct step *later)
{
    bool earlier_name = earlier->touches[0].place == PLACE_NAME;
    bool later_name = later->touches[0].place == PLACE_NAME;
    bool same_node = false;
    for (size_t i = 0; i < earlier->touch_count; i++)
        for (size_t j = 0; j < later->touch_count; j++)
            same_node = same_node || earlier->touches[i].node == later->touches[j].node;
    for (size_t r = 0; r < naive->model->rule_count; r++) {
        const struct cm_order_rule *rule = &naive->model->rules[r];
        bool scope = rule->scope == CM_SCOPE_ALL ||
                     (rule->scope == CM_SCOPE_CALL && earlier->call == later->call) ||
                     (rule->scope == CM_SCOPE_FILE && !earlier_name && !later_name && same_node) ||
                     (rule->scope == CM_SCOPE_DIRECTORY && earlier_name && later_name && same_node);
        if (scope && (rule->before >> earlier->class & 1) != 0 &&
            (rule->after >> later->class & 1) != 0)
            return true;
    }
    return false;
}

/* Whether a power cut just after tick may leave exactly these steps. */
static bool is_legal(const struct naive *naive, unsigned subset, size_t issued, uint64_t tick)
{
    for (size_t i = 0; i < issued; i++) {
        const struct step *step = &naive->steps[i];
        bool there = (subset >> i & 1) != 0;
        if (!there && is_durable(naive, step, tick))
            return false;
        for (size_t j = 0; there && j < i; j++) {
            const struct step *earlier = &naive->steps[j];
            bool prefix = naive->model->tearing == CM_TEARING_PREFIX && step->is_data &&
                          earlier->is_data && step->call == earlier->call;
            if ((subset >> j & 1) == 0 &&
                (prefix || steps_meet(step, earlier) || rule_orders(naive, earlier, step)))
                return false;
        }
    }
    return true;
}

/* ---- What a subset looks like ---- */

struct picture {
    uint32_t size[MAX_NODES];
    uint32_t mode[MAX_NODES];
    unsigned char bytes[MAX_NODES][MAX_SIZE];
    bool written[MAX_NODES][MAX_SIZE / GRANULE]; /* something reached the granule */
    struct {
        uint32_t directory, node;
        char name[8];
    } names[32];
    size_t name_count;
};

static void set_picture_name(struct picture *picture, const struct touch *touch)
{
    size_t i = 0;
    while (i < picture->name_count && (picture->names[i].directory != touch->node ||
                                       strcmp(picture->names[i].name, touch->name) != 0))
        i++;
    if (i == picture->name_count)
        picture->name_count++;
    picture->names[i].directory = touch->node;
    picture->names[i].node = touch->value;
    memcpy(picture->names[i].name, touch->name, sizeof(touch->name));
}

static void draw(const struct naive *naive, unsigned subset, struct picture *picture)
{
    memset(picture, 0, sizeof(*picture));
    for (size_t i = 0; i < naive->trace->name_count; i++) {
        struct touch touch = {.node = naive->trace->names[i].parent,
                              .value = naive->trace->names[i].node};
        memcpy(touch.name, naive->trace->names[i].filename.data,
               naive->trace->names[i].filename.size + 1);
        set_picture_name(picture, &touch);
        const struct ff_snapshot_node *node = &naive->trace->nodes[touch.value - 1];
        picture->mode[touch.value] = node->mode;
        picture->size[touch.value] = (uint32_t)node->data.size;
        memcpy(picture->bytes[touch.value], node->data.data, node->data.size);
        for (uint32_t b = 0; b < node->data.size; b++)
            picture->written[touch.value][b / GRANULE] = true;
    }
    for (size_t i = 0; i < naive->trace->call_count; i++)
        if (naive->trace->calls[i].effect == FF_EFFECT_CREATE)
            picture->mode[naive->trace->calls[i].node] = naive->trace->calls[i].mode;
    for (size_t i = 0; i < naive->step_count; i++) {
        for (size_t t = 0; (subset >> i & 1) != 0 && t < naive->steps[i].touch_count; t++) {
            const struct touch *touch = &naive->steps[i].touches[t];
            if (touch->place == PLACE_NAME)
                set_picture_name(picture, touch);
            else if (touch->place == PLACE_SIZE)
                picture->size[touch->node] = touch->value;
            else if (touch->place == PLACE_MODE)
                picture->mode[touch->node] =
                    (picture->mode[touch->node] & S_IFMT) | (touch->value & 07777);
            else {
                memset(picture->bytes[touch->node] + touch->from, (int)touch->value,
                       touch->to - touch->from);
                picture->written[touch->node][touch->from / GRANULE] = true;
            }
        }
    }
}

/* Granules that some step writes: only those may show garbage. */
static bool is_touched(const struct naive *naive, uint32_t node, uint32_t at)
{
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; t < naive->steps[i].touch_count; t++) {
            const struct touch *touch = &naive->steps[i].touches[t];
            if (touch->place == PLACE_BYTES && touch->node == node &&
                touch->from / GRANULE == at / GRANULE)
                return true;
        }
    return false;
}

static void print_picture(const struct naive *naive, const struct picture *picture,
                          uint32_t directory, const char *path, char **lines, size_t *count)
{
    for (size_t i = 0; i < picture->name_count; i++) {
        uint32_t node = picture->names[i].node;
        if (picture->names[i].directory != directory || node == FF_NO_NODE)
            continue;
        char *full = cm_format("%s/%s", path, picture->names[i].name);
        char hex[2 * MAX_SIZE + 1] = "";
        for (uint32_t b = 0; S_ISREG(picture->mode[node]) && b < picture->size[node]; b++) {
            bool garbage = naive->model->unwritten == CM_UNWRITTEN_GARBAGE &&
                           !picture->written[node][b / GRANULE] && is_touched(naive, node, b);
            snprintf(hex + 2 * b, 3, "%02x", garbage ? CM_GARBAGE : picture->bytes[node][b]);
        }
        lines[(*count)++] =
            cm_format("%s %o #%u %s\n", full, (unsigned)picture->mode[node], node, hex);
        if (S_ISDIR(picture->mode[node]))
            print_picture(naive, picture, node, full, lines, count);
        free(full);
    }
}

static void print_tree(const struct ff_tree *tree, uint32_t directory, const char *path,
                       char **lines, size_t *count)
{
    const struct ff_node *node = ff_tree_node(tree, directory);
    for (size_t i = 0; i < node->entry_count; i++) {
        const struct ff_node *child = ff_tree_node(tree, node->entries[i].node);
        char *full = cm_format("%s/%s", path, node->entries[i].name);
        char hex[2 * MAX_SIZE + 1] = "";
        for (size_t b = 0; S_ISREG(child->mode) && b < child->size; b++)
            snprintf(hex + 2 * b, 3, "%02x", child->data[b]);
        lines[(*count)++] =
            cm_format("%s %o #%u %s\n", full, (unsigned)child->mode, node->entries[i].node, hex);
        if (S_ISDIR(child->mode))
            print_tree(tree, node->entries[i].node, full, lines, count);
        free(full);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The lines in order, and in place of each node's number how many other nodes
 * came before it: so links are told, and nothing else about numbers.
 */
static char *join_lines(char **lines, size_t count)
{
    char *text = cm_format("%s", "");
    unsigned long seen[MAX_NODES];
    size_t seen_count = 0;
    qsort(lines, count, sizeof(*lines), compare_texts);
    for (size_t i = 0; i < count; i++) {
        char *mark = strchr(lines[i], '#'), *rest = NULL;
        unsigned long node = strtoul(mark + 1, &rest, 10);
        size_t known = 0;
        while (known < seen_count && seen[known] != node)
            known++;
        if (known == seen_count)
            seen[seen_count++] = node;
        char *longer =
            cm_format("%s%.*s#%zu%s", text, (int)(mark - lines[i]), lines[i], known, rest);
        free(text);
        free(lines[i]);
        text = longer;
    }
    return text;
}

/* ---- Sets of texts ---- */

struct set {
    char **texts;
    size_t count, capacity;
};

static void set_add(struct set *set, char *text)
{
    set->texts = cm_reserve(set->texts, set->count, &set->capacity, sizeof(*set->texts));
    set->texts[set->count++] = text;
}

static void set_sort(struct set *set)
{
    size_t kept = 0;
    qsort(set->texts, set->count, sizeof(*set->texts), compare_texts);
    for (size_t i = 0; i < set->count; i++) {
        if (kept > 0 && strcmp(set->texts[kept - 1], set->texts[i]) == 0)
            free(set->texts[i]);
        else
            set->texts[kept++] = set->texts[i];
    }
    set->count = kept;
}

static void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->texts[i]);
    free(set->texts);
}

/* ---- The two enumerations ---- */

static uint64_t boundary_tick(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_OUTPUT ? call->begin : call->end;
}

static int compare_ticks(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void naive_states(struct naive *naive, struct set *all, size_t *per_boundary)
{
    size_t calls = naive->trace->call_count;
    uint64_t ticks[64] = {0};
    for (size_t i = 0; i < calls; i++)
        ticks[i + 1] = boundary_tick(&naive->trace->calls[i]);
    qsort(ticks + 1, calls, sizeof(*ticks), compare_ticks);
    for (size_t b = 0; b <= calls; b++) {
        struct set here = {0};
        size_t issued = 0;
        while (issued < naive->step_count &&
               naive->trace->calls[naive->steps[issued].call].end <= ticks[b])
            issued++;
        for (unsigned subset = 0; subset < 1u << issued; subset++) {
            if (!is_legal(naive, subset, issued, ticks[b]))
                continue;
            struct picture picture;
            char *lines[64];
            size_t count = 0;
            draw(naive, subset, &picture);
            print_picture(naive, &picture, FF_ROOT_NODE, "", lines, &count);
            set_add(&here, join_lines(lines, count));
        }
        set_sort(&here);
        per_boundary[b] = here.count;
        for (size_t i = 0; i < here.count; i++)
            set_add(all, cm_format("%s", here.texts[i]));
        set_free(&here);
    }
    set_sort(all);
}

static void engine_states(const struct cm_poset *poset, struct set *all, size_t *per_boundary)
{
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_tally *tally = cm_tally_new(poset);
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        struct ff_tree *tree = cm_state_build(poset, cylinder.included);
        char *lines[64];
        size_t count = 0;
        print_tree(tree, FF_ROOT_NODE, "", lines, &count);
        set_add(all, join_lines(lines, count));
        cm_tally_add(tally, cylinder, ff_tree_hash(tree));
        ff_tree_free(tree);
    } while (cm_explorer_advance(explorer));
    set_sort(all);
    struct cm_outcome accepted = {.status = CM_ACCEPTED, .text = "ok"};
    for (size_t i = 0; i < cm_tally_count(tally); i++)
        cm_tally_decide(tally, i, &accepted);
    struct cm_exploration result = {0};
    cm_tally_report(tally, &result);
    for (size_t b = 0; b < result.cell_count; b++) {
        per_boundary[b] = result.cells[b].label_count > 0 ? result.cells[b].labels[0].states : 0;
        free(result.cells[b].labels);
    }
    free(result.cells);
    free(result.violations);
    cm_tally_free(tally);
    cm_explorer_free(explorer);
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
    }
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
    struct ff_call *sync = sample_sync(world->sample, effect, node);
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
    }
    for (int i = 0; i < 40 && s->trace.call_count < 16; i++) {
        struct world before = *world;
        size_t calls = s->trace.call_count;
        uint32_t next_node = s->next_node;
        switch (random_below(7)) {
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
        case 2:
        case 3:
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
    {CM_BIT(GROW), CM_BIT(RENAME), CM_SCOPE_ALL},
    {(1u << CM_CLASS_COUNT) - 1, (1u << CM_CLASS_COUNT) - 1, CM_SCOPE_CALL},
};

static struct cm_model invent_model(void)
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

static size_t calls_seen[FF_EFFECT_COUNT];

/* The state in which everything persisted is what the calls leave one by one. */
static bool nothing_lost_is_what_was_done(const struct cm_poset *poset)
{
    struct ff_error difference;
    cm_word *all = cm_allocate(poset->words, sizeof(cm_word));
    for (size_t o = 0; o < poset->operation_count; o++)
        cm_add(all, o);
    struct ff_tree *state = cm_state_build(poset, all);
    struct ff_tree *tree = ff_tree_from_snapshot(poset->trace);
    bool same = true;
    for (size_t i = 0; same && i < poset->trace->call_count; i++)
        same = ff_tree_apply(tree, &poset->trace->calls[i], &difference) == 0;
    same = same && !ff_tree_differs(state, "state", tree, "calls", &difference);
    if (!same)
        printf("\n    %s", difference.text);
    ff_tree_free(tree);
    ff_tree_free(state);
    free(all);
    return same;
}

static bool compare_once(uint64_t seed)
{
    random_state = seed;
    struct cm_model model = invent_model();
    struct world world = {.sample = sample_new()};
    invent_trace(&world, &model);
    struct ff_trace *trace = &world.sample->trace;
    qsort(world.sample->calls, trace->call_count, sizeof(struct ff_call), compare_ends);

    for (size_t i = 0; i < trace->call_count; i++)
        calls_seen[trace->calls[i].effect]++;

    struct naive *naive = cm_allocate(1, sizeof(*naive));
    naive->trace = trace;
    naive->model = &model;
    for (size_t i = 0; i < trace->node_count; i++)
        naive->sizes[i + 1] = (uint32_t)trace->nodes[i].data.size;
    naive_derive(naive);

    struct ff_error error;
    struct cm_poset *poset = cm_poset_build(trace, &model, 0, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    struct set expected = {0}, found = {0};
    size_t expected_cells[64] = {0}, found_cells[64] = {0};
    naive_states(naive, &expected, expected_cells);
    engine_states(poset, &found, found_cells);
    bool equal = nothing_lost_is_what_was_done(poset) && expected.count == found.count && poset->operation_count == naive->step_count &&
                 memcmp(expected_cells, found_cells, sizeof(found_cells)) == 0;
    for (size_t i = 0; equal && i < found.count; i++) {
        equal = strcmp(expected.texts[i], found.texts[i]) == 0;
        if (!equal)
            printf("\n    expected %s    found %s", expected.texts[i], found.texts[i]);
    }
    if (!equal)
        printf("\n    seed %llu: %zu states expected, %zu found; operations %zu and %zu\n",
               (unsigned long long)seed, expected.count, found.count, naive->step_count,
               poset->operation_count);
    for (size_t b = 0; !equal && b <= trace->call_count; b++)
        printf("    boundary %zu (%s): %zu states expected, %zu found\n", b,
               b > 0 ? ff_effect_name(trace->calls[poset->boundary_calls[b]].effect) : "start",
               expected_cells[b], found_cells[b]);
    set_free(&expected);
    set_free(&found);
    cm_poset_free(poset);
    free(naive);
    sample_free(world.sample);
    return equal;
}

static void engine_equals_brute_force(void)
{
    size_t failures = 0;
    for (uint64_t seed = 1; seed <= TRACES; seed++)
        failures += !compare_once(seed * 0x9e3779b97f4a7c15u);
    CU_ASSERT_EQUAL(failures, 0);
    /* The comparison is worth something only if the traces hold every kind of call. */
    for (size_t effect = 0; effect < FF_EFFECT_COUNT; effect++)
        CU_ASSERT_TRUE(effect == FF_EFFECT_NONE || calls_seen[effect] > 0);
}

static const struct unit_test tests[] = {
    {"states of random traces, and how many at each boundary", engine_equals_brute_force},
};

UNIT_MAIN("brute force", tests)

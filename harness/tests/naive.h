/*
 * The crash model a second time, as naively as it can be said: what an
 * operation is (overlays of bytes, not page contents), whether a power cut could
 * leave a set of operations (everything that a sync made durable is there;
 * nothing is there without what came before it at the same place), and what the
 * files then look like. Shares nothing with the engine but the names of things.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include <stdbool.h>

#include "memory.h"
#include "model.h"
#include "sample.h"

/* Of the models and traces that are compared. */
enum { UNIT = 8, GRANULE = 4, MAX_OPERATIONS = 12, MAX_NODES = 16, MAX_SIZE = 64 };

enum place { PLACE_NAME, PLACE_SIZE, PLACE_BYTES, PLACE_MODE, PLACE_XATTR };

/* One effect of an operation on one place. */
struct touch {
    enum place place;
    uint32_t node; /* file, or directory of the name */
    char name[8];
    uint32_t from, to; /* bytes, within one granule, or the cut-off tail */
    uint32_t value;    /* node, size, fill byte, mode, or letter of an attribute (0: none) */
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
    uint64_t derived;          /* the time up to which steps were made */
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

/* Whether the granule that holds at has bytes: what lies wholly beyond a cut has none. */
static bool has_bytes(const struct naive *naive, uint32_t node, uint32_t at)
{
    uint32_t start = at / GRANULE * GRANULE;
    bool has = node <= naive->trace->node_count && node != FF_ROOT_NODE &&
               start < naive->trace->nodes[node - 1].data.size;
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; t < naive->steps[i].touch_count; t++) {
            const struct touch *touch = &naive->steps[i].touches[t];
            if (touch->place != PLACE_BYTES || touch->node != node)
                continue;
            if (naive->steps[i].class == CM_CLASS_CUT)
                has = has && touch->from > start;
            else
                has = has || touch->from / GRANULE * GRANULE == start;
        }
    return has;
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

/* When the call had its effect, at the earliest. */
static uint64_t call_tick(const struct ff_call *call)
{
    bool early = call->effect == FF_EFFECT_OUTPUT || call->route == FF_ROUTE_MAPPING;
    return early ? call->begin : call->end;
}

/* The call that comes next in the order of these times, after `last`. */
static size_t next_call(const struct ff_trace *trace, uint64_t last)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < trace->call_count; i++)
        if (call_tick(&trace->calls[i]) > last &&
            (next == SIZE_MAX || call_tick(&trace->calls[i]) < call_tick(&trace->calls[next])))
            next = i;
    return next;
}

static void naive_derive(struct naive *naive)
{
    for (size_t i; (i = next_call(naive->trace, naive->derived)) != SIZE_MAX;) {
        const struct ff_call *call = &naive->trace->calls[i];
        naive->derived = call_tick(call);
        struct step *step = NULL;
        switch (call->effect) {
        case FF_EFFECT_CREATE:
            if (call->parent == FF_NO_NODE)
                break; /* it has no name yet */
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
        case FF_EFFECT_SET_XATTR:
        case FF_EFFECT_REMOVE_XATTR: {
            struct touch *touch =
                add_touch(add_step(naive, i, CM_CLASS_ATTRIBUTES), PLACE_XATTR, call->node,
                          call->data.size != 0 ? call->data.data[0] : 0);
            memcpy(touch->name, call->filename.data, call->filename.size + 1);
            break;
        }
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
    if (a->place == PLACE_NAME || a->place == PLACE_XATTR)
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
           call->effect == FF_EFFECT_SYNC_ALL || call->effect == FF_EFFECT_SYNC_RANGE ||
           call->effect == FF_EFFECT_SYNC_RANGE_DATA;
}

/* Whether all that the step does to the content lies in the range of the sync. */
static bool is_in_range(const struct ff_call *sync, const struct step *step)
{
    if (sync->length == 0)
        return true;
    uint32_t from = (uint32_t)sync->offset / GRANULE * GRANULE;
    uint32_t to = (uint32_t)(sync->offset + sync->length);
    for (size_t t = 0; t < step->touch_count; t++)
        if (step->class == CM_CLASS_CUT ||
            (step->touches[t].place == PLACE_SIZE && step->touches[t].value > to) ||
            (step->touches[t].place == PLACE_BYTES &&
             (step->touches[t].from < from || step->touches[t].from / GRANULE * GRANULE >= to)))
            return false;
    return true;
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
    bool with_metadata =
        sync->effect == FF_EFFECT_SYNC_FILE || sync->effect == FF_EFFECT_SYNC_RANGE;
    enum cm_sync kind = directory       ? CM_SYNC_FSYNC_DIRECTORY
                        : with_metadata ? CM_SYNC_FSYNC_FILE
                                        : CM_SYNC_FDATASYNC_FILE;
    unsigned set = naive->model->covers[kind];
    if (touch->place == PLACE_NAME)
        return (touch->node == sync->node && (set & 1u << CM_COVER_OWN_ENTRIES) != 0) ||
               (step->creates && touch->value == sync->node && !directory &&
                (set & 1u << CM_COVER_OWN_CREATION) != 0);
    bool content = touch->place == PLACE_BYTES || touch->place == PLACE_SIZE;
    unsigned needed = content ? CM_COVER_OWN_DATA : CM_COVER_OWN_ATTRIBUTES;
    return touch->node == sync->node && (set & 1u << needed) != 0 &&
           (!content || is_in_range(sync, step));
}

static bool covers_every_call(const struct naive *naive)
{
    return naive->model->covers[CM_SYNC_EVERY_CALL] != 0;
}

/* Whether the failed sync lost the step, if that was dirty then. */
static bool loses(const struct ff_call *sync, const struct step *step)
{
    return sync->effect == FF_EFFECT_SYNC_FAILED &&
           (step->is_data || step->class == CM_CLASS_GROW) &&
           (sync->node == FF_NO_NODE || sync->node == step->touches[0].node) &&
           is_in_range(sync, step);
}

enum fate { DIRTY, DURABLE, LOST };

/* What became of the step by all syncs that returned until tick; calls are sorted by end. */
static enum fate fate_of(const struct naive *naive, const struct step *step, uint64_t tick)
{
    bool names = step->touches[0].place == PLACE_NAME;
    size_t count = names ? step->touch_count : 1, durable = 0;
    bool covered[2] = {false, false};
    uint64_t done = naive->trace->calls[step->call].end;
    if (covers_every_call(naive))
        return done < tick ? DURABLE : DIRTY;
    for (size_t i = 0; i < naive->trace->call_count && naive->trace->calls[i].end <= tick; i++) {
        const struct ff_call *sync = &naive->trace->calls[i];
        if (done >= sync->begin)
            continue;
        if (loses(sync, step))
            return LOST;
        for (size_t t = 0; is_sync(sync) && t < count; t++)
            if (!covered[t] && covers(naive, sync, step, &step->touches[t])) {
                covered[t] = true;
                durable++;
            }
        if (durable == count || (durable > 0 && naive->model->crossing != CM_CROSSING_BOTH))
            return DURABLE;
    }
    return DIRTY;
}

/* Nothing waits for what was lost at any time. */
static bool is_lost(const struct naive *naive, const struct step *step)
{
    return fate_of(naive, step, UINT64_MAX) == LOST;
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

/* Of those issued by a tick, the steps that are durable just after it. */
static inline unsigned durable_steps(const struct naive *naive, size_t issued, uint64_t tick)
{
    unsigned durable = 0;
    for (size_t i = 0; i < issued; i++)
        if (fate_of(naive, &naive->steps[i], tick) == DURABLE)
            durable |= 1u << i;
    return durable;
}

/* Whether a power cut after which so many are issued, and these durable, may leave exactly
 * the steps of a subset. */
static inline bool is_legal(const struct naive *naive, unsigned subset, size_t issued,
                            unsigned durable)
{
    if ((durable & ~subset) != 0)
        return false;
    for (size_t i = 0; i < issued; i++) {
        const struct step *step = &naive->steps[i];
        bool there = (subset >> i & 1) != 0;
        for (size_t j = 0; there && j < i; j++) {
            const struct step *earlier = &naive->steps[j];
            bool prefix = naive->model->tearing == CM_TEARING_PREFIX && step->is_data &&
                          earlier->is_data && step->call == earlier->call;
            if ((subset >> j & 1) == 0 &&
                (prefix || steps_meet(step, earlier) || rule_orders(naive, earlier, step)) &&
                !is_lost(naive, earlier))
                return false;
        }
    }
    return true;
}

/* ---- What a subset looks like ---- */

struct picture {
    uint32_t size[MAX_NODES];
    uint32_t mode[MAX_NODES];
    char xattrs[MAX_NODES][2]; /* letters of the attributes user.a and user.b, or 0 */
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

static void draw_touch(struct picture *picture, const struct touch *touch)
{
    switch (touch->place) {
    case PLACE_NAME:
        set_picture_name(picture, touch);
        break;
    case PLACE_SIZE:
        picture->size[touch->node] = touch->value;
        break;
    case PLACE_MODE:
        picture->mode[touch->node] = (picture->mode[touch->node] & S_IFMT) | (touch->value & 07777);
        break;
    case PLACE_XATTR:
        picture->xattrs[touch->node][touch->name[5] - 'a'] = (char)touch->value;
        break;
    case PLACE_BYTES:
        memset(picture->bytes[touch->node] + touch->from, (int)touch->value,
               touch->to - touch->from);
        picture->written[touch->node][touch->from / GRANULE] = true;
        break;
    }
}

/*
 * A later write to the granule reached the disk, and with it the whole granule as
 * the program saw it.
 */
static bool is_carried(const struct naive *naive, unsigned subset, size_t index,
                       const struct touch *touch)
{
    for (size_t i = index + 1; i < naive->step_count; i++)
        for (size_t t = 0; (subset >> i & 1) != 0 && t < naive->steps[i].touch_count; t++)
            if (touch->place == PLACE_BYTES && same_place(touch, &naive->steps[i].touches[t]))
                return true;
    return false;
}

static inline void draw(const struct naive *naive, unsigned subset, struct picture *picture)
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
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t t = 0; t < naive->steps[i].touch_count; t++)
            if ((subset >> i & 1) != 0 || is_carried(naive, subset, i, &naive->steps[i].touches[t]))
                draw_touch(picture, &naive->steps[i].touches[t]);
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

static inline void print_picture(const struct naive *naive, const struct picture *picture,
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
        char xattrs[5] = "";
        for (int a = 0; a < 2; a++)
            if (picture->xattrs[node][a] != 0) {
                xattrs[strlen(xattrs)] = (char)('a' + a);
                xattrs[strlen(xattrs)] = picture->xattrs[node][a];
            }
        lines[(*count)++] =
            cm_format("%s %o #%u %s %s\n", full, (unsigned)picture->mode[node], node, hex, xattrs);
        if (S_ISDIR(picture->mode[node]))
            print_picture(naive, picture, node, full, lines, count);
        free(full);
    }
}

/* The same as a tree. */
static inline void plant_picture(const struct naive *naive, const struct picture *picture,
                                 uint32_t directory, struct ff_tree *tree)
{
    for (size_t i = 0; i < picture->name_count; i++) {
        uint32_t node = picture->names[i].node;
        if (picture->names[i].directory != directory || node == FF_NO_NODE)
            continue;
        bool is_new = ff_tree_node(tree, node) == NULL;
        if (is_new)
            ff_tree_create(tree, node, picture->mode[node], 0, 0);
        ff_tree_set_name(tree, directory, picture->names[i].name, node);
        struct ff_node *planted = ff_tree_edit(tree, node);
        for (uint32_t b = 0; is_new && S_ISREG(planted->mode) && b < picture->size[node]; b++) {
            bool garbage = naive->model->unwritten == CM_UNWRITTEN_GARBAGE &&
                           !picture->written[node][b / GRANULE] && is_touched(naive, node, b);
            unsigned char byte = garbage ? CM_GARBAGE : picture->bytes[node][b];
            ff_node_write(planted, &byte, 1, b);
        }
        for (int a = 0; is_new && a < 2; a++) {
            unsigned char value = (unsigned char)picture->xattrs[node][a];
            if (value != 0)
                ff_node_set_xattr(planted, a == 0 ? "user.a" : "user.b",
                                  (struct ff_bytes){&value, 1});
        }
        if (S_ISDIR(picture->mode[node]))
            plant_picture(naive, picture, node, tree);
    }
}

#endif

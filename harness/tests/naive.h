/*
 * The crash model a second time, as naively as it can be said: what an operation is
 * (overlays of bytes, not page contents). What of that a power cut can leave is in
 * naive_order.h, and what the files then look like in naive_picture.h. Shares nothing
 * with the engine but the names of things.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include <stdbool.h>

#include "memory.h"
#include "model.h"
#include "sample.h"

/* Of the models and traces that are compared. */
enum {
    UNIT = 8,
    GRANULE = 4,
    MAX_OPERATIONS = 12,
    MAX_STEPS = 96,
    MAX_TOUCHES = 24,
    MAX_NODES = 16,
    MAX_SIZE = 64
};

enum place { PLACE_NAME, PLACE_SIZE, PLACE_CHAIN, PLACE_BYTES, PLACE_MODE, PLACE_XATTR };

/* What a name means that was entered without the file. */
#define BLANK UINT32_MAX

/* What stands behind no other step than those before it. */
#define NOWHERE SIZE_MAX

/* One effect of an operation on one place. */
struct touch {
    enum place place;
    uint32_t node; /* file, or directory of the name */
    char name[8];
    uint32_t from, to; /* bytes, within one granule; of a chain, to: the size */
    unsigned char bytes[GRANULE];
    uint32_t value; /* node, size, units, mode, or letter of an attribute (0: none) */
    uint32_t mode;  /* of what is blank */
    size_t behind;  /* of what does not stand where its step does: behind which it is, from 1 */
};

struct step {
    size_t call;
    uint64_t tick;   /* when it was issued */
    uint32_t synced; /* of what a sync states: the node */
    uint32_t entry;  /* when it writes this node's entry under a name: the node */
    enum cm_class class;
    bool is_data;
    bool creates;
    bool unseen;                               /* of no effect to the program */
    enum { OF_ITS_OWN, STALE, REUSE } foreign; /* what blocks show that were another file's */
    size_t after; /* this step must be there, counted from 1; 0: none by itself */
    struct touch touches[MAX_TOUCHES];
    size_t touch_count;
};

/* What the files look like. */
struct picture {
    uint32_t size[MAX_NODES];
    uint32_t chain[MAX_NODES]; /* units that can be found */
    uint32_t mode[MAX_NODES];
    char xattrs[MAX_NODES][2]; /* letters of the attributes user.a and user.b, or 0 */
    unsigned char bytes[MAX_NODES][MAX_SIZE];
    bool written[MAX_NODES][MAX_SIZE / GRANULE]; /* something reached the granule */
    struct {
        uint32_t directory, node;
        uint32_t mode; /* of what is blank */
        char name[8];
    } names[32];
    size_t name_count;
};

/* What the last file to lose blocks had. */
struct freed {
    uint32_t node; /* FF_NO_NODE: there is none */
    size_t step;   /* that took them */
    bool is_cut;
    bool had[MAX_SIZE / GRANULE];
    unsigned char bytes[MAX_SIZE];
};

struct naive {
    const struct ff_trace *trace;
    const struct cm_model *model;
    struct step steps[MAX_STEPS];
    size_t step_count;
    struct picture seen; /* by the program */
    struct freed freed;
    uint64_t derived; /* the time up to which steps were made */
};

/* ---- Pictures ---- */

static void set_picture_name(struct picture *picture, uint32_t directory, const char *name,
                             uint32_t node, uint32_t mode)
{
    size_t i = 0;
    while (i < picture->name_count &&
           (picture->names[i].directory != directory || strcmp(picture->names[i].name, name) != 0))
        i++;
    if (i == picture->name_count)
        picture->name_count++;
    picture->names[i].directory = directory;
    picture->names[i].node = node;
    picture->names[i].mode = mode;
    snprintf(picture->names[i].name, sizeof(picture->names[i].name), "%s", name);
}

static uint32_t picture_meaning(const struct picture *picture, uint32_t directory, const char *name)
{
    for (size_t i = 0; i < picture->name_count; i++)
        if (picture->names[i].directory == directory && strcmp(picture->names[i].name, name) == 0)
            return picture->names[i].node;
    return FF_NO_NODE;
}

static void draw_touch(struct picture *picture, const struct touch *touch)
{
    switch (touch->place) {
    case PLACE_NAME:
        set_picture_name(picture, touch->node, touch->name, touch->value, touch->mode);
        break;
    case PLACE_CHAIN:
        picture->chain[touch->node] = touch->value;
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
        memcpy(picture->bytes[touch->node] + touch->from, touch->bytes, touch->to - touch->from);
        picture->written[touch->node][touch->from / GRANULE] = true;
        break;
    }
}

/* The first one is where the size is. */
static uint32_t units_of(uint32_t size)
{
    return size == 0 ? 1 : (size - 1) / UNIT + 1;
}

/* Before the workload; files that it will create have their modes already. */
static void draw_snapshot(const struct ff_trace *trace, struct picture *picture)
{
    memset(picture, 0, sizeof(*picture));
    for (size_t i = 0; i < trace->name_count; i++) {
        uint32_t id = trace->names[i].node;
        const struct ff_snapshot_node *node = &trace->nodes[id - 1];
        set_picture_name(picture, trace->names[i].parent,
                         (const char *)trace->names[i].filename.data, id, 0);
        picture->mode[id] = node->mode;
        picture->size[id] = (uint32_t)node->data.size;
        picture->chain[id] = units_of(picture->size[id]);
        memcpy(picture->bytes[id], node->data.data, node->data.size);
        for (uint32_t b = 0; b < node->data.size; b++)
            picture->written[id][b / GRANULE] = true;
    }
    picture->mode[FF_ROOT_NODE] = S_IFDIR | 0755;
    for (size_t i = 0; i < trace->call_count; i++)
        if (trace->calls[i].effect == FF_EFFECT_CREATE) {
            picture->mode[trace->calls[i].node] = trace->calls[i].mode;
            picture->chain[trace->calls[i].node] = 1;
        }
}

static size_t count_names(const struct picture *picture, uint32_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->name_count; i++)
        count += picture->names[i].node == node;
    return count;
}

/* ---- Steps ---- */

static struct touch *add_touch(struct step *step, enum place place, uint32_t node, uint32_t value)
{
    if (step->touch_count == MAX_TOUCHES)
        abort();
    struct touch *touch = &step->touches[step->touch_count++];
    *touch = (struct touch){.place = place, .node = node, .value = value};
    return touch;
}

static void touch_name(struct step *step, uint32_t directory, const char *name, uint32_t node)
{
    struct touch *touch = add_touch(step, PLACE_NAME, directory, node);
    snprintf(touch->name, sizeof(touch->name), "%s", name);
}

static void touch_xattr(struct step *step, uint32_t node, const char *name, uint32_t letter)
{
    struct touch *touch = add_touch(step, PLACE_XATTR, node, letter);
    snprintf(touch->name, sizeof(touch->name), "%s", name);
}

/* The part of bytes from .. to that lies in the granule of from; returns its end. */
static uint32_t touch_bytes(struct step *step, uint32_t node, uint32_t from, uint32_t to, int fill)
{
    uint32_t end = (from / GRANULE + 1) * GRANULE;
    struct touch *touch = add_touch(step, PLACE_BYTES, node, 0);
    touch->from = from;
    touch->to = end < to ? end : to;
    memset(touch->bytes, fill, sizeof(touch->bytes));
    return touch->to;
}

static struct step *add_step(struct naive *naive, size_t call, enum cm_class class)
{
    if (naive->step_count == MAX_STEPS)
        abort();
    struct step *step = &naive->steps[naive->step_count++];
    *step = (struct step){.call = call, .class = class, .tick = naive->derived};
    return step;
}

static bool same_place(const struct touch *a, const struct touch *b)
{
    if (a->place != b->place || a->node != b->node)
        return false;
    if (a->place == PLACE_NAME || a->place == PLACE_XATTR)
        return strcmp(a->name, b->name) == 0;
    return a->place != PLACE_BYTES || a->from / GRANULE == b->from / GRANULE;
}

/* Whether the granule that holds at has bytes: what lies wholly beyond a cut has none. */
static bool has_bytes(const struct naive *naive, uint32_t node, uint32_t at)
{
    return naive->seen.written[node][at / GRANULE];
}

/* ---- Content ---- */

static enum cm_tearing how_tears(const struct naive *naive, enum cm_class class)
{
    return naive->model->apart && class == CM_CLASS_OVERWRITE ? naive->model->overwrite_tearing
                                                              : naive->model->tearing;
}

/* Whether what is said of how data tears speaks of both together. */
static bool tears_alike(const struct naive *naive, const struct step *a, const struct step *b)
{
    return !naive->model->apart || a->class == b->class;
}

static struct step *data_step(struct naive *naive, size_t index, enum cm_class class)
{
    struct step wanted = {.class = class};
    for (size_t i = 0; i < naive->step_count; i++) {
        struct step *step = &naive->steps[i];
        if (step->call == index && step->is_data && tears_alike(naive, step, &wanted) &&
            how_tears(naive, class) == CM_TEARING_ATOMIC)
            return step;
    }
    struct step *step = add_step(naive, index, class);
    step->is_data = true;
    return step;
}

/* Bytes of one content, granule by granule: those that have bytes, or those that have none. */
static void write_granules(struct naive *naive, size_t index, const struct ff_call *call,
                           uint32_t end, bool those_with, bool those_without)
{
    for (uint32_t at = (uint32_t)call->offset; at < end;) {
        bool over = has_bytes(naive, call->node, at);
        if (!(over ? those_with : those_without)) {
            at = (at / GRANULE + 1) * GRANULE;
            continue;
        }
        struct step *step = data_step(naive, index, over ? CM_CLASS_OVERWRITE : CM_CLASS_ALLOCATE);
        at = touch_bytes(step, call->node, at, end, call->data.data[0]);
    }
}

/* Where each kind tears by itself, what is overwritten comes first. */
static void write_plain(struct naive *naive, size_t index, const struct ff_call *call, uint32_t end)
{
    if (naive->model->apart)
        write_granules(naive, index, call, end, true, false);
    write_granules(naive, index, call, end, !naive->model->apart, true);
}

/* Garbage and then the data in each granule of one unit that is appended; after the growth. */
static void append_unit(struct naive *naive, size_t index, const struct ff_call *call,
                        uint32_t from, uint32_t to)
{
    size_t growth = naive->step_count;
    while (from < to) {
        bool over = has_bytes(naive, call->node, from);
        uint32_t end = from;
        for (int data = 0; data < 2; data++) {
            struct step *step =
                add_step(naive, index, over ? CM_CLASS_OVERWRITE : CM_CLASS_ALLOCATE);
            step->is_data = true;
            step->after = growth;
            end = touch_bytes(step, call->node, from, to,
                              data != 0 ? call->data.data[0] : CM_GARBAGE);
        }
        from = end;
    }
}

/* Where blocks are found by a chain: that it has others now. */
static void chain_step(struct naive *naive, size_t index, uint32_t node, uint32_t size)
{
    uint32_t before = units_of(naive->seen.size[node]), units = units_of(size);
    if (naive->model->choices[CM_CHOICE_SIZE] == CM_SIZE_ENTRY && units != before)
        add_touch(add_step(naive, index, units > before ? CM_CLASS_GROW : CM_CLASS_CUT),
                  PLACE_CHAIN, node, units)
            ->to = size;
}

static void add_stale(struct naive *naive, size_t index, const struct ff_call *write);
static void add_reuse(struct naive *naive, size_t index, const struct ff_call *write);

static void naive_write(struct naive *naive, size_t index, const struct ff_call *call)
{
    uint32_t start = (uint32_t)call->offset, end = start + (uint32_t)call->data.size;
    uint32_t size = naive->seen.size[call->node];
    bool stepwise = naive->model->choices[CM_CHOICE_APPEND] == CM_APPEND_ZEROS_GARBAGE_DATA;
    add_stale(naive, index, call);
    write_plain(naive, index, call, stepwise && size < end ? size : end);
    add_reuse(naive, index, call);
    while (size < end) {
        uint32_t base = size > start ? size : start;
        uint32_t next = (base / UNIT + 1) * UNIT;
        size = next < end ? next : end;
        add_touch(add_step(naive, index, CM_CLASS_GROW), PLACE_SIZE, call->node, size);
        if (stepwise)
            append_unit(naive, index, call, base, size);
    }
    chain_step(naive, index, call->node, size);
}

static void lose_blocks(struct naive *naive, uint32_t node, uint32_t size, bool is_cut);

static struct step *cut_step(struct naive *naive, size_t index, uint32_t node, uint32_t size)
{
    struct step *step = add_step(naive, index, CM_CLASS_CUT);
    lose_blocks(naive, node, size, true);
    add_touch(step, PLACE_SIZE, node, size);
    for (uint32_t at = size; at < naive->seen.size[node];)
        at = touch_bytes(step, node, at, MAX_SIZE, 0);
    return step;
}

static void naive_resize(struct naive *naive, size_t index, const struct ff_call *call)
{
    uint32_t old_size = naive->seen.size[call->node], size = (uint32_t)call->offset;
    if (size > old_size)
        add_touch(add_step(naive, index, CM_CLASS_GROW), PLACE_SIZE, call->node, size);
    else if (size < old_size)
        cut_step(naive, index, call->node, size);
    chain_step(naive, index, call->node, size);
}

/* ---- Names ---- */

/* A file that is about to lose its last name is cut to nothing first: whether it was. */
static bool cut_last(struct naive *naive, size_t index, uint32_t node)
{
    if (!S_ISREG(naive->seen.mode[node]) || count_names(&naive->seen, node) != 1 ||
        naive->seen.size[node] == 0)
        return false;
    cut_step(naive, index, node, 0)->unseen = true;
    return true;
}

/* A file that is losing its last name loses its blocks, whatever its entry says. */
static void free_chain(struct naive *naive, size_t index, uint32_t node)
{
    if (S_ISREG(naive->seen.mode[node]) && count_names(&naive->seen, node) == 1)
        chain_step(naive, index, node, 0);
}

/* The step that was added last takes this name of a file away: its blocks, if it was the last. */
static void lose_last_name(struct naive *naive, uint32_t node)
{
    if (S_ISREG(naive->seen.mode[node]) && count_names(&naive->seen, node) == 1)
        lose_blocks(naive, node, 0, false);
}

static struct step *name_step(struct naive *naive, size_t index, enum cm_class class,
                              uint32_t directory, const struct ff_bytes *name, uint32_t node)
{
    struct step *step = add_step(naive, index, class);
    touch_name(step, directory, (const char *)name->data, node);
    return step;
}

static void naive_unlink(struct naive *naive, size_t index, const struct ff_call *call)
{
    bool cut = naive->model->choices[CM_CHOICE_UNLINK] == CM_UNLINK_TRUNCATE_FIRST &&
               cut_last(naive, index, call->node);
    size_t before = cut ? naive->step_count : 0;
    name_step(naive, index, CM_CLASS_UNLINK, call->parent, &call->filename, FF_NO_NODE)->after =
        before;
    if (!cut)
        lose_last_name(naive, call->node);
    free_chain(naive, index, call->node);
}

/* What is entered under a name is blank until the entry is written, which is like growth. */
static void entry_step(struct naive *naive, size_t index, struct step *naming)
{
    struct touch *touch = &naming->touches[naming->touch_count - 1];
    if (naive->model->choices[CM_CHOICE_SIZE] != CM_SIZE_ENTRY)
        return;
    struct step *step = add_step(naive, index, CM_CLASS_GROW);
    step->entry = touch->value;
    *add_touch(step, PLACE_NAME, touch->node, touch->value) = *touch;
    touch->mode = naive->seen.mode[touch->value];
    touch->value = BLANK;
}

/* The target's name goes, then the old one, then the new one comes. */
static void rename_stepwise(struct naive *naive, size_t index, const struct ff_call *call,
                            enum cm_class class, uint32_t target)
{
    size_t before = target != FF_NO_NODE && cut_last(naive, index, target) ? naive->step_count : 0;
    if (target != FF_NO_NODE) {
        name_step(naive, index, class, call->parent2, &call->filename2, FF_NO_NODE)->after = before;
        if (before == 0)
            lose_last_name(naive, target);
        before = naive->step_count;
    }
    name_step(naive, index, class, call->parent, &call->filename, FF_NO_NODE)->after = before;
    before = naive->step_count;
    name_step(naive, index, class, call->parent2, &call->filename2, call->node)->after = before;
}

static void naive_rename(struct naive *naive, size_t index, const struct ff_call *call)
{
    enum cm_rename how = naive->model->choices[CM_CHOICE_RENAME];
    uint32_t target =
        picture_meaning(&naive->seen, call->parent2, (const char *)call->filename2.data);
    bool directory = S_ISDIR(naive->seen.mode[call->node]);
    bool replaces = target != FF_NO_NODE;
    enum cm_class class = replaces ? CM_CLASS_RENAME_REPLACE : CM_CLASS_RENAME;
    if (how == CM_RENAME_STEPWISE) {
        rename_stepwise(naive, index, call, class, target);
    } else if (how == CM_RENAME_INDEPENDENT && directory) { /* it never has two names */
        name_step(naive, index, class, call->parent, &call->filename, FF_NO_NODE);
        size_t before = naive->step_count;
        struct step *step =
            name_step(naive, index, class, call->parent2, &call->filename2, call->node);
        step->after = before;
        entry_step(naive, index, step);
    } else if (how == CM_RENAME_INDEPENDENT) {
        struct step *step =
            name_step(naive, index, class, call->parent2, &call->filename2, call->node);
        if (replaces)
            lose_last_name(naive, target);
        entry_step(naive, index, step);
        name_step(naive, index, class, call->parent, &call->filename, FF_NO_NODE);
    } else {
        struct step *step =
            name_step(naive, index, class, call->parent2, &call->filename2, call->node);
        touch_name(step, call->parent, (const char *)call->filename.data, FF_NO_NODE);
        if (replaces)
            lose_last_name(naive, target);
    }
    if (replaces)
        free_chain(naive, index, target);
}

static void naive_exchange(struct naive *naive, size_t index, const struct ff_call *call)
{
    enum cm_rename how = naive->model->choices[CM_CHOICE_RENAME];
    bool directory =
        S_ISDIR(naive->seen.mode[call->node]) || S_ISDIR(naive->seen.mode[call->node2]);
    struct step *step =
        name_step(naive, index, CM_CLASS_EXCHANGE, call->parent, &call->filename, call->node2);
    if (how != CM_RENAME_ATOMIC && !directory) {
        size_t before = naive->step_count;
        step = add_step(naive, index, CM_CLASS_EXCHANGE);
        step->after = how == CM_RENAME_STEPWISE ? before : 0;
    }
    touch_name(step, call->parent2, (const char *)call->filename2.data, call->node);
}

/* ---- Calls ---- */

static bool is_sync(const struct ff_call *call)
{
    return call->effect == FF_EFFECT_SYNC_FILE || call->effect == FF_EFFECT_SYNC_DATA ||
           call->effect == FF_EFFECT_SYNC_ALL || call->effect == FF_EFFECT_SYNC_RANGE ||
           call->effect == FF_EFFECT_SYNC_RANGE_DATA;
}

/* When the call had its effect, at the earliest. */
static uint64_t call_tick(const struct ff_call *call)
{
    bool early = call->effect == FF_EFFECT_OUTPUT || call->route == FF_ROUTE_MAPPING;
    return early ? call->begin : call->end;
}

/* When what it does was issued: a sync restates what it found. */
static uint64_t step_tick(const struct ff_call *call)
{
    return is_sync(call) ? call->begin : call_tick(call);
}

/* The call that comes next in the order of these times, after `last`. */
static size_t next_call(const struct ff_trace *trace, uint64_t last)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < trace->call_count; i++)
        if (step_tick(&trace->calls[i]) > last &&
            (next == SIZE_MAX || step_tick(&trace->calls[i]) < step_tick(&trace->calls[next])))
            next = i;
    return next;
}

static void naive_restate(struct naive *naive, size_t index, const struct ff_call *sync);

static void derive_call(struct naive *naive, size_t i, const struct ff_call *call)
{
    switch (call->effect) {
    case FF_EFFECT_CREATE:
        if (call->parent != FF_NO_NODE) /* else it has no name yet */
            name_step(naive, i, CM_CLASS_CREATE, call->parent, &call->filename, call->node)
                ->creates = true;
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
    case FF_EFFECT_REMOVE_XATTR:
        touch_xattr(add_step(naive, i, CM_CLASS_ATTRIBUTES), call->node,
                    (const char *)call->filename.data,
                    call->data.size != 0 ? call->data.data[0] : 0);
        break;
    case FF_EFFECT_LINK:
        name_step(naive, i, CM_CLASS_LINK, call->parent, &call->filename, call->node);
        break;
    case FF_EFFECT_UNLINK:
        naive_unlink(naive, i, call);
        break;
    case FF_EFFECT_RENAME:
        naive_rename(naive, i, call);
        break;
    case FF_EFFECT_EXCHANGE:
        naive_exchange(naive, i, call);
        break;
    default:
        if (is_sync(call))
            naive_restate(naive, i, call);
    }
}

/* Whether the program sees what the step does. */
static bool is_seen(const struct step *step)
{
    return !step->unseen && step->class != CM_CLASS_LOG;
}

/* What the program sees of a step, and which granules have no blocks any more. */
static void draw_seen(struct naive *naive, const struct step *step)
{
    for (size_t t = 0; t < step->touch_count; t++) {
        const struct touch *touch = &step->touches[t];
        if (is_seen(step))
            draw_touch(&naive->seen, touch);
        if (step->class == CM_CLASS_CUT && touch->place == PLACE_BYTES &&
            touch->from % GRANULE == 0)
            naive->seen.written[touch->node][touch->from / GRANULE] = false;
    }
}

static void naive_derive(struct naive *naive)
{
    if (naive->derived == 0)
        draw_snapshot(naive->trace, &naive->seen);
    for (size_t i; (i = next_call(naive->trace, naive->derived)) != SIZE_MAX;) {
        size_t before = naive->step_count;
        naive->derived = step_tick(&naive->trace->calls[i]);
        derive_call(naive, i, &naive->trace->calls[i]);
        for (size_t s = before; s < naive->step_count; s++)
            draw_seen(naive, &naive->steps[s]);
    }
}

#include "naive_freed.h"
#include "naive_order.h"
#include "naive_picture.h"
#include "naive_restate.h"

#endif

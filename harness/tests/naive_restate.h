/*
 * What a sync states anew: one operation that sets places to what they were when the sync
 * began. Where what they were came from an operation, what is stated stands just behind it:
 * what came later, even while the sync ran, wins.
 */
#ifndef NAIVE_RESTATE_H
#define NAIVE_RESTATE_H

#include "naive_order.h"

struct restating {
    const struct naive *naive;
    const struct ff_call *sync;
    struct step *log;
    unsigned set;
    bool stated[MAX_NODES]; /* whose names were */
    bool whole[MAX_STEPS];  /* steps that are stated with all that they changed */
};

static bool is_restated(const struct restating *restating, enum cm_restate word)
{
    return (restating->set >> word & 1) != 0;
}

static const struct touch *touch_at(const struct step *step, const struct touch *place)
{
    for (size_t t = 0; t < step->touch_count; t++)
        if (same_place(&step->touches[t], place))
            return &step->touches[t];
    return NULL;
}

static bool is_content(const struct touch *place)
{
    return place->place == PLACE_SIZE || place->place == PLACE_BYTES;
}

/* Whether a change of the place was done by when the sync began, and is not lost. */
static bool is_done(const struct restating *restating, const struct step *step,
                    const struct touch *place)
{
    const struct naive *naive = restating->naive;
    return step->class != CM_CLASS_LOG && step->foreign != REUSE &&
           naive->trace->calls[step->call].end < restating->sync->begin &&
           (!is_content(place) || is_in_range(restating->sync, step)) &&
           fate_of(naive, step, restating->sync->begin) != LOST;
}

/* The last change of the place before one, or LAST: counted from 1, and 0 if there is none. */
static size_t last_change(const struct restating *restating, const struct touch *place,
                          size_t before)
{
    size_t count = (size_t)(restating->log - restating->naive->steps);
    for (size_t i = before < count ? before : count; i > 0; i--)
        if (touch_at(&restating->naive->steps[i - 1], place) != NULL &&
            is_done(restating, &restating->naive->steps[i - 1], place))
            return i;
    return 0;
}

/* Each place once: what it is goes before that it is something no more. */
static struct touch *state(struct restating *restating, const struct touch *place, size_t behind)
{
    struct touch *touch = NULL;
    for (size_t t = 0; t < restating->log->touch_count; t++)
        if (same_place(&restating->log->touches[t], place))
            touch = &restating->log->touches[t];
    if (touch == NULL)
        touch = add_touch(restating->log, place->place, place->node, 0);
    *touch = *place;
    touch->behind = behind;
    return touch;
}

/* Whether a sync that had returned stated the place as this change left it. */
static bool was_stated(const struct restating *restating, const struct touch *place, size_t change)
{
    const struct naive *naive = restating->naive;
    for (const struct step *log = naive->steps; log < restating->log; log++)
        for (size_t t = 0; log->class == CM_CLASS_LOG && t < log->touch_count; t++)
            if (same_place(&log->touches[t], place) && log->touches[t].behind == change &&
                fate_of(naive, log, restating->sync->begin) == DURABLE)
                return true;
    return false;
}

/* Whether there is no change of the place, or it cannot be lost any more. */
static bool is_settled(const struct restating *restating, const struct touch *place, size_t change)
{
    return change == 0 || was_stated(restating, place, change) ||
           fate_of(restating->naive, &restating->naive->steps[change - 1],
                   restating->sync->begin) == DURABLE;
}

/* The place as its last change left it. What is settled need not be stated. */
static void restate_place(struct restating *restating, const struct touch *place)
{
    size_t change = last_change(restating, place, SIZE_MAX);
    if (is_settled(restating, place, change))
        return;
    struct touch *touch = state(restating, place, change);
    touch->value = touch_at(&restating->naive->steps[change - 1], place)->value;
    if (place->place != PLACE_BYTES)
        return;
    struct picture page;
    draw_snapshot(restating->naive->trace, &page);
    for (size_t i = 0; i < change; i++)
        for (size_t t = 0; t < restating->naive->steps[i].touch_count; t++)
            /* What the program did not see is not in the page, unless that was not written since.
             */
            if (is_seen(&restating->naive->steps[i]) || i + 1 == change)
                draw_touch(&page, &restating->naive->steps[i].touches[t]);
    touch->to = place->from + GRANULE;
    memcpy(touch->bytes, page.bytes[place->node] + place->from, GRANULE);
}

/* ---- Names ---- */

static struct touch name_place(uint32_t directory, const char *name)
{
    struct touch place = {.place = PLACE_NAME, .node = directory};
    snprintf(place.name, sizeof(place.name), "%s", name);
    return place;
}

/* What the place meant after a change of it; before the first one: in the beginning. */
static uint32_t meaning_after(const struct restating *restating, const struct touch *place,
                              size_t change)
{
    struct picture first;
    if (change > 0)
        return touch_at(&restating->naive->steps[change - 1], place)->value;
    draw_snapshot(restating->naive->trace, &first);
    return picture_meaning(&first, place->node, place->name);
}

static void restate_names(struct restating *restating, uint32_t node);

/* What meant something else before under this name has its own names stated, too. */
static void restate_displaced(struct restating *restating, const struct touch *place)
{
    size_t change = last_change(restating, place, SIZE_MAX);
    if (is_settled(restating, place, change) || !is_restated(restating, CM_RESTATE_DISPLACED))
        return;
    while (change > 0) {
        change = last_change(restating, place, change - 1);
        uint32_t was = meaning_after(restating, place, change);
        if (was != FF_NO_NODE)
            restate_names(restating, was);
    }
}

/* It has the name, or had it: then it has it no more. */
static void restate_name(struct restating *restating, uint32_t node, const struct touch *place)
{
    size_t change = last_change(restating, place, SIZE_MAX);
    bool has = meaning_after(restating, place, change) == node;
    if (change == 0)
        return;
    if (has)
        restate_place(restating, place);
    for (size_t c = change; c > 0;) {
        c = last_change(restating, place, c - 1);
        uint32_t was = meaning_after(restating, place, c);
        if (was == node && !has && !is_settled(restating, place, change) &&
            touch_at(restating->log, place) == NULL)
            state(restating, place, c);
    }
    if (has)
        restate_displaced(restating, place);
}

static void restate_names(struct restating *restating, uint32_t node)
{
    const struct picture *seen = &restating->naive->seen;
    bool named = S_ISDIR(seen->mode[node]);
    for (size_t i = 0; i < seen->name_count; i++) {
        struct touch place = name_place(seen->names[i].directory, seen->names[i].name);
        named = named ||
                meaning_after(restating, &place, last_change(restating, &place, SIZE_MAX)) == node;
    }
    if (restating->stated[node] || !named)
        return;
    restating->stated[node] = true;
    for (size_t i = 0; i < seen->name_count; i++) {
        struct touch place = name_place(seen->names[i].directory, seen->names[i].name);
        restate_name(restating, node, &place);
    }
}

/*
 * The place, and what else was changed by what changed it last: a rename is stated as a whole,
 * with what came after it at its other name, and so on. A directory that got its name has no
 * other.
 */
static void restate_whole(struct restating *restating, const struct touch *place)
{
    size_t change = last_change(restating, place, SIZE_MAX);
    if (is_settled(restating, place, change) || restating->whole[change - 1])
        return;
    restating->whole[change - 1] = true;
    const struct step *step = &restating->naive->steps[change - 1];
    for (size_t t = 0; t < step->touch_count; t++) {
        const struct touch *name = &step->touches[t];
        restate_place(restating, name);
        restate_displaced(restating, name);
        if (S_ISDIR(restating->naive->seen.mode[name->value]))
            restate_names(restating, name->value);
        restate_whole(restating, name);
    }
}

/* What changed in it. */
static void restate_entries(struct restating *restating, uint32_t directory)
{
    const struct picture *seen = &restating->naive->seen;
    for (size_t i = 0; i < seen->name_count; i++) {
        struct touch place = name_place(directory, seen->names[i].name);
        if (seen->names[i].directory == directory)
            restate_whole(restating, &place);
    }
}

/* Whether the operation that created it is not yet durable. */
static bool is_new(const struct restating *restating, uint32_t directory)
{
    const struct naive *naive = restating->naive;
    for (size_t i = 0; i < naive->step_count; i++)
        if (naive->steps[i].creates && naive->steps[i].touches[0].value == directory)
            return fate_of(naive, &naive->steps[i], restating->sync->begin) != DURABLE;
    return false;
}

/* Names of the new directories on the way to a name of it, or to its entries, on which it is the
 * first itself. */
static void restate_parents(struct restating *restating, uint32_t node)
{
    const struct naive *naive = restating->naive;
    for (uint32_t made = 2; made < MAX_NODES; made++) {
        bool leads = is_restated(restating, CM_RESTATE_OWN_ENTRIES) &&
                     is_on_the_way(naive, restating->sync->begin, node, made);
        for (size_t i = 0;
             is_restated(restating, CM_RESTATE_OWN_NAMES) && i < naive->seen.name_count; i++)
            leads = leads || (naive->seen.names[i].node == node &&
                              is_on_the_way(naive, restating->sync->begin,
                                            naive->seen.names[i].directory, made));
        if (leads && is_new(restating, made))
            restate_names(restating, made);
    }
}

/* ---- The rest ---- */

static void restate_content(struct restating *restating, uint32_t node)
{
    struct touch size = {.place = PLACE_SIZE, .node = node};
    restate_place(restating, &size);
    for (uint32_t at = 0; at < MAX_SIZE; at += GRANULE) {
        struct touch granule = {.place = PLACE_BYTES, .node = node, .from = at};
        restate_place(restating, &granule);
    }
}

static void restate_attributes(struct restating *restating, uint32_t node)
{
    struct touch mode = {.place = PLACE_MODE, .node = node};
    struct touch one = {.place = PLACE_XATTR, .node = node, .name = "user.a"};
    struct touch other = {.place = PLACE_XATTR, .node = node, .name = "user.b"};
    restate_place(restating, &mode);
    restate_place(restating, &one);
    restate_place(restating, &other);
}

static void naive_restate(struct naive *naive, size_t index, const struct ff_call *sync)
{
    struct restating restating = {
        .naive = naive, .sync = sync, .set = naive->model->restates[sync_kind(naive, sync)]};
    if (restating.set == 0 || is_written_whole(naive, sync))
        return;
    restating.log = add_step(naive, index, CM_CLASS_LOG);
    restating.log->synced = sync->node;
    if (is_restated(&restating, CM_RESTATE_OWN_NAMES))
        restate_names(&restating, sync->node);
    if (is_restated(&restating, CM_RESTATE_OWN_ENTRIES))
        restate_entries(&restating, sync->node);
    if (is_restated(&restating, CM_RESTATE_PARENTS))
        restate_parents(&restating, sync->node);
    if (is_restated(&restating, CM_RESTATE_OWN_ATTRIBUTES))
        restate_attributes(&restating, sync->node);
    if (is_restated(&restating, CM_RESTATE_OWN_DATA) && S_ISREG(naive->seen.mode[sync->node]))
        restate_content(&restating, sync->node);
    if (restating.log->touch_count == 0)
        naive->step_count--;
}

#endif

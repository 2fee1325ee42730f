/*
 * What a sync states anew: one operation that sets what it names to what it was when the
 * sync began.
 */
#ifndef NAIVE_RESTATE_H
#define NAIVE_RESTATE_H

#include "naive_order.h"

struct restating {
    const struct naive *naive;
    const struct picture *durable; /* in every state that the disk may be in by then */
    struct step *log;
    unsigned set;
    bool stated[MAX_NODES]; /* whose names were */
};

static bool restates(const struct restating *restating, enum cm_restate word)
{
    return (restating->set >> word & 1) != 0;
}

static bool was_touched(const struct step *steps, size_t count, const struct touch *place)
{
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < steps[i].touch_count; t++)
            if (same_place(&steps[i].touches[t], place))
                return true;
    return false;
}

/* What nothing has changed yet need not be stated. */
static void restate_name(struct restating *restating, uint32_t directory, const char *name)
{
    const struct naive *naive = restating->naive;
    struct touch place = {.place = PLACE_NAME, .node = directory};
    snprintf(place.name, sizeof(place.name), "%s", name);
    if (was_touched(naive->steps, (size_t)(restating->log - naive->steps), &place) &&
        !was_touched(restating->log, 1, &place))
        touch_name(restating->log, directory, name,
                   picture_meaning(&naive->seen, directory, name));
}

static void restate_entries(struct restating *restating, uint32_t directory)
{
    const struct picture *seen = &restating->naive->seen;
    for (size_t i = 0; i < seen->name_count; i++)
        if (seen->names[i].directory == directory)
            restate_name(restating, directory, seen->names[i].name);
}

/* Its names, and that it has none of those any more that it lost. */
static void restate_names(struct restating *restating, uint32_t node)
{
    const struct picture *seen = &restating->naive->seen;
    if (restating->stated[node])
        return;
    restating->stated[node] = true;
    for (size_t i = 0; i < seen->name_count; i++) {
        uint32_t directory = seen->names[i].directory, now = seen->names[i].node;
        uint32_t was = picture_meaning(restating->durable, directory, seen->names[i].name);
        if (now != node && was != node)
            continue;
        restate_name(restating, directory, seen->names[i].name);
        if (was != node && was != FF_NO_NODE && restates(restating, CM_RESTATE_DISPLACED))
            restate_names(restating, was);
    }
}

static bool is_new(const struct restating *restating, uint32_t directory)
{
    return directory != FF_ROOT_NODE && count_names(restating->durable, directory) == 0;
}

/* Names of the new directories on the way to it. */
static void restate_parents(struct restating *restating, uint32_t node)
{
    const struct naive *naive = restating->naive;
    for (uint32_t made = 2; made < MAX_NODES; made++) {
        bool leads = false;
        for (size_t i = 0; i < naive->seen.name_count; i++)
            leads = leads || (naive->seen.names[i].node == node &&
                              is_on_the_way(naive, naive->derived, naive->seen.names[i].directory,
                                            made));
        if (leads && is_new(restating, made))
            restate_names(restating, made);
    }
}

static void restate_content(struct restating *restating, uint32_t node)
{
    const struct picture *seen = &restating->naive->seen;
    struct touch size = {.place = PLACE_SIZE, .node = node};
    size_t before = (size_t)(restating->log - restating->naive->steps);
    if (was_touched(restating->naive->steps, before, &size))
        add_touch(restating->log, PLACE_SIZE, node, seen->size[node]);
    for (uint32_t at = 0; at < MAX_SIZE; at += GRANULE) {
        struct touch granule = {.place = PLACE_BYTES, .node = node, .from = at};
        if (!was_touched(restating->naive->steps, before, &granule))
            continue;
        struct touch *touch = add_touch(restating->log, PLACE_BYTES, node, 0);
        touch->from = at;
        touch->to = at + GRANULE;
        memcpy(touch->bytes, seen->bytes[node] + at, GRANULE);
    }
}

static void restate_attributes(struct restating *restating, uint32_t node)
{
    static const char *const names[] = {"user.a", "user.b"};
    const struct picture *seen = &restating->naive->seen;
    struct touch mode = {.place = PLACE_MODE, .node = node};
    size_t before = (size_t)(restating->log - restating->naive->steps);
    if (was_touched(restating->naive->steps, before, &mode))
        add_touch(restating->log, PLACE_MODE, node, seen->mode[node]);
    for (int a = 0; a < 2; a++) {
        struct touch xattr = {.place = PLACE_XATTR, .node = node};
        snprintf(xattr.name, sizeof(xattr.name), "%s", names[a]);
        if (was_touched(restating->naive->steps, before, &xattr))
            touch_xattr(restating->log, node, names[a], (unsigned char)seen->xattrs[node][a]);
    }
}

static void naive_restate(struct naive *naive, size_t index, const struct ff_call *sync)
{
    struct picture durable;
    draw_durable(naive, sync->begin, &durable);
    struct restating restating = {.naive = naive,
                                  .durable = &durable,
                                  .set = naive->model->restates[sync_kind(naive, sync)]};
    if (restating.set == 0)
        return;
    restating.log = add_step(naive, index, CM_CLASS_LOG);
    if (restates(&restating, CM_RESTATE_OWN_NAMES))
        restate_names(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_OWN_ENTRIES))
        restate_entries(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_PARENTS))
        restate_parents(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_OWN_ATTRIBUTES))
        restate_attributes(&restating, sync->node);
    if (restates(&restating, CM_RESTATE_OWN_DATA) && S_ISREG(naive->seen.mode[sync->node]))
        restate_content(&restating, sync->node);
    if (restating.log->touch_count == 0)
        naive->step_count--;
}

#endif

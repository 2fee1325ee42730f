/*
 * Whether a power cut could leave a set of operations: everything that a sync made durable
 * is there; nothing is there without what came before it at the same place, or what a rule
 * wants before it.
 */
#ifndef NAIVE_ORDER_H
#define NAIVE_ORDER_H

#include "naive.h"

static bool has_cover(unsigned set, enum cm_cover cover)
{
    return (set >> cover & 1) != 0;
}

static bool is_name(const struct touch *touch)
{
    return touch->place == PLACE_NAME;
}

/* Whether it makes a name mean something; to write an entry does not. */
static bool is_naming(const struct step *step)
{
    return is_name(&step->touches[0]) && step->entry == 0;
}

/* The file that a touch changes, or the directory. */
static uint32_t changed_by(const struct step *step, const struct touch *touch)
{
    return step->entry != 0 ? step->entry : touch->node;
}

/* ---- The way to a file ---- */

/* What the program saw under a name before a time. */
static uint32_t meaning_at(const struct naive *naive, uint64_t tick, uint32_t directory,
                           const char *name)
{
    struct touch place = {.place = PLACE_NAME, .node = directory};
    snprintf(place.name, sizeof(place.name), "%s", name);
    for (size_t i = naive->step_count; i-- > 0;)
        for (size_t t = naive->steps[i].touch_count; naive->steps[i].tick < tick && t-- > 0;)
            if (naive->steps[i].class != CM_CLASS_LOG &&
                same_place(&naive->steps[i].touches[t], &place))
                return naive->steps[i].touches[t].value;
    struct picture first;
    draw_snapshot(naive->trace, &first);
    return picture_meaning(&first, directory, name);
}

/* The directory of a directory's name before a time; FF_NO_NODE: it is the root, or lost. */
static uint32_t parent_at(const struct naive *naive, uint64_t tick, uint32_t node)
{
    for (size_t i = naive->step_count; i-- > 0;)
        for (size_t t = 0; naive->steps[i].tick < tick && t < naive->steps[i].touch_count; t++) {
            const struct touch *touch = &naive->steps[i].touches[t];
            if (naive->steps[i].class != CM_CLASS_LOG && is_name(touch) && touch->value == node)
                return meaning_at(naive, tick, touch->node, touch->name) == node ? touch->node
                                                                                 : FF_NO_NODE;
        }
    for (size_t i = 0; i < naive->trace->name_count; i++)
        if (naive->trace->names[i].node == node)
            return naive->trace->names[i].parent;
    return FF_NO_NODE;
}

static unsigned most_levels(const struct naive *naive)
{
    return naive->model->parent_levels == 0 ? UINT32_MAX : naive->model->parent_levels;
}

/* Whether a directory lies on the way to a name in `from`, and not more levels above than
 * the model says. */
static bool is_on_the_way(const struct naive *naive, uint64_t tick, uint32_t from,
                          uint32_t directory)
{
    for (unsigned level = 0; from != FF_NO_NODE && level < most_levels(naive); level++) {
        if (from == directory)
            return true;
        from = parent_at(naive, tick, from);
    }
    return false;
}

/* ---- What a sync covers ---- */

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
            (step->touches[t].place == PLACE_CHAIN && step->touches[t].to > to) ||
            (step->touches[t].place == PLACE_BYTES &&
             (step->touches[t].from < from || step->touches[t].from / GRANULE * GRANULE >= to)))
            return false;
    return true;
}

static enum cm_sync sync_kind(const struct naive *naive, const struct ff_call *sync)
{
    if (sync->effect == FF_EFFECT_SYNC_ALL)
        return CM_SYNC_SYNC;
    if (S_ISDIR(naive->seen.mode[sync->node]))
        return CM_SYNC_FSYNC_DIRECTORY;
    bool all = sync->effect == FF_EFFECT_SYNC_FILE || sync->effect == FF_EFFECT_SYNC_RANGE;
    return all ? CM_SYNC_FSYNC_FILE : CM_SYNC_FDATASYNC_FILE;
}

/* What a name meant before a step that changes it. */
static uint32_t meant_before(const struct naive *naive, const struct step *step,
                             const struct touch *name)
{
    while (step-- > naive->steps)
        for (size_t t = 0; step->class != CM_CLASS_LOG && t < step->touch_count; t++)
            if (same_place(&step->touches[t], name))
                return step->touches[t].value;
    struct picture first;
    draw_snapshot(naive->trace, &first);
    return picture_meaning(&first, name->node, name->name);
}

/* Whether the step by itself, not the others of its call, changes the node, a name that it has
 * or had, or a name in it. */
static bool concerns(const struct naive *naive, const struct step *step, uint32_t node)
{
    bool does = false;
    for (size_t t = 0; t < step->touch_count; t++) {
        const struct touch *touch = &step->touches[t];
        does =
            does || changed_by(step, touch) == node ||
            (is_naming(step) && (touch->value == node || meant_before(naive, step, touch) == node));
    }
    return does;
}

/* Whether what is synced was changed by the step or later: metadata is written up to there. */
static bool is_before_last_change(const struct naive *naive, const struct ff_call *sync,
                                  const struct step *step)
{
    for (; step < naive->steps + naive->step_count; step++)
        if (step->class != CM_CLASS_LOG && step->foreign != REUSE &&
            naive->trace->calls[step->call].end < sync->begin && concerns(naive, step, sync->node))
            return true;
    return false;
}

static bool is_meta(const struct step *step)
{
    return (CM_SET_META >> step->class & 1) != 0;
}

static bool knows_checkpoints(const struct naive *naive)
{
    return naive->model->choices[CM_CHOICE_CHECKPOINT] == CM_CHECKPOINT_MOVED;
}

/*
 * Whether the synced file got one more name, or another one, after every other sync of it,
 * also one that failed. None may run at the same time.
 */
static bool is_moved(const struct naive *naive, const struct ff_call *sync)
{
    const struct ff_call *calls = naive->trace->calls;
    uint64_t last = 0;
    for (size_t i = 0; i < naive->trace->call_count; i++)
        if ((is_sync(&calls[i]) || calls[i].effect == FF_EFFECT_SYNC_FAILED) &&
            calls[i].node == sync->node && &calls[i] != sync && calls[i].begin < sync->end &&
            calls[i].end > last)
            last = calls[i].end;
    if (sync->node == FF_NO_NODE || !S_ISREG(naive->seen.mode[sync->node]) || last > sync->begin)
        return false;
    for (size_t i = 0; i < naive->step_count; i++) {
        const struct step *step = &naive->steps[i];
        for (size_t t = 0; t < step->touch_count; t++)
            if (is_naming(step) && step->class != CM_CLASS_LOG && !step->creates &&
                step->touches[t].value == sync->node && calls[step->call].begin > last &&
                calls[step->call].end < sync->begin)
                return true;
    }
    return false;
}

/* Whether it writes a checkpoint, and no log, since the file was moved. */
static bool is_written_whole(const struct naive *naive, const struct ff_call *sync)
{
    return knows_checkpoints(naive) && is_moved(naive, sync);
}

/* Whether all metadata is written up to the step. */
static bool writes_metadata(const struct naive *naive, const struct ff_call *sync,
                            const struct step *step)
{
    bool all = has_cover(naive->model->covers[sync_kind(naive, sync)], CM_COVER_ALL_META);
    bool directory = sync->node != FF_NO_NODE && S_ISDIR(naive->seen.mode[sync->node]);
    if (all && knows_checkpoints(naive) && directory)
        return true;
    return (all || is_written_whole(naive, sync)) && is_before_last_change(naive, sync, step);
}

/* Whether the sync covers the step as one. */
static bool covers_whole(const struct naive *naive, const struct ff_call *sync,
                         const struct step *step)
{
    unsigned set = naive->model->covers[sync_kind(naive, sync)];
    return has_cover(set, CM_COVER_EVERYTHING) ||
           (is_meta(step) && writes_metadata(naive, sync, step));
}

/* Whether the sync covers one touch of a step. */
static bool covers(const struct naive *naive, const struct ff_call *sync, const struct step *step,
                   const struct touch *touch)
{
    unsigned set = naive->model->covers[sync_kind(naive, sync)];
    if (is_name(touch) && step->entry == 0)
        return (touch->node == sync->node && has_cover(set, CM_COVER_OWN_ENTRIES)) ||
               (step->creates && touch->value == sync->node &&
                !S_ISDIR(naive->seen.mode[sync->node]) && has_cover(set, CM_COVER_OWN_CREATION));
    bool content = touch->place != PLACE_MODE && touch->place != PLACE_XATTR;
    bool instead = (naive->model->restates[sync_kind(naive, sync)] >> CM_RESTATE_OWN_DATA & 1) != 0;
    return changed_by(step, touch) == sync->node &&
           (has_cover(set, content ? CM_COVER_OWN_DATA : CM_COVER_OWN_ATTRIBUTES) ||
            (content && instead && is_written_whole(naive, sync))) &&
           (!content || is_in_range(sync, step));
}

/* Whether each call makes the step durable, by returning. */
static bool covers_every_call(const struct naive *naive, const struct step *step)
{
    unsigned set = naive->model->covers[CM_SYNC_EVERY_CALL];
    return has_cover(set, CM_COVER_EVERYTHING) ||
           (has_cover(set, CM_COVER_ALL_META) && is_meta(step));
}

/* ---- What is durable at a time ---- */

/* Whether the failed sync lost the step, if that was dirty then. */
static bool loses(const struct ff_call *sync, const struct step *step)
{
    /* And what another sync of the file was about to state. */
    if (step->class == CM_CLASS_LOG)
        return sync->effect == FF_EFFECT_SYNC_FAILED &&
               (sync->node == FF_NO_NODE || sync->node == step->synced);
    return sync->effect == FF_EFFECT_SYNC_FAILED &&
           (step->is_data || step->foreign == STALE || step->class == CM_CLASS_GROW) &&
           (sync->node == FF_NO_NODE || sync->node == changed_by(step, &step->touches[0])) &&
           is_in_range(sync, step);
}

enum fate { DIRTY, DURABLE, LOST };

/* What became of the step by all syncs that returned until tick; calls are sorted by end. */
static enum fate fate_of(const struct naive *naive, const struct step *step, uint64_t tick)
{
    size_t count = is_name(&step->touches[0]) ? step->touch_count : 1, durable = 0;
    bool covered[2] = {false, false};
    uint64_t done = naive->trace->calls[step->call].end;
    if (step->foreign == REUSE)
        return DIRTY;
    if (step->class != CM_CLASS_LOG && covers_every_call(naive, step))
        return done < tick ? DURABLE : DIRTY;
    for (size_t i = 0; i < naive->trace->call_count; i++) {
        const struct ff_call *sync = &naive->trace->calls[i];
        if (step->class == CM_CLASS_LOG && i == step->call && done <= tick)
            return DURABLE;
        /* What a sync states is lost by one that fails, whenever that began, while it runs. */
        bool concerned = step->class == CM_CLASS_LOG ? step->tick < sync->end && loses(sync, step)
                                                     : done < sync->begin;
        if (!concerned || sync->end > tick)
            continue;
        if (loses(sync, step))
            return LOST;
        if (is_sync(sync) && covers_whole(naive, sync, step))
            return DURABLE;
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

/*
 * The steps that were issued by a boundary's tick, as bits. What a sync states may be on the disk
 * before the next one, if there is one while the sync runs: what it covers comes first.
 */
static inline unsigned issued_by(const struct naive *naive, uint64_t tick, uint64_t next)
{
    unsigned issued = 0;
    for (size_t i = 0; i < naive->step_count; i++) {
        const struct step *step = &naive->steps[i];
        bool runs = step->class == CM_CLASS_LOG && step->tick < next &&
                    naive->trace->calls[step->call].end != next;
        if (step->tick <= tick || runs)
            issued |= 1u << i;
    }
    return issued;
}

/* Of those issued by a tick, the steps that are durable just after it. */
static inline unsigned durable_steps(const struct naive *naive, unsigned issued, uint64_t tick)
{
    unsigned durable = 0;
    for (size_t i = 0; i < naive->step_count; i++)
        if ((issued >> i & 1) != 0 && fate_of(naive, &naive->steps[i], tick) == DURABLE)
            durable |= 1u << i;
    return durable;
}

/* ---- What comes before what ---- */

/* Whether a sync that had returned before the later step stated the place behind the earlier. */
static bool is_stated_between(const struct naive *naive, size_t earlier, size_t later,
                              const struct touch *place)
{
    for (size_t i = earlier + 1; i < later; i++) {
        const struct step *log = &naive->steps[i];
        for (size_t t = 0; log->class == CM_CLASS_LOG && t < log->touch_count; t++)
            if (same_place(&log->touches[t], place) && log->touches[t].behind > earlier &&
                fate_of(naive, log, naive->steps[later].tick) == DURABLE)
                return true;
    }
    return false;
}

/* Whether both change the same place, and what a sync states needs nothing of what it states. */
static bool steps_meet(const struct naive *naive, size_t earlier, size_t later)
{
    const struct step *one = &naive->steps[earlier], *other = &naive->steps[later];
    for (size_t i = 0; i < one->touch_count; i++)
        for (size_t j = 0; j < other->touch_count; j++)
            if (same_place(&one->touches[i], &other->touches[j]) && one->class != CM_CLASS_LOG &&
                other->class != CM_CLASS_LOG && one->foreign != REUSE && other->foreign != REUSE &&
                !is_stated_between(naive, earlier, later, &one->touches[i]))
                return true;
    return false;
}

/* What is stated of a file is of that file, also if it is names only. */
static bool is_log_of(const struct step *log, const struct step *step)
{
    return log->class == CM_CLASS_LOG && !is_naming(step) &&
           changed_by(step, &step->touches[0]) == log->synced;
}

static bool names(const struct step *step, size_t touch)
{
    return is_name(&step->touches[touch]) && step->entry == 0;
}

static bool is_in_scope(enum cm_scope scope, const struct step *earlier, const struct step *later)
{
    if (scope == CM_SCOPE_ALL || (scope == CM_SCOPE_CALL && earlier->call == later->call))
        return true;
    if (scope == CM_SCOPE_FILE && (is_log_of(earlier, later) || is_log_of(later, earlier)))
        return true;
    for (size_t i = 0; i < earlier->touch_count; i++)
        for (size_t j = 0; j < later->touch_count; j++) {
            uint32_t one = changed_by(earlier, &earlier->touches[i]);
            uint32_t other = changed_by(later, &later->touches[j]);
            bool named = scope == CM_SCOPE_NAMED;
            if ((scope == CM_SCOPE_FILE && !names(earlier, i) && !names(later, j) &&
                 one == other) ||
                (scope == CM_SCOPE_DIRECTORY && names(earlier, i) && names(later, j) &&
                 one == other) ||
                (named && !names(earlier, i) && names(later, j) && one == later->touches[j].value))
                return true;
        }
    return false;
}

/* Whether a rule of the model wants the earlier step before the later one. None speaks of what
 * is another file's. */
static bool rule_orders(const struct naive *naive, const struct step *earlier,
                        const struct step *later)
{
    bool own = earlier->foreign == OF_ITS_OWN && later->foreign == OF_ITS_OWN;
    for (size_t r = 0; own && r < naive->model->rule_count; r++) {
        const struct cm_order_rule *rule = &naive->model->rules[r];
        if ((rule->before >> earlier->class & 1) != 0 && (rule->after >> later->class & 1) != 0 &&
            is_in_scope(rule->scope, earlier, later))
            return true;
    }
    return false;
}

/* Whether the later of two pieces of one call needs the earlier one. */
static bool tears_as_prefix(const struct naive *naive, const struct step *earlier,
                            const struct step *later)
{
    return earlier->call == later->call && earlier->is_data && later->is_data &&
           tears_alike(naive, earlier, later) &&
           how_tears(naive, later->class) == CM_TEARING_PREFIX;
}

static bool precedes(const struct naive *naive, size_t earlier, size_t later)
{
    const struct step *one = &naive->steps[earlier], *other = &naive->steps[later];
    return (steps_meet(naive, earlier, later) || other->after == earlier + 1 ||
            tears_as_prefix(naive, one, other) || rule_orders(naive, one, other)) &&
           !is_lost(naive, one);
}

/* Whether a power cut after which these are issued, and these durable, may leave exactly the
 * steps of a subset. */
static inline bool is_legal(const struct naive *naive, unsigned subset, unsigned issued,
                            unsigned durable)
{
    if ((durable & ~subset) != 0 || (subset & ~issued) != 0)
        return false;
    for (size_t i = 0; i < naive->step_count; i++)
        for (size_t j = 0; (subset >> i & 1) != 0 && j < i; j++)
            if ((subset >> j & 1) == 0 && precedes(naive, j, i))
                return false;
    return true;
}

#endif

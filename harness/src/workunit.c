#include "workunit.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "outcome.h"
#include "process.h"

/* Different outcomes that a unit has room for, and how long it takes at most, if each
 * of its runs is short. */
enum { OUTCOMES = CM_UNIT_OUTCOMES, SLICE_NS = 10000000 };

enum counting { NOT_COUNTED, COUNTED, TOO_HARD };

struct unit {
    uint32_t limit; /* runs */
    uint32_t outcome_count;
    _Atomic uint32_t counting;
    /*
     * What is there: one word, so that it changes at once. Leaves in the upper half; then
     * jobs, and in the lowest bits whether a job is at hand and in which of two places.
     * What it does not speak of may be in the middle of being written.
     */
    _Atomic uint64_t position;
    uint64_t hashes[OUTCOMES];
    struct cm_outcome outcomes[OUTCOMES];
    char recording[PATH_MAX]; /* "" if it is none */
};

struct position {
    uint32_t leaves, jobs;
    bool at_hand;
    unsigned place;
};

static struct position position_get(const struct unit *unit)
{
    uint64_t word = atomic_load(&unit->position);
    return (struct position){(uint32_t)(word >> 32), (uint32_t)word >> 2, (word & 2) != 0,
                             word & 1};
}

static void position_set(struct unit *unit, struct position now)
{
    atomic_store(&unit->position, (uint64_t)now.leaves << 32 | (uint64_t)now.jobs << 2 |
                                      (uint64_t)now.at_hand << 1 | now.place);
}

/* ---- Layout ---- */

static size_t limbs(const struct cm_poset *poset)
{
    return poset->words + 1;
}

struct cm_unit_layout cm_unit_layout(const struct cm_poset *poset, uint32_t runs, uint32_t jobs)
{
    struct cm_unit_layout layout = {
        .poset = poset,
        .job_size = cm_job_size(poset),
        .leaf_size = cm_leaf_size(poset),
        .leaf_capacity = runs,
        /* One run may leave so many; depth first, further runs leave few more. */
        .job_capacity = (uint32_t)cm_split_limit(poset) + jobs + runs,
    };
    layout.covered = (sizeof(struct unit) + 63) / 64 * 64;
    layout.leaves = layout.covered + limbs(poset) * sizeof(uint64_t);
    layout.jobs = layout.leaves + layout.leaf_capacity * layout.leaf_size;
    /* Two places for the job at hand, in front of the others. */
    layout.size = layout.jobs + (2 + (size_t)layout.job_capacity) * layout.job_size;
    return layout;
}

static struct cm_job *place_at(const struct cm_unit_layout *layout, void *area, unsigned place)
{
    return (void *)((unsigned char *)area + layout->jobs + place * layout->job_size);
}

static struct cm_job *job_at(const struct cm_unit_layout *layout, void *area, uint32_t index)
{
    return (void *)((unsigned char *)area + layout->jobs + (2 + (size_t)index) * layout->job_size);
}

static struct cm_leaf *leaf_at(const struct cm_unit_layout *layout, void *area, uint32_t index)
{
    return (void *)((unsigned char *)area + layout->leaves + index * layout->leaf_size);
}

static uint64_t *covered_at(const struct cm_unit_layout *layout, void *area)
{
    return (void *)((unsigned char *)area + layout->covered);
}

/* ---- By the caller ---- */

void cm_unit_begin(const struct cm_unit_layout *layout, void *area, uint32_t limit)
{
    struct unit *unit = area;
    unit->limit = limit < layout->leaf_capacity ? limit : layout->leaf_capacity;
    unit->outcome_count = 0;
    unit->recording[0] = '\0';
    atomic_store(&unit->counting, NOT_COUNTED);
    position_set(unit, (struct position){0});
}

void cm_unit_begin_recording(const struct cm_unit_layout *layout, void *area, const char *path)
{
    struct unit *unit = area;
    cm_unit_begin(layout, area, 1);
    snprintf(unit->recording, sizeof(unit->recording), "%s", path);
}

const char *cm_unit_recording(const void *area)
{
    const struct unit *unit = area;
    return unit->recording[0] == '\0' ? NULL : unit->recording;
}

void cm_unit_put(const struct cm_unit_layout *layout, void *area, const struct cm_job *job)
{
    struct position now = position_get(area);
    if (!now.at_hand)
        memcpy(place_at(layout, area, now.place), job, layout->job_size);
    else
        memcpy(job_at(layout, area, now.jobs++), job, layout->job_size);
    now.at_hand = true;
    position_set(area, now);
}

uint32_t cm_unit_limit(const void *area)
{
    return ((const struct unit *)area)->limit;
}

uint32_t cm_unit_leaf_count(const void *area)
{
    return position_get(area).leaves;
}

const struct cm_leaf *cm_unit_leaf(const struct cm_unit_layout *layout, const void *area,
                                   uint32_t index)
{
    return leaf_at(layout, (void *)(uintptr_t)area, index);
}

const struct cm_outcome *cm_unit_outcome(const void *area, const struct cm_leaf *leaf)
{
    return &((const struct unit *)area)->outcomes[leaf->outcome];
}

uint32_t cm_unit_job_count(const void *area)
{
    return position_get(area).jobs;
}

const struct cm_job *cm_unit_job(const struct cm_unit_layout *layout, const void *area,
                                 uint32_t index)
{
    return job_at(layout, (void *)(uintptr_t)area, index);
}

const struct cm_job *cm_unit_at_hand(const struct cm_unit_layout *layout, const void *area)
{
    struct position now = position_get(area);
    return now.at_hand ? place_at(layout, (void *)(uintptr_t)area, now.place) : NULL;
}

int cm_unit_covered(const struct cm_unit_layout *layout, const void *area, mpz_t sum)
{
    const struct unit *unit = area;
    uint32_t counting = atomic_load(&unit->counting);
    if (counting != COUNTED)
        return counting == TOO_HARD ? 0 : -1;
    mpz_t covered;
    mpz_init(covered);
    mpz_import(covered, limbs(layout->poset), -1, sizeof(uint64_t), 0, 0,
               covered_at(layout, (void *)(uintptr_t)area));
    mpz_add(sum, sum, covered);
    mpz_clear(covered);
    return 1;
}

/* ---- By the worker ---- */

/* Where the outcome is among those of the unit, which has room for one more. */
static uint32_t outcome_find(struct unit *unit, const struct cm_outcome *outcome)
{
    uint64_t hash = cm_outcome_hash(outcome);
    for (uint32_t i = 0; i < unit->outcome_count; i++)
        if (unit->hashes[i] == hash && cm_same_outcome(&unit->outcomes[i], outcome))
            return i;
    unit->hashes[unit->outcome_count] = hash;
    unit->outcomes[unit->outcome_count] = *outcome;
    return unit->outcome_count++;
}

/* Puts the leaf and the children of the job at hand into the unit, all at once. */
static void commit(const struct cm_unit_layout *layout, struct unit *unit,
                   const struct cm_records *children)
{
    struct position now = position_get(unit);
    uint32_t count = (uint32_t)children->count;
    for (uint32_t i = 0; i + 1 < count; i++)
        memcpy(job_at(layout, unit, now.jobs++), cm_record(children, i), layout->job_size);
    const struct cm_job *next = NULL;
    if (count > 0)
        next = cm_record(children, count - 1);
    else if (now.jobs > 0)
        next = job_at(layout, unit, --now.jobs);
    now.place = 1 - now.place;
    now.at_hand = next != NULL;
    if (next != NULL)
        memcpy(place_at(layout, unit, now.place), next, layout->job_size);
    now.leaves++;
    position_set(unit, now);
}

static void count_leaves(const struct cm_unit_layout *layout, struct unit *unit,
                         const struct cm_unit_worker *worker)
{
    uint64_t *covered = covered_at(layout, unit);
    uint32_t counting = COUNTED;
    mpz_t sum;
    mpz_init(sum);
    for (uint32_t i = 0; i < position_get(unit).leaves && counting == COUNTED; i++) {
        const struct cm_leaf *leaf = leaf_at(layout, unit, i);
        if (leaf->counts != 0 && cm_is_mine(worker->splitter, leaf) &&
            !cm_counter_add(worker->counter, cm_cylinder_of(layout->poset, leaf->sets), sum))
            counting = TOO_HARD;
    }
    memset(covered, 0, limbs(layout->poset) * sizeof(*covered));
    mpz_export(covered, NULL, -1, sizeof(*covered), 0, 0, sum);
    mpz_clear(sum);
    atomic_store(&unit->counting, counting);
}

static bool has_room(const struct cm_unit_layout *layout, const struct unit *unit)
{
    struct position now = position_get(unit);
    return now.leaves < unit->limit && unit->outcome_count < OUTCOMES &&
           now.jobs + cm_split_limit(layout->poset) <= layout->job_capacity;
}

void cm_unit_work(const struct cm_unit_layout *layout, void *area, struct cm_pool_job *job,
                  const struct cm_unit_worker *worker, struct cm_outcome *outcome)
{
    struct unit *unit = area;
    uint64_t end = cm_process_clock() + SLICE_NS;
    const struct cm_job *at_hand;
    while ((at_hand = cm_unit_at_hand(layout, unit)) != NULL && has_room(layout, unit)) {
        struct cm_outcome found = {.status = CM_BROKEN};
        const struct cm_observations *seen = worker->run(worker->context, at_hand, &found);
        if (found.status == CM_BROKEN) {
            *outcome = found;
            return;
        }
        struct cm_leaf *leaf = leaf_at(layout, unit, cm_unit_leaf_count(unit));
        const struct cm_records *children = cm_split(worker->splitter, at_hand, seen, leaf);
        leaf->outcome = outcome_find(unit, &found);
        commit(layout, unit, children);
        if (cm_pool_renew(job) >= end)
            break;
    }
    if (worker->counter != NULL)
        count_leaves(layout, unit, worker);
    *outcome = (struct cm_outcome){.status = CM_ACCEPTED};
}

#include "ledger.h"

#include "outcome.h"

void cm_ledger_begin(struct cm_ledger *ledger, const struct cm_poset *poset,
                     struct cm_counter *counter)
{
    *ledger = (struct cm_ledger){
        .poset = poset,
        .counter = counter,
        .leaves.size = cm_leaf_size(poset),
        .jobs.size = cm_job_size(poset),
        .moved = cm_allocate(1, cm_job_size(poset)),
        .countable = true,
    };
    mpz_init(ledger->covered);
}

void cm_ledger_end(struct cm_ledger *ledger)
{
    cm_records_free(&ledger->leaves);
    cm_records_free(&ledger->jobs);
    free(ledger->moved);
    free(ledger->outcomes);
    free(ledger->outcome_table);
    mpz_clear(ledger->covered);
}

/* ---- Jobs: a stack, or a heap with the least rank on top ---- */

uint64_t cm_deviations(const struct cm_poset *poset, const struct cm_job *job)
{
    struct cm_cylinder cylinder = cm_cylinder_of(poset, job->sets);
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder);
    uint64_t lost = 0, kept = 0;
    CM_FOR_EACH(o, cylinder.excluded, poset->operation_count)
    lost += poset->operations[o].shown.boundary <= legal.first;
    CM_FOR_EACH(o, cylinder.included, poset->operation_count)
    kept += poset->operations[o].shown.durable >= legal.end;
    return lost < kept ? lost : kept;
}

static uint64_t rank_of(const struct cm_ledger *ledger, const struct cm_job *job)
{
    if (ledger->order == CM_FEWEST_DEVIATIONS)
        return cm_deviations(ledger->poset, job);
    return cm_hash_sets(ledger->poset, job->sets, job->output, ledger->seed);
}

/* No two jobs are equal, so that the order is one whatever came first. */
static bool is_before(const struct cm_ledger *ledger, const struct cm_job *a,
                      const struct cm_job *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    for (size_t i = 0; i < 2 * ledger->poset->words; i++)
        if (a->sets[i] != b->sets[i])
            return a->sets[i] < b->sets[i];
    return a->output < b->output;
}

/* Moves a job to its place among those from index on, of which index is free. */
static void sift_down(struct cm_ledger *ledger, size_t index, const struct cm_job *job)
{
    struct cm_records *jobs = &ledger->jobs;
    for (size_t child = 2 * index + 1; child < jobs->count; child = 2 * index + 1) {
        if (child + 1 < jobs->count &&
            is_before(ledger, cm_record(jobs, child + 1), cm_record(jobs, child)))
            child++;
        if (!is_before(ledger, cm_record(jobs, child), job))
            break;
        memcpy(cm_record(jobs, index), cm_record(jobs, child), jobs->size);
        index = child;
    }
    memcpy(cm_record(jobs, index), job, jobs->size);
}

void cm_ledger_order(struct cm_ledger *ledger, enum cm_order order, uint64_t seed)
{
    struct cm_records *jobs = &ledger->jobs;
    ledger->order = order;
    ledger->seed = seed;
    if (order == CM_NEWEST_FIRST || jobs->count == 0)
        return;
    for (size_t i = 0; i < jobs->count; i++) {
        struct cm_job *at = cm_record(jobs, i);
        at->rank = rank_of(ledger, at);
    }
    for (size_t i = jobs->count / 2; i-- > 0;) {
        memcpy(ledger->moved, cm_record(jobs, i), jobs->size);
        sift_down(ledger, i, ledger->moved);
    }
}

void cm_ledger_add_job(struct cm_ledger *ledger, const struct cm_job *job)
{
    struct cm_records *jobs = &ledger->jobs;
    struct cm_job *added = cm_records_add(jobs, job);
    if (ledger->order == CM_NEWEST_FIRST)
        return;
    added->rank = rank_of(ledger, added);
    struct cm_job *moved = ledger->moved;
    memcpy(moved, added, jobs->size);
    size_t index = jobs->count - 1;
    while (index > 0 && is_before(ledger, moved, cm_record(jobs, (index - 1) / 2))) {
        memcpy(cm_record(jobs, index), cm_record(jobs, (index - 1) / 2), jobs->size);
        index = (index - 1) / 2;
    }
    memcpy(cm_record(jobs, index), moved, jobs->size);
}

void cm_ledger_take(struct cm_ledger *ledger, struct cm_job *job)
{
    struct cm_records *jobs = &ledger->jobs;
    const struct cm_job *last = cm_record(jobs, --jobs->count);
    if (ledger->order == CM_NEWEST_FIRST || jobs->count == 0) {
        memcpy(job, last, jobs->size);
        return;
    }
    memcpy(job, cm_record(jobs, 0), jobs->size);
    /* The last one's place is behind all that is moved. */
    sift_down(ledger, 0, last);
}

/* ---- Outcomes ---- */

static uint32_t *outcome_slot(const struct cm_ledger *ledger, const struct cm_outcome *outcome)
{
    uint64_t hash = cm_outcome_hash(outcome);
    for (;; hash++) {
        uint32_t *at = &ledger->outcome_table[hash % ledger->outcome_table_size];
        if (*at == 0 || cm_same_outcome(&ledger->outcomes[*at - 1], outcome))
            return at;
    }
}

uint32_t cm_ledger_outcome(struct cm_ledger *ledger, const struct cm_outcome *outcome)
{
    if (ledger->outcome_count * 2 >= ledger->outcome_table_size) {
        free(ledger->outcome_table);
        ledger->outcome_table_size = 2 * ledger->outcome_table_size + 64;
        ledger->outcome_table = cm_allocate(ledger->outcome_table_size, sizeof(uint32_t));
        for (uint32_t i = 0; i < ledger->outcome_count; i++)
            *outcome_slot(ledger, &ledger->outcomes[i]) = i + 1;
    }
    uint32_t *slot = outcome_slot(ledger, outcome);
    if (*slot == 0) {
        ledger->outcomes = cm_reserve(ledger->outcomes, ledger->outcome_count,
                                      &ledger->outcome_capacity, sizeof(*ledger->outcomes));
        ledger->outcomes[ledger->outcome_count++] = *outcome;
        *slot = (uint32_t)ledger->outcome_count;
    }
    return *slot - 1;
}

/* ---- Leaves ---- */

void cm_ledger_agree(struct cm_ledger *ledger, const struct cm_leaf *leaf,
                     const struct cm_outcome *outcome)
{
    if (leaf->shared != 0)
        ledger->agreement +=
            cm_hash_sets(ledger->poset, leaf->sets, leaf->last_output, cm_outcome_hash(outcome));
}

void cm_ledger_add_leaf(struct cm_ledger *ledger, const struct cm_leaf *leaf)
{
    cm_records_add(&ledger->leaves, leaf);
}

void cm_ledger_count(struct cm_ledger *ledger, const struct cm_leaf *leaf)
{
    if (leaf->counts != 0 && ledger->countable)
        ledger->countable = cm_counter_add(
            ledger->counter, cm_cylinder_of(ledger->poset, leaf->sets), ledger->covered);
}

void cm_ledger_absorb(struct cm_ledger *ledger, struct cm_ledger *other)
{
    for (size_t i = 0; i < other->leaves.count; i++) {
        struct cm_leaf *leaf = cm_record(&other->leaves, i);
        leaf->outcome = cm_ledger_outcome(ledger, cm_leaf_outcome(other, leaf));
        cm_ledger_add_leaf(ledger, leaf);
    }
    for (size_t i = 0; i < other->jobs.count; i++)
        cm_ledger_add_job(ledger, cm_record(&other->jobs, i));
    ledger->foreign += other->foreign;
    ledger->agreement += other->agreement;
    ledger->countable = ledger->countable && other->countable;
    mpz_add(ledger->covered, ledger->covered, other->covered);
    other->leaves.count = other->jobs.count = 0;
    other->foreign = other->agreement = 0;
    mpz_set_ui(other->covered, 0);
}

char *cm_ledger_covered(const struct cm_ledger *ledger)
{
    return ledger->countable ? mpz_get_str(NULL, 10, ledger->covered) : NULL;
}

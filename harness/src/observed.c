#include "observed.h"

#include <stdlib.h>

#include "memory.h"
#include "state.h"

/* Of a job: whichever output there may be. */
#define ANY_OUTPUT UINT32_MAX

/* Its sets are included and excluded, one behind the other. */
struct job {
    cm_word *sets;
    uint32_t output; /* the only one, or ANY_OUTPUT */
};

struct leaf {
    cm_word *sets;
    uint32_t first_output, last_output; /* that it is decided for */
    uint32_t outcome;
};

struct cm_observed {
    const struct cm_poset *poset;
    struct cm_counter *counter;
    struct cm_observer *everything;
    struct cm_observations *all; /* of it */

    struct job *jobs; /* by ticket */
    size_t job_count, job_capacity;
    uint64_t *free_tickets;
    size_t free_count, free_capacity;
    uint64_t *waiting; /* a stack of tickets */
    size_t waiting_count, waiting_capacity;

    struct leaf *leaves;
    size_t leaf_count, leaf_capacity;
    struct cm_outcome *outcomes; /* each once */
    size_t outcome_count, outcome_capacity;
    mpz_t covered;
    bool countable;
    cm_word *pending; /* scratch, and two more sets behind it */
};

/* ---- Jobs ---- */

static struct cm_cylinder cylinder_of(const struct cm_observed *observed, const cm_word *sets)
{
    return (struct cm_cylinder){sets, sets + observed->poset->words};
}

static cm_word *sets_new(const struct cm_observed *observed, struct cm_cylinder cylinder)
{
    size_t words = observed->poset->words;
    cm_word *sets = cm_allocate(2 * words, sizeof(*sets));
    cm_copy(sets, cylinder.included, words);
    cm_copy(sets + words, cylinder.excluded, words);
    return sets;
}

/* Takes over the sets. */
static void job_add(struct cm_observed *observed, cm_word *sets, uint32_t output)
{
    uint64_t ticket = observed->job_count;
    if (observed->free_count > 0) {
        ticket = observed->free_tickets[--observed->free_count];
    } else {
        observed->jobs = cm_reserve(observed->jobs, observed->job_count, &observed->job_capacity,
                                    sizeof(*observed->jobs));
        observed->job_count++;
    }
    observed->jobs[ticket] = (struct job){sets, output};
    observed->waiting = cm_reserve(observed->waiting, observed->waiting_count,
                                   &observed->waiting_capacity, sizeof(*observed->waiting));
    observed->waiting[observed->waiting_count++] = ticket;
}

static void ticket_free(struct cm_observed *observed, uint64_t ticket)
{
    observed->free_tickets = cm_reserve(observed->free_tickets, observed->free_count,
                                        &observed->free_capacity, sizeof(*observed->free_tickets));
    observed->free_tickets[observed->free_count++] = ticket;
}

struct cm_observed *cm_observed_new(const struct cm_poset *poset, struct cm_counter *counter)
{
    struct cm_observed *observed = cm_allocate(1, sizeof(*observed));
    observed->poset = poset;
    observed->counter = counter;
    observed->everything = cm_observer_new(poset);
    observed->all = cm_allocate(cm_observations_size(poset), 1);
    observed->pending = cm_allocate(3 * poset->words, sizeof(cm_word));
    observed->countable = true;
    mpz_init(observed->covered);
    job_add(observed, cm_allocate(2 * poset->words, sizeof(cm_word)), ANY_OUTPUT);
    return observed;
}

void cm_observed_free(struct cm_observed *observed)
{
    if (observed == NULL)
        return;
    for (size_t i = 0; i < observed->free_count; i++)
        observed->jobs[observed->free_tickets[i]].sets = NULL;
    for (size_t i = 0; i < observed->job_count; i++)
        free(observed->jobs[i].sets);
    for (size_t i = 0; i < observed->leaf_count; i++)
        free(observed->leaves[i].sets);
    cm_observer_free(observed->everything);
    free(observed->all);
    free(observed->jobs);
    free(observed->free_tickets);
    free(observed->waiting);
    free(observed->leaves);
    free(observed->outcomes);
    free(observed->pending);
    mpz_clear(observed->covered);
    free(observed);
}

size_t cm_observed_waiting(const struct cm_observed *observed)
{
    return observed->waiting_count;
}

uint64_t cm_observed_take(struct cm_observed *observed)
{
    return observed->waiting[--observed->waiting_count];
}

/*
 * The largest ideal holds all that is not excluded. What was called after the last
 * boundary of the cylinder is excluded, too: something excluded is durable by then,
 * and precedes it.
 */
void cm_observed_case(const struct cm_observed *observed, uint64_t ticket, cm_word *ideal,
                      uint32_t *outputs)
{
    const struct cm_poset *poset = observed->poset;
    const struct job *job = &observed->jobs[ticket];
    struct cm_cylinder cylinder = cylinder_of(observed, job->sets);
    memset(ideal, 0, poset->words * sizeof(*ideal));
    for (size_t o = 0; o < poset->operation_count; o++)
        if (!cm_has(cylinder.excluded, o))
            cm_add(ideal, o);
    *outputs = job->output;
    if (job->output == ANY_OUTPUT)
        *outputs = poset->outputs[cm_cylinder_boundaries(poset, cylinder).end - 1];
}

/* ---- Outputs ---- */

/* Keeps those members that are legal at some boundary with so many outputs. */
static void restrict_to_output(const struct cm_observed *observed, uint32_t output, cm_word *sets)
{
    const struct cm_poset *poset = observed->poset;
    uint32_t start = poset->output_starts[output], end = poset->output_starts[output + 1];
    for (size_t o = 0; o < poset->operation_count; o++) {
        if (poset->operations[o].shown.durable <= start)
            cm_add(sets, o);
        if (poset->operations[o].shown.boundary >= end)
            cm_add(sets + poset->words, o);
    }
}

static void other_outputs_add(struct cm_observed *observed, struct cm_cylinder leaf,
                              uint32_t decided)
{
    const struct cm_poset *poset = observed->poset;
    struct cm_interval legal = cm_cylinder_boundaries(poset, leaf);
    for (uint32_t k = poset->outputs[legal.first]; k <= poset->outputs[legal.end - 1]; k++) {
        if (k == decided)
            continue;
        cm_word *sets = sets_new(observed, leaf);
        restrict_to_output(observed, k, sets);
        job_add(observed, sets, k);
    }
}

/* ---- Deciding ---- */

static uint32_t outcome_find(struct cm_observed *observed, const struct cm_outcome *outcome)
{
    size_t i = 0;
    while (i < observed->outcome_count && (observed->outcomes[i].status != outcome->status ||
                                           strcmp(observed->outcomes[i].text, outcome->text) != 0))
        i++;
    if (i == observed->outcome_count) {
        observed->outcomes = cm_reserve(observed->outcomes, i, &observed->outcome_capacity,
                                        sizeof(*observed->outcomes));
        observed->outcomes[observed->outcome_count++] = *outcome;
    }
    return (uint32_t)i;
}

/* Goes on in the first branch, which the run took; the others become jobs. */
static void split(struct cm_observed *observed, cm_word *sets, uint32_t location, uint32_t output)
{
    const struct cm_poset *poset = observed->poset;
    cm_word *pending = observed->pending, *included = pending + poset->words,
            *excluded = included + poset->words;
    cm_word *parent = sets_new(observed, cylinder_of(observed, sets));
    struct cm_cylinder cylinder = cylinder_of(observed, parent);
    struct cm_branches branches = cm_branches_begin(poset, location, cylinder, pending);
    cm_branches_next(poset, &branches, cylinder, pending, sets, sets + poset->words);
    while (cm_branches_next(poset, &branches, cylinder, pending, included, excluded))
        job_add(observed, sets_new(observed, (struct cm_cylinder){included, excluded}), output);
    free(parent);
}

static void note_visited(void *context, uint32_t location)
{
    cm_observer_note(context, location);
}

/* All that there is to be seen in the state of a job's run, from the root on. */
static const struct cm_observations *everything(struct cm_observed *observed, uint64_t ticket)
{
    uint32_t outputs;
    cm_word *ideal = cm_allocate(observed->poset->words, sizeof(*ideal));
    cm_observed_case(observed, ticket, ideal, &outputs);
    cm_observer_begin(observed->everything, observed->all);
    cm_state_visit(observed->poset, ideal, note_visited, observed->everything);
    cm_observer_note(observed->everything, (uint32_t)observed->poset->location_count);
    free(ideal);
    return observed->all;
}

void cm_observed_decide(struct cm_observed *observed, uint64_t ticket,
                        const struct cm_outcome *outcome,
                        const struct cm_observations *observations)
{
    const struct cm_poset *poset = observed->poset;
    struct job job = observed->jobs[ticket];
    bool output_seen = false;
    if (observations == NULL || observations->everything)
        observations = everything(observed, ticket);
    for (uint32_t i = 0; i < observations->count; i++) {
        if (observations->locations[i] == poset->location_count)
            output_seen = true;
        else
            split(observed, job.sets, observations->locations[i], job.output);
    }
    struct cm_cylinder cylinder = cylinder_of(observed, job.sets);
    struct leaf leaf = {job.sets, job.output, job.output, outcome_find(observed, outcome)};
    if (job.output == ANY_OUTPUT) {
        uint32_t last = poset->outputs[cm_cylinder_boundaries(poset, cylinder).end - 1];
        leaf.first_output = output_seen ? last : 0;
        leaf.last_output = last;
        if (output_seen)
            other_outputs_add(observed, cylinder, last);
        if (observed->countable)
            observed->countable = cm_counter_add(observed->counter, cylinder, observed->covered);
    }
    observed->leaves = cm_reserve(observed->leaves, observed->leaf_count, &observed->leaf_capacity,
                                  sizeof(*observed->leaves));
    observed->leaves[observed->leaf_count++] = leaf;
    ticket_free(observed, ticket);
}

const mpz_t *cm_observed_covered(const struct cm_observed *observed)
{
    return observed->countable ? &observed->covered : NULL;
}

/* ---- Leaves ---- */

size_t cm_observed_leaf_count(const struct cm_observed *observed)
{
    return observed->leaf_count;
}

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

void cm_observed_member(const struct cm_observed *observed, uint64_t *random, cm_word *ideal,
                        uint32_t *outputs, struct cm_outcome *outcome)
{
    const struct cm_poset *poset = observed->poset;
    const struct leaf *leaf = &observed->leaves[random_next(random) % observed->leaf_count];
    struct cm_interval legal = cm_cylinder_boundaries(poset, cylinder_of(observed, leaf->sets));
    uint32_t first = poset->outputs[legal.first], last = poset->outputs[legal.end - 1];
    first = first > leaf->first_output ? first : leaf->first_output;
    last = last < leaf->last_output ? last : leaf->last_output;
    *outputs = first + (uint32_t)(random_next(random) % (last - first + 1));
    *outcome = observed->outcomes[leaf->outcome];
    cm_word *sets = sets_new(observed, cylinder_of(observed, leaf->sets));
    restrict_to_output(observed, *outputs, sets);
    for (size_t o = 0; o < poset->operation_count; o++)
        if (random_next(random) % 2 == 0 &&
            !cm_meet(cm_down(poset, o), sets + poset->words, poset->words))
            cm_unite(sets, cm_down(poset, o), poset->words);
    cm_copy(ideal, sets, poset->words);
    free(sets);
}

struct sorting {
    const struct leaf *leaf;
    size_t words;
};

static int compare_leaves(const void *a, const void *b)
{
    const struct sorting *left = a, *right = b;
    for (size_t i = 0; i < 2 * left->words; i++)
        if (left->leaf->sets[i] != right->leaf->sets[i])
            return left->leaf->sets[i] < right->leaf->sets[i] ? -1 : 1;
    uint32_t one = left->leaf->last_output, other = right->leaf->last_output;
    return one < other ? -1 : one > other;
}

void cm_observed_tally(struct cm_observed *observed, struct cm_tally *tally)
{
    struct sorting *sorted = cm_allocate(observed->leaf_count, sizeof(*sorted));
    for (size_t i = 0; i < observed->leaf_count; i++)
        sorted[i] = (struct sorting){&observed->leaves[i], observed->poset->words};
    if (observed->leaf_count > 1)
        qsort(sorted, observed->leaf_count, sizeof(*sorted), compare_leaves);
    for (size_t i = 0; i < observed->leaf_count; i++) {
        const struct leaf *leaf = sorted[i].leaf;
        size_t before = cm_tally_count(tally);
        cm_tally_add(tally, cylinder_of(observed, leaf->sets), (struct ff_hash){i, UINT64_MAX},
                     leaf->first_output, leaf->last_output);
        for (size_t c = before; c < cm_tally_count(tally); c++)
            cm_tally_decide(tally, c, &observed->outcomes[leaf->outcome]);
    }
    free(sorted);
}

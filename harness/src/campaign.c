#include "campaign.h"

#include <unistd.h>
#include <xxhash.h>

#include "fail.h"
#include "process.h"
#include "state.h"
#include "worker.h"

/* Runs of one unit, and jobs that it is given, where a run starts no process. */
enum { UNIT_RUNS = 2048, UNIT_RUNS_AT_FIRST = 16, UNIT_JOBS = 64 };

/* Jobs that are chosen at a time when there is a budget, at most. */
enum { BATCH = 64 };

/* Jobs that are with a worker. */
struct flight {
    struct cm_records jobs;
    bool alone; /* no other one is, so that a time-out is believed */
};

struct cm_campaign {
    struct cm_campaign_plan plan;
    struct ff_error *error;
    struct cm_ledger *ledger; /* the plan's */
    struct cm_ledger batch;   /* what came of the batch so far */
    struct cm_ledger *into;   /* one of the two */
    struct cm_records chosen; /* the batch's jobs, as they were */

    struct cm_worker *worker;
    struct cm_unit_layout layout;
    struct cm_pool *pool;
    struct flight *flights; /* by ticket */
    size_t flight_count, flight_capacity;
    struct cm_records ready;    /* to be run, before what waits in the ledger */
    struct cm_records again;    /* with one of them a worker died: each in a unit of its own */
    struct cm_records timeouts; /* to be run again, alone */
    struct cm_job *job;         /* scratch */
    struct cm_leaf *leaf;

    struct cm_splitter *splitter;
    struct cm_tally *tally; /* eager: the tags of jobs are its cases */
    struct cm_records open; /* eager: split already, but their cases are not decided */
    struct cm_stepper *stepper;

    uint64_t runs, violations;
    uint64_t start, last_progress, next_save; /* cm_process_clock() */
    bool out_of_budget;
};

static bool is_stopped(const struct cm_campaign *campaign)
{
    const volatile int *stop = campaign->plan.options->stop;
    return stop != NULL && *stop != 0;
}

static bool has_budget(const struct cm_campaign *campaign)
{
    return campaign->plan.options->budget_runs != 0 || campaign->plan.options->budget_ms != 0;
}

static bool is_costly(const struct cm_campaign *campaign)
{
    return campaign->layout.leaf_capacity == 1;
}

static void show_progress(struct cm_campaign *campaign)
{
    const struct cm_options *options = campaign->plan.options;
    uint64_t now = cm_process_clock();
    if (options->progress == NULL || now - campaign->last_progress < 100000000)
        return;
    campaign->last_progress = now;
    char *covered = cm_ledger_covered(campaign->ledger);
    struct cm_progress progress = {
        .runs = campaign->runs,
        .violations = campaign->violations,
        .covered = covered,
        .legal = campaign->plan.legal,
    };
    options->progress(options->progress_context, &progress);
    free(covered);
}

/* ---- Taking what was found ---- */

static bool is_mine(const struct cm_campaign *campaign, uint32_t owner)
{
    return owner == campaign->plan.options->shard.index;
}

static void note_run(struct cm_campaign *campaign, const struct cm_outcome *outcome)
{
    campaign->runs++;
    campaign->violations += outcome->status != CM_ACCEPTED;
}

/* Returns whether the leaf was added to the ledger. */
static bool take_leaf(struct cm_campaign *campaign, const struct cm_leaf *leaf,
                      const struct cm_outcome *outcome)
{
    note_run(campaign, outcome);
    if (campaign->plan.eager) {
        cm_tally_decide(campaign->tally, leaf->tag, cm_ledger_outcome(campaign->ledger, outcome));
        return false;
    }
    cm_ledger_agree(campaign->into, leaf, outcome);
    if (!is_mine(campaign, leaf->owner)) {
        campaign->into->foreign++;
        return false;
    }
    memcpy(campaign->leaf, leaf, campaign->layout.leaf_size);
    campaign->leaf->outcome = cm_ledger_outcome(campaign->into, outcome);
    cm_ledger_add_leaf(campaign->into, campaign->leaf);
    return true;
}

/* A run of one job was ended from outside: of it is not known what it had looked at. */
static void decide(struct cm_campaign *campaign, const struct cm_job *job,
                   const struct cm_outcome *outcome)
{
    if (campaign->plan.eager) {
        cm_tally_decide(campaign->tally, job->tag, cm_ledger_outcome(campaign->ledger, outcome));
        note_run(campaign, outcome);
        return;
    }
    struct cm_leaf *leaf = cm_allocate(1, campaign->layout.leaf_size);
    const struct cm_records *children = cm_split(campaign->splitter, job, NULL, leaf);
    for (size_t i = 0; i < children->count; i++)
        cm_ledger_add_job(campaign->into, cm_record(children, i));
    if (take_leaf(campaign, leaf, outcome))
        cm_ledger_count(campaign->into, leaf);
    free(leaf);
}

static void take_back(struct cm_campaign *campaign, const struct cm_job *job)
{
    if (campaign->plan.eager)
        cm_records_add(&campaign->ready, job);
    else
        cm_ledger_add_job(campaign->into, job);
}

/* The job at which a worker died or was ended. */
static void take_victim(struct cm_campaign *campaign, const struct flight *flight,
                        const struct cm_job *job, bool single, const struct cm_outcome *outcome)
{
    if (outcome->status == CM_TIMEOUT && !flight->alone)
        cm_records_add(&campaign->timeouts, job); /* the machine may just have been busy */
    else if (outcome->status == CM_CRASHED && !single)
        cm_records_add(&campaign->again, job); /* it may have been one of those before it */
    else
        decide(campaign, job, outcome);
}

static void take_unit(struct cm_campaign *campaign, const struct flight *flight, const void *area,
                      const struct cm_outcome *outcome)
{
    const struct cm_unit_layout *layout = &campaign->layout;
    int counted = -1;
    if (!campaign->plan.eager && campaign->into->countable)
        counted = cm_unit_covered(layout, area, campaign->into->covered);
    campaign->into->countable = campaign->into->countable && counted != 0;
    for (uint32_t i = 0; i < cm_unit_leaf_count(area); i++) {
        const struct cm_leaf *leaf = cm_unit_leaf(layout, area, i);
        if (take_leaf(campaign, leaf, cm_unit_outcome(area, leaf)) && counted < 0)
            cm_ledger_count(campaign->into, leaf);
    }
    for (uint32_t i = 0; i < cm_unit_job_count(area); i++)
        take_back(campaign, cm_unit_job(layout, area, i));
    const struct cm_job *at_hand = cm_unit_at_hand(layout, area);
    if (at_hand != NULL && outcome->status == CM_ACCEPTED)
        take_back(campaign, at_hand);
    else if (at_hand != NULL)
        take_victim(campaign, flight, at_hand, cm_unit_limit(area) == 1, outcome);
}

/* ---- Giving out ---- */

static struct flight *flight_begin(struct cm_campaign *campaign, uint64_t *ticket)
{
    size_t free_one = 0;
    while (free_one < campaign->flight_count && campaign->flights[free_one].jobs.count > 0)
        free_one++;
    if (free_one == campaign->flight_count) {
        campaign->flights = cm_reserve(campaign->flights, free_one, &campaign->flight_capacity,
                                       sizeof(*campaign->flights));
        campaign->flights[campaign->flight_count++] =
            (struct flight){.jobs.size = campaign->layout.job_size};
    }
    *ticket = free_one;
    return &campaign->flights[free_one];
}

/* Gives out the last count jobs of a list, or of the ledger (NULL). */
static void submit(struct cm_campaign *campaign, struct cm_records *from, size_t count,
                   uint32_t limit, bool alone)
{
    uint64_t ticket;
    struct flight *flight = flight_begin(campaign, &ticket);
    void *area = cm_pool_area(campaign->pool);
    flight->alone = alone;
    cm_unit_begin(&campaign->layout, area, limit);
    for (size_t i = 0; i < count; i++) {
        const struct cm_job *job = campaign->job;
        if (from != NULL)
            job = cm_record(from, --from->count);
        else
            cm_ledger_take(campaign->ledger, campaign->job);
        cm_records_add(&flight->jobs, job);
        cm_unit_put(&campaign->layout, area, job);
    }
    cm_pool_submit(campaign->pool, ticket);
}

/* Takes one unit back. Returns 0, or -1 when the campaign must fail. */
static int collect(struct cm_campaign *campaign)
{
    uint64_t ticket = 0;
    struct cm_outcome outcome;
    void *area = NULL;
    campaign->error->text[0] = '\0';
    if (cm_pool_next(campaign->pool, &ticket, &outcome, &area, campaign->error) != 0)
        return campaign->error->text[0] == '\0' ? 0 : -1;
    if (outcome.status == CM_BROKEN)
        return cm_fail(campaign->error, "the check could not be run: %s", outcome.text);
    take_unit(campaign, &campaign->flights[ticket], area, &outcome);
    campaign->flights[ticket].jobs.count = 0;
    return 0;
}

/* How many of the jobs that wait go into one unit: so many that all workers get some. */
static size_t share(const struct cm_campaign *campaign, size_t waiting)
{
    size_t part = 1 + waiting / (2 * (1 + cm_pool_busy(campaign->pool)));
    size_t most = is_costly(campaign) ? 1 : UNIT_JOBS;
    return part < most ? part : most;
}

/* Fewer at first, so that there is soon something for every worker. */
static uint32_t run_limit(const struct cm_campaign *campaign)
{
    uint64_t limit = campaign->runs / 16 + UNIT_RUNS_AT_FIRST;
    return limit < UNIT_RUNS ? (uint32_t)limit : UNIT_RUNS;
}

/* Whether there was something to give out. */
static bool submit_next(struct cm_campaign *campaign)
{
    bool batch = campaign->into == &campaign->batch;
    size_t waiting = campaign->ledger->jobs.count;
    if (campaign->again.count > 0)
        submit(campaign, &campaign->again, 1, 1, false);
    else if (campaign->ready.count > 0 && batch)
        submit(campaign, &campaign->ready, 1, 1, false);
    else if (campaign->ready.count > 0)
        submit(campaign, &campaign->ready, share(campaign, campaign->ready.count), UNIT_RUNS,
               false);
    else if (!campaign->plan.eager && !batch && waiting > 0)
        submit(campaign, NULL, share(campaign, waiting), run_limit(campaign), false);
    else
        return false;
    return true;
}

/* ---- Branching on everything ---- */

/* Whether the case was decided. Its leaf is the job, since that has one case. */
static bool settle_one(struct cm_campaign *campaign, const struct cm_job *job)
{
    uint32_t outcome = cm_tally_outcome(campaign->tally, job->tag);
    if (outcome == CM_UNDECIDED)
        return false;
    struct cm_leaf *leaf = campaign->leaf;
    *leaf = (struct cm_leaf){
        .first_output = job->output,
        .last_output = job->output,
        .owner = job->owner,
        .spread = job->spread,
        .counts = job->counts,
    };
    cm_copy(leaf->sets, job->sets, 2 * campaign->plan.poset->words);
    leaf->outcome = cm_ledger_outcome(campaign->into, &campaign->ledger->outcomes[outcome]);
    cm_ledger_add_leaf(campaign->into, leaf);
    cm_ledger_count(campaign->into, leaf);
    return true;
}

static void settle(struct cm_campaign *campaign)
{
    size_t kept = 0;
    for (size_t i = 0; i < campaign->open.count; i++) {
        const struct cm_job *job = cm_record(&campaign->open, i);
        if (settle_one(campaign, job))
            continue;
        if (kept < i)
            memcpy(cm_record(&campaign->open, kept), job, campaign->open.size);
        kept++;
    }
    campaign->open.count = kept;
}

/* The files that all ideals of a cylinder have, since all that can be reached is decided. */
static struct ff_hash files_of(struct cm_stepper *stepper, const cm_word *sets)
{
    return ff_tree_hash(cm_stepper_step(stepper, sets));
}

static uint32_t case_owner(const struct cm_campaign *campaign, struct ff_hash files,
                           uint32_t output)
{
    const uint64_t key[] = {files.low, files.high, output};
    return (uint32_t)(XXH3_64bits(key, sizeof(key)) % campaign->plan.options->shard.count);
}

/* Follows one branch of a job to its end, and notes the case that is there. */
static void expand(struct cm_campaign *campaign, struct cm_job *job)
{
    struct cm_leaf *leaf = campaign->leaf;
    const struct cm_records *children = cm_split(campaign->splitter, job, NULL, leaf);
    for (size_t i = 0; i < children->count; i++)
        cm_ledger_add_job(campaign->into, cm_record(children, i));
    struct ff_hash files = files_of(campaign->stepper, leaf->sets);
    job->output = leaf->last_output;
    job->owner = case_owner(campaign, files, job->output);
    if (!is_mine(campaign, job->owner))
        return;
    cm_copy(job->sets, leaf->sets, 2 * campaign->plan.poset->words);
    size_t before = cm_tally_count(campaign->tally);
    job->tag =
        (uint32_t)cm_tally_add(campaign->tally, cm_cylinder_of(campaign->plan.poset, job->sets),
                               files, job->output, job->output);
    if (job->tag == before)
        cm_records_add(&campaign->ready, job);
    if (!settle_one(campaign, job))
        cm_records_add(&campaign->open, job);
}

uint64_t cm_recall_cases(struct cm_tally *tally, const struct cm_ledger *ledger)
{
    struct cm_stepper *stepper = cm_stepper_new(ledger->poset);
    uint64_t before = cm_tally_count(tally);
    for (size_t i = 0; i < ledger->leaves.count; i++) {
        const struct cm_leaf *leaf = cm_record(&ledger->leaves, i);
        size_t index =
            cm_tally_add(tally, cm_cylinder_of(ledger->poset, leaf->sets),
                         files_of(stepper, leaf->sets), leaf->first_output, leaf->last_output);
        cm_tally_decide(tally, index, leaf->outcome);
    }
    cm_stepper_free(stepper);
    return cm_tally_count(tally) - before;
}

/* What was decided earlier. */
static void recall(struct cm_campaign *campaign)
{
    const struct cm_ledger *ledger = campaign->ledger;
    campaign->runs = campaign->plan.eager ? cm_recall_cases(campaign->tally, ledger)
                                          : ledger->leaves.count + ledger->foreign;
    for (size_t i = 0; i < ledger->leaves.count; i++)
        campaign->violations +=
            cm_leaf_outcome(ledger, cm_record(&ledger->leaves, i))->status != CM_ACCEPTED;
}

/* ---- Keeping what was found ---- */

/*
 * The jobs that are neither in the ledger nor decided in it: with workers, or to be run
 * again, or of an unfinished batch.
 */
static void list_open(struct cm_campaign *campaign, struct cm_records *list)
{
    if (campaign->into == &campaign->batch) {
        cm_records_add_all(list, &campaign->chosen);
        return;
    }
    if (campaign->plan.eager) {
        settle(campaign);
        cm_records_add_all(list, &campaign->open);
        return;
    }
    for (size_t i = 0; i < campaign->flight_count; i++)
        cm_records_add_all(list, &campaign->flights[i].jobs);
    cm_records_add_all(list, &campaign->again);
    cm_records_add_all(list, &campaign->timeouts);
}

/* At most a twentieth of the time goes into that. */
enum { SAVE_NS = 1000000000, SAVE_PART = 20 };

static void save(struct cm_campaign *campaign)
{
    struct cm_records open = {.size = campaign->layout.job_size};
    uint64_t start = cm_process_clock();
    list_open(campaign, &open);
    campaign->plan.save(campaign->plan.save_context, &open);
    cm_records_free(&open);
    uint64_t now = cm_process_clock(), pause = (now - start) * SAVE_PART;
    campaign->next_save = now + (pause > SAVE_NS ? pause : SAVE_NS);
}

static void keep(struct cm_campaign *campaign)
{
    show_progress(campaign);
    if (campaign->plan.save != NULL && cm_process_clock() >= campaign->next_save)
        save(campaign);
}

/* ---- All of it ---- */

/* Enough that no worker waits for this process. */
static bool wants_to_expand(const struct cm_campaign *campaign)
{
    return campaign->plan.eager && campaign->into == campaign->ledger &&
           campaign->ledger->jobs.count > 0 &&
           campaign->ready.count < (is_costly(campaign) ? 16 : 16 * UNIT_JOBS);
}

/* So that a unit is worth its way there. */
static bool wants_to_submit(const struct cm_campaign *campaign)
{
    return cm_pool_has_room(campaign->pool) && (!wants_to_expand(campaign) || is_costly(campaign) ||
                                                campaign->ready.count >= UNIT_JOBS);
}

/* Runs what there is, time-outs apart. What is still running when it is stopped is given up. */
static int run_ready(struct cm_campaign *campaign)
{
    for (size_t step = 0; !is_stopped(campaign); step++) {
        if (step % 16 == 0 || is_costly(campaign))
            keep(campaign);
        if (wants_to_submit(campaign) && submit_next(campaign))
            continue;
        if (wants_to_expand(campaign)) {
            cm_ledger_take(campaign->ledger, campaign->job);
            expand(campaign, campaign->job);
        } else if (cm_pool_busy(campaign->pool) == 0) {
            return 0;
        } else if (collect(campaign) != 0) {
            return -1;
        }
    }
    return 0;
}

static int run_timeouts_alone(struct cm_campaign *campaign)
{
    while (campaign->timeouts.count > 0 && !is_stopped(campaign)) {
        submit(campaign, &campaign->timeouts, 1, 1, true);
        while (cm_pool_busy(campaign->pool) > 0 && !is_stopped(campaign))
            if (collect(campaign) != 0)
                return -1;
    }
    return 0;
}

/* What was decided alone may have made new jobs. */
static int run_all(struct cm_campaign *campaign)
{
    bool more = true;
    while (more && !is_stopped(campaign)) {
        if (run_ready(campaign) != 0 || run_timeouts_alone(campaign) != 0)
            return -1;
        more = campaign->into == campaign->ledger && campaign->ledger->jobs.count > 0;
    }
    return 0;
}

/* In order of deviations a batch ends where they get more: its runs may leave jobs with less. */
static bool wants_next(const struct cm_campaign *campaign, uint64_t count)
{
    const struct cm_ledger *ledger = campaign->ledger;
    const struct cm_records *chosen = &campaign->chosen;
    if (chosen->count >= count || ledger->jobs.count == 0)
        return false;
    return chosen->count == 0 || ledger->order == CM_SAMPLE ||
           cm_ledger_next_rank(ledger) == ((const struct cm_job *)cm_record(chosen, 0))->rank;
}

/* One batch: chosen, run, and only then put into the ledger. */
static int run_batch(struct cm_campaign *campaign, uint64_t count)
{
    campaign->into = &campaign->batch;
    campaign->chosen.count = 0;
    while (wants_next(campaign, count)) {
        cm_ledger_take(campaign->ledger, campaign->job);
        cm_records_add(&campaign->chosen, campaign->job);
        if (campaign->plan.eager)
            expand(campaign, campaign->job);
        else
            cm_records_add(&campaign->ready, campaign->job);
    }
    if (run_all(campaign) != 0)
        return -1;
    if (is_stopped(campaign))
        return 0;
    settle(campaign);
    cm_ledger_absorb(campaign->ledger, &campaign->batch);
    campaign->into = campaign->ledger;
    return 0;
}

/* Runs that are left of the budget, before the sample or in it; of a budget of time: many. */
static uint64_t runs_left(const struct cm_campaign *campaign, bool *in_sample)
{
    const struct cm_options *options = campaign->plan.options;
    uint64_t budget = options->budget_runs, before = budget - budget / 4;
    if (budget != 0) {
        *in_sample = campaign->runs >= before;
        uint64_t end = *in_sample ? budget : before;
        return end > campaign->runs ? end - campaign->runs : 0;
    }
    uint64_t spent = (cm_process_clock() - campaign->start) / 1000000;
    *in_sample = spent >= options->budget_ms - options->budget_ms / 4;
    return spent < options->budget_ms ? BATCH : 0;
}

static int run_batches(struct cm_campaign *campaign)
{
    struct cm_ledger *ledger = campaign->ledger;
    cm_ledger_order(ledger, CM_FEWEST_DEVIATIONS, 0);
    while (ledger->jobs.count > 0 && !is_stopped(campaign)) {
        bool in_sample = false;
        uint64_t left = runs_left(campaign, &in_sample);
        campaign->out_of_budget = left == 0;
        if (left == 0)
            return 0;
        if (in_sample && ledger->order != CM_SAMPLE)
            cm_ledger_order(ledger, CM_SAMPLE, campaign->plan.options->seed);
        if (run_batch(campaign, left < BATCH ? left : BATCH) != 0)
            return -1;
    }
    return 0;
}

/* Puts everything into the ledger, also when it was stopped in the middle. */
static void finish(struct cm_campaign *campaign)
{
    struct cm_records open = {.size = campaign->layout.job_size};
    bool batch = campaign->into == &campaign->batch;
    if (is_stopped(campaign) && campaign->plan.save != NULL)
        save(campaign);
    list_open(campaign, &open);
    if (batch) {
        settle(campaign);
        cm_ledger_absorb(campaign->ledger, &campaign->batch);
    }
    campaign->into = campaign->ledger;
    for (size_t i = 0; !batch && i < open.count; i++)
        cm_ledger_add_job(campaign->ledger, cm_record(&open, i));
    campaign->open.count = 0;
    cm_records_free(&open);
}

int cm_campaign_run(struct cm_campaign *campaign, struct ff_error *error)
{
    campaign->error = error;
    if ((has_budget(campaign) ? run_batches(campaign) : run_all(campaign)) != 0)
        return -1;
    finish(campaign);
    return 0;
}

uint64_t cm_campaign_runs(const struct cm_campaign *campaign)
{
    return campaign->runs;
}

bool cm_campaign_is_out_of_budget(const struct cm_campaign *campaign)
{
    return campaign->out_of_budget;
}

struct cm_tally *cm_campaign_tally(const struct cm_campaign *campaign)
{
    return campaign->tally;
}

int cm_campaign_try(struct cm_campaign *campaign, const struct cm_job *job,
                    struct cm_outcome *outcome, struct ff_error *error)
{
    uint64_t ticket;
    void *area = cm_pool_area(campaign->pool);
    cm_unit_begin(&campaign->layout, area, 1);
    cm_unit_put(&campaign->layout, area, job);
    cm_pool_submit(campaign->pool, 0);
    do {
        if (is_stopped(campaign))
            return 0;
        error->text[0] = '\0';
        if (cm_pool_next(campaign->pool, &ticket, outcome, &area, error) == 0) {
            if (cm_unit_leaf_count(area) > 0)
                *outcome = *cm_unit_outcome(area, cm_unit_leaf(&campaign->layout, area, 0));
            return outcome->status != CM_BROKEN
                       ? 1
                       : cm_fail(error, "the check could not be run: %s", outcome->text);
        }
    } while (error->text[0] == '\0');
    return -1;
}

/* Takes one recording. */
static int recording_end(struct cm_campaign *campaign, struct ff_error *error)
{
    uint64_t ticket;
    struct cm_outcome outcome;
    void *area = NULL;
    error->text[0] = '\0';
    if (cm_pool_next(campaign->pool, &ticket, &outcome, &area, error) != 0)
        return error->text[0] == '\0' ? 0 : -1;
    return outcome.status == CM_ACCEPTED
               ? 0
               : cm_fail(error, "a recovery could not be recorded: %s", outcome.text);
}

int cm_campaign_record(struct cm_campaign *campaign, const struct cm_recording *recordings,
                       size_t count, struct ff_error *error)
{
    size_t next = 0;
    while (!is_stopped(campaign) && (next < count || cm_pool_busy(campaign->pool) > 0)) {
        if (next < count && cm_pool_has_room(campaign->pool)) {
            void *area = cm_pool_area(campaign->pool);
            cm_unit_begin_recording(&campaign->layout, area, recordings[next].path);
            cm_unit_put(&campaign->layout, area, recordings[next].job);
            cm_pool_submit(campaign->pool, next++);
        } else if (recording_end(campaign, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- In a worker ---- */

static int prepare_worker(void *context, struct ff_error *error)
{
    const struct cm_check *check = ((const struct cm_campaign *)context)->plan.check;
    return check->prepare != NULL ? check->prepare(check->context, error) : 0;
}

static void run_unit(void *context, struct cm_pool_job *job, void *area, struct cm_outcome *outcome)
{
    const struct cm_campaign *campaign = context;
    const char *path = cm_unit_recording(area);
    if (path != NULL)
        cm_worker_record(campaign->worker, cm_unit_at_hand(&campaign->layout, area), path, outcome);
    else
        cm_unit_work(&campaign->layout, area, job, cm_worker_unit(campaign->worker), outcome);
}

/* ---- Beginning and end ---- */

static unsigned choose_jobs(const struct cm_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->jobs > 0)
        return options->jobs;
    return processors > 0 ? (unsigned)processors : 1;
}

struct cm_campaign *cm_campaign_start(const struct cm_campaign_plan *plan, struct ff_error *error)
{
    const struct cm_poset *poset = plan->poset;
    struct cm_campaign *campaign = cm_allocate(1, sizeof(*campaign));
    uint32_t runs = plan->check->is_costly ? 1 : UNIT_RUNS;
    campaign->plan = *plan;
    campaign->ledger = campaign->into = plan->ledger;
    campaign->start = cm_process_clock();
    cm_ledger_begin(&campaign->batch, poset, plan->ledger->counter);
    campaign->layout = cm_unit_layout(poset, runs, UNIT_JOBS);
    campaign->chosen.size = campaign->ready.size = campaign->again.size = campaign->timeouts.size =
        campaign->open.size = campaign->layout.job_size;
    campaign->job = cm_allocate(1, campaign->layout.job_size);
    campaign->leaf = cm_allocate(1, campaign->layout.leaf_size);
    /* All of what is branched on here belongs to every shard: only cases are told apart. */
    struct cm_shard shard = plan->eager ? (struct cm_shard){0, 1} : plan->options->shard;
    campaign->splitter = cm_splitter_new(poset, shard);
    campaign->tally = plan->eager ? cm_tally_new(poset) : NULL;
    campaign->stepper = cm_stepper_new(poset);
    campaign->worker =
        cm_worker_new(poset, plan->check, plan->model, !plan->eager, shard,
                      plan->eager ? NULL : plan->ledger->counter, plan->ledger->marks);
    recall(campaign);
    struct cm_pool_task task = {
        .context = campaign,
        .area_size = campaign->layout.size,
        .timeout_ms = plan->options->timeout_ms,
        .grace_ms = plan->check->grace_ms,
        .prepare = prepare_worker,
        .run = run_unit,
    };
    campaign->pool = cm_pool_start(&task, choose_jobs(plan->options), error);
    if (campaign->pool != NULL)
        return campaign;
    cm_campaign_end(campaign);
    return NULL;
}

void cm_campaign_end(struct cm_campaign *campaign)
{
    if (campaign == NULL)
        return;
    cm_pool_stop(campaign->pool);
    struct cm_records *const lists[] = {&campaign->chosen, &campaign->ready, &campaign->again,
                                        &campaign->timeouts, &campaign->open};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        cm_records_free(lists[i]);
    for (size_t i = 0; i < campaign->flight_count; i++)
        cm_records_free(&campaign->flights[i].jobs);
    cm_ledger_end(&campaign->batch);
    cm_splitter_free(campaign->splitter);
    cm_worker_free(campaign->worker);
    cm_tally_free(campaign->tally);
    cm_stepper_free(campaign->stepper);
    free(campaign->flights);
    free(campaign->job);
    free(campaign->leaf);
    free(campaign);
}

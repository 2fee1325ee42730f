#include "worker.h"

#include <stdio.h>

#include "inventory.h"
#include "memo.h"
#include "state.h"

struct cm_worker {
    const struct cm_poset *poset;
    const struct cm_check *check;
    const char *model;
    struct cm_unit_worker unit;
    struct cm_observer *observer; /* NULL: what is looked at does not matter */
    struct cm_observations *seen;
    struct cm_marks *marks;
    struct cm_memo *memo;
    struct cm_stepper *stepper; /* to the state at hand */
    cm_word *ideal;
    char *output;
    size_t *output_sizes; /* [k]: bytes of the first k outputs */
    struct ff_tree *inventory;
};

static void load_output(struct cm_worker *worker)
{
    const struct cm_poset *poset = worker->poset;
    uint32_t count = poset->outputs[poset->trace->call_count];
    size_t size = 0;
    worker->output = cm_poset_output(poset, count, &size);
    worker->output_sizes = cm_allocate(count + 1, sizeof(size_t));
    size_t *sizes = worker->output_sizes;
    for (size_t b = 1; b <= poset->trace->call_count; b++) {
        if (poset->outputs[b] == poset->outputs[b - 1])
            continue;
        const struct ff_call *call = &poset->trace->calls[poset->boundary_calls[b]];
        sizes[poset->outputs[b]] = sizes[poset->outputs[b - 1]] + call->data.size;
    }
}

/* The state of a job; for one at a time. *behind: what comes after its output. */
static struct cm_state state_begin(struct cm_worker *worker, const struct cm_job *job, char *behind)
{
    uint32_t outputs = 0;
    cm_job_case(worker->poset, job, worker->ideal, &outputs);
    size_t size = worker->output_sizes[outputs];
    *behind = worker->output[size];
    worker->output[size] = '\0';
    return (struct cm_state){
        .tree = cm_stepper_step(worker->stepper, worker->ideal),
        .output = worker->output,
        .output_size = size,
        .model = worker->model,
        .observer = worker->observer,
        .marks = worker->marks,
        .memo = worker->memo,
        .inventory = worker->inventory,
    };
}

static const struct cm_observations *run(void *context, const struct cm_job *job,
                                         struct cm_outcome *outcome)
{
    struct cm_worker *worker = context;
    char behind;
    struct cm_state state = state_begin(worker, job, &behind);
    if (worker->observer != NULL)
        cm_observer_begin(worker->observer, worker->seen);
    if (!cm_memo_recall(worker->memo, &state, job->audits != 0, outcome)) {
        cm_memo_begin(worker->memo, &state);
        worker->check->run(worker->check->context, &state, outcome);
        cm_memo_keep(worker->memo, &state, outcome);
    }
    worker->output[state.output_size] = behind;
    worker->seen->settled = worker->check->monotone && outcome->status == CM_ACCEPTED;
    return worker->seen;
}

void cm_worker_record(struct cm_worker *worker, const struct cm_job *job, const char *path,
                      struct cm_outcome *outcome)
{
    char behind;
    struct ff_error error = {""};
    struct cm_state state = state_begin(worker, job, &behind);
    state.observer = NULL;
    bool done = worker->check->record(worker->check->context, &state, path, &error) == 0;
    worker->output[state.output_size] = behind;
    outcome->status = done ? CM_ACCEPTED : CM_BROKEN;
    snprintf(outcome->text, sizeof(outcome->text), "%.255s", error.text);
}

struct cm_worker *cm_worker_new(const struct cm_poset *poset, const struct cm_check *check,
                                const char *model, bool observes, struct cm_shard shard,
                                struct cm_counter *counter, struct cm_marks *marks)
{
    struct cm_worker *worker = cm_allocate(1, sizeof(*worker));
    worker->poset = poset;
    worker->check = check;
    worker->model = model;
    worker->marks = marks;
    worker->memo = observes ? check->memo : NULL;
    worker->unit = (struct cm_unit_worker){.context = worker,
                                           .run = run,
                                           .splitter = cm_splitter_new(poset, shard),
                                           .counter = counter};
    worker->observer = observes ? cm_observer_new(poset) : NULL;
    worker->seen = cm_allocate(cm_observations_size(poset), 1);
    worker->stepper = cm_stepper_new(poset);
    worker->ideal = cm_allocate(poset->words, sizeof(cm_word));
    worker->inventory = cm_inventory(poset);
    load_output(worker);
    return worker;
}

void cm_worker_free(struct cm_worker *worker)
{
    if (worker == NULL)
        return;
    cm_splitter_free(worker->unit.splitter);
    cm_observer_free(worker->observer);
    cm_stepper_free(worker->stepper);
    ff_tree_free(worker->inventory);
    free(worker->seen);
    free(worker->ideal);
    free(worker->output);
    free(worker->output_sizes);
    free(worker);
}

const struct cm_unit_worker *cm_worker_unit(const struct cm_worker *worker)
{
    return &worker->unit;
}

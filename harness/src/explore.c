/*
 * Exploration under one model: the order is built, a campaign covers its states, an audit
 * tries its leaves again, and the result is put together.
 */
#include <stdio.h>
#include <unistd.h>

#include "audit.h"
#include "fail.h"
#include "identity.h"
#include "nested.h"
#include "process.h"
#include "state.h"

struct exploration {
    struct cm_exploring all;
    const struct cm_check *check;
    uint64_t start;                 /* cm_process_clock() */
    struct ff_error progress_error; /* why its file could not be written, if that is so */
};

static bool is_stopped(const struct cm_options *options)
{
    return options->stop != NULL && *options->stop != 0;
}

/* What goes wrong here ends nothing, but for the first time. */
static void save(void *context, const struct cm_records *more)
{
    struct exploration *exploration = context;
    struct cm_exploring *all = &exploration->all;
    if (all->options.progress_path != NULL)
        cm_progress_write(all->options.progress_path, &all->progress, &all->ledger, more,
                          &exploration->progress_error);
}

static int resume(struct cm_exploring *all, struct ff_error *error)
{
    struct cm_progress_file found;
    int status = -1;
    if (cm_progress_open(all->options.progress_path, &found, error) == 0 &&
        cm_traits_compare(&all->progress.traits, &found.traits, false, found.path, error) == 0)
        status = cm_progress_load(&found, &all->ledger, error);
    cm_progress_close(&found);
    return status;
}

/* What there is at first: what was found earlier, or everything to be done. */
static int set_out(struct exploration *exploration, struct ff_error *error)
{
    struct cm_exploring *all = &exploration->all;
    cm_exploring_set_traits(all);
    if (all->options.resume && access(all->options.progress_path, F_OK) == 0)
        return resume(all, error);
    cm_word *nothing = cm_allocate(all->poset->words, sizeof(cm_word));
    struct cm_job *job =
        cm_job_new(all->poset, (struct cm_cylinder){nothing, nothing}, CM_ANY_OUTPUT);
    cm_ledger_add_job(&all->ledger, job);
    save(exploration, NULL);
    free(job);
    free(nothing);
    return exploration->progress_error.text[0] == '\0'
               ? 0
               : cm_fail(error, "%s", exploration->progress_error.text);
}

static int run(struct exploration *exploration, struct cm_campaign *campaign,
               struct ff_error *error)
{
    struct cm_exploring *all = &exploration->all;
    if (cm_campaign_run(campaign, error) != 0)
        return -1;
    all->runs = cm_campaign_runs(campaign);
    all->out_of_budget = cm_campaign_is_out_of_budget(campaign);
    all->tally = cm_campaign_tally(campaign);
    all->stopped = is_stopped(&all->options);
    if (all->stopped)
        return 0; /* the campaign has kept it, and some of what it had begun is dropped since */
    if (cm_audit(all, campaign, all->eager || exploration->check->is_costly, error) != 0)
        return -1;
    all->stopped = is_stopped(&all->options);
    if (!all->stopped)
        all->progress.ending = all->out_of_budget ? CM_BUDGET_USED_UP : CM_COMPLETE;
    save(exploration, NULL);
    return 0;
}

/* Power cuts during recovery, if those of the workload were covered. */
static struct cm_exploration *explore_nested(struct exploration *exploration,
                                             struct cm_campaign *campaign, struct ff_error *error)
{
    struct cm_exploring *all = &exploration->all;
    const struct cm_nested_plan plan = {
        .workload = all,
        .check = exploration->check,
        .options = &all->options,
        .start = exploration->start,
        .runs = all->runs,
    };
    if (!cm_exploring_is_complete(all))
        return cm_exploring_conclude(all, error);
    struct cm_nested *nested = cm_nested_new(&plan);
    struct cm_exploration *result = NULL;
    if (cm_nested_run(nested, campaign, error) == 0)
        result = cm_exploring_conclude(all, error);
    if (result != NULL && cm_nested_report(nested, result, error) != 0) {
        cm_exploration_free(result);
        result = NULL;
    }
    cm_nested_free(nested);
    return result;
}

static struct cm_exploration *explore(struct exploration *exploration, struct ff_error *error)
{
    struct cm_exploring *all = &exploration->all;
    const struct cm_campaign_plan plan = {
        .poset = all->poset,
        .check = exploration->check,
        .options = &all->options,
        .model = all->model,
        .legal = all->legal,
        .ledger = &all->ledger,
        .eager = all->eager,
        .save = all->options.progress_path != NULL ? save : NULL,
        .save_context = exploration,
    };
    struct cm_exploration *result = NULL;
    struct cm_campaign *campaign = cm_campaign_start(&plan, error);
    if (campaign != NULL && run(exploration, campaign, error) == 0)
        result = all->options.nested > 0 ? explore_nested(exploration, campaign, error)
                                         : cm_exploring_conclude(all, error);
    cm_campaign_end(campaign);
    if (result != NULL && exploration->progress_error.text[0] != '\0')
        result->progress_error = cm_format("%s", exploration->progress_error.text);
    return result;
}

struct cm_exploration *cm_explore(const struct ff_trace *trace, const struct cm_model *model,
                                  const struct cm_check *check, const struct cm_options *options,
                                  struct ff_error *error)
{
    struct exploration exploration = {.check = check, .start = cm_process_clock()};
    struct cm_exploration *result = NULL;
    if (options->nested > 0 && (check->record == NULL || options->shard.count > 1)) {
        cm_fail(error, "cuts during recovery need a recovery that can be recorded, and all shards");
        return NULL;
    }
    if (cm_exploring_begin(&exploration.all, trace, model, options, error) != 0)
        return NULL;
    exploration.all.eager = options->eager || !check->observes;
    exploration.all.monotone = check->monotone && !exploration.all.eager;
    if (set_out(&exploration, error) == 0)
        result = explore(&exploration, error);
    cm_exploring_end(&exploration.all);
    if (result != NULL)
        result->seconds = (double)(cm_process_clock() - exploration.start) / 1e9;
    return result;
}

int cm_rebuild(const struct ff_trace *trace, const struct cm_model *model, const char *id,
               struct ff_tree **tree, char **output, size_t *output_size, struct ff_error *error)
{
    char name[128];
    uint32_t granule = 0;
    if (!cm_identity_model(id, name, sizeof(name), &granule))
        return cm_fail(error, "%.150s is not a replay id (MODEL.TRACE.BOUNDARY:LOST)", id);
    struct cm_poset *poset = cm_poset_build(trace, model, granule, error);
    if (poset == NULL)
        return -1;
    cm_word *ideal = cm_allocate(poset->words, sizeof(cm_word));
    uint32_t boundary = 0;
    int status = cm_identity_parse(poset, id, ideal, &boundary, error);
    if (status == 0) {
        *tree = cm_state_build(poset, ideal);
        *output = cm_poset_output(poset, poset->outputs[boundary], output_size);
    }
    free(ideal);
    cm_poset_free(poset);
    return status;
}

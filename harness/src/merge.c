/*
 * Merging: the leaves of all shards together are those of one run of all.
 */
#include <stdio.h>

#include "campaign.h"
#include "fail.h"
#include "merge.h"

/* What the first file says of how the shards were run. */
static int take_traits(struct cm_exploring *all, const struct cm_traits *found)
{
    const char *branching = cm_traits_get(found, "branching");
    const char *monotone = cm_traits_get(found, "monotone");
    const char *timeout = cm_traits_get(found, "time-out"), *seed = cm_traits_get(found, "seed");
    if (branching == NULL || monotone == NULL || timeout == NULL || seed == NULL)
        return -1;
    all->eager = strcmp(branching, "eager") == 0;
    all->monotone = strcmp(monotone, "yes") == 0;
    all->options.timeout_ms = (unsigned)strtoul(timeout, NULL, 10);
    all->options.seed = strtoull(seed, NULL, 10);
    cm_exploring_set_traits(all);
    return 0;
}

/*
 * What every shard has run must have come out the same everywhere: else they have parted the
 * states in different ways.
 */
static int check_agreement(struct cm_merging *merging, const struct cm_progress_file *found,
                           struct ff_error *error)
{
    uint64_t sum = merging->all.ledger.agreement;
    merging->all.ledger.agreement = 0;
    if (found->ending != CM_COMPLETE)
        return 0;
    if (merging->first != NULL && merging->agreed != sum)
        return cm_fail(error,
                       "%.150s and %.150s do not agree on states that every shard has checked: "
                       "the check is not a function of the state, or differs between machines",
                       merging->first, found->path);
    if (merging->first == NULL)
        merging->first = cm_format("%s", found->path);
    merging->agreed = sum;
    return 0;
}

static void take_ending(struct cm_exploring *all, const struct cm_progress_file *found)
{
    struct cm_progress_file *sum = &all->progress;
    all->waiting = all->waiting || all->ledger.jobs.count > 0;
    all->stopped = all->stopped || found->ending == CM_NOT_ENDED;
    all->out_of_budget = all->out_of_budget || found->ending == CM_BUDGET_USED_UP;
    sum->audit_runs += found->audit_runs;
    sum->audit_mismatches += found->audit_mismatches;
    if (sum->audit_text == NULL && found->audit_mismatches > 0)
        sum->audit_text = cm_format("%s", found->audit_text);
    /* What waits is in the shards' own files; runs for other shards were made there, too. */
    all->ledger.jobs.count = 0;
    all->ledger.foreign = 0;
}

int cm_merging_begin(struct cm_merging *merging, const struct ff_trace *trace,
                     const struct cm_model *model, const struct cm_options *options,
                     struct ff_error *error)
{
    *merging = (struct cm_merging){0};
    return cm_exploring_begin(&merging->all, trace, model, options, error);
}

int cm_merging_take(struct cm_merging *merging, struct cm_progress_file *found,
                    struct ff_error *error)
{
    struct cm_exploring *all = &merging->all;
    if (all->progress.traits.count == 0 && take_traits(all, &found->traits) != 0)
        return cm_fail(error, "%.200s: made by another version of crashmatrix", found->path);
    if (cm_traits_compare(&all->progress.traits, &found->traits, true, found->path, error) != 0 ||
        cm_progress_load(found, &all->ledger, error) != 0 ||
        check_agreement(merging, found, error) != 0)
        return -1;
    take_ending(all, found);
    return 0;
}

void cm_merging_miss(struct cm_merging *merging)
{
    merging->all.waiting = true;
}

struct cm_exploration *cm_merging_conclude(struct cm_merging *merging, struct ff_error *error)
{
    struct cm_exploring *all = &merging->all;
    all->runs = all->ledger.leaves.count;
    if (all->eager) {
        all->tally = cm_tally_new(all->poset);
        all->runs = cm_recall_cases(all->tally, &all->ledger);
    }
    bool complete = !all->waiting && !all->stopped;
    all->progress.ending = CM_COMPLETE;
    struct cm_exploration *result = NULL;
    if (!complete || all->options.progress_path == NULL ||
        cm_progress_write(all->options.progress_path, &all->progress, &all->ledger, NULL, error) ==
            0)
        result = cm_exploring_conclude(all, error);
    cm_tally_free(all->tally);
    return result;
}

void cm_merging_end(struct cm_merging *merging)
{
    cm_exploring_end(&merging->all);
    free(merging->first);
}

static int take_file(struct cm_merging *merging, const char *path, struct ff_error *error)
{
    struct cm_progress_file found;
    int status = cm_progress_open(path, &found, error);
    if (status == 0)
        status = cm_merging_take(merging, &found, error);
    cm_progress_close(&found);
    return status;
}

struct cm_exploration *cm_merge(const struct ff_trace *trace, const struct cm_model *model,
                                const char *const *paths, size_t count,
                                const struct cm_options *options, struct ff_error *error)
{
    struct cm_merging merging;
    if (cm_merging_begin(&merging, trace, model, options, error) != 0)
        return NULL;
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (paths[i] == NULL)
            cm_merging_miss(&merging);
        else
            status = take_file(&merging, paths[i], error);
    }
    struct cm_exploration *result = status == 0 ? cm_merging_conclude(&merging, error) : NULL;
    cm_merging_end(&merging);
    return result;
}

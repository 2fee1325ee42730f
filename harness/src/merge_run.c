/*
 * The subcommand merge: the report folders of shards become one report. Which models and
 * how many shards there are is said by each progress file; that the files belong together is
 * checked by cm_merge(), trait by trait.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "folder.h"
#include "memory.h"
#include "progress.h"
#include "reporting.h"
#include "run.h"
#include "unobserved.h"

/* What belongs to one of the models. */
struct part {
    const char *name;   /* the model's */
    const char **paths; /* by shard; NULL: there is none */
};

struct merge {
    const struct cm_settings *settings;
    char ***lists; /* by folder: its progress files */
    size_t *list_sizes;
    struct cm_traits traits; /* of the first file */
    uint32_t shard_count;
    const char **folders; /* by shard; NULL: it is missing */
    char *names;          /* of the models, one string behind the other */
    struct part *parts;
    size_t part_count;
    struct cm_models models; /* in the same order */
    struct ff_trace *trace;
    char *trace_path;
    struct cm_exploration **explorations;
    size_t exploration_count;
    char **missing; /* in words */
    size_t missing_count, missing_capacity;
    bool interrupted;
};

/* ---- Which files there are ---- */

/* The models of a run, as the first file lists them. */
static void split_names(struct merge *merge, const char *list)
{
    size_t count = 1;
    merge->names = cm_format("%s", list);
    for (const char *c = list; *c != '\0'; c++)
        count += *c == ' ';
    merge->parts = cm_allocate(count, sizeof(*merge->parts));
    for (char *name = strtok(merge->names, " "); name != NULL; name = strtok(NULL, " "))
        merge->parts[merge->part_count++] =
            (struct part){.name = name, .paths = cm_allocate(merge->shard_count, sizeof(char *))};
}

static int begin(struct merge *merge, const struct cm_traits *traits, uint32_t shard_count)
{
    const char *list = cm_traits_get(traits, "list of models");
    if (list == NULL)
        return -1;
    for (size_t i = 0; i < traits->count; i++)
        cm_traits_add(&merge->traits, traits->items[i].key, traits->items[i].value);
    merge->shard_count = shard_count;
    merge->folders = cm_allocate(shard_count, sizeof(*merge->folders));
    split_names(merge, list);
    return 0;
}

static int take_folder(struct merge *merge, const char *folder, struct cm_shard shard,
                       struct ff_error *error)
{
    if (shard.count != merge->shard_count)
        return cm_fail(error, "%.150s: is one of %u shards, but others are of %u", folder,
                       shard.count, merge->shard_count);
    const char *known = merge->folders[shard.index];
    if (known != NULL && known != folder)
        return cm_fail(error, "%.150s and %.150s are both shard %u of %u", known, folder,
                       shard.index + 1, shard.count);
    merge->folders[shard.index] = folder;
    return 0;
}

/* The part of a model, of which the name may be followed by a granule; NULL: there is none. */
static struct part *find_part(const struct merge *merge, const char *model)
{
    size_t length = strcspn(model, "@");
    for (size_t i = 0; i < merge->part_count; i++)
        if (strlen(merge->parts[i].name) == length &&
            strncmp(merge->parts[i].name, model, length) == 0)
            return &merge->parts[i];
    return NULL;
}

static int take_traits(struct merge *merge, const char *folder, const char *path,
                       const struct cm_traits *traits, struct ff_error *error)
{
    struct cm_shard shard;
    const char *model = cm_traits_get(traits, "model");
    if (model == NULL || !cm_parse_shard(cm_traits_get(traits, "shard"), &shard) ||
        (merge->parts == NULL && begin(merge, traits, shard.count) != 0))
        return cm_fail(error, "%.200s: made by another version of crashmatrix", path);
    if (take_folder(merge, folder, shard, error) != 0)
        return -1;
    struct part *part = find_part(merge, model);
    if (part == NULL)
        return cm_fail(error, "%.200s: its model is '%.100s', not one of '%.100s'", path, model,
                       cm_traits_get(&merge->traits, "list of models"));
    part->paths[shard.index] = path;
    return 0;
}

static int take_file(struct merge *merge, const char *folder, const char *path,
                     struct ff_error *error)
{
    struct cm_progress_file file;
    int status = cm_progress_open(path, &file, error);
    if (status == 0)
        status = take_traits(merge, folder, path, &file.traits, error);
    cm_progress_close(&file);
    return status;
}

static int find_files(struct merge *merge, struct ff_error *error)
{
    const struct cm_settings *settings = merge->settings;
    int status = 0;
    merge->lists = cm_allocate(settings->operand_count, sizeof(*merge->lists));
    merge->list_sizes = cm_allocate(settings->operand_count, sizeof(*merge->list_sizes));
    for (size_t i = 0; status == 0 && i < settings->operand_count; i++) {
        const char *folder = settings->operands[i];
        merge->lists[i] = cm_folder_list_progress(folder, &merge->list_sizes[i]);
        if (merge->list_sizes[i] == 0)
            status = cm_fail(error,
                             "%.200s: holds no progress files: is it the report folder of "
                             "a run that has begun?",
                             folder);
        for (size_t j = 0; status == 0 && j < merge->list_sizes[i]; j++)
            status = take_file(merge, folder, merge->lists[i][j], error);
    }
    return status;
}

static void note_missing(struct merge *merge, char *words)
{
    merge->missing = cm_reserve(merge->missing, merge->missing_count, &merge->missing_capacity,
                                sizeof(*merge->missing));
    merge->missing[merge->missing_count++] = words;
}

static void find_missing(struct merge *merge)
{
    for (uint32_t i = 0; i < merge->shard_count; i++) {
        if (merge->folders[i] == NULL) {
            note_missing(merge, cm_format("shard %u of %u", i + 1, merge->shard_count));
            continue;
        }
        for (size_t p = 0; p < merge->part_count; p++)
            if (merge->parts[p].paths[i] == NULL)
                note_missing(merge, cm_format("shard %u of %u, model %s", i + 1, merge->shard_count,
                                              merge->parts[p].name));
    }
}

/* ---- Models and trace ---- */

/* Those that are given, or the shipped ones of these names. */
static int choose_models(struct merge *merge, struct ff_error *error)
{
    const struct cm_words *given = &merge->settings->models;
    struct cm_models all = {0};
    int status = 0;
    if (given->count > 0)
        status = cm_models_choose(given->items, given->count, &all, error);
    for (size_t i = 0; status == 0 && i < merge->part_count && given->count == 0; i++)
        status = cm_models_choose(&merge->parts[i].name, 1, &all, error);
    merge->models.models = cm_allocate(merge->part_count, sizeof(struct cm_model *));
    merge->models.paths = cm_allocate(merge->part_count, sizeof(char *));
    for (size_t i = 0; status == 0 && i < merge->part_count; i++) {
        size_t j = 0;
        while (j < all.count && (all.models[j] == NULL ||
                                 strcmp(cm_model_name(all.models[j]), merge->parts[i].name) != 0))
            j++;
        if (j == all.count) {
            status = cm_fail(error, "the shards were run under model '%s': give it with --model",
                             merge->parts[i].name);
            break;
        }
        merge->models.models[merge->models.count++] = all.models[j];
        all.models[j] = NULL;
    }
    cm_models_free(&all);
    return status;
}

static bool is_same_folder(const char *one, const char *other)
{
    char left[PATH_MAX], right[PATH_MAX];
    return realpath(one, left) != NULL && realpath(other, right) != NULL &&
           strcmp(left, right) == 0;
}

/* All have the same, which is compared with the progress files; it is copied. */
static int get_trace(struct merge *merge, struct ff_error *error)
{
    const struct cm_settings *settings = merge->settings;
    for (size_t i = 0; settings->report != NULL && i < settings->operand_count; i++)
        if (is_same_folder(settings->report, settings->operands[i]))
            return cm_fail(error, "%s: --report must be another folder than those of the shards",
                           settings->report);
    char *path = cm_folder_trace(settings->operands[0]);
    merge->trace = ff_trace_open(path, error);
    free(path);
    if (merge->trace == NULL || settings->report == NULL)
        return merge->trace != NULL ? 0 : -1;
    merge->trace_path = cm_folder_trace(settings->report);
    return cm_folder_begin(settings->report, error) == 0
               ? ff_trace_write(merge->trace, merge->trace_path, error)
               : -1;
}

/* ---- Merging ---- */

static int merge_model(struct merge *merge, size_t index, struct ff_error *error)
{
    static const char *const kept[] = {"recovery",         "check",          "target",
                                       "option --recover", "option --check", "list of models",
                                       CM_TRAIT_PROGRAM};
    struct cm_trait traits[sizeof(kept) / sizeof(kept[0])];
    const struct part *part = &merge->parts[index];
    const char *granule = cm_traits_get(&merge->traits, "option --granule");
    char *path = NULL;
    if (merge->settings->report != NULL)
        path = cm_folder_progress(merge->settings->report, part->name);
    struct cm_options options = {
        .progress_path = path,
        .granule = granule != NULL ? (uint32_t)strtoul(granule, NULL, 10) : 0,
        .traits = traits,
        .trait_count = sizeof(kept) / sizeof(kept[0]),
    };
    for (size_t i = 0; i < options.trait_count; i++) {
        const char *value = cm_traits_get(&merge->traits, kept[i]);
        traits[i] = (struct cm_trait){kept[i], value != NULL ? value : ""};
    }
    struct cm_exploration *exploration = cm_merge(merge->trace, merge->models.models[index],
                                                  part->paths, merge->shard_count, &options, error);
    free(path);
    if (exploration == NULL)
        return -1;
    merge->interrupted = merge->interrupted || exploration->stopped;
    merge->explorations[merge->exploration_count++] = exploration;
    return 0;
}

static const char *text_or_null(const struct merge *merge, const char *key)
{
    const char *text = cm_traits_get(&merge->traits, key);
    return text != NULL && *text != '\0' ? text : NULL;
}

static int report(const struct merge *merge, struct ff_error *error)
{
    const char *seed = cm_traits_get(&merge->traits, "seed");
    const struct cm_reporting reporting = {
        .settings = merge->settings,
        .target = text_or_null(merge, "target"),
        .recover = text_or_null(merge, "option --recover"),
        .check = text_or_null(merge, "option --check"),
        .seed = seed != NULL ? strtoull(seed, NULL, 10) : 0,
        .shard = {0, 1},
        .trace = merge->trace,
        .trace_path = merge->trace_path,
        .models = &merge->models,
        .explorations = merge->explorations,
        .exploration_count = merge->exploration_count,
        .interrupted = merge->interrupted,
        .missing = (const char *const *)merge->missing,
        .missing_count = merge->missing_count,
    };
    return cm_report_all(&reporting, error);
}

static int merge_all(struct merge *merge, struct ff_error *error)
{
    const struct cm_settings *settings = merge->settings;
    if (settings->keep && settings->report == NULL)
        return cm_fail(error, "--keep needs --report: where to keep the states");
    if (cm_accept_check(&settings->accept, error) != 0 || find_files(merge, error) != 0 ||
        choose_models(merge, error) != 0 || get_trace(merge, error) != 0)
        return -1;
    find_missing(merge);
    merge->explorations = cm_allocate(merge->part_count, sizeof(*merge->explorations));
    for (size_t i = 0; i < merge->part_count; i++)
        if (merge_model(merge, i, error) != 0)
            return -1;
    return report(merge, error);
}

static void release(struct merge *merge)
{
    for (size_t i = 0; merge->lists != NULL && i < merge->settings->operand_count; i++) {
        for (size_t j = 0; j < merge->list_sizes[i]; j++)
            free(merge->lists[i][j]);
        free(merge->lists[i]);
    }
    for (size_t i = 0; i < merge->part_count; i++)
        free(merge->parts[i].paths);
    for (size_t i = 0; i < merge->missing_count; i++)
        free(merge->missing[i]);
    for (size_t i = 0; i < merge->exploration_count; i++)
        cm_exploration_free(merge->explorations[i]);
    cm_traits_free(&merge->traits);
    cm_models_free(&merge->models);
    ff_trace_free(merge->trace);
    free(merge->lists);
    free(merge->list_sizes);
    free(merge->folders);
    free(merge->names);
    free(merge->parts);
    free(merge->trace_path);
    free(merge->explorations);
    free(merge->missing);
}

int cm_merge_run(const struct cm_settings *settings)
{
    struct merge merge = {.settings = settings};
    struct ff_error error = {""};
    int status = merge_all(&merge, &error);
    release(&merge);
    return status >= 0 ? status : cm_give_up(CM_EXIT_USAGE, error.text);
}

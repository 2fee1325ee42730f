/*
 * The data in tests/filesystems, and all that they claim of the shipped models: what was
 * measured, what follows from that, and what was published.
 */
#ifndef TABLES_H
#define TABLES_H

#include "outcomes.h"

/* ---- Data files ---- */

static struct ff_error config_error;
static struct cm_config measured, published, untested;
static struct data_file {
    struct cm_config *config;
    const char *path, *schema;
} data_files[] = {
    {&measured, DATA_DIR "/measured.json", "crashmatrix/measured/1"},
    {&published, DATA_DIR "/published.json", "crashmatrix/published/1"},
    {&untested, DATA_DIR "/untested.json", "crashmatrix/untested/1"},
};
enum { DATA_FILES = sizeof(data_files) / sizeof(data_files[0]) };

static void load_data(void)
{
    for (size_t i = 0; i < DATA_FILES; i++) {
        struct data_file *file = &data_files[i];
        if (cm_config_open(file->config, file->path, &config_error) != 0 ||
            !cm_config_schema(file->config, file->config->root, file->schema)) {
            fprintf(stderr, "%s\n", config_error.text);
            abort();
        }
    }
}

static void free_data(void)
{
    for (size_t i = 0; i < DATA_FILES; i++)
        cm_config_close(data_files[i].config);
}

/* Whether value is an object of these keys, the first of them required. */
static bool has_keys(const struct cm_config *config, const cJSON *value, const char *where,
                     const char *const *keys, size_t required)
{
    bool valid = cm_config_keys(config, value, where, keys, required);
    if (!valid)
        complain("%s", config_error.text);
    return valid;
}

static bool names(const cJSON *list, const char *text)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) if (strcmp(item->valuestring, text) == 0) return true;
    return false;
}

static const cJSON *rows(void)
{
    return cm_config_get(measured.root, "rows");
}

static struct workload *read_row(const cJSON *row)
{
    return workload_read(row, cm_config_get(row, "workload")->valuestring);
}

/* ---- What was measured ---- */

static void compare_cell(const struct workload *workload, const cJSON *cell)
{
    static const char *const keys[] = {"models", "source", "observed", "never", "expected", NULL};
    const cJSON *name, *item;
    if (!has_keys(&measured, cell, workload->name, keys, 3))
        return;
    if (cJSON_GetArraySize(cm_config_get(cell, "models")) == 0 ||
        cJSON_GetArraySize(cm_config_get(cell, "observed")) +
                cJSON_GetArraySize(cm_config_get(cell, "never")) ==
            0)
        complain("%s: a claim of nothing", workload->name);
    cJSON_ArrayForEach(name, cm_config_get(cell, "models"))
    {
        const struct cm_model *model = find_model(name->valuestring);
        if (model == NULL)
            continue;
        struct outcomes outcomes = explore(workload, model, NULL);
        struct claim claim = {workload, name->valuestring, &outcomes, NULL};
        cJSON_ArrayForEach(item, cm_config_get(cell, "observed"))
            expand(item->valuestring, expect_seen, &claim);
        cJSON_ArrayForEach(item, cm_config_get(cell, "expected"))
            expand(item->valuestring, expect_seen, &claim);
        cJSON_ArrayForEach(item, cm_config_get(cell, "never"))
            expect_never(&claim, item->valuestring);
        if (!quiet)
            printf("\n    %-50s %-22s %4zu outcomes, %4zu not observed", workload->name,
                   name->valuestring, outcomes.count, count_beyond(&outcomes, cell));
        free_outcomes(&outcomes);
    }
}

static void compare_row(const cJSON *row)
{
    static const char *const keys[] = {"workload", "calls", "outcomes", "before",
                                       "cell",     "note",  NULL};
    const cJSON *cell;
    if (!has_keys(&measured, row, "a row", keys, 3))
        return;
    struct workload *workload = read_row(row);
    if (cJSON_GetArraySize(cm_config_get(row, "outcomes")) == 0)
        complain("%s: no outcomes", workload->name);
    cJSON_ArrayForEach(cell, cm_config_get(row, "outcomes")) compare_cell(workload, cell);
    workload_free(workload);
}

static void compare_outcomes(void)
{
    static const char *const keys[] = {"schema", "source", "notes",        "rows",
                                       "rules",  "weaker", "nothing-lost", NULL};
    const cJSON *row;
    if (has_keys(&measured, measured.root, "the file", keys, 7))
        cJSON_ArrayForEach(row, rows()) compare_row(row);
}

/* Under which models names are always those after some of the calls, in all workloads. */
static void compare_prefixes(const cJSON *models, const struct workload *workload)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, models)
    {
        const struct cm_model *model = find_model(name->valuestring);
        struct outcomes torn = {0};
        if (model == NULL)
            continue;
        struct outcomes outcomes = explore(workload, model, &torn);
        if (torn.count > 0)
            complain("%s: model %s has %s, whose names are not those of a prefix", workload->name,
                     name->valuestring, torn.texts[0]);
        free_outcomes(&outcomes);
        free_outcomes(&torn);
    }
}

static void compare_rules(void)
{
    static const char *const keys[] = {"rule", "source", "always", "without-syncs", NULL};
    const cJSON *rule, *row;
    cJSON_ArrayForEach(rule, cm_config_get(measured.root, "rules"))
    {
        if (!has_keys(&measured, rule, "a rule", keys, 4))
            continue;
        cJSON_ArrayForEach(row, rows())
        {
            struct workload *workload = read_row(row);
            compare_prefixes(cm_config_get(rule, "always"), workload);
            if (!workload->has_sync)
                compare_prefixes(cm_config_get(rule, "without-syncs"), workload);
            workload_free(workload);
        }
    }
}

/* A model that is weaker than others has all that was seen on those. */
static void compare_weaker(const cJSON *weaker, const char *name, const struct cm_model *model,
                           const cJSON *row)
{
    const cJSON *cell, *than, *item;
    struct workload *workload = read_row(row);
    struct outcomes outcomes = explore(workload, model, NULL);
    struct claim claim = {workload, name, &outcomes, cm_config_get(weaker, "except")};
    cJSON_ArrayForEach(cell, cm_config_get(row, "outcomes"))
    {
        bool speaks = false;
        cJSON_ArrayForEach(than, cm_config_get(weaker, "than")) speaks =
            speaks || names(cm_config_get(cell, "models"), than->valuestring);
        if (!speaks)
            continue;
        cJSON_ArrayForEach(item, cm_config_get(cell, "observed"))
            expand(item->valuestring, expect_seen, &claim);
    }
    free_outcomes(&outcomes);
    workload_free(workload);
}

/* Whether an exception speaks of what was seen on one of those that the model is weaker than. */
static bool is_exception(const cJSON *weaker, const cJSON *exception)
{
    static const char *const keys[] = {"workload", "outcome", "reason", NULL};
    const cJSON *row, *cell, *than;
    if (!has_keys(&measured, exception, "an exception", keys, 3))
        return false;
    cJSON_ArrayForEach(row, rows()) cJSON_ArrayForEach(cell, cm_config_get(row, "outcomes"))
        cJSON_ArrayForEach(than, cm_config_get(weaker, "than"))
    {
        if (strcmp(cm_config_get(row, "workload")->valuestring,
                   cm_config_get(exception, "workload")->valuestring) == 0 &&
            names(cm_config_get(cell, "models"), than->valuestring) &&
            names(cm_config_get(cell, "observed"),
                  cm_config_get(exception, "outcome")->valuestring))
            return true;
    }
    return false;
}

static void compare_elsewhere(void)
{
    static const char *const keys[] = {"models", "source", "than", "except", NULL};
    const cJSON *weaker, *name, *row, *exception;
    cJSON_ArrayForEach(weaker, cm_config_get(measured.root, "weaker"))
    {
        if (!has_keys(&measured, weaker, "weaker", keys, 4))
            continue;
        cJSON_ArrayForEach(name, cm_config_get(weaker, "than")) find_model(name->valuestring);
        cJSON_ArrayForEach(exception,
                           cm_config_get(weaker, "except")) if (!is_exception(weaker, exception))
            complain("weaker: '%s' was not seen, and is no exception",
                     cm_config_get(exception, "outcome")->valuestring);
        cJSON_ArrayForEach(name, cm_config_get(weaker, "models"))
        {
            const struct cm_model *model = find_model(name->valuestring);
            if (model != NULL)
                cJSON_ArrayForEach(row, rows())
                    compare_weaker(weaker, name->valuestring, model, row);
        }
    }
}

/* What is there after the last call, in the running system. */
static char *last_outcome(const struct workload *workload)
{
    const struct ff_trace *trace = &workload->sample->trace;
    struct ff_error error;
    struct ff_tree *tree = ff_tree_from_snapshot(trace);
    for (size_t i = 0; i < trace->call_count; i++)
        ff_tree_apply(tree, &trace->calls[i], &error);
    char *text = workload_outcome(workload, tree);
    ff_tree_free(tree);
    return text;
}

static void compare_nothing_lost(void)
{
    const cJSON *name, *row;
    const cJSON *models = cm_config_get(cm_config_get(measured.root, "nothing-lost"), "models");
    CU_ASSERT_TRUE(cJSON_GetArraySize(models) > 0);
    cJSON_ArrayForEach(name, models) cJSON_ArrayForEach(row, rows())
    {
        const struct cm_model *model = find_model(name->valuestring);
        if (model == NULL)
            continue;
        struct workload *workload = read_row(row);
        struct outcomes outcomes = explore(workload, model, NULL);
        char *last = last_outcome(workload);
        if (outcomes.count != 1 || strcmp(outcomes.texts[0], last) != 0)
            complain("%s: model %s has %zu outcomes, not only %s", workload->name,
                     name->valuestring, outcomes.count, last);
        free(last);
        free_outcomes(&outcomes);
        workload_free(workload);
    }
}

/* ---- What was published ---- */

/* An outcome by which the property fails under the model; malloc'ed; NULL: it holds. */
static char *counterexample(const cJSON *property, const struct cm_model *model)
{
    static const char *const keys[] = {"calls", "holds", "before", "cell", "granule", NULL};
    const char *name = cm_config_get(property, "property")->valuestring;
    const cJSON *json, *item;
    char *found = NULL;
    cJSON_ArrayForEach(json, cm_config_get(property, "workloads"))
    {
        if (found != NULL || !has_keys(&published, json, name, keys, 2))
            break;
        struct workload *workload = workload_read(json, name);
        struct outcomes outcomes = explore(workload, model, NULL);
        cJSON_ArrayForEach(item, cm_config_get(json, "holds"))
            check_pattern(workload, item->valuestring);
        for (size_t i = 0; found == NULL && i < outcomes.count; i++) {
            bool good = false;
            cJSON_ArrayForEach(item, cm_config_get(json, "holds")) good =
                good || workload_matches(item->valuestring, outcomes.texts[i]);
            if (!good)
                found = cm_format("%s", outcomes.texts[i]);
        }
        free_outcomes(&outcomes);
        workload_free(workload);
    }
    return found;
}

/* Whether something newer says otherwise of the model than what was published. */
static bool is_disputed(const cJSON *property, const char *model, bool failed)
{
    static const char *const keys[] = {"models", "fails", "source", NULL};
    const char *name = cm_config_get(property, "property")->valuestring;
    const cJSON *item;
    bool disputed = false;
    cJSON_ArrayForEach(item, cm_config_get(property, "disputed"))
    {
        if (!has_keys(&published, item, name, keys, 3) ||
            !names(cm_config_get(item, "models"), model))
            continue;
        if (disputed || cJSON_IsTrue(cm_config_get(item, "fails")) == failed)
            complain("%s: of %s nothing else is said than what was published", name, model);
        disputed = true;
    }
    return disputed;
}

static void compare_property(const cJSON *property, const cJSON *configurations)
{
    static const char *const keys[] = {"property", "workloads", "fails", "disputed",
                                       "note",     "only",      NULL};
    const cJSON *configuration, *model_name, *item;
    if (!has_keys(&published, property, "a property", keys, 3))
        return;
    const char *name = cm_config_get(property, "property")->valuestring;
    const cJSON *fails = cm_config_get(property, "fails");
    const cJSON *only_some = cm_config_get(property, "only"); /* configurations; NULL: all */
    size_t disputes = 0;
    cJSON_ArrayForEach(item, fails) if (cm_config_get(configurations, item->valuestring) == NULL)
        complain("%s: there is no configuration %s", name, item->valuestring);
    cJSON_ArrayForEach(item,
                       only_some) if (cm_config_get(configurations, item->valuestring) == NULL)
        complain("%s: there is no configuration %s", name, item->valuestring);
    cJSON_ArrayForEach(configuration, configurations)
        cJSON_ArrayForEach(model_name, cm_config_get(configuration, "models"))
    {
        if (only_some != NULL && !names(only_some, configuration->string))
            continue;
        const struct cm_model *model = find_model(model_name->valuestring);
        bool failed = names(fails, configuration->string);
        bool disputed = is_disputed(property, model_name->valuestring, failed);
        bool expected = failed != disputed;
        disputes += disputed;
        if (model == NULL)
            continue;
        char *found = counterexample(property, model);
        if ((found != NULL) != expected)
            complain("%s: %s under %s%s%s", name, expected ? "does not fail" : "fails",
                     model_name->valuestring, found != NULL ? ": " : "",
                     found != NULL ? found : "");
        free(found);
    }
    cJSON_ArrayForEach(item, cm_config_get(property, "disputed")) disputes -=
        (size_t)cJSON_GetArraySize(cm_config_get(item, "models"));
    if (disputes != 0)
        complain("%s: disputed for a model that no configuration has", name);
}

static void compare_properties(void)
{
    static const char *const keys[] = {"schema", "source", "configurations", "properties", NULL};
    static const char *const configuration_keys[] = {"models", "reason", NULL};
    const cJSON *item;
    if (has_keys(&published, published.root, "the file", keys, 4)) {
        const cJSON *configurations = cm_config_get(published.root, "configurations");
        cJSON_ArrayForEach(item, configurations)
        {
            bool has_model = cJSON_GetArraySize(cm_config_get(item, "models")) > 0;
            has_keys(&published, item, item->string, configuration_keys, has_model ? 1 : 2);
        }
        cJSON_ArrayForEach(item, cm_config_get(published.root, "properties"))
            compare_property(item, configurations);
    }
}

#endif

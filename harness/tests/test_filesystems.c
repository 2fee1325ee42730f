/*
 * The shipped models against real file systems: tests/filesystems/measured.json, what
 * power cuts were seen to leave after small workloads, and published.json, which
 * properties were seen to fail where. What was seen must be a state of the model, without
 * exception, and what never occurs must not. How many other outcomes a model has is
 * printed: the fewer, the better.
 *
 * Data and models are held to each other: a model of which no data speak, a claim that is
 * used nowhere, and a promise of a model that could be dropped without any claim being
 * broken (unless untested.json says why) fail the test.
 */
#include "unit.h"

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
    static const char *const keys[] = {"schema", "source",       "rows", "rules",
                                       "weaker", "nothing-lost", NULL};
    const cJSON *row;
    if (has_keys(&measured, measured.root, "the file", keys, 6))
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

static void compare_elsewhere(void)
{
    static const char *const keys[] = {"models", "source", "than", "except", NULL};
    const cJSON *weaker, *name, *row;
    cJSON_ArrayForEach(weaker, cm_config_get(measured.root, "weaker"))
    {
        if (!has_keys(&measured, weaker, "weaker", keys, 4))
            continue;
        cJSON_ArrayForEach(name, cm_config_get(weaker, "than")) find_model(name->valuestring);
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
    static const char *const keys[] = {"property", "workloads", "fails", "disputed", "note", NULL};
    const cJSON *configuration, *model_name, *item;
    if (!has_keys(&published, property, "a property", keys, 3))
        return;
    const char *name = cm_config_get(property, "property")->valuestring;
    const cJSON *fails = cm_config_get(property, "fails");
    size_t disputes = 0;
    cJSON_ArrayForEach(item, fails) if (cm_config_get(configurations, item->valuestring) == NULL)
        complain("%s: there is no configuration %s", name, item->valuestring);
    cJSON_ArrayForEach(configuration, configurations)
        cJSON_ArrayForEach(model_name, cm_config_get(configuration, "models"))
    {
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

/* ---- Tests ---- */

static void expect_no_complaints(void (*compare)(void))
{
    complaints = 0;
    compare();
    if (complaints > 0)
        printf("\n    ");
    CU_ASSERT_EQUAL(complaints, 0);
}

static void measured_outcomes(void)
{
    expect_no_complaints(compare_outcomes);
    printf("\n    ");
}

static void measured_rules(void)
{
    expect_no_complaints(compare_rules);
}

static void measured_elsewhere(void)
{
    expect_no_complaints(compare_elsewhere);
}

static void nothing_lost(void)
{
    expect_no_complaints(compare_nothing_lost);
}

static void published_properties(void)
{
    expect_no_complaints(compare_properties);
}

/* Runs after all that look models up. */
static void no_model_without_data(void)
{
    for (size_t i = 0; i < shipped_count; i++) {
        CU_ASSERT_TRUE(shipped[i].used);
        if (!shipped[i].used)
            printf("\n    no data speak of model %s", shipped[i].name);
    }
}

/* Claims that are wrong of posix, and one twin each that is right. */
static void wrong_claims_are_found(void)
{
    static const struct {
        const char *cell;
        size_t complaints;
    } cases[] = {
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"f=[NO][NO]\"]}", 0},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"f=[NOZ]O\"]}", 1},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"f=!\"]}", 1},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"f=E or f=NN\"]}", 0},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"f=E or f=ZZ\"]}", 1},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [], \"never\": [\"f=*Z*\"]}",
         0},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [], \"never\": [\"f=NO\"]}",
         1},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [\"g=NN\"]}", 2},
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": [], \"nver\": []}", 1},
        {"{\"models\": [\"posix9\"], \"source\": \"s\", \"observed\": []}", 1},
    };
    cJSON *row = cJSON_Parse("{\"before\": {\"f\": \"OO\"}, \"calls\": [\"write f 0 NN\"]}");
    struct workload *workload = workload_read(row, "planted");
    quiet = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *cell = cJSON_Parse(cases[i].cell);
        complaints = 0;
        compare_cell(workload, cell);
        CU_ASSERT_EQUAL(complaints, cases[i].complaints);
        if (complaints != cases[i].complaints)
            printf("\n    case %zu: %zu complaints", i, complaints);
        cJSON_Delete(cell);
    }
    quiet = false;
    workload_free(workload);
    cJSON_Delete(row);
}

/* ---- Models with a promise less ---- */

static const char *const class_names[] = {
#define X(identifier, name) name,
    CM_CLASSES(X)
#undef X
};
static const char *const sync_names[] = {
#define X(identifier, name) name,
    CM_SYNCS(X)
#undef X
};
static const char *const cover_names[] = {
#define X(identifier, name) name,
    CM_COVERS(X)
#undef X
};
static const char *const restate_names[] = {
#define X(identifier, name) name,
    CM_RESTATES(X)
#undef X
};

struct dropped {
    const cJSON *entry; /* of untested.json */
    bool used;
};
enum { DROPPED = 64 };
static struct dropped dropped[DROPPED];
static size_t dropped_count;

/* Whether untested.json knows that no claim depends on the promise. */
static bool is_untested(const char *model, const char *promise)
{
    bool known = false;
    for (size_t i = 0; i < dropped_count; i++) {
        const cJSON *item;
        bool here = false;
        cJSON_ArrayForEach(item, cm_config_get(dropped[i].entry, "models")) here =
            here || fnmatch(item->valuestring, model, 0) == 0;
        if (!here ||
            fnmatch(cm_config_get(dropped[i].entry, "promise")->valuestring, promise, 0) != 0)
            continue;
        dropped[i].used = known = true;
    }
    return known;
}

/* The model lacks a promise: some claim must be broken by that. */
static void expect_broken(const struct shipped *changed, const char *promise)
{
    only = changed->name;
    quiet = true;
    complaints = 0;
    compare_outcomes();
    compare_rules();
    compare_elsewhere();
    compare_nothing_lost();
    compare_properties();
    only = NULL;
    quiet = false;
    bool found = complaints > 0 || is_untested(changed->name, promise);
    CU_ASSERT_TRUE(found);
    if (!found)
        printf("\n    model %s without '%s' breaks no claim", changed->name, promise);
}

static char *rule_text(const struct cm_order_rule *rule)
{
    char *text = cm_format("order");
    for (int side = 0; side < 2; side++) {
        unsigned bits = side == 0 ? rule->before : rule->after;
        for (size_t class = 0; class < CM_CLASS_COUNT; class ++) {
            if ((bits & 1u << class) == 0)
                continue;
            char *longer = cm_format("%s %s", text, class_names[class]);
            free(text);
            text = longer;
        }
        char *longer = cm_format("%s%s", text, side == 0 ? " >" : "");
        free(text);
        text = longer;
    }
    return text;
}

static void drop_rules(struct shipped *changed)
{
    struct cm_model *model = changed->model;
    for (size_t i = 0; i < model->rule_count; i++) {
        struct cm_order_rule rule = model->rules[i];
        char *text = rule_text(&rule);
        model->rules[i] = (struct cm_order_rule){.scope = rule.scope};
        expect_broken(changed, text);
        model->rules[i] = rule;
        free(text);
    }
}

static void drop_bits(struct shipped *changed, unsigned *bits, const char *prefix,
                      const char *const *bit_names, size_t bit_count)
{
    for (size_t sync = 0; sync < CM_SYNC_COUNT; sync++)
        for (size_t bit = 0; bit < bit_count; bit++) {
            if ((bits[sync] & 1u << bit) == 0)
                continue;
            char *text = cm_format("%s%s %s", prefix, sync_names[sync], bit_names[bit]);
            bits[sync] ^= 1u << bit;
            expect_broken(changed, text);
            bits[sync] ^= 1u << bit;
            free(text);
        }
}

static void every_promise_matters(void)
{
    static const char *const keys[] = {"models", "promise", "reason", NULL};
    const cJSON *entry;
    dropped_count = 0;
    complaints = 0;
    cJSON_ArrayForEach(entry, cm_config_get(untested.root, "untested"))
    {
        if (has_keys(&untested, entry, "an entry", keys, 3) && dropped_count < DROPPED)
            dropped[dropped_count++] = (struct dropped){.entry = entry};
    }
    CU_ASSERT_EQUAL(complaints, 0);
    for (size_t i = 0; i < shipped_count; i++) {
        drop_rules(&shipped[i]);
        drop_bits(&shipped[i], shipped[i].model->covers, "", cover_names, CM_COVER_COUNT);
        drop_bits(&shipped[i], shipped[i].model->restates, "restates ", restate_names,
                  CM_RESTATE_COUNT);
    }
    for (size_t i = 0; i < dropped_count; i++) {
        CU_ASSERT_TRUE(dropped[i].used);
        if (!dropped[i].used)
            printf("\n    untested.json: no model can do without '%s'",
                   cm_config_get(dropped[i].entry, "promise")->valuestring);
    }
}

static const struct unit_test tests[] = {
    {"claims that are wrong are found", wrong_claims_are_found},
    {"what was measured, and what never occurs", measured_outcomes},
    {"rules that the measured states have in common", measured_rules},
    {"weaker models have what was measured elsewhere", measured_elsewhere},
    {"a process crash loses nothing", nothing_lost},
    {"properties that were published", published_properties},
    {"no model without data", no_model_without_data},
    {"no promise that could be dropped", every_promise_matters},
};

int main(int argc, char **argv)
{
    load_models();
    load_data();
    int status = unit_main("file systems", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    free_data();
    free_models();
    return status;
}

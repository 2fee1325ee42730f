/*
 * The shipped models against real file systems: tests/filesystems/measured.json, what
 * power cuts were seen to leave after small workloads, and published.json, which
 * properties were seen to fail where. What was seen must be a state of the model, without
 * exception, and what never occurs must not. How many other outcomes a model has is
 * printed: the fewer, the better.
 */
#include "unit.h"

#include <dirent.h>
#include <stdarg.h>

#include "workload.h"

enum { MODELS = 64, OUTCOMES_LIMIT = 1 << 20 };

/* ---- Models: loaded once, and whether any data speak of them ---- */

static struct shipped {
    char *name;
    struct cm_model *model;
    bool used;
} shipped[MODELS];
static size_t shipped_count;

static int compare_shipped(const void *a, const void *b)
{
    return strcmp(((const struct shipped *)a)->name, ((const struct shipped *)b)->name);
}

static void load_models(void)
{
    DIR *folder = opendir(MODELS_DIR);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *suffix = strstr(entry->d_name, ".json");
        if (suffix == NULL || shipped_count == MODELS)
            continue;
        struct shipped *one = &shipped[shipped_count++];
        one->name = cm_duplicate(entry->d_name, (size_t)(suffix - entry->d_name));
        one->model = sample_model(one->name);
    }
    closedir(folder);
    qsort(shipped, shipped_count, sizeof(*shipped), compare_shipped);
}

static void free_models(void)
{
    for (size_t i = 0; i < shipped_count; i++) {
        free(shipped[i].name);
        cm_model_free(shipped[i].model);
    }
}

/* ---- Complaints: what is wrong with a model or with the data ---- */

static size_t complaints;
static bool quiet; /* they are wanted */

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...)
{
    va_list arguments;
    complaints++;
    if (quiet)
        return;
    va_start(arguments, format);
    printf("\n    ");
    vprintf(format, arguments);
    va_end(arguments);
}

static const struct cm_model *find_model(const char *name)
{
    for (size_t i = 0; i < shipped_count; i++)
        if (strcmp(shipped[i].name, name) == 0) {
            shipped[i].used = true;
            return shipped[i].model;
        }
    complain("the data speak of model %s, which there is not", name);
    return NULL;
}

/* ---- Sets of outcomes ---- */

struct outcomes {
    char **texts;
    size_t count, capacity;
};

static bool has_outcome(const struct outcomes *outcomes, const char *pattern)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (workload_matches(pattern, outcomes->texts[i]))
            return true;
    return false;
}

static void add_outcome(struct outcomes *outcomes, char *text)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (strcmp(outcomes->texts[i], text) == 0) {
            free(text);
            return;
        }
    outcomes->texts =
        cm_reserve(outcomes->texts, outcomes->count, &outcomes->capacity, sizeof(char *));
    outcomes->texts[outcomes->count++] = text;
}

static void free_outcomes(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++)
        free(outcomes->texts[i]);
    free(outcomes->texts);
}

/* What the names mean must be what they meant after some of the calls. */
static bool names_are_a_prefix(const struct workload *workload, const struct ff_tree *tree)
{
    char *names = workload_names(tree);
    bool is = false;
    for (size_t k = 0; !is && k <= workload->sample->trace.call_count; k++)
        is = strcmp(workload->names[k], names) == 0;
    free(names);
    return is;
}

/* All that a cut after the last call can leave, each once; malloc'ed. Where names are not a
 * prefix is added to *torn, unless that is NULL. */
static struct outcomes explore(const struct workload *workload, const struct cm_model *model,
                               struct outcomes *torn)
{
    struct outcomes outcomes = {0};
    struct ff_error error;
    const struct ff_trace *trace = &workload->sample->trace;
    struct cm_poset *poset = cm_poset_build(trace, model, workload->granule, &error);
    if (poset == NULL) {
        complain("%s: %s", workload->name, error.text);
        return outcomes;
    }
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    size_t leaves = 0;
    do {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        if (cm_cylinder_boundaries(poset, cylinder).end <= trace->call_count)
            continue;
        const struct ff_tree *tree = cm_stepper_step(stepper, cylinder.included);
        if (torn != NULL && !names_are_a_prefix(workload, tree))
            add_outcome(torn, workload_outcome(workload, tree));
        add_outcome(&outcomes, workload_outcome(workload, tree));
    } while (cm_explorer_advance(explorer) && ++leaves < OUTCOMES_LIMIT);
    if (leaves == OUTCOMES_LIMIT)
        complain("%s: too many states under %s", workload->name, cm_model_name(model));
    cm_stepper_free(stepper);
    cm_explorer_free(explorer);
    cm_poset_free(poset);
    return outcomes;
}

/* ---- Claims ---- */

static void check_pattern(const struct workload *workload, const char *pattern)
{
    if (!workload_knows(workload, pattern))
        complain("%s: '%s' is no pattern of its paths", workload->name, pattern);
}

/*
 * Calls use for each pattern that a claim stands for: one for each letter in brackets,
 * "any mix" being every subset.
 */
static void expand(const char *claim, void (*use)(void *, const char *), void *context)
{
    const char *open = strchr(claim, '['), *close = open != NULL ? strchr(open, ']') : NULL;
    if (close == NULL) {
        use(context, claim);
        return;
    }
    for (const char *letter = open + 1; letter < close; letter++) {
        char *one = cm_format("%.*s%c%s", (int)(open - claim), claim, *letter, close + 1);
        expand(one, use, context);
        free(one);
    }
}

struct claim {
    const struct workload *workload;
    const char *model;
    const struct outcomes *outcomes;
    const cJSON *except; /* outcomes that the model need not have; or NULL */
};

static bool is_excepted(const struct claim *claim, const char *pattern)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, claim->except)
    {
        if (strcmp(cm_config_get(item, "workload")->valuestring, claim->workload->name) == 0 &&
            strcmp(cm_config_get(item, "outcome")->valuestring, pattern) == 0)
            return true;
    }
    return false;
}

/* One of the alternatives that " or " separates must be among the outcomes. */
static void expect_seen(void *context, const char *pattern)
{
    const struct claim *claim = context;
    char *copy = cm_format("%s", pattern), *at = copy;
    bool seen = false;
    while (at != NULL) {
        char *next = strstr(at, " or ");
        if (next != NULL)
            *next = '\0';
        check_pattern(claim->workload, at);
        seen = seen || has_outcome(claim->outcomes, at);
        at = next != NULL ? next + strlen(" or ") : NULL;
    }
    bool excepted = is_excepted(claim, pattern);
    if (!seen && !excepted)
        complain("%s: model %s lacks %s, which was seen", claim->workload->name, claim->model,
                 pattern);
    if (seen && excepted)
        complain("%s: model %s does have %s, which is excepted", claim->workload->name,
                 claim->model, pattern);
    free(copy);
}

static void expect_never(const struct claim *claim, const char *pattern)
{
    check_pattern(claim->workload, pattern);
    for (size_t i = 0; i < claim->outcomes->count; i++)
        if (workload_matches(pattern, claim->outcomes->texts[i])) {
            complain("%s: model %s has %s, but %s never occurs", claim->workload->name,
                     claim->model, claim->outcomes->texts[i], pattern);
            return;
        }
}

struct pattern_search {
    const char *outcome;
    bool found;
};

static void search_pattern(void *context, const char *pattern)
{
    struct pattern_search *search = context;
    char *copy = cm_format("%s", pattern), *at = copy;
    while (at != NULL) {
        char *next = strstr(at, " or ");
        if (next != NULL)
            *next = '\0';
        search->found = search->found || workload_matches(at, search->outcome);
        at = next != NULL ? next + strlen(" or ") : NULL;
    }
    free(copy);
}

/* How many outcomes there are that nothing seen describes. */
static size_t count_beyond(const struct outcomes *outcomes, const cJSON *cell)
{
    size_t beyond = 0;
    for (size_t i = 0; i < outcomes->count; i++) {
        struct pattern_search search = {.outcome = outcomes->texts[i]};
        const cJSON *item;
        cJSON_ArrayForEach(item, cm_config_get(cell, "observed"))
            expand(item->valuestring, search_pattern, &search);
        cJSON_ArrayForEach(item, cm_config_get(cell, "expected"))
            expand(item->valuestring, search_pattern, &search);
        beyond += !search.found;
    }
    return beyond;
}

/* ---- Data files ---- */

static struct cm_config config;
static struct ff_error config_error;

static void open_data(const char *name, const char *schema)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s.json", DATA_DIR, name);
    bool opened = cm_config_open(&config, path, &config_error) == 0 &&
                  cm_config_schema(&config, config.root, schema);
    if (!opened)
        printf("\n    %s", config_error.text);
    CU_ASSERT_TRUE_FATAL(opened);
}

/* Whether value is an object of these keys, the first of them required. */
static bool has_keys(const cJSON *value, const char *where, const char *const *keys,
                     size_t required)
{
    bool valid = cm_config_keys(&config, value, where, keys, required);
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

/* ---- What was measured ---- */

static void compare_cell(const struct workload *workload, const cJSON *cell)
{
    static const char *const keys[] = {"models", "source", "observed", "never", "expected", NULL};
    const cJSON *name, *item;
    if (!has_keys(cell, workload->name, keys, 3))
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
    if (!has_keys(row, "a row", keys, 3))
        return;
    struct workload *workload = workload_read(row, cm_config_get(row, "workload")->valuestring);
    if (cJSON_GetArraySize(cm_config_get(row, "outcomes")) == 0)
        complain("%s: no outcomes", workload->name);
    cJSON_ArrayForEach(cell, cm_config_get(row, "outcomes")) compare_cell(workload, cell);
    workload_free(workload);
}

static void measured_outcomes(void)
{
    static const char *const keys[] = {"schema", "source",       "rows", "rules",
                                       "weaker", "nothing-lost", NULL};
    const cJSON *row;
    complaints = 0;
    open_data("measured", "crashmatrix/measured/1");
    if (has_keys(config.root, "the file", keys, 6))
        cJSON_ArrayForEach(row, cm_config_get(config.root, "rows")) compare_row(row);
    printf("\n    ");
    CU_ASSERT_EQUAL(complaints, 0);
    cm_config_close(&config);
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

static void measured_rules(void)
{
    static const char *const keys[] = {"rule", "source", "always", "without-syncs", NULL};
    const cJSON *rule, *row;
    complaints = 0;
    open_data("measured", "crashmatrix/measured/1");
    cJSON_ArrayForEach(rule, cm_config_get(config.root, "rules"))
    {
        if (!has_keys(rule, "a rule", keys, 4))
            continue;
        cJSON_ArrayForEach(row, cm_config_get(config.root, "rows"))
        {
            struct workload *workload =
                workload_read(row, cm_config_get(row, "workload")->valuestring);
            compare_prefixes(cm_config_get(rule, "always"), workload);
            if (!workload->has_sync)
                compare_prefixes(cm_config_get(rule, "without-syncs"), workload);
            workload_free(workload);
        }
    }
    CU_ASSERT_EQUAL(complaints, 0);
    cm_config_close(&config);
}

/* A model that is weaker than others has all that was seen on those. */
static void compare_weaker(const cJSON *weaker, const char *name, const struct cm_model *model,
                           const cJSON *row)
{
    const cJSON *cell, *than, *item;
    struct workload *workload = workload_read(row, cm_config_get(row, "workload")->valuestring);
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

static void measured_elsewhere(void)
{
    static const char *const keys[] = {"models", "source", "than", "except", NULL};
    const cJSON *weaker, *name, *row;
    complaints = 0;
    open_data("measured", "crashmatrix/measured/1");
    cJSON_ArrayForEach(weaker, cm_config_get(config.root, "weaker"))
    {
        if (!has_keys(weaker, "weaker", keys, 4))
            continue;
        cJSON_ArrayForEach(name, cm_config_get(weaker, "than")) find_model(name->valuestring);
        cJSON_ArrayForEach(name, cm_config_get(weaker, "models"))
        {
            const struct cm_model *model = find_model(name->valuestring);
            if (model != NULL)
                cJSON_ArrayForEach(row, cm_config_get(config.root, "rows"))
                    compare_weaker(weaker, name->valuestring, model, row);
        }
    }
    CU_ASSERT_EQUAL(complaints, 0);
    cm_config_close(&config);
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

static void nothing_lost(void)
{
    const cJSON *name, *row;
    complaints = 0;
    open_data("measured", "crashmatrix/measured/1");
    const cJSON *models = cm_config_get(cm_config_get(config.root, "nothing-lost"), "models");
    CU_ASSERT_TRUE(cJSON_GetArraySize(models) > 0);
    cJSON_ArrayForEach(name, models) cJSON_ArrayForEach(row, cm_config_get(config.root, "rows"))
    {
        const struct cm_model *model = find_model(name->valuestring);
        struct workload *workload = workload_read(row, name->valuestring);
        struct outcomes outcomes = {0};
        char *last = last_outcome(workload);
        if (model != NULL)
            outcomes = explore(workload, model, NULL);
        if (outcomes.count != 1 || strcmp(outcomes.texts[0], last) != 0)
            complain("%s has %zu outcomes besides %s", name->valuestring, outcomes.count, last);
        free(last);
        free_outcomes(&outcomes);
        workload_free(workload);
    }
    CU_ASSERT_EQUAL(complaints, 0);
    cm_config_close(&config);
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
        if (found != NULL || !has_keys(json, name, keys, 2))
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
static bool is_disputed(const cJSON *property, const char *model, bool published)
{
    static const char *const keys[] = {"models", "fails", "source", NULL};
    const char *name = cm_config_get(property, "property")->valuestring;
    const cJSON *item;
    bool disputed = false;
    cJSON_ArrayForEach(item, cm_config_get(property, "disputed"))
    {
        if (!has_keys(item, name, keys, 3) || !names(cm_config_get(item, "models"), model))
            continue;
        if (disputed || cJSON_IsTrue(cm_config_get(item, "fails")) == published)
            complain("%s: of %s nothing else is said than what was published", name, model);
        disputed = true;
    }
    return disputed;
}

static void compare_property(const cJSON *property, const cJSON *configurations)
{
    static const char *const keys[] = {"property", "workloads", "fails", "disputed", "note", NULL};
    const cJSON *configuration, *model_name, *item;
    if (!has_keys(property, "a property", keys, 3))
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
        bool published = names(fails, configuration->string);
        bool disputed = is_disputed(property, model_name->valuestring, published);
        bool expected = published != disputed;
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

static void published_properties(void)
{
    static const char *const keys[] = {"schema", "source", "configurations", "properties", NULL};
    static const char *const configuration_keys[] = {"models", "reason", NULL};
    const cJSON *item;
    complaints = 0;
    open_data("published", "crashmatrix/published/1");
    if (has_keys(config.root, "the file", keys, 4)) {
        const cJSON *configurations = cm_config_get(config.root, "configurations");
        cJSON_ArrayForEach(item, configurations)
        {
            bool has_model = cJSON_GetArraySize(cm_config_get(item, "models")) > 0;
            has_keys(item, item->string, configuration_keys, has_model ? 1 : 2);
        }
        cJSON_ArrayForEach(item, cm_config_get(config.root, "properties"))
            compare_property(item, configurations);
    }
    CU_ASSERT_EQUAL(complaints, 0);
    cm_config_close(&config);
}

/* ---- The data themselves ---- */

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
    config = (struct cm_config){.path = "planted", .error = &config_error};
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

static const struct unit_test tests[] = {
    {"claims that are wrong are found", wrong_claims_are_found},
    {"what was measured, and what never occurs", measured_outcomes},
    {"rules that the measured states have in common", measured_rules},
    {"weaker models have what was measured elsewhere", measured_elsewhere},
    {"a process crash loses nothing", nothing_lost},
    {"properties that were published", published_properties},
    {"no model without data", no_model_without_data},
};

int main(int argc, char **argv)
{
    load_models();
    int status = unit_main("file systems", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    free_models();
    return status;
}

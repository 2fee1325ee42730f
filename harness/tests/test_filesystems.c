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

#include "tables.h"

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

/* Whether some list of models in the data has the name. */
static bool is_spoken_of(const cJSON *json, const char *name)
{
    const cJSON *item;
    bool is = json->string != NULL && strcmp(json->string, "models") == 0 && names(json, name);
    cJSON_ArrayForEach(item, json) is = is || is_spoken_of(item, name);
    return is;
}

static void no_model_without_data(void)
{
    CU_ASSERT_TRUE(shipped_count > 0);
    for (size_t i = 0; i < shipped_count; i++) {
        bool has_data = is_spoken_of(measured.root, shipped[i].name) ||
                        is_spoken_of(published.root, shipped[i].name);
        CU_ASSERT_TRUE(has_data);
        if (!has_data)
            printf("\n    no data speak of model %s", shipped[i].name);
    }
    CU_ASSERT_FALSE(is_spoken_of(measured.root, "ext9"));
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
        {"{\"models\": [\"posix\"], \"source\": \"s\", \"observed\": []}", 1},
        {"{\"models\": [], \"source\": \"s\", \"observed\": [\"f=OO\"]}", 1},
        {"{\"models\": [\"posix9\"], \"source\": \"s\", \"observed\": [\"f=OO\"]}", 1},
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

/* The same of properties. Of posix, and a configuration without a model. */
static void wrong_properties_are_found(void)
{
    static const struct {
        const char *claim; /* that it fails */
        size_t complaints;
    } cases[] = {
        {"\"fails\": [\"p\"]", 0},
        {"\"fails\": []", 1},
        {"\"fails\": [], \"disputed\": [{\"models\": [\"posix\"], \"fails\": true, \"source\": "
         "\"s\"}]",
         0},
        {"\"fails\": [\"p\"], \"disputed\": [{\"models\": [\"posix\"], \"fails\": false, "
         "\"source\": \"s\"}]",
         1},
        {"\"fails\": [], \"disputed\": [{\"models\": [\"posix\"], \"fails\": false, \"source\": "
         "\"s\"}]",
         1},
        {"\"fails\": [\"p\"], \"disputed\": [{\"models\": [\"xfs\"], \"fails\": true, \"source\": "
         "\"s\"}]",
         1},
        {"\"fails\": [\"p\", \"r\"]", 1},
        {"\"fails\": [], \"only\": [\"q\"]", 0},
    };
    cJSON *configurations =
        cJSON_Parse("{\"p\": {\"models\": [\"posix\"]}, \"q\": {\"models\": []}}");
    quiet = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = cm_format("{\"property\": \"planted\", \"workloads\": [{\"before\": {\"f\": "
                               "\"OO\"}, \"calls\": [\"write f 0 NN\"], \"holds\": "
                               "[\"f=OO\", \"f=NN\"]}], %s}",
                               cases[i].claim);
        cJSON *property = cJSON_Parse(text);
        complaints = 0;
        compare_property(property, configurations);
        CU_ASSERT_EQUAL(complaints, cases[i].complaints);
        if (complaints != cases[i].complaints)
            printf("\n    case %zu: %zu complaints", i, complaints);
        cJSON_Delete(property);
        free(text);
    }
    quiet = false;
    cJSON_Delete(configurations);
}

/* Names are a prefix under xfs, and not under posix. */
static void names_out_of_order_are_found(void)
{
    cJSON *row = cJSON_Parse("{\"calls\": [\"create a\", \"create b\"]}");
    cJSON *xfs = cJSON_Parse("[\"xfs\"]"), *posix = cJSON_Parse("[\"posix\"]");
    struct workload *workload = workload_read(row, "planted");
    quiet = true;
    complaints = 0;
    compare_prefixes(xfs, workload);
    CU_ASSERT_EQUAL(complaints, 0);
    compare_prefixes(posix, workload);
    CU_ASSERT_EQUAL(complaints, 1);
    quiet = false;
    workload_free(workload);
    cJSON_Delete(row);
    cJSON_Delete(xfs);
    cJSON_Delete(posix);
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

/* ---- The tables in words ---- */

static const cJSON *find_cell(const cJSON *row, const char *model)
{
    const cJSON *cell;
    cJSON_ArrayForEach(cell,
                       cm_config_get(row, "outcomes")) if (names(cm_config_get(cell, "models"),
                                                                 model)) return cell;
    return NULL;
}

static void print_workloads(FILE *stream)
{
    const cJSON *row, *item;
    int number = 1;
    cJSON_ArrayForEach(row, rows())
    {
        const char *separator = "";
        fprintf(stream, "%d. %s: ", number++, cm_config_get(row, "workload")->valuestring);
        cJSON_ArrayForEach(item, cm_config_get(row, "before"))
        {
            fprintf(stream, "%s%s=%s", separator, item->string, item->valuestring);
            separator = " ";
        }
        separator = cm_config_get(row, "before") != NULL ? "; " : "";
        cJSON_ArrayForEach(item, cm_config_get(row, "calls"))
        {
            fprintf(stream, "%s`%s`", separator, item->valuestring);
            separator = ", ";
        }
        fprintf(stream, "\n");
    }
    fprintf(stream, "\n");
}

static void print_head(FILE *stream, int columns)
{
    fprintf(stream, "| model |");
    for (int i = 1; i <= columns; i++)
        fprintf(stream, " %d |", i);
    fprintf(stream, "\n|---|");
    for (int i = 1; i <= columns; i++)
        fprintf(stream, "---|");
    fprintf(stream, "\n");
}

static void print_outcomes(FILE *stream)
{
    const cJSON *row;
    print_head(stream, cJSON_GetArraySize(rows()));
    for (size_t i = 0; i < shipped_count; i++) {
        fprintf(stream, "| %s |", shipped[i].name);
        cJSON_ArrayForEach(row, rows())
        {
            const cJSON *cell = find_cell(row, shipped[i].name);
            struct workload *workload = read_row(row);
            struct outcomes outcomes = explore(workload, shipped[i].model, NULL);
            size_t beyond = cell != NULL ? count_beyond(&outcomes, cell) : 0;
            fprintf(stream, cell != NULL ? " %zu+%zu |" : " %zu |", outcomes.count - beyond,
                    beyond);
            free_outcomes(&outcomes);
            workload_free(workload);
        }
        fprintf(stream, "\n");
    }
    fprintf(stream, "\n");
}

static void print_properties(FILE *stream)
{
    const cJSON *properties = cm_config_get(published.root, "properties"), *property;
    int number = 1;
    cJSON_ArrayForEach(property, properties)
        fprintf(stream, "%d. %s\n", number++, cm_config_get(property, "property")->valuestring);
    fprintf(stream, "\n");
    print_head(stream, cJSON_GetArraySize(properties));
    for (size_t i = 0; i < shipped_count; i++) {
        fprintf(stream, "| %s |", shipped[i].name);
        cJSON_ArrayForEach(property, properties)
        {
            char *found = counterexample(property, shipped[i].model);
            fprintf(stream, found != NULL ? " no |" : " |");
            free(found);
        }
        fprintf(stream, "\n");
    }
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r"), *stream = open_memstream(&text, &size);
    for (int c; file != NULL && (c = getc(file)) != EOF;)
        putc(c, stream);
    if (file != NULL)
        fclose(file);
    fclose(stream);
    return text;
}

static void documented(void)
{
    char *text = NULL, *document = read_text(DATA_DIR "/../../FILESYSTEMS.md");
    size_t size = 0;
    static void (*const parts[])(FILE *) = {print_workloads, print_outcomes, print_properties};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        FILE *stream = open_memstream(&text, &size);
        parts[i](stream);
        fclose(stream);
        CU_ASSERT_PTR_NOT_NULL(strstr(document, text));
        if (strstr(document, text) == NULL)
            printf("\n    harness/FILESYSTEMS.md should have:\n\n%s", text);
        free(text);
    }
    free(document);
}

static const struct unit_test tests[] = {
    {"claims that are wrong are found", wrong_claims_are_found},
    {"properties that are wrong are found", wrong_properties_are_found},
    {"names that are out of order are found", names_out_of_order_are_found},
    {"what was measured, and what never occurs", measured_outcomes},
    {"rules that the measured states have in common", measured_rules},
    {"weaker models have what was measured elsewhere", measured_elsewhere},
    {"a process crash loses nothing", nothing_lost},
    {"properties that were published", published_properties},
    {"no model without data", no_model_without_data},
    {"no promise that could be dropped", every_promise_matters},
    {"the tables in FILESYSTEMS.md are these", documented},
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

/*
 * Each promise of each shipped model matters: of every model one promise is dropped at a
 * time (an order rule, or a word of it; what a sync covers; that a rename is one step, ...),
 * and some small trace must then leave other states. Promises that make no difference are
 * listed in idle_promises.json, each with the reason, and must make none.
 */
#include "unit.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "invent.h"
#include "state.h"

#ifndef TRACES
#define TRACES 800
#endif

enum { MOST_LEAVES = 3000 };

/* ---- The states of a trace under a model, as a number ---- */

struct seen {
    uint32_t boundary;
    struct ff_hash hash;
};

static int compare_seen(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct seen));
}

/* Of each boundary all different states; 0 when there are too many. */
static uint64_t digest_states(const struct cm_poset *poset)
{
    struct seen *seen = NULL;
    size_t count = 0, capacity = 0, leaves = 0, kept = 0;
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    bool more = true;
    for (; more && leaves <= MOST_LEAVES; leaves++) {
        cm_explorer_restart(explorer);
        cm_read_everything(poset, explorer);
        struct cm_cylinder cylinder = cm_explorer_cylinder(explorer);
        struct cm_interval interval = cm_cylinder_boundaries(poset, cylinder);
        struct ff_hash hash = ff_tree_hash(cm_stepper_step(stepper, cylinder.included));
        for (uint32_t b = interval.first; b < interval.end; b++) {
            seen = cm_reserve(seen, count, &capacity, sizeof(*seen));
            memset(&seen[count], 0, sizeof(*seen)); /* the gaps, too */
            seen[count].boundary = b;
            seen[count++].hash = hash;
        }
        more = cm_explorer_advance(explorer);
    }
    cm_stepper_free(stepper);
    cm_explorer_free(explorer);
    qsort(seen, count, sizeof(*seen), compare_seen);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_seen(&seen[kept - 1], &seen[i]) != 0)
            seen[kept++] = seen[i];
    uint64_t digest = XXH3_64bits(seen, kept * sizeof(*seen));
    free(seen);
    return more ? 0 : digest;
}

static uint64_t digest_trace(const struct ff_trace *trace, const struct cm_model *model)
{
    struct ff_error error = {""};
    struct cm_poset *poset = cm_poset_build(trace, model, 0, &error);
    if (poset == NULL)
        printf("\n    %s: %s\n", cm_model_name(model), error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(poset);
    uint64_t digest = digest_states(poset);
    cm_poset_free(poset);
    return digest;
}

static struct sample *samples[TRACES];

static void invent_samples(void)
{
    struct cm_model widest = {.unit = UNIT, .granule = GRANULE};
    for (uint64_t i = 0; i < TRACES; i++) {
        random_state = (i + 1) * 0x9e3779b97f4a7c15u;
        struct world world = {.sample = sample_new()};
        invent_trace(&world, &widest);
        qsort(world.sample->calls, world.sample->trace.call_count, sizeof(struct ff_call),
              compare_ends);
        samples[i] = world.sample;
    }
}

/* ---- Models, and models without something ---- */

/* A model of the size of these traces; NULL with the error set. */
static struct cm_model *load(const cJSON *root, struct ff_error *error)
{
    char path[64], *text = cJSON_Print(root);
    int fd = memfd_create("model", 0);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct cm_model *model = cm_model_load(path, error);
    if (model != NULL) {
        uint32_t parts = model->unit / model->granule;
        model->unit = UNIT;
        model->granule = parts < 4 ? UNIT / parts : UNIT / 4;
    }
    close(fd);
    free(text);
    return model;
}

struct subject {
    char *name;
    cJSON *root;
    struct cm_model *model;
    uint64_t digests[TRACES];
    bool is_known[TRACES];
    cJSON *idle; /* of idle_promises.json, or NULL */
    size_t promises, failures;
};

static uint64_t usual_digest(struct subject *subject, size_t trace)
{
    if (!subject->is_known[trace])
        subject->digests[trace] = digest_trace(&samples[trace]->trace, subject->model);
    subject->is_known[trace] = true;
    return subject->digests[trace];
}

/* Whether some trace leaves other states than under the model as it is. */
static bool makes_a_difference(struct subject *subject, const struct cm_model *without)
{
    for (size_t i = 0; i < TRACES; i++) {
        uint64_t usual = usual_digest(subject, i);
        if (usual != 0 && usual != digest_trace(&samples[i]->trace, without))
            return true;
    }
    return false;
}

/* root: the model without the promise. */
static void try_without(struct subject *subject, const char *promise, const cJSON *root)
{
    struct ff_error error = {""};
    struct cm_model *without = load(root, &error);
    /* The language does not say both. */
    if (without == NULL && strstr(error.text, " goes with ") != NULL)
        return;
    if (without == NULL)
        printf("\n    %s without %s: %s", subject->name, promise, error.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(without);
    bool matters = makes_a_difference(subject, without);
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(subject->idle, promise);
    subject->promises++;
    if (matters == (reason != NULL)) {
        subject->failures++;
        printf("\n    %s, \"%s\": %s", subject->name, promise,
               matters ? "is said to be idle, but makes a difference" : "makes no difference");
    }
    if (reason != NULL)
        cJSON_DeleteItemFromObjectCaseSensitive(subject->idle, promise);
    cm_model_free(without);
}

/* ---- Lists of words ---- */

/* "names, data" */
static char *join_words(const cJSON *list)
{
    char *text = cm_format("%s", "");
    const cJSON *word;
    cJSON_ArrayForEach(word, list)
    {
        char *longer =
            cm_format("%s%s%s", text, word == list->child ? "" : ", ", word->valuestring);
        free(text);
        text = longer;
    }
    return text;
}

static void drop_word(cJSON *list, const char *word)
{
    for (int i = cJSON_GetArraySize(list); i-- > 0;)
        if (strcmp(cJSON_GetArrayItem(list, i)->valuestring, word) == 0)
            cJSON_DeleteItemFromArray(list, i);
}

static bool has_word(const cJSON *list, const char *word)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) if (strcmp(item->valuestring, word) == 0) return true;
    return false;
}

/* Words that mean nothing without others. */
static void drop_dependents(cJSON *list)
{
    if (has_word(list, "own-names") || has_word(list, "own-entries"))
        return;
    drop_word(list, "displaced");
    drop_word(list, "parents");
}

/* Each word of a list that lies in the subject's root is left out once. */
static void drop_words(struct subject *subject, const char *what, cJSON *list)
{
    cJSON *whole = cJSON_Duplicate(list, true), *word;
    cJSON_ArrayForEach(word, whole)
    {
        char *promise = cm_format("%s: %s", what, word->valuestring);
        drop_word(list, word->valuestring);
        drop_dependents(list);
        try_without(subject, promise, subject->root);
        while (cJSON_GetArraySize(list) > 0)
            cJSON_DeleteItemFromArray(list, 0);
        const cJSON *item;
        cJSON_ArrayForEach(item, whole)
            cJSON_AddItemToArray(list, cJSON_CreateString(item->valuestring));
        free(promise);
    }
    cJSON_Delete(whole);
}

static char *rule_text(const cJSON *rule)
{
    char *before = join_words(cJSON_GetObjectItemCaseSensitive(rule, "before"));
    char *after = join_words(cJSON_GetObjectItemCaseSensitive(rule, "after"));
    char *text = cm_format("order: %s before %s, %s", before, after,
                           cJSON_GetObjectItemCaseSensitive(rule, "scope")->valuestring);
    free(before);
    free(after);
    return text;
}

/* A rule, as a whole and each word of its lists. */
static void drop_rules(struct subject *subject)
{
    static const char *const sides[] = {"before", "after"};
    cJSON *rules = cJSON_GetObjectItemCaseSensitive(subject->root, "order");
    for (int i = 0; i < cJSON_GetArraySize(rules); i++) {
        cJSON *rule = cJSON_GetArrayItem(rules, i), *root = cJSON_Duplicate(subject->root, true);
        char *promise = rule_text(rule);
        cJSON_DeleteItemFromArray(cJSON_GetObjectItemCaseSensitive(root, "order"), i);
        try_without(subject, promise, root);
        cJSON_Delete(root);
        for (int side = 0; side < 2; side++) {
            cJSON *words = cJSON_GetObjectItemCaseSensitive(rule, sides[side]);
            char *what = cm_format("%s: %s", promise, sides[side]);
            if (cJSON_GetArraySize(words) > 1)
                drop_words(subject, what, words);
            free(what);
        }
        free(promise);
    }
}

/* Of each kind of sync the words that it has in the object of that key. */
static void drop_of_syncs(struct subject *subject, const char *key)
{
    cJSON *list;
    cJSON_ArrayForEach(list, cJSON_GetObjectItemCaseSensitive(subject->root, key))
    {
        char *what = cm_format("%s: %s", key, list->string);
        drop_words(subject, what, list);
        free(what);
    }
}

/* ---- Single values ---- */

/* Promises that are made by a value, or by saying nothing, and what is less. */
static const struct {
    const char *key, *promised, *less;
    bool is_usual; /* when the key is missing */
} values[] = {
    {"unwritten", "zeros", "garbage", false},
    {"rename-across-directories", "either", "both", false},
    {"tearing", "prefix", "independent", false},
    {"tearing", "atomic", "prefix", false},
    {"rename", "atomic", "independent", true},
    {"unlink", "atomic", "truncate-first", true},
    {"append", "plain", "zeros-garbage-data", true},
    {"checkpoint", "moved", "sync", false},
};
/* Not "size": it is an entry's only where renames are two operations, which is less already. */

/* Steps of an append are for what tears. */
static bool is_possible(const struct subject *subject, const char *key)
{
    return strcmp(key, "append") != 0 ||
           (!subject->model->apart && subject->model->tearing != CM_TEARING_ATOMIC);
}

static void drop_value(struct subject *subject, size_t v)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(subject->root, values[v].key);
    if (!is_possible(subject, values[v].key) ||
        (value == NULL
             ? !values[v].is_usual
             : !cJSON_IsString(value) || strcmp(value->valuestring, values[v].promised) != 0))
        return;
    cJSON *root = cJSON_Duplicate(subject->root, true);
    cJSON *sources = cJSON_GetObjectItemCaseSensitive(root, "sources");
    cJSON_DeleteItemFromObjectCaseSensitive(root, values[v].key);
    cJSON_AddStringToObject(root, values[v].key, values[v].less);
    if (cJSON_GetObjectItemCaseSensitive(sources, values[v].key) == NULL)
        cJSON_AddStringToObject(sources, values[v].key, "none");
    char *promise = cm_format("%s: %s", values[v].key, values[v].promised);
    try_without(subject, promise, root);
    free(promise);
    cJSON_Delete(root);
}

/* Where each class of data tears in its own way. */
static void drop_tearing(struct subject *subject)
{
    cJSON *tearing = cJSON_GetObjectItemCaseSensitive(subject->root, "tearing"), *one;
    cJSON_ArrayForEach(one, tearing)
    {
        if (strcmp(one->valuestring, "independent") == 0)
            continue;
        char *promise = cm_format("tearing: %s: %s", one->string, one->valuestring);
        char *stronger = one->valuestring;
        one->valuestring = cm_format("%s", "independent");
        try_without(subject, promise, subject->root);
        free(one->valuestring);
        one->valuestring = stronger;
        free(promise);
    }
}

/* A number of bytes or of directories, made less. */
static void drop_number(struct subject *subject, const char *key, double least, double factor,
                        double term)
{
    cJSON *number = cJSON_GetObjectItemCaseSensitive(subject->root, key);
    if (number == NULL || number->valuedouble <= least)
        return;
    double promised = number->valuedouble;
    char *promise = cm_format("%s: %g", key, promised);
    cJSON_SetNumberValue(number, promised * factor - term);
    try_without(subject, promise, subject->root);
    cJSON_SetNumberValue(number, promised);
    free(promise);
}

/* ---- All of them ---- */

static void drop_all(struct subject *subject)
{
    drop_rules(subject);
    drop_of_syncs(subject, "sync");
    drop_of_syncs(subject, "restates");
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
        drop_value(subject, v);
    drop_tearing(subject);
    drop_number(subject, "granule", 512, 0.5, 0);
    drop_number(subject, "parent-levels", 1, 1, 1);
}

static cJSON *read_json(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    ssize_t length = getdelim(&text, &size, '\0', file);
    fclose(file);
    cJSON *root = cJSON_ParseWithLength(text, length > 0 ? (size_t)length : 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    free(text);
    return root;
}

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* Returns how many promises it has. */
static size_t try_model(const char *file, cJSON *idle)
{
    struct ff_error error = {""};
    char *path = cm_format("%s/%s", MODELS_DIR, file);
    struct subject *subject = cm_allocate(1, sizeof(*subject));
    subject->root = read_json(path);
    subject->model = load(subject->root, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(subject->model);
    subject->name = cm_format("%s", cm_model_name(subject->model));
    subject->idle = cJSON_GetObjectItemCaseSensitive(idle, subject->name);
    drop_all(subject);
    const cJSON *left;
    cJSON_ArrayForEach(left, subject->idle)
    {
        subject->failures++;
        printf("\n    %s, \"%s\": is said to be idle, but there is no such promise", subject->name,
               left->string);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(idle, subject->name);
    CU_ASSERT_EQUAL(subject->failures, 0);
    size_t promises = subject->promises;
    cm_model_free(subject->model);
    cJSON_Delete(subject->root);
    free(subject->name);
    free(subject);
    free(path);
    return promises;
}

static void each_promise_matters(void)
{
    struct dirent **entries = NULL;
    size_t promises = 0;
    cJSON *idle = read_json(IDLE_PROMISES);
    int count = scandir(MODELS_DIR, &entries, is_json, alphasort);
    invent_samples();
    for (int i = 0; i < count; i++) {
        promises += try_model(entries[i]->d_name, idle);
        free(entries[i]);
    }
    free(entries);
    CU_ASSERT_TRUE(count >= 4 && promises >= 40);
    const cJSON *left;
    cJSON_ArrayForEach(left, idle)
    {
        printf("\n    %s: is said to have idle promises, but there is no such model", left->string);
        CU_FAIL("idle promises of no model");
    }
    printf("\n    %zu promises of %d models\n", promises, count);
    for (size_t i = 0; i < TRACES; i++)
        sample_free(samples[i]);
    cJSON_Delete(idle);
}

static const struct unit_test tests[] = {
    {"each promise of each model makes a difference, or is known not to", each_promise_matters},
};

UNIT_MAIN("promises", tests)

/*
 * The shipped models, what they leave of a workload (workload.h), and whether that is as
 * data files claim. What is not is complained of.
 */
#ifndef OUTCOMES_H
#define OUTCOMES_H

#include <dirent.h>
#include <stdarg.h>

#include "workload.h"

enum { MODELS = 64, LEAVES_LIMIT = 1 << 17 };

/* ---- Complaints: what is wrong with a model or with the data ---- */

static size_t complaints;
static bool quiet;       /* they are wanted */
static const char *only; /* the model that is asked about, until there is a complaint; NULL: all */

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

/* ---- Models, loaded once ---- */

static struct shipped {
    char *name;
    struct cm_model *model;
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

/* NULL: it is not asked about, or there is none, which is complained of. */
static const struct cm_model *find_model(const char *name)
{
    if (only != NULL && (complaints > 0 || strcmp(only, name) != 0))
        return NULL;
    for (size_t i = 0; i < shipped_count; i++)
        if (strcmp(shipped[i].name, name) == 0)
            return shipped[i].model;
    complain("the data speak of model %s, which there is not", name);
    return NULL;
}

/* ---- Sets of outcomes ---- */

struct outcomes {
    char **texts;
    size_t count, capacity;
};

/* Whether the outcome stands for what was seen: garbage is anything, also zeros. */
static bool stands_for(const char *outcome, const char *pattern)
{
    char *zeros = cm_format("%s", outcome);
    for (char *letter = zeros; *letter != '\0'; letter++)
        *letter = *letter == 'G' ? 'Z' : *letter;
    bool stands = workload_matches(pattern, outcome) || workload_matches(pattern, zeros);
    free(zeros);
    return stands;
}

static bool has_outcome(const struct outcomes *outcomes, const char *pattern)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (stands_for(outcomes->texts[i], pattern))
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

static bool is_legal_at_the_end(const struct cm_poset *poset, const struct cm_explorer *explorer)
{
    return cm_cylinder_boundaries(poset, cm_explorer_cylinder(explorer)).end >
           poset->trace->call_count;
}

/*
 * Reads everything, unless it turns out that no cut after the last call can leave this:
 * what is durable by then is looked at first.
 */
static bool read_at_the_end(const struct cm_poset *poset, struct cm_explorer *explorer)
{
    for (size_t i = 0; i < poset->value_count; i++) {
        const struct cm_value *value = &poset->values[i];
        if (poset->operations[value->operation].shown.durable > poset->trace->call_count)
            continue;
        cm_observe(explorer, value->location);
        if (!is_legal_at_the_end(poset, explorer))
            return false;
    }
    cm_read_everything(poset, explorer);
    return is_legal_at_the_end(poset, explorer);
}

/* All that a cut after the last call can leave, each once; malloc'ed. Where names are not a
 * prefix is added to *torn, unless that is NULL. */
static struct outcomes explore(const struct workload *workload, const struct cm_model *model,
                               struct outcomes *torn)
{
    struct outcomes outcomes = {0};
    struct ff_error error;
    /* Cells do not tear, unless the workload says so: there would be too many states. */
    uint32_t granule = workload->granule != 0            ? workload->granule
                       : model->granule < workload->cell ? (uint32_t)workload->cell
                                                         : model->granule;
    struct cm_poset *poset = cm_poset_build(&workload->sample->trace, model, granule, &error);
    if (poset == NULL) {
        complain("%s: %s", workload->name, error.text);
        return outcomes;
    }
    struct cm_explorer *explorer = cm_explorer_new(poset);
    struct cm_stepper *stepper = cm_stepper_new(poset);
    size_t leaves = 0;
    do {
        cm_explorer_restart(explorer);
        if (!read_at_the_end(poset, explorer))
            continue;
        const struct ff_tree *tree =
            cm_stepper_step(stepper, cm_explorer_cylinder(explorer).included);
        if (torn != NULL && !names_are_a_prefix(workload, tree))
            add_outcome(torn, workload_outcome(workload, tree));
        add_outcome(&outcomes, workload_outcome(workload, tree));
    } while (cm_explorer_advance(explorer) && ++leaves < LEAVES_LIMIT);
    if (leaves == LEAVES_LIMIT) {
        fprintf(stderr, "%s: too many states under %s\n", workload->name, cm_model_name(model));
        abort();
    }
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
        search->found = search->found || stands_for(search->outcome, at);
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

#endif

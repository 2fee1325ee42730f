#include "catalogue.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "install.h"
#include "memory.h"
#include "model.h"

static int is_data_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **cm_shipped_names(const char *folder, size_t *count)
{
    struct dirent **entries = NULL;
    char *path = cm_install_data(folder);
    int found = scandir(path, &entries, is_data_file, NULL);
    free(path);
    *count = found > 0 ? (size_t)found : 0;
    char **names = cm_allocate(*count, sizeof(*names));
    for (size_t i = 0; i < *count; i++) {
        names[i] = cm_duplicate(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
        free(entries[i]);
    }
    free(entries);
    qsort(names, *count, sizeof(*names), compare_names);
    return names;
}

static int add_model(struct cm_models *chosen, const char *path, struct ff_error *error)
{
    struct cm_model *model = cm_model_load(path, error);
    if (model == NULL)
        return -1;
    for (size_t i = 0; i < chosen->count; i++) {
        if (strcmp(chosen->models[i]->name, model->name) == 0) {
            bool same = cm_model_digest(chosen->models[i]) == cm_model_digest(model);
            cm_model_free(model);
            return same ? 0 : cm_fail(error, "%s: another model has the same name", path);
        }
    }
    size_t capacity = chosen->capacity;
    chosen->models =
        cm_reserve(chosen->models, chosen->count, &chosen->capacity, sizeof(*chosen->models));
    chosen->paths = cm_reserve(chosen->paths, chosen->count, &capacity, sizeof(*chosen->paths));
    chosen->paths[chosen->count] = cm_duplicate(path, strlen(path));
    chosen->models[chosen->count++] = model;
    return 0;
}

static int add_matching(struct cm_models *chosen, const char *pattern, struct ff_error *error)
{
    size_t count = 0, matches = 0;
    char **names = cm_shipped_names("models", &count);
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        bool matched = strcmp(pattern, "all") == 0 || fnmatch(pattern, names[i], 0) == 0;
        if (matched && status == 0) {
            char *part = cm_format("models/%s.json", names[i]);
            char *path = cm_install_data(part);
            status = add_model(chosen, path, error);
            free(path);
            free(part);
        }
        matches += matched;
        free(names[i]);
    }
    free(names);
    if (matches == 0)
        return cm_fail(error, "no model matches '%s'; see crashmatrix models", pattern);
    return status;
}

/* What a word "!PATTERN" takes out of those chosen by the words before it. */
static int remove_matching(struct cm_models *chosen, const char *pattern, struct ff_error *error)
{
    size_t kept = 0, before = chosen->count;
    for (size_t i = 0; i < before; i++) {
        if (fnmatch(pattern, chosen->models[i]->name, 0) == 0) {
            cm_model_free(chosen->models[i]);
            free(chosen->paths[i]);
        } else {
            chosen->models[kept] = chosen->models[i];
            chosen->paths[kept++] = chosen->paths[i];
        }
    }
    chosen->count = kept;
    if (kept == before)
        return cm_fail(error, "'!%s' takes out none of the models before it", pattern);
    return kept > 0 ? 0 : cm_fail(error, "'!%s' leaves no model", pattern);
}

static int apply_word(struct cm_models *chosen, const char *word, struct ff_error *error)
{
    size_t length = strlen(word);
    if (word[0] == '!')
        return remove_matching(chosen, word + 1, error);
    if (strchr(word, '/') != NULL || (length > 5 && strcmp(word + length - 5, ".json") == 0))
        return add_model(chosen, word, error);
    return add_matching(chosen, word, error);
}

int cm_models_choose(const char *const *words, size_t count, struct cm_models *chosen,
                     struct ff_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (apply_word(chosen, words[i], error) != 0)
            return -1;
    return 0;
}

void cm_models_free(struct cm_models *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        cm_model_free(chosen->models[i]);
        free(chosen->paths[i]);
    }
    free(chosen->models);
    free(chosen->paths);
    *chosen = (struct cm_models){0};
}

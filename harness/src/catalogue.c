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
    chosen->models =
        cm_reserve(chosen->models, chosen->count, &chosen->capacity, sizeof(*chosen->models));
    chosen->models[chosen->count++] = model;
    return 0;
}

static void add_path(struct cm_paths *paths, char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->items[i], path) == 0) {
            free(path);
            return;
        }
    }
    paths->items = cm_reserve(paths->items, paths->count, &paths->capacity, sizeof(*paths->items));
    paths->items[paths->count++] = path;
}

static int add_matching(struct cm_paths *paths, const char *pattern, struct ff_error *error)
{
    size_t count = 0, matches = 0;
    char **names = cm_shipped_names("models", &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pattern, "all") == 0 || fnmatch(pattern, names[i], 0) == 0) {
            char *part = cm_format("models/%s.json", names[i]);
            add_path(paths, cm_install_data(part));
            free(part);
            matches++;
        }
        free(names[i]);
    }
    free(names);
    if (matches == 0)
        return cm_fail(error, "no model matches '%s'; see crashmatrix models", pattern);
    return 0;
}

int cm_model_paths(const char *const *words, size_t count, struct cm_paths *paths,
                   struct ff_error *error)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(words[i]);
        bool file = strchr(words[i], '/') != NULL ||
                    (length > 5 && strcmp(words[i] + length - 5, ".json") == 0);
        if (file)
            add_path(paths, cm_duplicate(words[i], length));
        else if (add_matching(paths, words[i], error) != 0)
            return -1;
    }
    return 0;
}

void cm_paths_free(struct cm_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    *paths = (struct cm_paths){0};
}

int cm_models_choose(const char *const *words, size_t count, struct cm_models *chosen,
                     struct ff_error *error)
{
    struct cm_paths paths = {0};
    int status = cm_model_paths(words, count, &paths, error);
    for (size_t i = 0; status == 0 && i < paths.count; i++)
        status = add_model(chosen, paths.items[i], error);
    cm_paths_free(&paths);
    return status;
}

void cm_models_free(struct cm_models *chosen)
{
    for (size_t i = 0; i < chosen->count; i++)
        cm_model_free(chosen->models[i]);
    free(chosen->models);
    *chosen = (struct cm_models){0};
}

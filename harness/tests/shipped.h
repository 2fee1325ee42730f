/*
 * The shipped models, of the size of invented traces (invent.h).
 */
#ifndef SHIPPED_H
#define SHIPPED_H

#include <dirent.h>

#include "invent.h"
#include "memory.h"
#include "unit.h"

enum { MOST_MODELS = 32 };

static struct cm_model *models[MOST_MODELS];
static size_t model_count;

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void load_models(void)
{
    struct dirent **entries = NULL;
    int count = scandir(MODELS_DIR, &entries, is_json, alphasort);
    for (int i = 0; i < count; i++) {
        struct ff_error error;
        char *path = cm_format("%s/%s", MODELS_DIR, entries[i]->d_name);
        struct cm_model *model = cm_model_load(path, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(model);
        model->unit = UNIT;
        model->granule = GRANULE;
        CU_ASSERT_TRUE_FATAL(model_count < MOST_MODELS);
        models[model_count++] = model;
        free(path);
        free(entries[i]);
    }
    free(entries);
    CU_ASSERT_TRUE_FATAL(model_count >= 4);
}

#endif

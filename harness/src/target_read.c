/*
 * Target files: strict reading, and what is made of it.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "memory.h"

static bool read_names(const struct cm_config *config, const char *key, struct cm_names *names)
{
    const cJSON *list = cm_config_get(config->root, key), *item;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0) {
        cm_config_error(config, "%s: must be a list of names that is not empty", key);
        return false;
    }
    names->items = cm_allocate((size_t)cJSON_GetArraySize(list), sizeof(char *));
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
            cm_config_error(config, "%s: must be a list of names", key);
            return false;
        }
        names->items[names->count++] = cm_format("%s", item->valuestring);
    }
    return true;
}

static bool read_optional_names(const struct cm_config *config, const char *key,
                                struct cm_names *names)
{
    return cm_config_get(config->root, key) == NULL || read_names(config, key, names);
}

static bool read_expectation(const struct cm_config *config, struct cm_target *target)
{
    char *text = NULL;
    if (!cm_config_text(config, config->root, "expect", &text))
        return false;
    target->expect_pass = strcmp(text, "pass") == 0;
    bool known = target->expect_pass || strcmp(text, "fail") == 0;
    if (!known)
        cm_config_error(config, "expect: must be \"pass\" or \"fail\"");
    free(text);
    return known;
}

static bool read_target(const struct cm_config *config, struct cm_target *target)
{
    static const char *const keys[] = {"schema",   "name",   "description", "workload", "check",
                                       "models",   "expect", "setup",       "recover",  "monotone",
                                       "packages", "needs",  "restriction", NULL};
    const cJSON *root = config->root;
    return cm_config_keys(config, root, "target", keys, 7) &&
           cm_config_schema(config, root, "crashmatrix/target/1") &&
           cm_config_text(config, root, "name", &target->name) &&
           cm_config_text(config, root, "description", &target->description) &&
           (cm_config_get(root, "setup") == NULL ||
            cm_config_text(config, root, "setup", &target->setup)) &&
           cm_config_text(config, root, "workload", &target->workload) &&
           (cm_config_get(root, "recover") == NULL ||
            cm_config_text(config, root, "recover", &target->recover)) &&
           cm_config_text(config, root, "check", &target->check) &&
           read_names(config, "models", &target->models) &&
           read_optional_names(config, "packages", &target->packages) &&
           read_optional_names(config, "needs", &target->needs) &&
           (cm_config_get(root, "restriction") == NULL ||
            cm_config_text(config, root, "restriction", &target->restriction)) &&
           (cm_config_get(root, "monotone") == NULL ||
            cm_config_bool(config, root, "monotone", &target->monotone)) &&
           read_expectation(config, target);
}

struct cm_target *cm_target_read(const struct cm_config *config)
{
    struct cm_target *target = cm_allocate(1, sizeof(*target));
    if (read_target(config, target))
        return target;
    cm_target_free(target);
    return NULL;
}

static void free_names(struct cm_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

void cm_target_free(struct cm_target *target)
{
    if (target == NULL)
        return;
    free_names(&target->models);
    free_names(&target->packages);
    free_names(&target->needs);
    free(target->name);
    free(target->description);
    free(target->setup);
    free(target->workload);
    free(target->recover);
    free(target->check);
    free(target->restriction);
    free(target);
}

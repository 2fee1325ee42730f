#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "fail.h"
#include "install.h"
#include "memory.h"
#include "program.h"

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

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') != NULL || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

struct cm_target *cm_target_load(const char *name, struct ff_error *error)
{
    char *part = cm_format("targets/%s.json", name);
    char *path = is_path(name) ? cm_format("%s", name) : cm_install_data(part);
    struct cm_target *target = NULL;
    struct cm_config config = {0};
    if (!is_path(name) && access(path, F_OK) != 0) {
        cm_fail(error, "there is no target '%s'; see crashmatrix targets", name);
    } else if (cm_config_open(&config, path, error) == 0) {
        target = cm_allocate(1, sizeof(*target));
        if (!read_target(&config, target)) {
            cm_target_free(target);
            target = NULL;
        }
        cm_config_close(&config);
    }
    free(path);
    free(part);
    return target;
}

static char *join(const struct cm_names *names)
{
    char *text = cm_format("%s", "");
    for (size_t i = 0; i < names->count; i++) {
        char *longer = cm_format("%s%s%s", text, i > 0 ? " " : "", names->items[i]);
        free(text);
        text = longer;
    }
    return text;
}

int cm_target_check_needs(const struct cm_target *target, struct ff_error *error)
{
    for (size_t i = 0; i < target->needs.count; i++) {
        if (cm_program_is_installed(target->needs.items[i]))
            continue;
        char *packages = join(&target->packages);
        cm_fail(error, "target '%s' needs the command '%s', which is not installed; install %s%s",
                target->name, target->needs.items[i],
                packages[0] != '\0' ? packages : "the program that has it",
                packages[0] != '\0' ? " (Debian), and build crashmatrix again if it was built "
                                      "without that"
                                    : "");
        free(packages);
        return -1;
    }
    return 0;
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

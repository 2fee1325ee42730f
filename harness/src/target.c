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
    if (!is_path(name) && access(path, F_OK) != 0)
        cm_fail(error, "there is no target '%s'; see crashmatrix targets", name);
    else if (cm_config_open(&config, path, error) == 0)
        target = cm_target_read(&config);
    cm_config_close(&config);
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

#include "mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mountinfo.h"
#include "text.h"

/* The options of both kinds, each once: "rw" stands in both lists. */
static char *join_options(const char *of_mount, const char *of_super)
{
    char *joined = pc_copy(of_mount);
    char *rest = NULL, *list = pc_copy(of_super);
    for (char *option = strtok_r(list, ",", &rest); option != NULL;
         option = strtok_r(NULL, ",", &rest)) {
        if (pc_list_has(joined, option, NULL, 0))
            continue;
        char *longer = pc_format("%s,%s", joined, option);
        free(joined);
        joined = longer;
    }
    free(list);
    return joined;
}

static void fill(const struct pc_mountinfo *fields, struct pc_mount *mount)
{
    pc_mount_free(mount);
    mount->device = pc_copy(fields->device);
    mount->root = pc_copy(fields->root);
    mount->point = pc_copy(fields->point);
    mount->type = pc_copy(fields->type);
    mount->source = pc_copy(fields->source);
    mount->options = join_options(fields->options, fields->super_options);
}

bool pc_mount_find(const char *sysroot, const char *directory, unsigned long id,
                   struct pc_mount *mount)
{
    *mount = (struct pc_mount){0};
    char *rest = NULL, *text = pc_read_file("%s/proc/self/mountinfo", sysroot);
    if (text == NULL)
        return false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct pc_mountinfo fields;
        if (pc_mountinfo_parse(line, &fields) &&
            pc_mountinfo_fits(&fields, directory, id, mount->point))
            fill(&fields, mount);
    }
    free(text);
    errno = ENOENT;
    return mount->type != NULL;
}

void pc_mount_free(struct pc_mount *mount)
{
    free(mount->device);
    free(mount->root);
    free(mount->point);
    free(mount->type);
    free(mount->source);
    free(mount->options);
    *mount = (struct pc_mount){0};
}

char *pc_directory_path(int directory)
{
    return pc_read_link("/proc/self/fd/%d", directory);
}

unsigned long pc_mount_id(int directory)
{
    static const char name[] = "mnt_id:";
    unsigned long id = 0;
    char *rest = NULL, *text = pc_read_file("/proc/self/fdinfo/%d", directory);
    for (char *line = text != NULL ? strtok_r(text, "\n", &rest) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, name, strlen(name)) == 0)
            id = strtoul(line + strlen(name), NULL, 10);
    free(text);
    return id;
}

#include "mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"
#include "mountinfo.h"

/* ---- Options ---- */

static bool option_is_there(const struct cm_mount *mount, const char *option)
{
    for (size_t i = 0; i < mount->option_count; i++)
        if (strcmp(mount->options[i], option) == 0)
            return true;
    return false;
}

static void add_option(struct cm_mount *mount, const char *option)
{
    if (*option == '\0' || option_is_there(mount, option))
        return;
    mount->options = cm_reserve(mount->options, mount->option_count, &mount->option_capacity,
                                sizeof(*mount->options));
    mount->options[mount->option_count++] = cm_duplicate(option, strlen(option));
}

/* A comma that belongs to a value has a backslash before it (overlayfs). */
static void add_options(struct cm_mount *mount, const char *list)
{
    char *option = cm_duplicate(list, strlen(list));
    size_t length = 0;
    for (const char *c = list;; c++) {
        if (*c == '\\' && (c[1] == ',' || c[1] == '\\')) {
            option[length++] = *++c;
        } else if (*c == ',' || *c == '\0') {
            option[length] = '\0';
            add_option(mount, option);
            length = 0;
        } else {
            option[length++] = *c;
        }
        if (*c == '\0')
            break;
    }
    free(option);
}

/*
 * mountinfo leaves out what is the default, also if the default is that of the file
 * system itself (tune2fs -o). The driver ext4 says all of it here, for ext2 and ext3, too.
 */
static void add_ext4_options(const char *root, const char *device, struct cm_mount *mount)
{
    char target[4096];
    char *link = cm_format("%s/sys/dev/block/%s", root, device);
    ssize_t size = readlink(link, target, sizeof(target) - 1);
    free(link);
    if (size < 0)
        return;
    target[size] = '\0';
    const char *slash = strrchr(target, '/');
    char *path = cm_format("%s/proc/fs/ext4/%s/options", root, slash != NULL ? slash + 1 : target);
    FILE *stream = fopen(path, "re");
    free(path);
    if (stream == NULL)
        return;
    for (char option[256]; fgets(option, sizeof(option), stream) != NULL;) {
        option[strcspn(option, "\n")] = '\0';
        add_option(mount, option);
    }
    mount->known = ferror(stream) == 0;
    fclose(stream);
}

/* ---- Finding ---- */

static char *copy(const char *text)
{
    return cm_duplicate(text, strlen(text));
}

static struct cm_mount mount_of_line(const char *root, const struct pc_mountinfo *fields)
{
    struct cm_mount mount = {
        .type = copy(fields->type), .source = copy(fields->source), .point = copy(fields->point)};
    add_options(&mount, fields->options);
    add_options(&mount, fields->super_options);
    mount.shown = mount.option_count;
    if (strncmp(mount.type, "ext", 3) == 0)
        add_ext4_options(root, fields->device, &mount);
    return mount;
}

void cm_mount_search(FILE *mountinfo, const char *root, const char *directory, unsigned long id,
                     struct cm_mount *mount)
{
    struct pc_mountinfo fields, best = {.point = NULL};
    char *line = NULL, *best_line = NULL; /* which the fields are in */
    size_t size = 0, best_size = 0;
    while (getline(&line, &size, mountinfo) > 0) {
        if (!pc_mountinfo_parse(line, &fields) ||
            !pc_mountinfo_fits(&fields, directory, id, best.point))
            continue;
        char *other = best_line;
        size_t other_size = best_size;
        best = fields;
        best_line = line, best_size = size;
        line = other, size = other_size;
    }
    if (best.point != NULL)
        *mount = mount_of_line(root, &best);
    free(line);
    free(best_line);
}

int cm_mount_find(const char *root, const char *directory, unsigned long id, struct cm_mount *mount,
                  struct ff_error *error)
{
    *mount = (struct cm_mount){0};
    char *path = cm_format("%s/proc/self/mountinfo", root);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        cm_fail(error, "%s: %s", path, strerror(errno));
    else
        cm_mount_search(stream, root, directory, id, mount);
    if (stream != NULL && mount->type == NULL)
        cm_fail(error, "%s: no mount there is that of %s", path, directory);
    if (stream != NULL)
        fclose(stream);
    free(path);
    return mount->type != NULL ? 0 : -1;
}

void cm_mount_free(struct cm_mount *mount)
{
    for (size_t i = 0; i < mount->option_count; i++)
        free(mount->options[i]);
    free(mount->options);
    free(mount->type);
    free(mount->source);
    free(mount->point);
    *mount = (struct cm_mount){0};
}

const char *cm_mount_value(const struct cm_mount *mount, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < mount->option_count; i++)
        if (strncmp(mount->options[i], name, length) == 0 && mount->options[i][length] == '=')
            return mount->options[i] + length + 1;
    return NULL;
}

#include "mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

/* A line: id, parent, major:minor, root, point, options, tags ..., "-", type, source, options */
enum { FIELD_ID, FIELD_DEVICE = 2, FIELD_POINT = 4, FIELD_OPTIONS, FIELDS_BEFORE_TAGS };
enum { FIELD_TYPE, FIELD_SOURCE, FIELD_SUPER_OPTIONS, FIELDS_AFTER_TAGS };

struct line {
    char *before[FIELDS_BEFORE_TAGS];
    char *after[FIELDS_AFTER_TAGS];
};

/* Space, tab, newline and backslash are written as \ooo; in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        unsigned code = 0;
        int used = 0;
        if (*from == '\\' && sscanf(from + 1, "%3o%n", &code, &used) == 1 && used == 3) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* Cuts the text of a line into its fields. */
static bool line_parse(char *text, struct line *line)
{
    size_t before = 0, after = 0;
    bool tags = true;
    char *rest = NULL;
    for (char *field = strtok_r(text, " \n", &rest); field != NULL;
         field = strtok_r(NULL, " \n", &rest)) {
        unescape(field);
        if (before < FIELDS_BEFORE_TAGS)
            line->before[before++] = field;
        else if (tags)
            tags = strcmp(field, "-") != 0;
        else if (after < FIELDS_AFTER_TAGS)
            line->after[after++] = field;
    }
    /* The source may be empty (mount(2) with ""). */
    if (after == FIELD_SUPER_OPTIONS) {
        line->after[FIELD_SUPER_OPTIONS] = line->after[FIELD_SOURCE];
        line->after[FIELD_SOURCE] = "";
        after++;
    }
    return after == FIELDS_AFTER_TAGS;
}

static bool is_below(const char *path, const char *point)
{
    size_t length = strlen(point);
    if (strcmp(point, "/") == 0)
        return true;
    return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

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

static struct cm_mount mount_of_line(const char *root, const struct line *line)
{
    struct cm_mount mount = {.type = copy(line->after[FIELD_TYPE]),
                             .source = copy(line->after[FIELD_SOURCE]),
                             .point = copy(line->before[FIELD_POINT])};
    add_options(&mount, line->before[FIELD_OPTIONS]);
    add_options(&mount, line->after[FIELD_SUPER_OPTIONS]);
    mount.shown = mount.option_count;
    if (strncmp(mount.type, "ext", 3) == 0)
        add_ext4_options(root, line->before[FIELD_DEVICE], &mount);
    return mount;
}

/* Of two mounts at one point the later one hides the earlier one. */
static bool fits_better(const struct line *line, const char *directory, unsigned long id,
                        const struct cm_mount *mount)
{
    const char *point = line->before[FIELD_POINT];
    if (id != 0)
        return strtoul(line->before[FIELD_ID], NULL, 10) == id;
    return is_below(directory, point) &&
           (mount->point == NULL || strlen(point) >= strlen(mount->point));
}

void cm_mount_search(FILE *mountinfo, const char *root, const char *directory, unsigned long id,
                     struct cm_mount *mount)
{
    char *text = NULL;
    size_t size = 0;
    while (getline(&text, &size, mountinfo) > 0) {
        struct line line;
        if (line_parse(text, &line) && fits_better(&line, directory, id, mount)) {
            cm_mount_free(mount);
            *mount = mount_of_line(root, &line);
        }
    }
    free(text);
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

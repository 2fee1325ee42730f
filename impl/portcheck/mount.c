#include "mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* A line: id, parent, major:minor, root, point, options, tags ..., "-", type, source, options */
enum { FIELD_ID, FIELD_DEVICE = 2, FIELD_ROOT, FIELD_POINT, FIELD_OPTIONS, FIELDS_BEFORE_TAGS };
enum { FIELD_TYPE, FIELD_SOURCE, FIELD_SUPER_OPTIONS, FIELDS_AFTER_TAGS };

struct fields {
    char *before[FIELDS_BEFORE_TAGS];
    char *after[FIELDS_AFTER_TAGS];
};

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Space, tab, newline and backslash are written as \ooo; in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        if (*from == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static bool take_fields(char *text, struct fields *fields)
{
    size_t before = 0, after = 0;
    bool tags = true;
    char *rest = NULL;
    for (char *field = strtok_r(text, " \n", &rest); field != NULL;
         field = strtok_r(NULL, " \n", &rest)) {
        unescape(field);
        if (before < FIELDS_BEFORE_TAGS)
            fields->before[before++] = field;
        else if (tags)
            tags = strcmp(field, "-") != 0;
        else if (after < FIELDS_AFTER_TAGS)
            fields->after[after++] = field;
    }
    /* The source may be empty (mount(2) with ""). */
    if (after == FIELD_SUPER_OPTIONS) {
        fields->after[FIELD_SUPER_OPTIONS] = fields->after[FIELD_SOURCE];
        fields->after[FIELD_SOURCE] = "";
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

/* Of two mounts at one point the later one hides the earlier one. */
static bool fits_better(const struct fields *fields, const char *directory, unsigned long id,
                        const struct pc_mount *mount)
{
    const char *point = fields->before[FIELD_POINT];
    if (id != 0)
        return strtoul(fields->before[FIELD_ID], NULL, 10) == id;
    return is_below(directory, point) &&
           (mount->point == NULL || strlen(point) >= strlen(mount->point));
}

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

static void fill(const struct fields *fields, struct pc_mount *mount)
{
    pc_mount_free(mount);
    mount->device = pc_copy(fields->before[FIELD_DEVICE]);
    mount->root = pc_copy(fields->before[FIELD_ROOT]);
    mount->point = pc_copy(fields->before[FIELD_POINT]);
    mount->type = pc_copy(fields->after[FIELD_TYPE]);
    mount->source = pc_copy(fields->after[FIELD_SOURCE]);
    mount->options =
        join_options(fields->before[FIELD_OPTIONS], fields->after[FIELD_SUPER_OPTIONS]);
}

bool pc_mount_find(const char *sysroot, const char *directory, unsigned long id,
                   struct pc_mount *mount)
{
    *mount = (struct pc_mount){0};
    char *path = pc_format("%s/proc/self/mountinfo", sysroot);
    FILE *stream = fopen(path, "re");
    free(path);
    if (stream == NULL)
        return false;
    char *text = NULL;
    size_t capacity = 0;
    while (getline(&text, &capacity, stream) > 0) {
        struct fields fields;
        if (take_fields(text, &fields) && fits_better(&fields, directory, id, mount))
            fill(&fields, mount);
    }
    free(text);
    fclose(stream);
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

unsigned long pc_mount_id(int directory)
{
    char *path = pc_format("/proc/self/fdinfo/%d", directory);
    FILE *stream = fopen(path, "re");
    free(path);
    unsigned long id = 0;
    if (stream == NULL)
        return 0;
    for (char line[128]; fgets(line, sizeof(line), stream) != NULL;)
        if (strncmp(line, "mnt_id:", strlen("mnt_id:")) == 0)
            id = strtoul(line + strlen("mnt_id:"), NULL, 10);
    fclose(stream);
    return id;
}

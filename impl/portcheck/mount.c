#include "mount.h"

#include <errno.h>
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
    for (char *field = strtok_r(text, " ", &rest); field != NULL;
         field = strtok_r(NULL, " ", &rest)) {
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
    char *rest = NULL, *text = pc_read_file("%s/proc/self/mountinfo", sysroot);
    if (text == NULL)
        return false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct fields fields;
        if (take_fields(line, &fields) && fits_better(&fields, directory, id, mount))
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

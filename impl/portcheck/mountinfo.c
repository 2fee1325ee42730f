#include "mountinfo.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A line: id, parent, major:minor, root, point, options, tags ..., "-", type, source, options */
enum { FIELD_ID, FIELD_DEVICE = 2, FIELD_ROOT, FIELD_POINT, FIELD_OPTIONS, FIELDS_BEFORE_TAGS };
enum { FIELD_TYPE, FIELD_SOURCE, FIELD_SUPER_OPTIONS, FIELDS_AFTER_TAGS };

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

bool pc_mountinfo_parse(char *line, struct pc_mountinfo *fields)
{
    const char *first[FIELDS_BEFORE_TAGS], *last[FIELDS_AFTER_TAGS];
    size_t before = 0, after = 0;
    bool tags = true;
    char *rest = NULL;
    for (char *field = strtok_r(line, " \n", &rest); field != NULL;
         field = strtok_r(NULL, " \n", &rest)) {
        unescape(field);
        if (before < FIELDS_BEFORE_TAGS)
            first[before++] = field;
        else if (tags)
            tags = strcmp(field, "-") != 0;
        else if (after < FIELDS_AFTER_TAGS)
            last[after++] = field;
    }
    /* The source may be empty (mount(2) with ""). */
    if (after == FIELD_SUPER_OPTIONS) {
        last[after++] = last[FIELD_SOURCE];
        last[FIELD_SOURCE] = "";
    }
    if (after != FIELDS_AFTER_TAGS)
        return false;
    *fields = (struct pc_mountinfo){.id = strtoul(first[FIELD_ID], NULL, 10),
                                    .device = first[FIELD_DEVICE],
                                    .root = first[FIELD_ROOT],
                                    .point = first[FIELD_POINT],
                                    .options = first[FIELD_OPTIONS],
                                    .super_options = last[FIELD_SUPER_OPTIONS],
                                    .type = last[FIELD_TYPE],
                                    .source = last[FIELD_SOURCE]};
    return true;
}

static bool is_below(const char *path, const char *point)
{
    size_t length = strlen(point);
    if (strcmp(point, "/") == 0)
        return true;
    return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool pc_mountinfo_fits(const struct pc_mountinfo *fields, const char *directory, unsigned long id,
                       const char *best)
{
    if (id != 0)
        return fields->id == id;
    return is_below(directory, fields->point) &&
           (best == NULL || strlen(fields->point) >= strlen(best));
}

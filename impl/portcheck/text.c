#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory)
{
    if (memory != NULL)
        return memory;
    fputs("portcheck: out of memory\n", stderr);
    exit(1);
}

void *pc_resize(void *memory, size_t count, size_t size)
{
    return checked(size != 0 && count > (size_t)-1 / size ? NULL : realloc(memory, count * size));
}

char *pc_format(const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    return checked(length < 0 ? NULL : text);
}

char *pc_copy(const char *text)
{
    return pc_format("%s", text);
}

char *pc_read_line(const char *path_format, ...)
{
    char *path = NULL;
    va_list list;
    va_start(list, path_format);
    int length = vasprintf(&path, path_format, list);
    va_end(list);
    FILE *stream = fopen(checked(length < 0 ? NULL : path), "re");
    free(path);
    if (stream == NULL)
        return NULL;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = getline(&line, &capacity, stream);
    fclose(stream);
    if (size < 0) {
        free(line);
        return NULL;
    }
    while (size > 0 && strchr(" \t\n", line[size - 1]) != NULL)
        line[--size] = '\0';
    memmove(line, line + strspn(line, " \t"), strlen(line) - strspn(line, " \t") + 1);
    return line;
}

char *pc_read_link(const char *path_format, ...)
{
    char target[4096], *path = NULL;
    va_list list;
    va_start(list, path_format);
    int length = vasprintf(&path, path_format, list);
    va_end(list);
    ssize_t size = readlink(checked(length < 0 ? NULL : path), target, sizeof(target) - 1);
    free(path);
    if (size < 0)
        return NULL;
    target[size] = '\0';
    return pc_copy(target);
}

const char *pc_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool pc_matches(const char *pattern, const char *text)
{
    for (; *pattern != '*'; pattern++, text++) {
        if (*pattern != *text)
            return false;
        if (*pattern == '\0')
            return true;
    }
    do {
        if (pc_matches(pattern + 1, text))
            return true;
    } while (*text++ != '\0');
    return false;
}

/* Takes the next item off a list, without its backslashes; NULL at the end. */
static char *next_item(const char **list)
{
    if (**list == '\0')
        return NULL;
    char *item = pc_copy(*list);
    size_t length = 0;
    const char *c = *list;
    for (; *c != '\0' && *c != ','; c++) {
        if (*c == '\\' && (c[1] == ',' || c[1] == '\\'))
            c++;
        item[length++] = *c;
    }
    item[length] = '\0';
    *list = *c == ',' ? c + 1 : c;
    return item;
}

bool pc_list_has(const char *list, const char *pattern, char *found, size_t size)
{
    bool matches = false;
    for (char *item; !matches && (item = next_item(&list)) != NULL; free(item)) {
        matches = pc_matches(pattern, item);
        if (matches && found != NULL)
            snprintf(found, size, "%s", item);
    }
    return matches;
}

char *pc_list_value(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (char *item; (item = next_item(&list)) != NULL; free(item)) {
        if (strncmp(item, name, length) != 0 || item[length] != '=')
            continue;
        char *value = pc_copy(item + length + 1);
        free(item);
        return value;
    }
    return NULL;
}

#include "text.h"

#include <errno.h>
#include <fcntl.h>
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

static char *format_list(const char *format, va_list list)
{
    char *text = NULL;
    int length = vasprintf(&text, format, list);
    return checked(length < 0 ? NULL : text);
}

char *pc_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    return text;
}

char *pc_copy(const char *text)
{
    return pc_format("%s", text);
}

/* ---- Reading ---- */

/* A file of /proc tells its size only at its end. */
static char *read_all(int file)
{
    size_t size = 0, room = 4096;
    char *text = pc_resize(NULL, room, 1);
    ssize_t count;
    while ((count = read(file, text + size, room - size - 1)) > 0) {
        size += (size_t)count;
        if (room - size < room / 2)
            text = pc_resize(text, room *= 2, 1);
    }
    text[size] = '\0';
    if (count == 0)
        return text;
    free(text);
    return NULL;
}

/* Frees the path. */
static char *read_path(char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (file < 0)
        return NULL;
    char *text = read_all(file);
    int problem = errno;
    close(file);
    errno = problem;
    return text;
}

char *pc_read_file(const char *path_format, ...)
{
    va_list list;
    va_start(list, path_format);
    char *text = read_path(format_list(path_format, list));
    va_end(list);
    return text;
}

char *pc_read_line(const char *path_format, ...)
{
    va_list list;
    va_start(list, path_format);
    char *text = read_path(format_list(path_format, list));
    va_end(list);
    if (text == NULL)
        return NULL;
    size_t space = strspn(text, " \t"), size = strcspn(text, "\n");
    while (size > space && strchr(" \t", text[size - 1]) != NULL)
        size--;
    char *line = pc_format("%.*s", size > space ? (int)(size - space) : 0, text + space);
    free(text);
    return line;
}

char *pc_read_link(const char *path_format, ...)
{
    char target[4096];
    va_list list;
    va_start(list, path_format);
    char *path = format_list(path_format, list);
    va_end(list);
    ssize_t size = readlink(path, target, sizeof(target));
    free(path);
    if (size == (ssize_t)sizeof(target))
        errno = ENAMETOOLONG;
    if (size < 0 || size == (ssize_t)sizeof(target))
        return NULL;
    return pc_format("%.*s", (int)size, target);
}

/* ---- Names and lists ---- */

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

#include "text.h"

size_t text_length(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

bool text_has_slash(const char *text)
{
    while (*text != '\0' && *text != '/')
        text++;
    return *text == '/';
}

bool text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

bool text_starts(const char *text, const char *prefix)
{
    while (*prefix != '\0' && *text == *prefix)
        text++, prefix++;
    return *prefix == '\0';
}

void text_add(struct text *text, const char *more)
{
    while (*more != '\0' && text->length + 1 < text->size)
        text->start[text->length++] = *more++;
    text->start[text->length] = '\0';
}

void text_add_number(struct text *text, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    text_add(text, digits + at);
}

void descriptor_path(int fd, char path[DESCRIPTOR_PATH_SIZE])
{
    struct text text = {path, DESCRIPTOR_PATH_SIZE, 0};
    text_add(&text, "/proc/self/fd/");
    text_add_number(&text, (uint64_t)fd);
}

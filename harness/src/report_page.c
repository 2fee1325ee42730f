#include "report_page.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN "\033[0m"

size_t cm_page_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* The byte at which character number column begins. */
static const char *text_column(const char *text, size_t column)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && column-- == 0)
            break;
    return text;
}

char *cm_page_shorten(char *text, size_t width)
{
    size_t length = cm_page_width(text);
    if (length <= width)
        return text;
    size_t head = (width - 3) / 3;
    size_t tail = width - 3 - head;
    struct cm_buffer buffer;
    FILE *stream = cm_buffer_open(&buffer);
    fwrite(text, 1, (size_t)(text_column(text, head) - text), stream);
    fprintf(stream, "...%s", text_column(text, length - tail));
    free(text);
    return cm_buffer_close(&buffer);
}

void cm_page_pad(FILE *stream, size_t used, size_t width)
{
    for (; used < width; used++)
        fputc(' ', stream);
}

const char *cm_page_colour(enum cm_verdict verdict)
{
    switch (verdict) {
    case CM_PASS:
        return CM_GREEN;
    case CM_FAIL:
        return CM_RED;
    default:
        return CM_YELLOW;
    }
}

void cm_page_print(FILE *stream, bool colours, const char *colour, const char *text)
{
    if (colours && colour != NULL)
        fprintf(stream, "%s%s%s", colour, text, PLAIN);
    else
        fputs(text, stream);
}

struct cm_page_list cm_page_list(FILE *stream, const char *begin)
{
    size_t width = cm_page_width(begin);
    return (struct cm_page_list){stream, width, width, 0};
}

void cm_page_list_add(struct cm_page_list *list, const char *word)
{
    size_t width = cm_page_width(word);
    if (list->count > 0)
        fputc(',', list->stream);
    if (list->count > 0 && list->used + 3 + width > CM_PAGE_WIDTH) {
        fputc('\n', list->stream);
        cm_page_pad(list->stream, 0, list->indent);
        list->used = list->indent;
    } else if (list->count > 0) {
        fputc(' ', list->stream);
        list->used += 2;
    }
    fputs(word, list->stream);
    list->used += width;
    list->count++;
}

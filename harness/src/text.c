/*
 * Text from programs under test: see text.h.
 */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 character at bytes, and its code point; 0 when it is none. */
static size_t character_decode(const unsigned char *bytes, size_t size, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 0 || length > size || lead > 0xf4)
        return 0;
    *point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3fu);
    }
    return *point >= smallest[length] ? length : 0;
}

static bool is_printable(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point > 0x10ffff)
        return false;
    /* Surrogates, and what XML 1.0 does not allow. */
    return !(point >= 0xd800 && point < 0xe000) && (point & 0xfffe) != 0xfffe;
}

size_t cm_text_printable(char *text, size_t capacity, const char *bytes, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        size_t length = character_decode((const unsigned char *)bytes + i, size - i, &point);
        bool kept = length > 0 && is_printable(point);
        const char *source = kept ? bytes + i : "?";
        size_t written = kept ? length : 1;
        if (used + written >= capacity)
            break;
        memcpy(text + used, source, written);
        used += written;
        i += length > 0 ? length : 1;
    }
    text[used] = '\0';
    return used;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *cm_text_first_line(const char *bytes, size_t size, size_t *length)
{
    size_t start = 0;
    while (start < size && is_blank(bytes[start]))
        start++;
    if (start == size)
        return NULL;
    const char *end = memchr(bytes + start, '\n', size - start);
    *length = end != NULL ? (size_t)(end - (bytes + start)) : size - start;
    while (is_blank(bytes[start + *length - 1]))
        (*length)--;
    return bytes + start;
}

void cm_text_print_xml(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", stream);
            break;
        case '<':
            fputs("&lt;", stream);
            break;
        case '>':
            fputs("&gt;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        case '\t':
        case '\n':
            fputc(*text, stream);
            break;
        default:
            fputc((unsigned char)*text < ' ' ? '?' : *text, stream);
            break;
        }
    }
}

/* The table of well-formed byte sequences in RFC 3629, section 4, as code. */
#include "utf8.h"

#include <string.h>

static bool in_range(unsigned char byte, unsigned low, unsigned high)
{
    return byte >= low && byte <= high;
}

static bool is_continuation(unsigned char byte)
{
    return in_range(byte, 0x80, 0xbf);
}

/* The second byte's range depends on the first: that is where overlong forms,
 * surrogates and values that are too large are told apart. */
static bool second_is_valid(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return in_range(second, 0xa0, 0xbf);
    case 0xed:
        return in_range(second, 0x80, 0x9f);
    case 0xf0:
        return in_range(second, 0x90, 0xbf);
    case 0xf4:
        return in_range(second, 0x80, 0x8f);
    default:
        return is_continuation(second);
    }
}

size_t mf_utf8_length(const char *text, size_t size)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (size == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    size_t length = in_range(byte[0], 0xc2, 0xdf)   ? 2
                    : in_range(byte[0], 0xe0, 0xef) ? 3
                    : in_range(byte[0], 0xf0, 0xf4) ? 4
                                                    : 0;
    if (length == 0 || length > size || !second_is_valid(byte[0], byte[1]))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(byte[i]))
            return 0;
    return length;
}

bool mf_utf8_valid(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = (unsigned char)*text < 0x80 ? 1 : mf_utf8_length(text, left);
        if (length == 0)
            return false;
        text += length;
        left -= length;
    }
    return true;
}

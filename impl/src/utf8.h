/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef MANIFEST_SRC_UTF8_H
#define MANIFEST_SRC_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the character at text, of which size bytes are there;
 * 0 when they do not begin with a whole, valid character. */
size_t mf_utf8_length(const char *text, size_t size);

/* Whether a terminated string is valid. */
bool mf_utf8_valid(const char *text);

#endif

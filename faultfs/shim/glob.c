#include "glob.h"

#include <stddef.h>

/* The end of the set that starts at glob ("[..."), or NULL: then [ is a character. */
static const char *set_end(const char *glob)
{
    const char *at = glob + 1;
    if (*at == '!')
        at++;
    if (*at == ']')
        at++; /* the first one is of the set */
    while (*at != '\0' && *at != ']')
        at++;
    return *at == '\0' ? NULL : at;
}

static bool set_has(const char *glob, const char *end, char character)
{
    const char *at = glob + 1;
    bool negated = *at == '!', found = false;
    for (at += negated; at < end; at++) {
        if (at[1] == '-' && at + 2 < end) {
            found = found || (at[0] <= character && character <= at[2]);
            at += 2;
        } else {
            found = found || *at == character;
        }
    }
    return found != negated;
}

/* What comes in the glob after the one element that matches character, or NULL. */
static const char *element_match(const char *glob, char character)
{
    const char *end = *glob == '[' ? set_end(glob) : NULL;
    if (end != NULL)
        return set_has(glob, end, character) ? end + 1 : NULL;
    if (*glob == '?')
        return glob + 1;
    if (*glob == '\\' && glob[1] != '\0')
        glob++;
    return *glob == character ? glob + 1 : NULL;
}

/* When something does not match, the last * takes one character more. */
bool glob_matches(const char *glob, const char *text)
{
    const char *star = NULL, *star_text = NULL;
    while (*text != '\0') {
        const char *next = NULL;
        if (*glob == '*') {
            star = ++glob;
            star_text = text;
            continue;
        }
        if (*glob != '\0')
            next = element_match(glob, *text);
        if (next == NULL && star == NULL)
            return false;
        if (next == NULL)
            text = ++star_text;
        else
            text++;
        glob = next == NULL ? star : next;
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

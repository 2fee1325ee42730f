/* Names: a few fixed ones, one number format, and the rule for data files. */
#include "names.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PREFIX         "MANIFEST-"
#define SUFFIX         ".tmp"
#define SHOWN_KEY_SIZE 64 /* bytes of a key that a data file's name repeats */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Canonical: the one spelling that mf_name_of_version gives. 5, +5 and
 * 0000000005 are not the version 5, else two names could claim one version. A
 * number that overflows is not spelled like what it wraps to either. */
static bool parse_version(const char *digits, uint64_t *version)
{
    uint64_t value = 0;
    for (const char *d = digits; *d != '\0'; d++) {
        if (*d < '0' || *d > '9')
            return false;
        value = value * 10 + (uint64_t)(*d - '0');
    }
    if (strcmp(mf_name_of_version(value).text + strlen(PREFIX), digits) != 0)
        return false;
    *version = value;
    return true;
}

enum mf_name_class mf_name_classify(const char *name, uint64_t *version)
{
    if (!starts_with(name, PREFIX))
        return MF_CLASS_OTHER;
    if (strcmp(name, MF_NAME_CURRENT) == 0)
        return MF_CLASS_CURRENT;
    if (strcmp(name, MF_NAME_LOCK) == 0)
        return MF_CLASS_LOCK;
    if (ends_with(name, SUFFIX))
        return MF_CLASS_TEMPORARY;
    return parse_version(name + strlen(PREFIX), version) ? MF_CLASS_VERSION : MF_CLASS_RESERVED;
}

struct mf_name mf_name_of_version(uint64_t version)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), PREFIX "%06" PRIu64, version);
    return name;
}

struct mf_name mf_name_of_temporary(unsigned attempt)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), MF_NAME_CURRENT ".%u" SUFFIX, attempt);
    return name;
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

struct mf_name mf_name_of_data(enum mf_kind kind, const char *key, uint64_t version,
                               unsigned attempt)
{
    char shown[SHOWN_KEY_SIZE + 1] = "";
    size_t size = 0;
    for (; key[size] != '\0' && size < SHOWN_KEY_SIZE; size++)
        shown[size] = is_plain(key[size]) ? key[size] : '_';
    shown[size] = '\0';
    struct mf_name name;
    int used = snprintf(name.text, sizeof(name.text), "%s%s%s-%06" PRIu64, mf_kind_word(kind),
                        size > 0 ? "-" : "", shown, version);
    if (attempt > 0)
        snprintf(name.text + used, sizeof(name.text) - (size_t)used, "-%u", attempt);
    return name;
}

const char *mf_name_check(const char *name)
{
    if (name[0] == '\0')
        return "a file name is empty";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "a file name is a directory's";
    if (strlen(name) > MF_NAME_MAX)
        return "a file name is longer than 255 bytes";
    if (strchr(name, '/') != NULL)
        return "a file name has a slash";
    if (starts_with(name, PREFIX))
        return "a file name begins with MANIFEST-, which is reserved";
    if (ends_with(name, SUFFIX))
        return "a file name ends in .tmp, which is reserved";
    if (!mf_utf8_valid(name))
        return "a file name is not UTF-8";
    return NULL;
}

/* Names: a few fixed ones, one number format, and the rule for data files. */
#include "names.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINK_PREFIX    "MANIFEST-BACKUP-"
#define SUFFIX         ".tmp"
#define REMOVED        ".removed"
#define PART           ".part"
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

/* Reads the number behind a prefix. */
static uint64_t parse_number(const char *digits)
{
    uint64_t value = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (uint64_t)(*digits - '0');
    return value;
}

/* Whether a name is the one that make gives for the number that stands at offset.
 * Canonical: 5, +5 and 0000000005 are not the version 5, else two names could
 * claim one version. A number that overflows is not spelled like what it wraps to
 * either. */
static bool is_spelled(const char *name, size_t offset, struct mf_name (*make)(uint64_t version),
                       uint64_t *version)
{
    uint64_t value = strlen(name) > offset ? parse_number(name + offset) : 0;
    if (strcmp(make(value).text, name) != 0)
        return false;
    *version = value;
    return true;
}

enum mf_name_class mf_name_classify(const char *name, uint64_t *version)
{
    if (!starts_with(name, MF_NAME_PREFIX))
        return MF_CLASS_OTHER;
    if (strcmp(name, MF_NAME_CURRENT) == 0)
        return MF_CLASS_CURRENT;
    if (strcmp(name, MF_NAME_LOCK) == 0)
        return MF_CLASS_LOCK;
    if (strcmp(name, MF_NAME_SLOT_A) == 0 || strcmp(name, MF_NAME_SLOT_B) == 0)
        return MF_CLASS_SLOT;
    if (ends_with(name, SUFFIX))
        return MF_CLASS_TEMPORARY;
    if (is_spelled(name, strlen(LINK_PREFIX), mf_name_of_link, version))
        return MF_CLASS_LINK;
    if (is_spelled(name, strlen(LINK_PREFIX), mf_name_of_part, version))
        return MF_CLASS_PART;
    if (is_spelled(name, strlen(MF_NAME_PREFIX), mf_name_of_version, version))
        return MF_CLASS_VERSION;
    if (is_spelled(name, strlen(MF_NAME_PREFIX), mf_name_of_removed, version))
        return MF_CLASS_REMOVED;
    return MF_CLASS_RESERVED;
}

struct mf_name mf_name_of_version(uint64_t version)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), MF_NAME_PREFIX "%06" PRIu64, version);
    return name;
}

struct mf_name mf_name_of_removed(uint64_t version)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), MF_NAME_PREFIX "%06" PRIu64 REMOVED, version);
    return name;
}

struct mf_name mf_name_of_link(uint64_t version)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), LINK_PREFIX "%06" PRIu64, version);
    return name;
}

struct mf_name mf_name_of_part(uint64_t version)
{
    struct mf_name name;
    snprintf(name.text, sizeof(name.text), LINK_PREFIX "%06" PRIu64 PART, version);
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

/* The number of digits at the end of a text, and what stands before them. */
static size_t digits_before(const char *name, size_t end)
{
    size_t start = end;
    while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
        start--;
    return end - start;
}

/* Whether name[0..end) ends in a version, and begins with a kind, and what is in
 * between could be what is shown of a key. */
static bool is_first_attempt(const char *name, size_t end)
{
    size_t digits = digits_before(name, end);
    if (digits < 6 || digits == end || name[end - digits - 1] != '-' ||
        (digits > 6 && name[end - digits] == '0'))
        return false;
    size_t shown = end - digits - 1;
    for (size_t i = 0; i < shown; i++)
        if (!is_plain(name[i]) && name[i] != '_')
            return false;
    for (int kind = 0; kind < MF_KIND_COUNT; kind++) {
        size_t size = strlen(mf_kind_word((enum mf_kind)kind));
        if (strncmp(name, mf_kind_word((enum mf_kind)kind), size) == 0 &&
            (shown == size || (shown > size && kind != MF_KIND_LSM && name[size] == '-')))
            return true;
    }
    return false;
}

bool mf_name_is_data(const char *name)
{
    size_t end = strlen(name), digits = digits_before(name, end);
    if (is_first_attempt(name, end))
        return true;
    /* With the number of an attempt, from 1, behind it. */
    return digits > 0 && digits < end && name[end - digits] != '0' &&
           name[end - digits - 1] == '-' && is_first_attempt(name, end - digits - 1);
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
    if (starts_with(name, MF_NAME_PREFIX))
        return "a file name begins with MANIFEST-, which is reserved";
    if (ends_with(name, SUFFIX))
        return "a file name ends in .tmp, which is reserved";
    if (!mf_utf8_valid(name))
        return "a file name is not UTF-8";
    return NULL;
}

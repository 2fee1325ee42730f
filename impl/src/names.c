/* Names: a few fixed ones, one number format, and the rule for data files. */
#include "names.h"

#include "digits.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX         ".tmp"
#define NUMBER_SIZE    6  /* digits, more when needed */
#define SHOWN_KEY_SIZE 64 /* bytes of a key that a data file's name repeats */

/* What stands before and behind the number of a version. */
static const struct {
    enum mf_name_class class;
    const char *kind; /* behind MF_NAME_PREFIX */
    const char *suffix;
} numbered[] = {
    {MF_CLASS_VERSION, "", ""},
    {MF_CLASS_REMOVED, "", ".removed"},
    {MF_CLASS_LINK, "BACKUP-", ""},
    {MF_CLASS_PART, "BACKUP-", ".part"},
};

enum { NUMBERED = sizeof(numbered) / sizeof(numbered[0]) };

static bool starts_with(const char *text, const char *start)
{
    while (*start != '\0' && *text == *start)
        text++, start++;
    return *start == '\0';
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Reads a number, and returns what is behind it; NULL when there is none. Canonical: 5, +5 and
 * 0000000005 are not the version 5, else two names could claim one version. A number that
 * overflows is none either. */
static const char *parse_number(const char *digits, uint64_t *value)
{
    const char *at = digits;
    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return NULL;
        *value = *value * 10 + digit;
    }
    bool canonical = at - digits == NUMBER_SIZE || (at - digits > NUMBER_SIZE && *digits != '0');
    return canonical ? at : NULL;
}

/* Of a name behind MF_NAME_PREFIX; MF_CLASS_RESERVED when it is no version's. */
static enum mf_name_class classify_numbered(const char *name, uint64_t *version)
{
    for (size_t i = 0; i < NUMBERED; i++) {
        uint64_t value;
        if (!starts_with(name, numbered[i].kind))
            continue;
        const char *end = parse_number(name + strlen(numbered[i].kind), &value);
        if (end == NULL || strcmp(end, numbered[i].suffix) != 0)
            continue;
        *version = value;
        return numbered[i].class;
    }
    return MF_CLASS_RESERVED;
}

enum mf_name_class mf_name_classify(const char *name, uint64_t *version)
{
    if (!starts_with(name, MF_NAME_PREFIX))
        return MF_CLASS_OTHER;
    enum mf_name_class class = classify_numbered(name + strlen(MF_NAME_PREFIX), version);
    if (class != MF_CLASS_RESERVED)
        return class;
    if (strcmp(name, MF_NAME_CURRENT) == 0)
        return MF_CLASS_CURRENT;
    if (strcmp(name, MF_NAME_LOCK) == 0)
        return MF_CLASS_LOCK;
    if (strcmp(name, MF_NAME_SLOT_A) == 0 || strcmp(name, MF_NAME_SLOT_B) == 0)
        return MF_CLASS_SLOT;
    return ends_with(name, SUFFIX) ? MF_CLASS_TEMPORARY : MF_CLASS_RESERVED;
}

static struct mf_name name_of(enum mf_name_class class, uint64_t version)
{
    struct mf_name name;
    size_t i = 0;
    while (numbered[i].class != class)
        i++;
    char *end = stpcpy(stpcpy(name.text, MF_NAME_PREFIX), numbered[i].kind);
    stpcpy(mf_digits(end, version, NUMBER_SIZE), numbered[i].suffix);
    return name;
}

struct mf_name mf_name_of_version(uint64_t version)
{
    return name_of(MF_CLASS_VERSION, version);
}

struct mf_name mf_name_of_removed(uint64_t version)
{
    return name_of(MF_CLASS_REMOVED, version);
}

struct mf_name mf_name_of_link(uint64_t version)
{
    return name_of(MF_CLASS_LINK, version);
}

struct mf_name mf_name_of_part(uint64_t version)
{
    return name_of(MF_CLASS_PART, version);
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
    struct mf_name name;
    char *to = stpcpy(name.text, mf_kind_word(kind));
    if (key[0] != '\0')
        *to++ = '-';
    for (size_t i = 0; key[i] != '\0' && i < SHOWN_KEY_SIZE; i++)
        *to++ = is_plain(key[i]) ? key[i] : '_';
    *to++ = '-';
    to = mf_digits(to, version, NUMBER_SIZE);
    if (attempt > 0) {
        *to++ = '-';
        mf_digits(to, attempt, 1);
    }
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

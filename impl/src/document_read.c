/*
 * The reader: the strict scan of the text (json.c) lists where each value stands;
 * this file takes the escapes out of its strings and the manifest out of its
 * values. No tree is built. A cJSON tree would keep numbers as doubles, so that
 * 3671890338662853681 came back as 3671890338662853632, and pairing its nodes
 * with the text took twice the time of all the rest (ci/bench parse).
 */
#include "crc32c.h"
#include "document.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

/* Longer numbers are refused: other parsers read no more, cJSON among them. */
#define NUMBER_SIZE_MAX 63

/* Of a value, without escapes. */
struct strings {
    const char *name; /* of a member, else NULL */
    const char *text; /* of a string, else NULL */
};

struct reader {
    const char *text;
    struct mf_json json;
    struct strings *strings; /* strings[k] belongs to json.values[k] */
    char *arena;             /* what they point into */
    struct mf_manifest *manifest;
    struct mf_error *error;
};

/* The outermost value, and so what a search that finds nothing returns. */
enum { ROOT = 0, NOT_FOUND = 0 };

static enum mf_code malformed_in(struct reader *reader, size_t line, size_t column,
                                 const char *reason, const char *name)
{
    mf_error_fill(reader->error, MF_MALFORMED, 0, "line %zu, column %zu: %s%s%s", line, column,
                  name, name[0] != '\0' ? ": " : "", reason);
    if (reader->error != NULL) {
        reader->error->line = line;
        reader->error->column = column;
    }
    return MF_MALFORMED;
}

static enum mf_code malformed_at(struct reader *reader, size_t offset, const char *reason,
                                 const char *name)
{
    size_t line, column;
    mf_json_locate(reader->text, offset, &line, &column);
    return malformed_in(reader, line, column, reason, name);
}

/* The name of a member; "" for other values. */
static const char *name_of(const struct reader *reader, size_t index)
{
    const char *name = reader->strings[index].name;
    return name != NULL ? name : "";
}

/* A fault of the value with that index; its member's name says which it is. */
static enum mf_code malformed(struct reader *reader, size_t index, const char *reason)
{
    return malformed_at(reader, reader->json.values[index].start, reason, name_of(reader, index));
}

static enum mf_code out_of_memory(struct reader *reader)
{
    return mf_fail(reader->error, MF_NO_MEMORY, 0, "no memory to read a manifest");
}

/*
 * Scanning
 */

static enum mf_code scan(struct reader *reader, size_t size, const struct mf_json_limits *limits)
{
    struct mf_json_fault fault;
    if (!mf_json_scan(reader->text, size, limits, &reader->json, &fault)) {
        if (fault.out_of_memory)
            return out_of_memory(reader);
        return malformed_in(reader, fault.line, fault.column, fault.reason, "");
    }
    /* A C string ends at \u0000 and so would be another text. */
    if (reader->json.bad_escape != SIZE_MAX)
        return malformed_at(reader, reader->json.bad_escape, "\\u0000 or half a surrogate pair",
                            "");
    return MF_OK;
}

static char first_byte(const struct reader *reader, size_t index)
{
    return reader->text[reader->json.values[index].start];
}

static bool is_object(const struct reader *reader, size_t index)
{
    return first_byte(reader, index) == '{';
}

static bool is_number(const struct reader *reader, size_t index)
{
    char first = first_byte(reader, index);
    return first == '-' || (first >= '0' && first <= '9');
}

static uint32_t hex_digits(const char *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = digits[i];
        value = value * 16 + (uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return value;
}

static char *put_utf8(char *to, uint32_t code)
{
    static const unsigned leads[] = {0, 0xc0, 0xe0, 0xf0};
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)(leads[more] | code >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

/* Decodes one escape, which *from points behind the backslash of. */
static char *put_escape(char *to, const char **from)
{
    static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    char letter = *(*from)++;
    if (letter != 'u') {
        const char *found = strchr(letters, letter);
        *to++ = found != NULL ? bytes[found - letters] : letter;
        return to;
    }
    uint32_t code = hex_digits(*from);
    *from += 4;
    if (code >= 0xd800 && code < 0xdc00) { /* the scan has seen that \uXXXX follows */
        code = 0x10000 + ((code - 0xd800) << 10) + (hex_digits(*from + 2) - 0xdc00);
        *from += 6;
    }
    return put_utf8(to, code);
}

/* Writes the string whose quotation mark is at from, and a NUL; returns its end. */
static char *put_string(char *to, const char *from)
{
    for (from++; *from != '"';) {
        if (*from == '\\') {
            from++;
            to = put_escape(to, &from);
        } else {
            *to++ = *from++;
        }
    }
    *to++ = '\0';
    return to;
}

/* Without escapes a string is never longer; its quotation marks make room for the NUL. */
static enum mf_code decode_strings(struct reader *reader, size_t size)
{
    reader->strings = calloc(reader->json.count + 1, sizeof(*reader->strings));
    reader->arena = malloc(size + 1);
    if (reader->strings == NULL || reader->arena == NULL)
        return out_of_memory(reader);
    char *to = reader->arena;
    for (size_t i = 0; i < reader->json.count; i++) {
        const struct mf_json_value *value = &reader->json.values[i];
        if (is_number(reader, i) && value->length > NUMBER_SIZE_MAX)
            return malformed_at(reader, value->start, "a number is too long", "");
        if (value->name != value->start) {
            reader->strings[i].name = to;
            to = put_string(to, reader->text + value->name);
        }
        if (first_byte(reader, i) == '"') {
            reader->strings[i].text = to;
            to = put_string(to, reader->text + value->start);
        }
    }
    return MF_OK;
}

/*
 * What is wrong anywhere in a manifest, in members that are ignored too
 */

struct named {
    const char *name;
    size_t index;
};

/* Many names differ in the first byte, and need no call. */
static bool is_name(const char *name, const char *other)
{
    return name[0] == other[0] && strcmp(name, other) == 0;
}

static int compare_names(const char *name, const char *other)
{
    unsigned char first = (unsigned char)name[0], second = (unsigned char)other[0];
    return first != second ? first - second : strcmp(name, other);
}

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    int order = compare_names(a->name, b->name);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Most objects are, so that they need not be sorted. */
static bool is_ascending(const struct named *members, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare_names(members[i - 1].name, members[i].name) >= 0)
            return false;
    return true;
}

/* As long as there are few, it is quicker to compare each with each than to sort them. */
static bool are_few_and_distinct(const struct named *members, size_t count)
{
    if (count > 16)
        return false;
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (is_name(members[i].name, members[j].name))
                return false;
    return true;
}

static enum mf_code check_names(struct reader *reader, size_t object, struct named *members)
{
    const struct mf_json_value *values = reader->json.values;
    size_t count = 0;
    for (size_t i = object + 1; i < values[object].next; i = values[i].next)
        members[count++] = (struct named){name_of(reader, i), i};
    if (is_ascending(members, count) || are_few_and_distinct(members, count))
        return MF_OK;
    qsort(members, count, sizeof(*members), compare_named);
    for (size_t i = 1; i < count; i++)
        if (strcmp(members[i - 1].name, members[i].name) == 0)
            return malformed_at(reader, values[members[i].index].name,
                                "a member of the same name comes before", members[i].name);
    return MF_OK;
}

/* Of a number without its exponent: the digits, and how many of them are before the point.
 * Zeros in front are none. */
static size_t take_digits(const char *number, size_t size, char *digits, long *places)
{
    size_t count = 0;
    bool fraction = false;
    *places = 0;
    for (size_t i = 0; i < size; i++) {
        bool digit = number[i] >= '0' && number[i] <= '9';
        bool leading = count == 0 && number[i] == '0';
        fraction = fraction || number[i] == '.';
        if (digit && leading == fraction)
            *places += leading ? -1 : 1;
        if (digit && !leading)
            digits[count++] = number[i];
    }
    return count;
}

static long exponent_of(const char *number, size_t size)
{
    char text[NUMBER_SIZE_MAX + 1] = "";
    memcpy(text, number, size);
    long exponent = strtol(text, NULL, 10);
    return exponent > 99999 ? 99999 : exponent < -99999 ? -99999 : exponent;
}

/*
 * Whether a double can hold it: 2^1024 - 2^970 is the least number that is rounded to
 * infinity (IEEE 754). These are the first of its digits, more than a number here has.
 */
static bool is_finite(const char *number, size_t size)
{
    static const char limit[] = "179769313486231580793728971405303415079934132710037826936173778";
    enum { LIMIT_PLACES = 309 };
    char digits[NUMBER_SIZE_MAX];
    size_t mantissa = 0;
    while (mantissa < size && number[mantissa] != 'e' && number[mantissa] != 'E')
        mantissa++;
    long places;
    size_t count = take_digits(number, mantissa, digits, &places);
    if (mantissa < size)
        places += exponent_of(number + mantissa + 1, size - mantissa - 1);
    return count == 0 || places < LIMIT_PLACES ||
           (places == LIMIT_PLACES && memcmp(digits, limit, count) <= 0);
}

static enum mf_code check_everything(struct reader *reader)
{
    struct named *members = malloc(reader->json.count * sizeof(*members));
    if (members == NULL)
        return out_of_memory(reader);
    enum mf_code code = MF_OK;
    for (size_t i = 0; i < reader->json.count && code == MF_OK; i++) {
        const struct mf_json_value *value = &reader->json.values[i];
        if (is_object(reader, i))
            code = check_names(reader, i, members);
        else if (is_number(reader, i) && !is_finite(reader->text + value->start, value->length))
            code = malformed(reader, i, "a number overflows");
    }
    free(members);
    return code;
}

/*
 * The members
 */

/* The index of a member, or NOT_FOUND. Names are compared byte by byte. */
static size_t find_member(const struct reader *reader, size_t object, const char *name)
{
    const struct mf_json_value *values = reader->json.values;
    for (size_t i = object + 1; i < values[object].next; i = values[i].next)
        if (is_name(name_of(reader, i), name))
            return i;
    return NOT_FOUND;
}

static enum mf_code require_member(struct reader *reader, size_t object, const char *name,
                                   size_t *index)
{
    *index = find_member(reader, object, name);
    if (*index != NOT_FOUND)
        return MF_OK;
    return malformed_at(reader, reader->json.values[object].start, "the member is missing", name);
}

/* From the text, digit by digit: 1.0, 1e0 and -0 are no integers here. */
static bool parse_integer(const char *digits, size_t size, uint64_t max, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(digits[i] - '0');
        if (*value > max / 10 || *value * 10 > max - digit)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

static enum mf_code read_integer(struct reader *reader, size_t object, const char *name,
                                 uint64_t max, uint64_t *integer)
{
    size_t index;
    enum mf_code code = require_member(reader, object, name, &index);
    if (code != MF_OK)
        return code;
    const struct mf_json_value *value = &reader->json.values[index];
    if (!parse_integer(reader->text + value->start, value->length, max, integer))
        return malformed(reader, index,
                         max == UINT32_MAX ? "not an integer from 0 to 4294967295"
                                           : "not an integer from 0 to 18446744073709551615");
    return MF_OK;
}

/* Appends a file to the manifest; its room is there already. */
static enum mf_code append_file(struct reader *reader, enum mf_kind kind, const char *key,
                                size_t index)
{
    const char *name = reader->strings[index].text;
    if (name == NULL)
        return malformed(reader, index, "not a string");
    const char *reason = mf_name_check(name);
    if (reason != NULL)
        return malformed(reader, index, reason);
    struct mf_file *file = &reader->manifest->files[reader->manifest->file_count++];
    *file = (struct mf_file){.kind = kind};
    return mf_file_name(file, key, name) ? MF_OK : out_of_memory(reader);
}

static enum mf_code read_lsm_file(struct reader *reader)
{
    size_t index = find_member(reader, ROOT, mf_kind_member(MF_KIND_LSM));
    if (index == NOT_FOUND || first_byte(reader, index) == 'n')
        return MF_OK;
    return append_file(reader, MF_KIND_LSM, "", index);
}

static enum mf_code read_map(struct reader *reader, enum mf_kind kind)
{
    size_t map;
    enum mf_code code = require_member(reader, ROOT, mf_kind_member(kind), &map);
    if (code != MF_OK)
        return code;
    if (!is_object(reader, map))
        return malformed(reader, map, "not an object");
    const struct mf_json_value *values = reader->json.values;
    for (size_t i = map + 1; i < values[map].next && code == MF_OK; i = values[i].next)
        code = append_file(reader, kind, name_of(reader, i), i);
    return code;
}

static int compare_files(const void *left, const void *right)
{
    const struct mf_file *file = left;
    return mf_file_order(file->kind, file->key, right);
}

static bool is_sorted(const struct mf_manifest *manifest)
{
    for (size_t i = 1; i < manifest->file_count; i++)
        if (compare_files(&manifest->files[i - 1], &manifest->files[i]) > 0)
            return false;
    return true;
}

static enum mf_code read_names(struct reader *reader)
{
    struct mf_manifest *manifest = reader->manifest;
    /* Each file is a string of its own, so this is enough for all of them. */
    size_t strings = 0;
    for (size_t i = 0; i < reader->json.count; i++)
        strings += reader->strings[i].text != NULL;
    manifest->files = calloc(strings + 1, sizeof(*manifest->files));
    if (manifest->files == NULL)
        return out_of_memory(reader);
    enum mf_code code = read_lsm_file(reader);
    for (int kind = MF_KIND_LSM + 1; kind < MF_KIND_COUNT && code == MF_OK; kind++)
        code = read_map(reader, (enum mf_kind)kind);
    if (code == MF_OK && !is_sorted(manifest))
        qsort(manifest->files, manifest->file_count, sizeof(*manifest->files), compare_files);
    return code;
}

static enum mf_code check_checksum(struct reader *reader)
{
    uint64_t checksum;
    enum mf_code code = read_integer(reader, ROOT, MF_MEMBER_CHECKSUM, UINT64_MAX, &checksum);
    if (code == MF_OK && checksum != mf_manifest_checksum(reader->manifest))
        code = malformed(reader, find_member(reader, ROOT, MF_MEMBER_CHECKSUM),
                         "does not agree with the file names");
    return code;
}

/*
 * The records and the seal
 */

static int compare_name_to_record(const void *name, const void *record)
{
    return strcmp(name, ((const struct named *)record)->name);
}

static enum mf_code read_record(struct reader *reader, struct mf_file *file, size_t record)
{
    uint64_t crc32c = 0;
    if (!is_object(reader, record))
        return malformed(reader, record, "not an object");
    enum mf_code code = read_integer(reader, record, MF_MEMBER_SIZE, UINT64_MAX, &file->size);
    if (code == MF_OK)
        code = read_integer(reader, record, MF_MEMBER_CRC32C, UINT32_MAX, &crc32c);
    file->crc32c = (uint32_t)crc32c;
    file->recorded = code == MF_OK;
    return code;
}

/* The record of a name, or NULL. Files and records are mostly in the same order,
 * so the one after the last that was found is tried before a search. */
static const struct named *find_record(const char *name, const struct named *records, size_t count,
                                       const struct named *last)
{
    const struct named *next = last == NULL ? records : last + 1;
    if (next < records + count && strcmp(next->name, name) == 0)
        return next;
    return bsearch(name, records, count, sizeof(*records), compare_name_to_record);
}

/* Gives each file its record; a record that no file took is a fault. */
static enum mf_code match_records(struct reader *reader, size_t files, const struct named *records,
                                  size_t count)
{
    enum mf_code code = MF_OK;
    const struct named *record = NULL;
    bool *used = calloc(count + 1, sizeof(*used));
    if (used == NULL)
        return out_of_memory(reader);
    for (size_t i = 0; i < reader->manifest->file_count && code == MF_OK; i++) {
        struct mf_file *file = &reader->manifest->files[i];
        record = find_record(file->name, records, count, record);
        if (record == NULL) {
            code = malformed_at(reader, reader->json.values[files].start,
                                "the file has no size and CRC32C", file->name);
        } else {
            code = read_record(reader, file, record->index);
            used[record - records] = true;
        }
    }
    for (size_t i = 0; i < count && code == MF_OK; i++)
        if (!used[i])
            code = malformed(reader, records[i].index, "no member names this file");
    free(used);
    return code;
}

static enum mf_code read_records(struct reader *reader)
{
    size_t files, count = 0;
    enum mf_code code = require_member(reader, ROOT, MF_MEMBER_FILES, &files);
    if (code != MF_OK)
        return code;
    if (!is_object(reader, files))
        return malformed(reader, files, "not an object");
    const struct mf_json_value *values = reader->json.values;
    struct named *records = malloc(reader->json.count * sizeof(*records));
    if (records == NULL)
        return out_of_memory(reader);
    for (size_t i = files + 1; i < values[files].next; i = values[i].next)
        records[count++] = (struct named){name_of(reader, i), i};
    if (!is_ascending(records, count))
        qsort(records, count, sizeof(*records), compare_named);
    code = match_records(reader, files, records, count);
    free(records);
    return code;
}

/* Last, and over everything before it: that way no byte is outside of it. */
static enum mf_code check_seal(struct reader *reader)
{
    uint64_t expected;
    enum mf_code code = read_integer(reader, ROOT, MF_MEMBER_SEAL, UINT32_MAX, &expected);
    if (code != MF_OK)
        return code;
    size_t index = find_member(reader, ROOT, MF_MEMBER_SEAL);
    const struct mf_json_value *value = &reader->json.values[index];
    if (value->next != reader->json.count)
        return malformed(reader, index, "not the last member");
    if (mf_crc32c(0, reader->text, value->name) != expected)
        return malformed(reader, index, "does not agree with the text before it");
    return MF_OK;
}

static enum mf_code read_protection(struct reader *reader, bool accept_unsealed)
{
    bool neither = find_member(reader, ROOT, MF_MEMBER_FILES) == NOT_FOUND &&
                   find_member(reader, ROOT, MF_MEMBER_SEAL) == NOT_FOUND;
    if (neither && accept_unsealed)
        return MF_OK;
    enum mf_code code = check_seal(reader);
    if (code == MF_OK)
        code = read_records(reader);
    reader->manifest->sealed = code == MF_OK;
    return code;
}

static enum mf_code read_manifest(struct reader *reader, size_t size,
                                  const struct mf_read_options *options)
{
    struct mf_manifest *manifest = reader->manifest;
    enum mf_code code = scan(reader, size, &options->limits);
    if (code == MF_OK)
        code = decode_strings(reader, size);
    if (code == MF_OK && !is_object(reader, ROOT))
        code = malformed(reader, ROOT, "not an object");
    if (code == MF_OK)
        code = check_everything(reader);
    if (code == MF_OK)
        code = read_integer(reader, ROOT, MF_MEMBER_VERSION, UINT64_MAX, &manifest->version);
    if (code == MF_OK)
        code = read_names(reader);
    if (code == MF_OK)
        code = check_checksum(reader);
    if (code == MF_OK)
        code = read_integer(reader, ROOT, MF_MEMBER_TIMESTAMP, UINT64_MAX, &manifest->timestamp);
    if (code == MF_OK)
        code = read_protection(reader, options->accept_unsealed);
    return code;
}

enum mf_code mf_manifest_parse(const char *text, size_t size, const struct mf_read_options *options,
                               struct mf_manifest *manifest, struct mf_error *error)
{
    static const struct mf_read_options defaults;
    struct reader reader = {.text = text, .manifest = manifest, .error = error};
    *manifest = (struct mf_manifest){0};
    enum mf_code code = read_manifest(&reader, size, options != NULL ? options : &defaults);
    if (code != MF_OK)
        mf_manifest_clear(manifest);
    free(reader.strings);
    free(reader.arena);
    mf_json_clear(&reader.json);
    return code;
}

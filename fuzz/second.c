#include "second.h"

#include "target.h"
#include "truth.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static const char *const maps[] = {"vector_indexes", "spatial_indexes", "text_indexes",
                                   "timestamp_indexes", "column_indexes"};

enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

bool second_open(struct second *second, const char *text, size_t size)
{
    struct mf_json_fault fault;
    *second = (struct second){.text = text, .size = size};
    return mf_json_scan(text, size, NULL, &second->json, &fault);
}

void second_close(struct second *second)
{
    mf_json_clear(&second->json);
}

/*
 * Strings
 */

static unsigned code_unit(const char *digits)
{
    char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};
    return (unsigned)strtoul(text, NULL, 16);
}

static size_t put_character(char *to, unsigned code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 + (code >> 6));
        to[1] = (char)(0x80 + (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 + (code >> 12));
        to[1] = (char)(0x80 + (code >> 6 & 63));
        to[2] = (char)(0x80 + (code & 63));
        return 3;
    }
    to[0] = (char)(0xf0 + (code >> 18));
    to[1] = (char)(0x80 + (code >> 12 & 63));
    to[2] = (char)(0x80 + (code >> 6 & 63));
    to[3] = (char)(0x80 + (code & 63));
    return 4;
}

char *second_string(const char *quoted)
{
    size_t length = 1;
    while (quoted[length] != '"')
        length += quoted[length] == '\\' ? 2 : 1;
    char *string = malloc(length + 4);
    require(string != NULL);
    size_t size = 0;
    for (size_t i = 1; i < length; i++) {
        unsigned code = (unsigned char)quoted[i];
        if (code != '\\') {
            string[size++] = quoted[i];
            continue;
        }
        switch (quoted[++i]) {
        case 'b':
            string[size++] = '\b';
            continue;
        case 'f':
            string[size++] = '\f';
            continue;
        case 'n':
            string[size++] = '\n';
            continue;
        case 'r':
            string[size++] = '\r';
            continue;
        case 't':
            string[size++] = '\t';
            continue;
        case 'u':
            break;
        default:
            string[size++] = quoted[i];
            continue;
        }
        code = code_unit(quoted + i + 1);
        i += 4;
        if (code >= 0xd800 && code <= 0xdbff && quoted[i + 1] == '\\') {
            code = 0x10000 + (code - 0xd800) * 0x400 + code_unit(quoted + i + 3) - 0xdc00;
            i += 6;
        }
        size += put_character(string + size, code);
    }
    string[size] = '\0';
    return string;
}

bool second_same(const char *left, const char *right)
{
    char *a = second_string(left), *b = second_string(right);
    bool same = strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

/*
 * Values
 */

static const char *at(const struct second *second, size_t value)
{
    return second->text + second->json.values[value].start;
}

static const char *name_at(const struct second *second, size_t value)
{
    return second->text + second->json.values[value].name;
}

static size_t next(const struct second *second, size_t value)
{
    return second->json.values[value].next;
}

size_t second_member(const struct second *second, size_t object, const char *name)
{
    for (size_t i = object + 1; at(second, object)[0] == '{' && i < next(second, object);
         i = next(second, i)) {
        char *string = second_string(name_at(second, i));
        bool same = strcmp(string, name) == 0;
        free(string);
        if (same)
            return i;
    }
    return 0;
}

static bool is_integer(const struct second *second, size_t value, uint64_t max, uint64_t *integer)
{
    const char *digits = at(second, value);
    size_t length = second->json.values[value].length;
    char text[32];
    if (value == 0 || length > 20 || strspn(digits, "0123456789") < length)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)length, digits);
    *integer = strtoull(text, NULL, 10);
    /* Whatever does not come back was beyond 2^64. */
    char again[32];
    snprintf(again, sizeof(again), "%" PRIu64, *integer);
    return strcmp(again, text) == 0 && *integer <= max;
}

/* A double can hold it. */
static bool is_finite(const struct second *second, size_t value)
{
    size_t length = second->json.values[value].length;
    char text[64];
    if (length >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)length, at(second, value));
    return isfinite(strtod(text, NULL));
}

static bool has_doubles(const struct second *second, size_t object)
{
    for (size_t i = object + 1; i < next(second, object); i = next(second, i))
        for (size_t j = object + 1; j < i; j = next(second, j))
            if (second_same(name_at(second, i), name_at(second, j)))
                return true;
    return false;
}

void second_names(const struct second *second, void (*visit)(void *argument, const char *quoted),
                  void *argument)
{
    size_t lsm = second_member(second, 0, "lsm_file");
    if (lsm != 0 && at(second, lsm)[0] == '"')
        visit(argument, at(second, lsm));
    for (size_t map = 0; map < MAPS; map++) {
        size_t object = second_member(second, 0, maps[map]);
        if (object == 0 || at(second, object)[0] != '{')
            continue;
        for (size_t i = object + 1; i < next(second, object); i = next(second, i))
            if (at(second, i)[0] == '"')
                visit(argument, at(second, i));
    }
}

static void add_to_checksum(void *argument, const char *quoted)
{
    uint64_t *sum = argument, hash = 0;
    char *name = second_string(quoted);
    for (const char *byte = name; *byte != '\0'; byte++)
        hash = hash * 31 + (unsigned char)*byte;
    *sum += hash;
    free(name);
}

uint64_t second_checksum(const struct second *second)
{
    uint64_t sum = 0;
    second_names(second, add_to_checksum, &sum);
    return sum;
}

unsigned second_depth(const struct second *second)
{
    unsigned depth = 0, deepest = 0;
    for (size_t i = 0; i < second->size; i++) {
        if (second->text[i] == '"')
            for (i++; second->text[i] != '"'; i++)
                i += second->text[i] == '\\';
        depth += second->text[i] == '{' || second->text[i] == '[';
        deepest = depth > deepest ? depth : deepest;
        depth -= second->text[i] == '}' || second->text[i] == ']';
    }
    return deepest;
}

/*
 * The rules
 */

static bool is_fine_name(const char *quoted)
{
    char *name = second_string(quoted);
    size_t length = strlen(name);
    bool fine = length >= 1 && length <= 255 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                strchr(name, '/') == NULL && strncmp(name, "MANIFEST-", 9) != 0 &&
                (length < 4 || strcmp(name + length - 4, ".tmp") != 0);
    free(name);
    return fine;
}

struct search {
    const struct second *second;
    const char *quoted;
    size_t count;
};

static void count_same(void *argument, const char *quoted)
{
    struct search *search = argument;
    search->count += second_same(quoted, search->quoted);
}

static bool is_named(const struct second *second, const char *quoted)
{
    struct search search = {.second = second, .quoted = quoted};
    second_names(second, count_same, &search);
    return search.count > 0;
}

static void count_unrecorded(void *argument, const char *quoted)
{
    struct search *search = argument;
    char *name = second_string(quoted);
    search->count +=
        second_member(search->second, second_member(search->second, 0, "files"), name) == 0;
    free(name);
}

static const char *refuse_anything(const struct second *second)
{
    for (size_t i = 0; i < second->json.count; i++) {
        char first = at(second, i)[0];
        if (first == '{' && has_doubles(second, i))
            return "a member stands twice";
        if ((first == '-' || (first >= '0' && first <= '9')) && !is_finite(second, i))
            return "a number overflows";
    }
    return second->json.bad_escape != SIZE_MAX ? "an escape" : NULL;
}

static const char *refuse_names(const struct second *second)
{
    size_t lsm = second_member(second, 0, "lsm_file");
    if (lsm != 0 && strncmp(at(second, lsm), "null", 4) != 0 &&
        (at(second, lsm)[0] != '"' || !is_fine_name(at(second, lsm))))
        return "lsm_file";
    for (size_t map = 0; map < MAPS; map++) {
        size_t object = second_member(second, 0, maps[map]);
        if (object == 0 || at(second, object)[0] != '{')
            return maps[map];
        for (size_t i = object + 1; i < next(second, object); i = next(second, i))
            if (at(second, i)[0] != '"' || !is_fine_name(at(second, i)))
                return "a file name";
    }
    return NULL;
}

static const char *refuse_records(const struct second *second, size_t files)
{
    uint64_t integer;
    if (at(second, files)[0] != '{')
        return "files";
    for (size_t i = files + 1; i < next(second, files); i = next(second, i)) {
        if (at(second, i)[0] != '{' || !is_named(second, name_at(second, i)))
            return "a record";
        if (!is_integer(second, second_member(second, i, "size"), UINT64_MAX, &integer) ||
            !is_integer(second, second_member(second, i, "crc32c"), UINT32_MAX, &integer))
            return "what is in a record";
    }
    struct search search = {.second = second};
    second_names(second, count_unrecorded, &search);
    return search.count > 0 ? "a file without record" : NULL;
}

static const char *refuse_seal(const struct second *second, bool accept_unsealed)
{
    size_t files = second_member(second, 0, "files"),
           seal = second_member(second, 0, "manifest_crc32c");
    uint64_t integer;
    if (files == 0 && seal == 0)
        return accept_unsealed ? NULL : "unsealed";
    if (files == 0 || seal == 0)
        return "half sealed";
    const char *reason = refuse_records(second, files);
    if (reason != NULL)
        return reason;
    if (next(second, seal) != second->json.count ||
        !is_integer(second, seal, UINT32_MAX, &integer) ||
        integer != truth_crc32c(second->text, second->json.values[seal].name))
        return "the seal";
    return NULL;
}

const char *second_refuses(const struct second *second, bool accept_unsealed)
{
    uint64_t integer;
    if (at(second, 0)[0] != '{')
        return "no object";
    const char *reason = refuse_anything(second);
    if (reason == NULL &&
        (!is_integer(second, second_member(second, 0, "version"), UINT64_MAX, &integer) ||
         !is_integer(second, second_member(second, 0, "timestamp"), UINT64_MAX, &integer)))
        reason = "version or timestamp";
    if (reason == NULL)
        reason = refuse_names(second);
    if (reason == NULL &&
        (!is_integer(second, second_member(second, 0, "checksum"), UINT64_MAX, &integer) ||
         integer != second_checksum(second)))
        reason = "checksum";
    return reason == NULL ? refuse_seal(second, accept_unsealed) : reason;
}

/*
 * Canonical bytes
 */

struct output {
    char *text;
    size_t size, capacity;
};

static void put(struct output *output, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (output->size + (size_t)size + 1 > output->capacity) {
        output->capacity = 2 * (output->size + (size_t)size + 1);
        output->text = realloc(output->text, output->capacity);
        require(output->text != NULL);
    }
    va_start(arguments, format);
    vsnprintf(output->text + output->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    output->size += (size_t)size;
}

static void put_string(struct output *output, const char *quoted)
{
    char *string = second_string(quoted);
    put(output, "\"");
    for (const char *byte = string; *byte != '\0'; byte++)
        switch (*byte) {
        case '"':
            put(output, "\\\"");
            break;
        case '\\':
            put(output, "\\\\");
            break;
        case '\b':
            put(output, "\\b");
            break;
        case '\f':
            put(output, "\\f");
            break;
        case '\n':
            put(output, "\\n");
            break;
        case '\r':
            put(output, "\\r");
            break;
        case '\t':
            put(output, "\\t");
            break;
        default:
            put(output, (unsigned char)*byte < 0x20 ? "\\u%04x" : "%c", (unsigned char)*byte);
        }
    put(output, "\"");
    free(string);
}

/* The member of an object whose name comes next behind one, or first; 0: none. */
static size_t next_by_name(const struct second *second, size_t object, size_t before)
{
    size_t found = 0;
    char *last = before != 0 ? second_string(name_at(second, before)) : NULL, *best = NULL;
    for (size_t i = object + 1; i < next(second, object); i = next(second, i)) {
        char *name = second_string(name_at(second, i));
        if ((last == NULL || strcmp(name, last) > 0) && (best == NULL || strcmp(name, best) < 0)) {
            free(best);
            best = name;
            found = i;
        } else {
            free(name);
        }
    }
    free(last);
    free(best);
    return found;
}

static void put_number(struct output *output, const struct second *second, size_t object,
                       const char *name)
{
    size_t value = second_member(second, object, name);
    put(output, "\"%s\": %.*s", name, (int)second->json.values[value].length, at(second, value));
}

static void put_object(struct output *output, const struct second *second, const char *name)
{
    size_t object = second_member(second, 0, name);
    const char *separator = "";
    put(output, "  \"%s\": {", name);
    for (size_t i = next_by_name(second, object, 0); i != 0; i = next_by_name(second, object, i)) {
        put(output, "%s\n    ", separator);
        separator = ",";
        put_string(output, name_at(second, i));
        put(output, ": ");
        if (at(second, i)[0] == '"') {
            put_string(output, at(second, i));
            continue;
        }
        put(output, "{\n      ");
        put_number(output, second, i, "size");
        put(output, ",\n      ");
        put_number(output, second, i, "crc32c");
        put(output, "\n    }");
    }
    put(output, separator[0] != '\0' ? "\n  }" : "}");
}

char *second_print(const struct second *second, size_t *size)
{
    struct output output = {0};
    size_t lsm = second_member(second, 0, "lsm_file");
    put(&output, "{\n  ");
    put_number(&output, second, 0, "version");
    put(&output, ",\n  \"lsm_file\": ");
    if (lsm != 0 && at(second, lsm)[0] == '"')
        put_string(&output, at(second, lsm));
    else
        put(&output, "null");
    for (size_t map = 0; map < MAPS; map++) {
        put(&output, ",\n");
        put_object(&output, second, maps[map]);
    }
    put(&output, ",\n  ");
    put_number(&output, second, 0, "checksum");
    put(&output, ",\n  ");
    put_number(&output, second, 0, "timestamp");
    if (second_member(second, 0, "files") != 0) {
        put(&output, ",\n");
        put_object(&output, second, "files");
        put(&output, ",\n  ");
        put(&output, "\"manifest_crc32c\": %" PRIu32, truth_crc32c(output.text, output.size));
    }
    put(&output, "\n}");
    *size = output.size;
    return output.text;
}

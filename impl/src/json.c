/*
 * The scanner: recursive descent over the grammar of RFC 8259, one function for
 * each production, depth limited. Each function starts at scan->at, moves it
 * past what it accepts, or leaves it at the fault and returns false.
 */
#include <manifest/json.h>

#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char out_of_memory[] = "out of memory";

struct scan {
    const char *text;
    size_t size;
    size_t at;
    unsigned depth_left;
    struct mf_json *json; /* NULL when only the verdict counts */
    size_t capacity;
    const char *reason;
};

static bool scan_value(struct scan *scan, size_t name);

static bool refuse(struct scan *scan, const char *reason)
{
    scan->reason = reason;
    return false;
}

/* The byte at the current place; -1 at the end, which no byte equals. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->size ? (unsigned char)scan->text[scan->at] : -1;
}

static bool accept(struct scan *scan, char byte)
{
    if (peek(scan) != byte)
        return false;
    scan->at++;
    return true;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->size) {
        char byte = scan->text[scan->at];
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        scan->at++;
    }
}

static bool scan_word(struct scan *scan, const char *word)
{
    for (; *word != '\0'; word++)
        if (!accept(scan, *word))
            return refuse(scan, "not a value: expected true, false or null");
    return true;
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(peek(scan)))
        return refuse(scan, "expected a digit");
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    accept(scan, '-');
    if (accept(scan, '0')) {
        if (is_digit(peek(scan)))
            return refuse(scan, "a number begins with a zero that is not needed");
    } else if (!scan_digits(scan)) {
        return false;
    }
    if (accept(scan, '.') && !scan_digits(scan))
        return false;
    if (accept(scan, 'e') || accept(scan, 'E')) {
        if (!accept(scan, '+'))
            accept(scan, '-');
        return scan_digits(scan);
    }
    return true;
}

static int hex_value(int byte)
{
    if (is_digit(byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits; -1 with the place at the one that is none. */
static long scan_hex4(struct scan *scan)
{
    long code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(peek(scan));
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
        scan->at++;
    }
    return code;
}

static void note_bad_escape(struct scan *scan, size_t offset)
{
    if (scan->json != NULL && scan->json->bad_escape == SIZE_MAX)
        scan->json->bad_escape = offset;
}

/* After a high surrogate: takes the low one if it comes next. */
static bool accept_low_surrogate(struct scan *scan)
{
    size_t start = scan->at;
    if (accept(scan, '\\') && accept(scan, 'u')) {
        long code = scan_hex4(scan);
        if (code >= 0xdc00 && code <= 0xdfff)
            return true;
    }
    scan->at = start;
    return false;
}

/* After the backslash. */
static bool scan_escape(struct scan *scan)
{
    size_t start = scan->at - 1;
    int byte = peek(scan);
    if (byte < 0 || byte == '\0' || strchr("\"\\/bfnrtu", byte) == NULL)
        return refuse(scan, "not an escape sequence");
    scan->at++;
    if (byte != 'u')
        return true;
    long code = scan_hex4(scan);
    if (code < 0)
        return refuse(scan, "expected four hexadecimal digits");
    bool high = code >= 0xd800 && code <= 0xdbff;
    bool low = code >= 0xdc00 && code <= 0xdfff;
    if (code == 0 || low || (high && !accept_low_surrogate(scan)))
        note_bad_escape(scan, start);
    return true;
}

/* What most strings consist of, in a loop of its own: that is where a scan
 * spends its time. */
static void skip_plain(struct scan *scan)
{
    const char *text = scan->text;
    size_t at = scan->at, size = scan->size;
    while (at < size && text[at] >= 0x20 && text[at] < 0x7f && text[at] != '"' && text[at] != '\\')
        at++;
    scan->at = at;
}

static bool scan_string(struct scan *scan)
{
    if (!accept(scan, '"'))
        return refuse(scan, "expected a string");
    for (;;) {
        skip_plain(scan);
        int byte = peek(scan);
        if (byte >= 0x80) {
            size_t length = mf_utf8_length(scan->text + scan->at, scan->size - scan->at);
            if (length == 0)
                return refuse(scan, "not UTF-8");
            scan->at += length;
        } else if (byte < 0) {
            return refuse(scan, "a string does not end");
        } else if (byte < 0x20) {
            return refuse(scan, "a control character in a string");
        } else {
            scan->at++;
            if (byte == '"')
                return true;
            if (byte == '\\' && !scan_escape(scan))
                return false;
        }
    }
}

static bool scan_member(struct scan *scan)
{
    size_t name = scan->at;
    if (peek(scan) != '"')
        return refuse(scan, "expected a member's name in quotation marks");
    if (!scan_string(scan))
        return false;
    skip_space(scan);
    if (!accept(scan, ':'))
        return refuse(scan, "expected ':'");
    skip_space(scan);
    return scan_value(scan, name);
}

static bool scan_element(struct scan *scan)
{
    return scan_value(scan, scan->at);
}

static bool scan_items(struct scan *scan, bool (*scan_item)(struct scan *), char close,
                       const char *expected)
{
    scan->at++; /* the opening bracket */
    skip_space(scan);
    if (accept(scan, close))
        return true;
    do {
        skip_space(scan);
        if (!scan_item(scan))
            return false;
        skip_space(scan);
    } while (accept(scan, ','));
    return accept(scan, close) || refuse(scan, expected);
}

static bool scan_container(struct scan *scan)
{
    if (scan->depth_left == 0)
        return refuse(scan, "arrays and objects are nested too deeply");
    scan->depth_left--;
    bool accepted = peek(scan) == '{' ? scan_items(scan, scan_member, '}', "expected ',' or '}'")
                                      : scan_items(scan, scan_element, ']', "expected ',' or ']'");
    scan->depth_left++;
    return accepted;
}

static bool scan_plain_value(struct scan *scan)
{
    int byte = peek(scan);
    switch (byte) {
    case '{':
    case '[':
        return scan_container(scan);
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    case -1:
        return refuse(scan, "expected a value, found the end");
    default:
        if (byte == '-' || is_digit(byte))
            return scan_number(scan);
        return refuse(scan, "expected a value");
    }
}

/* Makes room for one more value. */
static bool reserve(struct scan *scan)
{
    if (scan->json->count < scan->capacity)
        return true;
    size_t capacity = scan->capacity == 0 ? 64 : scan->capacity * 2;
    struct mf_json_value *values = realloc(scan->json->values, capacity * sizeof(*values));
    if (values == NULL)
        return refuse(scan, out_of_memory);
    scan->json->values = values;
    scan->capacity = capacity;
    return true;
}

static bool scan_value(struct scan *scan, size_t name)
{
    if (scan->json == NULL)
        return scan_plain_value(scan);
    if (!reserve(scan))
        return false;
    size_t index = scan->json->count++;
    size_t start = scan->at;
    if (!scan_plain_value(scan))
        return false;
    scan->json->values[index] = (struct mf_json_value){
        .name = name, .start = start, .length = scan->at - start, .next = scan->json->count};
    return true;
}

static bool scan_text(struct scan *scan, size_t size_limit)
{
    if (scan->size > size_limit)
        return refuse(scan, "the text is larger than the limit");
    skip_space(scan);
    if (!scan_value(scan, scan->at))
        return false;
    skip_space(scan);
    return scan->at == scan->size || refuse(scan, "more text after the value");
}

bool mf_json_scan(const char *text, size_t size, const struct mf_json_limits *limits,
                  struct mf_json *json, struct mf_json_fault *fault)
{
    struct mf_json_limits limit = limits != NULL ? *limits : (struct mf_json_limits){0};
    if (limit.size == 0)
        limit.size = MF_JSON_DEFAULT_SIZE;
    if (limit.depth == 0)
        limit.depth = MF_JSON_DEFAULT_DEPTH;
    if (limit.depth > MF_JSON_MAX_DEPTH)
        limit.depth = MF_JSON_MAX_DEPTH;
    struct scan scan = {.text = text, .size = size, .depth_left = limit.depth, .json = json};
    if (json != NULL)
        *json = (struct mf_json){.bad_escape = SIZE_MAX};
    if (scan_text(&scan, limit.size))
        return true;
    if (json != NULL)
        mf_json_clear(json);
    fault->reason = scan.reason;
    fault->out_of_memory = scan.reason == out_of_memory;
    mf_json_locate(text, scan.at, &fault->line, &fault->column);
    return false;
}

void mf_json_clear(struct mf_json *json)
{
    free(json->values);
    *json = (struct mf_json){.bad_escape = SIZE_MAX};
}

void mf_json_locate(const char *text, size_t offset, size_t *line, size_t *column)
{
    size_t line_start = 0;
    *line = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line_start = i + 1;
            ++*line;
        }
    }
    *column = offset - line_start + 1;
}

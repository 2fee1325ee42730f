/*
 * Both follow RFC 8259 in UTF-8. What differs, and why it is meant:
 *
 *                              mf_json_scan  mf_manifest_parse  simdjson 3.0.1 (DOM)
 *   nesting                    the caller's limit               1024
 *   integers beyond 64 bits    accepted      if finite          refused: no type for them
 *   numbers that overflow      accepted      refused            refused
 *   numbers above 63 bytes     accepted      refused            accepted
 *   an unpaired surrogate      noted         refused            refused
 *   \u0000                     noted         refused            accepted
 *   two members of one name    accepted      refused            accepted
 *
 * The scanner gives no values, so that it need not refuse for them (manifest/json.h); the
 * reader's column is SPEC.md, section 3, "What a reader refuses"; simdjson's its documentation,
 * doc/basics.md, "Standard compliance": integers that 64 bits do not hold and numbers that
 * overflow are refused, repeated names are not. It does not speak of surrogates and \u0000:
 * that is what it does. All three refuse a byte order mark.
 */
#include "json_agreement.h"

#include "simdjson_oracle.h"
#include "target.h"

#include <errno.h>
#include <manifest/document.h>
#include <math.h>
#include <string.h>

/* ---- The differences ---- */

/* A number of the text, terminated; freed by the caller. */
static char *number_text(const char *text, const struct mf_json_value *value)
{
    char *number = strndup(text + value->start, value->length);
    require(number != NULL);
    return number;
}

static bool is_number(const char *text, const struct mf_json_value *value)
{
    char first = text[value->start];
    return first == '-' || (first >= '0' && first <= '9');
}

static bool is_integer(const char *number)
{
    return strpbrk(number, ".eE") == NULL;
}

/* No 64 bits hold it, signed or not. */
static bool is_beyond_64_bits(const char *number)
{
    errno = 0;
    if (number[0] == '-')
        strtoll(number, NULL, 10);
    else
        strtoull(number, NULL, 10);
    return errno == ERANGE;
}

static bool overflows_double(const char *number)
{
    return isinf(strtod(number, NULL));
}

static bool is_beyond_simdjson(const char *number)
{
    return is_integer(number) ? is_beyond_64_bits(number) : overflows_double(number);
}

/* The reader refuses longer ones (SPEC.md, section 3). */
static bool is_longer_than_the_reader_takes(const char *number)
{
    return strlen(number) > 63;
}

static bool any_number(const char *text, const struct mf_json *json, bool (*holds)(const char *))
{
    bool found = false;
    for (size_t i = 0; i < json->count && !found; i++)
        if (is_number(text, &json->values[i])) {
            char *number = number_text(text, &json->values[i]);
            found = holds(number);
            free(number);
        }
    return found;
}

/* What follows the backslash at text[at], of a text that is JSON: a UTF-16 code unit; -1 for
 * an escape of one letter. */
static long code_unit(const char *text, size_t at)
{
    char digits[5] = "";
    if (text[at] != '\\' || text[at + 1] != 'u')
        return -1;
    memcpy(digits, text + at + 2, 4);
    return strtol(digits, NULL, 16);
}

/* In a text that is JSON, where a backslash always begins an escape in a string. */
static bool has_unpaired_surrogate(const char *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (text[at] != '\\')
            continue;
        long unit = code_unit(text, at);
        at += unit < 0 ? 1 : 5;
        if (unit >= 0xd800 && unit <= 0xdbff) {
            long second = code_unit(text, at + 1);
            if (second < 0xdc00 || second > 0xdfff)
                return true;
            at += 6;
        } else if (unit >= 0xdc00 && unit <= 0xdfff) {
            return true;
        }
    }
    return false;
}

/* Arrays and objects inside each other, of a text that is JSON. */
static unsigned nesting(const char *text, size_t size)
{
    unsigned depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t at = 0; at < size; at++) {
        if (text[at] == '"')
            in_string = !in_string;
        else if (in_string)
            at += text[at] == '\\';
        else if (text[at] == '[' || text[at] == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (text[at] == ']' || text[at] == '}')
            depth--;
    }
    return deepest;
}

/* ---- The scanner ---- */

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

/* Equal in every bit, but for a zero's sign in an integer. */
static void number_agrees(const char *number, const struct oracle_value *value)
{
    if (value->kind == ORACLE_DOUBLE) {
        require(!is_integer(number));
        require(bits_of(strtod(number, NULL)) == bits_of(value->number));
    } else {
        uint64_t ours =
            number[0] == '-' ? (uint64_t)strtoll(number, NULL, 10) : strtoull(number, NULL, 10);
        require(is_integer(number) && ours == value->integer);
        require((value->kind == ORACLE_UNSIGNED) == (number[0] != '-' && ours > INT64_MAX));
    }
}

static void value_agrees(const char *text, const struct mf_json_value *ours,
                         const struct oracle_value *value)
{
    static const char first[] = {
        [ORACLE_NULL] = 'n', [ORACLE_FALSE] = 'f', [ORACLE_TRUE] = 't',
        [ORACLE_TEXT] = '"', [ORACLE_ARRAY] = '[', [ORACLE_OBJECT] = '{',
    };
    require(ours->next == value->next);
    require((ours->name != ours->start) == (value->name.bytes != NULL));
    if (is_number(text, ours)) {
        char *number = number_text(text, ours);
        number_agrees(number, value);
        free(number);
    } else {
        require(text[ours->start] == first[value->kind]);
    }
}

static void values_agree(const char *text, const struct mf_json *json,
                         const struct oracle_document *oracle)
{
    require(json->count == oracle->count);
    require((json->bad_escape != SIZE_MAX) == oracle->holds_nul);
    for (size_t i = 0; i < json->count; i++)
        value_agrees(text, &json->values[i], &oracle->values[i]);
}

static void refusal_is_meant(const char *text, size_t size, const struct mf_json *json,
                             enum oracle_refusal refusal)
{
    bool number = any_number(text, json, is_beyond_simdjson);
    bool surrogate = has_unpaired_surrogate(text, size);
    require(number || surrogate);
    require(refusal != ORACLE_OTHER);
    require(refusal != ORACLE_NUMBER || number);
    require(refusal != ORACLE_STRING || surrogate);
    require(!surrogate || json->bad_escape != SIZE_MAX);
}

static void limit_agrees(const char *text, size_t size, unsigned limit, unsigned depth)
{
    const struct mf_json_limits limits = {.depth = limit};
    struct mf_json_fault fault;
    require(mf_json_scan(text, size, &limits, NULL, &fault) == (depth <= limit));
}

/* ---- The reader ---- */

/* Of what a reader refuses anywhere in a text, and simdjson does not. */
static bool reader_is_stricter(const char *text, const struct mf_json *json,
                               const struct oracle_document *oracle)
{
    return oracle->repeats_name || oracle->holds_nul ||
           any_number(text, json, is_longer_than_the_reader_takes);
}

static char *append(char *end, const char *text, size_t size)
{
    memcpy(end, text, size);
    return end + size;
}

/* An unsealed manifest: head, the text, tail. What mf_manifest_parse says of it. */
static bool reader_accepts(const char *head, const char *text, size_t size, const char *tail,
                           struct mf_manifest *manifest)
{
    static const struct mf_read_options unsealed = {.accept_unsealed = true};
    size_t head_size = strlen(head), tail_size = strlen(tail);
    char *whole = malloc(head_size + size + tail_size);
    require(whole != NULL);
    append(append(append(whole, head, head_size), text, size), tail, tail_size);
    enum mf_code code =
        mf_manifest_parse(whole, head_size + size + tail_size, &unsealed, manifest, NULL);
    free(whole);
    return code == MF_OK;
}

#define OTHER_MEMBERS                                                                              \
    ", \"vector_indexes\": {}, \"spatial_indexes\": {}, \"text_indexes\": {}, "                    \
    "\"timestamp_indexes\": {}, \"column_indexes\": {}, \"checksum\": 0, \"timestamp\": 7}"

/* The text as a member that is ignored: it is refused for what is wrong anywhere, and for
 * nothing else. */
static void ignored_member_agrees(const char *text, size_t size, const struct mf_json *json,
                                  const struct oracle_document *oracle)
{
    struct mf_manifest manifest;
    bool accepted =
        reader_accepts("{\"version\": 5, \"ignored\": ", text, size, OTHER_MEMBERS, &manifest);
    if (oracle->refusal != ORACLE_ACCEPTED)
        require(!accepted || !(has_unpaired_surrogate(text, size) ||
                               any_number(text, json, is_longer_than_the_reader_takes) ||
                               any_number(text, json, overflows_double)));
    else
        require(accepted == (nesting(text, size) < MF_JSON_DEFAULT_DEPTH &&
                             !reader_is_stricter(text, json, oracle)));
    if (accepted)
        mf_manifest_clear(&manifest);
}

/* A number as the version: what is written as an unsigned integer is taken, exactly. */
static void version_agrees(const char *text, size_t size, const struct mf_json *json,
                           const struct oracle_document *oracle)
{
    if (!is_number(text, &json->values[0]))
        return;
    struct mf_manifest manifest;
    bool accepted = reader_accepts("{\"version\": ", text, size, OTHER_MEMBERS, &manifest);
    require(accepted ==
            (oracle->refusal == ORACLE_ACCEPTED && oracle->values[0].kind != ORACLE_DOUBLE &&
             text[json->values[0].start] != '-'));
    if (!accepted)
        return;
    require(manifest.version == oracle->values[0].integer);
    mf_manifest_clear(&manifest);
}

static bool equals(struct oracle_string string, const char *text)
{
    return string.size == strlen(text) && memcmp(string.bytes, text, string.size) == 0;
}

static const struct oracle_value *member(const struct oracle_document *oracle,
                                         const struct oracle_value *object, const char *name)
{
    size_t first = (size_t)(object - oracle->values);
    for (size_t i = first + 1; i < object->next; i = oracle->values[i].next)
        if (equals(oracle->values[i].name, name))
            return &oracle->values[i];
    return NULL;
}

static void integer_agrees(const struct oracle_document *oracle, const struct oracle_value *object,
                           const char *name, uint64_t ours)
{
    const struct oracle_value *value = member(oracle, object, name);
    require(value != NULL);
    require(value->kind == ORACLE_INTEGER || value->kind == ORACLE_UNSIGNED);
    require(value->integer == ours);
}

static void file_agrees(const struct oracle_document *oracle, const struct mf_file *file)
{
    static const char *const members[] = {
#define X(name, word, member) member,
        MF_KINDS(X)
#undef X
    };
    const struct oracle_value *value = member(oracle, oracle->values, members[file->kind]);
    require(value != NULL);
    if (file->kind != MF_KIND_LSM)
        value = member(oracle, value, file->key);
    require(value != NULL && value->kind == ORACLE_TEXT && equals(value->text, file->name));
    if (!file->recorded)
        return;
    const struct oracle_value *files = member(oracle, oracle->values, "files");
    require(files != NULL);
    const struct oracle_value *record = member(oracle, files, file->name);
    require(record != NULL);
    integer_agrees(oracle, record, "size", file->size);
    integer_agrees(oracle, record, "crc32c", file->crc32c);
}

/* The text as a whole manifest: what is read is what simdjson reads. */
static void manifest_agrees(const char *text, size_t size, const struct mf_json *json,
                            const struct oracle_document *oracle)
{
    struct mf_manifest manifest;
    if (!reader_accepts("", text, size, "", &manifest))
        return;
    if (oracle->refusal != ORACLE_ACCEPTED) {
        require(any_number(text, json, is_beyond_64_bits));
    } else {
        require(!reader_is_stricter(text, json, oracle));
        integer_agrees(oracle, oracle->values, "version", manifest.version);
        integer_agrees(oracle, oracle->values, "timestamp", manifest.timestamp);
        integer_agrees(oracle, oracle->values, "checksum", mf_manifest_checksum(&manifest));
        for (size_t i = 0; i < manifest.file_count; i++)
            file_agrees(oracle, &manifest.files[i]);
    }
    mf_manifest_clear(&manifest);
}

/* ---- Both ---- */

static void accepted_text_agrees(const char *text, size_t size, const struct mf_json *json,
                                 const struct oracle_document *oracle)
{
    static const struct mf_json_limits beyond_largest = {.depth = 2 * MF_JSON_MAX_DEPTH};
    struct mf_json_fault fault;
    unsigned depth = nesting(text, size);
    if (oracle->refusal == ORACLE_ACCEPTED) {
        require(oracle->depth == depth);
        values_agree(text, json, oracle);
    } else {
        refusal_is_meant(text, size, json, oracle->refusal);
    }
    require(mf_json_scan(text, size, &beyond_largest, NULL, &fault));
    limit_agrees(text, size, MF_JSON_DEFAULT_DEPTH, depth);
    if (depth > 0)
        limit_agrees(text, size, depth, depth);
    if (depth > 1)
        limit_agrees(text, size, depth - 1, depth);
    ignored_member_agrees(text, size, json, oracle);
    version_agrees(text, size, json, oracle);
    manifest_agrees(text, size, json, oracle);
}

void json_agrees(const char *text, size_t size)
{
    const struct mf_json_limits limits = {.depth = MF_JSON_MAX_DEPTH};
    struct mf_json json;
    struct mf_json_fault fault;
    struct oracle_document *oracle = oracle_parse(text, size);
    if (mf_json_scan(text, size, &limits, &json, &fault)) {
        accepted_text_agrees(text, size, &json, oracle);
        mf_json_clear(&json);
    } else {
        require(oracle->refusal != ORACLE_ACCEPTED || oracle->depth > MF_JSON_MAX_DEPTH);
    }
    oracle_free(oracle);
}

/* The scanner: what RFC 8259 allows and what it does not, and where. */
#include "unit.h"

#include <manifest/json.h>
#include <stdint.h>
#include <stdlib.h>

/* With its size, since some texts hold a NUL. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t size;
} accepted[] = {
    {TEXT("0")},
    {TEXT("-0")},
    {TEXT("18446744073709551616")},
    {TEXT("1.5e-10")},
    {TEXT("1E400")},
    {TEXT(" \t\r\n[ ] ")},
    {TEXT("\"\"")},
    {TEXT("\"\\u0000\"")},
    {TEXT("\"\\ud800\"")},
    {TEXT("\"\x7f\"")},
    {TEXT("\"\xf4\x8f\xbf\xbf\"")},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uAbC9\"")},
    {TEXT("{\"a\":1,\"a\":2}")},
    {TEXT("[null,true,false,[],{}]")},
};

static void accepts(void)
{
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        struct mf_json_fault fault = {.reason = ""};
        if (!mf_json_scan(accepted[i].text, accepted[i].size, NULL, NULL, &fault)) {
            fprintf(stderr, "%s: %s\n", accepted[i].text, fault.reason);
            CU_FAIL("refused");
        }
    }
}

static const struct {
    const char *text;
    size_t size;
    size_t line, column;
    const char *reason; /* a part of it */
} refused[] = {
    {TEXT(""), 1, 1, "found the end"},
    {TEXT(" \n"), 2, 1, "found the end"},
    {TEXT("\xef\xbb\xbf{}"), 1, 1, "expected a value"},
    {TEXT("{}x"), 1, 3, "more text"},
    {TEXT("{}\0"), 1, 3, "more text"},
    {TEXT("[1]\n\n ]"), 3, 2, "more text"},
    {TEXT("01"), 1, 2, "zero"},
    {TEXT("+1"), 1, 1, "expected a value"},
    {TEXT("-"), 1, 2, "digit"},
    {TEXT("1."), 1, 3, "digit"},
    {TEXT("1e+"), 1, 4, "digit"},
    {TEXT(".5"), 1, 1, "expected a value"},
    {TEXT("0x1"), 1, 2, "more text"},
    {TEXT("NaN"), 1, 1, "expected a value"},
    {TEXT("nul"), 1, 4, "true, false or null"},
    {TEXT("True"), 1, 1, "expected a value"},
    {TEXT("[\f1]"), 1, 2, "expected a value"},
    {TEXT("\"a\nb\""), 1, 3, "control character"},
    {TEXT("\"\0\""), 1, 2, "control character"},
    {TEXT("\"abc"), 1, 5, "does not end"},
    {TEXT("\"\\u00g1\""), 1, 6, "hexadecimal"},
    {TEXT("\"\\ud800\\u12"), 1, 12, "hexadecimal"},
    {TEXT("\"\\x\""), 1, 3, "escape"},
    {TEXT("\"\\\0\""), 1, 3, "escape"},
    {TEXT("\"\\"), 1, 3, "escape"},
    {TEXT("\"\xc0\x80\""), 1, 2, "UTF-8"},
    {TEXT("\"\xed\xa0\x80\""), 1, 2, "UTF-8"},
    {TEXT("\"\xf4\x90\x80\x80\""), 1, 2, "UTF-8"},
    {TEXT("\"\xe2\x82\""), 1, 2, "UTF-8"},
    {TEXT("\"\x80\""), 1, 2, "UTF-8"},
    {TEXT("\"\xff\""), 1, 2, "UTF-8"},
    {TEXT("[1,]"), 1, 4, "expected a value"},
    {TEXT("[1"), 1, 3, "',' or ']'"},
    {TEXT("[1}"), 1, 3, "',' or ']'"},
    {TEXT("{\"a\":1,}"), 1, 8, "name"},
    {TEXT("{a:1}"), 1, 2, "name"},
    {TEXT("{\"a\" 1}"), 1, 6, "':'"},
    {TEXT("{\"a\":}"), 1, 6, "expected a value"},
    {TEXT("{\"a\":1\n \"b\":2}"), 2, 2, "',' or '}'"},
    {TEXT("[1] // no"), 1, 5, "more text"},
};

static void refuses(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct mf_json_fault fault = {0};
        struct mf_json json;
        if (mf_json_scan(refused[i].text, refused[i].size, NULL, &json, &fault)) {
            fprintf(stderr, "accepted: %s\n", refused[i].text);
            mf_json_clear(&json);
            CU_FAIL("accepted");
            continue;
        }
        CU_ASSERT_PTR_NULL(json.values);
        CU_ASSERT_FALSE(fault.out_of_memory);
        if (fault.line != refused[i].line || fault.column != refused[i].column ||
            strstr(fault.reason, refused[i].reason) == NULL) {
            fprintf(stderr, "%s: %zu:%zu %s\n", refused[i].text, fault.line, fault.column,
                    fault.reason);
            CU_FAIL("another place or reason");
        }
    }
}

static void lists_values_in_order(void)
{
    static const char text[] = "{\"a\": [1, -2.5e3], \"b\":\"x\", \"c\":{}}";
    static const struct {
        size_t name;
        const char *token;
        size_t next;
    } expected[] = {
        {0, text, 6},      {1, "[1, -2.5e3]", 4}, {7, "1", 3},
        {10, "-2.5e3", 4}, {19, "\"x\"", 5},      {28, "{}", 6},
    };
    struct mf_json json;
    struct mf_json_fault fault;
    CU_ASSERT_TRUE_FATAL(mf_json_scan(text, strlen(text), NULL, &json, &fault));
    CU_ASSERT_EQUAL_FATAL(json.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < json.count; i++) {
        const struct mf_json_value *value = &json.values[i];
        CU_ASSERT_EQUAL(value->name, expected[i].name);
        CU_ASSERT_EQUAL(value->length, strlen(expected[i].token));
        CU_ASSERT_EQUAL(strncmp(text + value->start, expected[i].token, value->length), 0);
        CU_ASSERT_EQUAL(value->next, expected[i].next);
    }
    CU_ASSERT_EQUAL(json.bad_escape, SIZE_MAX);
    mf_json_clear(&json);
}

static size_t bad_escape_of(const char *text)
{
    struct mf_json json;
    struct mf_json_fault fault;
    if (!mf_json_scan(text, strlen(text), NULL, &json, &fault))
        return SIZE_MAX - 1;
    size_t offset = json.bad_escape;
    mf_json_clear(&json);
    return offset;
}

static void finds_bad_escapes(void)
{
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\\ude00\""), SIZE_MAX);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\\\u0000\""), SIZE_MAX);
    CU_ASSERT_EQUAL(bad_escape_of("\"a\\u0000\\u0000\""), 2);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\""), 1);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ude00\""), 1);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\\n\""), 1);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\\ud83d\\ude00\""), 1);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\\u0041\""), 1);
    CU_ASSERT_EQUAL(bad_escape_of("\"\\ud83d\\uf000\""), 1);
}

/* Whether that many arrays inside each other pass. */
static bool nests(unsigned depth, unsigned limit)
{
    char *text = malloc(2 * (size_t)depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    struct mf_json_limits limits = {.depth = limit};
    struct mf_json_fault fault;
    bool passed = mf_json_scan(text, 2 * (size_t)depth, &limits, NULL, &fault);
    if (!passed)
        CU_ASSERT_STRING_EQUAL(fault.reason, "arrays and objects are nested too deeply");
    free(text);
    return passed;
}

static void limits_depth_and_size(void)
{
    CU_ASSERT_TRUE(nests(MF_JSON_DEFAULT_DEPTH, 0));
    CU_ASSERT_FALSE(nests(MF_JSON_DEFAULT_DEPTH + 1, 0));
    CU_ASSERT_TRUE(nests(3, 3));
    CU_ASSERT_FALSE(nests(4, 3));
    CU_ASSERT_TRUE(nests(MF_JSON_MAX_DEPTH, 1000000));
    CU_ASSERT_FALSE(nests(MF_JSON_MAX_DEPTH + 1, 1000000));

    struct mf_json_limits limits = {.size = 4};
    struct mf_json_fault fault;
    CU_ASSERT_TRUE(mf_json_scan("1234", 4, &limits, NULL, &fault));
    CU_ASSERT_FALSE(mf_json_scan("12345", 5, &limits, NULL, &fault));
    CU_ASSERT_STRING_EQUAL(fault.reason, "the text is larger than the limit");
}

static const struct unit_test tests[] = {
    {"accepts what RFC 8259 allows", accepts},
    {"refuses anything else, with line, column and reason", refuses},
    {"lists values in the order of the text", lists_values_in_order},
    {"finds escapes that no C string can hold", finds_bad_escapes},
    {"limits depth and size", limits_depth_and_size},
};

UNIT_MAIN("json", tests)

/* The manifest reader and writer: exact, strict, and each other's inverse. */
#include "support.h"
#include "unit.h"

#include "crc32c.h"
#include "names.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* A manifest as the original format has it; the arguments are the JSON of its
 * version and of its checksum. */
#define UNSEALED(version, checksum, timestamp)                                                     \
    "{\"version\": " version ", \"lsm_file\": null, \"vector_indexes\": {}, "                      \
    "\"spatial_indexes\": {}, \"text_indexes\": {}, \"timestamp_indexes\": {}, "                   \
    "\"column_indexes\": {}, \"checksum\": " checksum ", \"timestamp\": " timestamp "}"

static const struct mf_read_options unsealed = {.accept_unsealed = true};

static enum mf_code parse(const char *text, const struct mf_read_options *options,
                          struct mf_manifest *manifest, struct mf_error *error)
{
    return mf_manifest_parse(text, strlen(text), options, manifest, error);
}

/* One of everything, with a key that must be escaped and a name used twice. */
static struct mf_file example_files[] = {
    {MF_KIND_LSM, "", "rows-000007", true, 12345678901234567890u, 4294967295u},
    {MF_KIND_VECTOR, "", "empty-key", true, 0, 0},
    {MF_KIND_VECTOR, "a\"\\\b\f\n\r\t\x01\x1f\x7f/\xc3\xa9", "b", true, 9007199254740993u, 1},
    {MF_KIND_VECTOR, "twice", "b", true, 9007199254740993u, 1},
    {MF_KIND_SPATIAL, "s", "spatial s", true, 1, 2},
    {MF_KIND_TEXT, "t", "\xe2\x82\xac", true, 3, 4},
    {MF_KIND_TIMESTAMP, "ts", "ts-1", true, 5, 6},
    {MF_KIND_COLUMN, "A", "Aa", true, 7, 8},
    {MF_KIND_COLUMN, "B", "BB", true, 9, 10},
    {MF_KIND_COLUMN, "a", "c-000001", true, 11, 12},
};

static const struct mf_manifest example = {
    .version = 18446744073709551615u,
    .timestamp = 9007199254740993u,
    .sealed = true,
    .files = example_files,
    .file_count = sizeof(example_files) / sizeof(example_files[0]),
};

static bool same(const struct mf_manifest *left, const struct mf_manifest *right)
{
    if (left->version != right->version || left->timestamp != right->timestamp ||
        left->sealed != right->sealed || left->file_count != right->file_count)
        return false;
    for (size_t i = 0; i < left->file_count; i++) {
        const struct mf_file *a = &left->files[i], *b = &right->files[i];
        if (a->kind != b->kind || strcmp(a->key, b->key) != 0 || strcmp(a->name, b->name) != 0 ||
            a->recorded != b->recorded || a->size != b->size || a->crc32c != b->crc32c)
            return false;
    }
    return true;
}

static void round_trip(void)
{
    struct mf_error error = {0};
    struct mf_manifest read;
    char *text, *again;
    size_t size, again_size;
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&example, &text, &size, &error), MF_OK);
    CU_ASSERT_EQUAL_FATAL(mf_manifest_parse(text, size, NULL, &read, &error), MF_OK);
    CU_ASSERT_TRUE(same(&example, &read));
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&read, &again, &again_size, &error), MF_OK);
    CU_ASSERT_EQUAL(size, again_size);
    CU_ASSERT_EQUAL(memcmp(text, again, size), 0);
    CU_ASSERT_PTR_NOT_NULL(mf_manifest_find(&read, MF_KIND_COLUMN, "a"));
    CU_ASSERT_PTR_NULL(mf_manifest_find(&read, MF_KIND_COLUMN, "b"));
    CU_ASSERT_PTR_NULL(mf_manifest_find(&read, MF_KIND_TEXT, "a"));
    mf_manifest_clear(&read);
    free(text);
    free(again);
}

/* The bytes themselves: what others read is the format, not our reader. */
static void exact_output(void)
{
    struct mf_file files[] = {
        {MF_KIND_LSM, "", "lsm-000002", true, 5, 3345199375u},
        {MF_KIND_TEXT, "t", "text-t-000002", true, 0, 0},
    };
    struct mf_manifest manifest = {2, 1700000000, true, files, 2};
    static const char body[] = "{\n"
                               "  \"version\": 2,\n"
                               "  \"lsm_file\": \"lsm-000002\",\n"
                               "  \"vector_indexes\": {},\n"
                               "  \"spatial_indexes\": {},\n"
                               "  \"text_indexes\": {\n"
                               "    \"t\": \"text-t-000002\"\n"
                               "  },\n"
                               "  \"timestamp_indexes\": {},\n"
                               "  \"column_indexes\": {},\n"
                               "  \"checksum\": %" PRIu64 ",\n"
                               "  \"timestamp\": 1700000000,\n"
                               "  \"files\": {\n"
                               "    \"lsm-000002\": {\n"
                               "      \"size\": 5,\n"
                               "      \"crc32c\": 3345199375\n"
                               "    },\n"
                               "    \"text-t-000002\": {\n"
                               "      \"size\": 0,\n"
                               "      \"crc32c\": 0\n"
                               "    }\n"
                               "  },\n"
                               "  ";
    char expected[1024], *text;
    size_t size;
    int length = snprintf(expected, sizeof(expected), body, mf_manifest_checksum(&manifest));
    length +=
        snprintf(expected + length, sizeof(expected) - (size_t)length,
                 "\"manifest_crc32c\": %" PRIu32 "\n}", mf_crc32c(0, expected, (size_t)length));
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&manifest, &text, &size, NULL), MF_OK);
    CU_ASSERT_EQUAL(size, (size_t)length);
    CU_ASSERT_EQUAL(strncmp(text, expected, size), 0);
    free(text);
}

static void integers_are_exact(void)
{
    static const char *const good[] = {"0", "9007199254740993", "3671890338662853681",
                                       "18446744073709551615"};
    static const char *const bad[] = {"18446744073709551616",
                                      "99999999999999999999999999",
                                      "-0",
                                      "-1",
                                      "1.0",
                                      "1e0",
                                      "01",
                                      "+1",
                                      "\"1\"",
                                      "null",
                                      "true",
                                      "[]"};
    struct mf_manifest manifest;
    struct mf_error error;
    char text[512];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), UNSEALED("%s", "0", "%s"), good[i], good[i]);
        CU_ASSERT_EQUAL_FATAL(parse(text, &unsealed, &manifest, &error), MF_OK);
        CU_ASSERT_EQUAL(manifest.version, strtoull(good[i], NULL, 10));
        CU_ASSERT_EQUAL(manifest.timestamp, manifest.version);
        mf_manifest_clear(&manifest);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), UNSEALED("%s", "0", "1"), bad[i]);
        CU_ASSERT_EQUAL(parse(text, &unsealed, &manifest, &error), MF_MALFORMED);
        CU_ASSERT_EQUAL(error.line, 1);
        snprintf(text, sizeof(text), UNSEALED("1", "%s", "1"), bad[i]);
        CU_ASSERT_EQUAL(parse(text, &unsealed, &manifest, &error), MF_MALFORMED);
    }
}

/* h = 0; h = h * 31 + byte for each byte; summed over the names; all of it wrapping. */
static void name_checksum(void)
{
    struct mf_file files[] = {
        {.kind = MF_KIND_LSM, .key = "", .name = "ab"},
        {.kind = MF_KIND_TEXT, .key = "x", .name = "c"},
    };
    struct mf_manifest manifest = {.files = files, .file_count = 2};
    CU_ASSERT_EQUAL(mf_manifest_checksum(&manifest), ('a' * 31 + 'b') + 'c');
    files[0].name = "\xff"; /* bytes are unsigned */
    CU_ASSERT_EQUAL(mf_manifest_checksum(&manifest), 255 + 'c');
    files[0].name = "a-name-long-enough-to-wrap-around-64-bits";
    CU_ASSERT_TRUE(mf_manifest_checksum(&manifest) > UINT32_MAX);
}

static const struct {
    const char *text;
    size_t line, column;
    const char *reason;
} malformed[] = {
    {"[]", 1, 1, "not an object"},
    {"{}", 1, 1, "version: the member is missing"},
    {"{\"Version\": 1}", 1, 1, "version: the member is missing"},
    {"{\"version\": 1}", 1, 1, "vector_indexes: the member is missing"},
    {"{\"version\": 1,\n \"version\": 1}", 2, 2, "same name"},
    {"{\"x\": {\"a\": 1, \"b\": 2, \"a\": 3}}", 1, 24, "same name"},
    {"{\"x\": 1e999}", 1, 7, "overflows"},
    {"{\"x\": -15.5e307}", 1, 1, "version: the member is missing"},
    {"{\"x\": -18.5E307}", 1, 7, "overflows"},
    {"{\"x\": 0.000185e312}", 1, 7, "overflows"},
    {"{\"x\": 0.000179e312}", 1, 1, "version: the member is missing"},
    {"{\"x\": -0.000e999}", 1, 1, "version: the member is missing"},
    {"{\"x\": 1e-99999999999999999999}", 1, 1, "version: the member is missing"},
    {"{\"x\": 1e99999999999999999999}", 1, 7, "overflows"},
    {"{\"\\u0061\\u00e9\\u20ac\\ud83d\\ude00\\n\\\\\": 1, "
     "\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\u000a\\u005c\": 2}",
     1, 43, "same name"},
    {"{\"x\": 1111111111111111111111111111111111111111111111111111111111111111}", 1, 7, "too long"},
    {"{\"x\": \"\\u0000\"}", 1, 8, "surrogate"},
    {"{\"\\ud800\": 1}", 1, 3, "surrogate"},
    {"{\"version\": 1, \"lsm_file\": 1}", 1, 28, "not a string"},
    {"{\"version\": 1, \"lsm_file\": \"\"}", 1, 28, "empty"},
    {"{\"version\": 1, \"lsm_file\": \"..\"}", 1, 28, "directory"},
    {"{\"version\": 1, \"lsm_file\": \"a/b\"}", 1, 28, "slash"},
    {"{\"version\": 1, \"lsm_file\": \"/etc/passwd\"}", 1, 28, "slash"},
    {"{\"version\": 1, \"lsm_file\": \"MANIFEST-000001\"}", 1, 28, "reserved"},
    {"{\"version\": 1, \"lsm_file\": \"x.tmp\"}", 1, 28, "reserved"},
    {"{\"version\": 1, \"vector_indexes\": []}", 1, 34, "not an object"},
    {"{\"version\": 1, \"vector_indexes\": {\"a\": null}}", 1, 40, "not a string"},
    {UNSEALED("1", "7", "1"), 1, 158, "does not agree with the file names"},
};

static void malformed_manifests(void)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct mf_manifest manifest;
        struct mf_error error = {0};
        enum mf_code code = parse(malformed[i].text, &unsealed, &manifest, &error);
        if (code != MF_MALFORMED || error.line != malformed[i].line ||
            error.column != malformed[i].column ||
            strstr(error.message, malformed[i].reason) == NULL) {
            fprintf(stderr, "%s: %s %zu:%zu %s\n", malformed[i].text, mf_code_name(code),
                    error.line, error.column, error.message);
            CU_FAIL("another verdict");
        }
        CU_ASSERT_EQUAL(manifest.file_count, 0);
    }
}

/* strtod() is the judge, in the locale of C. The digits are those of the limit, changed from
 * some place on, and the point is anywhere. */
static void numbers_overflow_as_doubles_do(void)
{
    static const char limit[] = "17976931348623158079372897140530341507993413271003782693";
    enum { DIGITS = sizeof(limit) - 1, NUMBERS = 20000 };
    unsigned finite = 0;
    srand(1);
    for (int i = 0; i < NUMBERS; i++) {
        char digits[DIGITS + 1], number[64], text[96];
        int point = rand() % (DIGITS + 1), same = rand() % (DIGITS + 1);
        memcpy(digits, limit, sizeof(digits));
        for (int j = same; j < DIGITS; j++)
            digits[j] =
                (char)('0' + (j == same ? (limit[j] - '0' + rand() % 3 + 9) % 10 : rand() % 10));
        snprintf(number, sizeof(number), "0.%.*se%d", DIGITS - rand() % 8, digits, 309);
        if (point > 0 && digits[0] != '0')
            snprintf(number, sizeof(number), "%.*s%s%sE+%d", point, digits,
                     point < DIGITS ? "." : "", digits + point, 309 - point);
        snprintf(text, sizeof(text), "{\"x\": %s}", number);
        struct mf_manifest manifest;
        struct mf_error error;
        CU_ASSERT_EQUAL(parse(text, &unsealed, &manifest, &error), MF_MALFORMED);
        bool holds = isfinite(strtod(number, NULL));
        if ((strstr(error.message, "overflows") == NULL) != holds) {
            fprintf(stderr, "%s: %s\n", number, error.message);
            CU_FAIL("another verdict than strtod's");
        }
        finite += holds;
    }
    CU_ASSERT_TRUE(finite > NUMBERS / 4 && finite < NUMBERS * 3 / 4);
}

static void unsealed_is_an_option(void)
{
    struct mf_manifest manifest;
    struct mf_error error;
    CU_ASSERT_EQUAL(parse(UNSEALED("3", "0", "1"), NULL, &manifest, &error), MF_MALFORMED);
    CU_ASSERT_EQUAL_FATAL(parse(UNSEALED("3", "0", "1"), &unsealed, &manifest, &error), MF_OK);
    CU_ASSERT_FALSE(manifest.sealed);
    char *text;
    size_t size;
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&manifest, &text, &size, &error), MF_OK);
    struct mf_manifest again;
    CU_ASSERT_EQUAL(mf_manifest_parse(text, size, &unsealed, &again, &error), MF_OK);
    CU_ASSERT_TRUE(same(&manifest, &again));
    free(text);
    mf_manifest_clear(&manifest);
    mf_manifest_clear(&again);
}

/* Replaces the first occurrence of a text in a printed manifest and makes the
 * seal fit again, so that only the change itself can be the fault. */
static char *forge(const char *before, const char *after)
{
    char *text, *forged;
    size_t size;
    mf_manifest_print(&example, &text, &size, NULL);
    text[size - 1] = '\0'; /* the last bracket, so that strstr ends */
    char *found = strstr(text, before);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    *found = '\0';
    if (asprintf(&forged, "%s%s%s ", text, after, found + strlen(before)) < 0)
        abort();
    char *seal = strstr(forged, "\"manifest_crc32c\"");
    if (seal != NULL) {
        uint32_t crc32c = mf_crc32c(0, forged, (size_t)(seal - forged));
        *seal = '\0';
        char *whole;
        if (asprintf(&whole, "%s\"manifest_crc32c\": %" PRIu32 "\n}", forged, crc32c) < 0)
            abort();
        free(forged);
        forged = whole;
    } else {
        forged[strlen(forged) - 1] = '}'; /* the space that was put there for it */
    }
    free(text);
    return forged;
}

static void sealed_members_are_checked(void)
{
    static const struct {
        const char *before, *after, *reason;
    } forgeries[] = {
        {"\"rows-000007\": {", "\"rows-000008\": {", "has no size and CRC32C"},
        {"\"files\": {", "\"files\": {\"extra\": {\"size\": 1, \"crc32c\": 2}, ",
         "no member names"},
        {"\"files\": {", "\"files\": 1, \"other\": {", "not an object"},
        {"\"size\": 3", "\"size\": 3.0", "not an integer"},
        {"\"size\": 3,", "", "size: the member is missing"},
        {"\"crc32c\": 4294967295", "\"crc32c\": 4294967296", "0 to 4294967295"},
        {"\"manifest_crc32c\"", "\"manifest_crc\"", "manifest_crc32c: the member is missing"},
        {"\"files\"", "\"other\"", "files: the member is missing"},
    };
    for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
        struct mf_manifest manifest;
        struct mf_error error = {0};
        char *text = forge(forgeries[i].before, forgeries[i].after);
        enum mf_code code = parse(text, &unsealed, &manifest, &error);
        if (code != MF_MALFORMED || strstr(error.message, forgeries[i].reason) == NULL) {
            fprintf(stderr, "%s: %s %s\n", forgeries[i].after, mf_code_name(code), error.message);
            CU_FAIL("another verdict");
        }
        free(text);
    }
    /* The forger itself works, and members that are not known are ignored. */
    struct mf_manifest manifest;
    char *text = forge("\"version\"", "\"unknown\": [{}, 1.5, \"\"], \"version\"");
    CU_ASSERT_EQUAL(parse(text, NULL, &manifest, NULL), MF_OK);
    CU_ASSERT_TRUE(same(&manifest, &example));
    mf_manifest_clear(&manifest);
    free(text);
}

static void seal_comes_last(void)
{
    char *text, *longer;
    size_t size;
    struct mf_manifest manifest;
    struct mf_error error = {0};
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&example, &text, &size, NULL), MF_OK);
    if (asprintf(&longer, "%.*s, \"x\": 1}", (int)size - 2, text) < 0)
        abort();
    CU_ASSERT_EQUAL(parse(longer, NULL, &manifest, &error), MF_MALFORMED);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "not the last member"));
    free(longer);
    free(text);
}

static void every_prefix_is_refused(void)
{
    char *text;
    size_t size;
    struct mf_manifest manifest;
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&example, &text, &size, NULL), MF_OK);
    for (size_t length = 0; length < size; length++)
        if (mf_manifest_parse(text, length, NULL, &manifest, NULL) != MF_MALFORMED)
            CU_FAIL("a prefix was accepted");
    free(text);
}

static void every_bit_flip_is_refused(void)
{
    char *text;
    size_t size;
    struct mf_manifest manifest;
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&example, &text, &size, NULL), MF_OK);
    for (size_t bit = 0; bit < size * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        /* Also where unsealed manifests are welcome: a damaged seal is no missing one. */
        if (mf_manifest_parse(text, size, bit % 2 == 0 ? NULL : &unsealed, &manifest, NULL) !=
            MF_MALFORMED) {
            fprintf(stderr, "bit %zu\n", bit);
            CU_FAIL("a flipped bit was accepted");
        }
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    CU_ASSERT_EQUAL(mf_manifest_parse(text, size, NULL, &manifest, NULL), MF_OK);
    mf_manifest_clear(&manifest);
    free(text);
}

static void writer_refuses(void)
{
    struct mf_file files[2] = {{MF_KIND_TEXT, "a", "x", true, 1, 1},
                               {MF_KIND_TEXT, "b", "y", true, 1, 1}};
    struct mf_manifest manifest = {.sealed = true, .files = files, .file_count = 2};
    char *text;
    size_t size;
    static const struct mf_file bad[] = {
        {MF_KIND_TEXT, "b", "y", false, 1, 1},   {MF_KIND_TEXT, "b", "x", true, 2, 1},
        {MF_KIND_TEXT, "a", "y", true, 1, 1},    {MF_KIND_VECTOR, "b", "y", true, 1, 1},
        {MF_KIND_TEXT, "\xff", "y", true, 1, 1}, {MF_KIND_TEXT, "b", "../y", true, 1, 1},
        {MF_KIND_COUNT, "b", "y", true, 1, 1},
    };
    CU_ASSERT_EQUAL_FATAL(mf_manifest_print(&manifest, &text, &size, NULL), MF_OK);
    free(text);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        files[1] = bad[i];
        CU_ASSERT_EQUAL(mf_manifest_print(&manifest, &text, &size, NULL), MF_INVALID);
    }
}

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
static void crc32c_vectors(void)
{
    unsigned char bytes[4096] = {0};
    CU_ASSERT_EQUAL(mf_crc32c(0, "123456789", 9), 0xe3069283);
    CU_ASSERT_EQUAL(mf_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CU_ASSERT_EQUAL(mf_crc32c(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 167 + i / 256);
    CU_ASSERT_EQUAL(mf_crc32c(0, "", 0), 0);
    /* Every length and alignment, in one piece, in two, and without the instruction. */
    for (size_t size = 0; size < 64; size++)
        for (size_t start = 0; start < 8; start++) {
            uint32_t whole = mf_crc32c(0, bytes + start, size);
            uint32_t half = mf_crc32c(0, bytes + start, size / 2);
            CU_ASSERT_EQUAL(mf_crc32c(half, bytes + start + size / 2, size - size / 2), whole);
            CU_ASSERT_EQUAL(mf_crc32c_portable(0, bytes + start, size), whole);
        }
    CU_ASSERT_EQUAL(mf_crc32c(0, bytes, sizeof(bytes)),
                    mf_crc32c_portable(0, bytes, sizeof(bytes)));
}

static void version_names(void)
{
    static const struct {
        const char *name;
        enum mf_name_class class;
    } names[] = {
        {"MANIFEST-CURRENT", MF_CLASS_CURRENT},
        {"MANIFEST-LOCK", MF_CLASS_LOCK},
        {"MANIFEST-CURRENT.12.tmp", MF_CLASS_TEMPORARY},
        {"MANIFEST-000001.tmp", MF_CLASS_TEMPORARY},
        {"MANIFEST-000000", MF_CLASS_VERSION},
        {"MANIFEST-1000000", MF_CLASS_VERSION},
        {"MANIFEST-18446744073709551615", MF_CLASS_VERSION},
        {"MANIFEST-18446744073709551616", MF_CLASS_RESERVED},
        {"MANIFEST-5", MF_CLASS_RESERVED},
        {"MANIFEST-+00005", MF_CLASS_RESERVED},
        {"MANIFEST-0000005", MF_CLASS_RESERVED},
        {"MANIFEST-00000x", MF_CLASS_RESERVED},
        {"MANIFEST-000005.damaged", MF_CLASS_DAMAGED},
        {"MANIFEST-000005.damaged-1", MF_CLASS_RESERVED},
        {"MANIFEST-", MF_CLASS_RESERVED},
        {"MANIFEST", MF_CLASS_OTHER},
        {"x.tmp", MF_CLASS_OTHER},
        {"lsm-000001", MF_CLASS_OTHER},
    };
    uint64_t version = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CU_ASSERT_EQUAL(mf_name_classify(names[i].name, &version), names[i].class);
    CU_ASSERT_EQUAL(mf_name_classify("MANIFEST-123456789", &version), MF_CLASS_VERSION);
    CU_ASSERT_EQUAL(version, 123456789);
    CU_ASSERT_STRING_EQUAL(mf_name_of_version(7).text, "MANIFEST-000007");
    CU_ASSERT_STRING_EQUAL(mf_name_of_damaged(7, 0).text, "MANIFEST-000007.damaged");
    CU_ASSERT_STRING_EQUAL(mf_name_of_damaged(7, 12).text, "MANIFEST-000007.damaged-12");
    CU_ASSERT_STRING_EQUAL(mf_name_of_version(1234567).text, "MANIFEST-1234567");
    CU_ASSERT_STRING_EQUAL(mf_name_of_data(MF_KIND_LSM, "", 7, 0).text, "lsm-000007");
    CU_ASSERT_STRING_EQUAL(mf_name_of_data(MF_KIND_TEXT, "../\xc3\xa9", 7, 2).text,
                           "text-_____-000007-2");
}

static void file_names(void)
{
    char longest[258];
    memset(longest, 'x', 256);
    longest[256] = '\0';
    CU_ASSERT_PTR_NOT_NULL(mf_name_check(longest));
    longest[255] = '\0';
    CU_ASSERT_PTR_NULL(mf_name_check(longest));
    CU_ASSERT_PTR_NULL(mf_name_check("a b\nc"));
    CU_ASSERT_PTR_NULL(mf_name_check("..."));
    CU_ASSERT_PTR_NULL(mf_name_check("manifest-1"));
    CU_ASSERT_PTR_NOT_NULL(mf_name_check("\xff"));
    CU_ASSERT_PTR_NOT_NULL(mf_name_check(".tmp"));
}

static const struct unit_test tests[] = {
    {"what is written is read back", round_trip},
    {"the output is exact to the byte", exact_output},
    {"64-bit integers survive, everything else is refused", integers_are_exact},
    {"the name checksum is the original's", name_checksum},
    {"malformed manifests: line, column, reason", malformed_manifests},
    {"numbers overflow as doubles do", numbers_overflow_as_doubles_do},
    {"unsealed manifests are an explicit option", unsealed_is_an_option},
    {"records and seal are checked", sealed_members_are_checked},
    {"the seal comes last", seal_comes_last},
    {"every strict prefix is refused", every_prefix_is_refused},
    {"every flipped bit is refused", every_bit_flip_is_refused},
    {"the writer refuses what the reader would", writer_refuses},
    {"CRC32C vectors, with and without the instruction", crc32c_vectors},
    {"names of versions", version_names},
    {"names of files", file_names},
};

UNIT_MAIN("document", tests)

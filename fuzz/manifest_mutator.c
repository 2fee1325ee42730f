/*
 * How libFuzzer changes manifests: their members, maps, names and numbers, one or a few at a
 * time, as text, so that spelling survives. Afterwards the records, the checksum and the seal are
 * made to fit, most of the time. Linked with the target manifest only where there is libFuzzer.
 */
#include "second.h"
#include "target.h"
#include "truth.h"

#include <inttypes.h>
#include <string.h>

/* libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *other,
                                 size_t other_size, uint8_t *out, size_t max, unsigned seed);

enum { TEXT_MAX = 1 << 14 };

struct draft {
    char text[TEXT_MAX + 1];
    size_t size;
    uint64_t random;
};

static unsigned below(struct draft *draft, size_t count)
{
    draft->random = draft->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((draft->random >> 33) % count);
}

#define CHOICE(draft, array) (array)[below(draft, sizeof(array) / sizeof((array)[0]))]

/* False when there is no room. */
static bool splice(struct draft *draft, size_t from, size_t remove, const char *insert,
                   size_t length)
{
    if (draft->size - remove + length > TEXT_MAX)
        return false;
    memmove(draft->text + from + length, draft->text + from + remove, draft->size - from - remove);
    memmove(draft->text + from, insert, length);
    draft->size += length - remove;
    return true;
}

static const struct mf_json_value *value_of(const struct second *second, size_t value)
{
    return &second->json.values[value];
}

/* Where a value ends. */
static size_t end_of(const struct second *second, size_t value)
{
    return value_of(second, value)->start + value_of(second, value)->length;
}

/*
 * Settling: the records, the checksum and the seal
 */

/* Removes a member with the comma behind or before it. */
static void remove_member(struct draft *draft, const struct second *second, size_t value)
{
    size_t from = value_of(second, value)->name, end = end_of(second, value);
    size_t after = end + strspn(draft->text + end, " \t\r\n");
    if (draft->text[after] == ',') {
        after++;
        after += strspn(draft->text + after, " \t\r\n");
        splice(draft, from, after - from, "", 0);
        return;
    }
    size_t before = from;
    while (before > 0 && strchr(" \t\r\n", draft->text[before - 1]) != NULL)
        before--;
    if (before > 0 && draft->text[before - 1] == ',')
        before--;
    splice(draft, before, end - before, "", 0);
}

static void insert_member(struct draft *draft, const struct second *second, size_t object,
                          const char *member)
{
    size_t at = value_of(second, object)->start + 1;
    size_t length = strlen(member);
    bool alone = value_of(second, object)->next == object + 1;
    if (splice(draft, at, 0, member, length) && !alone)
        splice(draft, at + length, 0, ",", 1);
}

static bool open_draft(const struct draft *draft, struct second *second)
{
    if (!second_open(second, draft->text, draft->size))
        return false;
    if (draft->text[value_of(second, 0)->start] == '{' && second->json.bad_escape == SIZE_MAX)
        return true;
    second_close(second);
    return false;
}

struct names {
    const char *quoted[64];
    size_t count;
};

static void add_name(void *argument, const char *quoted)
{
    struct names *names = argument;
    if (names->count < sizeof(names->quoted) / sizeof(names->quoted[0]))
        names->quoted[names->count++] = quoted;
}

/* One record too few or too many is added or removed. */
static bool settle_record(struct draft *draft)
{
    struct second second;
    struct names names = {0};
    bool changed = false;
    if (!open_draft(draft, &second))
        return false;
    size_t files = second_member(&second, 0, "files");
    second_names(&second, add_name, &names);
    for (size_t i = 0; files != 0 && i < names.count && !changed; i++) {
        char *name = second_string(names.quoted[i]), member[1600];
        size_t length = 1;
        while (names.quoted[i][length] != '"')
            length += names.quoted[i][length] == '\\' ? 2 : 1;
        if (second_member(&second, files, name) == 0 && length < 1500 &&
            draft->text[value_of(&second, files)->start] == '{') {
            snprintf(member, sizeof(member), "%.*s: {\"size\": 3, \"crc32c\": %" PRIu32 "}",
                     (int)length + 1, names.quoted[i], truth_crc32c("abc", 3));
            size_t before = draft->size;
            insert_member(draft, &second, files, member);
            changed = draft->size != before;
        }
        free(name);
    }
    for (size_t i = files + 1; files != 0 && !changed && i < value_of(&second, files)->next;
         i = value_of(&second, i)->next) {
        if (draft->text[value_of(&second, files)->start] != '{')
            break;
        size_t j = 0;
        while (j < names.count &&
               !second_same(names.quoted[j], draft->text + value_of(&second, i)->name))
            j++;
        if (j == names.count && names.count < 64) {
            remove_member(draft, &second, i);
            changed = true;
        }
    }
    second_close(&second);
    return changed;
}

static void settle_number(struct draft *draft, const char *name, bool is_seal)
{
    struct second second;
    char number[32];
    if (!open_draft(draft, &second))
        return;
    size_t value = second_member(&second, 0, name);
    if (value != 0) {
        int length = snprintf(number, sizeof(number), "%" PRIu64,
                              is_seal ? truth_crc32c(draft->text, value_of(&second, value)->name)
                                      : second_checksum(&second));
        splice(draft, value_of(&second, value)->start, value_of(&second, value)->length, number,
               (size_t)length);
    }
    second_close(&second);
}

static void settle(struct draft *draft)
{
    for (int i = 0; i < 80 && settle_record(draft); i++)
        draft->text[draft->size] = '\0';
    settle_number(draft, "checksum", false);
    settle_number(draft, "manifest_crc32c", true);
}

/*
 * Changes. Each is told a value, chosen at random.
 */

static void change_value(struct draft *draft, const struct second *second, size_t value)
{
    static const char *const numbers[] = {"0",
                                          "1",
                                          "2",
                                          "10",
                                          "999999",
                                          "1000000",
                                          "4294967295",
                                          "4294967296",
                                          "9007199254740993",
                                          "3671890338662853681",
                                          "18446744073709551615",
                                          "18446744073709551614"};
    static const char *const odd_numbers[] = {
        "-0",     "1.0",     "1e0",       "18446744073709551616", "-1", "1e400",
        "1e-400", "0.1e309", "0000000001"};
    static const char *const names[] = {"\"a\"",
                                        "\"b\"",
                                        "\"lsm-000002\"",
                                        "\"vector-a-000003\"",
                                        "\"\\u0061\"",
                                        "\"\xc3\xa9\"",
                                        "\"\\u00e9\"",
                                        "\"\\ud83d\\ude00\"",
                                        "\"\xf0\x9f\x98\x80\"",
                                        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\"",
                                        "\"x.tmp2\""};
    static const char *const odd_names[] = {"\"../x\"",  "\"a/b\"", "\"\"",
                                            "\".\"",     "\"..\"",  "\"MANIFEST-1\"",
                                            "\"x.tmp\"", "null",    "\"\\u0000\""};
    char first = draft->text[value_of(second, value)->start];
    bool odd = below(draft, 24) == 0;
    const char *text = first == '"' ? (odd ? CHOICE(draft, odd_names) : CHOICE(draft, names))
                       : first == '-' || (first >= '0' && first <= '9')
                           ? (odd ? CHOICE(draft, odd_numbers) : CHOICE(draft, numbers))
                           : NULL;
    if (text != NULL)
        splice(draft, value_of(second, value)->start, value_of(second, value)->length, text,
               strlen(text));
}

/* A value's own characters, by libFuzzer's own means. */
static void change_letters(struct draft *draft, const struct second *second, size_t value)
{
    char letters[256];
    size_t start = value_of(second, value)->start, length = value_of(second, value)->length;
    if (draft->text[start] != '"' || length > 200)
        return;
    memcpy(letters, draft->text + start + 1, length - 2);
    size_t size = LLVMFuzzerMutate((uint8_t *)letters, length - 2, 240);
    for (size_t i = 0; i < size; i++)
        if (strchr("\"\\/", letters[i]) != NULL || (letters[i] & 0xe0) == 0 || letters[i] < 0)
            letters[i] = (char)('a' + (letters[i] & 15));
    splice(draft, start + 1, length - 2, letters, size);
}

/* A letter of a string in another spelling. */
static void change_spelling(struct draft *draft, const struct second *second, size_t value)
{
    char escape[8];
    size_t start =
        below(draft, 2) == 0 ? value_of(second, value)->start : value_of(second, value)->name;
    if (draft->text[start] != '"')
        return;
    size_t length = 1;
    while (draft->text[start + length] != '"' && draft->text[start + length] != '\\')
        length++;
    size_t at = start + 1 + below(draft, length);
    if (at >= start + length || draft->text[at] < 0)
        return;
    snprintf(escape, sizeof(escape), below(draft, 2) == 0 ? "\\u%04x" : "\\u%04X",
             (unsigned)draft->text[at]);
    splice(draft, at, 1, escape, 6);
}

static void change_space(struct draft *draft, const struct second *second, size_t value)
{
    static const char *const spaces[] = {" ", "\n", "\t", "\r\n", "    "};
    const char *space = CHOICE(draft, spaces);
    size_t at = below(draft, 2) == 0 ? value_of(second, value)->name : end_of(second, value);
    splice(draft, at, 0, space, strlen(space));
}

/* A new file in one of the maps, under a key and with a name that may be there already. */
static void add_file(struct draft *draft, const struct second *second, size_t value)
{
    static const char *const maps[] = {"vector_indexes", "spatial_indexes", "text_indexes",
                                       "timestamp_indexes", "column_indexes"};
    char member[64];
    (void)value;
    size_t map = second_member(second, 0, CHOICE(draft, maps));
    snprintf(member, sizeof(member), "\"k%u\": \"f%u\"", below(draft, 100), below(draft, 12));
    if (map != 0 && draft->text[value_of(second, map)->start] == '{')
        insert_member(draft, second, map, member);
}

static void add_unknown(struct draft *draft, const struct second *second, size_t value)
{
    static const char *const members[] = {"\"Version\": 7",
                                          "\"version \": {}",
                                          "\"x\": [1, 2.5, -1e3, true, false, null, \"\"]",
                                          "\"y\": {\"size\": 1, \"size \": 2}",
                                          "\"FILES\": {\"a\": []}",
                                          "\"z\": [[[[{\"a\": [{}]}]]]]",
                                          "\"\": 1E5"};
    static const char *const odd[] = {"\"version\": 1", "\"w\": 1e999",
                                      "\"u\": {\"a\": 1, \"a\": 2}", "\"t\": \"\\ud800\""};
    /* Into an object, of which the records are some. */
    while (draft->text[value_of(second, value)->start] != '{')
        value--;
    insert_member(draft, second, value,
                  below(draft, 16) == 0 ? CHOICE(draft, odd) : CHOICE(draft, members));
}

static void drop_member(struct draft *draft, const struct second *second, size_t value)
{
    /* Of the root there is little that may go. */
    if (value_of(second, value)->name != value_of(second, value)->start)
        remove_member(draft, second, value);
}

/* Two members of an object change places; the last one of the root stays the last. */
static void swap_members(struct draft *draft, const struct second *second, size_t value)
{
    size_t other = value_of(second, value)->next;
    if (other >= second->json.count ||
        value_of(second, value)->name == value_of(second, value)->start ||
        value_of(second, other)->name == value_of(second, other)->start ||
        (value_of(second, other)->next == second->json.count && below(draft, 16) != 0))
        return;
    size_t from = value_of(second, value)->name, middle = end_of(second, value),
           start = value_of(second, other)->name, end = end_of(second, other);
    if (strspn(draft->text + middle, " \t\r\n,") < start - middle)
        return; /* the other one is in another object */
    char text[TEXT_MAX];
    size_t size = 0;
    memcpy(text, draft->text + start, end - start);
    size += end - start;
    memcpy(text + size, draft->text + middle, start - middle);
    size += start - middle;
    memcpy(text + size, draft->text + from, middle - from);
    memcpy(draft->text + from, text, end - from);
}

/* A member that stands in the map already gets another key beside the one that it has. */
static void share_file(struct draft *draft, const struct second *second, size_t value)
{
    char member[512];
    const struct mf_json_value *json = value_of(second, value);
    if (draft->text[json->start] != '"' || json->length > 300)
        return;
    static const char *const maps[] = {"vector_indexes", "text_indexes", "column_indexes"};
    size_t map = second_member(second, 0, CHOICE(draft, maps));
    snprintf(member, sizeof(member), "\"s%u\": %.*s", below(draft, 50), (int)json->length,
             draft->text + json->start);
    if (map != 0 && draft->text[value_of(second, map)->start] == '{')
        insert_member(draft, second, map, member);
}

static void toggle_seal(struct draft *draft, const struct second *second, size_t value)
{
    size_t files = second_member(second, 0, "files");
    (void)value;
    if (files == 0) {
        size_t end = value_of(second, 0)->start + value_of(second, 0)->length - 1;
        splice(draft, end, 0, ", \"files\": {}, \"manifest_crc32c\": 0", 36);
        return;
    }
    struct second again;
    remove_member(draft, second, files);
    if (!open_draft(draft, &again))
        return;
    size_t seal = second_member(&again, 0, "manifest_crc32c");
    if (seal != 0)
        remove_member(draft, &again, seal);
    second_close(&again);
}

static void change(struct draft *draft)
{
    static void (*const changes[])(struct draft *, const struct second *, size_t) = {
        change_value, change_value, change_value, change_letters, change_spelling, change_space,
        add_file,     add_file,     share_file,   add_unknown,    swap_members,    drop_member,
    };
    struct second second;
    if (!open_draft(draft, &second))
        return;
    size_t value = below(draft, second.json.count);
    if (below(draft, 32) == 0)
        toggle_seal(draft, &second, value);
    else
        CHOICE(draft, changes)(draft, &second, value);
    second_close(&second);
    draft->text[draft->size] = '\0';
}

static bool is_manifest(const struct draft *draft)
{
    struct second second;
    if (!open_draft(draft, &second))
        return false;
    bool is = second_refuses(&second, true) == NULL;
    second_close(&second);
    return is;
}

static size_t finish(struct draft *draft, uint8_t *data, size_t max)
{
    if (below(draft, 32) != 0)
        settle(draft);
    size_t size = draft->size < max ? draft->size : max;
    memcpy(data, draft->text, size);
    return size;
}

static void start(struct draft *draft, const uint8_t *data, size_t size, unsigned seed)
{
    static const char smallest[] =
        "{\"version\": 1, \"vector_indexes\": {}, \"spatial_indexes\": {}, \"text_indexes\": {}, "
        "\"timestamp_indexes\": {}, \"column_indexes\": {}, \"checksum\": 0, \"timestamp\": 0, "
        "\"files\": {}, \"manifest_crc32c\": 0}";
    struct second second;
    draft->random = seed;
    draft->size = size < TEXT_MAX ? size : TEXT_MAX;
    memcpy(draft->text, data, draft->size);
    draft->text[draft->size] = '\0';
    below(draft, 1);
    if (open_draft(draft, &second)) {
        bool begun = second_member(&second, 0, "version") != 0;
        second_close(&second);
        if (begun)
            return;
    }
    draft->size = sizeof(smallest) - 1;
    memcpy(draft->text, smallest, sizeof(smallest));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct draft draft;
    if (seed % 20 == 0) { /* as bytes */
        size = LLVMFuzzerMutate(data, size, max);
        start(&draft, data, size, seed);
        return seed % 40 == 0 ? size : finish(&draft, data, max);
    }
    /* Most of the time until it is a manifest. */
    bool wrong_is_fine = seed % 16 == 1;
    for (int attempt = 0; attempt < 8; attempt++) {
        start(&draft, data, size, seed + (unsigned)attempt * 7919);
        for (unsigned count = 1 + below(&draft, 3); count > 0; count--)
            change(&draft);
        if (wrong_is_fine)
            break;
        settle(&draft);
        if (draft.size <= max && is_manifest(&draft))
            break;
    }
    return finish(&draft, data, max);
}

/* A member of the other one takes the place of the one with its name. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *other,
                                 size_t other_size, uint8_t *out, size_t max, unsigned seed)
{
    static struct draft draft, from;
    struct second mine, theirs;
    start(&draft, first, first_size, seed);
    start(&from, other, other_size, seed);
    if (open_draft(&draft, &mine)) {
        if (open_draft(&from, &theirs)) {
            size_t value = below(&draft, theirs.json.count);
            char *name = value_of(&theirs, value)->name != value_of(&theirs, value)->start
                             ? second_string(from.text + value_of(&theirs, value)->name)
                             : NULL;
            size_t place = name != NULL ? second_member(&mine, 0, name) : 0;
            if (place != 0)
                splice(&draft, value_of(&mine, place)->start, value_of(&mine, place)->length,
                       from.text + value_of(&theirs, value)->start,
                       value_of(&theirs, value)->length);
            free(name);
            second_close(&theirs);
        }
        second_close(&mine);
    }
    draft.text[draft.size] = '\0';
    return finish(&draft, out, max);
}

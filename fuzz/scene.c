#include "scene.h"

#include "target.h"
#include "truth.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define OUTSIDE "precious"

uint64_t scene_number(struct choices *choices)
{
    static const uint64_t odd[] = {0, 999999, 1000000, UINT64_MAX - 1, UINT64_MAX};
    unsigned choice = choose_byte(choices);
    return choice < 240 ? choice % 8 : odd[choice % 5];
}

const char *scene_name(struct choices *choices)
{
    static const char *const fixed[] = {
        "MANIFEST-CURRENT",
        "MANIFEST-SLOT-A",
        "MANIFEST-SLOT-B",
        "MANIFEST-LOCK",
        "MANIFEST-CURRENT.0.tmp",
        "MANIFEST-other.tmp",
        "MANIFEST-5",
        "MANIFEST-0000005",
        "MANIFEST-99999999999999999999",
        "MANIFEST-unknown",
        "MANIFEST-SLOT-C",
        "lsm-000001",
        "lsm-000002",
        "lsm-000002-1",
        "lsm-000003",
        "lsm-key-000003",
        "vector-a-000002",
        "vector-a-000002-12",
        "text-title-000003",
        "text-title-000003-0",
        "column-000004",
        "spatial-a_b-1000000",
        "timestamp-a.b-000001",
        "text-title-0000003",
        "a",
        "b",
        "c",
        OUTSIDE,
        "\xff\xfe",
        "notes.tmp",
        "\xc3\xa9",
        "column-000004-x",
    };
    static const char *const numbered[][2] = {{"MANIFEST-", ""},
                                              {"MANIFEST-", ".removed"},
                                              {"MANIFEST-BACKUP-", ""},
                                              {"MANIFEST-BACKUP-", ".part"}};
    unsigned count = sizeof(fixed) / sizeof(fixed[0]);
    unsigned choice = choose(choices, count + 16);
    if (choice < count)
        return fixed[choice];
    choice %= 4;
    return truth_name(numbered[choice][0], scene_number(choices), numbered[choice][1]);
}

const char *scene_key(struct choices *choices)
{
    static const char *const keys[] = {
        "a",        "title",
        "",         "b c",
        "\xc3\xa9", "0123456789012345678901234567890123456789012345678901234567890123456789"};
    return keys[choose(choices, sizeof(keys) / sizeof(keys[0]))];
}

size_t scene_content(uint8_t seed, unsigned char buffer[256])
{
    size_t size = seed < 8 ? seed : seed < 250 ? seed / 8 : 255;
    for (size_t i = 0; i < size; i++)
        buffer[i] = (unsigned char)(seed + i * i);
    return size;
}

/*
 * Manifests
 */

struct text {
    char bytes[8192];
    size_t size;
};

static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        vsnprintf(text->bytes + text->size, sizeof(text->bytes) - text->size, format, arguments);
    va_end(arguments);
    require(size >= 0 && (size_t)size < sizeof(text->bytes) - text->size);
    text->size += (size_t)size;
}

enum { FILES_MAX = 5 };

struct plan {
    uint64_t version;
    bool sealed;
    struct {
        enum mf_kind kind;
        const char *key;
        char name[256];
        uint64_t size;
        uint32_t crc32c;
    } files[FILES_MAX];
    unsigned count;
};

static uint64_t checksum(const struct plan *plan)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < plan->count; i++) {
        uint64_t hash = 0;
        for (const char *byte = plan->files[i].name; *byte != '\0'; byte++)
            hash = hash * 31 + (unsigned char)*byte;
        sum += hash;
    }
    return sum;
}

static bool is_first(const struct plan *plan, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (strcmp(plan->files[i].name, plan->files[index].name) == 0)
            return false;
    return true;
}

static void print_map(struct text *text, const struct plan *plan, enum mf_kind kind,
                      const char *member)
{
    const char *separator = "\n    ";
    put(text, "  \"%s\": {", member);
    for (unsigned i = 0; i < plan->count; i++)
        if (plan->files[i].kind == kind) {
            put(text, "%s\"%s\": \"%s\"", separator, plan->files[i].key, plan->files[i].name);
            separator = ",\n    ";
        }
    put(text, "%s},\n", separator[0] == ',' ? "\n  " : "");
}

/* Not by mf_manifest_print, which refuses hostile names. */
static void print(struct text *text, const struct plan *plan)
{
    static const char *const members[] = {
#define X(name, word, member) member,
        MF_KINDS(X)
#undef X
    };
    const char *separator = "\n    ";
    put(text, "{\n  \"version\": %" PRIu64 ",\n", plan->version);
    for (unsigned i = 0; i < plan->count; i++)
        if (plan->files[i].kind == MF_KIND_LSM)
            put(text, "  \"lsm_file\": \"%s\",\n", plan->files[i].name);
    for (int kind = MF_KIND_LSM + 1; kind < MF_KIND_COUNT; kind++)
        print_map(text, plan, (enum mf_kind)kind, members[kind]);
    put(text, "  \"checksum\": %" PRIu64 ",\n  \"timestamp\": 1%s\n", checksum(plan),
        plan->sealed ? "," : "\n}");
    if (!plan->sealed)
        return;
    put(text, "  \"files\": {");
    for (unsigned i = 0; i < plan->count; i++)
        if (is_first(plan, i)) {
            put(text, "%s\"%s\": {\"size\": %" PRIu64 ", \"crc32c\": %" PRIu32 "}", separator,
                plan->files[i].name, plan->files[i].size, plan->files[i].crc32c);
            separator = ",\n    ";
        }
    put(text, "%s},\n  ", separator[0] == ',' ? "\n  " : "");
    put(text, "\"manifest_crc32c\": %" PRIu32 "\n}", truth_crc32c(text->bytes, text->size));
}

/* One file of a version: found there, or written now. */
static void plan_file(struct shelf *shelf, enum shelf_place place, struct choices *choices,
                      struct plan *plan)
{
    static const char *const hostile[] = {"../outside/" OUTSIDE, "/" OUTSIDE, "..", "", "a/b",
                                          "MANIFEST-CURRENT",    "x.tmp"};
    unsigned char content[256];
    unsigned how = choose_byte(choices);
    unsigned i = plan->count++;
    plan->files[i].kind = (enum mf_kind)(how % MF_KIND_COUNT);
    plan->files[i].key = plan->files[i].kind == MF_KIND_LSM ? "" : scene_key(choices);
    if (how >= 250) {
        snprintf(plan->files[i].name, sizeof(plan->files[i].name), "%s",
                 hostile[choose(choices, 7)]);
        return;
    }
    const char *name = scene_name(choices);
    struct shelf_node *node = shelf_find(&shelf->now.folders[place], name);
    snprintf(plan->files[i].name, sizeof(plan->files[i].name), "%s", name);
    if (node == NULL && how < 230) {
        shelf_put(shelf, place, name, MF_TYPE_FILE, content,
                  scene_content((uint8_t)choose_byte(choices), content));
        node = shelf_find(&shelf->now.folders[place], name);
    }
    if (node != NULL) {
        plan->files[i].size = node->size;
        plan->files[i].crc32c = truth_measure(node);
    }
}

static void put_slot(struct shelf *shelf, enum shelf_place place, unsigned slot, uint64_t sequence,
                     uint64_t version, uint64_t size, uint32_t crc32c)
{
    unsigned char bytes[512] = "MFSLOT1";
    for (int i = 0; i < 8; i++) {
        bytes[8 + i] = (unsigned char)(sequence >> 8 * i);
        bytes[16 + i] = (unsigned char)(version >> 8 * i);
        bytes[24 + i] = (unsigned char)(size >> 8 * i);
    }
    for (int i = 0; i < 4; i++)
        bytes[32 + i] = (unsigned char)(crc32c >> 8 * i);
    uint32_t seal = truth_crc32c(bytes, 508);
    for (int i = 0; i < 4; i++)
        bytes[508 + i] = (unsigned char)(seal >> 8 * i);
    shelf_put(shelf, place, slot == 0 ? "MANIFEST-SLOT-A" : "MANIFEST-SLOT-B", MF_TYPE_FILE, bytes,
              sizeof(bytes));
}

/* A version with its files and manifest, perhaps the current one. */
static void change_version(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    struct plan plan = {.version = scene_number(choices)};
    struct text text = {.size = 0};
    unsigned how = choose_byte(choices);
    plan.sealed = how < 230;
    for (unsigned count = choose(choices, FILES_MAX); count > 0; count--)
        plan_file(shelf, place, choices, &plan);
    print(&text, &plan);
    uint64_t number = how % 16 == 15 ? scene_number(choices) : plan.version;
    shelf_put(shelf, place, truth_name("MANIFEST-", number, how % 16 == 14 ? ".removed" : ""),
              MF_TYPE_FILE, text.bytes, text.size);
    if (how % 4 == 1)
        shelf_put(shelf, place, "MANIFEST-CURRENT", MF_TYPE_FILE, text.bytes, text.size);
    if (how % 4 == 2)
        put_slot(shelf, place, (unsigned)(plan.version & 1), plan.version + 1, plan.version,
                 text.size, truth_crc32c(text.bytes, text.size));
}

/*
 * Other changes
 */

static void change_file(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    unsigned char content[256];
    const char *name = scene_name(choices);
    shelf_put(shelf, place, name, MF_TYPE_FILE, content,
              scene_content((uint8_t)choose_byte(choices), content));
}

static void change_text(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    const char *name = scene_name(choices);
    size_t size = choose_byte(choices);
    size_t left = (size_t)(choices->end - choices->next);
    size = size < left ? size : left;
    shelf_put(shelf, place, name, MF_TYPE_FILE, choices->next, size);
    choices->next += size;
}

static void change_node(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    static const enum mf_type types[] = {MF_TYPE_LINK, MF_TYPE_DIRECTORY, MF_TYPE_OTHER};
    static const char target[] = "../outside/" OUTSIDE;
    enum mf_type type = types[choose(choices, 3)];
    shelf_put(shelf, place, scene_name(choices), type, target,
              type == MF_TYPE_LINK ? strlen(target) : 0);
}

static struct shelf_entry *choose_entry(struct shelf *shelf, enum shelf_place place,
                                        struct choices *choices)
{
    struct shelf_folder *folder = &shelf->now.folders[place];
    unsigned choice = choose_byte(choices);
    return folder->count > 0 ? folder->entries[choice % folder->count] : NULL;
}

static void change_damage(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    struct shelf_entry *entry = choose_entry(shelf, place, choices);
    unsigned how = choose_byte(choices), offset = choose_byte(choices);
    unsigned char data[SHELF_FILE_MAX + 1];
    if (entry == NULL || entry->node->type != MF_TYPE_FILE)
        return;
    size_t size = entry->node->size;
    memcpy(data, entry->node->data, size);
    if (how >= 240 && size < SHELF_FILE_MAX)
        data[size++] = (unsigned char)how;
    else if (how >= 200)
        size = size * offset / 256;
    else if (size > 0)
        data[size * offset / 256] ^= (unsigned char)(how + 1);
    char name[256];
    snprintf(name, sizeof(name), "%s", entry->name);
    shelf_put(shelf, place, name, MF_TYPE_FILE, data, size);
}

static void change_remove(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    char name[256];
    const struct shelf_entry *entry = choose_entry(shelf, place, choices);
    if (entry == NULL)
        return;
    snprintf(name, sizeof(name), "%s", entry->name);
    shelf_remove(shelf, place, name);
}

static void change_copy(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    const struct shelf_entry *entry = choose_entry(shelf, place, choices);
    enum shelf_place to = (enum shelf_place)choose(choices, SHELF_OUTSIDE);
    bool same_name = (choose_byte(choices) & 1) != 0;
    char name[256];
    if (entry == NULL)
        return;
    snprintf(name, sizeof(name), "%s", same_name ? entry->name : scene_name(choices));
    shelf_copy(shelf, to, name, entry->node);
}

static void change_slot(struct shelf *shelf, enum shelf_place place, struct choices *choices)
{
    unsigned slot = choose(choices, 2);
    uint64_t sequence = scene_number(choices), version = scene_number(choices);
    struct shelf_node *node =
        shelf_find(&shelf->now.folders[place], truth_name("MANIFEST-", version, ""));
    if (sequence == 0)
        put_slot(shelf, place, slot, 0, 0, 0, 0);
    else
        put_slot(shelf, place, slot, sequence, version, node != NULL ? node->size : 0,
                 node != NULL ? truth_measure(node) : 0);
}

void scene_change(struct shelf *shelf, struct choices *choices)
{
    static void (*const changes[])(struct shelf *, enum shelf_place, struct choices *) = {
        change_version, change_file, change_damage, change_remove, change_copy,
        change_version, change_node, change_slot,   change_text,
    };
    unsigned choice = choose_byte(choices);
    unsigned count = sizeof(changes) / sizeof(changes[0]);
    enum shelf_place place = choice / count % 8 < 5   ? SHELF_DB
                             : choice / count % 8 < 7 ? SHELF_BACKUP
                                                      : SHELF_TARGET;
    changes[choice % count](shelf, place, choices);
}

void scene_decoys(struct shelf *shelf)
{
    static const char *const names[] = {OUTSIDE, "a", "lsm-000001", "MANIFEST-CURRENT",
                                        "MANIFEST-000001"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        shelf_put(shelf, SHELF_OUTSIDE, names[i], MF_TYPE_FILE, names[i], strlen(names[i]));
}

#include "truth.h"

#include "target.h"

#include <inttypes.h>
#include <string.h>

#define SLOT_SIZE 512

/*
 * Bytes
 */

uint32_t truth_crc32c(const void *data, size_t size)
{
    static uint32_t table[256];
    const unsigned char *bytes = data;
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78u : 0);
        table[i] = value;
    }
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

uint32_t truth_measure(struct shelf_node *node)
{
    if (!node->measured)
        node->crc32c = truth_crc32c(node->data, node->size);
    node->measured = true;
    return node->crc32c;
}

const struct mf_manifest *truth_manifest(struct shelf_node *node)
{
    static const struct mf_read_options options = {.accept_unsealed = true};
    if (node == NULL || node->type != MF_TYPE_FILE)
        return NULL;
    if (node->read == SHELF_UNREAD)
        node->read = mf_manifest_parse((const char *)node->data, node->size, &options,
                                       &node->manifest, NULL) == MF_OK
                         ? SHELF_IS_MANIFEST
                         : SHELF_NO_MANIFEST;
    return node->read == SHELF_IS_MANIFEST ? &node->manifest : NULL;
}

bool truth_whole(const struct shelf_folder *folder, const struct mf_manifest *manifest,
                 bool sizes_only)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        struct shelf_node *node = shelf_find(folder, file->name);
        if (node == NULL || node->type != MF_TYPE_FILE)
            return false;
        if (file->recorded &&
            (node->size != file->size || (!sizes_only && truth_measure(node) != file->crc32c)))
            return false;
    }
    return true;
}

/*
 * Names
 */

const char *truth_name(const char *prefix, uint64_t number, const char *suffix)
{
    static char names[4][64];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof(names[0]), "%s%06" PRIu64 "%s", prefix, number, suffix);
    return name;
}

bool truth_number(const char *name, const char *prefix, const char *suffix, uint64_t *number)
{
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9')
        return false;
    *number = strtoull(name + length, NULL, 10);
    return strcmp(name, truth_name(prefix, *number, suffix)) == 0;
}

static bool is_manifest_name(const char *name)
{
    return strncmp(name, "MANIFEST-", 9) == 0;
}

bool truth_is_temporary(const char *name)
{
    size_t length = strlen(name);
    return is_manifest_name(name) && length >= 4 && strcmp(name + length - 4, ".tmp") == 0;
}

/* KIND-NNNNNN or KIND-KEY-NNNNNN, to which -ATTEMPT may be appended. */
static bool is_of_the_library(const char *name)
{
    static const char *const kinds[] = {"lsm", "vector", "spatial", "text", "timestamp", "column"};
    char text[256];
    for (int with_attempt = 0; with_attempt < 2; with_attempt++) {
        snprintf(text, sizeof(text), "%s", name);
        char *dash = strrchr(text, '-');
        if (with_attempt && dash != NULL) {
            if (dash[1] < '1' || dash[1] > '9' ||
                strspn(dash + 1, "0123456789") != strlen(dash + 1))
                continue;
            *dash = '\0';
            dash = strrchr(text, '-');
        }
        if (dash == NULL || strspn(dash + 1, "0123456789") != strlen(dash + 1) ||
            strlen(dash + 1) < 6 || (strlen(dash + 1) > 6 && dash[1] == '0'))
            continue;
        *dash = '\0';
        size_t kind_size = strcspn(text, "-");
        if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") !=
            strlen(text))
            continue;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (strlen(kinds[i]) == kind_size && strncmp(text, kinds[i], kind_size) == 0 &&
                (text[kind_size] == '\0' || i > 0))
                return true;
    }
    return false;
}

uint64_t truth_highest(const struct shelf_folder *folder)
{
    uint64_t highest = 0, number;
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->entries[i]->name;
        if ((truth_number(name, "MANIFEST-", "", &number) ||
             truth_number(name, "MANIFEST-", ".removed", &number) ||
             truth_number(name, "MANIFEST-", ".damaged", &number)) &&
            number > highest)
            highest = number;
    }
    return highest;
}

/*
 * Which version is current
 */

struct slot {
    bool found, valid;
    uint64_t sequence, version, size;
    uint32_t crc32c;
};

static uint64_t little_endian(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

static struct slot read_slot(const struct shelf_folder *folder, const char *name)
{
    static const unsigned char zeros[472];
    const struct shelf_node *node = shelf_find(folder, name);
    struct slot slot = {.found = node != NULL};
    if (node == NULL || node->type != MF_TYPE_FILE || node->size < SLOT_SIZE ||
        memcmp(node->data, "MFSLOT1", 8) != 0 || memcmp(node->data + 36, zeros, 472) != 0 ||
        little_endian(node->data + 508, 4) != truth_crc32c(node->data, 508))
        return slot;
    struct slot read = {.found = true,
                        .valid = true,
                        .sequence = little_endian(node->data + 8, 8),
                        .version = little_endian(node->data + 16, 8),
                        .size = little_endian(node->data + 24, 8),
                        .crc32c = (uint32_t)little_endian(node->data + 32, 4)};
    bool empty = read.sequence == 0;
    if (empty ? read.version != 0 || read.size != 0 || read.crc32c != 0
              : read.version == 0 || read.size == 0)
        return slot;
    return read;
}

/* Whether something is there that only a database leaves that had a current version. */
static bool is_left_alone(const struct shelf_folder *folder, bool first_is_allowed)
{
    for (size_t i = 0; i < folder->count; i++) {
        const char *name = folder->entries[i]->name;
        if (!is_manifest_name(name) || truth_is_temporary(name) ||
            strcmp(name, "MANIFEST-LOCK") == 0 || strcmp(name, "MANIFEST-SLOT-A") == 0 ||
            strcmp(name, "MANIFEST-SLOT-B") == 0)
            continue;
        if (!first_is_allowed || strcmp(name, "MANIFEST-000001") != 0)
            return true;
    }
    return false;
}

static bool contradict(const struct slot *low, const struct slot *high)
{
    if (!low->valid || !high->valid || low->sequence == 0)
        return false;
    return low->sequence == high->sequence || low->version > high->version ||
           (low->version == high->version &&
            (low->size != high->size || low->crc32c != high->crc32c));
}

static enum mf_code current_by_slots(const struct shelf_folder *folder, bool unsealed,
                                     const struct slot *a, const struct slot *b,
                                     struct truth *truth)
{
    const struct shelf_node *nodes[] = {shelf_find(folder, "MANIFEST-SLOT-A"),
                                        shelf_find(folder, "MANIFEST-SLOT-B")};
    const struct slot *high = b->sequence > a->sequence ? b : a, *low = high == a ? b : a;
    truth->slots = true;
    truth->fell_back = !a->valid || !b->valid;
    truth->exhausted = high->sequence == UINT64_MAX;
    truth->claimed = a->version > b->version ? a->version : b->version;
    for (int i = 0; i < 2; i++)
        if (nodes[i] != NULL && nodes[i]->type != MF_TYPE_FILE)
            return MF_CORRUPT;
    if (shelf_find(folder, "MANIFEST-CURRENT") != NULL || contradict(low, high))
        return MF_CORRUPT;
    if (high->sequence == 0)
        return is_left_alone(folder, a->valid || b->valid) ? MF_CORRUPT : MF_NO_DATABASE;
    struct shelf_node *node = shelf_find(folder, truth_name("MANIFEST-", high->version, ""));
    truth->current = truth_manifest(node);
    if (truth->current == NULL || (!truth->current->sealed && !unsealed) ||
        truth->current->version != high->version || node->size != high->size ||
        truth_measure(node) != high->crc32c)
        return MF_CORRUPT;
    return MF_OK;
}

static enum mf_code current_by_name(const struct shelf_folder *folder, bool unsealed,
                                    struct truth *truth)
{
    struct shelf_node *node = shelf_find(folder, "MANIFEST-CURRENT");
    if (node == NULL)
        return is_left_alone(folder, true) ? MF_CORRUPT : MF_NO_DATABASE;
    truth->current = truth_manifest(node);
    if (truth->current == NULL || (!truth->current->sealed && !unsealed))
        return MF_CORRUPT;
    truth->claimed = truth->current->version;
    const struct shelf_node *copy =
        shelf_find(folder, truth_name("MANIFEST-", truth->current->version, ""));
    truth->copy_missing = copy == NULL;
    return copy == NULL || shelf_same(copy, node) ? MF_OK : MF_CORRUPT;
}

void truth_of(const struct shelf_folder *folder, bool unsealed, bool sizes_only,
              struct truth *truth)
{
    struct slot a = read_slot(folder, "MANIFEST-SLOT-A"), b = read_slot(folder, "MANIFEST-SLOT-B");
    *truth = (struct truth){0};
    truth->verdict = !folder->present     ? MF_NO_DATABASE
                     : a.found || b.found ? current_by_slots(folder, unsealed, &a, &b, truth)
                                          : current_by_name(folder, unsealed, truth);
    if (truth->verdict == MF_OK && !truth_whole(folder, truth->current, sizes_only))
        truth->verdict = MF_CORRUPT;
    if (truth->verdict == MF_OK)
        truth->version = truth->current->version;
}

/*
 * Versions
 */

const struct mf_manifest *truth_version(const struct shelf_folder *folder, uint64_t version,
                                        bool unsealed)
{
    struct shelf_node *node = shelf_find(folder, truth_name("MANIFEST-", version, ""));
    const struct mf_manifest *manifest = truth_manifest(node);
    return manifest != NULL && manifest->version == version && (manifest->sealed || unsealed)
               ? manifest
               : NULL;
}

const struct mf_manifest *truth_removed(const struct shelf_folder *folder, uint64_t version)
{
    const struct mf_manifest *manifest =
        truth_manifest(shelf_find(folder, truth_name("MANIFEST-", version, ".removed")));
    return manifest != NULL && manifest->version == version ? manifest : NULL;
}

/* With slots a version whose removal has begun is not kept. */
static bool removal_begun(const struct shelf_folder *folder, const struct truth *truth,
                          uint64_t number)
{
    return truth->slots && number < truth->version && truth_removed(folder, number) != NULL;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

size_t truth_kept(const struct shelf_folder *folder, const struct truth *truth,
                  uint64_t numbers[SHELF_NAMES])
{
    size_t count = 0;
    uint64_t number;
    for (size_t i = 0; i < folder->count; i++)
        if (truth_number(folder->entries[i]->name, "MANIFEST-", "", &number) &&
            number < truth->version && !removal_begun(folder, truth, number))
            numbers[count++] = number;
    qsort(numbers, count, sizeof(*numbers), compare_numbers);
    numbers[count++] = truth->version;
    return count;
}

static bool names(const struct mf_manifest *manifest, const char *name)
{
    for (size_t i = 0; manifest != NULL && i < manifest->file_count; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return true;
    return false;
}

bool truth_is_live(const struct shelf_folder *folder, const struct truth *truth,
                   const uint64_t *numbers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (names(numbers[i] == truth->version ? truth->current
                                               : truth_version(folder, numbers[i], true),
                  name))
            return true;
    return false;
}

bool truth_is_doomed(const struct shelf_folder *folder, const char *name)
{
    uint64_t number;
    for (size_t i = 0; i < folder->count; i++)
        if (truth_number(folder->entries[i]->name, "MANIFEST-", ".removed", &number) &&
            names(truth_removed(folder, number), name))
            return true;
    return false;
}

bool truth_is_set_aside(const struct shelf_folder *folder, const char *name)
{
    uint64_t number, other;
    if (!truth_number(name, "MANIFEST-", "", &number))
        return false;
    for (size_t i = 0; i < folder->count; i++) {
        struct shelf_node *node = folder->entries[i]->node;
        if (truth_number(folder->entries[i]->name, "MANIFEST-", "", &other) && other >= number &&
            (node->type != MF_TYPE_FILE || truth_manifest(node) != NULL))
            return false;
    }
    return true;
}

bool truth_has_aside(const struct shelf_folder *folder, const char *name,
                     const struct shelf_node *node)
{
    char damaged[300];
    int size = snprintf(damaged, sizeof(damaged), "%s.damaged", name);
    for (size_t i = 0; i < folder->count; i++)
        if (strncmp(folder->entries[i]->name, damaged, (size_t)size) == 0 &&
            shelf_same(folder->entries[i]->node, node))
            return true;
    return node->size == 0;
}

int truth_orphan(const struct shelf_folder *folder, const struct truth *truth,
                 const struct shelf_entry *entry)
{
    static const char *const fixed[] = {"MANIFEST-CURRENT", "MANIFEST-LOCK", "MANIFEST-SLOT-A",
                                        "MANIFEST-SLOT-B"};
    uint64_t kept[SHELF_NAMES], number;
    enum mf_type type = entry->node->type;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (strcmp(entry->name, fixed[i]) == 0)
            return -1;
    bool version = truth_number(entry->name, "MANIFEST-", "", &number);
    bool begun = version && removal_begun(folder, truth, number);
    if (version && number <= truth->version && !begun)
        return -1;
    if (!is_manifest_name(entry->name) &&
        truth_is_live(folder, truth, kept, truth_kept(folder, truth, kept), entry->name))
        return -1;
    if (type == MF_TYPE_DIRECTORY)
        return MF_ORPHAN_FOREIGN;
    if (truth_is_temporary(entry->name))
        return MF_ORPHAN_TEMPORARY;
    if (version)
        return begun ? MF_ORPHAN_REMOVED : MF_ORPHAN_UNCOMMITTED;
    if (type != MF_TYPE_FILE)
        return MF_ORPHAN_FOREIGN;
    if (truth_number(entry->name, "MANIFEST-", ".removed", &number))
        return MF_ORPHAN_REMOVED;
    if (is_manifest_name(entry->name))
        return MF_ORPHAN_FOREIGN;
    return is_of_the_library(entry->name) || truth_is_doomed(folder, entry->name)
               ? MF_ORPHAN_UNREFERENCED
               : MF_ORPHAN_FOREIGN;
}

/*
 * Backups
 */

static bool read_link(const struct shelf_folder *folder, const char *name, uint64_t version,
                      uint64_t *size, uint32_t *crc32c)
{
    const struct shelf_node *node = shelf_find(folder, name);
    char text[400], again[400], base[48] = "null", base_crc32c[24] = "null", found[24];
    if (node == NULL || node->type != MF_TYPE_FILE || node->size >= sizeof(text))
        return false;
    memcpy(text, node->data, node->size);
    text[node->size] = '\0';
    const char *at = strstr(text, "\"base\": ");
    if (at != NULL && sscanf(at, "\"base\": %20[0-9],", found) == 1)
        snprintf(base, sizeof(base), "%s", found);
    at = strstr(text, "\"base_crc32c\": ");
    if (at != NULL && sscanf(at, "\"base_crc32c\": %10[0-9],", found) == 1)
        snprintf(base_crc32c, sizeof(base_crc32c), "%s", found);
    at = strstr(text, "\"manifest_size\": ");
    if (at == NULL || sscanf(at, "\"manifest_size\": %" SCNu64 ",\n  \"manifest_crc32c\": %" SCNu32,
                             size, crc32c) != 2)
        return false;
    int length = snprintf(again, sizeof(again),
                          "{\n  \"backup\": 1,\n  \"version\": %" PRIu64 ",\n  \"base\": %s,\n  "
                          "\"base_crc32c\": %s,\n  \"manifest_size\": %" PRIu64
                          ",\n  \"manifest_crc32c\": %" PRIu32 ",\n  ",
                          version, base, base_crc32c, *size, *crc32c);
    length += snprintf(again + length, sizeof(again) - (size_t)length, "\"crc32c\": %" PRIu32 "\n}",
                       truth_crc32c(again, (size_t)length));
    return strcmp(again, text) == 0 && (size_t)length == node->size;
}

const struct mf_manifest *truth_backup(const struct shelf_folder *folder, uint64_t version)
{
    uint64_t size;
    uint32_t crc32c;
    if (!read_link(folder, truth_name("MANIFEST-BACKUP-", version, ""), version, &size, &crc32c) &&
        !read_link(folder, truth_name("MANIFEST-BACKUP-", version, ".part"), version, &size,
                   &crc32c))
        return NULL;
    struct shelf_node *node = shelf_find(folder, truth_name("MANIFEST-", version, ""));
    const struct mf_manifest *manifest = truth_version(folder, version, false);
    return manifest != NULL && node->size == size && truth_measure(node) == crc32c &&
                   truth_whole(folder, manifest, false)
               ? manifest
               : NULL;
}

#include "acknowledged.h"

#include "target.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { CONTENT_BLOCK = 32 };

const char path[] = "db";
const char backup_path[] = "backup";
const char copy_path[] = "copy";

const struct slot slots[SLOTS] = {
    {MF_KIND_LSM, ""}, {MF_KIND_TEXT, "a"}, {MF_KIND_TEXT, "b"}, {MF_KIND_VECTOR, "a"}};

struct world world;
struct disk disk;

/* The bytes of manifests that were read. */
static unsigned char texts[64 * 1024];
static size_t texts_used, texts_kept;

void keep_texts(void)
{
    texts_kept = texts_used;
}

void forget_texts(void)
{
    texts_used = texts_kept;
}

/* ---- Contents ---- */

/* The blocks of a content count up from its seed by 7: so all contents stand in one text. */
static unsigned char content_text[DISK_FILE_MAX + (size_t)256 * CONTENT_BLOCK];

void make_contents(void)
{
    for (unsigned i = 0; i < sizeof(content_text); i++)
        content_text[i] = (unsigned char)(i / CONTENT_BLOCK * 7);
}

const unsigned char *content_bytes(const struct content *content)
{
    return content_text + (size_t)content->seed * CONTENT_BLOCK;
}

static bool content_is(const struct content *content, const unsigned char *bytes, size_t size)
{
    return size == content->size && memcmp(bytes, content_bytes(content), size) == 0;
}

unsigned new_content(unsigned size_byte)
{
    static const uint16_t sizes[] = {40, 0, 1, 511, 513, 700, 1100, 1024};
    require(world.content_count < CONTENTS - 1);
    unsigned id = ++world.content_count;
    world.contents[id] = (struct content){.size = sizes[size_byte % 8], .seed = (uint8_t)(id * 37)};
    return id;
}

/* Whether a manifest of the folder names what a version has, and that is there. */
static void require_content(const char *folder, const struct mf_manifest *manifest,
                            const struct version *version)
{
    size_t count = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct mf_file *file = mf_manifest_find(manifest, slots[i].kind, slots[i].key);
        require((file != NULL) == (version->contents[i] != 0));
        if (file == NULL)
            continue;
        size_t size;
        const unsigned char *bytes = disk_find(&disk, folder, file->name, &size);
        require(bytes != NULL);
        require(content_is(&world.contents[version->contents[i]], bytes, size));
        count++;
    }
    require(manifest->file_count == count);
}

/* ---- Versions ---- */

struct version *new_version(uint64_t number)
{
    require(world.version_count < VERSIONS - 1);
    struct version *version = &world.versions[++world.version_count];
    *version = (struct version){.number = number};
    return version;
}

uint8_t index_of(const struct version *version)
{
    return (uint8_t)(version - world.versions);
}

/* The one that may be kept under that number, or be current. */
static struct version *find_version(uint64_t number)
{
    for (unsigned i = world.version_count; i > 0; i--) {
        struct version *version = &world.versions[i];
        if (version->number == number && (version->kept != KEPT_NO || i == world.perhaps))
            return version;
    }
    return NULL;
}

/* The one that is current under that number. */
static struct version *find_current(uint64_t number)
{
    struct version *perhaps = &world.versions[world.perhaps];
    bool unsaid = world.perhaps != 0 && perhaps->number == 0;
    return unsaid && number > world.highest ? perhaps : find_version(number);
}

/* It was said that a version is committed: by the commit, or when it was opened. */
static void acknowledge(struct version *version)
{
    require(version->number >= world.highest);
    if (world.current != index_of(version))
        require(version->number > world.highest);
    version->kept = KEPT_YES;
    world.highest = version->number;
    world.current = index_of(version);
    world.perhaps = 0;
    if (world.broken)
        world.recovered = version->number;
    world.broken = false;
}

void settle(uint64_t number)
{
    struct version *perhaps = &world.versions[world.perhaps];
    if (world.perhaps != 0 && perhaps->number == 0 && number > world.highest)
        perhaps->number = number; /* it could not be said */
    if (world.perhaps != 0 && perhaps->number == number) {
        acknowledge(&world.versions[world.perhaps]);
        return;
    }
    require(world.current != 0 && world.versions[world.current].number == number);
    world.perhaps = 0;
}

void conclude(struct version *version, enum mf_code code, uint64_t number)
{
    if (disk.dead || code == MF_UNKNOWN) {
        world.perhaps = index_of(version);
    } else if (code == MF_OK) {
        require(version->number == number);
        acknowledge(version);
    }
}

/* ---- Looking ---- */

static void remember(struct version *version, const struct mf_manifest *manifest)
{
    size_t size;
    snprintf(version->manifest_name, DISK_NAME_SIZE, "MANIFEST-%06" PRIu64, version->number);
    const unsigned char *bytes = disk_find(&disk, path, version->manifest_name, &size);
    if (bytes == NULL || size > sizeof(texts) - texts_used)
        return;
    version->manifest = memcpy(texts + texts_used, bytes, size);
    version->manifest_size = (uint16_t)size;
    texts_used += size;
    for (unsigned i = 0; i < SLOTS; i++)
        if (version->contents[i] != 0)
            snprintf(version->names[i], DISK_NAME_SIZE, "%s",
                     mf_manifest_find(manifest, slots[i].kind, slots[i].key)->name);
}

/* Whether it is the same, to the byte, as when the library read it. */
static bool is_as_remembered(const struct version *version)
{
    size_t size;
    if (version->manifest == NULL)
        return false;
    const unsigned char *bytes = disk_find(&disk, path, version->manifest_name, &size);
    bool same = bytes != NULL && size == version->manifest_size &&
                memcmp(bytes, version->manifest, size) == 0;
    for (unsigned i = 0; i < SLOTS && same; i++) {
        if (version->contents[i] == 0)
            continue;
        bytes = disk_find(&disk, path, version->names[i], &size);
        same = bytes != NULL && content_is(&world.contents[version->contents[i]], bytes, size);
    }
    return same;
}

static void require_version_whole(struct mf_database *handle, uint64_t number)
{
    struct mf_manifest manifest;
    struct version *version = find_version(number);
    if (version != NULL && is_as_remembered(version))
        return;
    require(version != NULL ||
            (number > world.damaged && number < (world.broken ? UINT64_MAX : world.recovered)));
    require(mf_database_read_version(handle, number, &manifest, NULL) == MF_OK);
    if (version != NULL) {
        require_content(path, &manifest, version);
        remember(version, &manifest);
    }
    mf_manifest_clear(&manifest);
}

void require_all_whole(struct mf_database *handle)
{
    struct mf_versions versions;
    const struct mf_manifest *current = mf_database_current(handle);
    struct version *version = find_current(current->version);
    require(version != NULL);
    require(index_of(version) == world.current || index_of(version) == world.perhaps);
    require_content(path, current, version);
    if (version->number == current->version && version->manifest == NULL)
        remember(version, current);
    require(mf_history_versions(handle, &versions, NULL) == MF_OK && versions.count > 0);
    require(versions.numbers[versions.count - 1] == current->version);
    for (size_t i = 0; i < versions.count - 1; i++)
        require_version_whole(handle, versions.numbers[i]);
    for (unsigned i = 1; i <= world.version_count; i++) {
        if (world.versions[i].kept != KEPT_YES)
            continue;
        bool found = false;
        for (size_t j = 0; j < versions.count; j++)
            found = found || versions.numbers[j] == world.versions[i].number;
        require(found);
    }
    mf_versions_clear(&versions);
}

void look(void)
{
    struct mf_options reading = {.platform = world.options.platform};
    struct mf_database *handle;
    unsigned changes = disk.changes;
    enum mf_code code = mf_database_open(path, &reading, &handle, NULL);
    if (code == MF_OK) {
        require(mf_database_current(handle)->version != 0);
        require_all_whole(handle);
        mf_database_close(handle);
    } else if (code == MF_CORRUPT) {
        require(world.broken);
    } else {
        require(code == MF_NO_DATABASE && world.current == 0);
    }
    require(disk.changes == changes);
}

static void look_at_link(void *argument, const struct mf_backup_link *link)
{
    struct version *found = NULL;
    for (unsigned i = 1; i <= world.version_count; i++)
        if (world.versions[i].saved && world.versions[i].number == link->version)
            found = &world.versions[i];
    if (found == NULL)
        return;
    require(link->code == MF_OK && link->manifest != NULL);
    require_content(backup_path, link->manifest, found);
    ++*(unsigned *)argument;
}

void look_at_backup(void)
{
    unsigned saved = 0, found = 0;
    for (unsigned i = 1; i <= world.version_count; i++)
        saved += world.versions[i].saved ? 1 : 0;
    if (saved == 0)
        return;
    mf_backup_inspect(backup_path, &world.options, look_at_link, &found, NULL);
    require(found == saved);
}

void look_at_copy(void)
{
    struct mf_options reading = {.platform = world.options.platform};
    struct mf_database *handle;
    if (world.copy == 0 && world.copy_perhaps == 0)
        return;
    enum mf_code code = mf_database_open(copy_path, &reading, &handle, NULL);
    if (code == MF_OK) {
        const struct mf_manifest *found = mf_database_current(handle);
        const struct version *version = &world.versions[world.copy];
        uint64_t before = world.copy != 0 ? version->number : 1; /* made, and empty */
        if (world.copy_perhaps != 0 && found->version > before)
            version = &world.versions[world.copy_perhaps];
        else if (world.copy == 0)
            require(found->version == 1 && found->file_count == 0);
        if (index_of(version) != 0) {
            require(found->version == version->number || version->number == 0);
            require_content(copy_path, found, version);
        }
        mf_database_close(handle);
    }
    require(code == MF_OK || (code == MF_NO_DATABASE && world.copy == 0));
}

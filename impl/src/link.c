/* Links have one spelling: what is read is printed again and compared, so that
 * the reader needs no rules of its own. */
#include "link.h"

#include "crc32c.h"
#include "error.h"
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE_SEAL "  " /* what the seal covers ends with the indent of its name */

struct mf_link_text mf_link_print(struct mf_link *link)
{
    struct mf_link_text output;
    char base[24] = "null", base_crc32c[24] = "null";
    if (link->has_base) {
        snprintf(base, sizeof(base), "%" PRIu64, link->base);
        snprintf(base_crc32c, sizeof(base_crc32c), "%" PRIu32, link->base_crc32c);
    }
    int size =
        snprintf(output.text, sizeof(output.text),
                 "{\n"
                 "  \"backup\": 1,\n"
                 "  \"version\": %" PRIu64 ",\n"
                 "  \"base\": %s,\n"
                 "  \"base_crc32c\": %s,\n"
                 "  \"manifest_size\": %" PRIu64 ",\n"
                 "  \"manifest_crc32c\": %" PRIu32 ",\n" BEFORE_SEAL,
                 link->version, base, base_crc32c, link->manifest_size, link->manifest_crc32c);
    uint32_t seal = mf_crc32c(0, output.text, (size_t)size);
    size += snprintf(output.text + size, sizeof(output.text) - (size_t)size,
                     "\"crc32c\": %" PRIu32 "\n}", seal);
    output.size = (size_t)size;
    link->crc32c = mf_crc32c(0, output.text, output.size);
    return output;
}

/* The digits behind a member's name; 0 when there are none. */
static uint64_t number_of(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    uint64_t value = 0;
    if (found == NULL)
        return 0;
    for (found += strlen(name); *found >= '0' && *found <= '9'; found++)
        value = value * 10 + (uint64_t)(*found - '0');
    return value;
}

bool mf_link_parse(const char *text, size_t size, struct mf_link *link)
{
    char copy[MF_LINK_SIZE_MAX + 1];
    if (size > MF_LINK_SIZE_MAX)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *link = (struct mf_link){
        .version = number_of(copy, "\"version\": "),
        .has_base = strstr(copy, "\"base\": null") == NULL,
        .base = number_of(copy, "\"base\": "),
        .base_crc32c = (uint32_t)number_of(copy, "\"base_crc32c\": "),
        .manifest_size = number_of(copy, "\"manifest_size\": "),
        .manifest_crc32c = (uint32_t)number_of(copy, "\"manifest_crc32c\": "),
    };
    struct mf_link_text again = mf_link_print(link);
    return again.size == size && memcmp(again.text, text, size) == 0;
}

static enum mf_code read_named(const struct mf_directory *folder, const struct mf_name *name,
                               uint64_t version, struct mf_link *link, struct mf_error *error)
{
    char *text;
    size_t size;
    int result = mf_io_load(folder, name->text, MF_LINK_SIZE_MAX, &text, &size);
    if (result == -ENOENT)
        return mf_fail(error, MF_NO_VERSION, 0, "version %" PRIu64 " is not in the backup",
                       version);
    if (result == MF_IO_NOT_REGULAR || result == -EFBIG)
        return mf_fail(error, MF_CORRUPT, 0, "%s: not a link of a backup", name->text);
    if (result == -ENOMEM)
        return mf_fail(error, MF_NO_MEMORY, 0, "%s: no memory to read it", name->text);
    if (result < 0)
        return mf_fail(error, MF_IO, result, "%s: cannot be read", name->text);
    bool valid = mf_link_parse(text, size, link) && link->version == version;
    free(text);
    if (!valid)
        return mf_fail(error, MF_CORRUPT, 0, "%s: damaged", name->text);
    return MF_OK;
}

/* On vfat what was cut short can have its size but not its blocks, and then fails
 * with EIO (fs/fat/cache.c in Linux). */
static bool may_be_cut_short(enum mf_code code, const struct mf_error *failure)
{
    return code == MF_NO_VERSION || code == MF_CORRUPT ||
           (code == MF_IO && failure->system_error == EIO);
}

enum mf_code mf_link_read(const struct mf_directory *folder, uint64_t version, struct mf_link *link,
                          struct mf_error *error)
{
    struct mf_name name = mf_name_of_link(version), part = mf_name_of_part(version);
    struct mf_error failure, of_part;
    enum mf_code code = read_named(folder, &name, version, link, &failure);
    if (may_be_cut_short(code, &failure)) {
        enum mf_code code_of_part = read_named(folder, &part, version, link, &of_part);
        if (code_of_part == MF_OK)
            return MF_OK;
        if (!may_be_cut_short(code_of_part, &of_part)) {
            code = code_of_part;
            failure = of_part;
        }
    }
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

static bool has(const struct mf_versions *versions, uint64_t number)
{
    for (size_t i = 0; i < versions->count; i++)
        if (versions->numbers[i] == number)
            return true;
    return false;
}

/* Puts a number where it belongs. */
static enum mf_code insert(struct mf_versions *versions, uint64_t number, struct mf_error *error)
{
    uint64_t *grown = realloc(versions->numbers, (versions->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return mf_fail(error, MF_NO_MEMORY, 0, "no memory to list the links");
    size_t i = versions->count++;
    for (; i > 0 && grown[i - 1] > number; i--)
        grown[i] = grown[i - 1];
    grown[i] = number;
    versions->numbers = grown;
    return MF_OK;
}

enum mf_code mf_link_list(const struct mf_directory *folder, struct mf_versions *links,
                          struct mf_error *error)
{
    struct mf_versions parts = {0};
    enum mf_code code = mf_list_numbers(folder, MF_CLASS_LINK, links, error);
    if (code == MF_OK)
        code = mf_list_numbers(folder, MF_CLASS_PART, &parts, error);
    for (size_t i = 0; i < parts.count && code == MF_OK; i++) {
        struct mf_link link;
        struct mf_error failure;
        if (has(links, parts.numbers[i]))
            continue;
        code = mf_link_read(folder, parts.numbers[i], &link, &failure);
        if (code == MF_OK)
            code = insert(links, parts.numbers[i], error);
        else if (code == MF_NO_VERSION)
            code = MF_OK;
        else if (error != NULL)
            *error = failure;
    }
    mf_versions_clear(&parts);
    return code;
}

enum mf_code mf_link_manifest(const struct mf_directory *folder, const struct mf_link *link,
                              const struct mf_read_options *options, struct mf_version *version,
                              struct mf_error *error)
{
    struct mf_name name = mf_name_of_version(link->version);
    struct mf_error failure;
    enum mf_code code = mf_version_read(folder, name.text, options, version, &failure);
    if (code == MF_IO && failure.system_error == ENOENT)
        code = mf_fail(&failure, MF_CORRUPT, 0, "%s: missing", name.text);
    if (code == MF_OK && (version->size != link->manifest_size ||
                          mf_crc32c(0, version->text, version->size) != link->manifest_crc32c ||
                          version->manifest.version != link->version)) {
        mf_version_clear(version);
        code = mf_fail(&failure, MF_CORRUPT, 0, "%s: not the manifest that its link records",
                       name.text);
    }
    if (code != MF_OK && error != NULL)
        *error = failure;
    return code;
}

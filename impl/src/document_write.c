/* The writer: text grows in one buffer; a failed allocation is remembered and
 * reported once at the end. */
#include "crc32c.h"
#include "digits.h"
#include "document.h"
#include "error.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *bytes;
    size_t size;
    size_t capacity;
    bool out_of_memory;
};

static void put_bytes(struct text *text, const char *bytes, size_t size)
{
    if (size > text->capacity - text->size) {
        size_t capacity = text->capacity * 2 + size + 256;
        char *grown = realloc(text->bytes, capacity);
        if (grown == NULL) {
            text->out_of_memory = true;
            return;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

static void put(struct text *text, const char *string)
{
    put_bytes(text, string, strlen(string));
}

static void put_integer(struct text *text, uint64_t value)
{
    char digits[MF_DIGITS_MAX + 1];
    put_bytes(text, digits, (size_t)(mf_digits(digits, value, 1) - digits));
}

/* What must be escaped (RFC 8259, section 7), in its shortest form. */
static void put_escaped(struct text *text, unsigned char byte)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *found = strchr(plain, byte);
    char escape[8];
    if (found != NULL)
        snprintf(escape, sizeof(escape), "\\%c", letter[found - plain]);
    else
        snprintf(escape, sizeof(escape), "\\u%04x", byte);
    put(text, escape);
}

/* Whether it stands for itself in a string; the NUL does not. */
static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static void put_string(struct text *text, const char *string)
{
    put(text, "\"");
    while (*string != '\0') {
        const char *end = string;
        while (is_plain(*end))
            end++;
        put_bytes(text, string, (size_t)(end - string));
        if (*end != '\0')
            put_escaped(text, (unsigned char)*end++);
        string = end;
    }
    put(text, "\"");
}

static void put_member(struct text *text, const char *indent, const char *name)
{
    put(text, indent);
    put_string(text, name);
    put(text, ": ");
}

static void put_integer_member(struct text *text, const char *name, uint64_t value)
{
    put_member(text, "  ", name);
    put_integer(text, value);
    put(text, ",\n");
}

static void put_lsm_file(struct text *text, const struct mf_manifest *manifest)
{
    const struct mf_file *file = mf_manifest_find(manifest, MF_KIND_LSM, "");
    put_member(text, "  ", mf_kind_member(MF_KIND_LSM));
    if (file != NULL)
        put_string(text, file->name);
    else
        put(text, "null");
    put(text, ",\n");
}

/* Between the members of a map, and after its last. */
static void put_separator(struct text *text, bool *first)
{
    put(text, *first ? "\n" : ",\n");
    *first = false;
}

static void put_map(struct text *text, const struct mf_manifest *manifest, enum mf_kind kind)
{
    bool first = true;
    put_member(text, "  ", mf_kind_member(kind));
    put(text, "{");
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        if (file->kind != kind)
            continue;
        put_separator(text, &first);
        put_member(text, "    ", file->key);
        put_string(text, file->name);
    }
    put(text, first ? "},\n" : "\n  },\n");
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const struct mf_file *const *)left)->name,
                  (*(const struct mf_file *const *)right)->name);
}

static void put_record(struct text *text, const struct mf_file *file)
{
    put_member(text, "    ", file->name);
    put(text, "{\n");
    put_member(text, "      ", MF_MEMBER_SIZE);
    put_integer(text, file->size);
    put(text, ",\n");
    put_member(text, "      ", MF_MEMBER_CRC32C);
    put_integer(text, file->crc32c);
    put(text, "\n    }");
}

/* One record for each name, however many keys share it. */
static void put_records(struct text *text, const struct mf_file *const *by_name, size_t count)
{
    bool first = true;
    put_member(text, "  ", MF_MEMBER_FILES);
    put(text, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(by_name[i]->name, by_name[i - 1]->name) == 0)
            continue;
        put_separator(text, &first);
        put_record(text, by_name[i]);
    }
    put(text, first ? "},\n" : "\n  },\n");
}

/* Covers every byte before the name of the member that holds it. */
static void put_seal(struct text *text)
{
    put(text, "  ");
    uint32_t crc32c = text->out_of_memory ? 0 : mf_crc32c(0, text->bytes, text->size);
    put_member(text, "", MF_MEMBER_SEAL);
    put_integer(text, crc32c);
    put(text, "\n}");
}

/* Without the seal the timestamp is the last member: its comma goes. */
static void put_end(struct text *text)
{
    if (!text->out_of_memory)
        text->size -= strlen(",\n");
    put(text, "\n}");
}

static enum mf_code check_file(const struct mf_manifest *manifest, size_t index,
                               struct mf_error *error)
{
    const struct mf_file *file = &manifest->files[index];
    const char *reason = mf_name_check(file->name);
    if (reason == NULL && (size_t)file->kind >= MF_KIND_COUNT)
        reason = "a file has no kind";
    if (reason == NULL && file->kind == MF_KIND_LSM && file->key[0] != '\0')
        reason = "the lsm file has a key";
    if (reason == NULL && !mf_utf8_valid(file->key))
        reason = "a key is not UTF-8";
    if (reason == NULL && manifest->sealed && !file->recorded)
        reason = "a file's size and CRC32C are not known";
    if (reason == NULL && index > 0 &&
        mf_file_order(file->kind, file->key, &manifest->files[index - 1]) <= 0)
        reason = "the files are not sorted";
    if (reason == NULL)
        return MF_OK;
    return mf_fail(error, MF_INVALID, 0, "%s: %s", file->name, reason);
}

/* Two keys may share a file, but not disagree about its content. */
static enum mf_code check_records(const struct mf_file *const *by_name, size_t count,
                                  struct mf_error *error)
{
    for (size_t i = 1; i < count; i++) {
        const struct mf_file *file = by_name[i], *before = by_name[i - 1];
        if (strcmp(file->name, before->name) == 0 &&
            (file->size != before->size || file->crc32c != before->crc32c))
            return mf_fail(error, MF_INVALID, 0, "%s: recorded twice, with different contents",
                           file->name);
    }
    return MF_OK;
}

static const struct mf_file **sort_by_name(const struct mf_manifest *manifest)
{
    const struct mf_file **by_name = malloc((manifest->file_count + 1) * sizeof(*by_name));
    if (by_name == NULL)
        return NULL;
    for (size_t i = 0; i < manifest->file_count; i++)
        by_name[i] = &manifest->files[i];
    qsort(by_name, manifest->file_count, sizeof(*by_name), compare_names);
    return by_name;
}

static void put_manifest(struct text *text, const struct mf_manifest *manifest,
                         const struct mf_file *const *by_name)
{
    put(text, "{\n");
    put_integer_member(text, MF_MEMBER_VERSION, manifest->version);
    put_lsm_file(text, manifest);
    for (int kind = MF_KIND_LSM + 1; kind < MF_KIND_COUNT; kind++)
        put_map(text, manifest, (enum mf_kind)kind);
    put_integer_member(text, MF_MEMBER_CHECKSUM, mf_manifest_checksum(manifest));
    put_integer_member(text, MF_MEMBER_TIMESTAMP, manifest->timestamp);
    if (manifest->sealed) {
        put_records(text, by_name, manifest->file_count);
        put_seal(text);
    } else {
        put_end(text);
    }
}

enum mf_code mf_manifest_print(const struct mf_manifest *manifest, char **text, size_t *size,
                               struct mf_error *error)
{
    struct text output = {0};
    enum mf_code code = MF_OK;
    const struct mf_file **by_name = sort_by_name(manifest);
    if (by_name == NULL) {
        code = mf_fail(error, MF_NO_MEMORY, 0, "no memory to write a manifest");
        goto done;
    }
    for (size_t i = 0; i < manifest->file_count && code == MF_OK; i++)
        code = check_file(manifest, i, error);
    if (code == MF_OK && manifest->sealed)
        code = check_records(by_name, manifest->file_count, error);
    if (code != MF_OK)
        goto done;
    put_manifest(&output, manifest, by_name);
    if (output.out_of_memory) {
        code = mf_fail(error, MF_NO_MEMORY, 0, "no memory to write a manifest");
        goto done;
    }
    *text = output.bytes;
    *size = output.size;
    output.bytes = NULL;
done:
    free(output.bytes);
    free(by_name);
    return code;
}

/*
 * Any bytes through the strict scanner and the manifest reader. What the reader
 * accepts must be JSON, must be written again, and must be read back the same; and
 * a second parser must agree with both (json_agreement.h).
 *
 * A fuzzer does not guess CRC32Cs, so each input is also read as the beginning
 * of a manifest, with the seal that fits put behind it.
 */
#include <manifest/document.h>

#include "crc32c.h"
#include "target.h"
#ifdef CRASHMATRIX_JSON_ORACLE
#include "json_agreement.h"
#endif

#include <inttypes.h>
#include <string.h>

static void scan(const char *text, size_t size)
{
    const struct mf_json_limits too_small = {.size = size - 1};
    struct mf_json json;
    struct mf_json_fault fault = {0};
    require(size < 2 || !mf_json_scan(text, size, &too_small, NULL, &fault));
    bool accepted = mf_json_scan(text, size, NULL, &json, &fault);
    require(mf_json_scan(text, size, NULL, NULL, &fault) == accepted);
    for (size_t i = 0; accepted && i < json.count; i++)
        require(json.values[i].name <= json.values[i].start &&
                json.values[i].start + json.values[i].length <= size && json.values[i].next > i &&
                json.values[i].next <= json.count);
    require(accepted || (fault.line > 0 && fault.column > 0));
    if (accepted)
        mf_json_clear(&json);
}

static void same_file(const struct mf_file *one, const struct mf_file *other)
{
    require(one->kind == other->kind && one->recorded == other->recorded);
    require(strcmp(one->key, other->key) == 0 && strcmp(one->name, other->name) == 0);
    require(one->size == other->size && one->crc32c == other->crc32c);
    require(mf_name_check(one->name) == NULL);
}

static void same_manifest(const struct mf_manifest *one, const struct mf_manifest *other)
{
    require(one->version == other->version && one->timestamp == other->timestamp);
    require(one->sealed == other->sealed && one->file_count == other->file_count);
    for (size_t i = 0; i < one->file_count; i++) {
        same_file(&one->files[i], &other->files[i]);
        require(mf_manifest_find(one, one->files[i].kind, one->files[i].key) == &one->files[i]);
    }
}

/* Whether it was accepted. */
static bool read_and_write(const char *text, size_t size, const struct mf_read_options *options)
{
    struct mf_manifest manifest, again;
    struct mf_error error;
    struct mf_json_fault fault;
    char *first, *second;
    size_t first_size, second_size;
    enum mf_code code = mf_manifest_parse(text, size, options, &manifest, &error);
    if (code != MF_OK) {
        require(code == MF_MALFORMED && manifest.files == NULL && manifest.file_count == 0);
        require(error.code == code && error.line > 0 && error.column > 0 &&
                error.column <= size + 1);
        return false;
    }
    require(mf_json_scan(text, size, NULL, NULL, &fault));
    require(mf_manifest_print(&manifest, &first, &first_size, NULL) == MF_OK);
    require(mf_manifest_parse(first, first_size, options, &again, NULL) == MF_OK);
    require(mf_manifest_print(&again, &second, &second_size, NULL) == MF_OK);
    require(first_size == second_size && memcmp(first, second, first_size) == 0);
    same_manifest(&manifest, &again);
    free(first);
    free(second);
    mf_manifest_clear(&manifest);
    mf_manifest_clear(&again);
    return true;
}

static void compare_with_oracle(const char *text, size_t size)
{
#ifdef CRASHMATRIX_JSON_ORACLE
    json_agrees(text, size);
#else
    (void)text;
    (void)size;
#endif
}

static void read_sealed(const char *text, size_t size)
{
    char seal[48];
    int length =
        snprintf(seal, sizeof(seal), "\"manifest_crc32c\": %" PRIu32 "}", mf_crc32c(0, text, size));
    char *sealed = malloc(size + (size_t)length);
    require(sealed != NULL);
    memcpy(sealed, text, size);
    memcpy(sealed + size, seal, (size_t)length);
    if (read_and_write(sealed, size + (size_t)length, NULL))
        compare_with_oracle(sealed, size + (size_t)length);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mf_read_options unsealed = {.accept_unsealed = true};
    /* A copy of exactly that size, so that a read beyond it is seen; and text of
     * no bytes is a pointer too. */
    char *text = malloc(size > 0 ? size : 1);
    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    scan(text, size);
    compare_with_oracle(text, size);
    read_and_write(text, size, NULL);
    read_and_write(text, size, &unsealed);
    read_sealed(text, size);
    free(text);
    return 0;
}

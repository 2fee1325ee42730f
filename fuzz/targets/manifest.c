/*
 * Manifests: what the reader accepts and refuses, what the writer writes, and both compared with
 * a second implementation (second.c); the limits, at their borders; a database that has the
 * text as its current manifest; the record of a slot that names it. The mutator
 * (manifest_mutator.c) makes most inputs valid: with FUZZ_MANIFEST_SHARE=1 in the environment it is
 * said at the end how many were.
 */
#include "allocations.h"
#include "second.h"
#include "shelf.h"
#include "target.h"
#include "truth.h"

#include <manifest/slot.h>
#include <string.h>

static unsigned long inputs, accepted;

static void tell_share(void)
{
    fprintf(stderr, "%lu of %lu inputs were manifests: %.1f %%\n", accepted, inputs,
            100.0 * (double)accepted / (double)(inputs > 0 ? inputs : 1));
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return getenv("FUZZ_MANIFEST_SHARE") != NULL ? atexit(tell_share) : 0;
}

static bool parses(const char *text, size_t size, const struct mf_read_options *options)
{
    struct mf_manifest manifest = {0};
    struct mf_error error = {0};
    enum mf_code code = mf_manifest_parse(text, size, options, &manifest, &error);
    require(code == MF_OK || code == MF_MALFORMED);
    if (code == MF_MALFORMED) {
        require(error.code == code && error.line > 0 && error.column > 0);
        require(error.message[0] != '\0' && strlen(error.message) < sizeof(error.message));
        require(manifest.file_count == 0 && manifest.files == NULL);
    }
    mf_manifest_clear(&manifest);
    return code == MF_OK;
}

/* Each is as large and as deep as it may be. */
static void check_limits(const char *text, size_t size, unsigned depth)
{
    struct mf_read_options options = {.accept_unsealed = true,
                                      .limits = {.size = size, .depth = depth}};
    require(parses(text, size, &options));
    options.limits.depth--;
    require(options.limits.depth == 0 || !parses(text, size, &options));
    options.limits = (struct mf_json_limits){.size = size - 1, .depth = depth};
    require(!parses(text, size, &options));
}

/* Sorted, found by kind and key, each with a name that is allowed. */
static void check_files(const struct mf_manifest *manifest)
{
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct mf_file *file = &manifest->files[i];
        require(mf_manifest_find(manifest, file->kind, file->key) == file);
        require(mf_name_check(file->name) == NULL);
        require(file->recorded == manifest->sealed);
        require(mf_kind_word(file->kind)[0] != '?');
        require(i == 0 || manifest->files[i - 1].kind <= file->kind);
    }
    require(mf_manifest_find(manifest, MF_KIND_COLUMN, "no such key") == NULL ||
            manifest->file_count > 0);
}

static void check_written(const struct second *second, const struct mf_manifest *manifest)
{
    static const struct mf_read_options options = {.accept_unsealed = true};
    struct mf_manifest again;
    char *text, *twice, *wanted;
    size_t size, size_twice, size_wanted;
    require(mf_manifest_print(manifest, &text, &size, NULL) == MF_OK);
    wanted = second_print(second, &size_wanted);
    require(size == size_wanted && memcmp(text, wanted, size) == 0);
    require(mf_manifest_parse(text, size, &options, &again, NULL) == MF_OK);
    require(again.version == manifest->version && again.sealed == manifest->sealed);
    require(mf_manifest_checksum(&again) == mf_manifest_checksum(manifest));
    require(mf_manifest_print(&again, &twice, &size_twice, NULL) == MF_OK);
    require(size == size_twice && memcmp(text, twice, size) == 0);
    mf_manifest_clear(&again);
    free(text);
    free(twice);
    free(wanted);
}

/* What the writer must refuse. */
static void check_refused(const struct mf_manifest *manifest)
{
    struct mf_file file;
    struct mf_manifest one = {.sealed = true, .files = &file, .file_count = 1};
    struct mf_error error;
    char *text;
    size_t size;
    if (manifest->file_count == 0)
        return;
    for (int way = 0; way < 5; way++) {
        file = manifest->files[0];
        file.recorded = way != 0;
        if (way == 1)
            file.name = "../outside";
        if (way == 2)
            file.key = "\xff";
        if (way == 3)
            file.kind = MF_KIND_COUNT;
        if (way == 4) {
            file.kind = MF_KIND_LSM;
            file.key = "a";
        }
        require(mf_manifest_print(&one, &text, &size, &error) == MF_INVALID);
    }
}

/* A database whose current manifest this is, with files that are there but of "abc". */
static void check_database(const char *text, size_t size, const struct mf_manifest *manifest)
{
    struct shelf *shelf = shelf_new();
    struct mf_options options = {.platform = &shelf->platform, .read.accept_unsealed = true};
    struct mf_database *database;
    struct truth truth;
    if (manifest->file_count < SHELF_NAMES / 2 && size < SHELF_FILE_MAX) {
        shelf_put(shelf, SHELF_DB, "MANIFEST-CURRENT", MF_TYPE_FILE, text, size);
        for (size_t i = 0; i < manifest->file_count; i++)
            shelf_put(shelf, SHELF_DB, manifest->files[i].name, MF_TYPE_FILE, "abc", 3);
        truth_of(&shelf->now.folders[SHELF_DB], true, false, &truth);
        enum mf_code code = mf_database_open("db", &options, &database, NULL);
        require(code == truth.verdict);
        if (code == MF_OK)
            mf_database_close(database);
    }
    shelf_free(shelf);
}

static void check_slot(const char *text, size_t size, uint64_t version)
{
    unsigned char bytes[MF_SLOT_SIZE];
    struct mf_slot slot = {.sequence = version | 1,
                           .version = version | 2,
                           .size = size,
                           .crc32c = truth_crc32c(text, size)},
                   read;
    mf_slot_encode(&slot, bytes);
    require(mf_slot_decode(bytes, sizeof(bytes), &read));
    require(read.sequence == slot.sequence && read.version == slot.version &&
            read.size == slot.size && read.crc32c == slot.crc32c);
    require(!mf_slot_decode(bytes, sizeof(bytes) - 1, &read));
    bytes[slot.crc32c % MF_SLOT_SIZE] ^= (unsigned char)(1u << slot.crc32c % 8);
    require(!mf_slot_decode(bytes, sizeof(bytes), &read));
}

/* Reading, writing: with each of the first allocations failing nothing is lost or left. */
static void check_memory(const char *text, size_t size, const struct mf_read_options *options)
{
    for (unsigned at = 1; at < 40; at++) {
        struct mf_manifest manifest = {0};
        char *output = NULL;
        size_t output_size;
        allocations_arm(at);
        allocations_start();
        enum mf_code code = mf_manifest_parse(text, size, options, &manifest, NULL);
        if (code == MF_OK)
            code = mf_manifest_print(&manifest, &output, &output_size, NULL);
        allocations_stop();
        require(code == (allocations_failed() > 0 ? MF_NO_MEMORY : MF_OK));
        mf_manifest_clear(&manifest);
        free(output);
        if (allocations_failed() == 0)
            return;
    }
}

static void check_manifest(const struct second *second, const char *text, size_t size)
{
    static const struct mf_read_options options = {.accept_unsealed = true};
    struct mf_manifest manifest;
    require(mf_manifest_parse(text, size, &options, &manifest, NULL) == MF_OK);
    require(mf_manifest_checksum(&manifest) == second_checksum(second));
    check_memory(text, size, &options);
    check_limits(text, size, second_depth(second));
    check_files(&manifest);
    check_written(second, &manifest);
    check_refused(&manifest);
    check_database(text, size, &manifest);
    check_slot(text, size, manifest.version);
    mf_manifest_clear(&manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mf_read_options unsealed = {.accept_unsealed = true};
    struct second second;
    struct mf_slot slot;
    /* A copy of exactly that size, so that a read beyond it is seen. */
    char *text = malloc(size > 0 ? size : 1);
    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    mf_slot_decode((const unsigned char *)text, size, &slot);
    inputs++;
    if (second_open(&second, text, size)) {
        bool sealed_is_fine = second_refuses(&second, false) == NULL;
        bool fine = second_refuses(&second, true) == NULL;
        require(parses(text, size, NULL) == sealed_is_fine);
        require(parses(text, size, &unsealed) == fine);
        if (fine)
            check_manifest(&second, text, size);
        accepted += fine;
        second_close(&second);
    } else {
        require(!parses(text, size, &unsealed));
    }
    free(text);
    return 0;
}

/*
 * The cases as a table, and the content of their files: see manifest_case.h.
 */
#include "manifest_case.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static_assert(CM_MANIFEST_SIZE_MAX % 8 == 0, "contents are made eight bytes at a time");

/*
 * All files of a version are written before the first is synced, so the states
 * that a cut can leave then are the product over the files: without name, empty,
 * or any subset of its granules. The sizes keep that exhaustible where granules
 * of 512 bytes tear (4 * 4 * 4 * 6 * 10 states for these five), while two files
 * still can be torn.
 */
static const struct cm_manifest_file five[] = {
    {MF_KIND_LSM, "", 800, false},
    {MF_KIND_VECTOR, "embedding", 1300, false},
    {MF_KIND_SPATIAL, "position", 40, false},
    {MF_KIND_TEXT, "title", 300, false},
    {MF_KIND_COLUMN, "price", 150, false},
};

/* Few states for each commit, where a workload makes several. The shared file must
 * outlive the version that wrote it. */
static const struct cm_manifest_file two[] = {
    {MF_KIND_LSM, "", 300, false},
    {MF_KIND_TEXT, "title", 100, true},
};

/* Enough to be synced together; most of them have two states only. */
static const struct cm_manifest_file many[] = {
    {MF_KIND_LSM, "", 300, false},    {MF_KIND_VECTOR, "a", 0, false},
    {MF_KIND_SPATIAL, "a", 0, false}, {MF_KIND_TEXT, "a", 0, false},
    {MF_KIND_TEXT, "b", 0, false},    {MF_KIND_TIMESTAMP, "a", 0, false},
    {MF_KIND_COLUMN, "a", 0, false},  {MF_KIND_COLUMN, "b", 0, false},
};

const struct cm_manifest_case cm_manifest_cases[CM_CASE_COUNT] = {
#define X(id, name, files, acknowledged, demand, what)                                             \
    {name, files, sizeof(files) / sizeof((files)[0]), acknowledged, CM_DEMAND_##demand, what},
    CM_MANIFEST_CASES(X)
#undef X
};

const struct cm_manifest_case *cm_manifest_case_find(const char *name)
{
    for (size_t i = 0; i < CM_CASE_COUNT; i++) {
        if (strcmp(cm_manifest_cases[i].name, name) == 0)
            return &cm_manifest_cases[i];
    }
    return NULL;
}

size_t cm_manifest_content(const struct cm_manifest_case *wanted, uint64_t version, unsigned index,
                           unsigned char data[CM_MANIFEST_SIZE_MAX])
{
    size_t size = wanted->files[index].size;
    if (wanted->files[index].shared)
        version = 0;
    if (size > 0)
        size += version % 8 * 11;
    /* xorshift64: no granule is like another one, or all zeros. */
    uint64_t x = version * 1000003 + (uint64_t)index * 7919 + 1;
    for (size_t i = 0; i < size; i += sizeof(x)) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint64_t bytes = htole64(x);
        memcpy(data + i, &bytes, sizeof(bytes)); /* there is room for all eight */
    }
    return size;
}

enum mf_code cm_manifest_add(const struct mf_database *database, struct mf_transaction *transaction,
                             const struct cm_manifest_case *wanted, struct mf_error *error)
{
    unsigned char data[CM_MANIFEST_SIZE_MAX];
    uint64_t version = mf_transaction_version(transaction);
    enum mf_code code = MF_OK;
    for (unsigned i = 0; i < wanted->file_count && code == MF_OK; i++) {
        const struct cm_manifest_file *file = &wanted->files[i];
        if (file->shared &&
            mf_manifest_find(mf_database_current(database), file->kind, file->key) != NULL)
            continue; /* the new version begins as a copy of the current one */
        size_t size = cm_manifest_content(wanted, version, i, data);
        code = mf_transaction_add(transaction, file->kind, file->key, data, size, error);
    }
    return code;
}

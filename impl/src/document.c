/* A manifest in memory: one sorted array of files. */
#include "document.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    const char *member;
} kinds[] = {
#define X(name, word, member) {word, member},
    MF_KINDS(X)
#undef X
};

const char *mf_kind_word(enum mf_kind kind)
{
    return (size_t)kind < MF_KIND_COUNT ? kinds[kind].word : "?";
}

const char *mf_kind_member(enum mf_kind kind)
{
    return (size_t)kind < MF_KIND_COUNT ? kinds[kind].member : "?";
}

int mf_file_order(enum mf_kind kind, const char *key, const struct mf_file *file)
{
    if (kind != file->kind)
        return kind < file->kind ? -1 : 1;
    return strcmp(key, file->key);
}

size_t mf_manifest_place(const struct mf_manifest *manifest, enum mf_kind kind, const char *key)
{
    size_t low = 0, high = manifest->file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mf_file_order(kind, key, &manifest->files[middle]) <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct mf_file *mf_manifest_find(const struct mf_manifest *manifest, enum mf_kind kind,
                                       const char *key)
{
    size_t place = mf_manifest_place(manifest, kind, key);
    if (place == manifest->file_count || mf_file_order(kind, key, &manifest->files[place]) != 0)
        return NULL;
    return &manifest->files[place];
}

/* As the format that this one extends defines it: wrapping arithmetic, and a
 * sum over the names, so that their order does not matter. */
uint64_t mf_manifest_checksum(const struct mf_manifest *manifest)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < manifest->file_count; i++) {
        uint64_t hash = 0;
        for (const char *byte = manifest->files[i].name; *byte != '\0'; byte++)
            hash = hash * 31 + (unsigned char)*byte;
        sum += hash;
    }
    return sum;
}

bool mf_file_name(struct mf_file *file, const char *key, const char *name)
{
    size_t key_size = strlen(key) + 1, name_size = strlen(name) + 1;
    char *both = malloc(key_size + name_size);
    if (both == NULL)
        return false;
    memcpy(both, key, key_size);
    memcpy(both + key_size, name, name_size);
    file->key = both;
    file->name = both + key_size;
    return true;
}

void mf_file_clear(struct mf_file *file)
{
    free((void *)file->key); /* and the name behind it */
    *file = (struct mf_file){0};
}

bool mf_manifest_copy(const struct mf_manifest *manifest, struct mf_manifest *copy)
{
    *copy = *manifest;
    copy->file_count = 0;
    copy->files = calloc(manifest->file_count + 1, sizeof(*copy->files));
    bool copied = copy->files != NULL;
    for (size_t i = 0; i < manifest->file_count && copied; i++) {
        const struct mf_file *file = &manifest->files[i];
        struct mf_file *made = &copy->files[copy->file_count++];
        *made = *file;
        made->key = made->name = NULL;
        copied = mf_file_name(made, file->key, file->name);
    }
    if (!copied)
        mf_manifest_clear(copy);
    return copied;
}

void mf_manifest_clear(struct mf_manifest *manifest)
{
    for (size_t i = 0; i < manifest->file_count; i++)
        mf_file_clear(&manifest->files[i]);
    free(manifest->files);
    *manifest = (struct mf_manifest){0};
}

#include "filesystem.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

/* ---- Tables ---- */

/* Not an option: the driver tells all its options, and among them no data=. */
#define NO_JOURNAL "no journal"

/*
 * A row is of file systems whose type matches, with just those of the options that some
 * row of this type names: all others change nothing that the models speak of. The first
 * row that matches counts.
 */
static const struct {
    const char *type; /* a pattern */
    const char *options[3];
    const char *model; /* NULL: none */
    const char *note;
} kinds[] = {
    {"ext4", {NULL}, "ext4", NULL},
    {"ext4", {"noauto_da_alloc"}, "ext4-noauto_da_alloc", NULL},
    {"ext4", {"nodelalloc"}, "ext4-nodelalloc", NULL},
    {"ext4", {"nodelalloc", "noauto_da_alloc"}, "ext4-nodelalloc", NULL},
    {"ext4", {"data=writeback"}, "ext4-writeback", NULL},
    /* The driver turns delayed allocation off. */
    {"ext4", {"data=journal"}, "ext4-journal", NULL},
    {"ext4", {"data=journal", "nodelalloc"}, "ext4-journal", NULL},
    {"ext4", {"data=journal", "nodelalloc", "noauto_da_alloc"}, "ext4-journal", NULL},
    {"ext4", {NO_JOURNAL}, "ext2", "it has no journal, which orders nothing, as ext2"},
    {"ext4",
     {NO_JOURNAL, "nodelalloc"},
     "ext2",
     "it has no journal, which orders nothing, as ext2"},
    {"ext3", {NULL}, "ext3-ordered", NULL},
    {"ext3", {"data=writeback"}, "ext3-writeback", NULL},
    {"ext3", {"data=journal"}, "ext3-journal", NULL},
    {"ext2", {NULL}, "ext2", NULL},
    {"xfs", {NULL}, "xfs", NULL},
    {"btrfs", {NULL}, "btrfs", NULL},
    {"btrfs",
     {"nodatacow"},
     NULL,
     "with nodatacow btrfs overwrites in place; its model says that it does not"},
    {"f2fs", {NULL}, "f2fs", NULL},
    {"f2fs", {"fsync_mode=strict"}, "f2fs-strict", NULL},
    {"vfat", {NULL}, "vfat", NULL},
    {"msdos", {NULL}, "vfat", NULL},
    {"ubifs", {NULL}, "ubifs", NULL},
    {"fuse.lazyfs", {NULL}, "lazyfs", NULL},
    {"fuse*", {NULL}, NULL, "what survives is decided by the program behind FUSE"},
    {"nfs*", {NULL}, NULL, "what survives is decided by the server and its file system"},
    {"cifs", {NULL}, NULL, "what survives is decided by the server and its file system"},
    {"smb*", {NULL}, NULL, "what survives is decided by the server and its file system"},
    {"9p", {NULL}, NULL, "what survives is decided by the server and its file system"},
    {"virtiofs", {NULL}, NULL, "what survives is decided by the host and its file system"},
    {"ceph", {NULL}, NULL, "what survives is decided by the servers"},
    {"overlay", {NULL}, NULL, "what survives is decided by the file system of its upper directory"},
    {"*", {NULL}, NULL, NULL},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

#define NO_FLUSH "the disk is not told to empty its cache, so that no sync makes anything durable"
#define NO_DISK  "it is held in memory: nothing survives a power cut"

/* Options, and kinds of file systems, for which no promise holds; patterns. */
static const struct {
    const char *type;
    const char *option; /* "": whatever the options */
    const char *text;
} breaks[] = {
    {"*", "nobarrier", NO_FLUSH},
    {"*", "barrier=0", NO_FLUSH},
    {"*", "barrier=none", NO_FLUSH},
    {"f2fs", "fsync_mode=nobarrier", NO_FLUSH},
    {"f2fs", "checkpoint=disable*", "nothing is committed until checkpoints are enabled again"},
    {"overlay", "volatile", "overlayfs leaves out every sync"},
    {"overlay", "fsync=volatile", "overlayfs leaves out every sync"},
    {"tmpfs", "", NO_DISK},
    {"ramfs", "", NO_DISK},
    {"devtmpfs", "", NO_DISK},
    {"hugetlbfs", "", NO_DISK},
};

enum { BREAK_COUNT = sizeof(breaks) / sizeof(breaks[0]) };

enum { OPTIONS_OF_KIND = sizeof(kinds[0].options) / sizeof(kinds[0].options[0]) };

const char *cm_fs_model(size_t index)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].model != NULL && index-- == 0)
            return kinds[i].model;
    return NULL;
}

/* ---- Matching ---- */

static bool matches(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0;
}

static bool kind_names(size_t kind, const char *option)
{
    for (size_t i = 0; i < OPTIONS_OF_KIND && kinds[kind].options[i] != NULL; i++)
        if (strcmp(kinds[kind].options[i], option) == 0)
            return true;
    return false;
}

static bool has_option(const struct cm_mount *mount, const char *option)
{
    if (strcmp(option, NO_JOURNAL) == 0)
        return mount->known && cm_mount_value(mount, "data") == NULL;
    for (size_t i = 0; i < mount->option_count; i++)
        if (strcmp(mount->options[i], option) == 0)
            return true;
    return false;
}

/* Whether the mount has all options of the row, and of the other rows no more. */
static bool kind_fits(size_t kind, const struct cm_mount *mount)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].type, kinds[kind].type) != 0)
            continue;
        for (size_t j = 0; j < OPTIONS_OF_KIND && kinds[i].options[j] != NULL; j++) {
            const char *option = kinds[i].options[j];
            if (has_option(mount, option) != kind_names(kind, option))
                return false;
        }
    }
    return true;
}

/* What must be said if the driver does not tell its options. */
static const char *note_of(size_t kind, const struct cm_mount *mount)
{
    if (kinds[kind].note != NULL || mount->known || strcmp(kinds[kind].type, "ext4") != 0)
        return kinds[kind].note;
    return "/proc/fs/ext4 does not tell its options: it may have no journal, or other defaults";
}

static void choose_model(const struct cm_mount *mount, struct cm_fs_advice *advice)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!matches(kinds[i].type, mount->type))
            continue;
        bool last = i + 1 == KIND_COUNT;
        if (!last && !kind_fits(i, mount)) {
            advice->note = "no shipped model has these options together";
            continue;
        }
        /* The last row must not speak for a kind that has rows of its own. */
        if (last && advice->note != NULL)
            return;
        advice->model = kinds[i].model;
        advice->note =
            last ? "no shipped model describes this kind of file system" : note_of(i, mount);
        return;
    }
}

static void add_warning(struct cm_fs_advice *advice, const char *type, const char *option,
                        const char *text)
{
    if (advice->warning_count < CM_WARNINGS)
        advice->warnings[advice->warning_count++] = (struct cm_fs_warning){type, option, text};
}

static void find_breaks(const struct cm_mount *mount, struct cm_fs_advice *advice)
{
    for (size_t i = 0; i < BREAK_COUNT; i++) {
        if (!matches(breaks[i].type, mount->type))
            continue;
        if (*breaks[i].option == '\0')
            add_warning(advice, mount->type, "", breaks[i].text);
        for (size_t j = 0; j < mount->option_count && *breaks[i].option != '\0'; j++)
            if (matches(breaks[i].option, mount->options[j]))
                add_warning(advice, mount->type, mount->options[j], breaks[i].text);
    }
}

/* ---- Layers ---- */

/* The upper directory of an overlay, if it can be seen from here; else NULL. */
static const char *upper_directory(const char *root, const struct cm_mount *mount)
{
    const char *upper =
        strcmp(mount->type, "overlay") == 0 ? cm_mount_value(mount, "upperdir") : NULL;
    if (upper == NULL || *upper != '/')
        return NULL;
    char *path = cm_format("%s%s", root, upper);
    bool seen = access(path, F_OK) == 0;
    free(path);
    return seen ? upper : NULL;
}

int cm_fs_advise(const char *root, const char *directory, unsigned long id,
                 struct cm_fs_advice *advice, struct ff_error *error)
{
    *advice = (struct cm_fs_advice){0};
    while (directory != NULL && advice->layer_count < CM_LAYERS) {
        struct cm_mount *mount = &advice->layers[advice->layer_count];
        if (cm_mount_find(root, directory, id, mount, error) != 0)
            return -1;
        advice->layer_count++;
        find_breaks(mount, advice);
        directory = upper_directory(root, mount);
        id = 0;
    }
    choose_model(&advice->layers[advice->layer_count - 1], advice);
    return 0;
}

void cm_fs_advice_free(struct cm_fs_advice *advice)
{
    for (size_t i = 0; i < advice->layer_count; i++)
        cm_mount_free(&advice->layers[i]);
    *advice = (struct cm_fs_advice){0};
}

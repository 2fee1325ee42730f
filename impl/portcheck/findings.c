#include "findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* ---- Rules ---- */

#define NO_FLUSH                                                                                   \
    "the device is not told to empty its cache, so that no sync makes anything durable: "          \
    "remove the option; a reset passes all the same, only a cut of the power shows it"
#define NO_SYNC "overlayfs leaves out every sync: remove the option"
#define MEMORY  "it is in memory: nothing survives a power cut"
#define VFAT                                                                                       \
    "a rename here leaves an empty file after a cut, without dirsync or sync mounts: use the "     \
    "commit point slots"
#define THROUGH                                                                                    \
    "the kernel takes it to have no volatile cache and never flushes it: true of disks whose "     \
    "cache survives a power cut, not of every card and stick, which answer a flush with what "     \
    "they like; only cuts of the power can tell"
#define SERVER "what survives is decided by the other end; validate there"

/*
 * Each row: of layers of this kind, those whose fields match. An option of a mount is looked
 * for in both lists, what mountinfo shows and what the driver tells. A key that is NULL
 * matches. Sources: the kernel's Documentation/filesystems, Documentation/ABI (sysfs-block,
 * sysfs-class-mtd, sysfs-class-ubi), drivers/mmc/core/mmc.c for the attributes of eMMC
 * (JESD84-B51, EXT_CSD[267] to [269]), and cuts on emulated boards.
 */
static const struct rule {
    const char *layer;
    const char *type;    /* a pattern, of the field "type"; "*": any, or none */
    const char *key;     /* "options", or a field; NULL: the type is enough */
    const char *pattern; /* of one option, or of the value */
    enum pc_severity severity;
    const char *code;
    const char *text;
} rules[] = {
#define B PC_SEVERITY_BREAKS
#define W PC_SEVERITY_WARNING
#define N PC_SEVERITY_NOTE
    {PC_LAYER_MOUNT, "*", "options", "nobarrier", B, "no-barrier", NO_FLUSH},
    {PC_LAYER_MOUNT, "*", "options", "barrier=0", B, "no-barrier", NO_FLUSH},
    {PC_LAYER_MOUNT, "*", "options", "barrier=none", B, "no-barrier", NO_FLUSH},
    {PC_LAYER_MOUNT, "f2fs", "options", "fsync_mode=nobarrier", B, "no-barrier", NO_FLUSH},
    {PC_LAYER_MOUNT, "f2fs", "options", "checkpoint=disable*", B, "no-checkpoint",
     "nothing is committed until checkpoints are enabled again"},
    {PC_LAYER_MOUNT, "overlay", "options", "volatile", B, "volatile-overlay", NO_SYNC},
    {PC_LAYER_MOUNT, "overlay", "options", "fsync=volatile", B, "volatile-overlay", NO_SYNC},
    {PC_LAYER_MOUNT, "tmpfs", NULL, NULL, B, "in-memory", MEMORY},
    {PC_LAYER_MOUNT, "ramfs", NULL, NULL, B, "in-memory", MEMORY},
    {PC_LAYER_MOUNT, "rootfs", NULL, NULL, B, "in-memory", MEMORY},
    {PC_LAYER_MOUNT, "devtmpfs", NULL, NULL, B, "in-memory", MEMORY},
    {PC_LAYER_DISK, "*", "name", "ram*", B, "in-memory", MEMORY},
    {PC_LAYER_DISK, "*", "name", "zram*", B, "in-memory", MEMORY},
    {PC_LAYER_MOUNT, "*", "options", "ro", W, "read-only",
     "it is read-only: nothing can be committed"},
    {PC_LAYER_DISK, "*", "read_only", "1", W, "read-only",
     "the device is read-only: nothing can be committed"},
    {PC_LAYER_MOUNT, "overlay", "upper", "unseen", W, "upper-unseen",
     "its upper directory cannot be seen from here (made before the root was switched?): what "
     "survives is decided by the file system there"},
    {PC_LAYER_MOUNT, "overlay", "upper", "none", W, "read-only",
     "it has no upper directory: nothing can be committed"},
    {PC_LAYER_MOUNT, "ext2", NULL, NULL, W, "no-journal",
     "it has no journal: a rename is several writes in any order, and fsck is needed after a cut"},
    {PC_LAYER_MOUNT, "*", "options", "noload", W, "no-recovery", "the journal is not replayed"},
    {PC_LAYER_MOUNT, "*", "options", "norecovery", W, "no-recovery", "the log is not replayed"},
    {PC_LAYER_MOUNT, "*", "options", "nologreplay", W, "no-recovery", "the log is not replayed"},
    {PC_LAYER_MOUNT, "*", "options", "rescue=*", W, "no-recovery",
     "mounted to rescue what is there"},
    {PC_LAYER_MOUNT, "ext4", "options", "journal_async_commit", W, "async-commit",
     "the commit block is written without waiting for what it commits: a checksum alone "
     "protects it"},
    {PC_LAYER_MOUNT, "ext*", "options", "data=writeback", N, "writeback",
     "after a cut a file that was not synced may show blocks of removed files: the commit syncs "
     "every file before anything names it"},
    {PC_LAYER_MOUNT, "ext4", "options", "noauto_da_alloc", N, "no-da-alloc",
     "a rename does not write the data of the new file on its own; the commit does not need it"},
    {PC_LAYER_MOUNT, "btrfs", "options", "nodatacow", W, "no-cow",
     "files are overwritten in place and carry no checksums"},
    {PC_LAYER_MOUNT, "btrfs", "options", "nodatasum", N, "no-checksums",
     "files carry no checksums: rot is found by those of the manifest only"},
    {PC_LAYER_MOUNT, "vfat", "options", "flush", N, "flush",
     "the option flush does not make a rename safe"},
    {PC_LAYER_MOUNT, "exfat", NULL, NULL, W, "unmeasured",
     "nobody has measured what survives on exfat; treat it as unsupported until you have"},
    {PC_LAYER_MOUNT, "ntfs*", NULL, NULL, W, "unmeasured",
     "nobody has measured what survives on it; treat it as unsupported until you have"},
    {PC_LAYER_MOUNT, "jffs2", NULL, NULL, N, "unmeasured",
     "no model describes jffs2 and no emulated board was cut with it: cut more often"},
    {PC_LAYER_MOUNT, "nfs*", NULL, NULL, W, "remote", SERVER},
    {PC_LAYER_MOUNT, "cifs", NULL, NULL, W, "remote", SERVER},
    {PC_LAYER_MOUNT, "smb*", NULL, NULL, W, "remote", SERVER},
    {PC_LAYER_MOUNT, "9p", NULL, NULL, W, "remote", SERVER},
    {PC_LAYER_MOUNT, "virtiofs", NULL, NULL, W, "remote", SERVER},
    {PC_LAYER_MOUNT, "fuse*", NULL, NULL, W, "remote",
     "what survives is decided by the program behind FUSE"},
    {PC_LAYER_DISK, "*", "write_cache", "write through", W, "write-through", THROUGH},
    {PC_LAYER_DISK, "*", "bus", "usb", W, "usb",
     "bridges of USB do not always pass on a flush, and a stick can be pulled"},
    {PC_LAYER_DISK, "*", "removable", "1", W, "removable",
     "it can be taken out: another one may be there in the next cycle"},
    {PC_LAYER_DISK, "SD", NULL, NULL, N, "sd-card",
     "SD cards of one name differ, and lose what they only had to move: validate the very "
     "model, record cid and date, and watch the canaries"},
    {PC_LAYER_DISK, "*", "bus", "virtio", N, "virtual",
     "a virtual disk: its host decides what a flush does"},
    {PC_LAYER_DISK, "*", "name", "nbd*", W, "remote", SERVER},
    {PC_LAYER_DISK, "*", "pre_eol_info", "0x02", W, "worn",
     "it has used 80 % of its reserved blocks"},
    {PC_LAYER_DISK, "*", "pre_eol_info", "0x03", W, "worn",
     "it has used 90 % of its reserved blocks: replace it"},
    {PC_LAYER_DISK, "*", "life_time", "*0x0b*", W, "worn",
     "it says that it has exceeded its life time"},
    {PC_LAYER_DISK, "*", "life_time", "*0x0a*", W, "worn",
     "it says that 90 to 100 % of its life time are used"},
    {PC_LAYER_DM, "*", "suspended", "1", W, "suspended", "it is suspended: writes will wait"},
    {PC_LAYER_LOOP, "*", "backing_file", "*(deleted)", W, "deleted",
     "its file has been removed: all of it will be gone"},
    {PC_LAYER_UBI_VOLUME, "*", "corrupted", "1", W, "corrupted",
     "UBI says that the volume is corrupted"},
    {PC_LAYER_UBI_VOLUME, "*", "update_marker", "1", W, "corrupted",
     "an update of the volume was cut short"},
    {PC_LAYER_UBI, "*", "reserved_for_bad", "0", W, "worn",
     "no block is left to replace one that goes bad (or it is NOR flash)"},
    {PC_LAYER_MTD, "mlc-nand", NULL, NULL, W, "paired-pages",
     "a cut while a page of MLC flash is written destroys an older one that shares its cells"},
#undef B
#undef W
#undef N
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

const char *pc_severity_word(enum pc_severity severity)
{
    static const char *const words[] = {
#define X(name, word) word,
        PC_SEVERITIES(X)
#undef X
    };
    return words[severity];
}

/* ---- Matching ---- */

static void add(struct pc_advice *advice, const struct pc_layer *layer,
                const struct pc_finding *finding, const char *key, const char *value)
{
    if (advice->count == PC_FINDINGS)
        return;
    struct pc_finding *added = &advice->findings[advice->count++];
    *added = *finding;
    added->subject = pc_layer_name(layer);
    added->matched = strcmp(key, "options") == 0 ? pc_copy(value) : pc_format("%s=%s", key, value);
}

static bool has_option(const struct pc_layer *layer, const char *pattern, char *found, size_t size)
{
    static const char *const keys[] = {"options", "driver_options"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *list = pc_layer_value(layer, keys[i]);
        if (list != NULL && pc_list_has(list, pattern, found, size))
            return true;
    }
    return false;
}

/* What the layer has that the rule is about: an option, or the value of the field. */
static bool fits(const struct rule *rule, const struct pc_layer *layer, char *found, size_t size)
{
    const char *type = pc_layer_value(layer, "type");
    if (strcmp(layer->kind, rule->layer) != 0 || !pc_matches(rule->type, type != NULL ? type : ""))
        return false;
    if (rule->key != NULL && strcmp(rule->key, "options") == 0)
        return has_option(layer, rule->pattern, found, size);
    const char *value = pc_layer_value(layer, rule->key != NULL ? rule->key : "type");
    if (value == NULL || (rule->key != NULL && !pc_matches(rule->pattern, value)))
        return false;
    snprintf(found, size, "%s", value);
    return true;
}

static void apply_rules(const struct pc_layer *layer, struct pc_advice *advice)
{
    for (size_t i = 0; i < RULES; i++) {
        const struct rule *rule = &rules[i];
        struct pc_finding finding = {
            .severity = rule->severity, .code = rule->code, .text = rule->text};
        char found[256];
        if (fits(rule, layer, found, sizeof(found)))
            add(advice, layer, &finding, rule->key != NULL ? rule->key : "type", found);
    }
}

/* ---- What no table can say ---- */

/* vfat with every directory operation written at once lost nothing. */
static void check_vfat(const struct pc_layer *layer, struct pc_advice *advice)
{
    static const struct pc_finding finding = {
        .severity = PC_SEVERITY_WARNING, .code = "rename-loses", .text = VFAT};
    const char *type = pc_layer_value(layer, "type");
    char found[32];
    if ((strcmp(type, "vfat") == 0 || strcmp(type, "msdos") == 0) &&
        !has_option(layer, "sync", found, sizeof(found)) &&
        !has_option(layer, "dirsync", found, sizeof(found)))
        add(advice, layer, &finding, "type", type);
}

/* The driver tells all its options, and with a journal one of them is data=. */
static bool has_no_journal(const struct pc_layer *layer)
{
    const char *type = pc_layer_value(layer, "type");
    const char *options = pc_layer_value(layer, "driver_options");
    return strcmp(type, "ext4") == 0 && options != NULL && !pc_list_has(options, "data=*", NULL, 0);
}

static void check_ext4(const struct pc_layer *layer, struct pc_advice *advice)
{
    static const struct pc_finding none = {
        .severity = PC_SEVERITY_WARNING,
        .code = "no-journal",
        .text = "it has no journal: a rename is several writes in any order, and fsck is needed "
                "after a cut"};
    static const struct pc_finding unknown = {
        .severity = PC_SEVERITY_NOTE,
        .code = "options-unknown",
        .text = "/proc/fs/ext4 does not tell its options: it may have no journal, or no barriers"};
    const char *type = pc_layer_value(layer, "type");
    if (has_no_journal(layer))
        add(advice, layer, &none, "type", type);
    else if (strcmp(type, "ext4") == 0 && pc_layer_value(layer, "driver_options") == NULL)
        add(advice, layer, &unknown, "type", type);
}

/* The next layer above that says something of a cache. A mount ends the search: a loop
 * device syncs its file instead. */
static const struct pc_layer *cached_above(const struct pc_layer *layer)
{
    do
        layer = layer->above;
    while (layer != NULL && strcmp(layer->kind, PC_LAYER_MOUNT) != 0 &&
           pc_layer_value(layer, "write_cache") == NULL);
    return layer != NULL && strcmp(layer->kind, PC_LAYER_MOUNT) != 0 ? layer : NULL;
}

/* A flush ends where somebody in the middle says that there is no cache below. */
static void check_flushes(const struct pc_layers *layers, struct pc_advice *advice)
{
    static const struct pc_finding finding = {
        .severity = PC_SEVERITY_BREAKS,
        .code = "flush-stops",
        .text = "it says that there is no volatile cache, and the device below has one: flushes "
                "do not get through"};
    for (size_t i = 0; i < layers->count; i++) {
        const char *cache = pc_layer_value(&layers->layers[i], "write_cache");
        const struct pc_layer *above = cached_above(&layers->layers[i]);
        if (above != NULL && cache != NULL && strcmp(cache, "write back") == 0 &&
            strcmp(pc_layer_value(above, "write_cache"), "write through") == 0)
            add(advice, above, &finding, "write_cache", "write through");
    }
}

/* The severest first; else the order stays. */
static void sort(struct pc_advice *advice)
{
    for (size_t i = 1; i < advice->count; i++) {
        struct pc_finding finding = advice->findings[i];
        size_t to = i;
        for (; to > 0 && advice->findings[to - 1].severity > finding.severity; to--)
            advice->findings[to] = advice->findings[to - 1];
        advice->findings[to] = finding;
    }
}

/* ---- The commit point ---- */

/* The file system that commits are made on: below overlays the first that is none. */
static const struct pc_layer *deciding(const struct pc_layers *layers)
{
    size_t i = 0;
    while (i + 1 < layers->count && strcmp(layers->layers[i + 1].kind, PC_LAYER_MOUNT) == 0 &&
           strcmp(pc_layer_value(&layers->layers[i], "type"), "overlay") == 0)
        i++;
    return &layers->layers[i];
}

static bool is_read_only(const struct pc_advice *advice)
{
    for (size_t i = 0; i < advice->count; i++)
        if (strcmp(advice->findings[i].code, "read-only") == 0)
            return true;
    return false;
}

static void choose_point(const struct pc_layers *layers, struct pc_advice *advice)
{
    const struct pc_layer *layer = deciding(layers);
    const struct pc_kind *kind = pc_kind_of(pc_layer_value(layer, "type"));
    if (has_no_journal(layer))
        kind = pc_kind_of("ext2");
    advice->point = kind->point;
    advice->support = kind->support;
    advice->reason = kind->reason;
    if (is_read_only(advice)) {
        advice->point = "none";
        advice->support = PC_SUPPORT_NONE;
        advice->reason = "it is read-only";
    }
}

void pc_advise(const struct pc_layers *layers, struct pc_advice *advice)
{
    *advice = (struct pc_advice){0};
    for (size_t i = 0; i < layers->count; i++) {
        const struct pc_layer *layer = &layers->layers[i];
        apply_rules(layer, advice);
        if (strcmp(layer->kind, PC_LAYER_MOUNT) == 0) {
            check_vfat(layer, advice);
            check_ext4(layer, advice);
        }
    }
    check_flushes(layers, advice);
    sort(advice);
    choose_point(layers, advice);
}

void pc_advice_free(struct pc_advice *advice)
{
    for (size_t i = 0; i < advice->count; i++)
        free(advice->findings[i].matched);
    advice->count = 0;
}

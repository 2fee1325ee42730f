#include "layers.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mount.h"
#include "text.h"

/* More slaves than a device mapper's table has on any board. */
enum { MTD_MAJOR = 31, DM_MAX = 64, UBI_VOLUMES_MAX = 128 };

static void add_block(struct pc_layers *layers, const char *number);

/* ---- Fields ---- */

static struct pc_layer *add_layer(struct pc_layers *layers, const char *kind)
{
    if (layers->count == PC_LAYERS) {
        layers->cut = true;
        return NULL;
    }
    struct pc_layer *layer = &layers->layers[layers->count++];
    *layer = (struct pc_layer){.kind = kind, .above = layers->above};
    return layer;
}

/* Takes the value over; NULL and "" are not kept. */
static void add_field(struct pc_layer *layer, const char *key, char *value)
{
    if (value == NULL || *value == '\0' || layer->field_count == PC_FIELDS)
        free(value);
    else
        layer->fields[layer->field_count++] = (struct pc_field){key, value};
}

static bool exists(const char *folder, const char *name)
{
    char *path = pc_format("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* A file of a folder of /sys, and what it is called here. */
struct attribute {
    const char *file;
    const char *key;
};

static void add_attributes(struct pc_layer *layer, const char *folder,
                           const struct attribute *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_field(layer, attributes[i].key, pc_read_line("%s/%s", folder, attributes[i].file));
}

#define ADD_ATTRIBUTES(layer, folder, attributes)                                                  \
    add_attributes(layer, folder, attributes, sizeof(attributes) / sizeof((attributes)[0]))

/* /sys counts in sectors of 512 bytes, whatever those of the device are. */
static void add_size(struct pc_layer *layer, const char *folder)
{
    char *sectors = pc_read_line("%s/size", folder);
    if (sectors != NULL)
        add_field(layer, "bytes", pc_format("%llu", strtoull(sectors, NULL, 10) * 512));
    free(sectors);
}

/* ---- Raw flash ---- */

static const struct attribute mtd_attributes[] = {
    {"name", "label"},          {"type", "type"},           {"size", "bytes"},
    {"erasesize", "erasesize"}, {"writesize", "writesize"}, {"flags", "flags"},
};

static void add_mtd(struct pc_layers *layers, const char *number)
{
    char *folder = pc_format("%s/sys/class/mtd/mtd%s", layers->sysroot, number);
    struct pc_layer *layer = add_layer(layers, PC_LAYER_MTD);
    if (layer != NULL) {
        add_field(layer, "name", pc_format("mtd%s", number));
        ADD_ATTRIBUTES(layer, folder, mtd_attributes);
    }
    free(folder);
}

static const struct attribute ubi_attributes[] = {
    {"mtd_num", "mtd"},
    {"min_io_size", "min_io_size"},
    {"max_ec", "max_erase_count"},
    {"bad_peb_count", "bad_blocks"},
    {"reserved_for_bad", "reserved_for_bad"},
};

static void add_ubi(struct pc_layers *layers, const char *name)
{
    char *folder = pc_format("%s/sys/class/ubi/%s", layers->sysroot, name);
    struct pc_layer *layer = add_layer(layers, PC_LAYER_UBI);
    if (layer != NULL) {
        add_field(layer, "name", pc_copy(name));
        ADD_ATTRIBUTES(layer, folder, ubi_attributes);
        const char *mtd = pc_layer_value(layer, "mtd");
        if (mtd != NULL)
            add_mtd(layers, mtd);
    }
    free(folder);
}

static const struct attribute volume_attributes[] = {
    {"name", "volume"},
    {"type", "type"},
    {"data_bytes", "bytes"},
    {"corrupted", "corrupted"},
    {"upd_marker", "update_marker"},
};

/* "ubi0_1" of "ubi0_1", "/dev/ubi0_1", "ubi0:rootfs"; NULL if it cannot be found. */
static char *volume_of(const struct pc_layers *layers, const char *source)
{
    const char *base = pc_base_name(source);
    const char *colon = strpbrk(base, ":!");
    if (strncmp(base, "ubi", 3) != 0)
        return NULL;
    if (colon == NULL)
        return pc_copy(base);
    for (int i = 0; i < UBI_VOLUMES_MAX; i++) {
        char *volume = pc_format("%.*s_%d", (int)(colon - base), base, i);
        char *name = pc_read_line("%s/sys/class/ubi/%s/name", layers->sysroot, volume);
        bool same = name != NULL && strcmp(name, colon + 1) == 0;
        free(name);
        if (same)
            return volume;
        free(volume);
    }
    return NULL;
}

static void add_volume(struct pc_layers *layers, const char *volume)
{
    char *folder = pc_format("%s/sys/class/ubi/%s", layers->sysroot, volume);
    struct pc_layer *layer = add_layer(layers, PC_LAYER_UBI_VOLUME);
    if (layer != NULL) {
        add_field(layer, "name", pc_copy(volume));
        ADD_ATTRIBUTES(layer, folder, volume_attributes);
        char *device = pc_format("%.*s", (int)strcspn(volume, "_"), volume);
        add_ubi(layers, device);
        free(device);
    }
    free(folder);
}

/* ---- Block devices ---- */

static const struct attribute disk_attributes[] = {
    {"queue/write_cache", "write_cache"},
    {"queue/fua", "fua"},
    {"queue/rotational", "rotational"},
    {"queue/logical_block_size", "logical_block_size"},
    {"queue/physical_block_size", "physical_block_size"},
    {"removable", "removable"},
    {"ro", "read_only"},
    {"device/type", "type"},
    {"device/vendor", "vendor"},
    {"device/model", "model"},
    {"device/rev", "revision"},
    {"device/firmware_rev", "firmware"},
    {"device/name", "product"},
    {"device/manfid", "manfid"},
    {"device/oemid", "oemid"},
    {"device/date", "date"},
    {"device/serial", "serial"},
    {"serial", "serial"}, /* virtio */
    {"device/fwrev", "fwrev"},
    {"device/hwrev", "hwrev"},
    {"device/cid", "cid"},
    {"device/csd", "csd"},
    {"device/rel_sectors", "reliable_write_sectors"},
    {"device/pre_eol_info", "pre_eol_info"},
    {"device/life_time", "life_time"},
};

/* By the path of the device in /sys; the first that fits counts. */
static const struct {
    const char *pattern;
    const char *bus;
} buses[] = {
    {"*/usb*/*", "usb"},        {"*ufs*/host*", "ufs"},      {"*/nvme/*", "nvme"},
    {"*/mmc_host/*", "mmc"},    {"*/virtio*", "virtio"},     {"*/ata*", "ata"},
    {"*/virtual/*", "virtual"}, {"*/host*/target*", "scsi"},
};

static const char *bus_of(const char *device_path)
{
    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++)
        if (pc_matches(buses[i].pattern, device_path))
            return buses[i].bus;
    return NULL;
}

static void add_disk(struct pc_layer *layer, const char *folder, const char *device_path)
{
    const char *bus = bus_of(device_path);
    add_field(layer, "bus", bus != NULL ? pc_copy(bus) : NULL);
    add_size(layer, folder);
    ADD_ATTRIBUTES(layer, folder, disk_attributes);
}

/* Each device that this one is made of. */
static void add_slaves(struct pc_layers *layers, const char *folder)
{
    char *path = pc_format("%s/slaves", folder);
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *number = entries[i]->d_name[0] == '.'
                           ? NULL
                           : pc_read_line("%s/%s/dev", path, entries[i]->d_name);
        if (number != NULL)
            add_block(layers, number);
        free(number);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    free(path);
}

static const struct attribute mapper_attributes[] = {
    {"dm/name", "label"},          {"dm/uuid", "uuid"},
    {"dm/suspended", "suspended"}, {"queue/write_cache", "write_cache"},
    {"ro", "read_only"},
};

static const struct attribute md_attributes[] = {
    {"md/level", "level"},       {"md/array_state", "state"},
    {"md/degraded", "degraded"}, {"queue/write_cache", "write_cache"},
    {"ro", "read_only"},
};

static const struct attribute loop_attributes[] = {
    {"loop/backing_file", "backing_file"},
    {"loop/dio", "direct_io"},
    {"queue/write_cache", "write_cache"},
    {"ro", "read_only"},
};

static const struct attribute partition_attributes[] = {{"partition", "number"},
                                                        {"ro", "read_only"}};

static void add_mount(struct pc_layers *layers, const char *directory, unsigned long id);

/* What there is in the folder says which kind of device it is. */
static void add_block_at(struct pc_layers *layers, const char *folder, const char *number,
                         const char *device_path)
{
    static const struct {
        const char *sign;
        const char *kind;
        const struct attribute *attributes;
        size_t count;
    } kinds[] = {
#define KIND(sign, kind, attributes)                                                               \
    {sign, kind, attributes, sizeof(attributes) / sizeof((attributes)[0])}
        KIND("partition", PC_LAYER_PARTITION, partition_attributes),
        KIND("dm", PC_LAYER_DM, mapper_attributes),
        KIND("md", PC_LAYER_MD, md_attributes),
        KIND("loop/backing_file", PC_LAYER_LOOP, loop_attributes),
#undef KIND
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    size_t i = 0;
    while (i < KINDS && !exists(folder, kinds[i].sign))
        i++;
    struct pc_layer *layer = add_layer(layers, i < KINDS ? kinds[i].kind : PC_LAYER_DISK);
    if (layer == NULL)
        return;
    add_field(layer, "name", pc_copy(pc_base_name(device_path)));
    add_field(layer, "device", pc_copy(number));
    if (i == KINDS) {
        add_disk(layer, folder, device_path);
        return;
    }
    add_size(layer, folder);
    add_attributes(layer, folder, kinds[i].attributes, kinds[i].count);
    const char *file = pc_layer_value(layer, "backing_file");
    layers->above = layer;
    if (strcmp(layer->kind, PC_LAYER_PARTITION) == 0) {
        char *disk = pc_read_line("%s/../dev", folder);
        if (disk != NULL)
            add_block(layers, disk);
        free(disk);
    } else if (file != NULL) {
        add_mount(layers, file, 0);
    } else {
        add_slaves(layers, folder);
    }
    layers->above = layer->above;
}

static void add_block(struct pc_layers *layers, const char *number)
{
    char *folder = pc_format("%s/sys/dev/block/%s", layers->sysroot, number);
    char *device_path = pc_read_link("%s", folder);
    unsigned long major = strtoul(number, NULL, 10);
    const char *minor = strchr(number, ':');
    if (major == MTD_MAJOR && minor != NULL)
        add_mtd(layers, minor + 1);
    else if (device_path != NULL)
        add_block_at(layers, folder, number, device_path);
    free(device_path);
    free(folder);
}

/* ---- Mounts ---- */

/* The number of the device that a source such as "/dev/mapper/data" is; NULL if it cannot
 * be found: file systems like btrfs have a number of their own in mountinfo. */
static char *number_of_source(const struct pc_layers *layers, const char *source)
{
    const char *base = pc_base_name(source);
    if (strncmp(source, "/dev/", 5) != 0)
        return NULL;
    char *number = pc_read_line("%s/sys/class/block/%s/dev", layers->sysroot, base);
    for (int i = 0; i < DM_MAX && number == NULL; i++) {
        char *label = pc_read_line("%s/sys/class/block/dm-%d/dm/name", layers->sysroot, i);
        if (label != NULL && strcmp(label, base) == 0)
            number = pc_read_line("%s/sys/class/block/dm-%d/dev", layers->sysroot, i);
        free(label);
    }
    return number;
}

/* What the driver ext4 tells of itself, defaults too, as a list with commas. */
static char *driver_options(const struct pc_layers *layers, const char *device)
{
    char *link = pc_read_link("%s/sys/dev/block/%s", layers->sysroot, device);
    if (link == NULL)
        return NULL;
    char *list = pc_read_file("%s/proc/fs/ext4/%s/options", layers->sysroot, pc_base_name(link));
    free(link);
    for (char *c = list; c != NULL && *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] != '\0' ? ',' : '\0';
    return list;
}

static void add_below(struct pc_layers *layers, struct pc_layer *layer,
                      const struct pc_mount *mount)
{
    bool anonymous = strncmp(mount->device, "0:", 2) == 0;
    if (strcmp(mount->type, "overlay") == 0) {
        char *upper = pc_list_value(mount->options, "upperdir");
        bool seen = upper != NULL && *upper == '/' && exists(layers->sysroot, upper);
        add_field(layer, "upper", pc_copy(upper == NULL ? "none" : seen ? "seen" : "unseen"));
        if (seen)
            add_mount(layers, upper, 0);
        free(upper);
        return;
    }
    char *volume = volume_of(layers, mount->source);
    char *number = anonymous ? number_of_source(layers, mount->source) : pc_copy(mount->device);
    if (volume != NULL)
        add_volume(layers, volume);
    else if (number != NULL)
        add_block(layers, number);
    free(volume);
    free(number);
}

static void add_mount(struct pc_layers *layers, const char *directory, unsigned long id)
{
    struct pc_mount mount;
    struct pc_layer *layer;
    if (!pc_mount_find(layers->sysroot, directory, id, &mount) ||
        (layer = add_layer(layers, PC_LAYER_MOUNT)) == NULL) {
        pc_mount_free(&mount);
        return;
    }
    add_field(layer, "point", pc_copy(mount.point));
    add_field(layer, "type", pc_copy(mount.type));
    add_field(layer, "source", pc_copy(mount.source));
    add_field(layer, "device", pc_copy(mount.device));
    if (strcmp(mount.root, "/") != 0)
        add_field(layer, "root", pc_copy(mount.root));
    add_field(layer, "options", pc_copy(mount.options));
    if (pc_matches("ext*", mount.type))
        add_field(layer, "driver_options", driver_options(layers, mount.device));
    layers->above = layer;
    add_below(layers, layer, &mount);
    layers->above = layer->above;
    pc_mount_free(&mount);
}

bool pc_layers_collect(const char *sysroot, const char *directory, unsigned long id,
                       struct pc_layers *layers)
{
    *layers = (struct pc_layers){.sysroot = sysroot};
    add_mount(layers, directory, id);
    return layers->count > 0;
}

void pc_layers_free(struct pc_layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        for (size_t j = 0; j < layers->layers[i].field_count; j++)
            free(layers->layers[i].fields[j].value);
    layers->count = 0;
}

void pc_layer_add(struct pc_layer *layer, const char *key, const char *value)
{
    add_field(layer, key, pc_copy(value));
}

const char *pc_layer_value(const struct pc_layer *layer, const char *key)
{
    for (size_t i = 0; i < layer->field_count; i++)
        if (strcmp(layer->fields[i].key, key) == 0)
            return layer->fields[i].value;
    return NULL;
}

const char *pc_layer_name(const struct pc_layer *layer)
{
    const char *name = pc_layer_value(layer, "point");
    return name != NULL ? name : pc_layer_value(layer, "name");
}

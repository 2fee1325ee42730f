/*
 * All that is between a directory and the hardware, from /proc/self/mountinfo and /sys: the
 * mount, the upper directory of an overlay, partitions, device mapper, md, loop devices and
 * the mounts that their files are on, disks, UBI, MTD. Only reads.
 */
#ifndef PORTCHECK_LAYERS_H
#define PORTCHECK_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

enum { PC_LAYERS = 16, PC_FIELDS = 40 };

/* The names of the kinds, which the rules of findings.c are about. */
#define PC_LAYER_MOUNT      "mount"
#define PC_LAYER_PARTITION  "partition"
#define PC_LAYER_DM         "dm"
#define PC_LAYER_MD         "md"
#define PC_LAYER_LOOP       "loop"
#define PC_LAYER_DISK       "disk"
#define PC_LAYER_UBI_VOLUME "ubi-volume"
#define PC_LAYER_UBI        "ubi"
#define PC_LAYER_MTD        "mtd"

struct pc_field {
    const char *key;
    char *value;
};

struct pc_layer {
    const char *kind;
    const struct pc_layer *above; /* what this is a part of, or NULL */
    struct pc_field fields[PC_FIELDS];
    size_t field_count;
};

struct pc_layers {
    const char *sysroot;
    struct pc_layer layers[PC_LAYERS]; /* from the directory down; not to be moved */
    size_t count;
    const struct pc_layer *above; /* of what is being collected */
    bool cut;                     /* there are more, or something refers to itself */
};

/* Collects the layers of a directory, an absolute path without links; id as in
 * pc_mount_find(). False: errno; no mount was found. To be freed in any case. */
bool pc_layers_collect(const char *sysroot, const char *directory, unsigned long id,
                       struct pc_layers *layers);
void pc_layers_free(struct pc_layers *layers);

/* Adds what is known from elsewhere; a copy is kept. */
void pc_layer_add(struct pc_layer *layer, const char *key, const char *value);

/* The value of a field, or NULL. */
const char *pc_layer_value(const struct pc_layer *layer, const char *key);

/* What the layer is called: the point of a mount, the name of a device. */
const char *pc_layer_name(const struct pc_layer *layer);

#endif

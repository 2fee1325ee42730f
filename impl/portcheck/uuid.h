/* The UUID of a file system, by which it is known again whatever its device is called. */
#ifndef PORTCHECK_UUID_H
#define PORTCHECK_UUID_H

#include <stddef.h>

#include "mount.h"

/* Asks the kernel, then the links of udev, then the superblock, if it may be read. Leaves
 * the text as it is, "" say, where all of them are silent. */
void pc_uuid_find(int directory, const struct pc_mount *mount, char *text, size_t size);

#endif

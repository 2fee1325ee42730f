/* The UUID of a file system, by which it is known again whatever its device is called. */
#ifndef PORTCHECK_UUID_H
#define PORTCHECK_UUID_H

#include <stdbool.h>
#include <stddef.h>

#include "mount.h"

/* Asks the kernel, then the links of udev, then the superblock, if it may be read. Leaves
 * the text as it is, "" say, where all of them are silent. */
void pc_uuid_find(int directory, const struct pc_mount *mount, char *text, size_t size);

/* The last of these: of a file system of that type on an open device, or in an image. False:
 * there is none. */
bool pc_uuid_of_superblock(int file, const char *type, char *text, size_t size);

#endif

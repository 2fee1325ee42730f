/* Which program or library an address belongs to. */
#ifndef SHIM_MODULE_H
#define SHIM_MODULE_H

#include <stdint.h>

/*
 * The number of the module in the channel, and in *offset the position of the
 * address in its file; UINT32_MAX if the address belongs to no file (code made
 * at run time). To be called with the channel's lock held.
 */
uint32_t module_find(uintptr_t address, uint64_t *offset);

/*
 * The number in the channel of the module with this device (major << 32 | minor)
 * and inode, which is entered if it is new; UINT32_MAX if there are too many.
 * Used by the launcher too, whose own module_find() is in record/net_module.c.
 */
uint32_t module_number(uint64_t device, uint64_t inode, const char *path);

#endif

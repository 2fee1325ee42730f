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

#endif

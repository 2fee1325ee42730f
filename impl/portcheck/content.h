/*
 * Contents that are a function of the run, the version and the number of the file, so that
 * whoever reads them back knows every byte without having kept any.
 */
#ifndef PORTCHECK_CONTENT_H
#define PORTCHECK_CONTENT_H

#include <stddef.h>
#include <stdint.h>

/* More than fits into one block, less than that, and sometimes a lot: 64 bytes to 64 KiB. */
enum { PC_CONTENT_MAX = 64 << 10 };

size_t pc_content_size(uint32_t run, uint64_t version, unsigned file);
void pc_content_fill(uint32_t run, uint64_t version, unsigned file, unsigned char *bytes,
                     size_t size);

#endif

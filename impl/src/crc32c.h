/* CRC32C (Castagnoli; RFC 3720, appendix B.4): polynomial 0x1EDC6F41, reflected. */
#ifndef MANIFEST_SRC_CRC32C_H
#define MANIFEST_SRC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC32C of what crc covers followed by these bytes; crc is 0 at first. */
uint32_t mf_crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the processor's instruction: what mf_crc32c falls back to. */
uint32_t mf_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif

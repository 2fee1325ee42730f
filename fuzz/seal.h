/*
 * What a fuzzer does not guess, put right in bytes that are to be a file: so that mutations
 * reach what is behind checksums.
 */
#ifndef CRASHMATRIX_FUZZ_SEAL_H
#define CRASHMATRIX_FUZZ_SEAL_H

#include <stddef.h>
#include <stdint.h>

/* The size, the digest and the checksum of a trace (faultfs/trace.h), as far as it is one. */
void seal_trace(uint8_t *bytes, size_t size);

/* The checksum over all bytes but the last eight, which it is. */
void seal_checksum(uint8_t *bytes, size_t size);

#endif

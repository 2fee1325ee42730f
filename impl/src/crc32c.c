/*
 * CRC32C, with the processor's instruction where it has one (x86 with SSE 4.2,
 * 64-bit Arm with the CRC32 extension; asked at run time, so that one binary
 * runs everywhere), else four bits at a time with a table that fits in one
 * cache line.
 */
#include "crc32c.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

uint32_t mf_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const unsigned char *byte = data;
    crc = ~crc;
    for (; size > 0; size--, byte++) {
        crc ^= *byte;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>
#define CRC_TARGET        __attribute__((target("sse4.2")))
#define CRC_8(crc, value) ((uint32_t)_mm_crc32_u64(crc, value))
#define CRC_1(crc, value) _mm_crc32_u8(crc, value)

/* Asked once, since a virtual machine takes long to answer. (__builtin_cpu_supports() brings
 * 5 KB into static programs.) */
static bool instruction_available(void)
{
    enum { UNKNOWN, ABSENT, PRESENT };
    static atomic_int found = UNKNOWN;
    unsigned a, b, c, d;
    int known = atomic_load_explicit(&found, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_2) != 0 ? PRESENT : ABSENT;
        atomic_store_explicit(&found, known, memory_order_relaxed);
    }
    return known == PRESENT;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#if defined(__clang__) /* its arm_acle.h hides them unless the whole file is built with +crc */
#define CRC_TARGET        __attribute__((target("crc")))
#define CRC_8(crc, value) __builtin_arm_crc32cd(crc, value)
#define CRC_1(crc, value) __builtin_arm_crc32cb(crc, value)
#else
#include <arm_acle.h>
#define CRC_TARGET        __attribute__((target("+crc")))
#define CRC_8(crc, value) __crc32cd(crc, value)
#define CRC_1(crc, value) __crc32cb(crc, value)
#endif

static bool instruction_available(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
#endif

#ifdef CRC_TARGET
CRC_TARGET static uint32_t crc32c_instruction(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *byte = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, byte += 8) {
        uint64_t value;
        memcpy(&value, byte, sizeof(value));
        crc = CRC_8(crc, value);
    }
    for (; size > 0; size--, byte++)
        crc = CRC_1(crc, *byte);
    return ~crc;
}
#endif

uint32_t mf_crc32c(uint32_t crc, const void *data, size_t size)
{
#ifdef CRC_TARGET
    if (instruction_available())
        return crc32c_instruction(crc, data, size);
#endif
    return mf_crc32c_portable(crc, data, size);
}

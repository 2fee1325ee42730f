/*
 * What the compiler may call by itself; inside the library, since it uses no libc.
 */
#include "text.h"

void *memcpy(void *to, const void *from, size_t size)
{
    void *result = to;
#if defined(__x86_64__)
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
    volatile unsigned char *target = to; /* volatile: not to be made a call of memcpy */
    const unsigned char *source = from;
    for (size_t i = 0; i < size; i++)
        target[i] = source[i];
#endif
    return result;
}

void *memset(void *to, int value, size_t size)
{
    void *result = to;
#if defined(__x86_64__)
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
#else
    volatile unsigned char *target = to;
    for (size_t i = 0; i < size; i++)
        target[i] = (unsigned char)value;
#endif
    return result;
}

#if defined(__riscv)
/* For __builtin_bswap32() and __builtin_bswap64(), which have no instruction there. */
unsigned __bswapsi2(unsigned value);
unsigned long __bswapdi2(unsigned long value);

unsigned __bswapsi2(unsigned value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value & 0xff00) << 8 | value << 24;
}

unsigned long __bswapdi2(unsigned long value)
{
    return (unsigned long)__bswapsi2((unsigned)value) << 32 | __bswapsi2((unsigned)(value >> 32));
}
#endif

/*
 * The one place from which the recorder makes system calls. It uses no libc, so
 * that the recorder works in programs with any libc and from signal handlers,
 * and so that a call made by the recorder can be told from any other by its
 * address.
 */
#ifndef SHIM_GATE_H
#define SHIM_GATE_H

#include <stdint.h>

/* A system call with up to six arguments. Returns its result, or -errno. */
long gate(long number, long a, long b, long c, long d, long e, long f);

/* Arguments of a system call, when they are handed on. */
struct raw_call {
    long number;
    long arguments[6];
};

static inline long gate_call(const struct raw_call *raw)
{
    const long *a = raw->arguments;
    return gate(raw->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define GATE_0(number)             gate(number, 0, 0, 0, 0, 0, 0)
#define GATE_1(number, a)          gate(number, (long)(a), 0, 0, 0, 0, 0)
#define GATE_2(number, a, b)       gate(number, (long)(a), (long)(b), 0, 0, 0, 0)
#define GATE_3(number, a, b, c)    gate(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define GATE_4(number, a, b, c, d) gate(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define GATE_6(number, a, b, c, d, e, f)                                                           \
    gate(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif

/*
 * The one place from which the recorder makes system calls. It uses no libc, so
 * that the recorder works in programs with any libc and from signal handlers,
 * and so that a call made by the recorder can be told from any other by its
 * address.
 */
#ifndef SHIM_GATE_H
#define SHIM_GATE_H

#include <stdint.h>

/*
 * A page with one system call instruction, at the same address in every process
 * that holds the recorder. The launcher's seccomp filter lets calls from this page
 * through and hands all others to the launcher (record/net.h). The address is one
 * that the kernel gives to nobody by itself (mmap goes down from 0x7fff........)
 * and that lies in the application's part of the address space for
 * AddressSanitizer.
 */
#define GATE_PAGE      0x6ffffff00000ul
#define GATE_PAGE_SIZE 4096ul

/*
 * From now on calls are made from the page. Without this, as in a process that is
 * not recorded, they are made from the library itself and are no different from
 * the program's own. Returns 0 or -errno (-EEXIST: something else is there).
 */
long gate_open(void);

/* A system call with up to six arguments. Returns its result, or -errno. */
long gate(long number, long a, long b, long c, long d, long e, long f);

/* Arguments of a system call, when they are handed on. */
struct raw_call {
    long number;
    long arguments[6];
};

/*
 * A call from the library's own code: to the launcher's net it is one of the
 * program's.
 */
long gate_plain(const struct raw_call *raw);

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

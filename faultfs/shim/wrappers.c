/*
 * The exported functions, made from the table of interposed.h. Each has a name
 * of its own in C and the interposed symbol as its name for the linker, so that
 * libc's headers may declare the latter as they like.
 */
#include "calls.h"
#include "gate.h"
#include "interposed_names.h"
#include "recorder.h"
#include "start.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static long result_ERRNO(long result)
{
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

static long result_NUMBER(long result)
{
    return -result;
}

static long result_POINTER(long result)
{
    return result_ERRNO(result) == -1 ? 0 : result;
}

#define SITE (&site)
#define RAW(number, a, b, c, d, e, f)                                                              \
    (&(struct raw_call){number, {(long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)}})

#define X(symbol, type, parameters, result, call)                                                  \
    __attribute__((visibility("default"))) type interposed_##symbol parameters __asm__(#symbol);   \
    type interposed_##symbol parameters                                                            \
    {                                                                                              \
        struct site site = {SYMBOL_##symbol, __builtin_return_address(0), FF_ROUTE_SYMBOL, 0};     \
        start();                                                                                   \
        return (type)result_##result(call);                                                        \
    }
INTERPOSED(X)
#undef X

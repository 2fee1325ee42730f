/* The names of the interposed symbols, for the recorder and the launcher. */
#ifndef SHIM_INTERPOSED_NAMES_H
#define SHIM_INTERPOSED_NAMES_H

#include "interposed.h"

#include <stdint.h>

enum symbol {
#define X(symbol, type, parameters, result, call) SYMBOL_##symbol,
    INTERPOSED(X)
#undef X
        SYMBOL_COUNT
};

static inline const char *interposed_name(uint32_t symbol)
{
    static const char *const names[] = {
#define X(symbol, type, parameters, result, call) #symbol,
        INTERPOSED(X)
#undef X
    };
    return symbol < SYMBOL_COUNT ? names[symbol] : "?";
}

#endif

/* The error list as text, and one function that fills struct mf_error. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *sentence;
} codes[] = {
#define X(name, sentence) {#name, sentence},
    MF_CODES(X)
#undef X
};

static const size_t code_count = sizeof(codes) / sizeof(codes[0]);

const char *mf_code_name(enum mf_code code)
{
    return (size_t)code < code_count ? codes[code].name : "?";
}

const char *mf_code_sentence(enum mf_code code)
{
    return (size_t)code < code_count ? codes[code].sentence : "?";
}

/* A file name may hold anything, escape sequences of a terminal included. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void mf_error_fill(struct mf_error *error, enum mf_code code, int system_error, const char *format,
                   ...)
{
    if (error == NULL)
        return;
    *error = (struct mf_error){.code = code, .system_error = -system_error};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    if (system_error != 0) {
        size_t used = strlen(error->message);
        snprintf(error->message + used, sizeof(error->message) - used, ": %s",
                 strerror(-system_error));
    }
    make_printable(error->message);
}

void mf_error_prefix(struct mf_error *error, enum mf_code code, const char *prefix)
{
    if (error == NULL)
        return;
    char message[sizeof(error->message)];
    memcpy(message, error->message, sizeof(message));
    int used = snprintf(error->message, sizeof(error->message), "%s: ", prefix);
    if (used > 0 && (size_t)used < sizeof(error->message))
        snprintf(error->message + used, sizeof(error->message) - (size_t)used, "%.*s",
                 (int)sizeof(message) - used - 1, message);
    make_printable(error->message);
    error->code = code;
}

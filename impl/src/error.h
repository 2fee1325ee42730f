/* Filling struct mf_error. */
#ifndef MANIFEST_SRC_ERROR_H
#define MANIFEST_SRC_ERROR_H

#include <manifest/error.h>

/*
 * Fills *error (may be NULL). system_error is a negative errno as the platform
 * returns it, or 0; its description is appended to the message.
 */
void mf_error_fill(struct mf_error *error, enum mf_code code, int system_error, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

/* Puts a prefix before the message of an error that is filled (or NULL), and
 * changes its code. */
void mf_error_prefix(struct mf_error *error, enum mf_code code, const char *prefix);

/* The same as expressions with the value code, so that a failure is one return
 * statement. Macros, because a reader of the caller, and a static analyser, then
 * sees that the value is not MF_OK. */
#define mf_fail(error, code, ...) (mf_error_fill(error, code, __VA_ARGS__), (enum mf_code)(code))
#define mf_fail_again(error, code, prefix)                                                         \
    (mf_error_prefix(error, code, prefix), (enum mf_code)(code))

#endif

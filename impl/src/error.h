/* Filling struct mf_error. */
#ifndef MANIFEST_SRC_ERROR_H
#define MANIFEST_SRC_ERROR_H

#include <manifest/error.h>

/*
 * Fills *error (may be NULL) and returns code, so that a failure is one return
 * statement. system_error is a negative errno as the platform returns it, or 0;
 * its description is appended to the message.
 */
enum mf_code mf_fail(struct mf_error *error, enum mf_code code, int system_error,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Puts a prefix before the message of an error that is filled (or NULL), and
 * changes its code. Returns code. */
enum mf_code mf_fail_again(struct mf_error *error, enum mf_code code, const char *prefix);

#endif

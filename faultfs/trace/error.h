/* Messages for people in a struct ff_error. Private to faultfs. */
#ifndef FAULTFS_ERROR_H
#define FAULTFS_ERROR_H

#include "faultfs/trace.h"

/*
 * Sets the text, printf-like; control characters (from file names) become '?',
 * so that it is one line whatever the names hold. Always returns -1.
 */
int ff_error_set(struct ff_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and what errno means. */
int ff_error_set_errno(struct ff_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

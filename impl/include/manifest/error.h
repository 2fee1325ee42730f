/*
 * What a function of libmanifest returns, and what it says about a failure.
 *
 * Every function that can fail returns an enum mf_code and takes a struct
 * mf_error, which may be NULL. On success the struct is left alone; on failure
 * it is filled completely. Nothing in it is allocated.
 */
#ifndef MANIFEST_ERROR_H
#define MANIFEST_ERROR_H

#include <stddef.h>

/*
 * X(name, sentence). The sentence says in which state the directory is; the
 * message in struct mf_error says what happened.
 */
#define MF_CODES(X)                                                                                \
    X(OK, "done, and durable where the function promises it")                                      \
    X(NO_DATABASE, "there is no database in the directory; one can be created")                    \
    X(EXISTS, "there is a database in the directory already; it was not touched")                  \
    X(NO_VERSION, "that version is not kept; nothing was changed")                                 \
    X(CORRUPT, "the database does not verify; nothing was changed, nothing was guessed")           \
    X(MALFORMED, "the text is not a manifest; nothing was changed")                                \
    X(LOCKED, "another handle has the database open for writing, or was faster than this reader "  \
              "each time that it looked; nothing was changed")                                     \
    X(READ_ONLY, "the handle takes no commits (opened for reading, or closed for writing by an "   \
                 "earlier failure); nothing was changed")                                          \
    X(INVALID, "the call or one of its arguments is wrong; nothing was changed")                   \
    X(NO_MEMORY, "out of memory; the current version is unchanged")                                \
    X(IO, "the platform refused a call; the current version is unchanged")                         \
    X(NOT_COMMITTED, "not committed: the version before is current, now and after a power cut")    \
    X(UNKNOWN, "the outcome is unknown: a power cut may leave the version before or the new one, " \
               "each whole; opening for writing settles it")

enum mf_code {
#define X(name, sentence) MF_##name,
    MF_CODES(X)
#undef X
};

struct mf_error {
    enum mf_code code;
    int system_error;  /* the platform's errno, positive; 0 when there was none */
    size_t line;       /* of a malformed text, from 1; 0 when there is none */
    size_t column;     /* in bytes, from 1; 0 when there is none */
    char message[320]; /* what happened and to which file; one line, printable */
};

/* "NO_DATABASE"; "?" for a value that is no code. Static. */
const char *mf_code_name(enum mf_code code);

/* The sentence of the list above; "?" for a value that is no code. Static. */
const char *mf_code_sentence(enum mf_code code);

#endif

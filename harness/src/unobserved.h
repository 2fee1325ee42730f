/*
 * What was not covered or not seen: it turns a pass into "incomplete", unless the
 * user accepts its kind. The kinds are one table, which --accept knows and
 * `crashmatrix run --help` prints.
 */
#ifndef CRASHMATRIX_UNOBSERVED_H
#define CRASHMATRIX_UNOBSERVED_H

#include "options.h"
#include "report.h"

/* X(name, can be accepted, description) */
#define CM_UNOBSERVED_KINDS(X)                                                                     \
    X("interrupted", false, "the exploration was stopped before every state was checked")          \
    X("no-seccomp", true, "only calls that pass through the preloaded library were seen")          \
    X("io-uring", true, "io_uring was refused (ENOSYS), and the program did without")              \
    X("kernel-aio", true, "io_setup was refused (ENOSYS), and the program did without")            \
    X("foreign-abi", true, "32-bit or x32 system calls were refused (ENOSYS)")                     \
    X("set-uid", true, "a privileged program ran without its privilege")                           \
    X("mapped-intermediate", true, "what shared mappings held between two scans was not seen")     \
    X("names-unwatched", true, "inotify could not watch every name")

/* NULL if there is no kind of that name. */
const char *cm_unobserved_description(const char *kind);

/* Whether every word is a kind that can be accepted; if not, *error says which. */
int cm_accept_check(const struct cm_words *accept, struct ff_error *error);

/*
 * What the trace says was not seen, and whether the exploration was interrupted;
 * malloc'ed, its texts are the trace's.
 */
struct cm_unobserved *cm_unobserved_collect(const struct ff_trace *trace,
                                            const struct cm_words *accept, bool interrupted,
                                            size_t *count);

/* One line for each kind that can be accepted. */
void cm_print_accept_help(FILE *stream);

#endif

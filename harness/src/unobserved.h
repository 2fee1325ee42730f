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
    X("shard-missing", false, "what this shard was to cover is not there")                         \
    X("budget", true, "the budget was used up before every state was checked")                     \
    X("nondeterministic-check", true, "the check does not tell of all it looks at, or varies")     \
    X("nondeterministic-recovery", true, "recoveries from one state left different files")         \
    X("no-fixpoint", true, "64 cuts during recovery still left something new")                     \
    X("outside-reached", true,                                                                     \
      "the check changes, or talks to, what other runs find; $TMPDIR is private")                  \
    X("unpinned-random", true, "the check takes random numbers that differ from run to run")       \
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

struct cm_unobserved_sources {
    const struct ff_trace *trace;
    struct cm_exploration *const *explorations;
    size_t exploration_count;
    bool interrupted;
    const char *const *missing; /* shards, or parts of them; in words */
    size_t missing_count;
};

/*
 * What the trace says was not seen, and why explorations did not cover everything;
 * malloc'ed, its texts are those of the sources.
 */
struct cm_unobserved *cm_unobserved_collect(const struct cm_unobserved_sources *sources,
                                            const struct cm_words *accept, size_t *count);

/* One line for each kind that can be accepted. */
void cm_print_accept_help(FILE *stream);

#endif

/*
 * The command line: one table of subcommands and one of options.
 */
#ifndef CRASHMATRIX_OPTIONS_H
#define CRASHMATRIX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashmatrix/crashmatrix.h"

/* Exit statuses of crashmatrix; the README lists them, too. */
enum cm_exit {
    CM_EXIT_PASS = 0,       /* every legal state was covered and none failed */
    CM_EXIT_VIOLATION = 1,  /* a state was rejected */
    CM_EXIT_USAGE = 2,      /* wrong usage or configuration */
    CM_EXIT_RECORDING = 3,  /* setup, workload, recording or its self-check failed */
    CM_EXIT_INCOMPLETE = 4, /* no violation, but not everything was covered or seen */
};

/* X(identifier, name, run by) */
#define CM_COMMANDS(X)                                                                             \
    X(RUN, "run")                                                                                  \
    X(RECORD, "record")                                                                            \
    X(EXPLORE, "explore")                                                                          \
    X(SHOW, "show")                                                                                \
    X(REPLAY, "replay")                                                                            \
    X(MERGE, "merge")                                                                              \
    X(CUT, "cut")                                                                                  \
    X(PORT, "port")                                                                                \
    X(MODELS, "models")                                                                            \
    X(TARGETS, "targets")

enum cm_command_name {
#define X(identifier, name) CM_COMMAND_##identifier,
    CM_COMMANDS(X)
#undef X
        CM_COMMAND_COUNT
};

/* Words of an option that may be repeated, in the order given. */
struct cm_words {
    const char **items;
    size_t count;
};

/* How much of an exploration is made; nothing: all of it. */
struct cm_budget {
    const char *text;            /* as given */
    uint64_t runs, milliseconds; /* one of them */
};

struct cm_settings {
    enum cm_command_name command;
    const char *target;
    const char *adapter;      /* of a port */
    const char *commit_point; /* NULL: both */
    struct cm_words only;     /* parts of the check of a port; none: all */
    const char *setup;
    const char *workload;
    const char *recover;
    unsigned nested; /* cuts during recovery; CM_NESTED_FIXPOINT: any number */
    const char *check;
    struct cm_words models;
    struct cm_words accept; /* kinds of unobserved things */
    struct cm_words faults; /* specifications, or "all" */
    const char *root;
    const char *at;
    const char *lose;
    const char *report;
    const char *scratch;
    const char *output;
    const char *trace;
    const char *into;
    const char *directory; /* whose file system is asked for */
    struct cm_shard shard; /* 0 of 1: everything */
    struct cm_budget budget;
    unsigned seed;
    unsigned jobs;       /* 0: one for each processor */
    unsigned timeout_ms; /* for one check */
    uint32_t granule;    /* bytes; 0: the model's */
    bool resume;
    bool keep;
    bool json;
    bool eager;
    bool spawn;
    bool apart;
    bool monotone;
    bool reproducible;
    char **operands;
    size_t operand_count;
};

/*
 * Parses the command line. Returns true when there is something to run;
 * otherwise help, version or an error message has been printed and *status is
 * the exit status.
 */
bool cm_options_parse(int argc, char **argv, struct cm_settings *settings, int *status);
void cm_options_free(struct cm_settings *settings);

/* "2/7": part 2 of 7 is number 1 of *shard. False when it is not like that, or NULL. */
bool cm_parse_shard(const char *text, struct cm_shard *shard);

#endif

/* The manifest command: what its parts share. */
#ifndef MANIFEST_COMMAND_H
#define MANIFEST_COMMAND_H

#include <manifest/manifest.h>

/* Exit statuses, as --help lists them. */
enum {
    EXIT_DONE = 0,
    EXIT_CORRUPT = 1,
    EXIT_USAGE = 2,
    EXIT_FAILED = 3,
    EXIT_UNKNOWN = 4,
    EXIT_NOTHING_THERE = 5,
};

/* One thing that `manifest commit` is told to do, in the order of the options. */
struct change {
    enum mf_kind kind;
    const char *key;
    const char *path; /* the file to copy; NULL: remove the entry */
};

/* The command line of one subcommand. The strings are argv's. */
struct arguments {
    const char *directory;
    const char *version; /* NULL: not given */
    bool json;
    bool unsealed;
    uint32_t wait_ms;
    struct change *changes;
    size_t change_count;
};

/* The options for the library that the command line asks for. */
struct mf_options library_options(const struct arguments *arguments, bool writable);

/* Says a failure, for people on standard error, with --json as an object on
 * standard output. Returns the exit status. */
int say_failure(const struct arguments *arguments, const struct mf_error *error);

/* Subcommands. Each returns an exit status. */
int run_init(const struct arguments *arguments);
int run_commit(const struct arguments *arguments);
int run_show(const struct arguments *arguments);
int run_verify(const struct arguments *arguments);

#endif

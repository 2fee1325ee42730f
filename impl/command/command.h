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
    const char *folder;   /* of a backup */
    uint64_t versions[2]; /* as many as were given */
    size_t version_count;
    bool json;
    bool unsealed;
    bool backup;
    bool remove_orphans;
    uint32_t wait_ms;
    uint64_t keep; /* 0: not given */
    enum mf_commit_point commit_point;
    struct change *changes;
    size_t change_count;
};

/* The options for the library that the command line asks for. */
struct mf_options library_options(const struct arguments *arguments, bool writable);

/* Says a failure, for people on standard error, with --json as an object on
 * standard output. Returns the exit status. */
int say_failure(const struct arguments *arguments, const struct mf_error *error);

/* Says that a version was made, and returns the exit status. */
int say_version(const struct arguments *arguments, const char *sentence, uint64_t version);

/* The exit status for a code. */
int exit_status(enum mf_code code);

/* Subcommands. Each returns an exit status. */
int run_init(const struct arguments *arguments);
int run_commit(const struct arguments *arguments);
int run_show(const struct arguments *arguments);
int run_verify(const struct arguments *arguments);
int run_versions(const struct arguments *arguments);
int run_diff(const struct arguments *arguments);
int run_orphans(const struct arguments *arguments);
int run_gc(const struct arguments *arguments);
int run_backup(const struct arguments *arguments);
int run_restore(const struct arguments *arguments);
int run_recover(const struct arguments *arguments);

/* `verify --backup`. */
int verify_backup(const struct arguments *arguments);

#endif

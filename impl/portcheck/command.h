/* The commands of portcheck and their arguments. */
#ifndef PORTCHECK_COMMAND_H
#define PORTCHECK_COMMAND_H

#include <manifest/manifest.h>
#include <signal.h>

#include "channel.h"
#include "target.h"

/* Exit statuses. */
enum {
    PC_EXIT_OK = 0,
    PC_EXIT_WRONG = 1, /* what is on the disk is not what must be there */
    PC_EXIT_USAGE = 2,
    PC_EXIT_FAILED = 3, /* refused, or a call failed: nothing can be said */
};

struct pc_arguments {
    const char *directory;
    const char *sysroot; /* of probe; "" by default */
    bool json;
    bool has_run; /* run and cycle are told here, not by the host */
    uint32_t run;
    uint64_t cycle, commits; /* commits 0: until stopped */
    unsigned files;
    struct pc_expected expected;
    enum mf_commit_point point;
    const struct mf_platform *platform;
    const char *mutant;        /* its word, or NULL */
    struct pc_channel channel; /* of run */
    const volatile sig_atomic_t *stop;
};

/* The commit point that fits a directory: "rename", "slots" or "none", and why. Static. */
const char *pc_fitting_point(const char *directory, const char **reason);

/* What tells the disk, or card, below a directory from others of its kind, or NULL. The
 * caller frees it. */
char *pc_medium_serial(const char *directory);

int pc_probe(const struct pc_arguments *arguments);
int pc_selftest(const struct pc_arguments *arguments);
int pc_run(struct pc_arguments *arguments);
int pc_verify(const struct pc_arguments *arguments);

extern const char pc_help[];

#endif

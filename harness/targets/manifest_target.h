/* What the parts of manifest-target share. Results are exit statuses: 0 or 1. */
#ifndef MANIFEST_TARGET_H
#define MANIFEST_TARGET_H

#include <manifest/platform.h>

/* Says on standard error what is wrong. Returns 1. */
int complain(const char *what, const char *why);

/* Sends a line to the outside world with one write(2), because a recording sees
 * those and not what stdio does: "committed 2". Without a number: 0. */
int say(const char *word, uint64_t number);

/* manifest_seed_order.c: without libmanifest. */
int workload_seed_order(const struct mf_platform *platform, char **arguments);

/* manifest_workloads.c: through libmanifest, in db. The arguments are those that
 * the head of manifest_target.c lists. */
int workload_init(const struct mf_platform *platform, char **arguments);
int workload_commit(const struct mf_platform *platform, char **arguments);
int workload_killed(const struct mf_platform *platform, char **arguments);
int workload_leftovers(const struct mf_platform *platform, char **arguments);
int workload_clean(const struct mf_platform *platform, char **arguments);
int workload_sweep(const struct mf_platform *platform, char **arguments);
int workload_backup(const struct mf_platform *platform, char **arguments);
int workload_restore(const struct mf_platform *platform, char **arguments);
int workload_recover(const struct mf_platform *platform, char **arguments);

#endif

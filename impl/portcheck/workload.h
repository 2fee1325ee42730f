/*
 * What is committed and verified: the folder DIR/portcheck-RUN of a run, with
 *
 *     db/        a database of libmanifest; each version has new contents of all its files
 *     canary-0   ... files that are written once and never touched again: cheap flash
 *                damages what it had only to move
 *
 * A run has a folder of its own, so that nothing is ever compared with another run's. It
 * is never removed: that is up to the person, as is the room that it takes.
 */
#ifndef PORTCHECK_WORKLOAD_H
#define PORTCHECK_WORKLOAD_H

#include <manifest/manifest.h>

enum { PC_FILES_MAX = 16, PC_KEPT = 4, PC_CLEAN_EVERY = 8 };

struct pc_workload {
    uint32_t run;
    unsigned files; /* of a version, from 1 to PC_FILES_MAX */
    const struct mf_platform *platform;
    enum mf_commit_point point; /* of a database that is created */
    const char *directory;      /* DIR */
    char *folder, *database;    /* paths */
    struct mf_database *open;   /* NULL before pc_workload_start() */
    struct mf_transaction *transaction;
    uint64_t commits; /* since the start */
};

/* Called for each thing that was verified: "version" or "canary", its name, and what is
 * wrong, or NULL. */
typedef void pc_visit(void *argument, const char *what, const char *name, const char *problem);

void pc_workload_name(struct pc_workload *workload);
void pc_workload_close(struct pc_workload *workload);

enum pc_started {
    PC_STARTED, /* a database was there, and was recovered */
    PC_CREATED, /* there was none; canaries and database are made, durably */
    PC_TORN,    /* what is there is no whole version: *reason */
    PC_BROKEN,  /* a call failed: *reason */
};

/* Recovers what is there, or begins. The caller frees *reason. */
enum pc_started pc_workload_start(struct pc_workload *workload, char **reason);

/* Opens for reading, for the command verify: nothing is written. PC_STARTED, PC_TORN or
 * PC_BROKEN. */
enum pc_started pc_workload_look(struct pc_workload *workload, char **reason);

/* Verifies all kept versions, the current one last; or the canaries. True: all is well. */
bool pc_workload_verify(struct pc_workload *workload, pc_visit *visit, void *argument);
bool pc_canaries_verify(struct pc_workload *workload, pc_visit *visit, void *argument);

uint64_t pc_workload_version(const struct pc_workload *workload);

/* Begins a commit, whose number is *version; then does it. After true from
 * pc_workload_commit() that version is durable. False: *reason, which the caller frees. */
bool pc_workload_begin(struct pc_workload *workload, uint64_t *version, char **reason);
bool pc_workload_commit(struct pc_workload *workload, char **reason);

/* After every PC_CLEAN_EVERY commits: removes all versions but the newest PC_KEPT. */
bool pc_workload_clean(struct pc_workload *workload, char **reason);

#endif

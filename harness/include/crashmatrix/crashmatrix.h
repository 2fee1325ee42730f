/*
 * The crashmatrix engine: which states can a power cut leave, and does a check
 * accept each of them?
 *
 * Calling sequence
 *
 *     struct ff_error error;
 *     struct ff_trace *trace = ff_trace_open("trace.cmt", &error);
 *     struct cm_model *model = cm_model_load("models/posix.json", &error);
 *     struct cm_check check = {.run = my_check};
 *     struct cm_options options = {.jobs = 2, .timeout_ms = 10000};
 *     struct cm_exploration *result = cm_explore(trace, model, &check, &options, &error);
 *     if (result->violation_count > 0)
 *         puts(result->violations[0].reason);
 *     cm_exploration_free(result);
 *     cm_model_free(model);
 *     ff_trace_free(trace);
 *
 * Errors: functions that can fail return NULL (or -1) and say in *error what
 * is wrong, where, and what to do. Nothing here prints or ends the process,
 * except that running out of memory aborts with a message.
 *
 * Words. An *operation* is the part of a call that persists as one: a name, a
 * granule of data, a step of growth. A *boundary* is a position in the run: 0
 * is before the first call, b is after the b-th. A state is *legal* at a
 * boundary when a power cut there can leave it. See harness/MODEL.md.
 */
#ifndef CRASHMATRIX_CRASHMATRIX_H
#define CRASHMATRIX_CRASHMATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultfs/trace.h"
#include "faultfs/tree.h"

/* ---- Persistence models ---- */

/* What a file system promises, read from a JSON file (harness/MODEL.md). */
struct cm_model;

/* Unknown keys and values are errors. */
struct cm_model *cm_model_load(const char *path, struct ff_error *error);
void cm_model_free(struct cm_model *model);
const char *cm_model_name(const struct cm_model *model);

/* ---- Checks ---- */

/* Takes down what a check looks at, and what it depends on besides. */
struct cm_observer;
struct cm_marks;

/* What runs of it have shown, that need not be made again. */
struct cm_memo;

/* One state, as the check sees it. */
struct cm_state {
    struct ff_tree *tree; /* the files; the check may change them */
    const char *output;   /* what the workload had printed before the cut, NUL-terminated */
    size_t output_size;   /* bytes, without the NUL */
    const char *model;    /* name of the model under which the state is legal */
    struct cm_observer *observer;
    struct cm_marks *marks; /* or NULL */
    struct cm_memo *memo;   /* or NULL */
    /* All nodes that any state of the trace has, without their names; or NULL. */
    const struct ff_tree *inventory;
};

enum cm_status {
    CM_ACCEPTED, /* text is the state's label: old, new, ok, ... */
    CM_VIOLATED, /* text is the reason */
    CM_CRASHED,  /* the check was ended by a signal; text says which */
    CM_TIMEOUT,  /* the check did not end in time, not even alone */
    CM_BROKEN,   /* the check could not be run; says nothing about the state */
};

#define CM_TEXT_SIZE 256

struct cm_outcome {
    enum cm_status status;
    char text[CM_TEXT_SIZE];
};

/*
 * A check. Both functions are called in worker processes (forked from the
 * caller), so that a crash or an endless loop in them is an outcome and no
 * accident.
 */
struct cm_check {
    void *context;
    /* Called once in each worker before run; may be NULL. Returns 0, or -1 with
     * *error set: then the exploration fails. */
    int (*prepare)(void *context, struct ff_error *error);
    /* How much longer than the time-out a run may take before it is ended from
     * outside: for checks that keep to the time-out themselves. */
    unsigned grace_ms;
    /* Judges a state. Must be a function of *state alone. */
    void (*run)(void *context, struct cm_state *state, struct cm_outcome *outcome);
    /* run says what it looks at, all of it, by the functions below. Then one run
     * decides all states that do not differ in that; else each has a run of its own. */
    bool observes;
    /* Only if it observes: what it accepts with some output it would accept with less of
     * it, too, since more output only asks for more. Then it is not run with less. */
    bool monotone;
    bool is_costly; /* a run starts processes: fewer are made only to audit others */
    /* Or NULL. Of a check that observes, and does not change the state's tree: explorations of
     * different models and traces share their runs by it (src/memo.h). */
    struct cm_memo *memo;
    /*
     * Of a check that begins with a recovery, which repairs the state: runs the recovery
     * alone, and leaves its calls as a trace at path, so that power cuts during it can be
     * explored, too (options.nested). The recovery must be a function of the state, and if it
     * observes, run must have looked at whatever it changes, of a file at all of it. NULL:
     * there is none, or it cannot be recorded. Returns 0, or -1 with *error set.
     */
    int (*record)(void *context, struct cm_state *state, const char *path, struct ff_error *error);
};

/*
 * Looking: what a check gets from these, it need not say that it looked at. Nodes are
 * numbers of state->tree; what a node is (a file, a directory), and where a symbolic link
 * leads, goes with the name that means it, and may be taken from ff_tree_node().
 */
/* What the name means, or FF_NO_NODE. */
uint32_t cm_state_lookup(const struct cm_state *state, uint32_t directory, const char *name);
/* All its names; NULL when it is no directory. Valid until the tree is changed. */
const struct ff_node *cm_state_list(const struct cm_state *state, uint32_t directory);
/* Bytes; of what is not a file 0. */
uint64_t cm_state_size(const struct cm_state *state, uint32_t file);
/* Reads up to size bytes, fewer at its end, and returns how many; this looks at its size.
 * Nothing of a file that cannot be read (S_ISSOCK() of its mode: tree.h). */
size_t cm_state_read(const struct cm_state *state, uint32_t file, void *buffer, size_t size,
                     uint64_t offset);

/*
 * What a check looks at in another way; to be called before it does. Nodes that the
 * check itself made may be named, too.
 */
void cm_looks_at_name(const struct cm_state *state, uint32_t directory, const char *name);
void cm_looks_at_names(const struct cm_state *state, uint32_t directory); /* all of them */
void cm_looks_at_size(const struct cm_state *state, uint32_t file);
/* Bytes offset .. offset + size - 1, as far as the file has them; not its size. */
void cm_looks_at_data(const struct cm_state *state, uint32_t file, uint64_t offset, uint64_t size);
/* Mode, owner and extended attributes. */
void cm_looks_at_attributes(const struct cm_state *state, uint32_t node);
/* How many names it has, and whether two names mean it. */
void cm_looks_at_links(const struct cm_state *state, uint32_t node);
void cm_looks_at_output(const struct cm_state *state);
/* Of a check with a recovery: that has changed nothing, so that there is nothing to be cut. */
void cm_recovery_was_idle(const struct cm_state *state);
/* It is not known what the check looks at. */
void cm_looks_at_everything(const struct cm_state *state);

/*
 * A run that is not a function of the state alone, or that a later run may find something
 * of. That makes no outcome wrong, but none certain: it is reported as not observed.
 */
enum cm_dependence_kind {
    CM_DEPENDS_ON_OUTSIDE, /* files and processes that other runs share */
    CM_DEPENDS_ON_RANDOM,  /* random numbers that cannot be the same in each run */
};
enum { CM_DEPENDENCE_KINDS = 2 };
/* what: in words, for people. */
void cm_depends_on(const struct cm_state *state, enum cm_dependence_kind kind, const char *what);

/* ---- Exploration ---- */

struct cm_progress {
    uint64_t runs;           /* of the check, ended so far */
    uint64_t violations;     /* among them */
    const char *covered;     /* legal states in the cylinders seen, decimal, or NULL */
    const char *legal;       /* of how many, or NULL when that is too hard to count */
    unsigned depth;          /* cuts during recovery; if any: */
    uint64_t recoveries;     /* that were cut at this depth so far, ... */
    uint64_t recovery_count; /* ... of so many */
};

/* options.nested: as often as it makes a difference; and the most that can be asked for. */
#define CM_NESTED_FIXPOINT UINT32_MAX
#define CM_NESTED_LIMIT    64u

/* Part index (from 0) of count parts, of which nobody needs to know the others. */
struct cm_shard {
    uint32_t index, count;
};

/* Something that an exploration depends on, for progress files. */
struct cm_trait {
    const char *key, *value;
};

/* The key of a digest of the programs that the check consists of, which may differ between
 * the machines of shards, but not when an exploration is continued. */
#define CM_TRAIT_PROGRAM "digest of the check's program"

struct cm_options {
    unsigned jobs;         /* worker processes; 0 means one for each processor */
    unsigned timeout_ms;   /* for one run of the check; 0 means none */
    uint32_t granule;      /* bytes; overrides the model's tear granule; 0 keeps it */
    bool eager;            /* a run for every state, also if the check says what it looks at */
    struct cm_shard shard; /* the states to cover; count 0 means all */
    /* How many power cuts there may be during recoveries, each in that from what the one
     * before left; more than 0 needs check->record, and all shards. */
    unsigned nested;
    /* To cover less than everything: first what deviates the least from all or from nothing
     * unsynced having persisted; in the last quarter of the budget what the seed says. */
    uint64_t budget_runs; /* of the check, also those of runs that are resumed; 0: no limit */
    uint64_t budget_ms;   /* of this call; 0: no limit */
    uint64_t seed;        /* also of the audit */
    /* A file that is written every second or so, from which the exploration can be continued
     * or merged; NULL: none. */
    const char *progress_path;
    bool resume; /* continue from that file, if it is there */
    /* What it depends on besides what is said here: the check, ... */
    const struct cm_trait *traits;
    size_t trait_count;
    /* Called about ten times a second in the caller's process; may be NULL. */
    void (*progress)(void *context, const struct cm_progress *progress);
    void *progress_context;
    /* When it becomes non-zero, the exploration stops and reports what it has;
     * may be NULL. */
    const volatile int *stop;
};

/* One operation, for people and reports. */
struct cm_operation {
    uint32_t call;     /* index into trace->calls */
    uint32_t boundary; /* the first boundary at which it may have persisted */
    uint32_t durable;  /* the first boundary at which it must have, or UINT32_MAX */
    const char *class; /* "create", "data", "grow", "cut", "unlink", ... */
    const char *path;  /* relative to the directory under test, as it was then */
    uint64_t offset;   /* bytes; data: where; grow and cut: the new size */
    uint64_t length;   /* bytes; data only */
};

/* A power cut during a recovery. */
struct cm_cut {
    const struct ff_trace *trace;    /* of the recovery */
    struct cm_operation *operations; /* of the recovery, in boundaries of that trace */
    size_t operation_count;
    const uint32_t *boundary_calls; /* [b]: the call before boundary b >= 1 */
    uint32_t boundary;              /* where it was cut */
    uint32_t *lost;                 /* operations issued by then that did not persist */
    size_t lost_count;
    uint32_t *kept; /* operations that did, although nothing had made them durable */
    size_t kept_count;
};

/*
 * A state that the check rejected, one for each distinct reason; those that it takes cuts
 * during recovery to reach are apart from the others, and come after them.
 */
struct cm_violation {
    char *id; /* replay id: harness/MODEL.md */
    char *reason;
    enum cm_status status;
    uint64_t states;         /* distinct (files, output) pairs with this reason; if observed:
                                those that the check can tell apart */
    uint32_t first_boundary; /* the representative is legal from here ... */
    uint32_t last_boundary;  /* ... to here, inclusive */
    uint32_t *lost;          /* operations issued by first_boundary that it lacks */
    size_t lost_count;
    uint32_t *kept; /* operations that it has although nothing made them durable */
    size_t kept_count;
    char *unreadable;    /* a file that it cannot read, which fails to open (FAT), or NULL */
    struct cm_cut *cuts; /* during the recovery from that, during that from what was left, ... */
    size_t cut_count;
};

/*
 * What so and so many cuts during recovery can leave. A recovery is cut if what it was
 * started on was accepted, and is the same as nothing before. A state that cuts of several
 * recoveries can leave is counted for each of them.
 */
struct cm_depth {
    uint64_t recoveries; /* that were cut */
    char *legal;         /* states that this can leave, decimal; NULL when too hard to count */
    char *covered;       /* number of those that were covered, decimal; NULL likewise */
    uint64_t distinct;   /* such that recovery and check can tell them apart */
    uint64_t runs;       /* of recovery and check */
    uint64_t rejected;   /* among the distinct ones */
};

struct cm_label {
    char name[CM_TEXT_SIZE];
    uint64_t states;
};

/* What is legal at one boundary. */
struct cm_cell {
    struct cm_label *labels; /* of accepted states, sorted by name */
    size_t label_count;
    uint64_t violations; /* distinct rejected states */
};

struct cm_dependence {
    enum cm_dependence_kind kind;
    char *what;
};

struct cm_exploration {
    const char *model;      /* name */
    uint64_t model_digest;  /* XXH3-64 of the model's meaning */
    uint32_t unit, granule; /* bytes, as used */
    bool exhaustive;        /* every legal state was covered, those of cuts during recovery, too,
                               as far as asked for, and certificate and audit hold */
    bool complete;          /* the same for the states of the shard */
    bool stopped;           /* ended early by options->stop */
    char *progress_error;   /* why the progress file could not be written, or NULL */
    bool out_of_budget;     /* ended early by a budget */
    struct cm_shard shard;
    char *legal;               /* number of legal states (ideals), decimal; NULL when too hard */
    char *covered;             /* number of those that were covered, decimal; NULL likewise */
    bool observed;             /* what the check looked at decided what was branched on */
    bool monotone;             /* what was accepted was not run with less output */
    uint64_t distinct;         /* distinct trees; if observed: such that the check can tell apart */
    uint64_t runs;             /* runs of the check */
    uint64_t audit_runs;       /* further ones, on other states that must have the same outcome */
    uint64_t audit_mismatches; /* those that had another outcome */
    char *audit_text;          /* of one of these; NULL if there is none */
    struct cm_dependence *dependences; /* of runs, besides the state; a few of each kind */
    size_t dependence_count;
    struct cm_operation *operations;
    size_t operation_count;
    /* Cells for boundaries 0 .. trace->call_count. */
    struct cm_cell *cells;
    size_t cell_count;
    /* boundary_calls[b]: index of the call whose end (or, for output, beginning)
     * is boundary b >= 1. */
    uint32_t *boundary_calls;
    struct cm_violation *violations; /* the one that lost the least first */
    size_t violation_count;
    unsigned nested;         /* cuts during recovery, as asked for */
    struct cm_depth *depths; /* [d]: of d + 1 cuts during recovery */
    size_t depth_count;
    bool fixpoint; /* one more cut would leave nothing new: this holds for any number of them */
    struct ff_unobserved *unobserved; /* of recordings of recoveries; the texts are malloc'ed */
    size_t unobserved_count;
    double seconds;
    void *owned; /* what the strings above point into */
};

/*
 * Runs the check on every state that a power cut could leave under the model,
 * together with every output that may have been printed by then. The result
 * does not depend on options->jobs. Returns NULL with *error set when the
 * exploration itself fails (a worker cannot start, a check cannot be run).
 */
struct cm_exploration *cm_explore(const struct ff_trace *trace, const struct cm_model *model,
                                  const struct cm_check *check, const struct cm_options *options,
                                  struct ff_error *error);
void cm_exploration_free(struct cm_exploration *exploration);

/*
 * Puts together what shards have found. paths: of their progress files, of each shard once;
 * NULL for one that is missing. The result is that of an exploration of all, as far as they
 * have come. options: granule and traits must be as they were there; progress_path takes
 * what is put together, if nothing is missing; the rest does not matter. NULL with *error
 * set when they do not belong together.
 */
struct cm_exploration *cm_merge(const struct ff_trace *trace, const struct cm_model *model,
                                const char *const *paths, size_t count,
                                const struct cm_options *options, struct ff_error *error);

/*
 * Rebuilds the state that a replay id names. On success *tree is the caller's
 * to free and *output is a malloc'ed string. Refuses ids of another trace or
 * model. Returns 0, or -1 with *error set.
 */
int cm_rebuild(const struct ff_trace *trace, const struct cm_model *model, const char *id,
               struct ff_tree **tree, char **output, size_t *output_size, struct ff_error *error);

/*
 * The same, also of ids that name cuts during recovery: each recovery is recorded again by
 * check->record, in a worker, and must do what it did then. check may be NULL for other ids.
 */
int cm_rebuild_nested(const struct ff_trace *trace, const struct cm_model *model, const char *id,
                      const struct cm_check *check, struct ff_tree **tree, char **output,
                      size_t *output_size, struct ff_error *error);

#endif

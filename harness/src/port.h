/*
 * The parts of `crashmatrix port`, and what came of each.
 *
 * A part is one row of the report: the conformance vectors, one play of the interchange, the
 * crash matrix or the fault matrix of one operation. Its name is "vectors", or the commit
 * point, a slash and what it is: "rename/second-commit".
 */
#ifndef CRASHMATRIX_PORT_H
#define CRASHMATRIX_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "catalogue.h"
#include "options.h"
#include "port_adapter.h"
#include "port_case.h"

/* X(identifier, name) */
#define CM_PORT_VERDICTS(X)                                                                        \
    X(PASS, "pass")                                                                                \
    X(UNSUPPORTED, "unsupported") /* the port, or no chosen model, has what it needs */            \
    X(INCOMPLETE, "incomplete")   /* nothing was rejected, but not everything was covered */       \
    X(ERROR, "error") /* it could not be run: the adapter failed, or did not answer OK */          \
    X(FAIL, "fail")

enum cm_port_verdict {
#define X(identifier, name) CM_PORT_VERDICT_##identifier, /* the worse the later */
    CM_PORT_VERDICTS(X)
#undef X
};
const char *cm_port_verdict_name(enum cm_port_verdict verdict);

struct cm_port_model {
    char *name, *verdict, *states; /* states: NULL when not known */
    uint64_t runs;
};

/* Why a part failed; model, id: of the state, or NULL where there is none. */
struct cm_port_violation {
    char *model, *id, *reason;
    uint64_t states;
    char *trace; /* of the state: another one in a run with a fault; or NULL */
};

struct cm_port_part {
    char *name;
    enum cm_port_verdict verdict;
    char *problem; /* one line, or NULL */
    char *folder;  /* what is left of it, or NULL */
    char *check;   /* the command that judged its states, or NULL */
    char *recover; /* the command that repaired them before, or NULL */
    struct cm_port_model *models;
    size_t model_count;
    struct cm_port_violation *violations;
    size_t violation_count, violation_capacity;
    uint64_t runs;
    uint64_t cases; /* of the fault matrix; vectors that hold */
    double seconds;
};

struct cm_port {
    const struct cm_settings *settings;
    struct cm_words accept; /* without the port's own kind */
    char **words;           /* the adapter's command, ... */
    size_t word_count;
    char *text; /* ... and as a shell takes it */
    struct cm_port_adapter adapter;
    struct cm_port_answer capabilities;
    struct cm_models models; /* those that were chosen */
    char *folder, *contents; /* absolute */
    bool accepts_unsupported;
    struct cm_port_part *parts;
    size_t part_count, part_capacity;
    enum cm_port_verdict verdict;
    const volatile int *stop;
};

/* A new part, without a verdict (pass). Valid until the next one is added. */
struct cm_port_part *cm_port_add(struct cm_port *port, const char *point, const char *name);

/* Sets a verdict, unless there is a worse one, and its problem, which is taken over. */
void cm_port_set(struct cm_port_part *part, enum cm_port_verdict verdict, char *problem);
void cm_port_reject(struct cm_port_part *part, const char *model, const char *id,
                    const char *reason, uint64_t states);

/* Whether the port says that it has an operation, or writes a commit point. */
bool cm_port_has(const struct cm_port *port, const char *operation);
bool cm_port_writes(const struct cm_port *port, const char *point);

/* Whether a part of that name was asked for (--only). */
bool cm_port_is_wanted(const struct cm_port *port, const char *point, const char *name);

void cm_port_free(struct cm_port *port);

/* ---- port_plan.c: the commands, malloc'ed ---- */

/* A word as a shell takes it. */
char *cm_port_quote(const char *word);
char *cm_port_setup(const struct cm_port *port, const char *point, enum cm_port_case_id id);
char *cm_port_workload(const struct cm_port *port, const char *point, enum cm_port_case_id id);
char *cm_port_recover(const struct cm_port *port);
char *cm_port_check(const struct cm_port *port, const char *point, enum cm_port_case_id id);
/* Writes the files that the port is to commit. Returns 0, or -1 with *error set. */
int cm_port_write_contents(const struct cm_port *port, struct ff_error *error);

/* Why a model does not support an operation with that commit point; NULL when it does. */
const char *cm_port_misfit(const struct cm_model *model, const char *point, enum cm_port_need need);

/* ---- port_run.c: running parts. They add parts; what cannot be run is an ERROR part. ---- */

void cm_port_run_vectors(struct cm_port *port);
void cm_port_run_interchange(struct cm_port *port, const char *point);
void cm_port_run_case(struct cm_port *port, const char *point, enum cm_port_case_id id);
void cm_port_run_faults(struct cm_port *port, const char *point);
void cm_port_run_nested(struct cm_port *port, const char *point); /* with --nested */

/* ---- port_result.c ---- */

/* Reads what `crashmatrix run --report` left in the part's folder. Returns 0, or -1 with *error
 * set. */
int cm_port_read_report(struct cm_port_part *part, struct ff_error *error);

/* Whether the recorded run came to its end: the adapter answered OK to all that it was asked. */
int cm_port_check_trace(const struct cm_port_part *part, enum cm_port_case_id id,
                        struct ff_error *error);

/* ---- port_report.c ---- */

void cm_port_report_text(const struct cm_port *port, FILE *stream);
/* Schema crashmatrix/port/1: harness/port.schema.json. */
void cm_port_report_json(const struct cm_port *port, FILE *stream);
void cm_port_report_junit(const struct cm_port *port, FILE *stream);

#endif

/*
 * What the report writers share: safe text and the words for a run.
 *
 * Names, labels and reasons come from the program under test and may hold any
 * byte. They reach a report only through cm_print_safe(), whose output is
 * printable UTF-8 and so is fit for a terminal, for JSON and for XML 1.0 (which
 * cannot hold control characters at all), and from which the bytes can be told.
 */
#ifndef CRASHMATRIX_REPORT_SHARED_H
#define CRASHMATRIX_REPORT_SHARED_H

#include "report.h"

/*
 * Text that is put together in memory.
 *
 *     struct cm_buffer buffer;
 *     FILE *stream = cm_buffer_open(&buffer);
 *     fprintf(stream, ...);
 *     char *text = cm_buffer_close(&buffer);      the caller frees it
 *
 * Running out of memory aborts with a message.
 */
struct cm_buffer {
    FILE *stream;
    char *text;
    size_t size;
};
FILE *cm_buffer_open(struct cm_buffer *buffer);
char *cm_buffer_close(struct cm_buffer *buffer);

/* That message and abort. */
_Noreturn void cm_report_no_memory(void);

/*
 * Prints bytes with a backslash as \\, and control characters, bytes that are
 * not UTF-8, and the two characters that XML forbids, U+FFFE and U+FFFF, as
 * \xNN for each byte.
 */
void cm_print_safe(FILE *stream, const void *bytes, size_t size);

/* The same for a string, as malloc'ed text. */
char *cm_safe_text(const char *text);

/* What cm_describe_call() and cm_describe_operation() say, without a limit on
 * its length, as malloc'ed text. */
char *cm_call_text(const struct ff_trace *trace, uint32_t call);
char *cm_operation_text(const struct ff_trace *trace, const struct cm_operation *operation);

/* Operations of a trace, and the sites of its calls (or NULL: not looked up). */
struct cm_listed {
    const struct ff_trace *trace;
    const struct cm_sites *sites;
    const struct cm_operation *operations;
};
/* "lost: rename of a -> b (rename, call 3) at save.c:12", as malloc'ed text. */
char *cm_listed_text(const struct cm_listed *listed, const char *word, uint32_t operation);

/* "then the recovery, cut after its call 3 (rename a -> b)"; number: from 0. malloc'ed. */
char *cm_cut_text(const struct cm_cut *cut, size_t number);

/* That a file of the example is unreadable, and what that means; malloc'ed. */
char *cm_unreadable_text(const struct cm_violation *violation);

/* cm_call_text() for a boundary; "before the first call" for boundary 0. */
char *cm_boundary_text(const struct cm_report *report, uint32_t boundary);

/* Boundaries of the run that the report has cells for, 0 included. All models
 * of a report look at the same run, so any one of them tells. */
uint32_t cm_boundary_count(const struct cm_report *report);

/* Distinct rejected states, whatever the reason. */
uint64_t cm_violation_states(const struct cm_exploration *exploration);

/* "rejected", "crashed", "timeout": how the check rejected a state. */
const char *cm_violation_status(const struct cm_violation *violation);

/*
 * The command that rebuilds a violation's state and checks it, if a target says
 * how, or else leaves it in a directory to look at; quoted for a shell. Without
 * a path of the trace, TRACE stands for it.
 */
char *cm_replay_command(const struct cm_report *report, const struct cm_violation *violation);

/* The part of the text report about faults, if there were any. */
void cm_print_faults(const struct cm_report *report, FILE *stream);

#endif

/*
 * What a port has promised: the lines that its adapter had printed when the power was cut.
 */
#ifndef CRASHMATRIX_PORT_WORDS_H
#define CRASHMATRIX_PORT_WORDS_H

#include "port_case.h"

#include "faultfs/trace.h"

struct cm_port_words {
    uint64_t acknowledged; /* the version that must be there at least; 0: none */
    uint64_t next;         /* the only other one that may be; 0: none */
    bool finished;         /* the operation's line was complete, with OK */
    uint64_t saved;        /* the last version that is in the backup; 0: none */
    const char *failed;    /* the code of an operation that failed, or NULL; static */
};

/*
 * Reads the complete lines of an output: one that was cut was not said. Returns 0, or -1 with
 * *error set when a line is none that the adapter may print there.
 */
int cm_port_words_read(enum cm_port_case_id id, const char *output, size_t size,
                       struct cm_port_words *words, struct ff_error *error);

#endif

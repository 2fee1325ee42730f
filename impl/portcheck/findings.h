/* What is to be said of the layers below a directory: the tables are in findings.c. */
#ifndef PORTCHECK_FINDINGS_H
#define PORTCHECK_FINDINGS_H

#include "kind.h"
#include "layers.h"

enum { PC_FINDINGS = 32 };

/* X(name, word) */
#define PC_SEVERITIES(X)                                                                           \
    X(BREAKS, "breaks")   /* with this no sync makes anything durable, or nothing survives */      \
    X(WARNING, "warning") /* a promise may not hold, or not for long */                            \
    X(NOTE, "note")       /* good to know, and to keep with the result */

enum pc_severity {
#define X(name, word) PC_SEVERITY_##name,
    PC_SEVERITIES(X)
#undef X
};

struct pc_finding {
    enum pc_severity severity;
    const char *code;    /* a word that does not change */
    const char *subject; /* the name of the layer */
    char *matched;       /* the option or attribute, "barrier=0", "write_cache=write through" */
    const char *text;
};

struct pc_advice {
    const char *point;  /* the commit point that fits: "rename", "slots", "none" */
    const char *reason; /* why */
    enum pc_support support;
    struct pc_finding findings[PC_FINDINGS]; /* the severest first, then from the directory down */
    size_t count;
};

/* "breaks", "warning", "note" */
const char *pc_severity_word(enum pc_severity severity);

/* The advice refers to the layers; to be freed before them. */
void pc_advise(const struct pc_layers *layers, struct pc_advice *advice);
void pc_advice_free(struct pc_advice *advice);

#endif

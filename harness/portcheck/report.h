/*
 * What a validation showed, and what it did not: for people, as JSON (report.schema.json)
 * and as JUnit. Equal records give equal reports.
 */
#ifndef PORTCHECK_REPORT_H
#define PORTCHECK_REPORT_H

#include <stdio.h>

#include "judge.h"

struct ph_report {
    const struct ph_judge *judge;
    enum ph_kind kind;
    const char *board; /* "": not named */
    const char *run;
    uint64_t seed;
    bool stopped; /* by a signal: it can be continued */
};

/* The verdict in a sentence, with no more than the kind of cut can show; malloc'ed. */
char *ph_report_sentence(const struct ph_report *report);

/* What the kind of cut leaves open. */
const char *ph_report_not_shown(enum ph_kind kind);

/* Each: -1 if the stream failed. */
int ph_report_text(const struct ph_report *report, FILE *stream);
int ph_report_json(const struct ph_report *report, FILE *stream);
int ph_report_junit(const struct ph_report *report, FILE *stream);

#endif

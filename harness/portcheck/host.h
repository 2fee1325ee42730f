/*
 * A validation: cuts the power of the board at moments of chance, listens, keeps the
 * record, and asks the judge.
 *
 *     struct ph_host host;
 *     if (ph_host_begin(&host, &settings, &error) == 0)
 *         ph_host_run(&host, &error);
 *     ph_report_text(&host...)
 *     ph_host_end(&host);
 */
#ifndef PORTCHECK_HOST_H
#define PORTCHECK_HOST_H

#include "judge.h"
#include "link.h"
#include "record.h"
#include "settings.h"

enum { PH_PORTION = 4096 };

struct ph_host {
    const struct ph_settings *settings;
    struct ph_record record;
    struct ph_judge judge;
    struct ph_link link;
    struct pc_reader reader;
    uint64_t began;            /* cm_process_clock() */
    uint64_t foreign, garbled; /* of the reader, that are in the record */
    uint64_t sequence;         /* of our lines */
    uint64_t spoke, heard;     /* milliseconds, when we last sent and heard a line */
    uint64_t cycle;
    uint64_t barren; /* cycles in a row that added no cut that counts */
    int output;      /* of the commands, or -1 */
    int terminal;    /* to ask at, or -1 */
    bool stopped;    /* by a signal */
};

/* Makes the record, or opens it and judges what it has; listens. -1 with the error, also
 * then ph_host_end() is to be called. *usage: the error is one of the options. */
int ph_host_begin(struct ph_host *host, struct ph_settings *settings, bool *usage,
                  struct ff_error *error);

/* Runs until the verdict is decided, too many cuts in a row did not count, or SIGINT,
 * SIGTERM or SIGHUP comes. -1 with the error: trouble on this host. */
int ph_host_run(struct ph_host *host, struct ff_error *error);

void ph_host_end(struct ph_host *host);

#endif

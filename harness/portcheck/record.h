/*
 * The record of a validation: DIR/record.log, lines that are only ever appended.
 *
 *     CCCCCCCC TEXT\n          the CRC32C of TEXT in 8 hexadecimal digits
 *
 * The first lines are the header, "portcheck-host record 1" and then "NAME VALUE" for the
 * run and each option, up to the line "events". Each further line is an event:
 *
 *     MILLISECONDS session DATE         the host was started (again); its time starts anew
 *     MILLISECONDS on CYCLE             the board is on
 *     MILLISECONDS line @pc ...         as it came from the board
 *     MILLISECONDS cut HOW              the power is about to be taken away
 *     MILLISECONDS timeout
 *     MILLISECONDS noise FOREIGN GARBLED
 *
 * Times are those of the host's monotonic clock. An event counts only when its line is on
 * the disk: ph_record_sync() comes before ph_judge_event(). A last line that is cut off
 * was never counted, and is dropped when the record is continued; damage anywhere else is
 * an error.
 */
#ifndef PORTCHECK_RECORD_H
#define PORTCHECK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultfs/trace.h"
#include "judge.h"

struct ph_record {
    char *path;
    int file; /* -1: not open */
};

/* Called for each "NAME VALUE" of the header. -1 with the error: it will not do. */
typedef int ph_record_option(void *context, const char *name, const char *value,
                             struct ff_error *error);

/* Makes the directory, if need be, and in it a record that begins with this text, lines
 * of "NAME VALUE". -1 with the error, also if there is a record already. */
int ph_record_create(struct ph_record *record, const char *directory, const char *header,
                     struct ff_error *error);

/* Opens a record to append to. Its header goes to option. */
int ph_record_open(struct ph_record *record, const char *directory, ph_record_option *option,
                   void *context, struct ff_error *error);

/* Gives the events of a record that was opened to a judge. */
int ph_record_replay(struct ph_record *record, struct ph_judge *judge, struct ff_error *error);

/* Appends a line of text without the newline, which is not durable yet. */
int ph_record_append(struct ph_record *record, const char *text, struct ff_error *error);
int ph_record_sync(struct ph_record *record, struct ff_error *error);

void ph_record_close(struct ph_record *record);

#endif

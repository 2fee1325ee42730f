/*
 * The command line of portcheck-host, and the header of the record, which says the same.
 */
#ifndef PORTCHECK_SETTINGS_H
#define PORTCHECK_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "faultfs/trace.h"
#include "judge.h"

/* X(member, option, value, default or NULL, help); all are kept in the record. */
#define PH_KEPT_OPTIONS(X)                                                                         \
    X(listen, "listen", "WHERE", NULL,                                                             \
      "serial:DEVICE[@BAUD] (115200), tcp:HOST:PORT (the board connects; [HOST] if it is an "      \
      "address of IPv6; port 0: any free one), "                                                   \
      "command:CMD (its input and output), or file:PATH (a file that grows; no way back)")         \
    X(kind, "kind", "kill|reset|power", NULL,                                                      \
      "what a cut takes away: the process, the machine but not its storage, all power")            \
    X(power_off, "power-off", "CMD", "",                                                           \
      "cuts; must exit with 0 when that is done, also if there was nothing to cut")                \
    X(power_on, "power-on", "CMD", "", "starts the board again; must exit with 0")                 \
    X(ask, "ask", NULL, "",                                                                        \
      "a person at this terminal cuts the power when told to, and presses Enter")                  \
    X(cycles, "cycles", "N", "20", "cuts that must count")                                         \
    X(delay, "delay", "MIN..MAX", "0ms..2s",                                                       \
      "from the first acknowledgement after a start to the cut, drawn at random")                  \
    X(off_time, "off-time", "TIME", "1s", "between power-off and power-on; 0s: none")              \
    X(return_time, "return-time", "TIME", "2m",                                                    \
      "in which the board must be back and acknowledge a version")                                 \
    X(command_time, "command-time", "TIME", "1m", "in which a command must end")                   \
    X(give_up, "give-up", "N", "5", "cuts in a row that do not count, and then end")               \
    X(in_flight, "in-flight", "N", "8",                                                            \
      "versions that may have been announced without being heard, when the power went")            \
    X(board, "board", "NAME", "", "what is validated, for the report")                             \
    X(seed, "seed", "N", "1", "of the moments of the cuts")                                        \
    X(run, "run", "HEX", "", "8 digits that the board must answer with (default: random)")

struct ph_settings {
    /* As they were given; NULL: not. */
#define X(member, option, value, standard, help) char *member;
    PH_KEPT_OPTIONS(X)
#undef X
    char *record, *report;
    bool resume, json;

    /* What they mean: set by ph_settings_finish(). */
    enum ph_kind what;
    struct ph_rules rules;
    uint64_t seed_number, give_up_count;
    unsigned delay_least, delay_most, off_ms, return_ms, command_ms; /* milliseconds */
};

/* Reads the command line. False, with the exit status, if there is nothing left to do. */
bool ph_settings_parse(struct ph_settings *settings, int argc, char **argv, int *status);

/* Takes "NAME VALUE" of a record's header: ph_record_option. */
int ph_settings_take(void *settings, const char *name, const char *value, struct ff_error *error);

/* Fills in what was not given, and checks it all. -1 with the error. */
int ph_settings_finish(struct ph_settings *settings, struct ff_error *error);

/* The header of the record, for the caller to free. */
char *ph_settings_header(const struct ph_settings *settings);

void ph_settings_free(struct ph_settings *settings);

#endif

/*
 * What cuts the power and gives it back: two commands, or a person at the terminal.
 */
#ifndef PORTCHECK_SWITCH_H
#define PORTCHECK_SWITCH_H

#include <signal.h>

#include "faultfs/trace.h"

/*
 * Runs a command by /bin/sh, in a process group of its own, so that Ctrl-C at the terminal
 * does not reach it. What it prints goes to the file output. Processes that it leaves
 * behind are left alone, for one of them may be the board.
 *
 * Returns 0 when it exits with 0; -1 with the error when it does not, or not in time: then
 * its group is killed.
 */
int ph_switch_run(const char *name, const char *command, int output, unsigned milliseconds,
                  struct ff_error *error);

/* Opens the terminal to ask at. -1 with the error: there is none. */
int ph_switch_terminal(struct ff_error *error);

/* Says what to do now, with a bell. */
void ph_switch_say(int terminal, const char *what);

/* Throws away what was typed so far, so that it answers nothing that is asked later. */
void ph_switch_forget(int terminal);

#endif

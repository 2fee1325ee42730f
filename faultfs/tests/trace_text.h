/*
 * A call as a line of text, for tests to compare:
 *
 *     write write node=3 offset=0 size=5 "hello"
 *
 * the name of the call, its effect, and the fields that the effect uses.
 */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include "faultfs/trace.h"

#include <stdio.h>

void call_print(FILE *stream, const struct ff_call *call);

#endif

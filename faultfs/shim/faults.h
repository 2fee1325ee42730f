/*
 * Injecting the faults that the channel holds (faultfs/faults.h) into the calls
 * that concern the directory under test.
 */
#ifndef SHIM_FAULTS_H
#define SHIM_FAULTS_H

#include "recorder.h"

/* Makes the call, or what a fault makes of it. Returns its result, or -errno. */
long fault_call(const struct site *site, const struct raw_call *raw);

#endif

/*
 * Interchange between a port and the reference (libmanifest): what one writes the other
 * reads, takes further commits, and reads again, byte for byte.
 */
#ifndef CRASHMATRIX_PORT_INTERCHANGE_H
#define CRASHMATRIX_PORT_INTERCHANGE_H

#include "port_adapter.h"

struct cm_port_interchange {
    const char *point;    /* "rename" or "slots" */
    const char *contents; /* the folder with the files that the port is to commit */
    struct cm_port_adapter adapter;
};

/*
 * Runs all of it in the current directory, which is empty. Prints one line for each: "ok NAME",
 * "unsupported NAME: WHAT IS MISSING" or "FAILED NAME: REASON". Returns 0 when none failed, else 1.
 */
int cm_port_interchange(const struct cm_port_interchange *plan);

#endif

/*
 * Between a worker and a process that starts the runs of a check for it (a server): the
 * check's own program under libcrashmatrix-start.so, stopped where main() would be
 * called, or a process that executes it anew each time. They talk through a socket of
 * packets, which the server has as CM_START_DESCRIPTOR.
 *
 *     server: struct cm_start_hello, once
 *     worker: one byte, with the descriptors of enum cm_start_given
 *     server: the pid of the run (a pid_t), which is the worker's child
 *     worker: one byte alone, when nothing of the run is left
 *     server: makes the system call CM_START_MARK, which the worker is told of, then one byte
 *
 * When the worker closes its end the server ends.
 */
#ifndef CRASHMATRIX_START_H
#define CRASHMATRIX_START_H

#define CM_START_DESCRIPTOR 3

/* In the environment of a program that is to be a server, and nowhere else; its value
 * says nothing. Nor are these two, that the loader heeds: */
#define CM_START_VARIABLE "CRASHMATRIX_START"
#define CM_START_PRELOAD  "LD_PRELOAD"
#define CM_START_BIND     "LD_BIND_NOW" /* symbols are looked up once, not in each run */

/* No system call has this number. */
#define CM_START_MARK 1024L

struct cm_start_hello {
    int suitable; /* nothing was found that its runs would not have as a new process has */
};

enum cm_start_given {
    CM_START_INPUT,
    CM_START_OUTPUT,
    CM_START_ERRORS,
    CM_START_DIRECTORY,
    CM_START_GIVEN
};

#endif

/* Finding the launcher's memory when a program starts. */
#ifndef SHIM_START_H
#define SHIM_START_H

/*
 * Maps the channel that the environment names; only the first call does
 * anything. Without one the library records nothing. A channel that cannot be
 * mapped ends the process with status 127: to go on unrecorded would be a lie.
 */
void start(void);

#endif

/*
 * What kind of program a command is.
 */
#ifndef CRASHMATRIX_PROGRAM_H
#define CRASHMATRIX_PROGRAM_H

#include <stdbool.h>

/*
 * Whether executing name (looked for in $PATH, as execvp(3) does) most likely starts a
 * dynamic program with the caller's rights, into which a library can be preloaded; so
 * does a script if its interpreter is such a program.
 */
bool cm_program_is_preloadable(const char *name);

/*
 * Executes argv[0], as posix_spawnp(3) does: what has no known format is not given to a
 * shell. Returns -1 with errno set. Touches no memory but the stack.
 */
int cm_program_execute(char *const *argv);

#endif

/*
 * What kind of program a command is.
 */
#ifndef CRASHMATRIX_PROGRAM_H
#define CRASHMATRIX_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether executing name (looked for in $PATH, as execvp(3) does) most likely starts a
 * dynamic program with the caller's rights, into which a library can be preloaded; so
 * does a script if its interpreter is such a program.
 */
bool cm_program_is_preloadable(const char *name);

/* Whether there is an executable file of that name in $PATH. */
bool cm_program_is_installed(const char *name);

/*
 * A digest of the content of the files that a command names: its program, and what of its
 * other words is the absolute path of a file or a name in $PATH; shell: argv[2] is the text
 * of a shell command, of which all words are looked at. So another script or program under
 * the same name has another digest. What these files load is not looked at.
 */
uint64_t cm_program_digest(char *const *argv, bool shell);

/*
 * Executes argv[0], as posix_spawnp(3) does: what has no known format is not given to a
 * shell. Returns -1 with errno set. Touches no memory but the stack.
 */
int cm_program_execute(char *const *argv);

#endif

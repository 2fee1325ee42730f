/*
 * Wrong protocols on purpose, to see that a validation finds them: platform tables that
 * leave out or replace calls of the right one. In test builds only (PORTCHECK_MUTANTS);
 * elsewhere nothing of this is compiled in. With a mutant, rename is not refused where it
 * does not work.
 */
#ifndef PORTCHECK_MUTANT_H
#define PORTCHECK_MUTANT_H

#include <manifest/platform.h>

/* X(name, word, what is wrong) */
#define PC_MUTANTS(X)                                                                              \
    X(NO_SYNC, "no-sync", "nothing is synced")                                                     \
    X(NO_FILE_SYNC, "no-file-sync", "directories are synced, files are not")                       \
    X(NO_DIRECTORY_SYNC, "no-directory-sync",                                                      \
      "files are synced before their rename, directories never")                                   \
    X(IN_PLACE, "in-place", "what should be renamed is written over what is there")                \
    X(RENAME_NO_SYNC_AFTER, "rename-no-sync-after", "after the rename the file is not synced")     \
    X(CLOCK_RESET, "clock-reset", "nothing, but the clock has gone back to 1970")

/* The platform table of the mutant of that word, or NULL. Static. */
const struct mf_platform *pc_mutant(const char *word);

#endif

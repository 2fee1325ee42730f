/*
 * What a handle without the lock may say of a database that a writer is changing.
 *
 * The number of the current version never decreases, and a writer removes no file of
 * it. So what is found is true if the same version was current before and after. Else
 * it was replaced in the meantime, perhaps with its files removed, and one looks again.
 */
#ifndef MANIFEST_SRC_READER_H
#define MANIFEST_SRC_READER_H

#include "database.h"

/* How often a reader looks, at most, before it says MF_LOCKED. */
#define MF_READER_LOOKS 16

/* As mf_inspect, and visit is told only what counts. MF_LOCKED: a writer has replaced
 * the current version during each of the looks, and nothing is known. */
enum mf_code mf_reader_inspect(const struct mf_directory *directory,
                               const struct mf_options *options, mf_visit *visit, void *argument,
                               struct mf_version *current, struct mf_condition *condition,
                               struct mf_error *error);

/*
 * What the code of reading a file of a kept version means, for any handle. MF_CORRUPT
 * becomes MF_NO_VERSION when no version that is kept now has this file: a writer has
 * removed the version that had it.
 */
enum mf_code mf_reader_judge(const struct mf_database *database, const struct mf_file *file,
                             enum mf_code code, struct mf_error *error);

#endif

/*
 * The database that the targets "manifest..." commit, and what their check
 * demands of it after a power cut. The program manifest-target and the built-in
 * checks share this, so that both give the same verdict on every state.
 *
 * Version 1 is empty, as mf_database_init() leaves it. Each later one holds the
 * files of cm_manifest_files, whose content is a function of version and index.
 * When a version is durable, "committed N\n" is printed.
 */
#ifndef CRASHMATRIX_MANIFEST_CASE_H
#define CRASHMATRIX_MANIFEST_CASE_H

#include <manifest/manifest.h>

#include "crashmatrix/crashmatrix.h"

#define CM_MANIFEST_PATH      "db"
#define CM_MANIFEST_FILES     5u
#define CM_MANIFEST_SIZE_MAX  1536u       /* bytes */
#define CM_MANIFEST_TIMESTAMP 1000000000u /* of all versions: the recording must not vary */

struct cm_manifest_file {
    enum mf_kind kind;
    const char *key;
};
extern const struct cm_manifest_file cm_manifest_files[CM_MANIFEST_FILES];

/*
 * The content of a file: writes it to data and returns its size in bytes.
 *
 * All files of a version are written before the first is synced, so the states
 * that a cut can leave then are the product over the files: without name, empty,
 * or any subset of its granules. The sizes keep that exhaustible where granules
 * of 512 bytes tear (4 * 4 * 4 * 6 * 10 states), while two files still can be
 * torn.
 */
size_t cm_manifest_content(uint64_t version, unsigned index,
                           unsigned char data[CM_MANIFEST_SIZE_MAX]);

/*
 * Judges the database CM_MANIFEST_PATH on a platform, and changes it: it is
 * opened for writing, which recovers it, read whole, and must take another
 * commit. What was acknowledged is the last complete "committed N" line of
 * output, or acknowledged_before when there is none.
 *
 * Accepted, with label
 *   old    the version that was acknowledged last is current;
 *   new    the version after it is;
 *   empty  nothing was acknowledged, there is no database, and one can be made.
 * Everything else is a violation.
 */
void cm_manifest_judge(const struct mf_platform *platform, uint64_t acknowledged_before,
                       const char *output, size_t output_size, struct cm_outcome *outcome);

#endif

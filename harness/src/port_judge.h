/*
 * Judging one state that a power cut leaves of a port's operation, in the current
 * directory: twice, by the reference (libmanifest) and by the port itself.
 *
 *   1. The reference reads the directory as the cut left it. It must find the version that
 *      was acknowledged or the one that was being made, whole.
 *   2. The port opens it for writing, which recovers it, and commits one more version. It
 *      must have found the same version.
 *   3. The reference reads it again: the new version is current with nothing to mend, and
 *      the version that was found is still whole.
 *
 * Where an operation may be cut short, it must be possible to complete it.
 *
 * The more was printed, the more is asked for, and nothing else: what is accepted is accepted
 * with any part of that output, too.
 */
#ifndef CRASHMATRIX_PORT_JUDGE_H
#define CRASHMATRIX_PORT_JUDGE_H

#include <manifest/manifest.h>

#include "port_adapter.h"
#include "port_case.h"

struct cm_port_judge {
    enum cm_port_case_id id;
    const char *point; /* "rename" or "slots" */
    struct cm_port_adapter adapter;
    struct ff_error *error; /* why the state is rejected */
};

/* What was printed before the cut. Returns the label of an accepted state ("none", "corrupt", or
 * the version that was found, "v2"), valid until the next call; NULL with *judge->error set when it
 * is rejected. */
const char *cm_port_judge(const struct cm_port_judge *judge, const char *output, size_t size);

/* Whether the version of the manifest has the files of cm_port_files as they were committed with
 * the version `content`, and no other; 0, or -1 with *error set. with_next: it may have more. */
int cm_port_compare(struct mf_database *database, const struct mf_manifest *manifest,
                    uint64_t content, bool with_more, struct ff_error *error);

#endif

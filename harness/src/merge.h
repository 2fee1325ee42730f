/*
 * What cm_merge() consists of, for those that have the progress files of shards open:
 *
 *     if (cm_merging_begin(&merging, trace, model, options, &error) == 0) {
 *         cm_merging_take(&merging, &file, &error);    of each shard once, or
 *         cm_merging_miss(&merging);                   there is none of it
 *         result = cm_merging_conclude(&merging, &error);
 *         cm_merging_end(&merging);
 *     }
 *
 * After an error nothing but the end may follow.
 */
#ifndef CRASHMATRIX_MERGE_H
#define CRASHMATRIX_MERGE_H

#include "exploring.h"

struct cm_merging {
    struct cm_exploring all;
    char *first; /* path of the first file that is complete, or NULL */
    uint64_t agreed;
};

int cm_merging_begin(struct cm_merging *merging, const struct ff_trace *trace,
                     const struct cm_model *model, const struct cm_options *options,
                     struct ff_error *error);
int cm_merging_take(struct cm_merging *merging, struct cm_progress_file *found,
                    struct ff_error *error);
void cm_merging_miss(struct cm_merging *merging);
struct cm_exploration *cm_merging_conclude(struct cm_merging *merging, struct ff_error *error);
void cm_merging_end(struct cm_merging *merging);

#endif

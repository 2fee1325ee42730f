/*
 * What one run of a check decides, and what it leaves to be decided.
 *
 * A *job* is a cylinder that is not decided yet. The check is run on its largest ideal,
 * with the most output that may have been printed by then, and says what it looked at.
 * All ideals that have the same there would have made it do the same: they are a *leaf*,
 * and decided. The rest of the cylinder, split along what was looked at, is more jobs.
 * If the check looked at the output, the leaf is decided for that output only, and is
 * a job for each other one that it may have been left with; unless the outcome is settled
 * for less output, too.
 *
 * The leaf and the jobs follow from the job and from what its run looked at, and from
 * nothing else, so that the set of all leaves does not depend on who runs what when.
 *
 * Shards. Jobs near the root are *shared*: every shard runs them, since what they leave
 * depends on their run. A job is shared as long as the product of the numbers of branches
 * on its way is small; the first job on a way past that belongs to the one shard that a hash
 * of its sets names, with all that comes of it. The leaves of shared jobs belong to shards
 * by a hash of their own. So each leaf belongs to exactly one shard, and no two shards talk.
 */
#ifndef CRASHMATRIX_SPLIT_H
#define CRASHMATRIX_SPLIT_H

#include "cylinder.h"
#include "observer.h"
#include "records.h"

/* Of a job: whichever output there may be. */
#define CM_ANY_OUTPUT UINT32_MAX

/* Of a job: every shard's. */
#define CM_SHARED UINT32_MAX

struct cm_job {
    uint64_t rank;   /* in what order to run it, if that matters */
    uint32_t output; /* how many writes to standard output had begun, or CM_ANY_OUTPUT */
    uint32_t owner;  /* shard, or CM_SHARED */
    uint32_t spread; /* product of the numbers of branches on the way here, or UINT32_MAX */
    uint32_t
        counts;   /* 1: its ideals are in no other job or leaf; 0: with another output they are */
    uint32_t tag; /* whoever made it knows what for */
    uint32_t audits; /* 1: it is run to audit a leaf */
    cm_word sets[];  /* included, then excluded */
};

struct cm_leaf {
    uint32_t first_output, last_output; /* that it is decided for */
    uint32_t owner;                     /* shard */
    uint32_t spread;
    uint32_t counts;
    uint32_t tag;
    uint32_t outcome; /* whoever keeps it knows where */
    uint32_t shared;  /* 1: of a shared job, so that every shard has found it */
    uint32_t idle;    /* 1: its recovery changes nothing, as far as that is known */
    uint32_t reserved;
    cm_word sets[];
};

/* Bytes of either. */
size_t cm_job_size(const struct cm_poset *poset);
size_t cm_leaf_size(const struct cm_poset *poset);

static inline struct cm_cylinder cm_cylinder_of(const struct cm_poset *poset, const cm_word *sets)
{
    return (struct cm_cylinder){sets, sets + poset->words};
}

/* The first job: the ideals of a cylinder, with any output, or with one only. malloc'ed. */
struct cm_job *cm_job_new(const struct cm_poset *poset, struct cm_cylinder start, uint32_t output);

/* What to run for a job: the largest ideal, and how many outputs. */
void cm_job_case(const struct cm_poset *poset, const struct cm_job *job, cm_word *ideal,
                 uint32_t *outputs);

/* Takes those ideals from the sets that are legal at no boundary with so many outputs. */
void cm_restrict_to_output(const struct cm_poset *poset, uint32_t output, cm_word *sets);

/* The same number for the same sets and output, everywhere. */
uint64_t cm_hash_sets(const struct cm_poset *poset, const cm_word *sets, uint32_t output,
                      uint64_t seed);

struct cm_splitter;

struct cm_splitter *cm_splitter_new(const struct cm_poset *poset, struct cm_shard shard);
void cm_splitter_free(struct cm_splitter *splitter);

/*
 * Splits a job by what its run looked at (NULL: that is not known, so everything). Fills in
 * *leaf, all but its outcome. Returns the jobs that are left and are shared or belong to
 * the shard; valid until the next call. The leaf may belong to another one.
 */
const struct cm_records *cm_split(struct cm_splitter *splitter, const struct cm_job *job,
                                  const struct cm_observations *seen, struct cm_leaf *leaf);

/* Whether a leaf belongs to the splitter's shard. */
bool cm_is_mine(const struct cm_splitter *splitter, const struct cm_leaf *leaf);

/* The most jobs that one split can give. */
size_t cm_split_limit(const struct cm_poset *poset);

#endif

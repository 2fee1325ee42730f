/*
 * Where states come from: a cut of the workload, then cuts of recoveries.
 *
 * A recovery that is to be cut was started on a *source*: a leaf, that is states that it
 * cannot tell apart, of the order that has a phase (phase.h) for each recovery that was cut
 * before. A source names the one before it, so that the order can be built again from the
 * sources' cylinders and the traces of their recoveries.
 *
 *     cm_lineage_open(&lineage, workload, &sources, index, &error);
 *     ... lineage.poset: the order of what cuts of that source's recovery leave ...
 *     cm_lineage_close(&lineage);
 */
#ifndef CRASHMATRIX_LINEAGE_H
#define CRASHMATRIX_LINEAGE_H

#include "phase.h"
#include "split.h"

#define CM_NO_SOURCE UINT32_MAX

struct cm_source {
    uint32_t before; /* index of a source; CM_NO_SOURCE: only the workload was cut */
    uint32_t output; /* how many outputs there had been, or CM_ANY_OUTPUT */
    cm_word *sets;   /* included, excluded; of the order of the source before */
};

/* All of them, and the folder in which N.cmt is the trace of the recovery from source N. */
struct cm_sources {
    struct cm_source *items;
    size_t count, capacity;
    char *folder;
};

/* Adds the states of a leaf; returns its index. */
uint32_t cm_sources_add(struct cm_sources *sources, uint32_t before, const struct cm_poset *poset,
                        const struct cm_leaf *leaf);
/* malloc'ed */
char *cm_sources_trace(const struct cm_sources *sources, uint32_t index);
void cm_sources_free(struct cm_sources *sources);

/* All zero, but for workload and poset: no recovery was cut. */
struct cm_lineage {
    const struct cm_poset *workload;
    const struct cm_poset *poset; /* the last phase's, or the workload's */
    struct cm_phase *phases[CM_NESTED_LIMIT];
    size_t count;
};

/* Returns 0, or -1 with *error set and nothing to close. The workload must outlive it. */
int cm_lineage_open(struct cm_lineage *lineage, const struct cm_poset *workload,
                    const struct cm_sources *sources, uint32_t index, struct ff_error *error);
void cm_lineage_close(struct cm_lineage *lineage);

/* The states to be decided in that order: of the source; malloc'ed. */
struct cm_job *cm_lineage_job(const struct cm_lineage *lineage, const struct cm_source *source);

/* ---- For people ---- */

/* One of the cuts that led to a leaf: the state that lost the fewest operations. */
struct cm_loss {
    const struct cm_poset *poset; /* the workload's, or a recovery's own */
    cm_word *ideal;               /* of that order; malloc'ed */
    uint32_t boundary, last;      /* cut here; or up to there */
    size_t lost;                  /* operations */
};
struct cm_loss cm_lineage_workload_loss(const struct cm_lineage *lineage, const cm_word *sets,
                                        uint32_t output);
struct cm_loss cm_lineage_recovery_loss(const struct cm_lineage *lineage, size_t phase,
                                        const cm_word *sets);

/* The replay id of it; malloc'ed. *lost: operations, over all cuts. */
char *cm_lineage_identity(const struct cm_lineage *lineage, const cm_word *sets, uint32_t output,
                          size_t *lost);

#endif

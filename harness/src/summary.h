/*
 * What came out of an exploration, added up: how many states there are at each boundary
 * with each outcome, and of each outcome that rejects the state that stands for it: one
 * that lost the fewest operations, cut as early as possible. Nothing depends on the order
 * in which states are added.
 */
#ifndef CRASHMATRIX_SUMMARY_H
#define CRASHMATRIX_SUMMARY_H

#include "cylinder.h"

/* A state with so many outputs, cut at a boundary or anywhere up to the last one. */
struct cm_case {
    uint32_t output;
    uint32_t boundary;
    uint32_t last_boundary;
    size_t lost; /* operations issued by the boundary that it lacks */
    cm_word *ideal;
};

/* Whether a is to stand for both: an order of all cases. */
bool cm_case_is_better(const struct cm_poset *poset, const struct cm_case *a,
                       const struct cm_case *b);

struct cm_summary;

/* Outcomes are meant by their numbers in the list, which is copied. */
struct cm_summary *cm_summary_new(const struct cm_poset *poset, const struct cm_outcome *outcomes,
                                  size_t count);
void cm_summary_free(struct cm_summary *summary);

/*
 * The largest ideal of a cylinder at the first boundary where it is legal with so many
 * outputs; without its set. False when it is legal at none.
 */
bool cm_summary_case(const struct cm_summary *summary, struct cm_cylinder cylinder, uint32_t output,
                     struct cm_case *found);

/* Fills in the set of such a case; the caller's to free. */
void cm_summary_ideal(const struct cm_summary *summary, struct cm_cylinder cylinder,
                      struct cm_case *found);

/* One more state at the boundaries first .. end-1. */
void cm_summary_count(struct cm_summary *summary, size_t outcome, uint32_t first, uint32_t end);

/* One more state in all; the case is copied if it is to stand for its outcome. */
void cm_summary_add(struct cm_summary *summary, size_t outcome, const struct cm_case *added);

/* Both, for the ideals of a cylinder with the outputs of a range, which look alike. */
void cm_summary_add_leaf(struct cm_summary *summary, size_t outcome, struct cm_cylinder cylinder,
                         uint32_t first_output, uint32_t last_output);

/*
 * Of the operations issued by a boundary those that an ideal lacks, and those that it has
 * although nothing made them durable; the lists are malloc'ed.
 */
void cm_list_losses(const struct cm_poset *poset, const cm_word *ideal, uint32_t boundary,
                    uint32_t **lost, size_t *lost_count, uint32_t **kept, size_t *kept_count);

/* Fills in cells and violations, the one that lost the least first. */
void cm_summary_report(const struct cm_summary *summary, struct cm_exploration *exploration);

#endif
